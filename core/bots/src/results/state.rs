//! What is remembered of one user, and what can happen to it. Both are durable formats.

use super::texts::Language;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// What the bot remembers of one user: 20 bytes for most, the last search by name for some.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct State {
    /// The language he chose.
    pub language: Language,
    /// Questions without a result since `misses_since`.
    pub misses: u8,
    /// When the first of them was asked.
    pub misses_since: UnixMillis,
    /// Until then nothing is said about the waiting time again.
    pub wait_told_until: UnixMillis,
    /// The name he searched for last: what the buttons to other pages go through.
    pub name: String,
}

/// What happened to one user.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    /// He chose a language.
    LanguageSet(Language),
    /// A question had no result: so many since then.
    Missed {
        /// How many, this one included.
        count: u8,
        /// When the first was asked.
        since: UnixMillis,
    },
    /// He was told about the waiting time, or that his request is noted.
    WaitTold {
        /// When the wait will be over.
        until: UnixMillis,
    },
    /// He searched for a name that several have.
    Searched(String),
}

impl State {
    /// Applies what happened.
    pub fn apply(&mut self, event: &Event) {
        match event {
            Event::LanguageSet(language) => self.language = *language,
            Event::Missed { count, since } => (self.misses, self.misses_since) = (*count, *since),
            Event::WaitTold { until } => self.wait_told_until = *until,
            Event::Searched(name) => self.name.clone_from(name),
        }
    }
}

/// Of the state's encoding. A later version appends fields and still reads this one.
const VERSION: u8 = 1;

impl Record for State {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(VERSION);
        out.put_u8(self.language as u8);
        out.put_u8(self.misses);
        out.put_varint(self.misses_since.0);
        out.put_varint(self.wait_told_until.0);
        out.put_str(&self.name);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        if from.u8()? != VERSION {
            return Err(Malformed("a results state of another version"));
        }
        Ok(Self {
            language: language(from)?,
            misses: from.u8()?,
            misses_since: UnixMillis(from.varint()?),
            wait_told_until: UnixMillis(from.varint()?),
            name: from.str()?.to_owned(),
        })
    }
}

const LANGUAGE_SET: u8 = 1;
const MISSED: u8 = 2;
const WAIT_TOLD: u8 = 3;
const SEARCHED: u8 = 4;

impl Record for Event {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::LanguageSet(language) => {
                out.put_u8(LANGUAGE_SET);
                out.put_u8(*language as u8);
            }
            Self::Missed { count, since } => {
                out.put_u8(MISSED);
                out.put_u8(*count);
                out.put_varint(since.0);
            }
            Self::WaitTold { until } => {
                out.put_u8(WAIT_TOLD);
                out.put_varint(until.0);
            }
            Self::Searched(name) => {
                out.put_u8(SEARCHED);
                out.put_str(name);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        // The kind is the version: a kind whose fields change gets a new number.
        match from.u8()? {
            LANGUAGE_SET => Ok(Self::LanguageSet(language(from)?)),
            MISSED => Ok(Self::Missed { count: from.u8()?, since: UnixMillis(from.varint()?) }),
            WAIT_TOLD => Ok(Self::WaitTold { until: UnixMillis(from.varint()?) }),
            SEARCHED => Ok(Self::Searched(from.str()?.to_owned())),
            _ => Err(Malformed("a results event of an unknown kind")),
        }
    }
}

fn language(from: &mut Reader<'_>) -> Result<Language, Malformed> {
    Language::from_u8(from.u8()?).ok_or(Malformed("an unknown language"))
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

    #[test]
    fn the_bytes_are_the_same_for_ever() {
        assert_eq!(bytes(&State::default()), [1, 0, 0, 0, 0, 0]);
        let state = State {
            language: Language::English,
            misses: 3,
            misses_since: UnixMillis(300),
            wait_told_until: UnixMillis(5),
            name: "ab".into(),
        };
        assert_eq!(bytes(&state), [1, 1, 3, 0xac, 2, 5, 2, b'a', b'b']);
        assert_eq!(bytes(&Event::LanguageSet(Language::English)), [1, 1]);
        assert_eq!(bytes(&Event::Missed { count: 2, since: UnixMillis(300) }), [2, 2, 0xac, 2]);
        assert_eq!(bytes(&Event::WaitTold { until: UnixMillis(7) }), [3, 7]);
        assert_eq!(bytes(&Event::Searched("a".into())), [4, 1, b'a']);
    }

    proptest! {
        #[test]
        fn states_and_events_survive(n: u8, at: u64, name: String, english: bool) {
            let language = if english { Language::English } else { Language::Arabic };
            let mut state = State::default();
            for event in [
                Event::LanguageSet(language),
                Event::Missed { count: n, since: UnixMillis(at) },
                Event::WaitTold { until: UnixMillis(at / 2) },
                Event::Searched(name),
            ] {
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
