//! The load of a torture: students who come evenly and ask, some twice, some in vain.

use std::time::Duration;

use crate::dataset::Truth;
use crate::profile::Planned;
use crate::wire::What;

/// A number that nobody has.
const NOBODY: u32 = 29_000_001;

/// Evenly over `length`, `per_s` updates a second. The same seed gives the same plan.
pub(super) fn plan(truth: &Truth, seed: u64, length: Duration, per_s: f64) -> Vec<Planned> {
    let mut rng = fastrand::Rng::with_seed(seed ^ 0x746F_7274);
    let pupils = truth.pupils();
    let mut plan = Vec::new();
    let mut user = 100_000_000;
    while (plan.len() as f64) < length.as_secs_f64() * per_s {
        user += rng.u64(1..50);
        let mut at = length.mul_f64(rng.f64());
        let questions = if rng.u8(..3) == 0 { 2 } else { 1 };
        for _ in 0..questions {
            let number = match rng.u8(..10) {
                0 => NOBODY,
                _ => pupils[rng.usize(..pupils.len())].number,
            };
            plan.push(Planned {
                at,
                bot: 0,
                user,
                what: What::Text(number.to_string()),
                language_code: "ar".to_owned(),
            });
            at += Duration::from_millis(rng.u64(20..3_000));
        }
    }
    plan.sort_by_key(|planned| planned.at);
    plan
}
