use std::sync::Arc;
use std::time::Duration;

use super::ask;
use super::exit::Failure;
use super::output::say;
use super::session::Session;
use crate::domain::{Client, Domain};
use crate::ledger::Ledger;
use crate::rollover::{Desk, Patience, Subject, seconds};
use crate::tenants::{KeyTrouble, SHORTEST_PASSPHRASE, Tenants, VaultError, fingerprint_key};

/// The ledger.
pub fn ledger(tenants: &Tenants) -> Result<Arc<Ledger>, Failure> {
    Ok(Arc::new(tenants.ledger()?))
}

/// Opens the ledger with its key; a passphrase is asked for on a terminal.
pub async fn unlocked(tenants: &Tenants, ledger: &Ledger) -> Result<(), Failure> {
    const TRIES: u32 = 3;
    let mut tries = 0;
    loop {
        match tenants.unlock_ledger(ledger).await {
            Ok(()) => return Ok(()),
            Err(KeyTrouble::NeedsPassphrase) if ask::can_ask() => {}
            Err(trouble) => return Err(trouble.into()),
        }
        let typed = ask::hidden("Passphrase of the ledger: ")?;
        tries += 1;
        match tenants.unlock(Arc::new(typed)).await {
            Ok(()) => {}
            Err(error @ VaultError::WrongPassphrase) if tries < TRIES => say(&format!("rollover: {error}")),
            Err(error) => return Err(KeyTrouble::Unavailable(error.to_string()).into()),
        }
    }
}

/// Sees that the ledger can seal; where there is no place for a key, a passphrase is chosen on a terminal.
async fn can_seal(tenants: &Tenants, ledger: &Ledger) -> Result<(), Failure> {
    let why = match tenants.give_key(ledger, seconds()).await {
        Ok(()) => return Ok(()),
        Err(KeyTrouble::NeedsNewPassphrase(why)) if ask::can_ask() => why,
        Err(trouble) => return Err(trouble.into()),
    };
    say(&format!("rollover: secrets are sealed in the ledger with a key, and the keyring cannot hold it: {why}."));
    say(&format!(
        "Choose a passphrase that protects it, of at least {SHORTEST_PASSPHRASE} characters. It cannot be recovered."
    ));
    loop {
        let typed = ask::hidden("Passphrase: ")?;
        if typed.chars() < SHORTEST_PASSPHRASE {
            say(&format!("rollover: a passphrase has at least {SHORTEST_PASSPHRASE} characters"));
            continue;
        }
        if !ask::hidden("The same again: ")?.same_as(&typed) {
            say("rollover: the two are not the same");
            continue;
        }
        let chosen = tenants.choose_passphrase(Arc::new(typed)).await;
        chosen.map_err(|error| Failure::from(KeyTrouble::Unavailable(error.to_string())))?;
        return Ok(tenants.give_key(ledger, seconds()).await?);
    }
}

/// What a command works with that begins a rollover or goes on with one. Nothing is sent for it.
pub async fn desk(session: &Session) -> Result<Desk, Failure> {
    let ledger = ledger(&session.tenants)?;
    can_seal(&session.tenants, &ledger).await?;
    let key = fingerprint_key(session.tenants.home());
    let key =
        key.map_err(|why| Failure { code: super::exit::code::LEDGER, ..Failure::failed("ledger_key", why, "") })?;
    let patience = patience(session.api.domain());
    Ok(Desk { api: session.api.clone(), ledger, key: Arc::new(key), patience, clock: seconds })
}

/// The client, and its targets.
pub fn subject(session: &Session, client: &Client) -> Subject {
    let id = client.summary.client_id.raw().to_owned();
    let targets = session.tenants.targets_of(&session.profile, &id);
    Subject { client_id: id, name: client.summary.name.clone(), auth: client.summary.auth.clone(), targets }
}

/// How long what is waited for: as Auth0's documentation has it. A tenant on loopback is a pretend one, and `ROLLOVER_PATIENCE_MS`
/// shortens it there, so that whoever tries what happens after a lost answer need not wait for minutes.
pub fn patience(domain: &Domain) -> Patience {
    let most = super::session::variable("ROLLOVER_PATIENCE_MS").and_then(|text| text.to_str()?.parse().ok());
    match most {
        Some(most) if domain.is_loopback() => Patience::default().at_most(Duration::from_millis(most)),
        _ => Patience::default(),
    }
}
