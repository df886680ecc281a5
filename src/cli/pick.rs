use super::exit::{Failure, code};
use super::output::Output;
use crate::auth0::{Api, ErrorKind};
use crate::domain::untrusted::shown;
use crate::domain::{Catalog, Client};

/// All clients, with the count on stderr while a person waits for more than the first page.
pub async fn load(api: &Api, output: &Output) -> Result<Catalog, Failure> {
    let mut catalog = Catalog::default();
    let mut pages = api.pages();
    while let Some(page) = pages.next().await? {
        for client in &page.clients {
            catalog.push(client);
        }
        if catalog.len().is_multiple_of(1000) {
            output.progress(&format!("{} clients so far…", catalog.len()));
        }
    }
    Ok(catalog)
}

/// The client that is meant: by its id, else by its exact name. An id wins, so that nobody can give a client the name of
/// another's id.
pub async fn pick(api: &Api, wanted: &str, output: &Output, all: &mut Option<Catalog>) -> Result<Client, Failure> {
    if wanted.is_empty() {
        return Err(Failure::usage("a client is named by an empty text", "Give a client_id, or an exact name."));
    }
    if may_be_id(wanted) {
        match api.client(wanted).await {
            Ok(client) => return Ok(client),
            Err(error) if error.kind == ErrorKind::NotFound || error.status == Some(400) => {}
            Err(error) => return Err(Failure::from(error).about(wanted)),
        }
    }
    let catalog = match all {
        Some(catalog) => catalog,
        None => all.insert(load(api, output).await?),
    };
    let same: Vec<_> = catalog.iter().filter(|row| row.name == wanted).map(|row| row.client_id.to_owned()).collect();
    match same.as_slice() {
        [one] => Ok(api.client(one).await?),
        [] => Err(not_found(wanted, catalog)),
        several => Err(Failure {
            code: code::NO_SUCH_CLIENT,
            kind: "ambiguous_name",
            message: format!(
                "{} clients are called “{}”: {}",
                several.len(),
                shown(wanted),
                shown(&several.join(", "))
            ),
            hint: "Give the client_id of the one you mean.".to_owned(),
            ..Failure::default()
        }),
    }
}

/// What an id looks like: 32 letters and digits, or `tpa_…`. A path of another host's making is not sent at all.
fn may_be_id(text: &str) -> bool {
    text.len() <= 256 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn not_found(wanted: &str, catalog: &Catalog) -> Failure {
    let mut near: Vec<_> = catalog
        .iter()
        .map(|row| (strsim::jaro_winkler(&wanted.to_lowercase(), &row.name.to_lowercase()), row))
        .filter(|(likeness, _)| *likeness > 0.85)
        .collect();
    near.sort_by(|one, other| other.0.total_cmp(&one.0));
    let names: Vec<_> =
        near.iter().take(3).map(|(_, row)| format!("“{}” ({})", shown(row.name), shown(row.client_id))).collect();
    let hint = if names.is_empty() {
        "`rollover list --filter TEXT` finds clients by parts of their names.".to_owned()
    } else {
        format!("Did you mean {}?", names.join(", or "))
    };
    Failure {
        code: code::NO_SUCH_CLIENT,
        kind: "no_such_client",
        message: format!("no client has the id or the exact name “{}”", shown(wanted)),
        hint,
        ..Failure::default()
    }
}
