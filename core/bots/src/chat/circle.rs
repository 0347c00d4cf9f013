//! Who brought whom: an invitation, what it led to, and what was refused. Durable formats.
//!
//! A referral is counted by the one who invited, in the frame in which the newcomer completes his profile; a
//! commission in the frame of its payment. So neither can be half done, and neither needs a list of all who
//! were ever invited.

use nobat_core::id::UserId;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// Refusals that are kept for the administrators, at most; the oldest go, their number stays.
const REFUSALS_KEPT: usize = 16;

/// What the operator gives for referrals.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rewards {
    /// VIP days for each newcomer who completes his profile.
    pub days: u16,
    /// Of each Stars payment of one who was brought, in percent.
    pub percent: u8,
    /// Newcomers of one user that are counted in 24 h.
    pub per_day: u16,
    /// Newcomers of one user that are counted in 10 min: more come from a machine.
    pub per_burst: u16,
}

impl Default for Rewards {
    fn default() -> Self {
        Self { days: 1, percent: 10, per_day: 20, per_burst: 5 }
    }
}

/// Why a newcomer was not counted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Refused {
    /// Who invited him has no profile himself, so neither is known.
    NoProfile = 0,
    /// Each invited the other.
    Ring = 1,
    /// Too many at once.
    Burst = 2,
    /// Too many in a day.
    Cap = 3,
    /// Who invited him is banned.
    Banned = 4,
    /// He followed his own link.
    Himself = 5,
}

impl Refused {
    const ALL: [Self; 6] = [Self::NoProfile, Self::Ring, Self::Burst, Self::Cap, Self::Banned, Self::Himself];

    pub(super) fn from_u8(n: u8) -> Result<Self, Malformed> {
        Self::ALL.get(usize::from(n)).copied().ok_or(Malformed("an unknown refusal"))
    }

    /// For the administrators.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoProfile => "no profile",
            Self::Ring => "ring",
            Self::Burst => "burst",
            Self::Cap => "day's cap",
            Self::Banned => "banned",
            Self::Himself => "himself",
        }
    }
}

/// Who brought a user here.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Invited {
    /// Who.
    pub by: UserId,
    /// He was told that the profile is complete.
    pub told: bool,
    /// What he was given for payments, in hundredths of a Star, by the payment's number.
    pub gave: Vec<(Box<str>, u32)>,
}

/// Whom a user has brought here.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Circle {
    /// Newcomers who were counted.
    pub count: u32,
    /// Commissions, in hundredths of a Star.
    pub earned: u64,
    /// The beginning of the day in which `today` were counted.
    pub day: UnixMillis,
    /// See there.
    pub today: u16,
    /// The beginning of the 10 min in which `burst` came.
    pub burst_at: UnixMillis,
    /// See there.
    pub burst: u16,
    /// How many were not counted.
    pub refused: u32,
    /// The last of them.
    pub refusals: Vec<(UserId, Refused, UnixMillis)>,
}

/// A day.
pub(super) const DAY: core::time::Duration = core::time::Duration::from_secs(24 * 3600);
/// A burst.
pub(super) const BURST: core::time::Duration = core::time::Duration::from_secs(600);

impl Circle {
    /// How many came in the day and in the 10 min that go on at `now`.
    pub(super) fn of_late(&self, now: UnixMillis) -> (u16, u16) {
        let goes_on = |since: UnixMillis, time| now >= since && now < since.after(time);
        let today = if goes_on(self.day, DAY) { self.today } else { 0 };
        (today, if goes_on(self.burst_at, BURST) { self.burst } else { 0 })
    }

    /// One more came, and was counted or not.
    pub(super) fn came(&mut self, now: UnixMillis, counted: bool) {
        let (today, burst) = self.of_late(now);
        if today == 0 {
            self.day = now;
        }
        if burst == 0 {
            self.burst_at = now;
        }
        self.burst = burst.saturating_add(1);
        self.today = today.saturating_add(u16::from(counted));
        self.count = self.count.saturating_add(u32::from(counted));
    }

    pub(super) fn refuse(&mut self, whom: UserId, why: Refused, at: UnixMillis) {
        self.refused = self.refused.saturating_add(1);
        if self.refusals.len() >= REFUSALS_KEPT {
            self.refusals.remove(0);
        }
        self.refusals.push((whom, why, at));
    }
}

impl Record for Invited {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(self.by.0);
        out.put_u8(u8::from(self.told));
        out.put_varint(self.gave.len() as u64);
        for (charge, stars) in &self.gave {
            out.put_str(charge);
            out.put_varint(u64::from(*stars));
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let (by, told) = (UserId(from.varint()?), from.u8()? != 0);
        let gave = (0..from.varint()?)
            .map(|_| Ok((from.str()?.into(), super::purse::number(from)?)))
            .collect::<Result<_, Malformed>>()?;
        Ok(Self { by, told, gave })
    }
}

impl Record for Circle {
    fn encode(&self, out: &mut Vec<u8>) {
        let numbers = [u64::from(self.count), self.earned, self.day.0, self.today.into()];
        numbers.into_iter().for_each(|n| out.put_varint(n));
        [self.burst_at.0, self.burst.into(), self.refused.into()].into_iter().for_each(|n| out.put_varint(n));
        out.put_u8(self.refusals.len() as u8);
        for (whom, why, at) in &self.refusals {
            out.put_varint(whom.0);
            out.put_u8(*why as u8);
            out.put_varint(at.0);
        }
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let small = |n: u64| u16::try_from(n).map_err(|_| Malformed("over 16 bits"));
        Ok(Self {
            count: super::purse::number(from)?,
            earned: from.varint()?,
            day: UnixMillis(from.varint()?),
            today: small(from.varint()?)?,
            burst_at: UnixMillis(from.varint()?),
            burst: small(from.varint()?)?,
            refused: super::purse::number(from)?,
            refusals: (0..from.u8()?)
                .map(|_| {
                    let (whom, why) = (UserId(from.varint()?), Refused::from_u8(from.u8()?)?);
                    Ok((whom, why, UnixMillis(from.varint()?)))
                })
                .collect::<Result<_, Malformed>>()?,
        })
    }
}
