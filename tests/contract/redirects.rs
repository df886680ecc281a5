use rollover::auth0::{Applied, Error, ErrorKind};
use rollover::domain::AuthMethod;
use rollover::domain::rotation::Probe;

use super::raw::{Raw, json};
use super::{BILLING, api, assert_discreet, faulty, listed, private, rotations, secret, signing_in};

const STATUSES: [u16; 5] = [301, 302, 303, 307, 308];

#[tokio::test]
async fn no_redirect_is_followed_and_no_token_or_secret_goes_elsewhere() {
    let elsewhere =
        Raw::answering(|_| json(200, r#"{"access_token":"x","clients":[],"client_secret":"theirs"}"#)).await;
    let port = elsewhere.url.rsplit_once(':').expect("a port").1;
    let targets = [
        elsewhere.url.clone(),
        format!("{}/api/v2/clients", elsewhere.url),
        format!("http://localhost:{port}/"),
        format!("http://user:word@127.0.0.1:{port}/"),
        format!("//127.0.0.1:{port}/"),
        "/oauth/token".to_owned(),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ];
    for (number, target) in targets.iter().enumerate() {
        let status = STATUSES[number % STATUSES.len()];
        let fault = format!("[[fault]]\nwhen = \"before\"\nstatus = {status}\nredirect = \"{target}\"\n");
        let tenant = faulty(&fault).await;
        let api = api(&tenant);
        let hidden = private(&tenant);
        let rotating = api.rotate_secret(BILLING, "an-id").await.map(drop);
        for (result, applied) in [
            (api.client_secret(BILLING).await.map(drop), Applied::No),
            (api.client(BILLING).await.map(drop), Applied::No),
            (listed(&api).await.map(drop), Applied::No),
            (signing_in(&tenant).session().await.map(drop), Applied::No),
            (rotating, Applied::InDoubt),
        ] {
            let error: Error = result.expect_err(target);
            assert_eq!((&error.kind, error.applied, error.status), (&ErrorKind::Redirected, applied, Some(status)));
            assert_discreet(&error, &hidden);
        }
        let probe = api.probe(BILLING, &secret("a-secret"), &AuthMethod::SecretPost).await;
        assert!(matches!(&probe, Probe::Unknown(why) if why.contains(&status.to_string())), "{probe:?}");
        assert_eq!(tenant.requests().len(), 6, "each was sent once: {target}");
    }
    assert!(elsewhere.connections().is_empty(), "{:?}", elsewhere.connections());
}

#[tokio::test]
async fn a_redirected_rotation_is_in_doubt_by_every_status() {
    let elsewhere = Raw::always("{}").await;
    for status in STATUSES {
        for when in ["before", "after"] {
            let fault = format!("when = \"{when}\"\nstatus = {status}\nredirect = \"{}\"\n", elsewhere.url);
            let tenant = faulty(&format!("{}{fault}", super::ROTATE)).await;
            let error = api(&tenant).rotate_secret(BILLING, "an-id").await.expect_err("redirected");
            assert_eq!((&error.kind, error.applied), (&ErrorKind::Redirected, Applied::InDoubt));
            assert_eq!(rotations(&tenant), [status]);
        }
    }
    assert!(elsewhere.connections().is_empty(), "{:?}", elsewhere.connections());
}
