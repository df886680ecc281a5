use ratatui::layout::Rect;

use super::pane::MASK;
use super::progress::steps_line;
use crate::domain::rollover::State as Stands;
use crate::domain::rotation::{Probe, StepOutcome};
use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::job::{Job, Procedure, came_to};
use crate::tui::app::keymap::named;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, paragraph};
use crate::tui::view::text::wrap;

/// Draws one job: its steps, what came of it, the new secret, what to do next.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, job: &Job, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(80);
    let mut lines = paragraph(&named(&job.task.name, &job.task.client_id), cells, theme.title);
    lines.extend(paragraph(&format!("{} at {}", shown(&job.task.client_id), job.at), cells, theme.dim));
    lines.push(Vec::new());
    if let Some(row) = job.row.as_ref().filter(|_| job.task.procedure != Procedure::RotateNow) {
        let row = state.records.get(&row.id).unwrap_or(row);
        lines.extend(steps_line(theme, row, cells));
        lines.push(Vec::new());
    }
    steps(painter, &mut lines, job, state, cells);
    if let Some(secret) = &job.live {
        lines.push(Vec::new());
        let label = if back_again(job) { "Live secret " } else { "New secret  " };
        match job.revealed_until {
            Some(until) => {
                lines.push(vec![
                    Piece::new(label, theme.dim),
                    Piece::new(format!("hides in {} s", until.seconds_from(state.now)), theme.dim),
                    Piece::button("  v hide", theme.key, Action::Reveal),
                    Piece::button("  c copy", theme.key, Action::CopySecret),
                ]);
                // Auth0's own 64 characters stand on a line by themselves, to be selected with the mouse in one go.
                for part in wrap(&shown(secret.expose()), cells) {
                    lines.push(vec![Piece::new(part, theme.secret)]);
                }
            }
            None => lines.push(vec![
                Piece::new(label, theme.dim),
                Piece::new(MASK, theme.text),
                Piece::button("  v reveal", theme.key, Action::Reveal),
                Piece::button("  c copy", theme.key, Action::CopySecret),
            ]),
        }
    }
    lines.push(Vec::new());
    let (title, border) = said(painter, &mut lines, job, cells);
    painter.window(cover, title, border, &lines, cells + 4);
}

fn steps(painter: &Painter<'_>, lines: &mut Vec<Vec<Piece>>, job: &Job, state: &State, cells: u16) {
    let theme = painter.theme;
    for report in &job.steps {
        let (sign, style) = match report.outcome {
            StepOutcome::Done => ("✓", theme.good),
            StepOutcome::Skipped => ("–", theme.dim),
            StepOutcome::Failed => ("✗", theme.danger),
            StepOutcome::InDoubt => ("?", theme.warning),
        };
        let text = if report.detail.is_empty() {
            report.step.doing().to_owned()
        } else {
            format!("{}: {}", report.step.doing(), report.detail)
        };
        for (number, part) in wrap(&text, cells - 2).into_iter().enumerate() {
            let sign = if number == 0 { sign } else { " " };
            lines.push(vec![Piece::new(format!("{sign} "), style), Piece::new(part, theme.text)]);
        }
    }
    if let Some((step, note)) = &job.current {
        let note = note.as_ref().map(|note| format!(": {note}")).unwrap_or_default();
        for (number, part) in wrap(&format!("{}{note}", step.doing()), cells - 2).into_iter().enumerate() {
            let sign = if number == 0 { spinner(state) } else { " " };
            lines.push(vec![Piece::new(format!("{sign} "), theme.accent), Piece::new(part, theme.text)]);
        }
    }
}

/// What came of it and what to do next; title and border of the window.
fn said(
    painter: &Painter<'_>,
    lines: &mut Vec<Vec<Piece>>,
    job: &Job,
    cells: u16,
) -> (&'static str, ratatui::style::Style) {
    let theme = painter.theme;
    let mut say = |text: &str, style| lines.extend(paragraph(text, cells, style));
    let now = job.task.procedure == Procedure::RotateNow;
    match &job.ended {
        None => {
            say("Esc leaves it running; it goes on, and o shows it from anywhere.", theme.dim);
            (if now { "Rotating the client secret" } else { "Under way" }, theme.accent)
        }
        Some(Ok(done)) => {
            match &done.verification {
                Some(seen) if seen.complete() => {
                    let which = if back_again(job) { "old" } else { "new" };
                    say(&format!("✓ Auth0 accepts the {which} secret."), theme.good);
                }
                Some(seen) if seen.old == Some(Probe::Accepted) => {
                    say("! The other secret was still accepted: propagation, up to 30 s.", theme.warning);
                }
                _ => {}
            }
            match done.rollover.state {
                Stands::Unknown => say(
                    "! The secret was rotated, but this token cannot read it. See it in the dashboard, or with a token that has read:client_keys.",
                    theme.warning,
                ),
                Stands::Retired | Stands::Holding if now && job.task.targets.is_empty() => say(
                    "Next: copy it (c), or lines for .env (e), into every app that uses it, and restart them. \
                     Apps that still hold the old one fail from now on.",
                    theme.text,
                ),
                Stands::Retired | Stands::Holding if now => say(
                    "The targets hold it. Next: restart the apps; those that still hold the old one fail from now on.",
                    theme.text,
                ),
                _ => say(came_to(done), theme.text),
            }
            if now && done.rollover.state == Stands::Holding {
                say("! The old secret is kept until you retire it (x).", theme.warning);
            }
            (if now { "Rotated" } else { "Done" }, theme.good)
        }
        Some(Err(trouble)) => {
            say(&format!("✗ {trouble}"), theme.danger);
            let row = job.row.as_ref().map(|row| row.state);
            match (job.error(), row) {
                (Some(error), _) => {
                    say(&error.hint, theme.text);
                    if let Some(id) = &error.correlation_id {
                        say(&format!("Correlation id: {}", shown(id)), theme.dim);
                    }
                    if now && matches!(row, None | Some(Stands::Abandoned)) {
                        say(
                            "Nothing changed: the current secret still works. To try again, press r in the settings.",
                            theme.text,
                        );
                        return ("Not rotated", theme.danger);
                    }
                }
                (None, _) if job.in_doubt() => {
                    if let Some(id) = job.row.as_ref().and_then(|row| row.correlation_id.as_ref()) {
                        say(&format!("Correlation id, in the tenant's log: {}", shown(id)), theme.dim);
                    }
                    match row {
                        Some(Stands::Unknown) => say(
                            "Look again (R) with a token that has read:client_keys; or give it up (A), and rotate once more.",
                            theme.text,
                        ),
                        _ => say(
                            "Look again (R) in a minute: a late request may still arrive. rollover does not send it again by itself. \
                             Or let it rest (A).",
                            theme.text,
                        ),
                    }
                    return ("In doubt", theme.warning);
                }
                (None, Some(Stands::Conflict)) => {
                    say("t keeps theirs, s sets ours, z goes back, A gives it up; o shows what each does.", theme.text);
                    return ("Conflict", theme.warning);
                }
                (None, _) => say(&trouble.hint, theme.text),
            }
            ("Not done", theme.danger)
        }
    }
}

/// Whether it made the old secret live again.
fn back_again(job: &Job) -> bool {
    matches!(job.row.as_ref().map(|row| row.state), Some(Stands::RolledBack | Stands::RollingBack))
}

/// Draws the page of a secret that is live and could be stored nowhere.
pub fn draw_unsaved(painter: &mut Painter<'_>, cover: Rect, job: &Job, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(80);
    let mut lines = paragraph(&named(&job.task.name, &job.task.client_id), cells, theme.title);
    lines.extend(paragraph(&format!("{} at {}", shown(&job.task.client_id), job.at), cells, theme.dim));
    lines.push(Vec::new());
    let text = "! Auth0 has a new secret, it is live, and it is stored nowhere but here. The program does not end before you say that you have kept it.";
    lines.extend(paragraph(text, cells, theme.danger));
    if let Some(trouble) = job.trouble() {
        lines.extend(paragraph(&format!("✗ {trouble}"), cells, theme.danger));
    }
    lines.push(Vec::new());
    match (&job.live, job.revealed_until) {
        (Some(secret), Some(until)) => {
            lines.push(vec![Piece::new(format!("hides in {} s", until.seconds_from(state.now)), theme.dim)]);
            for part in wrap(&shown(secret.expose()), cells) {
                lines.push(vec![Piece::new(part, theme.secret)]);
            }
        }
        _ => lines.push(vec![Piece::new(MASK, theme.text)]),
    }
    lines.push(Vec::new());
    for (key, text, action) in [
        ("c", " copy it", Action::CopySecret),
        ("v", " reveal it, or hide it", Action::Reveal),
        ("K", " I have kept it: go on", Action::KeptByHand),
    ] {
        lines.push(vec![Piece::button(key, theme.key, action), Piece::button(text, theme.text, action)]);
    }
    painter.window(cover, "The new secret could not be stored", theme.danger, &lines, cells + 4);
}
