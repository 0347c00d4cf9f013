//! Records for people: from frames and images to the rows of [`crate::bot::records::TABLES`].
//!
//! What lives here: [`Recorder`], which reads the frames that the engine wrote and says what they mean in rows.
//! It needs no engine: what a kind tells is told by its type. Sans-IO and without memory of its own: whoever calls
//! it keeps each user's [`Known`] (his state and its version), brings it when a frame changes him, and stores what
//! comes back together with the rows. A frame that is given twice is noticed by the version and does nothing, one
//! that was left out is [`Applied::Missing`]: so a database can fall behind, repeat and catch up.

use super::Corrupt;
use super::frame::{self, Frame};
use super::image::{self, Item};
use super::step::{Part, Step};
use super::ties::Ties;
use crate::bot::records::{AUDIT, Cell, Row, USERS};
use crate::bot::{Bot, Moment};
use crate::envelope::Conversation;
use crate::id::{BotId, LaneIx, Seq, UserId};
use crate::record::{Malformed, Reader, Record};
use crate::time::UnixMillis;
use core::marker::PhantomData;

/// One kind of bot, as its records need it.
pub struct Recorded {
    name: Box<str>,
    bots: Box<[BotId]>,
    tell: Box<dyn Tell>,
}

impl Recorded {
    /// The kind `B`, under this name, with the bots of its lanes in their order.
    #[must_use]
    pub fn new<B: Bot>(name: &str, bots: Vec<BotId>) -> Self {
        Self { name: name.into(), bots: bots.into(), tell: Box::new(Of::<B>(PhantomData)) }
    }
}

/// What is known of one user: his state as of a version.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Known {
    /// How many frames changed it.
    pub version: u32,
    /// The kind's own encoding; empty before the first.
    pub state: Box<[u8]>,
}

/// What one frame changes for one user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Whom.
    pub who: Conversation,
    seq: Seq,
    /// Its place among the changes of its frame.
    place: u8,
    at: UnixMillis,
    lane: LaneIx,
    version: u32,
    events: Box<[u8]>,
    /// It was an update of his; and whether it says that he blocked the bot.
    update: Option<bool>,
}

impl Change {
    /// When it happened.
    #[must_use]
    pub const fn at(&self) -> UnixMillis {
        self.at
    }
}

/// What became of a change.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Applied {
    /// It is in what is known, and its rows were given.
    Now,
    /// It was before; nothing is to be done.
    Before,
    /// Frames before it are missing: what is known must be made anew from an image.
    Missing,
}

/// Reads frames for people.
pub struct Recorder {
    kinds: Box<[Recorded]>,
}

impl Recorder {
    /// Of these kinds, in the order of the configuration.
    #[must_use]
    pub fn new(kinds: Vec<Recorded>) -> Self {
        Self { kinds: kinds.into() }
    }

    /// The name of each kind, by its place.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.iter().map(|kind| &*kind.name)
    }

    /// Whom a frame changes, in order. Ends of sends change nobody.
    ///
    /// # Errors
    /// [`Corrupt`] if it cannot be read, or is of a kind that is not configured.
    pub fn changes(&self, seq: Seq, payload: &[u8], out: &mut Vec<Change>) -> Result<(), Corrupt> {
        let before = out.len();
        match frame::decode(payload).map_err(|e| Corrupt::Frame(seq, e))? {
            Frame::Ends { .. } => {}
            Frame::Input { head, events, .. } => out.push(Change {
                who: head.conversation,
                seq,
                place: 0,
                at: head.at,
                lane: head.lane,
                version: head.version,
                events: events.into(),
                update: Some(head.blocked),
            }),
            Frame::Step(Step { at, update, parts }) => {
                let mut update = update.map(|(_, blocked)| blocked);
                for (place, part) in (0..).zip(parts) {
                    let Part { conversation: who, lane, version, events, .. } = part;
                    // The update was the first part's.
                    let update = update.take();
                    out.push(Change { who, seq, place, at, lane, version, events: events.into(), update });
                }
            }
        }
        match out[before..].iter().find(|change| self.kinds.len() <= change.who.kind.index()) {
            Some(change) => Err(Corrupt::UnknownKind(seq, change.who.kind)),
            None => Ok(()),
        }
    }

    /// Applies a change to what is known of its user and appends its rows.
    ///
    /// # Errors
    /// [`Corrupt`] if the state or the events cannot be read.
    pub fn apply(&self, change: &Change, known: &mut Known, out: &mut Vec<Row>) -> Result<Applied, Corrupt> {
        if change.version <= known.version {
            return Ok(Applied::Before);
        }
        if change.version != known.version + 1 {
            return Ok(Applied::Missing);
        }
        let kind = &self.kinds[change.who.kind.index()];
        let (mut rows, mut row) = (Vec::new(), Row::of(&USERS));
        known.state = kind
            .tell
            .change(change.who.user, &known.state, &change.events, change.at, (&mut row, &mut rows))
            .map_err(|e| Corrupt::Frame(change.seq, e))?;
        known.version = change.version;
        if let Some(blocked) = change.update {
            row.set("blocked", blocked);
            row.set("last_seen", change.at);
        }
        row.set("first_seen", (change.version == 1).then_some(change.at));
        let mut nth = u64::from(change.place) << 8;
        let people = Some(row).filter(|_| change.who.user.is_person());
        for mut row in people.into_iter().chain(rows) {
            self.sign(change.who, Some(change.lane), &mut row);
            if row.table == &AUDIT {
                row.set("at", change.at);
                row.set("frame", change.seq.0);
                row.set("nth", nth);
                nth += 1;
            }
            out.push(row);
        }
        Ok(Applied::Now)
    }

    /// Everybody in a block of an image: what is to be known of him, with the rows that his state alone gives.
    ///
    /// # Errors
    /// [`Corrupt`] if it is none, or of a kind that is not configured.
    pub fn image(
        &self,
        block: &[u8],
        mut each: impl FnMut(Conversation, Known, Vec<Row>),
    ) -> Result<(), Corrupt> {
        let mut r = Reader::new(block);
        while !r.is_empty() {
            let Item::User { who, version, state, ties, .. } = image::item(&mut r).map_err(Corrupt::Image)?
            else {
                continue;
            };
            if !who.user.is_person() {
                each(who, Known { version, state: state.into() }, Vec::new());
                continue;
            }
            let kind = self.kinds.get(who.kind.index()).ok_or(Corrupt::ImageKind(who.kind))?;
            let lane = match ties {
                [] => None,
                ties => Some(Ties::from_bytes(ties).map_err(Corrupt::Image)?.lane),
            };
            let mut rows = vec![Row::of(&USERS)];
            let mut more = Vec::new();
            kind.tell.picture(who.user, state, (&mut rows[0], &mut more)).map_err(Corrupt::Image)?;
            rows.append(&mut more);
            rows.iter_mut().for_each(|row| self.sign(who, lane, row));
            each(who, Known { version, state: state.into() }, rows);
        }
        Ok(())
    }

    /// Fills in whose row it is, unless the kind said so.
    fn sign(&self, who: Conversation, lane: Option<LaneIx>, row: &mut Row) {
        let kind = &self.kinds[who.kind.index()];
        row.set("kind", &*kind.name);
        match row.get("user_id") {
            Cell::Null => row.set("user_id", who.user),
            named if *named == Cell::from(who.user) => {}
            // About somebody else: by which bot that one is reached is not known here.
            _ => return,
        }
        // A lane that is no longer configured has no bot that could be named.
        row.set("bot_id", lane.and_then(|lane| kind.bots.get(lane.index())).map(|bot| bot.0));
    }
}

/// A fingerprint of a frame's payload: two histories that part after a restored backup differ in it, but for a
/// chance of 2^-32.
#[must_use]
pub fn fingerprint(payload: &[u8]) -> u32 {
    crc32c::crc32c(payload)
}

/// When a frame was written; none for one that does not say (ends of sends), or that is none.
#[must_use]
pub fn written_at(payload: &[u8]) -> Option<UnixMillis> {
    match frame::decode(payload) {
        Ok(Frame::Input { head, .. }) => Some(head.at),
        Ok(Frame::Step(step)) => Some(step.at),
        Ok(Frame::Ends { .. }) | Err(_) => None,
    }
}

/// A kind without its types.
trait Tell: Send + Sync {
    fn change(
        &self,
        whose: UserId,
        state: &[u8],
        events: &[u8],
        at: UnixMillis,
        rows: (&mut Row, &mut Vec<Row>),
    ) -> Result<Box<[u8]>, Malformed>;

    fn picture(&self, whose: UserId, state: &[u8], rows: (&mut Row, &mut Vec<Row>)) -> Result<(), Malformed>;
}

struct Of<B>(PhantomData<fn() -> B>);

impl<B: Bot> Tell for Of<B> {
    fn change(
        &self,
        whose: UserId,
        state: &[u8],
        events: &[u8],
        at: UnixMillis,
        rows: (&mut Row, &mut Vec<Row>),
    ) -> Result<Box<[u8]>, Malformed> {
        let (portrait, out) = rows;
        let mut after = read::<B>(state)?;
        let mut r = Reader::new(events);
        for _ in 0..r.varint()? {
            let event = B::Event::decode(&mut r)?;
            let before = after.clone();
            B::evolve(&mut after, &event);
            B::noted(&Moment { at, user: whose, before: &before, event: &event, after: &after }, out);
        }
        if !r.is_empty() {
            return Err(Malformed("trailing bytes in events"));
        }
        B::portrait(&after, portrait);
        let mut bytes = Vec::with_capacity(32);
        after.encode(&mut bytes);
        Ok(bytes.into())
    }

    fn picture(&self, whose: UserId, state: &[u8], rows: (&mut Row, &mut Vec<Row>)) -> Result<(), Malformed> {
        let state = read::<B>(state)?;
        B::portrait(&state, rows.0);
        B::remembered(whose, &state, rows.1);
        Ok(())
    }
}

fn read<B: Bot>(state: &[u8]) -> Result<B::State, Malformed> {
    if state.is_empty() { Ok(B::State::default()) } else { B::State::from_bytes(state) }
}
