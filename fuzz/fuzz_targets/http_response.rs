#![no_main]
//! Responses: a subset of httparse with the same meaning, judged the same wherever they are cut.

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    nobat::http::fuzz::response_agrees_with(data, |bytes| {
        let mut lines = [httparse::EMPTY_HEADER; 64];
        let mut parsed = httparse::Response::new(&mut lines);
        let httparse::Status::Complete(n) = parsed.parse(bytes).ok()? else { return None };
        let fields = parsed.headers.iter().map(|h| (h.name.into(), h.value.into())).collect();
        Some((n, parsed.code?.to_string(), fields))
    });
});
