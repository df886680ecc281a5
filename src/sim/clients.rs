use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::fields::{Shown, boolean, check, number};
use super::logs::Event;
use super::routes::{About, Refusal, Shared, answer};
use super::tenant::{ClientRecord, Tenant, letters, new_secret};

pub(super) type Answer = Result<Response, Refusal>;

const READERS: &[&str] = &["read:clients", "read:client_keys", "read:client_summary"];

/// `GET /api/v2/clients`, in its three shapes.
pub(super) async fn list(State(tenant): Shared, Extension(about): Extension<About>) -> Answer {
    let caller = about.caller(&tenant)?;
    caller.need(READERS)?;
    let shown = Shown::of(&caller, &about)?;
    let by_checkpoint =
        !about.no_checkpoint && (about.parameter("take").is_some() || about.parameter("from").is_some());
    let totals = boolean(&about, "include_totals")?.unwrap_or(false);
    let (start, size) = if by_checkpoint {
        let size = number(&about, "take", 1, 100)?.unwrap_or(50);
        let start = match about.parameter("from") {
            None => 0,
            Some(cursor) => {
                decode_cursor(&cursor).ok_or_else(|| Refusal::bad_query("The 'from' parameter is invalid."))?
            }
        };
        (start, size)
    } else {
        let size = number(&about, "per_page", 0, 100)?.unwrap_or(50);
        (number(&about, "page", 0, usize::MAX)?.unwrap_or(0).saturating_mul(size), size)
    };
    let filter = Filter {
        global: boolean(&about, "is_global")?,
        first_party: boolean(&about, "is_first_party")?,
        app_types: about.parameter("app_type").map(|types| types.split(',').map(str::to_owned).collect()),
    };
    let clients = tenant.clients();
    let mut texts = String::new();
    let mut count = 0;
    let mut secrets = false;
    let mut total = 0;
    let mut next = None;
    if filter.is_open() {
        total = clients.all.len();
        for client in clients.all.iter().skip(start).take(size) {
            if count > 0 {
                texts.push(',');
            }
            secrets |= shown.write(client, &mut texts);
            count += 1;
        }
        if start + count < total {
            next = Some(start + count);
        }
    } else {
        for client in clients.all.iter().filter(|client| filter.fits(client)) {
            if total >= start && count < size {
                if count > 0 {
                    texts.push(',');
                }
                secrets |= shown.write(client, &mut texts);
                count += 1;
            } else if total == start + size {
                next = Some(total);
            }
            total += 1;
        }
    }
    drop(clients);
    let body = if by_checkpoint {
        let next = next.map(|next| format!("\"next\":\"{}\",", encode_cursor(next))).unwrap_or_default();
        format!("{{{next}\"clients\":[{texts}]}}")
    } else if totals {
        format!("{{\"start\":{start},\"limit\":{size},\"total\":{total},\"clients\":[{texts}]}}")
    } else {
        format!("[{texts}]")
    };
    if secrets {
        tenant.logs.management(Event::ReadSecrets, &about, &caller, 200);
    }
    Ok(answer(200, body))
}

struct Filter {
    global: Option<bool>,
    first_party: Option<bool>,
    app_types: Option<Vec<String>>,
}

impl Filter {
    fn is_open(&self) -> bool {
        self.global.is_none() && self.first_party.is_none() && self.app_types.is_none()
    }

    fn fits(&self, client: &ClientRecord) -> bool {
        let fields = client.fields();
        let flag = |name: &str| fields.get(name).and_then(Value::as_bool).unwrap_or(false);
        self.global.is_none_or(|wanted| flag("global") == wanted)
            && self.first_party.is_none_or(|wanted| flag("is_first_party") == wanted)
            && self.app_types.as_ref().is_none_or(|types| {
                fields
                    .get("app_type")
                    .and_then(Value::as_str)
                    .is_some_and(|own| types.iter().any(|wanted| wanted == own))
            })
    }
}

/// Opaque to clients, and only forward.
fn encode_cursor(position: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("clients:{position}"))
}

fn decode_cursor(cursor: &str) -> Option<usize> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    text.strip_prefix("clients:")?.parse().ok()
}

pub(super) fn no_such_client() -> Refusal {
    Refusal::management(404, "Not Found", "The client does not exist", Some("inexistent_client"))
}

/// `GET /api/v2/clients/{id}`.
pub(super) async fn read(State(tenant): Shared, Extension(about): Extension<About>, Path(id): Path<String>) -> Answer {
    let caller = about.caller(&tenant)?;
    caller.need(READERS)?;
    let shown = Shown::of(&caller, &about)?;
    let mut text = String::new();
    let secret = shown.write(tenant.clients().get(&id).ok_or_else(no_such_client)?, &mut text);
    if secret {
        tenant.logs.management(Event::ReadSecrets, &about, &caller, 200);
    }
    Ok(answer(200, text))
}

fn object(body: &Bytes) -> Result<Map<String, Value>, Refusal> {
    match serde_json::from_slice(body) {
        Ok(Value::Object(fields)) => Ok(fields),
        Ok(_) => Err(Refusal::bad_body("Payload validation error: 'Expected type object'.")),
        Err(_) => Err(Refusal::bad_body("Invalid request payload JSON format")),
    }
}

/// `PATCH /api/v2/clients/{id}`.
pub(super) async fn update(
    State(tenant): Shared,
    Extension(about): Extension<About>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let caller = about.caller(&tenant)?;
    caller.need(&["update:clients", "update:client_keys"])?;
    let changes = object(&body)?;
    check(&changes)?;
    let refused: Vec<_> = changes
        .keys()
        .filter(|name| {
            let scope = if *name == "client_secret" { "update:client_keys" } else { "update:clients" };
            !caller.has(scope)
        })
        .map(String::as_str)
        .collect();
    if !refused.is_empty() {
        let message = format!("You cannot update the following fields: {}", refused.join(", "));
        return Err(Refusal::management(403, "Forbidden", &message, Some("insufficient_scope")));
    }
    let text = {
        let mut clients = tenant.clients_mut();
        let client = clients.get_mut(&id).ok_or_else(no_such_client)?;
        let mut fields = client.fields();
        for (name, value) in changes {
            match (name.as_str(), value) {
                ("client_secret", Value::String(secret)) => change_secret(client, secret.into(), &about, &tenant),
                ("client_metadata", Value::Object(metadata)) => {
                    let known = fields.entry("client_metadata").or_insert_with(|| json!({}));
                    if let Some(known) = known.as_object_mut() {
                        known.extend(metadata);
                        known.retain(|_, value| !value.is_null());
                    }
                }
                (_, Value::Null) => drop(fields.remove(&name)),
                (_, value) => drop(fields.insert(name, value)),
            }
        }
        client.document = Value::Object(fields).to_string().into();
        whole(client, &caller)
    };
    tenant.logs.management(Event::UpdateClient, &about, &caller, 200);
    Ok(answer(200, text))
}

fn change_secret(client: &mut ClientRecord, new: Box<str>, about: &About, tenant: &Tenant) {
    if let Some(seconds) = about.stale_seconds {
        client.stale = Some((client.secret.clone(), Instant::now() + Duration::from_secs(seconds)));
    }
    client.set_secret(new, tenant.propagation);
}

/// The whole client, as far as the caller may see it.
fn whole(client: &ClientRecord, caller: &Caller) -> String {
    let keys = caller.has("read:client_keys") || caller.has("read:client_credentials");
    let mut text = String::new();
    Shown::whole(keys).write(client, &mut text);
    text
}

/// `POST /api/v2/clients/{id}/rotate-secret`.
pub(super) async fn rotate(
    State(tenant): Shared,
    Extension(about): Extension<About>,
    Path(id): Path<String>,
    body: Bytes,
) -> Answer {
    let caller = about.caller(&tenant)?;
    caller.need(&["update:client_keys"])?;
    // No body is documented; `null` and `{}` are what SDKs send, and real tenants take them.
    let nothing = body.is_empty()
        || matches!(serde_json::from_slice(&body), Ok(Value::Null))
        || matches!(serde_json::from_slice(&body), Ok(Value::Object(fields)) if fields.is_empty());
    if !nothing {
        return Err(Refusal::bad_body("Payload validation error: 'Additional properties not allowed'."));
    }
    let text = {
        let mut clients = tenant.clients_mut();
        let client = clients.get_mut(&id).ok_or_else(no_such_client)?;
        if client.is_keyed() {
            let message = "This endpoint cannot be used with clients configured with Private Key JWT";
            return Err(Refusal::management(400, "Bad Request", message, Some("operation_not_supported")));
        }
        change_secret(client, new_secret(), &about, &tenant);
        if about.twice {
            change_secret(client, new_secret(), &about, &tenant);
        }
        whole(client, &caller)
    };
    tenant.logs.management(Event::RotateSecret, &about, &caller, 200);
    Ok(answer(200, text))
}

/// `POST /api/v2/clients`.
pub(super) async fn create(State(tenant): Shared, Extension(about): Extension<About>, body: Bytes) -> Answer {
    let caller = about.caller(&tenant)?;
    caller.need(&["create:clients"])?;
    let mut fields = object(&body)?;
    check(&fields)?;
    if !fields.contains_key("name") {
        return Err(Refusal::bad_body("Payload validation error: 'Missing required property: name'."));
    }
    let id = letters(32);
    let secret =
        fields.remove("client_secret").and_then(|secret| secret.as_str().map(Box::from)).unwrap_or_else(new_secret);
    fields.insert("client_id".to_owned(), json!(id));
    fields.insert("tenant".to_owned(), json!("rollover-demo"));
    fields.insert("global".to_owned(), json!(false));
    fields.entry("is_first_party").or_insert(json!(true));
    fields.entry("oidc_conformant").or_insert(json!(false));
    let client = ClientRecord {
        id: id.into(),
        document: Value::Object(fields).to_string().into(),
        secret,
        old: None,
        stale: None,
        history: Vec::new(),
        public_key: None,
    };
    let text = whole(&client, &caller);
    tenant.clients_mut().add(client);
    tenant.logs.management(Event::CreateClient, &about, &caller, 201);
    Ok(answer(201, text))
}

/// `DELETE /api/v2/clients/{id}`: 204, whether it was there or not.
pub(super) async fn delete(
    State(tenant): Shared,
    Extension(about): Extension<About>,
    Path(id): Path<String>,
) -> Answer {
    let caller = about.caller(&tenant)?;
    caller.need(&["delete:clients"])?;
    tenant.clients_mut().remove(&id);
    tenant.logs.management(Event::DeleteClient, &about, &caller, 204);
    let mut response = answer(204, String::new());
    response.headers_mut().remove("content-type");
    Ok(response)
}

/// The client that a path below `/api/v2/clients/` is about.
pub(super) fn id_in(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/api/v2/clients/")?;
    let id = rest.split('/').next()?;
    percent_decode_str(id).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
