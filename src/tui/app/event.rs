use std::sync::Arc;
use std::time::Duration;

use super::Key;
use super::action::Action;
use super::job::JobId;
use super::records::{Arrangements, LedgerRead};
use super::screen::ask_secret::KeyNeed;
use super::screen::sign_in::Tried;
use super::screen::switcher::Known;
use super::state::{TenantId, Ticket};
use crate::auth0::{Error, Page, SecretRead, Session};
use crate::domain::preflight::Report;
use crate::domain::rotation::Progress;
use crate::domain::target::Holding;
use crate::domain::{Client, OpenFailure, Secret, Surroundings};
use crate::ledger::LedgerError;
use crate::rollover::Ended;

/// A moment: milliseconds since the program started, by the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment `wait` later.
    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
    }

    /// Whole seconds from `now` until this moment, rounded up: what a countdown shows.
    #[must_use]
    pub fn seconds_from(self, now: Self) -> u64 {
        self.0.saturating_sub(now.0).div_ceil(1000)
    }

    /// Time since `earlier`.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }
}

/// Something on the screen that can be pointed at. The view knows where each one stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// A line of the table, by its client's index in the catalog: the list may be sorted anew between the frame that was
    /// clicked and the click.
    Row(usize),
    /// A client's name or gear in the table, by the same index: opens it.
    OpenRow(usize),
    /// The settings pane.
    Pane,
    /// The body of an overlay.
    Overlay,
    /// A line in an overlay's list.
    Choice(usize),
    /// A target's line in the settings, by its position.
    TargetLine(usize),
    /// A button, a box or a key in the footer: does what the action does.
    Button(Action),
    /// Outside of the overlay that is open.
    Outside,
}

/// Which texts can be copied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyKind {
    /// The client secret.
    Secret,
    /// The pending secret of a rollover.
    Pending,
    /// The client id.
    ClientId,
    /// Lines for an `.env` file, with the secret.
    Env,
    /// A `curl` command, without any secret.
    Curl,
}

/// What the clipboard layer said of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyReport {
    /// Which way it went, such as `clipboard` or `terminal (OSC 52)`.
    pub route: String,
    /// When it is cleared.
    pub clears_after: Option<Duration>,
    /// What a person should know of that way.
    pub notice: Option<String>,
}

/// Why a pending secret could not be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PendingTrouble {
    /// A key is needed; why.
    Needs(KeyNeed, String),
    /// It could not be had. Safe to print.
    Failed(String),
}

/// What a look at a target found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The target's name.
    pub name: String,
    /// What it holds, or why that cannot be told. Safe to print.
    pub holding: Result<Holding, String>,
    /// What is worth knowing of it. Safe to print.
    pub warnings: Vec<String>,
}

/// What happened. Replies carry the ticket of the request they answer.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted.
    Pasted(String),
    /// Something was clicked.
    Clicked(Target),
    /// The wheel was turned over something, this many notches down (negative: up).
    Scrolled(Target, i16),
    /// The terminal has a new size.
    Resized(u16, u16),
    /// The terminal lost the focus.
    FocusLost,
    /// The terminal got the focus.
    FocusGained,
    /// The moment that the state asked to be woken at has come.
    Woke,
    /// The program was stopped and goes on.
    Resumed,
    /// The demo tenant runs, or could not be started.
    DemoStarted(Result<String, String>),
    /// A tenant can be talked to, or its credentials cannot be had.
    Opened(TenantId, Result<(), OpenFailure>),
    /// The sealed credentials were opened, or the passphrase was wrong.
    Unlocked(TenantId, Result<(), String>),
    /// What is configured, and what this machine offers; or what is wrong with the configuration.
    Surveyed(Box<Surroundings>, Result<Vec<Known>, String>),
    /// Signing in for the first time worked, or not.
    Tried(Ticket, Box<Result<Tried, OpenFailure>>),
    /// A tenant was stored, or could not be.
    Stored(Ticket, Result<(), String>),
    /// It is known what works here and what does not.
    Examined(Ticket, Box<Report>),
    /// A tenant is opened by default from now on, or that could not be written.
    UsedByDefault(String, Result<(), String>),
    /// It is known what the token may do.
    Connected(Ticket, Result<Session, Error>),
    /// Clients arrived.
    PageArrived(Ticket, Page),
    /// All clients have arrived, or loading failed.
    ClientsLoaded(Ticket, Result<(), Error>),
    /// A client's settings arrived.
    ClientLoaded(Ticket, Box<Result<Client, Error>>),
    /// A secret was read.
    SecretArrived(Ticket, Result<SecretRead, Error>),
    /// The catalog was searched.
    Matched(Ticket, Arc<[u32]>),
    /// The catalog was sorted.
    Sorted(Ticket, Arc<[u32]>),
    /// It is known what the ledger knows; `None`: nothing has changed there.
    LedgerRead(TenantId, Result<Option<LedgerRead>, LedgerError>),
    /// It is known what the configuration says of rollovers.
    ArrangementsRead(TenantId, Result<Box<Arrangements>, String>),
    /// A procedure went on.
    JobProgressed(JobId, Progress),
    /// A procedure ended.
    JobEnded(JobId, Box<Ended>),
    /// A procedure cannot begin before a key is there; why.
    JobNeedsKey(JobId, KeyNeed, String),
    /// A pending secret was opened; `None`: the ledger does not hold it.
    PendingOpened(Ticket, Result<Option<Arc<Secret>>, PendingTrouble>),
    /// It is known what a client's targets hold.
    TargetsChecked(Ticket, Vec<Checked>),
    /// A target was written into the configuration or taken out, or could not be.
    Arranged(TenantId, Result<(), String>),
    /// A passphrase was taken, or is not the right one.
    PassphraseGiven(Result<(), String>),
    /// Keys are in memory that can be forgotten.
    Unsealed,
    /// Something was copied, or could not be.
    Copied(CopyKind, Result<CopyReport, String>),
    /// A request waits for the rate limit for this long; `None`: no longer.
    Paced(Option<Duration>),
}
