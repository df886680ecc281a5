use std::sync::Arc;

use crate::auth0::Error;
use crate::domain::{Client, Secret, Untrusted};
use crate::tui::app::event::{Checked, CopyKind, Moment};
use crate::tui::app::state::Ticket;

/// A client's settings.
#[derive(Debug)]
pub struct Pane {
    /// The client's id.
    pub client_id: String,
    /// The client's name, as the table had it.
    pub name: Untrusted,
    /// The settings, once they are here.
    pub settings: Settings,
    /// What is shown of the secret.
    pub secret: SecretView,
    /// What is shown of the pending secret.
    pub pending: PendingView,
    /// What the targets hold, where that was asked for.
    pub check: Check,
    /// First line that is shown.
    pub scroll: usize,
}

/// How far loading the settings has come.
#[derive(Debug)]
pub enum Settings {
    /// They were asked for.
    Loading(Ticket),
    /// Here they are.
    Ready(Box<Client>),
    /// They could not be read.
    Failed(Error),
}

/// What is shown of the secret.
#[derive(Debug, PartialEq)]
pub enum SecretView {
    /// Dots.
    Masked,
    /// It was asked for.
    Reading {
        /// The request.
        ticket: Ticket,
        /// What for.
        purpose: Purpose,
    },
    /// In full.
    Shown {
        /// The secret.
        secret: Arc<Secret>,
        /// When it hides itself.
        until: Moment,
    },
    /// The answer held no secret: the token may not see it, or there is none.
    NotVisible,
    /// Reading it failed.
    Failed(Error),
}

/// What is shown of a pending secret.
#[derive(Debug, PartialEq)]
pub enum PendingView {
    /// Nothing but its fingerprint.
    Masked,
    /// It is being opened.
    Opening {
        /// The request.
        ticket: Ticket,
        /// What for.
        purpose: Purpose,
    },
    /// In full.
    Shown {
        /// The secret.
        secret: Arc<Secret>,
        /// When it hides itself.
        until: Moment,
    },
    /// It could not be opened. Safe to print.
    Failed(String),
}

/// What the targets hold.
#[derive(Debug, PartialEq, Eq)]
pub enum Check {
    /// Nobody asked yet.
    Unasked,
    /// They are being looked at.
    Looking(Ticket),
    /// This was found.
    Found(Vec<Checked>),
}

/// What a secret is read for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To show it.
    Reveal,
    /// To copy it, or something that holds it.
    Copy(CopyKind),
}

impl Pane {
    /// The settings of a client, asked for with `ticket`.
    #[must_use]
    pub fn open(client_id: String, name: Untrusted, ticket: Ticket) -> Self {
        Self {
            client_id,
            name,
            settings: Settings::Loading(ticket),
            secret: SecretView::Masked,
            pending: PendingView::Masked,
            check: Check::Unasked,
            scroll: 0,
        }
    }

    /// The settings, once they are here.
    #[must_use]
    pub fn client(&self) -> Option<&Client> {
        match &self.settings {
            Settings::Ready(client) => Some(client),
            _ => None,
        }
    }

    /// Whether something was asked for and is not here yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        matches!(self.settings, Settings::Loading(_))
            || matches!(self.secret, SecretView::Reading { .. })
            || matches!(self.pending, PendingView::Opening { .. })
            || matches!(self.check, Check::Looking(_))
    }

    /// When the secret hides itself, where it is shown.
    #[must_use]
    pub fn revealed_until(&self) -> Option<Moment> {
        match self.secret {
            SecretView::Shown { until, .. } => Some(until),
            _ => None,
        }
    }

    /// Hides the secret, and forgets a reveal that is under way. A copy under way goes on: nothing of it is shown.
    pub fn hide(&mut self) {
        if matches!(self.secret, SecretView::Shown { .. } | SecretView::Reading { purpose: Purpose::Reveal, .. }) {
            self.secret = SecretView::Masked;
        }
        if matches!(self.pending, PendingView::Shown { .. } | PendingView::Opening { purpose: Purpose::Reveal, .. }) {
            self.pending = PendingView::Masked;
        }
    }

    /// When the pending secret hides itself, where it is shown.
    #[must_use]
    pub fn pending_until(&self) -> Option<Moment> {
        match self.pending {
            PendingView::Shown { until, .. } => Some(until),
            _ => None,
        }
    }

    /// What a look at a target found.
    #[must_use]
    pub fn checked(&self, name: &str) -> Option<&Checked> {
        match &self.check {
            Check::Found(found) => found.iter().find(|one| one.name == name),
            Check::Unasked | Check::Looking(_) => None,
        }
    }
}
