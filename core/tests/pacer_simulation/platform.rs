//! The emulated platform: strict, exact, and on virtual time.
//!
//! It judges each call at an instant between its departure and its answer. It shares no rule, and no
//! bucket, with the pacer: limits are exact logs of what it accepted.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

const SECOND: u64 = 1_000_000_000;

/// What the platform may do to a caller who did nothing wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Scope {
    Chat,
    Token,
}

/// What it said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Said {
    Accepted,
    /// 429 with this many nanoseconds.
    Wait(u64),
    NotStarted,
    Dead,
}

/// Counts of what the platform saw the caller do wrong.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(crate) struct Faults {
    /// 429s because a limit was exceeded (not those of a storm).
    pub(crate) refused: u64,
    /// Calls that left although their chat, or their token with more than one chat told, was told to wait.
    pub(crate) defiance: u64,
    /// Calls to another chat while the whole token was meant but only one chat had been told.
    pub(crate) probes: u64,
}

/// A wait the platform imposed, and since when the caller can know.
#[derive(Clone, Copy, Debug)]
struct Wait {
    scope: Scope,
    chat: i64,
    until: u64,
    told_at: u64,
}

pub(crate) struct Platform {
    slots: usize,
    accepted: BTreeMap<u16, VecDeque<u64>>,
    chats: BTreeMap<(u16, i64), VecDeque<u64>>,
    /// Parts of albums in groups beyond those in `chats`, which has a burst of each at most.
    parts: BTreeMap<(u16, i64), VecDeque<u64>>,
    waits: BTreeMap<u16, Vec<Wait>>,
    /// Who started which bot; `None`: everybody all.
    pub(crate) started: Option<BTreeSet<(u16, u64)>>,
    pub(crate) dead: BTreeSet<u16>,
    pub(crate) faults: Faults,
}

impl Platform {
    pub(crate) fn new(slots: usize) -> Self {
        Self {
            slots,
            accepted: BTreeMap::new(),
            chats: BTreeMap::new(),
            parts: BTreeMap::new(),
            waits: BTreeMap::new(),
            started: None,
            dead: BTreeSet::new(),
            faults: Faults::default(),
        }
    }

    /// Judges a call that left at `left`, now being `at`. `messages`: so many count against the limits.
    pub(crate) fn judge(
        &mut self,
        lane: u16,
        chat: i64,
        user: u64,
        messages: u32,
        left: u64,
        at: u64,
    ) -> Said {
        if self.dead.contains(&lane) {
            return Said::Dead;
        }
        if let Some(said) = self.waiting(lane, chat, left, at) {
            return said;
        }
        if self.started.as_ref().is_some_and(|started| !started.contains(&(lane, user))) {
            return Said::NotStarted;
        }
        if messages == 0 {
            return Said::Accepted;
        }
        if self.exceeds(lane, chat, messages as usize, at) {
            self.faults.refused += 1;
            return Said::Wait(self.impose(lane, chat, Scope::Chat, SECOND, at));
        }
        // An album is its parts; to a chat never more than a burst, or no chat could take one of ten.
        let of_chat = messages.min(3);
        self.accepted.entry(lane).or_default().extend((0..messages).map(|_| at));
        self.chats.entry((lane, chat)).or_default().extend((0..of_chat).map(|_| at));
        self.parts.entry((lane, chat)).or_default().extend((of_chat..messages).map(|_| at));
        Said::Accepted
    }

    /// Imposes a wait without a cause; gives what the caller is told: the longest that applies.
    pub(crate) fn impose(&mut self, lane: u16, chat: i64, scope: Scope, wait: u64, at: u64) -> u64 {
        let waits = self.waits.entry(lane).or_default();
        let running = waits.iter().filter(|wait| wait.scope == Scope::Token || wait.chat == chat);
        let until = running.map(|wait| wait.until).max().unwrap_or(0).max(at + wait);
        waits.push(Wait { scope, chat, until, told_at: u64::MAX });
        until - at
    }

    /// The answer with a wait arrived at `at`: from now on the caller knows.
    pub(crate) fn told(&mut self, lane: u16, chat: i64, at: u64) {
        for wait in self.waits.entry(lane).or_default() {
            if wait.chat == chat {
                wait.told_at = wait.told_at.min(at);
            }
        }
    }

    fn waiting(&mut self, lane: u16, chat: i64, left: u64, at: u64) -> Option<Said> {
        let waits = self.waits.entry(lane).or_default();
        waits.retain(|wait| wait.until > at);
        let until = waits
            .iter()
            .filter(|wait| wait.scope == Scope::Token || wait.chat == chat)
            .map(|wait| wait.until)
            .max()?;
        let told: Vec<&Wait> = waits.iter().filter(|wait| wait.told_at < left).collect();
        let own = told.iter().any(|wait| wait.chat == chat);
        let token = told.iter().any(|wait| wait.scope == Scope::Token);
        let others: BTreeSet<i64> = told.iter().map(|wait| wait.chat).collect();
        if own || (token && others.len() > 1) {
            self.faults.defiance += 1;
        } else if token {
            self.faults.probes += 1;
        }
        let scope = if token { Scope::Token } else { Scope::Chat };
        waits.push(Wait { scope, chat, until, told_at: u64::MAX });
        Some(Said::Wait(until - at))
    }

    fn exceeds(&mut self, lane: u16, chat: i64, messages: usize, at: u64) -> bool {
        let log = self.accepted.entry(lane).or_default();
        while log.front().is_some_and(|first| at - first >= SECOND) {
            log.pop_front();
        }
        let token_full = log.len() + messages > self.slots;
        let parts = self.parts.entry((lane, chat)).or_default();
        while parts.front().is_some_and(|first| at - first >= 60 * SECOND) {
            parts.pop_front();
        }
        let parts = parts.len();
        let log = self.chats.entry((lane, chat)).or_default();
        while log.front().is_some_and(|first| at - first >= 60 * SECOND) {
            log.pop_front();
        }
        // 1 a second in bursts of 3: whatever run of n + 3 is looked at, it took n seconds at least.
        let burst_full = (0..log.len()).any(|i| {
            let run = (log.len() - i) as u64;
            run >= 3 && at - log[i] < (run - 2) * SECOND
        });
        token_full || burst_full || (chat < 0 && log.len() + parts + messages > 20)
    }
}
