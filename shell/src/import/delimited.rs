//! Text files: comma, semicolon or tab between values, UTF-8 with or without a byte order mark.

use super::error::ImportError;
use super::rows::Rows;
use csv::{ByteRecord, Position, ReaderBuilder};
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

const DELIMITERS: [u8; 3] = *b",;\t";
/// Bytes of a first line, at most: what is longer is not a list with a heading.
const HEADING_BYTES_MAX: usize = 64 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const NOT_UTF8: &str = "not UTF-8 (an older Windows code page?): save the list as \"CSV UTF-8\"";

pub(super) fn read(path: &Path, delimiter: Option<char>, into: &mut dyn Rows) -> Result<(), ImportError> {
    let unreadable = |error| ImportError::Read { path: path.to_path_buf(), error };
    let form = |what: String| ImportError::Form { path: path.to_path_buf(), what };
    let file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let mut file = BufReader::with_capacity(HEADING_BYTES_MAX, file);
    let head = file.fill_buf().map_err(unreadable)?;
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(form("this is UTF-16 (\"Unicode text\"): save the list as \"CSV UTF-8\"".into()));
    }
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"\xd0\xcf\x11\xe0") {
        return Err(form("this is a spreadsheet: save it as \"CSV UTF-8\" first".into()));
    }
    let delimiter = match delimiter {
        Some(c) => u8::try_from(c)
            .ok()
            .filter(u8::is_ascii)
            .ok_or_else(|| form(format!("`delimiter` is `{c}`: use a comma, a semicolon or a tab")))?,
        None => sniff(head),
    };
    let skip = if head.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
    file.consume(skip);

    let mut csv =
        ReaderBuilder::new().delimiter(delimiter).has_headers(false).flexible(true).from_reader(file);
    let mut record = ByteRecord::new();
    let mut headed = false;
    loop {
        match csv.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => return if headed { Ok(()) } else { Err(form("the file is empty".into())) },
            Err(error) => return Err(unreadable(io::Error::other(error))),
        }
        let line = record.position().map_or(0, Position::line);
        if !headed {
            let Ok(headers) = strings(&record) else {
                return Err(form(format!("line {line} is {NOT_UTF8}")));
            };
            into.headers(headers);
            headed = true;
            continue;
        }
        if record.iter().all(|cell| cell.trim_ascii().is_empty()) {
            continue;
        }
        let width = into.width();
        if record.len() != width {
            let has = record.len();
            into.bad_row(line, format!("{has} values where the first line has {width}"));
            continue;
        }
        match strings(&record) {
            Ok(cells) => into.row(line, cells, Some((csv.position().byte(), size)))?,
            Err(_) => into.bad_row(line, NOT_UTF8.into()),
        }
    }
}

fn strings(record: &ByteRecord) -> Result<Vec<String>, std::str::Utf8Error> {
    record.iter().map(|cell| std::str::from_utf8(cell).map(|s| s.trim().to_owned())).collect()
}

/// The delimiter that stands most often in the first line, outside of quotes.
fn sniff(head: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [0usize; DELIMITERS.len()];
    for byte in head {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            byte if !quoted => {
                if let Some(i) = DELIMITERS.iter().position(|d| d == byte) {
                    counts[i] += 1;
                }
            }
            _ => {}
        }
    }
    // On a tie the comma: `rev` because the last of the greatest wins.
    let best = counts.iter().enumerate().rev().max_by_key(|(_, count)| **count);
    best.map_or(b',', |(i, _)| DELIMITERS[i])
}
