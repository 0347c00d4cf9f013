//! The usual way: match-or-enqueue as a Lua script in a local redis-server.
//!
//! The server is started here, on a Unix socket in a temporary folder, without persistence; if none is
//! installed, its row says so. The script pairs anyone with anyone, like the other naive peers.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Takes who waits, or waits.
const SCRIPT: &str = "local w=redis.call('LPOP',KEYS[1]) if w then return w end \
                      redis.call('RPUSH',KEYS[1],ARGV[1]) return '.'";

pub(crate) struct Redis {
    server: Child,
    socket: PathBuf,
    _folder: tempfile::TempDir,
}

impl Redis {
    /// A server of our own; `None` if it is not installed.
    pub(crate) fn start() -> Option<Self> {
        let folder = tempfile::tempdir().ok()?;
        let socket = folder.path().join("redis.sock");
        let server = Command::new("redis-server")
            .args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"])
            .arg(&socket)
            .arg("--dir")
            .arg(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let redis = Self { server, socket, _folder: folder };
        (0..100).find_map(|_| {
            std::thread::sleep(Duration::from_millis(50));
            UnixStream::connect(&redis.socket).ok()
        })?;
        Some(redis)
    }

    /// One client's connection.
    pub(crate) fn client(&self) -> Client {
        let stream = UnixStream::connect(&self.socket).expect("the server listens");
        let mut client = Client { stream, request: Vec::new(), answer: vec![0; 64 * 1024] };
        let load = format!("*3\r\n$6\r\nSCRIPT\r\n$4\r\nLOAD\r\n${}\r\n{SCRIPT}\r\n", SCRIPT.len());
        client.stream.write_all(load.as_bytes()).expect("the server reads");
        let read = client.stream.read(&mut client.answer).expect("the server answers");
        let answer = String::from_utf8_lossy(&client.answer[..read]).into_owned();
        let sha = answer.split("\r\n").nth(1).expect("a hash").to_owned();
        client.request =
            format!("*5\r\n$7\r\nEVALSHA\r\n${}\r\n{sha}\r\n$1\r\n1\r\n$4\r\nline\r\n$1\r\n7\r\n", sha.len())
                .into_bytes();
        client
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It has nothing to lose.
        let _ended = self.server.kill().and_then(|()| self.server.wait());
    }
}

pub(crate) struct Client {
    stream: UnixStream,
    request: Vec<u8>,
    answer: Vec<u8>,
}

impl Client {
    /// `count` calls sent at once, all answers awaited.
    pub(crate) fn meet(&mut self, count: usize) {
        self.stream.write_all(&self.request.repeat(count)).expect("the server reads");
        // Each answer is a bulk string: two lines.
        let mut lines = 0;
        while lines < 2 * count {
            let read = self.stream.read(&mut self.answer).expect("the server answers");
            assert!(read > 0 && !self.answer[..read].contains(&b'-'), "the server refused");
            lines += self.answer[..read].iter().filter(|&&byte| byte == b'\n').count();
        }
    }
}
