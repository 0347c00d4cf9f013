//! Requests and answers in order, keep-alive, deferred answers, stop.

use super::*;
use std::net::Shutdown;

#[test]
fn pipelined_requests_are_answered_in_order() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    let requests: String = (0..200).map(|n| post("/", &format!("{n:03}"))).collect();
    socket.write_all(requests.as_bytes()).expect("write");
    for n in 0..200 {
        let reversed: String = format!("{n:03}").chars().rev().collect();
        assert_eq!(response(&mut socket), ("HTTP/1.1 200 OK".into(), reversed));
    }
}

#[test]
fn deferred_answers_keep_the_order_of_the_requests() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    let requests = [post("/later", "1"), post("/", "2"), post("/later", "3")].concat();
    socket.write_all(requests.as_bytes()).expect("write");
    let (first, _) = server.wait_for_call();
    let (third, _) = server.wait_for_call();
    assert!(!server.answer(third, "third"));
    assert!(!server.answer(first, "first"));
    let bodies: Vec<_> = (0..3).map(|_| response(&mut socket).1).collect();
    assert_eq!(bodies, ["first", "2", "third"]);
}

#[test]
fn an_answer_to_a_request_that_is_gone_or_answered_is_ignored() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    socket.write_all(post("/later", "1").as_bytes()).expect("write");
    let (token, _) = server.wait_for_call();
    assert!(!server.answer(token, "once"));
    assert!(server.answer(token, "twice"));
    assert_eq!(response(&mut socket).1, "once");
    socket.write_all(post("/later", "2").as_bytes()).expect("write");
    let (token, _) = server.wait_for_call();
    // Unread bytes make the close a reset, which the server sees at once.
    socket.write_all(b"x").expect("write");
    socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("linger");
    drop(socket);
    server.wait_for(|stats| stats.connections == 0);
    assert!(server.answer(token, "late"));
    // A new connection in the same place has another generation.
    let mut socket = server.client();
    socket.write_all(post("/later", "3").as_bytes()).expect("write");
    let (newer, _) = server.wait_for_call();
    assert!(server.answer(token, "for the old one"));
    assert!(!server.answer(newer, "for the new one"));
    assert_eq!(response(&mut socket).1, "for the new one");
}

#[test]
fn a_chunked_body_cut_anywhere_arrives_whole_and_the_next_request_follows() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    let mut request = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n\
        3;a=\"b\"\r\nabc\r\n04\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n"
        .to_vec();
    request.extend_from_slice(post("/", "next").as_bytes());
    for byte in request {
        socket.write_all(&[byte]).expect("write");
    }
    assert_eq!(response(&mut socket).1, "gfedcba");
    assert_eq!(response(&mut socket).1, "txen");
}

#[test]
fn rfc_9110_10_1_1_expect_continue_is_answered_before_the_body_and_in_order() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    let head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-Continue\r\n\r\n";
    socket.write_all(head.as_bytes()).expect("write");
    assert_eq!(response(&mut socket).0, "HTTP/1.1 100 Continue");
    socket.write_all(b"ab").expect("write");
    assert_eq!(response(&mut socket).1, "ba");
    // Behind a request that still waits, the interim response waits too.
    socket.write_all([post("/later", "1"), head.to_owned()].concat().as_bytes()).expect("write");
    let (token, _) = server.wait_for_call();
    assert!(!server.answer(token, "first"));
    assert_eq!(response(&mut socket).1, "first");
    assert_eq!(response(&mut socket).0, "HTTP/1.1 100 Continue");
    socket.write_all(b"cd").expect("write");
    assert_eq!(response(&mut socket).1, "dc");
}

#[test]
fn a_refused_request_with_a_body_keeps_the_connection_and_skips_the_body() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    let body = "y".repeat(100_000);
    socket.write_all([post("/refuse", &body), post("/", "ab")].concat().as_bytes()).expect("write");
    let (head, _) = full_response(&mut socket);
    assert!(head.starts_with("HTTP/1.1 503 ") && head.contains("\r\nRetry-After: 7\r\n"), "{head}");
    assert_eq!(response(&mut socket).1, "ba");
    assert_eq!(server.stats.view().not_admitted, 1);
}

#[test]
fn rfc_9112_9_3_http_1_0_closes_unless_it_asks_to_stay() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    socket.write_all(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n").expect("write");
    assert!(full_response(&mut socket).0.contains("Connection: keep-alive"));
    socket.write_all(b"GET / HTTP/1.0\r\n\r\n").expect("write");
    let last = rest(&mut socket);
    assert!(last.contains("Connection: close"), "{last}");
}

#[test]
fn rfc_9112_9_6_nothing_is_handled_after_a_request_that_closes() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    let closing = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    socket.write_all([closing, &post("/", "ab")].concat().as_bytes()).expect("write");
    let all = rest(&mut socket);
    assert_eq!(all.matches("HTTP/1.1 ").count(), 1, "{all}");
}

#[test]
fn head_is_answered_without_a_body_but_with_its_length() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    let request = "HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: close\r\n\r\nabc";
    socket.write_all(request.as_bytes()).expect("write");
    let all = rest(&mut socket);
    assert!(all.contains("Content-Length: 3") && all.ends_with("\r\n\r\n"), "{all}");
}

#[test]
fn a_client_that_closes_its_side_still_gets_every_answer() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    socket.write_all([post("/later", "1"), post("/", "ab")].concat().as_bytes()).expect("write");
    socket.shutdown(Shutdown::Write).expect("half close");
    let (token, _) = server.wait_for_call();
    assert!(!server.answer(token, "first"));
    assert_eq!(response(&mut socket).1, "first");
    assert_eq!(response(&mut socket).1, "ba");
    assert_eq!(rest(&mut socket), "");
}

#[test]
fn a_stop_answers_what_is_in_flight_and_refuses_newcomers() {
    let mut server = Server::start(ReactorConfig::default());
    let mut busy = server.client();
    let mut idle = server.client();
    idle.write_all(post("/", "ab").as_bytes()).expect("write");
    assert_eq!(response(&mut idle).1, "ba");
    busy.write_all(post("/later", "1").as_bytes()).expect("write");
    let (token, _) = server.wait_for_call();
    server.begin_stop();
    assert_eq!(rest(&mut idle), "");
    assert!(TcpStream::connect(server.addr).is_err());
    assert!(!server.answer(token, "in flight"));
    let last = rest(&mut busy);
    assert!(last.contains("Connection: close") && last.ends_with("in flight"), "{last}");
    drop(busy);
    server.join();
}

#[test]
fn a_stop_does_not_wait_for_connections_that_ask_nothing() {
    // With the usual bounds a client that opened a connection in store held a restart up for ten seconds.
    let never = Duration::from_secs(86_400);
    let config = ReactorConfig { drain: never, head_time: never, ..ReactorConfig::default() };
    let mut server = Server::start(config);
    let mut silent = server.client();
    server.wait_for(|stats| stats.accepted == 1);
    server.begin_stop();
    assert_eq!(rest(&mut silent), "");
    server.join();
}
