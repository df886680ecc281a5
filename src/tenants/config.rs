use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::domain::{Domain, Environment};

/// What stands in `config.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// `mouse`: whether the interface asks the terminal for mouse reports. On, where it is not set.
    pub mouse: bool,
    /// `[tenants.NAME]`.
    pub tenants: BTreeMap<String, Profile>,
}

impl Default for Config {
    fn default() -> Self {
        Self { mouse: true, tenants: BTreeMap::new() }
    }
}

/// What is known of one tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// `domain`.
    pub domain: Domain,
    /// `environment`: what it is for.
    pub environment: Option<Environment>,
}

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
        match std::fs::read_to_string(file) {
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
            match key.get_ref().as_ref() {
                "mouse" => config.mouse = place.boolean(value, "mouse")?,
                "tenants" => {
                    for (name, value) in place.table(value, "tenants")? {
                        let profile = place.profile(name.get_ref(), value)?;
                        config.tenants.insert(name.get_ref().to_string(), profile);
                    }
                }
                other => return Err(place.unknown(key.span().start, other, &["mouse", "tenants"])),
            }
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

struct Place<'a> {
    text: &'a str,
    file: &'a Path,
}

impl Place<'_> {
    fn error(&self, at: usize, message: impl Into<String>) -> ConfigError {
        let before = self.text.get(..at).unwrap_or(self.text);
        ConfigError {
            file: self.file.to_owned(),
            line: Some(before.matches('\n').count() + 1),
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

    fn table<'v, 'd>(&self, value: &'v Spanned<DeValue<'d>>, name: &str) -> Result<&'v DeTable<'d>, ConfigError> {
        match value.get_ref() {
            DeValue::Table(table) => Ok(table),
            _ => Err(self.expected(value, name, &format!("a table, such as [{name}.acme]"))),
        }
    }

    fn profile(&self, name: &str, value: &Spanned<DeValue<'_>>) -> Result<Profile, ConfigError> {
        let (mut domain, mut environment) = (None, None);
        for (key, value) in self.table(value, &format!("tenants.{name}"))? {
            match key.get_ref().as_ref() {
                "domain" => {
                    let text = self.string(value, "domain")?;
                    domain = Some(Domain::parse(text).map_err(|why| self.error(value.span().start, why))?);
                }
                "environment" => {
                    let text = self.string(value, "environment")?;
                    let known = [Environment::Development, Environment::Staging, Environment::Production];
                    environment = known.into_iter().find(|one| one.name() == text);
                    if environment.is_none() {
                        return Err(self.unknown(value.span().start, text, &known.map(Environment::name)));
                    }
                }
                other => return Err(self.unknown(key.span().start, other, &["domain", "environment"])),
            }
        }
        match domain {
            Some(domain) => Ok(Profile { domain, environment }),
            None => Err(self.error(
                value.span().start,
                format!("the tenant `{name}` has no `domain`; expected a host such as acme.eu.auth0.com"),
            )),
        }
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
            ("colour = 1", "config.toml, line 1: `colour` is not known; known here: mouse, tenants"),
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
