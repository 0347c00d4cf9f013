//! A platform of a few lines: takes every call, and keeps to whom messages were sent.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// Chats, with how many messages each was sent.
type Chats = Arc<Mutex<BTreeMap<u64, u32>>>;

pub(crate) struct Platform {
    pub(crate) address: SocketAddr,
    chats: Chats,
    mood: Arc<Mood>,
}

/// Every call, with its method and its parameters.
type Calls = Mutex<Vec<(String, serde_json::Value)>>;

/// What a test wants it to do.
#[derive(Default)]
struct Mood {
    calls: Calls,
    slow: AtomicBool,
    forgets: AtomicBool,
    polled: AtomicBool,
    /// What `Date` says; the time as it is if empty.
    date: Mutex<String>,
    /// The body of the last `setWebhook`.
    registration: Mutex<Vec<u8>>,
}

impl Platform {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (chats, mood) = (Chats::default(), Arc::<Mood>::default());
        let (kept, shown) = (Arc::clone(&chats), Arc::clone(&mood));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (chats, mood) = (Arc::clone(&kept), Arc::clone(&shown));
                // A peer that goes is no trouble of the platform's.
                thread::spawn(move || drop(serve(&stream, &chats, &mood)));
            }
        });
        Self { address, chats, mood }
    }

    /// Answers take 300 ms from now on.
    pub(crate) fn be_slow(&self) {
        self.mood.slow.store(true, Ordering::Relaxed);
    }

    /// No token is known any more.
    pub(crate) fn forget_tokens(&self) {
        self.mood.forgets.store(true, Ordering::Relaxed);
    }

    /// Somebody registers this webhook by hand.
    pub(crate) fn register(&self, url: &str, kinds: &str) {
        let field = |name: &str, value: &str| format!("name=\"{name}\"\r\n\r\n{value}\r\n");
        let body = field("url", url) + &field("allowed_updates", kinds);
        *self.mood.registration.lock().expect("a registration") = body.into_bytes();
    }

    /// Another process polls every bot from now on.
    pub(crate) fn be_polled_by_another(&self) {
        self.mood.polled.store(true, Ordering::Relaxed);
    }

    /// Its clock shows this date from now on; the real one if empty.
    pub(crate) fn set_clock(&self, date: &str) {
        *self.mood.date.lock().expect("a date") = date.to_owned();
    }

    /// What the last `setWebhook` brought.
    pub(crate) fn registration(&self) -> Vec<u8> {
        self.mood.registration.lock().expect("a registration").clone()
    }

    /// How many messages a chat was sent.
    pub(crate) fn sent_to(&self, chat: u64) -> u32 {
        self.chats.lock().expect("chats").get(&chat).copied().unwrap_or(0)
    }

    /// The texts that a chat was sent, with their buttons' data.
    pub(crate) fn texts_to(&self, chat: u64) -> Vec<(String, Vec<String>)> {
        let calls = self.mood.calls.lock().expect("calls");
        let his = calls.iter().filter(|(method, call)| method == "sendMessage" && call["chat_id"] == chat);
        let buttons = |call: &serde_json::Value| {
            let rows = call["reply_markup"]["inline_keyboard"].as_array().cloned().unwrap_or_default();
            let all = rows.iter().filter_map(|row| row.as_array()).flatten();
            all.filter_map(|button| button["callback_data"].as_str().map(str::to_owned)).collect()
        };
        his.map(|(_, call)| (call["text"].as_str().unwrap_or("").to_owned(), buttons(call))).collect()
    }

    /// How many chats were sent something.
    pub(crate) fn chats(&self) -> usize {
        self.chats.lock().expect("chats").len()
    }
}

fn serve(stream: &TcpStream, chats: &Chats, mood: &Mood) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut head, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            if line == "\r\n" {
                break;
            }
            head.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        let method = head.split(' ').nth(1).and_then(|path| path.rsplit('/').next()).unwrap_or("");
        let call: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
        mood.calls.lock().expect("calls").push((method.to_owned(), call.clone()));
        let text = |key: &str| call[key].as_str().unwrap_or("").to_owned();
        let result = match method {
            "sendMessage" => {
                let chat = call["chat_id"].as_u64().unwrap_or(0);
                *chats.lock().expect("chats").entry(chat).or_default() += 1;
                format!("{{\"message_id\":1,\"date\":1,\"chat\":{{\"id\":{chat},\"type\":\"private\"}}}}")
            }
            "getMe" if mood.forgets.load(Ordering::Relaxed) => {
                refuse(stream, 401, "Unauthorized")?;
                continue;
            }
            "getMe" => {
                let id = head.split("/bot").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or("0");
                format!("{{\"id\":{id},\"is_bot\":true,\"username\":\"a_bot\"}}")
            }
            "getUpdates" if mood.polled.load(Ordering::Relaxed) => {
                refuse(
                    stream,
                    409,
                    "Conflict: terminated by other getUpdates request; make sure that only one bot",
                )?;
                continue;
            }
            "getUpdates" => "[]".to_owned(),
            "getChat" if text("chat_id").contains("gone") || text("chat_id") == "404" => {
                refuse(stream, 400, "Bad Request: chat not found")?;
                continue;
            }
            "getChat" => "{\"id\":1}".to_owned(),
            // The second bot was forgotten.
            "getChatMember" if text("chat_id").contains("half") && call["user_id"] == 1_000_002 => {
                "{\"status\":\"left\"}".to_owned()
            }
            "getChatMember" if text("chat_id").starts_with("-100") => "{\"status\":\"member\"}".to_owned(),
            "getChatMember" => "{\"status\":\"administrator\"}".to_owned(),
            "setWebhook" => {
                *mood.registration.lock().expect("a registration") = body;
                "true".to_owned()
            }
            "getWebhookInfo" => {
                let body = mood.registration.lock().expect("a registration").clone();
                let body = String::from_utf8_lossy(&body).into_owned();
                let field = |name: &str| {
                    let part = body.split(&format!("name=\"{name}\"\r\n\r\n")).nth(1);
                    part.and_then(|part| part.split("\r\n").next()).unwrap_or("").to_owned()
                };
                let allowed = field("allowed_updates");
                let allowed = if allowed.is_empty() { "[]".to_owned() } else { allowed };
                let (url, own) = (field("url"), body.contains("name=\"certificate\""));
                format!(
                    "{{\"url\":\"{url}\",\"pending_update_count\":0,\"allowed_updates\":{allowed},\
                     \"has_custom_certificate\":{own}}}"
                )
            }
            _ => "true".to_owned(),
        };
        let wait = if mood.slow.load(Ordering::Relaxed) { 300 } else { 2 };
        thread::sleep(Duration::from_millis(wait));
        let answer = format!("{{\"ok\":true,\"result\":{result}}}");
        let date = mood.date.lock().expect("a date").clone();
        let date = if date.is_empty() { now() } else { date };
        let head =
            format!("HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Type: application/json\r\nContent-Length:");
        let mut stream = stream;
        stream.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes())?;
    }
}

fn refuse(mut stream: &TcpStream, status: u16, why: &str) -> std::io::Result<()> {
    let body = format!("{{\"ok\":false,\"error_code\":{status},\"description\":\"{why}\"}}");
    stream
        .write_all(format!("HTTP/1.1 {status} x\r\nContent-Length: {}\r\n\r\n{body}", body.len()).as_bytes())
}

/// The date of this machine.
fn now() -> String {
    let date = nobat::http::HttpDate::new(nobat::clock::Clock::start().now().wall);
    String::from_utf8_lossy(date.as_bytes()).into_owned()
}
