//! Files on systems without Unix's modes, owners and folders that can be held open.
use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use zeroize::Zeroizing;

use super::{MOST, Seen, TargetError, failed, is_changed, no_plain_file, too_large};
use crate::domain::target::FilePlace;

/// What tells one state of a file from another, beside its bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    size: u64,
    changed: Option<SystemTime>,
}

pub(super) fn look(place: &FilePlace) -> Result<Seen, TargetError> {
    let path = real(place)?;
    let fail = |failure: std::io::Error| failed(&path, "it cannot be read", &failure);
    let metadata = fs::symlink_metadata(&path).map_err(fail)?;
    if !metadata.is_file() {
        return Err(no_plain_file(&path, metadata.is_symlink()));
    }
    if metadata.len() > MOST {
        return Err(too_large(&path));
    }
    let identity = Identity { size: metadata.len(), changed: metadata.modified().ok() };
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(identity.size).unwrap_or_default() + 64));
    File::open(&path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes)).map_err(fail)?;
    if bytes.len() as u64 != identity.size {
        return Err(is_changed(&path));
    }
    Ok(Seen { bytes, identity, path, exposures: Vec::new(), warnings: Vec::new() })
}

fn real(place: &FilePlace) -> Result<PathBuf, TargetError> {
    if !place.follow_links {
        return Ok(place.path.clone());
    }
    fs::canonicalize(&place.path).map_err(|failure| failed(&place.path, "its link leads nowhere", &failure))
}

fn beside(path: &Path) -> String {
    format!(".{}.rollover-", path.file_name().unwrap_or_default().to_string_lossy())
}

pub(super) fn sweep(place: &FilePlace) {
    let Ok(path) = real(place) else { return };
    let (Some(folder), prefix) = (path.parent(), beside(&path)) else { return };
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let left = name.to_str().and_then(|name| name.strip_prefix(&prefix));
        if left.is_some_and(|rest| rest.len() == 16 && rest.bytes().all(|byte| byte.is_ascii_hexdigit())) {
            // Whoever is writing it holds its lock.
            if File::open(entry.path()).is_ok_and(|file| file.try_lock().is_ok()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

pub(super) fn replace(place: &FilePlace, identity: &Identity, old: &[u8], new: &[u8]) -> Result<(), TargetError> {
    let seen = look(place)?;
    let path = seen.path.clone();
    let as_it_was = |seen: &Seen| seen.identity == *identity && *seen.bytes == old;
    if !as_it_was(&seen) {
        return Err(is_changed(&path));
    }
    if old == new {
        return Ok(());
    }
    let temporary = path.with_file_name(format!("{}{:016x}", beside(&path), fastrand::u64(..)));
    let fail = |failure: std::io::Error| failed(&path, "it cannot be replaced", &failure);
    let mut file = OpenOptions::new().write(true).create_new(true).open(&temporary).map_err(fail)?;
    let done = file
        .lock()
        .and_then(|()| file.write_all(new))
        .and_then(|()| file.sync_all())
        .map_err(fail)
        .and_then(|()| if as_it_was(&look(place)?) { Ok(()) } else { Err(is_changed(&path)) })
        .and_then(|()| fs::rename(&temporary, &path).map_err(fail));
    if done.is_err() {
        // What failed before is what matters; what stays is swept at the next try.
        let _ = fs::remove_file(&temporary);
    }
    drop(file);
    done
}
