use ratatui::layout::Rect;

use crate::domain::client::Warning;
use crate::domain::untrusted::shown;
use crate::domain::{Role, Rollover};
use crate::rollover::Choice;
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::job::Procedure;
use crate::tui::app::keymap::named;
use crate::tui::app::screen::Screen;
use crate::tui::app::screen::question::Question;
use crate::tui::view::paint::{Painter, Piece, paragraph};

/// Draws the question before a change.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, question: &Question, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(72);
    let Screen::Main(main) = &state.screen else { return };
    let client_id = &question.task.client_id;
    let words = words(question);
    let mut lines = paragraph(&named(question.name(), client_id), cells, theme.title);
    lines.extend(paragraph(&format!("client id  {}", shown(client_id)), cells, theme.text));
    let environment =
        main.tenant.environment().map(|environment| format!("  ({})", environment.name())).unwrap_or_default();
    let tenant = main.tenant.called();
    // The badge says it in the tenant's colour, the words say it without.
    lines.push(vec![
        Piece::new("tenant     ", theme.text),
        Piece::new(format!(" {tenant} "), theme.badge(main.tenant.colour())),
        Piece::new(environment, theme.text),
    ]);
    lines.push(Vec::new());
    lines.extend(paragraph(&words.what, cells, theme.text));
    for text in &words.mind {
        lines.extend(paragraph(&format!("! {text}"), cells, theme.warning));
    }
    if words.live {
        for warning in &question.warnings {
            let style = if *warning == Warning::Public { theme.text } else { theme.warning };
            lines.extend(paragraph(&format!("! {}", warning.sentence()), cells, style));
        }
    }
    if !question.can_read_back && words.live {
        let text = "! The token lacks read:client_keys: should the answer get lost, nobody could tell here whether it was applied.";
        lines.extend(paragraph(text, cells, theme.warning));
    }
    lines.push(Vec::new());
    let mut field = None;
    // What does not work yet is not offered yet: a key or a click that was meant for what stood here before finds nothing.
    if !question.listens(state.now) {
        let later = if question.typed.is_some() { 3 } else { 1 };
        lines.extend(std::iter::repeat_n(Vec::new(), later));
    } else if question.typed.is_some() {
        let why = if question.production { "This is production. " } else { "" };
        let text = format!("{why}Type the client's name, or its id, then Enter:");
        lines.extend(paragraph(&text, cells, theme.title));
        field = Some(lines.len());
        lines.push(vec![Piece::new("> ", theme.key)]);
        let (text, style) = if question.typed_right() {
            (format!("✓ Enter: {}.", words.yes), theme.danger)
        } else {
            ("Esc leaves everything as it is.".to_owned(), theme.dim)
        };
        lines.push(vec![Piece::new(text, style)]);
    } else {
        lines.push(vec![
            Piece::button("y", theme.danger, Action::Yes),
            Piece::button(format!(" {}", words.yes), theme.danger, Action::Yes),
            Piece::new("     ", theme.text),
            Piece::button("n", theme.key, Action::No),
            Piece::button(" leave it as it is", theme.text, Action::No),
        ]);
    }
    let edge = if words.live { theme.danger } else { theme.warning };
    let inner = painter.window(cover, words.title, edge, &lines, cells + 4);
    if let (Some(line), Some(typed)) = (field, &question.typed)
        && let Ok(line) = u16::try_from(line)
    {
        let area = Rect { x: inner.x + 2, y: inner.y + line, width: inner.width.saturating_sub(2), height: 1 };
        if area.y < inner.bottom() {
            painter.input(area, typed, theme.text);
        }
    }
}

/// What a question says.
struct Words {
    title: &'static str,
    /// What happens.
    what: String,
    /// What to mind.
    mind: Vec<String>,
    /// What yes does.
    yes: &'static str,
    /// Whether apps may notice it.
    live: bool,
}

fn words(question: &Question) -> Words {
    let row = question.row.as_ref();
    let count = question.task.targets.len();
    let before = row.is_some_and(|row| row.state.is_before_change());
    let targets = if count == 1 { "1 target".to_owned() } else { format!("{count} targets") };
    let holds_old = row.is_some_and(|row| row.holds(Role::Old));
    let mut mind = Vec::new();
    match question.task.procedure {
        Procedure::RotateNow => {
            if row.is_some() {
                mind.push("A rollover of this client has not ended: it ends here, and its pending secret is wiped.".to_owned());
            }
            Words {
                title: "Rotate the client secret?",
                what: "The current secret stops working within 30 seconds; every app that uses it must be updated.".to_owned(),
                mind,
                yes: "rotate now",
                live: true,
            }
        }
        Procedure::SaveChanges { anyway } => {
            let lacking = question.lacking();
            if !lacking.is_empty() {
                let names: Vec<_> = lacking.iter().map(|name| shown(name)).collect();
                mind.push(format!(
                    "The pending secret is not in {}: the apps that read it there fail within 30 seconds. Esc, then n, delivers it again.",
                    names.join(", ")
                ));
            } else if anyway {
                mind.push(
                    "This client has no target: its apps must have the pending secret already, by other means (V and C in the \
                     settings). Those that do not have it fail within 30 seconds."
                        .to_owned(),
                );
            }
            if !holds_old {
                mind.push("The current secret could not be read: there will be no going back.".to_owned());
            }
            let what = if count > 0 && !lacking.is_empty() {
                format!(
                    "The pending secret becomes live; {} of {targets} hold it as their fallback. Both are probed until the new one \
                     is in and the old one out; then the targets are written with the new one first.",
                    count - lacking.len()
                )
            } else if anyway {
                "The pending secret becomes live. Both are probed until the new one is in and the old one out.".to_owned()
            } else {
                format!(
                    "The pending secret becomes live; {targets} hold it as their fallback. Both are probed until the new one is in \
                     and the old one out; then the targets are written with the new one first."
                )
            };
            Words { title: "Save the changes?", what, mind, yes: "make it live", live: true }
        }
        Procedure::Retire => Words {
            title: "Retire the old secret?",
            what: match count {
                0 => "The old secret is wiped from the ledger. There is no going back after it.".to_owned(),
                _ => format!("The old secret is dropped from {targets}, and wiped from the ledger. There is no going back after it."),
            },
            mind,
            yes: "retire it",
            live: false,
        },
        Procedure::TakeBack if before => Words {
            title: "Give up the pending secret?",
            what: match count {
                0 => "The pending secret is wiped. Nothing changes at Auth0.".to_owned(),
                _ => format!("The pending secret is taken out of {targets}, and wiped. Nothing changes at Auth0."),
            },
            mind,
            yes: "give it up",
            live: false,
        },
        Procedure::TakeBack if row.is_some_and(Rollover::is_set_back) => Words {
            title: "Go along with the old secret?",
            what: match count {
                0 => "The old secret is live already. The new one is wiped.".to_owned(),
                _ => format!("The old secret is live already; {targets} get it back as before. The new one is wiped."),
            },
            mind,
            yes: "take ours back",
            live: false,
        },
        Procedure::TakeBack => {
            if count == 0 {
                mind.push("This client has no target: apps that have only the new secret fail within 30 seconds.".to_owned());
            }
            Words {
                title: "Go back to the old secret?",
                what: match count {
                    0 => "The old secret becomes live again, and the new one is wiped.".to_owned(),
                    _ => format!(
                        "The old secret becomes live again; {targets} hold it as their fallback now, and get it back as before. The \
                         new one is wiped."
                    ),
                },
                mind,
                yes: "make the old one live",
                live: true,
            }
        }
        Procedure::Resume(Some(Choice::KeepTheirs)) => Words {
            title: "Keep their secret?",
            what: "The secret that somebody else made live becomes the new one; the targets get it first, and ours is dropped.".to_owned(),
            mind,
            yes: "keep theirs",
            live: false,
        },
        Procedure::Resume(Some(Choice::SetOurs)) => Words {
            title: "Set our secret?",
            what: "Ours becomes live in the place of theirs.".to_owned(),
            mind: vec!["Apps that have only theirs fail within 30 seconds; ask whoever set it.".to_owned()],
            yes: "set ours",
            live: true,
        },
        Procedure::Abandon => Words {
            title: "Give the rollover up?",
            what: "Auth0 and the targets stay as they are; what the ledger holds of this rollover is wiped.".to_owned(),
            mind,
            yes: "give it up",
            live: false,
        },
        Procedure::Stage | Procedure::Resume(None) => {
            Words { title: "Go on?", what: String::new(), mind, yes: "go on", live: false }
        }
    }
}

/// Draws the question before quitting while something is under way.
pub fn draw_quit(painter: &mut Painter<'_>, cover: Rect, state: &State) {
    let theme = painter.theme;
    let cells = cover.width.saturating_sub(8).min(64);
    let mut lines = Vec::new();
    for job in state.running() {
        let text = format!("{}: {}", named(&job.task.name, &job.task.client_id), job.summary());
        lines.extend(paragraph(&text, cells, theme.text));
    }
    lines.push(Vec::new());
    lines.extend(paragraph(
        "Quitting waits for the request that is on its way, 10 s at most, and says what came of it. Everything is in the ledger: the next start goes on.",
        cells,
        theme.text,
    ));
    lines.push(Vec::new());
    lines.push(vec![
        Piece::button("y", theme.danger, Action::Yes),
        Piece::button(" quit all the same", theme.text, Action::Yes),
        Piece::new("     ", theme.text),
        Piece::button("n", theme.key, Action::No),
        Piece::button(" stay", theme.text, Action::No),
    ]);
    painter.window(cover, "Something is under way", theme.warning, &lines, cells + 4);
}
