//! What most people do not have: each behind a bit, so that who has none of it costs a byte. A durable format.

use super::album::Album;
use super::circle::{Circle, Invited};
use super::common::Common;
use super::gate::Gate;
use super::person::Taken;
use core::time::Duration;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// What most people do not have.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Extras {
    /// An album of his that is coming in.
    pub album: Option<Box<Album>>,
    /// Whether he is in the required channels.
    pub gate: Option<Box<Gate>>,
    /// Who brought him here.
    pub invited: Option<Box<Invited>>,
    /// Whom he brought here.
    pub circle: Option<Box<Circle>>,
    /// He is kept out.
    pub ban: Option<Box<Ban>>,
    /// How often the message that says that he waits has turned; 0 before the first time.
    pub turned: u8,
    /// How often he has asked for a partner of late.
    pub looks: Looks,
    /// What was taken over from another program.
    pub taken: Option<Box<Taken>>,
    /// What belongs to all: of nobody but [`nobat_core::bot::COMMON`].
    pub common: Option<Box<Common>>,
}

/// How often someone has asked for a partner within [`Looks::SPELL`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Looks {
    /// Since then.
    pub since: UnixMillis,
    /// So often; 0 before the first time.
    pub count: u8,
}

impl Looks {
    /// The time in which searches are counted together, from the first of them.
    pub const SPELL: Duration = Duration::from_secs(60);

    fn goes_on(self, now: UnixMillis) -> bool {
        // A clock that was set back begins anew.
        self.count > 0 && now >= self.since && now < self.since.after(Self::SPELL)
    }

    pub(super) fn add(&mut self, now: UnixMillis) {
        if !self.goes_on(now) {
            *self = Self { since: now, count: 0 };
        }
        self.count = self.count.saturating_add(1);
    }

    /// How long he must wait if so many are allowed; none if he need not.
    pub(super) fn wait(self, allowed: u8, now: UnixMillis) -> Option<Duration> {
        (self.goes_on(now) && self.count >= allowed).then(|| self.since.after(Self::SPELL).since(now))
    }
}

/// Somebody is kept out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ban {
    /// Until then.
    pub until: UnixMillis,
    /// Why, in an administrator's words; may be empty.
    pub why: Box<str>,
}

impl Ban {
    /// For ever.
    pub(super) const FOR_EVER: UnixMillis = UnixMillis(u64::MAX);
}

impl Record for Ban {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(self.until.0);
        out.put_str(&self.why);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { until: UnixMillis(from.varint()?), why: from.str()?.into() })
    }
}

const ALBUM: u64 = 1;
const GATE: u64 = 1 << 1;
const INVITED: u64 = 1 << 2;
const CIRCLE: u64 = 1 << 3;
const BAN: u64 = 1 << 4;
const COMMON: u64 = 1 << 5;
const TURNED: u64 = 1 << 6;
const TAKEN: u64 = 1 << 7;
const LOOKS: u64 = 1 << 8;
/// Of a newer version, and unreadable to this one.
const UNKNOWN: u64 = !(ALBUM | GATE | INVITED | CIRCLE | BAN | COMMON | TURNED | TAKEN | LOOKS);

impl Record for Extras {
    fn encode(&self, out: &mut Vec<u8>) {
        let Self { album, gate, invited, circle, ban, common, turned, looks, taken } = self;
        let bit = |is: bool, bit: u64| if is { bit } else { 0 };
        out.put_varint(
            bit(album.is_some(), ALBUM)
                | bit(gate.is_some(), GATE)
                | bit(invited.is_some(), INVITED)
                | bit(circle.is_some(), CIRCLE)
                | bit(ban.is_some(), BAN)
                | bit(common.is_some(), COMMON)
                | bit(*turned != 0, TURNED)
                | bit(taken.is_some(), TAKEN)
                | bit(looks.count != 0, LOOKS),
        );
        album.iter().for_each(|album| album.encode(out));
        gate.iter().for_each(|gate| gate.encode(out));
        invited.iter().for_each(|invited| invited.encode(out));
        circle.iter().for_each(|circle| circle.encode(out));
        ban.iter().for_each(|ban| ban.encode(out));
        common.iter().for_each(|common| common.encode(out));
        if *turned != 0 {
            out.put_u8(*turned);
        }
        taken.iter().for_each(|taken| taken.encode(out));
        if looks.count != 0 {
            out.put_varint(looks.since.0);
            out.put_u8(looks.count);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let has = from.varint()?;
        if has & UNKNOWN != 0 {
            return Err(Malformed("a chat state of a newer version"));
        }
        Ok(Self {
            album: if_there(has & ALBUM, from)?,
            gate: if_there(has & GATE, from)?,
            invited: if_there(has & INVITED, from)?,
            circle: if_there(has & CIRCLE, from)?,
            ban: if_there(has & BAN, from)?,
            common: if_there(has & COMMON, from)?,
            turned: if has & TURNED == 0 { 0 } else { from.u8()? },
            taken: if_there(has & TAKEN, from)?,
            looks: match has & LOOKS {
                0 => Looks::default(),
                _ => Looks { since: UnixMillis(from.varint()?), count: from.u8()? },
            },
        })
    }
}

fn if_there<R: Record>(bit: u64, from: &mut Reader<'_>) -> Result<Option<Box<R>>, Malformed> {
    if bit == 0 { Ok(None) } else { R::decode(from).map(|found| Some(Box::new(found))) }
}
