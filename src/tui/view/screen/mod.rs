/// A secret that is needed to open a tenant.
pub mod ask_secret;
/// What the settings show of a rollover.
mod changes;
/// The table of clients.
pub mod clients;
/// What works here and what does not.
pub mod doctor;
/// Keys, and the page about the fallback.
pub mod help;
/// One job: a rotation, or another change.
pub mod job;
/// Every action by name.
pub mod palette;
/// A client's settings.
pub mod pane;
/// How far a rollover has come, as settings and pages show it.
pub mod progress;
/// Questions.
pub mod question;
/// One rollover.
pub mod record;
/// All rollovers.
pub mod rollovers;
/// Connecting a tenant.
pub mod sign_in;
/// Going to another tenant.
pub mod switcher;
/// Targets: the list, the form.
pub mod target_form;
/// Which way a secret is changed.
pub mod way;
/// The first screen.
pub mod welcome;
