//! The polling thread against a scripted platform on loopback: what it asks, and when it confirms.

use super::*;
use crate::config::Secret;
use crate::observe::{Registry, Sampler};
use crate::updates::Durable;
use nobat_bots::results::{ResultsBot, Settings, Shelf};
use nobat_core::engine::{Engine, Entry, Kind, Rank};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{BotId, KindIx, LaneIx, Seq};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::AtomicU64;
use std::sync::mpsc::{Receiver, Sender, channel};

/// Longer than any test needs; only a bug reaches it.
const PATIENCE: Duration = Duration::from_secs(20);

/// A call that waits for its answer.
struct Call {
    method: String,
    body: String,
    answer: Sender<(u16, String)>,
}

impl Call {
    fn is(&self, method: &str, part: &str) {
        assert!(self.method == method && self.body.contains(part), "{} {}", self.method, self.body);
    }

    fn answer(self, status: u16, body: &str) {
        self.answer.send((status, body.to_owned())).expect("the connection waits");
    }
}

/// Each connection on a thread of its own, each call handed to the test.
fn platform() -> (SocketAddr, Receiver<Call>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let (calls, heard) = channel();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let calls = calls.clone();
            thread::spawn(move || serve(stream, &calls));
        }
    });
    (address, heard)
}

/// Until either side is gone, which is how every test ends.
fn serve(mut stream: TcpStream, calls: &Sender<Call>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        reader.read_line(&mut line).ok()?;
        let method = line.split(' ').nth(1)?.rsplit('/').next()?.to_owned();
        loop {
            line.clear();
            reader.read_line(&mut line).ok()?;
            if line.trim().is_empty() {
                break;
            }
            if let Some(value) = line.strip_prefix("Content-Length: ") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let (answer, answered) = channel();
        calls.send(Call { method, body: String::from_utf8(body).ok()?, answer }).ok()?;
        let (status, body) = answered.recv().ok()?;
        write!(stream, "HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok()?;
    }
}

/// A journal without a disk: the test says what is durable, and how much room there is.
struct Ring {
    tail: AtomicU64,
    room: u64,
    pushed: Sender<u64>,
}

impl Journal for Ring {
    type Room<'a> = ();

    fn reserve(&self, _: usize, _: Rank) -> Option<()> {
        (self.tail.load(Ordering::SeqCst) < self.room).then_some(())
    }

    fn push(&self, (): (), _: Entry) -> Seq {
        let seq = self.tail.fetch_add(1, Ordering::SeqCst) + 1;
        let _ = self.pushed.send(seq);
        Seq(seq)
    }

    fn tail(&self) -> Seq {
        Seq(self.tail.load(Ordering::SeqCst))
    }
}

#[derive(Default)]
struct Disk(AtomicU64);

impl Durable for Disk {
    fn durable(&self) -> Seq {
        Seq(self.0.load(Ordering::SeqCst))
    }

    fn stalled(&self) -> bool {
        false
    }
}

struct Rig {
    calls: Receiver<Call>,
    pushed: Receiver<u64>,
    disk: Arc<Disk>,
    updates: Arc<Updates<Ring>>,
    running: Handle,
}

impl Rig {
    fn start(clear_webhooks: bool, room: u64) -> Self {
        let (address, calls) = platform();
        let (push, pushed) = channel();
        let bot = ResultsBot::new(Settings::default(), Arc::new(Shelf::default()));
        let kind = Kind::new(bot, 1, Rate::new(100, Duration::from_secs(60)));
        let journal = Ring { tail: AtomicU64::new(0), room, pushed: push };
        let disk = Arc::new(Disk::default());
        let updates = Arc::new(Updates {
            engine: Arc::new(Engine::new(vec![kind], 1).attach(journal)),
            durable: Arc::clone(&disk) as Arc<dyn Durable>,
            registry: Arc::new(Registry::new(1)),
            sampler: Sampler::new(0),
            put_off_lines: Sampler::once_a_minute(),
            clock: Clock::start(),
            lanes: 1,
        });
        let origin = Origin::parse(&format!("http://{address}")).expect("an origin");
        let head = RequestHead::new(origin.authority(), origin.prefix(), &Secret::new("1000001:TEST".into()));
        let bot = Bot { kind: KindIx(0), lane: LaneIx(0), id: BotId(1_000_001) };
        let spec = Spec { bots: vec![(bot, head)], allowed: &["message"], origin, tls: None, clear_webhooks };
        let poller = Poller::new(spec, Arc::clone(&updates), Clock::start()).expect("a thread");
        Self { calls, pushed, disk, updates, running: poller.spawn().expect("a thread") }
    }

    fn call(&self) -> Call {
        self.calls.recv_timeout(PATIENCE).expect("a call in time")
    }

    /// Waits until the engine has pushed so many frames.
    fn pushes(&self, frames: u64) {
        while self.pushed.recv_timeout(PATIENCE).expect("a frame in time") < frames {}
    }

    fn commit(&self, up_to: u64) {
        self.disk.0.store(up_to, Ordering::SeqCst);
        self.running.waker.wake().expect("awake");
    }

    fn polls(&self, outcome: &str) -> u64 {
        let index = names::POLL_OUTCOMES.iter().position(|name| *name == outcome).expect("an outcome");
        self.updates.registry.get_at(names::POLLS, index)
    }
}

fn batch(ids: &[i64]) -> String {
    let update = |id: &i64| {
        format!(
            r#"{{"update_id":{id},"message":{{"message_id":1,"date":1,"from":{{"id":{id},"is_bot":false}},"chat":{{"id":{id},"type":"private"}},"text":"/start"}}}}"#
        )
    };
    format!(r#"{{"ok":true,"result":[{}]}}"#, ids.iter().map(update).collect::<Vec<_>>().join(","))
}

#[test]
fn updates_are_decided_and_confirmed_by_the_call_after_their_commit() {
    let rig = Rig::start(false, 100);
    let call = rig.call();
    assert!(!call.body.contains("offset"), "{}", call.body);
    // The first is not held: whether it works shall be known at once.
    call.is("getUpdates", r#""timeout":0,"allowed_updates":["message"]"#);
    call.answer(200, &batch(&[10, 11]));
    rig.pushes(2);
    rig.commit(2);
    let call = rig.call();
    call.is("getUpdates", r#""offset":12,"limit":100,"timeout":30,"#);
    call.answer(200, &batch(&[]));
    // The next is held by the platform, and given up by the stop; nothing is left to confirm.
    let held = rig.call();
    assert!(!held.body.contains("offset"), "{}", held.body);
    assert_eq!((rig.polls("updates"), rig.polls("empty")), (1, 1));
    rig.running.stop_and_join();
    assert!(rig.calls.try_recv().is_err());
}

#[test]
fn what_the_engine_puts_off_is_left_to_the_platform_and_asked_for_again() {
    let rig = Rig::start(false, 1);
    rig.call().answer(200, &batch(&[10, 11, 12]));
    rig.pushes(1);
    rig.commit(1);
    rig.call().is("getUpdates", r#""offset":11,"#);
    assert_eq!(rig.updates.registry.get_at(names::UPDATES_REFUSED, names::OVERLOAD), 1);
}

#[test]
fn a_stop_confirms_what_was_taken_beside_the_call_that_is_held() {
    let rig = Rig::start(false, 100);
    rig.call().answer(200, &batch(&[10]));
    rig.pushes(1);
    rig.commit(1);
    let held = rig.call();
    held.is("getUpdates", r#""offset":11,"#);
    let stopping = thread::spawn(move || rig.running.stop_and_join());
    let confirm = rig.calls.recv_timeout(PATIENCE).expect("a call in time");
    confirm.is("getUpdates", r#""offset":11,"limit":1,"timeout":0"#);
    // It may bring an update; that one is the successor's.
    confirm.answer(200, &batch(&[12]));
    stopping.join().expect("stopped");
    assert_eq!(rig.updates.engine.journal().tail(), Seq(1));
}

#[test]
fn a_webhook_in_the_way_is_removed_only_if_polling_is_forced() {
    const ACTIVE: &str = r#"{"ok":false,"error_code":409,"description":"Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"}"#;
    let forced = Rig::start(true, 100);
    forced.call().answer(409, ACTIVE);
    let clear = forced.call();
    clear.is("deleteWebhook", r#"{"drop_pending_updates":false}"#);
    clear.answer(200, r#"{"ok":true,"result":true}"#);
    forced.call().is("getUpdates", "");
    assert_eq!(forced.updates.registry.get_at(names::POLLING, 0), 1);

    let left_alone = Rig::start(false, 100);
    left_alone.call().answer(409, ACTIVE);
    left_alone.running.stop_and_join();
    assert!(left_alone.calls.try_recv().is_err());
    assert_eq!(left_alone.updates.registry.get_at(names::POLLING, 0), 0);
}

#[test]
fn a_broken_answer_is_asked_for_again_and_confirms_nothing() {
    let rig = Rig::start(false, 100);
    rig.call().answer(502, "<html>");
    let again = rig.call();
    assert!(!again.body.contains("offset"), "{}", again.body);
    again.answer(200, &batch(&[7])[..60]);
    assert!(!rig.call().body.contains("offset"));
    assert_eq!(rig.polls("failed"), 2);
}
