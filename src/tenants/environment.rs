use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::Variables;
use super::config::{Config, nearest};
use crate::auth0::{Connection, Credentials};
use crate::domain::untrusted::shown;
use crate::domain::{AssertionAlgorithm, Domain, Environment, Secret};

/// A tenant, and how to sign in there.
#[derive(Debug)]
pub struct Chosen {
    /// Where it is, and how to sign in.
    pub connection: Connection,
    /// What it is for, where the configuration says so.
    pub environment: Option<Environment>,
}

/// Why no tenant could be selected. Safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectError {
    /// Something that was set cannot be right: which, why, and what was expected.
    Wrong(String),
    /// Credentials are missing: which.
    NotSignedIn(String),
}

impl fmt::Display for SelectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wrong(why) | Self::NotSignedIn(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for SelectError {}

/// Selects the tenant: `--tenant` or `ROLLOVER_TENANT` names a profile of the configuration file, `AUTH0_DOMAIN` an address.
/// `None`: none of them is set. The names are those of Auth0's Terraform provider and deploy CLI.
///
/// # Errors
/// Where what is set cannot be right, or credentials are missing.
pub fn select(flag: Option<&str>, variables: Variables<'_>, config: &Config) -> Result<Option<Chosen>, SelectError> {
    let text = |name: &str| text(variables, name);
    let name = match flag {
        Some(name) => Some((name.to_owned(), "--tenant")),
        None => text("ROLLOVER_TENANT")?.map(|name| (name, "ROLLOVER_TENANT")),
    };
    let domain = text("AUTH0_DOMAIN")?
        .map(|domain| Domain::parse(&domain).map_err(|why| SelectError::Wrong(format!("AUTH0_DOMAIN: {why}"))))
        .transpose()?;
    let (domain, environment) = match (name, domain) {
        (None, None) => return Ok(None),
        (None, Some(domain)) => {
            let environment = config.profile_of(&domain).and_then(|profile| profile.environment);
            (domain, environment)
        }
        (Some((name, from)), domain) => {
            let Some(profile) = config.tenants.get(&name) else { return Err(no_profile(&name, from, config)) };
            if let Some(domain) = domain
                && domain != profile.domain
            {
                return Err(SelectError::Wrong(format!(
                    "{from} is `{}`, which is {}, but AUTH0_DOMAIN is {domain}: unset one of them",
                    shown(&name),
                    profile.domain
                )));
            }
            (profile.domain.clone(), profile.environment)
        }
    };
    let credentials = credentials(variables, &domain)?;
    let connection = Connection { audience: text("AUTH0_AUDIENCE")?, ..Connection::new(domain, credentials) };
    Ok(Some(Chosen { connection, environment }))
}

fn no_profile(name: &str, from: &str, config: &Config) -> SelectError {
    let known: Vec<_> = config.tenants.keys().map(String::as_str).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{}`?", shown(near)),
        None if known.is_empty() => "config.toml has no [tenants.NAME]; AUTH0_DOMAIN selects a tenant too".to_owned(),
        None => format!("config.toml has: {}", shown(&known.join(", "))),
    };
    SelectError::Wrong(format!("{from}: no tenant is called `{}`; {hint}", shown(name)))
}

fn credentials(variables: Variables<'_>, domain: &Domain) -> Result<Credentials, SelectError> {
    let text = |name: &str| text(variables, name);
    let secret = |name: &str| Ok(text(name)?.map(|value| Arc::new(Secret::new(value))));
    if let Some(token) = secret("AUTH0_API_TOKEN")? {
        return Ok(Credentials::Token(token));
    }
    let missing = |what: &str| Err(SelectError::NotSignedIn(format!("the tenant is {domain}, but {what}")));
    let key = text("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY")?;
    let Some(client_id) = text("AUTH0_CLIENT_ID")? else {
        return missing(
            "no credentials are set: set AUTH0_API_TOKEN, or AUTH0_CLIENT_ID with AUTH0_CLIENT_SECRET or AUTH0_CLIENT_ASSERTION_PRIVATE_KEY",
        );
    };
    if let Some(secret) = secret("AUTH0_CLIENT_SECRET")? {
        return Ok(Credentials::ClientSecret { client_id, secret, previous: None });
    }
    let Some(key) = key else {
        return missing("AUTH0_CLIENT_ID stands alone: set AUTH0_CLIENT_SECRET or AUTH0_CLIENT_ASSERTION_PRIVATE_KEY");
    };
    let algorithm = match text("AUTH0_CLIENT_ASSERTION_SIGNING_ALG")? {
        Some(name) => name
            .parse::<AssertionAlgorithm>()
            .map_err(|why| SelectError::Wrong(format!("AUTH0_CLIENT_ASSERTION_SIGNING_ALG: {why}")))?,
        None => AssertionAlgorithm::default(),
    };
    Ok(Credentials::PrivateKeyJwt { client_id, key_pem: Arc::new(pem(key)?), algorithm })
}

/// PEM text as it is, or from the file that is named.
fn pem(value: String) -> Result<Secret, SelectError> {
    const NAME: &str = "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY";
    if value.contains("-----BEGIN") {
        // A key that went through a one-line setting has its line breaks written out.
        return Ok(Secret::new(if value.contains('\n') { value } else { value.replace("\\n", "\n") }));
    }
    if value.len() > 4096 || value.contains('\n') {
        return Err(SelectError::Wrong(format!("{NAME}: neither PEM text, which has a line -----BEGIN …, nor a path")));
    }
    // The value may be a mangled key: it is not repeated, and neither is what the file system makes of it.
    std::fs::read_to_string(Path::new(&value))
        .map(Secret::new)
        .map_err(|error| SelectError::Wrong(format!("{NAME}: the file it names cannot be read: {}", error.kind())))
}

/// A variable's value; an empty one counts as none.
fn text(variables: Variables<'_>, name: &str) -> Result<Option<String>, SelectError> {
    variables(name)
        .filter(|value| !value.is_empty())
        .map(|value: OsString| value.into_string().map_err(|_| SelectError::Wrong(format!("{name} is no UTF-8 text"))))
        .transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(flag: Option<&str>, set: &[(&str, &str)]) -> Result<Option<Chosen>, String> {
        let config = Config::parse(
            "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nenvironment = \"production\"\n",
            Path::new("config.toml"),
        )
        .expect("a configuration");
        let variables =
            |name: &str| set.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| OsString::from(value));
        select(flag, &variables, &config).map_err(|error| error.to_string())
    }

    fn chosen(flag: Option<&str>, set: &[(&str, &str)]) -> Chosen {
        selected(flag, set).expect("no error").expect("a tenant")
    }

    #[test]
    fn nothing_set_is_no_tenant() {
        assert!(selected(None, &[]).expect("no error").is_none());
        assert!(selected(None, &[("AUTH0_DOMAIN", ""), ("AUTH0_API_TOKEN", "x")]).expect("no error").is_none());
    }

    #[test]
    fn a_token_wins_over_a_secret_and_that_over_a_key() {
        let domain = ("AUTH0_DOMAIN", "x.auth0.com");
        let (id, secret) = (("AUTH0_CLIENT_ID", "id"), ("AUTH0_CLIENT_SECRET", "secret"));
        let key = ("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "-----BEGIN KEY-----\\nabc\\n-----END KEY-----");
        let all = [domain, ("AUTH0_API_TOKEN", "token"), id, secret, key];
        assert!(matches!(chosen(None, &all).connection.credentials, Credentials::Token(_)));
        assert!(matches!(
            chosen(None, &[domain, id, secret, key]).connection.credentials,
            Credentials::ClientSecret { .. }
        ));
        let Credentials::PrivateKeyJwt { key_pem, algorithm, .. } =
            chosen(None, &[domain, id, key]).connection.credentials
        else {
            panic!("a key");
        };
        assert_eq!(key_pem.expose().lines().count(), 3, "line breaks that were written out are line breaks");
        assert_eq!(algorithm, AssertionAlgorithm::Rs256);
    }

    #[test]
    fn the_environment_of_a_tenant_follows_its_domain() {
        let set = [("AUTH0_DOMAIN", "acme.eu.auth0.com"), ("AUTH0_API_TOKEN", "t")];
        assert_eq!(chosen(None, &set).environment, Some(Environment::Production));
        let by_name = chosen(Some("acme"), &[("AUTH0_API_TOKEN", "t")]);
        assert_eq!(by_name.connection.domain.host(), "acme.eu.auth0.com");
        assert_eq!(
            chosen(None, &[("ROLLOVER_TENANT", "acme"), ("AUTH0_API_TOKEN", "t")]).environment,
            by_name.environment
        );
    }

    #[test]
    fn what_is_wrong_or_missing_is_named() {
        let domain = ("AUTH0_DOMAIN", "x.auth0.com");
        for (flag, set, part) in [
            (None, &[domain][..], "set AUTH0_API_TOKEN, or"),
            (None, &[domain, ("AUTH0_CLIENT_ID", "id")], "AUTH0_CLIENT_ID stands alone"),
            (None, &[("AUTH0_DOMAIN", "http://x.auth0.com")], "AUTH0_DOMAIN: `http://x.auth0.com` is plain http"),
            (Some("acm"), &[], "--tenant: no tenant is called `acm`; did you mean `acme`?"),
            (None, &[("ROLLOVER_TENANT", "zzz")], "ROLLOVER_TENANT: no tenant is called `zzz`; config.toml has: acme"),
            (Some("acme"), &[domain], "unset one of them"),
        ] {
            let error = selected(flag, set).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
        let key = ("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "MIIEvQ-canary");
        let error = selected(None, &[domain, ("AUTH0_CLIENT_ID", "id"), key]).expect_err("no such file");
        assert!(error.contains("cannot be read") && !error.contains("canary"), "{error}");
        let odd = ("AUTH0_CLIENT_ASSERTION_SIGNING_ALG", "none");
        let pem = ("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "-----BEGIN KEY-----");
        let error = selected(None, &[domain, ("AUTH0_CLIENT_ID", "id"), pem, odd]).expect_err("no such algorithm");
        assert!(error.contains("`none` is not RS256, RS384 or PS256"), "{error}");
    }
}
