//! What rotating now is made of, and what can come of it. The procedure itself is in `rollover`.
use std::sync::Arc;

use super::Secret;

/// One step of rotating now, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
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
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 5] = [Self::ReadBefore, Self::Rotate, Self::ReadAfter, Self::Keep, Self::Verify];

    /// Its name in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
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

/// What is known after a request that may or may not have been applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The secret differs from the one before: it was rotated, and this is the live one.
    Changed(Arc<Secret>),
    /// The secret is the same as before: nothing was rotated, as far as can be seen now.
    Unchanged,
    /// It cannot be told; the text says why.
    CannotKnow(String),
}

/// What came of rotating one client's secret now. `E` is the error type of the layer that talks to
/// Auth0, which this layer does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<E> {
    /// Auth0 has a new secret, and said so.
    Rotated {
        /// The new secret; `None` where neither the answer nor a read showed it.
        secret: Option<Arc<Secret>>,
        /// What the token endpoint says of it; `None` where it was not asked.
        verification: Option<Verification>,
    },
    /// Nothing changed, for certain.
    NotApplied(E),
    /// The request may have been applied; the verdict is what reading the client told.
    InDoubt {
        /// What went wrong with the request.
        error: E,
        /// What reading the client told.
        verdict: Verdict,
        /// The secret that was live before, where it could be read: to ask once more later.
        before: Option<Arc<Secret>>,
    },
}

impl<E> Outcome<E> {
    /// The secret that is live now, where this run learnt it.
    #[must_use]
    pub fn live_secret(&self) -> Option<&Arc<Secret>> {
        match self {
            Self::Rotated { secret, .. } => secret.as_ref(),
            Self::InDoubt { verdict: Verdict::Changed(secret), .. } => Some(secret),
            Self::NotApplied(_) | Self::InDoubt { .. } => None,
        }
    }
}
