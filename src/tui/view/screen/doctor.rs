use ratatui::layout::Rect;

use crate::domain::preflight::Standing;
use crate::tui::app::State;
use crate::tui::app::event::Target;
use crate::tui::app::screen::doctor::Doctor;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, middle};
use crate::tui::view::text::{width, wrap};

/// Cells before what was found.
const LABEL: u16 = 20;

/// Draws what works here and what does not, and where every setting came from.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, doctor: &Doctor, state: &State) {
    let theme = painter.theme;
    let outer = middle(cover, 110, cover.height);
    let cells = outer.width.saturating_sub(4);
    let mut lines: Vec<Vec<Piece>> = Vec::new();
    let Some(report) = &doctor.report else {
        let inner = painter.frame(outer, "What works here", theme.accent);
        painter.target(outer, Target::Overlay);
        painter.text(inner.x, inner.y, inner.width, &format!("{} Looking around…", spinner(state)), theme.text);
        return;
    };
    lines.push(vec![Piece::new(report.summary(), theme.title)]);
    let room = cells.saturating_sub(LABEL + 2);
    for (area, findings) in report.areas() {
        lines.push(Vec::new());
        lines.push(vec![Piece::new(area.title(), theme.accent)]);
        for finding in findings {
            let style = match finding.standing {
                Standing::Ok => theme.good,
                Standing::Warning => theme.warning,
                Standing::Problem => theme.danger,
            };
            let mut label = finding.topic.title().to_owned();
            let mut sign = finding.standing.sign();
            for part in wrap(&finding.what, room) {
                lines.push(row(&mut sign, style, &mut label, Piece::new(part, theme.text), theme.dim));
            }
            for part in finding.mend.iter().flat_map(|mend| wrap(mend, room)) {
                lines.push(row(&mut sign, style, &mut label, Piece::new(part, theme.title), theme.dim));
            }
        }
    }
    lines.push(Vec::new());
    lines.push(vec![Piece::new("Settings", theme.accent)]);
    for setting in &report.settings {
        let text = format!("{} = {}", setting.name, setting.value);
        let origin = format!("  {}", setting.source);
        lines.push(vec![Piece::new("  ", theme.text), Piece::new(text, theme.text), Piece::new(origin, theme.dim)]);
    }
    lines.push(Vec::new());
    lines.push(vec![Piece::new("`rollover doctor` prints this; nothing secret is in it.", theme.dim)]);
    painter.scrolled(outer, "What works here", &lines, doctor.scroll);
}

/// A line with its sign and label, which stand on the first line only.
fn row(
    sign: &mut &'static str,
    style: ratatui::style::Style,
    label: &mut String,
    text: Piece,
    dim: ratatui::style::Style,
) -> Vec<Piece> {
    let label = std::mem::take(label);
    let padding = " ".repeat(usize::from(LABEL.saturating_sub(width(&label))));
    let sign = std::mem::replace(sign, " ");
    vec![Piece::new(format!("{sign} "), style), Piece::new(format!("{label}{padding}"), dim), text]
}
