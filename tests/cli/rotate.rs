use serde_json::json;

use super::BILLING;
use super::process::Tenant;

const ROTATE: &str = "path = \"/api/v2/clients/*/rotate-secret\"\n";

#[test]
fn rotating_now_changes_the_secret_and_verifies_it() {
    let mut tenant = Tenant::demo();
    let old = tenant.running.secret_of(BILLING);
    let run = tenant.run(&["rotate", BILLING, "--now", "--yes", "--json"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    assert_ne!(tenant.running.secret_of(BILLING), old);
    let all = run.json();
    let one = &all[0];
    assert_eq!(
        (&one["client_id"], &one["name"], &one["outcome"], &one["state"]),
        (&json!(BILLING), &json!("Billing API"), &json!("done"), &json!("retired"))
    );
    assert!(one["rollover_id"].as_str().is_some_and(|id| id.len() == 36), "{one}");
    let steps: Vec<_> =
        one["steps"].as_array().expect("steps").iter().map(|step| (&step["step"], &step["outcome"])).collect();
    let (done, skipped) = (json!("done"), json!("skipped"));
    let expected = [("read", &done), ("rotate", &done), ("verify", &done), ("promote", &skipped), ("retire", &done)];
    let expected: Vec<_> = expected.into_iter().map(|(step, outcome)| (json!(step), outcome)).collect();
    assert_eq!(steps, expected.iter().map(|(step, outcome)| (step, *outcome)).collect::<Vec<_>>());
    assert!(one["steps"][0]["at"].as_str().is_some_and(|at| at.ends_with('Z') && at.len() == 20), "{one}");
    assert_eq!(one["secret"]["readable"], true);
    assert!(one["secret"].get("value").is_none());
    let shown = tenant.run(&["show", BILLING, "--json"]).json();
    assert_eq!(shown["secret"]["fingerprint"], one["secret"]["fingerprint"], "the fingerprint is of the new secret");
}

#[test]
fn the_new_secret_is_printed_when_asked_for() {
    let mut tenant = Tenant::demo();
    let run = tenant.reveal(&["rotate", "Billing API", "--now", "--yes", "--reveal"]);
    let secret = tenant.running.secret_of(BILLING).expect("a secret");
    let fields: Vec<_> = run.out.trim_end().split('\t').collect();
    assert_eq!((fields.len(), fields[0], fields[2], fields[4]), (5, BILLING, "done", secret.as_str()));
}

#[test]
fn without_a_terminal_it_wants_to_be_told_yes() {
    let mut tenant = Tenant::demo();
    let run = tenant.run(&["rotate", BILLING, "--now"]);
    assert_eq!((run.code, tenant.posts()), (2, 0));
    assert!(run.err.contains("--yes"), "{}", run.err);
}

#[test]
fn without_a_target_a_secret_is_staged_and_no_more() {
    let mut tenant = Tenant::demo();
    let old = tenant.running.secret_of(BILLING);
    let run = tenant.run(&["rotate", BILLING, "--yes", "--json"]);
    assert_eq!((run.code, tenant.posts(), tenant.running.secret_of(BILLING)), (1, 0, old));
    assert_eq!((&run.json()[0]["outcome"], &run.json()[0]["state"]), (&json!("held"), &json!("staged")));
    assert_eq!(run.error()["kind"], "targets");
    assert!(run.error()["hint"].as_str().is_some_and(|hint| hint.contains("--no-targets")), "{}", run.err);
}

#[test]
fn a_dry_run_changes_nothing() {
    let mut tenant = Tenant::demo();
    let run = tenant.run(&["rotate", BILLING, "Payments Gateway", "--now", "--dry-run", "--json"]);
    assert_eq!((run.code, tenant.posts()), (0, 0));
    assert_eq!(run.json()[0]["outcome"], "skipped");
    assert!(run.json()[1]["steps"][0]["detail"].as_str().is_some_and(|detail| detail.contains("cannot be rotated")));
    assert!(tenant.running.requests().iter().all(|request| !request.query.contains("client_secret")));
}

#[test]
fn several_clients_are_rotated_each_once() {
    let mut tenant = Tenant::demo();
    let run = tenant.run(&["rotate", "Billing API", BILLING, "Checkout", "--now", "--yes", "--json"]);
    assert_eq!((run.code, tenant.posts()), (0, 2));
    assert_eq!(run.json().as_array().map(Vec::len), Some(2), "one that was named twice is rotated once");
}

#[test]
fn some_of_several_is_partly_done() {
    let mut tenant = Tenant::demo();
    let run = tenant.run(&["rotate", "Payments Gateway", "Billing API", "--now", "--yes", "--json"]);
    assert_eq!((run.code, tenant.posts()), (7, 1));
    assert_eq!((&run.json()[0]["outcome"], &run.json()[1]["outcome"]), (&json!("skipped"), &json!("done")));
    assert_eq!(run.error()["kind"], "not_rotatable");
}

#[test]
fn the_client_we_sign_in_with_comes_last() {
    let mut tenant = Tenant::demo();
    let ours = tenant.running.client_id().to_owned();
    let run = tenant.run(&["rotate", &ours, "Billing API", "--now", "--yes", "--json"]);
    assert_eq!(run.code, 0);
    assert_eq!(run.json()[1]["client_id"], ours.as_str());
}

#[test]
fn a_missing_scope_is_named_before_anything_is_asked() {
    let mut tenant = Tenant::demo();
    let run = tenant.run_as("read:clients read:client_keys", &["rotate", BILLING, "--now", "--yes", "--json"]);
    assert_eq!((run.code, tenant.posts()), (4, 0));
    assert!(run.error()["message"].as_str().is_some_and(|text| text.contains("update:client_keys")), "{}", run.err);
}

#[test]
fn a_refusal_is_rejected_and_nothing_in_doubt() {
    for (status, code) in [(400, 1), (401, 3), (403, 4), (404, 5), (409, 1), (429, 10)] {
        let mut tenant =
            Tenant::faulty(&format!("[[fault]]\n{ROTATE}when = \"before\"\nstatus = {status}\nbody = '{{}}'\n"));
        let old = tenant.running.secret_of(BILLING);
        let run = tenant.run(&["rotate", BILLING, "--now", "--yes", "--json"]);
        assert_eq!((run.code, &run.json()[0]["outcome"]), (code, &json!("rejected")), "HTTP {status}");
        assert_eq!((tenant.running.secret_of(BILLING), tenant.posts()), (old, 1));
        assert_eq!(run.error()["status"], status);
        assert_eq!(run.error()["client_id"], BILLING);
    }
}

#[test]
fn a_lost_answer_is_settled_by_reading() {
    let mut tenant = Tenant::faulty(&format!("[[fault]]\n{ROTATE}when = \"after\"\ndrop = \"reset\"\n"));
    let run = tenant.run(&["rotate", BILLING, "--now", "--yes", "--json"]);
    assert_eq!((run.code, tenant.posts()), (0, 1));
    let outcomes: Vec<_> =
        run.json()[0]["steps"].as_array().expect("steps").iter().map(|step| step["outcome"].clone()).collect();
    assert_eq!(outcomes, ["done", "in_doubt", "done", "done", "skipped", "done"]);
}

#[test]
fn a_doubt_that_stays_is_exit_code_6_and_stops_the_rest() {
    let mut tenant = Tenant::faulty(&format!("[[fault]]\n{ROTATE}when = \"before\"\nstatus = 502\nbody = \"\"\n"));
    let run = tenant.run(&["rotate", "Billing API", "Checkout", "--now", "--yes", "--json"]);
    assert_eq!((run.code, tenant.posts()), (6, 1));
    assert_eq!((&run.json()[0]["outcome"], &run.json()[1]["outcome"]), (&json!("in_doubt"), &json!("skipped")));
    assert_eq!(run.error()["kind"], "in_doubt");
    assert_eq!(run.error()["status"], 502);
}

#[cfg(unix)]
mod interrupted {
    use std::process::{Child, Stdio};
    use std::time::{Duration, Instant};

    use rollover::sim::Scenario;
    use rustix::process::{Pid, Signal, kill_process};

    use super::super::BILLING;
    use super::super::process::{Run, Tenant};
    use super::ROTATE;

    fn start(tenant: &Tenant, clients: &[&str]) -> Child {
        let arguments = [&["rotate", "--now", "--yes", "--json"], clients].concat();
        let mut command = tenant.command(tenant.running.token(), &arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs")
    }

    fn interrupt(child: &Child) {
        let pid = Pid::from_raw(i32::try_from(child.id()).expect("a pid")).expect("a pid");
        kill_process(pid, Signal::INT).expect("a signal");
    }

    /// Waits until the tenant has seen the request.
    fn until_asked(tenant: &Tenant, path_end: &str) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while !tenant.running.requests().iter().any(|request| request.path.ends_with(path_end)) {
            assert!(Instant::now() < deadline, "no request for {path_end}");
            std::thread::yield_now();
        }
    }

    fn end(tenant: &mut Tenant, child: Child) -> Run {
        let output = child.wait_with_output().expect("it ends");
        let run = Run {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).expect("UTF-8"),
            err: String::from_utf8(output.stderr).expect("UTF-8"),
        };
        tenant.assert_silent(&run.out);
        tenant.assert_silent(&run.err);
        run
    }

    /// It was told of the interruption, and says so.
    fn until_it_waits(child: &mut Child) {
        let mut err = std::io::BufReader::new(child.stderr.take().expect("stderr"));
        let mut line = String::new();
        std::io::BufRead::read_line(&mut err, &mut line).expect("a line");
        assert!(line.contains("waiting for its answer"), "{line}");
    }

    #[test]
    fn a_request_on_its_way_is_waited_for_and_the_rest_not_begun() {
        let mut tenant = Tenant::faulty(&format!("[[fault]]\n{ROTATE}held = true\n"));
        let mut child = start(&tenant, &["Billing API", "Checkout"]);
        until_asked(&tenant, "/rotate-secret");
        interrupt(&child);
        until_it_waits(&mut child);
        tenant.running.play(Scenario::default());
        let run = end(&mut tenant, child);
        assert_eq!((run.code, tenant.posts()), (130, 1), "{run:?}");
        assert_eq!((&run.json()[0]["outcome"], &run.json()[1]["outcome"]), (&"done".into(), &"skipped".into()));
    }

    #[test]
    fn a_second_one_leaves_it_in_doubt() {
        let mut tenant = Tenant::faulty(&format!("[[fault]]\n{ROTATE}hang = true\n"));
        let mut child = start(&tenant, &[BILLING]);
        until_asked(&tenant, "/rotate-secret");
        interrupt(&child);
        // Two signals at once would count as one: the second follows when the first was answered.
        until_it_waits(&mut child);
        interrupt(&child);
        let run = end(&mut tenant, child);
        assert_eq!(run.code, 6, "{run:?}");
        assert_eq!(run.json()[0]["outcome"], "in_doubt");
    }

    #[test]
    fn before_anything_is_sent_nothing_happens() {
        let scenario =
            format!("[[fault]]\nmethod = \"GET\"\npath = \"/api/v2/clients/{BILLING}\"\nskip = 1\nhang = true\n");
        let mut tenant = Tenant::faulty(&scenario);
        let child = start(&tenant, &[BILLING]);
        let deadline = Instant::now() + Duration::from_secs(20);
        while !tenant.running.requests().iter().any(|request| request.query.contains("client_secret")) {
            assert!(Instant::now() < deadline, "the secret was not asked for");
            std::thread::yield_now();
        }
        interrupt(&child);
        let run = end(&mut tenant, child);
        assert_eq!((run.code, tenant.posts()), (130, 0), "{run:?}");
        assert_eq!(run.json()[0]["outcome"], "skipped");
    }
}
