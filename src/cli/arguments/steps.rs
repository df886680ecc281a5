use std::path::PathBuf;

use clap::{Args, Subcommand, ValueHint};

/// One step of a client's rollover.
#[derive(Debug, Args)]
pub struct StepOn {
    /// A client's id, or its exact name
    #[arg(value_name = "CLIENT")]
    pub client: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `cutover`.
#[derive(Debug, Args)]
pub struct Cutover {
    /// Which client.
    #[command(flatten)]
    pub on: StepOn,
    /// Although targets lack the pending secret
    #[arg(long)]
    pub anyway: bool,
}

/// `resume`.
#[derive(Debug, Args)]
pub struct Resume {
    /// Which client.
    #[command(flatten)]
    pub on: StepOn,
    /// In a conflict: go on with the secret that somebody else made live
    #[arg(long, conflicts_with = "set_ours")]
    pub keep_theirs: bool,
    /// In a conflict: make ours live in the place of theirs
    #[arg(long)]
    pub set_ours: bool,
}

/// `status`.
#[derive(Debug, Args)]
pub struct Status {
    /// Only this client: its id, or its exact name
    #[arg(value_name = "CLIENT")]
    pub client: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}

/// `ledger`.
#[derive(Debug, Subcommand)]
pub enum LedgerCommand {
    /// Print the path of the ledger's file
    Path,
    /// Print everything in the ledger as JSON; secrets stay sealed
    Export,
    /// Copy the ledger to a dated file beside it, and print its path
    Backup {
        /// Copy it to this file instead, which must not exist
        #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
        to: Option<PathBuf>,
    },
    /// List who can open what is sealed in the ledger; add or remove a key for emergencies
    Recipients(Recipients),
}

impl LedgerCommand {
    /// Whether its output is JSON where the user asked for it.
    #[must_use]
    pub fn json(&self) -> bool {
        matches!(self, Self::Recipients(Recipients { json: true, .. }))
    }
}

/// `ledger recipients`.
#[derive(Debug, Args)]
pub struct Recipients {
    /// Let the owner of this public key of age open it too, for emergencies
    #[arg(long, value_name = "AGE1…")]
    pub add: Option<String>,
    /// What the added key is called
    #[arg(long, value_name = "TEXT", requires = "add")]
    pub note: Option<String>,
    /// No longer
    #[arg(long, value_name = "AGE1…", conflicts_with = "add")]
    pub remove: Option<String>,
    /// Print one JSON document
    #[arg(long)]
    pub json: bool,
}
