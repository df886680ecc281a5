use super::Ended;
use super::arguments::{Global, Rotate};
use super::ask;
use super::change::{Outcome, Procedure, conclude, print, run_all};
use super::desk;
use super::exit::{Failure, code};
use super::output::Output;
use super::session::Session;
use super::show::pick_all;
use crate::domain::client::not_rotatable;
use crate::domain::rollover::State;
use crate::domain::rotation::{Step, StepOutcome};
use crate::domain::{Ability, Client, Domain};
use crate::ledger::Ledger;
use crate::rollover::Until;

/// Rotates the clients that are named, one after the other.
pub async fn run(global: &Global, rotate: &Rotate) -> Ended {
    let until = rotate.until.unwrap_or(Until::Promote);
    let session = Session::open(global).await?;
    if !rotate.dry_run {
        session.may_change()?;
    }
    let mut output = Output::new(rotate.json);
    let known = session.api.session().await?;
    if let Ability::No { missing } = known.scopes.rotate() {
        return Err(missing_scope(missing));
    }
    let mut clients = pick_all(&session.api, &rotate.clients, &output).await?;
    // The client that we sign in with comes last: whatever goes wrong with it must not keep us from the others.
    let ours = known.our_client_id.as_deref();
    clients.sort_by_key(|client| ours == Some(client.summary.client_id.raw()));
    let prints = session.fingerprints();
    if rotate.dry_run {
        let all: Vec<_> = clients.iter().map(|client| plan(&session, client, rotate, until)).collect();
        print(&mut output, &all, &prints, rotate.reveal)?;
        conclude(&all, rotate.json, rotate.reveal);
        return Ok(code::DONE);
    }
    if !rotate.yes && !ask::can_ask() {
        return Err(ask::nobody());
    }
    let desk = desk::desk(&session).await?;
    let holding = if rotate.now { Vec::new() } else { holding(&desk.ledger, session.api.domain(), &clients)? };
    if !rotate.yes && clients.iter().any(|client| not_rotatable(&client.summary.auth).is_none()) {
        let how = if rotate.now { ask::How::Now } else { ask::How::Rollover { until, holding: holding.len() } };
        ask::confirm(&clients, session.api.domain(), session.environment(), ours, how)?;
    }
    if !holding.is_empty() {
        let all = run_all(&session, &desk, &holding, Procedure::Retire, &output).await?;
        if all.iter().any(|outcome| outcome.failure.is_some()) {
            print(&mut output, &all, &prints, false)?;
            return Ok(conclude(&all, rotate.json, false));
        }
    }
    let procedure = if rotate.now { Procedure::RotateNow } else { Procedure::Rotate(until, rotate.no_targets) };
    let all = run_all(&session, &desk, &clients, procedure, &output).await?;
    print(&mut output, &all, &prints, rotate.reveal)?;
    Ok(conclude(&all, rotate.json, rotate.reveal))
}

/// That the token may not change secrets.
pub fn missing_scope(missing: &str) -> Failure {
    Failure {
        code: code::NOT_PERMITTED,
        kind: "missing_scope",
        message: format!("could not rotate: the token lacks {missing}"),
        hint: format!(
            "Grant {missing}: dashboard, Applications, APIs, Auth0 Management API, Machine to Machine Applications. \
             For a token of auth0-cli: auth0 login --scopes {missing}"
        ),
        ..Failure::default()
    }
}

/// Those of the clients whose last rollover still holds both secrets: it is retired before the next one starts.
pub fn holding(ledger: &Ledger, domain: &Domain, clients: &[Client]) -> Result<Vec<Client>, Failure> {
    let mut holding = Vec::new();
    for client in clients {
        let latest = ledger.latest(domain, client.summary.client_id.raw())?;
        if latest.is_some_and(|latest| latest.state == State::Holding) {
            holding.push(client.clone());
        }
    }
    Ok(holding)
}

/// What would be done.
fn plan(session: &Session, client: &Client, rotate: &Rotate, until: Until) -> Outcome {
    use StepOutcome::Skipped;
    let targets = desk::subject(session, client).targets.len();
    let first = if rotate.now { Step::Rotate } else { Step::Stage };
    let detail = match not_rotatable(&client.summary.auth) {
        Some(reason) => format!("cannot be rotated: {reason}"),
        None if rotate.now => "dry run: it would be rotated now".to_owned(),
        None if targets == 0 && !rotate.no_targets => {
            "dry run: a secret would be staged, and no more: it has no target".to_owned()
        }
        None => {
            format!("dry run: it would be rolled over to a new secret, up to {}, with {targets} targets", until.name())
        }
    };
    Outcome::new(client, "skipped").step(first, Skipped, &detail)
}
