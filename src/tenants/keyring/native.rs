use std::sync::Arc;

use keyring_core::{CredentialStore, Error, Result as Answer};
use tokio::time::timeout;
use zeroize::Zeroizing;

use super::{Entry, KeyringError, KeyringStatus, PERSON};
use crate::domain::Secret;
use crate::domain::untrusted::shown;

#[cfg(target_os = "macos")]
pub(super) const KIND: &str = "Keychain";
#[cfg(windows)]
pub(super) const KIND: &str = "Credential Manager";

/// Neither platform says whether it will ask before it is asked for something.
pub(super) async fn status() -> KeyringStatus {
    match blocking(|| store().map(drop)).await {
        Ok(()) => KeyringStatus::Ready,
        Err(why) => KeyringStatus::Absent(why.to_string()),
    }
}

pub(super) async fn read(entry: Entry<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
    let (service, user) = (entry.service.to_owned(), entry.user.to_owned());
    blocking(move || match of(&service, &user)?.get_secret() {
        Ok(bytes) => Ok(Some(Zeroizing::new(bytes))),
        Err(Error::NoEntry) => Ok(None),
        Err(other) => Err(other),
    })
    .await
}

/// Neither platform has room for a label of ours: the entry's own names are shown.
pub(super) async fn write(entry: Entry<'_>, _: &str, secret: &Secret) -> Result<(), KeyringError> {
    let (service, user) = (entry.service.to_owned(), entry.user.to_owned());
    let secret = Zeroizing::new(secret.expose().as_bytes().to_vec());
    blocking(move || of(&service, &user)?.set_secret(&secret)).await
}

pub(super) async fn delete(entry: Entry<'_>) -> Result<bool, KeyringError> {
    let (service, user) = (entry.service.to_owned(), entry.user.to_owned());
    blocking(move || match of(&service, &user)?.delete_credential() {
        Ok(()) => Ok(true),
        Err(Error::NoEntry) => Ok(false),
        Err(other) => Err(other),
    })
    .await
}

/// Both platforms block while they ask the person.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Answer<T> + Send + 'static) -> Result<T, KeyringError> {
    match timeout(PERSON, tokio::task::spawn_blocking(work)).await {
        Ok(Ok(answered)) => answered.map_err(|error| explain(&error)),
        Ok(Err(_)) => Err(KeyringError::Failed(format!("the {KIND} failed: see whether its own window can do it"))),
        Err(_) => Err(KeyringError::Locked(format!(
            "the {KIND} gave no answer within {} seconds: unlock it, answer its question and try again",
            PERSON.as_secs()
        ))),
    }
}

fn explain(error: &Error) -> KeyringError {
    let why = error.to_string();
    let why = shown(&why);
    match error {
        Error::NoStorageAccess(_) => {
            KeyringError::Locked(format!("the {KIND} is locked or denied access ({why}): unlock it and try again"))
        }
        Error::TooLong(..) => KeyringError::Failed(format!(
            "the {KIND} does not take values of this length ({why}): keep it in a file instead"
        )),
        _ => KeyringError::Failed(format!("the {KIND} failed ({why}): see whether its own window can do it")),
    }
}

#[cfg(target_os = "macos")]
fn store() -> Answer<Arc<CredentialStore>> {
    Ok(apple_native_keyring_store::keychain::Store::new()?)
}

#[cfg(windows)]
fn store() -> Answer<Arc<CredentialStore>> {
    Ok(windows_native_keyring_store::Store::new()?)
}

#[cfg(target_os = "macos")]
fn of(service: &str, user: &str) -> Answer<keyring_core::Entry> {
    store()?.build(service, user, None)
}

/// Windows knows an entry by one name. This is how go-keyring, and so auth0-cli, makes it. It stays on this computer:
/// what is not "local" follows the user to others of the same domain.
#[cfg(windows)]
fn of(service: &str, user: &str) -> Answer<keyring_core::Entry> {
    let target = format!("{service}:{user}");
    let modifiers = std::collections::HashMap::from([("target", target.as_str()), ("persistence", "Local")]);
    store()?.build(service, user, Some(&modifiers))
}
