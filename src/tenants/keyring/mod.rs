//! The keyring of the operating system: the Secret Service (GNOME, KDE, KeePassXC), the macOS Keychain, or the Windows
//! Credential Manager. Nothing here waits for ever: neither for a bus that is dead nor for a question that nobody answers.

use std::fmt;
use std::time::Duration;

use zeroize::{Zeroize as _, Zeroizing};

use crate::domain::Secret;

#[cfg(any(target_os = "macos", windows))]
mod native;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
mod secret_service;

#[cfg(any(target_os = "macos", windows))]
use native as platform;
#[cfg(any(target_os = "linux", target_os = "freebsd"))]
use secret_service as platform;

/// How long the person has to answer a question of the keyring's. What asks is not ours: it may show no question at all.
const PERSON: Duration = Duration::from_mins(2);

/// One entry: service and account ("username").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// What it is for.
    pub service: &'a str,
    /// Whose it is.
    pub user: &'a str,
}

/// Why the keyring could not do what was asked: a sentence that may be printed and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyringError {
    /// There is none.
    Absent(String),
    /// It is locked, and was not unlocked.
    Locked(String),
    /// Anything else.
    Failed(String),
}

impl fmt::Display for KeyringError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent(why) | Self::Locked(why) | Self::Failed(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for KeyringError {}

/// Which keyring there is, and how it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringState {
    /// What this platform calls it: "Secret Service", "Keychain" or "Credential Manager".
    pub kind: &'static str,
    /// Whether it can be used.
    pub status: KeyringStatus,
}

/// Whether the keyring can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyringStatus {
    /// It can.
    Ready,
    /// It will ask to be unlocked first.
    Locked,
    /// It cannot, for this reason, which says what to do and may be printed.
    Absent(String),
}

/// How the keyring stands. Never asks the person anything.
pub async fn state() -> KeyringState {
    KeyringState { kind: platform::KIND, status: platform::status().await }
}

/// What is kept in `entry`; `None` where nothing is. May ask the person to unlock the keyring.
///
/// # Errors
/// Where the keyring cannot be read, or what is in it is no UTF-8 text.
pub async fn read(entry: Entry<'_>) -> Result<Option<Secret>, KeyringError> {
    platform::read(entry).await?.map(text).transpose()
}

/// Keeps `secret` in `entry`, in place of whatever was there. `label` is what keyring managers show. May ask the person to
/// unlock the keyring.
///
/// # Errors
/// Where the keyring cannot be written.
pub async fn write(entry: Entry<'_>, label: &str, secret: &Secret) -> Result<(), KeyringError> {
    platform::write(entry, label, secret).await
}

/// Removes what is kept in `entry`, and says whether there was anything. May ask the person to unlock the keyring.
///
/// # Errors
/// Where the keyring cannot be written.
pub async fn delete(entry: Entry<'_>) -> Result<bool, KeyringError> {
    platform::delete(entry).await
}

/// Nothing but text is ever kept, which every keyring hands out as it was; KDE's does so with nothing else.
fn text(mut bytes: Zeroizing<Vec<u8>>) -> Result<Secret, KeyringError> {
    String::from_utf8(std::mem::take(&mut *bytes)).map(Secret::new).map_err(|error| {
        error.into_bytes().zeroize();
        KeyringError::Failed(
            "what the keyring holds is no UTF-8 text, so another program wrote it: remove it there and store it anew"
                .to_owned(),
        )
    })
}

/// Systems that have no keyring we know of.
#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_os = "macos", windows)))]
mod platform {
    use zeroize::Zeroizing;

    use super::{Entry, KeyringError, KeyringStatus};
    use crate::domain::Secret;

    pub(super) const KIND: &str = "keyring";

    const WHY: &str = "rollover knows no keyring on this system: keep credentials in a file instead";

    pub(super) async fn status() -> KeyringStatus {
        KeyringStatus::Absent(WHY.to_owned())
    }

    pub(super) async fn read(_: Entry<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
        Err(KeyringError::Absent(WHY.to_owned()))
    }

    pub(super) async fn write(_: Entry<'_>, _: &str, _: &Secret) -> Result<(), KeyringError> {
        Err(KeyringError::Absent(WHY.to_owned()))
    }

    pub(super) async fn delete(_: Entry<'_>) -> Result<bool, KeyringError> {
        Err(KeyringError::Absent(WHY.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_text_is_a_secret() {
        let kept = |bytes: &[u8]| text(Zeroizing::new(bytes.to_vec()));
        assert_eq!(kept("s3cr\u{e9}t".as_bytes()).expect("text").expose(), "s3cr\u{e9}t");
        assert_eq!(kept(b"").expect("text").expose(), "");
        let error = kept(b"s3cr\xe9t").expect_err("no text");
        assert!(
            matches!(&error, KeyringError::Failed(why) if why.contains("UTF-8") && !why.contains("s3cr")),
            "{error}"
        );
    }

    #[test]
    fn what_is_asked_of_it_can_be_a_task_of_its_own() {
        fn task<T: Send>(_: &T) {}
        let entry = Entry { service: "s", user: "u" };
        let secret = Secret::new("x".to_owned());
        task(&state());
        task(&read(entry));
        task(&write(entry, "label", &secret));
        task(&delete(entry));
    }
}
