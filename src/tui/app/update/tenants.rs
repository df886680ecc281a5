use super::{open_stored, with_main};
use crate::domain::preflight::Report;
use crate::domain::{OpenFailure, Profile, Surroundings};
use crate::tui::app::action::Action;
use crate::tui::app::effect::Effect;
use crate::tui::app::screen::ask_secret::{AskSecret, Waits};
use crate::tui::app::screen::doctor::Doctor;
use crate::tui::app::screen::sign_in::{Kind, SignIn};
use crate::tui::app::screen::switcher::{Choice, Known, Switcher};
use crate::tui::app::screen::{FirstChoice, Overlay, Screen, Welcome};
use crate::tui::app::state::{State, TenantId, Ticket, Tone, Which};

/// What the first screen does.
pub(super) fn act_on_welcome(state: &mut State, action: Action) -> Vec<Effect> {
    let Screen::Welcome(welcome) = &mut state.screen else { return Vec::new() };
    let count = welcome.choices(&state.known, state.surroundings.as_ref()).len();
    match action {
        Action::Up => welcome.selected = welcome.selected.saturating_sub(1),
        Action::Down => welcome.selected = (welcome.selected + 1).min(count.saturating_sub(1)),
        Action::Open => return choose_first(state),
        Action::Back => {
            if let Some(main) = welcome.back.take() {
                state.screen = Screen::Main(main);
            }
        }
        _ => {}
    }
    Vec::new()
}

fn choose_first(state: &mut State) -> Vec<Effect> {
    let Screen::Welcome(welcome) = &mut state.screen else { return Vec::new() };
    let choices = welcome.choices(&state.known, state.surroundings.as_ref());
    match choices.get(welcome.selected) {
        Some(FirstChoice::Open(known)) => {
            let which = Which::chosen(known.profile.clone());
            open_stored(state, which)
        }
        Some(FirstChoice::Connect(kind)) => {
            let kind = *kind;
            let back = welcome.back.take();
            state.screen = Screen::SignIn(Box::new(SignIn::new(kind, None, back)));
            Vec::new()
        }
        Some(FirstChoice::Auth0Cli(found)) => {
            let profile = Profile::new(found.domain.tenant_name(), found.domain.clone());
            let back = welcome.back.take();
            state.screen = Screen::SignIn(Box::new(SignIn::new(Kind::Auth0Cli, Some(&profile), back)));
            super::sign_in::submit(state)
        }
        Some(FirstChoice::Demo) => start_demo(state),
        None => Vec::new(),
    }
}

pub(super) fn start_demo(state: &mut State) -> Vec<Effect> {
    match &mut state.screen {
        Screen::Welcome(welcome) => {
            welcome.starting = true;
            welcome.failed = None;
        }
        _ => state.screen = Screen::Welcome(Welcome { starting: true, ..Welcome::default() }),
    }
    state.overlay = None;
    vec![Effect::StartDemo]
}

/// Looks what works here and what does not.
pub(super) fn examine(state: &mut State) -> Vec<Effect> {
    let ticket = state.ticket();
    super::hide_secrets(state);
    let which = match &state.screen {
        Screen::Main(main) => Some(Box::new(main.tenant.which.clone())),
        Screen::Welcome(_) | Screen::SignIn(_) => None,
    };
    state.overlay = Some(Overlay::Doctor(Box::new(Doctor { ticket, report: None, scroll: 0 })));
    vec![Effect::Examine(ticket, which)]
}

pub(super) fn examined(state: &mut State, ticket: Ticket, report: Box<Report>) {
    if let Some(Overlay::Doctor(doctor)) = &mut state.overlay
        && doctor.ticket == ticket
    {
        doctor.report = Some(report);
    }
}

/// Shows the tenants to go to; the list is read anew meanwhile.
pub(super) fn show_switcher(state: &mut State) -> Vec<Effect> {
    super::hide_secrets(state);
    state.overlay = Some(Overlay::Tenants(Box::default()));
    vec![Effect::Survey]
}

/// What the switcher does.
pub(super) fn act_in_switcher(state: &mut State, action: Action) -> Vec<Effect> {
    let Some(Overlay::Tenants(switcher)) = &mut state.overlay else { return Vec::new() };
    let choices = switcher.choices(&state.known);
    match action {
        Action::Up => switcher.selected = switcher.selected.saturating_sub(1),
        Action::Down => switcher.selected = (switcher.selected + 1).min(choices.len().saturating_sub(1)),
        Action::Back => state.overlay = None,
        Action::UseByDefault => {
            if let Some(Choice::Tenant(known)) = choices.get(switcher.selected) {
                return vec![Effect::UseByDefault(known.profile.name.clone())];
            }
        }
        Action::Open => match choices.get(switcher.selected) {
            Some(Choice::Tenant(known)) => {
                let which = Which::chosen(known.profile.clone());
                return open_stored(state, which);
            }
            Some(Choice::Connect) => return connect_another(state),
            Some(Choice::Demo) => return start_demo(state),
            None => {}
        },
        _ => {}
    }
    Vec::new()
}

/// Leaves the tenant on screen for the ways to connect another one; Esc comes back.
pub(super) fn connect_another(state: &mut State) -> Vec<Effect> {
    state.overlay = None;
    super::hide_secrets(state);
    let screen = std::mem::replace(&mut state.screen, Screen::Welcome(Welcome::default()));
    let back = match screen {
        Screen::Main(main) => Some(main),
        Screen::SignIn(sign_in) => sign_in.back,
        Screen::Welcome(welcome) => welcome.back,
    };
    state.screen = Screen::Welcome(Welcome { back, ..Welcome::default() });
    vec![Effect::Survey]
}

/// Takes in what is configured and what this machine offers.
pub(super) fn surveyed(state: &mut State, found: Surroundings, known: Result<Vec<Known>, String>) {
    state.surroundings = Some(found);
    match known {
        Ok(known) => {
            // The lines of the first screen move when tenants come: what was selected stays selected.
            let more = known.len().saturating_sub(state.known.len());
            if let Screen::Welcome(welcome) = &mut state.screen
                && welcome.selected > 0
                && welcome.back.is_none()
            {
                welcome.selected += more;
            }
            state.known = known;
            state.misconfigured = None;
        }
        Err(why) => state.misconfigured = Some(why),
    }
    if let Screen::Welcome(welcome) = &mut state.screen {
        let count = welcome.choices(&state.known, state.surroundings.as_ref()).len();
        welcome.selected = welcome.selected.min(count.saturating_sub(1));
    }
    if let Some(Overlay::Tenants(switcher)) = &mut state.overlay {
        let count = switcher.choices(&state.known).len();
        switcher.selected = switcher.selected.min(count.saturating_sub(1));
    }
}

pub(super) fn used_by_default(state: &mut State, name: &str, result: Result<(), String>) {
    match result {
        Ok(()) => {
            for known in &mut state.known {
                known.selected = known.profile.name == name;
            }
            let name = crate::domain::untrusted::shown(name).into_owned();
            state.say(Tone::Good, format!("`rollover` opens {name} from now on."));
        }
        Err(why) => state.say(Tone::Bad, format!("Not changed: {why}")),
    }
}

/// A tenant could not be opened: what is missing is asked for.
pub(super) fn not_opened(state: &mut State, id: TenantId, failure: OpenFailure) {
    if let Some(needs) = failure.needs
        && state.overlay.is_none()
    {
        let ask = AskSecret::new(Waits::Tenant(id, needs), failure.message.clone(), None);
        state.overlay = Some(Overlay::AskSecret(Box::new(ask)));
    }
    with_main(state, |main| main.tenant.closed = Some(failure));
}

pub(super) fn unlocked(state: &mut State, id: TenantId, result: Result<(), String>) -> Vec<Effect> {
    let Some(Overlay::AskSecret(ask)) = &mut state.overlay else { return Vec::new() };
    if !matches!(ask.waits, Waits::Tenant(asked, _) if asked == id) {
        return Vec::new();
    }
    super::lock::passphrase_given(state, result)
}

/// What kept a tenant closed is there now.
pub(super) fn open_again(state: &mut State, id: TenantId) -> Vec<Effect> {
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    if main.tenant.id != id {
        return Vec::new();
    }
    main.tenant.closed = None;
    vec![Effect::OpenTenant(id, Box::new(main.tenant.which.profile.clone()))]
}

/// The switcher's line of text, to edit.
pub(super) fn switcher_input(state: &mut State) -> Option<&mut Switcher> {
    match &mut state.overlay {
        Some(Overlay::Tenants(switcher)) => Some(switcher),
        _ => None,
    }
}
