//! Any answer gets a verdict. The first two bytes are the status, the third `Retry-After`, 0 for none.
#![no_main]
use nobat::channel::telegram::VerdictReader;
use nobat_core::envelope::Verdict;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [a, b, header, body @ ..] = data else { return };
    let header = (*header > 0).then_some(u32::from(*header) << 12);
    let verdict = VerdictReader::new().read(u16::from_be_bytes([*a, *b]), header, &mut body.to_vec());
    if let Verdict::RetryAfter(wait) = verdict {
        assert!(wait.as_secs() >= 1 && wait <= nobat::channel::telegram::verdict::RETRY_AFTER_MAX);
    }
});
