/// A secret that is needed to open a tenant.
pub mod ask_secret;
/// The table of clients.
pub mod clients;
/// What works here and what does not.
pub mod doctor;
/// Fields to fill in.
pub mod form;
/// Keys, from the table of bindings.
pub mod help;
/// Every action by name.
pub mod palette;
/// A client's settings.
pub mod pane;
/// The questions before a change.
pub mod question;
/// One rollover.
pub mod record;
/// Connecting a tenant.
pub mod sign_in;
/// Going to another tenant.
pub mod switcher;
/// A target that is being made or changed.
pub mod target_form;
/// Which way a secret is changed.
pub mod way;

use ask_secret::AskSecret;
use clients::Clients;
use doctor::Doctor;
use form::Value;
use help::{Guide, Help};
use palette::Palette;
use pane::Pane;
use question::Question;
use record::Record;
use sign_in::{Kind, SignIn, Step};
use switcher::{Known, Switcher};
use target_form::TargetForm;
use way::Way;

use super::job::JobId;
use super::keymap::Place;
use super::state::Tenant;
use crate::domain::Surroundings;
use crate::domain::sign_in::CliTenant;

/// What fills the screen.
#[derive(Debug)]
pub enum Screen {
    /// No tenant is selected: which to open, how to connect one, and the demo.
    Welcome(Welcome),
    /// A tenant is being connected.
    SignIn(Box<SignIn>),
    /// A tenant's clients.
    Main(Box<Main>),
}

/// The first screen.
#[derive(Debug, Default)]
pub struct Welcome {
    /// The demo is being started.
    pub starting: bool,
    /// Why it could not be.
    pub failed: Option<String>,
    /// The selected line.
    pub selected: usize,
    /// The tenant that was on screen before, where another one is to be connected: to go back to.
    pub back: Option<Box<Main>>,
}

/// A line of the first screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FirstChoice<'a> {
    /// Open a tenant that is configured.
    Open(&'a Known),
    /// Connect one.
    Connect(Kind),
    /// Connect one with what auth0-cli has.
    Auth0Cli(&'a CliTenant),
    /// The pretend tenant.
    Demo,
}

impl Welcome {
    /// What can be chosen: tenants that are connected, where none is open yet, and the ways to connect one.
    #[must_use]
    pub fn choices<'a>(&self, known: &'a [Known], surroundings: Option<&'a Surroundings>) -> Vec<FirstChoice<'a>> {
        let known = if self.back.is_some() { &[] } else { known };
        let mut choices: Vec<_> = known.iter().map(FirstChoice::Open).collect();
        choices.extend([Kind::ClientSecret, Kind::PrivateKey, Kind::Token].map(FirstChoice::Connect));
        choices.extend(surroundings.into_iter().flat_map(|found| &found.auth0_cli).map(FirstChoice::Auth0Cli));
        choices.push(FirstChoice::Demo);
        choices
    }
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
    /// How an app is taught to try a fallback.
    Guide(Guide),
    /// Which way shall this client's secret be changed?
    Way(Way),
    /// Shall this be done to this client?
    Question(Box<Question>),
    /// One job: its steps, what came of it, what to do next.
    Job(JobId),
    /// All rollovers; the selected line.
    Rollovers(usize),
    /// One rollover: what is known of it, and what can be done.
    Record(Record),
    /// A secret is live and could be stored nowhere: nothing else can be done before somebody takes care of it.
    Unsaved(JobId),
    /// The targets of the client; the selected line.
    Targets(usize),
    /// A target is being made or changed.
    TargetForm(Box<TargetForm>),
    /// Going to another tenant.
    Tenants(Box<Switcher>),
    /// A secret that is needed to open the tenant.
    AskSecret(Box<AskSecret>),
    /// What works here and what does not.
    Doctor(Box<Doctor>),
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
        Some(Overlay::Guide(_)) => Place::Guide,
        Some(Overlay::Way(_)) => Place::Way,
        Some(Overlay::Job(_)) => Place::Job,
        Some(Overlay::Rollovers(_)) => Place::Rollovers,
        Some(Overlay::Record(_)) => Place::Record,
        Some(Overlay::Unsaved(_)) => Place::Unsaved,
        Some(Overlay::Targets(_)) => Place::Targets,
        Some(Overlay::TargetForm(form)) => match form.form.current().map(|field| &field.value) {
            Some(Value::Choice { .. }) => Place::TargetChoice,
            _ => Place::TargetText,
        },
        Some(Overlay::Tenants(_)) => Place::Tenants,
        Some(Overlay::AskSecret(_)) => Place::AskSecret,
        Some(Overlay::Doctor(_)) => Place::Doctor,
        Some(Overlay::Quit) => Place::QuitQuestion,
        None => match screen {
            Screen::Welcome(_) => Place::Welcome,
            Screen::SignIn(sign_in) => match &sign_in.step {
                Step::Trying(_) | Step::Storing(..) => Place::SigningIn,
                Step::Credentials | Step::Review(_) => match sign_in.form.current().map(|field| &field.value) {
                    Some(Value::Choice { .. }) => Place::FormChoice,
                    _ => Place::FormText,
                },
            },
            Screen::Main(main) => match main.focus {
                Focus::Table => Place::Table,
                Focus::Filter => Place::Filter,
                Focus::Pane => Place::Pane,
            },
        },
    }
}
