//! Where secrets are, and where they are not.
use std::fmt::Write as _;
use std::fs;

use rollover::domain::rollover::Role;

use super::files::bytes;
use super::*;

/// A client with its old and new secret sealed.
fn sealed(ledger: &Ledger, client_id: &str, old: &Secret, new: &Secret) -> Rollover {
    let rollover = baselined(ledger, client_id);
    let lease = ledger.lease(&tenant(), client_id).expect("the lease");
    let seal = vec![(Role::Old, old, None), (Role::New, new, None)];
    ledger.change(&lease, &rollover, &Change { seal, now: 200, ..Change::default() }).expect("they are sealed")
}

#[test]
fn what_was_exchanged_in_the_file_is_not_used() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, identity) = new_ledger(folder.path());
    ledger.unlock(identity).expect("its key");
    let (old, new) = (secret("canary-old"), secret("canary-new"));
    let one = sealed(&ledger, "one", &old, &new);
    let two = sealed(&ledger, "two", &old, &new);
    let foreign = |rollover: &Rollover, role: Role, what: &str| match ledger.secret(rollover, role) {
        Err(LedgerError::Foreign(why)) => assert!(why.contains("not used") && !why.contains("canary"), "{why}"),
        other => panic!("{what}: {other:?}"),
    };
    let raw = raw(&place);
    let swap = |condition: &str| {
        raw.execute_batch(&format!(
            "CREATE TEMP TABLE other AS SELECT rollover, role, blob FROM sealed;
            UPDATE sealed SET blob = (SELECT blob FROM other WHERE {condition});
            DROP TABLE other;"
        ))
        .expect("they are exchanged");
    };
    // Each is exchanged, and then put back.
    for condition in [
        "other.rollover = sealed.rollover AND other.role != sealed.role",
        "other.rollover != sealed.rollover AND other.role = sealed.role",
    ] {
        swap(condition);
        for (rollover, role) in [(&one, Role::Old), (&one, Role::New), (&two, Role::Old), (&two, Role::New)] {
            foreign(rollover, role, condition);
        }
        swap(condition);
        assert_eq!(ledger.secret(&one, Role::Old).expect("it opens").expect("it is held").expose(), old.expose());
    }

    // The row's own columns.
    raw.execute_batch("UPDATE rollover SET tenant = 'https://evil.eu.auth0.com/' WHERE number = 1").expect("a change");
    let moved = ledger.get(&one.id).expect("it is read").expect("it is there");
    foreign(&moved, Role::New, "tenant");
    assert_eq!(ledger.secret(&one, Role::New), Ok(None), "the one that was read before is not there");
    let lease = ledger.lease(&tenant(), "one").expect("the lease");
    let error = ledger.change(&lease, &one, &Change::default()).expect_err("it is another tenant's").to_string();
    assert!(error.contains("another tenant"), "{error}");
}

#[test]
fn what_is_wiped_is_nowhere_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    // One that fits into a page, and one that needs several.
    let (small, large) = (secret("canary-small"), Secret::new("canary-large".repeat(2000)));
    let rollover = sealed(&ledger, "client", &small, &large);
    sealed(&ledger, "other", &small, &small);
    let blobs = |client_id: &str| -> Vec<Vec<u8>> {
        raw(&place)
            .prepare("SELECT blob FROM sealed JOIN rollover ON number = rollover WHERE client_id = ? ORDER BY role")
            .expect("a query")
            .query_map([client_id], |row| row.get(0))
            .expect("rows")
            .collect::<Result<_, _>>()
            .expect("blobs")
    };
    let (wiped, kept) = (blobs("client"), blobs("other"));
    assert_eq!((wiped.len(), kept.len()), (2, 2));
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    // The new one is replaced, which wipes what was there; the old one is wiped.
    let change = Change { wipe: vec![Role::Old], seal: vec![(Role::New, &small, None)], ..Change::default() };
    let rollover = ledger.change(&lease, &rollover, &change).expect("they are wiped");
    assert_eq!(rollover.sealed, [Role::New]);
    drop((lease, ledger));
    assert!(!place.join("ledger.db-journal").exists());
    for path in walk(&place).into_iter().filter(|path| path.is_file()) {
        let bytes = bytes(&path);
        let holds = |piece: &[u8]| bytes.windows(piece.len()).any(|part| part == piece);
        // Any part of a blob would be one too many.
        for piece in wiped.iter().flat_map(|blob| blob.chunks_exact(64)) {
            assert!(!holds(piece), "in {}", path.display());
        }
        if path.ends_with("ledger.db") {
            assert!(kept.iter().all(|blob| holds(blob)), "what was not wiped is there");
        }
    }
}

#[test]
fn no_secret_is_in_any_file_message_or_debug_text() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, identity) = new_ledger(folder.path());
    ledger.unlock(identity.clone()).expect("its key");
    let (old, new) = (secret("CANARY"), secret("canary"));
    let rollover = sealed(&ledger, "client", &old, &new);
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    ledger.backup(None, 1).expect("a copy");
    ledger.save_elsewhere(&folder.path().join("saved.age"), &rollover, Role::New, &new).expect("it is saved");
    let change = Change { seal: vec![(Role::New, &new, None)], ..Change::default() };
    let mut said = format!("{ledger:?} {lease:?} {rollover:?} {change:?} {:?}", ledger.recipients());
    let _ = write!(said, "{}", ledger.export().expect("it is exported"));
    let errors = [
        ledger.add_recipient(age::secrecy::ExposeSecret::expose_secret(&identity.to_string()), false, "", 1),
        ledger.remove_recipient(age::secrecy::ExposeSecret::expose_secret(&identity.to_string())),
        ledger.remove_recipient(&identity.to_public().to_string()),
        ledger.remove_recipient(&age::x25519::Identity::generate().to_public().to_string()),
        ledger.save_elsewhere(&folder.path().join("saved.age"), &rollover, Role::New, &new),
    ];
    for error in errors {
        let error = error.expect_err("it is refused");
        let _ = write!(said, "{error} {error:?} {}", error.hint());
    }
    let canaries = ["canary", "age-secret"];
    for canary in canaries {
        assert!(!said.to_lowercase().contains(canary), "{canary} in {said}");
    }
    let files: Vec<_> = walk(folder.path()).into_iter().filter(|path| path.is_file()).collect();
    for name in ["ledger.db", "ledger.spare", "saved.age", "ledger-19700101T000001Z.db"] {
        assert!(files.iter().any(|path| path.ends_with(name)), "{name} in {files:?}");
    }
    for path in files {
        let bytes = bytes(&path).to_ascii_lowercase();
        for canary in canaries {
            let holds = bytes.windows(canary.len()).any(|part| part == canary.as_bytes());
            assert!(!holds, "{canary} in {}", path.display());
        }
    }
    assert!(place.exists());
}

#[test]
fn a_plain_age_opens_what_is_exported_and_saved() {
    let folder = tempfile::tempdir().expect("a folder");
    let (_, ledger, identity) = new_ledger(folder.path());
    let new = secret("a \"new\" one");
    let rollover = sealed(&ledger, "client", &secret("old"), &new);
    let export = ledger.export().expect("it is exported");
    let armour = export["rollovers"][0]["sealed"]["new"].as_str().expect("armour");
    assert!(armour.starts_with("-----BEGIN AGE ENCRYPTED FILE-----\n"), "{armour}");
    assert_eq!(export["rollovers"][0]["state"], "baselined");
    let saved = folder.path().join("saved.age");
    ledger.save_elsewhere(&saved, &rollover, Role::New, &new).expect("it is saved");
    #[cfg(unix)]
    assert_eq!(rollover::files::mode(&fs::metadata(&saved).expect("it is there")), Some(0o600));
    let mut dearmoured = Vec::new();
    std::io::copy(&mut age::armor::ArmoredReader::new(armour.as_bytes()), &mut dearmoured).expect("it is armour");
    for sealed in [dearmoured, fs::read(&saved).expect("a file")] {
        let plain = age::decrypt(&identity, &sealed).expect("it opens");
        let value: serde_json::Value = serde_json::from_slice(&plain).expect("it is JSON");
        let expected = serde_json::json!({
            "v": 1, "rid": rollover.id.as_str(), "tenant": "https://acme.eu.auth0.com/", "client_id": "client",
            "role": "new", "secret": new.expose(),
        });
        assert_eq!(value, expected);
    }
}

#[test]
fn keys_for_emergencies_come_and_go() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, own) = new_ledger(folder.path());
    let (early, late) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let old = secret("old");
    let rollover = sealed(&ledger, "client", &old, &old);
    let opens = |identity: &age::x25519::Identity| {
        let other = Ledger::open(&place).expect("it opens");
        other.unlock(identity.clone())?;
        other.secret(&rollover, Role::Old).map(|secret| secret.expect("it is held").expose().to_owned())
    };
    // Added while it is locked: for what comes from now on.
    ledger.add_recipient(&early.to_public().to_string(), false, "the safe", 2).expect("it is added");
    assert_eq!(opens(&early), Err(LedgerError::WrongKey));
    assert_eq!(ledger.remove_recipient(&early.to_public().to_string()), Err(LedgerError::Locked));
    ledger.unlock(own.clone()).expect("its key");
    ledger.add_recipient(&late.to_public().to_string(), false, "another safe", 3).expect("it is added");
    for identity in [&own, &early, &late] {
        assert_eq!(opens(identity).as_deref(), Ok(old.expose()));
    }
    ledger.remove_recipient(&late.to_public().to_string()).expect("it goes");
    assert_eq!(opens(&late), Err(LedgerError::WrongKey));
    let sealed: Vec<u8> =
        raw(&place).query_row("SELECT blob FROM sealed WHERE role = 'old'", [], |row| row.get(0)).expect("a blob");
    assert!(age::decrypt(&late, &sealed).is_err(), "it is sealed again without them");
    assert_eq!(opens(&early).as_deref(), Ok(old.expose()));
    let notes: Vec<_> =
        ledger.recipients().expect("they are read").into_iter().map(|one| (one.own, one.note)).collect();
    assert_eq!(notes, [(true, "ours".to_owned()), (false, "the safe".to_owned())]);
}
