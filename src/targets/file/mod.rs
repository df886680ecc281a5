//! Files: who can get at them, reading them, and replacing them where they are still as they were.
//!
//! What is kept: a link is never written through; what is not a plain file is never opened for long; the new file is made in
//! the same folder with mode, owner and attributes of the old one, is on the disk before it takes the old one's name, and
//! whoever reads sees the old or the new one, complete.
//!
//! What cannot be kept: between the last look at the old file and the new one taking its name lies a moment, well below a
//! millisecond. A change that another program makes in it, without asking for the file's lock, is lost. No system call replaces
//! a file on the condition that it is still the same.

mod git;
#[cfg(not(unix))]
mod plain;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use self::plain as system;
#[cfg(unix)]
use self::unix as system;

use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::{TargetError, TargetErrorKind};
use crate::domain::target::FilePlace;
use crate::domain::untrusted;
use crate::files::Exposure;

/// The most that a target may hold.
const MOST: u64 = 1 << 20;

/// A file that was looked at.
pub(super) struct Seen {
    /// What it holds.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Which file it was.
    identity: system::Identity,
    /// Its own path: behind the link, where one is followed.
    path: PathBuf,
    /// Why it is not written to unless that is allowed.
    exposures: Vec<Exposure>,
    /// What is worth knowing.
    warnings: Vec<String>,
}

impl Seen {
    /// All that is worth knowing of it.
    pub(super) fn all_warnings(&self) -> Vec<String> {
        let path = shown(&self.path);
        let exposures = self.exposures.iter().map(|Exposure { what, mend }| format!("{what}; run: {mend}"));
        exposures.chain(self.warnings.iter().cloned()).map(|warning| format!("{path}: {warning}")).collect()
    }
}

/// Looks at a file.
pub(super) async fn look(place: &FilePlace) -> Result<Seen, TargetError> {
    let owned = place.clone();
    let mut seen = blocking(move || system::look(&owned)).await?;
    if git::tracks(&seen.path).await {
        seen.warnings.push("git tracks it: whoever gets the repository gets the secret".to_owned());
    }
    Ok(seen)
}

/// Looks at a file that will be changed: it must be allowed to be, and what a process that died left beside it goes.
pub(super) async fn look_before_change(place: &FilePlace) -> Result<Seen, TargetError> {
    let seen = look(place).await?;
    allowed(place, &seen)?;
    let owned = place.clone();
    blocking(move || {
        system::sweep(&owned);
        Ok(())
    })
    .await?;
    Ok(seen)
}

/// New contents for a file.
pub(super) struct Replacement {
    place: FilePlace,
    seen: Seen,
    new: Zeroizing<Vec<u8>>,
}

impl Replacement {
    /// New contents for a file that was looked at.
    pub(super) fn new(place: &FilePlace, seen: Seen, new: Zeroizing<Vec<u8>>) -> Self {
        Self { place: place.clone(), seen, new }
    }

    /// Puts them in its place, where it is still as it was.
    pub(super) async fn make(self) -> Result<(), TargetError> {
        blocking(move || system::replace(&self.place, &self.seen.identity, &self.seen.bytes, &self.new)).await
    }
}

/// A disk may be slow, and the lock of a file held by somebody: that is no work for the threads that serve everything else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TargetError> + Send + 'static,
) -> Result<T, TargetError> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|_| {
        let message = "the work on a file broke off".to_owned();
        Err(TargetError {
            kind: TargetErrorKind::System,
            message,
            hint: "Look at the target before the next try".to_owned(),
        })
    })
}

/// Refuses a file that others can get at, unless that is allowed.
fn allowed(place: &FilePlace, seen: &Seen) -> Result<(), TargetError> {
    match seen.exposures.first() {
        Some(Exposure { what, mend }) if !place.allow_mode => {
            Err(error(TargetErrorKind::Refused, &seen.path, what, &format!("Run: {mend}; or allow it for this target")))
        }
        _ => Ok(()),
    }
}

/// A path, safe to print.
pub(super) fn shown(path: &Path) -> String {
    untrusted::shown(&path.display().to_string()).into_owned()
}

fn error(kind: TargetErrorKind, path: &Path, what: &str, hint: &str) -> TargetError {
    TargetError { kind, message: format!("{}: {what}", shown(path)), hint: hint.to_owned() }
}

/// What the system said.
fn failed(path: &Path, what: &str, failure: &std::io::Error) -> TargetError {
    use std::io::ErrorKind;
    let (kind, hint) = match failure.kind() {
        ErrorKind::NotFound => (TargetErrorKind::Missing, "Make the file first, with a line for the secret"),
        ErrorKind::PermissionDenied => (TargetErrorKind::System, "Run rollover as the user whom the file belongs to"),
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            (TargetErrorKind::System, "Make room on the disk, then try again")
        }
        ErrorKind::ReadOnlyFilesystem => {
            (TargetErrorKind::System, "The disk is mounted read-only: change the file where it comes from")
        }
        ErrorKind::ResourceBusy => (
            TargetErrorKind::System,
            "It is mounted by itself, as docker does with single files: change the file that is mounted there",
        ),
        _ => (TargetErrorKind::System, "The file is as it was"),
    };
    error(kind, path, &format!("{what}: {failure}"), hint)
}

fn is_changed(path: &Path) -> TargetError {
    error(
        TargetErrorKind::Changed,
        path,
        "somebody else changed it since it was read",
        "Nothing was written. Look at it, then try again",
    )
}

fn no_plain_file(path: &Path, is_link: bool) -> TargetError {
    if is_link {
        let hint = "Name the file that the link leads to, or let this target follow links";
        return error(TargetErrorKind::Refused, path, "it is a symbolic link", hint);
    }
    error(TargetErrorKind::Refused, path, "it is no plain file", "Name the file that the apps read")
}

fn too_large(path: &Path) -> TargetError {
    let what = format!("it is larger than {} MiB", MOST >> 20);
    error(TargetErrorKind::Refused, path, &what, "Name the file that holds the secret")
}
