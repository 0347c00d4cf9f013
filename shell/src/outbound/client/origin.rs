//! Where a platform lives, as the client needs it: an address that may be called, with its Host field.

use crate::address::BaseUrl;
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};

/// One origin (RFC 9110 4.3) that may be called, with the path that all its targets begin with.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Origin {
    url: BaseUrl,
    /// As the Host field has it: the port only if it is not the scheme's own.
    authority: String,
}

/// Why an address may not be called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum OriginError {
    #[error("the address {0}")]
    Address(&'static str),
    #[error("plain http is allowed to this machine only (127.0.0.0/8, ::1, localhost): use https")]
    PlainNotLoopback,
}

impl Origin {
    /// At this address.
    ///
    /// # Errors
    /// Plain http is allowed to loopback only.
    pub fn new(url: BaseUrl) -> Result<Self, OriginError> {
        if !url.tls && !url.is_loopback() {
            return Err(OriginError::PlainNotLoopback);
        }
        let authority = url.authority();
        Ok(Self { url, authority })
    }

    /// [`Origin::new`] of a text such as `https://api.telegram.org` or `http://127.0.0.1:8081/prefix/`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, OriginError> {
        Self::new(BaseUrl::parse(text).map_err(OriginError::Address)?)
    }

    /// Whether it is reached over TLS.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.url.tls
    }

    /// The host, for the certificate's name.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.url.host
    }

    /// The value of the Host field.
    #[must_use]
    pub fn authority(&self) -> &str {
        &self.authority
    }

    /// What every target begins with; empty or `/prefix`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.url.path_prefix
    }

    /// Resolves the host. Blocks.
    ///
    /// # Errors
    /// If there is no address.
    pub fn resolve(&self) -> io::Result<Vec<SocketAddr>> {
        let found: Vec<_> = (self.url.host.as_str(), self.url.port)
            .to_socket_addrs()
            .map_err(|error| {
                io::Error::new(error.kind(), format!("cannot resolve {}: {error}", self.url.host))
            })?
            // The name `localhost` allows plain http; what it resolves to must keep that promise.
            .filter(|addr| self.url.tls || addr.ip().is_loopback())
            .collect();
        if found.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, format!("{} has no address", self.url.host)));
        }
        Ok(found)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.url.fmt(f)
    }
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
        let origin = Origin::parse("https://API.telegram.org:443/base//").expect("good");
        assert_eq!(
            (origin.authority(), origin.prefix(), origin.host()),
            ("api.telegram.org", "/base", "api.telegram.org")
        );
        assert_eq!(Origin::parse("http://[::1]:8081").expect("good").authority(), "[::1]:8081");
        assert_eq!(origin.to_string(), "https://api.telegram.org/base");
    }

    #[test]
    fn what_is_no_address_is_refused_with_its_reason() {
        for bad in ["api.telegram.org", "https://user@host", "https://host:+80", "https://host/\r\nX: y"] {
            let refused = Origin::parse(bad).expect_err(bad);
            assert!(matches!(refused, OriginError::Address(_)), "{bad}");
        }
        let refused = Origin::parse("ftp://x").expect_err("no address").to_string();
        assert_eq!(refused, "the address is neither https nor http");
    }
}
