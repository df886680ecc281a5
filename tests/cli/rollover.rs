use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use super::process::{Run, Tenant, configure, write_private};
use super::{BILLING, CHECKOUT};

/// A tenant in the configuration, and so many `.env` files of "Billing API".
struct Place {
    tenant: Tenant,
    folder: tempfile::TempDir,
    targets: usize,
}

impl Place {
    fn with(targets: usize) -> Self {
        let tenant = Tenant::demo();
        let folder = tempfile::tempdir().expect("a folder");
        let live = tenant.running.secret_of(BILLING).expect("a secret");
        let mut config = format!("[tenants.demo]\ndomain = \"{}\"\n", tenant.running.url());
        for number in 0..targets {
            let path = folder.path().join(format!("app{number}.env"));
            write_private(&path, &format!("AUTH0_CLIENT_SECRET={live}\nPORT=1\n"));
            let table = format!("\n[tenants.demo.targets.{BILLING}.app{number}]\n");
            writeln!(config, "{table}file = '{}'\nformat = \"dotenv\"", path.display()).expect("a line");
        }
        configure(tenant.home.path(), &config);
        Self { tenant, folder, targets }
    }

    fn path(&self, number: usize) -> PathBuf {
        self.folder.path().join(format!("app{number}.env"))
    }

    fn run(&mut self, arguments: &[&str]) -> Run {
        self.tenant.run(arguments)
    }

    /// Runs a step, which must work; where the rollover stands afterwards.
    fn step(&mut self, arguments: &[&str]) -> String {
        let run = self.run(&[arguments, &["--json"]].concat());
        assert_eq!((run.code, run.err.as_str()), (0, ""), "{arguments:?}: {run:?}");
        run.json()[0]["state"].as_str().expect("a state").to_owned()
    }

    fn status(&mut self) -> Value {
        let run = self.run(&["status", "--json"]);
        assert_eq!(run.code, 0, "{run:?}");
        run.json()
    }

    /// Current and fallback in every file; they must be the same in all.
    fn files(&self) -> (String, Option<String>) {
        let mut all: Vec<_> = (0..self.targets)
            .map(|number| {
                let text = std::fs::read_to_string(self.path(number)).expect("a file");
                let value = |key: &str| {
                    text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('=')).map(str::to_owned)
                };
                (value("AUTH0_CLIENT_SECRET").expect("a secret"), value("AUTH0_CLIENT_SECRET_FALLBACK"))
            })
            .collect();
        all.dedup();
        assert_eq!(all.len(), 1, "all files hold the same");
        all.remove(0)
    }

    fn live(&self) -> String {
        self.tenant.running.secret_of(BILLING).expect("a secret")
    }
}

#[test]
fn the_steps_one_by_one() {
    let mut place = Place::with(2);
    let old = place.live();
    assert_eq!(place.step(&["stage", BILLING]), "staged");
    assert_eq!(place.files(), (old.clone(), None));
    assert_eq!(place.step(&["deliver", BILLING]), "delivered");
    let pending = place.files().1.expect("a fallback");
    assert_eq!((place.files().0, place.live()), (old.clone(), old.clone()));
    assert_eq!(place.step(&["cutover", BILLING, "--yes"]), "applied");
    assert_eq!(place.live(), pending);
    assert_eq!(place.step(&["verify", "Billing API"]), "verified");
    assert_eq!(place.step(&["promote", BILLING]), "holding");
    assert_eq!(place.files(), (pending.clone(), Some(old)));
    assert_eq!(place.step(&["retire", BILLING, "--yes"]), "retired");
    assert_eq!(place.files(), (pending, None));
    let run = place.run(&["retire", BILLING, "--yes", "--json"]);
    assert_eq!((run.code, &run.error()["kind"]), (1, &json!("not_now")));
}

#[test]
fn the_whole_holds_and_goes_back_by_one_command() {
    let mut place = Place::with(1);
    let old = place.live();
    let run = place.run(&["rotate", BILLING, "--yes", "--json"]);
    let one = &run.json()[0];
    assert_eq!((run.code, &one["outcome"], &one["state"]), (0, &json!("done"), &json!("holding")));
    let steps: Vec<_> = one["steps"].as_array().expect("steps").iter().map(|step| step["step"].clone()).collect();
    assert_eq!(steps, ["read", "stage", "deliver", "cutover", "verify", "promote"]);
    assert_ne!(place.live(), old);
    assert_eq!(place.files(), (place.live(), Some(old.clone())));
    assert_eq!(place.step(&["rollback", BILLING, "--yes"]), "rolled_back");
    assert_eq!((place.live(), place.files()), (old.clone(), (old, None)));
}

#[test]
fn until_stops_where_it_is_told_to_and_the_rest_follows_later() {
    let mut place = Place::with(1);
    let run = place.run(&["rotate", BILLING, "--until", "deliver", "--yes", "--json"]);
    assert_eq!(
        (run.code, &run.json()[0]["outcome"], &run.json()[0]["state"]),
        (0, &json!("held"), &json!("delivered"))
    );
    assert_eq!(place.step(&["rotate", BILLING, "--until", "retire", "--yes"]), "retired");
    let run = place.run(&["rotate", BILLING, "--until", "never", "--yes"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("stage, deliver, cutover, verify, promote, retire"), "{}", run.err);
}

#[test]
fn the_next_one_retires_the_one_that_holds() {
    let mut place = Place::with(1);
    place.step(&["rotate", BILLING, "--yes"]);
    let first = place.live();
    place.step(&["rotate", BILLING, "--yes"]);
    assert_eq!(place.files(), (place.live(), Some(first)));
    let states: Vec<_> = place.status().as_array().expect("rows").iter().map(|row| row["state"].clone()).collect();
    assert_eq!(states, ["holding", "retired"]);
}

#[test]
fn staging_the_next_one_retires_the_one_that_holds_too() {
    let mut place = Place::with(1);
    place.step(&["rotate", BILLING, "--yes"]);
    let current = place.live();
    let run = place.run(&["stage", BILLING]);
    assert_eq!((run.code, run.err.contains("--yes")), (2, true), "{run:?}");
    assert_eq!(place.step(&["stage", BILLING, "--yes"]), "staged");
    assert_eq!(place.files(), (current, None), "the fallback is gone, and the pending one not delivered yet");
}

#[test]
fn status_lists_everything_without_a_network_or_a_key() {
    let mut place = Place::with(1);
    assert_eq!(place.status(), json!([]), "a look makes no ledger");
    assert!(!place.tenant.home.path().join("ledger.db").exists());
    place.step(&["rotate", BILLING, "--yes"]);
    place.step(&["stage", CHECKOUT]);
    let before = place.tenant.running.requests().len();
    let mut command = place.tenant.command(place.tenant.running.token(), &["status", "--json"]);
    command.env_remove("ROLLOVER_IDENTITY_FILE");
    let run = place.tenant.silent(command);
    assert_eq!((run.code, place.tenant.running.requests().len()), (0, before), "{run:?}");
    let all = run.json();
    let row = |id: &str| {
        all.as_array().expect("rows").iter().find(|row| row["client_id"] == id).unwrap_or_else(|| panic!("{all}"))
    };
    let billing = row(BILLING);
    assert_eq!(
        (&billing["name"], &billing["mode"], &billing["state"], &billing["next"], &billing["in_doubt"]),
        (&json!("Billing API"), &json!("set"), &json!("holding"), &json!("retire"), &json!(false))
    );
    assert_eq!((&billing["targets"][0]["name"], &billing["targets"][0]["state"]), (&json!("app0"), &json!("verified")));
    assert!(billing["since"].as_str().is_some_and(|since| since.ends_with('Z')) && billing["rollover_id"].is_string());
    assert_eq!((&row(CHECKOUT)["state"], &row(CHECKOUT)["next"]), (&json!("staged"), &json!("cutover")));
    let lines = place.run(&["status"]);
    assert_eq!(lines.out.lines().count(), 2, "{}", lines.out);
    assert!(lines.out.lines().all(|line| line.split('\t').count() == 7), "{}", lines.out);
    assert_eq!(place.run(&["status", "Checkout", "--json"]).json().as_array().map(Vec::len), Some(1));
    assert_eq!(place.run(&["status", "nobody", "--json"]).code, 5);
}

#[test]
fn somebody_elses_change_is_exit_code_8_and_can_be_decided() {
    for (choice, patched) in [("--keep-theirs", false), ("--set-ours", true)] {
        let mut place = Place::with(1);
        place.step(&["rotate", BILLING, "--until", "deliver", "--yes"]);
        place.tenant.running.act_as_other(BILLING);
        let theirs = place.live();
        let run = place.run(&["cutover", BILLING, "--yes", "--json"]);
        assert_eq!((run.code, &run.error()["kind"], place.live()), (8, &json!("conflict"), theirs.clone()));
        let message = run.error()["message"].as_str().expect("a message").to_owned();
        assert!(message.contains("someone.else@example.com"), "{message}");
        assert_eq!(place.run(&["resume", BILLING, "--json"]).code, 8);
        assert_eq!(place.step(&["resume", BILLING, choice, "--yes"]), "holding");
        assert_eq!(place.live() != theirs, patched);
        assert_eq!(place.files().0, place.live());
    }
}

#[test]
fn a_doubt_is_exit_code_6_and_resume_settles_it() {
    let mut place = Place::with(1);
    let scenario = "[[fault]]\nmethod = \"PATCH\"\nwhen = \"after\"\ndrop = \"reset\"\n\
                    [[fault]]\nmethod = \"GET\"\npath = \"/api/v2/clients/*\"\nskip = 3\nstatus = 403\nbody = '{}'\n";
    place.tenant.running.play(rollover::sim::Scenario::from_toml(scenario).expect("a scenario"));
    let run = place.run(&["rotate", BILLING, "--yes", "--json"]);
    assert_eq!((run.code, &run.json()[0]["outcome"]), (6, &json!("in_doubt")), "{run:?}");
    assert_eq!(place.status()[0]["next"], "resume");
    place.tenant.running.play(rollover::sim::Scenario::default());
    assert_eq!(place.step(&["resume", BILLING]), "holding");
    assert_eq!(place.files().0, place.live());
}

#[test]
fn a_question_needs_a_terminal_or_a_yes() {
    let mut place = Place::with(1);
    place.step(&["stage", BILLING]);
    place.step(&["deliver", BILLING]);
    for step in ["cutover", "retire", "rollback"] {
        let run = place.run(&[step, BILLING]);
        assert_eq!(run.code, 2, "{step}");
        assert!(run.err.contains("--yes"), "{}", run.err);
    }
    assert_eq!(place.status()[0]["state"], "delivered");
    let run = place.run(&["rotate", BILLING]);
    assert_eq!((run.code, run.err.contains("--yes")), (2, true));
}

#[test]
fn a_target_that_lacks_the_secret_holds_the_cutover_back_unless_told() {
    let mut place = Place::with(2);
    place.step(&["stage", BILLING]);
    let run = place.run(&["cutover", BILLING, "--yes", "--json"]);
    assert_eq!((run.code, &run.error()["kind"]), (1, &json!("targets")));
    assert!(run.error()["message"].as_str().is_some_and(|text| text.contains("app0, app1 lack")), "{}", run.err);
    assert_eq!(place.step(&["cutover", BILLING, "--anyway", "--yes"]), "applied");
}

#[test]
fn giving_up_leaves_nothing() {
    let mut place = Place::with(1);
    let old = place.live();
    place.step(&["rotate", BILLING, "--until", "deliver", "--yes"]);
    assert_eq!(place.step(&["abandon", BILLING]), "abandoned");
    assert_eq!((place.live(), place.files()), (old.clone(), (old, None)));
}

#[test]
fn a_read_only_tenant_is_left_alone() {
    let mut place = Place::with(1);
    for step in ["stage", "deliver", "cutover", "verify", "promote", "retire", "rollback", "resume", "abandon"] {
        let run = place.run(&[step, BILLING, "--read-only", "--json"]);
        assert_eq!((run.code, &run.error()["kind"]), (1, &json!("read_only")), "{step}");
    }
    assert!(!place.tenant.home.path().join("ledger.db").exists());
}

#[test]
fn without_a_key_nothing_is_sent() {
    let mut place = Place::with(1);
    for arguments in [&["rotate", BILLING, "--now", "--yes", "--json"][..], &["stage", BILLING, "--json"]] {
        let mut command = place.tenant.command(place.tenant.running.token(), arguments);
        command.env_remove("ROLLOVER_IDENTITY_FILE");
        let run = place.tenant.silent(command);
        assert_eq!((run.code, &run.error()["kind"]), (9, &json!("ledger_key")), "{run:?}");
        assert!(
            run.error()["hint"].as_str().is_some_and(|hint| hint.contains("ROLLOVER_IDENTITY_FILE")),
            "{}",
            run.err
        );
    }
    assert_eq!(place.tenant.posts(), 0);
}

#[test]
fn the_ledgers_own_commands() {
    let mut place = Place::with(1);
    let path = place.tenant.home.path().join("ledger.db");
    assert_eq!(place.run(&["ledger", "path"]).out.trim_end(), path.display().to_string());
    for arguments in [&["ledger", "export"][..], &["ledger", "backup"], &["ledger", "recipients"]] {
        let run = place.run(arguments);
        assert_eq!((run.code, path.exists()), (9, false), "{arguments:?} makes none: {run:?}");
    }
    place.step(&["rotate", BILLING, "--yes"]);
    let export = place.run(&["ledger", "export"]);
    assert_eq!(export.code, 0);
    assert!(export.out.contains("BEGIN AGE ENCRYPTED FILE") && export.out.contains(BILLING), "{}", export.out);
    let copy = place.folder.path().join("copy.db");
    let run = place.run(&["ledger", "backup", "--to", copy.to_str().expect("a path")]);
    assert_eq!((run.code, copy.exists()), (0, true), "{run:?}");
    let again = place.run(&["ledger", "backup", "--to", copy.to_str().expect("a path")]);
    assert_eq!(again.code, 9, "an existing file is not overwritten: {again:?}");
    let other = age::x25519::Identity::generate().to_public().to_string();
    let run = place.run(&["ledger", "recipients", "--add", &other, "--note", "the safe", "--json"]);
    assert_eq!(run.json().as_array().map(Vec::len), Some(2), "{run:?}");
    assert_eq!(
        (&run.json()[1]["recipient"], &run.json()[1]["own"], &run.json()[1]["note"]),
        (&json!(other), &json!(false), &json!("the safe"))
    );
    assert_eq!(place.run(&["ledger", "recipients", "--add", "age1nonsense"]).code, 9);
    assert_eq!(
        place.run(&["ledger", "recipients", "--remove", &other, "--json"]).json().as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn a_program_gets_current_and_fallback_from_the_ledger() {
    let mut place = Place::with(1);
    let old = place.live();
    let arguments = ["exec", BILLING, "--", "sh", "-c", "echo \"$AUTH0_CLIENT_SECRET/$AUTH0_CLIENT_SECRET_FALLBACK\""];
    let prints = |place: &Place| {
        let run = super::process::finish(place.tenant.command(place.tenant.running.token(), &arguments));
        assert_eq!(run.code, 0, "{run:?}");
        run.out.trim_end().to_owned()
    };
    assert_eq!(prints(&place), format!("{old}/"), "without a rollover, what is live");
    place.step(&["rotate", BILLING, "--until", "deliver", "--yes"]);
    let pending = place.files().1.expect("a fallback");
    assert_eq!(prints(&place), format!("{old}/{pending}"));
    place.step(&["rotate", BILLING, "--yes"]);
    assert_eq!(prints(&place), format!("{pending}/{old}"));
    place.step(&["retire", BILLING, "--yes"]);
    assert_eq!(prints(&place), format!("{pending}/"));
}

#[test]
fn check_tells_by_fingerprint_what_every_target_holds() {
    let mut place = Place::with(2);
    let holds = |place: &mut Place, arguments: &[&str]| {
        let run = place.run(arguments);
        let all = run.json();
        let words: Vec<_> = all.as_array().expect("targets").iter().map(|one| one["holds"].clone()).collect();
        (run.code, words)
    };
    let check = ["target", "check", "--json"];
    assert_eq!(holds(&mut place, &check), (0, vec![json!("current"), json!("current")]));
    place.step(&["rotate", BILLING, "--until", "deliver", "--yes"]);
    assert_eq!(holds(&mut place, &check), (0, vec![json!("both"), json!("both")]));
    write_private(&place.path(1), &format!("AUTH0_CLIENT_SECRET={}\n", "z".repeat(40)));
    assert_eq!(holds(&mut place, &["target", "check", BILLING, "--json"]), (1, vec![json!("both"), json!("drift")]));
}
