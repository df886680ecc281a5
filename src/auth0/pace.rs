use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::header::HeaderMap;
use tokio::sync::watch;

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
}

impl Pacer {
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
        let wait = wait_asked_for(headers);
        let now = Instant::now();
        {
            let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(remaining) = remaining {
                // Answers of several requests may overtake each other: the smaller number is the later one, unless time
                // has been added meanwhile.
                let fresh = bucket.reset.is_none_or(|reset| reset <= now);
                bucket.remaining = Some(match bucket.remaining {
                    Some(known) if !fresh => known.min(remaining),
                    _ => remaining,
                });
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

/// How long the server asks to wait, by `Retry-After` or `x-ratelimit-reset`, measured on the server's own clock.
pub(super) fn wait_asked_for(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let date = || {
        let rfc = time::format_description::well_known::Rfc2822;
        time::OffsetDateTime::parse(text("date")?, &rfc).ok()
    };
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
    // Both clocks count whole seconds: the real wait may be up to one longer than the difference.
    Some(clamp(reset.saturating_sub(date()?.unix_timestamp()).max(1)))
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
        let seconds = |pairs: &[_]| wait_asked_for(&headers(pairs)).map(|wait| wait.as_secs());
        assert_eq!(seconds(&[("retry-after", "5")]), Some(5));
        assert_eq!(seconds(&[("retry-after", "1000000000")]), Some(60));
        assert_eq!(seconds(&[("retry-after", "-1")]), Some(0));
        assert_eq!(seconds(&[("retry-after", "soon")]), None);
        assert_eq!(seconds(&[date, ("retry-after", "Tue, 24 Nov 2026 12:00:07 GMT")]), Some(7));
        assert_eq!(seconds(&[date, ("x-ratelimit-reset", "1795521603")]), Some(3));
        assert_eq!(seconds(&[("x-ratelimit-reset", "1795521603")]), None, "without the server's clock it says nothing");
        assert_eq!(seconds(&[]), None);
    }
}
