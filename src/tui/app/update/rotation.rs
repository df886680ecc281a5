use super::hide_secrets;
use crate::auth0::Error;
use crate::domain::Environment;
use crate::domain::client::warnings;
use crate::domain::rotation::Outcome;
use crate::tui::app::effect::Effect;
use crate::tui::app::job::{Job, JobId};
use crate::tui::app::keymap::named;
use crate::tui::app::screen::pane::Pane;
use crate::tui::app::screen::question::Question;
use crate::tui::app::screen::{Overlay, Screen};
use crate::tui::app::state::{State, Tone};

pub(super) fn ask_to_rotate(state: &mut State) {
    let Screen::Main(main) = &state.screen else { return };
    let Some(client) = main.pane.as_ref().and_then(Pane::client) else { return };
    let production = main.tenant.environment() == Some(Environment::Production);
    let question = Question {
        client_id: client.summary.client_id.raw().to_owned(),
        name: client.summary.name.clone(),
        auth: client.summary.auth.clone(),
        warnings: warnings(client, main.tenant.our_client_id()),
        can_read_back: main.tenant.scopes().read_secrets().may(),
        asked: state.now,
        typed: production.then(tui_input::Input::default),
    };
    hide_secrets(state);
    state.overlay = Some(Overlay::Question(Box::new(question)));
}

pub(super) fn start_rotation(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Question(question)) = state.overlay.take() else { return Vec::new() };
    let Screen::Main(main) = &state.screen else { return Vec::new() };
    let (tenant, domain, at) = (main.tenant.id, main.tenant.domain().clone(), main.tenant.called());
    let id = JobId(state.jobs.len());
    // The secret that an earlier rotation made live is about to die; it must not be offered any more.
    for job in state.jobs.iter_mut().filter(|job| job.is_of(&domain, &question.client_id)) {
        job.live = None;
        job.revealed_until = None;
    }
    hide_secrets(state);
    let effect = Effect::Rotate(id, tenant, question.client_id.clone(), question.auth.clone());
    state.jobs.push(Job {
        id,
        tenant,
        domain,
        at,
        client_id: question.client_id,
        name: question.name,
        auth: question.auth,
        began: state.now,
        current: None,
        steps: Vec::new(),
        live: None,
        outcome: None,
        settling: false,
        revealed_until: None,
    });
    state.overlay = Some(Overlay::Rotation(id));
    vec![effect]
}

pub(super) fn rotation_ended(state: &mut State, id: JobId, outcome: Outcome<Error>) {
    let watched = matches!(state.overlay, Some(Overlay::Rotation(open)) if open == id);
    let Some(job) = state.job_mut(id) else { return };
    job.end(outcome);
    let line = format!("{}: {}", named(&job.name, &job.client_id), job.summary());
    let tone = match &job.outcome {
        Some(Outcome::Rotated { .. }) => Tone::Good,
        Some(Outcome::NotApplied(_)) => Tone::Bad,
        _ => Tone::Warning,
    };
    if !watched {
        state.say(tone, format!("{line}  (o shows it)"));
    }
}
