use ratatui::layout::Rect;

use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::screen::Welcome;
use crate::tui::view::paint::{Painter, Piece, paragraph};

/// Draws the first screen: what to set, and the demo.
pub fn draw(painter: &mut Painter<'_>, area: Rect, welcome: &Welcome, state: &State) {
    let theme = painter.theme;
    let cells = area.width.saturating_sub(6).min(76);
    let mut lines = vec![vec![Piece::new("rollover", theme.accent)]];
    lines.extend(paragraph("Change the client secrets of Auth0 applications.", cells, theme.text));
    lines.push(Vec::new());
    lines.extend(paragraph("No tenant is selected. Set, in the shell you start rollover from:", cells, theme.title));
    for (name, what) in
        [("AUTH0_DOMAIN", "your tenant, such as acme.eu.auth0.com"), ("AUTH0_API_TOKEN", "a Management API token")]
    {
        lines.push(vec![Piece::new(format!("  {name:<20}"), theme.key), Piece::new(what, theme.text)]);
    }
    lines.extend(paragraph(
        "or, instead of the token, a machine-to-machine client that may use the Management API:",
        cells,
        theme.text,
    ));
    for (name, what) in [("AUTH0_CLIENT_ID", "its client id"), ("AUTH0_CLIENT_SECRET", "its client secret")] {
        lines.push(vec![Piece::new(format!("  {name:<20}"), theme.key), Piece::new(what, theme.text)]);
    }
    lines.extend(paragraph(
        "Scopes: read:clients to list, read:client_keys to reveal, update:client_keys to rotate.",
        cells,
        theme.dim,
    ));
    lines.push(Vec::new());
    if welcome.starting {
        lines.push(vec![Piece::new("Starting the pretend tenant…", theme.text)]);
    } else {
        lines.push(vec![
            Piece::button("d", theme.key, Action::StartDemo),
            Piece::button(
                " try the demo: a pretend tenant inside this program, nothing to set up",
                theme.text,
                Action::StartDemo,
            ),
        ]);
    }
    if let Some(why) = &welcome.failed {
        lines.extend(paragraph(&format!("✗ The demo could not start: {}", shown(why)), cells, theme.danger));
    }
    if let Some(notice) = &state.notice {
        lines.push(Vec::new());
        lines.extend(paragraph(&format!("! {}", notice.text), cells, theme.warning));
    }
    let top = area.y + 1;
    for (line, y) in lines.iter().zip(top..area.bottom().saturating_sub(1)) {
        painter.line(Rect { x: area.x + 3, y, width: cells, height: 1 }, line);
    }
}
