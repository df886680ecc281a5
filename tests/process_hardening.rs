//! The running program can be neither dumped nor read by other processes of its user.
#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::fs;
use std::io::{BufRead as _, BufReader, ErrorKind};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use tempfile::TempDir;

/// A user that owns nothing. Root may read everything, so as root the program and the one that tries
/// to look into it both run as this user.
const SOMEBODY: u32 = 54_321;

/// `command`, to be run by a user who is not root.
fn as_somebody(command: &mut Command) -> &mut Command {
    if rustix::process::geteuid().is_root() { command.uid(SOMEBODY).gid(SOMEBODY) } else { command }
}

fn somebody() -> u32 {
    let this = rustix::process::geteuid();
    if this.is_root() { SOMEBODY } else { this.as_raw() }
}

/// The program, serving a pretend tenant, and past its first line of output.
struct Running {
    child: Child,
    _folder: TempDir,
}

impl Running {
    fn start() -> Self {
        // A copy, for the build's own folder may be closed to others.
        let folder = TempDir::new().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let program = folder.path().join("rollover");
        fs::copy(env!("CARGO_BIN_EXE_rollover"), &program).unwrap();
        let home = folder.path().join("home");
        fs::create_dir(&home).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o777)).unwrap();
        let mut command = Command::new(&program);
        command.arg("sim").env_clear().env("HOME", &home).env("ROLLOVER_HOME", &home).env("CANARY", "canary-7731");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = loop {
            match as_somebody(&mut command).spawn() {
                // A child that another test forks meanwhile holds the copy open until it execs.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => std::thread::yield_now(),
                child => break child.unwrap(),
            }
        };
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with('{'), "`rollover sim` began with {line:?}");
        Self { child, _folder: folder }
    }

    fn file(&self, name: &str) -> String {
        format!("/proc/{}/{name}", self.child.id())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What another process of the same user gets of a file.
fn read_by_a_neighbour(path: &str) -> Output {
    let mut command = Command::new("head");
    command.args(["-c", "1", path]).env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("LC_ALL", "C");
    as_somebody(&mut command).output().unwrap()
}

#[test]
fn it_dumps_no_core() {
    let running = Running::start();
    let limits = fs::read_to_string(running.file("limits")).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<_> = core.split_whitespace().skip(4).take(2).collect();
    assert_eq!(words, ["0", "0"], "{core}");
}

#[test]
fn no_neighbour_reads_its_memory_or_environment() {
    let running = Running::start();
    // Both files are there and would be readable: a neighbour reads those of a plain process.
    let mut plain = Command::new("sleep");
    let mut plain = as_somebody(plain.arg("600")).spawn().unwrap();
    let readable = read_by_a_neighbour(&format!("/proc/{}/environ", plain.id()));
    plain.kill().unwrap();
    plain.wait().unwrap();
    assert!(readable.status.success(), "{}", String::from_utf8_lossy(&readable.stderr));

    for name in ["environ", "mem", "maps"] {
        let answer = read_by_a_neighbour(&running.file(name));
        let complaint = String::from_utf8_lossy(&answer.stderr);
        assert!(!answer.status.success() && answer.stdout.is_empty(), "{name} was read");
        assert!(complaint.contains("Permission denied"), "{name}: {complaint}");
    }
    assert!(Path::new(&running.file("status")).exists(), "it ended meanwhile");
}

/// The kernel gives the files of a process that may not be dumped to root.
#[test]
fn its_files_in_proc_belong_to_root() {
    let running = Running::start();
    let owner = fs::metadata(running.file("environ")).unwrap().uid();
    assert_ne!(owner, somebody(), "the process may be dumped");
    let process = fs::metadata(running.file("")).unwrap().uid();
    assert_eq!(process, somebody(), "it does not run as it was started");
}
