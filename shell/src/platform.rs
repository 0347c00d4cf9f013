//! Single calls to the platform, each over a connection of its own: for commands and for the start.
//!
//! What lives here: [`Platform`], the [`Api`] that is real. Traffic does not pass here; it has the client of
//! the outbound thread. Errors hold no address, because the address holds the token.

use crate::channel::telegram::encode::{Encoder, Params, RequestHead};
use crate::channel::telegram::{Api, RawAnswer};
use crate::config::BaseUrl;
use crate::http::Method;
use crate::observe::Secret;
use crate::outbound::client::{Origin, blocking};
use std::time::Duration;
use zeroize::Zeroize as _;

/// For one call, connecting included. The platform may hold a call back for 8 s before it says 429.
const TIMEOUT: Duration = Duration::from_secs(25);

/// The Bot API at an address.
pub struct Platform {
    root: BaseUrl,
}

impl Platform {
    /// The Bot API at `root`.
    #[must_use]
    pub const fn new(root: BaseUrl) -> Self {
        Self { root }
    }
}

impl Api for Platform {
    fn call(&self, token: &Secret, method: &str, params: &Params) -> Result<RawAnswer, String> {
        let origin = Origin::parse(&self.root.to_string()).map_err(|error| error.to_string())?;
        let head = RequestHead::closing(origin.authority(), origin.prefix(), token);
        let mut request = Vec::new();
        Encoder::new().method(&head, method, params, &mut request);
        let answered = blocking::call(&origin, None, Method::Post, &request, TIMEOUT);
        request.zeroize();
        let answer = answered.map_err(|failure| format!("{}: {failure}", self.root))?;
        Ok(RawAnswer { status: answer.status, body: answer.body })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::telegram::api::{ApiError, get_me};
    use std::io::{Read as _, Write as _};
    use std::net::TcpListener;

    #[test]
    fn a_call_is_one_request_and_its_answer_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let root = BaseUrl::parse(&format!("http://{}/x", listener.local_addr().expect("an address")))
            .expect("a root");
        let server = std::thread::spawn(move || {
            let (mut socket, _) = listener.accept().expect("a connection");
            let (mut request, mut piece) = (Vec::new(), [0; 1024]);
            while !request.ends_with(b"\r\n\r\n{}") {
                let n = socket.read(&mut piece).expect("a piece");
                request.extend_from_slice(&piece[..n]);
            }
            let body = r#"{"ok":true,"result":{"id":1000001,"username":"a_bot"}}"#;
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            socket.write_all(answer.as_bytes()).expect("written");
            String::from_utf8(request).expect("UTF-8")
        });
        let bot = get_me(&Platform::new(root), &Secret::new("1000001:TEST".into())).expect("an answer");
        assert_eq!((bot.id, bot.username.as_str()), (1_000_001, "a_bot"));
        let request = server.join().expect("a request");
        assert!(request.starts_with("POST /x/bot1000001:TEST/getMe HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nConnection: close\r\n"), "{request}");
    }

    #[test]
    fn an_unreachable_platform_is_told_without_the_token() {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let root = BaseUrl::parse(&format!("http://{free}")).expect("a root");
        let error =
            get_me(&Platform::new(root), &Secret::new("1000001:HIDDEN".into())).expect_err("nobody there");
        assert!(matches!(error, ApiError::Unreachable(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(&free.to_string()) && !text.contains("HIDDEN"), "{text}");
    }
}
