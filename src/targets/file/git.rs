//! Whether git tracks a file.
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

/// How long git may take: it is asked for a warning, and nobody waits long for that.
const WITHIN: Duration = Duration::from_secs(2);

/// All that git gets of our environment: credentials of a tenant stand in ours.
const KEPT: &[&str] = &["PATH", "HOME", "XDG_CONFIG_HOME", "SystemRoot", "USERPROFILE"];

/// Whether git tracks it; no where there is no git, or it does not answer.
pub(super) async fn tracks(path: &Path) -> bool {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return false };
    if !folder.ancestors().any(|above| above.join(".git").exists()) {
        return false;
    }
    let mut command = Command::new("git");
    // The settings of a repository can name programs to run: here none is.
    command.args(["--literal-pathspecs", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]);
    command.args(["ls-files", "--error-unmatch", "--"]).arg(name).current_dir(folder);
    command.env_clear().env("GIT_OPTIONAL_LOCKS", "0");
    for name in KEPT {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    matches!(tokio::time::timeout(WITHIN, command.status()).await, Ok(Ok(status)) if status.success())
}
