//! Planted bugs of an evening: each doctors a sound record so that one check has cause to strike.

use std::time::Duration;

use super::record::{Deed, Gist, Record};
use crate::auditor::{Check, Log};
use crate::student::evening::reading::Saying;

/// A bug to plant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Bug {
    /// A message goes to the partner that its author had before.
    FormerPartner,
    /// A message goes to a partner of whom its author had not been told when he wrote it.
    BeforeTheChat,
    /// A message goes to the right partner, after he was told that the chat is over.
    AfterTheEnd,
    /// The partners of two pairs are exchanged.
    SwappedPair,
    /// A user gets a second partner while he has one.
    TwoChats,
    /// A message comes twice.
    RepeatedRelay,
    /// Two messages of one author come in the wrong order.
    DisorderedRelay,
    /// A message never comes.
    LostRelay,
    /// A payment is booked twice.
    DoubledBooking,
    /// Credits that nobody paid for.
    WrongPurse,
    /// One leaves a chat that his partner has locked.
    LockIgnored,
    /// The question before a payment is answered too late.
    LateCheckout,
    /// An answer hangs on another message than the one that was answered.
    WrongThread,
}

impl Bug {
    /// All of them.
    pub const ALL: [Bug; 13] = [
        Bug::FormerPartner,
        Bug::BeforeTheChat,
        Bug::AfterTheEnd,
        Bug::SwappedPair,
        Bug::TwoChats,
        Bug::RepeatedRelay,
        Bug::DisorderedRelay,
        Bug::LostRelay,
        Bug::DoubledBooking,
        Bug::WrongPurse,
        Bug::LockIgnored,
        Bug::LateCheckout,
        Bug::WrongThread,
    ];

    /// The check that must strike.
    pub fn caught_by(self) -> Check {
        match self {
            Bug::FormerPartner | Bug::BeforeTheChat | Bug::AfterTheEnd => Check::WrongPartner,
            Bug::SwappedPair => Check::PairBroken,
            Bug::TwoChats => Check::TwoChats,
            Bug::RepeatedRelay => Check::Repeated,
            Bug::DisorderedRelay => Check::Disorder,
            Bug::LostRelay => Check::Lost,
            Bug::DoubledBooking | Bug::WrongPurse => Check::Money,
            Bug::LockIgnored => Check::LockIgnored,
            Bug::LateCheckout => Check::LateCheckout,
            Bug::WrongThread => Check::WrongThread,
        }
    }

    /// Plants it. `false`: the log is no evening, or too small to hold it.
    pub fn plant(self, log: &mut Log) -> bool {
        let Some(mut record) = log.evening.take() else { return false };
        let planted = match self {
            Bug::FormerPartner => send_to_the_former(&mut record),
            Bug::BeforeTheChat => say_before_the_chat(&mut record),
            Bug::AfterTheEnd => send_after_the_end(&mut record),
            Bug::SwappedPair => swap_two_pairs(&mut record),
            Bug::TwoChats => pair_twice(&mut record),
            Bug::RepeatedRelay => repeat_a_relay(&mut record),
            Bug::DisorderedRelay => disorder_two_relays(&mut record),
            Bug::LostRelay => lose_a_relay(&mut record),
            Bug::DoubledBooking => book_twice(&mut record),
            Bug::WrongPurse => fill_a_purse(&mut record),
            Bug::LockIgnored => leave_a_locked_chat(&mut record),
            Bug::LateCheckout => answer_late(&mut record),
            Bug::WrongThread => hang_elsewhere(&mut record),
        };
        log.evening = Some(record);
        log.settle();
        planted
    }
}

/// A message handed on, from the middle of the evening on.
fn relays(record: &Record) -> impl Iterator<Item = usize> {
    let middle = record.got.len() / 3;
    (middle..record.got.len()).filter(|nth| matches!(record.got[*nth].gist, Gist::From(_)))
}

fn author(record: &Record, got: usize) -> Option<u64> {
    match record.got[got].gist {
        Gist::From(done) => Some(record.done[done].user),
        _ => None,
    }
}

/// What a user was told of partners and ends, before a place in the record: the last word counts.
fn last_word(record: &Record, user: u64, before: usize) -> Option<(usize, Saying)> {
    record.got[..before].iter().enumerate().rev().find_map(|(nth, got)| match got.gist {
        Gist::Notice(saying) if got.user == user => {
            let chat = saying.ends_a_chat() || matches!(saying, Saying::Met { .. });
            chat.then_some((nth, saying))
        }
        _ => None,
    })
}

fn send_to_the_former(record: &mut Record) -> bool {
    for nth in relays(record).collect::<Vec<_>>() {
        let Some(author) = author(record, nth) else { continue };
        let partner = record.got[nth].user;
        let mine = (0..nth).filter(|met| is_met(record, *met) && record.got[*met].user == author);
        let chats: Vec<u64> = mine.map(|met| record.got[met].key).collect();
        let former = (0..nth).find(|met| {
            let got = &record.got[*met];
            is_met(record, *met) && chats.contains(&got.key) && ![author, partner].contains(&got.user)
        });
        if let Some(former) = former {
            let (user, bot) = (record.got[former].user, record.got[former].bot);
            (record.got[nth].user, record.got[nth].bot) = (user, bot);
            return true;
        }
    }
    false
}

/// As if it had been written before its author's message about the partner came.
fn say_before_the_chat(record: &mut Record) -> bool {
    let Some(nth) = relays(record).next() else { return false };
    let Gist::From(done) = record.got[nth].gist else { return false };
    record.done[done].message = 0;
    true
}

fn send_after_the_end(record: &mut Record) -> bool {
    for nth in relays(record).collect::<Vec<_>>() {
        let user = record.got[nth].user;
        let end = record.got[nth..]
            .iter()
            .find(|got| got.user == user && matches!(got.gist, Gist::Notice(saying) if saying.ends_a_chat()));
        if let Some(at) = end.map(|end| end.at) {
            record.got[nth].at = at + Duration::from_millis(5);
            return true;
        }
    }
    false
}

fn is_met(record: &Record, nth: usize) -> bool {
    matches!(record.got[nth].gist, Gist::Notice(Saying::Met { .. }))
}

fn swap_two_pairs(record: &mut Record) -> bool {
    let met: Vec<usize> =
        (record.got.len() / 3..record.got.len()).filter(|nth| is_met(record, *nth)).collect();
    let Some(&one) = met.first() else { return false };
    let key = |nth: usize| record.got[nth].key;
    let Some(&other) =
        met.iter().find(|nth| key(**nth) != key(one) && record.got[**nth].user != record.got[one].user)
    else {
        return false;
    };
    let (one_key, other_key) = (key(one), key(other));
    (record.got[one].key, record.got[other].key) = (other_key, one_key);
    true
}

fn pair_twice(record: &mut Record) -> bool {
    for nth in relays(record).collect::<Vec<_>>() {
        let user = record.got[nth].user;
        let Some((met, Saying::Met { .. })) = last_word(record, user, nth) else { continue };
        let mut second = record.got[met].clone();
        second.at = record.got[nth].at;
        second.key ^= 1;
        record.got.push(second);
        return true;
    }
    false
}

fn repeat_a_relay(record: &mut Record) -> bool {
    // One whose end the server knows, and at once: later the chat may be over.
    let Some(nth) = relays(record).find(|nth| record.got[*nth].answered_at.is_some()) else { return false };
    let copy = record.got[nth].clone();
    record.got.push(copy);
    true
}

fn disorder_two_relays(record: &mut Record) -> bool {
    for first in relays(record).collect::<Vec<_>>() {
        let (user, by) = (record.got[first].user, author(record, first));
        let next = (first + 1..record.got.len()).find(|nth| record.got[*nth].user == user);
        let Some(next) = next.filter(|next| author(record, *next) == by) else { continue };
        let gist = record.got[first].gist;
        record.got[first].gist = std::mem::replace(&mut record.got[next].gist, gist);
        return true;
    }
    false
}

fn lose_a_relay(record: &mut Record) -> bool {
    let Some(nth) = relays(record).next() else { return false };
    record.got.remove(nth);
    true
}

fn paid(record: &Record) -> Option<usize> {
    (0..record.got.len()).find(|nth| {
        matches!(record.got[*nth].gist, Gist::Notice(Saying::PaidCredits { .. } | Saying::PaidDays { .. }))
    })
}

fn book_twice(record: &mut Record) -> bool {
    let Some(nth) = paid(record) else { return false };
    let mut copy = record.got[nth].clone();
    copy.at += Duration::from_millis(1);
    if let Gist::Notice(Saying::PaidCredits { credits: told } | Saying::PaidDays { days: told }) =
        &mut copy.gist
    {
        *told *= 2;
    }
    record.got.push(copy);
    true
}

fn fill_a_purse(record: &mut Record) -> bool {
    let Some(nth) = paid(record) else { return false };
    let gist = &mut record.got[nth].gist;
    if let Gist::Notice(Saying::PaidCredits { credits: told } | Saying::PaidDays { days: told }) = gist {
        *told += 1;
    }
    true
}

fn leave_a_locked_chat(record: &mut Record) -> bool {
    let locked =
        record.got.iter().position(|got| matches!(got.gist, Gist::Notice(Saying::LockedPartner { .. })));
    let Some(locked) = locked else { return false };
    let mut left = record.got[locked].clone();
    left.at += Duration::from_millis(1);
    left.gist = Gist::Notice(Saying::LeftSelf);
    record.got.push(left);
    true
}

fn answer_late(record: &mut Record) -> bool {
    let query = record.done.iter().find_map(|done| match &done.deed {
        Deed::Asks(query) => Some(query.clone()),
        _ => None,
    });
    let Some(reply) = query.and_then(|query| record.replies.get_mut(&query)) else { return false };
    reply.at += Duration::from_secs(11);
    true
}

fn hang_elsewhere(record: &mut Record) -> bool {
    let Some(thread) = record.threads.iter_mut().find(|thread| thread.carries.is_some()) else {
        return false;
    };
    thread.target = if thread.target == 0 { 1 } else { thread.target + 1 };
    true
}
