/// The table of clients.
pub mod clients;
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
/// The first screen.
pub mod welcome;
