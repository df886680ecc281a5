use ratatui::layout::{Position, Rect};

use crate::domain::Needs;
use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::screen::Screen;
use crate::tui::app::screen::ask_secret::AskSecret;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, paragraph};

/// Draws the question for a secret that is needed to open the tenant.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, ask: &AskSecret, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(72);
    let Screen::Main(main) = &state.screen else { return };
    let what = match ask.needs {
        Needs::Passphrase => "Passphrase of the stored credentials".to_owned(),
        Needs::Credential(what) => format!("The {what} for {}", main.tenant.called()),
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
            Piece::button(" leaves it closed", theme.text, Action::Back),
        ]);
    }
    let edge = theme.edge(main.tenant.colour());
    let inner = painter.window(cover, &format!("Opening {}", main.tenant.called()), edge, &lines, cells + 4);
    if let Ok(line) = u16::try_from(field)
        && !ask.trying
    {
        let column = u16::try_from(count.min(40)).unwrap_or_default() + 2;
        painter.cursor = Some(Position { x: inner.x + column, y: inner.y + line });
    }
}
