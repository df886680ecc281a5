use std::sync::Arc;

use super::event::CopyKind;
use super::filter::Search;
use super::job::JobId;
use super::screen::sign_in::{Attempt, Storing};
use super::sort::Order;
use super::state::{TenantId, Ticket, Which};
use crate::domain::{AuthMethod, Catalog, Profile, Secret};

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
    /// Rotate a client's secret now.
    Rotate(JobId, TenantId, String, AuthMethod),
    /// Look again whether a rotation in doubt was applied.
    Settle(JobId, TenantId, String, Option<Arc<Secret>>),
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
