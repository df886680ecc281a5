use std::fmt;

use super::{Domain, Environment, Keep, Untrusted};

/// What must be typed before a tenant can be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needs {
    /// The passphrase of the sealed credentials.
    Passphrase,
    /// The credential itself, which is not kept anywhere: client secret, private key or token.
    Credential(&'static str),
}

/// Why a tenant could not be opened. Safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenFailure {
    /// What is wrong.
    pub message: String,
    /// What to do about it; may be empty.
    pub hint: String,
    /// What would help if it were typed.
    pub needs: Option<Needs>,
}

impl OpenFailure {
    /// Something that typing does not mend.
    #[must_use]
    pub fn new(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { message: message.into(), hint: hint.into(), needs: None }
    }
}

impl fmt::Display for OpenFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for OpenFailure {}

/// A tenant that auth0-cli is signed in at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CliTenant {
    /// Its address.
    pub domain: Domain,
    /// When its token expires: seconds since 1970.
    pub expires_at: Option<i64>,
}

/// What this machine offers for signing in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// What auth0-cli is signed in at.
    pub auth0_cli: Vec<CliTenant>,
    /// What is wrong with auth0-cli's own files, where something is. Safe to print.
    pub auth0_cli_trouble: Option<String>,
    /// Why the keyring cannot be used; `None`: it can. Safe to print.
    pub no_keyring: Option<String>,
    /// Whether a passphrase was chosen already for sealed files.
    pub has_passphrase: bool,
}

impl Surroundings {
    /// Where a credential is best kept here.
    #[must_use]
    pub fn best_keep(&self) -> Keep {
        if self.no_keyring.is_none() { Keep::Keyring } else { Keep::File }
    }
}

/// What was found out by signing in for the first time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Greeting {
    /// What the tenant calls itself.
    pub friendly_name: Option<Untrusted>,
    /// What it is for, by its own settings.
    pub environment: Option<Environment>,
    /// Why the Management API lists no clients with this token, where it does not. Safe to print.
    pub cannot_list: Option<String>,
}
