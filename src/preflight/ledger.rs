use crate::domain::preflight::{Finding, Topic};
use crate::domain::rollover::State;
use crate::ledger::{Ledger, LedgerError};
use crate::rollover::seconds;
use crate::tenants::{Config, Tenants};

/// The ledger: whether it can be used, who can open it, and what in it waits for somebody. A look makes none.
pub(super) fn look(tenants: &Tenants, config: &Config) -> Vec<Finding> {
    let path = tenants.home().state().join("ledger.db");
    match tenants.existing_ledger() {
        Ok(Some(ledger)) => opened(&ledger, config).unwrap_or_else(|error| vec![broken(&error)]),
        Ok(None) => {
            let path = path.display();
            vec![Finding::ok(Topic::Ledger, format!("{path}: not there; it is made when the first rollover begins"))]
        }
        Err(error) => vec![broken(&error)],
    }
}

fn broken(error: &LedgerError) -> Finding {
    let mend = match error {
        LedgerError::File { hint, .. } => hint.as_str(),
        _ => "",
    };
    Finding::problem(Topic::Ledger, error.to_string(), mend)
}

fn opened(ledger: &Ledger, config: &Config) -> Result<Vec<Finding>, LedgerError> {
    let all = ledger.all(None)?;
    let path = ledger.path().display();
    let mut findings =
        vec![Finding::ok(Topic::Ledger, format!("{path}: in order, {}", super::count(all.len(), "rollover")))];
    let recipients = ledger.recipients()?;
    let own = recipients.iter().find(|recipient| recipient.own);
    let others = recipients.iter().filter(|recipient| !recipient.own).count();
    findings.push(match own {
        None => Finding::ok(Topic::LedgerKey, "none yet: it gets one when the first rollover begins"),
        Some(own) if others == 0 => {
            let mend = "`rollover ledger recipients --add AGE1…` lets a second one open it, should this one be lost.";
            Finding::ok(Topic::LedgerKey, format!("{}; no other opens it", own.note)).advising(mend)
        }
        Some(own) => {
            let others = super::count(others, "key");
            Finding::ok(Topic::LedgerKey, format!("{}, and {others} for emergencies", own.note))
        }
    });
    let now = seconds();
    let open: Vec<_> = all.iter().filter(|row| !row.state.is_final()).collect();
    let urgent = open.iter().filter(|row| row.in_doubt() || row.state.needs_person()).count();
    let overdue = open.iter().filter(|row| row.overdue(now, config.nag_after_days).is_some()).count();
    let holding = open.iter().filter(|row| row.state == State::Holding).count();
    let unfinished = super::count(open.len(), "unfinished rollover");
    findings.push(if urgent > 0 {
        let what = format!("{unfinished}, {urgent} of them in doubt or in conflict");
        Finding::warning(Topic::Rollovers, what, "`rollover status` lists them, `rollover resume` settles them.")
    } else if overdue > 0 {
        let what = format!("{unfinished}, {overdue} of them holding both secrets for long");
        Finding::warning(Topic::Rollovers, what, "`rollover retire` drops the old secret once nothing uses it.")
    } else {
        Finding::ok(Topic::Rollovers, format!("{unfinished}, {holding} of them holding both secrets"))
    });
    Ok(findings)
}
