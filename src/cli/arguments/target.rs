//! `target` and `exec`.
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand, ValueHint};

use crate::domain::target::Format;

/// What stands below the help of `target`.
pub(super) const AFTER: &str = "\
Targets stand in config.toml, and adding one changes nothing but that file. A rollover writes the pending
secret to every target before the cutover, and the new one first after it.";

/// What stands below the help of `exec`.
pub(super) const EXEC: &str = "\
The program gets the current secret and its fallback, as the ledger has them, in AUTH0_CLIENT_SECRET and
AUTH0_CLIENT_SECRET_FALLBACK, or under the keys of the client's first target with two keys; and AUTH0_CLIENT_ID.
What rollover itself signs in with is taken out.

This is the one command that puts a secret into an environment. Whoever may look at the program's process,
and everything that it starts, can read it there: use it for development, and targets for everything else.";

/// `target`.
#[derive(Debug, Subcommand)]
pub enum Target {
    /// Add one to a client
    Add(Add),
    /// List them
    List(Listing),
    /// Drop one; what it holds stays as it is
    Remove(Remove),
    /// Compare what they hold with the live secret, by fingerprint; 1 if an app would not get in, or one holds something else
    Check(Check),
}

impl Target {
    /// Whether errors are to be JSON too.
    pub(super) fn json(&self) -> bool {
        match self {
            Self::Add(add) => add.json,
            Self::List(list) => list.json,
            Self::Check(check) => check.json,
            Self::Remove(_) => false,
        }
    }
}

fn format(text: &str) -> Result<Format, String> {
    super::login::word(text, &Format::ALL.map(|one| (one.name(), one)))
}

/// `target add`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("place").required(true).args(["file", "command"])))]
pub struct Add {
    /// A client's id, or its exact name
    #[arg(value_name = "CLIENT")]
    pub client: String,
    /// What the target is called; once per client
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// A file that apps read
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: Option<PathBuf>,
    /// How the file is written, where its name does not tell: dotenv, docker-env, json, yaml or toml
    #[arg(long, value_name = "FORMAT", requires = "file", value_parser = format)]
    pub format: Option<Format>,
    /// A command, after `--`, that stores the secrets; it gets them as JSON on stdin
    #[arg(long, requires = "program")]
    pub command: bool,
    /// A command that prints what is stored, as JSON
    #[arg(long, value_name = "COMMAND", requires = "command")]
    pub read_command: Option<String>,
    /// A variable of this environment that the command gets too; can be given several times
    #[arg(long, value_name = "NAME", requires = "command")]
    pub environment: Vec<String>,
    /// How long the command may take
    #[arg(long, value_name = "SECONDS", requires = "command", value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub timeout: Option<u64>,
    /// The variable, or key, of the current secret [default: `AUTH0_CLIENT_SECRET`]
    #[arg(long, value_name = "KEY")]
    pub key: Option<String>,
    /// The variable, or key, of the fallback [default: `AUTH0_CLIENT_SECRET_FALLBACK`]
    #[arg(long, value_name = "KEY")]
    pub fallback_key: Option<String>,
    /// Both secrets stand in one list under the key, with this between them; an empty text: a list of the format's own
    #[arg(long, value_name = "SEPARATOR", conflicts_with = "fallback_key")]
    pub list: Option<String>,
    /// What to run after a delivery, such as a restart: words as a shell splits them, but no shell
    #[arg(long, value_name = "COMMAND")]
    pub after: Option<String>,
    /// Follow the file where it is a symbolic link
    #[arg(long, requires = "file")]
    pub follow_links: bool,
    /// Write the file even if others can read it, or it belongs to somebody else
    #[arg(long, requires = "file")]
    pub allow_mode: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
    /// The program that stores the secrets, and its arguments
    #[arg(last = true, value_name = "PROGRAM", requires = "command", value_hint = ValueHint::CommandWithArguments)]
    pub program: Vec<String>,
}

/// `target list`.
#[derive(Debug, Args)]
pub struct Listing {
    /// A client's id, or its exact name; all clients where none is named
    #[arg(value_name = "CLIENT")]
    pub client: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `target remove`.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("which").required(true).args(["name", "target"])))]
pub struct Remove {
    /// A client's id, or its exact name
    #[arg(value_name = "CLIENT")]
    pub client: String,
    /// What the target is called
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The same, without the flag
    #[arg(value_name = "NAME")]
    pub target: Option<String>,
}

/// `target check`.
#[derive(Debug, Args)]
pub struct Check {
    /// A client's id, or its exact name; all clients that have targets where none is named
    #[arg(value_name = "CLIENT")]
    pub client: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `exec`.
#[derive(Debug, Args)]
pub struct Exec {
    /// A client's id, or its exact name
    #[arg(value_name = "CLIENT")]
    pub client: String,
    /// The variable of the current secret
    #[arg(long, value_name = "NAME")]
    pub key: Option<String>,
    /// The variable of the fallback
    #[arg(long, value_name = "NAME")]
    pub fallback_key: Option<String>,
    /// The program, and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND", value_hint = ValueHint::CommandWithArguments)]
    pub command: Vec<std::ffi::OsString>,
}
