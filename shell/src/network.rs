//! Networks in CIDR notation (RFC 4632, RFC 4291 2.3), and how many connections an address holds.
//!
//! What lives here: [`Network`], which configuration reads and whoever must know a peer asks; [`TELEGRAM`], where the
//! platform calls from; [`Crowd`], which counts. An IPv4 address and the IPv6 address that stands for it (RFC 4291
//! 2.5.5.2) are the same: a listener on `[::]` sees the latter.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

/// Where Telegram's webhooks come from, as its documentation says (core.telegram.org/bots/webhooks).
pub const TELEGRAM: [&str; 2] = ["149.154.160.0/20", "91.108.4.0/22"];

/// Bits of the prefix ::ffff:0:0/96, in which IPv4 addresses lie.
const MAPPED_BITS: u32 = 96;

/// A network: all addresses that begin with the same bits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Network {
    base: u128,
    /// Of 128.
    bits: u32,
}

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32`, or one address.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| "it must begin with an IP address")?;
        let (most, before) = if address.is_ipv4() { (32, MAPPED_BITS) } else { (128, 0) };
        let bits = match bits {
            None => most,
            Some(bits) if bits.bytes().all(|b| b.is_ascii_digit()) => bits.parse().unwrap_or(u32::MAX),
            Some(_) => return Err("behind the slash stands the number of bits"),
        };
        if bits > most {
            return Err("it has more bits than an address");
        }
        let network = Self { base: number(address), bits: before + bits };
        if network.base & !network.mask() != 0 {
            return Err("the address has bits behind the prefix: write the network's first address");
        }
        Ok(network)
    }

    /// Whether the address lies in it.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        number(address) & self.mask() == self.base
    }

    fn mask(&self) -> u128 {
        u128::MAX.checked_shl(128 - self.bits).unwrap_or(0)
    }
}

fn number(address: IpAddr) -> u128 {
    let wide: Ipv6Addr = match address {
        IpAddr::V4(narrow) => narrow.to_ipv6_mapped(),
        IpAddr::V6(wide) => wide,
    };
    wide.to_bits()
}

/// How many connections each address holds. An IPv6 customer has a /64, so that counts as one address.
#[derive(Default, Debug)]
pub struct Crowd {
    held: HashMap<u128, usize>,
}

impl Crowd {
    /// One more for `address`, if it holds fewer than `most`.
    pub fn enter(&mut self, address: IpAddr, most: usize) -> bool {
        let held = self.held.entry(place(address)).or_default();
        let fits = *held < most;
        *held += usize::from(fits);
        fits
    }

    /// One less.
    pub fn leave(&mut self, address: IpAddr) {
        let place = place(address);
        if let Some(held) = self.held.get_mut(&place) {
            *held -= 1;
            if *held == 0 {
                self.held.remove(&place);
            }
        }
    }
}

fn place(address: IpAddr) -> u128 {
    let number = number(address);
    if number >> 32 == 0xffff { number } else { number >> 64 << 64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn a_network_holds_the_addresses_that_begin_like_it() {
        for (network, inside, outside) in [
            ("149.154.160.0/20", "149.154.175.255", "149.154.176.0"),
            ("91.108.4.0/22", "::ffff:91.108.7.1", "91.108.8.1"),
            ("10.0.0.7", "10.0.0.7", "10.0.0.8"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::"),
            ("::1", "::1", "::2"),
            ("0.0.0.0/0", "255.1.2.3", "::1"),
        ] {
            let parsed = Network::parse(network).expect(network);
            assert!(parsed.contains(address(inside)) && !parsed.contains(address(outside)), "{network}");
        }
        assert!(Network::parse("::/0").expect("all").contains(address("1.2.3.4")));
        for network in TELEGRAM {
            Network::parse(network).expect(network);
        }
    }

    #[test]
    fn what_is_no_network_is_told_why() {
        for (text, why) in [
            ("", "IP address"),
            ("telegram.org", "IP address"),
            ("10.0.0.0/33", "more bits"),
            ("::/129", "more bits"),
            ("10.0.0.0/", "more bits"),
            ("10.0.0.0/-1", "number of bits"),
            ("10.0.0.1/8", "first address"),
            ("10.0.0.0/99999999999", "more bits"),
        ] {
            let said = Network::parse(text).expect_err(text);
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn a_crowd_counts_by_address_and_forgets_who_left() {
        let mut crowd = Crowd::default();
        assert!(crowd.enter(address("1.2.3.4"), 2) && crowd.enter(address("::ffff:1.2.3.4"), 2));
        assert!(!crowd.enter(address("1.2.3.4"), 2) && crowd.enter(address("1.2.3.5"), 2));
        assert!(crowd.enter(address("2001:db8::1"), 1) && !crowd.enter(address("2001:db8::2"), 1));
        assert!(crowd.enter(address("2001:db8:0:1::1"), 1));
        for left in ["1.2.3.4", "1.2.3.4", "1.2.3.5", "2001:db8::1", "2001:db8:0:1::1", "9.9.9.9"] {
            crowd.leave(address(left));
        }
        assert!(crowd.held.is_empty());
    }
}
