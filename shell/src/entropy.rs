//! The only source of randomness: the operating system's.

/// Eight random bytes as a seed for hashers and jitter.
///
/// # Panics
/// If the operating system has no randomness to give: nothing secure can be done then, and this happens
/// at start only.
#[must_use]
pub fn seed() -> u64 {
    getrandom::u64().expect("the operating system's random source (getrandom) failed")
}
