use std::sync::Arc;

use super::reconcile::may_arrive_until;
use super::{Desk, Done, Listener, Subject, Trouble, stamp};
use crate::auth0::{Error, SecretRead};
use crate::domain::rollover::{Doubt, Role, Rollover, Seen, State, TargetRow};
use crate::domain::rotation::{Progress, Step, StepOutcome, StepReport, Verification};
use crate::domain::{Secret, SecretPrint};
use crate::ledger::{Change, Lease, LedgerError};

/// A rollover that is being worked on: nobody else may, as long as this lives.
pub(super) struct Work<'a> {
    pub(super) desk: &'a Desk,
    pub(super) subject: &'a Subject,
    pub(super) row: Rollover,
    lease: Arc<Lease>,
    old: Option<Arc<Secret>>,
    new: Option<Arc<Secret>>,
    progress: Listener<'a>,
    pub(super) verification: Option<Verification>,
    /// The failure of a request whose answer was lost.
    pub(super) lost: Option<Error>,
    /// Whether this run saw that the new secret is live.
    pub(super) seen_live: bool,
}

/// A change that owns what it holds, so that it can be written on another thread.
#[derive(Default)]
pub(super) struct Note {
    pub(super) through: Vec<State>,
    pub(super) state: Option<State>,
    pub(super) attempt: Option<u32>,
    pub(super) correlation_id: Option<String>,
    pub(super) seal: Vec<(Role, Arc<Secret>)>,
    pub(super) wipe: Vec<Role>,
    pub(super) wipe_earlier: bool,
    #[expect(clippy::option_option, reason = "as it was, none, or another one: as in `Change`")]
    pub(super) doubt: Option<Option<Doubt>>,
    pub(super) targets: Vec<TargetRow>,
    pub(super) steps: Vec<StepReport>,
    pub(super) detail: Option<String>,
}

impl Note {
    /// It stands there from now on.
    pub(super) fn to(state: State) -> Self {
        Self { state: Some(state), ..Self::default() }
    }

    pub(super) fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub(super) fn step(mut self, step: Step, outcome: StepOutcome, detail: impl Into<String>) -> Self {
        // When it was is known once it is written down.
        self.steps.push(StepReport { step, outcome, at: String::new(), detail: detail.into() });
        self
    }

    /// The same, and there at once: nothing is done where it stood until then.
    pub(super) fn then(mut self, state: State) -> Self {
        self.through.extend(self.state.replace(state));
        self
    }

    pub(super) fn seal(mut self, role: Role, secret: &Arc<Secret>) -> Self {
        self.seal.push((role, Arc::clone(secret)));
        self
    }

    pub(super) fn settled(self) -> Self {
        Self { doubt: Some(None), ..self }
    }
}

/// The right to change a client's rollovers, and its latest one.
pub(super) async fn take(desk: &Desk, subject: &Subject) -> Result<(Arc<Lease>, Option<Rollover>), Trouble> {
    let (ledger, domain, id) = (Arc::clone(&desk.ledger), desk.api.domain().clone(), subject.client_id.clone());
    let taken = blocking(move || {
        let lease = ledger.lease(&domain, &id)?;
        let latest = ledger.latest(&domain, &id)?;
        Ok((Arc::new(lease), latest))
    });
    Ok(taken.await?)
}

/// Waits until no request for the client's last rollover can arrive any more: another value would be overwritten by it.
pub(super) async fn wait_for_the_last_one(desk: &Desk, latest: Option<&Rollover>, progress: Listener<'_>) {
    let until = latest.map_or(0, |latest| may_arrive_until(latest, &desk.patience));
    let wait = desk.left(until);
    if !wait.is_zero() {
        progress(Progress::Note(Step::Record, "a request for the last rollover may still arrive".to_owned()));
        tokio::time::sleep(wait).await;
    }
}

impl<'a> Work<'a> {
    pub(super) fn new(
        desk: &'a Desk,
        subject: &'a Subject,
        lease: Arc<Lease>,
        row: Rollover,
        progress: Listener<'a>,
    ) -> Self {
        Self {
            desk,
            subject,
            row,
            lease,
            old: None,
            new: None,
            progress,
            verification: None,
            lost: None,
            seen_live: false,
        }
    }

    /// Goes on with the client's latest rollover, which must not have ended.
    pub(super) async fn resume(desk: &'a Desk, subject: &'a Subject, progress: Listener<'a>) -> Result<Self, Trouble> {
        let (lease, latest) = take(desk, subject).await?;
        let row = latest.ok_or_else(|| {
            Trouble::not_now(
                format!("“{}” has no rollover", super::called(subject)),
                "`rollover stage` begins one; `rollover rotate` does the whole.",
            )
        })?;
        if row.state.is_final() {
            let message = format!("the last rollover of “{}” has ended: {}", super::called(subject), row.state.words());
            return Err(Trouble::not_now(message, "`rollover stage` begins the next.").with(&row));
        }
        Ok(Self::new(desk, subject, lease, row, progress))
    }

    pub(super) fn tell(&mut self, progress: Progress) {
        (self.progress)(progress);
    }

    pub(super) fn began(&mut self, step: Step) {
        self.tell(Progress::Began(step));
    }

    pub(super) fn note(&mut self, step: Step, note: impl Into<String>) {
        self.tell(Progress::Note(step, note.into()));
    }

    /// Tells of a step that is not worth a line of the record.
    pub(super) fn passed(&mut self, step: Step, outcome: StepOutcome, detail: impl Into<String>) {
        self.tell(Progress::Ended(StepReport { step, outcome, at: stamp((self.desk.clock)()), detail: detail.into() }));
    }

    /// Writes down a change; it is on the disk when this returns, and everybody is told.
    pub(super) async fn record(&mut self, mut note: Note) -> Result<(), Trouble> {
        let now = (self.desk.clock)();
        for step in &mut note.steps {
            step.at = stamp(now);
        }
        let (ledger, lease, key) = (Arc::clone(&self.desk.ledger), Arc::clone(&self.lease), Arc::clone(&self.desk.key));
        let row = self.row.clone();
        let steps = note.steps.clone();
        for (role, secret) in &note.seal {
            match role {
                Role::Old => self.old = Some(Arc::clone(secret)),
                Role::New => self.new = Some(Arc::clone(secret)),
                Role::Observed => {}
            }
        }
        let written = blocking(move || {
            let seal: Vec<(Role, &Secret, Option<SecretPrint>)> =
                note.seal.iter().map(|(role, secret)| (*role, &**secret, key.print(secret))).collect();
            let change = Change {
                through: note.through,
                state: note.state,
                attempt: note.attempt,
                correlation_id: note.correlation_id,
                seal,
                wipe: note.wipe,
                wipe_earlier: note.wipe_earlier,
                doubt: note.doubt,
                targets: note.targets,
                steps: note.steps,
                detail: note.detail,
                now,
            };
            ledger.change(&lease, &row, &change)
        });
        self.row = written.await.map_err(|error| Trouble::from(error).with(&self.row))?;
        for step in steps {
            self.tell(Progress::Ended(step));
        }
        let row = Box::new(self.row.clone());
        self.tell(Progress::Recorded(row));
        Ok(())
    }

    /// One of the rollover's secrets: as this run knows it, else from the ledger.
    pub(super) async fn secret(&mut self, role: Role) -> Result<Option<Arc<Secret>>, Trouble> {
        let known = match role {
            Role::Old => &self.old,
            Role::New => &self.new,
            Role::Observed => &None,
        };
        if let Some(secret) = known {
            return Ok(Some(Arc::clone(secret)));
        }
        if !self.row.holds(role) {
            return Ok(None);
        }
        let (ledger, row) = (Arc::clone(&self.desk.ledger), self.row.clone());
        let secret = blocking(move || ledger.secret(&row, role)).await.map_err(|error| self.stop(error.into()))?;
        match role {
            Role::Old => self.old.clone_from(&secret),
            Role::New => self.new.clone_from(&secret),
            Role::Observed => {}
        }
        Ok(secret)
    }

    /// One of the rollover's secrets that must be there.
    pub(super) async fn needed(&mut self, role: Role) -> Result<Arc<Secret>, Trouble> {
        self.secret(role).await?.ok_or_else(|| {
            let message = format!("the ledger does not hold the {} secret", role.name());
            self.stop(Trouble::not_now(message, "It could not be read when the rollover began."))
        })
    }

    /// Whether this is one of the rollover's secrets: by its keyed hash, else by the secret itself.
    pub(super) async fn is(&mut self, role: Role, secret: &Secret) -> Result<bool, Trouble> {
        let known = match role {
            Role::Old => self.row.old,
            Role::New => self.row.new,
            Role::Observed => self.row.observed,
        };
        match (known, self.desk.key.print(secret)) {
            (Some(known), Some(print)) => Ok(known == print),
            // One is too short to have a hash, the other is not.
            (Some(_), None) => Ok(false),
            (None, _) => Ok(self.secret(role).await?.is_some_and(|known| known.same_as(secret))),
        }
    }

    /// Reads the live secret, and says which it is.
    pub(super) async fn look(&mut self) -> Result<(Seen, Option<Arc<Secret>>, Option<Error>), Trouble> {
        match self.desk.api.client_secret(&self.subject.client_id).await {
            Ok(SecretRead::Readable(live)) => {
                // The new one first: where both are the same, nothing is left to do.
                let seen = if self.is(Role::New, &live).await? {
                    Seen::New
                } else if self.is(Role::Old, &live).await? {
                    Seen::Old
                } else if self.row.old.is_none() && !self.row.holds(Role::Old) {
                    // What was live before is not known, so this may be it or not: it tells no more than if it were not visible.
                    Seen::NotVisible
                } else {
                    Seen::Other
                };
                Ok((seen, Some(live), None))
            }
            Ok(SecretRead::NotVisible) => Ok((Seen::NotVisible, None, None)),
            Err(error) => Ok((Seen::Failed, None, Some(error))),
        }
    }

    /// The new secret of the client that rollover itself signs in with is stored before anybody sees it.
    pub(super) async fn keep_own(&mut self, secret: &Arc<Secret>) -> Result<(), Trouble> {
        let id = self.subject.client_id.as_str();
        if self.desk.api.keeps_secret_of(id) {
            self.began(Step::Keep);
        }
        match self.desk.api.adopt_secret(id, secret).await {
            None => Ok(()),
            Some(Ok(())) => {
                let detail = "rollover signs in with the new secret";
                self.record(Note::default().step(Step::Keep, StepOutcome::Done, detail)).await
            }
            Some(Err(why)) => {
                let detail = format!("{why}; copy the new secret now, and sign in again with it (rollover login)");
                self.record(Note::default().step(Step::Keep, StepOutcome::Failed, detail)).await
            }
        }
    }

    /// Stops here: with the rollover as it stands.
    pub(super) fn stop(&self, trouble: Trouble) -> Trouble {
        let cause = trouble.cause.clone().or_else(|| self.lost.clone().map(Box::new));
        Trouble { cause, ..trouble }.with(&self.row)
    }

    /// The end: with the secret that is live, where this run knows it.
    pub(super) fn done(self) -> Done {
        let live = match self.row.state {
            State::RolledBack | State::Staged | State::Delivered | State::Abandoned => self.old,
            _ => self.new,
        };
        Done { secret: live, verification: self.verification, rollover: self.row }
    }
}

/// Runs what waits for the disk where that holds nobody up.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, LedgerError> + Send + 'static,
) -> Result<T, LedgerError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(LedgerError::Stale("the work on the ledger broke off".to_owned())),
    }
}
