//! From an event to a new state and effects, one file for each kind of event.

/// What actions do on the main screen, and everywhere.
mod act;
/// Keys and pasted text.
mod keys;
/// Forgetting keys, and asking for them.
mod lock;
/// What actions do in what lies over the screen.
mod overlay;
/// The mouse.
mod pointer;
/// What the ledger and the configuration know.
mod records;
/// Asking, starting and ending what changes a rollover.
mod rollover;
/// Revealing and copying.
mod secret;
/// Connecting a tenant.
mod sign_in;
/// Targets: a list, a form, a look at what they hold.
mod targets;
/// The first screen, going to another tenant, what is asked for on the way.
mod tenants;

use crate::auth0::Error;
use crate::domain::{Domain, OpenFailure};
use crate::tui::app::effect::Effect;
use crate::tui::app::event::{Event, Moment};
use crate::tui::app::screen::clients::Clients;
use crate::tui::app::screen::pane::Settings;
use crate::tui::app::screen::{Focus, Main, Screen, Welcome};
use crate::tui::app::state::{State, Tenant, TenantId, Ticket, Which};

use keys::{pasted, press_held, pressed};
use pointer::{clicked, scrolled};
pub use records::standing;
use secret::{copied, secret_arrived};

/// Takes in an event that happened at `now`: changes the state, and says what must be done.
pub fn update(state: &mut State, now: Moment, event: Event) -> Vec<Effect> {
    state.now = now.max(state.now);
    let mut effects = expire(state);
    if matches!(event, Event::Key(_) | Event::Pasted(_) | Event::Clicked(_) | Event::Scrolled(..)) {
        state.touched = state.now;
    }
    effects.extend(match event {
        Event::Key(key) => pressed(state, key),
        Event::Pasted(text) => pasted(state, &text),
        Event::Clicked(target) => clicked(state, target),
        Event::Scrolled(target, notches) => scrolled(state, target, notches),
        Event::Resized(width, height) => {
            state.size = (width, height);
            Vec::new()
        }
        Event::FocusLost => {
            hide_secrets(state);
            Vec::new()
        }
        // What another process did meanwhile is seen when somebody looks again.
        Event::FocusGained | Event::Resumed => records::read_again(state),
        Event::Woke => Vec::new(),
        Event::DemoStarted(Ok(url)) => demo_started(state, &url),
        Event::DemoStarted(Err(why)) => {
            state.screen = Screen::Welcome(Welcome { failed: Some(why), ..Welcome::default() });
            Vec::new()
        }
        Event::Paced(wait) => {
            state.paced_until = wait.map(|wait| state.now.after(wait));
            Vec::new()
        }
        Event::Copied(kind, result) => {
            copied(state, kind, result);
            Vec::new()
        }
        Event::LedgerRead(id, read) => records::ledger_read(state, id, read),
        Event::ArrangementsRead(id, read) => {
            records::arrangements_read(state, id, read);
            Vec::new()
        }
        Event::JobProgressed(id, progress) => {
            if let Some(job) = state.job_mut(id) {
                if let crate::domain::rotation::Progress::Recorded(row) = &progress {
                    let row = (**row).clone();
                    job.progress(progress);
                    state.records.put(row);
                } else {
                    job.progress(progress);
                }
            }
            Vec::new()
        }
        Event::JobEnded(id, ended) => {
            rollover::job_ended(state, id, *ended);
            Vec::new()
        }
        Event::JobNeedsKey(id, need, why) => {
            rollover::needs_key(state, id, need, why);
            Vec::new()
        }
        Event::PendingOpened(ticket, result) => lock::pending_opened(state, ticket, result),
        Event::TargetsChecked(ticket, found) => {
            targets::checked(state, ticket, found);
            Vec::new()
        }
        Event::Arranged(id, result) => targets::arranged(state, id, result),
        Event::PassphraseGiven(result) => lock::passphrase_given(state, result),
        Event::Unsealed => {
            state.unsealed = true;
            state.locked = false;
            Vec::new()
        }
        Event::Opened(id, result) => opened(state, id, result),
        Event::Unlocked(id, result) => tenants::unlocked(state, id, result),
        Event::Surveyed(found, known) => {
            tenants::surveyed(state, *found, known);
            Vec::new()
        }
        Event::Tried(ticket, result) => {
            sign_in::tried(state, ticket, *result);
            Vec::new()
        }
        Event::Stored(ticket, result) => sign_in::stored(state, ticket, result),
        Event::Examined(ticket, report) => {
            tenants::examined(state, ticket, report);
            Vec::new()
        }
        Event::UsedByDefault(name, result) => {
            tenants::used_by_default(state, &name, result);
            Vec::new()
        }
        Event::Connected(ticket, result) => {
            if let Screen::Main(main) = &mut state.screen
                && main.tenant.ticket == ticket
            {
                main.tenant.session = Some(result);
            }
            records::go_on(state)
        }
        Event::ClientLoaded(ticket, result) => {
            client_loaded(state, ticket, *result);
            Vec::new()
        }
        Event::SecretArrived(ticket, result) => secret_arrived(state, ticket, result),
        Event::PageArrived(ticket, page) => {
            with_clients(state, |clients, tickets| clients.page_arrived(ticket, &page, tickets))
        }
        Event::ClientsLoaded(ticket, result) => {
            with_clients(state, |clients, tickets| clients.loaded(ticket, result, tickets))
        }
        Event::Sorted(ticket, order) => with_clients(state, |clients, tickets| clients.sorted(ticket, order, tickets)),
        Event::Matched(ticket, rows) => {
            let mut effects =
                with_clients(state, |clients, tickets| clients.matched(ticket, rows, tickets).into_iter().collect());
            effects.extend(press_held(state));
            effects
        }
    });
    records::watch(state);
    effects
}

/// The screen of a tenant that can be talked to already, and the effects that fill it.
pub fn open_tenant(state: &mut State, which: Which) -> Vec<Effect> {
    let (session, load) = show_tenant(state, which);
    let mut effects = vec![Effect::LoadClients(load), Effect::Connect(session)];
    effects.extend(records::read_again(state));
    effects
}

/// The screen of a tenant whose credentials have yet to be found.
pub fn open_stored(state: &mut State, which: Which) -> Vec<Effect> {
    show_tenant(state, which);
    let Screen::Main(main) = &state.screen else { return Vec::new() };
    // As it is on screen: `--read-only` holds for it too.
    let open = Effect::OpenTenant(main.tenant.id, Box::new(main.tenant.which.profile.clone()));
    std::iter::once(open).chain(records::read_again(state)).collect()
}

fn show_tenant(state: &mut State, mut which: Which) -> (Ticket, Ticket) {
    let (id, session, load) = (state.ticket(), state.ticket(), state.ticket());
    which.profile.read_only |= state.read_only;
    hide_secrets(state);
    state.overlay = None;
    state.held.clear();
    state.paced_until = None;
    state.records = crate::tui::app::records::Records::default();
    state.screen = Screen::Main(Box::new(Main {
        tenant: Tenant { id: TenantId(id.0), which, closed: None, ticket: session, session: None },
        clients: Clients::loading(load),
        pane: None,
        focus: Focus::Table,
    }));
    (session, load)
}

fn opened(state: &mut State, id: TenantId, result: Result<(), OpenFailure>) -> Vec<Effect> {
    let (session, load) = (state.ticket(), state.ticket());
    let Screen::Main(main) = &mut state.screen else { return Vec::new() };
    if main.tenant.id != id {
        return Vec::new();
    }
    match result {
        Ok(()) => {
            main.tenant.closed = None;
            main.tenant.ticket = session;
            main.clients.reload(load);
            vec![Effect::LoadClients(load), Effect::Connect(session)]
        }
        Err(failure) => {
            tenants::not_opened(state, id, failure);
            Vec::new()
        }
    }
}

fn demo_started(state: &mut State, url: &str) -> Vec<Effect> {
    match Domain::parse(url) {
        Ok(domain) => open_tenant(state, Which::demo(domain)),
        Err(why) => {
            state.screen = Screen::Welcome(Welcome { failed: Some(why), ..Welcome::default() });
            Vec::new()
        }
    }
}

fn with_main(state: &mut State, change: impl FnOnce(&mut Main)) {
    if let Screen::Main(main) = &mut state.screen {
        change(main);
    }
}

fn with_clients(
    state: &mut State,
    change: impl FnOnce(&mut Clients, &mut dyn FnMut() -> Ticket) -> Vec<Effect>,
) -> Vec<Effect> {
    if !matches!(state.screen, Screen::Main(_)) {
        return Vec::new();
    }
    let Screen::Main(mut main) = std::mem::replace(&mut state.screen, Screen::Welcome(Welcome::default())) else {
        return Vec::new();
    };
    let effects = change(&mut main.clients, &mut || state.ticket());
    state.screen = Screen::Main(main);
    effects
}

/// What goes away by itself, goes.
fn expire(state: &mut State) -> Vec<Effect> {
    let now = state.now;
    state.notice.take_if(|notice| notice.until <= now);
    state.paced_until.take_if(|until| *until <= now);
    if let Screen::Main(main) = &mut state.screen
        && let Some(pane) = &mut main.pane
        && [pane.revealed_until(), pane.pending_until()].into_iter().flatten().any(|until| until <= now)
    {
        pane.hide();
    }
    for job in &mut state.jobs {
        job.revealed_until.take_if(|until| *until <= now);
    }
    let mut effects = Vec::new();
    if state.clipboard.take_if(|held| held.clears_at <= now).is_some_and(|held| held.by_terminal) {
        effects.push(Effect::ClearTerminalClipboard);
    }
    effects.extend(lock::lock_if_due(state));
    effects.extend(records::due_look(state));
    effects
}

fn hide_secrets(state: &mut State) {
    if let Screen::Main(main) = &mut state.screen
        && let Some(pane) = &mut main.pane
    {
        pane.hide();
    }
    for job in &mut state.jobs {
        job.revealed_until = None;
    }
}

/// Moves the focus out of the settings, which may stay on screen: a revealed secret does not.
fn leave_pane(main: &mut Main, to: Focus) {
    main.focus = to;
    if let Some(pane) = &mut main.pane {
        pane.hide();
    }
}

fn client_loaded(state: &mut State, ticket: Ticket, result: Result<crate::domain::Client, Error>) {
    if let Screen::Main(main) = &mut state.screen
        && let Some(pane) = &mut main.pane
        && matches!(pane.settings, Settings::Loading(asked) if asked == ticket)
    {
        pane.settings = match result {
            Ok(client) => {
                pane.name = client.summary.name.clone();
                Settings::Ready(Box::new(client))
            }
            Err(error) => Settings::Failed(error),
        };
    }
}

#[cfg(test)]
mod tests;
