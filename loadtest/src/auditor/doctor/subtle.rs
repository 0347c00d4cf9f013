//! Bugs that leave most of a log as it should be: what an auditor that looks at numbers and marks alone would miss.

use std::time::Duration;

use super::{is_card, lone_card};
use crate::auditor::Rules;
use crate::auditor::log::{Asked, Log, Sent};
use crate::auditor::proof::Proofs;
use crate::auditor::reading::{Card, Means, Reading};
use crate::wire::Line;

/// The card in the middle of the log, to be changed.
fn a_card(log: &mut Log) -> Option<&mut Card> {
    let at = lone_card(log)?;
    match &mut log.sent[at].reading {
        Reading::Card(card) => Some(card),
        _ => None,
    }
}

/// Kills the server at the end of the log, and lets the next process send a card again whose end the first one had
/// surely made durable.
pub(super) fn forget_an_end(log: &mut Log) -> bool {
    let end = log.sent.last().map_or(Duration::ZERO, |sent| sent.decided_at) + Duration::from_secs(60);
    log.processes.push((end, false));
    let proofs = Proofs::of(log, Rules::default().ends_within);
    let proven = |sent: &&Sent| is_card(&sent.reading) && proofs.durable(sent);
    let Some(mut copy) = log.sent.iter().find(proven).cloned() else { return false };
    copy.line = Some(Line { nth: u64::MAX, opened_at: end + Duration::from_secs(1) });
    // One more copy than there are questions for it.
    let asked = log.asked.iter().filter(|asked| asked.chat == copy.chat).count() as u64;
    for nth in 0..asked {
        copy.decided_at = end + Duration::from_secs(2 + nth);
        (copy.arrived_at, copy.answered_at) = (copy.decided_at, None);
        log.sent.push(copy.clone());
    }
    log.settle();
    true
}

/// A press of a choice.
fn a_choice(log: &Log) -> Option<Asked> {
    let chosen =
        |asked: &&Asked| log.label(asked).is_some_and(|label| matches!(Means::of(label), Means::Choice(_)));
    log.asked.iter().find(chosen).cloned()
}

/// Moves what the buttons of a list carry by one: each leads to whom the next one names. On the wire it looks as if the
/// pressed data had stood under the other label.
pub(super) fn swap_a_button(log: &mut Log) -> bool {
    let Some(press) = a_choice(log) else { return false };
    let Some((message, _)) = press.press else { return false };
    let before = log.label(&press).map(str::to_owned);
    for shown in log.shown.get_mut(&(press.bot, press.chat, message)).into_iter().flatten() {
        let is_choice = |(label, _): &(String, String)| matches!(Means::of(label), Means::Choice(_));
        let end = shown.buttons.iter().position(|button| !is_choice(button)).unwrap_or(shown.buttons.len());
        let mut data: Vec<String> = shown.buttons[..end].iter().map(|(_, data)| data.clone()).collect();
        data.rotate_left(1.min(end));
        shown.buttons.iter_mut().zip(data).for_each(|(button, data)| button.1 = data);
    }
    let after = log.label(&press).map(str::to_owned);
    after.is_some() && after != before
}

/// The list of a press that was answered was another user's.
pub(super) fn steal_a_button(log: &mut Log) -> bool {
    let Some(press) = a_choice(log) else { return false };
    let Some((message, _)) = press.press else { return false };
    log.shown.remove(&(press.bot, press.chat, message)).is_some()
}

pub(super) fn silence_a_button(log: &mut Log) -> bool {
    let id = a_choice(log).and_then(|press| press.press).map(|(_, id)| id);
    id.is_some_and(|id| log.ended.remove(&id).is_some())
}

pub(super) fn let_a_button_talk(log: &mut Log) -> bool {
    let ended = log.ended.values_mut().flatten().next();
    ended.map(|ended| ended.notice = Some(Reading::Words)).is_some()
}

pub(super) fn append_a_card(log: &mut Log) -> bool {
    let others = log.sent.iter().filter_map(|sent| match &sent.reading {
        Reading::Card(card) => Some(card.number),
        _ => None,
    });
    let numbers: Vec<u64> = others.collect();
    let Some(card) = a_card(log) else { return false };
    let other = numbers.into_iter().find(|number| *number != card.number);
    card.others.extend(other);
    other.is_some()
}

pub(super) fn change_a_result(log: &mut Log) -> bool {
    let Some(card) = a_card(log) else { return false };
    let Some(Some(result)) = card.about.last_mut() else { return false };
    *result = if &**result == "ناجح" { "راسب".into() } else { "ناجح".into() };
    true
}

pub(super) fn flood_with_notices(log: &mut Log) -> bool {
    let Some(last) = log.sent.iter().rev().find(|sent| is_card(&sent.reading)).cloned() else { return false };
    let asked = log.asked.iter().filter(|asked| asked.chat == last.chat).count();
    for nth in 0..=asked as u64 {
        let mut notice = last.clone();
        notice.reading = Reading::SlowDown;
        notice.decided_at += Duration::from_secs(2 + nth);
        log.sent.push(notice);
    }
    log.settle();
    true
}

pub(super) fn misunderstand_a_greeting(log: &mut Log) -> bool {
    let greeting = log.sent.iter_mut().find(|sent| sent.reading == Reading::Start);
    greeting.map(|sent| sent.reading = Reading::WrongFormat).is_some()
}

pub(super) fn never_acknowledge(log: &mut Log) -> bool {
    log.trips.values_mut().next().map(|trip| trip.acknowledged_at = None).is_some()
}
