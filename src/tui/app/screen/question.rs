use std::time::Duration;

use tui_input::Input;

use crate::domain::client::Warning;
use crate::domain::{Rollover, Untrusted};
use crate::tui::app::event::Moment;
use crate::tui::app::job::{Procedure, Task};
use crate::tui::app::records::lacking;
use crate::tui::app::screen::Overlay;

/// Keys that were meant for what was on screen before must not answer a question that has just appeared.
pub const DEAF_FOR: Duration = Duration::from_millis(300);

/// Shall this be done to this client?
#[derive(Debug)]
pub struct Question {
    /// What would be done, and to whom.
    pub task: Task,
    /// The client's rollover, where it has one that has not ended.
    pub row: Option<Rollover>,
    /// What to know before answering.
    pub warnings: Vec<Warning>,
    /// Whether the secret can be read back, should the answer get lost.
    pub can_read_back: bool,
    /// When it was asked.
    pub asked: Moment,
    /// On production, and where apps are known to fail: what is typed of the client's name.
    pub typed: Option<Input>,
    /// Whether the tenant is one.
    pub production: bool,
    /// What lay over the screen before, and comes back.
    pub below: Option<Box<Overlay>>,
}

impl Question {
    /// The client's name.
    #[must_use]
    pub fn name(&self) -> &Untrusted {
        &self.task.name
    }

    /// Where a cutover is asked for: the targets whose apps would have no working secret.
    #[must_use]
    pub fn lacking(&self) -> Vec<&str> {
        match (self.task.procedure, &self.row) {
            (Procedure::SaveChanges { .. }, Some(row)) => lacking(row, &self.task.targets),
            _ => Vec::new(),
        }
    }

    /// Whether keys count yet.
    #[must_use]
    pub fn listens(&self, now: Moment) -> bool {
        now.since(self.asked) >= DEAF_FOR
    }

    /// Whether what is typed is the client's name as it is, as it is shown, or its id. The last two because a
    /// name can hold characters that no keyboard has.
    #[must_use]
    pub fn typed_right(&self) -> bool {
        self.typed.as_ref().is_some_and(|typed| {
            let typed = typed.value().trim();
            !typed.is_empty()
                && (typed == self.task.name.raw().trim()
                    || typed == self.task.name.shown().trim()
                    || typed == self.task.client_id)
        })
    }
}
