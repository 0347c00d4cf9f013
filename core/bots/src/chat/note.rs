//! What one user's turn has another one know: a partner by `Want::Tell`, anybody by `Want::Inform`; and what came
//! of a send, by `Bot::echo`. Durable for the moment between an answer and its frame only.

use super::purse::{self, Gave};
use super::state::Parting;
use nobat_core::id::{LaneIx, PairNo};
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// A word from another one's side. All whom a turn changes are changed in one frame.
#[derive(Clone, PartialEq, Eq, Debug)]
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
    /// Whether you are in the required channel with this number; none if the platform could not say.
    Member { channel: u8, joined: Option<bool> },
    /// Whom you invited has completed his profile.
    Joined,
    /// Whom you invited has paid: so much is yours, in hundredths of a Star.
    Commission { stars: u32 },
    /// He got that payment back.
    CommissionBack { stars: u32 },
    /// You are kept out until then, because of this.
    Ban { until: UnixMillis, why: Box<str> },
    /// You are not any more.
    Unban,
    /// Tell the administrator who asks, on this lane, what is known of you.
    Show { lane: LaneIx },
    /// An administrator gives you this.
    Give { what: Gave },
    /// For all: an administrator set this, or took it back.
    Set { key: Box<str>, value: Option<Box<str>> },
    /// For all: an administrator did this.
    Did { what: Box<str> },
    /// For all: the platform could not say who is in this channel.
    Unsaid { channel: Box<str> },
}

const PARTING: u8 = 1;
const REPORTS: u8 = 2;
const SILENT: u8 = 3;
const LOCKED: u8 = 4;
const UNDELIVERED: u8 = 5;
const UNREACHED: u8 = 6;
const MEMBER: u8 = 7;
const JOINED: u8 = 8;
const COMMISSION: u8 = 9;
const COMMISSION_BACK: u8 = 10;
const BAN: u8 = 11;
const UNBAN: u8 = 12;
const SHOW: u8 = 13;
const SET: u8 = 14;
const TAKEN_BACK: u8 = 15;
const DID: u8 = 16;
const UNSAID: u8 = 17;
const GIVE: u8 = 18;

impl Note {
    pub(super) fn bytes(&self) -> Box<[u8]> {
        let mut out = Vec::with_capacity(8);
        self.encode(&mut out);
        out.into()
    }
}

impl Record for Note {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut put = |kind, values: &[u64], words: &[&str]| {
            out.put_u8(kind);
            values.iter().for_each(|value| out.put_varint(*value));
            words.iter().for_each(|word| out.put_str(word));
        };
        match self {
            Self::Parting(why) => put(PARTING, &[*why as u64], &[]),
            Self::Reports => put(REPORTS, &[], &[]),
            Self::Silent => put(SILENT, &[], &[]),
            Self::Locked { until } => put(LOCKED, &[until.0], &[]),
            Self::Undelivered { pair } => put(UNDELIVERED, &[pair.0], &[]),
            Self::Unreached { pair } => put(UNREACHED, &[pair.0], &[]),
            Self::Member { channel, joined } => {
                put(MEMBER, &[(*channel).into(), joined.map_or(2, u64::from)], &[]);
            }
            Self::Joined => put(JOINED, &[], &[]),
            Self::Commission { stars } => put(COMMISSION, &[(*stars).into()], &[]),
            Self::CommissionBack { stars } => put(COMMISSION_BACK, &[(*stars).into()], &[]),
            Self::Ban { until, why } => put(BAN, &[until.0], &[why]),
            Self::Unban => put(UNBAN, &[], &[]),
            Self::Show { lane } => put(SHOW, &[lane.0.into()], &[]),
            Self::Set { key, value: Some(value) } => put(SET, &[], &[key, value]),
            Self::Set { key, value: None } => put(TAKEN_BACK, &[], &[key]),
            Self::Did { what } => put(DID, &[], &[what]),
            Self::Unsaid { channel } => put(UNSAID, &[], &[channel]),
            Self::Give { what } => {
                put(GIVE, &[], &[]);
                purse::put_gave(*what, out);
            }
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let small = |n: u64| u8::try_from(n).map_err(|_| Malformed("over 8 bits"));
        let stars = |n: u64| u32::try_from(n).map_err(|_| Malformed("over 32 bits"));
        Ok(match from.u8()? {
            PARTING => {
                let why = Parting::from_u8(small(from.varint()?)?);
                Self::Parting(why.ok_or(Malformed("an unknown reason to part"))?)
            }
            REPORTS => Self::Reports,
            SILENT => Self::Silent,
            LOCKED => Self::Locked { until: UnixMillis(from.varint()?) },
            UNDELIVERED => Self::Undelivered { pair: PairNo(from.varint()?) },
            UNREACHED => Self::Unreached { pair: PairNo(from.varint()?) },
            MEMBER => {
                let channel = small(from.varint()?)?;
                let joined = match from.varint()? {
                    2 => None,
                    n => Some(n == 1),
                };
                Self::Member { channel, joined }
            }
            JOINED => Self::Joined,
            COMMISSION => Self::Commission { stars: stars(from.varint()?)? },
            COMMISSION_BACK => Self::CommissionBack { stars: stars(from.varint()?)? },
            BAN => Self::Ban { until: UnixMillis(from.varint()?), why: from.str()?.into() },
            UNBAN => Self::Unban,
            SHOW => {
                let lane = u16::try_from(from.varint()?).map_err(|_| Malformed("a lane over 16 bits"))?;
                Self::Show { lane: LaneIx(lane) }
            }
            SET => Self::Set { key: from.str()?.into(), value: Some(from.str()?.into()) },
            TAKEN_BACK => Self::Set { key: from.str()?.into(), value: None },
            DID => Self::Did { what: from.str()?.into() },
            UNSAID => Self::Unsaid { channel: from.str()?.into() },
            GIVE => Self::Give { what: purse::gave(from)? },
            _ => return Err(Malformed("a note of an unknown kind")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn notes_survive(n: u64, lane: u16, stars: u32, channel: u8, why: String) {
            let (until, pair, word) = (UnixMillis(n), PairNo(n), Box::<str>::from(why.as_str()));
            let mut all = vec![
                Note::Parting(Parting::Unreached),
                Note::Reports,
                Note::Silent,
                Note::Locked { until },
                Note::Undelivered { pair },
                Note::Unreached { pair },
                Note::Joined,
                Note::Commission { stars },
                Note::CommissionBack { stars },
                Note::Ban { until, why: word.clone() },
                Note::Unban,
                Note::Show { lane: LaneIx(lane) },
                Note::Set { key: word.clone(), value: Some(word.clone()) },
                Note::Set { key: word.clone(), value: None },
                Note::Did { what: word.clone() },
                Note::Unsaid { channel: word },
                Note::Give { what: Gave::Days(lane) },
                Note::Give { what: Gave::Credits(stars) },
            ];
            all.extend([None, Some(true), Some(false)].map(|joined| Note::Member { channel, joined }));
            for note in all {
                prop_assert_eq!(Note::from_bytes(&note.bytes()), Ok(note));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
            let _ = Note::from_bytes(&bytes);
        }
    }
}
