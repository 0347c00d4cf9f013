//! Lines of tickets: append at the end, walk from the head, strike anywhere.
//!
//! What lives here: [`Lines`], all lines of a matchmaker over one slab of chunks. A line knows entries, not
//! people: whether a ticket is alive is its owner's status word. Only this room uses it.
//!
//! # Shape
//!
//! A line is a list of chunks of 30 cells. Only the last chunk has empty cells; every other one is
//! full. An entry is appended by one compare-and-swap on the first empty cell of the last chunk, so cells
//! are filled in order and the order of the cells *is* the order of the appends. An entry never moves.
//!
//! ```text
//! head -> [dead|next|c c c c] -> [dead|next|c c c c] -> [dead|null|c c . .]
//! ```
//!
//! Whoever kills a ticket strikes its cell (a bit in `dead`), so a walk steps over dead tickets without
//! looking at them. A chunk whose cells are all struck is full, hence not the last unless it has no
//! successor; one with a successor is unlinked: its `next` is marked, so that nothing is linked behind it
//! any more, then its predecessor is swung past it (Harris, *A pragmatic implementation of non-blocking
//! linked-lists*, DISC 2001). Who swings recycles. Walks unlink what they meet; a line that nobody walks is
//! swept by those who append, once for as many new chunks as it had live ones, which bounds its chunks
//! by twice the most that were alive at once.

use super::chunk::{Chunk, Chunks, Link, Place};
use super::walk::{Step, Walk};
use super::word::Entry;
use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::words::Words;

/// Words of a line's root: head, tail, growth; the rest keeps lines apart.
const ROOT: usize = if cfg!(loom) { 3 } else { 8 };

/// Every line, and the chunks they are made of.
#[derive(Debug)]
pub(super) struct Lines {
    chunks: Chunks,
    roots: Words,
}

impl Lines {
    /// `lines` empty lines that hold `tickets` entries at least, however they are spread.
    pub(super) fn new(lines: usize, tickets: u32) -> Self {
        // Worst case: each live ticket alone in its chunk, and an open chunk at the end of each line; some
        // more for threads that hold one in their hands.
        let chunks = tickets as usize + lines + 64;
        let chunks = if cfg!(any(loom, shuttle)) { chunks.min(8) } else { chunks };
        Self { chunks: Chunks::new(chunks), roots: Words::new(lines * ROOT) }
    }

    fn root(&self, line: usize) -> Option<&[AtomicU64; ROOT]> {
        self.roots.record(line)
    }

    /// Appends; `None` if every chunk is in use.
    pub(super) fn append(&self, line: usize, entry: Entry) -> Option<Place> {
        let [head, tail, ..] = self.root(line)?;
        // ORDERING: Relaxed; a hint, checked by generation below.
        let hint = Place(tail.load(Ordering::Relaxed));
        let (mut at, mut cell) = (hint.link(), hint.cell());
        loop {
            let Some(chunk) = self.chunks.get(at) else {
                // The list's beginning, or (only at first) an empty list to begin.
                at = self.first(line, head)?;
                cell = 0;
                continue;
            };
            match self.append_to(chunk, at, cell, entry) {
                Appended::At(place) => {
                    // ORDERING: Relaxed; the hint is checked by whoever takes it.
                    tail.store(place.0 + 1, Ordering::Relaxed);
                    return Some(place);
                }
                Appended::Full => at = self.successor(line, chunk, at)?,
                Appended::Recycled => at = Link(0),
            }
            cell = 0;
        }
    }

    /// Gives a line its first chunk before a model begins, so that each model need not enumerate how.
    #[cfg(loom)]
    pub(super) fn open(&self, line: usize) {
        let opened = self.root(line).and_then(|[head, ..]| self.first(line, head));
        assert!(opened.is_some(), "a chunk for each line of a model");
    }

    /// The first chunk of a line; makes one if there is none yet.
    fn first(&self, line: usize, head: &AtomicU64) -> Option<Link> {
        // ORDERING: Acquire; pairs with the Release that links a chunk. Carries: its words.
        let at = Link(head.load(Ordering::Acquire));
        if at.chunk().is_some() {
            return Some(at);
        }
        self.link_new(line, head, at)
    }

    /// The chunk behind a full one; makes it if there is none. Null if the chunk's life is over.
    fn successor(&self, line: usize, chunk: Chunk<'_>, at: Link) -> Option<Link> {
        // ORDERING: Acquire; pairs with the Release that links a chunk. Carries: its words.
        let next = Link(chunk.next().load(Ordering::Acquire));
        if chunk.dead_in(at).is_none() {
            return Some(Link(0));
        }
        if next.chunk().is_some() {
            return Some(next.unmarked());
        }
        self.link_new(line, chunk.next(), next)
    }

    /// Links a new chunk where `null` stands; a null link if another thread was first.
    fn link_new(&self, line: usize, from: &AtomicU64, null: Link) -> Option<Link> {
        let new = self.chunks.allocate()?;
        // ORDERING: Release on success: whoever follows the link sees the chunk's words as `allocate` left
        // them. Relaxed on failure: nothing is followed.
        // LINEARIZES: the growth of the line.
        match from.compare_exchange(null.0, new.0, Ordering::Release, Ordering::Relaxed) {
            Ok(_) => {
                self.grown(line);
                Some(new)
            }
            Err(_) => {
                // What stands there may be of another life by now, and another line's: begin at the head.
                self.chunks.give_back(new);
                Some(Link(0))
            }
        }
    }

    /// Fills the first empty cell from `from` on.
    fn append_to(&self, chunk: Chunk<'_>, at: Link, from: usize, entry: Entry) -> Appended {
        let empty = Link::null(at.generation()).0;
        for (i, cell) in chunk.cells().iter().enumerate().skip(from) {
            // ORDERING: Acquire; pairs with the Release in `recycle` and of other appends.
            let mut word = cell.load(Ordering::Acquire);
            if word == empty {
                // ORDERING: AcqRel. Release carries the ticket's words and the status that makes it wait:
                // who sees the entry sees them. Acquire: an entry that beat ours is before us in line.
                // LINEARIZES: standing in line; the order of a class is the order of these swaps.
                match cell.compare_exchange(empty, entry.0, Ordering::AcqRel, Ordering::Acquire) {
                    Ok(_) => return Appended::At(Place::new(at, i)),
                    Err(other) => word = other,
                }
            }
            if Entry::of(word).is_none() {
                return Appended::Recycled; // Empty, but in another life.
            }
        }
        Appended::Full
    }

    /// Marks an entry as dead, so that walks pass it without a look. Harmless if it is struck already,
    /// or stands elsewhere by now. O(1).
    pub(super) fn strike(&self, place: Place, entry: Entry) {
        let at = place.link();
        let Some((chunk, cell)) = self.chunks.get(at).and_then(|c| Some((c, c.cells().get(place.cell())?)))
        else {
            return;
        };
        // ORDERING: Relaxed; if the entry stands here it does so in one life only, and the swap below
        // compares the life.
        if cell.load(Ordering::Relaxed) != entry.0 {
            return;
        }
        let bit = 1 << place.cell();
        // ORDERING: Relaxed; compared again by the swap.
        let mut dead = chunk.dead().load(Ordering::Relaxed);
        while dead >> 32 == at.generation() && dead & bit == 0 {
            // ORDERING: Release; pairs with `dead_in`. Carries: the status that says that the ticket is
            // dead. Relaxed on failure: we only try again.
            match chunk.dead().compare_exchange_weak(dead, dead | bit, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => dead = other,
            }
        }
    }

    /// Walks a line from its head.
    pub(super) fn walk(&self, line: usize) -> Walk<'_> {
        Walk::new(&self.chunks, self.root(line).map(|[head, ..]| head))
    }

    /// Counts a new chunk, and sweeps if the line has as many new ones as it had live ones.
    fn grown(&self, line: usize) {
        let Some([_, _, growth, ..]) = self.root(line) else { return };
        // ORDERING: Relaxed, here and below; only a hint of when to sweep. A count that is lost in a race
        // delays a sweep by as many chunks as there are threads.
        let word = growth.load(Ordering::Relaxed);
        let (since, alive) = ((word >> 32) + 1, word & 0xFFFF_FFFF);
        if since < alive + 2 {
            growth.store(since << 32 | alive, Ordering::Relaxed);
        } else {
            growth.store(self.sweep(line), Ordering::Relaxed);
        }
    }

    /// Unlinks every dead chunk; returns how many are left.
    pub(super) fn sweep(&self, line: usize) -> u64 {
        let (mut walk, mut alive) = (self.walk(line), 0);
        loop {
            match walk.enter().map_or(Step::End, |chunk| walk.leave(chunk)) {
                Step::End => return alive,
                Step::Passed => alive += 1,
                Step::Removed => {}
                Step::Again => alive = 0,
            }
        }
    }
}

enum Appended {
    At(Place),
    Full,
    Recycled,
}
