//! `target add`, `list`, `remove`, `check`.

/// `target add`.
mod add;
/// `target check`.
mod check;

use std::borrow::Cow;

use serde_json::{Value, json};

use super::Ended;
use super::arguments::{Global, Listing, Remove, Target as Command};
use super::exit::{Failure, code};
use super::output::{Output, say};
use super::pick::pick;
use super::session::{Session, choose, none_selected, tenants};
use crate::domain::target::{Place, SlotNames, Target};
use crate::domain::untrusted::shown;
use crate::domain::{Client, Profile};
use crate::ledger::{Ledger, LedgerError};
use crate::tenants::Tenants;

/// Does what is asked for.
pub async fn run(global: &Global, target: &Command) -> Ended {
    match target {
        Command::Add(add) => add::run(global, add).await,
        Command::List(list) => listed(global, list).await,
        Command::Remove(remove) => removed(global, remove).await,
        Command::Check(check) => check::run(global, check).await,
    }
}

/// A client that was named, and its tenant.
struct Named {
    tenants: Tenants,
    profile: Profile,
    client_id: String,
}

impl Named {
    /// The client, asked for at the tenant, unless it is named by an id that has targets here: that needs no signing in.
    async fn find(global: &Global, wanted: &str) -> Result<Self, Failure> {
        let (tenants, profile) = selected(global)?;
        if profile.targets.contains_key(wanted) {
            return Ok(Self { tenants, profile, client_id: wanted.to_owned() });
        }
        let session = Session::open(global).await?;
        let client = pick(&session.api, wanted, &Output::new(false), &mut None).await?;
        let client_id = client.summary.client_id.raw().to_owned();
        Ok(Self { tenants: session.tenants, profile: session.profile, client_id })
    }
}

fn selected(global: &Global) -> Result<(Tenants, Profile), Failure> {
    let tenants = tenants()?;
    let (chosen, config) = choose(global, &tenants)?;
    let chosen = chosen.ok_or_else(|| none_selected(&config))?;
    Ok((tenants, chosen.profile))
}

async fn listed(global: &Global, list: &Listing) -> Ended {
    let (profile, only) = match &list.client {
        Some(wanted) => {
            let named = Named::find(global, wanted).await?;
            (named.profile, Some(named.client_id))
        }
        None => (selected(global)?.1, None),
    };
    let all = || {
        let clients = profile.targets.iter().filter(|(id, _)| only.as_ref().is_none_or(|only| only == *id));
        clients.flat_map(|(id, targets)| targets.iter().map(move |target| (id.as_str(), target)))
    };
    let mut output = Output::new(list.json);
    if list.json {
        output.document(&all().map(|(id, target)| object(id, target)).collect::<Vec<_>>())?;
        return Ok(code::DONE);
    }
    let rows = all().map(|(id, target)| -> [Cow<'_, str>; 6] {
        let format = match &target.place {
            Place::File(file) => file.format.name(),
            Place::Command(_) => "",
        };
        let keys = target.slots.keys().join(" ");
        [
            id.into(),
            target.name.as_str().into(),
            target.place_words().into(),
            format.into(),
            keys.into(),
            target.after.join(" ").into(),
        ]
    });
    output.rows(["CLIENT ID", "TARGET", "PLACE", "FORMAT", "KEYS", "AFTERWARDS"], rows)?;
    if all().next().is_none() {
        output.progress("There are no targets. `rollover target add` adds one.");
    }
    Ok(code::DONE)
}

/// A target as a JSON object.
fn object(client_id: &str, target: &Target) -> Value {
    let (fallback_key, list) = match &target.slots {
        SlotNames::Two { fallback, .. } => (Some(fallback), None),
        SlotNames::List { separator, .. } => (None, Some(separator.as_deref().unwrap_or_default())),
    };
    let mut object = json!({
        "client_id": client_id,
        "target": target.name,
        "place": target.place_words(),
        "key": target.slots.keys().first(),
        "fallback_key": fallback_key,
        "list": list,
        "after": target.after,
        "file": null,
        "format": null,
        "follow_links": null,
        "allow_mode": null,
        "command": null,
        "read_command": null,
        "environment": null,
        "timeout": null,
    });
    match &target.place {
        Place::File(file) => {
            object["file"] = json!(file.path);
            object["format"] = json!(file.format.name());
            object["follow_links"] = json!(file.follow_links);
            object["allow_mode"] = json!(file.allow_mode);
        }
        Place::Command(command) => {
            object["command"] = json!(command.write);
            object["read_command"] = json!(command.read);
            object["environment"] = json!(command.environment);
            object["timeout"] = json!(command.timeout.as_secs());
        }
    }
    object
}

async fn removed(global: &Global, remove: &Remove) -> Ended {
    // One of them is there: the command line wants it.
    let name = remove.name.as_deref().or(remove.target.as_deref()).unwrap_or_default();
    let Named { tenants, profile, client_id } = Named::find(global, &remove.client).await?;
    tenants.remove_target(&profile, &client_id, name).map_err(|error| Failure::from(error).about(&client_id))?;
    say(&format!("The target “{}” of {} is dropped; what it holds stays as it is.", shown(name), shown(&client_id)));
    Ok(code::DONE)
}

/// The ledger, where there is one: a look makes none. That it cannot be opened is said, and no reason to stop.
fn record(tenants: &Tenants) -> Option<Ledger> {
    Ledger::open_existing(tenants.home().state()).unwrap_or_else(|error| {
        warn(&format!("compared without the record of rollovers: {error}"));
        None
    })
}

/// What is recorded of a client's latest rollover.
fn row(ledger: Option<&Ledger>, profile: &Profile, client_id: &str) -> Option<crate::domain::Rollover> {
    let latest = |ledger: &Ledger| ledger.latest(&profile.domain, client_id);
    ledger.and_then(|ledger| {
        latest(ledger).unwrap_or_else(|error: LedgerError| {
            warn(&format!("compared without the record of rollovers: {error}"));
            None
        })
    })
}

fn warn(text: &str) {
    say(&format!("rollover: {text}"));
}

/// A client's name, where it has one.
fn name_of(client: &Client) -> Option<String> {
    Some(client.summary.name.raw().to_owned()).filter(|name| !name.is_empty())
}
