//! What stands around every screen: header, status, notices, footer.
use ratatui::layout::Rect;

use super::paint::{Painter, Piece};
use super::text::{width, wrap};
use crate::domain::{Ability, Environment};
use crate::tui::app::State;
use crate::tui::app::action::Action;
use crate::tui::app::event::Target;
use crate::tui::app::keymap::{self, Availability};
use crate::tui::app::screen::clients::{Clients, Loading};
use crate::tui::app::screen::{Focus, Main, place};
use crate::tui::app::state::{Tenant, Tone};

const SPINNER: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/// The picture of a spinner that is due.
#[must_use]
pub fn spinner(state: &State) -> &'static str {
    SPINNER[state.spin() % SPINNER.len()]
}

/// Tenant, environment, how many clients, what the token may do.
pub fn header(painter: &mut Painter<'_>, area: Rect, state: &State, tenant: &Tenant, clients: &Clients) {
    let theme = painter.theme;
    let mut left = vec![Piece::new(" rollover ", theme.accent)];
    let profile = &tenant.which.profile;
    let name = if tenant.demo() {
        "pretend tenant (demo)".to_owned()
    } else if tenant.which.stored && profile.name != profile.domain.tenant_name() {
        let name = super::text::fit(&crate::domain::untrusted::shown(&profile.name), 24).into_owned();
        if area.width >= 100 { format!("{name} · {}", profile.domain) } else { name }
    } else {
        profile.domain.to_string()
    };
    left.push(Piece::button(format!(" {name} "), theme.badge(tenant.colour()), Action::Tenants));
    left.push(Piece::new(" ", theme.text));
    match tenant.environment() {
        Some(Environment::Production) => left.push(Piece::new(" PRODUCTION ", theme.production)),
        Some(other) => left.push(Piece::new(format!("[{}]", other.name()), theme.dim)),
        None => left.push(Piece::new("[no environment]", theme.dim)),
    }
    if profile.read_only {
        left.push(Piece::new(" ", theme.text));
        left.push(Piece::new(" READ-ONLY ", theme.locked));
    }
    if state.locked {
        left.push(Piece::new(" ", theme.text));
        left.push(Piece::new(" LOCKED ", theme.locked));
    }
    if let Some(beaten) = &tenant.which.beats {
        let beaten = super::text::fit(&crate::domain::untrusted::shown(beaten), 20).into_owned();
        let text =
            if area.width >= 100 { format!(" by environment, not `{beaten}`") } else { " by environment".to_owned() };
        left.push(Piece::new(text, theme.title));
    }
    let count = match (&clients.loading, clients.total) {
        _ if tenant.closed.is_some() => String::new(),
        (Loading::Running, Some(total)) => format!(" {} {} of {total} clients", spinner(state), clients.catalog.len()),
        (Loading::Running, None) => format!(" {} {} clients", spinner(state), clients.catalog.len()),
        (Loading::Done, _) => format!(" {} clients", clients.catalog.len()),
        (Loading::Failed(_), _) if clients.catalog.is_empty() => " no clients loaded".to_owned(),
        (Loading::Failed(_), _) => format!(" {} clients, not all", clients.catalog.len()),
    };
    left.push(Piece::new(count, theme.text));
    let left_width: u16 = left.iter().map(|piece| width(&piece.text)).sum();
    // On a narrow screen the tenant matters more than what the token may do: that is also said where it counts.
    for full in [true, false] {
        let right = abilities(painter, tenant, state.token_left(), full);
        let right_width: u16 = right.iter().map(|piece| width(&piece.text)).sum();
        if left_width + right_width + 2 <= area.width {
            let x = area.right() - right_width - 1;
            painter.line(Rect { x, width: right_width, ..area }, &right);
            break;
        }
    }
    painter.line(area, &left);
}

/// What the token may do: in full, or only what matters most.
fn abilities(painter: &Painter<'_>, tenant: &Tenant, left: Option<i64>, full: bool) -> Vec<Piece> {
    let theme = painter.theme;
    match &tenant.session {
        _ if tenant.closed.is_some() => vec![Piece::new("✗ not signed in", theme.danger)],
        None => vec![Piece::new("signing in…", theme.dim)],
        Some(Err(_)) => vec![Piece::new("✗ not signed in", theme.danger)],
        Some(Ok(session)) => {
            let scopes = &session.scopes;
            let all = [
                ("list", scopes.list_clients()),
                ("reveal", scopes.read_secrets()),
                ("rotate", scopes.rotate()),
                ("logs", scopes.read_logs()),
            ];
            let mut pieces = Vec::new();
            if full {
                pieces.push(Piece::new("token may: ", theme.dim));
            }
            for (name, ability) in all {
                if !full && !matches!(name, "reveal" | "rotate") {
                    continue;
                }
                let (sign, style) = match ability {
                    Ability::Yes => ("✓", theme.good),
                    Ability::Unknown => ("?", theme.dim),
                    Ability::No { .. } => ("✗", theme.danger),
                };
                pieces.push(Piece::new(format!("{name} "), theme.text));
                pieces.push(Piece::new(format!("{sign} "), style));
            }
            if let Some(left) = left {
                let (text, style) = match left {
                    i64::MIN..=0 => ("token expired ".to_owned(), theme.danger),
                    1..=300 => (format!("token {left} s "), theme.title),
                    301..=7200 => (format!("token {} min ", left / 60), theme.text),
                    _ => (format!("token {} h ", left / 3600), theme.dim),
                };
                pieces.insert(0, Piece::new(text, style));
            }
            if let Some(proxy) = &session.proxy {
                pieces.push(Piece::new(format!("via {} ", crate::domain::untrusted::shown(proxy)), theme.title));
            }
            pieces
        }
    }
}

/// The filter, how much of the list it leaves, and the order; what is under way.
pub fn status(painter: &mut Painter<'_>, area: Rect, state: &State, main: &Main) {
    let theme = painter.theme;
    let clients = &main.clients;
    let running: Vec<_> = state.running().collect();
    let known = state.records.of(main.tenant.domain()).count();
    let unfinished = state.records.unfinished(main.tenant.domain()).count();
    let right = match running.as_slice() {
        [] if unfinished > 0 => format!("{} unfinished (o)", rollovers(unfinished)),
        [] if known > 0 => format!("{} (o)", rollovers(known)),
        [] => String::new(),
        [one] => format!(
            "{} {} {} {} s (o)",
            spinner(state),
            one.task.procedure.doing(),
            super::text::fit(&keymap::named(&one.task.name, &one.task.client_id), 24),
            state.now.since(one.began).as_secs()
        ),
        more => format!("{} {} under way (o)", spinner(state), rollovers(more.len())),
    };
    let right_width = width(&right);
    let x = area.right().saturating_sub(right_width + 1);
    let style = if running.is_empty() && unfinished == 0 { theme.dim } else { theme.title };
    painter.text(x, area.y, right_width, &right, style);
    if right_width > 0 {
        painter.target(Rect { x, width: right_width, ..area }, Target::Button(Action::Rollovers));
    }
    let room = Rect { x: area.x + 1, width: x.saturating_sub(area.x + 2), ..area };
    let typing = main.focus == Focus::Filter && state.overlay.is_none();
    if typing || !clients.filter.value().is_empty() {
        painter.text(room.x, room.y, 2, "/", theme.key);
        let counts = format!("  {} of {}", clients.len(), clients.catalog.len());
        let box_width = room.width.saturating_sub(2 + width(&counts)).min(40);
        let field = Rect { x: room.x + 2, width: box_width, ..room };
        if typing {
            painter.input(field, &clients.filter, theme.text);
            painter.style(field, ratatui::style::Style::new().add_modifier(ratatui::style::Modifier::UNDERLINED));
        } else {
            let value = crate::domain::untrusted::shown(clients.filter.value());
            painter.text(field.x, field.y, field.width, &value, theme.text);
        }
        painter.text(field.right(), room.y, room.right().saturating_sub(field.right()), &counts, theme.dim);
    } else {
        painter.text(room.x, room.y, room.width, &format!("sorted by {}", clients.order.name()), theme.dim);
        painter.target(Rect { width: room.width.min(24), ..room }, Target::Button(Action::Sort));
    }
}

fn rollovers(count: usize) -> String {
    if count == 1 { "1 rollover".to_owned() } else { format!("{count} rollovers") }
}

/// What just happened, or what is being waited for.
pub fn notice(painter: &mut Painter<'_>, area: Rect, state: &State, main: &Main) {
    let theme = painter.theme;
    let room = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if let Some(notice) = &state.notice {
        let (sign, style) = match notice.tone {
            Tone::Info => ("·", theme.text),
            Tone::Good => ("✓", theme.good),
            Tone::Warning => ("!", theme.warning),
            Tone::Bad => ("✗", theme.danger),
        };
        // A long one grows upwards, over what stands there: it goes away by itself.
        let lines = wrap(&notice.text, room.width.saturating_sub(2));
        let most = usize::from(area.y.saturating_sub(2)).min(4);
        for (line, above) in lines.iter().take(most).zip((0..lines.len().min(most)).rev()) {
            let y = area.y - u16::try_from(above).unwrap_or_default();
            painter.clear(Rect { y, ..area });
            painter.text(room.x + 2, y, room.width.saturating_sub(2), line, theme.text);
        }
        let top = area.y - u16::try_from(lines.len().clamp(1, most) - 1).unwrap_or_default();
        painter.text(room.x, top, 2, sign, style);
        return;
    }
    if let Some(until) = state.paced_until {
        let text = format!("! Waiting {} s for Auth0's rate limit", until.seconds_from(state.now));
        painter.text(room.x, room.y, room.width, &text, theme.title);
        return;
    }
    // With no client at all, the place of the table says it.
    if let Loading::Failed(error) = &main.clients.loading
        && !main.clients.catalog.is_empty()
    {
        let text = format!("Not all clients came (Ctrl-R tries again): {error}");
        painter.line(room, &[Piece::new("✗ ", theme.danger), Piece::new(text, theme.text)]);
        return;
    }
    if !main.clients.is_empty() && state.overlay.is_none() {
        let text = format!("{}/{}", main.clients.selected + 1, main.clients.len());
        let x = room.right().saturating_sub(width(&text));
        painter.text(x, room.y, width(&text), &text, theme.dim);
    }
}

/// The keys that work here now, the most useful first.
pub fn footer(painter: &mut Painter<'_>, area: Rect, state: &State) {
    let theme = painter.theme;
    let place = place(&state.screen, state.overlay.as_ref());
    let mut bindings: Vec<_> = keymap::at(place)
        .filter(|binding| binding.footer > 0 && keymap::availability(state, binding.action) == Availability::Ready)
        .collect();
    bindings.sort_by_key(|binding| binding.footer);
    let mut x = area.x + 1;
    for binding in bindings {
        let Some(key) = binding.keys.first() else { continue };
        let key = key.to_string();
        let needed = width(&key) + 1 + width(binding.short);
        if x + needed > area.right() {
            break;
        }
        painter.text(x, area.y, width(&key), &key, theme.key);
        painter.text(x + width(&key) + 1, area.y, width(binding.short), binding.short, theme.text);
        painter.target(Rect { x, width: needed, ..area }, Target::Button(binding.action));
        x += needed + 2;
    }
}
