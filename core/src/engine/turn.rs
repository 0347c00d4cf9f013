//! One input of one user on its way through the engine.
//!
//! What lives here: [`Turn`], what is known of it at the door, and [`Rooms`], the places in the journal that were
//! set aside for it. Values without a will of their own: `take` walks with them, `wants` and `parts` read them.

use super::{Inbound, ReachFact};
use crate::bot::Input;
use crate::envelope::Conversation;
use crate::id::{ChatId, KindIx, LaneIx, UpdateId, UserId};

/// One input of one user: an update, or the engine's own.
#[derive(Clone, Copy)]
pub(super) struct Turn<'a> {
    pub kind: KindIx,
    pub user: UserId,
    /// None for the engine's own.
    pub update: Option<UpdateId>,
    pub lane: LaneIx,
    pub chat: ChatId,
    pub language: &'a str,
    pub input: &'a Input<'a>,
}

impl<'a> Turn<'a> {
    pub(super) fn of(inbound: &'a Inbound<'a>) -> Self {
        let Inbound { kind, lane, update, user, chat, language, ref input } = *inbound;
        Self { kind, user, update: Some(update), lane, chat, language, input }
    }

    pub(super) const fn conversation(&self) -> Conversation {
        Conversation { kind: self.kind, user: self.user }
    }

    /// What it says about reach: who writes to a bot can be written to by it.
    pub(super) fn reach(&self) -> Option<ReachFact> {
        let says = self.update.is_some() && self.chat == self.user.private_chat();
        let reached = !matches!(self.input, Input::Blocked);
        says.then_some(ReachFact { kind: self.kind, user: self.user, lane: self.lane, reached })
    }
}

/// Room for what one input may push: its own frame, and one more for what its search leads to.
pub(super) struct Rooms<R> {
    pub own: R,
    pub after: Option<R>,
}
