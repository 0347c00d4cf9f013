//! Callback queries that wait for an answer. They are bound to one bot and can be answered in time.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use crate::wire::At;

/// How long a callback query can be answered (a *model*: the platform does not publish it).
const ANSWERABLE: Duration = Duration::from_secs(900);

/// Open callback queries of one bot, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Callbacks {
    opened: HashMap<String, At>,
    order: VecDeque<(At, String)>,
}

impl Callbacks {
    pub(crate) fn open(&mut self, id: &str, now: At) {
        while self.order.front().is_some_and(|(at, _)| *at + ANSWERABLE <= now) {
            if let Some((_, old)) = self.order.pop_front() {
                self.opened.remove(&old);
            }
        }
        self.opened.insert(id.to_owned(), now);
        self.order.push_back((now, id.to_owned()));
    }

    /// `true` if it is this bot's and still open. Answering again is accepted, as on the platform.
    pub(crate) fn answer(&self, id: &str, now: At) -> bool {
        self.opened.get(id).is_some_and(|&at| now < at + ANSWERABLE)
    }
}
