//! Rows as text for other programs: CSV and JSON lines.
//!
//! What lives here: [`write()`], row by row, without ever holding a table. The first row is written before the last
//! one is read.
//!
//! A text that a spreadsheet would take for a formula (`=`, `+`, `-`, `@`, tab or return at its start) gets an
//! apostrophe in front, in CSV alone: what users write must not be computed on the operator's machine. Numbers stay
//! numbers. JSON lines hold every text as it is.

use crate::observe::rfc3339;
use nobat_core::bot::records::{Cell, Table};
use nobat_core::time::UnixMillis;
use std::io::{self, Write};

use super::store::{Store, StoreError};

/// How rows look.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Format {
    /// RFC 4180 with a line of names first; what is not known is an empty field.
    Csv,
    /// One object a line; what is not known is `null`.
    JsonLines,
}

/// Writes the rows of a table, oldest first; says how many.
///
/// # Errors
/// The outer one is the database's, the inner one that of `out`.
pub fn write(
    store: &mut dyn Store,
    table: &'static Table,
    since: Option<UnixMillis>,
    format: Format,
    out: &mut dyn Write,
) -> Result<io::Result<u64>, StoreError> {
    let mut rows = 0;
    let written = match format {
        Format::Csv => {
            let mut csv = csv::Writer::from_writer(out);
            if let Err(e) = csv.write_record(table.columns.iter().map(|column| column.name)) {
                return Ok(Err(as_io(e)));
            }
            let mut each = |cells: &[Cell]| {
                rows += 1;
                csv.write_record(cells.iter().map(field)).map_err(as_io)
            };
            let written = store.each(table, since, &mut each)?;
            written.and_then(|()| csv.flush())
        }
        Format::JsonLines => {
            let mut line = String::new();
            let mut each = |cells: &[Cell]| {
                rows += 1;
                line.clear();
                object(table, cells, &mut line);
                out.write_all(line.as_bytes())
            };
            let written = store.each(table, since, &mut each)?;
            written.and_then(|()| out.flush())
        }
    };
    Ok(written.map(|()| rows))
}

/// What the output said, so that one that is gone is known as such.
fn as_io(error: csv::Error) -> io::Error {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => error,
        other => io::Error::other(format!("{other:?}")),
    }
}

/// One field of CSV; quotes are the writer's.
fn field(cell: &Cell) -> String {
    match cell {
        Cell::Null => String::new(),
        Cell::Whole(n) => n.to_string(),
        Cell::Text(text) if text.starts_with(['=', '+', '-', '@', '\t', '\r']) => format!("'{text}"),
        Cell::Text(text) => text.to_string(),
        Cell::Time(at) => rfc3339::format(*at),
        Cell::Flag(yes) => yes.to_string(),
    }
}

/// One line of JSON.
fn object(table: &Table, cells: &[Cell], line: &mut String) {
    line.push('{');
    for (at, (column, cell)) in table.columns.iter().zip(cells).enumerate() {
        line.push_str(if at == 0 { "\"" } else { ",\"" });
        line.push_str(column.name);
        line.push_str("\":");
        match cell {
            Cell::Null => line.push_str("null"),
            Cell::Whole(n) => line.push_str(&n.to_string()),
            // A `str` is always JSON.
            Cell::Text(text) => line.push_str(&simd_json::to_string(&**text).unwrap_or_default()),
            Cell::Time(at) => {
                line.push('"');
                line.push_str(&rfc3339::format(*at));
                line.push('"');
            }
            Cell::Flag(yes) => line.push_str(&yes.to_string()),
        }
    }
    line.push_str("}\n");
}

#[cfg(test)]
mod tests {
    use super::super::Sqlite;
    use super::*;
    use nobat_core::bot::records::{AUDIT, Row};

    fn row(nth: u32, at: u64, detail: &str) -> Row {
        Row::of(&AUDIT)
            .with("at", UnixMillis(at))
            .with("frame", 7u32)
            .with("nth", nth)
            .with("kind", "chat")
            .with("detail", detail)
    }

    fn exported(rows: &[Row], since: Option<u64>, format: Format) -> String {
        let mut store = Sqlite::passing(Vec::new()).expect("a database");
        store.put(&AUDIT, rows).expect("written");
        let mut out = Vec::new();
        let written = write(&mut store, &AUDIT, since.map(UnixMillis), format, &mut out);
        let count = out.iter().filter(|byte| **byte == b'\n').count() as u64;
        let lines = written.expect("read").expect("written");
        assert!(count >= lines);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn what_a_spreadsheet_would_compute_is_a_text_in_csv_and_itself_in_json() {
        for formula in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"] {
            let csv = exported(&[row(0, 0, formula)], None, Format::Csv);
            let mut read = csv::Reader::from_reader(csv.as_bytes());
            let field = read.records().next().expect("a row").expect("CSV")[8].to_owned();
            assert_eq!(field, format!("'{formula}"));
            let json = exported(&[row(0, 0, formula)], None, Format::JsonLines);
            let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
            assert_eq!(value["detail"], formula);
        }
    }

    #[test]
    fn quotes_line_ends_and_letters_of_any_script_come_back_as_they_were() {
        let text = "a \"b\", c\nسلام\u{1F600}\u{7}";
        let csv = exported(&[row(0, 1_784_527_200_000, text)], None, Format::Csv);
        let mut read = csv::Reader::from_reader(csv.as_bytes());
        let record = read.records().next().expect("a row").expect("CSV");
        assert_eq!((&record[8], &record[0], &record[4]), (text, "2026-07-20T06:00:00.000Z", ""));
        let json = exported(&[row(0, 1_784_527_200_000, text)], None, Format::JsonLines);
        let value: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(value["detail"], text);
        assert_eq!((value["frame"].as_u64(), value["user_id"].is_null()), (Some(7), true));
    }

    #[test]
    fn since_leaves_older_rows_out_and_the_order_is_that_of_the_dates() {
        let rows = [row(0, 3000, "c"), row(1, 1000, "a"), row(2, 2000, "b")];
        let lines = |since| exported(&rows, since, Format::Csv).lines().count() - 1;
        assert_eq!((lines(None), lines(Some(2000)), lines(Some(4000))), (3, 2, 0));
        let csv = exported(&rows, None, Format::Csv);
        let told: Vec<_> = csv.lines().skip(1).map(|line| &line[line.len() - 1..]).collect();
        assert_eq!(told, ["a", "b", "c"]);
    }
}
