//! A bounded ring from many producers to one consumer, with admission before the push.
//!
//! What lives here: [`ring`], which gives a [`Producer`] (cloned freely) and the one [`Consumer`]; and the
//! [`Reservation`], without which nothing can be pushed. The engine pushes frames, the journal's writer
//! pops them. It must not know what it carries, and it has no thread: the consumer brings its own way
//! of being woken.
//!
//! **Admission.** A reservation holds slots and bytes out of a common budget. Whoever has one can push
//! without failing and without waiting; whoever gets none is told so at the door. Slots and bytes come
//! back when the consumer calls [`Consumer::release`], not when it pops: what is in the hands of the
//! disk still counts as memory in use.
//!
//! **Positions.** A push takes the next position: dense, rising, decided by one `fetch_add`. The consumer
//! sees items in the order of their positions.
//!
//! **Progress.** `try_reserve` is lock-free, `push` is wait-free. The whole is *not* lock-free: a producer
//! preempted between taking its position and filling its slot stalls the consumer at that slot until it
//! runs again. The design is Vyukov's bounded queue with its failure path moved to the reservation.
//!
//! **Why a slot is free when its position is taken.** Let `n` slots exist. The pushes of positions `0..=p`
//! were paid for with `p + 1` reservations out of `n` slots, so before the last of these reservations the
//! consumer had released at least `p + 1 - n` items, and since it releases in order, item `p - n` among
//! them. That reservation's Acquire read the release (every later change of the word is a
//! read-modify-write and continues its release sequence), it happened before its own `fetch_add` of the
//! tail, and those form one AcqRel chain up to position `p`. So the slot was emptied before it is filled.

// This room holds the crate's only unsafe code; each block states what makes it sound.
#![allow(unsafe_code)]

use super::atomic::{AtomicBool, AtomicU64, Ordering, fence};
use super::cell::{Arc, UnsafeCell};
use core::mem::{self, MaybeUninit};
use crossbeam_utils::CachePadded;
use std::sync::OnceLock;

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;

/// Slots of one ring, at most: 24 bits of the admission word.
pub const SLOTS_MAX: usize = (1 << 24) - 1;

/// Bytes of one ring's budget, at most: 40 bits of the admission word (1 TiB).
pub const BYTES_MAX: u64 = (1 << BYTES_BITS) - 1;

const BYTES_BITS: u32 = 40;

/// What the consumer is woken with.
type Waker = Box<dyn Fn() + Send + Sync>;

/// A position's place. `stamp` is 0 while it is empty and `position + 1` once it is filled.
struct Slot<T> {
    stamp: AtomicU64,
    /// The item, and the bytes its reservation holds.
    content: UnsafeCell<MaybeUninit<(T, u64)>>,
}

struct Shared<T> {
    /// The next position.
    tail: CachePadded<AtomicU64>,
    /// Free slots in the upper 24 bits, free bytes in the lower 40. Changed by read-modify-write only.
    room: CachePadded<AtomicU64>,
    /// The consumer has announced that it goes to sleep.
    asleep: CachePadded<AtomicBool>,
    waker: OnceLock<Waker>,
    /// A power of two of them, at least as many as may be reserved.
    slots: Box<[Slot<T>]>,
}

// SAFETY: a slot's content is touched by the producer that owns its position (until it stamps the slot)
// and then by the one consumer (until it releases the slot); the module doc shows that the two never
// overlap. Items move between threads, hence `T: Send`; no `&T` is shared, so `T: Sync` is not needed.
unsafe impl<T: Send> Send for Shared<T> {}
// SAFETY: as above.
unsafe impl<T: Send> Sync for Shared<T> {}

/// Makes a ring of `capacity` items and `byte_budget` bytes whose first push gets `first_position`.
///
/// # Panics
/// If `capacity` is 0 or over [`SLOTS_MAX`], or `byte_budget` is over [`BYTES_MAX`]: both come from a
/// checked configuration.
#[must_use]
pub fn ring<T>(capacity: usize, byte_budget: u64, first_position: u64) -> (Producer<T>, Consumer<T>) {
    assert!((1..=SLOTS_MAX).contains(&capacity), "ring capacity {capacity} is not in 1..={SLOTS_MAX}");
    assert!(byte_budget <= BYTES_MAX, "ring byte budget {byte_budget} is over {BYTES_MAX}");
    let empty = || Slot { stamp: AtomicU64::new(0), content: UnsafeCell::new(MaybeUninit::uninit()) };
    let shared = Arc::new(Shared {
        tail: CachePadded::new(AtomicU64::new(first_position)),
        room: CachePadded::new(AtomicU64::new(pack(capacity as u64, byte_budget))),
        asleep: CachePadded::new(AtomicBool::new(false)),
        waker: OnceLock::new(),
        slots: (0..capacity.next_power_of_two()).map(|_| empty()).collect(),
    });
    (Producer { shared: shared.clone() }, Consumer { shared, head: first_position, held: 0 })
}

const fn pack(slots: u64, bytes: u64) -> u64 {
    slots << BYTES_BITS | bytes
}

impl<T> Shared<T> {
    fn slot(&self, position: u64) -> &Slot<T> {
        // The length is a power of two, so the mask is the remainder.
        &self.slots[position as usize & (self.slots.len() - 1)]
    }

    fn give_back(&self, slots: u64, bytes: u64) {
        // Neither half can carry into the other: no more comes back than was taken.
        // ORDERING: Release; pairs with the Acquire in try_reserve. Carries: the slots emptied by pop.
        self.room.fetch_add(pack(slots, bytes), Ordering::Release);
    }

    fn fill(&self, item: T, bytes: u64) -> u64 {
        // LINEARIZES: the push; positions are the order of these additions.
        // ORDERING: AcqRel; pairs with itself. Carries: the release of this slot, acquired by whichever
        // producer's reservation it was that needed it (module doc).
        let position = self.tail.fetch_add(1, Ordering::AcqRel);
        let slot = self.slot(position);
        slot.content.with_mut(|content| {
            // SAFETY: this position is ours alone, and the module doc shows that the consumer has
            // emptied and released the slot before we got here.
            unsafe { (*content).write((item, bytes)) };
        });
        // ORDERING: Release; pairs with the Acquire in Consumer::ready. Carries: the content.
        slot.stamp.store(position + 1, Ordering::Release);
        self.ring_bell();
        position
    }

    /// Wakes the consumer if it announced its sleep.
    fn ring_bell(&self) {
        // ORDERING: SeqCst fence; pairs with the one in Consumer::doze. Either our load sees `asleep`, or
        // the consumer's second look sees our stamp: the wake-up cannot be lost.
        fence(Ordering::SeqCst);
        // ORDERING: Relaxed is enough for both; the fence orders the load, and the exchange only elects the
        // one producer that wakes.
        let asleep = &self.asleep;
        if asleep.load(Ordering::Relaxed)
            && asleep.compare_exchange(true, false, Ordering::Relaxed, Ordering::Relaxed).is_ok()
            && let Some(wake) = self.waker.get()
        {
            wake();
        }
    }
}

impl<T> Drop for Shared<T> {
    fn drop(&mut self) {
        for slot in &self.slots {
            // ORDERING: Relaxed; the last handle is gone, and its Arc has synchronized with us.
            if slot.stamp.load(Ordering::Relaxed) != 0 {
                // SAFETY: the stamp says filled and not popped, and nobody else is left.
                slot.content.with_mut(|content| unsafe { (*content).assume_init_drop() });
            }
        }
    }
}

/// The pushing end. Clones push into the same ring.
pub struct Producer<T> {
    shared: Arc<Shared<T>>,
}

impl<T> Clone for Producer<T> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

impl<T> Producer<T> {
    /// One slot and `bytes` bytes, or `None` if the ring has not that much room now.
    #[must_use]
    pub fn try_reserve(&self, bytes: u64) -> Option<Reservation<'_, T>> {
        self.try_reserve_slots(1, bytes)
    }

    /// `slots` slots and `bytes` bytes together, all or nothing. Lock-free.
    #[must_use]
    pub fn try_reserve_slots(&self, slots: u32, bytes: u64) -> Option<Reservation<'_, T>> {
        let room = &self.shared.room;
        // ORDERING: Relaxed; only a guess for the exchange.
        let mut now = room.load(Ordering::Relaxed);
        loop {
            let (free_slots, free_bytes) = (now >> BYTES_BITS, now & BYTES_MAX);
            if u64::from(slots) > free_slots || bytes > free_bytes {
                return None;
            }
            let left = pack(free_slots - u64::from(slots), free_bytes - bytes);
            // LINEARIZES: the admission.
            // ORDERING: Acquire; pairs with the Release in give_back. Carries: emptied slots.
            match room.compare_exchange_weak(now, left, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => return Some(Reservation { shared: &self.shared, slots, bytes }),
                Err(seen) => now = seen,
            }
        }
    }

    /// Pushes `item` and gives its position. Never fails, never waits. What the reservation holds beyond
    /// one slot is given back.
    ///
    /// # Panics
    /// If the reservation has no slot left (all were split off): a bug of the caller.
    pub fn push(&self, reservation: Reservation<'_, T>, item: T) -> u64 {
        reservation.push(item)
    }

    /// The position after the last push that was completed or started: the next one's. It covers every
    /// push that happened before this call. An answer that depends on others' pushes must wait until all
    /// positions below it are durable.
    #[must_use]
    pub fn tail(&self) -> u64 {
        // ORDERING: Relaxed; a push that happened before this call is seen by coherence.
        self.shared.tail.load(Ordering::Relaxed)
    }

    /// Free slots and bytes at this moment; for gauges.
    #[must_use]
    pub fn room(&self) -> (u64, u64) {
        // ORDERING: Relaxed; a gauge.
        let now = self.shared.room.load(Ordering::Relaxed);
        (now >> BYTES_BITS, now & BYTES_MAX)
    }
}

/// The right to push: slots and bytes taken out of the budget. Dropped unused, it gives them back.
#[must_use = "dropped at once, it gives its room back"]
pub struct Reservation<'a, T> {
    shared: &'a Arc<Shared<T>>,
    slots: u32,
    bytes: u64,
}

impl<'a, T> Reservation<'a, T> {
    /// Bytes it holds.
    #[must_use]
    pub const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Keeps at most `bytes` bytes and gives the surplus back at once.
    pub fn shrink_to(&mut self, bytes: u64) {
        if bytes < self.bytes {
            self.shared.give_back(0, self.bytes - bytes);
            self.bytes = bytes;
        }
    }

    /// Moves one slot and `bytes` bytes into a reservation of its own, or `None` if it holds less.
    #[must_use]
    pub fn split(&mut self, bytes: u64) -> Option<Self> {
        if self.slots == 0 || self.bytes < bytes {
            return None;
        }
        self.slots -= 1;
        self.bytes -= bytes;
        Some(Reservation { shared: self.shared, slots: 1, bytes })
    }

    /// As [`Producer::push`].
    ///
    /// # Panics
    /// As [`Producer::push`].
    pub fn push(self, item: T) -> u64 {
        assert!(self.slots > 0, "a reservation whose slots were all split off cannot push");
        let (shared, slots, bytes) = (self.shared, self.slots, self.bytes);
        mem::forget(self);
        if slots > 1 {
            shared.give_back(u64::from(slots) - 1, 0);
        }
        shared.fill(item, bytes)
    }
}

impl<T> Drop for Reservation<'_, T> {
    fn drop(&mut self) {
        self.shared.give_back(u64::from(self.slots), self.bytes);
    }
}

/// The popping end. There is one, and its methods take it exclusively.
pub struct Consumer<T> {
    shared: Arc<Shared<T>>,
    /// The next position to pop.
    head: u64,
    /// Room of popped items that is not released yet, packed as the admission word.
    held: u64,
}

impl<T> Consumer<T> {
    /// The next position to pop.
    #[must_use]
    pub const fn head(&self) -> u64 {
        self.head
    }

    /// Sets what wakes this consumer's thread out of its sleep: a token that is kept if it comes early,
    /// such as `Thread::unpark`. Once; later calls change nothing.
    pub fn set_waker(&self, wake: impl Fn() + Send + Sync + 'static) {
        let _ = self.shared.waker.set(Box::new(wake));
    }

    fn ready(&self) -> bool {
        // ORDERING: Acquire; pairs with the Release in fill. Carries: the content.
        self.shared.slot(self.head).stamp.load(Ordering::Acquire) == self.head + 1
    }

    /// The next item in order with its position, or `None` if it is not there yet.
    pub fn pop(&mut self) -> Option<(u64, T)> {
        if !self.ready() {
            return None;
        }
        let slot = self.shared.slot(self.head);
        // SAFETY: the stamp says that this position's content is complete; it was acquired in ready(); no
        // producer writes the slot before release() gives it back.
        let (item, bytes) = slot.content.with_mut(|content| unsafe { (*content).assume_init_read() });
        // ORDERING: Relaxed; release() publishes it together with the emptied content.
        slot.stamp.store(0, Ordering::Relaxed);
        let position = self.head;
        self.head += 1;
        self.held += pack(1, bytes);
        Some((position, item))
    }

    /// Gives back the slots and bytes of everything popped so far.
    pub fn release(&mut self) {
        let held = mem::take(&mut self.held);
        if held != 0 {
            self.shared.give_back(held >> BYTES_BITS, held & BYTES_MAX);
        }
    }

    /// Announces sleep. `true`: there is nothing to pop, and the next push calls the waker; the caller
    /// parks. `false`: something came meanwhile; the caller pops. Spurious wake-ups are harmless.
    #[must_use]
    pub fn doze(&mut self) -> bool {
        // ORDERING: Relaxed; ordered by the fence.
        self.shared.asleep.store(true, Ordering::Relaxed);
        // ORDERING: SeqCst fence; pairs with the one in ring_bell, which says why nothing is lost.
        fence(Ordering::SeqCst);
        if self.ready() {
            // ORDERING: Relaxed; at worst a producer wakes us once for nothing.
            self.shared.asleep.store(false, Ordering::Relaxed);
            return false;
        }
        true
    }
}

impl<T> Drop for Consumer<T> {
    fn drop(&mut self) {
        // What is complete is dropped here; the rest, if any, with the last handle. Their room is not
        // given back: nobody will write what is pushed from now on, so soon nothing is admitted.
        while self.pop().is_some() {}
    }
}
