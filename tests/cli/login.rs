//! `login`: each way in from the command line, what is stored of it, and what comes of that later.
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use rollover::sim::{ALL_SCOPES, Options, Scenario, TlsOptions};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::process::{Run, Tenant, configure, fed, files, private_folder, program, run_of};
use super::sealed::{Sealed, write};
use super::{BILLING, KEYED};

/// A pretend tenant, a home of the program's in which a passphrase has been chosen, and a home of its user's.
pub struct Place {
    pub tenant: Tenant,
    pub sealed: Sealed,
    pub user: TempDir,
}

impl Place {
    pub fn new() -> Self {
        Self::with(Options::default())
    }

    pub fn faulty(scenario: &str) -> Self {
        let scenario = Some(Scenario::from_toml(scenario).expect("a scenario"));
        Self::with(Options { scenario, ..Options::default() })
    }

    pub fn with(options: Options) -> Self {
        Self::at(Tenant::with(options))
    }

    /// At a tenant whose old secrets live as long as is said.
    pub fn exactly(options: Options) -> Self {
        Self::at(Tenant::exactly(options))
    }

    fn at(tenant: Tenant) -> Self {
        let sealed = Sealed::at(tenant.home.path());
        Self { tenant, sealed, user: private_folder() }
    }

    pub fn home(&self) -> &Path {
        self.tenant.home.path()
    }

    pub fn url(&self) -> String {
        self.tenant.running.url().to_owned()
    }

    /// The program, with nothing of a tenant in its environment.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = program(self.home());
        command.args(arguments).env("HOME", self.user.path());
        command
    }

    /// Runs it with this on its stdin; no secret may be in what it prints.
    pub fn run(&mut self, arguments: &[&str], stdin: &str) -> Run {
        let run = fed(self.command(arguments), stdin);
        let said = format!("{}{}", run.out, run.err);
        self.tenant.assert_silent(&said);
        assert!(stdin.is_empty() || !said.contains(stdin), "what was on stdin was printed: {run:?}");
        run
    }

    /// Runs it, and it succeeds.
    pub fn done(&mut self, arguments: &[&str], stdin: &str) -> Run {
        let run = self.run(arguments, stdin);
        assert_eq!(run.code, 0, "{arguments:?}: {run:?}");
        run
    }

    /// Connects the tenant as its own client, with the secret sealed.
    pub fn login(&mut self, more: &[&str]) {
        let (url, id) = (self.url(), self.tenant.running.client_id().to_owned());
        let secret = self.tenant.running.secret_of(&id).expect("a secret");
        self.done(&[&["login", "--domain", &url, "--client-id", &id, "--kept-in", "file"], more].concat(), &secret);
    }

    /// What `tenants` says of the one that is there.
    pub fn stored(&mut self) -> Value {
        let mut all = self.done(&["tenants", "--json"], "").json();
        assert_eq!(all.as_array().map(Vec::len), Some(1), "{all}");
        all[0].take()
    }

    /// The files of the program, by their names, without those of the passphrase.
    pub fn kept(&self) -> Vec<String> {
        let names = files(self.home()).into_iter().map(|path| {
            let path = path.strip_prefix(self.home()).expect("it is in there");
            path.to_string_lossy().replace('\\', "/")
        });
        names.filter(|name| !name.starts_with("identity.")).collect()
    }

    /// auth0-cli's file, with a token for the tenant.
    pub fn signed_in_with_auth0_cli(&self, token: &str, expires_at: &str) -> PathBuf {
        let folder = self.user.path().join(".config/auth0");
        std::fs::create_dir_all(&folder).expect("folders");
        let file = folder.join("config.json");
        let tenant = json!({
            "name": "pretend", "domain": self.url(), "access_token": token, "expires_at": expires_at, "client_id": ""
        });
        let document = json!({ "default_tenant": self.url(), "tenants": { self.url(): tenant } });
        write(&file, document.to_string().as_bytes());
        file
    }

    pub fn token(&self, scopes: &str) -> String {
        self.tenant.running.mint_token(scopes, Duration::from_hours(1))
    }
}

/// The pretend tenant, and a file with the key of its client that signs in with one, which may manage the tenant here.
pub fn keyed() -> (Place, TempDir, PathBuf) {
    let place = Place::with(Options { grants: vec![KEYED.to_owned()], ..Options::default() });
    let folder = private_folder();
    let file = folder.path().join("key.pem");
    let (id, key) = place.tenant.running.private_key().expect("a client with a key");
    assert_eq!(id, KEYED);
    write(&file, key.as_bytes());
    (place, folder, file)
}

#[test]
fn a_client_secret_is_read_from_stdin_and_sealed() {
    let mut place = Place::new();
    let (url, id) = (place.url(), place.tenant.running.client_id().to_owned());
    let secret = place.tenant.running.client_secret().to_owned();
    let arguments = ["login", "--domain", &url, "--client-id", &id, "--kept-in", "file", "--json"];
    let run = place.done(&arguments, &format!("{secret}\n"));
    let host = url.trim_start_matches("http://");
    assert_eq!(run.err, "");
    let document = run.json();
    let expected = [
        ("name", json!(host)),
        ("domain", json!(host)),
        ("sign_in", json!("client-secret")),
        ("kept_in", json!("file")),
        ("read_only", json!(false)),
        ("environment", json!(null)),
    ];
    for (name, value) in expected {
        assert_eq!(document[name], value, "{name}");
    }
    let mut scopes: Vec<_> = ALL_SCOPES.split(' ').collect();
    scopes.sort_unstable();
    assert_eq!(document["scopes"], json!(scopes));
    assert_eq!(
        place.sealed.documents(),
        [json!({
            "v": 1, "domain": format!("{url}/"), "kind": "client-secret", "client_id": id, "secret": secret
        })]
    );
    let stored = place.stored();
    assert_eq!((&stored["client_id"], &stored["selected"]), (&json!(id), &json!(true)));
    assert!(stored["last_used"].as_str().is_some_and(|at| at.ends_with('Z')), "{stored}");
}

#[test]
fn what_is_sealed_wants_its_passphrase_and_a_script_is_told_so() {
    let mut place = Place::new();
    place.login(&[]);
    let run = place.run(&["list", "--json"], "");
    assert_eq!((run.code, run.error()["kind"].as_str()), (3, Some("not_signed_in")), "{run:?}");
    assert!(run.err.contains("passphrase of the stored credentials is needed"), "{}", run.err);
}

#[test]
fn a_private_key_signs_in_from_its_file_with_each_algorithm() {
    for (algorithm, written) in [(None, "RS256"), (Some("RS384"), "RS384"), (Some("PS256"), "PS256")] {
        let (mut place, _folder, file) = keyed();
        let (url, path) = (place.url(), file.to_str().expect("a path").to_owned());
        let mut arguments = vec!["login", "--domain", &url, "--client-id", KEYED, "--private-key", &path];
        arguments.extend(algorithm.iter().flat_map(|name| ["--algorithm", name]));
        place.done(&arguments, "");
        let config = std::fs::read_to_string(place.home().join("config.toml")).expect("a configuration");
        assert!(config.contains(&format!("algorithm = \"{written}\"")) && config.contains("key.pem"), "{config}");
        assert_eq!((place.stored()["kept_in"].as_str(), place.sealed.files().len()), (None, 0), "the key stays there");
        // Two processes, two assertions: each is good once.
        for _ in 0..2 {
            let run = place.done(&["list"], "");
            assert!(run.out.contains("Billing API"), "{}", run.out);
        }
        let key = std::fs::read_to_string(&file).expect("the key");
        let line = key.lines().nth(1).expect("its first line");
        for kept in files(place.home()) {
            assert!(!String::from_utf8_lossy(&std::fs::read(kept).expect("a file")).contains(line));
        }
        std::fs::remove_file(&file).expect("it goes");
        let run = place.run(&["list"], "");
        assert_eq!(run.code, 3);
        assert!(run.err.contains(&path), "{}", run.err);
    }
}

#[test]
fn a_private_key_is_sealed_where_that_is_asked_for() {
    let (mut place, _folder, file) = keyed();
    let (url, path) = (place.url(), file.to_str().expect("a path").to_owned());
    let key = std::fs::read_to_string(&file).expect("the key");
    let start = ["login", "--domain", &url, "--client-id", KEYED, "--kept-in", "file"];
    for (more, stdin) in [
        (&["--private-key", "-"][..], key.as_str()),
        (&["--private-key", &path, "--store-key", "--algorithm", "PS256"], ""),
    ] {
        place.done(&[&start[..], more].concat(), stdin);
        let documents = place.sealed.documents();
        assert_eq!(documents.len(), 1);
        assert_eq!(
            (documents[0]["kind"].as_str(), documents[0]["secret"].as_str().map(str::trim)),
            (Some("private-key"), Some(key.trim()))
        );
        let config = std::fs::read_to_string(place.home().join("config.toml")).expect("a configuration");
        assert!(!config.contains("private_key =") && !config.contains("BEGIN"), "{config}");
    }
}

#[test]
fn a_token_is_read_from_stdin_and_kept_only_where_that_is_asked_for() {
    let mut place = Place::new();
    let (url, token) = (place.url(), place.token(ALL_SCOPES));
    place.done(&["login", "--domain", &url, "--token"], &token);
    let stored = place.stored();
    assert_eq!((&stored["sign_in"], &stored["kept_in"]), (&json!("token"), &json!(null)));
    assert_eq!(place.sealed.files().len(), 0);
    let run = place.run(&["list"], "");
    assert_eq!(run.code, 3);
    assert!(run.err.contains("access token") && run.err.contains("not stored here"), "{}", run.err);

    place.done(&["login", "--domain", &url, "--token", "--kept-in", "file"], &token);
    assert_eq!(place.sealed.documents()[0]["secret"], token.as_str());
    place.done(&["login", "--domain", &url, "--token", "--kept-in", "nowhere"], &token);
    assert_eq!(place.sealed.files().len(), 0, "what is no longer used is forgotten");
    for file in files(place.home()) {
        let bytes = std::fs::read(&file).expect("a file");
        assert!(!String::from_utf8_lossy(&bytes).contains(&token), "the token is in {}", file.display());
    }
}

#[test]
fn the_token_of_auth0_cli_is_used_and_never_stored() {
    let mut place = Place::new();
    let token = place.token(ALL_SCOPES);
    let file = place.signed_in_with_auth0_cli(&token, "2100-01-01T00:00:00Z");
    let before = std::fs::read(&file).expect("its file");
    place.done(&["login", "--auth0-cli"], "");
    assert_eq!(place.stored()["sign_in"], "auth0-cli");
    assert_eq!(place.kept(), [".lock", "config.toml", "last-used.json"]);
    assert!(place.done(&["list"], "").out.contains("Billing API"));
    assert_eq!(place.done(&["rotate", BILLING, "--now", "--yes"], "").code, 0);
    assert_eq!(place.tenant.posts(), 1);
    assert_eq!(std::fs::read(&file).expect("its file"), before, "auth0-cli's file is its own");
    std::fs::remove_file(&file).expect("it goes");
    let run = place.run(&["list"], "");
    assert_eq!(run.code, 3);
    assert!(run.err.contains("auth0-cli is not signed in to") && run.err.contains("auth0 login"), "{}", run.err);
}

#[test]
fn what_a_token_may_not_do_is_said_and_it_is_stored_all_the_same() {
    let mut place = Place::new();
    let url = place.url();
    let token = place.token("read:clients read:client_keys read:logs update:clients");
    let run = place.done(&["login", "--domain", &url, "--token"], &token);
    assert_eq!(
        run.err.lines().collect::<Vec<_>>(),
        [
            "  ✗ rotate client secrets: the token lacks update:client_keys",
            "  Scopes are granted in the dashboard: Applications, APIs, Auth0 Management API.",
        ]
    );
    let run = place.done(&["login", "--domain", &url, "--token", "--json"], &token);
    assert_eq!((run.err.as_str(), run.json()["scopes"].as_array().map(Vec::len)), ("", Some(4)));

    place.signed_in_with_auth0_cli(&token, "2100-01-01T00:00:00Z");
    let run = place.done(&["login", "--auth0-cli"], "");
    assert!(run.err.contains("auth0 login --scopes update:client_keys"), "{}", run.err);
    let run = place.run(&["rotate", BILLING, "--now", "--yes"], "");
    assert_eq!((run.code, place.tenant.posts()), (4, 0));
    assert!(run.err.contains("auth0 login --scopes update:client_keys"), "{}", run.err);
    // What may do nothing here is signed in all the same: a scope can be granted later.
    let run = place.done(&["login", "--domain", &url, "--token"], &place.token("read:logs"));
    assert!(run.err.contains("✗ list clients and read their settings: the token lacks read:clients"), "{}", run.err);
}

#[test]
fn several_tenants_are_listed_selected_and_forgotten() {
    let mut place = Place::new();
    let other = Tenant::demo();
    place.login(&["--environment", "production", "--read-only"]);
    let token = other.running.token().to_owned();
    let other_url = other.running.url().to_owned();
    let second = ["login", "--domain", &other_url, "--token", "--kept-in", "file", "--tenant", "other", "--no-select"];
    place.done(&second, &token);
    let first = place.url().trim_start_matches("http://").to_owned();
    let run = place.done(&["tenants"], "");
    let rows: Vec<Vec<_>> = run.out.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 2);
    let row = |name: &str| rows.iter().find(|row| row[1] == name).unwrap_or_else(|| panic!("{name}: {rows:?}"));
    assert_eq!(row(&first)[..7], ["*", &first, &first, "production", "read-only", "client-secret", "file"]);
    assert_eq!(row("other")[0], "");
    assert_eq!(row("other")[3..7], ["", "", "token", "file"]);
    place.done(&["use", "other"], "");
    let all = place.done(&["tenants", "--json"], "").json();
    let selected = all.as_array().expect("tenants").iter().filter(|one| one["selected"] == true);
    assert_eq!(selected.map(|one| one["name"].as_str()).collect::<Vec<_>>(), [Some("other")]);
    assert_eq!(place.run(&["use", "othr"], "").code, 2);

    let run = place.done(&["logout"], "");
    assert!(run.err.contains("The credential of `other` is forgotten"), "{}", run.err);
    assert_eq!(place.sealed.documents().len(), 1);
    assert_eq!(place.sealed.documents()[0]["kind"], "client-secret", "the other one's is left");
    let run = place.run(&["list"], "");
    assert!(run.code == 3 && run.err.contains("not stored here"), "{run:?}");
    let run = place.done(&["logout", &first, "--forget"], "");
    assert!(run.err.contains("and its credential are forgotten"), "{}", run.err);
    assert_eq!(place.sealed.files().len(), 0);
    assert_eq!(place.stored()["name"], "other", "its settings stay");
    place.done(&["logout", "other", "--forget"], "");
    assert_eq!(place.done(&["tenants"], "").out, "");
}

#[test]
fn signing_in_again_changes_what_is_said_and_leaves_the_rest() {
    let mut place = Place::new();
    let url = place.url();
    configure(
        place.home(),
        &format!("# ours\nmouse = false\n[tenants.shop]\ndomain = \"{url}\" # by hand\nplan = \"free\"\n"),
    );
    place.login(&["--environment", "staging"]);
    let config = std::fs::read_to_string(place.home().join("config.toml")).expect("a configuration");
    for part in
        ["# ours\nmouse = false\n", "# by hand\n", "plan = \"free\"", "environment = \"staging\"", "tenant = \"shop\""]
    {
        assert!(config.contains(part), "{part} is not in:\n{config}");
    }
    // Neither the address nor the client needs to be said twice.
    let secret = place.tenant.running.client_secret().to_owned();
    place.done(&["login", "--tenant", "shop", "--kept-in", "nowhere"], &secret);
    assert_eq!((place.sealed.files().len(), &place.stored()["environment"]), (0, &json!("staging")));
}

/// One tenant stands in the file once. That is found out late, and must cost the first one nothing.
#[test]
fn a_second_name_for_a_tenant_is_refused_and_the_first_keeps_its_credential() {
    let mut place = Place::new();
    place.login(&["--tenant", "first"]);
    let before = (place.kept(), place.sealed.documents());
    let config = std::fs::read(place.home().join("config.toml")).expect("a configuration");
    let (url, id) = (place.url(), place.tenant.running.client_id().to_owned());
    let secret = place.tenant.running.client_secret().to_owned();
    let arguments = ["login", "--tenant", "second", "--domain", &url, "--client-id", &id, "--kept-in", "file"];
    let run = place.run(&arguments, &secret);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("one tenant stands here once"), "{}", run.err);
    assert_eq!((place.kept(), place.sealed.documents()), before);
    assert_eq!(std::fs::read(place.home().join("config.toml")).expect("a configuration"), config);
}

#[test]
fn the_authorities_of_the_whole_file_are_trusted_while_signing_in() {
    let mut place = Place::with(Options { tls: Some(TlsOptions::Generate), ..Options::default() });
    let (url, token) = (place.url(), place.token(ALL_SCOPES));
    let host = url.trim_start_matches("https://");
    let run = place.run(&["login", "--domain", host, "--token"], &token);
    assert_eq!(run.code, 10, "nobody knows its authority: {run:?}");
    assert_eq!(place.kept(), [""; 0]);
    let authority = place.tenant.running.ca_file().expect("an authority").to_str().expect("a path").to_owned();
    place.done(&["login", "--domain", host, "--token", "--ca-file", &authority], &token);
    configure(place.home(), &format!("ca_file = '{authority}'\n"));
    place.done(&["login", "--domain", host, "--token"], &token);
    let config = std::fs::read_to_string(place.home().join("config.toml")).expect("a configuration");
    assert_eq!(config.matches("ca_file").count(), 1, "what is for all does not become its own:\n{config}");
    let _ = std::fs::remove_dir_all(Path::new(&authority).parent().expect("its folder"));
}

/// What a person typed stays in the shell's history, what is an argument is there for every user of the machine to see.
#[test]
fn no_secret_is_an_argument_or_in_the_environment_of_another_process() {
    let mut place = Place::faulty("[[fault]]\npath = \"/oauth/token\"\nwhen = \"before\"\nhang = true\n");
    let (url, id) = (place.url(), place.tenant.running.client_id().to_owned());
    for flag in ["--client-secret", "--secret", "--passphrase", "--password"] {
        let run = place.run(&["login", "--domain", &url, "--client-id", &id, flag, "x"], "");
        assert_eq!(run.code, 2, "{flag}");
    }
    assert_eq!(place.run(&["login", "--domain", &url, "--token", "x"], "").code, 2, "a token is no flag's value");
    #[cfg(target_os = "linux")]
    {
        let secret = place.tenant.running.client_secret().to_owned();
        let arguments = ["login", "--domain", &url, "--client-id", &id, "--kept-in", "file"];
        let mut command = place.command(&arguments);
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.stderr(std::process::Stdio::piped()).spawn().expect("it runs");
        std::io::Write::write_all(&mut child.stdin.take().expect("stdin"), secret.as_bytes()).expect("it reads");
        super::until(|| place.tenant.running.requests().iter().any(|request| request.path == "/oauth/token"));
        // It has the secret, and waits.
        super::pty::assert_in_no_process(&secret);
        child.kill().expect("it ends");
        let run = run_of(&child.wait_with_output().expect("its end"));
        place.tenant.assert_silent(&format!("{}{}", run.out, run.err));
    }
    assert_eq!(place.kept(), [""; 0]);
}

/// What the environment holds of a tenant is not for `login`, which is told everything.
#[test]
fn the_environment_is_no_way_in_of_login() {
    let place = Place::new();
    let mut command = place.command(&["login"]);
    let secrets: [(&str, OsString); 2] =
        [("AUTH0_DOMAIN", place.url().into()), ("AUTH0_API_TOKEN", place.tenant.running.token().into())];
    command.envs(secrets);
    let run = fed(command, "");
    assert_eq!(run.code, 2, "{run:?}");
    assert_eq!(place.kept(), [""; 0]);
}
