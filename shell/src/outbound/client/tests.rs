//! Tests of the client against scripted servers on loopback: above all, which failures allow a repeat.

use super::*;
use crate::clock::Clock;
use crate::http::{Method, write_post};
use mio::{Events, Poll};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream as StdStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

/// Longer than any test needs; only a bug reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client with its poll.
struct Rig {
    poll: Poll,
    client: Client,
    clock: Clock,
}

impl Rig {
    fn new(addr: SocketAddr, config: ClientConfig) -> Self {
        let poll = Poll::new().expect("poll");
        let clock = Clock::start();
        let origin = Origin::parse(&format!("http://{addr}")).expect("origin");
        let client = Client::new(poll.registry(), 100..140, origin, vec![addr], None, config, clock.mono());
        Self { client: client.expect("client"), poll, clock }
    }

    fn send(&mut self, tag: u64) -> Result<(), Saturated> {
        self.client.send(self.clock.mono(), 0, tag, &request("{}"))
    }

    /// Polls once, for at most `patience`.
    fn turn(&mut self, patience: Duration) {
        let now = self.clock.mono();
        let timeout = self.client.poll_timeout().map_or(patience, |at| at.since(now).min(patience));
        let mut events = Events::with_capacity(64);
        self.poll.poll(&mut events, Some(timeout)).expect("poll");
        let now = self.clock.mono();
        for event in &events {
            assert!(self.client.handle_event(event, now));
        }
        self.client.handle_timeout(now);
        assert!(self.client.poll_timeout().is_none_or(|next| next > now), "an idle client sleeps");
    }

    fn done(&mut self) -> Done {
        let until = Instant::now() + PATIENCE;
        loop {
            if let Some(done) = self.client.poll_done() {
                return done;
            }
            assert!(Instant::now() < until, "no end of the call");
            self.turn(PATIENCE);
        }
    }

    fn call(&mut self, tag: u64) -> Result<Answer, Failure> {
        self.send(tag).expect("a free connection");
        let done = self.done();
        assert_eq!(done.tag, tag);
        done.result
    }
}

fn request(body: &str) -> Vec<u8> {
    let mut out = Vec::new();
    write_post(
        &mut out,
        &["/bot1000001:TEST/", "sendMessage"],
        "localhost",
        "application/json",
        &[],
        body.as_bytes(),
    );
    out
}

/// A server that plays a script over each accepted connection.
struct Scripted {
    addr: SocketAddr,
    thread: Option<JoinHandle<()>>,
}

impl Scripted {
    fn new(connections: usize, mut script: impl FnMut(usize, StdStream) + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
        let addr = listener.local_addr().expect("address");
        let thread = std::thread::spawn(move || {
            for at in 0..connections {
                let (socket, _) = listener.accept().expect("accept");
                socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
                script(at, socket);
            }
        });
        Self { addr, thread: Some(thread) }
    }

    fn join(mut self) {
        self.thread.take().expect("once").join().expect("the script holds");
    }
}

/// Reads one request whole.
fn take_request(socket: &mut StdStream) -> String {
    let mut bytes = Vec::new();
    let whole = request("{}").len();
    while bytes.len() < whole {
        let mut byte = [0];
        socket.read_exact(&mut byte).expect("a request");
        bytes.push(byte[0]);
    }
    String::from_utf8(bytes).expect("text")
}

fn say(socket: &mut StdStream, text: &str) {
    socket.write_all(text.as_bytes()).expect("write");
}

fn answered(text: &'static str) -> Result<Answer, Failure> {
    let server = Scripted::new(1, move |_, mut socket| {
        take_request(&mut socket);
        say(&mut socket, text);
    });
    let result = Rig::new(server.addr, ClientConfig::default()).call(1);
    server.join();
    result
}

#[test]
fn a_connection_carries_one_call_after_the_other() {
    let server = Scripted::new(1, |_, mut socket| {
        for n in 0..50 {
            assert!(
                take_request(&mut socket)
                    .starts_with("POST /bot1000001:TEST/sendMessage HTTP/1.1\r\nHost: localhost\r\n")
            );
            say(&mut socket, &format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{n:02}"));
        }
        // Closes only after the client.
        let _ = socket.read(&mut [0]);
    });
    let mut rig = Rig::new(server.addr, ClientConfig::default());
    for n in 0..50 {
        let answer = rig.call(n).expect("an answer");
        assert_eq!(answer.body, format!("{n:02}").as_bytes());
        rig.client.recycle(answer.body);
    }
    assert_eq!(rig.client.connections(), 1);
    assert_eq!(rig.client.in_flight(), 0);
    drop(rig);
    server.join();
}

#[test]
fn answers_of_every_framing_are_read() {
    let ok = |body: &str| Answer { status: 200, retry_after: None, body: body.as_bytes().to_vec() };
    assert_eq!(answered("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab"), Ok(ok("ab")));
    assert_eq!(
        answered("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1;x\r\nb\r\n0\r\n\r\n"),
        Ok(ok("ab"))
    );
    assert_eq!(answered("HTTP/1.1 200 OK\r\n\r\nuntil the end"), Ok(ok("until the end")));
    assert_eq!(
        answered(
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        ),
        Ok(ok(""))
    );
    let limited = answered("HTTP/1.1 429 Too Many Requests\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(limited, Ok(Answer { status: 429, retry_after: Some(5), body: b"{}".to_vec() }));
}

#[test]
fn a_broken_answer_to_a_whole_request_is_unanswered() {
    for (text, cause) in [
        ("", Cause::Closed),
        ("HTTP/1.1 200 OK\r\nContent-Le", Cause::Closed),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nab", Cause::Closed),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", Cause::Closed),
        ("SSH-2.0-x\r\n", Cause::BadAnswer(crate::http::Reason::StatusLine)),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            Cause::BadAnswer(crate::http::Reason::LengthAndEncoding),
        ),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", Cause::BadAnswer(crate::http::Reason::StatusLine)),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n",
            Cause::BadAnswer(crate::http::Reason::BodyTooLarge),
        ),
    ] {
        assert_eq!(answered(text), Err(Failure::Unanswered(cause)), "{text}");
    }
}

#[test]
fn a_refused_connection_is_not_written() {
    let addr = TcpListener::bind("127.0.0.1:0").expect("bind").local_addr().expect("address");
    let failure = Rig::new(addr, ClientConfig::default()).call(1).expect_err("nobody listens");
    assert_eq!(failure, Failure::NotWritten(Cause::Connect(io::ErrorKind::ConnectionRefused)));
}

#[test]
fn a_connection_that_breaks_before_the_request_is_whole_is_not_written() {
    let server = Scripted::new(1, |_, mut socket| {
        socket.read_exact(&mut [0; 10]).expect("a beginning");
        // Unread bytes make the close a reset.
    });
    let mut rig = Rig::new(server.addr, ClientConfig::default());
    let huge = request(&"x".repeat(64 << 20));
    rig.client.send(rig.clock.mono(), 0, 1, &huge).expect("free");
    let failure = rig.done().result.expect_err("broken");
    // A reset or an end, whichever the kernel reports first.
    assert!(matches!(failure, Failure::NotWritten(Cause::Broke(_) | Cause::Closed)), "{failure}");
    server.join();
}

#[test]
fn a_kept_connection_that_the_platform_closed_is_replaced_before_anything_is_written() {
    let (closed, is_closed): (Sender<()>, Receiver<()>) = channel();
    let server = Scripted::new(2, move |_, mut socket| {
        take_request(&mut socket);
        say(&mut socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        drop(socket);
        let _ = closed.send(());
    });
    let mut rig = Rig::new(server.addr, ClientConfig::default());
    rig.call(1).expect("an answer");
    is_closed.recv_timeout(PATIENCE).expect("closed");
    // The poll has not reported the close: only the look before the write finds it.
    rig.call(2).expect("an answer on a new connection");
    server.join();
}

#[test]
fn an_idle_connection_that_the_platform_closes_goes_away() {
    let server = Scripted::new(1, |_, mut socket| {
        take_request(&mut socket);
        say(&mut socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    });
    let mut rig = Rig::new(server.addr, ClientConfig::default());
    rig.call(1).expect("an answer");
    let until = Instant::now() + PATIENCE;
    while rig.client.connections() > 0 {
        assert!(Instant::now() < until);
        rig.turn(PATIENCE);
    }
    server.join();
}

#[test]
fn bytes_that_nobody_asked_for_end_a_connection_and_never_answer_the_next_call() {
    let server = Scripted::new(2, |at, mut socket| {
        take_request(&mut socket);
        let stray = ["HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n", ""][at];
        say(&mut socket, &format!("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{at}{stray}"));
    });
    let mut rig = Rig::new(server.addr, ClientConfig::default());
    assert_eq!(rig.call(1).expect("an answer").body, b"0");
    assert_eq!(rig.call(2).expect("an answer").body, b"1");
    server.join();
}

#[test]
fn no_answer_in_time_is_unanswered() {
    let (release, wait) = channel::<()>();
    let server = Scripted::new(1, move |_, mut socket| {
        take_request(&mut socket);
        let _ = wait.recv_timeout(PATIENCE);
    });
    let config = ClientConfig { answer: Duration::from_millis(100), ..ClientConfig::default() };
    let mut rig = Rig::new(server.addr, config);
    assert_eq!(rig.call(1), Err(Failure::Unanswered(Cause::AnswerTimeout)));
    assert_eq!(rig.client.connections(), 0);
    release.send(()).expect("release");
    server.join();
}

#[test]
fn a_platform_that_takes_no_bytes_leaves_the_request_not_written() {
    let (release, wait) = channel::<()>();
    let server = Scripted::new(1, move |_, _socket| {
        let _ = wait.recv_timeout(PATIENCE);
    });
    let config = ClientConfig { write: Duration::from_millis(100), ..ClientConfig::default() };
    let mut rig = Rig::new(server.addr, config);
    let huge = request(&"x".repeat(64 << 20));
    rig.client.send(rig.clock.mono(), 0, 1, &huge).expect("free");
    assert_eq!(rig.done().result, Err(Failure::NotWritten(Cause::WriteTimeout)));
    release.send(()).expect("release");
    server.join();
}

#[test]
fn a_pool_grows_to_its_bound_and_says_when_it_is_saturated() {
    let (release, wait) = channel::<()>();
    let server = Scripted::new(3, move |at, mut socket| {
        if at == 0 {
            let _ = wait.recv_timeout(PATIENCE);
        }
        take_request(&mut socket);
        say(&mut socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    });
    let config = ClientConfig { per_pool_max: 3, ..ClientConfig::default() };
    let mut rig = Rig::new(server.addr, config);
    for tag in 0..3 {
        rig.send(tag).expect("free");
    }
    assert_eq!(rig.send(3), Err(Saturated));
    assert_eq!((rig.client.connections(), rig.client.in_flight()), (3, 3));
    release.send(()).expect("release");
    let mut tags: Vec<_> = (0..3).map(|_| rig.done()).map(|done| done.result.map(|_| done.tag)).collect();
    tags.sort_by_key(|tag| *tag.as_ref().expect("answered"));
    assert_eq!(tags, [Ok(0), Ok(1), Ok(2)]);
    assert_eq!(rig.client.connections(), 0, "`Connection: close` is honoured");
    server.join();
}

#[test]
fn the_blocking_call_reads_an_answer_and_tells_failures_apart() {
    let server = Scripted::new(2, |at, mut socket| {
        take_request(&mut socket);
        if at == 0 {
            say(&mut socket, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n");
        }
    });
    let origin = Origin::parse(&format!("http://{}", server.addr)).expect("origin");
    let call = |origin: &Origin| blocking::call(origin, None, Method::Post, &request("{}"), PATIENCE);
    assert_eq!(call(&origin).expect("an answer").body, b"{}");
    assert_eq!(call(&origin), Err(Failure::Unanswered(Cause::Closed)));
    server.join();
    let refused = call(&origin).expect_err("nobody listens");
    assert_eq!(refused, Failure::NotWritten(Cause::Connect(io::ErrorKind::ConnectionRefused)));
}
