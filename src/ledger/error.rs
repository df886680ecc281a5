use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;
use rusqlite::ffi;

use crate::domain::untrusted::shown;

/// Why the ledger could not do what it was asked to. Safe to print; never holds a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LedgerError {
    /// It could not be opened, read or written: the file, why, and what to do.
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
        /// What to do.
        hint: String,
    },
    /// No key was chosen yet, so nothing can be sealed.
    NoKey,
    /// The key that opens what is sealed was not given.
    Locked,
    /// The key that was given is not one that it is sealed for.
    WrongKey,
    /// Another process, or another task, is at work on this client.
    Leased {
        /// Who, and since when.
        by: String,
    },
    /// The client has a rollover that has not ended.
    Unfinished(Box<crate::domain::Rollover>),
    /// It changed since it was read, or may not go on like that: a fault of the program, or a second writer.
    Stale(String),
    /// What is sealed is not what the row says.
    Foreign(String),
    /// What was asked for cannot be: not a key, no such recipient.
    Refused(String),
}

impl LedgerError {
    /// What to do about it; empty where the message says all there is.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            Self::File { hint, .. } => hint,
            Self::NoKey => "choose where the ledger's key is kept first",
            Self::Locked => "give the key, or the passphrase that protects it",
            Self::WrongKey => "give the key that belongs to this ledger, or one of those for emergencies",
            Self::Leased { .. } => "wait until it is done, or end that process",
            Self::Unfinished(_) => "finish that one first, or abandon it",
            Self::Stale(_) => "look at it again, then repeat what you meant to do",
            Self::Foreign(_) => "the file was changed by something else than rollover: compare it with a backup",
            Self::Refused(_) => "",
        }
    }

    /// From what the system says of a file.
    pub(super) fn of_file(path: &Path, error: &io::Error) -> Self {
        let (why, hint) = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => FULL,
            io::ErrorKind::ReadOnlyFilesystem => READ_ONLY,
            io::ErrorKind::AlreadyExists => ("it is there already", "name a file that is not there yet"),
            _ => {
                return Self::file(
                    path,
                    error.to_string(),
                    "see that the folder is there, and that you may write to it",
                );
            }
        };
        Self::file(path, why, hint)
    }

    pub(super) fn file(path: &Path, why: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::File { path: path.to_owned(), why: why.into(), hint: hint.into() }
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { path, why, .. } => write!(f, "the ledger {}: {why}", shown(&path.display().to_string())),
            Self::NoKey => f.write_str("the ledger has no key yet, so nothing can be sealed"),
            Self::Locked => f.write_str("the ledger is locked: its key is needed to open a sealed secret"),
            Self::WrongKey => f.write_str("that key does not open this ledger"),
            Self::Leased { by } => write!(f, "another process is at work on this client: {by}"),
            Self::Unfinished(rollover) => {
                write!(f, "this client has a rollover that has not ended: {}, {}", rollover.id, rollover.state.words())
            }
            Self::Stale(why) | Self::Foreign(why) | Self::Refused(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for LedgerError {}

/// What goes wrong within a transaction, before the file's name is put to it.
#[derive(Debug)]
pub(super) enum Trouble {
    /// `SQLite` says so.
    Sql(rusqlite::Error),
    /// A row holds what no version of this program wrote.
    Damaged(String),
    /// We say so.
    Says(LedgerError),
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Self::Says(error)
    }
}

const FULL: (&str, &str) = ("the disk is full", "free some space on that disk, then try again: nothing was lost");
const READ_ONLY: (&str, &str) =
    ("it can be read but not written", "see that neither the disk nor the folder is read-only");
const DAMAGED: &str = "keep a copy of it, then put the latest file of `backups` beside it in its place; what Auth0 has now is compared with it";

impl Trouble {
    /// Whether room on the disk might help.
    pub(super) fn is_full(&self) -> bool {
        // A journal that cannot be made for lack of room is reported as a file that cannot be opened.
        matches!(self.code(), Some(ErrorCode::DiskFull | ErrorCode::CannotOpen))
    }

    /// Whether the disk failed, after which nothing that was read from it before can be relied on.
    pub(super) fn is_disk(&self) -> bool {
        matches!(self.code(), Some(ErrorCode::SystemIoFailure)) || self.is_moved()
    }

    fn is_moved(&self) -> bool {
        self.extended() == Some(ffi::SQLITE_READONLY_DBMOVED)
    }

    fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Sql(error) => error.sqlite_error_code(),
            Self::Damaged(_) | Self::Says(_) => None,
        }
    }

    fn extended(&self) -> Option<i32> {
        match self {
            Self::Sql(error) => error.sqlite_error().map(|error| error.extended_code),
            Self::Damaged(_) | Self::Says(_) => None,
        }
    }

    /// With the file's name, and what to do.
    pub(super) fn at(self, path: &Path) -> LedgerError {
        let error = match self {
            Self::Says(error) => return error,
            Self::Damaged(what) => return LedgerError::file(path, format!("it is damaged: {what}"), DAMAGED),
            Self::Sql(ref error) => error,
        };
        let (why, hint) = match self.code() {
            _ if self.is_moved() => ("it was moved or removed while it was in use", "put it back, then try again"),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                "another process has kept it busy for more than 5 seconds",
                "try again; if that does not help, see which other program has it open",
            ),
            Some(ErrorCode::DiskFull) => FULL,
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => READ_ONLY,
            Some(ErrorCode::CannotOpen) => (
                "it cannot be opened, or its journal cannot be made beside it",
                "see that the disk has room, and that you may write to its folder",
            ),
            Some(ErrorCode::DatabaseCorrupt) => ("it is damaged", DAMAGED),
            Some(ErrorCode::NotADatabase) => ("it is damaged, or is no ledger", DAMAGED),
            Some(ErrorCode::SystemIoFailure) => (
                "the disk failed while it was read or written",
                "look at the disk; the ledger is checked as a whole before it is used again",
            ),
            Some(ErrorCode::OutOfMemory) => ("there is not enough memory", "end other programs, then try again"),
            _ => {
                // Messages of SQLite name tables and columns; none holds a value.
                return LedgerError::file(path, format!("{error}"), "this is a fault of the program: please report it");
            }
        };
        LedgerError::file(path, why, hint)
    }
}
