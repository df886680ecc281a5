use axum::Extension;
use axum::extract::{Path, State};
use serde_json::{Value, json};

use super::clients::{Answer, no_such_client};
use super::fields::boolean;
use super::routes::{About, Shared, answer};

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

/// `GET /api/v2/client-grants`: the managers', for the Management API.
pub(super) async fn grants(State(tenant): Shared, Extension(about): Extension<About>) -> Answer {
    about.caller(&tenant)?.need(&["read:client_grants"])?;
    let scopes: Vec<_> = super::ALL_SCOPES.split(' ').collect();
    let wanted = about.parameter("client_id");
    let audience = format!("{}/api/v2/", tenant.url);
    let grant = |(number, client_id): (usize, &str)| {
        json!({
            "id": format!("cgr_rollover{:013}", number + 1), "client_id": client_id, "audience": audience,
            "scope": scopes, "subject_type": "client"
        })
    };
    let all: Vec<_> = tenant
        .managers()
        .enumerate()
        .map(grant)
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
