use rollover::auth0::{Api, Applied, Connection, Credentials, Error, ErrorKind};
use rollover::domain::Domain;

use super::raw::{Raw, json, last};
use super::{
    BILLING, KEYED, ROTATE, api, assert_discreet, demo, faulty, private, requests, rotations, scoped, with_token,
};

/// One rotation with a fault: what the caller is told, and whether the secret changed at the server. Asserts what must
/// hold of every rotation: one request, and an error that gives nothing away and names the correlation id that was sent.
async fn rotated_with(fault: &str) -> (Result<Option<String>, Error>, bool) {
    let tenant = faulty(&format!("{ROTATE}{fault}\n")).await;
    let mut hidden = private(&tenant);
    let old = tenant.secret_of(BILLING);
    let id = Api::correlation_id();
    let result = api(&tenant).rotate_secret(BILLING, &id).await;
    let sent = requests(&tenant, "POST", "/rotate-secret");
    assert_eq!((sent.len(), tenant.requests().len()), (1, 1), "{fault}: one request, and no other");
    assert_eq!(sent[0].correlation_id.as_ref(), Some(&id), "{fault}");
    if let Err(error) = &result {
        assert_eq!(error.correlation_id.as_ref(), Some(&id), "{fault}");
        hidden.extend(private(&tenant));
        assert_discreet(error, &hidden);
        assert_eq!(error.doing, format!("rotate the secret of client {BILLING}"), "{fault}");
    }
    let secret = result.map(|secret| secret.map(|secret| secret.expose().to_owned()));
    (secret, tenant.secret_of(BILLING) != old)
}

#[tokio::test]
async fn the_answer_holds_the_new_secret() {
    let tenant = demo().await;
    let old = tenant.secret_of(BILLING);
    let new = api(&tenant).rotate_secret(BILLING, "an-id").await.expect("rotated").expect("a secret");
    assert_eq!(Some(new.expose()), tenant.secret_of(BILLING).as_deref());
    assert_ne!(tenant.secret_of(BILLING), old);
    assert_eq!(rotations(&tenant), [200]);
}

#[tokio::test]
async fn correlation_ids_differ_and_fit() {
    let ids: std::collections::HashSet<_> = std::iter::repeat_with(Api::correlation_id).take(1000).collect();
    assert_eq!(ids.len(), 1000);
    assert!(ids.iter().all(|id| id.len() <= 64 && id.is_ascii()));
}

#[tokio::test]
async fn a_refusal_says_for_certain_that_nothing_was_applied() {
    for (status, kind) in [
        (400, ErrorKind::Refused),
        (401, ErrorKind::Unauthorized),
        (403, ErrorKind::Forbidden),
        (404, ErrorKind::NotFound),
        (409, ErrorKind::Refused),
        (429, ErrorKind::RateLimited),
    ] {
        for (body, code) in [
            (r#"{"statusCode":1,"error":"No","message":"The reason.","errorCode":"a_code"}"#, Some("a_code".into())),
            ("<html>no</html>", None),
        ] {
            let fault = format!("when = \"before\"\nstatus = {status}\nbody = '{body}'");
            let (result, changed) = rotated_with(&fault).await;
            let error = result.expect_err("refused");
            assert_eq!((&error.kind, error.applied, error.status), (&kind, Applied::No, Some(status)));
            assert_eq!(error.error_code, code, "{status}");
            assert!(!changed, "{status}");
            assert!(!error.hint.contains("may or may not"), "{status}: {}", error.hint);
            assert_eq!(error.message.raw().contains("The reason."), code.is_some(), "{status}: {error}");
        }
    }
}

#[tokio::test]
async fn every_other_status_leaves_it_in_doubt_whether_or_not_it_was_applied() {
    for status in [
        300, 301, 302, 303, 304, 307, 308, 402, 405, 408, 410, 412, 413, 418, 421, 425, 499, 500, 501, 502, 503, 504,
        507, 520, 524, 599,
    ] {
        for when in ["before", "after"] {
            let body = "{\"message\":\"The reason.\"}";
            let body = if status == 304 { "" } else { body };
            let fault = format!("when = \"{when}\"\nstatus = {status}\nbody = '{body}'");
            let (result, changed) = rotated_with(&fault).await;
            let error = result.expect_err("no success");
            assert_eq!((error.applied, error.status), (Applied::InDoubt, Some(status)), "{status} {when}");
            assert_eq!(changed, when == "after", "{status}");
            assert!(error.hint.contains("may or may not have been applied"), "{status}: {}", error.hint);
            let server = status == 408 || status >= 500;
            assert_eq!(error.kind == ErrorKind::Server, server, "{status}: {error:?}");
        }
    }
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_leaves_it_in_doubt() {
    for end in ["reset", "fin"] {
        for when in ["before", "after"] {
            let (result, changed) = rotated_with(&format!("when = \"{when}\"\ndrop = \"{end}\"")).await;
            let error = result.expect_err("no answer");
            assert_eq!((&error.kind, error.applied, error.status), (&ErrorKind::Broken, Applied::InDoubt, None));
            assert_eq!(changed, when == "after", "{end}");
            assert!(error.hint.contains("may or may not"), "{}", error.hint);
        }
    }
}

#[tokio::test]
async fn an_answer_cut_at_any_byte_leaves_it_in_doubt() {
    for bytes in [1, 8, 12, 20, 60, 120, 150, 200, 300, 400, 500, 600] {
        let (result, changed) = rotated_with(&format!("cut = {bytes}")).await;
        let error = result.expect_err("half an answer");
        assert_eq!(error.applied, Applied::InDoubt, "{bytes}: {error:?}");
        assert_eq!(error.kind, ErrorKind::Broken, "{bytes}: {error:?}");
        assert!(changed, "{bytes}");
    }
}

#[tokio::test]
async fn a_success_that_cannot_be_read_leaves_it_in_doubt() {
    for fault in [
        "body = \"\"",
        "status = 204\nbody = \"\"",
        "content_type = \"text/html\"\nbody = \"<html>Sign in</html>\"",
        "body = '{\"client_secret\":\"cut'",
        "body = '[]'",
        "nest = 100000",
        "pad_bytes = 1_048_577",
        "set = { client_id = \"somebody-else\" }",
        "content_length = 100000",
        "content_length = 20",
    ] {
        let (result, changed) = rotated_with(fault).await;
        let error = result.expect_err(fault);
        assert_eq!(error.applied, Applied::InDoubt, "{fault}: {error:?}");
        assert!(changed, "{fault}");
    }
}

#[tokio::test]
async fn a_success_that_shows_no_secret_is_a_success() {
    for fault in [
        "remove = [\"client_secret\"]",
        "set = { client_secret = \"null\" }",
        "set = { client_secret = \"\" }",
        "set = { client_secret = 7 }",
        "set = { client_secret = [\"a\"] }",
    ] {
        let (result, changed) = rotated_with(fault).await;
        assert_eq!((result, changed), (Ok(None), true), "{fault}");
    }
    let tenant = demo().await;
    let blind = scoped(&tenant, "update:client_keys");
    assert_eq!(blind.rotate_secret(BILLING, "an-id").await.expect("rotated"), None);
}

#[tokio::test]
async fn what_auth0_refuses_by_itself_is_told_in_its_words() {
    let tenant = demo().await;
    let error = scoped(&tenant, "read:client_keys").rotate_secret(BILLING, "an-id").await.expect_err("no scope");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::MissingScope, Applied::No));
    assert_eq!(error.missing_scopes, ["update:client_keys".into()]);
    assert!(error.hint.contains("auth0 login --scopes update:client_keys"), "{}", error.hint);
    let error = api(&tenant).rotate_secret(KEYED, "an-id").await.expect_err("it has no secret");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::Refused, Applied::No));
    assert!(error.message.raw().contains("Private Key JWT"), "{error}");
    let error = api(&tenant).rotate_secret("nobody", "an-id").await.expect_err("no such client");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::NotFound, Applied::No));
    assert_eq!(rotations(&tenant), [403, 400, 404]);
    let error = with_token(tenant.url(), "two\nparts").rotate_secret(BILLING, "an-id").await.expect_err("no token");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::Unauthorized, Applied::No));
    assert_discreet(&error, &["two".to_owned(), "parts".to_owned()]);
    assert_eq!(rotations(&tenant).len(), 3, "with such a token nothing is sent");
}

#[tokio::test]
async fn what_the_server_says_obeys_no_terminal_and_knows_an_end() {
    let long = "long ".repeat(10_000);
    let body = format!(
        r#"{{"message":"Insufficient scope, expected any of: read:a,b\u001b[2J,c\u202e,$(d);e {long}","errorCode":"c\u0007\u001b]0;x"}}"#
    );
    let raw = Raw::answering(move |_| json(403, &body)).await;
    let error = with_token(&raw.url, "opaque").rotate_secret("a\u{1b}[2J", "an-id").await.expect_err("refused");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::MissingScope, Applied::No));
    let said = format!("{error}{}{}", error.hint, error.doing);
    assert!(said.contains(r"b\u{001B}[2J") && said.contains(r"c\u{202E}"), "{said}");
    assert!(error.hint.contains("--scopes read:a") && !error.hint.contains("$(d)"), "{}", error.hint);
    assert!(!said.contains(|one: char| one.is_control() || one == '\u{202e}'), "{said}");
    assert!(error.message.raw().len() <= 600, "{}", error.message.raw().len());
}

#[tokio::test]
async fn bytes_that_are_no_answer_leave_it_in_doubt_after_one_request() {
    let headers = "x-many: a\r\n".repeat(10_000);
    for bytes in [
        "",
        "SSH-2.0-OpenSSH_9.2\r\n",
        "HTTP/9.9 200 OK\r\n\r\n",
        "HTTP/1.1 999 Odd\r\n\r\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"cli",
        "HTTP/1.1 200 OK\r\n\r\n{\"client_secret\":\"cut",
        "HTTP/1.0 200 OK\r\n\r\n",
        "<html>no HTTP at all</html>",
        &format!("HTTP/1.1 200 OK\r\n{headers}\r\n{{}}"),
    ] {
        let reply = bytes.to_owned();
        let raw = Raw::answering(move |_| last(&reply)).await;
        let error = with_token(&raw.url, "opaque").rotate_secret("a", "an-id").await.expect_err(bytes);
        assert_eq!(error.applied, Applied::InDoubt, "{bytes:.60}: {error:?}");
        assert_eq!(raw.requests().len(), 1, "{bytes:.60}");
    }
}

#[tokio::test]
async fn where_nothing_may_be_changed_nothing_is_sent() {
    let tenant = demo().await;
    let domain = Domain::parse(tenant.url()).expect("a domain");
    let credentials = Credentials::Token(super::secret(tenant.token()));
    let connection = Connection { read_only: true, ..Connection::new(domain, credentials) };
    let api = Api::new(connection).expect("an API client");
    let error = api.rotate_secret(BILLING, "id").await.expect_err("it is read-only");
    assert_eq!((error.applied, error.kind.clone()), (Applied::No, ErrorKind::Refused));
    assert!(error.to_string().contains("is read-only") && error.hint.contains("read_only = true"), "{error}");
    assert!(tenant.requests().is_empty());
}
