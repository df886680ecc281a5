use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Ended;
use super::arguments::{Global, Show};
use super::exit::{Failure, code};
use super::output::Output;
use super::pick::pick;
use super::session::{Fingerprints, Session};
use crate::auth0::{Api, ErrorKind, SecretRead};
use crate::domain::client::{app_type_label, not_rotatable};
use crate::domain::{Ability, Catalog, Client, Secret, Untrusted};

/// Shows one client's settings.
pub async fn run(global: &Global, show: &Show) -> Ended {
    let session = Session::open(global).await?;
    let mut output = Output::new(show.json);
    let client = pick(&session.api, &show.client, &output, &mut None).await?;
    let secret = secret(&session.api, &client, show.reveal).await?;
    let rotation = rotation(&session.api, &client).await?;
    let prints = secret.is_some().then(|| session.fingerprints());
    let fingerprint = secret.as_ref().zip(prints.as_ref()).and_then(|(secret, prints)| prints.of(secret));
    if show.json {
        let mut object = json!(super::list::Object::of(&row(&client), &super::list::States::of(&session)?));
        object["description"] = json!(client.description.as_ref().map(Untrusted::raw));
        object["callbacks"] = texts(&client.callbacks);
        object["grant_types"] = texts(&client.grant_types);
        object["client_metadata"] = metadata(&client);
        object["secret"] = secret_object(secret.as_deref(), prints.as_ref(), show.reveal);
        object["rotation"] = json!({ "possible": rotation.is_none(), "reason": rotation });
        output.document(&object)?;
        return Ok(code::DONE);
    }
    let shown_secret = match (&secret, show.reveal) {
        (Some(secret), true) => secret.expose().to_owned(),
        (Some(_), false) => "•".repeat(24),
        (None, _) => "not readable".to_owned(),
    };
    let summary = &client.summary;
    let optional = |text: Option<&Untrusted>| text.map(Untrusted::raw).unwrap_or_default().to_owned();
    let joined = |all: &[Untrusted]| all.iter().map(Untrusted::raw).collect::<Vec<_>>().join(" ");
    let mut fields = vec![
        ("Name", summary.name.raw().to_owned()),
        ("Domain", session.api.domain().to_string()),
        ("Client ID", summary.client_id.raw().to_owned()),
        ("Client Secret", shown_secret),
        ("Fingerprint", fingerprint.map(|print| print.to_string()).unwrap_or_default()),
        ("Description", optional(client.description.as_ref())),
        ("Type", app_type_label(summary.app_type.as_ref().map(Untrusted::raw)).to_owned()),
        ("Authentication", summary.auth.label().into_owned()),
        ("First party", summary.is_first_party.map_or("", |first| if first { "yes" } else { "no" }).to_owned()),
        ("Grants", joined(&client.grant_types)),
        ("Callbacks", joined(&client.callbacks)),
        ("Rotation", rotation.map_or_else(|| "possible".to_owned(), |reason| format!("not possible: {reason}"))),
    ];
    let metadata: Vec<_> =
        client.metadata.iter().map(|(name, value)| format!("{}={}", name.raw(), value.raw())).collect();
    fields.push(("Metadata", metadata.join(" ")));
    output.fields(&fields)?;
    Ok(code::DONE)
}

/// The secret, where it can be read. With `--reveal` it must be.
async fn secret(api: &Api, client: &Client, reveal: bool) -> Result<Option<Arc<Secret>>, Failure> {
    let id = client.summary.client_id.raw();
    match api.client_secret(id).await {
        Ok(SecretRead::Readable(secret)) => Ok(Some(secret)),
        Ok(SecretRead::NotVisible) if reveal => Err(not_visible(api, client).await),
        Ok(SecretRead::NotVisible) => Ok(None),
        Err(error) if error.kind == ErrorKind::MissingScope && !reveal => Ok(None),
        Err(error) => Err(Failure::from(error).about(id)),
    }
}

/// Why a secret that was asked for is not there.
pub async fn not_visible(api: &Api, client: &Client) -> Failure {
    let id = client.summary.client_id.raw();
    let name = client.summary.name.shown();
    if let Some(reason) = not_rotatable(&client.summary.auth) {
        return Failure::failed("no_secret", format!("“{name}” has no secret to read: {reason}"), "").about(id);
    }
    let ability = api.session().await.map(|session| session.scopes.read_secrets());
    if let Ok(Ability::No { missing }) = ability {
        return Failure {
            code: code::NOT_PERMITTED,
            kind: "missing_scope",
            message: format!("could not read the secret of “{name}”: the token lacks {missing}"),
            hint: format!(
                "Grant {missing}: dashboard, Applications, APIs, Auth0 Management API, Machine to Machine Applications."
            ),
            ..Failure::default()
        }
        .about(id);
    }
    Failure::failed("no_secret", format!("Auth0 shows no secret for “{name}”"), "").about(id)
}

/// Why the secret cannot be rotated, or `None`.
async fn rotation(api: &Api, client: &Client) -> Result<Option<String>, Failure> {
    if let Some(reason) = not_rotatable(&client.summary.auth) {
        return Ok(Some(reason.to_owned()));
    }
    Ok(match api.session().await?.scopes.rotate() {
        Ability::No { missing } => Some(format!("the token lacks {missing}")),
        Ability::Yes | Ability::Unknown => None,
    })
}

/// The `secret` object of `show` and `rotate`.
pub fn secret_object(secret: Option<&Secret>, prints: Option<&Fingerprints>, reveal: bool) -> Value {
    let fingerprint = secret.zip(prints).and_then(|(secret, prints)| prints.of(secret));
    let mut object = json!({ "readable": secret.is_some(), "fingerprint": fingerprint.map(|print| print.to_string()) });
    if let Some(secret) = secret
        && reveal
    {
        object["value"] = json!(secret.expose());
    }
    object
}

fn texts(all: &[Untrusted]) -> Value {
    all.iter().map(Untrusted::raw).collect()
}

fn metadata(client: &Client) -> Value {
    let pairs = client.metadata.iter().map(|(name, value)| (name.raw().to_owned(), Value::from(value.raw())));
    Value::Object(pairs.collect::<Map<_, _>>())
}

/// The client as a row of the list, for what both have in common.
fn row(client: &Client) -> crate::domain::catalog::Row<'_> {
    let summary = &client.summary;
    crate::domain::catalog::Row {
        name: summary.name.raw(),
        client_id: summary.client_id.raw(),
        app_type: summary.app_type.as_ref().map(Untrusted::raw),
        is_first_party: summary.is_first_party,
        auth: &summary.auth,
        global: summary.global,
    }
}

/// A client's name, or its id where it has none, for a sentence.
pub fn called(client: &Client) -> String {
    let summary = &client.summary;
    if summary.name.raw().is_empty() { summary.client_id.shown() } else { summary.name.shown() }.into_owned()
}

/// All clients that were named, each once.
pub async fn pick_all(api: &Api, wanted: &[String], output: &Output) -> Result<Vec<Client>, Failure> {
    let mut catalog: Option<Catalog> = None;
    let mut clients: Vec<Client> = Vec::new();
    for text in wanted {
        let client = pick(api, text, output, &mut catalog).await?;
        if clients.iter().all(|known| known.summary.client_id != client.summary.client_id) {
            clients.push(client);
        }
    }
    Ok(clients)
}
