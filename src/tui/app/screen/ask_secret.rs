use crate::domain::Needs;
use crate::tui::app::hidden::Hidden;
use crate::tui::app::state::TenantId;

/// Something secret must be typed before a tenant can be opened.
#[derive(Debug)]
pub struct AskSecret {
    /// The tenant that waits for it.
    pub tenant: TenantId,
    /// What is needed.
    pub needs: Needs,
    /// Why.
    pub why: String,
    /// What is typed.
    pub typed: Hidden,
    /// What was wrong with what was typed before.
    pub wrong: Option<String>,
    /// Whether it is being tried.
    pub trying: bool,
}
