//! The pure core of the interface. No clock, file, environment, thread or network is reached from here:
//! the time comes with each event, and what must be done goes out as effects.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

/// What the user can do, as verbs.
pub mod action;
/// What the runner is asked to do.
pub mod effect;
/// What happened.
pub mod event;
/// Fuzzy matching over the catalog.
pub mod filter;
/// Where things stand on a screen of a given size.
pub mod geometry;
/// A secret that is being typed.
pub mod hidden;
/// Procedures under way and done.
pub mod job;
/// Keys, free of any terminal library.
pub mod key;
/// The one table of bindings.
pub mod keymap;
/// Which client an action on a rollover is about, and whether it can be taken now.
pub mod offer;
/// What is known of rollovers.
pub mod records;
/// One module for each screen and each overlay.
pub mod screen;
/// Sorting the catalog.
pub mod sort;
/// Everything that is known at a moment.
pub mod state;
/// From an event to a new state and effects.
pub mod update;

pub use action::Action;
pub use effect::Effect;
pub use event::{Event, Moment, Target};
pub use key::Key;
pub use state::State;
pub use update::update;
