//! Texts that nobody would write, for as long as `FUZZ_SECONDS` says: `tests/fuzz.sh`. What fails names the `FUZZ_SEED` that
//! makes it the first case of the next run.

mod targets;
mod written;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fastrand::Rng;

use self::targets::{a_client_id, a_target, owner_of};
use self::written::{Written, a_domain, a_name, a_profile, any, mutated, soup, text};

use super::Home;
use super::config::Config;
use super::edit::{Change, EditError, Of, changed, placed, put, settings as all_settings, target_settings};
use super::vault::{Kept, VaultError, opened, written};
use crate::domain::profile::check_name;
use crate::domain::target::check_slots;
use crate::domain::untrusted::is_hidden;
use crate::domain::{Domain, Profile, Secret, Slot, SlotKind, Target};
use crate::files;

/// Runs cases for a share of the time, each with a seed of its own.
fn fuzz(target: &str, share: f64, mut case: impl FnMut(&mut Rng)) {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse::<u64>().ok());
    let seconds = number("FUZZ_SECONDS").unwrap_or(2);
    let first = number("FUZZ_SEED").unwrap_or_else(|| Rng::new().u64(..));
    let until = Instant::now() + Duration::from_secs(seconds).mul_f64(share);
    let mut executions = 0_u64;
    while Instant::now() < until || executions == 0 {
        let seed = first.wrapping_add(executions);
        let run = std::panic::AssertUnwindSafe(|| case(&mut Rng::with_seed(seed)));
        if let Err(panic) = std::panic::catch_unwind(run) {
            report(&format!("FAILED: FUZZ_SEED={seed} shows it again in {target}"));
            std::panic::resume_unwind(panic);
        }
        executions += 1;
    }
    report(&format!("{target}: {executions} executions from seed {first}"));
}

#[expect(clippy::print_stderr, reason = "what a run of the script is for")]
fn report(line: &str) {
    eprintln!("{line}");
}

/// What holds for every message.
fn check_message(message: &str) {
    assert!(!message.chars().any(is_hidden), "{message:?}");
    assert!((1..1000).contains(&message.chars().count()), "{message:?}");
}

fn path() -> &'static Path {
    Path::new("config.toml")
}

#[test]
fn a_configuration_is_read_or_its_mistake_is_told() {
    fuzz("Config::parse", 0.25, |random| {
        let mut text = if random.u8(..) < 40 { soup(random) } else { Written::new(random).text };
        for _ in 0..random.usize(..6) {
            text = mutated(random, &text);
        }
        match Config::parse(&text, path()) {
            Ok(config) => {
                for (name, profile) in &config.tenants {
                    assert_eq!((check_name(name), name), (Ok(()), &profile.name));
                }
                assert!(config.selected.is_none_or(|name| config.tenants.contains_key(&name)));
                let lines = text.split('\n').count();
                assert!(config.lines.values().all(|line| (1..=lines).contains(line)), "{text:?}");
            }
            Err(error) => {
                check_message(&error.to_string());
                let line = error.line.unwrap_or_else(|| panic!("no line: {error}"));
                assert!((1..=text.lines().count().max(1)).contains(&line), "{error}: {text:?}");
            }
        }
    });
}

#[test]
fn a_change_leaves_everything_else_as_it_was() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path().join("home").into_os_string();
    let home = Home::find(&move |name| (name == "ROLLOVER_HOME").then(|| folder.clone())).expect("a home");
    let (mut tried, mut done) = (0_u64, 0_u64);
    fuzz("edit", 0.5, |random| {
        let written = Written::new(random);
        let mut text = written.text.clone();
        let as_written = random.bool();
        if !as_written {
            for _ in 0..random.usize(1..3) {
                text = mutated(random, &text);
            }
        }
        let Ok(before) = Config::parse(&text, path()) else {
            assert!(!as_written, "{:?}\n{text}", Config::parse(&text, path()));
            return;
        };
        tried += 1;
        let known = before.tenants.keys().cloned().collect::<Vec<_>>();
        let name =
            if known.is_empty() || random.u8(..) < 100 { a_name(random) } else { random.choice(known).expect("one") };
        let mut profile = a_profile(random, &name);
        if random.bool()
            && let Some(there) = before.tenants.get(&name)
        {
            // Most changes are small.
            profile = Profile { environment: profile.environment, kept: profile.kept, ..there.clone() };
        }
        let target = target_of(random, &before, &mut profile);
        let of = Of { profile: &profile, client_id: &target.0 };
        let change = match random.u8(..6) {
            0 => Change::Select(&name),
            1 => Change::Remove(&name),
            2 => Change::RemoveTarget { of, name: &target.1.name },
            3 => Change::PutTarget { of, target: &target.1, replace: random.u8(..) < 200 },
            _ => Change::Put { profile: &profile, select: random.bool() },
        };
        let result = changed(&text, path(), &change);
        if random.u8(..) == 0
            && let Change::Put { profile, select } = change
        {
            files::replace(&home.config_file(), text.as_bytes()).expect("a file");
            let put = put(&home, profile, select).map_err(|error| error.to_string());
            let there = files::read(&home.config_file()).expect("it is there");
            assert_eq!(put.is_ok(), result.is_ok(), "{put:?}");
            assert_eq!(&**there, result.as_ref().unwrap_or(&text));
        }
        match result {
            Ok(after) => {
                done += 1;
                check_change(&before, &text, &after, &change, as_written.then_some(&written));
            }
            Err(error) => {
                check_message(&error.to_string());
                let expected = match (&error, &change) {
                    (EditError::NoTenant(_), _) => !before.tenants.contains_key(&name),
                    (EditError::NoTarget(_), Change::RemoveTarget { of, name }) => there(&before, *of, name).is_none(),
                    (EditError::TargetExists(_), Change::PutTarget { of, target, replace: false }) => {
                        there(&before, *of, &target.name).is_some()
                    }
                    // Another target writes to that file.
                    (EditError::Mistake(_), Change::PutTarget { of, target, .. }) => {
                        let own = there(&before, *of, &target.name);
                        let all = before.tenants.values().flat_map(|tenant| tenant.targets.values().flatten());
                        all.into_iter()
                            .any(|one| one.clashes_with(target) && !own.is_some_and(|own| std::ptr::eq(own, one)))
                    }
                    // Another tenant is at that address.
                    (EditError::Mistake(_), Change::Put { profile, .. }) => {
                        before.profile_of(&profile.domain).is_some_and(|other| other.name != name)
                    }
                    _ => false,
                };
                assert!(expected, "{error}\n{}\n{text}", told(&change));
            }
        }
    });
    assert!(done > tried / 4 || tried < 20, "most changes fail: {done} of {tried}");
}

/// A target of a client of a tenant, or of one that is nearly it: often one that is there.
fn target_of(random: &mut Rng, config: &Config, profile: &mut Profile) -> (String, Target) {
    let there = config.tenants.get(&profile.name);
    if let Some(there) = there.filter(|_| random.u8(..) < 200) {
        profile.domain = there.domain.clone();
    }
    let known = there.into_iter().flat_map(|there| &there.targets);
    let known: Vec<_> = known.flat_map(|(id, targets)| targets.iter().map(move |target| (id, target))).collect();
    let name = a_name(random);
    match random.choice(&known).filter(|_| random.u8(..) < 180) {
        // Most changes are small.
        Some((id, target)) if random.bool() => {
            let slots = a_target(random, &name).slots;
            let slots = if check_slots(&slots, &target.place).is_ok() { slots } else { target.slots.clone() };
            ((*id).clone(), Target { slots, after: Vec::new(), ..(*target).clone() })
        }
        Some((id, target)) => ((*id).clone(), a_target(random, &target.name)),
        None => (a_client_id(random), a_target(random, &name)),
    }
}

/// The target that is there.
fn there<'c>(config: &'c Config, of: Of<'_>, name: &str) -> Option<&'c Target> {
    let targets = config.profile_of(&of.profile.domain)?.targets.get(of.client_id)?;
    targets.iter().find(|target| target.name == name)
}

fn told(change: &Change<'_>) -> String {
    match change {
        Change::Put { profile, select } => format!("put, select {select}: {profile:?}"),
        Change::Select(name) => format!("select {name:?}"),
        Change::Remove(name) => format!("remove {name:?}"),
        Change::PutTarget { of, target, replace } => {
            format!("put a target of {}, {}, replace {replace}: {target:?}", of.profile.domain, of.client_id)
        }
        Change::RemoveTarget { of, name } => format!("remove {name:?} of {}, {}", of.profile.domain, of.client_id),
    }
}

fn check_change(before: &Config, text: &str, after: &str, change: &Change<'_>, written: Option<&Written>) {
    // A name may be spelled with escapes; and the second line of a value names nothing.
    const ODD: [&str; 4] = ["\\u00", "\\U0", "\"\"\"", "'''"];
    let what = || format!("{}\n--- before\n{text}\n--- after\n{after}\n", told(change));
    let read = Config::parse(after, path()).unwrap_or_else(|error| panic!("{error}\n{}", what()));
    let mut expected = before.clone();
    let mut settings = BTreeSet::new();
    match *change {
        Change::Put { profile, select } => {
            let targets = before.tenants.get(&profile.name).map(|there| there.targets.clone()).unwrap_or_default();
            let old = expected.tenants.insert(profile.name.clone(), Profile { targets, ..profile.clone() });
            let unset = Profile::new(String::new(), profile.domain.clone());
            let pairs = all_settings(profile).into_iter().zip(all_settings(old.as_ref().unwrap_or(&unset)));
            settings.extend(pairs.filter(|(new, old)| new != old).map(|((name, _), _)| name));
            if select {
                settings.insert("tenant");
                expected.selected = Some(profile.name.clone());
            }
        }
        Change::Select(name) => {
            settings.insert("tenant");
            expected.selected = Some(name.to_owned());
        }
        Change::Remove(name) => {
            settings.insert("tenant");
            expected.tenants.remove(name);
            expected.selected.take_if(|selected| selected == name);
        }
        Change::PutTarget { of, target, .. } => {
            let mut names = std::iter::once(of.profile.name.clone())
                .chain((2..).map(|number| format!("{}-{number}", of.profile.name)));
            let own = before.profile_of(&of.profile.domain).map(|there| there.name.clone());
            let free = || names.find(|name| !before.tenants.contains_key(name)).expect("a name that is free");
            let name = own.unwrap_or_else(free);
            let new = Profile::new(name.clone(), of.profile.domain.clone());
            let tenant = expected.tenants.entry(name).or_insert(new);
            let targets = tenant.targets.entry(of.client_id.to_owned()).or_default();
            match targets.iter_mut().find(|one| one.name == target.name) {
                Some(one) => {
                    let pairs = target_settings(target).into_iter().zip(target_settings(one));
                    settings.extend(pairs.filter(|(new, old)| new != old).map(|((name, _), _)| name));
                    // What says what holds without it goes where it would say something else.
                    if target.place != one.place {
                        settings.extend([
                            "format",
                            "read_command",
                            "environment",
                            "timeout",
                            "follow_links",
                            "allow_mode",
                        ]);
                    }
                    if target.slots != one.slots {
                        settings.insert("fallback_key");
                    }
                    *one = target.clone();
                }
                None => targets.push(target.clone()),
            }
        }
        Change::RemoveTarget { of, name } => {
            let tenant =
                expected.tenants.values_mut().find(|one| one.domain == of.profile.domain).expect("it is there");
            let targets = tenant.targets.get_mut(of.client_id).expect("it is there");
            targets.retain(|target| target.name != name);
            if targets.is_empty() {
                tenant.targets.remove(of.client_id);
            }
        }
    }
    if let Change::PutTarget { of, target, .. } = *change {
        placed(&mut expected, of, &target.name, &read);
    }
    assert_eq!(Config { lines: expected.lines.clone(), ..read }, expected, "{}", what());
    if matches!(change, Change::Select(_) | Change::Put { .. } | Change::PutTarget { replace: true, .. }) {
        // Saying the same again changes nothing.
        assert_eq!(changed(after, path(), change).expect("it is right"), after, "{}", what());
    }
    assert_eq!(text.starts_with('\u{feff}'), after.starts_with('\u{feff}'), "{}", what());
    if text.contains('\n') && !text.replace("\r\n", "").contains('\n') {
        assert!(!after.replace("\r\n", "").contains('\n'), "another line end: {}", what());
    }
    let removed = match change {
        Change::Remove(name) => Some((*name).to_owned()),
        Change::RemoveTarget { of, name } => {
            let tenant = before.profile_of(&of.profile.domain).expect("it is there");
            Some(owner_of(&tenant.name, of.client_id, name))
        }
        _ => None,
    };
    let names = |line: &str, setting: &str| line.contains(setting) || ODD.iter().any(|odd| line.contains(odd));
    let gone = lost(text, after);
    let spanning = gone.iter().any(|line| line.contains("\"\"\"") || line.contains("'''"));
    for line in gone {
        let meant = match (&removed, written) {
            // In braces a line may hold anything.
            (None, Some(written)) => {
                written.braced.contains(&line) || settings.iter().any(|setting| names(&line, setting))
            }
            // Whatever a mutation put between the quotes of a value goes with it.
            (None, None) => spanning || text.contains('{') || settings.iter().any(|setting| names(&line, setting)),
            (Some(name), Some(written)) => {
                line.trim().is_empty() || names(&line, "tenant") || written.owns(name, &line)
            }
            (Some(_), None) => true,
        };
        assert!(meant, "lost: {line:?}\n{}", what());
    }
    for comment in written.map(|written| written.comments.iter()).into_iter().flatten() {
        let gone = removed.as_deref().zip(comment.owner.as_deref());
        let gone = gone.is_some_and(|(removed, owner)| owner.starts_with(removed));
        assert!(gone || after.contains(&comment.text), "lost: {}\n{}", comment.text, what());
    }
}

/// The lines of `before` that are not in `after`, or not in that order: what the longest common sequence leaves out.
fn lost(before: &str, after: &str) -> Vec<String> {
    let lines = |text: &str| text.trim_start_matches('\u{feff}').lines().map(str::to_owned).collect::<Vec<_>>();
    let (old, new) = (lines(before), lines(after));
    let mut longest = vec![vec![0_u32; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            longest[i][j] =
                if old[i] == new[j] { longest[i + 1][j + 1] + 1 } else { longest[i + 1][j].max(longest[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut lost) = (0, 0, Vec::new());
    while i < old.len() {
        if j < new.len() && old[i] == new[j] {
            (i, j) = (i + 1, j + 1);
        } else if j < new.len() && longest[i][j + 1] >= longest[i + 1][j] {
            j += 1;
        } else {
            lost.push(old[i].clone());
            i += 1;
        }
    }
    lost
}

#[test]
fn a_domain_is_one_or_its_mistake_is_told() {
    const PARTS: [&str; 30] = [
        "acme",
        ".",
        "eu.auth0.com",
        "://",
        "https://",
        "http://",
        "localhost",
        "127.0.0.1",
        "[::1]",
        ":",
        "8080",
        "99999",
        "/",
        "?",
        "#",
        "@",
        "user:pw@",
        "%2e",
        "xn--",
        "ü",
        "\u{202e}",
        "\u{200b}",
        " ",
        "\t",
        "\\",
        "//",
        "[",
        "]",
        "0x7f.1",
        "-",
    ];
    fuzz("Domain::parse, check_name", 0.125, |random| {
        let mut text = String::new();
        for _ in 0..random.usize(..7) {
            let part = if random.u8(..) < 230 {
                random.choice(PARTS).expect("one").to_owned()
            } else {
                any(random).to_string()
            };
            text.push_str(&part.repeat(if random.u8(..) < 4 { random.usize(..400) } else { 1 }));
        }
        match Domain::parse(&text) {
            Ok(domain) => {
                let base = domain.base();
                assert!(base.scheme() == "https" || (base.scheme() == "http" && domain.is_loopback()), "{text:?}");
                assert!(base.username().is_empty() && base.password().is_none() && base.path() == "/", "{text:?}");
                assert!(!domain.to_string().chars().any(is_hidden) && !domain.host().is_empty(), "{text:?}: {domain}");
                assert_eq!(Domain::parse(base.as_str()), Ok(domain.clone()), "{text:?}");
                if base.scheme() == "https" {
                    assert_eq!(Domain::parse(&domain.host()), Ok(domain.clone()), "{text:?}");
                }
            }
            Err(error) => check_message(&error),
        }
        match check_name(&text) {
            Ok(()) => {
                assert!(!text.chars().any(is_hidden) && text.trim() == text, "{text:?}");
                let profile = Profile::new(text.clone(), Domain::parse("acme.eu.auth0.com").expect("a domain"));
                let change = Change::Put { profile: &profile, select: true };
                let after = changed("", path(), &change).unwrap_or_else(|error| panic!("{text:?}: {error}"));
                assert_eq!(Config::parse(&after, path()).expect("it is right").selected, Some(text));
            }
            Err(error) => check_message(&error),
        }
    });
}

#[test]
fn what_is_kept_is_opened_or_refused_without_repeating_it() {
    let slot = |random: &mut Rng| Slot {
        domain: a_domain(random),
        kind: random.choice([SlotKind::ClientSecret, SlotKind::PrivateKey, SlotKind::Token]).expect("one"),
        client_id: if random.bool() { String::new() } else { text(random) },
    };
    fuzz("vault", 0.125, |random| {
        let slot = slot(random);
        let secret = |random: &mut Rng| Arc::new(Secret::new(format!("canary{}", text(random))));
        let kept = Kept { secret: secret(random), previous: random.bool().then(|| secret(random)) };
        let whole = written(&slot, &kept);
        assert_eq!(opened(whole.expose().as_bytes(), &slot), Ok(kept));
        let mut bytes = whole.expose().as_bytes().to_vec();
        for _ in 0..random.usize(1..4) {
            let at = random.usize(..=bytes.len());
            match random.u8(..4) {
                0 => bytes.truncate(at),
                1 => bytes
                    .splice(
                        at..at,
                        b"{}[]\",:\\null 1e9".iter().skip(random.usize(..15)).take(random.usize(..5)).copied(),
                    )
                    .for_each(drop),
                2 => drop(bytes.drain(at..(at + random.usize(..9)).min(bytes.len()))),
                _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.u8(..)),
            }
        }
        match opened(&bytes, &slot) {
            Ok(_) => {}
            Err(VaultError::Foreign(why)) => {
                check_message(&why);
                assert!(!why.contains("canary"), "{why}");
            }
            Err(other) => panic!("{other}"),
        }
    });
}
