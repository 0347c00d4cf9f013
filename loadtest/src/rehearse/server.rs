//! The server under test, as a process of its own: found, started from the environment alone, watched
//! through `/proc`, stopped by SIGTERM, killed by SIGKILL.
//!
//! Nothing here tells the server that it is rehearsed.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::RehearsalError;
use super::proc::Usage;
use crate::profile::Profile;
use crate::student::evening::ADMIN;
use crate::student::evening::plan::Evening;

/// How long a server may take until it is ready, recovery included.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long a server may take to stop after SIGTERM.
pub(super) const STOP_WITHIN: Duration = Duration::from_secs(30);
/// The shortest time after which a silent chat can be ended.
const QUIET_AFTER: Duration = Duration::from_secs(60);

/// How the server's program is called: `program prefix.. serve`, `program prefix.. results import ..`.
#[derive(Clone, Debug)]
pub struct ServerCommand {
    /// The binary.
    pub program: PathBuf,
    /// Arguments before the subcommand; none for the real server.
    pub prefix: Vec<OsString>,
}

impl ServerCommand {
    /// This binary.
    pub fn at(program: impl Into<PathBuf>) -> ServerCommand {
        ServerCommand { program: program.into(), prefix: Vec::new() }
    }

    /// Builds the server when run by cargo, else takes the binary beside this one. `say` tells the user.
    ///
    /// # Errors
    /// The build failed, or there is no such binary.
    pub fn find(say: &mut dyn FnMut(&str)) -> Result<ServerCommand, RehearsalError> {
        let own =
            std::env::current_exe().map_err(|e| RehearsalError::io("find the program's own path", e))?;
        let path = own.with_file_name(format!("nobat{}", std::env::consts::EXE_SUFFIX));
        if let Some(cargo) = std::env::var_os("CARGO") {
            let release = !cfg!(debug_assertions);
            say(if release {
                "building the server (release) ..."
            } else {
                "building the server (debug) ..."
            });
            let mut build = Command::new(cargo);
            build.args(["build", "--quiet", "-p", "nobat", "--bin", "nobat"]);
            if release {
                build.arg("--release");
            }
            let status = build.status().map_err(|e| RehearsalError::io("run cargo", e))?;
            if !status.success() {
                return Err(RehearsalError::Build);
            }
        }
        if path.is_file() { Ok(ServerCommand::at(path)) } else { Err(RehearsalError::NoServer(path)) }
    }

    pub(super) fn command(&self, environment: &Environment) -> Command {
        let mut command = Command::new(&self.program);
        command.args(&self.prefix).env_clear().stdin(Stdio::null());
        for kept in ["PATH", "HOME", "TMPDIR", "SYSTEMROOT", "RUST_BACKTRACE"] {
            if let Some(value) = std::env::var_os(kept) {
                command.env(kept, value);
            }
        }
        command.envs(environment.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// What the server is told: the variables that an operator sets, and nothing else.
#[derive(Clone)]
pub(super) struct Environment {
    pub(super) variables: Vec<(String, String)>,
    /// Where `/readyz` is asked: the webhook listener, or with long polling the operator's.
    pub(super) ready: SocketAddr,
    /// The data directory, and where the server runs: not where the operator's own `.env` lies.
    pub(super) data: PathBuf,
}

impl Environment {
    /// The variables of a results bot with these tokens, or of a chat bot where the profile is an evening.
    pub(super) fn new(
        profile: &Profile,
        tokens: &[String],
        api: SocketAddr,
        data: &Path,
    ) -> io::Result<Environment> {
        let (listen, admin) = (free_port()?, free_port()?);
        let mut variables: Vec<(String, String)> = [
            ("TELEGRAM_API_ROOT", format!("http://{api}")),
            ("NOBAT_DATA_DIR", data.display().to_string()),
            ("ADMIN_PORT", admin.port().to_string()),
            ("LOG_LEVEL", "INFO".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec();
        let mut set = |name: &str, value: String| variables.push((name.to_owned(), value));
        // Without an address a server has to ask for its updates.
        if !profile.polling {
            set("NOBAT_LISTEN", listen.to_string());
            set("WEBHOOK_SECRET_TOKEN", "rehearsal-secret".to_owned());
            set("WEBHOOK_URL", format!("http://{listen}"));
        }
        match &profile.evening {
            Some(evening) => chat_bot(evening, tokens, &mut set),
            None => {
                set("BOT_MODE", "single_interface".to_owned());
                for (nth, token) in tokens.iter().enumerate() {
                    let lane = format!("BOT_TOKEN_{nth}");
                    set(if nth == 0 { "BOT_TOKEN_MAIN" } else { &lane }, token.clone());
                }
            }
        }
        if profile.rush().is_some() {
            set("NOBAT_RESULTS_HANDOFF", "true".to_owned());
        }
        if profile.adaptive {
            set("NOBAT_PACING_ADAPTIVE", "true".to_owned());
        }
        let ready = if profile.polling { admin } else { listen };
        Ok(Environment { variables, ready, data: data.to_path_buf() })
    }
}

/// A chat bot that sells what there is, in front of equal bots.
fn chat_bot(evening: &Evening, tokens: &[String], set: &mut dyn FnMut(&str, String)) {
    set("BOT_TOKENS", tokens.join(","));
    set("ENABLE_STARS_PAYMENTS", "true".to_owned());
    set("ENABLE_CROSS_BOT_MATCHING", "true".to_owned());
    set("ADMIN_TELEGRAM_IDS", ADMIN.to_string());
    // A pair that says nothing is parted within the evening, where people talk more often than that.
    if evening.talk_every < QUIET_AFTER / 4 {
        set("NOBAT_CHAT_IDLE_MINUTES", "1".to_owned());
    }
}

/// A loopback port that was free a moment ago.
fn free_port() -> io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}

/// A running server.
pub(super) struct Server {
    child: Child,
    ready: SocketAddr,
    started: Instant,
    log: PathBuf,
    usage: Usage,
}

impl Server {
    /// Starts `serve`; its output is appended to `log`.
    pub(super) fn start(
        command: &ServerCommand,
        environment: &Environment,
        log: &Path,
    ) -> Result<Server, RehearsalError> {
        Server::run(|environment| command.command(environment), environment, log)
    }

    /// Starts `serve` of a command that is made in another way.
    pub(super) fn run(
        command: impl Fn(&Environment) -> Command,
        environment: &Environment,
        log: &Path,
    ) -> Result<Server, RehearsalError> {
        let open = || OpenOptions::new().create(true).append(true).open(log);
        let out: File = open().map_err(|e| RehearsalError::io("open the server's log", e))?;
        let err = out.try_clone().map_err(|e| RehearsalError::io("open the server's log", e))?;
        let mut command = command(environment);
        let child = command
            .arg("serve")
            .current_dir(&environment.data)
            .stdout(out)
            .stderr(err)
            .spawn()
            .map_err(|e| RehearsalError::io(&format!("start {}", command.get_program().display()), e))?;
        Ok(Server {
            child,
            ready: environment.ready,
            started: Instant::now(),
            log: log.to_path_buf(),
            usage: Usage::default(),
        })
    }

    /// Waits until `GET /readyz` is 200 and `registered` says that updates can come (a webhook is set, or the
    /// bot has polled). Returns how long it took since the start.
    pub(super) fn wait_ready(
        &mut self,
        stop: &dyn Fn() -> bool,
        registered: &dyn Fn() -> bool,
    ) -> Result<Duration, RehearsalError> {
        while self.started.elapsed() < READY_WITHIN {
            if let Some(status) = self.exited() {
                return Err(RehearsalError::ServerDied { status, tail: self.log_tail() });
            }
            if stop() {
                return Err(RehearsalError::Interrupted);
            }
            if registered() && get_status(self.ready, "/readyz").is_ok_and(|status| status == 200) {
                return Ok(self.started.elapsed());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        Err(RehearsalError::NotReady { waited: READY_WITHIN, tail: self.log_tail() })
    }

    /// The status if it has ended.
    pub(super) fn exited(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Samples memory and processor time; to be called often, for they end with the process.
    pub(super) fn sample(&mut self) -> Usage {
        if let Some(usage) = Usage::of(self.child.id()) {
            // An upgrade is the same process with new memory, whose peak begins anew.
            let rss_peak_bytes = self.usage.rss_peak_bytes.max(usage.rss_peak_bytes);
            self.usage = Usage { rss_peak_bytes, ..usage };
        }
        self.usage
    }

    /// SIGKILL, without waiting for its end, which may take as long as a write to the disk does.
    pub(super) fn strike(&mut self) {
        self.sample();
        // An error means that it is gone already.
        let _ = self.child.kill();
    }

    /// SIGKILL, and waits for its end.
    pub(super) fn kill(&mut self) -> Usage {
        let usage = self.sample();
        // An error means that it is gone already, which `wait` shows.
        let _ = self.child.kill();
        let _ = self.child.wait();
        usage
    }

    /// SIGTERM, and waits for a graceful end: status 0 in time. Returns the words for the report.
    pub(super) fn stop(&mut self) -> (Usage, String) {
        self.sample();
        let asked = Instant::now();
        let pid = i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw);
        let signalled =
            pid.is_some_and(|pid| rustix::process::kill_process(pid, rustix::process::Signal::TERM).is_ok());
        if !signalled && self.exited().is_none() {
            return (self.kill(), "could not be signalled".to_owned());
        }
        while asked.elapsed() < STOP_WITHIN {
            if let Some(status) = self.exited() {
                let word = if status.success() { "graceful".to_owned() } else { format!("{status}") };
                return (self.usage, word);
            }
            self.sample();
            std::thread::sleep(Duration::from_millis(2));
        }
        (self.kill(), format!("still running {} s after SIGTERM", STOP_WITHIN.as_secs()))
    }

    pub(super) fn log_tail(&self) -> String {
        tail(&self.log)
    }
}

impl Drop for Server {
    /// A rehearsal that ends early leaves no server behind.
    fn drop(&mut self) {
        if self.exited().is_none() {
            self.kill();
        }
    }
}

/// The last lines of a log.
pub(super) fn tail(path: &Path) -> String {
    let text = std::fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

/// The status of a GET, read from the first line of the answer.
fn get_status(at: SocketAddr, path: &str) -> io::Result<u16> {
    let patience = Duration::from_secs(1);
    let mut stream = TcpStream::connect_timeout(&at, patience)?;
    stream.set_read_timeout(Some(patience))?;
    stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n").as_bytes())?;
    let mut head = [0; 12];
    stream.read_exact(&mut head)?;
    let status = std::str::from_utf8(&head[9..]).ok().and_then(|digits| digits.parse().ok());
    status.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no status line"))
}
