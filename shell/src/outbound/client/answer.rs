//! Reading one answer: the same code for the reactor's client and the blocking one.

use crate::http::{
    Chunked, Framing, HeadLimits, Method, Progress, Reason, ResponseHead, ResponseIndex, Step, parse_response,
};

/// A complete answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Answer {
    pub status: u16,
    /// Seconds, from the Retry-After field.
    pub retry_after: Option<u32>,
    pub body: Vec<u8>,
}

/// Bounds of an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnswerLimits {
    pub head: HeadLimits,
    /// Decoded body, in bytes.
    pub body_bytes: usize,
}

impl Default for AnswerLimits {
    fn default() -> Self {
        Self { head: HeadLimits::default(), body_bytes: 4 << 20 }
    }
}

#[derive(Debug)]
enum State {
    Head,
    Length(u64),
    Chunked(Chunked),
    UntilClose,
}

/// The reader of one answer.
#[derive(Debug)]
pub(super) struct AnswerReader {
    state: State,
    method: Method,
    status: u16,
    retry_after: Option<u32>,
    persists: bool,
    body: Vec<u8>,
}

/// What a call of [`AnswerReader::feed`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fed {
    /// So many bytes are used; more are needed.
    NeedMore(usize),
    /// So many bytes are used; the answer is complete.
    Done(usize),
    Bad(Reason),
}

impl AnswerReader {
    /// Reads an answer to `method` into `body`, which is emptied first.
    pub(super) fn new(method: Method, mut body: Vec<u8>) -> Self {
        body.clear();
        Self { state: State::Head, method, status: 0, retry_after: None, persists: false, body }
    }

    /// Whether the connection may be used again after the answer.
    pub(super) fn persists(&self) -> bool {
        self.persists
    }

    pub(super) fn into_answer(self) -> Answer {
        Answer { status: self.status, retry_after: self.retry_after, body: self.body }
    }

    /// Gives back the buffer of an answer that did not come.
    pub(super) fn into_body(self) -> Vec<u8> {
        self.body
    }

    /// The peer closed: complete only if the close is what ends the body (RFC 9112 6.3, 8).
    pub(super) fn is_complete_at_close(&self) -> bool {
        matches!(self.state, State::UntilClose)
    }

    /// Goes on with all the bytes not yet used.
    pub(super) fn feed(&mut self, bytes: &[u8], limits: &AnswerLimits, index: &mut ResponseIndex) -> Fed {
        let mut used = 0;
        loop {
            let rest = &bytes[used..];
            match &mut self.state {
                State::Head => match parse_response(rest, &limits.head, self.method, index) {
                    Step::NeedMore => return Fed::NeedMore(used),
                    Step::Bad(reason) => return Fed::Bad(reason),
                    Step::Done(n) => {
                        used += n;
                        if let Some(fed) = self.head(&ResponseHead::new(rest, index), limits, used) {
                            return fed;
                        }
                    }
                },
                State::Length(left) => {
                    let n = usize::try_from(*left).unwrap_or(usize::MAX).min(rest.len());
                    self.body.extend_from_slice(&rest[..n]);
                    *left -= n as u64;
                    return if *left == 0 { Fed::Done(used + n) } else { Fed::NeedMore(used + n) };
                }
                State::Chunked(decoder) => match decoder.feed(rest) {
                    Progress::Data { at, len } => {
                        self.body.extend_from_slice(&rest[at..at + len]);
                        used += at + len;
                    }
                    Progress::NeedMore => return Fed::NeedMore(bytes.len()),
                    Progress::End(n) => return Fed::Done(used + n),
                    Progress::Bad(reason) => return Fed::Bad(reason),
                },
                State::UntilClose => {
                    if self.body.len() + rest.len() > limits.body_bytes {
                        return Fed::Bad(Reason::BodyTooLarge);
                    }
                    self.body.extend_from_slice(rest);
                    return Fed::NeedMore(bytes.len());
                }
            }
        }
    }

    fn head(&mut self, head: &ResponseHead<'_>, limits: &AnswerLimits, used: usize) -> Option<Fed> {
        self.status = head.status().0;
        // RFC 9110 15.2: any number of interim responses may precede the final one; 101 was not asked for.
        if self.status == 101 {
            return Some(Fed::Bad(Reason::StatusLine));
        }
        if self.status < 200 {
            return None;
        }
        self.retry_after = head.retry_after();
        self.persists = head.persists();
        self.state = match head.framing() {
            Framing::None | Framing::Length(0) => return Some(Fed::Done(used)),
            Framing::Length(len) if len > limits.body_bytes as u64 => {
                return Some(Fed::Bad(Reason::BodyTooLarge));
            }
            Framing::Length(len) => State::Length(len),
            Framing::Chunked => State::Chunked(Chunked::new(limits.body_bytes as u64)),
            Framing::UntilClose => State::UntilClose,
        };
        None
    }
}
