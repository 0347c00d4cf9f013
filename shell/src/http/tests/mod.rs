//! Tests of the codec, one file a subject. Names carry the RFC's section.

mod against_httparse;
mod chunked;
mod cut;
mod fields;
mod framing;
mod request_line;
mod responses;
mod writers;

use super::*;

/// Parses a request head given as text.
fn parse(text: impl AsRef<[u8]>) -> Step {
    parse_request(text.as_ref(), &HeadLimits::default(), &mut RequestIndex::default())
}

/// Parses a head that must be good, and looks at it.
fn with_head<T>(text: &str, look: impl FnOnce(&RequestHead<'_>) -> T) -> T {
    let mut index = RequestIndex::default();
    let step = parse_request(text.as_bytes(), &HeadLimits::default(), &mut index);
    assert_eq!(step, Step::Done(text.len()), "{text}");
    look(&RequestHead::new(text.as_bytes(), &index))
}

/// A GET head with these further lines.
fn with_lines(lines: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: x\r\n{lines}\r\n")
}

/// Asserts that each of these field lines makes the request refused for this reason.
fn refused(reason: Reason, lines: &[&str]) {
    for line in lines {
        assert_eq!(parse(with_lines(&format!("{line}\r\n"))), Step::Bad(reason), "{line:?}");
    }
}
