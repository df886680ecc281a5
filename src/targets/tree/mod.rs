//! What JSON, YAML and TOML have in common: values below keys, and where each of them stands in the text. A parser for the
//! format makes the tree; a change cuts the text at the places that the tree names, so every byte beside them stays.

mod change;
mod path;
mod slots;
#[cfg(test)]
pub(super) mod tests;

pub(super) use self::path::MERGE;
pub(super) use self::slots::split;

use std::ops::Range;

use zeroize::Zeroizing;

use super::edit::EditError;
use crate::domain::target::{SlotNames, Slots};

/// How deep values may lie in each other. Nobody configures an app with more; a tree that is deeper costs stack.
pub(super) const DEEPEST: usize = 100;

/// A value.
pub(super) struct Node {
    /// Where it stands.
    pub span: Range<usize>,
    /// What it is.
    pub kind: Kind,
    /// What else is said of it that must stay: a tag, the name that others call it by.
    pub mark: Option<String>,
    /// Why it cannot hold a secret, where it cannot.
    pub odd: Option<&'static str>,
}

/// What a value is.
pub(super) enum Kind {
    /// Values below keys.
    Map(Around, Vec<Member>),
    /// Values in order.
    List(Around, Vec<Node>),
    /// A text.
    Text(Zeroizing<String>),
    /// `null`.
    Nothing,
    /// A number, a truth, a date, …: as it is written.
    Other(Zeroizing<String>),
}

/// A value below a key.
pub(super) struct Member {
    /// The key: its last part, where one key is written as several with dots between.
    pub key: Node,
    /// The value.
    pub value: Node,
}

/// What keeps members or items apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Around {
    /// Brackets around all, commas between.
    Brackets,
    /// Each has lines of its own.
    Lines,
    /// Something that is not written to: a dotted key inside braces.
    Neither,
}

/// What has a line of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lines {
    /// A key and its value.
    Member,
    /// An item of a list.
    Item,
}

/// What a format does in its own way.
pub(super) trait Syntax {
    /// How a value that is not there is written.
    const NOTHING: &'static str;
    /// How a comment begins; `None`: there are none.
    const COMMENT: Option<char>;
    /// The tree of a text.
    fn parse(text: &str) -> Result<Node, EditError>;
    /// A text as it is written, in the manner of what stands in its place, or beside it.
    fn text(value: &str, like: &str) -> Zeroizing<String>;
    /// A key as it is written, in the manner of the one beside it.
    fn key(name: &str, like: &str) -> String;
    /// What stands at the beginning of a line of its own, from what stands there before a neighbour; `None`: it cannot be told.
    fn lead(before: &str, what: Lines) -> Option<String>;
    /// Whether `text` is written so that `node` stands there: what the parser said of the place is checked before it is cut.
    fn stands(node: &Node, text: &str) -> bool;
}

/// The secrets in a text.
pub(super) fn read<S: Syntax>(bytes: &[u8], names: &SlotNames) -> Result<Slots, EditError> {
    let (_, text) = decoded(bytes)?;
    slots::held(&S::parse(text)?, names).map_err(|fault| fault.told(text))
}

/// The text with these secrets in it.
pub(super) fn edit<S: Syntax>(
    bytes: &[u8],
    names: &SlotNames,
    wanted: &Slots,
) -> Result<Zeroizing<Vec<u8>>, EditError> {
    let (mark, text) = decoded(bytes)?;
    let tree = S::parse(text)?;
    let cuts = change::cuts::<S>(text, &tree, names, wanted).map_err(|fault| fault.told(text))?;
    let mut edited =
        Zeroizing::new(Vec::with_capacity(bytes.len() + cuts.iter().map(|cut| cut.text.len()).sum::<usize>()));
    edited.extend_from_slice(mark.as_bytes());
    let mut from = 0;
    for cut in &cuts {
        let kept = text.get(from..cut.place.start).ok_or_else(|| broken(None))?;
        edited.extend_from_slice(kept.as_bytes());
        edited.extend_from_slice(cut.text.as_bytes());
        from = cut.place.end;
    }
    edited.extend_from_slice(text.get(from..).ok_or_else(|| broken(None))?.as_bytes());
    // What was not cut is the same by how it was made; that it also means the same is for the parser to say.
    let (_, text) = decoded(&edited)?;
    let after = S::parse(text).map_err(|error| broken(error.line))?;
    let holds = slots::held(&after, names).map_err(|fault| broken(fault.told(text).line))?;
    if holds != *wanted || !slots::same_beside(&tree, &after, names) {
        return Err(broken(None));
    }
    Ok(edited)
}

fn broken(line: Option<usize>) -> EditError {
    EditError { line, message: "it is written in a way that cannot be changed safely; nothing was written".to_owned() }
}

/// The text behind its byte order mark, and that.
fn decoded(bytes: &[u8]) -> Result<(&'static str, &str), EditError> {
    let text = std::str::from_utf8(bytes).map_err(|error| EditError {
        line: Some(bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count()),
        message: "it is not UTF-8".to_owned(),
    })?;
    Ok(text.strip_prefix('\u{feff}').map_or(("", text), |rest| ("\u{feff}", rest)))
}

/// The number of the line in which a place is, counted from one.
pub(super) fn line_at(text: &str, at: usize) -> usize {
    1 + text.get(..at).unwrap_or(text).matches('\n').count()
}

/// What is wrong with a value, and where it stands.
#[derive(Debug)]
struct Fault {
    at: Option<usize>,
    message: String,
}

impl Fault {
    fn new(at: impl Into<Option<usize>>, message: impl Into<String>) -> Self {
        Self { at: at.into(), message: message.into() }
    }

    fn told(self, text: &str) -> EditError {
        EditError { line: self.at.map(|at| line_at(text, at)), message: self.message }
    }
}
