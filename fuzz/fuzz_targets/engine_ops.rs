//! The engine under any inputs, and any bytes as its journal: an error or a legal state, never a panic;
//! what it wrote replays to as many pending envelopes as it has.
#![no_main]
use nobat_fuzz::engine::{Op, play, replay_any};

libfuzzer_sys::fuzz_target!(|input: (Vec<Op>, &[u8])| {
    play(&input.0);
    replay_any(input.1);
});
