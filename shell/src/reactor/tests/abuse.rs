//! Slow, greedy, broken and too many peers.

use super::*;

#[test]
fn what_the_codec_refuses_is_answered_with_its_status_and_closed() {
    let server = Server::start(ReactorConfig::default());
    for (request, status) in [
        ("GET / HTTP/1.1\r\n\r\n".to_owned(), "400"),
        ("BREW / HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(), "501"),
        ("GET / HTTP/2.0\r\nHost: x\r\n\r\n".to_owned(), "505"),
        (format!("GET /{} HTTP/1.1\r\n", "a".repeat(8_000)), "414"),
        (format!("GET / HTTP/1.1\r\nHost: x\r\nA: {}\r\n", "a".repeat(20_000)), "431"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1048577\r\n\r\n".to_owned(), "413"),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n100001\r\n".to_owned(), "413"),
        ("POST / HTTP/1.1\r\nHost: x\r\nExpect: more\r\n\r\n".to_owned(), "417"),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\n\r\n".to_owned(), "415"),
    ] {
        let mut socket = server.client();
        socket.write_all(request.as_bytes()).expect("write");
        let all = rest(&mut socket);
        assert!(
            all.starts_with(&format!("HTTP/1.1 {status} ")) && all.contains("Connection: close"),
            "{all}"
        );
    }
}

#[test]
fn a_refusal_waits_its_turn_behind_deferred_answers() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    socket.write_all([&post("/later", "1"), "BAD\r\n"].concat().as_bytes()).expect("write");
    let (token, _) = server.wait_for_call();
    assert!(!server.answer(token, "first"));
    assert_eq!(response(&mut socket).1, "first");
    assert!(rest(&mut socket).starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_slow_head_is_answered_408_and_a_silent_peer_is_closed() {
    let config = ReactorConfig { head_time: Duration::from_millis(100), ..ReactorConfig::default() };
    let server = Server::start(config);
    let (mut slow, mut silent) = (server.client(), server.client());
    slow.write_all(b"GET / HT").expect("write");
    assert!(rest(&mut slow).starts_with("HTTP/1.1 408 "));
    assert_eq!(rest(&mut silent), "");
    assert_eq!(server.stats.view().timeouts, 2);
}

#[test]
fn a_slow_body_is_answered_408() {
    let config = ReactorConfig { body_time: Duration::from_millis(100), ..ReactorConfig::default() };
    let server = Server::start(config);
    let mut slow = server.client();
    slow.write_all(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab").expect("write");
    assert!(rest(&mut slow).starts_with("HTTP/1.1 408 "));
}

#[test]
fn an_idle_connection_is_closed_without_a_word() {
    let config = ReactorConfig { idle: Duration::from_millis(100), ..ReactorConfig::default() };
    let server = Server::start(config);
    let mut socket = server.client();
    socket.write_all(post("/", "ab").as_bytes()).expect("write");
    assert_eq!(response(&mut socket).1, "ba");
    assert_eq!(rest(&mut socket), "");
    assert_eq!(server.stats.view().timeouts, 0);
}

#[test]
fn a_service_that_never_answers_costs_only_that_connection() {
    let config = ReactorConfig { answer: Duration::from_millis(100), ..ReactorConfig::default() };
    let server = Server::start(config);
    let mut socket = server.client();
    socket.write_all(post("/later", "1").as_bytes()).expect("write");
    assert_eq!(rest(&mut socket), "");
    assert_eq!(server.stats.view().unanswered, 1);
}

/// A peer that asks for megabytes and reads nothing is held back at the bound, and closed at its deadline;
/// others are
/// served meanwhile.
#[test]
fn a_slow_reader_is_bounded_and_then_closed() {
    let config = ReactorConfig { write: Duration::from_millis(500), ..ReactorConfig::default() };
    let server = Server::start(config);
    let mut greedy = server.client();
    let requests = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(60);
    greedy.write_all(requests.as_bytes()).expect("write");
    server.wait_for(|stats| stats.requests > 0);
    let mut other = server.client();
    other.write_all(post("/", "ab").as_bytes()).expect("write");
    assert_eq!(response(&mut other).1, "ba");
    server.wait_for(|stats| stats.timeouts == 1);
    // Sixty megabytes were asked for; a few answers fill the socket and the bound.
    assert!(server.stats.view().requests < 40, "{:?}", server.stats.view());
}

#[test]
fn a_reader_that_comes_back_gets_everything_that_was_held_back() {
    let server = Server::start(ReactorConfig::default());
    let mut socket = server.client();
    let requests = "GET /large HTTP/1.1\r\nHost: x\r\n\r\n".repeat(20);
    socket.write_all(requests.as_bytes()).expect("write");
    for _ in 0..20 {
        assert_eq!(response(&mut socket).1.len(), 1 << 20);
    }
}

#[test]
fn more_pipelined_requests_than_may_wait_are_held_back_not_lost() {
    let config = ReactorConfig { pipeline_max: 2, ..ReactorConfig::default() };
    let server = Server::start(config);
    let mut socket = server.client();
    let requests: String = (0..10).map(|n| post("/later", &n.to_string())).collect();
    socket.write_all(requests.as_bytes()).expect("write");
    for n in 0..10 {
        let (token, body) = server.wait_for_call();
        assert_eq!(body, n.to_string().as_bytes());
        assert!(!server.answer(token, "ok"));
        assert_eq!(response(&mut socket).1, "ok");
    }
}

#[test]
fn at_the_connection_limit_newcomers_wait_in_the_backlog() {
    let config = ReactorConfig { connections_max: 1, ..ReactorConfig::default() };
    let server = Server::start(config);
    let mut first = server.client();
    first.write_all(post("/", "ab").as_bytes()).expect("write");
    assert_eq!(response(&mut first).1, "ba");
    let mut second = server.client();
    second.write_all(post("/", "cd").as_bytes()).expect("write");
    server.wait_for(|stats| stats.accept_pauses == 1);
    drop(first);
    assert_eq!(response(&mut second).1, "dc");
}

#[test]
fn early_closes_and_resets_leave_nothing_behind() {
    let server = Server::start(ReactorConfig::default());
    for cut in [0, 1, 10, 30, 70] {
        let mut socket = server.client();
        socket.write_all(&post("/", &"z".repeat(50)).as_bytes()[..cut]).expect("write");
        if cut % 2 == 0 {
            socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).expect("linger");
        }
    }
    server.wait_for(|stats| stats.accepted == 5 && stats.connections == 0);
    assert_eq!(server.stats.view().requests, 0);
}
