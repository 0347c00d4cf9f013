//! Any body is an update or a clear refusal, as simd-json's tape has it under the same rules; what is taken
//! beyond it (numbers of any size) is JSON to serde_json.
#![no_main]
use nobat::channel::telegram::{DecodeError, Decoder, decode::tape};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let (mut ours, mut theirs) = (data.to_vec(), data.to_vec());
    let update = Decoder::new().decode(&mut ours);
    if let Ok(update) = &update {
        let _ = (update.conversation(), update.input());
    }
    match tape::decode(&mut theirs) {
        // Beyond serde_json's 127 levels only the grammar of brackets is left to differ.
        Err(DecodeError::NotJson) if update != Err(DecodeError::NotJson) => {
            let read = serde_json::from_slice::<serde::de::IgnoredAny>(data);
            assert!(read.is_ok_and(|_| true) || data.iter().filter(|b| matches!(b, b'[' | b'{')).count() > 127);
        }
        Err(DecodeError::NotJson) => {}
        tape => assert_eq!(update, tape),
    }
});
