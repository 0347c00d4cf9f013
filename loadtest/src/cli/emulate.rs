//! `nobat-load emulate`: the emulated Telegram alone, for people who test a bot of their own.

mod args;

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::telegram::{Emulator, Totals};
use crate::wire::{At, Outcome, What, Wire};

pub(super) use args::Args;

/// Runs until the process is told to stop.
pub(super) fn run(args: Args) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(e) => return fail(&format!("cannot start the runtime: {e}")),
    };
    match runtime.block_on(emulate(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => fail(&reason),
    }
}

fn fail(reason: &str) -> ExitCode {
    // A closed standard error is no reason to panic.
    let _ = writeln!(std::io::stderr(), "nobat-load emulate: {reason}");
    ExitCode::FAILURE
}

async fn emulate(args: Args) -> Result<(), String> {
    let config = args::config(&args)?;
    let names: Vec<String> = config.bots.iter().map(|b| b.token.clone()).collect();
    let listen = config.listen;
    let (tx, events) = unbounded_channel();
    let emulator = Emulator::start(config, tx).map_err(|e| {
        format!("cannot start on {listen}: {e}; is the port in use? choose another with --port")
    })?;
    if let Some(url) = &args.webhook {
        register(&emulator, url, args.webhook_secret.as_deref()).await?;
    }
    greet(&emulator, &args, &names);
    let shown =
        async { if args.json { print_events(events).await } else { print_seconds(&emulator, events).await } };
    let told = tokio::select! {
        printed = shown => printed.map_err(|e| format!("cannot print: {e}")),
        signal = tokio::signal::ctrl_c() => signal.map_err(|e| format!("cannot wait for a signal: {e}")),
    };
    emulator.stop().await;
    told
}

async fn register(emulator: &Emulator, url: &str, secret: Option<&str>) -> Result<(), String> {
    let mut params = Map::from_iter([("url".to_owned(), Value::from(url))]);
    if let Some(secret) = secret {
        params.insert("secret_token".into(), secret.into());
    }
    match emulator.call(0, "setWebhook", params).await {
        Some((200, _)) => Ok(()),
        Some((_, body)) => {
            let told: Value = serde_json::from_slice(&body).unwrap_or_default();
            Err(format!(
                "the webhook {url} is refused: {}",
                told["description"].as_str().unwrap_or("no reason")
            ))
        }
        None => Err("there is no bot to register a webhook for".into()),
    }
}

/// Made-up tokens are printed to be copied; tokens of one's own are not.
fn greet(emulator: &Emulator, args: &Args, tokens: &[String]) {
    let mut out = std::io::stderr().lock();
    let _ = writeln!(out, "API root  http://{}", emulator.addr());
    let own = args.tokens_file.is_some() || !args.tokens.is_empty();
    for (ix, token) in tokens.iter().enumerate() {
        let shown = match own {
            true => format!("{}:...", token.split(':').next().unwrap_or_default()),
            false => token.clone(),
        };
        let _ = writeln!(out, "bot {ix:<5} {shown}");
    }
}

async fn print_events(mut events: UnboundedReceiver<Wire>) -> std::io::Result<()> {
    while let Some(event) = events.recv().await {
        writeln!(std::io::stdout(), "{}", event_json(&event))?;
    }
    Ok(())
}

async fn print_seconds(emulator: &Emulator, mut events: UnboundedReceiver<Wire>) -> std::io::Result<()> {
    let mut tick = tokio::time::interval(Duration::from_secs(1));
    let mut before = Totals::default();
    loop {
        tokio::select! {
            _ = tick.tick() => {
                let now = emulator.totals();
                writeln!(std::io::stdout(), "{}", line(emulator.now(), &before, &now))?;
                before = now;
            }
            // Nobody looks at them here, and they must not pile up.
            event = events.recv() => if event.is_none() { return Ok(()) },
        }
    }
}

fn line(at: At, before: &Totals, now: &Totals) -> String {
    format!(
        "{:>6}s  updates {:>6}/s  delivered {:>6}/s  waiting {:>6}  connections {:>3}  sent {:>6}/s  429 {:>5}  \
         defiance {:>4}  unreachable {:>5}",
        at.as_secs(),
        now.updates - before.updates,
        now.delivered - before.delivered,
        now.pending,
        now.connections,
        now.accepted - before.accepted,
        now.refused_429,
        now.defiance,
        now.unreachable,
    )
}

fn ms(at: At) -> f64 {
    (at.as_secs_f64() * 1e6).round() / 1e3
}

fn event_json(event: &Wire) -> Value {
    match event {
        Wire::Update(u) => {
            let (kind, text) = match &u.what {
                What::Text(text) => ("text", text),
                What::Press { data, .. } => ("press", data),
                What::Other(name) => ("other", name),
            };
            json!({"event": "update", "at_ms": ms(u.queued_at), "bot": u.bot, "update_id": u.update_id,
                   "user": u.user, "chat": u.chat, "kind": kind, "what": text})
        }
        Wire::Delivery(d) => json!({
            "event": "delivery", "at_ms": ms(d.sent_at), "done_ms": ms(d.done_at), "bot": d.bot,
            "update_id": d.update_id, "attempt": d.attempt,
            "status": d.result.as_ref().ok(), "error": d.result.as_ref().err(),
        }),
        Wire::Call(c) => {
            let (outcome, message_id) = match &c.outcome {
                Outcome::Accepted { message_id } => ("accepted".to_owned(), *message_id),
                Outcome::AcceptedUnanswered { message_id } => {
                    ("accepted, unanswered".to_owned(), *message_id)
                }
                other => (format!("{other:?}"), None),
            };
            json!({"event": "call", "at_ms": ms(c.decided_at), "arrived_ms": ms(c.arrived_at),
                   "answered_ms": c.answered_at.map(ms), "bot": c.bot, "method": c.method, "chat": c.chat,
                   "outcome": outcome, "message_id": message_id, "params": c.params})
        }
        Wire::Reach { at, bot, user, reachable } => {
            json!({"event": "reach", "at_ms": ms(*at), "bot": bot, "user": user, "reachable": reachable})
        }
        Wire::Process { at, up } => json!({"event": "process", "at_ms": ms(*at), "up": up}),
        Wire::Fault { at, what } => json!({"event": "fault", "at_ms": ms(*at), "what": what}),
    }
}
