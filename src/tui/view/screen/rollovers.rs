use ratatui::layout::Rect;
use ratatui::style::Style;

use super::progress::sign;
use crate::domain::rollover::State as Stands;
use crate::tui::app::State;
use crate::tui::app::event::Target;
use crate::tui::app::keymap::named;
use crate::tui::app::offer::at_work;
use crate::tui::app::screen::Screen;
use crate::tui::app::update::standing;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, middle};
use crate::tui::view::text::{ago, fit, width};

/// Draws all rollovers of the tenant, the unfinished first.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, selected: usize, state: &State) {
    let theme = painter.theme;
    let Screen::Main(main) = &state.screen else { return };
    let domain = main.tenant.domain();
    let rows: Vec<_> = state.records.of(domain).collect();
    let elsewhere = state.records.rollovers.iter().filter(|row| row.tenant != *domain && !row.state.is_final()).count();
    let below = u16::from(elsewhere > 0) * 2;
    let height = u16::try_from(rows.len()).unwrap_or(u16::MAX).saturating_add(2 + below).min(cover.height);
    let outer = middle(cover, 104, height);
    let inner = painter.frame(outer, "Rollovers", theme.accent);
    painter.target(outer, Target::Overlay);
    let list = Rect { height: inner.height.saturating_sub(below), ..inner };
    let page = usize::from(list.height);
    let offset = (selected + 1).saturating_sub(page);
    let name_cells = if list.width >= 90 { 34 } else { 22 };
    for ((position, row), y) in rows.iter().enumerate().skip(offset).zip(list.y..list.bottom()) {
        let line = Rect { y, height: 1, ..list };
        if position == selected {
            painter.style(line, theme.selected);
        }
        let job = at_work(state, main, &row.client_id).filter(|_| !row.state.is_final());
        let sign = if job.is_some() { spinner(state) } else { sign(row) };
        let name = fit(&named(&row.name, &row.client_id), name_cells).into_owned();
        let padding = " ".repeat(usize::from(name_cells.saturating_sub(width(&name))));
        let mut words = match (job, state.records.leased.get(&row.client_id)) {
            (Some(job), _) => job.summary(),
            (None, Some(_)) if !row.state.is_final() => format!("{}: another process is at work", standing(state, row)),
            (None, _) => standing(state, row),
        };
        if job.is_none() && row.overdue(state.wall(), state.records.arrangements.nag_after_days).is_none() {
            let next = match row.state {
                Stands::Staged | Stands::Delivered => "; Ctrl-S makes it live",
                Stands::Holding => "; x retires the old secret",
                Stands::Conflict | Stands::Unknown => "; Enter shows what can be done",
                state if state.is_final() => "",
                _ => "; R goes on",
            };
            words = format!("{words}, {}{next}", ago(state.wall() - row.since));
        }
        painter.line(line, &[Piece::new(format!("{sign} {name}{padding}  {words}"), Style::new())]);
        painter.target(line, Target::Choice(position));
    }
    if elsewhere > 0 {
        let text = format!("{elsewhere} unfinished at other tenants (t goes there)");
        painter.text(inner.x, inner.bottom().saturating_sub(1), inner.width, &text, theme.dim);
    }
}
