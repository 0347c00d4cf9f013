//! Seats for more people than there are seats.
//!
//! What lives here: [`Engine::spare_seats`]. A matchmaker has room for a number of people at one time; over the
//! life of a process more come. When few seats are left, those who need none give theirs up. Only the engine
//! uses it.

use super::{Engine, Journal};
use crate::envelope::Conversation;
use crate::id::KindIx;
use crate::time::Now;

/// How many people are asked before an input, when few seats are left: each takes his lock, about 50 ns.
const ASKED: usize = 16;

impl<J: Journal> Engine<J> {
    /// Asks a few people for seats that they do not need, if few are left. Nobody's lock may be held.
    pub(super) fn spare_seats(&self, now: Now, kind: KindIx) {
        let Some(pairs) = &self.kinds[kind.index()].pairs else { return };
        if !pairs.few_seats() {
            return;
        }
        for user in (0..ASKED).filter_map(|_| pairs.next_owner()) {
            let cell = self.cells.of(Conversation { kind, user });
            if let Some(ties) = cell.lock().ties.as_mut() {
                pairs.take_back(ties, now.mono);
            }
        }
    }
}
