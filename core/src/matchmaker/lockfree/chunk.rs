//! The chunks that lines are made of: their words, their lives, and the stack of those at rest.
//!
//! What lives here: [`Chunks`], the slab; [`Link`] and [`Place`], which name a chunk and a cell in one life
//! of the chunk; [`Chunk`], the words of one. What a line makes of them is `line`'s business.
//!
//! ```text
//! link    63 .. 32 generation | 30 .. 1 chunk + 1 (0: null) | 0 mark
//! free    the `next` of a chunk at rest: 63 .. 32 generation | 31: 1 | 30 .. 1 chunk + 1 | 0
//! dead    63 .. 32 generation | 29 .. 0 struck cells
//! cell    an entry (lowest bits 01), or empty: 63 .. 32 generation | 0
//! place   63 .. 32 generation | 31 .. 5 chunk + 1 | 4 .. 0 cell
//! ```
//!
//! # Generations
//!
//! Chunks are recycled and never freed. Each life of a chunk has a generation, and it is in every word
//! that a late thread might write: a swap prepared in one life fails in the next. A reader who follows
//! a link compares the chunk's generation before and after he reads, and starts over if it has changed.
//! Entries carry their ticket's number, so even an entry read in the wrong life names a ticket that its
//! owner's words confirm or deny. A generation has 32 bits: a thread would have to sleep through exactly
//! 2^32 lives of one chunk, 10^11 tickets, to be deceived.

use crate::sync::atomic::{AtomicU64, Ordering};
use crate::sync::words::Words;

/// Cells of a chunk: with its two head words it fills four cache lines. Two under loom, so that models
/// reach the next chunk.
pub(super) const CELLS: usize = if cfg!(loom) { 2 } else { 30 };
const WORDS: usize = CELLS + 2;
pub(super) const ALL: u64 = (1 << CELLS) - 1;
/// The chunk of a link.
const CHUNK: u64 = 0x7FFF_FFFE;
/// Says that `next` belongs to the free stack: such a word equals no link of any line.
const FREE: u64 = 1 << 31;

/// A chunk in one of its lives; or null.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Link(pub(super) u64);

impl Link {
    pub(super) const fn to(chunk: usize, generation: u64) -> Self {
        Self(generation << 32 | (chunk as u64 + 1) << 1)
    }

    /// The end of the list, as written in a chunk of this life.
    pub(super) const fn null(generation: u64) -> Self {
        Self(generation << 32)
    }

    pub(super) const fn generation(self) -> u64 {
        self.0 >> 32
    }

    pub(super) const fn chunk(self) -> Option<usize> {
        match (self.0 & CHUNK) >> 1 {
            0 => None,
            chunk => Some(chunk as usize - 1),
        }
    }

    pub(super) const fn marked(self) -> bool {
        self.0 & 1 == 1
    }

    pub(super) const fn mark(self) -> Self {
        Self(self.0 | 1)
    }

    pub(super) const fn unmarked(self) -> Self {
        Self(self.0 & !1)
    }
}

/// Where an entry stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Place(pub(super) u64);

impl Place {
    pub(super) fn new(at: Link, cell: usize) -> Self {
        Self(at.generation() << 32 | at.chunk().map_or(0, |chunk| chunk as u64 + 1) << 5 | cell as u64)
    }

    /// The chunk's link; null for the zero word.
    pub(super) fn link(self) -> Link {
        Link(self.0 >> 32 << 32 | (self.0 & 0xFFFF_FFFF) >> 5 << 1)
    }

    pub(super) const fn cell(self) -> usize {
        (self.0 & 31) as usize
    }
}

/// One chunk's words.
#[derive(Clone, Copy)]
pub(super) struct Chunk<'a>(&'a [AtomicU64; WORDS]);

impl<'a> Chunk<'a> {
    pub(super) const fn dead(self) -> &'a AtomicU64 {
        &self.0[0]
    }

    pub(super) const fn next(self) -> &'a AtomicU64 {
        &self.0[1]
    }

    pub(super) fn cells(self) -> &'a [AtomicU64] {
        &self.0[2..]
    }

    /// The struck cells, if the chunk still lives the life that `at` means.
    #[inline]
    pub(super) fn dead_in(self, at: Link) -> Option<u64> {
        // ORDERING: Acquire; pairs with the Release in `recycle` (who sees a new generation sees that the
        // old life is over) and in `strike`.
        let dead = self.dead().load(Ordering::Acquire);
        (dead >> 32 == at.generation()).then_some(dead & ALL)
    }
}

/// Every chunk.
#[derive(Debug)]
pub(super) struct Chunks {
    words: Words,
    /// Recycled chunks, as a stack: 63 .. 32 changes | 30 .. 1 chunk + 1.
    free: AtomicU64,
    /// Chunks from here on were never used.
    fresh: AtomicU64,
}

impl Chunks {
    pub(super) fn new(chunks: usize) -> Self {
        Self { words: Words::new(chunks * WORDS), free: AtomicU64::new(0), fresh: AtomicU64::new(0) }
    }

    /// The chunk that a link leads to; `None` for null.
    pub(super) fn get(&self, at: Link) -> Option<Chunk<'_>> {
        self.words.record(at.chunk()?).map(Chunk)
    }

    /// A chunk for us alone: no cell filled, none struck, no successor.
    pub(super) fn allocate(&self) -> Option<Link> {
        loop {
            // ORDERING: Acquire; pairs with the Release in `give_back`. Carries: the chunk's words.
            let free = self.free.load(Ordering::Acquire);
            let top = Link(free & CHUNK);
            let Some(chunk) = self.get(top) else { break };
            // ORDERING: Relaxed; if another thread took the chunk since, the swap fails by the count.
            let below = chunk.next().load(Ordering::Relaxed) & CHUNK;
            let swung = (free >> 32).wrapping_add(1) << 32 | below;
            // ORDERING: AcqRel: Acquire as above, Release keeps the chain for the next taker. Relaxed on
            // failure: we begin again.
            if self.free.compare_exchange_weak(free, swung, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
                // ORDERING: Relaxed; ours alone until it is linked by a Release.
                let generation = chunk.dead().load(Ordering::Relaxed) >> 32;
                // ORDERING: Release; a late reader of the former life who sees this word sees the new
                // generation, too.
                chunk.next().store(Link::null(generation).0, Ordering::Release);
                return Link(top.0 | generation << 32).into();
            }
        }
        // ORDERING: Relaxed; a count, nothing is carried: fresh chunks are zero since the beginning.
        let mut fresh = self.fresh.load(Ordering::Relaxed);
        while (fresh as usize) < self.words.len() / WORDS {
            // ORDERING: Relaxed, as above.
            match self.fresh.compare_exchange_weak(fresh, fresh + 1, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return Some(Link::to(fresh as usize, 0)),
                Err(other) => fresh = other,
            }
        }
        None
    }

    /// Ends a life: called once, by the thread that unlinked the chunk.
    pub(super) fn recycle(&self, at: Link) {
        let Some(chunk) = self.get(at) else { return };
        let generation = (at.generation() + 1) & 0xFFFF_FFFF;
        // ORDERING: Release; pairs with `dead_in`. It comes before the cells are emptied, each of which is
        // a Release: who reads a cell of the new life and then `dead` sees the new generation.
        chunk.dead().store(generation << 32, Ordering::Release);
        for cell in chunk.cells() {
            cell.store(Link::null(generation).0, Ordering::Release);
        }
        self.give_back(Link(at.0 & CHUNK | generation << 32));
    }

    /// Puts an unused chunk on the free stack.
    pub(super) fn give_back(&self, at: Link) {
        let Some(chunk) = self.get(at) else { return };
        // ORDERING: Relaxed; the swap compares it.
        let mut free = self.free.load(Ordering::Relaxed);
        loop {
            // ORDERING: Release; as in `allocate`: a late reader sees the new generation with it.
            chunk.next().store(at.generation() << 32 | FREE | free & CHUNK, Ordering::Release);
            let swung = (free >> 32).wrapping_add(1) << 32 | at.0 & CHUNK;
            // ORDERING: Release; pairs with the Acquire in `allocate`. Carries: the chunk's words.
            match self.free.compare_exchange_weak(free, swung, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return,
                Err(other) => free = other,
            }
        }
    }
}
