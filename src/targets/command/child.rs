//! A child process: what it gets, how long it may take, and how it ends, with all that it started.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, Command};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How much of its output is kept.
const MOST: usize = 64 * 1024;
/// How long it may take to end after it was told to.
const GRACE: Duration = Duration::from_secs(3);

/// All that it gets of our environment, beside what the user names: credentials of a tenant stand in ours.
const KEPT: &[&str] = if cfg!(windows) {
    &["PATH", "PATHEXT", "SystemRoot", "ComSpec", "USERPROFILE", "USERNAME", "APPDATA", "LOCALAPPDATA", "TEMP", "TMP"]
} else {
    &["PATH", "HOME", "USER", "LANG", "TMPDIR"]
};

/// What is to be run.
pub(super) struct Job<'a> {
    /// Program and arguments.
    pub argv: &'a [String],
    /// Names of variables that it gets too.
    pub environment: &'a [String],
    /// What it finds on its standard input.
    pub document: Zeroizing<String>,
    /// How long it may take.
    pub timeout: Duration,
    /// Whether what it prints is wanted, apart from what it says of its mistakes.
    pub keep: bool,
}

/// How it ended by itself.
pub(super) struct Ended {
    /// Its exit code.
    pub status: ExitStatus,
    /// Whether it took all that was on its standard input.
    pub was_told: bool,
    /// What it printed, where that is wanted; `None` where it is not, or is too much.
    pub kept: Option<Zeroizing<Vec<u8>>>,
    /// The end of what it said.
    pub tail: Zeroizing<Vec<u8>>,
}

/// Why it did not end by itself.
pub(super) enum Failure {
    /// Nothing is to be run.
    Empty,
    /// The path does not begin at the root.
    Relative,
    /// There is no such program.
    Missing,
    /// The system did not start it.
    Start(io::Error),
    /// It took too long, or what it started did.
    TooLong {
        /// How long it was given.
        after: Duration,
        /// How the first process ended, where it did.
        ended: Option<ExitStatus>,
        /// The end of what was said.
        tail: Zeroizing<Vec<u8>>,
    },
}

/// The file that is run for the program of this name: the path itself, or the first in the folders of `PATH`.
#[must_use]
pub fn resolve(program: &str) -> Option<PathBuf> {
    found(program).ok()
}

fn found(program: &str) -> Result<PathBuf, Failure> {
    let path = Path::new(program);
    if program.is_empty() {
        return Err(Failure::Empty);
    }
    if path.is_absolute() {
        return if path.is_file() { Ok(path.to_owned()) } else { Err(Failure::Missing) };
    }
    if path.components().count() != 1 || program.contains(['/', std::path::MAIN_SEPARATOR]) {
        return Err(Failure::Relative);
    }
    let folders = std::env::var_os("PATH").unwrap_or_default();
    // A folder that is not named from the root would be another one wherever we are started.
    let folders = std::env::split_paths(&folders).filter(|folder| folder.is_absolute());
    let endings: &[&str] = if cfg!(windows) { &["", ".exe", ".cmd", ".bat"] } else { &[""] };
    let files = folders.flat_map(|folder| endings.iter().map(move |ending| folder.join(format!("{program}{ending}"))));
    files.into_iter().find(|file| may_be_run(file)).ok_or(Failure::Missing)
}

fn may_be_run(file: &Path) -> bool {
    #[cfg(unix)]
    let allowed = rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok();
    #[cfg(not(unix))]
    let allowed = true;
    allowed && file.is_file()
}

/// Runs it to its end, or to the end of its time.
pub(super) async fn run(job: Job<'_>) -> Result<Ended, Failure> {
    let (program, arguments) = job.argv.split_first().ok_or(Failure::Empty)?;
    let mut command = Command::new(found(program)?);
    command.args(arguments).env_clear().envs(environment(job.environment)).kill_on_drop(true);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // A group of its own: what it starts can be ended with it, and a Ctrl-C on our terminal is not its business.
    #[cfg(unix)]
    command.process_group(0);
    let mut child = command.spawn().map_err(Failure::Start)?;
    let mut group = Group::of(&child);
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (first, tail, kept) = (Mutex::new(None), Mutex::new(Tail::default()), Mutex::new(Kept::default()));
    let ended;
    let finished = {
        let feed = async {
            let Some(mut stdin) = stdin else { return false };
            // Dropped at the end of this block: whoever reads to the end comes to it.
            stdin.write_all(job.document.as_bytes()).await.is_ok() && stdin.shutdown().await.is_ok()
        };
        let take_in = async {
            let said = pump(stderr, |bytes| locked(&tail).take(bytes));
            let printed =
                pump(stdout, |bytes| if job.keep { locked(&kept).take(bytes) } else { locked(&tail).take(bytes) });
            tokio::join!(feed, said, printed).0
        };
        let work = async {
            tokio::pin!(take_in);
            let waiting = async {
                let status = child.wait().await;
                *locked(&first) = status.as_ref().ok().copied();
                status
            };
            tokio::pin!(waiting);
            let (status, taken) = tokio::select! {
                status = &mut waiting => (status, None),
                taken = &mut take_in => (waiting.await, Some(taken)),
            };
            let was_told = match (taken, &status) {
                (Some(taken), _) => Some(taken),
                // What it started may still have something to say, and somebody may need it: as long as there is time.
                (None, Ok(status)) if status.success() => Some(take_in.await),
                (None, _) => timeout(GRACE, take_in).await.ok(),
            };
            (status, was_told)
        };
        tokio::pin!(work);
        let mut finished = timeout(job.timeout, &mut work).await.ok();
        ended = *locked(&first);
        if finished.is_none() && group.ask_to_end() && timeout(GRACE, &mut work).await.is_err() {
            group.end();
            let _ = timeout(GRACE, &mut work).await;
        }
        // It failed, and what it left behind holds on to its output.
        if matches!(finished, Some((_, None))) {
            group.end();
            finished = finished.map(|(status, _)| (status, Some(false)));
        }
        finished
    };
    let tail = locked(&tail).end();
    match finished {
        None => {
            group.end();
            let _ = child.start_kill();
            let _ = timeout(GRACE, child.wait()).await;
            group.let_go();
            Err(Failure::TooLong { after: job.timeout, ended, tail })
        }
        Some((status, was_told)) => {
            group.let_go();
            let kept = if job.keep { std::mem::take(&mut *locked(&kept)).whole() } else { None };
            Ok(Ended { status: status.map_err(Failure::Start)?, was_told: was_told == Some(true), kept, tail })
        }
    }
}

fn environment(named: &[String]) -> Vec<(OsString, OsString)> {
    let wanted = |name: &OsString| {
        name.to_str().is_some_and(|name| {
            KEPT.contains(&name) || name.starts_with("LC_") || named.iter().any(|wanted| wanted == name)
        })
    };
    let mut all: Vec<_> = std::env::vars_os().filter(|(name, _)| wanted(name)).collect();
    if !named.iter().any(|name| name == "TERM") {
        // It has no terminal, and is not to draw as if it had.
        all.push(("TERM".into(), "dumb".into()));
    }
    all
}

/// Reads to the end, however much there is.
async fn pump(from: Option<impl AsyncRead + Unpin>, mut take: impl FnMut(&[u8])) {
    let Some(mut from) = from else { return };
    let mut buffer = Zeroizing::new(vec![0; 16 * 1024]);
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        take(&buffer[..count]);
    }
}

/// The end of what was said. Older words make room for newer ones.
#[derive(Default)]
struct Tail(Zeroizing<Vec<u8>>);

impl Tail {
    fn take(&mut self, bytes: &[u8]) {
        if self.0.capacity() == 0 {
            // At once: what is left behind by a buffer that grows is not wiped.
            self.0.reserve_exact(3 * MOST);
        }
        if self.0.len() + bytes.len() > 3 * MOST {
            let surplus = self.0.len() - MOST;
            self.0.drain(..surplus);
        }
        self.0.extend_from_slice(bytes);
    }

    fn end(&mut self) -> Zeroizing<Vec<u8>> {
        let surplus = self.0.len().saturating_sub(MOST);
        self.0.drain(..surplus);
        std::mem::take(&mut self.0)
    }
}

/// What was printed, as long as it is not too much.
#[derive(Default)]
struct Kept {
    bytes: Zeroizing<Vec<u8>>,
    too_much: bool,
}

impl Kept {
    fn take(&mut self, bytes: &[u8]) {
        if self.bytes.capacity() == 0 {
            self.bytes.reserve_exact(MOST);
        }
        self.too_much |= self.bytes.len() + bytes.len() > MOST;
        if !self.too_much {
            self.bytes.extend_from_slice(bytes);
        }
    }

    fn whole(self) -> Option<Zeroizing<Vec<u8>>> {
        (!self.too_much).then_some(self.bytes)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// All processes that a command is, unless they went into groups of their own. Ended where nobody waits any longer.
struct Group {
    #[cfg(unix)]
    leader: Option<rustix::process::Pid>,
}

impl Group {
    #[cfg(unix)]
    fn of(child: &Child) -> Self {
        let number = child.id().and_then(|id| i32::try_from(id).ok());
        Self { leader: number.and_then(rustix::process::Pid::from_raw) }
    }

    #[cfg(not(unix))]
    fn of(_child: &Child) -> Self {
        Self {}
    }

    /// Whether they could be asked at all.
    fn ask_to_end(&self) -> bool {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::TERM);
        cfg!(unix)
    }

    fn end(&self) {
        #[cfg(unix)]
        self.signal(rustix::process::Signal::KILL);
    }

    #[cfg(unix)]
    fn signal(&self, signal: rustix::process::Signal) {
        if let Some(leader) = self.leader {
            let _ = rustix::process::kill_process_group(leader, signal);
        }
    }

    /// The command has ended: what lives on may.
    fn let_go(&mut self) {
        #[cfg(unix)]
        {
            self.leader = None;
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}
