//! One call, blocking: for the commands (webhook setup, doctor, pages of a REST data set). Not for the
//! threads of `serve`.

use super::answer::{Answer, AnswerLimits, AnswerReader, Fed};
use super::failure::{Cause, Failure};
use super::{Origin, tls_for};
use crate::http::{Method, ResponseIndex};
use crate::tls::Stream;
use rustls::{ClientConfig as TlsConfig, ClientConnection};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Sends one complete request (it should say `Connection: close`) and waits for its answer, at most
/// `timeout` in all.
///
/// `method` is the request's, because an answer to HEAD has no body.
///
/// # Errors
/// What failed, and whether the request can have been acted on.
pub fn call(
    origin: &Origin,
    tls: Option<Arc<TlsConfig>>,
    method: Method,
    request: &[u8],
    timeout: Duration,
) -> Result<Answer, Failure> {
    let until = Instant::now() + timeout;
    let mut stream = connect(origin, tls, until)?;
    write(&mut stream, request, until)?;
    read(&mut stream, method, until)
}

/// The head of the answer to a request, as bytes, up to 16 KiB; for what only a header says.
///
/// # Errors
/// As [`call`].
pub fn head(
    origin: &Origin,
    tls: Option<Arc<TlsConfig>>,
    request: &[u8],
    timeout: Duration,
) -> Result<Vec<u8>, Failure> {
    let until = Instant::now() + timeout;
    let mut stream = connect(origin, tls, until)?;
    write(&mut stream, request, until)?;
    let (mut head, mut chunk) = (Vec::new(), [0u8; 4 * 1024]);
    loop {
        arm(&mut stream, until).map_err(|_| Failure::Unanswered(Cause::AnswerTimeout))?;
        match stream.read(&mut chunk) {
            Ok(0) => return Err(Failure::Unanswered(Cause::Closed)),
            Ok(n) => head.extend_from_slice(&chunk[..n]),
            Err(error) => return Err(Failure::Unanswered(cause(&error, Cause::AnswerTimeout))),
        }
        if let Some(end) = memchr::memmem::find(&head, b"\r\n\r\n") {
            head.truncate(end);
            return Ok(head);
        }
        if head.len() > 16 * 1024 {
            return Err(Failure::Unanswered(Cause::Closed));
        }
    }
}

fn connect(
    origin: &Origin,
    tls: Option<Arc<TlsConfig>>,
    until: Instant,
) -> Result<Stream<TcpStream>, Failure> {
    let addresses = origin.resolve().map_err(|_| Failure::NotWritten(Cause::Unresolved))?;
    let socket = connect_any(&addresses, until).map_err(Failure::NotWritten)?;
    let _ = socket.set_nodelay(true);
    if !origin.is_tls() {
        return Ok(Stream::Plain(socket));
    }
    let refused = Failure::NotWritten(Cause::Tls);
    let (config, name) = tls_for(origin, tls).map_err(|_| refused)?;
    Ok(Stream::client(socket, ClientConnection::new(config, name).map_err(|_| refused)?))
}

fn connect_any(addresses: &[SocketAddr], until: Instant) -> Result<TcpStream, Cause> {
    let mut cause = Cause::Unresolved;
    for addr in addresses {
        let left = left(until).ok_or(Cause::ConnectTimeout)?;
        match TcpStream::connect_timeout(addr, left) {
            Ok(socket) => return Ok(socket),
            Err(error) => cause = Cause::Connect(error.kind()),
        }
    }
    Err(cause)
}

fn write(stream: &mut Stream<TcpStream>, request: &[u8], until: Instant) -> Result<(), Failure> {
    let mut written = 0;
    // Under TLS the session takes plaintext before the handshake is done; reading drives that on.
    while written < request.len() || stream.holds_output() || stream.is_handshaking() {
        let failed = |error: io::Error, late| Failure::NotWritten(cause(&error, late));
        arm(stream, until).map_err(|_| Failure::NotWritten(Cause::WriteTimeout))?;
        if written < request.len() {
            match stream.write(&request[written..]) {
                Ok(n) => written += n,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock && stream.is_handshaking() => {}
                Err(error) => return Err(failed(error, Cause::WriteTimeout)),
            }
        }
        stream.flush().map_err(|error| failed(error, Cause::WriteTimeout))?;
        if stream.is_handshaking() {
            stream.handshake().map_err(|error| failed(error, Cause::ConnectTimeout))?;
        }
    }
    Ok(())
}

fn read(stream: &mut Stream<TcpStream>, method: Method, until: Instant) -> Result<Answer, Failure> {
    let limits = AnswerLimits::default();
    let mut index = ResponseIndex::default();
    let mut reader = AnswerReader::new(method, Vec::new());
    let mut input: Vec<u8> = Vec::new();
    let mut chunk = [0u8; 16 * 1024];
    loop {
        arm(stream, until).map_err(|_| Failure::Unanswered(Cause::AnswerTimeout))?;
        match stream.read(&mut chunk) {
            Ok(0) if reader.is_complete_at_close() => return Ok(reader.into_answer()),
            Ok(0) => return Err(Failure::Unanswered(Cause::Closed)),
            Ok(n) => input.extend_from_slice(&chunk[..n]),
            Err(error) => return Err(Failure::Unanswered(cause(&error, Cause::AnswerTimeout))),
        }
        match reader.feed(&input, &limits, &mut index) {
            Fed::NeedMore(n) => drop(input.drain(..n)),
            Fed::Done(_) => return Ok(reader.into_answer()),
            Fed::Bad(reason) => return Err(Failure::Unanswered(Cause::BadAnswer(reason))),
        }
    }
}

/// Lets no single read or write outlast the call.
fn arm(stream: &mut Stream<TcpStream>, until: Instant) -> Result<(), Cause> {
    let left = left(until).ok_or(Cause::AnswerTimeout)?;
    let socket = stream.socket();
    let set = socket.set_read_timeout(Some(left)).and_then(|()| socket.set_write_timeout(Some(left)));
    set.map_err(|error| Cause::Broke(error.kind()))
}

fn left(until: Instant) -> Option<Duration> {
    until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
}

fn cause(error: &io::Error, late: Cause) -> Cause {
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => late,
        io::ErrorKind::InvalidData => Cause::Tls,
        kind => Cause::Broke(kind),
    }
}
