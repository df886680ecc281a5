use std::ffi::OsString;
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use super::Variables;
use super::config::{Config, nearest};
use crate::auth0::Credentials;
use crate::domain::untrusted::shown;
use crate::domain::{AssertionAlgorithm, Domain, Origin, Profile, Secret};

/// A tenant that was selected.
#[derive(Debug)]
pub struct Chosen {
    /// What is known of it. Of one that the configuration does not know: its address, and the host's first label as a name.
    pub profile: Profile,
    /// Whether it stands in the configuration.
    pub stored: bool,
    /// What selected it.
    pub origin: Origin,
    /// The tenant that the configuration selects, where the environment wins over it: another one, or this one with
    /// credentials of its own.
    pub beats: Option<String>,
    /// How to sign in, where the environment says so; `None`: as the profile says.
    pub credentials: Option<Credentials>,
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

/// Selects the tenant, first match wins: `--tenant`; the environment (`ROLLOVER_TENANT`, which names a profile, or
/// `AUTH0_DOMAIN`, an address); the profile that the configuration selects, or its only one. `None`: nothing of them. The names
/// are those of Auth0's Terraform provider and deploy CLI.
///
/// The credentials come from where the tenant comes from: those of the environment are for the tenant that it names, or, where
/// it names none, for a profile that has no way in of its own.
///
/// # Errors
/// Where what is set cannot be right, or credentials are missing.
pub fn select(flag: Option<&str>, variables: Variables<'_>, config: &Config) -> Result<Option<Chosen>, SelectError> {
    let mut chosen = first_match(flag, variables, config)?;
    if let Some(chosen) = &mut chosen
        && chosen.origin == Origin::Environment
        && let Some(otherwise) = by_configuration(config)
        && (otherwise.name != chosen.profile.name || chosen.credentials.is_some() && otherwise.way_in.is_some())
    {
        chosen.beats = Some(otherwise.name.clone());
    }
    Ok(chosen)
}

/// The tenant that the configuration selects, or its only one.
fn by_configuration(config: &Config) -> Option<&Profile> {
    let only = config.tenants.values().next().filter(|_| config.tenants.len() == 1);
    config.selected.as_ref().and_then(|name| config.tenants.get(name)).or(only)
}

fn first_match(flag: Option<&str>, variables: Variables<'_>, config: &Config) -> Result<Option<Chosen>, SelectError> {
    let text = |name: &str| text(variables, name);
    let named = |name: &str, from: &str| {
        config.tenants.get(name).ok_or_else(|| SelectError::Wrong(format!("{from}: {}", no_profile(name, config))))
    };
    let domain = text("AUTH0_DOMAIN")?
        .map(|domain| Domain::parse(&domain).map_err(|why| SelectError::Wrong(format!("AUTH0_DOMAIN: {why}"))));
    if let Some(name) = flag {
        let profile = named(name, "--tenant")?;
        // A flag wins: an AUTH0_DOMAIN that names another tenant does not count, nor do the credentials for it.
        let foreign = domain.transpose()?.is_some_and(|domain| domain != profile.domain);
        return from_profile(profile, Origin::Flag, !foreign, variables).map(Some);
    }
    let domain = domain.transpose()?;
    if let Some(name) = text("ROLLOVER_TENANT")? {
        let profile = named(&name, "ROLLOVER_TENANT")?;
        return match domain {
            Some(domain) if domain != profile.domain => Err(SelectError::Wrong(format!(
                "ROLLOVER_TENANT is `{}`, which is {}, but AUTH0_DOMAIN is {domain}: unset one of them",
                shown(&name),
                profile.domain
            ))),
            Some(_) => from_domain(profile.clone(), true, variables).map(Some),
            None => from_profile(profile, Origin::Environment, true, variables).map(Some),
        };
    }
    if let Some(domain) = domain {
        let known = config.profile_of(&domain);
        let stored = known.is_some();
        let profile = known.cloned().unwrap_or_else(|| Profile::new(domain.tenant_name(), domain));
        return from_domain(profile, stored, variables).map(Some);
    }
    by_configuration(config).map(|profile| from_profile(profile, Origin::Selected, true, variables)).transpose()
}

/// The tenant of `AUTH0_DOMAIN`: the credentials of the environment, where there are any, else those of its profile.
fn from_domain(mut profile: Profile, stored: bool, variables: Variables<'_>) -> Result<Chosen, SelectError> {
    let given = credentials(variables)?;
    if let Some(audience) = text(variables, "AUTH0_AUDIENCE")? {
        profile.audience = Some(audience);
    }
    if given.is_none() && profile.way_in.is_none() {
        return Err(not_signed_in(&profile.domain, variables)?);
    }
    Ok(Chosen { profile, stored, origin: Origin::Environment, beats: None, credentials: given })
}

/// A tenant of the configuration: as it says itself, else with the credentials of the environment, where they may be meant.
fn from_profile(
    profile: &Profile,
    origin: Origin,
    may_be_meant: bool,
    variables: Variables<'_>,
) -> Result<Chosen, SelectError> {
    let mut profile = profile.clone();
    let mut given = None;
    if profile.way_in.is_none() {
        given = if may_be_meant { credentials(variables)? } else { None };
        if given.is_none() {
            return Err(not_signed_in(&profile.domain, variables)?);
        }
        profile.audience = text(variables, "AUTH0_AUDIENCE")?.or(profile.audience);
    }
    Ok(Chosen { profile, stored: true, origin, beats: None, credentials: given })
}

/// That no profile is called so, and which one may be meant.
pub(super) fn no_profile(name: &str, config: &Config) -> String {
    let known: Vec<_> = config.tenants.keys().map(String::as_str).collect();
    let hint = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{}`?", shown(near)),
        None if known.is_empty() => {
            "there are none yet: `rollover login` connects one, AUTH0_DOMAIN selects one too".to_owned()
        }
        None => format!("config.toml has: {}", shown(&known.join(", "))),
    };
    format!("no tenant is called `{}`; {hint}", shown(name))
}

/// Which credentials the environment lacks.
fn not_signed_in(domain: &Domain, variables: Variables<'_>) -> Result<SelectError, SelectError> {
    let alone = text(variables, "AUTH0_CLIENT_ID")?.is_some();
    let what = if alone {
        "AUTH0_CLIENT_ID stands alone: set AUTH0_CLIENT_SECRET or AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"
    } else {
        "there are no credentials for it: `rollover login` stores some; or set AUTH0_API_TOKEN, or AUTH0_CLIENT_ID with \
         AUTH0_CLIENT_SECRET or AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"
    };
    Ok(SelectError::NotSignedIn(format!("the tenant is {domain}, but {what}")))
}

/// The credentials of the environment: a token before a secret, a secret before a key.
fn credentials(variables: Variables<'_>) -> Result<Option<Credentials>, SelectError> {
    let text = |name: &str| text(variables, name);
    let secret = |name: &str| Ok(text(name)?.map(|value| Arc::new(Secret::new(value))));
    if let Some(token) = secret("AUTH0_API_TOKEN")? {
        return Ok(Some(Credentials::Token(token)));
    }
    let Some(client_id) = text("AUTH0_CLIENT_ID")? else { return Ok(None) };
    if let Some(secret) = secret("AUTH0_CLIENT_SECRET")? {
        return Ok(Some(Credentials::ClientSecret { client_id, secret, previous: None }));
    }
    let Some(key) = text("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY")? else { return Ok(None) };
    let algorithm = match text("AUTH0_CLIENT_ASSERTION_SIGNING_ALG")? {
        Some(name) => name
            .parse::<AssertionAlgorithm>()
            .map_err(|why| SelectError::Wrong(format!("AUTH0_CLIENT_ASSERTION_SIGNING_ALG: {why}")))?,
        None => AssertionAlgorithm::default(),
    };
    Ok(Some(Credentials::PrivateKeyJwt { client_id, key_pem: Arc::new(pem(key)?), algorithm }))
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

    const TENANTS: &str = "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nenvironment = \"production\"\n\
        [tenants.own]\ndomain = \"own.eu.auth0.com\"\nsign_in = \"auth0-cli\"\naudience = \"https://own/api/v2/\"\n";

    fn selected_in(text: &str, flag: Option<&str>, set: &[(&str, &str)]) -> Result<Option<Chosen>, String> {
        let config = Config::parse(text, Path::new("config.toml")).expect("a configuration");
        let variables =
            |name: &str| set.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| OsString::from(value));
        select(flag, &variables, &config).map_err(|error| error.to_string())
    }

    fn selected(flag: Option<&str>, set: &[(&str, &str)]) -> Result<Option<Chosen>, String> {
        selected_in(TENANTS, flag, set)
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
        assert!(matches!(chosen(None, &all).credentials, Some(Credentials::Token(_))));
        let secret = chosen(None, &[domain, id, secret, key]).credentials;
        assert!(matches!(secret, Some(Credentials::ClientSecret { .. })));
        let Some(Credentials::PrivateKeyJwt { key_pem, algorithm, .. }) = chosen(None, &[domain, id, key]).credentials
        else {
            panic!("a key");
        };
        assert_eq!(key_pem.expose().lines().count(), 3, "line breaks that were written out are line breaks");
        assert_eq!(algorithm, AssertionAlgorithm::Rs256);
    }

    #[test]
    fn the_marks_of_a_tenant_follow_its_domain() {
        let set = [("AUTH0_DOMAIN", "acme.eu.auth0.com"), ("AUTH0_API_TOKEN", "t")];
        let by_domain = chosen(None, &set);
        assert_eq!((by_domain.origin, by_domain.stored), (Origin::Environment, true));
        assert_eq!(by_domain.profile.environment, Some(crate::domain::Environment::Production));
        for (flag, set) in [
            (Some("acme"), &[("AUTH0_API_TOKEN", "t")][..]),
            (None, &[("ROLLOVER_TENANT", "acme"), ("AUTH0_API_TOKEN", "t")]),
        ] {
            let by_name = chosen(flag, set);
            assert_eq!(by_name.profile, by_domain.profile);
            assert!(by_name.credentials.is_some());
        }
    }

    /// First match wins: flags, environment, the selected profile.
    #[test]
    fn the_order_is_flag_environment_selection() {
        let token = ("AUTH0_API_TOKEN", "t");
        let own = selected_in(&format!("tenant = \"own\"\n{TENANTS}"), None, &[token]).expect("no error").expect("one");
        assert_eq!((own.profile.name.as_str(), own.origin), ("own", Origin::Selected));
        assert!(
            own.credentials.is_none(),
            "a token for nobody knows which tenant goes to none that signs in by itself"
        );
        let by_environment =
            chosen(None, &[("AUTH0_DOMAIN", "own.eu.auth0.com"), token, ("AUTH0_AUDIENCE", "https://set/")]);
        assert!(by_environment.credentials.is_some(), "the environment wins over the stored profile");
        assert_eq!(by_environment.beats, None, "which nothing selects");
        let won = selected_in(&format!("tenant = \"own\"\n{TENANTS}"), None, &[("AUTH0_DOMAIN", "x.auth0.com"), token]);
        assert_eq!(
            won.expect("no error").expect("one").beats.as_deref(),
            Some("own"),
            "it is said which one would be opened else"
        );
        assert_eq!(by_environment.profile.audience.as_deref(), Some("https://set/"));
        let by_flag =
            chosen(Some("own"), &[("AUTH0_DOMAIN", "other.auth0.com"), token, ("AUTH0_AUDIENCE", "https://set/")]);
        assert_eq!((by_flag.profile.name.as_str(), by_flag.origin), ("own", Origin::Flag));
        assert!(by_flag.credentials.is_none());
        assert_eq!(
            by_flag.profile.audience.as_deref(),
            Some("https://own/api/v2/"),
            "nor does another tenant's audience count"
        );
        let without = chosen(None, &[("AUTH0_DOMAIN", "own.eu.auth0.com")]);
        assert!(without.credentials.is_none() && without.profile.way_in.is_some(), "stored credentials of that tenant");
        let only = "[tenants.one]\ndomain = \"one.eu.auth0.com\"\nsign_in = \"token\"\n";
        assert_eq!(selected_in(only, None, &[]).expect("no error").expect("the only one").profile.name, "one");
    }

    #[test]
    fn what_is_wrong_or_missing_is_named() {
        let domain = ("AUTH0_DOMAIN", "x.auth0.com");
        for (flag, set, part) in [
            (None, &[domain][..], "set AUTH0_API_TOKEN, or"),
            (None, &[domain, ("AUTH0_CLIENT_ID", "id")], "AUTH0_CLIENT_ID stands alone"),
            (None, &[("AUTH0_DOMAIN", "http://x.auth0.com")], "AUTH0_DOMAIN: `http://x.auth0.com` is plain http"),
            (Some("acm"), &[], "--tenant: no tenant is called `acm`; did you mean `acme`?"),
            (
                None,
                &[("ROLLOVER_TENANT", "zzz")],
                "ROLLOVER_TENANT: no tenant is called `zzz`; config.toml has: acme, own",
            ),
            (None, &[("ROLLOVER_TENANT", "acme"), domain], "unset one of them"),
            // Credentials for one tenant are never sent to another.
            (
                Some("acme"),
                &[domain, ("AUTH0_API_TOKEN", "t")],
                "the tenant is acme.eu.auth0.com, but there are no credentials",
            ),
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
