use rollover::domain::rollover::{Role, State};
use rollover::rollover::{TroubleKind, Until, abandon, cutover, resume, rollback, rotate};

use super::world::{World, quiet, state};

/// The first lines of a fault of setting a secret.
const PATCH: &str = "[[fault]]\nmethod = \"PATCH\"\n";

#[tokio::test]
async fn a_lost_answer_to_an_applied_request_is_found_out_and_nothing_is_sent_again() {
    for fault in ["drop = \"reset\"", "drop = \"fin\"", "cut = 60", "status = 502", "body = \"<html>\"", "status = 308"]
    {
        let world = World::faulty(1, &format!("{PATCH}when = \"after\"\n{fault}\n")).await;
        let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await;
        assert_eq!((state(&done), world.changes("PATCH")), (State::Holding, 1), "{fault}");
        assert_eq!(world.sealed(Role::New), Some(world.live()), "{fault}");
    }
}

#[tokio::test]
async fn a_request_that_was_not_applied_is_sent_again_with_the_same_value() {
    for fault in ["drop = \"reset\"", "status = 504", "status = 408", "body = \"\""] {
        let world = World::faulty(1, &format!("{PATCH}when = \"before\"\ntimes = 2\n{fault}\n")).await;
        let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await;
        assert_eq!((state(&done), world.changes("PATCH")), (State::Holding, 3), "{fault}");
        assert_eq!(
            world.tenant.history(super::world::BILLING).len(),
            1,
            "{fault}: one value, however often it is sent"
        );
    }
}

#[tokio::test]
async fn after_four_attempts_a_person_is_asked_and_can_give_it_up() {
    let world = World::faulty(1, &format!("{PATCH}when = \"before\"\nstatus = 502\n")).await;
    let old = world.live();
    let trouble = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect_err("it stays");
    assert_eq!((trouble.kind, world.state(), world.changes("PATCH")), (TroubleKind::InDoubt, State::InDoubt, 4));
    assert_eq!(trouble.cause.and_then(|cause| cause.status), Some(502));
    let refused =
        rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect_err("not another");
    assert_eq!(refused.kind, TroubleKind::NotNow, "no other rollover of this client before it is settled");
    abandon(&world.desk, &world.subject, &mut quiet()).await.expect("the secret is the old one");
    assert_eq!((world.live(), world.file(0)), (old.clone(), World::expected(0, &old, None)));
}

#[tokio::test]
async fn a_read_that_fails_leaves_it_in_doubt_until_it_works() {
    let reads = "[[fault]]\nmethod = \"GET\"\npath = \"/api/v2/clients/*\"\nskip = 2\nstatus = 403\nbody = '{\"message\":\"no\"}'\n";
    let world = World::faulty(1, &format!("{PATCH}when = \"after\"\ndrop = \"reset\"\n{reads}")).await;
    let trouble = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect_err("it stays");
    assert_eq!((trouble.kind, world.state()), (TroubleKind::InDoubt, State::InDoubt));
    let given_up = abandon(&world.desk, &world.subject, &mut quiet()).await.expect_err("it may have been applied");
    assert!(given_up.message.contains("may have been applied"), "{given_up}");
    world.play("");
    assert_eq!(state(&resume(&world.desk, &world.subject, None, &mut quiet()).await), State::Holding);
    assert_eq!((world.changes("PATCH"), world.sealed(Role::New)), (1, Some(world.live())));
}

#[tokio::test]
async fn a_late_request_changes_nothing_that_was_said() {
    // The answer says nothing, and the request arrives later: the same value was sent again meanwhile, or is about to be.
    let world = World::faulty(1, &format!("{PATCH}times = 1\nlate_ms = 40\ndrop = \"reset\"\n")).await;
    let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await;
    assert_eq!(state(&done), State::Holding);
    let live = world.live();
    // Until the late one has arrived as well.
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while world.changes("PATCH") < 2 && std::time::Instant::now() < deadline {
        tokio::task::yield_now().await;
    }
    assert_eq!((world.live(), world.tenant.history(super::world::BILLING).len()), (live, 1));
}

#[tokio::test]
async fn a_read_that_lags_behind_is_waited_for() {
    let world = World::faulty(1, &format!("{PATCH}when = \"after\"\nstale_seconds = 1\n")).await;
    let mut world = world;
    world.desk.patience.quiesce = std::time::Duration::from_secs(5);
    let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await;
    assert_eq!((state(&done), world.changes("PATCH")), (State::Holding, 1));
}

#[tokio::test]
async fn a_refusal_leaves_everything_as_it_was_and_can_be_tried_again() {
    for (status, next) in [
        (400, State::Rejected),
        (401, State::Staged),
        (403, State::Rejected),
        (404, State::Rejected),
        (409, State::Rejected),
        (429, State::Staged),
    ] {
        let world =
            World::faulty(1, &format!("{PATCH}when = \"before\"\ntimes = 1\nstatus = {status}\nbody = '{{}}'\n")).await;
        let old = world.live();
        let trouble =
            rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect_err("refused");
        let TroubleKind::Auth0(error) = trouble.kind else { panic!("{trouble:?}") };
        assert_eq!((error.status, world.state(), world.live()), (Some(status), next, old), "{status}");
        let again = cutover(&world.desk, &world.subject, false, &mut quiet()).await;
        assert_eq!((state(&again), world.changes("PATCH")), (State::Applied, 2), "{status}");
    }
}

#[tokio::test]
async fn the_way_back_takes_the_same_care() {
    for (fault, patches) in [
        ("when = \"after\"\ndrop = \"reset\"", 2),
        ("when = \"before\"\ntimes = 2\nstatus = 504", 4),
        ("when = \"after\"\nstatus = 502", 2),
    ] {
        let world = World::with(1).await;
        let old = world.live();
        rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
        world.play(&format!("{PATCH}{fault}\n"));
        assert_eq!(state(&rollback(&world.desk, &world.subject, &mut quiet()).await), State::RolledBack, "{fault}");
        assert_eq!((world.live(), world.changes("PATCH")), (old.clone(), patches), "{fault}");
        assert_eq!(world.file(0), World::expected(0, &old, None));
    }
}

#[tokio::test]
async fn a_way_back_that_cannot_be_sent_is_gone_on_with() {
    let world = World::with(1).await;
    let old = world.live();
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    world.play(&format!("{PATCH}when = \"before\"\nstatus = 502\n"));
    let trouble = rollback(&world.desk, &world.subject, &mut quiet()).await.expect_err("it stays");
    assert_eq!((trouble.kind, world.state()), (TroubleKind::InDoubt, State::RollingBack));
    world.play("");
    assert_eq!(state(&resume(&world.desk, &world.subject, None, &mut quiet()).await), State::RolledBack);
    assert_eq!((world.live(), world.file(0)), (old.clone(), World::expected(0, &old, None)));
}

#[tokio::test]
async fn a_token_that_may_not_read_secrets_is_settled_at_the_token_endpoint() {
    let mut world = World::faulty(1, &format!("{PATCH}when = \"after\"\ntimes = 1\ndrop = \"reset\"\n")).await;
    world.scoped("read:clients update:client_keys");
    let done = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await;
    assert_eq!(state(&done), State::Holding);
    assert_eq!(world.tenant.history(super::world::BILLING).len(), 1, "sending the same value again changed nothing");
}

/// Giving up was interrupted after a target had lost the pending secret.
async fn half_abandoned(world: &World) {
    let mut more = world.subject.clone();
    let missing = super::world::dotenv("missing", &world.folder.path().join("missing.env"));
    more.targets.push(missing);
    abandon(&world.desk, &more, &mut quiet()).await.expect_err("one target cannot be written");
    assert!(!world.file(0).contains("FALLBACK"), "the other one was");
}

#[tokio::test]
async fn giving_up_that_was_interrupted_is_finished_and_nothing_is_sent() {
    // Delivered; refused; and in doubt, where the request would be sent again.
    for fault in ["", "when = \"before\"\nstatus = 403\nbody = '{}'\n", "when = \"before\"\nstatus = 502\nbody = ''\n"]
    {
        let world = World::with(1).await;
        let old = world.live();
        rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
        if !fault.is_empty() {
            world.play(&format!("[[fault]]\nmethod = \"PATCH\"\n{fault}"));
            cutover(&world.desk, &world.subject, false, &mut quiet()).await.expect_err("it is not applied");
            world.play("");
        }
        let sent = world.changes("PATCH");
        half_abandoned(&world).await;
        let done = resume(&world.desk, &world.subject, None, &mut quiet()).await;
        assert_eq!((state(&done), world.changes("PATCH"), world.live()), (State::Abandoned, sent, old), "{fault}");
    }
}

#[tokio::test]
async fn giving_up_waits_for_what_may_arrive_late() {
    let mut world = World::with(1).await;
    world.desk.patience.quiesce = std::time::Duration::from_secs(2);
    rotate(&world.desk, &world.subject, Until::Deliver, false, &mut quiet()).await.expect("it is delivered");
    // Both reads fail, so that it stays in doubt; and then it arrives.
    world.play(&format!(
        "{PATCH}late_ms = 500\nstatus = 502\nbody = ''\n[[fault]]\nmethod = \"GET\"\nskip = 1\ntimes = 1\nstatus = 403\nbody = '{{}}'\n"
    ));
    let trouble = cutover(&world.desk, &world.subject, false, &mut quiet()).await.expect_err("it is in doubt");
    assert_eq!((trouble.kind, world.state()), (TroubleKind::InDoubt, State::InDoubt));
    abandon(&world.desk, &world.subject, &mut quiet()).await.expect_err("it has arrived");
    assert_eq!((world.state(), world.sealed(Role::New)), (State::InDoubt, Some(world.live())));
    let done = resume(&world.desk, &world.subject, None, &mut quiet()).await;
    assert_eq!(state(&done), State::Holding);
}
