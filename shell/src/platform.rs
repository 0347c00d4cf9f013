//! Single calls to the platform, each over a connection of its own: for commands and for the start.
//!
//! What lives here: [`Platform`], the [`Api`] that is real. Traffic does not pass here; it has the client of
//! the outbound thread. Errors hold no address, because the address holds the token.

use crate::channel::telegram::api::Upload;
use crate::channel::telegram::encode::{Encoder, Params, RequestHead};
use crate::channel::telegram::{Api, RawAnswer};
use crate::config::{BaseUrl, Config};
use crate::entropy;
use crate::http::{Method, write_get, write_post};
use crate::observe::{Secret, rfc3339};
use crate::outbound::client::{Origin, blocking};
use crate::tls::client_config;
use nobat_core::time::UnixMillis;
use rustls::ClientConfig;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use zeroize::Zeroize as _;

/// For one call, connecting included. The platform may hold a call back for 8 s before it says 429.
const TIMEOUT: Duration = Duration::from_secs(25);

/// The Bot API at an address.
pub struct Platform {
    root: BaseUrl,
    /// Or why nobody can be trusted, told at the first call.
    tls: Result<Option<Arc<ClientConfig>>, String>,
}

impl Platform {
    /// The Bot API at `root`; over TLS, `extra_ca` is trusted beside the system's authorities. Reads the
    /// system's certificates, so it is for the start and for commands only.
    #[must_use]
    pub fn new(root: BaseUrl, extra_ca: Option<&Path>) -> Self {
        let tls = match root.tls {
            true => client_config(extra_ca).map(Some).map_err(|error| error.to_string()),
            false => Ok(None),
        };
        Self { root, tls }
    }

    /// The Bot API of a configuration.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        Self::new(config.api_root.clone(), config.api_ca.as_deref())
    }
}

impl Api for Platform {
    fn call(&self, token: &Secret, method: &str, params: &Params) -> Result<RawAnswer, String> {
        let tls = self.tls.clone()?;
        let origin = Origin::new(self.root.clone()).map_err(|error| error.to_string())?;
        let head = RequestHead::closing(origin.authority(), origin.prefix(), token);
        let mut request = Vec::new();
        Encoder::new().method(&head, method, params, &mut request);
        let answered = blocking::call(&origin, tls, Method::Post, &request, TIMEOUT);
        request.zeroize();
        let answer = answered.map_err(|failure| format!("{}: {failure}", self.root))?;
        Ok(RawAnswer { status: answer.status, body: answer.body })
    }

    fn upload(
        &self,
        token: &Secret,
        method: &str,
        params: &[(&str, &str)],
        file: &Upload<'_>,
    ) -> Result<RawAnswer, String> {
        let tls = self.tls.clone()?;
        let origin = Origin::new(self.root.clone()).map_err(|error| error.to_string())?;
        // Random, so that no part can hold it.
        let boundary = format!("nobat{:016x}{:016x}", entropy::seed(), entropy::seed());
        let body = multipart(&boundary, params, file);
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let target = [origin.prefix(), "/bot", token.expose(), "/", method];
        let mut request = Vec::new();
        write_post(
            &mut request,
            &target,
            origin.authority(),
            &content_type,
            &[("Connection", "close")],
            &body,
        );
        let answered = blocking::call(&origin, tls, Method::Post, &request, TIMEOUT);
        request.zeroize();
        let answer = answered.map_err(|failure| format!("{}: {failure}", self.root))?;
        Ok(RawAnswer { status: answer.status, body: answer.body })
    }

    fn date(&self) -> Option<UnixMillis> {
        let tls = self.tls.clone().ok()?;
        let origin = Origin::new(self.root.clone()).ok()?;
        let mut request = Vec::new();
        write_get(&mut request, &[origin.prefix(), "/"], origin.authority(), &[("Connection", "close")]);
        let head = blocking::head(&origin, tls, &request, TIMEOUT).ok()?;
        let text = String::from_utf8_lossy(&head);
        let mut lines = text.lines().filter_map(|line| line.split_once(':'));
        let (_, value) = lines.find(|(name, _)| name.eq_ignore_ascii_case("date"))?;
        http_date(value.trim())
    }
}

/// RFC 7578. Names and values are ours or were checked: none holds a quote or a line break.
fn multipart(boundary: &str, params: &[(&str, &str)], file: &Upload<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, value) in params {
        let part =
            format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n");
        body.extend_from_slice(part.as_bytes());
    }
    let Upload { field, name, bytes } = file;
    let disposition = format!("Content-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"");
    let head = format!("--{boundary}\r\n{disposition}\r\nContent-Type: application/x-pem-file\r\n\r\n");
    body.extend_from_slice(head.as_bytes());
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n--{boundary}--\r\n").as_bytes());
    body
}

/// IMF-fixdate (RFC 9110 5.6.7), as in `Sun, 06 Nov 1994 08:49:37 GMT`.
fn http_date(text: &str) -> Option<UnixMillis> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year, time) = (words.next()?, words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|name| *name == month)? + 1;
    rfc3339::parse(&format!("{year}-{month:02}-{day}T{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::channel::telegram::api::{ApiError, get_me};
    use std::io::{Read, Write};
    use std::net::TcpListener;

    /// Reads one request, answers it, and gives the request back.
    fn answer(socket: &mut (impl Read + Write)) -> String {
        let (mut request, mut piece) = (Vec::new(), [0; 1024]);
        while !request.ends_with(b"\r\n\r\n{}") {
            let n = socket.read(&mut piece).expect("a piece");
            request.extend_from_slice(&piece[..n]);
        }
        let body = r#"{"ok":true,"result":{"id":1000001,"username":"a_bot"}}"#;
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        socket.write_all(answer.as_bytes()).expect("written");
        socket.flush().expect("flushed");
        String::from_utf8(request).expect("UTF-8")
    }

    #[test]
    fn a_call_is_one_request_and_its_answer_is_read() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let root = BaseUrl::parse(&format!("http://{address}/x")).expect("a root");
        let server = std::thread::spawn(move || answer(&mut listener.accept().expect("a connection").0));
        let bot = get_me(&Platform::new(root, None), &Secret::new("1000001:TEST".into())).expect("an answer");
        assert_eq!((bot.id, bot.username.as_str()), (1_000_001, "a_bot"));
        let request = server.join().expect("a request");
        assert!(request.starts_with("POST /x/bot1000001:TEST/getMe HTTP/1.1\r\n"), "{request}");
        assert!(request.contains("\r\nConnection: close\r\n"), "{request}");
    }

    #[test]
    fn the_platforms_date_is_read_and_other_forms_are_not() {
        assert_eq!(http_date("Mon, 20 Jul 2026 06:00:00 GMT"), Some(UnixMillis(1_784_527_200_000)));
        for bad in ["", "Monday", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun, 06 Nix 1994 08:49:37 GMT", "Sun, 6"]
        {
            assert_eq!(http_date(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_server_of_ones_own_is_trusted_by_its_certificate_alone() {
        let dir = tempfile::tempdir().expect("a directory");
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let (ca, key) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
        std::fs::write(&ca, pair.cert.pem()).expect("written");
        std::fs::write(&key, pair.signing_key.serialize_pem()).expect("written");
        let tls = crate::tls::server_config(&ca, &key, crate::clock::Clock::start().now().wall)
            .expect("a configuration");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let server = std::thread::spawn(move || {
            let (socket, _) = listener.accept().expect("a connection");
            let session = rustls::ServerConnection::new(tls).expect("a session");
            answer(&mut rustls::StreamOwned::new(session, socket))
        });
        let root = BaseUrl::parse(&format!("https://localhost:{port}")).expect("a root");
        let token = Secret::new("1000001:TEST".into());
        assert_eq!(get_me(&Platform::new(root, Some(&ca)), &token).expect("an answer").id, 1_000_001);
        assert!(server.join().expect("a request").contains("/getMe"));
        let nobody = BaseUrl::parse("https://localhost:1").expect("a root");
        let error = get_me(&Platform::new(nobody, Some(&dir.path().join("no.pem"))), &token)
            .expect_err("no such file");
        assert!(error.to_string().contains("no.pem"), "{error}");
    }

    #[test]
    fn an_unreachable_platform_is_told_without_the_token() {
        let free = TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("an address");
        let root = BaseUrl::parse(&format!("http://{free}")).expect("a root");
        let error = get_me(&Platform::new(root, None), &Secret::new("1000001:HIDDEN".into()))
            .expect_err("nobody there");
        assert!(matches!(error, ApiError::Unreachable(_)), "{error}");
        let text = error.to_string();
        assert!(text.contains(&free.to_string()) && !text.contains("HIDDEN"), "{text}");
    }
}
