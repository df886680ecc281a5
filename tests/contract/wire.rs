use rollover::auth0::{Applied, ErrorKind};
use rollover::domain::AuthMethod;
use rollover::domain::rotation::Probe;
use rollover::sim::{Options, TlsOptions};
use tokio::net::TcpListener;

use super::raw::{Raw, json};
use super::{BILLING, api, assert_discreet, listed, private, secret, signing_in, started, with_token};

#[tokio::test]
async fn where_nothing_listens_nothing_was_applied() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let api = with_token(&url, "the-token");
    let rotating = api.rotate_secret(BILLING, "an-id").await.map(drop);
    for result in [rotating, api.client(BILLING).await.map(drop), listed(&api).await.map(drop)] {
        let error = result.expect_err("nobody there");
        assert_eq!((&error.kind, error.applied, error.status), (&ErrorKind::Unreachable, Applied::No, None));
        assert!(error.hint.contains("Check the domain"), "{}", error.hint);
        assert!(!error.to_string().contains("http://"), "{error}");
        assert_discreet(&error, &["the-token".to_owned()]);
    }
    let probe = api.probe(BILLING, &secret("the-secret"), &AuthMethod::SecretPost).await;
    assert!(matches!(&probe, Probe::Unknown(why) if !why.contains("the-secret")), "{probe:?}");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_ends_it_before_a_byte_of_the_request() {
    let tenant = started(Options { tls: Some(TlsOptions::Generate), ..Options::default() }).await;
    let old = tenant.secret_of(BILLING);
    let api = api(&tenant);
    let rotating = api.rotate_secret(BILLING, "an-id").await.map(drop);
    let signing = signing_in(&tenant).session().await.map(drop);
    for result in [rotating, signing, api.client_secret(BILLING).await.map(drop)] {
        let error = result.expect_err("not trusted");
        assert_eq!((&error.kind, error.applied), (&ErrorKind::Unreachable, Applied::No));
        assert!(error.message.raw().to_lowercase().contains("certificate"), "it says what is wrong: {error}");
        assert_discreet(&error, &private(&tenant));
    }
    assert_eq!((tenant.requests().len(), tenant.secret_of(BILLING)), (0, old));
    // The pretend tenant leaves its authority's certificate for whoever wants to trust it.
    let folder = tenant.ca_file().and_then(std::path::Path::parent).expect("a folder").to_owned();
    std::fs::remove_dir_all(folder).expect("to tidy up");
}

#[tokio::test]
async fn every_rotation_has_a_connection_of_its_own_and_reads_share_one() {
    let raw = Raw::answering(|_| json(200, r#"{"client_id":"a","client_secret":"s"}"#)).await;
    let api = with_token(&raw.url, "opaque");
    for _ in 0..5 {
        api.client_secret("a").await.expect("a secret");
        api.rotate_secret("a", "an-id").await.expect("rotated");
    }
    let connections = raw.connections();
    let count = |start: &str| {
        let all = connections.iter().filter(|requests| requests.iter().any(|request| request.starts_with(start)));
        all.map(Vec::len).collect::<Vec<_>>()
    };
    assert_eq!(count("POST "), [1; 5], "{connections:?}");
    assert_eq!(count("GET "), [5], "{connections:?}");
}

#[tokio::test]
async fn a_request_says_what_it_must_and_no_more() {
    let raw = Raw::answering(|_| json(200, r#"{"client_id":"a","client_secret":"s"}"#)).await;
    let api = with_token(&raw.url, "opaque");
    api.rotate_secret("a", "an-id").await.expect("rotated");
    api.client_secret("a").await.expect("a secret");
    let sent = raw.requests();
    assert!(sent[0].starts_with("POST /api/v2/clients/a/rotate-secret HTTP/1.1\r\n"), "{}", sent[0]);
    assert!(sent[0].contains("\r\nx-correlation-id: an-id\r\n") && sent[0].ends_with("\r\n\r\n"), "{}", sent[0]);
    assert!(sent[1].starts_with("GET /api/v2/clients/a?fields=") && !sent[1].contains("correlation"), "{}", sent[1]);
    for request in &sent {
        assert!(request.contains("\r\nauthorization: Bearer opaque\r\n"), "{request}");
        assert!(request.contains("\r\naccept: application/json\r\n"), "{request}");
        assert!(request.contains("\r\nuser-agent: rollover/"), "{request}");
        assert!(!request.to_lowercase().contains("cookie"), "{request}");
    }
}
