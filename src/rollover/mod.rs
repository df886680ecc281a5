//! The procedures that both front ends run.
use std::sync::Arc;
use std::time::{Duration, Instant};

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::auth0::{Api, Applied, Error, SecretRead};
use crate::domain::rotation::{Outcome, Probe, Progress, Step, StepOutcome, StepReport, Verdict, Verification};
use crate::domain::{AuthMethod, Secret};

/// Which client to rotate now, and how long to wait for the change to be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RotateNow {
    /// The client's id.
    pub client_id: String,
    /// How it authenticates.
    pub auth: AuthMethod,
    /// How long verifying may take. Auth0 speaks of thirty seconds.
    pub verify_for: Duration,
}

impl RotateNow {
    /// With the patience that Auth0's own documentation asks for. Source: Auth0 docs, rotate client secrets: "New
    /// secrets may be delayed up to thirty seconds while rotating".
    #[must_use]
    pub fn new(client_id: String, auth: AuthMethod) -> Self {
        Self { client_id, auth, verify_for: Duration::from_secs(35) }
    }
}

/// Whom a procedure tells how it goes on.
type Listener<'a> = &'a mut (dyn FnMut(Progress) + Send);

/// Rotates a client's secret the one-call way: reads what is live, sends one request, and, where the answer was lost, reads
/// again and says which of the three it is. Never sends a second request.
pub async fn rotate_now(api: &Api, request: &RotateNow, progress: Listener<'_>) -> Outcome<Error> {
    let client_id = request.client_id.as_str();
    let before = read_before(api, client_id, progress).await;
    progress(Progress::Began(Step::Rotate));
    let answer = api.rotate_secret(client_id, &Api::correlation_id()).await;
    let answered = match answer {
        Ok(answered) => answered,
        Err(error) if error.applied == Applied::No => {
            ended(progress, Step::Rotate, StepOutcome::Failed, "Auth0 did not rotate it");
            return Outcome::NotApplied(error);
        }
        Err(error) => {
            ended(progress, Step::Rotate, StepOutcome::InDoubt, "no clear answer came; it is not sent again");
            return in_doubt(api, request, before, error, progress).await;
        }
    };
    let secret = if answered.is_some() {
        ended(progress, Step::Rotate, StepOutcome::Done, "Auth0 has a new secret");
        answered
    } else {
        ended(progress, Step::Rotate, StepOutcome::Done, "Auth0 has a new secret, which the answer does not show");
        read_back(api, client_id, before.as_deref(), progress).await
    };
    let Some(secret) = secret else { return Outcome::Rotated { secret: None, verification: None } };
    keep_own(api, client_id, &secret, progress).await;
    progress(Progress::Live(Arc::clone(&secret)));
    let verification =
        verify(api, client_id, &request.auth, &secret, before.as_deref(), request.verify_for, progress).await;
    Outcome::Rotated { secret: Some(secret), verification }
}

/// Looks whether a request in doubt was applied: compares the live secret with the one before, in constant time.
pub async fn settle(api: &Api, client_id: &str, before: Option<&Secret>) -> Verdict {
    let verdict = compare(api, client_id, before).await;
    if let Verdict::Changed(now) = &verdict {
        // What comes of storing it is told by the next sign-in; here nobody listens.
        let _ = api.adopt_secret(client_id, now).await;
    }
    verdict
}

async fn compare(api: &Api, client_id: &str, before: Option<&Secret>) -> Verdict {
    let Some(before) = before else {
        return Verdict::CannotKnow(
            "the secret could not be read before the change, so there is nothing to compare with".into(),
        );
    };
    match api.client_secret(client_id).await {
        Ok(SecretRead::Readable(now)) if now.same_as(before) => Verdict::Unchanged,
        Ok(SecretRead::Readable(now)) => Verdict::Changed(now),
        Ok(SecretRead::NotVisible) => {
            Verdict::CannotKnow("Auth0 shows no secret for this client with this token".into())
        }
        Err(error) => Verdict::CannotKnow(error.to_string()),
    }
}

/// The new secret of the client that rollover itself signs in with is stored before anybody sees it.
async fn keep_own(api: &Api, client_id: &str, secret: &Arc<Secret>, progress: Listener<'_>) {
    match api.adopt_secret(client_id, secret).await {
        None => {}
        Some(result) => {
            progress(Progress::Began(Step::Keep));
            match result {
                Ok(()) => ended(progress, Step::Keep, StepOutcome::Done, "rollover signs in with the new secret"),
                Err(why) => ended(
                    progress,
                    Step::Keep,
                    StepOutcome::Failed,
                    &format!("{why}; copy the new secret now, and sign in again with it (rollover login)"),
                ),
            }
        }
    }
}

async fn read_before(api: &Api, client_id: &str, progress: Listener<'_>) -> Option<Arc<Secret>> {
    progress(Progress::Began(Step::ReadBefore));
    match api.client_secret(client_id).await {
        Ok(SecretRead::Readable(secret)) => {
            ended(progress, Step::ReadBefore, StepOutcome::Done, "");
            Some(secret)
        }
        Ok(SecretRead::NotVisible) => {
            ended(
                progress,
                Step::ReadBefore,
                StepOutcome::Skipped,
                "not visible with this token: a lost answer could not be settled",
            );
            None
        }
        Err(error) => {
            ended(
                progress,
                Step::ReadBefore,
                StepOutcome::Failed,
                &format!("{error}; a lost answer could not be settled"),
            );
            None
        }
    }
}

async fn in_doubt(
    api: &Api,
    request: &RotateNow,
    before: Option<Arc<Secret>>,
    error: Error,
    progress: Listener<'_>,
) -> Outcome<Error> {
    progress(Progress::Began(Step::ReadAfter));
    let verdict = compare(api, &request.client_id, before.as_deref()).await;
    match &verdict {
        Verdict::Changed(secret) => {
            ended(progress, Step::ReadAfter, StepOutcome::Done, "the secret has changed: it was rotated");
            keep_own(api, &request.client_id, secret, progress).await;
            progress(Progress::Live(Arc::clone(secret)));
            // What verifying finds stands in its report; the outcome is about the doubt.
            let old = before.as_deref();
            verify(api, &request.client_id, &request.auth, secret, old, request.verify_for, progress).await;
        }
        Verdict::Unchanged => {
            ended(
                progress,
                Step::ReadAfter,
                StepOutcome::InDoubt,
                "the secret is still the old one; the request may arrive late",
            );
        }
        Verdict::CannotKnow(why) => ended(progress, Step::ReadAfter, StepOutcome::Failed, why),
    }
    Outcome::InDoubt { error, verdict, before }
}

/// The answer said that it was rotated but did not show the secret: then it is read.
async fn read_back(api: &Api, client_id: &str, before: Option<&Secret>, progress: Listener<'_>) -> Option<Arc<Secret>> {
    progress(Progress::Began(Step::ReadAfter));
    match api.client_secret(client_id).await {
        Ok(SecretRead::Readable(now)) if before.is_none_or(|before| !now.same_as(before)) => {
            ended(progress, Step::ReadAfter, StepOutcome::Done, "");
            Some(now)
        }
        Ok(SecretRead::Readable(_)) => {
            ended(
                progress,
                Step::ReadAfter,
                StepOutcome::Failed,
                "Auth0 still shows the old one; look again in a minute",
            );
            None
        }
        Ok(SecretRead::NotVisible) => {
            ended(progress, Step::ReadAfter, StepOutcome::Failed, "not visible with this token");
            None
        }
        Err(error) => {
            ended(progress, Step::ReadAfter, StepOutcome::Failed, &error.to_string());
            None
        }
    }
}

/// Asks the token endpoint until the new secret is accepted and the old one refused, or the time is over. `None` where the
/// client does not use its secret there.
pub async fn verify(
    api: &Api,
    client_id: &str,
    auth: &AuthMethod,
    new: &Secret,
    old: Option<&Secret>,
    patience: Duration,
    progress: Listener<'_>,
) -> Option<Verification> {
    progress(Progress::Began(Step::Verify));
    if let Some(why) = auth.instead_of_secret() {
        ended(progress, Step::Verify, StepOutcome::Skipped, &format!("not asked: {why}"));
        return None;
    }
    let begun = Instant::now();
    let mut pause = Duration::from_millis(500);
    loop {
        let seen = Verification {
            new: api.probe(client_id, new, auth).await,
            old: match old {
                Some(old) => Some(api.probe(client_id, old, auth).await),
                None => None,
            },
        };
        let unknown = matches!(seen.new, Probe::Unknown(_)) && !matches!(seen.old, Some(Probe::Accepted));
        let over = begun.elapsed() + pause > patience;
        if seen.complete() || over || unknown {
            let outcome = if seen.complete() {
                StepOutcome::Done
            } else if unknown {
                StepOutcome::Skipped
            } else {
                StepOutcome::Failed
            };
            ended(progress, Step::Verify, outcome, &describe(&seen));
            return Some(seen);
        }
        progress(Progress::Note(Step::Verify, format!("{}; propagation, up to 30 s", describe(&seen))));
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_secs(4));
    }
}

fn describe(seen: &Verification) -> String {
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

fn ended(progress: &mut (dyn FnMut(Progress) + Send), step: Step, outcome: StepOutcome, detail: &str) {
    progress(Progress::Ended(StepReport { step, outcome, at: now(), detail: detail.to_owned() }));
}

/// The time as step reports have it: UTC, RFC 3339, whole seconds.
#[must_use]
pub fn now() -> String {
    let at = OffsetDateTime::now_utc().replace_nanosecond(0).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    at.format(&Rfc3339).unwrap_or_default()
}
