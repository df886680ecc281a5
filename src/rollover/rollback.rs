use std::sync::Arc;

use super::abandon::abandoned;
use super::cutover::{another_actor, conflict};
use super::deliver::{Persist, write_all};
use super::now::known;
use super::reconcile::{doubt, may_arrive_until, reconcile};
use super::verify::{describe, tried};
use super::work::{Note, Work};
use super::{Desk, Ended, Listener, Subject, Trouble, TroubleKind};
use crate::auth0::{Api, Applied};
use crate::domain::Secret;
use crate::domain::rollover::{Decision, Doubt, EQUAL_READS, Mode, Phase, Reconcile, Role, Seen, State};
use crate::domain::rotation::{Probe, Progress, Step, StepOutcome, Verification};

/// Makes the old secret live again, with the care of a cutover, and puts the targets back. Before the cutover it gives the rollover
/// up, which comes to the same.
///
/// # Errors
/// As [`super::cutover`]; or where the old secret is not held any more.
pub async fn rollback(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    rolled_back(&mut work, Persist::ByHand).await?;
    Ok(work.done())
}

pub(super) async fn rolled_back(work: &mut Work<'_>, persist: Persist) -> Result<(), Trouble> {
    if work.row.state.is_before_change() {
        return abandoned(work, persist).await;
    }
    if matches!(work.row.state, State::Sending | State::InDoubt) {
        // What is live is found out first: it decides whether there is anything to take back.
        reconcile(work).await?;
    }
    known(work).await?;
    if work.row.state == State::Unknown {
        let message = "it is not known what is live, so nothing is taken back";
        return Err(work.stop(Trouble::not_now(message, "`rollover resume` looks again.")));
    }
    let old = work.secret(Role::Old).await?.ok_or_else(|| {
        let hint = "It could not be read when the rollover began, so there is nothing to go back to.";
        work.stop(Trouble::not_now("the ledger does not hold the old secret", hint))
    })?;
    work.began(Step::RollBack);
    if work.row.state == State::RollingBack {
        settle(work, &old).await?;
    } else {
        let wait = work.desk.left(may_arrive_until(&work.row, &work.desk.patience));
        if !wait.is_zero() {
            work.note(Step::RollBack, "an earlier request may still arrive, and would undo the way back");
            tokio::time::sleep(wait).await;
        }
        let (seen, live, error) = work.look().await?;
        match seen {
            Seen::New | Seen::NotVisible | Seen::Old => {}
            Seen::Other if work.row.state == State::Conflict => {}
            Seen::Other => return Err(conflict(work, live.as_ref(), Step::RollBack).await?),
            Seen::Failed => {
                let error =
                    error.map_or_else(|| Trouble::not_now("the live secret could not be read", ""), Trouble::from);
                return Err(work.stop(error));
            }
        }
        work.record(Note { attempt: Some(0), ..Note::to(State::RollingBack) }.settled()).await?;
        if seen == Seen::Old {
            is_back(work, &old, "it is live already").await?;
        } else if !send_back(work, &old).await? {
            settle(work, &old).await?;
        }
    }
    check(work, &old).await?;
    work.began(Step::Restore);
    let count = write_all(work, Phase::Restore, persist).await?;
    let wipe = [Role::New, Role::Observed].into_iter().filter(|role| work.row.holds(*role)).collect();
    let note = Note { wipe, ..Note::to(State::RolledBack) }.settled();
    let detail = match count {
        0 => "the old secret is live; there is no target".to_owned(),
        count => format!("the old secret is live, and {count} of {count} targets hold it again"),
    };
    work.record(note.detail(String::new()).step(Step::Restore, StepOutcome::Done, detail)).await
}

/// Sends the old secret once; whether an answer came that says it was taken.
async fn send_back(work: &mut Work<'_>, old: &Arc<Secret>) -> Result<bool, Trouble> {
    let correlation = Api::correlation_id();
    let reason = "the old secret is being made live again";
    let note = Note {
        attempt: Some(work.row.attempt + 1),
        correlation_id: Some(correlation.clone()),
        // Until an answer is here, this is what a start finds.
        doubt: Some(Some(doubt(work, reason))),
        ..Note::to(State::RollingBack)
    };
    work.record(note.detail(reason)).await?;
    match work.desk.api.set_secret(&work.subject.client_id, old, &correlation).await {
        Ok(_) => {
            is_back(work, old, "Auth0 has the old secret again").await?;
            Ok(true)
        }
        Err(error) if error.applied == Applied::No => {
            let detail = error.to_string();
            let note = Note::default().settled().detail(detail.clone());
            work.record(note.step(Step::RollBack, StepOutcome::Failed, detail)).await?;
            Err(work.stop(error.into()))
        }
        Err(error) => {
            let reason = error.to_string();
            work.lost = Some(error);
            let note = Note { doubt: Some(Some(doubt(work, &reason))), ..Note::default() };
            let detail = format!("no clear answer came: {reason}");
            work.record(note.detail(detail).step(Step::RollBack, StepOutcome::InDoubt, reason)).await?;
            Ok(false)
        }
    }
}

async fn is_back(work: &mut Work<'_>, old: &Arc<Secret>, detail: &str) -> Result<(), Trouble> {
    work.record(Note::default().settled().detail(detail).step(Step::RollBack, StepOutcome::Done, detail)).await?;
    work.keep_own(old).await?;
    work.tell(Progress::Live(Arc::clone(old)));
    Ok(())
}

/// Finds out what became of the way back: as `reconcile`, the roles swapped.
async fn settle(work: &mut Work<'_>, old: &Arc<Secret>) -> Result<(), Trouble> {
    work.began(Step::ReadAfter);
    let mut equal = 0;
    loop {
        let (seen, live, error) = work.look().await?;
        // What is being set is the old one: it stands in the new one's place.
        let seen = match seen {
            Seen::Old => Seen::New,
            Seen::New => Seen::Old,
            other => other,
        };
        let until = work.row.doubt.as_ref().map_or(0, |doubt| doubt.quiesce_until);
        let wait = work.desk.left(until);
        if seen == Seen::Old && wait.is_zero() {
            equal += 1;
        }
        // Without a doubt nothing was sent yet, or it was refused: there is nothing to wait for.
        let quiet = work.row.doubt.is_none() || (wait.is_zero() && equal >= EQUAL_READS);
        let another_actor = if seen == Seen::Other { another_actor(work).await } else { None };
        let asked = Reconcile { mode: Mode::Set, attempt: work.row.attempt, answer_stored: true, quiet, another_actor };
        match asked.decide(seen) {
            Decision::IsIn => {
                return is_back(work, old, "Auth0 has the old secret again: the request was applied").await;
            }
            Decision::WaitThenRead => {
                let pause = if wait.is_zero() { work.desk.patience.apart } else { wait };
                work.note(Step::ReadAfter, "still the new secret; a late request may still arrive");
                tokio::time::sleep(pause).await;
            }
            Decision::SendAgain => {
                if send_back(work, old).await? {
                    return Ok(());
                }
                equal = 0;
            }
            Decision::SendAndProbe => {
                let sent = send_back(work, old).await?;
                let probe = work.desk.api.probe(&work.subject.client_id, old, &work.subject.auth).await;
                if sent {
                    return Ok(());
                }
                if probe == Probe::Accepted {
                    return is_back(work, old, "the token endpoint takes the old secret again").await;
                }
            }
            Decision::Conflict => return Err(conflict(work, live.as_ref(), Step::RollBack).await?),
            Decision::Adopt | Decision::ProbeOld | Decision::Ask | Decision::Stay => {
                let why = error.map_or_else(
                    || "Auth0 still has the new secret".to_owned(),
                    |error| format!("the live secret could not be read: {error}"),
                );
                let reason = work.row.doubt.as_ref().map_or_else(|| why.clone(), |doubt| doubt.reason.clone());
                // Whoever asks again is let try again: the count begins anew.
                let note = Note {
                    attempt: Some(0),
                    doubt: Some(Some(Doubt { reason, quiesce_until: until })),
                    ..Note::default()
                };
                work.record(note.detail(why.clone()).step(Step::RollBack, StepOutcome::InDoubt, why.clone())).await?;
                let message = format!("“{}”, on the way back, is in doubt: {why}", super::called(work.subject));
                return Err(work.stop(Trouble::new(TroubleKind::InDoubt, message, "`rollover resume` tries again.")));
            }
        }
    }
}

/// Asks the token endpoint whether the old secret is in again.
async fn check(work: &mut Work<'_>, old: &Arc<Secret>) -> Result<(), Trouble> {
    work.began(Step::Verify);
    let new = work.secret(Role::New).await?;
    let seen = tried(work, old, new.as_deref()).await;
    let (outcome, detail) = match &seen {
        None => (StepOutcome::Skipped, "not asked: the client does not use its secret there".to_owned()),
        Some(seen) => {
            // The words are about what is live and what is not: here the old one is the one that is set.
            let swapped =
                describe(seen).replace("the new secret", "the secret set").replace("the old secret", "the other");
            let outcome = if seen.complete() { StepOutcome::Done } else { StepOutcome::Failed };
            (outcome, swapped)
        }
    };
    let rejected = matches!(&seen, Some(Verification { new: Probe::Rejected, .. }));
    work.verification = seen;
    work.record(Note::default().step(Step::Verify, outcome, detail.clone())).await?;
    if rejected {
        let message = format!("“{}”, on the way back: {detail}", super::called(work.subject));
        let hint = "`rollover rollback` asks again and goes on.";
        return Err(work.stop(Trouble::new(TroubleKind::NotVerified, message, hint)));
    }
    Ok(())
}
