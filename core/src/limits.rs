//! Every bound of the core in one place, with its unit, its reason, and what happens at it.
//!
//! What lives here: constants, and compile-time checks that they fit each other. Anything may call it.

use core::time::Duration;

/// Lanes (credentials) of one kind. More are refused by the configuration check.
pub const LANES_MAX: usize = 256;

/// Kinds in one process. More are refused by the configuration check.
pub const KINDS_MAX: usize = 32;

/// Arguments of one envelope, in bytes: a Telegram text is at most 4,096 characters of at most 4 bytes.
/// `decide` that makes more is a bug and is refused before it is journaled.
pub const PAYLOAD_BYTES_MAX: usize = 20 * 1024;

/// Envelopes and events of one decision together, encoded, in bytes. Admission reserves this much of
/// the journal ring's byte budget before `decide`; the surplus is given back at once.
pub const DECISION_BYTES_MAX: usize = 64 * 1024;

/// Sends of one decision. Bounded by the envelope id's 8 bits.
pub const SENDS_PER_DECISION_MAX: usize = 64;

/// Sends of one decision that the engine asks for in the course of another one (a pair was made, has ended).
/// A decision over it, or over [`ASIDE_BYTES_MAX`], is a bug of the kind and is not heard.
pub const ASIDE_SENDS_MAX: usize = 12;

/// What such a decision may post to groups and channels; more are dropped.
pub const ASIDE_POSTS_MAX: usize = 4;

/// Such decisions in one frame: a word to the partner, the end of a pair for both, those who are informed.
pub const ASIDES_MAX: usize = 3 + INFORMS_PER_DECISION_MAX;

/// Others whom one decision may inform.
pub const INFORMS_PER_DECISION_MAX: usize = 2;

/// Events and sends of such a decision together, encoded, in bytes.
pub const ASIDE_BYTES_MAX: usize = 24 * 1024;

/// What one decision may send to the partner.
pub const RELAYS_PER_DECISION_MAX: usize = 32;

/// Messages of a pair whose numbers in both chats are remembered for whoever received them: what can still be
/// answered, edited or marked there. The oldest goes.
pub const LINKS_MAX: usize = 64;

/// Echoes of one kind that nobody has heard yet; more are dropped.
pub const ECHOES_MAX: usize = 100_000;

/// People whom one user has blocked.
pub const BLOCKED_MAX: usize = 1_000;

/// Envelopes without an end, over all lanes. At it, new updates are answered 503 (the platform keeps
/// them and delivers again), and bulk work is not admitted.
pub const PENDING_ENVELOPES_MAX: usize = 1_000_000;

/// How far protected inputs (payments) may pass the bound on envelopes.
pub const PENDING_RESERVE: usize = 4_096;

/// What the pacer takes. It is past the bound of admission, the reserve, and all that decisions under way on
/// [`THREADS_MAX`] threads may add: what was admitted is never refused behind it.
pub const PENDING_BACKSTOP: usize = PENDING_ENVELOPES_MAX + PENDING_RESERVE + THREADS_MAX * 512;

/// Threads that decide at the same time.
pub const THREADS_MAX: usize = 128;

/// One frame's payload in the journal, in bytes. Longer is a bug and is refused before it is written.
pub const FRAME_BYTES_MAX: usize = 1024 * 1024;

/// How long a lane's token stays out after the answer of the send it paid for. The platform judges
/// somewhere between send and answer, so only the answer is safe to count from.
pub const WINDOW: Duration = Duration::from_secs(1);

/// Ids remembered per bot against duplicates, at least.
pub const DEDUP_IDS_MIN: usize = 1 << 17;

/// Ids in one page of the duplicate bitmap.
pub const DEDUP_PAGE_IDS: usize = 4096;

/// Pages of the duplicate bitmap per bot, at most; beyond, the page not used for longest goes.
pub const DEDUP_PAGES_MAX: usize = 64;

const _: () = {
    // An envelope of the partner's has the upper bit of its index: see the engine's `parts`.
    assert!(SENDS_PER_DECISION_MAX + ASIDES_MAX * ASIDE_SENDS_MAX <= 128);
    assert!(RELAYS_PER_DECISION_MAX + ASIDES_MAX * ASIDE_POSTS_MAX <= 128);
    assert!(DECISION_BYTES_MAX + ASIDES_MAX * ASIDE_BYTES_MAX < FRAME_BYTES_MAX);
    assert!(PAYLOAD_BYTES_MAX < ASIDE_BYTES_MAX);
    assert!(SENDS_PER_DECISION_MAX <= crate::id::EnvelopeId::PER_FRAME);
    assert!(PAYLOAD_BYTES_MAX < DECISION_BYTES_MAX);
    assert!(DECISION_BYTES_MAX < FRAME_BYTES_MAX);
    assert!(DEDUP_PAGES_MAX * DEDUP_PAGE_IDS >= DEDUP_IDS_MIN);
};
