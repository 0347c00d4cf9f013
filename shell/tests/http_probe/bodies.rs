//! Hostile bodies: whatever comes as an update is answered 200 or 400, and the next one is served.

use crate::answers::Reader;
use crate::case::{update_head, whole_update};
use crate::framing::BODY;
use crate::server::Server;

const UPDATE: &str = "{\"update_id\":7,\"message\":{\"message_id\":4,\"from\":{\"id\":70,\"is_bot\":false,\
    \"first_name\":\"\\u0632\\ud83d\\ude00\",\"language_code\":\"ar\"},\"chat\":{\"id\":70,\"type\":\"private\"},\
    \"date\":1784527200,\"text\":\"\\u0633\\u0644\\n12\"}}";

/// Written by hand: each a way in which a reader of JSON has once failed.
fn written() -> Vec<Vec<u8>> {
    let deep = |open: &str, n: usize, close: &str| open.repeat(n) + &close.repeat(n);
    let mut bodies: Vec<Vec<u8>> = [
        "",
        " ",
        "\0",
        "\u{feff}{\"update_id\":1}",
        "null",
        "true",
        "[]",
        "{}",
        "\"\"",
        "0",
        "-",
        "-0",
        "1e999",
        "1e",
        "01",
        "+1",
        ".5",
        "1.",
        "0x1",
        "NaN",
        "Infinity",
        "{\"update_id\":1}{}",
        "{\"update_id\":1} x",
        "{\"update_id\":1,}",
        "{,}",
        "{\"update_id\" 1}",
        "{update_id:1}",
        "{'update_id':1}",
        "{\"update_id\":1e3}",
        "{\"update_id\":1.0}",
        "{\"update_id\":-1}",
        "{\"update_id\":-9223372036854775808}",
        "{\"update_id\":9223372036854775807}",
        "{\"update_id\":9223372036854775808}",
        "{\"update_id\":18446744073709551615}",
        "{\"update_id\":18446744073709551616}",
        "{\"update_id\":99999999999999999999999999}",
        "{\"update_id\":null}",
        "{\"update_id\":\"1\"}",
        "{\"update_id\":[1]}",
        "{\"update_id\":{}}",
        "{\"update_id\":true}",
        "{\"update_id\":tru}",
        "{\"update_id\":1,\"update_id\":2}",
        "{\"update_id\":1,\"message\":null}",
        "{\"update_id\":1,\"message\":[]}",
        "{\"update_id\":1,\"message\":\"x\"}",
        "{\"update_id\":1,\"message\":{\"chat\":1}}",
        "[[[[[[[[",
        "{\"a\":",
        "{\"a\"",
        "{\"",
        "{\"update_id\":1,\"message\":{\"text\":\"\\ud800\"}}",
        "{\"update_id\":1,\"message\":{\"text\":\"\\udc00\\ud800\"}}",
        "{\"update_id\":1,\"message\":{\"text\":\"\\u12\"}}",
        "{\"update_id\":1,\"message\":{\"text\":\"\\x41\"}}",
        "{\"update_id\":1,\"message\":{\"text\":\"\\u0000\"}}",
        "{\"update_id\":1,\"message\":{\"text\":\"a\nb\"}}",
        "{\"update_id\":1,\"x\":\"\\",
        "{\"update_id\":1,\"x\":\"\\\"}",
        "{\"update_id\":1}\0",
        "{\"update_id\":1}\r\n\r\nGET / HTTP/1.1",
        "<xml/>",
        "a=b&c=d",
        "GET / HTTP/1.1\r\n\r\n",
        "{\"\\u0075pdate_id\":1}",
        "// {\"update_id\":1}",
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("[{\"a\":[", "]}]")] {
        for n in [100, 1_000, 4_000] {
            bodies.push(format!("{{\"update_id\":1,\"x\":{}}}", deep(open, n, close)).into_bytes());
            bodies.push(open.repeat(n).into_bytes());
        }
    }
    for raw in [
        &b"\xff"[..],
        b"{\"update_id\":1,\"x\":\"\xff\"}",
        b"{\"update_id\":1,\"x\":\"\xc0\x80\"}",
        b"\xef\xbb\xbf",
        b"{\"update_id\":1,\"x\":\"\xed\xa0\x80\"}",
        b"{\"update_id\":1,\"x\":\"\xe2\x82\"}",
        b"\x1f\x8b\x08\x00",
        b"\x80\x02}q",
    ] {
        bodies.push(raw.to_vec());
    }
    bodies
}

/// A good update cut anywhere, and with each byte turned into another.
fn broken() -> Vec<Vec<u8>> {
    let good = UPDATE.as_bytes();
    let cut = (1..good.len()).map(|n| good[..n].to_vec());
    let turned = (0..good.len()).map(|at| {
        let mut body = good.to_vec();
        body[at] ^= 1 << (at % 8);
        body
    });
    cut.chain(turned).collect()
}

fn post(reader: &mut Reader, body: &[u8]) -> u16 {
    let head = update_head(&format!("Content-Length: {}\r\n", body.len()));
    reader.socket().write_all(&[head.as_bytes(), body].concat()).expect("written");
    reader.answer(false).expect("an answer").expect("not the end").status
}

#[test]
fn hostile_bodies_are_answered_and_the_connection_goes_on() {
    let server = Server::start();
    let mut reader = Reader::new(server.open());
    let bodies = [written(), broken()].concat();
    assert!(bodies.len() >= 347, "{} bodies", bodies.len());
    for body in &bodies {
        let status = post(&mut reader, body);
        let shown = &body[..body.len().min(100)];
        assert!(matches!(status, 200 | 400), "{status} to {:?}", shown.escape_ascii().to_string());
    }
    assert_eq!(post(&mut reader, UPDATE.as_bytes()), 200);
    for cut in 1..UPDATE.len() {
        assert_eq!(post(&mut reader, &UPDATE.as_bytes()[..cut]), 400, "cut at {cut}");
    }
}

/// The same through chunks of one byte, which move the body while it is decoded.
#[test]
fn hostile_bodies_in_chunks_are_judged_as_in_one_piece() {
    let server = Server::start();
    let mut reader = Reader::new(server.open());
    for body in written().into_iter().filter(|body| body.len() < 200) {
        let whole = post(&mut reader, &body);
        let mut chunks = Vec::new();
        for byte in &body {
            chunks.extend_from_slice(&[b'1', b'\r', b'\n', *byte, b'\r', b'\n']);
        }
        let head = update_head("Transfer-Encoding: chunked\r\n");
        reader.socket().write_all(&[head.as_bytes(), &chunks, b"0\r\n\r\n"].concat()).expect("written");
        let pieces = reader.answer(false).expect("an answer").expect("not the end").status;
        assert_eq!(pieces, whole, "{:?}", body.escape_ascii().to_string());
    }
    reader.socket().write_all(whole_update(BODY).as_bytes()).expect("written");
    assert_eq!(reader.answer(false).expect("an answer").expect("not the end").status, 200);
}
