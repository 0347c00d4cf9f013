//! Recordings: what users did, as JSON lines, to be played again at the original or another speed.
//!
//! What lives here: the format and its reader and writer; [`proxy`] records real traffic in front of a
//! server. The first line is the [`Header`], each other line one act:
//!
//! ```text
//! {"nobat_record":1,"records":3000,"seed":1,"tokens":17}
//! {"at_us":12000,"bot":0,"user":105000001,"lang":"ar","text":"11000005"}
//! {"at_us":90000,"bot":0,"user":105000001,"lang":"ar","press":"c1","message_id":7}
//! ```
//!
//! A recording holds what people wrote: it is theirs. It never holds a token or a secret.

pub mod proxy;
#[cfg(test)]
mod tests;

use std::io::{self, BufRead, Write};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::profile::{Kind, Planned, Profile};
use crate::wire::What;

/// The version of the format that this program writes.
const VERSION: u32 = 1;

/// What a recording was made of; a replay makes the same data set of it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    nobat_record: u32,
    /// Pupils of the data set; 0 in a recording of real traffic.
    pub records: usize,
    /// The data set's seed.
    pub seed: u64,
    /// Tokens.
    pub tokens: usize,
}

impl Header {
    /// The header of a rehearsal's recording.
    pub fn of(profile: &Profile) -> Header {
        Header { nobat_record: VERSION, records: profile.records, seed: profile.seed, tokens: profile.tokens }
    }

    /// The profile that replays it, `speed` times as fast.
    pub fn profile(&self, speed: f64, students: u32) -> Profile {
        let base = Kind::Replay.profile();
        let tokens = self.tokens.max(1);
        Profile { records: self.records, seed: self.seed, tokens, compress: speed, students, ..base }
    }
}

/// One line.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    at_us: u64,
    #[serde(default)]
    bot: usize,
    user: u64,
    #[serde(default = "arabic")]
    lang: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    press: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<String>,
}

fn arabic() -> String {
    "ar".to_owned()
}

impl Line {
    fn of(planned: &Planned) -> Line {
        let (mut text, mut press, mut message_id, mut other) = (None, None, None, None);
        match &planned.what {
            What::Text(said) => text = Some(said.clone()),
            What::Press { data, message_id: under, .. } => {
                press = Some(data.clone());
                message_id = Some(*under);
            }
            What::Other(kind) => other = Some(kind.clone()),
        }
        let at_us = u64::try_from(planned.at.as_micros()).unwrap_or(u64::MAX);
        let (bot, user, lang) = (planned.bot, planned.user, planned.language_code.clone());
        Line { at_us, bot, user, lang, text, press, message_id, other }
    }

    fn planned(self) -> Result<Planned, &'static str> {
        let what = match (self.text, self.press, self.other) {
            (Some(text), None, None) => What::Text(text),
            (None, Some(data), None) => {
                let message_id = self.message_id.unwrap_or(1);
                What::Press { data, message_id, callback_id: String::new() }
            }
            (None, None, Some(kind)) => What::Other(kind),
            _ => return Err("a line has exactly one of `text`, `press` and `other`"),
        };
        let at = Duration::from_micros(self.at_us);
        Ok(Planned { at, bot: self.bot, user: self.user, what, language_code: self.lang })
    }
}

/// Writes a whole schedule.
///
/// # Errors
/// `out` cannot be written.
pub fn write(header: &Header, plan: &[Planned], out: &mut impl Write) -> io::Result<()> {
    put(header, out)?;
    plan.iter().try_for_each(|planned| put(&Line::of(planned), out))
}

/// Writes one act; what `write` does line by line.
fn put_planned(planned: &Planned, out: &mut impl Write) -> io::Result<()> {
    put(&Line::of(planned), out)
}

fn put(value: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, value).map_err(io::Error::other)?;
    out.write_all(b"\n")
}

/// Why a recording cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The file cannot be read.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The first line is no header of this version.
    #[error("line 1 is no header of a recording (version {VERSION}): {0}")]
    Header(String),
    /// A line that is no act.
    #[error("line {line}: {what}")]
    Line {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

/// Reads a recording, `speed` times as fast as it was made, sorted by moment.
///
/// # Errors
/// See [`ReadError`]; the first bad line is named, nothing is skipped.
pub fn read(from: impl BufRead, speed: f64) -> Result<(Header, Vec<Planned>), ReadError> {
    let mut lines = from.lines();
    let first = lines.next().unwrap_or_else(|| Ok(String::new()))?;
    let header: Header = serde_json::from_str(&first).map_err(|e| ReadError::Header(e.to_string()))?;
    if header.nobat_record != VERSION {
        return Err(ReadError::Header(format!("it is of version {}", header.nobat_record)));
    }
    let mut plan = Vec::new();
    for (nth, line) in lines.enumerate() {
        let (line, text) = (nth + 2, line?);
        if text.trim().is_empty() {
            continue;
        }
        let bad = |what: String| ReadError::Line { line, what };
        let act: Line = serde_json::from_str(&text).map_err(|e| bad(e.to_string()))?;
        let mut planned = act.planned().map_err(|what| bad(what.to_owned()))?;
        planned.at = planned.at.div_f64(speed.max(0.001));
        plan.push(planned);
    }
    plan.sort_by_key(|planned| planned.at);
    Ok((header, plan))
}
