use std::collections::HashMap;

use axum::Extension;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Value, json};

use super::logs::Exchange;
use super::routes::{About, Refusal, Shared, answer};
use super::tenant::{ClientRecord, Tenant};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// `POST /oauth/token` with client credentials, by `client_secret_post`, `client_secret_basic` or private key JWT.
pub(super) async fn exchange(
    State(tenant): Shared,
    Extension(about): Extension<About>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Refusal> {
    let mut fields = parse(&headers, &body)?;
    if let Some((id, secret)) = basic(&headers) {
        fields.insert("client_id".to_owned(), id);
        fields.insert("client_secret".to_owned(), secret);
    }
    let get = |name: &str| fields.get(name).map(String::as_str).filter(|value| !value.is_empty());
    match get("grant_type") {
        Some("client_credentials") => {}
        Some(other) => {
            return Err(Refusal::oauth(403, "unsupported_grant_type", &format!("Unsupported grant type: {other}")));
        }
        None => return Err(Refusal::oauth(400, "invalid_request", "Missing required parameter: grant_type")),
    }
    let assertion =
        get("client_assertion_type").filter(|kind| *kind == JWT_BEARER).and_then(|_| get("client_assertion"));
    let claimed = assertion.and_then(subject);
    let Some(client_id) = get("client_id").map(str::to_owned).or(claimed) else {
        return Err(Refusal::oauth(400, "invalid_request", "Missing required parameter: client_id"));
    };
    let client = tenant.clients().get(&client_id).cloned();
    let audience = get("audience").unwrap_or_default().to_owned();
    let attempt = Exchange { client: client.as_ref(), client_id: &client_id, audience: &audience };
    let proven = client.as_ref().is_some_and(|client| match (assertion, get("client_secret")) {
        (Some(assertion), _) => signed_by(&tenant, client, assertion),
        (None, Some(secret)) => !client.is_keyed() && client.accepts(secret),
        (None, None) => false,
    });
    if !proven {
        tenant.logs.exchanged(&attempt, false, "Unauthorized", &about);
        return Err(Refusal::oauth(401, "access_denied", "Unauthorized"));
    }
    let refuse = |error: &str, text: String| {
        tenant.logs.exchanged(&attempt, false, &text, &about);
        Refusal::oauth(403, error, &text)
    };
    if client.as_ref().is_some_and(|client| !may_use_credentials(client)) {
        return Err(refuse(
            "unauthorized_client",
            "Grant type 'client_credentials' not allowed for the client.".to_owned(),
        ));
    }
    if audience.is_empty() {
        return Err(refuse(
            "access_denied",
            "No audience parameter was provided, and no default audience has been configured".to_owned(),
        ));
    }
    if !tenant.may_manage(&client_id) || !tenant.access.is_management(&audience) {
        return Err(refuse(
            "access_denied",
            format!(
                "Client is not authorized to access \"{audience}\". You need to create a \"client-grant\" associated to this API. \
                 See: https://auth0.com/docs/api/v2#!/Client_Grants/post_client_grants"
            ),
        ));
    }
    tenant.logs.exchanged(&attempt, true, "", &about);
    let lifetime = tenant.token_lifetime;
    let token = tenant.access.mint(&client_id, super::ALL_SCOPES, &audience, lifetime);
    let granted = json!({
        "access_token": token, "scope": super::ALL_SCOPES, "expires_in": lifetime.as_secs(), "token_type": "Bearer"
    });
    Ok(answer(200, granted.to_string()))
}

fn parse(headers: &HeaderMap, body: &Bytes) -> Result<HashMap<String, String>, Refusal> {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/json") {
        let value: Value = serde_json::from_slice(body)
            .map_err(|_| Refusal::oauth(400, "invalid_request", "Invalid JSON in the request body"))?;
        let fields = value.as_object().cloned().unwrap_or_default();
        return Ok(fields.into_iter().filter_map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect());
    }
    Ok(url::form_urlencoded::parse(body).into_owned().collect())
}

fn basic(headers: &HeaderMap) -> Option<(String, String)> {
    let header = headers.get("authorization")?.to_str().ok()?;
    let (kind, encoded) = header.split_once(' ')?;
    if !kind.eq_ignore_ascii_case("basic") {
        return None;
    }
    let text = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    // RFC 6749, 2.3.1: both parts are form-encoded before they are joined.
    let plain = |part: &str| percent_encoding::percent_decode_str(part).decode_utf8_lossy().into_owned();
    Some((plain(id), plain(secret)))
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    jti: String,
    iat: Option<i64>,
    exp: i64,
}

fn subject(assertion: &str) -> Option<String> {
    jsonwebtoken::dangerous::insecure_decode::<Assertion>(assertion).ok().map(|data| data.claims.sub)
}

/// Whether an assertion is signed with the client's key, meant for this tenant, fresh, and new. Source: Auth0 docs,
/// authenticate with private key JWT.
fn signed_by(tenant: &Tenant, client: &ClientRecord, assertion: &str) -> bool {
    let Some(key) = client.public_key.as_ref().and_then(|pem| DecodingKey::from_rsa_pem(pem.as_bytes()).ok()) else {
        return false;
    };
    let Ok(header) = decode_header(assertion) else { return false };
    if !matches!(header.alg, Algorithm::RS256 | Algorithm::RS384 | Algorithm::PS256) {
        return false;
    }
    let mut validation = Validation::new(header.alg);
    validation.leeway = 10;
    validation.set_audience(&[format!("{}/", tenant.url)]);
    let Ok(data) = decode::<Assertion>(assertion, &key, &validation) else { return false };
    let claims = data.claims;
    let now = time::OffsetDateTime::now_utc().unix_timestamp();
    *claims.iss == *client.id
        && *claims.sub == *client.id
        && claims.exp <= claims.iat.unwrap_or(now) + 300 + 10
        && tenant.first_use(&claims.jti)
}

fn may_use_credentials(client: &ClientRecord) -> bool {
    let fields = client.fields();
    match fields.get("grant_types").and_then(Value::as_array) {
        Some(grants) => grants.iter().any(|grant| grant == "client_credentials"),
        None => true,
    }
}
