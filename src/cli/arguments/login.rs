//! `login`.
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};

use crate::domain::{AssertionAlgorithm, Colour, Environment, Keep, RatePlan};

/// `login`.
#[derive(Debug, Args)]
pub struct Login {
    /// The tenant's domain, such as acme.eu.auth0.com
    #[arg(long, value_name = "HOST")]
    pub domain: Option<String>,
    /// Sign in as this machine-to-machine client; its secret is asked for, or read from stdin
    #[arg(long, value_name = "ID")]
    pub client_id: Option<String>,
    /// Sign in with this private key, PEM, instead of a secret; `-` reads it from stdin, and stores it
    #[arg(long, value_name = "FILE", requires = "client_id", value_hint = ValueHint::FilePath)]
    pub private_key: Option<PathBuf>,
    /// Store the private key itself, not the path of its file
    #[arg(long, requires = "private_key")]
    pub store_key: bool,
    /// What to sign with: RS256, RS384 or PS256
    #[arg(long, value_name = "NAME", requires = "private_key", value_parser = str::parse::<AssertionAlgorithm>)]
    pub algorithm: Option<AssertionAlgorithm>,
    /// Sign in with an access token, which is asked for, or read from stdin
    #[arg(long, conflicts_with_all = ["client_id", "private_key"])]
    pub token: bool,
    /// Use the token that auth0-cli holds
    #[arg(long, conflicts_with_all = ["client_id", "private_key", "token"])]
    pub auth0_cli: bool,
    /// The audience, where it is not `https://DOMAIN/api/v2/` (custom domains)
    #[arg(long, value_name = "URL")]
    pub audience: Option<String>,
    /// What the tenant is for: development, staging or production
    #[arg(long, value_name = "WORD", value_parser = environment)]
    pub environment: Option<Environment>,
    /// The colour of its name: red, green, yellow, blue, magenta or cyan
    #[arg(long, value_name = "WORD", value_parser = colour)]
    pub colour: Option<Colour>,
    /// Its Auth0 plan, for pacing: free, self-service or enterprise
    #[arg(long, value_name = "WORD", value_parser = rate_plan)]
    pub plan: Option<RatePlan>,
    /// More certificate authorities to trust, PEM: a corporate proxy's
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub ca_file: Option<PathBuf>,
    /// Where the credential is kept
    #[arg(long, value_name = "PLACE")]
    pub kept_in: Option<KeptIn>,
    /// Leave the selection as it is
    #[arg(long)]
    pub no_select: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// Where a credential is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum KeptIn {
    /// The keyring of this system
    Keyring,
    /// A file under a passphrase
    File,
    /// Nowhere: it is asked for each time
    Nowhere,
}

impl KeptIn {
    /// The same, as the rest of the program has it.
    #[must_use]
    pub fn keep(self) -> Option<Keep> {
        match self {
            Self::Keyring => Some(Keep::Keyring),
            Self::File => Some(Keep::File),
            Self::Nowhere => None,
        }
    }
}

/// One of several words.
pub(super) fn word<T: Copy>(text: &str, known: &[(&'static str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(word, _)| *word == text).map(|(_, meant)| *meant);
    found.ok_or_else(|| format!("expected {}", known.iter().map(|(word, _)| *word).collect::<Vec<_>>().join(", ")))
}

fn environment(text: &str) -> Result<Environment, String> {
    word(text, &Environment::ALL.map(|one| (one.name(), one)))
}

fn colour(text: &str) -> Result<Colour, String> {
    word(text, &Colour::ALL.map(|one| (one.name(), one)))
}

fn rate_plan(text: &str) -> Result<RatePlan, String> {
    word(text, &RatePlan::ALL.map(|one| (one.name(), one)))
}
