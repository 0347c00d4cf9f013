//! How fast: slides a window over what the platform accepted, whatever the platform itself decided.

use std::collections::HashMap;
use std::time::Duration;

use super::log::Log;
use super::{Audit, Check, Rules};
use crate::wire::At;

const SECOND: Duration = Duration::from_secs(1);
/// Messages of one group in a minute, and the minute.
const GROUP: (usize, Duration) = (20, Duration::from_secs(60));

/// Judges tokens, private chats and groups.
pub(super) fn judge(log: &Log, rules: &Rules, audit: &mut Audit) {
    let mut by_token: HashMap<usize, Vec<At>> = HashMap::new();
    let mut by_chat: HashMap<(usize, i64), Vec<At>> = HashMap::new();
    for sent in &log.sent {
        by_token.entry(sent.bot).or_default().push(sent.decided_at);
        by_chat.entry((sent.bot, sent.chat)).or_default().push(sent.decided_at);
    }
    if let Some(limit) = rules.per_token_s {
        for (bot, moments) in &by_token {
            for at in over_window(moments, limit, SECOND) {
                audit.find(Check::LimitExceeded, at, 0, || {
                    format!("bot {bot}: more than {limit} messages within one second")
                });
            }
        }
    }
    for (&(bot, chat), moments) in &by_chat {
        let over = if chat < 0 {
            over_window(moments, GROUP.0, GROUP.1)
        } else {
            over_bucket(moments, rules.chat_burst)
        };
        for at in over {
            let user = u64::try_from(chat).unwrap_or_default();
            audit
                .find(Check::LimitExceeded, at, user, || format!("bot {bot}: too many messages in one chat"));
        }
    }
}

/// Moments that are one too many: the `limit`-th message before lies less than `window` back.
pub(super) fn over_window(moments: &[At], limit: usize, window: Duration) -> Vec<At> {
    moments.windows(limit + 1).filter(|span| span[limit] - span[0] < window).map(|span| span[limit]).collect()
}

/// Moments that a bucket of `burst`, refilled at one a second, would refuse. A refused one takes nothing.
fn over_bucket(moments: &[At], burst: u32) -> Vec<At> {
    // The clocks of judge and log differ by what it takes to write the event down.
    const SLACK: Duration = Duration::from_millis(1);
    let depth = SECOND * burst.saturating_sub(1);
    let mut due = Duration::ZERO;
    let mut over = Vec::new();
    for &at in moments {
        if due > at + depth + SLACK {
            over.push(at);
        } else {
            due = due.max(at) + SECOND;
        }
    }
    over
}
