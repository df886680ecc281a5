use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::format_description;

use super::error::LedgerError;
use super::opening;
use super::store::Store;
use crate::files;

/// How many of the dated copies are kept.
const KEPT: usize = 3;

/// Copies the ledger to a dated file beside it, or to `to`.
pub(super) fn backup(store: &Store, to: Option<&Path>, now: i64) -> Result<PathBuf, LedgerError> {
    if let Some(to) = to {
        let path = absolute(to)?;
        copy(store, &path)?;
        return Ok(to.to_owned());
    }
    let Some(folder) = store.folder() else {
        return Err(LedgerError::Refused("a ledger in memory has no folder for copies: name a file".to_owned()));
    };
    let folder = folder.join("backups");
    files::private_folder(&folder).map_err(|error| LedgerError::of_file(&folder, &error))?;
    let at = OffsetDateTime::from_unix_timestamp(now)
        .ok()
        .and_then(|at| at.format(format_description!("[year][month][day]T[hour][minute][second]Z")).ok())
        .ok_or_else(|| LedgerError::Refused("that is no time".to_owned()))?;
    let path = folder.join(format!("ledger-{at}.db"));
    // Under another name until it is whole: half a copy must not push out a good one.
    let temporary = folder.join(format!(".ledger-{at}.{}", std::process::id()));
    // Left by a process of this number that died half-way.
    let _ = fs::remove_file(&temporary);
    copy(store, &temporary)?;
    let renamed = fs::rename(&temporary, &path).and_then(|()| opening::sync_folder(&folder));
    renamed.map_err(|error| LedgerError::of_file(&path, &error))?;
    keep_latest(&folder);
    // By the name under which the user knows the folder.
    let known = store.path().with_file_name("backups");
    Ok(path.file_name().map_or(path.clone(), |name| known.join(name)))
}

/// Seals a secret into a file of its own.
pub(super) fn write_new(to: &Path, contents: &[u8]) -> Result<(), LedgerError> {
    let path = absolute(to)?;
    let mut file = opening::new_file(&path).map_err(|error| LedgerError::of_file(to, &error))?;
    let written = file.write_all(contents).and_then(|()| file.sync_all()).and_then(|()| sync_parent(&path));
    written.map_err(|error| {
        let _ = fs::remove_file(&path);
        LedgerError::of_file(to, &error)
    })
}

fn copy(store: &Store, to: &Path) -> Result<(), LedgerError> {
    let failed = |error: io::Error| LedgerError::of_file(to, &error);
    let file = opening::new_file(to).map_err(failed)?;
    let copied = store
        .copy(to)
        .and_then(|()| opening::examine_copy(to))
        .and_then(|()| file.sync_all().and_then(|()| sync_parent(to)).map_err(failed));
    if copied.is_err() {
        // What failed is what matters; that the remains may stay as well is no second error.
        let _ = fs::remove_file(to);
    }
    copied
}

/// `SQLite` is given whole paths only: it reads some others as more than a name.
fn absolute(path: &Path) -> Result<PathBuf, LedgerError> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or_else(|| LedgerError::file(path, "it names no file", "name a file"))?;
    Ok(folder.canonicalize().map_err(|error| LedgerError::of_file(path, &error))?.join(name))
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), opening::sync_folder)
}

fn keep_latest(folder: &Path) {
    let mut names: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| is_dated(name))
        .collect();
    names.sort_unstable();
    let old = names.len().saturating_sub(KEPT);
    for name in &names[..old] {
        // One copy too many is nobody's trouble.
        let _ = fs::remove_file(folder.join(name));
    }
}

/// Whether we named it: a file that a person put there stays.
fn is_dated(name: &str) -> bool {
    let date = name.strip_prefix("ledger-").and_then(|rest| rest.strip_suffix("Z.db"));
    date.is_some_and(|date| {
        date.len() == 15
            && date.bytes().enumerate().all(|(at, byte)| if at == 8 { byte == b'T' } else { byte.is_ascii_digit() })
    })
}
