use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{Child, Command};

use super::request::{FAILED, READY, Request};
use super::{ClipboardError, HELPER_ARGUMENT, from_environment, is_remote};
use crate::domain::Untrusted;

/// How long the helper may take until the clipboard holds the value. A local display takes
/// milliseconds; one that is forwarded over a slow line, a second.
const READY_WITHIN: Duration = Duration::from_secs(5);

/// All that the helper gets of our environment: where the display is, how to be let in, and where
/// the user's own folders are. Credentials of a tenant stand in ours.
const KEPT: &[&str] = &[
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "XDG_RUNTIME_DIR",
    "XAUTHORITY",
    "HOME",
    "TMPDIR",
    "TEMP",
    "TMP",
    "SystemRoot",
    "USERPROFILE",
    "LOCALAPPDATA",
];

/// Starts the helper and returns when the clipboard holds the value. The helper lives on by itself.
pub(super) async fn helper(request: &Request) -> Result<(), ClipboardError> {
    let mut child = command().map_err(ClipboardError::Helper)?.spawn().map_err(ClipboardError::Helper)?;
    let answer = tokio::time::timeout(READY_WITHIN, ask(&mut child, request)).await.unwrap_or_else(|_| {
        let _ = child.start_kill();
        Err(ClipboardError::Helper(io::Error::new(io::ErrorKind::TimedOut, "the display did not answer")))
    });
    // Somebody has to wait for it, or it stays in the process table for as long as we run. If we end
    // first, init does.
    tokio::spawn(async move { child.wait().await });
    answer
}

async fn ask(child: &mut Child, request: &Request) -> Result<(), ClipboardError> {
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that ends early breaks this pipe; its answer says more than the broken pipe.
        let _ = stdin.write_all(&request.to_bytes()).await;
    }
    let mut answer = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout).read_line(&mut answer).await.map_err(ClipboardError::Helper)?;
    }
    let answer = answer.trim_end();
    if answer == READY {
        return Ok(());
    }
    Err(match answer.strip_prefix(FAILED) {
        Some(reason) => ClipboardError::Display(Untrusted::from(reason)),
        None => ClipboardError::Helper(io::Error::other("it ended without an answer")),
    })
}

fn command() -> io::Result<Command> {
    let mut command = Command::new(program()?);
    command.arg(HELPER_ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    command.env_clear();
    // Over SSH the Wayland socket is that of the wrong machine; see `choose`.
    let remote = is_remote(&from_environment);
    for name in KEPT.iter().filter(|name| !(remote && **name == "WAYLAND_DISPLAY")) {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    #[cfg(unix)]
    command.arg0("rollover").current_dir("/");
    // DETACHED_PROCESS: closing the console must not end the helper.
    #[cfg(windows)]
    command.creation_flags(0x0000_0008);
    Ok(command)
}

/// This very program, even if its file was replaced or removed while it runs.
fn program() -> io::Result<PathBuf> {
    let program = std::env::current_exe()?;
    let running = PathBuf::from("/proc/self/exe");
    Ok(if cfg!(target_os = "linux") && !program.exists() { running } else { program })
}
