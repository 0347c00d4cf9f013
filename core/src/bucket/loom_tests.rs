//! Every interleaving of two takers and a peeker on one bucket.

use super::*;
use loom::sync::Arc;
use loom::thread;

#[test]
fn concurrent_takers_never_share_a_token() {
    loom::model(|| {
        let rate = Rate::per_second(1, 2);
        let bucket = Arc::new(Gcra::full());
        // One token is gone: of two takers exactly one may win.
        bucket.take(rate, Nanos::ZERO).unwrap();
        let takers: Vec<_> = (0..2)
            .map(|_| {
                let bucket = Arc::clone(&bucket);
                thread::spawn(move || bucket.take(rate, Nanos::ZERO).is_ok())
            })
            .collect();
        let seen = bucket.full_at();
        assert!(seen == Nanos::from_secs(1) || seen == Nanos::from_secs(2));
        let won = takers.into_iter().map(|t| t.join().unwrap()).filter(|won| *won).count();
        assert_eq!(won, 1);
        assert_eq!(bucket.full_at(), Nanos::from_secs(2), "a denial wrote");
    });
}

#[test]
fn takers_at_different_times_leave_the_later_arrival_time() {
    loom::model(|| {
        let rate = Rate::per_second(1, 3);
        let bucket = Arc::new(Gcra::full());
        let other = Arc::clone(&bucket);
        let late = thread::spawn(move || other.take(rate, Nanos::from_secs(1)).is_ok());
        assert!(bucket.take(rate, Nanos::ZERO).is_ok());
        assert!(late.join().unwrap());
        // Early first: 1, then 2. Late first: 2, then 3 (the early one pays behind it).
        let tat = bucket.full_at();
        assert!(tat == Nanos::from_secs(2) || tat == Nanos::from_secs(3), "{tat:?}");
    });
}
