//! Two people with a machine and a ledger each, at work on the same client: what one does comes between any two steps of the other.
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Poll;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};
use rollover::domain::Secret;
use rollover::domain::rollover::State;
use rollover::domain::rotation::Progress;
use rollover::ledger::Ledger;
use rollover::rollover::{Choice, Desk, Subject, TroubleKind, Until};

use super::bench::{AUTH, Bench, take};
use super::moves::Move;
use super::real::run;
use super::seed;

/// One of them.
struct Operator {
    desk: Desk,
    told: Arc<AtomicUsize>,
    /// How many changes there had been when it last read the live secret.
    saw: usize,
    moves: Vec<Move>,
}

static INTERLEAVINGS: AtomicUsize = AtomicUsize::new(0);
static WINDOWS: AtomicUsize = AtomicUsize::new(0);
static CONFLICTS: AtomicUsize = AtomicUsize::new(0);

impl Operator {
    fn new(bench: &Bench, moves: Vec<Move>) -> Self {
        let ledger = Arc::new(Ledger::in_memory().expect("a ledger"));
        let desk = Desk { ledger, ..bench.desk(true) };
        Self { desk, told: Arc::default(), saw: 0, moves }
    }

    /// All that this one does, one after the other; what fails, fails.
    fn work<'a>(&self, subject: &'a Subject) -> Pin<Box<dyn Future<Output = ()> + 'a>> {
        let (desk, told, moves) = (self.desk.clone(), Arc::clone(&self.told), self.moves.clone());
        Box::pin(async move {
            for one in moves {
                let mut listener = |_: Progress| {
                    told.fetch_add(1, Ordering::Relaxed);
                };
                let ended = run(&desk, subject, one, &mut listener).await;
                if let Err(trouble) = ended {
                    assert!(!matches!(trouble.kind, TroubleKind::Ledger(_)), "{trouble:?}");
                    CONFLICTS.fetch_add(usize::from(trouble.kind == TroubleKind::Conflict), Ordering::Relaxed);
                }
                told.fetch_add(1, Ordering::Relaxed);
            }
        })
    }
}

/// Plays one interleaving: `turns` says whose turn it is, each up to the next thing that is told.
fn interleave(first: Vec<Move>, second: Vec<Move>, turns: &[bool]) {
    let (bench, id) = take();
    let subject = Subject { client_id: id.clone(), name: "an app".into(), auth: AUTH, targets: Vec::new() };
    let mut operators = [Operator::new(&bench, first), Operator::new(&bench, second)];
    let mut work = operators.each_ref().map(|operator| Some(operator.work(&subject)));
    let mut turns = turns.iter().copied();
    let mut other = false;
    let mut arrived = bench.tenant.requests().len();
    let began = bench.live(&id);
    let path = format!("/api/v2/clients/{id}");
    let mut changes: Vec<(usize, String)> = Vec::new();
    while work.iter().any(Option::is_some) {
        other = turns.next().unwrap_or(!other);
        let mut turn = usize::from(other);
        if work[turn].is_none() {
            turn = 1 - turn;
        }
        let told = Arc::clone(&operators[turn].told);
        let until = told.load(Ordering::Relaxed) + 1;
        let ended = bench.block_on(std::future::poll_fn(|context| {
            let Some(running) = &mut work[turn] else { return Poll::Ready(true) };
            match running.as_mut().poll(context) {
                Poll::Ready(()) => Poll::Ready(true),
                Poll::Pending if told.load(Ordering::Relaxed) >= until => Poll::Ready(false),
                Poll::Pending => Poll::Pending,
            }
        }));
        if ended {
            work[turn] = None;
        }
        // What was handed to a connection arrives in this turn, not in the other one's.
        bench.block_on(bench.drain());
        let history = bench.tenant.history(&id);
        let requests = bench.tenant.requests_after(arrived);
        arrived += requests.len();
        for request in requests.iter().filter(|request| request.path.starts_with(&path)) {
            if request.method == "GET" {
                operators[turn].saw = changes.len();
                continue;
            }
            let Some(new) = history.get(changes.len()) else { continue };
            let replaced = changes.last().map_or(&began, |(_, secret)| secret);
            if request.method == "PATCH" {
                let row = operators[turn].desk.ledger.latest(operators[turn].desk.api.domain(), &id);
                let row = row.expect("the ledger").expect("a rollover");
                let print = operators[turn].desk.key.print(&Secret::new(replaced.clone()));
                let foreign = row.old != print && row.new != print;
                // In a conflict both are what a person decides.
                let decisions = [Move::Resume(Some(Choice::SetOurs)), Move::Rollback];
                let wanted = decisions.iter().any(|decision| operators[turn].moves.contains(decision));
                if foreign && operators[turn].saw < changes.len() {
                    // The other one changed it between the read and the request: no check can close that window.
                    WINDOWS.fetch_add(1, Ordering::Relaxed);
                } else {
                    assert!(!foreign || wanted, "a third value was seen, and overwritten");
                }
            }
            changes.push((turn, new.clone()));
        }
        assert_eq!(changes.len(), history.len(), "every change came with a request");
    }
    drop(work);
    let live = bench.live(&id);
    for (number, operator) in operators.iter().enumerate() {
        let row = operator.desk.ledger.latest(operator.desk.api.domain(), &id).expect("the ledger");
        let Some(row) = row else { continue };
        if matches!(row.state, State::Verified | State::Promoting | State::Holding | State::Retired) {
            let is_live = row.new == operator.desk.key.print(&Secret::new(live.clone()));
            let later = changes.iter().skip(operator.saw).any(|(whose, _)| *whose != number);
            let said = row.detail.starts_with("overtaken");
            assert!(is_live || later || said, "{number} says {:?}, and another secret is live: {row:?}", row.state);
        }
    }
    INTERLEAVINGS.fetch_add(1, Ordering::Relaxed);
}

#[test]
fn two_people_at_once_never_end_with_a_record_that_is_wrong() {
    let one = || {
        select(vec![
            Move::Rotate(Until::Cutover, true),
            Move::Rotate(Until::Promote, true),
            Move::Rotate(Until::Retire, true),
            Move::RotateNow,
            Move::Rollback,
            Move::Verify,
            Move::Resume(None),
            Move::Resume(Some(Choice::KeepTheirs)),
            Move::Resume(Some(Choice::SetOurs)),
        ])
    };
    let begins =
        || select(vec![Move::Rotate(Until::Cutover, true), Move::Rotate(Until::Retire, true), Move::RotateNow]);
    let moves = move || {
        (begins(), prop::collection::vec(one(), 0..3)).prop_map(|(first, more)| {
            let mut all = vec![first];
            all.extend(more);
            all
        })
    };
    let config = Config {
        cases: std::env::var("ROLLOVER_INTERLEAVINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(500),
        rng_seed: seed(3),
        failure_persistence: None,
        max_shrink_iters: 2_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let strategy = (moves(), moves(), prop::collection::vec(any::<bool>(), 0..70));
    let proven = runner.run(&strategy, |(first, second, turns)| {
        interleave(first, second, &turns);
        Ok(())
    });
    if let Err(why) = proven {
        panic!("{why}");
    }
    println!(
        "operators: {} interleavings, {} conflicts found, {} changes within the round trip that nothing closes",
        INTERLEAVINGS.load(Ordering::Relaxed),
        CONFLICTS.load(Ordering::Relaxed),
        WINDOWS.load(Ordering::Relaxed)
    );
}
