//! RFC 9112 2 and 3: the request line, its target, and Host.

use super::*;

fn line(line: &str) -> Step {
    parse(format!("{line}\r\nHost: x\r\n\r\n"))
}

#[test]
fn rfc_9112_2_2_one_empty_line_before_the_request_is_ignored() {
    assert!(matches!(parse("\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n"), Step::Done(_)));
    for bad in ["\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", "\nGET / HTTP/1.1\r\n", "\rGET / HTTP/1.1\r\n"] {
        assert_eq!(parse(bad), Step::Bad(Reason::RequestLine), "{bad:?}");
    }
}

#[test]
fn rfc_9112_2_2_a_bare_lf_or_cr_ends_no_line() {
    for bad in ["GET / HTTP/1.1\nHost: x\r\n\r\n", "GET / HTTP/1.1\r Host: x\r\n\r\n"] {
        assert_eq!(parse(bad), Step::Bad(Reason::RequestLine), "{bad:?}");
    }
    for bad in ["GET / HTTP/1.1\r\nHost: x\n\r\n", "GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n"] {
        assert_eq!(parse(bad), Step::Bad(Reason::FieldValue), "{bad:?}");
    }
    assert_eq!(parse("GET / HTTP/1.1\r\nHost: x\r\n\n"), Step::Bad(Reason::FieldName));
    assert_eq!(parse("GET / HTTP/1.1\r\nHost: x\r\n\rx"), Step::Bad(Reason::FieldName));
}

#[test]
fn rfc_9112_2_3_other_versions_are_505_and_malformed_ones_400() {
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/9.9", "HTTP/0.0"] {
        assert_eq!(line(&format!("GET / {version}")), Step::Bad(Reason::Version), "{version}");
    }
    for version in [
        "http/1.1",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/11",
        "HTTP/1.10",
        "HTTP/01.1",
        "HTTPS/1.1",
        "HTTP/1,1",
        "HTTP/1.1 ",
    ] {
        assert_eq!(line(&format!("GET / {version}")), Step::Bad(Reason::RequestLine), "{version}");
    }
    assert_eq!(parse("GET /\r\n\r\n"), Step::Bad(Reason::Target), "HTTP/0.9 has no version");
}

#[test]
fn rfc_9112_3_single_spaces_part_the_request_line() {
    for bad in
        [" GET / HTTP/1.1", "GET  / HTTP/1.1", "GET\t/ HTTP/1.1", "GET /  HTTP/1.1", "GET / HTTP/1.1\t"]
    {
        assert_eq!(line(bad), Step::Bad(Reason::RequestLine), "{bad:?}");
    }
    assert_eq!(line("GET /\tHTTP/1.1"), Step::Bad(Reason::Target));
    assert_eq!(line("GET  HTTP/1.1"), Step::Bad(Reason::RequestLine));
}

#[test]
fn rfc_9110_9_1_methods_are_case_sensitive_and_unknown_ones_501() {
    for method in ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        assert!(matches!(line(&format!("{method} / HTTP/1.1")), Step::Done(_)), "{method}");
    }
    for method in ["get", "Get", "BREW", "PROPFIND", "GET1", "X-Y", "CONNECT"] {
        assert_eq!(line(&format!("{method} / HTTP/1.1")), Step::Bad(Reason::MethodUnknown), "{method}");
    }
    assert_eq!(parse("A".repeat(33)), Step::Bad(Reason::MethodUnknown), "refused before its line ends");
    for bad in
        ["GE\"T / HTTP/1.1", "G@T / HTTP/1.1", "GET(/ HTTP/1.1", "\u{7f}GET / HTTP/1.1", "GÉT / HTTP/1.1"]
    {
        assert_eq!(line(bad), Step::Bad(Reason::RequestLine), "{bad:?}");
    }
    assert_eq!(parse([0x16, 3, 1, 2, 0]), Step::Bad(Reason::RequestLine), "TLS to a plain port");
}

#[test]
fn rfc_9112_3_2_1_origin_form_gives_path_and_query() {
    for (target, path, query) in [
        ("/", "/", None),
        ("/webhook/17?a=b?c/d", "/webhook/17", Some("a=b?c/d")),
        ("/?", "/", Some("")),
        ("//a//b", "//a//b", None),
        ("/%D9%86:@!$&'()*+,;=-._~", "/%D9%86:@!$&'()*+,;=-._~", None),
    ] {
        with_head(&format!("GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"), |head| {
            assert_eq!((head.path(), head.query()), (path.as_bytes(), query.map(str::as_bytes)), "{target}");
        });
    }
}

#[test]
fn rfc_9112_3_2_targets_hold_only_what_a_uri_may() {
    for bad in [
        "/a#b", "/a\"", "/<", "/>", "/\\", "/^", "/`", "/{", "/}", "/|", "/\u{7f}", "/é", "/%", "/%4",
        "/%4g", "/[", "/a?b=[0]", "a", "a/b", "?a",
    ] {
        assert_eq!(line(&format!("GET {bad} HTTP/1.1")), Step::Bad(Reason::Target), "{bad}");
    }
    assert_eq!(parse(b"GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n"), Step::Bad(Reason::Target));
}

#[test]
fn rfc_9112_3_2_2_absolute_form_is_taken_and_its_authority_counts() {
    with_head("GET HTTP://[::1]:80/p?q HTTP/1.1\r\nHost: other\r\n\r\n", |head| {
        assert_eq!((head.path(), head.query()), (&b"/p"[..], Some(&b"q"[..])));
        assert_eq!(head.authority(), Some(&b"[::1]:80"[..]));
    });
    with_head("GET https://x HTTP/1.1\r\nHost: x\r\n\r\n", |head| assert_eq!(head.path(), b"/"));
    with_head("GET https://x?q HTTP/1.1\r\nHost: x\r\n\r\n", |head| {
        assert_eq!((head.path(), head.query()), (&b"/"[..], Some(&b"q"[..])));
    });
    for bad in [
        "http:///p",
        "http://",
        "http://u@x/",
        "http://x:99999/",
        "http://x:a/",
        "ftp://x/",
        "http:/x",
        "http://[::1/",
        "http://a[b]/",
    ] {
        assert_eq!(line(&format!("GET {bad} HTTP/1.1")), Step::Bad(Reason::Target), "{bad}");
    }
}

#[test]
fn rfc_9112_3_2_3_and_3_2_4_authority_form_is_refused_and_the_asterisk_is_for_options() {
    assert_eq!(line("GET x:80 HTTP/1.1"), Step::Bad(Reason::Target));
    assert_eq!(line("GET * HTTP/1.1"), Step::Bad(Reason::Target));
    assert_eq!(line("OPTIONS ** HTTP/1.1"), Step::Bad(Reason::Target));
    with_head("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n", |head| {
        assert_eq!((head.method(), head.path()), (Method::Options, &b"*"[..]));
    });
}

#[test]
fn rfc_9112_3_a_target_of_8000_bytes_is_taken_and_a_longer_one_is_414() {
    assert!(matches!(line(&format!("GET /{} HTTP/1.1", "a".repeat(7_999))), Step::Done(_)));
    assert_eq!(parse(format!("GET /{}", "a".repeat(8_000))), Step::Bad(Reason::TargetTooLong));
}

#[test]
fn rfc_9112_3_2_host_stands_once_and_is_an_authority() {
    for good in ["x", "x:80", "x:", "1.2.3.4", "[::1]", "[2001:db8::7]:8443", "a-b_c.~d", "%41"] {
        let text = format!("GET / HTTP/1.1\r\nHOST:{good}\r\n\r\n");
        assert!(matches!(parse(&text), Step::Done(_)), "{good}");
    }
    for bad in [
        "",
        ":80",
        "x:65536",
        "x:8a",
        "x:+80",
        "u@x",
        "a/b",
        "a b",
        "[::1",
        "::1",
        "[1.2.3.4]",
        "[::1%25eth0]",
        "[v1.a]",
        "x?",
        "x#",
        "%4",
        "é",
    ] {
        let text = format!("GET / HTTP/1.1\r\nHost: {bad}\r\n\r\n");
        assert_eq!(parse(&text), Step::Bad(Reason::Host), "{bad}");
    }
    refused(Reason::HostRepeated, &["Host: x", "host: y"]);
    assert_eq!(parse("GET / HTTP/1.1\r\n\r\n"), Step::Bad(Reason::HostMissing));
    assert!(matches!(parse("GET / HTTP/1.0\r\n\r\n"), Step::Done(_)), "HTTP/1.0 knew no Host");
}
