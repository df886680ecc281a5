//! A Secret Service with one collection, whose items all answer to the same question, which does what it is told to. It encrypts nothing, which a service need
//! not do.
#![expect(
    clippy::unused_self,
    clippy::needless_pass_by_value,
    clippy::used_underscore_binding,
    reason = "the bus calls methods, and hands over what it has read"
)]
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zbus::object_server::SignalEmitter;
use zbus::zvariant::{OwnedObjectPath, OwnedValue, Value};
use zbus::{Connection, fdo, interface};

const ROOT: &str = "/org/freedesktop/secrets";
const COLLECTION: &str = "/org/freedesktop/secrets/collection/login";
const SESSION: &str = "/org/freedesktop/secrets/session/1";
const PROMPT: &str = "/org/freedesktop/secrets/prompt/1";
const NONE: &str = "/";

/// What it does.
#[expect(clippy::struct_excessive_bools, reason = "each is a way to misbehave")]
#[derive(Clone)]
pub struct Service {
    /// What its items hold, and when each was changed.
    pub items: &'static [(&'static str, u64)],
    /// It is locked at first.
    pub locked: bool,
    /// It knows nothing of its items while it is locked.
    pub hides: bool,
    /// The person says no.
    pub dismisses: bool,
    /// It refuses everybody.
    pub denies: bool,
    /// It ends where it should hand the secret out.
    pub dies: bool,
}

impl Service {
    pub fn new(items: &'static [(&'static str, u64)]) -> Self {
        Self { items, locked: false, hides: false, dismisses: false, denies: false, dies: false }
    }

    pub async fn start(self) -> Connection {
        let locked = Arc::new(AtomicBool::new(self.locked));
        let mut bus = zbus::connection::Builder::session()
            .and_then(|bus| bus.serve_at(ROOT, Root { told: self.clone(), locked: locked.clone() }))
            .and_then(|bus| bus.serve_at(COLLECTION, Collection { locked: locked.clone() }))
            .and_then(|bus| bus.name("org.freedesktop.secrets"));
        for (number, (secret, modified)) in self.items.iter().enumerate() {
            let item = Item { secret, modified: *modified, dies: self.dies, locked: locked.clone() };
            bus = bus.and_then(|bus| bus.serve_at(item_path(number), item));
        }
        let bus = bus.and_then(|bus| bus.serve_at(PROMPT, Prompt { told: self, locked })).expect("a service");
        bus.build().await.expect("a bus without one")
    }
}

fn item_path(number: usize) -> OwnedObjectPath {
    path(&format!("{COLLECTION}/{number}"))
}

fn path(text: &str) -> OwnedObjectPath {
    text.try_into().expect("a path")
}

struct Root {
    told: Service,
    locked: Arc<AtomicBool>,
}

#[interface(name = "org.freedesktop.Secret.Service")]
impl Root {
    fn open_session(&self, algorithm: &str, _input: Value<'_>) -> fdo::Result<(OwnedValue, OwnedObjectPath)> {
        if self.told.denies {
            return Err(fdo::Error::AccessDenied("not for you".to_owned()));
        }
        if algorithm != "plain" {
            return Err(fdo::Error::NotSupported(algorithm.to_owned()));
        }
        let nothing = OwnedValue::try_from(Value::from("")).expect("a value");
        Ok((nothing, path(SESSION)))
    }

    fn read_alias(&self, name: &str) -> OwnedObjectPath {
        path(if name == "default" { COLLECTION } else { NONE })
    }

    fn search_items(&self, attributes: HashMap<String, String>) -> (Vec<OwnedObjectPath>, Vec<OwnedObjectPath>) {
        assert_eq!(attributes.len(), 2);
        let items = (0..self.told.items.len()).map(item_path).collect();
        match (self.locked.load(Ordering::SeqCst), self.told.hides) {
            (false, _) => (items, Vec::new()),
            (true, false) => (Vec::new(), items),
            (true, true) => (Vec::new(), Vec::new()),
        }
    }

    fn unlock(&self, objects: Vec<OwnedObjectPath>) -> (Vec<OwnedObjectPath>, OwnedObjectPath) {
        if self.locked.load(Ordering::SeqCst) { (Vec::new(), path(PROMPT)) } else { (objects, path(NONE)) }
    }
}

struct Collection {
    locked: Arc<AtomicBool>,
}

#[interface(name = "org.freedesktop.Secret.Collection")]
impl Collection {
    #[zbus(property)]
    fn locked(&self) -> bool {
        self.locked.load(Ordering::SeqCst)
    }
}

struct Item {
    secret: &'static str,
    modified: u64,
    dies: bool,
    locked: Arc<AtomicBool>,
}

#[interface(name = "org.freedesktop.Secret.Item")]
impl Item {
    #[zbus(property)]
    fn locked(&self) -> bool {
        self.locked.load(Ordering::SeqCst)
    }

    #[zbus(property)]
    fn modified(&self) -> u64 {
        self.modified
    }

    async fn get_secret(
        &self,
        session: OwnedObjectPath,
        #[zbus(connection)] connection: &Connection,
    ) -> fdo::Result<((OwnedObjectPath, Vec<u8>, Vec<u8>, String),)> {
        if self.dies {
            connection.clone().close().await?;
        }
        Ok(((session, Vec::new(), self.secret.into(), "text/plain".to_owned()),))
    }
}

struct Prompt {
    told: Service,
    locked: Arc<AtomicBool>,
}

#[interface(name = "org.freedesktop.Secret.Prompt")]
impl Prompt {
    async fn prompt(&self, _window: &str, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) -> fdo::Result<()> {
        self.locked.store(self.told.dismisses, Ordering::SeqCst);
        Ok(Self::completed(&emitter, self.told.dismisses, Value::from("")).await?)
    }

    #[zbus(signal)]
    async fn completed(emitter: &SignalEmitter<'_>, dismissed: bool, result: Value<'_>) -> zbus::Result<()>;
}
