//! The mutex of the rooms that have one: parking_lot's, shuttle's under `cfg(shuttle)`.
//!
//! What lives here: [`Mutex`] and [`MutexGuard`], with parking_lot's interface in both. Shuttle runs its
//! tasks on one thread, so a lock that it does not know would stop them all.

#[cfg(not(shuttle))]
pub(crate) use parking_lot::{Mutex, MutexGuard};

#[cfg(shuttle)]
pub(crate) use shuttle::sync::MutexGuard;

/// Shuttle's, with parking_lot's interface.
#[cfg(shuttle)]
#[derive(Default)]
pub(crate) struct Mutex<T>(shuttle::sync::Mutex<T>);

#[cfg(shuttle)]
impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Self {
        Self(shuttle::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("no task panics while it holds a lock")
    }
}
