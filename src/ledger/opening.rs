use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::error::{LedgerError, Trouble};
use super::schema::{self, Kind};
use crate::files;

/// How thoroughly a file is looked at before it is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    /// At a start.
    Quick,
    /// After the disk failed.
    Whole,
}

/// How long another process is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Makes the folder private and the file in it, where they are not there yet.
///
/// The database's file must never be opened by anything but `SQLite` once a connection to it exists: on Unix, closing any handle
/// of a file drops all locks that this process has on it. So it is looked at by name alone, and opened only to make it.
pub(super) fn prepare(folder: &Path, file: &Path) -> Result<(), LedgerError> {
    if let Err(error) = files::private_folder(folder) {
        return Err(exposed(folder, &fs::metadata(folder)).unwrap_or_else(|| LedgerError::of_file(folder, &error)));
    }
    if matches!(fs::symlink_metadata(file), Err(error) if error.kind() == io::ErrorKind::NotFound) {
        // SQLite gives its journal the mode of the file, so the file's must be right before SQLite sees it.
        match new_file(file) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(LedgerError::of_file(file, &error));
            }
            _ => {}
        }
        sync_folder(folder).map_err(|error| LedgerError::of_file(folder, &error))?;
    }
    Ok(())
}

/// Makes a file that only its owner may read and that is not there yet, whatever the umask.
pub(super) fn new_file(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().read(true).write(true).create_new(true), path)
}

/// Opens a file for its lock, and makes it where it is not there.
pub(super) fn lock_file(path: &Path) -> io::Result<File> {
    private(OpenOptions::new().read(true).write(true).create(true).truncate(false), path)
}

fn private(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    let file = options.open(path)?;
    // The umask may have taken bits away from what was asked for.
    #[cfg(unix)]
    file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
    Ok(file)
}

/// A name is on the disk once its folder is.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

fn exposed(path: &Path, metadata: &io::Result<fs::Metadata>) -> Option<LedgerError> {
    let exposure = files::exposure(metadata.as_ref().ok()?, path)?;
    Some(LedgerError::file(path, exposure.what, format!("run: {}", exposure.mend)))
}

/// Opens the file, and refuses whatever is not a sound ledger of ours.
pub(super) fn connect(path: &Path, check: Check) -> Result<Connection, LedgerError> {
    let metadata = fs::symlink_metadata(path).map_err(|error| LedgerError::of_file(path, &error))?;
    if metadata.is_symlink() {
        return Err(LedgerError::file(path, "it is a symbolic link", "put the file itself there"));
    }
    if !metadata.is_file() {
        return Err(LedgerError::file(path, "it is no file", "move what is there out of the way"));
    }
    if let Some(error) = exposed(path, &Ok(metadata)) {
        return Err(error);
    }
    // No CREATE: the file is there, with the right mode. No URI: a path is a path.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let failed = |trouble: Trouble| trouble.at(path);
    let mut connection = Connection::open_with_flags(path, flags).map_err(|error| failed(error.into()))?;
    set_up(&connection).map_err(failed)?;
    let kind = schema::kind(&connection).map_err(failed)?;
    match kind {
        Kind::Foreign => {
            return Err(LedgerError::file(
                path,
                "it belongs to another program",
                "move it out of the way; rollover then makes a ledger of its own",
            ));
        }
        Kind::Ledger(version) if version > schema::VERSION => {
            return Err(LedgerError::file(
                path,
                format!(
                    "it was written by a newer rollover (version {version} of the file; this one knows {})",
                    schema::VERSION
                ),
                "use the newer rollover",
            ));
        }
        Kind::Ledger(_) => examine(&connection, check).map_err(failed)?,
        Kind::Empty => {}
    }
    // Only now, when it is known to be ours: this one may change the file.
    let journal: String = connection
        .query_row("PRAGMA journal_mode = DELETE", [], |row| row.get(0))
        .map_err(|error| failed(error.into()))?;
    if journal != "delete" {
        return Err(LedgerError::file(path, "its journal cannot be set up", "end other programs that have it open"));
    }
    if kind != Kind::Ledger(schema::VERSION) {
        schema::migrate(&mut connection).map_err(failed)?;
    }
    Ok(connection)
}

/// Whether a copy that was just made is sound.
pub(super) fn examine_copy(path: &Path) -> Result<(), LedgerError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags).map_err(Trouble::from);
    connection.and_then(|connection| examine(&connection, Check::Quick)).map_err(|trouble| trouble.at(path))
}

/// A ledger without a file.
pub(super) fn in_memory() -> Result<Connection, Trouble> {
    let mut connection = Connection::open_in_memory()?;
    set_up(&connection)?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// Source for each: sqlite.org/pragma.html. The journal is deleted after each transaction and its folder synced (`EXTRA`), so that
/// what was acknowledged survives a power cut; what is deleted is overwritten; a file that somebody prepared runs nothing.
fn set_up(connection: &Connection) -> Result<(), Trouble> {
    connection.busy_timeout(PATIENCE)?;
    // More than there are: see `Statements`.
    connection.set_prepared_statement_cache_capacity(64);
    connection.execute_batch(
        "PRAGMA trusted_schema = OFF;
        PRAGMA cell_size_check = ON;
        PRAGMA foreign_keys = ON;
        PRAGMA mmap_size = 0;
        PRAGMA temp_store = MEMORY;
        PRAGMA secure_delete = ON;
        PRAGMA fullfsync = 1;
        PRAGMA synchronous = EXTRA;",
    )?;
    Ok(())
}

fn examine(connection: &Connection, check: Check) -> Result<(), Trouble> {
    let query = match check {
        Check::Quick => "PRAGMA quick_check(1)",
        Check::Whole => "PRAGMA integrity_check(1)",
    };
    let said: String = connection.query_row(query, [], |row| row.get(0))?;
    // One line of it: what it says names pages and tables, never what is in them.
    let line = said.lines().find(|line| !line.starts_with("***")).unwrap_or_default();
    if said == "ok" { Ok(()) } else { Err(Trouble::Damaged(line.to_owned())) }
}
