//! What is said, unrendered: the payloads of this kind's envelopes. A durable format.

use super::profile::{Profile, Wanted};
use super::texts::{Key, Language};
use nobat_core::bot::Unrenderable;
use nobat_core::envelope::Payload;
use nobat_core::id::PairNo;
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
    /// What his partner wrote.
    Relayed { text: String },
}

const TEXT: u16 = 1;
const NUMBER: u16 = 2;
const OWN: u16 = 3;
const MET: u16 = 4;
const WANTED_SET: u16 = 5;
const PRESSED: u16 = 6;
const RELAYED: u16 = 7;

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
            Self::Pressed { language, id, notice } => {
                out.put_u8(*language as u8);
                out.put_str(id);
                out.put_u8(notice.map_or(0, |key| key as u8 + 1));
            }
            Self::Relayed { text } => out.put_str(text),
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

    fn decode(template: u16, from: &mut Reader<'_>) -> Result<Self, Malformed> {
        if template == RELAYED {
            return Ok(Self::Relayed { text: from.str()?.to_owned() });
        }
        let language = Language::from_u8(from.u8()?).ok_or(Malformed("an unknown language"))?;
        Ok(match template {
            TEXT => Self::Text { language, key: key(from.u8()?)? },
            NUMBER => Self::Number { language, key: key(from.u8()?)?, number: from.varint()? },
            OWN => Self::Own { language, profile: Profile::decode(from)?, vip: flag(from)? },
            MET => Self::Met { language, pair: PairNo(from.varint()?), profile: Profile::decode(from)? },
            WANTED_SET => {
                let wanted = Wanted::from_u8(from.u8()?).ok_or(Malformed("an unknown wish"))?;
                Self::WantedSet { language, wanted }
            }
            PRESSED => {
                let id = from.str()?.to_owned();
                let notice = match from.u8()? {
                    0 => None,
                    n => Some(key(n - 1)?),
                };
                Self::Pressed { language, id, notice }
            }
            _ => return Err(Malformed("an unknown template")),
        })
    }
}

fn key(n: u8) -> Result<Key, Malformed> {
    Key::from_u8(n).ok_or(Malformed("an unknown text"))
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
    use super::*;
    use proptest::prelude::*;

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
        let wanted = [
            "1 0006",
            "2 0219ac02",
            "3 020321ac0201",
            "4 02ac020321ac02",
            "5 0202",
            "6 02026964 22",
            "6 020000",
            "7 08d8b3d984d8a7d985",
        ];
        assert_eq!(shown, wanted.map(|line| line.replace("64 22", "6422")));
    }

    proptest! {
        #[test]
        fn any_arguments_are_read_without_a_panic(template in 0u16..10, args: Vec<u8>) {
            let _ = Say::read(&Payload { template, args: args.into() });
        }
    }
}
