use ratatui::layout::Rect;

use crate::domain::untrusted::shown;
use crate::domain::{Environment, Keep, WayIn};
use crate::tui::app::State;
use crate::tui::app::event::Target;
use crate::tui::app::screen::Screen;
use crate::tui::app::screen::switcher::{Choice, Known, Switcher};
use crate::tui::view::paint::{Painter, Piece, middle};
use crate::tui::view::text::{ago, fit, width};

/// Draws the tenants to go to.
pub fn draw(painter: &mut Painter<'_>, cover: Rect, switcher: &Switcher, state: &State) {
    let theme = painter.theme;
    let outer = middle(cover, 100, 18);
    let inner = painter.frame(outer, "Tenants", theme.accent);
    painter.target(outer, Target::Overlay);
    painter.text(inner.x, inner.y, 2, ">", theme.key);
    let field = Rect { x: inner.x + 2, width: inner.width.saturating_sub(2), height: 1, ..inner };
    painter.input(field, &switcher.input, theme.text);
    let mut list = Rect { y: inner.y + 2, height: inner.height.saturating_sub(2), ..inner };
    if let Some(why) = &state.misconfigured {
        painter.text(list.x, list.y, list.width, &format!("✗ {why}"), theme.text);
        list = Rect { y: list.y + 1, height: list.height.saturating_sub(1), ..list };
    }
    let choices = switcher.choices(&state.known);
    let page = usize::from(list.height);
    let offset = (switcher.selected + 1).saturating_sub(page);
    for ((position, choice), y) in choices.iter().enumerate().skip(offset).zip(list.y..list.bottom()) {
        let line = Rect { y, height: 1, ..list };
        let selected = position == switcher.selected;
        if selected {
            painter.style(line, theme.selected);
        }
        match choice {
            Choice::Tenant(known) => draw_tenant(painter, line, known, state, selected),
            Choice::Connect => {
                painter.text(line.x, y, line.width, "+ connect another tenant", theme.text);
            }
            Choice::Demo => {
                painter.text(line.x, y, line.width, "~ the demo: a pretend tenant inside this program", theme.text);
            }
        }
        painter.target(line, Target::Choice(position));
    }
}

fn draw_tenant(painter: &mut Painter<'_>, line: Rect, known: &Known, state: &State, selected: bool) {
    let theme = painter.theme;
    let profile = &known.profile;
    let colour = profile.colour.unwrap_or_else(|| crate::domain::Colour::of(profile.environment));
    let open = matches!(&state.screen, Screen::Main(main) if *main.tenant.domain() == profile.domain);
    let mark = match (open, known.selected) {
        (true, _) => "›",
        (false, true) => "*",
        (false, false) => " ",
    };
    // On a narrow screen where the credential is kept gives way: that is told where it matters.
    let wide = line.width >= 90;
    let name_cells = if wide { 20 } else { 16 };
    let rest = if wide { 36 + 12 } else { 36 };
    let domain_cells = line.width.saturating_sub(2 + name_cells + 2 + 1 + rest).max(12);
    let name = fit(&shown(&profile.name), name_cells).into_owned();
    let padding = " ".repeat(usize::from(name_cells.saturating_sub(width(&name))));
    let name_style = if selected { theme.title } else { theme.badge(colour) };
    let environment = profile.environment.map_or("", Environment::name);
    let changes = if profile.read_only { "read-only" } else { "" };
    let kept = match (profile.kept, &profile.way_in) {
        (Some(Keep::Keyring), _) => "keyring",
        (Some(Keep::File), _) => "sealed file",
        (None, Some(WayIn::Auth0Cli)) => "auth0-cli",
        (None, Some(WayIn::PrivateKeyJwt { key_file: Some(_), .. })) => "key file",
        (None, Some(_)) => "asks",
        (None, None) => "environment",
    };
    let used = known.last_used.map(|at| ago(state.wall() - at)).unwrap_or_default();
    // The badge first, and beside it no more than fits: what is cut is what matters least.
    let domain = profile.domain.to_string();
    let domain = format!("{:<cells$}", fit(&domain, domain_cells), cells = usize::from(domain_cells));
    let kept = if wide { format!(" {kept:<11}") } else { String::new() };
    let rest = format!(" {domain} {environment:<11} {changes:<9}{kept} {used}").trim_end().to_owned();
    painter.line(
        line,
        &[
            Piece::new(format!("{mark} "), theme.text),
            Piece::new(format!(" {name} "), name_style),
            Piece::new(padding, theme.text),
            Piece::new(rest, theme.text),
        ],
    );
}
