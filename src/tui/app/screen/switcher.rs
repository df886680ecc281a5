use tui_input::Input;

use crate::domain::Profile;
use crate::tui::app::filter::Words;

/// A tenant of the configuration, and what is known of its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// What the configuration says.
    pub profile: Profile,
    /// When it was last used: seconds since 1970.
    pub last_used: Option<i64>,
    /// Whether it is the one that is opened by default.
    pub selected: bool,
}

/// Going to another tenant.
#[derive(Debug, Default)]
pub struct Switcher {
    /// What is typed.
    pub input: Input,
    /// The selected line.
    pub selected: usize,
}

/// A line of the switcher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// This tenant.
    Tenant(&'a Known),
    /// One that is not configured yet.
    Connect,
    /// The pretend tenant.
    Demo,
}

impl Switcher {
    /// What matches, best first; with nothing typed, what was used last comes first.
    #[must_use]
    pub fn choices<'a>(&self, known: &'a [Known]) -> Vec<Choice<'a>> {
        let mut words = Words::new(self.input.value());
        let mut found: Vec<_> = known
            .iter()
            .filter_map(|one| {
                let environment = one.profile.environment.map_or("", crate::domain::Environment::name);
                let name = format!("{} {environment}", one.profile.name);
                Some((words.score(&name, &one.profile.domain.to_string(), None)?, one))
            })
            .collect();
        if self.input.value().trim().is_empty() {
            found.sort_by_key(|(_, one)| (std::cmp::Reverse(one.last_used), one.profile.name.clone()));
        } else {
            found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        }
        let mut choices: Vec<_> = found.into_iter().map(|(_, one)| Choice::Tenant(one)).collect();
        choices.push(Choice::Connect);
        choices.push(Choice::Demo);
        choices
    }
}
