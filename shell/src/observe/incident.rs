//! Internal errors by a short name: the user is shown it, the operator asks what it was.
//!
//! What lives here: [`record`], [`explain`]. The last thousand are kept in memory, and each is a line of the log, so
//! that older ones are found there.

use super::rfc3339;
use super::scrub::scrub;
use crate::clock::Clock;
use crate::entropy;
use parking_lot::Mutex;
use std::collections::VecDeque;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

/// Errors that are remembered.
const KEPT: usize = 1_000;

/// Without the letters and digits that are mistaken for one another.
const LETTERS: &[u8; 32] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// A name of six letters: 2^30 of them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct IncidentId(u32);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..6).try_for_each(|at| write!(f, "{}", char::from(LETTERS[(self.0 >> (5 * at)) as usize & 31])))
    }
}

struct Incident {
    id: IncidentId,
    told: String,
}

static LAST: Mutex<VecDeque<Incident>> = Mutex::new(VecDeque::new());
static NEXT: AtomicU32 = AtomicU32::new(0);
static SALT: OnceLock<u32> = OnceLock::new();

/// Remembers an error under a new name, and says it to the log.
pub fn record(what: &fmt::Arguments<'_>) -> IncidentId {
    let salt = *SALT.get_or_init(|| entropy::seed() as u32);
    let n = NEXT.fetch_add(1, Ordering::Relaxed);
    // Names that follow one another must not look alike: people mistype them. An odd factor permutes 2^30.
    let id = IncidentId((n.wrapping_add(salt)).wrapping_mul(0x9e37_79b1) & 0x3fff_ffff);
    crate::say!(Error, "internal error {id}: {what}");
    let at = rfc3339::format(Clock::start().now().wall);
    let told = format!("{at} {}", scrub(&what.to_string()));
    let mut last = LAST.lock();
    if last.len() == KEPT {
        last.pop_front();
    }
    last.push_back(Incident { id, told });
    id
}

/// What the error of this name was; upper and lower case are the same. None if it is not remembered.
#[must_use]
pub fn explain(name: &str) -> Option<String> {
    let last = LAST.lock();
    let found = last.iter().find(|incident| incident.id.to_string().eq_ignore_ascii_case(name.trim()));
    found.map(|incident| incident.told.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_explained_by_its_name_until_a_thousand_later() {
        let token = format!("1000001:{}", "Ab-_9".repeat(7));
        let first = record(&format_args!("the template is gone, bot {token}"));
        let told = explain(&first.to_string().to_lowercase()).expect("remembered");
        assert!(told.contains("the template is gone") && !told.contains("Ab-_9"), "{told}");
        let ids: std::collections::HashSet<_> = (0..KEPT).map(|n| record(&format_args!("{n}")).0).collect();
        assert_eq!(ids.len(), KEPT);
        assert!(explain(&first.to_string()).is_none() && explain("").is_none());
    }
}
