use rollover::auth0::ErrorKind;
use rollover::domain::{AuthMethod, Client, ClientSummary, Untrusted};

use super::raw::{Raw, json, last};
use super::{BILLING, KEYED, api, assert_discreet, demo, list_bodies, private, scoped, with_token};

/// The demo tenant's client "Billing Portal".
const PORTAL: &str = "hT5kWn0ZrVb8QyLx3JmPf7Gd2SaCu9Ei";

/// A client with nothing but an id.
fn bare(id: &str) -> Client {
    Client {
        summary: list_bodies::bare(id),
        tenant: None,
        description: None,
        oidc_conformant: None,
        grant_types: Vec::new(),
        callbacks: Vec::new(),
        logout_urls: Vec::new(),
        web_origins: Vec::new(),
        allowed_origins: Vec::new(),
        initiate_login_uri: None,
        signing_algorithm: None,
        id_token_seconds: None,
        secret_encoded: None,
        refresh_rotation: None,
        refresh_expiration: None,
        refresh_seconds: None,
        refresh_idle_seconds: None,
        organization_usage: None,
        cross_origin: None,
        metadata: Vec::new(),
    }
}

fn texts(all: &[&str]) -> Vec<Untrusted> {
    all.iter().copied().map(Untrusted::from).collect()
}

/// What the demo tenant says of "Billing Portal".
fn portal() -> Client {
    Client {
        summary: ClientSummary {
            client_id: PORTAL.into(),
            name: "Billing Portal".into(),
            app_type: Some("regular_web".into()),
            is_first_party: Some(true),
            auth: AuthMethod::SecretPost,
            global: false,
        },
        tenant: Some("rollover-demo".into()),
        description: Some("Where customers see and pay their invoices.".into()),
        oidc_conformant: Some(true),
        grant_types: texts(&["authorization_code", "refresh_token"]),
        callbacks: texts(&[
            "https://billing.example.com/auth/callback",
            "https://billing.staging.example.com/auth/callback",
        ]),
        logout_urls: texts(&["https://billing.example.com/"]),
        initiate_login_uri: Some("https://billing.example.com/login".into()),
        signing_algorithm: Some("RS256".into()),
        id_token_seconds: Some(36000),
        secret_encoded: Some(false),
        refresh_rotation: Some("rotating".into()),
        refresh_expiration: Some("expiring".into()),
        refresh_seconds: Some(2_592_000),
        refresh_idle_seconds: Some(1_296_000),
        organization_usage: Some("allow".into()),
        cross_origin: Some(false),
        ..bare(PORTAL)
    }
}

#[tokio::test]
async fn every_setting_of_the_demo_tenant_is_read() {
    let tenant = demo().await;
    let api = api(&tenant);
    assert_eq!(api.client(PORTAL).await.expect("a client"), portal());
    let billing = api.client(BILLING).await.expect("a client");
    let pair = |key: &str, value: &str| (Untrusted::from(key), Untrusted::from(value));
    assert_eq!(billing.metadata.len(), 2);
    assert!(billing.metadata.contains(&pair("team", "billing")), "{:?}", billing.metadata);
    assert!(billing.metadata.contains(&pair("runbook", "https://wiki.example.com/billing/auth0")));
    assert_eq!(billing.initiate_login_uri, None);
    let shop = api.client("Vb3NdQ8mZy5KxWc1TfRg7LpJ2hEuS0oA").await.expect("a client");
    assert!(!shop.web_origins.is_empty() && shop.web_origins[0].raw().starts_with("https://"), "{shop:?}");
    assert_eq!(shop.summary.auth, AuthMethod::None);
    assert_eq!(api.client(KEYED).await.expect("a client").summary.auth, AuthMethod::PrivateKeyJwt);
    let asked: Vec<_> = tenant.requests().into_iter().map(|request| request.query).collect();
    assert!(asked.iter().all(|query| query.contains("fields=") && !query.contains("client_secret")), "{asked:?}");
}

#[tokio::test]
async fn what_the_token_may_not_see_is_absent_and_nothing_is_refused() {
    let tenant = demo().await;
    let some = scoped(&tenant, "read:clients");
    assert_eq!(some.client(PORTAL).await.expect("a client"), portal());
    assert_eq!(some.client(KEYED).await.expect("a client").summary.auth, AuthMethod::Unknown);
    let few = scoped(&tenant, "read:client_summary");
    let summary = ClientSummary {
        name: "Billing Portal".into(),
        app_type: Some("regular_web".into()),
        auth: AuthMethod::Unknown,
        ..bare(PORTAL).summary
    };
    let description = Some("Where customers see and pay their invoices.".into());
    assert_eq!(few.client(PORTAL).await.expect("a client"), Client { summary, description, ..bare(PORTAL) });
    assert!(tenant.requests().iter().all(|request| request.status == 200), "{:?}", tenant.requests());
}

#[tokio::test]
async fn fields_that_are_absent_null_or_of_another_type_are_none() {
    for (body, expected) in [
        (r#"{"client_id":"a"}"#.to_owned(), bare("a")),
        (
            r#"{"client_id":"a","name":null,"callbacks":null,"jwt_configuration":null,"refresh_token":null,
                "client_metadata":null,"client_authentication_methods":null,"is_first_party":null}"#
                .to_owned(),
            bare("a"),
        ),
        (
            r#"{"client_id":"a","name":7,"callbacks":"x","jwt_configuration":[1],"refresh_token":"y","global":1,
                "client_metadata":[],"client_authentication_methods":"z","tenant":{},"oidc_conformant":"true"}"#
                .to_owned(),
            bare("a"),
        ),
        (
            r#"{"client_id":"a","web_origins":["https://a",null,7,"https://b"],"allowed_origins":["https://c"],
                "jwt_configuration":{"lifetime_in_seconds":-1,"alg":"ES999"},"refresh_token":{"token_lifetime":1.5}}"#
                .to_owned(),
            Client {
                web_origins: texts(&["https://a", "https://b"]),
                allowed_origins: texts(&["https://c"]),
                signing_algorithm: Some("ES999".into()),
                ..bare("a")
            },
        ),
        (
            r#"{"client_id":"a","client_metadata":{"number":7,"none":null,"text":"t"}}"#.to_owned(),
            Client {
                metadata: [("none", "null"), ("number", "7"), ("text", "t")]
                    .map(|(key, value)| (key.into(), value.into()))
                    .to_vec(),
                ..bare("a")
            },
        ),
        (
            r#"{"client_id":"a","description":"half \udc00 a pair"}"#.to_owned(),
            Client { description: Some("half \u{FFFD} a pair".into()), ..bare("a") },
        ),
    ] {
        let raw = Raw::always(body.clone()).await;
        let mut client = with_token(&raw.url, "opaque").client("a").await.unwrap_or_else(|why| panic!("{body}: {why}"));
        client.metadata.sort();
        assert_eq!(client, expected, "{body}");
    }
}

#[tokio::test]
async fn what_is_not_the_client_asked_for_is_an_error() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in
        ["", "null", "[]", "7", r#"{"client_id":"b"}"#, r#"{"client_id":"a""#, "<html>Sign in</html>", deep.as_str()]
    {
        let raw = Raw::always(body).await;
        let error = with_token(&raw.url, "opaque").client("a").await.expect_err(body);
        assert_eq!(error.kind, ErrorKind::Unreadable, "{body:.40}: {error}");
        assert_eq!(raw.requests().len(), 1, "{body:.40}");
    }
    let nothing = Raw::answering(|_| last("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let error = with_token(&nothing.url, "opaque").client("a").await.expect_err("204");
    assert_eq!(error.kind, ErrorKind::Unreadable);
}

#[tokio::test]
async fn a_client_that_is_not_there_is_not_found() {
    let tenant = demo().await;
    let error = api(&tenant).client("no-such-client").await.expect_err("no such client");
    assert_eq!((&error.kind, error.status), (&ErrorKind::NotFound, Some(404)));
    assert_eq!(error.error_code, Some("inexistent_client".into()));
    assert_eq!(error.doing, "read the settings of client no-such-client");
    assert_discreet(&error, &private(&tenant));
}

#[tokio::test]
async fn an_id_of_any_characters_stays_one_part_of_the_path() {
    for (id, part) in [
        ("tpa_x-1.~", "tpa_x-1.~"),
        ("...", "..."),
        ("..", "%252E%252E"),
        (".", "%252E"),
        ("a/../b", "a%2F..%2Fb"),
        ("a?fields=client_secret#x", "a%3Ffields%3Dclient_secret%23x"),
        ("ü\n%2F", "%C3%BC%0A%252F"),
    ] {
        let body = serde_json::json!({ "client_id": id }).to_string();
        let raw = Raw::answering(move |_| json(200, &body)).await;
        let client = with_token(&raw.url, "opaque").client(id).await.expect(id);
        assert_eq!(client.summary.client_id.raw(), id);
        let first = format!("GET /api/v2/clients/{part}?");
        assert!(raw.requests()[0].starts_with(&first), "{}", raw.requests()[0]);
    }
}
