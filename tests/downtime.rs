//! Apps in the loop: they get tokens fifty times a second with what their `.env` holds, while their secret is changed. With a
//! rollover no request fails; with `rotate --now` some do, which shows that the counting is real.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "whoever runs it wants to know how much it was")]

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use estate::{BILLING, Estate, until};
use process::{Tenant, finish};
use rollover::sim::Options;

#[path = "harness/estate.rs"]
#[expect(dead_code, reason = "the other half of it is for other tests")]
mod estate;
#[path = "harness/process.rs"]
#[expect(dead_code, reason = "the other half of it is for other tests")]
mod process;

/// Fifty requests a second.
const PERIOD: Duration = Duration::from_millis(20);

/// When an app reads its `.env`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reads {
    /// At its start, and once more where neither secret gets it in.
    WhereNeitherWorks,
    /// At its start and when it is restarted, as a process that takes its environment from the file does.
    WhenRestarted,
}

/// One request: when it began, seen from the app's start, and whether it got a token.
type Asked = (Duration, bool);

/// An app of a client.
struct App<'a> {
    address: &'a str,
    env: &'a Path,
    /// Is there as long as a restart is wanted and not done.
    restart: &'a Path,
    reads: Reads,
    current: String,
    fallback: Option<String>,
}

impl App<'_> {
    /// Reads the file as such apps do: by line.
    fn read(&mut self) {
        let text = std::fs::read_to_string(self.env).expect("the app's file");
        let value =
            |key: &str| text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=').map(str::to_owned));
        self.current = value("AUTH0_CLIENT_SECRET").expect("a secret");
        self.fallback = value("AUTH0_CLIENT_SECRET_FALLBACK");
    }

    /// The current secret, and where that is refused the fallback.
    fn with_both(&self) -> bool {
        let fallback = self.fallback.as_ref();
        self.token(&self.current) || fallback.is_some_and(|fallback| self.token(fallback))
    }

    fn asks(&mut self) -> bool {
        if self.restart.exists() {
            self.read();
            std::fs::remove_file(self.restart).expect("it goes");
        }
        if self.with_both() {
            return true;
        }
        if self.reads == Reads::WhenRestarted {
            return false;
        }
        self.read();
        self.with_both()
    }

    /// Whether the token endpoint gives a token for this secret.
    fn token(&self, secret: &str) -> bool {
        let body = format!(
            "grant_type=client_credentials&client_id={BILLING}&client_secret={secret}&audience=http://{}/api/v2/",
            self.address
        );
        let mut stream = TcpStream::connect(self.address).expect("the tenant");
        let head = format!(
            "POST /oauth/token HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {}\r\n\r\n",
            self.address,
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("it is sent");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        match answer.get(9..12) {
            Some("200") => true,
            Some("401") => false,
            _ => panic!("neither a token nor a refusal: {answer}"),
        }
    }

    /// Asks until it is told to stop.
    fn runs(&mut self, stop: &AtomicBool, start: Instant) -> Vec<Asked> {
        self.read();
        let mut asked = Vec::new();
        let mut next = start;
        while !stop.load(Ordering::SeqCst) {
            asked.push((start.elapsed(), self.asks()));
            next += PERIOD;
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        asked
    }
}

/// What an app saw while commands ran.
struct Seen {
    asked: Vec<Asked>,
    /// When each command began and ended.
    commands: Vec<(Duration, Duration)>,
}

impl Seen {
    fn failed(&self) -> usize {
        self.asked.iter().filter(|(_, got)| !got).count()
    }
}

/// Runs an app beside these commands.
fn beside(propagation: Duration, reads: Reads, commands: &[&[&str]]) -> Seen {
    let tenant = Tenant::exactly(Options { propagation, grants: vec![BILLING.to_owned()], ..Options::default() });
    let place = process::private_folder();
    let restart: PathBuf = place.path().join("restart");
    // As `systemctl restart` does, it comes back when the app has started anew.
    let script = format!("touch '{0}'; while [ -e '{0}' ]; do sleep 0.01; done", restart.display());
    let after = ["/bin/sh".to_owned(), "-c".to_owned(), script];
    let estate = Estate::with_after(&tenant.running, 1, (reads == Reads::WhenRestarted).then_some(&after));
    let address = tenant.running.url().trim_start_matches("http://");
    let (stop, start) = (AtomicBool::new(false), Instant::now());
    std::thread::scope(|scope| {
        let app = scope.spawn(|| {
            let env = &estate.targets[0];
            let mut app = App { address, env, restart: &restart, reads, current: String::new(), fallback: None };
            app.runs(&stop, start)
        });
        let mut times = Vec::new();
        for arguments in commands {
            // The app is at work before the next change.
            let seen = tenant.running.requests().len();
            until("the app's requests", || app.is_finished() || tenant.running.requests().len() > seen + 12);
            let begun = start.elapsed();
            let run = finish(estate.command(arguments));
            if run.code != 0 {
                stop.store(true, Ordering::SeqCst);
                panic!("{arguments:?}: {run:?}");
            }
            times.push((begun, start.elapsed()));
        }
        let seen = tenant.running.requests().len();
        until("the app's requests", || app.is_finished() || tenant.running.requests().len() > seen + 25);
        stop.store(true, Ordering::SeqCst);
        Seen { asked: app.join().expect("the app"), commands: times }
    })
}

const TO_THE_END: &[&str] = &["rotate", BILLING, "--yes", "--until", "retire"];
const TO_HOLD: &[&str] = &["rotate", BILLING, "--yes"];
const RETIRE: &[&str] = &["retire", BILLING, "--yes"];
const BACK: &[&str] = &["rollback", BILLING, "--yes"];
const NOW: &[&str] = &["rotate", BILLING, "--yes", "--now"];

/// Ten rollovers to the end, of which two stop before the last step, and two that are taken back.
fn rollovers() -> Vec<&'static [&'static str]> {
    let mut all = vec![TO_THE_END; 4];
    all.extend([TO_HOLD, BACK, TO_HOLD, RETIRE]);
    all.extend(vec![TO_THE_END; 4]);
    all.extend([TO_HOLD, BACK, TO_HOLD, RETIRE]);
    all
}

fn compared(propagation: u64, reads: Reads) {
    let propagation = Duration::from_millis(propagation);
    let (over, now) = std::thread::scope(|scope| {
        let over = scope.spawn(|| beside(propagation, reads, &rollovers()));
        let now = beside(propagation, reads, &[NOW; 10]);
        (over.join().expect("the rollovers"), now)
    });
    let which = if reads == Reads::WhenRestarted { "restarted" } else { "reads again where neither works" };
    println!(
        "app that is {which}, propagation {propagation:?}: {} of {} requests failed in 10 rollovers and 2 rollbacks, {} of {} in 10 \
         rotations now",
        over.failed(),
        over.asked.len(),
        now.failed(),
        now.asked.len()
    );
    assert_eq!(over.failed(), 0, "a request failed during a rollover");
    assert!(over.asked.len() > 100, "the app was hardly at work");
    assert!(now.failed() > 0, "what is counted does not happen even where it must");
}

#[test]
fn an_app_that_reads_its_file_again_misses_nothing_where_an_old_secret_dies_at_once() {
    compared(0, Reads::WhereNeitherWorks);
}

#[test]
fn an_app_that_reads_its_file_again_misses_nothing_where_an_old_secret_lives_on() {
    compared(400, Reads::WhereNeitherWorks);
}

#[test]
fn an_app_that_is_restarted_misses_nothing_where_an_old_secret_dies_at_once() {
    compared(0, Reads::WhenRestarted);
}

#[test]
fn an_app_that_is_restarted_misses_nothing_where_an_old_secret_lives_on() {
    compared(400, Reads::WhenRestarted);
}

/// The numbers behind the README's chart: `ROLLOVER_CHART=1 cargo test --test downtime chart`, then `cargo run --example downtime`.
#[test]
fn chart() {
    use std::fmt::Write as _;
    if std::env::var_os("ROLLOVER_CHART").is_none() {
        return;
    }
    let mut text = "way,milliseconds,ok,failed\n".to_owned();
    for (way, commands) in [("rollover", [TO_THE_END; 3]), ("now", [NOW; 3])] {
        let seen = beside(Duration::from_millis(400), Reads::WhenRestarted, &commands);
        let end = seen.asked.last().expect("requests").0.as_millis() / 100;
        for tenth in 0..=end {
            let of = |wanted: bool| {
                seen.asked.iter().filter(|(at, got)| at.as_millis() / 100 == tenth && *got == wanted).count()
            };
            writeln!(text, "{way},{},{},{}", tenth * 100, of(true), of(false)).expect("a text");
        }
        for (begun, ended) in seen.commands {
            writeln!(text, "{way} command,{},{},", begun.as_millis(), ended.as_millis()).expect("a text");
        }
    }
    let to = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/pictures/downtime.csv");
    std::fs::write(to, text).expect("a file");
}
