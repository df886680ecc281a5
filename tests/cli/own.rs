//! Rotating the client that rollover itself signs in with, where its secret is stored: it comes last, the stored secret is
//! replaced before anything else, and the next process signs in with the new one.
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rollover::sim::{Options, Scenario};
use rustix::fs::OFlags;
use rustix::process::Signal;
use serde_json::Value;

use super::login::Place;
use super::pty::Terminal;
use super::sealed::PASSPHRASE;
use super::stored::{NO_KEYRING, ends, on_terminal};
use super::{BILLING, until};

const ASKS: &str = "Passphrase of the stored credentials:";
const ROTATE: &str = "[[fault]]\npath = \"/api/v2/clients/*/rotate-secret\"\n";
const SIGN_IN: &str = "[[fault]]\npath = \"/oauth/token\"\n";

fn own(place: &Place) -> String {
    place.tenant.running.client_id().to_owned()
}

fn live(place: &Place) -> String {
    place.tenant.running.secret_of(&own(place)).expect("a secret")
}

/// The stored secret, and the one before it.
fn stored(place: &Place) -> (String, Option<String>) {
    let documents = place.sealed.documents();
    assert_eq!(documents.len(), 1, "{} files", documents.len());
    let text = |name: &str| documents[0][name].as_str().map(str::to_owned);
    (text("secret").expect("a secret"), text("previous"))
}

/// The program on a terminal, its answer in a file.
fn rotating(place: &Place, arguments: &[&str]) -> (Terminal, PathBuf) {
    let user = place.user.path().to_str().expect("a path").to_owned();
    let answer = place.user.path().join("answer");
    // The ledger's key is another one: what is read of the stored credentials' key here is about those.
    let identity = super::process::identity_file();
    let variables = [
        ("HOME", user.as_str()),
        NO_KEYRING,
        ("ANSWER", answer.to_str().expect("a path")),
        ("ROLLOVER_IDENTITY_FILE", identity.to_str().expect("a path")),
        ("ROLLOVER_PATIENCE_MS", "1000"),
    ];
    let script = "exec \"$0\" rotate --now --yes \"$@\" >\"$ANSWER\"";
    (Terminal::shell(place.home(), script, arguments, &variables, (200, 50)), answer)
}

/// Its answer, in which no secret may be.
fn answer(place: &mut Place, file: &PathBuf) -> Value {
    let text = std::fs::read_to_string(file).expect("its answer");
    place.tenant.assert_silent(&text);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

/// The steps of one client, with what came of them; but for the last two, which are about targets, and there are none.
fn steps(document: &Value) -> Vec<(&str, &str)> {
    let steps = document["steps"].as_array().expect("steps");
    let about_targets = |step: &&Value| step["step"] == "promote" || step["step"] == "retire";
    steps
        .iter()
        .filter(|step| !about_targets(step))
        .map(|step| (step["step"].as_str().expect("a name"), step["outcome"].as_str().expect("one")))
        .collect()
}

/// A new process lists the clients with what is stored.
fn lists(place: &mut Place) {
    let mut terminal = on_terminal(place, &["list"]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    terminal.until("Billing API");
    ends(place, terminal, 0, &[PASSPHRASE]);
}

/// What the token endpoint answered, after the first so many requests.
fn sign_ins(place: &Place, after: usize) -> Vec<u16> {
    let all = place.tenant.running.requests();
    all.iter().filter(|request| request.path == "/oauth/token").skip(after).map(|request| request.status).collect()
}

/// The public key's file becomes a pipe: the program stands still where it reads it, and is told what this likes.
struct Pipe(PathBuf, String);

impl Pipe {
    fn of(place: &Place) -> Self {
        let path = place.home().join("identity.pub");
        std::fs::remove_file(&path).expect("it goes");
        assert!(Command::new("mkfifo").args(["-m", "600"]).arg(&path).status().expect("mkfifo").success());
        Self(path, place.sealed.public())
    }

    /// Waits until the program reads; a pipe that nobody reads cannot be opened so.
    fn reader(&self) -> std::fs::File {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).expect("a flag");
        let mut opened = None;
        until(|| {
            opened = OpenOptions::new().write(true).custom_flags(flags).open(&self.0).ok();
            opened.is_some()
        });
        opened.expect("a reader")
    }

    fn tells_the_key(&self) {
        self.reader().write_all(self.1.as_bytes()).expect("it is read");
    }

    fn gone(self, place: &Place) {
        std::fs::remove_file(&self.0).expect("it goes");
        super::sealed::write(&place.home().join("identity.pub"), self.1.as_bytes());
    }
}

#[test]
fn it_comes_last_is_stored_first_and_the_next_process_signs_in_with_it() {
    let mut place = Place::new();
    place.login(&[]);
    let (own, old) = (own(&place), live(&place));
    let (mut terminal, file) = rotating(&place, &["--json", &own, BILLING]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    ends(&mut place, terminal, 0, &[PASSPHRASE]);
    let all = answer(&mut place, &file);
    assert_eq!((all[0]["client_id"].as_str(), all[1]["client_id"].as_str()), (Some(BILLING), Some(own.as_str())));
    assert_eq!(steps(&all[0]), [("read", "done"), ("rotate", "done"), ("verify", "done")]);
    assert_eq!(steps(&all[1]), [("read", "done"), ("rotate", "done"), ("keep", "done"), ("verify", "done")]);
    let new = live(&place);
    assert_ne!(new, old);
    assert_eq!(stored(&place), (new, Some(old)));
    let before = sign_ins(&place, 0).len();
    lists(&mut place);
    assert_eq!(sign_ins(&place, before), [200], "the new secret, and no other, was tried");
    // And once more: only one secret before it is kept.
    let (mut terminal, _) = rotating(&place, &["--json", &own]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    let (second, before) = (live(&place), sign_ins(&place, 0).len());
    ends(&mut place, terminal, 0, &[PASSPHRASE]);
    assert_ne!(live(&place), second);
    assert_eq!(stored(&place), (live(&place), Some(second)));
    let before = before.max(sign_ins(&place, 0).len());
    lists(&mut place);
    assert_eq!(sign_ins(&place, before), [200]);
}

#[test]
fn the_question_says_that_it_is_our_own_client() {
    let mut place = Place::new();
    place.login(&[]);
    let (own, old) = (own(&place), live(&place));
    let mut terminal = on_terminal(&place, &["rotate", &own, "Billing API", "--now"]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    terminal.until("Rotate? [y/N]");
    assert_eq!(terminal.screen().matches("rollover itself signs in with this client").count(), 1);
    terminal.keys("n\r");
    ends(&mut place, terminal, 1, &[PASSPHRASE]);
    assert_eq!((live(&place), place.tenant.posts()), (old.clone(), 0));
    assert_eq!(stored(&place), (old, None));
}

/// Killed while the new secret is tried, which is after it was stored. The next process comes during propagation: the new
/// secret is refused at first, and the one before still does.
#[test]
fn killed_after_the_answer_it_is_stored_and_both_secrets_are_tried() {
    let scenario = format!(
        "{SIGN_IN}skip = 2\ntimes = 1\nhang = true\n{SIGN_IN}skip = 2\ntimes = 1\nwhen = \"before\"\nstatus = 401\n\
         body = '{{\"error\":\"access_denied\",\"error_description\":\"Unauthorized\"}}'\n"
    );
    let scenario = Some(Scenario::from_toml(&scenario).expect("a scenario"));
    let mut place = Place::exactly(Options { scenario, propagation: Duration::from_mins(10), ..Options::default() });
    place.login(&[]);
    let (own, old) = (own(&place), live(&place));
    let (mut terminal, file) = rotating(&place, &["--json", &own]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    // Signing in at login, signing in now, and the first try.
    until(|| sign_ins(&place, 0).len() == 3);
    terminal.signal(Signal::KILL);
    terminal.end();
    assert_eq!(std::fs::read(file).expect("its answer"), b"", "nothing was said");
    let new = live(&place);
    assert_ne!(new, old);
    assert_eq!(stored(&place), (new, Some(old)));
    lists(&mut place);
    assert_eq!(sign_ins(&place, 3), [401, 200], "the new one, and then the one before");
    lists(&mut place);
    assert_eq!(sign_ins(&place, 5), [200]);
}

#[test]
fn where_the_answer_is_lost_it_is_stored_all_the_same() {
    let mut place = Place::faulty(&format!("{ROTATE}when = \"after\"\ndrop = \"reset\"\n"));
    place.login(&[]);
    let (own, old) = (own(&place), live(&place));
    let (mut terminal, file) = rotating(&place, &["--json", &own]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    ends(&mut place, terminal, 0, &[PASSPHRASE]);
    let all = answer(&mut place, &file);
    let expected =
        [("read", "done"), ("rotate", "in_doubt"), ("read_back", "done"), ("keep", "done"), ("verify", "done")];
    assert_eq!((steps(&all[0]), place.tenant.posts()), (expected.to_vec(), 1));
    assert_eq!(stored(&place), (live(&place), Some(old)));
    lists(&mut place);
}

#[test]
fn what_is_refused_leaves_what_is_stored() {
    let mut place = Place::faulty(&format!("{ROTATE}when = \"before\"\nstatus = 403\nbody = '{{}}'\n"));
    place.login(&[]);
    let (own, old) = (own(&place), live(&place));
    let (mut terminal, _) = rotating(&place, &["--json", &own]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    ends(&mut place, terminal, 4, &[PASSPHRASE]);
    assert_eq!(stored(&place), (old, None));
    lists(&mut place);
}

/// The rotation is done, and the exit code says so; but whoever does not look is locked out.
#[test]
fn what_cannot_be_stored_is_said_and_what_was_stored_is_left() {
    for json in [true, false] {
        let mut place = Place::new();
        place.login(&[]);
        let (own, old) = (own(&place), live(&place));
        let pipe = Pipe::of(&place);
        let arguments = if json { vec!["--json", &own, BILLING] } else { vec![own.as_str(), BILLING] };
        let (mut terminal, file) = rotating(&place, &arguments);
        terminal.answer_unseen(ASKS, PASSPHRASE);
        pipe.tells_the_key();
        until(|| {
            place.tenant.running.requests().iter().filter(|one| one.path.ends_with("/rotate-secret")).count() == 2
        });
        pipe.reader().write_all(b"no key at all\n").expect("it is read");
        pipe.gone(&place);
        let raw = ends(&mut place, terminal, 0, &[PASSPHRASE]);
        for part in ["was not stored", "copy the new secret now", "rollover login", "The dashboard shows it"] {
            assert!(raw.replace(['\r', '\n'], "").contains(part), "no {part} in:\n{raw}");
        }
        if json {
            let all = answer(&mut place, &file);
            assert_eq!(all[1]["outcome"], "done");
            assert_eq!(steps(&all[1]), [("read", "done"), ("rotate", "done"), ("keep", "failed"), ("verify", "done")]);
            assert!(raw.contains("\"not_kept\""), "{raw}");
        }
        assert_eq!(stored(&place), (old, None), "what was there is there");
        let mut terminal = on_terminal(&place, &["list"]);
        terminal.answer_unseen(ASKS, PASSPHRASE);
        ends(&mut place, terminal, 3, &[PASSPHRASE]);
        // As the message says.
        place.login(&[]);
        lists(&mut place);
    }
}

#[test]
fn an_interrupt_waits_until_it_is_stored() {
    let mut place = Place::new();
    place.login(&[]);
    let (own, old) = (own(&place), live(&place));
    let pipe = Pipe::of(&place);
    let (mut terminal, file) = rotating(&place, &["--json", &own]);
    terminal.answer_unseen(ASKS, PASSPHRASE);
    pipe.tells_the_key();
    until(|| place.tenant.posts() == 1);
    let mut reader = pipe.reader();
    for times in 1..=2 {
        terminal.signal(Signal::INT);
        terminal.until_times("the new secret is being stored; waiting for that", times);
    }
    reader.write_all(place.sealed.public().as_bytes()).expect("it is read");
    drop(reader);
    pipe.gone(&place);
    assert_eq!(terminal.end(), 0, "{}", terminal.screen());
    let all = answer(&mut place, &file);
    assert_eq!((all[0]["outcome"].as_str(), steps(&all[0])[2]), (Some("done"), ("keep", "done")));
    assert_eq!(stored(&place), (live(&place), Some(old)));
    lists(&mut place);
}

/// What the environment holds is not ours to change: the next start is told so.
#[test]
fn a_secret_of_the_environment_is_not_stored_and_the_rest_goes_on() {
    let mut place = Place::new();
    let (own, old) = (own(&place), live(&place));
    let command = |arguments: &[&str]| {
        let mut command = place.command(arguments);
        command.env("AUTH0_DOMAIN", place.url()).env("AUTH0_CLIENT_ID", &own).env("AUTH0_CLIENT_SECRET", &old);
        command
    };
    let (rotate, list) = (command(&["rotate", &own, BILLING, "--now", "--yes", "--json"]), command(&["list"]));
    let run = place.tenant.silent(rotate);
    assert_eq!((run.code, run.json()[1]["client_id"].as_str()), (0, Some(own.as_str())));
    let all = run.json();
    assert_eq!(steps(&all[1]), [("read", "done"), ("rotate", "done"), ("verify", "done")]);
    assert_eq!(place.sealed.files().len(), 0);
    assert_eq!(place.tenant.silent(list).code, 3);
}
