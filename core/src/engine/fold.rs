//! Images: the durable state after some frame, folded from the image before it and the frames between.
//!
//! What lives here: [`Fold`], which takes frames and then merges what they change into the sorted records of
//! the older image, by the same `evolve` as the live path. The live state is never touched, so a snapshot
//! pauses nobody. Sans-IO: blocks come from and go to closures. [`super::load`] reads an image back.
//!
//! Memory is that of what the frames between two images leave behind, not that of all users: what each frame says
//! happened, and the envelopes that have no end yet. One that was queued and ended between them is forgotten at
//! once. Time is O(image + frames log frames).

use super::frame::{self, Frame, InputHead};
use super::image::{self, Item, Portrait};
use super::step::{Part, Step};
use super::ties::{Fact, Ties};
use super::{Corrupt, Engine, Kind, Link};
use crate::bot::Outgoing;
use crate::envelope::{Conversation, Envelope};
use crate::gate::dedup::Seen;
use crate::id::{ChatId, EnvelopeId, KindIx, LaneIx, PairNo, Seq, UpdateId};
use crate::record::{Malformed, Reader, Record as _};
use core::iter::Peekable;
use std::collections::{BTreeMap, HashMap};
use std::vec::IntoIter;

/// A block is given out once it holds this many bytes. A record adds 21 KiB at most, a state and an envelope
/// being bounded, so a block stays far below what a snapshot allows.
const BLOCK_BYTES: usize = 64 << 10;

/// What an image holds, for the log.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Folded {
    /// Users in it.
    pub users: u64,
    /// Envelopes without an end.
    pub envelopes: u64,
    /// Frames that were folded into it.
    pub frames: u64,
}

/// Frames on their way into an image.
pub struct Fold<'k> {
    kinds: &'k [Kind],
    /// In the order of the frames.
    seen: Vec<(KindIx, LaneIx, UpdateId)>,
    /// The last number that a pair of the kind was given.
    pairs: BTreeMap<KindIx, PairNo>,
    changes: HashMap<Conversation, Changes, foldhash::fast::FixedState>,
    frames: u64,
}

/// What the frames mean for one conversation. Its parts do not touch each other, so only what happened to him and
/// the links of his pair keep their order among themselves.
#[derive(Default)]
struct Changes {
    story: Vec<Change>,
    /// Without an end so far.
    queued: Vec<Envelope>,
    /// Ends of envelopes of the older image.
    ended: Vec<EnvelopeId>,
    /// The last word of each lane.
    reach: Vec<(LaneIx, bool)>,
}

impl Changes {
    fn end(&mut self, id: EnvelopeId) {
        match self.queued.iter().position(|envelope| envelope.id == id) {
            Some(at) => drop(self.queued.remove(at)),
            None => self.ended.push(id),
        }
    }

    fn learn(&mut self, lane: LaneIx, reached: bool) {
        match self.reach.iter_mut().find(|(known, _)| *known == lane) {
            Some((_, word)) => *word = reached,
            None => self.reach.push((lane, reached)),
        }
    }
}

/// One step of a conversation's story.
enum Change {
    /// He did something, or something was done to him.
    Told(Told),
    Linked(Link),
}

struct Told {
    seq: Seq,
    lane: LaneIx,
    chat: ChatId,
    version: u32,
    events: Box<[u8]>,
    /// None in a frame of one user alone.
    facts: Option<Box<[Fact]>>,
}

impl<J> Engine<J> {
    /// A fold by this engine's kinds.
    #[must_use]
    pub fn fold(&self) -> Fold<'_> {
        Fold {
            kinds: &self.kinds,
            seen: Vec::new(),
            pairs: BTreeMap::new(),
            changes: HashMap::default(),
            frames: 0,
        }
    }
}

impl Fold<'_> {
    /// Takes the next frame.
    ///
    /// # Errors
    /// [`Corrupt`] if it cannot be read, or is of a kind that is not configured.
    pub fn frame(&mut self, seq: Seq, payload: &[u8]) -> Result<(), Corrupt> {
        self.frames += 1;
        match frame::decode(payload).map_err(|e| Corrupt::Frame(seq, e))? {
            Frame::Input { head, events, sends } => self.input(seq, &head, events, sends),
            Frame::Step(step) => self.step(seq, step),
            Frame::Ends { ends, reach, links } => {
                for ended in ends {
                    self.of(seq, ended.conversation)?.end(ended.id);
                }
                for fact in reach {
                    let who = Conversation { kind: fact.kind, user: fact.user };
                    self.of(seq, who)?.learn(fact.lane, fact.reached);
                }
                for link in links {
                    self.of(seq, link.conversation)?.story.push(Change::Linked(link));
                }
                Ok(())
            }
        }
    }

    fn of(&mut self, seq: Seq, who: Conversation) -> Result<&mut Changes, Corrupt> {
        if who.kind.index() >= self.kinds.len() {
            return Err(Corrupt::UnknownKind(seq, who.kind));
        }
        Ok(self.changes.entry(who).or_default())
    }

    fn input(
        &mut self,
        seq: Seq,
        head: &InputHead,
        events: &[u8],
        sends: Vec<Outgoing>,
    ) -> Result<(), Corrupt> {
        let (who, lane) = (head.conversation, head.lane);
        let (chat, version, events) = (head.chat, head.version, events.into());
        let told = Told { seq, lane, chat, version, events, facts: None };
        let changes = self.of(seq, who)?;
        changes.story.push(Change::Told(told));
        let envelope = |(index, send)| frame::envelope(head, seq, index, send);
        changes.queued.extend(sends.into_iter().enumerate().map(envelope));
        self.heard(seq, who, lane, head.chat, (head.update, head.blocked))
    }

    fn step(&mut self, seq: Seq, step: Step) -> Result<(), Corrupt> {
        let mut envelopes = step.envelopes();
        super::number(&mut envelopes, seq);
        let mut update = step.update;
        for part in step.parts {
            let Part { conversation: who, lane, chat, version, events, facts, .. } = part;
            for fact in &facts {
                if let Fact::Paired(partner) = fact {
                    let last = self.pairs.entry(who.kind).or_default();
                    *last = partner.pair.max(*last);
                }
            }
            let told = Told { seq, lane, chat, version, events: events.into(), facts: Some(facts.into()) };
            self.of(seq, who)?.story.push(Change::Told(told));
            // The update was the first part's.
            if let Some(update) = update.take() {
                self.heard(seq, who, lane, chat, update)?;
            }
        }
        for envelope in envelopes {
            self.of(seq, envelope.conversation)?.queued.push(envelope);
        }
        Ok(())
    }

    /// An update came through a lane: it was seen, and says whether the lane reaches its user.
    fn heard(
        &mut self,
        seq: Seq,
        who: Conversation,
        lane: LaneIx,
        chat: ChatId,
        (update, blocked): (UpdateId, bool),
    ) -> Result<(), Corrupt> {
        self.seen.push((who.kind, lane, update));
        if chat == who.user.private_chat() {
            self.of(seq, who)?.learn(lane, !blocked);
        }
        Ok(())
    }

    /// Merges what the frames change into the image that `base` reads, block by block, and gives the new one
    /// to `out`. An empty base is the beginning.
    ///
    /// # Errors
    /// What the closures say, and [`Corrupt`] if the frames do not continue the base.
    pub fn merge<E: From<Corrupt>>(
        mut self,
        base: impl FnMut() -> Result<Option<Vec<u8>>, E>,
        out: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<Folded, E> {
        let mut changes: Vec<_> = core::mem::take(&mut self.changes).into_iter().collect();
        changes.sort_unstable_by_key(|(who, _)| *who);
        let mut changes = changes.into_iter().peekable();
        let mut base = Base::new(base);
        let mut out = Out { blocks: out, block: Vec::new(), folded: Folded::default() };
        out.folded.frames = self.frames;

        let mut known = base.next()?;
        self.put_pairs(&base.pairs, &mut out);
        self.put_seen(core::mem::take(&mut base.pages), &mut out)?;
        loop {
            let old = known.as_ref().map(|(who, _)| *who);
            let new = changes.peek().map(|(who, _)| *who);
            let Some(who) = old.into_iter().chain(new).min() else { break };
            let mut portrait = Portrait::default();
            if old == Some(who)
                && let Some((_, before)) = known.take()
            {
                portrait = before;
                known = base.next()?;
                if known.as_ref().is_some_and(|(next, _)| *next <= who) {
                    return Err(Corrupt::Image(Malformed("users out of order")).into());
                }
            }
            if let Some((_, his)) = changes.next_if(|(changed, _)| *changed == who) {
                self.apply(who, &mut portrait, his)?;
            }
            out.put(who, &portrait)?;
        }
        out.give(1)?;
        Ok(out.folded)
    }

    fn apply(&self, who: Conversation, portrait: &mut Portrait, changes: Changes) -> Result<(), Corrupt> {
        for step in changes.story {
            match step {
                Change::Linked(link) => portrait.ties.iter_mut().for_each(|ties| ties.link(&link)),
                Change::Told(told) => self.tell(who, portrait, &told)?,
            }
        }
        changes.ended.into_iter().for_each(|id| portrait.end(id));
        portrait.open.extend(changes.queued);
        changes.reach.into_iter().for_each(|(lane, reached)| portrait.learn(lane, reached));
        Ok(())
    }

    fn tell(&self, who: Conversation, portrait: &mut Portrait, told: &Told) -> Result<(), Corrupt> {
        let bot = self.kinds[who.kind.index()].bot();
        let corrupt = |e| Corrupt::Frame(told.seq, e);
        portrait.state = bot.evolve(&portrait.state, &told.events).map_err(corrupt)?;
        portrait.version += 1;
        if portrait.version != told.version {
            return Err(Corrupt::Version(told.seq, who.user, portrait.version, told.version));
        }
        if told.facts.is_some() {
            portrait.ties.get_or_insert_default();
        }
        if let Some(ties) = &mut portrait.ties {
            ties.writes_on(who, told.chat, told.lane);
            for fact in told.facts.iter().flatten() {
                ties.apply(fact).map_err(corrupt)?;
            }
        }
        Ok(())
    }

    fn put_pairs<W>(&self, before: &BTreeMap<KindIx, PairNo>, out: &mut Out<W>) {
        let mut pairs = self.pairs.clone();
        for (kind, last) in before {
            let known = pairs.entry(*kind).or_default();
            *known = (*known).max(*last);
        }
        for (kind, last) in pairs {
            image::put_pairs(kind, last, &mut out.block);
        }
    }

    fn put_seen<E>(
        &mut self,
        mut pages: BTreeMap<(KindIx, LaneIx), Seen>,
        out: &mut Out<impl FnMut(&[u8]) -> Result<(), E>>,
    ) -> Result<(), E> {
        for (kind, lane, update) in core::mem::take(&mut self.seen) {
            pages.entry((kind, lane)).or_default().insert(update);
        }
        for ((kind, lane), seen) in &pages {
            for page in seen.pages() {
                image::put_page(*kind, *lane, page, &mut out.block);
                out.give(BLOCK_BYTES)?;
            }
        }
        Ok(())
    }
}

/// The older image, read conversation by conversation.
struct Base<B> {
    blocks: B,
    /// The pages met so far: all of them once the first user was met.
    pages: BTreeMap<(KindIx, LaneIx), Seen>,
    /// As the pages.
    pairs: BTreeMap<KindIx, PairNo>,
    /// Of the block that is being read.
    parts: Peekable<IntoIter<Piece>>,
}

/// A record of the old image, owned.
enum Piece {
    User(Conversation, Box<Portrait>),
    Envelope(Envelope),
}

impl<E: From<Corrupt>, B: FnMut() -> Result<Option<Vec<u8>>, E>> Base<B> {
    fn new(blocks: B) -> Self {
        Self {
            blocks,
            pages: BTreeMap::new(),
            pairs: BTreeMap::new(),
            parts: Vec::new().into_iter().peekable(),
        }
    }

    /// The next conversation, and what is known of it.
    fn next(&mut self) -> Result<Option<(Conversation, Portrait)>, E> {
        self.fill()?;
        let (who, mut portrait) = match self.parts.next() {
            None => return Ok(None),
            Some(Piece::User(who, portrait)) => (who, *portrait),
            Some(Piece::Envelope(_)) => {
                return Err(Corrupt::Image(Malformed("an envelope without its user")).into());
            }
        };
        loop {
            self.fill()?;
            let his = |part: &Piece| matches!(part, Piece::Envelope(e) if e.conversation == who);
            match self.parts.next_if(his) {
                Some(Piece::Envelope(envelope)) => portrait.open.push(envelope),
                _ => return Ok(Some((who, portrait))),
            }
        }
    }

    /// Reads blocks until there is a part, or the image ends.
    fn fill(&mut self) -> Result<(), E> {
        while self.parts.peek().is_none() {
            let Some(block) = (self.blocks)()? else { return Ok(()) };
            self.parts = self.read(&block).map_err(Corrupt::Image)?.into_iter().peekable();
        }
        Ok(())
    }

    fn read(&mut self, block: &[u8]) -> Result<Vec<Piece>, Malformed> {
        let (mut r, mut parts) = (Reader::new(block), Vec::new());
        while !r.is_empty() {
            parts.push(match image::item(&mut r)? {
                Item::Page { kind, lane, number, bits } => {
                    self.pages.entry((kind, lane)).or_default().restore(number, bits);
                    continue;
                }
                Item::Pairs { kind, last } => {
                    self.pairs.insert(kind, last);
                    continue;
                }
                Item::User { who, version, state, ties, reach } => {
                    let ties = if ties.is_empty() { None } else { Some(Ties::from_bytes(ties)?) };
                    let (state, open) = (state.into(), Vec::new());
                    Piece::User(who, Box::new(Portrait { version, state, ties, open, reach }))
                }
                Item::Envelope(envelope) => Piece::Envelope(envelope),
            });
        }
        Ok(parts)
    }
}

/// The new image on its way out.
struct Out<W> {
    blocks: W,
    block: Vec<u8>,
    folded: Folded,
}

impl<E, W: FnMut(&[u8]) -> Result<(), E>> Out<W> {
    fn put(&mut self, who: Conversation, portrait: &Portrait) -> Result<(), E> {
        self.folded.users += 1;
        image::put_user(who, portrait, &mut self.block);
        self.give(BLOCK_BYTES)?;
        for open in &portrait.open {
            self.folded.envelopes += 1;
            image::put_envelope(open, &mut self.block);
            self.give(BLOCK_BYTES)?;
        }
        Ok(())
    }

    /// Gives the block out if it has grown to `bytes`.
    fn give(&mut self, bytes: usize) -> Result<(), E> {
        if self.block.len() >= bytes {
            (self.blocks)(&self.block)?;
            self.block.clear();
        }
        Ok(())
    }
}
