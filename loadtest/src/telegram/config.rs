//! What an emulated platform is told before it starts.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::delivery::DeliveryRules;
use super::latency::Latency;
use super::limits::Limits;
use super::reach::{Form, Reach};

/// One registered bot. Its position in the list is its [`crate::wire::BotIx`].
#[derive(Clone)]
pub struct BotSpec {
    /// `<id>:<secret>`; the number before the colon is the bot's user id.
    pub token: String,
    pub username: String,
    pub first_name: String,
}

impl BotSpec {
    /// A bot named after its token's id.
    pub fn new(token: impl Into<String>) -> Self {
        let token = token.into();
        let id = token.split(':').next().unwrap_or_default().to_owned();
        Self { username: format!("bot{id}_bot"), first_name: "بوت النتائج".into(), token }
    }
}

impl std::fmt::Debug for BotSpec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BotSpec").field("username", &self.username).finish_non_exhaustive()
    }
}

/// How a well-formed token that belongs to no bot is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownToken {
    /// 401 `Unauthorized`, as the server's source has it.
    #[default]
    Unauthorized,
    /// 404 `Not Found`, as production is often reported to answer.
    NotFound,
}

/// Everything that can be turned. [`EmulatorConfig::default`] listens on a free loopback port, with no bot.
#[derive(Clone, Debug)]
pub struct EmulatorConfig {
    pub listen: SocketAddr,
    pub bots: Vec<BotSpec>,
    pub limits: Limits,
    pub reach: Reach,
    /// Channels in which nobody is at first, by id and public name; of any other chat everybody is a member.
    pub channels: Vec<(i64, String)>,
    /// How a bot that cannot write to a user is told so.
    pub unreachable_form: Form,
    pub latency: Latency,
    pub delivery: DeliveryRules,
    pub unknown_token: UnknownToken,
    /// Feeds reach, latency, fault shares, and the first update and message ids.
    pub seed: u64,
    /// Where webhooks with an `https` URL are delivered, in plain HTTP, as by a TLS-ending proxy.
    /// `None`: an `https` URL is refused.
    pub webhook_via: Option<SocketAddr>,
    /// `getUpdates` waits at most this long, whatever the caller asks for.
    pub poll_max: Duration,
    /// The largest request body; beyond it the answer is 413.
    pub body_max: usize,
}

impl Default for EmulatorConfig {
    fn default() -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            bots: Vec::new(),
            limits: Limits::default(),
            reach: Reach::default(),
            channels: Vec::new(),
            unreachable_form: Form::default(),
            latency: Latency::default(),
            delivery: DeliveryRules::default(),
            unknown_token: UnknownToken::default(),
            seed: 1,
            webhook_via: None,
            poll_max: Duration::from_secs(50),
            body_max: 50 << 20,
        }
    }
}
