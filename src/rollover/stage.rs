use std::sync::Arc;

use super::work::{Note, Work, blocking, take, wait_for_the_last_one};
use super::{Desk, Ended, Listener, Subject, Trouble};
use crate::auth0::{ErrorKind, SecretRead};
use crate::domain::Secret;
use crate::domain::client::not_rotatable;
use crate::domain::rollover::{Mode, Phase, Role, Rollover, RolloverId, State, TargetRow, TargetState};
use crate::domain::rotation::{Step, StepOutcome};
use crate::ledger::{Beginning, Lease};

/// The characters of a secret: Auth0's own alphabet, safe in shells, addresses, `.env` files and HTTP Basic.
const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";

/// Chooses the next secret and seals it in the ledger; nothing changes at Auth0, nor in any target. One that is staged already is
/// left as it is.
///
/// # Errors
/// Where the ledger or Auth0 fails, or another rollover of this client has not ended.
pub async fn stage(desk: &Desk, subject: &Subject, progress: Listener<'_>) -> Ended {
    staged(desk, subject, progress).await.map(Work::done)
}

pub(super) async fn staged<'a>(
    desk: &'a Desk,
    subject: &'a Subject,
    progress: Listener<'a>,
) -> Result<Work<'a>, Trouble> {
    if let Some(reason) = not_rotatable(&subject.auth) {
        let message = format!("“{}” cannot be rotated: {reason}", super::called(subject));
        return Err(Trouble::not_now(message, ""));
    }
    let (lease, latest) = take(desk, subject).await?;
    let last = latest.clone();
    if let Some(latest) = latest.filter(|latest| !latest.state.is_final()) {
        match latest.state {
            // Nothing happened yet: it is dropped, and begun anew below.
            State::Planned | State::Baselined => {
                let mut quiet = |_| {};
                let mut dropped = Work::new(desk, subject, Arc::clone(&lease), latest, &mut quiet);
                drop_early(&mut dropped).await?;
            }
            State::Staged | State::Delivered if latest.mode == Mode::Set => {
                return Ok(Work::new(desk, subject, lease, latest, progress));
            }
            _ => {
                let message = format!(
                    "the last rollover of “{}” has not ended: {}",
                    super::called(subject),
                    latest.state.words()
                );
                let hint = match latest.next() {
                    Some(next) => format!("`rollover {next}` comes first."),
                    None => String::new(),
                };
                return Err(Trouble::not_now(message, hint).with(&latest));
            }
        }
    }
    wait_for_the_last_one(desk, last.as_ref(), progress).await;
    let mut work = begin(desk, subject, lease, Mode::Set, progress).await?;
    work.began(Step::Stage);
    let baselined = baseline(&mut work).await?;
    let secret = Arc::new(choose()?);
    let note = baselined.then(State::Staged).seal(Role::New, &secret);
    work.record(note.step(Step::Stage, StepOutcome::Done, "the new secret is sealed; nothing has changed at Auth0"))
        .await?;
    Ok(work)
}

/// Gives up what never came further than a plan.
pub(super) async fn drop_early(work: &mut Work<'_>) -> Result<(), Trouble> {
    let wipe = Role::ALL.into_iter().filter(|role| work.row.holds(*role)).collect();
    let note = Note { wipe, ..Note::to(State::Abandoned) };
    work.record(note.detail("it ended before anything was chosen or sent")).await
}

/// Records that a rollover begins.
pub(super) async fn begin<'a>(
    desk: &'a Desk,
    subject: &'a Subject,
    lease: Arc<Lease>,
    mode: Mode,
    progress: Listener<'a>,
) -> Result<Work<'a>, Trouble> {
    progress(crate::domain::rotation::Progress::Began(Step::Record));
    let phase = if mode == Mode::Set { Phase::Deliver } else { Phase::Promote };
    let targets = subject.targets.iter().map(|target| TargetRow {
        name: target.name.clone(),
        phase,
        state: TargetState::Todo,
        before: None,
        after: None,
        detail: String::new(),
    });
    let beginning =
        Beginning { id: number()?, name: subject.name.clone(), mode, targets: targets.collect(), now: (desk.clock)() };
    let ledger = Arc::clone(&desk.ledger);
    let held = Arc::clone(&lease);
    let row: Rollover = blocking(move || ledger.begin(&held, &beginning)).await?;
    let mut work = Work::new(desk, subject, lease, row, progress);
    let row = Box::new(work.row.clone());
    work.tell(crate::domain::rotation::Progress::Recorded(row));
    Ok(work)
}

/// Reads the secret that is live, where it can be read: the note that seals it, to be recorded with what comes next.
pub(super) async fn baseline(work: &mut Work<'_>) -> Result<Note, Trouble> {
    let read = work.desk.api.client_secret(&work.subject.client_id).await;
    let read = match read {
        Ok(read) => read,
        Err(error) if matches!(error.kind, ErrorKind::MissingScope | ErrorKind::Forbidden) => SecretRead::NotVisible,
        Err(error) => {
            drop_early(work).await?;
            return Err(work.stop(error.into()));
        }
    };
    Ok(match read {
        SecretRead::Readable(live) => {
            Note::to(State::Baselined).seal(Role::Old, &live).step(Step::ReadBefore, StepOutcome::Done, "")
        }
        SecretRead::NotVisible => {
            let detail =
                "not visible with this token: there will be no going back, and nobody else's change can be seen";
            Note::to(State::Baselined).step(Step::ReadBefore, StepOutcome::Skipped, detail)
        }
    })
}

/// 64 characters from the random source of the operating system; 64 characters to choose from, so six bits of each byte are fair.
fn choose() -> Result<Secret, Trouble> {
    let mut random = zeroize::Zeroizing::new([0_u8; 64]);
    fill(random.as_mut())?;
    let mut text = String::with_capacity(64);
    for byte in random.iter() {
        text.push(char::from(ALPHABET[usize::from(byte & 63)]));
    }
    Ok(Secret::new(text))
}

fn number() -> Result<RolloverId, Trouble> {
    let mut random = [0; 10];
    fill(&mut random)?;
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(RolloverId::new(u64::try_from(since.as_millis()).unwrap_or(u64::MAX), random))
}

fn fill(bytes: &mut [u8]) -> Result<(), Trouble> {
    aws_lc_rs::rand::fill(bytes)
        .map_err(|_| Trouble::not_now("the operating system gives no random bytes", "Nothing was changed."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chosen_secret_has_64_characters_of_the_alphabet_and_is_never_the_same() {
        let one = choose().expect("a secret");
        let two = choose().expect("a secret");
        assert_eq!(one.expose().len(), 64);
        assert!(one.expose().bytes().all(|byte| ALPHABET.contains(&byte)));
        assert!(!one.same_as(&two));
        let mut seen = std::collections::HashSet::new();
        for _ in 0..40 {
            seen.extend(choose().expect("a secret").expose().bytes());
        }
        assert_eq!(seen.len(), 64, "every character is drawn");
    }
}
