use std::borrow::Cow;

use serde_json::json;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Ended;
use super::arguments::{Global, Logout, Tenants as List, Use};
use super::exit::{Failure, code};
use super::output::{Output, say};
use super::session::{none_selected, tenants};
use crate::domain::untrusted::shown;
use crate::domain::{Environment, Keep, Profile, WayIn};

/// Lists the tenants of the configuration.
pub fn list(global: &Global, list: &List) -> Ended {
    let tenants = tenants()?;
    let config = tenants.config()?;
    let usage = tenants.usage();
    let chosen = tenants.select(global.tenant.as_deref(), &config);
    let selected = chosen.as_ref().ok().and_then(Option::as_ref).filter(|chosen| chosen.stored);
    let selected = selected.map(|chosen| chosen.profile.name.clone());
    let is_selected = |profile: &Profile| selected.as_ref() == Some(&profile.name);
    let when = |profile: &Profile| {
        let at = usage.of(&profile.domain).and_then(|at| OffsetDateTime::from_unix_timestamp(at).ok());
        at.and_then(|at| at.format(&Rfc3339).ok())
    };
    let mut output = Output::new(list.json);
    if list.json {
        let documents: Vec<_> = config
            .tenants
            .values()
            .map(|profile| {
                json!({
                    "name": profile.name,
                    "domain": profile.domain.to_string(),
                    "environment": profile.environment.map(Environment::name),
                    "read_only": profile.read_only,
                    "sign_in": profile.way_in.as_ref().map(WayIn::name),
                    "client_id": profile.way_in.as_ref().and_then(WayIn::client_id),
                    "kept_in": profile.kept.map(Keep::name),
                    "selected": is_selected(profile),
                    "last_used": when(profile),
                })
            })
            .collect();
        output.document(&documents)?;
        return Ok(code::DONE);
    }
    let rows = config.tenants.values().map(|profile| {
        let mark = if is_selected(profile) { "*" } else { "" };
        let environment = profile.environment.map_or("", Environment::name);
        let changes = if profile.read_only { "read-only" } else { "" };
        let sign_in = profile.way_in.as_ref().map_or("environment", WayIn::name);
        let kept: Cow<'_, str> = match (profile.kept, &profile.way_in) {
            (Some(keep), _) => keep.name().into(),
            (None, Some(WayIn::Auth0Cli)) => "auth0-cli".into(),
            (None, Some(WayIn::PrivateKeyJwt { key_file: Some(path), .. })) => path.display().to_string().into(),
            (None, Some(_)) => "asked for".into(),
            (None, None) => "".into(),
        };
        [
            mark.into(),
            profile.name.as_str().into(),
            profile.domain.to_string().into(),
            environment.into(),
            changes.into(),
            sign_in.into(),
            kept,
            when(profile).unwrap_or_default().into(),
        ]
    });
    output.rows(["", "NAME", "DOMAIN", "ENVIRONMENT", "CHANGES", "SIGN-IN", "KEPT IN", "LAST USED"], rows)?;
    if config.tenants.is_empty() && output.table {
        output.progress("No tenant is configured. `rollover login` connects one.");
    }
    Ok(code::DONE)
}

/// Makes a tenant the one that is opened.
pub fn select(arguments: &Use) -> Ended {
    let tenants = tenants()?;
    tenants.use_by_default(&arguments.name)?;
    say(&format!("`rollover` opens `{}` from now on.", shown(&arguments.name)));
    if ["AUTH0_DOMAIN", "ROLLOVER_TENANT"]
        .iter()
        .any(|name| tenants.variable(name).is_some_and(|value| !value.is_empty()))
    {
        say("But AUTH0_DOMAIN or ROLLOVER_TENANT is set in this shell, and wins.");
    }
    Ok(code::DONE)
}

/// Forgets a tenant's credential.
pub async fn logout(global: &Global, logout: &Logout) -> Ended {
    let tenants = tenants()?;
    let config = tenants.config()?;
    let selected = || {
        // What the environment selects without a table of its own has nothing stored.
        let chosen = tenants.select(global.tenant.as_deref(), &config).ok().flatten();
        chosen.filter(|chosen| chosen.stored).map(|chosen| chosen.profile.name)
    };
    let Some(name) = logout.name.clone().or_else(|| global.tenant.clone()).or_else(selected) else {
        let failure = none_selected(&config);
        return Err(Failure { hint: "Name it: rollover logout NAME.".to_owned(), ..failure });
    };
    let name = &name;
    let removed = tenants.forget(name, logout.forget).await?;
    let name = shown(name);
    say(&match (removed, logout.forget) {
        (true, false) => format!(
            "The credential of `{name}` is forgotten; its settings stay. `rollover login --tenant {name}` signs in again."
        ),
        (true, true) => format!("`{name}` and its credential are forgotten."),
        (false, true) => format!("`{name}` is forgotten; no credential of it was stored."),
        (false, false) => format!("No credential of `{name}` was stored."),
    });
    say("A token that was issued lives until it expires; only deleting the client, or its grant, ends it sooner.");
    Ok(code::DONE)
}
