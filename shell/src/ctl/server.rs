//! The process's side of the socket: one thread that accepts, a short-lived one for each request.
//!
//! A request may take long (an upgrade tries the next program out first), and `nobat top` must go on meanwhile.
//! Whoever is not the process's own user, or root, is turned away, whatever the file's mode says.

use super::{LINE_MAX, Request, quoted, reachable};
use crate::say;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::sockopt::socket_peercred;
use std::fs::Permissions;
use std::io::{self, BufRead as _, BufReader, PipeReader, PipeWriter, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// Requests at the same time; more are told so.
const REQUESTS_MAX: usize = 16;

/// For a request to come, and for its answer to be taken.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who answers.
pub trait Desk: Send + Sync {
    /// The fields of the answer behind `"ok":true`, as JSON, or why not.
    ///
    /// # Errors
    /// A sentence for the operator.
    fn answer(&self, request: Request) -> Result<String, String>;
}

/// The running thread.
pub struct Handle {
    /// Dropped, it ends the thread.
    bell: PipeWriter,
    thread: JoinHandle<()>,
}

impl Handle {
    /// Takes no more requests. Those under way are answered if they are quick enough.
    pub fn stop_and_join(self) {
        drop(self.bell);
        if self.thread.join().is_err() {
            say!(Error, "the thread of `nobat ctl` panicked");
        }
    }
}

/// Makes the socket. To be called by the holder of the data directory's lock: what lies there is of a process that is
/// gone.
///
/// # Errors
/// What the operating system says.
pub fn bind(data_dir: &Path) -> io::Result<UnixListener> {
    let (path, _dir) = reachable(data_dir)?;
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    // Between these two lines the umask decides who may connect; each connection's user is looked at besides.
    std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Removes the socket: nobody is behind it any more.
pub fn unbind(data_dir: &Path) {
    if let Ok((path, _dir)) = reachable(data_dir) {
        // It may be gone with its directory.
        let _ = std::fs::remove_file(path);
    }
}

/// Starts the thread.
///
/// # Errors
/// The operating system gives no pipe or thread.
pub fn spawn(listener: UnixListener, desk: Arc<dyn Desk>) -> io::Result<Handle> {
    let (ears, bell) = io::pipe()?;
    listener.set_nonblocking(true)?;
    let thread = thread::Builder::new().name("ctl".into()).spawn(move || accept(&listener, &ears, &desk))?;
    Ok(Handle { bell, thread })
}

fn accept(listener: &UnixListener, ears: &PipeReader, desk: &Arc<dyn Desk>) {
    let busy = Arc::new(AtomicUsize::new(0));
    loop {
        let mut ready = [PollFd::new(listener, PollFlags::IN), PollFd::new(ears, PollFlags::IN)];
        if poll(&mut ready, None).is_err() {
            // Interrupted by a signal.
            continue;
        }
        if !ready[1].revents().is_empty() {
            return;
        }
        let Ok((stream, _)) = listener.accept() else {
            // Gone while it waited, or no descriptor left: a moment's rest keeps that from spinning.
            thread::sleep(Duration::from_millis(10));
            continue;
        };
        let (desk, busy) = (Arc::clone(desk), Arc::clone(&busy));
        let crowded = busy.fetch_add(1, Ordering::Relaxed) >= REQUESTS_MAX;
        let work = move || {
            // Who does not take his answer goes without.
            let _ = attend(&stream, &*desk, crowded);
            busy.fetch_sub(1, Ordering::Relaxed);
        };
        if let Err(e) = thread::Builder::new().name("ctl-request".into()).spawn(work) {
            say!(Error, "a request of `nobat ctl` found no thread", error = e);
        }
    }
}

fn attend(stream: &UnixStream, desk: &dyn Desk, crowded: bool) -> io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let peer = socket_peercred(stream)?.uid;
    let answer = if !peer.is_root() && peer != rustix::process::geteuid() {
        Err("only the user that runs nobat, and root, may ask".to_owned())
    } else if crowded {
        Err("too many ask at the same time".to_owned())
    } else {
        let mut line = String::new();
        BufReader::new(stream.take(LINE_MAX as u64)).read_line(&mut line)?;
        match line.strip_suffix('\n') {
            Some(line) => Request::parse(line).and_then(|request| desk.answer(request)),
            None => Err("a request is one line of at most 4 KiB".to_owned()),
        }
    };
    let text = match answer {
        Ok(fields) if fields.is_empty() => "{\"ok\":true}\n".to_owned(),
        Ok(fields) => format!("{{\"ok\":true,{fields}}}\n"),
        Err(why) => format!("{{\"ok\":false,\"error\":{}}}\n", quoted(&why)),
    };
    let mut stream = stream;
    stream.write_all(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::client::{self, CtlError};
    use super::*;

    struct Echo;

    impl Desk for Echo {
        fn answer(&self, request: Request) -> Result<String, String> {
            match request {
                Request::Pause(lane) if lane > 16 => Err(format!("there is no lane {lane}")),
                request => Ok(format!("\"says\":{}", quoted(&request.line()))),
            }
        }
    }

    #[test]
    fn requests_are_answered_until_the_stop_and_the_socket_is_its_owners_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        // Longer than an address holds, as data directories may be.
        let deep = dir.path().join("d".repeat(120));
        std::fs::create_dir(&deep).expect("made");
        for data in [dir.path(), &deep] {
            assert!(matches!(client::ask(data, &Request::Status), Err(CtlError::NotRunning(_))));
            std::fs::write(data.join(super::super::SOCKET), "stale").expect("written");
            let handle = spawn(bind(data).expect("bound"), Arc::new(Echo)).expect("a thread");
            let mode =
                std::fs::metadata(data.join(super::super::SOCKET)).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
            let said = client::ask(data, &Request::Upgrade(Some("/a \"b\"".into()))).expect("an answer");
            assert_eq!(said.text, "{\"ok\":true,\"says\":\"upgrade /a \\\"b\\\"\"}");
            assert_eq!(said.says().as_deref(), Some("upgrade /a \"b\""));
            match client::ask(data, &Request::Pause(17)) {
                Err(CtlError::Refused(why)) => assert_eq!(why, "there is no lane 17"),
                other => panic!("{other:?}"),
            }
            handle.stop_and_join();
            unbind(data);
            assert!(matches!(client::ask(data, &Request::Status), Err(CtlError::NotRunning(_))));
        }
    }

    #[test]
    fn a_request_without_an_end_and_a_crowd_are_told() {
        let dir = tempfile::tempdir().expect("a directory");
        let handle = spawn(bind(dir.path()).expect("bound"), Arc::new(Echo)).expect("a thread");
        let path = dir.path().join(super::super::SOCKET);
        let mut stream = UnixStream::connect(&path).expect("connected");
        stream.write_all(&[b'x'; LINE_MAX]).expect("written");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("an answer");
        assert!(said.contains("\"ok\":false") && said.contains("one line"), "{said}");
        handle.stop_and_join();
    }
}
