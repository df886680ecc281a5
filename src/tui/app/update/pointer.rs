use super::act::{act, open_selected};
use super::leave_pane;
use crate::tui::app::action::Action;
use crate::tui::app::effect::Effect;
use crate::tui::app::event::Target;
use crate::tui::app::keymap::Place;
use crate::tui::app::offer::NEXT;
use crate::tui::app::screen::{Focus, Overlay, Screen, place};
use crate::tui::app::state::State;

pub(super) fn clicked(state: &mut State, target: Target) -> Vec<Effect> {
    let place = place(&state.screen, state.overlay.as_ref());
    match target {
        Target::Row(index) | Target::OpenRow(index) if state.overlay.is_none() => {
            let Screen::Main(main) = &mut state.screen else { return Vec::new() };
            if !main.clients.select_client(index) {
                return Vec::new();
            }
            leave_pane(main, Focus::Table);
            match target {
                Target::OpenRow(_) => open_selected(state),
                _ => Vec::new(),
            }
        }
        Target::Pane => {
            if let Screen::Main(main) = &mut state.screen
                && main.pane.is_some()
                && state.overlay.is_none()
            {
                main.focus = Focus::Pane;
            }
            Vec::new()
        }
        Target::Button(action) => {
            // A click on a part of the pane moves the focus there first, as a key press would need.
            if state.overlay.is_none()
                && let Screen::Main(main) = &mut state.screen
                && main.pane.is_some()
                && in_pane(action)
            {
                main.focus = Focus::Pane;
                return act(state, Place::Pane, action);
            }
            if let Some(Overlay::Question(question)) = &state.overlay
                && !question.listens(state.now)
            {
                return Vec::new();
            }
            act(state, place, action)
        }
        Target::Choice(position) if state.overlay.is_none() => match &mut state.screen {
            Screen::Welcome(welcome) => {
                welcome.selected = position;
                act(state, place, Action::Open)
            }
            // A field of the form; a second click on a choice turns it.
            Screen::SignIn(sign_in) => {
                if sign_in.form.at == position && place == Place::FormChoice {
                    return act(state, place, Action::NextValue);
                }
                if position < sign_in.form.fields.len() {
                    sign_in.form.at = position;
                }
                Vec::new()
            }
            Screen::Main(_) => Vec::new(),
        },
        Target::Choice(position) => match &mut state.overlay {
            Some(Overlay::Tenants(switcher)) => {
                switcher.selected = position;
                act(state, place, Action::Open)
            }
            Some(Overlay::Palette(palette)) => {
                palette.selected = position;
                act(state, place, Action::Open)
            }
            Some(Overlay::Way(way)) => {
                way.selected = position;
                act(state, place, Action::Open)
            }
            // A field of the form; a second click on a choice turns it.
            Some(Overlay::TargetForm(form)) => {
                if form.form.at == position && place == Place::TargetChoice {
                    return act(state, place, Action::NextValue);
                }
                if position < form.form.fields.len() {
                    form.form.at = position;
                }
                Vec::new()
            }
            Some(Overlay::Rollovers(selected) | Overlay::Targets(selected)) => {
                *selected = position;
                act(state, place, Action::Open)
            }
            _ => Vec::new(),
        },
        Target::Outside => match place {
            Place::Help
            | Place::Guide
            | Place::Palette
            | Place::Way
            | Place::Job
            | Place::Rollovers
            | Place::Record
            | Place::Targets
            | Place::Tenants
            | Place::Doctor => act(state, place, Action::Back),
            _ => Vec::new(),
        },
        Target::TargetLine(position) => {
            if state.overlay.is_none() {
                super::targets::open(state, position);
            }
            Vec::new()
        }
        Target::Row(_) | Target::OpenRow(_) | Target::Overlay => Vec::new(),
    }
}

/// Whether what is clicked for it stands in the settings.
fn in_pane(action: Action) -> bool {
    NEXT.contains(&action)
        || matches!(
            action,
            Action::Reveal
                | Action::Rotate
                | Action::RevealPending
                | Action::CopyPending
                | Action::Targets
                | Action::CheckTargets
        )
}

pub(super) fn scrolled(state: &mut State, target: Target, notches: i16) -> Vec<Effect> {
    let lines = isize::from(notches) * 3;
    match (&mut state.overlay, target) {
        (Some(Overlay::Help(help)), _) => help.scroll = help.scroll.saturating_add_signed(lines),
        (Some(Overlay::Guide(guide)), _) => guide.scroll = guide.scroll.saturating_add_signed(lines),
        (Some(Overlay::Record(record)), _) => record.scroll = record.scroll.saturating_add_signed(lines),
        (Some(Overlay::Doctor(doctor)), _) => doctor.scroll = doctor.scroll.saturating_add_signed(lines),
        (Some(_), _) => {}
        (None, target) => {
            if let Screen::Main(main) = &mut state.screen {
                match target {
                    Target::Row(_) | Target::OpenRow(_) => main.clients.move_by(lines),
                    Target::Pane | Target::TargetLine(_) | Target::Button(_) => {
                        if let Some(pane) = &mut main.pane {
                            pane.scroll = pane.scroll.saturating_add_signed(lines);
                        }
                    }
                    _ => {}
                }
            }
        }
    }
    Vec::new()
}
