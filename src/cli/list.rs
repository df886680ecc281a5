use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::Ended;
use super::arguments::{Global, List};
use super::exit::{Failure, code};
use super::output::Output;
use super::pick::load;
use super::session::Session;
use crate::domain::Catalog;
use crate::domain::catalog::Row;
use crate::domain::client::app_type_label;
use crate::domain::rollover::State;
use crate::tui::app::filter::{Ranks, Search};
use crate::tui::app::sort::{Order, sorted};

/// Lists the clients by name, or by how well they match.
pub async fn run(global: &Global, list: &List) -> Ended {
    let session = Session::open(global).await?;
    let mut output = Output::new(list.json);
    let catalog = load(&session.api, &output).await?;
    let order = order(&catalog, list.filter.as_deref());
    let rows = order.iter().filter_map(|index| catalog.get(*index as usize));
    if list.json {
        output.document(&Listing { catalog: &catalog, order: &order, states: &States::of(&session)? })?;
    } else {
        let table = output.table;
        let empty = order.is_empty();
        if table {
            output.rows(["NAME", "TYPE", "CLIENT ID", "PARTY", "AUTHENTICATION"], rows.map(for_a_person))?;
        } else {
            output.rows(["client_id", "name", "app_type", "is_first_party", "auth"], rows.map(for_a_program))?;
        }
        if table && empty {
            output.progress(if list.filter.is_some() { "No client matches." } else { "This tenant has no clients." });
        }
    }
    Ok(code::DONE)
}

fn order(catalog: &Catalog, filter: Option<&str>) -> Arc<[u32]> {
    let by_name = sorted(catalog, Order::Name);
    let Some(pattern) = filter.filter(|pattern| !pattern.trim().is_empty()) else { return by_name };
    let ranks = Ranks::new(Some(&by_name));
    let search = Search { pattern: pattern.to_owned(), catalog: catalog.clone(), within: None, order: Some(by_name) };
    search.merge(&[search.score(0..search.len(), &ranks, &|| false)])
}

/// The clients as a JSON array, each written as it is reached.
struct Listing<'a> {
    catalog: &'a Catalog,
    order: &'a [u32],
    states: &'a States,
}

/// Where rollovers stand that have not ended, by the client's id.
pub struct States(HashMap<String, State>);

impl States {
    /// Those of the session's tenant, as the ledger has them. A look makes no ledger.
    pub fn of(session: &Session) -> Result<Self, Failure> {
        let Some(ledger) = session.tenants.existing_ledger()? else { return Ok(Self(HashMap::new())) };
        let all = ledger.all(Some(session.api.domain()))?.into_iter().filter(|row| !row.state.is_final());
        Ok(Self(all.map(|row| (row.client_id, row.state)).collect()))
    }
}

impl Serialize for Listing<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rows = self.order.iter().filter_map(|index| self.catalog.get(*index as usize));
        serializer.collect_seq(rows.map(|row| Object::of(&row, self.states)))
    }
}

/// The object of one client; `show` adds to it.
#[derive(Serialize)]
pub struct Object<'a> {
    client_id: &'a str,
    name: Option<&'a str>,
    app_type: Option<&'a str>,
    is_first_party: Option<bool>,
    token_endpoint_auth_method: Option<&'a str>,
    /// Where the client's rollover stands, where one has not ended.
    rollover: Option<&'a str>,
}

impl<'a> Object<'a> {
    /// The client's fields, absent ones as null.
    pub fn of(row: &Row<'a>, states: &States) -> Self {
        Self {
            client_id: row.client_id,
            name: Some(row.name).filter(|name| !name.is_empty()),
            app_type: row.app_type,
            is_first_party: row.is_first_party,
            token_endpoint_auth_method: row.auth.endpoint_value(),
            rollover: states.0.get(row.client_id).map(|state| state.name()),
        }
    }
}

/// The API's values.
fn for_a_program(row: Row<'_>) -> [Cow<'_, str>; 5] {
    [
        row.client_id.into(),
        row.name.into(),
        row.app_type.unwrap_or_default().into(),
        row.is_first_party.map_or("", |first| if first { "true" } else { "false" }).into(),
        row.auth.endpoint_value().unwrap_or_default().into(),
    ]
}

/// The words that the screen has for them.
fn for_a_person(row: Row<'_>) -> [Cow<'_, str>; 5] {
    [
        row.name.into(),
        app_type_label(row.app_type).into(),
        row.client_id.into(),
        row.is_first_party.map_or("—", |first| if first { "first" } else { "third" }).into(),
        row.auth.label(),
    ]
}
