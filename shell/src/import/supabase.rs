//! A Supabase table by its REST interface (PostgREST), in pages by key.
//!
//! A page asks for rows from the last key on, that key included, and skips as many rows of it as it has
//! seen: rows that share a number at a page's edge come out as duplicates instead of vanishing. A page may
//! be shorter than asked for (the project caps it), so the end is a page without a new row.

use super::config::DatasetConfig;
use super::error::ImportError;
use super::intake::Intake;
use super::known::{Known, column_named};
use super::rows::Rows as _;
use nobat_bots::text::fold_word;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use std::fmt;

/// Rows of one page: what a project gives at most by default.
pub const PAGE_ROWS: usize = 1_000;

/// One blocking request to the project. [`super::Rest`] is the real one.
pub trait Fetch {
    /// A GET of `target` (path and query) with these headers: status and body.
    ///
    /// # Errors
    /// Why there was no answer; must not hold a header's value.
    fn get(&mut self, target: &str, headers: &[(&str, &str)]) -> Result<(u16, Vec<u8>), String>;
}

/// A table of a project.
pub struct Supabase<'a> {
    /// A key that may read the table; sent as a header, never shown.
    pub key: String,
    /// The table or view.
    pub table: String,
    /// Who speaks HTTP with the project.
    pub fetch: &'a mut dyn Fetch,
}

impl Supabase<'_> {
    pub(super) fn read(&mut self, config: &DatasetConfig, into: &mut Intake<'_>) -> Result<(), ImportError> {
        let first = self.page(&format!("limit={PAGE_ROWS}"))?;
        let Some(head) = first.first() else { return Err(ImportError::Empty) };
        let headers: Vec<String> = head.0.iter().map(|(name, _)| name.clone()).collect();
        let key = key_column(&headers, config)?;
        let column = headers[key].clone();
        into.headers(headers.clone());

        let (mut line, mut last, mut seen) = (0, String::new(), 0);
        loop {
            let from =
                if line == 0 { String::new() } else { format!("&{}=gte.{}", escape(&column), escape(&last)) };
            let rows = self.page(&format!("order={}.asc&limit={PAGE_ROWS}{from}", escape(&column)))?;
            let mut new = 0;
            let mut skip = seen;
            for row in rows {
                let cells = row.cells(&headers);
                if line > 0 && new == 0 && skip > 0 && cells[key] == last {
                    skip -= 1;
                    continue;
                }
                seen = if cells[key] == last { seen + 1 } else { 1 };
                last.clone_from(&cells[key]);
                line += 1;
                new += 1;
                into.row(line, cells, None)?;
            }
            if new == 0 {
                return self.refuse_rest(&column, &last);
            }
        }
    }

    /// A cap of one row looks like the end: asked for what is behind the last key there must be nothing.
    fn refuse_rest(&mut self, column: &str, last: &str) -> Result<(), ImportError> {
        let rest = format!("order={0}.asc&limit=1&{0}=gt.{1}", escape(column), escape(last));
        match self.page(&rest)?.len() {
            0 => Ok(()),
            _ => Err(failed("the project gives too few rows a page: raise its \"Max rows\"".into())),
        }
    }

    fn page(&mut self, query: &str) -> Result<Vec<Row>, ImportError> {
        let target = format!("/rest/v1/{}?select=*&{query}", escape(&self.table));
        let bearer = format!("Bearer {}", self.key);
        let headers =
            [("apikey", self.key.as_str()), ("authorization", &bearer), ("accept", "application/json")];
        let (status, mut body) = self.fetch.get(&target, &headers).map_err(failed)?;
        match status {
            200 | 206 => simd_json::serde::from_slice(&mut body)
                .map_err(|e| failed(format!("the answer is not a list of rows: {e}"))),
            401 | 403 => Err(failed(format!("status {status}: SUPABASE_KEY may not read `{}`", self.table))),
            404 => {
                Err(failed(format!("status 404: there is no table `{}`, or it is not exposed", self.table)))
            }
            _ => {
                let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
                Err(failed(format!("status {status}: {said}")))
            }
        }
    }
}

fn failed(what: String) -> ImportError {
    ImportError::Source { source_name: "Supabase", what }
}

/// Pages go by the exam number: it is unique, or the import fails anyway.
fn key_column(headers: &[String], config: &DatasetConfig) -> Result<usize, ImportError> {
    let found = match &config.columns.number {
        Some(name) => headers.iter().position(|h| fold_word(h) == fold_word(name)),
        None => headers.iter().position(|h| column_named(h).is_some_and(|c| c.known == Known::Number)),
    };
    found.ok_or_else(|| {
        let columns = headers.join(", ");
        ImportError::Columns(format!(
            "no column is known to be the number: set `columns.number`. There are: {columns}"
        ))
    })
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A row as the service sent it: columns in their order.
struct Row(Vec<(String, String)>);

impl Row {
    fn cells(mut self, headers: &[String]) -> Vec<String> {
        if self.0.len() == headers.len() && self.0.iter().zip(headers).all(|((name, _), h)| name == h) {
            return self.0.into_iter().map(|(_, value)| value).collect();
        }
        let mut take = |header: &String| {
            let at = self.0.iter().position(|(name, _)| name == header);
            at.map_or_else(String::new, |at| self.0.swap_remove(at).1)
        };
        headers.iter().map(&mut take).collect()
    }
}

impl<'de> Deserialize<'de> for Row {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Row;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
                let mut cells = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, Cell>()? {
                    cells.push((name, value.into_text()));
                }
                Ok(Row(cells))
            }
        }
        from.deserialize_map(InOrder)
    }
}

/// A value of a column. Lists and objects are not values of a list of results.
#[derive(Deserialize)]
#[serde(untagged)]
enum Cell {
    Null(()),
    Bool(bool),
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Text(String),
}

impl Cell {
    fn into_text(self) -> String {
        match self {
            Self::Null(()) => String::new(),
            Self::Bool(v) => v.to_string(),
            Self::Unsigned(v) => v.to_string(),
            Self::Signed(v) => v.to_string(),
            Self::Float(v) => v.to_string(),
            Self::Text(v) => v.trim().to_owned(),
        }
    }
}
