//! `login` refused: by Auth0, by what is between, and before anything is sent. Nothing is stored then.
use std::time::Duration;

use rollover::sim::ALL_SCOPES;

use super::login::{Place, keyed};
use super::process::{Tenant, configure, private_folder};
use super::sealed::write;
use super::{BILLING, CHECKOUT, KEYED};

/// The first lines of a fault of the token endpoint.
const SIGN_IN: &str = "[[fault]]\npath = \"/oauth/token\"\nwhen = \"before\"\n";
/// The first lines of a fault of listing.
const LIST: &str = "[[fault]]\npath = \"/api/v2/clients\"\n";

/// Runs `login`, which is refused with this exit code and these words; nothing is stored, whether there was something or not.
fn refused(place: &mut Place, arguments: &[&str], stdin: &str, code: i32, words: &[&str]) {
    let arguments = [&["login"], arguments].concat();
    let run = place.run(&arguments, stdin);
    assert_eq!((run.code, run.out.as_str()), (code, ""), "{arguments:?}: {run:?}");
    for word in words {
        assert!(run.err.contains(word), "no `{word}` in:\n{}", run.err);
    }
    assert_eq!(place.kept(), [""; 0], "{arguments:?}");

    let config = "# mine\n[tenants.mine]\ndomain = \"mine.eu.auth0.com\"\n";
    configure(place.home(), config);
    let run = place.run(&[&arguments[..], &["--json"]].concat(), stdin);
    assert_eq!(run.code, code, "{run:?}");
    assert!(run.error()["message"].as_str().is_some_and(|text| !text.is_empty()), "{run:?}");
    assert_eq!(place.kept(), ["config.toml"]);
    let file = place.home().join("config.toml");
    assert_eq!(std::fs::read_to_string(&file).expect("a configuration"), config);
    std::fs::remove_file(file).expect("it goes");
}

/// Signing in as this client, with its secret to be sealed.
fn as_client<'a>(url: &'a str, id: &'a str) -> [&'a str; 6] {
    ["--domain", url, "--client-id", id, "--kept-in", "file"]
}

#[test]
fn a_wrong_secret() {
    let mut place = Place::new();
    let (url, id) = (place.url(), place.tenant.running.client_id().to_owned());
    let words = ["could not get an access token: Unauthorized (HTTP 401)", "check both"];
    refused(&mut place, &as_client(&url, &id), "wrong-canary", 3, &words);
    refused(&mut place, &as_client(&url, "nobody"), "wrong-canary", 3, &words);
    // As Auth0's document of 2026 has it.
    let body = r#"{"error":"invalid_client","error_description":"Client authentication failed"}"#;
    let mut place = Place::faulty(&format!("{SIGN_IN}status = 401\nbody = '{body}'\n"));
    let url = place.url();
    let words = ["Client authentication failed (HTTP 401)", "check both"];
    refused(&mut place, &as_client(&url, &id), "wrong-canary", 3, &words);
}

#[test]
fn a_right_secret_of_a_client_that_may_not() {
    let mut place = Place::new();
    let url = place.url();
    let secret = |place: &Place, id: &str| place.tenant.running.secret_of(id).expect("a secret");
    let (billing, checkout) = (secret(&place, BILLING), secret(&place, CHECKOUT));
    let words = ["Client is not authorized to access", "client-grant", "Authorize the client: dashboard"];
    refused(&mut place, &as_client(&url, BILLING), &billing, 4, &words);
    let words = ["Grant type 'client_credentials' not allowed for the client.", "Grant Types"];
    refused(&mut place, &as_client(&url, CHECKOUT), &checkout, 4, &words);
    let body = r#"{"error":"access_denied","error_description":"Client has not been granted scopes: read:clients"}"#;
    let mut place = Place::faulty(&format!("{SIGN_IN}status = 403\nbody = '{body}'\n"));
    let url = place.url();
    let words = ["Client has not been granted scopes: read:clients", "Grant them: dashboard"];
    refused(&mut place, &as_client(&url, BILLING), &billing, 4, &words);
}

#[test]
fn a_token_that_has_expired_or_is_for_another_tenant() {
    let mut place = Place::new();
    let url = place.url();
    let arguments = ["--domain", &url, "--token", "--kept-in", "file"];
    let expired = place.tenant.running.mint_token(ALL_SCOPES, Duration::ZERO);
    let words = ["could not sign in: Expired token received", "(HTTP 401)", "get a new one"];
    refused(&mut place, &arguments, &expired, 3, &words);
    let other = Tenant::demo();
    let words = ["could not sign in: Invalid signature received", "for another tenant"];
    refused(&mut place, &arguments, other.running.token(), 3, &words);
    refused(&mut place, &arguments, "no\ntoken", 3, &["characters that no token has"]);
}

#[test]
fn what_is_not_there_or_is_no_auth0() {
    let mut place = Place::new();
    let token = place.token(ALL_SCOPES);
    let words = ["127.0.0.1:1 cannot be reached", "refused"];
    refused(&mut place, &["--domain", "http://127.0.0.1:1", "--token"], &token, 10, &words);
    refused(&mut place, &as_client("http://127.0.0.1:1", "id"), "canary-secret", 10, &words);
    let no_auth0 = ["the answer cannot be read", "Check that the domain is an Auth0 tenant"];
    for body in ["<html><body>Welcome to nginx</body></html>", "{}", r#"{"access_token":7}"#] {
        let mut place =
            Place::faulty(&format!("{SIGN_IN}status = 200\nbody = '{body}'\n{LIST}status = 200\nbody = '{body}'\n"));
        let (url, token) = (place.url(), place.token(ALL_SCOPES));
        refused(&mut place, &as_client(&url, BILLING), "canary-secret", 1, &no_auth0);
        refused(&mut place, &["--domain", &url, "--token"], &token, 1, &no_auth0);
    }
    for (status, words) in [(404, "Check the domain: no Auth0 tenant answers there."), (500, "failed")] {
        let mut place = Place::faulty(&format!(
            "{LIST}status = {status}\nbody = 'no page'\n{SIGN_IN}status = {status}\nbody = 'no page'\n"
        ));
        let (url, token) = (place.url(), place.token(ALL_SCOPES));
        let words = [format!("(HTTP {status})"), words.to_owned()];
        let words = [words[0].as_str(), &words[1]];
        refused(&mut place, &["--domain", &url, "--token"], &token, 1, &words);
        if status == 404 {
            refused(&mut place, &as_client(&url, BILLING), "canary-secret", 1, &words);
        }
    }
}

#[test]
fn what_is_no_domain() {
    let mut place = Place::new();
    for (domain, words) in [
        ("a b", "--domain: `a b` is not a domain"),
        ("http://acme.eu.auth0.com", "is plain http, which is accepted only for a loopback address"),
        ("acme.eu.auth0.com/api/v2", "has a path"),
        ("", "the domain is empty"),
    ] {
        refused(&mut place, &["--domain", domain, "--token"], "canary-token", 2, &[words]);
    }
    assert!(place.tenant.running.requests().is_empty());
}

#[test]
fn a_key_that_cannot_be_used() {
    let (mut place, _folder, file) = keyed();
    let url = place.url();
    let path = file.to_str().expect("a path").to_owned();
    let with = |path: &'static str| ["--domain", "http://127.0.0.1:1", "--client-id", KEYED, "--private-key", path];
    refused(
        &mut place,
        &with("/nowhere/key.pem"),
        "",
        3,
        &["the private key in /nowhere/key.pem cannot be used", "No such file"],
    );
    #[cfg(unix)]
    {
        let mode = |mode| std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode));
        mode(0o644).expect("a mode");
        let arguments = ["--domain", &url, "--client-id", KEYED, "--private-key", &path];
        let words = format!("others can read it; run: chmod 600 '{path}'");
        refused(&mut place, &arguments, "", 3, &[&words]);
        mode(0o600).expect("a mode");
    }
    write(&file, b"-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----\n");
    let arguments = ["--domain", &url, "--client-id", KEYED, "--private-key", &path];
    refused(&mut place, &arguments, "", 3, &["the key is no RSA private key in PEM form", "--private-key"]);
    let arguments = ["--domain", &url, "--client-id", KEYED, "--private-key", "-", "--kept-in", "file"];
    refused(&mut place, &arguments, "canary, and no key", 3, &["the key is no RSA private key in PEM form"]);
    assert!(place.tenant.running.requests().is_empty(), "what is no key is not tried");
    // The key of another client: it is tried, and refused.
    let key = place.tenant.running.private_key().expect("a key").1.to_owned();
    let arguments = ["--domain", &url, "--client-id", BILLING, "--private-key", "-", "--kept-in", "file"];
    refused(&mut place, &arguments, &key, 3, &["Unauthorized (HTTP 401)"]);
    // And one that has no grant.
    let mut place = Place::new();
    let url = place.url();
    let arguments = ["--domain", &url, "--client-id", KEYED, "--private-key", "-", "--kept-in", "file"];
    refused(&mut place, &arguments, &key, 4, &["client-grant", "Authorize the client"]);
}

#[test]
fn what_is_missing_is_not_asked_for_without_a_terminal() {
    let mut place = Place::new();
    let url = place.url();
    let id = place.tenant.running.client_id().to_owned();
    refused(&mut place, &as_client(&url, &id), "", 2, &["stdin is empty; the secret is expected there"]);
    refused(&mut place, &as_client(&url, &id), " \n", 2, &["stdin is empty"]);
    refused(&mut place, &["--domain", &url, "--token"], "", 2, &["stdin is empty"]);
    refused(
        &mut place,
        &[],
        "",
        2,
        &["it is not said how to sign in, and there is no terminal to ask on", "--client-id"],
    );
    refused(
        &mut place,
        &["--client-id", &id],
        "canary-secret",
        2,
        &["there is no terminal to ask on: Domain", "Give --domain."],
    );
    assert!(place.tenant.running.requests().is_empty());
    // No keyring, and no passphrase that was chosen before: there is nowhere to keep it.
    for name in ["identity.age", "identity.pub"] {
        std::fs::remove_file(place.home().join(name)).expect("it goes");
    }
    let secret = place.tenant.running.client_secret().to_owned();
    let words = ["none has been chosen yet, and there is no terminal to ask on"];
    refused(&mut place, &as_client(&url, &id), &secret, 2, &words);
    refused(&mut place, &["--domain", &url, "--client-id", &id], &secret, 2, &words);
    let words = ["D-Bus session bus"];
    refused(&mut place, &["--domain", &url, "--client-id", &id, "--kept-in", "keyring"], &secret, 1, &words);
}

#[test]
fn auth0_cli_without_a_token_that_is_of_use() {
    let mut place = Place::new();
    refused(
        &mut place,
        &["--auth0-cli"],
        "",
        3,
        &["auth0-cli is not signed in anywhere", "auth0 login --scopes update:client_keys"],
    );
    let token = place.token(ALL_SCOPES);
    let file = place.signed_in_with_auth0_cli(&token, "2001-01-01T00:00:00Z");
    refused(&mut place, &["--auth0-cli"], "", 3, &["ends at 2001-01-01 00:00 UTC", "run `auth0 login`"]);
    place.signed_in_with_auth0_cli(&token, "2100-01-01T00:00:00Z");
    let words = ["auth0-cli is not signed in at acme.eu.auth0.com", "auth0 login"];
    refused(&mut place, &["--auth0-cli", "--domain", "acme.eu.auth0.com"], "", 3, &words);
    // By the token's own word; auth0-cli's file may say otherwise.
    let short = place.tenant.running.mint_token(ALL_SCOPES, Duration::from_mins(1));
    place.signed_in_with_auth0_cli(&short, "2100-01-01T00:00:00Z");
    refused(&mut place, &["--auth0-cli"], "", 3, &["which is over or nearly so"]);
    place.signed_in_with_auth0_cli(&token[..token.len() - 9], "2100-01-01T00:00:00Z");
    refused(&mut place, &["--auth0-cli"], "", 3, &["only a part of its token"]);
    write(&file, b"{ canary");
    refused(&mut place, &["--auth0-cli"], "", 3, &["config.json, line 1: it is no JSON"]);
    assert!(place.tenant.running.requests().is_empty());
}

#[test]
fn a_name_that_cannot_be_one() {
    let mut place = Place::new();
    let (url, token) = (place.url(), place.token(ALL_SCOPES));
    let long = "x".repeat(41);
    for (name, words) in [(" ", "a tenant needs a name"), (long.as_str(), "at most 40"), ("a\u{202e}b", "invisible")] {
        refused(&mut place, &["--tenant", name, "--domain", &url, "--token"], &token, 2, &[words]);
    }
    let nowhere = private_folder();
    let missing = nowhere.path().join("ca.pem").to_string_lossy().into_owned();
    let https = url.replace("http://", "https://");
    refused(&mut place, &["--domain", &https, "--token", "--ca-file", &missing], &token, 10, &[&missing]);
}
