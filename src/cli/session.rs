use std::path::Path;
use std::sync::Arc;

use super::arguments::Global;
use super::ask;
use super::exit::{Failure, code};
use super::output::say;
use crate::auth0::Api;
use crate::domain::untrusted::shown;
use crate::domain::{Environment, Fingerprint, FingerprintKey, Needs, OpenFailure, Profile, Secret, WayIn};
use crate::tenants::{Chosen, Config, Tenants, VaultError, fingerprint_key, private_key};

/// Looks a variable up in the environment of this process.
pub fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// The tenants of this user.
pub fn tenants() -> Result<Tenants, Failure> {
    Tenants::new(variable, true).map_err(|why| Failure::failed("home", why, ""))
}

/// The tenant that a command works on, and what the configuration says.
pub fn choose(global: &Global, tenants: &Tenants) -> Result<(Option<Chosen>, Config), Failure> {
    let config = tenants.config()?;
    let mut chosen = tenants.select(global.tenant.as_deref(), &config)?;
    if let Some(chosen) = &mut chosen {
        chosen.profile.read_only |= global.read_only;
    }
    Ok((chosen, config))
}

/// That no tenant is selected, and how to select one.
pub fn none_selected(config: &Config) -> Failure {
    let hint = if config.tenants.is_empty() {
        "`rollover login` connects one. In scripts: set AUTH0_DOMAIN with AUTH0_API_TOKEN, or with AUTH0_CLIENT_ID and \
         AUTH0_CLIENT_SECRET. `rollover demo` needs nothing."
            .to_owned()
    } else {
        let names: Vec<_> = config.tenants.keys().map(|name| shown(name)).collect();
        format!("`rollover use NAME` selects one for good, --tenant NAME for once: {}.", names.join(", "))
    };
    Failure {
        code: code::NOT_SIGNED_IN,
        kind: "not_signed_in",
        message: "no tenant is selected".to_owned(),
        hint,
        ..Failure::default()
    }
}

/// A tenant that a command works on.
pub struct Session {
    /// Talks to it.
    pub api: Api,
    /// What is known of it.
    pub profile: Profile,
    /// What this user has.
    pub tenants: Tenants,
}

impl Session {
    /// Selects the tenant and finds the credentials for it, which may be asked for; nothing is sent yet.
    pub async fn open(global: &Global) -> Result<Self, Failure> {
        let tenants = tenants()?;
        let (chosen, config) = choose(global, &tenants)?;
        let Some(Chosen { profile, credentials, .. }) = chosen else { return Err(none_selected(&config)) };
        let api = match credentials {
            Some(given) => tenants.open(&profile, Some(given)).await?,
            None => open_stored(&tenants, &profile).await?,
        };
        tenants.used(&profile.domain);
        Ok(Self { api, profile, tenants })
    }

    /// What the tenant is for, where that is known.
    pub fn environment(&self) -> Option<Environment> {
        self.profile.environment
    }

    /// Refuses a change of a tenant on which none may be made.
    pub fn may_change(&self) -> Result<(), Failure> {
        if !self.profile.read_only {
            return Ok(());
        }
        Err(Failure::failed(
            "read_only",
            format!("{} is read-only: nothing is changed there", self.profile.domain),
            "It is marked so in config.toml (read_only = true), or by --read-only.",
        ))
    }

    /// Makes fingerprints. Where the key cannot be had, that is said once and there are none.
    pub fn fingerprints(&self) -> Fingerprints {
        let key = fingerprint_key(self.tenants.home());
        if let Err(why) = &key {
            say(&format!("rollover: no fingerprints: {why}"));
        }
        Fingerprints(key.ok())
    }
}

/// Opens a tenant with what is stored; what is not stored, or is locked, is asked for on a terminal.
pub async fn open_stored(tenants: &Tenants, profile: &Profile) -> Result<Api, Failure> {
    const TRIES: u32 = 3;
    let mut tries = 0;
    loop {
        let failure = match tenants.open(profile, None).await {
            Ok(api) => return Ok(api),
            Err(failure) => failure,
        };
        match failure.needs {
            Some(_) if !ask::can_ask() => return Err(failure.into()),
            Some(Needs::Passphrase) => {
                let typed = ask::hidden("Passphrase of the stored credentials: ")?;
                tries += 1;
                match tenants.unlock(Arc::new(typed)).await {
                    Ok(()) => {}
                    Err(error @ VaultError::WrongPassphrase) if tries < TRIES => say(&format!("rollover: {error}")),
                    Err(error) => return Err(OpenFailure::new(error.to_string(), "").into()),
                }
            }
            Some(Needs::Credential(what)) => {
                say(&format!("rollover: {failure}"));
                let typed = if matches!(profile.way_in, Some(WayIn::PrivateKeyJwt { .. })) {
                    // It has many lines, of which a hidden prompt takes the first: the shell would get the others.
                    private_key(Path::new(&ask::line(
                        "The file of the private key (PEM), for this once: ",
                        "--private-key",
                    )?))?
                } else {
                    ask::hidden(&format!("The {what}, for this once: "))?
                };
                return Ok(tenants.open_with(profile, Arc::new(typed))?);
            }
            None => return Err(failure.into()),
        }
    }
}

/// Makes fingerprints, where there is a key.
pub struct Fingerprints(Option<FingerprintKey>);

impl Fingerprints {
    /// The fingerprint of a secret.
    pub fn of(&self, secret: &Secret) -> Option<Fingerprint> {
        self.0.as_ref().and_then(|key| key.of(secret))
    }
}
