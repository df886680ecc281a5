use std::sync::Arc;

use rollover::domain::Secret;
use rollover::domain::rollover::{Mode, Role, State};
use rollover::domain::rotation::{Probe, Progress, Step, Verification};
use rollover::rollover::{Done, Ended, TroubleKind, Until, resume, rotate, rotate_now};

use super::world::{BILLING, World, quiet, state};

/// The first lines of a fault of rotating.
const ROTATE: &str = "[[fault]]\npath = \"/api/v2/clients/*/rotate-secret\"\n";
const COMPLETE: Verification = Verification { new: Probe::Accepted, old: Some(Probe::Rejected) };

/// Rotates and asserts what must hold of every run: at most one request, what is live is sealed before it is told and told before it
/// is verified, and nothing that is told gives a secret away.
async fn rotated(world: &World) -> (Ended, Vec<Progress>) {
    let old = world.live();
    let mut all = Vec::new();
    let ended = rotate_now(&world.desk, &world.subject, &mut |one| all.push(one)).await;
    assert!(world.changes("POST") <= 1, "a rotation is never sent twice");
    let position = |wanted: &dyn Fn(&Progress) -> bool| all.iter().position(wanted);
    if let Some(live) = position(&|one| matches!(one, Progress::Live(_))) {
        let sealed = position(&|one| matches!(one, Progress::Recorded(row) if row.holds(Role::New)));
        assert!(sealed.is_some_and(|sealed| sealed < live), "what is shown is sealed first: {all:?}");
        let verifying = position(&|one| *one == Progress::Began(Step::Verify));
        assert!(verifying.is_none_or(|verifying| live < verifying), "{all:?}");
    }
    let said = format!("{all:?}{ended:?}");
    for secret in [old, world.live(), world.tenant.token().to_owned()] {
        assert!(!said.contains(&secret), "{said}");
    }
    (ended, all)
}

fn secret(done: &Done) -> Option<&str> {
    done.secret.as_deref().map(Secret::expose)
}

#[tokio::test]
async fn rotating_records_rotates_verifies_delivers_and_retires() {
    let world = World::with(2).await;
    let old = world.live();
    let (ended, _) = rotated(&world).await;
    let done = ended.expect("it is done");
    assert_eq!(
        (done.rollover.state, done.rollover.mode, done.verification.as_ref()),
        (State::Retired, Mode::Server, Some(&COMPLETE))
    );
    assert_eq!(secret(&done), Some(world.live().as_str()));
    assert_ne!(world.live(), old);
    for number in 0..2 {
        assert_eq!(
            world.file(number),
            World::expected(number, &world.live(), None),
            "the old one is nobody's fallback"
        );
    }
    assert_eq!(world.sealed(Role::Old), None);
    let steps: Vec<_> = done.rollover.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [Step::ReadBefore, Step::Rotate, Step::Verify, Step::Promote, Step::Retire]);
}

#[tokio::test]
async fn what_is_live_is_known_whatever_happened_on_the_way() {
    for fault in [
        "remove = [\"client_secret\"]",
        "set = { client_secret = \"\" }",
        "twice = true",
        "other_actor = true",
        "repeat = \"client_secret\"",
        "delay_ms = 50",
    ] {
        let world = World::faulty(1, &format!("{ROTATE}{fault}\n")).await;
        let (ended, _) = rotated(&world).await;
        let done = ended.unwrap_or_else(|trouble| panic!("{fault}: {trouble:?}"));
        assert_eq!(secret(&done), Some(world.live().as_str()), "{fault}");
        assert_eq!(done.verification.as_ref(), Some(&COMPLETE), "{fault}");
    }
}

#[tokio::test]
async fn a_lost_answer_to_an_applied_request_is_adopted() {
    for fault in ["drop = \"reset\"", "drop = \"fin\"", "cut = 60", "status = 502", "body = \"<html>\"", "status = 308"]
    {
        let world = World::faulty(1, &format!("{ROTATE}when = \"after\"\n{fault}\n")).await;
        let (ended, _) = rotated(&world).await;
        let done = ended.unwrap_or_else(|trouble| panic!("{fault}: {trouble:?}"));
        assert_eq!((done.rollover.state, secret(&done)), (State::Retired, Some(world.live().as_str())), "{fault}");
        assert_eq!(world.file(0), World::expected(0, &world.live(), None), "{fault}");
    }
}

#[tokio::test]
async fn a_request_that_was_not_applied_is_never_sent_again_by_itself() {
    for fault in ["drop = \"reset\"", "status = 504"] {
        let world = World::faulty(1, &format!("{ROTATE}when = \"before\"\n{fault}\n")).await;
        let old = world.live();
        let (ended, _) = rotated(&world).await;
        let trouble = ended.expect_err("it stays in doubt");
        assert_eq!(
            (&trouble.kind, world.state(), world.live()),
            (&TroubleKind::InDoubt, State::InDoubt, old.clone()),
            "{fault}"
        );
        assert_eq!(world.sealed(Role::Old), Some(old.clone()));
        for _ in 0..2 {
            resume(&world.desk, &world.subject, None, &mut quiet()).await.expect_err("it is not sent by resume either");
        }
        assert_eq!(world.changes("POST"), 1);
        let again = rotate_now(&world.desk, &world.subject, &mut quiet()).await.expect_err("it is settled first");
        assert_eq!(again.kind, TroubleKind::InDoubt);
        rollover::rollover::abandon(&world.desk, &world.subject, &mut quiet()).await.expect("a person lets it rest");
        world.play("");
        assert_eq!(state(&rotate_now(&world.desk, &world.subject, &mut quiet()).await), State::Retired);
    }
}

#[tokio::test]
async fn somebody_elses_rotation_in_place_of_a_lost_answer_is_a_conflict() {
    let faults = format!("{ROTATE}when = \"before\"\nother_actor = true\ndrop = \"reset\"\n");
    let world = World::faulty(1, &faults).await;
    let (ended, _) = rotated(&world).await;
    let trouble = ended.expect_err("the log names somebody else");
    assert_eq!((trouble.kind, world.state()), (TroubleKind::Conflict, State::Conflict));
    assert_eq!(world.sealed(Role::Observed), Some(world.live()), "what works is kept whoever made it");
}

#[tokio::test]
async fn without_a_secret_to_compare_nothing_is_claimed() {
    let mut world = World::faulty(1, &format!("{ROTATE}drop = \"reset\"\n")).await;
    world.scoped("update:client_keys read:clients");
    let (ended, _) = rotated(&world).await;
    let trouble = ended.expect_err("it cannot be told");
    assert_eq!((trouble.kind, world.state()), (TroubleKind::InDoubt, State::Unknown));
    assert!(trouble.message.contains("could not be read before"), "{}", trouble.message);
    world.scoped("update:client_keys read:clients read:client_keys");
    let done = resume(&world.desk, &world.subject, None, &mut quiet()).await;
    assert_eq!(state(&done), State::Retired, "once it can be read, it is gone on with");
    assert_eq!(world.file(0), World::expected(0, &world.live(), None));
}

#[tokio::test]
async fn an_answer_without_the_secret_is_read_after_a_crash_too() {
    for (seeing, wanted) in [(false, State::Unknown), (true, State::Retired)] {
        let mut world = World::faulty(1, &format!("{ROTATE}remove = [\"client_secret\"]\n")).await;
        world.scoped("update:client_keys read:clients");
        let applied = Arc::new(tokio::sync::Notify::new());
        let told = Arc::clone(&applied);
        let mut listener = move |progress: Progress| {
            if matches!(&progress, Progress::Recorded(row) if row.state == State::Applied) {
                told.notify_one();
            }
        };
        tokio::select! {
            biased;
            () = applied.notified() => {}
            ended = rotate_now(&world.desk, &world.subject, &mut listener) => panic!("it went on: {ended:?}"),
        }
        while world.desk.ledger.lease(world.desk.api.domain(), BILLING).is_err() {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.state(), State::Applied);
        if seeing {
            world.scoped("update:client_keys read:clients read:client_keys");
        }
        let ended = resume(&world.desk, &world.subject, None, &mut quiet()).await;
        assert_eq!((state(&ended), world.changes("POST")), (wanted, 1));
    }
}

#[tokio::test]
async fn a_refusal_leaves_nothing_behind() {
    for status in [400, 401, 403, 404, 409, 429] {
        let world = World::faulty(1, &format!("{ROTATE}when = \"before\"\nstatus = {status}\nbody = '{{}}'\n")).await;
        let old = world.live();
        let (ended, _) = rotated(&world).await;
        let trouble = ended.expect_err("refused");
        let TroubleKind::Auth0(error) = &trouble.kind else { panic!("{trouble:?}") };
        assert_eq!((error.status, world.state(), world.live()), (Some(status), State::Abandoned, old));
        assert_eq!(world.sealed(Role::Old), None);
    }
}

#[tokio::test]
async fn an_emergency_overtakes_a_rollover_that_was_staged() {
    let world = World::with(1).await;
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    let pending = world.sealed(Role::New).expect("sealed");
    let (ended, _) = rotated(&world).await;
    assert_eq!(state(&ended), State::Retired);
    assert_eq!(world.file(0), World::expected(0, &world.live(), None));
    assert!(!world.file(0).contains(&pending));
    let all = world.desk.ledger.all(None).expect("the ledger");
    assert_eq!(all.iter().map(|row| row.state).collect::<Vec<_>>(), [State::Retired, State::Abandoned]);
}

#[tokio::test]
async fn a_target_that_fails_afterwards_keeps_the_way_open() {
    let world = World::with(1).await;
    let old = world.live();
    super::world::write(&world.path(0), &format!("AUTH0_CLIENT_SECRET={old}\nAUTH0_CLIENT_SECRET={old}\n"));
    let trouble = rotate_now(&world.desk, &world.subject, &mut quiet()).await.expect_err("the target is refused");
    assert_eq!((trouble.kind, world.state()), (TroubleKind::Targets, State::Promoting));
    super::world::write(&world.path(0), &World::expected(0, &old, None));
    assert_eq!(state(&resume(&world.desk, &world.subject, None, &mut quiet()).await), State::Retired);
    assert_eq!(world.file(0), World::expected(0, &world.live(), None));
}

#[tokio::test]
async fn the_client_is_named_and_the_request_can_be_found_in_the_log() {
    let world = World::with(0).await;
    let (ended, _) = rotated(&world).await;
    let row = ended.expect("it is done").rollover;
    assert_eq!((row.client_id.as_str(), row.name.raw()), (BILLING, "Billing API"));
    let changes = world.desk.api.secret_changes(BILLING).await.expect("the log");
    assert_eq!(changes.first().and_then(|change| change.correlation_id.clone()), row.correlation_id);
    let _ = Arc::clone(&world.desk.key);
}
