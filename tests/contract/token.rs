use std::time::Duration;

use rollover::auth0::{Api, Applied, Connection, Credentials, ErrorKind};
use rollover::domain::scopes::READ_CLIENTS;
use rollover::domain::{AssertionAlgorithm, Domain, Scopes};
use rollover::sim::{ALL_SCOPES, Options};

use super::raw::{Raw, json};
use super::{BILLING, READ, ROTATE, SIGN_IN};
use super::{api, assert_discreet, connected, demo, faulty, private, requests, rotations, scoped, secret};
use super::{signing_in, started, with_token};

/// A 401 to the first request that fits.
const ONCE_401: &str = "times = 1\nwhen = \"before\"\nstatus = 401\nbody = '{\"statusCode\":401,\"error\":\"Unauthorized\",\
\"message\":\"Expired token received for JSON Web Token validation\"}'\n";

#[tokio::test]
async fn a_session_says_what_the_token_says() {
    let tenant = demo().await;
    let session = scoped(&tenant, "read:clients read:logs").session().await.expect("a session");
    assert_eq!(session.scopes, Scopes::from_claim("read:logs read:clients"));
    assert!(session.scopes.has(READ_CLIENTS) == Some(true) && !session.scopes.rotate().may());
    assert_eq!(session.our_client_id.as_deref(), Some(tenant.client_id()));
    assert!(session.expires_at.is_some_and(|at| at > 1_700_000_000), "{session:?}");
    assert_eq!(session.proxy, None, "loopback needs none");
    assert!(tenant.requests().is_empty(), "a token that is there needs no request");
    let opaque = with_token(tenant.url(), "opaque").session().await.expect("a session");
    assert!(!opaque.scopes.is_known() && opaque.our_client_id.is_none() && opaque.expires_at.is_none());
    let signed_in = signing_in(&tenant).session().await.expect("a session");
    assert_eq!(signed_in.scopes, Scopes::from_claim(ALL_SCOPES));
    assert_eq!(signed_in.our_client_id.as_deref(), Some(tenant.client_id()));
}

/// The client that the program signs in as is rotated, and later its token is refused: the next one is got with the new
/// secret, for the old one is dead; and while the new one is not in yet, with the old one.
#[tokio::test]
async fn rotating_the_client_that_signs_in_does_not_lock_it_out() {
    let tenant = faulty(&format!("{READ}skip = 2\n{ONCE_401}")).await;
    let api = signing_in(&tenant);
    let own = tenant.client_id().to_owned();
    let subject = rollover::rollover::Subject { client_id: own.clone(), ..super::billing() };
    let outcome = rollover::rollover::rotate_now(&super::desk(api.clone()), &subject, &mut |_| {}).await;
    assert!(outcome.as_ref().is_ok_and(|done| done.secret.is_some()), "{outcome:?}");
    api.client(&own).await.expect("the second read");
    api.client(&own).await.expect("the third read is refused at first, and then let in with a new token");

    let early = faulty(
        "[[fault]]\npath = \"/oauth/token\"\nskip = 1\ntimes = 1\nwhen = \"before\"\nstatus = 401\n\
         body = '{\"error\":\"access_denied\",\"error_description\":\"Unauthorized\"}'\n\
         [[fault]]\npath = \"/api/v2/clients/*\"\ntimes = 1\nwhen = \"before\"\nstatus = 401\nbody = '{}'\n",
    )
    .await;
    let api = signing_in(&early);
    api.session().await.expect("a first token");
    assert_eq!(api.adopt_secret(early.client_id(), &secret("not in yet")).await, None, "nothing is stored");
    api.client(BILLING).await.expect("the old secret still does");
    assert_eq!(requests(&early, "POST", "/oauth/token").len(), 3);
}

#[tokio::test]
async fn all_that_goes_on_at_once_shares_one_token() {
    let tenant = demo().await;
    let api = signing_in(&tenant);
    let reads = (0..5).map(|_| api.client(BILLING));
    let (reads, session) = tokio::join!(futures_util::future::join_all(reads), api.session());
    assert!(session.is_ok() && reads.iter().all(Result::is_ok), "{reads:?}");
    assert_eq!(requests(&tenant, "POST", "/oauth/token").len(), 1);
    assert_eq!(requests(&tenant, "GET", BILLING).len(), 5);
}

#[tokio::test]
async fn credentials_that_are_wrong_are_refused_once_and_not_told() {
    let tenant = demo().await;
    let wrong = Credentials::ClientSecret { client_id: BILLING.into(), secret: secret("wrong-secret"), previous: None };
    let error = connected(tenant.url(), wrong).session().await.expect_err("a wrong secret");
    assert_eq!((&error.kind, error.status, error.applied), (&ErrorKind::Unauthorized, Some(401), Applied::No));
    assert_discreet(&error, &["wrong-secret".to_owned()]);
    let text = tenant.secret_of(BILLING).expect("a secret");
    let ungranted = Credentials::ClientSecret { client_id: BILLING.into(), secret: secret(&text), previous: None };
    let error = connected(tenant.url(), ungranted).rotate_secret(BILLING, "an-id").await.expect_err("no grant");
    assert_eq!((&error.kind, error.status, error.applied), (&ErrorKind::Forbidden, Some(403), Applied::No));
    assert!(error.hint.contains("Authorize the client"), "{}", error.hint);
    assert_discreet(&error, &private(&tenant));
    assert_eq!(requests(&tenant, "POST", "/oauth/token").len(), 2, "a refusal is not asked for twice");
    assert_eq!(rotations(&tenant).len(), 0, "without a token nothing is sent");
}

#[tokio::test]
async fn no_credentials_show_when_they_are_printed() {
    let domain = Domain::parse("acme.eu.auth0.com").expect("a domain");
    for credentials in [
        Credentials::Token(secret("hidden")),
        Credentials::ClientSecret { client_id: "an-id".into(), secret: secret("hidden"), previous: None },
        Credentials::PrivateKeyJwt { client_id: "an-id".into(), key_pem: secret("hidden"), algorithm: <_>::default() },
    ] {
        let connection = Connection::new(domain.clone(), credentials);
        let said = format!("{connection:?}{connection:#?}");
        let said = format!("{said}{:?}", Api::new(connection));
        assert!(!said.contains("hidden") && said.contains("acme.eu.auth0.com"), "{said}");
    }
}

#[tokio::test]
async fn the_audience_is_the_tenants_own_or_the_one_that_is_set() {
    for (set, expected) in [(None, None), (Some("https://acme.eu.auth0.com/api/v2/"), Some("acme.eu.auth0.com"))] {
        let raw = Raw::always(r#"{"access_token":"opaque"}"#).await;
        let credentials =
            Credentials::ClientSecret { client_id: "a".into(), secret: secret("the secret"), previous: None };
        let domain = Domain::parse(&raw.url).expect("a domain");
        let audience = set.map(str::to_owned);
        let api = Api::new(Connection { audience, ..Connection::new(domain, credentials) }).expect("an API client");
        api.session().await.expect("a session");
        let sent = raw.requests().concat();
        let host = raw.url.trim_start_matches("http://").to_owned();
        let body = sent.split_once("\r\n\r\n").expect("a body").1;
        let form: Vec<_> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        let get = |name: &str| form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
        assert_eq!(get("grant_type"), Some("client_credentials"));
        assert_eq!((get("client_id"), get("client_secret")), (Some("a"), Some("the secret")));
        let audience = get("audience").expect("an audience");
        assert!(audience.contains(expected.unwrap_or(&host)) && audience.ends_with("/api/v2/"), "{audience}");
    }
}

#[tokio::test]
async fn a_private_key_signs_in_and_a_bad_one_is_found_at_once() {
    let tenant = demo().await;
    let (id, pem) = tenant.private_key().expect("a key");
    for algorithm in [AssertionAlgorithm::Rs256, AssertionAlgorithm::Rs384, AssertionAlgorithm::Ps256] {
        let credentials = Credentials::PrivateKeyJwt { client_id: id.to_owned(), key_pem: secret(pem), algorithm };
        // The demo's key belongs to a client that may not manage the tenant: 403, not 401, says that the key was accepted.
        let error = connected(tenant.url(), credentials).session().await.expect_err("no grant");
        assert_eq!(error.status, Some(403), "{algorithm:?}: {error}");
        assert_discreet(&error, &[pem.to_owned()]);
        let credentials = Credentials::PrivateKeyJwt { client_id: BILLING.to_owned(), key_pem: secret(pem), algorithm };
        let error = connected(tenant.url(), credentials).session().await.expect_err("not its key");
        assert_eq!(error.status, Some(401), "{algorithm:?}: {error}");
    }
    let domain = Domain::parse(tenant.url()).expect("a domain");
    let key_pem = secret("-----BEGIN PRIVATE KEY-----\nnothing-like-it\n-----END PRIVATE KEY-----\n");
    let credentials = Credentials::PrivateKeyJwt { client_id: id.to_owned(), key_pem, algorithm: <_>::default() };
    let error = Api::new(Connection::new(domain, credentials)).expect_err("no key");
    assert_eq!(error.applied, Applied::No);
    assert_discreet(&error, &["nothing-like-it".to_owned()]);
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once_and_the_request_sent_again() {
    let tenant = faulty(&format!("{READ}{ONCE_401}{ROTATE}{ONCE_401}")).await;
    let api = signing_in(&tenant);
    api.client(BILLING).await.expect("the second try");
    let reads: Vec<_> = requests(&tenant, "GET", BILLING).iter().map(|request| request.status).collect();
    assert_eq!((reads, requests(&tenant, "POST", "/oauth/token").len()), (vec![401, 200], 2));
    let old = tenant.secret_of(BILLING);
    let new = api.rotate_secret(BILLING, "an-id").await.expect("the second try").expect("a secret");
    assert_eq!(Some(new.expose()), tenant.secret_of(BILLING).as_deref());
    assert_ne!(tenant.secret_of(BILLING), old);
    assert_eq!(rotations(&tenant), [401, 200], "a 401 is certain not to have been applied");
    let ids: Vec<_> = requests(&tenant, "POST", "/rotate-secret").into_iter().map(|sent| sent.correlation_id).collect();
    assert_eq!(ids, [Some("an-id".to_owned()), Some("an-id".to_owned())]);
    assert_eq!(requests(&tenant, "POST", "/oauth/token").len(), 3);
}

#[tokio::test]
async fn a_token_that_is_refused_again_and_again_is_an_error() {
    let always = ONCE_401.replace("times = 1\n", "");
    let tenant = faulty(&format!("{READ}{always}{ROTATE}{always}")).await;
    let (fixed, renewing) = (api(&tenant), signing_in(&tenant));
    for (api, times) in [(fixed, 1), (renewing, 2)] {
        let before = (requests(&tenant, "GET", BILLING).len(), rotations(&tenant).len());
        let error = api.client(BILLING).await.expect_err("refused");
        assert_eq!((&error.kind, error.applied), (&ErrorKind::Unauthorized, Applied::No));
        assert_discreet(&error, &private(&tenant));
        let error = api.rotate_secret(BILLING, "an-id").await.expect_err("refused");
        assert_eq!((&error.kind, error.applied), (&ErrorKind::Unauthorized, Applied::No));
        assert_discreet(&error, &private(&tenant));
        let after = (requests(&tenant, "GET", BILLING).len(), rotations(&tenant).len());
        assert_eq!((after.0 - before.0, after.1 - before.1), (times, times));
    }
}

#[tokio::test]
async fn after_a_refusal_in_doubt_a_new_token_is_no_reason_to_send_again() {
    let tenant = faulty(&format!("{ROTATE}skip = 1\nwhen = \"after\"\nstatus = 502\n{ROTATE}{ONCE_401}")).await;
    let error = signing_in(&tenant).rotate_secret(BILLING, "an-id").await.expect_err("refused, then in doubt");
    assert_eq!(error.applied, Applied::InDoubt);
    assert_eq!(rotations(&tenant), [401, 502]);
}

#[tokio::test]
async fn where_no_new_token_can_be_had_nothing_was_applied() {
    let refused = "skip = 1\nwhen = \"before\"\nstatus = 401\nbody = '{\"error\":\"access_denied\"}'\n";
    let tenant = faulty(&format!("{ROTATE}{ONCE_401}{SIGN_IN}{refused}")).await;
    let error = signing_in(&tenant).rotate_secret(BILLING, "an-id").await.expect_err("no token");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::Unauthorized, Applied::No));
    assert_eq!(error.doing, "get an access token");
    assert_eq!(rotations(&tenant), [401]);
}

#[tokio::test]
async fn a_token_of_one_second_is_renewed_unnoticed() {
    let second = Duration::from_secs(1);
    let latency = Duration::from_millis(20);
    let options = Options { token_lifetime: second, latency, propagation: Duration::ZERO, ..Options::default() };
    let tenant = started(options).await;
    let api = signing_in(&tenant);
    while requests(&tenant, "POST", "/oauth/token").len() < 3 {
        api.client(BILLING).await.expect("every read succeeds");
    }
    api.rotate_secret(BILLING, "an-id").await.expect("rotated");
    let applied = rotations(&tenant).iter().filter(|status| **status == 200).count();
    assert_eq!(applied, 1);
}

#[tokio::test]
async fn what_is_no_token_is_an_error() {
    for body in ["", "{}", "[]", r#"{"access_token":null}"#, r#"{"access_token":7}"#, "<html></html>"] {
        let raw = Raw::answering(move |_| json(200, body)).await;
        let credentials =
            Credentials::ClientSecret { client_id: "a".into(), secret: secret("our-own"), previous: None };
        let error = connected(&raw.url, credentials).rotate_secret("a", "an-id").await.expect_err(body);
        assert_eq!((&error.kind, error.applied), (&ErrorKind::Unreadable, Applied::No), "{body}");
        assert_discreet(&error, &["our-own".to_owned()]);
        assert_eq!(raw.requests().len(), 1, "{body}");
    }
}
