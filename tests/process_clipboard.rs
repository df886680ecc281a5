//! The clipboard helper as a process, where there is no display. What it does on one is tried by
//! `tests/clipboard.sh` and `tests/wayland.sh`.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use rollover::clipboard::HELPER_ARGUMENT;

const VALUE: &str = "canary-value-that-is-nowhere-else-0123456789";

/// Runs the helper with `input` on its stdin and nothing in its environment but `variables`.
fn helper(input: &str, variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rollover"));
    command.arg(HELPER_ARGUMENT).env_clear().envs(variables.iter().copied());
    if let Some(root) = std::env::var_os("SystemRoot") {
        command.env("SystemRoot", root);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // One that refuses early need not read it all.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn assert_refused(output: &Output) -> String {
    let stdout = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(!output.status.success(), "it succeeded, and said {stdout:?}");
    assert!(stdout.starts_with("failed ") && stdout.lines().count() == 1, "{stdout:?}");
    assert!(!stdout.contains("canary"), "it shows the value: {stdout:?}");
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    stdout
}

fn request(clear_after: &str) -> String {
    format!("rollover-clipboard/1 {clear_after} {}\n{VALUE}", VALUE.len())
}

#[test]
#[cfg(all(unix, not(target_os = "macos")))]
fn without_a_display_it_says_so_and_ends() {
    for variables in [&[][..], &[("DISPLAY", ":7654")], &[("WAYLAND_DISPLAY", "nowhere"), ("XDG_RUNTIME_DIR", "/")]] {
        for clear_after in ["30000", "keep"] {
            assert_refused(&helper(&request(clear_after), variables));
        }
    }
}

#[test]
fn half_a_value_is_never_copied() {
    let whole = request("30000");
    for cut in [0, 1, whole.len() / 2, whole.len() - 1] {
        let complaint = assert_refused(&helper(&whole[..cut], &[]));
        assert!(complaint.contains("not a whole clipboard request"), "cut at {cut}: {complaint}");
    }
}

#[test]
fn another_version_is_refused() {
    let complaint = assert_refused(&helper(&request("30000").replacen("/1", "/2", 1), &[]));
    assert!(complaint.contains("not a whole clipboard request"), "{complaint}");
}
