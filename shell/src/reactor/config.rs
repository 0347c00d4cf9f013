//! Every bound of a reactor in one place, with unit, reason, and what happens at it.

use crate::http::HeadLimits;
use crate::network::Network;
use std::net::IpAddr;
use std::time::Duration;

/// Bounds of one reactor. The defaults suit a webhook listener.
#[derive(Clone, Debug)]
pub struct ReactorConfig {
    /// Connections open at once. At it, accepting pauses and newcomers wait in the kernel's backlog.
    pub connections_max: usize,
    /// Connections of one address (in IPv6 of one /64); 0 for no limit. At it, newcomers are closed at once, so
    /// that one peer cannot keep all others out.
    pub per_address_max: usize,
    /// Networks whose connections are not counted: proxies, the platform. Loopback never is.
    pub uncounted: Vec<Network>,
    /// Of a request's head. Beyond: 414 or 431.
    pub head: HeadLimits,
    /// A request's body, decoded, in bytes. Beyond: 413.
    pub body_bytes_max: usize,
    /// Requests of one connection that may wait for their answers. At it, the connection is not read.
    pub pipeline_max: usize,
    /// Answers of one connection not yet written, in bytes. At it, the connection is not read.
    pub output_bytes_max: usize,
    /// For a TLS handshake, from accept. Then: close.
    pub handshake: Duration,
    /// For a head, from its first byte, or from accept for the first. Then: 408 if it has begun.
    pub head_time: Duration,
    /// For a body, from the end of its head. Then: 408.
    pub body_time: Duration,
    /// Between requests. Then: close. More than the platform's own (about 60 s), so that it closes first
    /// and no update meets a closing connection.
    pub idle: Duration,
    /// For the peer to take what is written to it, from the first byte that waits. Then: close.
    pub write: Duration,
    /// For the service to answer. Then: close; the platform delivers again.
    pub answer: Duration,
    /// For the peer to close after us, so that it can read our last answer. Then: close hard.
    pub linger: Duration,
    /// For the requests in flight at a graceful stop. Then: close all.
    pub drain: Duration,
    /// For a connection that has asked nothing yet, at a graceful stop. Then: close. Clients open connections in store;
    /// newcomers who wait behind a restart would wait for those as well.
    pub drain_silent: Duration,
    /// How long accepting rests when the process has no file descriptor left.
    pub accept_rest: Duration,
}

impl Default for ReactorConfig {
    fn default() -> Self {
        Self {
            connections_max: 4_096,
            per_address_max: 1_024,
            uncounted: Vec::new(),
            head: HeadLimits::default(),
            body_bytes_max: 1 << 20,
            pipeline_max: 64,
            output_bytes_max: 256 * 1024,
            handshake: Duration::from_secs(10),
            head_time: Duration::from_secs(10),
            body_time: Duration::from_secs(30),
            idle: Duration::from_secs(90),
            write: Duration::from_secs(30),
            answer: Duration::from_secs(60),
            linger: Duration::from_secs(2),
            drain: Duration::from_secs(10),
            drain_silent: Duration::from_millis(300),
            accept_rest: Duration::from_millis(200),
        }
    }
}

impl ReactorConfig {
    /// How many connections an address may hold; none for no limit.
    pub(super) fn bound_of(&self, address: IpAddr) -> Option<usize> {
        let counted = self.per_address_max > 0
            && !address.to_canonical().is_loopback()
            && !self.uncounted.iter().any(|network| network.contains(address));
        counted.then_some(self.per_address_max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_named_networks_hold_as_many_as_they_like() {
        let uncounted = vec![Network::parse("149.154.160.0/20").expect("a network")];
        let config = ReactorConfig { per_address_max: 7, uncounted, ..ReactorConfig::default() };
        let bound = |text: &str| config.bound_of(text.parse().expect("an address"));
        assert_eq!((bound("203.0.113.9"), bound("2001:db8::1")), (Some(7), Some(7)));
        for free in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "149.154.167.1", "::ffff:149.154.167.1"] {
            assert_eq!(bound(free), None, "{free}");
        }
        assert_eq!(ReactorConfig { per_address_max: 0, ..config }.bound_of([203, 0, 113, 9].into()), None);
    }
}
