//! RFC 9112 6 and 9: where a body ends, and whether the connection stays.

use crate::case::{Case, get, update, whole_update};
use crate::server::BODY_BYTES_MAX;

/// An update that nobody handles: every well-framed one is answered 200.
pub(crate) const BODY: &str = "{\"update_id\":1}";

pub(crate) fn cases() -> Vec<Case> {
    [lengths(), codings(), both(), ignored(), persistence()].concat()
}

fn lengths() -> Vec<Case> {
    let mut cases = vec![
        Case::new("9112 6.2", whole_update(BODY), 200),
        Case::new("9112 6.2", update("content-LENGTH:15\r\n", BODY), 200),
        Case::new("9112 6.2", update("Content-Length: \t15\t \r\n", BODY), 200),
        Case::new("9112 6.2", update("Content-Length: 00000000000000000015\r\n", BODY), 200),
        Case::new("9112 6.2", update("Content-Length: 0\r\n", ""), 400).stays(),
        Case::new("9112 6.3", update("", ""), 411),
        Case::new("9110 15.5.14", update(&format!("Content-Length: {}\r\n", BODY_BYTES_MAX + 1), ""), 413)
            .closes(),
        Case::new("9110 15.5.14", update("Content-Length: 9223372036854775807\r\n", ""), 413).closes(),
        Case::new("9110 15.5.14", update("Content-Length: 18446744073709551615\r\n", ""), 413).closes(),
        Case::new("9110 15.5.14", update("Content-Length: 18446744073709551616\r\n", ""), 413).closes(),
        Case::new("9110 15.5.14", update(&format!("Content-Length: {}\r\n", "9".repeat(100)), ""), 413)
            .closes(),
        // Exactly as long as is taken: white space is JSON's own padding.
        Case::new(
            "9110 15.5.14",
            whole_update(&(BODY.to_owned() + &" ".repeat(BODY_BYTES_MAX - BODY.len()))),
            200,
        ),
    ];
    for bad in [
        "",
        "+15",
        "-15",
        "-0",
        "0x0f",
        "0xF",
        "15 ",
        "1 5",
        "15,",
        ",15",
        "15, 15",
        "15,15",
        "15, 16",
        "15;",
        "15.0",
        "1e1",
        "15\u{0}",
        "\u{661}\u{665}",
        "\"15\"",
        "fifteen",
        "15\u{b}",
        "1_5",
        "15 bytes",
        "NaN",
    ] {
        // Trailing blanks are not of the value.
        let status = if bad == "15 " { 200 } else { 400 };
        cases.push(Case::new("9112 6.3", update(&format!("Content-Length: {bad}\r\n"), BODY), status));
    }
    for lines in [
        "Content-Length: 15\r\nContent-Length: 15\r\n",
        "Content-Length: 15\r\nContent-Length: 16\r\n",
        "Content-Length: 15\r\ncontent-length: 0\r\n",
        "Content-Length: 15\r\nContent-Length:\r\n",
        "Content-Length: 15\r\nA: b\r\nContent-Length: 15\r\n",
        "Content-Length : 15\r\n",
        "Content-Length\t: 15\r\n",
        "Content-Length: 15\r\n Content-Length: 0\r\n",
    ] {
        cases.push(Case::new("9112 6.3", update(lines, BODY), 400));
    }
    // Names that only look like it announce nothing: the body would be the next request.
    for lines in ["Content_Length: 15\r\n", "Content-Lengt: 15\r\n", "X-Content-Length: 15\r\n"] {
        cases.push(Case::new("9112 6.3", update(lines, ""), 411));
    }
    cases
}

const CHUNKS: &str = "f\r\n{\"update_id\":1}\r\n0\r\n\r\n";

fn codings() -> Vec<Case> {
    let mut cases = Vec::new();
    for (lines, status) in [
        ("Transfer-Encoding: chunked\r\n", 200),
        ("transfer-encoding:CHUNKED\r\n", 200),
        ("Transfer-Encoding: \tChunked \r\n", 200),
        ("Transfer-Encoding:\r\n", 400),
        ("Transfer-Encoding: chunked, chunked\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked, identity\r\n", 400),
        ("Transfer-Encoding: chunked, gzip\r\n", 400),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", 400),
        ("Transfer-Encoding: identity\r\n", 400),
        ("Transfer-Encoding: gzip\r\n", 400),
        ("Transfer-Encoding: chunked,\r\n", 400),
        ("Transfer-Encoding: ,chunked\r\n", 400),
        ("Transfer-Encoding: chunked;q=1\r\n", 400),
        ("Transfer-Encoding: chunked ;q=1\r\n", 400),
        ("Transfer-Encoding: \"chunked\"\r\n", 400),
        ("Transfer-Encoding: 'chunked'\r\n", 400),
        ("Transfer-Encoding: xchunked\r\n", 400),
        ("Transfer-Encoding: chunkedx\r\n", 400),
        ("Transfer-Encoding: chunk\r\n", 400),
        ("Transfer-Encoding: chunked chunked\r\n", 400),
        ("Transfer-Encoding: x chunked\r\n", 400),
        ("Transfer-Encoding: \u{b}chunked\r\n", 400),
        ("Transfer-Encoding: chunked\u{0}\r\n", 400),
        ("Transfer-Encoding: chunked\u{7f}\r\n", 400),
        ("Transfer-Encoding : chunked\r\n", 400),
        ("Transfer-Encoding\t: chunked\r\n", 400),
        ("Transfer-Encoding:\r\n chunked\r\n", 400),
        (" Transfer-Encoding: chunked\r\n", 400),
        ("Transfer-Encoding: chunked\n", 400),
        ("\"Transfer-Encoding\": chunked\r\n", 400),
        ("Transfer-Encoding: gzip, chunked\r\n", 501),
        ("Transfer-Encoding: identity, chunked\r\n", 501),
        ("Transfer-Encoding: br\r\nTransfer-Encoding: chunked\r\n", 501),
        ("Transfer-Encoding: x;a=b, chunked\r\n", 501),
    ] {
        cases.push(Case::new("9112 6.1", update(lines, CHUNKS), status));
    }
    for lines in [
        "Transfer_Encoding: chunked\r\n",
        "Transfer-Encodin: chunked\r\n",
        "X-Transfer-Encoding: chunked\r\n",
    ] {
        cases.push(Case::new("9112 6.1", update(lines, ""), 411));
    }
    let old = update("Transfer-Encoding: chunked\r\n", CHUNKS).replace("HTTP/1.1", "HTTP/1.0");
    cases.push(Case::new("9112 6.1", old, 400));
    cases
}

fn both() -> Vec<Case> {
    let mut cases = Vec::new();
    for lines in [
        "Content-Length: 25\r\nTransfer-Encoding: chunked\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 25\r\n",
        "Transfer-Encoding: chunked\r\nContent-Length: 0\r\n",
        "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
        "Content-Length: 25\r\nTransfer-Encoding: identity\r\n",
        "Content-Length: 25\r\nTransfer-Encoding: gzip\r\n",
        "Content-Length: 25\r\nTransfer-Encoding:\r\n",
        "Transfer-Encoding: chunked\r\nA: b\r\nContent-Length: 25\r\n",
    ] {
        cases.push(Case::new("9112 6.1", update(lines, CHUNKS), 400));
    }
    cases
}

/// Bodies that have no meaning are skipped, and the next request is found.
fn ignored() -> Vec<Case> {
    let mut cases = vec![
        Case::new("9110 9.3.1", get("Content-Length: 5\r\n") + "hello", 200),
        Case::new("9110 9.3.1", get("Content-Length: 0\r\n"), 200),
        Case::new(
            "9110 9.3.1",
            get("Content-Length: 45\r\n") + "GET /smuggled HTTP/1.1\r\nHost: smuggler.co\r\n\r\n",
            200,
        ),
        Case::new("9110 9.3.1", get("Transfer-Encoding: chunked\r\n") + CHUNKS, 411).closes(),
    ];
    for (request, status) in [
        ("POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 404),
        ("PUT /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 405),
        ("POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 401),
        ("POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 405),
        ("OPTIONS /webhook HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", 200),
    ] {
        cases.push(Case::new("9112 9.3", request, status));
    }
    cases
}

fn persistence() -> Vec<Case> {
    let mut cases = Vec::new();
    for (lines, closes) in [
        ("Connection: close\r\n", true),
        ("Connection: Close\r\n", true),
        ("connection: x, CLOSE , y\r\n", true),
        ("Connection: keep-alive, close\r\n", true),
        ("Connection: keep-alive\r\nConnection: close\r\n", true),
        ("Connection: keep-alive\r\n", false),
        ("Connection: closed\r\n", false),
        ("Connection: x-close\r\n", false),
        ("Connection:\r\n", false),
        ("Connection: ,,\r\n", false),
        ("Keep-Alive: timeout=5, max=1\r\n", false),
        ("Proxy-Connection: close\r\n", false),
    ] {
        let case = Case::new("9112 9.3", get(lines), 200);
        cases.push(if closes { case.closes() } else { case });
    }
    for (lines, closes) in [
        ("", true),
        ("Connection: close\r\n", true),
        ("Connection: keep-alive\r\n", false),
        ("Connection: Keep-Alive\r\n", false),
        ("Connection: keep-alive, close\r\n", true),
    ] {
        let text = format!("GET /healthz HTTP/1.0\r\nA: b\r\n{lines}\r\n");
        let case = Case::new("9112 9.3", text, 200);
        cases.push(if closes { case.closes() } else { case });
    }
    let close = get("Connection: close\r\n");
    cases.extend([
        Case::new("9112 9.3.2", get("A: 1\r\n").repeat(20), 200).statuses(&[200; 20]),
        Case::new("9112 9.3.2", get("") + &whole_update(BODY) + &get(""), 200).statuses(&[200; 3]),
        Case::new("9112 9.3.2", get("").replace("healthz", "nowhere") + &get(""), 404).statuses(&[404, 200]),
        Case::new("9112 9.3.2", get("") + "\r\n" + &get(""), 200).statuses(&[200; 2]),
        Case::new("9112 9.6", close.clone() + &get(""), 200).closes(),
        Case::new("9112 9.6", get("") + &close + &get("A: b\r\n"), 200).statuses(&[200, 200]).closes(),
        Case::new("9112 9.6", get("") + "BAD\r\n\r\n", 400).statuses(&[200, 400]).closes(),
        Case::new("9112 9.6", get("") + &update("Content-Length: x\r\n", ""), 400)
            .statuses(&[200, 400])
            .closes(),
    ]);
    cases
}
