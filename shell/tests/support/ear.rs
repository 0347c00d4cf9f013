//! A platform of a few lines that accepts every message and keeps what was said to whom.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// The bodies of what was sent, in their order.
type Heard = Arc<Mutex<Vec<String>>>;

pub(crate) struct Ear {
    at: SocketAddr,
    heard: Heard,
}

impl Ear {
    pub(crate) fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let (at, heard) = (listener.local_addr().expect("an address"), Heard::default());
        let kept = Arc::clone(&heard);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let heard = Arc::clone(&kept);
                // A peer that goes is no trouble of the platform's.
                thread::spawn(move || drop(listen(&stream, &heard)));
            }
        });
        Self { at, heard }
    }

    pub(crate) fn root(&self) -> String {
        format!("http://{}", self.at)
    }

    /// What this user was told, in its order.
    pub(crate) fn told(&self, user: u64) -> Vec<String> {
        let to = format!("\"chat_id\":{user},");
        self.heard.lock().expect("heard").iter().filter(|body| body.contains(&to)).cloned().collect()
    }
}

fn listen(stream: &TcpStream, heard: &Heard) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let (mut line, mut length) = (String::new(), 0);
        while reader.read_line(&mut line)? > 2 {
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap_or(0);
            }
            line.clear();
        }
        if line.is_empty() {
            return Ok(());
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        heard.lock().expect("heard").push(String::from_utf8_lossy(&body).into_owned());
        let answer =
            "{\"ok\":true,\"result\":{\"message_id\":1,\"date\":1,\"chat\":{\"id\":1,\"type\":\"private\"}}}";
        let length = answer.len();
        let head =
            format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n");
        (&*stream).write_all((head + answer).as_bytes())?;
    }
}
