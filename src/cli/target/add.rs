//! `target add`.
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::super::Ended;
use super::super::arguments::{Add, Global};
use super::super::exit::{Failure, code};
use super::super::output::{Output, say};
use super::super::pick::pick;
use super::super::session::Session;
use super::{object, record, row, warn};
use crate::auth0::SecretRead;
use crate::domain::target::{
    CURRENT_KEY, CommandPlace, FALLBACK_KEY, FilePlace, Format, Held, Place, SlotNames, Target, check_name,
    check_slots, holding,
};
use crate::domain::untrusted::shown;
use crate::domain::{Client, FingerprintKey};
use crate::targets;
use crate::tenants::{check_variable, fingerprint_key, full_path};

/// Adds a target to a client: only the configuration changes. It is read once, so that what is wrong with it is said now and not in
/// the middle of a rollover; but a place that is not there yet can be added too.
pub async fn run(global: &Global, add: &Add) -> Ended {
    let target = target(add)?;
    let session = Session::open(global).await?;
    let mut output = Output::new(add.json);
    let client = pick(&session.api, &add.client, &output, &mut None).await?;
    let id = client.summary.client_id.raw();
    let there = session.tenants.targets_of(&session.profile, id);
    if there.iter().all(|known| known.name != target.name) {
        match fingerprint_key(session.tenants.home()) {
            Ok(key) => look(&session, &client, &target, &key).await,
            Err(why) => warn(&format!("it was not read: {why}")),
        }
    }
    session.tenants.add_target(&session.profile, id, &target).map_err(|error| Failure::from(error).about(id))?;
    if add.json {
        output.document(&object(id, &target))?;
    } else {
        let client = super::super::show::called(&client);
        say(&format!("“{client}” has the target “{}” now: {}.", shown(&target.name), shown(&target.place_words())));
    }
    Ok(code::DONE)
}

/// Reads the target once, and says what a rollover would stumble over.
async fn look(session: &Session, client: &Client, target: &Target, key: &FingerprintKey) {
    let id = client.summary.client_id.raw();
    let name = shown(&target.name);
    let reading = match targets::read(target, id, key).await {
        Ok(reading) => reading,
        Err(error) => {
            warn(&format!("the target “{name}” cannot be read now: {error}"));
            if !error.hint.is_empty() {
                say(&format!("  {}", error.hint));
            }
            return;
        }
    };
    for text in &reading.warnings {
        warn(&format!("“{name}”: {text}"));
    }
    let live = match session.api.client_secret(id).await {
        Ok(SecretRead::Readable(live)) => Some(live),
        // What the target holds is compared later too.
        Ok(SecretRead::NotVisible) | Err(_) => None,
    };
    let row = row(record(&session.tenants).as_ref(), &session.profile, id);
    if live.is_none() && row.is_none() {
        return;
    }
    let holding = holding(&reading.slots, live.as_deref(), row.as_ref(), key);
    let current = target.slots.keys().first().copied().unwrap_or_default().to_owned();
    let current = shown(&current);
    match (holding.current, holding.fallback) {
        (Held::Nothing, Held::Nothing) => warn(&format!("“{name}” holds no secret under {current} yet")),
        (Held::Other(_), _) => {
            warn(&format!("“{name}” holds a secret under {current} that is neither live at Auth0 nor known here"));
        }
        (_, Held::Other(_)) => {
            warn(&format!("“{name}” holds a fallback that is neither live at Auth0 nor known here"));
        }
        _ if !holding.works() => warn(&format!("“{name}” does not hold the live secret")),
        _ => {}
    }
}

/// The target that the command line says.
fn target(add: &Add) -> Result<Target, Failure> {
    let usage = |why: String| Failure::usage(why, "");
    check_name(&add.name).map_err(usage)?;
    let place = match &add.file {
        Some(path) => {
            let path = file(path)?;
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let format = add.format.or_else(|| Format::of_name(&name)).ok_or_else(|| {
                Failure::usage(
                    format!("the name “{}” does not tell the format of the file", shown(&name)),
                    format!("Give --format: {}.", Format::ALL.map(Format::name).join(", ")),
                )
            })?;
            Place::File(FilePlace { path, format, follow_links: add.follow_links, allow_mode: add.allow_mode })
        }
        None => Place::Command(CommandPlace {
            write: program(add.program.clone(), "--command")?,
            read: words(add.read_command.as_deref(), "--read-command")?,
            environment: add
                .environment
                .iter()
                .map(|name| check_variable(name).map(|()| name.clone()))
                .collect::<Result<_, _>>()
                .map_err(|why| Failure::usage(format!("--environment: {why}"), ""))?,
            timeout: add.timeout.map_or(CommandPlace::TIMEOUT, Duration::from_secs),
        }),
    };
    let key = add.key.clone().unwrap_or_else(|| CURRENT_KEY.to_owned());
    let slots = match &add.list {
        Some(separator) => SlotNames::List { key, separator: Some(separator.clone()).filter(|text| !text.is_empty()) },
        None => SlotNames::Two {
            current: key,
            fallback: add.fallback_key.clone().unwrap_or_else(|| FALLBACK_KEY.to_owned()),
        },
    };
    check_slots(&slots, &place).map_err(usage)?;
    Ok(Target { name: add.name.clone(), place, slots, after: words(add.after.as_deref(), "--after")? })
}

/// The whole path of a file: what stands in the configuration must mean the same wherever the program is started.
fn file(path: &Path) -> Result<PathBuf, Failure> {
    let shown_path = shown(&path.display().to_string()).into_owned();
    let wrong = |why: &str| Failure::usage(format!("--file: “{shown_path}” {why}"), "Give the path of a file.");
    if path.as_os_str().is_empty() {
        return Err(wrong("is empty"));
    }
    let whole = full_path(path).map_err(|error| wrong(&error.to_string()))?;
    let (Some(folder), Some(name)) = (whole.parent(), whole.file_name()) else { return Err(wrong("names no file")) };
    if path.as_os_str().to_string_lossy().ends_with(std::path::is_separator) || whole.is_dir() {
        return Err(wrong("is a folder"));
    }
    if whole.to_str().is_none() {
        return Err(wrong("is no UTF-8 text, which config.toml could not hold"));
    }
    // Where `..` leads is for the file system to say: behind a link it is another folder than the text says.
    if whole.components().any(|part| part == Component::ParentDir) {
        let folder = folder.canonicalize().map_err(|error| wrong(&format!("lies in no folder: {error}")))?;
        return Ok(folder.join(name));
    }
    Ok(whole)
}

/// A program and its arguments, from one text.
fn words(text: Option<&str>, flag: &str) -> Result<Vec<String>, Failure> {
    let Some(text) = text else { return Ok(Vec::new()) };
    let words = shlex::split(text).ok_or_else(|| {
        Failure::usage(format!("{flag}: a quote does not end in “{}”", shown(text)), "It is split as a shell does.")
    })?;
    program(words, flag)
}

fn program(mut words: Vec<String>, flag: &str) -> Result<Vec<String>, Failure> {
    let Some(program) = words.first_mut().filter(|program| !program.trim().is_empty()) else {
        return Err(Failure::usage(format!("{flag} names no program"), ""));
    };
    // One that lies beside where this was typed would not be found from elsewhere; a bare name is looked for in PATH each time.
    if program.contains(std::path::is_separator) {
        let whole = full_path(Path::new(program)).ok().and_then(|path| path.to_str().map(str::to_owned));
        *program = whole.ok_or_else(|| Failure::usage(format!("{flag}: the program's path cannot be used"), ""))?;
    }
    if words.iter().any(|word| word.contains('\0')) {
        return Err(Failure::usage(format!("{flag}: no program is given a NUL character"), ""));
    }
    Ok(words)
}
