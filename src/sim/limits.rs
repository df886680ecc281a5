use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::http::{HeaderMap, HeaderValue};

/// The rate limits of the tenant's plan. Source: Auth0 docs, rate limit configurations, August 2026. For self-service plans
/// only figures of single endpoints are published; reading clients (burst 5, 100 a minute) stands for all of them here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Plan {
    /// No limit and no headers.
    #[default]
    Unlimited,
    /// Two a second, burst two.
    Free,
    /// A hundred a minute, burst five.
    SelfService,
    /// Sixteen a second, burst fifty.
    Enterprise,
}

impl Plan {
    /// All of them, by the names they have on the command line.
    pub const NAMES: [&'static str; 4] = ["unlimited", "free", "self-service", "enterprise"];

    /// Burst, and requests a second.
    fn figures(self) -> Option<(f64, f64)> {
        match self {
            Self::Unlimited => None,
            Self::Free => Some((2.0, 2.0)),
            Self::SelfService => Some((5.0, 100.0 / 60.0)),
            Self::Enterprise => Some((50.0, 16.0)),
        }
    }
}

impl FromStr for Plan {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "unlimited" => Ok(Self::Unlimited),
            "free" => Ok(Self::Free),
            "self-service" => Ok(Self::SelfService),
            "enterprise" => Ok(Self::Enterprise),
            _ => Err(format!("expected one of {}", Self::NAMES.join(", "))),
        }
    }
}

/// A token bucket for the Management API.
pub(super) struct Limits {
    figures: Option<(f64, f64)>,
    bucket: Mutex<(f64, Instant)>,
}

/// What one request found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) refused: bool,
    limit: u32,
    remaining: u32,
    reset: u64,
}

impl Limits {
    pub(super) fn new(plan: Plan) -> Self {
        let figures = plan.figures();
        let full = figures.map_or(0.0, |(burst, _)| burst);
        Self { figures, bucket: Mutex::new((full, Instant::now())) }
    }

    /// Takes one request out of the bucket. The token endpoint has a bucket of its own, far larger, which is not played.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the figures are small and positive")]
    pub(super) fn take(&self, path: &str) -> Option<Found> {
        let (burst, rate) = self.figures?;
        if !path.starts_with("/api/v2/") {
            return None;
        }
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        let (level, at) = *bucket;
        let now = Instant::now();
        let level = (level + now.duration_since(at).as_secs_f64() * rate).min(burst);
        let refused = level < 1.0;
        let level = if refused { level } else { level - 1.0 };
        *bucket = (level, now);
        let seconds_to_next = ((1.0 - level.fract()) / rate).max(0.0);
        let clock = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |since| since.as_secs_f64());
        Some(Found {
            refused,
            limit: burst as u32,
            remaining: level as u32,
            reset: (clock + seconds_to_next).ceil() as u64,
        })
    }
}

impl Found {
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        headers.insert("x-ratelimit-limit", HeaderValue::from(self.limit));
        headers.insert("x-ratelimit-remaining", HeaderValue::from(self.remaining));
        headers.insert("x-ratelimit-reset", HeaderValue::from(self.reset));
        if self.refused {
            headers.insert("retry-after", HeaderValue::from(1));
        }
    }
}
