use std::fmt;
use std::io;
use std::path::PathBuf;

use toml_edit::{DocumentMut, Item, Table, TableLike, Value};

use super::config::{Config, ConfigError};
use super::{Home, files};
use crate::domain::{Profile, WayIn};

/// Why `config.toml` could not be changed; it is as it was. Safe to print.
#[derive(Debug)]
pub enum EditError {
    /// It has a mistake already: a program must not guess what was meant.
    Mistake(ConfigError),
    /// It could not be read or written.
    File(PathBuf, io::Error),
    /// There is no such tenant in it.
    NoTenant(String),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mistake(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "{}: {error}", path.display()),
            Self::NoTenant(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for EditError {}

impl From<io::Error> for EditError {
    fn from(error: io::Error) -> Self {
        Self::File(PathBuf::from("config.toml"), error)
    }
}

/// Writes a tenant's table, and makes it the one that is opened, if `select` says so. What a person wrote stays: comments, order,
/// and every other setting.
///
/// # Errors
/// The file is then as it was.
pub fn put(home: &Home, profile: &Profile, select: bool) -> Result<(), EditError> {
    change(home, |document, _| {
        write_profile(tenants(document), profile);
        if select {
            set(document.as_table_mut(), "tenant", Some(profile.name.as_str().into()));
        }
        Ok(())
    })
}

/// Makes a tenant the one that is opened.
///
/// # Errors
/// Where it is not in the file, or the file cannot be changed.
pub fn select(home: &Home, name: &str) -> Result<(), EditError> {
    change(home, |document, config| {
        if !config.tenants.contains_key(name) {
            return Err(EditError::NoTenant(super::select::no_profile(name, config)));
        }
        set(document.as_table_mut(), "tenant", Some(name.into()));
        Ok(())
    })
}

/// Takes a tenant's table out of the file.
///
/// # Errors
/// Where it is not in the file, or the file cannot be changed.
pub fn remove(home: &Home, name: &str) -> Result<(), EditError> {
    change(home, |document, config| {
        if !config.tenants.contains_key(name) {
            return Err(EditError::NoTenant(super::select::no_profile(name, config)));
        }
        tenants(document).remove(name);
        if config.selected.as_deref() == Some(name) {
            document.remove("tenant");
        }
        Ok(())
    })
}

fn change(home: &Home, edit: impl FnOnce(&mut DocumentMut, &Config) -> Result<(), EditError>) -> Result<(), EditError> {
    let path = home.config_file();
    let failed = |error: io::Error| EditError::File(path.clone(), error);
    let folder = path.parent().ok_or_else(|| failed(io::Error::other("it names no file")))?;
    files::locked(folder, || {
        let text = match files::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => zeroize::Zeroizing::new(String::new()),
            Err(error) => return Err(failed(error)),
        };
        let config = Config::parse(&text, &path).map_err(EditError::Mistake)?;
        let mut document: DocumentMut =
            text.parse().map_err(|error: toml_edit::TomlError| failed(io::Error::other(error.to_string())))?;
        edit(&mut document, &config)?;
        let text = document.to_string();
        // What is written must be readable: a name or an address that is no such thing is found here, before anything is lost.
        Config::parse(&text, &path).map_err(EditError::Mistake)?;
        files::replace(&path, text.as_bytes()).map_err(failed)
    })
}

fn tenants(document: &mut DocumentMut) -> &mut dyn TableLike {
    let item = document.entry("tenants").or_insert_with(|| {
        let mut table = Table::new();
        // Only the tables in it are written: [tenants.acme].
        table.set_implicit(true);
        Item::Table(table)
    });
    if item.as_table_like().is_none() {
        *item = Item::Table(Table::new());
    }
    // It is one now.
    match item {
        Item::Value(Value::InlineTable(table)) => table,
        Item::Table(table) => table,
        _ => unreachable!("an item that is like a table is a table or an inline one"),
    }
}

fn write_profile(tenants: &mut dyn TableLike, profile: &Profile) {
    if tenants.get(&profile.name).and_then(Item::as_table_like).is_none() {
        tenants.insert(&profile.name, Item::Table(Table::new()));
    }
    let Some(table) = tenants.get_mut(&profile.name).and_then(Item::as_table_like_mut) else { return };
    let base = profile.domain.base();
    // As it is typed: the bare host, but for a pretend tenant on loopback.
    let domain =
        if base.scheme() == "https" { profile.domain.host() } else { base.as_str().trim_end_matches('/').into() };
    let text = |text: &str| Some(Value::from(text));
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| Value::from(path.to_string_lossy().as_ref()));
    set(table, "domain", text(&domain));
    set(table, "audience", profile.audience.as_deref().and_then(text));
    set(table, "environment", profile.environment.and_then(|one| text(one.name())));
    set(table, "colour", profile.colour.and_then(|one| text(one.name())));
    set(table, "read_only", profile.read_only.then(|| Value::from(true)));
    set(table, "sign_in", profile.way_in.as_ref().and_then(|way| text(way.name())));
    let (mut key_file, mut algorithm) = (None, None);
    if let Some(WayIn::PrivateKeyJwt { key_file: file, algorithm: one, .. }) = &profile.way_in {
        key_file = path(file);
        algorithm = text(one.name());
    }
    set(table, "client_id", profile.way_in.as_ref().and_then(WayIn::client_id).and_then(text));
    set(table, "private_key", key_file);
    set(table, "algorithm", algorithm);
    set(table, "kept_in", profile.kept.and_then(|one| text(one.name())));
    set(table, "plan", profile.plan.and_then(|one| text(one.name())));
    set(table, "ca_file", path(&profile.ca_file));
}

/// Sets a value, or takes it away; the comment behind it stays.
fn set(table: &mut dyn TableLike, key: &str, value: Option<Value>) {
    let Some(mut value) = value else {
        table.remove(key);
        return;
    };
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(key, Item::Value(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Colour, Domain, Environment, Keep};

    fn home(folder: &std::path::Path) -> Home {
        let folder = folder.as_os_str().to_owned();
        Home::find(&move |name| (name == "ROLLOVER_HOME").then(|| folder.clone())).expect("a home")
    }

    fn acme() -> Profile {
        Profile {
            environment: Some(Environment::Production),
            way_in: Some(WayIn::ClientSecret { client_id: "abc".into() }),
            kept: Some(Keep::Keyring),
            ..Profile::new("acme".into(), Domain::parse("acme.eu.auth0.com").expect("a domain"))
        }
    }

    #[test]
    fn what_is_written_is_what_is_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(&folder.path().join("new"));
        let full = Profile {
            audience: Some("https://acme.eu.auth0.com/api/v2/".into()),
            colour: Some(Colour::Cyan),
            read_only: true,
            way_in: Some(WayIn::PrivateKeyJwt {
                client_id: "k\"ey".into(),
                algorithm: crate::domain::AssertionAlgorithm::Ps256,
                key_file: Some("/etc/key.pem".into()),
            }),
            plan: Some(crate::domain::RatePlan::Free),
            ca_file: Some("/etc/ca.pem".into()),
            ..Profile::new("two words".into(), Domain::parse("http://127.0.0.1:8080").expect("a domain"))
        };
        for (profile, selected) in [(acme(), true), (full, false)] {
            put(&home, &profile, selected).expect("it is written");
            let config = Config::load(&home.config_file()).expect("it is read");
            assert_eq!(config.tenants[&profile.name], profile);
            assert_eq!(config.selected.as_deref(), Some("acme"));
        }
        select(&home, "two words").expect("it is there");
        remove(&home, "two words").expect("it is there");
        let config = Config::load(&home.config_file()).expect("it is read");
        assert_eq!((config.selected, config.tenants.len()), (None, 1), "who is gone is not selected");
    }

    #[test]
    fn comments_order_and_other_settings_stay() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(&folder.path().join("new"));
        let before = "# mine\nmouse = false # no mouse\n\n# the shop\n[tenants.shop]\ndomain = \"shop.eu.auth0.com\" # by hand\n\n\
                      [tenants.acme] # ours\nplan = \"free\"\nenvironment = \"staging\" # for now\ndomain = \"acme.eu.auth0.com\"\n";
        files::replace(&home.config_file(), before.as_bytes()).expect("a file");
        put(&home, &Profile { plan: Some(crate::domain::RatePlan::Free), ..acme() }, true).expect("it is written");
        let after = files::read(&home.config_file()).expect("it is there").to_string();
        let expected = "# mine\nmouse = false # no mouse\ntenant = \"acme\"\n\n# the shop\n[tenants.shop]\ndomain = \"shop.eu.auth0.com\" # by hand\n\n\
                        [tenants.acme] # ours\nplan = \"free\"\nenvironment = \"production\" # for now\ndomain = \"acme.eu.auth0.com\"\n\
                        sign_in = \"client-secret\"\nclient_id = \"abc\"\nkept_in = \"keyring\"\n";
        assert_eq!(after, expected);
    }

    #[test]
    fn a_file_with_a_mistake_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(&folder.path().join("new"));
        files::replace(&home.config_file(), b"muose = true\n").expect("a file");
        let error = put(&home, &acme(), true).expect_err("a mistake").to_string();
        assert!(error.contains("line 1: `muose` is not known"), "{error}");
        assert_eq!(&**files::read(&home.config_file()).expect("it is there"), "muose = true\n");
        files::replace(&home.config_file(), b"[tenants.other]\ndomain = \"acme.eu.auth0.com\"\n").expect("a file");
        let error = put(&home, &acme(), true).expect_err("the same domain twice").to_string();
        assert!(error.contains("one tenant stands here once"), "{error}");
        let error = select(&home, "othr").expect_err("no such tenant").to_string();
        assert!(error.contains("did you mean `other`?"), "{error}");
    }
}
