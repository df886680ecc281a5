use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::style::Style;

use super::Cache;
use super::text::{fit, width, wrap};
use crate::tui::app::action::Action;
use crate::tui::app::event::Target;
use crate::tui::theme::Theme;

/// Windows of up to this height begin on the same line.
const USUAL_HEIGHT: u16 = 16;

/// Puts text and click areas on the screen.
pub struct Painter<'a> {
    /// The cells.
    pub buffer: &'a mut Buffer,
    /// What each kind of text looks like.
    pub theme: &'a Theme,
    /// What is remembered until the next frame.
    pub cache: &'a mut Cache,
    /// Where the cursor stands, if text is being typed.
    pub cursor: Option<Position>,
}

/// A piece of a line: text, how it looks, and what a click on it does.
#[derive(Clone, Debug)]
pub struct Piece {
    /// The text, safe to print.
    pub text: String,
    /// How it looks.
    pub style: Style,
    /// What a click on it does.
    pub target: Option<Target>,
}

impl Piece {
    /// A piece that cannot be clicked.
    pub fn new(text: impl Into<String>, style: Style) -> Self {
        Self { text: text.into(), style, target: None }
    }

    /// A piece that does what `action` does.
    pub fn button(text: impl Into<String>, style: Style, action: Action) -> Self {
        Self { text: text.into(), style, target: Some(Target::Button(action)) }
    }
}

impl<'a> Painter<'a> {
    /// A painter for one frame.
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, cache: &'a mut Cache) -> Self {
        Self { buffer, theme, cache, cursor: None }
    }

    /// Puts `text` on at most `cells`, with an `…` where it is cut. Returns the cells it took.
    pub fn text(&mut self, x: u16, y: u16, cells: u16, text: &str, style: Style) -> u16 {
        let area = *self.buffer.area();
        if y >= area.bottom() || x >= area.right() {
            return 0;
        }
        let text = fit(text, cells.min(area.right() - x));
        self.buffer.set_string(x, y, &text, style);
        width(&text)
    }

    /// Puts pieces one after another; the one that does not fit is cut, the rest left out.
    pub fn line(&mut self, area: Rect, pieces: &[Piece]) -> u16 {
        let mut used = 0;
        for piece in pieces {
            if used >= area.width {
                break;
            }
            let took = self.text(area.x + used, area.y, area.width - used, &piece.text, piece.style);
            if let Some(target) = piece.target {
                self.target(Rect { x: area.x + used, y: area.y, width: took, height: 1 }, target);
            }
            used += took;
        }
        used
    }

    /// Says what a click on `area` does; what is said later lies over what was said earlier.
    pub fn target(&mut self, area: Rect, target: Target) {
        self.cache.targets.push((area, target));
    }

    /// Fills an area with a style, keeping its text.
    pub fn style(&mut self, area: Rect, style: Style) {
        self.buffer.set_style(area, style);
    }

    /// Empties an area.
    pub fn clear(&mut self, area: Rect) {
        for y in area.top()..area.bottom().min(self.buffer.area().bottom()) {
            for x in area.left()..area.right().min(self.buffer.area().right()) {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
    }

    /// An empty frame with a title; returns the area within, one cell of padding left and right.
    pub fn frame(&mut self, area: Rect, title: &str, border: Style) -> Rect {
        self.clear(area);
        if area.width < 4 || area.height < 2 {
            return Rect::default();
        }
        let (right, bottom) = (area.right() - 1, area.bottom() - 1);
        let across = "─".repeat(usize::from(area.width - 2));
        self.text(area.x, area.y, area.width, &format!("╭{across}╮"), border);
        self.text(area.x, bottom, area.width, &format!("╰{across}╯"), border);
        for y in area.y + 1..bottom {
            self.text(area.x, y, 1, "│", border);
            self.text(right, y, 1, "│", border);
        }
        self.text(area.x + 2, area.y, area.width.saturating_sub(4), &format!(" {title} "), self.theme.title);
        Rect { x: area.x + 2, y: area.y + 1, width: area.width - 4, height: area.height - 2 }
    }

    /// A frame towards the middle of `cover`, as high as `lines` need, and the lines in it. Returns the area within.
    pub fn window(&mut self, cover: Rect, title: &str, border: Style, lines: &[Vec<Piece>], most: u16) -> Rect {
        let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
        // One that grows while it is looked at grows downwards: what can be clicked in it stays where it is.
        let usual = middle(cover, most, height.max(USUAL_HEIGHT));
        let outer = Rect { height: height.min(usual.height), ..usual };
        let inner = self.frame(outer, title, border);
        self.target(outer, Target::Overlay);
        for (y, line) in (inner.y..inner.bottom()).zip(lines) {
            self.line(Rect { y, height: 1, ..inner }, line);
        }
        inner
    }

    /// A frame that fills `outer`, and as many of `lines` as fit, from `scroll` on; the border says how many are left.
    pub fn scrolled(&mut self, outer: Rect, title: &str, lines: &[Vec<Piece>], scroll: usize) {
        let inner = self.frame(outer, title, self.theme.accent);
        self.target(outer, Target::Overlay);
        let page = usize::from(inner.height);
        let offset = scroll.min(lines.len().saturating_sub(page));
        for (line, y) in lines.iter().skip(offset).zip(inner.y..inner.bottom()) {
            self.line(Rect { y, height: 1, ..inner }, line);
        }
        let below = lines.len().saturating_sub(offset + page);
        if below > 0 {
            let more = format!(" {below} more lines ↓ ");
            self.text(outer.x + 2, outer.bottom() - 1, outer.width.saturating_sub(4), &more, self.theme.dim);
        }
    }

    /// A line of text that is being typed, with the cursor in it.
    pub fn input(&mut self, area: Rect, input: &tui_input::Input, style: Style) {
        let value = crate::domain::untrusted::shown(input.value()).into_owned();
        let cells = area.width.saturating_sub(1).max(1);
        let scroll = input.visual_scroll(usize::from(cells));
        let visible: String = skip_cells(&value, scroll);
        self.text(area.x, area.y, area.width, &visible, style);
        let column = u16::try_from(input.visual_cursor().saturating_sub(scroll)).unwrap_or(u16::MAX).min(cells);
        self.cursor = Some(Position { x: area.x + column, y: area.y });
    }
}

fn skip_cells(text: &str, cells: usize) -> String {
    let mut left = cells;
    let mut rest = text.chars();
    while left > 0 {
        match rest.next() {
            Some(character) => left = left.saturating_sub(usize::from(width(character.encode_utf8(&mut [0; 4])))),
            None => break,
        }
    }
    rest.collect()
}

/// An area of the given size in the middle of another, or as much of it as there is.
#[must_use]
pub fn middle(cover: Rect, most_width: u16, height: u16) -> Rect {
    let width = cover.width.saturating_sub(2).min(most_width);
    let height = height.min(cover.height);
    Rect { x: cover.x + (cover.width - width) / 2, y: cover.y + (cover.height - height) / 2, width, height }
}

/// Text wrapped to lines. Where it begins with a sign (✓ ✗ ! ?), the sign alone has the style's colour and the lines hang
/// behind it: sentences in colour are hard to read on one background or another.
#[must_use]
pub fn paragraph(text: &str, cells: u16, style: Style) -> Vec<Vec<Piece>> {
    let signed = text.split_once(' ').filter(|(sign, _)| matches!(*sign, "✓" | "✗" | "!" | "?"));
    let Some((sign, rest)) = signed else {
        return wrap(text, cells).into_iter().map(|line| vec![Piece::new(line, style)]).collect();
    };
    let plain = Style { fg: None, ..style };
    let mut sign = format!("{sign} ");
    wrap(rest, cells.saturating_sub(2))
        .into_iter()
        .map(|line| vec![Piece::new(std::mem::replace(&mut sign, "  ".to_owned()), style), Piece::new(line, plain)])
        .collect()
}
