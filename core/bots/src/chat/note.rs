//! What one partner's turn has the other one know, by `Want::Tell`, and what came of a send, by `Bot::echo`.

use super::state::Parting;
use nobat_core::id::PairNo;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// A word from the partner's side. Both are changed in one frame.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Note {
    /// The chat ends in this turn, for this reason.
    Parting(Parting),
    /// The partner reports you, and leaves.
    Reports,
    /// The partner has said nothing for long.
    Silent,
    /// The partner keeps you in the chat until then.
    Locked { until: UnixMillis },
    /// What you said in this chat could not be delivered.
    Undelivered { pair: PairNo },
    /// Your partner in this chat cannot be reached any more.
    Unreached { pair: PairNo },
}

const PARTING: u8 = 1;
const REPORTS: u8 = 2;
const SILENT: u8 = 3;
const LOCKED: u8 = 4;
const UNDELIVERED: u8 = 5;
const UNREACHED: u8 = 6;

impl Note {
    pub(super) fn bytes(self) -> Box<[u8]> {
        let mut out = Vec::with_capacity(8);
        self.encode(&mut out);
        out.into()
    }
}

impl Record for Note {
    fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Parting(why) => {
                out.put_u8(PARTING);
                out.put_u8(*why as u8);
            }
            Self::Reports => out.put_u8(REPORTS),
            Self::Silent => out.put_u8(SILENT),
            Self::Locked { until } => {
                out.put_u8(LOCKED);
                out.put_varint(until.0);
            }
            Self::Undelivered { pair } => {
                out.put_u8(UNDELIVERED);
                out.put_varint(pair.0);
            }
            Self::Unreached { pair } => {
                out.put_u8(UNREACHED);
                out.put_varint(pair.0);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        match from.u8()? {
            PARTING => {
                let why = Parting::from_u8(from.u8()?).ok_or(Malformed("an unknown reason to part"))?;
                Ok(Self::Parting(why))
            }
            REPORTS => Ok(Self::Reports),
            SILENT => Ok(Self::Silent),
            UNDELIVERED => Ok(Self::Undelivered { pair: PairNo(from.varint()?) }),
            UNREACHED => Ok(Self::Unreached { pair: PairNo(from.varint()?) }),
            LOCKED => Ok(Self::Locked { until: UnixMillis(from.varint()?) }),
            _ => Err(Malformed("a note of an unknown kind")),
        }
    }
}
