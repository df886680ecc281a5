//! YAML files. `saphyr-parser` tells what comes where, character by character; what it does not tell is refused.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};
use zeroize::Zeroizing;

use super::edit::EditError;
use super::tree::{self, Around, DEEPEST, Kind, Lines, MERGE, Member, Node, Syntax};
use crate::domain::target::{SlotNames, Slots};
use crate::domain::untrusted::is_hidden;

/// The secrets in a text.
///
/// # Errors
/// Where it is not one YAML document, or holds something else in their place.
pub fn read(bytes: &[u8], slots: &SlotNames) -> Result<Slots, EditError> {
    tree::read::<Yaml>(bytes, slots)
}

/// The text with these secrets in it, and all else as it was. A fallback that is taken away goes with its key where that stands
/// right behind the current secret's; else it becomes `null`.
///
/// # Errors
/// Where it is not one YAML document, or cannot hold them.
pub fn edit(bytes: &[u8], slots: &SlotNames, wanted: &Slots) -> Result<Zeroizing<Vec<u8>>, EditError> {
    tree::edit::<Yaml>(bytes, slots, wanted)
}

/// How YAML is written.
struct Yaml;

impl Syntax for Yaml {
    const NOTHING: &'static str = "null";
    const COMMENT: Option<char> = Some('#');

    fn parse(text: &str) -> Result<Node, EditError> {
        Builder::new(text).build()
    }

    fn text(value: &str, like: &str) -> Zeroizing<String> {
        let mut text = Zeroizing::new(String::with_capacity(2 + 10 * value.len()));
        let quotes = like.starts_with(['"', '\'']);
        if !quotes && !like.is_empty() && is_plain_text(value) {
            text.push_str(value);
            return text;
        }
        if like.starts_with('\'') && !value.contains(is_hidden) {
            text.push('\'');
            for character in value.chars() {
                text.push_str(if character == '\'' { "'" } else { "" });
                text.push(character);
            }
            text.push('\'');
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
        Self::text(name, like).as_str().to_owned()
    }

    fn lead(before: &str, what: Lines) -> Option<String> {
        if what == Lines::Item {
            return (before.trim_matches([' ', '\t']) == "-").then(|| before.to_owned());
        }
        // A mapping may begin on the line of the dash before it: what is added below stands under its first key.
        let blank = |character| match character {
            ' ' | '\t' => Some(character),
            '-' => Some(' '),
            _ => None,
        };
        before.chars().map(blank).collect()
    }

    fn stands(node: &Node, text: &str) -> bool {
        let Ok(again) = Self::parse(text) else { return false };
        match (&node.kind, &again.kind) {
            (Kind::Text(value), Kind::Text(again)) => {
                let quote = |quote| text.len() >= 2 && text.starts_with(quote) && text.ends_with(quote);
                value == again && (quote('"') || quote('\'') || text == value.as_str())
            }
            (Kind::Nothing, Kind::Nothing) => !text.is_empty() && text.trim() == text,
            _ => false,
        }
    }
}

/// Whether every reader of YAML takes this for a text when it stands there without quotes.
fn is_plain_text(value: &str) -> bool {
    const WORDS: &[&str] = &["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nil"];
    value.starts_with(|first: char| first.is_ascii_alphabetic())
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
        && !WORDS.contains(&value.to_ascii_lowercase().as_str())
}

/// Whether some reader of YAML, 1.1 or 1.2, takes this for something else than a text when it stands there without quotes.
fn is_other(value: &str) -> bool {
    const WORDS: &[&str] = &["yes", "no", "on", "off", "true", "false", ".inf", "-.inf", "+.inf", ".nan"];
    if WORDS.contains(&value.to_ascii_lowercase().as_str()) {
        return true;
    }
    let plain = value.replace('_', "");
    let unsigned = plain.strip_prefix(['-', '+']).unwrap_or(&plain);
    if !unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return false;
    }
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let radix = ["0x", "0o", "0b"].iter().find_map(|prefix| unsigned.strip_prefix(prefix));
    let sexagesimal = unsigned.contains(':') && unsigned.split([':', '.']).all(|part| part.is_empty() || digits(part));
    let mut date = unsigned.splitn(3, '-');
    let is_date = date.next().is_some_and(|year| year.len() == 4 && digits(year))
        && date.next().is_some_and(|month| month.len() <= 2 && digits(month))
        && date.next().is_some_and(|day| day.starts_with(|first: char| first.is_ascii_digit()));
    unsigned.replace(',', "").parse::<f64>().is_ok()
        || radix.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        || sexagesimal
        || is_date
}

/// What is open while the events come.
struct Open {
    node: Node,
    /// The key whose value comes next.
    key: Option<Node>,
}

struct Builder<'t> {
    text: &'t str,
    /// Where each character begins.
    places: Vec<usize>,
    open: Vec<Open>,
    root: Option<Node>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str) -> Self {
        let places = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
        Self { text, places, open: Vec::new(), root: None }
    }

    fn build(mut self) -> Result<Node, EditError> {
        let mut documents = 0;
        let mut parser = Parser::new_from_str(self.text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                // All but one of its messages are fixed; that one quotes a character.
                let what = error.info().split(": `").next().unwrap_or_default();
                EditError { line: Some(error.marker().line().max(1)), message: format!("it is not YAML: {what}") }
            })?;
            let wrong = |what: &str| EditError { line: Some(span.start.line().max(1)), message: what.to_owned() };
            if matches!(event, Event::DocumentStart(_)) {
                documents += 1;
            }
            if documents > 1 {
                return Err(wrong("it holds several documents"));
            }
            if self.open.len() > DEEPEST {
                return Err(wrong("it is nested too deep"));
            }
            self.take(event, span).ok_or_else(|| wrong("it cannot be told where its values stand"))?;
        }
        let nothing = Node { span: 0..0, kind: Kind::Nothing, mark: None, odd: None };
        Ok(self.root.unwrap_or(nothing))
    }

    fn take(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        let place = self.place(span)?;
        match event {
            Event::Scalar(value, style, anchor, tag) => {
                let place = self.quoted(&place).unwrap_or(place);
                let node = scalar(Zeroizing::new(value.into_owned()), style, marked(anchor, tag.as_deref()), place);
                self.add(node)?;
            }
            Event::Alias(id) => {
                let kind = Kind::Other(Zeroizing::new(format!("*{id}")));
                self.add(Node { span: place, kind, mark: None, odd: Some("is an alias for another one") })?;
            }
            Event::MappingStart(anchor, tag) => {
                let kind = Kind::Map(self.around('{', &place), Vec::new());
                self.begin(kind, place, marked(anchor, tag.as_deref()));
            }
            Event::SequenceStart(anchor, tag) => {
                let kind = Kind::List(self.around('[', &place), Vec::new());
                self.begin(kind, place, marked(anchor, tag.as_deref()));
            }
            Event::MappingEnd | Event::SequenceEnd => {
                let mut open = self.open.pop()?;
                open.node.span.end = place.end;
                self.add(open.node)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd => {}
        }
        Some(())
    }

    fn around(&self, bracket: char, place: &Range<usize>) -> Around {
        if self.text[place.start..].starts_with(bracket) { Around::Brackets } else { Around::Lines }
    }

    fn begin(&mut self, kind: Kind, span: Range<usize>, mark: Option<String>) {
        let odd = mark.is_some().then_some(MARKED);
        self.open.push(Open { node: Node { span, kind, mark, odd }, key: None });
    }

    /// Puts what is complete into what is open.
    fn add(&mut self, mut node: Node) -> Option<()> {
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        match &mut open.node.kind {
            Kind::List(_, items) => items.push(node),
            Kind::Map(_, members) => match open.key.take() {
                None => {
                    let is_merge = self.text.get(node.span.clone()) == Some("<<");
                    node.odd = is_merge.then_some(MERGE);
                    open.key = Some(node);
                }
                Some(key) => {
                    if node.odd == Some(BLOCK) {
                        // The parser says where the lines are; a person looks for the key.
                        node.span.start = key.span.end;
                    }
                    if node.span.is_empty() && matches!(node.kind, Kind::Nothing) && node.mark.is_none() {
                        match colon(self.text, key.span.end) {
                            Some(end) => node.span = end..end,
                            None => node.odd = Some("has no colon before it"),
                        }
                    }
                    members.push(Member { key, value: node });
                }
            },
            _ => return None,
        }
        Some(())
    }

    /// What stands in quotes, and no more: for the parser the blanks and the comment behind them belong to it.
    fn quoted(&self, place: &Range<usize>) -> Option<Range<usize>> {
        let text = self.text.get(place.clone())?;
        let quote = text.chars().next().filter(|first| matches!(first, '"' | '\''))?;
        let mut rest = text.char_indices().skip(1).peekable();
        while let Some((at, character)) = rest.next() {
            match character {
                '\\' if quote == '"' => drop(rest.next()),
                '\'' if quote == '\'' && rest.next_if(|(_, next)| *next == '\'').is_some() => {}
                end if end == quote => return Some(place.start..place.start + at + 1),
                _ => {}
            }
        }
        None
    }

    /// From characters to bytes.
    fn place(&self, span: Span) -> Option<Range<usize>> {
        let (start, end) = (*self.places.get(span.start.index())?, *self.places.get(span.end.index())?);
        Some(start..end.max(start))
    }
}

/// Behind the colon that follows a key on its line.
fn colon(text: &str, key_end: usize) -> Option<usize> {
    let behind = text.get(key_end..)?;
    let rest = behind.trim_start_matches([' ', '\t']);
    rest.starts_with(':').then_some(text.len() - rest.len() + 1)
}

const BLOCK: &str = "is a block of lines";

const MARKED: &str = "has a tag or an anchor";

fn marked(anchor: usize, tag: Option<&Tag>) -> Option<String> {
    let tag = tag.map(ToString::to_string);
    (anchor > 0 || tag.is_some()).then(|| format!("&{anchor} {}", tag.unwrap_or_default()))
}

fn scalar(value: Zeroizing<String>, style: ScalarStyle, mark: Option<String>, span: Range<usize>) -> Node {
    let mut odd = mark.is_some().then_some(MARKED);
    let kind = match style {
        ScalarStyle::Plain if matches!(value.as_str(), "" | "~" | "null" | "Null" | "NULL") => Kind::Nothing,
        ScalarStyle::Plain if is_other(&value) => Kind::Other(value),
        ScalarStyle::Literal | ScalarStyle::Folded => {
            odd = odd.or(Some(BLOCK));
            Kind::Text(value)
        }
        _ => Kind::Text(value),
    };
    Node { span, kind, mark, odd }
}

/// A text as it is written, for tests.
#[cfg(test)]
pub(super) fn written(value: &str, like: &str) -> String {
    Yaml::text(value, like).to_string()
}
