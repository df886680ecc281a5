use ratatui::layout::Rect;

use crate::domain::untrusted::shown;
use crate::domain::{Environment, WayIn};
use crate::tui::app::State;
use crate::tui::app::event::Target;
use crate::tui::app::screen::sign_in::Kind;
use crate::tui::app::screen::{FirstChoice, Welcome};
use crate::tui::view::chrome::spinner;
use crate::tui::view::paint::{Painter, Piece, paragraph};
use crate::tui::view::text::fit;

/// Draws the first screen: the tenants that are there, the ways to connect one, the demo.
pub fn draw(painter: &mut Painter<'_>, area: Rect, welcome: &Welcome, state: &State) {
    let theme = painter.theme;
    let cells = area.width.saturating_sub(6).min(76);
    let choices = welcome.choices(&state.known, state.surroundings.as_ref());
    let mut above = vec![vec![Piece::new("rollover", theme.accent)]];
    above.extend(paragraph("Change the client secrets of Auth0 applications.", cells, theme.text));
    above.push(Vec::new());
    let first = if welcome.back.is_some() {
        "Another tenant. How should rollover sign in there?"
    } else if state.known.is_empty() {
        "No tenant is connected yet. How should rollover sign in?"
    } else {
        "Which tenant? Or connect another one:"
    };
    above.extend(paragraph(first, cells, theme.title));
    let mut below = Vec::new();
    if welcome.starting {
        below.push(vec![Piece::new(format!("{} Starting the pretend tenant…", spinner(state)), theme.text)]);
    }
    if let Some(why) = &welcome.failed {
        below.extend(paragraph(&format!("✗ The demo could not start: {}", shown(why)), cells, theme.danger));
    }
    if let Some(why) = &state.misconfigured {
        below.extend(paragraph(&format!("✗ {why}"), cells, theme.danger));
    }
    if let Some(trouble) = state.surroundings.as_ref().and_then(|found| found.auth0_cli_trouble.as_ref()) {
        below.extend(paragraph(&format!("! auth0-cli: {}", shown(trouble)), cells, theme.warning));
    }
    if let Some(notice) = &state.notice {
        below.extend(paragraph(&format!("! {}", notice.text), cells, theme.warning));
    }
    if !below.is_empty() {
        below.insert(0, Vec::new());
    }
    below.push(Vec::new());
    below.extend(paragraph(
        "In scripts and CI, nothing has to be connected: set AUTH0_DOMAIN with AUTH0_API_TOKEN, or with AUTH0_CLIENT_ID and \
         AUTH0_CLIENT_SECRET. `rollover login` asks the same questions as this screen.",
        cells,
        theme.dim,
    ));
    let x = area.x + 3;
    let bottom = area.bottom().saturating_sub(1);
    let mut y = area.y + 1;
    for line in &above {
        painter.line(Rect { x, y, width: cells, height: 1 }, line);
        y += 1;
    }
    y += 1;
    // As many lines as there is room for, with the selected one among them; what stands below them gives way first.
    let room = usize::from(bottom.saturating_sub(y + 1));
    let page = choices.len().min(room);
    let offset = (welcome.selected + 1).saturating_sub(page);
    for (position, choice) in choices.iter().enumerate().skip(offset).take(page) {
        let line = Rect { x: x.saturating_sub(1), y, width: cells + 1, height: 1 };
        painter.target(line, Target::Choice(position));
        if position == welcome.selected {
            painter.style(line, theme.selected);
        }
        painter.text(x, y, cells, &describe(choice, state.wall()), theme.text);
        y += 1;
    }
    for (line, y) in below.iter().zip(y..bottom) {
        painter.line(Rect { x, y, width: cells, height: 1 }, line);
    }
}

fn describe(choice: &FirstChoice<'_>, now: i64) -> String {
    match choice {
        FirstChoice::Open(known) => {
            let profile = &known.profile;
            let environment =
                profile.environment.map(Environment::name).map(|name| format!("  [{name}]")).unwrap_or_default();
            let way = profile.way_in.as_ref().map_or("signs in by environment variables", WayIn::name);
            format!("{}  {}{environment}  {way}", fit(&shown(&profile.name), 24), profile.domain)
        }
        FirstChoice::Connect(Kind::ClientSecret) => "A machine-to-machine client, with its client secret".to_owned(),
        FirstChoice::Connect(Kind::PrivateKey) => {
            "A machine-to-machine client, with a private key (private key JWT)".to_owned()
        }
        FirstChoice::Connect(_) => "An access token of the Management API".to_owned(),
        FirstChoice::Auth0Cli(found) => {
            let expired = found.expires_at.is_some_and(|at| at <= now);
            let how = if expired { "auth0-cli's token has expired" } else { "auth0-cli is signed in" };
            format!("{}, where {how}", found.domain)
        }
        FirstChoice::Demo => "Try the demo: a pretend tenant inside this program, nothing to set up".to_owned(),
    }
}
