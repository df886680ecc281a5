use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};

use serde::Serialize;
use serde_json::json;
use serde_json::ser::{Formatter, PrettyFormatter};

use super::exit::Failure;
use crate::domain::Untrusted;
use crate::domain::preflight::Standing;
use crate::domain::untrusted::shown;
use crate::tui::view::text::{fit, width, wrap};

/// Data on stdout, everything else on stderr.
pub struct Output {
    out: BufWriter<Stdout>,
    /// One JSON document instead of text.
    pub json: bool,
    /// Stdout is a terminal: tables instead of tab-separated values.
    pub table: bool,
    colour: bool,
    /// Stderr is a terminal: a person may want to know how it goes.
    pub talk: bool,
}

/// Names are cut at this many cells in a table: one odd name must not push the rest off the screen. Ids and secrets
/// are never cut.
const WIDEST: u16 = 48;

/// A text beside others is wrapped at no fewer cells than this: on a narrow terminal it breaks where it will.
const NARROWEST: u16 = 30;

impl Output {
    /// For this process's stdout and stderr.
    #[must_use]
    pub fn new(json: bool) -> Self {
        let table = io::stdout().is_terminal();
        let colour = table && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        // Stdout of the standard library writes line by line, to a pipe too: lines are gathered before they get there.
        let out = BufWriter::with_capacity(64 * 1024, io::stdout());
        Self { out, json, table, colour, talk: io::stderr().is_terminal() && !json }
    }

    /// Prints one JSON document. What a terminal would obey is escaped.
    pub fn document(&mut self, value: &impl Serialize) -> io::Result<()> {
        let mut serializer = serde_json::Serializer::with_formatter(&mut self.out, Harmless(PrettyFormatter::new()));
        value.serialize(&mut serializer)?;
        writeln!(self.out)?;
        self.out.flush()
    }

    /// Prints rows: as a table with headings on a terminal, as tab-separated values without them elsewhere. The cells
    /// are raw text; they are made safe here.
    /// They are made one after another, twice for a table: a hundred thousand need never be there at once.
    pub fn rows<'a, const COLUMNS: usize>(
        &mut self,
        headings: [&str; COLUMNS],
        rows: impl Iterator<Item = [Cow<'a, str>; COLUMNS]> + Clone,
    ) -> io::Result<()> {
        if !self.table {
            for row in rows {
                for (column, cell) in row.iter().enumerate() {
                    let gap = if column == 0 { "" } else { "\t" };
                    write!(self.out, "{gap}{}", shown(cell))?;
                }
                writeln!(self.out)?;
            }
            return self.out.flush();
        }
        let mut widths = headings.map(width);
        for row in rows.clone() {
            for ((widest, cell), heading) in widths.iter_mut().zip(&row).zip(headings) {
                let most = if heading == "NAME" { WIDEST } else { u16::MAX };
                *widest = width(&shown(cell)).min(most).max(*widest);
            }
        }
        let (bold, plain) = if self.colour { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        writeln!(self.out, "{bold}{}{plain}", line(&headings.map(Cow::from), &widths))?;
        for row in rows {
            writeln!(self.out, "{}", line(&row, &widths))?;
        }
        self.out.flush()
    }

    /// Prints names with values: aligned on a terminal, tab-separated elsewhere. The values are raw text.
    pub fn fields(&mut self, fields: &[(&str, String)]) -> io::Result<()> {
        let widest = fields.iter().map(|(name, _)| width(name)).max().unwrap_or_default();
        for (name, value) in fields {
            let value = shown(value);
            if self.table {
                let gap = " ".repeat(usize::from(widest - width(name)) + 2);
                writeln!(self.out, "{name}{gap}{value}")?;
            } else {
                writeln!(self.out, "{name}\t{value}")?;
            }
        }
        self.out.flush()
    }

    /// Prints a line of data.
    pub fn line(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "{text}")?;
        self.out.flush()
    }

    /// Prints a heading for a person.
    pub fn heading(&mut self, text: &str) -> io::Result<()> {
        let (bold, plain) = if self.colour { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
        self.line(&format!("{bold}{}{plain}", shown(text)))
    }

    /// Prints a text for a person beside what stands before it, on as many lines as it takes; in the colour of how it stands.
    pub fn told(&mut self, standing: Standing, before: &str, text: &str) -> io::Result<()> {
        let (colour, plain) = match standing {
            _ if !self.colour => ("", ""),
            Standing::Ok => ("", ""),
            Standing::Warning => ("\u{1b}[33m", "\u{1b}[0m"),
            Standing::Problem => ("\u{1b}[31m", "\u{1b}[0m"),
        };
        let indent = width(before);
        let room = self.columns().saturating_sub(indent).max(NARROWEST);
        for (number, part) in wrap(&shown(text), room).iter().enumerate() {
            let gap = if number == 0 { before.to_owned() } else { " ".repeat(usize::from(indent)) };
            writeln!(self.out, "{colour}{gap}{part}{plain}")?;
        }
        self.out.flush()
    }

    /// How many cells a line of the terminal has.
    fn columns(&self) -> u16 {
        const USUAL: u16 = 80;
        #[cfg(unix)]
        if self.table {
            let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout());
            return size.ok().map(|size| size.ws_col).filter(|columns| *columns > 0).unwrap_or(USUAL);
        }
        USUAL
    }

    /// Tells a person how it goes; nobody, where stderr is no terminal.
    pub fn progress(&self, text: &str) {
        if self.talk {
            say(text);
        }
    }
}

fn line(row: &[Cow<'_, str>], widths: &[u16]) -> String {
    let mut out = String::new();
    for (cell, cells) in row.iter().zip(widths) {
        let cell = shown(cell);
        let cell = fit(&cell, *cells);
        out.push_str(&cell);
        out.push_str(&" ".repeat(usize::from(cells - width(&cell)) + 2));
    }
    out.truncate(out.trim_end().len());
    out
}

/// Says something on stderr.
pub fn say(text: &str) {
    // Nobody is left to be told where stderr is gone.
    let _ = writeln!(io::stderr(), "{text}");
}

/// Reports a failure on stderr: as JSON where that was asked for.
pub fn report(failure: &Failure, json: bool) {
    if failure.is_closed_pipe() {
        return;
    }
    if !json {
        say(&format!("rollover: {}", failure.message));
        if !failure.hint.is_empty() {
            say(&format!("  {}", failure.hint));
        }
        return;
    }
    let document = json!({ "error": {
        "kind": failure.kind,
        "message": failure.message,
        "hint": failure.hint,
        "status": failure.status,
        "error_code": failure.error_code.as_ref().map(Untrusted::raw),
        "client_id": failure.client_id,
    }});
    let mut bytes = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Harmless(PrettyFormatter::new()));
    if document.serialize(&mut serializer).is_ok() {
        say(&String::from_utf8_lossy(&bytes));
    }
}

/// JSON whose strings hold nothing that a terminal would obey or that would mislead a reader: JSON itself lets C1 controls
/// and bidirectional overrides stand as they are.
struct Harmless<'a>(PrettyFormatter<'a>);

impl Formatter for Harmless<'_> {
    fn write_string_fragment<W: ?Sized + Write>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        if fragment.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return writer.write_all(fragment.as_bytes());
        }
        let mut plain = 0;
        for (at, character) in fragment.char_indices() {
            if !crate::domain::untrusted::is_hidden(character) {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + character.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }

    fn begin_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }

    fn end_array<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }

    fn begin_array_value<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }

    fn end_array_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }

    fn begin_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }

    fn end_object<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }

    fn begin_object_key<W: ?Sized + Write>(&mut self, writer: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }

    fn begin_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }

    fn end_object_value<W: ?Sized + Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_holds_nothing_that_a_terminal_obeys_and_still_says_the_same() {
        let nasty = "a\u{9b}2J\u{202e}b\u{200b}\u{e0041}\u{7f}\u{1b}\"日本";
        let mut bytes = Vec::new();
        let mut serializer = serde_json::Serializer::with_formatter(&mut bytes, Harmless(PrettyFormatter::new()));
        json!({ "name": nasty }).serialize(&mut serializer).expect("JSON");
        let text = String::from_utf8(bytes).expect("UTF-8");
        assert!(
            text.contains("日本") && text.contains("\\u009b2J\\u202eb\\u200b\\udb40\\udc41\\u007f\\u001b"),
            "{text}"
        );
        let back: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(back["name"], nasty);
    }

    #[test]
    fn a_line_is_padded_by_cells_and_cut_with_a_sign() {
        let row = ["東京".into(), "x".repeat(60).into(), "end".into()];
        assert_eq!(line(&row, &[6, 4, 3]), "東京    xxx…  end");
    }
}
