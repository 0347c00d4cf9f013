//! One life of the process: the real recovery, engine, ring, journal writer, follower and pacer, driven by
//! hand on virtual time. What is simulated is what lies around: threads, sockets, the disk.

use crate::bot::Counter;
use nobat::disk::sim::SimDisk;
use nobat::disk::{Committed, DiskError, Durability, Entry, Hooks, Options, Worker, follow, snapshot};
use nobat::recovery::{self, Recovery, RecoveryError};
use nobat_core::bot::Input;
use nobat_core::engine::{self, Busy, Ended, Engine, Inbound, Journal, Kind, Rank};
use nobat_core::envelope::{Conversation, Envelope, Verdict};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{EnvelopeId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::pacer::{Dispatch, Fate, Pacer, PacerConfig, Parcel};
use nobat_core::sync::ring::{Producer, Reservation, ring};
use nobat_core::time::{Nanos, Now, UnixMillis};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Lanes of the simulated bot.
const LANES: u16 = 3;

/// Sizes that make segments roll and snapshots fall due many times a day.
const SEGMENT_BYTES: u64 = 12 << 10;

type Extra = Vec<Envelope>;

struct SimJournal(Producer<Entry<Extra>>);

impl Journal for SimJournal {
    type Room<'a> = Reservation<'a, Entry<Extra>>;
    fn reserve(&self, bytes: usize, _: Rank) -> Option<Self::Room<'_>> {
        self.0.try_reserve(bytes as u64)
    }
    fn push(&self, mut room: Self::Room<'_>, entry: engine::Entry) -> Seq {
        room.shrink_to(entry.payload.len() as u64);
        Seq(self.0.push(room, Entry { payload: entry.payload, extra: entry.envelopes }))
    }
    fn tail(&self) -> Seq {
        Seq(self.0.tail() - 1)
    }
}

#[derive(Default)]
struct Post {
    committed: Vec<Committed<Extra>>,
    rolled: bool,
}

struct Postman(Arc<Mutex<Post>>);

impl Hooks<Extra> for Postman {
    fn committed(&mut self, batch: &mut Vec<Committed<Extra>>) {
        self.0.lock().expect("no panic").committed.append(batch);
    }
    fn rolled(&mut self) {
        self.0.lock().expect("no panic").rolled = true;
    }
    fn stalled(&mut self, _: &DiskError) {}
    fn healed(&mut self) {}
    fn failed(&mut self, _: &DiskError) {}
}

/// A server that is up.
pub(crate) struct Server {
    engine: Engine<SimJournal>,
    worker: Worker<Extra, Postman>,
    durability: Durability,
    post: Arc<Mutex<Post>>,
    pub(crate) pacer: Pacer<u32>,
    stored: BTreeMap<u32, Envelope>,
    next_handle: u32,
    ends: Vec<Ended>,
    /// A segment was sealed: the follower looks soon.
    pub(crate) rolled: bool,
}

/// The process is dead, or must not serve.
pub(crate) enum Down {
    /// Killed, or its disk failed.
    Killed,
    /// What was promised cannot be brought back.
    Broken(String),
}

impl From<RecoveryError> for Down {
    fn from(error: RecoveryError) -> Self {
        match error {
            RecoveryError::Disk(DiskError::Io { .. } | DiskError::Sync { .. }) => Self::Killed,
            other => Self::Broken(other.to_string()),
        }
    }
}

fn kinds() -> Vec<Kind> {
    vec![Kind::new(Counter, LANES, Rate::new(256, Duration::from_secs(1)))]
}

impl Server {
    /// Brings back what the disk holds.
    pub(crate) fn start(disk: &SimDisk, now: Now, seed: u64) -> Result<Self, Down> {
        let options = Options { segment_bytes: SEGMENT_BYTES, spare_ahead: false, ..Options::new("") };
        let dir = Arc::new(disk.clone());
        let Recovery { journal, engine, mut recovered, loaded } =
            recovery::recover(dir, &options, seed, None, Engine::new(kinds(), seed))?;
        let spent = recovered.frames > 0 || loaded.header.is_some();
        let (producer, consumer) = ring(1024, 16 << 20, journal.next_seq());
        let post = Arc::default();
        let worker = Worker::new(journal, consumer, Postman(Arc::clone(&post)), |_| {});
        let durability = worker.durability();
        let config = PacerConfig { spent, ..PacerConfig::default() };
        let mut server = Self {
            engine: engine.attach(SimJournal(producer)),
            worker,
            durability,
            post,
            pacer: Pacer::new(config, LANES, now.mono, seed),
            stored: BTreeMap::new(),
            next_handle: 0,
            ends: Vec::new(),
            rolled: true,
        };
        for envelope in recovered.take_pending() {
            server.enqueue(now, envelope);
        }
        Ok(server)
    }

    /// Decides one update; the frame that must be durable before its 200.
    pub(crate) fn update(&self, now: Now, id: i64, user: u64, text: &str) -> Result<Seq, Busy> {
        let input = Input::Text { text: text.into(), message: MessageId(id), reply_to: None };
        let inbound = Inbound {
            kind: KindIx(0),
            lane: LaneIx(0),
            update: UpdateId(id),
            user: UserId(user),
            chat: UserId(user).private_chat(),
            language: "ar",
            input,
        };
        self.engine.handle_update(now, &inbound).map(|admitted| admitted.after)
    }

    pub(crate) fn covers(&self, seq: Seq) -> bool {
        self.durability.durable() >= seq.0
    }

    /// One turn of the journal thread, and what it hands on. Whether there is more.
    pub(crate) fn commit(&mut self, now: Now) -> Result<bool, Down> {
        let more = self.worker.turn().map_err(|_| Down::Killed)?;
        let post = std::mem::take(&mut *self.post.lock().expect("no panic"));
        self.rolled |= post.rolled;
        for Committed { seq, entry } in post.committed {
            for (index, mut envelope) in entry.extra.into_iter().enumerate() {
                envelope.id = EnvelopeId::new(seq, index as u8);
                self.enqueue(now, envelope);
            }
        }
        Ok(more)
    }

    fn enqueue(&mut self, now: Now, envelope: Envelope) {
        let handle = self.next_handle;
        self.next_handle += 1;
        let Envelope { id, conversation, chat, arrived_on, route, class, place, .. } = envelope;
        let more = self.engine.messages(&envelope) - 1;
        self.stored.insert(handle, envelope);
        let deadline = None;
        let parcel =
            Parcel { handle, id, conversation, chat, arrived_on, route, class, place, more, deadline };
        self.pacer.enqueue(now.mono, parcel).expect("room for a day");
    }

    /// What leaves now.
    pub(crate) fn dispatch(&mut self, now: Now) -> Option<(Dispatch<u32>, Envelope)> {
        let dispatch = self.pacer.poll_dispatch(now.mono)?;
        assert_eq!(self.pacer.poll_dropped(), None, "nothing is dropped in this day");
        self.engine.dispatching(dispatch.conversation, dispatch.id);
        Some((dispatch, self.stored[&dispatch.handle].clone()))
    }

    /// The platform's word. Whether there is an end to journal.
    pub(crate) fn verdict(&mut self, now: Now, dispatch: &Dispatch<u32>, verdict: &Verdict) -> bool {
        let outcome =
            self.pacer.handle_verdict(now.mono, dispatch.flight, verdict, Duration::from_millis(50));
        if let Fate::Done { handle, id, end } = outcome.fate {
            self.stored.remove(&handle);
            let Dispatch { conversation: Conversation { kind, user }, .. } = *dispatch;
            self.ends.push(Ended { conversation: Conversation { kind, user }, id, end });
        }
        !self.ends.is_empty()
    }

    /// Journals the ends that gathered.
    pub(crate) fn settle(&mut self) {
        if !self.ends.is_empty() && self.engine.settle(&self.ends, &[]).is_ok() {
            self.ends.clear();
        }
    }

    /// The follower's look.
    pub(crate) fn follow(&mut self, disk: &SimDisk, now: UnixMillis) -> Result<u64, Down> {
        self.rolled = false;
        let due = follow::due(disk).map_err(RecoveryError::from)?;
        let Some(due) = due.filter(|due| due.bytes >= SEGMENT_BYTES) else { return Ok(0) };
        recovery::snapshot(disk, &self.engine, &due, now, &mut |_| Ok(()))?;
        snapshot::prune(disk).map_err(RecoveryError::from)?;
        Ok(1)
    }
}

/// Both clocks at a virtual instant.
pub(crate) fn clocks(at: u64) -> Now {
    Now { mono: Nanos(at), wall: UnixMillis(1_800_000_000_000 + at / 1_000_000) }
}
