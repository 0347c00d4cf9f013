//! What the emulator's tests share: a rig with two bots, a small client, and a webhook that answers as told.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use nobat_load::telegram::{BotSpec, Emulator, EmulatorConfig, Submit};
use nobat_load::wire::{At, Call, Delivery, Outcome, What, Wire};
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

pub const MAIN: &str = "1000001:MAIN";
pub const LANE: &str = "1000002:LANE";

/// A running emulator with its events.
pub struct Rig {
    pub emulator: Emulator,
    pub events: UnboundedReceiver<Wire>,
}

impl Rig {
    pub fn new(config: EmulatorConfig) -> Self {
        let (tx, events) = unbounded_channel();
        let bots = vec![BotSpec::new(MAIN), BotSpec::new(LANE)];
        let emulator = Emulator::start(EmulatorConfig { bots, ..config }, tx).expect("starts");
        Self { emulator, events }
    }

    pub async fn client(&self) -> Client {
        Client::connect(self.emulator.addr()).await
    }

    /// The next event that `pick` wants.
    pub async fn next<T>(&mut self, mut pick: impl FnMut(Wire) -> Option<T>) -> T {
        loop {
            let event = tokio::time::timeout(Duration::from_secs(20), self.events.recv()).await;
            if let Some(found) = pick(event.expect("an event in time").expect("the emulator runs")) {
                return found;
            }
        }
    }

    pub async fn next_call(&mut self) -> Call {
        self.next(|event| if let Wire::Call(call) = event { Some(call) } else { None }).await
    }

    pub async fn next_delivery(&mut self) -> Delivery {
        self.next(|event| if let Wire::Delivery(delivery) = event { Some(delivery) } else { None }).await
    }

    /// Registers `url` for the main bot.
    pub async fn set_webhook(&self, webhook: &Webhook, more: Value) -> Answer {
        let mut params = json!({"url": format!("http://{}/hook", webhook.addr)});
        if let (Value::Object(params), Value::Object(more)) = (&mut params, more) {
            params.extend(more);
        }
        let answer = self.client().await.call(MAIN, "setWebhook", params).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    /// A text of user `user` to the main bot.
    pub fn text(&self, user: u64, text: &str) -> i64 {
        self.submit(user, What::Text(text.into()))
    }

    pub fn submit(&self, user: u64, what: What) -> i64 {
        let (planned_at, chat) = (self.emulator.now(), user as i64);
        let submit = Submit { bot: 0, user, chat, planned_at, what, language_code: "ar".into() };
        self.emulator.submit(submit).expect("queued")
    }
}

/// An answer of the emulator.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub retry_after: Option<String>,
    pub content_type: String,
    pub raw: Bytes,
    pub json: Value,
}

impl Answer {
    pub fn description(&self) -> &str {
        self.json["description"].as_str().unwrap_or_default()
    }

    pub fn message_id(&self) -> i64 {
        self.json["result"]["message_id"].as_i64().expect("a message")
    }
}

/// One keep-alive connection.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    pub async fn connect(addr: SocketAddr) -> Self {
        let stream = TcpStream::connect(addr).await.expect("connects");
        let (sender, connection) = handshake(TokioIo::new(stream)).await.expect("handshake");
        tokio::spawn(connection);
        Self { sender }
    }

    /// Calls a method with JSON parameters.
    pub async fn call(&mut self, token: &str, method: &str, params: Value) -> Answer {
        self.try_call(token, method, params).await.expect("answered")
    }

    pub async fn try_call(&mut self, token: &str, method: &str, params: Value) -> hyper::Result<Answer> {
        let path = format!("/bot{token}/{method}");
        self.request(Method::POST, &path, Some("application/json"), params.to_string().into()).await
    }

    pub async fn send(&mut self, token: &str, chat: i64, text: &str) -> Answer {
        self.call(token, "sendMessage", json!({"chat_id": chat, "text": text})).await
    }

    pub async fn request(
        &mut self,
        method: Method,
        path: &str,
        content_type: Option<&str>,
        body: Bytes,
    ) -> hyper::Result<Answer> {
        let mut request = Request::builder().method(method).uri(path).header("host", "telegram");
        if let Some(kind) = content_type {
            request = request.header("content-type", kind);
        }
        self.sender.ready().await?;
        let response = self.sender.send_request(request.body(Full::new(body)).expect("a request")).await?;
        let header = |name| response.headers().get(name).map(|v| v.to_str().unwrap_or_default().to_owned());
        let (retry_after, content_type) = (header("retry-after"), header("content-type").unwrap_or_default());
        let status = response.status().as_u16();
        let raw = response.into_body().collect().await?.to_bytes();
        let json = serde_json::from_slice(&raw).unwrap_or_default();
        Ok(Answer { status, retry_after, content_type, raw, json })
    }
}

/// What a webhook got.
#[derive(Clone, Debug)]
pub struct Got {
    pub update_id: i64,
    pub update: Value,
    pub raw: Bytes,
    pub secret: Option<String>,
    pub path: String,
}

/// What a webhook answers.
#[derive(Clone, Debug)]
pub struct Say {
    pub status: u16,
    pub retry_after: Option<u32>,
    pub body: String,
    pub after: Duration,
}

pub const OK: Say = Say { status: 200, retry_after: None, body: String::new(), after: Duration::ZERO };

pub fn status(status: u16) -> Say {
    Say { status, ..OK }
}

type Script = Arc<dyn Fn(&Got) -> Say + Send + Sync>;

/// A webhook that keeps what it got and answers by script.
pub struct Webhook {
    pub addr: SocketAddr,
    pub got: Arc<Mutex<Vec<Got>>>,
    pub connections: Arc<Mutex<usize>>,
}

impl Webhook {
    pub async fn start(script: impl Fn(&Got) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("binds");
        let addr = listener.local_addr().expect("bound");
        let (got, connections) = (Arc::<Mutex<Vec<Got>>>::default(), Arc::<Mutex<usize>>::default());
        let script: Script = Arc::new(script);
        tokio::spawn(serve(listener, script, Arc::clone(&got), Arc::clone(&connections)));
        Self { addr, got, connections }
    }

    pub fn ids(&self) -> Vec<i64> {
        self.got.lock().unwrap().iter().map(|g| g.update_id).collect()
    }
}

async fn serve(
    listener: TcpListener,
    script: Script,
    got: Arc<Mutex<Vec<Got>>>,
    connections: Arc<Mutex<usize>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        *connections.lock().unwrap() += 1;
        let (script, got) = (Arc::clone(&script), Arc::clone(&got));
        tokio::spawn(async move {
            let service = service_fn(move |request| hook(request, Arc::clone(&script), Arc::clone(&got)));
            let _ = hyper::server::conn::http1::Builder::new()
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn hook(
    request: Request<Incoming>,
    script: Script,
    got: Arc<Mutex<Vec<Got>>>,
) -> hyper::Result<Response<Full<Bytes>>> {
    let header = |name| request.headers().get(name).map(|v| v.to_str().unwrap_or_default().to_owned());
    let (secret, path) = (header("x-telegram-bot-api-secret-token"), request.uri().path().to_owned());
    let raw = request.into_body().collect().await?.to_bytes();
    let update: Value = serde_json::from_slice(&raw).expect("updates are JSON");
    let update_id = update["update_id"].as_i64().expect("an id");
    let one = Got { update_id, update, raw, secret, path };
    let say = script(&one);
    got.lock().unwrap().push(one);
    tokio::time::sleep(say.after).await;
    let mut response = Response::builder()
        .status(StatusCode::from_u16(say.status).expect("a status"))
        .header("content-type", "application/json");
    if let Some(seconds) = say.retry_after {
        response = response.header("retry-after", seconds);
    }
    Ok(response.body(Full::new(say.body.into())).expect("a response"))
}

pub fn accepted(call: &Call) -> bool {
    matches!(call.outcome, Outcome::Accepted { .. })
}

pub fn seconds(s: u64) -> At {
    Duration::from_secs(s)
}
