use serde_json::Value;

use super::Api;
use super::error::Error;
use super::transport::{Answer, PAGE};
use crate::domain::Untrusted;

/// A change of a client's secret that the tenant's log tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretChange {
    /// When: as the log has it, RFC 3339.
    pub at: Untrusted,
    /// The client that asked for it, by its id or name; or the user.
    pub by: Untrusted,
    /// From which address.
    pub address: Untrusted,
    /// What was sent as `X-Correlation-ID`.
    pub correlation_id: Option<String>,
}

impl Api {
    /// The changes of a client's secret that the tenant's log holds, the latest first; indexing takes the log a while, and plans
    /// keep it for a day up to a month. Found by the request's path: it cannot be searched for, and the event's `client_id` is the
    /// caller's. Source: OAS `get_logs`, the schema of `sapi` events.
    ///
    /// # Errors
    /// As the API refuses or fails.
    pub async fn secret_changes(&self, client_id: &str) -> Result<Vec<SecretChange>, Error> {
        let doing = format!("read the log about client {}", crate::domain::untrusted::shown(client_id));
        let query = [
            ("q", "type:\"sapi\"".to_owned()),
            ("sort", "date:-1".to_owned()),
            ("per_page", "100".to_owned()),
            ("page", "0".to_owned()),
        ];
        let answer = self.read("/api/v2/logs", &query, PAGE, &doing).await?;
        let events: Vec<Value> = serde_json::from_slice(&answer.body)
            .map_err(|_| Answer::unreadable(&doing, "it is no list of events", false))?;
        let path = super::clients::client_path(client_id);
        Ok(events.iter().filter_map(|event| change_of(event, &path)).collect())
    }
}

fn change_of(event: &Value, path: &str) -> Option<SecretChange> {
    let request = &event["details"]["request"];
    let method = request["method"].as_str()?.to_ascii_lowercase();
    let rest = request["path"].as_str()?.strip_prefix(path)?;
    // A change of other settings is a PATCH too; its body says which, where it is shown at all.
    let other = request["body"].as_object().is_some_and(|body| !body.is_empty() && !body.contains_key("client_secret"));
    match (method.as_str(), rest) {
        ("post", "/rotate-secret") => {}
        ("patch", "") if !other => {}
        _ => return None,
    }
    let status = event["details"]["response"]["statusCode"].as_u64();
    if status.is_some_and(|status| !(200..300).contains(&status)) {
        return None;
    }
    let text = |value: &Value| value.as_str().filter(|text| !text.is_empty()).map(Untrusted::from);
    let user = &request["auth"]["user"];
    let by = [&user["email"], &user["name"], &event["user_name"], &event["client_name"], &event["client_id"]];
    Some(SecretChange {
        at: text(&event["date"]).unwrap_or_default(),
        by: by.into_iter().find_map(text).unwrap_or_default(),
        address: text(&event["ip"]).unwrap_or_default(),
        correlation_id: event["references"]["correlation_id"].as_str().map(str::to_owned),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_successful_changes_of_this_clients_secret_count() {
        let event = |method: &str, path: &str, status: u16, body: Value| {
            json!({ "date": "2026-11-24T02:00:00Z", "client_id": "caller", "ip": "192.0.2.1", "references": {"correlation_id": "c"},
                "details": { "request": { "method": method, "path": path, "body": body }, "response": { "statusCode": status } } })
        };
        let path = "/api/v2/clients/abc";
        let found = |event: Value| change_of(&event, path).is_some();
        assert!(found(event("post", "/api/v2/clients/abc/rotate-secret", 200, json!({}))));
        assert!(found(event("PATCH", path, 200, json!({}))));
        assert!(found(event("patch", path, 200, json!({ "client_secret": "*****" }))));
        assert!(!found(event("patch", path, 200, json!({ "name": "other" }))));
        assert!(!found(event("patch", path, 403, json!({}))));
        assert!(!found(event("get", path, 200, json!({}))));
        assert!(!found(event("post", "/api/v2/clients/abcd/rotate-secret", 200, json!({}))));
        let change = change_of(&event("patch", path, 200, json!({})), path).expect("a change");
        assert_eq!((change.by.raw(), change.correlation_id.as_deref()), ("caller", Some("c")));
    }
}
