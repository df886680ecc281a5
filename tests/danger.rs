//! Dangerous moments that only the real program can be in: a ledger that cannot be written, somebody else at work, signals in the
//! middle of a request, another tenant, an older ledger.
#![cfg(unix)]
#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "whoever runs it wants to know how much it was")]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use estate::{BILLING, Estate, changes, contents, play, until};
use process::{Run, Tenant, finish, run_of};
use rustix::process::{Pid, Signal, kill_process};

#[path = "harness/estate.rs"]
#[expect(dead_code, reason = "the other half of it is for other tests")]
mod estate;
#[path = "harness/process.rs"]
#[expect(dead_code, reason = "the other half of it is for other tests")]
mod process;
#[path = "harness/pty.rs"]
#[expect(dead_code, reason = "the other half of it is for the interface's tests")]
mod pty;

const HOLD: &[&str] = &["rotate", BILLING, "--yes"];
const TO_THE_END: &[&str] = &["rotate", BILLING, "--yes", "--until", "retire"];
const NOW: &[&str] = &["rotate", BILLING, "--yes", "--now"];

fn live(tenant: &Tenant) -> String {
    tenant.running.secret_of(BILLING).expect("a secret")
}

/// Runs a command that must end so.
fn ends(estate: &Estate, arguments: &[&str], code: i32) -> Run {
    let run = finish(estate.command(arguments));
    assert_eq!(run.code, code, "{arguments:?}: {run:?}");
    run
}

fn signal(child: &Child, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
    kill_process(pid, signal).expect("a signal");
}

/// Whether it stands still is only known once the kernel says so.
fn until_stopped(child: &Child) {
    let file = format!("/proc/{}/stat", child.id());
    until("the stop", || std::fs::read_to_string(&file).is_ok_and(|stat| stat.contains(") T ")));
}

fn end(child: Child) -> Run {
    run_of(&child.wait_with_output().expect("it ends"))
}

fn until_changed(tenant: &Tenant, count: usize) {
    until("the request", || changes(&tenant.running) >= count);
}

/// Resumes with nothing in the way, at most twice, and looks whether all is well.
fn settles(tenant: &Tenant, estate: &Estate, old: &str, cell: &str) {
    for _ in 0..2 {
        if estate.latest().is_some_and(|(row, _)| !row.state.is_final()) {
            finish(estate.command(&["resume", BILLING, "--yes"]));
        }
    }
    let live = live(tenant);
    match estate.latest() {
        None => assert_eq!(live, old, "{cell}"),
        Some((row, [_, new, _])) if matches!(row.state.name(), "holding" | "retired") => {
            assert_eq!(new, Some(live), "{cell}");
        }
        Some((row, _)) if matches!(row.state.name(), "abandoned" | "staged" | "delivered") => {
            assert_eq!(live, old, "{cell}: {}", row.state.name());
        }
        Some((row, _)) => panic!("{cell}: {}", row.state.name()),
    }
}

/// Whatever the change was that did not fit on the disk: where the intent was not recorded nothing was sent, and what was sent is
/// recorded. The room grows until everything fits: so every write was the one that did not.
#[test]
fn a_disk_without_room_at_every_write() {
    for arguments in [TO_THE_END, NOW] {
        let (mut full, mut sent) = (0, 0);
        for kibibytes in (0..).step_by(2) {
            let tenant = Tenant::demo();
            let estate = Estate::new(&tenant.running, 1);
            let old = live(&tenant);
            let inner = estate.command(arguments);
            let mut command = Command::new("/bin/sh");
            // A file that grows beyond this fails, as on a full disk; the signal that comes with it would end the program.
            let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", kibibytes * 2);
            command.args(["-c", &script, "sh"]).arg(inner.get_program()).args(inner.get_args()).env_clear();
            command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?)))).stdin(Stdio::null());
            let run = finish(command);
            let cell = format!("{arguments:?}, {kibibytes} KiB: {run:?}");
            if run.code == 0 {
                assert!(full > 3, "{cell}: only {full} were full before");
                println!(
                    "{arguments:?}: full {full} times, of which {sent} after the request; enough with {kibibytes} KiB"
                );
                break;
            }
            assert!(kibibytes < 1_000, "{cell}");
            full += 1;
            if changes(&tenant.running) > 0 {
                sent += 1;
                assert_eq!(changes(&tenant.running), 1, "{cell}");
                let (row, [sealed_old, _, _]) = estate.latest().expect("what was sent is recorded");
                assert!(row.attempt == 1 && sealed_old.as_ref() == Some(&old), "{cell}: {row:?}");
            }
            settles(&tenant, &estate, &old, &cell);
        }
    }
}

/// The ledger refuses to record that a state was reached, each in turn.
#[test]
fn a_state_that_cannot_be_recorded_is_exit_code_9_and_before_the_request_nothing_is_sent() {
    // `baselined` is recorded in the same breath as what comes next.
    for (arguments, states) in [
        (
            TO_THE_END,
            &["planned", "staged", "delivered", "sending", "applied", "verified", "promoting", "holding", "retired"][..],
        ),
        (NOW, &["planned", "sending", "applied", "verified", "promoting", "holding", "retired"][..]),
    ] {
        for (number, state) in states.iter().enumerate() {
            let tenant = Tenant::demo();
            let estate = Estate::new(&tenant.running, 1);
            let old = live(&tenant);
            drop(rollover::ledger::Ledger::open(estate.home.path()).expect("a ledger"));
            let connection = rusqlite::Connection::open(estate.home.path().join("ledger.db")).expect("the ledger");
            let event = if *state == "planned" { "INSERT" } else { "UPDATE" };
            let trigger = format!(
                "CREATE TRIGGER refused BEFORE {event} ON rollover WHEN NEW.state = '{state}' \
                 BEGIN SELECT RAISE(ABORT, 'no room'); END"
            );
            connection.execute_batch(&trigger).expect("a trigger");
            let run = ends(&estate, arguments, 9);
            let before = number <= states.iter().position(|state| *state == "sending").expect("it is sent");
            let cell = format!("{arguments:?}, {state}: {run:?}");
            assert_eq!(changes(&tenant.running), usize::from(!before), "{cell}");
            assert!(run.err.contains("the ledger"), "{cell}");
            connection.execute_batch("DROP TRIGGER refused").expect("it goes");
            drop(connection);
            settles(&tenant, &estate, &old, &cell);
            assert!(changes(&tenant.running) <= 1, "{cell}");
        }
    }
}

#[test]
fn a_ledger_that_is_locked_is_exit_code_9() {
    let tenant = Tenant::demo();
    let estate = Estate::new(&tenant.running, 1);
    drop(rollover::ledger::Ledger::open(estate.home.path()).expect("a ledger"));
    let connection = rusqlite::Connection::open(estate.home.path().join("ledger.db")).expect("the ledger");
    connection.execute_batch("BEGIN EXCLUSIVE").expect("a lock");
    let run = ends(&estate, HOLD, 9);
    assert!(run.err.contains("another process has kept it busy"), "{run:?}");
    assert_eq!(changes(&tenant.running), 0);
    connection.execute_batch("COMMIT").expect("it ends");
    ends(&estate, HOLD, 0);
}

#[test]
fn who_is_at_work_on_a_client_is_named() {
    let tenant = Tenant::demo();
    let estate = Estate::new(&tenant.running, 1);
    ends(&estate, &["stage", BILLING], 0);
    let ledger = estate.ledger().expect("a ledger");
    let lease = ledger.lease(&estate.domain(), BILLING).expect("nobody else is at work");
    for arguments in [HOLD, NOW, &["resume", BILLING], &["abandon", BILLING]] {
        let run = ends(&estate, arguments, 9);
        let who = format!("process {}", std::process::id());
        assert!(run.err.contains(&who) && run.err.contains("another process is at work"), "{run:?}");
    }
    // Looking is not working.
    ends(&estate, &["status"], 0);
    assert_eq!((changes(&tenant.running), estate.state()), (0, "staged"));
    drop(lease);
    ends(&estate, HOLD, 0);
}

#[test]
fn of_two_at_once_one_works_and_the_other_says_who_does() {
    for (arguments, path) in [(HOLD, "method = \"PATCH\""), (NOW, "path = \"/api/v2/clients/*/rotate-secret\"")] {
        let tenant = Tenant::demo();
        play(&tenant.running, &format!("[[fault]]\n{path}\nheld = true\n"));
        let estate = Estate::new(&tenant.running, 2);
        let first = estate.start(arguments);
        until_changed(&tenant, 1);
        // It stands still in the middle, however long the other takes; the answer comes after that.
        signal(&first, Signal::STOP);
        until_stopped(&first);
        assert_eq!(estate.state_left(), "sending", "{arguments:?}");
        let id = first.id();
        for second in [HOLD, NOW, &["resume", BILLING, "--yes"], &["rollback", BILLING, "--yes"]] {
            let run = ends(&estate, second, 9);
            assert!(run.err.contains(&format!("process {id}")), "{second:?}: {run:?}");
        }
        play(&tenant.running, "");
        signal(&first, Signal::CONT);
        let run = end(first);
        assert_eq!((run.code, changes(&tenant.running)), (0, 1), "{run:?}");
        let (row, [_, new, _]) = estate.latest().expect("a rollover");
        assert_eq!((new, row.attempt), (Some(live(&tenant)), 1));
    }
}

#[test]
fn two_that_start_together_never_change_it_twice_in_one_rollover() {
    for _ in 0..8 {
        let tenant = Tenant::demo();
        let estate = Estate::new(&tenant.running, 1);
        let both = [estate.start(TO_THE_END), estate.start(TO_THE_END)];
        let runs = both.map(end);
        let done = runs.iter().filter(|run| run.code == 0).count();
        // The second may have come when the first was done; then it is a second rollover.
        assert!(done >= 1, "{runs:?}");
        assert!(runs.iter().all(|run| matches!(run.code, 0 | 9)), "{runs:?}");
        assert_eq!(changes(&tenant.running), done, "{runs:?}");
        assert_eq!(estate.latest().expect("a rollover").1[1], Some(live(&tenant)));
        assert_eq!(estate.file(0), contents(0, &live(&tenant)));
    }
}

#[test]
fn one_that_stood_still_while_its_answer_was_lost_settles_it() {
    for (arguments, path) in [(HOLD, "method = \"PATCH\""), (NOW, "path = \"/api/v2/clients/*/rotate-secret\"")] {
        let tenant = Tenant::demo();
        play(&tenant.running, &format!("[[fault]]\n{path}\ntimes = 1\ndrop = \"reset\"\n"));
        let estate = Estate::new(&tenant.running, 1);
        let old = live(&tenant);
        let child = estate.start(arguments);
        until_changed(&tenant, 1);
        signal(&child, Signal::STOP);
        until("the change", || live(&tenant) != old);
        signal(&child, Signal::CONT);
        let run = end(child);
        assert_eq!((run.code, changes(&tenant.running)), (0, 1), "{run:?}");
        assert_eq!(estate.latest().expect("a rollover").1[1], Some(live(&tenant)));
    }
}

/// A hang-up, as when the terminal is closed or the connection to it is lost, and being told to end.
#[test]
fn a_signal_in_the_middle_of_a_request_waits_for_its_answer() {
    for sent in [Signal::HUP, Signal::TERM, Signal::INT] {
        for (arguments, path) in [(HOLD, "method = \"PATCH\""), (NOW, "path = \"/api/v2/clients/*/rotate-secret\"")] {
            let tenant = Tenant::demo();
            play(&tenant.running, &format!("[[fault]]\n{path}\nheld = true\n"));
            let estate = Estate::new(&tenant.running, 1);
            let mut child = estate.start(arguments);
            let mut told = BufReader::new(child.stderr.take().expect("stderr"));
            until_changed(&tenant, 1);
            signal(&child, sent);
            let mut line = String::new();
            while !line.contains("waiting for its answer") {
                line.clear();
                assert_ne!(told.read_line(&mut line).expect("a line"), 0, "it ended without waiting");
            }
            play(&tenant.running, "");
            let run = end(child);
            // All that was asked for was done; had there been another client, it would not have been begun.
            assert_eq!((run.code, changes(&tenant.running)), (0, 1), "{sent:?}: {run:?}");
            let (row, [_, new, _]) = estate.latest().expect("a rollover");
            assert_eq!(new, Some(live(&tenant)), "{sent:?}: {}", row.state.name());
            assert!(matches!(row.state.name(), "holding" | "retired"), "{sent:?}: {}", row.state.name());
        }
    }
}

#[test]
fn a_second_signal_leaves_it_in_doubt_and_that_is_durable() {
    for sent in [Signal::HUP, Signal::TERM] {
        let tenant = Tenant::demo();
        play(&tenant.running, "[[fault]]\nmethod = \"PATCH\"\nhang = true\n");
        let estate = Estate::new(&tenant.running, 1);
        let mut child = estate.start(HOLD);
        let mut told = BufReader::new(child.stderr.take().expect("stderr"));
        until_changed(&tenant, 1);
        signal(&child, sent);
        let mut line = String::new();
        while !line.contains("waiting for its answer") {
            line.clear();
            assert_ne!(told.read_line(&mut line).expect("a line"), 0, "it ended without waiting");
        }
        signal(&child, sent);
        let run = end(child);
        assert_eq!((run.code, estate.state_left()), (6, "sending"), "{sent:?}: {run:?}");
        play(&tenant.running, "");
        ends(&estate, &["resume", BILLING], 0);
        assert_eq!((estate.state(), changes(&tenant.running)), ("holding", 1));
    }
}

#[test]
fn a_terminal_that_is_taken_away_in_the_middle_of_a_request_is_no_end_of_it() {
    let tenant = Tenant::demo();
    play(&tenant.running, "[[fault]]\nmethod = \"PATCH\"\nheld = true\n");
    let estate = Estate::new(&tenant.running, 1);
    let variables = estate.variables();
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut terminal = pty::Terminal::start(estate.home.path(), HOLD, &variables, (160, 50));
    until_changed(&tenant, 1);
    terminal.hang_up();
    play(&tenant.running, "");
    let code = terminal.end();
    let (row, [_, new, _]) = estate.latest().expect("a rollover");
    // Where it is told of it after the answer, it ends there; and nobody could be told what came of it.
    assert!(matches!(code, 1 | 130), "{code}");
    assert!(row.state.is_live() && new == Some(live(&tenant)), "{}", row.state.name());
    settles(&tenant, &estate, "", "taken away");
    assert_eq!(estate.state(), "holding");
    assert_eq!(changes(&tenant.running), 1);
}

#[test]
fn with_nobody_at_the_other_end_of_its_output_it_goes_on() {
    let tenant = Tenant::demo();
    let estate = Estate::new(&tenant.running, 1);
    let mut child = estate.start(HOLD);
    drop((child.stdout.take(), child.stderr.take()));
    let code = child.wait().expect("it ends").code();
    assert!(code.is_some(), "it was killed by a signal");
    assert_eq!((estate.state(), changes(&tenant.running)), ("holding", 1));
}

#[test]
fn what_the_ledger_knows_of_one_tenant_is_never_done_to_another() {
    let (one, other) = (Tenant::demo(), Tenant::demo());
    let estate = Estate::new(&one.running, 1);
    ends(&estate, HOLD, 0);
    let (files, untouched) = (estate.file(0), live(&other));
    let of_other = |arguments: &[&str]| {
        let mut command = estate.command(arguments);
        command.env("AUTH0_DOMAIN", other.running.url()).env("AUTH0_API_TOKEN", other.running.token());
        finish(command)
    };
    // The configuration leads to the other tenant now, targets and all.
    let config = std::fs::read_to_string(estate.home.path().join("config.toml")).expect("a file");
    process::configure(estate.home.path(), &config.replace(one.running.url(), other.running.url()));
    for step in ["retire", "rollback", "resume", "promote", "verify", "cutover", "abandon"] {
        let mut arguments = vec![step, BILLING];
        if step != "promote" {
            arguments.push("--yes");
        }
        let run = of_other(&arguments);
        assert_eq!(run.code, 1, "{step}: {run:?}");
        assert!(run.err.contains("has no rollover"), "{step}: {run:?}");
    }
    assert_eq!(of_other(&["status", "--json"]).out.trim(), "[]");
    // Somebody gives the row to the other tenant: what is sealed in it is not.
    let connection = rusqlite::Connection::open(estate.home.path().join("ledger.db")).expect("the ledger");
    let domain = format!("{}/", other.running.url());
    assert_eq!(connection.execute("UPDATE rollover SET tenant = ?", [&domain]).expect("it is changed"), 1);
    drop(connection);
    for (step, code) in [("retire", 8), ("rollback", 1), ("verify", 1), ("promote", 1), ("resume", 8)] {
        let run = of_other(&[step, BILLING, "--yes"]);
        assert_ne!(run.code, 0, "{step}, {code}: {run:?}");
    }
    assert_eq!((changes(&other.running), live(&other), estate.file(0)), (0, untouched, files));
}

/// Every state that a copy of the ledger may have been made in; meanwhile two more rollovers were done.
#[test]
fn an_older_ledger_that_was_put_back_changes_nothing() {
    let made: [(&str, &[&[&str]]); 6] = [
        ("staged", &[&["stage", BILLING]]),
        ("delivered", &[&["stage", BILLING], &["deliver", BILLING]]),
        ("applied", &[&["rotate", BILLING, "--yes", "--until", "cutover"]]),
        ("verified", &[&["rotate", BILLING, "--yes", "--until", "verify"]]),
        ("holding", &[HOLD]),
        ("retired", &[TO_THE_END]),
    ];
    for (state, steps) in made {
        let tenant = Tenant::demo();
        let estate = Estate::new(&tenant.running, 1);
        for step in steps {
            ends(&estate, step, 0);
        }
        assert_eq!(estate.state(), state);
        let ledger = estate.home.path().join("ledger.db");
        let copy = std::fs::read(&ledger).expect("the ledger");
        // That one is brought to its end, and another one after it.
        if matches!(state, "applied" | "verified") {
            ends(&estate, &["resume", BILLING], 0);
        } else if matches!(state, "staged" | "delivered") {
            ends(&estate, HOLD, 0);
        }
        if estate.state() == "holding" {
            ends(&estate, &["retire", BILLING, "--yes"], 0);
        }
        assert_eq!(estate.state(), "retired");
        ends(&estate, TO_THE_END, 0);
        let (now, file, sent) = (live(&tenant), estate.file(0), changes(&tenant.running));
        // The last one is the one that may change something.
        for step in ["cutover", "verify", "promote", "retire", "rollback", "resume", "rotate"] {
            std::fs::write(&ledger, &copy).expect("it is put back");
            process::write_private(&estate.targets[0], &file);
            let mut arguments = vec![step, BILLING];
            if step != "promote" {
                arguments.push("--yes");
            }
            let run = finish(estate.command(&arguments));
            let cell = format!("{state}, {step}: {run:?}");
            if state == "retired" && step == "rotate" {
                // What ended does not stand in the way, and the next one begins with what is live now.
                assert_eq!((run.code, changes(&tenant.running)), (0, sent + 1), "{cell}");
                continue;
            }
            assert_eq!((live(&tenant), changes(&tenant.running)), (now.clone(), sent), "{cell}");
            // The app still gets in: nobody has put a dead secret in the place of the living one.
            let current = format!("AUTH0_CLIENT_SECRET={now}\n");
            assert!(estate.file(0).contains(&current), "{cell}: {}", estate.file(0));
            if !(state == "staged" || state == "delivered") {
                assert_eq!(estate.file(0), file, "{cell}");
            }
            let quiet = match state {
                // Nothing is known to have changed at Auth0: a pending secret is dropped, or left.
                "staged" | "delivered" => matches!(step, "rollback" | "resume"),
                // It is live by the record, so there is nothing to make live.
                "applied" | "verified" => step == "cutover",
                "holding" => matches!(step, "cutover" | "resume"),
                _ => false,
            };
            assert_eq!(run.code == 0, quiet, "{cell}");
            // Whatever looks at Auth0 finds that somebody else changed it.
            let looks = matches!(
                (state, step),
                ("staged" | "delivered", "rotate")
                    | ("delivered", "cutover")
                    | ("applied", "verify" | "resume" | "rollback")
                    | ("verified", "verify" | "promote" | "resume" | "rollback")
                    | ("holding", "verify" | "promote" | "retire" | "rollback" | "rotate")
            );
            assert_eq!(run.code == 8, looks, "{cell}");
            if looks {
                assert_eq!(finish(estate.command(&["resume", BILLING])).code, 8, "{cell}: a person decides");
                assert_eq!(
                    (live(&tenant), changes(&tenant.running), estate.state()),
                    (now.clone(), sent, "conflict"),
                    "{cell}"
                );
            }
        }
    }
}
