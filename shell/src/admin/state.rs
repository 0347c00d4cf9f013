//! What the process is about, as balancers and operators are told.

/// What the process is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum State {
    /// The journal is replayed; no updates are taken yet.
    Starting = 0,
    /// Updates are taken.
    Ready = 1,
    /// No new work is taken; what is in flight is finished.
    Stopping = 2,
    /// The disk does not take the journal: updates are answered 503 until it does.
    Stalled = 3,
    /// No update is taken any more, what waits is sent: the operator asked for it.
    Draining = 4,
}

impl State {
    /// In the order of their numbers.
    pub(super) const ALL: [Self; 5] =
        [Self::Starting, Self::Ready, Self::Stopping, Self::Stalled, Self::Draining];

    /// Its word in `/readyz` and `/stats`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Stopping => "stopping",
            Self::Stalled => "stalled",
            Self::Draining => "draining",
        }
    }
}
