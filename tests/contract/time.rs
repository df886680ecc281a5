//! Servers that never answer. The runtime's clock is stopped once the request is with the server, and put forward by hand: nobody
//! waits forty seconds for this.
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rollover::auth0::{Api, Applied, Error, ErrorKind};
use rollover::domain::rotation::{Progress, Step};
use rollover::rollover::rotate_now;
use tokio::task::yield_now;
use tokio::time::{Instant, advance, pause, resume};

use super::raw::{Raw, open};
use super::{BILLING, ROTATE, api, assert_discreet, billing, desk, faulty, private, rotations, with_token};

/// Lets time pass, second by second, until something has happened; says how much it took.
pub async fn pass_until(happened: impl Fn() -> bool) -> Duration {
    pause();
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < Duration::from_mins(2), "it waits for ever");
        advance(Duration::from_secs(1)).await;
        // Bytes that are under way arrive meanwhile: the sockets are looked at every so many turns.
        for _ in 0..200 {
            yield_now().await;
        }
    }
    let took = begun.elapsed();
    resume();
    took
}

/// Rotates at a server that does not answer, and has `there` say when the request has come.
async fn rotated(api: Api, there: impl Fn() -> bool) -> (Error, Duration) {
    let rotation = tokio::spawn(async move { api.rotate_secret(BILLING, "an-id").await });
    while !there() {
        yield_now().await;
    }
    let took = pass_until(|| rotation.is_finished()).await;
    (rotation.await.expect("it ended").expect_err("no answer"), took)
}

#[tokio::test]
async fn a_rotation_that_is_never_answered_is_in_doubt_after_forty_seconds() {
    for when in ["before", "after"] {
        let tenant = faulty(&format!("{ROTATE}when = \"{when}\"\nhang = true\n")).await;
        let old = tenant.secret_of(BILLING);
        let there = || rotations(&tenant).len() == 1 && (when == "before" || tenant.secret_of(BILLING) != old);
        let (error, took) = rotated(api(&tenant), there).await;
        assert_eq!((&error.kind, error.applied), (&ErrorKind::TimedOut, Applied::InDoubt));
        assert!(error.hint.contains("may or may not"), "{}", error.hint);
        assert!((39..=45).contains(&took.as_secs()), "{took:?}");
        assert_discreet(&error, &private(&tenant));
        assert_eq!(rotations(&tenant).len(), 1);
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up_after_thirty_seconds() {
    for bytes in [
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"client_id\"",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\n{\r\n",
        "HTTP/1.1 200 OK\r\n\r\n",
    ] {
        let raw = Raw::answering(move |_| open(bytes)).await;
        let (error, took) = rotated(with_token(&raw.url, "opaque"), || !raw.requests().is_empty()).await;
        assert_eq!((&error.kind, error.applied), (&ErrorKind::TimedOut, Applied::InDoubt));
        assert!(error.message.raw().contains("not complete"), "{error}");
        assert!((29..=35).contains(&took.as_secs()), "{took:?}");
        assert_eq!(raw.requests().len(), 1);
    }
}

#[tokio::test]
async fn after_the_wait_a_read_settles_the_doubt() {
    let tenant = faulty(&format!("{ROTATE}hang = true\n")).await;
    let (ended, sender) = (std::sync::Arc::new(AtomicBool::new(false)), api(&tenant));
    let flag = std::sync::Arc::clone(&ended);
    let rotation = tokio::spawn(async move {
        let mut listener = |progress| {
            if matches!(progress, Progress::Ended(report) if report.step == Step::Rotate) {
                flag.store(true, Ordering::SeqCst);
            }
        };
        rotate_now(&desk(sender), &billing(), &mut listener).await
    });
    while rotations(&tenant).is_empty() {
        yield_now().await;
    }
    pass_until(|| ended.load(Ordering::SeqCst)).await;
    let done = rotation.await.expect("it ended").expect("a read settles it");
    assert_eq!(done.secret.map(|new| new.expose().to_owned()), tenant.secret_of(BILLING));
    assert_eq!(rotations(&tenant), [0], "one request, never answered");
}
