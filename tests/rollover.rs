//! The procedures against the pretend tenant over real HTTP, with a real ledger and real targets.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "rollover/conflict.rs"]
mod conflict;
#[path = "rollover/doubt.rs"]
mod doubt;
#[path = "rollover/faults.rs"]
mod faults;
#[path = "rollover/late.rs"]
mod late;
#[path = "rollover/now.rs"]
mod now;
#[path = "rollover/steps.rs"]
mod steps;
#[path = "rollover/targets.rs"]
mod targets;
#[path = "rollover/verify.rs"]
mod verify;
#[path = "harness/world.rs"]
mod world;
