//! sd_notify(3): what the process tells the service manager, one datagram a word.
//!
//! Without `NOTIFY_SOCKET` nobody listens, and every word is free. A manager that does not take a datagram (its queue
//! is full) must not hold the main thread up: the socket never blocks, and what is not taken is said again by the
//! next beat.

use std::fmt::Display;
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The way to the service manager, if there is one.
#[derive(Debug)]
pub struct Notifier {
    socket: Option<UnixDatagram>,
    watchdog: Option<Duration>,
}

impl Notifier {
    /// As the environment says.
    #[must_use]
    pub fn from_env() -> Self {
        let path = std::env::var_os("NOTIFY_SOCKET");
        let socket = path.and_then(|path| connect(path.as_bytes()).ok());
        let number = |name: &str| std::env::var(name).ok()?.parse::<u64>().ok();
        // WATCHDOG_PID is another's when a parent passed its environment on.
        let ours = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|_| ours).map(Duration::from_micros);
        Self { socket, watchdog: watchdog.filter(|every| !every.is_zero()) }
    }

    /// Nobody listens.
    #[must_use]
    pub const fn silent() -> Self {
        Self { socket: None, watchdog: None }
    }

    /// How long the manager waits for a [`Notifier::beat`] before it kills the process; none if it does not.
    #[must_use]
    pub const fn watchdog(&self) -> Option<Duration> {
        self.watchdog
    }

    /// The process serves.
    pub fn ready(&self, status: impl Display) {
        self.say(&format!("READY=1\nSTATUS={status}"));
    }

    /// What it is about, for `systemctl status`.
    pub fn status(&self, status: impl Display) {
        self.say(&format!("STATUS={status}"));
    }

    /// It changes its configuration or its program; [`Notifier::ready`] follows.
    pub fn reloading(&self, status: impl Display) {
        // CLOCK_MONOTONIC, which orders this word against the manager's own request (Type=notify-reload).
        let now = rustix::time::clock_gettime(rustix::time::ClockId::Monotonic);
        let micros = now.tv_sec as i128 * 1_000_000 + now.tv_nsec as i128 / 1_000;
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={micros}\nSTATUS={status}"));
    }

    /// It ends in order.
    pub fn stopping(&self, status: impl Display) {
        self.say(&format!("STOPPING=1\nSTATUS={status}"));
    }

    /// Starting or stopping takes a while: at most so much longer.
    pub fn extend(&self, by: Duration) {
        self.say(&format!("EXTEND_TIMEOUT_USEC={}", by.as_micros()));
    }

    /// It lives. To be said more often than [`Notifier::watchdog`], by who has seen that the others work.
    pub fn beat(&self) {
        self.say("WATCHDOG=1");
    }

    fn say(&self, words: &str) {
        if let Some(socket) = &self.socket {
            // There is nobody to tell that the manager is gone.
            let _ = socket.send(words.as_bytes());
        }
    }
}

/// A path, or a name in the abstract namespace behind an `@`.
fn connect(name: &[u8]) -> std::io::Result<UnixDatagram> {
    let address = match name {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        path => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(path))?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.connect_addr(&address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_arrive_whole_by_path_and_by_abstract_name() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("notify");
        let name = format!("nobat-test-{}", std::process::id());
        let abstract_name = SocketAddr::from_abstract_name(&name).expect("a name");
        let (by_path, by_name) = (UnixDatagram::bind(&path), UnixDatagram::bind_addr(&abstract_name));
        let at = format!("@{name}");
        for (listener, name) in [(by_path, path.as_os_str().as_bytes()), (by_name, at.as_bytes())] {
            let listener = listener.expect("bound");
            let notifier = Notifier { socket: Some(connect(name).expect("connected")), watchdog: None };
            notifier.ready("17 lanes");
            notifier.reloading("");
            let mut word = [0; 256];
            let n = listener.recv(&mut word).expect("a word");
            assert_eq!(&word[..n], b"READY=1\nSTATUS=17 lanes");
            let n = listener.recv(&mut word).expect("a word");
            assert!(word[..n].starts_with(b"RELOADING=1\nMONOTONIC_USEC="));
        }
    }

    #[test]
    fn a_manager_that_is_gone_or_deaf_holds_nobody_up() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("notify");
        let deaf = UnixDatagram::bind(&path).expect("bound");
        let socket = connect(path.as_os_str().as_bytes()).expect("connected");
        let notifier = Notifier { socket: Some(socket), watchdog: None };
        // Far more than a queue of datagrams holds.
        (0..100_000).for_each(|_| notifier.beat());
        drop(deaf);
        notifier.beat();
        Notifier::silent().beat();
    }
}
