use ratatui::layout::Rect;

use super::sign_in::fields;
use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::event::Target;
use crate::tui::app::screen::Screen;
use crate::tui::app::screen::form::FieldId;
use crate::tui::app::screen::target_form::TargetForm;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, middle, paragraph};
use crate::tui::view::text::{fit, width};

/// Draws the targets of the client.
pub fn draw_list(painter: &mut Painter<'_>, cover: Rect, selected: usize, state: &State) {
    let theme = painter.theme;
    let Screen::Main(main) = &state.screen else { return };
    let Some(pane) = &main.pane else { return };
    let targets = state.records.targets(&pane.client_id);
    let height = u16::try_from(targets.len()).unwrap_or(u16::MAX).saturating_add(3).min(cover.height);
    let outer = middle(cover, 90, height);
    let inner = painter.frame(outer, "Targets: where the apps read this secret", theme.accent);
    painter.target(outer, Target::Overlay);
    let room = usize::from(inner.height);
    let offset = (selected + 1).saturating_sub(room);
    for (position, y) in (offset..=targets.len()).zip(inner.y..inner.bottom()) {
        let line = Rect { y, height: 1, ..inner };
        if position == selected {
            painter.style(line, theme.selected);
        }
        let text = match targets.get(position) {
            Some(target) => {
                let name = fit(&shown(&target.name), 20).into_owned();
                let padding = " ".repeat(usize::from(20_u16.saturating_sub(width(&name))));
                format!("{name}{padding}  {}", shown(&target.place_words()))
            }
            None => "+ add a target".to_owned(),
        };
        painter.text(line.x, y, line.width, &text, theme.text);
        painter.target(line, Target::Choice(position));
    }
}

/// Draws the form of a target.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, form: &TargetForm, state: &State) {
    let theme = painter.theme;
    let count = u16::try_from(form.form.fields.len()).unwrap_or_default();
    let outer = middle(cover, 88, count + 9);
    let title = if form.before.is_some() { "A target" } else { "A new target" };
    let inner = painter.frame(outer, title, theme.accent);
    painter.target(outer, Target::Overlay);
    let area = Rect { height: count.min(inner.height), ..inner };
    let mut y = fields(painter, area, &form.form) + 1;
    let mut put = |painter: &mut Painter<'_>, lines: Vec<Vec<Piece>>| {
        for line in lines {
            if y < inner.bottom() {
                painter.line(Rect { y, height: 1, ..inner }, &line);
                y += 1;
            }
        }
    };
    if form.writing {
        painter.cursor = None;
        put(painter, vec![vec![Piece::new(format!("{} Writing config.toml…", spinner(state)), theme.text)]]);
        return;
    }
    if let Some(wrong) = &form.wrong {
        put(painter, paragraph(&format!("✗ {}", shown(wrong)), inner.width, theme.danger));
    } else {
        let mut line = vec![
            Piece::button("Enter", theme.key, Action::Submit),
            Piece::button(" writes it to config.toml", theme.text, Action::Submit),
        ];
        if form.before.is_some() {
            line.push(Piece::button("     Ctrl-X", theme.key, Action::RemoveTarget));
            line.push(Piece::button(" removes it there", theme.text, Action::RemoveTarget));
        }
        put(painter, vec![line]);
    }
    put(painter, vec![Vec::new()]);
    let help = match form.form.current().map(|field| field.id) {
        Some(FieldId::Path) => {
            "The file from its root, or from ~/. It is replaced as a whole, and all other bytes stay as they are."
        }
        Some(FieldId::CurrentKey | FieldId::FallbackKey | FieldId::ListKey) => {
            "In JSON, YAML and TOML a key may be a path: auth0.client_secret. Apps try the current one, then the fallback."
        }
        Some(FieldId::WriteCommand) => {
            "Runs without a shell; quotes hold words together. It gets client_id, step, current and fallback."
        }
        Some(FieldId::ReadCommand) => {
            "Without it nothing can be read back: a delivery counts as done when the command says so."
        }
        Some(FieldId::After) => "Runs after each delivery, without a shell.",
        _ => "A target is a place from which an app reads its secret. No secret goes to config.toml.",
    };
    put(painter, paragraph(help, inner.width, theme.dim));
}
