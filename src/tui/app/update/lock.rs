use std::sync::Arc;

use super::hide_secrets;
use super::tenants::open_again;
use crate::domain::{Needs, Secret};
use crate::rollover::Trouble;
use crate::tui::app::effect::Effect;
use crate::tui::app::event::PendingTrouble;
use crate::tui::app::keymap::pending_of;
use crate::tui::app::screen::ask_secret::{AskSecret, SHORTEST_PASSPHRASE, Waits};
use crate::tui::app::screen::pane::{PendingView, Purpose};
use crate::tui::app::screen::{Overlay, Screen};
use crate::tui::app::state::{REVEAL_STAYS, State, Ticket, Tone};

/// Forgets what was opened, where nothing was typed for long enough.
pub(super) fn lock_if_due(state: &mut State) -> Vec<Effect> {
    if state.lock_at().is_none_or(|at| at > state.now) {
        return Vec::new();
    }
    hide_secrets(state);
    state.unsealed = false;
    state.locked = true;
    for job in &mut state.jobs {
        if job.unsaved().is_some() {
            continue;
        }
        job.live = None;
        if let Some(Ok(done)) = &mut job.ended {
            done.secret = None;
        }
    }
    let minutes = state.records.arrangements.lock_after_minutes;
    state
        .say(Tone::Info, format!("Locked: nothing was typed for {minutes} minutes. The next secret asks for the key."));
    let mut effects = vec![Effect::Lock];
    if state.clipboard.take_if(|held| held.by_terminal).is_some() {
        effects.push(Effect::ClearTerminalClipboard);
    }
    effects
}

/// Shows the pending secret, or hides it; or copies it.
pub(super) fn open_pending(state: &mut State, purpose: Purpose) -> Vec<Effect> {
    let ticket = state.ticket();
    let Screen::Main(main) = &state.screen else { return Vec::new() };
    let Some(row) = pending_of(state, main).cloned() else { return Vec::new() };
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    let id = main.tenant.id;
    let Some(pane) = &mut main.pane else { return Vec::new() };
    match (&pane.pending, purpose) {
        (PendingView::Shown { .. } | PendingView::Opening { purpose: Purpose::Reveal, .. }, Purpose::Reveal) => {
            pane.pending = PendingView::Masked;
            Vec::new()
        }
        (PendingView::Shown { secret, .. }, Purpose::Copy(kind)) => vec![Effect::CopySecret(kind, Arc::clone(secret))],
        _ => {
            pane.pending = PendingView::Opening { ticket, purpose };
            vec![Effect::OpenPending(ticket, id, Box::new(row))]
        }
    }
}

pub(super) fn pending_opened(
    state: &mut State,
    ticket: Ticket,
    result: Result<Option<Arc<Secret>>, PendingTrouble>,
) -> Vec<Effect> {
    let until = state.now.after(REVEAL_STAYS);
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    let Some(pane) = &mut main.pane else { return Vec::new() };
    let PendingView::Opening { ticket: asked, purpose } = pane.pending else { return Vec::new() };
    if asked != ticket {
        return Vec::new();
    }
    pane.pending = PendingView::Masked;
    match (result, purpose) {
        (Ok(Some(secret)), Purpose::Reveal) => pane.pending = PendingView::Shown { secret, until },
        (Ok(Some(secret)), Purpose::Copy(kind)) => return vec![Effect::CopySecret(kind, secret)],
        (Ok(None), _) => pane.pending = PendingView::Failed("the ledger does not hold it any more".to_owned()),
        (Err(PendingTrouble::Needs(need, why)), _) if state.overlay.is_none() => {
            let ask = AskSecret::new(Waits::Pending(purpose, need), why, None);
            state.overlay = Some(Overlay::AskSecret(Box::new(ask)));
        }
        (Err(PendingTrouble::Needs(_, why) | PendingTrouble::Failed(why)), _) => {
            pane.pending = PendingView::Failed(why);
        }
    }
    Vec::new()
}

/// What is typed goes out.
pub(super) fn submit_secret(state: &mut State) -> Vec<Effect> {
    let Some(Overlay::AskSecret(ask)) = &mut state.overlay else { return Vec::new() };
    ask.wrong = None;
    if ask.typed.is_empty() {
        ask.wrong = Some("Nothing was typed yet.".to_owned());
        return Vec::new();
    }
    let secret: Arc<Secret> = ask.typed.secret();
    if ask.waits.chooses() {
        match &ask.first {
            None if secret.chars() < SHORTEST_PASSPHRASE => {
                ask.wrong = Some(format!("A passphrase has at least {SHORTEST_PASSPHRASE} characters."));
                return Vec::new();
            }
            None => {
                ask.first = Some(std::mem::take(&mut ask.typed));
                return Vec::new();
            }
            Some(first) if !first.secret().same_as(&secret) => {
                ask.wrong = Some("The two are not the same; once more from the beginning.".to_owned());
                ask.first = None;
                ask.typed.clear();
                return Vec::new();
            }
            Some(_) => {}
        }
    }
    match ask.waits {
        Waits::Tenant(id, Needs::Passphrase) => {
            ask.trying = true;
            ask.typed.clear();
            vec![Effect::Unlock(id, secret)]
        }
        Waits::Tenant(id, Needs::Credential(_)) => {
            state.overlay = None;
            let Screen::Main(main) = &mut state.screen else { return Vec::new() };
            main.tenant.closed = None;
            vec![Effect::OpenWith(id, Box::new(main.tenant.which.profile.clone()), secret)]
        }
        Waits::Job(..) | Waits::Pending(..) => {
            ask.trying = true;
            ask.typed.clear();
            vec![Effect::GivePassphrase(secret, ask.waits.chooses())]
        }
    }
}

/// The passphrase was taken: what waited for it goes on.
pub(super) fn passphrase_given(state: &mut State, result: Result<(), String>) -> Vec<Effect> {
    let Some(Overlay::AskSecret(ask)) = &mut state.overlay else { return Vec::new() };
    if let Err(why) = result {
        ask.trying = false;
        ask.first = None;
        ask.wrong = Some(why);
        return Vec::new();
    }
    let (waits, below) = (ask.waits, ask.below.take());
    state.overlay = below.map(|below| *below);
    state.unsealed = true;
    state.locked = false;
    match waits {
        Waits::Tenant(id, _) => open_again(state, id),
        Waits::Pending(purpose, _) => open_pending(state, purpose),
        Waits::Job(id, _) => {
            let Some(job) = state.job_mut(id) else { return Vec::new() };
            job.again();
            vec![Effect::Run(id, job.tenant, Box::new(job.task.clone()))]
        }
    }
}

/// Nobody gives it: what waited for it does not begin.
pub(super) fn not_given(state: &mut State) {
    let Some(Overlay::AskSecret(ask)) = state.overlay.take() else { return };
    state.overlay = ask.below.map(|below| *below);
    if let Waits::Job(id, _) = ask.waits {
        let trouble = Trouble::not_now("nothing was done: the passphrase was not given", "");
        super::rollover::job_ended(state, id, Err(trouble));
    }
}
