//! What the bot wants said, as it travels in an envelope: a template's number and its arguments.
//!
//! A durable format: an envelope may be sent by a later version of the program. The layout of a template
//! never changes; a new layout gets a new number.

use super::dataset::ExamNumber;
use super::texts::{Key, Language};
use nobat_core::bot::Unrenderable;
use nobat_core::envelope::Payload;
use nobat_core::id::MessageId;
use nobat_core::record::{Malformed, Reader, Write};

/// What to say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Say {
    /// A text whose values follow from the data set or are none.
    Text { language: Language, key: Key },
    /// The welcome; on a lane that is not the user's own, with the way there.
    Start { language: Language, home: Option<u16> },
    /// A text about a number.
    OfNumber { language: Language, key: Key, number: ExamNumber },
    /// A text about a name.
    OfName { language: Language, key: Key, name: String },
    /// A text about a time, and a place in the queue.
    Timed { language: Language, key: Key, amount: u32, place: u32 },
    /// The card of who has this number, if the code is his.
    Card { language: Language, number: ExamNumber, code: Option<u64> },
    /// The card of the one who was chosen from a list; `tag` proves the choice.
    Chosen { language: Language, number: ExamNumber, tag: u64 },
    /// What the list shows of its `nth` entry, and how to get at the marks.
    Candidate { language: Language, name: String, nth: u8 },
    /// Who has this name, a page of them; in place of an earlier page if `edit` names it.
    Names { language: Language, name: String, page: u8, edit: Option<MessageId> },
    /// The press of a button is answered, with a notice or without.
    Pressed { language: Language, id: String, notice: Option<Key> },
}

const TEXT: u16 = 1;
const START: u16 = 2;
const OF_NUMBER: u16 = 3;
const OF_NAME: u16 = 4;
const TIMED: u16 = 5;
const CARD: u16 = 6;
const CHOSEN: u16 = 7;
const NAMES: u16 = 8;
const PRESSED: u16 = 9;
const CANDIDATE: u16 = 10;

impl Say {
    pub(super) const fn language(&self) -> Language {
        match self {
            Self::Text { language, .. }
            | Self::Start { language, .. }
            | Self::OfNumber { language, .. }
            | Self::OfName { language, .. }
            | Self::Timed { language, .. }
            | Self::Card { language, .. }
            | Self::Chosen { language, .. }
            | Self::Candidate { language, .. }
            | Self::Names { language, .. }
            | Self::Pressed { language, .. } => *language,
        }
    }

    const fn template(&self) -> u16 {
        match self {
            Self::Text { .. } => TEXT,
            Self::Start { .. } => START,
            Self::OfNumber { .. } => OF_NUMBER,
            Self::OfName { .. } => OF_NAME,
            Self::Timed { .. } => TIMED,
            Self::Card { .. } => CARD,
            Self::Chosen { .. } => CHOSEN,
            Self::Candidate { .. } => CANDIDATE,
            Self::Names { .. } => NAMES,
            Self::Pressed { .. } => PRESSED,
        }
    }

    pub(super) fn payload(&self) -> Payload {
        let mut out = Vec::with_capacity(24);
        out.put_u8(self.language() as u8);
        match self {
            Self::Text { key, .. } => out.put_u8(*key as u8),
            Self::Start { home, .. } => out.put_varint(home.map_or(0, |h| u64::from(h) + 1)),
            Self::OfNumber { key, number, .. } => {
                out.put_u8(*key as u8);
                out.put_u64(number.packed());
            }
            Self::OfName { key, name, .. } => {
                out.put_u8(*key as u8);
                out.put_str(name);
            }
            Self::Timed { key, amount, place, .. } => {
                out.put_u8(*key as u8);
                out.put_u32(*amount);
                out.put_u32(*place);
            }
            Self::Card { number, code, .. } => {
                out.put_u64(number.packed());
                out.put_u8(u8::from(code.is_some()));
                out.put_u64(code.unwrap_or(0));
            }
            Self::Chosen { number, tag, .. } => {
                out.put_u64(number.packed());
                out.put_u64(*tag);
            }
            Self::Candidate { name, nth, .. } => {
                out.put_str(name);
                out.put_u8(*nth);
            }
            Self::Names { name, page, edit, .. } => {
                out.put_str(name);
                out.put_u8(*page);
                out.put_u8(u8::from(edit.is_some()));
                out.put_signed(edit.map_or(0, |m| m.0));
            }
            Self::Pressed { id, notice, .. } => {
                out.put_str(id);
                out.put_u8(notice.map_or(0, |k| k as u8 + 1));
            }
        }
        Payload { template: self.template(), args: out.into() }
    }

    pub(super) fn read(payload: &Payload) -> Result<Self, Unrenderable> {
        Self::decode(payload).map_err(|Malformed(what)| Unrenderable(what))
    }

    fn decode(payload: &Payload) -> Result<Self, Malformed> {
        let mut from = Reader::new(&payload.args);
        let from = &mut from;
        let language = Language::from_u8(from.u8()?).ok_or(Malformed("an unknown language"))?;
        let said = match payload.template {
            TEXT => Self::Text { language, key: key(from)? },
            START => Self::Start { language, home: home(from)? },
            OF_NUMBER => Self::OfNumber { language, key: key(from)?, number: number(from)? },
            OF_NAME => Self::OfName { language, key: key(from)?, name: from.str()?.to_owned() },
            TIMED => Self::Timed { language, key: key(from)?, amount: from.u32()?, place: from.u32()? },
            CARD => {
                let number = number(from)?;
                let (some, code) = (flag(from)?, from.u64()?);
                Self::Card { language, number, code: some.then_some(code) }
            }
            CHOSEN => Self::Chosen { language, number: number(from)?, tag: from.u64()? },
            CANDIDATE => Self::Candidate { language, name: from.str()?.to_owned(), nth: from.u8()? },
            NAMES => {
                let (name, page) = (from.str()?.to_owned(), from.u8()?);
                let (some, message) = (flag(from)?, MessageId(from.signed()?));
                Self::Names { language, name, page, edit: some.then_some(message) }
            }
            PRESSED => {
                let id = from.str()?.to_owned();
                let notice = match from.u8()? {
                    0 => None,
                    k => Some(Key::from_u8(k - 1).ok_or(Malformed("an unknown text"))?),
                };
                Self::Pressed { language, id, notice }
            }
            _ => return Err(Malformed("an unknown template")),
        };
        if from.is_empty() { Ok(said) } else { Err(Malformed("trailing arguments")) }
    }
}

fn key(from: &mut Reader<'_>) -> Result<Key, Malformed> {
    Key::from_u8(from.u8()?).ok_or(Malformed("an unknown text"))
}

fn number(from: &mut Reader<'_>) -> Result<ExamNumber, Malformed> {
    ExamNumber::from_packed(from.u64()?).ok_or(Malformed("not an exam number"))
}

fn flag(from: &mut Reader<'_>) -> Result<bool, Malformed> {
    match from.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Malformed("neither there nor missing")),
    }
}

fn home(from: &mut Reader<'_>) -> Result<Option<u16>, Malformed> {
    match from.varint()? {
        0 => Ok(None),
        lane => Ok(Some(u16::try_from(lane - 1).map_err(|_| Malformed("a lane over 16 bits"))?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all() -> Vec<Say> {
        let language = Language::English;
        let number = ExamNumber::parse("0123").unwrap();
        let name = "علي".to_owned();
        vec![
            Say::Text { language, key: Key::Help },
            Say::Start { language, home: Some(3) },
            Say::Start { language: Language::Arabic, home: None },
            Say::OfNumber { language, key: Key::NotFound, number },
            Say::OfName { language, key: Key::NotFoundName, name: name.clone() },
            Say::Timed { language, key: Key::Wait, amount: 7, place: 9 },
            Say::Card { language, number, code: None },
            Say::Card { language, number, code: Some(5) },
            Say::Chosen { language, number, tag: u64::MAX },
            Say::Names { language, name: name.clone(), page: 2, edit: None },
            Say::Names { language, name, page: 2, edit: Some(MessageId(-1)) },
            Say::Pressed { language, id: "id".into(), notice: Some(Key::Changed) },
            Say::Pressed { language, id: String::new(), notice: None },
            Say::Candidate { language, name: "علي".to_owned(), nth: 9 },
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
        let wanted = include_str!("../../testdata/payloads_v1.txt");
        assert_eq!(shown, wanted.lines().collect::<Vec<_>>());
    }

    proptest! {
        #[test]
        fn any_arguments_are_read_without_a_panic(template in 0u16..12, args: Vec<u8>) {
            let _ = Say::read(&Payload { template, args: args.into() });
        }
    }
}
