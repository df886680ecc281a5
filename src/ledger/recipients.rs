use rusqlite::{Transaction, params};

use super::Recipient;
use super::error::{LedgerError, Trouble};
use super::rows::{Which, load, role};
use super::sealing::{self, Whose};
use super::store::{Statements as _, Store};

/// Who can open what is sealed, our own key first.
pub(super) fn all(transaction: &Transaction<'_>) -> Result<Vec<Recipient>, Trouble> {
    let mut statement = transaction
        .prepare_cached("SELECT public, own, note, added FROM recipient ORDER BY own DESC, added, public")?;
    let rows = statement.query_map([], |row| {
        Ok(Recipient { public: row.get(0)?, own: row.get(1)?, note: row.get(2)?, added: row.get(3)? })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Their keys.
pub(super) fn keys(transaction: &Transaction<'_>) -> Result<Vec<age::x25519::Recipient>, Trouble> {
    let keys = all(transaction)?.iter().map(|one| parsed(&one.public)).collect::<Result<_, _>>();
    keys.map_err(|_| Trouble::Damaged("a recipient in it is no public key of age".to_owned()))
}

pub(super) fn parsed(public: &str) -> Result<age::x25519::Recipient, LedgerError> {
    // What was given is not repeated: it may be a private key.
    public.trim().parse().map_err(|_| {
        LedgerError::Refused("that is no public key of age; one looks like age1…, 62 characters".to_owned())
    })
}

/// Adds somebody, and seals for them what is sealed already where the key is there.
pub(super) fn add(
    store: &Store,
    identity: Option<&age::x25519::Identity>,
    recipient: &Recipient,
) -> Result<(), LedgerError> {
    let public = parsed(&recipient.public)?.to_string();
    store.write(|transaction| {
        transaction.run(
            "INSERT INTO recipient (public, own, note, added) VALUES (?, ?, ?, ?)
                ON CONFLICT (public) DO UPDATE SET own = max(own, excluded.own), note = excluded.note",
            params![public, recipient.own, recipient.note, recipient.added],
        )?;
        match identity {
            Some(identity) => seal_again(transaction, identity, true),
            None => Ok(()),
        }
    })
}

/// Drops somebody, and seals again without them.
pub(super) fn remove(store: &Store, identity: Option<&age::x25519::Identity>, public: &str) -> Result<(), LedgerError> {
    let public = parsed(public)?.to_string();
    let identity = identity.ok_or(LedgerError::Locked)?;
    let mut tried = false;
    store.write(|transaction| {
        let again = std::mem::replace(&mut tried, true);
        let there = all(transaction)?.into_iter().find(|one| one.public == public);
        match there {
            Some(one) if one.own => {
                return Err(
                    LedgerError::Refused("that is the ledger's own key; it cannot be removed".to_owned()).into()
                );
            }
            Some(_) => {}
            // The first attempt was recorded after all.
            None if again => return Ok(()),
            None => return Err(LedgerError::Refused("nothing is sealed for that key".to_owned()).into()),
        }
        transaction.run("DELETE FROM recipient WHERE public = ?", params![public])?;
        seal_again(transaction, identity, false)
    })
}

/// Seals everything for the recipients as they are now. `some`: what cannot be opened, because it is sealed for another key or
/// damaged, stays as it is; somebody who is removed must not keep anything.
fn seal_again(transaction: &Transaction<'_>, identity: &age::x25519::Identity, some: bool) -> Result<(), Trouble> {
    let keys = keys(transaction)?;
    for stored in load(transaction, Which::All)? {
        let mut statement = transaction.prepare_cached("SELECT role, blob FROM sealed WHERE rollover = ?")?;
        let blobs: Vec<(String, Vec<u8>)> = statement
            .query_map(params![stored.number], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        for (name, blob) in blobs {
            let whose = Whose::of(&stored.rollover, role(&name)?);
            let secret = match sealing::open(identity, &blob, whose) {
                Ok(secret) => secret,
                Err(_) if some => continue,
                Err(error) => return Err(error.into()),
            };
            let blob = sealing::seal(&keys, whose, &secret)?;
            transaction.run(
                "UPDATE sealed SET blob = ? WHERE rollover = ? AND role = ?",
                params![blob, stored.number, name],
            )?;
        }
    }
    Ok(())
}
