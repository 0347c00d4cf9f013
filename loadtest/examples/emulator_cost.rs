//! What the emulator costs: CPU of its own thread per call and per delivery, read from /proc (Linux).
//!
//! `cargo run --release -p nobat-load --example emulator_cost [-- CALLS [CONNECTIONS [LATENCY_MS]]]`
//! The clients and the webhook run beside it on other threads and are not counted.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::handshake;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use nobat_load::telegram::{BotSpec, Emulator, EmulatorConfig, Latency, Limits, Submit};
use nobat_load::wire::What;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::unbounded_channel;

const BOTS: usize = 17;

fn main() {
    let mut args = std::env::args().skip(1).filter_map(|a| a.parse::<usize>().ok());
    let calls = args.next().unwrap_or(51_000);
    let connections = args.next().unwrap_or(510);
    let latency = args.next().unwrap_or(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    runtime.expect("a runtime").block_on(measure(calls, connections, latency as u64));
}

async fn measure(calls: usize, connections: usize, latency_ms: u64) {
    let bots = (0..BOTS).map(|i| BotSpec::new(format!("{}:COST", 1_000_001 + i))).collect();
    let (tx, mut events) = unbounded_channel();
    let latency = match latency_ms {
        0 => Latency::None,
        ms => Latency::LogNormal { median: Duration::from_millis(ms), sigma: 0.5 },
    };
    let config = EmulatorConfig { bots, latency, limits: Limits::none(), ..EmulatorConfig::default() };
    let emulator = Emulator::start(config, tx).expect("starts");
    tokio::spawn(async move { while events.recv().await.is_some() {} });

    let (cpu, wall) = (cpu_time(), Instant::now());
    let mut clients = tokio::task::JoinSet::new();
    for c in 0..connections {
        clients.spawn(call_many(emulator.addr(), c, calls / connections));
    }
    clients.join_all().await;
    report("call (sendMessage, 1 KB of text)", calls / connections * connections, cpu, wall);

    let hook = webhook().await;
    let params = serde_json::json!({"url": format!("http://{hook}/"), "max_connections": 100});
    let params = params.as_object().cloned().unwrap_or_default();
    emulator.call(0, "setWebhook", params).await.expect("a bot");
    let (cpu, wall) = (cpu_time(), Instant::now());
    for user in 0..calls as u64 {
        let (planned_at, chat) = (emulator.now(), user as i64 + 1);
        let what = What::Text("123456".into());
        emulator.submit(Submit { bot: 0, user, chat, planned_at, what, language_code: "ar".into() });
    }
    while emulator.queue_len(0) > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    report("delivery (one bot, up to 100 connections)", calls, cpu, wall);
    emulator.stop().await;
}

fn report(what: &str, count: usize, cpu: Duration, wall: Instant) {
    let (cpu, wall) = (cpu_time() - cpu, wall.elapsed());
    println!(
        "{what}: {count} in {:.2} s = {:.0}/s; emulator CPU {:.2} s = {:.1} us each",
        wall.as_secs_f64(),
        count as f64 / wall.as_secs_f64(),
        cpu.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / count as f64,
    );
}

async fn call_many(addr: std::net::SocketAddr, c: usize, calls: usize) {
    let stream = TcpStream::connect(addr).await.expect("connects");
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.expect("handshake");
    tokio::spawn(connection);
    let text = "درجة ".repeat(110);
    for i in 0..calls {
        let body = format!(r#"{{"chat_id":{},"text":"{text}"}}"#, c * 1_000 + i + 1);
        let request = Request::post(format!("/bot{}:COST/sendMessage", 1_000_001 + c % BOTS))
            .header("host", "t")
            .header("content-type", "application/json")
            .body(Full::<Bytes>::new(body.into()))
            .expect("a request");
        sender.ready().await.expect("open");
        let response = sender.send_request(request).await.expect("answered");
        assert!(response.status().is_success(), "{}", response.status());
        response.into_body().collect().await.expect("a body");
    }
}

async fn webhook() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
    let addr = listener.local_addr().expect("bound");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let service = service_fn(|request: Request<hyper::body::Incoming>| async move {
                request.into_body().collect().await?;
                Ok::<_, hyper::Error>(Response::new(Full::<Bytes>::default()))
            });
            tokio::spawn(
                hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    addr
}

/// CPU time of the thread named `telegram`: user and system, in ticks of 10 ms.
fn cpu_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let ticks: u64 = tasks
        .filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok())
        .filter(|stat| stat.contains("(telegram)"))
        .filter_map(|stat| {
            let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
            Some(fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?)
        })
        .sum();
    Duration::from_millis(ticks * 10)
}
