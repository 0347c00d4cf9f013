//! What reaches the outbound thread: committed envelopes and the operator's word.
//!
//! What lives here: [`Inbox`] and its sending end. Unbounded on purpose: admission has bounded the number
//! of pending envelopes before they were journaled, and after it no internal queue may refuse or block.

use crossbeam::channel::{Receiver, Sender, unbounded};
use nobat_core::engine::ReachFact;
use nobat_core::envelope::Envelope;
use nobat_core::id::{KindIx, LaneIx, UserId};
use nobat_core::time::UnixMillis;
use std::sync::Arc;

/// One message to the outbound thread.
#[derive(Debug)]
pub enum Mail {
    /// Durable now: may be sent.
    Committed {
        /// In the order of the journal.
        envelopes: Vec<Envelope>,
        /// What their input showed about reach.
        reach: Option<ReachFact>,
    },
    /// A kind's release gate was opened or shut.
    Released(KindIx, bool),
    /// A lane, counted over all kinds, is to send nothing, or to go on.
    Pause {
        /// Which.
        lane: usize,
        /// Nothing, or on.
        paused: bool,
    },
    /// A word of the process itself to one of its administrators; of no frame, and nothing of it is journaled.
    Alert {
        /// Whom.
        to: UserId,
        /// By which bot.
        lane: LaneIx,
        /// What.
        says: String,
        /// Later than this it is not told any more.
        until: UnixMillis,
    },
    /// Finish what is in flight, then end.
    Stop,
}

/// The sending end; wakes the thread.
#[derive(Clone, Debug)]
pub struct Outbox {
    mail: Sender<Mail>,
    waker: Arc<mio::Waker>,
}

impl Outbox {
    /// Hands mail over without waking: the journal wakes once a commit.
    pub fn put(&self, mail: Mail) {
        // The receiver lives as long as the thread; after its end nobody sends anything that matters.
        let _ = self.mail.send(mail);
    }

    /// Wakes the thread.
    pub fn wake(&self) {
        // A waker fails only when its descriptor is gone, and then so is the thread.
        let _ = self.waker.wake();
    }
}

/// The receiving end.
pub(super) type Inbox = Receiver<Mail>;

/// Both ends; `waker` wakes the thread that owns the receiving one.
pub(super) fn pair(waker: Arc<mio::Waker>) -> (Outbox, Inbox) {
    let (mail, inbox) = unbounded();
    (Outbox { mail, waker }, inbox)
}
