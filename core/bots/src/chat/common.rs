//! What belongs to all: settings that administrators changed while the bot ran, and who changed what. A durable
//! format. It is the state of [`nobat_core::bot::COMMON`].

use nobat_core::id::UserId;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// Lines of the log of changes, at most; the journal has all of them.
const LOG_MAX: usize = 50;

/// One change by an administrator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Change {
    /// Who.
    pub by: UserId,
    /// When.
    pub at: UnixMillis,
    /// What, in words.
    pub what: Box<str>,
}

/// What belongs to all.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Common {
    /// Settings and their values, as they were written, by the settings' names. See [`super::knobs`].
    pub values: Vec<(Box<str>, Box<str>)>,
    /// The last changes, oldest first.
    pub log: Vec<Change>,
    /// How often the platform could not say whether somebody is in a channel.
    pub unsaid: u64,
    /// When the administrators were told of that last.
    pub told_at: UnixMillis,
}

impl Common {
    pub(super) fn set(&mut self, key: &str, value: Option<&str>) {
        self.values.retain(|(known, _)| **known != *key);
        self.values.extend(value.map(|value| (key.into(), value.into())));
    }

    pub(super) fn note(&mut self, change: Change) {
        if self.log.len() >= LOG_MAX {
            self.log.remove(0);
        }
        self.log.push(change);
    }
}

impl Record for Common {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(self.values.len() as u64);
        for (key, value) in &self.values {
            out.put_str(key);
            out.put_str(value);
        }
        out.put_varint(self.log.len() as u64);
        for Change { by, at, what } in &self.log {
            out.put_varint(by.0);
            out.put_varint(at.0);
            out.put_str(what);
        }
        out.put_varint(self.unsaid);
        out.put_varint(self.told_at.0);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let values = (0..from.varint()?)
            .map(|_| Ok((from.str()?.into(), from.str()?.into())))
            .collect::<Result<_, Malformed>>()?;
        let log = (0..from.varint()?)
            .map(|_| {
                let (by, at) = (UserId(from.varint()?), UnixMillis(from.varint()?));
                Ok(Change { by, at, what: from.str()?.into() })
            })
            .collect::<Result<_, Malformed>>()?;
        Ok(Self { values, log, unsaid: from.varint()?, told_at: UnixMillis(from.varint()?) })
    }
}
