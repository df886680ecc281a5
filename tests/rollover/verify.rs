use std::time::Duration;

use rollover::domain::rollover::{Role, State};
use rollover::domain::rotation::{Probe, Progress, Step, StepOutcome, Verification};
use rollover::domain::{AuthMethod, Secret};
use rollover::rollover::{Choice, Patience, TroubleKind, Until, resume, retire, rollback, rotate, rotate_now, verify};
use rollover::sim::Options;

use super::world::{BILLING, World, quiet, state};

/// How the step of verifying ended, and what was said of it.
fn step(progress: &[Progress]) -> (StepOutcome, String) {
    let ended = progress.iter().rev().find_map(|one| match one {
        Progress::Ended(report) if report.step == Step::Verify => Some((report.outcome, report.detail.clone())),
        _ => None,
    });
    ended.expect("it ended")
}

/// Rolls over up to where it is verified, with so much patience.
async fn verified(world: &mut World, patience: Duration) -> (Option<Verification>, Vec<Progress>) {
    world.desk.patience.verify = patience;
    let mut all = Vec::new();
    let done = rotate(&world.desk, &world.subject, Until::Verify, false, &mut |one| all.push(one)).await;
    assert_eq!(state(&done), State::Verified);
    (done.expect("it is live").verification, all)
}

#[test]
fn auth0_speaks_of_thirty_seconds() {
    assert!(Patience::default().verify > Duration::from_secs(30));
}

#[tokio::test]
async fn that_somebody_set_the_old_one_again_is_told_and_it_can_be_gone_along_with() {
    for (until, back) in [(Until::Verify, true), (Until::Promote, true), (Until::Promote, false)] {
        let world = World::with(1).await;
        let old = world.live();
        rotate(&world.desk, &world.subject, until, false, &mut quiet()).await.expect("it is live");
        let by_hand = Secret::new(old.clone());
        world.desk.api.set_secret(BILLING, &by_hand, "by-hand").await.expect("it is set");
        let trouble = verify(&world.desk, &world.subject, &mut quiet()).await.expect_err("it is not live");
        assert_eq!((&trouble.kind, world.state()), (&TroubleKind::Conflict, State::Conflict), "{trouble}");
        assert!(trouble.message.contains("the secret from before again"), "{trouble}");
        let trouble = resume(&world.desk, &world.subject, None, &mut quiet()).await.expect_err("a person decides");
        assert!(trouble.message.contains("the secret from before again"), "{trouble}");
        if back {
            assert_eq!(state(&rollback(&world.desk, &world.subject, &mut quiet()).await), State::RolledBack);
        } else {
            // What is theirs is what was there before.
            let kept = resume(&world.desk, &world.subject, Some(Choice::KeepTheirs), &mut quiet()).await;
            assert_eq!(state(&kept), State::RolledBack);
        }
        assert_eq!((world.live(), world.file(0)), (old.clone(), World::expected(0, &old, None)));
    }
}

#[tokio::test]
async fn ours_can_be_made_live_again_where_somebody_set_the_old_one() {
    let world = World::with(1).await;
    let old = world.live();
    rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect("it holds");
    let new = world.live();
    world.desk.api.set_secret(BILLING, &Secret::new(old.clone()), "by-hand").await.expect("it is set");
    for _ in 0..2 {
        let trouble = retire(&world.desk, &world.subject, &mut quiet()).await.expect_err("the old one is in use");
        assert_eq!((world.state(), world.sealed(Role::Old)), (State::Conflict, Some(old.clone())), "{trouble}");
    }
    let done = resume(&world.desk, &world.subject, Some(Choice::SetOurs), &mut quiet()).await;
    assert_eq!((state(&done), world.live()), (State::Holding, new.clone()));
    assert_eq!(world.file(0), World::expected(0, &new, Some(&old)));
}

#[tokio::test]
async fn it_waits_until_the_old_secret_is_out() {
    let options = Options { propagation: Duration::from_secs(1), ..Options::default() };
    let mut world = World::starting(1, options).await;
    let (seen, told) = verified(&mut world, Duration::from_secs(30)).await;
    assert_eq!(seen, Some(Verification { new: Probe::Accepted, old: Some(Probe::Rejected) }));
    assert_eq!(step(&told).0, StepOutcome::Done);
    let waits =
        told.iter().any(|one| matches!(one, Progress::Note(Step::Verify, note) if note.contains("propagation")));
    assert!(waits, "the wait is told: {told:?}");
}

#[tokio::test]
async fn an_old_secret_that_stays_is_told_and_keeps_nobody() {
    let options = Options { propagation: Duration::from_hours(1), ..Options::default() };
    let mut world = World::starting(1, options).await;
    let (seen, told) = verified(&mut world, Duration::from_millis(600)).await;
    assert_eq!(seen, Some(Verification { new: Probe::Accepted, old: Some(Probe::Accepted) }));
    let (outcome, detail) = step(&told);
    assert!(outcome == StepOutcome::Failed && detail.contains("the old secret is accepted"), "{detail}");
    // Rotating now keeps the old one then, for whoever has to go back.
    let options = Options { propagation: Duration::from_hours(1), ..Options::default() };
    let world = World::starting(0, options).await;
    assert_eq!(state(&rotate_now(&world.desk, &world.subject, &mut quiet()).await), State::Holding);
}

#[tokio::test]
async fn a_token_endpoint_that_is_down_keeps_nobody_either() {
    let mut world = World::faulty(1, "[[fault]]\npath = \"/oauth/token\"\nwhen = \"before\"\nstatus = 503\n").await;
    let (seen, told) = verified(&mut world, Duration::from_hours(1)).await;
    assert!(matches!(seen, Some(Verification { new: Probe::Unknown(_), .. })), "{seen:?}");
    assert_eq!(step(&told).0, StepOutcome::Skipped);
}

#[tokio::test]
async fn a_client_that_does_not_use_its_secret_is_not_asked_for() {
    let mut world = World::with(1).await;
    world.subject.auth = AuthMethod::None;
    let (seen, told) = verified(&mut world, Duration::from_hours(1)).await;
    assert_eq!((seen, step(&told).0), (None, StepOutcome::Skipped));
    let asked = world.tenant.requests().iter().filter(|request| request.path == "/oauth/token").count();
    assert_eq!(asked, 0);
}

#[tokio::test]
async fn a_new_secret_that_is_refused_stops_it_with_both_kept() {
    let scenario = "[[fault]]\npath = \"/oauth/token\"\nwhen = \"before\"\nstatus = 401\nbody = '{}'\n";
    let world = World::faulty(1, scenario).await;
    let old = world.live();
    let trouble = rotate(&world.desk, &world.subject, Until::Promote, false, &mut quiet()).await.expect_err("refused");
    assert_eq!((trouble.kind, world.state()), (TroubleKind::NotVerified, State::Applied));
    assert!(
        world.file(0).starts_with(&format!("# app 0\nPORT=800\nAUTH0_CLIENT_SECRET={old}\n")),
        "nothing is promoted"
    );
    world.play("");
    assert_eq!(state(&verify(&world.desk, &world.subject, &mut quiet()).await), State::Verified);
}
