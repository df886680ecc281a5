//! Each of the scenarios that come with the program does what its first line says.
use std::path::Path;
use std::pin::Pin;
use std::time::{Duration, Instant};

use rollover::auth0::{Api, Applied, ErrorKind};
use rollover::domain::AuthMethod;
use rollover::domain::rollover::State;
use rollover::domain::rotation::{Probe, StepOutcome};
use rollover::rollover::{Ended, rotate_now};
use rollover::sim::{Options, Running, Scenario};

use super::{
    BILLING, api, billing, desk, listed, of_clients, requests, rotations, scoped, secret, signing_in, started,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/scenarios");

async fn playing(name: &str, options: Options) -> Running {
    let scenario = Scenario::load(&Path::new(FOLDER).join(name)).unwrap_or_else(|error| panic!("{error}"));
    started(Options { scenario: Some(scenario), propagation: Duration::ZERO, ..options }).await
}

async fn rotated(api: &Api) -> Ended {
    rotate_now(&desk(api.clone()), &billing(), &mut |_| {}).await
}

/// What a rotation comes to, and whether the secret is another one now.
async fn outcome(name: &str) -> (&'static str, bool) {
    let tenant = playing(name, Options::default()).await;
    let old = tenant.secret_of(BILLING);
    let outcome = match rotated(&api(&tenant)).await {
        Ok(done) if done.rollover.steps.iter().any(|step| step.outcome == StepOutcome::InDoubt) => "changed",
        Ok(done) if done.secret.is_some() => "rotated",
        Ok(_) => "rotated, not shown",
        Err(trouble) => match trouble.rollover.map(|row| row.state) {
            Some(State::InDoubt) => "unchanged",
            Some(State::Unknown) => "cannot know",
            _ => "not applied",
        },
    };
    assert_eq!(rotations(&tenant).len(), 1, "{name}");
    (outcome, tenant.secret_of(BILLING) != old)
}

async fn never_answered(tenant: &Running) {
    let (old, sender) = (tenant.secret_of(BILLING), api(tenant));
    let rotation = tokio::spawn(async move { rotated(&sender).await });
    while tenant.secret_of(BILLING) == old {
        tokio::task::yield_now().await;
    }
    for _ in 0..20 {
        api(tenant).client(BILLING).await.expect("all else goes on");
    }
    assert!(!rotation.is_finished(), "it was rotated, and the caller still waits");
    rotation.abort();
}

async fn plays(name: &str) {
    let demo = || playing(name, Options::default());
    match name {
        "answer-cut.toml" | "answer-lost.toml" => assert_eq!(outcome(name).await, ("changed", true), "{name}"),
        "answer-never.toml" => never_answered(&demo().await).await,
        "expired.toml" => {
            let (tenant, mut seen) = (demo().await, Vec::new());
            for _ in 0..7 {
                seen.push(api(&tenant).client(BILLING).await.map_err(|error| error.kind).err());
            }
            assert_eq!(seen[..5], [const { None }; 5]);
            assert_eq!(seen[5..], [const { Some(ErrorKind::Unauthorized) }; 2]);
        }
        "gateway.toml" => {
            let (tenant, mut seen) = (demo().await, Vec::new());
            for _ in 0..5 {
                seen.push(api(&tenant).rotate_secret(BILLING, "id").await.map(drop).map_err(|error| error.applied));
            }
            let doubt = Err(Applied::InDoubt);
            assert_eq!(
                (seen, rotations(&tenant)),
                (vec![Ok(()), doubt, doubt, doubt, Ok(())], vec![200, 502, 502, 502, 200])
            );
        }
        "no-checkpoint.toml" => {
            let tenant = playing(name, of_clients(120)).await;
            assert_eq!(listed(&api(&tenant)).await.expect("a list").len(), 120);
            assert!(tenant.requests().iter().any(|request| request.query.contains("page=1")));
        }
        "no-secret.toml" => {
            let tenant = demo().await;
            assert_eq!(api(&tenant).rotate_secret(BILLING, "id").await.expect("rotated"), None);
            assert_eq!(outcome(name).await, ("rotated", true), "it is read back");
        }
        "rate-limit.toml" => {
            let tenant = playing(name, of_clients(450)).await;
            assert_eq!(listed(&api(&tenant)).await.expect("a list").len(), 450);
            let pages = requests(&tenant, "GET", "/clients");
            let statuses: Vec<_> = pages.iter().map(|request| request.status).collect();
            assert_eq!(statuses, [200, 200, 200, 200, 429, 200]);
            assert!(pages[5].at - pages[4].at >= Duration::from_secs(5), "the time to wait was kept");
        }
        "redirect.toml" => {
            let error = api(&demo().await).client(BILLING).await.expect_err("sent elsewhere");
            assert_eq!(error.kind, ErrorKind::Redirected);
        }
        "request-lost.toml" => assert_eq!(outcome(name).await, ("unchanged", false)),
        "slow.toml" => {
            let (tenant, begun) = (demo().await, Instant::now());
            api(&tenant).client(BILLING).await.expect("a client");
            assert!(begun.elapsed() >= Duration::from_secs(2));
        }
        "someone-else.toml" => {
            assert_eq!(outcome(name).await, ("rotated", true));
            let tenant = demo().await;
            let (old, reader) = (tenant.secret_of(BILLING), scoped(&tenant, "read:clients"));
            reader.rotate_secret(BILLING, "id").await.expect_err("we may not rotate");
            assert_ne!(tenant.secret_of(BILLING), old, "so it was somebody else");
        }
        "stale.toml" => assert_eq!(outcome(name).await, ("unchanged", true), "{name}"),
        "token-endpoint-down.toml" => {
            let tenant = demo().await;
            let live = secret(&tenant.secret_of(BILLING).expect("a secret"));
            let probe = api(&tenant).probe(BILLING, &live, &AuthMethod::SecretPost).await;
            assert!(matches!(&probe, Probe::Unknown(why) if why.contains("503")), "{probe:?}");
            let error = signing_in(&tenant).session().await.expect_err("nobody signs in");
            assert_eq!((error.kind, error.status), (ErrorKind::Server, Some(503)));
        }
        other => panic!("{other}: say here what it does"),
    }
}

/// Some take seconds, so all of them are played together.
#[tokio::test]
async fn every_scenario_that_comes_with_the_program_does_what_it_says() {
    let entries = std::fs::read_dir(FOLDER).expect("the folder");
    let mut names: Vec<_> =
        entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name")).collect();
    names.sort();
    assert!(names.len() >= 14, "{names:?}");
    let all = names.iter().map(|name| {
        let text = std::fs::read_to_string(Path::new(FOLDER).join(name)).expect("a file");
        assert!(text.starts_with("# "), "{name}: the first line says what it does");
        Box::pin(plays(name)) as Pin<Box<dyn Future<Output = ()>>>
    });
    futures_util::future::join_all(all).await;
}
