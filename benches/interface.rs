//! What the user waits for: a filter key, a new order, a frame, a page of clients, on a tenant of a hundred thousand
//! clients. `cargo bench` runs all; `cargo bench -- filter` some.
use std::sync::Arc;

use divan::{Bencher, black_box};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rollover::auth0::{Page, Session};
use rollover::domain::{AuthMethod, Catalog, ClientSummary, Domain, Scopes, Untrusted};
use rollover::tui::app::effect::Effect;
use rollover::tui::app::event::{Event, Moment};
use rollover::tui::app::filter::{Ranks, Search};
use rollover::tui::app::screen::{Screen, Welcome};
use rollover::tui::app::sort::{Order, sorted};
use rollover::tui::app::state::{State, Which};
use rollover::tui::app::update::{open_tenant, update};
use rollover::tui::runner::search_on_two_threads;
use rollover::tui::theme::Theme;
use rollover::tui::view::View;

const CLIENTS: usize = 100_000;

fn main() {
    divan::main();
}

/// Clients with names and ids like those of a large tenant, the same ones each time.
fn clients(count: usize) -> Vec<ClientSummary> {
    let mut random = fastrand::Rng::with_seed(7);
    let environments = ["prod", "staging", "dev", "qa", "sandbox"];
    let teams = ["payments", "checkout", "identity", "billing", "search", "mobile", "analytics", "partner"];
    let parts = ["gateway", "portal", "api", "worker", "console", "webhook", "dashboard", "sync-job"];
    let kinds = ["regular_web", "spa", "native", "non_interactive"];
    let mut pick = |all: &[&'static str]| all[random.usize(..all.len())];
    let mut made: Vec<_> = (0..count)
        .map(|number| ClientSummary {
            client_id: Untrusted::default(),
            name: format!("{} {}-{} {number:05}", pick(&environments), pick(&teams), pick(&parts)).into(),
            app_type: Some(pick(&kinds).into()),
            is_first_party: Some(true),
            auth: AuthMethod::SecretPost,
            global: false,
        })
        .collect();
    for client in &mut made {
        client.client_id = std::iter::repeat_with(|| random.alphanumeric()).take(32).collect::<String>().into();
    }
    if let Some(client) = made.get_mut(count * 7 / 9) {
        client.name = "prod zebra-quartz 77777".into();
    }
    made
}

fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for client in clients(CLIENTS) {
        catalog.push(&client);
    }
    catalog
}

/// A filter key that has to look at every client: the first one, or one after which the pattern was not merely longer.
#[divan::bench(args = ["z", "p", "pay", "zebraqtz", "Kx9", "prod api 77"])]
fn filter_all(bencher: Bencher, pattern: &str) {
    let catalog = catalog();
    let order = sorted(&catalog, Order::Name);
    bencher.bench_local(|| {
        let search = Search {
            pattern: pattern.to_owned(),
            catalog: catalog.clone(),
            within: None,
            order: Some(Arc::clone(&order)),
        };
        black_box(search_on_two_threads(&search, &|| false))
    });
}

/// A filter key that narrows the hits of the one before.
#[divan::bench]
fn filter_narrowing(bencher: Bencher) {
    let catalog = catalog();
    let search = |pattern: &str, within| {
        let search = Search { pattern: pattern.to_owned(), catalog: catalog.clone(), within, order: None };
        let ranks = Ranks::new(None);
        search.merge(&[search.score(0..search.len(), &ranks, &|| false)])
    };
    let before = search("pay", None);
    bencher.bench_local(|| black_box(search("paym", Some(Arc::clone(&before)))));
}

#[divan::bench(args = [Order::Name, Order::Type])]
fn sort(bencher: Bencher, order: Order) {
    let catalog = catalog();
    bencher.bench_local(|| black_box(sorted(&catalog, order)));
}

/// A state with every client loaded and sorted.
fn loaded() -> State {
    let mut state = State::new((120, 40), Screen::Welcome(Welcome::default()), true);
    let now = Moment(1);
    let Ok(domain) = Domain::parse("acme.eu.auth0.com") else { return state };
    let effects = open_tenant(&mut state, Which::at(domain, None));
    let mut load = None;
    for effect in effects {
        match effect {
            Effect::LoadClients(ticket) => load = Some(ticket),
            Effect::Connect(ticket) => {
                let scopes = Scopes::from_claim("read:clients read:client_keys update:client_keys");
                let session = Session { scopes, expires_at: None, renews: true, our_client_id: None, proxy: None };
                update(&mut state, now, Event::Connected(ticket, Ok(session)));
            }
            _ => {}
        }
    }
    if let Some(load) = load {
        update(&mut state, now, Event::PageArrived(load, Page { clients: clients(CLIENTS), total: None }));
        for effect in update(&mut state, now, Event::ClientsLoaded(load, Ok(()))) {
            if let Effect::Sort(ticket, catalog, order) = effect {
                update(&mut state, now, Event::Sorted(ticket, sorted(&catalog, order)));
            }
        }
    }
    state
}

/// One frame of the table.
#[divan::bench]
fn draw(bencher: Bencher) {
    let state = loaded();
    let mut view = View::new(Theme::new(true));
    let Ok(mut terminal) = Terminal::new(TestBackend::new(120, 40));
    bencher.bench_local(|| {
        let _ = black_box(terminal.draw(|frame| view.draw(frame, &state)));
    });
}
