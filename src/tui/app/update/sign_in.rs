use tui_input::InputRequest;

use super::{open_stored, show_tenant};
use crate::domain::{OpenFailure, Profile};
use crate::tui::app::action::Action;
use crate::tui::app::effect::Effect;
use crate::tui::app::screen::form::{Field, FieldId, Value};
use crate::tui::app::screen::sign_in::{SignIn, Step, Tried};
use crate::tui::app::screen::{Screen, Welcome};
use crate::tui::app::state::{State, Ticket, Tone, Which};

/// What the form that connects a tenant does.
pub(super) fn act_in_form(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::Submit => return submit(state),
        Action::Back => return back(state),
        _ => {}
    }
    let surroundings = state.surroundings.clone().unwrap_or_default();
    let Screen::SignIn(sign_in) = &mut state.screen else { return Vec::new() };
    match action {
        Action::NextField => sign_in.form.move_by(1),
        Action::PreviousField => sign_in.form.move_by(-1),
        Action::NextValue => sign_in.form.turn(1),
        Action::PreviousValue => sign_in.form.turn(-1),
        _ => {}
    }
    if matches!(sign_in.step, Step::Review(_)) {
        SignIn::follow_keep(&mut sign_in.form, &surroundings);
    }
    Vec::new()
}

/// Goes on: to a field that must be filled and is not, else with what was filled in.
pub(super) fn submit(state: &mut State) -> Vec<Effect> {
    let ticket = state.ticket();
    let others: Vec<Profile> = state.known.iter().map(|known| known.profile.clone()).collect();
    let Screen::SignIn(sign_in) = &mut state.screen else { return Vec::new() };
    sign_in.wrong = None;
    if let Some(empty) = sign_in.form.next_empty() {
        if empty == sign_in.form.at {
            let label = sign_in.form.current().map_or("", |field| field.id.label());
            sign_in.wrong = Some((format!("{label} is missing"), String::new()));
        }
        sign_in.form.at = empty;
        return Vec::new();
    }
    match &sign_in.step {
        Step::Credentials => match sign_in.attempt() {
            Ok(attempt) => {
                sign_in.step = Step::Trying(ticket);
                sign_in.draft = Some(attempt.profile.clone());
                sign_in.secret.clone_from(&attempt.secret);
                vec![Effect::TrySignIn(ticket, Box::new(attempt))]
            }
            Err((field, why)) => wrong(sign_in, field, why),
        },
        Step::Review(tried) => match sign_in.storing(&others) {
            Ok(storing) => {
                let tried = tried.clone();
                sign_in.draft = Some(storing.profile.clone());
                sign_in.step = Step::Storing(ticket, tried);
                vec![Effect::StoreTenant(ticket, Box::new(storing))]
            }
            Err((field, why)) => wrong(sign_in, field, why),
        },
        Step::Trying(_) | Step::Storing(..) => Vec::new(),
    }
}

fn wrong(sign_in: &mut SignIn, field: FieldId, why: String) -> Vec<Effect> {
    sign_in.wrong = Some((why, String::new()));
    if let Some(at) = sign_in.form.fields.iter().position(|one| one.id == field) {
        sign_in.form.at = at;
    }
    Vec::new()
}

/// One step back: from the review to the credentials, from there to where it was begun.
fn back(state: &mut State) -> Vec<Effect> {
    let Screen::SignIn(sign_in) = &mut state.screen else { return Vec::new() };
    match &sign_in.step {
        // An answer that comes now has an old ticket.
        Step::Trying(_) => sign_in.step = Step::Credentials,
        // It may be stored already, and it may not: what is on the disk is told by the list of tenants.
        Step::Storing(..) => {}
        Step::Review(_) => {
            let back = sign_in.back.take();
            **sign_in = SignIn::new(sign_in.kind, sign_in.draft.as_ref(), back);
        }
        Step::Credentials => {
            let back = sign_in.back.take();
            state.screen = Screen::Welcome(Welcome { back, ..Welcome::default() });
        }
    }
    Vec::new()
}

/// Takes in what came of signing in for the first time.
pub(super) fn tried(state: &mut State, ticket: Ticket, result: Result<Tried, OpenFailure>) {
    let surroundings = state.surroundings.clone().unwrap_or_default();
    let Screen::SignIn(sign_in) = &mut state.screen else { return };
    if !matches!(sign_in.step, Step::Trying(asked) if asked == ticket) {
        return;
    }
    match (result, &sign_in.draft) {
        (Ok(tried), Some(draft)) => {
            sign_in.form = SignIn::review(draft, &tried, &surroundings);
            // What is needed is filled in; the environment is what a person should look at, where nobody has said it.
            sign_in.form.at = usize::from(draft.environment.or(tried.greeting.environment).is_none());
            sign_in.step = Step::Review(Box::new(tried));
        }
        (Ok(_), None) => {}
        (Err(failure), _) => sign_in.failed(failure),
    }
}

/// Takes in what came of storing: the tenant is opened.
pub(super) fn stored(state: &mut State, ticket: Ticket, result: Result<(), String>) -> Vec<Effect> {
    let Screen::SignIn(sign_in) = &mut state.screen else { return Vec::new() };
    let Step::Storing(asked, tried) = &sign_in.step else { return Vec::new() };
    if *asked != ticket {
        return Vec::new();
    }
    if let Err(why) = result {
        sign_in.wrong = Some((why, "Nothing was stored.".to_owned()));
        sign_in.step = Step::Review(tried.clone());
        return Vec::new();
    }
    let (Some(profile), secret) = (sign_in.draft.clone(), sign_in.secret.take()) else { return Vec::new() };
    let name = crate::domain::untrusted::shown(&profile.name).into_owned();
    let mut effects = match secret {
        // Kept nowhere: it lives as long as this run.
        Some(secret) if profile.kept.is_none() => {
            show_tenant(state, Which::chosen(profile));
            let Screen::Main(main) = &state.screen else { return Vec::new() };
            vec![Effect::OpenWith(main.tenant.id, Box::new(main.tenant.which.profile.clone()), secret)]
        }
        _ => open_stored(state, Which::chosen(profile)),
    };
    effects.push(Effect::Survey);
    state.say(Tone::Good, format!("Connected as {name}; `rollover` opens it from now on."));
    effects
}

/// Edits the field with the focus.
pub(super) fn edit(state: &mut State, request: InputRequest) {
    let Screen::SignIn(sign_in) = &mut state.screen else { return };
    sign_in.wrong = None;
    match sign_in.form.current_mut().map(|field| &mut field.value) {
        Some(Value::Text(input)) => {
            input.handle(request);
        }
        Some(Value::Hidden(hidden)) => super::keys::edit_hidden(hidden, request),
        Some(Value::Choice { .. }) | None => {}
    }
}

/// Takes pasted text into the field with the focus. A private key makes its field a hidden one.
pub(super) fn paste(state: &mut State, text: &str) {
    let Screen::SignIn(sign_in) = &mut state.screen else { return };
    sign_in.wrong = None;
    let Some(field) = sign_in.form.current_mut() else { return };
    if field.id == FieldId::PrivateKey && text.contains("-----BEGIN") {
        *field = Field::hidden(FieldId::PrivateKey);
    }
    match &mut field.value {
        Value::Hidden(hidden) => hidden.push(text),
        Value::Text(input) => {
            let line = text.lines().next().unwrap_or_default();
            for character in line.chars().filter(|c| !c.is_control()).take(2048) {
                input.handle(InputRequest::InsertChar(character));
            }
        }
        Value::Choice { .. } => {}
    }
}
