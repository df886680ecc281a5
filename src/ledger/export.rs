use std::fmt::Write as _;

use rusqlite::{Transaction, params};
use serde_json::{Value, json};

use super::error::{LedgerError, Trouble};
use super::lease::utc;
use super::rows::{self, Which, load};
use super::store::Store;
use super::{recipients, schema, sealing};
use crate::domain::rollover::{Rollover, TargetRow};
use crate::domain::{ContentHash, SecretPrint};

/// Everything in it as JSON.
pub(super) fn export(store: &Store) -> Result<Value, LedgerError> {
    store.read(|transaction| {
        let recipients: Vec<Value> = recipients::all(transaction)?
            .into_iter()
            .map(|one| json!({"public": one.public, "own": one.own, "note": one.note, "added": utc(one.added)}))
            .collect();
        let rollovers = load(transaction, Which::All)?
            .iter()
            .map(|stored| {
                let mut value = rollover(&stored.rollover);
                value["sealed"] = sealed(transaction, stored.number)?;
                Ok(value)
            })
            .collect::<Result<Vec<_>, Trouble>>()?;
        Ok(json!({"version": schema::VERSION, "recipients": recipients, "rollovers": rollovers}))
    })
}

fn rollover(rollover: &Rollover) -> Value {
    let doubt =
        rollover.doubt.as_ref().map(|doubt| json!({"reason": doubt.reason, "quiesce_until": utc(doubt.quiesce_until)}));
    let steps: Vec<Value> = rollover
        .steps
        .iter()
        .map(|step| {
            json!({"step": step.step.name(), "outcome": step.outcome.name(), "at": step.at, "detail": step.detail})
        })
        .collect();
    json!({
        "id": rollover.id.as_str(),
        "tenant": rollover.tenant.base().as_str(),
        "client_id": rollover.client_id,
        "name": rollover.name.raw(),
        "mode": rollover.mode.name(),
        "state": rollover.state.name(),
        "since": utc(rollover.since),
        "began": utc(rollover.began),
        "attempt": rollover.attempt,
        "correlation_id": rollover.correlation_id,
        "old_print": rollover.old.as_ref().map(print),
        "new_print": rollover.new.as_ref().map(print),
        "observed_print": rollover.observed.as_ref().map(print),
        "doubt": doubt,
        "detail": rollover.detail,
        "who": rollover.who,
        "generation": rollover.generation,
        "targets": rollover.targets.iter().map(target).collect::<Vec<_>>(),
        "steps": steps,
    })
}

fn target(target: &TargetRow) -> Value {
    let hash = |hash: &ContentHash| hex(hash.bytes());
    json!({
        "name": target.name,
        "phase": target.phase.name(),
        "state": target.state.name(),
        "before": target.before.as_ref().map(hash),
        "after": target.after.as_ref().map(hash),
        "detail": target.detail,
    })
}

/// By role, in age's armour: each opens with `age -d`.
fn sealed(transaction: &Transaction<'_>, number: i64) -> Result<Value, Trouble> {
    let mut statement = transaction.prepare("SELECT role, blob FROM sealed WHERE rollover = ? ORDER BY role")?;
    let mut found = statement.query(params![number])?;
    let mut all = serde_json::Map::new();
    while let Some(row) = found.next()? {
        let role = rows::role(&row.get::<_, String>(0)?)?;
        let blob: Vec<u8> = row.get(1)?;
        all.insert(role.name().to_owned(), sealing::armoured(&blob).into());
    }
    Ok(all.into())
}

fn print(print: &SecretPrint) -> String {
    hex(print.bytes())
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(64), |mut text, byte| {
        // Writing into memory does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
