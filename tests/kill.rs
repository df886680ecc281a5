//! The real program, killed at any moment of any procedure, with the tenant's faults on top: what must hold afterwards, and that it
//! comes to an end. `ROLLOVER_KILLS` says how often; `tests/kill.sh` does it ten thousand times.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "whoever runs it wants to know how much it was")]

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use estate::{BILLING, Estate, contents, is_change, play, until};
use process::Tenant;
use rollover::domain::rollover::{Mode, Rollover, State};
use rollover::sim::Running;

#[path = "harness/estate.rs"]
#[expect(dead_code, reason = "the other half of it is for other tests")]
mod estate;
#[path = "harness/process.rs"]
#[expect(dead_code, reason = "the other half of it is for other tests")]
mod process;

/// How often, where nobody says.
const KILLS: usize = 300;
/// How many rounds one tenant serves: it remembers so many requests only, and each look at them copies them.
const ROUNDS_OF_A_TENANT: usize = 20;
/// How many rounds are under way at once: most of a round is waiting for the disk and for the program's own pauses.
const WORKERS: usize = 5;

const PATCH: &str = "[[fault]]\nmethod = \"PATCH\"\n";
const POST: &str = "[[fault]]\nmethod = \"POST\"\npath = \"/api/v2/clients/*/rotate-secret\"\n";

/// What goes wrong with the request that changes the secret, beside the kill.
const FAULTS: [&str; 17] = [
    "",
    "",
    "",
    "",
    "delay_ms = 60\n",
    "when = \"before\"\ndrop = \"reset\"\n",
    "when = \"after\"\ndrop = \"reset\"\n",
    "when = \"before\"\ndrop = \"fin\"\ntimes = 1\n",
    "when = \"after\"\ncut = 17\n",
    "when = \"before\"\nstatus = 502\nbody = '<html>'\ntimes = 1\n",
    "when = \"after\"\nstatus = 500\nbody = ''\n",
    "when = \"after\"\nbody = '{\"client_id\":'\n",
    "when = \"before\"\nstatus = 401\nbody = '{}'\n",
    "when = \"before\"\nstatus = 403\nbody = '{}'\n",
    "when = \"before\"\nstatus = 429\nbody = '{}'\nheaders = { retry-after = \"0\" }\n",
    "when = \"after\"\nhang = true\n",
    LATE,
];

/// Refused, it seems, and then it arrives. What waits for it must wait longer than that.
const LATE: &str = "late_ms = 250\nstatus = 502\nbody = ''\n";

/// What is killed. What comes before it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Way {
    Promote,
    Retire,
    Now,
    Rollback,
    RetireStep,
    Steps,
}

impl Way {
    const ALL: [Self; 9] = [
        Self::Promote,
        Self::Retire,
        Self::Now,
        Self::Promote,
        Self::Retire,
        Self::Now,
        Self::Rollback,
        Self::RetireStep,
        Self::Steps,
    ];

    /// Commands before the one that is killed, and that one.
    fn commands(self, random: &mut fastrand::Rng) -> (Vec<Vec<&'static str>>, Vec<&'static str>) {
        let promote = vec!["rotate", BILLING, "--yes"];
        match self {
            Self::Promote => (vec![], promote),
            Self::Retire => (vec![], vec!["rotate", BILLING, "--yes", "--until", "retire"]),
            Self::Now => (vec![], vec!["rotate", BILLING, "--yes", "--now"]),
            Self::Rollback => (vec![promote], vec!["rollback", BILLING, "--yes"]),
            Self::RetireStep => (vec![promote], vec!["retire", BILLING, "--yes"]),
            Self::Steps => {
                let mut before = vec![vec!["rotate", BILLING, "--yes", "--until", "stage"]];
                let steps = [
                    vec!["deliver", BILLING],
                    vec!["cutover", BILLING, "--yes"],
                    vec!["promote", BILLING],
                    vec!["abandon", BILLING],
                ];
                let at = random.usize(..steps.len());
                if at == 1 {
                    before.push(steps[0].clone());
                } else if at == 2 {
                    before[0] = vec!["rotate", BILLING, "--yes", "--until", "verify"];
                } else if at == 3 {
                    before[0] = vec!["rotate", BILLING, "--yes", "--until", "deliver"];
                }
                (before, steps[at].clone())
            }
        }
    }
}

/// How a target may look, by what stands where the secrets do.
struct Shapes {
    /// `[before and after going back, delivered, promoted, retired]` of each target.
    of: Vec<[String; 4]>,
}

const OLD: &str = "«the old secret»";
const NEW: &str = "«the new secret»";

impl Shapes {
    /// Learnt from a rollover in which nothing goes wrong.
    fn learn() -> Self {
        let tenant = Tenant::demo();
        let estate = Estate::new(&tenant.running, 3);
        let old = tenant.running.secret_of(BILLING).expect("a secret");
        let mut texts = vec![(0..3).map(|number| estate.file(number)).collect::<Vec<_>>()];
        for until in ["deliver", "promote", "retire"] {
            let mut command = vec!["rotate", BILLING, "--yes", "--until", until];
            if until == "retire" {
                command = vec!["retire", BILLING, "--yes"];
            }
            let run = process::finish(estate.command(&command));
            assert_eq!(run.code, 0, "{run:?}");
            texts.push((0..3).map(|number| estate.file(number)).collect());
        }
        let new = tenant.running.secret_of(BILLING).expect("a secret");
        let shape = |text: &String| text.replace(&old, OLD).replace(&new, NEW);
        let of = (0..3).map(|number| [0, 1, 2, 3].map(|phase: usize| shape(&texts[phase][number]))).collect();
        let shapes = Self { of };
        for (number, [before, delivered, promoted, retired]) in shapes.of.iter().enumerate() {
            assert_eq!(*before, contents(number, OLD));
            assert_eq!(*retired, contents(number, NEW), "what a delivery adds is taken away");
            assert!(delivered.contains(OLD) && delivered.contains(NEW) && promoted.contains(NEW), "{delivered}");
            assert_ne!(delivered, promoted);
        }
        shapes
    }

    fn texts(&self, number: usize, old: &str, new: &str) -> [String; 4] {
        self.of[number].clone().map(|shape| shape.replace(OLD, old).replace(NEW, new))
    }
}

/// What is counted over all rounds.
#[derive(Default)]
struct Counts {
    hit: BTreeMap<&'static str, usize>,
    ends: BTreeMap<&'static str, usize>,
    too_late: usize,
    /// How long each way takes, as far as it is known: so that kills are spread over the whole of it.
    typical: HashMap<Way, Duration>,
}

/// One round: what is done, and by what it can be told again.
struct Round<'a> {
    tenant: &'a Running,
    estate: Estate,
    shapes: &'a Shapes,
    cell: String,
    old: String,
    requests: usize,
    history: usize,
}

impl Round<'_> {
    /// The secrets that became live in this round.
    fn lived(&self) -> Vec<String> {
        self.tenant.history(BILLING).split_off(self.history)
    }

    /// What must hold whenever the program is not running.
    fn oracle(&self) -> Option<Rollover> {
        let cell = &self.cell;
        let live = self.tenant.secret_of(BILLING).expect("a secret");
        let lived = self.lived();
        let values: HashSet<_> = lived.iter().filter(|secret| **secret != self.old).collect();
        // I2: one new value, however it comes about.
        assert!(values.len() <= 1, "{cell}: {} secrets were made live", values.len());
        let requests = self.tenant.requests().split_off(self.requests);
        let changes: Vec<_> = requests.iter().filter(|request| is_change(request)).collect();
        let posts = changes.iter().filter(|request| request.method == "POST").count();
        assert!(posts <= 1, "{cell}: rotated {posts} times");
        let ids: HashSet<_> = changes.iter().map(|request| request.correlation_id.as_ref()).collect();
        assert!(!ids.contains(&None), "{cell}: a change without a correlation id");
        assert_eq!(ids.len(), changes.len(), "{cell}: a request was sent twice");
        self.estate.assert_private(&[lived.clone(), vec![self.old.clone()]].concat(), cell);
        let Some((row, [old, new, _])) = self.estate.latest() else {
            assert!(changes.is_empty(), "{cell}: something was sent that the ledger does not know of");
            self.targets("", &[0]);
            return None;
        };
        let cell = &format!("{cell}: {}", row.state.name());
        // A change that went out was recorded before.
        if row.state.is_before_change() || row.state == State::Abandoned {
            assert_eq!(live, self.old, "{cell}: the ledger knows of no change");
        }
        // I1: what the server accepts now is sealed, but for what Auth0 chose and has not been asked for yet.
        if row.mode == Mode::Set && live != self.old {
            assert_eq!(new.as_ref(), Some(&live), "{cell}: what is live is not sealed");
        }
        // I3: never that it is in, with another secret live. Promoting a server-mode secret comes after it was sealed.
        if matches!(row.state, State::Applied | State::Verified | State::Promoting | State::Holding | State::Retired) {
            assert_eq!(new.as_ref(), Some(&live), "{cell}");
        }
        if row.state == State::RolledBack {
            assert_eq!(live, self.old, "{cell}");
        }
        // I4: the old one is kept until a person said that it may go.
        if !row.state.is_final() && row.state != State::Planned {
            assert_eq!(old.as_ref(), Some(&self.old), "{cell}: the old secret is not sealed any more");
        }
        assert!(!row.state.needs_person(), "{cell}: {}", row.detail);
        // I5: complete, and everything else as it was.
        let known = lived.iter().find(|secret| **secret != self.old).cloned().or(new).unwrap_or_default();
        self.targets(&known, &[0, 1, 2, 3]);
        Some(row)
    }

    /// Every target has one of these shapes.
    fn targets(&self, new: &str, shapes: &[usize]) {
        for number in 0..self.estate.targets.len() {
            let (text, all) = (self.estate.file(number), self.shapes.texts(number, &self.old, new));
            assert!(shapes.iter().any(|shape| all[*shape] == text), "{}: target {number}: {text}", self.cell);
        }
    }

    /// What must hold once it was resumed.
    fn ended(&self, way: Way) -> &'static str {
        let Some(row) = self.oracle() else { return "none" };
        let cell = format!("{}: {}", self.cell, row.state.name());
        // I7: an end, or a place where a person decides. Auth0's own choice is never asked for twice without one.
        let settled = row.state.is_final()
            || matches!(row.state, State::Holding | State::Staged | State::Delivered)
            || (row.mode == Mode::Server && row.state == State::InDoubt);
        assert!(settled, "{cell}");
        let (_, [_, new, _]) = self.estate.latest().expect("a rollover");
        let new = new.unwrap_or_else(|| "nothing".to_owned());
        let shape: &[usize] = match (row.state, row.mode) {
            (State::Delivered, _) => &[1],
            (State::Holding, Mode::Set) => &[2],
            (State::Retired, _) | (State::Holding, Mode::Server) => &[3],
            // Nothing was begun, or it was given back.
            _ => &[0],
        };
        self.targets(&new, shape);
        if way == Way::Rollback {
            assert!(matches!(row.state, State::RolledBack | State::Holding), "{cell}");
        }
        // Each of these held a secret.
        for path in process::files(self.estate.folder.path()) {
            assert!(self.estate.targets.contains(&path), "{cell}: {} was left", path.display());
        }
        row.state.name()
    }

    fn run(&self, arguments: &[&str], patience: &str) -> process::Run {
        let mut command = self.estate.command(arguments);
        command.env("ROLLOVER_PATIENCE_MS", patience);
        let run = process::finish(command);
        self.silent(&run.out);
        self.silent(&run.err);
        run
    }

    fn silent(&self, text: &str) {
        for secret in self.lived().iter().chain([&self.old]) {
            assert!(!text.contains(secret.as_str()), "{}: a secret was printed:\n{text}", self.cell);
        }
    }

    /// Runs a command and kills it at some moment; whether it had ended before.
    fn killed(&self, arguments: &[&str], patience: &str, random: &mut fastrand::Rng, typical: Duration) -> bool {
        let mut command = self.estate.command(arguments);
        command.env("ROLLOVER_PATIENCE_MS", patience);
        let before = self.tenant.requests().len();
        let mut child = estate::started(command);
        let mut ended = false;
        if random.bool() {
            std::thread::sleep(typical.mul_f64(random.f64() * 1.05));
        } else {
            // The moment at which the tenant sees a request is a fact, however fast the machine is.
            let nth = 1 + random.usize(..7);
            let pause = Duration::from_micros(random.u64(..8_000));
            // One that waits for an answer which never comes sends no further one.
            let most = Instant::now() + typical * 2;
            until("the request, or the end", || {
                ended = child.try_wait().expect("a child").is_some();
                ended || self.tenant.requests().len() >= before + nth || Instant::now() > most
            });
            std::thread::sleep(pause);
        }
        ended |= child.try_wait().expect("a child").is_some();
        child.kill().expect("it is killed");
        let run = process::run_of(&child.wait_with_output().expect("it ends"));
        self.silent(&run.out);
        self.silent(&run.err);
        ended
    }
}

fn round(tenant: &Running, shapes: &Shapes, number: usize, seed: u64, counts: &Mutex<Counts>) {
    let counts = || counts.lock().unwrap_or_else(PoisonError::into_inner);
    let mut random = fastrand::Rng::with_seed(seed.wrapping_add(number as u64));
    let way = Way::ALL[random.usize(..Way::ALL.len())];
    let fault = FAULTS[random.usize(..FAULTS.len())];
    let (before, command) = way.commands(&mut random);
    let cell = format!("seed {seed}, round {number}: {command:?} with {fault:?}");
    play(tenant, "");
    let round = Round {
        estate: Estate::new(tenant, 1 + random.usize(..3)),
        tenant,
        shapes,
        cell,
        old: tenant.secret_of(BILLING).expect("a secret"),
        requests: tenant.requests().len(),
        history: tenant.history(BILLING).len(),
    };
    for command in before {
        let run = round.run(&command, "20");
        assert_eq!(run.code, 0, "{}: {command:?}: {run:?}", round.cell);
    }
    // What may come late is waited for as long.
    let patience = if fault == LATE { "2000" } else { "20" };
    if !fault.is_empty() {
        play(tenant, &format!("{}{fault}", if way == Way::Now { POST } else { PATCH }));
    }
    let typical = counts().typical.get(&way).copied().unwrap_or(Duration::from_millis(600));
    let begun = Instant::now();
    let mut too_late = round.killed(&command, patience, &mut random, typical);
    if too_late {
        let mut counts = counts();
        counts.too_late += 1;
        // The one that ended says how long it takes now; slowly, for another may be slower.
        let known = counts.typical.entry(way).or_insert(typical);
        *known = (*known * 3 + begun.elapsed()) / 4;
    }
    let state = round.estate.state_left();
    *counts().hit.entry(state).or_default() += 1;
    round.oracle();
    let unfinished = |estate: &Estate| estate.latest().is_some_and(|(row, _)| !row.state.is_final());
    if unfinished(&round.estate) && random.u8(..3) == 0 {
        too_late = round.killed(&["resume", BILLING, "--yes"], patience, &mut random, typical / 2);
        if !too_late {
            let state = round.estate.state_left();
            *counts().hit.entry(state).or_default() += 1;
        }
        round.oracle();
    }
    play(tenant, "");
    for _ in 0..2 {
        if unfinished(&round.estate) {
            round.run(&["resume", BILLING, "--yes"], patience);
            round.oracle();
        }
    }
    let run = round.run(&["status", "--json"], patience);
    assert_eq!(run.code, 0, "{}: {run:?}", round.cell);
    let status = run.json();
    let state = round.ended(way);
    assert_eq!(status[0]["state"].as_str().unwrap_or("none"), state, "{}", round.cell);
    *counts().ends.entry(state).or_default() += 1;
    if fault == LATE {
        // What is still on its way must not arrive in the next round.
        std::thread::sleep(Duration::from_millis(300));
    }
}

#[test]
fn killed_at_any_moment_no_secret_is_lost_and_it_comes_to_an_end() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().expect("a number"));
    let kills = number("ROLLOVER_KILLS").map_or(KILLS, |kills| usize::try_from(kills).expect("a number"));
    let seed = number("ROLLOVER_KILL_SEED").unwrap_or_else(|| fastrand::u64(..1 << 32));
    let only = number("ROLLOVER_KILL_ROUND").map(|round| usize::try_from(round).expect("a number"));
    let shapes = Shapes::learn();
    let (counts, next) = (Mutex::<Counts>::default(), AtomicUsize::new(0));
    let begun = Instant::now();
    if let Some(round_number) = only {
        let tenant = Tenant::demo();
        round(&tenant.running, &shapes, round_number, seed, &counts);
        return;
    }
    std::thread::scope(|scope| {
        for _ in 0..WORKERS {
            scope.spawn(|| {
                loop {
                    let tenant = Tenant::demo();
                    for _ in 0..ROUNDS_OF_A_TENANT {
                        let number = next.fetch_add(1, Ordering::SeqCst);
                        if number >= kills {
                            return;
                        }
                        round(&tenant.running, &shapes, number, seed, &counts);
                    }
                }
            });
        }
    });
    let Counts { hit, ends, too_late, typical } = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    println!(
        "seed {seed}: {kills} rounds in {:.1} s; killed in {hit:?}, after the end {too_late}; ended {ends:?}; {typical:?}",
        begun.elapsed().as_secs_f64()
    );
    assert_eq!(ends.values().sum::<usize>(), kills);
    // Kills that never hit anything would prove nothing.
    assert!(too_late * 2 < kills, "{too_late} of {kills} came too late");
    if kills >= KILLS {
        for state in ["none", "sending", "staged", "holding", "retired"] {
            assert!(hit.contains_key(state), "never killed in {state}: {hit:?}");
        }
    }
}
