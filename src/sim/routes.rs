use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::access::Caller;
use super::connection::Wire;
use super::tenant::{Recorded, Tenant};
use super::{clients, logs, others, token};

pub(super) type Shared = State<Arc<Tenant>>;

/// An answer that is no success, in one of Auth0's two envelopes.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) body: Value,
}

impl Refusal {
    /// In the Management API's envelope.
    pub(super) fn management(status: u16, error: &str, message: &str, code: Option<&str>) -> Self {
        let mut body = json!({ "statusCode": status, "error": error, "message": message });
        if let Some(code) = code {
            body["errorCode"] = json!(code);
        }
        Self { status, body }
    }

    pub(super) fn bad_body(message: &str) -> Self {
        Self::management(400, "Bad Request", message, Some("invalid_body"))
    }

    pub(super) fn bad_query(message: &str) -> Self {
        Self::management(400, "Bad Request", message, Some("invalid_query_string"))
    }

    /// In the token endpoint's envelope.
    pub(super) fn oauth(status: u16, error: &str, description: &str) -> Self {
        Self { status, body: json!({ "error": error, "error_description": description }) }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        answer(self.status, self.body.to_string())
    }
}

/// A JSON answer.
pub(super) fn answer(status: u16, body: String) -> Response {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    response
}

/// What a handler needs to know of the request beside its body.
#[derive(Clone, Debug)]
pub(super) struct About {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) query: String,
    pub(super) correlation_id: Option<String>,
    pub(super) user_agent: String,
    pub(super) authorization: Option<String>,
    /// The `Auth0-Client` header, base64 JSON, as the SDKs send it.
    pub(super) auth0_client: Option<String>,
    /// A fault wants the change to be applied twice.
    pub(super) twice: bool,
    /// A fault wants reads to show the old secret for so many seconds.
    pub(super) stale_seconds: Option<u64>,
    /// A fault makes this a server that knows no checkpoint paging.
    pub(super) no_checkpoint: bool,
}

impl About {
    fn of(request: &Request) -> Self {
        let header = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
        Self {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            correlation_id: header("x-correlation-id").filter(|id| id.len() <= 64),
            user_agent: header("user-agent").unwrap_or_default(),
            authorization: header("authorization"),
            auth0_client: header("auth0-client"),
            twice: false,
            stale_seconds: None,
            no_checkpoint: false,
        }
    }

    /// The value of a query parameter, the last one where it stands twice.
    pub(super) fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes())
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
            .last()
    }

    pub(super) fn caller(&self, tenant: &Tenant) -> Result<Caller, Refusal> {
        tenant.access.caller(self.authorization.as_deref())
    }
}

/// All routes of the tenant.
pub(super) fn router(tenant: &Arc<Tenant>) -> Router {
    Router::new()
        .route("/api/v2/clients", get(clients::list).post(clients::create))
        .route("/api/v2/clients/{id}", get(clients::read).patch(clients::update).delete(clients::delete))
        .route("/api/v2/clients/{id}/rotate-secret", post(clients::rotate))
        .route("/api/v2/clients/{id}/credentials", get(others::credentials))
        .route("/api/v2/logs", get(logs::list))
        .route("/api/v2/logs/{id}", get(logs::read))
        .route("/api/v2/client-grants", get(others::grants))
        .route("/api/v2/tenants/settings", get(others::tenant_settings))
        .route("/oauth/token", post(token::exchange))
        .fallback(nowhere)
        .layer(middleware::from_fn_with_state(Arc::clone(tenant), around))
        .with_state(Arc::clone(tenant))
}

async fn nowhere() -> Response {
    Refusal::management(404, "Not Found", "Not Found", None).into_response()
}

/// What happens to every request: it is remembered, slowed, limited, and spoilt where the scenario says so.
async fn around(State(tenant): Shared, mut request: Request, next: Next) -> Response {
    let at = Instant::now();
    let mut about = About::of(&request);
    let wire = request.extensions().get::<Wire>().cloned().unwrap_or_default();
    let number = tenant.record(Recorded {
        method: about.method.clone(),
        path: about.path.clone(),
        query: about.query.clone(),
        status: 0,
        correlation_id: about.correlation_id.clone(),
        at,
    });
    if !tenant.latency.is_zero() {
        tokio::time::sleep(tenant.latency).await;
    }
    let others = tenant.faults.others();
    let fault = tenant.faults.of(&about.method, &about.path);
    let mut response = None;
    if let Some(fault) = &fault {
        if fault.other_actor
            && let Some(id) = clients::id_in(&about.path)
        {
            tenant.rotate_as_other(&id);
        }
        about.twice = fault.twice;
        about.stale_seconds = fault.stale_seconds;
        about.no_checkpoint = fault.no_checkpoint;
        if let Some(late) = fault.late_ms {
            // Whoever asked is told something now; the request itself is still somewhere on its way.
            let late_request = std::mem::replace(&mut request, Request::new(Body::empty()));
            let (mut late_request, next, about) = (late_request, next.clone(), about.clone());
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(late)).await;
                late_request.extensions_mut().insert(about);
                drop(next.run(late_request).await);
            });
        }
        if fault.is_before() || fault.late_ms.is_some() {
            response = Some(fault.spoil(answer(200, "{}".to_owned()), &wire).await);
        }
    }
    let limited = if response.is_none() { tenant.limits.take(&about.path) } else { None };
    let mut response = match (response, &limited) {
        (Some(response), _) => response,
        (None, Some(state)) if state.refused => {
            tenant.logs.limited(&about);
            Refusal::management(429, "Too Many Requests", "Global limit has been reached", Some("too_many_requests"))
                .into_response()
        }
        (None, _) => {
            request.extensions_mut().insert(about.clone());
            let response = next.run(request).await;
            match &fault {
                Some(fault) if !fault.is_before() => fault.spoil(response, &wire).await,
                _ => response,
            }
        }
    };
    if fault.is_some_and(|fault| fault.held) {
        others.await;
    }
    if let Some(state) = limited {
        state.tell(response.headers_mut());
    }
    tenant.answered(number, if wire.is_broken() { 0 } else { response.status().as_u16() });
    response
}
