//! What is shared by the cases of one thread: a runtime, a pretend tenant with a client for each case, a ledger, a folder.
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::rc::Rc;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use rollover::auth0::{Api, Connection, Credentials};
use rollover::domain::{AuthMethod, Domain, FingerprintKey, Secret};
use rollover::ledger::Ledger;
use rollover::rollover::{Desk, Patience, seconds};
use rollover::sim::{self, Options, Population, Running};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::runtime::{Builder, Runtime};

/// How many clients a tenant has, and so how many cases are played on it. Its log and its list of requests grow with each.
const CLIENTS: usize = 48;

/// Long enough for whatever is late, and it takes no time: the clock leaps.
pub const PATIENCE: Patience = Patience {
    verify: Duration::ZERO,
    quiesce: Duration::from_millis(MOST_LATE as u64 + 2_000),
    apart: Duration::from_secs(1),
};

/// How much later than its answer a request may arrive, in milliseconds.
pub const MOST_LATE: u16 = 3_000;

/// How every client here authenticates: the pretend tenant takes a secret in any way.
pub const AUTH: AuthMethod = AuthMethod::SecretPost;

pub struct Bench {
    pub tenant: Running,
    /// May do everything.
    pub seeing: Api,
    /// May not read secrets.
    pub blind: Api,
    pub ledger: Arc<Ledger>,
    pub key: Arc<FingerprintKey>,
    pub folder: TempDir,
    /// How many requests were looked at.
    pub looked_at: Cell<usize>,
    free: RefCell<Vec<String>>,
    // The last one: what is above may have tasks on it.
    runtime: Runtime,
}

thread_local! {
    static BENCH: RefCell<Option<Rc<Bench>>> = const { RefCell::new(None) };
}

/// A bench with a client that nothing was done to.
pub fn take() -> (Rc<Bench>, String) {
    BENCH.with_borrow_mut(|slot| {
        let next = slot.as_ref().and_then(|bench| bench.free.borrow_mut().pop().map(|id| (Rc::clone(bench), id)));
        next.unwrap_or_else(|| {
            // First the old one goes: both would hold their connections.
            drop(slot.take());
            let bench = Rc::new(Bench::new());
            let id = bench.free.borrow_mut().pop().expect("a client");
            *slot = Some(Rc::clone(&bench));
            (bench, id)
        })
    })
}

/// The time by the clock that leaps: of the thread's runtime, where it is in one.
fn clock() -> i64 {
    static BEGAN: LazyLock<(i64, Instant)> = LazyLock::new(|| (seconds(), Instant::now()));
    let (wall, began) = *BEGAN;
    let since = tokio::time::Instant::now().into_std().saturating_duration_since(began);
    wall + i64::try_from(since.as_secs()).expect("not so long")
}

impl Bench {
    fn new() -> Self {
        // One thread for what blocks: once it has nothing left to do, everything that was begun is done. The clock stands still
        // while there is work, and leaps to the next timer where there is none, so that no retry is waited for.
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(1).start_paused(true).build();
        let runtime = runtime.expect("a runtime");
        let population = Population::Generated { clients: CLIENTS, seed: 7 };
        let options = Options { propagation: Duration::ZERO, tenant: population, ..Options::default() };
        let tenant = runtime.block_on(sim::start(options)).expect("a pretend tenant");
        let api = |token: &str| {
            let domain = Domain::parse(tenant.url()).expect("a domain");
            let token = Arc::new(Secret::new(token.to_owned()));
            Api::new(Connection::new(domain, Credentials::Token(token))).expect("an API client")
        };
        let seeing = api(tenant.token());
        let blind = api(&tenant.mint_token("read:clients update:client_keys read:logs", Duration::from_hours(9)));
        let listed = runtime.block_on(ask(&tenant, "/api/v2/clients?per_page=100&fields=client_id", tenant.token()));
        let (_, body) = listed.split_once("\r\n\r\n").expect("a body");
        let listed: Vec<serde_json::Value> = serde_json::from_str(body).expect("a list");
        let free: Vec<_> = listed.iter().filter_map(|one| one["client_id"].as_str().map(str::to_owned)).collect();
        assert_eq!(free.len(), CLIENTS);
        let ledger = Arc::new(Ledger::in_memory().expect("a ledger"));
        let shared = Path::new("/dev/shm");
        let folder = if shared.is_dir() { TempDir::new_in(shared) } else { TempDir::new() };
        let folder = folder.expect("a folder");
        let key = Arc::new(FingerprintKey::new(&[7; 32]));
        Self { tenant, seeing, blind, ledger, key, folder, looked_at: Cell::new(0), free: RefCell::new(free), runtime }
    }

    pub fn desk(&self, seeing: bool) -> Desk {
        let api = if seeing { &self.seeing } else { &self.blind };
        let (ledger, key) = (Arc::clone(&self.ledger), Arc::clone(&self.key));
        Desk { api: api.clone(), ledger, key, patience: PATIENCE, clock }
    }

    pub fn block_on<T>(&self, work: impl Future<Output = T>) -> T {
        self.runtime.block_on(work)
    }

    /// Lets everything come to its end that was begun: work on the disk, requests on their way, those that arrive late. A process
    /// that has died has nothing under way on this machine, and within the minute that is waited for nothing on the network.
    pub async fn settle(&self) {
        tokio::task::spawn_blocking(|| {}).await.expect("the thread that blocks");
        tokio::time::sleep(Duration::from_mins(2)).await;
        self.drain().await;
    }

    /// Lets the tenant answer whatever has been sent: whoever came before is served before.
    pub async fn drain(&self) {
        for _ in 0..2 {
            ask(&self.tenant, "/nowhere", "").await;
        }
    }

    /// Somebody else rotates the client, or makes this its secret.
    pub fn act_as_other(&self, id: &str, secret: Option<&Secret>) {
        let _by_the_same_clock = self.runtime.enter();
        match secret {
            Some(secret) => self.tenant.set_as_other(id, secret.expose()),
            None => self.tenant.act_as_other(id),
        }
    }

    pub fn live(&self, id: &str) -> String {
        self.tenant.secret_of(id).expect("a client")
    }
}

/// One request on a connection of its own.
async fn ask(tenant: &Running, path: &str, token: &str) -> String {
    let host = tenant.url().trim_start_matches("http://");
    let mut stream = tokio::net::TcpStream::connect(host).await.expect("a connection");
    let request =
        format!("GET {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}
