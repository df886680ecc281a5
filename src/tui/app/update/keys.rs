use tui_input::InputRequest;

use super::act::act;
use super::with_clients;
use crate::tui::app::effect::Effect;
use crate::tui::app::key::{Key, editing};
use crate::tui::app::keymap::{self, Place};
use crate::tui::app::screen::{Overlay, place};
use crate::tui::app::state::State;

pub(super) fn pressed(state: &mut State, key: Key) -> Vec<Effect> {
    let place = place(&state.screen, state.overlay.as_ref());
    if state.geometry().is_none() && !key.ctrl {
        return Vec::new();
    }
    // A question that has just appeared hears nothing but Ctrl-C and Ctrl-Z.
    if let Some(Overlay::Question(question)) = &state.overlay
        && !question.listens(state.now)
        && !key.ctrl
    {
        return Vec::new();
    }
    match keymap::lookup(place, key) {
        Some(action) => act(state, place, action),
        None if place.takes_text() => editing(key).map_or_else(Vec::new, |request| edit(state, place, request)),
        None => Vec::new(),
    }
}

pub(super) fn pasted(state: &mut State, text: &str) -> Vec<Effect> {
    let place = place(&state.screen, state.overlay.as_ref());
    // A paste never answers a question and never runs as commands: it is text, where text is typed.
    if !place.takes_text() {
        return Vec::new();
    }
    if let Some(Overlay::Question(question)) = &state.overlay
        && !question.listens(state.now)
    {
        return Vec::new();
    }
    let mut effects = Vec::new();
    for character in text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(512) {
        effects = edit(state, place, InputRequest::InsertChar(character));
    }
    effects
}

pub(super) fn edit(state: &mut State, place: Place, request: InputRequest) -> Vec<Effect> {
    match place {
        Place::Filter => with_clients(state, |clients, tickets| {
            let changed = clients.filter.handle(request).is_some_and(|change| change.value);
            if changed { clients.filter_changed(tickets) } else { Vec::new() }
        }),
        Place::TypedQuestion => {
            if let Some(Overlay::Question(question)) = &mut state.overlay
                && let Some(typed) = &mut question.typed
            {
                typed.handle(request);
            }
            Vec::new()
        }
        Place::Palette => {
            if let Some(Overlay::Palette(palette)) = &mut state.overlay {
                palette.input.handle(request);
                palette.selected = 0;
            }
            Vec::new()
        }
        _ => Vec::new(),
    }
}
