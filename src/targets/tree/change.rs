//! Where a text is cut to hold other secrets.

use std::ops::Range;

use zeroize::Zeroizing;

use super::path::{Found, Path, find};
use super::{Around, Fault, Kind, Lines, Node, Syntax, slots};
use crate::domain::Secret;
use crate::domain::target::{SlotNames, Slots};

/// A piece of the text, and what comes in its place.
pub(super) struct Cut {
    pub place: Range<usize>,
    pub text: Zeroizing<String>,
}

impl Cut {
    fn away(place: Range<usize>) -> Self {
        Self { place, text: Zeroizing::default() }
    }
}

/// What is cut, from the beginning of the text to its end.
pub(super) fn cuts<S: Syntax>(text: &str, root: &Node, names: &SlotNames, wanted: &Slots) -> Result<Vec<Cut>, Fault> {
    for secret in wanted.current.iter().chain(&wanted.fallback) {
        if secret.has_control() || secret.expose().is_empty() {
            return Err(Fault::new(None, "a secret that is empty or holds a control character is not written"));
        }
    }
    // What holds something else than two secrets is not written over.
    slots::held(root, names)?;
    let change = Change::<S> { text, syntax: std::marker::PhantomData };
    let mut cuts = match names {
        SlotNames::Two { current, fallback } => {
            change.two(root, &Path::new(current)?, &Path::new(fallback)?, wanted)?
        }
        SlotNames::List { key, separator: None } => change.list(root, &Path::new(key)?, wanted)?,
        SlotNames::List { key, separator: Some(separator) } => {
            let joined = joined(wanted, separator)?;
            change.one(root, &Path::new(key)?, joined.as_ref())?
        }
    };
    cuts.sort_by_key(|cut| (cut.place.start, cut.place.end));
    if cuts.windows(2).any(|pair| pair[0].place.end > pair[1].place.start) {
        return Err(Fault::new(None, "both secrets would stand in one place"));
    }
    Ok(cuts)
}

fn joined(wanted: &Slots, separator: &str) -> Result<Option<Secret>, Fault> {
    if separator.is_empty() || separator.chars().any(char::is_control) {
        return Err(Fault::new(None, "what stands between two secrets is empty or holds a control character"));
    }
    let mut all = wanted.current.iter().chain(&wanted.fallback);
    if all.any(|secret| secret.expose().contains(separator)) {
        return Err(Fault::new(None, "a secret holds what stands between two secrets"));
    }
    match (&wanted.current, &wanted.fallback) {
        (None, Some(_)) => Err(Fault::new(None, "a list begins with the current secret, and there is none")),
        (None, None) => Ok(None),
        (Some(current), None) => Ok(Some(Secret::new(current.expose().to_owned()))),
        (Some(current), Some(fallback)) => Ok(Some(Secret::new([current.expose(), fallback.expose()].join(separator)))),
    }
}

struct Change<'t, S> {
    text: &'t str,
    syntax: std::marker::PhantomData<S>,
}

impl<S: Syntax> Change<'_, S> {
    /// One text below one key.
    fn one(&self, root: &Node, path: &Path, wanted: Option<&Secret>) -> Result<Vec<Cut>, Fault> {
        let found = Self::there(root, path)?;
        let Some(node) = found.value() else { return Ok(Vec::new()) };
        Ok(self.replaced(node, path, wanted)?.into_iter().collect())
    }

    /// Two texts, each below a key.
    fn two(&self, root: &Node, current: &Path, fallback: &Path, wanted: &Slots) -> Result<Vec<Cut>, Fault> {
        if current == fallback {
            return Err(Fault::new(None, "the current secret and the fallback have the same key"));
        }
        let mut cuts = self.one(root, current, wanted.current.as_deref())?;
        let place = Self::there(root, current)?;
        let Some((_, member)) = place.member else { return Ok(cuts) };
        let Some(beside) = find(root, fallback)?.filter(|found| found.member.is_some()) else {
            let Some(secret) = &wanted.fallback else { return Ok(cuts) };
            if !current.beside(fallback) {
                let message = format!(
                    "there is no key `{}`, and it does not belong beside `{}`: add it, with an empty value",
                    fallback.shown(),
                    current.shown()
                );
                return Err(Fault::new(None, message));
            }
            // What is added looks like the current one; where that is empty, like a text in quotes.
            let like = self.at(&member.value.span)?;
            let value = S::text(secret.expose(), like);
            cuts.push(self.member_added(&place, fallback, &value)?);
            return Ok(cuts);
        };
        let Some((position, old)) = beside.member else { return Ok(cuts) };
        if wanted.fallback.is_none() && slots::secret(&old.value, fallback)?.is_some() {
            let follows = current.beside(fallback) && place.member.is_some_and(|(at, _)| at + 1 == position);
            if follows && let Some(cut) = self.member_removed(&place, &beside) {
                cuts.push(cut);
                return Ok(cuts);
            }
        }
        cuts.extend(self.replaced(&old.value, fallback, wanted.fallback.as_deref())?);
        Ok(cuts)
    }

    /// A list of texts below one key.
    fn list(&self, root: &Node, path: &Path, wanted: &Slots) -> Result<Vec<Cut>, Fault> {
        let found = Self::there(root, path)?;
        let Some(node) = found.value() else { return Ok(Vec::new()) };
        let held = slots::list(node, path)?;
        let Some(current) = &wanted.current else {
            return match (&wanted.fallback, &node.kind) {
                (Some(_), _) => Err(Fault::new(None, "a list begins with the current secret, and there is none")),
                (None, Kind::List(Around::Brackets, items)) if !items.is_empty() => {
                    Ok(vec![Cut { place: node.span.clone(), text: Zeroizing::new("[]".to_owned()) }])
                }
                (None, _) if held == Slots::default() => Ok(Vec::new()),
                (None, _) => Err(self.cannot(node, path, "emptied")),
            };
        };
        let (around, items) = match &node.kind {
            Kind::List(around, items) if !items.is_empty() => (*around, items.as_slice()),
            _ => {
                let mut text = Zeroizing::new("[".to_owned());
                text.push_str(&S::text(current.expose(), ""));
                if let Some(fallback) = &wanted.fallback {
                    text.push_str(", ");
                    text.push_str(&S::text(fallback.expose(), ""));
                }
                text.push(']');
                return Ok(vec![self.put(node, path, text)?]);
            }
        };
        let mut cuts = Vec::new();
        let (first, second) = (&items[0], items.get(1));
        if held.current.as_deref() != Some(current) {
            cuts.push(self.item(first, path, current)?);
        }
        match (second, &wanted.fallback) {
            (None, None) => {}
            (Some(second), Some(fallback)) => {
                if held.fallback.as_ref() != Some(fallback) {
                    cuts.push(self.item(second, path, fallback)?);
                }
            }
            (Some(second), None) => {
                let cut = match around {
                    Around::Brackets => self.between(&first.span, &second.span, &second.span),
                    _ => self.own_lines(second.span.start, &second.span, Lines::Item),
                };
                cuts.push(Cut::away(cut.ok_or_else(|| self.cannot(second, path, "taken away"))?));
            }
            (None, Some(fallback)) => {
                let value = S::text(fallback.expose(), self.at(&first.span)?);
                let cut = match around {
                    Around::Brackets => {
                        let loose = found.member.is_some_and(|(_, member)| self.is_loose(&member.key, node));
                        let lead = self.lead_in_brackets(first.span.start, loose);
                        Some(Cut { place: first.span.end..first.span.end, text: concat(&[",", &lead, &value]) })
                    }
                    _ => self.line_added(first.span.start, first.span.end, Lines::Item, &value),
                };
                cuts.push(cut.ok_or_else(|| self.cannot(first, path, "added to"))?);
            }
        }
        Ok(cuts)
    }

    /// What a path leads to, which must be there.
    fn there<'n>(root: &'n Node, path: &Path) -> Result<Found<'n>, Fault> {
        find(root, path)?
            .filter(|found| found.member.is_some())
            .ok_or_else(|| Fault::new(None, format!("there is no key `{}`", path.shown())))
    }

    /// Another text in the place of a value; nothing where it is that already.
    fn replaced(&self, node: &Node, path: &Path, wanted: Option<&Secret>) -> Result<Option<Cut>, Fault> {
        if slots::secret(node, path)?.as_deref() == wanted {
            return Ok(None);
        }
        let like = self.at(&node.span)?;
        let text =
            wanted.map_or_else(|| Zeroizing::new(S::NOTHING.to_owned()), |wanted| S::text(wanted.expose(), like));
        self.put(node, path, text).map(Some)
    }

    fn put(&self, node: &Node, path: &Path, text: Zeroizing<String>) -> Result<Cut, Fault> {
        let written = self.at(&node.span)?;
        if written.is_empty() {
            // Only YAML has values of no characters, right behind the colon: `key:`.
            let at = node.span.start;
            if matches!(node.kind, Kind::Nothing) && self.text[..at].ends_with(':') {
                return Ok(Cut { place: at..at, text: concat(&[" ", &text]) });
            }
            return Err(self.cannot(node, path, "changed"));
        }
        if matches!(node.kind, Kind::Text(_) | Kind::Nothing) && !S::stands(node, written) {
            return Err(self.cannot(node, path, "changed"));
        }
        Ok(Cut { place: node.span.clone(), text })
    }

    /// Another text in the place of an item.
    fn item(&self, node: &Node, path: &Path, wanted: &Secret) -> Result<Cut, Fault> {
        let written = self.at(&node.span)?;
        if written.is_empty() || !S::stands(node, written) {
            return Err(self.cannot(node, path, "changed"));
        }
        Ok(Cut { place: node.span.clone(), text: S::text(wanted.expose(), written) })
    }

    /// A member right behind the one that was found.
    fn member_added(&self, place: &Found<'_>, path: &Path, value: &str) -> Result<Cut, Fault> {
        let fault = || Fault::new(place.map.span.start, format!("the key `{}` cannot be added: add it", path.shown()));
        let (Some((_, member)), Kind::Map(around, _)) = (place.member, &place.map.kind) else { return Err(fault()) };
        let between = self.text.get(member.key.span.end..member.value.span.start).unwrap_or_default();
        let sign = between.trim();
        let between = match () {
            // An empty value has no place of its own to tell how it would be set off.
            () if self.at(&member.value.span)?.is_empty() => ": ",
            () if (sign == ":" || sign == "=") && !between.contains('\n') => between,
            // The value has a line of its own.
            () if sign == ":" => ": ",
            () => return Err(fault()),
        };
        let key = S::key(path.name(), self.at(&member.key.span)?);
        match around {
            Around::Brackets => {
                let lead = self.lead_in_brackets(member.key.span.start, self.is_loose(&member.key, &member.value));
                let end = member.value.span.end;
                Ok(Cut { place: end..end, text: concat(&[",", &lead, &key, between, value]) })
            }
            Around::Lines => self
                .line_added(
                    member.key.span.start,
                    member.value.span.end,
                    Lines::Member,
                    &concat(&[&key, between, value]),
                )
                .ok_or_else(fault),
            Around::Neither => Err(fault()),
        }
    }

    /// What goes when a member goes that stands right behind another one.
    fn member_removed(&self, first: &Found<'_>, second: &Found<'_>) -> Option<Cut> {
        let (Some((_, before)), Some((_, gone)), Kind::Map(around, _)) = (first.member, second.member, &first.map.kind)
        else {
            return None;
        };
        match around {
            Around::Brackets => self.between(&before.value.span, &gone.key.span, &gone.value.span).map(Cut::away),
            Around::Lines => self.own_lines(gone.key.span.start, &gone.value.span, Lines::Member).map(Cut::away),
            Around::Neither => None,
        }
    }

    /// From the end of a value to the end of the one behind it, where there is nothing but a comma between them.
    fn between(&self, before: &Range<usize>, next: &Range<usize>, gone: &Range<usize>) -> Option<Range<usize>> {
        (self.text.get(before.end..next.start)?.trim() == ",").then_some(before.end..gone.end)
    }

    /// The lines of a member, or item, that share none with anything but a comment.
    fn own_lines(&self, start: usize, value: &Range<usize>, what: Lines) -> Option<Range<usize>> {
        let from = self.line_start(start);
        S::lead(self.text.get(from..start)?, what)?;
        let end = self.after_line(value.end);
        let behind = self.text.get(value.end..end)?.trim();
        if !behind.is_empty() && !S::COMMENT.is_some_and(|sign| behind.starts_with(sign)) {
            return None;
        }
        if self.text[..end].ends_with('\n') {
            return Some(from..end);
        }
        // The last line, with no end of its own: the one before it becomes the last.
        let above = self.text[..from].strip_suffix('\n')?;
        Some(above.strip_suffix('\r').unwrap_or(above).len()..end)
    }

    /// A line behind the one that `end` is in, set off as the one that `start` is in.
    fn line_added(&self, start: usize, end: usize, kind: Lines, what: &str) -> Option<Cut> {
        let lead = S::lead(self.text.get(self.line_start(start)..start)?, kind)?;
        let at = self.after_line(end);
        let rest = self.text.get(end..at)?.trim();
        if !rest.is_empty() && !S::COMMENT.is_some_and(|sign| rest.starts_with(sign)) {
            return None;
        }
        let first = self.text.split_inclusive('\n').next().unwrap_or_default();
        let line_end = if first.ends_with("\r\n") { "\r\n" } else { "\n" };
        let text = if self.text[..at].ends_with('\n') {
            let line_end = if self.text[..at].ends_with("\r\n") { "\r\n" } else { "\n" };
            concat(&[&lead, what, line_end])
        } else {
            concat(&[line_end, &lead, what])
        };
        Some(Cut { place: at..at, text })
    }

    /// What stands between a comma and the key or item behind it.
    fn lead_in_brackets(&self, start: usize, loose: bool) -> String {
        let before = &self.text[..start];
        let white = &before[before.trim_end_matches([' ', '\t', '\r', '\n']).len()..];
        let line = white.rfind('\n').map_or(white, |end| {
            let above = &white[..end];
            &white[if above.ends_with('\r') { end - 1 } else { end }..]
        });
        if line.is_empty() && loose { " ".to_owned() } else { line.to_owned() }
    }

    /// Whether there is a space between a key and its value.
    fn is_loose(&self, key: &Node, value: &Node) -> bool {
        self.text.get(key.span.end..value.span.start).is_some_and(|between| between.ends_with([' ', '\n']))
    }

    fn at(&self, span: &Range<usize>) -> Result<&str, Fault> {
        self.text.get(span.clone()).ok_or_else(|| Fault::new(None, "it cannot be told where its values stand"))
    }

    fn cannot(&self, node: &Node, path: &Path, what: &str) -> Fault {
        let message = format!("the value of `{}` is written in a way that cannot be {what} safely", path.shown());
        Fault::new(node.span.start.min(self.text.len()), message)
    }

    fn line_start(&self, at: usize) -> usize {
        self.text[..at].rfind('\n').map_or(0, |end| end + 1)
    }

    fn after_line(&self, at: usize) -> usize {
        self.text[at..].find('\n').map_or(self.text.len(), |end| at + end + 1)
    }
}

/// Pieces in one text that is wiped, which never grew: what is left behind by growing is not.
fn concat(parts: &[&str]) -> Zeroizing<String> {
    let mut all = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        all.push_str(part);
    }
    all
}
