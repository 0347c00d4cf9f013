//! Bugs that can be planted, so that tests show that they would find them.
//!
//! What lives here: [`Faults`], a set of constants, and [`Sound`], the only set outside of tests. The
//! constants are `false` there, and the compiler removes what depends on them.

/// Which bugs the algorithm has.
pub trait Faults: Send + Sync + 'static {
    /// The turnstile orders nothing: two joiners miss each other.
    const NO_FENCE: bool = false;
    /// A claim takes whatever ticket its partner has by now, not the one that was judged.
    const ANY_VERSION: bool = false;
    /// Only the searcher's list of recent partners is asked.
    const ONE_SIDED: bool = false;
}

/// None. What runs.
#[derive(Clone, Copy, Debug)]
pub struct Sound;

impl Faults for Sound {}
