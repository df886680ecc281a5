//! JSON files. `serde_json` hands out each value as the piece of the text that it is: that tells where it stands.

use std::fmt;

use serde::Deserialize as _;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

use super::edit::EditError;
use super::tree::{self, Around, DEEPEST, Kind, Lines, Member, Node, Syntax, line_at};
use crate::domain::target::{SlotNames, Slots};

/// The secrets in a text.
///
/// # Errors
/// Where it is not JSON, or holds something else in their place.
pub fn read(bytes: &[u8], slots: &SlotNames) -> Result<Slots, EditError> {
    tree::read::<Json>(bytes, slots)
}

/// The text with these secrets in it, and all else as it was. A fallback that is taken away goes with its key where that stands
/// right behind the current secret's; else it becomes `null`.
///
/// # Errors
/// Where it is not JSON, or cannot hold them.
pub fn edit(bytes: &[u8], slots: &SlotNames, wanted: &Slots) -> Result<Zeroizing<Vec<u8>>, EditError> {
    tree::edit::<Json>(bytes, slots, wanted)
}

/// How JSON is written.
pub(super) struct Json;

impl Syntax for Json {
    const NOTHING: &'static str = "null";
    const COMMENT: Option<char> = None;

    fn parse(text: &str) -> Result<Node, EditError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(|error| {
            // Its messages on syntax hold nothing of the text.
            let whole = error.to_string();
            let what = whole.split(" at line ").next().unwrap_or_default();
            EditError { line: Some(error.line().max(1)), message: format!("it is not JSON: {what}") }
        })?;
        node(text, raw, 0)
    }

    fn text(value: &str, _like: &str) -> Zeroizing<String> {
        quoted(value)
    }

    fn key(name: &str, _like: &str) -> String {
        quoted(name).as_str().to_owned()
    }

    fn lead(_before: &str, _what: Lines) -> Option<String> {
        None
    }

    fn stands(node: &Node, text: &str) -> bool {
        match &node.kind {
            Kind::Text(value) => {
                serde_json::from_str::<String>(text).map(Zeroizing::new).is_ok_and(|text| text == *value)
            }
            Kind::Nothing => text == "null",
            _ => false,
        }
    }
}

/// A text in quotes. By hand, so that no copy of it is left behind by a buffer that grew.
pub(super) fn quoted(value: &str) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(2 + 6 * value.len()));
    text.push('"');
    for character in value.chars() {
        match character {
            '"' | '\\' => text.extend(['\\', character]),
            control if control.is_ascii_control() => text.extend(format!("\\u{:04x}", u32::from(control)).chars()),
            plain => text.push(plain),
        }
    }
    text.push('"');
    text
}

fn node(whole: &str, raw: &RawValue, depth: usize) -> Result<Node, EditError> {
    let text = raw.get();
    let start = text.as_ptr().addr() - whole.as_ptr().addr();
    let wrong = |what: &str| EditError { line: Some(line_at(whole, start)), message: what.to_owned() };
    if depth > DEEPEST {
        return Err(wrong("it is nested too deep"));
    }
    let mut reader = serde_json::Deserializer::from_str(text);
    let kind = match text.as_bytes().first() {
        Some(b'{') => {
            let members = reader.deserialize_map(Members).map_err(|_| wrong("it is not JSON"))?;
            let member =
                |(key, value)| Ok(Member { key: node(whole, key, depth + 1)?, value: node(whole, value, depth + 1)? });
            Kind::Map(Around::Brackets, members.into_iter().map(member).collect::<Result<_, EditError>>()?)
        }
        Some(b'[') => {
            let items = reader.deserialize_seq(Items).map_err(|_| wrong("it is not JSON"))?;
            let items = items.into_iter().map(|item| node(whole, item, depth + 1));
            Kind::List(Around::Brackets, items.collect::<Result<_, EditError>>()?)
        }
        // Half of a surrogate pair is JSON and no text.
        Some(b'"') => match String::deserialize(&mut reader) {
            Ok(value) => Kind::Text(Zeroizing::new(value)),
            Err(_) => Kind::Other(Zeroizing::new(text.to_owned())),
        },
        Some(b'n') => Kind::Nothing,
        _ => Kind::Other(Zeroizing::new(text.to_owned())),
    };
    Ok(Node { span: start..start + text.len(), kind, mark: None, odd: None })
}

/// The keys and values of an object, every one of them, in order.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(&'de RawValue, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

/// The items of an array.
struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let mut all = Vec::new();
        while let Some(item) = items.next_element()? {
            all.push(item);
        }
        Ok(all)
    }
}
