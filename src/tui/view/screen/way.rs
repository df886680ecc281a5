use ratatui::layout::Rect;

use crate::tui::app::State;
use crate::tui::app::event::Target;
use crate::tui::app::keymap::named;
use crate::tui::app::offer::concern;
use crate::tui::app::screen::way::{Choice, Way};
use crate::tui::view::paint::{Painter, Piece, paragraph};

/// Draws the ways in which a secret can be changed.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, way: Way, state: &State) {
    let theme = painter.theme;
    let Some(concern) = concern(state) else { return };
    let cells = cover.width.saturating_sub(8).min(72);
    let mut lines = paragraph(&named(concern.name, concern.client_id), cells, theme.title);
    lines.push(Vec::new());
    let open = concern.row.filter(|row| !row.state.is_final());
    let mut places = Vec::new();
    for (position, choice) in way.choices().into_iter().enumerate() {
        let (key, head, text) = match choice {
            Choice::ZeroDowntime => {
                let text = match (open, way.has_targets) {
                    (Some(row), _) => format!("It has begun already: it is {}.", row.state.words()),
                    (None, true) => "A new secret is written to the targets as their fallback, and becomes live when you save the \
                                     changes. Apps that try it go on, and it can be taken back."
                        .to_owned(),
                    (None, false) => "A new secret is staged; you give it to the apps, and make it live when they have it. With targets \
                                      (a), rollover does that."
                        .to_owned(),
                };
                ("z", "Zero downtime", text)
            }
            Choice::Now => {
                let text = if open.is_some() {
                    "For leaks: Auth0 chooses a secret, and the old one dies within 30 seconds. What has begun here ends."
                } else {
                    "For leaks: Auth0 chooses a secret, and the old one dies within 30 seconds. Apps fail until they have it."
                };
                ("r", "Now", text.to_owned())
            }
        };
        places.push((lines.len(), position));
        let mark = if position == way.selected { "› " } else { "  " };
        lines.push(vec![
            Piece::new(mark, theme.key),
            Piece::new(format!("{key}  "), theme.key),
            Piece::new(head, theme.title),
        ]);
        for line in paragraph(&text, cells.saturating_sub(5), theme.text) {
            lines.push(std::iter::once(Piece::new("     ", theme.text)).chain(line).collect());
        }
        lines.push(Vec::new());
    }
    let end = lines.len();
    let inner = painter.window(cover, "Which way?", theme.accent, &lines, cells + 4);
    for (number, (line, position)) in places.iter().enumerate() {
        let next = places.get(number + 1).map_or(end, |(next, _)| *next);
        let (Ok(line), Ok(height)) = (u16::try_from(*line), u16::try_from(next - line)) else { continue };
        painter.target(Rect { y: inner.y + line, height, ..inner }, Target::Choice(*position));
    }
}
