//! Addresses of servers: the one parser of `http(s)://host[:port][/prefix]`.
//!
//! What lives here: [`BaseUrl`]. The configuration reads it, the HTTP client connects to it
//! (`outbound::client::Origin`), the webhook setup hands it to the platform. It resolves nothing.

use std::fmt;
use std::net::IpAddr;

/// `http(s)://host[:port][/prefix]`, parsed.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct BaseUrl {
    /// https?
    pub tls: bool,
    /// A name or an IP address, in lower case; IPv6 without brackets.
    pub host: String,
    /// 443 or 80 if none was given.
    pub port: u16,
    /// Empty, or `/…` without a slash at the end.
    pub path_prefix: String,
}

impl BaseUrl {
    /// Reads an address. The error says what is wrong with it.
    ///
    /// # Errors
    /// A sentence's end: "has no scheme", ...
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let (scheme, rest) = text.split_once("://").ok_or("has no scheme; write https:// before it")?;
        let tls = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err("is neither https nor http"),
        };
        if rest.contains(['?', '#', '@', '\\']) || rest.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("must have no user, query, fragment or blank in it");
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = match authority.strip_prefix('[') {
            Some(v6) => {
                let (host, rest) = v6.split_once(']').ok_or("has an unclosed bracket")?;
                if host.parse::<std::net::Ipv6Addr>().is_err() {
                    return Err("has no IPv6 address in its brackets");
                }
                (host, rest.strip_prefix(':').or((!rest.is_empty()).then_some("?")))
            }
            None => match authority.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (authority, None),
            },
        };
        let port = match port {
            None => {
                if tls {
                    443
                } else {
                    80
                }
            }
            Some(digits) => Some(digits)
                .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
                .and_then(|digits| digits.parse().ok())
                .filter(|port| *port > 0)
                .ok_or("has a port that is no number from 1 to 65535")?,
        };
        let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || host.len() > 253 || !host.chars().all(word) {
            return Err("has no host name in ASCII letters");
        }
        if !path.is_ascii() {
            return Err("must have its path in ASCII");
        }
        let path_prefix = path.trim_end_matches('/').to_owned();
        Ok(Self { tls, host: host.to_ascii_lowercase(), port, path_prefix })
    }

    /// Is it this machine itself, by name or by address?
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
    }

    /// As a `Host` header wants it.
    #[must_use]
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == if self.tls { 443 } else { 80 } { host } else { format!("{host}:{}", self.port) }
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority(), self.path_prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn addresses_are_read_and_shown() {
        for (text, shown, authority) in [
            ("https://api.telegram.org", "https://api.telegram.org", "api.telegram.org"),
            ("HTTPS://Api.Telegram.org:443/", "https://api.telegram.org", "api.telegram.org"),
            ("http://127.0.0.1:8081/x/y/", "http://127.0.0.1:8081/x/y", "127.0.0.1:8081"),
            ("http://[::1]:8081", "http://[::1]:8081", "[::1]:8081"),
        ] {
            let url = BaseUrl::parse(text).expect(text);
            assert_eq!((url.to_string().as_str(), url.authority().as_str()), (shown, authority));
        }
    }

    #[test]
    fn loopback_is_told_from_the_world() {
        let loopback = |text: &str| BaseUrl::parse(text).expect(text).is_loopback();
        assert!(["http://localhost", "http://127.8.0.1", "http://[::1]"].into_iter().all(loopback));
        assert!(!["http://localhost.example", "http://10.0.0.1", "http://[::2]"].into_iter().any(loopback));
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in [
            "",
            "api.telegram.org",
            "ftp://x",
            "https://",
            "https:///x",
            "https://u@h",
            "https://h?x",
            "https://h#x",
            "https://h:0",
            "https://h:+80",
            "https://h:65536",
            "https://h:",
            "https://[::1",
            "https://[x]",
            "https://[::1]x",
            "https://h h",
            "https://h/\r\nX: y",
            "https://بوت.example",
        ] {
            assert!(BaseUrl::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(text in "https?://[a-z0-9.]{1,20}(:[1-9][0-9]{0,3})?(/[a-z]{1,5}){0,2}") {
            let url = BaseUrl::parse(&text).expect("an address");
            prop_assert_eq!(BaseUrl::parse(&url.to_string()), Ok(url));
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,40}") {
            let _ = (BaseUrl::parse(&text), BaseUrl::parse(&format!("http://{text}")));
        }
    }
}
