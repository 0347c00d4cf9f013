//! Records in an SQLite file.
//!
//! The file is in WAL mode, so that who reads it does not stop who writes; each commit is synced, because the
//! journal's segments go by what the database says it has.

use super::store::{
    Dialect, Position, Store, StoreError, current, kind_case, migrations, names, on_conflict, own_tables,
    unknown,
};
use crate::observe::rfc3339;
use nobat_core::bot::records::{Cell, Holds, Row, TABLES, Table, version};
use nobat_core::engine::records::Known;
use nobat_core::envelope::Conversation;
use nobat_core::id::Seq;
use nobat_core::time::UnixMillis;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, ToSql, params, params_from_iter};
use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

/// How long a transaction of somebody else is waited for. The thread has nothing better to do.
const LOCKED_FOR: Duration = Duration::from_secs(2);

/// An open file.
pub struct Sqlite {
    db: Connection,
    kinds: Vec<String>,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.to_string())
    }
}

impl Sqlite {
    /// Opens the file, which is made readable for its owner alone if there is none, and moves its tables on.
    ///
    /// # Errors
    /// What SQLite says, or tables of a later version.
    pub fn open(path: &Path, kinds: Vec<String>) -> Result<Self, StoreError> {
        let made = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
        made.map_err(|e| StoreError::Database(format!("{}: {e}", path.display())))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(LOCKED_FOR)?;
        db.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = OFF;")?;
        let mut store = Self { db, kinds };
        store.migrate()?;
        Ok(store)
    }

    /// A database that nobody else sees and that is gone when it is dropped. It lives in a temporary file.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn passing(kinds: Vec<String>) -> Result<Self, StoreError> {
        let mut store = Self { db: Connection::open("")?, kinds };
        store.db.execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")?;
        store.migrate()?;
        Ok(store)
    }

    /// Opens a file that is there, to be read only.
    ///
    /// # Errors
    /// What SQLite says, or tables of another version.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        db.busy_timeout(LOCKED_FOR)?;
        let found = db.query_row("SELECT version FROM nobat_schema", [], |row| row.get(0)).optional()?;
        current(found.unwrap_or(0))?;
        Ok(Self { db, kinds: Vec::new() })
    }

    /// Copies a whole file, as of one moment, to a new one, beside whoever writes to it.
    ///
    /// # Errors
    /// What SQLite says, damage among it; the new file must not exist.
    pub fn copy(from: &Path, to: &Path) -> Result<(), StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(from, flags)?;
        db.busy_timeout(LOCKED_FOR)?;
        let to = to.to_str().ok_or_else(|| StoreError::Database("a path that is not UTF-8".to_owned()))?;
        db.execute("VACUUM INTO ?1", [to])?;
        Ok(())
    }

    /// One transaction: a stop in between leaves the version that was.
    fn migrate(&mut self) -> Result<(), StoreError> {
        let change = self.db.transaction()?;
        change.execute_batch(&own_tables(Dialect::Sqlite))?;
        let found: u32 = change
            .query_row("SELECT version FROM nobat_schema", [], |row| row.get(0))
            .optional()?
            .unwrap_or(0);
        if found > version() {
            return Err(StoreError::Newer { found, known: version() });
        }
        if found < version() {
            for step in migrations(Dialect::Sqlite, found) {
                change.execute_batch(&step)?;
            }
            // New columns are filled by reading everything again.
            change.execute_batch("DELETE FROM nobat_position;")?;
            let sql = "INSERT INTO nobat_schema VALUES (1, ?1) ON CONFLICT (one) DO UPDATE SET version = excluded.version";
            change.execute(sql, [version()])?;
        }
        Ok(change.commit()?)
    }
}

struct Bound<'a>(&'a Cell);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self.0 {
            Cell::Null => ToSqlOutput::Owned(Value::Null),
            Cell::Whole(n) => ToSqlOutput::Owned(Value::Integer(*n)),
            Cell::Text(text) => ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes())),
            Cell::Time(at) => ToSqlOutput::Owned(Value::Text(rfc3339::format(*at))),
            Cell::Flag(yes) => ToSqlOutput::Owned(Value::Integer(i64::from(*yes))),
        })
    }
}

/// An id as SQL's integer; ids have 52 bits.
fn id(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

impl Store for Sqlite {
    fn position(&mut self) -> Result<Option<Position>, StoreError> {
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Option<i64>>(1)?));
        let found = self.db.query_row("SELECT seq, mark FROM nobat_position", [], row).optional()?;
        Ok(found.map(|(seq, mark)| Position {
            seq: Seq(seq.cast_unsigned()),
            mark: mark.and_then(|mark| u32::try_from(mark).ok()),
        }))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("COMMIT")?)
    }

    fn known(&mut self, of: &[Conversation]) -> Result<Vec<(Conversation, Known)>, StoreError> {
        let mut find = self
            .db
            .prepare_cached("SELECT version, state FROM nobat_known WHERE kind = ?1 AND user_id = ?2")?;
        let mut found = Vec::with_capacity(of.len());
        for who in of {
            let row = |row: &rusqlite::Row<'_>| {
                Ok(Known { version: row.get(0)?, state: row.get::<_, Vec<u8>>(1)?.into() })
            };
            let known = find.query_row(params![who.kind.0, id(who.user.0)], row).optional()?;
            found.extend(known.map(|known| (*who, known)));
        }
        Ok(found)
    }

    fn remember(&mut self, known: &[(Conversation, Known)]) -> Result<(), StoreError> {
        let mut put = self.db.prepare_cached(
            "INSERT INTO nobat_known VALUES (?1, ?2, ?3, ?4) ON CONFLICT (kind, user_id) \
             DO UPDATE SET version = excluded.version, state = excluded.state",
        )?;
        for (who, known) in known {
            put.execute(params![who.kind.0, id(who.user.0), known.version, &*known.state])?;
        }
        Ok(())
    }

    fn forget(&mut self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("DELETE FROM nobat_known; DELETE FROM nobat_position;")?)
    }

    fn remove_unknown(&mut self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch(&unknown(&kind_case(&self.kinds)))?)
    }

    fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        let places: Vec<_> = (1..=table.columns.len()).map(|n| format!("?{n}")).collect();
        let (columns, places) = (names(table.columns), places.join(", "));
        let sql =
            format!("INSERT INTO nobat_{} ({columns}) VALUES ({places}) {}", table.name, on_conflict(table));
        let mut put = self.db.prepare_cached(&sql)?;
        for row in rows {
            put.execute(params_from_iter(row.cells.iter().map(Bound)))?;
        }
        Ok(())
    }

    fn move_to(&mut self, position: Position) -> Result<(), StoreError> {
        let sql = "INSERT INTO nobat_position VALUES (1, ?1, ?2) ON CONFLICT (one) \
                   DO UPDATE SET seq = excluded.seq, mark = excluded.mark";
        self.db.prepare_cached(sql)?.execute(params![id(position.seq.0), position.mark])?;
        Ok(())
    }

    fn lapse(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        for table in TABLES {
            let Some(lapse) = table.lapse else { continue };
            let (name, status, until) = (table.name, lapse.status, lapse.until);
            let sql = format!("UPDATE nobat_{name} SET {status} = ?1 WHERE {status} = ?2 AND {until} <= ?3");
            self.db.execute(&sql, params![lapse.to, lapse.from, rfc3339::format(now)])?;
        }
        Ok(())
    }

    fn retire(&mut self, table: &'static Table, before: UnixMillis) -> Result<u64, StoreError> {
        let Some(dated) = table.dated else { return Ok(0) };
        let sql = format!("DELETE FROM nobat_{} WHERE {dated} < ?1", table.name);
        Ok(self.db.execute(&sql, [rfc3339::format(before)])? as u64)
    }

    fn vacuum(&mut self) -> Result<(), StoreError> {
        Ok(self.db.execute_batch("VACUUM; PRAGMA optimize;")?)
    }

    fn each(
        &mut self,
        table: &'static Table,
        since: Option<UnixMillis>,
        each: &mut dyn FnMut(&[Cell]) -> std::io::Result<()>,
    ) -> Result<std::io::Result<()>, StoreError> {
        let (columns, name) = (names(table.columns), table.name);
        let (dated, order) = (table.dated.unwrap_or("1"), names(&table.columns[..table.key]));
        let sql = format!(
            "SELECT {columns} FROM nobat_{name} WHERE ?1 IS NULL OR {dated} IS NULL OR {dated} >= ?1 \
             ORDER BY {dated} NULLS FIRST, {order}"
        );
        let mut read = self.db.prepare(&sql)?;
        let mut rows = read.query([since.map(rfc3339::format)])?;
        while let Some(row) = rows.next()? {
            let cells = table.columns.iter().enumerate().map(|(at, column)| {
                Ok(match (row.get_ref(at)?, column.holds) {
                    (ValueRef::Integer(n), Holds::Flag) => Cell::Flag(n != 0),
                    (ValueRef::Integer(n), _) => Cell::Whole(n),
                    (ValueRef::Text(text), Holds::Time) => {
                        std::str::from_utf8(text).ok().and_then(rfc3339::parse).into()
                    }
                    (ValueRef::Text(text), _) => String::from_utf8_lossy(text).into_owned().into(),
                    _ => Cell::Null,
                })
            });
            let cells: Vec<Cell> = cells.collect::<Result<_, rusqlite::Error>>()?;
            if let Err(gone) = each(&cells) {
                return Ok(Err(gone));
            }
        }
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests;
