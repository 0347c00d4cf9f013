//! The parts of an album, until all of them are there.
//!
//! The platform tells of each picture of an album by itself, within a moment, and does not tell how many there
//! are. They are kept for [`WAIT`] after the first, then passed on together. A durable format.

use core::time::Duration;
use nobat_core::id::MessageId;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// How long the others of an album are waited for. The platform delivers them within some 100 ms; one that
/// comes later is passed on by itself.
pub(super) const WAIT: Duration = Duration::from_secs(1);
/// Parts of an album: the platform's most.
pub(super) const PARTS_MAX: usize = 10;

/// An album that is coming in.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Album {
    /// The platform's name of it.
    pub name: Box<str>,
    /// Its parts so far; none if one was refused and no other has come.
    pub parts: Vec<MessageId>,
    /// The texts under them, a line each.
    pub words: String,
    /// When the first part came.
    pub since: UnixMillis,
}

impl Album {
    /// When it is passed on.
    pub(super) fn due(&self) -> UnixMillis {
        self.since.after(WAIT)
    }

    pub(super) fn add(&mut self, part: MessageId, words: &str) {
        self.parts.push(part);
        if !words.is_empty() {
            if !self.words.is_empty() {
                self.words.push('\n');
            }
            self.words.push_str(words);
        }
    }
}

impl Record for Album {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_str(&self.name);
        out.put_varint(self.since.0);
        out.put_str(&self.words);
        out.put_u8(self.parts.len() as u8);
        self.parts.iter().for_each(|part| out.put_signed(part.0));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (name, since) = (from.str()?.into(), UnixMillis(from.varint()?));
        let words = from.str()?.to_owned();
        let parts = (0..from.u8()?).map(|_| from.signed().map(MessageId)).collect::<Result<_, _>>()?;
        Ok(Self { name, parts, words, since })
    }
}
