//! Where in a file of variables the assignments to our keys stand.
use std::ops::Range;

use super::super::edit::EditError;
use super::value::Quote;

/// Who reads the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// Shells, the dotenv libraries, docker compose.
    Dotenv,
    /// `docker run --env-file`.
    Docker,
}

/// An assignment to one of our keys.
#[derive(Clone, Debug)]
pub(super) struct Assignment {
    /// Its line, counted from one.
    pub line: usize,
    /// Where its line starts, behind a byte order mark.
    pub start: usize,
    /// The name.
    pub key: Range<usize>,
    /// The value with its quotes.
    pub value: Range<usize>,
    /// How it is quoted.
    pub quote: Quote,
    /// Where its line ends.
    pub end: usize,
    /// Where the next line starts; the same as `end` where the file ends without a newline.
    pub next: usize,
}

impl Assignment {
    /// Whether a newline ends its line.
    pub(super) fn has_newline(&self) -> bool {
        self.next > self.end
    }
}

/// One line, or several where a quoted value goes on.
struct Statement {
    name: Option<Range<usize>>,
    /// Without one it is no assignment that every reader takes.
    value: Option<(Range<usize>, Quote)>,
    /// Whether a shell takes the next line for a part of it.
    is_continued: bool,
    end: usize,
    next: usize,
}

/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xEF\xBB\xBF";

/// Finds the one assignment to each key.
pub(super) fn find(bytes: &[u8], dialect: Dialect, keys: &[&str]) -> Result<Vec<Option<Assignment>>, EditError> {
    let mut found: Vec<Option<Assignment>> = vec![None; keys.len()];
    let mut at = if bytes.starts_with(MARK) { MARK.len() } else { 0 };
    let mut line = 1;
    let mut is_continued = false;
    while at < bytes.len() {
        let statement = match dialect {
            Dialect::Dotenv => dotenv(bytes, at, line)?,
            Dialect::Docker => docker(bytes, at),
        };
        let name = statement.name.clone().map(|name| (&bytes[name.clone()], name));
        let which = name.and_then(|(text, name)| Some((keys.iter().position(|key| key.as_bytes() == text)?, name)));
        if let Some((which, name)) = which {
            let key = keys[which];
            let wrong = |message: String| Err(EditError { line: Some(line), message });
            if let Some(first) = &found[which] {
                let first = first.line;
                return wrong(format!(
                    "{key} is set in line {first} and again in line {line}: apps differ in which they take"
                ));
            }
            let Some((value, quote)) = statement.value else {
                return wrong(match dialect {
                    Dialect::Dotenv => format!("{key} does not stand as `{key}=`, which all apps read alike"),
                    Dialect::Docker => format!("{key} does not stand as `{key}=`, the only form that docker takes"),
                });
            };
            if is_continued {
                return wrong(format!("the line before {key} ends in a backslash: to some apps both are one line"));
            }
            let assignment =
                Assignment { line, start: at, key: name, value, quote, end: statement.end, next: statement.next };
            if ends_differ(bytes, dialect, &assignment) {
                return wrong(format!(
                    "the line of {key} is set off by a carriage return alone, other lines by a newline"
                ));
            }
            found[which] = Some(assignment);
        }
        is_continued = statement.is_continued;
        line += lines(bytes, dialect, at, statement.next);
        at = statement.next;
    }
    Ok(found)
}

/// Whether some readers take the line and its neighbour for one: only where both kinds of line end are in the file.
fn ends_differ(bytes: &[u8], dialect: Dialect, assignment: &Assignment) -> bool {
    let before = assignment.start > 0 && bytes[assignment.start - 1] == b'\r';
    let after = &bytes[assignment.end..assignment.next] == b"\r";
    dialect == Dialect::Dotenv && (before || after) && bytes.contains(&b'\n')
}

fn lines(bytes: &[u8], dialect: Dialect, mut at: usize, until: usize) -> usize {
    let mut count = 0;
    while at < until {
        at = line_end(bytes, at, dialect).1;
        count += 1;
    }
    count
}

/// Where the line ends that `at` lies in, and where the next one starts.
pub(super) fn line_end(bytes: &[u8], at: usize, dialect: Dialect) -> (usize, usize) {
    let is_end = |byte: &u8| *byte == b'\n' || (*byte == b'\r' && dialect == Dialect::Dotenv);
    let Some(end) = bytes[at..].iter().position(is_end).map(|end| at + end) else {
        return (bytes.len(), bytes.len());
    };
    match dialect {
        Dialect::Dotenv if bytes[end..].starts_with(b"\r\n") => (end, end + 2),
        // To docker a carriage return belongs to the line's end only before a newline.
        Dialect::Docker if end > at && bytes[end - 1] == b'\r' => (end - 1, end + 1),
        _ => (end, end + 1),
    }
}

fn blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t')) {
        at += 1;
    }
    at
}

fn word(bytes: &[u8], at: usize) -> Range<usize> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    at..at + bytes[at..].iter().position(|byte| !is_part(byte)).unwrap_or(bytes.len() - at)
}

/// The name that starts at `at`, behind `export` and within quotes, and whether it stands there plainly.
fn name(bytes: &[u8], at: usize) -> (Range<usize>, bool) {
    let is_quoted = matches!(bytes.get(at), Some(b'\'' | b'"'));
    let name = word(bytes, at + usize::from(is_quoted));
    (name, !is_quoted)
}

fn dotenv(bytes: &[u8], at: usize, line: usize) -> Result<Statement, EditError> {
    let (end, next) = line_end(bytes, at, Dialect::Dotenv);
    let first = blanks(bytes, at);
    let mut statement = Statement { name: None, value: None, is_continued: false, end, next };
    if first == end || bytes[first] == b'#' {
        return Ok(statement);
    }
    let (mut key, mut is_plain) = name(bytes, first);
    let behind = blanks(bytes, key.end);
    if is_plain && &bytes[key.clone()] == b"export" && behind > key.end && behind < end && bytes[behind] != b'=' {
        (key, is_plain) = name(bytes, behind);
    }
    let mut sign = blanks(bytes, key.end);
    if !is_plain && matches!(bytes.get(sign), Some(b'\'' | b'"')) {
        sign = blanks(bytes, sign + 1);
    }
    statement.name = Some(key);
    // Some readers take `KEY: value` too. A key of ours that stands so is refused, a value of others ends where its quote ends.
    is_plain &= bytes.get(sign) == Some(&b'=');
    let mut from = first;
    if matches!(bytes.get(sign), Some(b'=' | b':')) {
        let start = blanks(bytes, sign + 1);
        let quote = match bytes.get(start) {
            Some(b'\'') => Quote::Single,
            Some(b'"') => Quote::Double,
            _ => Quote::None,
        };
        from = sign + 1;
        let mut value = from..from;
        if quote != Quote::None {
            from = closing(bytes, start, line)? + 1;
            (statement.end, statement.next) = line_end(bytes, from, Dialect::Dotenv);
            value = start..from;
        } else if let text = trimmed(bytes, start, comment(bytes, from, end))
            && !text.is_empty()
        {
            value = text;
        }
        statement.value = is_plain.then_some((value, quote));
    }
    let text = &bytes[from..statement.end];
    let is_commented = comment(bytes, from, statement.end) < statement.end;
    statement.is_continued = !is_commented && text.iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1;
    Ok(statement)
}

/// Where a comment starts behind a value, or the line ends.
fn comment(bytes: &[u8], from: usize, end: usize) -> usize {
    (from..end).find(|at| bytes[*at] == b'#' && matches!(bytes[at - 1], b' ' | b'\t')).unwrap_or(end)
}

/// Without the blanks at its end.
fn trimmed(bytes: &[u8], start: usize, mut end: usize) -> Range<usize> {
    while end > start && matches!(bytes[end - 1], b' ' | b'\t') {
        end -= 1;
    }
    start..end.max(start)
}

/// Where the quote that opens at `open` closes.
fn closing(bytes: &[u8], open: usize, line: usize) -> Result<usize, EditError> {
    let quote = bytes[open];
    let wrong = |message: &str| EditError { line: Some(line), message: message.to_owned() };
    let mut at = open + 1;
    loop {
        match bytes.get(at) {
            None => return Err(wrong("the quote that opens there does not close")),
            Some(byte) if *byte == quote => break,
            Some(b'\\') if quote == b'"' => at += 2,
            Some(_) => at += 1,
        }
    }
    // python-dotenv goes on behind `\\"` and `\'`, shells do not.
    if bytes[at - 1] == b'\\' {
        return Err(wrong("a backslash stands before the closing quote: apps differ in whether it closes"));
    }
    Ok(at)
}

fn docker(bytes: &[u8], at: usize) -> Statement {
    let (end, next) = line_end(bytes, at, Dialect::Docker);
    let first = blanks(bytes, at);
    let mut statement = Statement { name: None, value: None, is_continued: false, end, next };
    if bytes.get(first) == Some(&b'#') {
        return statement;
    }
    let mut key = word(bytes, first);
    let behind = blanks(bytes, key.end);
    if &bytes[key.clone()] == b"export" && behind > key.end {
        key = word(bytes, behind);
    } else if bytes.get(key.end) == Some(&b'=') {
        statement.value = Some((key.end + 1..end, Quote::None));
    }
    statement.name = Some(key);
    statement
}
