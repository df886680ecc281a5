use crate::domain::preflight::Report;
use crate::tui::app::state::Ticket;

/// What works here and what does not.
#[derive(Debug)]
pub struct Doctor {
    /// The latest request.
    pub ticket: Ticket,
    /// What was found, once it is known.
    pub report: Option<Box<Report>>,
    /// First line that is shown.
    pub scroll: usize,
}
