//! Reading one segment through a sliding window: [`Walk`] finds what stands where and asks the table.

use super::super::frame::{
    Codec, FRAME_ALIGN, FRAME_HEADER_BYTES, Flaw, Frame, Kind, SEGMENT_HEADER_BYTES, SegmentHeader,
    frame_bytes,
};
use super::{Behind, Case, Place, Seen, Verdict, judge};
use crate::id::Seq;
use core::fmt;

/// Reads one segment, frame by frame, through a window that the caller slides over it.
///
/// Call [`Walk::step`] with the bytes from [`Walk::at`] on; it says what it found and how far to slide.
#[derive(Debug)]
pub struct Walk {
    codec: Codec,
    segment: u32,
    /// Where the next segment begins, if there is one.
    until: Option<Seq>,
    expected: Seq,
    synced_to: Seq,
    sealed: bool,
    at: u64,
    trouble: Option<Trouble>,
}

/// The place where the frames end, while what stands behind it is looked at.
#[derive(Clone, Copy, Debug)]
struct Trouble {
    seen: Seen,
    flaw: Flaw,
    at: u64,
    behind: Behind,
    torn_to: u64,
}

/// What one step found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step<'a> {
    /// A frame that counts. Slide by `used` bytes.
    Frame {
        /// The frame.
        frame: Frame<'a>,
        /// Bytes it takes.
        used: usize,
    },
    /// Nothing in these bytes. Slide by `used`, at least 1.
    Skip {
        /// Bytes looked at.
        used: usize,
    },
    /// The window must hold `needed` bytes, or end with the file.
    More {
        /// Bytes.
        needed: usize,
    },
    /// The segment is read.
    Over(Ending),
}

/// How a segment ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ending {
    /// The line of the table: its verdict is `End` or `Cut`.
    pub label: &'static str,
    /// The bytes behind were torn and do not count.
    pub cut: bool,
    /// Where the frames end, in bytes from the start of the file.
    pub at: u64,
    /// Where the last byte that is not zero ends; `at` if nothing stands behind.
    pub torn_to: u64,
    /// The sequence after the last frame that counts.
    pub next: Seq,
    /// Frames to here are known to be on disk; the others are known only to be readable now.
    pub synced_to: Seq,
    /// The last frame is a seal: the program stopped cleanly.
    pub sealed: bool,
}

/// Damage that recovery does not step over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The line of the table.
    pub label: &'static str,
    /// Its reason.
    pub why: &'static str,
    /// The segment's id.
    pub segment: u32,
    /// Bytes from the start of its file.
    pub at: u64,
    /// The frame that is missing.
    pub expected: Seq,
    /// What stands there instead; `None` if it is a whole frame.
    pub flaw: Option<Flaw>,
    /// The frame that stands in the wrong place, or the one that proves that the missing frame was durable:
    /// its place and sequence.
    pub other: Option<(u64, Seq)>,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { label, why, segment, at, expected, flaw, other } = self;
        write!(f, "segment {segment} is damaged at byte {at}: frame {expected} is not there")?;
        if let Some(flaw) = flaw {
            write!(f, " ({flaw})")?;
        }
        if let Some((place, seq)) = other {
            write!(f, "; frame {seq} stands at byte {place}")?;
        }
        write!(f, ". {why} [{label}]")
    }
}

impl core::error::Error for Refusal {}

impl Walk {
    /// For the segment with this header; `until` is the first sequence of the next segment, if there is one.
    #[must_use]
    pub fn new(header: &SegmentHeader, until: Option<Seq>) -> Self {
        Self {
            codec: Codec::new(header),
            segment: header.id,
            until,
            expected: header.first,
            synced_to: Seq(header.first.0.saturating_sub(1)),
            sealed: false,
            at: SEGMENT_HEADER_BYTES as u64,
            trouble: None,
        }
    }

    /// Where the window must begin, in bytes from the start of the file.
    #[must_use]
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// Frames to here are known to be on disk, by what was read so far.
    #[must_use]
    pub const fn synced_to(&self) -> Seq {
        self.synced_to
    }

    /// Looks at the window. `at_end`: the file ends with it.
    ///
    /// # Errors
    /// [`Refusal`] if something that was promised is damaged.
    pub fn step<'a>(&mut self, window: &'a [u8], at_end: bool) -> Result<Step<'a>, Refusal> {
        if self.trouble.is_some() {
            return self.look_behind(window, at_end);
        }
        if self.place() == Place::Border {
            return Ok(Step::Over(self.ending("@B", false, self.at, self.at)));
        }
        let flaw = match self.codec.decode(window) {
            Ok(frame) if self.in_place(&frame) => return Ok(self.keep(frame)),
            Ok(frame) => return Err(self.refuse(Seen::Misplaced, None, Some((self.at, frame.seq)))),
            Err(Flaw::CutShort { needed }) if !at_end => return Ok(Step::More { needed }),
            Err(flaw) => flaw,
        };
        let seen = match flaw {
            Flaw::UnknownKind => return Err(self.refuse(Seen::Misplaced, Some(flaw), None)),
            Flaw::Zeros => Seen::Empty,
            Flaw::CutShort { .. } if window.iter().all(|&b| b == 0) => Seen::Empty,
            _ => Seen::Bad,
        };
        if self.place() == Place::Inside {
            return Err(self.refuse(seen, Some(flaw), None));
        }
        self.trouble = Some(Trouble { seen, flaw, at: self.at, behind: Behind::Nothing, torn_to: self.at });
        self.look_behind(window, at_end)
    }

    fn place(&self) -> Place {
        match self.until {
            None => Place::Last,
            Some(until) if until <= self.expected => Place::Border,
            Some(_) => Place::Inside,
        }
    }

    fn in_place(&self, frame: &Frame<'_>) -> bool {
        let synced = self.synced_to..self.expected;
        !self.sealed && frame.seq == self.expected && synced.contains(&frame.synced_to)
    }

    fn keep<'a>(&mut self, frame: Frame<'a>) -> Step<'a> {
        let used = frame_bytes(frame.payload.len());
        self.at += used as u64;
        self.synced_to = frame.synced_to;
        match frame.kind {
            Kind::Entry => self.expected.0 += 1,
            Kind::Seal => self.sealed = true,
        }
        Step::Frame { frame, used }
    }

    /// Looks for frames behind the trouble, to tell a torn tail from damage.
    fn look_behind<'a>(&mut self, window: &[u8], at_end: bool) -> Result<Step<'a>, Refusal> {
        let mut used = 0;
        while let Some(header) = window[used..].first_chunk::<FRAME_HEADER_BYTES>() {
            if self.codec.may_begin(header) {
                match self.codec.decode(&window[used..]) {
                    Err(Flaw::CutShort { needed }) if !at_end => return Ok(self.slide(used, needed)),
                    Ok(frame) => self.meet(&frame, self.at + used as u64)?,
                    Err(_) => {}
                }
            }
            self.note(&window[used..used + FRAME_ALIGN], used);
            used += FRAME_ALIGN;
        }
        if !at_end {
            return Ok(self.slide(used, FRAME_HEADER_BYTES));
        }
        self.note(&window[used..], used);
        Ok(Step::Over(self.conclude()))
    }

    fn slide<'a>(&mut self, used: usize, needed: usize) -> Step<'a> {
        self.at += used as u64;
        if used == 0 { Step::More { needed } } else { Step::Skip { used } }
    }

    /// A whole frame stands behind the trouble.
    fn meet(&mut self, frame: &Frame<'_>, at: u64) -> Result<(), Refusal> {
        let Some(trouble) = &mut self.trouble else { return Ok(()) };
        if frame.synced_to >= self.expected && frame.synced_to < frame.seq {
            let (seen, flaw, place) = (trouble.seen, trouble.flaw, trouble.at);
            self.at = place;
            let case = judge(seen, Behind::Witness, self.place());
            return Err(self.refusal(case, Some(flaw), Some((at, frame.seq))));
        }
        trouble.behind = Behind::Unsynced;
        Ok(())
    }

    /// Notes whether bytes behind the trouble are more than zeros.
    fn note(&mut self, bytes: &[u8], used: usize) {
        let Some(last) = bytes.iter().rposition(|&b| b != 0) else { return };
        if let Some(trouble) = &mut self.trouble {
            trouble.torn_to = self.at + (used + last + 1) as u64;
            if trouble.behind == Behind::Nothing {
                trouble.behind = Behind::Bytes;
            }
        }
    }

    fn conclude(&self) -> Ending {
        let (seen, behind, at, torn_to) = match self.trouble {
            Some(t) => (t.seen, t.behind, t.at, t.torn_to),
            None => (Seen::Empty, Behind::Nothing, self.at, self.at),
        };
        let case = judge(seen, behind, self.place());
        self.ending(case.label, case.verdict == Verdict::Cut, at, torn_to)
    }

    fn ending(&self, label: &'static str, cut: bool, at: u64, torn_to: u64) -> Ending {
        let Self { expected: next, synced_to, sealed, .. } = *self;
        Ending { label, cut, at, torn_to, next, synced_to, sealed }
    }

    fn refuse(&self, seen: Seen, flaw: Option<Flaw>, other: Option<(u64, Seq)>) -> Refusal {
        self.refusal(judge(seen, Behind::Bytes, self.place()), flaw, other)
    }

    fn refusal(&self, case: &Case, flaw: Option<Flaw>, other: Option<(u64, Seq)>) -> Refusal {
        let Self { segment, at, expected, .. } = *self;
        Refusal { label: case.label, why: case.why, segment, at, expected, flaw, other }
    }
}
