//! Counts what the platform decided.

use std::collections::HashMap;

use crate::wire::{At, Outcome, Wire};

/// The counts of one drain.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) refused: u64,
    pub(super) defiance: u64,
    pub(super) disorder: u64,
    /// When the last was accepted.
    pub(super) last: At,
    /// The largest number that each chat got.
    seen: HashMap<i64, u64>,
}

impl Tally {
    pub(super) fn count(&mut self, event: &Wire) {
        let Wire::Call(call) = event else { return };
        match call.outcome {
            Outcome::TooMany { defiance, .. } => {
                self.refused += 1;
                self.defiance += u64::from(defiance);
            }
            Outcome::Accepted { message_id: Some(_) } => {
                self.accepted += 1;
                self.last = self.last.max(call.decided_at);
                let number = call.text.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
                let seen = self.seen.entry(call.chat.unwrap_or(0)).or_insert(0);
                self.disorder += u64::from(number < *seen);
                *seen = number.max(*seen);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{Call, Scope};
    use std::time::Duration;

    fn call(chat: i64, text: &str, outcome: Outcome) -> Wire {
        let at = Duration::from_secs(3);
        Wire::Call(Call {
            bot: 0,
            method: "sendmessage".to_owned(),
            chat: Some(chat),
            line: None,
            arrived_at: at,
            decided_at: at,
            answered_at: Some(at),
            outcome,
            text: Some(text.to_owned()),
            buttons: Vec::new(),
            params: serde_json::Map::new(),
        })
    }

    #[test]
    fn refusals_and_inversions_are_counted() {
        let mut tally = Tally::default();
        let accepted = || Outcome::Accepted { message_id: Some(1) };
        let refused = |defiance| Outcome::TooMany { retry_after: 1, scope: Scope::Token, defiance };
        for event in [
            call(1, "1", accepted()),
            call(1, "3", accepted()),
            call(2, "1", accepted()),
            call(1, "2", refused(false)),
            call(1, "2", refused(true)),
            call(1, "2", accepted()),
        ] {
            tally.count(&event);
        }
        let counts = (tally.accepted, tally.refused, tally.defiance, tally.disorder);
        assert_eq!(counts, (4, 2, 1, 1));
        assert_eq!(tally.last, Duration::from_secs(3));
    }
}
