use super::hide_secrets;
use crate::domain::Environment;
use crate::domain::client::warnings;
use crate::domain::rollover::State as Stands;
use crate::rollover::{Choice as Decision, Ended, Trouble, TroubleKind};
use crate::tui::app::action::Action;
use crate::tui::app::effect::Effect;
use crate::tui::app::job::{Job, JobId, Procedure, Task};
use crate::tui::app::keymap::named;
use crate::tui::app::offer::concern;
use crate::tui::app::records::lacking;
use crate::tui::app::screen::ask_secret::{AskSecret, KeyNeed, Waits};
use crate::tui::app::screen::pane::Pane;
use crate::tui::app::screen::question::Question;
use crate::tui::app::screen::record::Record;
use crate::tui::app::screen::way::{Choice, Way};
use crate::tui::app::screen::{Overlay, Screen};
use crate::tui::app::state::{State, Tone};

/// Does what an action on the rollover in the foreground asks for, or asks first.
pub(super) fn act_on_rollover(state: &mut State, action: Action) -> Vec<Effect> {
    match action {
        Action::NewSecret => return start_now(state, Procedure::Stage),
        Action::Resume => return start_now(state, Procedure::Resume(None)),
        Action::SaveChanges => {
            let anyway = concern(state).is_some_and(|one| {
                let targets = state.records.targets(one.client_id);
                targets.is_empty() || one.row.is_some_and(|row| !lacking(row, targets).is_empty())
            });
            ask(state, Procedure::SaveChanges { anyway });
        }
        Action::TakeBack => ask(state, Procedure::TakeBack),
        Action::Retire => ask(state, Procedure::Retire),
        Action::KeepTheirs => ask(state, Procedure::Resume(Some(Decision::KeepTheirs))),
        Action::SetOurs => ask(state, Procedure::Resume(Some(Decision::SetOurs))),
        Action::Abandon => ask(state, Procedure::Abandon),
        _ => {}
    }
    Vec::new()
}

/// Asks which way the secret is changed.
pub(super) fn ask_which_way(state: &mut State) {
    let Screen::Main(main) = &state.screen else { return };
    let Some(pane) = &main.pane else { return };
    let has_targets = !state.records.targets(&pane.client_id).is_empty();
    hide_secrets(state);
    state.overlay = Some(Overlay::Way(Way { has_targets, selected: 0, asked: state.now }));
}

/// Goes the way that was chosen.
pub(super) fn go(state: &mut State, way: Choice) -> Vec<Effect> {
    state.overlay = None;
    match way {
        Choice::Now => {
            ask(state, Procedure::RotateNow);
            Vec::new()
        }
        Choice::ZeroDowntime => super::act::act(state, crate::tui::app::keymap::Place::Pane, Action::NewSecret),
    }
}

fn task(state: &State, procedure: Procedure) -> Option<Task> {
    let concern = concern(state)?;
    Some(Task {
        client_id: concern.client_id.to_owned(),
        name: concern.name.clone(),
        auth: concern.auth,
        targets: state.records.targets(concern.client_id).to_vec(),
        procedure,
    })
}

fn ask(state: &mut State, procedure: Procedure) {
    let Some(task) = task(state, procedure) else { return };
    let row = concern(state).and_then(|concern| concern.row).filter(|row| !row.state.is_final()).cloned();
    let Screen::Main(main) = &state.screen else { return };
    let client = main.pane.as_ref().filter(|pane| pane.client_id == task.client_id).and_then(Pane::client);
    // What changes nothing that apps notice is not worth typing a name for.
    let harmless = match procedure {
        Procedure::Abandon => true,
        Procedure::TakeBack => row.as_ref().is_some_and(|row| row.state.is_before_change()),
        _ => false,
    };
    let production = main.tenant.environment() == Some(Environment::Production) && !harmless;
    let mut question = Question {
        row,
        warnings: client.map(|client| warnings(client, main.tenant.our_client_id())).unwrap_or_default(),
        can_read_back: main.tenant.scopes().read_secrets().may(),
        asked: state.now,
        typed: None,
        production,
        task,
        below: state.overlay.take().map(Box::new),
    };
    if production || !question.lacking().is_empty() {
        question.typed = Some(tui_input::Input::default());
    }
    hide_secrets(state);
    state.overlay = Some(Overlay::Question(Box::new(question)));
}

/// Yes to the question.
pub(super) fn answered(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::Question(question)) = state.overlay.take() else { return Vec::new() };
    let Question { task, below, .. } = *question;
    state.overlay = below.map(|below| *below);
    let watched = task.procedure == Procedure::RotateNow || matches!(state.overlay, Some(Overlay::Job(_)));
    let (id, effects) = start(state, task);
    if let Some(id) = id.filter(|_| watched) {
        state.overlay = Some(Overlay::Job(id));
    }
    effects
}

fn start_now(state: &mut State, procedure: Procedure) -> Vec<Effect> {
    let Some(task) = task(state, procedure) else { return Vec::new() };
    let watched = matches!(state.overlay, Some(Overlay::Job(_)));
    let (id, effects) = start(state, task);
    if let Some(id) = id.filter(|_| watched) {
        state.overlay = Some(Overlay::Job(id));
    }
    effects
}

fn start(state: &mut State, task: Task) -> (Option<JobId>, Vec<Effect>) {
    let Screen::Main(main) = &state.screen else { return (None, Vec::new()) };
    let (tenant, domain, at) = (main.tenant.id, main.tenant.domain().clone(), main.tenant.called());
    let id = JobId(state.jobs.len());
    // The secret that an earlier job made live may be about to die; it must not be offered any more.
    if !matches!(task.procedure, Procedure::Stage | Procedure::Retire | Procedure::Abandon) {
        for job in state.jobs.iter_mut().filter(|job| job.is_of(&domain, &task.client_id)) {
            job.live = None;
            job.revealed_until = None;
        }
    }
    hide_secrets(state);
    state.notice = None;
    state.jobs.push(Job {
        id,
        tenant,
        domain,
        at,
        task: task.clone(),
        began: state.now,
        current: None,
        steps: Vec::new(),
        row: None,
        live: None,
        ended: None,
        revealed_until: None,
        kept_by_hand: false,
    });
    (Some(id), vec![Effect::Run(id, tenant, Box::new(task))])
}

/// A job cannot begin before a key is there: it is asked for.
pub(super) fn needs_key(state: &mut State, id: JobId, need: KeyNeed, why: String) {
    if matches!(state.overlay, Some(Overlay::AskSecret(_) | Overlay::Question(_))) {
        // Two questions at once answer each other: this one waits until somebody asks for it again.
        let trouble = Trouble::not_now(format!("nothing was done: {why}"), "");
        job_ended(state, id, Err(trouble));
        return;
    }
    let below = state.overlay.take();
    state.overlay = Some(Overlay::AskSecret(Box::new(AskSecret::new(Waits::Job(id, need), why, below))));
}

/// What a job came to.
pub(super) fn job_ended(state: &mut State, id: JobId, ended: Ended) {
    let Some(job) = state.job_mut(id) else { return };
    job.end(ended);
    let (domain, client_id) = (job.domain.clone(), job.task.client_id.clone());
    let line = format!("{}: {}", named(&job.task.name, &client_id), job.summary());
    let (row, leased, unsaved) = (job.row.clone(), job.leased_by().map(str::to_owned), job.unsaved().is_some());
    let person = matches!(job.trouble().map(|one| &one.kind), Some(TroubleKind::InDoubt | TroubleKind::Conflict));
    let tone = match &job.ended {
        Some(Ok(done)) if done.rollover.state == Stands::Unknown => Tone::Warning,
        Some(Ok(_)) => Tone::Good,
        Some(Err(_)) if person || leased.is_some() => Tone::Warning,
        _ => Tone::Bad,
    };
    match leased {
        Some(by) => drop(state.records.leased.insert(client_id.clone(), by)),
        None => drop(state.records.leased.remove(&client_id)),
    }
    let number = row.as_ref().map(|row| row.id.clone());
    if let Some(row) = row {
        state.records.put(row);
    }
    let mut in_pane = false;
    if let Screen::Main(main) = &mut state.screen
        && *main.tenant.domain() == domain
        && let Some(pane) = main.pane.as_mut().filter(|pane| pane.client_id == client_id)
    {
        in_pane = true;
        // What the targets held then, they may no longer hold.
        pane.check = crate::tui::app::screen::pane::Check::Unasked;
    }
    if unsaved {
        hide_secrets(state);
        state.overlay = Some(Overlay::Unsaved(id));
        return;
    }
    let on_page = match &state.overlay {
        Some(Overlay::Job(open)) => *open == id,
        Some(Overlay::Record(record)) => Some(&record.id) == number.as_ref(),
        _ => false,
    };
    if person
        && in_pane
        && state.overlay.is_none()
        && let Some(id) = number
    {
        state.overlay = Some(Overlay::Record(Record { id, scroll: 0 }));
    } else if !on_page {
        let more = if in_pane { "" } else { "  (o shows it)" };
        state.say(tone, format!("{line}{more}"));
    }
}

/// Goes on with a rollover that was found.
pub(super) fn resume_row(state: &mut State, row: &crate::domain::Rollover, procedure: Procedure) -> Vec<Effect> {
    let Screen::Main(main) = &state.screen else { return Vec::new() };
    let catalog = &main.clients.catalog;
    let auth = catalog.find(&row.client_id).and_then(|index| Some(catalog.get(index)?.to_summary().auth));
    let task = Task {
        client_id: row.client_id.clone(),
        name: row.name.clone(),
        auth,
        targets: state.records.targets(&row.client_id).to_vec(),
        procedure,
    };
    start(state, task).1
}
