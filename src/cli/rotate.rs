use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value, json};

use super::arguments::{Global, Rotate};
use super::ask::confirm;
use super::exit::{Failure, code, code_of};
use super::interrupt::Interrupts;
use super::output::{Output, report, say};
use super::session::{Fingerprints, Session};
use super::show::{called, pick_all, secret_object};
use super::{Ended, cannot_start};
use crate::auth0::{Api, Error, ErrorKind};
use crate::domain::client::not_rotatable;
use crate::domain::rotation::{Outcome, Progress, Step, StepOutcome, StepReport, Verdict};
use crate::domain::{Ability, Client, Secret, Untrusted};
use crate::rollover::{RotateNow, now, rotate_now};

/// Rotates the clients that are named, one after the other.
pub async fn run(global: &Global, rotate: &Rotate) -> Ended {
    if !rotate.now {
        return Err(Failure::usage(
            "this version rotates the one-call way only: the zero-downtime rollover is not built yet",
            "Add --now. The current secret then stops working within 30 seconds; every app that uses it must be updated.",
        ));
    }
    let session = Session::open(global).await?;
    if !rotate.dry_run {
        session.may_change()?;
    }
    let mut output = Output::new(rotate.json);
    let known = session.api.session().await?;
    if let Ability::No { missing } = known.scopes.rotate() {
        return Err(Failure {
            code: code::NOT_PERMITTED,
            kind: "missing_scope",
            message: format!("could not rotate: the token lacks {missing}"),
            hint: format!(
                "Grant {missing}: dashboard, Applications, APIs, Auth0 Management API, Machine to Machine Applications. \
                 For a token of auth0-cli: auth0 login --scopes {missing}"
            ),
            ..Failure::default()
        });
    }
    let mut clients = pick_all(&session.api, &rotate.clients, &output).await?;
    // The client that we sign in with comes last: whatever goes wrong with it must not keep us from the others.
    let ours = known.our_client_id.as_deref();
    clients.sort_by_key(|client| ours == Some(client.summary.client_id.raw()));
    let prints = session.fingerprints();
    let done = if rotate.dry_run {
        clients.iter().map(plan).collect()
    } else {
        if !rotate.yes && clients.iter().any(|client| not_rotatable(&client.summary.auth).is_none()) {
            confirm(&clients, session.api.domain(), session.environment(), ours)?;
        }
        rotate_all(&session.api, &clients, &output).await?
    };
    print(&mut output, &done, &prints, rotate.reveal)?;
    Ok(conclude(&done, rotate))
}

/// What came of one client.
struct Done {
    client_id: Untrusted,
    name: Untrusted,
    outcome: &'static str,
    steps: Vec<StepReport>,
    secret: Option<Arc<Secret>>,
    /// Not for what went well, nor for what was not asked for.
    failure: Option<Failure>,
}

impl Done {
    fn new(client: &Client, outcome: &'static str) -> Self {
        let summary = &client.summary;
        let (client_id, name) = (summary.client_id.clone(), summary.name.clone());
        Self { client_id, name, outcome, steps: Vec::new(), secret: None, failure: None }
    }

    fn step(mut self, outcome: StepOutcome, detail: &str) -> Self {
        self.steps.push(StepReport { step: Step::Rotate, outcome, at: now(), detail: detail.to_owned() });
        self
    }
}

/// What would be done.
fn plan(client: &Client) -> Done {
    use StepOutcome::Skipped;
    match not_rotatable(&client.summary.auth) {
        Some(reason) => Done::new(client, "skipped").step(Skipped, &format!("cannot be rotated: {reason}")),
        None => Done::new(client, "skipped").step(Skipped, "dry run: it would be rotated now"),
    }
}

async fn rotate_all(api: &Api, clients: &[Client], output: &Output) -> Result<Vec<Done>, Failure> {
    use StepOutcome::Skipped;
    let mut interrupts = Interrupts::new().map_err(|error| cannot_start(&error))?;
    let mut all = Vec::new();
    let mut stopped: Option<&str> = None;
    for client in clients {
        let id = client.summary.client_id.raw();
        if let Some(why) = stopped {
            all.push(Done::new(client, "skipped").step(Skipped, why));
            continue;
        }
        if let Some(reason) = not_rotatable(&client.summary.auth) {
            let failure =
                Failure::failed("not_rotatable", format!("“{}” cannot be rotated: {reason}", called(client)), "");
            all.push(Done { failure: Some(failure.about(id)), ..Done::new(client, "skipped").step(Skipped, reason) });
            continue;
        }
        let done = rotate_one(api, client, output, &mut interrupts).await;
        stopped = if interrupts.seen() {
            Some("interrupted before this client's turn")
        } else {
            done.failure.as_ref().and_then(|failure| match failure.code {
                code::IN_DOUBT => Some("not begun: an earlier client is in doubt"),
                code::NOT_SIGNED_IN | code::NOT_PERMITTED | code::UNREACHABLE => {
                    Some("not begun: what failed for an earlier client would fail for this one too")
                }
                _ => None,
            })
        };
        all.push(done);
    }
    if interrupts.seen() && all.iter().all(|done| done.failure.is_none()) {
        return Ok(all
            .into_iter()
            .map(|done| if done.outcome == "skipped" { Done { failure: Some(interrupted()), ..done } } else { done })
            .collect());
    }
    Ok(all)
}

fn interrupted() -> Failure {
    Failure {
        code: code::INTERRUPTED,
        kind: "interrupted",
        message: "interrupted: what is listed as skipped was not begun".to_owned(),
        ..Failure::default()
    }
}

/// What a rotation has told so far.
#[derive(Default)]
struct Told {
    step: Option<Step>,
    steps: Vec<StepReport>,
    live: Option<Arc<Secret>>,
}

async fn rotate_one(api: &Api, client: &Client, output: &Output, interrupts: &mut Interrupts) -> Done {
    let id = client.summary.client_id.raw();
    let name = called(client);
    let told = Mutex::new(Told::default());
    let told = || told.lock().unwrap_or_else(PoisonError::into_inner);
    let mut progress = |progress: Progress| match progress {
        Progress::Began(step) => {
            output.progress(&format!("{name}: {}…", step.doing()));
            told().step = Some(step);
        }
        Progress::Note(_, note) => output.progress(&format!("{name}: {note}")),
        Progress::Ended(report) => told().steps.push(report),
        Progress::Live(secret) => told().live = Some(secret),
    };
    let request = RotateNow::new(id.to_owned(), client.summary.auth.clone());
    let mut rotation = Box::pin(rotate_now(api, &request, &mut progress));
    let ended = loop {
        tokio::select! {
            biased;
            outcome = &mut rotation => break Some(outcome),
            () = interrupts.next() => {
                let told = told();
                match told.step {
                    // Nothing was sent, or all that is left is to wait: the rotation can be let go.
                    None | Some(Step::ReadBefore | Step::Verify) => break None,
                    // Whoever ended it here would be locked out by the next start.
                    Some(Step::Keep) => say("rollover: the new secret is being stored; waiting for that"),
                    Some(Step::Rotate | Step::ReadAfter) if interrupts.count() > 1 => break None,
                    Some(Step::Rotate | Step::ReadAfter) => {
                        say("rollover: the request is on its way; waiting for its answer (interrupt again to leave it in doubt)");
                    }
                }
            }
        }
    };
    drop(rotation);
    let Told { step, steps, live } = std::mem::take(&mut *told());
    let done = Done { steps, ..Done::new(client, "done") };
    match ended {
        Some(outcome) => settle(done, client, outcome),
        None if live.is_some() => Done { secret: live, ..done },
        None if step == Some(Step::Rotate) || step == Some(Step::ReadAfter) => {
            let message = format!("“{name}” is in doubt: interrupted before Auth0's answer came");
            Done { outcome: "in_doubt", failure: Some(in_doubt(message).about(id)), ..done }
        }
        None => Done { outcome: "skipped", failure: Some(interrupted().about(id)), ..done },
    }
}

fn in_doubt(message: String) -> Failure {
    Failure {
        code: code::IN_DOUBT,
        kind: "in_doubt",
        message,
        hint: "It is not sent again. In a minute, `rollover show` tells by the fingerprint whether the secret has changed."
            .to_owned(),
        ..Failure::default()
    }
}

fn settle(done: Done, client: &Client, outcome: Outcome<Error>) -> Done {
    let id = client.summary.client_id.raw();
    let name = called(client);
    match outcome {
        Outcome::Rotated { secret, .. } => Done { secret, ..done },
        Outcome::NotApplied(error) => {
            let refused = error.status.is_some() && error.kind != ErrorKind::Unreachable;
            let outcome = if refused { "rejected" } else { "failed" };
            Done { outcome, failure: Some(Failure::from(error).about(id)), ..done }
        }
        Outcome::InDoubt { verdict: Verdict::Changed(secret), .. } => Done { secret: Some(secret), ..done },
        Outcome::InDoubt { error, verdict, .. } => {
            debug_assert_eq!(code_of(&error), code::IN_DOUBT);
            let seen = match verdict {
                Verdict::Unchanged => "the secret is still the old one, but the request can still arrive".to_owned(),
                Verdict::CannotKnow(why) => why,
                Verdict::Changed(_) => String::new(),
            };
            let failure = Failure {
                status: error.status,
                error_code: error.error_code.clone(),
                ..in_doubt(format!("“{name}” is in doubt: {error}; {seen}"))
            };
            Done { outcome: "in_doubt", failure: Some(failure.about(id)), ..done }
        }
    }
}

fn print(output: &mut Output, all: &[Done], prints: &Fingerprints, reveal: bool) -> Result<(), Failure> {
    if output.json {
        let documents: Vec<Value> = all.iter().map(|done| document(done, prints, reveal)).collect();
        return Ok(output.document(&documents)?);
    }
    let rows = all.iter().map(|done| {
        let print = done.secret.as_ref().and_then(|secret| prints.of(secret));
        let print: Cow<'_, str> = print.map(|print| print.to_string()).unwrap_or_default().into();
        [done.client_id.raw().into(), done.name.raw().into(), done.outcome.into(), print]
    });
    if reveal {
        let revealed = rows.zip(all).map(|([id, name, outcome, print], done)| {
            let secret = done.secret.as_ref().map(|secret| secret.expose()).unwrap_or_default();
            [id, name, outcome, print, secret.into()]
        });
        return Ok(output.rows(["CLIENT ID", "NAME", "OUTCOME", "FINGERPRINT", "SECRET"], revealed)?);
    }
    Ok(output.rows(["CLIENT ID", "NAME", "OUTCOME", "FINGERPRINT"], rows)?)
}

fn document(done: &Done, prints: &Fingerprints, reveal: bool) -> Value {
    let steps: Vec<_> = done
        .steps
        .iter()
        .map(|step| {
            json!({ "step": step.step.name(), "outcome": step.outcome.name(), "at": step.at, "detail": step.detail })
        })
        .collect();
    json!({
        "client_id": done.client_id.raw(),
        "name": Some(done.name.raw()).filter(|name| !name.is_empty()),
        "outcome": done.outcome,
        // Rollovers are numbered by the ledger, which rotating now does not have yet.
        "rollover_id": Value::Null,
        "steps": steps,
        "secret": secret_object(done.secret.as_deref(), Some(prints), reveal),
    })
}

/// Reports what failed, says what to do next, and chooses the exit code.
fn conclude(all: &[Done], rotate: &Rotate) -> u8 {
    let mut told = false;
    for failure in all.iter().filter_map(|done| done.failure.as_ref()) {
        // One document on stderr, not several.
        if !(rotate.json && told) {
            report(failure, rotate.json);
        }
        told = true;
    }
    for done in all.iter().filter(|done| done.outcome == "done") {
        if let Some(step) =
            done.steps.iter().find(|step| step.step == Step::Keep && step.outcome == StepOutcome::Failed)
        {
            // The rotation is done all the same, and the exit code says so.
            let failure = Failure::failed(
                "not_kept",
                format!(
                    "the new secret of “{}”, with which rollover signs in, was not stored: {}",
                    done.name.shown(),
                    step.detail
                ),
                if rotate.reveal { "" } else { "The dashboard shows it: Applications, the client, Settings." },
            );
            if !(rotate.json && told) {
                report(&failure.about(done.client_id.raw()), rotate.json);
            }
            told = true;
        }
    }
    let output = Output::new(rotate.json);
    for done in all.iter().filter(|done| done.outcome == "done") {
        if let Some(step) = done.steps.iter().find(|step| step.step == Step::Verify && !step.detail.is_empty()) {
            output.progress(&format!("{}: {}.", done.name.shown(), step.detail));
        }
        let next = if done.secret.is_none() {
            "rotated, but the new secret cannot be read with this token"
        } else if rotate.reveal {
            continue;
        } else {
            "rotated; `rollover copy` puts the new secret into the clipboard"
        };
        output.progress(&format!("{}: {next}.", done.name.shown()));
    }
    if rotate.dry_run {
        return code::DONE;
    }
    let codes: Vec<u8> =
        all.iter().map(|done| done.failure.as_ref().map_or(code::DONE, |failure| failure.code)).collect();
    let any_done = all.iter().any(|done| done.outcome == "done");
    let all_done = all.iter().all(|done| done.outcome == "done");
    match codes.iter().copied().filter(|code| *code != code::DONE).collect::<Vec<_>>().as_slice() {
        [] if all_done => code::DONE,
        found if found.contains(&code::IN_DOUBT) => code::IN_DOUBT,
        found if found.contains(&code::INTERRUPTED) => code::INTERRUPTED,
        _ if any_done => code::PARTLY_DONE,
        [first, rest @ ..] if rest.iter().all(|code| code == first) => *first,
        _ => code::FAILED,
    }
}
