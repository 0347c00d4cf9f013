//! Platforms, thin: decode what comes in, encode what goes out, read the verdict.

pub mod telegram;
