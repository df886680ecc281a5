//! A pretend Auth0 tenant on loopback: for the demo, for tests, and for whoever wants to try a script without a tenant.
//!
//! It shares no type with the API client: a server that used its client's types would agree with its client's bugs. Its
//! judges are Auth0's own SDKs (`tests/sdks.sh`). Sources of what it does: Auth0's OpenAPI document of the Management API
//! (June 2026), its documentation of the token endpoint and of rate limits, its schemas of log events, and recordings of real
//! tenants in the test data of Auth0's own SDKs.

/// Who may do what: tokens, scopes.
mod access;
/// `/api/v2/clients`.
mod clients;
/// Serving connections, and breaking them where a fault says so.
mod connection;
/// Faults from a scenario file.
pub mod fault;
/// Which fields of a client a caller sees, and which a change may hold.
mod fields;
/// Rate limits.
mod limits;
/// The tenant's log.
mod logs;
/// Credentials, grants and the tenant's settings.
mod others;
/// The clients that the tenant begins with.
mod population;
/// From a request to an answer.
mod routes;
/// Everything the tenant knows.
mod tenant;
/// Certificates for https.
mod tls;
/// `/oauth/token`.
mod token;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

pub use fault::{Scenario, ScenarioError};
pub use limits::Plan;
pub use population::Population;
pub use tenant::Recorded;
pub use tls::TlsOptions;

use tenant::Tenant;

/// The scopes of the token in the first line, and of the client there.
pub const ALL_SCOPES: &str = "read:clients update:clients create:clients delete:clients read:client_keys update:client_keys \
read:client_summary read:client_credentials read:logs read:client_grants read:tenant_settings";

/// How the pretend tenant behaves.
#[derive(Debug)]
pub struct Options {
    /// Where it listens; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The clients it begins with.
    pub tenant: Population,
    /// What goes wrong.
    pub scenario: Option<Scenario>,
    /// Its rate limits.
    pub plan: Plan,
    /// How long `/oauth/token` goes on accepting an old secret. At Auth0 up to 30 s.
    pub propagation: Duration,
    /// How long every answer takes.
    pub latency: Duration,
    /// Serve https.
    pub tls: Option<TlsOptions>,
    /// How long its tokens live.
    pub token_lifetime: Duration,
    /// The clients that may manage the tenant, beside its own.
    pub grants: Vec<String>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            tenant: Population::Demo,
            scenario: None,
            plan: Plan::Unlimited,
            propagation: Duration::from_secs(3),
            latency: Duration::ZERO,
            tls: None,
            token_lifetime: Duration::from_hours(24),
            grants: Vec::new(),
        }
    }
}

/// Why the pretend tenant could not start.
#[derive(Debug)]
pub enum StartError {
    /// It cannot listen there.
    Listen(SocketAddr, io::Error),
    /// The certificate cannot be made or read.
    Certificate(String),
}

impl std::fmt::Display for StartError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Listen(address, error) => write!(f, "cannot listen on {address}: {error}"),
            Self::Certificate(why) => write!(f, "cannot serve https: {why}"),
        }
    }
}

impl std::error::Error for StartError {}

/// A pretend tenant that runs. It stops when this is dropped.
pub struct Running {
    url: String,
    token: String,
    ca_file: Option<PathBuf>,
    tenant: Arc<Tenant>,
    server: AbortHandle,
}

/// Starts a pretend tenant on the current runtime.
///
/// # Errors
/// Where it cannot listen, or cannot make or read its certificate.
pub async fn start(options: Options) -> Result<Running, StartError> {
    let listener =
        TcpListener::bind(options.listen).await.map_err(|error| StartError::Listen(options.listen, error))?;
    let address = listener.local_addr().map_err(|error| StartError::Listen(options.listen, error))?;
    let (acceptor, ca_file) = match &options.tls {
        Some(tls) => {
            let (acceptor, ca_file) = tls::acceptor(tls).map_err(StartError::Certificate)?;
            (Some(acceptor), ca_file)
        }
        None => (None, None),
    };
    let url =
        if acceptor.is_some() { format!("https://localhost:{}", address.port()) } else { format!("http://{address}") };
    let tenant = Arc::new(Tenant::new(options, &url));
    let token = tenant.access.mint(tenant.manager_id(), ALL_SCOPES, &format!("{url}/api/v2/"), tenant.token_lifetime);
    let server = tokio::spawn(connection::serve(listener, acceptor, Arc::clone(&tenant))).abort_handle();
    Ok(Running { url, token, ca_file, tenant, server })
}

impl Running {
    /// Where it is: `http://127.0.0.1:PORT`, or `https://localhost:PORT`.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A Management API token with all scopes that matter here.
    #[must_use]
    pub fn token(&self) -> &str {
        &self.token
    }

    /// A machine-to-machine client that may manage the tenant.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.tenant.manager_id()
    }

    /// That client's secret as it was at the start.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        self.tenant.manager_secret()
    }

    /// The certificate authority that a client must trust, with TLS.
    #[must_use]
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }

    /// The first line of `rollover sim`.
    #[must_use]
    pub fn first_line(&self) -> String {
        let mut line = json!({
            "url": self.url, "token": self.token, "client_id": self.client_id(), "client_secret": self.client_secret()
        });
        if let Some(path) = &self.ca_file {
            line["ca_file"] = json!(path);
        }
        line.to_string()
    }

    /// A token with just these scopes.
    #[must_use]
    pub fn mint_token(&self, scopes: &str, lifetime: Duration) -> String {
        self.tenant.access.mint(self.client_id(), scopes, &format!("{}/api/v2/", self.url), lifetime)
    }

    /// Every request so far, in the order of arrival; the oldest are forgotten after 100,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Recorded> {
        self.tenant.requests()
    }

    /// The same without the first so many, of those that are not forgotten.
    #[must_use]
    pub fn requests_after(&self, count: usize) -> Vec<Recorded> {
        self.tenant.requests_after(count)
    }

    /// The secret that is live for a client.
    #[must_use]
    pub fn secret_of(&self, client_id: &str) -> Option<String> {
        self.tenant.secret_of(client_id)
    }

    /// Every client's live secret: what must be found nowhere that it was not asked for.
    #[must_use]
    pub fn secrets(&self) -> Vec<String> {
        self.tenant.secrets()
    }

    /// Other faults from now on; each counts from the beginning.
    pub fn play(&self, scenario: Scenario) {
        self.tenant.faults.play(scenario);
    }

    /// Every secret of a client that became live since the start, in order, but for the one it began with.
    #[must_use]
    pub fn history(&self, client_id: &str) -> Vec<String> {
        self.tenant.history(client_id)
    }

    /// Somebody else rotates the client's secret now.
    pub fn act_as_other(&self, client_id: &str) {
        self.tenant.rotate_as_other(client_id);
    }

    /// Somebody else makes this the client's secret now.
    pub fn set_as_other(&self, client_id: &str, secret: &str) {
        self.tenant.set_as_other(client_id, secret.into());
    }

    /// The private key, PEM, of the demo tenant's client that signs in with one.
    #[must_use]
    pub fn private_key(&self) -> Option<(&str, &str)> {
        self.tenant.private_key()
    }
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Running({})", self.url)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.server.abort();
        self.tenant.close();
    }
}
