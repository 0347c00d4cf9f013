//! Students of an evening in the anonymous chat: who they are, what they mean to do, how they react.
//!
//! [`plan`] fixes before the first update who comes when and what he means to do. [`mind`] says what of it he
//! does, by what he was told so far: nobody talks without a partner. [`reading`] and [`label`] are how a person
//! reads the bot's words; the auditor reads with the same eyes.

pub mod label;
pub mod mind;
pub mod plan;
pub mod reading;

use crate::wire::BotIx;

/// A language of the bot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Language {
    /// العربية
    Arabic,
    /// English
    English,
    /// فارسی
    Persian,
}

impl Language {
    /// All of them.
    pub const ALL: [Language; 3] = [Language::Arabic, Language::English, Language::Persian];

    /// As the platform's clients say it.
    pub fn tag(self) -> &'static str {
        match self {
            Language::Arabic => "ar",
            Language::English => "en",
            Language::Persian => "fa",
        }
    }
}

/// What a student says he is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gender {
    /// A man.
    Male,
    /// A woman.
    Female,
    /// Neither.
    Other,
}

/// One student.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Person {
    /// His id, and that of his private chats.
    pub user: u64,
    /// The bot he writes to, always the same one.
    pub bot: BotIx,
    /// The language he chooses.
    pub language: Language,
    /// What he says he is.
    pub gender: Gender,
    /// How old he says he is.
    pub age: u8,
    /// He has registered before the evening.
    pub member: bool,
    /// He buys days as a VIP before he looks for anyone.
    pub vip: bool,
}

/// The operator's own account: the one who may give payments back.
pub const ADMIN: u64 = 99_000_001;
