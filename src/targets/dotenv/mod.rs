//! Files of variables: `.env`, and what `docker run --env-file` reads. Bytes stay as they are, but for the values of our keys.

mod list;
mod scan;
mod value;

use std::ops::Range;
use std::sync::Arc;

use zeroize::Zeroizing;

use self::scan::{Assignment, Dialect};
use self::value::Quote;
use super::edit::EditError;
use crate::domain::Secret;
use crate::domain::target::{SlotNames, Slots};

/// Reads `.env` as shells, dotenv libraries and docker compose do; refused where they would differ.
pub fn read(bytes: &[u8], slots: &SlotNames) -> Result<Slots, EditError> {
    File::read(bytes, slots, Dialect::Dotenv)?.slots()
}

/// Changes `.env`.
pub fn edit(bytes: &[u8], slots: &SlotNames, wanted: &Slots) -> Result<Zeroizing<Vec<u8>>, EditError> {
    edited(bytes, slots, wanted, Dialect::Dotenv)
}

/// What `docker run --env-file` reads: no quotes, no `export`, no comment behind a value.
pub mod docker {
    use super::{Dialect, EditError, File, SlotNames, Slots, Zeroizing, edited};

    /// Reads it as docker does.
    pub fn read(bytes: &[u8], slots: &SlotNames) -> Result<Slots, EditError> {
        File::read(bytes, slots, Dialect::Docker)?.slots()
    }

    /// Changes it.
    pub fn edit(bytes: &[u8], slots: &SlotNames, wanted: &Slots) -> Result<Zeroizing<Vec<u8>>, EditError> {
        edited(bytes, slots, wanted, Dialect::Docker)
    }
}

/// A file and what stands in it under our keys.
struct File<'a> {
    bytes: &'a [u8],
    dialect: Dialect,
    names: &'a SlotNames,
    current: Option<Assignment>,
    fallback: Option<Assignment>,
}

/// A part of the file and what comes in its place.
struct Change {
    range: Range<usize>,
    text: Zeroizing<Vec<u8>>,
}

impl<'a> File<'a> {
    fn read(bytes: &'a [u8], names: &'a SlotNames, dialect: Dialect) -> Result<Self, EditError> {
        let (current, fallback) = keys(names)?;
        let keys: Vec<&str> = [Some(current), fallback].into_iter().flatten().collect();
        let mut found = scan::find(bytes, dialect, &keys)?.into_iter();
        let file = Self { bytes, dialect, names, current: found.next().flatten(), fallback: found.next().flatten() };
        if dialect == Dialect::Dotenv {
            for (assignment, key) in file.assignments().into_iter().zip(keys) {
                if let Some(assignment) = assignment {
                    file.check_tail(assignment, key)?;
                }
            }
        }
        Ok(file)
    }

    fn assignments(&self) -> [Option<&Assignment>; 2] {
        [self.current.as_ref(), self.fallback.as_ref()]
    }

    /// Behind a quoted value only a comment may stand.
    fn check_tail(&self, assignment: &Assignment, key: &str) -> Result<(), EditError> {
        let tail = &self.bytes[assignment.value.end..assignment.end];
        let text = tail.trim_ascii_start();
        let is_comment = text.starts_with(b"#") && text.len() < tail.len();
        if text.is_empty() || is_comment {
            return Ok(());
        }
        Err(at(
            assignment,
            format!("{key}: something stands behind the closing quote: apps differ in whether they read it"),
        ))
    }

    /// The text of a value.
    fn text(&self, assignment: &Assignment, key: &str) -> Result<&'a str, EditError> {
        value::text(&self.bytes[assignment.value.clone()], assignment.quote, self.dialect)
            .map_err(|why| at(assignment, format!("the value of {key} cannot be read: {why}")))
    }

    fn slots(&self) -> Result<Slots, EditError> {
        let secret = |text: &str| (!text.is_empty()).then(|| Arc::new(Secret::new(text.to_owned())));
        match self.names {
            SlotNames::Two { current, fallback } => {
                let read = |assignment: Option<&Assignment>, key: &str| {
                    assignment.map(|assignment| self.text(assignment, key)).transpose()
                };
                let (first, second) = (read(self.current.as_ref(), current)?, read(self.fallback.as_ref(), fallback)?);
                Ok(Slots { current: first.and_then(secret), fallback: second.and_then(secret) })
            }
            SlotNames::List { key, separator } => {
                let Some(assignment) = &self.current else { return Ok(Slots::default()) };
                let text = self.text(assignment, key)?;
                list::read(text, separator.as_deref())
                    .map_err(|why| at(assignment, format!("the value of {key} {why}")))
            }
        }
    }

    fn changes(&self, wanted: &Slots) -> Result<Vec<Change>, EditError> {
        let text = |secret: &'_ Option<Arc<Secret>>| {
            Zeroizing::new(secret.as_ref().map_or("", |secret| secret.expose()).to_owned())
        };
        let mut changes = Vec::new();
        match self.names {
            SlotNames::Two { current, fallback } => {
                let (first, second) = (text(&wanted.current), text(&wanted.fallback));
                if let Some(assignment) = &self.current {
                    changes.extend(self.put(assignment, current, &first)?);
                } else if !first.is_empty() || (!second.is_empty() && self.fallback.is_none()) {
                    return Err(missing(current));
                }
                match (&self.current, &self.fallback) {
                    (Some(above), Some(assignment))
                        if second.is_empty() && self.is_added(above, assignment, fallback)? =>
                    {
                        // dotenvy reads no file that ends in a blank without a newline.
                        let tail = &self.bytes[above.value.end..above.end];
                        let ends_blank = matches!(tail.last(), Some(b' ' | b'\t'));
                        let range = whole(above, assignment, ends_blank);
                        changes.push(Change { range, text: Zeroizing::default() });
                    }
                    (_, Some(assignment)) => changes.extend(self.put(assignment, fallback, &second)?),
                    (Some(above), None) if !second.is_empty() => changes.push(self.added(above, fallback, &second)?),
                    (_, None) => {}
                }
            }
            SlotNames::List { key, separator } => {
                let wrong = |why: &str| EditError { line: None, message: format!("{key}: {why}") };
                let text = list::written(wanted, separator.as_deref()).map_err(wrong)?;
                match &self.current {
                    Some(assignment) => changes.extend(self.put(assignment, key, &text)?),
                    None if text.is_empty() => {}
                    None => return Err(missing(key)),
                }
            }
        }
        Ok(changes)
    }

    /// Puts a value in the place of another; nothing where it is the same.
    fn put(&self, assignment: &Assignment, key: &str, text: &str) -> Result<Option<Change>, EditError> {
        if self.text(assignment, key)? == text {
            return Ok(None);
        }
        let has_tail = self.dialect == Dialect::Dotenv && assignment.value.end < assignment.end;
        // python-dotenv takes a comment behind nothing for the value.
        let was = if text.is_empty() && has_tail && assignment.quote == Quote::None {
            Quote::Single
        } else {
            assignment.quote
        };
        let text = self.quoted(text, was, key)?;
        Ok(Some(Change { range: assignment.value.clone(), text }))
    }

    fn quoted(&self, text: &str, was: Quote, key: &str) -> Result<Zeroizing<Vec<u8>>, EditError> {
        let quote = value::quote_for(text, was, self.dialect).map_err(|why| EditError {
            line: None,
            message: format!("the secret for {key} cannot be written: {why}"),
        })?;
        Ok(joined(&[quote.sign(), text.as_bytes(), quote.sign()]))
    }

    /// A new line below another, written like that one.
    fn added(&self, above: &Assignment, key: &str, text: &str) -> Result<Change, EditError> {
        let text = self.quoted(text, above.quote, key)?;
        let before = &self.bytes[above.start..above.key.start];
        let sign = &self.bytes[above.key.end..above.value.start];
        let newline = if above.has_newline() { &self.bytes[above.end..above.next] } else { self.newline() };
        let line = [before, key.as_bytes(), sign, &text];
        let (at, text) = if above.has_newline() {
            (above.next, joined(&[line[0], line[1], line[2], line[3], newline]))
        } else {
            (above.end, joined(&[newline, line[0], line[1], line[2], line[3]]))
        };
        Ok(Change { range: at..at, text })
    }

    /// Whether a line is just what `added` would have put below the other.
    fn is_added(&self, above: &Assignment, assignment: &Assignment, key: &str) -> Result<bool, EditError> {
        if !above.has_newline() || assignment.start != above.next {
            return Ok(false);
        }
        let part = |range: Range<usize>| &self.bytes[range];
        let text = self.text(assignment, key)?;
        Ok(part(above.start..above.key.start) == part(assignment.start..assignment.key.start)
            && part(above.key.end..above.value.start) == part(assignment.key.end..assignment.value.start)
            && assignment.value.end == assignment.end
            && value::quote_for(text, above.quote, self.dialect) == Ok(assignment.quote)
            && (!assignment.has_newline() || part(above.end..above.next) == part(assignment.end..assignment.next)))
    }

    /// How the file ends its lines.
    fn newline(&self) -> &'a [u8] {
        let (end, next) = scan::line_end(self.bytes, 0, self.dialect);
        if next > end { &self.bytes[end..next] } else { b"\n" }
    }

    /// The file without our values, in pieces; without the whole line of a fallback that the other file has not.
    fn pieces(&self, other: &Self) -> [&'a [u8]; 3] {
        let mut cuts = [self.bytes.len()..self.bytes.len(), self.bytes.len()..self.bytes.len()];
        if let Some(current) = &self.current {
            cuts[0] = current.value.clone();
        }
        match (&self.current, &self.fallback) {
            (Some(current), Some(fallback)) if other.fallback.is_none() => {
                let keeps_newline = other.current.as_ref().is_some_and(Assignment::has_newline);
                cuts[1] = whole(current, fallback, keeps_newline);
            }
            (_, Some(fallback)) => cuts[1] = fallback.value.clone(),
            (_, None) => {}
        }
        cuts.sort_by_key(|cut| cut.start);
        let [first, second] = cuts;
        [&self.bytes[..first.start], &self.bytes[first.end..second.start], &self.bytes[second.end..]]
    }
}

/// The line of a fallback that stands below the current secret, with its newline. Where the file ends without one, it is the
/// newline above that came with it.
fn whole(above: &Assignment, assignment: &Assignment, keeps_newline: bool) -> Range<usize> {
    if assignment.has_newline() {
        assignment.start..assignment.next
    } else if keeps_newline {
        above.next..assignment.end
    } else {
        above.end..assignment.end
    }
}

fn edited(bytes: &[u8], names: &SlotNames, wanted: &Slots, dialect: Dialect) -> Result<Zeroizing<Vec<u8>>, EditError> {
    if [&wanted.current, &wanted.fallback].into_iter().flatten().any(|secret| secret.expose().is_empty()) {
        return Err(EditError { line: None, message: "an empty secret is not written".to_owned() });
    }
    let file = File::read(bytes, names, dialect)?;
    let mut changes = file.changes(wanted)?;
    changes.sort_by_key(|change| change.range.start);
    let mut parts = Vec::with_capacity(2 * changes.len() + 1);
    let mut at = 0;
    for change in &changes {
        parts.extend([&bytes[at..change.range.start], change.text.as_slice()]);
        at = change.range.end;
    }
    parts.push(&bytes[at..]);
    let result = joined(&parts);
    check(&file, &result, wanted)?;
    Ok(result)
}

/// Reads back what was worked out: it must hold what is wanted, and every other byte must be as it was.
fn check(before: &File<'_>, bytes: &[u8], wanted: &Slots) -> Result<(), EditError> {
    let wrong = |what: &str| EditError {
        line: None,
        message: format!("a mistake of rollover's own: {what}; nothing is written"),
    };
    let after = File::read(bytes, before.names, before.dialect)
        .map_err(|error| wrong(&format!("what would be written does not read: {}", error.message)))?;
    if after.slots()? != *wanted {
        return Err(wrong("what would be written does not hold the secrets"));
    }
    let same = are_same(before.pieces(&after), after.pieces(before));
    if same { Ok(()) } else { Err(wrong("another part of the file would change")) }
}

/// Whether two texts in pieces are the same, wherever they are cut.
fn are_same(left: [&[u8]; 3], right: [&[u8]; 3]) -> bool {
    let mut right = right.into_iter();
    let mut rest: &[u8] = &[];
    for mut piece in left {
        while !piece.is_empty() {
            if rest.is_empty() {
                match right.next() {
                    Some(next) => rest = next,
                    None => return false,
                }
                continue;
            }
            let length = piece.len().min(rest.len());
            if piece[..length] != rest[..length] {
                return false;
            }
            (piece, rest) = (&piece[length..], &rest[length..]);
        }
    }
    rest.is_empty() && right.all(<[u8]>::is_empty)
}

/// One buffer of just the right size: one that grows leaves copies behind.
fn joined(parts: &[&[u8]]) -> Zeroizing<Vec<u8>> {
    let mut all = Zeroizing::new(Vec::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        all.extend_from_slice(part);
    }
    all
}

/// The names of the variables, the current one first.
fn keys(names: &SlotNames) -> Result<(&str, Option<&str>), EditError> {
    let (current, fallback) = match names {
        SlotNames::Two { current, fallback } => (current, Some(fallback.as_str())),
        SlotNames::List { key, .. } => (key, None),
    };
    let wrong = |message: String| Err(EditError { line: None, message });
    for key in [Some(current.as_str()), fallback].into_iter().flatten() {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if key.is_empty() || key.starts_with(|first: char| first.is_ascii_digit()) || !key.bytes().all(is_part) {
            let shown = crate::domain::untrusted::shown(key);
            return wrong(format!("`{shown}` is no name of a variable: letters, digits and `_`, no digit first"));
        }
    }
    if fallback == Some(current.as_str()) {
        return wrong(format!("{current} cannot be both the current secret and the fallback"));
    }
    Ok((current, fallback))
}

fn missing(key: &str) -> EditError {
    EditError { line: None, message: format!("there is no {key} in it: put a line `{key}=` where it shall stand") }
}

fn at(assignment: &Assignment, message: String) -> EditError {
    EditError { line: Some(assignment.line), message }
}

#[cfg(test)]
mod nasty;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
