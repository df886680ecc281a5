use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::files;
use crate::domain::profile::check_name;
use crate::domain::{AssertionAlgorithm, Colour, Domain, Environment, Keep, Profile, RatePlan, WayIn};

/// What stands in `config.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `tenant`: the one that is opened where neither a flag nor the environment says otherwise.
    pub selected: Option<String>,
    /// `mouse`: whether the interface asks the terminal for mouse reports. On, where it is not set.
    pub mouse: bool,
    /// `ca_file`: certificate authorities to trust beside the platform's, for every tenant without its own.
    pub ca_file: Option<PathBuf>,
    /// `[tenants.NAME]`.
    pub tenants: BTreeMap<String, Profile>,
    /// The line of every setting that stands in the file, by its name in full: `tenants.acme.domain`.
    pub lines: BTreeMap<String, usize>,
}

impl Default for Config {
    fn default() -> Self {
        Self { selected: None, mouse: true, ca_file: None, tenants: BTreeMap::new(), lines: BTreeMap::new() }
    }
}

/// The settings of the file itself.
pub(crate) const SETTINGS: [&str; 4] = ["tenant", "mouse", "ca_file", "tenants"];
/// The settings of a tenant.
pub(crate) const TENANT_SETTINGS: [&str; 12] = [
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
        write!(f, "{}", self.file.display())?;
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
        match files::read(file) {
            Ok(text) => Self::parse(&text, file),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(ConfigError { file: file.to_owned(), line: None, message: error.to_string() }),
        }
    }

    /// Reads the text of the file.
    ///
    /// # Errors
    /// The first mistake in it.
    pub fn parse(text: &str, file: &Path) -> Result<Self, ConfigError> {
        let place = Place { text, file };
        let document = DeTable::parse(text)
            .map_err(|error| place.error(error.span().map_or(0, |span| span.start), error.message()))?;
        let mut config = Self::default();
        for (key, value) in document.get_ref() {
            let name = key.get_ref().as_ref();
            match name {
                "tenant" => config.selected = Some(place.string(value, name)?.to_owned()),
                "mouse" => config.mouse = place.boolean(value, name)?,
                "ca_file" => config.ca_file = Some(place.path(value, name)?),
                "tenants" => {
                    for (name, value) in place.table(value, "tenants", "[tenants.acme]")? {
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
            let line = config.lines.get("tenant").copied();
            let hint = match nearest(name, config.tenants.keys().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "there is no such table".to_owned(),
            };
            let message = format!("`tenant` names `{name}`, and [tenants.{name}] is not there; {hint}");
            let message = crate::domain::untrusted::shown(&message).into_owned();
            return Err(ConfigError { file: file.to_owned(), line, message });
        }
        Ok(config)
    }

    /// What is known of the tenant at `domain`.
    #[must_use]
    pub fn profile_of(&self, domain: &Domain) -> Option<&Profile> {
        self.tenants.values().find(|profile| profile.domain == *domain)
    }

    /// The authorities to trust for a tenant: its own, else those for every one.
    #[must_use]
    pub fn ca_file_of(&self, profile: Option<&Profile>) -> Option<PathBuf> {
        profile.and_then(|profile| profile.ca_file.clone()).or_else(|| self.ca_file.clone())
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

struct Place<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Place<'_> {
    /// The line of a place in the text, counted from one.
    fn line(&self, at: usize) -> usize {
        self.text.get(..at).unwrap_or(self.text).matches('\n').count() + 1
    }

    fn error(&self, at: usize, message: impl Into<String>) -> ConfigError {
        ConfigError {
            file: self.file.to_owned(),
            line: Some(self.line(at)),
            message: crate::domain::untrusted::shown(&message.into()).into_owned(),
        }
    }

    fn unknown(&self, at: usize, name: &str, known: &[&str]) -> ConfigError {
        let hint = nearest(name, known.iter().copied())
            .map_or_else(|| format!("known here: {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
        self.error(at, format!("`{name}` is not known; {hint}"))
    }

    fn expected(&self, value: &Spanned<DeValue<'_>>, name: &str, expected: &str) -> ConfigError {
        let found = value.get_ref().type_str();
        self.error(value.span().start, format!("`{name}` must be {expected}, and is {found}"))
    }

    fn boolean(&self, value: &Spanned<DeValue<'_>>, name: &str) -> Result<bool, ConfigError> {
        match value.get_ref() {
            DeValue::Boolean(value) => Ok(*value),
            _ => Err(self.expected(value, name, "true or false")),
        }
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
        Err(self
            .error(value.span().start, format!("`{name}` must be a path from the root or from ~/, and is `{text}`")))
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
            self.unknown(value.span().start, text, &words)
        })
    }

    fn profile(
        &self,
        config: &mut Config,
        name: &Spanned<std::borrow::Cow<'_, str>>,
        value: &Spanned<DeValue<'_>>,
    ) -> Result<(), ConfigError> {
        let at = name.span().start;
        let name = name.get_ref().as_ref();
        check_name(name).map_err(|why| self.error(at, why))?;
        let mut domain = None;
        let (mut sign_in, mut client_id, mut private_key, mut algorithm) = (None, None, None, None);
        // Its address is set below, once all of it is read.
        let unknown = Domain::parse("localhost").map_err(|why| self.error(at, why))?;
        let mut profile = Profile::new(name.to_owned(), unknown);
        for (key, value) in self.table(value, &format!("tenants.{name}"), &format!("[tenants.{name}]"))? {
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
            ("wheel = 1", "config.toml, line 1: `wheel` is not known; known here: tenant, mouse, ca_file, tenants"),
            ("mouse = \"no\"", "config.toml, line 1: `mouse` must be true or false, and is string"),
            ("tenants = 3", "config.toml, line 1: `tenants` must be a table, such as [tenants.acme], and is integer"),
            (
                "[tenants.a]\ndomain = \"http://acme.auth0.com\"",
                "config.toml, line 2: `http://acme.auth0.com` is plain http, which is accepted only for a loopback address; write the bare host for https",
            ),
            (
                "[tenants.a]\ndomain = \"a.auth0.com\"\nenvironment = \"prodution\"",
                "config.toml, line 3: `prodution` is not known; did you mean `production`?",
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
