//! Names of things, as types: no bare integer crosses a room's door.
//!
//! What lives here: newtypes and their packing. Anything may call it; it knows no other room.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($int:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
        pub struct $name(pub $int);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A person on the platform. Positive, up to 52 bits on Telegram.
    UserId(u64)
}
id! {
    /// A dialogue on the platform. A private chat has its user's id; groups are negative.
    ChatId(i64)
}
id! {
    /// A bot on the platform: the number before the colon of its token.
    BotId(u64)
}
id! {
    /// One credential of a kind: its place in the list of tokens, 0 is the main bot.
    LaneIx(u16)
}
id! {
    /// A bot kind of this process: its place in the configuration.
    KindIx(u8)
}
id! {
    /// The platform's number of an update; unique per bot for at least a day, not always rising.
    UpdateId(i64)
}
id! {
    /// The platform's number of a message within a chat of one bot.
    MessageId(i64)
}
id! {
    /// The place of a frame in the journal: dense, rising from 1.
    Seq(u64)
}
id! {
    /// An envelope: the sequence of the frame that queued it (56 bits) and its place in it (8 bits).
    EnvelopeId(u64)
}

id! {
    /// A pair of two users of one kind: numbered as they are made, rising over restarts, never given twice.
    PairNo(u64)
}

impl LaneIx {
    /// As an index into a list of lanes.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl KindIx {
    /// As an index into a list of kinds.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl UserId {
    /// The lane that is this user's home among `lanes` tokens: `user_id % lanes`.
    ///
    /// # Panics
    /// If `lanes` is 0.
    #[must_use]
    pub const fn home(self, lanes: u16) -> LaneIx {
        LaneIx((self.0 % lanes as u64) as u16)
    }

    /// Whether it can be a person's: groups, channels and what belongs to all are kept like users too.
    #[must_use]
    pub const fn is_person(self) -> bool {
        self.0 != 0 && self.0 < 1 << 52
    }

    /// The private chat with this user.
    #[must_use]
    pub const fn private_chat(self) -> ChatId {
        ChatId(self.0 as i64)
    }
}

impl EnvelopeId {
    /// Envelopes that one frame may queue.
    pub const PER_FRAME: usize = 256;

    /// The `index`th envelope of frame `seq`.
    #[must_use]
    pub const fn new(seq: Seq, index: u8) -> Self {
        Self(seq.0 << 8 | index as u64)
    }

    /// The frame that queued it.
    #[must_use]
    pub const fn seq(self) -> Seq {
        Seq(self.0 >> 8)
    }

    /// Its place in that frame.
    #[must_use]
    pub const fn index(self) -> u8 {
        self.0 as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_home_lane_is_the_user_id_modulo_the_lanes() {
        assert_eq!(UserId(12_345).home(17), LaneIx(3));
    }

    #[test]
    fn an_envelope_id_keeps_frame_and_place() {
        let id = EnvelopeId::new(Seq(7), 255);
        assert_eq!((id.seq(), id.index()), (Seq(7), 255));
        assert!(id < EnvelopeId::new(Seq(8), 0));
    }
}
