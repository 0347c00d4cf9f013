//! The password of the operator's pages where everybody reaches the listener (`admin.on_main`).
//!
//! What lives here: [`Key`]. It is shown with every request (RFC 9110, 11.6.2), by programs as a bearer token
//! (RFC 6750), by browsers as the password of any user name (RFC 7617); nothing is remembered of who showed it.

use crate::observe::Secret;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use subtle::ConstantTimeEq as _;

/// A longer value is not looked at.
const SHOWN_MAX: usize = 1024;

/// What opens the pages.
pub(super) struct Key(Secret);

impl Key {
    pub(super) const fn new(password: Secret) -> Self {
        Self(password)
    }

    /// Whether the value of `Authorization` shows the password. Takes the same time wherever a wrong one of the same
    /// length differs.
    pub(super) fn opens(&self, authorization: Option<&[u8]>) -> bool {
        let shown = authorization.filter(|value| value.len() <= SHOWN_MAX).and_then(shown);
        shown.is_some_and(|shown| shown.as_slice().ct_eq(self.0.expose().as_bytes()).into())
    }
}

/// What stands behind the scheme, whose name is written in any case (RFC 9110, 11.1).
fn shown(value: &[u8]) -> Option<Vec<u8>> {
    let space = value.iter().position(|&b| b == b' ')?;
    let (scheme, rest) = (&value[..space], value[space..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(rest.to_vec());
    }
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let pair = BASE64_STANDARD.decode(rest).ok()?;
    // RFC 7617, 2: a user name holds no colon, a password may.
    let colon = pair.iter().position(|&b| b == b':')?;
    Some(pair[colon + 1..].to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc_7617_and_rfc_6750_both_open_and_nothing_else_does() {
        let key = Key::new(Secret::new("open:sesame-1234".to_owned()));
        let basic = |pair: &str| format!("Basic {}", BASE64_STANDARD.encode(pair));
        for good in [
            "Bearer open:sesame-1234".to_owned(),
            "bearer   open:sesame-1234".to_owned(),
            basic("operator:open:sesame-1234"),
            basic(":open:sesame-1234").replacen("Basic", "BASIC", 1),
        ] {
            assert!(key.opens(Some(good.as_bytes())), "{good}");
        }
        for bad in [
            String::new(),
            "open:sesame-1234".to_owned(),
            "Bearer".to_owned(),
            "Bearer open:sesame-123".to_owned(),
            "Bearer open:sesame-12345".to_owned(),
            "Digest open:sesame-1234".to_owned(),
            basic("open:sesame-1234"),
            basic("no colon"),
            "Basic !!!".to_owned(),
            format!("Bearer {}", "x".repeat(SHOWN_MAX)),
        ] {
            assert!(!key.opens(Some(bad.as_bytes())), "{bad}");
        }
        assert!(!key.opens(None));
    }
}
