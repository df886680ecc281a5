use std::time::Duration;

use time::OffsetDateTime;

use super::token::moment;
use super::{waited, within};
use crate::domain::preflight::{Finding, Topic};
use crate::tenants::Tenants;
use crate::tenants::auth0_cli::{self, CliError, Found};
use crate::tenants::keyring::{KeyringState, KeyringStatus};

pub(super) async fn look(tenants: &Tenants, patience: Duration) -> Vec<Finding> {
    let keyring = match within(patience, tenants.keyring()).await {
        Some(Some(state)) => keyring(state),
        Some(None) => Finding::ok(Topic::Keyring, "not used here"),
        None => {
            let what = format!("it gave no answer within {}", waited(patience));
            Finding::warning(Topic::Keyring, what, "End the program that keeps it and start it anew.")
        }
    };
    let mut findings = vec![keyring, passphrase(tenants.has_passphrase(), tenants.is_unlocked())];
    let found = auth0_cli::tenants(&|name| tenants.variable(name));
    findings.extend(signed_in(found, OffsetDateTime::now_utc().unix_timestamp()));
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

fn passphrase(chosen: bool, given: bool) -> Finding {
    let what = match (chosen, given) {
        (false, _) => "none has been chosen: nothing is kept in files",
        (true, false) => "chosen; it is asked for when a credential in a file is needed",
        (true, true) => "chosen, and given in this run",
    };
    Finding::ok(Topic::Passphrase, what)
}

/// Where auth0-cli is signed in. That its token has expired matters only to a tenant that signs in with it, which says so.
fn signed_in(found: Result<Found, CliError>, now: i64) -> Vec<Finding> {
    let found = match found {
        Ok(found) => found,
        Err(error) => return vec![Finding::warning(Topic::Auth0Cli, error.to_string(), "")],
    };
    let mut findings = Vec::new();
    if let Some(hint) = found.hint() {
        let (what, mend) = hint.split_once("; run: ").unwrap_or((&hint, ""));
        let mend = if mend.is_empty() { String::new() } else { format!("Run: {mend}") };
        findings.push(Finding::warning(Topic::Auth0Cli, what, mend));
    }
    if found.tenants.is_empty() {
        findings.push(Finding::ok(Topic::Auth0Cli, "not signed in anywhere"));
    }
    findings.extend(found.tenants.iter().map(|one| match one.expires_at {
        Some(at) if one.is_expired(now) => {
            let what = format!("{}: its token is of no use any more, {}", one.domain, moment(at, now));
            Finding::ok(Topic::Auth0Cli, what).advising(format!("Run: {}", one.renewal()))
        }
        Some(at) => Finding::ok(Topic::Auth0Cli, format!("{}: signed in until {}", one.domain, moment(at, now))),
        None => Finding::ok(Topic::Auth0Cli, format!("{}: signed in", one.domain)),
    }));
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::preflight::Standing;

    #[test]
    fn a_keyring_that_cannot_be_used_is_a_warning_with_another_way() {
        let found = |status| keyring(KeyringState { kind: "Secret Service", status }).standing;
        assert_eq!(found(KeyringStatus::Ready), Standing::Ok);
        assert_eq!(found(KeyringStatus::Locked), Standing::Warning);
        assert_eq!(found(KeyringStatus::Absent("no bus".into())), Standing::Warning);
    }

    #[test]
    #[cfg(unix)]
    fn auth0_cli_is_named_by_its_domains_and_never_by_its_tokens() {
        use std::os::unix::fs::PermissionsExt as _;
        let home = tempfile::tempdir().expect("a folder");
        let folder = home.path().join(".config").join("auth0");
        std::fs::create_dir_all(&folder).expect("a folder");
        let file = folder.join("config.json");
        let one = |domain: &str, at: &str| {
            format!(
                "\"{domain}\": {{\"name\": \"x\", \"domain\": \"{domain}\", \"access_token\": \"canary\", \"expires_at\": \"{at}\"}}"
            )
        };
        let (live, dead) = (one("a.auth0.com", "1970-01-01T03:00:00Z"), one("b.auth0.com", "1970-01-01T00:00:10Z"));
        std::fs::write(&file, format!("{{\"tenants\": {{{live}, {dead}}}}}")).expect("a file");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("a mode");
        let variable = home.path().as_os_str().to_owned();
        let found = auth0_cli::tenants(&|name| (name == "HOME").then(|| variable.clone()));
        let findings = signed_in(found, 3600);
        let what: Vec<_> = findings.iter().map(|one| (one.standing, one.what.as_str())).collect();
        assert_eq!(
            what,
            [
                (Standing::Warning, "others can read auth0-cli's file"),
                (Standing::Ok, "a.auth0.com: signed in until 1970-01-01 03:00 UTC, in 2 hours"),
                (Standing::Ok, "b.auth0.com: its token is of no use any more, 1970-01-01 00:00 UTC, 59 minutes ago"),
            ]
        );
        assert_eq!(findings[0].mend, Some(format!("Run: chmod 600 {}", file.display())));
        assert_eq!(findings[2].mend.as_deref(), Some("Run: auth0 login"));
        assert!(!format!("{findings:?}").contains("canary"));
        std::fs::write(&file, "no JSON").expect("a file");
        let found = auth0_cli::tenants(&|name| (name == "HOME").then(|| variable.clone()));
        assert_eq!(signed_in(found, 0)[0].standing, Standing::Warning);
    }
}
