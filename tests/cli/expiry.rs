//! Tokens that end in the middle of a long job.
use std::collections::BTreeMap;
use std::time::Duration;

use rollover::sim::{Options, Population, Recorded, Scenario};
use serde_json::json;

use super::process::{Run, Tenant};

const CLIENTS: usize = 200;

/// Two hundred clients, each request of which takes a moment, and tokens of three seconds.
fn tenant(scenario: &str) -> Tenant {
    Tenant::with(Options {
        tenant: Population::Generated { clients: CLIENTS, seed: 7 },
        scenario: Some(Scenario::from_toml(scenario).expect("a scenario")),
        token_lifetime: Duration::from_secs(3),
        latency: Duration::from_millis(10),
        ..Options::default()
    })
}

/// All that can be rotated, by their ids.
fn ids(tenant: &mut Tenant) -> Vec<String> {
    let run = tenant.run_as("read:clients read:client_keys", &["list", "--json"]);
    let all = run.json();
    let ids: Vec<_> = all
        .as_array()
        .expect("clients")
        .iter()
        .map(|one| one["client_id"].as_str().expect("an id").to_owned())
        .collect();
    assert_eq!(ids.len(), CLIENTS);
    ids
}

fn rotate_all(tenant: &mut Tenant) -> (Run, Vec<String>) {
    let ids = ids(tenant);
    let arguments: Vec<&str> =
        ["rotate", "--now", "--yes", "--json"].into_iter().chain(ids.iter().map(String::as_str)).collect();
    let mut command = tenant.command("", &arguments);
    command.env_remove("AUTH0_API_TOKEN").env("AUTH0_CLIENT_ID", tenant.running.client_id());
    command.env("AUTH0_CLIENT_SECRET", tenant.running.client_secret());
    let run = tenant.silent(command);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let all = run.json();
    let all = all.as_array().expect("all");
    assert_eq!(all.len(), CLIENTS);
    assert!(all.iter().all(|one| one["outcome"] == "done" && one["secret"]["readable"] == true));
    (run, ids)
}

fn rotations(tenant: &Tenant) -> Vec<Recorded> {
    tenant.running.requests().into_iter().filter(|request| request.path.ends_with("/rotate-secret")).collect()
}

/// Every client was rotated once, and never asked for again after that.
fn assert_each_once(tenant: &Tenant, ids: &[String]) {
    let mut times: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for request in rotations(tenant) {
        let id = request.path.split('/').nth(4).expect("an id").to_owned();
        times.entry(id).or_default().push(request.status);
    }
    assert_eq!(times.len(), CLIENTS);
    for id in ids {
        let answers = &times[id];
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 1, "{id}: {answers:?}");
        assert_eq!(answers.last(), Some(&200), "{id}: {answers:?}");
        assert!(answers.iter().all(|status| matches!(status, 200 | 401)), "{id}: {answers:?}");
    }
}

/// How many tokens were had.
fn tokens(tenant: &Tenant) -> usize {
    tenant.running.requests().iter().filter(|one| one.path == "/oauth/token" && one.status == 200).count()
}

#[test]
fn tokens_of_three_seconds_last_for_two_hundred_clients() {
    let mut tenant = tenant("");
    let (run, ids) = rotate_all(&mut tenant);
    assert_each_once(&tenant, &ids);
    assert!(tokens(&tenant) >= 3, "{} tokens", tokens(&tenant));
    let all = run.json();
    for one in all.as_array().expect("all") {
        let id = one["client_id"].as_str().expect("an id");
        assert_eq!(one["steps"][1]["step"], json!("rotate"), "{id}");
    }
}

#[test]
fn a_token_that_is_refused_in_the_middle_is_replaced_and_nothing_done_twice() {
    let mut tenant = tenant(
        "[[fault]]\npath = \"/api/v2/clients/*/rotate-secret\"\nskip = 100\ntimes = 1\nwhen = \"before\"\nstatus = 401\n\
         body = '{\"statusCode\":401,\"error\":\"Unauthorized\",\"message\":\"Expired token received\"}'\n",
    );
    let (_, ids) = rotate_all(&mut tenant);
    assert_each_once(&tenant, &ids);
    let all = rotations(&tenant);
    assert_eq!(all[100].status, 401);
    assert_eq!((all[101].status, &all[101].path), (200, &all[100].path), "the same client, with a new token");
    let (refused, renewed) = (all[100].at, all[101].at);
    let between = tenant.running.requests().into_iter().filter(|one| one.at > refused && one.at < renewed);
    assert_eq!(between.map(|one| (one.path, one.status)).collect::<Vec<_>>(), [("/oauth/token".to_owned(), 200)]);
}
