use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};

use super::process::{finish, program};

struct Served {
    child: Child,
    line: serde_json::Value,
    home: tempfile::TempDir,
}

impl Served {
    fn with(arguments: &[&str]) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let mut command = program(home.path());
        command.arg("sim").args(arguments).stdout(Stdio::piped());
        let mut child = command.spawn().expect("it runs");
        let mut line = String::new();
        BufReader::new(child.stdout.as_mut().expect("stdout")).read_line(&mut line).expect("a line");
        Self { child, line: serde_json::from_str(&line).expect("JSON"), home }
    }

    fn list(&self) -> Vec<String> {
        let mut command = program(self.home.path());
        command.arg("list").env("AUTH0_DOMAIN", self.text("url")).env("AUTH0_API_TOKEN", self.text("token"));
        let run = finish(command);
        assert_eq!(run.code, 0, "{}", run.err);
        run.out.lines().map(str::to_owned).collect()
    }

    fn text(&self, field: &str) -> &str {
        self.line[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.line))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_first_line_is_the_contract() {
    let served = Served::with(&[]);
    assert!(served.text("url").starts_with("http://127.0.0.1:"), "{}", served.line);
    let mut fields: Vec<_> = served.line.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["client_id", "client_secret", "token", "url"]);
    let mut command = program(served.home.path());
    command.args(["list", "--filter", "bill"]).env("AUTH0_DOMAIN", served.text("url"));
    command.env("AUTH0_CLIENT_ID", served.text("client_id")).env("AUTH0_CLIENT_SECRET", served.text("client_secret"));
    assert_eq!(finish(command).out.lines().count(), 2);
}

#[test]
fn the_same_seed_makes_the_same_clients() {
    let clients = |seed: &str| {
        let served = Served::with(&["--clients", "300", "--seed", seed]);
        let ours = served.text("client_id").to_owned();
        let mut all = served.list();
        all.retain(|line| !line.starts_with(&ours));
        all
    };
    let first = clients("7");
    assert_eq!(first.len(), 300);
    assert_eq!(first, clients("7"));
    assert_ne!(first, clients("8"));
}

#[test]
fn a_scenario_file_makes_it_fail() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("scenario.toml");
    std::fs::write(&file, "[[fault]]\npath = \"/api/v2/clients\"\nstatus = 403\nbody = '{}'\n").expect("a file");
    let served = Served::with(&["--scenario", file.to_str().expect("a path")]);
    let mut command = program(served.home.path());
    command.arg("list").env("AUTH0_DOMAIN", served.text("url")).env("AUTH0_API_TOKEN", served.text("token"));
    assert_eq!(finish(command).code, 4);

    std::fs::write(&file, "[[fault]]\npth = \"/x\"\n").expect("a file");
    let mut command = program(folder.path());
    command.arg("sim").arg("--scenario").arg(&file);
    let run = finish(command);
    assert_eq!((run.code, run.out.as_str()), (2, ""));
    assert!(run.err.contains("scenario.toml") && run.err.contains("pth") && run.err.contains("line 2"), "{}", run.err);
}

#[test]
fn every_scenario_that_comes_with_it_can_be_used() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/scenarios");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).expect("the folder") {
        let path = entry.expect("an entry").path();
        rollover::sim::Scenario::load(&path).unwrap_or_else(|error| panic!("{error}"));
        count += 1;
    }
    assert!(count >= 12, "{count} scenarios");
}

#[test]
fn https_names_the_authority_that_made_the_certificate() {
    let served = Served::with(&["--tls"]);
    assert!(served.text("url").starts_with("https://localhost:"), "{}", served.line);
    let authority = std::fs::read_to_string(served.text("ca_file")).expect("the file");
    assert!(authority.starts_with("-----BEGIN CERTIFICATE-----"), "{authority}");
    // Nobody has made this authority known: then there is no connection, and nothing that could turn the check off.
    let mut command = program(served.home.path());
    command.arg("list").env("AUTH0_DOMAIN", served.text("url")).env("AUTH0_API_TOKEN", served.text("token"));
    let run = finish(command);
    assert_eq!(run.code, 10);
    assert!(run.err.to_lowercase().contains("certificate"), "{}", run.err);
}
