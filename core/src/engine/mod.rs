//! The engine: runs every input to completion and says what must be durable before it is answered.
//!
//! What lives here: [`Engine`], shared by the intake threads and the outbound thread. An input of a user
//! locks that user's cell, passes the gate, is decided by the bot, evolves the state, and is pushed into
//! the journal *while the cell is locked*: ring order is causal order, and every durable prefix of the
//! journal is a legal state. Nothing another thread may act upon exists before its frame has a place in
//! the journal.
//!
//! Below it: `admit` (what is said at the door), `kind`, `turn`, `take` and `decide` (the way of an input), `wants`
//! and `settle` (how people are brought together), `ties` (what is kept of that), `parts` and `step` (its frame),
//! `alarms`, `recovery` and `resume`; `image`, `fold` and `load` (snapshots); `records` (what people may read of
//! the frames).
//!
//! Who calls it: webhook ([`Engine::handle_update`]), a timer ([`Engine::wake`]) and outbound
//! ([`Engine::dispatching`], [`Engine::requeued`], [`Engine::settle`], [`Engine::render`]) in the shell;
//! recovery ([`Engine::replay`], then [`Engine::resume`]) before them. It must not name a bot kind, and it
//! never waits: admission is decided once, before `decide`; after that nothing inside refuses or blocks.

mod admit;
mod alarms;
mod cell;
mod census;
mod decide;
mod erased;
mod fold;
mod frame;
mod image;
mod kind;
mod links;
mod load;
mod pairs;
mod parts;
pub mod records;
mod recovery;
mod resume;
mod seats;
mod send;
mod settle;
mod step;
mod take;
#[cfg(test)]
mod tests;
mod threads;
mod ties;
mod turn;
mod wants;

pub use admit::{Admitted, AdmittedAs, Busy, Inbound};
pub use fold::{Fold, Folded};
pub use frame::{Ended, ReachFact};
pub use kind::Kind;
pub use links::Link;
pub use load::{Counts, count};
pub use recovery::Recovered;

use crate::bot::{Call, RenderView, Unrenderable};
use crate::envelope::{Conversation, Envelope, Payload};
use crate::id::{EnvelopeId, KindIx, Seq, UserId};
use crate::limits::PENDING_ENVELOPES_MAX;
use cell::{Cells, Open};
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};
use pairs::Pairs;
use take::RELEASE;

/// Where frames go. In process it is the journal ring; a cluster would put a stream behind it.
pub trait Journal: Send + Sync {
    /// Room for one frame; given back if it is dropped unused.
    type Room<'a>
    where
        Self: 'a;

    /// Reserves room for one frame of at most `bytes`; `None` when the disk is behind or full, for
    /// [`Rank::Ordinary`] ones earlier than for protected ones.
    fn reserve(&self, bytes: usize, rank: Rank) -> Option<Self::Room<'_>>;

    /// Gives the frame its place. Never blocks or fails: the room was reserved.
    fn push(&self, room: Self::Room<'_>, entry: Entry) -> Seq;

    /// The last place given. What is waiting for it waits for everything before it.
    fn tail(&self) -> Seq;
}

/// Who is put off first when the disk or the platform is behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rank {
    /// What a user writes: the platform keeps it and delivers it again.
    Ordinary,
    /// Payments, which have 10 s, and what makes room: how sends ended.
    Protected,
}

/// One frame on its way to the disk.
#[derive(Debug)]
pub struct Entry {
    /// What is written.
    pub payload: Vec<u8>,
    /// What is handed to the outbound thread once it is durable. Their ids lack the sequence, which only
    /// the ring can give: see [`Entry::number`].
    pub envelopes: Vec<Envelope>,
    /// What the outbound thread learns from this input.
    pub reach: Option<ReachFact>,
}

impl Entry {
    /// Numbers the envelopes after the ring gave the frame its place.
    pub fn number(&mut self, seq: Seq) {
        number(&mut self.envelopes, seq);
    }
}

/// Gives envelopes the sequence of their frame. Their place in it is the engine's, and stays.
pub fn number(envelopes: &mut [Envelope], seq: Seq) {
    for envelope in envelopes {
        envelope.id = EnvelopeId::new(seq, envelope.id.index());
    }
}

/// A state or frame that cannot be read: the journal was written by a newer version, or memory is broken.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Corrupt {
    /// The payload of a frame.
    #[error("frame {0}: {1}")]
    Frame(Seq, crate::record::Malformed),
    /// A record of an image.
    #[error("the snapshot: {0}")]
    Image(crate::record::Malformed),
    /// A user of a kind that the configuration does not have.
    #[error(
        "the snapshot holds users of bot kind {0}, which is not configured: restore its section or start with an empty data directory"
    )]
    ImageKind(KindIx),
    /// A frame of a kind that the configuration does not have.
    #[error(
        "frame {0} belongs to bot kind {1}, which is not configured: restore its section or start with an empty data directory"
    )]
    UnknownKind(Seq, KindIx),
    /// A state that does not have the version its frame says: events were lost or repeated.
    #[error("frame {0}: user {1} is at version {2} after it, the frame says {3}")]
    Version(Seq, UserId, u32, u32),
    /// A pair of which only one knows: half of a frame was lost.
    #[error("users {0} and {1} are not in one pair, though {0} says so")]
    Pair(UserId, UserId),
}

/// Every decision about users, shared between threads.
pub struct Engine<J> {
    kinds: Box<[Kind]>,
    cells: Cells,
    journal: J,
    pending: AtomicU64,
    pending_max: usize,
    #[cfg(shuttle)]
    plant: Plant,
}

/// Bugs that storms must find.
#[cfg(shuttle)]
#[derive(Clone, Copy, Default)]
struct Plant {
    /// A pair's frame is pushed when its users are locked no more.
    push_after_unlock: bool,
    /// Only the one who settles learns of his pair.
    one_side: bool,
}

/// No journal yet: an engine that can only replay.
#[derive(Clone, Copy, Debug)]
pub struct Detached;

impl Engine<Detached> {
    /// An engine over these kinds; `seed` is for the hasher of its user table. It replays what the journal
    /// holds, then [`Engine::attach`]es to it.
    #[must_use]
    pub fn new(kinds: Vec<Kind>, seed: u64) -> Self {
        Self {
            kinds: kinds.into(),
            cells: Cells::new(seed),
            journal: Detached,
            pending: AtomicU64::new(0),
            pending_max: PENDING_ENVELOPES_MAX,
            #[cfg(shuttle)]
            plant: Plant::default(),
        }
    }

    /// The same with a lower bound on envelopes without an end, at most [`PENDING_ENVELOPES_MAX`]: at it
    /// [`Engine::handle_update`] says [`Busy::Pending`]. What is recovered beyond it is kept.
    #[must_use]
    pub fn with_pending_max(self, most: usize) -> Self {
        Self { pending_max: most.min(PENDING_ENVELOPES_MAX), ..self }
    }

    /// From here on frames go to `journal`, which continues where replay ended.
    #[must_use]
    pub fn attach<J: Journal>(self, journal: J) -> Engine<J> {
        let Self { kinds, cells, pending, pending_max, .. } = self;
        Engine {
            kinds,
            cells,
            journal,
            pending,
            pending_max,
            #[cfg(shuttle)]
            plant: Plant::default(),
        }
    }
}

impl<J: Journal> Engine<J> {
    /// Renders a payload of `kind` at the moment of sending.
    ///
    /// # Errors
    /// [`Unrenderable`] if the kind cannot say it any more.
    pub fn render(&self, kind: KindIx, view: &RenderView, payload: &Payload) -> Result<Call, Unrenderable> {
        if payload.template == RELEASE {
            let id =
                core::str::from_utf8(&payload.args).map_err(|_| Unrenderable("a press without an id"))?;
            return Ok(Call::AnswerCallback { id: id.to_owned(), text: String::new(), alert: false });
        }
        let refers = self.refers(Conversation { kind, user: view.user }, payload);
        self.kinds[kind.index()].bot().render(&RenderView { refers, ..*view }, payload)
    }

    /// The outbound thread is about to write this envelope: from here on a repeat of its question is a
    /// new question, because the platform may accept this answer before the repeat is delivered.
    pub fn dispatching(&self, conversation: Conversation, id: EnvelopeId) {
        self.mark(conversation, id, true);
    }

    /// The envelope was certainly not accepted and waits again.
    pub fn requeued(&self, conversation: Conversation, id: EnvelopeId) {
        self.mark(conversation, id, false);
    }

    /// Journals how envelopes ended and what was learned about reach.
    ///
    /// # Errors
    /// [`Busy::Journal`] if the ring is full: nothing was changed, try again after the next commit.
    pub fn settle(&self, ends: &[Ended], reach: &[ReachFact]) -> Result<Seq, Busy> {
        self.settle_linked(ends, reach, &[])
    }

    /// The same, with the numbers of messages that were passed on.
    ///
    /// # Errors
    /// As [`Engine::settle`].
    pub fn settle_linked(&self, ends: &[Ended], reach: &[ReachFact], links: &[Link]) -> Result<Seq, Busy> {
        let mut payload = Vec::with_capacity(16 + 20 * (ends.len() + reach.len() + links.len()));
        frame::encode_ends(ends, reach, links, &mut payload);
        let room = self.journal.reserve(payload.len(), Rank::Protected).ok_or(Busy::Journal)?;
        let seq = self.journal.push(room, Entry { payload, envelopes: Vec::new(), reach: None });
        for ended in ends {
            self.close(ended);
        }
        self.learn_links(links);
        Ok(seq)
    }

    /// Opens or shuts a kind's release gate.
    pub fn set_released(&self, kind: KindIx, released: bool) {
        self.kinds[kind.index()].released.store(released, Relaxed);
    }

    /// Tells the engine how many messages of a kind left in the last second.
    pub fn set_send_rate(&self, kind: KindIx, per_s: u32) {
        self.kinds[kind.index()].load.per_s.store(per_s.max(1), Relaxed);
    }

    /// The journal this engine writes to.
    pub const fn journal(&self) -> &J {
        &self.journal
    }

    fn mark(&self, conversation: Conversation, id: EnvelopeId, in_flight: bool) {
        let cell = self.cells.of(conversation);
        if let Some(open) = cell.lock().open.iter_mut().find(|o| o.id == id) {
            open.in_flight = in_flight;
        }
    }
}

impl<J> Engine<J> {
    /// Envelopes without an end.
    pub fn pending(&self) -> u64 {
        self.pending.load(Relaxed)
    }

    /// Blocks that were refused since the start, because a kind's table of them is full
    /// ([`crate::matchmaker::Size::blocks`]): the two may meet again. Not one should be.
    pub fn blocks_refused(&self) -> u64 {
        self.kinds.iter().filter_map(|kind| kind.pairs.as_ref()).map(Pairs::blocks_refused).sum()
    }

    /// Users of whom something is kept.
    pub fn users(&self) -> usize {
        self.cells.len()
    }

    fn close(&self, ended: &Ended) {
        if ended.id.index() >= step::RELAYED {
            // One user's word to another lies in no cell, so its end is counted as it comes: once.
            let counted = self.pending.fetch_update(Relaxed, Relaxed, |pending| pending.checked_sub(1));
            debug_assert!(counted.is_ok(), "more envelopes end than were queued");
            return;
        }
        let cell = self.cells.of(ended.conversation);
        let mut cell = cell.lock();
        if let Some(at) = cell.open.iter().position(|o| o.id == ended.id) {
            let open = cell.open.remove(at);
            self.pending.fetch_sub(1, Relaxed);
            if open.stamp != 0 {
                self.kinds[ended.conversation.kind.index()].load.ended.fetch_add(1, Relaxed);
            }
        }
    }
}
