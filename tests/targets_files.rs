//! Files that are targets: what is refused, what is kept, and what happens while others change them or the process dies.
//! `ROLLOVER_RACES` says how often the races are run.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "targets_files/races.rs"]
mod races;

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use rollover::domain::rollover::Phase;
use rollover::domain::target::{FilePlace, Format, Place, SlotNames, Slots, Target};
use rollover::domain::{FingerprintKey, Secret};
use rollover::targets::{self, Prepared, TargetError, TargetErrorKind};
use tempfile::TempDir;

/// What must never change.
const CANARY: &[u8] = b"AUTH0_CLIENT_SECRET=canary\n";
const OLD: &str = "A=1\nAUTH0_CLIENT_SECRET=old\nB=2\n";

/// A user that owns nothing.
const SOMEBODY: u32 = 54_321;

struct Case {
    folder: TempDir,
    place: FilePlace,
}

impl Case {
    /// A folder with a file in it.
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join(".env");
        put(&path, OLD.as_bytes());
        Self { folder, place: FilePlace { path, format: Format::Dotenv, follow_links: false, allow_mode: false } }
    }

    fn path(&self) -> &Path {
        &self.place.path
    }

    fn target(&self) -> Target {
        let place = Place::File(self.place.clone());
        Target { name: "app".to_owned(), place, slots: SlotNames::default(), after: Vec::new() }
    }

    async fn prepare(&self, current: &str) -> Result<Prepared, TargetError> {
        let wanted = Slots { current: Some(Arc::new(Secret::new(current.to_owned()))), fallback: None };
        targets::prepare(&self.target(), "client", &wanted, Phase::Promote, &key()).await
    }

    async fn write(&self, current: &str) -> Result<(), TargetError> {
        targets::write(self.prepare(current).await?).await
    }

    async fn refused(&self) -> TargetError {
        self.prepare("new").await.expect_err("it is refused")
    }

    async fn warnings(&self) -> String {
        let reading = targets::read(&self.target(), "client", &key()).await.expect("it is read");
        reading.warnings.join("\n")
    }

    fn text(&self) -> String {
        fs::read_to_string(self.path()).expect("it is there")
    }

    /// What lies in the folder.
    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).expect("the folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(self.path(), Permissions::from_mode(mode)).expect("a mode");
    }
}

fn key() -> FingerprintKey {
    FingerprintKey::new(&[7; 32])
}

fn put(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).expect("a file");
    fs::set_permissions(path, Permissions::from_mode(0o600)).expect("a mode");
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[expect(clippy::print_stderr, reason = "how much was tried")]
fn report(line: &str) {
    eprintln!("{line}");
}

#[tokio::test]
async fn a_file_is_replaced_whole_and_nothing_is_left_beside_it() {
    let case = Case::new();
    let before = targets::read(&case.target(), "client", &key()).await.expect("it is read");
    let prepared = case.prepare("new").await.expect("it is prepared");
    assert_eq!((case.text().as_str(), prepared.before), (OLD, Some(before.hash)));
    let expected = prepared.after;
    assert!(!format!("{prepared:?}").contains("new"), "a change prints its secret");
    targets::write(prepared).await.expect("it is written");
    let after = targets::read(&case.target(), "client", &key()).await.expect("it is read");
    assert_eq!(after.slots.current.expect("a secret").expose(), "new");
    assert_eq!((case.text(), Some(after.hash)), (OLD.replace("old", "new"), expected));
    assert_eq!(case.names(), [".env"]);
    // Nothing to change: the file is not even touched.
    let inode = fs::metadata(case.path()).expect("it is there").ino();
    case.write("new").await.expect("nothing is to be done");
    assert_eq!(fs::metadata(case.path()).expect("it is there").ino(), inode);
}

#[tokio::test]
async fn what_is_no_plain_file_is_refused_and_not_waited_for() {
    let case = Case::new();
    let canary = case.folder.path().join("canary");
    put(&canary, CANARY);
    fs::remove_file(case.path()).expect("it goes");
    for leads_to in [canary.as_path(), Path::new("nowhere"), Path::new("/dev/full"), case.folder.path()] {
        symlink(leads_to, case.path()).expect("a link");
        let error = case.refused().await;
        assert_eq!(error.kind, TargetErrorKind::Refused, "{error}");
        assert!(error.message.ends_with(".env: it is a symbolic link"), "{error}");
        assert!(fs::symlink_metadata(case.path()).expect("it is there").is_symlink());
        fs::remove_file(case.path()).expect("it goes");
    }
    fs::create_dir(case.path()).expect("a folder");
    assert!(case.refused().await.message.ends_with("it is no plain file"));
    fs::remove_dir(case.path()).expect("it goes");
    let made = Command::new("mkfifo").arg(case.path()).status().expect("mkfifo");
    assert!(made.success());
    assert!(case.refused().await.message.ends_with("it is no plain file"));
    fs::remove_file(case.path()).expect("it goes");
    assert_eq!(case.refused().await.kind, TargetErrorKind::Missing);
    assert_eq!(fs::read(&canary).expect("it is there"), CANARY);

    let device = FilePlace { path: PathBuf::from("/dev/full"), ..case.place.clone() };
    let device = Case { place: device, folder: tempfile::tempdir().expect("a folder") };
    assert!(device.refused().await.message.ends_with("it is no plain file"));
    let large = Case::new();
    put(large.path(), &vec![b'#'; (1 << 20) + 1]);
    assert!(large.refused().await.message.contains("larger than 1 MiB"));
}

#[tokio::test]
async fn a_link_that_is_followed_stays_and_the_new_file_comes_where_the_old_one_lay() {
    let mut case = Case::new();
    let real = case.folder.path().join("real");
    fs::create_dir(&real).expect("a folder");
    fs::rename(case.path(), real.join("prod.env")).expect("it moves");
    symlink("real/prod.env", case.path()).expect("a link");
    case.place.follow_links = true;
    case.write("new").await.expect("it is written");
    assert_eq!(fs::read_link(case.path()).expect("a link"), Path::new("real/prod.env"));
    assert_eq!(fs::read_to_string(real.join("prod.env")).expect("it is there"), OLD.replace("old", "new"));
    assert_eq!(fs::read_dir(&real).expect("the folder").count(), 1);
    fs::remove_file(real.join("prod.env")).expect("it goes");
    assert_eq!(case.refused().await.kind, TargetErrorKind::Missing);
}

#[tokio::test]
async fn whoever_else_can_get_at_it_is_named_and_everybody_is_refused() {
    let mut case = Case::new();
    for (mode, part) in [(0o604, "everybody can read it"), (0o646, "everybody can change it")] {
        case.mode(mode);
        let error = case.refused().await;
        assert_eq!(error.kind, TargetErrorKind::Refused);
        assert!(error.message.ends_with(part) && error.hint.contains("chmod o= '"), "{error:?}");
        assert!(case.warnings().await.contains(part));
    }
    case.mode(0o640);
    assert!(case.warnings().await.contains("its group can get at it"));
    case.write("new").await.expect("a group is a warning");
    case.mode(0o600);
    assert_eq!(case.warnings().await, "");
    fs::hard_link(case.path(), case.folder.path().join("other")).expect("a name");
    assert!(case.warnings().await.contains("1 more name(s)"));
    fs::set_permissions(case.folder.path(), Permissions::from_mode(0o777)).expect("a mode");
    assert!(case.warnings().await.contains("its folder is open to all"));
    fs::set_permissions(case.folder.path(), Permissions::from_mode(0o1777)).expect("a mode");
    assert!(!case.warnings().await.contains("its folder is open to all"));

    case.place.allow_mode = true;
    case.mode(0o644);
    if is_root() {
        chown(case.path(), Some(SOMEBODY), Some(SOMEBODY)).expect("an owner");
        assert!(case.warnings().await.contains("it belongs to another user"));
    }
    let before = fs::metadata(case.path()).expect("it is there");
    case.write("other").await.expect("it is allowed");
    let after = fs::metadata(case.path()).expect("it is there");
    assert_eq!((before.mode(), before.uid(), before.gid()), (after.mode(), after.uid(), after.gid()));
    assert_ne!(before.ino(), after.ino());
    case.place.allow_mode = false;
    case.mode(0o600);
    if is_root() {
        assert!(case.refused().await.message.contains("it belongs to another user (54321)"));
    }
}

#[tokio::test]
async fn a_file_that_git_tracks_is_warned_of() {
    let case = Case::new();
    let git = |arguments: &[&str]| {
        let mut command = Command::new("git");
        command.args(["-c", "user.name=a", "-c", "user.email=a@example.com"]).args(arguments);
        command.current_dir(case.folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        command
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env_remove("GIT_DIR")
            .status()
            .is_ok_and(|status| status.success())
    };
    if !git(&["init"]) {
        return report("no git here: not tried");
    }
    assert_eq!(case.warnings().await, "");
    // What a repository's own settings name is not run.
    let ran = case.folder.path().join("ran");
    let hook = format!("touch {}", ran.display());
    assert!(git(&["config", "core.fsmonitor", &hook]));
    assert!(git(&["-c", "core.fsmonitor=false", "add", "-f", ".env"]));
    assert!(case.warnings().await.contains("git tracks it"));
    assert!(!ran.exists(), "a program that the repository names was run");
}

#[tokio::test]
async fn a_file_that_changed_meanwhile_is_left_as_it_is() {
    type Change = fn(&Case);
    let changes: [(Change, &str); 5] = [
        (|case| put(case.path(), b"AUTH0_CLIENT_SECRET=theirs\n"), "AUTH0_CLIENT_SECRET=theirs\n"),
        // The same size, the same bytes but one, the same time.
        (
            |case| {
                let time = fs::metadata(case.path()).and_then(|metadata| metadata.modified()).expect("a time");
                put(case.path(), OLD.replace("A=1", "A=9").as_bytes());
                File::options().write(true).open(case.path()).and_then(|file| file.set_modified(time)).expect("a time");
            },
            "A=9\nAUTH0_CLIENT_SECRET=old\nB=2\n",
        ),
        // Another file with the same bytes.
        (
            |case| {
                put(&case.folder.path().join("other"), OLD.as_bytes());
                fs::rename(case.folder.path().join("other"), case.path()).expect("it moves");
            },
            OLD,
        ),
        (
            |case| {
                put(&case.folder.path().join("canary"), CANARY);
                fs::remove_file(case.path()).expect("it goes");
                symlink("canary", case.path()).expect("a link");
            },
            "AUTH0_CLIENT_SECRET=canary\n",
        ),
        (|case| case.mode(0o644), OLD),
    ];
    for (change, expected) in changes {
        let case = Case::new();
        let prepared = case.prepare("new").await.expect("it is prepared");
        change(&case);
        let error = targets::write(prepared).await.expect_err("it changed");
        assert!(matches!(error.kind, TargetErrorKind::Changed | TargetErrorKind::Refused), "{error:?}");
        assert_eq!(case.text(), expected);
        assert!(case.names().iter().all(|name| !name.contains("rollover")), "{:?}", case.names());
    }
}

#[tokio::test]
async fn what_a_process_that_died_left_is_removed_and_nothing_else() {
    let case = Case::new();
    let left = ["..env.rollover-0123456789abcdef", "..env.rollover-00000000deadbeef"];
    let others = [
        "..env.rollover-",
        "..env.rollover-notes",
        "..envx.rollover-0123456789abcdef",
        "..env.rollover-0123456789abcdef.txt",
    ];
    for name in left.iter().chain(&others) {
        put(&case.folder.path().join(name), CANARY);
    }
    symlink(case.path(), case.folder.path().join("..env.rollover-1111111111111111")).expect("a link");
    // One that is being written by a process that lives.
    let living = case.folder.path().join("..env.rollover-2222222222222222");
    put(&living, CANARY);
    let held = File::open(&living).expect("it is there");
    held.lock().expect("a lock");
    case.prepare("new").await.expect("it is prepared");
    let names = case.names();
    assert!(left.iter().all(|name| !names.iter().any(|other| other == name)), "{names:?}");
    assert!(others.iter().all(|name| names.iter().any(|other| other == name)), "{names:?}");
    assert!(living.exists());
    drop(held);
    case.write("new").await.expect("it is written");
    assert!(!living.exists());
    assert!(case.text().contains("AUTH0_CLIENT_SECRET=new"));
}

#[tokio::test]
async fn a_long_name_leaves_room_for_what_is_written_beside_it() {
    let mut case = Case::new();
    let path = case.folder.path().join("e".repeat(255));
    fs::rename(case.path(), &path).expect("a name");
    case.place.path = path;
    case.write("new").await.expect("it is written");
    assert_eq!(case.names().len(), 1);
}

#[tokio::test]
async fn nothing_is_written_while_another_program_holds_the_lock() {
    let case = Case::new();
    let file = File::open(case.path()).expect("it is there");
    file.lock().expect("a lock");
    let prepared = case.prepare("new").await.expect("reading asks for no lock");
    let error = targets::write(prepared).await.expect_err("it is locked all the time");
    assert!(error.message.ends_with("another program holds its lock"), "{error}");
    assert_eq!((case.text().as_str(), case.names().len()), (OLD, 1));
    drop(file);
    case.write("new").await.expect("it is written");
}
