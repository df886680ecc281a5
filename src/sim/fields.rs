use serde::de::{Deserializer as _, MapAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::access::Caller;
use super::routes::{About, Refusal};
use super::tenant::ClientRecord;

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

/// Which fields an answer shows.
pub(super) struct Shown {
    keys: bool,
    all: bool,
    chosen: Option<(Vec<String>, bool)>,
}

impl Shown {
    /// Everything that a change answers with; `keys`: what only `read:client_keys` may see as well.
    pub(super) fn whole(keys: bool) -> Self {
        Self { keys, all: true, chosen: None }
    }

    pub(super) fn of(caller: &Caller, about: &About) -> Result<Self, Refusal> {
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
        let wanted =
            self.chosen.as_ref().is_none_or(|(fields, include)| fields.iter().any(|own| own == field) == *include);
        wanted
            && if KEY_FIELDS.contains(&field) {
                self.keys
            } else {
                self.all || self.keys || SUMMARY_FIELDS.contains(&field)
            }
    }

    /// A client as JSON text with the fields that are shown; whether the secret is among them.
    pub(super) fn write(&self, client: &ClientRecord, out: &mut String) -> bool {
        out.push('{');
        let start = out.len();
        // The document is our own: it can be read.
        let _ = serde_json::Deserializer::from_str(&client.document).deserialize_map(Copying { shown: self, out });
        let secret = self.has("client_secret") && !client.is_keyed();
        if secret {
            put(out, "client_secret", &Value::from(client.visible_secret()).to_string());
        }
        if out.len() > start {
            out.pop();
        }
        out.push('}');
        secret
    }
}

/// A field, and a comma for the next one.
fn put(out: &mut String, name: &str, value: &str) {
    for part in ["\"", name, "\":", value, ","] {
        out.push_str(part);
    }
}

/// Copies the fields that are shown, each as it stands: an answer may hold a hundred clients.
struct Copying<'a> {
    shown: &'a Shown,
    out: &'a mut String,
}

impl<'de> Visitor<'de> for Copying<'_> {
    type Value = ();

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a client")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some((name, value)) = map.next_entry::<&str, &RawValue>()? {
            if self.shown.has(name) {
                put(self.out, name, value.get());
            }
        }
        Ok(())
    }
}

/// A parameter that is true or false.
pub(super) fn boolean(about: &About, name: &str) -> Result<Option<bool>, Refusal> {
    match about.parameter(name).as_deref() {
        None | Some("") => Ok(None),
        Some("true") => Ok(Some(true)),
        Some("false") => Ok(Some(false)),
        Some(_) => Err(Refusal::bad_query(&format!(
            "Query validation error: 'Expected type boolean but found type string' on property {name}."
        ))),
    }
}

/// A parameter that is a number within limits.
pub(super) fn number(about: &About, name: &str, least: usize, most: usize) -> Result<Option<usize>, Refusal> {
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

/// Refuses a body that holds what the document does not know, or a field of another type.
pub(super) fn check(fields: &Map<String, Value>) -> Result<(), Refusal> {
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
