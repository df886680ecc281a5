use std::fmt::Write as _;

use rollover::auth0::{Api, Error, ErrorKind, SecretRead};

use super::raw::{Raw, json, last};
use super::{BILLING, KEYED, api, assert_discreet, demo, faulty, private, scoped, with_token};

async fn read_from(body: &str) -> Result<SecretRead, Error> {
    let raw = Raw::always(body).await;
    with_token(&raw.url, "opaque").client_secret("a").await
}

fn text(read: SecretRead) -> Option<String> {
    match read {
        SecretRead::Readable(secret) => Some(secret.expose().to_owned()),
        SecretRead::NotVisible => None,
    }
}

#[tokio::test]
async fn the_live_secret_is_read_with_one_request_that_asks_for_nothing_else() {
    let tenant = demo().await;
    let read = api(&tenant).client_secret(BILLING).await.expect("a secret");
    assert_eq!(text(read), tenant.secret_of(BILLING));
    let sent = tenant.requests();
    assert_eq!((sent.len(), sent[0].query.as_str()), (1, "fields=client_id%2Cclient_secret"));
}

#[tokio::test]
async fn what_is_not_shown_is_not_visible_and_never_an_empty_secret() {
    let set = |value: &str| format!("set = {{ client_secret = {value} }}");
    let odd = ["\"null\"", "\"\"", "7", "1.5", "true", "[\"a\"]", "{ a = \"b\" }"].map(set);
    for scenario in odd.iter().map(String::as_str).chain(["remove = [\"client_secret\"]"]) {
        let tenant = faulty(&format!("[[fault]]\nmethod = \"GET\"\n{scenario}\n")).await;
        let read = api(&tenant).client_secret(BILLING).await.unwrap_or_else(|why| panic!("{scenario}: {why}"));
        assert_eq!(read, SecretRead::NotVisible, "{scenario}");
    }
    let tenant = demo().await;
    let without = scoped(&tenant, "read:clients");
    assert_eq!(without.client_secret(BILLING).await.expect("an answer"), SecretRead::NotVisible);
    assert_eq!(tenant.requests()[0].status, 403, "it was refused: You cannot read the following fields");
    assert_eq!(api(&tenant).client_secret(KEYED).await.expect("an answer"), SecretRead::NotVisible);
}

#[tokio::test]
async fn a_refusal_that_names_scopes_is_an_error() {
    let tenant = demo().await;
    let error = scoped(&tenant, "read:logs").client_secret(BILLING).await.expect_err("no scope for it");
    assert_eq!(error.kind, ErrorKind::MissingScope);
    assert!(error.missing_scopes.iter().any(|scope| scope.raw() == "read:client_keys"), "{error:?}");
    assert_discreet(&error, &private(&tenant));
}

#[tokio::test]
async fn an_answer_about_another_client_is_an_error() {
    let tenant = faulty("[[fault]]\nmethod = \"GET\"\nset = { client_id = \"somebody-else\" }\n").await;
    let error = api(&tenant).client_secret(BILLING).await.expect_err("another client's");
    assert_eq!(error.kind, ErrorKind::Unreadable);
    assert!(error.message.raw().contains("another client"), "{error}");
    assert_discreet(&error, &private(&tenant));
}

#[tokio::test]
async fn a_secret_of_any_characters_is_the_same_to_the_byte() {
    let long = "x".repeat(900_000);
    for secret in ["\0", "a\nb\r\n", "\u{1b}[31m", "\"'`\\", "🦊𝔘", " ", "\u{202e}", "null", long.as_str()] {
        let mut written = String::new();
        for unit in secret.encode_utf16().take(40) {
            write!(written, "\\u{unit:04x}").expect("a text takes all");
        }
        let plain = serde_json::Value::from(secret).to_string();
        let mut bodies = vec![format!("{{\"client_id\":\"a\",\"client_secret\":{plain}}}")];
        if secret.len() < 40 {
            bodies.push(format!("{{\"client_secret\":\"{written}\"}}"));
        }
        for body in bodies {
            let read = read_from(&body).await.unwrap_or_else(|why| panic!("{body:.60}: {why}"));
            assert!(text(read).as_deref() == Some(secret), "{body:.60}");
        }
    }
}

#[tokio::test]
async fn of_a_key_that_stands_twice_the_last_counts() {
    let read =
        read_from(r#"{"client_secret":"first","client_id":"a","client_secret":"last"}"#).await.expect("a secret");
    assert_eq!(text(read).as_deref(), Some("last"));
    let read = read_from(r#"{"client_secret":"first","client_secret":null}"#).await.expect("an answer");
    assert_eq!(read, SecretRead::NotVisible);
    let tenant = faulty("[[fault]]\nmethod = \"GET\"\nrepeat = \"client_secret\"\n").await;
    let read = api(&tenant).client_secret(BILLING).await.expect("a secret");
    assert_eq!(text(read), tenant.secret_of(BILLING));
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error() {
    for body in [
        r#"{"client_id":"a","client_secret":"half \ud83e of a pair"}"#,
        r#"{"client_id":"a","client_secret":"cut sho"#,
        r#"{"client_id":"a","client_secret":"whole-secret""#,
        r#"{"client_id":"a","client_secret":"whole-secret"} and more"#,
        r#"{"client_id":"b","client_secret":"whole-secret"}"#,
        r#"["whole-secret"]"#,
        "null",
        "",
        "<html>Sign in to the hotel's network</html>",
    ] {
        let error = read_from(body).await.expect_err(body);
        assert_eq!(error.kind, ErrorKind::Unreadable, "{body}: {error}");
        assert_discreet(&error, &["whole-secret".to_owned(), "cut sho".to_owned()]);
    }
}

async fn read_with(scenario: &str) -> Result<SecretRead, Error> {
    let tenant = faulty(&format!("[[fault]]\nmethod = \"GET\"\n{scenario}\n")).await;
    let read = api(&tenant).client_secret(BILLING).await;
    if let Err(error) = &read {
        assert_discreet(error, &private(&tenant));
    }
    read
}

#[tokio::test]
async fn a_body_of_more_than_a_mebibyte_is_not_read() {
    let fits = read_with("pad_bytes = 1_048_576").await.expect("it just fits");
    assert!(text(fits).is_some_and(|secret| secret.len() == 64));
    let error = read_with("pad_bytes = 1_048_577").await.expect_err("one byte too many");
    assert_eq!(error.kind, ErrorKind::Unreadable);
    assert!(error.message.raw().contains("1 MiB"), "{error}");
}

#[tokio::test]
async fn depth_and_odd_successes_are_errors_too() {
    for scenario in [
        "nest = 100000",
        "status = 204\nbody = \"\"",
        "body = \"\"",
        "content_type = \"text/html\"\nbody = \"<html></html>\"",
        "status = 206\nbody = '{\"client_secret\":\"half'",
    ] {
        let error = read_with(scenario).await.expect_err(scenario);
        assert_eq!(error.kind, ErrorKind::Unreadable, "{scenario}: {error}");
    }
    // A deep value beside the secret is passed over, one in its place is no secret.
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let read = read_from(&format!("{{\"addons\":{deep},\"client_secret\":\"kept\"}}")).await.expect("a secret");
    assert_eq!(text(read).as_deref(), Some("kept"));
    let read = read_from(&format!("{{\"client_secret\":{deep}}}")).await.expect("an answer");
    assert_eq!(read, SecretRead::NotVisible);
}

#[tokio::test]
async fn a_body_without_a_length_is_capped_as_well() {
    let raw = Raw::answering(|_| {
        let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
        last(&format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(17)))
    })
    .await;
    let api: Api = with_token(&raw.url, "opaque");
    let error = api.client_secret("a").await.expect_err("17 times 64 KiB");
    assert!(error.message.raw().contains("1 MiB"), "{error}");
    let gzip = Raw::answering(|request| {
        assert!(!request.to_ascii_lowercase().contains("accept-encoding"), "no compression is asked for: {request}");
        json(200, r#"{"client_secret":"plain"}"#)
    })
    .await;
    assert_eq!(text(with_token(&gzip.url, "t").client_secret("a").await.expect("a secret")).as_deref(), Some("plain"));
}
