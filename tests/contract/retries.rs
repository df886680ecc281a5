use std::time::{Duration, Instant};

use futures_util::future::join_all;
use rollover::auth0::{Applied, Error, ErrorKind};
use rollover::sim::Running;
use tokio::sync::Notify;

use super::{BILLING, READ, SIGN_IN, api, assert_discreet, faulty, listed, private, requests, signing_in};

/// A fault of the first so many requests.
async fn failing(fits: &str, fault: &str, times: u32) -> Running {
    faulty(&format!("{fits}times = {times}\nwhen = \"before\"\n{fault}\n")).await
}

/// What a read of one client's settings comes to, and how many requests it took.
async fn read(fault: &str, times: u32) -> (Result<(), Error>, usize) {
    let tenant = failing(READ, fault, times).await;
    let result = api(&tenant).client(BILLING).await.map(drop);
    if let Err(error) = &result {
        assert_eq!(error.applied, Applied::No, "a read changes nothing: {fault}");
        assert_discreet(error, &private(&tenant));
    }
    (result, requests(&tenant, "GET", BILLING).len())
}

/// These take their time, so all of them take it together.
#[tokio::test]
async fn reads_are_tried_four_times_where_that_may_help_and_once_where_it_cannot() {
    let soon = "headers = { \"retry-after\" = \"0\" }";
    let cases = [
        ("status = 429", 1, None, 2),
        (&format!("status = 429\n{soon}"), 3, None, 4),
        (&format!("status = 429\n{soon}"), 4, Some(ErrorKind::RateLimited), 4),
        ("status = 500", 3, None, 4),
        ("status = 500", 4, Some(ErrorKind::Server), 4),
        ("status = 408", 1, None, 2),
        ("status = 503", 1, None, 2),
        ("status = 520\nbody = \"<html>\"", 1, None, 2),
        ("drop = \"reset\"", 1, None, 2),
        ("drop = \"fin\"", 4, Some(ErrorKind::Broken), 4),
        ("cut = 30", 1, None, 2),
        ("pad_bytes = 400\ncut = 300", 1, None, 2),
        ("content_length = 5000", 1, None, 2),
        ("status = 400", 1, Some(ErrorKind::Refused), 1),
        ("status = 401", 1, Some(ErrorKind::Unauthorized), 1),
        ("status = 403", 1, Some(ErrorKind::Forbidden), 1),
        ("status = 404", 1, Some(ErrorKind::NotFound), 1),
        ("status = 302", 1, Some(ErrorKind::Redirected), 1),
        ("body = \"\"", 1, Some(ErrorKind::Unreadable), 1),
    ];
    let all = cases.iter().map(|(fault, times, kind, sent)| async move {
        let (result, requests) = read(fault, *times).await;
        assert_eq!((result.err().map(|error| error.kind), requests), (kind.clone(), *sent), "{fault}, {times} times");
    });
    join_all(all).await;
}

#[tokio::test]
async fn a_page_in_the_middle_is_tried_again_and_nobody_is_lost() {
    let scenario = super::Scenario::from_toml(&format!("{READ}skip = 1\ntimes = 1\nwhen = \"before\"\nstatus = 502\n"));
    let scenario = Some(scenario.expect("a scenario"));
    let tenant = super::started(super::Options { scenario, ..super::of_clients(250) }).await;
    assert_eq!(listed(&api(&tenant)).await.expect("a list").len(), 250);
    assert_eq!(requests(&tenant, "GET", "/clients").len(), 4);
}

/// The gaps between the requests that end like this.
fn gaps(tenant: &Running, method: &str, end: &str) -> Vec<Duration> {
    let at: Vec<Instant> = requests(tenant, method, end).iter().map(|request| request.at).collect();
    at.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test]
async fn as_long_as_the_server_asks_to_wait_nothing_is_sent() {
    let wait = "status = 429\nheaders = { \"retry-after\" = \"2\" }";
    let (reading, signing) = (failing(READ, wait, 1).await, failing(SIGN_IN, wait, 1).await);
    let (reader, signer) = (api(&reading), signing_in(&signing));
    // A second call meets the closed door that the first one found.
    let (mut pace, over) = (reader.pace(), Notify::new());
    let first = async {
        let read = reader.client(BILLING).await;
        over.notify_one();
        read
    };
    let second = async {
        tokio::select! {
            _ = pace.wait_for(|pace| pace.waiting.is_some()) => {}
            () = over.notified() => panic!("it did not wait"),
        }
        reader.client_secret(BILLING).await
    };
    let (read, second, session) = tokio::join!(first, second, signer.session());
    read.expect("the second try");
    second.expect("a secret");
    session.expect("the second try");
    let enough = |gaps: &[Duration], count| {
        assert_eq!(gaps.len(), count);
        assert!(gaps[0] >= Duration::from_secs(2), "{gaps:?}");
    };
    enough(&gaps(&reading, "GET", BILLING), 2);
    enough(&gaps(&signing, "POST", "/oauth/token"), 1);
}

#[tokio::test]
async fn signing_in_is_tried_again_like_a_read() {
    let cases = [
        ("status = 503", 1, None, 2),
        ("drop = \"reset\"", 1, None, 2),
        ("status = 500", 4, Some(ErrorKind::Server), 4),
        ("status = 429\nheaders = { \"retry-after\" = \"0\" }", 4, Some(ErrorKind::RateLimited), 4),
        ("status = 403", 1, Some(ErrorKind::Forbidden), 1),
    ];
    let all = cases.iter().map(|(fault, times, kind, sent)| async move {
        let tenant = failing(SIGN_IN, fault, *times).await;
        let result = signing_in(&tenant).session().await;
        if let Err(error) = &result {
            assert_discreet(error, &private(&tenant));
        }
        let requests = requests(&tenant, "POST", "/oauth/token").len();
        assert_eq!((result.err().map(|error| error.kind), requests), (kind.clone(), *sent), "{fault}, {times} times");
    });
    join_all(all).await;
}
