use rollover::domain::rollover::{State, TargetState};
use rollover::domain::target::{CommandPlace, Place, holding};
use rollover::rollover::{TroubleKind, Until, cutover, deliver, resume, rotate};

use super::world::{World, dotenv, quiet, state, write};

#[tokio::test]
async fn one_target_that_fails_holds_the_cutover_back_and_the_rest_are_done() {
    // All subsets of three targets that cannot be written.
    for broken in 1..8_u32 {
        let world = World::with(3).await;
        let old = world.live();
        let is_broken = |number: usize| broken & (1 << number) != 0;
        for number in (0..3).filter(|number| is_broken(*number)) {
            // The key twice: refused.
            write(&world.path(number), &format!("AUTH0_CLIENT_SECRET={old}\nAUTH0_CLIENT_SECRET={old}\n"));
        }
        let trouble =
            rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect_err("it stops");
        assert_eq!((trouble.kind, world.state(), world.changes("PATCH")), (TroubleKind::Targets, State::Staged, 0));
        let row = world.row();
        for number in 0..3 {
            let target = row.targets.iter().find(|target| target.name == format!("app{number}")).expect("a row");
            let wanted = if is_broken(number) { TargetState::Failed } else { TargetState::Verified };
            assert_eq!(target.state, wanted, "{broken:b}: {row:?}");
            assert_eq!(world.file(number).contains("FALLBACK"), !is_broken(number));
        }
        let refused = cutover(&world.desk, &world.subject, false, &mut quiet()).await.expect_err("they lack it");
        assert!(refused.message.contains("lack the pending secret"), "{refused}");
        for number in (0..3).filter(|number| is_broken(*number)) {
            write(&world.path(number), &World::expected(number, &old, None));
        }
        let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await;
        assert_eq!(state(&done), State::Holding);
        for number in 0..3 {
            assert_eq!(world.file(number), World::expected(number, &world.live(), Some(&old)));
        }
    }
}

#[tokio::test]
async fn what_somebody_wrote_while_we_were_dead_is_asked_about() {
    let world = World::with(1).await;
    rotate(&world.desk, &world.subject, Until::Stage, false, &mut quiet()).await.expect("it is staged");
    // As if the program had died while it wrote: the row says what was there, and what was to be.
    let lease = world.desk.ledger.lease(world.desk.api.domain(), super::world::BILLING).expect("a lease");
    let mut row = world.row().targets[0].clone();
    row.state = TargetState::Writing;
    row.before = Some(world.desk.key.contents(b"before"));
    row.after = Some(world.desk.key.contents(b"after"));
    let change = rollover::ledger::Change { targets: vec![row], ..rollover::ledger::Change::default() };
    world.desk.ledger.change(&lease, &world.row(), &change).expect("it is recorded");
    drop(lease);
    let before = world.file(0);
    let trouble = resume(&world.desk, &world.subject, None, &mut quiet()).await.expect_err("a person has to look");
    assert_eq!((trouble.kind, world.row().targets[0].state), (TroubleKind::Targets, TargetState::Conflict));
    assert_eq!(world.file(0), before, "it was not touched");
    deliver(&world.desk, &world.subject, &mut quiet()).await.expect("a person asked for it");
    assert_eq!(world.row().targets[0].state, TargetState::Verified);
}

#[tokio::test]
async fn a_value_that_is_not_ours_stays_in_the_first_slot_until_the_cutover() {
    let world = World::with(1).await;
    let foreign = "f".repeat(40);
    write(&world.path(0), &World::expected(0, &foreign, None));
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    assert!(world.file(0).contains(&format!("AUTH0_CLIENT_SECRET={foreign}\n")), "{}", world.file(0));
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    assert!(world.file(0).contains(&format!("AUTH0_CLIENT_SECRET={}\n", world.live())));
}

#[tokio::test]
async fn what_is_to_run_afterwards_runs_and_its_failure_counts() {
    let mut world = World::with(1).await;
    let marker = world.folder.path().join("ran");
    let path = marker.display().to_string();
    world.subject.targets[0].after = vec!["sh".to_owned(), "-c".to_owned(), format!("echo x >> '{path}'; exit 3")];
    let trouble = rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect_err("it fails");
    assert!(trouble.message.contains("what is to run afterwards failed"), "{trouble}");
    assert_eq!(std::fs::read_to_string(&marker).expect("it ran").lines().count(), 1);
    world.subject.targets[0].after = vec!["sh".to_owned(), "-c".to_owned(), format!("echo x >> '{path}'")];
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it runs again");
    assert_eq!(std::fs::read_to_string(&marker).expect("it ran").lines().count(), 2);
    deliver(&world.desk, &world.subject, &mut quiet()).await.expect("nothing is left");
    assert_eq!(std::fs::read_to_string(&marker).expect("it ran").lines().count(), 2, "what is verified is left alone");
}

#[tokio::test]
async fn a_command_gets_both_secrets_on_stdin_and_is_read_back() {
    let mut world = World::with(0).await;
    let store = world.folder.path().join("store.json");
    write(&store, "{}");
    let path = store.display().to_string();
    let mut target = dotenv("vault", &store);
    target.place = Place::Command(CommandPlace {
        write: vec!["sh".to_owned(), "-c".to_owned(), format!("cat > '{path}'")],
        read: vec!["sh".to_owned(), "-c".to_owned(), format!("cat '{path}'")],
        environment: Vec::new(),
        timeout: CommandPlace::TIMEOUT,
    });
    target.slots =
        rollover::domain::target::SlotNames::Two { current: "current".to_owned(), fallback: "fallback".to_owned() };
    world.subject.targets = vec![target];
    let old = world.live();
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    let stored: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&store).expect("a file")).expect("JSON");
    assert_eq!((&stored["client_id"], &stored["step"]), (&super::world::BILLING.into(), &"promote".into()));
    assert_eq!(
        (stored["current"].as_str(), stored["fallback"].as_str()),
        (Some(world.live().as_str()), Some(old.as_str()))
    );
}

#[tokio::test]
async fn what_a_target_holds_is_told_in_one_word_at_every_step() {
    let world = World::with(1).await;
    let words = async |world: &World| {
        let reading = rollover::targets::read(&world.subject.targets[0], super::world::BILLING, &world.desk.key).await;
        let reading = reading.expect("it can be read");
        let live = rollover::domain::Secret::new(world.live());
        let row = world.desk.ledger.latest(world.desk.api.domain(), super::world::BILLING).expect("the ledger");
        let held = holding(&reading.slots, Some(&live), row.as_ref(), &world.desk.key);
        (held.word(), held.works(), held.is_ready())
    };
    assert_eq!(words(&world).await, ("current", true, false));
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    assert_eq!(words(&world).await, ("both", true, true));
    rotate(&world.desk, &world.subject, Until::Verify, false, &mut quiet()).await.expect("it is live");
    assert_eq!(words(&world).await, ("both", true, false));
    rotate(&world.desk, &world.subject, Until::Retire, false, &mut quiet())
        .await
        .expect_err("it is not staged any more");
    rollover::rollover::promote(&world.desk, &world.subject, &mut quiet()).await.expect("it holds");
    rollover::rollover::retire(&world.desk, &world.subject, &mut quiet()).await.expect("it is retired");
    assert_eq!(words(&world).await, ("current", true, false));
    world.tenant.act_as_other(super::world::BILLING);
    assert!(!words(&world).await.1, "nothing there works any more");
}
