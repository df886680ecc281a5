use super::lock::open_pending;
use super::overlay::act_in_overlay;
use super::rollover::{act_on_rollover, ask_which_way};
use super::secret::{curl, read_to_copy, reveal};
use super::sign_in::act_in_form;
use super::tenants::{act_on_welcome, connect_another, examine, show_switcher, start_demo};
use super::{hide_secrets, leave_pane, targets, with_clients};
use crate::auth0::ErrorKind;
use crate::domain::Origin;
use crate::tui::app::action::Action;
use crate::tui::app::effect::Effect;
use crate::tui::app::event::CopyKind;
use crate::tui::app::keymap::{Availability, Place, availability};
use crate::tui::app::offer::NEXT;
use crate::tui::app::screen::clients::Loading;
use crate::tui::app::screen::help::Help;
use crate::tui::app::screen::palette::Palette;
use crate::tui::app::screen::pane::{Pane, Purpose};
use crate::tui::app::screen::{Focus, Overlay, Screen};
use crate::tui::app::state::{State, Tone};

pub(super) fn act(state: &mut State, place: Place, action: Action) -> Vec<Effect> {
    match availability(state, action) {
        Availability::Ready => {}
        Availability::Absent => return Vec::new(),
        Availability::Blocked(reason) => {
            state.say(Tone::Warning, reason);
            return Vec::new();
        }
    }
    match action {
        Action::Suspend => {
            hide_secrets(state);
            vec![Effect::Suspend]
        }
        Action::Interrupt | Action::Quit if state.unsaved().is_some() => {
            state.say(
                Tone::Bad,
                "The new secret is live and stored nowhere: copy it (c) to where it is kept, then say so (K).",
            );
            Vec::new()
        }
        Action::Interrupt => {
            if state.running().next().is_some() && !matches!(state.overlay, Some(Overlay::Quit)) {
                state.overlay = Some(Overlay::Quit);
                return Vec::new();
            }
            quit(state)
        }
        Action::Quit => {
            if state.running().next().is_some() {
                state.overlay = Some(Overlay::Quit);
                return Vec::new();
            }
            quit(state)
        }
        Action::Help => {
            state.overlay = Some(Overlay::Help(Help::default()));
            Vec::new()
        }
        Action::Palette => {
            state.overlay = Some(Overlay::Palette(Palette::open(place)));
            Vec::new()
        }
        Action::ToggleMouse => {
            state.mouse = !state.mouse;
            state
                .say(Tone::Info, if state.mouse { "Mouse on." } else { "Mouse off: the terminal selects text again." });
            vec![Effect::SetMouse(state.mouse)]
        }
        Action::StartDemo => start_demo(state),
        Action::Doctor => examine(state),
        Action::Tenants => show_switcher(state),
        Action::ConnectTenant => connect_another(state),
        Action::Rollovers => {
            hide_secrets(state);
            let here = state.profile().is_some_and(|profile| state.records.of(&profile.domain).next().is_some());
            state.overlay = match state.jobs.last() {
                // What was begun at another tenant has a page, and no line in this one's list.
                Some(job) if !here => Some(Overlay::Job(job.id)),
                _ => Some(Overlay::Rollovers(0)),
            };
            super::records::read_again(state)
        }
        _ if NEXT.contains(&action) && !matches!(state.overlay, Some(Overlay::Way(_))) => {
            act_on_rollover(state, action)
        }
        _ if state.overlay.is_some() => act_in_overlay(state, action),
        _ => match &state.screen {
            Screen::Welcome(_) => act_on_welcome(state, action),
            Screen::SignIn(_) => act_in_form(state, action),
            Screen::Main(_) => act_in_main(state, action),
        },
    }
}

pub(super) fn quit(state: &mut State) -> Vec<Effect> {
    hide_secrets(state);
    state.ending = true;
    let mut effects = Vec::new();
    if state.clipboard.take().is_some_and(|held| held.by_terminal) {
        effects.push(Effect::ClearTerminalClipboard);
    }
    effects.push(Effect::Quit);
    effects
}

pub(super) fn act_in_main(state: &mut State, action: Action) -> Vec<Effect> {
    let table_page = state.geometry().map_or(1, |parts| parts.page());
    let pane_page = usize::from(state.size.1.saturating_sub(6)).max(1);
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    let in_pane = main.focus == Focus::Pane;
    match action {
        Action::Up | Action::Down | Action::PageUp | Action::PageDown | Action::First | Action::Last => {
            let lines_of_page = if in_pane { pane_page } else { table_page };
            let lines = match action {
                Action::Up => -1,
                Action::Down => 1,
                Action::PageUp => -lines_of_page.cast_signed(),
                Action::PageDown => lines_of_page.cast_signed(),
                Action::First => isize::MIN,
                _ => isize::MAX,
            };
            match &mut main.pane {
                Some(pane) if in_pane => pane.scroll = pane.scroll.saturating_add_signed(lines).min(100_000),
                _ => main.clients.move_by(lines),
            }
            Vec::new()
        }
        Action::Open => open_selected(state),
        Action::Filter => {
            main.focus = Focus::Filter;
            Vec::new()
        }
        Action::KeepFilter => {
            main.focus = Focus::Table;
            Vec::new()
        }
        Action::Back => match main.focus {
            Focus::Pane => {
                main.pane = None;
                main.focus = Focus::Table;
                Vec::new()
            }
            Focus::Table if main.clients.filter.value().is_empty() => {
                main.pane = None;
                Vec::new()
            }
            Focus::Table | Focus::Filter => {
                main.focus = Focus::Table;
                with_clients(state, |clients, tickets| {
                    clients.filter.reset();
                    clients.filter_changed(tickets)
                })
            }
        },
        Action::SwitchFocus => {
            if in_pane {
                leave_pane(main, Focus::Table);
            } else {
                main.focus = Focus::Pane;
            }
            Vec::new()
        }
        Action::Sort => with_clients(state, |clients, tickets| clients.sort_next(tickets)),
        Action::Reload => reload(state),
        Action::NextClient | Action::PreviousClient => {
            main.clients.move_by(if action == Action::NextClient { 1 } else { -1 });
            open_selected(state)
        }
        Action::Reveal => reveal(state),
        Action::CopySecret => read_to_copy(state, CopyKind::Secret),
        Action::CopyEnv => read_to_copy(state, CopyKind::Env),
        Action::CopyId => main
            .pane
            .as_ref()
            .map_or_else(Vec::new, |pane| vec![Effect::CopyText(CopyKind::ClientId, pane.client_id.clone())]),
        Action::CopyCurl => main.pane.as_ref().map_or_else(Vec::new, |pane| {
            vec![Effect::CopyText(CopyKind::Curl, curl(main.tenant.domain(), &pane.client_id))]
        }),
        Action::Rotate => {
            ask_which_way(state);
            Vec::new()
        }
        Action::RevealPending => open_pending(state, Purpose::Reveal),
        Action::CopyPending => open_pending(state, Purpose::Copy(CopyKind::Pending)),
        Action::Targets => {
            targets::show(state);
            Vec::new()
        }
        Action::CheckTargets => targets::check(state),
        _ => Vec::new(),
    }
}

pub(super) fn open_selected(state: &mut State) -> Vec<Effect> {
    let ticket = state.ticket();
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    let Some(row) = main.clients.selected_row() else { return Vec::new() };
    let (client_id, name) = (row.client_id.to_owned(), row.name.into());
    main.focus = Focus::Pane;
    if main.pane.as_ref().is_some_and(|pane| pane.client_id == client_id && pane.client().is_some()) {
        return Vec::new();
    }
    main.pane = Some(Pane::open(client_id.clone(), name, ticket));
    vec![Effect::LoadClient(ticket, client_id)]
}

pub(super) fn reload(state: &mut State) -> Vec<Effect> {
    let (first, second) = (state.ticket(), state.ticket());
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    if main.focus == Focus::Pane
        && let Some(pane) = &mut main.pane
    {
        *pane = Pane::open(pane.client_id.clone(), pane.name.clone(), first);
        let load = Effect::LoadClient(first, pane.client_id.clone());
        return std::iter::once(load).chain(super::records::read_again(state)).collect();
    }
    let refused = matches!(&main.clients.loading, Loading::Failed(error) if error.kind == ErrorKind::Unauthorized)
        || matches!(&main.tenant.session, Some(Err(error)) if error.kind == ErrorKind::Unauthorized);
    // A token that was refused may have been renewed where it came from, by `auth0 login` say: the way in is gone again.
    let which = &main.tenant.which;
    let by_itself = which.origin != Origin::Environment && which.profile.way_in.is_some();
    let again = refused && by_itself;
    if main.tenant.closed.is_some() && which.profile.way_in.is_none() {
        // What the environment says is as it was when the program was started.
        return Vec::new();
    }
    if main.tenant.closed.take().is_some() || again {
        main.clients.reload(first);
        return vec![Effect::OpenTenant(main.tenant.id, Box::new(main.tenant.which.profile.clone()))];
    }
    main.clients.reload(first);
    let mut effects = vec![Effect::LoadClients(first)];
    if !matches!(main.tenant.session, Some(Ok(_))) {
        main.tenant.ticket = second;
        main.tenant.session = None;
        effects.push(Effect::Connect(second));
    }
    effects.extend(super::records::read_again(state));
    effects
}
