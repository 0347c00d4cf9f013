//! What people may read of what happened: tables, and the rows a kind writes into them.
//!
//! What lives here: what a table is ([`Table`]; the tables themselves are in `tables`), [`Row`], what kinds with
//! registrations and quotas say of them ([`Registration`], [`Quota`]), and the doors through which a kind fills
//! tables, on [`super::Bot`]: `portrait`, `noted`, `remembered`. Rows are *about* the state and never
//! become state again: the journal alone is the truth, a database is its projection. The engine fills the columns
//! that it knows itself (kind, bot, user, first and last seen); the shell writes the rows and knows no table by name.
//!
//! A new table or column is one more entry there with the next number in `since`; the databases that exist are
//! moved on by what is written here, and `docs/records.md` is held against it by a test.

use crate::id::UserId;
use crate::time::UnixMillis;

mod forms;
mod tables;

pub use forms::{Quota, Registration, Standing};
pub use tables::{AUDIT, PAYMENTS, QUOTAS, REFERRALS, REGISTRATIONS, SUBSCRIPTIONS, TABLES, USERS};

/// What a column holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Holds {
    /// A whole number.
    Whole,
    /// UTF-8.
    Text,
    /// An instant, to the millisecond.
    Time,
    /// Yes or no.
    Flag,
}

/// One column.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Column {
    /// Its name in SQL.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
    /// A later row that does not know it leaves it as it is.
    pub lasting: bool,
    /// The version of the tables in which it came.
    pub since: u32,
    /// What it says, for the documentation.
    pub about: &'static str,
}

impl Column {
    const fn new(name: &'static str, holds: Holds, about: &'static str) -> Self {
        Self { name, holds, lasting: false, since: 1, about }
    }

    const fn lasting(self) -> Self {
        Self { lasting: true, ..self }
    }
}

/// Rows that are over by the clock alone, without anything having happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lapse {
    /// The column with the instant.
    pub until: &'static str,
    /// The column that is changed then,
    pub status: &'static str,
    /// from this
    pub from: &'static str,
    /// to that.
    pub to: &'static str,
}

/// A table.
#[derive(PartialEq, Eq, Debug)]
pub struct Table {
    /// Its name; in SQL with `nobat_` in front.
    pub name: &'static str,
    /// The version of the tables in which it came.
    pub since: u32,
    /// What a row is, for the documentation.
    pub about: &'static str,
    /// Its columns; those of the key first.
    pub columns: &'static [Column],
    /// How many columns are its key. A row with the key of another takes its place.
    pub key: usize,
    /// Columns that are looked up together, beside the key.
    pub indexes: &'static [&'static [&'static str]],
    /// Its rows say how things stand: those of whom nothing is known any more go when everything is read again. Of
    /// the other tables they stay: money that was paid is still somebody's to look after.
    pub mirrors: bool,
    /// The column by whose age rows are exported and forgotten.
    pub dated: Option<&'static str>,
    /// Rows that end by the clock.
    pub lapse: Option<Lapse>,
}

impl Table {
    /// The place of a column.
    #[must_use]
    pub fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known.name == column)
    }

    /// The table of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLES.iter().copied().find(|table| table.name == name)
    }
}

/// The version of all tables together: the highest `since`.
#[must_use]
pub fn version() -> u32 {
    let columns = TABLES.iter().flat_map(|table| table.columns.iter().map(|column| column.since));
    columns.chain(TABLES.iter().map(|table| table.since)).max().unwrap_or(0)
}

/// One value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub enum Cell {
    /// Not known, or none.
    #[default]
    Null,
    /// A whole number.
    Whole(i64),
    /// UTF-8, without NUL.
    Text(Box<str>),
    /// An instant.
    Time(UnixMillis),
    /// Yes or no.
    Flag(bool),
}

impl From<&str> for Cell {
    /// PostgreSQL takes no NUL in a text.
    fn from(text: &str) -> Self {
        Self::Text(if text.contains('\0') { text.replace('\0', "").into() } else { text.into() })
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<u32> for Cell {
    fn from(n: u32) -> Self {
        Self::Whole(n.into())
    }
}

impl From<u64> for Cell {
    /// Ids on the platform have 52 bits; what is beyond SQL's integers is capped.
    fn from(n: u64) -> Self {
        Self::Whole(i64::try_from(n).unwrap_or(i64::MAX))
    }
}

impl From<UserId> for Cell {
    fn from(user: UserId) -> Self {
        Self::from(user.0)
    }
}

impl From<UnixMillis> for Cell {
    fn from(at: UnixMillis) -> Self {
        Self::Time(at)
    }
}

impl From<bool> for Cell {
    fn from(yes: bool) -> Self {
        Self::Flag(yes)
    }
}

impl<T: Into<Self>> From<Option<T>> for Cell {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row on its way into a table. It is complete: a cell that is not set empties the column, unless the column
/// is a lasting one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Whose.
    pub table: &'static Table,
    /// As many as the table has columns.
    pub cells: Box<[Cell]>,
}

impl Row {
    /// An empty one.
    #[must_use]
    pub fn of(table: &'static Table) -> Self {
        Self { table, cells: vec![Cell::Null; table.columns.len()].into() }
    }

    /// The same with a cell set. A column that the table does not have is a bug of the caller.
    #[must_use]
    pub fn with(mut self, column: &str, cell: impl Into<Cell>) -> Self {
        self.set(column, cell);
        self
    }

    /// Sets a cell, as [`Row::with`].
    pub fn set(&mut self, column: &str, cell: impl Into<Cell>) {
        let place = self.table.place(column);
        debug_assert!(place.is_some(), "{} has no column {column}", self.table.name);
        if let Some(place) = place {
            self.cells[place] = cell.into();
        }
    }

    /// What stands in a column; [`Cell::Null`] if there is none of that name.
    #[must_use]
    pub fn get(&self, column: &str) -> &Cell {
        self.table.place(column).map_or(&Cell::Null, |place| &self.cells[place])
    }

    /// The cells that say which row it is.
    #[must_use]
    pub fn key(&self) -> &[Cell] {
        &self.cells[..self.table.key]
    }

    /// Takes a later row of the same key over: what a database does with the two, one after the other.
    pub fn overwrite(&mut self, later: Self) {
        for ((known, new), column) in
            self.cells.iter_mut().zip(later.cells.into_vec()).zip(self.table.columns)
        {
            if !(column.lasting && new == Cell::Null) {
                *known = new;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_that_a_table_mentions_is_one_of_its_columns() {
        for table in TABLES {
            let lapse = table.lapse.iter().flat_map(|lapse| [lapse.until, lapse.status]);
            let indexed = table.indexes.iter().flat_map(|columns| columns.iter().copied());
            for name in lapse.chain(indexed).chain(table.dated) {
                assert!(table.place(name).is_some(), "{}.{name}", table.name);
            }
            assert!(table.key > 0 && table.key < table.columns.len());
            assert_eq!(Table::named(table.name), Some(*table));
            for common in ["kind", "user_id", "bot_id"] {
                assert!(table.place(common).is_some(), "{} lacks {common}", table.name);
            }
            let key = &table.columns[..table.key];
            assert!(key.iter().all(|column| column.since <= table.since), "a key never grows");
        }
        assert_eq!(version(), 2);
    }

    #[test]
    fn a_later_row_empties_what_it_does_not_say_unless_it_lasts() {
        let mut row = Row::of(&USERS).with("age", 20u32).with("first_seen", UnixMillis(5));
        row.overwrite(Row::of(&USERS).with("stage", "ready"));
        let wanted = Row::of(&USERS).with("stage", "ready").with("first_seen", UnixMillis(5));
        assert_eq!(row, wanted);
    }

    #[test]
    fn a_text_never_holds_what_a_database_refuses() {
        assert_eq!(Cell::from("a\0b"), Cell::Text("ab".into()));
        assert_eq!(Cell::from(u64::MAX), Cell::Whole(i64::MAX));
        assert_eq!(Cell::from(None::<u32>), Cell::Null);
    }
}
