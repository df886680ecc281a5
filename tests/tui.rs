//! The whole interface, keys in and screen out, on a real pretend tenant over real HTTP.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "harness/app.rs"]
mod app;
#[path = "tui/clients.rs"]
mod clients;
#[path = "tui/doubt.rs"]
mod doubt;
#[path = "tui/hostile.rs"]
mod hostile;
#[path = "tui/lock.rs"]
mod lock;
#[path = "tui/moments.rs"]
mod moments;
#[path = "tui/pane.rs"]
mod pane;
#[path = "tui/rollover.rs"]
mod rollover;
#[path = "tui/rotating.rs"]
mod rotating;
#[path = "tui/states.rs"]
mod states;
#[path = "tui/targets.rs"]
mod targets;
#[path = "tui/tenants.rs"]
mod tenants;

use std::time::Duration;

use ::rollover::sim::{self, Options, Running, Scenario};

/// The sizes that every screen must work in.
const SIZES: [(u16, u16); 2] = [(80, 24), (120, 36)];

/// The demo tenant. An old secret dies at once: no test has to wait for that.
async fn tenant() -> Running {
    sim::start(Options { propagation: Duration::ZERO, ..Options::default() }).await.expect("a pretend tenant")
}

/// A tenant with so many generated clients.
async fn numbered(clients: usize) -> Running {
    let tenant = sim::Population::Generated { clients, seed: 1 };
    sim::start(Options { propagation: Duration::ZERO, tenant, ..Options::default() }).await.expect("a pretend tenant")
}

/// The demo tenant with faults.
async fn faulty(scenario: &str) -> Running {
    let scenario = Some(Scenario::from_toml(scenario).expect("a scenario"));
    let options = Options { propagation: Duration::ZERO, scenario, ..Options::default() };
    sim::start(options).await.expect("a pretend tenant")
}

/// The demo tenant's client "Billing API".
const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";

/// The demo tenant's client that signs in with its private key.
const KEYED: &str = "Lm4yPv7RxT2kZbWq9cNd6JgFhS1eUo8A";

/// Asserts a screen against its snapshot, one for each size.
macro_rules! assert_screen {
    ($app:expr, $name:literal, $size:expr) => {
        insta::with_settings!({ snapshot_path => "snapshots", prepend_module_to_snapshot => false, omit_expression => true }, {
            insta::assert_snapshot!(format!("{}-{}x{}", $name, $size.0, $size.1), $app.screen());
        });
    };
}
pub(crate) use assert_screen;
