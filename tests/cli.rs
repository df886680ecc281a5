//! Every command as a process: output, exit codes, errors.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "cli/errors.rs"]
mod errors;
#[path = "cli/print.rs"]
mod print;
#[path = "harness/process.rs"]
mod process;
#[path = "cli/read.rs"]
mod read;
#[path = "cli/rotate.rs"]
mod rotate;
#[path = "cli/sim.rs"]
mod sim;

/// The demo tenant's client "Billing API".
const BILLING: &str = "Qm2vXz8KpL4nRt7YwB1cFj6HsD9gUe3A";
