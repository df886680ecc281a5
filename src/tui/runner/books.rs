use std::sync::{Arc, Mutex, PoisonError};

use crate::domain::FingerprintKey;
use crate::ledger::{Ledger, LedgerError};
use crate::rollover::seconds;
use crate::tenants::{KeyTrouble, Tenants, fingerprint_key};
use crate::tui::app::screen::ask_secret::{KeyNeed, SHORTEST_PASSPHRASE};

// What is asked for on screen is what the vault takes.
const _: () = assert!(SHORTEST_PASSPHRASE == crate::tenants::SHORTEST_PASSPHRASE);

/// The ledger and the key of fingerprints: of this user, or of the pretend tenant in this process. Opened when they are first needed.
pub(super) struct Books {
    tenants: Option<Tenants>,
    opened: Mutex<Option<Opened>>,
}

#[derive(Clone)]
struct Opened {
    ledger: Arc<Ledger>,
    key: Arc<FingerprintKey>,
}

/// Why a key is not there.
pub(super) enum NoKey {
    /// It has to be asked for; why.
    Asks(KeyNeed, String),
    /// The ledger said no.
    Ledger(LedgerError),
    /// It could not be had. Safe to print.
    Unavailable(String),
}

impl From<KeyTrouble> for NoKey {
    fn from(trouble: KeyTrouble) -> Self {
        match trouble {
            KeyTrouble::NeedsPassphrase | KeyTrouble::Ledger(LedgerError::Locked) => {
                Self::Asks(KeyNeed::Passphrase, trouble.to_string())
            }
            KeyTrouble::NeedsNewPassphrase(_) => Self::Asks(KeyNeed::NewPassphrase, trouble.to_string()),
            KeyTrouble::Unavailable(why) => Self::Unavailable(why),
            KeyTrouble::Ledger(error) => Self::Ledger(error),
        }
    }
}

impl Books {
    /// Those of this user.
    pub(super) fn of(tenants: Tenants) -> Self {
        Self { tenants: Some(tenants), opened: Mutex::default() }
    }

    /// Those that live as long as this process.
    pub(super) fn in_memory() -> Self {
        Self { tenants: None, opened: Mutex::default() }
    }

    /// The ledger, and what makes fingerprints. Waits for the disk.
    pub(super) fn open(&self) -> Result<(Arc<Ledger>, Arc<FingerprintKey>), LedgerError> {
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if opened.is_none() {
            *opened = Some(if let Some(tenants) = &self.tenants {
                let ledger = Arc::new(tenants.ledger()?);
                let key = fingerprint_key(tenants.home()).map_err(LedgerError::Refused)?;
                Opened { ledger, key: Arc::new(key) }
            } else {
                let mut random = [0; 32];
                aws_lc_rs::rand::fill(&mut random)
                    .map_err(|_| LedgerError::Refused("the operating system gives no random bytes".to_owned()))?;
                Opened { ledger: Arc::new(Ledger::in_memory()?), key: Arc::new(FingerprintKey::new(&random)) }
            });
        }
        let opened = opened.clone().ok_or(LedgerError::Locked)?;
        Ok((opened.ledger, opened.key))
    }

    /// The ledger, where there is one: a look makes none.
    pub(super) fn existing(&self) -> Result<Option<Arc<Ledger>>, LedgerError> {
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened {
            return Ok(Some(Arc::clone(&opened.ledger)));
        }
        drop(opened);
        let there = match &self.tenants {
            Some(tenants) => tenants.existing_ledger()?.is_some(),
            None => true,
        };
        if there { self.open().map(|(ledger, _)| Some(ledger)) } else { Ok(None) }
    }

    /// Sees to it that secrets can be sealed; with `opens`, that those that are sealed can be opened.
    pub(super) async fn give_key(&self, ledger: &Ledger, opens: bool) -> Result<(), NoKey> {
        let Some(tenants) = &self.tenants else { return Ok(()) };
        tenants.give_key(ledger, seconds()).await?;
        if opens {
            tenants.unlock_ledger(ledger).await?;
        }
        Ok(())
    }

    /// Forgets the keys, as far as they can be had again.
    pub(super) fn lock(&self) {
        let Some(tenants) = &self.tenants else { return };
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(opened) = &*opened {
            opened.ledger.lock();
        }
        tenants.lock();
    }

    /// Whether there is anything to forget.
    pub(super) fn holds_keys(&self) -> bool {
        let Some(tenants) = &self.tenants else { return false };
        let opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        tenants.is_unlocked() || opened.as_ref().is_some_and(|opened| opened.ledger.is_unlocked())
    }
}
