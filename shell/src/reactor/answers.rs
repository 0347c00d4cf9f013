//! The answers of one connection, in the order of its requests.

use crate::http::{CONTINUE, HttpDate, Keep, Response};
use std::collections::VecDeque;

/// What must be known of a request when its answer is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meta {
    /// An answer to HEAD has no body.
    pub(super) head_only: bool,
    /// To HTTP/1.0 a connection that stays must be announced.
    pub(super) http10: bool,
    /// The connection ends with this answer.
    pub(super) close: bool,
}

#[derive(Debug)]
enum Slot {
    Waiting(Meta),
    Ready(Meta, Response),
    /// The interim `100 Continue` behind earlier answers.
    Continue,
}

/// The queue. The first slot stands inline: a connection with one request in flight allocates nothing.
#[derive(Default, Debug)]
pub(super) struct Answers {
    first: Option<Slot>,
    rest: VecDeque<Slot>,
    /// The number of the first slot; the next request's is this plus the length.
    base: u32,
}

impl Answers {
    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.rest.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    /// The number of the next request.
    pub(super) fn next_seq(&self) -> u32 {
        self.base.wrapping_add(self.len() as u32)
    }

    pub(super) fn push_waiting(&mut self, meta: Meta) {
        self.push(Slot::Waiting(meta));
    }

    pub(super) fn push_ready(&mut self, meta: Meta, response: Response) {
        self.push(Slot::Ready(meta, response));
    }

    pub(super) fn push_continue(&mut self) {
        self.push(Slot::Continue);
    }

    fn push(&mut self, slot: Slot) {
        if self.first.is_none() {
            self.first = Some(slot);
        } else {
            self.rest.push_back(slot);
        }
    }

    /// Fills the slot `seq`, if it still waits.
    pub(super) fn fill(&mut self, seq: u32, response: Response) -> bool {
        let slot = match seq.wrapping_sub(self.base) as usize {
            0 => self.first.as_mut(),
            n => self.rest.get_mut(n - 1),
        };
        match slot {
            Some(slot @ Slot::Waiting(_)) => {
                let Slot::Waiting(meta) = *slot else { return false };
                *slot = Slot::Ready(meta, response);
                true
            }
            _ => false,
        }
    }

    /// Writes what is ready at the front. True if the connection must be closed after it; what stood
    /// behind is dropped then. `closing` makes every answer the last.
    pub(super) fn emit(&mut self, out: &mut Vec<u8>, date: &HttpDate, closing: bool) -> bool {
        while let Some(slot) = self.first.take_if(|slot| !matches!(slot, Slot::Waiting(_))) {
            self.base = self.base.wrapping_add(1);
            self.first = self.rest.pop_front();
            match slot {
                Slot::Continue => out.extend_from_slice(CONTINUE),
                Slot::Ready(meta, response) => {
                    // At a graceful stop the requests already read are still answered: the last one closes.
                    let meta = Meta { close: meta.close || closing && self.is_empty(), ..meta };
                    if write(out, date, meta, &response) {
                        self.clear();
                        return true;
                    }
                }
                Slot::Waiting(_) => {}
            }
        }
        false
    }

    fn clear(&mut self) {
        self.base = self.next_seq();
        self.first = None;
        self.rest.clear();
    }
}

/// Writes one answer; true if the connection must be closed after it.
pub(super) fn write(out: &mut Vec<u8>, date: &HttpDate, meta: Meta, response: &Response) -> bool {
    let close = meta.close || response.close;
    let keep = match (close, meta.http10) {
        (true, _) => Keep::Close,
        (false, true) => Keep::Say,
        (false, false) => Keep::Silent,
    };
    response.write(out, date, keep, meta.head_only);
    close
}
