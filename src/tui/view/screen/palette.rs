use ratatui::layout::Rect;

use crate::tui::app::State;
use crate::tui::app::event::Target;
use crate::tui::app::keymap::{Availability, Binding, availability_below};
use crate::tui::app::screen::palette::Palette;
use crate::tui::view::paint::{Painter, Piece, middle};
use crate::tui::view::text::width;

/// Draws the command palette.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, palette: &Palette, state: &State) {
    let theme = painter.theme;
    let outer = middle(cover, 80, 16);
    let inner = painter.frame(outer, "Commands", theme.accent);
    painter.target(outer, Target::Overlay);
    painter.text(inner.x, inner.y, 2, ":", theme.key);
    let field = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), height: 1, ..inner };
    painter.input(field, &palette.input, theme.text);
    let list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    let choices = palette.choices();
    if choices.is_empty() {
        painter.text(list.x, list.y, list.width, "No action of that name here. Esc goes back.", theme.dim);
    }
    let page = usize::from(list.height);
    let offset = (palette.selected + 1).saturating_sub(page);
    for ((position, binding), y) in choices.iter().enumerate().skip(offset).zip(list.y..list.bottom()) {
        let line = Rect { y, height: 1, ..list };
        draw_choice(painter, line, binding, state, position == palette.selected);
        painter.target(line, Target::Choice(position));
    }
}

fn draw_choice(painter: &mut Painter<'_>, line: Rect, binding: &Binding, state: &State, selected: bool) {
    let theme = painter.theme;
    let availability = availability_below(state, binding.action);
    let (style, why) = match availability {
        Availability::Ready => (theme.text, String::new()),
        Availability::Absent => (theme.dim, "  not now".to_owned()),
        Availability::Blocked(reason) => (theme.dim, format!("  {reason}")),
    };
    if selected {
        painter.style(line, theme.selected);
    }
    let key = binding.keys.first().map(ToString::to_string).unwrap_or_default();
    let key_style = if selected { theme.text } else { theme.key };
    let padding = " ".repeat(usize::from(8_u16.saturating_sub(width(&key))));
    painter.line(
        line,
        &[
            Piece::new(format!("{key}{padding}"), key_style),
            Piece::new(binding.help, style),
            Piece::new(why, theme.dim),
        ],
    );
}
