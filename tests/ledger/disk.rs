//! Disks that are full, read-only or failing.
use std::fs;
use std::io::Write as _;
use std::process::Command;

use rollover::domain::rollover::Role;

use super::files::skipped;
use super::processes::{Child, acknowledged};
use super::*;

/// A disk of its own; `None` where only root could have one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a folder");
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "rollover"]).arg(folder.path());
        if mount.output().is_ok_and(|output| output.status.success()) {
            return Some(Self(folder));
        }
        skipped("this user cannot mount a disk of its own");
        None
    }

    fn read_only(&self) {
        let mut mount = Command::new("mount");
        let output = mount.args(["-o", "remount,ro"]).arg(self.0.path()).output().expect("mount");
        assert!(output.status.success(), "{output:?}");
    }

    /// Leaves no room at all.
    fn fill(&self) -> PathBuf {
        let path = self.0.path().join("filler");
        let mut file = fs::File::create(&path).expect("a file");
        for size in [64 << 10, 4 << 10, 1] {
            while file.write_all(&vec![1; size]).is_ok() {}
        }
        path
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[test]
fn on_a_full_disk_the_spare_room_saves_a_secret_and_then_it_is_told() {
    let Some(disk) = Disk::new("2m") else { return };
    let (place, ledger, identity) = new_ledger(disk.0.path());
    ledger.unlock(identity).expect("its key");
    let rollover = baselined(&ledger, "client");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    let spare = place.join("ledger.spare");
    assert_eq!(fs::metadata(&spare).expect("spare room").len(), 256 << 10);
    let filler = disk.fill();

    let saved = secret("canary");
    let change = Change { seal: vec![(Role::New, &saved, None)], now: 200, ..Change::default() };
    let mut rollover = ledger.change(&lease, &rollover, &change).expect("it is saved in the spare room");
    assert!(!spare.exists(), "it was given up");
    // Until that is full as well.
    let large = Secret::new("canary".repeat(4000));
    let error = loop {
        let change = Change { seal: vec![(Role::Observed, &large, None)], now: 200, ..Change::default() };
        match ledger.change(&lease, &rollover, &change) {
            Ok(changed) => rollover = changed,
            Err(error) => break error,
        }
        let mut more = fs::OpenOptions::new().append(true).open(&filler).expect("a file");
        let _ = more.write_all(&[1; 8 << 10]);
    };
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert!(error.hint().contains("free some space"), "{}", error.hint());

    // Nothing that was acknowledged is lost, also for whoever opens it now.
    let now = ledger.get(&rollover.id).expect("it is read");
    assert_eq!(now.as_ref(), Some(&rollover));
    let other = Ledger::open(&place).expect("it opens on a full disk");
    assert_eq!(other.get(&rollover.id).expect("it is read").as_ref(), Some(&rollover));
    assert_eq!(ledger.secret(&rollover, Role::New).expect("it opens").expect("it is held").expose(), saved.expose());
    fs::remove_file(&filler).expect("there is room");
    ledger.change(&lease, &rollover, &change).expect("it goes on");
    assert_eq!(fs::metadata(&spare).expect("spare room is kept again").len(), 256 << 10);
}

#[test]
fn a_disk_that_is_read_only_can_be_read_and_is_told_so() {
    let Some(disk) = Disk::new("4m") else { return };
    let (place, ledger, _) = new_ledger(disk.0.path());
    let rollover = baselined(&ledger, "client");
    drop(ledger);
    disk.read_only();
    let ledger = Ledger::open(&place).expect("it can be read");
    assert_eq!(ledger.all(None), Ok(vec![rollover.clone()]));
    let key = age::x25519::Identity::generate().to_public().to_string();
    let errors = [
        ledger.lease(&tenant(), "client").map(drop),
        ledger.add_recipient(&key, false, "", 1),
        ledger.backup(None, 1).map(drop),
    ];
    for error in errors {
        let error = error.expect_err("it cannot be written");
        assert!(error.to_string().contains("it can be read but not written"), "{error}");
        assert!(error.hint().contains("read-only"), "{}", error.hint());
    }
}

/// The rule for injected faults: the first, second, third … call fails, until a run in which none is left to fail.
fn every_fault(fault: &str, calls: &str, when: impl Fn(u32) -> String, survives: bool) {
    if Command::new("strace").arg("-V").output().is_err() {
        skipped("there is no strace here");
        return;
    }
    let mut hits = 0;
    for number in 1.. {
        let folder = tempfile::tempdir().expect("a folder");
        let (place, ledger, _) = new_ledger(folder.path());
        let before = baselined(&ledger, "client");
        drop(ledger);
        let log = folder.path().join("strace");
        let mut child = Command::new("strace");
        child.args(["-f", "-qq", "-o"]).arg(&log);
        for name in ["ledger.db", "ledger.db-journal"] {
            child.arg("-P").arg(place.join(name));
        }
        // The folder's own name is synced too, after a journal is deleted.
        child.arg("-P").arg(&place).args(["-e", &format!("trace={calls}"), "-e"]);
        child.arg(format!("inject={calls}:error={fault}:when={}", when(number)));
        let output = Child::new("changes", &place).with("3").under(child).output();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let fired = fs::read_to_string(&log).expect("a log").contains("(INJECTED)");
        let last = acknowledged(&said).unwrap_or(before.generation);
        let ledger = Ledger::open(&place).expect("it opens");
        let now = ledger.get(&before.id).expect("it is read").expect("it is there");
        assert!(now.generation >= last, "{fault} {number}: {} of {last}: {said}", now.generation);
        assert!(now.generation <= last + 1, "{fault} {number}: {} of {last}: {said}", now.generation);
        ledger.lease(&tenant(), "client").expect("nobody has it any more");
        if survives || !fired {
            assert_eq!(last, before.generation + 3, "{fault} {number}: {said}");
        }
        if !fired {
            break;
        }
        hits += 1;
    }
    assert!(hits > 10, "{fault}: only {hits} calls were hit");
}

#[test]
fn one_sync_that_fails_is_survived_wherever_it_is() {
    every_fault("EIO", "fsync,fdatasync", |number| number.to_string(), true);
}

#[test]
fn one_write_that_fails_is_survived_wherever_it_is() {
    every_fault("EIO", "pwrite64", |number| number.to_string(), true);
}

#[test]
fn one_write_that_finds_no_room_is_survived_wherever_it_is() {
    every_fault("ENOSPC", "pwrite64", |number| number.to_string(), true);
}

#[test]
fn a_disk_that_fails_from_some_moment_on_loses_nothing_that_was_acknowledged() {
    every_fault("EIO", "fsync,fdatasync,pwrite64", |number| format!("{number}+"), false);
}
