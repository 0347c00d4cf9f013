//! RFC 9112 2 and 3: the request line, its target, and Host.

use crate::case::Case;

fn line(section: &'static str, line: &str, status: u16) -> Case {
    Case::new(section, format!("{line}\r\nHost: x\r\n\r\n"), status)
}

pub(crate) fn cases() -> Vec<Case> {
    [lines(), versions(), targets(), hosts()].concat()
}

fn lines() -> Vec<Case> {
    let mut cases = vec![
        Case::new("9112 2.2", "\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 200),
        Case::new("9112 2.2", "\r\n\r\n\r\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case::new("9112 2.2", "\nGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case::new("9112 2.2", "\rGET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case::new("9112 2.2", "GET /healthz HTTP/1.1\nHost: x\r\n\r\n", 400),
        Case::new("9112 2.2", "GET /healthz HTTP/1.1\nHost: x\n\n", 400),
        Case::new("9112 2.2", "GET /healthz HTTP/1.1\rHost: x\r\r", 400),
        Case::new("9112 2.2", "GET /healthz HTTP/1.1\r\r\nHost: x\r\n\r\n", 400),
        Case::new("9112 2.2", "GET /healthz HTTP/1.1\r\n\nHost: x\r\n\r\n", 400),
        Case::new("9112 2.2", "GET /healthz HTTP/1.1\r\n Host: x\r\n\r\n", 400),
        Case::new("9112 2.2", "GET /healthz HTTP/1.1\r\n\tHost: x\r\n\r\n", 400),
        Case::new("9112 2.2", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".as_slice(), 400),
        Case::new("9112 2.2", b"\0GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n".as_slice(), 400),
        Case::new("9112 2.2", "\u{feff}GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        Case::new("9112 3", format!("GET /healthz?{} HTTP/1.1\r\nHost: x\r\n\r\n", "q".repeat(7_900)), 200),
        Case::new("9112 3", format!("GET /{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(9_000)), 414),
    ];
    for bad in [
        " GET /healthz HTTP/1.1",
        "\tGET /healthz HTTP/1.1",
        "GET  /healthz HTTP/1.1",
        "GET /healthz  HTTP/1.1",
        "GET\t/healthz HTTP/1.1",
        "GET /healthz\tHTTP/1.1",
        "GET /healthz HTTP/1.1 ",
        "GET /healthz HTTP/1.1\t",
        "GET /healthz HTTP/1.1 x",
        "GET /heal thz HTTP/1.1",
        "GET\u{b}/healthz HTTP/1.1",
        "GET /healthz\u{c}HTTP/1.1",
        "GET HTTP/1.1",
        "GET  HTTP/1.1",
        "GET /healthz",
        "GET",
        "/healthz HTTP/1.1",
        "GET /healthzHTTP/1.1",
        "GET/healthz HTTP/1.1",
        "GET /healthz HTTP/1.1 HTTP/1.1",
        "HTTP/1.1 200 OK",
    ] {
        cases.push(line("9112 3", bad, 400));
    }
    cases
}

fn versions() -> Vec<Case> {
    let mut cases = Vec::new();
    for bad in [
        "http/1.1",
        "Http/1.1",
        "HTTP/1",
        "HTTP/1.",
        "HTTP/.1",
        "HTTP/11",
        "HTTP/1.10",
        "HTTP/1.01",
        "HTTP/01.1",
        "HTTP/1.1.1",
        "HTTP/1,1",
        "HTTP/1 .1",
        "HTTP /1.1",
        "HTTP/-1.1",
        "HTTP/+1.1",
        "HTTP/1.x",
        "HTTP/x.1",
        "HTTP-1.1",
        "HTTPS/1.1",
        "HTP/1.1",
        "XHTTP/1.1",
        "FTP/1.1",
        "ICY/1.1",
        "1.1",
        "HTTP/\u{661}.1",
    ] {
        cases.push(line("9112 2.3", &format!("GET /healthz {bad}"), 400));
    }
    for other in ["HTTP/0.9", "HTTP/0.0", "HTTP/1.2", "HTTP/1.9", "HTTP/2.0", "HTTP/3.0", "HTTP/9.9"] {
        cases.push(line("9110 2.5", &format!("GET /healthz {other}"), 505));
    }
    cases.push(Case::new("9110 2.5", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505));
    cases.push(Case::new("9110 2.5", "GET /healthz HTTP/1.0\r\n\r\n", 200).closes());
    cases.push(Case::new("9112 2.3", "GET /healthz\r\n", 400));
    cases
}

fn targets() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, target, status) in [
        ("9112 3.2.1", "/healthz", 200),
        ("9112 3.2.1", "/healthz?", 200),
        ("9112 3.2.1", "/healthz?a=b&c=d/e?f", 200),
        ("9112 3.2.1", "/healthz?%D9%86=%00", 200),
        ("9112 3.2.1", "//healthz", 404),
        ("9112 3.2.1", "/healthz/", 404),
        ("9112 3.2.1", "/HEALTHZ", 404),
        ("9112 3.2.1", "/./healthz", 404),
        ("9112 3.2.1", "/x/../healthz", 404),
        ("9112 3.2.1", "/%68ealthz", 404),
        ("9112 3.2.1", "/:@!$&'()*+,;=-._~", 404),
        ("9112 3.2.2", "http://x/healthz", 200),
        ("9112 3.2.2", "HTTP://x/healthz", 200),
        ("9112 3.2.2", "https://x:443/healthz", 200),
        ("9112 3.2.2", "http://other.example.org/healthz", 200),
        ("9112 3.2.2", "http://[::1]:3000/healthz?q", 200),
        ("9112 3.2.2", "http://x", 200),
        ("9112 3.2.2", "http://x?q", 200),
        ("9112 3.2.2", "http:///healthz", 400),
        ("9112 3.2.2", "http://", 400),
        ("9112 3.2.2", "http:/healthz", 400),
        ("9112 3.2.2", "http:healthz", 400),
        ("9112 3.2.2", "://x/healthz", 400),
        ("9112 3.2.2", "ftp://x/healthz", 400),
        ("9112 3.2.2", "httpx://x/healthz", 400),
        ("9112 3.2.2", "http://x:/healthz", 200),
        ("9112 3.2.2", "http://x:99999/healthz", 400),
        ("9112 3.2.2", "http://x:8a/healthz", 400),
        ("9112 3.2.2", "http://x:-1/healthz", 400),
        ("9112 3.2.2", "http://[::1/healthz", 400),
        ("9112 3.2.2", "http://[::1]x/healthz", 400),
        ("9112 3.2.2", "http://x/healthz#f", 400),
        ("9110 4.2.4", "http://user@x/healthz", 400),
        ("9110 4.2.4", "http://user:password@x/healthz", 400),
        ("9112 3.2.3", "x:80", 400),
        ("9112 3.2.3", "x.example.org", 400),
        ("9112 3.2.4", "*", 400),
        ("9112 3.2.4", "/*", 404),
        ("9112 3.2.4", "**", 400),
        ("9112 3.2", "healthz", 400),
        ("9112 3.2", "?q", 400),
        ("9112 3.2", "#f", 400),
        ("9112 3.2", "/healthz#f", 400),
        ("9112 3.2", "\\healthz", 400),
        ("9112 3.2", "/heal\\thz", 400),
        ("9112 3.2", "/\"", 400),
        ("9112 3.2", "/<>", 400),
        ("9112 3.2", "/^", 400),
        ("9112 3.2", "/`", 400),
        ("9112 3.2", "/{x}", 400),
        ("9112 3.2", "/|", 400),
        ("9112 3.2", "/a[0]", 400),
        ("9112 3.2", "/?a[0]=1", 400),
        ("9112 3.2", "/%", 400),
        ("9112 3.2", "/%4", 400),
        ("9112 3.2", "/%4g", 400),
        ("9112 3.2", "/%zz", 400),
        ("9112 3.2", "/?%", 400),
        ("9112 3.2", "/\u{7f}", 400),
        ("9112 3.2", "/\u{1}", 400),
        ("9112 3.2", "/\u{0}", 400),
        ("9112 3.2", "/é", 400),
        ("9112 3.2", "/نوبت", 400),
    ] {
        cases.push(line(section, &format!("GET {target} HTTP/1.1"), status));
    }
    cases.push(line("9112 3.2.4", "OPTIONS * HTTP/1.1", 200));
    cases.push(line("9112 3.2.4", "OPTIONS *?q HTTP/1.1", 400));
    cases.push(line("9112 3.2.4", "HEAD * HTTP/1.1", 400));
    cases.push(Case::new("9112 3.2.2", "GET http://x/healthz HTTP/1.1\r\n\r\n", 400));
    cases.push(Case::new("9112 3.2.2", "GET http://x/healthz HTTP/1.1\r\nHost:\r\n\r\n", 400));
    cases
}

fn hosts() -> Vec<Case> {
    let mut cases = Vec::new();
    let with = |value: &str| format!("GET /healthz HTTP/1.1\r\nHost:{value}\r\n\r\n");
    for good in [
        " bot.example.org",
        "bot.example.org:8443",
        " x:",
        "\tx\t",
        " 127.0.0.1",
        " 127.0.0.1:3000",
        " [::1]",
        " [2001:db8::7]:443",
        " a-b_c.~d",
        " %41",
        " x.",
        " XN--MGBAAM7A8H",
    ] {
        cases.push(Case::new("9112 3.2", with(good), 200));
    }
    for bad in [
        "",
        " ",
        " :80",
        " x:65536",
        " x:8a",
        " x:+80",
        " x:80:80",
        " user@x",
        " http://x",
        " x/",
        " x/healthz",
        " x?q",
        " x#f",
        " a b",
        " a, b",
        " x\\y",
        " \"x\"",
        " <x>",
        " [::1",
        " ::1",
        " []",
        " [::1]x",
        " [::g]",
        " [1.2.3.4]",
        " x[::1]",
        " %4",
        " %zz",
        " é",
        " x\u{0}",
        " x\u{1}",
    ] {
        cases.push(Case::new("9112 3.2", with(bad), 400));
    }
    for (lines, status) in [
        ("", 400),
        ("Host: x\r\nHost: x\r\n", 400),
        ("Host: x\r\nHost: y\r\n", 400),
        ("Host: x\r\nhOST: x\r\n", 400),
        ("Host: x\r\nHost:\r\n", 400),
        ("Host : x\r\n", 400),
        ("HOST: x\r\n", 200),
        ("X-Host: x\r\n", 400),
        ("A: b\r\nC: d\r\nhost: x\r\n", 200),
    ] {
        cases.push(Case::new("9112 3.2", format!("GET /healthz HTTP/1.1\r\n{lines}\r\n"), status));
    }
    cases.push(Case::new("9112 3.2", "GET /healthz HTTP/1.0\r\nHost: x\r\nHost: y\r\n\r\n", 400));
    cases.push(Case::new("9112 3.2", "GET /healthz HTTP/1.0\r\nHost: a b\r\n\r\n", 400));
    cases
}
