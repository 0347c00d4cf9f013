//! What is remembered of one user, and how what happens changes it. A durable format.
//!
//! Whether he waits, with whom he is paired, whom he has blocked and when he is rung is the engine's and is
//! not repeated here.

use super::album::Album;
use super::circle::Invited;
use super::event::Event;
use super::extras::{Ban, Extras};
use super::profile::{Gender, Profile, Wanted};
use super::purse::Purse;
use super::texts::Language;
use core::time::Duration;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// Why a chat ends, as the one of the two who ends it has it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum Parting {
    /// He left. Also what the other one is told of a report or a block.
    #[default]
    Left = 0,
    /// He left to meet someone else.
    Next = 1,
    /// He reported the other one.
    Reported = 2,
    /// He does not want to meet the other one again.
    Blocked = 3,
    /// He has blocked the bot.
    Gone = 4,
    /// Nobody has said anything for long.
    Idle = 5,
    /// The other one cannot be reached any more.
    Unreached = 6,
}

impl Parting {
    const ALL: [Self; 7] =
        [Self::Left, Self::Next, Self::Reported, Self::Blocked, Self::Gone, Self::Idle, Self::Unreached];

    pub(super) fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.get(usize::from(n)).copied()
    }
}

/// What the bot remembers of one user: about 25 bytes, and his receipts.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct State {
    /// The language he chose; none yet for a newcomer.
    pub language: Option<Language>,
    /// None yet for a newcomer.
    pub gender: Option<Gender>,
    /// In years; 0 for a newcomer.
    pub age: u8,
    /// The next text is taken for his new age.
    pub asked_age: bool,
    /// Whom he wants to meet, while he is a VIP.
    pub wanted: Wanted,
    /// What he has paid for.
    pub purse: Purse,
    /// Until then his partner keeps him in this chat.
    pub held_until: UnixMillis,
    /// Until then he keeps his partner in this chat.
    pub holds_until: UnixMillis,
    /// How many people he has met.
    pub chats: u32,
    /// The lane on which he waits or chats.
    pub lane: u16,
    /// The number of the message that tells him of this chat is learned ([`Event::Met`]).
    pub numbered: bool,
    /// When he last said something in this chat, or it began; up to an eighth of the idle time too early.
    pub said_at: UnixMillis,
    /// Both he and his partner were silent when his partner let him know; see `decide::idle`.
    pub both_silent: bool,
    /// Why the chat ends that is ending in this very turn.
    pub parting: Parting,
    /// How many have reported him since `reported_since`. Who reports is never paired with him again, so
    /// each of them is another one.
    pub reports: u8,
    /// When the first of them did.
    pub reported_since: UnixMillis,
    /// Until then he meets nobody, because too many reported him.
    pub shut_out_until: UnixMillis,
    /// What most people do not have.
    pub extras: Extras,
}

impl State {
    /// What a partner is shown of him; none until he has said all of it.
    #[must_use]
    pub fn profile(&self) -> Option<Profile> {
        let gender = self.gender.filter(|_| self.language.is_some() && self.age != 0)?;
        Some(Profile { gender, age: self.age, chats: self.chats })
    }

    /// Whether he may choose whom he meets.
    #[must_use]
    pub fn is_vip(&self, now: UnixMillis) -> bool {
        now < self.purse.vip_until
    }

    /// Whether he has said nothing in this chat for so long.
    pub(super) fn silent_for(&self, idle: Duration, now: UnixMillis) -> bool {
        now >= self.said_at.after(idle)
    }

    /// Applies what happened.
    pub fn apply(&mut self, event: &Event) {
        match *event {
            Event::LanguageSet(language) => self.language = Some(language),
            Event::GenderSet(gender) => self.gender = Some(gender),
            Event::AgeSet(age) => (self.age, self.asked_age) = (age, false),
            Event::AgeAsked(asked) => self.asked_age = asked,
            Event::WantedSet(wanted) => self.wanted = wanted,
            Event::Sought { lane } => (self.lane, self.extras.turned) = (lane, 0),
            Event::Met { lane, at, numbered } => {
                self.chats = self.chats.saturating_add(1);
                (self.lane, self.said_at, self.numbered) = (lane, at, numbered);
                (self.both_silent, self.parting, self.asked_age) = (false, Parting::Left, false);
                (self.held_until, self.holds_until) = Default::default();
                self.extras.album = None;
            }
            Event::Said { at } => (self.said_at, self.both_silent) = (at, false),
            Event::BothSilent => self.both_silent = true,
            Event::Parting(why) => self.parting = why,
            Event::Reported { count, since } => (self.reports, self.reported_since) = (count, since),
            Event::ShutOut { until } => (self.shut_out_until, self.reports) = (until, 0),
            Event::Paid { ref charge, stars, gave, at } => self.purse.book(charge, stars, gave, at),
            Event::Refunded { ref charge, at } => self.purse.take_back(charge, at),
            Event::Reminded => self.purse.remind_at = UnixMillis(0),
            Event::Locked { until, credits } => {
                self.purse.credits = self.purse.credits.saturating_sub(credits);
                self.holds_until = until;
            }
            Event::Held { until } => self.held_until = until,
            Event::AlbumPart { ref name, part, ref words, at } => {
                let album = self.extras.album.get_or_insert_with(|| {
                    Box::new(Album { name: name.clone(), since: at, ..Album::default() })
                });
                album.add(part, words);
            }
            Event::AlbumRefused { ref name, at } => {
                let refused = Album { name: name.clone(), since: at, ..Album::default() };
                self.extras.album = Some(Box::new(refused));
            }
            Event::AlbumSent => self.extras.album = None,
            Event::TakenOver { ref person, at } => self.take_over(person, at),
            ref event => self.apply_extra(event),
        }
    }
}

impl State {
    /// What happens to what most people do not have.
    fn apply_extra(&mut self, event: &Event) {
        let extras = &mut self.extras;
        match *event {
            Event::GateAsked { at, open } => {
                let gate = extras.gate.get_or_insert_default();
                (gate.asked_at, gate.open, gate.outside) = (at, open, 0);
            }
            Event::GateHeard { channel, outside } => {
                let (gate, bit) = (extras.gate.get_or_insert_default(), 1u8.checked_shl(channel.into()));
                gate.open &= !bit.unwrap_or(0);
                gate.outside |= bit.filter(|_| outside).unwrap_or(0);
            }
            Event::GateOpen { until } => extras.gate.get_or_insert_default().until = until,
            Event::Invited { by } => extras.invited = Some(Box::new(Invited { by, ..Invited::default() })),
            Event::InviteTold => extras.invited.iter_mut().for_each(|invited| invited.told = true),
            Event::Gave { ref charge, stars } => {
                extras.invited.iter_mut().for_each(|invited| invited.gave.push((charge.clone(), stars)));
            }
            Event::Referred { at, days, .. } => {
                extras.circle.get_or_insert_default().came(at, true);
                if days > 0 {
                    self.purse.grant(days, at);
                }
            }
            Event::NotReferred { whom, why, at } => {
                let circle = extras.circle.get_or_insert_default();
                circle.came(at, false);
                circle.refuse(whom, why, at);
            }
            Event::Earned { stars, back } => {
                let earned = &mut extras.circle.get_or_insert_default().earned;
                let stars = u64::from(stars);
                *earned = if back { earned.saturating_sub(stars) } else { earned.saturating_add(stars) };
            }
            Event::Banned(ref ban) => extras.ban = Some(Box::new(ban.clone())),
            Event::Unbanned => extras.ban = None,
            Event::Turned(n) => extras.turned = n,
            Event::Looked { at } => extras.looks.add(at),
            Event::Given { what, at } => self.purse.give(what, at),
            Event::Set { ref key, ref value } => {
                extras.common.get_or_insert_default().set(key, value.as_deref());
            }
            Event::Did(ref change) => extras.common.get_or_insert_default().note(change.clone()),
            Event::Unsaid { told_at } => {
                let common = extras.common.get_or_insert_default();
                common.unsaid += 1;
                common.told_at = told_at.unwrap_or(common.told_at);
            }
            _ => {}
        }
    }

    /// Whether he is kept out.
    #[must_use]
    pub fn ban(&self, now: UnixMillis) -> Option<&Ban> {
        self.extras.ban.as_deref().filter(|ban| now < ban.until)
    }
}

/// Of the state's encoding. A later version appends fields and still reads this one. 1 was never released; 2
/// had no extras.
const VERSION: u8 = 3;

impl Record for State {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(VERSION);
        out.put_u8(self.language.map_or(0, |language| language as u8 + 1));
        out.put_u8(self.gender.map_or(0, |gender| gender as u8));
        out.put_u8(self.age);
        let flags = [self.asked_age, self.both_silent, self.numbered];
        out.put_u8((0..).zip(flags).map(|(bit, flag)| u8::from(flag) << bit).sum());
        out.put_u8(self.wanted as u8);
        out.put_u8(self.parting as u8);
        out.put_u8(self.reports);
        out.put_varint(u64::from(self.chats));
        out.put_varint(u64::from(self.lane));
        for at in [self.said_at, self.reported_since, self.shut_out_until, self.held_until, self.holds_until]
        {
            out.put_varint(at.0);
        }
        self.purse.encode(out);
        self.extras.encode(out);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let version = from.u8()?;
        if !matches!(version, 2 | VERSION) {
            return Err(Malformed("a chat state of another version"));
        }
        let language = match from.u8()? {
            0 => None,
            n => Some(language(n - 1)?),
        };
        let gender = match from.u8()? {
            0 => None,
            n => Some(gender(n)?),
        };
        let age = from.u8()?;
        let flags = from.u8()?;
        if flags > 7 {
            return Err(Malformed("an unknown flag"));
        }
        Ok(Self {
            language,
            gender,
            age,
            asked_age: flags & 1 != 0,
            both_silent: flags & 2 != 0,
            numbered: flags & 4 != 0,
            wanted: wanted(from.u8()?)?,
            parting: parting(from.u8()?)?,
            reports: from.u8()?,
            chats: u32::try_from(from.varint()?).map_err(|_| Malformed("more chats than there are"))?,
            lane: lane(from)?,
            said_at: at(from)?,
            reported_since: at(from)?,
            shut_out_until: at(from)?,
            held_until: at(from)?,
            holds_until: at(from)?,
            purse: Purse::decode(from)?,
            extras: if version == 2 { Extras::default() } else { Extras::decode(from)? },
        })
    }
}

pub(super) fn byte(from: &mut Reader<'_>) -> Result<u8, Malformed> {
    u8::try_from(from.varint()?).map_err(|_| Malformed("over 8 bits"))
}

pub(super) fn lane(from: &mut Reader<'_>) -> Result<u16, Malformed> {
    u16::try_from(from.varint()?).map_err(|_| Malformed("a lane over 16 bits"))
}

pub(super) fn at(from: &mut Reader<'_>) -> Result<UnixMillis, Malformed> {
    from.varint().map(UnixMillis)
}

pub(super) fn language(n: u8) -> Result<Language, Malformed> {
    Language::from_u8(n).ok_or(Malformed("an unknown language"))
}

pub(super) fn gender(n: u8) -> Result<Gender, Malformed> {
    Gender::from_u8(n).ok_or(Malformed("an unknown gender"))
}

pub(super) fn wanted(n: u8) -> Result<Wanted, Malformed> {
    Wanted::from_u8(n).ok_or(Malformed("an unknown wish"))
}

pub(super) fn parting(n: u8) -> Result<Parting, Malformed> {
    Parting::from_u8(n).ok_or(Malformed("an unknown reason to part"))
}

#[cfg(test)]
mod tests;
