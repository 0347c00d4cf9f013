//! One connection of the client and the call it carries.

use super::ClientConfig;
use super::answer::{Answer, AnswerLimits, AnswerReader, Fed};
use super::failure::{Cause, Failure};
use crate::http::{Method, ResponseIndex};
use crate::reactor::buffer::{Input, Output};
use crate::reactor::timer::Alarm;
use crate::tls::Stream;
use mio::event::Event;
use mio::net::TcpStream;
use nobat_core::time::Nanos;
use std::io;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Phase {
    /// TCP and TLS are being set up; nothing of the request has left.
    Connecting,
    Writing,
    Answering,
    Idle,
}

/// What driving a connection came to.
pub(super) enum Outcome {
    Pending,
    /// Whether the connection may carry another call.
    Answered(Answer, bool),
    Failed(Failure),
    /// An idle connection has ended.
    Gone,
}

struct Call {
    tag: u64,
    reader: AnswerReader,
}

/// A connection. No `Debug`: its buffers hold tokens.
pub(super) struct Conn {
    stream: Stream<TcpStream>,
    pool: usize,
    generation: u32,
    phase: Phase,
    /// The phase whose deadline is set, so that each is set once.
    timed: Option<Phase>,
    readable: bool,
    writable: bool,
    /// The platform has closed its side; what it sent before may still wait to be read.
    read_closed: bool,
    input: Input,
    output: Output,
    call: Option<Call>,
    tag: u64,
    pub(super) alarm: Alarm,
}

impl Conn {
    pub(super) fn new(stream: Stream<TcpStream>, pool: usize, generation: u32) -> Self {
        Self {
            stream,
            pool,
            generation,
            phase: Phase::Connecting,
            timed: None,
            readable: false,
            writable: false,
            read_closed: false,
            input: Input::default(),
            output: Output::default(),
            call: None,
            tag: 0,
            alarm: Alarm::default(),
        }
    }

    pub(super) fn pool(&self) -> usize {
        self.pool
    }

    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    /// Remembers what the poll reported; it reports each change once.
    pub(super) fn ready(&mut self, event: &Event) {
        self.read_closed |= event.is_read_closed() || event.is_error();
        self.readable |= event.is_readable() || self.read_closed;
        self.writable |= event.is_writable() || event.is_error();
    }

    /// Ends the TLS session in order and gives the socket.
    pub(super) fn close(&mut self) -> &mut TcpStream {
        self.stream.notify_close();
        self.stream.socket()
    }

    /// Whether an idle connection can carry a call: open, and without a byte that nobody asked for.
    pub(super) fn is_alive(&mut self) -> bool {
        let blocked = self.stream.read(&mut [0u8; 1]).is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock);
        blocked && !self.stream.holds_output()
    }

    pub(super) fn begin(&mut self, tag: u64, request: &[u8], body: Vec<u8>) {
        self.output.clear();
        self.output.bytes.extend_from_slice(request);
        self.input.clear();
        self.call = Some(Call { tag, reader: AnswerReader::new(Method::Post, body) });
        if self.phase == Phase::Idle {
            self.phase = Phase::Writing;
        }
    }

    /// Forgets the call and gives its tag.
    pub(super) fn end_call(&mut self, bodies: &mut Vec<Vec<u8>>) -> u64 {
        if let Some(call) = self.call.take() {
            self.tag = call.tag;
            bodies.push(call.reader.into_body());
        }
        self.tag
    }

    pub(super) fn drive(&mut self, limits: &AnswerLimits, index: &mut ResponseIndex) -> Outcome {
        if self.phase == Phase::Connecting
            && let Err(outcome) = self.connect()
        {
            return outcome;
        }
        let written = self.write();
        let outcome = self.read(limits, index);
        match (written, outcome) {
            // An answer may come before the request is written whole, and a closed door beside it.
            (Err(error), Outcome::Pending) => Outcome::Failed(self.broke(&error)),
            (_, outcome) => outcome,
        }
    }

    /// A connecting socket becomes writable, whatever the outcome; the outcome must be asked for.
    fn connect(&mut self) -> Result<(), Outcome> {
        if !self.writable {
            return Err(Outcome::Pending);
        }
        let failed = |error: io::Error| Outcome::Failed(Failure::NotWritten(Cause::Connect(error.kind())));
        let socket = self.stream.socket();
        if let Some(error) = socket.take_error().map_err(failed)? {
            return Err(failed(error));
        }
        match socket.peer_addr() {
            Ok(_) => {
                // A request is written whole at once: nothing to wait for.
                let _ = socket.set_nodelay(true);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                self.writable = false;
                Err(Outcome::Pending)
            }
            Err(error) => Err(failed(error)),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.note_progress();
        while self.writable && !self.output.is_empty() {
            match self.stream.write(self.output.waiting()) {
                Ok(n) => self.output.consume(n),
                // The session is full or the socket is: under TLS the handshake may come first.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        match self.stream.flush() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
            other => other?,
        }
        self.note_progress();
        Ok(())
    }

    /// Advances the phase by what has left this machine.
    fn note_progress(&mut self) {
        if self.phase == Phase::Connecting && !self.stream.is_handshaking() {
            self.phase = Phase::Writing;
        }
        if self.phase == Phase::Writing && self.output.is_empty() && !self.stream.holds_output() {
            self.phase = Phase::Answering;
        }
    }

    fn read(&mut self, limits: &AnswerLimits, index: &mut ResponseIndex) -> Outcome {
        // An answer's body leaves the input as it comes, so the head bounds what must stand there.
        let max = usize::from(limits.head.head_bytes).max(16 * 1024);
        while self.readable {
            let space = self.input.space(max);
            let room = space.len();
            let result = self.stream.read(space);
            // Under TLS a read flushes as well: the last of the request may have left just now.
            self.note_progress();
            match result {
                Ok(0) => return self.closed(),
                Ok(n) => {
                    self.input.commit(n);
                    // As in the reactor: a read that leaves room has emptied a plain socket.
                    self.readable = !self.stream.is_plain() || n == room || self.read_closed;
                    if let Some(outcome) = self.feed(limits, index) {
                        return outcome;
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(error) => {
                    return if self.call.is_some() {
                        Outcome::Failed(self.broke(&error))
                    } else {
                        Outcome::Gone
                    };
                }
            }
        }
        // The handshake may have ended while reading: what waited for it goes out now.
        if matches!(self.phase, Phase::Connecting | Phase::Writing)
            && let Err(error) = self.write()
        {
            return Outcome::Failed(self.broke(&error));
        }
        Outcome::Pending
    }

    fn feed(&mut self, limits: &AnswerLimits, index: &mut ResponseIndex) -> Option<Outcome> {
        // Bytes that nobody asked for (a late 408, for one) make the connection useless.
        let Some(call) = &mut self.call else { return Some(Outcome::Gone) };
        match call.reader.feed(self.input.filled(), limits, index) {
            Fed::NeedMore(n) => {
                self.input.consume(n);
                None
            }
            Fed::Bad(reason) => Some(Outcome::Failed(self.failure(Cause::BadAnswer(reason)))),
            Fed::Done(n) => {
                self.input.consume(n);
                Some(self.answered())
            }
        }
    }

    fn answered(&mut self) -> Outcome {
        let Some(call) = self.call.take() else { return Outcome::Gone };
        self.tag = call.tag;
        let whole = self.phase == Phase::Answering && self.input.is_empty() && !self.read_closed;
        let reusable = whole && call.reader.persists();
        self.phase = Phase::Idle;
        Outcome::Answered(call.reader.into_answer(), reusable)
    }

    fn closed(&mut self) -> Outcome {
        match &self.call {
            None => Outcome::Gone,
            Some(call) if call.reader.is_complete_at_close() => self.answered_at_close(),
            Some(_) => Outcome::Failed(self.failure(Cause::Closed)),
        }
    }

    fn answered_at_close(&mut self) -> Outcome {
        match self.answered() {
            Outcome::Answered(answer, _) => Outcome::Answered(answer, false),
            other => other,
        }
    }

    fn broke(&self, error: &io::Error) -> Failure {
        let cause = match error.kind() {
            io::ErrorKind::InvalidData => Cause::Tls,
            kind if self.phase == Phase::Connecting => Cause::Connect(kind),
            kind => Cause::Broke(kind),
        };
        self.failure(cause)
    }

    /// The question that matters: had the last byte left?
    fn failure(&self, cause: Cause) -> Failure {
        match self.phase {
            Phase::Connecting | Phase::Writing => Failure::NotWritten(cause),
            Phase::Answering | Phase::Idle => Failure::Unanswered(cause),
        }
    }

    /// What a deadline means in this phase; nothing for an idle connection.
    pub(super) fn timed_out(&self) -> Option<Failure> {
        match self.phase {
            Phase::Connecting => Some(Failure::NotWritten(Cause::ConnectTimeout)),
            Phase::Writing => Some(Failure::NotWritten(Cause::WriteTimeout)),
            Phase::Answering => Some(Failure::Unanswered(Cause::AnswerTimeout)),
            Phase::Idle => None,
        }
    }

    /// The deadline of the phase, counted from its beginning.
    pub(super) fn deadline(&mut self, now: Nanos, config: &ClientConfig) -> Nanos {
        if self.timed == Some(self.phase) {
            return self.alarm.deadline;
        }
        self.timed = Some(self.phase);
        now.after(match self.phase {
            Phase::Connecting => config.connect,
            Phase::Writing => config.write,
            Phase::Answering => config.answer,
            Phase::Idle => config.idle,
        })
    }
}
