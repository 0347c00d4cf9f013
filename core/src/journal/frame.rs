//! Frames and segment headers as bytes.
//!
//! What lives here: [`SegmentHeader`], [`Frame`], and their total encoders and decoders: any bytes give a
//! value or a [`Flaw`], never a panic, never an allocation. Whether a flaw is a torn tail or damage is
//! for [`super::recover`] to say.
//!
//! The checksum is CRC32C (Castagnoli, RFC 3720 appendix B.4): hardware computes it at memory speed, and
//! it finds every burst up to 32 bits. It is seeded by the segment's id and salt, so a frame left over from
//! the file's earlier life, or forged inside a user's text, is not taken for a frame of this segment.

use crate::id::Seq;
use crate::limits::FRAME_BYTES_MAX;

/// The first bytes of every segment.
pub const MAGIC: [u8; 8] = *b"NOBATJNL";

/// The format this code writes. It reads this one and every earlier one.
pub const VERSION: u32 = 1;

/// Bytes of a segment before its first frame. A page of its own, so that no later write touches it.
pub const SEGMENT_HEADER_BYTES: usize = 4096;

/// Bytes of the header that carry something; the rest of its page is zero.
const HEADER_USED: usize = 36;

/// Bytes of a frame before its payload.
pub const FRAME_HEADER_BYTES: usize = 32;

/// Frames begin at multiples of this, so that recovery can look for frames behind a bad one.
pub const FRAME_ALIGN: usize = 8;

const _: () = {
    assert!(SEGMENT_HEADER_BYTES.is_multiple_of(FRAME_ALIGN));
    assert!(FRAME_HEADER_BYTES.is_multiple_of(FRAME_ALIGN));
    assert!(FRAME_BYTES_MAX <= u32::MAX as usize - FRAME_HEADER_BYTES - FRAME_ALIGN);
};

/// What a segment says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SegmentHeader {
    /// Rising from segment to segment, from 1.
    pub id: u32,
    /// Chosen at random when the segment is made; part of the seed of its checksums.
    pub salt: u64,
    /// The sequence of its first frame. Everything before it was durable elsewhere when this segment got
    /// its name: frames of this sequence and above in *earlier* segments are superseded.
    pub first: Seq,
}

impl SegmentHeader {
    /// The header's page.
    #[must_use]
    pub fn encode(&self) -> [u8; SEGMENT_HEADER_BYTES] {
        let mut page = [0; SEGMENT_HEADER_BYTES];
        page[..8].copy_from_slice(&MAGIC);
        page[8..12].copy_from_slice(&VERSION.to_le_bytes());
        page[12..16].copy_from_slice(&self.id.to_le_bytes());
        page[16..24].copy_from_slice(&self.salt.to_le_bytes());
        page[24..32].copy_from_slice(&self.first.0.to_le_bytes());
        let crc = header_crc(&page);
        page[32..36].copy_from_slice(&crc.to_le_bytes());
        page
    }

    /// Reads a header from the start of a segment.
    ///
    /// # Errors
    /// [`HeaderFlaw`], which says what is wrong with it.
    pub fn decode(bytes: &[u8]) -> Result<Self, HeaderFlaw> {
        let page: &[u8; SEGMENT_HEADER_BYTES] = bytes.first_chunk().ok_or(HeaderFlaw::CutShort)?;
        if page[..8] != MAGIC {
            return Err(HeaderFlaw::NoMagic);
        }
        if u32_at(page, 32) != header_crc(page) || page[HEADER_USED..].iter().any(|&b| b != 0) {
            return Err(HeaderFlaw::BadChecksum);
        }
        match u32_at(page, 8) {
            VERSION => {
                Ok(Self { id: u32_at(page, 12), salt: u64_at(page, 16), first: Seq(u64_at(page, 24)) })
            }
            other => Err(HeaderFlaw::UnknownVersion(other)),
        }
    }

    /// What the checksums of this segment's frames begin with.
    fn seed(&self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.id.to_le_bytes()), &self.salt.to_le_bytes())
    }
}

fn header_crc(page: &[u8; SEGMENT_HEADER_BYTES]) -> u32 {
    crc32c::crc32c(&page[..32])
}

/// Why bytes are not a segment header.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum HeaderFlaw {
    /// Fewer bytes than a header has.
    #[error("the file is shorter than a segment header")]
    CutShort,
    /// Another kind of file.
    #[error("the file does not begin as a journal segment does")]
    NoMagic,
    /// Damaged.
    #[error("the segment header is damaged")]
    BadChecksum,
    /// Written by a later version.
    #[error("segment format {0} is newer than this program reads ({VERSION}); start the newer nobat")]
    UnknownVersion(u32),
}

/// What a frame is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// The payload is the engine's.
    Entry = 1,
    /// A clean stop: nothing follows in this segment. No payload; its sequence is given again to the next
    /// entry, in the next segment.
    Seal = 2,
}

/// One frame, its payload borrowed from the bytes it was read from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Frame<'a> {
    /// What it is.
    pub kind: Kind,
    /// Its place: dense, rising.
    pub seq: Seq,
    /// The last sequence that was durable when this frame was encoded; less than `seq`.
    pub synced_to: Seq,
    /// At most [`FRAME_BYTES_MAX`] bytes.
    pub payload: &'a [u8],
}

/// Bytes that a frame with such a payload takes in a segment.
#[must_use]
pub const fn frame_bytes(payload: usize) -> usize {
    (FRAME_HEADER_BYTES + payload).next_multiple_of(FRAME_ALIGN)
}

/// A payload over [`FRAME_BYTES_MAX`]: a bug of the caller, refused before it is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("a frame's payload of {0} bytes is over the {FRAME_BYTES_MAX} that are allowed")]
pub struct PayloadTooLong(pub usize);

/// What encodes and decodes the frames of one segment.
#[derive(Clone, Copy, Debug)]
pub struct Codec {
    segment: u32,
    seed: u32,
}

impl Codec {
    /// For the frames of the segment with this header.
    #[must_use]
    pub fn new(header: &SegmentHeader) -> Self {
        Self { segment: header.id, seed: header.seed() }
    }

    /// Appends the frame's bytes to `out`.
    ///
    /// # Errors
    /// [`PayloadTooLong`]; `out` is unchanged.
    pub fn encode(&self, frame: &Frame<'_>, out: &mut Vec<u8>) -> Result<(), PayloadTooLong> {
        debug_assert!(frame.synced_to < frame.seq, "a frame cannot be durable before it is written");
        let length = frame.payload.len();
        if length > FRAME_BYTES_MAX {
            return Err(PayloadTooLong(length));
        }
        let start = out.len();
        out.reserve(frame_bytes(length));
        out.extend_from_slice(&(length as u32).to_le_bytes());
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&self.segment.to_le_bytes());
        out.extend_from_slice(&[frame.kind as u8, 0, 0, 0]);
        out.extend_from_slice(&frame.seq.0.to_le_bytes());
        out.extend_from_slice(&frame.synced_to.0.to_le_bytes());
        out.extend_from_slice(frame.payload);
        out.resize(start + frame_bytes(length), 0);
        let crc = self.crc(&out[start..]);
        out[start + 4..start + 8].copy_from_slice(&crc.to_le_bytes());
        Ok(())
    }

    /// Reads the frame at the start of `bytes`; its length in the segment is [`frame_bytes`] of its
    /// payload's.
    ///
    /// # Errors
    /// [`Flaw`], which says what is there instead.
    pub fn decode<'a>(&self, bytes: &'a [u8]) -> Result<Frame<'a>, Flaw> {
        let Some(header) = bytes.first_chunk::<FRAME_HEADER_BYTES>() else {
            return Err(Flaw::CutShort { needed: FRAME_HEADER_BYTES });
        };
        if header.iter().all(|&b| b == 0) {
            return Err(Flaw::Zeros);
        }
        if u32_at(header, 8) != self.segment {
            return Err(Flaw::Foreign);
        }
        let length = u32_at(header, 0) as usize;
        if length > FRAME_BYTES_MAX {
            return Err(Flaw::TooLong);
        }
        let Some(whole) = bytes.get(..frame_bytes(length)) else {
            return Err(Flaw::CutShort { needed: frame_bytes(length) });
        };
        if self.crc(whole) != u32_at(header, 4) {
            return Err(Flaw::BadChecksum);
        }
        let kind = match header[12..16] {
            [1, 0, 0, 0] => Kind::Entry,
            [2, 0, 0, 0] if length == 0 => Kind::Seal,
            _ => return Err(Flaw::UnknownKind),
        };
        let (seq, synced_to) = (Seq(u64_at(header, 16)), Seq(u64_at(header, 24)));
        let payload = &whole[FRAME_HEADER_BYTES..FRAME_HEADER_BYTES + length];
        Ok(Frame { kind, seq, synced_to, payload })
    }

    /// Whether a frame of this segment may begin with these bytes: a quick look that never says no to one.
    #[must_use]
    pub fn may_begin(&self, header: &[u8; FRAME_HEADER_BYTES]) -> bool {
        u32_at(header, 8) == self.segment
    }

    /// Over everything but the checksum itself, padding included.
    fn crc(&self, whole: &[u8]) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c_append(self.seed, &whole[..4]), &whole[8..])
    }
}

/// Why bytes are not a frame of this segment.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Flaw {
    /// 32 zero bytes: never written.
    #[error("nothing was written here")]
    Zeros,
    /// The bytes end before the frame does, or would if its length is true.
    #[error("the bytes end within a frame of {needed} bytes")]
    CutShort {
        /// Bytes of the whole frame.
        needed: usize,
    },
    /// Another segment's id: the file's earlier life, or damage.
    #[error("these bytes do not belong to this segment")]
    Foreign,
    /// A length over the limit.
    #[error("the length is over {FRAME_BYTES_MAX}")]
    TooLong,
    /// The checksum does not fit the bytes.
    #[error("the checksum does not fit")]
    BadChecksum,
    /// The checksum fits, the kind is not one of this version's.
    #[error("the kind of frame is unknown to this version")]
    UnknownKind,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32_at(bytes, at)) | u64::from(u32_at(bytes, at + 4)) << 32
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HEADER: SegmentHeader = SegmentHeader { id: 7, salt: 0x0123_4567_89ab_cdef, first: Seq(1000) };

    /// The bytes of the `nth` drawing in docs/format.md: lines of `offset: bytes | meaning`.
    fn drawn(nth: usize) -> Vec<u8> {
        let text = include_str!("../../../docs/format.md");
        let block = text.split("```hex\n").nth(nth + 1).expect("a drawing").split("```").next().unwrap();
        let mut bytes = Vec::new();
        for line in block.lines() {
            let (offset, rest) = line.split_once(':').expect("an offset");
            assert_eq!(usize::from_str_radix(offset, 16), Ok(bytes.len()), "the offsets are true: {line}");
            let digits = rest.split('|').next().unwrap().split_whitespace();
            bytes.extend(digits.map(|byte| u8::from_str_radix(byte, 16).expect("two hex digits")));
        }
        bytes
    }

    fn frame(kind: Kind, synced_to: u64, payload: &[u8]) -> Vec<u8> {
        let frame = Frame { kind, seq: Seq(1001), synced_to: Seq(synced_to), payload };
        let mut out = Vec::new();
        Codec::new(&HEADER).encode(&frame, &mut out).unwrap();
        out
    }

    #[test]
    fn the_drawn_header_is_what_is_written_and_read() {
        let page = HEADER.encode();
        assert_eq!(page[..HEADER_USED], drawn(0), "docs/format.md, header");
        assert!(page[HEADER_USED..].iter().all(|&b| b == 0));
        assert_eq!(SegmentHeader::decode(&page), Ok(HEADER));
    }

    #[test]
    fn the_drawn_frames_are_what_is_written_and_read() {
        assert_eq!(frame(Kind::Entry, 999, b"hello, frame"), drawn(1), "docs/format.md, entry");
        assert_eq!(frame(Kind::Seal, 1000, b""), drawn(2), "docs/format.md, seal");
        let bytes = drawn(1);
        let read = Codec::new(&HEADER).decode(&bytes).unwrap();
        let (seq, synced_to) = (Seq(1001), Seq(999));
        assert_eq!(read, Frame { kind: Kind::Entry, seq, synced_to, payload: b"hello, frame" });
    }

    #[test]
    fn a_newer_format_is_named_as_such() {
        let mut page = HEADER.encode();
        page[8] = 2;
        let crc = header_crc(&page);
        page[32..36].copy_from_slice(&crc.to_le_bytes());
        assert_eq!(SegmentHeader::decode(&page), Err(HeaderFlaw::UnknownVersion(2)));
    }

    #[test]
    fn a_payload_over_the_limit_is_refused_and_nothing_is_written() {
        let payload = vec![0; FRAME_BYTES_MAX + 1];
        let mut out = vec![1];
        let frame = Frame { kind: Kind::Entry, seq: Seq(1), synced_to: Seq(0), payload: &payload };
        assert_eq!(Codec::new(&HEADER).encode(&frame, &mut out), Err(PayloadTooLong(payload.len())));
        assert_eq!(out, [1]);
    }

    #[test]
    fn a_frame_of_another_salt_or_segment_is_not_one_of_ours() {
        let bytes = frame(Kind::Entry, 999, b"x");
        let other_salt = Codec::new(&SegmentHeader { salt: 1, ..HEADER });
        assert_eq!(other_salt.decode(&bytes), Err(Flaw::BadChecksum));
        let other_id = Codec::new(&SegmentHeader { id: 8, ..HEADER });
        assert_eq!(other_id.decode(&bytes), Err(Flaw::Foreign));
    }

    proptest! {
        #[test]
        fn frames_survive_and_every_flipped_bit_is_noticed(
            payload: Vec<u8>, seq in 1u64.., behind in 1u64..1000, bit: prop::sample::Index,
        ) {
            let synced_to = Seq(seq.saturating_sub(behind));
            let frame = Frame { kind: Kind::Entry, seq: Seq(seq), synced_to, payload: &payload };
            let codec = Codec::new(&HEADER);
            let mut bytes = Vec::new();
            codec.encode(&frame, &mut bytes).unwrap();
            prop_assert_eq!(bytes.len(), frame_bytes(payload.len()));
            prop_assert_eq!(codec.decode(&bytes), Ok(frame));
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert!(codec.decode(&bytes).is_err());
        }

        #[test]
        fn any_bytes_are_a_frame_or_a_flaw(bytes: Vec<u8>) {
            let _ = Codec::new(&HEADER).decode(&bytes);
            let _ = SegmentHeader::decode(&bytes);
        }
    }
}
