//! Walking a line: every live entry, oldest first, while others append, strike and recycle.
//!
//! What lives here: [`Walk`]. It unlinks the dead chunks that it meets. Only this room uses it.

use super::chunk::{ALL, Chunk, Chunks, Link, Place};
use super::word::Entry;
use crate::sync::atomic::{AtomicU64, Ordering};

/// How a chunk was left.
pub(super) enum Step {
    End,
    Passed,
    Removed,
    Again,
}

/// A walk over the entries of a line that are not struck, oldest first. It begins anew when the ground
/// is recycled under it, so an entry may be seen twice; none that stood in line before the walk began is
/// missed while it lives.
pub(super) struct Walk<'a> {
    chunks: &'a Chunks,
    root: Option<&'a AtomicU64>,
    /// The chunk whose `next` led here; the root if none.
    from: Option<Chunk<'a>>,
    at: Link,
    /// The chunk that `at` leads to, once it is entered.
    chunk: Option<Chunk<'a>>,
    /// Cells of it still to look at.
    left: u64,
}

impl<'a> Walk<'a> {
    /// From the chunk that `root` leads to.
    pub(super) const fn new(chunks: &'a Chunks, root: Option<&'a AtomicU64>) -> Self {
        Self { chunks, root, from: None, at: Link(0), chunk: None, left: 0 }
    }

    fn restart(&mut self) {
        (self.from, self.at, self.chunk) = (None, Link(0), None);
    }

    /// Enters a chunk: the first if none was entered yet.
    #[inline]
    pub(super) fn enter(&mut self) -> Option<Chunk<'a>> {
        while self.chunk.is_none() {
            if self.at.chunk().is_none() {
                // ORDERING: Acquire; pairs with the Release that linked the chunk.
                self.at = Link(self.root?.load(Ordering::Acquire));
            }
            let chunk = self.chunks.get(self.at)?;
            match chunk.dead_in(self.at) {
                Some(dead) => (self.chunk, self.left) = (Some(chunk), !dead & ALL),
                None => self.restart(),
            }
        }
        self.chunk
    }

    /// The next entry and where it stands.
    #[inline]
    pub(super) fn next_entry(&mut self) -> Option<(Place, Entry)> {
        loop {
            let chunk = self.enter()?;
            let left = self.left;
            if left == 0 {
                if matches!(self.leave(chunk), Step::End) {
                    return None;
                }
                continue;
            }
            self.left = left & (left - 1);
            let cell = left.trailing_zeros() as usize;
            // ORDERING: Acquire; pairs with the append. Carries: the ticket's words and its status.
            let word = chunk.cells()[cell].load(Ordering::Acquire);
            if let Some(entry) = Entry::of(word) {
                // An entry of the chunk's next life would be served before those whom the walk has not seen yet.
                if chunk.dead_in(self.at).is_none() {
                    self.restart();
                    continue;
                }
                return Some((Place::new(self.at, cell), entry));
            }
            if word == Link::null(self.at.generation()).0 {
                return None; // Cells are filled in order, and only the last chunk has empty ones.
            }
            self.restart();
        }
    }

    /// Leaves a chunk for its successor, and unlinks it if all its tickets are dead.
    pub(super) fn leave(&mut self, chunk: Chunk<'a>) -> Step {
        // ORDERING: Acquire; pairs with the Release that linked the successor.
        let mut next = Link(chunk.next().load(Ordering::Acquire));
        let Some(dead) = chunk.dead_in(self.at) else {
            self.restart();
            return Step::Again;
        };
        if next.chunk().is_none() {
            return Step::End;
        }
        let at = core::mem::replace(&mut self.at, next.unmarked());
        self.chunk = None;
        if dead != ALL {
            self.from = Some(chunk);
            return Step::Passed;
        }
        if !next.marked() {
            // ORDERING: AcqRel; nothing is carried, but the mark must be seen by whoever unlinks the
            // successor, which the single order of swaps on this word gives. A non-null `next` changes by
            // this mark only: if we lose, it is set.
            let marked =
                chunk.next().compare_exchange(next.0, next.mark().0, Ordering::AcqRel, Ordering::Acquire);
            next = Link(marked.map_or_else(|now| now, |_| next.mark().0));
            if next.unmarked() != self.at {
                self.restart(); // The life has ended meanwhile.
                return Step::Again;
            }
        }
        let Some(from) = self.from.map(Chunk::next).or(self.root) else { return Step::End };
        // ORDERING: AcqRel; Release passes on the successor's words, which we acquired above.
        // LINEARIZES: the removal of the chunk; the one who succeeds owns it.
        if from.compare_exchange(at.0, next.unmarked().0, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.chunks.recycle(at);
            Step::Removed
        } else {
            self.restart();
            Step::Again
        }
    }
}
