//! The secrets in a tree, and what stands beside them.

use std::sync::Arc;

use super::path::{Path, find};
use super::{Fault, Kind, Node};
use crate::domain::Secret;
use crate::domain::target::{SlotNames, Slots};

/// What a tree holds.
pub(super) fn held(root: &Node, names: &SlotNames) -> Result<Slots, Fault> {
    match names {
        SlotNames::Two { current, fallback } => {
            Ok(Slots { current: at(root, current)?, fallback: at(root, fallback)? })
        }
        SlotNames::List { key, separator: Some(separator) } => {
            let path = Path::new(key)?;
            let Some(node) = find(root, &path)?.and_then(|found| found.value()) else { return Ok(Slots::default()) };
            let Some(list) = secret(node, &path)? else { return Ok(Slots::default()) };
            let message = || format!("the value of `{}` holds more than two secrets", path.shown());
            split(&list, separator).ok_or_else(|| Fault::new(node.span.start, message()))
        }
        SlotNames::List { key, separator: None } => {
            let path = Path::new(key)?;
            match find(root, &path)?.and_then(|found| found.value()) {
                Some(node) => list(node, &path),
                None => Ok(Slots::default()),
            }
        }
    }
}

fn at(root: &Node, key: &str) -> Result<Option<Arc<Secret>>, Fault> {
    let path = Path::new(key)?;
    match find(root, &path)?.and_then(|found| found.value()) {
        Some(node) => secret(node, &path),
        None => Ok(None),
    }
}

/// The secret that a value holds; nothing where it is empty.
pub(super) fn secret(node: &Node, path: &Path) -> Result<Option<Arc<Secret>>, Fault> {
    if let Some(odd) = node.odd {
        return Err(Fault::new(node.span.start, format!("the value of `{}` {odd}", path.shown())));
    }
    let wrong = |what: &str| Err(Fault::new(node.span.start, format!("the value of `{}` is {what}", path.shown())));
    match &node.kind {
        Kind::Text(text) if text.is_empty() => Ok(None),
        Kind::Text(text) if text.chars().any(char::is_control) => wrong("a text with a control character in it"),
        Kind::Text(text) => Ok(Some(Arc::new(Secret::new(text.as_str().to_owned())))),
        Kind::Nothing => Ok(None),
        Kind::Other(_) => wrong("no text: put it in quotes"),
        Kind::Map(..) => wrong("a map of keys, not a text"),
        Kind::List(..) => wrong("a list, not a text"),
    }
}

/// The secrets of a list.
pub(super) fn list(node: &Node, path: &Path) -> Result<Slots, Fault> {
    if let Some(odd) = node.odd {
        return Err(Fault::new(node.span.start, format!("the value of `{}` {odd}", path.shown())));
    }
    match &node.kind {
        Kind::List(_, items) => match items.as_slice() {
            [] => Ok(Slots::default()),
            [current] => Ok(Slots { current: secret(current, path)?, fallback: None }),
            [current, fallback] => Ok(Slots { current: secret(current, path)?, fallback: secret(fallback, path)? }),
            [_, _, third, ..] => {
                Err(Fault::new(third.span.start, format!("the list `{}` holds more than two secrets", path.shown())))
            }
        },
        Kind::Nothing => Ok(Slots::default()),
        Kind::Text(text) if text.is_empty() => Ok(Slots::default()),
        _ => Err(Fault::new(node.span.start, format!("the value of `{}` is not a list", path.shown()))),
    }
}

/// The secrets of a text with something between them; `None` where there are more than two.
pub(in crate::targets) fn split(list: &Secret, separator: &str) -> Option<Slots> {
    let part = |text: &str| (!text.is_empty()).then(|| Arc::new(Secret::new(text.to_owned())));
    if separator.is_empty() {
        return Some(Slots { current: part(list.expose()), fallback: None });
    }
    let mut parts = list.expose().split(separator);
    let slots = Slots { current: parts.next().and_then(part), fallback: parts.next().and_then(part) };
    parts.next().is_none().then_some(slots)
}

/// Whether both trees hold the same beside the secrets.
pub(super) fn same_beside(before: &Node, after: &Node, names: &SlotNames) -> bool {
    let paths = match names {
        SlotNames::Two { current, fallback } => vec![Path::new(current), Path::new(fallback)],
        SlotNames::List { key, .. } => vec![Path::new(key)],
    };
    let Ok(paths) = paths.into_iter().collect::<Result<Vec<_>, _>>() else { return false };
    same(before, after, &mut Vec::new(), &paths)
}

fn same<'t>(before: &'t Node, after: &'t Node, place: &mut Vec<&'t str>, paths: &[Path]) -> bool {
    if before.mark != after.mark {
        return false;
    }
    match (&before.kind, &after.kind) {
        (Kind::Map(_, before), Kind::Map(_, after)) => {
            let is_slot = |place: &[&str], key: &'t Node| {
                key.name().is_some_and(|name| {
                    let whole: Vec<_> = place.iter().copied().chain([name]).collect();
                    paths.iter().any(|path| path.is(&whole))
                })
            };
            let beside = |place: &[&str], members: &'t [super::Member]| -> Vec<&'t super::Member> {
                members.iter().filter(|member| !is_slot(place, &member.key)).collect()
            };
            let (before, after) = (beside(place, before), beside(place, after));
            before.len() == after.len()
                && before.into_iter().zip(after).all(|(before, after)| {
                    // What lies below a key without a name is below no path.
                    let (name, below) = before.key.name().map_or(("", &[][..]), |name| (name, paths));
                    let keys = same(&before.key, &after.key, &mut Vec::new(), &[]);
                    place.push(name);
                    let values = same(&before.value, &after.value, place, below);
                    place.pop();
                    keys && values
                })
        }
        (Kind::List(_, before), Kind::List(_, after)) => {
            before.len() == after.len()
                && before.iter().zip(after).all(|(before, after)| same(before, after, &mut Vec::new(), &[]))
        }
        (Kind::Text(before), Kind::Text(after)) | (Kind::Other(before), Kind::Other(after)) => before == after,
        (Kind::Nothing, Kind::Nothing) => true,
        _ => false,
    }
}
