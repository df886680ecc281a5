use std::fmt;
use std::io;

use crate::domain::Untrusted;

/// Why nothing was copied. It never holds the value.
#[derive(Debug)]
pub enum ClipboardError {
    /// There was nothing to copy. In OSC 52 an empty value would clear the clipboard instead.
    Empty,
    /// The value is longer than this way can carry.
    TooLong {
        /// Its length in bytes.
        bytes: usize,
        /// The most this way takes, in bytes.
        limit: usize,
    },
    /// The helper process could not be started, or ended without an answer.
    Helper(io::Error),
    /// The helper was started, and the display refused.
    Display(Untrusted),
    /// There is no display, and stdout is no terminal.
    NoTerminal,
    /// Writing to the terminal failed.
    Terminal(io::Error),
    /// tmux is set to drop what programs inside it copy. Holds the value of its `set-clipboard`.
    TmuxRefuses(Untrusted),
}

impl fmt::Display for ClipboardError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing to copy"),
            Self::TooLong { bytes, limit } => {
                write!(f, "{bytes} bytes are too many for the clipboard; this way carries {limit}")
            }
            Self::Helper(error) => write!(f, "the clipboard helper failed: {error}"),
            Self::Display(message) => write!(f, "the display's clipboard refused: {}", message.shown()),
            Self::NoTerminal => f.write_str("there is no display to copy to, and the output is not a terminal"),
            Self::Terminal(error) => write!(f, "the terminal could not be written to: {error}"),
            Self::TmuxRefuses(setting) => write!(
                f,
                "tmux would drop it, for its set-clipboard is {}; `tmux set -s set-clipboard on` lets it through",
                setting.shown()
            ),
        }
    }
}

impl std::error::Error for ClipboardError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Helper(error) | Self::Terminal(error) => Some(error),
            _ => None,
        }
    }
}
