/// `login`.
mod login;
/// The steps of a rollover, `status` and `ledger`.
mod steps;
/// `target` and `exec`.
mod target;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

pub use login::Login;
pub use steps::{Cutover, LedgerCommand, Recipients, Resume, Status, StepOn};
pub use target::{Add, Check, Exec, Listing, Remove, Target};

use crate::rollover::Until;
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
  ROLLOVER_IDENTITY_FILE              a private key of age that opens the ledger, as age-keygen makes it
  HTTPS_PROXY, ALL_PROXY, NO_PROXY    honoured, and shown
  NO_COLOR                            no colours

Exit codes:
  0 done   1 failed   2 usage   3 not signed in   4 a scope is missing   5 no such client
  6 in doubt   7 partly done   8 somebody else changed it   9 the ledger   10 Auth0 not reached, or its rate limit   130 interrupted";

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
    /// Choose a client's next secret and seal it; nothing changes at Auth0
    Stage(StepOn),
    /// Write the pending secret to the client's targets, as the fallback
    Deliver(StepOn),
    /// Make the pending secret live
    Cutover(Cutover),
    /// See whether the new secret is in and the old one out
    Verify(StepOn),
    /// Rewrite the targets with the new secret first, the old one as the fallback
    Promote(StepOn),
    /// Drop the old secret from the targets and the ledger; there is no going back after this
    Retire(StepOn),
    /// Make the old secret live again, and put the targets back
    Rollback(StepOn),
    /// Settle what is in doubt, and finish what was begun
    Resume(Resume),
    /// Give a rollover up before it has changed anything at Auth0
    Abandon(StepOn),
    /// List the rollovers: what is unfinished, what should be retired
    Status(Status),
    /// The ledger: the record of every rollover, its secrets sealed
    #[command(subcommand)]
    Ledger(LedgerCommand),
    /// The places where a client's apps read their secret
    #[command(subcommand, after_help = target::AFTER)]
    Target(Target),
    /// Run a program with a client's secrets in its environment: for development on this machine
    #[command(after_help = target::EXEC)]
    Exec(Exec),
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
    /// The last step of a rollover to do: stage, deliver, cutover, verify, promote (what it does by itself), retire
    #[arg(long, value_name = "STEP", conflicts_with = "now", value_parser = until)]
    pub until: Option<Until>,
    /// Go on although there is no target: the apps got the new secret, or will get it, some other way
    #[arg(long, conflicts_with = "now")]
    pub no_targets: bool,
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
            Self::Stage(step)
            | Self::Deliver(step)
            | Self::Verify(step)
            | Self::Promote(step)
            | Self::Retire(step)
            | Self::Rollback(step)
            | Self::Abandon(step) => step.json,
            Self::Cutover(cutover) => cutover.on.json,
            Self::Resume(resume) => resume.on.json,
            Self::Status(status) => status.json,
            Self::Ledger(ledger) => ledger.json(),
            Self::Login(login) => login.json,
            Self::Tenants(tenants) => tenants.json,
            Self::Doctor(doctor) => doctor.json,
            Self::Target(target) => target.json(),
            Self::Logout(_)
            | Self::Use(_)
            | Self::Demo
            | Self::Copy(_)
            | Self::Exec(_)
            | Self::Sim(_)
            | Self::Completions { .. }
            | Self::Man => false,
        }
    }
}

fn until(text: &str) -> Result<Until, String> {
    let found = Until::ALL.into_iter().find(|until| until.name() == text);
    found.ok_or_else(|| format!("expected {}", Until::ALL.map(Until::name).join(", ")))
}
