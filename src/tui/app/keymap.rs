//! The one table of bindings. Dispatch, footer, help screen, palette and `docs/keys.md` all read it.
use std::fmt::Write as _;

use super::action::Action;
use super::key::{Code, Key};
use super::offer::{concern, offer};
use super::screen::pane::{Pane, PendingView, SecretView};
use super::screen::{Focus, Main, Overlay, Screen};
use super::state::State;
use crate::domain::client::not_rotatable;
use crate::domain::{Ability, Role, Rollover, Untrusted};

/// Where keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The first screen.
    Welcome,
    /// The table of clients.
    Table,
    /// The filter's line of text.
    Filter,
    /// The settings.
    Pane,
    /// Which way a secret is changed.
    Way,
    /// The question before a change, answered with one key.
    Question,
    /// The question before a change on production, answered by typing.
    TypedQuestion,
    /// One job: a rotation, or another change.
    Job,
    /// All rollovers.
    Rollovers,
    /// One rollover.
    Record,
    /// A secret that could be stored nowhere.
    Unsaved,
    /// The targets of a client.
    Targets,
    /// A field of the form of a target.
    TargetText,
    /// A field there with words to choose from.
    TargetChoice,
    /// How an app is taught to try a fallback.
    Guide,
    /// The keys.
    Help,
    /// Every action by name.
    Palette,
    /// Going to another tenant.
    Tenants,
    /// A secret that is needed to open a tenant.
    AskSecret,
    /// A field of the form that connects a tenant.
    FormText,
    /// A field there with words to choose from.
    FormChoice,
    /// Signing in for the first time, or storing what came of it.
    SigningIn,
    /// What works here and what does not.
    Doctor,
    /// Quit while something is under way?
    QuitQuestion,
}

impl Place {
    /// All of them, in the order of the help screen.
    pub const ALL: [Self; 24] = [
        Self::Table,
        Self::Filter,
        Self::Pane,
        Self::Way,
        Self::Question,
        Self::TypedQuestion,
        Self::Job,
        Self::Rollovers,
        Self::Record,
        Self::Targets,
        Self::TargetText,
        Self::TargetChoice,
        Self::Unsaved,
        Self::Palette,
        Self::Help,
        Self::Guide,
        Self::Tenants,
        Self::Doctor,
        Self::AskSecret,
        Self::QuitQuestion,
        Self::Welcome,
        Self::FormText,
        Self::FormChoice,
        Self::SigningIn,
    ];

    /// Its heading on the help screen.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Welcome => "First screen",
            Self::Table => "Clients",
            Self::Filter => "While typing a filter",
            Self::Pane => "Settings of a client",
            Self::Way => "Which way a secret is changed",
            Self::Question => "Question before a change",
            Self::TypedQuestion => "Question before a change on production",
            Self::Job => "A change under way, and what came of it",
            Self::Rollovers => "All rollovers",
            Self::Record => "One rollover",
            Self::Unsaved => "A secret that could be stored nowhere",
            Self::Targets => "Targets of a client",
            Self::TargetText => "A target",
            Self::TargetChoice => "A target: a choice",
            Self::Guide => "How an app tries a fallback",
            Self::Help => "This help",
            Self::Palette => "Command palette",
            Self::Tenants => "Going to another tenant",
            Self::Doctor => "What works here",
            Self::AskSecret => "While typing a passphrase or a credential",
            Self::FormText => "Connecting a tenant",
            Self::FormChoice => "Connecting a tenant: a choice",
            Self::SigningIn => "While signing in",
            Self::QuitQuestion => "Quitting while something is under way",
        }
    }

    /// Whether characters go into a line of text here.
    #[must_use]
    pub fn takes_text(self) -> bool {
        matches!(
            self,
            Self::Filter
                | Self::TypedQuestion
                | Self::Palette
                | Self::Tenants
                | Self::AskSecret
                | Self::FormText
                | Self::TargetText
        )
    }
}

/// One action and its keys in some places.
#[derive(Debug, PartialEq, Eq)]
pub struct Binding {
    /// What it does.
    pub action: Action,
    /// The keys; the first is the one that is shown.
    pub keys: &'static [Key],
    /// Where they work.
    pub places: &'static [Place],
    /// A word or two for the footer.
    pub short: &'static str,
    /// A sentence for help and palette.
    pub help: &'static str,
    /// Place in the footer: the lower, the longer it stays on a narrow screen; 0: not there.
    pub footer: u8,
}

impl Binding {
    /// Whether it works in every place.
    #[must_use]
    pub fn everywhere(&self) -> bool {
        self.places.len() == Place::ALL.len()
    }
}

const fn plain(code: Code) -> Key {
    Key::plain(code)
}
const fn ch(character: char) -> Key {
    Key::char(character)
}
const fn ctrl(character: char) -> Key {
    Key::ctrl(character)
}

use Place as P;

const LISTS: &[Place] = &[P::Table, P::Rollovers, P::Targets, P::Way, P::Welcome];
const TEXTS: &[Place] = &[P::Pane, P::Help, P::Guide, P::Record, P::Doctor];
const PAGES: &[Place] = &[P::Table, P::Pane, P::Help, P::Guide, P::Record, P::Doctor];
const CALM: &[Place] = &[P::Table, P::Pane, P::Job, P::Rollovers, P::Record, P::Welcome];
/// Where a rollover is in the foreground.
const ROLLOVER: &[Place] = &[P::Pane, P::Job, P::Rollovers, P::Record];
const CONFLICT: &[Place] = &[P::Job, P::Record];
const FORMS: &[Place] = &[P::FormText, P::FormChoice, P::TargetText, P::TargetChoice];

/// The table.
#[rustfmt::skip]
pub const BINDINGS: &[Binding] = &[
    // Clients.
    Binding { action: Action::Open, keys: &[plain(Code::Enter), plain(Code::Right), ch('l')], places: &[P::Table], short: "open", help: "Open the settings of the selected client", footer: 1 },
    Binding { action: Action::Filter, keys: &[ch('/')], places: &[P::Table], short: "filter", help: "Filter by name, client id or type", footer: 2 },
    Binding { action: Action::Sort, keys: &[ch('s')], places: &[P::Table], short: "sort", help: "Sort by name, type, authentication or party", footer: 4 },
    Binding { action: Action::Reload, keys: &[ctrl('r')], places: &[P::Table, P::Pane], short: "reload", help: "Load again from Auth0", footer: 6 },
    // The filter.
    Binding { action: Action::KeepFilter, keys: &[plain(Code::Enter), plain(Code::Tab)], places: &[P::Filter], short: "to the list", help: "Go to the list and keep the filter", footer: 1 },
    // Settings.
    Binding { action: Action::SaveChanges, keys: &[ctrl('s')], places: ROLLOVER, short: "Save Changes", help: "Make the pending secret live; asks first", footer: 1 },
    Binding { action: Action::Retire, keys: &[ch('x')], places: ROLLOVER, short: "retire", help: "Drop the old secret; asks first", footer: 1 },
    Binding { action: Action::Resume, keys: &[ch('R')], places: ROLLOVER, short: "resume", help: "Go on with what was left, settle what is in doubt", footer: 1 },
    Binding { action: Action::NewSecret, keys: &[ch('n')], places: ROLLOVER, short: "new secret", help: "Stage a new secret; deliver it as the fallback", footer: 1 },
    Binding { action: Action::TakeBack, keys: &[ch('z')], places: ROLLOVER, short: "take back", help: "Go back to the old secret, or give up; asks first", footer: 2 },
    Binding { action: Action::KeepTheirs, keys: &[ch('t')], places: CONFLICT, short: "keep theirs", help: "In a conflict: keep their secret; asks first", footer: 1 },
    Binding { action: Action::SetOurs, keys: &[ch('s')], places: CONFLICT, short: "set ours", help: "In a conflict: make ours live; asks first", footer: 1 },
    Binding { action: Action::Abandon, keys: &[ch('A')], places: CONFLICT, short: "give up", help: "Give it up, leave everything as it is; asks first", footer: 3 },
    Binding { action: Action::Rotate, keys: &[ch('r')], places: &[P::Pane], short: "rotate", help: "Change the client secret; asks which way", footer: 1 },
    Binding { action: Action::Reveal, keys: &[ch('v'), plain(Code::Enter), ch(' ')], places: &[P::Pane], short: "reveal/hide", help: "Reveal the client secret, or hide it", footer: 2 },
    Binding { action: Action::Reveal, keys: &[ch('v')], places: &[P::Job, P::Unsaved], short: "reveal/hide", help: "Reveal the new client secret, or hide it", footer: 2 },
    Binding { action: Action::CopySecret, keys: &[ch('c')], places: &[P::Pane, P::Job, P::Unsaved], short: "copy secret", help: "Copy the client secret without showing it", footer: 2 },
    Binding { action: Action::RevealPending, keys: &[ch('V')], places: &[P::Pane], short: "reveal pending", help: "Reveal the pending secret, or hide it", footer: 7 },
    Binding { action: Action::CopyPending, keys: &[ch('C')], places: &[P::Pane], short: "copy pending", help: "Copy the pending secret without showing it", footer: 6 },
    Binding { action: Action::CopyId, keys: &[ch('i')], places: &[P::Pane], short: "copy id", help: "Copy the client id", footer: 6 },
    Binding { action: Action::CopyEnv, keys: &[ch('e')], places: &[P::Pane, P::Job], short: "copy .env", help: "Copy id and secret as lines of an .env file", footer: 6 },
    Binding { action: Action::CopyCurl, keys: &[ch('u')], places: &[P::Pane], short: "copy curl", help: "Copy the curl command that rotates this secret", footer: 7 },
    Binding { action: Action::Targets, keys: &[ch('a')], places: &[P::Pane], short: "targets", help: "Where the apps read this secret: add, change", footer: 6 },
    Binding { action: Action::CheckTargets, keys: &[ch('w')], places: &[P::Pane], short: "check targets", help: "Look what the targets hold; reads the live secret", footer: 7 },
    Binding { action: Action::NextClient, keys: &[ch(']'), ch('J')], places: &[P::Pane], short: "next", help: "Open the next client of the list", footer: 8 },
    Binding { action: Action::PreviousClient, keys: &[ch('['), ch('K')], places: &[P::Pane], short: "previous", help: "Open the previous client of the list", footer: 8 },
    Binding { action: Action::SwitchFocus, keys: &[plain(Code::Tab), plain(Code::BackTab)], places: &[P::Table, P::Pane], short: "switch", help: "Move between the table and the settings", footer: 7 },
    // Questions.
    Binding { action: Action::Open, keys: &[plain(Code::Enter)], places: &[P::Way], short: "this way", help: "Go the selected way", footer: 1 },
    Binding { action: Action::NewSecret, keys: &[ch('z')], places: &[P::Way], short: "zero downtime", help: "Zero downtime: the apps get the new secret first", footer: 2 },
    Binding { action: Action::Rotate, keys: &[ch('r')], places: &[P::Way], short: "now", help: "Now: Auth0 chooses, the old one dies; asks first", footer: 2 },
    Binding { action: Action::Yes, keys: &[ch('y')], places: &[P::Question], short: "yes", help: "Do what is asked", footer: 1 },
    Binding { action: Action::Yes, keys: &[plain(Code::Enter)], places: &[P::TypedQuestion], short: "yes, once the name is typed", help: "Do what is asked, once the name is typed", footer: 1 },
    Binding { action: Action::No, keys: &[ch('n'), plain(Code::Esc)], places: &[P::Question, P::QuitQuestion], short: "no", help: "Leave everything as it is", footer: 2 },
    Binding { action: Action::No, keys: &[plain(Code::Esc)], places: &[P::TypedQuestion], short: "no", help: "Leave everything as it is", footer: 2 },
    Binding { action: Action::Yes, keys: &[ch('y')], places: &[P::QuitQuestion], short: "quit all the same", help: "Quit all the same", footer: 1 },
    // Rollovers.
    Binding { action: Action::Open, keys: &[plain(Code::Enter)], places: &[P::Rollovers], short: "open", help: "Show the selected rollover", footer: 1 },
    Binding { action: Action::KeptByHand, keys: &[ch('K')], places: &[P::Unsaved], short: "I have kept it", help: "Go on: the secret is kept elsewhere now", footer: 1 },
    // Targets.
    Binding { action: Action::Open, keys: &[plain(Code::Enter)], places: &[P::Targets], short: "open", help: "Change the selected target, or add one", footer: 1 },
    Binding { action: Action::RemoveTarget, keys: &[ctrl('x')], places: &[P::TargetText, P::TargetChoice], short: "remove", help: "Take this target out of config.toml", footer: 3 },
    Binding { action: Action::Open, keys: &[plain(Code::Enter)], places: &[P::Palette], short: "do it", help: "Do the selected action", footer: 1 },
    // The first screen, tenants, signing in.
    Binding { action: Action::Open, keys: &[plain(Code::Enter)], places: &[P::Welcome], short: "choose", help: "Do what the selected line says", footer: 1 },
    Binding { action: Action::StartDemo, keys: &[ch('d')], places: &[P::Welcome], short: "demo", help: "Try the demo on a pretend tenant", footer: 2 },
    Binding { action: Action::Open, keys: &[plain(Code::Enter)], places: &[P::Tenants], short: "open", help: "Open the selected tenant", footer: 1 },
    Binding { action: Action::UseByDefault, keys: &[plain(Code::Tab)], places: &[P::Tenants], short: "open by default", help: "Open the selected tenant by default from now on", footer: 4 },
    Binding { action: Action::Submit, keys: &[plain(Code::Enter)], places: &[P::FormText, P::FormChoice, P::TargetText, P::TargetChoice, P::AskSecret], short: "go on", help: "Go on, or to the next empty field", footer: 1 },
    Binding { action: Action::NextField, keys: &[plain(Code::Tab), plain(Code::Down)], places: FORMS, short: "next", help: "Next field", footer: 2 },
    Binding { action: Action::PreviousField, keys: &[plain(Code::BackTab), plain(Code::Up)], places: FORMS, short: "previous", help: "Previous field", footer: 4 },
    Binding { action: Action::NextValue, keys: &[plain(Code::Right), ch(' '), ch('l')], places: &[P::FormChoice, P::TargetChoice], short: "change", help: "Next word", footer: 2 },
    Binding { action: Action::PreviousValue, keys: &[plain(Code::Left), ch('h')], places: &[P::FormChoice, P::TargetChoice], short: "change back", help: "Previous word", footer: 5 },
    // Moving.
    Binding { action: Action::Up, keys: &[plain(Code::Up), ch('k')], places: LISTS, short: "up", help: "One line up", footer: 0 },
    Binding { action: Action::Down, keys: &[plain(Code::Down), ch('j')], places: LISTS, short: "down", help: "One line down", footer: 0 },
    Binding { action: Action::Up, keys: &[plain(Code::Up), ch('k')], places: TEXTS, short: "scroll up", help: "Scroll one line up", footer: 0 },
    Binding { action: Action::Down, keys: &[plain(Code::Down), ch('j')], places: TEXTS, short: "scroll down", help: "Scroll one line down", footer: 0 },
    Binding { action: Action::Up, keys: &[plain(Code::Up), ctrl('p')], places: &[P::Filter, P::Palette, P::Tenants], short: "up", help: "One line up", footer: 0 },
    Binding { action: Action::Down, keys: &[plain(Code::Down), ctrl('n')], places: &[P::Filter, P::Palette, P::Tenants], short: "down", help: "One line down", footer: 0 },
    Binding { action: Action::PageUp, keys: &[plain(Code::PageUp), ctrl('b')], places: PAGES, short: "page up", help: "One page up", footer: 0 },
    Binding { action: Action::PageDown, keys: &[plain(Code::PageDown), ctrl('f')], places: PAGES, short: "page down", help: "One page down", footer: 0 },
    Binding { action: Action::PageUp, keys: &[plain(Code::PageUp)], places: &[P::Filter], short: "page up", help: "One page up", footer: 0 },
    Binding { action: Action::PageDown, keys: &[plain(Code::PageDown)], places: &[P::Filter], short: "page down", help: "One page down", footer: 0 },
    Binding { action: Action::First, keys: &[ch('g'), plain(Code::Home)], places: PAGES, short: "first", help: "To the top", footer: 0 },
    Binding { action: Action::Last, keys: &[ch('G'), plain(Code::End)], places: PAGES, short: "last", help: "To the end", footer: 0 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc), plain(Code::Left), ch('h')], places: &[P::Pane], short: "close", help: "Close the settings", footer: 3 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc)], places: &[P::Table], short: "clear filter", help: "Clear the filter, or close the settings", footer: 3 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc)], places: &[P::Filter], short: "clear", help: "Clear the filter and go back to the list", footer: 3 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc), plain(Code::Enter)], places: &[P::Job], short: "back", help: "Go back; what is under way goes on", footer: 3 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc), ch('o')], places: &[P::Rollovers], short: "back", help: "Go back", footer: 3 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc), plain(Code::Enter)], places: &[P::Record], short: "back", help: "Go back", footer: 4 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc), ch('a')], places: &[P::Targets], short: "back", help: "Go back", footer: 3 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc)], places: &[P::Way], short: "back", help: "Leave everything as it is", footer: 3 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc), ch('f')], places: &[P::Guide], short: "back", help: "Go back", footer: 1 },
    Binding { action: Action::Guide, keys: &[ch('f')], places: &[P::Help], short: "fallback", help: "How an app is taught to try a fallback", footer: 2 },
    Binding { action: Action::Doctor, keys: &[ctrl('r')], places: &[P::Doctor], short: "look again", help: "Look again", footer: 2 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc), ch('D')], places: &[P::Doctor], short: "back", help: "Go back", footer: 1 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc), ch('?')], places: &[P::Help], short: "back", help: "Go back", footer: 1 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc)], places: &[P::Palette], short: "back", help: "Go back", footer: 2 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc)], places: &[P::Tenants, P::AskSecret, P::FormText, P::FormChoice, P::TargetText, P::TargetChoice, P::Welcome], short: "back", help: "Go back", footer: 3 },
    Binding { action: Action::Back, keys: &[plain(Code::Esc)], places: &[P::SigningIn], short: "stop", help: "Stop, and go back to what was filled in", footer: 1 },
    // Everywhere.
    Binding { action: Action::Tenants, keys: &[ch('t')], places: &[P::Table, P::Pane], short: "tenant", help: "Go to another tenant", footer: 6 },
    Binding { action: Action::Rollovers, keys: &[ch('o')], places: &[P::Table, P::Pane], short: "rollovers", help: "Show all rollovers, the unfinished first", footer: 3 },
    Binding { action: Action::ConnectTenant, keys: &[ch('T')], places: &[P::Table, P::Pane], short: "connect", help: "Connect another tenant", footer: 0 },
    Binding { action: Action::Doctor, keys: &[ch('D')], places: &[P::Table, P::Pane, P::Welcome], short: "what works", help: "See what works here, and how to mend the rest", footer: 9 },
    Binding { action: Action::Help, keys: &[ch('?'), plain(Code::Function(1))], places: CALM, short: "help", help: "Show all keys", footer: 5 },
    Binding { action: Action::Palette, keys: &[ch(':')], places: CALM, short: "commands", help: "Find an action by name", footer: 9 },
    Binding { action: Action::ToggleMouse, keys: &[ch('m')], places: CALM, short: "mouse", help: "Turn the mouse off (to select text with it), or on", footer: 0 },
    Binding { action: Action::Quit, keys: &[ch('q')], places: &[P::Table, P::Pane, P::Job, P::Rollovers, P::Record, P::Unsaved, P::Help, P::Guide, P::Doctor, P::Welcome], short: "quit", help: "Quit; asks while something is under way", footer: 5 },
    Binding { action: Action::Suspend, keys: &[ctrl('z')], places: &Place::ALL, short: "suspend", help: "Suspend to the shell; `fg` comes back", footer: 0 },
    Binding { action: Action::Interrupt, keys: &[ctrl('c')], places: &Place::ALL, short: "end", help: "Quit at once; asks once while something is under way", footer: 0 },
];

/// The bindings of a place, in the order of the table.
pub fn at(place: Place) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| binding.places.contains(&place))
}

/// What `key` asks for at `place`.
#[must_use]
pub fn lookup(place: Place, key: Key) -> Option<Action> {
    at(place).find(|binding| binding.keys.contains(&key)).map(|binding| binding.action)
}

/// The key that is shown for an action at a place.
#[must_use]
pub fn key_of(place: Place, action: Action) -> Option<Key> {
    at(place).find(|binding| binding.action == action).and_then(|binding| binding.keys.first().copied())
}

/// Whether an action can be taken now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// Yes.
    Ready,
    /// It belongs here but cannot work; the text says why, and what would help.
    Blocked(String),
    /// There is nothing for it to act on.
    Absent,
}

fn ready_if(condition: bool) -> Availability {
    if condition { Availability::Ready } else { Availability::Absent }
}

/// Whether `action` can be taken in this state.
#[must_use]
pub fn availability(state: &State, action: Action) -> Availability {
    use Availability as A;
    if super::offer::NEXT.contains(&action)
        && !matches!(&state.overlay, Some(Overlay::Palette(_) | Overlay::Question(_)))
    {
        return offer(state, action);
    }
    match (&state.overlay, action) {
        (Some(Overlay::Job(id)), Action::Reveal | Action::CopySecret | Action::CopyEnv) => {
            ready_if(state.job(*id).is_some_and(|job| job.live.is_some()))
        }
        (Some(Overlay::Rollovers(_)), Action::Open) => ready_if(concern(state).is_some()),
        (Some(Overlay::TargetForm(form)), Action::Submit) => ready_if(!form.writing),
        (Some(Overlay::TargetForm(form)), Action::RemoveTarget) => ready_if(!form.writing && form.before.is_some()),
        (Some(Overlay::Question(question)), Action::Yes | Action::No) => ready_if(question.listens(state.now)),
        (Some(Overlay::AskSecret(ask)), Action::Submit) => ready_if(!ask.trying),
        (Some(_), _) => A::Ready,
        (None, _) => availability_below(state, action),
    }
}

/// The same for the screen alone, whatever lies over it: for the palette, and for drawing what shines through.
#[must_use]
pub fn availability_below(state: &State, action: Action) -> Availability {
    use Availability as A;
    let main = match &state.screen {
        Screen::Main(main) => main,
        Screen::Welcome(welcome) if action == Action::StartDemo => return ready_if(!welcome.starting),
        Screen::Welcome(welcome) if action == Action::Back => return ready_if(welcome.back.is_some()),
        // What is being written is written: there is nothing to stop.
        Screen::SignIn(sign_in) if action == Action::Back => {
            return ready_if(!matches!(sign_in.step, super::screen::sign_in::Step::Storing(..)));
        }
        Screen::Welcome(_) | Screen::SignIn(_) => return A::Ready,
    };
    match action {
        Action::Open => ready_if(!main.clients.is_empty()),
        Action::Filter | Action::Sort => ready_if(!main.clients.catalog.is_empty()),
        Action::SwitchFocus => ready_if(
            main.pane.is_some() && state.geometry().is_some_and(|parts| parts.table.is_some() && parts.pane.is_some()),
        ),
        Action::Back if main.focus == Focus::Table => {
            ready_if(!main.clients.filter.value().is_empty() || main.pane.is_some())
        }
        Action::Rollovers => {
            ready_if(!state.jobs.is_empty() || state.records.of(main.tenant.domain()).next().is_some())
        }
        Action::Rotate
        | Action::NewSecret
        | Action::SaveChanges
        | Action::TakeBack
        | Action::Retire
        | Action::Resume
        | Action::KeepTheirs
        | Action::SetOurs
        | Action::Abandon => below(state, action),
        Action::RevealPending | Action::CopyPending => {
            let shown = main.pane.as_ref().is_some_and(|pane| matches!(pane.pending, PendingView::Shown { .. }));
            ready_if(shown || pending_of(state, main).is_some())
        }
        Action::Targets if main.pane.is_some() && main.tenant.which.demo => {
            A::Blocked("The demo has targets of its own, which cannot be changed.".to_owned())
        }
        Action::Targets => ready_if(main.pane.is_some()),
        Action::CheckTargets => {
            ready_if(main.pane.as_ref().is_some_and(|pane| !state.records.targets(&pane.client_id).is_empty()))
        }
        Action::Reveal => match &main.pane {
            Some(pane) if matches!(pane.secret, SecretView::Shown { .. }) => A::Ready,
            Some(pane) => readable(state, main, pane),
            None => A::Absent,
        },
        Action::CopySecret | Action::CopyEnv => match &main.pane {
            Some(pane) => readable(state, main, pane),
            None => A::Absent,
        },
        Action::CopyId | Action::CopyCurl | Action::NextClient | Action::PreviousClient => {
            ready_if(main.pane.is_some())
        }
        _ => A::Ready,
    }
}

/// The same whatever lies over the screen: there it is about the client whose settings are open.
fn below(state: &State, action: Action) -> Availability {
    if state.overlay.is_none() || matches!(state.overlay, Some(Overlay::Palette(_))) {
        return offer(state, action);
    }
    // What shines through is drawn as it will be once nothing lies over it.
    match &state.screen {
        Screen::Main(main) if main.pane.is_some() => super::offer::offer_in_pane(state, main, action),
        _ => Availability::Absent,
    }
}

/// The rollover of the client whose settings are open, where its pending secret is sealed in the ledger.
#[must_use]
pub fn pending_of<'a>(state: &'a State, main: &'a Main) -> Option<&'a Rollover> {
    let pane = main.pane.as_ref()?;
    let row = state.records.latest(main.tenant.domain(), &pane.client_id)?;
    (!row.state.is_final() && !row.state.is_live() && row.holds(Role::New)).then_some(row)
}

/// The secret that a job of this run made live for this client, and that no later one replaced.
#[must_use]
pub fn known_secret<'a>(state: &'a State, client_id: &str) -> Option<&'a std::sync::Arc<crate::domain::Secret>> {
    job_of(state, client_id).and_then(|job| job.live.as_ref())
}

/// The latest job of this run on a client of the tenant on screen.
#[must_use]
pub fn job_of<'a>(state: &'a State, client_id: &str) -> Option<&'a super::job::Job> {
    let Screen::Main(main) = &state.screen else { return None };
    state.jobs.iter().rev().find(|job| job.is_of(main.tenant.domain(), client_id))
}

fn readable(state: &State, main: &Main, pane: &Pane) -> Availability {
    if let Some(client) = pane.client()
        && let Some(reason) = not_rotatable(&client.summary.auth)
    {
        return Availability::Blocked(format!("This client has no secret to show: {reason}."));
    }
    match main.tenant.scopes().read_secrets() {
        Ability::No { missing } if known_secret(state, &pane.client_id).is_none() => {
            Availability::Blocked(format!("The token lacks {missing}: secrets cannot be read with it."))
        }
        _ => Availability::Ready,
    }
}

/// `docs/keys.md`, made from the table.
#[must_use]
pub fn document() -> String {
    let mut text = String::from(
        "# Keys\n\nMade from the table in `src/tui/app/keymap.rs`; a test fails when this page is stale.\n\n\
         In lines of text the usual editing keys work too: Ctrl-A, Ctrl-E, Ctrl-W, Ctrl-U, Ctrl-K, Home, End, arrows.\n",
    );
    let mut section = |title: &str, bindings: &mut dyn Iterator<Item = &Binding>| {
        let _ = write!(text, "\n## {title}\n\n| key | does |\n|---|---|\n");
        for binding in bindings {
            let keys: Vec<_> = binding.keys.iter().map(|key| format!("`{key}`")).collect();
            let _ = writeln!(text, "| {} | {} |", keys.join(" "), binding.help);
        }
    };
    for place in Place::ALL {
        section(place.title(), &mut at(place).filter(|binding| !binding.everywhere()));
    }
    section("Everywhere", &mut BINDINGS.iter().filter(|binding| binding.everywhere()));
    text.push_str(
        "\n## Mouse\n\n| click on | does |\n|---|---|\n\
         | a client's name or its gear | opens its settings |\n\
         | another part of its line | selects it |\n\
         | `[ ] Reveal client secret` | reveals and hides the secret |\n\
         | `⟳` beside the secret | rotates it; asks first |\n\
         | a key in the footer | does what the key does |\n\
         | outside of a window | closes it, where that changes nothing |\n\n\
         The wheel scrolls what it is over. `m` turns the mouse off, so that the terminal selects text again; \
         `mouse = false` in `config.toml` starts that way.\n",
    );
    text
}

/// The name of a client as a question or a notice says it.
#[must_use]
pub fn named(name: &Untrusted, client_id: &str) -> String {
    if name.raw().trim().is_empty() {
        crate::domain::untrusted::shown(client_id).into_owned()
    } else {
        name.shown().into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn no_key_means_two_things_in_one_place() {
        for place in Place::ALL {
            let mut seen: HashMap<Key, Action> = HashMap::new();
            for binding in at(place) {
                for key in binding.keys {
                    let before = seen.insert(*key, binding.action);
                    assert!(before.is_none(), "{key} at {place:?}: {before:?} and {:?}", binding.action);
                }
            }
        }
    }

    #[test]
    fn every_place_can_be_left_and_every_binding_is_whole() {
        for place in Place::ALL {
            assert_eq!(lookup(place, Key::ctrl('c')), Some(Action::Interrupt), "{place:?}");
        }
        for binding in BINDINGS {
            assert!(!binding.keys.is_empty() && !binding.places.is_empty(), "{binding:?}");
            assert!(!binding.short.is_empty() && !binding.help.is_empty(), "{binding:?}");
        }
    }

    #[test]
    fn letters_are_free_where_text_is_typed() {
        for place in Place::ALL.into_iter().filter(|place| place.takes_text()) {
            for letter in ('!'..='~').chain([' ']) {
                assert_eq!(lookup(place, Key::char(letter)), None, "{letter} at {place:?}");
            }
        }
    }
}
