//! Copying to the clipboard, and taking a secret out of it again.
//!
//! Where there is a display, a helper process of the same binary (`helper_main`) holds the value:
//! X11 and Wayland ask the *owner* of a selection at every paste, so somebody has to stay, and a
//! secret must be cleared even when the program that copied it has quit or was killed. Where there
//! is none, the value is sent to the terminal as OSC 52; there nobody can vouch for the clearing.

/// What can go wrong while copying.
mod error;
/// The process that holds the value, and clears it.
mod helper;
/// What the helper is told, and what it answers.
mod request;
/// Starting the helper.
mod start;
/// OSC 52: the terminal's own clipboard.
mod terminal;
/// Which of several helpers was the last to be started.
mod turn;

use std::ffi::OsString;
use std::io::{self, IsTerminal as _};
use std::time::Duration;

pub use error::ClipboardError;
pub use helper::helper_main;
pub use terminal::clear_terminal;

use request::Request;

use crate::domain::Secret;

/// How long a secret stays in the clipboard.
pub const CLEAR_AFTER: Duration = Duration::from_secs(30);

/// The hidden subcommand that makes this binary the clipboard helper. `main` looks for it before
/// anything else and then does nothing but [`helper_main`].
pub const HELPER_ARGUMENT: &str = "clipboard-helper";

/// Which way a value gets to the clipboard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Route {
    /// X11, Wayland, macOS or Windows, through a helper process.
    Display,
    /// OSC 52, an escape sequence to the terminal.
    Terminal {
        /// Whether tmux stands between us and the terminal.
        tmux: bool,
    },
}

/// A value that was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Which way it went.
    pub route: Route,
    /// When it will be cleared, counted from now. `None`: it stays, or nobody can make sure.
    pub clears_after: Option<Duration>,
    /// What a person should know of that way, one sentence. Safe to print.
    pub notice: Option<String>,
}

/// Chooses the way, from the environment alone:
///
/// 1. Over SSH (`SSH_CONNECTION` or `SSH_TTY` is set) a display counts only if it is forwarded, that
///    is if `DISPLAY` names a host (`localhost:10.0`). A bare `:0`, or a Wayland socket, belongs to
///    the machine we are on and not to the one the user sits at.
/// 2. Elsewhere a display is there if `WAYLAND_DISPLAY` or `DISPLAY` is set; on macOS and Windows,
///    always.
/// 3. Without a display it is the terminal; `TMUX` says whether tmux is in between.
///
/// An empty variable counts as none.
#[must_use]
pub fn choose(environment: &dyn Fn(&str) -> Option<OsString>) -> Route {
    let value = |name: &str| environment(name).filter(|value| !value.is_empty());
    let has_display = if is_remote(environment) {
        value("DISPLAY").is_some_and(|display| names_a_host(&display.to_string_lossy()))
    } else {
        cfg!(any(target_os = "macos", windows)) || value("WAYLAND_DISPLAY").is_some() || value("DISPLAY").is_some()
    };
    if has_display { Route::Display } else { Route::Terminal { tmux: value("TMUX").is_some() } }
}

/// Copies a secret: kept out of clipboard histories by the platform's hint, and cleared after
/// [`CLEAR_AFTER`] if the clipboard still holds it by then.
///
/// `terminal` is where OSC 52 goes. It has to be this process's stdout: nothing is written to it
/// unless stdout is a terminal, lest the value end in a file or a pipe.
///
/// # Errors
///
/// See [`ClipboardError`]. After an error nothing was copied.
pub async fn copy_secret(secret: &Secret, terminal: &mut (impl io::Write + ?Sized)) -> Result<Copied, ClipboardError> {
    copy_secret_for(secret, CLEAR_AFTER, terminal).await
}

/// [`copy_secret`] with another time until the clearing.
///
/// # Errors
///
/// As [`copy_secret`].
pub async fn copy_secret_for(
    secret: &Secret,
    clear_after: Duration,
    terminal: &mut (impl io::Write + ?Sized),
) -> Result<Copied, ClipboardError> {
    copy(secret.expose(), Some(clear_after), terminal).await
}

/// Copies a text that is no secret: offered to clipboard histories, and never cleared.
///
/// # Errors
///
/// As [`copy_secret`].
pub async fn copy_text(text: &str, terminal: &mut (impl io::Write + ?Sized)) -> Result<Copied, ClipboardError> {
    copy(text, None, terminal).await
}

async fn copy(
    text: &str,
    clear_after: Option<Duration>,
    terminal: &mut (impl io::Write + ?Sized),
) -> Result<Copied, ClipboardError> {
    if text.is_empty() {
        return Err(ClipboardError::Empty);
    }
    let route = choose(&from_environment);
    if route != Route::Display {
        return terminal::copy(text, clear_after.is_some(), None, terminal).await;
    }
    match start::helper(&Request::new(text, clear_after)?).await {
        Ok(()) => Ok(Copied { route, clears_after: clear_after, notice: None }),
        Err(error @ ClipboardError::TooLong { .. }) => Err(error),
        Err(error) if io::stdout().is_terminal() => {
            terminal::copy(text, clear_after.is_some(), Some(&error), terminal).await
        }
        Err(error) => Err(error),
    }
}

/// Which way a value would go now, and what stands against it. Copies nothing, and does not ask the display: only copying
/// tells whether that lets us in.
pub async fn look() -> (Route, Option<ClipboardError>) {
    let route = choose(&from_environment);
    let against = if route == Route::Display { None } else { terminal::obstacle().await };
    (route, against)
}

fn from_environment(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

/// Whether the user sits at another machine.
fn is_remote(environment: &dyn Fn(&str) -> Option<OsString>) -> bool {
    ["SSH_CONNECTION", "SSH_TTY"].iter().any(|name| environment(name).is_some_and(|value| !value.is_empty()))
}

/// Whether an X display has a host before its colon. `unix:0` and a socket's path are local.
/// Source: X(7), "Display names".
fn names_a_host(display: &str) -> bool {
    display.split_once(':').is_some_and(|(host, _)| !host.is_empty() && host != "unix" && !host.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Route {
        choose(&|name| {
            variables.iter().find(|(candidate, _)| *candidate == name).map(|(_, value)| OsString::from(value))
        })
    }

    #[test]
    #[cfg(not(any(target_os = "macos", windows)))]
    fn a_local_display_is_used() {
        assert_eq!(chosen(&[("DISPLAY", ":0")]), Route::Display);
        assert_eq!(chosen(&[("WAYLAND_DISPLAY", "wayland-1")]), Route::Display);
        assert_eq!(chosen(&[("DISPLAY", ":0"), ("TMUX", "/tmp/tmux-0/default,1,0")]), Route::Display);
    }

    #[test]
    #[cfg(not(any(target_os = "macos", windows)))]
    fn without_a_display_it_is_the_terminal() {
        assert_eq!(chosen(&[]), Route::Terminal { tmux: false });
        assert_eq!(chosen(&[("DISPLAY", ""), ("WAYLAND_DISPLAY", "")]), Route::Terminal { tmux: false });
        assert_eq!(chosen(&[("TMUX", "/tmp/tmux-0/default,1,0")]), Route::Terminal { tmux: true });
    }

    #[test]
    fn over_ssh_only_a_forwarded_display_counts() {
        for session in [("SSH_CONNECTION", "10.0.0.1 50000 10.0.0.2 22"), ("SSH_TTY", "/dev/pts/3")] {
            assert_eq!(chosen(&[session, ("DISPLAY", "localhost:10.0")]), Route::Display);
            for local in [":0", "unix:0", "/tmp/launch-x/org.xquartz:0"] {
                assert_eq!(chosen(&[session, ("DISPLAY", local)]), Route::Terminal { tmux: false }, "{local}");
            }
            assert_eq!(chosen(&[session, ("WAYLAND_DISPLAY", "wayland-0")]), Route::Terminal { tmux: false });
            assert_eq!(chosen(&[session, ("TMUX", "x")]), Route::Terminal { tmux: true });
        }
    }
}
