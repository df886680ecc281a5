//! TOML files. `toml_edit` tells where everything stands; its own printing of a document would lose line ends and the byte order
//! mark.

use toml_edit::{Document, Item, Key, Table, TableLike, Value};
use zeroize::Zeroizing;

use super::edit::EditError;
use super::tree::{self, Around, DEEPEST, Kind, Lines, Member, Node, Syntax, line_at};
use crate::domain::target::{SlotNames, Slots};
use crate::domain::untrusted::is_hidden;

/// The secrets in a text.
///
/// # Errors
/// Where it is not TOML, or holds something else in their place.
pub fn read(bytes: &[u8], slots: &SlotNames) -> Result<Slots, EditError> {
    tree::read::<Toml>(bytes, slots)
}

/// The text with these secrets in it, and all else as it was. A fallback that is taken away goes with its key where that stands
/// right behind the current secret's; else it becomes `""`, for TOML has no word for nothing.
///
/// # Errors
/// Where it is not TOML, or cannot hold them.
pub fn edit(bytes: &[u8], slots: &SlotNames, wanted: &Slots) -> Result<Zeroizing<Vec<u8>>, EditError> {
    tree::edit::<Toml>(bytes, slots, wanted)
}

/// How TOML is written.
struct Toml;

impl Syntax for Toml {
    const NOTHING: &'static str = "\"\"";
    const COMMENT: Option<char> = Some('#');

    fn parse(text: &str) -> Result<Node, EditError> {
        let document = Document::parse(text).map_err(|error| {
            let line = error.span().map(|span| line_at(text, span.start));
            // What its messages quote are names of keys.
            EditError { line, message: format!("it is not TOML: {}", crate::domain::untrusted::brief(error.message())) }
        })?;
        let Kind::Map(_, members) = table(text, document.as_table(), Around::Lines, 0)? else { return Err(lost()) };
        Ok(Node { span: 0..0, kind: Kind::Map(Around::Lines, members), mark: None, odd: None })
    }

    fn text(value: &str, like: &str) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 + 10 * value.len()));
        if like.starts_with('\'') && !value.contains(|character| character == '\'' || is_hidden(character)) {
            text.extend(["'", value, "'"]);
            return text;
        }
        text.push('"');
        for character in value.chars() {
            match character {
                '"' | '\\' => text.extend(['\\', character]),
                hidden if is_hidden(hidden) => text.extend(format!("\\U{:08X}", u32::from(hidden)).chars()),
                plain => text.push(plain),
            }
        }
        text.push('"');
        text
    }

    fn key(name: &str, like: &str) -> String {
        if like.starts_with(['"', '\'']) {
            Self::text(name, like).as_str().to_owned()
        } else {
            Key::new(name).to_string()
        }
    }

    /// The parts of a dotted key before its last one belong to the line.
    fn lead(before: &str, _what: Lines) -> Option<String> {
        Some(before.to_owned())
    }

    fn stands(node: &Node, text: &str) -> bool {
        let Kind::Text(value) = &node.kind else { return false };
        let quote = |quote| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
        (quote('"') || quote('\'')) && text.parse::<Value>().is_ok_and(|text| text.as_str() == Some(value.as_str()))
    }
}

fn lost() -> EditError {
    EditError { line: None, message: "it cannot be told where its values stand".to_owned() }
}

fn table(text: &str, table: &dyn TableLike, around: Around, depth: usize) -> Result<Kind, EditError> {
    let member = |(name, item): (&str, &Item)| {
        let (key, _) = table.get_key_value(name).ok_or_else(lost)?;
        // A table that is only named in the headers of others, or in dotted keys, has no place of its own.
        let span = key.span().unwrap_or(0..0);
        let kind = Kind::Text(Zeroizing::new(name.to_owned()));
        let value = of_item(text, item, around, depth + 1)?;
        Ok(Member { key: Node { span, kind, mark: None, odd: None }, value })
    };
    Ok(Kind::Map(around, table.iter().map(member).collect::<Result<_, EditError>>()?))
}

fn of_item(text: &str, item: &Item, around: Around, depth: usize) -> Result<Node, EditError> {
    let kind = match item {
        Item::None => Kind::Nothing,
        Item::Value(inner) => return of_value(text, inner, around, depth),
        Item::Table(inner) => table(text, inner, Around::Lines, depth)?,
        Item::ArrayOfTables(tables) => {
            let each = |inner: &Table| {
                let kind = table(text, inner, Around::Lines, depth + 1)?;
                Ok(Node { span: inner.span().unwrap_or(0..0), kind, mark: None, odd: None })
            };
            Kind::List(Around::Neither, tables.iter().map(each).collect::<Result<_, EditError>>()?)
        }
    };
    Ok(Node { span: item.span().unwrap_or(0..0), kind, mark: None, odd: None })
}

fn of_value(text: &str, value: &Value, around: Around, depth: usize) -> Result<Node, EditError> {
    let span = value.span().unwrap_or(0..0);
    if depth > DEEPEST {
        return Err(EditError { line: Some(line_at(text, span.start)), message: "it is nested too deep".to_owned() });
    }
    let written = text.get(span.clone()).ok_or_else(lost)?;
    let mut odd = None;
    let kind = match value {
        Value::InlineTable(inner) => {
            // A dotted key in a table with a header makes such a table too: without braces.
            let inside = match (inner.is_dotted(), around) {
                (false, _) => Around::Brackets,
                (true, Around::Lines) => Around::Lines,
                (true, _) => Around::Neither,
            };
            table(text, inner, inside, depth)?
        }
        Value::Array(items) => {
            let each = |item| of_value(text, item, Around::Brackets, depth + 1);
            Kind::List(Around::Brackets, items.iter().map(each).collect::<Result<_, EditError>>()?)
        }
        Value::String(string) => {
            if written.starts_with("\"\"\"") || written.starts_with("'''") {
                odd = Some("is a text of several lines");
            }
            Kind::Text(Zeroizing::new(string.value().clone()))
        }
        _ => Kind::Other(Zeroizing::new(written.to_owned())),
    };
    Ok(Node { span, kind, mark: None, odd })
}

/// A text as it is written, for tests.
#[cfg(test)]
pub(super) fn written(value: &str, like: &str) -> String {
    Toml::text(value, like).to_string()
}
