//! What is on the disk and on the screen: after retiring, the old secret is nowhere; before it, no secret is anywhere but in the
//! targets and sealed; and whatever the umask, only the owner can read what was made.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

use std::collections::BTreeMap;
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use estate::{BILLING, Estate, holds, modes};
use process::{Run, Tenant, files, finish, run_of};

#[path = "harness/estate.rs"]
#[expect(dead_code, reason = "the other half of it is for other tests")]
mod estate;
#[path = "harness/process.rs"]
#[expect(dead_code, reason = "the other half of it is for other tests")]
mod process;
#[path = "harness/pty.rs"]
#[expect(dead_code, reason = "the other half of it is for the interface's tests")]
mod pty;

/// What lies sealed in the ledger, as bytes.
fn blobs(estate: &Estate) -> BTreeMap<(i64, String), Vec<u8>> {
    let connection = rusqlite::Connection::open(estate.home.path().join("ledger.db")).expect("the ledger");
    let mut query = connection.prepare("SELECT rollover, role, blob FROM sealed").expect("a query");
    let rows = query.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// Every file of the program's and of the targets' folders, but for the copies of the ledger: they are made to be kept.
fn searched(estate: &Estate) -> Vec<PathBuf> {
    let backups = estate.home.path().join("backups");
    let all = [files(estate.home.path()), files(estate.folder.path())].concat();
    all.into_iter().filter(|path| !path.starts_with(&backups)).collect()
}

/// Nowhere, in no part of it that could be put together again.
fn assert_gone(estate: &Estate, what: &str, bytes: &[u8]) {
    for path in searched(estate) {
        let held = estate::characters(&std::fs::read(&path).expect("a file"));
        for part in parts(bytes) {
            assert!(!held.contains(&estate::characters(part)), "{what} is still in {}", path.display());
        }
    }
}

/// Parts that tell it from everything else: what is sealed begins as everything that age seals.
fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let same = b"age-encryption.org/v1\n-> X25519 ";
    bytes.strip_prefix(same.as_slice()).unwrap_or(bytes).chunks(32).filter(|part| part.len() == 32)
}

#[test]
fn after_retiring_the_old_secret_is_nowhere() {
    for arguments in [vec!["rotate", BILLING, "--yes"], vec!["rotate", BILLING, "--yes", "--until", "verify"]] {
        let tenant = Tenant::demo();
        let estate = Estate::new(&tenant.running, 3);
        let old = tenant.running.secret_of(BILLING).expect("a secret");
        let mut sealed = Vec::new();
        // Three times, so that pages were freed and used again, and the last old one is the second's new one.
        for _ in 0..3 {
            let run = finish(estate.command(&arguments));
            assert_eq!(run.code, 0, "{run:?}");
            sealed.extend(blobs(&estate));
            if arguments.contains(&"verify") {
                assert_eq!(finish(estate.command(&["promote", BILLING])).code, 0);
            }
            let before = estate.latest().expect("a rollover").1;
            assert!(before[0].is_some() && before[1].is_some(), "both are kept until then");
            let run = finish(estate.command(&["retire", BILLING, "--yes"]));
            assert_eq!(run.code, 0, "{run:?}");
        }
        let (row, [kept_old, new, _]) = estate.latest().expect("a rollover");
        assert_eq!((row.state.name(), kept_old, new), ("retired", None, tenant.running.secret_of(BILLING)));
        let live = blobs(&estate);
        assert_eq!(live.len(), 1, "the live one alone");
        let dead: Vec<_> = sealed.iter().filter(|(key, _)| !live.contains_key(key)).collect();
        assert!(dead.len() >= 5, "{} sealed secrets were dropped", dead.len());
        for (key, blob) in dead {
            assert_gone(&estate, &format!("{key:?}"), blob);
        }
        for (_, blob) in live {
            let ledger = std::fs::read(estate.home.path().join("ledger.db")).expect("the ledger");
            assert!(parts(&blob).all(|part| holds(&ledger, part)), "the search finds what is there");
        }
        let mut lived = tenant.running.history(BILLING);
        let current = lived.pop().expect("it was changed");
        for secret in lived.iter().chain([&old]) {
            assert_gone(&estate, "an old secret", secret.as_bytes());
        }
        for number in 0..3 {
            assert!(estate.file(number).contains(&current));
        }
    }
}

/// Every command that changes something, one after the other.
fn everything(estate: &Estate, run: &mut dyn FnMut(&[&str]) -> Run) {
    for (arguments, state) in [
        (vec!["rotate", BILLING, "--yes", "--json"], "holding"),
        (vec!["rollback", BILLING, "--yes"], "rolled_back"),
        (vec!["stage", BILLING], "staged"),
        (vec!["deliver", BILLING, "--json"], "delivered"),
        (vec!["abandon", BILLING], "abandoned"),
        (vec!["rotate", BILLING, "--yes", "--until", "cutover"], "applied"),
        (vec!["verify", BILLING], "verified"),
        (vec!["promote", BILLING], "holding"),
        (vec!["status", "--json"], "holding"),
        (vec!["status"], "holding"),
        (vec!["target", "check", BILLING], "holding"),
        (vec!["retire", BILLING, "--yes", "--json"], "retired"),
        (vec!["rotate", BILLING, "--yes", "--now", "--json"], "retired"),
        (vec!["rotate", BILLING, "--yes", "--now"], "retired"),
        (vec!["resume", BILLING], "retired"),
        (vec!["ledger", "export"], "retired"),
        (vec!["ledger", "backup"], "retired"),
        (vec!["ledger", "recipients"], "retired"),
        (vec!["list"], "retired"),
        (vec!["show", BILLING, "--json"], "retired"),
        (vec!["doctor"], "retired"),
    ] {
        let came = run(&arguments);
        assert_eq!(estate.state(), state, "{arguments:?}: {came:?}");
    }
}

/// Runs everything with a target's `after`, looks at every process meanwhile, and gives all that ever was a secret.
fn watched(tenant: &mut Tenant, umask: &str) -> Vec<String> {
    let estate = Estate::with_after(&tenant.running, 2, Some(&["/bin/sleep".to_owned(), "0.02".to_owned()]));
    let first = tenant.running.secret_of(BILLING).expect("a secret");
    let secrets = |tenant: &Tenant| [tenant.running.history(BILLING), vec![first.clone()]].concat();
    // A target keeps its mode, whatever it was.
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o640);
    std::fs::set_permissions(&estate.targets[1], mode).expect("a mode");
    let mut seen = 0;
    everything(&estate, &mut |arguments| {
        let inner = estate.command(arguments);
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "umask \"$0\"; exec \"$@\"", umask]).arg(inner.get_program()).args(inner.get_args());
        command.env_clear().process_group(0).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
        let mut child = command.spawn().expect("it runs");
        let mut looked = Vec::new();
        while child.try_wait().expect("a child").is_none() {
            looked.extend(processes(child.id()));
        }
        let run = run_of(&child.wait_with_output().expect("it ends"));
        seen += looked.len();
        let pending = estate.latest().map(|(_, sealed)| sealed.into_iter().flatten().collect()).unwrap_or_default();
        let all: Vec<String> = [secrets(tenant), pending].concat();
        // After each, for what one command wrote in the clear the next one may write over.
        estate.assert_private(&all, &format!("umask {umask}, {arguments:?}"));
        for secret in all {
            assert!(!run.out.contains(&secret), "{arguments:?} printed a secret:\n{}", run.out);
            assert!(!run.err.contains(&secret), "{arguments:?} printed a secret:\n{}", run.err);
            for text in &looked {
                assert!(!holds(text, secret.as_bytes()), "{arguments:?}: a secret in arguments or environment");
            }
        }
        run
    });
    assert!(seen > 100, "only {seen} looks at processes");
    let targets: Vec<_> = modes(estate.folder.path()).into_iter().map(|(_, mode)| mode).collect();
    assert_eq!((targets.len(), targets.iter().min(), targets.iter().max()), (2, Some(&0o600), Some(&0o640)));
    secrets(tenant)
}

/// Arguments and environment of a process and of those that it started, as anybody sees them who may.
fn processes(leader: u32) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(stat) = std::fs::read_to_string(path.join("stat")) else { continue };
        // After the name, which may hold anything: state, parent, group.
        let Some(group) = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(2)) else { continue };
        if group == leader.to_string() || parent_is(&stat, leader) {
            found.extend(["cmdline", "environ"].into_iter().filter_map(|name| std::fs::read(path.join(name)).ok()));
        }
    }
    found
}

fn parent_is(stat: &str, leader: u32) -> bool {
    stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)) == Some(leader.to_string().as_str())
}

#[test]
#[cfg(target_os = "linux")]
fn with_every_umask_only_the_owner_can_read_what_is_made_and_no_secret_is_elsewhere() {
    for umask in ["000", "077"] {
        let mut tenant = Tenant::demo();
        let secrets = watched(&mut tenant, umask);
        assert!(secrets.len() >= 6, "{} secrets lived", secrets.len());
    }
}

/// On a terminal it tells more of how it goes on.
#[test]
fn on_a_terminal_no_secret_is_told_either() {
    let tenant = Tenant::demo();
    let estate = Estate::new(&tenant.running, 2);
    let mut secrets = vec![tenant.running.secret_of(BILLING).expect("a secret")];
    let variables = estate.variables();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    for arguments in [
        &["rotate", BILLING, "--yes"][..],
        &["rollback", BILLING, "--yes"],
        &["rotate", BILLING, "--yes", "--until", "retire"],
        &["rotate", BILLING, "--yes", "--now"],
    ] {
        let mut terminal = pty::Terminal::start(estate.home.path(), arguments, &variables, (160, 50));
        assert_eq!(terminal.end(), 0, "{arguments:?}: {}", terminal.screen());
        secrets.extend(estate.latest().into_iter().flat_map(|(_, sealed)| sealed.into_iter().flatten()));
        secrets.extend(tenant.running.history(BILLING));
        let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
        assert!(raw.contains('…'), "nothing was told on the way: {raw}");
        for secret in &secrets {
            assert!(!raw.contains(secret.as_str()), "{arguments:?}: a secret was shown:\n{raw}");
        }
    }
}

/// For `tests/strace.sh`, which looks at every program that is started on the way: the secrets go to the file that it names.
#[test]
fn everything_for_whoever_traces_it() {
    let Some(to) = std::env::var_os("ROLLOVER_TRACED_SECRETS") else { return };
    let tenant = Tenant::demo();
    let after = ["/bin/sh".to_owned(), "-c".to_owned(), "exec /bin/true".to_owned()];
    let estate = Estate::with_after(&tenant.running, 3, Some(&after));
    let mut all = vec![tenant.running.secret_of(BILLING).expect("a secret")];
    everything(&estate, &mut |arguments| {
        let run = finish(estate.command(arguments));
        all.extend(estate.latest().into_iter().flat_map(|(_, sealed)| sealed.into_iter().flatten()));
        run
    });
    all.extend(tenant.running.history(BILLING));
    all.sort();
    all.dedup();
    process::write_private(std::path::Path::new(&to), &all.join("\n"));
}
