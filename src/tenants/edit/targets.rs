//! The targets of a tenant: adding one, changing it, taking it out.
use super::super::config::Config;
use super::super::draft::{Draft, value};
use super::{EditError, write};
use crate::domain::Profile;
use crate::domain::target::{
    CURRENT_KEY, CommandPlace, FALLBACK_KEY, FilePlace, Format, Place, SlotNames, Target, check_name,
};
use crate::domain::untrusted::shown;

/// A client's target.
#[derive(Clone, Copy)]
pub struct Of<'a> {
    /// The client's tenant; of one that has no table, its name and its address.
    pub profile: &'a Profile,
    /// The client.
    pub client_id: &'a str,
}

/// Writes a target, into a table of the tenant that is made where there is none; `replace`: in the place of the one with its name.
/// `config` becomes what the file then says.
pub(super) fn put(
    draft: &mut Draft,
    config: &mut Config,
    of: Of<'_>,
    target: &Target,
    replace: bool,
) -> Result<Option<()>, EditError> {
    let profile = table_of(config, of.profile);
    let (tenant, id) = (profile.name.clone(), of.client_id);
    check_name(&target.name).map_err(EditError::Wrong)?;
    let known = config.tenants.get(&tenant).and_then(|profile| profile.targets.get(id)).into_iter().flatten();
    let before = known.clone().find(|known| known.name == target.name).cloned();
    if before.is_some() && !replace {
        return Err(EditError::TargetExists(format!(
            "this client has a target “{}” already: {}",
            shown(&target.name),
            shown(&before.map(|before| before.place_words()).unwrap_or_default())
        )));
    }
    if !config.tenants.contains_key(&tenant) && write(draft, &profile, None).is_none() {
        return Ok(None);
    }
    let there = config.tenants.entry(tenant.clone()).or_insert(profile).targets.entry(id.to_owned()).or_default();
    match there.iter_mut().find(|known| known.name == target.name) {
        Some(known) => *known = target.clone(),
        None => there.push(target.clone()),
    }
    let path = ["tenants", &tenant, "targets", id, &target.name];
    let Some(before) = before else {
        let settings: Vec<_> =
            settings(target).into_iter().filter_map(|(name, value)| value.map(|value| (name, value))).collect();
        return Ok(draft.add_table(&path, &settings));
    };
    let (place, slots) = (place_of(target) != place_of(&before), target.slots != before.slots);
    // What says what holds without it stays, unless it no longer would say that, or no longer belongs there.
    let stale = |name: &str| match name {
        "format" => format_of(target) != format_of(&before),
        "read_command" | "environment" | "timeout" | "follow_links" | "allow_mode" => place,
        "fallback_key" => slots,
        _ => false,
    };
    let pairs = settings(target).into_iter().zip(settings(&before));
    // What comes is written before what goes: a table that loses its last setting may be gone.
    let (new, gone): (Vec<_>, Vec<_>) = pairs
        .filter(|((name, new), (_, old))| new != old || new.is_none() && stale(name))
        .map(|((name, new), _)| (name, new))
        .partition(|(_, new)| new.is_some());
    let done =
        new.iter().chain(&gone).try_for_each(|(name, new)| draft.set(&[&path[..], &[name]].concat(), new.as_deref()));
    Ok(done)
}

/// Gives a target the place among its client's that it has in what was read back: which of two comes first is told by the first setting
/// of each, and that may be another one now.
pub(in super::super) fn placed(config: &mut Config, of: Of<'_>, name: &str, after: &Config) {
    let targets = |config: &Config| Some(config.profile_of(&of.profile.domain)?.targets.get(of.client_id)?.clone());
    let at = |all: &[Target]| all.iter().position(|target| target.name == name);
    let Some(to) = targets(after).and_then(|all| at(&all)) else { return };
    let tenant = config.tenants.values_mut().find(|known| known.domain == of.profile.domain);
    if let Some(all) = tenant.and_then(|tenant| tenant.targets.get_mut(of.client_id))
        && let Some(from) = at(all)
    {
        let target = all.remove(from);
        all.insert(to.min(all.len()), target);
    }
}

/// Which kind of place it is.
fn place_of(target: &Target) -> std::mem::Discriminant<Place> {
    std::mem::discriminant(&target.place)
}

/// How its file is written; `None` for a command.
fn format_of(target: &Target) -> Option<Format> {
    match &target.place {
        Place::File(file) => Some(file.format),
        Place::Command(_) => None,
    }
}

/// Takes a target out.
pub(super) fn remove(draft: &mut Draft, config: &mut Config, of: Of<'_>, name: &str) -> Result<Option<()>, EditError> {
    let profile = config.tenants.values_mut().find(|known| known.domain == of.profile.domain);
    let none = || EditError::NoTarget(format!("this client has no target “{}”", shown(name)));
    let profile = profile.ok_or_else(none)?;
    let targets = profile.targets.get_mut(of.client_id).ok_or_else(none)?;
    let at = targets.iter().position(|target| target.name == name).ok_or_else(|| {
        let names: Vec<_> = targets.iter().map(|target| format!("“{}”", shown(&target.name))).collect();
        EditError::NoTarget(format!("this client has no target “{}”; it has: {}", shown(name), names.join(", ")))
    })?;
    targets.remove(at);
    if targets.is_empty() {
        profile.targets.remove(of.client_id);
    }
    Ok(draft.remove_table(&["tenants", &profile.name, "targets", of.client_id, name]))
}

/// The table of a tenant: the one with its address; else a new one with its address and nothing else, under a name that is free.
fn table_of(config: &Config, profile: &Profile) -> Profile {
    if let Some(there) = config.profile_of(&profile.domain) {
        return there.clone();
    }
    // A name has at most 40 characters, a host's first label up to 63.
    let label: String = profile.name.chars().take(36).collect();
    let mut name = label.clone();
    let mut number = 2;
    while config.tenants.contains_key(&name) {
        name = format!("{label}-{number}");
        number += 1;
    }
    Profile::new(name, profile.domain.clone())
}

/// The settings of a target as they are written; `None`: not at all, because it is what holds without them.
pub(in super::super) fn settings(target: &Target) -> [(&'static str, Option<String>); 12] {
    let list = |all: &[String]| {
        let all: Vec<_> = all.iter().map(|text| value(text)).collect();
        Some(format!("[{}]", all.join(", "))).filter(|_| !all.is_empty())
    };
    let text = |text: &str, unless: &str| Some(value(text)).filter(|_| text != unless);
    let switch = |on: bool| on.then(|| "true".to_owned());
    let file = match &target.place {
        Place::File(file) => Some(file),
        Place::Command(_) => None,
    };
    let command = match &target.place {
        Place::Command(command) => Some(command),
        Place::File(_) => None,
    };
    let format = |file: &FilePlace| {
        let told = file.path.file_name().and_then(|name| Format::of_name(&name.to_string_lossy()));
        Some(value(file.format.name())).filter(|_| told != Some(file.format))
    };
    let (key, fallback_key, separator) = match &target.slots {
        SlotNames::Two { current, fallback } => (current, text(fallback, FALLBACK_KEY), None),
        SlotNames::List { key, separator } => (key, None, Some(value(separator.as_deref().unwrap_or_default()))),
    };
    let seconds = |command: &CommandPlace| {
        Some(command.timeout.as_secs().to_string()).filter(|_| command.timeout != CommandPlace::TIMEOUT)
    };
    [
        ("file", file.map(|file| value(&file.path.to_string_lossy()))),
        ("format", file.and_then(format)),
        ("command", command.and_then(|command| list(&command.write))),
        ("read_command", command.and_then(|command| list(&command.read))),
        ("environment", command.and_then(|command| list(&command.environment))),
        ("timeout", command.and_then(seconds)),
        ("key", text(key, CURRENT_KEY)),
        ("fallback_key", fallback_key),
        ("list", separator),
        ("after", list(&target.after)),
        ("follow_links", file.and_then(|file| switch(file.follow_links))),
        ("allow_mode", file.and_then(|file| switch(file.allow_mode))),
    ]
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::super::{Change, changed};
    use super::*;
    use crate::domain::Domain;

    fn file(name: &str, path: &str) -> Target {
        let place = FilePlace { path: path.into(), format: Format::Dotenv, follow_links: false, allow_mode: false };
        Target { name: name.into(), place: Place::File(place), slots: SlotNames::default(), after: Vec::new() }
    }

    fn acme() -> Profile {
        Profile::new("acme".into(), Domain::parse("acme.eu.auth0.com").expect("a domain"))
    }

    fn edited(text: &str, change: &Change<'_>) -> Result<String, String> {
        changed(text, Path::new("config.toml"), change).map_err(|error| error.to_string())
    }

    fn put(text: &str, profile: &Profile, target: &Target, replace: bool) -> Result<String, String> {
        edited(text, &Change::PutTarget { of: Of { profile, client_id: "abc" }, target, replace })
    }

    fn remove(text: &str, name: &str) -> Result<String, String> {
        edited(text, &Change::RemoveTarget { of: Of { profile: &acme(), client_id: "abc" }, name })
    }

    #[test]
    fn a_target_comes_behind_its_tenant_and_goes_again() {
        let before = "# mine\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n# plan = \"free\"\n\n# the shop\n[tenants.shop]\ndomain = \"shop.eu.auth0.com\"\n";
        let one = put(before, &acme(), &file("env", "/srv/.env"), false).expect("it is written");
        assert_eq!(
            one,
            "# mine\n[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n# plan = \"free\"\n\n[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\n\n# the shop\n[tenants.shop]\ndomain = \"shop.eu.auth0.com\"\n"
        );
        let command = CommandPlace {
            write: vec!["vault".into(), "k\"v".into()],
            read: vec!["vault".into(), "read".into()],
            environment: vec!["VAULT_ADDR".into()],
            timeout: Duration::from_secs(5),
        };
        let slots = SlotNames::List { key: "SECRETS".into(), separator: Some(",".into()) };
        let command = Target {
            name: "vault 2".into(),
            place: Place::Command(command),
            slots,
            after: vec!["systemctl".into(), "restart".into()],
        };
        let two = put(&one, &acme(), &command, false).expect("it is written");
        assert_eq!(
            two,
            one.replace(
                "\n# the shop",
                "\n[tenants.acme.targets.abc.\"vault 2\"]\ncommand = [\"vault\", \"k\\\"v\"]\nread_command = [\"vault\", \"read\"]\n\
                 environment = [\"VAULT_ADDR\"]\ntimeout = 5\nkey = \"SECRETS\"\nlist = \",\"\nafter = [\"systemctl\", \"restart\"]\n\n# the shop"
            )
        );
        assert_eq!(remove(&two, "vault 2"), Ok(one.clone()));
        assert_eq!(remove(&one, "env"), Ok(before.to_owned()));
        assert_eq!(edited(&two, &Change::Remove("shop")).map(|text| text.contains("vault 2")), Ok(true));
        assert_eq!(
            edited(&two, &Change::Remove("acme")).as_deref(),
            Ok("# mine\n# plan = \"free\"\n\n# the shop\n[tenants.shop]\ndomain = \"shop.eu.auth0.com\"\n"),
            "a tenant takes its targets with it"
        );
    }

    #[test]
    fn a_target_that_is_there_is_replaced_only_where_that_is_meant() {
        let before = "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n[tenants.acme.targets.abc.env] # ours\nformat = 'dotenv' # by hand\nfile = \"/srv/.env\" # here\n";
        let error = put(before, &acme(), &file("env", "/srv/other.env"), false).expect_err("it is there");
        assert_eq!(error, "this client has a target “env” already: /srv/.env");
        let after = put(before, &acme(), &file("env", "/srv/other.env"), true).expect("it is replaced");
        assert_eq!(after, before.replace("/srv/.env", "/srv/other.env"));
        assert_eq!(remove(before, "emv").expect_err("no such"), "this client has no target “emv”; it has: “env”");
    }

    #[test]
    fn a_tenant_that_has_no_table_gets_one() {
        let expected =
            "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n\n[tenants.acme.targets.abc.env]\nfile = \"/srv/.env\"\n";
        assert_eq!(put("", &acme(), &file("env", "/srv/.env"), false).as_deref(), Ok(expected));
        let taken = "[tenants.acme]\ndomain = \"acme.us.auth0.com\"\n";
        let after = put(taken, &acme(), &file("env", "/srv/.env"), false).expect("another name");
        assert_eq!(
            after,
            format!("{taken}\n{}", expected.replace("acme]", "acme-2]").replace("acme.targets", "acme-2.targets"))
        );
        let named = "[tenants.ours]\ndomain = \"acme.eu.auth0.com\"\n";
        let after = put(named, &acme(), &file("env", "/srv/.env"), false).expect("its own table");
        assert_eq!(after, format!("{named}\n[tenants.ours.targets.abc.env]\nfile = \"/srv/.env\"\n"), "by its address");
    }

    #[test]
    fn every_way_to_write_a_tenant_takes_a_target() {
        for before in [
            "tenants.acme.domain = \"acme.eu.auth0.com\"\nmouse = true\n",
            "[tenants]\nacme.domain = \"acme.eu.auth0.com\"\nshop.domain = \"shop.eu.auth0.com\"\n",
            "[tenants]\nacme = { domain = \"acme.eu.auth0.com\" }\n",
            "tenants = {\n  acme.domain = \"acme.eu.auth0.com\", # one\n}\n",
            "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\ntargets.abc.one.file = \"/one.env\"\nplan = \"free\"\n",
            "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\ntargets = { abc = { one = { file = \"/one.env\" } } }\n",
            "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\ntargets.abc = { one.file = \"/one.env\" }\n",
            "[tenants.acme.targets]\nabc.one.file = \"/one.env\"\n[tenants.acme]\r\ndomain = \"acme.eu.auth0.com\"",
        ] {
            let after = put(before, &acme(), &file("env", "/srv/.env"), false).expect(before);
            let config = Config::parse(&after, Path::new("config.toml")).expect("it is read");
            assert_eq!(config.tenants["acme"].targets["abc"].last(), Some(&file("env", "/srv/.env")), "{after}");
            let back = remove(&after, "env").expect(before);
            let read = |text: &str| Config::parse(text, Path::new("config.toml")).expect("it is read").tenants;
            assert_eq!(read(&back), read(before), "{back}");
            let changed = put(&after, &acme(), &file("env", "/srv/2.env"), true).expect(before);
            assert_eq!(changed, after.replace("/srv/.env", "/srv/2.env"));
        }
    }

    #[test]
    fn what_cannot_be_a_target_is_refused() {
        let text =
            "[tenants.acme]\ndomain = \"acme.eu.auth0.com\"\n[tenants.acme.targets.xyz.env]\nfile = \"/srv/.env\"\n";
        for (target, part) in [
            (file("-x", "/srv/x.env"), "cannot be a target's name"),
            (file("x", "srv/x.env"), "must be a path from the root"),
            (file("x", "/srv/.env"), "writes to the same key of the same file as `env`"),
            (
                Target {
                    slots: SlotNames::Two { current: "A".into(), fallback: "A".into() },
                    ..file("x", "/srv/x.env")
                },
                "is the key of both secrets",
            ),
        ] {
            let error = put(text, &acme(), &target, true).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }
}
