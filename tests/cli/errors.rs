use std::time::Duration;

use super::BILLING;
use super::process::{Tenant, configure, finish, program};

#[test]
fn no_tenant_says_what_to_set() {
    let home = tempfile::tempdir().expect("a folder");
    for arguments in [&["list"][..], &["show", "x"], &["copy", "x"], &["rotate", "x", "--now", "--yes"]] {
        let mut command = program(home.path());
        command.args(arguments);
        let run = finish(command);
        assert_eq!(run.code, 3, "{arguments:?}");
        assert!(run.err.contains("AUTH0_DOMAIN") && run.err.contains("rollover demo"), "{}", run.err);
    }
}

#[test]
fn the_interface_wants_a_terminal() {
    let home = tempfile::tempdir().expect("a folder");
    for arguments in [&[][..], &["demo"]] {
        let mut command = program(home.path());
        command.args(arguments);
        let run = finish(command);
        assert_eq!((run.code, run.out.as_str()), (2, ""));
        assert!(run.err.contains("needs a terminal"), "{}", run.err);
    }
}

#[test]
fn each_failure_has_its_exit_code_and_says_what_to_do() {
    let mut tenant = Tenant::demo();
    let expired = tenant.running.mint_token("read:clients", Duration::ZERO);
    let command = tenant.command(&expired, &["list", "--json"]);
    let run = tenant.silent(command);
    assert_eq!(run.code, 3);
    assert_eq!((&run.error()["kind"], &run.error()["status"]), (&"unauthorized".into(), &401.into()));
    assert!(run.error()["hint"].as_str().is_some_and(|hint| !hint.is_empty()));

    let run = tenant.run_as("read:logs", &["list"]);
    assert_eq!(run.code, 4);
    assert!(run.err.contains("read:clients"), "{}", run.err);

    let run = tenant.run(&["show", "Biling API"]);
    assert_eq!(run.code, 5);
    assert!(run.err.contains("Did you mean “Billing API”"), "{}", run.err);
    assert_eq!(tenant.run(&["show", ""]).code, 2);

    let mut command = tenant.command(tenant.running.token(), &["list"]);
    command.env("AUTH0_DOMAIN", "http://127.0.0.1:1");
    let run = tenant.silent(command);
    assert_eq!(run.code, 10);
    assert!(run.err.contains("127.0.0.1:1"), "{}", run.err);
}

#[test]
fn a_name_that_fits_several_lists_them() {
    let mut tenant = Tenant::faulty(
        "[[fault]]\npath = \"/api/v2/clients\"\nbody = '{\"clients\":[{\"client_id\":\"one\",\"name\":\"App\"},{\"client_id\":\"two\",\"name\":\"App\"}]}'\n",
    );
    let run = tenant.run(&["show", "App", "--json"]);
    assert_eq!(run.code, 5);
    assert_eq!(run.error()["kind"], "ambiguous_name");
    assert!(run.error()["message"].as_str().is_some_and(|text| text.contains("one, two")), "{}", run.err);
}

#[test]
fn wrong_arguments_are_named() {
    let home = tempfile::tempdir().expect("a folder");
    for (arguments, part) in [
        (&["lst"][..], "'list'"),
        (&["list", "--filtr", "x"], "'--filter'"),
        (&["rotate"], "<CLIENT>"),
        (&["rotate", "x", "--now", "--until", "deliver"], "--until"),
        (&["sim", "--plan", "gold"], "free, self-service, enterprise"),
        (&["sim", "--listen", "0.0.0.0:0"], "loopback"),
        (&["--tenant", "acme", "list"], "no tenant is called `acme`"),
    ] {
        let mut command = program(home.path());
        command.args(arguments);
        let run = finish(command);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.err);
        assert!(run.err.contains(part), "{arguments:?}: {}", run.err);
    }
}

#[test]
fn a_mistake_in_the_configuration_is_named_with_its_line() {
    let mut tenant = Tenant::demo();
    configure(tenant.home.path(), "mouse = true\n[tenants.acme]\ndomian = \"acme.eu.auth0.com\"\n");
    let run = tenant.run(&["list"]);
    assert_eq!(run.code, 2);
    assert!(run.err.contains("config.toml, line 3: `domian` is not known; did you mean `domain`?"), "{}", run.err);
}

#[test]
fn an_error_text_of_the_server_cannot_reach_the_terminal_raw() {
    let body = "body = '{\"statusCode\":400,\"error\":\"Bad\",\"message\":\"\\u001b]0;owned\\u0007\\u202e\",\"errorCode\":\"\\u009b2J\"}'";
    for json in [false, true] {
        let mut tenant = Tenant::faulty(&format!("[[fault]]\npath = \"/api/v2/clients\"\nstatus = 400\n{body}\n"));
        let run = tenant.run(if json { &["list", "--json"] } else { &["list"] });
        assert_eq!(run.code, 1);
        assert!(run.err.contains("owned"), "{}", run.err);
        let hidden = run.err.chars().find(|c| *c != '\n' && rollover::domain::untrusted::is_hidden(*c));
        assert_eq!(hidden, None, "{:?}", run.err);
    }
}

#[test]
fn every_way_in_signs_in() {
    let mut tenant = Tenant::demo();
    let (id, secret) = (tenant.running.client_id().to_owned(), tenant.running.client_secret().to_owned());
    let mut command = tenant.command("", &["show", BILLING]);
    command.env("AUTH0_CLIENT_ID", &id).env("AUTH0_CLIENT_SECRET", &secret);
    assert_eq!(tenant.silent(command).code, 0);
    let mut command = tenant.command("", &["show", BILLING]);
    command.env("AUTH0_CLIENT_ID", &id).env("AUTH0_CLIENT_SECRET", "wrong");
    let run = tenant.silent(command);
    assert_eq!(run.code, 3, "{}", run.err);
    let (id, key) = tenant.running.private_key().expect("a client with a key");
    let file = tenant.home.path().join("key.pem");
    std::fs::write(&file, key).expect("a file");
    for value in [key, file.to_str().expect("a path")] {
        for algorithm in ["RS256", "RS384", "PS256"] {
            let mut command = tenant.command("", &["list"]);
            command.env("AUTH0_CLIENT_ID", id).env("AUTH0_CLIENT_ASSERTION_PRIVATE_KEY", value);
            command.env("AUTH0_CLIENT_ASSERTION_SIGNING_ALG", algorithm);
            let run = finish(command);
            // It is let in, and then may not manage this tenant: which is what its own grant says.
            assert_eq!(run.code, 4, "{algorithm}: {}", run.err);
            assert!(run.err.contains("Authorize the client"), "{}", run.err);
        }
    }
}
