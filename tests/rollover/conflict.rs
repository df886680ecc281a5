use rollover::domain::rollover::{Role, State};
use rollover::rollover::{Choice, TroubleKind, Until, abandon, cutover, promote, resume, retire, rollback, rotate};

use super::world::{BILLING, World, quiet, state};

/// Somebody else rotates the client after it was staged.
async fn conflicting() -> World {
    let world = World::with(1).await;
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    world.tenant.act_as_other(BILLING);
    world
}

#[tokio::test]
async fn a_cutover_refuses_where_somebody_else_changed_the_secret_and_says_who() {
    let world = conflicting().await;
    let theirs = world.live();
    let trouble = cutover(&world.desk, &world.subject, false, &mut quiet()).await.expect_err("a conflict");
    assert_eq!((&trouble.kind, world.state()), (&TroubleKind::Conflict, State::Conflict));
    assert!(trouble.message.contains("someone.else@example.com from 192.0.2.7"), "{trouble}");
    assert_eq!((world.live(), world.changes("PATCH")), (theirs.clone(), 0), "a third value is never overwritten");
    assert_eq!(world.sealed(Role::Observed), Some(theirs), "what was seen is kept");
    assert!(!format!("{trouble:?}").contains(&world.live()));
}

#[tokio::test]
async fn theirs_can_be_kept() {
    let world = conflicting().await;
    let theirs = world.live();
    cutover(&world.desk, &world.subject, false, &mut quiet()).await.expect_err("a conflict");
    let still = resume(&world.desk, &world.subject, None, &mut quiet()).await.expect_err("a person decides");
    assert_eq!(still.kind, TroubleKind::Conflict);
    let done = resume(&world.desk, &world.subject, Some(Choice::KeepTheirs), &mut quiet()).await;
    assert_eq!((state(&done), world.live(), world.changes("PATCH")), (State::Holding, theirs.clone(), 0));
    assert!(world.file(0).contains(&format!("AUTH0_CLIENT_SECRET={theirs}\n")), "the app gets the live one first");
}

#[tokio::test]
async fn ours_can_be_set_in_the_place_of_theirs() {
    let world = conflicting().await;
    cutover(&world.desk, &world.subject, false, &mut quiet()).await.expect_err("a conflict");
    let ours = world.sealed(Role::New);
    let done = resume(&world.desk, &world.subject, Some(Choice::SetOurs), &mut quiet()).await;
    assert_eq!((state(&done), Some(world.live()), world.changes("PATCH")), (State::Holding, ours, 1));
}

#[tokio::test]
async fn a_conflict_can_be_left_as_it_is() {
    let world = conflicting().await;
    let theirs = world.live();
    cutover(&world.desk, &world.subject, false, &mut quiet()).await.expect_err("a conflict");
    let file = world.file(0);
    assert_eq!(state(&abandon(&world.desk, &world.subject, &mut quiet()).await), State::Abandoned);
    assert_eq!((world.live(), world.file(0)), (theirs, file));
}

#[tokio::test]
async fn between_the_read_and_the_request_it_is_found_out_afterwards() {
    // The window that no check can close: theirs is overwritten, and the log tells it.
    let world = World::with(1).await;
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    world.play("[[fault]]\nmethod = \"PATCH\"\nother_actor = true\n");
    let done = cutover(&world.desk, &world.subject, false, &mut quiet()).await;
    assert_eq!((state(&done), Some(world.live())), (State::Applied, world.sealed(Role::New)));
    let changes = world.desk.api.secret_changes(BILLING).await.expect("the log");
    assert_eq!(changes.len(), 2, "{changes:?}");
}

#[tokio::test]
async fn a_change_by_somebody_else_stops_the_way_back_too() {
    let world = World::with(1).await;
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    world.tenant.act_as_other(BILLING);
    let theirs = world.live();
    let trouble = rollback(&world.desk, &world.subject, &mut quiet()).await.expect_err("a conflict");
    assert_eq!((trouble.kind, world.state(), world.live()), (TroubleKind::Conflict, State::Conflict, theirs));
}

#[tokio::test]
async fn ours_made_live_by_hand_is_no_conflict() {
    let world = World::with(1).await;
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    let new = rollover::domain::Secret::new(world.sealed(Role::New).expect("sealed"));
    world.desk.api.set_secret(BILLING, &new, "by-hand").await.expect("it is set");
    let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await;
    assert_eq!((state(&done), world.changes("PATCH")), (State::Holding, 1), "there was nothing to send");
}

#[tokio::test]
async fn a_change_by_somebody_else_keeps_a_dead_secret_out_of_the_targets() {
    for until in [Until::Verify, Until::Promote] {
        let world = World::with(1).await;
        rotate(&world.desk, &world.subject, until, false, &mut quiet()).await.expect("it is live");
        world.tenant.act_as_other(BILLING);
        let file = world.file(0);
        let ended = match until {
            Until::Verify => promote(&world.desk, &world.subject, &mut quiet()).await,
            _ => retire(&world.desk, &world.subject, &mut quiet()).await,
        };
        let trouble = ended.expect_err("a conflict");
        assert_eq!((trouble.kind, world.state(), world.file(0)), (TroubleKind::Conflict, State::Conflict, file));
        let done = resume(&world.desk, &world.subject, Some(Choice::KeepTheirs), &mut quiet()).await;
        assert_eq!((state(&done), world.sealed(Role::New)), (State::Holding, Some(world.live())));
    }
}

#[tokio::test]
async fn the_old_secret_is_not_dropped_where_somebody_made_it_live_again() {
    let world = World::with(1).await;
    let old = world.live();
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    let by_hand = rollover::domain::Secret::new(old.clone());
    world.desk.api.set_secret(BILLING, &by_hand, "by-hand").await.expect("it is set");
    let file = world.file(0);
    let trouble = retire(&world.desk, &world.subject, &mut quiet()).await.expect_err("it is live");
    assert_eq!((trouble.kind, world.state(), world.file(0)), (TroubleKind::Conflict, State::Conflict, file));
    assert_eq!(world.sealed(Role::Old), Some(old));
    assert_eq!(state(&rollback(&world.desk, &world.subject, &mut quiet()).await), State::RolledBack);
}
