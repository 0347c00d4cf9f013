//! What the engine writes into a journal frame, and reads back at recovery.
//!
//! What lives here: the payload of a frame as the engine means it. The frame around it (length, sequence,
//! checksum) is the journal's. The first byte is the kind of payload; a later version appends kinds and
//! fields, it never changes one. Drawn byte by byte in `docs/format.md`.

use super::links::Link;
use super::send::{addressed, conversation, outgoing, put_conversation, put_outgoing};
use super::step::{STEP, Step};
use crate::bot::Outgoing;
use crate::envelope::{Conversation, DropReason, End, Envelope};
use crate::id::{ChatId, EnvelopeId, KindIx, LaneIx, MessageId, PairNo, Seq, UpdateId, UserId};
use crate::record::{Malformed, Reader, Write};
use crate::time::UnixMillis;

const INPUT: u8 = 1;
const ENDS: u8 = 2;
/// The same, with links behind.
const ENDS_LINKED: u8 = 3;

/// Who did what, where: the head of an input frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct InputHead {
    pub conversation: Conversation,
    pub lane: LaneIx,
    pub chat: ChatId,
    pub update: UpdateId,
    pub at: UnixMillis,
    /// The cell's version after the events.
    pub version: u32,
    /// The user blocked the lane's bot; any other input of his shows that it reaches him.
    pub blocked: bool,
}

/// One frame as read back.
pub(crate) enum Frame<'a> {
    /// An update and all it caused. `events` is the kind's own encoding of them.
    Input { head: InputHead, events: &'a [u8], sends: Vec<Outgoing> },
    /// How envelopes ended, and what was learned about who is reached.
    Ends { ends: Vec<Ended>, reach: Vec<ReachFact>, links: Vec<Link> },
    /// An input that wanted something, with everyone whom it changed.
    Step(Step),
}

/// One envelope's end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ended {
    /// Whose.
    pub conversation: Conversation,
    /// Which.
    pub id: EnvelopeId,
    /// How.
    pub end: End,
}

/// Whether a lane's bot reaches a user.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReachFact {
    /// Which kind's lane.
    pub kind: KindIx,
    /// Who.
    pub user: UserId,
    /// Through which bot.
    pub lane: LaneIx,
    /// Yes or no.
    pub reached: bool,
}

pub(crate) fn encode_input(head: &InputHead, events: &[u8], sends: &[Outgoing], out: &mut Vec<u8>) {
    out.put_u8(INPUT);
    put_conversation(head.conversation, out);
    out.put_u16(head.lane.0);
    out.put_signed(head.chat.0);
    out.put_signed(head.update.0);
    out.put_varint(head.at.0);
    out.put_u32(head.version);
    out.put_u8(u8::from(head.blocked));
    out.put_bytes(events);
    out.put_u8(sends.len() as u8);
    for send in sends {
        put_outgoing(send, out);
    }
}

pub(crate) fn encode_ends(ends: &[Ended], reach: &[ReachFact], links: &[Link], out: &mut Vec<u8>) {
    out.put_u8(if links.is_empty() { ENDS } else { ENDS_LINKED });
    out.put_varint(ends.len() as u64);
    for ended in ends {
        put_conversation(ended.conversation, out);
        out.put_varint(ended.id.0);
        out.put_u8(match ended.end {
            End::Sent => 0,
            End::Dropped(reason) => 1 + reason as u8,
        });
    }
    out.put_varint(reach.len() as u64);
    for fact in reach {
        put_conversation(Conversation { kind: fact.kind, user: fact.user }, out);
        out.put_u16(fact.lane.0);
        out.put_u8(u8::from(fact.reached));
    }
    if links.is_empty() {
        return;
    }
    out.put_varint(links.len() as u64);
    for link in links {
        put_conversation(link.conversation, out);
        out.put_varint(link.pair.0);
        out.put_signed(link.here.0);
        out.put_signed(link.there.0);
    }
}

/// Reads a payload back. Total: any bytes give a frame or [`Malformed`].
pub(crate) fn decode(payload: &[u8]) -> Result<Frame<'_>, Malformed> {
    let mut r = Reader::new(payload);
    let frame = match r.u8()? {
        INPUT => decode_input(&mut r)?,
        ENDS => decode_ends(&mut r, false)?,
        ENDS_LINKED => decode_ends(&mut r, true)?,
        STEP => Frame::Step(Step::decode(&mut r)?),
        _ => return Err(Malformed("unknown kind of frame: written by a newer version?")),
    };
    if r.is_empty() { Ok(frame) } else { Err(Malformed("trailing bytes in frame")) }
}

fn decode_input<'a>(r: &mut Reader<'a>) -> Result<Frame<'a>, Malformed> {
    let head = InputHead {
        conversation: conversation(r)?,
        lane: LaneIx(r.u16()?),
        chat: ChatId(r.signed()?),
        update: UpdateId(r.signed()?),
        at: UnixMillis(r.varint()?),
        version: r.u32()?,
        blocked: r.u8()? != 0,
    };
    let events = r.bytes()?;
    let n = r.u8()?;
    let sends = (0..n).map(|_| outgoing(r)).collect::<Result<_, _>>()?;
    Ok(Frame::Input { head, events, sends })
}

fn decode_ends<'a>(r: &mut Reader<'a>, linked: bool) -> Result<Frame<'a>, Malformed> {
    let mut ends = Vec::new();
    for _ in 0..r.varint()? {
        let conversation = conversation(r)?;
        let id = EnvelopeId(r.varint()?);
        let end = match r.u8()? {
            0 => End::Sent,
            n => End::Dropped(DropReason::from_u8(n - 1).ok_or(Malformed("unknown drop reason"))?),
        };
        ends.push(Ended { conversation, id, end });
    }
    let mut reach = Vec::new();
    for _ in 0..r.varint()? {
        let Conversation { kind, user } = conversation(r)?;
        let lane = LaneIx(r.u16()?);
        reach.push(ReachFact { kind, user, lane, reached: r.u8()? != 0 });
    }
    let mut links = Vec::new();
    for _ in 0..if linked { r.varint()? } else { 0 } {
        let (conversation, pair) = (conversation(r)?, PairNo(r.varint()?));
        let (here, there) = (MessageId(r.signed()?), MessageId(r.signed()?));
        links.push(Link { conversation, pair, here, there });
    }
    Ok(Frame::Ends { ends, reach, links })
}

/// The `index`th send of the input frame `seq` as an envelope.
pub(crate) fn envelope(head: &InputHead, seq: Seq, index: usize, send: Outgoing) -> Envelope {
    addressed(head.conversation, head.lane, head.chat, EnvelopeId::new(seq, index as u8), send)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{Class, Payload, Place};
    use proptest::prelude::*;

    fn a_send(class: u8, flags: (bool, u8, bool), deadline: Option<u64>, args: Vec<u8>) -> Outgoing {
        Outgoing {
            payload: Payload { template: 7, args: args.into() },
            class: Class::from_u8(class).unwrap(),
            pinned: flags.0,
            place: [Place::InOrder, Place::Ahead, Place::Call][usize::from(flags.1)],
            held: flags.2,
            deadline: deadline.map(UnixMillis),
            question: 99,
        }
    }

    proptest! {
        #[test]
        fn an_input_frame_is_read_back_as_it_was_written(
            kind: u8, user: u64, lane: u16, chat: i64, update: i64, at: u64, version: u32, blocked: bool,
            events: Vec<u8>,
            sends in prop::collection::vec(
                (0u8..4, (any::<bool>(), 0u8..3, any::<bool>()), any::<Option<u64>>(), any::<Vec<u8>>()), 0..5),
        ) {
            let head = InputHead {
                conversation: Conversation { kind: KindIx(kind), user: UserId(user) },
                lane: LaneIx(lane), chat: ChatId(chat), update: UpdateId(update),
                at: UnixMillis(at), version, blocked,
            };
            let sends: Vec<_> = sends.into_iter().map(|(c, f, d, a)| a_send(c, f, d, a)).collect();
            let mut bytes = Vec::new();
            encode_input(&head, &events, &sends, &mut bytes);
            let Ok(Frame::Input { head: h, events: e, sends: s }) = decode(&bytes) else { panic!() };
            prop_assert_eq!((h, e, s), (head, events.as_slice(), sends));
        }

        #[test]
        fn ends_are_read_back_as_they_were_written(
            ends in prop::collection::vec((any::<u8>(), any::<u64>(), any::<u64>(), 0u8..8), 0..9),
            reach in prop::collection::vec((any::<u8>(), any::<u64>(), any::<u16>(), any::<bool>()), 0..9),
            links in prop::collection::vec((any::<u8>(), any::<u64>(), any::<u64>(), any::<[i64; 2]>()), 0..3),
        ) {
            let ends: Vec<_> = ends.into_iter().map(|(kind, user, id, end)| Ended {
                conversation: Conversation { kind: KindIx(kind), user: UserId(user) },
                id: EnvelopeId(id),
                end: end.checked_sub(1).map_or(End::Sent, |n| End::Dropped(DropReason::from_u8(n).unwrap())),
            }).collect();
            let reach: Vec<_> = reach.into_iter().map(|(kind, user, lane, reached)| ReachFact {
                kind: KindIx(kind), user: UserId(user), lane: LaneIx(lane), reached,
            }).collect();
            let mut bytes = Vec::new();
            let links: Vec<_> = links.into_iter().map(|(kind, user, pair, [here, there])| Link {
                conversation: Conversation { kind: KindIx(kind), user: UserId(user) },
                pair: PairNo(pair), here: MessageId(here), there: MessageId(there),
            }).collect();
            encode_ends(&ends, &reach, &links, &mut bytes);
            let Ok(Frame::Ends { ends: e, reach: r, links: l }) = decode(&bytes) else { panic!() };
            prop_assert_eq!((e, r, l), (ends, reach, links));
        }

        #[test]
        fn any_bytes_are_a_frame_or_malformed(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }
    }
}
