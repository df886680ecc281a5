use tui_input::InputRequest;

use crate::tui::app::action::Action;
use crate::tui::app::effect::Effect;
use crate::tui::app::event::Checked;
use crate::tui::app::job::{Procedure, Task};
use crate::tui::app::screen::form::Value;
use crate::tui::app::screen::pane::Check;
use crate::tui::app::screen::target_form::{Arranging, TargetForm};
use crate::tui::app::screen::{Overlay, Screen};
use crate::tui::app::state::{State, TenantId, Ticket, Tone};

/// Shows the targets of the client whose settings are open; where there are none, the form of the first.
pub(super) fn show(state: &mut State) {
    let Screen::Main(main) = &state.screen else { return };
    let Some(pane) = &main.pane else { return };
    let client_id = pane.client_id.clone();
    super::hide_secrets(state);
    state.overlay = Some(if state.records.targets(&client_id).is_empty() {
        Overlay::TargetForm(Box::new(TargetForm::new(client_id, None)))
    } else {
        Overlay::Targets(0)
    });
}

/// Opens the target at a position, or the form of a new one behind the last.
pub(super) fn open(state: &mut State, position: usize) {
    let Screen::Main(main) = &state.screen else { return };
    let Some(pane) = &main.pane else { return };
    if main.tenant.which.demo {
        state.say(Tone::Info, "The demo has targets of its own, which cannot be changed.");
        return;
    }
    let client_id = pane.client_id.clone();
    let target = state.records.targets(&client_id).get(position).cloned();
    super::hide_secrets(state);
    state.overlay = Some(Overlay::TargetForm(Box::new(TargetForm::new(client_id, target))));
}

/// What the list and the form do.
pub(super) fn act_in_targets(state: &mut State, action: Action) -> Vec<Effect> {
    let count = match &state.screen {
        Screen::Main(main) => main.pane.as_ref().map_or(0, |pane| state.records.targets(&pane.client_id).len()),
        _ => 0,
    };
    match (&mut state.overlay, action) {
        (Some(Overlay::Targets(selected)), Action::Up) => *selected = selected.saturating_sub(1),
        (Some(Overlay::Targets(selected)), Action::Down) => *selected = (*selected + 1).min(count),
        (Some(Overlay::Targets(selected)), Action::Open) => {
            let selected = *selected;
            open(state, selected);
        }
        (Some(Overlay::TargetForm(form)), Action::NextField) => form.form.move_by(1),
        (Some(Overlay::TargetForm(form)), Action::PreviousField) => form.form.move_by(-1),
        (Some(Overlay::TargetForm(form)), Action::NextValue | Action::PreviousValue) => {
            form.form.turn(if action == Action::NextValue { 1 } else { -1 });
            form.follow();
        }
        (Some(Overlay::TargetForm(form)), Action::RemoveTarget) => {
            let remove = form.before.as_ref().map(|before| before.name.clone());
            form.writing = true;
            let arranging = Arranging { client_id: form.client_id.clone(), remove, put: None };
            return state.tenant_id().map(|id| Effect::Arrange(id, Box::new(arranging))).into_iter().collect();
        }
        (Some(Overlay::TargetForm(_)), Action::Submit) => return submit(state),
        (Some(_), Action::Back) => state.overlay = None,
        _ => {}
    }
    Vec::new()
}

fn submit(state: &mut State) -> Vec<Effect> {
    let Some(id) = state.tenant_id() else { return Vec::new() };
    let Some(Overlay::TargetForm(form)) = &mut state.overlay else { return Vec::new() };
    form.wrong = None;
    if let Some(empty) = form.form.next_empty() {
        if empty == form.form.at {
            let label = form.form.current().map_or("", |field| field.id.label());
            form.wrong = Some(format!("{label} is missing"));
        }
        form.form.at = empty;
        return Vec::new();
    }
    match form.target() {
        Ok(target) => {
            let before = form.before.as_ref().map(|before| &before.name);
            let known = state.records.arrangements.targets.get(&form.client_id);
            let taken = known.is_some_and(|known| known.iter().any(|one| one.name == target.name));
            if taken && before != Some(&target.name) {
                form.wrong = Some("This client has a target of that name already".to_owned());
                return Vec::new();
            }
            let remove = before.filter(|before| **before != target.name).cloned();
            form.writing = true;
            let arranging = Arranging { client_id: form.client_id.clone(), remove, put: Some(target) };
            vec![Effect::Arrange(id, Box::new(arranging))]
        }
        Err((field, why)) => {
            form.wrong = Some(why);
            if let Some(at) = form.form.fields.iter().position(|one| one.id == field) {
                form.form.at = at;
            }
            Vec::new()
        }
    }
}

/// The configuration was changed, or could not be.
pub(super) fn arranged(state: &mut State, id: TenantId, result: Result<(), String>) -> Vec<Effect> {
    if state.tenant_id() != Some(id) {
        return Vec::new();
    }
    match (&mut state.overlay, result) {
        (Some(Overlay::TargetForm(form)), Err(why)) => {
            form.writing = false;
            form.wrong = Some(why);
            Vec::new()
        }
        (_, Err(why)) => {
            state.say(Tone::Bad, format!("The targets were not changed: {why}"));
            Vec::new()
        }
        (overlay, Ok(())) => {
            if matches!(overlay, Some(Overlay::TargetForm(_))) {
                *overlay = None;
            }
            state.say(Tone::Good, "The targets were changed. w looks what they hold.");
            super::records::read_again(state)
        }
    }
}

/// Looks what the targets hold.
pub(super) fn check(state: &mut State) -> Vec<Effect> {
    let ticket = state.ticket();
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    let id = main.tenant.id;
    let domain = main.tenant.domain().clone();
    let Some(pane) = &mut main.pane else { return Vec::new() };
    pane.check = Check::Looking(ticket);
    let task = Task {
        client_id: pane.client_id.clone(),
        name: pane.name.clone(),
        auth: None,
        targets: state.records.targets(&pane.client_id).to_vec(),
        procedure: Procedure::Resume(None),
    };
    let row = state.records.latest(&domain, &task.client_id).cloned().map(Box::new);
    vec![Effect::CheckTargets(ticket, id, Box::new(task), row)]
}

pub(super) fn checked(state: &mut State, ticket: Ticket, found: Vec<Checked>) {
    if let Screen::Main(main) = &mut state.screen
        && let Some(pane) = &mut main.pane
        && pane.check == Check::Looking(ticket)
    {
        pane.check = Check::Found(found);
    }
}

/// Edits the field with the focus.
pub(super) fn edit(state: &mut State, request: InputRequest) {
    let Some(Overlay::TargetForm(form)) = &mut state.overlay else { return };
    form.wrong = None;
    if let Some(Value::Text(input)) = form.form.current_mut().map(|field| &mut field.value) {
        input.handle(request);
    }
}
