use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use age::secrecy::{ExposeSecret as _, SecretString};
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::Home;
use super::keyring::{self, Entry, KeyringError};
use crate::domain::{Keep, Secret, Slot};
use crate::files;

/// What our entries in the keyring are called: `service` there.
const SERVICE: &str = "rollover";

/// The fewest characters of a passphrase.
pub const SHORTEST_PASSPHRASE: usize = 8;

/// Keeps credentials: in the keyring of the operating system, or in files sealed with age for a key that a passphrase
/// protects. Never in a plain file.
///
/// Sealed files need the passphrase for reading only: writing needs the public key, so a secret that has just come into being
/// can always be saved. Source: the age specification, age-encryption.org/v1.
pub struct Vault {
    state: PathBuf,
    /// Whether the keyring may be used.
    keyring: bool,
    /// The key that opens sealed files, once the passphrase was given: asked for once in a run.
    identity: Mutex<Option<Arc<age::x25519::Identity>>>,
}

/// What is kept for a way in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// The secret, key or token.
    pub secret: Arc<Secret>,
    /// The secret before it, where it was rotated here: during propagation it may be the one that is accepted.
    pub previous: Option<Arc<Secret>>,
}

/// What lay in a slot before it was changed.
#[derive(Debug)]
pub enum Before {
    /// Nothing.
    Nothing,
    /// This.
    Kept(Kept),
    /// A sealed file's bytes.
    Sealed(Vec<u8>),
}

/// Why nothing could be read or kept. Safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultError {
    /// The keyring could not be used.
    Keyring(KeyringError),
    /// The passphrase is needed first.
    NeedsPassphrase,
    /// The passphrase is not the right one.
    WrongPassphrase,
    /// There is no key yet: a passphrase has to be chosen first.
    NoPassphraseYet,
    /// A file could not be read or written.
    File(PathBuf, String),
    /// What was found is not what was put there.
    Foreign(String),
}

impl fmt::Display for VaultError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Keyring(error) => error.fmt(f),
            Self::NeedsPassphrase => f.write_str("the passphrase of the stored credentials is needed"),
            Self::WrongPassphrase => f.write_str("that is not the passphrase of the stored credentials"),
            Self::NoPassphraseYet => f.write_str("no passphrase has been chosen yet"),
            Self::File(path, why) => {
                write!(f, "{}: {why}", crate::domain::untrusted::shown(&path.display().to_string()))
            }
            Self::Foreign(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for VaultError {}

impl From<KeyringError> for VaultError {
    fn from(error: KeyringError) -> Self {
        Self::Keyring(error)
    }
}

/// What is sealed, or stands in the keyring: the credential, and whose it is. The rest must be what was asked for, or it is
/// not used: neither the keyring nor a folder keeps entries from being exchanged.
#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    domain: &'a str,
    kind: &'a str,
    client_id: &'a str,
    secret: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<&'a str>,
}

#[derive(Deserialize)]
struct Read {
    v: u32,
    domain: String,
    kind: String,
    client_id: String,
    secret: Zeroizing<String>,
    previous: Option<Zeroizing<String>>,
}

impl Vault {
    /// A vault below this home. `keyring`: whether the operating system's may be used.
    #[must_use]
    pub fn new(home: &Home, keyring: bool) -> Self {
        Self { state: home.state().to_owned(), keyring, identity: Mutex::default() }
    }

    /// What is kept in a slot.
    ///
    /// # Errors
    /// Where it cannot be read; [`VaultError::NeedsPassphrase`] where [`Vault::unlock`] must come first.
    pub async fn read(&self, keep: Keep, slot: &Slot) -> Result<Option<Kept>, VaultError> {
        match keep {
            Keep::Keyring => {
                self.may_use_keyring()?;
                let user = name(slot);
                let text = keyring::read(Entry { service: SERVICE, user: &user }).await?;
                text.map(|text| opened(text.expose().as_bytes(), slot)).transpose()
            }
            Keep::File => {
                let path = self.sealed_file(slot);
                let sealed = match files::open(&path).and_then(read_all) {
                    Ok(sealed) => sealed,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(VaultError::File(path, error.to_string())),
                };
                let identity = self.identity().clone().ok_or(VaultError::NeedsPassphrase)?;
                let plain = age::decrypt(&*identity, &sealed).map(Zeroizing::new).map_err(|_| {
                    VaultError::File(path, "it was not sealed for the key of this passphrase".to_owned())
                })?;
                opened(&plain, slot).map(Some)
            }
        }
    }

    /// Keeps a credential in a slot, in the place of what was there. It is stored when this returns.
    ///
    /// # Errors
    /// Where it cannot be; then what was there is still there.
    pub async fn write(&self, keep: Keep, slot: &Slot, kept: &Kept) -> Result<(), VaultError> {
        let text = written(slot, kept);
        match keep {
            Keep::Keyring => {
                self.may_use_keyring()?;
                let label = format!("rollover: {} for {}", slot.kind.words(), slot.domain);
                Ok(keyring::write(Entry { service: SERVICE, user: &name(slot) }, &label, &text).await?)
            }
            Keep::File => {
                let recipient = self.recipient()?;
                let path = self.sealed_file(slot);
                let failed = |why: String| VaultError::File(path.clone(), why);
                let sealed =
                    age::encrypt(&recipient, text.expose().as_bytes()).map_err(|error| failed(error.to_string()))?;
                files::replace(&path, &sealed).map_err(|error| failed(error.to_string()))
            }
        }
    }

    /// What is in a slot, as it lies there: sealed, where it is. No passphrase is needed for it.
    ///
    /// # Errors
    /// Where it cannot be read.
    pub async fn before(&self, keep: Keep, slot: &Slot) -> Result<Before, VaultError> {
        match keep {
            Keep::Keyring => Ok(self.read(keep, slot).await?.map_or(Before::Nothing, Before::Kept)),
            Keep::File => {
                let path = self.sealed_file(slot);
                match files::open(&path).and_then(read_all) {
                    Ok(sealed) => Ok(Before::Sealed(sealed)),
                    Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Before::Nothing),
                    Err(error) => Err(VaultError::File(path, error.to_string())),
                }
            }
        }
    }

    /// Puts back what was in a slot.
    ///
    /// # Errors
    /// Where it cannot be.
    pub async fn put_back(&self, keep: Keep, slot: &Slot, before: &Before) -> Result<(), VaultError> {
        match before {
            Before::Nothing => self.remove(keep, slot).await.map(drop),
            Before::Kept(kept) => self.write(keep, slot, kept).await,
            Before::Sealed(sealed) => {
                let path = self.sealed_file(slot);
                files::replace(&path, sealed).map_err(|error| VaultError::File(path, error.to_string()))
            }
        }
    }

    /// Forgets what is kept in a slot; whether there was something.
    ///
    /// # Errors
    /// Where it cannot be removed.
    pub async fn remove(&self, keep: Keep, slot: &Slot) -> Result<bool, VaultError> {
        match keep {
            Keep::Keyring => {
                self.may_use_keyring()?;
                Ok(keyring::delete(Entry { service: SERVICE, user: &name(slot) }).await?)
            }
            Keep::File => {
                let path = self.sealed_file(slot);
                files::remove(&path).map_err(|error| VaultError::File(path, error.to_string()))
            }
        }
    }

    /// Whether a passphrase has been chosen already.
    #[must_use]
    pub fn has_passphrase(&self) -> bool {
        self.identity_file().exists()
    }

    /// Whether sealed files can be read: the passphrase was given in this run.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        self.identity().is_some()
    }

    /// Opens the key of sealed files with the passphrase. Takes about a second, on purpose: whoever guesses needs as long for
    /// each guess.
    ///
    /// # Errors
    /// Where it is the wrong one, or there is no key.
    pub async fn unlock(self: &Arc<Self>, passphrase: Arc<Secret>) -> Result<(), VaultError> {
        let vault = Arc::clone(self);
        blocking(move || {
            let path = vault.identity_file();
            let sealed = match files::open(&path).and_then(read_all) {
                Ok(sealed) => sealed,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(VaultError::NoPassphraseYet),
                Err(error) => return Err(VaultError::File(path, error.to_string())),
            };
            let identity = open_identity(&sealed, &passphrase, &path)?;
            // Whoever exchanged the public key would be the one who can read what is sealed from now on.
            if identity.to_public().to_string() != vault.recipient()?.to_string() {
                let path = vault.recipient_file();
                let why = format!("it does not belong to {}", vault.identity_file().display());
                return Err(VaultError::File(path, why));
            }
            *vault.identity() = Some(Arc::new(identity));
            Ok(())
        })
        .await
    }

    /// Chooses the passphrase, and makes the key that it protects.
    ///
    /// # Errors
    /// Where it is too short, there is a key already, or the files cannot be written.
    pub async fn choose_passphrase(self: &Arc<Self>, passphrase: Arc<Secret>) -> Result<(), VaultError> {
        let vault = Arc::clone(self);
        blocking(move || {
            let path = vault.identity_file();
            let failed = |why: String| VaultError::File(path.clone(), why);
            if passphrase.chars() < SHORTEST_PASSPHRASE {
                return Err(failed(format!("a passphrase has at least {SHORTEST_PASSPHRASE} characters")));
            }
            if vault.has_passphrase() {
                return Err(failed("there is a passphrase already".to_owned()));
            }
            let identity = age::x25519::Identity::generate();
            let sealed = {
                let passphrase = SecretString::from(passphrase.expose());
                age::encrypt(&age::scrypt::Recipient::new(passphrase), identity.to_string().expose_secret().as_bytes())
                    .map_err(|error| failed(error.to_string()))?
            };
            // The public key first: a private one without it would be of no use, and would forbid another try.
            let public = format!("{}\n", identity.to_public());
            files::replace(&vault.recipient_file(), public.as_bytes()).map_err(|error| failed(error.to_string()))?;
            files::replace(&path, &sealed).map_err(|error| failed(error.to_string()))?;
            *vault.identity() = Some(Arc::new(identity));
            Ok(())
        })
        .await
    }

    /// The public key of the passphrase.
    ///
    /// # Errors
    /// Where there is none, or it cannot be read.
    pub fn public_key(&self) -> Result<String, VaultError> {
        Ok(self.recipient()?.to_string())
    }

    /// The private key, once the passphrase was given.
    #[must_use]
    pub fn identity_key(&self) -> Option<Arc<age::x25519::Identity>> {
        self.identity().clone()
    }

    /// Forgets the private key: the passphrase is needed again.
    pub fn lock(&self) {
        *self.identity() = None;
    }

    fn may_use_keyring(&self) -> Result<(), VaultError> {
        if self.keyring {
            return Ok(());
        }
        Err(VaultError::Keyring(KeyringError::Absent("the keyring is not used here".to_owned())))
    }

    fn identity(&self) -> std::sync::MutexGuard<'_, Option<Arc<age::x25519::Identity>>> {
        self.identity.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recipient(&self) -> Result<age::x25519::Recipient, VaultError> {
        let path = self.recipient_file();
        match files::read(&path) {
            Ok(text) => text
                .trim()
                .parse()
                .map_err(|_| VaultError::File(path, "it holds no public key of age (age1…)".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(VaultError::NoPassphraseYet),
            Err(error) => Err(VaultError::File(path, error.to_string())),
        }
    }

    /// The private key, under the passphrase.
    fn identity_file(&self) -> PathBuf {
        self.state.join("identity.age")
    }

    /// The public key.
    fn recipient_file(&self) -> PathBuf {
        self.state.join("identity.pub")
    }

    fn sealed_file(&self, slot: &Slot) -> PathBuf {
        // A digest, because ids and addresses may hold what no file's name can.
        let digest = digest::digest(&digest::SHA256, name(slot).as_bytes());
        let mut start = [0; 16];
        start.copy_from_slice(&digest.as_ref()[..16]);
        self.state.join("credentials").join(format!("{:032x}.age", u128::from_be_bytes(start)))
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({})", self.state.display())
    }
}

/// The account of a slot's entry in the keyring.
fn name(slot: &Slot) -> String {
    let base = slot.domain.base().as_str();
    if slot.client_id.is_empty() {
        format!("{} {base}", slot.kind.name())
    } else {
        format!("{} {base} {}", slot.kind.name(), slot.client_id)
    }
}

pub(super) fn written(slot: &Slot, kept: &Kept) -> Secret {
    let document = Written {
        v: 1,
        domain: slot.domain.base().as_str(),
        kind: slot.kind.name(),
        client_id: &slot.client_id,
        secret: kept.secret.expose(),
        previous: kept.previous.as_ref().map(|secret| secret.expose()),
    };
    // Room from the start: a text that grows leaves copies behind. Escaping may make six bytes of one.
    let most = 6 * (kept.secret.expose().len() + kept.previous.as_ref().map_or(0, |secret| secret.expose().len()));
    let mut bytes = Vec::with_capacity(most + 6 * slot.client_id.len() + slot.domain.base().as_str().len() + 128);
    // Writing texts into memory does not fail.
    let _ = serde_json::to_writer(&mut bytes, &document);
    Secret::new(String::from_utf8(bytes).unwrap_or_default())
}

pub(super) fn opened(text: &[u8], slot: &Slot) -> Result<Kept, VaultError> {
    let what = || format!("the stored {} for {}", slot.kind.words(), slot.domain);
    let read: Read = serde_json::from_slice(text)
        .map_err(|_| VaultError::Foreign(format!("{} cannot be read: it was not written by rollover", what())))?;
    if read.v != 1 {
        return Err(VaultError::Foreign(format!("{} was written by a newer version of rollover", what())));
    }
    if read.domain != slot.domain.base().as_str() || read.kind != slot.kind.name() || read.client_id != slot.client_id {
        return Err(VaultError::Foreign(format!("{} belongs to another tenant or client; it is not used", what())));
    }
    let secret = |mut text: Zeroizing<String>| Arc::new(Secret::new(std::mem::take(&mut *text)));
    Ok(Kept { secret: secret(read.secret), previous: read.previous.map(secret) })
}

fn open_identity(sealed: &[u8], passphrase: &Secret, path: &Path) -> Result<age::x25519::Identity, VaultError> {
    let mut opener = age::scrypt::Identity::new(SecretString::from(passphrase.expose()));
    // A slower machine, or an unoptimised build, would call the work of a faster one excessive: 2²² is minutes, not hours.
    opener.set_max_work_factor(22);
    let plain = match age::decrypt(&opener, sealed) {
        Ok(plain) => Zeroizing::new(plain),
        Err(age::DecryptError::DecryptionFailed | age::DecryptError::KeyDecryptionFailed) => {
            return Err(VaultError::WrongPassphrase);
        }
        Err(error) => return Err(VaultError::File(path.to_owned(), error.to_string())),
    };
    std::str::from_utf8(&plain)
        .ok()
        .and_then(|text| text.trim().parse().ok())
        .ok_or_else(|| VaultError::File(path.to_owned(), "it holds no private key of age".to_owned()))
}

fn read_all(mut file: std::fs::File) -> io::Result<Vec<u8>> {
    use io::Read as _;
    let mut bytes = Vec::new();
    file.by_ref().take(1 << 20).read_to_end(&mut bytes)?;
    Ok(bytes)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, VaultError> + Send + 'static,
) -> Result<T, VaultError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|_| Err(VaultError::Foreign("opening the stored credentials broke off".to_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Domain, SlotKind};

    fn vault(folder: &Path) -> Arc<Vault> {
        let folder = folder.join("home").into_os_string();
        let home = Home::find(&move |name| (name == "ROLLOVER_HOME").then(|| folder.clone())).expect("a home");
        Arc::new(Vault::new(&home, false))
    }

    fn slot(domain: &str, client_id: &str) -> Slot {
        let domain = Domain::parse(domain).expect("a domain");
        Slot { domain, kind: SlotKind::ClientSecret, client_id: client_id.into() }
    }

    fn secret(text: &str) -> Arc<Secret> {
        Arc::new(Secret::new(text.to_owned()))
    }

    fn kept(text: &str, previous: Option<&str>) -> Kept {
        Kept { secret: secret(text), previous: previous.map(secret) }
    }

    #[tokio::test]
    async fn what_is_sealed_is_read_with_the_passphrase_and_not_without() {
        let folder = tempfile::tempdir().expect("a folder");
        let slot = slot("acme.eu.auth0.com", "an \"id\"");
        let first = vault(folder.path());
        assert_eq!(first.write(Keep::File, &slot, &kept("x", None)).await, Err(VaultError::NoPassphraseYet));
        let short = first.choose_passphrase(secret("short")).await.expect_err("it is too short").to_string();
        assert!(short.contains("at least 8 characters"), "{short}");
        first.choose_passphrase(secret("correct horse")).await.expect("it is chosen");
        first.choose_passphrase(secret("another horse")).await.expect_err("there is one already");
        first.write(Keep::File, &slot, &kept("canary-one", Some("canary-two"))).await.expect("it is kept");

        let later = vault(folder.path());
        assert_eq!(later.read(Keep::File, &slot).await, Err(VaultError::NeedsPassphrase));
        assert_eq!(later.unlock(secret("correct hors")).await, Err(VaultError::WrongPassphrase));
        // Writing needs no passphrase.
        later.write(Keep::File, &slot, &kept("canary-three", Some("canary-one"))).await.expect("it is replaced");
        later.unlock(secret("correct horse")).await.expect("it is the right one");
        let read = later.read(Keep::File, &slot).await.expect("it can be read").expect("it is there");
        assert_eq!(read, kept("canary-three", Some("canary-one")));
        let mut files = 0;
        for entry in walk(folder.path()) {
            let bytes = std::fs::read(&entry).expect("a file");
            for canary in ["canary", "correct horse", "AGE-SECRET"] {
                let holds = bytes.windows(canary.len()).any(|part| part.eq_ignore_ascii_case(canary.as_bytes()));
                assert!(!holds, "{canary} in {}", entry.display());
            }
            files += 1;
        }
        assert_eq!(files, 3);
        assert_eq!(later.remove(Keep::File, &slot).await, Ok(true));
        assert_eq!(later.remove(Keep::File, &slot).await, Ok(false));
        assert_eq!(later.read(Keep::File, &slot).await, Ok(None));
    }

    fn walk(folder: &Path) -> Vec<PathBuf> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() { found.extend(walk(&path)) } else { found.push(path) }
        }
        found
    }

    #[tokio::test]
    async fn one_tenants_secret_is_never_another_ones() {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = vault(folder.path());
        vault.choose_passphrase(secret("correct horse")).await.expect("it is chosen");
        let (acme, evil) = (slot("acme.eu.auth0.com", "id"), slot("evil.eu.auth0.com", "id"));
        vault.write(Keep::File, &acme, &kept("canary", None)).await.expect("it is kept");
        assert_eq!(vault.read(Keep::File, &evil).await, Ok(None));
        std::fs::copy(vault.sealed_file(&acme), vault.sealed_file(&evil)).expect("files are exchanged");
        let error = vault.read(Keep::File, &evil).await.expect_err("it is another's").to_string();
        assert!(error.contains("belongs to another tenant") && !error.contains("canary"), "{error}");
    }

    #[tokio::test]
    async fn a_public_key_that_was_exchanged_is_noticed() {
        let folder = tempfile::tempdir().expect("a folder");
        let first = vault(folder.path());
        first.choose_passphrase(secret("correct horse")).await.expect("it is chosen");
        let other = age::x25519::Identity::generate().to_public().to_string();
        files::replace(&first.recipient_file(), other.as_bytes()).expect("it is exchanged");
        let error = vault(folder.path()).unlock(secret("correct horse")).await.expect_err("it is noticed").to_string();
        assert!(error.contains("identity.pub: it does not belong to"), "{error}");
    }

    #[test]
    fn what_is_written_has_room_for_every_escape() {
        let slot = slot("acme.eu.auth0.com", &"\u{1}".repeat(40));
        let kept = kept(&"\u{1f}".repeat(100), Some(&"\"\\".repeat(50)));
        let text = written(&slot, &kept);
        assert_eq!(opened(text.expose().as_bytes(), &slot), Ok(kept));
    }
}
