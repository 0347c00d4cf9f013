//! The load: kept connections, one request each in turn; and the slow crowd.

use super::request;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Kept connections.
pub(crate) struct Load {
    sockets: Vec<TcpStream>,
    request: Vec<u8>,
}

impl Load {
    pub(crate) fn new(port: u16, connections: usize) -> Self {
        let sockets = (0..connections).map(|_| connect(port)).collect();
        Self { sockets, request: request() }
    }

    /// Asks on every connection, then reads every answer, and so on.
    pub(crate) fn run(&mut self, requests: usize) {
        let mut answer = [0; 4_096];
        for _ in 0..requests / self.sockets.len() {
            // In groups, so that no more answers wait than the sockets hold.
            for group in self.sockets.chunks_mut(64) {
                for socket in &mut *group {
                    socket.write_all(&self.request).expect("written");
                }
                for socket in group {
                    let n = socket.read(&mut answer).expect("an answer");
                    assert!(answer[..n].starts_with(b"HTTP/1.1 200 "), "{:?}", &answer[..n.min(80)]);
                }
            }
        }
    }
}

fn connect(port: u16) -> TcpStream {
    let socket = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    socket.set_nodelay(true).expect("no delay");
    socket
}

/// Quantiles of one client's latency.
pub(crate) struct Latency {
    pub(crate) p50: Duration,
    pub(crate) p99: Duration,
    pub(crate) max: Duration,
}

/// One client, one request after the other.
pub(crate) fn latencies(port: u16, requests: usize) -> Latency {
    let mut load = Load::new(port, 1);
    let mut all: Vec<Duration> = (0..requests)
        .map(|_| {
            let began = Instant::now();
            load.run(1);
            began.elapsed()
        })
        .collect();
    all.sort_unstable();
    Latency { p50: all[requests / 2], p99: all[requests * 99 / 100], max: all[requests - 1] }
}

/// Slow senders, who send a byte of a request now and then, and slow readers, who ask on and on and read a byte now
/// and then.
pub(crate) struct Crowd {
    stop: Arc<AtomicBool>,
    bytes: Arc<AtomicU64>,
    thread: JoinHandle<()>,
}

impl Crowd {
    pub(crate) fn start(port: u16, senders: usize, readers: usize) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let bytes = Arc::new(AtomicU64::new(0));
        let (flag, count) = (Arc::clone(&stop), Arc::clone(&bytes));
        let mut senders: Vec<_> = (0..senders).map(|_| (connect(port), 0)).collect();
        let mut readers: Vec<_> = (0..readers).map(|_| connect(port)).collect();
        for socket in senders.iter().map(|(socket, _)| socket).chain(&readers) {
            socket.set_nonblocking(true).expect("nonblocking");
        }
        let thread = std::thread::spawn(move || {
            let request = request();
            while !flag.load(Ordering::Acquire) {
                let mut moved = 0;
                for (socket, at) in &mut senders {
                    // A request that never ends: its last byte is held back, and the server may end it.
                    if *at + 1 < request.len() {
                        moved += socket.write(&request[*at..=*at]).unwrap_or(0) as u64;
                        *at += 1;
                    }
                }
                for socket in &mut readers {
                    for _ in 0..4 {
                        if socket.write(&request).is_err() {
                            break;
                        }
                    }
                    moved += socket.read(&mut [0; 1]).unwrap_or(0) as u64;
                }
                count.fetch_add(moved, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        });
        Self { stop, bytes, thread }
    }

    /// Bytes that were moved.
    pub(crate) fn stop(self) -> u64 {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("the crowd");
        self.bytes.load(Ordering::Relaxed)
    }
}
