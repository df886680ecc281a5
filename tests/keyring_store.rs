//! The keyring against a real Secret Service, and against pretend ones that do what a real one does only now and then.
//! `tests/keyring.sh` gives every test a session bus of its own; nobody's own keyring is touched.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use rollover::domain::preflight::{Standing, Topic};
use rollover::domain::{Domain, Secret};
use rollover::preflight::{self, Inputs};
use rollover::tenants::Tenants;
use rollover::tenants::auth0_cli::{self, CliError};
use rollover::tenants::keyring::{self, Entry, KeyringError, KeyringStatus};
use zbus::zvariant::{OwnedObjectPath, Value};
use zbus::{Connection, MessageStream};

#[path = "keyring_store/pretend.rs"]
mod pretend;

const ENTRY: Entry<'_> = Entry { service: "rollover", user: "acme.eu.auth0.com client-secret AbC123" };
const LABEL: &str = "rollover: client secret of AbC123 at acme.eu.auth0.com";

/// Every test begins with this: what it writes must not get into the keyring of whoever runs it.
fn in_a_session_of_its_own() {
    let told = std::env::var_os("ROLLOVER_KEYRING_TEST");
    assert!(told.is_some_and(|home| std::env::var_os("HOME") == Some(home)), "run tests/keyring.sh, which calls this");
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

async fn status() -> KeyringStatus {
    let state = keyring::state().await;
    assert_eq!(state.kind, "Secret Service");
    state.status
}

async fn kept() -> Option<String> {
    keyring::read(ENTRY).await.expect("an answer").map(|secret| secret.expose().to_owned())
}

/// What `secret-tool` says of our entry, as another program that shares nothing with us.
fn secret_tool(arguments: &[&str]) -> String {
    let entry = ["service", ENTRY.service, "username", ENTRY.user];
    let said = Command::new("secret-tool").args(arguments).args(entry).output().expect("secret-tool");
    String::from_utf8([said.stdout, said.stderr].concat()).expect("text")
}

fn secret_tool_store(attributes: &[&str], value: &str) {
    let mut child = Command::new("secret-tool")
        .args(["store", "--label=x"])
        .args(attributes)
        .stdin(Stdio::piped())
        .spawn()
        .expect("secret-tool");
    std::io::Write::write_all(&mut child.stdin.take().expect("its input"), value.as_bytes()).expect("written");
    assert!(child.wait().expect("an end").success(), "secret-tool stored nothing");
}

async fn store_replace_delete() {
    in_a_session_of_its_own();
    assert_eq!(status().await, KeyringStatus::Ready);
    assert_eq!(kept().await, None);
    assert_eq!(keyring::delete(ENTRY).await, Ok(false));

    keyring::write(ENTRY, LABEL, &secret("first value, \u{e9}")).await.expect("stored");
    assert_eq!(secret_tool(&["lookup"]), "first value, \u{e9}");
    assert_eq!(kept().await.as_deref(), Some("first value, \u{e9}"));
    let seen = secret_tool(&["search", "--all"]);
    assert!(seen.contains(&format!("label = {LABEL}\n")), "{seen}");
    let mut attributes: Vec<_> = seen.lines().filter(|line| line.starts_with("attribute.")).collect();
    attributes.sort_unstable();
    let expected = [("service", ENTRY.service), ("username", ENTRY.user)];
    assert_eq!(attributes, expected.map(|(name, value)| format!("attribute.{name} = {value}")));

    // Another one that answers the same question, of another program: with it there would be two.
    secret_tool_store(&["service", ENTRY.service, "username", ENTRY.user, "more", "x"], "of another program");
    assert_eq!(secret_tool(&["search", "--all"]).matches("label = ").count(), 2);
    keyring::write(ENTRY, LABEL, &secret("second value")).await.expect("replaced");
    let seen = secret_tool(&["search", "--all"]);
    assert_eq!((seen.matches("label = ").count(), seen.matches("secret = second value").count()), (1, 1), "{seen}");
    assert_eq!(kept().await.as_deref(), Some("second value"));

    // A neighbour that differs in one attribute is not ours.
    secret_tool_store(&["service", ENTRY.service, "username", "someone else"], "untouched");
    assert_eq!(keyring::delete(ENTRY).await, Ok(true));
    assert_eq!(keyring::delete(ENTRY).await, Ok(false));
    assert_eq!((kept().await, secret_tool(&["lookup"])), (None, String::new()));
    let other = Entry { user: "someone else", ..ENTRY };
    assert_eq!(keyring::read(other).await.expect("an answer"), Some(secret("untouched")));

    for value in ["", "line one\nline two\n", &"long ".repeat(4000)] {
        keyring::write(ENTRY, LABEL, &secret(value)).await.expect("stored");
        assert_eq!(kept().await.as_deref(), Some(value));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "tests/keyring.sh gives it a keyring"]
async fn stored_replaced_and_deleted_on_many_threads() {
    store_replace_delete().await;
}

#[tokio::test(flavor = "current_thread")]
#[ignore = "tests/keyring.sh gives it a keyring"]
async fn stored_replaced_and_deleted_on_one_thread() {
    store_replace_delete().await;
}

/// Everything that goes over the bus, from now on.
async fn overheard() -> MessageStream {
    let connection = Connection::session().await.expect("a bus");
    let monitoring = zbus::fdo::MonitoringProxy::new(&connection).await.expect("a monitor");
    let stream = MessageStream::from(&connection);
    monitoring.become_monitor(&[], 0).await.expect("a monitor");
    stream
}

/// The methods that were called until now. A call of our own marks the end.
async fn called(stream: &mut MessageStream) -> Vec<String> {
    let connection = Connection::session().await.expect("a bus");
    let bus = zbus::fdo::DBusProxy::new(&connection).await.expect("the bus");
    bus.name_has_owner("end.of.it".try_into().expect("a name")).await.expect("an answer");
    let mut members = Vec::new();
    while let Some(message) = stream.next().await {
        let message = message.expect("a message");
        let header = message.header();
        if message.body().deserialize::<&str>().is_ok_and(|name| name == "end.of.it") {
            break;
        }
        if message.message_type() == zbus::message::Type::MethodCall {
            members.push(header.member().map(ToString::to_string).unwrap_or_default());
        }
    }
    members
}

fn asks(members: &[String]) -> bool {
    members.iter().any(|member| member == "Unlock" || member == "Prompt")
}

async fn lock() {
    let connection = Connection::session().await.expect("a bus");
    let login: OwnedObjectPath = "/org/freedesktop/secrets/collection/login".try_into().expect("a path");
    call(&connection, "/org/freedesktop/secrets", "Service", "Lock", &(vec![login])).await;
}

async fn call<B>(connection: &Connection, path: &str, interface: &str, method: &str, body: &B) -> zbus::Message
where
    B: serde::Serialize + zbus::zvariant::DynamicType,
{
    let interface = format!("org.freedesktop.Secret.{interface}");
    connection
        .call_method(Some("org.freedesktop.secrets"), path, Some(&*interface), method, body)
        .await
        .expect("an answer")
}

fn is_locked<T: std::fmt::Debug>(result: Result<T, KeyringError>) {
    let error = result.expect_err("it is locked");
    assert!(matches!(&error, KeyringError::Locked(why) if why.contains("unlock it and try again")), "{error:?}");
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a keyring"]
async fn a_locked_keyring_is_told_without_asking() {
    in_a_session_of_its_own();
    keyring::write(ENTRY, LABEL, &secret("kept")).await.expect("stored");
    lock().await;
    let mut bus = overheard().await;
    assert_eq!(status().await, KeyringStatus::Locked);
    let members = called(&mut bus).await;
    assert!(members.iter().any(|member| member == "OpenSession") && !asks(&members), "{members:?}");
    // Nobody is there to be asked.
    is_locked(keyring::read(ENTRY).await);
    assert!(asks(&called(&mut bus).await));
    is_locked(keyring::read(Entry { user: "nobody", ..ENTRY }).await);
    is_locked(keyring::write(ENTRY, LABEL, &secret("other")).await);
    is_locked(keyring::delete(ENTRY).await);
    assert_eq!(status().await, KeyringStatus::Locked);
}

/// What the doctor finds for a tenant whose credential is in the keyring: the keyring, and how to sign in.
async fn looked_around(patience: Duration) -> [(Standing, String); 2] {
    use std::os::unix::fs::PermissionsExt as _;
    let home = tempfile::tempdir().expect("a folder");
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o700)).expect("a mode");
    let file = home.path().join("config.toml");
    let text = "[tenants.acme]\ndomain = \"http://127.0.0.1:1\"\nsign_in = \"token\"\nkept_in = \"keyring\"\n";
    fs::write(&file, text).expect("a file");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
    let path = home.path().as_os_str().to_owned();
    let tenants = Tenants::new(move |name| (name == "ROLLOVER_HOME").then(|| path.clone()), true).expect("a home");
    let report = preflight::run(Inputs { patience, ..Inputs::new(&tenants) }).await;
    [Topic::Keyring, Topic::SignIn].map(|topic| {
        let found = report.findings.iter().find(|found| found.topic == topic).expect("it is looked at");
        (found.standing, found.what.clone())
    })
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a bus"]
async fn the_doctor_asks_nobody_to_unlock_it() {
    in_a_session_of_its_own();
    let _service = pretend::Service { locked: true, ..pretend::Service::new(&[("kept", 1)]) }.start().await;
    let mut bus = overheard().await;
    let [keyring, sign_in] = looked_around(preflight::PATIENCE).await;
    assert!(keyring.0 == Standing::Warning && keyring.1.contains("locked"), "{keyring:?}");
    assert!(sign_in.0 == Standing::Warning && sign_in.1.contains("the keyring is locked"), "{sign_in:?}");
    let members = called(&mut bus).await;
    assert!(members.iter().any(|member| member == "OpenSession") && !asks(&members), "{members:?}");
}

#[tokio::test]
#[ignore = "tests/keyring.sh stops the keyring"]
async fn the_doctor_does_not_wait_for_one_that_says_nothing() {
    in_a_session_of_its_own();
    let [keyring, sign_in] = looked_around(Duration::from_millis(500)).await;
    assert!(keyring.0 == Standing::Warning && keyring.1.contains("no answer within 1 s"), "{keyring:?}");
    assert!(sign_in.0 == Standing::Warning && sign_in.1.contains("the keyring gives no answer"), "{sign_in:?}");
}

async fn absent(part: &str) {
    in_a_session_of_its_own();
    let since = Instant::now();
    let KeyringStatus::Absent(why) = status().await else { panic!("there is none") };
    assert!(why.contains(part), "{why}");
    let error = Err(KeyringError::Absent(why));
    assert_eq!(keyring::read(ENTRY).await.map(drop), error);
    assert_eq!(keyring::write(ENTRY, LABEL, &secret("x")).await, error);
    assert_eq!(keyring::delete(ENTRY).await.map(drop), error);
    // Four times the bus' five seconds.
    assert!(since.elapsed() < Duration::from_secs(30), "{:?}", since.elapsed());
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a bus"]
async fn no_service() {
    absent("no program on the D-Bus session bus keeps secrets: start GNOME Keyring").await;
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a bus"]
async fn service_that_does_not_start() {
    absent("the program that keeps secrets does not start (").await;
}

#[tokio::test]
#[ignore = "tests/keyring.sh takes the bus away"]
async fn no_bus() {
    absent("there is no D-Bus session bus at unix:path=").await;
}

#[tokio::test]
#[ignore = "tests/keyring.sh takes the bus away"]
async fn dead_bus() {
    absent("the D-Bus session bus does not take us in (").await;
}

#[tokio::test]
#[ignore = "tests/keyring.sh takes the bus away"]
async fn bad_address() {
    absent("DBUS_SESSION_BUS_ADDRESS is no address of a D-Bus session bus").await;
}

#[tokio::test]
#[ignore = "tests/keyring.sh stops the bus"]
async fn bus_that_says_nothing() {
    absent("the D-Bus session bus takes nobody in").await;
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a keyring without a collection"]
async fn no_default_collection() {
    in_a_session_of_its_own();
    let KeyringStatus::Absent(why) = status().await else { panic!("nothing can be kept") };
    assert!(why.contains("no default collection"), "{why}");
    assert_eq!(keyring::write(ENTRY, LABEL, &secret("x")).await, Err(KeyringError::Absent(why)));
    assert_eq!((kept().await, keyring::delete(ENTRY).await), (None, Ok(false)));
}

#[tokio::test]
#[ignore = "tests/keyring.sh stops the keyring"]
async fn service_that_says_nothing() {
    in_a_session_of_its_own();
    let KeyringStatus::Absent(why) = status().await else { panic!("it gives no answer") };
    assert!(why.contains("no answer within 15 seconds"), "{why}");
}

/// The bus ends while the keyring, which is stopped, owes an answer.
#[tokio::test]
#[ignore = "tests/keyring.sh gives it a bus to end"]
async fn bus_that_ends_in_the_middle() {
    in_a_session_of_its_own();
    let bus = std::env::var("ROLLOVER_KEYRING_BUS").expect("its process");
    let mut stream = overheard().await;
    let reading = tokio::spawn(keyring::read(ENTRY));
    while let Some(Ok(message)) = stream.next().await {
        if message.header().member().is_some_and(|member| member == "OpenSession") {
            break;
        }
    }
    assert!(Command::new("kill").args(["-TERM", &bus]).status().expect("kill").success());
    let error = reading.await.expect("no panic").expect_err("no bus");
    assert!(matches!(&error, KeyringError::Failed(why) if why.contains("went away")), "{error:?}");
}

/// As zalando/go-keyring 0.2 does it: a plain session, the collection "login", these attributes, this label and type.
async fn go_keyring_set(service: &str, user: &str, value: &[u8]) {
    let connection = Connection::session().await.expect("a bus");
    let root = "/org/freedesktop/secrets";
    let opened = call(&connection, root, "Service", "OpenSession", &("plain", Value::from(""))).await;
    let (_, session): (zbus::zvariant::OwnedValue, OwnedObjectPath) = opened.body().deserialize().expect("a session");
    let attributes = HashMap::from([("username", user), ("service", service)]);
    let properties = HashMap::from([
        ("org.freedesktop.Secret.Item.Label", Value::from(format!("Password for '{user}' on '{service}'"))),
        ("org.freedesktop.Secret.Item.Attributes", Value::from(attributes)),
    ]);
    let secret = (session, Vec::<u8>::new(), value.to_vec(), "text/plain; charset=utf8");
    let login = "/org/freedesktop/secrets/collection/login";
    call(&connection, login, "Collection", "CreateItem", &(properties, secret, true)).await;
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a keyring"]
async fn what_is_no_text_is_an_error() {
    in_a_session_of_its_own();
    go_keyring_set(ENTRY.service, ENTRY.user, b"\xff\xfehidden").await;
    let error = keyring::read(ENTRY).await.expect_err("no text");
    assert!(matches!(&error, KeyringError::Failed(why) if why.contains("no UTF-8 text")), "{error:?}");
    assert!(!error.to_string().contains("hidden"));
    keyring::write(ENTRY, LABEL, &secret("text")).await.expect("stored in its place");
    assert_eq!(kept().await.as_deref(), Some("text"));
}

/// A token of some five thousand bytes, as one with many scopes has.
fn long_token(mark: &str) -> String {
    use base64::Engine as _;
    let part = |bytes: &[u8]| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let scopes = "read:something_long ".repeat(180);
    let payload = format!(r#"{{"mark":"{mark}","scope":"{scopes}","exp":4102444800}}"#);
    format!("{}.{}.{}", part(br#"{"alg":"RS256"}"#), part(payload.as_bytes()), part(&[9; 256]))
}

/// auth0-cli's file with one tenant; `token` is what stands in the file itself.
fn auth0_cli_file(token: Option<&str>) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join(".config/auth0");
    fs::create_dir_all(&folder).expect("folders");
    let token = token.map(|token| format!(r#""access_token": "{token}","#)).unwrap_or_default();
    let tenant = format!(
        r#"{{ "name": "acme", "domain": "Acme.eu.auth0.com", {token} "expires_at": "2100-01-01T00:00:00Z", "client_id": "" }}"#
    );
    let text =
        format!(r#"{{ "default_tenant": "Acme.eu.auth0.com", "tenants": {{ "Acme.eu.auth0.com": {tenant} }} }}"#);
    fs::write(folder.join("config.json"), text).expect("a file");
    home
}

async fn auth0_cli_token(home: &tempfile::TempDir) -> Result<String, CliError> {
    let home: PathBuf = home.path().to_owned();
    let variables = move |name: &str| (name == "HOME").then(|| OsString::from(home.clone()));
    // The keyring knows the tenant as auth0-cli wrote it, and not as we would.
    let domain = Domain::parse("acme.eu.auth0.com").expect("a domain");
    let token = auth0_cli::token(&variables, &domain);
    tokio::spawn(token).await.expect("no panic").map(|token| token.expose().to_owned())
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a keyring"]
async fn the_token_of_auth0_cli() {
    in_a_session_of_its_own();
    let (kept, stored) = (long_token("keyring"), long_token("file"));
    let new = auth0_cli_file(None);
    let missing = auth0_cli_token(&new).await.expect_err("no token");
    assert!(matches!(missing, CliError::NoToken { part: false, .. }), "{missing}");
    // The old shape: there was no keyring to write.
    assert_eq!(auth0_cli_token(&auth0_cli_file(Some(&stored))).await, Ok(stored.clone()));

    let parts: Vec<_> = kept.as_bytes().chunks(2048).collect();
    assert_eq!(parts.len(), 3);
    for (number, part) in parts.iter().enumerate() {
        go_keyring_set(&format!("Auth0 CLI Access Token {number}"), "Acme.eu.auth0.com", part).await;
    }
    go_keyring_set("Auth0 CLI Client Secret", "Acme.eu.auth0.com", b"never read").await;
    let seen = Command::new("secret-tool").args(["search", "--all", "username", "Acme.eu.auth0.com"]).output();
    let seen = String::from_utf8(seen.expect("secret-tool").stdout).expect("text");
    assert!(seen.contains("label = Password for 'Acme.eu.auth0.com' on 'Auth0 CLI Access Token 2'"), "{seen}");
    let mut bus = overheard().await;
    assert_eq!(auth0_cli_token(&new).await, Ok(kept.clone()));
    let members = called(&mut bus).await;
    let written = ["CreateItem", "SetSecret", "Delete", "SetAttributes", "Set"];
    assert!(!members.iter().any(|member| written.contains(&&**member)), "{members:?}");
    assert_eq!(members.iter().filter(|member| *member == "GetSecret").count(), 3, "{members:?}");
    assert_eq!(auth0_cli_token(&auth0_cli_file(Some(&stored))).await, Ok(kept));

    let clear = ["clear", "service", "Auth0 CLI Access Token 1", "username", "Acme.eu.auth0.com"];
    assert!(Command::new("secret-tool").args(clear).status().expect("secret-tool").success());
    let cut = auth0_cli_token(&new).await.expect_err("a gap");
    assert!(matches!(cut, CliError::NoToken { part: true, .. }), "{cut}");
    assert_eq!(auth0_cli_token(&auth0_cli_file(Some(&stored))).await, Ok(stored.clone()));

    lock().await;
    let locked = auth0_cli_token(&new).await.expect_err("locked");
    assert!(matches!(locked, CliError::Keyring(KeyringError::Locked(_))), "{locked}");
    called(&mut bus).await;
    assert_eq!(auth0_cli_token(&auth0_cli_file(Some(&stored))).await, Ok(stored));
    assert!(!asks(&called(&mut bus).await), "the file has one: nobody need be asked");
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a bus"]
async fn unlocked_by_the_person() {
    in_a_session_of_its_own();
    // Items are known while they are locked (GNOME), or not (KeePassXC).
    for hides in [false, true] {
        let service = pretend::Service { locked: true, hides, ..pretend::Service::new(&[("kept", 1)]) };
        let service = service.start().await;
        assert_eq!(status().await, KeyringStatus::Locked);
        assert_eq!(kept().await.as_deref(), Some("kept"));
        assert_eq!(status().await, KeyringStatus::Ready);
        service.close().await.expect("closed");
    }
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a bus"]
async fn not_unlocked_by_the_person() {
    in_a_session_of_its_own();
    for hides in [false, true] {
        let service =
            pretend::Service { locked: true, hides, dismisses: true, ..pretend::Service::new(&[("kept", 1)]) };
        let service = service.start().await;
        is_locked(keyring::read(ENTRY).await);
        assert_eq!(status().await, KeyringStatus::Locked);
        service.close().await.expect("closed");
    }
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a bus"]
async fn the_newest_of_several() {
    in_a_session_of_its_own();
    let orders: [&[_]; 2] = [&[("new", 7), ("old", 6)], &[("old", 6), ("new", 7)]];
    for items in orders {
        let service = pretend::Service::new(items).start().await;
        assert_eq!(kept().await.as_deref(), Some("new"));
        service.close().await.expect("closed");
    }
}

#[tokio::test]
#[ignore = "tests/keyring.sh gives it a bus"]
async fn a_service_that_denies_or_dies() {
    in_a_session_of_its_own();
    let service = pretend::Service { denies: true, ..pretend::Service::new(&[("kept", 1)]) }.start().await;
    let error = keyring::read(ENTRY).await.expect_err("denied");
    assert!(matches!(&error, KeyringError::Failed(why) if why.contains("denied (not for you)")), "{error:?}");
    let KeyringStatus::Absent(why) = status().await else { panic!("denied") };
    assert_eq!(why, error.to_string());
    service.close().await.expect("closed");

    let _service = pretend::Service { dies: true, ..pretend::Service::new(&[("kept", 1)]) }.start().await;
    let error = keyring::read(ENTRY).await.expect_err("dead");
    assert!(matches!(&error, KeyringError::Failed(why) if why.contains("went away")), "{error:?}");
}
