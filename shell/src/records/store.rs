//! What a database must be able to do, and the SQL that both understand.
//!
//! What lives here: [`Store`], with [`Position`] and [`StoreError`]; the statements that make and move on the
//! tables of `nobat_core::bot::records`. The two implementations differ in types, placeholders and in how many rows
//! a statement takes.

use nobat_core::bot::records::{Cell, Column, Holds, Row, TABLES, Table, version};
use nobat_core::engine::records::Known;
use nobat_core::envelope::Conversation;
use nobat_core::id::Seq;
use nobat_core::time::UnixMillis;

/// How far a database has come: written in the same transaction as the rows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Position {
    /// Every frame to here is in the database.
    pub seq: Seq,
    /// The fingerprint of that frame; none if it was read from a snapshot.
    pub mark: Option<u32>,
}

/// Why a database could not be used. The text never holds an address or a password.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, or did not do as it was told.
    #[error("{0}")]
    Database(String),
    /// It was written by a later version.
    #[error(
        "the tables of records have version {found}, this nobat knows {known}: start the newer nobat, or name \
         another database"
    )]
    Newer {
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
}

/// A database, connected, its tables as this version wants them. After an error it must be dropped: what was not
/// committed is undone by that.
pub trait Store: Send {
    /// How far it has come; none before the first time, and after its tables were changed.
    fn position(&mut self) -> Result<Option<Position>, StoreError>;
    /// Begins a transaction.
    fn begin(&mut self) -> Result<(), StoreError>;
    /// Ends it, durably.
    fn commit(&mut self) -> Result<(), StoreError>;
    /// What is known of these users; of others nothing is given.
    fn known(&mut self, of: &[Conversation]) -> Result<Vec<(Conversation, Known)>, StoreError>;
    /// Remembers that.
    fn remember(&mut self, known: &[(Conversation, Known)]) -> Result<(), StoreError>;
    /// Forgets what is known of everybody.
    fn forget(&mut self) -> Result<(), StoreError>;
    /// Removes from the tables that mirror the bot whoever it does not know any more.
    fn remove_unknown(&mut self) -> Result<(), StoreError>;
    /// Writes rows of one table, each key once.
    fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError>;
    /// Says how far it has come.
    fn move_to(&mut self, position: Position) -> Result<(), StoreError>;
    /// Ends what is over by the clock.
    fn lapse(&mut self, now: UnixMillis) -> Result<(), StoreError>;
    /// Removes the rows of a table that are dated before this; says how many.
    fn retire(&mut self, table: &'static Table, before: UnixMillis) -> Result<u64, StoreError>;
    /// Gives space back and renews what the planner knows.
    fn vacuum(&mut self) -> Result<(), StoreError>;
    /// Gives the rows of a table, oldest first, that are dated at or after `since`, or not dated.
    fn each(
        &mut self,
        table: &'static Table,
        since: Option<UnixMillis>,
        each: &mut dyn FnMut(&[Cell]) -> std::io::Result<()>,
    ) -> Result<std::io::Result<()>, StoreError>;
}

/// Tables that are only read must be of this version.
pub(super) fn current(found: u32) -> Result<(), StoreError> {
    match found {
        found if found == version() => Ok(()),
        found if found > version() => Err(StoreError::Newer { found, known: version() }),
        _ => {
            Err(StoreError::Database("its tables are of an older nobat: serve once with this one".to_owned()))
        }
    }
}

/// What differs between the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Dialect {
    /// SQLite: instants are text such as `2026-11-21T12:00:00.123Z`, which sorts and which its functions read.
    Sqlite,
    /// PostgreSQL.
    #[cfg_attr(not(feature = "postgres"), allow(dead_code))] // The test of the statements names it.
    Postgres,
}

impl Dialect {
    /// The type of a column.
    pub(super) const fn of(self, holds: Holds) -> &'static str {
        match (self, holds) {
            (Self::Sqlite, Holds::Whole | Holds::Flag) => "INTEGER",
            (Self::Sqlite, Holds::Text | Holds::Time) => "TEXT",
            (Self::Postgres, Holds::Whole) => "bigint",
            (Self::Postgres, Holds::Text) => "text",
            (Self::Postgres, Holds::Time) => "timestamptz",
            (Self::Postgres, Holds::Flag) => "boolean",
        }
    }

    const fn bytes(self) -> &'static str {
        match self {
            Self::Sqlite => "BLOB",
            Self::Postgres => "bytea",
        }
    }
}

/// The tables that are nobody's to read: how far the database has come, and what is known of each user. Every
/// statement may be repeated.
pub(super) fn own_tables(dialect: Dialect) -> String {
    let (whole, bytes) = (dialect.of(Holds::Whole), dialect.bytes());
    format!(
        "CREATE TABLE IF NOT EXISTS nobat_schema (one {whole} PRIMARY KEY CHECK (one = 1), version {whole} NOT NULL);\n\
         CREATE TABLE IF NOT EXISTS nobat_position (one {whole} PRIMARY KEY CHECK (one = 1), seq {whole} NOT NULL, \
         mark {whole});\n\
         CREATE TABLE IF NOT EXISTS nobat_known (kind {whole} NOT NULL, user_id {whole} NOT NULL, \
         version {whole} NOT NULL, state {bytes} NOT NULL, PRIMARY KEY (kind, user_id));\n"
    )
}

/// What moves the tables from one version to the current one, in order. From 0: what makes them.
pub(super) fn migrations(dialect: Dialect, from: u32) -> Vec<String> {
    (from + 1..=version()).flat_map(|to| brings(dialect, to)).collect()
}

/// What version `to` brings.
fn brings(dialect: Dialect, to: u32) -> impl Iterator<Item = String> {
    TABLES.iter().flat_map(move |table| step(dialect, table, to))
}

/// What version `to` brings to one table.
fn step(dialect: Dialect, table: &Table, to: u32) -> Vec<String> {
    let name = table.name;
    let came = |column: &&Column| column.since.max(table.since) == to;
    let mut steps = Vec::new();
    if table.since == to {
        let columns: Vec<_> = table
            .columns
            .iter()
            .filter(came)
            .enumerate()
            .map(|(at, column)| {
                let must = if at < table.key { " NOT NULL" } else { "" };
                format!("{} {}{must}", column.name, dialect.of(column.holds))
            })
            .collect();
        let key = names(&table.columns[..table.key]);
        steps.push(format!("CREATE TABLE nobat_{name} ({}, PRIMARY KEY ({key}))", columns.join(", ")));
    } else {
        steps.extend(table.columns.iter().filter(came).map(|column| {
            format!("ALTER TABLE nobat_{name} ADD COLUMN {} {}", column.name, dialect.of(column.holds))
        }));
    }
    // An index comes with the latest of its columns.
    let since = |columns: &[&str]| {
        columns.iter().filter_map(|c| table.place(c)).map(|at| table.columns[at].since).max().unwrap_or(0)
    };
    for columns in table.indexes.iter().filter(|columns| since(columns).max(table.since) == to) {
        let (label, list) = (columns.join("_"), columns.join(", "));
        steps.push(format!("CREATE INDEX nobat_{name}_{label} ON nobat_{name} ({list})"));
    }
    steps
}

pub(super) fn names(columns: &[Column]) -> String {
    columns.iter().map(|column| column.name).collect::<Vec<_>>().join(", ")
}

/// What behind `INSERT ... ` makes the later row win.
pub(super) fn on_conflict(table: &Table) -> String {
    let sets: Vec<_> = table.columns[table.key..]
        .iter()
        .map(|Column { name, lasting, .. }| match lasting {
            true => format!("{name} = coalesce(excluded.{name}, nobat_{}.{name})", table.name),
            false => format!("{name} = excluded.{name}"),
        })
        .collect();
    format!("ON CONFLICT ({}) DO UPDATE SET {}", names(&table.columns[..table.key]), sets.join(", "))
}

/// Removes what stands of people whom a rebuild did not meet; `kind_of` gives a kind's name from its
/// place, which only the caller knows.
pub(super) fn unknown(kind_of: &str) -> String {
    let gone = |table: &&Table| {
        let name = table.name;
        format!(
            "DELETE FROM nobat_{name} WHERE NOT EXISTS (SELECT 1 FROM nobat_known AS known \
             WHERE known.user_id = nobat_{name}.user_id AND {kind_of} = nobat_{name}.kind);\n"
        )
    };
    TABLES.iter().filter(|table| table.mirrors).map(gone).collect()
}

/// `CASE kind WHEN 0 THEN 'chat' ... END`: the name of a kind from its place.
pub(super) fn kind_case(kinds: &[String]) -> String {
    let whens: String = kinds
        .iter()
        .enumerate()
        .map(|(at, name)| format!(" WHEN {at} THEN '{}'", name.replace('\'', "''")))
        .collect();
    format!("CASE known.kind{whens} END")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_version_brought_is_the_same_for_ever() {
        for to in 1..=version() {
            let text = |dialect| brings(dialect, to).collect::<Vec<_>>().join(";\n");
            let (sqlite, postgres) = (text(Dialect::Sqlite), text(Dialect::Postgres));
            let made = format!("-- sqlite\n{sqlite};\n-- postgres\n{postgres};\n");
            let path = format!("{}/testdata/records-v{to}.sql", env!("CARGO_MANIFEST_DIR"));
            // One that is there is never written again.
            if std::env::var_os("NOBAT_BLESS").is_some() && !std::path::Path::new(&path).exists() {
                std::fs::write(&path, &made).expect("written");
            }
            let wanted = std::fs::read_to_string(&path).expect("a golden file");
            assert_eq!(made, wanted, "a database that exists has these: add a version instead");
        }
    }

    #[test]
    fn a_database_of_the_current_version_needs_nothing() {
        assert!(migrations(Dialect::Sqlite, version()).is_empty());
    }
}
