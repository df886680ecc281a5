use std::sync::Arc;

use super::event::CopyKind;
use super::filter::Search;
use super::job::{JobId, Task};
use super::screen::sign_in::{Attempt, Storing};
use super::screen::target_form::Arranging;
use super::sort::Order;
use super::state::{TenantId, Ticket, Which};
use crate::domain::{Catalog, Profile, Rollover, Secret};

/// What the runner is asked to do. Plain data: a test compares it and runs nothing.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Start the pretend tenant and connect to it.
    StartDemo,
    /// Find the credentials of a tenant, and connect to it.
    OpenTenant(TenantId, Box<Profile>),
    /// Connect to a tenant with a credential that was typed.
    OpenWith(TenantId, Box<Profile>, Arc<Secret>),
    /// Open the sealed credentials with a passphrase.
    Unlock(TenantId, Arc<Secret>),
    /// Find out which tenants are configured, and what this machine offers for signing in.
    Survey,
    /// Sign in for the first time.
    TrySignIn(Ticket, Box<Attempt>),
    /// Store a tenant.
    StoreTenant(Ticket, Box<Storing>),
    /// Look what works here and what does not: for the tenant on screen, where there is one.
    Examine(Ticket, Option<Box<Which>>),
    /// Open a tenant by default from now on.
    UseByDefault(String),
    /// Find out what the token may do.
    Connect(Ticket),
    /// Load the clients, page by page. Ends an earlier loading.
    LoadClients(Ticket),
    /// Load one client's settings.
    LoadClient(Ticket, String),
    /// Read one client's secret. Auth0 logs this.
    ReadSecret(Ticket, String),
    /// Search the catalog.
    Match(Ticket, Search),
    /// Sort the catalog.
    Sort(Ticket, Catalog, Order),
    /// Find out what the ledger knows, unless its number is still this one; and what the configuration says of rollovers.
    ReadRecords(TenantId, Option<i64>),
    /// Run a procedure on a client's rollover.
    Run(JobId, TenantId, Box<Task>),
    /// Open the pending secret of a rollover.
    OpenPending(Ticket, TenantId, Box<Rollover>),
    /// Look what a client's targets hold.
    CheckTargets(Ticket, TenantId, Box<Task>, Option<Box<Rollover>>),
    /// Write a target into the configuration, or take one out.
    Arrange(TenantId, Box<Arranging>),
    /// Open the keys under the passphrase; with `true`, this passphrase is a new one.
    GivePassphrase(Arc<Secret>, bool),
    /// Forget every key that was opened.
    Lock,
    /// Copy a text that is, or holds, a secret: kept out of clipboard histories, and cleared.
    CopySecret(CopyKind, Arc<Secret>),
    /// Copy a text that is no secret.
    CopyText(CopyKind, String),
    /// Take what we copied out of the terminal's clipboard (OSC 52).
    ClearTerminalClipboard,
    /// Turn mouse reports on or off.
    SetMouse(bool),
    /// Give the terminal back and stop, as Ctrl-Z does.
    Suspend,
    /// End.
    Quit,
}
