//! What the operator may set.
//!
//! What lives here: [`PacerConfig`] and its defaults, each with unit and reason. No decision.

use super::reach::ReachMode;
use crate::bucket::Rate;
use crate::limits::PENDING_BACKSTOP;
use core::time::Duration;

/// The pacer's settings; [`PacerConfig::default`] is what one Telegram token is known to bear.
#[derive(Clone, PartialEq, Debug)]
pub struct PacerConfig {
    /// Messages a lane may have out in any second, all classes together: the operator's 30.
    pub slots: u32,
    /// At most so many of a lane's slots for each class ([`crate::envelope::Class`] order); `None` is all.
    pub ceilings: [Option<u32>; 4],
    /// Sends of a lane that may be unanswered at once (each needs a connection). Urgent calls pass it.
    pub in_flight: u32,
    /// Calls that are not messages (answers to callbacks, typing), per lane. The platform does not count
    /// them as messages, so they have a bucket of their own, far wider than the window.
    pub calls: Rate,
    /// Messages to one chat: 1 a second, in bursts of 3.
    pub chat: Rate,
    /// Messages to one group in `group_period`.
    pub group_slots: u32,
    /// See `group_slots`: 20 a minute.
    pub group_period: Duration,
    /// Envelopes held, those in flight included; see the shedding rule in the module's documentation.
    pub max_pending: usize,
    /// How far urgent envelopes may pass `max_pending`.
    pub urgent_reserve: usize,
    /// Envelopes of one conversation; the next is refused.
    pub max_per_conversation: u16,
    /// Whether replies may be shed for urgent envelopes. Off: a promised answer is not given up.
    pub shed_replies: bool,
    /// Sends of one envelope that may fail while its lane works for others; then it is dropped as
    /// exhausted. Urgent ones are not.
    pub attempts: u8,
    /// The pause before the second attempt; doubled for each further one.
    pub retry_pause: Duration,
    /// The longest of these pauses.
    pub retry_pause_max: Duration,
    /// Failures in a row that open a lane.
    pub failures_to_open: u32,
    /// How long a lane stays open the first time; doubled each time its probe fails.
    pub open: Duration,
    /// The longest it stays open.
    pub open_max: Duration,
    /// A freeze of a token longer than this counts as an open lane: what may go elsewhere goes there.
    pub freeze_failover: Duration,
    /// What a 429 is taken to be about.
    pub retry_scope: RetryScope,
    /// Which lanes may be tried for whom.
    pub reach: ReachMode,
    /// The modulus of `user_id % homes`; `None` is the number of lanes at the start. It stays as it is
    /// when lanes come and go, so that nobody moves.
    pub homes: Option<u16>,
    /// Learns the number of slots from 429s and latency; `None` keeps it fixed.
    pub adaptive: Option<Adaptive>,
    /// The past is unknown: every token is out for one period, every chat's burst is spent.
    pub spent: bool,
}

/// The scope of a 429, which the platform does not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RetryScope {
    /// First the chat alone; the whole token when a second chat is refused while that wait runs. Until a
    /// send to another chat was accepted, the lane has one send in flight at most, so that a wait that
    /// was meant for the token is met by one call, not by thirty.
    ChatFirst,
    /// The whole token at once.
    Token,
}

/// Bounds of the adaptive number of slots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Adaptive {
    /// Never fewer slots.
    pub floor: u32,
    /// Never more.
    pub ceiling: u32,
}

impl Default for Adaptive {
    fn default() -> Self {
        Self { floor: 10, ceiling: 1_000 }
    }
}

impl Default for PacerConfig {
    fn default() -> Self {
        Self {
            slots: 30,
            ceilings: [None; 4],
            in_flight: 64,
            calls: Rate::per_second(100, 100),
            chat: Rate::per_second(1, 3),
            group_slots: 20,
            group_period: Duration::from_secs(60),
            max_pending: PENDING_BACKSTOP,
            urgent_reserve: 4_096,
            max_per_conversation: 4_096,
            shed_replies: false,
            attempts: 10,
            retry_pause: Duration::from_millis(500),
            retry_pause_max: Duration::from_secs(30),
            failures_to_open: 5,
            open: Duration::from_secs(1),
            open_max: Duration::from_secs(60),
            freeze_failover: Duration::from_secs(30),
            retry_scope: RetryScope::ChatFirst,
            reach: ReachMode::All,
            homes: None,
            adaptive: None,
            spent: true,
        }
    }
}
