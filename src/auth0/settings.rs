use serde_json::Value;

use super::Api;
use super::error::{Error, ErrorKind};
use super::transport::{Answer, ONE};
use crate::domain::{Environment, Greeting, Untrusted};

impl Api {
    /// Signs in, and asks the Management API the least it can: whether the token lists clients, and what the tenant says of
    /// itself. A scope that is missing for either is no failure.
    ///
    /// # Errors
    /// Where the token or the client is refused, or Auth0 cannot be reached.
    pub async fn greet(&self) -> Result<Greeting, Error> {
        const DOING: &str = "sign in";
        let query = [("per_page", "1".to_owned()), ("fields", "client_id".to_owned())];
        let cannot_list = match self.read("/api/v2/clients", &query, ONE, DOING).await {
            Ok(answer) if serde_json::from_slice::<Value>(&answer.body).is_ok_and(|body| body.is_array()) => None,
            // Something answers there, and it is no Auth0: better found out now than with the first secret.
            Ok(_) => return Err(Answer::unreadable(DOING, "it is no list of clients", false)),
            Err(error) if is_scope(&error) => Some(error.to_string()),
            Err(error) => return Err(Answer::nowhere(error)),
        };
        let settings = match self.read("/api/v2/tenants/settings", &[], ONE, DOING).await {
            Ok(answer) => serde_json::from_slice(&answer.body).unwrap_or_default(),
            // They are worth a look, not a failure.
            Err(_) => Value::Null,
        };
        let text = |name: &str| settings.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        Ok(Greeting {
            friendly_name: text("friendly_name").map(Untrusted::from),
            // The dashboard has an environment tag; Auth0's API document of June 2026 lists no field for it. Where one comes
            // all the same, it is believed if it is one of the three words.
            environment: text("environment_tag").or_else(|| text("environment")).and_then(Environment::from_name),
            cannot_list,
        })
    }
}

fn is_scope(error: &Error) -> bool {
    matches!(error.kind, ErrorKind::MissingScope)
}
