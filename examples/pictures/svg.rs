//! From a screen to SVG. Whatever font the reader has, columns stay columns: each run of text has its place and its
//! length, each wide or rare character stands in the middle of its own cells, and borders are lines, not letters.
//! All numbers are whole tenths of a pixel, so that the same screen is the same file on every machine.
use std::collections::BTreeMap;
use std::fmt::Write as _;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use rollover::tui::view::text::width;

/// A cell, in tenths of a pixel. Most monospaced fonts are six tenths as wide as they are high.
const CELL: (u32, u32) = (84, 180);
/// From the top of a cell to the line that letters stand on.
const BASELINE: u32 = 135;
/// How far the cells are from the window's edge, at the left, the right and the bottom.
const MARGIN: u32 = 160;
/// Height of the title bar.
const BAR: u32 = 380;
/// Radius of a border's round corner: half a cell, so that it ends at the cell's side.
const ROUND: u32 = 42;

const BACKGROUND: &str = "#181a22";
const TEXT: &str = "#d9dde8";

/// The sixteen colours of a terminal, each easy to read on the background.
const PALETTE: [(Color, &str); 16] = [
    (Color::Black, "#3a3f4f"),
    (Color::Red, "#ff7a85"),
    (Color::Green, "#8fd694"),
    (Color::Yellow, "#f0c674"),
    (Color::Blue, "#82aaff"),
    (Color::Magenta, "#d4a1ff"),
    (Color::Cyan, "#7fd7e0"),
    (Color::Gray, "#c3c8d6"),
    (Color::DarkGray, "#7d8498"),
    (Color::LightRed, "#ff9aa2"),
    (Color::LightGreen, "#aee5b1"),
    (Color::LightYellow, "#f7d99a"),
    (Color::LightBlue, "#a5c3ff"),
    (Color::LightMagenta, "#e3c2ff"),
    (Color::LightCyan, "#a6e6ec"),
    (Color::White, "#ffffff"),
];

/// What else there is to a terminal's text, as far as the theme makes use of it.
const KNOWN: Modifier = Modifier::BOLD.union(Modifier::DIM).union(Modifier::UNDERLINED).union(Modifier::REVERSED);

/// How text looks.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Look {
    colour: &'static str,
    bold: bool,
    dim: bool,
}

impl Look {
    /// The same for a line: no border is bold, and a line under text is as bright where the text is dim.
    fn of_border(self) -> Self {
        Self { bold: false, ..self }
    }

    fn of_underline(self) -> Self {
        Self { bold: false, dim: false, ..self }
    }

    fn attributes(self) -> String {
        let mut out = String::new();
        for (wanted, class) in [(self.bold, "b"), (self.dim, "d")] {
            if wanted {
                out.push_str(if out.is_empty() { " class=\"" } else { " " });
                out.push_str(class);
            }
        }
        if !out.is_empty() {
            out.push('"');
        }
        if self.colour != TEXT {
            // Here and below: writing to memory does not fail.
            let _ = write!(out, " color=\"{}\"", self.colour);
        }
        out
    }
}

/// Cells beside each other that look alike and can be one piece of text.
struct Run {
    look: Look,
    column: u32,
    row: u32,
    cells: u32,
    text: String,
    kind: Kind,
}

/// How a character is put in its place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One of many, in any monospaced font as wide as the others.
    Letter,
    /// Written from right to left, and joined: it keeps the width that its font gives it.
    RightToLeft,
    /// Wide, or rare enough to come from another font: alone, in the middle of its cells.
    Alone,
}

fn kind(symbol: &str) -> Kind {
    match symbol.chars().next().unwrap_or(' ') {
        '\u{0590}'..='\u{08FF}' | '\u{FB1D}'..='\u{FDFF}' | '\u{FE70}'..='\u{FEFF}' => Kind::RightToLeft,
        ' '..='\u{024F}' | '\u{2010}'..='\u{2027}' if width(symbol) == 1 => Kind::Letter,
        _ => Kind::Alone,
    }
}

/// Everything that is drawn, in the layers that lie over one another.
#[derive(Default)]
struct Layers {
    /// Filled cells, by colour.
    filled: BTreeMap<&'static str, Lines>,
    /// Borders.
    borders: BTreeMap<Look, Lines>,
    /// Lines under text.
    underlines: BTreeMap<Look, Lines>,
    runs: Vec<Run>,
}

/// Lines that look alike. What continues one makes it longer: where two meet, a small picture would show a gap.
#[derive(Default)]
struct Lines {
    level: Vec<Line>,
    upright: Vec<Line>,
    corners: String,
}

/// From one point to another that is further right, or further down.
struct Line {
    from: (u32, u32),
    to: (u32, u32),
}

impl Lines {
    fn level(&mut self, x: u32, y: u32, length: u32) {
        add(&mut self.level, Line { from: (x, y), to: (x + length, y) });
    }

    fn upright(&mut self, x: u32, y: u32, end: u32) {
        add(&mut self.upright, Line { from: (x, y), to: (x, end) });
    }

    fn path(&self) -> String {
        let mut out = String::new();
        for Line { from: (x, y), to: (end, _) } in &self.level {
            let _ = write!(out, "M{},{}H{}", tenths(*x), tenths(*y), tenths(*end));
        }
        for Line { from: (x, y), to: (_, end) } in &self.upright {
            let _ = write!(out, "M{},{}V{}", tenths(*x), tenths(*y), tenths(*end));
        }
        out + &self.corners
    }
}

fn add(lines: &mut Vec<Line>, new: Line) {
    match lines.iter_mut().rev().find(|line| line.to == new.from) {
        Some(line) => line.to = new.to,
        None => lines.push(new),
    }
}

/// Draws a screen as a window.
///
/// # Errors
/// Where it has a colour that is none of the sixteen, or a modifier that is not known here.
pub fn draw(screen: &Buffer, description: &str) -> Result<String, String> {
    let area = *screen.area();
    let mut layers = Layers::default();
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        while x < area.right() {
            let cell = &screen[(x, y)];
            let cells = width(cell.symbol()).max(1);
            layers.add(cell, u32::from(x - area.left()), u32::from(y - area.top()), u32::from(cells))?;
            x += cells;
        }
    }
    Ok(window(&layers, (u32::from(area.width), u32::from(area.height)), description))
}

impl Layers {
    fn add(&mut self, cell: &Cell, column: u32, row: u32, cells: u32) -> Result<(), String> {
        let unknown = cell.modifier - KNOWN;
        if !unknown.is_empty() {
            return Err(format!("no way to draw text that is {unknown:?}"));
        }
        let (mut front, mut back) = (colour(cell.fg)?.unwrap_or(TEXT), colour(cell.bg)?);
        if cell.modifier.contains(Modifier::REVERSED) {
            let before = front;
            front = back.unwrap_or(BACKGROUND);
            back = Some(before);
        }
        let look = Look {
            colour: front,
            bold: cell.modifier.contains(Modifier::BOLD),
            dim: cell.modifier.contains(Modifier::DIM),
        };
        let (x, y) = place(column, row);
        if let Some(back) = back {
            self.filled.entry(back).or_default().level(x, y + CELL.1 / 2, cells * CELL.0);
        }
        if cell.modifier.contains(Modifier::UNDERLINED) {
            let lines = self.underlines.entry(look.of_underline()).or_default();
            lines.level(x, y + BASELINE + 25, cells * CELL.0);
        }
        let symbol = cell.symbol();
        if is_border(symbol) {
            border(self.borders.entry(look.of_border()).or_default(), symbol, x, y);
        } else {
            self.letter(symbol, look, column, row, cells);
        }
        Ok(())
    }

    fn letter(&mut self, symbol: &str, look: Look, column: u32, row: u32, cells: u32) {
        let last = self.runs.last_mut().filter(|run| run.row == row && run.column + run.cells == column);
        match last {
            // One space within a text is text; two are a gap between two texts.
            Some(run) if symbol == " " && run.kind != Kind::Alone && !run.text.ends_with(' ') && run.look == look => {
                run.text.push(' ');
                run.cells += cells;
            }
            _ if symbol.trim().is_empty() => {}
            Some(run) if run.kind == kind(symbol) && run.kind != Kind::Alone && run.look == look => {
                run.text.push_str(symbol);
                run.cells += cells;
            }
            _ => self.runs.push(Run { look, column, row, cells, text: symbol.to_owned(), kind: kind(symbol) }),
        }
    }
}

fn colour(colour: Color) -> Result<Option<&'static str>, String> {
    if colour == Color::Reset {
        return Ok(None);
    }
    let found = PALETTE.iter().find(|(known, _)| *known == colour);
    found.map(|(_, shown)| Some(*shown)).ok_or_else(|| format!("{colour} is none of the terminal's sixteen colours"))
}

/// Top left corner of a cell.
fn place(column: u32, row: u32) -> (u32, u32) {
    (MARGIN + column * CELL.0, BAR + row * CELL.1)
}

/// A number of tenths, as SVG writes it.
fn tenths(number: u32) -> String {
    match number % 10 {
        0 => (number / 10).to_string(),
        tenth => format!("{}.{tenth}", number / 10),
    }
}

fn is_border(symbol: &str) -> bool {
    matches!(symbol, "─" | "│" | "╭" | "╮" | "╰" | "╯")
}

/// Adds the piece of a border that stands in a cell: from the middle of one side to the middle of another.
fn border(lines: &mut Lines, symbol: &str, x: u32, y: u32) {
    let (middle, centre) = (x + CELL.0 / 2, y + CELL.1 / 2);
    let (right, bottom) = (x + CELL.0, y + CELL.1);
    let (bend, side) = match symbol {
        "│" => return lines.upright(middle, y, bottom),
        "╭" => (centre + ROUND, right),
        "╮" => (centre + ROUND, x),
        "╰" => (centre - ROUND, right),
        "╯" => (centre - ROUND, x),
        _ => return lines.level(x, centre, CELL.0),
    };
    if bend > centre {
        lines.upright(middle, bend, bottom);
    } else {
        lines.upright(middle, y, bend);
    }
    let [middle, bend, side, centre] = [middle, bend, side, centre].map(tenths);
    let _ = write!(lines.corners, "M{middle},{bend}Q{middle},{centre} {side},{centre}");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The window around the cells, and all layers in it.
fn window(layers: &Layers, (columns, rows): (u32, u32), description: &str) -> String {
    let (across, down) = (2 * MARGIN + columns * CELL.0, BAR + rows * CELL.1 + MARGIN);
    let (wide, high) = (tenths(across), tenths(down));
    let (description, high_cell) = (escape(description), tenths(CELL.1));
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{wide}\" height=\"{high}\" viewBox=\"0 0 {wide} {high}\" \
         role=\"img\" aria-label=\"{description}\">\n\
         <!-- Drawn from the program's own view by examples/pictures. -->\n\
         <title>{description}</title>\n\
         <style>\n\
         text {{ font-family: ui-monospace, SFMono-Regular, \"SF Mono\", Menlo, Consolas, \"DejaVu Sans Mono\", \
         \"Liberation Mono\", monospace; font-size: 14px; fill: currentColor; white-space: pre }}\n\
         path {{ fill: none; stroke: currentColor; stroke-width: 1.2 }}\n\
         .f {{ stroke-width: {high_cell} }}\n\
         .b {{ font-weight: bold }}\n\
         .d {{ opacity: .6 }}\n\
         .m {{ text-anchor: middle }}\n\
         </style>\n",
    );
    let (inner_wide, inner_high) = (tenths(across - 10), tenths(down - 10));
    let _ = writeln!(
        out,
        "<rect x=\".5\" y=\".5\" width=\"{inner_wide}\" height=\"{inner_high}\" rx=\"10\" fill=\"{BACKGROUND}\" \
         stroke=\"#3d4252\"/>"
    );
    for (number, colour) in (0..).zip(["#ff5f57", "#febc2e", "#28c840"]) {
        let _ = writeln!(out, "<circle cx=\"{}\" cy=\"17\" r=\"6\" fill=\"{colour}\"/>", 22 + number * 20);
    }
    let middle = tenths(across / 2);
    let _ = writeln!(out, "<text class=\"m\" x=\"{middle}\" y=\"21.5\" color=\"#9aa1b4\">rollover</text>");
    let _ = writeln!(out, "<g xml:space=\"preserve\" color=\"{TEXT}\">");
    for (colour, lines) in &layers.filled {
        let _ = writeln!(out, "<path class=\"f\" color=\"{colour}\" d=\"{}\"/>", lines.path());
    }
    for (look, lines) in layers.borders.iter().chain(&layers.underlines) {
        let _ = writeln!(out, "<path{} d=\"{}\"/>", look.attributes(), lines.path());
    }
    for run in &layers.runs {
        out.push_str(&text(run));
    }
    out.push_str("</g>\n</svg>\n");
    out
}

fn text(run: &Run) -> String {
    let (x, y) = place(run.column, run.row);
    let y = tenths(y + BASELINE);
    let look = run.look.attributes();
    let content = escape(run.text.trim_end());
    match run.kind {
        Kind::Letter => {
            let cells = run.cells - u32::from(run.text.ends_with(' '));
            let length = tenths(cells * CELL.0);
            format!(
                "<text{look} x=\"{}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\">{content}</text>\n",
                tenths(x)
            )
        }
        Kind::RightToLeft => format!("<text{look} x=\"{}\" y=\"{y}\">{content}</text>\n", tenths(x)),
        Kind::Alone => {
            let middle = tenths(x + run.cells * CELL.0 / 2);
            format!("<text{look} x=\"{middle}\" y=\"{y}\" text-anchor=\"middle\">{content}</text>\n")
        }
    }
}
