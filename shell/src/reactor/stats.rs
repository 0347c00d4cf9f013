//! What a reactor counts. Read by the admin listener from another thread.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! stats {
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// Counters and gauges of one reactor. Each stands alone, so all accesses are relaxed.
        #[derive(Default, Debug)]
        pub struct Stats { $(pub(super) $name: AtomicU64,)* }

        /// One reading of [`Stats`].
        #[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
        pub struct StatsView { $($(#[$doc])* pub $name: u64,)* }

        impl Stats {
            /// Reads all of them.
            #[must_use]
            pub fn view(&self) -> StatsView {
                StatsView { $($name: self.$name.load(Ordering::Relaxed),)* }
            }
        }
    };
}

stats! {
    /// Rounds of the loop.
    turns
    /// Connections open now.
    connections
    /// Connections accepted.
    accepted
    /// Times accepting was paused: connection limit reached or no file descriptor left.
    accept_pauses
    /// Connections closed at once: their address held too many.
    crowded
    /// Requests that reached the service's `call`.
    requests
    /// Requests refused by the service's `admit`.
    not_admitted
    /// Requests refused by the codec; each closes its connection.
    refused
    /// Connections closed because the peer was too slow (head, body, handshake or write).
    timeouts
    /// Connections closed because the service did not answer in time.
    unanswered
    /// Connections that ended in a socket or TLS error.
    broken
}

pub(super) fn add(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

pub(super) fn sub(gauge: &AtomicU64) {
    gauge.fetch_sub(1, Ordering::Relaxed);
}
