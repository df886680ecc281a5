//! Others who change the file at the same time, and deaths in the midst of a write.
use std::fs::{self, OpenOptions};
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::{MetadataExt as _, symlink};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use rollover::domain::target::{FilePlace, Format};
use rollover::targets::{self, TargetErrorKind};

use super::{CANARY, Case, OLD, put, report};

fn races(otherwise: u64) -> u64 {
    std::env::var("ROLLOVER_RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// While a link to the canary and the file take turns under the name, nothing is ever written to what the link leads to.
#[test]
fn a_link_that_comes_and_goes_is_never_written_through() {
    let case = Case::new();
    let (inside, canary) = (case.folder.path(), case.folder.path().join("canary"));
    put(&canary, CANARY);
    let inode = fs::metadata(&canary).expect("it is there").ino();
    let (stop, path) = (AtomicBool::new(false), case.path().to_owned());
    let begun = AtomicU64::new(0);
    let (mut written, mut refused) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = fastrand::Rng::with_seed(1);
            while !stop.load(Ordering::Relaxed) {
                let (link, file) = (inside.join("link"), inside.join("file"));
                put(&file, OLD.as_bytes());
                let before = begun.load(Ordering::Acquire);
                fs::rename(&file, &path).expect("it moves");
                symlink(&canary, &link).expect("a link");
                // Not before somebody is about to write: then somewhere in the midst of it.
                while begun.load(Ordering::Acquire) == before && !stop.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                }
                for _ in 0..random.u32(..2000) {
                    let _ = fs::symlink_metadata(&path);
                }
                fs::rename(&link, &path).expect("it moves");
            }
        });
        runtime().block_on(async {
            while written + refused < races(1000) {
                let Ok(prepared) = case.prepare(&format!("new{written}")).await else { continue };
                begun.fetch_add(1, Ordering::Release);
                match targets::write(prepared).await {
                    Ok(()) => written += 1,
                    Err(_) => refused += 1,
                }
            }
        });
        stop.store(true, Ordering::Relaxed);
    });
    assert_eq!(fs::read(&canary).expect("it is there"), CANARY);
    assert_eq!(fs::metadata(&canary).expect("it is there").ino(), inode);
    assert!(!fs::symlink_metadata(&canary).expect("it is there").is_symlink());
    assert!(case.names().iter().all(|name| !name.contains("rollover")), "{:?}", case.names());
    report(&format!("link and file: {written} writes, {refused} refused; the canary lives"));
}

/// A program that asks for the lock before it changes the file loses nothing, however often both write.
#[test]
fn a_line_that_another_program_adds_under_the_lock_is_never_lost() {
    let case = Case::new();
    let stop = AtomicBool::new(false);
    let path = case.path().to_owned();
    let added = std::thread::scope(|scope| {
        let other = scope.spawn(|| {
            let mut added = 0_u64;
            while !stop.load(Ordering::Relaxed) {
                let mut file = OpenOptions::new().append(true).open(&path).expect("it is there");
                file.lock().expect("a lock");
                // It may have been replaced while this waited.
                if fs::metadata(&path).expect("it is there").ino() == file.metadata().expect("it is open").ino() {
                    // A file that grows for ever would take longer each time.
                    writeln!(file, "L{added}=").expect("it is written");
                    added += 1;
                }
                drop(file);
                if added > 20_000 {
                    break;
                }
                std::thread::yield_now();
            }
            added
        });
        let (mut written, mut refused) = (0, 0);
        runtime().block_on(async {
            for number in 0..races(200) {
                match case.write(&format!("new{number}")).await {
                    Ok(()) => written += 1,
                    Err(error) => {
                        assert_eq!(error.kind, TargetErrorKind::Changed, "{error}");
                        refused += 1;
                    }
                }
            }
        });
        stop.store(true, Ordering::Relaxed);
        report(&format!("another program that takes the lock: {written} writes, {refused} refused"));
        other.join().expect("a thread")
    });
    let text = case.text();
    let lines: Vec<_> = text.lines().skip(3).collect();
    assert_eq!(lines.len() as u64, added);
    assert!(lines.iter().enumerate().all(|(number, line)| *line == format!("L{number}=")));
}

/// Wherever the process is killed, the file holds the old or the new secret, complete, and a later run clears what is left.
#[tokio::test]
async fn a_process_that_is_killed_leaves_the_old_file_or_the_new_one() {
    let case = Case::new();
    let (one, two) = ("1".repeat(64), "2".repeat(64));
    let filler = "F=".to_owned() + &"x".repeat(200_000) + "\n";
    put(case.path(), (OLD.replace("old", &one) + &filler).as_bytes());
    let held = |secret: &str| OLD.replace("old", secret) + &filler;
    let (mut left, mut news) = (0, 0);
    let rounds = races(40);
    for round in 0..rounds {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["--ignored", "--exact", "races::one_that_writes_until_it_is_killed", "--nocapture"])
            .env("ROLLOVER_TARGET", case.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a process");
        let mut lines = BufReader::new(child.stdout.take().expect("its output"));
        let mut line = String::new();
        // Every second time in the midst of a write, as soon as there is a new file beside the old one.
        for _ in 0..=round % 7 {
            lines.read_line(&mut line).expect("a line");
        }
        while round % 2 == 0 && case.names().len() == 1 {}
        child.kill().expect("it is killed");
        child.wait().expect("it is gone");
        let text = case.text();
        assert!(text == held(&one) || text == held(&two), "neither old nor new: {} bytes", text.len());
        news += u64::from(text == held(&two));
        left += case.names().len() - 1;
        case.prepare(&one).await.expect("it is prepared");
        assert_eq!(case.names(), [".env"], "a secret is left beside it");
    }
    report(&format!("killed {rounds} times: {news} times at the second secret, {left} files left and swept"));
}

#[tokio::test]
#[ignore = "the test above kills it"]
async fn one_that_writes_until_it_is_killed() {
    let Some(path) = std::env::var_os("ROLLOVER_TARGET") else { return };
    let place = FilePlace { path: PathBuf::from(path), format: Format::Dotenv, follow_links: false, allow_mode: false };
    let case = Case { folder: tempfile::tempdir().expect("a folder"), place };
    let mut out = std::io::stdout();
    for secret in ["1", "2"].into_iter().cycle() {
        case.write(&secret.repeat(64)).await.expect("it is written");
        writeln!(out, "wrote").and_then(|()| out.flush()).expect("somebody reads");
    }
}

/// A program that asks for no lock and puts another file in the place, as editors do, once there is a new file beside the old
/// one. What it put there is lost only where it comes after the last look, which is told in `src/targets/file/mod.rs`.
#[test]
fn a_file_that_is_replaced_in_the_midst_of_a_write_is_seen() {
    let case = Case::new();
    let theirs = "AUTH0_CLIENT_SECRET=theirs\n";
    let [begun, done, placed] = [const { AtomicU64::new(0) }; 3];
    let reaches = |counter: &AtomicU64, round: u64| {
        while counter.load(Ordering::Acquire) < round {
            std::thread::yield_now();
        }
    };
    let rounds = races(200);
    let (mut seen, mut lost) = (0, 0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let other = case.folder.path().join("other");
            for round in 1..=rounds {
                put(&other, theirs.as_bytes());
                reaches(&begun, round);
                // Or until it is over: then it was too quick for this thread.
                while case.names().iter().all(|name| !name.contains("rollover")) && done.load(Ordering::Acquire) < round
                {
                }
                fs::rename(&other, case.path()).expect("it moves");
                placed.store(round, Ordering::Release);
            }
        });
        runtime().block_on(async {
            for round in 1..=rounds {
                put(case.path(), OLD.as_bytes());
                let prepared = case.prepare("new").await.expect("it is prepared");
                begun.store(round, Ordering::Release);
                let result = targets::write(prepared).await;
                done.store(round, Ordering::Release);
                reaches(&placed, round);
                match result {
                    Ok(()) => lost += u64::from(case.text().contains("=new")),
                    Err(error) => {
                        assert_eq!(error.kind, TargetErrorKind::Changed, "{error}");
                        assert_eq!(case.text(), theirs);
                        seen += 1;
                    }
                }
            }
        });
    });
    report(&format!("replaced in the midst of a write: seen {seen} of {rounds} times, lost {lost} times"));
    assert!(seen > 0, "the last look sees nothing");
}
