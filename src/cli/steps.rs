use super::Ended;
use super::arguments::{Global, StepOn};
use super::ask;
use super::change::{Procedure, conclude, print, run_all};
use super::desk;
use super::exit::Failure;
use super::output::Output;
use super::pick::pick;
use super::rotate::{holding, missing_scope};
use super::session::Session;
use crate::domain::Ability;
use crate::rollover::Choice;

/// One step of a client's rollover.
pub async fn run(global: &Global, step: &StepOn, procedure: Procedure) -> Ended {
    let session = Session::open(global).await?;
    session.may_change()?;
    let mut output = Output::new(step.json);
    let known = session.api.session().await?;
    if let (true, Ability::No { missing }) = (needs_scope(procedure), known.scopes.rotate()) {
        return Err(missing_scope(missing));
    }
    let client = pick(&session.api, &step.client, &output, &mut None).await?;
    let question = question(procedure);
    if question.is_some() && !step.yes && !ask::can_ask() {
        return Err(ask::nobody());
    }
    let desk = desk::desk(&session).await?;
    if let Some(question) = question.filter(|_| !step.yes) {
        let latest = desk.ledger.latest(session.api.domain(), client.summary.client_id.raw())?;
        if latest.is_some_and(|latest| !latest.state.is_final()) {
            ask::confirm_step(&client, session.api.domain(), session.environment(), question)?;
        }
    }
    let prints = session.fingerprints();
    let clients = [client];
    if procedure == Procedure::Stage && !holding(&desk.ledger, session.api.domain(), &clients)?.is_empty() {
        // The next one starts, so the one before is retired first: as `rotate` does.
        if !step.yes {
            let warning = "Its last rollover still keeps the secret before the current one, as the fallback: it is dropped first.";
            let question = ask::Question { verb: "Stage the next secret", warning };
            ask::confirm_step(&clients[0], session.api.domain(), session.environment(), question)?;
        }
        let all = run_all(&session, &desk, &clients, Procedure::Retire, &output).await?;
        if all.iter().any(|outcome| outcome.failure.is_some()) {
            print(&mut output, &all, &prints, false)?;
            return Ok(conclude(&all, step.json, false));
        }
    }
    let all = run_all(&session, &desk, &clients, procedure, &output).await?;
    print(&mut output, &all, &prints, false)?;
    Ok(conclude(&all, step.json, false))
}

/// Whether it may change something at Auth0.
fn needs_scope(procedure: Procedure) -> bool {
    matches!(procedure, Procedure::Stage | Procedure::Cutover(_) | Procedure::Rollback)
}

/// What to know before a step that apps notice, or that cannot be taken back.
fn question(procedure: Procedure) -> Option<ask::Question> {
    let (verb, warning) = match procedure {
        Procedure::Cutover(_) => (
            "Make the pending secret live",
            "The current secret stops working within 30 seconds; apps with the pending one as their fallback go on.",
        ),
        Procedure::Retire => (
            "Drop the old secret",
            "It is taken out of the targets and wiped from the ledger: there is no going back after this.",
        ),
        Procedure::Rollback => (
            "Make the old secret live again",
            "The new one stops working within 30 seconds. Before a cutover, the pending secret is dropped instead.",
        ),
        Procedure::Resume(Some(Choice::SetOurs)) => (
            "Make our secret live in the place of theirs",
            "The secret that somebody else set stops working within 30 seconds.",
        ),
        _ => return None,
    };
    Some(ask::Question { verb, warning })
}

/// `resume` with what a person decides in a conflict.
pub async fn resume(global: &Global, resume: &super::arguments::Resume) -> Ended {
    let choice = match (resume.keep_theirs, resume.set_ours) {
        (true, true) => return Err(Failure::usage("--keep-theirs and --set-ours exclude each other", "")),
        (true, false) => Some(Choice::KeepTheirs),
        (false, true) => Some(Choice::SetOurs),
        (false, false) => None,
    };
    run(global, &resume.on, Procedure::Resume(choice)).await
}
