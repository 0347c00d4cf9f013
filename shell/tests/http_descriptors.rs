//! A process without a free file descriptor. Alone in its file, because the limit is the whole process's.

use nobat::clock::Clock;
use nobat::http::{RequestHead, Response, Status};
use nobat::reactor::{Answer, Deferred, Peer, Reactor, ReactorConfig, ReplyToken, Service, Turn, bind};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const CLIENTS: usize = 50;
/// Descriptors left for the server's side of them.
const FREE: u64 = 10;

struct Hello;

impl Service for Hello {
    fn admit(&mut self, _: &RequestHead<'_>, _: &Peer) -> Result<(), Response> {
        Ok(())
    }

    fn call(&mut self, _: &Turn, _: ReplyToken, _: &RequestHead<'_>, _: &mut [u8]) -> Answer {
        Answer::Now(Response::text(Status::OK, "hello"))
    }

    fn settle(&mut self, _: &Turn, _: &mut Deferred<'_>) {}
}

#[test]
fn without_a_free_descriptor_accepting_rests_and_everyone_is_served_in_the_end() {
    let listener = bind("127.0.0.1:0".parse().expect("address"), false).expect("bind");
    let addr = listener.local_addr().expect("address");
    let mut reactor =
        Reactor::new(vec![listener], None, ReactorConfig::default(), Hello, Clock::start()).expect("reactor");
    // They connect into the backlog: nobody accepts yet.
    let clients: Vec<TcpStream> = (0..CLIENTS).map(|_| TcpStream::connect(addr).expect("connect")).collect();
    let (stats, waker) = (reactor.stats(), reactor.waker());
    let stop = Arc::new(AtomicBool::new(false));

    let before = getrlimit(Resource::Nofile);
    let highest = std::os::fd::AsRawFd::as_raw_fd(clients.last().expect("some")) as u64;
    let tight = Rlimit { current: Some(highest + 1 + FREE), maximum: before.maximum };
    setrlimit(Resource::Nofile, tight).expect("a tighter limit");
    let flag = Arc::clone(&stop);
    let server = std::thread::spawn(move || reactor.run(&flag).expect("run"));

    // The kernel hands them over in the order in which they came.
    for mut client in clients {
        client.set_read_timeout(Some(Duration::from_secs(20))).expect("timeout");
        client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").expect("write");
        let mut answer = String::new();
        client.read_to_string(&mut answer).expect("an answer");
        assert!(answer.ends_with("hello"), "{answer}");
    }
    setrlimit(Resource::Nofile, before).expect("the limit as before");
    stop.store(true, Ordering::Release);
    waker.wake().expect("wake");
    server.join().expect("the reactor does not panic");
    let stats = stats.view();
    assert_eq!((stats.accepted, stats.requests), (CLIENTS as u64, CLIENTS as u64));
    assert!(stats.accept_pauses > 0, "the limit was met: {stats:?}");
}
