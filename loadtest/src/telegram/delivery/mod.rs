//! The webhook delivery engine, after the server's own `WebhookActor`.
//!
//! [`queue`] decides which update leaves when (pure); [`ramp`] decides when a connection may be opened
//! (pure); [`pump`] moves bytes. Facts reproduced: ordering lanes, look-ahead of 2 x max_connections lanes,
//! one request at a time per connection, ten new connections per 0.5 s (one per 2 s while nothing succeeded
//! for 10 s), first retry at once then 2, 4, 8 ... s, `Retry-After` honoured to 3600 s, expiry, the queue cap.

pub(crate) mod pump;
pub(crate) mod queue;
pub(crate) mod ramp;

use std::time::Duration;

/// The delivery engine's numbers. The default is the platform's; tests compress time.
#[derive(Clone, Copy, Debug)]
pub struct DeliveryRules {
    /// How long an answer is waited for.
    pub answer_timeout: Duration,
    /// How long a connection may take to be made.
    pub connect_timeout: Duration,
    /// The unit of the back-off: the second failure waits two of it, the next four ...
    pub retry_unit: Duration,
    /// The back-off's cap is drawn between one and two of this.
    pub retry_cap: Duration,
    /// The largest `Retry-After` that is honoured.
    pub retry_after_max: Duration,
    /// New connections per [`Self::ramp_period`] while deliveries succeed.
    pub ramp_connections: usize,
    pub ramp_period: Duration,
    /// Without a success for so long, one connection at a time is tried, one per [`Self::slow_period`].
    pub slow_after: Duration,
    pub slow_period: Duration,
    /// An idle connection is closed after so long.
    pub idle_timeout: Duration,
    /// Messages, edits and all kinds not named below expire after so long.
    pub expiry_message: Duration,
    /// Callback queries, pre-checkout and shipping queries.
    pub expiry_query: Duration,
    /// Inline queries.
    pub expiry_inline: Duration,
    /// 410 for so long closes the webhook.
    pub gone_after: Duration,
    /// Updates that wait per bot; more are lost.
    pub queue_max: usize,
    /// Bytes that wait per bot; more are lost.
    pub queue_bytes_max: usize,
}

impl Default for DeliveryRules {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            answer_timeout: s(60),
            connect_timeout: s(50),
            retry_unit: s(1),
            retry_cap: s(60),
            retry_after_max: s(3600),
            ramp_connections: 10,
            ramp_period: Duration::from_millis(500),
            slow_after: s(10),
            slow_period: s(2),
            idle_timeout: s(60),
            expiry_message: s(24 * 3600),
            expiry_query: s(150),
            expiry_inline: s(30),
            gone_after: s(23 * 3600),
            queue_max: 100_000,
            queue_bytes_max: 128 << 20,
        }
    }
}
