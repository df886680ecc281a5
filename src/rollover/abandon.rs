use super::deliver::{Persist, write_all};
use super::reconcile::{wait_for_late_ones, was_not_applied};
use super::work::{Note, Work};
use super::{Desk, Ended, Listener, Subject, Trouble};
use crate::domain::rollover::{Phase, Role, Seen, State, TargetState};
use crate::domain::rotation::{Step, StepOutcome};

/// Gives a rollover up, nothing having changed at Auth0: the pending secret is taken out of the targets and wiped. A conflict can be
/// given up too: then Auth0 and the targets stay as they are. Where a request was lost it waits until that cannot arrive any more:
/// what would be wiped is what that one would make live.
///
/// # Errors
/// Where the new secret is live already, or a target cannot be written.
pub async fn abandon(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    abandoned(&mut work, Persist::ByHand).await?;
    Ok(work.done())
}

pub(super) async fn abandoned(work: &mut Work<'_>, persist: Persist) -> Result<(), Trouble> {
    match work.row.state {
        State::Conflict | State::Unknown => {
            // A request of ours may have arrived since, in the place of what was seen: then what would be wiped is what is live.
            wait_for_late_ones(work).await;
            let (seen, ..) = work.look().await?;
            if seen == Seen::New {
                let message = "the new secret is live now, so it cannot be given up";
                let hint = "`rollover resume` goes on with it; `rollover rollback` makes the old secret live again.";
                return Err(work.stop(Trouble::not_now(message, hint)));
            }
            work.began(Step::Abandon);
            let detail = "a person gave it up: Auth0 and the targets are left as they are";
            return end(work, detail).await;
        }
        State::InDoubt => {
            work.began(Step::ReadAfter);
            if !was_not_applied(work).await? {
                let message = "the request may have been applied, so it cannot be given up";
                return Err(work.stop(Trouble::not_now(message, "`rollover resume` settles it.")));
            }
        }
        state if state.is_before_change() => {}
        other => {
            let message = format!("it is too late to give it up: the rollover is {}", other.words());
            return Err(work.stop(Trouble::not_now(message, "`rollover rollback` makes the old secret live again.")));
        }
    }
    work.began(Step::Abandon);
    let touched = work.row.targets.iter().any(|row| row.state != TargetState::Todo);
    if touched {
        write_all(work, Phase::Restore, persist).await?;
    }
    end(work, "nothing has changed at Auth0").await
}

async fn end(work: &mut Work<'_>, detail: &str) -> Result<(), Trouble> {
    let wipe = Role::ALL.into_iter().filter(|role| work.row.holds(*role)).collect();
    let note = Note { wipe, ..Note::to(State::Abandoned) }.settled();
    work.record(note.detail(detail).step(Step::Abandon, StepOutcome::Done, detail)).await
}
