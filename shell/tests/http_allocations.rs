//! A kept connection costs no allocation a request once it is warm. Alone in its file, because the allocator is the
//! whole process's.

#[path = "http_probe/server.rs"]
#[allow(dead_code)]
mod server;

use nobat::channel::telegram::Update;
use nobat::observe::Registry;
use nobat::reactor::ReactorConfig;
use nobat::updates::{Bot, Taken};
use nobat::webhook::Door;
use nobat_core::bot::Input;
use nobat_core::engine::Busy;
use nobat_core::id::Seq;
use nobat_core::time::Now;
use server::{SECRET, Server};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Counts what threads other than the test's own ask for.
struct Counting;

static ASKED: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static IS_CLIENT: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

fn count() {
    // A thread that ends has no such variable any more: then it is not counted.
    if IS_CLIENT.try_with(|is| !is.get()).unwrap_or(false) {
        ASKED.fetch_add(1, Ordering::Relaxed);
    }
}

// SAFETY: every call is handed to the system's allocator as it came.
#[allow(unsafe_code)]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.dealloc(place, layout) }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promise is passed on.
        unsafe { System.realloc(place, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// No engine: a commit follows in the same turn, so that the answer is one given later.
struct Committed {
    registry: Registry,
    taken: AtomicU64,
    is_durable: AtomicBool,
}

impl Door for Committed {
    fn take(&self, _: Now, _: Bot, update: &Update<'_>) -> Taken {
        assert!(matches!(update.input(), Some(Input::Text { text, .. }) if text == "سلام\n7"));
        self.is_durable.store(false, Ordering::Relaxed);
        Taken::After(Seq(self.taken.fetch_add(1, Ordering::Relaxed) + 1))
    }

    fn durable(&self) -> Seq {
        let taken = self.taken.load(Ordering::Relaxed);
        Seq(if self.is_durable.swap(true, Ordering::Relaxed) { taken } else { taken - 1 })
    }

    fn stalled(&self) -> bool {
        false
    }

    fn put_off(&self, _: Busy) {}

    fn registry(&self) -> &Registry {
        &self.registry
    }
}

const HEAD: &str = "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
    X-Telegram-Bot-Api-Secret-Token: ";

/// An update whose length is said, and the same in two chunks.
fn requests(body: &str) -> [String; 2] {
    let (first, second) = body.split_at(body.len() / 2);
    [
        format!("{HEAD}{SECRET}\r\nContent-Length: {}\r\n\r\n{body}", body.len()),
        format!(
            "{HEAD}{SECRET}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{first}\r\n{:x}\r\n{second}\r\n0\r\n\r\n",
            first.len(),
            second.len()
        ),
    ]
}

/// What 4,000 requests ask of the allocator on a connection that has had 400.
fn asked(server: &Server, body: &str) -> u64 {
    let mut socket = server.connect();
    let requests = requests(body);
    let mut ask = |times: usize| {
        for request in requests.iter().cycle().take(times) {
            socket.write_all(request.as_bytes()).expect("written");
            let mut answer = [0; 1_024];
            let n = socket.read(&mut answer).expect("an answer");
            assert!(answer[..n].starts_with(b"HTTP/1.1 200 "));
        }
    };
    ask(400);
    let warm = ASKED.load(Ordering::Relaxed);
    ask(4_000);
    ASKED.load(Ordering::Relaxed) - warm
}

#[test]
fn a_request_on_a_warm_connection_allocates_nothing() {
    IS_CLIENT.with(|is| is.set(true));
    // The wheel's slots grow now and then, as deadlines move on; a request costs nothing.
    const WHEEL: u64 = 20;
    // A channel's post: read whole, and nobody's conversation, so that the engine has nothing to keep.
    let post = "{\"update_id\":7,\"channel_post\":{\"message_id\":4,\"date\":1784527200,\
        \"chat\":{\"id\":-1001,\"type\":\"channel\"},\"text\":\"\\u0633\\u0644\\u0627\\u0645\"}}";
    let seen = asked(&Server::start(), post);
    assert!(seen <= WHEEL, "{seen} allocations in 4,000 posts");
    // A person's text, answered after the commit.
    let text = "{\"update_id\":7,\"message\":{\"message_id\":4,\"date\":1784527200,\
        \"from\":{\"id\":70,\"is_bot\":false,\"first_name\":\"\\u0632\\ud83d\\ude00\"},\
        \"chat\":{\"id\":70,\"type\":\"private\"},\"text\":\"\\u0633\\u0644\\u0627\\u0645\\n7\"}}";
    let door =
        Committed { registry: Registry::new(1), taken: AtomicU64::new(0), is_durable: AtomicBool::new(true) };
    let seen = asked(&Server::before(door, ReactorConfig::default()), text);
    assert!(seen <= WHEEL, "{seen} allocations in 4,000 texts");
}
