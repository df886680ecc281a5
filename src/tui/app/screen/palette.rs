use tui_input::Input;

use crate::tui::app::action::Action;
use crate::tui::app::filter::Words;
use crate::tui::app::keymap::{self, Place};

/// The command palette: every action of the place it was opened from, by name.
#[derive(Debug)]
pub struct Palette {
    /// What is typed.
    pub input: Input,
    /// The selected line.
    pub selected: usize,
    /// Where it was opened.
    pub from: Place,
}

impl Palette {
    /// A palette opened from `from`.
    #[must_use]
    pub fn open(from: Place) -> Self {
        Self { input: Input::default(), selected: 0, from }
    }

    /// The actions that match what is typed, best first.
    #[must_use]
    pub fn choices(&self) -> Vec<&'static keymap::Binding> {
        let mut words = Words::new(self.input.value());
        let mut found: Vec<_> = keymap::at(self.from)
            .filter(|binding| binding.action != Action::Palette && !binding.action.moves())
            .filter_map(|binding| Some((words.score(binding.help, binding.short, None)?, binding)))
            .collect();
        found.sort_by_key(|(score, _)| std::cmp::Reverse(*score));
        found.into_iter().map(|(_, binding)| binding).collect()
    }
}
