//! The order of the hour: who asked before it is served in the order of asking, lane by lane.
//!
//! Across chats nobody else is promised an order, and one who asked for several takes turns with the others: those
//! who asked for one alone are compared.

use std::collections::HashMap;
use std::time::Duration;

use super::log::Log;
use super::{Answer, Audit, Check};
use crate::wire::{At, BotIx};

/// Sends of one lane are in flight together, and the 30 places of its second come back together: who misses one
/// of them waits for the next second.
const IN_FLIGHT: Duration = Duration::from_millis(1_200);

pub(super) fn judge(log: &Log, audit: &mut Audit) {
    let Some(hour) = log.hour else { return };
    let mut lanes: HashMap<BotIx, Vec<Answer>> = HashMap::new();
    let held = audit.answers.iter().filter(|a| a.own && a.delivered_at < hour && a.accepted_at >= hour);
    let mut of_user: HashMap<u64, u32> = HashMap::new();
    held.clone().for_each(|answer| *of_user.entry(answer.user).or_default() += 1);
    for answer in held.filter(|answer| of_user[&answer.user] == 1) {
        lanes.entry(answer.bot).or_default().push(*answer);
    }
    let mut lanes: Vec<_> = lanes.into_iter().collect();
    lanes.sort_by_key(|(bot, _)| *bot);
    for (bot, mut answers) in lanes {
        answers.sort_by_key(|answer| answer.accepted_at);
        for passed in passed_over(&answers) {
            audit.find(Check::Disorder, passed.accepted_at, passed.user, || {
                format!("bot {bot}: one who asked later was served first at the hour")
            });
        }
    }
}

/// Those who were taken over before another was even delivered, and served after him. `answers` rise by
/// `accepted_at`. O(n).
fn passed_over(answers: &[Answer]) -> Vec<Answer> {
    let mut latest: Option<At> = None;
    let mut before = answers.iter().peekable();
    let mut found = Vec::new();
    for answer in answers {
        // The latest delivery among those that were served well before this one.
        while let Some(earlier) = before.next_if(|a| a.accepted_at + IN_FLIGHT < answer.accepted_at) {
            latest = latest.max(Some(earlier.delivered_at));
        }
        if answer.acknowledged_at.is_some_and(|taken| latest.is_some_and(|latest| taken < latest)) {
            found.push(*answer);
        }
    }
    found
}
