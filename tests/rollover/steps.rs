use rollover::domain::rollover::{Mode, Role, State, TargetState};
use rollover::domain::rotation::{Progress, Step};
use rollover::rollover::{
    TroubleKind, Until, abandon, cutover, deliver, promote, resume, retire, rollback, rotate, stage, verify,
};

use super::world::{World, quiet, state};

#[tokio::test]
async fn every_step_leaves_targets_server_and_ledger_as_the_design_says() {
    let world = World::with(2).await;
    let (desk, subject) = (&world.desk, &world.subject);
    let old = world.live();

    assert_eq!(state(&stage(desk, subject, &mut quiet()).await), State::Staged);
    let new = world.sealed(Role::New).expect("it is sealed");
    assert_eq!((world.live(), world.sealed(Role::Old)), (old.clone(), Some(old.clone())));
    assert_eq!(new.len(), 64);
    assert_eq!(world.file(0), World::expected(0, &old, None), "staging touches no target");

    assert_eq!(state(&deliver(desk, subject, &mut quiet()).await), State::Delivered);
    for number in 0..2 {
        assert_eq!(world.file(number), World::expected(number, &old, Some(&new)));
    }
    assert_eq!(world.live(), old, "delivering changes nothing at Auth0");
    assert_eq!(world.changes("PATCH"), 0);

    assert_eq!(state(&cutover(desk, subject, false, &mut quiet()).await), State::Applied);
    assert_eq!(world.live(), new);
    assert_eq!(state(&verify(desk, subject, &mut quiet()).await), State::Verified);
    assert_eq!(state(&promote(desk, subject, &mut quiet()).await), State::Holding);
    for number in 0..2 {
        assert_eq!(world.file(number), World::expected(number, &new, Some(&old)));
    }
    assert_eq!(world.sealed(Role::Old), Some(old.clone()), "both are kept, so that going back stays possible");

    assert_eq!(state(&retire(desk, subject, &mut quiet()).await), State::Retired);
    for number in 0..2 {
        assert_eq!(world.file(number), World::expected(number, &new, None));
    }
    assert_eq!(world.sealed(Role::Old), None);
    assert_eq!((world.changes("PATCH"), world.changes("POST")), (1, 0));
    assert_eq!(world.tenant.history(super::world::BILLING), [new]);
}

#[tokio::test]
async fn rolling_back_needs_no_delivery_and_ends_as_it_began() {
    for until in [Until::Cutover, Until::Verify, Until::Promote] {
        let world = World::with(2).await;
        let old = world.live();
        rotate(&world.desk, &world.subject, until, false, &mut quiet()).await.expect("it is live");
        assert_ne!(world.live(), old);
        assert_eq!(state(&rollback(&world.desk, &world.subject, &mut quiet()).await), State::RolledBack);
        assert_eq!(world.live(), old, "{until:?}");
        for number in 0..2 {
            assert_eq!(world.file(number), World::expected(number, &old, None), "{until:?}");
        }
        assert_eq!((world.sealed(Role::New), world.sealed(Role::Old)), (None, Some(old)));
        assert_eq!(world.changes("PATCH"), 2);
    }
}

#[tokio::test]
async fn before_the_cutover_going_back_is_giving_up() {
    for until in [Until::Stage, Until::Deliver] {
        let world = World::with(2).await;
        let old = world.live();
        rotate(&world.desk, &world.subject, until, false, &mut quiet()).await.expect("it is staged");
        assert_eq!(state(&rollback(&world.desk, &world.subject, &mut quiet()).await), State::Abandoned);
        assert_eq!(world.file(1), World::expected(1, &old, None), "{until:?}");
        assert_eq!((world.sealed(Role::New), world.sealed(Role::Old)), (None, None));
        assert_eq!((world.live(), world.changes("PATCH")), (old, 0));
    }
}

#[tokio::test]
async fn each_step_may_be_run_again() {
    let world = World::with(1).await;
    let (desk, subject) = (&world.desk, &world.subject);
    stage(desk, subject, &mut quiet()).await.expect("it is staged");
    let id = world.row().id;
    stage(desk, subject, &mut quiet()).await.expect("it is staged already");
    deliver(desk, subject, &mut quiet()).await.expect("it is delivered");
    deliver(desk, subject, &mut quiet()).await.expect("it is delivered already");
    cutover(desk, subject, false, &mut quiet()).await.expect("it is live");
    cutover(desk, subject, false, &mut quiet()).await.expect("it is live already");
    for _ in 0..2 {
        verify(desk, subject, &mut quiet()).await.expect("it is verified");
    }
    for _ in 0..2 {
        promote(desk, subject, &mut quiet()).await.expect("it is promoted");
    }
    resume(desk, subject, None, &mut quiet()).await.expect("nothing is left to settle");
    assert_eq!((world.row().id, world.state(), world.changes("PATCH")), (id, State::Holding, 1));
    retire(desk, subject, &mut quiet()).await.expect("it is retired");
    let again = retire(desk, subject, &mut quiet()).await.expect_err("it has ended");
    assert_eq!(again.kind, TroubleKind::NotNow);
    assert!(again.message.contains("has ended: retired"), "{again}");
}

#[tokio::test]
async fn without_a_target_the_whole_stages_and_stops() {
    let world = World::with(0).await;
    let trouble = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect_err("it stops");
    assert_eq!((trouble.kind, world.state(), world.changes("PATCH")), (TroubleKind::Targets, State::Staged, 0));
    assert!(trouble.hint.contains("--no-targets"), "{}", trouble.hint);
    let done = rotate(&world.desk, &world.subject, Until::Promote, true, &mut quiet()).await.expect("told to");
    assert_eq!((done.rollover.state, world.changes("PATCH")), (State::Holding, 1));
}

#[tokio::test]
async fn a_rollover_that_holds_comes_before_the_next_one() {
    let world = World::with(1).await;
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    let trouble = stage(&world.desk, &world.subject, &mut quiet()).await.expect_err("it still holds");
    assert_eq!(trouble.kind, TroubleKind::NotNow);
    assert!(
        trouble.message.contains("has not ended: holding") && trouble.hint.contains("rollover retire"),
        "{trouble:?}"
    );
    abandon(&world.desk, &world.subject, &mut quiet()).await.expect_err("it is too late to give it up");
    retire(&world.desk, &world.subject, &mut quiet()).await.expect("it is retired");
    rotate(&world.desk, &world.subject, Until::Retire, false, &mut quiet()).await.expect("the next");
    assert_eq!(world.desk.ledger.all(None).expect("the ledger").len(), 2);
    let sealed: usize = world.desk.ledger.all(None).expect("the ledger").iter().map(|row| row.sealed.len()).sum();
    assert_eq!(sealed, 1, "of two that ended, the live secret alone is still sealed");
}

#[tokio::test]
async fn what_is_told_on_the_way_gives_nothing_away_and_ends_with_what_is_live() {
    let world = World::with(2).await;
    let old = world.live();
    let mut all = Vec::new();
    let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut |one| all.push(one)).await;
    let done = done.expect("it holds");
    let said = format!("{all:?}{done:?}");
    for secret in [old, world.live()] {
        assert!(!said.contains(&secret), "{said}");
    }
    let live = all.iter().position(|one| matches!(one, Progress::Live(_))).expect("what is live is told");
    let sealed = all.iter().position(|one| matches!(one, Progress::Recorded(row) if row.state == State::Staged));
    assert!(sealed.is_some_and(|sealed| sealed < live), "it is sealed long before");
    assert_eq!(done.secret.map(|secret| secret.expose().to_owned()), Some(world.live()));
    let steps: Vec<_> = done.rollover.steps.iter().map(|step| step.step).collect();
    assert_eq!(steps, [Step::ReadBefore, Step::Stage, Step::Deliver, Step::CutOver, Step::Verify, Step::Promote]);
    assert_eq!(done.rollover.mode, Mode::Set);
    assert!(done.rollover.targets.iter().all(|target| target.state == TargetState::Verified));
}

#[tokio::test]
async fn a_token_that_may_not_read_secrets_can_roll_over_all_the_same() {
    let mut world = World::with(1).await;
    world.scoped("read:clients update:client_keys");
    let old = world.live();
    let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    assert_ne!(world.live(), old);
    assert_eq!(
        world.file(0),
        World::expected(0, &world.live(), None),
        "the old one is not known, so it is no fallback"
    );
    assert!(!done.rollover.holds(Role::Old));
    let trouble =
        rollback(&world.desk, &world.subject, &mut quiet()).await.expect_err("there is nothing to go back to");
    assert!(trouble.message.contains("does not hold the old secret"), "{trouble}");
}
