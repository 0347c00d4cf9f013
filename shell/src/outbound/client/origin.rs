//! Where a platform lives: scheme, host, port and path prefix of its API root.

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};

/// One origin (RFC 9110 4.3), parsed and checked, with the path that all its targets begin with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    tls: bool,
    /// Without the brackets of an IP literal.
    host: String,
    port: u16,
    /// As the Host field has it: the port only if it is not the scheme's own.
    authority: String,
    /// Empty, or begins with a slash and does not end in one.
    prefix: String,
}

/// Why an API root is not usable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OriginError {
    #[error("the address must begin with https:// (or http:// to this machine)")]
    Scheme,
    #[error("plain http is allowed to this machine only (127.0.0.0/8, ::1, localhost): use https")]
    PlainNotLoopback,
    #[error("the host or port is malformed, or holds a user name")]
    Authority,
    #[error("the path holds a query, a fragment, a space or a control character")]
    Path,
}

impl Origin {
    /// Parses as in `https://api.telegram.org` or `http://127.0.0.1:8081/prefix/`.
    ///
    /// # Errors
    /// What is wrong with it. Plain http is allowed to loopback only.
    pub fn parse(url: &str) -> Result<Self, OriginError> {
        let (tls, rest) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return Err(OriginError::Scheme),
        };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (host, port) = split_authority(authority).ok_or(OriginError::Authority)?;
        let prefix = path.trim_end_matches('/');
        if !prefix.bytes().all(|b| b.is_ascii_graphic() && !matches!(b, b'?' | b'#')) {
            return Err(OriginError::Path);
        }
        if !tls && !is_loopback(&host) {
            return Err(OriginError::PlainNotLoopback);
        }
        let usual = if tls { 443 } else { 80 };
        let port = port.unwrap_or(usual);
        let bracketed = if host.contains(':') { format!("[{host}]") } else { host.clone() };
        let authority = if port == usual { bracketed } else { format!("{bracketed}:{port}") };
        Ok(Self { tls, host, port, authority, prefix: prefix.to_owned() })
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The host, for the certificate's name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The value of the Host field.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What every target begins with; empty or `/prefix`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Resolves the host. Blocks.
    ///
    /// # Errors
    /// If there is no address.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let found: Vec<_> = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .map_err(|error| io::Error::new(error.kind(), format!("cannot resolve {}: {error}", self.host)))?
            // The name `localhost` allows plain http; what it resolves to must keep that promise.
            .filter(|addr| self.tls || addr.ip().is_loopback())
            .collect();
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", self.host)));
        }
        Ok(found)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.tls { "https" } else { "http" }, self.authority, self.prefix)
    }
}

fn split_authority(authority: &str) -> Option<(String, Option<u16>)> {
    let (host, port) = if let Some(literal) = authority.strip_prefix('[') {
        let (host, rest) = literal.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (host, rest.strip_prefix(':').or(rest.is_empty().then_some("")))
    } else {
        match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, Some("")),
        }
    };
    let name = host.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_' | b':'));
    if host.is_empty() || !name {
        return None;
    }
    let port = match port? {
        "" => None,
        digits if digits.bytes().all(|b| b.is_ascii_digit()) => Some(digits.parse().ok()?),
        _ => return None,
    };
    Some((host.to_ascii_lowercase(), port))
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for good in
            ["http://127.0.0.1:8081", "http://[::1]:80/x/", "http://localhost", "https://api.telegram.org"]
        {
            assert!(Origin::parse(good).is_ok(), "{good}");
        }
        for bad in
            ["http://api.telegram.org", "http://127.0.0.1.example.org", "http://10.0.0.1", "http://0.0.0.0"]
        {
            assert_eq!(Origin::parse(bad), Err(OriginError::PlainNotLoopback), "{bad}");
        }
    }

    #[test]
    fn an_origin_names_its_port_only_if_it_is_not_usual() {
        let origin = Origin::parse("https://API.telegram.org:443/root//").expect("good");
        assert_eq!(
            (origin.authority(), origin.prefix(), origin.host()),
            ("api.telegram.org", "/root", "api.telegram.org")
        );
        assert_eq!(Origin::parse("http://[::1]:8081").expect("good").authority(), "[::1]:8081");
        assert_eq!(origin.to_string(), "https://api.telegram.org/root");
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        for (bad, why) in [
            ("api.telegram.org", OriginError::Scheme),
            ("ftp://x", OriginError::Scheme),
            ("https://", OriginError::Authority),
            ("https://user@host", OriginError::Authority),
            ("https://host:99999", OriginError::Authority),
            ("https://host:+80", OriginError::Authority),
            ("https://[::1", OriginError::Authority),
            ("https://[::1]x", OriginError::Authority),
            ("https://host/a b", OriginError::Path),
            ("https://host/a?b", OriginError::Path),
            ("https://host/\r\nX: y", OriginError::Path),
        ] {
            assert_eq!(Origin::parse(bad), Err(why), "{bad}");
        }
    }
}
