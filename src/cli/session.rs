use crate::auth0::Api;
use crate::domain::{Environment, Fingerprint, FingerprintKey, Secret};
use crate::tenants::{Chosen, Config, Home, fingerprint_key, select};

use super::exit::{Failure, code};
use super::output::say;

/// Looks a variable up in the environment of this process.
pub fn variable(name: &str) -> Option<std::ffi::OsString> {
    std::env::var_os(name)
}

/// Where our files lie, and what the configuration says.
pub fn configuration() -> Result<(Home, Config), Failure> {
    let home = Home::find(&variable).map_err(|why| Failure::failed("home", why, ""))?;
    let config = Config::load(&home.config_file())?;
    Ok((home, config))
}

/// A tenant that a command works on.
pub struct Session {
    /// Talks to it.
    pub api: Api,
    /// What it is for, where the configuration says so.
    pub environment: Option<Environment>,
    home: Home,
}

impl Session {
    /// Selects the tenant; nothing is sent yet.
    pub fn open(tenant: Option<&str>) -> Result<Self, Failure> {
        let (home, config) = configuration()?;
        let Some(Chosen { connection, environment }) = select(tenant, &variable, &config)? else {
            return Err(Failure {
                code: code::NOT_SIGNED_IN,
                kind: "not_signed_in",
                message: "no tenant is selected".to_owned(),
                hint: "Set AUTH0_DOMAIN with AUTH0_API_TOKEN, or with AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET; \
                       `rollover demo` needs nothing."
                    .to_owned(),
                ..Failure::default()
            });
        };
        Ok(Self { api: Api::new(connection)?, environment, home })
    }

    /// Makes fingerprints. Where the key cannot be had, that is said once and there are none.
    pub fn fingerprints(&self) -> Fingerprints {
        let key = fingerprint_key(&self.home);
        if let Err(why) = &key {
            say(&format!("rollover: no fingerprints: {why}"));
        }
        Fingerprints(key.ok())
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
