use std::sync::Arc;

use super::cutover::{conflict, set_back};
use super::deliver::{Persist, write_all};
use super::work::{Note, Work};
use super::{Desk, Ended, Listener, Subject, Trouble};
use crate::domain::rollover::{Phase, Role, Seen, State};
use crate::domain::rotation::{Step, StepOutcome};

/// Rewrites every target with the new secret first and the old one as its fallback, so that going back needs no delivery; then the
/// rollover holds.
///
/// # Errors
/// Where nothing is verified yet, or a target cannot be written; the others are done all the same.
pub async fn promote(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    promoted(&mut work, Persist::ByHand).await?;
    Ok(work.done())
}

pub(super) async fn promoted(work: &mut Work<'_>, persist: Persist) -> Result<(), Trouble> {
    match work.row.state {
        State::Verified | State::Promoting => {}
        State::Holding if persist == Persist::ByHand => {}
        State::Holding => return Ok(()),
        other => {
            let message = format!("there is nothing to promote: the rollover is {}", other.words());
            let hint = work.row.next().map(|next| format!("`rollover {next}` comes first.")).unwrap_or_default();
            return Err(work.stop(Trouble::not_now(message, hint)));
        }
    }
    work.began(Step::Promote);
    still_live(work, Step::Promote).await?;
    if work.subject.targets.is_empty() {
        // Nothing is written, so nothing can break off in between.
        return work.record(without_targets()).await;
    }
    work.record(Note::to(State::Promoting)).await?;
    let count = write_all(work, Phase::Promote, persist).await?;
    let detail = format!("{count} of {count} targets hold the new secret first");
    let note = Note::to(State::Holding).detail("both secrets are kept");
    work.record(note.step(Step::Promote, StepOutcome::Done, detail)).await
}

fn without_targets() -> Note {
    let note = Note::to(State::Promoting).then(State::Holding).detail("both secrets are kept");
    note.step(Step::Promote, StepOutcome::Skipped, "there is no target")
}

/// From verified to the end, where there is no target: in one go.
pub(super) async fn retired_at_once(work: &mut Work<'_>) -> Result<(), Trouble> {
    work.began(Step::Retire);
    still_live(work, Step::Retire).await?;
    let note = without_targets().then(State::Retired);
    drop_old(work, note, "the old secret is wiped from the ledger".to_owned()).await
}

/// Drops the old secret: from every target, then from the ledger. There is no going back after this.
///
/// # Errors
/// Where the rollover does not hold, or a target cannot be written; then the old secret is still kept.
pub async fn retire(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    retired(&mut work).await?;
    Ok(work.done())
}

pub(super) async fn retired(work: &mut Work<'_>) -> Result<(), Trouble> {
    if work.row.state != State::Holding {
        let message = format!("there is nothing to retire: the rollover is {}", work.row.state.words());
        let hint = work.row.next().map(|next| format!("`rollover {next}` comes first.")).unwrap_or_default();
        return Err(work.stop(Trouble::not_now(message, hint)));
    }
    work.began(Step::Retire);
    still_live(work, Step::Retire).await?;
    let count = write_all(work, Phase::Retire, Persist::ByHand).await?;
    let detail = match count {
        0 => "the old secret is wiped from the ledger".to_owned(),
        count => format!("the old secret is gone from {count} targets, and wiped from the ledger"),
    };
    drop_old(work, Note::to(State::Retired), detail).await
}

/// Wipes the old secret, and copies the ledger.
async fn drop_old(work: &mut Work<'_>, note: Note, detail: String) -> Result<(), Trouble> {
    let wipe = [Role::Old, Role::Observed].into_iter().filter(|role| work.row.holds(*role)).collect();
    let note = Note { wipe, wipe_earlier: true, ..note }.settled();
    work.record(note.detail(String::new()).step(Step::Retire, StepOutcome::Done, detail)).await?;
    backup(work).await;
    Ok(())
}

/// Sees that the new secret is what Auth0 has, before it takes the place of another one in the targets: somebody may have changed it
/// since it was verified, and a ledger that was put back from a copy knows nothing of the rollovers after it.
async fn still_live(work: &mut Work<'_>, step: Step) -> Result<(), Trouble> {
    if work.seen_live {
        return Ok(());
    }
    let (seen, live, error) = work.look().await?;
    match seen {
        Seen::New | Seen::NotVisible => Ok(()),
        Seen::Other => Err(conflict(work, live.as_ref(), step).await?),
        Seen::Old => Err(set_back(work, step).await?),
        Seen::Failed => {
            let error = error.map_or_else(|| Trouble::not_now("the live secret could not be read", ""), Trouble::from);
            Err(work.stop(error))
        }
    }
}

/// A copy of the ledger after what is worth keeping. Where it cannot be made, that is told; the rollover is done all the same.
async fn backup(work: &mut Work<'_>) {
    let (ledger, now) = (Arc::clone(&work.desk.ledger), (work.desk.clock)());
    if let Err(error) = super::work::blocking(move || ledger.backup(None, now)).await {
        work.note(Step::Retire, format!("no backup of the ledger was made: {error}"));
    }
}
