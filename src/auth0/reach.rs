use std::time::{Duration, Instant, SystemTime};

use super::pace::server_time;
use super::transport::ONE;
use super::{Api, Error, Proxy};

/// What one request without a token tells of the way to a tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// HTTP status. Any will do: something answered in the tenant's name.
    pub status: u16,
    /// From the request to the end of its answer; with the making of the connection, where none was kept.
    pub took: Duration,
    /// The server's clock by its `Date` header: seconds since 1970.
    pub server_time: Option<i64>,
    /// How far this machine's clock is ahead of the server's, in seconds; negative: behind.
    pub clock_ahead: Option<i64>,
    /// The version of TLS, such as `1.3`. `None` without TLS, and through a proxy, where it is not known.
    pub tls: Option<&'static str>,
    /// The proxy on the way.
    pub proxy: Option<Proxy>,
    /// `x-ratelimit-limit` of the latest answer that had one.
    pub limit: Option<u32>,
    /// `x-ratelimit-remaining` of the latest answer that had one.
    pub remaining: Option<u32>,
}

impl Api {
    /// Asks the Management API for nothing in particular, once and without a token: to see whether and how it is reached.
    /// A tenant answers 404, or 401.
    ///
    /// # Errors
    /// Where no whole answer came: the connection could not be made, broke, or took too long.
    pub async fn reach(&self) -> Result<Reach, Error> {
        let url = self.0.transport.url("/api/v2/");
        self.0.pacer.enter().await;
        let (begun, clock) = (Instant::now(), SystemTime::now());
        let sent = self.0.transport.read(|client| client.get(url), ONE).await;
        let took = begun.elapsed();
        let answer = sent.map_err(|failure| failure.into_error("connect", false))?;
        self.0.pacer.learn(answer.status, &answer.headers);
        let pace = self.0.pacer.watch().borrow().clone();
        let server_time = server_time(&answer.headers).map(time::OffsetDateTime::unix_timestamp);
        Ok(Reach {
            status: answer.status,
            took,
            server_time,
            clock_ahead: server_time.and_then(|theirs| ahead(clock + took / 2, theirs)),
            tls: answer.tls,
            proxy: self.0.transport.proxy().cloned(),
            limit: pace.limit,
            remaining: pace.remaining,
        })
    }
}

/// Halfway between request and answer the server wrote down its time, without what was past the second: half of one on average.
fn ahead(ours: SystemTime, theirs: i64) -> Option<i64> {
    let ours = ours.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let halves = i64::try_from(ours.as_millis()).ok()? - theirs.checked_mul(1000)? - 500;
    // To the nearest second, so that clocks that agree differ by nothing.
    Some((halves.abs() + 500) / 1000 * halves.signum())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_compared_to_the_nearest_second() {
        let ours = |millis| SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
        for (millis, theirs, expected) in
            [(10_001, 10, 0), (10_999, 10, 0), (11_700, 10, 1), (9_300, 10, -1), (75_500, 10, 65), (5_500, 10, -5)]
        {
            assert_eq!(ahead(ours(millis), theirs), Some(expected), "{millis}");
        }
        assert_eq!(ahead(ours(0), i64::MIN), None);
    }
}
