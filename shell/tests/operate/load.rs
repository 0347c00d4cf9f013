//! The platform's other side: delivers updates over kept connections, again and again until each was answered 200,
//! and counts what stood in the way.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The first user; each update is of a user of its own, so that each owes a message to a chat of its own.
pub(crate) const FIRST_USER: u64 = 500_000;

/// What the senders saw.
#[derive(Default, Debug)]
pub(crate) struct Seen {
    /// Updates answered 200.
    pub(crate) taken: AtomicU64,
    /// Connects that nobody took.
    pub(crate) refused: AtomicU64,
    /// Requests whose connection was closed before the answer: sent again.
    pub(crate) raced: AtomicU64,
    /// Answers other than 200: sent again.
    pub(crate) put_off: AtomicU64,
}

/// Senders at work.
pub(crate) struct Load {
    pub(crate) seen: Arc<Seen>,
    stop: Arc<AtomicBool>,
    next: Arc<AtomicU64>,
    threads: Vec<JoinHandle<()>>,
}

impl Load {
    /// `senders` connections, each with an update every few milliseconds; every eighth update on a fresh connection.
    pub(crate) fn start(to: SocketAddr, senders: usize) -> Self {
        let (seen, stop, next) =
            (Arc::<Seen>::default(), Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let thread = |_| {
            let (seen, stop, next) = (Arc::clone(&seen), Arc::clone(&stop), Arc::clone(&next));
            thread::spawn(move || sender(to, &seen, &stop, &next))
        };
        let threads = (0..senders).map(thread).collect();
        Self { seen, stop, next, threads }
    }

    pub(crate) fn taken(&self) -> u64 {
        self.seen.taken.load(Ordering::Relaxed)
    }

    /// Lets every sender finish its update; how many updates there were, each answered 200.
    pub(crate) fn finish(self) -> (u64, Arc<Seen>) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            thread.join().expect("a sender");
        }
        (self.next.load(Ordering::Relaxed), self.seen)
    }
}

fn sender(to: SocketAddr, seen: &Seen, stop: &AtomicBool, next: &AtomicU64) {
    let mut connection: Option<TcpStream> = None;
    while !stop.load(Ordering::Relaxed) {
        let n = next.fetch_add(1, Ordering::Relaxed);
        if n.is_multiple_of(8) {
            connection = None;
        }
        let bytes = update(n);
        loop {
            match deliver(&mut connection, to, &bytes) {
                Ok(200) => break,
                Ok(_) => {
                    seen.put_off.fetch_add(1, Ordering::Relaxed);
                }
                Err(Trouble::Refused) => {
                    seen.refused.fetch_add(1, Ordering::Relaxed);
                }
                Err(Trouble::Raced) => {
                    seen.raced.fetch_add(1, Ordering::Relaxed);
                }
            }
            thread::sleep(Duration::from_millis(5));
        }
        seen.taken.fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(4));
    }
}

/// `/start` of the `n`th user.
pub(crate) fn update(n: u64) -> String {
    let user = FIRST_USER + n;
    let body = format!(
        "{{\"update_id\":{},\"message\":{{\"message_id\":{n},\"date\":1784527200,\"text\":\"/start\",\
         \"from\":{{\"id\":{user},\"is_bot\":false,\"first_name\":\"A\"}},\
         \"chat\":{{\"id\":{user},\"type\":\"private\"}}}}}}",
        1_000 + n
    );
    format!(
        "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         X-Telegram-Bot-Api-Secret-Token: test-secret\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

enum Trouble {
    Refused,
    Raced,
}

fn deliver(connection: &mut Option<TcpStream>, to: SocketAddr, bytes: &str) -> Result<u16, Trouble> {
    let mut stream = match connection.take() {
        Some(stream) => stream,
        None => TcpStream::connect(to).map_err(|_| Trouble::Refused)?,
    };
    let answered = answer(&mut stream, bytes).map_err(|_| Trouble::Raced)?;
    let status = answered.get(9..12).and_then(|word| word.parse().ok()).ok_or(Trouble::Raced)?;
    if !answered.contains("Connection: close") {
        *connection = Some(stream);
    }
    Ok(status)
}

/// One request, and the head of its answer; answers to updates have no body.
fn answer(stream: &mut TcpStream, bytes: &str) -> std::io::Result<String> {
    stream.set_read_timeout(Some(Duration::from_secs(60)))?;
    stream.set_nodelay(true)?;
    stream.write_all(bytes.as_bytes())?;
    let (mut head, mut piece) = (Vec::new(), [0; 512]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut piece)? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            n => head.extend_from_slice(&piece[..n]),
        }
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// For assertions: the users whose update was answered 200 and who were not sent what they asked for.
pub(crate) fn missing(updates: u64, platform: &super::platform::Platform) -> VecDeque<u64> {
    (0..updates).map(|n| FIRST_USER + n).filter(|user| platform.sent_to(*user) == 0).collect()
}
