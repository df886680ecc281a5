use std::time::Duration;

use tui_input::Input;

use crate::domain::client::Warning;
use crate::domain::{AuthMethod, Untrusted};
use crate::tui::app::event::Moment;

/// Keys that were meant for what was on screen before must not answer a question that has just appeared.
pub const DEAF_FOR: Duration = Duration::from_millis(300);

/// Shall this client's secret be rotated?
#[derive(Debug)]
pub struct Question {
    /// The client's id.
    pub client_id: String,
    /// The client's name.
    pub name: Untrusted,
    /// How the client authenticates.
    pub auth: AuthMethod,
    /// What to know before answering.
    pub warnings: Vec<Warning>,
    /// Whether the secret can be read back, should the answer get lost.
    pub can_read_back: bool,
    /// When it was asked.
    pub asked: Moment,
    /// On production: what is typed of the client's name.
    pub typed: Option<Input>,
}

impl Question {
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
                && (typed == self.name.raw().trim() || typed == self.name.shown().trim() || typed == self.client_id)
        })
    }
}
