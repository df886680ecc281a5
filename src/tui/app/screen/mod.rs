/// The table of clients.
pub mod clients;
/// Keys, from the table of bindings.
pub mod help;
/// Every action by name.
pub mod palette;
/// A client's settings.
pub mod pane;
/// The question before a rotation.
pub mod question;

use clients::Clients;
use help::Help;
use palette::Palette;
use pane::Pane;
use question::Question;

use super::job::JobId;
use super::keymap::Place;
use super::state::Tenant;

/// What fills the screen.
#[derive(Debug)]
pub enum Screen {
    /// No tenant is selected: what to set, and the demo.
    Welcome(Welcome),
    /// A tenant's clients.
    Main(Box<Main>),
}

/// The first screen.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Welcome {
    /// The demo is being started.
    pub starting: bool,
    /// Why it could not be.
    pub failed: Option<String>,
}

/// A tenant's clients, and the settings of one of them.
#[derive(Debug)]
pub struct Main {
    /// Which tenant.
    pub tenant: Tenant,
    /// The table.
    pub clients: Clients,
    /// The settings that are open.
    pub pane: Option<Pane>,
    /// Which part the keys go to.
    pub focus: Focus,
}

/// Which part of the main screen the keys go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Focus {
    /// The table.
    Table,
    /// The filter's line of text.
    Filter,
    /// The settings.
    Pane,
}

/// What lies over the screen.
#[derive(Debug)]
pub enum Overlay {
    /// The keys.
    Help(Help),
    /// Every action by name.
    Palette(Palette),
    /// Shall this client's secret be rotated?
    Question(Box<Question>),
    /// One rotation: its steps, what came of it, what to do next.
    Rotation(JobId),
    /// The rotations of this run; the selected line.
    Rotations(usize),
    /// Something is under way: quit all the same?
    Quit,
}

/// Where keys go: the innermost part that is open.
#[must_use]
pub fn place(screen: &Screen, overlay: Option<&Overlay>) -> Place {
    match overlay {
        Some(Overlay::Help(_)) => Place::Help,
        Some(Overlay::Palette(_)) => Place::Palette,
        Some(Overlay::Question(question)) if question.typed.is_some() => Place::TypedQuestion,
        Some(Overlay::Question(_)) => Place::Question,
        Some(Overlay::Rotation(_)) => Place::Rotation,
        Some(Overlay::Rotations(_)) => Place::Rotations,
        Some(Overlay::Quit) => Place::QuitQuestion,
        None => match screen {
            Screen::Welcome(_) => Place::Welcome,
            Screen::Main(main) => match main.focus {
                Focus::Table => Place::Table,
                Focus::Filter => Place::Filter,
                Focus::Pane => Place::Pane,
            },
        },
    }
}
