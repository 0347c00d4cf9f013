//! The thread that keeps the database level, at a low priority and at most a quarter of the time.
//!
//! What lives here: [`spawn`], [`Handle`], [`Marks`]. It wakes twice a second, writes batches until it is level,
//! rests three times as long as each took, and looks after the tables once a minute.

use super::project::{Projector, RecordsError, Turn};
use crate::clock::Clock;
use crate::observe::{Registry, names};
use crate::{recovery, say};
use nobat_core::bot::records::Table;
use nobat_core::id::Seq;
use nobat_core::time::{Nanos, UnixMillis};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often it is looked whether something is to be written: how old the tables are when nothing is wrong.
const TICK: Duration = Duration::from_millis(500);
/// How much longer it rests than it worked, and at most so long: a burst belongs to those who wait for answers.
const REST_TIMES: u32 = 3;
const REST_MAX: Duration = Duration::from_millis(500);
/// First wait after a failure; doubled up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_secs(1);
/// How late it is noticed that a database is there again.
const RETRY_MAX: Duration = Duration::from_secs(30);
/// How long the last rows may take at a stop, and how long a stop waits for the thread.
const FINISH_WITHIN: Duration = Duration::from_millis(700);
const STOP_WITHIN: Duration = Duration::from_secs(1);
/// Between two words about the same trouble, and between two looks after the tables.
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

/// What is done for the tables beside rows.
#[derive(Clone, Default, Debug)]
pub struct Upkeep {
    /// By table: rows dated earlier than so long ago are removed, once a day.
    pub retain: Vec<(&'static Table, Duration)>,
    /// How often space is given back; none for never.
    pub vacuum: Option<Duration>,
}

/// How far the records have come: read by the follower, which lets segments go, and by the metrics.
#[derive(Debug)]
pub struct Marks {
    position: AtomicU64,
    connected: AtomicBool,
    /// The last moment at which the database had everything.
    level_at: AtomicU64,
}

impl Marks {
    fn new(clock: Clock) -> Self {
        let (position, connected) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { position, connected, level_at: AtomicU64::new(clock.mono().0) }
    }

    /// The last frame that is in the database, durably; 0 while that is not known.
    #[must_use]
    pub fn position(&self) -> Seq {
        Seq(self.position.load(Relaxed))
    }

    /// Sets the gauges, given the last durable frame. They are true also while the thread waits for a database.
    pub fn show(&self, registry: &Registry, durable: u64, now: Nanos) {
        let lag = durable.saturating_sub(self.position.load(Relaxed));
        let since = now.since(Nanos(self.level_at.load(Relaxed)));
        registry.set(names::RECORDS_CONNECTED, self.connected.load(Relaxed).into());
        registry.set(names::RECORDS_LAG_FRAMES, lag);
        registry.set(names::RECORDS_LAG_SECONDS, if lag == 0 { 0 } else { since.as_secs() });
    }
}

/// The running thread.
pub struct Handle {
    marks: Arc<Marks>,
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Handle {
    /// How far it has come.
    #[must_use]
    pub fn marks(&self) -> Arc<Marks> {
        Arc::clone(&self.marks)
    }

    /// Ends the thread once the database has everything, or soon: what is not written by then is written after
    /// the next start. A thread that waits for a server that does not answer is left to the end of the process.
    pub fn stop_and_join(self) {
        self.stop.store(true, Relaxed);
        let began = Instant::now();
        while !self.thread.is_finished() {
            if began.elapsed() > STOP_WITHIN {
                say!(
                    Info,
                    "the database of records does not answer: what is left is written after the next start"
                );
                return;
            }
            self.thread.thread().unpark();
            thread::sleep(Duration::from_millis(5));
        }
        if self.thread.join().is_err() {
            say!(Error, "the records thread panicked");
        }
    }
}

/// Starts the thread. `durable` says how far the journal is on disk.
///
/// # Errors
/// The operating system gives no thread.
pub fn spawn(
    projector: Projector,
    upkeep: Upkeep,
    durable: impl Fn() -> Seq + Send + 'static,
    registry: Arc<Registry>,
    clock: Clock,
) -> io::Result<Handle> {
    let (marks, stop) = (Arc::new(Marks::new(clock)), Arc::new(AtomicBool::new(false)));
    let mut keeper = Keeper {
        projector,
        upkeep,
        registry,
        clock,
        marks: Arc::clone(&marks),
        stop: Arc::clone(&stop),
        retry: RETRY_MIN,
        said: None,
        looked: None,
        retired: None,
        vacuumed: clock.mono(),
    };
    let thread = thread::Builder::new().name("records".into()).spawn(move || {
        recovery::stand_back();
        while !keeper.stop.load(Relaxed) {
            let rest = keeper.turn(durable());
            thread::park_timeout(rest);
        }
        keeper.finish(durable());
    })?;
    Ok(Handle { marks, stop, thread })
}

struct Keeper {
    projector: Projector,
    upkeep: Upkeep,
    registry: Arc<Registry>,
    clock: Clock,
    marks: Arc<Marks>,
    stop: Arc<AtomicBool>,
    retry: Duration,
    /// When a trouble was last told.
    said: Option<Nanos>,
    /// When what is over by the clock was last ended.
    looked: Option<Nanos>,
    retired: Option<Nanos>,
    vacuumed: Nanos,
}

impl Keeper {
    /// One batch; how long to rest after it.
    fn turn(&mut self, durable: Seq) -> Duration {
        let began = self.clock.mono();
        let now = self.clock.now().wall;
        let turned = self.projector.turn(durable, now).and_then(|turn| {
            if turn == Turn::Level {
                self.keep_house(now)?;
            }
            Ok(turn)
        });
        if let Some(position) = self.projector.position() {
            self.marks.position.store(position.0, Relaxed);
        }
        self.marks.connected.store(self.projector.connected() && turned.is_ok(), Relaxed);
        match turned {
            Ok(turn) => {
                self.fine();
                self.count(turn);
                if turn == Turn::Level {
                    self.marks.level_at.store(self.clock.mono().0, Relaxed);
                    return TICK;
                }
                (self.clock.mono().since(began) * REST_TIMES).min(REST_MAX)
            }
            Err(error) => self.failed(&error),
        }
    }

    /// Writes what is left, for a moment, if the database answers.
    fn finish(&mut self, durable: Seq) {
        let began = self.clock.mono();
        while self.projector.connected() && self.clock.mono().since(began) < FINISH_WITHIN {
            match self.projector.turn(durable, self.clock.now().wall) {
                Ok(Turn::Level) | Err(_) => return,
                Ok(turn) => self.count(turn),
            }
        }
    }

    fn count(&self, turn: Turn) {
        match turn {
            Turn::Level => {}
            Turn::Wrote { rows, .. } => self.registry.add(names::RECORDS_ROWS, rows as u64),
            Turn::Rebuilt { users, rows } => {
                self.registry.add(names::RECORDS_ROWS, rows as u64);
                self.registry.inc(names::RECORDS_REBUILDS);
                say!(Info, "records were read from the newest snapshot", users = users, rows = rows);
            }
        }
    }

    fn fine(&mut self) {
        self.retry = RETRY_MIN;
        if self.said.take().is_some() {
            say!(Info, "records are written again; what was missed is made up for");
        }
    }

    fn failed(&mut self, error: &RecordsError) -> Duration {
        self.registry.inc(names::RECORDS_FAILURES);
        let now = self.clock.mono();
        if self.said.is_none_or(|said| now.since(said) >= MINUTE) {
            self.said = Some(now);
            say!(
                Error,
                "records cannot be written; the bot goes on, and they are made up for later: {error}; look at the \
                 database that `records` names"
            );
        }
        let rest = self.retry;
        self.retry = (self.retry * 2).min(RETRY_MAX);
        rest
    }

    /// What the tables need beside rows.
    fn keep_house(&mut self, wall: UnixMillis) -> Result<(), RecordsError> {
        let now = self.clock.mono();
        let due = |last: Option<Nanos>, every: Duration| last.is_none_or(|last| now.since(last) >= every);
        let Some(store) = self.projector.store() else { return Ok(()) };
        if due(self.looked, MINUTE) {
            store.lapse(wall)?;
            self.looked = Some(now);
        }
        if due(self.retired, DAY) {
            for (table, age) in &self.upkeep.retain {
                let millis = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
                let removed = store.retire(table, UnixMillis(wall.0.saturating_sub(millis)))?;
                if removed > 0 {
                    say!(Info, "old records were removed", table = table.name, rows = removed);
                }
            }
            self.retired = Some(now);
        }
        if self.upkeep.vacuum.is_some_and(|every| due(Some(self.vacuumed), every)) {
            // Not again at once, should it fail.
            self.vacuumed = now;
            store.vacuum()?;
        }
        Ok(())
    }
}
