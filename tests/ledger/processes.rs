//! Several processes: killed, and at work at once. The test's own program is the other process.
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::process::{Command, Output, Stdio};

use rollover::domain::rollover::Role;
use rollover::domain::rotation::{Step, StepOutcome, StepReport};

use super::files::skipped;
use rollover::ledger::Lease;

use super::*;

/// This program again, to do one job with a ledger.
pub(crate) struct Child {
    job: &'static str,
    place: PathBuf,
    with: OsString,
    under: Option<Command>,
}

impl Child {
    pub(crate) fn new(job: &'static str, place: &Path) -> Self {
        Self { job, place: place.to_owned(), with: OsString::new(), under: None }
    }

    /// What the job is told.
    pub(crate) fn with(self, with: &str) -> Self {
        Self { with: with.into(), ..self }
    }

    /// The program that runs it.
    pub(crate) fn under(self, command: Command) -> Self {
        Self { under: Some(command), ..self }
    }

    fn command(self) -> Command {
        let program = std::env::current_exe().expect("this program");
        let mut command = match self.under {
            Some(mut command) => {
                command.arg(program);
                command
            }
            None => Command::new(program),
        };
        command.args(["--exact", "processes::the_other_process", "--nocapture", "--test-threads=1"]);
        command.env("LEDGER_JOB", self.job).env("LEDGER_PLACE", self.place).env("LEDGER_WITH", self.with);
        command.stdout(Stdio::piped()).stdin(Stdio::piped());
        command
    }

    pub(crate) fn output(self) -> Output {
        self.command().stdin(Stdio::null()).stderr(Stdio::piped()).output().expect("it runs")
    }

    fn spawn(self) -> std::process::Child {
        self.command().spawn().expect("it starts")
    }
}

/// The last change that a child's output says is recorded.
pub(crate) fn acknowledged(said: &str) -> Option<u64> {
    // A line that was cut short by the end of its process says nothing.
    let whole = said.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter_map(|line| line.rsplit_once("acknowledged ")?.1.parse().ok()).next_back()
}

fn say(text: &str) {
    let mut output = std::io::stdout().lock();
    output.write_all(text.as_bytes()).and_then(|()| output.flush()).expect("somebody listens");
}

/// What the other process does; nothing where the tests themselves are run.
#[test]
fn the_other_process() {
    let Ok(job) = std::env::var("LEDGER_JOB") else { return };
    let place = PathBuf::from(std::env::var_os("LEDGER_PLACE").expect("a place"));
    let with = std::env::var("LEDGER_WITH").expect("a text");
    match job.as_str() {
        "changes" => changes(&place, with.parse().expect("a number")),
        "contend" => contend(&place, with.parse().expect("a number")),
        #[cfg(unix)]
        "umask" => everything(&place, u32::from_str_radix(&with, 8).expect("a mask")),
        "hold" => hold(&place),
        other => panic!("{other}"),
    }
}

/// Changes one client's rollover so many times, and says each that is recorded.
fn changes(place: &Path, most: u64) {
    // As open as can be: the journal must be private nevertheless.
    #[cfg(unix)]
    rustix::process::umask(rustix::fs::Mode::empty());
    let ledger = Ledger::open(place).expect("a ledger");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    let mut rollover = ledger.latest(&tenant(), "client").expect("it is read").expect("it is there");
    for _ in 0..most {
        match next_change(&ledger, &lease, &rollover) {
            Ok(changed) => rollover = changed,
            Err(error) => {
                say(&format!("{error}\n"));
                break;
            }
        }
        say(&format!("acknowledged {}\n", rollover.generation));
    }
}

/// A change of several tables at once, each with the number of the change in it.
fn next_change(ledger: &Ledger, lease: &Lease, rollover: &Rollover) -> Result<Rollover, LedgerError> {
    let next = rollover.generation + 1;
    let new = Secret::new(format!("secret {next}").repeat(20));
    let change = Change {
        state: Some(State::Baselined),
        attempt: u32::try_from(next).ok(),
        seal: vec![(Role::New, &new, None)],
        detail: Some(format!("change {next}")),
        now: 200,
        ..Change::default()
    };
    ledger.change(lease, rollover, &change)
}

#[test]
fn whatever_was_acknowledged_is_there_after_a_kill_at_any_moment() {
    const KILLS: u32 = 200;
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, identity) = new_ledger(folder.path());
    let mut last = baselined(&ledger, "client").generation;
    drop(ledger);
    let mut journals = 0;
    for kill in 0..KILLS {
        let mut child = Child::new("changes", &place).with("1000000").spawn();
        let mut output = BufReader::new(child.stdout.take().expect("its output"));
        let mut said = String::new();
        // A few acknowledgements, and then some moment within the next change.
        for _ in 0..fastrand::u32(0..4) {
            while output.read_line(&mut said).expect("a line") > 0 && !said.ends_with(&format!(" {}\n", last + 1)) {}
            last = acknowledged(&said).unwrap_or(last);
        }
        for _ in 0..fastrand::u32(0..200_000) {
            std::hint::spin_loop();
        }
        child.kill().expect("it is killed");
        child.wait().expect("it ended");
        let _ = output.read_to_string(&mut said);
        let last_acknowledged = acknowledged(&said).unwrap_or(last).max(last);
        let journal = place.join("ledger.db-journal");
        if let Ok(metadata) = fs::symlink_metadata(&journal) {
            journals += 1;
            #[cfg(unix)]
            assert_eq!(rollover::files::mode(&metadata), Some(0o600));
            let _ = metadata;
        }

        // Opening it checks it; the lease of the dead process is free.
        let ledger = Ledger::open(&place).expect("it opens");
        let now = ledger.latest(&tenant(), "client").expect("it is read").expect("it is there");
        let may_be = last_acknowledged..=last_acknowledged + 1;
        assert!(may_be.contains(&now.generation), "kill {kill}: {} not in {may_be:?}: {said}", now.generation);
        if now.generation > 2 {
            // All of one change, and nothing of another.
            assert_eq!(now.detail, format!("change {}", now.generation), "kill {kill}");
            assert_eq!(u64::from(now.attempt), now.generation, "kill {kill}");
            ledger.unlock(identity.clone()).expect("its key");
            let secret = ledger.secret(&now, Role::New).expect("it opens").expect("it is held");
            assert!(secret.expose().starts_with(&format!("secret {}secret", now.generation)), "kill {kill}");
        }
        let lease = ledger.lease(&tenant(), "client").expect("it is taken over");
        last = next_change(&ledger, &lease, &now).expect("it goes on").generation;
    }
    assert!(last > u64::from(KILLS), "{last} changes");
    // Else no kill ever fell into a transaction, and the test has shown nothing.
    assert!(journals > 0, "no journal was ever left behind");
}

const CLIENTS: u32 = 10;

/// Changes one of ten clients so many times, under its lease; a file says that somebody is at work on it.
fn contend(place: &Path, changes: u32) {
    let ledger = Ledger::open(place).expect("a ledger");
    let mut done = 0;
    while done < changes {
        let client_id = format!("client {}", fastrand::u32(0..CLIENTS));
        let lease = match ledger.lease(&tenant(), &client_id) {
            Ok(lease) => lease,
            Err(LedgerError::Leased { .. }) => continue,
            Err(error) => panic!("{error}"),
        };
        let held = place.join(format!("{client_id}.held"));
        fs::OpenOptions::new().write(true).create_new(true).open(&held).expect("nobody else is at work on it");
        let rollover = ledger.latest(&tenant(), &client_id).expect("it is read").expect("it is there");
        let step = StepReport {
            step: Step::Record,
            outcome: StepOutcome::Done,
            at: "2026-01-02T03:04:05Z".into(),
            detail: std::process::id().to_string(),
        };
        let change = Change { attempt: Some(rollover.attempt + 1), steps: vec![step], now: 200, ..Change::default() };
        ledger.change(&lease, &rollover, &change).expect("nobody else changed it");
        fs::remove_file(&held).expect("the file goes");
        drop(lease);
        done += 1;
    }
    say("done\n");
}

#[test]
fn two_processes_never_change_one_client_at_once_and_no_change_is_lost() {
    const CHANGES: u32 = 150;
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    for number in 0..CLIENTS {
        baselined(&ledger, &format!("client {number}"));
    }
    let children = [(); 2].map(|()| Child::new("contend", &place).with(&CHANGES.to_string()).spawn());
    for child in children {
        let output = child.wait_with_output().expect("it ends");
        assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("done"));
    }
    let rollovers = ledger.all(None).expect("they are read");
    let attempts: u32 = rollovers.iter().map(|rollover| rollover.attempt).sum();
    let steps: usize = rollovers.iter().map(|rollover| rollover.steps.len()).sum();
    assert_eq!((attempts, steps), (2 * CHANGES, 2 * CHANGES as usize));
    assert!(rollovers.iter().all(|rollover| rollover.generation == 2 + u64::from(rollover.attempt)));
    let mut who: Vec<_> = rollovers.iter().flat_map(|rollover| &rollover.steps).map(|step| &step.detail).collect();
    who.sort_unstable();
    who.dedup();
    assert_eq!(who.len(), 2);
}

/// Takes a client's lease, says so, and keeps it until its standard input ends: so it never outlives the test.
fn hold(place: &Path) {
    let ledger = Ledger::open(place).expect("a ledger");
    let _lease = ledger.lease(&tenant(), "client").expect("the lease");
    say("held\n");
    let _ = std::io::stdin().read_to_end(&mut Vec::new());
}

#[test]
fn a_lease_names_its_holder_and_dies_with_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let (place, ledger, _) = new_ledger(folder.path());
    let mut child = Child::new("hold", &place).spawn();
    let mut output = BufReader::new(child.stdout.take().expect("its output"));
    let mut said = String::new();
    while !said.ends_with("held\n") {
        assert!(output.read_line(&mut said).expect("a line") > 0, "{said}");
    }
    let error = ledger.lease(&tenant(), "client").expect_err("it is held").to_string();
    assert!(error.contains(&format!("process {}, since ", child.id())), "{error}");
    ledger.lease(&tenant(), "other").expect("another client is free");
    child.kill().expect("it is killed");
    child.wait().expect("it ended");
    ledger.lease(&tenant(), "client").expect("it is taken over");
}

/// Makes every file that there can be.
#[cfg(unix)]
fn everything(place: &Path, mask: u32) {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(mask));
    let (place, ledger, _) = new_ledger(place);
    let rollover = baselined(&ledger, "client");
    let lease = ledger.lease(&tenant(), "client").expect("the lease");
    let new = secret("canary");
    ledger.backup(None, 1).expect("a copy");
    ledger.backup(Some(&place.join("copy.db")), 1).expect("a copy");
    ledger.save_elsewhere(&place.join("saved.age"), &rollover, Role::New, &new).expect("it is saved");
    ledger.change(&lease, &rollover, &Change::default()).expect("it changes");
    say("done\n");
}

#[test]
#[cfg(unix)]
fn everything_is_private_whatever_the_umask() {
    for mask in ["000", "077", "777"] {
        let folder = tempfile::tempdir().expect("a folder");
        let output = Child::new("umask", folder.path()).with(mask).output();
        assert!(String::from_utf8_lossy(&output.stdout).contains("done"), "{output:?}");
        let paths = walk(&folder.path().join("ledger"));
        let mut files = 0;
        for path in &paths {
            let metadata = fs::symlink_metadata(path).expect("it is there");
            let right = if metadata.is_dir() { 0o700 } else { 0o600 };
            assert_eq!(rollover::files::mode(&metadata), Some(right), "{mask}: {}", path.display());
            files += usize::from(metadata.is_file());
        }
        assert_eq!(files, 6, "{paths:?}");
    }
    // The journal, which is gone by the time that somebody looks: every file that is made is made like that.
    if Command::new("strace").arg("-V").output().is_err() {
        skipped("there is no strace here");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("strace");
    let mut strace = Command::new("strace");
    strace.args(["-f", "-qq", "-e", "trace=open,openat,creat,mkdir,mkdirat", "-o"]).arg(&log);
    Child::new("umask", folder.path()).with("000").under(strace).output();
    let text = fs::read_to_string(&log).expect("a log");
    let ours = folder.path().join("ledger").display().to_string();
    let made: Vec<_> = text
        .lines()
        .filter(|line| line.contains(&ours) && (line.contains("O_CREAT") || line.contains("mkdir")))
        .collect();
    assert!(made.iter().any(|line| line.contains("ledger.db-journal")), "{text}");
    let mut private = Vec::new();
    for line in made {
        let path = line.split('"').nth(1).expect("a path");
        let (ends_right, is_new) = (line.contains("0600)") || line.contains("0700)"), line.contains("O_EXCL"));
        // SQLite asks for more where it opens what is there already, which we have made.
        assert!(ends_right || (!is_new && private.contains(&path)), "{line}");
        private.push(path);
    }
}
