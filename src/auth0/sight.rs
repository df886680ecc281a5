use super::Api;
use super::error::{Error, ErrorKind};

/// Asked for without the scope it needs, it earns a 403.
pub(super) const METHODS_FIELD: &str = "client_authentication_methods";

/// How much of a client the token may see. A request that names a field beyond it is refused as a whole, so no more is
/// asked for. Source: OAS `get_clients`, description.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sight {
    /// With `read:client_keys` or `read:client_credentials`: how it authenticates too.
    Keys,
    /// With `read:clients`.
    Settings,
    /// With `read:client_summary`.
    Summary,
}

impl Sight {
    /// What a list asks for. Never the secret: every read of one is logged at Auth0.
    pub(super) fn fields(self) -> &'static str {
        match self {
            Self::Keys => {
                "client_id,name,app_type,is_first_party,token_endpoint_auth_method,global,client_authentication_methods"
            }
            Self::Settings => "client_id,name,app_type,is_first_party,token_endpoint_auth_method,global",
            Self::Summary => "client_id,name,app_type",
        }
    }

    /// The next smaller one, after a refusal of the fields: a token that does not tell its scopes is found out that way.
    ///
    /// # Errors
    /// The refusal itself, where it is about something else, or less would not help.
    pub(super) fn less(self, error: Error) -> Result<Self, Error> {
        if error.kind != ErrorKind::MissingScope || !error.missing_scopes.is_empty() {
            return Err(error);
        }
        match self {
            Self::Keys => Ok(Self::Settings),
            Self::Settings => Ok(Self::Summary),
            Self::Summary => Err(error),
        }
    }
}

impl Api {
    /// How much of a client the token may see, by its own claim.
    pub(super) async fn sight(&self) -> Result<Sight, Error> {
        let scopes = self.session().await?.scopes;
        Ok(if scopes.read_secrets().may() {
            Sight::Keys
        } else if scopes.read_settings().may() {
            Sight::Settings
        } else {
            Sight::Summary
        })
    }
}
