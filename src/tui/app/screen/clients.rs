use std::sync::Arc;

use tui_input::Input;

use crate::auth0::{Error, Page};
use crate::domain::Catalog;
use crate::domain::catalog::Row;
use crate::tui::app::effect::Effect;
use crate::tui::app::filter::Search;
use crate::tui::app::sort::{Order, sorted};
use crate::tui::app::state::Ticket;

/// So many clients are sorted on the spot, in a millisecond: a small list never shows itself unsorted. More are sorted by
/// an effect.
const SORTED_AT_ONCE: usize = 2048;

/// How far loading has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Loading {
    /// Pages are arriving.
    Running,
    /// All clients are here.
    Done,
    /// It broke off. What had arrived stays.
    Failed(Error),
}

/// The table of clients: what has arrived, sorted and filtered.
#[derive(Debug)]
pub struct Clients {
    /// What has arrived.
    pub catalog: Catalog,
    /// How far loading has come.
    pub loading: Loading,
    /// How many there are in all, where the server says so.
    pub total: Option<usize>,
    /// By what the table is sorted.
    pub order: Order,
    /// What is typed as a filter.
    pub filter: Input,
    /// Position of the selected line in the list.
    pub selected: usize,
    /// Whether the user has chosen a line: then the selection stays with that client while the list changes.
    chosen: bool,
    load_ticket: Ticket,
    sorted: Option<Arc<[u32]>>,
    sorting: Option<Ticket>,
    hits: Option<Hits>,
    matching: Option<(Ticket, String, usize)>,
}

/// The answer to a search.
#[derive(Debug)]
struct Hits {
    pattern: String,
    rows: Arc<[u32]>,
    /// How many clients had arrived when it was made.
    catalog_length: usize,
}

impl Clients {
    /// A table whose loading begins with `ticket`.
    #[must_use]
    pub fn loading(ticket: Ticket) -> Self {
        Self {
            catalog: Catalog::default(),
            loading: Loading::Running,
            total: None,
            order: Order::default(),
            filter: Input::default(),
            selected: 0,
            chosen: false,
            load_ticket: ticket,
            sorted: None,
            sorting: None,
            hits: None,
            matching: None,
        }
    }

    /// Whether pages are still arriving.
    #[must_use]
    pub fn is_loading(&self) -> bool {
        self.loading == Loading::Running
    }

    /// Begins anew, keeping filter and order.
    pub fn reload(&mut self, ticket: Ticket) {
        let fresh = Self::loading(ticket);
        *self = Self { order: self.order, filter: std::mem::take(&mut self.filter), ..fresh };
    }

    /// How many lines the list has now.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hits.as_ref().map_or(self.catalog.len(), |hits| hits.rows.len())
    }

    /// Whether the list has no lines.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The filter that the list on screen answers to; it may lag behind what is typed.
    #[must_use]
    pub fn shown_pattern(&self) -> Option<&str> {
        self.hits.as_ref().map(|hits| hits.pattern.as_str())
    }

    /// Whether the list on screen answers to another filter than the one that was typed last.
    #[must_use]
    pub fn is_behind(&self) -> bool {
        self.matching.as_ref().is_some_and(|(_, pattern, _)| self.shown_pattern() != Some(pattern))
    }

    /// The catalog index of the line at `position`.
    #[must_use]
    pub fn index_at(&self, position: usize) -> Option<usize> {
        match (&self.hits, &self.sorted) {
            (Some(hits), _) => hits.rows.get(position).map(|index| *index as usize),
            (None, Some(sorted)) if position < sorted.len() => Some(sorted[position] as usize),
            (None, _) => (position < self.catalog.len()).then_some(position),
        }
    }

    /// The client at `position`.
    #[must_use]
    pub fn row_at(&self, position: usize) -> Option<Row<'_>> {
        self.catalog.get(self.index_at(position)?)
    }

    /// The selected client.
    #[must_use]
    pub fn selected_row(&self) -> Option<Row<'_>> {
        self.row_at(self.selected)
    }

    /// Selects the line at `position`, or the last one, because the user says so.
    pub fn select(&mut self, position: usize) {
        self.chosen = true;
        self.put(position);
    }

    /// Selects the client with this index in the catalog; false where the list has it no more.
    pub fn select_client(&mut self, index: usize) -> bool {
        let position = (0..self.len()).find(|position| self.index_at(*position) == Some(index));
        if let Some(position) = position {
            self.select(position);
        }
        position.is_some()
    }

    fn put(&mut self, position: usize) {
        self.selected = position.min(self.len().saturating_sub(1));
    }

    /// Moves the selection by `lines`, stopping at the ends.
    pub fn move_by(&mut self, lines: isize) {
        self.select(self.selected.saturating_add_signed(lines));
    }

    /// Takes in a page.
    pub fn page_arrived(&mut self, ticket: Ticket, page: &Page, tickets: &mut dyn FnMut() -> Ticket) -> Vec<Effect> {
        if ticket != self.load_ticket {
            return Vec::new();
        }
        for client in &page.clients {
            self.catalog.push(client);
        }
        self.total = page.total.or(self.total);
        // Sorting a hundred thousand clients anew for each hundred that arrive would be wasted work: they are
        // sorted when half as many again are there, and at the end. Till then new ones stand at the end.
        let sorted = self.sorted.as_ref().map_or(0, |sorted| sorted.len());
        let mut effects = Vec::new();
        let few = self.catalog.len() <= SORTED_AT_ONCE;
        if self.sorting.is_none() && (few || self.catalog.len() > sorted + sorted / 2) {
            effects.extend(self.sort(tickets));
        }
        effects.extend(self.rematch_if_grown(tickets));
        effects
    }

    /// Takes in the end of loading.
    pub fn loaded(
        &mut self,
        ticket: Ticket,
        result: Result<(), Error>,
        tickets: &mut dyn FnMut() -> Ticket,
    ) -> Vec<Effect> {
        if ticket != self.load_ticket {
            return Vec::new();
        }
        self.loading = result.map_or_else(Loading::Failed, |()| Loading::Done);
        if self.sorting.is_none() && self.sorted.as_ref().map_or(0, |sorted| sorted.len()) < self.catalog.len() {
            return self.sort(tickets);
        }
        Vec::new()
    }

    fn sort(&mut self, tickets: &mut dyn FnMut() -> Ticket) -> Vec<Effect> {
        let ticket = tickets();
        self.sorting = Some(ticket);
        if self.catalog.len() <= SORTED_AT_ONCE {
            return self.sorted(ticket, sorted(&self.catalog, self.order), tickets);
        }
        vec![Effect::Sort(ticket, self.catalog.clone(), self.order)]
    }

    /// Sorts by the next column.
    pub fn sort_next(&mut self, tickets: &mut dyn FnMut() -> Ticket) -> Vec<Effect> {
        self.order = self.order.next();
        self.sort(tickets)
    }

    /// Takes in a sorted list.
    pub fn sorted(&mut self, ticket: Ticket, order: Arc<[u32]>, tickets: &mut dyn FnMut() -> Ticket) -> Vec<Effect> {
        if self.sorting != Some(ticket) {
            return Vec::new();
        }
        self.sorting = None;
        let anchor = self.anchor();
        let stale = order.len() < self.catalog.len() && !self.is_loading();
        self.sorted = Some(order);
        let mut effects = Vec::new();
        if self.hits.is_some() {
            effects.extend(self.rematch(tickets));
        } else {
            self.return_to(anchor);
        }
        if stale {
            effects.extend(self.sort(tickets));
        }
        effects
    }

    /// Asks for a search after the filter's text has changed.
    pub fn filter_changed(&mut self, tickets: &mut dyn FnMut() -> Ticket) -> Vec<Effect> {
        if self.filter.value().trim().is_empty() {
            // Whoever clears a filter has found something: the line stays selected.
            let anchor = self.hits.is_some().then(|| self.index_at(self.selected)).flatten().or_else(|| self.anchor());
            self.matching = None;
            self.hits = None;
            self.return_to(anchor);
            return Vec::new();
        }
        self.rematch(tickets).into_iter().collect()
    }

    fn rematch_if_grown(&mut self, tickets: &mut dyn FnMut() -> Ticket) -> Option<Effect> {
        if self.filter.value().trim().is_empty() || self.matching.is_some() {
            return None;
        }
        let known = self.hits.as_ref().map_or(0, |hits| hits.catalog_length);
        if known == self.catalog.len() { None } else { self.rematch(tickets) }
    }

    fn rematch(&mut self, tickets: &mut dyn FnMut() -> Ticket) -> Option<Effect> {
        let pattern = self.filter.value().to_owned();
        if pattern.trim().is_empty() {
            return None;
        }
        let within = self
            .hits
            .as_ref()
            .filter(|hits| hits.catalog_length == self.catalog.len() && pattern.starts_with(&hits.pattern))
            .map(|hits| Arc::clone(&hits.rows));
        let ticket = tickets();
        self.matching = Some((ticket, pattern.clone(), self.catalog.len()));
        Some(Effect::Match(
            ticket,
            Search { pattern, catalog: self.catalog.clone(), within, order: self.sorted.clone() },
        ))
    }

    /// Takes in the answer to a search.
    pub fn matched(&mut self, ticket: Ticket, rows: Arc<[u32]>, tickets: &mut dyn FnMut() -> Ticket) -> Option<Effect> {
        let (_, pattern, catalog_length) = self.matching.take_if(|(current, ..)| *current == ticket)?;
        // After a new pattern the best hit is wanted; after a mere growth of the list, the line one was at.
        let same = self.hits.as_ref().is_some_and(|hits| hits.pattern == pattern);
        let anchor = if same { self.anchor() } else { None };
        self.hits = Some(Hits { pattern, rows, catalog_length });
        if same {
            self.return_to(anchor);
        } else {
            self.selected = 0;
            self.chosen = false;
        }
        self.rematch_if_grown(tickets)
    }

    fn anchor(&self) -> Option<usize> {
        if self.chosen { self.index_at(self.selected) } else { None }
    }

    fn return_to(&mut self, anchor: Option<usize>) {
        let found = anchor.and_then(|index| (0..self.len()).find(|position| self.index_at(*position) == Some(index)));
        self.put(found.unwrap_or_else(|| if anchor.is_some() { self.selected } else { 0 }));
    }
}
