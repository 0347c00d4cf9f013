//! What a person asks for, and the names of things here.
//!
//! What lives here: [`Ticket`] and its parts, [`Slot`] and [`Seat`], [`Rules`] and [`Size`]. Plain data,
//! no decision. Anything may use it.

use super::instant::Instant;
use crate::time::Nanos;
use core::time::Duration;

/// Slots of one matchmaker, at most: 22 bits of a status word name one.
pub const USERS_MAX: u32 = 1 << 22;

/// Pools of one matchmaker, at most: 8 bits of a ticket word name one.
pub const POOLS_MAX: u16 = 1 << 8;

/// A user inside one matchmaker of one process: dense from 0. Never durable; the caller keeps which
/// person it stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Slot(pub(super) u32);

impl Slot {
    /// As an index into a list of users.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// The right to act for one user: to join, to be rescanned, to be restored.
///
/// There is exactly one for each [`Slot`], it cannot be cloned, and what begins a search takes it by
/// `&mut`: two searches for one user at once do not compile. What others may do to a user at any moment
/// (cancel, leave, block, look) takes the [`Slot`]. Use it only with the matchmaker that gave it: another
/// one takes its number for its own user's.
#[derive(Debug)]
pub struct Seat {
    pub(super) slot: Slot,
    /// What he waits for since his last join; the owner's copy.
    pub(super) filed: Filed,
}

impl Seat {
    pub(super) const fn new(slot: Slot) -> Self {
        Self { slot, filed: Filed::NOTHING }
    }

    /// Whose seat it is.
    #[must_use]
    pub const fn slot(&self) -> Slot {
        self.slot
    }
}

/// What a person says of himself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Gender {
    /// Male.
    Male,
    /// Female.
    Female,
    /// Not said, or neither. Only those who want anyone meet him.
    Unstated,
}

/// Whom a VIP wants to meet.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wants {
    /// Anyone.
    Anyone,
    /// Men only.
    Men,
    /// Women only.
    Women,
}

/// What was paid for. That only VIPs choose whom they meet is said by the type.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tier {
    /// Meets anyone.
    Plain,
    /// Goes first (see [`Rules::vip_head_start`]) and may choose.
    Vip {
        /// Whom he wants.
        wants: Wants,
        /// After [`Rules::widen_after`] without a partner he takes anyone.
        widens: bool,
    },
}

/// People who may meet at all, by language for example: below [`Size::pools`].
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default, Debug)]
pub struct Pool(pub u8);

impl Pool {
    pub(super) const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A wish to be paired.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// Who he is.
    pub gender: Gender,
    /// What he paid for, and so whom he may choose.
    pub tier: Tier,
    /// Where he looks.
    pub pool: Pool,
    /// How long he is willing to wait, counted from his first join; `Duration::MAX` for ever.
    pub patience: Duration,
}

impl Ticket {
    /// Someone who meets anyone and waits for ever.
    #[must_use]
    pub const fn plain(gender: Gender, pool: Pool) -> Self {
        Self { gender, tier: Tier::Plain, pool, patience: Duration::MAX }
    }

    /// A VIP who waits for ever and never widens.
    #[must_use]
    pub const fn vip(gender: Gender, wants: Wants, pool: Pool) -> Self {
        Self { gender, tier: Tier::Vip { wants, widens: false }, pool, patience: Duration::MAX }
    }
}

/// The policy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rules {
    /// Two who were paired do not meet again for this long after the end, and up to 1.08 s more. Zero lets them,
    /// at once.
    pub recent_for: Duration,
    /// A VIP stands in line as if he had come this much earlier. Hence the bound for everyone else: one
    /// who has waited this long is passed by nobody who comes later.
    pub vip_head_start: Duration,
    /// A VIP who chose and whose ticket widens takes anyone after this wait.
    pub widen_after: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            recent_for: Duration::from_secs(20 * 60),
            vip_head_start: Duration::from_secs(60),
            widen_after: Duration::from_secs(30),
        }
    }
}

/// How much is set aside. Memory is reserved at once and touched as it is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Size {
    /// Seats that can be out at one time; at most [`USERS_MAX`].
    pub users: u32,
    /// Pools; at most [`POOLS_MAX`].
    pub pools: u16,
    /// Pairs of users of whom one blocked the other, over the life of the matchmaker.
    pub blocks: u32,
}

/// A ticket in line: what is kept of it while it waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Filed {
    pub(super) ticket: Ticket,
    /// His place among classes: the smallest goes first. The time of his first join, which may lie before the
    /// process began; for a VIP earlier.
    pub(super) rank: Instant,
    /// When his patience ends.
    pub(super) expires: Instant,
    /// When he begins to take anyone: at once if he always does, never if he never will.
    pub(super) widens: Instant,
}

impl Filed {
    const NOTHING: Self = Self {
        ticket: Ticket::plain(Gender::Unstated, Pool(0)),
        rank: Instant::ORIGIN,
        expires: Instant::ORIGIN,
        widens: Instant::ORIGIN,
    };

    pub(super) fn new(ticket: &Ticket, waited: Duration, now: Nanos, rules: &Rules) -> Self {
        let joined = Instant::at(now).before(waited);
        let (rank, widens) = match ticket.tier {
            Tier::Plain => (joined, Instant::ORIGIN),
            Tier::Vip { wants, widens } => {
                let widens = match wants {
                    Wants::Anyone => Instant::ORIGIN,
                    _ if widens => joined.after(rules.widen_after),
                    _ => Instant::NEVER,
                };
                (joined.before(rules.vip_head_start), widens)
            }
        };
        let expires =
            if ticket.patience == Duration::MAX { Instant::NEVER } else { joined.after(ticket.patience) };
        Self { ticket: *ticket, rank, expires, widens }
    }
}
