use std::io;
use std::net::{IpAddr, ToSocketAddrs as _};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use url::Host;

use super::{waited, within};
use crate::auth0::{Api, Error, Reach};
use crate::domain::preflight::{Finding, Standing, Topic};
use crate::domain::{Environment, RatePlan};

/// What is known of the way to the tenant.
pub(super) struct Way {
    pub(super) findings: Vec<Finding>,
    /// Something answered in the tenant's name.
    pub(super) reached: bool,
    /// How far this machine's clock is ahead of the server's, in seconds.
    pub(super) clock_ahead: Option<i64>,
}

pub(super) async fn look(api: &Api, keyed: bool, patience: Duration) -> Way {
    let base = api.domain().base();
    let port = base.port_or_known_default().unwrap_or(443);
    let resolving = async {
        let Some(Host::Domain(name)) = base.host() else { return None };
        let name = name.to_owned();
        let begun = Instant::now();
        let found = resolve(patience, move || {
            Ok((name.as_str(), port).to_socket_addrs()?.map(|address| address.ip()).collect())
        });
        Some((found.await, begun.elapsed()))
    };
    let named = async {
        let (found, took) = resolving.await?;
        Some(name(api.domain().host().as_str(), found, took, api.proxy().is_some(), patience))
    };
    let reaching = within(patience, api.reach());
    tokio::pin!(named, reaching);
    let is_wrong = |name: &Option<Finding>| name.as_ref().is_some_and(|name| name.standing == Standing::Problem);
    // Without an address there is nothing to connect to: one problem, not two, and nothing to wait for.
    let (name, reached) = tokio::select! {
        name = &mut named => {
            let reached = if is_wrong(&name) { None } else { reaching.await };
            (name, reached)
        }
        reached = &mut reaching => (named.await, reached),
    };
    let unnamed = is_wrong(&name);
    let mut findings: Vec<_> = name.into_iter().collect();
    findings.push(match api.proxy() {
        Some(proxy) => Finding::ok(Topic::Proxy, proxy.to_string()),
        None => Finding::ok(Topic::Proxy, "none"),
    });
    let clock_ahead = reached.as_ref().and_then(|reach| reach.as_ref().ok()?.clock_ahead);
    match &reached {
        Some(Err(_)) | None if unnamed => {}
        reached => findings.push(reach(reached.as_ref(), patience)),
    }
    findings.extend(clock_ahead.map(|ahead| clock(ahead, keyed)));
    Way { findings, reached: matches!(reached, Some(Ok(_))), clock_ahead }
}

/// Asks the name service, on a thread that nobody waits for at the end: it may keep that for as long as it likes.
async fn resolve(
    patience: Duration,
    lookup: impl FnOnce() -> io::Result<Vec<IpAddr>> + Send + 'static,
) -> Option<io::Result<Vec<IpAddr>>> {
    let (tell, told) = oneshot::channel();
    let asked = std::thread::Builder::new().name("name service".to_owned()).spawn(move || {
        // Whoever asked may have given up.
        let _ = tell.send(lookup());
    });
    if let Err(error) = asked {
        return Some(Err(error));
    }
    within(patience, told)
        .await
        .map(|told| told.unwrap_or_else(|_| Err(io::Error::other("the name service broke off"))))
}

fn name(
    host: &str,
    found: Option<io::Result<Vec<IpAddr>>>,
    took: Duration,
    proxied: bool,
    patience: Duration,
) -> Finding {
    let wrong = match found {
        Some(Ok(addresses)) if !addresses.is_empty() => {
            let mut texts: Vec<_> = addresses.iter().map(ToString::to_string).collect();
            texts.sort();
            texts.dedup();
            let more = if texts.len() > 3 { ", …" } else { "" };
            let shown = texts[..texts.len().min(3)].join(", ");
            return Finding::ok(Topic::Name, format!("{host} is {shown}{more} ({} ms)", took.as_millis()));
        }
        Some(Ok(_)) => "no address".to_owned(),
        Some(Err(error)) => error.to_string(),
        None => format!("the name service gave no answer within {}", waited(patience)),
    };
    if proxied {
        return Finding::ok(Topic::Name, format!("{host} has no address here, and needs none: the proxy looks it up"));
    }
    let what = format!("{host} cannot be resolved: {wrong}");
    Finding::problem(
        Topic::Name,
        what,
        "Check the domain, and this machine's network and name service. Where only a proxy leads out, set HTTPS_PROXY.",
    )
}

fn reach(reached: Option<&Result<Reach, Error>>, patience: Duration) -> Finding {
    match reached {
        Some(Ok(reach)) => {
            let tls = match (reach.tls, &reach.proxy) {
                (Some(version), _) => format!("TLS {version}"),
                (None, Some(_)) => "through the proxy".to_owned(),
                (None, None) => "no TLS".to_owned(),
            };
            let what = format!("answered after {} ms, {tls} (HTTP {})", reach.took.as_millis(), reach.status);
            match reach.status {
                300..=399 => Finding::problem(
                    Topic::Reach,
                    format!("{what}: it sends elsewhere"),
                    "Check the domain: no redirect is followed. A network's sign-in page may answer in its place.",
                ),
                500.. => Finding::warning(
                    Topic::Reach,
                    format!("{what}: the server has trouble"),
                    "Look at status.auth0.com, and at the proxy where there is one; then try again.",
                ),
                _ => Finding::ok(Topic::Reach, what),
            }
        }
        Some(Err(error)) => Finding::problem(Topic::Reach, error.message.shown(), &error.hint),
        None => Finding::problem(
            Topic::Reach,
            format!("no answer within {}", waited(patience)),
            "Check the network, firewalls and the proxy on the way: something takes the connection and says nothing.",
        ),
    }
}

/// A client assertion is good for 60 seconds by this machine's clock, and Auth0 allows ten between the clocks. Source: Auth0 docs,
/// authenticate with private key JWT. For other ways in a wrong clock only makes what is told here wrong.
fn clock(ahead: i64, keyed: bool) -> Finding {
    const MEND: &str = "Set this machine's clock: let it follow a time server (timedatectl set-ntp true).";
    let off = ahead.unsigned_abs();
    let direction = if ahead < 0 { "behind" } else { "ahead of" };
    let what = match off {
        0 => "the same as the server's".to_owned(),
        off => format!("{} {direction} the server's", super::token::span(off)),
    };
    match off {
        60.. if keyed => {
            let what = format!("{what}: assertions signed here are refused, Auth0 allows 10 seconds");
            Finding::problem(Topic::Clock, what, MEND)
        }
        10.. if keyed => {
            Finding::warning(Topic::Clock, format!("{what}; for private key JWT, Auth0 allows 10 seconds"), MEND)
        }
        30.. => Finding::warning(Topic::Clock, what, MEND),
        _ => Finding::ok(Topic::Clock, what),
    }
}

/// The plan, and for enterprise whether it is a production tenant, that a burst of so many tells of. Source: Auth0 docs, rate
/// limit configurations, August 2026.
fn guess(limit: u32) -> Option<(RatePlan, Option<Environment>)> {
    [
        (RatePlan::Free, None),
        (RatePlan::Enterprise, Some(Environment::Development)),
        (RatePlan::Enterprise, Some(Environment::Production)),
    ]
    .into_iter()
    .find(|(plan, environment)| plan.burst(*environment) == Some(limit))
}

pub(super) fn rate_limit(limit: Option<u32>, plan: Option<RatePlan>, environment: Option<Environment>) -> Finding {
    let Some(limit) = limit else {
        return Finding::ok(Topic::RateLimit, "not known: no answer had x-ratelimit-limit");
    };
    let guessed = guess(limit);
    let like = match guessed {
        Some((RatePlan::Enterprise, Some(Environment::Production))) => "as an enterprise plan gives production",
        Some((RatePlan::Enterprise, _)) => "as an enterprise plan gives what is not production",
        Some((_, _)) => "as the free plan gives",
        None => "which tells of no plan",
    };
    let what = format!("{limit} requests at once, {like}");
    let expected = plan.and_then(|plan| Some((plan, plan.burst(environment)?)));
    match (expected, guessed) {
        (Some((plan, burst)), _) if burst != limit => {
            let said = format!("{what}; by config.toml it is {burst} ({}", plan.name());
            let said = match environment {
                Some(environment) => format!("{said}, {})", environment.name()),
                None => format!("{said})"),
            };
            let mend = match guessed {
                Some((guessed, _)) if guessed == plan => {
                    "Set `environment` of the tenant to what it is for.".to_owned()
                }
                Some((guessed, _)) => format!("Set plan = \"{}\" for the tenant, or leave it out.", guessed.name()),
                None => "Leave `plan` out: the answers tell.".to_owned(),
            };
            Finding::warning(Topic::RateLimit, said, mend)
        }
        _ => Finding::ok(Topic::RateLimit, what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_name_service_that_says_nothing_is_not_waited_for() {
        let (_hold, held) = std::sync::mpsc::channel::<()>();
        let found = resolve(Duration::from_millis(20), move || {
            let _ = held.recv();
            Ok(Vec::new())
        });
        assert!(found.await.is_none());
        let finding = name("x.auth0.com", None, Duration::ZERO, false, Duration::from_secs(8));
        assert_eq!(finding.standing, Standing::Problem);
        assert!(finding.what.contains("no answer within 8 s"), "{}", finding.what);
    }

    #[test]
    fn behind_a_proxy_no_address_is_needed() {
        let gone = || Some(Err(io::Error::other("no such name")));
        let seconds = Duration::from_secs(1);
        assert_eq!(name("x", gone(), seconds, true, seconds).standing, Standing::Ok);
        assert_eq!(name("x", gone(), seconds, false, seconds).standing, Standing::Problem);
        let found = name("x", Some(Ok(vec![[127, 0, 0, 1].into(), [127, 0, 0, 1].into()])), seconds, false, seconds);
        assert_eq!(found.what, "x is 127.0.0.1 (1000 ms)");
    }

    #[test]
    fn a_clock_matters_more_where_it_is_signed_by() {
        for (ahead, keyed, standing) in [
            (0, true, Standing::Ok),
            (9, true, Standing::Ok),
            (-10, true, Standing::Warning),
            (-60, true, Standing::Problem),
            (300, true, Standing::Problem),
            (29, false, Standing::Ok),
            (-30, false, Standing::Warning),
            (86_400, false, Standing::Warning),
        ] {
            assert_eq!(clock(ahead, keyed).standing, standing, "{ahead} {keyed}");
        }
        assert_eq!(clock(-45, false).what, "45 seconds behind the server's");
        assert_eq!(clock(0, false).what, "the same as the server's");
    }

    #[test]
    fn the_plan_is_guessed_from_the_limit_and_compared() {
        use Environment::{Development, Production};
        use RatePlan::{Enterprise, Free, SelfService};
        assert_eq!(guess(2), Some((Free, None)));
        assert_eq!(guess(50), Some((Enterprise, Some(Production))));
        assert_eq!(guess(10).map(|(plan, _)| plan), Some(Enterprise));
        assert_eq!(guess(5), None);
        for (limit, plan, environment, mend) in [
            (Some(2), Some(Free), None, None),
            (Some(2), None, None, None),
            (None, Some(Free), None, None),
            (Some(7), Some(SelfService), None, None),
            (Some(50), Some(Enterprise), Some(Production), None),
            (
                Some(2),
                Some(Enterprise),
                Some(Development),
                Some("Set plan = \"free\" for the tenant, or leave it out."),
            ),
            (Some(50), Some(Enterprise), None, Some("Set `environment` of the tenant to what it is for.")),
            (Some(7), Some(Free), None, Some("Leave `plan` out: the answers tell.")),
        ] {
            assert_eq!(rate_limit(limit, plan, environment).mend.as_deref(), mend, "{limit:?} {plan:?}");
        }
        let told = rate_limit(Some(2), Some(Enterprise), Some(Production)).what;
        assert_eq!(
            told,
            "2 requests at once, as the free plan gives; by config.toml it is 50 (enterprise, production)"
        );
    }
}
