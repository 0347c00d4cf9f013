//! Loading: an image becomes the state it was folded from.
//!
//! What lives here: [`Engine::load`], called block by block before the journal behind the image is replayed,
//! and [`Engine::loaded`], called once in between: single-threaded, before intake. [`count`] is for people.

use super::cell::Cell;
use super::image::{self, Item};
use super::step::RELAYED;
use super::ties::Ties;
use super::{Corrupt, Detached, Engine, Open, ReachFact, Recovered};
use crate::envelope::Conversation;
use crate::record::{Malformed, Reader, Record as _};
use core::sync::atomic::Ordering::Relaxed;

/// What an image holds, for people.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Counts {
    /// Users.
    pub users: u64,
    /// Envelopes without an end.
    pub envelopes: u64,
    /// Pages of seen update ids.
    pub pages: u64,
}

/// Counts what the blocks of an image hold, of whatever kinds.
///
/// # Errors
/// [`Malformed`] if they are no image.
pub fn count<'a>(blocks: impl Iterator<Item = &'a [u8]>) -> Result<Counts, Malformed> {
    let mut counts = Counts::default();
    for block in blocks {
        let mut r = Reader::new(block);
        while !r.is_empty() {
            match image::item(&mut r)? {
                Item::Page { .. } => counts.pages += 1,
                Item::Pairs { .. } => {}
                Item::User { .. } => counts.users += 1,
                Item::Envelope(_) => counts.envelopes += 1,
            }
        }
    }
    Ok(counts)
}

impl Engine<Detached> {
    /// Takes over one block of an image.
    ///
    /// # Errors
    /// [`Corrupt`] if it is none, or of a kind that is not configured; the process must not serve then.
    pub fn load(&self, into: &mut Recovered, block: &[u8]) -> Result<(), Corrupt> {
        let mut r = Reader::new(block);
        while !r.is_empty() {
            match image::item(&mut r).map_err(Corrupt::Image)? {
                Item::Page { kind, lane, number, bits } => {
                    let kind = self.kinds.get(kind.index()).ok_or(Corrupt::ImageKind(kind))?;
                    // As in replay: a lane that is no longer configured is not asked again.
                    if let Some(seen) = kind.seen.get(lane.index()) {
                        seen.lock().restore(number, bits);
                    }
                }
                Item::Pairs { kind, last } => {
                    let kind = self.kinds.get(kind.index()).ok_or(Corrupt::ImageKind(kind))?;
                    if let Some(pairs) = &kind.pairs {
                        pairs.was_given(last);
                    }
                }
                Item::User { who, version, state, ties, reach } => {
                    self.known(who)?;
                    let ties = match ties {
                        [] => None,
                        ties => Some(Box::new(Ties::from_bytes(ties).map_err(Corrupt::Image)?)),
                    };
                    let cell = self.cells.of(who);
                    *cell.lock() = Cell { state: state.into(), version, ties, ..Cell::default() };
                    for (lane, reached) in reach {
                        into.learn(ReachFact { kind: who.kind, user: who.user, lane, reached });
                    }
                }
                Item::Envelope(envelope) => {
                    self.known(envelope.conversation)?;
                    into.pending.insert(envelope.id, envelope);
                }
            }
        }
        Ok(())
    }

    /// After the last block: envelopes take their places in the queues in the order in which they were
    /// asked for, which is that of their ids and not that of the image.
    pub fn loaded(&self, into: &Recovered) {
        for envelope in into.pending.values().filter(|envelope| envelope.id.index() < RELAYED) {
            let kind = &self.kinds[envelope.conversation.kind.index()];
            let stamp = kind.load.stamp(envelope);
            self.cells.of(envelope.conversation).lock().open.push(Open::of(envelope, stamp));
        }
        self.pending.fetch_add(into.pending.len() as u64, Relaxed);
    }

    fn known(&self, who: Conversation) -> Result<(), Corrupt> {
        if who.kind.index() < self.kinds.len() { Ok(()) } else { Err(Corrupt::ImageKind(who.kind)) }
    }
}
