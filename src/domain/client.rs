use super::Untrusted;

/// How a client proves who it is at the token endpoint.
///
/// Auth0 spreads this over two fields, of which only one may be set: `token_endpoint_auth_method` and
/// `client_authentication_methods`. The latter is visible only with `read:client_keys`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AuthMethod {
    /// `none`: a public client.
    None,
    /// `client_secret_post`.
    SecretPost,
    /// `client_secret_basic`.
    SecretBasic,
    /// `client_authentication_methods.private_key_jwt`.
    PrivateKeyJwt,
    /// `client_authentication_methods.tls_client_auth`.
    TlsClientAuth,
    /// `client_authentication_methods.self_signed_tls_client_auth`.
    SelfSignedTls,
    /// Neither field is set, and both could be seen. Auth0 counts such a client as confidential.
    Unspecified,
    /// The one that can be seen is not set, the other cannot be seen with this token.
    Unknown,
    /// A method newer than this program.
    Other(Untrusted),
}

impl AuthMethod {
    /// From Auth0's two fields. `methods` is the name of the one property of
    /// `client_authentication_methods`; `methods_visible` whether the token may see that field.
    #[must_use]
    pub fn from_fields(endpoint: Option<&str>, methods: Option<&str>, methods_visible: bool) -> Self {
        match (methods, endpoint) {
            (Some("private_key_jwt"), _) => Self::PrivateKeyJwt,
            (Some("tls_client_auth"), _) => Self::TlsClientAuth,
            (Some("self_signed_tls_client_auth"), _) => Self::SelfSignedTls,
            (None, Some("none")) => Self::None,
            (None, Some("client_secret_post")) => Self::SecretPost,
            (None, Some("client_secret_basic")) => Self::SecretBasic,
            (Some(other), _) | (None, Some(other)) => Self::Other(other.into()),
            (None, None) if methods_visible => Self::Unspecified,
            (None, None) => Self::Unknown,
        }
    }

    /// What the table and the pane say.
    #[must_use]
    pub fn label(&self) -> std::borrow::Cow<'_, str> {
        match self {
            Self::None => "None".into(),
            Self::SecretPost => "Secret (Post)".into(),
            Self::SecretBasic => "Secret (Basic)".into(),
            Self::PrivateKeyJwt => "Private Key JWT".into(),
            Self::TlsClientAuth => "mTLS (CA)".into(),
            Self::SelfSignedTls => "mTLS (self-signed)".into(),
            Self::Unspecified => "Unspecified".into(),
            Self::Unknown => "unknown".into(),
            Self::Other(other) => other.shown(),
        }
    }

    /// How it proves who it is without its secret, for a sentence; `None` where it uses its secret or that is unknown.
    #[must_use]
    pub fn instead_of_secret(&self) -> Option<String> {
        match self {
            Self::None => Some("it is a public client, which does not sign in with a secret".to_owned()),
            method if method.uses_secret() == Some(false) => {
                Some(format!("it signs in with {}, not with its secret", method.label()))
            }
            _ => None,
        }
    }

    /// The value of `token_endpoint_auth_method` that it came from, for machine-readable output.
    #[must_use]
    pub fn endpoint_value(&self) -> Option<&str> {
        match self {
            Self::None => Some("none"),
            Self::SecretPost => Some("client_secret_post"),
            Self::SecretBasic => Some("client_secret_basic"),
            Self::PrivateKeyJwt => Some("private_key_jwt"),
            Self::TlsClientAuth => Some("tls_client_auth"),
            Self::SelfSignedTls => Some("self_signed_tls_client_auth"),
            Self::Unspecified | Self::Unknown => None,
            Self::Other(other) => Some(other.raw()),
        }
    }

    /// Whether the token endpoint is asked with the client's secret. `None` where that cannot be known.
    #[must_use]
    pub fn uses_secret(&self) -> Option<bool> {
        match self {
            Self::SecretPost | Self::SecretBasic | Self::Unspecified => Some(true),
            Self::None | Self::PrivateKeyJwt | Self::TlsClientAuth | Self::SelfSignedTls => Some(false),
            Self::Unknown | Self::Other(_) => None,
        }
    }
}

/// What the table shows of a client. Never its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSummary {
    /// `client_id`: usually 32 letters and digits, but `tpa_…` and `tpc_…` exist.
    pub client_id: Untrusted,
    /// `name`; empty where it was absent.
    pub name: Untrusted,
    /// `app_type`, an open list; often absent.
    pub app_type: Option<Untrusted>,
    /// `is_first_party`.
    pub is_first_party: Option<bool>,
    /// How it authenticates.
    pub auth: AuthMethod,
    /// `global`: the tenant's own "All Applications" client.
    pub global: bool,
}

/// The words that the dashboard uses for an `app_type`.
#[must_use]
pub fn app_type_label(app_type: Option<&str>) -> &str {
    match app_type {
        Some("native") => "Native",
        Some("spa") => "Single Page App",
        Some("regular_web") => "Regular Web App",
        Some("non_interactive") => "Machine to Machine",
        Some("resource_server") => "Resource Server",
        Some("express_configuration") => "Express Config",
        Some("sso_integration") => "SSO Integration",
        Some(other) => other,
        None => "—",
    }
}

/// A client's settings, for the pane. Every field may be absent; the secret is never among them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What the table shows of it.
    pub summary: ClientSummary,
    /// `tenant`.
    pub tenant: Option<Untrusted>,
    /// `description`.
    pub description: Option<Untrusted>,
    /// `oidc_conformant`.
    pub oidc_conformant: Option<bool>,
    /// `grant_types`.
    pub grant_types: Vec<Untrusted>,
    /// `callbacks`.
    pub callbacks: Vec<Untrusted>,
    /// `allowed_logout_urls`.
    pub logout_urls: Vec<Untrusted>,
    /// `web_origins`.
    pub web_origins: Vec<Untrusted>,
    /// `allowed_origins` (CORS).
    pub allowed_origins: Vec<Untrusted>,
    /// `initiate_login_uri`.
    pub initiate_login_uri: Option<Untrusted>,
    /// `jwt_configuration.alg`: what ID tokens are signed with.
    pub signing_algorithm: Option<Untrusted>,
    /// `jwt_configuration.lifetime_in_seconds` of ID tokens.
    pub id_token_seconds: Option<u64>,
    /// `jwt_configuration.secret_encoded`: whether the secret is base64.
    pub secret_encoded: Option<bool>,
    /// `refresh_token.rotation_type`. It has nothing to do with the client secret.
    pub refresh_rotation: Option<Untrusted>,
    /// `refresh_token.expiration_type`.
    pub refresh_expiration: Option<Untrusted>,
    /// `refresh_token.token_lifetime`, seconds.
    pub refresh_seconds: Option<u64>,
    /// `refresh_token.idle_token_lifetime`, seconds.
    pub refresh_idle_seconds: Option<u64>,
    /// `organization_usage`.
    pub organization_usage: Option<Untrusted>,
    /// `cross_origin_authentication`.
    pub cross_origin: Option<bool>,
    /// `client_metadata`, in the order of the answer; a value that is no text is shown as JSON.
    pub metadata: Vec<(Untrusted, Untrusted)>,
}

impl Client {
    /// Whether ID tokens are signed with the client's secret: `alg` is HS256, or absent, in which case
    /// Auth0 takes HS256 for clients that are not OIDC conformant. (Auth0 docs: signing algorithms.)
    #[must_use]
    pub fn signs_with_secret(&self) -> bool {
        match &self.signing_algorithm {
            Some(algorithm) => algorithm.raw() == "HS256",
            None => self.oidc_conformant == Some(false) && self.uses_id_tokens(),
        }
    }

    fn uses_id_tokens(&self) -> bool {
        self.grant_types.is_empty() || self.grant_types.iter().any(|grant| grant.raw() != "client_credentials")
    }
}

/// Why a client's secret cannot be rotated, or `None` where nothing speaks against it.
/// Source: OAS `post_rotate-secret` ("cannot be used with clients configured with Private Key JWT"), recordings for mTLS.
#[must_use]
pub fn not_rotatable(auth: &AuthMethod) -> Option<&'static str> {
    match auth {
        AuthMethod::PrivateKeyJwt => Some("it signs in with Private Key JWT and has no secret to rotate"),
        AuthMethod::TlsClientAuth | AuthMethod::SelfSignedTls => {
            Some("it signs in with mTLS and has no secret to rotate")
        }
        _ => None,
    }
}

/// What a person should know before this client's secret changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Warning {
    /// ID tokens are signed with the secret.
    SignsWithSecret,
    /// A public client makes no use of a secret.
    Public,
    /// The tenant's global client.
    Global,
    /// rollover itself signs in with this client.
    Ourselves,
    /// How the client authenticates cannot be seen with this token.
    UnknownMethod,
    /// The name mixes scripts whose letters look alike.
    MixedScripts,
}

impl Warning {
    /// One sentence for the question before a change.
    #[must_use]
    pub fn sentence(self) -> &'static str {
        match self {
            Self::SignsWithSecret => {
                "Its ID tokens are signed with this secret (HS256): apps that verify them must switch at the same moment."
            }
            Self::Public => {
                "It is a public client: it has no use for a secret, so rotating it changes nothing for its apps."
            }
            Self::Global => "It is the tenant's global client: whatever uses it can do anything in the tenant.",
            Self::Ourselves => {
                "rollover itself signs in with this client: what it has stored it replaces; AUTH0_CLIENT_SECRET is for you to change."
            }
            Self::UnknownMethod => "Without read:client_keys it cannot be told whether it uses its secret or a key.",
            Self::MixedScripts => "Its name mixes letters of several scripts that look alike: go by the client id.",
        }
    }
}

/// The warnings that apply to `client`; `our_client_id` is the client that rollover signs in with.
#[must_use]
pub fn warnings(client: &Client, our_client_id: Option<&str>) -> Vec<Warning> {
    let summary = &client.summary;
    let mut found = Vec::new();
    if our_client_id == Some(summary.client_id.raw()) {
        found.push(Warning::Ourselves);
    }
    if summary.global {
        found.push(Warning::Global);
    }
    let public_type = matches!(summary.app_type.as_ref().map(Untrusted::raw), Some("spa" | "native"));
    if summary.auth == AuthMethod::None || (public_type && summary.auth.uses_secret() != Some(true)) {
        found.push(Warning::Public);
    }
    if client.signs_with_secret() {
        found.push(Warning::SignsWithSecret);
    }
    if summary.auth == AuthMethod::Unknown {
        found.push(Warning::UnknownMethod);
    }
    if super::untrusted::mixes_scripts(summary.name.raw()) {
        found.push(Warning::MixedScripts);
    }
    found
}
