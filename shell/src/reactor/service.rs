//! The contract between the reactor and what it serves.

use super::conn::Conn;
use crate::http::{RequestHead, Response};
use nobat_core::time::{Nanos, Now};
use slab::Slab;
use std::net::SocketAddr;

/// Who sits at the other end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer {
    pub addr: SocketAddr,
    /// Whether the connection is encrypted.
    pub tls: bool,
}

/// One turn of the loop: both clocks, read once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Turn {
    pub now: Now,
}

/// Names one request of one connection. It may be kept for ever: when the connection is gone, or the
/// request was
/// answered, an answer to it is ignored.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct ReplyToken {
    pub(super) conn: u32,
    pub(super) generation: u32,
    pub(super) seq: u32,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Answer {
    /// Answered at once.
    Now(Response),
    /// Answered later through [`Deferred::answer`], from [`Service::settle`].
    Later,
}

/// What is served. One instance a reactor, so nothing here needs a lock.
pub trait Service {
    /// Before the body is read: answer early (path, method, secret, length) or let it come. Called once a
    /// request. An early answer keeps the connection if the body can be skipped.
    ///
    /// # Errors
    /// The response, if the body is not wanted: a refusal, or the answer to OPTIONS.
    fn admit(&mut self, head: &RequestHead<'_>, peer: &Peer) -> Result<(), Response>;

    /// One complete request, in order of arrival on its connection. `body` is decoded (no chunks) and may be
    /// rewritten in place.
    fn call(&mut self, turn: &Turn, token: ReplyToken, head: &RequestHead<'_>, body: &mut [u8]) -> Answer;

    /// After the requests of a turn, and after each wake-up: hand in what is due. Called at least once a turn.
    fn settle(&mut self, turn: &Turn, out: &mut Deferred<'_>);

    /// When `settle` must be called even if nothing happens. An instant in the past makes the next turn
    /// follow at once.
    fn poll_timeout(&self) -> Option<Nanos> {
        None
    }
}

/// Where answers given later are handed in.
pub struct Deferred<'a> {
    pub(super) conns: &'a mut Slab<Conn>,
    pub(super) dirty: &'a mut Vec<usize>,
}

impl Deferred<'_> {
    /// Answers the request that `token` names. False if nobody waits for it any more.
    pub fn answer(&mut self, token: ReplyToken, response: Response) -> bool {
        let key = token.conn as usize;
        let Some(conn) = self.conns.get_mut(key).filter(|conn| conn.generation() == token.generation) else {
            return false;
        };
        if !conn.answer(token.seq, response) {
            return false;
        }
        if conn.mark_dirty() {
            self.dirty.push(key);
        }
        true
    }
}
