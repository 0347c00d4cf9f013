//! Any body is an update or a clear refusal; an accepted one has the `update_id` that serde_json reads.
#![no_main]
use nobat::channel::telegram::Decoder;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut body = data.to_vec();
    let Ok(update) = Decoder::new().decode(&mut body) else { return };
    let _ = (update.conversation(), update.input());
    if let Ok(theirs) = serde_json::from_slice::<serde_json::Value>(data) {
        assert_eq!(theirs["update_id"].as_i64(), Some(update.update_id.0));
    }
});
