/// A secret that is needed to open a tenant.
pub mod ask_secret;
/// The table of clients.
pub mod clients;
/// What works here and what does not.
pub mod doctor;
/// Keys.
pub mod help;
/// Every action by name.
pub mod palette;
/// A client's settings.
pub mod pane;
/// Questions.
pub mod question;
/// One rotation, and the list of them.
pub mod rotation;
/// Connecting a tenant.
pub mod sign_in;
/// Going to another tenant.
pub mod switcher;
/// The first screen.
pub mod welcome;
