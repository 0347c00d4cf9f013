//! Each user's evening as it looked to him: what he did, what he got, and the chats that he was told of.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::record::{Deed, Done, Gist, Got, Record};
use crate::auditor::proof::Proofs;
use crate::auditor::{Audit, Check, Log, Rules, Sent, Trip};
use crate::student::evening::label::Label;
use crate::student::evening::reading::Saying;
use crate::wire::{At, BotIx};

/// Messages to one user that may be under way, or not known to have arrived, at a kill.
const COPIES_MAX: usize = 6;

/// A chat as one of its two was told of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spell {
    /// Which chat.
    pub(super) key: u64,
    /// He was told of his partner.
    pub(super) met_at: At,
    /// By this bot.
    pub(super) bot: BotIx,
    /// By the message of this number in his chat.
    pub(super) message: i64,
    /// What he was told of him.
    pub(super) shown: Saying,
    /// He was told of its end (or blocked the bot), and how.
    pub(super) end: Option<(At, End)>,
}

/// How a chat ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// By these words.
    Told(Saying),
    /// He blocked the bot, and could not be told anything.
    BlockedBot,
}

/// One user's evening.
#[derive(Debug)]
pub(super) struct Story {
    pub(super) user: u64,
    /// Places in the record, by time.
    pub(super) done: Vec<usize>,
    /// The same.
    pub(super) got: Vec<usize>,
    /// Of each message in `got`: the chat he was in when it came, by its place in `spells`.
    pub(super) during: Vec<Option<usize>>,
    pub(super) spells: Vec<Spell>,
    /// Of `got`: second copies that a kill or a lost answer excuses.
    pub(super) copies: HashSet<usize>,
    /// What was odd about his chats, with the moment.
    odd: Vec<(At, Check, &'static str)>,
}

/// Everybody's.
#[derive(Debug)]
pub(super) struct Stories<'a> {
    pub(super) log: &'a Log,
    pub(super) record: &'a Record,
    /// By user, so that findings come in the same order each time.
    pub(super) of: BTreeMap<u64, Story>,
    /// The users and spells of each chat.
    pub(super) chats: HashMap<u64, Vec<(u64, usize)>>,
}

impl<'a> Stories<'a> {
    pub(super) fn of(log: &'a Log, record: &'a Record, rules: &Rules) -> Stories<'a> {
        let mut of: BTreeMap<u64, Story> = BTreeMap::new();
        let mut entry = |user: u64, done: Option<usize>, got: Option<usize>| {
            let story = of.entry(user).or_insert_with(|| Story::new(user));
            story.done.extend(done);
            story.got.extend(got);
        };
        record.done.iter().enumerate().for_each(|(nth, done)| entry(done.user, Some(nth), None));
        record.got.iter().enumerate().for_each(|(nth, got)| entry(got.user, None, Some(nth)));
        let proofs = Proofs::of(log, rules.ends_within);
        let mut chats: HashMap<u64, Vec<(u64, usize)>> = HashMap::new();
        for story in of.values_mut() {
            story.find_the_copies(record, &proofs);
            story.find_the_chats(record);
            for (nth, spell) in story.spells.iter().enumerate() {
                chats.entry(spell.key).or_default().push((story.user, nth));
            }
        }
        Stories { log, record, of, chats }
    }

    pub(super) fn done(&self, nth: usize) -> &'a Done {
        &self.record.done[nth]
    }

    pub(super) fn got(&self, nth: usize) -> &'a Got {
        &self.record.got[nth]
    }

    pub(super) fn trip(&self, nth: usize) -> Option<&'a Trip> {
        let done = self.done(nth);
        self.log.trips.get(&(done.bot, done.update_id))
    }

    /// From here on the bot may know of it.
    pub(super) fn known_at(&self, nth: usize) -> Option<At> {
        self.trip(nth).map(|trip| trip.first_sent_at)
    }

    /// By then it had been dealt with.
    pub(super) fn settled_at(&self, nth: usize) -> Option<At> {
        self.trip(nth)?.acknowledged_at
    }

    /// The other one of a chat.
    pub(super) fn partner(&self, key: u64, user: u64) -> Option<(u64, usize)> {
        self.chats.get(&key)?.iter().copied().find(|(other, _)| *other != user)
    }

    /// When the first of the two was told of the chat: by then it had begun, whatever waits for the other.
    pub(super) fn began_at(&self, key: u64) -> At {
        let members = self.chats.get(&key).into_iter().flatten();
        let told = members.filter_map(|(user, nth)| Some(self.of.get(user)?.spells.get(*nth)?.met_at));
        told.min().unwrap_or_default()
    }

    /// What he did that made him look for the partner of this spell.
    pub(super) fn sought(&self, story: &Story, spell: &Spell) -> Option<usize> {
        let began_at = self.began_at(spell.key);
        let before = |nth: &&usize| self.done(**nth).queued_at < began_at;
        let seeks = |nth: &&usize| seeks(&self.done(**nth).deed);
        story.done.iter().rev().filter(before).find(seeks).copied()
    }

    /// Who is in two chats, and chats that are not of two.
    pub(super) fn judge(&self, audit: &mut Audit) {
        for story in self.of.values() {
            for &(at, check, what) in &story.odd {
                audit.find(check, at, story.user, || what.to_owned());
            }
            for copy in story.copies.iter().map(|copy| self.got(*copy)) {
                audit.find(Check::ExcusedRepeat, copy.at, story.user, || format!("{:?} again", copy.gist));
            }
            for spell in &story.spells {
                self.judge_pair(story, spell, audit);
            }
        }
        for (key, members) in &self.chats {
            let mut users: Vec<u64> = members.iter().map(|(user, _)| *user).collect();
            users.sort_unstable();
            users.dedup();
            if let (true, Some(first)) = (users.len() > 2, self.of.get(&users[0])) {
                let at = first.spells.iter().find(|spell| spell.key == *key).map(|spell| spell.met_at);
                audit.find(Check::PairBroken, at.unwrap_or_default(), users[0], || {
                    format!("{} users were told to be in one chat", users.len())
                });
            }
        }
    }

    /// He must be shown his partner, and his partner must have been told of him.
    fn judge_pair(&self, story: &Story, spell: &Spell, audit: &mut Audit) {
        let Some((other, _)) = self.partner(spell.key, story.user) else {
            // A partner who blocks his bot at that moment is told nothing.
            let gone = matches!(spell.end, Some((_, End::Told(Saying::PartnerGone) | End::BlockedBot)));
            if !gone {
                audit.find(Check::PairBroken, spell.met_at, story.user, || {
                    "was told of a partner, and nobody was told of him".to_owned()
                });
            }
            return;
        };
        let (Saying::Met { gender, age }, Some(person)) = (spell.shown, self.record.people.get(&other))
        else {
            return;
        };
        if u32::from(person.age) != age || gender.is_some_and(|gender| gender != person.gender) {
            audit.find(Check::PairBroken, spell.met_at, story.user, || {
                format!("was shown somebody else than his partner {other}")
            });
        }
    }
}

impl Story {
    fn new(user: u64) -> Story {
        Story {
            user,
            done: Vec::new(),
            got: Vec::new(),
            during: Vec::new(),
            spells: Vec::new(),
            copies: HashSet::new(),
            odd: Vec::new(),
        }
    }

    /// What a killed server's successor sent again because it could not know that it had arrived. It sends in order:
    /// its first messages to a user are the last ones that he had before the kill.
    fn find_the_copies(&mut self, record: &Record, proofs: &Proofs) {
        let sent: Vec<Sent> = self.got.iter().map(|nth| record.got[*nth].as_sent()).collect();
        let same = |one: usize, other: usize| {
            let (one, other) = (&record.got[self.got[one]], &record.got[self.got[other]]);
            (one.gist, one.key) == (other.gist, other.key)
        };
        for next in 1..sent.len() {
            let most = COPIES_MAX.min(next).min(sent.len() - next);
            let count = (1..=most).rev().find(|count| {
                (0..*count).all(|nth| {
                    let (first, again) = (next - count + nth, next + nth);
                    same(first, again) && proofs.excuse(&sent[first], &sent[again])
                })
            });
            let count = count.unwrap_or(0);
            self.copies.extend(&self.got[next..next + count]);
        }
    }

    fn find_the_chats(&mut self, record: &Record) {
        let mut blocks = self.done.iter().map(|nth| &record.done[*nth]).filter(|d| d.deed == Deed::Blocked);
        let mut block = blocks.next();
        let mut open: Option<usize> = None;
        for nth in &self.got {
            let got = &record.got[*nth];
            while let Some(blocked) = block.filter(|blocked| blocked.queued_at <= got.at) {
                if let Some(spell) = open.take() {
                    self.spells[spell].end = Some((blocked.queued_at, End::BlockedBot));
                }
                block = blocks.next();
            }
            self.during.push(open);
            let Gist::Notice(saying) = got.gist else { continue };
            if self.copies.contains(nth) {
                continue;
            }
            match saying {
                Saying::Met { .. } => {
                    let what = match open.map(|open| self.spells[open].key == got.key) {
                        Some(true) => {
                            self.odd.push((got.at, Check::Repeated, "was told of the same partner again"));
                            continue;
                        }
                        Some(false) => Some("was told of a partner while in a chat that nobody had ended"),
                        None => None,
                    };
                    self.odd.extend(what.map(|what| (got.at, Check::TwoChats, what)));
                    open = Some(self.spells.len());
                    self.spells.push(Spell {
                        key: got.key,
                        met_at: got.at,
                        bot: got.bot,
                        message: got.message,
                        shown: saying,
                        end: None,
                    });
                }
                ended if ended.ends_a_chat() => match open.take() {
                    Some(spell) => self.spells[spell].end = Some((got.at, End::Told(ended))),
                    None => {
                        let what = "was told of the end of a chat, and was in none";
                        self.odd.push((got.at, Check::Repeated, what));
                    }
                },
                Saying::Menu | Saying::NotChatting | Saying::Searching | Saying::SearchingAlready
                    if open.is_some() =>
                {
                    let what = "was told to be in no chat, and nobody had told him of its end";
                    self.odd.push((got.at, Check::PairBroken, what));
                }
                _ => {}
            }
        }
        if let (Some(blocked), Some(spell)) = (block, open) {
            self.spells[spell].end = Some((blocked.queued_at, End::BlockedBot));
        }
    }

    /// The chat that he believed to be in at this moment, or the last one before.
    pub(super) fn believed(&self, at: At) -> Option<&Spell> {
        self.spells.iter().rev().find(|spell| spell.met_at <= at)
    }
}

/// He wants to be in line after this.
pub(super) fn seeks(deed: &Deed) -> bool {
    match deed {
        Deed::Command(word) => matches!(&**word, "find" | "next"),
        Deed::Pressed { label, .. } => matches!(label, Some(Label::Find | Label::Next)),
        _ => false,
    }
}

/// His chat, if he is in one, may be over after this.
pub(super) fn parts(deed: &Deed) -> bool {
    match deed {
        Deed::Command(word) => matches!(&**word, "stop" | "next" | "block" | "report"),
        Deed::Pressed { label, .. } => {
            matches!(label, Some(Label::Stop | Label::Next | Label::Block | Label::Report))
        }
        Deed::Blocked => true,
        _ => false,
    }
}
