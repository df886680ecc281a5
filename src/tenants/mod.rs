//! Which tenant, and with which credentials: flags, environment and configuration file, first match wins.

/// What auth0-cli holds.
pub mod auth0_cli;
/// `config.toml`: what it may hold, and what is wrong with it.
mod config;
/// The environment variables that select a tenant and sign in.
mod environment;
/// Where files of ours lie.
mod home;
/// The key that fingerprints are made with.
mod key;
/// The keyring of the operating system.
pub mod keyring;

pub use config::{Config, ConfigError, Profile};
pub use environment::{Chosen, SelectError, select};
pub use home::Home;
pub use key::fingerprint_key;

/// Looks up an environment variable; given to what needs one, so that tests need not change the real environment.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<std::ffi::OsString>;
