//! Storms of many tasks under random schedules: larger than loom can enumerate, and with blocks and
//! impatience.

use super::*;
use shuttle::rand::{Rng, thread_rng};
use shuttle::sync::Arc;
use shuttle::thread;

const TASKS: u32 = 8;
const STEPS: usize = 6;

fn any_ticket() -> Ticket {
    let tickets = [MAN, WOMAN, SUITOR, Ticket::vip(Gender::Female, Wants::Men, Pool(0))];
    tickets[thread_rng().gen_range(0..tickets.len())]
}

/// One person's random hour.
fn wander(shared: &LockFree, seat: &mut Seat) {
    let mut m = shared;
    for step in 0..STEPS {
        let now = NOW.after(Duration::from_secs(step as u64));
        match thread_rng().gen_range(0..8) {
            0..4 => _ = m.join(seat, &any_ticket(), now),
            4 => _ = m.next(seat, &any_ticket(), now).1,
            5 => _ = m.leave(seat.slot(), now),
            6 => _ = m.leave(Slot(thread_rng().gen_range(0..TASKS)), now),
            _ => _ = m.wake(seat, now),
        }
    }
}

/// Everyone wanders at once; then nothing may be wrong.
fn storm() {
    let (shared, seats) = seated::<Sound>(TASKS);
    let shared = Arc::new(shared);
    let wanderer = |mut seat: Seat| {
        let shared = shared.clone();
        thread::spawn(move || {
            wander(&shared, &mut seat);
            seat
        })
    };
    let threads: Vec<_> = seats.into_iter().map(wanderer).collect();
    let mut seats: Vec<Seat> = threads.into_iter().map(|t| t.join().expect("no panic")).collect();
    pairs_are_symmetric(&shared, TASKS);
    // Nothing timed is due at the first moment that anyone used, so a rescan finds nobody new.
    for seat in &mut seats {
        let before = (&*shared).standing(seat.slot());
        let woken = (&*shared).wake(seat, NOW);
        assert!(before != Standing::Waiting || matches!(woken, Woken::Waiting { .. }), "missed: {woken:?}");
    }
}

#[test]
fn shuttle_a_storm_leaves_pairs_symmetric_and_nobody_missed() {
    shuttle::check_random(storm, 20_000);
    shuttle::check_pct(storm, 5_000, 3);
}
