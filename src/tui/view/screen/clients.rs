use std::collections::HashMap;

use ratatui::layout::Rect;
use ratatui::style::Style;
use unicode_segmentation::UnicodeSegmentation as _;

use super::progress::sign;
use crate::domain::Rollover;
use crate::domain::catalog::Row;
use crate::domain::client::app_type_label;
use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::event::Target;
use crate::tui::app::filter::Words;
use crate::tui::app::offer::at_work;
use crate::tui::app::screen::clients::Loading;
use crate::tui::app::screen::{Focus, Main};
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, paragraph};
use crate::tui::view::text::width;

/// A column: what it is called, where it stands.
struct Column {
    field: Field,
    x: u16,
    width: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Name,
    Type,
    ClientId,
    Party,
    Auth,
    Rotation,
}

impl Field {
    fn head(self) -> &'static str {
        match self {
            Self::Name => "Name",
            Self::Type => "Type",
            Self::ClientId => "Client ID",
            Self::Party => "Party",
            Self::Auth => "Authentication",
            Self::Rotation => "Rollover",
        }
    }
}

/// Columns that fit: the name always, the id before the rest, since it alone is unique.
fn columns(area: Rect) -> Vec<Column> {
    const GEAR: u16 = 3;
    const LEAST_NAME: u16 = 22;
    const USUAL_NAME: u16 = 38;
    const ROTATION: u16 = 13;
    let mut chosen: Vec<(Field, u16)> = Vec::new();
    let mut left = area.width.saturating_sub(GEAR + 2 + LEAST_NAME);
    for (field, cells) in [(Field::ClientId, 32), (Field::Type, 18), (Field::Auth, 18), (Field::Party, 5)] {
        if left > cells {
            left -= cells + 1;
            chosen.push((field, cells));
        } else if field == Field::ClientId && left > 12 {
            chosen.push((field, left - 1));
            left = 0;
        }
    }
    // On a wide screen also what this run did to each client; a name that is cut would be a poor price for it.
    if LEAST_NAME + left > USUAL_NAME + ROTATION && chosen.len() == 4 {
        left -= ROTATION + 1;
        chosen.push((Field::Rotation, ROTATION));
    }
    let name = LEAST_NAME + left;
    let mut x = area.x + 1;
    let mut out = vec![Column { field: Field::Name, x, width: name }];
    x += name + 1;
    for field in [Field::Type, Field::ClientId, Field::Party, Field::Auth, Field::Rotation] {
        if let Some((_, cells)) = chosen.iter().find(|(chosen, _)| *chosen == field) {
            out.push(Column { field, x, width: *cells });
            x += cells + 1;
        }
    }
    out
}

/// Draws the table, or what there is to say in its place.
pub fn draw(painter: &mut Painter<'_>, area: Rect, state: &State, main: &Main) {
    let theme = painter.theme;
    let clients = &main.clients;
    let columns = columns(area);
    for column in &columns {
        painter.text(column.x, area.y, column.width, column.field.head(), theme.title);
    }
    let body = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    if clients.is_empty() {
        return say_why_empty(painter, body, state, main);
    }
    let page = usize::from(body.height);
    let offset = &mut painter.cache.table_offset;
    *offset = (*offset).min(clients.len().saturating_sub(page)).min(clients.selected);
    if clients.selected >= *offset + page {
        *offset = clients.selected + 1 - page;
    }
    let offset = *offset;
    let mut words = clients.shown_pattern().map(Words::new);
    let has_column = columns.iter().any(|column| column.field == Field::Rotation);
    // The latest of each client: they come unfinished first, then the latest first.
    let mut latest: HashMap<&str, &Rollover> = HashMap::new();
    for row in state.records.of(main.tenant.domain()) {
        latest.entry(&row.client_id).or_insert(row);
    }
    for (line, y) in (body.y..body.bottom()).enumerate() {
        let position = offset + line;
        let Some((index, row)) = clients.index_at(position).zip(clients.row_at(position)) else { break };
        let whole = Rect { x: area.x, y, width: area.width, height: 1 };
        painter.target(whole, Target::Row(index));
        let selected = position == clients.selected;
        if selected {
            let focused = main.focus != Focus::Pane;
            painter.style(whole, if focused { theme.selected } else { theme.selected_elsewhere });
        }
        let standing = latest.get(row.client_id).filter(|row| has_column || !row.state.is_final());
        let standing = standing.map(|row| standing_of(state, main, row));
        draw_row(painter, &columns, y, row, standing.as_ref(), words.as_mut(), selected);
        if let Some(name) = columns.first() {
            painter.target(Rect { x: name.x, y, width: name.width, height: 1 }, Target::OpenRow(index));
        }
        let gear = Rect { x: area.right().saturating_sub(3), y, width: 2, height: 1 };
        painter.text(gear.x, y, 1, "⚙", theme.dim);
        painter.target(gear, Target::OpenRow(index));
    }
}

fn draw_row(
    painter: &mut Painter<'_>,
    columns: &[Column],
    y: u16,
    row: Row<'_>,
    standing: Option<&(&'static str, String)>,
    mut words: Option<&mut Words>,
    selected: bool,
) {
    let theme = painter.theme;
    // On the selected line only what marks matches keeps a style of its own: colours on reversed cells are hard to read.
    let quiet = if selected { Style::new() } else { theme.dim };
    // A column of its own tells it on a wide screen, a badge beside the name on others.
    let badge = standing.filter(|_| columns.iter().all(|column| column.field != Field::Rotation));
    for column in columns {
        match column.field {
            Field::Name => {
                let column = &badged(painter, column, y, row, badge, selected);
                let name = if row.name.trim().is_empty() { "(no name)".into() } else { shown(row.name) };
                let marks = words.as_deref_mut().map(|words| words.marks_in_name(&name)).unwrap_or_default();
                marked(painter, column, y, &name, &marks, Style::new());
                if row.global {
                    let after = column.x + width(&name).min(column.width);
                    let room = (column.x + column.width).saturating_sub(after + 1);
                    if room >= 6 {
                        painter.text(after + 1, y, room, "global", theme.title);
                    }
                }
            }
            Field::ClientId => {
                let id = shown(row.client_id);
                let marks = words.as_deref_mut().map(|words| words.marks_in_run(&id)).unwrap_or_default();
                marked(painter, column, y, &id, &marks, quiet);
            }
            Field::Type => {
                let label = shown(app_type_label(row.app_type));
                let marks = words.as_deref_mut().map(|words| words.marks_in_run(&label)).unwrap_or_default();
                marked(painter, column, y, &label, &marks, Style::new());
            }
            Field::Party => {
                let text = match row.is_first_party {
                    Some(true) => "first",
                    Some(false) => "third",
                    None => "—",
                };
                painter.text(
                    column.x,
                    y,
                    column.width,
                    text,
                    if row.is_first_party == Some(false) { Style::new() } else { quiet },
                );
            }
            Field::Auth => {
                painter.text(column.x, y, column.width, &row.auth.label(), quiet);
            }
            Field::Rotation => {
                let text = standing.map_or_else(|| "—".to_owned(), |(sign, words)| format!("{sign} {words}"));
                painter.text(column.x, y, column.width, &text, quiet);
            }
        }
    }
}

/// A word beside the name of a client whose rollover has not ended, or its sign alone; what is left of the column.
fn badged(
    painter: &mut Painter<'_>,
    column: &Column,
    y: u16,
    row: Row<'_>,
    badge: Option<&(&'static str, String)>,
    selected: bool,
) -> Column {
    let whole = Column { field: column.field, x: column.x, width: column.width };
    let Some((sign, words)) = badge else { return whole };
    let full = format!("{sign} {words}");
    let global = if row.global { 8 } else { 0 };
    let room = column.width.saturating_sub(width(&shown(row.name)) + global + 1);
    let text = if width(&full) <= room { full.as_str() } else { sign };
    let cells = width(text);
    let style = if selected { Style::new() } else { painter.theme.title };
    painter.text(column.x + column.width - cells, y, cells, text, style);
    Column { width: column.width.saturating_sub(cells + 1), ..whole }
}

/// Where a client's rollover stands: its sign, and a word or two.
fn standing_of(state: &State, main: &Main, row: &Rollover) -> (&'static str, String) {
    match at_work(state, main, &row.client_id) {
        Some(job) => (spinner(state), job.task.procedure.word().to_owned()),
        None => (sign(row), row.state.words().to_owned()),
    }
}

fn marked(painter: &mut Painter<'_>, column: &Column, y: u16, text: &str, marks: &[u32], style: Style) {
    painter.text(column.x, y, column.width, text, style);
    if marks.is_empty() {
        return;
    }
    let matched = painter.theme.matched;
    // A cut text ends in `…`, which is no letter of it.
    let room = if width(text) > column.width { column.width - 1 } else { column.width };
    let mut x = 0;
    for (position, grapheme) in text.graphemes(true).enumerate() {
        let cells = width(grapheme);
        if x + cells > room {
            break;
        }
        if u32::try_from(position).is_ok_and(|position| marks.binary_search(&position).is_ok()) {
            painter.style(Rect { x: column.x + x, y, width: cells, height: 1 }, matched);
        }
        x += cells;
    }
}

fn say_why_empty(painter: &mut Painter<'_>, area: Rect, state: &State, main: &Main) {
    let theme = painter.theme;
    let clients = &main.clients;
    let cells = area.width.saturating_sub(6).min(76);
    let mut lines = Vec::new();
    if let Some(failure) = &main.tenant.closed {
        lines.extend(paragraph(&format!("✗ {}", failure.message), cells, theme.danger));
        lines.push(Vec::new());
        lines.extend(paragraph(&failure.hint, cells, theme.text));
        lines.push(Vec::new());
        lines.extend(paragraph("Ctrl-R tries again, t goes to another tenant, q quits.", cells, theme.text));
    } else if clients.catalog.is_empty() {
        match &clients.loading {
            Loading::Running => {
                let text = format!("{} Loading the clients of {}…", spinner(state), main.tenant.domain());
                lines.extend(paragraph(&text, cells, theme.text));
            }
            Loading::Done => {
                lines.extend(paragraph("This tenant has no clients.", cells, theme.title));
                let text = "Make one in the Auth0 dashboard under Applications, then press Ctrl-R to load again.";
                lines.extend(paragraph(text, cells, theme.text));
            }
            Loading::Failed(error) => {
                lines.extend(paragraph(&format!("✗ {error}"), cells, theme.danger));
                lines.push(Vec::new());
                lines.extend(paragraph(&error.hint, cells, theme.text));
                if let Some(id) = &error.correlation_id {
                    lines.extend(paragraph(&format!("Correlation id: {}", shown(id)), cells, theme.dim));
                }
                lines.push(Vec::new());
                lines.extend(paragraph("Ctrl-R tries again, q quits.", cells, theme.text));
            }
        }
    } else {
        let filter = shown(clients.filter.value());
        lines.extend(paragraph(&format!("Nothing matches “{filter}”."), cells, theme.title));
        lines.extend(paragraph("Esc clears the filter.", cells, theme.text));
    }
    let top = area.y + area.height.saturating_sub(u16::try_from(lines.len()).unwrap_or(u16::MAX)) / 3;
    for (line, y) in lines.iter().zip(top..area.bottom()) {
        painter.line(Rect { x: area.x + 3, y, width: cells, height: 1 }, line);
    }
}
