use ratatui::layout::Rect;

use crate::tui::app::keymap::{self, Binding, Place};
use crate::tui::app::screen::help::Help;
use crate::tui::view::paint::{Painter, Piece};
use crate::tui::view::text::width;

/// Draws all keys, from the table of bindings.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, help: Help) {
    let theme = painter.theme;
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let mut section = |title: &str, bindings: &mut dyn Iterator<Item = &Binding>| {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![Piece::new(title, theme.title)]);
        for binding in bindings {
            let keys: Vec<_> = binding.keys.iter().map(ToString::to_string).collect();
            let keys = keys.join(" ");
            let padding = usize::from(18_u16.saturating_sub(width(&keys)));
            lines.push(vec![
                Piece::new(format!("  {keys}{}", " ".repeat(padding)), theme.key),
                Piece::new(format!(" {}", binding.help), theme.text),
            ]);
        }
    };
    for place in Place::ALL {
        section(place.title(), &mut keymap::at(place).filter(|binding| !binding.everywhere()));
    }
    section("Everywhere", &mut keymap::BINDINGS.iter().filter(|binding| binding.everywhere()));
    lines.push(Vec::new());
    for line in [
        "Mouse: click a name or ⚙ to open, the box to reveal, ⟳ to rotate, a key in the footer to press it.",
        "A revealed secret hides after 30 s, on leaving, and when the terminal loses the focus.",
        "A copied secret leaves the clipboard after 30 s.",
    ] {
        lines.extend(crate::tui::view::paint::paragraph(line, cover.width.saturating_sub(8).min(92), theme.dim));
    }
    let outer = crate::tui::view::paint::middle(cover, 96, cover.height);
    painter.scrolled(outer, "Keys", &lines, help.scroll);
}
