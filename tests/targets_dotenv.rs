//! What other programs read in a file of variables that was edited: dotenvy and a shell here, more in `tests/dotenv.sh`.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the tests of the editor use the rest")]
#[path = "../src/targets/dotenv/nasty.rs"]
mod nasty;

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use fastrand::Rng;
use rollover::domain::rollover::Phase;
use rollover::domain::target::{FilePlace, Format, Place, SlotNames, Slots, Target};
use rollover::domain::{FingerprintKey, Secret};
use rollover::targets::{self, TargetErrorKind};
use tempfile::TempDir;

use self::nasty::{CURRENT, FALLBACK, Nasty, Reader, Source, secret};

/// A file as it was, as it was after a step of a rollover, and what it must hold.
struct Edited {
    before: PathBuf,
    path: PathBuf,
    current: String,
    fallback: String,
}

/// Without a disk beneath, where there is such a folder: what is on the disk is not asked here.
fn folder() -> TempDir {
    tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).expect("a folder")
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn slot(text: &str) -> Option<Arc<Secret>> {
    (!text.is_empty()).then(|| Arc::new(Secret::new(text.to_owned())))
}

fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).expect("a mode");
}

/// Takes files that every reader reads through a rollover, and keeps what they were after each step.
async fn edited(folder: &Path, most: u64) -> Vec<Edited> {
    let first = number("ROLLOVER_SEED", Rng::new().u64(..));
    report(&format!("dotenv: files from seed {first}"));
    let key = FingerprintKey::new(&[1; 32]);
    let mut all = Vec::new();
    let mut bytes = [0; 160];
    for number in 0..most {
        Rng::with_seed(first.wrapping_add(number)).fill(&mut bytes);
        let mut source = Source::new(&bytes);
        let (new, more) = (secret(&mut source), secret(&mut source));
        let nasty = Nasty::new(&mut source, Reader::Everybody);
        let before = folder.join(format!("{number}.before"));
        let path = folder.join(format!("{number}.env"));
        put(&before, &nasty.bytes());
        put(&path, &nasty.bytes());
        let place = FilePlace { path: path.clone(), format: Format::Dotenv, follow_links: false, allow_mode: false };
        let target = Target {
            name: "app".to_owned(),
            place: Place::File(place),
            slots: SlotNames::default(),
            after: Vec::new(),
        };
        let old = nasty.texts()[0].unwrap_or("old").to_owned();
        let steps = [(Phase::Deliver, &old, new.as_str()), (Phase::Promote, &new, &old), (Phase::Retire, &more, "")];
        for (step, (phase, current, fallback)) in steps.into_iter().enumerate() {
            let wanted = Slots { current: slot(current), fallback: slot(fallback) };
            match targets::prepare(&target, "client", &wanted, phase, &key).await {
                Ok(prepared) => targets::write(prepared).await.expect("it is written"),
                // A secret that somebody thought up, which no quotes hold for all readers.
                Err(error) if error.kind == TargetErrorKind::Refused => continue,
                Err(error) => panic!("{error}: {}", nasty.bytes().escape_ascii()),
            }
            let kept = folder.join(format!("{number}.{step}"));
            fs::copy(&path, &kept).expect("a copy");
            let (current, fallback) = (current.clone(), fallback.to_owned());
            all.push(Edited { before: before.clone(), path: kept, current, fallback });
        }
    }
    all
}

#[expect(clippy::print_stderr, reason = "how much was tried")]
fn report(line: &str) {
    eprintln!("{line}");
}

fn dotenvy(path: &Path) -> Result<HashMap<String, String>, dotenvy::Error> {
    dotenvy::from_path_iter(path)?.collect()
}

#[tokio::test]
async fn dotenvy_reads_what_was_written() {
    let folder = folder();
    let all = edited(folder.path(), number("ROLLOVER_FILES", 500)).await;
    let mut compared = 0;
    for edited in &all {
        // Blanks at a file's end without a newline are an error to it, before and after.
        if dotenvy(&edited.before).is_err() {
            continue;
        }
        let shown = || fs::read(&edited.path).expect("it is there").escape_ascii().to_string();
        let read = dotenvy(&edited.path).unwrap_or_else(|error| panic!("{error}: {}", shown()));
        let of = |key: &str| read.get(key).map_or("", String::as_str);
        assert_eq!((of(CURRENT), of(FALLBACK)), (&*edited.current, &*edited.fallback), "{}", shown());
        compared += 1;
    }
    report(&format!("dotenvy: {compared} of {} files", all.len()));
    assert!(compared * 2 > all.len(), "too few files are read by dotenvy");
}

#[tokio::test]
async fn a_shell_reads_what_was_written() {
    if Command::new("bash").arg("--version").stdout(Stdio::null()).status().is_err() {
        return report("no bash here: not compared");
    }
    let folder = folder();
    let all = edited(folder.path(), number("ROLLOVER_FILES", 500)).await;
    // Each file in a shell of its own.
    let script = "for file; do (set -a; . \"$file\"; printf '%s\\n%s\\n' \"$AUTH0_CLIENT_SECRET\" \
         \"$AUTH0_CLIENT_SECRET_FALLBACK\"); done";
    let output = Command::new("bash")
        .args(["--norc", "--noprofile", "-c", script, "bash"])
        .args(all.iter().map(|edited| &edited.path))
        .env_clear()
        .env("LC_ALL", "C.UTF-8")
        .output()
        .expect("a shell");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("a text");
    let read: Vec<_> = text.lines().collect();
    assert_eq!(read.len(), 2 * all.len());
    for (edited, read) in all.iter().zip(read.chunks(2)) {
        let shown = || fs::read(&edited.path).expect("it is there").escape_ascii().to_string();
        assert_eq!(read, [edited.current.as_str(), &edited.fallback], "{}", shown());
    }
    report(&format!("bash: {} files", all.len()));
}

/// For `tests/dotenv.sh`: files in the folder that `ROLLOVER_FILES_IN` names, beside each what it must hold.
#[tokio::test]
#[ignore = "tests/dotenv.sh runs it"]
async fn files_for_other_programs() {
    let folder = PathBuf::from(std::env::var_os("ROLLOVER_FILES_IN").expect("a folder"));
    let all = edited(&folder, number("ROLLOVER_FILES", 500)).await;
    for edited in &all {
        let text = format!("{}\n{}\n", edited.current, edited.fallback);
        fs::write(edited.path.with_file_name(format!("{}.holds", name(&edited.path))), text).expect("a file");
    }
    for edited in all {
        fs::rename(&edited.path, folder.join(format!("{}.edited", name(&edited.path)))).expect("a name");
    }
}

fn name(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}
