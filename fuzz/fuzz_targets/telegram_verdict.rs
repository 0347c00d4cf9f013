//! Any answer gets a verdict. The first two bytes are the status, the third the length of `Retry-After`.
#![no_main]
use nobat::channel::telegram::VerdictReader;
use nobat_core::envelope::Verdict;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let [a, b, header, rest @ ..] = data else { return };
    let (header, body) = rest.split_at(usize::from(*header).min(rest.len()));
    let verdict = VerdictReader::new().read(u16::from_be_bytes([*a, *b]), Some(header), &mut body.to_vec());
    if let Verdict::RetryAfter(wait) = verdict {
        assert!(wait.as_secs() >= 1 && wait <= nobat::channel::telegram::verdict::RETRY_AFTER_MAX);
    }
});
