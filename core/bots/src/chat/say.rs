//! What is said, unrendered: the payloads of this kind's envelopes. A durable format.

use super::decide::wait;
use super::note::Note;
use super::passed::{self, Origin, Passed};
use super::profile::{Profile, Wanted};
use super::purse::number;
use super::shop::Offer;
use super::texts::{Key, Language};
use nobat_core::bot::{Echo, Outcome, Thread, Unrenderable};
use nobat_core::envelope::Payload;
use nobat_core::id::{ChatId, MessageId, PairNo, UserId};
use nobat_core::record::{Malformed, Reader, Record, Write};

/// Something to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Say {
    /// A text whose values follow from the settings, with the keyboard that belongs to it.
    Text { language: Language, key: Key },
    /// A text with one number.
    Number { language: Language, key: Key, number: u64 },
    /// His own profile.
    Own { language: Language, profile: Profile, vip: bool },
    /// His partner's profile.
    Met { language: Language, pair: PairNo, profile: Profile },
    /// Whom he wants to meet is noted.
    WantedSet { language: Language, wanted: Wanted },
    /// The press of a button is answered, with a notice or without.
    Pressed { language: Language, id: String, notice: Option<Key> },
    /// What stood under his partner's album.
    Relayed { text: String },
    /// What his partner passes on.
    Passed { origin: Origin, what: Passed },
    /// A text with two numbers.
    Numbers { language: Language, key: Key, first: u64, second: u64 },
    /// What a lock of this chat costs, or where credits come from.
    Locking { language: Language, pair: PairNo, credits: u32 },
    /// An invoice.
    Invoice { language: Language, offer: Offer },
    /// The answer before a payment.
    Checkout { language: Language, id: String, refused: Option<Key> },
    /// The platform is to give a payment back.
    Refund { user: UserId, charge: String },
    /// A text that was found when it was decided.
    Words { text: String },
    /// The platform is asked whether he is in this channel.
    AskMember { user: UserId, number: u8, channel: String },
    /// These messages of a chat, for the administrators.
    Archive { from: ChatId, messages: Vec<MessageId> },
    /// He must join the required channels.
    JoinFirst { language: Language },
    /// The message that says that he waits turns.
    Turned { language: Language, step: u8 },
    /// He wrote something before he was told of this pair; it was not passed on.
    Early { language: Language, pair: PairNo },
}

const TEXT: u16 = 1;
const NUMBER: u16 = 2;
const OWN: u16 = 3;
const MET: u16 = 4;
const WANTED_SET: u16 = 5;
const PRESSED: u16 = 6;
const RELAYED: u16 = 7;
// 8 was a copy without its origin; 14 to 19 are `passed`'s.
const NUMBERS: u16 = 9;
const LOCKING: u16 = 10;
const INVOICE: u16 = 11;
const CHECKOUT: u16 = 12;
const REFUND: u16 = 13;
const WORDS: u16 = 20;
const ASK_MEMBER: u16 = 21;
const ARCHIVE: u16 = 22;
const JOIN_FIRST: u16 = 23;
const TURNED: u16 = 24;
const EARLY: u16 = 25;

impl Say {
    const fn template(&self) -> u16 {
        match self {
            Self::Text { .. } => TEXT,
            Self::Number { .. } => NUMBER,
            Self::Own { .. } => OWN,
            Self::Met { .. } => MET,
            Self::WantedSet { .. } => WANTED_SET,
            Self::Pressed { .. } => PRESSED,
            Self::Relayed { .. } => RELAYED,
            Self::Passed { what, .. } => what.template(),
            Self::Numbers { .. } => NUMBERS,
            Self::Locking { .. } => LOCKING,
            Self::Invoice { .. } => INVOICE,
            Self::Checkout { .. } => CHECKOUT,
            Self::Refund { .. } => REFUND,
            Self::Words { .. } => WORDS,
            Self::AskMember { .. } => ASK_MEMBER,
            Self::Archive { .. } => ARCHIVE,
            Self::JoinFirst { .. } => JOIN_FIRST,
            Self::Turned { .. } => TURNED,
            Self::Early { .. } => EARLY,
        }
    }

    pub(super) fn payload(&self) -> Payload {
        let mut out = Vec::with_capacity(16);
        match self {
            Self::Text { language, key } => {
                out.put_u8(*language as u8);
                out.put_u8(*key as u8);
            }
            Self::Number { language, key, number } => {
                out.put_u8(*language as u8);
                out.put_u8(*key as u8);
                out.put_varint(*number);
            }
            Self::Own { language, profile, vip } => {
                out.put_u8(*language as u8);
                profile.encode(&mut out);
                out.put_u8(u8::from(*vip));
            }
            Self::Met { language, pair, profile } => {
                out.put_u8(*language as u8);
                out.put_varint(pair.0);
                profile.encode(&mut out);
            }
            Self::WantedSet { language, wanted } => {
                out.put_u8(*language as u8);
                out.put_u8(*wanted as u8);
            }
            Self::Pressed { language, id, notice: key } | Self::Checkout { language, id, refused: key } => {
                out.put_u8(*language as u8);
                out.put_str(id);
                out.put_u8(key.map_or(0, |key| key as u8 + 1));
            }
            Self::Relayed { text } | Self::Words { text } => out.put_str(text),
            Self::AskMember { user, number, channel } => {
                out.put_varint(user.0);
                out.put_u8(*number);
                out.put_str(channel);
            }
            Self::Archive { from, messages } => {
                out.put_signed(from.0);
                out.put_u8(messages.len() as u8);
                messages.iter().for_each(|message| out.put_signed(message.0));
            }
            Self::JoinFirst { language } => out.put_u8(*language as u8),
            Self::Turned { language, step } => {
                out.put_u8(*language as u8);
                out.put_u8(*step);
            }
            Self::Early { language, pair } => {
                out.put_u8(*language as u8);
                out.put_varint(pair.0);
            }
            Self::Passed { origin, what } => what.encode(origin, &mut out),
            Self::Numbers { language, key, first, second } => {
                out.put_u8(*language as u8);
                out.put_u8(*key as u8);
                out.put_varint(*first);
                out.put_varint(*second);
            }
            Self::Locking { language, pair, credits } => {
                out.put_u8(*language as u8);
                out.put_varint(pair.0);
                out.put_varint(u64::from(*credits));
            }
            Self::Invoice { language, offer } => {
                out.put_u8(*language as u8);
                out.put_str(&offer.payload());
            }
            Self::Refund { user, charge } => {
                out.put_varint(user.0);
                out.put_str(charge);
            }
        }
        Payload { template: self.template(), args: out.into() }
    }

    pub(super) fn read(payload: &Payload) -> Result<Self, Unrenderable> {
        let mut from = Reader::new(&payload.args);
        let said = Self::decode(payload.template, &mut from);
        match said {
            Ok(said) if from.is_empty() => Ok(said),
            Ok(_) => Err(Unrenderable("trailing arguments")),
            Err(Malformed(what)) => Err(Unrenderable(what)),
        }
    }

    /// Which messages of his partner's it passes on or speaks of.
    pub(super) fn thread(&self) -> Option<Thread> {
        match self {
            Self::Passed { origin, what } => what.thread(origin),
            // Whichever is taken first tells him of the pair.
            Self::Met { pair, .. } | Self::Early { pair, .. } => {
                Some(Thread { pair: *pair, author: UserId(0), copies: vec![Thread::OPENING], refers: None })
            }
            Self::Text { key: Key::Searching | Key::SearchingAlready | Key::LeftNext, .. } => {
                Some(wait::thread(false))
            }
            Self::Turned { .. } => Some(wait::thread(true)),
            _ => None,
        }
    }

    /// Whether somebody waits for what the platform says to it.
    pub(super) const fn asks(payload: &Payload) -> bool {
        payload.template == ASK_MEMBER
    }

    /// How many messages the platform makes of it.
    pub(super) fn messages(payload: &Payload) -> u8 {
        // Read once more only where it can be several.
        let several = matches!(payload.template, passed::ALBUM | ARCHIVE);
        let parts = match several.then(|| Self::read(payload)) {
            Some(Ok(Self::Passed { what: Passed::Album { more, .. }, .. })) => more.len() + 1,
            Some(Ok(Self::Archive { messages, .. })) => messages.len(),
            _ => 1,
        };
        u8::try_from(parts).unwrap_or(u8::MAX)
    }

    /// Who hears what came of it.
    pub(super) fn echo(&self, outcome: Outcome) -> Option<Echo> {
        match self {
            Self::Passed { origin, what } => what.echo(origin, outcome),
            Self::AskMember { user, number, .. } => {
                let joined = match outcome {
                    Outcome::Member(joined) => Some(joined),
                    Outcome::Sent | Outcome::Dropped(_) => None,
                };
                Some(Echo { to: *user, note: Note::Member { channel: *number, joined }.bytes() })
            }
            _ => None,
        }
    }

    fn decode(template: u16, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        if let Some(passed) = Passed::decode(template, from) {
            return passed.map(|(origin, what)| Self::Passed { origin, what });
        }
        match template {
            RELAYED => return Ok(Self::Relayed { text: from.str()?.to_owned() }),
            WORDS => return Ok(Self::Words { text: from.str()?.to_owned() }),
            ASK_MEMBER => {
                let (user, number) = (UserId(from.varint()?), from.u8()?);
                return Ok(Self::AskMember { user, number, channel: from.str()?.to_owned() });
            }
            ARCHIVE => {
                let chat = ChatId(from.signed()?);
                let messages = (0..from.u8()?).map(|_| from.signed().map(MessageId));
                return Ok(Self::Archive { from: chat, messages: messages.collect::<Result<_, _>>()? });
            }
            REFUND => {
                let user = UserId(from.varint()?);
                return Ok(Self::Refund { user, charge: from.str()?.to_owned() });
            }
            _ => {}
        }
        let language = Language::from_u8(from.u8()?).ok_or(Malformed("an unknown language"))?;
        Ok(match template {
            JOIN_FIRST => Self::JoinFirst { language },
            TURNED => Self::Turned { language, step: from.u8()? },
            EARLY => Self::Early { language, pair: PairNo(from.varint()?) },
            TEXT => Self::Text { language, key: key(from.u8()?)? },
            NUMBER => Self::Number { language, key: key(from.u8()?)?, number: from.varint()? },
            OWN => Self::Own { language, profile: Profile::decode(from)?, vip: flag(from)? },
            MET => Self::Met { language, pair: PairNo(from.varint()?), profile: Profile::decode(from)? },
            WANTED_SET => {
                let wanted = Wanted::from_u8(from.u8()?).ok_or(Malformed("an unknown wish"))?;
                Self::WantedSet { language, wanted }
            }
            PRESSED => Self::Pressed { language, id: from.str()?.to_owned(), notice: no_key(from)? },
            NUMBERS => {
                let (key, first) = (key(from.u8()?)?, from.varint()?);
                Self::Numbers { language, key, first, second: from.varint()? }
            }
            LOCKING => {
                let pair = PairNo(from.varint()?);
                Self::Locking { language, pair, credits: number(from)? }
            }
            INVOICE => {
                let offer = Offer::read(from.str()?).ok_or(Malformed("an unknown invoice"))?;
                Self::Invoice { language, offer }
            }
            CHECKOUT => Self::Checkout { language, id: from.str()?.to_owned(), refused: no_key(from)? },
            _ => return Err(Malformed("an unknown template")),
        })
    }
}

fn key(n: u8) -> Result<Key, Malformed> {
    Key::from_u8(n).ok_or(Malformed("an unknown text"))
}

fn no_key(from: &mut Reader<'_>) -> Result<Option<Key>, Malformed> {
    match from.u8()? {
        0 => Ok(None),
        n => key(n - 1).map(Some),
    }
}

fn flag(from: &mut Reader<'_>) -> Result<bool, Malformed> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("neither there nor missing")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::profile::Gender;
    use super::super::purse::Gave;
    use super::*;
    use proptest::prelude::*;

    fn passed(what: Passed) -> Say {
        let (pair, author) = (PairNo(300), UserId(1));
        Say::Passed { origin: Origin { pair, author, message: MessageId(7), reply_to: None }, what }
    }

    fn all() -> Vec<Say> {
        let language = Language::Persian;
        let profile = Profile { gender: Gender::Other, age: 33, chats: 300 };
        vec![
            Say::Text { language: Language::Arabic, key: Key::Menu },
            Say::Number { language, key: Key::IdleEnd, number: 300 },
            Say::Own { language, profile, vip: true },
            Say::Met { language, pair: PairNo(300), profile },
            Say::WantedSet { language, wanted: Wanted::Women },
            Say::Pressed { language, id: "id".into(), notice: Some(Key::ChatOver) },
            Say::Pressed { language, id: String::new(), notice: None },
            Say::Relayed { text: "سلام".into() },
            Say::Numbers { language, key: Key::LockedSelf, first: 300, second: 1 },
            Say::Locking { language, pair: PairNo(300), credits: 300 },
            Say::Invoice { language, offer: Offer { gives: Gave::Days(30), stars: 250 } },
            Say::Checkout { language, id: "id".into(), refused: None },
            Say::Refund { user: UserId(300), charge: "c".into() },
            passed(Passed::Said { text: "سلام".into() }),
            passed(Passed::Shown { from: ChatId(300), caption: "c".into() }),
            passed(Passed::Album { from: ChatId(300), more: vec![MessageId(301), MessageId(302)] }),
            passed(Passed::Edited { text: "t".into(), caption: true }),
            passed(Passed::Signed { emoji: "👍".into() }),
            passed(Passed::Typing),
            Say::Words { text: "w".into() },
            Say::AskMember { user: UserId(300), number: 1, channel: "@c".into() },
            Say::Archive { from: ChatId(-300), messages: vec![MessageId(1), MessageId(2)] },
            Say::JoinFirst { language },
            Say::Turned { language, step: 1 },
            Say::Early { language, pair: PairNo(300) },
        ]
    }

    #[test]
    fn everything_that_is_said_survives_its_envelope() {
        for say in all() {
            assert_eq!(Say::read(&say.payload()), Ok(say));
        }
    }

    #[test]
    fn the_bytes_are_the_same_for_ever() {
        let shown: Vec<String> = all()
            .iter()
            .map(|say| {
                let payload = say.payload();
                let hex: String = payload.args.iter().map(|b| format!("{b:02x}")).collect();
                format!("{} {hex}", payload.template)
            })
            .collect();
        let wanted = include_str!("../../testdata/chat_payloads_v2.txt");
        assert_eq!(shown, wanted.lines().collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn any_arguments_are_read_without_a_panic(template in 0u16..27, args: Vec<u8>) {
            let _ = Say::read(&Payload { template, args: args.into() });
        }
    }
}
