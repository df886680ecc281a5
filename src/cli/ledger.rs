use std::borrow::Cow;

use serde_json::json;

use super::Ended;
use super::arguments::{LedgerCommand, Recipients};
use super::desk::{ledger, unlocked};
use super::exit::{Failure, code};
use super::output::Output;
use super::session::tenants;
use super::status::when;
use crate::rollover::seconds;

/// `ledger path | export | backup | recipients`.
pub async fn run(command: &LedgerCommand) -> Ended {
    let tenants = tenants()?;
    let mut output = Output::new(command.json());
    match command {
        LedgerCommand::Path => output.line(&tenants.home().state().join("ledger.db").display().to_string())?,
        LedgerCommand::Export => {
            let Some(ledger) = tenants.existing_ledger()? else { return Err(none_yet()) };
            Output::new(true).document(&ledger.export()?)?;
        }
        LedgerCommand::Backup { to } => {
            let Some(ledger) = tenants.existing_ledger()? else { return Err(none_yet()) };
            let path = ledger.backup(to.as_deref(), seconds())?;
            output.line(&path.display().to_string())?;
        }
        LedgerCommand::Recipients(recipients) => return change(&tenants, recipients, &mut output).await,
    }
    Ok(code::DONE)
}

fn none_yet() -> Failure {
    let message = "there is no ledger yet: no rollover was begun here";
    Failure { code: code::LEDGER, ..Failure::failed("ledger", message, "") }
}

/// Lists who can open what is sealed, and adds or removes one.
async fn change(tenants: &crate::tenants::Tenants, wanted: &Recipients, output: &mut Output) -> Ended {
    if wanted.add.is_none() && wanted.remove.is_none() && tenants.existing_ledger()?.is_none() {
        return Err(none_yet());
    }
    let ledger = ledger(tenants)?;
    if wanted.add.is_some() || wanted.remove.is_some() {
        if ledger.recipients()?.iter().any(|recipient| recipient.own) {
            // What is sealed already is sealed again, for whoever is to open it from now on.
            unlocked(tenants, &ledger).await?;
        }
        if let Some(public) = &wanted.add {
            ledger.add_recipient(public, false, wanted.note.as_deref().unwrap_or_default(), seconds())?;
        }
        if let Some(public) = &wanted.remove {
            ledger.remove_recipient(public)?;
        }
    }
    let all = ledger.recipients()?;
    if output.json {
        let documents: Vec<_> = all
            .iter()
            .map(|one| json!({ "recipient": one.public, "own": one.own, "note": one.note, "added": when(one.added) }))
            .collect();
        output.document(&documents)?;
    } else {
        let rows = all.iter().map(|one| {
            let kind: Cow<'_, str> = if one.own { "own".into() } else { "emergency".into() };
            [one.public.as_str().into(), kind, one.note.as_str().into(), when(one.added).into()]
        });
        output.rows(["RECIPIENT", "KIND", "NOTE", "ADDED"], rows)?;
    }
    Ok(code::DONE)
}
