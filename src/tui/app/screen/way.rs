use crate::tui::app::event::Moment;

/// Which way shall the secret be changed?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// Whether the client has targets: then zero downtime comes first.
    pub has_targets: bool,
    /// The selected line.
    pub selected: usize,
    /// When it was asked.
    pub asked: Moment,
}

/// A line of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice {
    /// The new secret is given to the apps before it becomes live.
    ZeroDowntime,
    /// Auth0 chooses one, and the old one dies.
    Now,
}

impl Way {
    /// The lines, in their order.
    #[must_use]
    pub fn choices(self) -> [Choice; 2] {
        if self.has_targets { [Choice::ZeroDowntime, Choice::Now] } else { [Choice::Now, Choice::ZeroDowntime] }
    }
}
