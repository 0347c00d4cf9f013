//! A long row of atomic words, zero at first, whose pages are touched only as they are used.
//!
//! What lives here: [`Words`]. The lock-free rooms keep their slabs in it: records are groups of words
//! reached by index, never freed while the structure lives, so an index that is out of date reads old
//! words and no freed memory. What a word means is the user's business.

use super::atomic::AtomicU64;
use core::ops::Deref;

#[cfg(not(any(loom, shuttle)))]
mod raw {
    use super::AtomicU64;
    use core::alloc::Layout;
    use core::ptr::NonNull;
    use std::alloc::{alloc_zeroed, dealloc, handle_alloc_error};

    /// Records of 8 words then lie in cache lines of their own.
    const ALIGN: usize = 64;

    /// The owner of the memory.
    pub(super) struct Zeroed {
        /// As it was allocated.
        base: NonNull<u8>,
        /// The first word: the first multiple of [`ALIGN`] from `base` on.
        first: NonNull<AtomicU64>,
        len: usize,
    }

    impl Zeroed {
        /// Aligned as a word is, with room to move to a cache line: an allocator asked for more alignment
        /// than its own writes the zeros itself and touches every page, instead of taking fresh ones.
        fn layout(len: usize) -> Option<Layout> {
            let bytes =
                len.checked_mul(size_of::<AtomicU64>())?.checked_add(ALIGN - align_of::<AtomicU64>())?;
            Layout::from_size_align(bytes, align_of::<AtomicU64>()).ok()
        }

        pub(super) fn new(len: usize) -> Self {
            if len == 0 {
                return Self { base: NonNull::dangling(), first: NonNull::dangling(), len };
            }
            let layout = Self::layout(len).expect("a slab fits the address space: its limits are checked");
            #[allow(unsafe_code)]
            // SAFETY: the layout is not empty, for `len` is not 0.
            let bytes = unsafe { alloc_zeroed(layout) };
            let base = NonNull::new(bytes).unwrap_or_else(|| handle_alloc_error(layout));
            #[allow(unsafe_code)]
            // SAFETY: `base` is aligned to a word, so at most `ALIGN` less one word is skipped, which the
            // layout has beyond `len` words.
            let first = unsafe { base.add(base.align_offset(ALIGN)) };
            Self { base, first: first.cast(), len }
        }

        pub(super) const fn words(&self) -> &[AtomicU64] {
            #[allow(unsafe_code)]
            // SAFETY: `first` points to `len` words (or is dangling, aligned and `len` is 0) that live as
            // long as `self`; all-zero bytes are an `AtomicU64`, and all access goes through `&AtomicU64`.
            unsafe {
                core::slice::from_raw_parts(self.first.as_ptr(), self.len)
            }
        }
    }

    impl Drop for Zeroed {
        fn drop(&mut self) {
            if let Some(layout) = Self::layout(self.len).filter(|_| self.len > 0) {
                #[allow(unsafe_code)]
                // SAFETY: `new` allocated it with this layout; words have nothing to drop.
                unsafe {
                    dealloc(self.base.as_ptr(), layout);
                }
            }
        }
    }

    #[allow(unsafe_code)]
    // SAFETY: it owns its memory, and gives out `&AtomicU64` only.
    unsafe impl Send for Zeroed {}
    #[allow(unsafe_code)]
    // SAFETY: as above; atomics may be used from many threads.
    unsafe impl Sync for Zeroed {}
}

#[cfg(any(loom, shuttle))]
mod raw {
    use super::AtomicU64;

    /// A model's atomics must be built one by one.
    pub(super) struct Zeroed(Box<[AtomicU64]>);

    impl Zeroed {
        pub(super) fn new(len: usize) -> Self {
            Self((0..len).map(|_| AtomicU64::new(0)).collect())
        }

        pub(super) fn words(&self) -> &[AtomicU64] {
            &self.0
        }
    }
}

/// Atomic words, all zero at first, in one piece aligned to a cache line.
pub(crate) struct Words(raw::Zeroed);

impl Words {
    /// So many words.
    ///
    /// # Panics
    /// If they do not fit the address space.
    pub(crate) fn new(len: usize) -> Self {
        Self(raw::Zeroed::new(len))
    }

    /// The `index`th record of `N` words, if there is one.
    #[inline]
    pub(crate) fn record<const N: usize>(&self, index: usize) -> Option<&[AtomicU64; N]> {
        self.as_chunks().0.get(index)
    }
}

impl Deref for Words {
    type Target = [AtomicU64];

    #[inline]
    fn deref(&self) -> &[AtomicU64] {
        self.0.words()
    }
}

impl core::fmt::Debug for Words {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} words", self.len())
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use crate::sync::atomic::Ordering;

    #[test]
    fn words_begin_as_zero_and_records_do_not_overlap() {
        let words = Words::new(12);
        // ORDERING: Relaxed; one thread.
        words.record::<4>(1).expect("the second of three")[3].store(7, Ordering::Relaxed);
        let read: Vec<u64> = words.iter().map(|word| word.load(Ordering::Relaxed)).collect();
        assert_eq!(read, [0, 0, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0]);
        assert!(words.record::<4>(3).is_none() && words.record::<4>(usize::MAX).is_none());
        assert!(Words::new(0).is_empty());
    }

    #[cfg(not(shuttle))]
    #[test]
    fn every_row_begins_on_a_cache_line() {
        let rows: Vec<_> = (1..40).map(Words::new).collect();
        for (row, len) in rows.iter().zip(1..) {
            assert_eq!((row.as_ptr().addr() % 64, row.len()), (0, len));
        }
    }
}
