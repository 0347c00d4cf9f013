//! RFC 9112 4 and 6.3 from the client's side.

use super::*;

fn head(text: &str, method: Method) -> Result<(Framing, bool), Step> {
    let mut index = ResponseIndex::default();
    match parse_response(text.as_bytes(), &HeadLimits::default(), method, &mut index) {
        Step::Done(n) => {
            assert_eq!(n, text.len());
            let head = ResponseHead::new(text.as_bytes(), &index);
            Ok((head.framing(), head.persists()))
        }
        other => Err(other),
    }
}

#[test]
fn rfc_9112_4_status_lines() {
    for good in ["HTTP/1.1 200 OK", "HTTP/1.1 200 ", "HTTP/1.0 404 Not\tFound \u{fc}", "HTTP/1.1 599 x"] {
        assert!(head(&format!("{good}\r\n\r\n"), Method::Get).is_ok(), "{good}");
    }
    for bad in [
        "HTTP/1.1 200",
        "HTTP/1.1  200 OK",
        "HTTP/1.1 20 OK",
        "HTTP/1.1 2000 OK",
        "HTTP/1.1 600 x",
        "HTTP/1.1 099 x",
        "HTTP/1.1 2x0 OK",
        "http/1.1 200 OK",
        "HTTP/1.1 200 O\0K",
        "HTTP/1.1\t200 OK",
        "",
        " HTTP/1.1 200 OK",
    ] {
        assert_eq!(head(&format!("{bad}\r\n\r\n"), Method::Get), Err(Step::Bad(Reason::StatusLine)), "{bad}");
    }
    assert_eq!(head("HTTP/3.0 200 OK\r\n\r\n", Method::Get), Err(Step::Bad(Reason::Version)));
}

#[test]
fn rfc_9112_6_3_how_long_a_response_is() {
    let length = "Content-Length: 5\r\n";
    for (status, method, lines, wanted, persists) in [
        (200, Method::Post, length, Framing::Length(5), true),
        (200, Method::Post, "Transfer-Encoding: chunked\r\n", Framing::Chunked, true),
        (200, Method::Post, "", Framing::UntilClose, false),
        (200, Method::Head, length, Framing::None, true),
        (204, Method::Post, "", Framing::None, true),
        (304, Method::Get, length, Framing::None, true),
        (100, Method::Post, "", Framing::None, true),
        (200, Method::Post, "Content-Length: 5\r\nConnection: close\r\n", Framing::Length(5), false),
    ] {
        let text = format!("HTTP/1.1 {status} x\r\n{lines}\r\n");
        assert_eq!(head(&text, method), Ok((wanted, persists)), "{text}");
    }
    assert_eq!(
        head("HTTP/1.0 200 x\r\nContent-Length: 1\r\n\r\n", Method::Get),
        Ok((Framing::Length(1), false))
    );
}

#[test]
fn rfc_9112_6_3_a_response_with_two_framings_is_refused() {
    for (lines, reason) in [
        ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Reason::LengthAndEncoding),
        ("Content-Length: 5\r\nContent-Length: 5\r\n", Reason::LengthRepeated),
        ("Transfer-Encoding: gzip, chunked\r\n", Reason::EncodingUnknown),
        ("Transfer-Encoding: gzip\r\n", Reason::Encoding),
    ] {
        assert_eq!(
            head(&format!("HTTP/1.1 200 x\r\n{lines}\r\n"), Method::Post),
            Err(Step::Bad(reason)),
            "{lines}"
        );
    }
}

#[test]
fn rfc_9110_8_4_an_answer_in_a_content_coding_is_refused() {
    let coded = |coding: &str| {
        head(
            &format!("HTTP/1.1 200 x\r\nContent-Encoding: {coding}\r\nContent-Length: 1\r\n\r\n"),
            Method::Post,
        )
    };
    assert_eq!(coded("gzip"), Err(Step::Bad(Reason::ContentCoding)));
    assert_eq!(coded("Identity"), Ok((Framing::Length(1), true)));
}

#[test]
fn rfc_9110_10_2_3_retry_after_in_seconds() {
    for (value, wanted) in [
        ("30", Some(30)),
        ("99999999999", Some(u32::MAX)),
        ("-1", None),
        ("Fri, 31 Dec 1999 23:59:59 GMT", None),
    ] {
        let text = format!("HTTP/1.1 429 x\r\nRetry-After: {value}\r\n\r\n");
        let mut index = ResponseIndex::default();
        let step = parse_response(text.as_bytes(), &HeadLimits::default(), Method::Post, &mut index);
        assert!(matches!(step, Step::Done(_)));
        assert_eq!(ResponseHead::new(text.as_bytes(), &index).retry_after(), wanted, "{value}");
    }
}
