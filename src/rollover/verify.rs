use std::time::Duration;

use tokio::time::Instant;

use super::cutover::{conflict, set_back};
use super::now::known;
use super::reconcile::{doubt, reconcile};
use super::work::{Note, Work};
use super::{Desk, Ended, Listener, Subject, Trouble, TroubleKind};
use crate::domain::Secret;
use crate::domain::rollover::{Role, Seen, State};
use crate::domain::rotation::{Probe, Step, StepOutcome, Verification};

/// Looks whether Auth0 shows the new secret, and asks the token endpoint until it takes the new one and refuses the old one, or the
/// time is over.
///
/// # Errors
/// Where it does not take the new one, or Auth0 shows another.
pub async fn verify(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    let mut work = Work::resume(desk, subject, progress).await?;
    verified(&mut work, true).await?;
    Ok(work.done())
}

/// The step by that name. `again`: although it was verified before.
pub(super) async fn verified(work: &mut Work<'_>, again: bool) -> Result<(), Trouble> {
    if matches!(work.row.state, State::Sending | State::InDoubt) {
        reconcile(work).await?;
    }
    known(work).await?;
    let live = matches!(work.row.state, State::Verified | State::Promoting | State::Holding);
    if live && !again {
        return Ok(());
    }
    if !live && work.row.state != State::Applied {
        let message = format!("there is nothing to verify: the rollover is {}", work.row.state.words());
        let hint = work.row.next().map(|next| format!("`rollover {next}` comes next.")).unwrap_or_default();
        return Err(work.stop(Trouble::not_now(message, hint)));
    }
    work.began(Step::Verify);
    shown(work).await?;
    let new = work.secret(Role::New).await?;
    let old = work.secret(Role::Old).await?;
    let seen = match &new {
        Some(new) => tried(work, new, old.as_deref()).await,
        None => None,
    };
    let (outcome, detail) = match &seen {
        None => {
            let why = work.subject.auth.instead_of_secret().unwrap_or_else(|| "the secret is not known".to_owned());
            (StepOutcome::Skipped, format!("not asked: {why}"))
        }
        Some(seen) if seen.complete() => (StepOutcome::Done, describe(seen)),
        Some(seen) if matches!(seen.new, Probe::Unknown(_)) => (StepOutcome::Skipped, describe(seen)),
        Some(seen) => (StepOutcome::Failed, describe(seen)),
    };
    let rejected = matches!(&seen, Some(Verification { new: Probe::Rejected, .. }));
    work.verification = seen;
    if rejected {
        work.record(Note::default().step(Step::Verify, outcome, detail.clone())).await?;
        let message = format!("“{}”: {detail}", super::called(work.subject));
        let hint = "`rollover verify` asks again; `rollover rollback` makes the old secret live again.";
        return Err(work.stop(Trouble::new(TroubleKind::NotVerified, message, hint)));
    }
    let note = if live { Note::default() } else { Note::to(State::Verified) };
    work.record(note.detail(detail.clone()).step(Step::Verify, outcome, detail)).await
}

/// Waits until Auth0 shows the new secret: what it shows may lag behind what it took.
async fn shown(work: &mut Work<'_>) -> Result<(), Trouble> {
    let begun = Instant::now();
    let mut pause = Duration::from_millis(250);
    loop {
        let (seen, live, error) = work.look().await?;
        match seen {
            Seen::New | Seen::NotVisible => {
                work.seen_live = true;
                return Ok(());
            }
            Seen::Other => return Err(conflict(work, live.as_ref(), Step::Verify).await?),
            Seen::Failed => {
                let error =
                    error.map_or_else(|| Trouble::not_now("the live secret could not be read", ""), Trouble::from);
                return Err(work.stop(error));
            }
            Seen::Old if work.row.state != State::Applied => return Err(set_back(work, Step::Verify).await?),
            Seen::Old if begun.elapsed() + pause > work.desk.patience.quiesce => {
                let reason = "Auth0 took the new secret, but shows the old one";
                let note = Note { doubt: Some(Some(doubt(work, reason))), ..Note::to(State::InDoubt) };
                work.record(note.detail(reason).step(Step::Verify, StepOutcome::InDoubt, reason)).await?;
                return Err(work.stop(Trouble::new(TroubleKind::InDoubt, reason, "`rollover resume` settles it.")));
            }
            Seen::Old => {
                work.note(Step::Verify, "Auth0 still shows the old secret");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(Duration::from_secs(4));
            }
        }
    }
}

/// Asks the token endpoint until the new secret is accepted and the old one refused, or the time is over. `None` where the
/// client does not use its secret there.
pub(super) async fn tried(work: &mut Work<'_>, new: &Secret, old: Option<&Secret>) -> Option<Verification> {
    if work.subject.auth.instead_of_secret().is_some() {
        return None;
    }
    let begun = Instant::now();
    let mut pause = Duration::from_millis(500).min(work.desk.patience.verify);
    loop {
        let (api, id, auth) = (&work.desk.api, &work.subject.client_id, &work.subject.auth);
        let seen = Verification {
            new: api.probe(id, new, auth).await,
            old: match old {
                Some(old) => Some(api.probe(id, old, auth).await),
                None => None,
            },
        };
        let unknown = matches!(seen.new, Probe::Unknown(_)) && !matches!(seen.old, Some(Probe::Accepted));
        if seen.complete() || unknown || begun.elapsed() + pause >= work.desk.patience.verify {
            return Some(seen);
        }
        work.note(Step::Verify, format!("{}; propagation, up to 30 s", describe(&seen)));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(4));
    }
}

pub(super) fn describe(seen: &Verification) -> String {
    let one = |which: &str, probe: &Probe| match probe {
        Probe::Accepted => format!("the {which} secret is accepted"),
        Probe::Rejected => format!("the {which} secret is refused"),
        Probe::Unknown(why) => format!("the {which} secret could not be tried ({why})"),
    };
    let mut text = one("new", &seen.new);
    if let Some(old) = &seen.old {
        text.push_str(", ");
        text.push_str(&one("old", old));
    }
    text
}
