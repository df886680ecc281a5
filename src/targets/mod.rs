//! Targets: the places from which a client's apps read its secret. Each can be read, prepared for a change, written, and read back.

pub mod command;
mod dotenv;
mod edit;
mod file;
mod json;
mod toml;
mod tree;
mod yaml;

use std::fmt;

use zeroize::Zeroizing;

use self::edit::EditError;
use crate::domain::rollover::Phase;
use crate::domain::target::{CommandPlace, FilePlace, Format, Place, SlotNames, Slots, Target};
use crate::domain::{ContentHash, FingerprintKey};

/// What a target holds.
#[derive(Debug)]
pub struct Reading {
    /// The secrets.
    pub slots: Slots,
    /// The keyed hash of all that it holds; of a command, of the secrets that it prints.
    pub hash: ContentHash,
    /// What is worth knowing: others can read it, git tracks it. Safe to print.
    pub warnings: Vec<String>,
}

/// A change of a target that was worked out and not made.
pub struct Prepared {
    /// The hash of what it holds; `None` where that cannot be read.
    pub before: Option<ContentHash>,
    /// The hash of what it will hold; `None` where that cannot be known before.
    pub after: Option<ContentHash>,
    /// What is worth knowing. Safe to print.
    pub warnings: Vec<String>,
    work: Work,
}

/// What is left to do.
enum Work {
    /// A file gets new contents.
    File(file::Replacement),
    /// A command is given the secrets.
    Command { place: CommandPlace, client_id: String, wanted: Slots, phase: Phase },
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What will be written holds secrets.
        f.debug_struct("Prepared")
            .field("before", &self.before)
            .field("after", &self.after)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

/// Why a target could not be read or written. Safe to print; never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetError {
    /// Which kind.
    pub kind: TargetErrorKind,
    /// Where, and what is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

/// Which kind of failure it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetErrorKind {
    /// It is not there.
    Missing,
    /// It is not written to as it is: a link, open to others, a key that is not there.
    Refused,
    /// Somebody else changed it since it was read.
    Changed,
    /// It does not read as its format says, or not to all apps alike: a key twice, a value that is expanded.
    Format,
    /// The system said no.
    System,
    /// The command failed, or took too long.
    Command,
    /// It cannot be read back: the command has no command to read with.
    CannotRead,
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for TargetError {}

/// Reads what a target holds. Whoever else can read it is a warning here; it is what `prepare` refuses.
///
/// # Errors
/// Where it cannot be read; [`TargetErrorKind::CannotRead`] where a command has no command to read with.
pub async fn read(target: &Target, client_id: &str, key: &FingerprintKey) -> Result<Reading, TargetError> {
    match &target.place {
        Place::File(place) => {
            let seen = file::look(place).await?;
            let slots = slots_of(place, &seen.bytes, &target.slots)?;
            let hash = key.contents(&seen.bytes);
            Ok(Reading { slots, hash, warnings: seen.all_warnings() })
        }
        Place::Command(place) => {
            if place.read.is_empty() {
                return Err(TargetError {
                    kind: TargetErrorKind::CannotRead,
                    message: format!("{}: it has no command to read with", target.name),
                    hint: "Give it one that prints what is stored, so that a delivery can be read back".to_owned(),
                });
            }
            let (slots, _) = command::read(place, &target.slots, client_id).await?;
            let hash = key.contents(&canonical(&slots));
            Ok(Reading { slots, hash, warnings: Vec::new() })
        }
    }
}

/// Works out how a target will look when it holds these secrets: nothing of it is written. What a delivery that died left
/// beside a file is removed: it holds a secret.
///
/// # Errors
/// Where it cannot be read, or cannot hold them.
pub async fn prepare(
    target: &Target,
    client_id: &str,
    wanted: &Slots,
    phase: Phase,
    key: &FingerprintKey,
) -> Result<Prepared, TargetError> {
    match &target.place {
        Place::File(place) => {
            let seen = file::look_before_change(place).await?;
            let after = changed(place, &seen.bytes, &target.slots, wanted)?;
            Ok(Prepared {
                before: Some(key.contents(&seen.bytes)),
                after: Some(key.contents(&after)),
                warnings: seen.all_warnings(),
                work: Work::File(file::Replacement::new(place, seen, after)),
            })
        }
        Place::Command(place) => {
            let (mut before, mut after) = (None, None);
            if !place.read.is_empty() {
                let (slots, _) = command::read(place, &target.slots, client_id).await?;
                before = Some(key.contents(&canonical(&slots)));
                after = Some(key.contents(&canonical(wanted)));
            }
            let work =
                Work::Command { place: place.clone(), client_id: client_id.to_owned(), wanted: wanted.clone(), phase };
            Ok(Prepared { before, after, warnings: Vec::new(), work })
        }
    }
}

/// Makes a prepared change, where the target is still as it was when it was prepared.
///
/// # Errors
/// Where it changed meanwhile, or as the system or the command fails.
pub async fn write(prepared: Prepared) -> Result<(), TargetError> {
    match prepared.work {
        Work::File(replacement) => replacement.make().await,
        Work::Command { place, client_id, wanted, phase } => command::write(&place, &client_id, &wanted, phase).await,
    }
}

/// Runs what is to run after a delivery, where something is. Its output's last line, safe to print.
///
/// # Errors
/// As the command fails.
pub async fn run_after(target: &Target) -> Result<Option<String>, TargetError> {
    if target.after.is_empty() {
        return Ok(None);
    }
    // A restart may print the configuration that it starts with. Where the file cannot be read now, nothing is known of it.
    let slots = match &target.place {
        Place::File(place) => match file::look(place).await {
            Ok(seen) => slots_of(place, &seen.bytes, &target.slots).unwrap_or_default(),
            Err(_) => Slots::default(),
        },
        Place::Command(_) => Slots::default(),
    };
    let redact: Vec<_> = [slots.current, slots.fallback].into_iter().flatten().collect();
    command::run(&target.after, &redact).await
}

fn read_format(format: Format, bytes: &[u8], slots: &SlotNames) -> Result<Slots, EditError> {
    match format {
        Format::Dotenv => dotenv::read(bytes, slots),
        Format::DockerEnv => dotenv::docker::read(bytes, slots),
        Format::Json => json::read(bytes, slots),
        Format::Yaml => yaml::read(bytes, slots),
        Format::Toml => toml::read(bytes, slots),
    }
}

fn slots_of(place: &FilePlace, bytes: &[u8], slots: &SlotNames) -> Result<Slots, TargetError> {
    read_format(place.format, bytes, slots).map_err(|error| {
        let hint = format!("It is read as {}: mend it by hand, then try again", place.format.name());
        told(place, &error, TargetErrorKind::Format, hint)
    })
}

/// The file's new bytes, read back: they hold what is wanted.
fn changed(
    place: &FilePlace,
    bytes: &[u8],
    slots: &SlotNames,
    wanted: &Slots,
) -> Result<Zeroizing<Vec<u8>>, TargetError> {
    slots_of(place, bytes, slots)?;
    let edited = match place.format {
        Format::Dotenv => dotenv::edit(bytes, slots, wanted),
        Format::DockerEnv => dotenv::docker::edit(bytes, slots, wanted),
        Format::Json => json::edit(bytes, slots, wanted),
        Format::Yaml => yaml::edit(bytes, slots, wanted),
        Format::Toml => toml::edit(bytes, slots, wanted),
    };
    let hint = || "Nothing was written".to_owned();
    let after = edited.map_err(|error| told(place, &error, TargetErrorKind::Refused, hint()))?;
    if read_format(place.format, &after, slots).as_ref() != Ok(wanted) {
        let message = "what would be written does not read back as the secrets".to_owned();
        return Err(told(place, &EditError { line: None, message }, TargetErrorKind::Refused, hint()));
    }
    Ok(after)
}

fn told(place: &FilePlace, error: &EditError, kind: TargetErrorKind, hint: String) -> TargetError {
    let path = file::shown(&place.path);
    let message = match error.line {
        Some(line) => format!("{path}, line {line}: {}", error.message),
        None => format!("{path}: {}", error.message),
    };
    TargetError { kind, message, hint }
}

/// The secrets in one form, to hash: what a command prints may differ from one time to the next, and what it will print is
/// known of nobody before.
fn canonical(slots: &Slots) -> Zeroizing<Vec<u8>> {
    let all = [&slots.current, &slots.fallback];
    let length = all.iter().map(|slot| slot.as_ref().map_or(0, |secret| secret.expose().len()) + 24).sum();
    // For all of it from the start: a buffer that grows leaves copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(length));
    for slot in all {
        match slot {
            None => bytes.push(b'-'),
            Some(secret) => {
                bytes.extend_from_slice(format!("{}:", secret.expose().len()).as_bytes());
                bytes.extend_from_slice(secret.expose().as_bytes());
            }
        }
    }
    bytes
}
