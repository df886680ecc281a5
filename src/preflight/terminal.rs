use std::ffi::OsString;
use std::io::IsTerminal as _;
use std::time::Duration;

use super::{waited, within};
use crate::clipboard::{self, ClipboardError, Route};
use crate::domain::preflight::{Finding, Topic};

type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// The least that the interface needs, columns and rows.
const SMALLEST: (u16, u16) = (60, 16);

/// What can be asked of stdout itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// It is a terminal.
    pub(super) is_terminal: bool,
    /// Columns and rows.
    pub(super) size: Option<(u16, u16)>,
}

impl Facts {
    pub(super) fn of_stdout() -> Self {
        Self { is_terminal: std::io::stdout().is_terminal(), size: size() }
    }
}

#[cfg(unix)]
fn size() -> Option<(u16, u16)> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

#[cfg(not(unix))]
fn size() -> Option<(u16, u16)> {
    None
}

pub(super) fn look(variables: Variables<'_>, facts: Facts) -> Vec<Finding> {
    let value = |name: &str| {
        let value = variables(name)?.to_string_lossy().into_owned();
        (!value.is_empty()).then_some(value)
    };
    let mut findings = vec![output(facts), kind(value("TERM").as_deref(), facts)];
    findings.push(colours(value("TERM").as_deref(), value("COLORTERM").as_deref(), value("NO_COLOR").is_some()));
    findings.extend(facts.size.map(measure));
    if cfg!(unix) {
        findings.push(locale(["LC_ALL", "LC_CTYPE", "LANG"].iter().find_map(|name| Some((*name, value(name)?)))));
    }
    findings.push(between(&|name| value(name).is_some()));
    findings
}

fn output(facts: Facts) -> Finding {
    let what = if facts.is_terminal { "a terminal" } else { "no terminal: commands write tab-separated values" };
    Finding::ok(Topic::Output, what)
}

fn kind(term: Option<&str>, facts: Facts) -> Finding {
    const MEND: &str = "Set TERM to what the terminal is, such as xterm-256color.";
    // Windows' console has no such variable.
    match term {
        Some("dumb") if facts.is_terminal => {
            Finding::warning(Topic::Kind, "TERM is dumb: no screen can be drawn", MEND)
        }
        None if facts.is_terminal && cfg!(unix) => Finding::warning(Topic::Kind, "TERM is not set", MEND),
        Some(term) => Finding::ok(Topic::Kind, term),
        None => Finding::ok(Topic::Kind, "TERM is not set"),
    }
}

fn colours(term: Option<&str>, colorterm: Option<&str>, refused: bool) -> Finding {
    let what = match (refused, colorterm, term) {
        (true, ..) => "none: NO_COLOR is set",
        (_, Some("truecolor" | "24bit"), _) => "16 million",
        (_, _, Some(term)) if term.contains("256color") || term.contains("direct") => "256",
        _ => "the terminal's own 16",
    };
    Finding::ok(Topic::Colours, what)
}

fn measure((columns, rows): (u16, u16)) -> Finding {
    let what = format!("{columns} × {rows}");
    if columns >= SMALLEST.0 && rows >= SMALLEST.1 {
        return Finding::ok(Topic::Size, what);
    }
    let mend = format!("The interface needs {} columns and {} rows: make the window larger.", SMALLEST.0, SMALLEST.1);
    Finding::warning(Topic::Size, what, mend)
}

/// The first variable that is set decides. Source: POSIX, "Internationalization Variables".
fn locale(found: Option<(&str, String)>) -> Finding {
    const MEND: &str =
        "Set LANG to a locale of UTF-8, such as C.UTF-8: lines and signs are drawn with more than ASCII.";
    let Some((name, value)) = found else {
        return Finding::warning(Topic::Locale, "no locale is set, so not UTF-8", MEND);
    };
    let what = format!("{value} ({name})");
    let plain = value.to_lowercase().replace('-', "");
    if plain.contains("utf8") {
        Finding::ok(Topic::Locale, what)
    } else {
        Finding::warning(Topic::Locale, format!("{what}, not UTF-8"), MEND)
    }
}

fn between(is_set: &dyn Fn(&str) -> bool) -> Finding {
    let known = [
        ("SSH", is_set("SSH_CONNECTION") || is_set("SSH_TTY")),
        ("tmux", is_set("TMUX")),
        ("GNU screen", is_set("STY")),
    ];
    let found: Vec<_> = known.into_iter().filter(|(_, there)| *there).map(|(name, _)| name).collect();
    let what = if found.is_empty() { "nothing that is known of".to_owned() } else { found.join(", ") };
    Finding::ok(Topic::Between, what)
}

pub(super) async fn clipboard(patience: Duration) -> Finding {
    match within(patience, clipboard::look()).await {
        Some((route, against)) => way(route, against.as_ref()),
        None => Finding::warning(Topic::Copying, format!("tmux gave no answer within {}", waited(patience)), ""),
    }
}

fn way(route: Route, against: Option<&ClipboardError>) -> Finding {
    let what = match route {
        Route::Display => "the display's, through a helper that clears it after 30 s",
        Route::Terminal { tmux: true } => "the terminal's, by OSC 52 through tmux",
        Route::Terminal { tmux: false } => "the terminal's, by OSC 52",
    };
    match against {
        None => Finding::ok(Topic::Copying, what),
        // With the output in a pipe, as for a bug report, nothing is wrong with the terminal.
        Some(ClipboardError::NoTerminal) => {
            Finding::ok(Topic::Copying, format!("{what}: there is no display, and the output is no terminal"))
        }
        Some(ClipboardError::TmuxRefuses(setting)) => Finding::warning(
            Topic::Copying,
            format!("{what}, which drops it: its set-clipboard is {}", setting.shown()),
            "Run: tmux set -s set-clipboard on",
        ),
        Some(other) => Finding::warning(Topic::Copying, format!("{what}: {other}"), ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Untrusted;
    use crate::domain::preflight::Standing;

    fn found(topic: Topic, set: &[(&str, &str)], facts: Facts) -> Finding {
        let variables = |name: &str| set.iter().find(|(key, _)| *key == name).map(|(_, value)| OsString::from(value));
        look(&variables, facts).into_iter().find(|one| one.topic == topic).expect("it is looked at")
    }

    const TERMINAL: Facts = Facts { is_terminal: true, size: Some((120, 40)) };
    const PIPE: Facts = Facts { is_terminal: false, size: None };

    #[test]
    #[cfg(unix)]
    fn the_first_variable_of_the_locale_that_is_set_decides() {
        for (set, standing) in [
            (&[("LANG", "C.UTF-8")][..], Standing::Ok),
            (&[("LANG", "de_DE.utf8")], Standing::Ok),
            (&[("LC_CTYPE", "en_GB.UTF-8"), ("LANG", "C")], Standing::Ok),
            (&[("LC_ALL", "C"), ("LANG", "C.UTF-8")], Standing::Warning),
            (&[("LC_ALL", ""), ("LANG", "C.UTF-8")], Standing::Ok),
            (&[], Standing::Warning),
        ] {
            assert_eq!(found(Topic::Locale, set, TERMINAL).standing, standing, "{set:?}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn a_terminal_that_cannot_be_drawn_on_is_a_warning_and_a_pipe_is_none() {
        assert_eq!(found(Topic::Kind, &[("TERM", "dumb")], TERMINAL).standing, Standing::Warning);
        assert_eq!(found(Topic::Kind, &[], TERMINAL).standing, Standing::Warning);
        assert_eq!(found(Topic::Kind, &[("TERM", "dumb")], PIPE).standing, Standing::Ok);
        assert_eq!(found(Topic::Size, &[], TERMINAL).standing, Standing::Ok);
        let small = Facts { size: Some((59, 40)), ..TERMINAL };
        assert_eq!(found(Topic::Size, &[], small).standing, Standing::Warning);
    }

    #[test]
    fn colours_follow_the_variables() {
        for (set, what) in [
            (&[("COLORTERM", "truecolor"), ("TERM", "xterm")][..], "16 million"),
            (&[("TERM", "screen-256color")], "256"),
            (&[("TERM", "xterm")], "the terminal's own 16"),
            (&[("COLORTERM", "truecolor"), ("NO_COLOR", "1")], "none: NO_COLOR is set"),
        ] {
            assert_eq!(found(Topic::Colours, set, TERMINAL).what, what);
        }
        let inside = [("SSH_TTY", "/dev/pts/0"), ("TMUX", "x")];
        assert_eq!(found(Topic::Between, &inside, TERMINAL).what, "SSH, tmux");
    }

    #[test]
    fn a_clipboard_that_drops_what_is_copied_is_a_warning() {
        let tmux = Route::Terminal { tmux: true };
        let refused = way(tmux, Some(&ClipboardError::TmuxRefuses(Untrusted::from("external"))));
        assert_eq!(refused.standing, Standing::Warning);
        assert_eq!(refused.mend.as_deref(), Some("Run: tmux set -s set-clipboard on"));
        assert_eq!(way(Route::Display, None).standing, Standing::Ok);
        assert_eq!(way(tmux, Some(&ClipboardError::NoTerminal)).standing, Standing::Ok);
    }
}
