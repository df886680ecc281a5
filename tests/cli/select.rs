//! Which tenant and which credentials: flag, environment, selected profile; and tenants on which nothing may be changed.
use std::process::Command;

use rollover::sim::{ALL_SCOPES, Options, Population};
use serde_json::json;

use super::BILLING;
use super::login::Place;
use super::process::{Tenant, configure, fed, program};

/// Two tenants that a person uses: the selected one, "own", signs in with auth0-cli's token; "other" says nothing of how.
struct Two {
    own: Place,
    other: Tenant,
}

impl Two {
    fn new() -> Self {
        let mut own = Place::new();
        let other =
            Tenant::with(Options { tenant: Population::Generated { clients: 3, seed: 1 }, ..Options::default() });
        let token = own.token(ALL_SCOPES);
        own.signed_in_with_auth0_cli(&token, "2100-01-01T00:00:00Z");
        own.done(&["login", "--auth0-cli", "--tenant", "own"], "");
        let file = own.home().join("config.toml");
        let config = std::fs::read_to_string(&file).expect("a configuration");
        configure(own.home(), &format!("{config}\n[tenants.other]\ndomain = \"{}\"\n", other.running.url()));
        Self { own, other }
    }

    /// `list` with these flags and variables: how many clients there are, or how it failed; and how many requests each tenant
    /// has had of it, and how many of these it refused.
    fn list(&mut self, flags: &[&str], variables: &[(&str, &str)]) -> (Result<usize, i32>, [usize; 2], usize) {
        let before = [self.own.tenant.running.requests().len(), self.other.running.requests().len()];
        let mut command = self.own.command(&[&["list"], flags].concat());
        command.envs(variables.iter().copied());
        let run = fed(command, "");
        let said = format!("{}{}", run.out, run.err);
        self.own.tenant.assert_silent(&said);
        self.other.assert_silent(&said);
        let after = [self.own.tenant.running.requests(), self.other.running.requests()];
        let refused = after.iter().zip(before).flat_map(|(all, before)| &all[before..]);
        let refused = refused.filter(|request| request.status >= 400).count();
        let asked = [after[0].len() - before[0], after[1].len() - before[1]];
        (if run.code == 0 { Ok(run.out.lines().count()) } else { Err(run.code) }, asked, refused)
    }
}

#[test]
fn flag_environment_selection_in_this_order_and_no_credential_goes_astray() {
    let mut two = Two::new();
    let (own_url, other_url) = (two.own.url(), two.other.running.url().to_owned());
    let token = two.other.running.token().to_owned();
    let (id, secret) = (two.other.running.client_id().to_owned(), two.other.running.client_secret().to_owned());
    let other_token = [("AUTH0_DOMAIN", other_url.as_str()), ("AUTH0_API_TOKEN", token.as_str())];
    let other_client = [
        ("AUTH0_DOMAIN", other_url.as_str()),
        ("AUTH0_CLIENT_ID", id.as_str()),
        ("AUTH0_CLIENT_SECRET", secret.as_str()),
    ];
    let (demo, generated) = (28, 3);
    let only_own = |(count, asked, refused): (Result<usize, i32>, [usize; 2], usize)| {
        assert_eq!((count, asked[1], refused), (Ok(demo), 0, 0));
        assert!(asked[0] > 0);
    };
    let only_other = |(count, asked, refused): (Result<usize, i32>, [usize; 2], usize)| {
        assert_eq!((count, asked[0], refused), (Ok(generated), 0, 0));
        assert!(asked[1] > 0);
    };
    only_own(two.list(&[], &[]));
    // The environment beats what is selected.
    only_other(two.list(&[], &other_token));
    only_other(two.list(&[], &other_client));
    only_other(two.list(&[], &[("ROLLOVER_TENANT", "other"), ("AUTH0_API_TOKEN", &token)]));
    only_own(two.list(&[], &[("ROLLOVER_TENANT", "own")]));
    // A flag beats the environment, whose credentials are for another tenant and are sent to nobody.
    only_own(two.list(&["--tenant", "own"], &other_token));
    only_own(two.list(&["--tenant", "own"], &other_client));
    only_own(two.list(&["--tenant", "own"], &[("ROLLOVER_TENANT", "other"), ("AUTH0_API_TOKEN", &token)]));
    only_other(two.list(&["--tenant", "other"], &other_token));
    // A token for nobody knows whom does not go to a tenant that signs in by itself.
    only_own(two.list(&[], &[("AUTH0_API_TOKEN", &token)]));
    // Nobody sends one tenant's token to the other, not even where nothing else is there.
    let own_token = two.own.token(ALL_SCOPES);
    let nothing = (Err(3), [0, 0], 0);
    let own_credentials = [("AUTH0_DOMAIN", own_url.as_str()), ("AUTH0_API_TOKEN", &own_token)];
    assert_eq!(two.list(&["--tenant", "other"], &own_credentials), nothing);
    assert_eq!(two.list(&["--tenant", "other"], &[]), nothing);
    let contradiction = [("ROLLOVER_TENANT", "other"), own_credentials[0], own_credentials[1]];
    assert_eq!(two.list(&[], &contradiction), (Err(2), [0, 0], 0));
    // The environment's credentials beat the stored ones of the very tenant that it names.
    let wrong = [("AUTH0_DOMAIN", own_url.as_str()), ("AUTH0_API_TOKEN", token.as_str())];
    let (result, asked, refused) = two.list(&[], &wrong);
    assert_eq!((result, asked[1]), (Err(3), 0));
    assert!(refused > 0, "the environment's token was the one that was sent");
    only_own(two.list(&[], &[("AUTH0_DOMAIN", &own_url)]));
}

fn rotate(place: &Place, variables: &[(&str, &str)], more: &[&str]) -> Command {
    let mut command = program(place.home());
    command.args(["rotate", BILLING, "--now", "--yes", "--json"]).args(more);
    command.env("AUTH0_API_TOKEN", place.tenant.running.token()).envs(variables.iter().copied());
    command
}

/// By the file, by the flag, and with both; whatever selects the tenant, and with --yes.
#[test]
fn read_only_makes_every_change_impossible_and_says_so() {
    let mut place = Place::new();
    let url = place.url();
    let old = place.tenant.running.secret_of(BILLING);
    let table = |read_only: bool| format!("[tenants.shop]\ndomain = \"{url}\"\nread_only = {read_only}\n");
    let by_domain = [("AUTH0_DOMAIN", url.as_str())];
    for (read_only, variables, more) in [
        (true, &by_domain[..], &[][..]),
        (true, &[("ROLLOVER_TENANT", "shop")], &[]),
        (true, &[], &[]),
        (true, &[], &["--tenant", "shop"]),
        (true, &[], &["--read-only"]),
        (false, &[], &["--read-only"]),
        (false, &by_domain, &["--read-only"]),
    ] {
        configure(place.home(), &table(read_only));
        let run = place.tenant.silent(rotate(&place, variables, more));
        assert_eq!((run.code, run.out.as_str()), (1, ""), "{variables:?} {more:?}: {run:?}");
        assert_eq!(run.error()["kind"], "read_only");
        let message = run.error()["message"].as_str().expect("a message").to_owned();
        assert!(message.contains("is read-only: nothing is changed there"), "{message}");
        assert!(run.error()["hint"].as_str().is_some_and(|hint| hint.contains("read_only = true")));
        // What changes nothing is done all the same.
        let run = place.tenant.silent(rotate(&place, variables, &[more, &["--dry-run"]].concat()));
        assert_eq!((run.code, &run.json()[0]["outcome"]), (0, &json!("skipped")), "{run:?}");
        let mut command = program(place.home());
        command.args(["show", BILLING]).args(more).env("AUTH0_API_TOKEN", place.tenant.running.token());
        command.envs(variables.iter().copied());
        assert_eq!(place.tenant.silent(command).code, 0);
    }
    assert_eq!((place.tenant.running.secret_of(BILLING), place.tenant.posts()), (old, 0));
    let all = place.tenant.running.requests();
    assert!(all.iter().all(|request| request.method == "GET"), "nothing but reading");
    configure(place.home(), &table(false));
    assert_eq!(place.tenant.silent(rotate(&place, &[], &[])).code, 0);
    assert_eq!(place.tenant.posts(), 1);
}

/// A tenant that was connected with --read-only stays so.
#[test]
fn a_tenant_can_be_connected_read_only() {
    let mut place = Place::new();
    let token = place.token(ALL_SCOPES);
    place.signed_in_with_auth0_cli(&token, "2100-01-01T00:00:00Z");
    place.done(&["login", "--auth0-cli", "--read-only"], "");
    assert_eq!(place.stored()["read_only"], true);
    let run = place.run(&["rotate", BILLING, "--now", "--yes"], "");
    assert_eq!((run.code, place.tenant.posts()), (1, 0), "{run:?}");
}
