//! Every command as a process: output, exit codes, errors.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "harness/certificates.rs"]
mod certificates;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/network.rs"]
mod network;
#[path = "cli/print.rs"]
mod print;
#[path = "harness/process.rs"]
mod process;
#[path = "harness/proxy.rs"]
mod proxy;
#[path = "cli/read.rs"]
mod read;
#[path = "cli/rotate.rs"]
mod rotate;
#[path = "cli/sim.rs"]
mod sim;

/// The demo tenant's client "Billing API".
const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";
