//! Talking to Auth0: the Management API and the token endpoint.

/// From an answer that is no success to an [`Error`].
mod answer;
/// What a token says of itself.
mod claims;
/// Reading and rotating one client.
mod clients;
/// What can go wrong, in words that say what to do.
pub mod error;
/// JSON as it comes, not as it is documented.
mod lenient;
/// What the tenant's log tells of changed secrets.
mod logs;
/// Staying under the rate limit, and the pause before another try.
mod pace;
/// Listing clients.
mod pages;
/// Asking the token endpoint what it thinks of a secret.
mod probe;
/// Which proxy requests go through, and who names it.
mod proxy;
/// Whether the tenant can be reached, and how.
mod reach;
/// Signing in for the first time, and what a tenant says of itself.
mod settings;
/// Which fields may be asked for.
mod sight;
/// Getting and renewing tokens.
mod token;
/// One request and its answer, within limits of time and size.
mod transport;
/// Why no connection was made, and what to try.
mod unreachable;

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::watch;

pub use clients::SecretRead;
pub use error::{Applied, Error, ErrorKind};
pub use logs::SecretChange;
pub use pace::{Pace, Waiting};
pub use pages::{Page, Pages};
pub use proxy::Proxy;
pub use reach::Reach;

use crate::domain::{AssertionAlgorithm, Domain, Scopes, Secret};
use pace::Pacer;
use token::TokenSource;
use transport::Transport;

/// Where the tenant is and how to sign in.
pub struct Connection {
    /// Its address.
    pub domain: Domain,
    /// The audience of its Management API, where it is not the usual one: behind a custom domain.
    pub audience: Option<String>,
    /// How to sign in.
    pub credentials: Credentials,
    /// More certificate authorities to trust, beside the platform's: a PEM file.
    pub ca_file: Option<PathBuf>,
    /// How many requests may go out at once before the first answer tells, where that is known.
    pub burst: Option<u32>,
    /// Whether every change is refused here, before anything is sent: whatever asks for it, and whatever it forgot to look at.
    pub read_only: bool,
    /// Who is told when the client that signs in gets another secret.
    pub keeper: Option<Arc<dyn Keeper>>,
}

impl Connection {
    /// With the usual audience, the platform's trust roots, and nobody to tell.
    #[must_use]
    pub fn new(domain: Domain, credentials: Credentials) -> Self {
        Self { domain, audience: None, credentials, ca_file: None, burst: None, read_only: false, keeper: None }
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection")
            .field("domain", &self.domain)
            .field("audience", &self.audience)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

/// Keeps the secret that rollover itself signs in with, where it is stored: when that very client is rotated, the stored one
/// must be replaced before anybody sees the new one, or the next start is locked out.
pub trait Keeper: Send + Sync {
    /// Stores the new secret durably, and the one before beside it: during propagation either may be the one that is accepted.
    /// Called on a thread that may block.
    ///
    /// # Errors
    /// A sentence for a person, without any secret.
    fn keep(&self, new: &Arc<Secret>, before: Option<&Arc<Secret>>) -> Result<(), String>;
}

/// How to sign in.
#[derive(Debug)]
pub enum Credentials {
    /// With a token that is there already.
    Token(Arc<Secret>),
    /// As a machine-to-machine client with its secret.
    ClientSecret {
        /// The client's id.
        client_id: String,
        /// The client's secret.
        secret: Arc<Secret>,
        /// The secret before it, where it was rotated not long ago: during propagation it may be the one that is accepted.
        previous: Option<Arc<Secret>>,
    },
    /// As a machine-to-machine client with its private key. Source: Auth0 docs, authenticate with private key JWT.
    PrivateKeyJwt {
        /// The client's id.
        client_id: String,
        /// The private key, PEM.
        key_pem: Arc<Secret>,
        /// What the assertion is signed with.
        algorithm: AssertionAlgorithm,
    },
}

/// What is known of the token in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// What it may do, by its own claim.
    pub scopes: Scopes,
    /// When it expires: seconds since 1970, by its own claim.
    pub expires_at: Option<i64>,
    /// Whether another one can be had when it expires.
    pub renews: bool,
    /// The client that it was issued to.
    pub our_client_id: Option<String>,
    /// The proxy that requests go through, without its credentials.
    pub proxy: Option<String>,
}

/// A tenant's API. Clones share the token, the connections and the rate limit.
#[derive(Clone)]
pub struct Api(Arc<Inner>);

struct Inner {
    domain: Domain,
    transport: Transport,
    token: TokenSource,
    pacer: Pacer,
    read_only: bool,
    keeper: Option<Arc<dyn Keeper>>,
}

impl Api {
    /// Makes one ready; nothing is sent yet.
    ///
    /// # Errors
    /// Where the private key cannot be read.
    pub fn new(connection: Connection) -> Result<Self, Error> {
        let Connection { domain, audience, credentials, ca_file, burst, read_only, keeper } = connection;
        let audience = audience.unwrap_or_else(|| domain.management_audience());
        let transport = Transport::new(&domain, ca_file);
        let token = TokenSource::new(&domain, audience, credentials)?;
        Ok(Self(Arc::new(Inner { domain, transport, token, pacer: Pacer::new(burst), read_only, keeper })))
    }

    /// The tenant's address.
    #[must_use]
    pub fn domain(&self) -> &Domain {
        &self.0.domain
    }

    /// What is known of the token; gets one if there is none yet.
    ///
    /// # Errors
    /// Where no token can be had.
    pub async fn session(&self) -> Result<Session, Error> {
        let token = self.0.token.get(&self.0.transport).await?;
        Ok(Session {
            scopes: token.claims.scope.as_deref().map_or_else(Scopes::unknown, Scopes::from_claim),
            expires_at: token.claims.exp,
            renews: self.0.token.renews(),
            our_client_id: self.0.token.client_id().map(str::to_owned).or_else(|| token.claims.client_id()),
            proxy: self.0.transport.proxy().map(|proxy| proxy.address.clone()),
        })
    }

    /// Whether another token is got by itself before this one expires. One that was given cannot be.
    #[must_use]
    pub fn renews(&self) -> bool {
        self.0.token.renews()
    }

    /// The proxy that requests go through.
    #[must_use]
    pub fn proxy(&self) -> Option<&Proxy> {
        self.0.transport.proxy()
    }

    /// Whether requests wait for the rate limit at the moment, and for how long.
    #[must_use]
    pub fn pace(&self) -> watch::Receiver<Pace> {
        self.0.pacer.watch()
    }
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Api({})", self.0.domain)
    }
}
