//! The matchmaker: who is paired with whom.
//!
//! What lives here: the trait [`Matchmaker`] with what it promises, its executable specification
//! [`Spec`], the lock-free implementation of it for many threads, [`LockFree`] (whose module explains the
//! algorithm, its proof, and the engine's `settle`), and what they speak of ([`Ticket`], [`Seat`],
//! [`Pairing`]). The engine and any program that
//! wants people paired may call it. It must not know a bot, a journal or a clock: `now` is an argument,
//! and whoever drives it keeps the alarms ([`Alarms`] is one way).
//!
//! ```
//! use nobat_core::matchmaker::{Gender, Joined, Matchmaker, Pool, Rules, Size, Spec, Ticket};
//! use nobat_core::time::Nanos;
//!
//! let mut matchmaker = Spec::new(Rules::default(), Size { users: 2, pools: 1, blocks: 0 });
//! let (mut ann, mut bob) = (matchmaker.seat(0)?, matchmaker.seat(0)?);
//! let now = Nanos::from_secs(1);
//! let first = matchmaker.join(&mut ann, &Ticket::plain(Gender::Female, Pool(0)), now)?;
//! assert!(matches!(first, Joined::Waiting { .. }));
//! let second = matchmaker.join(&mut bob, &Ticket::plain(Gender::Male, Pool(0)), now)?;
//! assert!(matches!(second, Joined::Paired(p) if p.found.slot == ann.slot()));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod alarms;
mod api;
mod class;
mod instant;
pub mod lockfree;
mod recent;
mod spec;
mod ticket;

pub use alarms::Alarms;
pub use api::{
    Full, Joined, Left, Matchmaker, Member, Pairing, PairingId, Refused, Standing, VERSION_MAX, Woken,
};
pub use lockfree::LockFree;
pub use spec::Spec;
pub use ticket::{Gender, POOLS_MAX, Pool, Rules, Seat, Size, Slot, Ticket, Tier, USERS_MAX, Wants};
