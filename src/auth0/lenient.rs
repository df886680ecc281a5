//! JSON as it comes, not as it is documented: a field that is absent, null or of another type counts as absent, a field that
//! stands twice counts the last time, and unknown fields are passed over.
use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The same JSON with U+FFFD for every half of a surrogate pair that stands alone; `None` where none does. JavaScript writes
/// such halves, for names that were cut in the middle of a character, and one of them makes the whole body unreadable.
pub(super) fn without_lone_surrogates(json: &[u8]) -> Option<Vec<u8>> {
    fn unit(json: &[u8]) -> Option<u16> {
        let digits = json.strip_prefix(b"\\u")?.get(..4)?;
        u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }
    let mut mended = Vec::with_capacity(json.len());
    let (mut rest, mut found) = (json, false);
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        mended.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        // An escape that is no `\u…` is two bytes, of which the second may be a backslash.
        let length = match (unit(rest), rest.get(6..).and_then(unit)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(0xD800..=0xDFFF), _) => {
                found = true;
                mended.extend_from_slice(b"\\ufffd");
                rest = &rest[6..];
                continue;
            }
            (Some(_), _) => 6,
            (None, _) => 2.min(rest.len()),
        };
        mended.extend_from_slice(&rest[..length]);
        rest = &rest[length..];
    }
    mended.extend_from_slice(rest);
    found.then_some(mended)
}

/// A text, borrowed where it holds no escapes.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(pub(super) Option<Cow<'a, str>>);

/// A truth value.
#[derive(Debug, Default)]
pub(super) struct Flag(pub(super) Option<bool>);

/// The name of the first property of an object.
#[derive(Debug, Default)]
pub(super) struct FirstName(pub(super) Option<String>);

macro_rules! drain_others {
    () => {
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
            while items.next_element::<IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("anything")
        }
    };
}

macro_rules! drain_maps {
    () => {
        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            Ok(Self::Value::default())
        }
    };
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Borrowed(text))))
    }
    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Some(Cow::Owned(text.to_owned()))))
    }
    fn visit_bool<E>(self, _: bool) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }
    drain_others!();
    drain_maps!();
}

impl<'de> Deserialize<'de> for Text<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct FlagVisitor;

impl<'de> Visitor<'de> for FlagVisitor {
    type Value = Flag;

    fn visit_bool<E>(self, value: bool) -> Result<Flag, E> {
        Ok(Flag(Some(value)))
    }
    fn visit_str<E>(self, _: &str) -> Result<Flag, E> {
        Ok(Flag::default())
    }
    drain_others!();
    drain_maps!();
}

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FlagVisitor)
    }
}

struct FirstNameVisitor;

impl<'de> Visitor<'de> for FirstNameVisitor {
    type Value = FirstName;

    fn visit_bool<E>(self, _: bool) -> Result<FirstName, E> {
        Ok(FirstName::default())
    }
    fn visit_str<E>(self, _: &str) -> Result<FirstName, E> {
        Ok(FirstName::default())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FirstName, A::Error> {
        let mut first = None;
        while let Some((name, _)) = map.next_entry::<String, IgnoredAny>()? {
            first.get_or_insert(name);
        }
        Ok(FirstName(first))
    }
    drain_others!();
}

impl<'de> Deserialize<'de> for FirstName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(FirstNameVisitor)
    }
}

/// Reads an object field by field: `take` gets each name and must read or pass over its value.
pub(super) struct Fields<F>(pub(super) F);

impl<'de, F, T> serde::de::DeserializeSeed<'de> for Fields<F>
where
    F: FieldTaker<'de, Output = T>,
{
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        struct FieldVisitor<F>(F);
        impl<'de, F: FieldTaker<'de>> Visitor<'de> for FieldVisitor<F> {
            type Value = F::Output;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }
            fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<F::Output, A::Error> {
                while let Some(Text(name)) = map.next_key()? {
                    self.0.take(name.as_deref().unwrap_or_default(), &mut map)?;
                }
                Ok(self.0.done())
            }
        }
        deserializer.deserialize_map(FieldVisitor(self.0))
    }
}

/// Takes the fields of an object.
pub(super) trait FieldTaker<'de> {
    /// What comes of them.
    type Output;
    /// Reads the value of the field `name`, or passes over it.
    fn take<A: MapAccess<'de>>(&mut self, name: &str, map: &mut A) -> Result<(), A::Error>;
    /// All fields were taken.
    fn done(self) -> Self::Output;
}
