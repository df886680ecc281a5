use rollover::sim::{Options, Population};
use serde_json::{Value, json};

use super::BILLING;
use super::process::Tenant;

#[test]
fn list_prints_tab_separated_values_without_a_heading() {
    let mut tenant = Tenant::demo();
    let run = tenant.run(&["list"]);
    assert_eq!((run.code, run.err.as_str()), (0, ""));
    let rows: Vec<Vec<&str>> = run.out.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 28);
    assert!(rows.iter().all(|row| row.len() == 5), "{}", run.out);
    assert!(rows.contains(&vec![BILLING, "Billing API", "non_interactive", "true", "client_secret_post"]));
    assert!(!run.out.contains('\u{1b}'), "no colour in a pipe, and no name that brings its own");
}

#[test]
fn list_as_json_has_the_fields_of_the_contract() {
    let mut tenant = Tenant::demo();
    let all = tenant.run(&["list", "--json"]).json();
    let all = all.as_array().expect("an array");
    assert_eq!(all.len(), 28);
    for client in all {
        let names: Vec<_> = client.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(
            names,
            ["app_type", "client_id", "is_first_party", "name", "rollover", "token_endpoint_auth_method"]
        );
    }
    let find = |name: &str| all.iter().find(|client| client["name"] == name).expect("it is listed");
    assert_eq!(find("Default App")["app_type"], Value::Null);
    assert_eq!(find("Default App")["token_endpoint_auth_method"], Value::Null);
    assert_eq!(find("Payments Gateway")["token_endpoint_auth_method"], "private_key_jwt");
    assert_eq!(find("Billing API")["rollover"], Value::Null);
}

#[test]
fn a_filter_is_the_one_of_the_screen() {
    let mut tenant = Tenant::demo();
    let run = tenant.run(&["list", "--filter", "blng", "--json"]);
    let names: Vec<_> = run.json().as_array().expect("an array").iter().map(|one| one["name"].clone()).collect();
    assert_eq!(names, ["Billing API", "Billing Portal"]);
    let none = tenant.run(&["list", "--filter", "zzzzz"]);
    assert_eq!((none.code, none.out.as_str()), (0, ""));
    assert_eq!(tenant.run(&["list", "--filter", "zzzzz", "--json"]).json(), json!([]));
}

#[test]
fn listing_reads_no_secret_and_goes_through_all_pages() {
    let mut tenant =
        Tenant::with(Options { tenant: Population::Generated { clients: 1234, seed: 5 }, ..Options::default() });
    assert_eq!(tenant.run(&["list"]).out.lines().count(), 1234);
    assert!(tenant.running.requests().iter().all(|request| !request.query.contains("client_secret")));
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    use std::io::Read as _;
    use std::process::Stdio;
    let tenant =
        Tenant::with(Options { tenant: Population::Generated { clients: 5000, seed: 5 }, ..Options::default() });
    let mut command = tenant.command(tenant.running.token(), &["list", "--json"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    child.stdout.take().expect("stdout").read_exact(&mut [0; 1]).expect("the first byte");
    let ended = child.wait_with_output().expect("it ends");
    assert_eq!((ended.status.code(), ended.stderr), (Some(0), Vec::new()));
}

#[test]
fn show_masks_the_secret_unless_it_is_asked_for() {
    let mut tenant = Tenant::demo();
    let run = tenant.run(&["show", BILLING]);
    assert_eq!(run.code, 0);
    assert!(run.out.contains("Client Secret\t••••••••"), "{}", run.out);
    let secret = tenant.running.secret_of(BILLING).expect("a secret");
    let revealed = tenant.reveal(&["show", "Billing API", "--reveal"]);
    assert!(revealed.out.contains(&format!("Client Secret\t{secret}\n")), "{}", revealed.out);
}

#[test]
fn show_as_json_has_the_fields_of_the_contract() {
    let mut tenant = Tenant::demo();
    let shown = tenant.run(&["show", BILLING, "--json"]).json();
    for (field, value) in [
        ("client_id", json!(BILLING)),
        ("name", json!("Billing API")),
        ("app_type", json!("non_interactive")),
        ("is_first_party", json!(true)),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("rollover", Value::Null),
        ("description", json!("Creates invoices at night; calls the ledger API.")),
        ("callbacks", json!([])),
        ("grant_types", json!(["client_credentials"])),
        ("rotation", json!({ "possible": true, "reason": null })),
    ] {
        assert_eq!(shown[field], value, "{field}");
    }
    assert_eq!(shown["client_metadata"]["team"], "billing");
    assert_eq!(shown["secret"]["readable"], true);
    assert!(shown["secret"].get("value").is_none());
    let print = shown["secret"]["fingerprint"].as_str().expect("a fingerprint").to_owned();
    assert_eq!(print.len(), 8);

    let revealed = tenant.reveal(&["show", BILLING, "--json", "--reveal"]).json();
    assert_eq!(revealed["secret"]["value"], tenant.running.secret_of(BILLING).expect("a secret").as_str());
    assert_eq!(revealed["secret"]["fingerprint"], print.as_str(), "a fingerprint stays the same from run to run");
    tenant.running.act_as_other(BILLING);
    let changed = tenant.run(&["show", BILLING, "--json"]).json();
    assert_ne!(changed["secret"]["fingerprint"], print.as_str(), "and tells that the secret has changed");
}

#[test]
fn show_says_what_cannot_be_read_or_rotated() {
    let mut tenant = Tenant::demo();
    let shown = tenant.run(&["show", "Payments Gateway", "--json"]).json();
    assert_eq!(shown["rotation"]["possible"], false);
    assert!(shown["rotation"]["reason"].as_str().is_some_and(|why| why.contains("Private Key JWT")), "{shown}");
    let poor = tenant.run_as("read:clients", &["show", BILLING, "--json"]).json();
    assert_eq!(poor["secret"], json!({ "readable": false, "fingerprint": null }));
    assert_eq!(poor["rotation"]["reason"], "the token lacks update:client_keys");
    let run = tenant.run_as("read:clients", &["show", BILLING, "--json", "--reveal"]);
    assert_eq!(run.code, 4);
    assert_eq!(run.error()["kind"], "missing_scope");
}

#[test]
fn hostile_names_never_reach_the_output_raw() {
    let mut tenant = Tenant::demo();
    for arguments in [&["list"][..], &["list", "--json"], &["show", "Mh4zRb2TxK7yLvWq6cNp1JgFdS9eU8oA"]] {
        let run = tenant.run(arguments);
        assert_eq!(run.code, 0);
        for character in run.out.chars().filter(|c| !matches!(c, '\n' | '\t')) {
            assert!(!rollover::domain::untrusted::is_hidden(character), "{character:?} in {arguments:?}");
        }
    }
    let all = tenant.run(&["list", "--json"]).json();
    let names: Vec<_> = all.as_array().expect("an array").iter().filter_map(|one| one["name"].as_str()).collect();
    assert!(names.contains(&"Totally Fine\u{1b}[2J\u{1b}[31m Service"), "JSON still says what the name is");
}

#[test]
fn copying_without_a_display_or_a_terminal_says_so() {
    let mut tenant = Tenant::demo();
    let run = tenant.run(&["copy", BILLING]);
    assert_eq!((run.code, run.out.as_str()), (1, ""));
    assert!(run.err.contains("could not copy the secret of “Billing API”"), "{}", run.err);
    let keyless = tenant.run(&["copy", "Payments Gateway"]);
    assert_eq!(keyless.code, 1);
    assert!(keyless.err.contains("Private Key JWT"), "{}", keyless.err);
    assert_eq!(tenant.run_as("read:clients", &["copy", BILLING]).code, 4);
}
