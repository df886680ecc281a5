//! Runs effects as tasks and feeds what they report back. Everything that the interface starts is started here, and
//! kept in one `JoinSet`: no task and no message means that nothing is under way, which is what tests wait for.

/// The ledger, and the key of fingerprints.
mod books;
/// What the demo's apps would read their secrets from.
mod demo;
/// Rollovers: procedures, and what is known of them.
mod rollover;
/// The tenants: opening, signing in, storing, looking around.
mod tenants;

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::Instant;

use super::app::effect::Effect;
use super::app::event::{CopyKind, CopyReport, Event, Moment};
use super::app::filter::{Ranks, Search};
use super::app::state::TenantId;
use super::app::{State, sort, update};
use crate::auth0::{Api, Connection, Credentials, Error, Pace, Page, Pages};
use crate::domain::{Domain, Secret};
use crate::rollover::Patience;
use crate::tenants::Tenants;
use crate::{clipboard, sim};
use books::Books;
use demo::DemoTargets;

/// What a copy came to, and the bytes that must go to the terminal for it (OSC 52).
pub type CopyAnswer = (Result<CopyReport, String>, Vec<u8>);

/// Copies a text; the flag says whether it is, or holds, a secret.
pub type Copier = Arc<dyn Fn(Arc<Secret>, bool) -> Pin<Box<dyn Future<Output = CopyAnswer> + Send>> + Send + Sync>;

/// What a task tells the loop.
#[derive(Debug)]
enum Message {
    Event(Event),
    Demo(Box<sim::Running>, Api),
    Opened(TenantId, Api),
    Terminal(Vec<u8>),
}

/// What is left for whoever owns the terminal.
#[derive(Debug, PartialEq)]
pub enum Request {
    /// Write these bytes to it.
    Write(Vec<u8>),
    /// Turn mouse reports on or off.
    SetMouse(bool),
    /// Take what we copied out of its clipboard.
    ClearClipboard,
    /// Hand it back and stop.
    Suspend,
    /// End.
    Quit,
}

/// The state, and the tasks that work for it.
pub struct Runner {
    /// Everything that is known.
    pub state: State,
    /// Those that were opened in this run, as long as one is on screen or something is under way for it.
    apis: HashMap<TenantId, Api>,
    /// Talks to the tenant that the next event puts on screen.
    fresh: Option<Api>,
    tenants: Option<Tenants>,
    demo: Option<Box<sim::Running>>,
    /// Which tenant that is.
    demo_id: Option<TenantId>,
    demo_targets: Option<DemoTargets>,
    books: Arc<Books>,
    demo_books: Arc<Books>,
    /// How long procedures wait for what; `None`: as the tenant's address says.
    pub patience: Option<Patience>,
    tasks: JoinSet<()>,
    sender: mpsc::UnboundedSender<Message>,
    receiver: mpsc::UnboundedReceiver<Message>,
    loading: Option<AbortHandle>,
    newest_search: Arc<AtomicU64>,
    pace: Option<watch::Receiver<Pace>>,
    copier: Copier,
}

/// What the loop waits for beside the terminal.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// An event was taken in; these requests are left.
    Took,
    /// The last task ended, and nothing is left to take in.
    Idle,
    /// A task panicked: what it was to report never comes.
    Broken,
}

impl Runner {
    /// A runner for a first state. `api` talks to the tenant on screen, if there is one; `demo` is the pretend tenant
    /// in this process, kept alive as long as the runner.
    #[must_use]
    pub fn new(
        state: State,
        api: Option<Api>,
        demo: Option<sim::Running>,
        copier: Copier,
        tenants: Option<Tenants>,
    ) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        let pace = api.as_ref().map(Api::pace);
        let books = tenants.clone().map_or_else(Books::in_memory, Books::of);
        Self {
            demo_id: state.tenant_id().filter(|_| demo.is_some()),
            demo_targets: demo.as_ref().and_then(|demo| DemoTargets::make(demo).ok()),
            books: Arc::new(books),
            demo_books: Arc::new(Books::in_memory()),
            patience: None,
            apis: state.tenant_id().zip(api).into_iter().collect(),
            state,
            fresh: None,
            tenants,
            demo: demo.map(Box::new),
            tasks: JoinSet::new(),
            sender,
            receiver,
            loading: None,
            newest_search: Arc::default(),
            pace,
            copier,
        }
    }

    /// The pretend tenant in this process.
    #[must_use]
    pub fn demo(&self) -> Option<&sim::Running> {
        self.demo.as_deref()
    }

    /// Takes in an event, starts what it asks for, and returns what is left for the terminal.
    pub fn handle(&mut self, now: Moment, event: Event) -> Vec<Request> {
        let effects = update(&mut self.state, now, event);
        if let (Some(api), Some(id)) = (self.fresh.take(), self.state.tenant_id()) {
            self.has_opened(id, api);
        }
        effects.into_iter().filter_map(|effect| self.perform(effect)).collect()
    }

    /// Waits for the next message of a task, and takes it in. Pends for ever where nothing is under way.
    pub async fn step(&mut self, now: impl Fn() -> Moment) -> (Step, Vec<Request>) {
        loop {
            let pace = async {
                if let Some(pace) = &mut self.pace
                    && pace.changed().await.is_ok()
                {
                    return pace.borrow_and_update().clone();
                }
                std::future::pending().await
            };
            tokio::select! {
                biased;
                Some(message) = self.receiver.recv() => return (Step::Took, self.take(now(), message)),
                Some(ended) = self.tasks.join_next() => {
                    if ended.is_err_and(|error| error.is_panic()) {
                        return (Step::Broken, Vec::new());
                    }
                    if self.is_idle() {
                        return (Step::Idle, Vec::new());
                    }
                }
                pace = pace => {
                    let wait = pace.waiting.map(|waiting| Duration::from_secs(waiting.seconds));
                    return (Step::Took, self.handle(now(), Event::Paced(wait)));
                }
            }
        }
    }

    /// Takes in what is already waiting, without waiting for more.
    pub fn drain(&mut self, now: Moment) -> Vec<Request> {
        let mut requests = Vec::new();
        while let Ok(message) = self.receiver.try_recv() {
            requests.extend(self.take(now, message));
        }
        requests
    }

    /// Whether neither a task nor a message is left.
    pub fn is_idle(&mut self) -> bool {
        while self.tasks.try_join_next().is_some() {}
        self.tasks.is_empty() && self.receiver.is_empty()
    }

    fn take(&mut self, now: Moment, message: Message) -> Vec<Request> {
        match message {
            Message::Event(event) => self.handle(now, event),
            Message::Terminal(bytes) => vec![Request::Write(bytes)],
            Message::Demo(running, api) => {
                let url = running.url().to_owned();
                self.fresh = Some(api);
                // Without them the demo lacks its targets, and nothing else.
                self.demo_targets = DemoTargets::make(&running).ok();
                self.demo = Some(running);
                self.handle(now, Event::DemoStarted(Ok(url)))
            }
            Message::Opened(id, api) => {
                self.has_opened(id, api);
                self.handle(now, Event::Opened(id, Ok(())))
            }
        }
    }

    fn has_opened(&mut self, id: TenantId, api: Api) {
        if self.state.tenant_id() != Some(id) {
            return;
        }
        self.pace = Some(api.pace());
        if self.state.screen_is_demo() {
            self.demo_id = Some(id);
        }
        // One that is neither on screen nor worked for is of no use any more.
        let jobs = &self.state.jobs;
        self.apis.retain(|known, _| jobs.iter().any(|job| job.tenant == *known));
        self.apis.insert(id, api);
    }

    /// Starts an effect, or hands it on where it concerns the terminal.
    pub fn perform(&mut self, effect: Effect) -> Option<Request> {
        match effect {
            Effect::SetMouse(on) => return Some(Request::SetMouse(on)),
            Effect::Suspend => return Some(Request::Suspend),
            Effect::Quit => return Some(Request::Quit),
            Effect::ClearTerminalClipboard => return Some(Request::ClearClipboard),
            Effect::StartDemo => self.start_demo(),
            Effect::Match(ticket, search) => self.search(ticket, search),
            Effect::Sort(ticket, catalog, order) => {
                let sender = self.sender.clone();
                self.tasks.spawn_blocking(move || {
                    tell(&sender, Event::Sorted(ticket, sort::sorted(&catalog, order)));
                });
            }
            Effect::CopySecret(kind, text) => self.copy(kind, text, true),
            Effect::CopyText(kind, text) => self.copy(kind, Arc::new(Secret::new(text)), false),
            Effect::OpenTenant(id, profile) => self.open(id, profile, None),
            Effect::OpenWith(id, profile, secret) => self.open(id, profile, Some(secret)),
            Effect::Unlock(..)
            | Effect::Survey
            | Effect::TrySignIn(..)
            | Effect::StoreTenant(..)
            | Effect::Examine(..)
            | Effect::UseByDefault(_) => self.ask_tenants(effect),
            Effect::ReadRecords(..)
            | Effect::Run(..)
            | Effect::OpenPending(..)
            | Effect::CheckTargets(..)
            | Effect::Arrange(..)
            | Effect::GivePassphrase(..)
            | Effect::Lock => self.work(effect),
            Effect::Connect(_) | Effect::LoadClients(_) | Effect::LoadClient(..) | Effect::ReadSecret(..) => {
                if let Some(api) = self.state.tenant_id().and_then(|id| self.apis.get(&id)).cloned() {
                    self.ask(api, effect);
                }
            }
        }
        None
    }

    fn ask(&mut self, api: Api, effect: Effect) {
        let sender = self.sender.clone();
        match effect {
            Effect::Connect(ticket) => {
                let tenants = self.tenants.clone();
                self.tasks.spawn(async move {
                    let session = api.session().await;
                    let signed_in = session.is_ok();
                    tell(&sender, Event::Connected(ticket, session));
                    if let Some(tenants) = tenants.filter(|_| signed_in) {
                        // Writing to the disk must not hold up the one thread that the list of clients comes by.
                        let noted = tokio::task::spawn_blocking(move || tenants.used(api.domain())).await;
                        // A note that was not written is no loss.
                        drop(noted);
                    }
                });
            }
            Effect::LoadClients(ticket) => {
                if let Some(earlier) = self.loading.take() {
                    earlier.abort();
                }
                self.loading = Some(self.tasks.spawn(async move {
                    let result = load(api.pages(), |page| tell(&sender, Event::PageArrived(ticket, page))).await;
                    tell(&sender, Event::ClientsLoaded(ticket, result));
                }));
            }
            Effect::LoadClient(ticket, client_id) => {
                self.tasks.spawn(async move {
                    tell(&sender, Event::ClientLoaded(ticket, Box::new(api.client(&client_id).await)));
                });
            }
            Effect::ReadSecret(ticket, client_id) => {
                self.tasks.spawn(async move {
                    tell(&sender, Event::SecretArrived(ticket, api.client_secret(&client_id).await));
                });
            }
            _ => {}
        }
    }

    fn start_demo(&mut self) {
        let sender = self.sender.clone();
        self.tasks.spawn(async move {
            let message = match start_demo().await {
                Ok((running, api)) => Message::Demo(Box::new(running), api),
                Err(why) => Message::Event(Event::DemoStarted(Err(why))),
            };
            // The loop that would listen is gone: then nobody needs the demo any more.
            let _ = sender.send(message);
        });
    }

    fn search(&mut self, ticket: super::app::state::Ticket, search: Search) {
        let sender = self.sender.clone();
        let newest = Arc::clone(&self.newest_search);
        newest.store(ticket.0, Ordering::Relaxed);
        self.tasks.spawn_blocking(move || {
            let given_up = || newest.load(Ordering::Relaxed) != ticket.0;
            let rows = search_on_two_threads(&search, &given_up);
            if !given_up() {
                tell(&sender, Event::Matched(ticket, rows));
            }
        });
    }

    fn copy(&mut self, kind: CopyKind, text: Arc<Secret>, is_secret: bool) {
        let sender = self.sender.clone();
        let copying = (self.copier)(text, is_secret);
        self.tasks.spawn(async move {
            let (result, bytes) = copying.await;
            if !bytes.is_empty() {
                let _ = sender.send(Message::Terminal(bytes));
            }
            tell(&sender, Event::Copied(kind, result));
        });
    }
}

/// Reads all pages. The first is handed on at once; those that come within a frame of each other are handed on together, for
/// each one that is costs a frame.
async fn load(mut pages: Pages, mut tell: impl FnMut(Page)) -> Result<(), Error> {
    const FRAME: Duration = Duration::from_millis(16);
    let mut held: Option<Page> = None;
    let mut due = Instant::now();
    loop {
        let next = pages.next();
        tokio::pin!(next);
        let next = loop {
            tokio::select! {
                biased;
                next = &mut next => break next,
                () = tokio::time::sleep_until(due), if held.is_some() => {
                    held.take().into_iter().for_each(&mut tell);
                    due = Instant::now() + FRAME;
                }
            }
        };
        match next {
            Ok(Some(page)) => {
                let held = held.get_or_insert_with(|| Page { clients: Vec::new(), total: None });
                held.clients.extend(page.clients);
                held.total = page.total.or(held.total);
                if Instant::now() < due {
                    continue;
                }
            }
            // What has come is shown, whatever became of the rest.
            ended => {
                held.take().into_iter().for_each(&mut tell);
                return ended.map(drop);
            }
        }
        held.take().into_iter().for_each(&mut tell);
        due = Instant::now() + FRAME;
    }
}

fn tell(sender: &mpsc::UnboundedSender<Message>, event: Event) {
    // A receiver that is gone means that the program is ending: nobody is left to be told.
    let _ = sender.send(Message::Event(event));
}

/// Short patterns match much, and matching much takes long: two halves on two threads take half as long.
#[must_use]
pub fn search_on_two_threads(search: &Search, given_up: &(dyn Fn() -> bool + Sync)) -> Arc<[u32]> {
    const WORTH_A_THREAD: usize = 4096;
    let ranks = Ranks::new(search.order.as_deref());
    let length = search.len();
    if length < WORTH_A_THREAD {
        return search.merge(&[search.score(0..length, &ranks, given_up)]);
    }
    let middle = length / 2;
    let parts = std::thread::scope(|scope| {
        let second = scope.spawn(|| search.score(middle..length, &ranks, given_up));
        let first = search.score(0..middle, &ranks, given_up);
        match second.join() {
            Ok(second) => vec![first, second],
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    if given_up() { Arc::default() } else { search.merge(&parts) }
}

/// Starts the pretend tenant, and a client for it.
///
/// # Errors
/// Why it could not be started, for a person.
pub async fn start_demo() -> Result<(sim::Running, Api), String> {
    let running = sim::start(sim::Options { plan: sim::Plan::Enterprise, ..sim::Options::default() })
        .await
        .map_err(|error| error.to_string())?;
    let credentials = Credentials::ClientSecret {
        client_id: running.client_id().to_owned(),
        secret: Arc::new(Secret::new(running.client_secret().to_owned())),
        previous: None,
    };
    let api =
        Api::new(Connection::new(Domain::parse(running.url())?, credentials)).map_err(|error| error.to_string())?;
    Ok((running, api))
}

/// Copies for real: to the clipboard, or through the terminal.
#[must_use]
pub fn copier() -> Copier {
    Arc::new(|text, is_secret| {
        Box::pin(async move {
            let mut bytes = Vec::new();
            let copied = if is_secret {
                clipboard::copy_secret(&text, &mut bytes).await
            } else {
                clipboard::copy_text(text.expose(), &mut bytes).await
            };
            let report = copied.map_err(|error| error.to_string()).map(|copied| match copied.route {
                clipboard::Route::Display => CopyReport {
                    route: "clipboard".to_owned(),
                    clears_after: copied.clears_after,
                    notice: copied.notice,
                },
                // Nobody vouches for it, but it is tried: see `clipboard::clear_terminal`.
                clipboard::Route::Terminal { .. } => CopyReport {
                    route: "terminal's clipboard (OSC 52)".to_owned(),
                    clears_after: is_secret.then_some(clipboard::CLEAR_AFTER),
                    notice: copied.notice,
                },
            });
            (report, bytes)
        })
    })
}
