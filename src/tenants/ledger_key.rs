use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use age::secrecy::ExposeSecret as _;

use super::access::Tenants;
use super::keyring::{self, Entry, KeyringStatus};
use crate::domain::Secret;
use crate::files;
use crate::ledger::{Ledger, LedgerError};

/// Our entry in the keyring that holds the key of the ledger: `service` there, and the account.
const ENTRY: Entry<'static> = Entry { service: "rollover", user: "ledger identity" };

/// Why the ledger has no key, or cannot be opened with it. Safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyTrouble {
    /// The passphrase is needed.
    NeedsPassphrase,
    /// There is no place for a key yet: a passphrase must be chosen first. Why the keyring is none.
    NeedsNewPassphrase(String),
    /// The key could not be had.
    Unavailable(String),
    /// The ledger said no.
    Ledger(LedgerError),
}

impl fmt::Display for KeyTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeedsPassphrase => f.write_str("the passphrase is needed to open what is sealed in the ledger"),
            Self::NeedsNewPassphrase(why) => {
                write!(f, "the ledger needs a key to seal secrets with, and there is none yet: {why}")
            }
            Self::Unavailable(why) => f.write_str(why),
            Self::Ledger(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for KeyTrouble {}

impl From<LedgerError> for KeyTrouble {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl Tenants {
    /// The ledger of this user; makes it where there is none.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn ledger(&self) -> Result<Ledger, LedgerError> {
        Ledger::open(self.home().state())
    }

    /// The ledger of this user, where there is one.
    ///
    /// # Errors
    /// As [`Ledger::open`].
    pub fn existing_ledger(&self) -> Result<Option<Ledger>, LedgerError> {
        Ledger::open_existing(self.home().state())
    }

    /// Gives the ledger a key, where it has none: that of the file that the user named, else that of the passphrase, else one that
    /// is made and kept in the keyring. Nothing is asked for.
    ///
    /// # Errors
    /// [`KeyTrouble::NeedsNewPassphrase`] where there is no place for one.
    pub async fn give_key(&self, ledger: &Ledger, now: i64) -> Result<(), KeyTrouble> {
        if ledger.recipients()?.iter().any(|recipient| recipient.own) {
            return Ok(());
        }
        if let Some(path) = self.identity_file()? {
            let identity = read_identity(&path)?;
            let note = format!("the key in {}", path.display());
            ledger.add_recipient(&identity.to_public().to_string(), true, &note, now)?;
            ledger.unlock(identity)?;
            return Ok(());
        }
        if self.has_passphrase() {
            let public = self.vault().public_key().map_err(|error| KeyTrouble::Unavailable(error.to_string()))?;
            return Ok(ledger.add_recipient(&public, true, "the key under the passphrase", now)?);
        }
        match self.keyring().await.map(|state| state.status) {
            Some(KeyringStatus::Ready | KeyringStatus::Locked) => {}
            Some(KeyringStatus::Absent(why)) => return Err(KeyTrouble::NeedsNewPassphrase(why)),
            None => return Err(KeyTrouble::NeedsNewPassphrase("the keyring is not used here".to_owned())),
        }
        let failed = |error: keyring::KeyringError| KeyTrouble::Unavailable(error.to_string());
        // Whoever lost the ledger's file has the key still: it is used again.
        let identity = if let Some(text) = keyring::read(ENTRY).await.map_err(failed)? {
            parse(text.expose(), "the keyring's entry `ledger identity`")?
        } else {
            let identity = age::x25519::Identity::generate();
            let text = Secret::new(identity.to_string().expose_secret().to_owned());
            keyring::write(ENTRY, "rollover: the key of the ledger", &text).await.map_err(failed)?;
            identity
        };
        ledger.add_recipient(&identity.to_public().to_string(), true, "the key in the keyring", now)?;
        Ok(ledger.unlock(identity)?)
    }

    /// Opens the ledger with its key, wherever that is. Nothing is asked for.
    ///
    /// # Errors
    /// [`KeyTrouble::NeedsPassphrase`] where [`Tenants::unlock`] must come first.
    pub async fn unlock_ledger(&self, ledger: &Ledger) -> Result<(), KeyTrouble> {
        if ledger.is_unlocked() {
            return Ok(());
        }
        let recipients = ledger.recipients()?;
        let is_ours = |public: &str| recipients.iter().any(|recipient| recipient.public == public);
        if let Some(path) = self.identity_file()? {
            // A key for emergencies opens it as well as our own.
            return Ok(ledger.unlock(read_identity(&path)?)?);
        }
        if self.has_passphrase() && self.vault().public_key().is_ok_and(|public| is_ours(&public)) {
            let identity = self.vault().identity_key().ok_or(KeyTrouble::NeedsPassphrase)?;
            return Ok(ledger.unlock((*identity).clone())?);
        }
        let text = keyring::read(ENTRY).await.map_err(|error| KeyTrouble::Unavailable(error.to_string()))?;
        let Some(text) = text else {
            let why = "the key of the ledger is in no keyring here; `rollover ledger recipients` says who can open it";
            return Err(KeyTrouble::Unavailable(why.to_owned()));
        };
        Ok(ledger.unlock(parse(text.expose(), "the keyring's entry `ledger identity`")?)?)
    }

    /// The file with the ledger's key, where the user names one: by `ROLLOVER_IDENTITY_FILE`, or `identity_file`.
    fn identity_file(&self) -> Result<Option<PathBuf>, KeyTrouble> {
        if let Some(path) = self.variable("ROLLOVER_IDENTITY_FILE").filter(|path| !path.is_empty()) {
            return Ok(Some(PathBuf::from(path)));
        }
        // A mistake in the file is told where the file is asked for; here nothing is guessed.
        let config = self.config().map_err(|error| KeyTrouble::Unavailable(error.to_string()))?;
        Ok(config.identity_file)
    }
}

/// Reads a key as `age-keygen` writes it: lines, comments among them, one of which is the key.
fn read_identity(path: &std::path::Path) -> Result<age::x25519::Identity, KeyTrouble> {
    let shown = crate::domain::untrusted::shown(&path.display().to_string()).into_owned();
    let text = files::read_key(path).map_err(|error| KeyTrouble::Unavailable(format!("{shown}: {error}")))?;
    let text = Arc::new(Secret::new(text));
    parse(text.expose(), &shown)
}

fn parse(text: &str, place: &str) -> Result<age::x25519::Identity, KeyTrouble> {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty() && !line.starts_with('#'));
    line.and_then(|line| line.parse().ok())
        .ok_or_else(|| KeyTrouble::Unavailable(format!("{place}: it holds no private key of age (AGE-SECRET-KEY-1…)")))
}
