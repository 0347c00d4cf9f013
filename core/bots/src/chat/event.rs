//! What can happen to one user. A durable format: the kind of an event is its version, one whose fields change
//! gets a new number.

use super::circle::Refused;
use super::common::Change;
use super::extras::Ban;
use super::person::Person;
use super::profile::{Gender, Wanted};
use super::purse::{self, Gave};
use super::state::{Parting, at, byte, gender, lane, language, parting, wanted};
use super::texts::Language;
use nobat_core::id::{MessageId, UserId};
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

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
        /// The engine learns the number of the message that tells him so. Journals of before that have pairs without.
        numbered: bool,
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
    /// A part of an album came.
    AlbumPart {
        /// The platform's name of the album.
        name: Box<str>,
        /// The part.
        part: MessageId,
        /// The text under it.
        words: Box<str>,
        /// When.
        at: UnixMillis,
    },
    /// A part of an album came that is not passed on, and he was told.
    AlbumRefused {
        /// The platform's name of the album.
        name: Box<str>,
        /// When.
        at: UnixMillis,
    },
    /// The album was passed on.
    AlbumSent,
    /// The platform is asked whether he is in these channels, a bit each.
    GateAsked {
        /// When.
        at: UnixMillis,
        /// Which.
        open: u8,
    },
    /// It answered for one of them.
    GateHeard {
        /// Which.
        channel: u8,
        /// He is not in it.
        outside: bool,
    },
    /// He is taken to be in all of them until then; at once: he has left one.
    GateOpen {
        /// Until when.
        until: UnixMillis,
    },
    /// He came by somebody's link.
    Invited {
        /// Whose.
        by: UserId,
    },
    /// That one was told that his profile is complete.
    InviteTold,
    /// That one was given a part of a payment, in hundredths of a Star.
    Gave {
        /// The platform's number of the payment.
        charge: Box<str>,
        /// How much.
        stars: u32,
    },
    /// Whom he invited was counted.
    Referred {
        /// Whom; 0 in what an earlier version wrote.
        whom: UserId,
        /// When.
        at: UnixMillis,
        /// VIP days for it.
        days: u16,
    },
    /// Whom he invited was not counted.
    NotReferred {
        /// Whom.
        whom: UserId,
        /// Why.
        why: Refused,
        /// When.
        at: UnixMillis,
    },
    /// A part of a payment is his, in hundredths of a Star; or (`back`) is not any more.
    Earned {
        /// How much.
        stars: u32,
        /// It was taken back.
        back: bool,
    },
    /// He is kept out.
    Banned(Ban),
    /// He is not any more.
    Unbanned,
    /// What another program knew of him was taken over.
    TakenOver {
        /// It.
        person: Box<Person>,
        /// When.
        at: UnixMillis,
    },
    /// The message that says that he waits has turned so often.
    Turned(u8),
    /// An administrator gave him this.
    Given {
        /// What.
        what: Gave,
        /// When.
        at: UnixMillis,
    },
    /// He asked for a partner.
    Looked {
        /// When.
        at: UnixMillis,
    },
    /// For all: an administrator set this, or took it back.
    Set {
        /// The setting.
        key: Box<str>,
        /// Its value; none for that of the configuration.
        value: Option<Box<str>>,
    },
    /// For all: an administrator did something.
    Did(Change),
    /// For all: the platform could not say who is in a channel.
    Unsaid {
        /// When the administrators were told of it, if they were.
        told_at: Option<UnixMillis>,
    },
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
const ALBUM_PART: u8 = 19;
const ALBUM_SENT: u8 = 20;
const GATE_ASKED: u8 = 21;
const GATE_HEARD: u8 = 22;
const GATE_OPEN: u8 = 23;
const INVITED: u8 = 24;
const INVITE_TOLD: u8 = 25;
const GAVE: u8 = 26;
const REFERRED: u8 = 27;
const NOT_REFERRED: u8 = 28;
const EARNED: u8 = 29;
const BANNED: u8 = 30;
const UNBANNED: u8 = 31;
const SET: u8 = 32;
const DID: u8 = 33;
const UNSAID: u8 = 34;
const TURNED: u8 = 35;
const TAKEN_OVER: u8 = 36;
const LOOKED: u8 = 37;
const ALBUM_REFUSED: u8 = 38;
const GIVEN: u8 = 39;
const COUNTED: u8 = 40;
const MET_NUMBERED: u8 = 41;

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
            Self::Met { lane, at, numbered } => {
                put(if numbered { MET_NUMBERED } else { MET }, &[lane.into(), at.0]);
            }
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
            Self::AlbumPart { ref name, part, ref words, at } => {
                put(ALBUM_PART, &[at.0]);
                out.put_str(name);
                out.put_signed(part.0);
                out.put_str(words);
            }
            Self::AlbumRefused { ref name, at } => {
                put(ALBUM_REFUSED, &[at.0]);
                out.put_str(name);
            }
            Self::AlbumSent => put(ALBUM_SENT, &[]),
            Self::GateAsked { at, open } => put(GATE_ASKED, &[at.0, open.into()]),
            Self::GateHeard { channel, outside } => put(GATE_HEARD, &[channel.into(), outside.into()]),
            Self::GateOpen { until } => put(GATE_OPEN, &[until.0]),
            Self::Invited { by } => put(INVITED, &[by.0]),
            Self::InviteTold => put(INVITE_TOLD, &[]),
            Self::Gave { ref charge, stars } => {
                put(GAVE, &[stars.into()]);
                out.put_str(charge);
            }
            Self::Referred { whom: UserId(0), at, days } => put(REFERRED, &[at.0, days.into()]),
            Self::Referred { whom, at, days } => put(COUNTED, &[whom.0, at.0, days.into()]),
            Self::NotReferred { whom, why, at } => put(NOT_REFERRED, &[whom.0, why as u64, at.0]),
            Self::Earned { stars, back } => put(EARNED, &[stars.into(), back.into()]),
            Self::Banned(ref ban) => {
                put(BANNED, &[]);
                ban.encode(out);
            }
            Self::Unbanned => put(UNBANNED, &[]),
            Self::Set { ref key, ref value } => {
                put(SET, &[value.is_some().into()]);
                out.put_str(key);
                value.iter().for_each(|value| out.put_str(value));
            }
            Self::Did(Change { by, at, ref what }) => {
                put(DID, &[by.0, at.0]);
                out.put_str(what);
            }
            Self::TakenOver { ref person, at } => {
                put(TAKEN_OVER, &[at.0]);
                person.encode(out);
            }
            Self::Turned(n) => put(TURNED, &[n.into()]),
            Self::Looked { at } => put(LOOKED, &[at.0]),
            Self::Given { what, at } => {
                put(GIVEN, &[at.0]);
                purse::put_gave(what, out);
            }
            Self::Unsaid { told_at } => put(UNSAID, &[told_at.map_or(0, |at| at.0)]),
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match from.u8()? {
            LANGUAGE_SET => Self::LanguageSet(language(byte(from)?)?),
            GENDER_SET => Self::GenderSet(gender(byte(from)?)?),
            AGE_SET => Self::AgeSet(byte(from)?),
            AGE_ASKED => Self::AgeAsked(byte(from)? != 0),
            WANTED_SET => Self::WantedSet(wanted(byte(from)?)?),
            SOUGHT => Self::Sought { lane: lane(from)? },
            MET => Self::Met { lane: lane(from)?, at: at(from)?, numbered: false },
            MET_NUMBERED => Self::Met { lane: lane(from)?, at: at(from)?, numbered: true },
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
            ALBUM_PART => {
                let (at, name) = (at(from)?, from.str()?.into());
                let part = MessageId(from.signed()?);
                Self::AlbumPart { name, part, words: from.str()?.into(), at }
            }
            ALBUM_REFUSED => Self::AlbumRefused { at: at(from)?, name: from.str()?.into() },
            ALBUM_SENT => Self::AlbumSent,
            GATE_ASKED => Self::GateAsked { at: at(from)?, open: byte(from)? },
            GATE_HEARD => Self::GateHeard { channel: byte(from)?, outside: byte(from)? != 0 },
            GATE_OPEN => Self::GateOpen { until: at(from)? },
            INVITED => Self::Invited { by: UserId(from.varint()?) },
            INVITE_TOLD => Self::InviteTold,
            GAVE => Self::Gave { stars: purse::number(from)?, charge: from.str()?.into() },
            REFERRED => Self::Referred { whom: UserId(0), at: at(from)?, days: lane(from)? },
            COUNTED => {
                let whom = UserId(from.varint()?);
                Self::Referred { whom, at: at(from)?, days: lane(from)? }
            }
            NOT_REFERRED => {
                let (whom, why) = (UserId(from.varint()?), Refused::from_u8(byte(from)?)?);
                Self::NotReferred { whom, why, at: at(from)? }
            }
            EARNED => Self::Earned { stars: purse::number(from)?, back: byte(from)? != 0 },
            BANNED => Self::Banned(Ban::decode(from)?),
            UNBANNED => Self::Unbanned,
            SET => {
                let (has, key) = (byte(from)? != 0, from.str()?.into());
                let value = if has { Some(from.str()?.into()) } else { None };
                Self::Set { key, value }
            }
            DID => {
                let (by, at) = (UserId(from.varint()?), at(from)?);
                Self::Did(Change { by, at, what: from.str()?.into() })
            }
            TAKEN_OVER => {
                let at = at(from)?;
                Self::TakenOver { person: Box::new(Person::decode(from)?), at }
            }
            TURNED => Self::Turned(byte(from)?),
            LOOKED => Self::Looked { at: at(from)? },
            GIVEN => Self::Given { at: at(from)?, what: purse::gave(from)? },
            UNSAID => Self::Unsaid { told_at: Some(at(from)?).filter(|at| at.0 != 0) },
            _ => return Err(Malformed("a chat event of an unknown kind")),
        })
    }
}
