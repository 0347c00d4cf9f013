//! Records in a PostgreSQL server.
//!
//! Rows go in column by column, as arrays that the server takes apart again: one statement a table and batch, however
//! far away the server is. Nothing is prepared by name and no state of a session is used, so a pooler may stand
//! between.

use super::store::{
    Dialect, Position, Store, StoreError, current, kind_case, migrations, names, on_conflict, own_tables,
    unknown,
};
use crate::observe::Secret;
use crate::postgres::{connect, told};
use nobat_core::bot::records::{Cell, Holds, Row, TABLES, Table, version};
use nobat_core::engine::records::Known;
use nobat_core::envelope::Conversation;
use nobat_core::id::{KindIx, Seq, UserId};
use nobat_core::time::UnixMillis;
use postgres::Client;
use postgres::fallible_iterator::FallibleIterator as _;
use postgres::types::ToSql;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A number that only our own migrations lock: two processes never change the tables at once.
const MIGRATION_LOCK: i64 = 0x6e6f_6261_7400;

/// A connected server.
pub struct Postgres {
    client: Client,
    kinds: Vec<String>,
}

impl From<postgres::Error> for StoreError {
    fn from(error: postgres::Error) -> Self {
        Self::Database(told(&error))
    }
}

impl Postgres {
    /// Connects and moves the tables on.
    ///
    /// # Errors
    /// It cannot be reached, does not do as it is told, or has tables of a later version.
    pub fn open(uri: &Secret, kinds: Vec<String>) -> Result<Self, StoreError> {
        let mut client = connect(uri.expose()).map_err(StoreError::Database)?;
        // A statement that hangs must not hold rows for ever; a rebuild of a million users takes a minute.
        client.batch_execute(
            "SET statement_timeout = '10min'; SET lock_timeout = '10s'; SET TIME ZONE 'UTC'",
        )?;
        let mut store = Self { client, kinds };
        store.migrate()?;
        Ok(store)
    }

    /// Connects to be read only; the tables stay as they are.
    pub(super) fn read(uri: &Secret) -> Result<Self, StoreError> {
        let mut client = connect(uri.expose()).map_err(StoreError::Database)?;
        client.batch_execute("SET default_transaction_read_only = on; SET TIME ZONE 'UTC'")?;
        let row = client.query_opt("SELECT version FROM nobat_schema", &[])?;
        current(row.map_or(0, |row| u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX)))?;
        Ok(Self { client, kinds: Vec::new() })
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let mut change = self.client.transaction()?;
        change.execute("SELECT pg_advisory_xact_lock($1)", &[&MIGRATION_LOCK])?;
        change.batch_execute(&own_tables(Dialect::Postgres))?;
        let row = change.query_opt("SELECT version FROM nobat_schema", &[])?;
        let found = row.map_or(0, |row| u32::try_from(row.get::<_, i64>(0)).unwrap_or(u32::MAX));
        if found > version() {
            return Err(StoreError::Newer { found, known: version() });
        }
        if found < version() {
            for step in migrations(Dialect::Postgres, found) {
                change.batch_execute(&step)?;
            }
            // New columns are filled by reading everything again.
            change.batch_execute("DELETE FROM nobat_position")?;
            let sql = "INSERT INTO nobat_schema VALUES (1, $1) ON CONFLICT (one) DO UPDATE SET version = excluded.version";
            change.execute(sql, &[&i64::from(version())])?;
        }
        Ok(change.commit()?)
    }
}

/// An id as SQL's integer; ids have 52 bits.
fn id(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn instant(at: UnixMillis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(at.0)
}

/// One column of many rows, as the array that the server takes.
fn column(rows: &[Row], at: usize, holds: Holds) -> Box<dyn ToSql + Sync> {
    let cells = rows.iter().map(|row| &row.cells[at]);
    match holds {
        Holds::Whole => Box::new(
            cells
                .map(|cell| match cell {
                    Cell::Whole(n) => Some(*n),
                    _ => None,
                })
                .collect::<Vec<Option<i64>>>(),
        ),
        Holds::Text => Box::new(
            cells
                .map(|cell| match cell {
                    Cell::Text(text) => Some(text.to_string()),
                    _ => None,
                })
                .collect::<Vec<Option<String>>>(),
        ),
        Holds::Time => Box::new(
            cells
                .map(|cell| match cell {
                    Cell::Time(at) => Some(instant(*at)),
                    _ => None,
                })
                .collect::<Vec<Option<SystemTime>>>(),
        ),
        Holds::Flag => Box::new(
            cells
                .map(|cell| match cell {
                    Cell::Flag(yes) => Some(*yes),
                    _ => None,
                })
                .collect::<Vec<Option<bool>>>(),
        ),
    }
}

impl Store for Postgres {
    fn position(&mut self) -> Result<Option<Position>, StoreError> {
        let found = self.client.query_opt("SELECT seq, mark FROM nobat_position", &[])?;
        Ok(found.map(|row| Position {
            seq: Seq(row.get::<_, i64>(0).cast_unsigned()),
            mark: row.get::<_, Option<i64>>(1).and_then(|mark| u32::try_from(mark).ok()),
        }))
    }

    fn begin(&mut self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute("BEGIN")?)
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute("COMMIT")?)
    }

    fn known(&mut self, of: &[Conversation]) -> Result<Vec<(Conversation, Known)>, StoreError> {
        let kinds: Vec<i64> = of.iter().map(|who| who.kind.0.into()).collect();
        let users: Vec<i64> = of.iter().map(|who| id(who.user.0)).collect();
        let sql = "SELECT kind, user_id, version, state FROM nobat_known \
                   WHERE (kind, user_id) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[]))";
        let rows = self.client.query(sql, &[&kinds, &users])?;
        let known = rows.iter().filter_map(|row| {
            let number = |at: usize| u64::try_from(row.get::<_, i64>(at)).ok();
            let kind = KindIx(u8::try_from(number(0)?).ok()?);
            let version = u32::try_from(number(2)?).ok()?;
            let state = row.get::<_, Vec<u8>>(3).into();
            Some((Conversation { kind, user: UserId(number(1)?) }, Known { version, state }))
        });
        Ok(known.collect())
    }

    fn remember(&mut self, known: &[(Conversation, Known)]) -> Result<(), StoreError> {
        let kinds: Vec<i64> = known.iter().map(|(who, _)| who.kind.0.into()).collect();
        let users: Vec<i64> = known.iter().map(|(who, _)| id(who.user.0)).collect();
        let versions: Vec<i64> = known.iter().map(|(_, known)| known.version.into()).collect();
        let states: Vec<&[u8]> = known.iter().map(|(_, known)| &*known.state).collect();
        let sql = "INSERT INTO nobat_known (kind, user_id, version, state) \
                   SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[]) \
                   ON CONFLICT (kind, user_id) DO UPDATE SET version = excluded.version, state = excluded.state";
        self.client.execute(sql, &[&kinds, &users, &versions, &states])?;
        Ok(())
    }

    fn forget(&mut self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute("DELETE FROM nobat_known; DELETE FROM nobat_position")?)
    }

    fn remove_unknown(&mut self) -> Result<(), StoreError> {
        Ok(self.client.batch_execute(&unknown(&kind_case(&self.kinds)))?)
    }

    fn put(&mut self, table: &'static Table, rows: &[Row]) -> Result<(), StoreError> {
        let arrays: Vec<_> =
            table.columns.iter().enumerate().map(|(at, known)| column(rows, at, known.holds)).collect();
        let places: Vec<_> = table
            .columns
            .iter()
            .enumerate()
            .map(|(at, known)| format!("${}::{}[]", at + 1, Dialect::Postgres.of(known.holds)))
            .collect();
        let (columns, places) = (names(table.columns), places.join(", "));
        let sql = format!(
            "INSERT INTO nobat_{} ({columns}) SELECT * FROM unnest({places}) {}",
            table.name,
            on_conflict(table)
        );
        let bound: Vec<&(dyn ToSql + Sync)> = arrays.iter().map(|array| &**array).collect();
        self.client.execute(&sql, &bound)?;
        Ok(())
    }

    fn move_to(&mut self, position: Position) -> Result<(), StoreError> {
        let sql = "INSERT INTO nobat_position VALUES (1, $1, $2) ON CONFLICT (one) \
                   DO UPDATE SET seq = excluded.seq, mark = excluded.mark";
        self.client.execute(sql, &[&id(position.seq.0), &position.mark.map(i64::from)])?;
        Ok(())
    }

    fn lapse(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        for table in TABLES {
            let Some(lapse) = table.lapse else { continue };
            let (name, status, until) = (table.name, lapse.status, lapse.until);
            let sql = format!("UPDATE nobat_{name} SET {status} = $1 WHERE {status} = $2 AND {until} <= $3");
            self.client.execute(&sql, &[&lapse.to, &lapse.from, &instant(now)])?;
        }
        Ok(())
    }

    fn retire(&mut self, table: &'static Table, before: UnixMillis) -> Result<u64, StoreError> {
        let Some(dated) = table.dated else { return Ok(0) };
        let sql = format!("DELETE FROM nobat_{} WHERE {dated} < $1", table.name);
        Ok(self.client.execute(&sql, &[&instant(before)])?)
    }

    /// The server has its own ways to give space back; this is for one where they are switched off.
    fn vacuum(&mut self) -> Result<(), StoreError> {
        for table in TABLES {
            self.client.batch_execute(&format!("VACUUM (ANALYZE) nobat_{}", table.name))?;
        }
        Ok(self.client.batch_execute("VACUUM (ANALYZE) nobat_known")?)
    }

    fn each(
        &mut self,
        table: &'static Table,
        since: Option<UnixMillis>,
        each: &mut dyn FnMut(&[Cell]) -> std::io::Result<()>,
    ) -> Result<std::io::Result<()>, StoreError> {
        let (columns, name) = (names(table.columns), table.name);
        let (dated, order) = (table.dated.unwrap_or("NULL::timestamptz"), names(&table.columns[..table.key]));
        let sql = format!(
            "SELECT {columns} FROM nobat_{name} WHERE $1::timestamptz IS NULL OR {dated} IS NULL OR {dated} >= $1 \
             ORDER BY {dated} NULLS FIRST, {order}"
        );
        let since = since.map(instant);
        let mut rows = self.client.query_raw(&sql, [&since as &(dyn ToSql + Sync)])?;
        while let Some(row) = rows.next()? {
            let cells = table.columns.iter().enumerate().map(|(at, known)| match known.holds {
                Holds::Whole => row.get::<_, Option<i64>>(at).map_or(Cell::Null, Cell::Whole),
                Holds::Text => row.get::<_, Option<String>>(at).into(),
                Holds::Flag => row.get::<_, Option<bool>>(at).into(),
                Holds::Time => row.get::<_, Option<SystemTime>>(at).map(millis).into(),
            });
            let cells: Vec<Cell> = cells.collect();
            if let Err(gone) = each(&cells) {
                return Ok(Err(gone));
            }
        }
        Ok(Ok(()))
    }
}

fn millis(at: SystemTime) -> UnixMillis {
    let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
