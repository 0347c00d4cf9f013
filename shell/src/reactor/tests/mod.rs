//! Tests of the reactor with real sockets on loopback. What decides is bytes and closes, never a duration.

mod abuse;
mod basics;

use super::*;
use crate::clock::Clock;
use crate::http::{Method, RequestHead, Response, Status};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

/// Longer than any test needs; only a bug reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// Echoes the body; `/later` waits until the test releases it; `/refuse` is not admitted.
struct Echo {
    arrived: Sender<(ReplyToken, Vec<u8>)>,
    due: Arc<Mutex<Vec<(ReplyToken, Response)>>>,
    ignored: Sender<bool>,
}

impl Service for Echo {
    fn admit(&mut self, head: &RequestHead<'_>, _: &Peer) -> Result<(), Response> {
        if head.path() == b"/refuse" { Err(Response::busy(7)) } else { Ok(()) }
    }

    fn call(&mut self, _: &Turn, token: ReplyToken, head: &RequestHead<'_>, body: &mut [u8]) -> Answer {
        body.reverse();
        if head.path() == b"/later" {
            let _ = self.arrived.send((token, body.to_vec()));
            return Answer::Later;
        }
        if head.method() == Method::Get && head.path() == b"/large" {
            return Answer::Now(Response::text(Status::OK, "x".repeat(1 << 20)));
        }
        Answer::Now(Response::text(Status::OK, String::from_utf8_lossy(body).into_owned()))
    }

    fn settle(&mut self, _: &Turn, out: &mut Deferred<'_>) {
        for (token, response) in self.due.lock().expect("lock").drain(..) {
            let _ = self.ignored.send(!out.answer(token, response));
        }
    }
}

/// A reactor in a thread of its own.
struct Server {
    addr: SocketAddr,
    arrived: Receiver<(ReplyToken, Vec<u8>)>,
    ignored: Receiver<bool>,
    due: Arc<Mutex<Vec<(ReplyToken, Response)>>>,
    waker: Arc<mio::Waker>,
    stop: Arc<AtomicBool>,
    stats: Arc<Stats>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    fn start(config: ReactorConfig) -> Self {
        let listener = bind("127.0.0.1:0".parse().expect("address"), false).expect("bind");
        let addr = listener.local_addr().expect("address");
        let ((arrive, arrived), (ignore, ignored)) = (channel(), channel());
        let due = Arc::new(Mutex::new(Vec::new()));
        let service = Echo { arrived: arrive, due: Arc::clone(&due), ignored: ignore };
        let mut reactor =
            Reactor::new(vec![listener], None, config, service, Clock::start()).expect("reactor");
        let (waker, stats) = (reactor.waker(), reactor.stats());
        let stop = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&stop);
        let thread = Some(std::thread::spawn(move || reactor.run(&flag).expect("run")));
        Self { addr, arrived, ignored, due, waker, stop, stats, thread }
    }

    fn client(&self) -> TcpStream {
        let socket = TcpStream::connect(self.addr).expect("connect");
        socket.set_read_timeout(Some(PATIENCE)).expect("timeout");
        socket.set_write_timeout(Some(PATIENCE)).expect("timeout");
        socket
    }

    fn wait_for_call(&self) -> (ReplyToken, Vec<u8>) {
        self.arrived.recv_timeout(PATIENCE).expect("a call")
    }

    /// Answers a deferred request; true if nobody waited for it.
    fn answer(&self, token: ReplyToken, text: &'static str) -> bool {
        self.due.lock().expect("lock").push((token, Response::text(Status::OK, text)));
        self.waker.wake().expect("wake");
        self.ignored.recv_timeout(PATIENCE).expect("settled")
    }

    /// Waits until a counter is as wanted.
    fn wait_for(&self, what: impl Fn(StatsView) -> bool) {
        for _ in 0..2_000 {
            if what(self.stats.view()) {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("never: {:?}", self.stats.view());
    }

    fn begin_stop(&self) {
        self.stop.store(true, Ordering::Release);
        self.waker.wake().expect("wake");
    }

    fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the reactor does not panic");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.begin_stop();
        self.join();
    }
}

fn post(path: &str, body: &str) -> String {
    format!("POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}

/// Reads one response: status line and body.
fn response(socket: &mut TcpStream) -> (String, String) {
    let (head, body) = full_response(socket);
    (head.lines().next().unwrap_or_default().to_owned(), body)
}

/// Reads one response: head and body.
fn full_response(socket: &mut TcpStream) -> (String, String) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        socket.read_exact(&mut byte).expect("a response");
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).expect("text");
    let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().expect("length")];
    socket.read_exact(&mut body).expect("a body");
    (head, String::from_utf8(body).expect("text"))
}

/// Whatever comes until the peer closes.
fn rest(socket: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).expect("an orderly end");
    String::from_utf8(bytes).expect("text")
}
