//! The operator's hand on the running process: a unix socket in the data directory, readable by its owner alone.
//!
//! What lives here: [`Request`], what can be asked, and its one line on the wire; [`server`], which hands requests to
//! a [`server::Desk`]; [`client`], which `nobat ctl` and `nobat top` use. It decides nothing: `serve` is the desk.
//!
//! ```text
//! client: one line, at most 4 KiB: a verb, and behind a blank its argument
//! server: one JSON object, {"ok":true,...} or {"ok":false,"error":"..."}; then it closes
//! ```

pub mod client;
mod json;
pub mod server;

pub use json::quoted;

use crate::observe::Secret;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

/// The socket's name in the data directory.
pub const SOCKET: &str = "ctl.sock";

/// Bytes of a request.
pub const LINE_MAX: usize = 4 * 1024;

/// The longest path that an address of a unix socket holds (unix(7), less the zero behind it).
const PATH_MAX: usize = 107;

/// What can be asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Request {
    /// What it is about, and all numbers.
    Status,
    /// Everything there is to know, for whoever helps.
    Dump,
    /// Send nothing through a lane.
    Pause(u16),
    /// Go on with it.
    Resume(u16),
    /// Take no update, send what waits; with `true` end then.
    Drain(bool),
    /// Take updates again.
    Undrain,
    /// Read the configuration again.
    Reload,
    /// Open the log's files anew.
    ReopenLogs,
    /// Give the process to this program, or to what lies where this one lay.
    Upgrade(Option<PathBuf>),
    /// One more lane, with this token.
    AddToken(Secret),
    /// What an internal error was, by the name that a user was shown.
    Error(String),
    /// End in order.
    Stop,
}

impl Request {
    /// The line that asks for it, without its end.
    #[must_use]
    pub fn line(&self) -> String {
        match self {
            Self::Status => "status".to_owned(),
            Self::Dump => "dump".to_owned(),
            Self::Pause(lane) => format!("pause {lane}"),
            Self::Resume(lane) => format!("resume {lane}"),
            Self::Drain(false) => "drain".to_owned(),
            Self::Drain(true) => "drain stop".to_owned(),
            Self::Undrain => "undrain".to_owned(),
            Self::Reload => "reload".to_owned(),
            Self::ReopenLogs => "reopen-logs".to_owned(),
            Self::Upgrade(None) => "upgrade".to_owned(),
            Self::Upgrade(Some(path)) => format!("upgrade {}", path.display()),
            Self::AddToken(token) => format!("add-token {}", token.expose()),
            Self::Error(name) => format!("error {name}"),
            Self::Stop => "stop".to_owned(),
        }
    }

    /// For the log: without what must not be seen.
    #[must_use]
    pub fn shown(&self) -> String {
        match self {
            Self::AddToken(token) => format!("add-token {token}"),
            request => request.line(),
        }
    }

    /// Reads a line.
    ///
    /// # Errors
    /// What is not understood.
    pub fn parse(line: &str) -> Result<Self, String> {
        let (verb, argument) = line.split_once(' ').unwrap_or((line, ""));
        let lane = || argument.parse().map_err(|_| format!("`{argument}` is no lane: write its number"));
        let bare = |request| match argument {
            "" => Ok(request),
            _ => Err(format!("`{verb}` stands alone")),
        };
        match verb {
            "status" => bare(Self::Status),
            "dump" => bare(Self::Dump),
            "pause" => Ok(Self::Pause(lane()?)),
            "resume" => Ok(Self::Resume(lane()?)),
            "drain" if argument == "stop" => Ok(Self::Drain(true)),
            "drain" => bare(Self::Drain(false)),
            "undrain" => bare(Self::Undrain),
            "reload" => bare(Self::Reload),
            "reopen-logs" => bare(Self::ReopenLogs),
            "upgrade" if argument.is_empty() => Ok(Self::Upgrade(None)),
            "upgrade" => Ok(Self::Upgrade(Some(argument.into()))),
            "add-token" if !argument.is_empty() => Ok(Self::AddToken(Secret::new(argument.to_owned()))),
            "error" if !argument.is_empty() => Ok(Self::Error(argument.to_owned())),
            "stop" => bare(Self::Stop),
            _ => Err(format!("`{}` is nothing that can be asked", verb.escape_debug())),
        }
    }
}

/// The socket's path, short enough for an address: a long one leads through the directory's descriptor, which must
/// stay open until the path was used.
fn reachable(data_dir: &Path) -> io::Result<(PathBuf, Option<OwnedFd>)> {
    let path = data_dir.join(SOCKET);
    if path.as_os_str().len() <= PATH_MAX {
        return Ok((path, None));
    }
    let dir = rustix::fs::open(data_dir, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    Ok((PathBuf::from(format!("/proc/self/fd/{}", dir.as_raw_fd())).join(SOCKET), Some(dir)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_is_read_as_it_was_written() {
        for request in [
            Request::Status,
            Request::Dump,
            Request::Pause(16),
            Request::Resume(0),
            Request::Drain(false),
            Request::Drain(true),
            Request::Undrain,
            Request::Reload,
            Request::ReopenLogs,
            Request::Upgrade(None),
            Request::Upgrade(Some("/opt/no bat/bin".into())),
            Request::AddToken(Secret::new("1000001:TEST".into())),
            Request::Error("ABC234".into()),
            Request::Stop,
        ] {
            assert_eq!(Request::parse(&request.line()), Ok(request.clone()));
            assert!(!request.shown().contains("TEST") && !format!("{request:?}").contains("TEST"));
        }
        for line in ["", " ", "pause", "pause x", "pause 70000", "resume -1", "status now", "STOP", "drain x"]
        {
            assert!(Request::parse(line).is_err(), "{line}");
        }
    }
}
