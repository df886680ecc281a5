use super::abandon::abandoned;
use super::cutover::{Sent, conflict, cut_over, send, set_back};
use super::deliver::{Persist, delivered};
use super::now::finish;
use super::reconcile::{reconcile, wait_for_late_ones};
use super::retire::{promoted, retired};
use super::rollback::rolled_back;
use super::stage::{drop_early, staged};
use super::verify::verified;
use super::work::{Note, Work};
use super::{Desk, Ended, Listener, Subject, Trouble, TroubleKind};
use crate::domain::rollover::{Mode, Phase, Role, Seen, State, TargetState};
use crate::domain::rotation::{Step, StepOutcome};

/// The last step of a rollover to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Until {
    /// Choose the new secret.
    Stage,
    /// Write it to the targets as the fallback.
    Deliver,
    /// Make it live.
    Cutover,
    /// See that it is.
    Verify,
    /// Write it to the targets first. What a rollover does where nothing else is said.
    Promote,
    /// Drop the old one.
    Retire,
}

impl Until {
    /// All of them, in order.
    pub const ALL: [Self; 6] = [Self::Stage, Self::Deliver, Self::Cutover, Self::Verify, Self::Promote, Self::Retire];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Stage => "stage",
            Self::Deliver => "deliver",
            Self::Cutover => "cutover",
            Self::Verify => "verify",
            Self::Promote => "promote",
            Self::Retire => "retire",
        }
    }
}

/// What a person decides in a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Go on with the secret that somebody else made live: it becomes the new one.
    KeepTheirs,
    /// Make ours live in the place of theirs.
    SetOurs,
}

/// The whole rollover, up to a step; what is done already is not done again. `anyway`: although there is no target, or targets lack
/// the pending secret.
///
/// # Errors
/// As the steps.
pub async fn rotate(desk: &Desk, subject: &Subject, until: Until, anyway: bool, progress: Listener<'_>) -> Ended {
    let mut work = staged(desk, subject, progress).await?;
    if until == Until::Stage {
        return Ok(work.done());
    }
    if subject.targets.is_empty() && !anyway {
        let message = format!(
            "“{}” has no target: the apps must get the new secret before it becomes live",
            super::called(subject)
        );
        let hint = "`rollover target add` names one; --no-targets goes on without. The new secret is staged.";
        return Err(work.stop(Trouble::new(TroubleKind::Targets, message, hint)));
    }
    delivered(&mut work, Persist::ByHand).await?;
    if until == Until::Deliver {
        return Ok(work.done());
    }
    cut_over(&mut work, anyway).await?;
    if until == Until::Cutover {
        return Ok(work.done());
    }
    verified(&mut work, false).await?;
    if until == Until::Verify {
        return Ok(work.done());
    }
    promoted(&mut work, Persist::ByHand).await?;
    if until == Until::Retire {
        retired(&mut work).await?;
    }
    Ok(work.done())
}

/// The rollover from the cutover on, although targets lack the pending secret: a person was told which, and those are not tried
/// again before.
///
/// # Errors
/// As the steps.
pub async fn go_live_anyway(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    cut_over(&mut work, true).await?;
    verified(&mut work, false).await?;
    promoted(&mut work, Persist::ByHand).await?;
    Ok(work.done())
}

/// Goes on after a crash, or once a person has decided: settles what is in doubt, and finishes the step that was begun. What waits
/// for a person waits on.
///
/// # Errors
/// Where it stays in doubt, or a person has to decide.
pub async fn resume(desk: &Desk, subject: &Subject, choice: Option<Choice>, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    let begun = |work: &Work<'_>, phase: Phase| {
        work.row.targets.iter().any(|row| row.phase == phase && row.state != TargetState::Todo)
    };
    match work.row.state {
        State::Planned | State::Baselined => {
            drop_early(&mut work).await?;
            return Ok(work.done());
        }
        // A person gave it up: that is finished, and nothing is sent for which the targets are not ready any more.
        state if state.is_before_change() && begun(&work, Phase::Restore) => {
            abandoned(&mut work, Persist::AfterCrash).await?;
            return Ok(work.done());
        }
        // A refused request leaves nothing behind: of ours it can be sent again, of Auth0's choosing there is nothing to keep.
        State::Rejected if work.row.mode == Mode::Set => work.record(Note::to(State::Staged)).await?,
        State::Rejected => {
            drop_early(&mut work).await?;
            return Ok(work.done());
        }
        State::Staged if begun(&work, Phase::Deliver) => {
            delivered(&mut work, Persist::AfterCrash).await?;
            return Ok(work.done());
        }
        State::Staged | State::Delivered | State::Retired | State::RolledBack | State::Abandoned => {
            return Ok(work.done());
        }
        State::InDoubt if begun(&work, Phase::Restore) => {
            // As above, unless what was sent has arrived since.
            let (seen, ..) = work.look().await?;
            if seen == Seen::Old {
                abandoned(&mut work, Persist::AfterCrash).await?;
                return Ok(work.done());
            }
            reconcile(&mut work).await?;
        }
        State::Sending | State::InDoubt | State::Applied => reconcile(&mut work).await?,
        State::RollingBack => {
            rolled_back(&mut work, Persist::AfterCrash).await?;
            return Ok(work.done());
        }
        State::Conflict => {
            if decide(&mut work, choice).await? == Decided::GoBack {
                rolled_back(&mut work, Persist::ByHand).await?;
                return Ok(work.done());
            }
        }
        State::Unknown => look_again(&mut work).await?,
        State::Holding if begun(&work, Phase::Retire) => {
            // Retiring was asked for, and a person confirmed it.
            retired(&mut work).await?;
            return Ok(work.done());
        }
        State::Verified | State::Promoting | State::Holding => {}
    }
    if work.row.state == State::Staged {
        return Ok(work.done());
    }
    if work.row.mode == Mode::Server && work.row.state != State::Holding {
        return finish(work).await;
    }
    verified(&mut work, false).await?;
    promoted(&mut work, Persist::AfterCrash).await?;
    Ok(work.done())
}

/// What a decision comes to.
#[derive(PartialEq, Eq)]
enum Decided {
    /// It goes on with what is live.
    GoOn,
    /// What somebody else made live is the old secret: going on with that is going back.
    GoBack,
}

/// A conflict goes on as a person says.
async fn decide(work: &mut Work<'_>, choice: Option<Choice>) -> Result<Decided, Trouble> {
    if choice == Some(Choice::KeepTheirs) {
        // A request of ours that arrives after this would make live what the record has just let go of.
        wait_for_late_ones(work).await;
    }
    let (seen, live, _) = work.look().await?;
    if seen == Seen::New {
        // Whoever did it: ours is live.
        work.record(Note::to(State::Applied).settled()).await?;
        return Ok(Decided::GoOn);
    }
    match choice {
        None if seen == Seen::Old => Err(set_back(work, Step::ReadAfter).await?),
        Some(Choice::KeepTheirs) if seen == Seen::Old => Ok(Decided::GoBack),
        None => Err(conflict(work, live.as_ref(), Step::ReadAfter).await?),
        Some(Choice::KeepTheirs) => {
            let Some(live) = live else {
                let message = "the secret that is live cannot be read, so there is nothing to keep";
                return Err(work.stop(Trouble::not_now(message, "Grant read:client_keys.")));
            };
            let note = Note::to(State::Applied).settled().seal(Role::New, &live);
            let detail = "a person decided to go on with the secret that somebody else made live";
            work.record(note.detail(detail).step(Step::ReadAfter, StepOutcome::Done, detail)).await?;
            Ok(Decided::GoOn)
        }
        Some(Choice::SetOurs) => {
            work.began(Step::CutOver);
            let new = work.needed(Role::New).await?;
            let unsettled = work.row.doubt.clone();
            match send(work, &new, Step::CutOver, unsettled).await? {
                Sent::Applied => {}
                Sent::Lost => reconcile(work).await?,
            }
            Ok(Decided::GoOn)
        }
    }
}

/// What could not be told may be told now.
async fn look_again(work: &mut Work<'_>) -> Result<(), Trouble> {
    let (seen, live, _) = work.look().await?;
    // Where it is not known what was live before, what is live now is the working secret, whoever made it.
    if let (Seen::New | Seen::Other | Seen::NotVisible, Some(live)) = (seen, live) {
        let note = Note::to(State::Applied).settled().seal(Role::New, &live);
        let detail = "the secret that is live can be read now";
        return work.record(note.detail(detail).step(Step::ReadAfter, StepOutcome::Done, detail)).await;
    }
    let message = format!("“{}”: {}", super::called(work.subject), work.row.detail);
    let hint = "Grant read:client_keys; or `rollover abandon`, and rotate once more.";
    Err(work.stop(Trouble::new(TroubleKind::InDoubt, message, hint)))
}
