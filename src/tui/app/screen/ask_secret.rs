use super::Overlay;
use super::pane::Purpose;
use crate::domain::Needs;
use crate::tui::app::hidden::Hidden;
use crate::tui::app::job::JobId;
use crate::tui::app::state::TenantId;

/// The fewest characters of a passphrase that is chosen here; the vault's own rule, as the runner makes sure.
pub const SHORTEST_PASSPHRASE: usize = 8;

/// Something secret must be typed before it goes on.
#[derive(Debug)]
pub struct AskSecret {
    /// What waits for it.
    pub waits: Waits,
    /// Why.
    pub why: String,
    /// What is typed.
    pub typed: Hidden,
    /// A new passphrase, as it was typed first.
    pub first: Option<Hidden>,
    /// What was wrong with what was typed before.
    pub wrong: Option<String>,
    /// Whether it is being tried.
    pub trying: bool,
    /// What lay over the screen before, and comes back.
    pub below: Option<Box<Overlay>>,
}

/// What waits for a secret to be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waits {
    /// Opening a tenant.
    Tenant(TenantId, Needs),
    /// A procedure.
    Job(JobId, KeyNeed),
    /// Showing or copying the pending secret.
    Pending(Purpose, KeyNeed),
}

/// What a key needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyNeed {
    /// The passphrase.
    Passphrase,
    /// A passphrase that is chosen now.
    NewPassphrase,
}

impl Waits {
    /// Whether a passphrase is chosen, which is typed twice.
    #[must_use]
    pub fn chooses(self) -> bool {
        matches!(self, Self::Job(_, KeyNeed::NewPassphrase) | Self::Pending(_, KeyNeed::NewPassphrase))
    }
}

impl AskSecret {
    /// With nothing typed yet.
    #[must_use]
    pub fn new(waits: Waits, why: String, below: Option<Overlay>) -> Self {
        Self {
            waits,
            why,
            typed: Hidden::default(),
            first: None,
            wrong: None,
            trying: false,
            below: below.map(Box::new),
        }
    }
}
