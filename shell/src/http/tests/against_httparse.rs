//! Differential: whatever we accept, httparse accepts with the same meaning.

use super::*;
use proptest::prelude::*;

/// Heads of plausible pieces and of noise.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(vec![
            "GET ", "POST ", "OPTIONS ", "/", "*", "http://x/", "?q=1", "%41", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "Host: x\r\n",
            "Content-Length: 1\r\n", "A: b\r\n", "A:\t\u{fc} \r\n", "~!: x\r\n", "\r\n", "\r\n\r\n", "HTTP/1.1 200 OK\r\n",
            "HTTP/1.1 200 \r\n", "HTTP/1.0 503 \u{fc}\r\n",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 1..4),
    ];
    prop::collection::vec(piece, 1..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn requests_are_a_subset_with_the_same_meaning(
        bytes in prop_oneof![
            bytes(),
            bytes().prop_map(|tail| [b"GET / HTTP/1.1\r\nHost: x\r\n", &tail[..], b"\r\n"].concat()),
        ],
    ) {
        fuzz::request_agrees_with(&bytes, |bytes| {
            let mut lines = [httparse::EMPTY_HEADER; FIELDS_MAX];
            let mut parsed = httparse::Request::new(&mut lines);
            let step = parsed.parse(bytes).ok()?;
            let httparse::Status::Complete(n) = step else { return None };
            let fields = parsed.headers.iter().map(|h| (h.name.as_bytes().to_vec(), h.value.to_vec())).collect();
            Some((n, format!("{} {} 1.{}", parsed.method?, parsed.path?, parsed.version?), fields))
        });
    }

    #[test]
    fn responses_are_a_subset_with_the_same_meaning(
        bytes in prop_oneof![
            bytes(),
            bytes().prop_map(|tail| [b"HTTP/1.1 200 OK\r\n", &tail[..], b"\r\n"].concat()),
        ],
    ) {
        fuzz::response_agrees_with(&bytes, |bytes| {
            let mut lines = [httparse::EMPTY_HEADER; FIELDS_MAX];
            let mut parsed = httparse::Response::new(&mut lines);
            let step = parsed.parse(bytes).ok()?;
            let httparse::Status::Complete(n) = step else { return None };
            let fields = parsed.headers.iter().map(|h| (h.name.as_bytes().to_vec(), h.value.to_vec())).collect();
            Some((n, parsed.code?.to_string(), fields))
        });
    }
}
