//! The durable state as a stream of records: what a snapshot's blocks hold.
//!
//! What lives here: [`Item`], one record, with its total decoder, and [`Portrait`], what is durable of one
//! conversation. [`super::fold`] makes images of frames, [`super::load`] reads them at start.
//! Drawn byte by byte in `docs/format.md`.
//!
//! ```text
//! image = { pairs }, { page of seen ids } by kind, lane and age, { user { envelope } } by kind and user
//! ```

use super::send::{addressed, conversation, outgoing, put_conversation, put_outgoing};
use super::ties::Ties;
use crate::bot::Outgoing;
use crate::envelope::{Conversation, Envelope, Route};
use crate::gate::dedup::PAGE_BYTES;
use crate::id::{ChatId, EnvelopeId, KindIx, LaneIx, PairNo};
use crate::record::{Malformed, Reader, Record as _, Write};

const PAGE: u8 = 1;
const USER: u8 = 2;
const ENVELOPE: u8 = 3;
const PAIRS: u8 = 4;

/// One record of an image. Each says of itself whose it is, so a block can be read without the one before.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Item<'a> {
    /// A page of update ids that were seen; of one lane the least recently used first.
    Page { kind: KindIx, lane: LaneIx, number: i64, bits: &'a [u8; PAGE_BYTES] },
    /// The last number that a pair of the kind was given.
    Pairs { kind: KindIx, last: PairNo },
    /// A user's state, without his envelopes. `ties` are empty for who has none.
    User { who: Conversation, version: u32, state: &'a [u8], ties: &'a [u8], reach: Vec<(LaneIx, bool)> },
    /// An envelope without an end.
    Envelope(Envelope),
}

/// What is durable of one conversation.
#[derive(Default)]
pub(super) struct Portrait {
    pub version: u32,
    pub state: Box<[u8]>,
    pub ties: Option<Ties>,
    /// Envelopes without an end, in the order of their frames; those that others sent him included.
    pub open: Vec<Envelope>,
    /// By lane: whether its bot reaches him.
    pub reach: Vec<(LaneIx, bool)>,
}

impl Portrait {
    /// The last word on whether a lane reaches him.
    pub(super) fn learn(&mut self, lane: LaneIx, reached: bool) {
        match self.reach.binary_search_by_key(&lane, |known| known.0) {
            Ok(at) => self.reach[at].1 = reached,
            Err(at) => self.reach.insert(at, (lane, reached)),
        }
    }

    pub(super) fn end(&mut self, id: EnvelopeId) {
        self.open.retain(|open| open.id != id);
    }
}

/// Writes what is durable of a user but his envelopes, which follow by [`put_envelope`].
pub(super) fn put_user(who: Conversation, portrait: &Portrait, out: &mut Vec<u8>) {
    out.put_u8(USER);
    put_conversation(who, out);
    out.put_u32(portrait.version);
    out.put_bytes(&portrait.state);
    let mut ties = Vec::new();
    if let Some(known) = &portrait.ties {
        known.encode(&mut ties);
    }
    out.put_bytes(&ties);
    out.put_varint(portrait.reach.len() as u64);
    for (lane, reached) in &portrait.reach {
        out.put_u16(lane.0);
        out.put_u8(u8::from(*reached));
    }
}

/// Writes an envelope without an end.
pub(super) fn put_envelope(open: &Envelope, out: &mut Vec<u8>) {
    out.put_u8(ENVELOPE);
    put_conversation(open.conversation, out);
    out.put_varint(open.id.0);
    out.put_u16(open.arrived_on.0);
    out.put_signed(open.chat.0);
    put_outgoing(&as_outgoing(open), out);
}

/// Writes the last number that a pair was given.
pub(super) fn put_pairs(kind: KindIx, last: PairNo, out: &mut Vec<u8>) {
    out.put_u8(PAIRS);
    out.put_u8(kind.0);
    out.put_varint(last.0);
}

/// Writes a page of seen ids.
pub(super) fn put_page(
    kind: KindIx,
    lane: LaneIx,
    (number, bits): (i64, impl Iterator<Item = u64>),
    out: &mut Vec<u8>,
) {
    out.put_u8(PAGE);
    out.put_u8(kind.0);
    out.put_u16(lane.0);
    out.put_signed(number);
    bits.for_each(|word| out.put_u64(word));
}

/// Reads the next record.
///
/// # Errors
/// [`Malformed`] if the bytes are none.
pub(super) fn item<'a>(r: &mut Reader<'a>) -> Result<Item<'a>, Malformed> {
    match r.u8()? {
        PAGE => {
            let (kind, lane, number) = (KindIx(r.u8()?), LaneIx(r.u16()?), r.signed()?);
            let bits = r.take(PAGE_BYTES)?.try_into().map_err(|_| Malformed("cut short"))?;
            Ok(Item::Page { kind, lane, number, bits })
        }
        USER => {
            let (who, version, state, ties) = (conversation(r)?, r.u32()?, r.bytes()?, r.bytes()?);
            let mut reach = Vec::new();
            for _ in 0..r.varint()? {
                reach.push((LaneIx(r.u16()?), r.u8()? != 0));
            }
            Ok(Item::User { who, version, state, ties, reach })
        }
        ENVELOPE => {
            let (who, id) = (conversation(r)?, EnvelopeId(r.varint()?));
            let (lane, chat) = (LaneIx(r.u16()?), ChatId(r.signed()?));
            Ok(Item::Envelope(addressed(who, lane, chat, id, outgoing(r)?)))
        }
        PAIRS => Ok(Item::Pairs { kind: KindIx(r.u8()?), last: PairNo(r.varint()?) }),
        _ => Err(Malformed("unknown record in the image: written by a newer version?")),
    }
}

fn as_outgoing(envelope: &Envelope) -> Outgoing {
    Outgoing {
        payload: envelope.payload.clone(),
        class: envelope.class,
        pinned: matches!(envelope.route, Route::Pinned(_)),
        place: envelope.place,
        held: envelope.held,
        deadline: envelope.deadline,
        question: envelope.question,
    }
}
