use std::borrow::Cow;
use std::ffi::OsString;

use super::{Inputs, Open, client, waited, within};
use crate::auth0::{Api, Credentials};
use crate::domain::preflight::{Finding, Topic};
use crate::domain::untrusted::shown;
use crate::domain::{Domain, Keep, Needs, Origin, Profile, WayIn};
use crate::tenants::keyring::{KeyringState, KeyringStatus};
use crate::tenants::{Config, SelectError, auth0_cli};

type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The variables that hold something secret, in the order in which they count.
pub(super) const SECRET: [&str; 3] = ["AUTH0_API_TOKEN", "AUTH0_CLIENT_SECRET", "AUTH0_CLIENT_ASSERTION_PRIVATE_KEY"];

/// The tenant that is looked at.
pub(super) struct Target<'a> {
    profile: Cow<'a, Profile>,
    /// Whether it stands in the configuration.
    stored: bool,
    origin: Origin,
    /// How it signs in, where that is known.
    way: Option<WayIn>,
    /// The variable that holds the secret, key or token.
    variable: Option<&'static str>,
    credentials: Option<Credentials>,
    open: Option<Api>,
}

impl<'a> Target<'a> {
    /// The tenant that is open, or else the one that would be selected; a finding, where there is none.
    pub(super) fn of(inputs: &Inputs<'a>, config: &Config, broken: bool) -> Result<Self, Finding> {
        if let Some(Open { profile, origin, api }) = inputs.open {
            return Ok(Self {
                profile: Cow::Borrowed(profile),
                stored: config.profile_of(&profile.domain).is_some(),
                origin: origin.clone(),
                way: profile.way_in.clone(),
                variable: None,
                credentials: None,
                open: Some(api.clone()),
            });
        }
        match inputs.tenants.select(inputs.flag, config) {
            Ok(Some(chosen)) => {
                let (way, variable) = match &chosen.credentials {
                    Some(given) => (Some(way_of(given)), Some(variable_of(given))),
                    None => (chosen.profile.way_in.clone(), None),
                };
                Ok(Self {
                    profile: Cow::Owned(chosen.profile),
                    stored: chosen.stored,
                    origin: chosen.origin,
                    way,
                    variable,
                    credentials: chosen.credentials,
                    open: None,
                })
            }
            Err(SelectError::NotSignedIn(why)) if !broken => Err(Finding::problem(Topic::SignIn, why, "")),
            Err(SelectError::Wrong(why)) if !broken => Err(Finding::problem(Topic::Selection, why, "")),
            // The mistake in the file is told already; what comes of it is not another problem.
            _ if broken => Err(Finding::warning(
                Topic::Selection,
                "not known while config.toml has a mistake",
                "Correct config.toml first.",
            )),
            _ => Err(none(config)),
        }
    }

    /// What is known of it.
    pub(super) fn profile(&self) -> &Profile {
        &self.profile
    }

    /// Whether it stands in the configuration.
    pub(super) fn is_stored(&self) -> bool {
        self.stored
    }

    /// What selected it.
    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    /// How it signs in, where that is known.
    pub(super) fn way(&self) -> Option<&WayIn> {
        self.way.as_ref()
    }

    /// The variable that holds its credential, where that is in the environment.
    pub(super) fn variable(&self) -> Option<&'static str> {
        self.variable
    }

    /// Whether it is open in this run.
    pub(super) fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Whether it signs in with what it signs by its own clock.
    pub(super) fn is_keyed(&self) -> bool {
        matches!(self.way, Some(WayIn::PrivateKeyJwt { .. }))
    }

    /// What selected it, and what would have selected another.
    pub(super) fn selection(&self, config: &Config, variables: Variables<'_>) -> Finding {
        let name = if self.stored {
            format!("`{}`, {}", self.profile.name, self.profile.domain)
        } else {
            format!("{}, which is not in config.toml", self.profile.domain)
        };
        let value = |name: &str| {
            let value = variables(name)?.to_string_lossy().into_owned();
            (!value.is_empty()).then_some(value)
        };
        match self.origin {
            Origin::Chosen => Finding::ok(Topic::Selection, format!("{name}; chosen here")),
            Origin::Selected => {
                let by = match config.lines.get("tenant") {
                    Some(line) => format!("by `tenant` in config.toml, line {line}"),
                    None => "the only one in config.toml".to_owned(),
                };
                Finding::ok(Topic::Selection, format!("{name}; {by}"))
            }
            Origin::Flag => {
                let other = value("ROLLOVER_TENANT").is_some_and(|other| other != self.profile.name);
                let elsewhere = value("AUTH0_DOMAIN")
                    .is_some_and(|other| Domain::parse(&other).is_ok_and(|other| other != self.profile.domain));
                let over = match (other, elsewhere) {
                    (false, false) => "",
                    (true, false) => ", which wins over ROLLOVER_TENANT",
                    (false, true) => ", which wins over AUTH0_DOMAIN",
                    (true, true) => ", which wins over ROLLOVER_TENANT and AUTH0_DOMAIN",
                };
                Finding::ok(Topic::Selection, format!("{name}; by --tenant{over}"))
            }
            Origin::Environment => {
                let by = if value("ROLLOVER_TENANT").is_some() { "ROLLOVER_TENANT" } else { "AUTH0_DOMAIN" };
                let only = config.tenants.keys().next().filter(|_| config.tenants.len() == 1);
                let selected = config.selected.as_ref().or(only);
                match selected.filter(|selected| !self.stored || **selected != self.profile.name) {
                    None => Finding::ok(Topic::Selection, format!("{name}; by {by}")),
                    Some(beaten) => Finding::warning(
                        Topic::Selection,
                        format!("{name}: {by} is set and wins over the selected profile `{beaten}`"),
                        format!("Unset {by} to open `{beaten}`, or name a tenant with --tenant."),
                    ),
                }
            }
        }
    }

    /// Gets what it takes to talk to the tenant; nothing is sent yet.
    pub(super) async fn open(&mut self, inputs: &Inputs<'_>) -> (Finding, Option<Api>) {
        let mut from = self.from();
        if let Some(api) = self.open.clone() {
            return (Finding::ok(Topic::SignIn, format!("{from}; open")), Some(api));
        }
        let given = self.credentials.take();
        let is_set = |name: &str| inputs.tenants.variable(name).is_some_and(|value| !value.is_empty());
        let unused: Vec<_> = SECRET.into_iter().filter(|name| self.variable != Some(*name) && is_set(name)).collect();
        if !unused.is_empty() {
            from = format!("{from}; {} set and not used", unused.join(", "));
        }
        if given.is_none() && self.needs_keyring(inputs) {
            // A locked one would ask its user, and one that says nothing may do so yet.
            let state = within(inputs.patience, inputs.tenants.keyring()).await;
            let shut = match state {
                Some(Some(KeyringState { status: KeyringStatus::Locked, .. })) => {
                    Some(("is locked, and was not opened for this look", "Unlock the keyring, then look again."))
                }
                None => Some(("gives no answer", "End the program that keeps it and start it anew.")),
                Some(_) => None,
            };
            if let Some((why, mend)) = shut {
                return (Finding::warning(Topic::SignIn, format!("{from}: the keyring {why}"), mend), None);
            }
        }
        let opening = Box::pin(inputs.tenants.open(&self.profile, given));
        let (api, failure) = match within(inputs.patience, opening).await {
            Some(Ok(api)) => (Some(api), None),
            Some(Err(failure)) => (None, Some(failure)),
            None => {
                let what = format!("{from}: where it is kept there was no answer within {}", waited(inputs.patience));
                return (Finding::warning(Topic::SignIn, what, "Look whether something asks for consent."), None);
            }
        };
        let Some(failure) = failure else { return (Finding::ok(Topic::SignIn, from), api) };
        let what = format!("{from}: {}", failure.message);
        // Whoever reads this has run the doctor already.
        let mend = if failure.hint.contains("rollover doctor") { "" } else { failure.hint.as_str() };
        let asked_for = match failure.needs {
            Some(Needs::Passphrase) => true,
            Some(Needs::Credential(_)) => self.profile.kept.is_none(),
            None => false,
        };
        let finding = if asked_for { Finding::warning } else { Finding::problem };
        (finding(Topic::SignIn, &what, mend), None)
    }

    /// Whether the credential stands in the keyring.
    fn needs_keyring(&self, inputs: &Inputs<'_>) -> bool {
        if self.way != Some(WayIn::Auth0Cli) {
            return self.profile.kept == Some(Keep::Keyring);
        }
        // auth0-cli writes a token into its file only where it could not write the keyring.
        let found = auth0_cli::tenants(&|name| inputs.tenants.variable(name));
        found.is_ok_and(|found| found.tenants.iter().any(|one| one.domain == self.profile.domain && !one.token_in_file))
    }

    /// How it signs in, and where the credential for it is.
    fn from(&self) -> String {
        let how = match &self.way {
            Some(WayIn::ClientSecret { client_id }) => format!("client secret of {}", client(client_id)),
            Some(WayIn::PrivateKeyJwt { client_id, algorithm, .. }) => {
                format!("private key JWT of {} ({})", client(client_id), algorithm.name())
            }
            Some(WayIn::Token) => "a token".to_owned(),
            Some(WayIn::Auth0Cli) => "the token of auth0-cli".to_owned(),
            None => return "credentials of the environment".to_owned(),
        };
        let place = match (self.variable, self.profile.kept, &self.way) {
            (Some(variable), ..) => format!(", in {variable}"),
            (None, _, Some(WayIn::PrivateKeyJwt { key_file: Some(path), .. })) => {
                format!(", in {}", shown(&path.display().to_string()))
            }
            (None, Some(keep), _) => format!(", in {}", keep.words()),
            (None, None, Some(WayIn::Auth0Cli)) => String::new(),
            (None, None, _) => ", kept nowhere: it is asked for each time".to_owned(),
        };
        let instead = match (self.variable, &self.profile.way_in) {
            (Some(_), Some(own)) if self.stored => format!(", instead of its own: {}", own.name()),
            _ => String::new(),
        };
        format!("{how}{place}{instead}")
    }
}

fn way_of(credentials: &Credentials) -> WayIn {
    match credentials {
        Credentials::Token(_) => WayIn::Token,
        Credentials::ClientSecret { client_id, .. } => WayIn::ClientSecret { client_id: client_id.clone() },
        Credentials::PrivateKeyJwt { client_id, algorithm, .. } => {
            WayIn::PrivateKeyJwt { client_id: client_id.clone(), algorithm: *algorithm, key_file: None }
        }
    }
}

fn variable_of(credentials: &Credentials) -> &'static str {
    let [token, secret, key] = SECRET;
    match credentials {
        Credentials::Token(_) => token,
        Credentials::ClientSecret { .. } => secret,
        Credentials::PrivateKeyJwt { .. } => key,
    }
}

fn none(config: &Config) -> Finding {
    let mend = if config.tenants.is_empty() {
        "`rollover login` connects one. In scripts: set AUTH0_DOMAIN with AUTH0_API_TOKEN, or with AUTH0_CLIENT_ID and \
         AUTH0_CLIENT_SECRET."
            .to_owned()
    } else {
        let names: Vec<_> = config.tenants.keys().map(String::as_str).collect();
        format!("`rollover use NAME` selects one for good, --tenant NAME for once: {}.", names.join(", "))
    };
    Finding::problem(Topic::Selection, "no tenant is selected", mend)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::preflight::Standing;
    use crate::tenants::Tenants;

    const TENANTS: &str = "tenant = \"acme\"\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\nsign_in = \"token\"\n\
        [tenants.other]\ndomain = \"other.eu.auth0.com\"\nsign_in = \"token\"\n";

    fn selection(flag: Option<&str>, set: &'static [(&'static str, &'static str)]) -> Finding {
        let find = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        let tenants =
            Tenants::new(move |name| if name == "ROLLOVER_HOME" { Some("/nowhere".into()) } else { find(name) }, false)
                .expect("a home");
        let config = Config::parse(TENANTS, Path::new("config.toml")).expect("a configuration");
        let inputs = Inputs { flag, ..Inputs::new(&tenants) };
        Target::of(&inputs, &config, false).map_or_else(|finding| finding, |target| target.selection(&config, &find))
    }

    #[test]
    fn what_wins_over_what_is_told() {
        static ELSEWHERE: &[(&str, &str)] = &[("AUTH0_DOMAIN", "third.eu.auth0.com"), ("AUTH0_API_TOKEN", "t")];
        let plain = selection(None, &[]);
        assert_eq!(
            (plain.standing, plain.what.as_str()),
            (Standing::Ok, "`acme`, acme.eu.auth0.com; by `tenant` in config.toml, line 1")
        );
        let elsewhere = selection(None, ELSEWHERE);
        assert_eq!(elsewhere.standing, Standing::Warning);
        assert_eq!(
            elsewhere.what,
            "third.eu.auth0.com, which is not in config.toml: AUTH0_DOMAIN is set and wins over the selected profile `acme`"
        );
        assert_eq!(
            elsewhere.mend.as_deref(),
            Some("Unset AUTH0_DOMAIN to open `acme`, or name a tenant with --tenant.")
        );
        assert_eq!(selection(None, &[("ROLLOVER_TENANT", "other")]).standing, Standing::Warning);
        assert_eq!(selection(None, &[("ROLLOVER_TENANT", "acme")]).standing, Standing::Ok);
        let flag = selection(Some("other"), ELSEWHERE);
        assert_eq!(
            (flag.standing, flag.what.as_str()),
            (Standing::Ok, "`other`, other.eu.auth0.com; by --tenant, which wins over AUTH0_DOMAIN")
        );
        let unknown = selection(Some("acm"), &[]);
        assert!(unknown.standing == Standing::Problem && unknown.what.contains("did you mean `acme`"), "{unknown:?}");
    }
}
