use std::sync::Arc;

use rusqlite::{OptionalExtension as _, Transaction, params};

use super::error::{LedgerError, Trouble};
use super::rows::{self, Stored, Which, one};
use super::sealing::{self, Whose};
use super::store::{Statements as _, Store};
use super::{Beginning, Change, Lease, lease, recipients};
use crate::domain::rollover::{Role, Rollover, State, TargetRow};
use crate::domain::{ContentHash, SecretPrint};

/// Records that a rollover begins.
pub(super) fn begin(store: &Arc<Store>, lease: &Lease, beginning: &Beginning) -> Result<Rollover, LedgerError> {
    let mut names: Vec<_> = beginning.targets.iter().map(|target| target.name.as_str()).collect();
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(LedgerError::Refused("two targets have the same name".to_owned()));
    }
    let stamp = fastrand::i64(..);
    store.write(|transaction| {
        lease.verify(store, transaction)?;
        if let Some(there) = one(transaction, Which::One(&beginning.id))? {
            // The first attempt was recorded after all.
            return if there.stamp == stamp {
                Ok(there.rollover)
            } else {
                Err(LedgerError::Stale(format!("rollover {} is recorded already", beginning.id)).into())
            };
        }
        if recipients::all(transaction)?.is_empty() {
            return Err(LedgerError::NoKey.into());
        }
        if let Some(latest) = one(transaction, Which::Client(&lease.tenant, &lease.client_id))?
            && !latest.rollover.state.is_final()
        {
            return Err(LedgerError::Unfinished(Box::new(latest.rollover)).into());
        }
        transaction.run(
            "INSERT INTO rollover (id, tenant, client_id, name, mode, state, since, began, attempt, detail, who, generation, stamp)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7, 0, '', ?8, 1, ?9)",
            params![
                beginning.id.as_str(),
                lease.tenant.base().as_str(),
                lease.client_id,
                beginning.name.raw(),
                beginning.mode.name(),
                State::Planned.name(),
                beginning.now,
                lease::who(),
                stamp,
            ],
        )?;
        let number = transaction.last_insert_rowid();
        put_targets(transaction, number, &beginning.targets)?;
        read_back(transaction, beginning.id.as_str(), Which::One(&beginning.id))
    })
}

/// Records a change.
pub(super) fn change(
    store: &Arc<Store>,
    lease: &Lease,
    rollover: &Rollover,
    change: &Change<'_>,
) -> Result<Rollover, LedgerError> {
    if rollover.tenant != lease.tenant || rollover.client_id != lease.client_id {
        return Err(LedgerError::Stale("the lease is for another client than the rollover's".to_owned()));
    }
    let stamp = fastrand::i64(..);
    store.write(|transaction| {
        lease.verify(store, transaction)?;
        let there = one(transaction, Which::One(&rollover.id))?
            .ok_or_else(|| LedgerError::Stale(format!("rollover {} is not in the ledger", rollover.id)))?;
        if there.stamp == stamp {
            // The first attempt was recorded after all.
            return Ok(there.rollover);
        }
        check(rollover, &there.rollover, change)?;
        apply(transaction, &there, change, stamp)?;
        read_back(transaction, rollover.id.as_str(), Which::One(&rollover.id))
    })
}

/// Whether what was read is still so, and the change may follow it.
fn check(read: &Rollover, there: &Rollover, change: &Change<'_>) -> Result<(), Trouble> {
    let stale = |why: String| Err(Trouble::from(LedgerError::Stale(why)));
    if there.tenant != read.tenant || there.client_id != read.client_id {
        return stale(format!("rollover {} is of another tenant or client in the ledger", read.id));
    }
    if there.generation != read.generation {
        let (known, now) = (read.generation, there.generation);
        return stale(format!("rollover {} changed since it was read: change {now}, not {known}", read.id));
    }
    let mut at = there.state;
    for next in change.through.iter().copied().chain(change.state) {
        if !at.may_become(next, there.mode) {
            return stale(format!("rollover {} is {} and cannot become {}", read.id, at.words(), next.words()));
        }
        at = next;
    }
    Ok(())
}

fn apply(transaction: &Transaction<'_>, there: &Stored, change: &Change<'_>, stamp: i64) -> Result<(), Trouble> {
    let (number, before) = (there.number, &there.rollover);
    let state = change.state.unwrap_or(before.state);
    let since = if state == before.state { before.since } else { change.now };
    let doubt = change.doubt.as_ref().unwrap_or(&before.doubt).as_ref();
    transaction.run(
        "UPDATE rollover SET state = ?2, since = ?3, attempt = ?4, correlation_id = ?5, doubt_reason = ?6, quiesce_until = ?7,
            detail = ?8, generation = generation + 1, stamp = ?9 WHERE number = ?1",
        params![
            number,
            state.name(),
            since,
            change.attempt.unwrap_or(before.attempt),
            change.correlation_id.as_ref().or(before.correlation_id.as_ref()),
            doubt.map(|doubt| doubt.reason.as_str()),
            doubt.map(|doubt| doubt.quiesce_until),
            change.detail.as_ref().unwrap_or(&before.detail),
            stamp,
        ],
    )?;
    put_targets(transaction, number, &change.targets)?;
    for step in &change.steps {
        transaction.run(
            "INSERT INTO step (rollover, position, step, outcome, at, detail)
                SELECT ?1, coalesce(max(position), 0) + 1, ?2, ?3, ?4, ?5 FROM step WHERE rollover = ?1",
            params![number, step.step.name(), step.outcome.name(), rows::seconds(&step.at, change.now), step.detail],
        )?;
    }
    // First what is wiped: a secret that is sealed in the same breath must not be lost.
    for role in &change.wipe {
        transaction.run("DELETE FROM sealed WHERE rollover = ? AND role = ?", params![number, role.name()])?;
    }
    if change.wipe_earlier {
        wipe_earlier(transaction, there)?;
    }
    put_secrets(transaction, there, change)
}

fn put_secrets(transaction: &Transaction<'_>, there: &Stored, change: &Change<'_>) -> Result<(), Trouble> {
    if change.seal.is_empty() {
        return Ok(());
    }
    let keys = recipients::keys(transaction)?;
    for (role, secret, print) in &change.seal {
        let blob = sealing::seal(&keys, Whose::of(&there.rollover, *role), secret)?;
        transaction.run(
            "INSERT OR REPLACE INTO sealed (rollover, role, blob) VALUES (?, ?, ?)",
            params![there.number, role.name(), blob],
        )?;
        let query = match role {
            Role::Old => "UPDATE rollover SET old_print = ?2 WHERE number = ?1",
            Role::New => "UPDATE rollover SET new_print = ?2 WHERE number = ?1",
            Role::Observed => "UPDATE rollover SET observed_print = ?2 WHERE number = ?1",
        };
        transaction.run(query, params![there.number, print.as_ref().map(SecretPrint::bytes)])?;
    }
    Ok(())
}

fn put_targets(transaction: &Transaction<'_>, number: i64, targets: &[TargetRow]) -> Result<(), Trouble> {
    for target in targets {
        transaction.run(
            "INSERT INTO target (rollover, position, name, phase, state, before_hash, after_hash, detail)
                SELECT ?1, coalesce(max(position), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7 FROM target WHERE rollover = ?1
                ON CONFLICT (rollover, name) DO UPDATE SET phase = excluded.phase, state = excluded.state,
                    before_hash = excluded.before_hash, after_hash = excluded.after_hash, detail = excluded.detail",
            params![
                number,
                target.name,
                target.phase.name(),
                target.state.name(),
                target.before.as_ref().map(ContentHash::bytes),
                target.after.as_ref().map(ContentHash::bytes),
                target.detail,
            ],
        )?;
    }
    Ok(())
}

fn wipe_earlier(transaction: &Transaction<'_>, there: &Stored) -> Result<(), Trouble> {
    let (tenant, client_id) = (there.rollover.tenant.base().as_str(), &there.rollover.client_id);
    let earlier: Vec<(i64, String)> = transaction
        .prepare_cached("SELECT number, state FROM rollover WHERE tenant = ? AND client_id = ? AND number < ?")?
        .query_map(params![tenant, client_id, there.number], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<Result<_, _>>()?;
    for (number, state) in earlier {
        if State::named(&state).is_some_and(State::is_final) {
            transaction.run("DELETE FROM sealed WHERE rollover = ?", params![number])?;
        }
    }
    Ok(())
}

fn read_back(transaction: &Transaction<'_>, id: &str, which: Which<'_>) -> Result<Rollover, Trouble> {
    let stored = one(transaction, which)?.ok_or_else(|| Trouble::Damaged(format!("rollover {id} is not in it")))?;
    Ok(stored.rollover)
}

/// What is sealed for a rollover in a role, as it lies there.
pub(super) fn blob(transaction: &Transaction<'_>, rollover: &Rollover, role: Role) -> Result<Option<Vec<u8>>, Trouble> {
    Ok(transaction
        .one(
            "SELECT blob FROM sealed JOIN rollover ON number = rollover WHERE id = ? AND tenant = ? AND client_id = ? AND role = ?",
            params![rollover.id.as_str(), rollover.tenant.base().as_str(), rollover.client_id, role.name()],
            |row| row.get(0),
        )
        .optional()?)
}
