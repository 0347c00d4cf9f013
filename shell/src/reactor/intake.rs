//! From the bytes of a connection to calls of the service: one request after the other, in order.

use super::ReactorConfig;
use super::answers::{self, Meta};
use super::buffer::{Input, Pool};
use super::conn::Conn;
use super::service::{Answer, ReplyToken, Service, Turn};
use super::stats::{self, Stats};
use crate::http::{
    CONTINUE, Chunked, Framing, HttpDate, Method, Progress, Reason, RequestHead, RequestIndex, Response,
    Step, Version, parse_request,
};

/// How far the current request is read. Offsets count from the first unused byte of the input.
#[derive(Clone, Debug)]
pub(super) enum Reading {
    /// In the head; so many bytes hold no complete head.
    Head { seen: usize },
    /// The head is admitted and `head` long; a body of `len` follows.
    Length { head: usize, len: usize },
    /// The head is admitted and `head` long; `body` bytes behind it are decoded.
    Chunked { head: usize, body: usize, decoder: Chunked },
    /// The request was refused; its body is thrown away so that the next can follow.
    Skip { left: usize },
    /// Nothing more is read as a request: the connection ends with an answer that is given or due.
    Stopped,
}

impl Default for Reading {
    fn default() -> Self {
        Self::Head { seen: 0 }
    }
}

impl Reading {
    pub(super) fn is_in_body(&self) -> bool {
        matches!(self, Self::Length { .. } | Self::Chunked { .. } | Self::Skip { .. })
    }

    /// Whether bytes that are already read may hold a request: those that came after one that had to wait.
    pub(super) fn may_go_on(&self, input: &Input) -> bool {
        match self {
            Self::Head { seen } => input.len() > *seen,
            Self::Skip { left } => *left == 0 || !input.is_empty(),
            _ => false,
        }
    }
}

/// What a turn lends to each connection.
pub(super) struct Context<'a, S> {
    pub(super) service: &'a mut S,
    pub(super) turn: &'a Turn,
    pub(super) config: &'a ReactorConfig,
    pub(super) date: &'a HttpDate,
    pub(super) stats: &'a Stats,
    pub(super) pool: &'a mut Pool,
    pub(super) index: &'a mut RequestIndex,
    /// A graceful stop is under way: what is answered from now on closes.
    pub(super) stopping: bool,
}

/// Most bytes one connection's input may hold: a head, a body, and some of the next request.
pub(super) fn input_bytes_max(config: &ReactorConfig) -> usize {
    usize::from(config.head.head_bytes) + config.body_bytes_max + 4 * 1024
}

impl<S: Service> Context<'_, S> {
    /// Handles every complete request of the input, until bytes are missing or the connection is held back.
    pub(super) fn process(&mut self, conn: &mut Conn, key: u32) {
        while !conn.is_held_back(self.config) && self.advance(conn, key) {}
    }

    /// One step; false if it needs more bytes, or none will be used any more.
    fn advance(&mut self, conn: &mut Conn, key: u32) -> bool {
        match &mut conn.reading {
            Reading::Head { seen } => {
                let seen = *seen;
                self.head(conn, key, seen)
            }
            Reading::Length { head, len } => {
                let (head, len) = (*head, *len);
                if conn.input.len() < head + len {
                    return false;
                }
                self.complete(conn, key, head, len, head + len)
            }
            Reading::Chunked { head, body, decoder } => {
                let (head, from) = (*head, *head + *body);
                match decode(decoder, &mut conn.input, from) {
                    Decoded::NeedMore { body: total } => {
                        *body = total - head;
                        false
                    }
                    Decoded::End { body, raw } => self.complete(conn, key, head, body - head, raw),
                    Decoded::Bad(reason) => self.refuse(conn, reason),
                }
            }
            Reading::Skip { left } => {
                let n = conn.input.len().min(*left);
                conn.input.consume(n);
                *left -= n;
                if *left > 0 {
                    return false;
                }
                conn.reading = Reading::default();
                true
            }
            Reading::Stopped => {
                conn.input.clear();
                false
            }
        }
    }

    fn head(&mut self, conn: &mut Conn, key: u32, seen: usize) -> bool {
        let input = conn.input.filled();
        // A head becomes complete or wrong at the end of a line; a sender of single bytes costs one parse a
        // line, not one a byte.
        let full = input.len() >= usize::from(self.config.head.head_bytes);
        if input.len() <= seen || seen > 0 && !full && memchr::memchr(b'\n', &input[seen..]).is_none() {
            conn.reading = Reading::Head { seen: input.len() };
            return false;
        }
        match parse_request(input, &self.config.head, self.index) {
            Step::NeedMore => {
                conn.reading = Reading::Head { seen: input.len() };
                false
            }
            Step::Bad(reason) => self.refuse(conn, reason),
            Step::Done(head_len) => self.admit(conn, key, head_len),
        }
    }

    fn admit(&mut self, conn: &mut Conn, key: u32, head_len: usize) -> bool {
        let head = RequestHead::new(conn.input.filled(), self.index);
        let max = self.config.body_bytes_max;
        let body_len = match head.framing() {
            Framing::Length(len) if len > max as u64 => return self.refuse(conn, Reason::BodyTooLarge),
            Framing::Length(len) => Some(len as usize),
            Framing::None | Framing::UntilClose => Some(0),
            Framing::Chunked => None,
        };
        if let Err(response) = self.service.admit(&head, &conn.peer) {
            stats::add(&self.stats.not_admitted);
            return self.turn_away(conn, response, head_len, body_len);
        }
        let expects = head.expects_continue();
        match body_len {
            Some(len) if conn.input.len() >= head_len + len => {
                return self.complete(conn, key, head_len, len, head_len + len);
            }
            Some(len) => conn.reading = Reading::Length { head: head_len, len },
            None => {
                conn.reading =
                    Reading::Chunked { head: head_len, body: 0, decoder: Chunked::new(max as u64) };
            }
        }
        // RFC 9110 10.1.1: no 100 if some of the body has already come.
        if expects && conn.input.len() == head_len {
            if conn.answers.is_empty() {
                self.pool.lend_output(&mut conn.output);
                conn.output.bytes.extend_from_slice(CONTINUE);
            } else {
                conn.answers.push_continue();
            }
        }
        true
    }

    /// The service refuses. Its answer takes its place in the order; the connection stays if the body can be
    /// told apart from the next request.
    fn turn_away(
        &mut self,
        conn: &mut Conn,
        response: Response,
        head_len: usize,
        body_len: Option<usize>,
    ) -> bool {
        let head = RequestHead::new(conn.input.filled(), self.index);
        let mut meta = self.meta(&head);
        // RFC 9110 10.1.1: after a final answer to an expectation nobody knows whether the body comes.
        let unknowable = head.expects_continue() && body_len != Some(0);
        match body_len {
            Some(len) if !unknowable => {
                conn.input.consume(head_len);
                conn.reading = Reading::Skip { left: len };
            }
            _ => meta.close = true,
        }
        conn.restart_phase(self.turn.now.mono);
        self.give(conn, meta, response);
        true
    }

    /// The request is whole: `raw` bytes of the input, of which the body's are `head..head + body`.
    fn complete(&mut self, conn: &mut Conn, key: u32, head_len: usize, body_len: usize, raw: usize) -> bool {
        // The index is shared by all connections: a body that came later needs its head read again.
        if !matches!(conn.reading, Reading::Head { .. }) {
            let again = parse_request(conn.input.filled(), &self.config.head, self.index);
            if again != Step::Done(head_len) {
                return self.refuse(conn, Reason::RequestLine);
            }
        }
        let token = ReplyToken { conn: key, generation: conn.generation(), seq: conn.answers.next_seq() };
        let (head_bytes, rest) = conn.input.filled_mut().split_at_mut(head_len);
        let head = RequestHead::new(head_bytes, self.index);
        let meta = self.meta(&head);
        stats::add(&self.stats.requests);
        let answer = self.service.call(self.turn, token, &head, &mut rest[..body_len]);
        conn.input.consume(raw);
        conn.reading = if meta.close { Reading::Stopped } else { Reading::default() };
        conn.restart_phase(self.turn.now.mono);
        match answer {
            Answer::Now(response) => self.give(conn, meta, response),
            Answer::Later => conn.answers.push_waiting(meta),
        }
        true
    }

    /// The codec refuses: answer and close, since where the next request begins is unknown.
    fn refuse(&mut self, conn: &mut Conn, reason: Reason) -> bool {
        stats::add(&self.stats.refused);
        let meta = Meta { head_only: false, http10: false, close: true };
        conn.restart_phase(self.turn.now.mono);
        self.give(conn, meta, Response::refusal(reason));
        false
    }

    /// The peer was too slow: 408 if it has begun a request.
    pub(super) fn give_up(&mut self, conn: &mut Conn) {
        self.refuse(conn, Reason::Timeout);
    }

    /// Writes an answer, or queues it behind those that are still due.
    fn give(&mut self, conn: &mut Conn, meta: Meta, response: Response) {
        let close = meta.close || response.close;
        if close {
            conn.reading = Reading::Stopped;
        }
        if conn.answers.is_empty() {
            self.pool.lend_output(&mut conn.output);
            conn.closing = answers::write(&mut conn.output.bytes, self.date, meta, &response);
        } else {
            conn.answers.push_ready(meta, response);
        }
    }

    fn meta(&self, head: &RequestHead<'_>) -> Meta {
        Meta {
            head_only: head.method() == Method::Head,
            http10: head.version() == Version::Http10,
            close: !head.persists() || self.stopping,
        }
    }
}

enum Decoded {
    NeedMore { body: usize },
    End { body: usize, raw: usize },
    Bad(Reason),
}

/// Decodes what stands behind `from` in place: body bytes are moved together, framing vanishes. Offsets of
/// the result count from the start of the input.
fn decode(decoder: &mut Chunked, input: &mut Input, from: usize) -> Decoded {
    let bytes = input.filled_mut();
    let (mut body, mut raw) = (from, from);
    loop {
        match decoder.feed(&bytes[raw..]) {
            Progress::Data { at, len } => {
                bytes.copy_within(raw + at..raw + at + len, body);
                body += len;
                raw += at + len;
            }
            Progress::NeedMore => {
                input.truncate(body);
                return Decoded::NeedMore { body };
            }
            Progress::End(n) => return Decoded::End { body, raw: raw + n },
            Progress::Bad(reason) => return Decoded::Bad(reason),
        }
    }
}
