use tui_input::InputRequest;

use super::act::act;
use super::with_clients;
use crate::tui::app::effect::Effect;
use crate::tui::app::hidden::Hidden;
use crate::tui::app::key::{Code, Key, editing};
use crate::tui::app::keymap::{self, Place};
use crate::tui::app::screen::{Focus, Overlay, Screen, place};
use crate::tui::app::state::State;

/// How many keys are kept while a search is under way; whoever types more than this has walked away from the screen.
const MOST_HELD: usize = 64;

/// Takes a key. One that acts on the list waits while the list still answers to an older filter: whoever types `/billing`
/// and Enter in one go means the hit, not the line that happens to be selected at that moment.
pub(super) fn pressed(state: &mut State, key: Key) -> Vec<Effect> {
    if !is_behind(state) {
        return press(state, key);
    }
    let goes_on_typing = keymap::lookup(Place::Filter, key).is_none() && place_of(state).takes_text();
    if key.code == Code::Esc || (key.ctrl && !goes_on_typing) {
        state.held.clear();
        return press(state, key);
    }
    if goes_on_typing && state.held.is_empty() {
        return press(state, key);
    }
    if state.held.len() < MOST_HELD {
        state.held.push_back(key);
    }
    Vec::new()
}

/// Takes the keys that had to wait, as far as they need wait no longer.
pub(super) fn press_held(state: &mut State) -> Vec<Effect> {
    let mut effects = Vec::new();
    while !is_behind(state) {
        let Some(key) = state.held.pop_front() else { break };
        effects.extend(press(state, key));
    }
    effects
}

fn is_behind(state: &State) -> bool {
    matches!(&state.screen, Screen::Main(main) if main.clients.is_behind() && main.focus != Focus::Pane)
        && state.overlay.is_none()
}

fn place_of(state: &State) -> Place {
    place(&state.screen, state.overlay.as_ref())
}

fn press(state: &mut State, key: Key) -> Vec<Effect> {
    let place = place_of(state);
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
    let place = place_of(state);
    match place {
        Place::FormText => {
            super::sign_in::paste(state, text);
            return Vec::new();
        }
        Place::AskSecret => {
            if let Some(Overlay::AskSecret(ask)) = &mut state.overlay {
                ask.typed.push(text);
            }
            return Vec::new();
        }
        _ => {}
    }
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
        Place::Tenants => {
            if let Some(switcher) = super::tenants::switcher_input(state) {
                switcher.input.handle(request);
                switcher.selected = 0;
            }
            Vec::new()
        }
        Place::TargetText => {
            super::targets::edit(state, request);
            Vec::new()
        }
        Place::AskSecret => {
            if let Some(Overlay::AskSecret(ask)) = &mut state.overlay {
                ask.wrong = None;
                edit_hidden(&mut ask.typed, request);
            }
            Vec::new()
        }
        Place::FormText => {
            super::sign_in::edit(state, request);
            Vec::new()
        }
        _ => Vec::new(),
    }
}

/// What editing means where nobody sees what there is to edit.
pub(super) fn edit_hidden(hidden: &mut Hidden, request: InputRequest) {
    match request {
        InputRequest::InsertChar(character) => hidden.push(character.encode_utf8(&mut [0; 4])),
        InputRequest::DeletePrevChar => hidden.pop(),
        InputRequest::DeleteLine | InputRequest::DeletePrevWord => hidden.clear(),
        _ => {}
    }
}
