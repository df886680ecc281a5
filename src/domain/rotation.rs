//! What rotating now is made of, and what can come of it. The procedure itself is in `rollover`.
use std::sync::Arc;

use super::Secret;

/// One step of a change of a secret: of a rollover, or of rotating now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Record in the ledger what is about to be done.
    Record,
    /// Choose the new secret, and seal it.
    Stage,
    /// Write the pending secret to every target, as the fallback.
    Deliver,
    /// Make the pending secret live.
    CutOver,
    /// Read the secret that is live before the change, so that a doubt can be settled.
    ReadBefore,
    /// Send the one `POST …/rotate-secret`.
    Rotate,
    /// Read the secret again where the answer did not tell.
    ReadAfter,
    /// Store the new secret where rollover's own credential is stored: only for the client that it signs in with.
    Keep,
    /// Ask the token endpoint whether the new secret is in and the old one out.
    Verify,
    /// Rewrite every target with the new secret first.
    Promote,
    /// Drop the old secret everywhere.
    Retire,
    /// Make the old secret live again.
    RollBack,
    /// Put the targets back as they were.
    Restore,
    /// Give it up, nothing having changed.
    Abandon,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 14] = [
        Self::Record,
        Self::ReadBefore,
        Self::Stage,
        Self::Deliver,
        Self::CutOver,
        Self::Rotate,
        Self::ReadAfter,
        Self::Keep,
        Self::Verify,
        Self::Promote,
        Self::Retire,
        Self::RollBack,
        Self::Restore,
        Self::Abandon,
    ];

    /// The step with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }

    /// Its name in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Record => "record",
            Self::Stage => "stage",
            Self::Deliver => "deliver",
            Self::CutOver => "cutover",
            Self::Promote => "promote",
            Self::Retire => "retire",
            Self::RollBack => "rollback",
            Self::Restore => "restore",
            Self::Abandon => "abandon",
            Self::ReadBefore => "read",
            Self::Rotate => "rotate",
            Self::ReadAfter => "read_back",
            Self::Keep => "keep",
            Self::Verify => "verify",
        }
    }

    /// What it does, for a person who watches.
    #[must_use]
    pub fn doing(self) -> &'static str {
        match self {
            Self::Record => "Recording it in the ledger",
            Self::Stage => "Choosing the new secret, and sealing it",
            Self::Deliver => "Delivering it to the targets as the fallback",
            Self::CutOver => "Making it live",
            Self::Promote => "Rewriting the targets, the new secret first",
            Self::Retire => "Dropping the old secret",
            Self::RollBack => "Making the old secret live again",
            Self::Restore => "Putting the targets back as they were",
            Self::Abandon => "Giving it up",
            Self::ReadBefore => "Reading the current secret",
            Self::Rotate => "Asking Auth0 for a new secret",
            Self::ReadAfter => "Reading the secret back",
            Self::Keep => "Replacing rollover's stored credential",
            Self::Verify => "Trying the new and the old secret",
        }
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepOutcome {
    /// It did what it is for.
    Done,
    /// It was not needed or not possible; the detail says which.
    Skipped,
    /// It did not work; the detail says why.
    Failed,
    /// It may or may not have happened.
    InDoubt,
}

impl StepOutcome {
    /// Its name in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Skipped => "skipped",
            Self::Failed => "failed",
            Self::InDoubt => "in_doubt",
        }
    }

    /// The outcome with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Done, Self::Skipped, Self::Failed, Self::InDoubt].into_iter().find(|outcome| outcome.name() == name)
    }
}

/// A step that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    /// Which.
    pub step: Step,
    /// How.
    pub outcome: StepOutcome,
    /// When it ended: UTC, RFC 3339, seconds.
    pub at: String,
    /// What a person should know of it; never secret, safe to print.
    pub detail: String,
}

/// What a procedure tells while it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A step began.
    Began(Step),
    /// A step goes on: what it waits for. Safe to print.
    Note(Step, String),
    /// A step ended.
    Ended(StepReport),
    /// The record of the rollover changed.
    Recorded(Box<super::Rollover>),
    /// The new secret is known and live: it can be revealed and copied while verifying goes on.
    Live(Arc<Secret>),
}

/// What the token endpoint said of a secret. (FACTS: 200 or 403 means accepted, 401 rejected.)
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// 200, or 403: the secret is right.
    Accepted,
    /// 401: the secret is wrong.
    Rejected,
    /// Anything else, or the client does not use its secret there; the text says which.
    Unknown(String),
}

/// What could be verified after a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verification {
    /// The new secret at the token endpoint.
    pub new: Probe,
    /// The old one; `None` where it is not known.
    pub old: Option<Probe>,
}

impl Verification {
    /// The new one is in, and the old one out or unknown to us.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.new == Probe::Accepted && matches!(self.old, None | Some(Probe::Rejected))
    }
}
