use ratatui::layout::Rect;

use super::progress::{secrets, steps_line, target_line};
use crate::domain::rollover::{Phase, Role, State as Stands, TargetState};
use crate::domain::rotation::StepOutcome;
use crate::domain::untrusted::shown;
use crate::domain::{Mode, Rollover};
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::job::Job;
use crate::tui::app::keymap::{self, Availability, availability, named};
use crate::tui::app::offer::NEXT;
use crate::tui::app::records::lacking;
use crate::tui::app::screen::record::Record;
use crate::tui::app::screen::{Screen, place};
use crate::tui::app::update::standing;
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, middle, paragraph};
use crate::tui::view::text::{ago, wrap};

/// Draws one rollover: what is known of it, what is not, and what each choice does.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, record: &Record, state: &State) {
    let Some(row) = state.records.get(&record.id) else { return };
    let Screen::Main(main) = &state.screen else { return };
    let theme = painter.theme;
    let outer = middle(cover, 100, cover.height);
    let cells = outer.width.saturating_sub(4);
    let mut lines = paragraph(&named(&row.name, &row.client_id), cells, theme.title);
    lines.extend(paragraph(&format!("{} at {}", shown(&row.client_id), main.tenant.called()), cells, theme.dim));
    lines.push(Vec::new());
    let job = state.running().find(|job| job.is_of(&row.tenant, &row.client_id));
    let person = row.state.needs_person() || row.in_doubt();
    let title = match row.state {
        _ if job.is_some() => "Under way",
        Stands::Conflict => "Conflict: somebody else changed the secret",
        _ if person => "In doubt",
        _ => "Rollover",
    };
    let mut sheet = Sheet { lines, cells };
    if person && job.is_none() {
        doubt(painter, &mut sheet, row, state);
    } else {
        calm(painter, &mut sheet, row, state, job);
    }
    choices(painter, &mut sheet, state);
    if !row.steps.is_empty() {
        sheet.heading(painter, "What was done");
        history(painter, &mut sheet, row);
    }
    painter.scrolled(outer, title, &sheet.lines, record.scroll);
}

struct Sheet {
    lines: Vec<Vec<Piece>>,
    cells: u16,
}

impl Sheet {
    fn heading(&mut self, painter: &Painter<'_>, text: &str) {
        if self.lines.last().is_some_and(|line| !line.is_empty()) {
            self.lines.push(Vec::new());
        }
        self.lines.push(vec![Piece::new(text, painter.theme.title)]);
    }

    fn say(&mut self, painter: &Painter<'_>, text: &str) {
        let mut letters = text.chars();
        let first = letters.next().into_iter().flat_map(char::to_uppercase);
        let text: String = first.chain(letters).collect();
        for (number, part) in wrap(&text, self.cells.saturating_sub(2)).into_iter().enumerate() {
            let sign = if number == 0 { "· " } else { "  " };
            self.lines.push(vec![Piece::new(sign, painter.theme.dim), Piece::new(part, painter.theme.text)]);
        }
    }
}

/// Where it stands, where nothing is in doubt.
fn calm(painter: &Painter<'_>, sheet: &mut Sheet, row: &Rollover, state: &State, job: Option<&Job>) {
    let theme = painter.theme;
    sheet.lines.extend(steps_line(theme, row, sheet.cells));
    let since = ago(state.wall() - row.since);
    let mode = if row.mode == Mode::Server { "rotated now" } else { "zero downtime" };
    let words = format!("{}, since {since} ({mode}, begun by {})", standing(state, row), shown(&row.who));
    sheet.lines.extend(paragraph(&words, sheet.cells, theme.dim));
    if let Some(job) = job {
        let text = format!("{} {}", spinner(state), job.summary());
        sheet.lines.extend(paragraph(&text, sheet.cells, theme.text));
    } else if let Some(by) = state.records.leased.get(&row.client_id).filter(|_| !row.state.is_final()) {
        let text = format!("! Another process is at work on it: {}. Here it can only be watched.", shown(by));
        sheet.lines.extend(paragraph(&text, sheet.cells, theme.warning));
    }
    if !row.detail.is_empty() {
        sheet.lines.extend(paragraph(&row.detail, sheet.cells, theme.text));
    }
    if !row.state.is_final() {
        sheet.lines.push(Vec::new());
        for one in secrets(row, state.wall()) {
            sheet.lines.push(vec![
                Piece::new(format!("{:<10}", one.name), theme.dim),
                Piece::new(format!("{}  {}", one.print, one.words), theme.text),
            ]);
        }
    }
    targets(painter, sheet, row, state);
}

fn targets(painter: &Painter<'_>, sheet: &mut Sheet, row: &Rollover, state: &State) {
    let all = state.records.targets(&row.client_id);
    if all.is_empty() || row.state.is_final() {
        return;
    }
    sheet.heading(painter, "Targets");
    for target in all {
        sheet.lines.push(target_line(painter.theme, state, target, Some(row), None, sheet.cells));
    }
}

/// What is known, and what is not.
fn doubt(painter: &Painter<'_>, sheet: &mut Sheet, row: &Rollover, state: &State) {
    let print = |role: Role| {
        let known = match role {
            Role::Old => row.old,
            Role::New => row.new,
            Role::Observed => row.observed,
        };
        known.map_or_else(|| "(no fingerprint)".to_owned(), |known| known.fingerprint().to_string())
    };
    let (old, new) = (print(Role::Old), print(Role::New));
    let back = row.state == Stands::RollingBack;
    sheet.heading(painter, "What is known");
    if row.state == Stands::Conflict {
        sheet.say(painter, &row.detail);
        sheet.say(
            painter,
            &format!("This rollover began {} with {old}, and chose {new}.", ago(state.wall() - row.began)),
        );
    } else {
        let what = match (back, row.mode) {
            (true, _) => format!("The request that makes {old} live again was sent {} ", times(row.attempt)),
            (false, Mode::Set) => format!("The request that makes {new} live was sent {} ", times(row.attempt)),
            (false, Mode::Server) => "Auth0 was asked for a new secret, once".to_owned(),
        };
        sheet.say(painter, &format!("{}.", what.trim_end()));
        if let Some(doubt) = row.doubt.as_ref().filter(|doubt| !doubt.reason.is_empty()) {
            sheet.say(painter, &format!("No clear answer came: {}", doubt.reason));
        }
        let said = row.doubt.as_ref().map(|doubt| doubt.reason.as_str());
        if !row.detail.is_empty() && said != Some(row.detail.as_str()) {
            sheet.say(painter, &row.detail);
        }
        sheet.say(painter, &format!("Before it, {} was live.", if back { &new } else { &old }));
        if let Some(id) = &row.correlation_id {
            sheet.say(painter, &format!("In the tenant's log it is {}.", shown(id)));
        }
    }
    sheet.heading(painter, "What is not known");
    match row.state {
        Stands::Conflict if row.is_set_back() => {
            sheet.say(painter, "Which apps have which secret: those that have only ours fail now.");
        }
        Stands::Conflict => sheet.say(
            painter,
            "Which apps have which secret: those that have only ours, or only the one from before, fail now.",
        ),
        _ if row.mode == Mode::Server => {
            sheet.say(painter, "Whether it was applied, and so whether the secret that the apps have still works.");
        }
        _ => {
            sheet.say(painter, &format!("Whether it was applied: {old} or {new} is live now."));
            let verified = |target: &&crate::domain::rollover::TargetRow| {
                target.state == TargetState::Verified && matches!(target.phase, Phase::Deliver | Phase::Promote)
            };
            let ready = row.targets.iter().filter(verified).count();
            if ready > 0 && ready == row.targets.len() {
                sheet.say(painter, "All targets hold both, so their apps work either way.");
            }
        }
    }
    targets(painter, sheet, row, state);
}

fn times(count: u32) -> String {
    if count <= 1 { "once".to_owned() } else { format!("{count} times") }
}

/// What can be done now, and what each does.
fn choices(painter: &Painter<'_>, sheet: &mut Sheet, state: &State) {
    let theme = painter.theme;
    let at = place(&state.screen, state.overlay.as_ref());
    let mut lines = Vec::new();
    for action in NEXT {
        let (Availability::Ready, Some(key)) = (availability(state, action), keymap::key_of(at, action)) else {
            continue;
        };
        let Some(words) = does(state, action) else { continue };
        let head = format!("{key:<7}", key = key.to_string());
        for (number, part) in wrap(&words, sheet.cells.saturating_sub(8)).into_iter().enumerate() {
            let head = if number == 0 { head.clone() } else { " ".repeat(7) };
            lines.push(vec![
                Piece::button(head, theme.key, action),
                Piece::button(format!(" {part}"), theme.text, action),
            ]);
        }
    }
    if !lines.is_empty() {
        sheet.heading(painter, "What each choice does");
        sheet.lines.extend(lines);
    }
}

fn does(state: &State, action: Action) -> Option<String> {
    let row = crate::tui::app::offer::concern(state)?.row?;
    Some(match action {
        Action::SaveChanges if !lacking(row, state.records.targets(&row.client_id)).is_empty() => {
            "Save Changes all the same: the apps whose targets lack the pending secret fail within 30 s. Asks for the client's name.".into()
        }
        Action::SaveChanges => "Save Changes: makes the pending secret live, verifies, and writes it to the targets first.".into(),
        Action::Retire => "Retire: drops the old secret from the targets and from the ledger. There is no going back after it.".into(),
        Action::NewSecret => "Delivers the pending secret once more, to the targets that lack it.".into(),
        Action::Resume => match (row.state, row.mode) {
            (Stands::Conflict, _) => "Looks again: where ours has become live meanwhile, it goes on.".into(),
            (Stands::Unknown, _) => "Looks again: where the live secret can be read now, it goes on with it.".into(),
            (Stands::RollingBack, _) => "Resume: reads the live secret, and goes on making the old one live again.".into(),
            _ if row.in_doubt() && row.mode == Mode::Server => {
                "Resume: reads the live secret and compares. No second request is sent: where the old one is still live, you decide.".into()
            }
            _ if row.in_doubt() => "Resume: reads the live secret and compares. Where the old one is still live, it waits until a late request can no longer \
                  arrive, and sends the same secret again, which is the same as sending it once."
                .into(),
            _ => "Resume: goes on where it stopped.".into(),
        },
        Action::KeepTheirs => "Keep theirs: their secret becomes the new one. The targets get it first; ours is dropped.".into(),
        Action::SetOurs if row.is_set_back() => {
            "Set ours: ours becomes live again. Apps that have only the one from before fail within 30 s.".into()
        }
        Action::SetOurs => "Set ours: ours becomes live in the place of theirs. Apps that have only theirs fail within 30 s.".into(),
        Action::TakeBack if row.state.is_before_change() => {
            "Take back: the pending secret is taken out of the targets and wiped. Nothing changes at Auth0.".into()
        }
        Action::TakeBack if row.is_set_back() => {
            "Take back: the targets are put back too, and ours is wiped. Nothing changes at Auth0.".into()
        }
        Action::TakeBack => "Roll back: the secret from before becomes live again, and the targets are put back.".into(),
        Action::Abandon if row.state == Stands::InDoubt => "Give up: only where the old secret is still live; what is pending is wiped.".into(),
        Action::Abandon => "Give up: Auth0 and the targets stay as they are; the record of this rollover is closed.".into(),
        _ => return None,
    })
}

/// What was done, oldest first.
fn history(painter: &Painter<'_>, sheet: &mut Sheet, row: &Rollover) {
    let theme = painter.theme;
    for report in &row.steps {
        let (sign, style) = match report.outcome {
            StepOutcome::Done => ("✓", theme.good),
            StepOutcome::Skipped => ("–", theme.dim),
            StepOutcome::Failed => ("✗", theme.danger),
            StepOutcome::InDoubt => ("?", theme.warning),
        };
        let detail = if report.detail.is_empty() { String::new() } else { format!(": {}", report.detail) };
        let text = format!("{}{detail}", report.step.doing());
        for (number, part) in wrap(&text, sheet.cells.saturating_sub(2)).into_iter().enumerate() {
            let sign = if number == 0 { sign } else { " " };
            sheet.lines.push(vec![Piece::new(format!("{sign} "), style), Piece::new(part, theme.text)]);
        }
    }
}
