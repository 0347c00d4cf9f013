//! RFC 9112 5 and RFC 9110 5: field lines, and the fields whose values a server must understand.

use crate::case::{Case, get};

pub(crate) fn cases() -> Vec<Case> {
    [names(), values(), sizes(), known()].concat()
}

fn names() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, lines, status) in [
        ("9112 5.1", "A:b\r\n", 200),
        ("9112 5.1", "A: b\r\n", 200),
        ("9112 5.1", "A:\t b \t\r\n", 200),
        ("9112 5.1", "A:\r\n", 200),
        ("9112 5.1", "A: \r\n", 200),
        ("9112 5.1", "A : b\r\n", 400),
        ("9112 5.1", "A\t: b\r\n", 400),
        ("9112 5.1", "A b: c\r\n", 400),
        ("9112 5.1", "A\r\n", 400),
        ("9112 5.1", ": b\r\n", 400),
        ("9112 5.1", ":\r\n", 400),
        ("9112 5.1", " A: b\r\n", 400),
        ("9112 5.1", "A\r\n: b\r\n", 400),
        ("9112 5.2", "A: b\r\n c\r\n", 400),
        ("9112 5.2", "A: b\r\n\tc\r\n", 400),
        ("9112 5.2", "A: b\r\n \r\n", 400),
        ("9112 5.2", "A:\r\n b\r\n", 400),
        ("9112 5.2", "Content-Length:\r\n 0\r\n", 400),
        ("9112 2.2", "A: b\n", 400),
        ("9112 2.2", "A: b\nC: d\r\n", 400),
        ("9112 2.2", "A: b\rC: d\r\n", 400),
        ("9112 2.2", "A: b\r\r\n", 400),
        ("9110 5.1", "!#$%&'*+-.^_`|~0aZ: b\r\n", 200),
        ("9110 5.1", "X-Lower: 1\r\nx-lower: 2\r\n", 200),
        ("9110 5.1", "A(: b\r\n", 400),
        ("9110 5.1", "A): b\r\n", 400),
        ("9110 5.1", "A,: b\r\n", 400),
        ("9110 5.1", "A/: b\r\n", 400),
        ("9110 5.1", "A;: b\r\n", 400),
        ("9110 5.1", "A<: b\r\n", 400),
        ("9110 5.1", "A=: b\r\n", 400),
        ("9110 5.1", "A>: b\r\n", 400),
        ("9110 5.1", "A?: b\r\n", 400),
        ("9110 5.1", "A@: b\r\n", 400),
        ("9110 5.1", "A[: b\r\n", 400),
        ("9110 5.1", "A\\: b\r\n", 400),
        ("9110 5.1", "A]: b\r\n", 400),
        ("9110 5.1", "A{: b\r\n", 400),
        ("9110 5.1", "A}: b\r\n", 400),
        ("9110 5.1", "\"A\": b\r\n", 400),
        ("9110 5.1", "A\u{0}: b\r\n", 400),
        ("9110 5.1", "A\u{1}: b\r\n", 400),
        ("9110 5.1", "A\u{b}: b\r\n", 400),
        ("9110 5.1", "A\u{7f}: b\r\n", 400),
        ("9110 5.1", "é: b\r\n", 400),
    ] {
        cases.push(Case::new(section, get(lines), status));
    }
    cases
}

fn values() -> Vec<Case> {
    let mut cases = Vec::new();
    for good in ["b c", "b\tc", "\"q\\\"\"", "é", "نوبت", ":", "b: c", ",,", "\u{80}\u{ff}"] {
        cases.push(Case::new("9110 5.5", get(&format!("A: {good}\r\n")), 200));
    }
    for control in [0u8, 1, 7, 8, 11, 12, 14, 27, 31, 127] {
        let text = [b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: b", &[control][..], b"c\r\n\r\n"].concat();
        cases.push(Case::new("9110 5.5", text, 400));
    }
    // Bytes that are not UTF-8 are opaque, not wrong.
    cases.push(Case::new(
        "9110 5.5",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA: \xff\xfe\r\n\r\n".as_slice(),
        200,
    ));
    cases
}

fn sizes() -> Vec<Case> {
    vec![
        Case::new("6585 5", get(&"A: b\r\n".repeat(60)), 200),
        Case::new("6585 5", get(&"A: b\r\n".repeat(200)), 431),
        Case::new("6585 5", get(&format!("A: {}\r\n", "b".repeat(8_000))), 200),
        Case::new("6585 5", get(&format!("A: {}\r\n", "b".repeat(20_000))), 431),
        Case::new("6585 5", get(&format!("{}: b\r\n", "A".repeat(20_000))), 431),
        Case::new("6585 5", get(&format!("A: {}\r\n", "b".repeat(300)).repeat(60)), 431),
    ]
}

/// Fields that must be ignored, or that ask for what this server does not do.
fn known() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, lines, status) in [
        ("9110 7.8", "Connection: Upgrade\r\nUpgrade: websocket\r\n", 200),
        (
            "9110 7.8",
            "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n",
            200,
        ),
        ("9110 7.8", "Upgrade: TLS/1.0\r\n", 200),
        ("9110 7.6.2", "Max-Forwards: 0\r\n", 200),
        ("9110 7.6.3", "Via: 1.1 proxy\r\n", 200),
        ("9110 10.1.4", "TE: trailers, deflate;q=0.5\r\nConnection: TE\r\n", 200),
        ("9110 10.1.1", "Expect: 100-continue\r\n", 200),
        ("9110 10.1.1", "Expect: 100-Continue, 100-continue\r\n", 200),
        ("9110 10.1.1", "Expect: 200-ok\r\n", 417),
        ("9110 10.1.1", "Expect: 100-continue, x\r\n", 417),
        ("9110 10.1.1", "Expect: 100-continue;q=1\r\n", 417),
        ("9110 10.1.1", "Expect: 100-continue\r\nExpect: x\r\n", 417),
        ("9110 12.5.1", "Accept: image/png;q=1.0, */*;q=0\r\n", 200),
        ("9110 12.5.3", "Accept-Encoding: gzip, identity;q=0\r\n", 200),
        ("9110 14.2", "Range: bytes=0-0\r\n", 200),
        ("9110 13.1.2", "If-None-Match: *\r\n", 200),
        ("9110 11.6.2", "Authorization: Basic eDp5\r\n", 200),
        ("9110 8.4", "Content-Encoding: gzip\r\n", 415),
        ("9110 8.4", "Content-Encoding: identity\r\n", 200),
        ("9110 5.3", "Cookie: a=1\r\nCookie: b=2\r\n", 200),
    ] {
        let case = Case::new(section, get(lines), status);
        cases.push(if section == "9110 8.4" && status == 415 { case.closes() } else { case });
    }
    cases
}
