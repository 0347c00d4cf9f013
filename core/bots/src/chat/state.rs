//! What is remembered of one user, and what can happen to it. Both are durable formats.
//!
//! Whether he waits, with whom he is paired, whom he has blocked and when he is rung is the engine's and is
//! not repeated here.

use super::profile::{Gender, Profile, Wanted};
use super::purse::{self, Gave, Purse};
use super::texts::Language;
use core::time::Duration;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// Why a chat ends, as the one of the two who ends it has it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum Parting {
    /// He left. Also what the other one is told of a report or a block.
    #[default]
    Left = 0,
    /// He left to meet someone else.
    Next = 1,
    /// He reported the other one.
    Reported = 2,
    /// He does not want to meet the other one again.
    Blocked = 3,
    /// He has blocked the bot.
    Gone = 4,
    /// Nobody has said anything for long.
    Idle = 5,
}

impl Parting {
    const ALL: [Self; 6] = [Self::Left, Self::Next, Self::Reported, Self::Blocked, Self::Gone, Self::Idle];

    pub(super) fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }
}

/// What the bot remembers of one user: about 25 bytes, and his receipts.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct State {
    /// The language he chose; none yet for a newcomer.
    pub language: Option<Language>,
    /// None yet for a newcomer.
    pub gender: Option<Gender>,
    /// In years; 0 for a newcomer.
    pub age: u8,
    /// The next text is taken for his new age.
    pub asked_age: bool,
    /// Whom he wants to meet, while he is a VIP.
    pub wanted: Wanted,
    /// What he has paid for.
    pub purse: Purse,
    /// Until then his partner keeps him in this chat.
    pub held_until: UnixMillis,
    /// Until then he keeps his partner in this chat.
    pub holds_until: UnixMillis,
    /// How many people he has met.
    pub chats: u32,
    /// The lane on which he waits or chats.
    pub lane: u16,
    /// When he last said something in this chat, or it began; up to an eighth of the idle time too early.
    pub said_at: UnixMillis,
    /// Both he and his partner were silent when his partner let him know; see `decide::idle`.
    pub both_silent: bool,
    /// Why the chat ends that is ending in this very turn.
    pub parting: Parting,
    /// How many have reported him since `reported_since`. Who reports is never paired with him again, so
    /// each of them is another one.
    pub reports: u8,
    /// When the first of them did.
    pub reported_since: UnixMillis,
    /// Until then he meets nobody, because too many reported him.
    pub shut_out_until: UnixMillis,
}

/// What happened to one user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// He chose a language.
    LanguageSet(Language),
    /// He said what he is.
    GenderSet(Gender),
    /// He said how old he is.
    AgeSet(u8),
    /// He is asked for his age, or (`false`) no longer.
    AgeAsked(bool),
    /// He chose whom he wants to meet.
    WantedSet(Wanted),
    /// He stands in line, on this lane.
    Sought {
        /// Whose bot answers him.
        lane: u16,
    },
    /// He was paired.
    Met {
        /// Whose bot answers him.
        lane: u16,
        /// When.
        at: UnixMillis,
    },
    /// He said something to his partner; not told again within an eighth of the idle time.
    Said {
        /// When.
        at: UnixMillis,
    },
    /// His partner let him know that he is silent, as he himself is.
    BothSilent,
    /// The chat ends in this turn, for this reason.
    Parting(Parting),
    /// His partner reported him: so many since then.
    Reported {
        /// How many, this one included.
        count: u8,
        /// When the first was.
        since: UnixMillis,
    },
    /// Too many reported him.
    ShutOut {
        /// When he may meet people again.
        until: UnixMillis,
    },
    /// He paid; nothing if this payment is booked.
    Paid {
        /// The platform's number of it.
        charge: Box<str>,
        /// What it cost.
        stars: u32,
        /// What it gives.
        gave: Gave,
        /// When.
        at: UnixMillis,
    },
    /// He got a payment back; nothing if it is not booked, or was given back.
    Refunded {
        /// The platform's number of it.
        charge: Box<str>,
        /// When.
        at: UnixMillis,
    },
    /// He was told that his time as a VIP ends.
    Reminded,
    /// He keeps his partner in the chat.
    Locked {
        /// Until when.
        until: UnixMillis,
        /// What it cost.
        credits: u32,
    },
    /// His partner keeps him in the chat.
    Held {
        /// Until when.
        until: UnixMillis,
    },
}

impl State {
    /// What a partner is shown of him; none until he has said all of it.
    #[must_use]
    pub fn profile(&self) -> Option<Profile> {
        let gender = self.gender.filter(|_| self.language.is_some() && self.age != 0)?;
        Some(Profile { gender, age: self.age, chats: self.chats })
    }

    /// Whether he may choose whom he meets.
    #[must_use]
    pub fn is_vip(&self, now: UnixMillis) -> bool {
        now < self.purse.vip_until
    }

    /// Whether he has said nothing in this chat for so long.
    pub(super) fn silent_for(&self, idle: Duration, now: UnixMillis) -> bool {
        now >= self.said_at.after(idle)
    }

    /// Applies what happened.
    pub fn apply(&mut self, event: &Event) {
        match *event {
            Event::LanguageSet(language) => self.language = Some(language),
            Event::GenderSet(gender) => self.gender = Some(gender),
            Event::AgeSet(age) => (self.age, self.asked_age) = (age, false),
            Event::AgeAsked(asked) => self.asked_age = asked,
            Event::WantedSet(wanted) => self.wanted = wanted,
            Event::Sought { lane } => self.lane = lane,
            Event::Met { lane, at } => {
                self.chats = self.chats.saturating_add(1);
                (self.lane, self.said_at) = (lane, at);
                (self.both_silent, self.parting, self.asked_age) = (false, Parting::Left, false);
                (self.held_until, self.holds_until) = Default::default();
            }
            Event::Said { at } => (self.said_at, self.both_silent) = (at, false),
            Event::BothSilent => self.both_silent = true,
            Event::Parting(why) => self.parting = why,
            Event::Reported { count, since } => (self.reports, self.reported_since) = (count, since),
            Event::ShutOut { until } => (self.shut_out_until, self.reports) = (until, 0),
            Event::Paid { ref charge, stars, gave, at } => self.purse.book(charge, stars, gave, at),
            Event::Refunded { ref charge, at } => self.purse.take_back(charge, at),
            Event::Reminded => self.purse.remind_at = UnixMillis(0),
            Event::Locked { until, credits } => {
                self.purse.credits = self.purse.credits.saturating_sub(credits);
                self.holds_until = until;
            }
            Event::Held { until } => self.held_until = until,
        }
    }
}

/// Of the state's encoding. A later version appends fields and still reads this one. 1 was never released.
const VERSION: u8 = 2;

impl Record for State {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(VERSION);
        out.put_u8(self.language.map_or(0, |language| language as u8 + 1));
        out.put_u8(self.gender.map_or(0, |gender| gender as u8));
        out.put_u8(self.age);
        out.put_u8(u8::from(self.asked_age) | u8::from(self.both_silent) << 1);
        out.put_u8(self.wanted as u8);
        out.put_u8(self.parting as u8);
        out.put_u8(self.reports);
        out.put_varint(u64::from(self.chats));
        out.put_varint(u64::from(self.lane));
        for at in [self.said_at, self.reported_since, self.shut_out_until, self.held_until, self.holds_until]
        {
            out.put_varint(at.0);
        }
        self.purse.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        if from.u8()? != VERSION {
            return Err(Malformed("a chat state of another version"));
        }
        let language = match from.u8()? {
            0 => None,
            n => Some(language(n - 1)?),
        };
        let gender = match from.u8()? {
            0 => None,
            n => Some(gender(n)?),
        };
        let age = from.u8()?;
        let flags = from.u8()?;
        if flags > 3 {
            return Err(Malformed("an unknown flag"));
        }
        Ok(Self {
            language,
            gender,
            age,
            asked_age: flags & 1 != 0,
            both_silent: flags & 2 != 0,
            wanted: wanted(from.u8()?)?,
            parting: parting(from.u8()?)?,
            reports: from.u8()?,
            chats: u32::try_from(from.varint()?).map_err(|_| Malformed("more chats than there are"))?,
            lane: lane(from)?,
            said_at: at(from)?,
            reported_since: at(from)?,
            shut_out_until: at(from)?,
            held_until: at(from)?,
            holds_until: at(from)?,
            purse: Purse::decode(from)?,
        })
    }
}

const LANGUAGE_SET: u8 = 1;
const GENDER_SET: u8 = 2;
const AGE_SET: u8 = 3;
const AGE_ASKED: u8 = 4;
const WANTED_SET: u8 = 5;
const SOUGHT: u8 = 7;
const MET: u8 = 8;
const SAID: u8 = 9;
const BOTH_SILENT: u8 = 10;
const PARTING: u8 = 11;
const REPORTED: u8 = 12;
const SHUT_OUT: u8 = 13;
const PAID: u8 = 14;
const REFUNDED: u8 = 15;
const REMINDED: u8 = 16;
const LOCKED: u8 = 17;
const HELD: u8 = 18;

impl Record for Event {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut put = |kind, values: &[u64]| {
            out.put_u8(kind);
            values.iter().for_each(|value| out.put_varint(*value));
        };
        match *self {
            Self::LanguageSet(language) => put(LANGUAGE_SET, &[language as u64]),
            Self::GenderSet(gender) => put(GENDER_SET, &[gender as u64]),
            Self::AgeSet(age) => put(AGE_SET, &[age.into()]),
            Self::AgeAsked(asked) => put(AGE_ASKED, &[asked.into()]),
            Self::WantedSet(wanted) => put(WANTED_SET, &[wanted as u64]),
            Self::Sought { lane } => put(SOUGHT, &[lane.into()]),
            Self::Met { lane, at } => put(MET, &[lane.into(), at.0]),
            Self::Said { at } => put(SAID, &[at.0]),
            Self::BothSilent => put(BOTH_SILENT, &[]),
            Self::Parting(why) => put(PARTING, &[why as u64]),
            Self::Reported { count, since } => put(REPORTED, &[count.into(), since.0]),
            Self::ShutOut { until } => put(SHUT_OUT, &[until.0]),
            Self::Paid { ref charge, stars, gave, at } => {
                put(PAID, &[stars.into(), at.0]);
                out.put_str(charge);
                purse::put_gave(gave, out);
            }
            Self::Refunded { ref charge, at } => {
                put(REFUNDED, &[at.0]);
                out.put_str(charge);
            }
            Self::Reminded => put(REMINDED, &[]),
            Self::Locked { until, credits } => put(LOCKED, &[until.0, credits.into()]),
            Self::Held { until } => put(HELD, &[until.0]),
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        // The kind is the version: a kind whose fields change gets a new number.
        Ok(match from.u8()? {
            LANGUAGE_SET => Self::LanguageSet(language(byte(from)?)?),
            GENDER_SET => Self::GenderSet(gender(byte(from)?)?),
            AGE_SET => Self::AgeSet(byte(from)?),
            AGE_ASKED => Self::AgeAsked(byte(from)? != 0),
            WANTED_SET => Self::WantedSet(wanted(byte(from)?)?),
            SOUGHT => Self::Sought { lane: lane(from)? },
            MET => Self::Met { lane: lane(from)?, at: at(from)? },
            SAID => Self::Said { at: at(from)? },
            BOTH_SILENT => Self::BothSilent,
            PARTING => Self::Parting(parting(byte(from)?)?),
            REPORTED => Self::Reported { count: byte(from)?, since: at(from)? },
            SHUT_OUT => Self::ShutOut { until: at(from)? },
            PAID => {
                let (stars, at) = (purse::number(from)?, at(from)?);
                Self::Paid { stars, at, charge: from.str()?.into(), gave: purse::gave(from)? }
            }
            REFUNDED => Self::Refunded { at: at(from)?, charge: from.str()?.into() },
            REMINDED => Self::Reminded,
            LOCKED => Self::Locked { until: at(from)?, credits: purse::number(from)? },
            HELD => Self::Held { until: at(from)? },
            _ => return Err(Malformed("a chat event of an unknown kind")),
        })
    }
}

fn byte(from: &mut Reader<'_>) -> Result<u8, Malformed> {
    u8::try_from(from.varint()?).map_err(|_| Malformed("over 8 bits"))
}

fn lane(from: &mut Reader<'_>) -> Result<u16, Malformed> {
    u16::try_from(from.varint()?).map_err(|_| Malformed("a lane over 16 bits"))
}

fn at(from: &mut Reader<'_>) -> Result<UnixMillis, Malformed> {
    from.varint().map(UnixMillis)
}

fn language(n: u8) -> Result<Language, Malformed> {
    Language::from_u8(n).ok_or(Malformed("an unknown language"))
}

fn gender(n: u8) -> Result<Gender, Malformed> {
    Gender::from_u8(n).ok_or(Malformed("an unknown gender"))
}

fn wanted(n: u8) -> Result<Wanted, Malformed> {
    Wanted::from_u8(n).ok_or(Malformed("an unknown wish"))
}

fn parting(n: u8) -> Result<Parting, Malformed> {
    Parting::from_u8(n).ok_or(Malformed("an unknown reason to part"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn bytes(record: &impl Record) -> Vec<u8> {
        let mut out = Vec::new();
        record.encode(&mut out);
        out
    }

    fn events(n: u8, at: u64, lane: u16, i: usize) -> [Event; 17] {
        let at = UnixMillis(at);
        [
            Event::LanguageSet(Language::ALL[i]),
            Event::GenderSet(Gender::ALL[i]),
            Event::AgeSet(n),
            Event::AgeAsked(n > 9),
            Event::WantedSet(Wanted::ALL[i]),
            Event::Sought { lane },
            Event::Met { lane, at },
            Event::Said { at },
            Event::BothSilent,
            Event::Parting(Parting::ALL[i + 2]),
            Event::Reported { count: n, since: at },
            Event::ShutOut { until: at },
            Event::Paid { charge: "c".into(), stars: 300, gave: Gave::Credits(n.into()), at },
            Event::Refunded { charge: "c".into(), at },
            Event::Reminded,
            Event::Locked { until: at, credits: n.into() },
            Event::Held { until: at },
        ]
    }

    #[test]
    fn the_bytes_are_the_same_for_ever() {
        let hex = |record: &[u8]| record.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let mut state = State::default();
        let mut shown = vec![hex(&bytes(&state))];
        for event in events(20, 300, 1, 1) {
            state.apply(&event);
            shown.push(hex(&bytes(&event)));
        }
        shown.push(hex(&bytes(&state)));
        let wanted = include_str!("../../testdata/chat_records_v2.txt");
        assert_eq!(shown, wanted.lines().collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn states_and_events_survive(n: u8, at: u64, lane: u16, i in 0usize..3) {
            let mut state = State::default();
            for event in events(n, at, lane, i) {
                prop_assert_eq!(Event::from_bytes(&bytes(&event)), Ok(event.clone()));
                state.apply(&event);
                prop_assert_eq!(State::from_bytes(&bytes(&state)), Ok(state.clone()));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = State::from_bytes(&bytes);
            let _ = Event::from_bytes(&bytes);
        }
    }
}
