//! What lies on the disk, and what is refused.
use std::fs;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};

use super::*;

#[test]
#[cfg(unix)]
fn whoever_else_may_look_is_named_with_the_mend() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    drop(ledger);
    let file = place.join("ledger.db");
    for (mode, of, right) in [
        (0o644, &file, "600"),
        (0o640, &file, "600"),
        (0o604, &file, "600"),
        (0o620, &file, "600"),
        (0o602, &file, "600"),
        (0o755, &place, "700"),
        (0o750, &place, "700"),
        (0o701, &place, "700"),
    ] {
        let before = fs::metadata(of).expect("it is there").permissions();
        fs::set_permissions(of, fs::Permissions::from_mode(mode)).expect("a mode");
        let (_, hint) = refusal(&place);
        assert_eq!(hint, format!("run: chmod {right} '{}'", of.display()), "{mode:o}");
        fs::set_permissions(of, before).expect("a mode");
    }
    Ledger::open(&place).expect("it is mended");
}

#[test]
#[cfg(unix)]
fn a_file_of_somebody_elses_is_refused() {
    if !rustix::process::geteuid().is_root() {
        skipped("only root can give a file away");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    drop(ledger);
    for path in [place.join("ledger.db"), place.clone()] {
        std::os::unix::fs::chown(&path, Some(1), None).expect("it is given away");
        let (why, hint) = refusal(&place);
        assert!(why.contains("belongs to another user (1)"), "{why}");
        assert_eq!(hint, format!("run: chown 0 '{}'", path.display()));
        std::os::unix::fs::chown(&path, Some(0), None).expect("it is ours again");
    }
}

#[test]
#[cfg(unix)]
fn a_link_in_the_place_of_the_file_is_refused_and_one_to_its_folder_is_not() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    baselined(&ledger, "client");
    drop(ledger);
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&place, &link).expect("a link");
    assert_eq!(Ledger::open(&link).expect("it opens").all(None).expect("it is read").len(), 1);

    let other = folder.path().join("other");
    rollover::files::private_folder(&other).expect("a folder");
    std::os::unix::fs::symlink(place.join("ledger.db"), other.join("ledger.db")).expect("a link");
    let (why, _) = refusal(&other);
    assert!(why.contains("it is a symbolic link"), "{why}");
    // A link to nothing must not make a file somewhere else.
    fs::remove_file(other.join("ledger.db")).expect("it goes");
    std::os::unix::fs::symlink(folder.path().join("nothing"), other.join("ledger.db")).expect("a link");
    let (why, _) = refusal(&other);
    assert!(why.contains("it is a symbolic link"), "{why}");
    assert!(!folder.path().join("nothing").exists());
}

#[test]
fn a_newer_ledger_is_refused_by_name_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    drop(ledger);
    raw(&place).execute_batch("PRAGMA user_version = 99").expect("it is newer");
    let before = fs::read(place.join("ledger.db")).expect("a file");
    let (why, hint) = refusal(&place);
    assert!(why.contains("a newer rollover (version 99 of the file; this one knows 1)"), "{why}");
    assert_eq!(hint, "use the newer rollover");
    assert_eq!(fs::read(place.join("ledger.db")).expect("a file"), before);
}

#[test]
fn another_programs_file_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in ["PRAGMA application_id = 7", "CREATE TABLE theirs (x)", "PRAGMA user_version = 1"] {
        let place = folder.path().join(text.len().to_string());
        rollover::files::private_folder(&place).expect("a folder");
        let file = place.join("ledger.db");
        rollover::files::replace(&file, b"").expect("a file");
        raw(&place).execute_batch(text).expect("it is theirs");
        let before = fs::read(&file).expect("a file");
        let (why, _) = refusal(&place);
        assert!(why.contains("belongs to another program"), "{text}: {why}");
        assert_eq!(fs::read(&file).expect("a file"), before, "{text}");
    }
}

#[test]
fn damage_is_noticed_and_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    baselined(&ledger, "client");
    drop(ledger);
    let file = place.join("ledger.db");
    let whole = fs::read(&file).expect("a file");
    assert!(whole.len() > 8 * 4096, "{}", whole.len());
    let mut noticed = 0;
    for page in 0..whole.len() / 4096 {
        fs::write(&file, &whole).expect("it is whole");
        let mut damaged = fs::OpenOptions::new().write(true).open(&file).expect("it opens");
        damaged.seek(SeekFrom::Start(page as u64 * 4096)).expect("a page");
        damaged.write_all(&[0xa5; 4096]).expect("it is overwritten");
        drop(damaged);
        let (why, hint) = refusal(&place);
        assert!(why.contains("it is damaged"), "page {page}: {why}");
        assert!(hint.contains("`backups`"), "{hint}");
        noticed += 1;
    }
    assert!(noticed > 8);
    // Cut short, or something else altogether.
    for contents in [&whole[..whole.len() / 2], b"not a database at all, but long enough to look like something"] {
        fs::write(&file, contents).expect("it is written");
        let (why, _) = refusal(&place);
        assert!(why.contains("it is damaged"), "{why}");
    }
    fs::write(&file, &whole).expect("it is whole");
    Ledger::open(&place).expect("it is whole again");
}

#[test]
fn a_file_that_another_process_keeps_busy_is_told_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    let rollover = baselined(&ledger, "client");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    let other = raw(&place);
    other.execute_batch("BEGIN EXCLUSIVE").expect("it is held");
    let change = Change { now: 200, ..Change::default() };
    let error = ledger.change(&lease, &rollover, &change).expect_err("it is busy");
    assert!(error.to_string().contains("another process has kept it busy for more than 5 seconds"), "{error}");
    other.execute_batch("ROLLBACK").expect("it is free");
    ledger.change(&lease, &rollover, &change).expect("it goes on, and nothing was changed before");
}

#[test]
fn a_failure_of_the_disk_is_told_and_the_file_is_opened_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    let rollover = baselined(&ledger, "client");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    // What can be opened and not read: SQLite calls that a failure of the disk.
    fs::create_dir(place.join("ledger.db-journal")).expect("a folder in the journal's place");
    let error = ledger.change(&lease, &rollover, &Change { now: 200, ..Change::default() }).expect_err("it cannot");
    assert!(error.to_string().contains("the disk failed while it was read or written"), "{error}");
    fs::remove_dir(place.join("ledger.db-journal")).expect("it goes");
    ledger.change(&lease, &rollover, &Change { now: 200, ..Change::default() }).expect("it goes on");
    assert!(place.join("ledger.spare").exists(), "the spare room is kept again");
}

#[test]
#[cfg(unix)]
fn a_file_that_was_moved_away_is_told_so_and_never_written_to() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    let rollover = baselined(&ledger, "client");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    fs::rename(place.join("ledger.db"), place.join("moved")).expect("it is moved");
    let change = Change { now: 200, ..Change::default() };
    let error = ledger.change(&lease, &rollover, &change).expect_err("it is gone");
    assert!(matches!(error, LedgerError::File { .. }), "{error:?}");
    fs::rename(place.join("moved"), place.join("ledger.db")).expect("it is put back");
    ledger.change(&lease, &rollover, &change).expect("it goes on");
}

#[test]
fn copies_are_whole_private_and_three() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, identity) = new_ledger(folder.path());
    let mut made = Vec::new();
    fs::create_dir_all(place.join("backups")).expect("a folder");
    #[cfg(unix)]
    fs::set_permissions(place.join("backups"), std::os::unix::fs::PermissionsExt::from_mode(0o700)).expect("a mode");
    fs::write(place.join("backups/ledger-mine.db"), "a person's own").expect("a file");
    for number in 0..5_u8 {
        baselined(&ledger, &format!("client {number}"));
        made.push(ledger.backup(None, 1_700_000_000 + i64::from(number)).expect("a copy"));
    }
    assert_eq!(made[0], place.join("backups/ledger-20231114T221320Z.db"));
    let there: Vec<_> = made.iter().map(|path| path.exists()).collect();
    assert_eq!(there, [false, false, true, true, true]);
    assert_eq!(fs::read_dir(place.join("backups")).expect("the folder").count(), 4);

    let elsewhere = folder.path().join("copy.db");
    assert_eq!(ledger.backup(Some(&elsewhere), 1), Ok(elsewhere.clone()));
    let error = ledger.backup(Some(&elsewhere), 1).expect_err("it is there").to_string();
    assert!(error.contains("copy.db: it is there already"), "{error}");
    #[cfg(unix)]
    for path in [&elsewhere, &made[4]] {
        assert_eq!(rollover::files::mode(&fs::metadata(path).expect("it is there")), Some(0o600));
    }
    // A copy is a ledger.
    let restored = folder.path().join("restored");
    rollover::files::private_folder(&restored).expect("a folder");
    fs::copy(&made[3], restored.join("ledger.db")).expect("it is put there");
    let restored = Ledger::open(&restored).expect("it opens");
    restored.unlock(identity).expect("its key");
    assert_eq!(restored.all(None).expect("it is read").len(), 4);
    let memory = Ledger::in_memory().expect("a ledger");
    assert!(matches!(memory.backup(None, 1), Err(LedgerError::Refused(_))));
    memory.backup(Some(&folder.path().join("memory.db")), 1).expect("a copy");
}

#[test]
fn the_version_tells_of_changes_by_whomever() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    let other = Ledger::open(&place).expect("the same one");
    let before = (ledger.version().expect("a number"), other.version().expect("a number"));
    assert_eq!(before, (ledger.version().expect("a number"), other.version().expect("a number")));
    baselined(&ledger, "client");
    assert_ne!(before.0, ledger.version().expect("a number"));
    assert_ne!(before.1, other.version().expect("a number"));
}

/// Says why a test did not run.
pub(crate) fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

/// A file's bytes.
pub(crate) fn bytes(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)).expect("a file");
    bytes
}
