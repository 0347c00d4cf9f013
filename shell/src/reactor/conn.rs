//! One connection: its socket, its buffers, its place in time. What its bytes mean is in `intake`.

use super::ReactorConfig;
use super::answers::Answers;
use super::buffer::{Input, Output, Pool};
use super::intake::Reading;
use super::service::Peer;
use super::timer::Alarm;
use crate::http::{HttpDate, Response};
use crate::tls::Stream;
use mio::net::TcpStream;
use nobat_core::time::Nanos;
use std::io;
use std::net::Shutdown;

/// What the connection waits for; each phase has its own bound of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Phase {
    /// TLS is being set up.
    Handshake,
    /// Accepted; no byte came yet.
    New,
    /// Between requests.
    Idle,
    /// Within a head.
    Head,
    /// Within a body.
    Body,
    /// For the service.
    Answer,
    /// For the peer to take bytes.
    Write,
    /// Our side is closed; for the peer to close.
    Linger,
}

/// How a turn with a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// It lives.
    Stays,
    /// It has ended in order.
    Ended,
    /// It has ended in an error.
    Broke,
}

/// A connection.
#[derive(Debug)]
pub(super) struct Conn {
    stream: Stream<TcpStream>,
    pub(super) peer: Peer,
    generation: u32,
    pub(super) input: Input,
    pub(super) output: Output,
    pub(super) answers: Answers,
    pub(super) reading: Reading,
    /// The socket may have bytes; edge-triggered, so it must be remembered.
    readable: bool,
    /// The peer closed its side.
    eof: bool,
    writable: bool,
    /// The poll is asked for it.
    awaits_writable: bool,
    dirty: bool,
    /// The last answer is written or in `output`; nothing more is read.
    pub(super) closing: bool,
    pub(super) phase: Phase,
    since: Nanos,
    pub(super) alarm: Alarm,
}

impl Conn {
    pub(super) fn new(stream: Stream<TcpStream>, peer: Peer, generation: u32, now: Nanos) -> Self {
        let phase = if stream.is_plain() { Phase::New } else { Phase::Handshake };
        Self {
            stream,
            peer,
            generation,
            input: Input::default(),
            output: Output::default(),
            answers: Answers::default(),
            reading: Reading::default(),
            readable: false,
            eof: false,
            writable: true,
            awaits_writable: false,
            dirty: false,
            closing: false,
            phase,
            since: now,
            alarm: Alarm::default(),
        }
    }

    pub(super) fn generation(&self) -> u32 {
        self.generation
    }

    pub(super) fn socket(&mut self) -> &mut TcpStream {
        self.stream.socket()
    }

    /// Whether TLS is still being set up.
    #[inline]
    pub(super) fn is_handshaking(&self) -> bool {
        self.stream.is_handshaking()
    }

    /// True if it was not marked before.
    pub(super) fn mark_dirty(&mut self) -> bool {
        !std::mem::replace(&mut self.dirty, true)
    }

    pub(super) fn unmark_dirty(&mut self) {
        self.dirty = false;
    }

    /// Gives the answer to request `seq`. False if nobody waits for it.
    pub(super) fn answer(&mut self, seq: u32, response: Response) -> bool {
        !self.closing && self.answers.fill(seq, response)
    }

    /// Remembers what the poll reported.
    pub(super) fn ready(&mut self, readable: bool, writable: bool) {
        self.readable |= readable;
        self.writable |= writable;
    }

    /// Whether reading on would find something to do now.
    pub(super) fn wants_turn(&self, config: &ReactorConfig) -> bool {
        self.phase == Phase::Linger && self.readable
            || !self.is_held_back(config)
                && (self.readable && !self.eof || self.reading.may_go_on(&self.input))
    }

    /// Whether the peer must first take answers, or the service give them, before more is read.
    pub(super) fn is_held_back(&self, config: &ReactorConfig) -> bool {
        self.closing
            || self.answers.len() >= config.pipeline_max
            || self.output.waiting().len() >= config.output_bytes_max
    }

    /// Reads once, at most what the buffer has space for. True if bytes came.
    ///
    /// A read that does not fill the space has emptied the socket: epoll(7) allows to rely on it for streams, and the
    /// read that would only say `WouldBlock` is spared. A later end of stream is an event of its own.
    pub(super) fn fill(&mut self, pool: &mut Pool, read_closed: bool, max: usize) -> io::Result<bool> {
        if !self.readable || self.eof {
            return Ok(false);
        }
        pool.lend_input(&mut self.input);
        let space = self.input.space(max);
        if space.is_empty() {
            return Ok(false);
        }
        let room = space.len();
        let read = if read_closed { self.stream.read(space) } else { self.stream.read_ready(space) };
        match read {
            Ok(0) => {
                self.eof = true;
                Ok(false)
            }
            Ok(n) => {
                self.input.commit(n);
                self.readable = n == room || read_closed || !self.stream.is_emptied();
                Ok(true)
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.readable = false;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Moves what is answered into the output, and the output to the socket.
    pub(super) fn write(&mut self, pool: &mut Pool, date: &HttpDate, stopping: bool) -> io::Result<()> {
        if !self.answers.is_empty() && !self.closing {
            pool.lend_output(&mut self.output);
            self.closing = self.answers.emit(&mut self.output.bytes, date, stopping);
        }
        while self.writable && !self.output.is_empty() {
            match self.stream.write(self.output.waiting()) {
                Ok(n) => self.output.consume(n),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                Err(error) => return Err(error),
            }
        }
        if self.writable && self.stream.holds_output() {
            match self.stream.flush() {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.writable = false,
                other => other?,
            }
        }
        Ok(())
    }

    /// True once: when the poll must report from now on that the socket takes bytes again.
    pub(super) fn begins_to_await_writable(&mut self) -> bool {
        !self.writable && !std::mem::replace(&mut self.awaits_writable, true)
    }

    /// Decides whether the connection goes on, after everything was written that could be.
    pub(super) fn conclude(&mut self, now: Nanos) -> Fate {
        let written = self.output.is_empty() && !self.stream.holds_output();
        if !written || !self.closing && !self.answers.is_empty() {
            return Fate::Stays;
        }
        if self.eof && (self.closing || !self.reading.may_go_on(&self.input)) {
            // Every request that arrived whole is answered; half of one asks for nothing.
            return Fate::Ended;
        }
        if self.closing && self.phase != Phase::Linger {
            // RFC 9112 9.6: close our side, then read until the peer closes; closing at once could reset
            // the connection and destroy the answer before it is read.
            self.stream.notify_close();
            if self.stream.socket().shutdown(Shutdown::Write).is_err() {
                return Fate::Ended;
            }
            (self.phase, self.since) = (Phase::Linger, now);
            self.input.clear();
        }
        Fate::Stays
    }

    /// Before it is dropped in order: the end of a TLS session, if it was not said yet. Best effort.
    pub(super) fn say_end(&mut self) {
        if !self.is_handshaking() {
            self.stream.notify_close();
        }
    }

    /// While lingering: throws away what comes. Bounded a turn; what is left is read in the next.
    pub(super) fn discard(&mut self) -> Fate {
        let mut sink = [0u8; 4 * 1024];
        for _ in 0..16 {
            if !self.readable {
                return Fate::Stays;
            }
            match self.stream.read(&mut sink) {
                Ok(0) => return Fate::Ended,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.readable = false,
                Err(_) => return Fate::Ended,
            }
        }
        Fate::Stays
    }

    /// The instant at which the connection has waited too long, as of the phase it is in now.
    pub(super) fn deadline(&mut self, now: Nanos, config: &ReactorConfig) -> Nanos {
        let phase = self.phase_now();
        if phase != self.phase {
            (self.phase, self.since) = (phase, now);
        }
        let bound = match phase {
            Phase::Handshake => config.handshake,
            Phase::New | Phase::Head => config.head_time,
            Phase::Idle => config.idle,
            Phase::Body => config.body_time,
            Phase::Answer => config.answer,
            Phase::Write => config.write,
            Phase::Linger => config.linger,
        };
        self.since.after(bound)
    }

    /// A request was completed: what is waited for next counts from here on.
    pub(super) fn restart_phase(&mut self, now: Nanos) {
        (self.phase, self.since) = (Phase::Idle, now);
    }

    fn phase_now(&self) -> Phase {
        if self.phase == Phase::Linger {
            return Phase::Linger;
        }
        if self.stream.is_handshaking() {
            return Phase::Handshake;
        }
        if !self.output.is_empty() || self.stream.holds_output() {
            return Phase::Write;
        }
        if !self.answers.is_empty() {
            return Phase::Answer;
        }
        match (self.reading.is_in_body(), self.input.is_empty(), self.phase) {
            (true, ..) => Phase::Body,
            (false, false, _) => Phase::Head,
            (false, true, Phase::New | Phase::Handshake) => Phase::New,
            (false, true, _) => Phase::Idle,
        }
    }
}
