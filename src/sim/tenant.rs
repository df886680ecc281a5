use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use serde_json::{Map, Value};
use tokio::sync::watch;

use super::access::Access;
use super::fault::Faults;
use super::limits::Limits;
use super::logs::Logs;
use super::{Options, population};

/// How many requests are remembered.
const REMEMBERED: usize = 100_000;

/// A request that came.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its method.
    pub method: String,
    /// Its path, still percent-encoded.
    pub path: String,
    /// Its query, still percent-encoded.
    pub query: String,
    /// What was answered; 0 where nothing was yet, or the connection was broken before an answer.
    pub status: u16,
    /// Its `X-Correlation-ID`.
    pub correlation_id: Option<String>,
    /// When it came.
    pub at: Instant,
}

/// One client of the tenant.
#[derive(Clone, Debug)]
pub(super) struct ClientRecord {
    pub(super) id: Box<str>,
    /// Everything but the secret, as JSON text: parsed when asked for, so that a hundred thousand take little room.
    pub(super) document: Box<str>,
    pub(super) secret: Box<str>,
    /// The secret before, and until when the token endpoint goes on accepting it.
    pub(super) old: Option<(Box<str>, Instant)>,
    /// A fault may hide a change from reads for a while: the secret to show, and until when.
    pub(super) stale: Option<(Box<str>, Instant)>,
    /// Every other secret that became live, in order.
    pub(super) history: Vec<Box<str>>,
    /// The public key, PEM, of a client that signs in with its private one.
    pub(super) public_key: Option<Box<str>>,
}

impl ClientRecord {
    pub(super) fn fields(&self) -> Map<String, Value> {
        serde_json::from_str(&self.document).unwrap_or_default()
    }

    /// Whether it authenticates by key or certificate: then it has no secret to show or to rotate.
    pub(super) fn is_keyed(&self) -> bool {
        self.document.contains("\"client_authentication_methods\":{")
    }

    /// The secret that a read shows.
    pub(super) fn visible_secret(&self) -> &str {
        match &self.stale {
            Some((old, until)) if *until > Instant::now() => old,
            _ => &self.secret,
        }
    }

    pub(super) fn accepts(&self, secret: &str) -> bool {
        secret == &*self.secret
            || self.old.as_ref().is_some_and(|(old, until)| secret == &**old && *until > Instant::now())
    }

    pub(super) fn set_secret(&mut self, new: Box<str>, propagation: Duration) {
        if *new == *self.secret {
            // The same value once more changes nothing: the secret before stays as dead as it is.
            return;
        }
        self.history.push(new.clone());
        let old = std::mem::replace(&mut self.secret, new);
        self.old = Some((old, Instant::now() + propagation));
    }
}

/// All clients, in the order of their making.
#[derive(Debug, Default)]
pub(super) struct Clients {
    pub(super) all: Vec<ClientRecord>,
    by_id: HashMap<Box<str>, usize>,
    /// The client that manages the tenant, where a list must not have it: whoever asks for so many clients means those.
    apart: Option<ClientRecord>,
}

impl Clients {
    pub(super) fn add(&mut self, client: ClientRecord) {
        self.by_id.insert(client.id.clone(), self.all.len());
        self.all.push(client);
    }

    /// Adds a client that is known by its id and not listed.
    pub(super) fn add_apart(&mut self, client: ClientRecord) {
        self.apart = Some(client);
    }

    pub(super) fn get(&self, id: &str) -> Option<&ClientRecord> {
        match self.by_id.get(id) {
            Some(index) => self.all.get(*index),
            None => self.apart.as_ref().filter(|client| &*client.id == id),
        }
    }

    pub(super) fn get_mut(&mut self, id: &str) -> Option<&mut ClientRecord> {
        match self.by_id.get(id) {
            Some(index) => self.all.get_mut(*index),
            None => self.apart.as_mut().filter(|client| &*client.id == id),
        }
    }

    /// All of them, the one that is not listed too.
    fn every(&self) -> impl Iterator<Item = &ClientRecord> {
        self.all.iter().chain(&self.apart)
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let Some(index) = self.by_id.remove(id) else { return false };
        self.all.remove(index);
        self.by_id = self.all.iter().enumerate().map(|(index, client)| (client.id.clone(), index)).collect();
        true
    }
}

/// Everything the tenant knows.
pub(super) struct Tenant {
    pub(super) access: Access,
    pub(super) url: String,
    pub(super) propagation: Duration,
    pub(super) latency: Duration,
    pub(super) token_lifetime: Duration,
    pub(super) limits: Limits,
    pub(super) logs: Logs,
    pub(super) faults: Faults,
    clients: RwLock<Clients>,
    manager: (String, String),
    grants: Vec<String>,
    private_key: Option<(String, String)>,
    /// The latest requests, and how many were forgotten.
    recorded: Mutex<(VecDeque<Recorded>, u64)>,
    assertions: Mutex<HashSet<String>>,
    closed: watch::Sender<bool>,
}

impl Tenant {
    pub(super) fn new(options: Options, url: &str) -> Self {
        let host = url.split_once("://").map_or(url, |(_, host)| host);
        let mut start = population::start(&options.tenant);
        let manager = population::manager();
        let names = (manager.id.to_string(), manager.secret.to_string());
        match options.tenant {
            population::Population::Demo => start.clients.add(manager),
            population::Population::Generated { .. } => start.clients.add_apart(manager),
        }
        Self {
            access: Access::new(url, host),
            url: url.to_owned(),
            propagation: options.propagation,
            latency: options.latency,
            token_lifetime: options.token_lifetime,
            limits: Limits::new(options.plan),
            logs: Logs::default(),
            faults: Faults::new(options.scenario),
            clients: RwLock::new(start.clients),
            manager: names,
            grants: options.grants,
            private_key: start.private_key,
            recorded: Mutex::default(),
            assertions: Mutex::default(),
            closed: watch::Sender::new(false),
        }
    }

    pub(super) fn clients(&self) -> RwLockReadGuard<'_, Clients> {
        self.clients.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn clients_mut(&self) -> RwLockWriteGuard<'_, Clients> {
        self.clients.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn manager_id(&self) -> &str {
        &self.manager.0
    }

    pub(super) fn manager_secret(&self) -> &str {
        &self.manager.1
    }

    /// Whether a client has a grant for the Management API.
    pub(super) fn may_manage(&self, id: &str) -> bool {
        id == self.manager.0 || self.grants.iter().any(|own| own == id)
    }

    /// The clients that may manage the tenant, its own first.
    pub(super) fn managers(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.manager.0.as_str()).chain(self.grants.iter().map(String::as_str))
    }

    pub(super) fn private_key(&self) -> Option<(&str, &str)> {
        self.private_key.as_ref().map(|(id, key)| (id.as_str(), key.as_str()))
    }

    pub(super) fn secret_of(&self, id: &str) -> Option<String> {
        self.clients().get(id).map(|client| client.secret.to_string())
    }

    pub(super) fn secrets(&self) -> Vec<String> {
        self.clients().every().map(|client| client.secret.to_string()).collect()
    }

    pub(super) fn rotate_as_other(&self, id: &str) {
        self.set_as_other(id, new_secret());
    }

    pub(super) fn set_as_other(&self, id: &str, secret: Box<str>) {
        let propagation = self.propagation;
        if let Some(client) = self.clients_mut().get_mut(id) {
            client.set_secret(secret, propagation);
        }
        self.logs.rotated_by_hand(id);
    }

    pub(super) fn history(&self, id: &str) -> Vec<String> {
        self.clients()
            .get(id)
            .map(|client| client.history.iter().map(ToString::to_string).collect())
            .unwrap_or_default()
    }

    /// Whether an assertion's id was never seen before. Source: Auth0 docs: an assertion is good once.
    pub(super) fn first_use(&self, jti: &str) -> bool {
        self.assertions.lock().unwrap_or_else(PoisonError::into_inner).insert(jti.to_owned())
    }

    fn recorded(&self) -> MutexGuard<'_, (VecDeque<Recorded>, u64)> {
        self.recorded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Remembers a request that has come, and gives it a number.
    pub(super) fn record(&self, request: Recorded) -> u64 {
        let mut all = self.recorded();
        if all.0.len() == REMEMBERED {
            all.0.pop_front();
            all.1 += 1;
        }
        all.0.push_back(request);
        all.1 + all.0.len() as u64 - 1
    }

    /// Remembers what was answered to the request of that number.
    pub(super) fn answered(&self, number: u64, status: u16) {
        let mut all = self.recorded();
        let position = number.checked_sub(all.1).and_then(|position| usize::try_from(position).ok());
        if let Some(request) = position.and_then(|position| all.0.get_mut(position)) {
            request.status = status;
        }
    }

    pub(super) fn requests(&self) -> Vec<Recorded> {
        self.requests_after(0)
    }

    pub(super) fn requests_after(&self, count: usize) -> Vec<Recorded> {
        self.recorded().0.iter().skip(count).cloned().collect()
    }

    pub(super) fn close(&self) {
        self.closed.send_replace(true);
    }

    pub(super) fn watch_closed(&self) -> watch::Receiver<bool> {
        self.closed.subscribe()
    }
}

/// A secret as Auth0 makes them: 64 characters of `[A-Za-z0-9_-]`. Source: the example in Auth0's `OpenAPI` document.
pub(super) fn new_secret() -> Box<str> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    let mut bytes = [0_u8; 64];
    // aws-lc aborts rather than fail here.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    bytes.iter().map(|byte| char::from(ALPHABET[usize::from(byte & 63)])).collect::<String>().into()
}

/// Some letters and digits, for ids.
pub(super) fn letters(count: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(count).collect()
}
