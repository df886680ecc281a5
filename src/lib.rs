//! rollover changes the client secrets of Auth0 applications from the terminal.
//!
//! Dependencies point down: a module may use what is listed before it, never what comes after.
//! `tests/layers.rs` reads every `use crate::…` and fails on an upward arrow.

/// Pure words of the trade: clients, secrets, fingerprints, scopes, untrusted text. No I/O.
pub mod domain;

/// What the operating system must do for us first: no core dumps, no readable memory.
pub mod process;

/// Files that only their owner may read, replaced as a whole.
pub mod files;

/// Talking to Auth0 over HTTP: the Management API and the token endpoint.
pub mod auth0;

/// The clipboard, and the helper process that serves and clears it.
pub mod clipboard;

/// The durable record of every rollover, its secrets sealed.
pub mod ledger;

/// The places from which a client's apps read its secret: files and commands.
pub mod targets;

/// The procedures that both front ends run: rotate now, settle a doubt, verify.
pub mod rollover;

/// Which tenant and which credentials: configuration file and environment.
pub mod tenants;

/// A look around before the work: what works here, what does not, and where each setting came from.
pub mod preflight;

/// A pretend Auth0 tenant on loopback, with faults. Shares no type with `auth0`.
pub mod sim;

/// The terminal interface: a pure core, a view, and a runner.
pub mod tui;

/// The command line: one file per command.
pub mod cli;
