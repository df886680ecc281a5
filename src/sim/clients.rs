use std::collections::BTreeMap;

use std::time::{Duration, Instant};

use axum::Extension;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use percent_encoding::percent_decode_str;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::access::Caller;
use super::logs::Event;
use super::routes::{About, Refusal, Shared, answer};
use super::tenant::{ClientRecord, Tenant, letters, new_secret};

type Answer = Result<Response, Refusal>;

/// What PATCH takes. Source: OAS `UpdateClientRequestContent`, which allows no other property.
const UPDATABLE: &[&str] = &[
    "addons",
    "allowed_clients",
    "allowed_logout_urls",
    "allowed_origins",
    "app_type",
    "async_approval_notification_channels",
    "callbacks",
    "client_aliases",
    "client_authentication_methods",
    "client_metadata",
    "client_secret",
    "compliance_level",
    "cross_origin_authentication",
    "cross_origin_loc",
    "custom_login_page",
    "custom_login_page_on",
    "custom_login_page_preview",
    "default_organization",
    "description",
    "encryption_key",
    "express_configuration",
    "fedcm_login",
    "form_template",
    "grant_types",
    "initiate_login_uri",
    "is_first_party",
    "is_token_endpoint_ip_header_trusted",
    "jwt_configuration",
    "logo_uri",
    "mobile",
    "my_organization_configuration",
    "name",
    "native_social_login",
    "oidc_backchannel_logout",
    "oidc_conformant",
    "oidc_logout",
    "organization_discovery_methods",
    "organization_require_behavior",
    "organization_usage",
    "par_request_expiry",
    "redirection_policy",
    "refresh_token",
    "require_proof_of_possession",
    "require_pushed_authorization_requests",
    "session_transfer",
    "signed_request_object",
    "skip_non_verifiable_callback_uri_confirmation_prompt",
    "sso",
    "sso_disabled",
    "third_party_security_mode",
    "token_endpoint_auth_method",
    "token_exchange",
    "token_quota",
    "token_vault_privileged_access",
    "web_origins",
];

/// Visible with `read:client_keys` or `read:client_credentials` alone. Source: OAS `get_clients`, description.
const KEY_FIELDS: &[&str] = &["client_secret", "client_authentication_methods", "signing_keys", "encryption_key"];

/// Visible with `read:client_summary`. Source: the same.
const SUMMARY_FIELDS: &[&str] = &["client_id", "app_type", "name", "description"];

const READERS: &[&str] = &["read:clients", "read:client_keys", "read:client_summary"];

/// Which fields an answer shows.
struct Shown {
    keys: bool,
    all: bool,
    chosen: Option<(Vec<String>, bool)>,
}

impl Shown {
    fn of(caller: &Caller, about: &About) -> Result<Self, Refusal> {
        let keys = caller.has("read:client_keys") || caller.has("read:client_credentials");
        let all = caller.has("read:clients") || caller.has("read:client_keys");
        let include = boolean(about, "include_fields")?.unwrap_or(true);
        let chosen: Option<Vec<String>> = about
            .parameter("fields")
            .filter(|fields| !fields.is_empty())
            .map(|fields| fields.split(',').map(|field| field.trim().to_owned()).collect());
        if include && let Some(chosen) = &chosen {
            let refused: Vec<_> = chosen
                .iter()
                .filter(|field| {
                    let field = field.as_str();
                    (!keys && KEY_FIELDS.contains(&field)) || (!all && !keys && !SUMMARY_FIELDS.contains(&field))
                })
                .map(String::as_str)
                .collect();
            if !refused.is_empty() {
                let message = format!("You cannot read the following fields: {}", refused.join(", "));
                return Err(Refusal::management(403, "Forbidden", &message, Some("insufficient_scope")));
            }
        }
        Ok(Self { keys, all, chosen: chosen.map(|fields| (fields, include)) })
    }

    fn has(&self, field: &str) -> bool {
        let permitted = if KEY_FIELDS.contains(&field) {
            self.keys
        } else {
            self.all || self.keys || SUMMARY_FIELDS.contains(&field)
        };
        permitted
            && self.chosen.as_ref().is_none_or(|(fields, include)| fields.iter().any(|own| own == field) == *include)
    }

    /// A client as JSON text with the fields that are shown; whether the secret is among them.
    fn write(&self, client: &ClientRecord, out: &mut String) -> bool {
        let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(&client.document).unwrap_or_default();
        out.push('{');
        let mut first = true;
        let mut put = |name: &str, value: &str| {
            if !first {
                out.push(',');
            }
            first = false;
            out.push('"');
            out.push_str(name);
            out.push_str("\":");
            out.push_str(value);
        };
        for (name, value) in &fields {
            if self.has(name) {
                put(name, value.get());
            }
        }
        let secret = !client.is_keyed() && self.has("client_secret");
        if secret {
            put("client_secret", &Value::from(client.visible_secret()).to_string());
        }
        out.push('}');
        secret
    }
}

fn boolean(about: &About, name: &str) -> Result<Option<bool>, Refusal> {
    match about.parameter(name).as_deref() {
        None | Some("") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refusal::bad_query(&format!(
            "Query validation error: 'Expected type boolean but found type string' on property {name}."
        ))),
    }
}

fn number(about: &About, name: &str, least: usize, most: usize) -> Result<Option<usize>, Refusal> {
    let Some(text) = about.parameter(name) else { return Ok(None) };
    let problem = match text.parse::<usize>() {
        Err(_) => format!("Query validation error: 'Expected type integer but found type string' on property {name}."),
        Ok(value) if value < least => {
            format!("Query validation error: 'Value {value} is less than minimum {least}' on property {name}.")
        }
        Ok(value) if value > most => {
            format!("Query validation error: 'Value {value} is greater than maximum {most}' on property {name}.")
        }
        Ok(value) => return Ok(Some(value)),
    };
    Err(Refusal::bad_query(&problem))
}

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

fn no_such_client() -> Refusal {
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

fn check(fields: &Map<String, Value>) -> Result<(), Refusal> {
    for (name, value) in fields {
        if !UPDATABLE.contains(&name.as_str()) {
            let message = format!("Payload validation error: 'Additional properties not allowed: {name}'.");
            return Err(Refusal::bad_body(&message));
        }
        let problem = match (name.as_str(), value) {
            ("client_secret", Value::String(text)) if text.is_empty() => "String is too short (0 chars), minimum 1",
            ("client_secret" | "name" | "description", value) if !value.is_string() => "Expected type string",
            ("name", Value::String(text)) if text.is_empty() || text.contains(['<', '>']) => {
                "String does not match pattern ^[^<>]+$"
            }
            ("client_metadata", value) if !value.is_object() => "Expected type object",
            ("callbacks" | "grant_types" | "web_origins" | "allowed_origins" | "allowed_logout_urls", value)
                if !value.is_array() =>
            {
                "Expected type array"
            }
            _ => continue,
        };
        return Err(Refusal::bad_body(&format!("Payload validation error: '{problem}' on property {name}.")));
    }
    let both = ["client_authentication_methods", "token_endpoint_auth_method"];
    if both.iter().all(|name| fields.get(*name).is_some_and(|value| !value.is_null())) {
        return Err(Refusal::bad_body(
            "client_authentication_methods and token_endpoint_auth_method are mutually exclusive",
        ));
    }
    Ok(())
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
    Shown { keys, all: true, chosen: None }.write(client, &mut text);
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

/// `GET /api/v2/clients/{id}/credentials`.
pub(super) async fn credentials(
    State(tenant): Shared,
    Extension(about): Extension<About>,
    Path(id): Path<String>,
) -> Answer {
    about.caller(&tenant)?.need(&["read:client_credentials"])?;
    let clients = tenant.clients();
    let client = clients.get(&id).ok_or_else(no_such_client)?;
    let all: Vec<_> = client
        .public_key
        .iter()
        .map(|_| {
            json!({ "id": "cred_rollover0000000000001", "name": "release key", "kid": "rollover-demo-key", "alg": "RS256",
                "credential_type": "public_key", "created_at": "2026-03-02T09:00:00.000Z",
                "updated_at": "2026-03-02T09:00:00.000Z", "expires_at": null })
        })
        .collect();
    Ok(answer(200, Value::from(all).to_string()))
}

/// `GET /api/v2/client-grants`: the manager's, for the Management API.
pub(super) async fn grants(State(tenant): Shared, Extension(about): Extension<About>) -> Answer {
    about.caller(&tenant)?.need(&["read:client_grants"])?;
    let scopes: Vec<_> = super::ALL_SCOPES.split(' ').collect();
    let wanted = about.parameter("client_id");
    let audience = format!("{}/api/v2/", tenant.url);
    let all: Vec<_> = [json!({
        "id": "cgr_rollover0000000000001", "client_id": tenant.manager_id(), "audience": audience, "scope": scopes,
        "subject_type": "client"
    })]
    .into_iter()
    .filter(|grant| wanted.as_ref().is_none_or(|id| grant["client_id"] == id.as_str()))
    .filter(|grant| about.parameter("audience").is_none_or(|audience| grant["audience"] == audience.as_str()))
    .collect();
    let body = if about.parameter("take").is_some() || about.parameter("from").is_some() {
        json!({ "client_grants": all })
    } else if boolean(&about, "include_totals")?.unwrap_or(false) {
        json!({ "start": 0, "limit": 50, "total": all.len(), "client_grants": all })
    } else {
        Value::from(all)
    };
    Ok(answer(200, body.to_string()))
}

/// `GET /api/v2/tenants/settings`.
pub(super) async fn tenant_settings(State(tenant): Shared, Extension(about): Extension<About>) -> Answer {
    about.caller(&tenant)?.need(&["read:tenant_settings"])?;
    let settings = json!({
        "friendly_name": "Pretend tenant", "default_audience": "", "session_lifetime": 168, "idle_session_lifetime": 72,
        "sandbox_version": "22", "enabled_locales": ["en"], "flags": {}
    });
    Ok(answer(200, settings.to_string()))
}

/// The client that a path below `/api/v2/clients/` is about.
pub(super) fn id_in(path: &str) -> Option<String> {
    let rest = path.strip_prefix("/api/v2/clients/")?;
    let id = rest.split('/').next()?;
    percent_decode_str(id).decode_utf8().ok().map(std::borrow::Cow::into_owned)
}
