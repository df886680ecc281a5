//! How far a rollover has come, as settings and pages show it: its secrets, its steps, its targets.
use ratatui::style::Style;

use crate::domain::rollover::{Phase, Role, State as Stands, TargetRow, TargetState};
use crate::domain::target::Holding;
use crate::domain::untrusted::shown;
use crate::domain::{Mode, Rollover, Target};
use crate::tui::app::State;
use crate::tui::app::event::Checked;
use crate::tui::app::records::target_row;
use crate::tui::theme::Theme;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::Piece;
use crate::tui::view::text::{ago, fit, fit_end, width};

/// How far a step has come. Each has a sign of its own: nothing is said by colour alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Done,
    Here,
    Todo,
    Skipped,
    Failed,
    Doubt,
}

impl Mark {
    fn sign(self) -> &'static str {
        match self {
            Self::Done => "●",
            Self::Here => "◐",
            Self::Todo => "○",
            Self::Skipped => "–",
            Self::Failed => "✗",
            Self::Doubt => "?",
        }
    }

    fn style(self, theme: &Theme) -> Style {
        match self {
            Self::Done => theme.good,
            Self::Here | Self::Doubt => theme.warning,
            Self::Failed => theme.danger,
            Self::Todo | Self::Skipped => theme.dim,
        }
    }
}

/// The sign of a rollover in a list.
#[must_use]
pub fn sign(row: &Rollover) -> &'static str {
    match row.state {
        Stands::Conflict => "!",
        Stands::Unknown | Stands::InDoubt => "?",
        state if state.is_final() => "·",
        _ if row.in_doubt() => "?",
        _ => "◐",
    }
}

fn steps(row: &Rollover) -> Vec<(&'static str, Mark)> {
    let names: &[&str] = match row.mode {
        Mode::Set => &["stage", "deliver", "cut over", "verify", "promote", "retire"],
        Mode::Server => &["record", "rotate", "verify", "promote", "retire"],
    };
    // Which of the first five it is at; rotating now has no delivery before the change.
    let change = usize::from(row.mode == Mode::Set) + 1;
    let (at, mark) = match row.state {
        Stands::Planned | Stands::Baselined => (0, Mark::Here),
        Stands::Staged if row.targets.is_empty() => (change, Mark::Here),
        Stands::Staged => (1, Mark::Here),
        Stands::Delivered | Stands::Sending => (change, Mark::Here),
        Stands::Rejected => (change, Mark::Failed),
        Stands::InDoubt | Stands::Conflict | Stands::Unknown => (change, Mark::Doubt),
        Stands::Applied => (change + 1, Mark::Here),
        Stands::Verified | Stands::Promoting => (change + 2, Mark::Here),
        Stands::Holding => (change + 3, Mark::Here),
        Stands::Retired => (names.len(), Mark::Done),
        Stands::RollingBack | Stands::RolledBack | Stands::Abandoned => return Vec::new(),
    };
    let failed = |phase: Phase| {
        row.targets
            .iter()
            .any(|target| target.phase == phase && matches!(target.state, TargetState::Failed | TargetState::Conflict))
    };
    let each = names.iter().enumerate().map(|(number, name)| {
        let skipped = row.targets.is_empty() && matches!(*name, "deliver" | "promote");
        let mark = match number.cmp(&at) {
            _ if skipped && number <= at => Mark::Skipped,
            std::cmp::Ordering::Less => Mark::Done,
            std::cmp::Ordering::Greater => Mark::Todo,
            std::cmp::Ordering::Equal => match *name {
                "deliver" if failed(Phase::Deliver) => Mark::Failed,
                "promote" if failed(Phase::Promote) => Mark::Failed,
                _ => mark,
            },
        };
        (*name, mark)
    });
    each.collect()
}

/// The steps as a line, or as two where there is no room for one.
#[must_use]
pub fn steps_line(theme: &Theme, row: &Rollover, cells: u16) -> Vec<Vec<Piece>> {
    let all = steps(row);
    if all.is_empty() {
        return vec![vec![Piece::new(row.state.words(), theme.title)]];
    }
    let long: usize = all.iter().map(|(name, _)| name.chars().count() + 5).sum();
    let parts = if long.saturating_sub(3) <= usize::from(cells) { all.len() } else { 3 };
    all.chunks(parts)
        .map(|part| {
            let mut line = Vec::new();
            for (number, (name, mark)) in part.iter().enumerate() {
                if number > 0 {
                    line.push(Piece::new(" ─ ", theme.dim));
                }
                let style = if *mark == Mark::Here || *mark == Mark::Doubt { theme.title } else { theme.text };
                line.push(Piece::new(format!("{} ", mark.sign()), mark.style(theme)));
                line.push(Piece::new(*name, style));
            }
            line
        })
        .collect()
}

/// One of a rollover's secrets, in words.
pub struct SecretLine {
    /// `current`, `pending`, `previous`.
    pub name: &'static str,
    /// Its fingerprint, where it has one.
    pub print: String,
    /// How old it is, and what it is good for.
    pub words: String,
}

/// The secrets of a rollover that has not ended.
#[must_use]
pub fn secrets(row: &Rollover, now: i64) -> Vec<SecretLine> {
    let print = |role: Role| {
        let known = match role {
            Role::Old => row.old,
            Role::New => row.new,
            Role::Observed => row.observed,
        };
        known.map_or_else(|| "--------".to_owned(), |known| known.fingerprint().to_string())
    };
    let line = |name, role, words: String| SecretLine { name, print: print(role), words };
    let began = ago(now - row.began);
    let since = ago(now - row.since);
    let has_new = row.new.is_some() || row.holds(Role::New);
    let mut lines = Vec::new();
    match row.state {
        Stands::Conflict if row.is_set_back() => {
            lines.push(line("before", Role::Old, format!("live again, seen {since}")));
            lines.push(line("ours", Role::New, format!("chosen {began}, not live")));
        }
        Stands::Conflict => {
            lines.push(line("theirs", Role::Observed, format!("live, seen {since}")));
            lines.push(line("ours", Role::New, format!("chosen {began}, not live")));
            lines.push(line("before", Role::Old, "live when this began".to_owned()));
        }
        Stands::Unknown => {
            lines.push(line("before", Role::Old, "live when this began".to_owned()));
            if has_new {
                lines.push(line("new", Role::New, "nobody knows whether it is live".to_owned()));
            }
        }
        state if state.is_live() => {
            lines.push(line("current", Role::New, format!("live, chosen {began}")));
            let kept = if row.holds(Role::Old) { "; kept, sealed" } else { "" };
            // Until the token endpoint has said so nobody knows.
            let refused = if state == Stands::Applied { "refused by Auth0 within 30 s" } else { "refused by Auth0" };
            lines.push(line("previous", Role::Old, format!("{refused}{kept}")));
        }
        Stands::RollingBack => {
            lines.push(line("previous", Role::Old, "being made live again".to_owned()));
            lines.push(line("new", Role::New, "being taken back".to_owned()));
        }
        state if state.is_before_change() => {
            lines.push(line("current", Role::Old, "live".to_owned()));
            if has_new {
                lines.push(line("pending", Role::New, format!("chosen {began}, not yet live")));
            }
        }
        _ => {
            lines.push(line("current", Role::Old, "live before the request".to_owned()));
            if has_new {
                lines.push(line("pending", Role::New, "sent; maybe live".to_owned()));
            }
        }
    }
    lines
}

/// A target as a line of a checklist: a box, and what it stands for.
#[must_use]
pub fn target_line(
    theme: &Theme,
    state: &State,
    target: &Target,
    row: Option<&Rollover>,
    checked: Option<&Checked>,
    cells: u16,
) -> Vec<Piece> {
    let (sign, style, words) = match (checked, row.and_then(|row| Some((row, target_row(row, &target.name)?)))) {
        (Some(checked), _) => held(theme, checked),
        (None, Some((row, target))) => came_to(theme, state, row, target),
        (None, None) => (" ", theme.dim, String::new()),
    };
    let name = fit(&shown(&target.name), 18).into_owned();
    let padding = " ".repeat(usize::from(16_u16.saturating_sub(width(&name))));
    let room = cells.saturating_sub(4 + width(&name) + width(&padding) + 1);
    // Of a path the end tells more than the beginning.
    let words = if words.is_empty() { fit_end(&shown(&target.place_words()), room) } else { words };
    vec![
        Piece::new("[", theme.dim),
        Piece::new(sign, style),
        Piece::new("] ", theme.dim),
        Piece::new(format!("{name}{padding} "), theme.text),
        Piece::new(fit(&words, room).into_owned(), theme.text),
    ]
}

fn came_to(theme: &Theme, state: &State, row: &Rollover, target: &TargetRow) -> (&'static str, Style, String) {
    let at_work = !row.state.is_final() && state.running().any(|job| job.is_of(&row.tenant, &row.client_id));
    match target.state {
        TargetState::Todo => (" ", theme.dim, String::new()),
        TargetState::Writing | TargetState::Written if at_work => {
            (spinner(state), theme.accent, "being written".into())
        }
        TargetState::Writing => ("?", theme.warning, "was being written".to_owned()),
        TargetState::Written => ("?", theme.warning, "written, not read back".to_owned()),
        TargetState::Verified => {
            let words = match target.phase {
                Phase::Deliver => "fallback in place",
                Phase::Promote if row.mode == Mode::Set => "new one first, old as fallback",
                Phase::Promote | Phase::Retire => "the new one alone",
                Phase::Restore => "as before",
            };
            let mind = if target.detail.is_empty() { String::new() } else { format!(" ({})", target.detail) };
            ("✓", theme.good, format!("{words}{mind}"))
        }
        TargetState::Failed => ("✗", theme.danger, target.detail.clone()),
        TargetState::Conflict => ("!", theme.danger, target.detail.clone()),
    }
}

/// What a look at a target found.
fn held(theme: &Theme, checked: &Checked) -> (&'static str, Style, String) {
    let holding: Holding = match &checked.holding {
        Ok(holding) => *holding,
        Err(why) => return ("✗", theme.danger, why.clone()),
    };
    let words = match holding.word() {
        "both" => "holds current and fallback",
        "current" => "holds current, no fallback",
        "fallback" => "holds the fallback alone",
        "neither" => "holds neither",
        _ => "holds something else (drift)",
    };
    let mind = checked.warnings.first().map(|warning| format!("; {warning}")).unwrap_or_default();
    let (sign, style) = if holding.works() { ("✓", theme.good) } else { ("!", theme.danger) };
    (sign, style, format!("{words}{mind}"))
}
