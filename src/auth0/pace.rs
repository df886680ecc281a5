use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use reqwest::header::HeaderMap;
use tokio::sync::watch;

use super::error::{Error, ErrorKind};

/// What is known of the rate limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pace {
    /// Requests wait at the moment.
    pub waiting: Option<Waiting>,
    /// `x-ratelimit-limit` of the latest answer.
    pub limit: Option<u32>,
    /// `x-ratelimit-remaining` of the latest answer.
    pub remaining: Option<u32>,
}

/// A wait that has begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How long it is in all, seconds, rounded up.
    pub seconds: u64,
}

/// The longest wait that a header can ask for.
const LONGEST: Duration = Duration::from_mins(1);

/// Holds requests back so that the server need not refuse them.
#[derive(Default)]
pub(super) struct Pacer {
    bucket: Mutex<Bucket>,
    told: watch::Sender<Pace>,
}

#[derive(Default)]
struct Bucket {
    remaining: Option<u32>,
    closed_until: Option<Instant>,
    /// When the server adds to the bucket again, by its latest answer.
    reset: Option<Instant>,
    /// Whether the server has refused a request for the limit.
    refused: bool,
}

impl Pacer {
    /// One that may let `burst` requests out before the first answer tells more; `None`: as many as there are.
    pub(super) fn new(burst: Option<u32>) -> Self {
        let bucket = Bucket { remaining: burst, ..Bucket::default() };
        Self { bucket: Mutex::new(bucket), told: watch::Sender::default() }
    }

    pub(super) fn watch(&self) -> watch::Receiver<Pace> {
        self.told.subscribe()
    }

    /// Waits until a request may go out, and counts it.
    pub(super) async fn enter(&self) {
        loop {
            let wait = {
                let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
                let now = Instant::now();
                if bucket.closed_until.is_some_and(|until| until <= now) {
                    // The bucket has been added to, nobody knows how much: one request goes ahead and learns.
                    bucket.closed_until = None;
                    bucket.remaining = Some(1);
                }
                match (bucket.closed_until, bucket.remaining) {
                    (Some(until), _) => Some(until - now),
                    (None, Some(0)) => {
                        let until = bucket.reset.filter(|reset| *reset > now).unwrap_or(now + Duration::from_secs(1));
                        bucket.closed_until = Some(until);
                        Some(until - now)
                    }
                    (None, remaining) => {
                        bucket.remaining = remaining.map(|count| count - 1);
                        None
                    }
                }
            };
            let Some(wait) = wait else { return };
            self.say_waiting(Some(wait));
            tokio::time::sleep(wait).await;
            self.say_waiting(None);
        }
    }

    /// Says that a wait has begun or ended.
    pub(super) fn say_waiting(&self, wait: Option<Duration>) {
        let waiting = wait.map(|wait| Waiting { seconds: wait.as_millis().div_ceil(1000).try_into().unwrap_or(60) });
        self.told.send_if_modified(|pace| std::mem::replace(&mut pace.waiting, waiting) != waiting);
    }

    /// Takes in what an answer tells.
    pub(super) fn learn(&self, status: u16, headers: &HeaderMap) {
        let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
        let (limit, remaining) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining"));
        let now = Instant::now();
        {
            let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever was refused has waited too little: from then on only the server's clock counts.
            bucket.refused |= status == 429;
            let clock = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
            let wait = wait_asked_for(headers, clock.filter(|_| !bucket.refused));
            if let Some(remaining) = remaining {
                // Answers of several requests may overtake each other: the smaller number is the later one, unless time
                // has been added meanwhile.
                let fresh = bucket.reset.is_none_or(|reset| reset <= now);
                bucket.remaining = Some(match bucket.remaining {
                    Some(known) if !fresh => known.min(remaining),
                    _ => remaining,
                });
            } else if status < 400 {
                // Who answers and tells of no limit has none: a proxy's refusal, say, came from elsewhere.
                bucket.remaining = None;
            }
            if let Some(wait) = wait {
                bucket.reset = Some(now + wait);
            }
            if status == 429 {
                bucket.remaining = Some(0);
                bucket.closed_until = Some(now + wait.unwrap_or(Duration::from_secs(1)));
            }
        }
        self.told.send_if_modified(|pace| {
            let before = pace.clone();
            pace.limit = limit.or(pace.limit);
            pace.remaining = remaining.or(pace.remaining);
            before.limit != pace.limit
        });
    }
}

/// Which rate limit a request stands under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// The Management API's: the pacer holds the next request back as long as the server asked; see [`Pacer::learn`].
    Paced,
    /// Another, that the pacer does not know of: the token endpoint's.
    Other,
}

/// Waits before the next try of a request that changes nothing, or gives the error back: four tries, full jitter between
/// half a second and eight, or as long as the server asks; after a minute there is no other, but for the rate limit, whose
/// waits are told on screen.
pub(super) async fn pause_before_retry(
    attempt: u32,
    begun: tokio::time::Instant,
    error: Error,
    limit: Limit,
) -> Result<(), Error> {
    const TRIES: u32 = 4;
    const IN_ALL: Duration = Duration::from_mins(1);
    let worth_it =
        matches!(error.kind, ErrorKind::RateLimited | ErrorKind::Server | ErrorKind::TimedOut | ErrorKind::Broken);
    if !worth_it || attempt + 1 >= TRIES {
        return Err(error);
    }
    if error.kind == ErrorKind::RateLimited {
        let wait = match limit {
            Limit::Paced => Duration::ZERO,
            Limit::Other => error.retry_after.unwrap_or(Duration::from_secs(1)),
        };
        tokio::time::sleep(wait + Duration::from_millis(fastrand::u64(20..120))).await;
        return Ok(());
    }
    if begun.elapsed() > IN_ALL {
        return Err(error);
    }
    let most = (500_u64 << attempt).min(8000);
    tokio::time::sleep(Duration::from_millis(fastrand::u64(most / 2..=most))).await;
    Ok(())
}

/// The server's own clock, as its `Date` header shows it.
pub(super) fn server_time(headers: &HeaderMap) -> Option<time::OffsetDateTime> {
    let text = headers.get("date")?.to_str().ok()?;
    time::OffsetDateTime::parse(text.trim(), &time::format_description::well_known::Rfc2822).ok()
}

/// How long the server asks to wait, by `Retry-After` or `x-ratelimit-reset`, measured on the server's own clock. That one is
/// known by whole seconds only; where ours, since 1970, shows the same second, it is taken to tell what is between them: else
/// half of the requests that the limit allows would be waited away.
pub(super) fn wait_asked_for(headers: &HeaderMap, ours: Option<Duration>) -> Option<Duration> {
    /// So much may the two clocks differ, and an answer take.
    const MARGIN: Duration = Duration::from_millis(40);

    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let date = || server_time(headers);
    let clamp = |seconds: i64| Duration::from_secs(u64::try_from(seconds).unwrap_or(0)).min(LONGEST);
    if let Some(value) = text("retry-after") {
        if let Ok(seconds) = value.parse::<i64>() {
            return Some(clamp(seconds));
        }
        if let Ok(until) = time::OffsetDateTime::parse(value, &time::format_description::well_known::Rfc2822)
            && let Some(now) = date()
        {
            return Some(clamp((until - now).whole_seconds()));
        }
    }
    let reset: i64 = text("x-ratelimit-reset")?.parse().ok()?;
    let date = date()?.unix_timestamp();
    // Both are whole seconds: the real wait may be up to one longer than the difference.
    let safe = clamp(reset.saturating_sub(date).max(1));
    let same_second = |ours: &Duration| i64::try_from(ours.as_secs()) == Ok(date);
    let Some(ours) = ours.filter(same_second) else { return Some(safe) };
    let until = Duration::from_secs(u64::try_from(reset).unwrap_or_default());
    let wait = until.saturating_sub(ours) + MARGIN;
    // Where a second gives two requests, a few milliseconds less than a second give one.
    let whole = Duration::from_secs(wait.as_secs() + 1);
    Some(if whole.saturating_sub(wait) < Duration::from_millis(100) { whole } else { wait }.min(safe))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| ((*name).parse().expect("name"), value.parse().expect("value"))).collect()
    }

    #[test]
    fn waits_are_measured_on_the_servers_clock_and_clamped() {
        let date = ("date", "Tue, 24 Nov 2026 12:00:00 GMT");
        let seconds = |pairs: &[_]| wait_asked_for(&headers(pairs), None).map(|wait| wait.as_secs());
        assert_eq!(seconds(&[("retry-after", "5")]), Some(5));
        assert_eq!(seconds(&[("retry-after", "1000000000")]), Some(60));
        assert_eq!(seconds(&[("retry-after", "-1")]), Some(0));
        assert_eq!(seconds(&[("retry-after", "soon")]), None);
        assert_eq!(seconds(&[date, ("retry-after", "Tue, 24 Nov 2026 12:00:07 GMT")]), Some(7));
        assert_eq!(seconds(&[date, ("x-ratelimit-reset", "1795521603")]), Some(3));
        assert_eq!(seconds(&[("x-ratelimit-reset", "1795521603")]), None, "without the server's clock it says nothing");
        assert_eq!(seconds(&[]), None);
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_refusal_an_answer_that_tells_of_no_limit_ends_the_waiting() {
        let pacer = Pacer::new(None);
        pacer.learn(429, &headers(&[("retry-after", "0")]));
        let waits = pacer.watch();
        pacer.enter().await;
        pacer.learn(502, &HeaderMap::new());
        assert_eq!(pacer.bucket.lock().expect("nobody panicked").remaining, Some(0), "that told nothing");
        pacer.learn(200, &HeaderMap::new());
        for _ in 0..3 {
            pacer.enter().await;
        }
        assert!(!waits.has_changed().expect("it is there"), "nobody waited");
        pacer.learn(200, &headers(&[("x-ratelimit-remaining", "0")]));
        assert_eq!(pacer.bucket.lock().expect("nobody panicked").remaining, Some(0), "a limit that is told counts");
    }

    #[test]
    fn our_clock_tells_the_parts_of_a_second_where_it_shows_the_same_one() {
        // Tue, 24 Nov 2026 12:00:00 GMT is 1795521600.
        let headers = headers(&[("date", "Tue, 24 Nov 2026 12:00:00 GMT"), ("x-ratelimit-reset", "1795521602")]);
        let wait = |ours| wait_asked_for(&headers, Some(Duration::from_millis(ours)));
        assert_eq!(wait(1_795_521_600_700), Some(Duration::from_millis(1340)));
        assert_eq!(wait(1_795_521_600_000), Some(Duration::from_secs(2)), "never longer than without it");
        assert_eq!(wait(1_795_521_600_100), Some(Duration::from_secs(2)), "a second that is all but whole is made so");
        for other in [1_795_521_599_999, 1_795_521_601_000, 0, 1_895_521_600_000] {
            assert_eq!(wait(other), Some(Duration::from_secs(2)), "a clock that shows another second tells nothing");
        }
    }
}
