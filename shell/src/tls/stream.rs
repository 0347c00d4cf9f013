//! A socket that may be encrypted. Bytes in, bytes out; `WouldBlock` means what it means on a socket.

use rustls::{ClientConnection, Connection, ProtocolVersion, ServerConnection};
use std::io::{self, Read, Write};

/// Plaintext that rustls may hold while the socket takes nothing, in bytes. The caller keeps the rest.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// A socket, plain or under TLS.
#[derive(Debug)]
pub enum Stream<S> {
    Plain(S),
    Tls(Box<Encrypted<S>>),
}

/// A socket with its TLS session.
#[derive(Debug)]
pub struct Encrypted<S> {
    socket: S,
    session: Connection,
    /// The last read of the socket gave less than there was room for, and the peer's end was not in it.
    emptied: bool,
    /// The session holds tickets and nothing else.
    withheld: bool,
}

impl<S: Read + Write> Stream<S> {
    /// A server's side of an accepted socket.
    #[must_use]
    pub fn server(socket: S, session: ServerConnection) -> Self {
        Self::encrypted(socket, session.into())
    }

    /// A client's side of a connecting socket.
    #[must_use]
    pub fn client(socket: S, session: ClientConnection) -> Self {
        Self::encrypted(socket, session.into())
    }

    fn encrypted(socket: S, mut session: Connection) -> Self {
        session.set_buffer_limit(Some(BUFFER_BYTES_MAX));
        Self::Tls(Box::new(Encrypted { socket, session, emptied: false, withheld: false }))
    }

    /// The socket, to register or to close it.
    pub fn socket(&mut self) -> &mut S {
        match self {
            Self::Plain(socket) => socket,
            Self::Tls(tls) => &mut tls.socket,
        }
    }

    #[must_use]
    pub const fn is_plain(&self) -> bool {
        matches!(self, Self::Plain(_))
    }

    /// Whether application bytes cannot flow yet.
    #[must_use]
    pub fn is_handshaking(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.session.is_handshaking())
    }

    /// Whether bytes that were accepted by `write` have not all reached the socket. Tickets do not count: they go out
    /// with the first answer, or with the end.
    #[must_use]
    pub fn holds_output(&self) -> bool {
        matches!(self, Self::Tls(tls) if tls.session.wants_write() && !tls.withheld)
    }

    /// Goes on with the handshake by reading, without asking for application bytes. For blocking sockets;
    /// others
    /// make the same progress by `read`.
    ///
    /// # Errors
    /// As `read`.
    pub fn handshake(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => tls.receive().map(|_| ()),
        }
    }

    /// Reads application bytes. 0 is the peer's orderly end; under TLS an end without `close_notify` is
    /// `UnexpectedEof`, because an attacker can cut a stream but cannot forge its end.
    ///
    /// # Errors
    /// As a socket; `InvalidData` for whatever TLS refuses.
    pub fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => retry(|| socket.read(into)),
            Self::Tls(tls) => tls.read(into, false),
        }
    }

    /// As `read`, for a poll that reports edges: a read of the socket that found it empty behind what it gave is the
    /// last, and the one that would only say `WouldBlock` is spared (epoll(7) allows it for streams). Not for a socket
    /// whose end was reported: the end would stay unseen.
    ///
    /// # Errors
    /// As `read`.
    pub fn read_ready(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => retry(|| socket.read(into)),
            Self::Tls(tls) => tls.read(into, true),
        }
    }

    /// Whether a read that left room in its buffer has emptied the socket too.
    #[must_use]
    pub const fn is_emptied(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Tls(tls) => tls.emptied,
        }
    }

    /// Writes application bytes. Under TLS a success means that the session took them; `flush` moves them on.
    ///
    /// # Errors
    /// As a socket.
    pub fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(socket) => retry(|| socket.write(bytes)),
            Self::Tls(tls) => tls.write(bytes),
        }
    }

    /// Moves what the TLS session holds (handshake included) to the socket. `WouldBlock` if some is left.
    ///
    /// # Errors
    /// As a socket.
    pub fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(tls) => tls.flush(),
        }
    }

    /// Queues the TLS end-of-stream, so that the peer can tell an end from a cut. Best effort.
    pub fn notify_close(&mut self) {
        if let Self::Tls(tls) = self {
            tls.session.send_close_notify();
            let _ = tls.flush();
        }
    }
}

impl<S: Read + Write> Encrypted<S> {
    fn read(&mut self, into: &mut [u8], until_emptied: bool) -> io::Result<usize> {
        let mut stops = false;
        loop {
            match self.session.reader().read(into) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && !stops => {}
                other => return other,
            }
            self.receive()?;
            stops = until_emptied && self.emptied;
        }
    }

    /// Reads from the socket once and lets the session understand it. `WouldBlock` if nothing came.
    fn receive(&mut self) -> io::Result<usize> {
        let mut socket = Watched { socket: &mut self.socket, emptied: false };
        let seen = retry(|| self.session.read_tls(&mut socket))?;
        let emptied = socket.emptied;
        // A clean end is reported by the session's reader, hence no check for 0 beyond the handshake.
        if seen == 0 && self.session.is_handshaking() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let nothing_held = self.withheld || !self.session.wants_write();
        match self.session.process_new_packets() {
            // An end that came behind bytes is still in the session.
            Ok(state) => self.emptied = emptied && !state.peer_has_closed(),
            Err(error) => {
                // The alert tells the peer why; whether it arrives changes nothing.
                let _ = self.flush();
                return Err(io::Error::new(io::ErrorKind::InvalidData, error));
            }
        }
        if self.speaks_only_tickets() {
            self.withheld = nothing_held && self.session.wants_write();
        } else {
            tolerate_full(self.flush())?;
        }
        Ok(seen)
    }

    /// A server of TLS 1.3 that is set up says nothing by itself that a client waits for. In TLS 1.2 its Finished comes
    /// last, and the client does wait.
    fn speaks_only_tickets(&self) -> bool {
        matches!(self.session, Connection::Server(_))
            && !self.session.is_handshaking()
            && self.session.protocol_version() == Some(ProtocolVersion::TLSv1_3)
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = self.session.writer().write(bytes)?;
        tolerate_full(self.flush())?;
        if taken == 0 && !bytes.is_empty() { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(taken) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.withheld = false;
        while self.session.wants_write() {
            if retry(|| self.session.write_tls(&mut self.socket))? == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }
}

/// A socket that remembers whether its last read has emptied it.
struct Watched<'a, S> {
    socket: &'a mut S,
    emptied: bool,
}

impl<S: Read> Read for Watched<'_, S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.socket.read(into)?;
        self.emptied = n < into.len();
        Ok(n)
    }
}

/// A full socket is no failure: what is left goes out when the socket is writable again.
fn tolerate_full(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        other => other,
    }
}

fn retry<T>(mut call: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            other => return other,
        }
    }
}
