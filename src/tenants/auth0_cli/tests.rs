use std::ffi::OsString;
use std::fs;

use super::*;

const NOW: i64 = 1_800_000_000;

/// A `HOME` of its own.
struct At(tempfile::TempDir);

impl At {
    fn with(config: &str) -> Self {
        let at = Self(tempfile::tempdir().expect("a folder"));
        fs::create_dir_all(at.file().parent().expect("a folder")).expect("folders");
        fs::write(at.file(), config).expect("a file");
        at
    }

    fn file(&self) -> PathBuf {
        self.0.path().join(".config/auth0/config.json")
    }

    fn variable(&self, name: &str) -> Option<OsString> {
        (name == "HOME").then(|| self.0.path().as_os_str().to_owned())
    }

    fn tenants(&self) -> Result<Found, CliError> {
        tenants(&|name| self.variable(name))
    }

    fn login(&self, text: &str) -> Result<Login, CliError> {
        login(&|name| self.variable(name), &domain(text))
    }
}

fn domain(text: &str) -> Domain {
    Domain::parse(text).expect("a domain")
}

fn jwt(payload: &str) -> String {
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    format!("{}.{}.{}", part(b"{}"), part(payload.as_bytes()), part(&[7; 256]))
}

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// As auth0-cli 1.x writes it: a person's login, and a machine's.
const NEW: &str = r#"{
"install_id": "3998b053-dd7f-4bfe-bb10-c4f3a96a0180",
"default_tenant": "acme.eu.auth0.com",
"tenants": {
    "acme.eu.auth0.com": {
        "name": "acme",
        "domain": "acme.eu.auth0.com",
        "scopes": ["read:clients", "read:client_keys"],
        "expires_at": "2027-01-15T09:00:00.123456789+01:00",
        "default_app_id": "",
        "client_id": ""
    },
    "machine.auth0.com": {
        "name": "machine",
        "domain": "machine.auth0.com",
        "expires_at": "2027-01-15T08:00:00Z",
        "client_id": "AbC123_-",
        "something_new": {"deep": [1, null]}
    }
}
}"#;

/// Older: the token in the file, and little else.
fn old(token: &str) -> String {
    format!(r#"{{"tenants":{{"old.auth0.com":{{"access_token":"{token}","expires_at":"0001-01-01T00:00:00Z"}}}}}}"#)
}

#[test]
fn people_and_machines_are_told_apart() {
    let found = At::with(NEW).tenants().expect("tenants");
    let [person, machine] = &found.tenants[..] else { panic!("{found:?}") };
    assert_eq!((person.name.raw(), person.domain.host()), ("acme", "acme.eu.auth0.com".to_owned()));
    assert!(person.is_default && !person.machine_login && !person.token_in_file);
    assert_eq!(person.expires_at, Some(NOW));
    let scopes = person.scopes.as_ref().expect("scopes");
    assert_eq!((scopes.has("read:client_keys"), scopes.has("update:client_keys")), (Some(true), Some(false)));
    assert_eq!(person.renewal(), "auth0 login");
    assert!(!machine.is_default && machine.machine_login && machine.scopes.is_none());
    assert_eq!(machine.renewal(), "auth0 login --domain machine.auth0.com --client-id AbC123_-");
    assert!(person.is_expired(NOW - 299) && !person.is_expired(NOW - 300));
}

#[test]
fn what_is_missing_is_made_up_for() {
    let found = At::with(&old("x")).tenants().expect("tenants");
    let [tenant] = &found.tenants[..] else { panic!("{found:?}") };
    assert_eq!((tenant.name.raw(), tenant.expires_at, tenant.token_in_file), ("old", None, true));
    assert!(!tenant.is_default && tenant.scopes.is_none());
    for text in ["{}", r#"{"tenants":null}"#, r#"{"tenants":{"no address":{}}}"#, r#"{"tenants":{}, "x": 1}"#] {
        assert_eq!(At::with(text).tenants().expect(text).tenants, [], "{text}");
    }
}

#[test]
fn no_file_is_no_tenant() {
    let folder = tempfile::tempdir().expect("a folder");
    for home in [None, Some(""), Some("relative"), folder.path().to_str()] {
        let variables = |name: &str| home.filter(|_| name == "HOME").map(OsString::from);
        let found = tenants(&variables).expect("nothing");
        assert!(found.tenants.is_empty() && !found.open_to_others && found.hint().is_none());
        let error = login(&variables, &domain("acme.eu.auth0.com")).err().expect("nobody");
        assert_eq!(
            error.to_string(),
            "auth0-cli is not signed in to acme.eu.auth0.com: run `auth0 login`, then try again"
        );
    }
}

#[test]
fn nothing_is_read_in_the_current_folder() {
    assert!(Path::new("Cargo.toml").exists());
    assert!(read(Path::new("Cargo.toml")).expect("no error").is_none());
}

#[test]
fn a_broken_file_is_named_with_its_line_and_nothing_that_stands_in_it() {
    let cut = &NEW[..NEW.find("scopes").expect("scopes")];
    for (text, line, part) in [
        ("", 1, "ends in the middle"),
        (cut, 8, "ends in the middle"),
        ("{\n\n\"tenants\": hunter2}", 3, "no JSON"),
        ("{\"tenants\":\n\"hunter2\"}", 2, "not laid out"),
        ("{\"tenants\":{\"a.auth0.com\":{\n\"access_token\":{\"hunter2\":1}}}}", 2, "not laid out"),
    ] {
        let at = At::with(text);
        let error = at.tenants().expect_err(text).to_string();
        let start = format!("{}, line {line}: ", at.file().display());
        assert!(error.starts_with(&start) && error.contains(part), "{text}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
        assert!(matches!(at.login("acme.eu.auth0.com"), Err(CliError::File { .. })));
    }
}

#[test]
fn what_cannot_be_its_file_is_not_read() {
    let at = At::with("");
    fs::File::create(at.file()).and_then(|file| file.set_len(LARGEST_FILE + 1)).expect("a large file");
    assert!(at.tenants().expect_err("too large").to_string().contains("larger than 1 MiB"));
    fs::remove_file(at.file()).and_then(|()| fs::create_dir(at.file())).expect("a folder");
    assert!(at.tenants().expect_err("a folder").to_string().ends_with(": it is no file"));
}

#[test]
#[cfg(unix)]
fn a_file_that_others_can_read_is_read_and_told_of() {
    use std::os::unix::fs::PermissionsExt as _;
    let at = At::with(NEW);
    for (mode, open) in [(0o600, false), (0o640, true), (0o604, true), (0o602, true)] {
        fs::set_permissions(at.file(), fs::Permissions::from_mode(mode)).expect("a mode");
        let found = at.tenants().expect("tenants");
        assert_eq!((found.tenants.len(), found.open_to_others), (2, open), "{mode:o}");
        let hint = open.then(|| format!("others can read auth0-cli's file; run: chmod 600 {}", at.file().display()));
        assert_eq!(found.hint(), hint);
    }
}

#[test]
fn the_keyrings_token_is_taken_before_the_files() {
    let (kept, stored) = (jwt(r#"{"exp":1800000300,"n":1}"#), jwt(r#"{"exp":1800000300,"n":2}"#));
    let chosen = |kept| At::with(&old(&stored)).login("old.auth0.com").expect("a login").choose(kept, NOW);
    assert_eq!(chosen(Ok(Some(secret(&kept)))), Ok(secret(&kept)));
    assert_eq!(chosen(Ok(None)), Ok(secret(&stored)));
    assert_eq!(chosen(Err(KeyringError::Locked("locked".into()))), Ok(secret(&stored)));
    // One of a login before the keyring could no longer be written.
    assert_eq!(chosen(Ok(Some(secret(&jwt(r#"{"exp":5}"#))))), Ok(secret(&stored)));
    assert_eq!(chosen(Ok(Some(secret("a.b")))), Ok(secret(&stored)));
}

#[test]
fn no_token_is_told_with_what_to_do() {
    let at = At::with(NEW);
    let refused =
        |name: &str, kept, now| at.login(name).expect("a login").choose(kept, now).expect_err("no token").to_string();
    let endless = || Ok(Some(secret(&jwt("{}"))));
    assert_eq!(
        refused("machine.auth0.com", Ok(None), NOW),
        "auth0-cli has no token for machine.auth0.com: run `auth0 login --domain machine.auth0.com --client-id AbC123_-`, then try again"
    );
    // By the file's word, five minutes early, and by the token's own.
    for (kept, now, when) in [
        (endless(), NOW - 299, "2027-01-15 08:00 UTC"),
        (Ok(Some(secret(&jwt(r#"{"exp":1799990000}"#)))), 1_799_989_701, "2027-01-15 05:13 UTC"),
    ] {
        assert_eq!(
            refused("acme.eu.auth0.com", kept, now),
            format!(
                "auth0-cli's token for acme.eu.auth0.com ends at {when}, which is over or nearly so: run `auth0 login`, then try again"
            )
        );
    }
    assert!(at.login("acme.eu.auth0.com").expect("a login").choose(endless(), NOW - 300).is_ok());
    let locked = refused("acme.eu.auth0.com", Err(KeyringError::Locked("it is locked: unlock it".into())), NOW);
    assert_eq!(locked, "auth0-cli's token is in the keyring, which cannot be read: it is locked: unlock it");
}

#[test]
fn part_of_a_token_is_not_taken_for_one() {
    let at = At::with(&old(""));
    let whole = jwt(r#"{"exp":1800000300,"scope":"read:clients update:client_keys"}"#);
    let choose = |token: &str| at.login("old.auth0.com").expect("a login").choose(Ok(Some(secret(token))), NOW);
    assert!(choose(&whole).is_ok());
    // Within header and payload every cut is seen. Of the signature only every 32nd byte is one that could end it.
    let signature = whole.rfind('.').expect("a signature") + 1;
    let unseen: Vec<_> = (0..whole.len()).filter(|end| choose(&whole[..*end]).is_ok()).collect();
    assert!(unseen.len() < 8 && unseen.iter().all(|end| *end > signature), "{unseen:?}");
    for text in ["opaque", "a.b.c", &format!("{whole}.x"), &whole[signature..]] {
        assert_eq!(
            choose(text).expect_err(text).to_string(),
            "auth0-cli has only a part of its token for old.auth0.com: run `auth0 login`, then try again"
        );
    }
}

/// A keyring of `entries`.
async fn kept(entries: &[(&str, &str)]) -> Option<String> {
    let read = async |entry: Entry<'_>| {
        assert_eq!(entry.user, "acme.eu.auth0.com");
        let number = entry.service.strip_prefix("Auth0 CLI Access Token ").expect("its name");
        let found = entries.iter().find(|(name, _)| *name == number || *name == "every");
        Ok(found.map(|(_, value)| secret(value)))
    };
    joined("acme.eu.auth0.com", read).await.expect("no error").map(|token| token.expose().to_owned())
}

#[tokio::test]
async fn parts_are_joined_up_to_the_first_that_is_missing() {
    assert_eq!(kept(&[]).await, None);
    assert_eq!(kept(&[("1", "b")]).await, None);
    assert_eq!(kept(&[("2", "c"), ("0", "a"), ("1", "b"), ("4", "e")]).await.as_deref(), Some("abc"));
    assert_eq!(kept(&[("every", "x")]).await, Some("x".repeat(50)));
}

#[tokio::test]
async fn what_go_keyring_encodes_on_macos_is_decoded() {
    let parts = [("0", "go-keyring-base64:YWI="), ("1", "go-keyring-encoded:63C3a9"), ("2", "d")];
    assert_eq!(kept(&parts).await.as_deref(), Some("abc\u{e9}d"));
    for broken in ["go-keyring-base64:*", "go-keyring-encoded:6", "go-keyring-encoded:zz", "go-keyring-encoded:ff"] {
        assert_eq!(kept(&[("0", broken)]).await.as_deref(), Some(broken));
    }
}

#[test]
fn nothing_hostile_gets_into_a_command_or_a_message() {
    assert_eq!(missing_scope_command("update:client_keys"), "auth0 login --scopes update:client_keys");
    assert_eq!(missing_scope_command("a:b;rm -rf $(x)\u{1b}`"), "auth0 login --scopes a:brm-rfx");
    let at = At::with(r#"{"tenants":{"a.auth0.com":{"name":"\u001b[31m","client_id":"x; rm -rf ~"}}}"#);
    let found = at.tenants().expect("tenants");
    assert_eq!(found.tenants[0].renewal(), "auth0 login --domain a.auth0.com");
    assert_eq!(found.tenants[0].name.shown(), "\\u{001B}[31m");
    assert!(!format!("{found:?}").contains('\u{1b}'));
}

#[test]
fn getting_a_token_can_be_a_task_of_its_own() {
    fn task<T: Send + 'static>(_: T) {}
    task(token(&|_| None, &domain("a.auth0.com")));
}
