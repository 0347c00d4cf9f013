//! Who someone is to the bot, and what a partner is shown of it: never a name, never an id.

use super::texts::Key;
use nobat_core::bot as contract;
use nobat_core::record::{Malformed, Reader, Record, Write};

/// What someone says of himself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Gender {
    /// Male.
    Male = 1,
    /// Female.
    Female = 2,
    /// Neither, or not to be said.
    Other = 3,
}

impl Gender {
    pub(super) const ALL: [Self; 3] = [Self::Male, Self::Female, Self::Other];

    pub(super) fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|gender| *gender as u8 == n)
    }

    /// As the matchmaker knows it.
    pub(super) const fn sought(self) -> contract::Gender {
        match self {
            Self::Male => contract::Gender::Male,
            Self::Female => contract::Gender::Female,
            Self::Other => contract::Gender::Unstated,
        }
    }

    pub(super) const fn key(self) -> Key {
        match self {
            Self::Male => Key::GenderMale,
            Self::Female => Key::GenderFemale,
            Self::Other => Key::GenderOther,
        }
    }
}

/// Whom a VIP wants to meet.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
#[repr(u8)]
pub enum Wanted {
    /// Anyone.
    #[default]
    Anyone = 0,
    /// Men only.
    Men = 1,
    /// Women only.
    Women = 2,
}

impl Wanted {
    pub(super) const ALL: [Self; 3] = [Self::Anyone, Self::Men, Self::Women];

    pub(super) fn from_u8(n: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|wanted| *wanted as u8 == n)
    }

    pub(super) const fn sought(self) -> contract::Wants {
        match self {
            Self::Anyone => contract::Wants::Anyone,
            Self::Men => contract::Wants::Men,
            Self::Women => contract::Wants::Women,
        }
    }

    pub(super) const fn key(self) -> Key {
        match self {
            Self::Anyone => Key::WantedAnyone,
            Self::Men => Key::WantedMen,
            Self::Women => Key::WantedWomen,
        }
    }
}

/// A complete profile: all that a partner is shown.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Profile {
    /// As he says.
    pub gender: Gender,
    /// In years.
    pub age: u8,
    /// How many people he has met here.
    pub chats: u32,
}

impl Record for Profile {
    fn encode(&self, out: &mut Vec<u8>) {
        out.put_u8(self.gender as u8);
        out.put_u8(self.age);
        out.put_varint(u64::from(self.chats));
    }

    fn decode(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            gender: Gender::from_u8(from.u8()?).ok_or(Malformed("an unknown gender"))?,
            age: from.u8()?,
            chats: u32::try_from(from.varint()?).map_err(|_| Malformed("more chats than there are"))?,
        })
    }
}
