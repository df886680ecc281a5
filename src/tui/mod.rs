//! The terminal interface: a pure core (`app`), a view that draws it, and a runner that does what the
//! core asks for.

/// The pure core: state, events, effects, and the keys.
pub mod app;
/// From crossterm's events to ours; the only file that names them.
pub mod input;
/// Runs effects as tasks and feeds what they report back; the only file that spawns.
pub mod runner;
/// Signals that concern the terminal.
mod signals;
/// Raw mode, alternate screen, signals, and handing the terminal back whatever happens.
pub mod terminal;
/// The only file that names colours.
pub mod theme;
/// Draws the state.
pub mod view;

pub use terminal::{Start, StartTenant, run};
