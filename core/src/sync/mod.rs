//! Concurrent structures of our own, and the shim that swaps their atomics for loom's.
//!
//! What lives here: [`atomic`] (the only way the lock-free rooms reach an atomic) and the structures
//! built on it. The lock-free rooms (`sync`, `bucket`, `matchmaker`) import atomics from here and from
//! nowhere else, so that `RUSTFLAGS="--cfg loom"` checks the shipped source.

/// Atomics and fences: core's, or loom's under `cfg(loom)`.
pub mod atomic {
    #[cfg(not(loom))]
    pub use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
    #[cfg(loom)]
    pub use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering, fence};
}
