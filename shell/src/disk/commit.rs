//! The journal thread: everything in the ring, one write, one fdatasync, then the good news.
//!
//! What lives here: [`spawn`] and what it is given ([`Entry`], [`Hooks`]) and gives ([`JournalHandle`],
//! [`Durability`]). Batching is natural: while one fdatasync runs, the next group gathers in the ring; there
//! is no timer. An empty ring puts the thread to sleep, a push wakes it.

use super::writer::Staged;
use super::{DiskError, Journal};
use nobat_core::id::Seq;
use nobat_core::sync::ring::Consumer;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle, Thread};
use std::time::Duration;

/// First wait before a commit is tried again on a full disk; doubled up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(10);

/// Longest wait before a commit is tried again: how late a freed disk is noticed.
const RETRY_MAX: Duration = Duration::from_secs(1);

/// What a producer pushes: the frame's payload, and what is handed on once it is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry<X> {
    /// At most [`nobat_core::limits::FRAME_BYTES_MAX`] bytes.
    pub payload: Vec<u8>,
    /// Handed on after the commit.
    pub extra: X,
}

/// An entry that is durable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed<X> {
    /// Its place in the journal: the position that its push returned.
    pub seq: Seq,
    /// What was pushed.
    pub entry: Entry<X>,
}

/// What the journal thread tells the rest of the program. Called on that thread: be brief, never block on
/// the ring's producers.
pub trait Hooks<X>: Send {
    /// A group is about to be written and synced.
    fn committing(&mut self) {}

    /// These entries are durable, in order, and [`Durability::durable`] already says so. Hand on what they
    /// carry and wake who waits. What is left in `batch` is dropped.
    fn committed(&mut self, batch: &mut Vec<Committed<X>>);

    /// A segment was sealed: a snapshot may be due.
    fn rolled(&mut self) {}

    /// The disk is full or refuses for now; commits are tried again. Called once per spell.
    fn stalled(&mut self, error: &DiskError);

    /// The spell is over.
    fn healed(&mut self);

    /// Nothing will be durable any more. Stop acknowledging, and end the process with a failure.
    fn failed(&mut self, error: &DiskError);
}

/// What anyone may ask about the journal. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Durability {
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    durable: AtomicU64,
    stalled: AtomicBool,
    failed: AtomicBool,
    stop: AtomicBool,
}

impl Durability {
    /// The last sequence that is durable: the frame with position `p` is on disk once this is `>= p`.
    #[must_use]
    pub fn durable(&self) -> u64 {
        // ORDERING: Acquire; pairs with the Release in Worker::publish. Carries: the frames are on disk.
        self.state.durable.load(Ordering::Acquire)
    }

    /// Everything below `tail` (a ring's [`tail`](nobat_core::sync::ring::Producer::tail)) is on disk.
    #[must_use]
    pub fn covers(&self, tail: u64) -> bool {
        self.durable() + 1 >= tail
    }

    /// Commits are waiting for space: answer 503 with Retry-After.
    #[must_use]
    pub fn stalled(&self) -> bool {
        // ORDERING: Relaxed; a hint.
        self.state.stalled.load(Ordering::Relaxed)
    }

    /// Nothing will be durable any more.
    #[must_use]
    pub fn failed(&self) -> bool {
        // ORDERING: Acquire; pairs with the Release in Worker::run. Carries: durable() is final.
        self.state.failed.load(Ordering::Acquire)
    }
}

/// The running journal thread.
#[derive(Debug)]
pub struct JournalHandle {
    durability: Durability,
    thread: JoinHandle<Result<(), DiskError>>,
}

impl JournalHandle {
    /// What anyone may ask.
    #[must_use]
    pub fn durability(&self) -> Durability {
        self.durability.clone()
    }

    /// As [`Durability::durable`].
    #[must_use]
    pub fn durable(&self) -> u64 {
        self.durability.durable()
    }

    /// As [`Durability::stalled`].
    #[must_use]
    pub fn stalled(&self) -> bool {
        self.durability.stalled()
    }

    /// As [`Durability::failed`].
    #[must_use]
    pub fn failed(&self) -> bool {
        self.durability.failed()
    }

    /// Commits what is in the ring, seals the segment and ends the thread. Call it when nobody pushes any
    /// more: what comes later is never durable.
    ///
    /// # Errors
    /// What kept the last entries from being durable. Nothing was promised for them.
    pub fn stop_and_join(self) -> Result<(), DiskError> {
        // ORDERING: Release; pairs with the Acquire in Worker. Carries: the pushes of this thread.
        self.durability.state.stop.store(true, Ordering::Release);
        self.thread.thread().unpark();
        self.thread.join().unwrap_or(Err(DiskError::Limit("the journal thread panicked")))
    }
}

/// Starts the journal thread.
///
/// # Errors
/// The operating system gives no thread.
///
/// # Panics
/// If the ring's first position is not the journal's next sequence: they were put together wrongly.
pub fn spawn<X: Send + 'static>(
    journal: Journal,
    ring: Consumer<Entry<X>>,
    hooks: impl Hooks<X> + 'static,
) -> Result<JournalHandle, DiskError> {
    let worker = Worker::new(journal, ring, hooks, thread::park_timeout);
    let durability = worker.durability();
    let thread = thread::Builder::new().name("journal".into()).spawn(move || worker.run());
    let thread = thread.map_err(DiskError::io("start", "the journal thread"))?;
    Ok(JournalHandle { durability, thread })
}

/// The thread's state. It is driven turn by turn, so that a test or a simulation can be the thread.
pub struct Worker<X, H> {
    journal: Journal,
    ring: Consumer<Entry<X>>,
    hooks: H,
    state: Arc<State>,
    batch: Vec<Committed<X>>,
    /// Popped, but did not fit into the current commit.
    waiting: Option<(u64, Entry<X>)>,
    /// How it waits for a full disk: parks, so that a stop ends the wait.
    pause: fn(Duration),
}

impl<X: Send, H: Hooks<X>> Worker<X, H> {
    /// A thread that does not run yet. `pause` is how it waits for a full disk.
    ///
    /// # Panics
    /// As [`spawn`].
    pub fn new(journal: Journal, ring: Consumer<Entry<X>>, hooks: H, pause: fn(Duration)) -> Self {
        assert_eq!(ring.head(), journal.next_seq(), "the ring must begin at the journal's next sequence");
        let state = Arc::new(State {
            durable: AtomicU64::new(journal.synced_to().0),
            stalled: AtomicBool::new(false),
            failed: AtomicBool::new(false),
            stop: AtomicBool::new(false),
        });
        Self { journal, ring, hooks, state, batch: Vec::new(), waiting: None, pause }
    }

    /// What anyone may ask.
    #[must_use]
    pub fn durability(&self) -> Durability {
        Durability { state: self.state.clone() }
    }

    fn run(mut self) -> Result<(), DiskError> {
        let me: Thread = thread::current();
        // The token of `unpark` is kept if it comes before `park`.
        self.ring.set_waker(move || me.unpark());
        let ended = self.commit_until_stopped().and_then(|()| self.seal());
        if let Err(e) = &ended {
            // ORDERING: Release; pairs with the Acquire in Durability::failed.
            self.state.failed.store(true, Ordering::Release);
            self.hooks.failed(e);
        }
        ended
    }

    fn commit_until_stopped(&mut self) -> Result<(), DiskError> {
        loop {
            // Read before the ring is found empty: pushes made before the stop are then seen.
            let stopping = self.stopping();
            if self.turn()? {
                continue;
            }
            if stopping {
                return Ok(());
            }
            if !self.stopping() {
                thread::park();
            }
        }
    }

    /// One commit of what is in the ring. `false`: there was nothing, and the next push rings the bell.
    ///
    /// # Errors
    /// What ends the thread: nothing will be durable any more.
    pub fn turn(&mut self) -> Result<bool, DiskError> {
        let roll_for = self.gather()?;
        if !self.batch.is_empty() {
            self.hooks.committing();
            self.retrying(Journal::commit)?;
            self.publish();
        }
        if let Some(bytes) = roll_for {
            self.retrying(|journal| journal.roll(bytes))?;
            self.hooks.rolled();
        }
        Ok(self.waiting.is_some() || !self.ring.doze())
    }

    /// Marks a clean stop.
    ///
    /// # Errors
    /// As the disk says.
    pub fn seal(&mut self) -> Result<(), DiskError> {
        self.retrying(Journal::seal)
    }

    fn stopping(&self) -> bool {
        // ORDERING: Acquire; pairs with the Release in stop_and_join.
        self.state.stop.load(Ordering::Acquire)
    }

    /// Stages everything that is in the ring, as far as one commit and the segment hold it. `Some`: roll to a
    /// segment with room for that many bytes first.
    fn gather(&mut self) -> Result<Option<usize>, DiskError> {
        while let Some((position, entry)) = self.waiting.take().or_else(|| self.ring.pop()) {
            match self.journal.stage(&entry.payload)? {
                Staged::Yes => self.batch.push(Committed { seq: Seq(position), entry }),
                full => {
                    let bytes = entry.payload.len();
                    self.waiting = Some((position, entry));
                    return Ok((full == Staged::RollFirst).then_some(bytes));
                }
            }
        }
        Ok(None)
    }

    fn publish(&mut self) {
        let last = self.journal.synced_to().0;
        debug_assert_eq!(self.batch.last().map(|c| c.seq.0), Some(last), "the batch is what was committed");
        // LINEARIZES: the acknowledgement of every entry of the batch.
        // ORDERING: Release; pairs with the Acquire in Durability::durable.
        self.state.durable.store(last, Ordering::Release);
        self.hooks.committed(&mut self.batch);
        self.batch.clear();
        self.ring.release();
    }

    /// Tries until it succeeds or fails for good. While it waits, what is staged stays in memory, and the
    /// ring's budget keeps producers from adding without end.
    fn retrying(
        &mut self,
        mut op: impl FnMut(&mut Journal) -> Result<(), DiskError>,
    ) -> Result<(), DiskError> {
        let mut wait = RETRY_MIN;
        loop {
            match op(&mut self.journal) {
                Ok(()) => {
                    // ORDERING: Relaxed; a hint, written by this thread alone.
                    if self.state.stalled.swap(false, Ordering::Relaxed) {
                        self.hooks.healed();
                    }
                    return Ok(());
                }
                Err(e) if e.heals() && !self.stopping() => {
                    // ORDERING: Relaxed; as above.
                    if !self.state.stalled.swap(true, Ordering::Relaxed) {
                        self.hooks.stalled(&e);
                    }
                    (self.pause)(wait);
                    wait = (wait * 2).min(RETRY_MAX);
                }
                Err(e) => return Err(e),
            }
        }
    }
}
