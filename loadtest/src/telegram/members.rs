//! Who is in which channel. Every bot is an administrator of every channel.
//!
//! A channel of the configuration is empty at first; of any other chat everybody is a member.

use std::collections::HashMap;
use std::sync::Mutex;

use super::fault::lock;

/// Memberships that somebody changed.
#[derive(Debug, Default)]
pub(crate) struct Members {
    /// Channels that begin empty, by id and public name.
    channels: Vec<(i64, String)>,
    changed: Mutex<HashMap<(i64, u64), bool>>,
}

impl Members {
    pub(crate) fn new(channels: Vec<(i64, String)>) -> Self {
        Self { channels, changed: Mutex::default() }
    }

    pub(crate) fn set(&self, channel: i64, user: u64, member: bool) {
        lock(&self.changed).insert((channel, user), member);
    }

    pub(crate) fn has(&self, channel: i64, user: u64) -> bool {
        let begins_empty = self.channels.iter().any(|(id, _)| *id == channel);
        lock(&self.changed).get(&(channel, user)).copied().unwrap_or(!begins_empty)
    }

    /// The channel with this public name, with or without its `@`.
    pub(crate) fn named(&self, name: &str) -> Option<i64> {
        let name = name.trim_start_matches('@');
        self.channels.iter().find(|(_, known)| known.trim_start_matches('@') == name).map(|(id, _)| *id)
    }
}
