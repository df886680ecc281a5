//! Requests that arrive after their answer was given up: nothing is let go of that one of them may still make live.
use std::sync::Arc;
use std::time::Duration;

use rollover::domain::rollover::{Role, State};
use rollover::domain::rotation::Progress;
use rollover::rollover::{Choice, TroubleKind, Until, abandon, resume, rollback, rotate, rotate_now};
use tokio::sync::Notify;

use super::world::{BILLING, SHORT, World, quiet, state};

/// Cuts over, loses the answer, and dies; the request arrives a moment later, well within the time that it is given.
async fn died_in_doubt() -> World {
    let mut world = World::with(1).await;
    world.desk.patience.quiesce = Duration::from_secs(3);
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    world.play("[[fault]]\nmethod = \"PATCH\"\nlate_ms = 400\ndrop = \"reset\"\ntimes = 1\n");
    let doubt = Arc::new(Notify::new());
    let told = Arc::clone(&doubt);
    let mut listener = move |progress: Progress| {
        if matches!(&progress, Progress::Recorded(row) if row.state == State::InDoubt) {
            told.notify_one();
        }
    };
    tokio::select! {
        biased;
        () = doubt.notified() => {}
        ended = rotate(&world.desk, &world.subject, Until::Promote, false, &mut listener) => {
            panic!("it waits for the late request: {ended:?}");
        }
    }
    // What it had begun on the disk is done, and its lease is given back.
    while world.desk.ledger.lease(world.desk.api.domain(), BILLING).is_err() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.state(), State::InDoubt);
    world
}

#[tokio::test]
async fn a_doubt_is_not_given_up_while_the_request_may_still_arrive() {
    let world = died_in_doubt().await;
    let trouble = abandon(&world.desk, &world.subject, &mut quiet()).await.expect_err("it has arrived meanwhile");
    assert_eq!((&trouble.kind, world.state()), (&TroubleKind::NotNow, State::InDoubt), "{trouble}");
    assert_eq!(world.sealed(Role::New), Some(world.live()), "what is live is still sealed");
    let done = resume(&world.desk, &world.subject, None, &mut quiet()).await;
    assert_eq!((state(&done), world.changes("PATCH")), (State::Holding, 1));
}

#[tokio::test]
async fn theirs_is_not_kept_while_a_request_of_ours_may_still_arrive() {
    let world = died_in_doubt().await;
    world.tenant.act_as_other(BILLING);
    let trouble = resume(&world.desk, &world.subject, None, &mut quiet()).await.expect_err("theirs is live");
    assert_eq!((trouble.kind, world.state()), (TroubleKind::Conflict, State::Conflict));
    let ours = world.sealed(Role::New).expect("sealed");
    let done = resume(&world.desk, &world.subject, Some(Choice::KeepTheirs), &mut quiet()).await;
    assert_eq!(state(&done), State::Holding);
    while !world.tenant.history(BILLING).contains(&ours) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(world.sealed(Role::New), Some(world.live()), "ours arrived in the place of theirs, and that is known");
}

#[tokio::test]
async fn a_conflict_is_not_given_up_while_a_request_of_ours_may_still_arrive() {
    let world = died_in_doubt().await;
    world.tenant.act_as_other(BILLING);
    resume(&world.desk, &world.subject, None, &mut quiet()).await.expect_err("theirs is live");
    assert_eq!(world.state(), State::Conflict);
    let trouble = abandon(&world.desk, &world.subject, &mut quiet()).await.expect_err("ours has arrived since");
    assert_eq!((&trouble.kind, world.state()), (&TroubleKind::NotNow, State::Conflict), "{trouble}");
    assert_eq!(world.sealed(Role::New), Some(world.live()), "what is live is still sealed");
    assert_eq!(state(&resume(&world.desk, &world.subject, None, &mut quiet()).await), State::Holding);
}

#[tokio::test]
async fn a_second_request_that_is_refused_settles_nothing_of_the_first() {
    let mut world = World::with(1).await;
    // Who may not read secrets sends the same value again without waiting.
    world.scoped("read:clients update:client_keys");
    let first = "[[fault]]\nmethod = \"PATCH\"\nwhen = \"after\"\ndrop = \"reset\"\ntimes = 1\n";
    let probe = "[[fault]]\npath = \"/oauth/token\"\nstatus = 500\nbody = ''\n";
    let second = "[[fault]]\nmethod = \"PATCH\"\nwhen = \"before\"\nstatus = 403\nbody = '{}'\n";
    world.play(&format!("{first}{second}{probe}"));
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect_err("refused");
    assert_eq!((world.state(), world.sealed(Role::New)), (State::InDoubt, Some(world.live())));
    abandon(&world.desk, &world.subject, &mut quiet()).await.expect_err("it may be in");
    world.play("");
    assert_eq!(state(&resume(&world.desk, &world.subject, None, &mut quiet()).await), State::Holding);
}

#[tokio::test]
async fn a_rotation_that_is_refused_loses_nothing_of_the_rollover_that_it_overtakes() {
    let mut world = World::with(1).await;
    // Who may not read secrets has what is live from the ledger alone.
    world.scoped("read:clients update:client_keys");
    world.desk.patience = SHORT;
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    let held = world.row();
    world.play("[[fault]]\npath = \"/api/v2/clients/*/rotate-secret\"\nwhen = \"before\"\nstatus = 429\nbody = '{}'\n");
    rotate_now(&world.desk, &world.subject, &mut quiet()).await.expect_err("refused");
    let row = world.desk.ledger.get(&held.id).expect("the ledger").expect("a rollover");
    assert_eq!((row.state, world.state()), (State::Retired, State::Abandoned));
    let kept = world.desk.ledger.secret(&row, Role::New).expect("the ledger");
    assert_eq!(kept.map(|kept| kept.expose().to_owned()), Some(world.live()), "what is live is nowhere else");
    world.play("");
    rotate_now(&world.desk, &world.subject, &mut quiet()).await.expect("it is in doubt of nothing");
}

#[tokio::test]
async fn going_back_waits_for_an_earlier_request_that_may_still_arrive() {
    let mut world = World::with(1).await;
    world.desk.patience.quiesce = Duration::from_secs(3);
    let old = world.live();
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    // The answer is lost and the request on its way; what is live cannot be seen, so the same value is sent again and taken.
    world.play(
        "[[fault]]\nmethod = \"PATCH\"\ntimes = 1\nlate_ms = 1500\ndrop = \"reset\"\n\
         [[fault]]\nmethod = \"GET\"\npath = \"/api/v2/clients/*\"\nremove = [\"client_secret\"]\n",
    );
    let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await;
    assert_eq!(state(&done), State::Holding);
    world.play("");
    assert_eq!(state(&rollback(&world.desk, &world.subject, &mut quiet()).await), State::RolledBack);
    // Until the late one has arrived too: the tenant's log tells of each.
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while world.desk.api.secret_changes(BILLING).await.expect("the log").len() < 3 {
        assert!(std::time::Instant::now() < deadline, "it never arrived");
        tokio::task::yield_now().await;
    }
    assert_eq!(world.live(), old, "what was taken back stays so");
}
