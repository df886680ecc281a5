use ratatui::layout::Rect;

use crate::tui::app::keymap::{self, Binding, Place};
use crate::tui::app::screen::help::{Guide, Help};
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
        "f: how an app is taught to try a fallback.",
        "Mouse: click a name or ⚙ to open, the box to reveal, ⟳ to rotate, a key in the footer to press it.",
        "A revealed secret hides after 30 s, on leaving, and when the terminal loses the focus.",
        "A copied secret leaves the clipboard after 30 s.",
    ] {
        lines.extend(crate::tui::view::paint::paragraph(line, cover.width.saturating_sub(8).min(92), theme.dim));
    }
    let outer = crate::tui::view::paint::middle(cover, 96, cover.height);
    painter.scrolled(outer, "Keys", &lines, help.scroll);
}

/// Where the whole of it stands.
const GUIDE_PAGE: &str = "docs/fallback.md in the repository of rollover";

/// Draws what an app has to do, so that nothing fails while its secret changes.
pub fn draw_guide(painter: &mut Painter<'_>, cover: Rect, guide: Guide) {
    let theme = painter.theme;
    let outer = crate::tui::view::paint::middle(cover, 92, cover.height);
    let cells = outer.width.saturating_sub(4);
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    for (head, text) in [
        (
            "Auth0 takes one secret at a time",
            "After a cutover the old one is refused; propagation, up to 30 s. So that no app fails, each has \
            both secrets beforehand, and tries the second where the first is refused.",
        ),
        (
            "Two variables",
            "AUTH0_CLIENT_SECRET is tried first, AUTH0_CLIENT_SECRET_FALLBACK when /oauth/token answers 401 \
            (invalid_client, or access_denied) to the first. Whichever worked is used until it fails.",
        ),
        (
            "What rollover writes, and when",
            "Staging: current stays, the pending secret is the fallback. After the cutover: the new \
            secret first, the old one as the fallback, so that going back needs no delivery. Retiring: the new one alone.",
        ),
        (
            "When apps read it",
            "An app that reads its secret once, at its start, has to be restarted after the delivery and before the \
            cutover: `after` of a target does that. Restart all of them; one that was forgotten fails at the cutover.",
        ),
        (
            "Where it cannot be taught",
            "Deliver, restart everything at the moment of the cutover, and expect failures for up to 30 s. \
            rollover then changes nothing about that, and can still go back.",
        ),
    ] {
        if !lines.is_empty() {
            lines.push(Vec::new());
        }
        lines.push(vec![Piece::new(head, theme.title)]);
        lines.extend(crate::tui::view::paint::paragraph(text, cells, theme.text));
    }
    lines.push(Vec::new());
    let more = format!("With code for common languages: {GUIDE_PAGE}.");
    lines.extend(crate::tui::view::paint::paragraph(&more, cells, theme.dim));
    painter.scrolled(outer, "How an app tries a fallback", &lines, guide.scroll);
}
