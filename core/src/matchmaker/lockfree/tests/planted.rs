//! Planted bugs that one thread is enough to show.

use super::*;

/// Whether two people are kept apart of whom only the one found remembers the other.
fn kept_apart<F: Faults>() -> bool {
    let (shared, mut seats) = seated::<F>(2);
    let [found, searcher] = &mut seats[..] else { unreachable!() };
    let mut m = &shared;
    m.remember(found, searcher.slot(), NOW.after(Duration::from_secs(60))).expect("idle");
    assert!(matches!(m.join(found, &MAN, NOW), Ok(Joined::Waiting { .. })));
    matches!(m.join(searcher, &MAN, NOW), Ok(Joined::Waiting { .. }))
}

#[test]
fn a_one_sided_check_of_recent_partners_is_caught() {
    assert!(kept_apart::<Sound>());
    assert!(!kept_apart::<OneSided>(), "the test would not notice the bug");
}
