use std::collections::VecDeque;
use std::sync::{LazyLock, Mutex, PoisonError};

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::HeaderValue;
use axum::response::Response;
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::access::Caller;
use super::routes::{About, Refusal, Shared, answer};
use super::tenant::ClientRecord;

/// How many events are kept.
const KEPT: usize = 20_000;

/// The tenant's log. The shapes follow Auth0's schemas of log events.
#[derive(Default)]
pub(super) struct Logs(Mutex<(u64, VecDeque<Value>)>);

/// What happened at the Management API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    RotateSecret,
    UpdateClient,
    CreateClient,
    DeleteClient,
    ReadSecrets,
}

/// An attempt at the token endpoint.
pub(super) struct Exchange<'a> {
    pub(super) client: Option<&'a ClientRecord>,
    pub(super) client_id: &'a str,
    pub(super) audience: &'a str,
}

/// The time, measured with the clock that also tells when to wake: a test that makes that one leap has both leap.
fn now() -> OffsetDateTime {
    static BEGAN: LazyLock<(OffsetDateTime, std::time::Instant)> =
        LazyLock::new(|| (OffsetDateTime::now_utc(), std::time::Instant::now()));
    let (wall, began) = *BEGAN;
    wall + tokio::time::Instant::now().into_std().saturating_duration_since(began)
}

impl Logs {
    fn push(&self, mut event: Value) {
        let now = now();
        let date = now.replace_millisecond(now.millisecond()).unwrap_or(now).format(&Rfc3339).unwrap_or_default();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.0 += 1;
        let id = format!("900{}{:09}000000000000000000000000000000000000", now.date().to_julian_day(), all.0);
        event["date"] = json!(date);
        event["_id"] = json!(id);
        event["log_id"] = json!(id);
        event["tenant_name"] = json!("rollover-demo");
        event["environment_name"] = json!("pretend");
        event["isMobile"] = json!(false);
        if all.1.len() == KEPT {
            all.1.pop_front();
        }
        all.1.push_back(event);
    }

    /// A management request: `sapi`, or `mgmt_api_read` where secrets were shown.
    pub(super) fn management(&self, what: Event, about: &About, caller: &Caller, status: u16) {
        let (kind, description) = match what {
            Event::RotateSecret => ("sapi", "Rotate a client secret"),
            Event::UpdateClient => ("sapi", "Update a client"),
            Event::CreateClient => ("sapi", "Create a client"),
            Event::DeleteClient => ("sapi", "Delete a client"),
            Event::ReadSecrets => ("mgmt_api_read", "Get clients"),
        };
        let query: serde_json::Map<_, _> = url::form_urlencoded::parse(about.query.as_bytes())
            .map(|(name, value)| (name.into_owned(), json!(value)))
            .collect();
        let mut event = json!({
            "type": kind, "description": description, "client_id": caller.client_id, "client_name": "",
            "ip": "127.0.0.1", "user_agent": about.user_agent, "user_id": "",
            "details": {
                "request": {
                    "method": about.method.to_lowercase(), "path": about.path, "query": query, "body": {}, "channel": "api",
                    "ip": "127.0.0.1", "userAgent": about.user_agent,
                    "auth": { "strategy": "jwt", "user": {"email": "", "name": ""}, "credentials": { "jti": caller.jti, "scopes": caller.scopes } }
                },
                "response": { "statusCode": status, "body": {} }
            }
        });
        if what == Event::ReadSecrets || what == Event::RotateSecret {
            event["details"]["accessedSecrets"] = json!(["client_secret"]);
        }
        if let Some(id) = &about.correlation_id {
            event["references"] = json!({ "correlation_id": id });
        }
        self.push(event);
    }

    /// Somebody rotates a client in the dashboard.
    pub(super) fn rotated_by_hand(&self, client_id: &str) {
        let path = format!("/api/v2/clients/{client_id}/rotate-secret");
        self.push(json!({
            "type": "sapi", "description": "Rotate a client secret", "client_id": "", "client_name": "", "ip": "192.0.2.7",
            "user_agent": "dashboard", "user_id": "google-oauth2|1", "user_name": "someone.else@example.com",
            "details": {
                "request": { "method": "post", "path": path, "query": {}, "body": {}, "channel": "https://manage.auth0.com/",
                    "ip": "192.0.2.7", "userAgent": "dashboard",
                    "auth": { "strategy": "jwt", "user": {"email": "someone.else@example.com", "name": ""}, "credentials": {} } },
                "response": { "statusCode": 200, "body": {} }
            }
        }));
    }

    /// An exchange of credentials for a token: `seccft` or `feccft`.
    pub(super) fn exchanged(&self, attempt: &Exchange<'_>, success: bool, why: &str, about: &About) {
        let name = attempt
            .client
            .and_then(|client| client.fields().get("name").and_then(|name| name.as_str().map(str::to_owned)))
            .unwrap_or_default();
        let mut event = json!({
            "type": if success { "seccft" } else { "feccft" }, "description": why, "client_id": attempt.client_id,
            "client_name": name, "ip": "127.0.0.1", "client_ip": "127.0.0.1", "user_agent": about.user_agent,
            "hostname": "127.0.0.1", "audience": attempt.audience, "scope": null, "details": {}, "connection": null
        });
        if !success {
            event["details"] = json!({ "client_authentoication_error": why });
        }
        if let Some(client) = &about.auth0_client {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(client).ok();
            if let Some(value) = decoded.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok()) {
                event["auth0_client"] = value;
            }
        }
        self.push(event);
    }

    /// A request that the rate limit refused.
    pub(super) fn limited(&self, about: &About) {
        self.push(json!({
            "type": "api_limit", "description": "Global per second limit has been reached", "client_name": "", "ip": "127.0.0.1",
            "user_agent": about.user_agent, "details": { "request": { "method": about.method.to_lowercase(), "path": about.path } }
        }));
    }
}

/// `GET /api/v2/logs`, by search or by checkpoint.
pub(super) async fn list(State(tenant): Shared, Extension(about): Extension<About>) -> Result<Response, Refusal> {
    about.caller(&tenant)?.need(&["read:logs", "read:logs_users"])?;
    let size = |name: &str| about.parameter(name).and_then(|text| text.parse::<usize>().ok()).unwrap_or(50).min(100);
    let logs = tenant.logs.0.lock().unwrap_or_else(PoisonError::into_inner);
    let all = logs.1.iter();
    if about.parameter("from").is_some() || (about.parameter("take").is_some() && about.parameter("q").is_none()) {
        let from = about.parameter("from").unwrap_or_default();
        let take = size("take");
        let some: Vec<_> =
            all.filter(|event| event["log_id"].as_str() > Some(from.as_str())).take(take).cloned().collect();
        let last = some.last().and_then(|event| event["log_id"].as_str()).unwrap_or(&from).to_owned();
        let mut response = answer(200, Value::from(some).to_string());
        let link = format!("<{}/api/v2/logs?from={last}&take={take}>; rel=\"next\"", tenant.url);
        if let Ok(link) = HeaderValue::try_from(link) {
            response.headers_mut().insert("link", link);
        }
        return Ok(response);
    }
    let query = about.parameter("q").or_else(|| about.parameter("search")).unwrap_or_default();
    let search = Search::parse(&query).ok_or_else(|| Refusal::bad_query("The query could not be parsed"))?;
    // Only what is asked for is copied: the log may be long.
    let mut found: Vec<_> = all.filter(|event| search.fits(event)).collect();
    if about.parameter("sort").as_deref() != Some("date:1") {
        found.reverse();
    }
    let (page, per_page) =
        (about.parameter("page").and_then(|text| text.parse::<usize>().ok()).unwrap_or(0), size("per_page"));
    let fields = about.parameter("fields").filter(|fields| !fields.is_empty());
    let include = about.parameter("include_fields").as_deref() != Some("false");
    let some: Vec<_> = found
        .into_iter()
        .skip(page.saturating_mul(per_page))
        .take(per_page)
        .map(|event| choose(event.clone(), fields.as_deref(), include))
        .collect();
    let body = if about.parameter("include_totals").as_deref() == Some("true") {
        json!({ "start": page * per_page, "limit": per_page, "length": some.len(), "total": some.len(), "logs": some })
    } else {
        Value::from(some)
    };
    Ok(answer(200, body.to_string()))
}

/// An event with the fields that a search asks for, or without those it asks to leave out. Events from a checkpoint
/// are always whole: there, Auth0 ignores every parameter but `from` and `take`.
fn choose(mut event: Value, fields: Option<&str>, include: bool) -> Value {
    if let (Some(fields), Some(event)) = (fields, event.as_object_mut()) {
        event.retain(|name, _| fields.split(',').any(|field| field.trim() == name) == include);
    }
    event
}

/// `GET /api/v2/logs/{id}`.
pub(super) async fn read(
    State(tenant): Shared,
    Extension(about): Extension<About>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    about.caller(&tenant)?.need(&["read:logs", "read:logs_users"])?;
    let logs = tenant.logs.0.lock().unwrap_or_else(PoisonError::into_inner);
    match logs.1.iter().find(|event| event["log_id"] == id.as_str()) {
        Some(event) => Ok(answer(200, event.to_string())),
        None => Err(Refusal::management(404, "Not Found", "The log does not exist", Some("inexistent_log"))),
    }
}

/// A part of Lucene's query language: `field:value`, `field:"value"`, `field:(a OR b)`, ranges of dates, AND, OR, NOT.
#[derive(Debug)]
enum Search {
    All,
    Term { field: String, value: String },
    From { field: String, least: String },
    Not(Box<Self>),
    And(Vec<Self>),
    Or(Vec<Self>),
}

impl Search {
    fn parse(text: &str) -> Option<Self> {
        let mut tokens = tokens(text)?.into_iter().peekable();
        if tokens.peek().is_none() {
            return Some(Self::All);
        }
        let search = Self::either(&mut tokens, None)?;
        tokens.next().is_none().then_some(search)
    }

    fn either(tokens: &mut Tokens, field: Option<&str>) -> Option<Self> {
        let mut parts = vec![Self::both(tokens, field)?];
        while tokens.next_if(|token| token == "OR").is_some() {
            parts.push(Self::both(tokens, field)?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Self::Or(parts) })
    }

    fn both(tokens: &mut Tokens, field: Option<&str>) -> Option<Self> {
        let mut parts = vec![Self::one(tokens, field)?];
        while tokens.next_if(|token| token == "AND").is_some()
            || tokens.peek().is_some_and(|token| token != "OR" && token != ")")
        {
            parts.push(Self::one(tokens, field)?);
        }
        Some(if parts.len() == 1 { parts.remove(0) } else { Self::And(parts) })
    }

    fn one(tokens: &mut Tokens, field: Option<&str>) -> Option<Self> {
        let token = tokens.next()?;
        match token.as_str() {
            "NOT" => Some(Self::Not(Box::new(Self::one(tokens, field)?))),
            "(" => {
                let inner = Self::either(tokens, field)?;
                (tokens.next()? == ")").then_some(inner)
            }
            _ => match (token.strip_suffix(':'), field) {
                (Some(name), None) => Self::one(tokens, Some(name)),
                (_, Some(name)) if token.starts_with('[') => {
                    let least = token.trim_start_matches('[').split(" TO ").next()?.to_owned();
                    Some(Self::From { field: name.to_owned(), least })
                }
                (_, Some(name)) => {
                    Some(Self::Term { field: name.to_owned(), value: token.trim_matches('"').to_owned() })
                }
                (None, None) => Some(Self::Term { field: "client_name".to_owned(), value: token }),
            },
        }
    }

    fn fits(&self, event: &Value) -> bool {
        match self {
            Self::All => true,
            Self::Term { field, value } => match (event[field].as_str(), value.strip_suffix('*')) {
                (Some(own), Some(start)) => own.starts_with(start),
                (Some(own), None) => own == value,
                (None, _) => false,
            },
            Self::From { field, least } => {
                event[field].as_str().is_some_and(|own| least == "*" || own >= least.as_str())
            }
            Self::Not(inner) => !inner.fits(event),
            Self::And(parts) => parts.iter().all(|part| part.fits(event)),
            Self::Or(parts) => parts.iter().any(|part| part.fits(event)),
        }
    }
}

type Tokens = std::iter::Peekable<std::vec::IntoIter<String>>;

fn tokens(text: &str) -> Option<Vec<String>> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let end = match first {
            '(' | ')' => 1,
            '"' => rest[1..].find('"')? + 2,
            '[' | '{' => rest.find([']', '}'])? + 1,
            _ => match rest.find([' ', '(', ')', '"', '[', ':']) {
                Some(at) if rest[at..].starts_with(':') => at + 1,
                Some(at) => at.max(1),
                None => rest.len(),
            },
        };
        tokens.push(rest[..end].to_owned());
        rest = rest[end..].trim_start();
    }
    Some(tokens)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_fields_that_are_asked_for() {
        let event = || json!({ "log_id": "1", "type": "sapi", "details": {} });
        assert_eq!(choose(event(), Some("log_id, type"), true), json!({ "log_id": "1", "type": "sapi" }));
        assert_eq!(choose(event(), Some("details,none"), false), json!({ "log_id": "1", "type": "sapi" }));
        assert_eq!(choose(event(), None, true), event());
    }

    #[test]
    fn searches_as_the_documentation_shows_them() {
        let event = json!({ "client_id": "X", "type": "feccft", "date": "2026-11-24T03:00:00Z", "description": "Rotate a client secret" });
        let fits = |text: &str| Search::parse(text).expect(text).fits(&event);
        assert!(fits("client_id:\"X\" AND type:(feccft OR feacft OR fertft) AND date:[2026-11-24T02:00:00Z TO *]"));
        assert!(!fits("client_id:\"X\" AND type:(seccft OR feacft)"));
        assert!(!fits("date:[2026-11-24T04:00:00Z TO *]"));
        assert!(fits("type:fecc* AND NOT client_id:Y"));
        assert!(fits("description:\"Rotate a client secret\""));
        assert!(Search::parse("type:(").is_none());
    }
}
