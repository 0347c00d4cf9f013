//! Words of the process itself to its administrators.
//!
//! What lives here: [`envelope`], [`is_alert`] and [`call`]. An alert goes through the pacer like every message and is
//! of no frame: it must leave while the journal cannot be written, so nothing of it is journaled and the engine never
//! hears of it. After a restart it is gone; the trouble, if it lasts, is told again.

use crate::say;
use nobat_core::bot::Call;
use nobat_core::envelope::{Class, Conversation, DropReason, Envelope, Payload, Place, Route};
use nobat_core::id::{EnvelopeId, KindIx, LaneIx, UserId};
use nobat_core::time::UnixMillis;

/// Frames are numbered from 1.
const OF_NO_FRAME: EnvelopeId = EnvelopeId(0);

/// As urgent as money, in the order of that user's conversation, by this bot alone, not after `until`.
pub(super) fn envelope(kind: KindIx, to: UserId, lane: LaneIx, says: String, until: UnixMillis) -> Envelope {
    Envelope {
        id: OF_NO_FRAME,
        conversation: Conversation { kind, user: to },
        chat: to.private_chat(),
        arrived_on: lane,
        route: Route::Pinned(lane),
        class: Class::Urgent,
        place: Place::InOrder,
        held: false,
        deadline: Some(until),
        question: 0,
        payload: Payload { template: 0, args: says.into_bytes().into() },
    }
}

/// Whether it is one.
pub(super) fn is_alert(id: EnvelopeId) -> bool {
    id == OF_NO_FRAME
}

/// What it says.
pub(super) fn call(payload: &Payload) -> Call {
    Call::Text { text: String::from_utf8_lossy(&payload.args).into_owned(), keyboard: Vec::new() }
}

/// One that was given up: the log is all that is left.
pub(super) fn lost(envelope: &Envelope, reason: DropReason) {
    let (user, lane) = (envelope.conversation.user, envelope.arrived_on);
    let why = reason.label();
    say!(
        Warn,
        "an alert did not reach an administrator: has he started this bot?",
        user = user,
        lane = lane,
        why = why
    );
}
