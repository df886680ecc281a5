use ratatui::layout::Rect;

use super::changes;
use crate::domain::client::{app_type_label, not_rotatable};
use crate::domain::untrusted::shown;
use crate::domain::{Client, Untrusted};
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::event::Target;
use crate::tui::app::job::Procedure;
use crate::tui::app::keymap::{self, Availability, availability_below};
use crate::tui::app::offer::at_work;
use crate::tui::app::screen::pane::{Pane, SecretView, Settings};
use crate::tui::app::screen::{Focus, Main};
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, paragraph};
use crate::tui::view::text::{width, wrap};

/// The mask is of one width, whatever the secret's length: even that is nobody's business.
pub const MASK: &str = "••••••••••••••••••••••••";

const LABEL: u16 = 19;

/// Draws the settings of a client, in the order of Auth0's own dashboard.
pub fn draw(painter: &mut Painter<'_>, area: Rect, state: &State, main: &Main, pane: &Pane) {
    let theme = painter.theme;
    painter.target(area, Target::Pane);
    let focused = main.focus == Focus::Pane;
    let title = keymap::named(&pane.name, &pane.client_id);
    let inner = painter.frame(area, &title, if focused { theme.accent } else { theme.border });
    let lines = lines(painter, inner.width, state, main, pane);
    let inner = changes::foot(painter, inner, state, main, pane);
    let height = usize::from(inner.height);
    let offset = pane.scroll.min(lines.len().saturating_sub(height));
    for (line, y) in lines.iter().skip(offset).zip(inner.y..inner.bottom()) {
        painter.line(Rect { y, height: 1, ..inner }, line);
    }
    let below = lines.len().saturating_sub(offset + height);
    if below > 0 {
        let more = format!(" {below} more lines ↓ ");
        painter.text(area.x + 2, area.bottom() - 1, area.width.saturating_sub(4), &more, theme.dim);
    }
}

fn lines(painter: &Painter<'_>, cells: u16, state: &State, main: &Main, pane: &Pane) -> Vec<Vec<Piece>> {
    let theme = painter.theme;
    let room = cells.saturating_sub(LABEL).max(10);
    let mut sheet = Sheet { lines: Vec::new(), room, label: theme.dim, text: theme.text };
    sheet.field("Name", &pane.name.shown());
    sheet.field("Domain", &main.tenant.domain().to_string());
    sheet.field("Client ID", &shown(&pane.client_id));
    secret(painter, &mut sheet, state, main, pane);
    changes::draw(painter, &mut sheet, state, main, pane);
    match &pane.settings {
        Settings::Loading(_) => {
            sheet.lines.push(Vec::new());
            sheet.lines.push(vec![Piece::new(format!("{} Loading the settings…", spinner(state)), theme.text)]);
        }
        Settings::Failed(error) => {
            sheet.lines.push(Vec::new());
            sheet.lines.extend(paragraph(&format!("✗ {error}"), cells, theme.danger));
            sheet.lines.extend(paragraph(&error.hint, cells, theme.text));
            sheet.lines.extend(paragraph("Ctrl-R tries again.", cells, theme.text));
        }
        Settings::Ready(client) => settings(&mut sheet, client),
    }
    sheet.lines
}

pub(super) struct Sheet {
    pub(super) lines: Vec<Vec<Piece>>,
    pub(super) room: u16,
    label: ratatui::style::Style,
    text: ratatui::style::Style,
}

impl Sheet {
    pub(super) fn pieces(&mut self, label: &str, pieces: Vec<Piece>) {
        let mut line = vec![Piece::new(format!("{label:<width$}", width = usize::from(LABEL)), self.label)];
        line.extend(pieces);
        self.lines.push(line);
    }

    pub(super) fn field(&mut self, label: &str, value: &str) {
        let value = if value.is_empty() { "—" } else { value };
        let mut label = label;
        for part in wrap(value, self.room) {
            self.pieces(label, vec![Piece::new(part, self.text)]);
            label = "";
        }
    }

    /// Lines that stand under a value.
    pub(super) fn note(&mut self, lines: &[Vec<Piece>]) {
        for line in lines {
            self.pieces("", line.clone());
        }
    }

    /// The cells of a line without a label.
    pub(super) fn whole(&self) -> u16 {
        LABEL + self.room
    }

    fn optional(&mut self, label: &str, value: Option<&Untrusted>) {
        self.field(label, &value.map(Untrusted::shown).unwrap_or_default());
    }

    fn list(&mut self, label: &str, values: &[Untrusted]) {
        if values.is_empty() {
            return self.field(label, "");
        }
        let mut label = label;
        for value in values {
            self.field(label, &value.shown());
            label = "";
        }
    }

    fn heading(&mut self, text: &str) {
        self.lines.push(Vec::new());
        let style = self.text.add_modifier(ratatui::style::Modifier::BOLD);
        self.lines.push(vec![Piece::new(text, style)]);
    }
}

fn secret(painter: &Painter<'_>, sheet: &mut Sheet, state: &State, main: &Main, pane: &Pane) {
    let theme = painter.theme;
    let rotate = match availability_below(state, Action::Rotate) {
        Availability::Ready => Piece::button("  ⟳ rotate", theme.key, Action::Rotate),
        _ => Piece::button("  ⟳ rotate", theme.dim, Action::Rotate),
    };
    let shown_now = matches!(pane.secret, SecretView::Shown { .. });
    if let SecretView::Shown { secret, .. } = &pane.secret {
        let text = shown(secret.expose()).into_owned();
        if width(&text) + 10 <= sheet.room {
            sheet.pieces("Client Secret", vec![Piece::new(text, theme.secret), rotate]);
        } else {
            // On lines of its own, as few as can be: to be read, or selected with the mouse.
            let beside = " ".repeat(usize::from(width(MASK)));
            sheet.pieces("Client Secret", vec![Piece::new(beside, theme.text), rotate]);
            for part in wrap(&text, LABEL + sheet.room) {
                sheet.lines.push(vec![Piece::new(part, theme.secret)]);
            }
        }
    } else {
        sheet.pieces("Client Secret", vec![Piece::new(MASK, theme.text), rotate]);
    }
    let reveal = availability_below(state, Action::Reveal);
    let style = if reveal == Availability::Ready { theme.text } else { theme.dim };
    let mark = if shown_now { "[x]" } else { "[ ]" };
    let mut pieces = vec![Piece::button(format!("{mark} Reveal client secret"), style, Action::Reveal)];
    match &pane.secret {
        SecretView::Shown { until, .. } => {
            let words = if sheet.room < 40 { "" } else { "hides in " };
            pieces.push(Piece::new(format!("  {words}{} s", until.seconds_from(state.now)), theme.dim));
        }
        SecretView::Reading { .. } => pieces.push(Piece::new(format!("  {} reading…", spinner(state)), theme.dim)),
        _ => {}
    }
    sheet.pieces("", pieces);
    let note = |sheet: &mut Sheet, text: &str, style| {
        sheet.note(&paragraph(text, sheet.room, style));
    };
    match &pane.secret {
        SecretView::NotVisible => note(
            sheet,
            "! Auth0 showed no secret: the token may not read it (read:client_keys), or there is none.",
            theme.warning,
        ),
        SecretView::Failed(error) => {
            note(sheet, &format!("✗ {error}"), theme.danger);
            note(sheet, &error.hint, theme.text);
        }
        _ => {}
    }
    for action in [Action::Reveal, Action::Rotate] {
        // That it is being rotated is said below, with how far it is.
        let running = action == Action::Rotate && at_work(state, main, &pane.client_id).is_some();
        if let Availability::Blocked(reason) = availability_below(state, action)
            && pane.client().is_some()
            && !running
        {
            note(sheet, &reason, theme.dim);
            if pane.client().is_some_and(|client| not_rotatable(&client.summary.auth).is_some()) {
                break;
            }
        }
    }
    if let Some(job) = keymap::job_of(state, &pane.client_id) {
        let (sign, style) = match &job.ended {
            None => return,
            // Its steps and targets tell it already.
            Some(Ok(_)) if job.task.procedure != Procedure::RotateNow => return,
            Some(Ok(_)) => ("✓", theme.good),
            Some(Err(_)) if job.in_doubt() || job.leased_by().is_some() => ("?", theme.warning),
            Some(Err(_)) => ("✗", theme.danger),
        };
        note(sheet, &format!("{sign} {}", job.summary()), style);
        let hint = job.error().map(|error| error.hint.as_str()).filter(|hint| !hint.is_empty());
        if let Some(hint) = hint.filter(|_| job.task.procedure != Procedure::RotateNow) {
            note(sheet, hint, theme.text);
        }
    }
}

fn yes_no(value: Option<bool>) -> &'static str {
    match value {
        Some(true) => "yes",
        Some(false) => "no",
        None => "",
    }
}

fn duration(seconds: Option<u64>) -> String {
    let Some(seconds) = seconds else { return String::new() };
    let units = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")];
    units
        .iter()
        .find(|(size, _)| seconds >= *size && seconds.is_multiple_of(*size))
        .map_or_else(|| format!("{seconds} s"), |(size, name)| format!("{} {name}", seconds / size))
}

fn settings(sheet: &mut Sheet, client: &Client) {
    let summary = &client.summary;
    sheet.optional("Description", client.description.as_ref());
    let kind = summary.app_type.as_ref().map(Untrusted::raw);
    sheet.field("Type", &shown(app_type_label(kind)));
    sheet.field("Authentication", &summary.auth.label());
    sheet.field("First party", yes_no(summary.is_first_party));
    if summary.global {
        sheet.field("Global", "yes: the tenant's own client");
    }
    sheet.list("Grants", &client.grant_types);
    sheet.heading("Application URIs");
    sheet.optional("Login URI", client.initiate_login_uri.as_ref());
    sheet.list("Callbacks", &client.callbacks);
    sheet.list("Logout URLs", &client.logout_urls);
    sheet.list("Web origins", &client.web_origins);
    sheet.list("Allowed origins", &client.allowed_origins);
    sheet.field("Cross-origin auth", yes_no(client.cross_origin));
    sheet.heading("Tokens");
    let algorithm = client.signing_algorithm.as_ref().map(Untrusted::shown).unwrap_or_default();
    sheet.field(
        "ID token signing",
        &if client.signs_with_secret() {
            format!("{algorithm} (with the client secret)").trim().to_owned()
        } else {
            algorithm.into_owned()
        },
    );
    sheet.field("ID token lifetime", &duration(client.id_token_seconds));
    sheet.field("OIDC conformant", yes_no(client.oidc_conformant));
    sheet.optional("Refresh rotation", client.refresh_rotation.as_ref());
    sheet.optional("Refresh expiry", client.refresh_expiration.as_ref());
    sheet.field("Refresh lifetime", &duration(client.refresh_seconds));
    sheet.field("Refresh idle", &duration(client.refresh_idle_seconds));
    sheet.optional("Organizations", client.organization_usage.as_ref());
    sheet.heading("Metadata");
    if client.metadata.is_empty() {
        sheet.field("", "none");
    }
    for (key, value) in &client.metadata {
        let key = crate::tui::view::text::fit(&key.shown(), LABEL - 1).into_owned();
        sheet.field(&key, &value.shown());
    }
}
