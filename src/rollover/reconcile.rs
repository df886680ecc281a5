use std::sync::Arc;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::cutover::{Sent, another_actor, conflict, send};
use super::work::{Note, Work};
use super::{Patience, Trouble, TroubleKind};
use crate::domain::Secret;
use crate::domain::rollover::{Decision, Doubt, EQUAL_READS, Mode, Reconcile, Role, Rollover, Seen, State};
use crate::domain::rotation::{Probe, Progress, Step, StepOutcome, StepReport};

/// What a request that has just been lost leaves behind.
pub(super) fn doubt(work: &Work<'_>, reason: &str) -> Doubt {
    let quiesce = i64::try_from(work.desk.patience.quiesce.as_secs()).unwrap_or(i64::MAX);
    Doubt { reason: reason.to_owned(), quiesce_until: (work.desk.clock)() + quiesce }
}

/// Finds out what a request came to, and goes on to `applied` where it is in. For sending, in doubt and applied; the way back has
/// its own in `rollback`.
pub(super) async fn reconcile(work: &mut Work<'_>) -> Result<(), Trouble> {
    if work.row.state == State::Applied && work.row.doubt.is_none() {
        return Ok(());
    }
    if work.row.state.after_a_crash() != work.row.state {
        let reason = "the program ended before the answer came";
        let note = Note { doubt: Some(Some(doubt(work, reason))), ..Note::to(work.row.state.after_a_crash()) };
        work.record(note.detail(reason).step(Step::CutOver, StepOutcome::InDoubt, reason)).await?;
    }
    work.began(Step::ReadAfter);
    let mut equal = 0;
    loop {
        let (seen, live, error) = work.look().await?;
        let until = work.row.doubt.as_ref().map_or(0, |doubt| doubt.quiesce_until);
        let wait = work.desk.left(until);
        if seen == Seen::Old && wait.is_zero() {
            equal += 1;
        }
        let asked = Reconcile {
            mode: work.row.mode,
            attempt: work.row.attempt,
            answer_stored: work.row.mode == Mode::Server && work.row.holds(Role::New),
            quiet: wait.is_zero() && equal >= EQUAL_READS,
            another_actor: if seen == Seen::Other { another_actor(work).await } else { None },
        };
        match asked.decide(seen) {
            Decision::IsIn => return is_in(work, live).await,
            Decision::Adopt => return adopt(work, live).await,
            Decision::WaitThenRead => {
                let (pause, why) = if wait.is_zero() {
                    (work.desk.patience.apart, format!("still the old secret, read {equal} of {EQUAL_READS}"))
                } else {
                    (wait, "still the old secret; a late request may still arrive".to_owned())
                };
                work.note(Step::ReadAfter, why);
                tokio::time::sleep(pause).await;
            }
            Decision::SendAgain => {
                let detail = "it was not applied; the same secret is sent again, which is the same as sending it once";
                work.passed(Step::ReadAfter, StepOutcome::Done, detail);
                let new = work.needed(Role::New).await?;
                if let Sent::Applied = send(work, &new, Step::CutOver, None).await? {
                    return Ok(());
                }
                equal = 0;
            }
            Decision::SendAndProbe => {
                let unsettled = work.row.doubt.clone();
                let new = work.needed(Role::New).await?;
                if let Sent::Applied = send(work, &new, Step::CutOver, unsettled).await? {
                    return Ok(());
                }
                if work.desk.api.probe(&work.subject.client_id, &new, &work.subject.auth).await == Probe::Accepted {
                    return is_in(work, None).await;
                }
            }
            Decision::ProbeOld => return probe_old(work).await,
            Decision::Ask => {
                let detail = "the secret is still the old one: the request was not applied, as far as can be seen";
                if work.row.mode == Mode::Set {
                    // Whoever goes on after this was asked: the count begins anew.
                    work.record(Note { attempt: Some(0), ..Note::default() }).await?;
                }
                return Err(stays(work, detail, ask_hint(work.row.mode)).await?);
            }
            Decision::Conflict => return Err(conflict(work, live.as_ref(), Step::ReadAfter).await?),
            Decision::Stay => {
                let why = error.map_or_else(String::new, |error| format!(": {error}"));
                let detail = format!("the live secret could not be read{why}");
                return Err(stays(
                    work,
                    &detail,
                    "`rollover resume` tries again; nothing else can be done to this client before.",
                )
                .await?);
            }
        }
    }
}

/// Whether a request in doubt was not applied and cannot be any more: the secret is the old one, after the time in which a late
/// request may arrive, in as many reads as settle it.
pub(super) async fn was_not_applied(work: &mut Work<'_>) -> Result<bool, Trouble> {
    let mut equal = 0;
    loop {
        wait_for_late_ones(work).await;
        let (seen, ..) = work.look().await?;
        if seen != Seen::Old {
            return Ok(false);
        }
        equal += 1;
        if equal >= EQUAL_READS {
            return Ok(true);
        }
        work.note(Step::ReadAfter, format!("still the old secret, read {equal} of {EQUAL_READS}"));
        tokio::time::sleep(work.desk.patience.apart).await;
    }
}

/// Waits until a request whose answer was lost cannot arrive any more.
pub(super) async fn wait_for_late_ones(work: &mut Work<'_>) {
    let until = work.row.doubt.as_ref().map_or(0, |doubt| doubt.quiesce_until);
    let wait = work.desk.left(until.max(may_arrive_until(&work.row, &work.desk.patience)));
    if !wait.is_zero() {
        work.note(Step::ReadAfter, "a late request may still arrive");
        tokio::time::sleep(wait).await;
    }
}

/// Until when a request of ours for this rollover may still arrive, whatever was settled of it since: its answer was lost. Seconds
/// since 1970; 0 where none was lost. Who sends another value waits for that, or the late one would take its place.
pub(super) fn may_arrive_until(row: &Rollover, patience: &Patience) -> i64 {
    let lost = row.steps.iter().filter(|step| {
        step.outcome == StepOutcome::InDoubt && matches!(step.step, Step::CutOver | Step::RollBack | Step::Rotate)
    });
    let at = |step: &StepReport| OffsetDateTime::parse(&step.at, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp);
    let quiesce = i64::try_from(patience.quiesce.as_secs()).unwrap_or(i64::MAX);
    lost.map(|step| at(step).saturating_add(quiesce)).max().unwrap_or_default()
}

fn ask_hint(mode: Mode) -> &'static str {
    match mode {
        Mode::Set => "`rollover resume` tries once more; `rollover abandon` gives it up.",
        Mode::Server => {
            "It is not sent again by itself. `rollover abandon` lets it rest, and it can be rotated again then."
        }
    }
}

/// It is in: that is recorded, and who signs in with it learns of it.
async fn is_in(work: &mut Work<'_>, live: Option<Arc<Secret>>) -> Result<(), Trouble> {
    let new = match (live, work.row.mode) {
        (Some(live), _) => live,
        (None, _) => work.needed(Role::New).await?,
    };
    let note = Note::to(State::Applied).settled().seal(Role::New, &new);
    let detail = "Auth0 has the new secret: the request was applied";
    work.record(note.detail(detail).step(Step::ReadAfter, StepOutcome::Done, detail)).await?;
    work.keep_own(&new).await?;
    work.tell(Progress::Live(new));
    Ok(())
}

/// What Auth0 chose is known from here alone: it is sealed before anybody sees it.
async fn adopt(work: &mut Work<'_>, live: Option<Arc<Secret>>) -> Result<(), Trouble> {
    let Some(live) = live else { return Err(work.stop(Trouble::not_now("there is nothing to adopt", ""))) };
    let note = Note::to(State::Applied).settled().seal(Role::New, &live);
    let detail = "the secret has changed: it was rotated";
    work.record(note.detail(detail).step(Step::ReadAfter, StepOutcome::Done, detail)).await?;
    work.keep_own(&live).await?;
    work.tell(Progress::Live(live));
    Ok(())
}

/// Auth0's own choice cannot be seen: the token endpoint says at least whether the old one still lives.
async fn probe_old(work: &mut Work<'_>) -> Result<(), Trouble> {
    let old = work.secret(Role::Old).await?;
    let probe = match &old {
        Some(old) => work.desk.api.probe(&work.subject.client_id, old, &work.subject.auth).await,
        None => Probe::Unknown("the secret could not be read before the change".to_owned()),
    };
    if probe == Probe::Accepted {
        let detail = "the token endpoint still takes the old secret: it was not rotated, as far as can be seen";
        return Err(stays(work, detail, ask_hint(Mode::Server)).await?);
    }
    let detail = match probe {
        Probe::Rejected => "it was rotated, and the new secret cannot be read with this token".to_owned(),
        Probe::Unknown(why) => format!("it cannot be told whether it was rotated: {why}"),
        Probe::Accepted => String::new(),
    };
    work.record(Note::to(State::Unknown).detail(detail.clone()).step(
        Step::ReadAfter,
        StepOutcome::Failed,
        detail.clone(),
    ))
    .await?;
    let hint = "Grant read:client_keys and run `rollover resume`; or look at the dashboard, or rotate once more.";
    Err(work.stop(Trouble::new(TroubleKind::InDoubt, detail, hint)))
}

/// It stays in doubt.
async fn stays(work: &mut Work<'_>, detail: &str, hint: &str) -> Result<Trouble, Trouble> {
    let reason = work.row.doubt.as_ref().map(|doubt| doubt.reason.clone()).unwrap_or_default();
    let doubt = Doubt { reason, quiesce_until: work.row.doubt.as_ref().map_or(0, |doubt| doubt.quiesce_until) };
    let note = Note { doubt: Some(Some(doubt)), ..Note::to(State::InDoubt) };
    work.record(note.detail(detail).step(Step::ReadAfter, StepOutcome::InDoubt, detail)).await?;
    let name = super::called(work.subject);
    let reason = work.row.doubt.as_ref().map(|doubt| doubt.reason.as_str()).unwrap_or_default();
    Ok(work.stop(Trouble::new(TroubleKind::InDoubt, format!("“{name}” is in doubt: {reason}; {detail}"), hint)))
}
