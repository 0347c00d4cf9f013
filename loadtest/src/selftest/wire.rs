//! What the crooked servers share: hearing updates, and lanes that keep an honest server's rates.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

/// A token's messages in any second, as an honest server keeps it.
pub(super) const PER_SECOND: usize = 30;
/// So far ahead of its rate a chat may be: a burst of three.
const BURST: Duration = Duration::from_secs(2);
/// Slack on the second, for timers that fire early.
const SLACK: Duration = Duration::from_millis(5);

/// One call to make.
pub(super) struct Job {
    pub(super) chat: i64,
    pub(super) method: &'static str,
    pub(super) body: Value,
}

impl Job {
    pub(super) fn message(chat: i64, text: impl Into<String>) -> Job {
        Job { chat, method: "sendMessage", body: json!({ "chat_id": chat, "text": text.into() }) }
    }

    /// It makes a message, which limits count.
    fn is_message(&self) -> bool {
        self.method.starts_with("send") || self.method.starts_with("copy")
    }
}

/// A variable of the environment, which must be there.
pub(super) fn variable(name: &str) -> io::Result<String> {
    std::env::var(name).map_err(|_| io::Error::other(format!("{name} is not set")))
}

/// Hands each update to `take`, with the path it came to, until SIGTERM.
pub(super) async fn hear(
    listener: TcpListener,
    take: impl Fn(&str, &Value) + Send + Sync + 'static,
) -> io::Result<()> {
    let take = Arc::new(take);
    let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    loop {
        tokio::select! {
            _ = term.recv() => return Ok(()),
            accepted = listener.accept() => {
                let (stream, take) = (TokioIo::new(accepted?.0), Arc::clone(&take));
                tokio::spawn(async move {
                    let service = hyper::service::service_fn(move |request| answer(Arc::clone(&take), request));
                    // A connection that breaks is the platform's to make again.
                    let _ = hyper::server::conn::http1::Builder::new().serve_connection(stream, service).await;
                });
            }
        }
    }
}

async fn answer(
    take: Arc<impl Fn(&str, &Value)>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let path = request.uri().path().to_owned();
    let status = match (request.method().as_str(), path.as_str()) {
        ("GET", "/readyz") => StatusCode::OK,
        ("POST", path) if path.starts_with("/webhook") => match request.into_body().collect().await {
            Ok(body) => {
                if let Ok(update) = serde_json::from_slice(&body.to_bytes()) {
                    take(path, &update);
                }
                StatusCode::OK
            }
            Err(_) => StatusCode::BAD_REQUEST,
        },
        _ => StatusCode::NOT_FOUND,
    };
    let mut response = Response::new(Full::new(Bytes::new()));
    *response.status_mut() = status;
    Ok(response)
}

/// Sends one lane's messages: at most `window` a second, and one a second and chat after a burst of three. `told` hears
/// what the platform said to each.
pub(super) async fn lane(
    api: String,
    token: String,
    mut jobs: UnboundedReceiver<Job>,
    window: usize,
    told: impl Fn(&Job, &Value),
) {
    let Ok(mut connection) = connect(&api).await else { return };
    let second = Duration::from_secs(1) + SLACK;
    let mut recent: VecDeque<Instant> = VecDeque::new();
    let mut due: HashMap<i64, Instant> = HashMap::new();
    while let Some(job) = jobs.recv().await {
        if !job.is_message() {
            if call(&mut connection, &api, &token, job.method, &job.body).await.is_err() {
                return;
            }
            continue;
        }
        if recent.len() >= window
            && let Some(oldest) = recent.pop_front()
        {
            tokio::time::sleep_until(oldest + second).await;
        }
        let now = Instant::now();
        let chat_due = due.get(&job.chat).copied().unwrap_or(now);
        if let Some(wait) = chat_due.checked_duration_since(now).and_then(|ahead| ahead.checked_sub(BURST)) {
            tokio::time::sleep(wait + SLACK).await;
        }
        match call(&mut connection, &api, &token, job.method, &job.body).await {
            Ok(answer) => told(&job, &answer),
            Err(_) => return,
        }
        // From the answer, for the platform judged somewhere before it.
        let answered = Instant::now();
        due.insert(job.chat, chat_due.max(answered) + second);
        recent.push_back(answered);
    }
}

/// One keep-alive connection to the platform.
pub(super) async fn connect(api: &str) -> io::Result<SendRequest<Full<Bytes>>> {
    let stream = TokioIo::new(TcpStream::connect(api).await?);
    let (sender, connection) =
        hyper::client::conn::http1::handshake(stream).await.map_err(io::Error::other)?;
    tokio::spawn(connection);
    Ok(sender)
}

/// Makes one call and waits for its answer, whatever it says; nothing if that is no JSON.
pub(super) async fn call(
    connection: &mut SendRequest<Full<Bytes>>,
    api: &str,
    token: &str,
    method: &str,
    body: &Value,
) -> io::Result<Value> {
    let request = Request::post(format!("/bot{token}/{method}"))
        .header("Host", api)
        .header("Content-Type", "application/json")
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(io::Error::other)?;
    let response = connection.send_request(request).await.map_err(io::Error::other)?;
    let body = response.into_body().collect().await.map_err(io::Error::other)?;
    Ok(serde_json::from_slice(&body.to_bytes()).unwrap_or_default())
}
