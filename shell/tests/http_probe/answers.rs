//! Answers, read by httparse and held against what every answer owes (RFC 9110 6.6.1, 8.6, 10.2.1, 15.5).

use crate::server::Socket;

/// One answer.
pub(crate) struct Answer {
    pub(crate) status: u16,
    fields: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The value of a field that stands once.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        let first = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} stands twice");
        first
    }

    /// What is wrong with it whatever was asked.
    fn owes(&self) -> Result<(), String> {
        let must = |name: &str| self.field(name).ok_or_else(|| format!("{} without {name}", self.status));
        if self.status >= 200 {
            let date = must("date")?;
            // RFC 9110 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
            let shape: String =
                date.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).skip(3).collect();
            let month = &date[8..11];
            if date.len() != 29 || shape != format!(", 00 {month} 0000 00:00:00 GMT") {
                return Err(format!("the date {date:?}"));
            }
        }
        match self.status {
            401 => must("www-authenticate").map(drop),
            405 => must("allow").map(drop),
            503 => must("retry-after").map(drop),
            _ => Ok(()),
        }
    }
}

/// Reads answers one after the other.
pub(crate) struct Reader {
    socket: Box<dyn Socket>,
    bytes: Vec<u8>,
}

impl Reader {
    pub(crate) fn new(socket: Box<dyn Socket>) -> Self {
        Self { socket, bytes: Vec::new() }
    }

    pub(crate) fn socket(&mut self) -> &mut dyn Socket {
        &mut *self.socket
    }

    /// The next answer; none if the server closed in order. `to_head`: without a body.
    pub(crate) fn answer(&mut self, to_head: bool) -> Result<Option<Answer>, String> {
        let mut answer = loop {
            if let Some(answer) = self.head()? {
                break answer;
            }
            if !self.more()? {
                if self.bytes.is_empty() {
                    return Ok(None);
                }
                return Err(format!("cut off: {:?}", self.bytes.escape_ascii().to_string()));
            }
        };
        answer.owes()?;
        let bodiless = answer.status < 200 || answer.status == 204 || answer.status == 304;
        let length: usize = match answer.field("content-length") {
            Some(text) => text.parse().map_err(|_| format!("Content-Length: {text}"))?,
            None if bodiless => 0,
            None => return Err(format!("{} without Content-Length", answer.status)),
        };
        if !bodiless && !to_head {
            while self.bytes.len() < length {
                if !self.more()? {
                    return Err("the body is cut off".into());
                }
            }
            answer.body = self.bytes.drain(..length).collect();
        }
        Ok(Some(answer))
    }

    fn head(&mut self) -> Result<Option<Answer>, String> {
        let mut lines = [httparse::EMPTY_HEADER; 32];
        let mut head = httparse::Response::new(&mut lines);
        match head.parse(&self.bytes) {
            Ok(httparse::Status::Partial) => Ok(None),
            Err(error) => Err(format!("{error}: {:?}", self.bytes.escape_ascii().to_string())),
            Ok(httparse::Status::Complete(n)) => {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let fields = head.headers.iter().map(|h| (h.name.to_owned(), text(h.value))).collect();
                let answer = Answer { status: head.code.unwrap_or(0), fields, body: Vec::new() };
                self.bytes.drain(..n);
                Ok(Some(answer))
            }
        }
    }

    fn more(&mut self) -> Result<bool, String> {
        let mut space = [0; 4096];
        let n = self.socket.read(&mut space).map_err(|error| format!("no orderly end: {error}"))?;
        self.bytes.extend_from_slice(&space[..n]);
        Ok(n > 0)
    }
}
