//! Draws the state. What the drawing learns and a click needs (scroll offsets, where things stand) stays here.

/// Header, status, notices, footer.
pub mod chrome;
/// Putting text and click areas on the screen.
pub mod paint;
/// One module for each screen and each overlay, named as in `app/screen`.
pub mod screen;
/// Fitting and wrapping text.
pub mod text;

use ratatui::Frame;
use ratatui::layout::Rect;

use super::app::State;
use super::app::event::Target;
use super::app::geometry::{Area, SMALLEST};
use super::app::screen::{Overlay, Screen};
use super::theme::Theme;
use paint::Painter;

/// Draws, and remembers what it drew where.
#[derive(Debug)]
pub struct View {
    theme: Theme,
    cache: Cache,
}

/// What the drawing learnt.
#[derive(Debug, Default)]
pub struct Cache {
    /// What stands where; later entries lie over earlier ones.
    targets: Vec<(Rect, Target)>,
    /// First line of the table that is shown.
    pub table_offset: usize,
}

impl From<Area> for Rect {
    fn from(area: Area) -> Self {
        Self { x: area.x, y: area.y, width: area.width, height: area.height }
    }
}

impl View {
    /// A view in this theme.
    #[must_use]
    pub fn new(theme: Theme) -> Self {
        Self { theme, cache: Cache::default() }
    }

    /// What stands at a cell.
    #[must_use]
    pub fn target_at(&self, column: u16, row: u16) -> Option<Target> {
        let at = ratatui::layout::Position { x: column, y: row };
        self.cache.targets.iter().rev().find(|(area, _)| area.contains(at)).map(|(_, target)| *target)
    }

    /// Draws one frame.
    pub fn draw(&mut self, frame: &mut Frame<'_>, state: &State) {
        self.cache.targets.clear();
        let area = frame.area();
        let mut painter = Painter::new(frame.buffer_mut(), &self.theme, &mut self.cache);
        let Some(parts) = state.geometry() else {
            let (width, height) = SMALLEST;
            painter.text(area.x, area.y, area.width, "Please enlarge the window", self.theme.title);
            let needed = format!("{width}x{height} needed, {}x{} here", area.width, area.height);
            painter.text(area.x, area.y + 1, area.width, &needed, self.theme.text);
            return;
        };
        match &state.screen {
            Screen::Welcome(welcome) => screen::welcome::draw(&mut painter, area, welcome, state),
            Screen::SignIn(sign_in) => screen::sign_in::draw(&mut painter, area, sign_in, state),
            Screen::Main(main) => {
                chrome::header(&mut painter, parts.header.into(), state, &main.tenant, &main.clients);
                chrome::status(&mut painter, parts.status.into(), state, main);
                if let Some(table) = parts.table {
                    screen::clients::draw(&mut painter, table.into(), state, main);
                }
                if let (Some(area), Some(pane)) = (parts.pane, &main.pane) {
                    screen::pane::draw(&mut painter, area.into(), state, main, pane);
                }
                chrome::notice(&mut painter, parts.notice.into(), state, main);
            }
        }
        let cover = Rect { height: area.height.saturating_sub(2), ..area };
        if state.overlay.is_some() {
            painter.target(area, Target::Outside);
        }
        match &state.overlay {
            None => {}
            Some(Overlay::Help(help)) => screen::help::draw(&mut painter, cover, *help),
            Some(Overlay::Palette(palette)) => screen::palette::draw(&mut painter, cover, palette, state),
            Some(Overlay::Question(question)) => screen::question::draw(&mut painter, cover, question, state),
            Some(Overlay::Guide(guide)) => screen::help::draw_guide(&mut painter, cover, *guide),
            Some(Overlay::Way(way)) => screen::way::draw(&mut painter, cover, *way, state),
            Some(Overlay::Job(id)) => {
                if let Some(job) = state.job(*id) {
                    screen::job::draw(&mut painter, cover, job, state);
                }
            }
            Some(Overlay::Unsaved(id)) => {
                if let Some(job) = state.job(*id) {
                    screen::job::draw_unsaved(&mut painter, cover, job, state);
                }
            }
            Some(Overlay::Rollovers(selected)) => screen::rollovers::draw(&mut painter, cover, *selected, state),
            Some(Overlay::Record(record)) => screen::record::draw(&mut painter, cover, record, state),
            Some(Overlay::Targets(selected)) => {
                screen::target_form::draw_list(&mut painter, cover, *selected, state);
            }
            Some(Overlay::TargetForm(form)) => screen::target_form::draw(&mut painter, cover, form, state),
            Some(Overlay::Tenants(switcher)) => screen::switcher::draw(&mut painter, cover, switcher, state),
            Some(Overlay::AskSecret(ask)) => screen::ask_secret::draw(&mut painter, cover, ask, state),
            Some(Overlay::Doctor(doctor)) => screen::doctor::draw(&mut painter, cover, doctor, state),
            Some(Overlay::Quit) => screen::question::draw_quit(&mut painter, cover, state),
        }
        chrome::footer(&mut painter, parts.footer.into(), state);
        let cursor = painter.cursor;
        if let Some(cursor) = cursor {
            frame.set_cursor_position(cursor);
        }
    }
}
