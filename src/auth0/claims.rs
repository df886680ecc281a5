use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

/// What a token says of itself. Read without checking the signature: only Auth0 can, and does on every request.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Claims {
    pub(super) scope: Option<String>,
    pub(super) exp: Option<i64>,
    azp: Option<String>,
    sub: Option<String>,
}

impl Claims {
    /// The claims of a JWT; none of an opaque token.
    pub(super) fn of(token: &str) -> Self {
        let mut parts = token.split('.');
        let (Some(_), Some(payload), Some(_)) = (parts.next(), parts.next(), parts.next()) else {
            return Self::default();
        };
        URL_SAFE_NO_PAD.decode(payload).ok().and_then(|json| serde_json::from_slice(&json).ok()).unwrap_or_default()
    }

    /// The client that the token was issued to.
    pub(super) fn client_id(&self) -> Option<String> {
        self.azp.clone().or_else(|| self.sub.as_deref()?.strip_suffix("@clients").map(str::to_owned))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(payload: &str) -> String {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn reads_scope_expiry_and_client() {
        let claims = Claims::of(&token(r#"{"scope":"read:clients","exp":5,"sub":"abc@clients","aud":["x"]}"#));
        assert_eq!(claims.scope.as_deref(), Some("read:clients"));
        assert_eq!(claims.exp, Some(5));
        assert_eq!(claims.client_id().as_deref(), Some("abc"));
    }

    #[test]
    fn anything_else_says_nothing() {
        for text in ["", "opaque", "a.b", "a.!!.c", &token("[1]"), &token("not json"), &token(r#"{"exp":"soon"}"#)] {
            let claims = Claims::of(text);
            assert!(claims.scope.is_none() && claims.client_id().is_none(), "{text}");
        }
    }
}
