//! The procedures themselves, against the pretend tenant over real HTTP, with a real ledger and real files.
use std::collections::HashSet;
use std::fmt::Write as _;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Instant;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest};
use rollover::domain::rollover::{Mode, State};
use rollover::domain::rotation::Progress;
use rollover::rollover::{
    Desk, Ended, Listener, Subject, abandon, cutover, deliver, go_live_anyway, promote, resume, retire, rollback,
    rotate, rotate_now, stage, verify,
};
use rollover::sim::Scenario;

use super::moves::{Course, Crash, Kind, Move, Step};
use super::oracle::World;
use super::{cases, seed};

struct Courses;

impl ReferenceStateMachine for Courses {
    type State = Course;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Course> {
        Course::any()
    }

    fn transitions(course: &Course) -> BoxedStrategy<Step> {
        course.next()
    }

    fn apply(course: Course, step: &Step) -> Course {
        course.after(step)
    }
}

static MOVES: AtomicUsize = AtomicUsize::new(0);
static FAULTS: AtomicUsize = AtomicUsize::new(0);
static CRASHES: AtomicUsize = AtomicUsize::new(0);
static REACHED: [AtomicUsize; State::ALL.len()] = [const { AtomicUsize::new(0) }; State::ALL.len()];

fn count(state: State) {
    if let Some(place) = State::ALL.iter().position(|one| *one == state) {
        REACHED[place].fetch_add(1, Ordering::Relaxed);
    }
}

pub async fn run(desk: &Desk, subject: &Subject, what: Move, told: Listener<'_>) -> Ended {
    match what {
        Move::Stage => stage(desk, subject, told).await,
        Move::Deliver => deliver(desk, subject, told).await,
        Move::Cutover(anyway) => cutover(desk, subject, anyway, told).await,
        Move::Verify => verify(desk, subject, told).await,
        Move::Promote => promote(desk, subject, told).await,
        Move::Retire => retire(desk, subject, told).await,
        Move::Rollback => rollback(desk, subject, told).await,
        Move::Abandon => abandon(desk, subject, told).await,
        Move::Resume(choice) => resume(desk, subject, choice, told).await,
        Move::Rotate(until, anyway) => rotate(desk, subject, until, anyway, told).await,
        Move::GoLive => go_live_anyway(desk, subject, told).await,
        Move::RotateNow => rotate_now(desk, subject, told).await,
        Move::Other | Move::SetBack | Move::Edit(..) => unreachable!("no procedure"),
    }
}

/// Runs it until it ends, or dies; nothing where it died.
async fn until(crash: Option<Crash>, world: &World, what: Move, sent: &Mutex<HashSet<String>>) -> Option<Ended> {
    let told = AtomicUsize::new(0);
    let (tenant, looked_at) = (&world.bench.tenant, world.bench.looked_at.get());
    let mut listener = |progress: Progress| {
        if let Progress::Recorded(row) = progress {
            count(row.state);
            if let Some(id) = row.correlation_id
                && sent.lock().expect("nobody panicked").insert(id.clone())
            {
                let arrived = tenant.requests_after(looked_at);
                let early = arrived.iter().any(|request| request.correlation_id.as_ref() == Some(&id));
                assert!(!early, "I2: a request was sent before it was recorded");
            }
        }
        told.fetch_add(1, Ordering::Relaxed);
    };
    let mut procedure = Some(Box::pin(run(&world.desk, &world.subject, what, &mut listener)));
    let mut woken = 0;
    let ended = std::future::poll_fn(|context| {
        let Some(running) = &mut procedure else { return Poll::Ready(None) };
        if let Poll::Ready(ended) = pin!(running).poll(context) {
            return Poll::Ready(Some(ended));
        }
        woken += 1;
        let dies = match crash {
            Some(Crash::Told(most)) => told.load(Ordering::Relaxed) > most,
            Some(Crash::Woken(most)) => woken >= most,
            None => false,
        };
        if dies { Poll::Ready(None) } else { Poll::Pending }
    })
    .await;
    drop(procedure.take());
    ended
}

/// After a 429 the limit's headers say that there is room again: else every request would be held back for a second of the real
/// clock, which does not leap.
const RELIEF: &str =
    "[[fault]]\npath = \"/api/v2/*\"\nwhen = \"after\"\nheaders = { x-ratelimit-remaining = \"100000\" }\n";

/// Plays one move, and sees that all holds.
fn play(mut world: World, step: &Step) -> World {
    MOVES.fetch_add(1, Ordering::Relaxed);
    if !step.is_procedure() {
        world.meddle(step.what);
        world.check(step, None);
        return world;
    }
    let live = world.live();
    let mut scenario = String::new();
    for fault in &step.faults {
        let _ = writeln!(scenario, "{}", fault.text(&world.id, &live));
    }
    let limited = step.faults.iter().any(|fault| fault.kind == Kind::Refused(429));
    if limited {
        scenario.push_str(RELIEF);
    }
    FAULTS.fetch_add(step.faults.len(), Ordering::Relaxed);
    if !scenario.is_empty() {
        world.bench.tenant.play(Scenario::from_toml(&scenario).expect("a scenario"));
    }
    let sent = Mutex::new(std::mem::take(&mut world.recorded));
    let ended = world.bench.block_on(async {
        let ended = until(step.crash, &world, step.what, &sent).await;
        let late = step.faults.iter().any(|fault| matches!(fault.kind, Kind::Late(_)));
        if ended.is_none() || late {
            world.bench.settle().await;
        }
        if limited {
            world.bench.tenant.play(Scenario::from_toml(RELIEF).expect("a scenario"));
            world.desk.api.client_secret(&world.id).await.expect("an answer");
        }
        ended
    });
    if ended.is_none() {
        CRASHES.fetch_add(1, Ordering::Relaxed);
    }
    if !scenario.is_empty() {
        world.bench.tenant.play(Scenario::default());
    }
    world.recorded = sent.into_inner().expect("nobody panicked");
    world.check(step, ended.as_ref());
    world
}

impl StateMachineTest for Courses {
    type SystemUnderTest = World;
    type Reference = Self;

    fn init_test(course: &Course) -> World {
        World::new(course.targets, course.seeing)
    }

    fn apply(world: World, _: &Course, step: Step) -> World {
        play(world, &step)
    }

    /// I7: with nothing in the way, two runs bring it to an end, or to where a person decides.
    fn teardown(mut world: World, _: Course) {
        world.mend();
        let again = Step { what: Move::Resume(None), faults: Vec::new(), crash: None };
        for _ in 0..2 {
            if world.latest.as_ref().is_some_and(|row| !row.state.is_final()) {
                world = play(world, &again);
            }
        }
        if let Some(row) = &world.latest {
            let settled = row.state.is_final()
                || row.state.needs_person()
                || matches!(row.state, State::Holding | State::Staged | State::Delivered | State::Rejected)
                || (row.mode == Mode::Server && row.state == State::InDoubt)
                || world.asks_about_a_target()
                // Somebody else changed it, and this token cannot see it: the token endpoint says that it is not ours.
                || (row.state == State::Applied && world.meddled_with());
            assert!(settled, "I7: it is {:?}: {} {:?}", row.state, row.detail, row.targets);
        }
        let _ = std::fs::remove_dir_all(world.bench.folder.path().join(&world.id));
    }
}

/// Plays so many cases of so many moves, and says what was played.
fn prove(number: u64, cases: u32, moves: std::ops::Range<usize>) {
    let config = Config {
        cases,
        rng_seed: seed(number),
        failure_persistence: None,
        max_shrink_iters: 3_000,
        ..Config::default()
    };
    let begun = Instant::now();
    let mut runner = TestRunner::new(config.clone());
    let strategy = Courses::sequential_strategy(moves);
    let proven = runner.run(&strategy, |(course, steps, seen)| {
        Courses::test_sequential(config.clone(), course, steps, seen);
        Ok(())
    });
    if let Err(why) = proven {
        panic!("{why}");
    }
    let (moves, faults) = (MOVES.load(Ordering::Relaxed), FAULTS.load(Ordering::Relaxed));
    let (crashes, seconds) = (CRASHES.load(Ordering::Relaxed), begun.elapsed().as_secs_f64());
    println!(
        "machine {number}: {cases} cases in {seconds:.0} s; all so far: {moves} moves, {faults} faults, {crashes} crashes"
    );
}

/// Most of what goes wrong goes wrong within few moves, and few are played quickly.
const FEW: std::ops::Range<usize> = 1..4;

#[test]
fn whatever_fails_and_whenever_it_dies_nothing_is_lost_first_half() {
    prove(1, cases(700), FEW);
}

#[test]
fn whatever_fails_and_whenever_it_dies_nothing_is_lost_second_half() {
    prove(2, cases(700), FEW);
}

#[test]
fn after_many_moves_nothing_is_lost_either() {
    let many = cases(700).div_ceil(50);
    prove(4, many, 6..16);
    let reached =
        || State::ALL.iter().zip(&REACHED).map(|(state, count)| (state.name(), count.load(Ordering::Relaxed)));
    println!("states recorded so far: {:?}", reached().collect::<Vec<_>>());
    // `baselined` is passed in the same breath as what comes next.
    let never: Vec<_> = reached().filter(|(state, count)| *count == 0 && *state != "baselined").collect();
    // A few cases need not come everywhere.
    assert!(never.is_empty() || many < 1000, "these are never reached, so nothing is proven of them: {never:?}");
}
