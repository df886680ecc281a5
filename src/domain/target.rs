//! Targets: the places from which a client's apps read its secret, and what they hold.
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::rollover::State;
use super::untrusted::{brief, is_hidden};
use super::{Fingerprint, FingerprintKey, Rollover, Secret};

/// One place from which a client's apps read its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// What the user calls it; once per client.
    pub name: String,
    /// Where it is.
    pub place: Place,
    /// How two secrets are held there.
    pub slots: SlotNames,
    /// What to run after a delivery: a program and its arguments, such as a restart. No shell.
    pub after: Vec<String>,
}

impl Target {
    /// Whether both write to the same key of the same file, so that one would undo what the other did.
    #[must_use]
    pub fn clashes_with(&self, other: &Self) -> bool {
        match (&self.place, &other.place) {
            (Place::File(one), Place::File(two)) if one.path == two.path => {
                self.slots.keys().into_iter().any(|key| other.slots.keys().contains(&key))
            }
            _ => false,
        }
    }

    /// Where it is, in a few words that hold no argument of a command: the file's path, or the program.
    #[must_use]
    pub fn place_words(&self) -> String {
        match &self.place {
            Place::File(file) => file.path.display().to_string(),
            Place::Command(command) => format!("command {}", command.write.first().map_or("", String::as_str)),
        }
    }
}

/// Where a target is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(FilePlace),
    /// A command that is given the secrets.
    Command(CommandPlace),
}

/// A file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// Its path, from the root.
    pub path: PathBuf,
    /// How it is written.
    pub format: Format,
    /// Whether a symbolic link is followed, on purpose.
    pub follow_links: bool,
    /// Whether it may be readable by others, or belong to somebody else.
    pub allow_mode: bool,
}

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandPlace {
    /// Program and arguments that store the secrets; they come as JSON on stdin.
    pub write: Vec<String>,
    /// Program and arguments that print what is stored, as JSON; none: what is stored cannot be looked at.
    pub read: Vec<String>,
    /// Names of variables of our environment that it gets too, beside `PATH`, `HOME` and the like.
    pub environment: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
}

impl CommandPlace {
    /// How long a command may take where nothing else is set.
    pub const TIMEOUT: Duration = Duration::from_mins(1);
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `.env` as shells, dotenv and docker compose read it.
    Dotenv,
    /// `docker run --env-file`: no quotes, no `export`, everything behind `=` is the value.
    DockerEnv,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Dotenv, Self::DockerEnv, Self::Json, Self::Yaml, Self::Toml];

    /// Its name on the command line and in `config.toml`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Dotenv => "dotenv",
            Self::DockerEnv => "docker-env",
            Self::Json => "json",
            Self::Yaml => "yaml",
            Self::Toml => "toml",
        }
    }

    /// What a file's name says of its format: `.json`, `.yaml`, `.yml`, `.toml`; and `.env`, `prod.env`, `.env.local`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Self> {
        let name = name.to_lowercase();
        let ends = |end: &str| name.ends_with(end);
        match () {
            () if ends(".json") => Some(Self::Json),
            () if ends(".yaml") || ends(".yml") => Some(Self::Yaml),
            () if ends(".toml") => Some(Self::Toml),
            () if ends(".env") || name.starts_with(".env.") || name == "env" => Some(Self::Dotenv),
            () => None,
        }
    }
}

/// The variable, or key, of the current secret where nothing else is set.
pub const CURRENT_KEY: &str = "AUTH0_CLIENT_SECRET";
/// The variable, or key, of the fallback where nothing else is set.
pub const FALLBACK_KEY: &str = "AUTH0_CLIENT_SECRET_FALLBACK";

/// How a target holds two secrets. In JSON, YAML and TOML a key may be a path, `auth0.client_secret`; a dot that belongs to a
/// key's name is written `\.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SlotNames {
    /// Two keys.
    Two {
        /// The key of the current secret.
        current: String,
        /// The key of the fallback.
        fallback: String,
    },
    /// One ordered list under one key, the current secret first.
    List {
        /// The key.
        key: String,
        /// What stands between two secrets; `None`: the format's own list (JSON, YAML and TOML arrays).
        separator: Option<String>,
    },
}

impl SlotNames {
    /// The keys that it writes to.
    #[must_use]
    pub fn keys(&self) -> Vec<&str> {
        match self {
            Self::Two { current, fallback } => vec![current, fallback],
            Self::List { key, .. } => vec![key],
        }
    }
}

impl Default for SlotNames {
    fn default() -> Self {
        Self::Two { current: CURRENT_KEY.to_owned(), fallback: FALLBACK_KEY.to_owned() }
    }
}

/// The secrets that a target holds, or shall hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Slots {
    /// What apps try first.
    pub current: Option<Arc<Secret>>,
    /// What they try when that fails.
    pub fallback: Option<Arc<Secret>>,
}

/// A secret in a target, beside those that are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// Nothing.
    Nothing,
    /// The one that is live.
    Current,
    /// The one that is chosen and not yet live.
    Pending,
    /// The one that was live before.
    Previous,
    /// Another one; its fingerprint, where it is long enough to have one.
    Other(Option<Fingerprint>),
}

impl Held {
    /// Its name in machine-readable output.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Current => "current",
            Self::Pending => "pending",
            Self::Previous => "previous",
            Self::Other(_) => "other",
        }
    }
}

/// What a look at a target found, by fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Holding {
    /// What apps try first.
    pub current: Held,
    /// What they try when that fails.
    pub fallback: Held,
}

impl Holding {
    /// Whether an app that tries both gets in now.
    #[must_use]
    pub fn works(self) -> bool {
        self.current == Held::Current || self.fallback == Held::Current
    }

    /// Whether an app that tries both gets in after the pending secret has become live.
    #[must_use]
    pub fn is_ready(self) -> bool {
        self.current == Held::Pending || self.fallback == Held::Pending
    }

    /// One word for what it holds of the live secret and its fallback: `current`, `fallback`, `both`, `neither`, `drift`.
    #[must_use]
    pub fn word(self) -> &'static str {
        let known = |held| matches!(held, Held::Pending | Held::Previous);
        let other = |held| matches!(held, Held::Other(_));
        match (self.current, self.fallback) {
            (current, fallback) if other(current) || other(fallback) => "drift",
            (Held::Current, fallback) if known(fallback) => "both",
            (current, Held::Current) if known(current) => "both",
            (Held::Current, _) => "current",
            (Held::Nothing, Held::Nothing) => "neither",
            (_, Held::Current) => "fallback",
            (current, fallback) if known(current) || known(fallback) => "fallback",
            _ => "neither",
        }
    }
}

/// Whether a target can be called so.
///
/// # Errors
/// A sentence that says what is wrong and what is expected.
pub fn check_name(name: &str) -> Result<(), String> {
    if name.trim().is_empty() {
        return Err("a target needs a name, such as production-env".to_owned());
    }
    if name.chars().count() > 40 {
        return Err("a target's name has at most 40 characters".to_owned());
    }
    if name != name.trim() || name.starts_with('-') || name.chars().any(is_hidden) {
        return Err(format!(
            "`{}` cannot be a target's name: no blanks around it, no dash before it, nothing invisible in it",
            brief(name)
        ));
    }
    Ok(())
}

/// Whether secrets can be held under these keys there.
///
/// # Errors
/// A sentence that says what is wrong and what is expected.
pub fn check_slots(slots: &SlotNames, place: &Place) -> Result<(), String> {
    let format = match place {
        Place::File(file) => Some(file.format),
        Place::Command(_) => None,
    };
    let lines = matches!(format, Some(Format::Dotenv | Format::DockerEnv));
    for key in slots.keys() {
        if key.trim().is_empty() {
            return Err("the key of a secret is empty; expected one such as AUTH0_CLIENT_SECRET".to_owned());
        }
        if key.chars().any(is_hidden) {
            return Err(format!("`{}` cannot be a key: nothing invisible in it", brief(key)));
        }
        let plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '_' | '.' | '-');
        if lines && !key.chars().all(plain) {
            return Err(format!(
                "`{}` cannot be a variable's name; expected letters, digits, `_`, `.` and `-`",
                brief(key)
            ));
        }
    }
    match slots {
        SlotNames::Two { current, fallback } if current == fallback => {
            Err(format!("`{}` is the key of both secrets; expected two, or a list of both under one", brief(current)))
        }
        SlotNames::List { separator: None, .. } if lines => Err(format!(
            "{} has no lists of its own; expected what stands between two secrets, such as `list = \",\"`",
            format.map_or("this", Format::name)
        )),
        SlotNames::List { separator: Some(text), .. } if text.chars().any(is_hidden) => {
            Err("what stands between two secrets holds something invisible; expected one such as `,`".to_owned())
        }
        // What an app finds between two secrets must be no part of one.
        SlotNames::List { separator: Some(text), .. } if text.chars().all(may_be_in_a_secret) => Err(format!(
            "`{}` may be a part of a secret, which is made of letters, digits, `_` and `-`; expected one such as `,`",
            brief(text)
        )),
        _ => Ok(()),
    }
}

/// Whether Auth0's secrets, and those chosen here, hold such a character.
fn may_be_in_a_secret(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// What a target holds, beside what is live at Auth0 and what the ledger recorded of the client's latest rollover. What is live wins:
/// `live` is `None` where it cannot be read, and then the record says which one it is.
#[must_use]
pub fn holding(slots: &Slots, live: Option<&Secret>, row: Option<&Rollover>, key: &FingerprintKey) -> Holding {
    let held = |secret: &Option<Arc<Secret>>| match secret.as_deref() {
        None => Held::Nothing,
        Some(secret) if secret.expose().is_empty() => Held::Nothing,
        Some(secret) => held(secret, live, row, key),
    };
    Holding { current: held(&slots.current), fallback: held(&slots.fallback) }
}

fn held(secret: &Secret, live: Option<&Secret>, row: Option<&Rollover>, key: &FingerprintKey) -> Held {
    if live.is_some_and(|live| live.same_as(secret)) {
        return Held::Current;
    }
    let other = Held::Other(key.of(secret));
    let (Some(row), Some(print)) = (row, key.print(secret)) else { return other };
    let known = |one: Option<super::SecretPrint>| one == Some(print);
    let (new, old) = match row.state {
        // Nobody knows whether the new one is live: it is taken for what it was before the request.
        State::Sending | State::InDoubt => (Held::Pending, Held::Current),
        state if state.is_before_change() => (Held::Pending, Held::Current),
        state if state.is_live() => (Held::Current, Held::Previous),
        State::Retired => (Held::Current, Held::Previous),
        State::RollingBack => (Held::Current, Held::Pending),
        State::RolledBack => (Held::Previous, Held::Current),
        // It never was live, and no longer will be.
        State::Abandoned => (other, Held::Current),
        // What was seen at Auth0 is neither.
        _ if row.observed.is_some() => (Held::Pending, Held::Previous),
        _ => (Held::Pending, Held::Current),
    };
    let by_record = match () {
        () if known(row.new) => new,
        () if known(row.old) => old,
        () if known(row.observed) => Held::Current,
        () => return other,
    };
    // The record takes it for live, and Auth0 shows another one.
    if by_record == Held::Current && live.is_some() { Held::Previous } else { by_record }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rollover::Mode;
    use crate::domain::{Domain, RolloverId, Untrusted};

    fn secret(character: char) -> Arc<Secret> {
        Arc::new(Secret::new(character.to_string().repeat(64)))
    }

    fn row(state: State, key: &FingerprintKey, observed: bool) -> Rollover {
        Rollover {
            id: RolloverId::from_stored(String::new()),
            tenant: Domain::parse("acme.eu.auth0.com").expect("a domain"),
            client_id: "abc".into(),
            name: Untrusted::new("Billing API"),
            mode: Mode::Set,
            state,
            since: 0,
            began: 0,
            attempt: 0,
            correlation_id: None,
            old: key.print(&secret('o')),
            new: key.print(&secret('n')),
            observed: if observed { key.print(&secret('x')) } else { None },
            sealed: Vec::new(),
            doubt: None,
            detail: String::new(),
            who: String::new(),
            targets: Vec::new(),
            steps: Vec::new(),
            generation: 0,
        }
    }

    /// What a target with the old secret first and the new one as its fallback holds.
    fn held_in(state: State, live: Option<char>) -> (Held, Held) {
        let key = FingerprintKey::new(&[1; 32]);
        let slots = Slots { current: Some(secret('o')), fallback: Some(secret('n')) };
        let observed = matches!(state, State::Conflict);
        let live = live.map(secret);
        let holding = holding(&slots, live.as_deref(), Some(&row(state, &key, observed)), &key);
        (holding.current, holding.fallback)
    }

    #[test]
    fn every_state_says_which_secret_is_which() {
        let key = FingerprintKey::new(&[1; 32]);
        let other = Held::Other(key.of(&secret('n')));
        for state in State::ALL {
            let expected = match state {
                State::Planned
                | State::Baselined
                | State::Staged
                | State::Delivered
                | State::Sending
                | State::Rejected
                | State::InDoubt
                | State::Unknown => (Held::Current, Held::Pending),
                State::Applied | State::Verified | State::Promoting | State::Holding | State::Retired => {
                    (Held::Previous, Held::Current)
                }
                State::RollingBack => (Held::Pending, Held::Current),
                State::RolledBack => (Held::Current, Held::Previous),
                State::Abandoned => (Held::Current, other),
                State::Conflict => (Held::Previous, Held::Pending),
            };
            assert_eq!(held_in(state, None), expected, "{state:?}");
            // Whatever the record says: what Auth0 shows is live, and nothing else.
            for (live, which) in [('o', 0), ('n', 1), ('z', 2)] {
                let (current, fallback) = held_in(state, Some(live));
                let is_live = [current == Held::Current, fallback == Held::Current];
                assert_eq!(is_live, [which == 0, which == 1], "{state:?}, {live}");
            }
        }
    }

    #[test]
    fn what_nobody_knows_and_what_is_not_there() {
        let key = FingerprintKey::new(&[1; 32]);
        let short = Some(Arc::new(Secret::new("short".into())));
        let empty = Some(Arc::new(Secret::new(String::new())));
        let slots = |current, fallback| Slots { current, fallback };
        let live = secret('l');
        for (slots, expected) in [
            (slots(Some(secret('l')), None), (Held::Current, Held::Nothing)),
            (slots(empty, Some(secret('l'))), (Held::Nothing, Held::Current)),
            (slots(Some(secret('z')), short), (Held::Other(key.of(&secret('z'))), Held::Other(None))),
        ] {
            let found = holding(&slots, Some(&live), None, &key);
            assert_eq!((found.current, found.fallback), expected);
        }
        // One that is too short for a fingerprint is recognised where it is live.
        let short = Arc::new(Secret::new("short".into()));
        let found = holding(&slots(Some(Arc::clone(&short)), None), Some(&short), None, &key);
        assert_eq!(found.current, Held::Current);
    }

    #[test]
    fn keys_follow_what_the_place_can_hold() {
        let file =
            |format| Place::File(FilePlace { path: "/x".into(), format, follow_links: false, allow_mode: false });
        let two = |current: &str, fallback: &str| SlotNames::Two { current: current.into(), fallback: fallback.into() };
        let list =
            |separator: Option<&str>| SlotNames::List { key: "A".into(), separator: separator.map(str::to_owned) };
        for (slots, format, right) in [
            (two("A", "B"), Format::Dotenv, true),
            (two("A", "A"), Format::Dotenv, false),
            (two("A b", "B"), Format::Dotenv, false),
            (two("A b", "B"), Format::Json, true),
            (two(" ", "B"), Format::Json, false),
            (two("A\u{202e}", "B"), Format::Yaml, false),
            (list(None), Format::DockerEnv, false),
            (list(None), Format::Toml, true),
            (list(Some(",")), Format::Dotenv, true),
            (list(Some(" or ")), Format::Dotenv, true),
            (list(Some("x")), Format::Json, false),
            (list(Some("\t")), Format::Json, false),
        ] {
            assert_eq!(check_slots(&slots, &file(format)).is_ok(), right, "{slots:?} in {format:?}");
        }
        assert!(
            check_name("production env").is_ok() && check_name(" x").is_err() && check_name(&"x".repeat(41)).is_err()
        );
    }
}
