//! The frame of an input that wanted something: whoever it changed, in one piece.
//!
//! What lives here: [`Step`] and its bytes. A plain input of one user has a smaller frame (`frame`); this one
//! holds a part for every change of a user, in order, and replays whole or not at all. That is why a
//! durable prefix never holds half a pair.

use super::send;
use super::ties::Fact;
use crate::bot::Outgoing;
use crate::envelope::{Conversation, Envelope};
use crate::id::{ChatId, EnvelopeId, LaneIx, Seq, UpdateId, UserId};
use crate::record::{Malformed, Reader, Record, Write};
use crate::time::UnixMillis;

/// The first byte of its frame; `frame` has the others.
pub(super) const STEP: u8 = 16;

/// The upper half of the envelope ids of a frame: sent by one user to another. They lie in no cell's list of
/// open envelopes, for only the sender's cell is locked when they are made.
pub(crate) const RELAYED: u8 = 0x80;

/// One change of one user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Part {
    pub conversation: Conversation,
    pub lane: LaneIx,
    pub chat: ChatId,
    /// The cell's version after it.
    pub version: u32,
    /// In the kind's own encoding.
    pub events: Vec<u8>,
    pub sends: Vec<Outgoing>,
    pub relays: Vec<Relay>,
    pub facts: Vec<Fact>,
}

/// What one user sends another.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Relay {
    pub to: UserId,
    pub lane: LaneIx,
    pub what: Outgoing,
}

impl Relay {
    /// What is told to a group or channel: it is addressed like a user whose private chat it is.
    pub(crate) const fn post(chat: ChatId, lane: LaneIx, what: Outgoing) -> Self {
        Self { to: UserId(chat.0 as u64), lane, what }
    }
}

/// An update, or what the engine did of its own accord, with all it caused.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Step {
    pub at: UnixMillis,
    /// The update, which was the first part's; and whether it says that he blocked the bot.
    pub update: Option<(UpdateId, bool)>,
    pub parts: Vec<Part>,
}

impl Step {
    /// Its envelopes, without the sequence, each with whether it is in its user's cell.
    pub(crate) fn envelopes(&self) -> Vec<Envelope> {
        let (mut envelopes, mut own, mut relayed) = (Vec::new(), 0, RELAYED);
        for part in &self.parts {
            for send in &part.sends {
                let id = EnvelopeId::new(Seq(0), own);
                envelopes.push(send::addressed(part.conversation, part.lane, part.chat, id, send.clone()));
                own += 1;
            }
            for Relay { to, lane, what } in &part.relays {
                let (to, id) =
                    (Conversation { user: *to, ..part.conversation }, EnvelopeId::new(Seq(0), relayed));
                envelopes.push(send::addressed(to, *lane, to.user.private_chat(), id, what.clone()));
                relayed += 1;
            }
        }
        envelopes
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(STEP);
        out.put_varint(self.at.0);
        match self.update {
            None => out.put_u8(0),
            Some((update, blocked)) => {
                out.put_u8(1 + u8::from(blocked));
                out.put_signed(update.0);
            }
        }
        out.put_u8(self.parts.len() as u8);
        for part in &self.parts {
            send::put_conversation(part.conversation, out);
            out.put_u16(part.lane.0);
            out.put_signed(part.chat.0);
            out.put_u32(part.version);
            out.put_bytes(&part.events);
            out.put_u8(part.sends.len() as u8);
            part.sends.iter().for_each(|send| send::put_outgoing(send, out));
            out.put_u8(part.relays.len() as u8);
            for Relay { to, lane, what } in &part.relays {
                out.put_varint(to.0);
                out.put_u16(lane.0);
                send::put_outgoing(what, out);
            }
            out.put_u8(part.facts.len() as u8);
            part.facts.iter().for_each(|fact| fact.encode(out));
        }
    }

    /// Reads one back, its first byte taken already.
    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, Malformed> {
        let at = UnixMillis(r.varint()?);
        let update = match r.u8()? {
            0 => None,
            n @ (1 | 2) => Some((UpdateId(r.signed()?), n == 2)),
            _ => return Err(Malformed("unknown kind of step")),
        };
        let parts = (0..r.u8()?).map(|_| part(r)).collect::<Result<_, _>>()?;
        Ok(Self { at, update, parts })
    }
}

fn part(r: &mut Reader<'_>) -> Result<Part, Malformed> {
    let (conversation, lane) = (send::conversation(r)?, LaneIx(r.u16()?));
    let (chat, version) = (ChatId(r.signed()?), r.u32()?);
    let events = r.bytes()?.to_vec();
    let sends = (0..r.u8()?).map(|_| send::outgoing(r)).collect::<Result<_, _>>()?;
    let relays = (0..r.u8()?)
        .map(|_| Ok(Relay { to: UserId(r.varint()?), lane: LaneIx(r.u16()?), what: send::outgoing(r)? }))
        .collect::<Result<_, Malformed>>()?;
    let facts = (0..r.u8()?).map(|_| Fact::decode(r)).collect::<Result<_, _>>()?;
    Ok(Part { conversation, lane, chat, version, events, sends, relays, facts })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bot::{Gender, Partner, Pool, Ticket, Tier, Wants};
    use crate::engine::frame;
    use crate::engine::ties::{Stage, Ties};
    use crate::envelope::Payload;
    use crate::id::{KindIx, PairNo};
    use core::time::Duration;
    use proptest::prelude::*;

    fn ticket() -> impl Strategy<Value = Ticket> {
        let genders = prop_oneof![Just(Gender::Male), Just(Gender::Female), Just(Gender::Unstated)];
        let wants = prop_oneof![Just(Wants::Anyone), Just(Wants::Men), Just(Wants::Women)];
        let tier = prop::option::of((wants, any::<bool>()))
            .prop_map(|vip| vip.map_or(Tier::Plain, |(wants, widens)| Tier::Vip { wants, widens }));
        let patience =
            prop_oneof![Just(Duration::MAX), any::<u32>().prop_map(|ms| Duration::from_millis(ms.into()))];
        (genders, tier, any::<u8>(), patience).prop_map(|(gender, tier, pool, patience)| Ticket {
            gender,
            tier,
            pool: Pool(pool),
            patience,
        })
    }

    fn partner() -> impl Strategy<Value = Partner> {
        any::<(u64, u64, u16, u64)>().prop_map(|(pair, user, lane, since)| Partner {
            pair: PairNo(pair),
            user: UserId(user),
            lane: LaneIx(lane),
            since: UnixMillis(since),
        })
    }

    fn fact() -> impl Strategy<Value = Fact> {
        prop_oneof![
            (ticket(), any::<u64>()).prop_map(|(ticket, at)| Fact::Filed { ticket, since: UnixMillis(at) }),
            Just(Fact::Withdrawn),
            partner().prop_map(Fact::Paired),
            any::<(u64, u64)>()
                .prop_map(|(pair, until)| Fact::Ended { pair: PairNo(pair), until: UnixMillis(until) }),
            any::<u64>().prop_map(|user| Fact::Blocked(UserId(user))),
            any::<u64>().prop_map(|user| Fact::Unblocked(UserId(user))),
            any::<Option<u64>>().prop_map(|at| Fact::Alarm(at.map(UnixMillis))),
        ]
    }

    fn part() -> impl Strategy<Value = Part> {
        let send = any::<(u16, Vec<u8>)>()
            .prop_map(|(template, args)| Outgoing::reply(Payload { template, args: args.into() }));
        let relay = (any::<u64>(), any::<u16>(), send.clone()).prop_map(|(to, lane, what)| Relay {
            to: UserId(to),
            lane: LaneIx(lane),
            what,
        });
        let few = 0usize..3;
        let head = any::<(u8, u64, u16, i64, u32, Vec<u8>)>();
        let lists = (
            prop::collection::vec(send, few.clone()),
            prop::collection::vec(relay, few.clone()),
            prop::collection::vec(fact(), few),
        );
        (head, lists).prop_map(|((kind, user, lane, chat, version, events), (sends, relays, facts))| Part {
            conversation: Conversation { kind: KindIx(kind), user: UserId(user) },
            lane: LaneIx(lane),
            chat: ChatId(chat),
            version,
            events,
            sends,
            relays,
            facts,
        })
    }

    proptest! {
        #[test]
        fn a_step_is_read_back_as_it_was_written(
            at: u64,
            update: Option<(i64, bool)>,
            parts in prop::collection::vec(part(), 0..4),
        ) {
            let update = update.map(|(update, blocked)| (UpdateId(update), blocked));
            let step = Step { at: UnixMillis(at), update, parts };
            let mut bytes = Vec::new();
            step.encode(&mut bytes);
            let Ok(frame::Frame::Step(read)) = frame::decode(&bytes) else { panic!() };
            prop_assert_eq!(read, step);
        }

        #[test]
        fn any_bytes_are_a_step_or_malformed(mut bytes: Vec<u8>) {
            bytes.insert(0, STEP);
            let _ = frame::decode(&bytes);
        }

        #[test]
        fn ties_are_read_back_as_they_were_written(
            filed in (ticket(), any::<u64>()),
            with in partner(),
            which in 0..3,
            recent: Vec<(u64, u64)>,
            blocked: Vec<u64>,
            alarm: Option<u64>,
        ) {
            let ties = Ties {
                stage: match which {
                    0 => Stage::Apart,
                    1 => Stage::Waiting { ticket: filed.0, since: UnixMillis(filed.1) },
                    _ => Stage::Paired(with),
                },
                lane: with.lane,
                recent: recent.into_iter().map(|(user, at)| (UserId(user), UnixMillis(at))).collect(),
                blocked: blocked.into_iter().map(UserId).collect(),
                alarm: alarm.map(UnixMillis),
                ..Ties::default()
            };
            let mut bytes = Vec::new();
            ties.encode(&mut bytes);
            let read = Ties::from_bytes(&bytes).unwrap();
            prop_assert_eq!((read.stage, read.lane, read.alarm), (ties.stage, ties.lane, ties.alarm));
            prop_assert_eq!((read.recent, read.blocked), (ties.recent, ties.blocked));
        }
    }
}
