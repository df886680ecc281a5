use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};
use clap_complete::Shell;

use crate::domain::{AssertionAlgorithm, Colour, Environment, Keep, RatePlan};
use crate::sim::Plan;

/// Change the client secrets of Auth0 applications.
///
/// Without a command: the terminal interface on the selected tenant.
#[derive(Debug, Parser)]
#[command(name = "rollover", version, max_term_width = 100, disable_help_subcommand = true, after_long_help = ENVIRONMENT)]
pub struct Arguments {
    /// What every command has.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What every command has.
#[derive(Debug, Args)]
pub struct Global {
    /// A tenant of config.toml, by its name there
    #[arg(long, global = true, value_name = "NAME")]
    pub tenant: Option<String>,
    /// Make every change impossible
    #[arg(long, global = true)]
    pub read_only: bool,
}

const ENVIRONMENT: &str = "\
Environment:
  AUTH0_DOMAIN                        the tenant, such as acme.eu.auth0.com
  AUTH0_API_TOKEN                     a Management API token; or, instead of it:
  AUTH0_CLIENT_ID                     a machine-to-machine client that may manage the tenant, and
  AUTH0_CLIENT_SECRET                 its secret, or
  AUTH0_CLIENT_ASSERTION_PRIVATE_KEY  its private key: PEM text, or a file's path
  AUTH0_CLIENT_ASSERTION_SIGNING_ALG  RS256 (default), RS384 or PS256
  AUTH0_AUDIENCE                      where it is not https://DOMAIN/api/v2/ (custom domains)
  ROLLOVER_TENANT                     like --tenant
  ROLLOVER_HOME                       one folder for all files of rollover
  HTTPS_PROXY, ALL_PROXY, NO_PROXY    honoured, and shown
  NO_COLOR                            no colours

Exit codes:
  0 done   1 failed   2 usage   3 not signed in   4 a scope is missing   5 no such client
  6 in doubt   7 partly done   10 Auth0 not reached, or its rate limit   130 interrupted";

const DOCTOR: &str = "\
Into a pipe it writes lines of four values with tabs between them: topic, ok or warning or problem, what
was found, what to do; then the settings: the word setting, name, value, origin.

Exit codes:
  0 no problem, maybe warnings   1 problems   3 nobody is signed in, or the token is refused
  10 the tenant is not reached; 3 and 10 only where every problem is of that kind";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Open the terminal interface on a pretend tenant inside the process; nothing to set up
    Demo,
    /// List the clients; never a secret
    List(List),
    /// Show one client's settings; reads its secret for the fingerprint, and masks it
    Show(Show),
    /// Copy a client's current secret to the clipboard, never to the screen
    Copy(Copy),
    /// Rotate clients' secrets
    Rotate(Rotate),
    /// Connect a tenant: sign in, and store what is needed to do so again
    Login(Login),
    /// Forget a tenant's stored credential
    Logout(Logout),
    /// List the tenants
    Tenants(Tenants),
    /// Make a tenant the one that is opened
    Use(Use),
    /// Look at what works here and what does not, and where each setting came from; nothing secret is in it
    #[command(after_help = DOCTOR)]
    Doctor(Doctor),
    /// Serve the pretend tenant on loopback
    Sim(Sim),
    /// Print a script that completes commands in a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
}

/// `list`.
#[derive(Debug, Args)]
pub struct List {
    /// Only clients whose name, id or type matches, best first
    #[arg(long, value_name = "TEXT")]
    pub filter: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `show`.
#[derive(Debug, Args)]
pub struct Show {
    /// A client's id, or its exact name
    #[arg(value_name = "CLIENT")]
    pub client: String,
    /// Print the secret too
    #[arg(long)]
    pub reveal: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `copy`.
#[derive(Debug, Args)]
pub struct Copy {
    /// A client's id, or its exact name
    #[arg(value_name = "CLIENT")]
    pub client: String,
}

/// `rotate`.
#[derive(Debug, Args)]
pub struct Rotate {
    /// Clients' ids, or their exact names
    #[arg(required = true, value_name = "CLIENT")]
    pub clients: Vec<String>,
    /// The one-call way: Auth0 picks the new secret, and the current one stops working within 30 seconds
    #[arg(long)]
    pub now: bool,
    /// The last step of a rollover to do (not with --now)
    #[arg(long, value_name = "STEP", conflicts_with = "now")]
    pub until: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Say what would be done, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Print the new secrets too
    #[arg(long)]
    pub reveal: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

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

fn word<T: std::marker::Copy>(text: &str, known: &[(&'static str, T)]) -> Result<T, String> {
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

/// `logout`.
#[derive(Debug, Args)]
pub struct Logout {
    /// Which tenant; the selected one where none is named
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// Forget its settings too
    #[arg(long)]
    pub forget: bool,
}

/// `tenants`.
#[derive(Debug, Args)]
pub struct Tenants {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `use`.
#[derive(Debug, Args)]
pub struct Use {
    /// Which tenant
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `doctor`.
#[derive(Debug, Args)]
pub struct Doctor {
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `sim`.
#[derive(Debug, Args)]
pub struct Sim {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// So many generated clients instead of the demo's own
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(0..=100_000))]
    pub clients: Option<u32>,
    /// What the generated clients follow from
    #[arg(long, value_name = "S", default_value_t = 1, requires = "clients")]
    pub seed: u64,
    /// What goes wrong: a TOML file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub scenario: Option<PathBuf>,
    /// Serve https with a certificate made for the purpose; the first line names its authority's file
    #[arg(long)]
    pub tls: bool,
    /// Serve https with this certificate, PEM
    #[arg(long, value_name = "FILE", requires = "tls_key", value_hint = ValueHint::FilePath)]
    pub tls_cert: Option<PathBuf>,
    /// The certificate's private key, PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert", value_hint = ValueHint::FilePath)]
    pub tls_key: Option<PathBuf>,
    /// Whose rate limits: unlimited, free, self-service or enterprise
    #[arg(long, value_name = "PLAN", default_value = "unlimited")]
    pub plan: Plan,
    /// How many seconds the token endpoint goes on accepting an old secret
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(0..=30))]
    pub propagation: u64,
    /// How long every answer takes, milliseconds
    #[arg(long, value_name = "MS", default_value_t = 0)]
    pub latency: u64,
    /// How long tokens live, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 86_400)]
    pub token_lifetime: u64,
}

impl Sim {
    /// How long every answer takes.
    #[must_use]
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency)
    }
}

impl Command {
    /// Whether errors are to be JSON too.
    #[must_use]
    pub fn json(&self) -> bool {
        match self {
            Self::List(list) => list.json,
            Self::Show(show) => show.json,
            Self::Rotate(rotate) => rotate.json,
            Self::Login(login) => login.json,
            Self::Tenants(tenants) => tenants.json,
            Self::Doctor(doctor) => doctor.json,
            Self::Logout(_)
            | Self::Use(_)
            | Self::Demo
            | Self::Copy(_)
            | Self::Sim(_)
            | Self::Completions { .. }
            | Self::Man => false,
        }
    }
}
