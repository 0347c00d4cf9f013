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
    slow: Arc<AtomicBool>,
}

impl Platform {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let (chats, slow) = (Chats::default(), Arc::<AtomicBool>::default());
        let (kept, lame) = (Arc::clone(&chats), Arc::clone(&slow));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (chats, slow) = (Arc::clone(&kept), Arc::clone(&lame));
                // A peer that goes is no trouble of the platform's.
                thread::spawn(move || drop(serve(&stream, &chats, &slow)));
            }
        });
        Self { address, chats, slow }
    }

    /// Answers take 300 ms from now on.
    pub(crate) fn be_slow(&self) {
        self.slow.store(true, Ordering::Relaxed);
    }

    /// How many messages a chat was sent.
    pub(crate) fn sent_to(&self, chat: u64) -> u32 {
        self.chats.lock().expect("chats").get(&chat).copied().unwrap_or(0)
    }

    /// How many chats were sent something.
    pub(crate) fn chats(&self) -> usize {
        self.chats.lock().expect("chats").len()
    }
}

fn serve(stream: &TcpStream, chats: &Chats, slow: &AtomicBool) -> std::io::Result<()> {
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
        let result = match method {
            "sendMessage" => {
                let call: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
                let chat = call["chat_id"].as_u64().unwrap_or(0);
                *chats.lock().expect("chats").entry(chat).or_default() += 1;
                format!("{{\"message_id\":1,\"date\":1,\"chat\":{{\"id\":{chat},\"type\":\"private\"}}}}")
            }
            "getMe" => {
                let id = head.split("/bot").nth(1).and_then(|rest| rest.split(':').next()).unwrap_or("0");
                format!("{{\"id\":{id},\"is_bot\":true,\"username\":\"a_bot\"}}")
            }
            "getUpdates" => "[]".to_owned(),
            "getWebhookInfo" => "{\"url\":\"\",\"pending_update_count\":0}".to_owned(),
            _ => "true".to_owned(),
        };
        let wait = if slow.load(Ordering::Relaxed) { 300 } else { 2 };
        thread::sleep(Duration::from_millis(wait));
        let answer = format!("{{\"ok\":true,\"result\":{result}}}");
        let mut stream = stream;
        let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length:";
        stream.write_all(format!("{head} {}\r\n\r\n{answer}", answer.len()).as_bytes())?;
    }
}
