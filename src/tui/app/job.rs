use std::sync::Arc;

use super::event::Moment;
use super::state::TenantId;
use crate::auth0::{Error, ErrorKind};
use crate::domain::rollover::State;
use crate::domain::rotation::{Progress, Step, StepReport, Verification};
use crate::domain::{AuthMethod, Domain, Mode, Rollover, Secret, Target, Untrusted};
use crate::ledger::LedgerError;
use crate::rollover::{Choice, Done, Ended, Trouble, TroubleKind};

/// Number of a job within this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobId(pub usize);

/// What a job does to a client's rollover.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Procedure {
    /// Choose the new secret, and write it to the targets as the fallback.
    Stage,
    /// Make it live, verify, and write it to the targets first.
    SaveChanges {
        /// Although there is no target, or targets lack the pending secret.
        anyway: bool,
    },
    /// Drop the old secret.
    Retire,
    /// Make the old secret live again; before the cutover: give it up.
    TakeBack,
    /// Go on after a crash, or as a person decides.
    Resume(Option<Choice>),
    /// Give it up, and leave Auth0 as it is.
    Abandon,
    /// The one-call way.
    RotateNow,
}

impl Procedure {
    /// What it is doing, in a word or two.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Stage => "staging…",
            Self::SaveChanges { .. } => "cutting over…",
            Self::Retire => "retiring…",
            Self::TakeBack => "going back…",
            Self::Resume(_) => "resuming…",
            Self::Abandon => "giving up…",
            Self::RotateNow => "rotating…",
        }
    }

    /// What it does to a client, for a sentence that goes on with the client's name.
    #[must_use]
    pub fn doing(self) -> &'static str {
        match self {
            Self::Stage => "staging",
            Self::SaveChanges { .. } => "cutting over",
            Self::Retire => "retiring the old secret of",
            Self::TakeBack => "taking back",
            Self::Resume(_) => "resuming",
            Self::Abandon => "giving up",
            Self::RotateNow => "rotating",
        }
    }
}

/// What the runner needs to run a procedure on a client.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The client.
    pub client_id: String,
    /// The client's name.
    pub name: Untrusted,
    /// How the client authenticates; `None`: it has to be read first.
    pub auth: Option<AuthMethod>,
    /// Where its apps read its secret.
    pub targets: Vec<Target>,
    /// What is done.
    pub procedure: Procedure,
}

/// One run of a procedure: under way or ended.
#[derive(Debug)]
pub struct Job {
    /// Its number.
    pub id: JobId,
    /// The tenant.
    pub tenant: TenantId,
    /// The tenant's address.
    pub domain: Domain,
    /// What the tenant is called in sentences.
    pub at: String,
    /// What is done, and to whom.
    pub task: Task,
    /// When it began.
    pub began: Moment,
    /// The step it is at, and what it waits for there.
    pub current: Option<(Step, Option<String>)>,
    /// The steps that ended.
    pub steps: Vec<StepReport>,
    /// The rollover, as it was told last.
    pub row: Option<Rollover>,
    /// The secret that is live, once this run knows it.
    pub live: Option<Arc<Secret>>,
    /// What came of it; `None` while it is under way.
    pub ended: Option<Ended>,
    /// Until when the secret is shown on the job's page.
    pub revealed_until: Option<Moment>,
    /// Whether a secret that could be stored nowhere was taken care of by a person.
    pub kept_by_hand: bool,
}

impl Job {
    /// Whether it is of this client of the tenant at this address.
    #[must_use]
    pub fn is_of(&self, domain: &Domain, client_id: &str) -> bool {
        self.task.client_id == client_id && self.domain == *domain
    }

    /// Whether it is under way.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.ended.is_none()
    }

    /// Why it stopped, where it did.
    #[must_use]
    pub fn trouble(&self) -> Option<&Trouble> {
        self.ended.as_ref().and_then(|ended| ended.as_ref().err())
    }

    /// What it came to, where it did what it is for.
    #[must_use]
    pub fn done(&self) -> Option<&Done> {
        self.ended.as_ref().and_then(|ended| ended.as_ref().ok())
    }

    /// Whether nobody knows yet whether it was applied.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        matches!(self.trouble().map(|trouble| &trouble.kind), Some(TroubleKind::InDoubt))
    }

    /// The secret that is live and could be stored nowhere, as long as nobody has taken care of it.
    #[must_use]
    pub fn unsaved(&self) -> Option<&Arc<Secret>> {
        self.trouble().and_then(|trouble| trouble.unsaved.as_ref()).filter(|_| !self.kept_by_hand)
    }

    /// Who else is at work on this client, where that is why it stopped.
    #[must_use]
    pub fn leased_by(&self) -> Option<&str> {
        match self.trouble().map(|trouble| &trouble.kind) {
            Some(TroubleKind::Ledger(LedgerError::Leased { by })) => Some(by),
            _ => None,
        }
    }

    /// The error of Auth0 that it stopped with.
    #[must_use]
    pub fn error(&self) -> Option<&Error> {
        match self.trouble().map(|trouble| &trouble.kind) {
            Some(TroubleKind::Auth0(error)) => Some(error),
            _ => None,
        }
    }

    /// Begins once more: what it needed is there now.
    pub fn again(&mut self) {
        self.current = None;
        self.steps.clear();
        self.ended = None;
    }

    /// Takes in what the procedure told.
    pub fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Began(step) => self.current = Some((step, None)),
            Progress::Note(step, note) => self.current = Some((step, Some(note))),
            Progress::Ended(report) => {
                if self.current.as_ref().is_some_and(|(step, _)| *step == report.step) {
                    self.current = None;
                }
                self.steps.push(report);
            }
            Progress::Live(secret) => self.live = Some(secret),
            Progress::Recorded(row) => self.row = Some(*row),
        }
    }

    /// Takes in what came of it.
    pub fn end(&mut self, ended: Ended) {
        match &ended {
            Ok(done) => {
                self.row = Some(done.rollover.clone());
                if let Some(secret) = &done.secret {
                    self.live = Some(Arc::clone(secret));
                }
            }
            Err(trouble) => {
                if let Some(row) = &trouble.rollover {
                    self.row = Some((**row).clone());
                }
                if let Some(secret) = &trouble.unsaved {
                    self.live = Some(Arc::clone(secret));
                }
            }
        }
        self.current = None;
        self.ended = Some(ended);
    }

    /// One line: where it stands.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.ended {
            None => match &self.current {
                Some((step, None)) => format!("{}…", step.doing()),
                Some((step, Some(note))) => format!("{}: {note}", step.doing()),
                None => "Starting…".to_owned(),
            },
            Some(Ok(done)) => came_to(done).to_owned(),
            Some(Err(trouble)) => match &trouble.kind {
                TroubleKind::Auth0(_) if self.task.procedure == Procedure::RotateNow => {
                    "Not applied: the secret is unchanged".to_owned()
                }
                TroubleKind::InDoubt => "In doubt: it may or may not have been applied".to_owned(),
                TroubleKind::Conflict => "Conflict: somebody else changed the secret".to_owned(),
                TroubleKind::Auth0(error) if error.kind == ErrorKind::RateLimited => {
                    "Not done: Auth0's rate limit".to_owned()
                }
                // The list of targets says the rest.
                TroubleKind::Targets => {
                    trouble.message.split_once(": ").map_or(trouble.message.as_str(), |(head, _)| head).to_owned()
                }
                _ => trouble.message.clone(),
            },
        }
    }
}

/// What a procedure came to, in a line.
#[must_use]
pub fn came_to(done: &Done) -> &'static str {
    let row = &done.rollover;
    match row.state {
        State::Staged => "Staged: the new secret is pending, and no target holds it",
        State::Delivered => "Staged and delivered: the targets hold the pending secret as their fallback",
        State::Applied | State::Verified | State::Promoting => "The new secret is live",
        State::Holding => "The new secret is live; the old one is kept until you retire it",
        State::Retired if row.mode == Mode::Set => "Retired: the old secret is gone",
        State::Retired if done.verification.as_ref().is_some_and(Verification::complete) => {
            "Rotated; the new secret is accepted, the old one refused"
        }
        State::Retired => "Rotated",
        State::RolledBack => "Taken back: the old secret is live again",
        State::Abandoned => "Given up: nothing has changed at Auth0",
        State::Unknown => "Rotated; the new secret cannot be read with this token",
        State::Planned | State::Baselined | State::Sending | State::Rejected => "Not done yet",
        State::InDoubt | State::RollingBack => "In doubt",
        State::Conflict => "Conflict: somebody else changed the secret",
    }
}
