use ratatui::layout::Rect;

use crate::domain::client::Warning;
use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::keymap::named;
use crate::tui::app::screen::Screen;
use crate::tui::app::screen::question::Question;
use crate::tui::view::paint::{Painter, Piece, paragraph};

/// Draws the question before a rotation.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, question: &Question, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(72);
    let Screen::Main(main) = &state.screen else { return };
    let name = named(&question.name, &question.client_id);
    let mut lines = paragraph(&name, cells, theme.title);
    lines.extend(paragraph(&format!("client id  {}", shown(&question.client_id)), cells, theme.text));
    let environment =
        main.tenant.environment().map(|environment| format!("  ({})", environment.name())).unwrap_or_default();
    let tenant = main.tenant.called();
    // The badge says it in the tenant's colour, the words say it without.
    lines.push(vec![
        Piece::new("tenant     ", theme.text),
        Piece::new(format!(" {tenant} "), theme.badge(main.tenant.colour())),
        Piece::new(environment, theme.text),
    ]);
    lines.push(Vec::new());
    lines.extend(paragraph(
        "The current secret stops working within 30 seconds; every app that uses it must be updated.",
        cells,
        theme.text,
    ));
    for warning in &question.warnings {
        let style = if *warning == Warning::Public { theme.text } else { theme.warning };
        lines.extend(paragraph(&format!("! {}", warning.sentence()), cells, style));
    }
    if !question.can_read_back {
        let text = "! The token lacks read:client_keys: should the answer get lost, nobody could tell here whether it was rotated.";
        lines.extend(paragraph(text, cells, theme.warning));
    }
    lines.push(Vec::new());
    let mut field = None;
    // What does not work yet is not offered yet: a key or a click that was meant for what stood here before finds nothing.
    if !question.listens(state.now) {
        let later = if question.typed.is_some() { 3 } else { 1 };
        lines.extend(std::iter::repeat_n(Vec::new(), later));
    } else if question.typed.is_some() {
        lines.extend(paragraph(
            "This is production. Type the client's name, or its id, then Enter:",
            cells,
            theme.title,
        ));
        field = Some(lines.len());
        lines.push(vec![Piece::new("> ", theme.key)]);
        let (text, style) = if question.typed_right() {
            ("✓ Enter rotates it now.", theme.danger)
        } else {
            ("Esc leaves everything as it is.", theme.dim)
        };
        lines.push(vec![Piece::new(text, style)]);
    } else {
        lines.push(vec![
            Piece::button("y", theme.danger, Action::Yes),
            Piece::button(" rotate now", theme.danger, Action::Yes),
            Piece::new("     ", theme.text),
            Piece::button("n", theme.key, Action::No),
            Piece::button(" leave it as it is", theme.text, Action::No),
        ]);
    }
    let inner = painter.window(cover, "Rotate the client secret?", theme.danger, &lines, cells + 4);
    if let (Some(line), Some(typed)) = (field, &question.typed)
        && let Ok(line) = u16::try_from(line)
    {
        let area = Rect { x: inner.x + 2, y: inner.y + line, width: inner.width.saturating_sub(2), height: 1 };
        if area.y < inner.bottom() {
            painter.input(area, typed, theme.text);
        }
    }
}

/// Draws the question before quitting while something is under way.
pub fn draw_quit(painter: &mut Painter<'_>, cover: Rect, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(64);
    let mut lines = Vec::new();
    for job in state.running() {
        let text = format!("{}: {}", named(&job.name, &job.client_id), job.summary());
        lines.extend(paragraph(&text, cells, theme.text));
    }
    lines.push(Vec::new());
    lines.extend(paragraph(
        "Quitting waits for the request that is on its way, 10 s at most, and says what came of it. What is left of the verification is dropped.",
        cells,
        theme.text,
    ));
    lines.push(Vec::new());
    lines.push(vec![
        Piece::button("y", theme.danger, Action::Yes),
        Piece::button(" quit all the same", theme.text, Action::Yes),
        Piece::new("     ", theme.text),
        Piece::button("n", theme.key, Action::No),
        Piece::button(" stay", theme.text, Action::No),
    ]);
    painter.window(cover, "A rotation is under way", theme.warning, &lines, cells + 4);
}
