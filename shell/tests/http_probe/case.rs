//! One case: what is sent, and what must come back.

use crate::answers::{Answer, Reader};
use crate::server::{SECRET, Server};

/// What becomes of the connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    /// It stays, and the next request is answered.
    Stays,
    /// It is closed, and the next request is not answered.
    Closes,
}

/// Sent as one burst.
#[derive(Clone)]
pub(crate) struct Case {
    /// As in `9112 3.2`.
    pub(crate) section: &'static str,
    pub(crate) send: Vec<u8>,
    /// The statuses that must come, in order.
    pub(crate) statuses: Vec<u16>,
    pub(crate) end: End,
}

impl Case {
    /// A case with one answer: 400 and what else ends a connection closes, unless it was said otherwise.
    pub(crate) fn new(section: &'static str, send: impl Into<Vec<u8>>, status: u16) -> Self {
        let end = match status {
            400 | 408 | 414 | 417 | 431 | 501 | 505 => End::Closes,
            _ => End::Stays,
        };
        Self { section, send: send.into(), statuses: vec![status], end }
    }

    pub(crate) fn closes(self) -> Self {
        Self { end: End::Closes, ..self }
    }

    pub(crate) fn stays(self) -> Self {
        Self { end: End::Stays, ..self }
    }

    pub(crate) fn statuses(self, statuses: &[u16]) -> Self {
        Self { statuses: statuses.to_vec(), ..self }
    }

    pub(crate) fn shown(&self) -> String {
        let text = self.send.escape_ascii().to_string();
        if text.len() > 200 { format!("{}...{}", &text[..120], &text[text.len() - 60..]) } else { text }
    }
}

/// The request behind every case.
const NEXT: &str = "GET /healthz HTTP/1.1\r\nHost: next\r\n\r\n";

/// A GET of `/healthz` with these further lines.
pub(crate) fn get(lines: &str) -> String {
    format!("GET /healthz HTTP/1.1\r\nHost: x\r\n{lines}\r\n")
}

/// The head of an update with these lines about its body.
pub(crate) fn update_head(lines: &str) -> String {
    format!(
        "POST /webhook HTTP/1.1\r\nHost: bot.example.org\r\nContent-Type: application/json\r\n\
         X-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n{lines}\r\n"
    )
}

/// An update with these lines about its body, and the body.
pub(crate) fn update(lines: &str, body: &str) -> String {
    update_head(lines) + body
}

/// An update that says its length.
pub(crate) fn whole_update(body: &str) -> String {
    update(&format!("Content-Length: {}\r\n", body.len()), body)
}

/// Plays a case; `Err` says in words what was wrong.
pub(crate) fn play(server: &Server, case: &Case, bytewise: bool) -> Result<(), String> {
    let mut socket = server.open();
    let all = [&case.send[..], NEXT.as_bytes()].concat();
    // Behind a refusal the server may reset while we still write: what it answered counts, not our write.
    if bytewise && case.send.len() <= 2_000 {
        for byte in &all {
            let _ = socket.write_all(&[*byte]);
        }
    } else {
        let _ = socket.write_all(&all);
    }
    let _ = socket.half_close();
    let mut reader = Reader::new(socket);
    let heads = case.send.starts_with(b"HEAD ");
    for (at, &status) in case.statuses.iter().enumerate() {
        let answer = reader.answer(heads)?.ok_or_else(|| format!("no answer, {status} was due"))?;
        expect(&answer, status)?;
        if case.end == End::Closes && at + 1 == case.statuses.len() {
            closing(&answer)?;
        }
    }
    match (case.end, reader.answer(false)?) {
        (End::Closes, None) => Ok(()),
        (End::Closes, Some(answer)) => Err(format!("{} came behind the end", answer.status)),
        (End::Stays, Some(next)) if next.status == 200 && next.body == b"ok\n" => {
            match reader.answer(false)? {
                None => Ok(()),
                Some(more) => Err(format!("{} came from nowhere", more.status)),
            }
        }
        (End::Stays, next) => Err(format!("the next request got {:?}", next.map(|next| next.status))),
    }
}

fn expect(answer: &Answer, status: u16) -> Result<(), String> {
    if answer.status == status { Ok(()) } else { Err(format!("{}, {status} was due", answer.status)) }
}

/// RFC 9112 9.6: whoever closes says so in its last answer.
fn closing(answer: &Answer) -> Result<(), String> {
    match answer.field("connection") {
        Some("close") => Ok(()),
        other => Err(format!("the last answer says Connection: {other:?}")),
    }
}
