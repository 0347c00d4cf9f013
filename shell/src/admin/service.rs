//! The pages on a listener of their own.

use super::pages::{Audience, Pages};
use crate::http::{RequestHead, Response};
use crate::reactor::{Answer, Deferred, Peer, ReplyToken, Service, Turn};
use std::sync::Arc;

/// Serves [`Pages`] to operators: `/metrics`, the full `/stats`, `/healthz`, `/readyz`, `/health`.
pub struct AdminService {
    pages: Arc<Pages>,
}

impl AdminService {
    /// Serves these pages.
    #[must_use]
    pub const fn new(pages: Arc<Pages>) -> Self {
        Self { pages }
    }
}

impl Service for AdminService {
    fn admit(&mut self, head: &RequestHead<'_>, _: &Peer) -> Result<(), Response> {
        self.pages.admit(head, Audience::Operator)
    }

    fn call(&mut self, turn: &Turn, _: ReplyToken, head: &RequestHead<'_>, _: &mut [u8]) -> Answer {
        Answer::Now(self.pages.answer(turn, head, Audience::Operator))
    }

    fn settle(&mut self, _: &Turn, _: &mut Deferred<'_>) {}
}

#[cfg(test)]
mod tests;
