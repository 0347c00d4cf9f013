//! RFC 9112 6, 7 and 9: where a body ends and whether the connection stays.

use super::*;

fn framing(lines: &str) -> Framing {
    with_head(&with_lines(lines), |head| head.framing())
}

#[test]
fn rfc_9112_6_3_a_request_that_announces_no_body_has_none() {
    assert_eq!(framing(""), Framing::None);
}

#[test]
fn rfc_9112_6_2_content_length_is_a_decimal_number() {
    assert_eq!(framing("Content-Length: 0\r\n"), Framing::Length(0));
    assert_eq!(framing("content-length:\t570\r\n"), Framing::Length(570));
    assert_eq!(framing("Content-Length: 0042\r\n"), Framing::Length(42));
    assert_eq!(framing("Content-Length: 18446744073709551615\r\n"), Framing::Length(u64::MAX));
    refused(
        Reason::Length,
        &[
            "Content-Length:",
            "Content-Length: +1",
            "Content-Length: -1",
            "Content-Length: 0x10",
            "Content-Length: 1 2",
            "Content-Length: 1,1",
            "Content-Length: 1, 2",
            "Content-Length: 1.0",
            "Content-Length: ١",
            "Content-Length: 1_0",
            "Content-Length: 1;",
            "Content-Length: \"1\"",
            "Content-Length: 1e3",
            "Content-Length: ,1",
        ],
    );
    refused(Reason::BodyTooLarge, &["Content-Length: 18446744073709551616"]);
}

#[test]
fn rfc_9112_6_3_a_repeated_content_length_is_refused_even_if_it_agrees() {
    refused(
        Reason::LengthRepeated,
        &["Content-Length: 1\r\nContent-Length: 1", "Content-Length: 1\r\ncontent-length: 2"],
    );
}

#[test]
fn rfc_9112_6_1_a_length_beside_a_coding_is_refused() {
    refused(
        Reason::LengthAndEncoding,
        &[
            "Content-Length: 1\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked\r\nContent-Length: 1",
        ],
    );
}

#[test]
fn rfc_9112_6_1_chunked_stands_once_and_last() {
    assert_eq!(framing("Transfer-Encoding: chunked\r\n"), Framing::Chunked);
    assert_eq!(framing("transfer-ENCODING:\tChunKed \r\n"), Framing::Chunked);
    refused(
        Reason::Encoding,
        &[
            "Transfer-Encoding:",
            "Transfer-Encoding: chunked, chunked",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            "Transfer-Encoding: chunked, gzip",
            "Transfer-Encoding: chunked,",
            "Transfer-Encoding: , chunked",
            "Transfer-Encoding: chunked;q=1",
            "Transfer-Encoding: chunked ;q=1",
            "Transfer-Encoding: \"chunked\"",
            "Transfer-Encoding: identity",
            "Transfer-Encoding: gzip",
            "Transfer-Encoding: xchunked",
            "Transfer-Encoding: chunked identity",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        ],
    );
}

#[test]
fn rfc_9112_6_1_a_coding_that_is_not_implemented_is_501() {
    refused(
        Reason::EncodingUnknown,
        &[
            "Transfer-Encoding: gzip, chunked",
            "Transfer-Encoding: identity, chunked",
            "Transfer-Encoding: gzip;q=1,chunked",
            "Transfer-Encoding: br\r\nTransfer-Encoding: chunked",
        ],
    );
}

#[test]
fn rfc_9112_6_1_http_1_0_has_no_transfer_coding() {
    let text = "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n";
    assert_eq!(parse(text), Step::Bad(Reason::EncodingInHttp10));
}

#[test]
fn names_that_only_look_like_framing_do_not_frame() {
    for line in [
        "Content_Length: 5\r\n",
        "Content-Lengt: 5\r\n",
        "Transfer_Encoding: chunked\r\n",
        "X-Content-Length: 5\r\n",
    ] {
        assert_eq!(framing(line), Framing::None, "{line}");
    }
}

#[test]
fn rfc_9112_9_3_persistence_follows_version_and_connection() {
    let persists = |version: &str, line: &str| {
        with_head(&format!("GET / {version}\r\nHost: x\r\n{line}\r\n"), |head| head.persists())
    };
    for (version, line, wanted) in [
        ("HTTP/1.1", "", true),
        ("HTTP/1.1", "Connection: Close\r\n", false),
        ("HTTP/1.1", "Connection: x , close\r\n", false),
        ("HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n", false),
        ("HTTP/1.1", "Connection: closed\r\n", true),
        ("HTTP/1.0", "", false),
        ("HTTP/1.0", "Connection: Keep-Alive\r\n", true),
        ("HTTP/1.0", "Connection: keep-alive, close\r\n", false),
    ] {
        assert_eq!(persists(version, line), wanted, "{version} {line}");
    }
}

#[test]
fn rfc_9110_10_1_1_expectations() {
    let expects = |version: &str, lines: &str| {
        with_head(&format!("POST / {version}\r\nHost: x\r\n{lines}\r\n"), |head| head.expects_continue())
    };
    assert!(expects("HTTP/1.1", "Expect: 100-Continue\r\nContent-Length: 1\r\n"));
    assert!(!expects("HTTP/1.0", "Expect: 100-continue\r\nContent-Length: 1\r\n"), "HTTP/1.0 knows none");
    assert!(!expects("HTTP/1.1", "Expect: 100-continue\r\n"), "nothing to wait for");
    refused(Reason::Expectation, &["Expect: 100-continue, x", "Expect: x", "Expect:"]);
}

#[test]
fn rfc_9110_8_4_a_content_coding_is_415() {
    refused(Reason::ContentCoding, &["Content-Encoding: gzip", "Content-Encoding: x"]);
    assert_eq!(framing("Content-Encoding: Identity\r\n"), Framing::None);
}
