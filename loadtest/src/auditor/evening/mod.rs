//! The auditor of an evening in the anonymous chat: who talked with whom, who was told what, who paid.
//!
//! It reads what crossed the wire and nothing else. What a message says it reads as a person does; which two
//! belong together it learns from the buttons under "you have a partner": two users whose button to leave carries
//! the same data are in the same chat, whatever that data means.
//!
//! ```text
//! Wire -> record (who did what, who got what) -> { threads, story (each user's chats) }
//! story -> { relays, replies (with albums), money, locks }
//! ```

mod albums;
pub mod doctor;
mod figures;
mod locks;
mod money;
pub mod record;
mod relays;
mod replies;
mod story;
mod threads;

use super::{Audit, Log, Rules};

pub use figures::{Figures, figures};
pub use record::Record;

/// Judges an evening; what is common to all rehearsals (limits, unacknowledged updates) is judged elsewhere.
pub(super) fn judge(log: &Log, record: &Record, rules: &Rules, audit: &mut Audit) {
    let stories = story::Stories::of(log, record, rules);
    stories.judge(audit);
    let relayed = relays::judge(&stories, audit);
    let answers = replies::judge(&stories, rules, &relayed, audit);
    money::judge(&stories, &answers, audit);
    locks::judge(&stories, audit);
    threads::judge(record, audit);
}
