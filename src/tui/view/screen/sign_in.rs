use ratatui::layout::{Position, Rect};
use ratatui::style::Modifier;

use crate::domain::untrusted::shown;
use crate::domain::{Ability, Scopes, WayIn};
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::event::Target;
use crate::tui::app::screen::form::{Field, FieldId, Form, Value};
use crate::tui::app::screen::sign_in::{Kind, SignIn, Step, Tried};
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, paragraph};

/// Cells before a field's value.
const LABEL: u16 = 16;

/// Draws the form that connects a tenant.
pub fn draw(painter: &mut Painter<'_>, area: Rect, sign_in: &SignIn, state: &State) {
    let theme = painter.theme;
    let cells = area.width.saturating_sub(6).min(84);
    let x = area.x + 3;
    let bottom = area.bottom().saturating_sub(1);
    let mut y = area.y + 1;
    let put = |painter: &mut Painter<'_>, y: &mut u16, lines: Vec<Vec<Piece>>| {
        for line in lines {
            if *y < bottom {
                painter.line(Rect { x, y: *y, width: cells, height: 1 }, &line);
                *y += 1;
            }
        }
    };
    put(painter, &mut y, paragraph(sign_in.title(), cells, theme.accent));
    if let Step::Review(tried) | Step::Storing(_, tried) = &sign_in.step {
        put(painter, &mut y, greeting(painter, sign_in, tried, cells));
    }
    y += 1;
    let top = y;
    y = fields(painter, Rect { x, y, width: cells, height: bottom.saturating_sub(y) }, &sign_in.form);
    let busy = matches!(sign_in.step, Step::Trying(_) | Step::Storing(..));
    if busy {
        // Nothing can be typed while it is under way.
        painter.cursor = None;
        painter.style(Rect { x, y: top, width: cells, height: y - top }, theme.dim);
    }
    y += 1;
    match &sign_in.step {
        Step::Trying(_) => {
            let domain = sign_in.draft.as_ref().map(|draft| draft.domain.to_string()).unwrap_or_default();
            let text = format!("{} Signing in at {domain}…", spinner(state));
            put(painter, &mut y, vec![vec![Piece::new(text, theme.text)]]);
        }
        Step::Storing(..) => {
            let text = format!("{} Storing…", spinner(state));
            put(painter, &mut y, vec![vec![Piece::new(text, theme.text)]]);
        }
        Step::Credentials | Step::Review(_) => {
            if let Some((wrong, hint)) = &sign_in.wrong {
                put(painter, &mut y, paragraph(&format!("✗ {wrong}"), cells, theme.danger));
                if !hint.is_empty() {
                    put(painter, &mut y, paragraph(hint, cells, theme.text));
                }
            } else {
                let button = Piece::button("Enter", theme.key, Action::Submit);
                let what =
                    if matches!(sign_in.step, Step::Review(_)) { " stores it and opens it" } else { " signs in" };
                put(painter, &mut y, vec![vec![button, Piece::button(what, theme.text, Action::Submit)]]);
            }
            y += 1;
            let explanation = explain(painter, sign_in, state, cells);
            put(painter, &mut y, explanation);
        }
    }
}

/// Draws the fields of a form, one a line; the line below the last.
pub fn fields(painter: &mut Painter<'_>, area: Rect, form: &Form) -> u16 {
    let theme = painter.theme;
    let mut y = area.y;
    for (position, field) in form.fields.iter().enumerate() {
        if y >= area.bottom() {
            break;
        }
        let line = Rect { y, height: 1, ..area };
        painter.target(line, Target::Choice(position));
        let focused = position == form.at;
        let (sign, style) = if focused { ("›", theme.key) } else { (" ", theme.dim) };
        painter.text(line.x, y, 2, sign, style);
        let style = if focused { theme.title } else { theme.dim };
        painter.text(line.x + 2, y, LABEL - 2, field.id.label(), style);
        let value = Rect { x: line.x + LABEL, width: line.width.saturating_sub(LABEL), ..line };
        draw_value(painter, value, field, focused);
        y += 1;
    }
    y
}

fn draw_value(painter: &mut Painter<'_>, area: Rect, field: &Field, focused: bool) {
    let theme = painter.theme;
    match &field.value {
        Value::Text(input) => {
            if input.value().is_empty() {
                painter.text(area.x, area.y, area.width, field.id.example(), theme.dim);
            } else if !focused {
                painter.text(area.x, area.y, area.width, &shown(input.value()), theme.text);
            }
            if focused {
                if !input.value().is_empty() {
                    painter.input(area, input, theme.text);
                }
                painter.style(area, ratatui::style::Style::new().add_modifier(Modifier::UNDERLINED));
                if input.value().is_empty() {
                    painter.cursor = Some(Position { x: area.x, y: area.y });
                }
            }
        }
        Value::Hidden(hidden) => {
            let length = hidden.len();
            // How long it is says little, and helps whoever pastes to see that all of it came.
            let dots = "•".repeat(length.min(24));
            let text = match length {
                0 => field.id.example().to_owned(),
                length if hidden.is_pem() => format!("{dots} (a private key, {length} characters)"),
                length => format!("{dots} ({length} characters)"),
            };
            painter.text(area.x, area.y, area.width, &text, if length == 0 { theme.dim } else { theme.text });
            if focused {
                let column = u16::try_from(length.min(24)).unwrap_or_default();
                painter.style(area, ratatui::style::Style::new().add_modifier(Modifier::UNDERLINED));
                painter.cursor = Some(Position { x: area.x + column.min(area.width.saturating_sub(1)), y: area.y });
            }
        }
        Value::Choice { words, at } => {
            let word = words.get(*at).copied().unwrap_or_default();
            let (text, style) =
                if focused { (format!("‹ {word} ›"), theme.title) } else { (word.to_owned(), theme.text) };
            painter.text(area.x, area.y, area.width, &text, style);
        }
    }
}

/// What the tenant says of itself, and what the token may do there.
fn greeting(painter: &Painter<'_>, sign_in: &SignIn, tried: &Tried, cells: u16) -> Vec<Vec<Piece>> {
    let theme = painter.theme;
    let domain = sign_in.draft.as_ref().map(|draft| draft.domain.to_string()).unwrap_or_default();
    let friendly = tried.greeting.friendly_name.as_ref().map(|name| format!(", {}", name.shown())).unwrap_or_default();
    let mut lines = paragraph(&format!("{domain}{friendly}"), cells, theme.title);
    for (ability, scope, what) in Scopes::PURPOSES {
        let (sign, style, text) = match ability(&tried.session.scopes) {
            Ability::Yes => ("✓", theme.good, what.to_owned()),
            Ability::Unknown => ("?", theme.dim, format!("{what} ({scope}): the token does not tell")),
            Ability::No { .. } => ("✗", theme.danger, format!("{what}: needs {scope}")),
        };
        lines.push(vec![Piece::new(format!("{sign} "), style), Piece::new(text, theme.text)]);
    }
    let by_cli = sign_in.draft.as_ref().is_some_and(|draft| draft.way_in == Some(WayIn::Auth0Cli));
    if by_cli && !tried.session.scopes.rotate().may() {
        lines.extend(paragraph("! To add it: auth0 login --scopes update:client_keys", cells, theme.warning));
    }
    lines
}

/// What helps at the field with the focus.
fn explain(painter: &Painter<'_>, sign_in: &SignIn, state: &State, cells: u16) -> Vec<Vec<Piece>> {
    let theme = painter.theme;
    let mut lines = Vec::new();
    let mut say = |text: &str| lines.extend(paragraph(text, cells, theme.dim));
    if matches!(sign_in.step, Step::Review(_)) {
        match sign_in.form.current().map(|field| field.id) {
            Some(FieldId::Environment) => {
                say("Production wants a client's name typed before a change.");
            }
            Some(FieldId::ReadOnly) => say("A tenant that is read-only can be looked at, and nothing in it changed."),
            Some(FieldId::Keep) => match state.surroundings.as_ref().and_then(|found| found.no_keyring.as_ref()) {
                Some(why) => say(&format!(
                    "There is no keyring to use here: {why}. A file is sealed with age; its passphrase is asked for once a run."
                )),
                None => say("Never in a plain file. A sealed file's passphrase is asked for once a run."),
            },
            Some(FieldId::Passphrase | FieldId::PassphraseAgain) => {
                say(
                    "It seals the credentials of all tenants that are kept in files. Nobody can mend it when it is forgotten: then sign in again.",
                );
            }
            _ => say("Everything but the credential goes to config.toml, which you may edit by hand."),
        }
        return lines;
    }
    match sign_in.kind {
        Kind::ClientSecret | Kind::PrivateKey => {
            say(
                "To make such a client, in the dashboard: Applications, Applications, Create Application, Machine to Machine; \
                 then authorize it for the Auth0 Management API with these scopes:",
            );
            for (scope, what) in [
                ("read:clients", "list clients and read their settings"),
                ("update:client_keys", "rotate client secrets"),
                ("read:client_keys", "reveal and copy; settle a rotation in doubt"),
                ("read:logs", "see who uses a secret (optional)"),
                ("update:clients", "mark a client with its last rotation (optional)"),
            ] {
                lines.push(vec![
                    Piece::new(format!("  {scope:<19}"), theme.text),
                    Piece::new(format!(" {what}"), theme.dim),
                ]);
            }
            if sign_in.kind == Kind::PrivateKey {
                let text =
                    "Its settings, under Credentials, take the public key. Private key JWT needs an Enterprise plan.";
                lines.extend(paragraph(text, cells, theme.dim));
            }
        }
        Kind::Token => {
            say(
                "From the dashboard: Applications, APIs, Auth0 Management API, API Explorer; or from any program that has one. It is used for this run, and stored only if you say so on the next screen.",
            );
        }
        Kind::Auth0Cli => {
            say(
                "rollover reads the token that auth0-cli holds for this tenant, and changes nothing of auth0-cli's. It lives as long as auth0-cli's own: `auth0 login` renews it.",
            );
        }
    }
    lines
}
