//! What another program knew of someone, to be taken over. A durable format.
//!
//! Taking over fills in what is missing and never takes away what he did or bought here; the same again changes
//! nothing, and a later list with other numbers changes by the difference. So an import may be repeated.

use super::circle::Invited;
use super::extras::Ban;
use super::profile::Gender;
use super::purse::number;
use super::state::State;
use super::texts::Language;
use nobat_core::id::UserId;
use nobat_core::record::{Malformed, Reader, Record, Write};
use nobat_core::time::UnixMillis;

/// What another program knew of someone; zeros and none for what it did not.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Person {
    /// As he said.
    pub gender: Option<Gender>,
    /// In years.
    pub age: u8,
    /// What he reads.
    pub language: Option<Language>,
    /// Until then he is a VIP.
    pub vip_until: UnixMillis,
    /// To lock chats with.
    pub credits: u32,
    /// How many people he has met.
    pub chats: u32,
    /// Who brought him.
    pub invited_by: UserId,
    /// Whom he brought.
    pub referrals: u32,
    /// What that brought, in hundredths of a Star.
    pub earned: u64,
    /// He is kept out.
    pub ban: Option<Ban>,
}

/// The numbers that were taken over, so that a later list changes by the difference.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Taken {
    /// Credits.
    pub credits: u32,
    /// Referrals.
    pub referrals: u32,
    /// Hundredths of a Star.
    pub earned: u64,
}

impl State {
    /// Takes over what another program knew of him.
    pub(super) fn take_over(&mut self, person: &Person, at: UnixMillis) {
        self.language = self.language.or(person.language);
        self.gender = self.gender.or(person.gender);
        if self.age == 0 {
            self.age = person.age;
        }
        self.chats = self.chats.max(person.chats);
        self.purse.extend_to(person.vip_until, at);
        let taken = self.extras.taken.as_deref().copied().unwrap_or_default();
        let differs = |now: u64, new: u64, old: u64| now.saturating_add(new).saturating_sub(old);
        let small = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let credits = differs(self.purse.credits.into(), person.credits.into(), taken.credits.into());
        self.purse.credits = small(credits);
        if (person.referrals, person.earned) != (taken.referrals, taken.earned) {
            let circle = self.extras.circle.get_or_insert_default();
            circle.count =
                small(differs(circle.count.into(), person.referrals.into(), taken.referrals.into()));
            circle.earned = differs(circle.earned, person.earned, taken.earned);
        }
        if person.invited_by.0 != 0 && self.extras.invited.is_none() {
            let invited = Invited { by: person.invited_by, told: true, ..Invited::default() };
            self.extras.invited = Some(Box::new(invited));
        }
        if let (Some(ban), None) = (&person.ban, &self.extras.ban) {
            self.extras.ban = Some(Box::new(ban.clone()));
        }
        let Person { credits, referrals, earned, .. } = *person;
        self.extras.taken = Some(Box::new(Taken { credits, referrals, earned }));
    }
}

impl Record for Taken {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_varint(self.credits.into());
        out.put_varint(self.referrals.into());
        out.put_varint(self.earned);
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { credits: number(from)?, referrals: number(from)?, earned: from.varint()? })
    }
}

impl Record for Person {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.gender.map_or(0, |gender| gender as u8));
        out.put_u8(self.age);
        out.put_u8(self.language.map_or(0, |language| language as u8 + 1));
        let numbers = [self.vip_until.0, self.credits.into(), self.chats.into(), self.invited_by.0];
        numbers.into_iter().for_each(|n| out.put_varint(n));
        out.put_varint(self.referrals.into());
        out.put_varint(self.earned);
        out.put_u8(u8::from(self.ban.is_some()));
        self.ban.iter().for_each(|ban| ban.encode(out));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let gender = match from.u8()? {
            0 => None,
            n => Some(Gender::from_u8(n).ok_or(Malformed("an unknown gender"))?),
        };
        let age = from.u8()?;
        let language = match from.u8()? {
            0 => None,
            n => Some(Language::from_u8(n - 1).ok_or(Malformed("an unknown language"))?),
        };
        Ok(Self {
            gender,
            age,
            language,
            vip_until: UnixMillis(from.varint()?),
            credits: number(from)?,
            chats: number(from)?,
            invited_by: UserId(from.varint()?),
            referrals: number(from)?,
            earned: from.varint()?,
            ban: if from.u8()? == 0 { None } else { Some(Ban::decode(from)?) },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000_000);

    #[test]
    fn the_same_again_changes_nothing_and_a_later_list_changes_by_the_difference() {
        let mut state = State::default();
        let mut person = Person {
            gender: Some(Gender::Female),
            age: 30,
            language: Some(Language::Persian),
            vip_until: UnixMillis(5_000_000_000),
            credits: 10,
            invited_by: UserId(7),
            referrals: 3,
            earned: 250,
            ..Person::default()
        };
        let mut bytes = Vec::new();
        person.encode(&mut bytes);
        assert_eq!(Person::from_bytes(&bytes), Ok(person.clone()));
        state.take_over(&person, NOW);
        let once = state.clone();
        assert!(once.profile().is_some() && once.is_vip(NOW) && once.purse.remind_at.0 != 0);
        state.take_over(&person, NOW.after(core::time::Duration::from_secs(1)));
        assert_eq!(state, once);
        // He spends four, and changes his age; then a newer list comes.
        (state.purse.credits, state.age) = (6, 31);
        (person.credits, person.age, person.referrals) = (12, 40, 4);
        person.ban = Some(Ban { until: Ban::FOR_EVER, why: "rude".into() });
        state.take_over(&person, NOW);
        assert_eq!((state.purse.credits, state.age), (8, 31));
        assert_eq!(state.extras.circle.as_ref().map(|circle| (circle.count, circle.earned)), Some((4, 250)));
        assert!(state.ban(NOW).is_some());
    }
}
