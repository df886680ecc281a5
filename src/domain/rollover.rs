//! The state machine of a rollover: which states there are, which may follow which, and what a look at the live secret means in
//! each. The procedures that act on it are in `rollover`, the record is in `ledger`.
use std::fmt;

use super::fingerprint::{ContentHash, SecretPrint};
use super::rotation::StepReport;
use super::{Domain, Untrusted};

/// Number of a rollover: a UUID of version 7, so that numbers sort by the time at which they began.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RolloverId(String);

impl RolloverId {
    /// A number for a rollover that begins now. Source: RFC 9562, 5.7.
    #[must_use]
    pub fn new(milliseconds: u64, random: [u8; 10]) -> Self {
        Self(uuid::Builder::from_unix_timestamp_millis(milliseconds, &random).into_uuid().to_string())
    }

    /// A number that was written before.
    #[must_use]
    pub fn from_stored(text: String) -> Self {
        Self(text)
    }

    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RolloverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for RolloverId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who chooses the new secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Mode {
    /// We do, and set it with `PATCH`: it is known before the call, and sending it twice is the same as once.
    Set,
    /// Auth0 does, on `POST …/rotate-secret`: it is known from the answer alone, and sending it twice rotates twice.
    Server,
}

impl Mode {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Set, Self::Server];

    /// Its name in the ledger and in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Server => "server",
        }
    }

    /// What a person calls it.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Set => "zero downtime",
            Self::Server => "now",
        }
    }
}

/// Which of a rollover's secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Live before.
    Old,
    /// Live afterwards.
    New,
    /// Neither, seen at Auth0.
    Observed,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Old, Self::New, Self::Observed];

    /// Its name in the ledger.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Old => "old",
            Self::New => "new",
            Self::Observed => "observed",
        }
    }
}

/// Where a rollover stands. What is durable before each is left stands in [`State::after_a_crash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// It is recorded that somebody wants it.
    Planned,
    /// The secret that is live is sealed, and what the targets hold is known.
    Baselined,
    /// The new secret is sealed; the server is untouched.
    Staged,
    /// Every target holds the new secret as its fallback.
    Delivered,
    /// The one request is about to be sent, or was.
    Sending,
    /// Auth0 refused it: nothing changed.
    Rejected,
    /// The request may or may not have been applied.
    InDoubt,
    /// Auth0 said that it has the new secret.
    Applied,
    /// Auth0 shows the new secret.
    Verified,
    /// Targets are being rewritten, the new secret first.
    Promoting,
    /// Every target holds the new secret first; both are kept, so that going back stays possible.
    Holding,
    /// The old secret is wiped.
    Retired,
    /// The old secret is being made live again.
    RollingBack,
    /// The old secret is live again.
    RolledBack,
    /// Given up before anything changed at Auth0.
    Abandoned,
    /// Somebody else changed the secret meanwhile.
    Conflict,
    /// What is live cannot be told.
    Unknown,
}

impl State {
    /// All of them, in the order in which a rollover meets them.
    pub const ALL: [Self; 17] = [
        Self::Planned,
        Self::Baselined,
        Self::Staged,
        Self::Delivered,
        Self::Sending,
        Self::Rejected,
        Self::InDoubt,
        Self::Applied,
        Self::Verified,
        Self::Promoting,
        Self::Holding,
        Self::Retired,
        Self::RollingBack,
        Self::RolledBack,
        Self::Abandoned,
        Self::Conflict,
        Self::Unknown,
    ];

    /// Its name in the ledger and in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Baselined => "baselined",
            Self::Staged => "staged",
            Self::Delivered => "delivered",
            Self::Sending => "sending",
            Self::Rejected => "rejected",
            Self::InDoubt => "in_doubt",
            Self::Applied => "applied",
            Self::Verified => "verified",
            Self::Promoting => "promoting",
            Self::Holding => "holding",
            Self::Retired => "retired",
            Self::RollingBack => "rolling_back",
            Self::RolledBack => "rolled_back",
            Self::Abandoned => "abandoned",
            Self::Conflict => "conflict",
            Self::Unknown => "unknown",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// What a person reads.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::InDoubt => "in doubt",
            Self::RollingBack => "rolling back",
            Self::RolledBack => "rolled back",
            other => other.name(),
        }
    }

    /// Whether nothing more is to come.
    #[must_use]
    pub fn is_final(self) -> bool {
        matches!(self, Self::Retired | Self::RolledBack | Self::Abandoned)
    }

    /// Whether only a person can say how it goes on.
    #[must_use]
    pub fn needs_person(self) -> bool {
        matches!(self, Self::Conflict | Self::Unknown)
    }

    /// Whether a change at Auth0 may be under way, so that a start has to look what is live.
    #[must_use]
    pub fn needs_reconciling(self) -> bool {
        matches!(self, Self::Sending | Self::InDoubt | Self::Applied | Self::RollingBack)
    }

    /// Whether Auth0 is, as far as the record goes, as it was before.
    #[must_use]
    pub fn is_before_change(self) -> bool {
        matches!(self, Self::Planned | Self::Baselined | Self::Staged | Self::Delivered | Self::Rejected)
    }

    /// Whether the new secret is live, as far as the record goes.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Applied | Self::Verified | Self::Promoting | Self::Holding)
    }

    /// Where a rollover is found after the program died in this state: a request that may have gone out is in doubt.
    #[must_use]
    pub fn after_a_crash(self) -> Self {
        match self {
            Self::Sending => Self::InDoubt,
            other => other,
        }
    }

    /// Whether `next` may follow. A state may always be written again, with other details.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "each line of the table has its reason")]
    pub fn may_become(self, next: Self, mode: Mode) -> bool {
        use State::{
            Abandoned, Applied, Baselined, Conflict, Delivered, Holding, InDoubt, Planned, Promoting, Rejected,
            Retired, RolledBack, RollingBack, Sending, Staged, Unknown, Verified,
        };
        if self == next {
            return !self.is_final();
        }
        let set = mode == Mode::Set;
        match (self, next) {
            (Planned, Baselined | Abandoned)
            | (Baselined, Abandoned | Conflict)
            | (Staged, Delivered | Abandoned | Conflict)
            | (Delivered, Staged | Sending | Abandoned | Conflict)
            | (Sending, InDoubt | Applied | Rejected)
            | (Rejected, Abandoned)
            | (InDoubt, Applied | Verified | Conflict | Unknown | Sending)
            | (Applied, Verified | Conflict | Unknown | InDoubt)
            | (Verified, Promoting | Conflict)
            | (Promoting, Holding | Conflict)
            | (Holding, Retired | Promoting | Conflict)
            | (Applied | Verified | Promoting | Holding, RollingBack)
            | (RollingBack, RolledBack | Conflict | Unknown | Holding)
            | (Conflict, Applied | Verified | Holding | RollingBack | Abandoned | Sending)
            | (Unknown, Applied | Verified | Abandoned | InDoubt) => true,
            // Set mode goes by way of the targets, server mode at once: its secret does not exist before.
            (Baselined | Rejected | InDoubt | Unknown, Staged) => set,
            // A rotation now can be repeated by a person where nothing came of it.
            (Baselined, Sending) => !set,
            // Targets are not delivered to where there are none, or a person says so.
            (Staged, Sending) => set,
            // A doubt in which nothing was applied, and a person lets it rest.
            (InDoubt, Abandoned) => true,
            _ => false,
        }
    }
}

/// A doubt: since when nobody knows, why, and until when a late request may still arrive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Why. Safe to print.
    pub reason: String,
    /// Seconds since 1970: before this, an unchanged secret says nothing yet.
    pub quiesce_until: i64,
}

/// How long a request whose answer was lost is given to arrive late: seconds.
pub const QUIESCE: i64 = 60;
/// How many equal reads settle that a request was not applied.
pub const EQUAL_READS: u32 = 3;
/// How far they are apart: seconds.
pub const READS_APART: i64 = 15;
/// How often the same value is sent before a person is asked.
pub const MOST_ATTEMPTS: u32 = 4;
/// After how many days of holding both secrets a person is told to retire the old one.
pub const NAG_AFTER_DAYS: u32 = 7;

/// What a read of the live secret told, beside what the record holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Seen {
    /// It is the new one.
    New,
    /// It is the old one.
    Old,
    /// It is neither.
    Other,
    /// The answer held none: the token may not see it.
    NotVisible,
    /// The read failed.
    Failed,
}

/// What follows from it. Source: the reconcile table of the design.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The change is in: go on.
    IsIn,
    /// Whatever is live is the outcome of our own request: seal it, and go on with it.
    Adopt,
    /// A late request may still arrive: wait until then, and read again.
    WaitThenRead,
    /// Nothing was applied, for certain enough: send the same value again.
    SendAgain,
    /// It cannot be seen; sending the same value again is harmless, and the token endpoint will tell.
    SendAndProbe,
    /// It cannot be seen: ask the token endpoint what it thinks of the old secret.
    ProbeOld,
    /// A person decides whether it is sent again.
    Ask,
    /// Somebody else changed it: seal what is there, and let a person decide.
    Conflict,
    /// Nothing can be told now: stay in doubt, and try later.
    Stay,
}

/// What to look at for a [`Decision`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reconcile {
    /// Who chose the new secret.
    pub mode: Mode,
    /// How often the request was sent.
    pub attempt: u32,
    /// Whether the answer of a server-mode request was sealed.
    pub answer_stored: bool,
    /// Whether the time in which a late request may arrive is over, and the reads that settle it were made.
    pub quiet: bool,
    /// Whether the tenant's log names somebody else; `None` where it does not tell.
    pub another_actor: Option<bool>,
}

impl Reconcile {
    /// What follows from what was seen. For the way back, `Seen` is by the roles as they are then: `New` is what is being set.
    #[must_use]
    #[expect(clippy::match_same_arms, reason = "it reads as the table of the design does")]
    pub fn decide(self, seen: Seen) -> Decision {
        match (self.mode, seen) {
            (_, Seen::New) => Decision::IsIn,
            (_, Seen::Failed) => Decision::Stay,
            (_, Seen::Old) if !self.quiet => Decision::WaitThenRead,
            (Mode::Set, Seen::Old) if self.attempt < MOST_ATTEMPTS => Decision::SendAgain,
            (_, Seen::Old) => Decision::Ask,
            (Mode::Set, Seen::Other) => Decision::Conflict,
            (Mode::Server, Seen::Other) if self.answer_stored || self.another_actor == Some(true) => Decision::Conflict,
            (Mode::Server, Seen::Other) => Decision::Adopt,
            (Mode::Set, Seen::NotVisible) if self.attempt < MOST_ATTEMPTS => Decision::SendAndProbe,
            (Mode::Set, Seen::NotVisible) => Decision::Ask,
            (Mode::Server, Seen::NotVisible) => Decision::ProbeOld,
        }
    }
}

/// What is being written to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// The pending secret, as the fallback.
    Deliver,
    /// The new secret first, the old one as the fallback.
    Promote,
    /// The new secret alone.
    Retire,
    /// As before the rollover: the old secret alone.
    Restore,
}

impl Phase {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Deliver, Self::Promote, Self::Retire, Self::Restore];

    /// Its name in the ledger, and what a command target is told as `step`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Promote => "promote",
            Self::Retire => "retire",
            Self::Restore => "rollback",
        }
    }

    /// The phase with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// How far a target has come in a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TargetState {
    /// Nothing was begun.
    Todo,
    /// It is about to be written, or was: what it held and what it will hold is recorded.
    Writing,
    /// It was written.
    Written,
    /// It was read back, and holds what was meant.
    Verified,
    /// It could not be written; it holds what it held.
    Failed,
    /// It holds something else than before and after: somebody else wrote it.
    Conflict,
}

impl TargetState {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Todo, Self::Writing, Self::Written, Self::Verified, Self::Failed, Self::Conflict];

    /// Its name in the ledger and in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Todo => "todo",
            Self::Writing => "writing",
            Self::Written => "written",
            Self::Verified => "verified",
            Self::Failed => "failed",
            Self::Conflict => "conflict",
        }
    }

    /// The state with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A target's row: how far one target of a rollover has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetRow {
    /// The target's name.
    pub name: String,
    /// What is being written, or was.
    pub phase: Phase,
    /// How far.
    pub state: TargetState,
    /// What it held before it was written.
    pub before: Option<ContentHash>,
    /// What it holds afterwards.
    pub after: Option<ContentHash>,
    /// What a person should know of it. Safe to print, never secret.
    pub detail: String,
}

/// Everything that is known of one rollover without a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollover {
    /// Its number.
    pub id: RolloverId,
    /// The tenant's address.
    pub tenant: Domain,
    /// The client.
    pub client_id: String,
    /// The client's name when it began.
    pub name: Untrusted,
    /// Who chooses the new secret.
    pub mode: Mode,
    /// Where it stands.
    pub state: State,
    /// When it came into that state: seconds since 1970.
    pub since: i64,
    /// When it began: seconds since 1970.
    pub began: i64,
    /// How often the request was sent; on the way back, counted anew.
    pub attempt: u32,
    /// What the latest request was sent with, to find it in the tenant's log.
    pub correlation_id: Option<String>,
    /// The keyed hash of the old secret; `None` where it is not known, or too short to have one.
    pub old: Option<SecretPrint>,
    /// The keyed hash of the new secret.
    pub new: Option<SecretPrint>,
    /// The keyed hash of a secret that was seen at Auth0 and is neither.
    pub observed: Option<SecretPrint>,
    /// Which secrets are sealed in the ledger.
    pub sealed: Vec<Role>,
    /// That nobody knows whether the latest request was applied.
    pub doubt: Option<Doubt>,
    /// What a person should know of the state. Safe to print, never secret.
    pub detail: String,
    /// Who began it: user and host.
    pub who: String,
    /// The targets, by name.
    pub targets: Vec<TargetRow>,
    /// What was done, oldest first.
    pub steps: Vec<StepReport>,
    /// Counted up with every change: who read an older one may not write.
    pub generation: u64,
}

impl Rollover {
    /// Whether the ledger holds this secret.
    #[must_use]
    pub fn holds(&self, role: Role) -> bool {
        self.sealed.contains(&role)
    }

    /// Whether it is a conflict in which what somebody else made live is the secret from before: then there is none of theirs to keep.
    #[must_use]
    pub fn is_set_back(&self) -> bool {
        self.state == State::Conflict && !self.holds(Role::Observed)
    }

    /// Whether the latest request may or may not have been applied.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        matches!(self.state, State::Sending | State::InDoubt) || self.doubt.is_some()
    }

    /// Whether a person should be told to retire it: days since it holds both secrets.
    #[must_use]
    pub fn overdue(&self, now: i64, after_days: u32) -> Option<i64> {
        let days = (now - self.since) / 86_400;
        (self.state == State::Holding && days >= i64::from(after_days)).then_some(days)
    }

    /// What a person does next, as the command's name; `None` where nothing is left.
    #[must_use]
    pub fn next(&self) -> Option<&'static str> {
        if self.doubt.is_some() && self.state != State::Conflict {
            return Some("resume");
        }
        Some(match self.state {
            State::Planned | State::Baselined | State::Rejected => "abandon",
            State::Staged if self.targets.is_empty() => "cutover",
            State::Staged => "deliver",
            State::Delivered => "cutover",
            State::Sending | State::InDoubt | State::RollingBack | State::Conflict | State::Unknown => "resume",
            State::Applied => "verify",
            State::Verified | State::Promoting => "promote",
            State::Holding => "retire",
            State::Retired | State::RolledBack | State::Abandoned => return None,
        })
    }
}
