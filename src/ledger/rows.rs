use std::collections::HashMap;

use rusqlite::{Row, Transaction, params};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::Trouble;
use super::lease::utc;
use crate::domain::rollover::{Doubt, Mode, Phase, Role, Rollover, RolloverId, State, TargetRow, TargetState};
use crate::domain::rotation::{Step, StepOutcome, StepReport};
use crate::domain::{ContentHash, Domain, SecretPrint, Untrusted};

/// Which rollovers to read.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which<'a> {
    All,
    Tenant(&'a Domain),
    Client(&'a Domain, &'a str),
    One(&'a RolloverId),
}

impl Which<'_> {
    /// The numbers of their rows, as a query of two parameters, both of which are always named.
    fn numbers(self) -> &'static str {
        match self {
            Self::All => "SELECT number FROM rollover WHERE ?1 IS NULL AND ?2 IS NULL",
            Self::Tenant(_) => "SELECT number FROM rollover WHERE tenant = ?1 AND ?2 IS NULL",
            Self::Client(..) => {
                "SELECT number FROM rollover WHERE tenant = ?1 AND client_id = ?2 ORDER BY number DESC LIMIT 1"
            }
            Self::One(_) => "SELECT number FROM rollover WHERE id = ?1 AND ?2 IS NULL",
        }
    }

    fn parameters(&self) -> [Option<&str>; 2] {
        match self {
            Self::All => [None, None],
            Self::Tenant(tenant) => [Some(tenant.base().as_str()), None],
            Self::Client(tenant, client_id) => [Some(tenant.base().as_str()), Some(client_id)],
            Self::One(id) => [Some(id.as_str()), None],
        }
    }
}

/// A rollover with the number of its row, and the stamp of its latest change.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) number: i64,
    pub(super) stamp: i64,
    pub(super) rollover: Rollover,
}

/// Reads rollovers, the latest first. Of a client: its latest alone.
pub(super) fn load(transaction: &Transaction<'_>, which: Which<'_>) -> Result<Vec<Stored>, Trouble> {
    let numbers = which.numbers();
    let mut found = Vec::new();
    let mut places = HashMap::new();
    let query = format!("SELECT * FROM rollover WHERE number IN ({numbers}) ORDER BY number DESC");
    each(transaction, &query, which, |row| {
        let stored = rollover(row)?;
        places.insert(stored.number, found.len());
        found.push(stored);
        Ok(())
    })?;
    let place =
        |row: &Row<'_>| -> Result<Option<usize>, Trouble> { Ok(places.get(&row.get::<_, i64>("rollover")?).copied()) };
    let query = format!("SELECT * FROM target WHERE rollover IN ({numbers}) ORDER BY rollover, position");
    each(transaction, &query, which, |row| {
        if let Some(at) = place(row)? {
            found[at].rollover.targets.push(target(row)?);
        }
        Ok(())
    })?;
    let query = format!("SELECT * FROM step WHERE rollover IN ({numbers}) ORDER BY rollover, position");
    each(transaction, &query, which, |row| {
        if let Some(at) = place(row)? {
            found[at].rollover.steps.push(step(row)?);
        }
        Ok(())
    })?;
    let query = format!("SELECT rollover, role FROM sealed WHERE rollover IN ({numbers})");
    each(transaction, &query, which, |row| {
        if let Some(at) = place(row)? {
            found[at].rollover.sealed.push(role(&row.get::<_, String>("role")?)?);
        }
        Ok(())
    })?;
    for stored in &mut found {
        stored.rollover.sealed.sort_unstable();
    }
    Ok(found)
}

/// One of them, or none.
pub(super) fn one(transaction: &Transaction<'_>, which: Which<'_>) -> Result<Option<Stored>, Trouble> {
    Ok(load(transaction, which)?.into_iter().next())
}

fn each(
    transaction: &Transaction<'_>,
    query: &str,
    which: Which<'_>,
    mut take: impl FnMut(&Row<'_>) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let mut statement = transaction.prepare_cached(query)?;
    let [first, second] = which.parameters();
    let mut rows = statement.query(params![first, second])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

fn rollover(row: &Row<'_>) -> Result<Stored, Trouble> {
    let print = |column: &str| -> Result<Option<SecretPrint>, Trouble> {
        Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(SecretPrint::from_bytes))
    };
    let tenant: String = row.get("tenant")?;
    let mode: String = row.get("mode")?;
    let state: String = row.get("state")?;
    let reason: Option<String> = row.get("doubt_reason")?;
    let quiesce_until: Option<i64> = row.get("quiesce_until")?;
    let rollover = Rollover {
        id: RolloverId::from_stored(row.get("id")?),
        tenant: Domain::parse(&tenant).map_err(|_| damaged("a tenant"))?,
        client_id: row.get("client_id")?,
        name: Untrusted::new(row.get::<_, String>("name")?),
        mode: Mode::ALL.into_iter().find(|one| one.name() == mode).ok_or_else(|| damaged("a mode"))?,
        state: State::named(&state).ok_or_else(|| damaged("a state"))?,
        since: row.get("since")?,
        began: row.get("began")?,
        attempt: row.get("attempt")?,
        correlation_id: row.get("correlation_id")?,
        old: print("old_print")?,
        new: print("new_print")?,
        observed: print("observed_print")?,
        sealed: Vec::new(),
        doubt: reason.zip(quiesce_until).map(|(reason, quiesce_until)| Doubt { reason, quiesce_until }),
        detail: row.get("detail")?,
        who: row.get("who")?,
        targets: Vec::new(),
        steps: Vec::new(),
        generation: u64::try_from(row.get::<_, i64>("generation")?).map_err(|_| damaged("a generation"))?,
    };
    Ok(Stored { number: row.get("number")?, stamp: row.get("stamp")?, rollover })
}

fn target(row: &Row<'_>) -> Result<TargetRow, Trouble> {
    let hash = |column: &str| -> Result<Option<ContentHash>, Trouble> {
        Ok(row.get::<_, Option<[u8; 32]>>(column)?.map(ContentHash::from_bytes))
    };
    Ok(TargetRow {
        name: row.get("name")?,
        phase: Phase::named(&row.get::<_, String>("phase")?).ok_or_else(|| damaged("a target's phase"))?,
        state: TargetState::named(&row.get::<_, String>("state")?).ok_or_else(|| damaged("a target's state"))?,
        before: hash("before_hash")?,
        after: hash("after_hash")?,
        detail: row.get("detail")?,
    })
}

fn step(row: &Row<'_>) -> Result<StepReport, Trouble> {
    Ok(StepReport {
        step: Step::named(&row.get::<_, String>("step")?).ok_or_else(|| damaged("a step"))?,
        outcome: StepOutcome::named(&row.get::<_, String>("outcome")?).ok_or_else(|| damaged("a step's outcome"))?,
        at: utc(row.get("at")?),
        detail: row.get("detail")?,
    })
}

/// The role with this name.
pub(super) fn role(name: &str) -> Result<Role, Trouble> {
    Role::ALL.into_iter().find(|role| role.name() == name).ok_or_else(|| damaged("a role"))
}

/// A step's time as the ledger keeps it; `now` where it is none.
pub(super) fn seconds(at: &str, now: i64) -> i64 {
    OffsetDateTime::parse(at, &Rfc3339).map_or(now, OffsetDateTime::unix_timestamp)
}

fn damaged(what: &str) -> Trouble {
    Trouble::Damaged(format!("{what} in it is none that rollover knows"))
}
