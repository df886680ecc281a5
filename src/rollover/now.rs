use std::sync::Arc;
use std::time::Duration;

use super::cutover::refused;
use super::deliver::Persist;
use super::reconcile::{doubt, reconcile};
use super::retire::{promoted, retired, retired_at_once};
use super::stage::{baseline, begin};
use super::verify::verified;
use super::work::{Note, Work, take, wait_for_the_last_one};
use super::{Desk, Ended, Listener, Subject, Trouble, TroubleKind};
use crate::auth0::{Api, Applied, SecretRead};
use crate::domain::Secret;
use crate::domain::client::not_rotatable;
use crate::domain::rollover::{Mode, Role, Rollover, State};
use crate::domain::rotation::{Progress, Step, StepOutcome};
use crate::ledger::Lease;

/// Rotates a client's secret the one-call way: records it, reads what is live, sends one request, seals the answer before anybody
/// sees it, verifies, delivers, and drops the old secret. Never sends a second request.
///
/// A rollover of this client that has not ended ends: it is overtaken. One in doubt is settled first.
///
/// # Errors
/// As the other procedures.
pub async fn rotate_now(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    if let Some(reason) = not_rotatable(&subject.auth) {
        let message = format!("“{}” cannot be rotated: {reason}", super::called(subject));
        return Err(Trouble::not_now(message, ""));
    }
    let (lease, latest) = take(desk, subject).await?;
    wait_for_the_last_one(desk, latest.as_ref(), progress).await;
    if let Some(latest) = latest.filter(|latest| !latest.state.is_final()) {
        overtake(desk, subject, &lease, latest).await?;
    }
    let mut work = begin(desk, subject, lease, Mode::Server, progress).await?;
    work.began(Step::ReadBefore);
    let baselined = baseline(&mut work).await?;
    if !post(&mut work, baselined).await? {
        reconcile(&mut work).await?;
    }
    finish(work).await
}

/// From the live secret to the end.
pub(super) async fn finish(mut work: Work<'_>) -> Ended {
    known(&mut work).await?;
    if !work.row.holds(Role::New) {
        // It is live, and nobody here knows it: the apps have to get it elsewhere.
        return Ok(work.done());
    }
    verified(&mut work, false).await?;
    let clean = work.verification.as_ref().is_none_or(crate::domain::rotation::Verification::complete);
    if clean && work.subject.targets.is_empty() && work.row.state == State::Verified {
        retired_at_once(&mut work).await?;
        return Ok(work.done());
    }
    promoted(&mut work, Persist::AfterCrash).await?;
    if clean {
        retired(&mut work).await?;
    }
    Ok(work.done())
}

/// Sends the one request; whether an answer came.
async fn post(work: &mut Work<'_>, baselined: Note) -> Result<bool, Trouble> {
    let correlation = Api::correlation_id();
    let sending = baselined.then(State::Sending);
    work.record(Note { attempt: Some(1), correlation_id: Some(correlation.clone()), ..sending }).await?;
    work.began(Step::Rotate);
    match work.desk.api.rotate_secret(&work.subject.client_id, &correlation).await {
        Ok(Some(secret)) => {
            sealed(work, &secret, "Auth0 has a new secret").await?;
            Ok(true)
        }
        Ok(None) => {
            let note = Note::to(State::Applied);
            let detail = "Auth0 has a new secret, which the answer does not show";
            work.record(note.step(Step::Rotate, StepOutcome::Done, detail)).await?;
            read_back(work).await?;
            Ok(true)
        }
        Err(error) if error.applied == Applied::No => Err(refused(work, error, Step::Rotate).await?),
        Err(error) => {
            let reason = error.to_string();
            work.lost = Some(error);
            let note = Note { doubt: Some(Some(doubt(work, &reason))), ..Note::to(State::InDoubt) };
            let detail = "no clear answer came; it is not sent again";
            work.record(note.detail(reason).step(Step::Rotate, StepOutcome::InDoubt, detail)).await?;
            Ok(false)
        }
    }
}

/// Seals what Auth0 chose, before anybody sees it: it is known from here alone. Where the ledger cannot be written, that is tried for
/// a while, and then the secret is handed on with what went wrong.
async fn sealed(work: &mut Work<'_>, secret: &Arc<Secret>, detail: &str) -> Result<(), Trouble> {
    const TRIES: u32 = 5;
    let mut tries = 0;
    loop {
        let note = Note::to(State::Applied).settled().seal(Role::New, secret);
        let trouble = match work.record(note.step(Step::Rotate, StepOutcome::Done, detail)).await {
            Ok(()) => break,
            Err(trouble) => trouble,
        };
        tries += 1;
        if tries == TRIES {
            let hint = format!("Copy the new secret now: it is stored nowhere here. {}", trouble.hint);
            // Who signs in with it must not be locked out whatever the ledger does.
            let _ = work.desk.api.adopt_secret(&work.subject.client_id, secret).await;
            return Err(Trouble { hint, unsaved: Some(Arc::clone(secret)), ..trouble });
        }
        work.note(Step::Rotate, format!("the new secret cannot be stored yet ({trouble}); trying again"));
        tokio::time::sleep(Duration::from_secs(1).min(work.desk.patience.apart)).await;
    }
    work.keep_own(secret).await?;
    work.tell(Progress::Live(Arc::clone(secret)));
    Ok(())
}

/// Reads what is live where the program died before it did: the answer said that it was rotated, and did not show the secret.
pub(super) async fn known(work: &mut Work<'_>) -> Result<(), Trouble> {
    let unread = work.row.state == State::Applied && work.row.mode == Mode::Server && !work.row.holds(Role::New);
    if unread { read_back(work).await } else { Ok(()) }
}

/// The answer said that it was rotated but did not show the secret: then it is read.
async fn read_back(work: &mut Work<'_>) -> Result<(), Trouble> {
    work.began(Step::ReadAfter);
    let read = work.desk.api.client_secret(&work.subject.client_id).await;
    let why = match read {
        Ok(SecretRead::Readable(now)) => {
            if work.is(Role::Old, &now).await? {
                "Auth0 still shows the old one; look again in a minute".to_owned()
            } else {
                let note = Note::default().seal(Role::New, &now);
                work.record(note.step(Step::ReadAfter, StepOutcome::Done, "")).await?;
                work.keep_own(&now).await?;
                work.tell(Progress::Live(now));
                return Ok(());
            }
        }
        Ok(SecretRead::NotVisible) => "not visible with this token".to_owned(),
        Err(error) => error.to_string(),
    };
    let note = Note::to(State::Unknown).detail("rotated; the new secret could not be read");
    work.record(note.step(Step::ReadAfter, StepOutcome::Failed, why)).await
}

/// An unfinished rollover that rotating now overtakes.
async fn overtake(desk: &Desk, subject: &Subject, lease: &Arc<Lease>, latest: Rollover) -> Result<(), Trouble> {
    let mut quiet = |_: Progress| {};
    let mut work = Work::new(desk, subject, Arc::clone(lease), latest, &mut quiet);
    if work.row.doubt.is_some() || work.row.state.needs_reconciling() {
        let message = format!("the last rollover of “{}” is in doubt", super::called(subject));
        return Err(work.stop(Trouble::new(TroubleKind::InDoubt, message, "`rollover resume` settles it first.")));
    }
    // What may be live stays: the next request may be refused, and then this is all there is of it. Retiring the next rollover wipes
    // it.
    let wipe: &[Role] = match work.row.state {
        state if state.is_before_change() => &Role::ALL,
        state if state.is_live() => &[Role::Old, Role::Observed],
        _ => &[],
    };
    let wipe: Vec<Role> = wipe.iter().copied().filter(|role| work.row.holds(*role)).collect();
    let detail = "overtaken by rotating now";
    match work.row.state {
        State::Verified | State::Promoting => {
            if work.row.state == State::Verified {
                work.record(Note::to(State::Promoting)).await?;
            }
            work.record(Note::to(State::Holding)).await?;
        }
        _ => {}
    }
    let end = if work.row.state == State::Holding { State::Retired } else { State::Abandoned };
    let note = Note { wipe, ..Note::to(end) };
    work.record(note.detail(detail).step(Step::Abandon, StepOutcome::Done, detail)).await
}
