use std::fmt;
use std::fs::File;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError};

use aws_lc_rs::digest;
use rusqlite::{OptionalExtension as _, Transaction, params};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::error::{LedgerError, Trouble};
use super::opening;
use super::store::{Statements as _, Store};
use crate::domain::Domain;
use crate::domain::untrusted::shown;
use crate::files;

/// The right to change one client's rollovers, of which there is one at a time among all processes. It ends when this is
/// dropped, and when the process dies.
#[derive(Debug)]
pub struct Lease {
    /// The tenant.
    pub tenant: Domain,
    /// The client.
    pub client_id: String,
    hold: Hold,
}

/// What is held: a lock of the operating system, which dies with the process, and a row that says who has it. The row alone would
/// block everybody once its writer has crashed; the lock alone would not tell who, and on some network file systems is none.
struct Hold {
    store: Arc<Store>,
    tenant: String,
    client_id: String,
    /// Tells our row from one that somebody wrote in its place.
    token: i64,
    lock: Lock,
}

enum Lock {
    File(File),
    Memory,
}

/// Takes the right to change a client's rollovers.
pub(super) fn take(store: &Arc<Store>, tenant: &Domain, client_id: &str) -> Result<Lease, LedgerError> {
    let base = tenant.base().as_str();
    let Some(lock) = lock(store, base, client_id)? else {
        let by = holder(store, base, client_id)?.unwrap_or_else(|| "it has just begun".to_owned());
        return Err(LedgerError::Leased { by });
    };
    // From here on dropping it gives the lock back.
    let token = fastrand::i64(..);
    let hold = Hold { store: Arc::clone(store), tenant: base.to_owned(), client_id: client_id.to_owned(), token, lock };
    let since = OffsetDateTime::now_utc().unix_timestamp();
    let who = who();
    store.write(|transaction| {
        // A row that is there belongs to somebody who died: we have the lock.
        transaction.run(
            "INSERT OR REPLACE INTO lease (tenant, client_id, token, who, process, since) VALUES (?, ?, ?, ?, ?, ?)",
            params![base, client_id, token, who, std::process::id(), since],
        )?;
        Ok(())
    })?;
    Ok(Lease { tenant: tenant.clone(), client_id: client_id.to_owned(), hold })
}

impl Lease {
    /// Whether it is still what allows a change, looked up within the change's own transaction.
    pub(super) fn verify(&self, store: &Arc<Store>, transaction: &Transaction<'_>) -> Result<(), Trouble> {
        // The fields are public, so they are compared too: what counts is what is locked.
        let ours = Arc::ptr_eq(store, &self.hold.store)
            && self.hold.client_id == self.client_id
            && self.hold.tenant == self.tenant.base().as_str();
        if !ours {
            return Err(LedgerError::Stale("the lease belongs to another ledger or client".to_owned()).into());
        }
        let token: Option<i64> = transaction
            .one(
                "SELECT token FROM lease WHERE tenant = ? AND client_id = ?",
                params![self.hold.tenant, self.hold.client_id],
                |row| row.get(0),
            )
            .optional()?;
        if token == Some(self.hold.token) {
            return Ok(());
        }
        let why = "another process has taken this client over, or the ledger was replaced meanwhile";
        Err(LedgerError::Stale(why.to_owned()).into())
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // The row first: once the lock is free, the row may be the next holder's. Where it cannot be removed it stays, and the
        // next holder replaces it.
        let _ = self.store.write(|transaction| {
            transaction.run(
                "DELETE FROM lease WHERE tenant = ? AND client_id = ? AND token = ?",
                params![self.tenant, self.client_id, self.token],
            )?;
            Ok(())
        });
        match &self.lock {
            // Not only by closing it: a child process that is being started holds a copy of the handle for a moment.
            Lock::File(file) => drop(file.unlock()),
            Lock::Memory => {
                let mut held = self.store.held.lock().unwrap_or_else(PoisonError::into_inner);
                held.remove(&(self.tenant.clone(), self.client_id.clone()));
            }
        }
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hold")
    }
}

fn lock(store: &Store, tenant: &str, client_id: &str) -> Result<Option<Lock>, LedgerError> {
    let Some(path) = lock_path(store, tenant, client_id)? else {
        let mut held = store.held.lock().unwrap_or_else(PoisonError::into_inner);
        return Ok(held.insert((tenant.to_owned(), client_id.to_owned())).then_some(Lock::Memory));
    };
    let file = opening::lock_file(&path).map_err(|error| LedgerError::of_file(&path, &error))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(Lock::File(file))),
        Err(std::fs::TryLockError::WouldBlock) => Ok(None),
        Err(std::fs::TryLockError::Error(error)) => Err(LedgerError::of_file(&path, &error)),
    }
}

/// The file is never removed: whoever waits for a lock on a removed one would have a lock on nothing.
fn lock_path(store: &Store, tenant: &str, client_id: &str) -> Result<Option<PathBuf>, LedgerError> {
    let Some(folder) = store.folder() else { return Ok(None) };
    let folder = folder.join("leases");
    files::private_folder(&folder).map_err(|error| LedgerError::of_file(&folder, &error))?;
    // A digest, because ids and addresses may hold what no file's name can. No address holds a space.
    let digest = digest::digest(&digest::SHA256, format!("{tenant} {client_id}").as_bytes());
    let mut start = [0; 16];
    start.copy_from_slice(&digest.as_ref()[..16]);
    Ok(Some(folder.join(format!("{:032x}.lock", u128::from_be_bytes(start)))))
}

fn holder(store: &Store, tenant: &str, client_id: &str) -> Result<Option<String>, LedgerError> {
    store.read(|transaction| {
        let row = transaction
            .one(
                "SELECT who, process, since FROM lease WHERE tenant = ? AND client_id = ?",
                params![tenant, client_id],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, i64>(2)?)),
            )
            .optional()?;
        Ok(row.map(|(who, process, since)| format!("{}, process {process}, since {}", shown(&who), utc(since))))
    })
}

/// A time as a person reads it.
pub(super) fn utc(seconds: i64) -> String {
    OffsetDateTime::from_unix_timestamp(seconds).ok().and_then(|at| at.format(&Rfc3339).ok()).unwrap_or_default()
}

/// Who is at work: user and host.
pub(super) fn who() -> String {
    let named =
        |names: [&str; 2]| names.into_iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    #[cfg(unix)]
    let (user, host) = {
        let user = named(["USER", "LOGNAME"]).unwrap_or_else(|| rustix::process::getuid().as_raw().to_string());
        (user, rustix::system::uname().nodename().to_string_lossy().into_owned())
    };
    #[cfg(not(unix))]
    let (user, host) = (
        named(["USERNAME", "USER"]).unwrap_or_else(|| "?".to_owned()),
        named(["COMPUTERNAME", "HOSTNAME"]).unwrap_or_else(|| "?".to_owned()),
    );
    shown(&format!("{user}@{host}")).into_owned()
}
