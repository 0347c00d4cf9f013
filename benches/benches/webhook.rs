//! The shell as a whole process beside a bare mio loop and the frameworks: a POST of 570 bytes, kept connections.
//!
//! `cargo bench -p nobat-benches --bench webhook -- --instructions`: user instructions a request, by callgrind over
//! two lengths of run, so that start and end cancel out. It needs valgrind.
//! `... -- --cpu`: CPU time a request in rounds that take turns, the server on core 0, the load on core 1. A number
//! behind it is the requests of a round, for a machine that has no time.
//! `... -- --idle 10000`: resident memory of the shell in a program of its own, and of as many connections that have
//! been used and say nothing.
//! `... -- --tls`: CPU time a full handshake over TCP, in rounds that take turns with the same handshake in memory and
//! a bare accept and close; with a certificate of ECDSA P-256 and one of RSA 2048; then with sessions that are resumed.
//! `... -- --slow`: the latency of one client beside 500 slow senders and 500 slow readers.
//!
//! `shell` is reactor, codec, service and decoder with nothing behind them; `engine` has the engine there. The
//! frameworks are built apart, so that nobody else builds them: `cargo build --release --manifest-path
//! benches/peers/Cargo.toml`; without that they are left out.

mod support;

use nobat_benches::serve;
use std::path::Path;
use std::time::Duration;
use support::load::{Load, latencies};
use support::process::{Served, each};
use support::{report, tls};

/// Connections of the load.
const CONNECTIONS: usize = 64;
/// Requests of one round.
const ROUND: usize = 128_000;
/// Handshakes of one round.
const HANDSHAKES: usize = 512;
/// Rounds a server.
const ROUNDS: usize = 7;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["serve", "encrypted", folder] => serve::encrypted(tls::server(Path::new(folder))),
        ["serve", what] => serve::run(what),
        ["--instructions"] => instructions(),
        ["--cpu"] => cpu(ROUND),
        ["--cpu", requests] => cpu(requests.parse().expect("a number")),
        ["--idle", count] => idle(count.parse().expect("a number")),
        ["--slow"] => slow(),
        ["--tls"] => handshakes(),
        // `cargo bench` runs every bench without an argument: the cheapest figure then.
        _ => idle(200),
    }
}

fn instructions() {
    for name in each() {
        let count = |requests: usize| {
            let served = Served::under_callgrind(name);
            let mut load = Load::new(served.port(), CONNECTIONS);
            load.run(requests);
            served.end_and_count()
        };
        let (short, long) = (6_400, 19_200);
        let least = count(short);
        println!("{name}: {} user instructions a request", (count(long) - least) / (long - short) as u64);
    }
}

/// Rounds that take turns, so that whatever disturbs the machine disturbs all servers alike.
fn cpu(requests: usize) {
    let served: Vec<_> = each().into_iter().map(|name| (name, Served::on_core(name, 0))).collect();
    let mut micros = vec![Vec::new(); served.len()];
    for round in 0..=ROUNDS {
        for (at, (_, server)) in served.iter().enumerate() {
            // Fresh connections each round: on a slow day the others' turns outlast every server's patience.
            let mut load = Load::new(server.port(), CONNECTIONS);
            load.run(8 * CONNECTIONS);
            let before = server.cpu();
            load.run(requests);
            let used = server.cpu() - before;
            // The first round warms up.
            if round > 0 {
                micros[at].push(used.as_secs_f64() * 1e6 / requests as f64);
            }
        }
    }
    report::ratios(&served.iter().map(|(name, _)| *name).collect::<Vec<_>>(), &micros);
}

/// The server's side of a handshake: over TCP, in memory, and what a connection costs without one. On the core where
/// the client and the handshakes in memory are, all find the same caches; on a core of its own the server is woken from
/// the other for each arrival, which is the machine's price and not the shell's alone.
fn handshakes() {
    let kinds = [
        ("ECDSA P-256, full", tls::Key::Ecdsa, false),
        ("RSA 2048, full", tls::Key::Rsa, false),
        ("ECDSA P-256, resumed", tls::Key::Ecdsa, true),
    ];
    for (place, core) in [("all on one core", 1), ("the servers on the other core", 0)] {
        let closing = Served::on_core("closing", core);
        for (what, key, resumes) in kinds {
            let ends = tls::Ends::new(key);
            let shell = Served::encrypted_on_core(ends.folder(), core);
            report::handshakes(&format!("{place}: {what}"), &in_turns(&ends, &shell, &closing, resumes));
        }
    }
}

/// Microseconds a handshake of each round: over TCP, in memory as rustls comes, as configured here, and a bare close.
fn in_turns(ends: &tls::Ends, shell: &Served, closing: &Served, resumes: bool) -> Vec<Vec<f64>> {
    let micros = |used: Duration| used.as_secs_f64() * 1e6 / HANDSHAKES as f64;
    let [ours, stock, there] = [0; 3].map(|_| ends.client(resumes));
    let mut rounds = vec![Vec::new(); 4];
    for round in 0..=ROUNDS {
        let before = shell.cpu();
        let resumed = tls::over_tcp(shell.port(), &there, HANDSHAKES);
        let over_tcp = micros(shell.cpu() - before);
        let stock = micros(tls::in_memory(&ends.stock, &stock, HANDSHAKES));
        let ours = micros(tls::in_memory(&ends.ours, &ours, HANDSHAKES));
        let before = closing.cpu();
        tls::bare(closing.port(), HANDSHAKES);
        let bare = micros(closing.cpu() - before);
        // The first round warms up.
        if round > 0 {
            assert_eq!(resumed, if resumes { HANDSHAKES } else { 0 }, "resumed in this round");
            for (at, value) in [over_tcp, stock, ours, bare].into_iter().enumerate() {
                rounds[at].push(value);
            }
        }
    }
    rounds
}

/// Of a program that has nothing else: a page of code that nobody runs counts as well if it lies beside one that runs.
fn idle(connections: usize) {
    support::process::lift_descriptors();
    let served = Served::alone_on_core(0);
    println!("the shell alone, at start: {}", served.resident());
    let mut one = Load::new(served.port(), 1);
    one.run(ROUND / 8);
    println!("after {} requests on one connection: {}", ROUND / 8, served.resident());
    let mut warm = Load::new(served.port(), CONNECTIONS);
    warm.run(ROUND / 8);
    let before = served.resident();
    println!("after {} on {CONNECTIONS}: {before}", ROUND / 8);
    let mut load = Load::new(served.port(), connections);
    load.run(connections);
    // The server's last buffers go back at the end of its turn.
    std::thread::sleep(Duration::from_millis(200));
    let after = served.resident();
    let each = after.all.saturating_sub(before.all) / connections as u64;
    println!("{connections} idle connections: {after}, {each} bytes each");
}

fn slow() {
    support::process::lift_descriptors();
    let served = Served::on_core("shell", 0);
    let quiet = latencies(served.port(), 5_000);
    let crowd = support::load::Crowd::start(served.port(), 500, 500);
    // Until the readers' sockets are full: before, they are not slow but a load.
    std::thread::sleep(Duration::from_secs(4));
    let beside = latencies(served.port(), 5_000);
    let alive = crowd.stop();
    for (what, latency) in [("alone", quiet), ("beside 500 slow senders and 500 slow readers", beside)] {
        println!("one client {what}: p50 {:?}, p99 {:?}, max {:?}", latency.p50, latency.p99, latency.max);
    }
    println!("bytes trickled meanwhile: {alive}");
}
