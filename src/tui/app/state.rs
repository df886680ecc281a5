use std::collections::VecDeque;
use std::time::Duration;

use super::event::{CopyKind, Moment};
use super::geometry::Geometry;
use super::job::{Job, JobId};
use super::key::Key;
use super::records::Records;
use super::screen::question::DEAF_FOR;
use super::screen::sign_in::Step;
use super::screen::switcher::Known;
use super::screen::{Overlay, Screen};
use crate::auth0::{Error, Session};
use crate::domain::{Colour, Domain, Environment, OpenFailure, Origin, Profile, Surroundings};

/// Number of a request. A reply that does not carry the latest one of its kind is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub struct Ticket(pub u64);

/// How a notice is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Worth knowing.
    Info,
    /// It worked.
    Good,
    /// Mind this.
    Warning,
    /// It did not work.
    Bad,
}

/// One line above the footer that goes away by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// What it says. Safe to print.
    pub text: String,
    /// How it is meant.
    pub tone: Tone,
    /// When it goes away.
    pub until: Moment,
}

/// A secret of ours that is in the clipboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InClipboard {
    /// What it is.
    pub kind: CopyKind,
    /// Whether it went through the terminal (OSC 52), so that we must clear it ourselves.
    pub by_terminal: bool,
    /// When it is cleared.
    pub clears_at: Moment,
}

/// Number of a tenant that was opened in this run. What is under way for one never lands in another: not even if it is opened
/// a second time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TenantId(pub u64);

/// Which tenant to open, and where that came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Which {
    /// What is known of it.
    pub profile: Profile,
    /// Whether it stands in the configuration.
    pub stored: bool,
    /// What selected it.
    pub origin: Origin,
    /// The tenant that would be open, or have signed in by itself, did the environment not win over it.
    pub beats: Option<String>,
    /// Whether it is the pretend tenant inside this process.
    pub demo: bool,
}

impl Which {
    /// The pretend tenant.
    #[must_use]
    pub fn demo(domain: Domain) -> Self {
        let profile =
            Profile { environment: Some(Environment::Development), ..Profile::new("demo".to_owned(), domain) };
        Self { profile, stored: false, origin: Origin::Chosen, beats: None, demo: true }
    }

    /// A tenant that no configuration knows, with the credentials of the environment.
    #[must_use]
    pub fn at(domain: Domain, environment: Option<Environment>) -> Self {
        let profile = Profile { environment, ..Profile::new(domain.tenant_name(), domain) };
        Self { profile, stored: false, origin: Origin::Environment, beats: None, demo: false }
    }

    /// A tenant of the configuration that was chosen in this run.
    #[must_use]
    pub fn chosen(profile: Profile) -> Self {
        Self { profile, stored: true, origin: Origin::Chosen, beats: None, demo: false }
    }
}

/// Which tenant this is, and what may be done there.
#[derive(Debug)]
pub struct Tenant {
    /// Its number.
    pub id: TenantId,
    /// Which one.
    pub which: Which,
    /// Why it could not be opened, where it could not.
    pub closed: Option<OpenFailure>,
    /// The latest request for a session.
    pub ticket: Ticket,
    /// What the token may do, once known.
    pub session: Option<Result<Session, Error>>,
}

impl Tenant {
    /// Its address.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.which.profile.domain
    }

    /// What it is for, where that is known.
    #[must_use]
    pub fn environment(&self) -> Option<Environment> {
        self.which.profile.environment
    }

    /// Whether it is the pretend tenant inside this process.
    #[must_use]
    pub fn demo(&self) -> bool {
        self.which.demo
    }

    /// What it is called in sentences.
    #[must_use]
    pub fn called(&self) -> String {
        if self.which.demo { "the pretend tenant".to_owned() } else { self.domain().to_string() }
    }

    /// The colour of its name.
    #[must_use]
    pub fn colour(&self) -> Colour {
        let profile = &self.which.profile;
        profile.colour.unwrap_or_else(|| Colour::of(profile.environment))
    }

    /// The scopes of the token; unknown until the session is there.
    #[must_use]
    pub fn scopes(&self) -> crate::domain::Scopes {
        match &self.session {
            Some(Ok(session)) => session.scopes.clone(),
            _ => crate::domain::Scopes::unknown(),
        }
    }

    /// The client that rollover itself signs in with, where it is known.
    #[must_use]
    pub fn our_client_id(&self) -> Option<&str> {
        match &self.session {
            Some(Ok(session)) => session.our_client_id.as_deref(),
            _ => None,
        }
    }
}

/// Everything that is known at a moment.
#[derive(Debug)]
pub struct State {
    /// The moment of the latest event.
    pub now: Moment,
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// What is on screen.
    pub screen: Screen,
    /// What lies over it.
    pub overlay: Option<Overlay>,
    /// Procedures of this run, oldest first.
    pub jobs: Vec<Job>,
    /// What is known of rollovers.
    pub records: Records,
    /// Whether keys are in memory that can be forgotten.
    pub unsealed: bool,
    /// Whether they were, because nothing was typed for a while.
    pub locked: bool,
    /// When something was last typed, clicked or pasted.
    pub touched: Moment,
    /// What just happened.
    pub notice: Option<Notice>,
    /// What of ours is in the clipboard.
    pub clipboard: Option<InClipboard>,
    /// Whether mouse reports are on.
    pub mouse: bool,
    /// The tenants of the configuration.
    pub known: Vec<Known>,
    /// What this machine offers for signing in, once it is known.
    pub surroundings: Option<Surroundings>,
    /// What is wrong with the configuration, where something is. Safe to print.
    pub misconfigured: Option<String>,
    /// The time of day at moment zero: seconds since 1970. Only what is told of tokens and of last use needs it.
    pub epoch: i64,
    /// Whether every change is forbidden, whatever the tenant: `--read-only`.
    pub read_only: bool,
    /// Until when requests wait for the rate limit.
    pub paced_until: Option<Moment>,
    /// Keys that wait until the list answers to what was typed.
    pub held: VecDeque<Key>,
    /// Whether the end was asked for.
    pub ending: bool,
    tickets: u64,
}

/// How long a notice stays.
pub const NOTICE_STAYS: Duration = Duration::from_secs(8);
/// How long a revealed secret stays.
pub const REVEAL_STAYS: Duration = Duration::from_secs(30);
/// How often something that moves is drawn anew.
const SPIN: Duration = Duration::from_millis(125);

impl State {
    /// The first state.
    #[must_use]
    pub fn new(size: (u16, u16), screen: Screen, mouse: bool) -> Self {
        Self {
            now: Moment::default(),
            size,
            screen,
            overlay: None,
            jobs: Vec::new(),
            records: Records::default(),
            unsealed: false,
            locked: false,
            touched: Moment::default(),
            notice: None,
            clipboard: None,
            mouse,
            known: Vec::new(),
            surroundings: None,
            misconfigured: None,
            epoch: 0,
            read_only: false,
            paced_until: None,
            held: VecDeque::new(),
            ending: false,
            tickets: 0,
        }
    }

    /// A ticket that no request had before.
    pub fn ticket(&mut self) -> Ticket {
        self.tickets += 1;
        Ticket(self.tickets)
    }

    /// Says something for a while.
    pub fn say(&mut self, tone: Tone, text: impl Into<String>) {
        self.notice = Some(Notice { text: text.into(), tone, until: self.now.after(NOTICE_STAYS) });
    }

    /// The number of the tenant on screen.
    #[must_use]
    pub fn tenant_id(&self) -> Option<TenantId> {
        match &self.screen {
            Screen::Main(main) => Some(main.tenant.id),
            Screen::Welcome(_) | Screen::SignIn(_) => None,
        }
    }

    /// What is known of the tenant on screen.
    #[must_use]
    pub fn profile(&self) -> Option<&Profile> {
        match &self.screen {
            Screen::Main(main) => Some(&main.tenant.which.profile),
            Screen::Welcome(_) | Screen::SignIn(_) => None,
        }
    }

    /// Whether the tenant on screen is the pretend one in this process.
    #[must_use]
    pub fn screen_is_demo(&self) -> bool {
        matches!(&self.screen, Screen::Main(main) if main.tenant.demo())
    }

    /// The time of day: seconds since 1970.
    #[must_use]
    pub fn wall(&self) -> i64 {
        self.epoch + i64::try_from(self.now.0 / 1000).unwrap_or_default()
    }

    /// How many seconds the token on screen still lives, where no other can be had when it expires.
    #[must_use]
    pub fn token_left(&self) -> Option<i64> {
        let Screen::Main(main) = &self.screen else { return None };
        match &main.tenant.session {
            Some(Ok(session)) if !session.renews && self.epoch > 0 => Some(session.expires_at? - self.wall()),
            _ => None,
        }
    }

    /// The job with this number.
    #[must_use]
    pub fn job(&self, id: JobId) -> Option<&Job> {
        self.jobs.get(id.0)
    }

    /// The job with this number, to change.
    pub fn job_mut(&mut self, id: JobId) -> Option<&mut Job> {
        self.jobs.get_mut(id.0)
    }

    /// Jobs under way.
    pub fn running(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter().filter(|job| job.runs())
    }

    /// Where the parts of the main screen stand.
    #[must_use]
    pub fn geometry(&self) -> Option<Geometry> {
        let pane_open = matches!(&self.screen, Screen::Main(main) if main.pane.is_some());
        Geometry::of(self.size, pane_open)
    }

    /// When keys that are in memory are forgotten; `None`: there are none, or not before what is under way has ended.
    #[must_use]
    pub fn lock_at(&self) -> Option<Moment> {
        let minutes = u64::from(self.records.arrangements.lock_after_minutes);
        let at = self.touched.after(Duration::from_secs(minutes * 60));
        (self.unsealed && minutes > 0 && self.running().next().is_none()).then_some(at)
    }

    /// The job that made a secret live which could be stored nowhere, as long as nobody has taken care of it.
    #[must_use]
    pub fn unsaved(&self) -> Option<&Job> {
        self.jobs.iter().find(|job| job.unsaved().is_some())
    }

    /// Which picture of a spinner is due.
    #[must_use]
    pub fn spin(&self) -> usize {
        usize::try_from(self.now.0 / 125).unwrap_or_default()
    }

    /// When something on the screen changes by itself; `None`: not before the next event. The runner sleeps
    /// until then, so a screen on which nothing moves costs nothing.
    #[must_use]
    pub fn next_wake(&self) -> Option<Moment> {
        let mut due = Vec::new();
        let next_second = |until: Moment| {
            let left = until.0.saturating_sub(self.now.0);
            Moment(self.now.0 + if left.is_multiple_of(1000) { left.min(1000) } else { left % 1000 })
        };
        due.extend(self.notice.as_ref().map(|notice| notice.until));
        due.extend(self.clipboard.as_ref().map(|held| held.clears_at));
        due.extend(self.paced_until.map(next_second));
        if let Some(Overlay::Question(question)) = &self.overlay
            && !question.listens(self.now)
        {
            due.push(question.asked.after(DEAF_FOR));
        }
        if let Some(left) = self.token_left().filter(|left| *left > 0) {
            // Minutes, as long as there are some; seconds, when they are few.
            let step = if left > 300 { (left - 300).min(left % 60 + 1) } else { 1 };
            due.push(self.now.after(Duration::from_secs(step.unsigned_abs())));
        }
        if let Screen::SignIn(sign_in) = &self.screen
            && matches!(sign_in.step, Step::Trying(_) | Step::Storing(..))
        {
            due.push(self.now.after(SPIN));
        }
        if matches!(&self.overlay, Some(Overlay::Doctor(doctor)) if doctor.report.is_none()) {
            due.push(self.now.after(SPIN));
        }
        if matches!(&self.overlay, Some(Overlay::AskSecret(ask)) if ask.trying) {
            due.push(self.now.after(SPIN));
        }
        if let Screen::Main(main) = &self.screen {
            if let Some(pane) = &main.pane {
                due.extend(pane.revealed_until().map(next_second));
                due.extend(pane.pending_until().map(next_second));
            }
            if (main.clients.is_loading() && main.tenant.closed.is_none())
                || main.pane.as_ref().is_some_and(super::screen::pane::Pane::is_waiting)
            {
                due.push(self.now.after(SPIN));
            }
        }
        if self.running().next().is_some() {
            due.push(self.now.after(SPIN));
        }
        if matches!(&self.overlay, Some(Overlay::TargetForm(form)) if form.writing) {
            due.push(self.now.after(SPIN));
        }
        due.extend(self.records.next_look.filter(|_| !self.records.looking));
        due.extend(self.lock_at());
        due.extend(self.jobs.iter().filter_map(|job| job.revealed_until).map(next_second));
        due.into_iter().min()
    }
}
