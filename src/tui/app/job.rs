use std::sync::Arc;

use super::event::Moment;
use super::state::TenantId;
use crate::auth0::Error;
use crate::domain::rotation::{Outcome, Progress, Step, StepReport, Verdict};
use crate::domain::{AuthMethod, Domain, Secret, Untrusted};

/// Number of a rotation within this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct JobId(pub usize);

/// One rotation of this run: under way or ended.
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
    /// The client.
    pub client_id: String,
    /// The client's name.
    pub name: Untrusted,
    /// How the client authenticates.
    pub auth: AuthMethod,
    /// When it began.
    pub began: Moment,
    /// The step it is at, and what it waits for there.
    pub current: Option<(Step, Option<String>)>,
    /// The steps that ended.
    pub steps: Vec<StepReport>,
    /// The new secret, once it is known and live.
    pub live: Option<Arc<Secret>>,
    /// What came of it; `None` while it is under way.
    pub outcome: Option<Outcome<Error>>,
    /// Whether a doubt is being looked into again.
    pub settling: bool,
    /// Until when the new secret is shown on the rotation's page.
    pub revealed_until: Option<Moment>,
}

impl Job {
    /// Whether it is of this client of the tenant at this address.
    #[must_use]
    pub fn is_of(&self, domain: &Domain, client_id: &str) -> bool {
        self.client_id == client_id && self.domain == *domain
    }

    /// Whether it is under way.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.outcome.is_none()
    }

    /// Whether nobody knows yet whether it was applied.
    #[must_use]
    pub fn in_doubt(&self) -> bool {
        matches!(&self.outcome, Some(Outcome::InDoubt { verdict, .. }) if !matches!(verdict, Verdict::Changed(_)))
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
        }
    }

    /// Takes in what came of it.
    pub fn end(&mut self, outcome: Outcome<Error>) {
        if let Some(secret) = outcome.live_secret() {
            self.live = Some(Arc::clone(secret));
        }
        self.current = None;
        self.outcome = Some(outcome);
    }

    /// Takes in a second look at a doubt.
    pub fn settled(&mut self, new: Verdict) {
        self.settling = false;
        if let Verdict::Changed(secret) = &new {
            self.live = Some(Arc::clone(secret));
        }
        if let Some(Outcome::InDoubt { verdict, .. }) = &mut self.outcome {
            *verdict = new;
        }
    }

    /// A word or two: where it stands.
    #[must_use]
    pub fn word(&self) -> &'static str {
        match &self.outcome {
            None => "rotating…",
            Some(Outcome::NotApplied(_)) => "not applied",
            Some(_) if self.in_doubt() => "in doubt",
            Some(_) => "rotated",
        }
    }

    /// One line: where it stands.
    #[must_use]
    pub fn summary(&self) -> String {
        match &self.outcome {
            None => match &self.current {
                Some((step, None)) => format!("{}…", step.doing()),
                Some((step, Some(note))) => format!("{}: {note}", step.doing()),
                None => "Starting…".to_owned(),
            },
            Some(Outcome::Rotated { verification, secret }) => match (secret, verification) {
                (None, _) => "Rotated; the new secret cannot be read with this token".to_owned(),
                (Some(_), Some(seen)) if seen.complete() => {
                    "Rotated; the new secret is accepted, the old one refused".to_owned()
                }
                (Some(_), _) => "Rotated".to_owned(),
            },
            Some(Outcome::NotApplied(_)) => "Not applied: the secret is unchanged".to_owned(),
            Some(Outcome::InDoubt { verdict, .. }) => match verdict {
                Verdict::Changed(_) => "Rotated, though the answer was lost".to_owned(),
                Verdict::Unchanged => "In doubt: the secret is still the old one".to_owned(),
                Verdict::CannotKnow(_) => "In doubt: it may or may not have been rotated".to_owned(),
            },
        }
    }
}
