//! Fuzzy matching over the catalog: names and types fuzzily, ids by a run of their characters, because the
//! letters of a word can be found scattered in almost any random id.
use std::ops::Range;
use std::sync::Arc;

use nucleo_matcher::pattern::{Atom, AtomKind, CaseMatching, Normalization};
use nucleo_matcher::{Config, Matcher, Utf32Str};

use crate::domain::Catalog;
use crate::domain::client::app_type_label;

/// One search: what to look for, and where.
#[derive(Clone, Debug, PartialEq)]
pub struct Search {
    /// What was typed: words that must all match.
    pub pattern: String,
    /// Where to look.
    pub catalog: Catalog,
    /// The hits of a shorter pattern, when this one only adds to it: nothing else can match.
    pub within: Option<Arc<[u32]>>,
    /// The order to keep among equally good hits: catalog indices, sorted. Later arrivals follow.
    pub order: Option<Arc<[u32]>>,
}

/// A hit: score and rank in one number that sorts by score, best first, then by the order of the list. The rank says which
/// client it is.
type Hit = u64;

impl Search {
    /// How many clients have to be looked at.
    #[must_use]
    pub fn len(&self) -> usize {
        self.within.as_ref().map_or(self.catalog.len(), |within| within.len())
    }

    /// Whether there is nothing to look at.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Scores the clients in `range` of the places to look at. Stops early, with what it has, when
    /// `given_up` says so. Independent ranges may be scored on different threads.
    #[must_use]
    pub fn score(&self, range: Range<usize>, ranks: &Ranks, given_up: &dyn Fn() -> bool) -> Vec<Hit> {
        let mut words = Words::new(&self.pattern);
        let mut found = Vec::new();
        for position in range {
            if position.is_multiple_of(1024) && given_up() {
                break;
            }
            let index = self.within.as_ref().map_or(position, |within| within[position] as usize);
            let Some(row) = self.catalog.get(index) else { continue };
            let Some(score) = words.score(row.name, row.client_id, row.app_type) else { continue };
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            found.push((u64::from(u32::MAX - score) << 32) | u64::from(ranks.of(index)));
        }
        // Here, so that threads which score parts of a search sort them too.
        found.sort_unstable();
        found
    }

    /// Puts the hits of all ranges into one list of catalog indices, best first.
    #[must_use]
    #[expect(
        clippy::stable_sort_primitive,
        reason = "each part is sorted: the stable sort sees that and merges them in one go"
    )]
    pub fn merge(&self, parts: &[Vec<Hit>]) -> Arc<[u32]> {
        let mut all = parts.concat();
        all.sort();
        let order = self.order.as_deref().unwrap_or_default();
        all.into_iter()
            .map(|hit| {
                #[expect(clippy::cast_possible_truncation, reason = "the lower half is the rank")]
                let rank = hit as u32;
                // Those that came after the sorting have their index for a rank.
                order.get(rank as usize).copied().unwrap_or(rank)
            })
            .collect()
    }
}

/// Where each client stands in the order of the list.
#[derive(Debug, Default)]
pub struct Ranks(Vec<u32>);

impl Ranks {
    /// From catalog indices in sorted order.
    #[must_use]
    pub fn new(order: Option<&[u32]>) -> Self {
        let Some(order) = order else { return Self::default() };
        let mut ranks = vec![0; order.len()];
        for (rank, index) in order.iter().enumerate() {
            if let Some(slot) = ranks.get_mut(*index as usize) {
                *slot = u32::try_from(rank).unwrap_or(u32::MAX);
            }
        }
        Self(ranks)
    }

    fn of(&self, index: u32) -> u32 {
        self.0.get(index as usize).copied().unwrap_or(index)
    }
}

/// The words of a pattern, ready to be matched again and again.
pub struct Words {
    each: Vec<Word>,
    matcher: Matcher,
    buffer: Vec<char>,
    kinds: Vec<Kind>,
}

/// A type, and how well each word matches it.
type Kind = (Option<Box<str>>, Vec<Option<u16>>);

struct Word {
    fuzzy: Atom,
    run: Atom,
}

impl Words {
    /// Prepares `pattern`.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        let words = pattern
            .split_whitespace()
            .map(|word| {
                let atom = |kind| Atom::new(word, CaseMatching::Smart, Normalization::Smart, kind, false);
                Word { fuzzy: atom(AtomKind::Fuzzy), run: atom(AtomKind::Substring) }
            })
            .collect();
        Self { each: words, matcher: Matcher::new(Config::DEFAULT), buffer: Vec::new(), kinds: Vec::new() }
    }

    /// How well a client matches: every word must be in its name, its id or its type. `None`: not at all.
    pub fn score(&mut self, name: &str, client_id: &str, app_type: Option<&str>) -> Option<u32> {
        let kind = self.kind(app_type);
        let mut total = 0;
        for (position, word) in self.each.iter().enumerate() {
            let in_name = word.fuzzy.score(Utf32Str::new(name, &mut self.buffer), &mut self.matcher);
            let in_id = word.run.score(Utf32Str::new(client_id, &mut self.buffer), &mut self.matcher);
            let in_kind = self.kinds.get(kind).and_then(|(_, scores)| scores.get(position).copied().flatten());
            total += u32::from(in_name.max(in_id).max(in_kind)?);
        }
        Some(total)
    }

    /// Types repeat: each is matched once.
    fn kind(&mut self, app_type: Option<&str>) -> usize {
        if let Some(known) = self.kinds.iter().position(|(kind, _)| kind.as_deref() == app_type) {
            return known;
        }
        let label = app_type.map(|kind| format!("{kind} {}", app_type_label(Some(kind)))).unwrap_or_default();
        let scores = self
            .each
            .iter()
            .map(|word| word.run.score(Utf32Str::new(&label, &mut self.buffer), &mut self.matcher))
            .collect();
        self.kinds.push((app_type.map(Box::from), scores));
        self.kinds.len() - 1
    }

    /// Which graphemes of `name` matched, in order, for marking them.
    #[must_use]
    pub fn marks_in_name(&mut self, name: &str) -> Vec<u32> {
        self.marks(name, |word| &word.fuzzy)
    }

    /// Which graphemes of `text` matched as a run: an id, or a type.
    #[must_use]
    pub fn marks_in_run(&mut self, text: &str) -> Vec<u32> {
        self.marks(text, |word| &word.run)
    }

    fn marks(&mut self, text: &str, atom: impl Fn(&Word) -> &Atom) -> Vec<u32> {
        let mut marks = Vec::new();
        for word in &self.each {
            let mut some = Vec::new();
            let text = Utf32Str::new(text, &mut self.buffer);
            if atom(word).indices(text, &mut self.matcher, &mut some).is_some() {
                marks.append(&mut some);
            }
        }
        marks.sort_unstable();
        marks.dedup();
        marks
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AuthMethod, ClientSummary, Untrusted};

    fn catalog(names: &[(&str, &str, Option<&str>)]) -> Catalog {
        let mut catalog = Catalog::default();
        for (name, id, kind) in names {
            catalog.push(&ClientSummary {
                client_id: (*id).into(),
                name: (*name).into(),
                app_type: kind.map(Untrusted::from),
                is_first_party: None,
                auth: AuthMethod::Unspecified,
                global: false,
            });
        }
        catalog
    }

    fn search(pattern: &str, catalog: &Catalog) -> Vec<u32> {
        let search = Search { pattern: pattern.into(), catalog: catalog.clone(), within: None, order: None };
        search.merge(&[search.score(0..search.len(), &Ranks::default(), &|| false)]).to_vec()
    }

    #[test]
    fn finds_in_name_id_and_type() {
        let catalog = catalog(&[
            ("Billing API", "AbCd1234", Some("non_interactive")),
            ("Shop", "xbxixlxl", Some("spa")),
            ("Mobile Billing", "zzzz", Some("native")),
        ]);
        assert_eq!(search("bill", &catalog), [0, 2], "scattered letters of an id do not count");
        assert_eq!(search("cd12", &catalog), [0]);
        assert_eq!(search("machine", &catalog), [0]);
        assert_eq!(search("bill native", &catalog), [2], "every word must match");
        assert_eq!(search("mblng", &catalog), [2], "names match fuzzily");
        assert_eq!(search("nothing here", &catalog), [0_u32; 0]);
    }

    #[test]
    fn equal_hits_keep_the_order_of_the_list() {
        let catalog = catalog(&[("app c", "1", None), ("app a", "2", None), ("app b", "3", None)]);
        let order: Arc<[u32]> = [1, 2, 0].into();
        let search = Search { pattern: "app".into(), catalog, within: None, order: Some(Arc::clone(&order)) };
        let ranks = Ranks::new(Some(&order));
        let parts = vec![search.score(0..2, &ranks, &|| false), search.score(2..3, &ranks, &|| false)];
        assert_eq!(search.merge(&parts).to_vec(), [1, 2, 0]);
    }

    #[test]
    fn narrowing_looks_only_where_the_shorter_pattern_hit() {
        let catalog = catalog(&[("alpha", "1", None), ("alpine", "2", None)]);
        let within: Arc<[u32]> = [1].into();
        let search = Search { pattern: "al".into(), catalog, within: Some(within), order: None };
        assert_eq!(search.merge(&[search.score(0..1, &Ranks::default(), &|| false)]).to_vec(), [1]);
    }

    #[test]
    fn marks_name_the_letters_that_matched() {
        let mut words = Words::new("bil");
        assert_eq!(words.marks_in_name("Mobile Billing"), [7, 8, 9]);
        assert_eq!(words.marks_in_run("xxbilx"), [2, 3, 4]);
    }
}
