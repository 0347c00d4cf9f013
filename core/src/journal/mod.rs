//! The journal without its files: bytes to frames, and what recovery makes of the bytes it finds.
//!
//! What lives here: [`frame`], the codec of segment headers and frames, and [`recover`], the truth table
//! that says keep, cut or refuse. The shell's disk room calls it with bytes it has read; nothing here
//! opens, writes or syncs. What a payload means is the engine's subject.
//!
//! ```text
//! segment = header (4,096 bytes) frame frame frame ... zeros or what the recycled file held before
//! frame   = length, checksum, segment, kind, sequence, synced_to, payload, zeros to a multiple of 8
//! ```
//!
//! `docs/format.md` draws both byte by byte; a test holds it to the truth.

pub mod frame;
pub mod recover;
pub mod snapshot;
