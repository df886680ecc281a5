use super::reconcile::{doubt, reconcile};
use super::work::{Note, Work};
use super::{Desk, Ended, Listener, Subject, Trouble, TroubleKind};
use crate::auth0::{Api, Applied, Error, ErrorKind};
use crate::domain::Untrusted;
use crate::domain::rollover::{Doubt, Phase, Role, Seen, State, TargetState};
use crate::domain::rotation::{Step, StepOutcome};
use std::sync::Arc;

/// Makes the pending secret live: reads the live one again, and refuses if it is not the one that was staged against; then sends one
/// `PATCH`. `anyway`: although targets lack the pending secret.
///
/// # Errors
/// [`TroubleKind::Conflict`] where somebody else changed the secret, [`TroubleKind::InDoubt`] where the answer was lost and
/// nothing settles it.
pub async fn cutover(desk: &Desk, subject: &Subject, anyway: bool, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    cut_over(&mut work, anyway).await?;
    Ok(work.done())
}

pub(super) async fn cut_over(work: &mut Work<'_>, anyway: bool) -> Result<(), Trouble> {
    match work.row.state {
        State::Staged | State::Delivered => {}
        State::Rejected => work.record(Note::to(State::Staged)).await?,
        // A crash, or a second try: what was sent is looked into first.
        State::Sending | State::InDoubt | State::Applied => return reconcile(work).await,
        State::Verified | State::Promoting | State::Holding => return Ok(()),
        other => {
            let message = format!("there is nothing to make live: the rollover is {}", other.words());
            let hint = work.row.next().map(|next| format!("`rollover {next}` comes next.")).unwrap_or_default();
            return Err(work.stop(Trouble::not_now(message, hint)));
        }
    }
    if !anyway {
        let lacking = lacking(work);
        if !lacking.is_empty() {
            let message = format!("{} lack the pending secret: their apps would fail", lacking.join(", "));
            let hint = "`rollover deliver` writes it there; --anyway cuts over all the same.";
            return Err(work.stop(Trouble::new(TroubleKind::Targets, message, hint)));
        }
    }
    work.began(Step::CutOver);
    let new = work.needed(Role::New).await?;
    let (seen, live, error) = work.look().await?;
    match seen {
        Seen::Old | Seen::NotVisible => {}
        Seen::New => {
            // Somebody made it live by hand: there is nothing to send.
            work.record(Note::to(State::Sending)).await?;
            let note = Note::to(State::Applied).settled();
            return work.record(note.step(Step::CutOver, StepOutcome::Skipped, "it is live already")).await;
        }
        Seen::Other => return Err(conflict(work, live.as_ref(), Step::CutOver).await?),
        Seen::Failed => {
            let error = error.map_or_else(|| Trouble::not_now("the live secret could not be read", ""), Trouble::from);
            return Err(work.stop(error));
        }
    }
    match send(work, &new, Step::CutOver, None).await? {
        Sent::Applied => Ok(()),
        Sent::Lost => reconcile(work).await,
    }
}

/// The targets whose apps would have no working secret.
fn lacking(work: &Work<'_>) -> Vec<String> {
    let verified = |name: &str| {
        work.row
            .targets
            .iter()
            .any(|row| row.name == name && row.phase == Phase::Deliver && row.state == TargetState::Verified)
    };
    let targets = work.subject.targets.iter().filter(|target| !verified(&target.name));
    targets.map(|target| crate::domain::untrusted::shown(&target.name).into_owned()).collect()
}

/// What became of a request.
pub(super) enum Sent {
    /// Auth0 took it, and that is recorded.
    Applied,
    /// Nobody knows, and that is recorded.
    Lost,
}

/// Sends the new secret once. That it is about to be is on the disk before the first byte. `unsettled`: the doubt about an earlier
/// request, which a refusal of this one does not settle.
pub(super) async fn send(
    work: &mut Work<'_>,
    new: &Arc<crate::domain::Secret>,
    step: Step,
    unsettled: Option<Doubt>,
) -> Result<Sent, Trouble> {
    let correlation = Api::correlation_id();
    let attempt = work.row.attempt + 1;
    let note = Note { attempt: Some(attempt), correlation_id: Some(correlation.clone()), ..Note::to(State::Sending) };
    work.record(note.settled()).await?;
    let answer = work.desk.api.set_secret(&work.subject.client_id, new, &correlation).await;
    match answer {
        Ok(_) => {
            let note = Note::to(State::Applied).settled();
            work.record(note.step(step, StepOutcome::Done, "Auth0 has the new secret")).await?;
            work.keep_own(new).await?;
            work.tell(crate::domain::rotation::Progress::Live(Arc::clone(new)));
            Ok(Sent::Applied)
        }
        Err(error) if error.applied == Applied::No && unsettled.is_some() => {
            let detail = format!("{error}; whether an earlier request was applied is not known");
            let note = Note { doubt: Some(unsettled), ..Note::to(State::InDoubt) };
            work.record(note.detail(detail.clone()).step(step, StepOutcome::InDoubt, detail)).await?;
            Err(work.stop(error.into()))
        }
        Err(error) if error.applied == Applied::No => Err(refused(work, error, step).await?),
        Err(error) => {
            let reason = error.to_string();
            work.lost = Some(error);
            let note = Note { doubt: Some(Some(doubt(work, &reason))), ..Note::to(State::InDoubt) };
            let detail = format!("no clear answer came: {reason}");
            work.record(note.detail(detail).step(step, StepOutcome::InDoubt, reason)).await?;
            Ok(Sent::Lost)
        }
    }
}

/// Nothing was applied, for certain.
pub(super) async fn refused(work: &mut Work<'_>, error: Error, step: Step) -> Result<Trouble, Trouble> {
    let detail = error.to_string();
    let note = Note::to(State::Rejected).settled().detail(detail.clone());
    work.record(note.step(step, StepOutcome::Failed, detail)).await?;
    let set = work.row.mode == crate::domain::Mode::Set;
    let again = matches!(error.kind, ErrorKind::Unauthorized | ErrorKind::RateLimited | ErrorKind::Unreachable);
    if set && again {
        // It can be sent as it is once that is mended.
        work.record(Note::to(State::Staged)).await?;
    } else if !set {
        super::stage::drop_early(work).await?;
    }
    Ok(work.stop(error.into()))
}

/// Somebody else changed the secret: what is there is sealed, and a person decides.
pub(super) async fn conflict(
    work: &mut Work<'_>,
    live: Option<&Arc<crate::domain::Secret>>,
    step: Step,
) -> Result<Trouble, Trouble> {
    let whose = who(work).await;
    let print = live.and_then(|live| work.desk.key.of(live));
    let seen = print.map_or_else(|| "a secret too short to have a fingerprint".to_owned(), |print| print.to_string());
    let message = format!(
        "Auth0 holds another secret ({seen}) than the one that this rollover began with: somebody else changed it. {whose}"
    );
    let note = Note::to(State::Conflict).detail(message.clone());
    let note = match live {
        Some(live) => note.seal(Role::Observed, live),
        None => note,
    };
    work.record(note.step(step, StepOutcome::Failed, message.clone())).await?;
    let hint = "`rollover resume --keep-theirs` goes on with theirs, --set-ours makes ours live; `rollover abandon` leaves \
                everything as it is.";
    Ok(work.stop(Trouble::new(TroubleKind::Conflict, message, hint)))
}

/// As [`conflict`], but that what is there is the secret from before: somebody went back to it.
pub(super) async fn set_back(work: &mut Work<'_>, step: Step) -> Result<Trouble, Trouble> {
    let whose = who(work).await;
    let message = format!("Auth0 has the secret from before again: somebody else set it. {whose}");
    // What was seen in an earlier conflict is not what this one is about.
    let wipe = [Role::Observed].into_iter().filter(|role| work.row.holds(*role)).collect();
    let note = Note { wipe, ..Note::to(State::Conflict) }.detail(message.clone());
    work.record(note.step(step, StepOutcome::Failed, message.clone())).await?;
    let hint = "`rollover rollback` puts the targets back too, `rollover resume --set-ours` makes ours live again; `rollover \
                abandon` leaves everything as it is.";
    Ok(work.stop(Trouble::new(TroubleKind::Conflict, message, hint)))
}

/// Whose change it was, where the tenant's log tells.
async fn who(work: &mut Work<'_>) -> String {
    let Ok(changes) = work.desk.api.secret_changes(&work.subject.client_id).await else {
        return "The tenant's log could not be read.".to_owned();
    };
    let ours = |id: &str| work.row.correlation_id.as_deref() == Some(id);
    match changes.iter().find(|change| !change.correlation_id.as_deref().is_some_and(ours)) {
        Some(change) => {
            let shown = |text: &Untrusted| text.shown().into_owned();
            format!(
                "The tenant's log names {} from {}, at {}.",
                shown(&change.by),
                shown(&change.address),
                shown(&change.at)
            )
        }
        None => "The tenant's log does not tell who (it may take a while).".to_owned(),
    }
}

/// Whether the tenant's log names somebody else than us since the rollover began; `None` where it does not tell.
pub(super) async fn another_actor(work: &mut Work<'_>) -> Option<bool> {
    let changes = work.desk.api.secret_changes(&work.subject.client_id).await.ok()?;
    let latest = changes.first()?;
    let began = work.row.began;
    let at = time::OffsetDateTime::parse(latest.at.raw(), &time::format_description::well_known::Rfc3339).ok()?;
    // The log's clock is the tenant's; a minute is what two clocks may differ by.
    (at.unix_timestamp() >= began - 60)
        .then(|| latest.correlation_id.is_none() || latest.correlation_id != work.row.correlation_id)
}
