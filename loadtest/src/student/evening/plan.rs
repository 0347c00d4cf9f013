//! Who comes when and what he means to do, fixed before the first update leaves.
//!
//! So many slots as people shall be in chats at once: a slot is taken by one student after another, so that
//! as many are always there. What a student means to do at a moment he does then if he can (see [`super::mind`]):
//! a slow bot neither delays nor bunches what people say.

use std::time::Duration;

use super::{ADMIN, Gender, Language, Person};
use crate::wire::BotIx;

/// The settings of an evening.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Evening {
    /// People whom the bot knows, those included who come for the first time.
    pub users: u32,
    /// People who are to be in chats at once; some more are there, and look for somebody.
    pub chatting: u32,
    /// From the first who comes to the last word.
    pub length: Duration,
    /// From one message of a person to his next, in the mean; at least half of it and at most one and a half.
    pub talk_every: Duration,
    /// How long somebody stays, in the mean.
    pub stay: Duration,
    /// Share of messages that are no text, 0 to 1.
    pub media: f64,
    /// Share of those who come that register first, 0 to 1.
    pub newcomers: f64,
    /// Everybody locks, pays, and wants another partner, so that a few seconds hold a bit of all.
    pub eager: bool,
    /// Bots.
    pub bots: usize,
    /// Everything random follows from it.
    pub seed: u64,
}

/// Messages a second that people write in all unless told otherwise: with what comes and goes some 60 % of what 17
/// bots may send, so that a message seldom meets a queue.
const TALK_A_SECOND: f64 = 200.0;
/// One who comes and one who goes cost about a dozen messages, for those whom they leave look for others: so many a
/// second leave room for the talk.
const COMERS_A_SECOND: f64 = 7.0;
/// From the end of one chat to the next, a pause between two visits included: so long somebody takes up a place without
/// being in a chat.
const APART: f64 = 24.0;
/// Those at once who come in the first minutes: each is told that he is searched for, and whom he met.
const RAMP_A_SECOND: f64 = 50.0;

impl Evening {
    /// An evening of this size for `bots` bots; how much each talks follows from what the bots may send.
    pub fn new(users: u32, chatting: u32, length: Duration, bots: usize, seed: u64) -> Evening {
        let share = bots as f64 / 17.0;
        let at_once = f64::from(chatting);
        Evening {
            users: users.max(chatting),
            chatting,
            length,
            talk_every: Duration::from_secs_f64((at_once / (TALK_A_SECOND * share)).max(2.5)),
            stay: Duration::from_secs_f64((at_once / (COMERS_A_SECOND * share)).clamp(30.0, 1800.0)),
            media: 0.12,
            newcomers: 0.1,
            eager: false,
            bots,
            seed,
        }
    }

    /// Places, each of which somebody takes up: as many as keep `chatting` people in chats.
    pub fn places(&self) -> u32 {
        if self.eager {
            return self.chatting;
        }
        let comers = f64::from(self.chatting) / self.stay.as_secs_f64().max(1.0);
        self.chatting + (comers * APART) as u32
    }

    /// How long it takes until all are there.
    pub fn ramp(&self) -> Duration {
        let share = self.bots as f64 / 17.0;
        let needed = f64::from(self.places()) / (RAMP_A_SECOND * share);
        Duration::from_secs_f64(needed.min(self.length.as_secs_f64() / 2.0))
    }
}

/// A kind of message that is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// One message of this kind, as the platform names it.
    One(&'static str),
    /// So many photos as one album.
    Album(u8),
}

/// What a student does, or means to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// He comes: registers if the bot does not know him, and looks for somebody.
    Come,
    /// He goes home.
    Go,
    /// He looks for a partner.
    Find,
    /// He says something that nobody else says this evening.
    Say(u32),
    /// He says something that names an account.
    Betray(u32),
    /// He answers what he heard last.
    Reply(u32),
    /// He changes what he said last.
    Change(u32),
    /// He sets a sign on what he heard last.
    Sign,
    /// He sends something that is no text.
    Send(Media),
    /// He wants another partner.
    Next,
    /// He wants never to meet this one again.
    Block,
    /// The same, and says so to the operator.
    Report,
    /// He keeps his partner, and buys what he needs for it.
    Lock,
    /// He wants to be a VIP.
    Vip,
    /// He blocks the bot.
    BlockBot,
    /// He has the operator give his last payment back.
    Refund,
    /// He writes his age.
    Age,
    /// He presses a button.
    Press {
        /// Under this message.
        message: i64,
        /// What it carries.
        data: Box<str>,
    },
    /// He pays the invoice in this message.
    Pay(i64),
}

/// What one student means to do at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Intent {
    /// Since the beginning of the evening.
    pub at: Duration,
    /// By his place in the list.
    pub person: u32,
    /// What.
    pub act: Act,
}

/// A whole evening.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Everybody.
    pub people: Vec<Person>,
    /// Ascending.
    pub intents: Vec<Intent>,
}

/// Of a hundred visits so many hold these, somewhere in the middle.
mod habit {
    pub(super) const NEXT: f64 = 0.15;
    pub(super) const BLOCK: f64 = 0.03;
    pub(super) const REPORT: f64 = 0.02;
    pub(super) const LOCK: f64 = 0.05;
    pub(super) const BLOCKS_THE_BOT: f64 = 0.015;
    /// Of those who lock or are VIPs, so many want their money back.
    pub(super) const REFUND: f64 = 0.3;
    pub(super) const VIP: f64 = 0.03;
    /// Of a hundred messages.
    pub(super) const BETRAYS: f64 = 0.005;
    pub(super) const REPLIES: f64 = 0.05;
    pub(super) const CHANGES: f64 = 0.03;
    pub(super) const SIGNS: f64 = 0.02;
}

/// The same settings give the same evening, act by act.
pub fn plan(evening: &Evening) -> Plan {
    let mut rng = fastrand::Rng::with_seed(evening.seed);
    let newcomers = (f64::from(evening.users) * evening.newcomers) as u32;
    let people = (0..evening.users).map(|nth| person(nth, nth < newcomers, evening, &mut rng)).collect();
    let busy = vec![0; evening.users as usize];
    let mut evening = Writer { evening, rng, people, intents: Vec::new(), said: 0, busy };
    evening.fill_the_slots(newcomers);
    let Writer { people, mut intents, .. } = evening;
    intents.sort_by_key(|intent| intent.at);
    Plan { people, intents }
}

fn person(nth: u32, newcomer: bool, evening: &Evening, rng: &mut fastrand::Rng) -> Person {
    Person {
        // Ten digits as today's are, in no order, and none is the operator's.
        user: ADMIN + 1 + u64::from(nth) * 137 + rng.u64(..137),
        // As many with each bot, and of those who are there at once too.
        bot: nth as BotIx % evening.bots.max(1),
        language: *rng.choice(&Language::ALL).unwrap_or(&Language::English),
        gender: match rng.u8(..20) {
            0..10 => Gender::Male,
            10..19 => Gender::Female,
            _ => Gender::Other,
        },
        age: rng.u8(16..60),
        member: !newcomer,
        vip: rng.f64() < habit::VIP * if evening.eager { 5.0 } else { 1.0 },
    }
}

struct Writer<'a> {
    evening: &'a Evening,
    rng: fastrand::Rng,
    people: Vec<Person>,
    intents: Vec<Intent>,
    said: u32,
    /// Until when each is there, in microseconds.
    busy: Vec<u64>,
}

impl Writer<'_> {
    fn fill_the_slots(&mut self, newcomers: u32) {
        let slots = self.evening.places();
        let ramp = self.evening.ramp().as_secs_f64();
        // When each slot is free; the earliest first, so that people come in the order of time.
        let mut free: std::collections::BinaryHeap<std::cmp::Reverse<(u64, u32)>> = (0..slots)
            .map(|nth| {
                let at = ramp * (f64::from(nth) + self.rng.f64()) / f64::from(slots.max(1));
                std::cmp::Reverse(((at * 1e6) as u64, nth))
            })
            .collect();
        let end = self.evening.length.as_micros() as u64;
        let (mut old, mut new) = (newcomers, 0);
        while let Some(std::cmp::Reverse((at, slot))) = free.pop() {
            // Nobody comes who has no time left to say a word.
            if at + 5_000_000 >= end {
                continue;
            }
            let is_new = new < newcomers && self.rng.f64() < self.evening.newcomers;
            let person = if is_new { Some(new) } else { self.who_comes(&mut old, newcomers, at) };
            new += u32::from(is_new);
            // With fewer people than places, some stay empty for a while.
            let Some(person) = person else {
                free.push(std::cmp::Reverse((at + 1_000_000, slot)));
                continue;
            };
            let stay = (self.exponential(self.evening.stay) * 1e6) as u64;
            let stay = stay.max(8_000_000);
            self.busy[person as usize] = at + stay + 1_000_000;
            self.visit(person, at, at + stay, end);
            free.push(std::cmp::Reverse((at + stay + self.rng.u64(200_000..2_000_000), slot)));
        }
    }

    /// The next one who is not there already; those who came for the first time come back as well where there are
    /// no others.
    fn who_comes(&mut self, next: &mut u32, newcomers: u32, at: u64) -> Option<u32> {
        let first = if newcomers < self.evening.users { newcomers } else { 0 };
        for _ in first..self.evening.users {
            let person = (*next).max(first);
            let person = if person < self.evening.users { person } else { first };
            *next = person + 1;
            if self.busy[person as usize] <= at {
                return Some(person);
            }
        }
        None
    }

    fn exponential(&mut self, mean: Duration) -> f64 {
        -mean.as_secs_f64() * (1.0 - self.rng.f64()).ln()
    }

    /// One visit from `from` to `to`, in microseconds; what lies behind `end` is left out, and who is there then
    /// stays.
    fn visit(&mut self, person: u32, from: u64, to: u64, end: u64) {
        self.intend(from, person, Act::Come);
        let mut at = from;
        loop {
            at += (self.evening.talk_every.as_secs_f64() * (0.5 + self.rng.f64()) * 1e6) as u64;
            if at >= to.min(end) {
                break;
            }
            let act = self.message();
            self.intend(at, person, act);
        }
        // The eager ones do one of the rarer things each time they come.
        let rare = habit::NEXT + habit::BLOCK + habit::REPORT + habit::LOCK + habit::BLOCKS_THE_BOT;
        let draw = self.rng.f64() * if self.evening.eager { rare } else { 1.0 };
        let mut below = 0.0;
        let mut is = |share: f64| {
            below += share;
            draw < below
        };
        let act = if is(habit::NEXT) {
            Some(Act::Next)
        } else if is(habit::BLOCK) {
            Some(Act::Block)
        } else if is(habit::REPORT) {
            Some(Act::Report)
        } else if is(habit::LOCK) {
            Some(Act::Lock)
        } else if is(habit::BLOCKS_THE_BOT) {
            Some(Act::BlockBot)
        } else {
            None
        };
        if self.evening.eager {
            // Long enough after they came to have registered, and to be with somebody.
            self.intend(from + 9_000_000, person, Act::Lock);
        }
        let pays = act == Some(Act::Lock) || self.people[person as usize].vip;
        if let Some(act) = act {
            let stay = to.min(end).saturating_sub(from) as f64;
            // The eager ones once they have had the time to register and to lock their chats.
            let after = match self.evening.eager {
                true => self.rng.f64() * 6e6 + 18e6,
                false => stay * (0.3 + 0.5 * self.rng.f64()),
            };
            let middle = from + after as u64;
            self.intend(middle, person, act);
        }
        if pays && self.rng.f64() < habit::REFUND {
            // Not all at the end, for one operator serves them; who has not paid by then asks for nothing.
            let part = if self.evening.eager { 0.95 } else { 0.5 + 0.48 * self.rng.f64() };
            let late = from + (to.min(end).saturating_sub(from) as f64 * part) as u64;
            self.intend(late, person, Act::Refund);
        }
        if to < end {
            self.intend(to, person, Act::Go);
        }
    }

    fn message(&mut self) -> Act {
        self.said += 1;
        let mut draw = self.rng.f64();
        let acts = [Act::Betray(self.said), Act::Reply(self.said), Act::Change(self.said), Act::Sign];
        let shares = [habit::BETRAYS, habit::REPLIES, habit::CHANGES, habit::SIGNS];
        for (act, share) in acts.into_iter().zip(shares) {
            if draw < share {
                return act;
            }
            draw -= share;
        }
        if self.rng.f64() >= self.evening.media {
            return Act::Say(self.said);
        }
        Act::Send(match self.rng.u8(..20) {
            0..7 => Media::One("photo"),
            7..11 => Media::One("voice"),
            11..15 => Media::One("sticker"),
            15 => Media::One("video"),
            16 => Media::One("document"),
            17 => Media::One("location"),
            18 => Media::One("contact"),
            _ => Media::Album(2),
        })
    }

    fn intend(&mut self, at: u64, person: u32, act: Act) {
        self.intents.push(Intent { at: Duration::from_micros(at), person, act });
    }
}

/// Something that nobody else says: words, and the number in letters, which look like no telephone number.
pub fn words(language: Language, nth: u32) -> String {
    const WORDS: [[&str; 5]; 3] = [
        ["مرحبا كيف حالك", "من أي مدينة أنت", "ماذا تفعل الآن؟", "ههههه", "أنا أحب الشعر والموسيقى كثيرا"],
        [
            "hello there",
            "how was your day",
            "what do you study?",
            "haha",
            "I like long walks and short poems, and you",
        ],
        ["سلام خوبی", "اهل کجایی", "چه کار می‌کنی؟", "هاهاها", "من عاشق شعر و موسیقی و باران هستم"],
    ];
    let words = WORDS[language as usize][nth as usize % 5];
    let mut mark = String::new();
    let mut rest = nth;
    while mark.len() < 2 || rest > 0 {
        mark.push(char::from(b'a' + (rest % 26) as u8));
        rest /= 26;
    }
    format!("{words} {mark}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> Evening {
        Evening::new(500, 100, Duration::from_secs(60), 3, 7)
    }

    #[test]
    fn the_same_settings_give_the_same_evening() {
        let (one, two) = (plan(&small()), plan(&small()));
        assert_eq!((one.people, one.intents), (two.people, two.intents));
    }

    #[test]
    fn as_many_are_there_as_asked_for_and_nobody_twice() {
        let evening = small();
        let plan = plan(&evening);
        let mut there = std::collections::HashSet::new();
        let mut most = 0;
        for intent in &plan.intents {
            match intent.act {
                Act::Come => assert!(there.insert(intent.person), "came twice"),
                Act::Go => assert!(there.remove(&intent.person)),
                _ => {}
            }
            most = most.max(there.len());
        }
        assert_eq!(most, evening.places() as usize);
        assert!((100..140).contains(&most));
    }

    #[test]
    fn everything_that_is_said_is_said_once() {
        let texts: std::collections::HashSet<String> =
            (0..5_000).flat_map(|nth| Language::ALL.map(|language| words(language, nth))).collect();
        assert_eq!(texts.len(), 15_000);
    }
}
