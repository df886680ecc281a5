//! The procedures that both front ends run: stage, deliver, cut over, verify, promote, retire, roll back, resume, abandon, and
//! rotate now. Each may be run again after a crash: what is durable says where it stands.

/// Giving it up, nothing having changed.
mod abandon;
/// Making the pending secret live.
mod cutover;
/// Writing secrets to targets, and reading them back.
mod deliver;
/// Rotating now: the one-call way.
mod now;
/// Finding out what a request in doubt came to.
mod reconcile;
/// Dropping the old secret, and writing the new one first before that.
mod retire;
/// Making the old secret live again.
mod rollback;
/// Choosing the new secret.
mod stage;
/// Whether the new secret is in and the old one out.
mod verify;
/// Several steps, one after the other; and going on after a crash.
mod whole;
/// What every procedure does: hold the lease, record, tell.
mod work;

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::auth0::{Api, Error};
use crate::domain::rotation::{Progress, Verification};
use crate::domain::{AuthMethod, FingerprintKey, Rollover, Secret, Target, Untrusted};
use crate::ledger::{Ledger, LedgerError};

pub use abandon::abandon;
pub use cutover::cutover;
pub use deliver::deliver;
pub use now::rotate_now;
pub use retire::{promote, retire};
pub use rollback::rollback;
pub use stage::stage;
pub use verify::verify;
pub use whole::{Choice, Until, go_live_anyway, resume, rotate};

/// What every procedure works with.
#[derive(Clone)]
pub struct Desk {
    /// The tenant.
    pub api: Api,
    /// The record.
    pub ledger: Arc<Ledger>,
    /// Makes fingerprints.
    pub key: Arc<FingerprintKey>,
    /// How long what is waited for.
    pub patience: Patience,
    /// What the time is: [`seconds`], but where time itself is made up.
    pub clock: Clock,
}

/// Tells the time, in seconds since 1970.
pub type Clock = fn() -> i64;

impl Desk {
    /// How long it is until then, never longer than what is waited for, whatever the clock did meanwhile.
    fn left(&self, until: i64) -> Duration {
        let left = u64::try_from(until - (self.clock)()).unwrap_or_default();
        Duration::from_secs(left).min(self.patience.quiesce)
    }
}

/// How long what is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// How long verifying may take. Source: Auth0 docs, rotate client secrets: "New secrets may be delayed up to thirty seconds
    /// while rotating".
    pub verify: Duration,
    /// How long a request whose answer was lost may still arrive.
    pub quiesce: Duration,
    /// How far the reads are apart that settle that it did not.
    pub apart: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let seconds = |seconds: i64| Duration::from_secs(seconds.unsigned_abs());
        Self {
            verify: Duration::from_secs(35),
            quiesce: seconds(crate::domain::rollover::QUIESCE),
            apart: seconds(crate::domain::rollover::READS_APART),
        }
    }
}

impl Patience {
    /// The same with everything shortened to `most`: for the pretend tenant, where nothing arrives late unless it is told to.
    #[must_use]
    pub fn at_most(self, most: Duration) -> Self {
        Self { verify: self.verify.min(most), quiesce: self.quiesce.min(most), apart: self.apart.min(most) }
    }
}

/// Which client, and where its apps read its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// Its id.
    pub client_id: String,
    /// Its name.
    pub name: Untrusted,
    /// How it authenticates.
    pub auth: AuthMethod,
    /// Its targets.
    pub targets: Vec<Target>,
}

/// What a procedure came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The rollover, as it stands.
    pub rollover: Rollover,
    /// The secret that is live, where this run learnt it.
    pub secret: Option<Arc<Secret>>,
    /// What the token endpoint said, where it was asked.
    pub verification: Option<Verification>,
}

/// Why a procedure stopped. What was done until then is in the ledger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Which kind.
    pub kind: TroubleKind,
    /// What is wrong. Safe to print.
    pub message: String,
    /// What to do about it. Safe to print; may be empty.
    pub hint: String,
    /// The rollover, as it stands; `None` where none was begun.
    pub rollover: Option<Box<Rollover>>,
    /// The request's failure that left it in doubt, where it was in this run.
    pub cause: Option<Box<Error>>,
    /// The secret that is live, where this run learnt it and could not store it: whoever shows it, keeps it.
    pub unsaved: Option<Arc<Secret>>,
}

/// Why a procedure stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TroubleKind {
    /// The ledger could not be used; nothing was sent that it does not know of.
    Ledger(LedgerError),
    /// Auth0 refused, or could not be reached; nothing is in doubt.
    Auth0(Box<Error>),
    /// A change may or may not have been applied.
    InDoubt,
    /// Somebody else changed the secret.
    Conflict,
    /// Targets could not be written, or lack the pending secret.
    Targets,
    /// It cannot be done now: there is no rollover, or it stands elsewhere.
    NotNow,
    /// The new secret is live by the record, and the token endpoint does not take it.
    NotVerified,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    fn new(kind: TroubleKind, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: hint.into(), rollover: None, cause: None, unsaved: None }
    }

    /// It cannot be done now.
    #[must_use]
    pub fn not_now(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::new(TroubleKind::NotNow, message, hint)
    }

    fn with(self, rollover: &Rollover) -> Self {
        Self { rollover: Some(Box::new(rollover.clone())), ..self }
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        let hint = error.hint().to_owned();
        let rollover = match &error {
            LedgerError::Unfinished(rollover) => Some(rollover.clone()),
            _ => None,
        };
        Self { rollover, ..Self::new(TroubleKind::Ledger(error.clone()), error.to_string(), hint) }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        let (message, hint) = (error.to_string(), error.hint.clone());
        Self::new(TroubleKind::Auth0(Box::new(error)), message, hint)
    }
}

/// Whom a procedure tells how it goes on.
pub type Listener<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// What a procedure comes to.
pub type Ended = Result<Done, Trouble>;

/// The time as step reports have it: UTC, RFC 3339, whole seconds.
#[must_use]
pub fn now() -> String {
    stamp(seconds())
}

fn stamp(seconds: i64) -> String {
    let at = OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}

/// Seconds since 1970.
#[must_use]
pub fn seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A name for a sentence: the client's, or its id.
fn called(subject: &Subject) -> String {
    let name = subject.name.shown();
    if name.is_empty() { crate::domain::untrusted::shown(&subject.client_id).into_owned() } else { name.into_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The interface runs procedures as tasks of their own.
    #[test]
    fn every_procedure_can_go_on_on_another_thread() {
        fn goes(_: &impl Send) {}
        fn all(desk: &Desk, subject: &Subject, listener: Listener<'_>) {
            goes(&resume(desk, subject, None, listener));
        }
        fn now(desk: &Desk, subject: &Subject, listener: Listener<'_>) {
            goes(&rotate_now(desk, subject, listener));
        }
        let _ = (all, now);
    }
}
