//! Several secrets in one value: with something between them, or as a JSON array.
use std::sync::Arc;

use zeroize::Zeroizing;

use crate::domain::Secret;
use crate::domain::target::Slots;

/// The secrets of a list; or what is wrong with it.
pub(super) fn read(text: &str, separator: Option<&str>) -> Result<Slots, String> {
    if text.is_empty() {
        return Ok(Slots::default());
    }
    let parts: Vec<Zeroizing<String>> = match separator {
        Some("") => return Err("cannot be taken apart: the separator is empty".to_owned()),
        Some(separator) => text.split(separator).map(|part| Zeroizing::new(part.to_owned())).collect(),
        // What serde_json says of it may hold a part of it.
        None => serde_json::from_str(text).map_err(|_| "is no JSON array of texts".to_owned())?,
    };
    let mut parts = parts.into_iter().filter(|part| !part.is_empty());
    let mut next = || parts.next().map(|mut part| Arc::new(Secret::new(std::mem::take(&mut *part))));
    let slots = Slots { current: next(), fallback: next() };
    match next() {
        None => Ok(slots),
        Some(_) => Err("holds more than two secrets: which of them to keep is not for rollover to say".to_owned()),
    }
}

/// The list of what is wanted; or why there can be none.
pub(super) fn written(wanted: &Slots, separator: Option<&str>) -> Result<Zeroizing<String>, &'static str> {
    if wanted.current.is_none() && wanted.fallback.is_some() {
        return Err("a list has no place for a fallback without a current secret");
    }
    let secrets = [&wanted.current, &wanted.fallback].into_iter().flatten().map(|secret| secret.expose());
    let Some(separator) = separator else { return Ok(json(secrets)) };
    if separator.is_empty() || separator.chars().any(char::is_control) {
        return Err("the separator is empty, or holds a control character");
    }
    // For all of it from the start: a text that grows leaves copies behind.
    let length = secrets.clone().map(|secret| secret.len() + separator.len()).sum();
    let mut text = Zeroizing::new(String::with_capacity(length));
    for (index, secret) in secrets.clone().enumerate() {
        if index > 0 {
            text.push_str(separator);
        }
        text.push_str(secret);
    }
    // Not only a secret that holds it: one that ends as the separator begins moves the place where they part.
    if !text.is_empty() && !text.split(separator).eq(secrets) {
        return Err("the separator stands in a secret: choose another");
    }
    Ok(text)
}

/// A JSON array without anything that a quote, a shell or a dotenv library would take for its own.
fn json<'a>(secrets: impl Iterator<Item = &'a str> + Clone) -> Zeroizing<String> {
    let length = 2 + secrets.clone().map(|secret| 6 * secret.len() + 3).sum::<usize>();
    let mut text = Zeroizing::new(String::with_capacity(length));
    for secret in secrets {
        let before = if text.is_empty() { "[\"" } else { ",\"" };
        text.push_str(before);
        for character in secret.chars() {
            match character {
                '"' => text.push_str("\\\""),
                '\\' => text.push_str("\\u005c"),
                '\'' => text.push_str("\\u0027"),
                '$' => text.push_str("\\u0024"),
                '`' => text.push_str("\\u0060"),
                other => text.push(other),
            }
        }
        text.push('"');
    }
    if !text.is_empty() {
        text.push(']');
    }
    text
}
