use std::time::Duration;

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::routes::Refusal;

/// Makes and checks access tokens.
pub(super) struct Access {
    signing: EncodingKey,
    checking: DecodingKey,
    audiences: Vec<String>,
}

/// What stands in an access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) azp: String,
    pub(super) scope: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) jti: String,
    pub(super) gty: String,
}

/// Whoever makes a request, and what they may do.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) client_id: String,
    pub(super) scopes: Vec<String>,
    pub(super) jti: String,
}

impl Caller {
    pub(super) fn has(&self, scope: &str) -> bool {
        self.scopes.iter().any(|own| own == scope)
    }

    /// Refuses unless one of the scopes is there, in Auth0's words.
    pub(super) fn need(&self, any: &[&str]) -> Result<(), Refusal> {
        if any.iter().any(|scope| self.has(scope)) {
            return Ok(());
        }
        let message = format!("Insufficient scope, expected any of: {}", any.join(","));
        Err(Refusal::management(403, "Forbidden", &message, Some("insufficient_scope")))
    }
}

impl Access {
    pub(super) fn new(url: &str, host: &str) -> Self {
        let mut key = [0; 32];
        // The key of tokens that are good on this server alone, for as long as it runs.
        fastrand::fill(&mut key);
        let audiences =
            vec![format!("{url}/api/v2/"), format!("https://{host}/api/v2/"), format!("http://{host}/api/v2/")];
        Self { signing: EncodingKey::from_secret(&key), checking: DecodingKey::from_secret(&key), audiences }
    }

    /// Whether `audience` is this tenant's Management API, by any of the names that a client may derive.
    pub(super) fn is_management(&self, audience: &str) -> bool {
        self.audiences.iter().any(|own| own.trim_end_matches('/') == audience.trim_end_matches('/'))
    }

    pub(super) fn mint(&self, client_id: &str, scope: &str, audience: &str, lifetime: Duration) -> String {
        let now = time::OffsetDateTime::now_utc().unix_timestamp();
        let claims = Claims {
            iss: self.audiences[0].trim_end_matches("api/v2/").to_owned(),
            sub: format!("{client_id}@clients"),
            aud: audience.to_owned(),
            azp: client_id.to_owned(),
            scope: scope.to_owned(),
            iat: now,
            exp: now + i64::try_from(lifetime.as_secs()).unwrap_or(i64::MAX / 2),
            jti: super::tenant::letters(22),
            gty: "client-credentials".to_owned(),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.signing).unwrap_or_default()
    }

    /// The caller of a request, by its `Authorization` header.
    pub(super) fn caller(&self, authorization: Option<&str>) -> Result<Caller, Refusal> {
        let refuse = |message: &str| {
            let mut refusal = Refusal::management(401, "Unauthorized", message, None);
            refusal.body["attributes"] = serde_json::json!({ "error": message });
            refusal
        };
        let Some(header) = authorization else {
            return Err(refuse("Missing authentication"));
        };
        let Some(token) =
            header.split_once(' ').filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer")).map(|(_, rest)| rest)
        else {
            return Err(refuse("Bad HTTP authentication header format"));
        };
        let mut validation = Validation::new(Algorithm::HS256);
        validation.leeway = 0;
        validation.validate_aud = false;
        let claims: Claims = match decode(token.trim(), &self.checking, &validation) {
            Ok(data) => data.claims,
            Err(error) => {
                use jsonwebtoken::errors::ErrorKind;
                return Err(refuse(match error.kind() {
                    ErrorKind::ExpiredSignature => "Expired token received for JSON Web Token validation",
                    ErrorKind::InvalidSignature => "Invalid signature received for JSON Web Token validation",
                    _ => "Invalid token",
                }));
            }
        };
        // The crate lets a token live through the very second of its end. Source: RFC 7519, 4.1.4: "on or after".
        if claims.exp <= time::OffsetDateTime::now_utc().unix_timestamp() {
            return Err(refuse("Expired token received for JSON Web Token validation"));
        }
        if !self.is_management(&claims.aud) {
            return Err(refuse(&format!("Bad audience: {}", claims.aud)));
        }
        Ok(Caller {
            client_id: claims.azp,
            scopes: claims.scope.split_ascii_whitespace().map(str::to_owned).collect(),
            jti: claims.jti,
        })
    }
}
