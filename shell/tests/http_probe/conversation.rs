//! What needs an answer before the next bytes: 100 Continue, half-close, and Allow.

use crate::answers::Reader;
use crate::case::{get, update_head, whole_update};
use crate::framing::BODY;
use crate::server::{BODY_BYTES_MAX, Server};

/// Sends and reads in turns; an empty text only reads, status 0 only sends.
fn talk(server: &Server, turns: &[(&str, u16)]) -> Reader {
    let mut reader = Reader::new(server.open());
    for (at, (text, status)) in turns.iter().enumerate() {
        reader.socket().write_all(text.as_bytes()).expect("written");
        if *status != 0 {
            let answer = reader.answer(false).expect("an answer").expect("not the end");
            assert_eq!(answer.status, *status, "turn {at}: {text:?}");
        }
    }
    reader
}

fn ended(mut reader: Reader) {
    let end = reader.answer(false).expect("an orderly end");
    assert!(end.is_none(), "{:?} came behind the end", end.map(|answer| answer.status));
}

#[test]
fn rfc_9110_10_1_1_a_body_that_is_wanted_is_asked_for_with_100() {
    let server = Server::start();
    let head = update_head("Content-Length: 15\r\nExpect: 100-continue\r\n");
    talk(&server, &[(&head, 100), (BODY, 200), (&get(""), 200)]);
    let head = update_head("Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n");
    talk(&server, &[(&head, 100), ("f\r\n{\"update_id\":1}\r\n0\r\n\r\n", 200), (&get(""), 200)]);
}

#[test]
fn rfc_9110_10_1_1_no_100_when_the_body_has_come_or_the_client_speaks_1_0() {
    let server = Server::start();
    let head = update_head("Content-Length: 15\r\nExpect: 100-continue\r\n");
    talk(&server, &[(&(head.clone() + BODY), 200), (&get(""), 200)]);
    let old = head.replace("HTTP/1.1", "HTTP/1.0");
    ended(talk(&server, &[(&old, 0), (BODY, 200)]));
}

#[test]
fn rfc_9110_10_1_1_a_body_that_is_not_wanted_gets_its_final_status_without_100() {
    let server = Server::start();
    let long = format!("Content-Length: {}\r\nExpect: 100-continue\r\n", BODY_BYTES_MAX + 1);
    let expects = "Content-Length: 15\r\nExpect: 100-continue\r\n";
    for (head, status) in [
        (update_head(&long), 413),
        (update_head(expects).replace("Secret_1", "Secret_2"), 401),
        (update_head(expects).replace("/webhook", "/nowhere"), 404),
        (update_head(expects).replace("POST", "PUT"), 405),
        (update_head(expects).replace("application/json", "text/plain"), 415),
        (update_head("Content-Length: 15\r\nExpect: x\r\n"), 417),
    ] {
        // Nobody knows whether the body comes: the connection ends.
        ended(talk(&server, &[(&head, status)]));
    }
}

#[test]
fn rfc_9112_9_3_2_100_waits_behind_the_answers_that_are_due() {
    let server = Server::start();
    let head = update_head("Content-Length: 15\r\nExpect: 100-continue\r\n");
    talk(&server, &[(&(get("") + &head), 200), ("", 100), (BODY, 200)]);
}

#[test]
fn rfc_9112_9_6_a_client_that_closes_its_side_gets_every_answer_and_then_the_end() {
    let server = Server::start();
    let mut reader = Reader::new(server.open());
    let requests = get("") + &whole_update(BODY) + &get("A: b\r\n");
    reader.socket().write_all(requests.as_bytes()).expect("written");
    reader.socket().half_close().expect("half closed");
    for _ in 0..3 {
        assert_eq!(reader.answer(false).expect("an answer").expect("not the end").status, 200);
    }
    ended(reader);
}

#[test]
fn rfc_9112_8_a_request_that_ends_too_early_is_not_handled() {
    let server = Server::start();
    for cut in [
        "GET /healthz HTTP/1.1\r\nHost: x\r\n".to_owned(),
        "GET /heal".to_owned(),
        update_head("Content-Length: 15\r\n") + "{\"update_id\"",
        update_head("Transfer-Encoding: chunked\r\n") + "f\r\n{\"update_id\":1}\r\n",
        update_head("Transfer-Encoding: chunked\r\n") + "f\r\n{\"update_id\":1}\r\n0\r\n",
    ] {
        let mut reader = Reader::new(server.open());
        reader.socket().write_all(cut.as_bytes()).expect("written");
        reader.socket().half_close().expect("half closed");
        ended(reader);
    }
}

#[test]
fn rfc_9110_10_2_1_allow_names_the_methods_of_the_resource() {
    let server = Server::start();
    for (request, allow) in [
        ("GET /webhook", "OPTIONS, POST"),
        ("OPTIONS /webhook", "OPTIONS, POST"),
        ("POST /healthz", "GET, HEAD, OPTIONS"),
        ("OPTIONS /healthz", "GET, HEAD, OPTIONS"),
        ("OPTIONS *", "GET, HEAD, OPTIONS, POST"),
    ] {
        let mut reader = Reader::new(server.open());
        let text = format!("{request} HTTP/1.1\r\nHost: x\r\n\r\n");
        reader.socket().write_all(text.as_bytes()).expect("written");
        let answer = reader.answer(false).expect("an answer").expect("not the end");
        assert_eq!(answer.field("allow"), Some(allow), "{request}");
    }
}

#[test]
fn rfc_9110_15_5_16_a_415_names_what_would_be_taken() {
    let server = Server::start();
    for (head, field, value) in [
        (whole_update(BODY).replace("application/json", "text/xml"), "accept", "application/json"),
        (get("Content-Encoding: zstd\r\n"), "accept-encoding", "identity"),
    ] {
        let mut reader = Reader::new(server.open());
        reader.socket().write_all(head.as_bytes()).expect("written");
        let answer = reader.answer(false).expect("an answer").expect("not the end");
        assert_eq!((answer.status, answer.field(field)), (415, Some(value)));
    }
}

#[test]
fn rfc_9110_9_3_2_head_says_what_get_would_without_its_body() {
    let server = Server::start();
    let mut reader = Reader::new(server.open());
    for path in ["/healthz", "/stats", "/nowhere"] {
        let ask = |method: &str| format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        reader.socket().write_all((ask("GET") + &ask("HEAD")).as_bytes()).expect("written");
        let get = reader.answer(false).expect("an answer").expect("not the end");
        let head = reader.answer(true).expect("an answer").expect("not the end");
        assert_eq!(get.status, head.status);
        for field in ["content-length", "content-type", "cache-control"] {
            assert_eq!(get.field(field), head.field(field), "{path} {field}");
        }
    }
}
