//! Real processes: small scripts, run by `sh`, that do what commands do when they should not.

use std::fs;
use std::path::PathBuf;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use tempfile::TempDir;

use super::*;

const CURRENT: &str = "Zk3_vQ8-hT1nXb5yWm7cRd2fJs4gLp6aUe9oKi0tBqVxNzYwSrCjMhDlFkGuPaEo";
const PENDING: &str = "nB7-wE2_rT9yU4iO1pA6sD3fG8hJ5kL0zXcVbNmQqWwEeRrTtYyUuIiOoPpAaSsD";
const CLIENT: &str = "a\"client";

/// A folder with a script in it, and a command target of that script.
struct Stage {
    folder: TempDir,
    place: CommandPlace,
}

impl Stage {
    /// A script that finds its folder in `$1`.
    fn new(script: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("script");
        fs::write(&path, script).expect("written");
        let argv = vec!["sh".to_owned(), text(path), text(folder.path().to_owned())];
        let place =
            CommandPlace { write: argv.clone(), read: argv, environment: Vec::new(), timeout: CommandPlace::TIMEOUT };
        Self { folder, place }
    }

    /// It is given no more time than this.
    fn within(mut self, timeout: std::time::Duration) -> Self {
        self.place.timeout = timeout;
        self
    }

    async fn write(&self) -> Result<(), TargetError> {
        write(&self.place, CLIENT, &wanted(CURRENT, PENDING), Phase::Deliver).await
    }

    async fn read(&self) -> Result<Slots, TargetError> {
        read(&self.place, &SlotNames::default(), CLIENT).await.map(|(slots, _)| slots)
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// A process whose number the script wrote down.
    fn process(&self, name: &str) -> Pid {
        let number = self.file(name).trim().parse().expect("a number");
        Pid::from_raw(number).expect("a process")
    }

    async fn fails(&self) -> TargetError {
        let error = self.write().await.expect_err("it fails");
        assert_eq!(error.kind, TargetErrorKind::Command, "{error:?}");
        assert!(!error.message.contains(CURRENT) && !error.message.contains(PENDING), "{error:?}");
        assert!(!error.message.chars().any(crate::domain::untrusted::is_hidden), "{error:?}");
        error
    }
}

fn text(path: PathBuf) -> String {
    path.into_os_string().into_string().expect("a path that is text")
}

fn secret(text: &str) -> Option<Arc<Secret>> {
    (!text.is_empty()).then(|| Arc::new(Secret::new(text.to_owned())))
}

fn wanted(current: &str, fallback: &str) -> Slots {
    Slots { current: secret(current), fallback: secret(fallback) }
}

/// Waits until a process that was killed is gone: whoever adopts it takes a moment to bury it.
async fn gone(process: Pid) {
    let is_gone = || {
        // Where nobody buries it, it stays as a zombie, which does nothing any more.
        let state = fs::read_to_string(format!("/proc/{}/stat", process.as_raw_nonzero())).unwrap_or_default();
        test_kill_process(process) == Err(Errno::SRCH) || state.contains(") Z ")
    };
    let wait = async {
        while !is_gone() {
            tokio::task::yield_now().await;
        }
    };
    // So that a test fails where it would hang.
    tokio::time::timeout(std::time::Duration::from_mins(1), wait).await.expect("the process is gone");
}

const SHORT: std::time::Duration = std::time::Duration::from_millis(500);

#[tokio::test]
async fn the_secrets_come_on_the_standard_input_and_nowhere_else() {
    let stage = Stage::new(
        "set -eu\ncat >\"$1/stdin\"\ntr '\\0' '\\n' </proc/$$/environ >\"$1/environ\"\ntr '\\0' '\\n' </proc/$$/cmdline >\"$1/cmdline\"\n",
    );
    stage.write().await.expect("delivered");
    let told: serde_json::Value = serde_json::from_str(&stage.file("stdin")).expect("JSON");
    assert_eq!(
        told,
        serde_json::json!({"client_id": CLIENT, "current": CURRENT, "fallback": PENDING, "step": "deliver"})
    );
    assert!(stage.file("stdin").ends_with("}\n"));
    assert!(stage.file("cmdline").contains("script"), "{}", stage.file("cmdline"));
    for name in ["environ", "cmdline"] {
        assert!(!stage.file(name).contains(CURRENT) && !stage.file(name).contains(PENDING), "{name}");
    }
    write(&stage.place, CLIENT, &wanted(CURRENT, ""), Phase::Restore).await.expect("delivered");
    assert!(stage.file("stdin").contains("\"fallback\":null,\"step\":\"rollback\""));
}

#[tokio::test]
async fn it_gets_little_of_the_environment() {
    // Cargo sets CARGO_MANIFEST_DIR and CARGO_PKG_NAME for every test.
    let mut stage = Stage::new("cat >/dev/null\nenv >\"$1/environ\"\n");
    stage.place.environment.push("CARGO_PKG_NAME".to_owned());
    stage.write().await.expect("delivered");
    // What the shell itself adds.
    let added = ["PWD", "OLDPWD", "SHLVL", "_"];
    for line in stage.file("environ").lines() {
        let name = line.split('=').next().unwrap_or_default();
        let known = ["PATH", "HOME", "USER", "LANG", "TMPDIR", "TERM", "CARGO_PKG_NAME"];
        assert!(known.contains(&name) || name.starts_with("LC_") || added.contains(&name), "{line}");
    }
    assert!(stage.file("environ").contains("TERM=dumb\n"));
    assert!(stage.file("environ").contains("CARGO_PKG_NAME=rollover\n"));
}

#[tokio::test]
async fn a_failure_is_told_with_its_last_words_and_without_the_secrets() {
    let stage =
        Stage::new("document=$(cat)\necho noise\nprintf '\\033[31m\\n\\n' >&2\necho \"got $document\"\nexit 3\n");
    let error = stage.fails().await;
    assert!(error.message.starts_with("`sh` failed with exit code 3: "), "{error:?}");
    assert!(error.message.contains("got {\"client_id\":\"a\\\"client\",\"current\":\"[redacted]\""), "{error:?}");
    let error = Stage::new("base64\nexit 3\n").fails().await;
    for secret in [CURRENT, PENDING] {
        for from in 0..40 {
            let piece = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, &secret[from..from + 24]);
            assert!(!error.message.contains(&piece[..14]), "{error:?}");
        }
    }
    let error = Stage::new("cat >/dev/null\nkill -9 $$\n").fails().await;
    assert_eq!(error.message, "`sh` failed with signal 9");
}

#[tokio::test]
async fn what_ends_before_it_has_read_everything_has_failed() {
    let stage = Stage::new("exit 0\n");
    // More than a pipe takes in at once.
    let error =
        write(&stage.place, CLIENT, &wanted(&"x".repeat(200_000), ""), Phase::Deliver).await.expect_err("it fails");
    assert!(error.message.contains("did not read what it was given"), "{error:?}");
    let error = Stage::new("exec <&-\necho no such key >&2\nexit 1\n").fails().await;
    assert!(error.message.ends_with("exit code 1: no such key"), "{error:?}");
}

#[tokio::test]
async fn what_ignores_its_input_and_ends_well_is_found_by_reading_back() {
    // Something keeps the pipe open, so that it takes in what nobody reads.
    let mut stage = Stage::new("sleep 1000 <&0 >/dev/null 2>&1 &\necho $! >\"$1/sleeper\"\nexit 0\n");
    stage.write().await.expect("exit code 0 is all that it says");
    let _ = rustix::process::kill_process(stage.process("sleeper"), rustix::process::Signal::KILL);
    let store = stage.folder.path().join("store");
    fs::write(&store, format!("{{\"AUTH0_CLIENT_SECRET\": \"{CURRENT}\"}}")).expect("written");
    stage.place.read = vec!["cat".to_owned(), text(store)];
    assert_eq!(stage.read().await, Ok(wanted(CURRENT, "")));
}

#[tokio::test]
async fn what_hangs_is_ended_with_all_that_it_started() {
    let script = "cat >/dev/null\nsleep 1000 &\necho $! >\"$1/child\"\necho waiting for \"$1\" >&2\necho $$ >\"$1/self\"\nsleep 1000\n";
    let stage = Stage::new(script).within(SHORT);
    let error = stage.fails().await;
    assert!(error.message.starts_with("`sh` took longer than 0 s and was ended: waiting for"), "{error:?}");
    gone(stage.process("child")).await;
    gone(stage.process("self")).await;
}

#[tokio::test]
async fn what_does_not_listen_is_killed() {
    let script = "trap '' TERM\ncat >/dev/null\nsleep 1000 &\necho $! >\"$1/child\"\necho $$ >\"$1/self\"\nwhile :; do sleep 1000; done\n";
    let stage = Stage::new(script).within(SHORT);
    stage.fails().await;
    gone(stage.process("child")).await;
    gone(stage.process("self")).await;
}

#[tokio::test]
async fn what_leaves_somebody_behind_who_holds_its_output_is_not_waited_for_for_ever() {
    let stage = Stage::new("cat >/dev/null\nsleep 1000 &\necho $! >\"$1/child\"\nexit 0\n").within(SHORT);
    let error = stage.fails().await;
    assert!(error.message.starts_with("`sh` ended with exit code 0, but something that it started"), "{error:?}");
    gone(stage.process("child")).await;
    // Where it failed, that is told as soon as it is known.
    let stage = Stage::new("cat >/dev/null\nsleep 1000 &\necho $! >\"$1/child\"\nexit 4\n");
    let error = stage.fails().await;
    assert!(error.message.starts_with("`sh` failed with exit code 4"), "{error:?}");
    gone(stage.process("child")).await;
}

#[tokio::test]
async fn what_is_to_live_on_may() {
    let stage = Stage::new("cat >/dev/null\nsleep 1000 </dev/null >/dev/null 2>&1 &\necho $! >\"$1/child\"\n");
    stage.write().await.expect("delivered");
    let child = stage.process("child");
    assert_eq!(test_kill_process(child), Ok(()));
    let _ = rustix::process::kill_process(child, rustix::process::Signal::KILL);
}

#[tokio::test]
async fn nobody_who_waits_no_longer_leaves_it_running() {
    let stage = Arc::new(Stage::new(
        "cat >/dev/null\nsleep 1000 &\necho $! >\"$1/child.new\"\nmv \"$1/child.new\" \"$1/child\"\nwait\n",
    ));
    let task = tokio::spawn({
        let stage = Arc::clone(&stage);
        async move { stage.write().await }
    });
    while stage.file("child").is_empty() {
        tokio::task::yield_now().await;
    }
    task.abort();
    assert!(task.await.expect_err("it was dropped").is_cancelled());
    gone(stage.process("child")).await;
}

#[tokio::test]
async fn a_flood_of_output_is_let_pass() {
    let stage = Stage::new("cat >/dev/null\nhead -c 1G /dev/zero\necho\necho the end\nexit 5\n");
    let before = peak();
    let error = stage.fails().await;
    assert_eq!(error.message, "`sh` failed with exit code 5: the end");
    let grown = peak() - before;
    assert!(grown < 64 * 1024, "{grown} KiB more than before");
    let error = Stage::new("head -c 70000 /dev/zero\n").read().await.expect_err("too much");
    assert_eq!((error.kind, error.message.as_str()), (TargetErrorKind::Format, "`sh` printed more than 64 KiB"));
}

/// The most memory that we ever had, in KiB; nothing where the system does not tell.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn what_is_stored_is_read_in_several_shapes() {
    let both = wanted(CURRENT, PENDING);
    for (printed, held) in [
        (format!("{{\"AUTH0_CLIENT_SECRET\":\"{CURRENT}\",\"AUTH0_CLIENT_SECRET_FALLBACK\":\"{PENDING}\"}}"), &both),
        (format!("{{\"current\":\"{CURRENT}\",\"fallback\":\"{PENDING}\"}}"), &both),
        (format!("[\"{CURRENT}\",\n\"{PENDING}\"]"), &both),
        (format!("# x\nAUTH0_CLIENT_SECRET={CURRENT}\r\nexport AUTH0_CLIENT_SECRET_FALLBACK='{PENDING}'\n"), &both),
        (format!("AUTH0_CLIENT_SECRET_OLD=x y z\nAUTH0_CLIENT_SECRET=\"{CURRENT}\"\n"), &wanted(CURRENT, "")),
        (format!("AUTH0_CLIENT_SECRET_FALLBACK={PENDING}\n"), &wanted("", PENDING)),
        (format!("{CURRENT}\r\n"), &wanted(CURRENT, "")),
        ("12345".to_owned(), &wanted("12345", "")),
        ("{\"current\":null}".to_owned(), &Slots::default()),
        ("\n".to_owned(), &Slots::default()),
    ] {
        let stage = Stage::new("cat \"$1/printed\"\n");
        fs::write(stage.folder.path().join("printed"), &printed).expect("written");
        assert_eq!(stage.read().await.as_ref(), Ok(held), "{printed}");
    }
    for (printed, words) in [
        ("{\"current\":1}", "line 1: the value of `current` is no text"),
        ("{\"current\"", "line 1: it is not JSON"),
        ("a b", "neither JSON nor"),
        ("one\ntwo", "neither JSON nor"),
        ("AUTH0_CLIENT_SECRET=a\nAUTH0_CLIENT_SECRET=b", "line 2: the key is there twice"),
        ("AUTH0_CLIENT_SECRET=\"a$b\"", "quotes"),
        ("a\\001b", "a control character"),
        ("\\377", "not UTF-8"),
    ] {
        let stage = Stage::new(&format!("printf '{}'\n", printed.replace("\\\"", "\"").replace('\n', "\\n")));
        let error = stage.read().await.expect_err("not readable");
        assert_eq!(error.kind, TargetErrorKind::Format, "{error:?}");
        assert!(error.message.starts_with("what `sh` printed: ") && error.message.contains(words), "{error:?}");
    }
}

#[tokio::test]
async fn reading_tells_which_client_and_shows_no_secret_where_it_fails() {
    let stage = Stage::new("cat >\"$1/stdin\"\necho denied >&2\nexit 2\n");
    let error = stage.read().await.expect_err("it fails");
    assert_eq!(error.message, "`sh` failed with exit code 2: denied");
    assert_eq!(stage.file("stdin"), "{\"client_id\":\"a\\\"client\",\"step\":\"read\"}\n");
    // What was printed of the secrets before it failed is not told, and what is said of them not either.
    let stage = Stage::new(&format!("echo {CURRENT}\necho bad {CURRENT} >&2\nexit 2\n"));
    let error = stage.read().await.expect_err("it fails");
    assert_eq!(error.message, "`sh` failed with exit code 2: bad [redacted]");
    let none = CommandPlace { read: Vec::new(), ..stage.place };
    let error = read(&none, &SlotNames::default(), CLIENT).await.expect_err("no command");
    assert_eq!(error.kind, TargetErrorKind::CannotRead);
}

#[tokio::test]
async fn what_runs_after_a_delivery_says_how_it_went() {
    let argv = |script: &str| ["sh", "-c", script].map(str::to_owned).to_vec();
    let known = [secret(CURRENT).expect("a secret")];
    let script = format!("read line; echo first; echo restarted {CURRENT}");
    assert_eq!(run(&argv(&script), &known).await, Ok(Some("restarted [redacted]".to_owned())));
    assert_eq!(run(&argv("exit 0"), &known).await, Ok(None));
    assert_eq!(run(&[], &known).await, Ok(None));
    let error = run(&argv("echo gone; exit 7"), &known).await.expect_err("it fails");
    assert_eq!(error.message, "`sh` failed with exit code 7: gone");
}

#[tokio::test]
async fn a_program_is_found_by_its_path_or_its_name() {
    let mut stage = Stage::new("");
    for (program, kind) in [
        ("./script", TargetErrorKind::Refused),
        ("a/script", TargetErrorKind::Refused),
        ("", TargetErrorKind::Refused),
        ("/nonexistent/program", TargetErrorKind::Missing),
        ("no-such-program", TargetErrorKind::Missing),
        // There is such a file, and it may not be run.
        (&text(stage.folder.path().join("script")), TargetErrorKind::System),
    ] {
        stage.place.write = vec![program.to_owned()];
        assert_eq!(stage.write().await.expect_err(program).kind, kind, "{program}");
    }
    assert!(resolve("sh").is_some_and(|path| path.is_absolute() && path.ends_with("sh")));
    stage.place.write = Vec::new();
    assert_eq!(stage.write().await.expect_err("no command").kind, TargetErrorKind::Refused);
    let bad = write(&stage.place, CLIENT, &wanted("a\0b", ""), Phase::Deliver).await.expect_err("refused");
    assert_eq!(bad.kind, TargetErrorKind::Refused);
}
