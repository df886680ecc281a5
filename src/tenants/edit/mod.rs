/// The targets of a tenant.
mod targets;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::Home;
use super::config::{self, Config, ConfigError};
use super::draft::{Draft, value};
use crate::domain::untrusted::shown;
use crate::domain::{Profile, Target, WayIn};
use crate::files;

pub use targets::Of;
pub(super) use targets::placed;
#[cfg(test)]
pub(super) use targets::settings as target_settings;

/// Why `config.toml` could not be changed; it is as it was. Safe to print.
#[derive(Debug)]
pub enum EditError {
    /// It has a mistake already: a program must not guess what was meant.
    Mistake(ConfigError),
    /// It could not be read or written.
    File(PathBuf, io::Error),
    /// There is no such tenant in it.
    NoTenant(String),
    /// There is no such target in it.
    NoTarget(String),
    /// There is a target of that name already.
    TargetExists(String),
    /// What is to be written cannot be: what is wrong, and what was expected.
    Wrong(String),
}

impl fmt::Display for EditError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mistake(error) => error.fmt(f),
            Self::File(path, error) => write!(f, "{}: {error}", shown(&path.display().to_string())),
            Self::NoTenant(why) | Self::NoTarget(why) | Self::TargetExists(why) | Self::Wrong(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for EditError {}

impl From<io::Error> for EditError {
    fn from(error: io::Error) -> Self {
        Self::File(PathBuf::from("config.toml"), error)
    }
}

/// What is done to the file.
pub(super) enum Change<'a> {
    /// Writes a tenant's settings; `select`: and opens it from now on.
    Put { profile: &'a Profile, select: bool },
    /// Opens a tenant from now on.
    Select(&'a str),
    /// Takes a tenant out.
    Remove(&'a str),
    /// Writes a target; `replace`: in the place of the one with its name.
    PutTarget { of: Of<'a>, target: &'a Target, replace: bool },
    /// Takes a target out.
    RemoveTarget { of: Of<'a>, name: &'a str },
}

/// Writes a tenant's table, and makes it the one that is opened, if `select` says so. What a person wrote stays: comments, order,
/// and every other setting.
///
/// # Errors
/// The file is then as it was.
pub fn put(home: &Home, profile: &Profile, select: bool) -> Result<(), EditError> {
    change(home, &Change::Put { profile, select })
}

/// Makes a tenant the one that is opened.
///
/// # Errors
/// Where it is not in the file, or the file cannot be changed.
pub fn select(home: &Home, name: &str) -> Result<(), EditError> {
    change(home, &Change::Select(name))
}

/// Takes a tenant's table out of the file, with what is said of it inside and right above it.
///
/// # Errors
/// Where it is not in the file, or the file cannot be changed.
pub fn remove(home: &Home, name: &str) -> Result<(), EditError> {
    change(home, &Change::Remove(name))
}

/// Writes a target of a client, in the place of the one with its name, if `replace` says so. Of a tenant that has no table, one is
/// made, with its address.
///
/// # Errors
/// Where there is one with its name that is not to be replaced, or it cannot be one, or the file cannot be changed.
pub fn put_target(home: &Home, of: Of<'_>, target: &Target, replace: bool) -> Result<(), EditError> {
    change(home, &Change::PutTarget { of, target, replace })
}

/// Takes a target of a client out of the file.
///
/// # Errors
/// Where it is not in the file, or the file cannot be changed.
pub fn remove_target(home: &Home, of: Of<'_>, name: &str) -> Result<(), EditError> {
    change(home, &Change::RemoveTarget { of, name })
}

fn change(home: &Home, change: &Change<'_>) -> Result<(), EditError> {
    let path = home.config_file();
    let failed = |error: io::Error| EditError::File(path.clone(), error);
    let folder = path.parent().ok_or_else(|| failed(io::Error::other("it names no file")))?;
    files::locked(folder, || {
        let text = config::text(&path).map_err(EditError::Mistake)?;
        let changed = changed(&text, &path, change)?;
        if *changed == **text {
            return Ok(());
        }
        files::sweep(&path);
        files::replace(&path, changed.as_bytes()).map_err(failed)
    })
}

/// The text of the file after a change.
pub(super) fn changed(text: &str, path: &Path, change: &Change<'_>) -> Result<String, EditError> {
    let mut config = Config::parse(text, path).map_err(EditError::Mistake)?;
    let failed = |why: &str| EditError::File(path.to_owned(), io::Error::other(why.to_owned()));
    let mut draft = Draft::new(text);
    let done = match *change {
        Change::Put { profile, select } => {
            // Its targets are changed one by one, below.
            let targets = config.tenants.get(&profile.name).map(|there| there.targets.clone()).unwrap_or_default();
            let before = config.tenants.insert(profile.name.clone(), Profile { targets, ..profile.clone() });
            write(&mut draft, profile, before.as_ref())
                .and_then(|()| if select { open(&mut draft, &mut config, &profile.name) } else { Some(()) })
        }
        Change::Select(name) => {
            known(name, &config)?;
            open(&mut draft, &mut config, name)
        }
        Change::Remove(name) => {
            known(name, &config)?;
            config.tenants.remove(name);
            let selected = config.selected.take_if(|selected| selected == name).is_some();
            // The table first: what is said of `tenant` must not come to stand right above it.
            let done = draft.remove_table(&["tenants", name]);
            done.and_then(|()| if selected { draft.set(&["tenant"], None) } else { Some(()) })
        }
        Change::PutTarget { of, target, replace } => targets::put(&mut draft, &mut config, of, target, replace)?,
        Change::RemoveTarget { of, name } => targets::remove(&mut draft, &mut config, of, name)?,
    };
    done.ok_or_else(|| failed("it is written in a way that cannot be changed from here: change it by hand"))?;
    // What is written must be readable: a name or an address that is no such thing is found here, before anything is lost.
    let after =
        Config::parse(draft.text(), path).map_err(|error| EditError::Mistake(ConfigError { line: None, ..error }))?;
    if let Change::PutTarget { of, target, .. } = *change {
        placed(&mut config, of, &target.name, &after);
    }
    if (Config { lines: config.lines.clone(), ..after }) != config {
        return Err(failed("a change of it would not say what was meant, and only that: change it by hand"));
    }
    Ok(draft.into_text())
}

fn known(name: &str, config: &Config) -> Result<(), EditError> {
    if config.tenants.contains_key(name) {
        return Ok(());
    }
    Err(EditError::NoTenant(super::select::no_profile(name, config)))
}

/// Writes what is new in a profile: what stays stands in the file as a person wrote it.
fn write(draft: &mut Draft, profile: &Profile, before: Option<&Profile>) -> Option<()> {
    let name = profile.name.as_str();
    let [domain, ..] = settings(profile);
    if before.is_none() {
        draft.add_table(&["tenants", name], &[(domain.0, domain.1.unwrap_or_default())])?;
    }
    let unset = Profile::new(profile.name.clone(), profile.domain.clone());
    for ((setting, new), (_, old)) in settings(profile).into_iter().zip(settings(before.unwrap_or(&unset))) {
        if new != old {
            draft.set(&["tenants", name, setting], new.as_deref())?;
        }
    }
    Some(())
}

fn open(draft: &mut Draft, config: &mut Config, name: &str) -> Option<()> {
    if config.selected.replace(name.to_owned()).as_deref() == Some(name) {
        return Some(());
    }
    draft.set(&["tenant"], Some(&value(name)))
}

/// The settings of a profile as they are written, its address first.
pub(super) fn settings(profile: &Profile) -> [(&'static str, Option<String>); 12] {
    let base = profile.domain.base();
    // As it is typed: the bare host, but for a pretend tenant on loopback.
    let domain =
        if base.scheme() == "https" { profile.domain.host() } else { base.as_str().trim_end_matches('/').into() };
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| value(&path.to_string_lossy()));
    let (mut key_file, mut algorithm) = (None, None);
    if let Some(WayIn::PrivateKeyJwt { key_file: file, algorithm: one, .. }) = &profile.way_in {
        key_file = path(file);
        algorithm = Some(value(one.name()));
    }
    [
        ("domain", Some(value(&domain))),
        ("audience", profile.audience.as_deref().map(value)),
        ("environment", profile.environment.map(|one| value(one.name()))),
        ("colour", profile.colour.map(|one| value(one.name()))),
        ("read_only", profile.read_only.then(|| "true".to_owned())),
        ("sign_in", profile.way_in.as_ref().map(|way| value(way.name()))),
        ("client_id", profile.way_in.as_ref().and_then(WayIn::client_id).map(value)),
        ("private_key", key_file),
        ("algorithm", algorithm),
        ("kept_in", profile.kept.map(|one| value(one.name()))),
        ("plan", profile.plan.map(|one| value(one.name()))),
        ("ca_file", path(&profile.ca_file)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Colour, Domain, Environment, Keep};

    fn home(folder: &Path) -> Home {
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

    fn edited(text: &str, edit: impl FnOnce(&Home) -> Result<(), EditError>) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(&folder.path().join("new"));
        files::replace(&home.config_file(), text.as_bytes()).expect("a file");
        edit(&home).unwrap_or_else(|error| panic!("{error}: {text}"));
        files::read(&home.config_file()).expect("it is there").to_string()
    }

    #[test]
    fn what_does_not_change_stays_as_it_was_typed() {
        let text = "\u{feff}# mine\r\n[ tenants . 'acme' ]\r\nread_only = false\r\n\r\ndomain = 'https://acme.eu.auth0.com'\r\n\
                    sign_in = \"private-key-jwt\" # since May\r\nclient_id = '''abc'''\r\nprivate_key = \"~/key.pem\"\r\n";
        let path = Path::new("config.toml");
        let profile = Config::parse(text, path).expect("it is right").tenants["acme"].clone();
        assert_eq!(edited(text, |home| put(home, &profile, false)), text);
        let staging = Profile { environment: Some(Environment::Staging), ..profile };
        let expected = format!("{text}environment = \"staging\"\r\n");
        assert_eq!(edited(text, |home| put(home, &staging, false)), expected);
    }

    #[test]
    fn what_is_said_at_what_goes_stays() {
        let text = "# of the whole file\ntenant = \"acme\" # for now\n\n# the shop\n[tenants.shop]\ndomain = \"shop.eu.auth0.com\"\n\n\
                    # ours\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n# until May\nplan = \"free\" # they say\n\n# the end\n";
        let acme = Profile::new("acme".into(), Domain::parse("acme.eu.auth0.com").expect("a domain"));
        assert_eq!(
            edited(text, |home| put(home, &acme, true)),
            text.replace("plan = \"free\" # they say", "# they say"),
        );
        assert_eq!(
            edited(text, |home| remove(home, "acme")),
            "# of the whole file\n# for now\n\n# the shop\n[tenants.shop]\ndomain = \"shop.eu.auth0.com\"\n\n# the end\n",
            "but what is said right above the table goes with it"
        );
    }

    #[test]
    fn every_way_to_write_a_table_can_be_changed() {
        let staging = |name: &str| Profile {
            environment: Some(Environment::Staging),
            ..Profile::new(name.into(), Domain::parse(&format!("{name}.eu.auth0.com")).expect("a domain"))
        };
        for (text, changed, added, removed) in [
            (
                "tenants.a.domain = \"a.eu.auth0.com\"\nmouse = true\n",
                "tenants.a.domain = \"a.eu.auth0.com\"\ntenants.a.environment = \"staging\"\nmouse = true\n",
                "tenants.a.domain = \"a.eu.auth0.com\"\nmouse = true\n\n[tenants.b]\ndomain = \"b.eu.auth0.com\"\nenvironment = \"staging\"\n",
                "mouse = true\n",
            ),
            (
                "[tenants]\na = { domain = \"a.eu.auth0.com\" } # one\n",
                "[tenants]\na = { domain = \"a.eu.auth0.com\", environment = \"staging\" } # one\n",
                "[tenants]\na = { domain = \"a.eu.auth0.com\" } # one\n\n[tenants.b]\ndomain = \"b.eu.auth0.com\"\nenvironment = \"staging\"\n",
                "[tenants]\n# one\n",
            ),
            (
                "tenants = {\n  a = { domain = \"a.eu.auth0.com\" }, # one\n}\n",
                "tenants = {\n  a = { domain = \"a.eu.auth0.com\", environment = \"staging\" }, # one\n}\n",
                "tenants = {\n  a = { domain = \"a.eu.auth0.com\" }, b = { domain = \"b.eu.auth0.com\", environment = \"staging\" }, # one\n}\n",
                "tenants = { # one\n}\n",
            ),
        ] {
            assert_eq!(edited(text, |home| put(home, &staging("a"), false)), changed);
            assert_eq!(edited(text, |home| put(home, &staging("b"), false)), added);
            assert_eq!(edited(text, |home| remove(home, "a")), removed);
        }
    }

    #[test]
    fn what_cannot_be_written_is_refused_and_nothing_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let home = home(&folder.path().join("new"));
        put(&home, &acme(), true).expect("it is written");
        let before = files::read(&home.config_file()).expect("it is there").to_string();
        let with = |name: &str, client_id: &str| Profile {
            way_in: Some(WayIn::ClientSecret { client_id: client_id.into() }),
            name: name.into(),
            ..acme()
        };
        for (profile, part) in [
            (with("acme", " "), "needs `client_id`"),
            (with("-acme", "abc"), "cannot be a tenant's name"),
            (Profile { ca_file: Some("ca.pem".into()), ..acme() }, "must be a path from the root"),
            #[cfg(unix)]
            (
                Profile {
                    ca_file: Some(PathBuf::from(<std::ffi::OsString as std::os::unix::ffi::OsStringExt>::from_vec(
                        b"/\xff".to_vec(),
                    ))),
                    ..acme()
                },
                "change it by hand",
            ),
        ] {
            let error = put(&home, &profile, true).expect_err(part).to_string();
            assert!(error.contains(part) && !error.contains(", line"), "{error}");
            assert_eq!(&**files::read(&home.config_file()).expect("it is there"), before);
        }
    }
}
