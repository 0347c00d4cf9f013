//! The differential checks, shared by the tests and the fuzz targets. The peer is passed in: this crate
//! does not
//! depend on it.

use super::*;

/// What another parser found in a complete head: its length, its first line in its own words, its fields.
pub type Seen = (usize, String, Vec<(Vec<u8>, Vec<u8>)>);

/// Panics if we accept a request that `peer` refuses or reads differently, or if a cut changes our mind.
pub fn request_agrees_with(bytes: &[u8], peer: impl Fn(&[u8]) -> Option<Seen>) {
    let mut index = RequestIndex::default();
    let step = parse_request(bytes, &HeadLimits::default(), &mut index);
    if let Step::Done(n) = step {
        let head = RequestHead::new(bytes, &index);
        let minor = u8::from(head.version() == Version::Http11);
        let target = String::from_utf8_lossy(head.raw_target());
        let first = format!("{} {target} 1.{minor}", format!("{:?}", head.method()).to_uppercase());
        assert_eq!(Some((n, first, copied(head.fields()))), peer(bytes));
    }
    cuts_agree(bytes, step, |part| parse_request(part, &HeadLimits::default(), &mut index));
}

/// As [`request_agrees_with`], for responses; the first line is the status alone.
pub fn response_agrees_with(bytes: &[u8], peer: impl Fn(&[u8]) -> Option<Seen>) {
    let mut index = ResponseIndex::default();
    let step = parse_response(bytes, &HeadLimits::default(), Method::Post, &mut index);
    if let Step::Done(n) = step {
        let head = ResponseHead::new(bytes, &index);
        assert_eq!(Some((n, head.status().0.to_string(), copied(head.fields()))), peer(bytes));
    }
    cuts_agree(bytes, step, |part| parse_response(part, &HeadLimits::default(), Method::Post, &mut index));
}

/// Feeds a chunked body whole and in two pieces; panics if they differ.
pub fn chunked_is_the_same_in_pieces(bytes: &[u8]) {
    let whole = decode(&[bytes]);
    for cut in [1, bytes.len() / 2, bytes.len().saturating_sub(1)] {
        let (a, b) = bytes.split_at(cut.min(bytes.len()));
        assert_eq!(decode(&[a, b]), whole);
    }
}

fn decode(pieces: &[&[u8]]) -> (Vec<u8>, Option<Reason>, bool) {
    let (mut decoder, mut body) = (Chunked::new(1 << 20), Vec::new());
    for piece in pieces {
        let mut rest = *piece;
        loop {
            match decoder.feed(rest) {
                Progress::Data { at, len } => {
                    body.extend_from_slice(&rest[at..at + len]);
                    rest = &rest[at + len..];
                }
                Progress::NeedMore => break,
                Progress::End(_) => return (body, None, true),
                Progress::Bad(reason) => return (body, Some(reason), false),
            }
        }
    }
    (body, None, false)
}

fn cuts_agree(bytes: &[u8], whole: Step, mut parse: impl FnMut(&[u8]) -> Step) {
    for cut in [bytes.len() / 3, bytes.len() / 2, bytes.len().saturating_sub(1)] {
        let part = parse(&bytes[..cut]);
        let agrees = match (whole, part) {
            (Step::Done(n), Step::NeedMore) => cut < n,
            (_, Step::NeedMore) => true,
            (whole, part) => whole == part,
        };
        assert!(agrees, "{whole:?}, but {part:?} of the first {cut}");
    }
}

fn copied(fields: Fields<'_>) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields.iter().map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}
