//! People who look for each other in the engine, under any inputs, delays, and kills at any frame: pairs are mutual,
//! nobody is in two, no two wait who may meet, and every prefix of the journal replays.
#![no_main]
use nobat_fuzz::pairs::{Op, play};

libfuzzer_sys::fuzz_target!(|ops: Vec<Op>| play(&ops));
