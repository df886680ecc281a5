//! Targets that are commands: one that is given the secrets, one that prints them, and what runs after a delivery.
//!
//! No shell, nothing secret among arguments or in the environment. The contract is told in `docs/targets.md`.

mod child;
mod output;
mod redact;
#[cfg(test)]
#[cfg(unix)]
mod tests;

use std::process::ExitStatus;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use self::child::resolve;
use self::child::{Ended, Failure, Job};
use self::redact::Redactor;
use super::json::quoted;
use super::{TargetError, TargetErrorKind};
use crate::domain::Secret;
use crate::domain::rollover::Phase;
use crate::domain::target::{CommandPlace, SlotNames, Slots};
use crate::domain::untrusted::brief;

/// What the command prints that looks up what is stored: the secrets in it, and all of it.
///
/// # Errors
/// [`TargetErrorKind::CannotRead`] where there is no such command; else as it fails, or prints something else.
pub async fn read(
    place: &CommandPlace,
    slots: &SlotNames,
    client_id: &str,
) -> Result<(Slots, Zeroizing<Vec<u8>>), TargetError> {
    let Some(program) = place.read.first() else {
        return Err(TargetError {
            kind: TargetErrorKind::CannotRead,
            message: "no command is set that prints what is stored".to_owned(),
            hint: "name one, and what was delivered is looked at, not only hoped for".to_owned(),
        });
    };
    let document = Zeroizing::new(format!("{{\"client_id\":{},\"step\":\"read\"}}\n", *quoted(client_id)));
    let job = Job { argv: &place.read, environment: &place.environment, document, timeout: place.timeout, keep: true };
    let ended = child::run(job).await.map_err(|failure| told(program, failure, &Redactor::blind()))?;
    if !ended.status.success() {
        return Err(failed(program, &ended, &Redactor::blind()));
    }
    let printed = ended.kept.ok_or_else(|| TargetError {
        kind: TargetErrorKind::Format,
        message: format!("`{}` printed more than 64 KiB", brief(program)),
        hint: "let it print the secrets alone".to_owned(),
    })?;
    let held = output::slots(&printed, slots).map_err(|error| {
        let line = error.line.map(|line| format!("line {line}: ")).unwrap_or_default();
        TargetError {
            kind: TargetErrorKind::Format,
            message: format!("what `{}` printed: {line}{}", brief(program), error.message),
            hint: "let it print JSON with the keys of the target, or the secret alone".to_owned(),
        }
    })?;
    Ok((held, printed))
}

/// Gives the secrets to the command that stores them.
///
/// # Errors
/// As the command fails; where it does not take what it is given; where a secret holds a control character.
pub async fn write(place: &CommandPlace, client_id: &str, wanted: &Slots, phase: Phase) -> Result<(), TargetError> {
    let secrets: Vec<_> = wanted.current.iter().chain(&wanted.fallback).cloned().collect();
    if secrets.iter().any(|secret| secret.has_control()) {
        return Err(TargetError {
            kind: TargetErrorKind::Refused,
            message: "a secret that holds a control character is not delivered".to_owned(),
            hint: "rotate the client: a new secret holds none".to_owned(),
        });
    }
    let program = place.write.first().map_or("", String::as_str);
    let document = document(client_id, wanted, phase);
    let job =
        Job { argv: &place.write, environment: &place.environment, document, timeout: place.timeout, keep: false };
    let redactor = Redactor::new(&secrets);
    let ended = child::run(job).await.map_err(|failure| told(program, failure, &redactor))?;
    if !ended.status.success() {
        return Err(failed(program, &ended, &redactor));
    }
    if !ended.was_told {
        return Err(TargetError {
            kind: TargetErrorKind::Command,
            message: format!("`{}` ended with success and did not read what it was given", brief(program)),
            hint: "it is to read the secrets from its standard input, to the end".to_owned(),
        });
    }
    Ok(())
}

/// Runs what is to run after a delivery. The last line that it printed, safe to print.
///
/// # Errors
/// As it fails.
pub async fn run(argv: &[String], redact: &[Arc<Secret>]) -> Result<Option<String>, TargetError> {
    let Some(program) = argv.first() else { return Ok(None) };
    let job =
        Job { argv, environment: &[], document: Zeroizing::default(), timeout: CommandPlace::TIMEOUT, keep: false };
    let redactor = Redactor::new(redact);
    let ended = child::run(job).await.map_err(|failure| told(program, failure, &redactor))?;
    if !ended.status.success() {
        return Err(failed(program, &ended, &redactor));
    }
    Ok(redactor.last_lines(&ended.tail, 1))
}

/// What a command is told on its standard input.
fn document(client_id: &str, wanted: &Slots, phase: Phase) -> Zeroizing<String> {
    let text = |secret: &Option<Arc<Secret>>| {
        secret.as_ref().map_or_else(|| Zeroizing::new("null".to_owned()), |secret| quoted(secret.expose()))
    };
    let (client_id, current, fallback) = (quoted(client_id), text(&wanted.current), text(&wanted.fallback));
    let parts = [
        "{\"client_id\":",
        &client_id,
        ",\"current\":",
        &current,
        ",\"fallback\":",
        &fallback,
        ",\"step\":\"",
        phase.name(),
        "\"}\n",
    ];
    // With its whole length at once: what is left behind by a text that grows is not wiped.
    let mut document = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        document.push_str(part);
    }
    document
}

fn failed(program: &str, ended: &Ended, redactor: &Redactor) -> TargetError {
    TargetError {
        kind: TargetErrorKind::Command,
        message: format!("`{}` failed with {}{}", brief(program), how(ended.status), last(redactor, &ended.tail)),
        hint: "run it by hand to see what it lacks: it gets little of the environment".to_owned(),
    }
}

fn told(program: &str, failure: Failure, redactor: &Redactor) -> TargetError {
    let shown = brief(program);
    let (kind, message, hint) = match failure {
        Failure::Empty => (TargetErrorKind::Refused, "no command is set".to_owned(), "name a program"),
        Failure::Relative => (
            TargetErrorKind::Refused,
            format!("`{shown}` is neither a whole path nor the name of a program"),
            "write its path from the root",
        ),
        Failure::Missing => (
            TargetErrorKind::Missing,
            format!("there is no program `{shown}`"),
            "write its path from the root, or see that PATH names its folder",
        ),
        Failure::Start(error) => {
            (TargetErrorKind::System, format!("`{shown}` did not start: {error}"), "see that it may be run")
        }
        Failure::TooLong { after, ended: None, tail } => (
            TargetErrorKind::Command,
            format!("`{shown}` took longer than {} s and was ended{}", after.as_secs(), last(redactor, &tail)),
            "see what it waits for, or give it more time",
        ),
        Failure::TooLong { after, ended: Some(status), tail } => (
            TargetErrorKind::Command,
            format!(
                "`{shown}` ended with {}, but something that it started kept its output open for {} s and was ended{}",
                how(status),
                after.as_secs(),
                last(redactor, &tail)
            ),
            "send the output of what is to live on elsewhere: >/dev/null 2>&1",
        ),
    };
    TargetError { kind, message, hint: hint.to_owned() }
}

fn last(redactor: &Redactor, tail: &[u8]) -> String {
    redactor.last_lines(tail, 4).map(|lines| format!(": {lines}")).unwrap_or_default()
}

fn how(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("signal {signal}");
    }
    status.code().map_or_else(|| "no exit code".to_owned(), |code| format!("exit code {code}"))
}
