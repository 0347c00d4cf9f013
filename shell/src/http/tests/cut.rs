//! The invariant of the parsers: a message cut anywhere gives `NeedMore`, or the refusal that the whole gives.

use super::*;
use proptest::prelude::*;

/// Messages near the border between good and bad: lines of a good one, and lines that break it.
fn message() -> impl Strategy<Value = Vec<u8>> {
    let first = prop::sample::select(vec![
        "GET / HTTP/1.1\r\n",
        "\r\nPOST /a?b HTTP/1.1\r\n",
        "OPTIONS * HTTP/1.0\r\n",
        "GET http://x/ HTTP/1.1\r\n",
        "BREW / HTTP/1.1\r\n",
        "GET /# HTTP/1.1\r\n",
        "GET / HTTP/2.0\r\n",
        "GET / HTTP/1.x\r\n",
        "GET /\r\n",
        "\n",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 204 \r\n",
        "HTTP/1.0 404 Not Found\r\n",
        "HTTP/1.1 99 x\r\n",
        "HTTP/1.1 200\r\n",
    ]);
    let line = prop::sample::select(vec![
        "Host: x\r\n",
        "Host: x:1\r\n",
        "Content-Length: 5\r\n",
        "Content-Length: x\r\n",
        "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: gzip\r\n",
        "Connection: close, x\r\n",
        "Expect: 100-continue\r\n",
        "Expect: y\r\n",
        "A: \t b \r\n",
        " fold\r\n",
        "A : b\r\n",
        "A: b\n",
        "A: b\rc\r\n",
        "A: \0\r\n",
        "\u{fc}: b\r\n",
        "A: \u{fc}\r\n",
        "A:\r\n",
        ":\r\n",
    ]);
    let noise = prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..2);
    (first, prop::collection::vec(line, 0..6), noise).prop_map(|(first, lines, noise)| {
        let mut bytes = [first, &lines.concat(), "\r\n", "body"].concat().into_bytes();
        for (at, byte) in noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

fn consistent(whole: Step, part: Step, cut: usize) -> bool {
    match (whole, part) {
        (Step::Done(n), Step::NeedMore) => cut < n,
        (Step::Done(n), part) => part == Step::Done(n) && cut >= n,
        (_, Step::NeedMore) => true,
        (whole, part) => whole == part,
    }
}

proptest! {
    #[test]
    fn a_request_head_cut_anywhere_is_incomplete_or_judged_the_same(bytes in message(), small in any::<bool>()) {
        let limits = if small { HeadLimits { head_bytes: 60, target_bytes: 10 } } else { HeadLimits::default() };
        let mut index = RequestIndex::default();
        let whole = parse_request(&bytes, &limits, &mut index);
        for cut in 0..bytes.len() {
            let part = parse_request(&bytes[..cut], &limits, &mut index);
            prop_assert!(consistent(whole, part, cut), "{whole:?} {part:?} at {cut}: {:?}", bytes.escape_ascii().to_string());
        }
    }

    #[test]
    fn a_response_head_cut_anywhere_is_incomplete_or_judged_the_same(bytes in message()) {
        let limits = HeadLimits::default();
        let mut index = ResponseIndex::default();
        let whole = parse_response(&bytes, &limits, Method::Post, &mut index);
        for cut in 0..bytes.len() {
            let part = parse_response(&bytes[..cut], &limits, Method::Post, &mut index);
            prop_assert!(consistent(whole, part, cut), "{whole:?} {part:?} at {cut}");
        }
    }

    #[test]
    fn a_chunked_body_in_any_pieces_decodes_as_the_whole(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..20), 0..6),
        noise in prop::option::of((any::<prop::sample::Index>(), any::<u8>())),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let mut bytes = Vec::new();
        for chunk in &chunks {
            bytes.extend_from_slice(format!("{:x};e=\"f\"\r\n", chunk.len()).as_bytes());
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        bytes.extend_from_slice(b"0\r\nT: v\r\n\r\n");
        if let Some((at, byte)) = noise {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let whole = pieces(&bytes, &[0, bytes.len()]);
        prop_assert_eq!(pieces(&bytes, &cuts), whole.clone());
        if noise.is_none() {
            prop_assert_eq!(whole, (chunks.concat(), Progress::End(bytes.len())));
        }
    }
}

/// Feeds the pieces between the cuts; gives the body and the outcome, counted from the start.
fn pieces(bytes: &[u8], cuts: &[usize]) -> (Vec<u8>, Progress) {
    let (mut decoder, mut body) = (Chunked::new(1 << 20), Vec::new());
    for pair in cuts.windows(2) {
        let mut from = pair[0];
        loop {
            match decoder.feed(&bytes[from..pair[1]]) {
                Progress::Data { at, len } => {
                    body.extend_from_slice(&bytes[from + at..from + at + len]);
                    from += at + len;
                }
                Progress::NeedMore => break,
                Progress::End(n) => return (body, Progress::End(from + n)),
                bad @ Progress::Bad(_) => return (body, bad),
            }
        }
    }
    (body, Progress::NeedMore)
}
