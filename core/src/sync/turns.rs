//! Turns: what threads do that keep getting into each other's way.
//!
//! What lives here: [`give_way`], for a lock-free step that has to be done again because another thread's took
//! effect. It pauses while the others get much done, and returns. It waits for nobody in particular, and for a
//! bounded time, so what calls it stays lock-free. The matchmaker calls it. It must not know what is counted.
//!
//! **Why.** Two threads that work on the same words at once move each cache line to and fro with every step, and
//! each of them is several times slower than one alone. If one of them pauses, the other works with warm caches;
//! later they change places. That is what an unfair lock does without being asked. The pause after a lost
//! compare-and-swap is Anderson's (*The performance of spin lock alternatives for shared-memory multiprocessors*,
//! IEEE TPDS 1, 1990) as Dice, Hendler and Mirsky use it (*Lightweight contention management for efficient
//! compare-and-swap operations*, Euro-Par 2013). What differs: whoever pauses looks whether that is of use to
//! anyone, and a thread to which it was of none bears more before it pauses again.
//!
//! In models (loom, shuttle) it does nothing: they try every order, or any.

#[cfg(not(any(loom, shuttle)))]
pub(crate) use pausing::give_way;

/// Does nothing.
#[cfg(any(loom, shuttle))]
pub(crate) fn give_way(_done: impl Fn() -> u32) {}

#[cfg(not(any(loom, shuttle)))]
mod pausing {
    use core::cell::Cell;
    use core::hint::spin_loop;

    /// Looks at what the others have done, in one wait.
    const LOOKS: u32 = 8;
    /// Pauses before each look: 5 us on AMD Zen 4 (25 ns a pause), some 9 us on Intel since Skylake (140 cycles).
    /// So nobody gives way for more than 80 us.
    const PAUSES: u32 = 200;
    /// Steps that others must have done between two looks for the wait to be of use. Threads that do little else
    /// do five times as many; those in each other's way, or with other work to do, fewer.
    const WORTH: u32 = 10;
    /// Disturbances that are borne between two waits, at most.
    const BEARS_MOST: u32 = 1_024;

    /// What a thread remembers between two calls. Only a hint.
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    pub(super) struct Manners {
        /// Disturbances still to be borne before the next wait.
        left: u32,
        /// How many are borne from one wait to the next.
        bears: u32,
    }

    impl Manners {
        /// One disturbance is borne after a wait that was of use: the other notices first that it is his turn
        /// to give way.
        pub(super) const NEW: Self = Self { left: 1, bears: 1 };

        /// Manners after this disturbance. `done` counts the steps of all threads, and wraps.
        pub(super) fn disturbed(self, done: impl Fn() -> u32, mut pause: impl FnMut()) -> Self {
            if self.left > 0 {
                return Self { left: self.left - 1, ..self };
            }
            let mut before = done();
            for _ in 0..LOOKS {
                pause();
                let now = done();
                if now.wrapping_sub(before) < WORTH {
                    let bears = (self.bears * 2).min(BEARS_MOST);
                    return Self { left: bears, bears };
                }
                before = now;
            }
            Self::NEW
        }
    }

    thread_local! {
        static MANNERS: Cell<Manners> = const { Cell::new(Manners::NEW) };
    }

    /// Tells that a step of this thread has to be done again, because of others. Returns at once, or when others
    /// have had a turn: at most [`LOOKS`] times [`PAUSES`] pauses later, earlier if they get little done.
    /// `done` counts the steps of all threads; it may wrap.
    #[cold]
    #[inline(never)]
    pub(crate) fn give_way(done: impl Fn() -> u32) {
        let pause = || (0..PAUSES).for_each(|_| spin_loop());
        // A thread that is ending has no manners any more.
        let _ending = MANNERS.try_with(|manners| manners.set(manners.get().disturbed(done, pause)));
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        /// Disturbs a thread again and again; how many pauses it made each time. Others do `steps` in each pause.
        fn pauses(disturbances: usize, steps: u32) -> Vec<u32> {
            let (done, pauses) = (Cell::new(u32::MAX - 20), Cell::new(0));
            let mut manners = Manners::NEW;
            let mut disturb = || {
                pauses.set(0);
                manners = manners.disturbed(
                    || done.get(),
                    || {
                        pauses.set(pauses.get() + 1);
                        done.set(done.get().wrapping_add(steps));
                    },
                );
                pauses.get()
            };
            (0..disturbances).map(|_| disturb()).collect()
        }

        #[test]
        fn who_is_disturbed_gives_way_for_a_bounded_time_and_then_bears_one() {
            assert_eq!(pauses(6, WORTH), [0, LOOKS, 0, LOOKS, 0, LOOKS]);
        }

        #[test]
        fn who_gives_way_to_nobody_stops_at_the_first_look_and_bears_twice_as_much() {
            assert_eq!(pauses(10, WORTH - 1), [0, 1, 0, 0, 1, 0, 0, 0, 0, 1]);
        }

        #[test]
        fn what_is_borne_has_a_bound() {
            let waits = pauses(10_000, 0).into_iter().sum::<u32>();
            // Doubling from 1 to 1,024 takes ten waits and 2,047 disturbances beside them.
            assert_eq!(waits, 10 + (10_000 - 2_047 - 10) / (BEARS_MOST + 1) + 1);
        }
    }
}
