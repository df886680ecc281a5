//! Which tenant, and with which credentials: flags, environment and configuration file, first match wins.

/// What a user has: what is configured, what is stored, how to get in.
mod access;
/// What auth0-cli is signed in at.
pub mod auth0_cli;
/// `config.toml`: what it may hold, and what is wrong with it.
mod config;
/// A TOML text in which only what is meant changes.
mod draft;
/// Changing `config.toml`, and leaving in it what a person wrote.
mod edit;
/// Texts that nobody would write.
#[cfg(test)]
mod fuzz;
/// Where files of ours lie.
mod home;
/// The key that fingerprints are made with.
mod key;
/// The keyring of the operating system.
pub mod keyring;
/// The key of the ledger: where it is kept, and how it is had.
mod ledger_key;
/// What of ours lies on the disk, and who can get at it.
mod places;
/// Which tenant: flags, environment, configuration.
mod select;
/// When each tenant was last used.
mod usage;
/// Where credentials are kept.
mod vault;

pub use crate::files::Exposure;
pub use access::{StoreError, Tenants, full_path, private_key};
pub(crate) use config::check_variable;
pub use config::{Config, ConfigError, nearest};
#[cfg(test)]
pub(crate) use config::{SETTINGS, TENANT_SETTINGS};
pub use edit::EditError;
pub use home::Home;
pub use key::fingerprint_key;
pub use ledger_key::KeyTrouble;
pub use places::{Place, Seen, What};
pub use select::{Chosen, SelectError, select};
pub use usage::Usage;
pub use vault::{SHORTEST_PASSPHRASE, VaultError};

/// Looks up an environment variable; given to what needs one, so that tests need not change the real environment.
pub type Variables<'a> = &'a (dyn Fn(&str) -> Option<std::ffi::OsString> + Sync);
