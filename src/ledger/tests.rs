use super::*;
use crate::domain::rollover::{Phase, TargetState};
use crate::domain::rotation::{Step, StepOutcome};
use crate::domain::{ContentHash, FingerprintKey};

fn tenant() -> Domain {
    Domain::parse("acme.eu.auth0.com").expect("a domain")
}

fn id(number: u8) -> RolloverId {
    RolloverId::new(1_700_000_000_000 + u64::from(number), [number; 10])
}

fn target(name: &str, state: TargetState) -> TargetRow {
    let after = Some(ContentHash::from_bytes([7; 32]));
    TargetRow { name: name.into(), phase: Phase::Deliver, state, before: None, after, detail: "a detail".into() }
}

fn beginning(number: u8) -> Beginning {
    let targets = vec![target("web", TargetState::Todo), target("api", TargetState::Todo)];
    Beginning { id: id(number), name: "Invoices".into(), mode: Mode::Set, targets, now: 100 }
}

fn secret(text: &str) -> Secret {
    Secret::new(text.repeat(8))
}

fn print(secret: &Secret) -> Option<SecretPrint> {
    FingerprintKey::new(&[3; 32]).print(secret)
}

fn to(state: State, now: i64) -> Change<'static> {
    Change { state: Some(state), now, ..Change::default() }
}

/// Takes a rollover along these states.
fn walk(ledger: &Ledger, lease: &Lease, mut rollover: Rollover, states: &[State]) -> Rollover {
    for state in states {
        rollover = ledger.change(lease, &rollover, &to(*state, 200)).expect("it goes on");
    }
    rollover
}

#[test]
fn everything_that_is_recorded_is_read_back() {
    let ledger = Ledger::in_memory().expect("a ledger");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    let begun = ledger.begin(&lease, &beginning(1)).expect("it begins");
    assert_eq!((begun.state, begun.since, begun.began, begun.generation), (State::Planned, 100, 100, 1));
    assert_eq!(begun.targets, beginning(1).targets);
    assert!(begun.who.contains('@'), "{}", begun.who);

    let old = secret("canary-old");
    let change = Change {
        state: Some(State::Baselined),
        seal: vec![(Role::Old, &old, print(&old))],
        targets: vec![target("api", TargetState::Verified), target("new", TargetState::Writing)],
        steps: vec![StepReport {
            step: Step::ReadBefore,
            outcome: StepOutcome::Done,
            at: "2026-01-02T03:04:05Z".into(),
            detail: "read".into(),
        }],
        detail: Some("a detail".into()),
        now: 150,
        ..Change::default()
    };
    let changed = ledger.change(&lease, &begun, &change).expect("it changes");
    assert_eq!((changed.state, changed.since, changed.began, changed.generation), (State::Baselined, 150, 100, 2));
    assert_eq!((changed.old, changed.new), (print(&old), None));
    assert_eq!(changed.sealed, [Role::Old]);
    let states: Vec<_> = changed.targets.iter().map(|one| (one.name.as_str(), one.state)).collect();
    assert_eq!(states, [("web", TargetState::Todo), ("api", TargetState::Verified), ("new", TargetState::Writing)]);
    assert_eq!(changed.steps, [change.steps[0].clone()]);
    assert_eq!(ledger.get(&id(1)), Ok(Some(changed.clone())));
    assert_eq!(ledger.latest(&tenant(), "client"), Ok(Some(changed.clone())));
    assert_eq!(ledger.secret(&changed, Role::Old).expect("it opens").expect("it is held").expose(), old.expose());
    assert_eq!(ledger.secret(&changed, Role::New), Ok(None));

    // Written again in the same state: since when it is there does not change; what is not named stays.
    let doubt = Doubt { reason: "no answer".into(), quiesce_until: 300 };
    let change = Change {
        state: Some(State::Baselined),
        attempt: Some(2),
        correlation_id: Some("an id".into()),
        doubt: Some(Some(doubt.clone())),
        now: 160,
        ..Change::default()
    };
    let again = ledger.change(&lease, &changed, &change).expect("it changes");
    assert_eq!((again.since, again.attempt, again.doubt.as_ref()), (150, 2, Some(&doubt)));
    assert_eq!((again.correlation_id.as_deref(), again.detail.as_str()), (Some("an id"), "a detail"));
    let settled = Change { doubt: Some(None), wipe: vec![Role::Old], now: 170, ..Change::default() };
    let settled = ledger.change(&lease, &again, &settled).expect("it changes");
    assert_eq!((settled.doubt, settled.sealed), (None, vec![]));
    assert_eq!(settled.old, print(&old), "the keyed hash stays");
    assert_eq!(settled.generation, 4);
}

#[test]
fn what_may_not_follow_or_was_read_earlier_is_refused_and_changes_nothing() {
    let ledger = Ledger::in_memory().expect("a ledger");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    let begun = ledger.begin(&lease, &beginning(1)).expect("it begins");
    let error = ledger.change(&lease, &begun, &to(State::Holding, 150)).expect_err("it may not").to_string();
    assert!(error.contains("is planned and cannot become holding"), "{error}");
    assert_eq!(ledger.get(&id(1)), Ok(Some(begun.clone())));

    let later = ledger.change(&lease, &begun, &to(State::Baselined, 150)).expect("it goes on");
    let error = ledger.change(&lease, &begun, &to(State::Baselined, 160)).expect_err("it is old").to_string();
    assert!(error.contains("changed since it was read"), "{error}");
    assert_eq!(ledger.get(&id(1)), Ok(Some(later.clone())));

    let other = ledger.lease(&tenant(), "other").expect("another lease");
    assert!(matches!(ledger.change(&other, &later, &to(State::Staged, 170)), Err(LedgerError::Stale(_))));
    let elsewhere = Ledger::in_memory().expect("another ledger");
    let foreign = elsewhere.lease(&tenant(), "client").expect("its lease");
    assert!(matches!(ledger.change(&foreign, &later, &to(State::Staged, 170)), Err(LedgerError::Stale(_))));
    assert!(matches!(ledger.begin(&foreign, &beginning(2)), Err(LedgerError::Stale(_))));
    let mut turned = ledger.lease(&tenant(), "third").expect("a lease");
    turned.client_id = "client".into();
    assert!(matches!(ledger.change(&turned, &later, &to(State::Staged, 170)), Err(LedgerError::Stale(_))));
}

#[test]
fn a_client_has_one_unfinished_rollover_at_most() {
    let ledger = Ledger::in_memory().expect("a ledger");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    let mut rollover = ledger.begin(&lease, &beginning(1)).expect("it begins");
    for state in [State::Baselined, State::Staged, State::Sending, State::Rejected] {
        assert_eq!(
            ledger.begin(&lease, &beginning(2)),
            Err(LedgerError::Unfinished(Box::new(rollover.clone()))),
            "{state:?}"
        );
        rollover = ledger.change(&lease, &rollover, &to(state, 150)).expect("it goes on");
    }
    assert!(matches!(ledger.begin(&lease, &beginning(2)), Err(LedgerError::Unfinished(_))), "rejected is no end");
    let ended = ledger.change(&lease, &rollover, &to(State::Abandoned, 160)).expect("it ends");
    assert!(matches!(ledger.begin(&lease, &beginning(1)), Err(LedgerError::Stale(_))), "its number is taken");
    let second = ledger.begin(&lease, &beginning(2)).expect("the next one");
    let other = ledger.lease(&tenant(), "other").expect("another lease");
    let third = ledger.begin(&other, &beginning(3)).expect("another client");
    let third = ledger.change(&other, &third, &to(State::Abandoned, 170)).expect("it ends");

    assert_eq!(ledger.latest(&tenant(), "client"), Ok(Some(second.clone())));
    let elsewhere = Domain::parse("evil.eu.auth0.com").expect("a domain");
    assert_eq!(ledger.latest(&elsewhere, "client"), Ok(None));
    assert_eq!(ledger.all(None), Ok(vec![second.clone(), third.clone(), ended.clone()]));
    assert_eq!(ledger.all(Some(&tenant())), Ok(vec![second, third, ended]));
    assert_eq!(ledger.all(Some(&elsewhere)), Ok(vec![]));
    let mut twice = beginning(4);
    twice.targets.push(target("web", TargetState::Todo));
    assert!(matches!(ledger.begin(&lease, &twice), Err(LedgerError::Refused(_))));
}

#[test]
fn a_lease_is_exclusive_within_a_process_and_ends_with_its_holder() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("ledger");
    let file = Ledger::open(&place).expect("a ledger");
    let again = Ledger::open(&place).expect("the same one");
    let memory = Ledger::in_memory().expect("a ledger");
    for (one, two) in [(&memory, &memory), (&file, &file), (&file, &again)] {
        let lease = one.lease(&tenant(), "client").expect("the lease");
        let error = two.lease(&tenant(), "client").expect_err("somebody has it");
        let LedgerError::Leased { by } = &error else { panic!("{error}") };
        assert!(by.contains(&format!("process {}, since 2", std::process::id())), "{by}");
        two.lease(&tenant(), "other").expect("another client");
        two.lease(&Domain::parse("evil.eu.auth0.com").expect("a domain"), "client").expect("another tenant");
        drop(lease);
        two.lease(&tenant(), "client").expect("it is free");
    }
}

#[test]
fn a_lease_that_was_taken_over_changes_nothing_any_more() {
    let ledger = Ledger::in_memory().expect("a ledger");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    let begun = ledger.begin(&lease, &beginning(1)).expect("it begins");
    // As a process on another machine does it where locks do not reach.
    ledger
        .store
        .write(|transaction| Ok(transaction.execute("UPDATE lease SET token = token + 1", [])?))
        .expect("the row changes");
    let error = ledger.change(&lease, &begun, &to(State::Baselined, 150)).expect_err("it is lost").to_string();
    assert!(error.contains("taken this client over"), "{error}");
}

#[test]
fn without_a_key_everything_can_be_read_but_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("ledger");
    assert!(Ledger::open_existing(&place).expect("a look").is_none());
    assert!(!place.exists(), "a look makes nothing");
    let ledger = Ledger::open(&place).expect("a ledger");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    assert_eq!(ledger.begin(&lease, &beginning(1)), Err(LedgerError::NoKey));
    assert_eq!(ledger.unlock(age::x25519::Identity::generate()), Err(LedgerError::NoKey));

    let identity = age::x25519::Identity::generate();
    ledger.add_recipient(&identity.to_public().to_string(), true, "this machine", 5).expect("it is added");
    let begun = ledger.begin(&lease, &beginning(1)).expect("it begins without the private key");
    let new = secret("canary-new");
    let change = Change { seal: vec![(Role::New, &new, None)], ..to(State::Baselined, 150) };
    let changed = ledger.change(&lease, &begun, &change).expect("it is sealed without the private key");
    assert_eq!((changed.new, changed.holds(Role::New)), (None, true));

    let later = Ledger::open_existing(&place).expect("it opens").expect("it is there");
    assert_eq!(later.all(None), Ok(vec![changed.clone()]));
    assert_eq!(later.secret(&changed, Role::New), Err(LedgerError::Locked));
    assert_eq!(later.unlock(age::x25519::Identity::generate()), Err(LedgerError::WrongKey));
    later.unlock(identity).expect("the right key");
    assert!(later.is_unlocked());
    assert_eq!(later.secret(&changed, Role::New).expect("it opens").expect("it is held").expose(), new.expose());
    later.lock();
    assert_eq!(later.secret(&changed, Role::New), Err(LedgerError::Locked));
}

#[test]
fn wiping_takes_the_secrets_of_ended_rollovers_of_the_same_client_alone() {
    let ledger = Ledger::in_memory().expect("a ledger");
    let (one, other) = (
        ledger.lease(&tenant(), "client").expect("the lease"),
        ledger.lease(&tenant(), "other").expect("another lease"),
    );
    let old = secret("canary-old");
    let sealed = |lease: &Lease, number: u8| {
        let begun = ledger.begin(lease, &beginning(number)).expect("it begins");
        let change = Change { seal: vec![(Role::Old, &old, print(&old))], ..to(State::Baselined, 150) };
        ledger.change(lease, &begun, &change).expect("it is sealed")
    };
    let first = walk(&ledger, &one, sealed(&one, 1), &[State::Abandoned]);
    let elsewhere = walk(&ledger, &other, sealed(&other, 2), &[State::Abandoned]);
    let latest = sealed(&one, 3);
    let change = Change { wipe_earlier: true, now: 200, ..Change::default() };
    let latest = ledger.change(&one, &latest, &change).expect("they are wiped");
    assert!(latest.holds(Role::Old));
    let now = |rollover: &Rollover| ledger.get(&rollover.id).expect("it is read").expect("it is there");
    assert_eq!((now(&first).sealed, now(&first).old), (vec![], print(&old)));
    assert!(now(&elsewhere).holds(Role::Old));

    // Sealed and wiped in one breath: sealed.
    let change =
        Change { seal: vec![(Role::New, &old, None)], wipe: vec![Role::New, Role::Old], now: 210, ..Change::default() };
    assert_eq!(ledger.change(&one, &latest, &change).expect("it changes").sealed, [Role::New]);
}
