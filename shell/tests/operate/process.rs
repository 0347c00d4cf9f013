//! `nobat serve` as a process: started, watched by its log, asked over HTTP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Longer than any test needs; only a bug reaches it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `met`; the `what` is for the one who reads why it did not come.
#[track_caller]
pub(crate) fn wait_for(what: &str, mut met: impl FnMut() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !met() {
        assert!(Instant::now() < until, "never: {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A place with a configuration, where processes are started one after the other.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
    pub(crate) listen: SocketAddr,
    pub(crate) admin: SocketAddr,
    api: SocketAddr,
}

impl Place {
    pub(crate) fn new(api: SocketAddr) -> Self {
        let free =
            || TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a port");
        let place =
            Self { dir: tempfile::tempdir().expect("a directory"), listen: free(), admin: free(), api };
        place.configure("");
        place
    }

    /// Writes `nobat.toml` with these lines behind what every test needs.
    pub(crate) fn configure(&self, more: &str) {
        let Self { listen, admin, api, .. } = self;
        // Room for bursts: no test waits for the pace of a real platform.
        let base = format!(
            "[telegram]\napi_root = \"http://{api}\"\n[webhook]\nsecret = \"test-secret\"\n[pacing]\n\
             per_lane_rate = 1000\n[bot]\ntokens = [\"1000001:TEST\"]\nkind = \"results\"\n[server]\n\
             listen = \"{listen}\"\nadmin_listen = \"{admin}\"\n"
        );
        std::fs::write(self.path("nobat.toml"), base + more).expect("written");
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.path("data")
    }

    /// `nobat` with these arguments, in an environment of its own.
    pub(crate) fn command(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).env_clear().current_dir(self.dir.path()).stdin(Stdio::null());
        command
    }

    /// What `nobat` with these arguments says: status, standard output, standard error.
    pub(crate) fn ask(&self, args: &[&str]) -> (i32, String, String) {
        let ended = self.command(nobat(), args).output().expect("it runs");
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        (ended.status.code().unwrap_or(-1), text(ended.stdout), text(ended.stderr))
    }

    /// `nobat ctl` that must succeed; its output.
    #[track_caller]
    pub(crate) fn ctl(&self, args: &[&str]) -> String {
        let (status, out, err) = self.ask(&[&["ctl"], args].concat());
        assert_eq!(status, 0, "{args:?}: {out}{err}\n{}", self.log());
        out
    }

    /// The full statistics of the running process.
    pub(crate) fn status(&self) -> serde_json::Value {
        serde_json::from_str(&self.ctl(&["status", "--json"])).expect("JSON")
    }

    /// All that processes of this place have said.
    pub(crate) fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(self.path("log")).unwrap_or_default()).into_owned()
    }

    /// Starts `command` with its words going to the place's log.
    pub(crate) fn spawn(&self, mut command: Command) -> Process {
        let log = std::fs::OpenOptions::new().create(true).append(true).open(self.path("log"));
        let child = command.stdout(Stdio::null()).stderr(log.expect("a log")).spawn().expect("it runs");
        Process { child }
    }

    /// Starts the server and waits until it takes updates.
    #[track_caller]
    pub(crate) fn serve(&self) -> Process {
        let process = self.spawn(self.command(nobat(), &["serve"]));
        self.wait_ready();
        process
    }

    #[track_caller]
    pub(crate) fn wait_ready(&self) {
        let until = Instant::now() + PATIENCE;
        while get(self.listen, "/readyz").is_none_or(|(status, _)| status != 200) {
            assert!(Instant::now() < until, "never ready:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    pub(crate) fn wait_log(&self, words: &str) {
        let until = Instant::now() + PATIENCE;
        while !self.log().contains(words) {
            assert!(Instant::now() < until, "never said `{words}`:\n{}", self.log());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The binary under test.
pub(crate) fn nobat() -> &'static Path {
    Path::new(env!("CARGO_BIN_EXE_nobat"))
}

/// A child that does not outlive its test.
pub(crate) struct Process {
    child: Child,
}

impl Process {
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, by name.
    pub(crate) fn signal(&self, name: &str) {
        signal(self.child.id(), name);
    }

    pub(crate) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("a child of ours")
    }

    /// Waits for its end.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        let until = Instant::now() + PATIENCE;
        loop {
            match self.exited() {
                Some(status) => return status,
                None => assert!(Instant::now() < until, "it does not end"),
            }
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// SIGTERM, and its end, which must be in order.
    #[track_caller]
    pub(crate) fn stop(mut self) {
        self.signal("TERM");
        let status = self.wait();
        assert!(status.success(), "{status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status();
    assert!(sent.expect("kill runs").success());
}

/// A page, with its head; none if nobody answers.
pub(crate) fn get(at: SocketAddr, path: &str) -> Option<(u16, String)> {
    request(at, &format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"))
}

/// The answer to bytes on a connection of their own.
pub(crate) fn request(at: SocketAddr, bytes: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(at).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    stream.write_all(bytes.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some((answer.get(9..12)?.parse().ok()?, answer))
}
