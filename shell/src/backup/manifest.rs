//! What a backup says of itself: a small text file that lists every other file with its length and checksum.
//!
//! ```text
//! nobat backup 1
//! made 2026-11-21T12:00:00.000Z
//! by 0.1.0
//! frames 1000 1234
//! file 4096 1a2b3c4d journal-0000000001.seg
//! end 1 99e88681
//! ```
//!
//! The last line says how many files there are, and the checksum (CRC32C) of every line before it.

use crate::observe::rfc3339;
use nobat_core::id::Seq;
use nobat_core::time::UnixMillis;
use std::fmt::Write as _;

/// Its name in a backup.
pub const FILE: &str = "MANIFEST";

/// The format this code writes, and the only one there is yet.
const FIRST_LINE: &str = "nobat backup 1";

/// A backup's account of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Manifest {
    /// When it was begun.
    pub made: UnixMillis,
    /// The version of nobat that made it.
    pub by: String,
    /// The snapshot in it covers the frames to here; 0 without one.
    pub covered: Seq,
    /// The last frame in it.
    pub last: Seq,
    /// Every file but this one.
    pub files: Vec<Listed>,
}

/// One file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its name, without a folder.
    pub name: String,
    /// Bytes.
    pub len: u64,
    /// CRC32C of them.
    pub crc: u32,
}

/// A text that is no manifest, with its line and what is wrong.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("line {line} of the manifest: {what}")]
pub struct Unreadable {
    /// From 1.
    pub line: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl Manifest {
    /// As text.
    #[must_use]
    pub fn to_text(&self) -> String {
        let Self { made, by, covered, last, files } = self;
        let mut text = format!("{FIRST_LINE}\nmade {}\nby {by}\n", rfc3339::format(*made));
        let _ = writeln!(text, "frames {covered} {last}");
        for Listed { name, len, crc } in files {
            let _ = writeln!(text, "file {len} {crc:08x} {name}");
        }
        let crc = crc32c::crc32c(text.as_bytes());
        let _ = writeln!(text, "end {} {crc:08x}", files.len());
        text
    }

    /// Reads one. Total: any text gives a manifest or says what is wrong with it.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let mut lines = text.lines().enumerate();
        let mut next = |wanted: &'static str| {
            let (at, line) = lines
                .next()
                .ok_or(Unreadable { line: text.lines().count() + 1, what: "it ends too early" })?;
            let rest = line
                .strip_prefix(wanted)
                .ok_or(Unreadable { line: at + 1, what: "another line belongs here" });
            Ok::<_, Unreadable>((at + 1, rest?))
        };
        let wrong = |line, what| Unreadable { line, what };
        let (line, rest) = next("nobat backup ")?;
        if rest != "1" {
            return Err(wrong(line, "a later format: use the nobat that made it"));
        }
        let (line, made) = next("made ")?;
        let made = rfc3339::parse(made).ok_or(wrong(line, "not an instant"))?;
        let by = next("by ")?.1.to_owned();
        let (line, frames) = next("frames ")?;
        let frames = frames.split_once(' ').and_then(|(a, b)| Some((a.parse().ok()?, b.parse().ok()?)));
        let (covered, last) = frames.ok_or(wrong(line, "not two frames"))?;
        let mut files = Vec::new();
        loop {
            let (line, rest) = next("")?;
            if let Some(end) = rest.strip_prefix("end ") {
                if end != format!("{} {:08x}", files.len(), crc32c::crc32c(before_last_line(text))) {
                    return Err(wrong(line, "the lines before it are not as they were written"));
                }
                return Ok(Self { made, by, covered: Seq(covered), last: Seq(last), files });
            }
            files.push(listed(rest).ok_or(wrong(line, "not a file with its length and checksum"))?);
        }
    }
}

/// Everything before the line that ends the text.
fn before_last_line(text: &str) -> &[u8] {
    let whole = text.strip_suffix('\n').unwrap_or(text);
    &text.as_bytes()[..whole.rfind('\n').map_or(0, |at| at + 1)]
}

fn listed(line: &str) -> Option<Listed> {
    let mut parts = line.strip_prefix("file ")?.splitn(3, ' ');
    let (len, crc, name) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?);
    let crc = u32::from_str_radix(crc, 16).ok()?;
    // It becomes a path: nothing that leaves the folder.
    let plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\0']);
    plain.then(|| Listed { name: name.to_owned(), len, crc })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn manifest(files: Vec<(String, u64, u32)>) -> Manifest {
        let files = files.into_iter().map(|(name, len, crc)| Listed { name, len, crc }).collect();
        let (made, by) = (UnixMillis(1_800_000_000_123), "0.1.0".to_owned());
        Manifest { made, by, covered: Seq(1000), last: Seq(1234), files }
    }

    #[test]
    fn the_text_of_format_1_is_read_for_ever() {
        let text = "nobat backup 1\nmade 2027-01-15T08:00:00.123Z\nby 0.1.0\nframes 1000 1234\n\
                    file 4096 1a2b3c4d journal-0000000001.seg\nend 1 36868670\n";
        let wanted = manifest(vec![("journal-0000000001.seg".to_owned(), 4096, 0x1a2b_3c4d)]);
        assert_eq!(Manifest::read(text), Ok(wanted.clone()));
        assert_eq!(wanted.to_text(), text);
    }

    #[test]
    fn no_name_leads_out_of_the_folder() {
        for name in ["../lock", "/etc/passwd", "..", ".", "a/b"] {
            let text = manifest(vec![(name.to_owned(), 1, 1)]).to_text();
            assert!(Manifest::read(&text).is_err(), "{name}");
        }
    }

    proptest! {
        #[test]
        fn a_manifest_survives_and_a_shortened_one_does_not_pass(
            files in prop::collection::vec(("[a-z][a-z. -]{0,20}[a-z]", any::<u64>(), any::<u32>()), 0..5),
            cut: prop::sample::Index,
        ) {
            let whole = manifest(files);
            let text = whole.to_text();
            prop_assert_eq!(Manifest::read(&text), Ok(whole));
            // The last line end may be gone.
            prop_assert!(Manifest::read(&text[..cut.index(text.len() - 1)]).is_err());
        }

        #[test]
        fn any_text_is_read_without_a_panic(text: String) {
            let _ = Manifest::read(&text);
            let _ = Manifest::read(&format!("nobat backup 1\n{text}"));
        }
    }
}
