use ratatui::layout::{Position, Rect};

use crate::domain::Needs;
use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::screen::Screen;
use crate::tui::app::screen::ask_secret::{AskSecret, KeyNeed, SHORTEST_PASSPHRASE, Waits};
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, paragraph};

/// Draws the question for a secret that is needed before it goes on.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, ask: &AskSecret, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(72);
    let Screen::Main(main) = &state.screen else { return };
    let what = match ask.waits {
        Waits::Tenant(_, Needs::Passphrase) => "Passphrase of the stored credentials".to_owned(),
        Waits::Tenant(_, Needs::Credential(what)) => format!("The {what} for {}", main.tenant.called()),
        Waits::Job(_, KeyNeed::Passphrase) | Waits::Pending(_, KeyNeed::Passphrase) => {
            "Passphrase of the ledger".to_owned()
        }
        _ if ask.first.is_some() => "The same passphrase once more".to_owned(),
        _ => format!("A new passphrase, {SHORTEST_PASSPHRASE} characters at least. It cannot be recovered."),
    };
    let (title, leaves) = match ask.waits {
        Waits::Tenant(..) => (format!("Opening {}", main.tenant.called()), " leaves it closed"),
        Waits::Job(..) | Waits::Pending(..) => ("The key of the ledger".to_owned(), " leaves it as it is"),
    };
    let mut lines = paragraph(&shown(&ask.why), cells, theme.text);
    lines.push(Vec::new());
    lines.extend(paragraph(&what, cells, theme.title));
    let field = lines.len();
    let count = ask.typed.len();
    let dots = "•".repeat(count.min(40));
    lines.push(vec![Piece::new("> ", theme.key), Piece::new(dots, theme.text)]);
    if ask.trying {
        lines.push(vec![Piece::new(format!("{} Opening…", spinner(state)), theme.text)]);
    } else if let Some(wrong) = &ask.wrong {
        lines.extend(paragraph(&format!("✗ {}", shown(wrong)), cells, theme.danger));
    } else {
        lines.push(vec![
            Piece::button("Enter", theme.key, Action::Submit),
            Piece::button(" goes on     ", theme.text, Action::Submit),
            Piece::button("Esc", theme.key, Action::Back),
            Piece::button(leaves, theme.text, Action::Back),
        ]);
    }
    let edge = theme.edge(main.tenant.colour());
    let inner = painter.window(cover, &title, edge, &lines, cells + 4);
    if let Ok(line) = u16::try_from(field)
        && !ask.trying
    {
        let column = u16::try_from(count.min(40)).unwrap_or_default() + 2;
        painter.cursor = Some(Position { x: inner.x + column, y: inner.y + line });
    }
}
