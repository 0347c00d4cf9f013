//! From the journal into a database: where it stands, what is next, and what to do when frames are gone.
//!
//! What lives here: [`Projector`], one batch at a call, single-owner, without a clock or a thread of its own. What
//! rows a frame means is core's; how they are written is the store's.
//!
//! A batch is one transaction: rows, what is known of the users, and the position. So after a stop at any moment
//! the database is as after some frame, and the next batch goes on there. When the frame at the position is gone
//! (segments were let go) or is another one (a backup was restored), everything is read again from the newest
//! snapshot: [`Turn::Rebuilt`].

use super::store::{Position, Store, StoreError};
use crate::disk::DiskError;
use crate::disk::io::Directory;
use crate::disk::snapshot::{self, file::ImageReader};
use crate::disk::tail::Tail;
use crate::note;
use crate::observe::rfc3339;
use nobat_core::bot::records::{AUDIT, Cell, Row, Table};
use nobat_core::engine::Corrupt;
use nobat_core::engine::records::{Applied, Change, Known, Recorder, fingerprint};
use nobat_core::envelope::Conversation;
use nobat_core::id::Seq;
use nobat_core::time::UnixMillis;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::Arc;

/// Frames of one transaction, and bytes of their payloads: a few milliseconds of work.
const BATCH: (usize, usize) = (512, 1 << 20);

/// Rows that are gathered while a snapshot is read, before they are written.
const ROWS_AT_ONCE: usize = 4_096;

/// Why records did not move on. Nothing of it touches the bot.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The database: it is opened anew.
    #[error("{0}")]
    Store(#[from] StoreError),
    /// The journal's files.
    #[error("{0}")]
    Disk(#[from] DiskError),
    /// What they hold.
    #[error("{0}")]
    Corrupt(#[from] Corrupt),
}

/// What one call did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Turn {
    /// The database has everything that is durable.
    Level,
    /// So many frames were written.
    Wrote {
        /// Frames.
        frames: usize,
        /// Rows.
        rows: usize,
    },
    /// All was read again.
    Rebuilt {
        /// Users.
        users: usize,
        /// Rows.
        rows: usize,
    },
}

/// Opens the database.
pub type Open = Box<dyn FnMut() -> Result<Box<dyn Store>, StoreError> + Send>;

/// The way into one database.
pub struct Projector {
    recorder: Recorder,
    dir: Arc<dyn Directory>,
    open: Open,
    store: Option<Box<dyn Store>>,
    /// Where the database stands, once it was asked.
    position: Option<Position>,
    tail: Option<Tail>,
}

impl Projector {
    /// From the journal in `dir`, through `recorder`, into what `open` opens. Nothing is opened yet.
    #[must_use]
    pub fn new(recorder: Recorder, dir: Arc<dyn Directory>, open: Open) -> Self {
        Self { recorder, dir, open, store: None, position: None, tail: None }
    }

    /// How far the database has come, if it was asked.
    #[must_use]
    pub fn position(&self) -> Option<Seq> {
        self.position.map(|position| position.seq)
    }

    /// Whether the database answers.
    #[must_use]
    pub const fn connected(&self) -> bool {
        self.store.is_some()
    }

    /// Writes the next batch of what `durable` covers.
    ///
    /// # Errors
    /// [`RecordsError`]; what was not committed is undone, and the next call opens the database anew.
    pub fn turn(&mut self, durable: Seq, now: UnixMillis) -> Result<Turn, RecordsError> {
        let done = self.try_turn(durable, now);
        if done.is_err() {
            self.let_go();
        }
        done
    }

    /// Closes the database; the next call opens it anew.
    pub fn let_go(&mut self) {
        // What is known of the position stays: segments are held by it meanwhile.
        (self.store, self.tail) = (None, None);
    }

    /// The database itself, as it is now.
    #[must_use]
    pub fn into_store(self) -> Option<Box<dyn Store>> {
        self.store
    }

    /// The open database, for what is done beside rows.
    pub fn store(&mut self) -> Option<&mut Box<dyn Store>> {
        self.store.as_mut()
    }

    fn try_turn(&mut self, durable: Seq, now: UnixMillis) -> Result<Turn, RecordsError> {
        if self.store.is_none() {
            self.store = Some((self.open)()?);
        }
        if self.tail.is_none()
            && let Some(why) = self.find_place(durable)?
        {
            return self.rebuild(why, now);
        }
        match self.position {
            Some(position) if position.seq >= durable => Ok(Turn::Level),
            _ => self.batch(durable, now),
        }
    }

    /// Finds the database's position in the journal, or says why it cannot be used.
    fn find_place(&mut self, durable: Seq) -> Result<Option<&'static str>, RecordsError> {
        let Some(store) = &mut self.store else { return Ok(None) };
        let Some(position) = store.position()? else { return Ok(Some("first")) };
        self.position = Some(position);
        if position.seq > durable {
            return Ok(Some("the journal ends before what was written here: a backup was restored"));
        }
        // The frame itself is read again where it can be, to see that it is the same.
        let Some(mark) = position.mark else {
            self.tail = Tail::seek(Arc::clone(&self.dir), Seq(position.seq.0 + 1))?;
            return Ok(self.tail.is_none().then_some("frames are gone from the journal"));
        };
        let Some(mut tail) = Tail::seek(Arc::clone(&self.dir), position.seq)? else {
            return Ok(Some("frames are gone from the journal"));
        };
        let mut same = false;
        tail.read::<DiskError>(position.seq, (1, usize::MAX), |_, payload| {
            same = fingerprint(payload) == mark;
            Ok(())
        })?;
        self.tail = same.then_some(tail);
        Ok((!same).then_some("the journal is not the one that was written here: a backup was restored"))
    }

    fn batch(&mut self, durable: Seq, now: UnixMillis) -> Result<Turn, RecordsError> {
        let (Some(tail), Some(store)) = (&mut self.tail, &mut self.store) else { return Ok(Turn::Level) };
        let (mut changes, mut mark) = (Vec::new(), None);
        let read = tail.read::<RecordsError>(durable, BATCH, |seq, payload| {
            mark = Some(fingerprint(payload));
            Ok(self.recorder.changes(seq, payload, &mut changes)?)
        })?;
        if read.entries == 0 {
            return Ok(Turn::Level);
        }
        store.begin()?;
        let Some((known, rows)) = apply(&self.recorder, &mut **store, &changes)? else {
            self.let_go();
            self.store = Some((self.open)()?);
            return self.rebuild("frames between are missing", now);
        };
        store.remember(&known)?;
        tell(&rows);
        let rows = put(&mut **store, rows)?;
        let position = Position { seq: read.to, mark };
        store.move_to(position)?;
        store.commit()?;
        self.position = Some(position);
        Ok(Turn::Wrote { frames: read.entries, rows })
    }

    /// Reads everything from the newest snapshot that is whole; without one the journal begins at its first frame.
    fn rebuild(&mut self, why: &str, now: UnixMillis) -> Result<Turn, RecordsError> {
        let first = self.position.is_none();
        let mut image = snapshot::open_newest(&*self.dir)?;
        // Made of sealed segments, so never ahead of what is durable.
        let covered = image.as_ref().map_or(Seq(0), |image| image.header().covered);
        let Some(tail) = Tail::seek(Arc::clone(&self.dir), Seq(covered.0 + 1))? else {
            return Err(DiskError::Limit("the journal does not reach back to its snapshot").into());
        };
        let Some(store) = &mut self.store else { return Ok(Turn::Level) };
        store.begin()?;
        store.forget()?;
        let (mut users, mut written) = (0, 0);
        let (mut known, mut rows) = (Vec::new(), Vec::new());
        while let Some(block) = image.as_mut().map(ImageReader::next_block).transpose()?.flatten() {
            self.recorder.image(&block, |who, state, more| {
                known.push((who, state));
                rows.extend(more);
            })?;
            if rows.len() >= ROWS_AT_ONCE {
                users += known.len();
                store.remember(&known)?;
                known.clear();
                written += put(&mut **store, std::mem::take(&mut rows))?;
            }
        }
        users += known.len();
        store.remember(&known)?;
        if !first {
            rows.push(reprojected(why, self.position, covered, now));
        }
        written += put(&mut **store, rows)?;
        if !first {
            store.remove_unknown()?;
        }
        let position = Position { seq: covered, mark: None };
        store.move_to(position)?;
        store.commit()?;
        (self.position, self.tail) = (Some(position), Some(tail));
        Ok(Turn::Rebuilt { users, rows: written })
    }
}

/// What is known after some changes, and their rows.
type Told = (Vec<(Conversation, Known)>, Vec<Row>);

/// What these changes tell; none if frames before them are missing.
fn apply(
    recorder: &Recorder,
    store: &mut dyn Store,
    changes: &[Change],
) -> Result<Option<Told>, RecordsError> {
    let mut whom: Vec<Conversation> = changes.iter().map(|change| change.who).collect();
    whom.sort_unstable();
    whom.dedup();
    let mut known: HashMap<Conversation, Known> = store.known(&whom)?.into_iter().collect();
    let mut rows = Vec::new();
    for change in changes {
        let his = known.entry(change.who).or_default();
        if recorder.apply(change, his, &mut rows)? == Applied::Missing {
            return Ok(None);
        }
    }
    let known = whom.into_iter().filter_map(|who| known.remove(&who).map(|his| (who, his))).collect();
    Ok(Some((known, rows)))
}

/// A line of the log for each row about money and what it buys, and for what the operator did.
fn tell(rows: &[Row]) {
    for row in rows {
        let shown = Shown(row);
        match row.table.name {
            "payments" => {
                note!(Payments, Info, "payment{shown}");
                if is(row, "gave", "credits") {
                    note!(Locks, Info, "credits{shown}");
                }
            }
            "subscriptions" => note!(Vip, Info, "subscription{shown}"),
            "audit" if is(row, "action", "locked") => note!(Locks, Info, "lock{shown}"),
            "audit" => note!(Admin, Info, "audit{shown}"),
            _ => {}
        }
    }
}

/// Whether a row says this word in this column.
fn is(row: &Row, column: &str, word: &str) -> bool {
    matches!(row.get(column), Cell::Text(text) if **text == *word)
}

/// ` column=value`, without what is not known.
struct Shown<'r>(&'r Row);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (column, cell) in std::iter::zip(self.0.table.columns, self.0.cells.iter()) {
            match cell {
                Cell::Null => Ok(()),
                Cell::Whole(n) => write!(f, " {}={n}", column.name),
                Cell::Text(text) => write!(f, " {}={text}", column.name),
                Cell::Time(at) => write!(f, " {}={}", column.name, rfc3339::format(*at)),
                Cell::Flag(yes) => write!(f, " {}={yes}", column.name),
            }?;
        }
        Ok(())
    }
}

/// Writes rows, of each key the sum of all, table by table. Gives how many were written.
fn put(store: &mut dyn Store, rows: Vec<Row>) -> Result<usize, StoreError> {
    let mut tables: BTreeMap<&'static str, (&'static Table, BTreeMap<Vec<Cell>, Row>)> = BTreeMap::new();
    for row in rows {
        let (_, of_table) = tables.entry(row.table.name).or_insert_with(|| (row.table, BTreeMap::new()));
        match of_table.get_mut(row.key()) {
            Some(known) => known.overwrite(row),
            None => {
                of_table.insert(row.key().to_vec(), row);
            }
        }
    }
    let mut written = 0;
    for (_, (table, rows)) in tables {
        let rows: Vec<Row> = rows.into_values().collect();
        store.put(table, &rows)?;
        written += rows.len();
    }
    Ok(written)
}

/// The row that says that rows between two frames may be missing.
fn reprojected(why: &str, before: Option<Position>, covered: Seq, now: UnixMillis) -> Row {
    let from = before.map_or(0, |position| position.seq.0);
    Row::of(&AUDIT)
        .with("at", now)
        .with("frame", covered.0)
        .with("nth", 0u32)
        .with("action", "reprojected")
        .with(
            "detail",
            format!("everything was read again at frame {covered}, the records stood at {from}: {why}"),
        )
}

#[cfg(test)]
mod tests;
