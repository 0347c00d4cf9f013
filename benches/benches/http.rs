//! The codec beside httparse, and the reactor beside a bare mio loop that answers every read with a fixed 200.
//!
//! `cargo bench -p nobat-benches --bench http` times the parsers.
//! `cargo bench -p nobat-benches --bench http -- --instructions` prints user instructions per request of both servers:
//! 64 kept connections, a POST of 570 bytes, counted by callgrind over two lengths of run, so that start
//! and end
//! cancel out. It needs valgrind.

use criterion::{Criterion, Throughput};
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use nobat::clock::Clock;
use nobat::http::{
    HeadLimits, RequestHead, RequestIndex, Response, ResponseIndex, Status, Step, parse_request,
    parse_response,
};
use nobat::reactor::{Answer, Deferred, Peer, Reactor, ReactorConfig, ReplyToken, Service, Turn, bind};
use std::hint::black_box;
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A webhook call as the platform sends it.
const HEAD: &str = "POST /webhook HTTP/1.1\r\nHost: bot.example.org\r\nContent-Type: application/json\r\n\
    Content-Length: 570\r\nConnection: keep-alive\r\nX-Telegram-Bot-Api-Secret-Token: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n\
    Accept-Encoding: gzip, deflate\r\n\r\n";
/// An answer as the platform sends it.
const ANSWER: &str = "HTTP/1.1 200 OK\r\nServer: nginx/1.18.0\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n\
    Content-Type: application/json\r\nContent-Length: 570\r\nConnection: keep-alive\r\n\
    Strict-Transport-Security: max-age=31536000; includeSubDomains; preload\r\nAccess-Control-Allow-Origin: *\r\n\
    Access-Control-Allow-Methods: GET, POST, OPTIONS\r\n\r\n";
const BODY_BYTES: usize = 570;
const CONNECTIONS: usize = 64;

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let words: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
    match words[..] {
        ["serve-bare", requests] => serve_bare(requests.parse().expect("a number")),
        ["serve-reactor", requests] => serve_reactor(requests.parse().expect("a number")),
        [..] if words.contains(&"--instructions") => {
            for server in ["serve-bare", "serve-reactor"] {
                let (short, long) = (instructions(server, 6_400), instructions(server, 19_200));
                println!("{server}: {} user instructions a request", (long - short) / 12_800);
            }
        }
        _ => {
            let mut criterion = Criterion::default().configure_from_args();
            heads(&mut criterion);
            criterion.final_summary();
        }
    }
}

fn heads(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("http_head");
    group.throughput(Throughput::Bytes(HEAD.len() as u64));
    group.bench_function("request_nobat", |bencher| {
        let mut index = RequestIndex::default();
        bencher.iter(|| {
            let step = parse_request(black_box(HEAD.as_bytes()), &HeadLimits::default(), &mut index);
            assert!(matches!(step, Step::Done(_)));
        });
    });
    group.bench_function("request_httparse", |bencher| {
        bencher.iter(|| {
            let mut lines = [httparse::EMPTY_HEADER; 64];
            let mut request = httparse::Request::new(&mut lines);
            assert!(request.parse(black_box(HEAD.as_bytes())).is_ok_and(|status| status.is_complete()));
        });
    });
    group.throughput(Throughput::Bytes(ANSWER.len() as u64));
    group.bench_function("response_nobat", |bencher| {
        let mut index = ResponseIndex::default();
        bencher.iter(|| {
            let method = nobat::http::Method::Post;
            let step =
                parse_response(black_box(ANSWER.as_bytes()), &HeadLimits::default(), method, &mut index);
            assert!(matches!(step, Step::Done(_)));
        });
    });
    group.bench_function("response_httparse", |bencher| {
        bencher.iter(|| {
            let mut lines = [httparse::EMPTY_HEADER; 64];
            let mut response = httparse::Response::new(&mut lines);
            assert!(response.parse(black_box(ANSWER.as_bytes())).is_ok_and(|status| status.is_complete()));
        });
    });
    group.finish();
}

/// Runs this program as a server under callgrind, asks it `requests` times, and gives what it executed.
fn instructions(server: &str, requests: usize) -> u64 {
    let program = std::env::current_exe().expect("this program");
    let mut child = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args([server, &requests.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("valgrind is needed to count instructions");
    let mut port = String::new();
    BufReader::new(child.stdout.take().expect("piped")).read_line(&mut port).expect("the port");
    ask(port.trim().parse().expect("a port"), requests);
    let output = child.wait_with_output().expect("the server ends");
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = text.lines().find_map(|line| line.split("Collected :").nth(1)).expect("callgrind's count");
    line.trim().parse().expect("a number")
}

/// Asks on every connection, then reads every answer, and so on.
fn ask(port: u16, requests: usize) {
    let request = [HEAD.as_bytes(), &[b'x'; BODY_BYTES]].concat();
    let mut sockets: Vec<_> = (0..CONNECTIONS)
        .map(|_| std::net::TcpStream::connect(("127.0.0.1", port)).expect("connect"))
        .collect();
    let mut answer = [0; 4_096];
    for _ in 0..requests / CONNECTIONS {
        for socket in &mut sockets {
            socket.write_all(&request).expect("write");
        }
        for socket in &mut sockets {
            assert!(socket.read(&mut answer).expect("an answer") > 0);
        }
    }
}

/// The floor: one read, one fixed answer, nothing understood.
fn serve_bare(requests: usize) {
    const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    let mut poll = Poll::new().expect("poll");
    let mut listener = TcpListener::bind("127.0.0.1:0".parse().expect("address")).expect("bind");
    println!("{}", listener.local_addr().expect("address").port());
    poll.registry().register(&mut listener, Token(usize::MAX >> 1), Interest::READABLE).expect("register");
    let (mut events, mut sockets, mut buffer, mut answered) =
        (Events::with_capacity(1_024), Vec::new(), [0; 8_192], 0);
    while answered < requests {
        poll.poll(&mut events, None).expect("poll");
        for event in &events {
            if event.token() == Token(usize::MAX >> 1) {
                while let Ok((mut socket, _)) = listener.accept() {
                    poll.registry()
                        .register(&mut socket, Token(sockets.len()), Interest::READABLE)
                        .expect("register");
                    sockets.push(socket);
                }
                continue;
            }
            let socket: &mut TcpStream = &mut sockets[event.token().0];
            if socket.read(&mut buffer).is_ok_and(|n| n > 0) {
                socket.write_all(OK).expect("write");
                answered += 1;
            }
        }
    }
}

/// Our shell with a service that only answers.
struct Null {
    left: usize,
    stop: Arc<AtomicBool>,
}

impl Service for Null {
    fn admit(&mut self, _: &RequestHead<'_>, _: &Peer) -> Result<(), Response> {
        Ok(())
    }

    fn call(&mut self, _: &Turn, _: ReplyToken, _: &RequestHead<'_>, body: &mut [u8]) -> Answer {
        assert_eq!(body.len(), BODY_BYTES);
        self.left -= 1;
        if self.left == 0 {
            self.stop.store(true, Ordering::Release);
        }
        Answer::Now(Response::empty(Status::OK))
    }

    fn settle(&mut self, _: &Turn, _: &mut Deferred<'_>) {}
}

fn serve_reactor(requests: usize) {
    let listener = bind("127.0.0.1:0".parse().expect("address"), false).expect("bind");
    println!("{}", listener.local_addr().expect("address").port());
    let stop = Arc::new(AtomicBool::new(false));
    let service = Null { left: requests, stop: Arc::clone(&stop) };
    let mut reactor = Reactor::new(vec![listener], None, ReactorConfig::default(), service, Clock::start())
        .expect("reactor");
    reactor.run(&stop).expect("run");
}
