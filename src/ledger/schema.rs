use rusqlite::{Connection, TransactionBehavior};

use super::error::Trouble;

/// Stands in the file's header, so that no other program's database is taken for a ledger: "roll" in ASCII.
pub(super) const APPLICATION: i32 = 0x726f_6c6c;

/// Each takes the file one version further; they only ever grow in number.
const MIGRATIONS: [&str; 1] = [
    // STRICT, and a check wherever a wrong value would mislead: the file outlives the program that wrote it.
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
    INSERT INTO meta VALUES ('confirmed', 0);
    CREATE TABLE rollover (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        tenant TEXT NOT NULL,
        client_id TEXT NOT NULL,
        name TEXT NOT NULL,
        mode TEXT NOT NULL,
        state TEXT NOT NULL,
        since INTEGER NOT NULL,
        began INTEGER NOT NULL,
        attempt INTEGER NOT NULL,
        correlation_id TEXT,
        old_print BLOB CHECK (length(old_print) = 32),
        new_print BLOB CHECK (length(new_print) = 32),
        observed_print BLOB CHECK (length(observed_print) = 32),
        doubt_reason TEXT,
        quiesce_until INTEGER,
        detail TEXT NOT NULL,
        who TEXT NOT NULL,
        generation INTEGER NOT NULL,
        stamp INTEGER NOT NULL,
        CHECK ((doubt_reason IS NULL) = (quiesce_until IS NULL))
    ) STRICT;
    CREATE INDEX rollover_of_client ON rollover (tenant, client_id, number);
    CREATE UNIQUE INDEX one_unfinished ON rollover (tenant, client_id)
        WHERE state NOT IN ('retired', 'rolled_back', 'abandoned');
    CREATE TABLE target (
        rollover INTEGER NOT NULL REFERENCES rollover (number),
        position INTEGER NOT NULL,
        name TEXT NOT NULL,
        phase TEXT NOT NULL,
        state TEXT NOT NULL,
        before_hash BLOB CHECK (length(before_hash) = 32),
        after_hash BLOB CHECK (length(after_hash) = 32),
        detail TEXT NOT NULL,
        PRIMARY KEY (rollover, name)
    ) STRICT;
    CREATE TABLE step (
        rollover INTEGER NOT NULL REFERENCES rollover (number),
        position INTEGER NOT NULL,
        step TEXT NOT NULL,
        outcome TEXT NOT NULL,
        at INTEGER NOT NULL,
        detail TEXT NOT NULL,
        PRIMARY KEY (rollover, position)
    ) STRICT;
    CREATE TABLE sealed (
        rollover INTEGER NOT NULL REFERENCES rollover (number),
        role TEXT NOT NULL CHECK (role IN ('old', 'new', 'observed')),
        blob BLOB NOT NULL,
        PRIMARY KEY (rollover, role)
    ) STRICT;
    CREATE TABLE recipient (
        public TEXT PRIMARY KEY,
        own INTEGER NOT NULL,
        note TEXT NOT NULL,
        added INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE lease (
        tenant TEXT NOT NULL,
        client_id TEXT NOT NULL,
        token INTEGER NOT NULL,
        who TEXT NOT NULL,
        process INTEGER NOT NULL,
        since INTEGER NOT NULL,
        PRIMARY KEY (tenant, client_id)
    ) STRICT;",
];

/// The newest version of the file that this program knows.
pub(super) const VERSION: usize = MIGRATIONS.len();

/// What a file's header says it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is in it yet.
    Empty,
    /// A ledger of this version.
    Ledger(usize),
    /// Something else.
    Foreign,
}

/// What the file is, before anything in it is touched.
pub(super) fn kind(connection: &Connection) -> Result<Kind, Trouble> {
    let application: i32 = connection.query_row("PRAGMA application_id", [], |row| row.get(0))?;
    let version: i64 = connection.query_row("PRAGMA user_version", [], |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    Ok(match (application, usize::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Kind::Empty,
        (APPLICATION, Ok(version)) if version > 0 => Kind::Ledger(version),
        _ => Kind::Foreign,
    })
}

/// Brings the file to our version; of two processes that try at once the second finds nothing left to do.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Trouble> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = match kind(&transaction)? {
        Kind::Empty => 0,
        Kind::Ledger(version) => version,
        Kind::Foreign => return Err(Trouble::Damaged("another program writes to it".to_owned())),
    };
    for migration in MIGRATIONS.iter().skip(from) {
        transaction.execute_batch(migration)?;
    }
    if from < VERSION {
        transaction
            .execute_batch(&format!("PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {VERSION};"))?;
    }
    transaction.commit()?;
    Ok(())
}
