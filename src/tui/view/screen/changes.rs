//! What the settings show of a client's rollover, and the button at their foot.
use ratatui::layout::Rect;
use ratatui::style::Modifier;

use super::pane::Sheet;
use super::progress::{secrets, steps_line, target_line};
use crate::domain::rollover::State as Stands;
use crate::domain::untrusted::shown;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::event::Target;
use crate::tui::app::keymap::{self, Availability, Place, availability_below, pending_of};
use crate::tui::app::offer::{NEXT, at_work};
use crate::tui::app::records::lacking;
use crate::tui::app::screen::pane::{Check, Pane, PendingView};
use crate::tui::app::screen::{Focus, Main};
use crate::tui::app::update::standing;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, paragraph};
use crate::tui::view::text::{ago, width, wrap};

/// The secrets of the client's rollover, its steps, its targets.
pub(super) fn draw(painter: &Painter<'_>, sheet: &mut Sheet, state: &State, main: &Main, pane: &Pane) {
    let theme = painter.theme;
    let row = state.records.latest(main.tenant.domain(), &pane.client_id);
    let open = row.filter(|row| !row.state.is_final());
    if let Some(row) = open {
        for one in secrets(row, state.wall()) {
            sheet.lines.push(vec![
                Piece::new(format!("  {:<10}", one.name), theme.dim),
                Piece::new(format!("{}  {}", one.print, one.words), theme.text),
            ]);
            if one.name == "pending" {
                pending(painter, sheet, state, main, pane);
            }
        }
        let mut label = "Rollover";
        for line in steps_line(theme, row, sheet.room) {
            sheet.pieces(label, line);
            label = "";
        }
        let overdue = row.overdue(state.wall(), state.records.arrangements.nag_after_days).is_some();
        if overdue {
            let text = format!("! It is {} (x).", standing(state, row));
            sheet.note(&paragraph(&text, sheet.room, theme.warning));
        }
        if let Some(by) = state.records.leased.get(&pane.client_id) {
            let text = format!("! Another process is at work on it: {}. Here it can only be watched.", shown(by));
            sheet.note(&paragraph(&text, sheet.room, theme.warning));
        }
    } else if let Some(row) = row {
        let since = ago(state.wall() - row.since);
        sheet.field("Last rollover", &format!("{}, {since}", row.state.words()));
    }
    if !state.records.targets(&pane.client_id).is_empty() {
        sheet.pieces("Targets", vec![Piece::new("w looks what they hold, a changes", theme.dim)]);
    }
    for (position, target) in state.records.targets(&pane.client_id).iter().enumerate() {
        let mut line = target_line(theme, state, target, open, pane.checked(&target.name), sheet.whole() - 2);
        line.insert(0, Piece::new("  ", theme.text));
        for piece in &mut line {
            piece.target = Some(Target::TargetLine(position));
        }
        sheet.lines.push(line);
    }
    if matches!(pane.check, Check::Looking(_)) {
        sheet.pieces("", vec![Piece::new(format!("{} looking what they hold…", spinner(state)), theme.dim)]);
    }
    if let Some(why) = &state.records.misconfigured {
        sheet.note(&paragraph(&format!("✗ The targets are not known: {}", shown(why)), sheet.room, theme.danger));
    }
}

fn pending(painter: &Painter<'_>, sheet: &mut Sheet, state: &State, main: &Main, pane: &Pane) {
    let theme = painter.theme;
    if let PendingView::Shown { secret, .. } = &pane.pending {
        // On lines of its own, as few as can be: to be read, or selected with the mouse.
        for part in wrap(&shown(secret.expose()), sheet.whole()) {
            sheet.lines.push(vec![Piece::new(part, theme.secret)]);
        }
    }
    if pending_of(state, main).is_none() {
        return;
    }
    let mark = if matches!(pane.pending, PendingView::Shown { .. }) { "[x]" } else { "[ ]" };
    let mut line = vec![
        Piece::new(" ".repeat(12), theme.text),
        Piece::button(format!("{mark} Reveal (V)"), theme.text, Action::RevealPending),
    ];
    match &pane.pending {
        PendingView::Shown { until, .. } => {
            line.push(Piece::new(format!("  {} s", until.seconds_from(state.now)), theme.dim));
        }
        PendingView::Opening { .. } => line.push(Piece::new(format!("  {} opening…", spinner(state)), theme.dim)),
        PendingView::Masked | PendingView::Failed(_) => {}
    }
    line.push(Piece::button("  Copy (C)", theme.text, Action::CopyPending));
    sheet.lines.push(line);
    if let PendingView::Failed(why) = &pane.pending {
        sheet.note(&paragraph(&format!("✗ {}", shown(why)), sheet.room, theme.danger));
    }
}

/// What the settings' foot offers: the button that makes the pending secret live, as in Auth0's dashboard, and what else comes next.
/// Returns what is left for the settings.
pub(super) fn foot(painter: &mut Painter<'_>, inner: Rect, state: &State, main: &Main, pane: &Pane) -> Rect {
    let theme = painter.theme;
    let row = state.records.latest(main.tenant.domain(), &pane.client_id).filter(|row| !row.state.is_final());
    let job = at_work(state, main, &pane.client_id);
    if (row.is_none() && job.is_none()) || inner.height < 6 {
        return inner;
    }
    let mut line = Vec::new();
    if let Some(job) = job {
        line.push(Piece::new(format!("{} {}", spinner(state), job.summary()), theme.text));
    } else {
        let waits = row.is_some_and(|row| matches!(row.state, Stands::Staged | Stands::Delivered));
        if waits {
            // Where apps are known to fail it can be pressed, but does not ask to be.
            let ready = availability_below(state, Action::SaveChanges) == Availability::Ready
                && row.is_some_and(|row| lacking(row, state.records.targets(&pane.client_id)).is_empty());
            let style = if ready { theme.accent.add_modifier(Modifier::REVERSED) } else { theme.dim };
            line.push(Piece::button(" Save Changes ", style, Action::SaveChanges));
            line.push(Piece::button(" Ctrl-S   ", theme.key, Action::SaveChanges));
        }
        for action in NEXT {
            if action == Action::SaveChanges || availability_below(state, action) != Availability::Ready {
                continue;
            }
            let (Some(key), Some(words)) = (keymap::key_of(Place::Pane, action), says(state, action, row)) else {
                continue;
            };
            let text = format!(" {words}   ");
            let used: u16 = line.iter().map(|piece: &Piece| width(&piece.text)).sum();
            if used + width(&text) + 1 > inner.width {
                break;
            }
            line.push(Piece::button(key.to_string(), theme.key, action));
            line.push(Piece::button(text, theme.text, action));
        }
    }
    let y = inner.bottom() - 1;
    let across = "─".repeat(usize::from(inner.width));
    let border = if main.focus == Focus::Pane { theme.accent } else { theme.border };
    painter.text(inner.x, y - 1, inner.width, &across, border.remove_modifier(Modifier::BOLD));
    painter.line(Rect { y, height: 1, ..inner }, &line);
    Rect { height: inner.height - 2, ..inner }
}

fn says(state: &State, action: Action, row: Option<&crate::domain::Rollover>) -> Option<&'static str> {
    let before = row.is_some_and(|row| row.state.is_before_change());
    Some(match action {
        Action::Retire => "retire the old secret",
        Action::Resume if row.is_some_and(|row| row.state == Stands::Conflict || row.in_doubt()) => "look again",
        Action::Resume => "resume",
        Action::NewSecret => "deliver again",
        Action::TakeBack if before => "take it back",
        Action::TakeBack => "roll back",
        Action::KeepTheirs | Action::SetOurs | Action::Abandon => return None,
        _ => return (state.jobs.is_empty()).then_some(""),
    })
}
