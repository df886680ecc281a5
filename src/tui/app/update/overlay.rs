use super::act::{act, quit};
use super::hide_secrets;
use super::rotation::start_rotation;
use super::secret::copy_with_secret;
use crate::domain::rotation::Outcome;
use crate::tui::app::action::Action;
use crate::tui::app::effect::Effect;
use crate::tui::app::event::CopyKind;
use crate::tui::app::job::JobId;
use crate::tui::app::screen::Overlay;
use crate::tui::app::state::{REVEAL_STAYS, State, Tone};

pub(super) fn act_in_overlay(state: &mut State, action: Action) -> Vec<Effect> {
    let page = usize::from(state.size.1.saturating_sub(8)).max(1);
    let jobs = state.jobs.len();
    match (&mut state.overlay, action) {
        (Some(Overlay::Tenants(_)), action) => return super::tenants::act_in_switcher(state, action),
        (Some(Overlay::AskSecret(_)), Action::Submit) => return super::tenants::submit_secret(state),
        (Some(Overlay::Help(help)), moving) => match lines_of(moving, page) {
            // The view knows how long the text is and stops at its end; see `view::screen::help`.
            Some(lines) => help.scroll = scrolled(help.scroll, lines),
            None => state.overlay = None,
        },
        (Some(Overlay::Doctor(doctor)), moving) => match lines_of(moving, page) {
            Some(lines) => doctor.scroll = scrolled(doctor.scroll, lines),
            None => state.overlay = None,
        },
        (Some(Overlay::Palette(palette)), Action::Up) => palette.selected = palette.selected.saturating_sub(1),
        (Some(Overlay::Palette(palette)), Action::Down) => {
            palette.selected = (palette.selected + 1).min(palette.choices().len().saturating_sub(1));
        }
        (Some(Overlay::Palette(palette)), Action::Open) => {
            let chosen = palette.choices().get(palette.selected).map(|binding| binding.action);
            let from = palette.from;
            if let Some(chosen) = chosen {
                state.overlay = None;
                return act(state, from, chosen);
            }
        }
        (Some(Overlay::Rotations(selected)), Action::Up) => *selected = selected.saturating_sub(1),
        (Some(Overlay::Rotations(selected)), Action::Down) => *selected = (*selected + 1).min(jobs - 1),
        (Some(Overlay::Rotations(selected)), Action::Open) => {
            state.overlay = Some(Overlay::Rotation(JobId(*selected)));
        }
        (Some(Overlay::Rotation(id)), Action::Reveal) => {
            let (id, until) = (*id, state.now.after(REVEAL_STAYS));
            if let Some(job) = state.job_mut(id) {
                job.revealed_until = if job.revealed_until.is_some() { None } else { Some(until) };
            }
        }
        (Some(Overlay::Rotation(id)), Action::CopySecret | Action::CopyEnv) => {
            let id = *id;
            let kind = if action == Action::CopyEnv { CopyKind::Env } else { CopyKind::Secret };
            if let Some(job) = state.job(id)
                && let Some(secret) = &job.live
            {
                return copy_with_secret(&job.domain.to_string(), kind, &job.client_id, secret);
            }
        }
        (Some(Overlay::Rotation(id)), Action::CheckAgain) => {
            let id = *id;
            if let Some(job) = state.job_mut(id) {
                job.settling = true;
                let before = match &job.outcome {
                    Some(Outcome::InDoubt { before, .. }) => before.clone(),
                    _ => None,
                };
                return vec![Effect::Settle(id, job.tenant, job.client_id.clone(), before)];
            }
        }
        (Some(Overlay::Question(question)), Action::Yes) => {
            if question.typed.is_some() && !question.typed_right() {
                state.say(Tone::Warning, "That is not the client's name yet.");
                return Vec::new();
            }
            return start_rotation(state);
        }
        (Some(Overlay::Quit), Action::Yes) => return quit(state),
        (Some(Overlay::Question(_) | Overlay::Quit), Action::No) => state.overlay = None,
        (Some(_), Action::Back) => {
            hide_secrets(state);
            state.overlay = None;
        }
        _ => {}
    }
    Vec::new()
}

/// How many lines a move goes; `None`: it is no move.
fn lines_of(moving: Action, page: usize) -> Option<isize> {
    Some(match moving {
        Action::Up => -1,
        Action::Down => 1,
        Action::PageUp => -page.cast_signed(),
        Action::PageDown => page.cast_signed(),
        Action::First => isize::MIN,
        Action::Last => isize::MAX,
        _ => return None,
    })
}

/// A text's first line after a move; no text is longer than this.
fn scrolled(scroll: usize, lines: isize) -> usize {
    scroll.saturating_add_signed(lines).min(400)
}
