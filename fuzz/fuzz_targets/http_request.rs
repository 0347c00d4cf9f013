#![no_main]
//! Requests: a subset of httparse with the same meaning; chunked bodies are the same in pieces.
use nobat::http::fuzz::{chunked_is_the_same_in_pieces, request_agrees_with};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    chunked_is_the_same_in_pieces(data);
    request_agrees_with(data, |bytes| {
        let mut lines = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Request::new(&mut lines);
        let httparse::Status::Complete(n) = parsed.parse(bytes).ok()? else { return None };
        let fields = parsed.headers.iter().map(|h| (h.name.into(), h.value.into())).collect();
        Some((n, format!("{} {} 1.{}", parsed.method?, parsed.path?, parsed.version?), fields))
    });
});
