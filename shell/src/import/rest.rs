//! Blocking GETs for imports, over the shell's own client; tried again where that is harmless and may help.

use super::supabase::Fetch;
use crate::http::{Method, write_get};
use crate::outbound::client::{Origin, OriginError, blocking};
use crate::tls::client_config;
use rustls::ClientConfig;
use std::sync::Arc;
use std::time::Duration;

/// For one answer; a page of 1,000 rows takes well below a second.
const TIMEOUT: Duration = Duration::from_secs(30);
/// How often one page is asked for.
const TRIES: u32 = 4;
/// Before the second try; doubled before each further one.
const PAUSE: Duration = Duration::from_millis(500);
/// A longer `Retry-After` is not waited for.
const RETRY_AFTER_MAX: u32 = 60;

/// A service at one address. HTTPS with the system's certificates; plain HTTP to this machine only.
pub struct Rest {
    origin: Origin,
    tls: Option<Arc<ClientConfig>>,
}

/// An address that cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum RestError {
    /// Not an address.
    #[error(transparent)]
    Origin(#[from] OriginError),
    /// Nobody would be trusted.
    #[error("{0}")]
    Tls(String),
}

impl Rest {
    /// At `url`, `https://<project>.supabase.co`.
    ///
    /// # Errors
    /// [`RestError`]; nothing is connected yet.
    pub fn new(url: &str) -> Result<Self, RestError> {
        let origin = Origin::parse(url)?;
        let tls = match origin.is_tls() {
            true => Some(client_config(None).map_err(|error| RestError::Tls(error.to_string()))?),
            false => None,
        };
        Ok(Self { origin, tls })
    }

    fn once(&self, request: &[u8]) -> Result<(u16, Option<u32>, Vec<u8>), String> {
        let answer = blocking::call(&self.origin, self.tls.clone(), Method::Get, request, TIMEOUT);
        answer.map(|a| (a.status, a.retry_after, a.body)).map_err(|failure| failure.to_string())
    }
}

impl Fetch for Rest {
    fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> Result<(u16, Vec<u8>), String> {
        // A line feed in a key would begin another header.
        if headers.iter().any(|(_, value)| !value.bytes().all(|b| matches!(b, b' '..=b'~'))) {
            return Err("a header would hold something that is not printable ASCII: check the key".into());
        }
        let mut fields = headers.to_vec();
        fields.push(("Connection", "close"));
        let mut request = Vec::new();
        write_get(&mut request, &[self.origin.prefix(), target], self.origin.authority(), &fields);
        let mut pause = PAUSE;
        for _ in 1..TRIES {
            let wait = match self.once(&request) {
                // A GET may be repeated whatever became of it (RFC 9110 9.2.2).
                Err(_) => pause,
                Ok((429 | 500..=599, after, _)) if after.is_none_or(|s| s <= RETRY_AFTER_MAX) => {
                    after.map_or(pause, |s| Duration::from_secs(s.into()))
                }
                Ok((status, _, body)) => return Ok((status, body)),
            };
            std::thread::sleep(wait);
            pause *= 2;
        }
        self.once(&request).map(|(status, _, body)| (status, body))
    }
}
