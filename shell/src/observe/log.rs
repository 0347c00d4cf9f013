//! The process's log: one line an event to stderr, as text or JSON.
//!
//! What lives here: [`init`], [`enabled`], [`write`](fn@write) and the macro [`say!`](crate::say). A line
//! below the level costs one relaxed load and formats nothing. Every line passes [`super::scrub()`], and
//! control characters are escaped, so that no input can forge a line. Lines are written whole and at once:
//! what was said before a crash was said.
//!
//! A reader of stderr that stands still (a stopped terminal, a full pipe) must not hold up the threads that
//! speak: a line that stderr does not take at this moment is dropped and counted, and the next line that it
//! takes is preceded by how many were.

use super::files::{self, Topic};
use super::rfc3339;
use super::scrub::scrub;
use crate::clock::Clock;
use nobat_core::time::UnixMillis;
use parking_lot::Mutex;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::fmt::{self, Display, Write as _};
use std::io::Write as _;
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

/// How much a line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Level {
    /// Something is broken, and someone has to act.
    Error = 0,
    /// Something is not as it should be; the work goes on.
    Warn = 1,
    /// What happens.
    Info = 2,
    /// Why it happens.
    Debug = 3,
}

impl Level {
    /// As written in a text line, and accepted by `LOG_LEVEL`.
    pub const NAMES: [&'static str; 4] = ["ERROR", "WARN", "INFO", "DEBUG"];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

/// How lines look.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(u8)]
pub enum Format {
    /// `2026-11-21T12:00:00.123Z INFO message key=value`
    Text = 0,
    /// `{"ts":"…","level":"INFO","msg":"message","key":"value"}`
    Json = 1,
}

static LEVEL: AtomicU8 = AtomicU8::new(Level::Info as u8);
static FORMAT: AtomicU8 = AtomicU8::new(Format::Text as u8);
static LINES: [AtomicU64; 4] = [const { AtomicU64::new(0) }; 4];
/// Lines that stderr did not take; of them, those not told of yet.
static DROPPED: AtomicU64 = AtomicU64::new(0);
static UNTOLD: AtomicU64 = AtomicU64::new(0);

/// For who looks at the process and not at its log.
static ALARMS: Mutex<VecDeque<String>> = Mutex::new(VecDeque::new());
const ALARMS_KEPT: usize = 16;

/// A longer line is cut. A pipe that is ready takes so many bytes (PIPE_BUF) at once or none.
const LINE_BYTES_MAX: usize = 4096;

/// Sets the level and the form. May be called again.
pub fn init(level: Level, format: Format) {
    LEVEL.store(level as u8, Ordering::Relaxed);
    FORMAT.store(format as u8, Ordering::Relaxed);
}

/// Opens the log's files anew, for who has moved them away; says what was done.
#[must_use]
pub fn reopen() -> String {
    let says = match files::reopen() {
        None => "the log goes to stderr: there is no file to open anew",
        Some(true) => "the log's files are opened anew",
        Some(false) => "the log's files are not opened anew yet: their disk is slow",
    };
    crate::say!(Info, "{says}");
    says.to_owned()
}

/// Is this level written?
#[must_use]
pub fn enabled(level: Level) -> bool {
    level as u8 <= LEVEL.load(Ordering::Relaxed)
}

/// Lines written so far, by level.
#[must_use]
pub fn lines() -> [u64; 4] {
    LINES.each_ref().map(|lines| lines.load(Ordering::Relaxed))
}

/// Writes one line. Use [`say!`](crate::say) or [`note!`](crate::note), which format nothing when the level is not
/// written.
pub fn write(topic: Topic, level: Level, message: fmt::Arguments<'_>, fields: &[(&str, &dyn Display)]) {
    LINES[level as usize].fetch_add(1, Ordering::Relaxed);
    let format =
        if FORMAT.load(Ordering::Relaxed) == Format::Json as u8 { Format::Json } else { Format::Text };
    let now = Clock::start().now().wall;
    let mut text = line(format, now, level, message, fields);
    cut(&mut text);
    if level <= Level::Warn {
        remember(&text);
    }
    files::write(topic, level, &text);
    let mut stderr = std::io::stderr().lock();
    let lost = UNTOLD.load(Ordering::Relaxed);
    if lost > 0 && takes(&stderr) {
        // Under the lock nobody else takes them.
        UNTOLD.fetch_sub(lost, Ordering::Relaxed);
        let told = format_args!("stderr was blocked: {lost} lines before this one are lost");
        let _ = stderr.write_all(line(format, now, Level::Warn, told, &[]).as_bytes());
    }
    if takes(&stderr) {
        // There is nowhere left to say that stderr is gone.
        let _ = stderr.write_all(text.as_bytes());
    } else {
        DROPPED.fetch_add(1, Ordering::Relaxed);
        UNTOLD.fetch_add(1, Ordering::Relaxed);
    }
}

/// Keeps a warning or an error for [`alarms`].
fn remember(text: &str) {
    let mut alarms = ALARMS.lock();
    if alarms.len() == ALARMS_KEPT {
        alarms.pop_front();
    }
    alarms.push_back(text.trim_end().to_owned());
}

/// The last warnings and errors, as they were written.
#[must_use]
pub fn alarms() -> Vec<String> {
    ALARMS.lock().iter().cloned().collect()
}

/// Whether a line can be written without waiting for whoever reads.
fn takes(stderr: &impl AsFd) -> bool {
    let mut ready = [PollFd::new(stderr, PollFlags::OUT)];
    // What cannot be asked is written to: a file, most likely.
    poll(&mut ready, Some(&Timespec::default())).map_or(true, |n| n > 0)
}

/// Cuts a line that is too long, before a character.
fn cut(line: &mut String) {
    if line.len() > LINE_BYTES_MAX {
        let mut end = LINE_BYTES_MAX - 8;
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        line.truncate(end);
        line.push_str(" ...\n");
    }
}

fn line(
    format: Format,
    at: UnixMillis,
    level: Level,
    message: fmt::Arguments<'_>,
    fields: &[(&str, &dyn Display)],
) -> String {
    let at = rfc3339::format(at);
    let mut line = String::with_capacity(160);
    // Writing to a String cannot fail.
    match format {
        Format::Text => {
            let _ = write!(line, "{at} {:<5} ", level.name());
            escape(&mut line, &scrub(&message.to_string()), false);
            for (key, value) in fields {
                let _ = write!(line, " {key}=");
                let value = value.to_string();
                let value = scrub(&value);
                let quoted = value.is_empty() || value.contains([' ', '"', '=']);
                line.push_str(if quoted { "\"" } else { "" });
                escape(&mut line, &value, quoted);
                line.push_str(if quoted { "\"" } else { "" });
            }
        }
        Format::Json => {
            let _ = write!(line, "{{\"ts\":\"{at}\",\"level\":\"{}\",\"msg\":\"", level.name());
            escape(&mut line, &scrub(&message.to_string()), true);
            for (key, value) in fields {
                let _ = write!(line, "\",\"{key}\":\"");
                escape(&mut line, &scrub(&value.to_string()), true);
            }
            line.push_str("\"}");
        }
    }
    line.push('\n');
    line
}

/// Escapes controls (C1 and the Unicode line ends too), and quotes and backslashes where they end a string.
fn escape(line: &mut String, text: &str, quoted: bool) {
    for c in text.chars() {
        match c {
            '"' | '\\' if quoted => {
                line.push('\\');
                line.push(c);
            }
            '\n' => line.push_str("\\n"),
            '\u{2028}' | '\u{2029}' => {
                let _ = write!(line, "\\u{:04x}", c as u32);
            }
            c if c.is_control() => {
                let _ = write!(line, "\\u{:04x}", c as u32);
            }
            c => line.push(c),
        }
    }
}

/// Copies the line counts into the metrics; called before an exposition.
pub fn export(registry: &super::Registry) {
    for (index, lines) in lines().into_iter().enumerate() {
        registry.set_at(super::names::LOG_LINES, index, lines);
    }
    registry.set(super::names::LOG_DROPPED, DROPPED.load(Ordering::Relaxed));
    registry.set(super::names::LOG_FILE_DROPPED, files::lost());
}

/// Makes a panic a line of the log, scrubbed like any other: what a library quotes may hold a token.
pub fn guard_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let thread = std::thread::current();
        let fields: &[(&str, &dyn Display)] = &[("thread", &thread.name().unwrap_or("unnamed"))];
        write(Topic::General, Level::Error, format_args!("{panic}"), fields);
    }));
}

/// Says one line: `say!(Info, "Update from user {user}", lane = 3)`. Formats nothing below the level.
#[macro_export]
macro_rules! say {
    ($level:ident, $message:literal $(, $key:ident = $value:expr)* $(,)?) => {
        $crate::note!(General, $level, $message $(, $key = $value)*)
    };
}

/// As [`say!`](crate::say), about a subject that has a file of its own: `note!(Payments, Info, "paid")`.
#[macro_export]
macro_rules! note {
    ($topic:ident, $level:ident, $message:literal $(, $key:ident = $value:expr)* $(,)?) => {
        if $crate::observe::log::enabled($crate::observe::log::Level::$level) {
            $crate::observe::log::write(
                $crate::observe::Topic::$topic,
                $crate::observe::log::Level::$level,
                format_args!($message),
                &[$((stringify!($key), &$value as &dyn std::fmt::Display)),*],
            );
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: UnixMillis = UnixMillis(1_784_527_200_000);

    fn said(format: Format, message: &str, fields: &[(&str, &dyn Display)]) -> String {
        line(format, AT, Level::Info, format_args!("{message}"), fields)
    }

    #[test]
    fn a_line_has_time_level_message_and_fields() {
        let fields: &[(&str, &dyn Display)] = &[("lane", &3), ("why", &"two words"), ("none", &"")];
        assert_eq!(
            said(Format::Text, "Update from user 42", fields),
            "2026-07-20T06:00:00.000Z INFO  Update from user 42 lane=3 why=\"two words\" none=\"\"\n"
        );
        assert_eq!(
            said(Format::Json, "Update from user 42", fields),
            "{\"ts\":\"2026-07-20T06:00:00.000Z\",\"level\":\"INFO\",\"msg\":\"Update from user 42\",\
             \"lane\":\"3\",\"why\":\"two words\",\"none\":\"\"}\n"
        );
    }

    #[test]
    fn a_pipe_that_nobody_reads_takes_no_more_lines_and_a_file_always_does() {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let line = [b'x'; 1000];
        let mut written = 0;
        while takes(&writer) {
            writer.write_all(&line).expect("it has room");
            written += 1;
            assert!(written < 10_000, "a pipe is finite");
        }
        assert!(written > 0);
        drop(reader);
        assert!(takes(&writer), "an error is no reason to wait");
        assert!(takes(&tempfile::tempfile().expect("a file")));
    }

    #[test]
    fn a_line_longer_than_a_pipe_takes_at_once_is_cut_before_a_character() {
        for prefix in 0..4 {
            let mut line = "x".repeat(prefix) + &"نوبت".repeat(1000) + "\n";
            cut(&mut line);
            assert!(line.len() <= LINE_BYTES_MAX && line.ends_with(" ...\n"), "{}", line.len());
        }
        let mut short = "short\n".to_owned();
        cut(&mut short);
        assert_eq!(short, "short\n");
    }

    #[test]
    fn input_cannot_forge_a_line_or_a_field() {
        let hostile = "x\n2026 ERROR \"forged\"\r\u{1b}[31m\u{85}\u{2028} a=b";
        let text = said(Format::Text, hostile, &[("name", &hostile)]);
        assert_eq!(text.chars().filter(|c| c.is_control()).collect::<String>(), "\n");
        let json = said(Format::Json, hostile, &[("name", &hostile)]);
        let read: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!((&read["msg"], &read["name"]), (&hostile.into(), &hostile.into()));
    }

    #[test]
    fn a_token_in_an_error_is_masked_in_message_and_field() {
        let url = format!("https://api/bot1000001:{}/getMe", "Ab-_9".repeat(7));
        for format in [Format::Text, Format::Json] {
            let line = said(format, &url, &[("url", &url)]);
            assert!(!line.contains("Ab-_9"), "{line}");
            assert_eq!(line.matches("1000001:***").count(), 2, "{line}");
        }
    }
}
