//! Moves updates to webhooks: one planner a bot, one task a connection.
//!
//! The planner opens connections as the ramp allows and wakes idle ones; a connection takes the update that
//! is due, waits for its answer, and takes the next. All rules are in `queue` and `ramp`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::{Method, Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::{sleep, sleep_until, timeout};

use super::queue::{Ended, Job, Next, Pending};
use super::ramp::Opening;
use crate::telegram::counters::count;
use crate::telegram::fault::{FaultKind, Stage};
use crate::telegram::methods::webhook::{Target, Webhook};
use crate::telegram::methods::{Incoming, decide};
use crate::telegram::params::Params;
use crate::telegram::world::{Bot, BotState, World};
use crate::wire::{At, BotIx, Delivery, Wire};

/// The largest answer a webhook may give.
const ANSWER_MAX: usize = 1 << 20;
const SECRET: HeaderName = HeaderName::from_static("x-telegram-bot-api-secret-token");
const CLOSED: &str = "Webhook connection closed";

/// Plans one bot's deliveries until the emulator stops.
pub(crate) async fn plan(world: Arc<World>, ix: BotIx) {
    let bot = &world.bots[ix];
    let mut stopping = world.stopping.subscribe();
    loop {
        let next = plan_now(&world, bot);
        let due = async {
            match next {
                Some(at) => sleep_until(world.clock.instant(at)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = bot.work.notified() => {}
            () = due => {}
            _ = stopping.wait_for(|over| *over) => return,
        }
    }
}

/// Opens and wakes what is due; returns when to look again.
fn plan_now(world: &Arc<World>, bot: &Bot) -> Option<At> {
    let rules = &world.config.delivery;
    let mut guard = bot.state();
    let state = &mut *guard;
    let hook = state.webhook.clone()?;
    let now = world.clock.now();
    let mut expired = Vec::new();
    state.queue.load(now, 2 * hook.max_connections, &mut expired);
    drop_expired(world, bot, expired, now);
    let mut next = None;
    loop {
        match state.ramp.next(rules, now, state.connections, state.queue.lanes(), hook.max_connections) {
            Opening::Open => {
                state.connections += 1;
                tokio::spawn(connection(Arc::clone(world), bot.ix, Arc::clone(&hook), state.epoch));
            }
            Opening::Later(at) => {
                next = Some(at);
                break;
            }
            Opening::Enough => break,
        }
    }
    bot.publish(state);
    match state.queue.due() {
        Some((at, lanes)) if at <= now => {
            for _ in 0..lanes.min(state.idle_connections) {
                bot.idle.notify_one();
            }
            next
        }
        Some((at, _)) => Some(next.map_or(at, |n: At| n.min(at))),
        None => next,
    }
}

pub(crate) fn drop_expired(world: &World, bot: &Bot, expired: impl IntoIterator<Item = Pending>, now: At) {
    for pending in expired {
        count(&bot.counters.updates_lost);
        world.tell(Wire::Delivery(Delivery {
            bot: bot.ix,
            update_id: pending.update_id,
            attempt: pending.attempts,
            sent_at: now,
            done_at: now,
            result: Err("expired: dropped by the platform".into()),
        }));
    }
}

/// One connection, from its opening to its end.
async fn connection(world: Arc<World>, ix: BotIx, hook: Arc<Webhook>, epoch: u64) {
    let bot = &world.bots[ix];
    let ended = carry(&world, bot, &hook, epoch).await;
    {
        let mut state = bot.state();
        if state.epoch != epoch {
            return;
        }
        state.connections -= 1;
        if let Err(reason) = ended {
            count(&bot.counters.connects_failed);
            state.last_error = Some((world.clock.unix_s(world.clock.now()), reason));
        }
        bot.publish(&state);
    }
    bot.work.notify_one();
}

/// Delivers until the connection or the registration ends. `Err`: why it could not be made.
async fn carry(world: &World, bot: &Bot, hook: &Webhook, epoch: u64) -> Result<(), String> {
    let rules = &world.config.delivery;
    let (mut sender, mut driver) = match timeout(rules.connect_timeout, connect(&hook.target)).await {
        Ok(Ok(made)) => made,
        Ok(Err(reason)) => return Err(reason),
        Err(_) => return Err("Connection timed out".into()),
    };
    let mut stopping = world.stopping.subscribe();
    loop {
        match take(world, bot, hook, epoch) {
            Taken::Job(job) => {
                if !deliver(world, bot, hook, &mut sender, &job).await {
                    break;
                }
            }
            Taken::Idle => {
                let heard = tokio::select! {
                    () = bot.idle.notified() => true,
                    () = sleep(rules.idle_timeout) => false,
                    _ = &mut driver => false,
                    _ = stopping.wait_for(|over| *over) => false,
                };
                let mut state = bot.state();
                if state.epoch == epoch {
                    state.idle_connections -= 1;
                }
                if !heard {
                    break;
                }
            }
            Taken::Over => break,
        }
    }
    driver.abort();
    Ok(())
}

enum Taken {
    Job(Job),
    Idle,
    Over,
}

fn take(world: &World, bot: &Bot, hook: &Webhook, epoch: u64) -> Taken {
    let mut guard = bot.state();
    let state = &mut *guard;
    if state.epoch != epoch {
        return Taken::Over;
    }
    let now = world.clock.now();
    let mut expired = Vec::new();
    let next = state.queue.take(now, 2 * hook.max_connections, &mut expired);
    drop_expired(world, bot, expired, now);
    match next {
        Next::Send(job) => Taken::Job(job),
        Next::Nothing => {
            state.idle_connections += 1;
            // Somebody must look again when the lanes that wait are due.
            if state.queue.due().is_some() {
                bot.work.notify_one();
            }
            Taken::Idle
        }
    }
}

type Driver = tokio::task::JoinHandle<()>;

async fn connect(target: &Target) -> Result<(SendRequest<Full<Bytes>>, Driver), String> {
    let stream = match target {
        Target::Name(host, port) => TcpStream::connect((host.as_str(), *port)).await,
        Target::Addr(addr) => TcpStream::connect(addr).await,
    };
    let stream = stream.map_err(|e| {
        if e.kind() == std::io::ErrorKind::ConnectionRefused {
            "Connection refused".to_owned()
        } else {
            format!("Can't connect to the webhook: {e}")
        }
    })?;
    // Without it small requests would wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(|e| e.to_string())?;
    let driver = tokio::spawn(async move {
        let _ = connection.await;
    });
    Ok((sender, driver))
}

/// One attempt. `false`: the connection is over.
async fn deliver(
    world: &World,
    bot: &Bot,
    hook: &Webhook,
    sender: &mut SendRequest<Full<Bytes>>,
    job: &Job,
) -> bool {
    let sent_at = world.clock.now();
    let answered = timeout(world.config.delivery.answer_timeout, exchange(sender, request(hook, job))).await;
    let done_at = world.clock.now();
    let (result, ended, error) = match &answered {
        Ok(Ok(response)) => {
            let status = response.status();
            if status.is_success() {
                let heard = world.faults.strike(Stage::Delivered, bot.ix, job.kind, done_at, &world.dice)
                    != Some(FaultKind::DuplicateUpdate);
                (Ok(status.as_u16()), if heard { Ended::Taken } else { Ended::TakenUnheard }, None)
            } else {
                let ended = Ended::Failed { retry_after: retry_after(response) };
                (Ok(status.as_u16()), ended, Some(format!("Wrong response from the webhook: {status}")))
            }
        }
        Ok(Err(reason)) => (Err(reason.clone()), failed(), Some(CLOSED.to_owned())),
        Err(_) => (Err("read timeout".to_owned()), failed(), Some("Read timeout expired".to_owned())),
    };
    settle(world, bot, job, ended, &result, error, done_at);
    let attempt = job.attempt;
    let update_id = job.update_id;
    world.tell(Wire::Delivery(Delivery { bot: bot.ix, update_id, attempt, sent_at, done_at, result }));
    let Ok(Ok(response)) = answered else { return false };
    if response.status().is_success() && !response.body().is_empty() {
        perform_reply(world, bot, response).await;
    }
    sender.ready().await.is_ok()
}

fn failed() -> Ended {
    Ended::Failed { retry_after: Duration::ZERO }
}

/// Writes down how an attempt ended.
fn settle(
    world: &World,
    bot: &Bot,
    job: &Job,
    ended: Ended,
    result: &Result<u16, String>,
    error: Option<String>,
    now: At,
) {
    let rules = &world.config.delivery;
    let mut guard = bot.state();
    let state = &mut *guard;
    match error {
        None => {
            count(&bot.counters.delivered);
            state.ramp.succeeded(now);
            state.gone_since = None;
        }
        Some(error) => {
            count(&bot.counters.delivery_failures);
            state.last_error = Some((world.clock.unix_s(now), error));
            note_gone(rules.gone_after, state, bot, result == &Ok(410), now);
        }
    }
    let dropped = state.queue.ended(rules, job, ended, now, world.dice.unit());
    drop_expired(world, bot, dropped, now);
    bot.publish(state);
    let more = state.connections < state.queue.lanes() || state.idle_connections > 0;
    drop(guard);
    if more {
        bot.work.notify_one();
    }
}

/// An answer of 410 for long enough closes the webhook.
fn note_gone(gone_after: Duration, state: &mut BotState, bot: &Bot, gone: bool, now: At) {
    if !gone {
        state.gone_since = None;
        return;
    }
    let since = *state.gone_since.get_or_insert(now);
    if now > since + gone_after {
        state.webhook = None;
        state.epoch += 1;
        state.connections = 0;
        state.idle_connections = 0;
        state.queue.unload();
        bot.idle.notify_waiters();
    }
}

fn request(hook: &Webhook, job: &Job) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::new(job.body.clone()));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = hook.path.clone();
    let headers = request.headers_mut();
    headers.insert(header::HOST, hook.host.clone());
    if let Some(secret) = &hook.secret {
        headers.insert(SECRET, secret.clone());
    }
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
    request
}

async fn exchange(
    sender: &mut SendRequest<Full<Bytes>>,
    request: Request<Full<Bytes>>,
) -> Result<Response<Bytes>, String> {
    let response = sender.send_request(request).await.map_err(|e| e.to_string())?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, ANSWER_MAX).collect().await.map_err(|e| e.to_string())?.to_bytes();
    Ok(Response::from_parts(head, body))
}

fn retry_after(response: &Response<Bytes>) -> Duration {
    let value = response.headers().get(header::RETRY_AFTER).and_then(|v| v.to_str().ok());
    Duration::from_secs(value.and_then(|v| v.trim().parse().ok()).unwrap_or(0))
}

/// A method in the answer is performed; nobody learns its result.
async fn perform_reply(world: &World, bot: &Bot, response: Response<Bytes>) {
    let content_type = response.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let Ok(mut params) = Params::read(None, content_type, response.body().clone()).await else { return };
    let Some(method) = params.map.remove("method") else { return };
    let method = method.as_str().unwrap_or_default().to_ascii_lowercase();
    let ignored = ["", "deletewebhook", "setwebhook", "close", "logout"];
    if ignored.contains(&method.as_str()) || method.starts_with("get") {
        return;
    }
    let (arrived_at, answer_after, conflict) = (world.clock.now(), Duration::ZERO, None);
    decide(world, bot, Incoming { method, params, line: None, arrived_at, answer_after, conflict }).await;
}
