//! Who may bring updates: the networks that are allowed, seen through the proxies that are trusted.
//!
//! What lives here: [`Sources`]. X-Forwarded-For is believed only from a proxy that the operator named: anyone can
//! write that field, and a list is read from its end, where our own proxy wrote.

use crate::http::RequestHead;
use crate::network::Network;
use std::net::{IpAddr, SocketAddr};

/// The allow-list and the proxies.
#[derive(Clone, Default, Debug)]
pub struct Sources {
    /// Whence updates may come; empty: from anywhere.
    pub allowed: Vec<Network>,
    /// Whose X-Forwarded-For is believed.
    pub proxies: Vec<Network>,
}

impl Sources {
    /// Whether a request from `peer` may bring an update.
    #[must_use]
    pub fn admit(&self, peer: IpAddr, head: &RequestHead<'_>) -> bool {
        self.allowed.is_empty() || self.client(peer, head).is_some_and(|client| is_in(&self.allowed, client))
    }

    /// Who sent the request to the first proxy of ours; none if the field is not readable up to there.
    fn client(&self, peer: IpAddr, head: &RequestHead<'_>) -> Option<IpAddr> {
        let mut client = peer;
        if !is_in(&self.proxies, peer) {
            return Some(client);
        }
        let lines: Vec<&[u8]> = head.fields().all("X-Forwarded-For").collect();
        // RFC 9110 5.3: several lines are one list.
        for member in lines.iter().rev().flat_map(|line| line.rsplit(|&b| b == b',')) {
            client = address(member.trim_ascii())?;
            if !is_in(&self.proxies, client) {
                break;
            }
        }
        Some(client)
    }
}

fn is_in(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// An address as proxies write it: bare, in brackets, or with a port.
fn address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    let bare = text.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse().ok().map(|socket: SocketAddr| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{HeadLimits, RequestIndex, Step, parse_request};

    fn admits(allowed: &[&str], proxies: &[&str], peer: &str, lines: &str) -> bool {
        let networks = |texts: &[&str]| texts.iter().map(|text| Network::parse(text).expect("one")).collect();
        let sources = Sources { allowed: networks(allowed), proxies: networks(proxies) };
        let text = format!("POST / HTTP/1.1\r\nHost: x\r\n{lines}\r\n");
        let mut index = RequestIndex::default();
        let step = parse_request(text.as_bytes(), &HeadLimits::default(), &mut index);
        assert!(matches!(step, Step::Done(_)), "{step:?}");
        sources.admit(peer.parse().expect("an address"), &RequestHead::new(text.as_bytes(), &index))
    }

    #[test]
    fn without_a_list_everybody_may() {
        assert!(admits(&[], &[], "203.0.113.9", ""));
    }

    #[test]
    fn with_a_list_only_its_networks_may_whatever_they_write() {
        let allowed = ["149.154.160.0/20"];
        assert!(admits(&allowed, &[], "149.154.167.1", ""));
        assert!(!admits(&allowed, &[], "203.0.113.9", ""));
        assert!(!admits(&allowed, &[], "203.0.113.9", "X-Forwarded-For: 149.154.167.1\r\n"));
    }

    #[test]
    fn a_trusted_proxy_is_believed_from_the_end_of_its_list() {
        let (allowed, proxies) = (["149.154.160.0/20"], ["10.0.0.0/8", "127.0.0.1"]);
        for (peer, lines, wanted) in [
            ("127.0.0.1", "X-Forwarded-For: 149.154.167.1\r\n", true),
            ("127.0.0.1", "X-Forwarded-For: 149.154.167.1, 10.1.2.3\r\n", true),
            ("127.0.0.1", "X-Forwarded-For: 149.154.167.1:4711\r\n", true),
            ("127.0.0.1", "X-Forwarded-For: [::ffff:149.154.167.1]\r\n", true),
            ("127.0.0.1", "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-For: 149.154.167.1\r\n", true),
            // What stands before was written by whoever called.
            ("127.0.0.1", "X-Forwarded-For: 149.154.167.1, 203.0.113.9\r\n", false),
            ("127.0.0.1", "X-Forwarded-For: 149.154.167.1\r\nX-Forwarded-For: 203.0.113.9\r\n", false),
            ("127.0.0.1", "X-Forwarded-For: 149.154.167.1, unknown\r\n", false),
            ("127.0.0.1", "X-Forwarded-For: 149.154.167.1,\r\n", false),
            ("127.0.0.1", "", false),
            ("192.0.2.1", "X-Forwarded-For: 149.154.167.1\r\n", false),
        ] {
            assert_eq!(admits(&allowed, &proxies, peer, lines), wanted, "{peer} {lines}");
        }
    }
}
