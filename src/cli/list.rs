use std::sync::Arc;

use serde_json::{Value, json};

use super::Ended;
use super::arguments::List;
use super::exit::code;
use super::output::Output;
use super::pick::load;
use super::session::Session;
use crate::domain::Catalog;
use crate::domain::catalog::Row;
use crate::domain::client::app_type_label;
use crate::tui::app::filter::{Ranks, Search, merge};
use crate::tui::app::sort::{Order, sorted};

/// Lists the clients by name, or by how well they match.
pub async fn run(tenant: Option<&str>, list: &List) -> Ended {
    let session = Session::open(tenant)?;
    let mut output = Output::new(list.json);
    let catalog = load(&session.api, &output).await?;
    let order = order(&catalog, list.filter.as_deref());
    let rows = order.iter().filter_map(|index| catalog.get(*index as usize));
    if list.json {
        output.document(&rows.map(|row| object(&row)).collect::<Vec<_>>())?;
    } else {
        let table = output.table;
        let cells: Vec<_> = rows.map(|row| cells(&row, table)).collect();
        output.rows(&["NAME", "TYPE", "CLIENT ID", "PARTY", "AUTHENTICATION"], &cells)?;
        if table && cells.is_empty() {
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
    merge(&[search.score(0..search.len(), &ranks, &|| false)])
}

/// The object of one client; `show` adds to it.
pub fn object(row: &Row<'_>) -> Value {
    json!({
        "client_id": row.client_id,
        "name": Some(row.name).filter(|name| !name.is_empty()),
        "app_type": row.app_type,
        "is_first_party": row.is_first_party,
        "token_endpoint_auth_method": row.auth.endpoint_value(),
        // No rollover has a state before there is a ledger.
        "rollover": Value::Null,
    })
}

/// Words for a person, the API's values for a program.
fn cells(row: &Row<'_>, table: bool) -> Vec<String> {
    if !table {
        return vec![
            row.client_id.to_owned(),
            row.name.to_owned(),
            row.app_type.unwrap_or_default().to_owned(),
            row.is_first_party.map_or_else(String::new, |first| first.to_string()),
            row.auth.endpoint_value().unwrap_or_default().to_owned(),
        ];
    }
    vec![
        row.name.to_owned(),
        app_type_label(row.app_type).to_owned(),
        row.client_id.to_owned(),
        row.is_first_party.map_or("—", |first| if first { "first" } else { "third" }).to_owned(),
        row.auth.label().into_owned(),
    ]
}
