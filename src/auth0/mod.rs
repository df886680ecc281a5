//! Talking to Auth0: the Management API and the token endpoint.

/// What can go wrong, in words that say what to do.
pub mod error;

pub use error::{Error, ErrorKind};
