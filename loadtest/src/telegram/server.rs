//! The Bot API's HTTP side: accepts connections, reads calls, answers them when and how they were decided.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming as Body;
use hyper::header::{self, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

use super::config::UnknownToken;
use super::control;
use super::fault::{FaultKind, Stage, lock};
use super::limits::whole_seconds;
use super::methods::{Answer, Incoming, Way, decide, poll};
use super::params::Params;
use super::world::World;
use crate::wire::{At, BotIx, Line as Opened};

/// Binds the listener with room for a burst of connections.
pub(crate) fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket =
        if addr.is_ipv4() { tokio::net::TcpSocket::new_v4()? } else { tokio::net::TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(1024)
}

/// Connections so far, of all emulators of the process.
static LINES: AtomicU64 = AtomicU64::new(0);

/// Accepts until the emulator stops.
pub(crate) async fn accept(world: Arc<World>, listener: TcpListener) {
    let mut stopping = world.stopping.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|over| *over) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let nth = LINES.fetch_add(1, Ordering::Relaxed);
                let opened = Opened { nth, opened_at: world.clock.now() };
                tokio::spawn(serve(Arc::clone(&world), stream, opened));
            }
            // Out of descriptors, most likely: give the others time to close theirs.
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn serve(world: Arc<World>, stream: TcpStream, opened: Opened) {
    // Without it small answers would wait for acknowledgements.
    let _ = stream.set_nodelay(true);
    let cut = Arc::new(AtomicBool::new(false));
    let line = Line { stream, cut: Arc::clone(&cut) };
    let service = service_fn(move |request| {
        let (world, cut) = (Arc::clone(&world), Arc::clone(&cut));
        async move { answer(world, request, opened, &cut).await }
    });
    // How a connection ends is the client's business.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(line), service).await;
}

/// The connection ends without an answer.
#[derive(Debug, thiserror::Error)]
#[error("closed on purpose")]
struct Closed;

async fn answer(
    world: Arc<World>,
    request: Request<Body>,
    opened: Opened,
    cut: &AtomicBool,
) -> Result<Response<Full<Bytes>>, Closed> {
    let (head, body) = request.into_parts();
    let body = match Limited::new(body, world.config.body_max).collect().await {
        Ok(body) => body.to_bytes(),
        Err(e) if e.is::<LengthLimitError>() => {
            return Ok(respond(Answer::failure(413, "Request Entity Too Large")));
        }
        Err(_) => return Err(Closed),
    };
    let arrived_at = world.clock.now();
    let path = head.uri.path();
    if let Some(rest) = path.strip_prefix("/_emulator/") {
        return Ok(respond(control::answer(&world, &head.method, rest, &body)));
    }
    let (ix, method) = match route(&world, path) {
        Ok(found) => found,
        Err(refusal) => return Ok(respond(refusal)),
    };
    let content_type = head.headers.get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok());
    let params = match Params::read(head.uri.query(), content_type, body).await {
        Ok(params) => params,
        Err(description) => return Ok(respond(Answer::failure(400, description))),
    };
    let answer = judge_in_time(world, ix, method, params, (opened, arrived_at)).await;
    match answer.way {
        Way::Answer => Ok(respond(answer)),
        Way::Reset => {
            cut.store(true, Ordering::Relaxed);
            Err(Closed)
        }
        Way::Silence(hold) => {
            match hold {
                Some(hold) => tokio::time::sleep(hold).await,
                None => std::future::pending().await,
            }
            Err(Closed)
        }
    }
}

/// Half of the latency, the decision, the other half.
async fn judge_in_time(
    world: Arc<World>,
    ix: BotIx,
    method: String,
    params: Params,
    (opened, arrived_at): (Opened, At),
) -> Answer {
    let bot = &world.bots[ix];
    let conflict = if method == "getupdates" { poll::wait(&world, bot, &params).await } else { None };
    let slow = match world.faults.strike(Stage::Arrival, ix, &method, arrived_at, &world.dice) {
        Some(FaultKind::Slow { extra_ms }) => Duration::from_millis(extra_ms),
        _ => Duration::ZERO,
    };
    let latency = world.config.latency.sample(&world.dice).saturating_add(slow);
    let answer_after = latency / 2;
    let line = Some(opened);
    let call = Incoming { method, params, line, arrived_at, answer_after, conflict };
    if latency.is_zero() && world.config.limits.silent_delay.is_zero() {
        return decide(&world, bot, call).await;
    }
    // In a task of its own: what reached the platform is decided even if the caller hangs up.
    let deciding = tokio::spawn({
        let world = Arc::clone(&world);
        async move {
            tokio::time::sleep_until(world.clock.instant(arrived_at + latency / 2)).await;
            let answer = decide(&world, &world.bots[ix], call).await;
            (world.clock.now(), answer)
        }
    });
    let Ok((decided_at, answer)) = deciding.await else {
        return Answer::failure(500, "Internal Server Error: restart");
    };
    tokio::time::sleep_until(world.clock.instant(decided_at + answer_after)).await;
    answer
}

/// Bot and method of a path, or why there is none.
fn route(world: &World, path: &str) -> Result<(BotIx, String), Answer> {
    let not_found = || Answer::failure(404, "Not Found");
    let rest = path.strip_prefix("/bot").ok_or_else(not_found)?;
    let (token, method) = rest.split_once('/').ok_or_else(not_found)?;
    let decoded;
    let token = if token.contains('%') {
        decoded = percent_encoding::percent_decode_str(token).decode_utf8_lossy().into_owned();
        &decoded
    } else {
        token
    };
    if let Some(&ix) = world.tokens.get(token) {
        // Tried first without writing: each call after the first comes through here.
        let used = &world.bots[ix].used;
        if !used.load(Ordering::Relaxed) {
            first_use(world)?;
            used.store(true, Ordering::Relaxed);
        }
        return Ok((ix, method.to_ascii_lowercase()));
    }
    first_use(world)?;
    let id = token.split_once(':').map(|(id, _)| id);
    let (status, description) = match id {
        None => (401, "Unauthorized: invalid token specified"),
        Some(id) if token.len() > 80 || id.starts_with('0') || id.starts_with('-') => {
            (401, "Unauthorized: invalid token specified")
        }
        Some(id) if id.parse::<u64>().is_err() => (421, "Misdirected Request: unallowed token specified"),
        Some(_) if world.config.unknown_token == UnknownToken::NotFound => (404, "Not Found"),
        Some(_) => (401, "Unauthorized"),
    };
    Err(Answer::failure(status, description))
}

/// The server's guard against token guessing: so many tokens it has not seen before in any span.
fn first_use(world: &World) -> Result<(), Answer> {
    let Some(window) = world.config.limits.first_use else { return Ok(()) };
    let now = world.clock.now();
    let mut uses = lock(&world.first_uses);
    while uses.front().is_some_and(|&t| t + window.per <= now) {
        uses.pop_front();
    }
    match uses.front() {
        Some(&oldest) if uses.len() >= window.count => {
            Err(Answer::too_many(whole_seconds(oldest + window.per - now)))
        }
        _ => {
            uses.push_back(now);
            Ok(())
        }
    }
}

fn respond(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body));
    *response.status_mut() = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let kind = if answer.html { "text/html" } else { "application/json" };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::SERVER, HeaderValue::from_static("nginx/1.18.0"));
    if let Some(seconds) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A connection that can be cut: with the flag set it ends in a reset instead of a clean close.
struct Line {
    stream: TcpStream,
    cut: Arc<AtomicBool>,
}

impl Drop for Line {
    fn drop(&mut self) {
        if self.cut.load(Ordering::Relaxed) {
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
