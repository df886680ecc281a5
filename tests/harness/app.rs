//! The whole interface without a terminal: keys in, screen out. The runner, the API client, the network and the pretend
//! tenant are the real ones; only the clock is ours, and nothing ever sleeps: `idle` waits until no task and no message
//! is left.
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use rollover::auth0::{Api, Connection, Credentials};
use rollover::domain::{Domain, Environment, Secret};
use rollover::rollover::Patience;
use rollover::sim;
use rollover::tenants::Tenants;
use rollover::tui::app::effect::Effect;
use rollover::tui::app::event::{CopyReport, Event, Moment, Target};
use rollover::tui::app::key::{Code, Key};
use rollover::tui::app::screen::{Screen, Welcome};
use rollover::tui::app::state::{State, Which};
use rollover::tui::app::update::{open_stored, open_tenant};
use rollover::tui::runner::{Copier, Request, Runner};
use rollover::tui::theme::Theme;
use rollover::tui::view::View;

/// What was copied, and whether it was said to be a secret.
pub type Copies = Arc<Mutex<Vec<(String, bool)>>>;

/// The interface under test.
pub struct App {
    /// State and tasks.
    pub runner: Runner,
    /// What draws it.
    pub view: View,
    /// Where it is drawn.
    pub terminal: Terminal<TestBackend>,
    /// The moment of the next event.
    pub now: Moment,
    /// What was left for the terminal.
    pub requests: Vec<Request>,
    /// What was copied.
    pub copies: Copies,
    /// Texts that differ from run to run, and what stands for them in a snapshot.
    pub fixed: Vec<(String, String)>,
    hide_correlation: bool,
    hide_times: bool,
}

fn copier(copies: &Copies) -> Copier {
    let copies = Arc::clone(copies);
    Arc::new(move |text, is_secret| {
        copies.lock().expect("no panic before").push((text.expose().to_owned(), is_secret));
        Box::pin(async move {
            let clears_after = is_secret.then_some(Duration::from_secs(30));
            (Ok(CopyReport { route: "clipboard".into(), clears_after, notice: None }), Vec::new())
        })
    })
}

impl App {
    /// On the first screen, with no tenant.
    pub fn welcome(size: (u16, u16)) -> Self {
        let state = State::new(size, Screen::Welcome(Welcome::default()), true);
        let copies = Copies::default();
        Self::around(Runner::new(state, None, None, copier(&copies), None), size, copies)
    }

    fn around(mut runner: Runner, size: (u16, u16), copies: Copies) -> Self {
        // So short that nobody waits for it; what is waited for happens all the same.
        runner.patience =
            Some(Patience { verify: Duration::from_millis(200), quiesce: Duration::ZERO, apart: Duration::ZERO });
        Self {
            runner,
            view: View::new(Theme::new(true)),
            terminal: Terminal::new(TestBackend::new(size.0, size.1)).expect("a test terminal"),
            now: Moment(1000),
            requests: Vec::new(),
            copies,
            fixed: Vec::new(),
            hide_correlation: false,
            hide_times: false,
        }
    }

    /// On a pretend tenant, with a token of these scopes; loading has begun.
    pub fn on(tenant: &sim::Running, token: &str, environment: Option<Environment>, size: (u16, u16)) -> Self {
        Self::at(tenant.url(), token, environment, size)
    }

    /// On the first screen, or on the tenant that is selected, with a home of its own and no keyring.
    pub fn at_home(home: &std::path::Path, variables: &[(&'static str, &str)], size: (u16, u16)) -> Self {
        let home = home.as_os_str().to_owned();
        let variables: Vec<(&str, std::ffi::OsString)> =
            variables.iter().map(|(name, value)| (*name, value.into())).chain([("ROLLOVER_HOME", home)]).collect();
        let lookup =
            move |wanted: &str| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
        let tenants = Tenants::new(lookup, false).expect("a home");
        let config = tenants.config().expect("a configuration");
        let chosen = tenants.select(None, &config).expect("nothing is wrong");
        let mut state = State::new(size, Screen::Welcome(Welcome::default()), true);
        state.epoch = 1_800_000_000;
        let mut effects = vec![Effect::Survey];
        if let Some(chosen) = chosen {
            assert!(chosen.credentials.is_none(), "stored credentials are what this is for");
            let which = Which { origin: chosen.origin, ..Which::chosen(chosen.profile) };
            effects.extend(open_stored(&mut state, which));
        }
        let copies = Copies::default();
        let runner = Runner::new(state, None, None, copier(&copies), Some(tenants));
        let mut app = Self::around(runner, size, copies);
        for effect in effects {
            let left = app.runner.perform(effect);
            app.requests.extend(left);
        }
        app
    }

    /// On a pretend tenant, with a token, and with a home of its own: its ledger, its `config.toml`, and a key of the ledger in a
    /// file, where none is there yet.
    pub fn with_home(tenant: &sim::Running, home: &std::path::Path, size: (u16, u16)) -> Self {
        let key = home.join("ledger.key");
        if !key.exists() {
            write_private(&key, &age_identity());
        }
        let key = key.into_os_string();
        Self::with_variables(tenant, home, &[("ROLLOVER_IDENTITY_FILE", key)], size)
    }

    /// The same with these variables, and no key unless one of them names it.
    pub fn with_variables(
        tenant: &sim::Running,
        home: &std::path::Path,
        variables: &[(&'static str, std::ffi::OsString)],
        size: (u16, u16),
    ) -> Self {
        let mut variables = variables.to_vec();
        variables.push(("ROLLOVER_HOME", home.as_os_str().to_owned()));
        let lookup =
            move |wanted: &str| variables.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.clone());
        let tenants = Tenants::new(lookup, false).expect("a home");
        let domain = Domain::parse(tenant.url()).expect("a domain");
        let token = Credentials::Token(Arc::new(Secret::new(tenant.token().to_owned())));
        let api = Api::new(Connection::new(domain.clone(), token)).expect("an API client");
        let mut state = State::new(size, Screen::Welcome(Welcome::default()), true);
        let begun = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("a clock");
        state.epoch = i64::try_from(begun.as_secs()).expect("a time");
        let environment =
            tenants.config().expect("a configuration").profile_of(&domain).and_then(|one| one.environment);
        let effects = open_tenant(&mut state, Which::at(domain.clone(), environment));
        let copies = Copies::default();
        let runner = Runner::new(state, Some(api), None, copier(&copies), Some(tenants));
        let mut app = Self::around(runner, size, copies);
        app.fixed.push((domain.host(), "acme.auth0.test".into()));
        app.fixed.push((tenant.client_id().into(), "RolloverRolloverRolloverRollover".into()));
        for effect in effects {
            let left = app.runner.perform(effect);
            app.requests.extend(left);
        }
        app
    }

    /// On whatever answers at `url`.
    pub fn at(url: &str, token: &str, environment: Option<Environment>, size: (u16, u16)) -> Self {
        let domain = Domain::parse(url).expect("a domain");
        Self::which(Which::at(domain, environment), token, size)
    }

    /// On this tenant, with a token.
    pub fn which(which: Which, token: &str, size: (u16, u16)) -> Self {
        let domain = which.profile.domain.clone();
        let credentials = Credentials::Token(Arc::new(Secret::new(token.to_owned())));
        let api = Api::new(Connection::new(domain.clone(), credentials)).expect("an API client");
        let mut state = State::new(size, Screen::Welcome(Welcome::default()), true);
        let effects = open_tenant(&mut state, which);
        let copies = Copies::default();
        let runner = Runner::new(state, Some(api), None, copier(&copies), None);
        let mut app = Self::around(runner, size, copies);
        let host = domain.host();
        // The port differs from run to run; a name of the same width keeps everything in place.
        app.fixed.push((host, "acme.auth0.test".into()));
        for effect in effects {
            let left = app.runner.perform(effect);
            app.requests.extend(left);
        }
        app
    }

    /// Sends an event.
    pub fn send(&mut self, event: Event) {
        let left = self.runner.handle(self.now, event);
        self.requests.extend(left);
    }

    /// Takes in messages until no task and no message is left.
    pub async fn idle(&mut self) {
        while !self.runner.is_idle() {
            self.step().await;
        }
    }

    /// Takes in one message.
    pub async fn step(&mut self) {
        let now = self.now;
        let (_, left) = self.runner.step(|| now).await;
        self.requests.extend(left);
    }

    /// Takes in messages until the screen shows `text`.
    pub async fn until(&mut self, text: &str) {
        while !self.screen().contains(text) {
            assert!(!self.runner.is_idle(), "nothing is under way, and no `{text}` on:\n{}", self.screen());
            self.step().await;
        }
    }

    /// Lets time pass.
    pub fn advance(&mut self, time: Duration) {
        self.now = self.now.after(time);
        self.send(Event::Woke);
    }

    /// Gives the terminal another size.
    pub fn resize(&mut self, width: u16, height: u16) {
        self.terminal = Terminal::new(TestBackend::new(width, height)).expect("a test terminal");
        self.send(Event::Resized(width, height));
    }

    /// Correlation ids differ from run to run.
    pub fn fixed_correlation(&mut self) {
        self.hide_correlation = true;
    }

    /// Times of the tenant's log differ from run to run.
    pub fn fixed_times(&mut self) {
        self.hide_times = true;
    }

    /// Presses keys: characters as they are, and `<enter> <esc> <tab> <up> <down> <pgup> <pgdn> <bs> <c-x>`.
    pub fn press(&mut self, keys: &str) {
        let mut rest = keys;
        while let Some(character) = rest.chars().next() {
            let named = rest.strip_prefix('<').and_then(|inner| inner.split_once('>'));
            let key = if let Some((name, after)) = named {
                rest = after;
                named_key(name)
            } else {
                rest = &rest[character.len_utf8()..];
                Key::char(character)
            };
            self.send(Event::Key(key));
        }
    }

    /// Presses keys and waits until all that follows from them is done.
    pub async fn type_(&mut self, keys: &str) {
        self.press(keys);
        self.idle().await;
    }

    /// Draws, and gives the screen as text, with what differs from run to run made the same.
    pub fn screen(&mut self) -> String {
        let (view, state) = (&mut self.view, &self.runner.state);
        self.terminal.draw(|frame| view.draw(frame, state)).expect("a frame");
        let buffer = self.terminal.backend().buffer();
        let area = *buffer.area();
        let mut text = String::new();
        for y in area.top()..area.bottom() {
            let mut x = area.left();
            let mut line = String::new();
            while x < area.right() {
                let symbol = buffer[(x, y)].symbol();
                line.push_str(symbol);
                x += rollover::tui::view::text::width(symbol).max(1);
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        for (from, to) in &self.fixed {
            text = text.replace(from, to);
        }
        if self.hide_correlation
            && let Some(at) = text.find("rollover-")
        {
            text.replace_range(at + 9..at + 41, &"0".repeat(32));
        }
        if self.hide_times {
            text = text.lines().map(fixed_time).collect();
        }
        text
    }

    /// Clicks the first place that shows `text`.
    pub fn click(&mut self, text: &str) {
        let target = self.target(text);
        self.send(Event::Clicked(target));
    }

    /// What stands where the screen shows `text`.
    pub fn target(&mut self, text: &str) -> Target {
        self.screen();
        let buffer = self.terminal.backend().buffer();
        let area = *buffer.area();
        for y in area.top()..area.bottom() {
            let cells: Vec<_> = (area.left()..area.right()).map(|x| buffer[(x, y)].symbol()).collect();
            for x in 0..cells.len() {
                if cells[x..].concat().starts_with(text) {
                    let x = u16::try_from(x).expect("a column");
                    return self.view.target_at(x, y).unwrap_or_else(|| panic!("nothing to click at `{text}`"));
                }
            }
        }
        panic!("no `{text}` on:\n{}", self.screen())
    }
}

/// A line with digits where a time of this age stands, `2026-01-02T03:04:05.678Z`, made the same.
fn fixed_time(line: &str) -> String {
    let is_time = |at: usize| {
        let part = line.get(at..at + 11).unwrap_or_default();
        part.starts_with("20") && part.ends_with('T') && part.matches('-').count() == 2
    };
    match (0..line.len()).find(|at| line.is_char_boundary(*at) && is_time(*at)) {
        Some(at) => {
            let rest = &line[at..];
            let length = rest.find('Z').map_or(rest.len(), |end| end + 1);
            // Trailing zeros are left out of some: the blanks behind it make up for them.
            let (text, blanks) = rest[length..].split_once("  ").unwrap_or((&rest[length..], ""));
            let fixed = "2026-01-02T03:04:05.678Z";
            let blanks = format!("  {}{}", " ".repeat(length), blanks);
            format!("{}{fixed}{text}{}\n", &line[..at], &blanks[fixed.len().min(blanks.len())..])
        }
        None => format!("{line}\n"),
    }
}

/// A key of age, as `age-keygen` writes it.
pub fn age_identity() -> String {
    use age::secrecy::ExposeSecret as _;
    format!("# a key for a test\n{}\n", age::x25519::Identity::generate().to_string().expose_secret())
}

/// Writes a file that only its owner can read.
pub fn write_private(path: &std::path::Path, text: &str) {
    std::fs::write(path, text).expect("a file");
    #[cfg(unix)]
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
}

fn named_key(name: &str) -> Key {
    if let Some(letter) = name.strip_prefix("c-").and_then(|rest| rest.chars().next()) {
        return Key::ctrl(letter);
    }
    Key::plain(match name {
        "enter" => Code::Enter,
        "esc" => Code::Esc,
        "tab" => Code::Tab,
        "s-tab" => Code::BackTab,
        "up" => Code::Up,
        "down" => Code::Down,
        "left" => Code::Left,
        "right" => Code::Right,
        "home" => Code::Home,
        "end" => Code::End,
        "pgup" => Code::PageUp,
        "pgdn" => Code::PageDown,
        "bs" => Code::Backspace,
        other => panic!("no key <{other}>"),
    })
}
