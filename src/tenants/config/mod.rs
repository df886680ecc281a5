/// The targets of a tenant.
mod targets;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use zeroize::Zeroizing;

use crate::domain::profile::check_name;
use crate::domain::rollover::NAG_AFTER_DAYS;
use crate::domain::untrusted::{brief, shown};
use crate::domain::{AssertionAlgorithm, Colour, Domain, Environment, Keep, Profile, RatePlan, WayIn};
use crate::files;

pub(crate) use targets::check_variable;

/// What stands in `config.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `tenant`: the one that is opened where neither a flag nor the environment says otherwise.
    pub selected: Option<String>,
    /// `mouse`: whether the interface asks the terminal for mouse reports. On, where it is not set.
    pub mouse: bool,
    /// `ca_file`: certificate authorities to trust beside the platform's, for every tenant without its own.
    pub ca_file: Option<PathBuf>,
    /// `nag_after_days`: after how many days of holding both secrets a person is told to retire the old one.
    pub nag_after_days: u32,
    /// `lock_after_minutes`: after how many minutes without a key the ledger's key is forgotten; 0: never.
    pub lock_after_minutes: u32,
    /// `identity_file`: where the key is that opens the ledger, instead of the keyring or the file under a passphrase.
    pub identity_file: Option<PathBuf>,
    /// `[tenants.NAME]`.
    pub tenants: BTreeMap<String, Profile>,
    /// The line of every setting that stands in the file, by its name in full: `tenants.acme.domain`.
    pub lines: BTreeMap<String, usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            selected: None,
            mouse: true,
            ca_file: None,
            nag_after_days: NAG_AFTER_DAYS,
            lock_after_minutes: LOCK_AFTER_MINUTES,
            identity_file: None,
            tenants: BTreeMap::new(),
            lines: BTreeMap::new(),
        }
    }
}

/// After how many minutes without a key the ledger's key is forgotten, where nothing else is set.
const LOCK_AFTER_MINUTES: u32 = 5;

/// The settings of the file itself.
pub(crate) const SETTINGS: [&str; 7] =
    ["tenant", "mouse", "ca_file", "nag_after_days", "lock_after_minutes", "identity_file", "tenants"];
/// The settings of a tenant.
pub(crate) const TENANT_SETTINGS: [&str; 13] = [
    "domain",
    "audience",
    "environment",
    "colour",
    "read_only",
    "sign_in",
    "client_id",
    "private_key",
    "algorithm",
    "kept_in",
    "plan",
    "ca_file",
    "targets",
];

/// A mistake in the file: where it is, and what was expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// The file.
    pub file: PathBuf,
    /// Line, counted from one, where it is known.
    pub line: Option<usize>,
    /// What is wrong and what was expected. Safe to print.
    pub message: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.file.display().to_string()))?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ConfigError {}

impl Config {
    /// Reads the file; one that is not there is an empty one.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn load(file: &Path) -> Result<Self, ConfigError> {
        Self::parse(&text(file)?, file)
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let place = Place { text, file };
        let document = DeTable::parse(text).map_err(|error| place.no_toml(&error))?;
        let mut config = Self::default();
        for (key, value) in in_order(document.get_ref()) {
            let name = key.get_ref().as_ref();
            match name {
                "tenant" => {
                    if let DeValue::Table(_) = value.get_ref() {
                        let message = "`tenant` names the tenant that is opened; did you mean the table `tenants`?";
                        return Err(place.error(key.span().start, message));
                    }
                    config.selected = Some(place.string(value, name)?.to_owned());
                }
                "mouse" => config.mouse = place.boolean(value, name)?,
                "ca_file" => config.ca_file = Some(place.path(value, name)?),
                "nag_after_days" => config.nag_after_days = place.count(value, name, 1..=365, " days")?,
                "lock_after_minutes" => {
                    config.lock_after_minutes = place.count(value, name, 0..=1440, " minutes, where 0 is never")?;
                }
                "identity_file" => config.identity_file = Some(place.path(value, name)?),
                "tenants" => {
                    for (name, value) in in_order(place.table(value, "tenants", "[tenants.acme]")?) {
                        place.profile(&mut config, name, value)?;
                    }
                    continue;
                }
                other => return Err(place.unknown(key.span().start, other, &SETTINGS)),
            }
            config.lines.insert(name.to_owned(), place.line(key.span().start));
        }
        if let Some(name) = &config.selected
            && !config.tenants.contains_key(name)
        {
            let known: Vec<_> = config.tenants.keys().map(String::as_str).collect();
            let hint = if known.is_empty() { "there is none in this file".to_owned() } else { hint(name, &known) };
            let message = format!("`tenant` names `{}`, which has no table here; {hint}", brief(name));
            let line = config.lines.get("tenant").copied();
            return Err(ConfigError { file: file.to_owned(), line, message });
        }
        Ok(config)
    }

    /// What is known of the tenant at `domain`.
    #[must_use]
    pub fn profile_of(&self, domain: &Domain) -> Option<&Profile> {
        self.tenants.values().find(|profile| profile.domain == *domain)
    }
}

/// The nearest of `known` to `wanted`, where one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(wanted: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| (strsim::jaro_winkler(&wanted.to_lowercase(), &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, name)| name)
}

/// The nearest of `known`, else all of them, as far as they can be listed.
fn hint(wanted: &str, known: &[&str]) -> String {
    match nearest(wanted, known.iter().copied()) {
        Some(near) => format!("did you mean `{}`?", shown(near)),
        None if known.len() > 20 => format!("known here: {}, …", shown(&known[..20].join(", "))),
        None => format!("known here: {}", shown(&known.join(", "))),
    }
}

/// A text in a message, where it is so short that it can be no secret.
fn short(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() > 30 { "what stands here".to_owned() } else { format!("`{}`", shown(text)) }
}

/// The text of the file; of one that is not there, an empty one.
pub(super) fn text(file: &Path) -> Result<Zeroizing<String>, ConfigError> {
    let wrong = |line, message: String| ConfigError { file: file.to_owned(), line, message };
    let mut bytes = match files::read_bytes(file) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Zeroizing::default()),
        Err(error) => return Err(wrong(None, shown(&error.to_string()).into_owned())),
    };
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        return Err(wrong(Some(1), "this is UTF-16; save the file as UTF-8".to_owned()));
    }
    String::from_utf8(std::mem::take(&mut *bytes)).map(Zeroizing::new).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let bytes = Zeroizing::new(error.into_bytes());
        let line = bytes[..at].split(|byte| *byte == b'\n').count();
        wrong(Some(line), "this is no UTF-8 text; save the file as UTF-8".to_owned())
    })
}

/// What stands in a table, in the order of the file: of two mistakes the first is told.
fn in_order<'t, 'd>(table: &'t DeTable<'d>) -> Vec<(&'t Spanned<Cow<'d, str>>, &'t Spanned<DeValue<'d>>)> {
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|(key, _)| key.span().start);
    entries
}

struct Place<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Place<'_> {
    /// The line of a place in the text, counted from one. What is missing at the end of the file is missing in its last line.
    fn line(&self, at: usize) -> usize {
        let line = self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1;
        line.min(self.text.lines().count().max(1))
    }

    fn error(&self, at: usize, message: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.file.to_owned(),
            line: Some(self.line(at)),
            message: shown(&message.into()).into_owned(),
        }
    }

    /// Why this is no TOML. What people meet most is told in our words, the rest in the parser's. What is long is not repeated:
    /// a secret may have been pasted here.
    fn no_toml(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or_default();
        let found = short(self.text.get(span.clone()).unwrap_or_default());
        let line = self.text.lines().nth(self.line(span.start) - 1).unwrap_or_default();
        let line = short(line.trim_start_matches('\u{feff}'));
        let message = error.message();
        let starts = |start: &str| message.starts_with(start);
        let message = if starts("duplicate key") {
            format!("{found} stands here a second time; expected it once")
        } else if starts("string values must be quoted") && found == short("") {
            format!("a value is missing in {line}; expected a text in quotes, true or false")
        } else if starts("string values must be quoted") || starts("invalid boolean") {
            format!("{found} is no value; expected a text in quotes, true or false")
        } else if starts("key with no value") || starts("invalid key-value pair") {
            format!("{line} is no setting; expected a name, `=` and a value")
        } else if starts("missing escaped value") {
            "`\\` in a text begins an escape; expected `\\\\` in its place, or the text in 'single quotes'".to_owned()
        } else if starts("unclosed table") {
            "the table's name does not end with `]`; expected quotes around one that holds more than letters, numbers, `-`, `_`"
                .to_owned()
        } else if starts("invalid")
            && (message.ends_with("string, expected `\"`") || message.ends_with("string, expected `'`"))
        {
            "the text does not end; expected the quote that it begins with behind it".to_owned()
        } else if starts("invalid") && message.contains("visible characters") {
            "a character in the text is invisible; expected an escape such as \\u0000 in its place".to_owned()
        } else {
            message
                .replace("expected newline, `#`", "expected the end of the line")
                .replace("unquoted keys cannot be empty", "a name is missing")
                .replace("invalid unquoted key", "invalid character in a name")
                .replace(", expected nothing", "")
        };
        self.error(span.start, message)
    }

    fn unknown(&self, at: usize, name: &str, known: &[&str]) -> ConfigError {
        self.error(at, format!("`{}` is not known; {}", brief(name), hint(name, known)))
    }

    fn expected(&self, value: &Spanned<DeValue<'_>>, name: &str, expected: &str) -> ConfigError {
        let found = match value.get_ref() {
            DeValue::String(text) => format!("the text {}", short(text)),
            DeValue::Integer(_) | DeValue::Float(_) => "a number".to_owned(),
            DeValue::Boolean(value) => value.to_string(),
            DeValue::Datetime(_) => "a date or time".to_owned(),
            DeValue::Array(_) => "a list".to_owned(),
            DeValue::Table(_) => "a table".to_owned(),
        };
        self.error(value.span().start, format!("`{}` must be {expected}, and is {found}", brief(name)))
    }

    fn boolean(&self, value: &Spanned<DeValue<'_>>, name: &str) -> Result<bool, ConfigError> {
        match value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.expected(value, name, "true or false")),
        }
    }

    /// A whole number within a range.
    fn integer(
        &self,
        value: &Spanned<DeValue<'_>>,
        name: &str,
        range: RangeInclusive<i64>,
        unit: &str,
    ) -> Result<i64, ConfigError> {
        let expected = format!("a whole number from {} to {}{unit}", range.start(), range.end());
        let DeValue::Integer(number) = value.get_ref() else { return Err(self.expected(value, name, &expected)) };
        let read = i64::from_str_radix(number.as_str(), number.radix()).ok();
        read.filter(|number| range.contains(number)).ok_or_else(|| {
            let found = short(self.text.get(value.span()).unwrap_or_default());
            self.error(value.span().start, format!("`{name}` must be {expected}, and is {found}"))
        })
    }

    /// A small number within a range.
    fn count(
        &self,
        value: &Spanned<DeValue<'_>>,
        name: &str,
        range: RangeInclusive<i64>,
        unit: &str,
    ) -> Result<u32, ConfigError> {
        let read = self.integer(value, name, range, unit)?;
        u32::try_from(read).map_err(|error| self.error(value.span().start, error.to_string()))
    }

    fn string<'v>(&self, value: &'v Spanned<DeValue<'_>>, name: &str) -> Result<&'v str, ConfigError> {
        match value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.expected(value, name, "a text in quotes")),
        }
    }

    fn path(&self, value: &Spanned<DeValue<'_>>, name: &str) -> Result<PathBuf, ConfigError> {
        let text = self.string(value, name)?;
        if let Some(rest) = text.strip_prefix("~/")
            && let Some(folders) = directories::BaseDirs::new()
        {
            return Ok(folders.home_dir().join(rest));
        }
        let path = PathBuf::from(text);
        if path.is_absolute() {
            return Ok(path);
        }
        Err(self.error(
            value.span().start,
            format!("`{name}` must be a path from the root or from ~/, and is `{}`", brief(text)),
        ))
    }

    fn table<'v, 'd>(
        &self,
        value: &'v Spanned<DeValue<'d>>,
        name: &str,
        example: &str,
    ) -> Result<&'v DeTable<'d>, ConfigError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.expected(value, name, &format!("a table, such as {example}"))),
        }
    }

    /// One of several words.
    fn word<T: Copy>(
        &self,
        value: &Spanned<DeValue<'_>>,
        name: &str,
        known: &[(&'static str, T)],
    ) -> Result<T, ConfigError> {
        let text = self.string(value, name)?;
        known.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant).ok_or_else(|| {
            let words: Vec<_> = known.iter().map(|(word, _)| *word).collect();
            let message = format!("`{name}` cannot be `{}`; {}", brief(text), hint(text, &words));
            self.error(value.span().start, message)
        })
    }

    fn profile(
        &self,
        config: &mut Config,
        name: &Spanned<Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let at = name.span().start;
        let name = name.get_ref().as_ref();
        check_name(name).map_err(|why| self.error(at, why))?;
        if TENANT_SETTINGS.contains(&name) && !matches!(value.get_ref(), DeValue::Table(_)) {
            return Err(self
                .error(at, format!("`{name}` is a tenant's setting; expected it in a table such as [tenants.acme]")));
        }
        let mut domain = None;
        let (mut sign_in, mut client_id, mut private_key, mut algorithm) = (None, None, None, None);
        // Its address is set below, once all of it is read.
        let unknown = Domain::parse("localhost").map_err(|why| self.error(at, why))?;
        let mut profile = Profile::new(name.to_owned(), unknown);
        for (key, value) in in_order(self.table(value, &format!("tenants.{name}"), &format!("[tenants.{name}]"))?) {
            let setting = key.get_ref().as_ref();
            match setting {
                "domain" => {
                    let text = self.string(value, setting)?;
                    domain = Some(Domain::parse(text).map_err(|why| self.error(value.span().start, why))?);
                }
                "audience" => profile.audience = Some(self.string(value, setting)?.to_owned()),
                "environment" => {
                    let known = Environment::ALL.map(|one| (one.name(), one));
                    profile.environment = Some(self.word(value, setting, &known)?);
                }
                "colour" => {
                    profile.colour = Some(self.word(value, setting, &Colour::ALL.map(|one| (one.name(), one)))?);
                }
                "read_only" => profile.read_only = self.boolean(value, setting)?,
                "sign_in" => {
                    let known = WayIn::NAMES.map(|name| (name, name));
                    sign_in = Some((self.word(value, setting, &known)?, value.span().start));
                }
                "client_id" => client_id = Some((self.string(value, setting)?.to_owned(), key.span().start)),
                "private_key" => private_key = Some((self.path(value, setting)?, key.span().start)),
                "algorithm" => {
                    let known = AssertionAlgorithm::ALL.map(|one| (one.name(), one));
                    algorithm = Some((self.word(value, setting, &known)?, key.span().start));
                }
                "kept_in" => profile.kept = Some(self.word(value, setting, &Keep::ALL.map(|one| (one.name(), one)))?),
                "plan" => {
                    profile.plan = Some(self.word(value, setting, &RatePlan::ALL.map(|one| (one.name(), one)))?);
                }
                "ca_file" => profile.ca_file = Some(self.path(value, setting)?),
                "targets" => {
                    profile.targets = self.targets(config, name, value)?;
                    continue;
                }
                "client_secret" | "secret" | "token" | "api_token" | "password" => {
                    let message = format!(
                        "`{setting}` must not stand in this file; `rollover login` keeps it where it is sealed"
                    );
                    return Err(self.error(key.span().start, message));
                }
                other => return Err(self.unknown(key.span().start, other, &TENANT_SETTINGS)),
            }
            config.lines.insert(format!("tenants.{name}.{setting}"), self.line(key.span().start));
        }
        profile.domain = domain.ok_or_else(|| {
            self.error(at, format!("the tenant `{name}` has no `domain`; expected a host such as acme.eu.auth0.com"))
        })?;
        profile.way_in = self.way_in(name, sign_in, client_id, private_key, algorithm)?;
        if let Some(other) = config.profile_of(&profile.domain) {
            let line = config.lines.get(&format!("tenants.{}.domain", other.name)).copied().unwrap_or_default();
            let message = format!(
                "`{name}` has the domain of `{}` (line {line}): one tenant stands here once, so that its marks are not in doubt",
                other.name
            );
            return Err(self.error(at, message));
        }
        config.tenants.insert(name.to_owned(), profile);
        Ok(())
    }

    /// The settings that say how to sign in, together.
    fn way_in(
        &self,
        name: &str,
        sign_in: Option<(&'static str, usize)>,
        client_id: Option<(String, usize)>,
        private_key: Option<(PathBuf, usize)>,
        algorithm: Option<(AssertionAlgorithm, usize)>,
    ) -> Result<Option<WayIn>, ConfigError> {
        let useless = |setting: &str, at: usize| {
            let with = if setting == "client_id" { "client-secret\" or \"private-key-jwt" } else { "private-key-jwt" };
            self.error(at, format!("`{setting}` is for `sign_in = \"{with}\"`, which `{name}` has not"))
        };
        let keyed = sign_in.is_some_and(|(word, _)| word == "private-key-jwt");
        if let (false, Some((_, at))) = (keyed, &private_key) {
            return Err(useless("private_key", *at));
        }
        if let (false, Some((_, at))) = (keyed, &algorithm) {
            return Err(useless("algorithm", *at));
        }
        let Some((word, at)) = sign_in else {
            return client_id.map_or(Ok(None), |(_, at)| Err(useless("client_id", at)));
        };
        let needed = |client_id: Option<(String, usize)>| {
            let given = client_id.map(|(id, _)| id).filter(|id| !id.trim().is_empty());
            given.ok_or_else(|| {
                self.error(at, format!("`sign_in = \"{word}\"` needs `client_id`, which `{name}` has not"))
            })
        };
        Ok(Some(match word {
            "client-secret" => WayIn::ClientSecret { client_id: needed(client_id)? },
            "private-key-jwt" => WayIn::PrivateKeyJwt {
                client_id: needed(client_id)?,
                algorithm: algorithm.map(|(algorithm, _)| algorithm).unwrap_or_default(),
                key_file: private_key.map(|(path, _)| path),
            },
            other => {
                if let Some((_, at)) = client_id {
                    return Err(useless("client_id", at));
                }
                if other == "token" { WayIn::Token } else { WayIn::Auth0Cli }
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("config.toml")).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_set_has_its_default() {
        assert_eq!(parse(""), Ok(Config::default()));
        assert!(Config::load(Path::new("/nowhere/config.toml")).expect("an empty one").mouse);
    }

    #[test]
    fn tenants_are_found_by_their_domain() {
        let config = parse(
            "mouse = false\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nenvironment = \"production\"\n[tenants.\"dev 2\"]\ndomain = \"https://dev.acme.com\"\n",
        )
        .expect("a configuration");
        assert!(!config.mouse);
        let domain = Domain::parse("acme.eu.auth0.com").expect("a domain");
        assert_eq!(config.profile_of(&domain).and_then(|profile| profile.environment), Some(Environment::Production));
        assert_eq!(config.tenants["dev 2"].environment, None);
    }

    #[test]
    fn mistakes_are_named_with_their_line_and_what_was_meant() {
        for (text, message) in [
            ("\nmuose = true", "config.toml, line 2: `muose` is not known; did you mean `mouse`?"),
            (
                "wheel = 1",
                "config.toml, line 1: `wheel` is not known; known here: tenant, mouse, ca_file, nag_after_days, lock_after_minutes, identity_file, tenants",
            ),
            ("mouse = \"no\"", "config.toml, line 1: `mouse` must be true or false, and is the text `no`"),
            ("tenants = 3", "config.toml, line 1: `tenants` must be a table, such as [tenants.acme], and is a number"),
            (
                "[tenants.a]\ndomain = \"http://acme.auth0.com\"",
                "config.toml, line 2: `http://acme.auth0.com` is plain http, which is accepted only for a loopback address; write the bare host for https",
            ),
            (
                "[tenants.a]\ndomain = \"a.auth0.com\"\nenvironment = \"prodution\"",
                "config.toml, line 3: `environment` cannot be `prodution`; did you mean `production`?",
            ),
            (
                "\n[tenants.a]\n",
                "config.toml, line 2: the tenant `a` has no `domain`; expected a host such as acme.eu.auth0.com",
            ),
            ("[tenants.a]\ndomian = \"x\"", "config.toml, line 2: `domian` is not known; did you mean `domain`?"),
        ] {
            assert_eq!(parse(text), Err(message.to_owned()), "{text}");
        }
        let broken = parse("mouse = true\nmouse = \u{1b}[31m").expect_err("no TOML");
        assert!(broken.starts_with("config.toml, line 2: ") && !broken.contains('\u{1b}'), "{broken:?}");
    }
}
