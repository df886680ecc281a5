//! `target` and `exec`: what stands in the configuration afterwards, what targets are told to hold, what goes into an environment.
use std::path::{Path, PathBuf};

use rollover::domain::rollover::{Mode, Role, RolloverId, State};
use rollover::domain::{Domain, Secret, Untrusted};
use rollover::ledger::{Beginning, Change, Ledger};
use rollover::tenants::{Home, fingerprint_key};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{Run, Tenant, configure, finish, private_folder, program};
use super::{BILLING, CHECKOUT};

/// A pretend tenant that the configuration knows, and a folder for the files of apps.
struct Place {
    tenant: Tenant,
    apps: TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { tenant: Tenant::demo(), apps: private_folder() };
        configure(place.tenant.home.path(), &place.table());
        place
    }

    fn table(&self) -> String {
        format!("# ours\n[tenants.acme] # the one\ndomain = \"{}\"\n\n# the end\n", self.tenant.running.url())
    }

    fn config(&self) -> String {
        std::fs::read_to_string(self.tenant.home.path().join("config.toml")).expect("a configuration")
    }

    /// A file that an app reads.
    fn app(&self, name: &str, text: &str) -> PathBuf {
        let path = self.apps.path().join(name);
        std::fs::write(&path, text).expect("a file");
        #[cfg(unix)]
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("a mode");
        path
    }

    fn run(&mut self, arguments: &[&str]) -> Run {
        self.tenant.run(arguments)
    }

    fn done(&mut self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        run
    }

    fn add(&mut self, name: &str, path: &Path, more: &[&str]) -> Run {
        let path = path.to_str().expect("a path").to_owned();
        self.done(&[&["target", "add", BILLING, "--name", name, "--file", &path], more].concat())
    }

    fn checked(&mut self) -> (i32, Value) {
        let run = self.run(&["target", "check", "--json"]);
        (run.code, run.json())
    }

    fn secret(&self) -> String {
        self.tenant.running.secret_of(BILLING).expect("a secret")
    }

    /// Records a rollover of Billing API in this state, from the live secret to `new`.
    fn record(&self, new: &str, state: State) {
        let home = self.tenant.home.path().as_os_str().to_owned();
        let home = Home::find(&move |name| (name == "ROLLOVER_HOME").then(|| home.clone())).expect("a home");
        let key = fingerprint_key(&home).expect("a key");
        let ledger = Ledger::open(home.state()).expect("a ledger");
        let identity = age::x25519::Identity::generate();
        ledger.add_recipient(&identity.to_public().to_string(), true, "", 1).expect("a recipient");
        let domain = Domain::parse(self.tenant.running.url()).expect("a domain");
        let lease = ledger.lease(&domain, BILLING).expect("nobody else");
        let name = Untrusted::new("Billing API");
        let id = RolloverId::new(1, [7; 10]);
        let beginning = Beginning { id, name, mode: Mode::Set, targets: Vec::new(), now: 1 };
        let mut row = ledger.begin(&lease, &beginning).expect("it begins");
        let (old, new) = (Secret::new(self.secret()), Secret::new(new.to_owned()));
        let prints = [(Role::Old, key.print(&old)), (Role::New, key.print(&new))];
        let steps = [State::Baselined, State::Staged, State::Sending, State::Applied, State::Verified];
        for next in steps {
            let seal = match next {
                State::Baselined => vec![(Role::Old, &old, prints[0].1)],
                State::Staged => vec![(Role::New, &new, prints[1].1)],
                _ => Vec::new(),
            };
            let change = Change { state: Some(next), seal, now: 2, ..Change::default() };
            row = ledger.change(&lease, &row, &change).expect("it is recorded");
            if next == state {
                return;
            }
        }
        panic!("that state is not on the way: {state:?}");
    }
}

#[test]
fn a_target_is_added_listed_and_dropped_and_every_other_byte_stays() {
    let mut place = Place::new();
    let before = place.config();
    let secret = place.secret();
    let env = place.app("billing.env", &format!("AUTH0_CLIENT_SECRET={secret}\n"));
    let run = place.add("env", &env, &["--after", "systemctl reload 'billing app'"]);
    assert_eq!(run.out, "");
    assert_eq!(run.err, format!("“Billing API” has the target “env” now: {}.\n", env.display()), "and no warning");
    let env_table = format!(
        "\n[tenants.acme.targets.{BILLING}.env]\nfile = \"{}\"\nafter = [\"systemctl\", \"reload\", \"billing app\"]\n",
        env.display()
    );
    assert_eq!(place.config(), before.replace("\n\n# the end", &format!("\n{env_table}\n# the end")));
    let with_env = place.config();

    let file = place.app("settings", "{}\n");
    let run = place.add(
        "json",
        &file,
        &["--format", "json", "--key", "auth0.secret", "--list", "", "--follow-links", "--allow-mode", "--json"],
    );
    assert_eq!((&run.json()["target"], &run.json()["list"]), (&json!("json"), &json!("")));
    let run = place.done(&[
        "target",
        "add",
        "Checkout",
        "--name",
        "vault",
        "--command",
        "--read-command",
        "vault kv get -format=json x",
        "--environment",
        "VAULT_ADDR",
        "--timeout",
        "9",
        "--fallback-key",
        "NEXT",
        "--",
        "vault",
        "kv put",
        "-",
    ]);
    assert!(run.err.contains("“Checkout” has the target “vault” now: command vault."), "{run:?}");
    assert!(place.config().contains(&format!(
        "\n[tenants.acme.targets.{CHECKOUT}.vault]\ncommand = [\"vault\", \"kv put\", \"-\"]\nread_command = [\"vault\", \"kv\", \"get\", \
         \"-format=json\", \"x\"]\nenvironment = [\"VAULT_ADDR\"]\ntimeout = 9\nfallback_key = \"NEXT\"\n"
    )));

    let run = place.done(&["target", "list"]);
    let rows: Vec<Vec<&str>> = run.out.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 3);
    let env_row = rows.iter().find(|row| row[1] == "env").expect("it is listed");
    let expected =
        [BILLING, "env", env.to_str().expect("a path"), "dotenv", "AUTH0_CLIENT_SECRET AUTH0_CLIENT_SECRET_FALLBACK"];
    assert_eq!(env_row[..5], expected);
    let all = place.done(&["target", "list", "Billing API", "--json"]).json();
    let names: Vec<_> = all.as_array().expect("an array").iter().map(|one| one["target"].clone()).collect();
    assert_eq!(names, ["env", "json"], "in the order of the file, of this client only");

    place.done(&["target", "remove", CHECKOUT, "--name", "vault"]);
    place.done(&["target", "remove", "Billing API", "json"]);
    assert_eq!(place.config(), with_env);
    let run = place.done(&["target", "remove", BILLING, "env"]);
    assert!(run.err.contains("what it holds stays as it is"), "{run:?}");
    assert_eq!(place.config(), before);
    assert_eq!(std::fs::read_to_string(&env).expect("it is there"), format!("AUTH0_CLIENT_SECRET={secret}\n"));
    assert_eq!(place.done(&["target", "list", "--json"]).json(), json!([]));
}

/// One that only the environment knows gets a table, with its address and nothing of the credentials.
#[test]
fn a_tenant_of_the_environment_gets_a_table() {
    let mut place = Place::new();
    configure(place.tenant.home.path(), "mouse = false\n");
    let env = place.app(".env", "");
    let run = place.add("env", &env, &[]);
    assert!(run.err.contains("holds no secret under AUTH0_CLIENT_SECRET yet"), "{run:?}");
    let url = place.tenant.running.url().to_owned();
    let name = url.trim_start_matches("http://");
    assert_eq!(
        place.config(),
        format!(
            "mouse = false\n\n[tenants.\"{name}\"]\ndomain = \"{url}\"\n\n[tenants.\"{name}\".targets.{BILLING}.env]\nfile = \"{}\"\n",
            env.display()
        )
    );
    let all = place.done(&["target", "list", "--json"]).json();
    assert_eq!(all[0]["file"], json!(env));
}

#[test]
fn what_cannot_be_a_target_is_refused_and_nothing_changes() {
    let mut place = Place::new();
    let env = place.app("billing.env", "");
    place.add("env", &env, &[]);
    let (before, env) = (place.config(), env.to_str().expect("a path").to_owned());
    let folder = place.apps.path().to_str().expect("a path").to_owned();
    let nowhere = format!("{folder}/none/../x.env");
    let other = format!("{folder}/other.env");
    let plain = format!("{folder}/secrets");
    let add = |more: &[&str]| [&["target", "add", BILLING][..], more].concat().into_iter().map(str::to_owned).collect();
    let cases: Vec<(Vec<String>, i32, &str)> = vec![
        (add(&["--name", "env", "--file", &other]), 2, "has a target “env” already"),
        (add(&["--name", "two", "--file", &env]), 2, "same key of the same file as `env`"),
        (add(&["--name", "x", "--file", &other, "--command", "--", "true"]), 2, "cannot be used with"),
        (add(&["--name", "x"]), 2, "--file"),
        (add(&["--file", &other]), 2, "--name"),
        (add(&["--name", "x", "--command"]), 2, "PROGRAM"),
        (add(&["--name", "x", "--command", "--", " "]), 2, "names no program"),
        (add(&["--name", "x", "--file", &plain]), 2, "does not tell the format"),
        (add(&["--name", "x", "--file", &plain, "--format", "xml"]), 2, "expected dotenv, docker-env"),
        (add(&["--name", "x", "--file", ""]), 2, "--file"),
        (add(&["--name", "x", "--file", &folder]), 2, "is a folder"),
        (add(&["--name", "x", "--file", &nowhere]), 2, "lies in no folder"),
        (add(&["--name", "-x", "--file", &other]), 2, "--name"),
        (add(&["--name", " x", "--file", &other]), 2, "cannot be a target's name"),
        (add(&["--name", "x", "--file", &other, "--key", "A B"]), 2, "cannot be a variable's name"),
        (add(&["--name", "x", "--file", &other, "--list", ""]), 2, "has no lists of its own"),
        (add(&["--name", "x", "--file", &other, "--list", "_"]), 2, "may be a part of a secret"),
        (add(&["--name", "x", "--file", &other, "--list", ",", "--fallback-key", "B"]), 2, "cannot be used with"),
        (add(&["--name", "x", "--file", &other, "--timeout", "5"]), 2, "--command"),
        (add(&["--name", "x", "--file", &other, "--after", "sh 'x"]), 2, "a quote does not end"),
        (add(&["--name", "x", "--command", "--timeout", "0", "--", "true"]), 2, "1..=3600"),
        (add(&["--name", "x", "--command", "--environment", "A=b", "--", "true"]), 2, "no variable's name"),
        (
            vec![
                "target".into(),
                "add".into(),
                "Biling API".into(),
                "--name".into(),
                "x".into(),
                "--file".into(),
                other.clone(),
            ],
            5,
            "Did you mean “Billing API”",
        ),
        (["target", "remove", BILLING, "emv"].map(str::to_owned).into(), 2, "it has: “env”"),
        (["target", "remove", CHECKOUT, "env"].map(str::to_owned).into(), 2, "has no target “env”"),
        (["target", "remove", BILLING].map(str::to_owned).into(), 2, "--name"),
        (["target", "check", "nobody"].map(str::to_owned).into(), 5, "no client"),
    ];
    for (arguments, code, part) in cases {
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        let run = place.run(&arguments);
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{arguments:?}: {run:?}");
        assert!(run.err.contains(part), "{arguments:?}: {}", run.err);
        assert_eq!(place.config(), before, "{arguments:?}");
    }
    let run = place.run(&["target", "add", BILLING, "--name", "env", "--file", &other, "--json"]);
    assert_eq!((run.code, &run.error()["kind"]), (2, &json!("usage")));
}

/// It changes this user's configuration, and nothing at the tenant.
#[test]
fn a_read_only_tenant_can_have_targets() {
    let mut place = Place::new();
    let env = place.app("billing.env", "");
    place.add("env", &env, &["--read-only"]);
    assert!(place.config().contains("billing.env"));
    assert!(place.tenant.running.requests().iter().all(|request| request.method == "GET"));
}

/// A path is the same file wherever the program is started.
#[test]
#[cfg(unix)]
fn a_file_is_named_from_the_root() {
    let place = Place::new();
    place.app("billing.env", "");
    std::fs::create_dir(place.apps.path().join("inner")).expect("a folder");
    for (number, typed) in ["billing.env", "./inner/../billing.env", "inner/../billing.env"].iter().enumerate() {
        let key = format!("KEY_{number}");
        let mut command = place.tenant.command(
            place.tenant.running.token(),
            &[
                "target",
                "add",
                BILLING,
                "--name",
                &key,
                "--file",
                typed,
                "--key",
                &key,
                "--fallback-key",
                &format!("{key}_B"),
            ],
        );
        command.current_dir(place.apps.path());
        assert_eq!(finish(command).code, 0, "{typed}");
    }
    let whole = place.apps.path().canonicalize().expect("it is there").join("billing.env");
    assert_eq!(place.config().matches(&format!("file = \"{}\"\n", whole.display())).count(), 3, "{}", place.config());
}

#[test]
fn what_targets_hold_is_told_beside_what_is_live() {
    let mut place = Place::new();
    let (secret, other) = (place.secret(), "o".repeat(64));
    let good = place.app("good.env", &format!("AUTH0_CLIENT_SECRET={secret}\n"));
    place.add("good", &good, &[]);
    let (code, all) = place.checked();
    assert_eq!(code, 0, "{all}");
    assert_eq!(
        all,
        json!([{
            "client_id": BILLING, "name": null, "target": "good", "place": good, "current": "current", "fallback": "nothing",
            "holds": "current", "warnings": [], "error": null
        }])
    );
    assert_eq!(place.run(&["target", "check", "Billing API", "--json"]).json()[0]["name"], "Billing API");

    let second = place.app("second.env", &format!("AUTH0_CLIENT_SECRET=\nAUTH0_CLIENT_SECRET_FALLBACK={secret}\n"));
    place.add("second", &second, &[]);
    let (code, all) = place.checked();
    assert_eq!((code, &all[1]["holds"]), (0, &json!("fallback")), "an app that tries both gets in: {all}");

    let drifted =
        place.app("drifted.env", &format!("AUTH0_CLIENT_SECRET={secret}\nAUTH0_CLIENT_SECRET_FALLBACK={other}\n"));
    let run = place.add("drifted", &drifted, &[]);
    assert!(run.err.contains("holds a fallback that is neither live at Auth0 nor known here"), "{run:?}");
    let (code, all) = place.checked();
    assert_eq!((code, &all[2]["holds"], &all[2]["fallback"]), (1, &json!("drift"), &json!("other")));
    place.done(&["target", "remove", BILLING, "drifted"]);

    let empty = place.app("empty.env", "OTHER=1\n");
    place.add("empty", &empty, &[]);
    let (code, all) = place.checked();
    assert_eq!((code, &all[2]["holds"]), (1, &json!("neither")));
    place.done(&["target", "remove", BILLING, "empty"]);

    let run = place.add("missing", &place.apps.path().join("missing.env").clone(), &[]);
    assert!(run.err.contains("the target “missing” cannot be read now"), "{run:?}");
    let (code, all) = place.checked();
    assert_eq!((code, &all[2]["holds"], &all[2]["error"]["kind"]), (1, &Value::Null, &json!("missing")), "{all}");
    let run = place.run(&["target", "check"]);
    let rows: Vec<Vec<&str>> = run.out.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!((run.code, rows.len(), rows[0][2], rows[1][2], rows[2][2]), (1, 3, "current", "fallback", "error"));
    assert!(run.err.contains("“missing” of "), "{run:?}");

    // The secret is changed elsewhere: nothing of what is there works any more.
    place.done(&["target", "remove", BILLING, "missing"]);
    place.tenant.running.act_as_other(BILLING);
    let (code, all) = place.checked();
    assert_eq!((code, &all[0]["holds"], &all[1]["holds"]), (1, &json!("drift"), &json!("drift")));
}

#[test]
fn the_record_tells_pending_and_previous_and_stands_in_for_what_cannot_be_read() {
    let new = "n".repeat(64);
    for (state, holds, current, fallback) in
        [(State::Staged, "both", "current", "pending"), (State::Verified, "both", "previous", "current")]
    {
        let mut place = Place::new();
        let text = format!("AUTH0_CLIENT_SECRET={}\nAUTH0_CLIENT_SECRET_FALLBACK={new}\n", place.secret());
        let env = place.app("billing.env", &text);
        place.record(&new, state);
        place.add("env", &env, &[]);
        // Who may not read secrets is told by the record.
        let run = place.tenant.run_as("read:clients", &["target", "check", "--json"]);
        let all = run.json();
        assert_eq!((run.code, &all[0]["holds"]), (0, &json!(holds)), "{state:?}: {all}");
        assert_eq!((&all[0]["current"], &all[0]["fallback"]), (&json!(current), &json!(fallback)), "{state:?}");
        assert_eq!(all[0]["name"], "Billing API", "as it was recorded");
        // Who may is told by Auth0, where the old one is live.
        let (code, all) = place.checked();
        assert_eq!((code, &all[0]["current"]), (0, &json!("current")), "{state:?}: {all}");
    }
    let mut place = Place::new();
    let env = place.app("billing.env", &format!("AUTH0_CLIENT_SECRET={}\n", place.secret()));
    place.add("env", &env, &[]);
    let run = place.tenant.run_as("read:clients", &["target", "check", "--json"]);
    assert_eq!((run.code, &run.json()[0]["holds"]), (1, &Value::Null), "there is nothing to compare with");
    assert!(run.json()[0]["warnings"][0].as_str().is_some_and(|text| text.contains("nothing to compare with")));
}

#[test]
#[cfg(unix)]
fn exec_hands_the_live_secret_to_a_program_and_nothing_of_ours() {
    let place = Place::new();
    let script = "printf '%s %s ' \"$AUTH0_CLIENT_SECRET\" \"${AUTH0_CLIENT_SECRET_FALLBACK-none}\"; env; exit 7";
    let execute = |more: &[&str], script: &str| {
        let arguments = [&["exec", "Billing API"], more, &["--", "/bin/sh", "-c", script]].concat();
        let mut command = place.tenant.command(place.tenant.running.token(), &arguments);
        command.env("AUTH0_CLIENT_SECRET_FALLBACK", "of another").env("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "a key");
        finish(command)
    };
    let run = execute(&[], script);
    assert_eq!(run.code, 7, "the program's own exit code: {run:?}");
    assert!(run.out.starts_with(&format!("{} none ", place.secret())), "{run:?}");
    assert!(run.out.contains(&format!("AUTH0_CLIENT_ID={BILLING}\n")), "{run:?}");
    assert!(!run.out.contains(place.tenant.running.token()) && !run.out.contains("a key"), "{run:?}");
    assert!(run.err.contains("the ledger has no secret of “Billing API”"), "{run:?}");
    assert!(!run.err.contains(&place.secret()));

    let run = execute(&["--key", "CURRENT"], "printf '%s %s' \"$CURRENT\" \"${AUTH0_CLIENT_SECRET-none}\"");
    assert_eq!(run.out, format!("{} none", place.secret()));

    let table = format!("{}\n[tenants.acme.targets.{BILLING}]\n", place.table());
    let targets = "tree = { file = \"/x.json\", key = \"a.b\", fallback_key = \"a.c\" }\nenv = { file = \"/x.env\", key = \"ONE\", fallback_key = \"TWO\" }\n";
    configure(place.tenant.home.path(), &(table + targets));
    let run = execute(&[], "printf '%s' \"$ONE\"");
    assert_eq!(run.out, place.secret(), "under the keys of the first target that has two that can be variables");

    let run = finish(place.tenant.command(place.tenant.running.token(), &["exec", BILLING, "--", "/nowhere/program"]));
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("cannot run “/nowhere/program”"), "{run:?}");
    for (arguments, code, part) in [
        (&["exec", BILLING][..], 2, "COMMAND"),
        (&["exec", BILLING, "--key", "A", "--fallback-key", "A", "--", "true"], 2, "the variable of both secrets"),
        (&["exec", BILLING, "--key", "A=B", "--", "true"], 2, "no variable's name"),
        (&["exec", "nobody", "--", "true"], 5, "no client"),
        (&["exec", "Payments Gateway", "--", "true"], 1, "Private Key JWT"),
    ] {
        let run = finish(place.tenant.command(place.tenant.running.token(), arguments));
        assert_eq!((run.code, run.out.as_str()), (code, ""), "{arguments:?}: {run:?}");
        assert!(run.err.contains(part), "{arguments:?}: {run:?}");
    }
}

#[test]
fn without_a_tenant_targets_say_what_to_set() {
    let home = private_folder();
    for arguments in [&["target", "list"][..], &["target", "check"], &["exec", "x", "--", "true"]] {
        let mut command = program(home.path());
        command.args(arguments);
        let run = finish(command);
        assert_eq!(run.code, 3, "{arguments:?}");
        assert!(run.err.contains("AUTH0_DOMAIN"), "{}", run.err);
    }
}
