//! A kept connection costs no allocation a request once it is warm. Alone in its file, because the allocator is the
//! whole process's.

#[path = "http_probe/server.rs"]
#[allow(dead_code)]
mod server;

use server::{SECRET, Server};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

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

#[test]
fn a_request_on_a_warm_connection_allocates_nothing() {
    IS_CLIENT.with(|is| is.set(true));
    let server = Server::start();
    let mut socket = server.connect();
    // A channel's post: read whole, and nobody's conversation, so that the engine has nothing to keep.
    let body = "{\"update_id\":7,\"channel_post\":{\"message_id\":4,\"date\":1784527200,\
        \"chat\":{\"id\":-1001,\"type\":\"channel\"},\"text\":\"\\u0633\\u0644\\u0627\\u0645\"}}";
    let request = format!(
        "POST /webhook HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut ask = |times: usize| {
        for _ in 0..times {
            socket.write_all(request.as_bytes()).expect("written");
            let mut answer = [0; 1_024];
            let n = socket.read(&mut answer).expect("an answer");
            assert!(answer[..n].starts_with(b"HTTP/1.1 200 "));
        }
    };
    ask(200);
    let warm = ASKED.load(Ordering::Relaxed);
    ask(2_000);
    let asked = ASKED.load(Ordering::Relaxed) - warm;
    // The wheel's slots grow now and then, as deadlines move on; a request costs nothing.
    assert!(asked <= 20, "{asked} allocations in 2,000 requests");
}
