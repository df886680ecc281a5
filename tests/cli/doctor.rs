use std::collections::BTreeMap;
use std::net::TcpListener;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use rollover::domain::{Domain, Keep, Profile, Secret, WayIn};
use rollover::tenants::Tenants;

use super::process::{Run, Tenant, configure, finish, private_folder, program};

/// What was found of one topic: how it stands, what it is, and the mend.
type Found = (String, String, String);

/// What was found, by topic.
fn findings(run: &Run) -> BTreeMap<String, Found> {
    let rows = run.out.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let rows = rows.filter(|row| row[0] != "setting").map(|row| {
        let [topic, standing, what, mend] = row.try_into().unwrap_or_else(|row| panic!("not four values: {row:?}"));
        (topic, (standing, what, mend))
    });
    rows.collect()
}

/// The value of a setting, and where it came from.
fn setting(run: &Run, name: &str) -> (String, String) {
    let row = run.out.lines().find_map(|line| line.strip_prefix(&format!("setting\t{name}\t")));
    let (value, origin) = row.and_then(|row| row.split_once('\t')).unwrap_or_else(|| panic!("no {name}: {}", run.out));
    (value.to_owned(), origin.to_owned())
}

/// The topics that do not stand well.
fn not_well(run: &Run) -> Vec<String> {
    findings(run).into_iter().filter(|(_, found)| found.0 != "ok").map(|(topic, _)| topic).collect()
}

fn doctor(tenant: &Tenant, token: &str) -> Command {
    let mut command = tenant.command(token, &["doctor"]);
    command.env("LANG", "C.UTF-8");
    command
}

/// Tests have no keyring, on purpose; macOS and Windows have one in any case.
const NO_KEYRING: &[&str] = if cfg!(any(target_os = "macos", windows)) { &[] } else { &["keeping.keyring"] };

#[test]
fn where_all_is_well_nothing_else_is_said() {
    let mut tenant = Tenant::demo();
    let command = doctor(&tenant, tenant.running.token());
    let run = tenant.silent(command);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_eq!(not_well(&run), NO_KEYRING, "{}", run.out);
    let found = findings(&run);
    for (topic, part) in [
        ("program.version", env!("CARGO_PKG_VERSION")),
        ("tenant.selected", "by AUTH0_DOMAIN"),
        ("tenant.sign_in", "in AUTH0_API_TOKEN"),
        ("network.reach", "HTTP"),
        ("network.clock", "the server's"),
        ("token.validity", "hours; not renewed by itself"),
        ("token.accepted", "takes it"),
        ("token.update:client_keys", "present: rotate"),
    ] {
        assert!(found[topic].1.contains(part), "{topic}: {:?}", found[topic]);
    }
    assert_eq!(setting(&run, "mouse"), ("true".into(), "default".into()));
    assert_eq!(setting(&run, "AUTH0_API_TOKEN"), ("set".into(), "environment".into()));
    let left: Vec<_> = std::fs::read_dir(tenant.home.path()).expect("the home").collect();
    assert!(left.is_empty(), "looking made something: {left:?}");
}

#[test]
#[cfg(target_os = "linux")]
fn the_process_reads_back_that_its_memory_is_closed() {
    let home = private_folder();
    let mut command = program(home.path());
    command.arg("doctor");
    let found = findings(&finish(command));
    assert_eq!(found["program.core_dumps"].1, "off");
    assert_eq!(found["program.memory"].0, "ok");
}

#[test]
fn without_a_tenant_it_says_how_to_connect_one_and_goes_nowhere() {
    let home = private_folder();
    let mut command = program(home.path());
    command.arg("doctor");
    let run = finish(command);
    assert_eq!(run.code, 3, "{}", run.err);
    let found = findings(&run);
    let (standing, what, mend) = &found["tenant.selected"];
    assert_eq!((standing.as_str(), what.as_str()), ("problem", "no tenant is selected"));
    assert!(mend.contains("rollover login"), "{mend}");
    assert!(!found.keys().any(|topic| topic.starts_with("network.")), "{found:?}");
}

#[test]
fn a_broken_configuration_is_one_finding_and_the_rest_is_looked_at() {
    let mut tenant = Tenant::demo();
    configure(tenant.home.path(), "mouse = true\n[tenants.acme]\ndomian = \"acme.eu.auth0.com\"\n");
    let command = doctor(&tenant, tenant.running.token());
    let run = tenant.silent(command);
    assert_eq!(run.code, 1);
    let found = findings(&run);
    let (standing, what, mend) = &found["files.config"];
    assert!(standing == "problem" && !mend.is_empty(), "{what}");
    assert!(what.ends_with("config.toml, line 3: `domian` is not known; did you mean `domain`?"), "{what}");
    assert_eq!(found["token.accepted"].0, "ok");
    // A tenant that only the file knows cannot be told, which is no second problem.
    let mut command = program(tenant.home.path());
    command.args(["doctor", "--tenant", "acme"]);
    let run = tenant.silent(command);
    assert_eq!((run.code, findings(&run)["tenant.selected"].0.as_str()), (1, "warning"));
}

#[test]
#[cfg(unix)]
fn a_file_that_others_can_read_is_named_and_its_mend_mends_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let mut tenant = Tenant::demo();
    configure(tenant.home.path(), "mouse = true\n");
    let file = tenant.home.path().join("config.toml");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
    let command = doctor(&tenant, tenant.running.token());
    let run = tenant.silent(command);
    assert_eq!(run.code, 1);
    let (standing, what, mend) = findings(&run)["files.config"].clone();
    assert!(standing == "problem" && what.contains("(0644)"), "{what}");
    let script = mend.strip_prefix("Run: ").expect("a command");
    assert_eq!(script, format!("chmod 600 '{}'", file.display()));
    let mut mending = Command::new("sh");
    assert!(mending.args(["-c", script]).status().expect("it runs").success());
    let command = doctor(&tenant, tenant.running.token());
    assert_eq!(tenant.silent(command).code, 0);
}

#[test]
fn a_tenant_that_is_not_reached_is_told_with_its_cause() {
    let mut tenant = Tenant::demo();
    let mut command = doctor(&tenant, tenant.running.token());
    command.env("AUTH0_DOMAIN", "http://127.0.0.1:1");
    let run = tenant.silent(command);
    assert_eq!(run.code, 10);
    let found = findings(&run);
    let (standing, what, mend) = &found["network.reach"];
    assert!(standing == "problem" && what.contains("refused") && mend.contains("port"), "{what}: {mend}");
    // What the token says of itself needs no network.
    assert_eq!(found["token.validity"].0, "ok");
    assert!(!found.contains_key("token.accepted"));
}

#[test]
fn a_host_that_takes_connections_and_says_nothing_holds_nobody_up() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut tenant = Tenant::demo();
    let mut command = doctor(&tenant, tenant.running.token());
    command.env("AUTH0_DOMAIN", format!("http://{}", listener.local_addr().expect("an address")));
    let run = tenant.silent(command);
    assert_eq!(run.code, 10);
    let found = findings(&run);
    assert!(found["network.reach"].1.starts_with("no answer within"), "{:?}", found["network.reach"]);
    assert_eq!(found["token.validity"].0, "ok", "the rest was looked at");
}

#[test]
fn a_token_that_has_expired_or_is_refused_is_a_problem_with_the_way_to_another() {
    let mut tenant = Tenant::demo();
    let expired = tenant.running.mint_token("read:clients", Duration::ZERO);
    let command = doctor(&tenant, &expired);
    let run = tenant.silent(command);
    assert_eq!(run.code, 3);
    let (standing, what, mend) = findings(&run)["token.validity"].clone();
    assert!(standing == "problem" && what.starts_with("expired: "), "{what}");
    assert_eq!(mend, "Get a new token, and set AUTH0_API_TOKEN to it.");
    let soon = tenant.running.mint_token("read:clients", Duration::from_mins(30));
    let command = doctor(&tenant, &soon);
    assert_eq!(findings(&tenant.silent(command))["token.validity"].0, "warning");

    let command = doctor(&tenant, "opaque-canary");
    let run = tenant.silent(command);
    assert_eq!(run.code, 3);
    let found = findings(&run);
    assert_eq!((found["token.validity"].0.as_str(), found["token.accepted"].0.as_str()), ("ok", "problem"));
    assert!(found["token.update:client_keys"].1.starts_with("not known"));
    assert!(!run.out.contains("canary"), "{}", run.out);
}

#[test]
fn missing_scopes_say_what_they_disable_and_how_to_grant_them() {
    let mut tenant = Tenant::demo();
    let token = tenant.running.mint_token("read:clients", Duration::from_hours(2));
    let command = doctor(&tenant, &token);
    let run = tenant.silent(command);
    assert_eq!(run.code, 0, "a scope that is missing is no problem yet");
    let mut expected = vec!["token.read:client_keys", "token.update:client_keys"];
    expected.splice(0..0, NO_KEYRING.iter().copied());
    assert_eq!(not_well(&run), expected);
    let (standing, what, mend) = &findings(&run)["token.update:client_keys"];
    assert_eq!((standing.as_str(), what.as_str()), ("warning", "absent, so it cannot rotate client secrets"));
    assert!(mend.contains("update:client_keys") && mend.contains("Auth0 Management API"), "{mend}");
}

#[test]
fn a_client_signs_in_and_its_token_is_renewed() {
    let mut tenant = Tenant::demo();
    let url = tenant.running.url().to_owned();
    configure(
        tenant.home.path(),
        &format!("[tenants.pretend]\ndomain = \"{url}\"\nenvironment = \"staging\"\nplan = \"free\"\n"),
    );
    let mut command = program(tenant.home.path());
    command.arg("doctor").env("LANG", "C.UTF-8");
    command.env("AUTH0_CLIENT_ID", tenant.running.client_id());
    command.env("AUTH0_CLIENT_SECRET", tenant.running.client_secret());
    let run = tenant.silent(command);
    assert_eq!((run.code, not_well(&run)), (0, NO_KEYRING.iter().map(|topic| (*topic).to_owned()).collect()));
    let found = findings(&run);
    assert!(found["tenant.selected"].1.contains("the only one in config.toml"), "{found:?}");
    assert!(found["token.validity"].1.ends_with("; renewed by itself"), "{found:?}");
    let id = (tenant.running.client_id().to_owned(), "AUTH0_CLIENT_ID".to_owned());
    assert_eq!(setting(&run, "tenants.pretend.client_id"), id);
    assert_eq!(setting(&run, "tenants.pretend.environment"), ("staging".into(), "config.toml, line 3".into()));
    assert_eq!(setting(&run, "tenants.pretend.plan"), ("free".into(), "config.toml, line 4".into()));

    let mut command = program(tenant.home.path());
    command.arg("doctor").env("AUTH0_CLIENT_ID", tenant.running.client_id()).env("AUTH0_CLIENT_SECRET", "canary");
    let run = tenant.silent(command);
    assert_eq!(run.code, 3);
    assert_eq!(findings(&run)["token.validity"].0, "problem");
    assert!(!run.out.contains("canary"));
}

#[test]
#[cfg(unix)]
fn a_credential_under_a_passphrase_is_a_warning_and_nobody_is_asked() {
    let mut tenant = Tenant::demo();
    let home = private_folder();
    let path = home.path().as_os_str().to_owned();
    let tenants = Tenants::new(move |name| (name == "ROLLOVER_HOME").then(|| path.clone()), false).expect("a home");
    let domain = Domain::parse(tenant.running.url()).expect("a domain");
    let way_in = Some(WayIn::Token);
    let profile = Profile { way_in, kept: Some(Keep::File), ..Profile::new("pretend".to_owned(), domain) };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let passphrase = Arc::new(Secret::new("a passphrase".to_owned()));
        tenants.choose_passphrase(passphrase).await.expect("a passphrase");
        let token = Arc::new(Secret::new(tenant.running.token().to_owned()));
        tenants.store(&profile, Some(token), true).await.expect("it is stored");
    });
    let mut command = program(home.path());
    command.arg("doctor").env("LANG", "C.UTF-8");
    let run = tenant.silent(command);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let found = findings(&run);
    let (standing, what, _) = &found["tenant.sign_in"];
    assert!(standing == "warning" && what.contains("passphrase of the stored credentials is needed"), "{what}");
    assert!(found["files.credentials"].1.ends_with("(0700), 1 file"), "{found:?}");
    assert!(found["files.sealing_key"].1.ends_with("identity.age (0600)"), "{found:?}");
    assert!(found["keeping.passphrase"].1.starts_with("chosen"), "{found:?}");
}

#[test]
fn nothing_secret_is_in_it_whatever_is_set() {
    for arguments in [&["doctor"][..], &["doctor", "--json"]] {
        let mut tenant = Tenant::demo();
        let mut command = tenant.command("canary-token", arguments);
        command.env("AUTH0_DOMAIN", "192.0.2.1").env("HTTPS_PROXY", "http://user:canary-word@127.0.0.1:1");
        command.env("AUTH0_CLIENT_ID", "canary".repeat(11)).env("AUTH0_CLIENT_SECRET", "canary-secret");
        command.env("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", "-----BEGIN PRIVATE KEY-----\ncanary-key");
        let run = tenant.silent(command);
        assert_eq!(run.code, 10);
        assert!(run.out.contains("127.0.0.1:1 (HTTPS_PROXY)"), "{}", run.out);
        assert!(!run.out.contains("canary") && !run.err.contains("canary"), "{}", run.out);
    }
}

#[test]
fn as_json_it_has_the_fields_of_the_contract() {
    let mut tenant = Tenant::demo();
    let report = tenant.run(&["doctor", "--json"]).json();
    assert_eq!(report["version"], env!("CARGO_PKG_VERSION"));
    let names = |value: &serde_json::Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&report), ["findings", "settings", "version"]);
    let findings = report["findings"].as_array().expect("an array");
    for finding in findings {
        assert_eq!(names(finding), ["mend", "state", "topic", "what"]);
        let state = finding["state"].as_str().expect("a word");
        assert!(["ok", "warning", "problem"].contains(&state), "{state}");
        assert!(finding["mend"].is_null() || finding["mend"].is_string());
    }
    assert!(findings.iter().any(|finding| finding["topic"] == "network.reach" && finding["state"] == "ok"));
    let settings = report["settings"].as_array().expect("an array");
    assert!(settings.iter().all(|setting| names(setting) == ["name", "origin", "value"]));
    assert!(settings.iter().any(|setting| setting["name"] == "mouse" && setting["origin"] == "default"));
}

#[test]
fn text_from_outside_reaches_no_terminal_raw() {
    let body = "body = '{\"friendly_name\":\"a\\u001b]0;owned\\u0007\\u202e\"}'";
    let mut tenant = Tenant::faulty(&format!("[[fault]]\npath = \"/api/v2/tenants/settings\"\n{body}\n"));
    let run = tenant.run(&["doctor"]);
    assert!(run.out.contains("owned"), "{}", run.out);
    let hidden = run.out.chars().find(|c| !matches!(c, '\n' | '\t') && rollover::domain::untrusted::is_hidden(*c));
    assert_eq!(hidden, None, "{:?}", run.out);
}
