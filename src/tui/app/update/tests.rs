//! `update` alone: events in, state and effects out. Nothing is run.
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::auth0::{Page, SecretRead, Session};
use crate::domain::client::Warning;
use crate::domain::{AuthMethod, Client, ClientSummary, Environment, Scopes, Secret, Untrusted};
use crate::rollover::Trouble;
use crate::tui::app::Action;
use crate::tui::app::event::{CopyKind, CopyReport, Target};
use crate::tui::app::job::{JobId, Procedure, Task};
use crate::tui::app::key::{Code, Key};
use crate::tui::app::keymap;
use crate::tui::app::screen::Overlay;
use crate::tui::app::screen::pane::SecretView;

const ALL: &str = "read:clients read:client_keys update:client_keys read:logs";

struct Tester {
    state: State,
    now: Moment,
}

impl Tester {
    fn with(environment: Option<Environment>, scopes: &str) -> Self {
        let mut state = State::new((120, 36), Screen::Welcome(Welcome::default()), true);
        let domain = Domain::parse("acme.eu.auth0.com").expect("a domain");
        let effects = open_tenant(&mut state, Which::at(domain, environment));
        let (Effect::LoadClients(load), Effect::Connect(connect)) = (&effects[0], &effects[1]) else {
            panic!("a tenant loads its clients and signs in: {effects:?}")
        };
        let (load, connect) = (*load, *connect);
        let mut tester = Self { state, now: Moment(1000) };
        let session = Session {
            scopes: Scopes::from_claim(scopes),
            expires_at: None,
            renews: true,
            our_client_id: Some("id-of-rollover".into()),
            proxy: None,
        };
        tester.send(Event::Connected(connect, Ok(session)));
        let clients = (0..3).map(summary).collect();
        tester.send(Event::PageArrived(load, Page { clients, total: None }));
        tester.send(Event::ClientsLoaded(load, Ok(())));
        tester
    }

    fn new() -> Self {
        Self::with(None, ALL)
    }

    fn send(&mut self, event: Event) -> Vec<Effect> {
        update(&mut self.state, self.now, event)
    }

    fn key(&mut self, key: Key) -> Vec<Effect> {
        self.send(Event::Key(key))
    }

    fn char(&mut self, character: char) -> Vec<Effect> {
        self.key(Key::char(character))
    }

    fn enter(&mut self) -> Vec<Effect> {
        self.key(Key::plain(Code::Enter))
    }

    fn esc(&mut self) -> Vec<Effect> {
        self.key(Key::plain(Code::Esc))
    }

    /// Asks to rotate now: without targets it is the first of the two ways.
    fn ask(&mut self) -> Vec<Effect> {
        let mut effects = self.char('r');
        effects.extend(self.enter());
        effects
    }

    fn wait(&mut self, time: Duration) -> Vec<Effect> {
        self.now = self.now.after(time);
        self.send(Event::Woke)
    }

    fn main(&self) -> &Main {
        match &self.state.screen {
            Screen::Main(main) => main,
            Screen::Welcome(_) | Screen::SignIn(_) => panic!("no tenant on screen"),
        }
    }

    /// Opens the first client, whose settings are these.
    fn open(&mut self, client: Client) {
        let effects = self.enter();
        let [Effect::LoadClient(ticket, id)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(id, "id-0");
        self.send(Event::ClientLoaded(*ticket, Box::new(Ok(client))));
    }

    fn reveal(&mut self, secret: &str) -> Ticket {
        let effects = self.char('v');
        let [Effect::ReadSecret(ticket, id)] = effects.as_slice() else { panic!("{effects:?}") };
        assert_eq!(id, "id-0");
        let secret = Arc::new(Secret::new(secret.into()));
        self.send(Event::SecretArrived(*ticket, Ok(SecretRead::Readable(secret))));
        *ticket
    }

    fn shown(&self) -> bool {
        matches!(self.main().pane.as_ref().map(|pane| &pane.secret), Some(SecretView::Shown { .. }))
    }
}

/// Rotating the first client now.
fn task(name: &str) -> Task {
    Task {
        client_id: "id-0".into(),
        name: name.into(),
        auth: Some(AuthMethod::SecretPost),
        targets: Vec::new(),
        procedure: Procedure::RotateNow,
    }
}

fn summary(number: usize) -> ClientSummary {
    ClientSummary {
        client_id: format!("id-{number}").into(),
        name: format!("Client {number}").into(),
        app_type: Some("regular_web".into()),
        is_first_party: Some(true),
        auth: AuthMethod::SecretPost,
        global: false,
    }
}

fn client() -> Client {
    Client {
        summary: summary(0),
        tenant: None,
        description: None,
        oidc_conformant: Some(true),
        grant_types: vec![],
        callbacks: vec![],
        logout_urls: vec![],
        web_origins: vec![],
        allowed_origins: vec![],
        initiate_login_uri: None,
        signing_algorithm: Some("RS256".into()),
        id_token_seconds: None,
        secret_encoded: None,
        refresh_rotation: None,
        refresh_expiration: None,
        refresh_seconds: None,
        refresh_idle_seconds: None,
        organization_usage: None,
        cross_origin: None,
        metadata: vec![],
    }
}

#[test]
fn rotating_needs_a_y_after_300_ms_and_nothing_else_will_do() {
    let mut tester = Tester::new();
    tester.open(client());
    assert!(tester.ask().is_empty());
    assert!(matches!(tester.state.overlay, Some(Overlay::Question(_))));
    assert!(tester.char('y').is_empty(), "too early");
    assert!(tester.esc().is_empty());
    assert!(matches!(tester.state.overlay, Some(Overlay::Question(_))), "Esc too is deaf at first");
    tester.wait(Duration::from_millis(299));
    assert!(tester.char('y').is_empty(), "still too early");
    tester.wait(Duration::from_millis(1));
    assert!(tester.enter().is_empty(), "Enter does not answer");
    assert!(tester.char(' ').is_empty() && tester.char('r').is_empty() && tester.char('Y').is_empty());
    assert!(tester.send(Event::Pasted("y".into())).is_empty(), "a paste does not answer");
    assert!(matches!(tester.state.overlay, Some(Overlay::Question(_))));
    assert_eq!(tester.char('y'), [Effect::Run(JobId(0), TenantId(1), Box::new(task("Client 0")))]);
    assert!(tester.char('y').is_empty(), "a second y finds no question");
}

#[test]
fn a_click_on_yes_is_deaf_at_first_too() {
    let mut tester = Tester::new();
    tester.open(client());
    tester.ask();
    assert!(tester.send(Event::Clicked(Target::Button(Action::Yes))).is_empty());
    tester.wait(Duration::from_millis(300));
    assert_eq!(tester.send(Event::Clicked(Target::Button(Action::Yes))).len(), 1);
}

/// The list may be sorted anew between the frame that was clicked and the click.
#[test]
fn a_click_opens_the_client_that_was_drawn_there() {
    let mut tester = Tester::new();
    assert_eq!(tester.main().clients.selected, 0);
    tester.char('s');
    let effects = tester.send(Event::Clicked(Target::OpenRow(2)));
    assert!(matches!(effects.as_slice(), [Effect::LoadClient(_, id)] if id == "id-2"), "{effects:?}");
    assert!(tester.send(Event::Clicked(Target::OpenRow(99))).is_empty(), "one that is gone is not found");
}

#[test]
fn production_wants_the_name_typed() {
    let mut tester = Tester::with(Some(Environment::Production), ALL);
    tester.open(client());
    tester.ask();
    tester.wait(Duration::from_secs(1));
    assert!(tester.char('y').is_empty());
    assert!(tester.enter().is_empty());
    tester.key(Key::ctrl('u'));
    for letter in "Client 0".chars() {
        assert!(tester.char(letter).is_empty());
    }
    let tenant = tester.main().tenant.id;
    assert_eq!(tester.enter(), [Effect::Run(JobId(0), tenant, Box::new(task("Client 0")))]);
}

#[test]
fn production_takes_the_id_where_the_name_cannot_be_typed() {
    let mut tester = Tester::with(Some(Environment::Production), ALL);
    let mut hostile = client();
    hostile.summary.name = "\u{202e}\u{1b}[2J".into();
    tester.open(hostile);
    tester.ask();
    tester.wait(Duration::from_secs(1));
    tester.send(Event::Pasted("id-0".into()));
    assert_eq!(tester.enter().len(), 1);
}

#[test]
fn what_the_token_may_not_do_is_not_done_and_the_reason_is_said() {
    let mut tester = Tester::with(None, "read:clients");
    tester.open(client());
    for (key, scope) in [('r', "update:client_keys"), ('v', "read:client_keys"), ('c', "read:client_keys")] {
        assert!(tester.char(key).is_empty());
        let notice = tester.state.notice.take().expect("a reason");
        assert!(notice.text.contains(scope), "{key}: {}", notice.text);
    }
    assert!(tester.state.overlay.is_none());
}

#[test]
fn a_private_key_client_cannot_be_rotated() {
    let mut tester = Tester::new();
    let mut keyed = client();
    keyed.summary.auth = AuthMethod::PrivateKeyJwt;
    tester.open(keyed);
    assert!(tester.char('r').is_empty());
    assert!(tester.state.overlay.is_none());
    assert!(tester.state.notice.as_ref().is_some_and(|notice| notice.text.contains("Private Key JWT")));
}

#[test]
fn the_client_we_sign_in_with_and_hs256_are_warned_of() {
    let mut tester = Tester::new();
    let mut ours = client();
    ours.summary.client_id = "id-of-rollover".into();
    ours.signing_algorithm = Some("HS256".into());
    tester.open(ours);
    tester.ask();
    let Some(Overlay::Question(question)) = &tester.state.overlay else { panic!("no question") };
    assert_eq!(question.warnings, [Warning::Ourselves, Warning::SignsWithSecret]);
}

#[test]
fn a_revealed_secret_hides_by_itself_on_leaving_and_without_focus() {
    let mut tester = Tester::new();
    tester.open(client());
    tester.reveal("first");
    assert!(tester.shown());
    tester.wait(Duration::from_millis(29_999));
    assert!(tester.shown());
    tester.wait(Duration::from_millis(1));
    assert!(!tester.shown(), "after 30 s");
    tester.reveal("second");
    tester.send(Event::FocusLost);
    assert!(!tester.shown(), "without focus");
    tester.reveal("third");
    tester.char('v');
    assert!(!tester.shown(), "by the same key");
    tester.reveal("by tab");
    tester.key(Key::plain(Code::Tab));
    assert!(!tester.shown(), "when the keys go to the table beside it");
    tester.key(Key::plain(Code::Tab));
    tester.reveal("by click");
    tester.send(Event::Clicked(Target::Row(1)));
    assert!(!tester.shown(), "when another line is clicked");
    tester.key(Key::plain(Code::Tab));
    tester.reveal("fourth");
    tester.esc();
    assert!(tester.main().pane.is_none(), "on leaving");
}

#[test]
fn a_secret_that_arrives_late_is_not_shown() {
    let mut tester = Tester::new();
    tester.open(client());
    let effects = tester.char('v');
    let [Effect::ReadSecret(ticket, _)] = effects.as_slice() else { panic!("{effects:?}") };
    let ticket = *ticket;
    tester.send(Event::FocusLost);
    let late = Ok(SecretRead::Readable(Arc::new(Secret::new("late".into()))));
    tester.send(Event::SecretArrived(ticket, late));
    assert!(!tester.shown());
}

#[test]
fn replies_for_another_client_are_dropped() {
    let mut tester = Tester::new();
    let first = tester.enter();
    let [Effect::LoadClient(old, _)] = first.as_slice() else { panic!("{first:?}") };
    let old = *old;
    let second = tester.char(']');
    assert!(matches!(second.as_slice(), [Effect::LoadClient(_, id)] if id == "id-1"), "{second:?}");
    tester.send(Event::ClientLoaded(old, Box::new(Ok(client()))));
    assert!(tester.main().pane.as_ref().is_some_and(|pane| pane.client().is_none() && pane.client_id == "id-1"));
}

#[test]
fn copying_does_not_show() {
    let mut tester = Tester::new();
    tester.open(client());
    let effects = tester.char('c');
    let [Effect::ReadSecret(ticket, _)] = effects.as_slice() else { panic!("{effects:?}") };
    let secret = Arc::new(Secret::new("s3cret".into()));
    let effects = tester.send(Event::SecretArrived(*ticket, Ok(SecretRead::Readable(Arc::clone(&secret)))));
    assert_eq!(effects, [Effect::CopySecret(CopyKind::Secret, secret)]);
    assert!(!tester.shown());
}

#[test]
fn lines_for_env_and_curl_are_what_an_app_and_a_shell_need() {
    let mut tester = Tester::new();
    tester.open(client());
    tester.reveal("abc'd $x");
    let effects = tester.char('e');
    let [Effect::CopySecret(CopyKind::Env, text)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(
        text.expose(),
        "AUTH0_DOMAIN=acme.eu.auth0.com\nAUTH0_CLIENT_ID=id-0\nAUTH0_CLIENT_SECRET=\"abc'd \\$x\"\n"
    );
    let effects = tester.char('u');
    let [Effect::CopyText(CopyKind::Curl, text)] = effects.as_slice() else { panic!("{effects:?}") };
    assert!(text.contains("'https://acme.eu.auth0.com/api/v2/clients/id-0/rotate-secret'"), "{text}");
    assert!(text.contains("\"Authorization: Bearer $AUTH0_API_TOKEN\""), "{text}");
}

#[test]
fn a_copy_through_the_terminal_is_cleared_after_its_time_and_on_quit() {
    let report = || CopyReport {
        route: "terminal's clipboard (OSC 52)".into(),
        clears_after: Some(Duration::from_secs(30)),
        notice: None,
    };
    let mut tester = Tester::new();
    tester.send(Event::Copied(CopyKind::Secret, Ok(report())));
    assert!(tester.wait(Duration::from_millis(29_999)).is_empty());
    assert_eq!(tester.wait(Duration::from_millis(1)), [Effect::ClearTerminalClipboard]);
    tester.send(Event::Copied(CopyKind::Secret, Ok(report())));
    assert_eq!(tester.char('q'), [Effect::ClearTerminalClipboard, Effect::Quit]);
}

#[test]
fn quitting_asks_while_a_rotation_is_under_way() {
    let mut tester = Tester::new();
    tester.open(client());
    tester.ask();
    tester.wait(Duration::from_millis(300));
    tester.char('y');
    tester.esc();
    assert!(tester.state.overlay.is_none(), "Esc leaves it running");
    assert!(tester.state.running().count() == 1);
    assert!(tester.char('q').is_empty());
    assert!(matches!(tester.state.overlay, Some(Overlay::Quit)));
    tester.char('n');
    assert!(tester.key(Key::ctrl('c')).is_empty());
    assert_eq!(tester.key(Key::ctrl('c')), [Effect::Quit], "the second Ctrl-C ends at once");
}

#[test]
fn a_client_is_not_rotated_twice_at_a_time() {
    let mut tester = Tester::new();
    tester.open(client());
    tester.ask();
    tester.wait(Duration::from_millis(300));
    tester.char('y');
    tester.esc();
    tester.char('r');
    assert!(tester.state.overlay.is_none());
    assert!(tester.state.notice.as_ref().is_some_and(|notice| notice.text.contains("being changed")));
}

#[test]
fn nothing_is_due_where_nothing_moves() {
    let mut tester = Tester::new();
    assert_eq!(tester.state.next_wake(), None);
    tester.open(client());
    assert_eq!(tester.state.next_wake(), None);
    tester.reveal("secret");
    assert_eq!(tester.state.next_wake(), Some(tester.now.after(Duration::from_secs(1))), "a countdown runs");
}

#[test]
fn a_narrower_search_looks_only_at_the_hits_of_the_wider_one() {
    let mut tester = Tester::new();
    tester.char('/');
    let effects = tester.char('c');
    let [Effect::Match(ticket, search)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!((search.pattern.as_str(), &search.within), ("c", &None));
    tester.send(Event::Matched(*ticket, [2, 0].into()));
    assert_eq!(tester.main().clients.len(), 2);
    let effects = tester.char('l');
    let [Effect::Match(stale, search)] = effects.as_slice() else { panic!("{effects:?}") };
    assert_eq!(search.within.as_deref(), Some([2, 0].as_slice()));
    let stale = *stale;
    tester.char('i');
    tester.send(Event::Matched(stale, [0].into()));
    assert_eq!(tester.main().clients.len(), 2, "an answer to an older pattern is dropped");
    tester.esc();
    assert_eq!(tester.main().clients.len(), 3);
    assert_eq!(tester.main().clients.selected_row().map(|row| row.client_id), Some("id-2"), "the selection stays");
}

#[test]
fn names_are_kept_raw_and_ids_go_out_as_they_came() {
    let mut tester = Tester::new();
    let pane = |tester: &Tester| tester.main().pane.as_ref().map(|pane| pane.name.clone());
    tester.open(client());
    assert_eq!(pane(&tester), Some(Untrusted::from("Client 0")));
}

/// Requests under way for one tenant never land on another's screen.
#[test]
fn replies_for_another_tenant_are_dropped() {
    let mut tester = Tester::new();
    tester.open(client());
    let effects = tester.char('v');
    let [Effect::ReadSecret(secret, _)] = effects.as_slice() else { panic!("{effects:?}") };
    let secret = *secret;
    let effects = tester.key(Key::ctrl('r'));
    let [Effect::LoadClient(settings, _), Effect::ReadRecords(..)] = effects.as_slice() else { panic!("{effects:?}") };
    let settings = *settings;
    tester.key(Key::plain(Code::Tab));
    let effects = tester.key(Key::ctrl('r'));
    let [Effect::LoadClients(clients), Effect::ReadRecords(..)] = effects.as_slice() else { panic!("{effects:?}") };
    let clients = *clients;
    let (first, session) = (tester.main().tenant.id, tester.main().tenant.ticket);
    let granted = || Session {
        scopes: Scopes::from_claim(ALL),
        expires_at: None,
        renews: true,
        our_client_id: Some("of the first".into()),
        proxy: None,
    };

    let other = Domain::parse("other.eu.auth0.com").expect("a domain");
    let profile = crate::domain::Profile::new("other".into(), other.clone());
    open_stored(&mut tester.state, Which::chosen(profile));
    assert!(tester.send(Event::Opened(first, Ok(()))).is_empty());
    assert!(tester.send(Event::Opened(first, Err(OpenFailure::new("of the first", "")))).is_empty());
    tester.send(Event::Connected(session, Ok(granted())));
    tester.send(Event::PageArrived(clients, Page { clients: (0..3).map(summary).collect(), total: None }));
    tester.send(Event::ClientsLoaded(clients, Ok(())));
    tester.send(Event::ClientLoaded(settings, Box::new(Ok(client()))));
    tester.send(Event::SecretArrived(secret, Ok(SecretRead::Readable(Arc::new(Secret::new("s".into()))))));
    let main = tester.main();
    assert_eq!((main.tenant.domain(), main.tenant.id == first), (&other, false));
    assert!(main.tenant.session.is_none() && main.tenant.closed.is_none());
    assert!(main.clients.catalog.is_empty() && main.pane.is_none() && main.clients.is_loading());
}

#[test]
fn the_same_client_id_at_another_tenant_is_another_client() {
    let mut tester = Tester::new();
    tester.open(client());
    tester.ask();
    tester.wait(Duration::from_millis(300));
    tester.char('y');
    let live = Arc::new(Secret::new("of the first".into()));
    tester.send(Event::JobProgressed(JobId(0), crate::domain::rotation::Progress::Live(Arc::clone(&live))));
    tester.esc();
    assert_eq!(keymap::known_secret(&tester.state, "id-0"), Some(&live));
    let other = Domain::parse("other.eu.auth0.com").expect("a domain");
    open_tenant(&mut tester.state, Which::at(other, None));
    assert_eq!(keymap::known_secret(&tester.state, "id-0"), None);
    assert_eq!(tester.state.running().count(), 1, "and what is under way goes on");
}

#[test]
fn nothing_is_changed_where_read_only_was_asked_for() {
    let mut tester = Tester::new();
    tester.state.read_only = true;
    let other = Domain::parse("other.eu.auth0.com").expect("a domain");
    open_tenant(&mut tester.state, Which::at(other, None));
    assert!(tester.main().tenant.which.profile.read_only, "whatever the tenant's own settings say");
    let third = Domain::parse("third.eu.auth0.com").expect("a domain");
    let effects = open_stored(&mut tester.state, Which::chosen(crate::domain::Profile::new("third".into(), third)));
    assert!(
        matches!(effects.as_slice(), [Effect::OpenTenant(_, profile), Effect::ReadRecords(..)] if profile.read_only),
        "{effects:?}"
    );
}

/// Rotates the first client, and stops as a ledger on a full disk does.
fn with_an_unsaved_secret(tester: &mut Tester) -> Arc<Secret> {
    tester.open(client());
    tester.ask();
    tester.wait(Duration::from_millis(300));
    tester.char('y');
    let secret = Arc::new(Secret::new("stored nowhere".into()));
    let trouble = Trouble { unsaved: Some(Arc::clone(&secret)), ..Trouble::not_now("the disk is full", "") };
    tester.send(Event::JobEnded(JobId(0), Box::new(Err(trouble))));
    secret
}

#[test]
fn a_secret_that_could_be_stored_nowhere_holds_the_screen_until_somebody_has_it() {
    let mut tester = Tester::new();
    let secret = with_an_unsaved_secret(&mut tester);
    assert!(matches!(tester.state.overlay, Some(Overlay::Unsaved(JobId(0)))));
    assert!(tester.esc().is_empty() && tester.char('q').is_empty() && tester.key(Key::ctrl('c')).is_empty());
    assert!(!tester.state.ending && matches!(tester.state.overlay, Some(Overlay::Unsaved(_))));
    assert!(tester.state.notice.as_ref().is_some_and(|notice| notice.text.contains("stored nowhere")));
    assert_eq!(tester.char('c'), [Effect::CopySecret(CopyKind::Secret, secret)]);
    assert!(tester.char('q').is_empty(), "a copy in the clipboard is gone in half a minute");
    tester.char('K');
    assert_eq!(tester.char('q'), [Effect::Quit]);
}

#[test]
fn keys_are_forgotten_after_five_minutes_and_never_where_that_is_turned_off() {
    let mut tester = Tester::new();
    tester.send(Event::Unsealed);
    let touched = tester.state.touched;
    assert_eq!(tester.state.next_wake(), Some(touched.after(Duration::from_mins(5))));
    tester.wait(Duration::from_mins(4));
    tester.char('j');
    assert!(tester.wait(Duration::from_mins(4)).is_empty());
    assert_eq!(tester.wait(Duration::from_mins(1)), [Effect::Lock]);
    assert!(tester.state.locked);
    tester.wait(Duration::from_mins(1));
    assert_eq!(tester.state.next_wake(), None);
    tester.send(Event::Unsealed);
    tester.state.records.arrangements.lock_after_minutes = 0;
    assert!(tester.wait(Duration::from_hours(24)).is_empty());
}
