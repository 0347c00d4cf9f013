//! Students who follow a link: a message offers `https://t.me/BOT?start=...`, the student presses it after a
//! moment, and the bot behind it gets `/start ...`.
//!
//! The one part of a rehearsal that reacts to the server; everything else is planned before. Latency of what
//! follows counts from the moment at which the student presses.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::telegram::{Emulator, Submit};
use crate::wire::{At, BotIx, Call, Outcome, What, Wire};

/// From the message to the press.
const THINKS: Duration = Duration::from_secs(1);
/// So often a wait looks whether it is to end.
const LOOK: Duration = Duration::from_millis(5);

/// A link as it reached a student.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) user: u64,
    pub(super) at: At,
    pub(super) bot: String,
    pub(super) payload: String,
}

impl Link {
    /// The first link under a message that took effect.
    pub(super) fn of(event: &Wire) -> Option<Link> {
        let Wire::Call(Call { chat: Some(chat), decided_at, outcome, buttons, .. }) = event else {
            return None;
        };
        if !matches!(outcome, Outcome::Accepted { .. } | Outcome::AcceptedUnanswered { .. }) {
            return None;
        }
        let user = u64::try_from(*chat).ok()?;
        let link = buttons.iter().find_map(|(_, url)| url.strip_prefix("https://t.me/"))?;
        let (bot, payload) = link.split_once("?start=").unwrap_or((link, ""));
        Some(Link { user, at: *decided_at, bot: bot.to_owned(), payload: payload.to_owned() })
    }
}

/// The students at it. The thread ends when the links' sender is gone or the rehearsal is stopped.
pub(super) fn start(
    platform: Arc<Emulator>,
    names: Vec<String>,
    links: Receiver<Link>,
    stop: Arc<AtomicBool>,
) -> std::io::Result<JoinHandle<()>> {
    std::thread::Builder::new().name("followers".to_owned()).spawn(move || {
        // Everybody thinks for the same time, so they press in the order of their links.
        let mut thinking: VecDeque<(At, u64, BotIx, String)> = VecDeque::new();
        let mut followed = HashSet::new();
        while !stop.load(Ordering::Relaxed) {
            match links.recv_timeout(LOOK) {
                Ok(Link { user, at, bot, payload }) => {
                    // Who has followed once knows his bot; a link to no bot leads nowhere.
                    if let Some(bot) = names.iter().position(|name| *name == bot)
                        && followed.insert(user)
                    {
                        thinking.push_back((at + THINKS, user, bot, payload));
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while thinking.front().is_some_and(|next| next.0 <= platform.now()) {
                let Some((at, user, bot, payload)) = thinking.pop_front() else { break };
                let chat = i64::try_from(user).unwrap_or(i64::MAX);
                let what = What::Text(format!("/start {payload}").trim_end().to_owned());
                platform.submit(Submit { bot, user, chat, planned_at: at, what, language_code: "ar".into() });
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(url: &str, outcome: Outcome) -> Wire {
        Wire::Call(Call {
            bot: 0,
            method: "sendmessage".into(),
            chat: Some(7),
            line: None,
            arrived_at: At::ZERO,
            decided_at: At::from_secs(2),
            answered_at: None,
            outcome,
            text: None,
            buttons: vec![("x".into(), "callback".into()), ("go".into(), url.into())],
            params: serde_json::Map::new(),
        })
    }

    #[test]
    fn a_link_is_read_from_a_message_that_took_effect() {
        let sent = Outcome::Accepted { message_id: Some(1) };
        let link = Link::of(&call("https://t.me/a_bot?start=h", sent.clone())).expect("a link");
        assert_eq!((link.user, link.bot.as_str(), link.payload.as_str()), (7, "a_bot", "h"));
        assert_eq!(Link::of(&call("https://example.org/a_bot?start=h", sent)), None);
        let refused = Outcome::Unreachable { status: 400 };
        assert_eq!(Link::of(&call("https://t.me/a_bot?start=h", refused)), None);
    }
}
