//! Request targets (RFC 9112 3.2) and authorities (RFC 3986 3.2), checked byte by byte.

use super::bytes::{self, NAME, PATH, PLAIN_NAME, PLAIN_PATH};
use super::{Method, Reason};
use std::net::Ipv6Addr;
use std::ops::Range;

/// Where path and query stand in a target.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Parts {
    /// Empty for an absolute form without a path (which means `/`).
    pub(super) path: Range<usize>,
    /// Without the question mark.
    pub(super) query: Option<Range<usize>>,
    /// Of the absolute form.
    pub(super) authority: Option<Range<usize>>,
}

/// Splits and checks a target. Authority form belongs to CONNECT, which is not implemented.
pub(super) fn parse(method: Method, target: &[u8]) -> Result<Parts, Reason> {
    match target {
        // RFC 9112 3.2.1: origin form begins with a slash.
        [b'/', ..] => path_and_query(target, 0, None),
        // RFC 9112 3.2.4: the asterisk form belongs to OPTIONS alone.
        b"*" if method == Method::Options => Ok(Parts { path: 0..1, query: None, authority: None }),
        _ => absolute(target),
    }
}

/// RFC 9112 3.2.2: the absolute form must be accepted, with the schemes this server can be reached by.
fn absolute(target: &[u8]) -> Result<Parts, Reason> {
    let from = [&b"http://"[..], b"https://"]
        .into_iter()
        .find(|scheme| target.get(..scheme.len()).is_some_and(|t| t.eq_ignore_ascii_case(scheme)))
        .ok_or(Reason::Target)?
        .len();
    let to = target[from..].iter().position(|b| matches!(b, b'/' | b'?')).map_or(target.len(), |n| from + n);
    if !is_authority(&target[from..to]) {
        return Err(Reason::Target);
    }
    path_and_query(target, to, Some(from..to))
}

fn path_and_query(target: &[u8], from: usize, authority: Option<Range<usize>>) -> Result<Parts, Reason> {
    if bytes::skip(target, from, PLAIN_PATH) == target.len() {
        return Ok(Parts { path: from..target.len(), query: None, authority });
    }
    let rest = &target[from..];
    // One pass: what is of a path's class, where the query begins, whether a percent sign must be looked at.
    let (mut query, mut percent) = (None, false);
    for (at, &byte) in rest.iter().enumerate() {
        if !bytes::is(byte, PATH) {
            return Err(Reason::Target);
        }
        percent |= byte == b'%';
        if byte == b'?' && query.is_none() {
            query = Some(at);
        }
    }
    if percent && !percents_are_whole(rest) {
        return Err(Reason::Target);
    }
    Ok(match query {
        None => Parts { path: from..target.len(), query: None, authority },
        Some(n) => Parts { path: from..from + n, query: Some(from + n + 1..target.len()), authority },
    })
}

/// RFC 9110 4.2 and 7.2: `host [":" port]` with a host that is not empty and without user information.
pub(super) fn is_authority(value: &[u8]) -> bool {
    let (host_is_good, rest) = if let [b'[', literal @ ..] = value {
        let Some(end) = bytes::find(literal, b']') else { return false };
        let address =
            std::str::from_utf8(&literal[..end]).ok().and_then(|text| text.parse::<Ipv6Addr>().ok());
        (address.is_some(), &literal[end + 1..])
    } else {
        let plain = bytes::skip(value, 0, PLAIN_NAME);
        let end = bytes::skip(value, plain, NAME);
        let (host, rest) = value.split_at(end);
        (!host.is_empty() && (plain == end || percents_are_whole(host)), rest)
    };
    host_is_good && is_port(rest)
}

/// RFC 3986 3.2.3: nothing, or a colon and digits (which may be none); not more than a port can be.
fn is_port(rest: &[u8]) -> bool {
    match rest {
        [] | [b':'] => true,
        [b':', digits @ ..] => bytes::decimal(digits).is_some_and(|port| port <= 65_535),
        _ => false,
    }
}

/// RFC 3986 2.1: a percent sign is followed by two hexadecimal digits.
fn percents_are_whole(mut text: &[u8]) -> bool {
    while let Some(at) = bytes::find(text, b'%') {
        match &text[at + 1..] {
            [a, b, rest @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => text = rest,
            _ => return false,
        }
    }
    true
}
