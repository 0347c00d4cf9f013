//! A server as a process of its own: pinned, counted, measured, ended.

use super::nginx;
use rustix::process::{Pid, Resource, Signal, getrlimit, kill_process, setrlimit};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The servers that can be run: ours, nginx if it is installed, and the frameworks that were built.
pub(crate) fn each() -> Vec<&'static str> {
    let all = ["bare", "shell", "engine", "nginx", "axum", "actix"];
    all.into_iter()
        .filter(|name| match *name {
            "bare" | "shell" | "engine" => true,
            "nginx" => nginx::is_installed(),
            framework => peer(framework).exists(),
        })
        .collect()
}

fn peer(name: &str) -> PathBuf {
    let folder = std::env::var_os("NOBAT_PEERS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("peers/target/release"),
        PathBuf::from,
    );
    folder.join(name)
}

/// As many descriptors as the system allows, for the children too.
pub(crate) fn lift_descriptors() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).expect("a limit within the maximum");
}

/// Resident memory of a process, in bytes.
#[derive(Clone, Copy)]
pub(crate) struct Resident {
    pub(crate) all: u64,
    /// Its own: heap and stacks.
    pub(crate) own: u64,
    /// Pages of the program and of the system's libraries, which all processes share.
    pub(crate) file: u64,
}

impl std::fmt::Display for Resident {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { all, own, file } = self;
        write!(f, "{} KiB resident (own {}, files' {})", all / 1024, own / 1024, file / 1024)
    }
}

/// A running server.
pub(crate) struct Served {
    child: Child,
    port: u16,
    /// Of one that reads files.
    _folder: Option<TempDir>,
}

impl Served {
    /// Pinned to a core.
    pub(crate) fn on_core(name: &str, core: usize) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string()]);
        Self::start(command, name)
    }

    /// The shell in a program that has nothing else, pinned to a core.
    pub(crate) fn alone_on_core(core: usize) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string(), env!("CARGO_BIN_EXE_shell_alone")]);
        Self::launch(command)
    }

    /// The shell under TLS, pinned to a core.
    pub(crate) fn encrypted_on_core(folder: &Path, core: usize) -> Self {
        let mut command = Command::new("taskset");
        command.args(["-c", &core.to_string()]);
        command.arg(std::env::current_exe().expect("this program")).args(["serve", "encrypted"]).arg(folder);
        Self::launch(command)
    }

    /// Under callgrind.
    pub(crate) fn under_callgrind(name: &str) -> Self {
        let mut command = Command::new("valgrind");
        command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]);
        Self::start(command, name)
    }

    fn start(mut command: Command, name: &str) -> Self {
        if name == "nginx" {
            let (folder, port) = nginx::prepare(&mut command);
            let child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("nginx");
            nginx::wait(port);
            return Self { child, port, _folder: Some(folder) };
        }
        match name {
            "bare" | "closing" | "shell" | "engine" => {
                command.arg(std::env::current_exe().expect("this program")).args(["serve", name])
            }
            framework => command.arg(peer(framework)),
        };
        Self::launch(command)
    }

    /// One that prints its port.
    fn launch(mut command: Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("taskset and valgrind must be installed");
        let mut port = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut port).expect("the port");
        Self { port: port.trim().parse().expect("a port"), child, _folder: None }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// CPU time of all its threads until now, as the scheduler counts it.
    pub(crate) fn cpu(&self) -> Duration {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).expect("a running server");
        let nanos = tasks.flatten().map(|task| {
            let stat = std::fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            stat.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or(0)
        });
        Duration::from_nanos(nanos.sum())
    }

    /// Resident memory.
    pub(crate) fn resident(&self) -> Resident {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("a running server");
        let bytes = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).expect(name);
            line.trim().trim_end_matches(" kB").parse::<u64>().expect("a number") * 1024
        };
        Resident { all: bytes("VmRSS:"), own: bytes("RssAnon:"), file: bytes("RssFile:") }
    }

    /// Ends it and reads callgrind's count of instructions.
    pub(crate) fn end_and_count(mut self) -> u64 {
        self.terminate();
        let mut text = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut text).expect("text");
        let line = text.lines().find_map(|line| line.split("Collected :").nth(1)).expect("callgrind's count");
        line.trim().parse().expect("a number")
    }

    fn terminate(&self) {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw).expect("a process");
        let _ = kill_process(pid, Signal::TERM);
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.terminate();
        let _ = self.child.wait();
    }
}
