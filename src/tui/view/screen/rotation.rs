use ratatui::layout::Rect;

use super::pane::MASK;
use crate::domain::rotation::{Outcome, Probe, StepOutcome, Verdict};
use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::event::Target;
use crate::tui::app::job::Job;
use crate::tui::app::keymap::named;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, middle, paragraph};
use crate::tui::view::text::{fit, wrap};

/// Draws one rotation: its steps, what came of it, the new secret, what to do next.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, job: &Job, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(80);
    let mut lines = paragraph(&named(&job.name, &job.client_id), cells, theme.title);
    lines.extend(paragraph(&format!("{} at {}", shown(&job.client_id), job.at), cells, theme.dim));
    lines.push(Vec::new());
    steps(painter, &mut lines, job, state, cells);
    if let Some(secret) = &job.live {
        lines.push(Vec::new());
        let label = "New secret  ";
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
    match &job.outcome {
        None => {
            say("Esc leaves it running; it goes on, and o shows it from anywhere.", theme.dim);
            ("Rotating the client secret", theme.accent)
        }
        Some(Outcome::Rotated { secret, verification }) => {
            match verification {
                Some(seen) if seen.complete() => say("✓ Auth0 accepts the new secret.", theme.good),
                Some(seen) if seen.old == Some(Probe::Accepted) => {
                    say("! The old secret was still accepted: propagation takes up to 30 s.", theme.warning);
                }
                Some(seen) if seen.new == Probe::Rejected => {
                    say("! The new secret was not accepted yet: propagation takes up to 30 s.", theme.warning);
                }
                _ => {}
            }
            if secret.is_some() {
                say(
                    "Next: copy it (c), or lines for .env (e), into every app that uses it, and restart them. \
                     Apps that still hold the old one fail from now on.",
                    theme.text,
                );
            } else {
                say(
                    "! The secret was rotated, but this token cannot read it. See it in the dashboard, or with a token that has read:client_keys.",
                    theme.warning,
                );
            }
            ("Rotated", theme.good)
        }
        Some(Outcome::NotApplied(error)) => {
            say(&format!("✗ {error}"), theme.danger);
            say(&error.hint, theme.text);
            if let Some(id) = &error.correlation_id {
                say(&format!("Correlation id: {}", shown(id)), theme.dim);
            }
            say("Nothing changed: the current secret still works. To try again, press r in the settings.", theme.text);
            ("Not rotated", theme.danger)
        }
        Some(Outcome::InDoubt { error, verdict, .. }) => {
            say(&format!("✗ {error}"), theme.danger);
            match verdict {
                Verdict::Changed(_) => {
                    say(
                        "✓ The secret has changed: the request was applied, once. The new secret is above.",
                        theme.good,
                    );
                    say("Next: copy it (c) into every app that uses it, and restart them.", theme.text);
                }
                Verdict::Unchanged => {
                    say(
                        "? The secret is still the old one. The request can still arrive: look again (a) in a minute.",
                        theme.warning,
                    );
                    say("rollover does not send it again by itself.", theme.text);
                }
                Verdict::CannotKnow(why) => {
                    say(&format!("? It cannot be told whether it was rotated: {}", shown(why)), theme.warning);
                    say(
                        "Look again (a), or compare the secret in the dashboard with what your apps hold. rollover does not send it again by itself.",
                        theme.text,
                    );
                }
            }
            if let Some(id) = &error.correlation_id {
                say(&format!("Correlation id, in the tenant's log: {}", shown(id)), theme.dim);
            }
            if job.settling {
                say("Looking again…", theme.accent);
            }
            match verdict {
                Verdict::Changed(_) => ("Rotated, though the answer was lost", theme.warning),
                _ => ("In doubt", theme.warning),
            }
        }
    }
}

/// Draws the rotations of this run.
pub fn draw_list(painter: &mut Painter<'_>, cover: Rect, selected: usize, state: &State) {
    let theme = painter.theme;
    let height = u16::try_from(state.jobs.len()).unwrap_or(u16::MAX).saturating_add(2);
    let outer = middle(cover, 100, height);
    let inner = painter.frame(outer, "Rotations of this run", theme.accent);
    painter.target(outer, Target::Overlay);
    let page = usize::from(inner.height);
    let offset = (selected + 1).saturating_sub(page);
    for ((position, job), y) in state.jobs.iter().enumerate().skip(offset).zip(inner.y..inner.bottom()) {
        let line = Rect { y, height: 1, ..inner };
        if position == selected {
            painter.style(line, theme.selected);
        }
        let sign = if job.runs() {
            spinner(state)
        } else if job.in_doubt() {
            "?"
        } else {
            "·"
        };
        let name = named(&job.name, &job.client_id);
        painter.line(
            line,
            &[Piece::new(format!("{sign} {}  {}", fit(&name, 30), job.summary()), ratatui::style::Style::new())],
        );
        painter.target(line, Target::Choice(position));
    }
}
