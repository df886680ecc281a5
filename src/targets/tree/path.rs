//! Key paths: `auth0.client_secret`.

use super::{Fault, Kind, Member, Node};
use crate::domain::untrusted::brief;

/// A key path, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    written: String,
    parts: Vec<String>,
}

impl Path {
    /// From what a person wrote: parts with dots between; a dot that belongs to a part is written `\.`.
    pub fn new(written: &str) -> Result<Self, Fault> {
        let mut parts = vec![String::new()];
        let mut characters = written.chars().peekable();
        while let Some(character) = characters.next() {
            match (character, parts.last_mut()) {
                ('\\', Some(part)) if characters.next_if_eq(&'.').is_some() => part.push('.'),
                ('.', _) => parts.push(String::new()),
                (plain, Some(part)) => part.push(plain),
                (_, None) => {}
            }
        }
        if parts.iter().any(String::is_empty) {
            return Err(Fault::new(None, format!("the key `{}` has an empty part", brief(written))));
        }
        Ok(Self { written: written.to_owned(), parts })
    }

    /// As a person wrote it.
    pub fn shown(&self) -> String {
        brief(&self.written).into_owned()
    }

    /// Its last part.
    pub fn name(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// Whether both stand in one map.
    pub fn beside(&self, other: &Self) -> bool {
        self.parts.split_last().map(|(_, above)| above) == other.parts.split_last().map(|(_, above)| above)
    }

    /// Whether it is the path to this place.
    pub fn is(&self, place: &[&str]) -> bool {
        self.parts == place
    }
}

/// What a path leads to.
pub(super) struct Found<'t> {
    /// The map that holds it, or would.
    pub map: &'t Node,
    /// Its place among the members.
    pub member: Option<(usize, &'t Member)>,
}

impl<'t> Found<'t> {
    /// The value.
    pub fn value(&self) -> Option<&'t Node> {
        self.member.map(|(_, member)| &member.value)
    }
}

/// Follows a path; `None` where a map on the way is missing.
pub(super) fn find<'t>(root: &'t Node, path: &Path) -> Result<Option<Found<'t>>, Fault> {
    let mut map = root;
    let Some((last, above)) = path.parts.split_last() else { return Ok(None) };
    for part in above {
        match member(map, part, path)? {
            Some((_, member)) => map = &member.value,
            None => return Ok(None),
        }
    }
    if matches!(map.kind, Kind::Nothing) {
        return Ok(None);
    }
    Ok(Some(Found { map, member: member(map, last, path)? }))
}

/// The one member with this name.
fn member<'t>(map: &'t Node, name: &str, path: &Path) -> Result<Option<(usize, &'t Member)>, Fault> {
    let members = match &map.kind {
        Kind::Map(_, members) => members,
        Kind::Nothing => return Ok(None),
        _ => {
            let message = format!("on the way to `{}` there is no map of keys", path.shown());
            return Err(Fault::new(map.span.start, message));
        }
    };
    if let Some(merge) = members.iter().find(|member| member.key.odd == Some(MERGE)) {
        let message = format!("`<<` merges keys into the map that holds `{}`", path.shown());
        return Err(Fault::new(merge.key.span.start, message));
    }
    let mut named = members.iter().enumerate().filter(|(_, member)| member.key.name() == Some(name));
    let first = named.next();
    if let Some((_, second)) = named.next() {
        return Err(Fault::new(second.key.span.start, format!("the key `{}` is there twice", path.shown())));
    }
    Ok(first)
}

/// What makes a YAML key one that merges another map into its own.
pub(in crate::targets) const MERGE: &str = "merges another map";

impl Node {
    /// What a key is called.
    pub(super) fn name(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(text) | Kind::Other(text) => Some(text),
            _ => None,
        }
    }
}
