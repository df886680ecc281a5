//! One walk through the demo, from the table to a rotated secret, with five stops, the first of them at the door; and another one, to a
//! secret that is pending. The runner, the API client and the pretend tenant are the real ones. What differs from run to run is put in
//! its place by hand: the port, the id of the client that rollover signs in with, fingerprints; secrets stay masked.
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use rollover::auth0::{Api, Connection, Credentials};
use rollover::domain::{Domain, Secret};
use rollover::sim;
use rollover::tui::app::event::{Event, Moment};
use rollover::tui::app::key::{Code, Key};
use rollover::tui::app::screen::{Screen, Welcome};
use rollover::tui::app::state::{State, Which};
use rollover::tui::app::update::open_tenant;
use rollover::tui::runner::{Runner, copier};
use rollover::tui::theme::Theme;
use rollover::tui::view::View;

use crate::svg;

/// Where the pictures are, from the root of the repository.
pub const FOLDER: &str = "assets/pictures";

/// Where the pretend tenant seems to be; its port is another one in each run, and has five digits too.
const SHOWN_HOST: &str = "127.0.0.1:48080";

/// The id that the client which rollover signs in with seems to have; it is drawn by lot at each start.
const SHOWN_ID: &str = "Wm6rTq2LxK9vZbYn4cPd8JgFhS3eU5oA";

/// One picture.
pub struct Picture {
    /// The name of its file.
    pub file: &'static str,
    /// What is in it.
    pub svg: String,
}

/// All pictures, in the order in which a user comes by.
pub async fn all() -> Result<Vec<Picture>, Box<dyn Error>> {
    let mut pictures = vec![Walk::at_the_door().picture(
        "welcome.svg",
        (100, 22),
        "How should rollover sign in?",
        "The first screen: the ways to sign in at a tenant, and the demo",
    )?];
    let mut walk = Walk::begin().await?;

    walk.press(&[Code::Down, Code::Down]).await;
    pictures.push(walk.picture(
        "clients.svg",
        (120, 33),
        "Billing API",
        "The clients of the pretend tenant in a table, each with its type, id and way to authenticate",
    )?);
    walk.press(&[Code::Enter]).await;
    pictures.push(walk.picture(
        "settings.svg",
        (120, 30),
        "Client Secret",
        "The settings of the client Billing API beside the table, its secret masked",
    )?);
    walk.press(&[Code::Char('r'), Code::Char('r')]).await;
    walk.listen();
    pictures.push(walk.picture(
        "question.svg",
        (120, 30),
        "Rotate the client secret?",
        "The question before a rotation: which client, which tenant, and what stops working",
    )?);
    walk.press(&[Code::Char('y')]).await;
    pictures.push(walk.picture(
        "rotated.svg",
        (120, 30),
        "Auth0 accepts the new secret",
        "After the rotation: each step with what came of it, the new secret masked, and what to do next",
    )?);
    // Another walk, for what a rotation leaves behind would be in the picture.
    let mut walk = Walk::begin().await?;
    walk.press(&[Code::Down, Code::Down, Code::Enter]).await;
    walk.press(&[Code::Char('n')]).await;
    pictures.push(walk.picture(
        "delivered.svg",
        (120, 30),
        "Save Changes",
        "The client Billing API with a pending secret beside its current one, delivered to both of its targets as the fallback",
    )?);
    Ok(pictures)
}

/// The interface without a terminal. Its clock stands still unless told otherwise.
struct Walk {
    runner: Runner,
    view: View,
    now: Moment,
    random_id: String,
    random_host: String,
}

impl Walk {
    /// On the demo, as `rollover demo` opens it, but for an old secret that dies at once: a picture shows no waiting.
    async fn begin() -> Result<Self, Box<dyn Error>> {
        let options = sim::Options { propagation: Duration::ZERO, ..sim::Options::default() };
        let demo = sim::start(options).await?;
        let random_id = demo.client_id().to_owned();
        let random_host = demo.url().trim_start_matches("http://").to_owned();
        let credentials = Credentials::ClientSecret {
            client_id: random_id.clone(),
            secret: Arc::new(Secret::new(demo.client_secret().to_owned())),
            previous: None,
        };
        let api = Api::new(Connection::new(Domain::parse(demo.url())?, credentials))?;
        let mut state = State::new((80, 24), Screen::Welcome(Welcome::default()), true);
        let effects = open_tenant(&mut state, Which::demo(Domain::parse(demo.url())?));
        let mut runner = Runner::new(state, Some(api), Some(demo), copier(), None);
        for effect in effects {
            runner.perform(effect);
        }
        let mut walk = Self { runner, view: View::new(Theme::new(true)), now: Moment(1000), random_id, random_host };
        walk.idle().await;
        Ok(walk)
    }

    /// On the first screen, where no tenant is connected yet.
    fn at_the_door() -> Self {
        let state = State::new((80, 24), Screen::Welcome(Welcome::default()), true);
        let runner = Runner::new(state, None, None, copier(), None);
        // What is put in the place of an id that no screen shows is put nowhere.
        let (random_id, random_host) = ("\u{0}".to_owned(), "\u{0}".to_owned());
        Self { runner, view: View::new(Theme::new(true)), now: Moment(1000), random_id, random_host }
    }

    /// Takes in what tasks tell until no task is left.
    async fn idle(&mut self) {
        while !self.runner.is_idle() {
            let now = self.now;
            self.runner.step(|| now).await;
        }
    }

    /// Presses keys and waits until all that follows from them is done.
    async fn press(&mut self, keys: &[Code]) {
        for key in keys {
            self.runner.handle(self.now, Event::Key(Key::plain(*key)));
        }
        self.idle().await;
    }

    /// Lets the first moments of a question pass, in which it is deaf.
    fn listen(&mut self) {
        self.now = self.now.after(Duration::from_secs(1));
        self.runner.handle(self.now, Event::Woke);
    }

    /// Draws the screen as it is now; an error where it does not show `text`, so that no wrong screen becomes a picture.
    fn picture(
        &mut self,
        file: &'static str,
        (width, height): (u16, u16),
        text: &str,
        description: &str,
    ) -> Result<Picture, Box<dyn Error>> {
        self.runner.handle(self.now, Event::Resized(width, height));
        let mut terminal = Terminal::new(TestBackend::new(width, height))?;
        terminal.draw(|frame| self.view.draw(frame, &self.runner.state))?;
        let mut screen = terminal.backend().buffer().clone();
        put_in_place(&mut screen, &self.random_id, SHOWN_ID);
        put_in_place(&mut screen, &self.random_host, SHOWN_HOST);
        put_fingerprints_in_place(&mut screen);
        if find(&screen, text).is_none() {
            return Err(format!("{file}: no `{text}` on the screen:\n{screen:?}").into());
        }
        Ok(Picture { file, svg: svg::draw(&screen, description)? })
    }
}

/// Where `text`, of one cell a character, stands first.
fn find(screen: &Buffer, text: &str) -> Option<(u16, u16)> {
    let area = *screen.area();
    let shows = |x: u16, y: u16| {
        (x..area.right()).zip(text.chars()).all(|(x, character)| screen[(x, y)].symbol().chars().eq([character]))
    };
    let length = u16::try_from(text.chars().count()).ok()?;
    let last = area.right().checked_sub(length)?;
    (area.top()..area.bottom()).flat_map(|y| (area.left()..=last).map(move |x| (x, y))).find(|(x, y)| shows(*x, *y))
}

/// Puts one text in the place of another of the same length, wherever it stands.
fn put_in_place(screen: &mut Buffer, of: &str, text: &str) {
    while let Some((x, y)) = find(screen, of) {
        for (x, character) in (x..).zip(text.chars()) {
            screen[(x, y)].set_char(character);
        }
    }
}

/// Fingerprints follow from secrets and a key that are others in each run: the live one's and the pending one's stand for them.
fn put_fingerprints_in_place(screen: &mut Buffer) {
    for (label, shown) in [("  current ", "5b0d91c7"), ("  pending ", "e2a94f36")] {
        let Some((x, y)) = find(screen, label) else { continue };
        let right = screen.area().right();
        let is_digit = |x: u16| screen[(x, y)].symbol().chars().all(|character| character.is_ascii_hexdigit());
        let begin = x + u16::try_from(label.len()).unwrap_or_default();
        let Some(begin) = (begin..right.saturating_sub(8)).find(|x| (*x..*x + 8).all(is_digit)) else { continue };
        for (x, character) in (begin..).zip(shown.chars()) {
            screen[(x, y)].set_char(character);
        }
    }
}
