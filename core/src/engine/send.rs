//! One send as it stands in a frame or an image, and as an envelope.
//!
//! What lives here: its bytes, those of a conversation, and its address. `frame`, `step` and `image` are made of
//! them; nobody else calls it.

use crate::bot::Outgoing;
use crate::envelope::{Class, Conversation, Envelope, Payload, Place, Route};
use crate::id::{ChatId, EnvelopeId, KindIx, LaneIx, UserId};
use crate::record::{Malformed, Reader, Write};
use crate::time::UnixMillis;

pub(super) fn put_conversation(conversation: Conversation, out: &mut Vec<u8>) {
    out.put_u8(conversation.kind.0);
    out.put_varint(conversation.user.0);
}

pub(super) fn conversation(r: &mut Reader<'_>) -> Result<Conversation, Malformed> {
    Ok(Conversation { kind: KindIx(r.u8()?), user: UserId(r.varint()?) })
}

// Bits 4 and 5 are the class; bit 7 is not used.
const PINNED: u8 = 1;
const IN_ORDER: u8 = 2;
const HELD: u8 = 4;
const DEADLINE: u8 = 8;
const AHEAD: u8 = 64;

pub(super) fn put_outgoing(send: &Outgoing, out: &mut Vec<u8>) {
    let flag = |on: bool, bit: u8| if on { bit } else { 0 };
    out.put_u8(
        flag(send.pinned, PINNED)
            | flag(send.place == Place::InOrder, IN_ORDER)
            | flag(send.place == Place::Ahead, AHEAD)
            | flag(send.held, HELD)
            | flag(send.deadline.is_some(), DEADLINE)
            | (send.class as u8) << 4,
    );
    if let Some(deadline) = send.deadline {
        out.put_varint(deadline.0);
    }
    out.put_u64(send.question);
    out.put_u16(send.payload.template);
    out.put_bytes(&send.payload.args);
}

pub(super) fn outgoing(r: &mut Reader<'_>) -> Result<Outgoing, Malformed> {
    let flags = r.u8()?;
    let place = match flags & (IN_ORDER | AHEAD) {
        0 => Place::Call,
        IN_ORDER => Place::InOrder,
        AHEAD => Place::Ahead,
        _ => return Err(Malformed("in order and ahead of it at once")),
    };
    Ok(Outgoing {
        class: Class::from_u8((flags & !AHEAD) >> 4).ok_or(Malformed("unknown class"))?,
        pinned: flags & PINNED != 0,
        place,
        held: flags & HELD != 0,
        deadline: if flags & DEADLINE != 0 { Some(UnixMillis(r.varint()?)) } else { None },
        question: r.u64()?,
        payload: Payload { template: r.u16()?, args: r.bytes()?.into() },
    })
}

/// A send with its address.
pub(super) fn addressed(
    conversation: Conversation,
    lane: LaneIx,
    chat: ChatId,
    id: EnvelopeId,
    send: Outgoing,
) -> Envelope {
    Envelope {
        id,
        conversation,
        chat,
        arrived_on: lane,
        route: if send.pinned { Route::Pinned(lane) } else { Route::Home },
        class: send.class,
        place: send.place,
        held: send.held,
        deadline: send.deadline,
        question: send.question,
        payload: send.payload,
    }
}
