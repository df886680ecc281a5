use super::act::{act, quit};
use super::hide_secrets;
use super::rollover::{answered, go};
use super::secret::copy_with_secret;
use crate::tui::app::action::Action;
use crate::tui::app::effect::Effect;
use crate::tui::app::event::CopyKind;
use crate::tui::app::job::Procedure;
use crate::tui::app::screen::help::Guide;
use crate::tui::app::screen::record::Record;
use crate::tui::app::screen::way::Choice;
use crate::tui::app::screen::{Overlay, Screen};
use crate::tui::app::state::{REVEAL_STAYS, State, Tone};

pub(super) fn act_in_overlay(state: &mut State, action: Action) -> Vec<Effect> {
    let page = usize::from(state.size.1.saturating_sub(8)).max(1);
    let rollovers = match &state.screen {
        Screen::Main(main) => state.records.of(main.tenant.domain()).count(),
        Screen::Welcome(_) | Screen::SignIn(_) => 0,
    };
    match (&mut state.overlay, action) {
        (Some(Overlay::Tenants(_)), action) => return super::tenants::act_in_switcher(state, action),
        (Some(Overlay::Targets(_) | Overlay::TargetForm(_)), action) => {
            return super::targets::act_in_targets(state, action);
        }
        (Some(Overlay::AskSecret(_)), Action::Submit) => return super::lock::submit_secret(state),
        (Some(Overlay::AskSecret(_)), Action::Back) => super::lock::not_given(state),
        (Some(Overlay::Help(_)), Action::Guide) => state.overlay = Some(Overlay::Guide(Guide::default())),
        (Some(Overlay::Guide(guide)), moving) => match lines_of(moving, page) {
            Some(lines) => guide.scroll = scrolled(guide.scroll, lines),
            None => state.overlay = None,
        },
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
        (Some(Overlay::Way(way)), Action::Up) => way.selected = 0,
        (Some(Overlay::Way(way)), Action::Down) => way.selected = 1,
        (Some(Overlay::Way(way)), Action::Open) => {
            let chosen = way.choices().get(way.selected).copied();
            return chosen.map_or_else(Vec::new, |chosen| go(state, chosen));
        }
        (Some(Overlay::Way(_)), Action::NewSecret) => return go(state, Choice::ZeroDowntime),
        (Some(Overlay::Way(_)), Action::Rotate) => return go(state, Choice::Now),
        (Some(Overlay::Rollovers(selected)), Action::Up) => *selected = selected.saturating_sub(1),
        (Some(Overlay::Rollovers(selected)), Action::Down) => {
            *selected = (*selected + 1).min(rollovers.saturating_sub(1));
        }
        (Some(Overlay::Rollovers(_)), Action::Open) => open_rollover(state),
        (Some(Overlay::Record(record)), moving) if lines_of(moving, page).is_some() => {
            if let Some(lines) = lines_of(moving, page) {
                record.scroll = scrolled(record.scroll, lines);
            }
        }
        (Some(Overlay::Unsaved(id)), Action::KeptByHand) => {
            let id = *id;
            if let Some(job) = state.job_mut(id) {
                job.kept_by_hand = true;
            }
            hide_secrets(state);
            state.overlay = Some(Overlay::Job(id));
        }
        (Some(Overlay::Job(id) | Overlay::Unsaved(id)), Action::Reveal) => {
            let (id, until) = (*id, state.now.after(REVEAL_STAYS));
            if let Some(job) = state.job_mut(id) {
                job.revealed_until = if job.revealed_until.is_some() { None } else { Some(until) };
            }
        }
        (Some(Overlay::Job(id) | Overlay::Unsaved(id)), Action::CopySecret | Action::CopyEnv) => {
            let id = *id;
            let kind = if action == Action::CopyEnv { CopyKind::Env } else { CopyKind::Secret };
            if let Some(job) = state.job(id)
                && let Some(secret) = &job.live
            {
                return copy_with_secret(&job.domain.to_string(), kind, &job.task.client_id, secret);
            }
        }
        (Some(Overlay::Question(question)), Action::Yes) => {
            if question.typed.is_some() && !question.typed_right() {
                state.say(Tone::Warning, "That is not the client's name yet.");
                return Vec::new();
            }
            return answered(state);
        }
        (Some(Overlay::Quit), Action::Yes) => return quit(state),
        (Some(Overlay::Question(question)), Action::No) => {
            let below = question.below.take();
            state.overlay = below.map(|below| *below);
        }
        (Some(Overlay::Quit), Action::No) => state.overlay = None,
        (Some(_), Action::Back) => {
            hide_secrets(state);
            state.overlay = None;
        }
        _ => {}
    }
    Vec::new()
}

/// Opens the selected rollover: the job's page where this run worked on it last, else the record's.
fn open_rollover(state: &mut State) {
    let Some(Overlay::Rollovers(selected)) = &state.overlay else { return };
    let Screen::Main(main) = &state.screen else { return };
    let Some(id) = state.records.of(main.tenant.domain()).nth(*selected).map(|row| row.id.clone()) else { return };
    let is_of = |job: &&crate::tui::app::job::Job| job.row.as_ref().is_some_and(|row| row.id == id);
    let job = state.jobs.iter().rev().find(is_of).filter(|job| job.task.procedure == Procedure::RotateNow);
    state.overlay = Some(match job {
        Some(job) => Overlay::Job(job.id),
        None => Overlay::Record(Record { id, scroll: 0 }),
    });
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
