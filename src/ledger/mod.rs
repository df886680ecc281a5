//! The ledger: the durable record of every rollover, with its secrets sealed.
//!
//! What is in the clear is what a start needs to warn that a rollover is unfinished; secrets are sealed with age for the keys of
//! `Ledger::recipients`, of which writing needs only the public halves. Every change is one transaction that is on the disk when
//! the call returns.

/// Copies of the whole ledger, and of one secret.
mod backup;
/// Why the ledger could not do what it was asked to.
mod error;
/// Everything in it as JSON.
mod export;
/// The right to change a client's rollovers.
mod lease;
/// The file: making it, opening it, refusing what is not a sound ledger of ours.
mod opening;
/// Who can open what is sealed.
mod recipients;
/// From rows to rollovers.
mod rows;
/// The tables, and their versions.
mod schema;
/// Sealing and opening one secret.
mod sealing;
/// Room that is kept for a full disk.
mod spare;
/// The one connection, and what is done where the disk fails.
mod store;
#[cfg(test)]
mod tests;
/// Beginning and changing a rollover.
mod writing;

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use error::LedgerError;
pub use lease::Lease;

use crate::domain::rollover::{Doubt, Mode, Role, Rollover, RolloverId, State, TargetRow};
use crate::domain::rotation::StepReport;
use crate::domain::{Domain, Secret, SecretPrint, Untrusted};
use rows::Which;
use sealing::Whose;
use store::Store;

/// The record of every rollover. Calls block for as long as the disk takes; share it as `Arc`.
pub struct Ledger {
    store: Arc<Store>,
    /// The key that opens what is sealed, once it was given.
    identity: Mutex<Option<Arc<age::x25519::Identity>>>,
    /// Who could open what is sealed when that was last read: for a secret that must be saved although the file fails.
    known: Mutex<Vec<Recipient>>,
}

/// Who can open what is sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The public key of age, `age1…`.
    pub public: String,
    /// Whether it belongs to the key that this program keeps; else it is for emergencies.
    pub own: bool,
    /// What the user calls it.
    pub note: String,
    /// When it was added: seconds since 1970.
    pub added: i64,
}

/// What begins.
#[derive(Clone, Debug)]
pub struct Beginning {
    /// Its number.
    pub id: RolloverId,
    /// The client's name.
    pub name: Untrusted,
    /// Who chooses the new secret.
    pub mode: Mode,
    /// The targets, in their order.
    pub targets: Vec<TargetRow>,
    /// Seconds since 1970.
    pub now: i64,
}

/// What changes in a rollover, all at once.
#[derive(Debug, Default)]
pub struct Change<'a> {
    /// States that it passes on the way, nothing being done in between: each must be allowed to follow the one before.
    pub through: Vec<State>,
    /// Where it stands from now on.
    pub state: Option<State>,
    /// How often the request was sent.
    pub attempt: Option<u32>,
    /// What the latest request is sent with.
    pub correlation_id: Option<String>,
    /// Secrets to seal, in the place of those in the same role.
    pub seal: Vec<(Role, &'a Secret, Option<SecretPrint>)>,
    /// Secrets to wipe. Their keyed hashes stay.
    pub wipe: Vec<Role>,
    /// Wipe every secret of this client's earlier rollovers that have ended.
    pub wipe_earlier: bool,
    /// That nobody knows whether it was applied; `Some(None)`: it is known now.
    pub doubt: Option<Option<Doubt>>,
    /// Targets that came further, by name; those that are not there yet are added.
    pub targets: Vec<TargetRow>,
    /// Steps that ended.
    pub steps: Vec<StepReport>,
    /// What a person should know of the state.
    pub detail: Option<String>,
    /// Seconds since 1970.
    pub now: i64,
}

impl Ledger {
    /// The ledger in `folder`; makes it where there is none.
    ///
    /// # Errors
    /// Where it cannot be opened, is damaged, newer than this program, or others can read it.
    pub fn open(folder: &Path) -> Result<Self, LedgerError> {
        Ok(Self::new(Store::open(folder)?))
    }

    /// The ledger in `folder`, where there is one: a look makes none.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn open_existing(folder: &Path) -> Result<Option<Self>, LedgerError> {
        let file = folder.join("ledger.db");
        match fs::symlink_metadata(&file) {
            Ok(_) => Self::open(folder).map(Some),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(None),
            Err(error) => Err(LedgerError::of_file(&file, &error)),
        }
    }

    /// A ledger that lives as long as this process, with a key of its own: for the pretend tenant.
    ///
    /// # Errors
    /// Where there is no memory.
    pub fn in_memory() -> Result<Self, LedgerError> {
        let ledger = Self::new(Store::in_memory()?);
        let identity = age::x25519::Identity::generate();
        ledger.add_recipient(&identity.to_public().to_string(), true, "", 0)?;
        ledger.unlock(identity)?;
        Ok(ledger)
    }

    /// Its file.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.store.path()
    }

    /// Who can open what is sealed; empty: nothing can be sealed yet.
    ///
    /// # Errors
    /// As the file fails.
    pub fn recipients(&self) -> Result<Vec<Recipient>, LedgerError> {
        let recipients = self.store.read(recipients::all)?;
        self.known().clone_from(&recipients);
        Ok(recipients)
    }

    /// Adds somebody who can open what is sealed from now on, and, where the ledger is unlocked, what is sealed already.
    ///
    /// # Errors
    /// Where it is no public key of age, or as the file fails.
    pub fn add_recipient(&self, public: &str, own: bool, note: &str, now: i64) -> Result<(), LedgerError> {
        let recipient = Recipient { public: public.to_owned(), own, note: note.to_owned(), added: now };
        recipients::add(&self.store, self.key().as_deref(), &recipient)?;
        self.recipients().map(drop)
    }

    /// Drops somebody; what is sealed for them is sealed again without them, so the ledger must be unlocked.
    ///
    /// # Errors
    /// Where there is no such recipient, or it is our own; or as the file fails.
    pub fn remove_recipient(&self, public: &str) -> Result<(), LedgerError> {
        recipients::remove(&self.store, self.key().as_deref(), public)?;
        self.recipients().map(drop)
    }

    /// Gives the key that opens what is sealed; it stays in memory until [`Ledger::lock`].
    ///
    /// # Errors
    /// Where what is sealed here is not sealed for it.
    pub fn unlock(&self, identity: age::x25519::Identity) -> Result<(), LedgerError> {
        let public = identity.to_public().to_string();
        let recipients = self.recipients()?;
        if recipients.is_empty() {
            return Err(LedgerError::NoKey);
        }
        if !recipients.iter().any(|one| one.public == public) {
            return Err(LedgerError::WrongKey);
        }
        *self.identity() = Some(Arc::new(identity));
        Ok(())
    }

    /// Forgets the key.
    pub fn lock(&self) {
        *self.identity() = None;
    }

    /// Whether the key was given.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        self.identity().is_some()
    }

    /// Takes the right to change a client's rollovers.
    ///
    /// # Errors
    /// [`LedgerError::Leased`] where another process, or another task of this one, has it.
    pub fn lease(&self, tenant: &Domain, client_id: &str) -> Result<Lease, LedgerError> {
        lease::take(&self.store, tenant, client_id)
    }

    /// Records that a rollover begins; it is then planned.
    ///
    /// # Errors
    /// Where the client has one that has not ended, no key was chosen yet, or the file fails.
    pub fn begin(&self, lease: &Lease, beginning: &Beginning) -> Result<Rollover, LedgerError> {
        writing::begin(&self.store, lease, beginning)
    }

    /// Records a change, and gives the rollover as it is now. It is on the disk when this returns.
    ///
    /// # Errors
    /// Where the state may not follow, somebody else changed it since it was read, or the file fails.
    pub fn change(&self, lease: &Lease, rollover: &Rollover, change: &Change<'_>) -> Result<Rollover, LedgerError> {
        writing::change(&self.store, lease, rollover, change)
    }

    /// Opens a sealed secret; `None` where none is held.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] where the key was not given; or where what was opened is not what the row says.
    pub fn secret(&self, rollover: &Rollover, role: Role) -> Result<Option<Arc<Secret>>, LedgerError> {
        let Some(sealed) = self.store.read(|transaction| writing::blob(transaction, rollover, role))? else {
            return Ok(None);
        };
        let identity = self.key().ok_or(LedgerError::Locked)?;
        sealing::open(&identity, &sealed, Whose::of(rollover, role)).map(Some)
    }

    /// One rollover.
    ///
    /// # Errors
    /// As the file fails.
    pub fn get(&self, id: &RolloverId) -> Result<Option<Rollover>, LedgerError> {
        self.one(Which::One(id))
    }

    /// All rollovers, of one tenant or of all: unfinished first, then the latest first.
    ///
    /// # Errors
    /// As the file fails.
    pub fn all(&self, tenant: Option<&Domain>) -> Result<Vec<Rollover>, LedgerError> {
        let which = tenant.map_or(Which::All, Which::Tenant);
        let found = self.store.read(|transaction| rows::load(transaction, which))?;
        let mut found: Vec<_> = found.into_iter().map(|stored| stored.rollover).collect();
        // They come the latest first, and this keeps the order among equals.
        found.sort_by_key(|rollover| rollover.state.is_final());
        Ok(found)
    }

    /// A client's latest rollover.
    ///
    /// # Errors
    /// As the file fails.
    pub fn latest(&self, tenant: &Domain, client_id: &str) -> Result<Option<Rollover>, LedgerError> {
        self.one(Which::Client(tenant, client_id))
    }

    /// A number that changes when another process has changed the ledger.
    ///
    /// # Errors
    /// As the file fails.
    pub fn version(&self) -> Result<i64, LedgerError> {
        self.store.version()
    }

    /// Copies the ledger to a dated file beside it, or to `to`; of the dated ones the latest three are kept.
    ///
    /// # Errors
    /// As the files fail.
    pub fn backup(&self, to: Option<&Path>, now: i64) -> Result<PathBuf, LedgerError> {
        backup::backup(&self.store, to, now)
    }

    /// Everything in it as JSON, secrets sealed as they are (age, ASCII armour): readable without this program.
    ///
    /// # Errors
    /// As the file fails.
    pub fn export(&self) -> Result<serde_json::Value, LedgerError> {
        export::export(&self.store)
    }

    /// Seals a secret into a file of its own, where the ledger itself cannot be written.
    ///
    /// # Errors
    /// As that file fails.
    pub fn save_elsewhere(
        &self,
        to: &Path,
        rollover: &Rollover,
        role: Role,
        secret: &Secret,
    ) -> Result<(), LedgerError> {
        // The file may be what fails: then it is sealed for those who were known before.
        let recipients = self.recipients().unwrap_or_else(|_| self.known().clone());
        let keys = recipients.iter().map(|one| recipients::parsed(&one.public)).collect::<Result<Vec<_>, _>>()?;
        backup::write_new(to, &sealing::seal(&keys, Whose::of(rollover, role), secret)?)
    }

    fn new(store: Store) -> Self {
        let ledger = Self { store: Arc::new(store), identity: Mutex::default(), known: Mutex::default() };
        // So that they are known when the file fails; where it fails already, the next call says so.
        let _ = ledger.recipients();
        ledger
    }

    fn one(&self, which: Which<'_>) -> Result<Option<Rollover>, LedgerError> {
        let found = self.store.read(|transaction| rows::one(transaction, which))?;
        Ok(found.map(|stored| stored.rollover))
    }

    fn key(&self) -> Option<Arc<age::x25519::Identity>> {
        self.identity().clone()
    }

    fn identity(&self) -> MutexGuard<'_, Option<Arc<age::x25519::Identity>>> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn known(&self) -> MutexGuard<'_, Vec<Recipient>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ledger({})", self.path().display())
    }
}
