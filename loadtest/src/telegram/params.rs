//! A call's parameters, from the four forms clients send: JSON, form-urlencoded, multipart, query string.
//!
//! Values keep the form they came in (a number in JSON stays a number, nested values of a form stay JSON
//! strings); the accessors read either. Uploaded files become a `attach`ed name and a size, never bytes.

use bytes::Bytes;
use serde_json::{Map, Value};

/// One uploaded file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) field: String,
    pub(crate) name: String,
    pub(crate) size: usize,
}

/// Parameters and files of one call.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    pub(crate) map: Map<String, Value>,
    pub(crate) files: Vec<Upload>,
}

/// Why the body could not be read: the description of the 400.
pub(crate) type Unreadable = &'static str;

impl Params {
    /// Reads the query string, then the body by its content type; the body's values win.
    pub(crate) async fn read(
        query: Option<&str>,
        content_type: Option<&str>,
        body: Bytes,
    ) -> Result<Self, Unreadable> {
        let mut params = Self::default();
        if let Some(query) = query {
            params.add_form(query.as_bytes());
        }
        if body.is_empty() {
            return Ok(params);
        }
        let kind = content_type.unwrap_or_default();
        let is = |wanted: &str| kind.get(..wanted.len()).is_some_and(|k| k.eq_ignore_ascii_case(wanted));
        if is("application/json") {
            params.add_json(&body)?;
        } else if is("multipart/form-data") {
            params.add_multipart(kind, body).await?;
        } else if is("application/x-www-form-urlencoded") {
            params.add_form(&body);
        }
        // Any other content type is ignored, as the platform does.
        Ok(params)
    }

    fn add_form(&mut self, form: &[u8]) {
        for (name, value) in form_urlencoded::parse(form) {
            self.map.insert(name.into_owned(), Value::String(value.into_owned()));
        }
    }

    fn add_json(&mut self, body: &[u8]) -> Result<(), Unreadable> {
        match serde_json::from_slice(body) {
            Ok(Value::Object(map)) if self.map.is_empty() => self.map = map,
            Ok(Value::Object(map)) => self.map.extend(map),
            _ => return Err("Bad Request: can't parse the JSON object of parameters"),
        }
        Ok(())
    }

    async fn add_multipart(&mut self, content_type: &str, body: Bytes) -> Result<(), Unreadable> {
        const BROKEN: Unreadable = "Bad Request: can't parse the multipart form of parameters";
        let boundary = multer::parse_boundary(content_type).map_err(|_| BROKEN)?;
        let whole = http_body_util::BodyDataStream::new(http_body_util::Full::new(body));
        let mut form = multer::Multipart::new(whole, boundary);
        while let Some(field) = form.next_field().await.map_err(|_| BROKEN)? {
            let field_name = field.name().unwrap_or_default().to_owned();
            let file_name = field.file_name().map(ToOwned::to_owned);
            let bytes = field.bytes().await.map_err(|_| BROKEN)?;
            match file_name {
                Some(name) => self.files.push(Upload { field: field_name, name, size: bytes.len() }),
                None => {
                    let text = String::from_utf8_lossy(&bytes).into_owned();
                    self.map.insert(field_name, Value::String(text));
                }
            }
        }
        Ok(())
    }

    /// A text, if it is there and is one.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.map.get(name).and_then(Value::as_str)
    }

    /// An integer in either form; `None` if it is absent or is none.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match self.map.get(name)? {
            Value::Number(n) => n.as_i64(),
            Value::String(s) => s.trim().parse().ok(),
            _ => None,
        }
    }

    /// A truth value in either form; absent is false.
    pub(crate) fn is_true(&self, name: &str) -> bool {
        match self.map.get(name) {
            Some(Value::Bool(b)) => *b,
            Some(Value::String(s)) => matches!(s.trim(), "true" | "True" | "1" | "yes"),
            Some(Value::Number(n)) => n.as_i64() == Some(1),
            _ => false,
        }
    }

    /// A nested value: itself in JSON, a JSON string in forms. `Err` if the string is no JSON.
    pub(crate) fn nested(&self, name: &str) -> Result<Option<Value>, ()> {
        match self.map.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(s)) if s.trim().is_empty() => Ok(None),
            Some(Value::String(s)) => serde_json::from_str(s).map(Some).map_err(|_| ()),
            Some(value) => Ok(Some(value.clone())),
        }
    }

    /// True if the parameter is there at all, as a value or as a file.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.upload(name).is_some()
            || self.map.get(name).is_some_and(|v| !matches!(v, Value::Null) && v.as_str() != Some(""))
    }

    pub(crate) fn upload(&self, name: &str) -> Option<&Upload> {
        self.files.iter().find(|f| f.field == name)
    }
}
