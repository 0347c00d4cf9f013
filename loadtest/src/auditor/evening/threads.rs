//! What hangs on a certain message: answers, edits and signs, each on the right one.
//!
//! Somebody answers, changes or signs a message of his own chat. What comes of it at his partner's must hang there on
//! the same message: his partner's own, if it was a copy of that, else the copy of his. That an answer hangs on nothing
//! is no finding: the server remembers so many messages of a chat and no more, and none that a kill kept it from
//! learning of.

use std::collections::{HashMap, HashSet};

use super::record::{Deed, MessageKey, Record};
use crate::auditor::{Audit, Check};

/// Judges them all.
pub(super) fn judge(record: &Record, audit: &mut Audit) {
    if record.threads.is_empty() {
        return;
    }
    let mut copied: HashMap<usize, Vec<MessageKey>> = HashMap::new();
    for (place, done) in &record.copies {
        copied.entry(*done).or_default().push(*place);
    }
    let signed: HashSet<MessageKey> = (record.done.iter().enumerate())
        .filter(|(_, done)| done.deed == Deed::Signed)
        .flat_map(|(nth, _)| places(record, &copied, nth))
        .collect();
    for thread in record.threads.iter().filter(|thread| thread.target != 0) {
        let place = (thread.bot, chat(thread.user), thread.target);
        let (right, what) = match thread.carries {
            Some(done) => (places(record, &copied, done).contains(&place), "an answer or an edit"),
            None => (signed.contains(&place), "a sign"),
        };
        if !right {
            audit.find(Check::WrongThread, thread.at, thread.user, || {
                format!("{what} hangs on message {}, which is not the one that was meant", thread.target)
            });
        }
    }
}

/// Where the message that somebody answered, changed or signed stands at his partner's.
fn places(record: &Record, copied: &HashMap<usize, Vec<MessageKey>>, nth: usize) -> Vec<MessageKey> {
    let done = &record.done[nth];
    let meant = (done.bot, chat(done.user), done.refers);
    if let Some(theirs) = record.copies.get(&meant).map(|theirs| &record.done[*theirs]) {
        return vec![(theirs.bot, chat(theirs.user), theirs.message)];
    }
    let own = record.messages.get(&meant).and_then(|own| copied.get(own));
    own.cloned().unwrap_or_default()
}

fn chat(user: u64) -> i64 {
    i64::try_from(user).unwrap_or(i64::MAX)
}
