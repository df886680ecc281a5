//! Pure words of the trade. Nothing here reads a clock, a file, the environment or a socket.
#![deny(clippy::disallowed_methods, clippy::disallowed_types)]

/// Compact storage for a tenant's many clients.
pub mod catalog;
/// An Auth0 client: its summary in a list and its settings in full.
pub mod client;
/// Short keyed hashes of secrets, safe to show.
pub mod fingerprint;
/// What a look around before the work finds.
pub mod preflight;
/// A tenant as the user knows it: how to sign in, what it is for.
pub mod profile;
/// The states of a rollover, and which may follow which.
pub mod rollover;
/// What a rotation is made of, and what can come of it.
pub mod rotation;
/// Token scopes, and what they permit.
pub mod scopes;
/// The type of every secret.
pub mod secret;
/// What is offered, needed and found on the way in.
pub mod sign_in;
/// Where a client's apps read its secret.
pub mod target;
/// The address of a tenant.
pub mod tenant;
/// Text that came from outside, and its safe form.
pub mod untrusted;

pub use catalog::Catalog;
pub use client::{AuthMethod, Client, ClientSummary};
pub use fingerprint::{ContentHash, Fingerprint, FingerprintKey, SecretPrint};
pub use profile::{AssertionAlgorithm, Colour, Keep, Origin, Profile, RatePlan, Slot, SlotKind, WayIn};
pub use rollover::{Mode, Role, Rollover, RolloverId};
pub use scopes::{Ability, Scopes};
pub use secret::Secret;
pub use sign_in::{Greeting, Needs, OpenFailure, Surroundings};
pub use target::Target;
pub use tenant::{Domain, Environment};
pub use untrusted::Untrusted;
