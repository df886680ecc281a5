use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rollover::auth0::{Applied, ErrorKind};
use rollover::sim::{Options, Plan};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use tokio::net::TcpListener;

use super::raw::{Raw, last, open};
use super::{api, assert_discreet, demo, signing_in, started, with_token};

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the end of time")
}

/// A `Date` header so many seconds from now.
fn date(ahead: i64) -> String {
    let time = OffsetDateTime::from_unix_timestamp(now() + ahead).expect("a time");
    time.format(&Rfc2822).expect("a date").replace("+0000", "GMT")
}

#[tokio::test]
async fn one_request_without_a_token_tells_how_the_tenant_is_reached() {
    let tenant = demo().await;
    let reach = signing_in(&tenant).reach().await.expect("reached");
    assert_eq!((reach.status, reach.tls, reach.proxy.as_ref()), (404, None, None));
    assert_eq!((reach.limit, reach.remaining), (None, None), "this tenant has no limits");
    assert!(reach.took > Duration::ZERO && reach.took < Duration::from_secs(40), "{reach:?}");
    let theirs = reach.server_time.expect("a Date header");
    assert!((now() - 60..=now()).contains(&theirs), "{reach:?}");
    assert!(reach.clock_ahead.is_some_and(|ahead| ahead.abs() <= 1 + reach.took.as_secs().cast_signed()), "{reach:?}");
    let paths: Vec<_> = tenant.requests().into_iter().map(|request| (request.method, request.path)).collect();
    assert_eq!(paths, [("GET".to_owned(), "/api/v2/".to_owned())]);
}

#[tokio::test]
async fn neither_token_nor_secret_goes_with_it() {
    let raw = Raw::answering(|_| open("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n")).await;
    let reach = with_token(&raw.url, "the-token").reach().await.expect("reached");
    assert_eq!((reach.status, reach.server_time, reach.clock_ahead), (401, None, None));
    let sent = raw.requests().concat();
    assert!(sent.starts_with("GET /api/v2/ HTTP/1.1\r\n") && sent.ends_with("\r\n\r\n"), "{sent}");
    assert!(!sent.contains("the-token") && !sent.to_lowercase().contains("authorization"), "{sent}");
}

#[tokio::test]
async fn clocks_that_differ_are_told_apart() {
    for (ahead, least, most) in [(0, -1, 1), (3600, -3602, -3597), (-90, 88, 93)] {
        let raw = Raw::answering(move |_| {
            let date = date(ahead);
            open(&format!("HTTP/1.1 404 Not Found\r\ndate: {date}\r\ncontent-length: 0\r\n\r\n"))
        })
        .await;
        let reach = with_token(&raw.url, "opaque").reach().await.expect("reached");
        let found = reach.clock_ahead.expect("a difference");
        assert!((least..=most).contains(&found), "{ahead}: {reach:?}");
    }
}

#[tokio::test]
async fn the_rate_limit_is_told_and_counted() {
    let tenant = started(Options { plan: Plan::Free, ..Options::default() }).await;
    let api = api(&tenant);
    let first = api.reach().await.expect("reached");
    let second = api.reach().await.expect("reached");
    let (limit, left) = (first.limit.expect("a limit"), first.remaining.expect("what is left"));
    assert!(left < limit, "{first:?}");
    assert_eq!(second.limit, Some(limit));
    assert!(second.remaining.is_some_and(|less| less < left), "{first:?} {second:?}");
    assert_eq!(api.pace().borrow().limit, Some(limit));
}

#[tokio::test]
async fn any_answer_is_enough_and_it_is_asked_for_once() {
    for status in
        ["200 OK", "302 Found\r\nlocation: http://127.0.0.1:1/", "429 Too Many Requests", "503 Service Unavailable"]
    {
        let raw = Raw::answering(move |_| open(&format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n"))).await;
        let reach = with_token(&raw.url, "opaque").reach().await.expect("reached");
        assert!(status.starts_with(&reach.status.to_string()), "{status}: {reach:?}");
        assert_eq!(raw.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn no_answer_is_an_error_that_names_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let host = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let error = with_token(&format!("http://{host}"), "the-token").reach().await.expect_err("nobody there");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::Unreachable, Applied::No));
    assert_eq!(error.to_string(), format!("could not connect: {host} cannot be reached: connection refused"));
    assert_discreet(&error, &["the-token".to_owned()]);
    let raw = Raw::answering(|_| last("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")).await;
    let error = with_token(&raw.url, "the-token").reach().await.expect_err("half an answer");
    assert_eq!((&error.kind, error.applied), (&ErrorKind::Broken, Applied::No));
    let host = raw.url.trim_start_matches("http://");
    assert!(error.to_string().starts_with(&format!("could not connect: the connection to {host} broke: ")), "{error}");
    assert_eq!(raw.requests().len(), 1);
}
