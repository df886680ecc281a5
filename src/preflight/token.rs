use std::time::Duration;

use time::OffsetDateTime;
use time::macros::format_description;

use super::tenant::Target;
use super::{client, count, waited, within};
use crate::auth0::{Api, Error, ErrorKind, Session};
use crate::domain::preflight::{Finding, Standing, Topic};
use crate::domain::scopes::{READ_CLIENT_KEYS, READ_CLIENTS, UPDATE_CLIENT_KEYS};
use crate::domain::untrusted::shown;
use crate::domain::{Ability, Environment, Greeting, Scopes, WayIn};

/// A token that is not renewed by itself is worth a warning when it has so many seconds left.
const SOON: i64 = 3600;

/// What it takes to do what rollover is for; the other scopes are a matter of taste.
const NEEDED: [&str; 3] = [READ_CLIENTS, UPDATE_CLIENT_KEYS, READ_CLIENT_KEYS];

const DASHBOARD: &str = "dashboard, Applications, APIs, Auth0 Management API, Machine to Machine Applications";

pub(super) async fn look(
    target: &Target<'_>,
    api: &Api,
    reached: bool,
    clock_ahead: Option<i64>,
    patience: Duration,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    // Getting one would fail for the reason that is told already.
    if !reached && api.renews() && !target.is_open() {
        return findings;
    }
    let session = match within(patience, api.session()).await {
        Some(Ok(session)) => session,
        _ if !reached => return findings,
        Some(Err(error)) => {
            findings.push(no_token(&error));
            return findings;
        }
        None => {
            let what = format!("the token endpoint gave no answer within {}", waited(patience));
            findings.push(Finding::problem(Topic::Reach, what, "Try again; look at status.auth0.com."));
            return findings;
        }
    };
    // The server's clock decides, where it is known.
    let now = OffsetDateTime::now_utc().unix_timestamp() - clock_ahead.unwrap_or(0);
    let valid = validity(session.expires_at, now, session.renews, &anew(target));
    let expired = valid.standing == Standing::Problem;
    findings.push(valid);
    if reached && !expired {
        let greeting = within(patience, api.greet()).await;
        findings.push(acceptance(greeting.as_ref(), &session.scopes, patience));
        if let Some(Ok(greeting)) = &greeting {
            let profile = target.profile();
            findings.extend(environment(greeting, profile.environment, target.is_stored()));
        }
    }
    findings.extend(scopes(&session, target.way()));
    findings
}

fn no_token(error: &Error) -> Finding {
    let topic = match error.kind {
        ErrorKind::Unreachable
        | ErrorKind::TimedOut
        | ErrorKind::Broken
        | ErrorKind::Server
        | ErrorKind::RateLimited => Topic::Reach,
        _ => Topic::Validity,
    };
    Finding::problem(topic, error.to_string(), &error.hint)
}

/// How to get another token, where that is not done by itself.
fn anew(target: &Target<'_>) -> String {
    match (target.way(), target.variable()) {
        (Some(WayIn::Auth0Cli), _) => "Run: auth0 login --scopes update:client_keys".to_owned(),
        (_, Some(variable)) => format!("Get a new token, and set {variable} to it."),
        _ if target.is_stored() => {
            let name = shown(&target.profile().name);
            format!(
                "`rollover login --tenant {name}` takes a new one; with a client instead it would be renewed by itself."
            )
        }
        _ => "Sign in with a new one; with a client instead it would be renewed by itself.".to_owned(),
    }
}

fn validity(expires_at: Option<i64>, now: i64, renews: bool, anew: &str) -> Finding {
    let Some(at) = expires_at else {
        return Finding::ok(Topic::Validity, "the token does not tell until when");
    };
    let when = moment(at, now);
    if at <= now {
        return Finding::problem(Topic::Validity, format!("expired: {when}"), anew);
    }
    let what = format!("until {when}");
    match (renews, at - now) {
        (true, _) => Finding::ok(Topic::Validity, format!("{what}; renewed by itself")),
        (false, ..=SOON) => Finding::warning(Topic::Validity, format!("{what}; not renewed by itself"), anew),
        (false, _) => Finding::ok(Topic::Validity, format!("{what}; not renewed by itself")),
    }
}

/// A moment, and how far it is from now: `2026-11-25 03:00 UTC, in 23 hours`.
pub(super) fn moment(at: i64, now: i64) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    let date = OffsetDateTime::from_unix_timestamp(at).ok().and_then(|date| date.format(format).ok());
    let far = span(at.abs_diff(now));
    let far = if at < now { format!("{far} ago") } else { format!("in {far}") };
    date.map_or_else(|| far.clone(), |date| format!("{date}, {far}"))
}

/// So many seconds, in the unit that says enough.
pub(super) fn span(seconds: u64) -> String {
    let (number, unit) = match seconds {
        ..120 => (seconds, "second"),
        120..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    count(usize::try_from(number).unwrap_or(usize::MAX), unit)
}

fn acceptance(greeting: Option<&Result<Greeting, Error>>, scopes: &Scopes, patience: Duration) -> Finding {
    match greeting {
        Some(Ok(Greeting { cannot_list: None, friendly_name, .. })) => {
            let name = friendly_name.as_ref().map(|name| format!(" of {}", name.shown())).unwrap_or_default();
            Finding::ok(Topic::Acceptance, format!("the Management API{name} takes it"))
        }
        // The scope that it lacks is told among the others.
        Some(Ok(_)) if !scopes.list_clients().may() => {
            Finding::ok(Topic::Acceptance, "the Management API takes it, and lists no clients")
        }
        Some(Ok(Greeting { cannot_list: Some(why), .. })) => Finding::warning(Topic::Acceptance, why, ""),
        Some(Err(error)) => {
            let passing = matches!(
                error.kind,
                ErrorKind::Unreachable
                    | ErrorKind::TimedOut
                    | ErrorKind::Broken
                    | ErrorKind::Server
                    | ErrorKind::RateLimited
            );
            let finding = if passing { Finding::warning } else { Finding::problem };
            finding(Topic::Acceptance, error.to_string(), error.hint.clone())
        }
        None => Finding::warning(
            Topic::Acceptance,
            format!("not known: the Management API gave no answer within {}", waited(patience)),
            "Try again; look at status.auth0.com.",
        ),
    }
}

fn environment(greeting: &Greeting, ours: Option<Environment>, stored: bool) -> Option<Finding> {
    match (ours, greeting.environment) {
        (Some(ours), Some(theirs)) if ours != theirs => Some(Finding::warning(
            Topic::Environment,
            format!("{} by config.toml, {} by the tenant's own settings", ours.name(), theirs.name()),
            format!("Set environment = \"{}\" for the tenant: production asks more before a change.", theirs.name()),
        )),
        (Some(ours), _) => Some(Finding::ok(Topic::Environment, ours.name())),
        (None, Some(theirs)) => {
            let what = format!("{} by the tenant's own settings, nothing by config.toml", theirs.name());
            Some(Finding::ok(Topic::Environment, what))
        }
        (None, None) if stored => Some(
            Finding::ok(Topic::Environment, "not said")
                .advising("Set `environment` for the tenant: production asks more before a change."),
        ),
        (None, None) => None,
    }
}

fn scopes(session: &Session, way: Option<&WayIn>) -> Vec<Finding> {
    let scopes = &session.scopes;
    let absent: Vec<_> = Scopes::PURPOSES.iter().filter(|(ability, ..)| !ability(scopes).may()).collect();
    let wanted: Vec<_> = absent.iter().map(|(_, scope, _)| *scope).collect();
    let mut findings: Vec<_> = Scopes::PURPOSES
        .iter()
        .map(|(ability, scope, what)| {
            let topic = Topic::Scope(scope);
            match ability(scopes) {
                Ability::Yes if scopes.has(scope) == Some(false) => {
                    Finding::ok(topic, format!("absent, but another does: {what}"))
                }
                Ability::Yes => Finding::ok(topic, format!("present: {what}")),
                Ability::Unknown => Finding::ok(topic, format!("not known, the token does not tell: {what}")),
                Ability::No { .. } => {
                    let mend = grant(scope, &wanted, session, way);
                    if NEEDED.contains(scope) {
                        Finding::warning(topic, format!("absent, so it cannot {what}"), mend)
                    } else {
                        Finding::ok(topic, format!("absent, so it cannot {what}")).advising(mend)
                    }
                }
            }
        })
        .collect();
    let others = scopes.names().filter(|name| !is_used(name)).count();
    if others > 0 {
        let what = format!("{} that rollover has no use for", count(others, "scope"));
        findings.push(Finding::ok(Topic::OtherScopes, what));
    }
    findings
}

/// Whether rollover does something with a scope, or takes it in the place of another.
fn is_used(scope: &str) -> bool {
    let alternatives = ["read:client_summary", "read:client_credentials", "read:logs_users", "read:tenant_settings"];
    Scopes::PURPOSES.iter().any(|(_, known, _)| *known == scope) || alternatives.contains(&scope)
}

fn grant(scope: &str, wanted: &[&str], session: &Session, way: Option<&WayIn>) -> String {
    match (way, session.our_client_id.as_deref()) {
        // All at once: each sign-in asks for its own scopes only.
        (Some(WayIn::Auth0Cli), _) => format!("Run: auth0 login --scopes {}", wanted.join(",")),
        (Some(WayIn::ClientSecret { .. } | WayIn::PrivateKeyJwt { .. }), Some(id)) => {
            format!("Grant {scope} to {}: {DASHBOARD}.", client(id))
        }
        _ => format!("Get a token of a client that has {scope}: {DASHBOARD}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_utc_and_in_words() {
        assert_eq!(moment(1_790_000_000, 1_790_000_000 - 86_000), "2026-09-21 14:13 UTC, in 23 hours");
        assert_eq!(moment(1_790_000_000, 1_790_000_001), "2026-09-21 14:13 UTC, 1 second ago");
        assert_eq!(moment(i64::MAX, 0), format!("in {} days", i64::MAX / 86_400));
        for (seconds, text) in [(119, "119 seconds"), (120, "2 minutes"), (7200, "2 hours"), (172_800, "2 days")] {
            assert_eq!(span(seconds), text);
        }
    }

    #[test]
    fn a_token_that_nobody_renews_is_told_an_hour_before() {
        for (left, renews, standing) in [
            (3601, false, Standing::Ok),
            (3600, false, Standing::Warning),
            (10, true, Standing::Ok),
            (0, false, Standing::Problem),
            (-5, true, Standing::Problem),
        ] {
            let found = validity(Some(1000 + left), 1000, renews, "Get another.");
            assert_eq!(found.standing, standing, "{left} {renews}");
            assert_eq!(found.mend.is_some(), standing != Standing::Ok);
        }
        assert_eq!(validity(None, 0, false, "").standing, Standing::Ok);
    }

    fn found(claim: Option<&str>, way: &WayIn) -> Vec<Finding> {
        let scopes = claim.map_or_else(Scopes::unknown, Scopes::from_claim);
        let session =
            Session { scopes, expires_at: None, renews: true, our_client_id: Some("abc".into()), proxy: None };
        scopes_of(&session, way)
    }

    fn scopes_of(session: &Session, way: &WayIn) -> Vec<Finding> {
        scopes(session, Some(way))
    }

    #[test]
    fn an_absent_scope_says_what_it_disables_and_who_grants_it() {
        let of = |all: &[Finding], scope: &'static str| {
            all.iter().find(|one| one.topic == Topic::Scope(scope)).cloned().expect("each is told")
        };
        let machine = WayIn::ClientSecret { client_id: "abc".into() };
        let all = found(Some("read:client_keys create:users"), &machine);
        assert_eq!(of(&all, READ_CLIENTS).what, "absent, but another does: list clients and read their settings");
        let rotate = of(&all, UPDATE_CLIENT_KEYS);
        assert_eq!(
            (rotate.standing, rotate.what.as_str()),
            (Standing::Warning, "absent, so it cannot rotate client secrets")
        );
        assert!(rotate.mend.is_some_and(|mend| mend.starts_with("Grant update:client_keys to abc: dashboard")));
        let logs = of(&all, "read:logs");
        assert!(logs.standing == Standing::Ok && logs.mend.is_some(), "{logs:?}");
        assert!(all.iter().any(|one| one.what == "1 scope that rollover has no use for"));
        let cli = of(&found(Some("read:clients read:logs update:clients"), &WayIn::Auth0Cli), READ_CLIENT_KEYS);
        assert_eq!(cli.mend.as_deref(), Some("Run: auth0 login --scopes update:client_keys,read:client_keys"));
        let opaque = found(None, &WayIn::Token);
        assert_eq!(opaque.len(), 5);
        assert!(opaque.iter().all(|one| one.standing == Standing::Ok && one.what.starts_with("not known")));
    }

    #[test]
    fn a_tenant_that_says_it_is_production_is_believed_over_the_file() {
        use Environment::{Development, Production};
        let greeting = |environment| Greeting { environment, ..Greeting::default() };
        let found = environment(&greeting(Some(Production)), Some(Development), true).expect("a finding");
        assert_eq!(found.standing, Standing::Warning);
        assert!(found.mend.is_some_and(|mend| mend.contains("environment = \"production\"")));
        let found = environment(&greeting(None), Some(Production), true).expect("a finding");
        assert_eq!(found.standing, Standing::Ok);
        assert_eq!(environment(&greeting(None), None, false), None);
    }
}
