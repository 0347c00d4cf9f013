//! Tests of what only this room can see: planted bugs, and the models that check the shipped source.
//!
//! ```text
//! export RUSTFLAGS="--cfg loom"
//! LOOM_MAX_PREEMPTIONS=2 cargo test -p nobat-core --release --lib loom_ -- --skip three    as in `.ci/run`
//! cargo test -p nobat-core --release --lib loom_ -- --nocapture     each within its own bound, 10 minutes each
//! RUSTFLAGS="--cfg shuttle" cargo test -p nobat-core --release --lib shuttle_
//! ```

use super::faults::Faults;
use super::*;
#[cfg(any(loom, shuttle))]
use crate::matchmaker::Wants;
use crate::matchmaker::{Gender, Pool};

#[cfg(loom)]
mod loom_line;
#[cfg(loom)]
mod loom_pairs;
#[cfg(loom)]
mod loom_planted;
#[cfg(not(any(loom, shuttle)))]
mod planted;
#[cfg(shuttle)]
mod shuttle_storm;

const MAN: Ticket = Ticket::plain(Gender::Male, Pool(0));
#[cfg(any(loom, shuttle))]
const WOMAN: Ticket = Ticket::plain(Gender::Female, Pool(0));
#[cfg(any(loom, shuttle))]
/// Meets women only: two of them leave each other alone.
const SUITOR: Ticket = Ticket::vip(Gender::Male, Wants::Women, Pool(0));
const NOW: Nanos = Nanos::from_secs(1);

#[cfg(not(shuttle))]
#[derive(Debug)]
struct OneSided;
#[cfg(not(shuttle))]
impl Faults for OneSided {
    const ONE_SIDED: bool = true;
}

#[cfg(loom)]
#[derive(Debug)]
struct NoFence;
#[cfg(loom)]
impl Faults for NoFence {
    const NO_FENCE: bool = true;
}

#[cfg(loom)]
#[derive(Debug)]
struct AnyVersion;
#[cfg(loom)]
impl Faults for AnyVersion {
    const ANY_VERSION: bool = true;
}

/// A small matchmaker with everyone's seat.
fn seated<F: Faults>(users: u32) -> (LockFree<F>, Vec<Seat>) {
    let shared = LockFree::with_faults(Rules::default(), Size { users, pools: 1, blocks: 1 });
    let seats = (0..users).map(|_| (&shared).seat(0).expect("a seat for each")).collect();
    (shared, seats)
}

/// A small matchmaker with everyone's seat, whose lines were used before: as it is but for the first moment.
#[cfg(loom)]
fn opened<F: Faults>(users: u32) -> (LockFree<F>, Vec<Seat>) {
    let (shared, seats) = seated::<F>(users);
    for ticket in [MAN, WOMAN, SUITOR] {
        let class = Class::of(&ticket);
        shared.lines.open(class.index());
        shared.pass(ticket.pool, class, shared.turnstiles.read(0));
    }
    (shared, seats)
}

#[cfg(any(loom, shuttle))]
/// Everyone's standing must make sense together: pairs symmetric, and nobody in two.
fn pairs_are_symmetric<F: Faults>(shared: &LockFree<F>, users: u32) -> Vec<Standing> {
    let standings: Vec<Standing> = (0..users).map(|user| { shared }.standing(Slot(user))).collect();
    for (user, standing) in standings.iter().enumerate() {
        if let Standing::Paired(pairing) = standing {
            let partner = pairing.partner_of(Slot(user as u32)).expect("he is in his own pair");
            assert_eq!(standings[partner.slot.index()], *standing, "{standings:?}");
        }
    }
    standings
}
