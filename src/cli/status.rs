use std::borrow::Cow;

use serde_json::{Value, json};

use super::Ended;
use super::arguments::{Global, Status};
use super::change::step_object;
use super::exit::{Failure, code};
use super::output::{Output, say};
use super::session::{choose, tenants};
use crate::domain::Rollover;
use crate::domain::rollover::State;
use crate::domain::untrusted::shown;
use crate::rollover::seconds;

/// Every rollover of the selected tenant, or of all where none is selected; unfinished first. Needs neither network nor key.
pub fn run(global: &Global, status: &Status) -> Ended {
    let tenants = tenants()?;
    let (chosen, config) = choose(global, &tenants)?;
    let mut output = Output::new(status.json);
    let Some(ledger) = tenants.existing_ledger()? else {
        return print(&mut output, &[], config.nag_after_days);
    };
    let domain = chosen.map(|chosen| chosen.profile.domain);
    let mut all = ledger.all(domain.as_ref())?;
    if let Some(client) = &status.client {
        all.retain(|row| row.client_id == *client || row.name.raw() == client.as_str());
        if all.is_empty() {
            let message = format!("the ledger knows no rollover of “{}”", shown(client));
            let hint = "`rollover status` without a client lists all; `rollover list` lists the clients.";
            let failure = Failure::failed("no_such_client", message, hint);
            return Err(Failure { code: code::NO_SUCH_CLIENT, ..failure });
        }
    }
    print(&mut output, &all, config.nag_after_days)
}

fn print(output: &mut Output, all: &[Rollover], nag_after: u32) -> Ended {
    let now = seconds();
    if output.json {
        let documents: Vec<Value> = all.iter().map(|row| document(row, now, nag_after)).collect();
        output.document(&documents)?;
    } else {
        let rows = all.iter().map(|row| {
            let since: Cow<'_, str> = when(row.since).into();
            let targets: Vec<_> =
                row.targets.iter().map(|target| format!("{}={}", target.name, target.state.name())).collect();
            [
                row.client_id.as_str().into(),
                row.name.raw().into(),
                row.mode.words().into(),
                row.state.words().into(),
                since,
                targets.join(" ").into(),
                row.next().unwrap_or_default().into(),
            ]
        });
        output.rows(["CLIENT ID", "NAME", "WAY", "STATE", "SINCE", "TARGETS", "NEXT"], rows)?;
    }
    for row in all {
        remind(row, now, nag_after);
    }
    Ok(code::DONE)
}

/// Whatever a person should act on.
fn remind(row: &Rollover, now: i64, nag_after: u32) {
    let name = row.name.shown();
    if row.in_doubt() || row.state.needs_person() {
        say(&format!("{name}: {}: {}", row.state.words(), row.detail));
    } else if let Some(days) = row.overdue(now, nag_after) {
        say(&format!("{name}: has held both secrets for {days} days; `rollover retire` drops the old one"));
    }
}

/// Seconds since 1970 as every time is printed.
pub fn when(seconds: i64) -> String {
    let at = time::OffsetDateTime::from_unix_timestamp(seconds).unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
    at.format(&time::format_description::well_known::Rfc3339).unwrap_or_default()
}

fn document(row: &Rollover, now: i64, nag_after: u32) -> Value {
    let targets: Vec<_> = row
        .targets
        .iter()
        .map(|target| json!({ "name": target.name, "state": target.state.name(), "step": target.phase.name(), "detail": target.detail }))
        .collect();
    json!({
        "rollover_id": row.id.as_str(),
        "tenant": row.tenant.to_string(),
        "client_id": row.client_id,
        "name": Some(row.name.raw()).filter(|name| !name.is_empty()),
        "mode": row.mode.name(),
        "state": row.state.name(),
        "since": when(row.since),
        "began": when(row.began),
        "steps": row.steps.iter().map(step_object).collect::<Vec<_>>(),
        "targets": targets,
        "next": row.next(),
        "in_doubt": row.in_doubt(),
        "detail": row.detail,
        "overdue": row.state == State::Holding && row.overdue(now, nag_after).is_some(),
        "old": row.old.map(|print| print.fingerprint().to_string()),
        "new": row.new.map(|print| print.fingerprint().to_string()),
    })
}
