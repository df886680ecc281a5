use std::time::Duration;

use time::OffsetDateTime;

use super::{waited, within};
use crate::domain::Surroundings;
use crate::domain::preflight::{Finding, Topic};
use crate::tenants::Tenants;
use crate::tenants::keyring::{KeyringState, KeyringStatus};

pub(super) async fn look(tenants: &Tenants, patience: Duration) -> Vec<Finding> {
    let (state, surroundings) =
        tokio::join!(within(patience, tenants.keyring()), within(patience, tenants.surroundings()));
    let mut findings = vec![match state {
        Some(Some(state)) => keyring(state),
        Some(None) => Finding::ok(Topic::Keyring, "not used here"),
        None => {
            let what = format!("it gave no answer within {}", waited(patience));
            Finding::warning(Topic::Keyring, what, "End the program that keeps it and start it anew.")
        }
    }];
    if let Some(surroundings) = surroundings {
        findings.push(passphrase(&surroundings));
        findings.extend(auth0_cli(&surroundings, OffsetDateTime::now_utc().unix_timestamp()));
    }
    findings
}

fn keyring(state: KeyringState) -> Finding {
    const ELSE: &str = "Credentials can be kept in files under a passphrase instead (`rollover login`).";
    let KeyringState { kind, status } = state;
    match status {
        KeyringStatus::Ready => Finding::ok(Topic::Keyring, format!("{kind}: ready")),
        KeyringStatus::Locked => Finding::warning(
            Topic::Keyring,
            format!("{kind}: locked, so it asks before it gives or takes anything"),
            "Unlock it in the program that keeps it.",
        ),
        KeyringStatus::Absent(why) => Finding::warning(Topic::Keyring, format!("{kind}: {why}"), ELSE),
    }
}

fn passphrase(surroundings: &Surroundings) -> Finding {
    let what = match (surroundings.has_passphrase, surroundings.unlocked) {
        (false, _) => "none has been chosen: nothing is kept in files",
        (true, false) => "chosen; it is asked for when a credential in a file is needed",
        (true, true) => "chosen, and given in this run",
    };
    Finding::ok(Topic::Passphrase, what)
}

fn auth0_cli(surroundings: &Surroundings, now: i64) -> Vec<Finding> {
    if let Some(trouble) = &surroundings.auth0_cli_trouble {
        return vec![Finding::warning(Topic::Auth0Cli, trouble, "")];
    }
    if surroundings.auth0_cli.is_empty() {
        return vec![Finding::ok(Topic::Auth0Cli, "not signed in anywhere")];
    }
    let each = surroundings.auth0_cli.iter().map(|one| match one.expires_at {
        Some(at) if at <= now => {
            Finding::ok(Topic::Auth0Cli, format!("{}: its token expired {}", one.domain, super::token::moment(at, now)))
        }
        Some(at) => {
            let when = super::token::moment(at, now);
            Finding::ok(Topic::Auth0Cli, format!("{}: signed in until {when}", one.domain))
        }
        None => Finding::ok(Topic::Auth0Cli, format!("{}: signed in", one.domain)),
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::preflight::Standing;
    use crate::domain::sign_in::CliTenant;
    use crate::domain::{Domain, Scopes};

    #[test]
    fn a_keyring_that_cannot_be_used_is_a_warning_with_another_way() {
        let found = |status| keyring(KeyringState { kind: "Secret Service", status }).standing;
        assert_eq!(found(KeyringStatus::Ready), Standing::Ok);
        assert_eq!(found(KeyringStatus::Locked), Standing::Warning);
        assert_eq!(found(KeyringStatus::Absent("no bus".into())), Standing::Warning);
    }

    #[test]
    fn auth0_cli_is_named_by_its_domains() {
        let one = |domain: &str, expires_at| CliTenant {
            domain: Domain::parse(domain).expect("a domain"),
            name: "a name".into(),
            expires_at,
            scopes: Scopes::unknown(),
        };
        let surroundings = Surroundings {
            auth0_cli: vec![one("a.auth0.com", Some(7200)), one("b.auth0.com", Some(10)), one("c.auth0.com", None)],
            ..Surroundings::default()
        };
        let what: Vec<_> = auth0_cli(&surroundings, 3600).into_iter().map(|one| one.what).collect();
        assert_eq!(
            what,
            [
                "a.auth0.com: signed in until 1970-01-01 02:00 UTC, in 60 minutes",
                "b.auth0.com: its token expired 1970-01-01 00:00 UTC, 59 minutes ago",
                "c.auth0.com: signed in",
            ]
        );
        let trouble = Surroundings { auth0_cli_trouble: Some("line 3".into()), ..Surroundings::default() };
        assert_eq!(auth0_cli(&trouble, 0)[0].standing, Standing::Warning);
    }
}
