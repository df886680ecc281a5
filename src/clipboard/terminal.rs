use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::process::Command;
use zeroize::Zeroizing;

use super::{ClipboardError, Copied, Route, from_environment};
use crate::domain::Untrusted;

/// The most bytes sent as OSC 52. Terminals differ and do not say; 100,000 characters for the whole
/// sequence is the smallest limit of a terminal in use (hterm), tmux stops at 1 MiB.
const LIMIT: usize = 74_991;

/// GNU screen drops a device control string longer than 768 bytes; older ones, longer than 256.
const SCREEN_PIECE: usize = 240;

/// Sends `text` to the terminal's clipboard. `after` is why the display did not take it.
pub(super) async fn copy(
    text: &str,
    is_secret: bool,
    after: Option<&ClipboardError>,
    terminal: &mut (impl Write + ?Sized),
) -> Result<Copied, ClipboardError> {
    if let Some(obstacle) = obstacle().await {
        return Err(obstacle);
    }
    let between = Between::of(&from_environment);
    send(text, between, terminal)?;
    Ok(Copied {
        route: Route::Terminal { tmux: between == Between::Tmux },
        clears_after: None,
        notice: Some(notice(is_secret, between, after)),
    })
}

/// Why the terminal would not get a value, where that is known beforehand.
pub(super) async fn obstacle() -> Option<ClipboardError> {
    if !io::stdout().is_terminal() {
        return Some(ClipboardError::NoTerminal);
    }
    if Between::of(&from_environment) != Between::Tmux {
        return None;
    }
    let setting = tmux_set_clipboard().await.filter(|setting| setting != "on")?;
    Some(ClipboardError::TmuxRefuses(Untrusted::from(setting)))
}

/// Takes what we copied out of the terminal's clipboard, as well as that can be done.
///
/// Nobody answers, so nobody knows whether it was done; and it empties the clipboard whatever it
/// holds by now. tmux ignores an empty value, so there a space is sent instead, which replaces the
/// value in the clipboard of the terminal around it; in tmux's own list of buffers it remains
/// (`tmux delete-buffer` removes it). Nothing is written unless stdout is a terminal.
pub fn clear_terminal(terminal: &mut dyn Write) {
    if io::stdout().is_terminal() {
        let between = Between::of(&from_environment);
        let _ = terminal.write_all(&sequence(between.emptiest(), between)).and_then(|()| terminal.flush());
    }
}

/// What stands between us and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Between {
    Nothing,
    Tmux,
    Screen,
}

impl Between {
    fn of(environment: &dyn Fn(&str) -> Option<OsString>) -> Self {
        // With one inside the other both are set, and nothing tells which is the nearer. tmux is
        // the more likely, and its `set-clipboard` says no where it is not.
        let is_set = |name: &str| environment(name).is_some_and(|value| !value.is_empty());
        match (is_set("TMUX"), is_set("STY")) {
            (true, _) => Self::Tmux,
            (false, true) => Self::Screen,
            (false, false) => Self::Nothing,
        }
    }

    /// The value that clears best.
    const fn emptiest(self) -> &'static str {
        match self {
            Self::Tmux => " ",
            Self::Nothing | Self::Screen => "",
        }
    }
}

fn send(text: &str, between: Between, terminal: &mut (impl Write + ?Sized)) -> Result<(), ClipboardError> {
    if text.len() > LIMIT {
        return Err(ClipboardError::TooLong { bytes: text.len(), limit: LIMIT });
    }
    terminal.write_all(&sequence(text, between)).and_then(|()| terminal.flush()).map_err(ClipboardError::Terminal)
}

/// OSC 52 with the clipboard (`c`) as its destination. Written here rather than by crossterm, whose
/// command leaves the value's base64 unwiped in memory and knows no GNU screen.
/// Source: xterm control sequences, "Operating System Commands", `Ps = 5 2`.
fn sequence(text: &str, between: Between) -> Zeroizing<Vec<u8>> {
    let mut encoded = Zeroizing::new(vec![0; text.len().div_ceil(3) * 4]);
    let length = STANDARD.encode_slice(text, &mut encoded).unwrap_or_default();
    let encoded = &encoded[..length];
    let pieces = encoded.len().div_ceil(SCREEN_PIECE) + 1;
    let mut bytes = Zeroizing::new(Vec::with_capacity(encoded.len() + 16 + 4 * pieces));
    if between == Between::Screen {
        // screen passes the inside of a device control string to its terminal. BEL ends the inner
        // sequence, for ST would end the outer one.
        bytes.extend_from_slice(b"\x1bP\x1b]52;c;");
        for (position, piece) in encoded.chunks(SCREEN_PIECE).enumerate() {
            if position > 0 {
                bytes.extend_from_slice(b"\x1b\\\x1bP");
            }
            bytes.extend_from_slice(piece);
        }
        bytes.extend_from_slice(b"\x07\x1b\\");
    } else {
        bytes.extend_from_slice(b"\x1b]52;c;");
        bytes.extend_from_slice(encoded);
        bytes.extend_from_slice(b"\x1b\\");
    }
    bytes
}

fn notice(is_secret: bool, between: Between, after: Option<&ClipboardError>) -> String {
    let mut notice = String::new();
    if let Some(error) = after {
        notice = format!("Not to the display's: {error}. ");
    }
    notice.push_str("The terminal does not say whether it took it");
    if is_secret {
        notice.push_str(match between {
            Between::Tmux => "; it and tmux may keep a copy, and clearing cannot be verified",
            Between::Nothing | Between::Screen => "; it may keep a copy, and clearing cannot be verified",
        });
    }
    notice.push('.');
    notice
}

/// What tmux does with OSC 52 from a program inside it: `on` takes it and passes it on, `external`
/// (its default) and `off` drop it without a word. `None` if it does not say.
/// Source: tmux(1), `set-clipboard`.
async fn tmux_set_clipboard() -> Option<String> {
    const PATIENCE: Duration = Duration::from_secs(1);
    let mut command = Command::new("tmux");
    command.args(["show-options", "-s", "-v", "set-clipboard"]);
    command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let output = tokio::time::timeout(PATIENCE, command.output()).await.ok()?.ok()?;
    let setting = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (output.status.success() && !setting.is_empty()).then_some(setting)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: [Between; 3] = [Between::Nothing, Between::Tmux, Between::Screen];

    /// What a terminal makes of the bytes: GNU screen's wrapping is taken off first.
    fn decoded(bytes: &[u8], between: Between) -> String {
        let mut text = String::from_utf8(bytes.to_vec()).unwrap();
        if between == Between::Screen {
            let inside = text.strip_prefix("\x1bP").unwrap().strip_suffix("\x1b\\").unwrap();
            let pieces: Vec<_> = inside.split("\x1b\\\x1bP").collect();
            assert!(pieces.iter().all(|piece| piece.len() <= 256), "a piece too long for screen");
            text = pieces.concat();
        }
        let end = if between == Between::Screen { "\x07" } else { "\x1b\\" };
        let encoded = text.strip_prefix("\x1b]52;c;").unwrap().strip_suffix(end).unwrap();
        String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap()
    }

    #[test]
    fn the_terminal_gets_what_was_copied() {
        for between in EVERY {
            for text in ["a", "ab", "abc", "p\x1b]52;c;x\x07", "\u{1f980}\n", &"long ".repeat(500)] {
                let mut bytes = Vec::new();
                send(text, between, &mut bytes).unwrap();
                assert_eq!(decoded(&bytes, between), text, "{between:?}");
            }
        }
    }

    #[test]
    fn clearing_sends_nothing_or_a_space() {
        assert_eq!(sequence(Between::Nothing.emptiest(), Between::Nothing).as_slice(), b"\x1b]52;c;\x1b\\");
        assert_eq!(decoded(&sequence(Between::Tmux.emptiest(), Between::Tmux), Between::Tmux), " ");
    }

    #[test]
    fn what_a_terminal_may_cut_short_is_not_sent() {
        let mut bytes = Vec::new();
        send(&"x".repeat(LIMIT), Between::Nothing, &mut bytes).unwrap();
        assert!(bytes.len() <= 100_000, "{}", bytes.len());
        bytes.clear();
        let refused = send(&"x".repeat(LIMIT + 1), Between::Nothing, &mut bytes).unwrap_err();
        assert!(matches!(refused, ClipboardError::TooLong { .. }) && bytes.is_empty());
    }

    #[test]
    fn the_nearest_program_is_found_from_its_variable() {
        let between = |set: &[&str]| Between::of(&|name| set.contains(&name).then(|| OsString::from("x")));
        assert_eq!(between(&[]), Between::Nothing);
        assert_eq!(between(&["TMUX"]), Between::Tmux);
        assert_eq!(between(&["STY"]), Between::Screen);
        assert_eq!(between(&["STY", "TMUX"]), Between::Tmux);
    }

    #[test]
    fn the_notice_says_what_nobody_can_promise() {
        for between in EVERY {
            let secret = notice(true, between, None);
            assert!(secret.contains("may keep a copy") && secret.contains("cannot be verified"), "{secret}");
            assert!(!notice(false, between, None).contains("keep"));
            let after = notice(true, between, Some(&ClipboardError::Display("no X".into())));
            assert!(after.starts_with("Not to the display's: the display's clipboard refused: no X. The"), "{after}");
        }
    }
}
