//! Planted bugs: each doctors a sound log so that one check, and that check alone, has cause to strike.
//!
//! An auditor that finds nothing proves nothing. `nobat-load selftest` and `rehearse --plant` put these into
//! the log of a real run, between the platform and the auditor; the verdict must become `fail`.

mod subtle;

use std::time::Duration;

use super::Check;
use super::log::Log;
use super::reading::Reading;

/// A bug to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bug {
    /// Two users get each other's cards.
    SwappedRecipient,
    /// One mark on a card is another pupil's.
    WrongMark,
    /// A 31st message within one second of a token.
    ThirtyFirstSend,
    /// One answer never comes.
    DroppedAnswer,
    /// Two answers of one chat come in the wrong order.
    Reordering,
    /// One answer comes twice.
    Repeat,
    /// One answer comes again after a kill, though its end was durable.
    ForgottenEnd,
    /// One answer comes through a bot the user never wrote to.
    WrongBot,
    /// A button of a list of names leads to another pupil of that list.
    SwappedButton,
    /// A button that one user was shown opens in another's hands.
    StolenButton,
    /// A pressed button is never answered.
    SilentButton,
    /// A button's notice says what it should not.
    TalkativeButton,
    /// Behind one card, in the same message, stands another pupil's.
    SecondCard,
    /// One card's result word is another's; its marks are its own.
    WrongResult,
    /// One user is told to slow down again and again.
    NoticeFlood,
    /// One greeting is answered as if it were not understood.
    WrongText,
    /// One update is answered and never acknowledged.
    Unacknowledged,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 17] = [
        Bug::SwappedRecipient,
        Bug::WrongMark,
        Bug::ThirtyFirstSend,
        Bug::DroppedAnswer,
        Bug::Reordering,
        Bug::Repeat,
        Bug::ForgottenEnd,
        Bug::WrongBot,
        Bug::SwappedButton,
        Bug::StolenButton,
        Bug::SilentButton,
        Bug::TalkativeButton,
        Bug::SecondCard,
        Bug::WrongResult,
        Bug::NoticeFlood,
        Bug::WrongText,
        Bug::Unacknowledged,
    ];

    /// The check that must strike.
    pub fn caught_by(self) -> Check {
        match self {
            Bug::SwappedRecipient
            | Bug::WrongMark
            | Bug::SwappedButton
            | Bug::StolenButton
            | Bug::SecondCard
            | Bug::WrongResult => Check::WrongRecipient,
            Bug::ThirtyFirstSend => Check::LimitExceeded,
            Bug::DroppedAnswer => Check::Lost,
            Bug::Reordering => Check::Disorder,
            Bug::Repeat | Bug::ForgottenEnd | Bug::NoticeFlood => Check::Repeated,
            Bug::WrongBot => Check::WrongBot,
            Bug::SilentButton => Check::SilentButton,
            Bug::TalkativeButton | Bug::WrongText => Check::WrongAnswer,
            Bug::Unacknowledged => Check::Unacknowledged,
        }
    }

    /// Plants it. `false`: the log is too small to hold it.
    pub fn plant(self, log: &mut Log) -> bool {
        match self {
            Bug::SwappedRecipient => swap_recipients(log),
            Bug::WrongMark => change_a_mark(log),
            Bug::ThirtyFirstSend => hurry_a_lane(log),
            Bug::DroppedAnswer => drop_an_answer(log),
            Bug::Reordering => reorder_a_chat(log),
            Bug::Repeat => repeat_a_card(log),
            Bug::ForgottenEnd => subtle::forget_an_end(log),
            Bug::WrongBot => misroute(log),
            Bug::SwappedButton => subtle::swap_a_button(log),
            Bug::StolenButton => subtle::steal_a_button(log),
            Bug::SilentButton => subtle::silence_a_button(log),
            Bug::TalkativeButton => subtle::let_a_button_talk(log),
            Bug::SecondCard => subtle::append_a_card(log),
            Bug::WrongResult => subtle::change_a_result(log),
            Bug::NoticeFlood => subtle::flood_with_notices(log),
            Bug::WrongText => subtle::misunderstand_a_greeting(log),
            Bug::Unacknowledged => subtle::never_acknowledge(log),
        }
    }
}

fn is_card(reading: &Reading) -> bool {
    matches!(reading, Reading::Card(_))
}

/// The position of a card in the middle of the log that is its chat's only copy.
fn lone_card(log: &Log) -> Option<usize> {
    let middle = log.sent.len() / 2;
    (middle..log.sent.len()).chain(0..middle).find(|&at| {
        let sent = &log.sent[at];
        let twins = |other: &&super::Sent| other.chat == sent.chat && other.reading == sent.reading;
        is_card(&sent.reading) && log.sent.iter().filter(twins).count() == 1
    })
}

fn swap_recipients(log: &mut Log) -> bool {
    let Some(one) = lone_card(log) else { return false };
    let (chat, reading) = (log.sent[one].chat, log.sent[one].reading.clone());
    let other = log
        .sent
        .iter()
        .position(|sent| sent.chat != chat && is_card(&sent.reading) && sent.reading != reading);
    let Some(other) = other else { return false };
    log.sent[one].reading = std::mem::replace(&mut log.sent[other].reading, reading);
    true
}

fn change_a_mark(log: &mut Log) -> bool {
    let Some(at) = lone_card(log) else { return false };
    if let Reading::Card(card) = &mut log.sent[at].reading {
        card.marks[0] = (card.marks[0] + 1) % 101;
    }
    true
}

/// Draws 31 messages of different chats on one lane together into less than a second.
fn hurry_a_lane(log: &mut Log) -> bool {
    let Some(bot) = log.sent.get(log.sent.len() / 2).map(|sent| sent.bot) else { return false };
    let lane: Vec<usize> = (0..log.sent.len()).filter(|&at| log.sent[at].bot == bot).collect();
    let Some(last) = lane.get(30).map(|&at| log.sent[at].decided_at) else { return false };
    for (nth, &at) in lane[..31].iter().enumerate() {
        // Answers must not precede their questions: only ever later, so all move to the last one's moment.
        log.sent[at].decided_at = last + Duration::from_millis(nth as u64);
    }
    log.settle();
    true
}

fn drop_an_answer(log: &mut Log) -> bool {
    let Some(at) = lone_card(log) else { return false };
    log.sent.remove(at);
    true
}

/// Exchanges two different answers of one chat. Both questions must have been delivered before the first.
fn reorder_a_chat(log: &mut Log) -> bool {
    for first in 0..log.sent.len() {
        let Some(second) = partner(log, first) else { continue };
        let second_reading = log.sent[second].reading.clone();
        log.sent[second].reading = std::mem::replace(&mut log.sent[first].reading, second_reading);
        return true;
    }
    false
}

/// A later answer of the same chat, of another kind, to a question known before the earlier answer.
fn partner(log: &Log, first: usize) -> Option<usize> {
    let sent = &log.sent[first];
    let asked: Vec<_> = log.asked.iter().filter(|asked| asked.chat == sent.chat).collect();
    let known = asked
        .iter()
        .filter(|asked| log.trip(asked).is_some_and(|trip| trip.first_sent_at <= sent.decided_at));
    if known.count() < asked.len() || asked.len() != 2 {
        return None;
    }
    (first + 1..log.sent.len())
        .find(|&at| log.sent[at].chat == sent.chat && log.sent[at].reading != sent.reading)
}

fn repeat_a_card(log: &mut Log) -> bool {
    let Some(at) = lone_card(log) else { return false };
    let chat = log.sent[at].chat;
    let mut copy = log.sent[at].clone();
    let end = log.sent.last().map_or(copy.decided_at, |sent| sent.decided_at);
    // Where the question was asked twice, both copies have a question: one more than there are questions.
    let asked = log.asked.iter().filter(|asked| asked.chat == chat).count();
    for nth in 0..asked {
        copy.decided_at = end + Duration::from_secs(2 + nth as u64);
        copy.answered_at = Some(copy.decided_at);
        log.sent.push(copy.clone());
    }
    log.settle();
    true
}

fn misroute(log: &mut Log) -> bool {
    let Some(at) = lone_card(log) else { return false };
    // Nobody's home, whatever the number of lanes.
    log.sent[at].bot = 1_000;
    true
}
