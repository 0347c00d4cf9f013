//! Newcomers: a few threads that connect anew again and again, ask one thing and go. A listener that is closed for a
//! moment refuses one of them; a pause is how long the unluckiest waited.
//!
//! Deliveries go over kept connections, so they alone would hardly notice.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::report::Quantiles;

/// Side by side, so that while some wait others still come.
const THREADS: u32 = 4;
/// Between two knocks of one thread: together 200 a second.
const EVERY: Duration = Duration::from_millis(20);
/// A server that takes longer has forgotten the connection.
const PATIENCE: Duration = Duration::from_secs(30);

/// At the door.
pub(super) struct Knockers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<Knocks>>,
}

/// What they saw.
#[derive(Debug, Default)]
pub(super) struct Knocks {
    /// Connects that nobody took.
    pub(super) refused: u64,
    /// Connections that were closed without an answer; asked again by any client.
    pub(super) raced: u64,
    /// Of those that were answered: when, and after how long.
    answered: Vec<(Instant, Duration)>,
}

enum Trouble {
    Refused,
    Raced,
}

impl Knockers {
    pub(super) fn start(at: SocketAddr) -> io::Result<Self> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Vec::new();
        for nth in 0..THREADS {
            let stop = Arc::clone(&stop);
            let thread = std::thread::Builder::new().name("newcomers".to_owned());
            threads.push(thread.spawn(move || {
                std::thread::sleep(EVERY * nth / THREADS);
                let mut knocks = Knocks::default();
                while !stop.load(Ordering::Relaxed) {
                    knocks.note(Instant::now(), knock(at));
                    std::thread::sleep(EVERY);
                }
                knocks
            })?);
        }
        Ok(Self { stop, threads })
    }

    pub(super) fn finish(self) -> Knocks {
        self.stop.store(true, Ordering::Relaxed);
        let mut all = Knocks::default();
        for thread in self.threads {
            // One that panicked has seen nothing.
            let seen = thread.join().unwrap_or_default();
            all.refused += seen.refused;
            all.raced += seen.raced;
            all.answered.extend(seen.answered);
        }
        all
    }
}

impl Knocks {
    fn note(&mut self, began: Instant, ended: Result<(), Trouble>) {
        match ended {
            Ok(()) => self.answered.push((began, began.elapsed())),
            Err(Trouble::Refused) => self.refused += 1,
            Err(Trouble::Raced) => self.raced += 1,
        }
    }

    /// The longest wait of one who waited within this span, in milliseconds.
    pub(super) fn longest_within(&self, began: Instant, over: Instant) -> f64 {
        let waited = |(at, took): &&(Instant, Duration)| *at <= over && *at + *took >= began;
        let longest = self.answered.iter().filter(waited).map(|(_, took)| *took).max();
        longest.unwrap_or_default().as_secs_f64() * 1e3
    }

    /// How long those who were answered waited.
    pub(super) fn waits(&self) -> Quantiles {
        let mut waits: Vec<Duration> = self.answered.iter().map(|(_, took)| *took).collect();
        waits.sort_unstable();
        Quantiles::of(&waits)
    }
}

/// One newcomer. Any status is an answer.
fn knock(at: SocketAddr) -> Result<(), Trouble> {
    let mut stream = TcpStream::connect_timeout(&at, PATIENCE).map_err(|e| match e.kind() {
        // Taken and thrown away again before we saw it.
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Trouble::Raced,
        _ => Trouble::Refused,
    })?;
    let ask = |stream: &mut TcpStream| -> io::Result<()> {
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.write_all(
            format!("GET /health HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").as_bytes(),
        )?;
        stream.read_exact(&mut [0; 12])
    };
    ask(&mut stream).map_err(|_| Trouble::Raced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    #[test]
    fn a_door_that_is_shut_for_a_moment_is_noticed_and_one_that_opens_late_is_not_refused() {
        let door = TcpListener::bind("127.0.0.1:0").expect("a port");
        let at = door.local_addr().expect("an address");
        let answer = |door: &TcpListener| {
            let (mut stream, _) = door.accept().expect("somebody");
            let mut asked = [0; 16];
            stream.read_exact(&mut asked).expect("a question");
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").expect("an answer");
        };
        let mut seen = Knocks::default();
        std::thread::scope(|scope| {
            let late = scope.spawn(|| {
                std::thread::sleep(Duration::from_millis(30));
                answer(&door);
            });
            let began = Instant::now();
            seen.note(began, knock(at));
            late.join().expect("answered");
            assert!(seen.longest_within(began, Instant::now()) >= 30.0);
            let hasty = scope.spawn(|| drop(door.accept().expect("somebody")));
            seen.note(Instant::now(), knock(at));
            hasty.join().expect("closed");
        });
        drop(door);
        seen.note(Instant::now(), knock(at));
        assert_eq!((seen.answered.len(), seen.raced, seen.refused), (1, 1, 1));
    }
}
