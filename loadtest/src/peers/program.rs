//! The peers' programs: which there are, where they lie, and one of them at work.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::PeerError;
use crate::rehearse::proc::Usage;

/// A library beside which Nobat is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Peer {
    /// aiogram, 30 calls under way per bot.
    Aiogram,
    /// grammY with its throttler and auto-retry.
    Grammy,
    /// python-telegram-bot with its `AIORateLimiter`.
    #[value(name = "python-telegram-bot")]
    Ptb,
    /// teloxide with `Throttle`.
    Teloxide,
}

impl Peer {
    /// All of them.
    pub const ALL: [Peer; 4] = [Peer::Teloxide, Peer::Aiogram, Peer::Grammy, Peer::Ptb];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Peer::Aiogram => "aiogram",
            Peer::Grammy => "grammY",
            Peer::Ptb => "python-telegram-bot",
            Peer::Teloxide => "teloxide",
        }
    }

    /// Interpreter and script, or the binary, below the folder of the programs.
    fn parts(self) -> (&'static str, Option<&'static str>) {
        const PYTHON: &str = "installed/python/bin/python";
        match self {
            Peer::Aiogram => (PYTHON, Some("aiogram.py")),
            Peer::Ptb => (PYTHON, Some("ptb.py")),
            Peer::Grammy => ("node", Some("installed/grammy/index.mjs")),
            Peer::Teloxide => ("installed/teloxide/release/peer-teloxide", None),
        }
    }
}

/// A program that is there.
#[derive(Debug)]
pub(super) struct Program {
    peer: Peer,
    run: PathBuf,
    script: Option<PathBuf>,
}

impl Program {
    pub(super) fn find(peer: Peer, home: &Path) -> Result<Program, PeerError> {
        let home = std::path::absolute(home).unwrap_or_else(|_| home.to_path_buf());
        let (run, script) = peer.parts();
        // What has no slash is looked up in PATH.
        let run = if run.contains('/') { home.join(run) } else { PathBuf::from(run) };
        let script = script.map(|script| home.join(script));
        let there = |path: &Path| path.components().count() < 2 || path.exists();
        if there(&run) && script.as_deref().is_none_or(Path::exists) {
            Ok(Program { peer, run, script })
        } else {
            Err(PeerError::NotInstalled { setup: home.join("setup").display().to_string() })
        }
    }

    /// Starts it and waits until it says `ready`.
    pub(super) fn start(
        &self,
        api: SocketAddr,
        tokens: &[String],
        patience: Duration,
    ) -> Result<Running, PeerError> {
        let mut child = Command::new(&self.run)
            .args(&self.script)
            .env("PEER_API", format!("http://{api}"))
            .env("PEER_TOKENS", tokens.join(","))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|source| PeerError::Io { what: "start the program", source })?;
        let output = child.stdout.take();
        let running = Running { child, usage: Usage::default() };
        let (says, said) = mpsc::channel();
        // Reads on to the end, so that nothing the program prints can stop it.
        std::thread::spawn(move || {
            for line in output.into_iter().flat_map(|output| BufReader::new(output).lines()).flatten() {
                let _ = says.send(line);
            }
        });
        match said.recv_timeout(patience) {
            Ok(line) if line == "ready" => Ok(running),
            Ok(line) => Err(PeerError::NotReady { peer: self.peer.name(), why: line }),
            Err(_) => Err(PeerError::NotReady {
                peer: self.peer.name(),
                why: format!("it said nothing within {} s, or ended", patience.as_secs()),
            }),
        }
    }
}

/// A program at work. Dropping it kills it.
#[derive(Debug)]
pub(super) struct Running {
    child: Child,
    usage: Usage,
}

impl Running {
    /// Where the messages go in.
    ///
    /// # Panics
    /// When called twice.
    pub(super) fn take_input(&mut self) -> ChildStdin {
        self.child.stdin.take().expect("piped, and taken once")
    }

    pub(super) fn exited(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }

    /// To be called often: what the kernel knows of a process ends with it.
    pub(super) fn sample(&mut self) {
        if let Some(usage) = Usage::of(self.child.id()).filter(|usage| usage.rss_peak_bytes > 0) {
            self.usage = usage;
        }
    }

    pub(super) fn end(mut self) -> Usage {
        self.sample();
        self.usage
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
