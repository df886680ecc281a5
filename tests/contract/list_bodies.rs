use rollover::auth0::ErrorKind;
use rollover::domain::{AuthMethod, ClientSummary, Untrusted};

use super::raw::{Raw, json, last};
use super::{api, demo, listed, scoped, with_token};

/// What the list shows of a client with nothing but an id.
pub(super) fn bare(id: &str) -> ClientSummary {
    ClientSummary {
        client_id: id.into(),
        name: Untrusted::default(),
        app_type: None,
        is_first_party: None,
        auth: AuthMethod::Unspecified,
        global: false,
    }
}

async fn listed_from(clients: &str) -> Vec<ClientSummary> {
    let raw = Raw::always(format!("{{\"clients\":{clients}}}")).await;
    listed(&with_token(&raw.url, "opaque")).await.unwrap_or_else(|error| panic!("{clients}: {error}"))
}

#[tokio::test]
async fn fields_are_read_as_they_come() {
    let named = |name: &str| ClientSummary { name: name.into(), ..bare("a") };
    let with = |auth: AuthMethod| ClientSummary { auth, ..bare("a") };
    for (fields, expected) in [
        ("", bare("a")),
        (r#","name":null,"app_type":null,"is_first_party":null,"token_endpoint_auth_method":null"#, bare("a")),
        (r#","global":null,"client_authentication_methods":null"#, bare("a")),
        (r#","name":7,"app_type":["spa"],"is_first_party":"yes","token_endpoint_auth_method":{"a":[1]}"#, bare("a")),
        (r#","global":"true","client_authentication_methods":"private_key_jwt""#, bare("a")),
        (r#","name":-1.5e3,"global":[],"client_authentication_methods":[{"private_key_jwt":{}}]"#, bare("a")),
        (r#","client_authentication_methods":{}"#, bare("a")),
        (r#","owners":["x"],"nested":{"name":"no","deep":[[{"client_id":"no"}]]},"number":1e400"#, bare("a")),
        (r#","name":"Billing""#, named("Billing")),
        (r#","name":"first","name":"second""#, named("second")),
        (r#","name":"\ud83e\udd8a \u0000\n\"""#, named("🦊 \0\n\"")),
        (r#","name":"half \ud83e of a pair""#, named("half \u{FFFD} of a pair")),
        (r#","name":"\ud83e\ud83e\udd8a\udd8a\ud83e""#, named("\u{FFFD}🦊\u{FFFD}\u{FFFD}")),
        (r#","name":"\\ud83e \\\\\ud83e\n\u00e9""#, named("\\ud83e \\\\\u{FFFD}\né")),
        (r#","app_type":"hologram""#, ClientSummary { app_type: Some("hologram".into()), ..bare("a") }),
        (
            r#","is_first_party":false,"global":true"#,
            ClientSummary { is_first_party: Some(false), global: true, ..bare("a") },
        ),
        (r#","token_endpoint_auth_method":"none""#, with(AuthMethod::None)),
        (r#","token_endpoint_auth_method":"client_secret_post""#, with(AuthMethod::SecretPost)),
        (r#","token_endpoint_auth_method":"client_secret_basic""#, with(AuthMethod::SecretBasic)),
        (r#","token_endpoint_auth_method":"dpop_2030""#, with(AuthMethod::Other("dpop_2030".into()))),
        (r#","client_authentication_methods":{"private_key_jwt":{"credentials":[]}}"#, with(AuthMethod::PrivateKeyJwt)),
        (r#","client_authentication_methods":{"tls_client_auth":{}}"#, with(AuthMethod::TlsClientAuth)),
        (r#","client_authentication_methods":{"self_signed_tls_client_auth":{}}"#, with(AuthMethod::SelfSignedTls)),
        (r#","client_authentication_methods":{"new_one":{}}"#, with(AuthMethod::Other("new_one".into()))),
    ] {
        let clients = listed_from(&format!("[{{\"client_id\":\"a\"{fields}}}]")).await;
        assert_eq!(clients, [expected], "{fields}");
    }
}

#[tokio::test]
async fn one_odd_client_does_not_spoil_the_others() {
    for (clients, expected) in [
        ("[]", vec![]),
        (r#"[{"client_id":"a"},{"client_id":"a","name":"again"},{"client_id":"b"}]"#, vec!["a", "b"]),
        (r#"[{"name":"no id"},{"client_id":null},{"client_id":7},{"client_id":"b"}]"#, vec!["b"]),
        (r#"[{},{"client_id":"b"}]"#, vec!["b"]),
    ] {
        let ids: Vec<_> = listed_from(clients).await.into_iter().map(|client| client.client_id).collect();
        assert_eq!(ids, expected.into_iter().map(Untrusted::from).collect::<Vec<_>>(), "{clients}");
    }
}

#[tokio::test]
async fn what_is_no_list_is_an_error_and_never_a_tenant_without_clients() {
    for body in [
        "",
        "null",
        "{}",
        "7",
        r#""clients""#,
        r#"{"clients":null}"#,
        r#"{"clients":{"client_id":"a"}}"#,
        "[1,2]",
        r#"{"clients":[{"client_id":"a"}"#,
        r#"{"clients":[{"client_id":"a"}]} and more"#,
        "<!DOCTYPE html><html><body>Sign in to the hotel's network</body></html>",
    ] {
        let raw = Raw::always(body).await;
        let error = listed(&with_token(&raw.url, "opaque")).await.expect_err(body);
        assert_eq!(error.kind, ErrorKind::Unreadable, "{body}: {error}");
        assert_eq!(raw.requests().len(), 1, "{body}: what cannot be read is not asked for again");
    }
    let nothing = Raw::answering(|_| last("HTTP/1.1 204 No Content\r\n\r\n")).await;
    let error = listed(&with_token(&nothing.url, "opaque")).await.expect_err("204");
    assert_eq!(error.kind, ErrorKind::Unreadable);
    let deep = format!("{{\"clients\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let deep = Raw::answering(move |_| json(200, &deep)).await;
    let error = listed(&with_token(&deep.url, "opaque")).await.expect_err("10^5 deep");
    assert_eq!(error.kind, ErrorKind::Unreadable);
}

#[tokio::test]
async fn the_demo_tenants_methods_are_told_apart_where_they_can_be_seen() {
    let tenant = demo().await;
    let of = |clients: &[ClientSummary], name: &str| {
        let client = clients.iter().find(|client| client.name.raw() == name).unwrap_or_else(|| panic!("no {name}"));
        (client.auth.clone(), client.global, client.is_first_party)
    };
    let all = listed(&api(&tenant)).await.expect("a list");
    let some = listed(&scoped(&tenant, "read:clients")).await.expect("a list");
    let few = listed(&scoped(&tenant, "read:client_summary")).await.expect("a list");
    assert_eq!([all.len(), some.len(), few.len()], [28; 3], "27 of the demo, and the tenant's own one");
    for (name, seen, unseen) in [
        ("Billing API", AuthMethod::SecretPost, AuthMethod::SecretPost),
        ("Checkout", AuthMethod::SecretBasic, AuthMethod::SecretBasic),
        ("Shop Frontend", AuthMethod::None, AuthMethod::None),
        ("Payments Gateway", AuthMethod::PrivateKeyJwt, AuthMethod::Unknown),
        ("Mainframe Bridge", AuthMethod::TlsClientAuth, AuthMethod::Unknown),
        ("CRM Sync", AuthMethod::Unspecified, AuthMethod::Unknown),
    ] {
        assert_eq!(of(&all, name), (seen, false, Some(true)));
        assert_eq!(of(&some, name), (unseen, false, Some(true)));
        assert_eq!(of(&few, name), (AuthMethod::Unknown, false, None));
    }
    assert_eq!(of(&all, "All Applications"), (AuthMethod::Unspecified, true, Some(true)));
    assert_eq!(of(&all, "Partner: Freight Tracker").2, Some(false));
}
