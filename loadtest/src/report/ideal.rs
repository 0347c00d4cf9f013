//! The ideal scheduler: what nobody can beat under the same rule, for the same arrivals.

use std::collections::VecDeque;
use std::time::Duration;

use crate::wire::At;

/// Accepted messages of one token in any second.
pub(super) const PER_SECOND: usize = 30;

/// Latencies of one lane's arrivals (sorted here) served first come first served, at most
/// [`PER_SECOND`] in any half-open second, no time lost. O(n log n).
pub(super) fn latencies(mut arrivals: Vec<At>) -> Vec<Duration> {
    arrivals.sort_unstable();
    let mut window: VecDeque<At> = VecDeque::with_capacity(PER_SECOND);
    let mut latest = Duration::ZERO;
    arrivals
        .into_iter()
        .map(|arrival| {
            let mut at = arrival.max(latest);
            if window.len() == PER_SECOND {
                let free = window.pop_front().unwrap_or_default() + Duration::from_secs(1);
                at = at.max(free);
            }
            window.push_back(at);
            latest = at;
            at - arrival
        })
        .collect()
}
