//! Every command as a process: output, exit codes, errors.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "harness/certificates.rs"]
mod certificates;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/expiry.rs"]
mod expiry;
#[path = "cli/login.rs"]
mod login;
#[path = "cli/network.rs"]
mod network;
#[cfg(unix)]
#[path = "cli/own.rs"]
mod own;
#[path = "cli/print.rs"]
mod print;
#[path = "harness/process.rs"]
mod process;
#[path = "harness/proxy.rs"]
mod proxy;
#[cfg(unix)]
#[path = "harness/pty.rs"]
#[expect(dead_code, reason = "the other half of it is for the interface's tests")]
mod pty;
#[path = "cli/read.rs"]
mod read;
#[path = "cli/refused.rs"]
mod refused;
#[path = "cli/rollover.rs"]
mod rollover;
#[path = "cli/rotate.rs"]
mod rotate;
#[path = "harness/sealed.rs"]
#[cfg_attr(not(unix), expect(dead_code, reason = "not all of it is needed without a terminal"))]
mod sealed;
#[path = "cli/select.rs"]
mod select;
#[path = "cli/sim.rs"]
mod sim;
#[cfg(unix)]
#[path = "cli/stored.rs"]
mod stored;
#[path = "cli/target.rs"]
mod target;

/// The demo tenant's client "Billing API".
const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";
/// The demo tenant's client "Checkout".
const CHECKOUT: &str = "Zc7Rj1MvK9xTqE5bNo3WlHyU8dFp2GsA";
/// The demo tenant's client "Payments Gateway", which signs in with its private key.
const KEYED: &str = "Lm4yPv7RxT2kZbWq9cNd6JgFhS1eUo8A";

/// Waits until something holds.
#[cfg(unix)]
fn until(mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(30);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "it never came");
        std::thread::yield_now();
    }
}
