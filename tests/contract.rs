//! Every call of the API client and every procedure, against the pretend tenant over real HTTP; where that cannot play what
//! is wanted, against a few lines of TCP.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "harness/certificates.rs"]
mod certificates;
#[path = "contract/list.rs"]
mod list;
#[path = "contract/list_bodies.rs"]
mod list_bodies;
#[path = "contract/pacing.rs"]
mod pacing;
#[path = "contract/probe.rs"]
mod probe;
#[path = "contract/raw.rs"]
mod raw;
#[path = "contract/reach.rs"]
mod reach;
#[path = "contract/redirects.rs"]
mod redirects;
#[path = "contract/retries.rs"]
mod retries;
#[path = "contract/rotate.rs"]
mod rotate;
#[path = "contract/scenarios.rs"]
mod scenarios;
#[path = "contract/secret.rs"]
mod secret;
#[path = "contract/settings.rs"]
mod settings;
#[path = "contract/time.rs"]
mod time;
#[path = "contract/tls.rs"]
mod tls;
#[path = "contract/token.rs"]
mod token;
#[path = "contract/wire.rs"]
mod wire;

use std::sync::Arc;
use std::time::Duration;

use rollover::auth0::{Api, Connection, Credentials, Error};
use rollover::domain::{AuthMethod, ClientSummary, Domain, FingerprintKey, Secret};
use rollover::ledger::Ledger;
use rollover::rollover::{Desk, Patience, Subject, seconds};
use rollover::sim::{self, Options, Population, Recorded, Running, Scenario};

/// The demo tenant's client "Billing API": machine to machine, `client_secret_post`.
const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";
/// The demo tenant's client "Checkout".
const CHECKOUT: &str = "Zc7Rj1MvK9xTqE5bNo3WlHyU8dFp2GsA";
/// The demo tenant's client "Payments Gateway", which signs in with its private key.
const KEYED: &str = "Lm4yPv7RxT2kZbWq9cNd6JgFhS1eUo8A";

/// The first lines of a fault of rotating.
const ROTATE: &str = "[[fault]]\npath = \"/api/v2/clients/*/rotate-secret\"\n";
/// The first lines of a fault of reading clients.
const READ: &str = "[[fault]]\nmethod = \"GET\"\npath = \"/api/v2/clients*\"\n";
/// The first lines of a fault of signing in.
const SIGN_IN: &str = "[[fault]]\npath = \"/oauth/token\"\n";

/// A pretend tenant. An old secret dies at once: no test has to wait for that.
async fn started(options: Options) -> Running {
    sim::start(options).await.expect("a pretend tenant")
}

/// The demo tenant.
async fn demo() -> Running {
    faulty("").await
}

/// The demo tenant with faults.
async fn faulty(scenario: &str) -> Running {
    let scenario = Some(Scenario::from_toml(scenario).unwrap_or_else(|error| panic!("{error}\n{scenario}")));
    started(Options { scenario, propagation: Duration::ZERO, ..Options::default() }).await
}

/// A tenant of so many clients.
fn of_clients(clients: usize) -> Options {
    let tenant = Population::Generated { clients, seed: 7 };
    Options { tenant, propagation: Duration::ZERO, ..Options::default() }
}

fn secret(text: &str) -> Arc<Secret> {
    Arc::new(Secret::new(text.to_owned()))
}

fn connected(url: &str, credentials: Credentials) -> Api {
    let domain = Domain::parse(url).expect("a domain");
    Api::new(Connection::new(domain, credentials)).expect("an API client")
}

/// With a token that is given, and so cannot be renewed.
fn with_token(url: &str, token: &str) -> Api {
    connected(url, Credentials::Token(secret(token)))
}

/// With a token that may do all.
fn api(tenant: &Running) -> Api {
    with_token(tenant.url(), tenant.token())
}

/// With a token of just these scopes.
fn scoped(tenant: &Running, scopes: &str) -> Api {
    with_token(tenant.url(), &tenant.mint_token(scopes, Duration::from_hours(1)))
}

/// With credentials that get tokens, and renew them.
fn signing_in(tenant: &Running) -> Api {
    let client_id = tenant.client_id().to_owned();
    connected(
        tenant.url(),
        Credentials::ClientSecret { client_id, secret: secret(tenant.client_secret()), previous: None },
    )
}

/// What a procedure works with: a ledger that lives as long as this, and patience for nothing.
fn desk(api: Api) -> Desk {
    let (ledger, key) = (Ledger::in_memory().expect("a ledger"), FingerprintKey::new(&[7; 32]));
    let patience = Patience::default().at_most(Duration::ZERO);
    Desk { api, ledger: Arc::new(ledger), key: Arc::new(key), patience, clock: seconds }
}

/// "Billing API", without targets.
fn billing() -> Subject {
    let (client_id, name) = (BILLING.to_owned(), "Billing API".into());
    Subject { client_id, name, auth: AuthMethod::SecretPost, targets: Vec::new() }
}

/// All clients, however many pages they take.
async fn listed(api: &Api) -> Result<Vec<ClientSummary>, Error> {
    let mut pages = api.pages();
    let mut all = Vec::new();
    while let Some(page) = pages.next().await? {
        all.extend(page.clients);
    }
    Ok(all)
}

/// The requests whose path ends like this.
fn requests(tenant: &Running, method: &str, end: &str) -> Vec<Recorded> {
    tenant.requests().into_iter().filter(|request| request.method == method && request.path.ends_with(end)).collect()
}

/// The rotations that arrived, by what they were answered.
fn rotations(tenant: &Running) -> Vec<u16> {
    requests(tenant, "POST", "/rotate-secret").iter().map(|request| request.status).collect()
}

/// What must stand in no error.
fn private(tenant: &Running) -> Vec<String> {
    let mut all = tenant.secrets();
    all.extend([tenant.token().to_owned(), tenant.client_secret().to_owned()]);
    all
}

/// Asserts that an error gives nothing away, however it is printed.
fn assert_discreet(error: &Error, private: &[String]) {
    let said = format!("{error}\n{error:?}\n{error:#?}\n{}", error.hint);
    for text in private {
        assert!(!said.contains(text.as_str()), "an error gives away {text}: {said}");
    }
}
