//! What a command prints that looks up what is stored.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::super::edit::EditError;
use super::super::{json, tree};
use crate::domain::Secret;
use crate::domain::target::{SlotNames, Slots};

/// The secrets in what was printed: JSON with the target's keys, or with `current` and `fallback`, or a list; lines `KEY=value`;
/// or one line that is the current secret.
pub(super) fn slots(printed: &[u8], names: &SlotNames) -> Result<Slots, EditError> {
    let wrong = |message: &str| EditError { line: None, message: message.to_owned() };
    let text = std::str::from_utf8(printed).map_err(|_| wrong("it is not UTF-8"))?;
    match text.trim_start().chars().next() {
        None => return Ok(Slots::default()),
        Some('{') => {
            let held = json::read(printed, names)?;
            if held != Slots::default() {
                return Ok(held);
            }
            let plain = SlotNames::Two { current: "current".to_owned(), fallback: "fallback".to_owned() };
            return json::read(printed, &plain);
        }
        Some('[') => {
            // As the value of a key, so that it is read as every other list.
            let mut whole = Zeroizing::new(Vec::with_capacity(printed.len() + 16));
            for part in [&b"{\"list\":"[..], printed, &b"}"[..]] {
                whole.extend_from_slice(part);
            }
            return json::read(&whole, &SlotNames::List { key: "list".to_owned(), separator: None });
        }
        Some(_) => {}
    }
    let (current, fallback, separator) = match names {
        SlotNames::Two { current, fallback } => (current, Some(fallback), None),
        SlotNames::List { key, separator } => (key, None, separator.as_deref()),
    };
    let first = match assigned(text, current)? {
        Some(value) => Some(value),
        None if fallback.is_some_and(|key| matches!(assigned(text, key), Ok(Some(_)))) => None,
        None => {
            let line = text.trim_matches(['\r', '\n']);
            if line.contains(char::is_whitespace) {
                return Err(wrong("it is neither JSON nor lines with the target's keys nor a secret alone"));
            }
            Some(line)
        }
    };
    if text
        .trim_matches(['\r', '\n'])
        .chars()
        .any(|character| character.is_control() && !matches!(character, '\r' | '\n' | '\t'))
    {
        return Err(wrong("it holds a control character"));
    }
    let secret = |value: &str| (!value.is_empty()).then(|| Arc::new(Secret::new(value.to_owned())));
    if let (Some(list), Some(separator)) = (first, separator) {
        let list = Secret::new(list.to_owned());
        return tree::split(&list, separator).ok_or_else(|| wrong("it holds more than two secrets"));
    }
    let second = fallback.map(|key| assigned(text, key)).transpose()?.flatten();
    Ok(Slots { current: first.and_then(secret), fallback: second.and_then(secret) })
}

/// The value of the one line that assigns `key`.
fn assigned<'t>(text: &'t str, key: &str) -> Result<Option<&'t str>, EditError> {
    let value_of = |line: &'t str| {
        let line = line.trim_start();
        line.strip_prefix("export ").map_or(line, str::trim_start).strip_prefix(key)?.strip_prefix('=')
    };
    let mut found = text.lines().enumerate().filter_map(|(at, line)| Some((at + 1, value_of(line)?)));
    let Some((line, value)) = found.next() else { return Ok(None) };
    let wrong = |line, message: &str| EditError { line: Some(line), message: message.to_owned() };
    if let Some((second, _)) = found.next() {
        return Err(wrong(second, "the key is there twice"));
    }
    let value = value.trim();
    let quoted = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    match quoted('"').or_else(|| quoted('\'')) {
        Some(inside) if !inside.contains(['"', '\'', '\\', '$']) => Ok(Some(inside)),
        None if !value.contains(['"', '\'', '\\', '$', ' ']) => Ok(Some(value)),
        _ => Err(wrong(line, "its quotes are too much for this: let it print JSON")),
    }
}
