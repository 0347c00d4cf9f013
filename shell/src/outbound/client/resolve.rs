//! Addresses of the origin: resolved by the caller at start, again in the background after failures.

use super::Origin;
use nobat_core::time::Nanos;
use parking_lot::Mutex;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

/// Failures come in swarms; one look-up answers all of them.
const REST: Duration = Duration::from_secs(5);

/// The addresses, and the turn among them.
#[derive(Debug)]
pub(super) struct Addresses {
    known: Vec<SocketAddr>,
    turn: usize,
    fresh: Arc<Mutex<Option<Vec<SocketAddr>>>>,
    next_lookup: Nanos,
}

impl Addresses {
    pub(super) fn new(known: Vec<SocketAddr>) -> Self {
        Self { known, turn: 0, fresh: Arc::default(), next_lookup: Nanos::ZERO }
    }

    /// The address to connect to.
    pub(super) fn current(&mut self) -> Option<SocketAddr> {
        if let Some(fresh) = self.fresh.lock().take() {
            self.known = fresh;
        }
        let len = self.known.len();
        (len > 0).then(|| self.known[self.turn % len])
    }

    /// That address failed: the next one is tried, and the name is looked up again in a thread of its own,
    /// because look-ups block for seconds. If no thread can be had, the known addresses stay.
    pub(super) fn failed(&mut self, origin: &Origin, now: Nanos) {
        self.turn = self.turn.wrapping_add(1);
        if now < self.next_lookup {
            return;
        }
        self.next_lookup = now.after(REST);
        let (origin, fresh) = (origin.clone(), Arc::clone(&self.fresh));
        let _ = std::thread::Builder::new().name("resolve".into()).spawn(move || {
            if let Ok(found) = origin.resolve() {
                *fresh.lock() = Some(found);
            }
        });
    }
}
