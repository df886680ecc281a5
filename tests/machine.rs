//! The procedures as a state machine: whatever fails, whoever interferes and whenever the program dies, what must hold holds.
//!
//! `ROLLOVER_CASES` says how many cases each test runs; `tests/machine.sh` runs as many as must hold before a change lands.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "how much was played is what these tests are worth")]

#[path = "machine/bench.rs"]
mod bench;
#[path = "machine/moves.rs"]
mod moves;
#[path = "machine/operators.rs"]
mod operators;
#[path = "machine/oracle.rs"]
mod oracle;
#[path = "machine/real.rs"]
mod real;
#[path = "machine/small.rs"]
mod small;
#[path = "machine/walk.rs"]
mod walk;

/// How many cases a test runs.
fn cases(otherwise: u32) -> u32 {
    std::env::var("ROLLOVER_CASES").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

/// What the cases follow from: the same ones each time, unless a seed is given.
fn seed(number: u64) -> proptest::test_runner::RngSeed {
    let given = std::env::var("ROLLOVER_SEED").ok().and_then(|text| text.parse::<u64>().ok()).unwrap_or(1);
    proptest::test_runner::RngSeed::Fixed(given.wrapping_mul(1_000).wrapping_add(number))
}
