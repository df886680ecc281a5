//! Targets as somebody may have written them.
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use fastrand::Rng;

use super::super::edit::target_settings;
use super::written::{Line, Written, a_name, key, spelled, text};
use crate::domain::Profile;
use crate::domain::target::{CommandPlace, FilePlace, Format, Place, SlotNames, Target};

/// Who owns the lines of a target: its tenant too.
pub(super) fn owner_of(tenant: &str, client_id: &str, name: &str) -> String {
    format!("{tenant}\0{client_id}\0{name}")
}

pub(super) fn a_client_id(random: &mut Rng) -> String {
    random.choice(["Qm2vXz8KpL4nRt7Y", "tpa_1", "file", "-", "targets", "1"]).expect("one").to_owned()
}

pub(super) fn a_target(random: &mut Rng, name: &str) -> Target {
    const FILES: [&str; 7] = [".env", "x.json", "y.yaml", "z.toml", "secrets", "it's \"odd\".env", "ü.env"];
    let argument = |random: &mut Rng| text(random).replace('\0', "0");
    let command = |random: &mut Rng| {
        let mut all = vec![format!("p{}", argument(random))];
        all.extend((0..random.usize(..3)).map(|_| argument(random)));
        all
    };
    let place = if random.bool() {
        // No two write to one file: that would be a mistake.
        let path = PathBuf::from(format!("/{}/{}", random.u64(..), random.choice(FILES).expect("one")));
        let told = Format::of_name(&path.file_name().expect("a name").to_string_lossy());
        let format = told.filter(|_| random.bool()).unwrap_or(random.choice(Format::ALL).expect("one"));
        Place::File(FilePlace { path, format, follow_links: random.bool(), allow_mode: random.bool() })
    } else {
        Place::Command(CommandPlace {
            write: command(random),
            read: if random.bool() { command(random) } else { Vec::new() },
            environment: if random.bool() { vec!["VAULT_ADDR".into(), "é".into()] } else { Vec::new() },
            timeout: if random.bool() { CommandPlace::TIMEOUT } else { Duration::from_secs(random.u64(1..=3600)) },
        })
    };
    let lines = matches!(&place, Place::File(file) if matches!(file.format, Format::Dotenv | Format::DockerEnv));
    let current = if lines { random.choice(["A", "x.y"]) } else { random.choice(["auth0.client_secret", "a\\.b é"]) };
    let current = current.expect("one").to_owned();
    let slots = match random.u8(..4) {
        0 => SlotNames::default(),
        1 => SlotNames::Two { current, fallback: "B".into() },
        2 if !lines => SlotNames::List { key: current, separator: None },
        _ => {
            let separator = random.choice([",", " or ", "\"", "é"]).map(str::to_owned);
            SlotNames::List { key: current, separator }
        }
    };
    let after = if random.bool() { command(random) } else { Vec::new() };
    Target { name: name.to_owned(), place, slots, after }
}

pub(super) fn targets(random: &mut Rng) -> BTreeMap<String, Vec<Target>> {
    let mut all = BTreeMap::<String, Vec<Target>>::new();
    if random.bool() {
        return all;
    }
    for _ in 0..random.usize(..4) {
        let (id, name) = (a_client_id(random), a_name(random));
        let there = all.entry(id).or_default();
        if there.iter().all(|known| known.name != name) {
            there.push(a_target(random, &name));
        }
    }
    all
}

/// The settings of a target in some order, as somebody may write them.
fn listed(random: &mut Rng, target: &Target) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (setting, value) in target_settings(target) {
        let file = matches!(target.place, Place::File(_));
        let value = match (setting, value) {
            ("format", None) if file && random.bool() => match &target.place {
                Place::File(file) => format!("\"{}\"", file.format.name()),
                Place::Command(_) => continue,
            },
            ("timeout", None) if !file && random.bool() => "6_0".to_owned(),
            ("follow_links" | "allow_mode", None) if file && random.bool() => "false".to_owned(),
            (_, None) => continue,
            (_, Some(value)) => value,
        };
        let parsed: toml_edit::Value = value.parse().expect("a value");
        let value = parsed.as_str().map_or(value, |text| spelled(random, text));
        all.push((key(random, setting), value));
    }
    random.shuffle(&mut all);
    all
}

/// A target's settings by names that begin behind `before`: each by itself, or all in braces.
fn lines(random: &mut Rng, before: &[String], owner: &str, target: &Target) -> Vec<Line> {
    let names = |random: &mut Rng, last: &[String]| {
        [before, &[key(random, &target.name)], last].concat().join(random.choice([".", " . "]).expect("one"))
    };
    let all = listed(random, target);
    if random.bool() {
        let all: Vec<_> = all.into_iter().map(|(setting, value)| format!("{setting} = {value}")).collect();
        let value = format!("{{ {} }}", all.join(", "));
        return vec![Line { setting: names(random, &[]), value, owner: owner.to_owned() }];
    }
    let line = |(setting, value)| Line { setting: names(random, &[setting]), value, owner: owner.to_owned() };
    all.into_iter().map(line).collect()
}

/// All targets of a tenant, as settings of it.
pub(super) fn as_settings(random: &mut Rng, tenant: &Profile) -> Vec<Line> {
    let mut all = Vec::new();
    for (id, targets) in &tenant.targets {
        for target in targets {
            let before = [key(random, "targets"), key(random, id)];
            all.extend(lines(random, &before, &owner_of(&tenant.name, id, &target.name), target));
        }
    }
    all
}

impl Written {
    /// The targets of a tenant, under headers of their own.
    pub(super) fn sections(&mut self, random: &mut Rng, tenant: &Profile) {
        let names = |random: &mut Rng, more: &[&str]| {
            let mut names = vec![key(random, "tenants"), key(random, &tenant.name), key(random, "targets")];
            names.extend(more.iter().map(|name| key(random, name)));
            format!("[{}]", names.join(random.choice([".", " . "]).expect("one")))
        };
        let owner = tenant.name.as_str();
        match random.u8(..4) {
            0 => {
                let header = names(random, &[]);
                self.header(random, owner, &header);
                for (id, targets) in &tenant.targets {
                    for target in targets {
                        let before = [key(random, id)];
                        let all = lines(random, &before, &owner_of(owner, id, &target.name), target);
                        self.settings(random, owner, &all);
                    }
                }
            }
            1 => {
                for (id, targets) in &tenant.targets {
                    let header = names(random, &[id]);
                    self.header(random, owner, &header);
                    for target in targets {
                        let all = lines(random, &[], &owner_of(owner, id, &target.name), target);
                        self.settings(random, owner, &all);
                    }
                }
            }
            _ => {
                for (id, targets) in &tenant.targets {
                    for target in targets {
                        let owner = owner_of(owner, id, &target.name);
                        let header = names(random, &[id, &target.name]);
                        self.header(random, &owner, &header);
                        let all = listed(random, target).into_iter();
                        let all: Vec<_> =
                            all.map(|(setting, value)| Line { setting, value, owner: owner.clone() }).collect();
                        self.settings(random, &owner, &all);
                    }
                }
            }
        }
    }
}
