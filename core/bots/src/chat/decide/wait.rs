//! The message that says that he waits: it turns while he does.
//!
//! Every [`EVERY`] it is edited, [`TURNS_MAX`] times, so that a long wait does not edit for ever. It costs nobody his
//! turn: while more than half a second's work waits ([`BUSY`]) no edit is made at all; one that was made before is of
//! the lowest class, and dropped when the next is due.
//! Which message it is, the engine knows by its [`Thread`]: the newest that says that he waits.

use super::Turn;
use crate::chat::event::Event;
use crate::chat::say::Say;
use core::time::Duration;
use nobat_core::bot::{Outgoing, Thread};
use nobat_core::envelope::Class;
use nobat_core::id::{MessageId, PairNo, UserId};
use nobat_core::time::UnixMillis;

/// Between two turns.
pub(in crate::chat) const EVERY: Duration = Duration::from_secs(3);
/// A minute of them.
pub(in crate::chat) const TURNS_MAX: u8 = 20;
/// Messages that wait to be sent, for each lane: with more, nothing turns. A lane sends 30 a second.
const BUSY: u64 = 15;
/// The kind's own number for the message that turns.
const WAITS: MessageId = MessageId(1);

/// What the message that turns, and its edits, are to the engine.
pub(in crate::chat) fn thread(edits: bool) -> Thread {
    let (copies, refers) = if edits { (Vec::new(), Some(WAITS)) } else { (vec![WAITS], None) };
    // He is the author himself, and his own links are looked at first.
    Thread { pair: PairNo(0), author: UserId(0), copies, refers }
}

impl Turn<'_> {
    /// When the message turns next, for who waits.
    pub(super) fn turns_at(&self) -> Option<UnixMillis> {
        let turns = self.settings.animate && self.state.extras.turned < TURNS_MAX;
        turns.then(|| self.now().after(EVERY))
    }

    pub(super) fn turn_message(&mut self) {
        let Some(next) = self.turns_at() else { return self.arm(None) };
        let step = self.state.extras.turned + 1;
        self.happened(Event::Turned(step));
        if self.view.census.pending > BUSY * u64::from(self.view.lanes) {
            return self.arm(self.turns_at());
        }
        let say = Say::Turned { language: self.language(), step };
        let (class, deadline) = (Class::Bulk, Some(next));
        let edit = Outgoing { class, pinned: true, deadline, ..Outgoing::reply(say.payload()) };
        self.out.sends.push(edit);
        self.arm(self.turns_at());
    }
}
