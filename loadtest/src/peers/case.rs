//! What is to be drained.

use std::time::Duration;

use crate::profile::{Kind, Profile};
use crate::telegram::Latency;

/// Chats begin here: what looks like a user's id.
const FIRST_CHAT: u64 = 100_000_000;

/// One burst, all of it handed over at the first moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Case {
    /// 3,000 messages to 3,000 chats through one token.
    OneToken,
    /// 1,500 messages to 300 chats, 5 each, in order, through one token.
    Chats,
    /// 25,500 messages to 25,500 chats through 17 tokens.
    Tokens,
    /// 900 messages to 900 chats through one token; latency lognormal, median 60 ms, sigma 0.5.
    Latency,
}

impl Case {
    /// All of them, in the order of the table.
    pub const ALL: [Case; 4] = [Case::OneToken, Case::Chats, Case::Tokens, Case::Latency];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Case::OneToken => "one-token",
            Case::Chats => "chats",
            Case::Tokens => "tokens",
            Case::Latency => "latency",
        }
    }

    /// Tokens to send through.
    pub fn tokens(self) -> usize {
        if self == Case::Tokens { 17 } else { 1 }
    }

    /// Messages to each chat.
    fn each(self) -> u64 {
        if self == Case::Chats { 5 } else { 1 }
    }

    fn chats(self) -> u64 {
        match self {
            Case::OneToken => 3_000,
            Case::Chats => 300,
            Case::Tokens => 25_500,
            Case::Latency => 900,
        }
    }

    /// The platform's latency.
    pub fn latency(self) -> Latency {
        match self {
            Case::Latency => Latency::LogNormal { median: Duration::from_millis(60), sigma: 0.5 },
            _ => Latency::None,
        }
    }

    /// Bot, chat and text of each message, chat by chat; the text is its number within its chat.
    pub fn messages(self) -> impl Iterator<Item = (usize, u64, u64)> {
        let bot = move |chat: u64| (chat % self.tokens() as u64) as usize;
        (0..self.chats())
            .flat_map(move |chat| (1..=self.each()).map(move |nth| (bot(chat), FIRST_CHAT + chat, nth)))
    }

    /// Messages over 30 a second and token.
    pub fn bound_s(self) -> f64 {
        (self.chats() * self.each()) as f64 / (30 * self.tokens()) as f64
    }

    /// The rehearsal in which Nobat owes the same messages.
    pub fn profile(self) -> Profile {
        let base = if self == Case::Chats { Kind::BurstChats } else { Kind::Burst510 }.profile();
        Profile { students: self.chats() as u32, tokens: self.tokens(), latency: self.latency(), ..base }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_case_has_a_token_that_owes_more_than_another() {
        for case in Case::ALL {
            let mut owed = vec![0; case.tokens()];
            case.messages().for_each(|(bot, ..)| owed[bot] += 1);
            assert!(owed.iter().all(|&n| n == owed[0]), "{case:?}: {owed:?}");
            assert_eq!(owed[0] as f64 / 30.0, case.bound_s(), "{case:?}");
        }
    }
}
