//! One envelope inside the pacer: a cache line, for handles of four bytes.
//!
//! What lives here: [`Env`] and the fields of it that are packed, [`Via`], [`Stance`] and [`Deadline`]. Plain data.

use super::slab::{Linked, Links, NIL};
use crate::envelope::{Class, Conversation, Place, Route};
use crate::id::{ChatId, EnvelopeId, KindIx, LaneIx, UserId};
use crate::time::Nanos;

/// The envelopes of a dialogue; calls and messages ahead in a lane.
pub(super) const QUEUE: usize = 0;
/// The envelopes of a class that may be shed, by age.
pub(super) const AGE: usize = 1;

/// An envelope that is pending or in flight.
#[derive(Clone, Debug)]
#[repr(align(64))]
pub(super) struct Env<T> {
    pub(super) id: EnvelopeId,
    pub(super) user: UserId,
    pub(super) chat: ChatId,
    pub(super) queue: Links,
    /// In its class's list by age, if it may be shed; while it flies in none, and keeps its [`super::Mark`].
    pub(super) age: Links,
    /// [`super::slab::NIL`] for calls that are not messages, and for a message ahead until it leaves.
    pub(super) dialogue: u32,
    pub(super) handle: T,
    pub(super) deadline: Deadline,
    /// The tick in which it was taken in; see [`super::calendar`].
    pub(super) arrived: u32,
    pub(super) via: Via,
    /// The lane it is counted at.
    pub(super) lane: LaneIx,
    pub(super) kind: KindIx,
    pub(super) class: Class,
    pub(super) stance: Stance,
    pub(super) attempts: u8,
}

const _: () = assert!(size_of::<Env<u32>>() == 64);

impl<T> Env<T> {
    /// What stands in a place until something is put there.
    #[cold]
    pub(super) fn blank(handle: T) -> Self {
        Self {
            id: EnvelopeId(0),
            user: UserId(0),
            chat: ChatId(0),
            queue: Links::default(),
            age: Links::default(),
            dialogue: NIL,
            handle,
            deadline: Deadline::NONE,
            arrived: 0,
            via: Via(0),
            lane: LaneIx(0),
            kind: KindIx(0),
            class: Class::Bulk,
            stance: Stance::PLAIN,
            attempts: 0,
        }
    }

    pub(super) const fn conversation(&self) -> Conversation {
        Conversation { kind: self.kind, user: self.user }
    }
}

impl<T> Linked<QUEUE> for Env<T> {
    #[inline]
    fn links(&mut self) -> &mut Links {
        &mut self.queue
    }
}

impl<T> Linked<AGE> for Env<T> {
    #[inline]
    fn links(&mut self) -> &mut Links {
        &mut self.age
    }
}

/// A route in two bytes: the one lane that may carry it, or that it goes home and where it arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Via(u16);

impl Via {
    const PINNED: u16 = 1 << 15;

    /// A lane beyond the last possible one stays beyond it.
    pub(super) fn new(route: Route, arrived_on: LaneIx) -> Self {
        match route {
            Route::Pinned(lane) => Self(lane.0 | Self::PINNED),
            Route::Home => Self(arrived_on.0.min(!Self::PINNED)),
        }
    }

    /// The lane it is pinned to.
    #[inline]
    pub(super) const fn pinned(self) -> Option<LaneIx> {
        if self.0 & Self::PINNED == 0 { None } else { Some(LaneIx(self.0 & !Self::PINNED)) }
    }

    /// The lane whose bot the user wrote to, if it goes home.
    #[inline]
    pub(super) const fn arrived_on(self) -> Option<LaneIx> {
        if self.0 & Self::PINNED == 0 { Some(LaneIx(self.0)) } else { None }
    }
}

/// Its place, and how many messages it makes, in one byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Stance(u8);

impl Stance {
    /// One message, in order: nearly all are.
    pub(super) const PLAIN: Self = Self::new(Place::InOrder, 0);
    const MORE_MAX: u8 = u8::MAX >> 2;

    /// `more` messages than one, at most 63.
    #[inline]
    pub(super) const fn new(place: Place, more: u8) -> Self {
        let more = if more < Self::MORE_MAX { more } else { Self::MORE_MAX };
        Self(place as u8 | more << 2)
    }

    #[inline]
    pub(super) const fn place(self) -> Place {
        match self.0 & 0b11 {
            0 => Place::InOrder,
            1 => Place::Ahead,
            _ => Place::Call,
        }
    }

    /// It makes more than one message.
    #[inline]
    pub(super) const fn is_album(self) -> bool {
        self.0 > 0b11
    }

    /// How many messages it makes.
    #[inline]
    pub(super) const fn messages(self) -> u32 {
        (self.0 >> 2) as u32 + 1
    }

    /// The same of no more than so many messages, and of one at least.
    pub(super) fn at_most(self, messages: u32) -> Self {
        let more = self.messages().min(messages).saturating_sub(1);
        Self::new(self.place(), more as u8)
    }
}

/// A deadline in ticks of 4.2 ms since the pacer's start, rounded up; the last of them (207 days) is none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Deadline(u32);

impl Deadline {
    pub(super) const NONE: Self = Self(u32::MAX);
    const TICK_BITS: u32 = 22;

    pub(super) fn new(at: Option<Nanos>, start: Nanos) -> Self {
        let Some(at) = at else { return Self::NONE };
        let ticks = at.0.saturating_sub(start.0).div_ceil(1 << Self::TICK_BITS);
        Self(u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    /// Whether it is over at `now`.
    #[inline]
    pub(super) fn is_over(self, start: Nanos, now: Nanos) -> bool {
        self != Self::NONE && (now.0.saturating_sub(start.0) >> Self::TICK_BITS) >= u64::from(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_and_a_number_of_messages_are_packed_without_loss() {
        for place in [Place::InOrder, Place::Ahead, Place::Call] {
            for more in 0..=63 {
                let stance = Stance::new(place, more);
                assert_eq!((stance.place(), stance.messages()), (place, u32::from(more) + 1));
                assert_eq!(stance.is_album(), more > 0);
                assert_eq!(stance.at_most(5).messages(), stance.messages().min(5));
            }
        }
        assert_eq!(Stance::new(Place::InOrder, 0), Stance::PLAIN);
        assert_eq!(Stance::new(Place::Ahead, u8::MAX).messages(), 64);
        assert_eq!(Stance::new(Place::Call, 9).at_most(0), Stance::new(Place::Call, 0));
    }

    #[test]
    fn a_route_is_packed_without_loss_and_a_lane_that_cannot_exist_stays_one() {
        let pinned = Via::new(Route::Pinned(LaneIx(3)), LaneIx(5));
        assert_eq!((pinned.pinned(), pinned.arrived_on()), (Some(LaneIx(3)), None));
        let home = Via::new(Route::Home, LaneIx(255));
        assert_eq!((home.pinned(), home.arrived_on()), (None, Some(LaneIx(255))));
        let nowhere = Via::new(Route::Home, LaneIx(u16::MAX));
        assert_eq!(nowhere.arrived_on(), Some(LaneIx(0x7fff)));
    }
}
