use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollover::domain::AuthMethod;
use rollover::domain::rotation::Probe;

use super::raw::{Raw, json, last};
use super::{BILLING, CHECKOUT, SIGN_IN, api, demo, faulty, requests, secret, with_token};

#[tokio::test]
async fn the_live_secret_is_accepted_and_any_other_rejected() {
    let tenant = demo().await;
    let api = api(&tenant);
    for (client, auth) in [
        (BILLING, AuthMethod::SecretPost),
        (CHECKOUT, AuthMethod::SecretBasic),
        (BILLING, AuthMethod::Unspecified),
        (BILLING, AuthMethod::Unknown),
        (BILLING, AuthMethod::Other("new_one".into())),
        // The one client that gets a 200: the others have no grant for the Management API, and get a 403.
        (tenant.client_id(), AuthMethod::SecretPost),
    ] {
        let live = secret(&tenant.secret_of(client).expect("a secret"));
        assert_eq!(api.probe(client, &live, &auth).await, Probe::Accepted, "{client} {auth:?}");
        assert_eq!(api.probe(client, &secret("wrong"), &auth).await, Probe::Rejected, "{client} {auth:?}");
    }
    let statuses: Vec<_> = requests(&tenant, "POST", "/oauth/token").iter().map(|request| request.status).collect();
    assert_eq!(statuses, [403, 401, 403, 401, 403, 401, 403, 401, 403, 401, 200, 401]);
}

#[tokio::test]
async fn a_client_that_does_not_use_its_secret_is_not_asked_about() {
    let tenant = demo().await;
    for auth in [AuthMethod::None, AuthMethod::PrivateKeyJwt, AuthMethod::TlsClientAuth, AuthMethod::SelfSignedTls] {
        let probe = api(&tenant).probe(BILLING, &secret("any"), &auth).await;
        assert_eq!(probe, Probe::Unknown(auth.instead_of_secret().expect("a reason")), "{auth:?}");
    }
    assert!(tenant.requests().is_empty());
}

#[tokio::test]
async fn what_is_neither_yes_nor_no_is_unknown_after_one_request() {
    for fault in ["status = 429", "status = 500", "status = 503", "status = 400", "status = 302", "status = 204"] {
        let tenant = faulty(&format!("{SIGN_IN}when = \"before\"\n{fault}\n")).await;
        let probe = api(&tenant).probe(BILLING, &secret("any"), &AuthMethod::SecretPost).await;
        let status = &fault[9..];
        assert!(matches!(&probe, Probe::Unknown(why) if why.contains(status)), "{fault}: {probe:?}");
        assert_eq!(tenant.requests().len(), 1, "{fault}");
    }
    let gone = Raw::answering(|_| last("")).await;
    let probe = with_token(&gone.url, "opaque").probe(BILLING, &secret("any-one"), &AuthMethod::SecretPost).await;
    assert!(matches!(&probe, Probe::Unknown(why) if !why.contains("any-one")), "{probe:?}");
}

#[tokio::test]
async fn the_secret_goes_where_the_method_says() {
    for auth in [AuthMethod::SecretPost, AuthMethod::SecretBasic] {
        let raw = Raw::answering(|_| json(403, "{}")).await;
        let probe = with_token(&raw.url, "management-token").probe("an-id", &secret("the-secret"), &auth).await;
        assert_eq!(probe, Probe::Accepted);
        let sent = raw.requests().concat();
        let (head, body) = sent.split_once("\r\n\r\n").expect("a body");
        let basic = format!("authorization: Basic {}", STANDARD.encode("an-id:the-secret"));
        assert_eq!(head.contains(&basic), auth == AuthMethod::SecretBasic, "{sent}");
        assert_eq!(body.contains("client_secret=the-secret"), auth == AuthMethod::SecretPost, "{sent}");
        assert!(head.starts_with("POST /oauth/token ") && body.contains("grant_type=client_credentials"), "{sent}");
        assert!(!sent.contains("management-token"), "the token has no business there: {sent}");
    }
}
