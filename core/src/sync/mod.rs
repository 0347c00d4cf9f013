//! Concurrent structures of our own, and the shim that swaps their atomics for loom's.
//!
//! What lives here: [`atomic`] (the only way the lock-free rooms reach an atomic) and the structures
//! built on it. The lock-free rooms (`sync`, `bucket`, `matchmaker`) import atomics from here and from
//! nowhere else, so that `RUSTFLAGS="--cfg loom"` checks the shipped source.

/// Atomics and fences: core's, loom's under `cfg(loom)`, shuttle's under `cfg(shuttle)`.
pub mod atomic {
    #[cfg(not(any(loom, shuttle)))]
    pub use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
    #[cfg(loom)]
    pub use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
    #[cfg(shuttle)]
    pub use shuttle::sync::atomic::{
        AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence,
    };
}

pub(crate) mod lock;
pub mod ring;
pub(crate) mod turns;
pub(crate) mod words;

/// The cell and the shared pointer of the structures here: core's, or loom's under `cfg(loom)`, with
/// loom's interface in both.
mod cell {
    #[cfg(loom)]
    pub(super) use loom::{cell::UnsafeCell, sync::Arc};
    #[cfg(not(loom))]
    pub(super) use std::sync::Arc;

    #[cfg(not(loom))]
    pub(super) struct UnsafeCell<T>(core::cell::UnsafeCell<T>);

    #[cfg(not(loom))]
    impl<T> UnsafeCell<T> {
        pub(super) const fn new(value: T) -> Self {
            Self(core::cell::UnsafeCell::new(value))
        }

        pub(super) fn with_mut<R>(&self, f: impl FnOnce(*mut T) -> R) -> R {
            f(self.0.get())
        }
    }
}
