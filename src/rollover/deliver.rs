use std::sync::Arc;

use super::work::{Note, Work};
use super::{Desk, Ended, Listener, Subject, Trouble, TroubleKind};
use crate::domain::rollover::{Phase, Role, State, TargetRow, TargetState};
use crate::domain::rotation::{Step, StepOutcome};
use crate::domain::target::{Slots, Target};
use crate::domain::{ContentHash, Secret};
use crate::targets::{self, TargetError, TargetErrorKind};

/// Writes the pending secret to every target as the fallback, and reads it back. Targets that hold it already are left alone.
///
/// # Errors
/// Where there is no staged rollover, or a target cannot be written; the others are done all the same.
pub async fn deliver(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    if !matches!(work.row.state, State::Staged | State::Delivered | State::Rejected) {
        let message = format!("there is nothing to deliver: the rollover is {}", work.row.state.words());
        return Err(work.stop(Trouble::not_now(message, next_step(&work))));
    }
    delivered(&mut work, Persist::ByHand).await?;
    Ok(work.done())
}

fn next_step(work: &Work<'_>) -> String {
    work.row.next().map(|next| format!("`rollover {next}` comes next.")).unwrap_or_default()
}

/// What to do with a target that holds something else than before and after.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Persist {
    /// A person asked for it just now: what is there now is what is changed.
    ByHand,
    /// Going on after a crash: a person has to ask for it.
    AfterCrash,
}

/// The step by that name: with every target holding the pending secret, the rollover is delivered.
pub(super) async fn delivered(work: &mut Work<'_>, persist: Persist) -> Result<(), Trouble> {
    if work.row.state == State::Rejected {
        work.record(Note::to(State::Staged)).await?;
    }
    let again = work.row.state == State::Delivered;
    if again {
        // Looked at again from the start: somebody may have changed a target, or added one.
        work.record(Note::to(State::Staged)).await?;
    }
    work.began(Step::Deliver);
    let count = write_all(work, Phase::Deliver, persist).await?;
    if count == 0 {
        let detail = "there is no target; the apps must get the new secret some other way before the cutover";
        return work.record(Note::default().step(Step::Deliver, StepOutcome::Skipped, detail)).await;
    }
    let looked = if again { "looked at again, " } else { "" };
    let detail = format!("{looked}{count} of {count} targets hold it as the fallback");
    work.record(Note::to(State::Delivered).step(Step::Deliver, StepOutcome::Done, detail)).await
}

/// Brings every target to what it shall hold in this phase; how many there are.
pub(super) async fn write_all(work: &mut Work<'_>, phase: Phase, persist: Persist) -> Result<usize, Trouble> {
    let step = match phase {
        Phase::Deliver => Step::Deliver,
        Phase::Promote => Step::Promote,
        Phase::Retire => Step::Retire,
        Phase::Restore => Step::Restore,
    };
    let subject = work.subject;
    let mut failed: Vec<(String, String)> = Vec::new();
    for (number, target) in subject.targets.iter().enumerate() {
        let name = crate::domain::untrusted::shown(&target.name).into_owned();
        work.note(step, format!("{name}, {} of {}", number + 1, subject.targets.len()));
        if let Err(why) = write_one(work, target, phase, persist).await? {
            failed.push((name, why));
        }
    }
    if failed.is_empty() {
        return Ok(subject.targets.len());
    }
    let all: Vec<_> = failed.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    let message = format!(
        "{} of {} targets could not be brought up to date: {}",
        failed.len(),
        subject.targets.len(),
        all.join("; ")
    );
    work.record(Note::default().step(step, StepOutcome::Failed, message.clone())).await?;
    let hint = "What is done stays done; run the same again once it is mended.";
    Err(work.stop(Trouble::new(TroubleKind::Targets, message, hint)))
}

/// Why a target is not as it shall be; safe to print.
type Written = Result<(), String>;

async fn write_one(work: &mut Work<'_>, target: &Target, phase: Phase, persist: Persist) -> Result<Written, Trouble> {
    let row = row_of(work, target, phase);
    let wanted = match wanted(work, target, phase).await? {
        Ok(wanted) => wanted,
        Err(error) => return fail(work, &row, &error).await,
    };
    let key = Arc::clone(&work.desk.key);
    let prepared = targets::prepare(target, &work.subject.client_id, &wanted, phase, &key).await;
    let prepared = match prepared {
        Ok(prepared) => prepared,
        Err(error) => return fail(work, &row, &error).await,
    };
    if persist == Persist::AfterCrash && is_foreign(&row, prepared.before) {
        let detail = "it holds something else than before and after: somebody else wrote it while it was being written";
        put(work, TargetRow { state: TargetState::Conflict, detail: detail.to_owned(), ..row }).await?;
        return Ok(Err(detail.to_owned()));
    }
    let warnings = prepared.warnings.join("; ");
    let (before, after) = (prepared.before, prepared.after);
    let unchanged = before.is_some() && before == after;
    // What runs after a delivery has run where this was verified before; where it was only written, nobody knows.
    if !unchanged || row.state != TargetState::Verified {
        if !unchanged {
            put(work, TargetRow { state: TargetState::Writing, before, after, detail: String::new(), ..row.clone() })
                .await?;
            if let Err(error) = targets::write(prepared).await {
                let row = TargetRow { before, after, ..row };
                return fail(work, &row, &error).await;
            }
        }
        put(work, TargetRow { state: TargetState::Written, before, after, detail: String::new(), ..row.clone() })
            .await?;
        if let Err(error) = targets::run_after(target).await {
            let detail = format!("it was written, but what is to run afterwards failed: {error}");
            put(work, TargetRow { state: TargetState::Failed, before, after, detail: detail.clone(), ..row }).await?;
            return Ok(Err(detail));
        }
    }
    let detail = match targets::read(target, &work.subject.client_id, &key).await {
        Ok(reading) if same(&reading.slots, &wanted) => warnings,
        Ok(_) => {
            let detail = "it was written, but reading it back shows something else".to_owned();
            put(work, TargetRow { state: TargetState::Failed, before, after, detail: detail.clone(), ..row }).await?;
            return Ok(Err(detail));
        }
        Err(error) if error.kind == TargetErrorKind::CannotRead => {
            "not read back: the target has no command to read with".to_owned()
        }
        Err(error) => return fail(work, &row, &error).await,
    };
    put(work, TargetRow { state: TargetState::Verified, before, after, detail, ..row }).await?;
    Ok(Ok(()))
}

/// What a target shall hold in this phase.
async fn wanted(work: &mut Work<'_>, target: &Target, phase: Phase) -> Result<Result<Slots, TargetError>, Trouble> {
    let old = work.secret(Role::Old).await?;
    let held = |role: Role| (role, work.row.holds(role));
    debug_assert!(held(Role::New).1 || phase == Phase::Restore);
    Ok(Ok(match phase {
        Phase::Deliver => {
            let new = work.needed(Role::New).await?;
            // What apps try first stays what it is: it is not ours to mend by the way. Where there is nothing, or it cannot be
            // seen, it is the live one.
            let present = present(work, target).await?;
            let present = match present {
                Ok(present) => present.and_then(|slots| slots.current),
                Err(error) => return Ok(Err(error)),
            };
            Slots { current: present.or(old), fallback: Some(new) }
        }
        Phase::Promote => {
            let new = work.needed(Role::New).await?;
            // After rotating now the old secret is dead, and maybe in the wrong hands: it is nobody's fallback.
            let fallback = if work.row.mode == crate::domain::Mode::Set { old } else { None };
            Slots { current: Some(new), fallback }
        }
        Phase::Retire => Slots { current: Some(work.needed(Role::New).await?), fallback: None },
        Phase::Restore => {
            let present = present(work, target).await?;
            let present = match present {
                Ok(present) => present.and_then(|slots| slots.current),
                Err(error) => return Ok(Err(error)),
            };
            let ours = match &present {
                Some(secret) => work.is(Role::New, secret).await?,
                None => true,
            };
            // A secret that somebody else put there stays.
            Slots { current: if ours { old } else { present }, fallback: None }
        }
    }))
}

/// What a target holds; `None` where it cannot be looked at.
async fn present(work: &mut Work<'_>, target: &Target) -> Result<Result<Option<Slots>, TargetError>, Trouble> {
    match targets::read(target, &work.subject.client_id, &work.desk.key).await {
        Ok(reading) => Ok(Ok(Some(reading.slots))),
        Err(error) if error.kind == TargetErrorKind::CannotRead => Ok(Ok(None)),
        Err(error) => Ok(Err(error)),
    }
}

fn row_of(work: &Work<'_>, target: &Target, phase: Phase) -> TargetRow {
    let todo = TargetRow {
        name: target.name.clone(),
        phase,
        state: TargetState::Todo,
        before: None,
        after: None,
        detail: String::new(),
    };
    let known = work.row.targets.iter().find(|row| row.name == target.name && row.phase == phase);
    known.cloned().unwrap_or(todo)
}

/// Whether it was being written when the program died, and is now neither what it was nor what it was to be.
fn is_foreign(row: &TargetRow, now: Option<ContentHash>) -> bool {
    let Some(now) = now else { return false };
    match row.state {
        TargetState::Writing => Some(now) != row.before && Some(now) != row.after,
        TargetState::Conflict => true,
        _ => false,
    }
}

async fn put(work: &mut Work<'_>, row: TargetRow) -> Result<(), Trouble> {
    work.record(Note { targets: vec![row], ..Note::default() }).await
}

async fn fail(work: &mut Work<'_>, row: &TargetRow, error: &TargetError) -> Result<Written, Trouble> {
    let state = if error.kind == TargetErrorKind::Changed { TargetState::Conflict } else { TargetState::Failed };
    let detail =
        if error.hint.is_empty() { error.message.clone() } else { format!("{} {}", error.message, error.hint) };
    put(work, TargetRow { state, detail: detail.clone(), ..row.clone() }).await?;
    Ok(Err(detail))
}

fn same(one: &Slots, other: &Slots) -> bool {
    let same = |one: &Option<Arc<Secret>>, other: &Option<Arc<Secret>>| match (one, other) {
        (Some(one), Some(other)) => one.same_as(other),
        (None, None) => true,
        _ => false,
    };
    same(&one.current, &other.current) && same(&one.fallback, &other.fallback)
}
