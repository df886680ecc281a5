//! The ledger on a real disk: modes, damage, full and failing disks, processes that are killed or work at once.
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "ledger/disk.rs"]
mod disk;
#[path = "ledger/files.rs"]
mod files;
#[path = "ledger/processes.rs"]
mod processes;
#[path = "ledger/secrets.rs"]
mod secrets;

use std::path::{Path, PathBuf};

use rollover::domain::rollover::{Mode, State};
use rollover::domain::{Domain, Rollover, RolloverId, Secret};
use rollover::ledger::{Beginning, Change, Ledger, LedgerError};

fn tenant() -> Domain {
    Domain::parse("acme.eu.auth0.com").expect("a domain")
}

fn beginning() -> Beginning {
    let random = std::array::from_fn(|_| fastrand::u8(..));
    let id = RolloverId::new(1_700_000_000_000, random);
    Beginning { id, name: "Invoices".into(), mode: Mode::Set, targets: Vec::new(), now: 100 }
}

/// A ledger in a folder of its own, with a key.
fn new_ledger(folder: &Path) -> (PathBuf, Ledger, age::x25519::Identity) {
    let place = folder.join("ledger");
    let ledger = Ledger::open(&place).expect("a ledger");
    let identity = age::x25519::Identity::generate();
    ledger.add_recipient(&identity.to_public().to_string(), true, "ours", 1).expect("a key");
    (place, ledger, identity)
}

/// Long enough to have a fingerprint.
fn secret(text: &str) -> Secret {
    Secret::new(text.repeat(8))
}

/// Begins a client's rollover, and takes it to where its state may be written again and again.
fn baselined(ledger: &Ledger, client_id: &str) -> Rollover {
    let lease = ledger.lease(&tenant(), client_id).expect("the lease");
    let begun = ledger.begin(&lease, &beginning()).expect("it begins");
    let change = Change { state: Some(State::Baselined), now: 100, ..Change::default() };
    ledger.change(&lease, &begun, &change).expect("it goes on")
}

/// `SQLite` itself, past everything that the ledger checks.
fn raw(place: &Path) -> rusqlite::Connection {
    rusqlite::Connection::open(place.join("ledger.db")).expect("the file opens")
}

/// Why it does not open, and what it says to do.
fn refusal(place: &Path) -> (String, String) {
    let error = Ledger::open(place).expect_err("it does not open");
    let LedgerError::File { hint, .. } = &error else { panic!("{error:?}") };
    (error.to_string(), hint.clone())
}

fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.is_symlink() {
            found.extend(walk(&path));
        }
        found.push(path);
    }
    found
}
