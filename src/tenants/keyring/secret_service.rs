use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::time::Duration;

use secret_service::{Collection, EncryptionType, Error, Item, SearchItemsResult, SecretService};
use tokio::time::timeout;
use zbus::DBusError as _;
use zeroize::Zeroizing;

use super::{Entry, KeyringError, KeyringStatus, PERSON};
use crate::domain::Secret;
use crate::domain::untrusted::shown;

pub(super) const KIND: &str = "Secret Service";

/// How long the bus has to take us in.
const BUS: Duration = Duration::from_secs(5);

/// How long the service has for an answer that needs nobody's consent. The first question may have to start it.
const ANSWER: Duration = Duration::from_secs(15);

/// What keyring managers show as text.
const CONTENT_TYPE: &str = "text/plain";

const START_ONE: &str = "start GNOME Keyring, KWallet or KeePassXC (with its Secret Service integration)";

pub(super) async fn status() -> KeyringStatus {
    // Nothing secret is asked for, so the session needs no encryption, whose keys take time to agree on.
    let locked = async {
        let service = open(EncryptionType::Plain).await?;
        let collection = default_collection(&service).await?;
        answer(collection.is_locked()).await
    };
    match locked.await {
        Ok(false) => KeyringStatus::Ready,
        Ok(true) | Err(KeyringError::Locked(_)) => KeyringStatus::Locked,
        Err(KeyringError::Absent(why) | KeyringError::Failed(why)) => KeyringStatus::Absent(why),
    }
}

pub(super) async fn read(entry: Entry<'_>) -> Result<Option<Zeroizing<Vec<u8>>>, KeyringError> {
    let service = open(EncryptionType::Dh).await?;
    let mut newest = None;
    for item in find(&service, entry).await? {
        // Other programs may have put a second one into another collection.
        let modified = answer(item.get_modified()).await?;
        if newest.as_ref().is_none_or(|(time, _)| modified >= *time) {
            newest = Some((modified, item));
        }
    }
    match newest {
        Some((_, item)) => Ok(Some(Zeroizing::new(consent(item.get_secret()).await?))),
        None => Ok(None),
    }
}

pub(super) async fn write(entry: Entry<'_>, label: &str, secret: &Secret) -> Result<(), KeyringError> {
    let service = open(EncryptionType::Dh).await?;
    let collection = default_collection(&service).await?;
    if answer(collection.is_locked()).await? {
        consent(collection.unlock()).await?;
    }
    let text = secret.expose().as_bytes();
    let kept = consent(collection.create_item(label, attributes(entry), text, true, CONTENT_TYPE)).await?;
    // "Replace" takes the place only of an item of the same collection with the very same attributes. Ones that are locked
    // up elsewhere stay: reading prefers what is unlocked, and then what is newest.
    for item in search(&service, entry).await?.unlocked {
        if item.item_path != kept.item_path {
            consent(item.delete()).await?;
        }
    }
    Ok(())
}

pub(super) async fn delete(entry: Entry<'_>) -> Result<bool, KeyringError> {
    let service = open(EncryptionType::Plain).await?;
    let found = find(&service, entry).await?;
    for item in &found {
        consent(item.delete()).await?;
    }
    Ok(!found.is_empty())
}

async fn open<'a>(encryption: EncryptionType) -> Result<SecretService<'a>, KeyringError> {
    // The bus and the service behind it are told apart, hence the connection of our own.
    let builder = zbus::connection::Builder::session().map_err(|error| bus(&error))?;
    let connection = timeout(BUS, builder.build())
        .await
        .map_err(|_| {
            KeyringError::Absent(
                "the D-Bus session bus takes nobody in, so the keyring cannot be reached: log in anew".to_owned(),
            )
        })?
        .map_err(|error| bus(&error))?;
    answer(session(encryption, connection)).await
}

/// A session with the service. The specification lets a service do without encryption, and libsecret then does so too: what
/// could read the bus between two processes of this user could ask the keyring itself.
async fn session<'a>(encryption: EncryptionType, connection: zbus::Connection) -> Result<SecretService<'a>, Error> {
    match SecretService::connect_with_existing(encryption, connection.clone()).await {
        Err(Error::Zbus(zbus::Error::MethodError(name, ..)))
            if name.as_str() == "org.freedesktop.DBus.Error.NotSupported" =>
        {
            SecretService::connect_with_existing(EncryptionType::Plain, connection).await
        }
        other => other,
    }
}

/// Attributes of an item: these two and no more, as go-keyring and libsecret's own tools do with them. A schema would only
/// name the program once more, and go-keyring, which asks for exactly these, writes none.
fn attributes(entry: Entry<'_>) -> HashMap<&str, &str> {
    HashMap::from([("service", entry.service), ("username", entry.user)])
}

async fn default_collection<'s>(service: &'s SecretService<'_>) -> Result<Collection<'s>, KeyringError> {
    answer(service.get_default_collection()).await
}

async fn search<'s>(
    service: &'s SecretService<'_>,
    entry: Entry<'_>,
) -> Result<SearchItemsResult<Item<'s>>, KeyringError> {
    answer(service.search_items(attributes(entry))).await
}

/// The items of an entry, unlocked. Asks the person only where nothing is found without.
async fn find<'s>(service: &'s SecretService<'_>, entry: Entry<'_>) -> Result<Vec<Item<'s>>, KeyringError> {
    let found = search(service, entry).await?;
    if !found.unlocked.is_empty() {
        return Ok(found.unlocked);
    }
    for item in &found.locked {
        consent(item.unlock()).await?;
    }
    if !found.locked.is_empty() {
        return Ok(found.locked);
    }
    // KeePassXC knows nothing of what is in a database that is locked.
    let collection = match default_collection(service).await {
        Ok(collection) => collection,
        Err(KeyringError::Absent(_)) => return Ok(Vec::new()),
        Err(other) => return Err(other),
    };
    if !answer(collection.is_locked()).await? {
        return Ok(Vec::new());
    }
    consent(collection.unlock()).await?;
    Ok(search(service, entry).await?.unlocked)
}

/// What the service answers, for questions that need nobody's consent.
async fn answer<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, KeyringError> {
    match timeout(ANSWER, asked).await {
        Ok(answered) => answered.map_err(|error| explain(&error)),
        Err(_) => Err(KeyringError::Failed(format!(
            "the keyring gave no answer within {} seconds: end the program that keeps it and start it anew",
            ANSWER.as_secs()
        ))),
    }
}

/// What the service answers once the person has been asked, where it asks.
async fn consent<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, KeyringError> {
    match timeout(PERSON, asked).await {
        Ok(answered) => answered.map_err(|error| explain(&error)),
        Err(_) => Err(KeyringError::Locked(format!(
            "the keyring is locked, and nobody unlocked it within {} seconds: unlock it and try again",
            PERSON.as_secs()
        ))),
    }
}

/// Why there is no connection to the bus.
fn bus(error: &zbus::Error) -> KeyringError {
    const DESKTOP: &str = "run rollover in a desktop session, or under dbus-run-session with a keyring";
    KeyringError::Absent(match error {
        zbus::Error::Address(_) => {
            format!(
                "DBUS_SESSION_BUS_ADDRESS is no address of a D-Bus session bus, so no keyring is reached: {DESKTOP}"
            )
        }
        zbus::Error::Connection(why, address) if why.kind() == io::ErrorKind::NotFound => {
            format!("there is no D-Bus session bus at {}, so no keyring: {DESKTOP}", shown(&address.to_string()))
        }
        other => {
            format!(
                "the D-Bus session bus does not take us in ({}), so no keyring: {DESKTOP}",
                shown(&other.to_string())
            )
        }
    })
}

/// What an error of the service's means to the person.
fn explain(error: &Error) -> KeyringError {
    let failed = |error: &dyn std::fmt::Display| {
        KeyringError::Failed(format!(
            "the keyring failed ({}): see whether its own window or `secret-tool` can do it",
            shown(&error.to_string())
        ))
    };
    match error {
        Error::Locked | Error::Prompt => locked(),
        Error::NoResult => KeyringError::Absent(
            "the keyring has no default collection to keep anything in: make one, and set it as the default, in the \
             program that keeps it (Passwords and Keys, KWalletManager, KeePassXC)"
                .to_owned(),
        ),
        Error::Unavailable => KeyringError::Absent(format!("no keyring is to be found: {START_ONE}")),
        Error::PromptDisconnected => gone(),
        Error::Zbus(error) => refused(error).unwrap_or_else(|| failed(error)),
        Error::ZbusFdo(error) => {
            named(error.name().as_str(), error.description().unwrap_or_default()).unwrap_or_else(|| failed(error))
        }
        other => failed(other),
    }
}

fn refused(error: &zbus::Error) -> Option<KeyringError> {
    match error {
        zbus::Error::MethodError(name, words, _) => named(name.as_str(), words.as_deref().unwrap_or_default()),
        zbus::Error::FDO(error) => named(error.name().as_str(), error.description().unwrap_or_default()),
        zbus::Error::InputOutput(_) => Some(gone()),
        _ => None,
    }
}

fn named(name: &str, words: &str) -> Option<KeyringError> {
    if let Some(name) = name.strip_prefix("org.freedesktop.DBus.Error.") {
        return match name {
            "ServiceUnknown" | "NameHasNoOwner" => {
                Some(KeyringError::Absent(format!("no program on the D-Bus session bus keeps secrets: {START_ONE}")))
            }
            _ if name.starts_with("Spawn.") || name == "TimedOut" => Some(KeyringError::Absent(format!(
                "the program that keeps secrets does not start ({}): {START_ONE}",
                shown(words)
            ))),
            "AccessDenied" | "AuthFailed" => Some(KeyringError::Failed(format!(
                "access to the keyring is denied ({}): allow it in the program that keeps it, or in the sandbox that \
                 rollover runs in",
                shown(words)
            ))),
            "NoReply" | "Disconnected" | "NoServer" => Some(gone()),
            _ => None,
        };
    }
    (name == "org.freedesktop.Secret.Error.IsLocked").then(locked)
}

fn locked() -> KeyringError {
    KeyringError::Locked(
        "the keyring is locked, and its question was dismissed or could not be shown: unlock it and try again"
            .to_owned(),
    )
}

fn gone() -> KeyringError {
    KeyringError::Failed("the keyring went away in the middle of it: start it anew and try again".to_owned())
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn nothing_is_waited_for_without_end() {
        let never = pending::<Result<(), Error>>;
        let error = answer(never()).await.expect_err("no answer");
        assert!(matches!(&error, KeyringError::Failed(why) if why.contains("15 seconds")), "{error}");
        let error = consent(never()).await.expect_err("no consent");
        assert!(matches!(&error, KeyringError::Locked(why) if why.contains("120 seconds")), "{error}");
    }

    #[test]
    fn what_the_bus_says_is_told_as_what_to_do() {
        let told = |name: &str| named(name, "\u{1b}[31mwords");
        for name in ["ServiceUnknown", "NameHasNoOwner", "Spawn.ChildExited", "Spawn.ServiceNotFound", "TimedOut"] {
            let error = told(&format!("org.freedesktop.DBus.Error.{name}")).expect(name);
            assert!(matches!(&error, KeyringError::Absent(why) if why.contains("start GNOME Keyring")), "{error}");
            assert!(!error.to_string().contains('\u{1b}'), "{error:?}");
        }
        let denied = told("org.freedesktop.DBus.Error.AccessDenied").expect("denied");
        assert!(
            matches!(&denied, KeyringError::Failed(why) if why.contains("denied (\\u{001B}[31mwords)")),
            "{denied}"
        );
        assert_eq!(told("org.freedesktop.DBus.Error.NoReply"), Some(gone()));
        assert_eq!(told("org.freedesktop.Secret.Error.IsLocked"), Some(locked()));
        assert_eq!(told("org.freedesktop.Secret.Error.NoSuchObject"), None);
        assert_eq!(explain(&Error::Prompt), locked());
    }
}
