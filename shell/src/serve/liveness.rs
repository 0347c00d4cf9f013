//! Does every thread still move? The main thread asks, and only then says to the service manager that the process
//! lives.
//!
//! What lives here: [`Liveness`]. A thread is watched by a number that rises whenever it goes round its loop; it is
//! woken to make it go round. The journal thread sleeps when there is nothing to write, so it is asked otherwise: does
//! it owe a commit, and has none come since the last look? A full disk is no standstill: it is told, and heals.

use crate::clock::Clock;
use crate::say;
use crate::supervisor::Notifier;
use nobat_core::time::Nanos;
use std::time::Duration;

/// How often it is looked, unless a watchdog wants it more often.
const EVERY: Duration = Duration::from_secs(15);

/// Looks within one period of the watchdog: one may come late without harm.
const LOOKS: u32 = 4;

/// A thread that is watched.
pub(super) struct Watched {
    /// For the log.
    pub name: String,
    /// Rises when the thread goes round.
    pub beat: Box<dyn Fn() -> u64>,
    /// Whether it may stand still at present.
    pub idle: Box<dyn Fn() -> bool>,
    /// Makes it go round.
    pub poke: Box<dyn Fn()>,
}

struct Seen {
    watched: Watched,
    beat: u64,
    moved: Nanos,
    told: bool,
}

/// The watch over all threads.
pub(super) struct Liveness {
    every: Duration,
    next: Nanos,
    threads: Vec<Seen>,
}

impl Liveness {
    pub(super) fn new(notifier: &Notifier, threads: Vec<Watched>, clock: Clock) -> Self {
        let every = notifier.watchdog().map_or(EVERY, |every| EVERY.min(every / LOOKS));
        let now = clock.mono();
        let seen = |watched: Watched| {
            let beat = (watched.beat)();
            (watched.poke)();
            Seen { watched, beat, moved: now, told: false }
        };
        Self { every, next: now.after(every), threads: threads.into_iter().map(seen).collect() }
    }

    /// Looks if it is time; says that the process lives if every thread has moved since the last look.
    pub(super) fn look(&mut self, now: Nanos, notifier: &Notifier) {
        if now < self.next {
            return;
        }
        self.next = now.after(self.every);
        if self.all_move(now) {
            notifier.beat();
        }
    }

    fn all_move(&mut self, now: Nanos) -> bool {
        let mut all = true;
        for Seen { watched, beat, moved, told } in &mut self.threads {
            let found = (watched.beat)();
            if found != *beat || (watched.idle)() {
                if std::mem::take(told) {
                    say!(Warn, "a thread moves again", thread = watched.name);
                }
                (*beat, *moved) = (found, now);
            } else {
                all = false;
                if !std::mem::replace(told, true) {
                    let stood = now.since(*moved).as_secs();
                    say!(Error, "a thread stands still", thread = watched.name, for_s = stood);
                }
            }
            (watched.poke)();
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use std::rc::Rc;

    /// A thread that goes round when poked, unless it hangs.
    fn thread(hangs: &Rc<Cell<bool>>, idle: &Rc<Cell<bool>>) -> Watched {
        let round = Rc::<Cell<u64>>::default();
        let (beat, hangs, idle) = (Rc::clone(&round), Rc::clone(hangs), Rc::clone(idle));
        Watched {
            name: "a thread".to_owned(),
            beat: Box::new(move || beat.get()),
            idle: Box::new(move || idle.get()),
            poke: Box::new(move || round.set(if hangs.get() { round.get() } else { round.get() + 1 })),
        }
    }

    #[test]
    fn a_thread_that_hangs_is_noticed_at_the_next_look_and_forgiven_when_it_moves() {
        let (hangs, idle) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
        let clock = Clock::start();
        let healthy = (Rc::default(), Rc::default());
        let threads = vec![thread(&hangs, &idle), thread(&healthy.0, &healthy.1)];
        let mut liveness = Liveness::new(&Notifier::silent(), threads, clock);
        let at = |secs: u64| Nanos::from_secs(100 + secs);
        assert!(liveness.all_move(at(0)) && liveness.all_move(at(15)));
        hangs.set(true);
        // It went round at the last poke.
        assert!(liveness.all_move(at(30)));
        assert!(!liveness.all_move(at(45)) && !liveness.all_move(at(60)));
        idle.set(true);
        assert!(liveness.all_move(at(75)), "who owes nothing may sleep");
        idle.set(false);
        assert!(!liveness.all_move(at(90)));
        hangs.set(false);
        assert!(!liveness.all_move(at(105)) && liveness.all_move(at(120)));
    }
}
