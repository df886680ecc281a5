use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rusqlite::{Connection, Params, Row, Transaction, TransactionBehavior};

use super::error::{LedgerError, Trouble};
use super::opening::{self, Check};
use super::spare::Spare;

/// The one connection of a ledger, and what is done where the disk fails.
pub(super) struct Store {
    /// The file, as the user named its folder; empty where there is none.
    path: PathBuf,
    place: Option<Place>,
    open: Mutex<Open>,
    /// Where there is no file there is no lock on one: clients at which somebody of this process is at work.
    pub(super) held: Mutex<BTreeSet<(String, String)>>,
}

#[derive(Debug)]
struct Place {
    /// The file, all links in its folder's path followed.
    file: PathBuf,
    spare: Spare,
}

struct Open {
    /// `None` after the disk failed: it is opened anew, and checked, before it is used again.
    connection: Option<Connection>,
    /// How often this process changed it.
    changes: i64,
    /// `SQLite`'s own count of the changes of others begins anew with each connection: the sum of those before.
    earlier: i64,
}

impl Store {
    pub(super) fn open(folder: &Path) -> Result<Self, LedgerError> {
        let path = folder.join("ledger.db");
        opening::prepare(folder, &path)?;
        // The folder may be reached through links; SQLite is to refuse one in the place of the file itself.
        let real = folder.canonicalize().map_err(|error| LedgerError::of_file(folder, &error))?;
        let file = real.join("ledger.db");
        let connection = opening::connect(&file, Check::Quick).map_err(|error| named(error, &file, &path))?;
        let spare = Spare::beside(&file);
        spare.keep();
        Ok(Self::new(path, Some(Place { file, spare }), connection))
    }

    pub(super) fn in_memory() -> Result<Self, LedgerError> {
        let connection = opening::in_memory().map_err(|trouble| trouble.at(Path::new(":memory:")))?;
        Ok(Self::new(PathBuf::new(), None, connection))
    }

    fn new(path: PathBuf, place: Option<Place>, connection: Connection) -> Self {
        let open = Open { connection: Some(connection), changes: 0, earlier: 0 };
        Self { path, place, open: Mutex::new(open), held: Mutex::default() }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The folder that it lies in; `None` where it has no file.
    pub(super) fn folder(&self) -> Option<&Path> {
        self.place.as_ref().and_then(|place| place.file.parent())
    }

    /// Looks at it as it is at one moment.
    pub(super) fn read<T>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, Trouble>) -> Result<T, LedgerError> {
        let mut open = self.lock();
        let connection = self.connection(&mut open)?;
        let done = connection.transaction().map_err(Trouble::from).and_then(|transaction| work(&transaction));
        done.map_err(|trouble| {
            self.distrust(&mut open, &trouble);
            trouble.at(&self.path)
        })
    }

    /// Copies it to a file that is there and empty.
    pub(super) fn copy(&self, to: &Path) -> Result<(), LedgerError> {
        let name = to.to_str().ok_or_else(|| LedgerError::file(to, "its name is no UTF-8", "choose another name"))?;
        let mut open = self.lock();
        let connection = self.connection(&mut open)?;
        // One consistent state, without what was deleted; SQLite runs it outside of transactions only.
        connection.execute("VACUUM INTO ?", [name]).map(drop).map_err(|error| {
            let trouble = Trouble::from(error);
            // Which of the two disks failed is not said.
            self.distrust(&mut open, &trouble);
            trouble.at(to)
        })
    }

    /// Changes it; the change is on the disk when this returns. `work` may run twice: where it finds its own change done already,
    /// it answers as it did then.
    pub(super) fn write<T>(
        &self,
        mut work: impl FnMut(&Transaction<'_>) -> Result<T, Trouble>,
    ) -> Result<T, LedgerError> {
        let mut open = self.lock();
        let first = match attempt(self.connection(&mut open)?, &mut work, false) {
            Ok(done) => {
                open.changes += 1;
                if let Some(place) = &self.place {
                    place.spare.keep();
                }
                return Ok(done);
            }
            Err(trouble) => trouble,
        };
        self.distrust(&mut open, &first);
        let Some(place) = &self.place else { return Err(first.at(&self.path)) };
        let failed_disk = first.is_disk();
        let more_room = (failed_disk || first.is_full()) && place.spare.give_up();
        if !failed_disk && !more_room {
            return Err(first.at(&self.path));
        }
        // After a disk has failed it is unknown what is on it, and a second fsync would say nothing of the first one's pages: the
        // file is opened anew and checked as a whole, and then a whole new transaction is written.
        let second = match self.connection(&mut open) {
            Ok(connection) => attempt(connection, &mut work, failed_disk).map_err(|trouble| {
                self.distrust(&mut open, &trouble);
                trouble.at(&self.path)
            }),
            Err(error) => Err(error),
        };
        place.spare.keep();
        // The second failure is the one that still stands.
        let done = second?;
        open.changes += 1;
        Ok(done)
    }

    /// A number that changes with every change, by whomever.
    pub(super) fn version(&self) -> Result<i64, LedgerError> {
        let mut open = self.lock();
        let others = others(self.connection(&mut open)?).map_err(|trouble| trouble.at(&self.path))?;
        Ok(open.earlier + open.changes + others)
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Whoever panicked within a transaction has rolled it back on the way.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn connection<'a>(&self, open: &'a mut Open) -> Result<&'a mut Connection, LedgerError> {
        let connection = match (open.connection.take(), &self.place) {
            (Some(connection), _) => connection,
            (None, Some(place)) => {
                opening::connect(&place.file, Check::Whole).map_err(|error| named(error, &place.file, &self.path))?
            }
            (None, None) => opening::in_memory().map_err(|trouble| trouble.at(&self.path))?,
        };
        Ok(open.connection.insert(connection))
    }

    fn distrust(&self, open: &mut Open, trouble: &Trouble) {
        if !trouble.is_disk() || self.place.is_none() {
            return;
        }
        if let Some(connection) = open.connection.take() {
            open.earlier += others(&connection).unwrap_or_default() + 1;
        }
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Store({})", self.path.display())
    }
}

/// Statements that are kept for the next time: working out how to run one takes longer than running it.
pub(super) trait Statements {
    /// Runs one that changes something; how many rows it did.
    fn run(&self, sql: &str, parameters: impl Params) -> rusqlite::Result<usize>;
    /// The first row that one finds.
    fn one<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T>;
}

impl Statements for Connection {
    fn run(&self, sql: &str, parameters: impl Params) -> rusqlite::Result<usize> {
        self.prepare_cached(sql)?.execute(parameters)
    }

    fn one<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.prepare_cached(sql)?.query_row(parameters, read)
    }
}

fn others(connection: &Connection) -> Result<i64, Trouble> {
    Ok(connection.one("PRAGMA data_version", [], |row| row.get(0))?)
}

fn attempt<T>(
    connection: &mut Connection,
    work: &mut impl FnMut(&Transaction<'_>) -> Result<T, Trouble>,
    again: bool,
) -> Result<T, Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = work(&transaction)?;
    if again {
        // Where the first attempt was in after all, this makes sure that there is something to write, sync and acknowledge.
        transaction.run("UPDATE meta SET value = value + 1 WHERE name = 'confirmed'", [])?;
    }
    transaction.commit()?;
    Ok(done)
}

/// Says the name that the user knows.
fn named(error: LedgerError, real: &Path, known: &Path) -> LedgerError {
    match error {
        LedgerError::File { path, why, hint } if path == real => {
            LedgerError::File { path: known.to_owned(), why, hint }
        }
        other => other,
    }
}
