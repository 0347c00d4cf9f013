//! Any bytes behind a segment header: no panic, no record that was not written, and small windows say what
//! one large window says. Whole frames are mixed in, since chance does not hit a checksum.
#![no_main]

use libfuzzer_sys::fuzz_target;
use nobat_core::id::Seq;
use nobat_core::journal::frame::{Codec, Frame, Kind, SEGMENT_HEADER_BYTES, SegmentHeader};
use nobat_core::journal::recover::{Ending, Refusal, Step, Walk};

const HEADER: SegmentHeader = SegmentHeader { id: 1, salt: 9, first: Seq(1) };

#[derive(arbitrary::Arbitrary, Debug)]
enum Piece {
    Entry { group: bool, length: u8 },
    Strange { seq: u8, synced_to: u8, seal: bool },
    Raw(Vec<u8>),
    Zeros(u8),
}

fn log(pieces: &[Piece]) -> Vec<u8> {
    let (codec, mut out) = (Codec::new(&HEADER), vec![0; SEGMENT_HEADER_BYTES]);
    let (mut seq, mut synced_to) = (1, 0);
    for piece in pieces {
        let mut put = |kind, seq, synced_to, payload: &[u8]| {
            let frame = Frame { kind, seq: Seq(seq), synced_to: Seq(synced_to), payload };
            let _ = codec.encode(&frame, &mut out);
        };
        match piece {
            Piece::Entry { group, length } => {
                put(Kind::Entry, seq, synced_to, &vec![seq as u8; usize::from(*length)]);
                synced_to = if *group { synced_to } else { seq };
                seq += 1;
            }
            Piece::Strange { seq, synced_to, seal } => {
                let seq = u64::from(*seq) + 1;
                let synced_to = u64::from(*synced_to).min(seq - 1);
                let kind = if *seal { Kind::Seal } else { Kind::Entry };
                put(kind, seq, synced_to, &[]);
            }
            Piece::Raw(bytes) => out.extend_from_slice(bytes),
            Piece::Zeros(n) => out.resize(out.len() + usize::from(*n), 0),
        }
    }
    out
}

fn read(log: &[u8], until: Option<Seq>, mut window: usize) -> Result<(Vec<u64>, Ending), Refusal> {
    let (mut walk, mut kept) = (Walk::new(&HEADER, until), Vec::new());
    loop {
        let rest = log.get(walk.at() as usize..).unwrap_or(&[]);
        let seen = &rest[..rest.len().min(window)];
        match walk.step(seen, seen.len() == rest.len())? {
            Step::Frame { frame, .. } => {
                assert!(frame.payload.iter().all(|&b| b == frame.seq.0 as u8), "a record that was not written");
                kept.push(frame.seq.0);
            }
            Step::Skip { used } => assert!(used > 0),
            Step::More { needed } => {
                assert!(needed > window, "no progress");
                window = needed;
            }
            Step::Over(ending) => return Ok((kept, ending)),
        }
    }
}

fuzz_target!(|input: (Vec<Piece>, Option<u8>, u8, Option<(u16, u8)>)| {
    let (pieces, until, window, flip) = input;
    let mut log = log(&pieces);
    if let Some((at, bit)) = flip {
        let at = SEGMENT_HEADER_BYTES + usize::from(at) % (log.len() - SEGMENT_HEADER_BYTES).max(1);
        if let Some(byte) = log.get_mut(at) {
            *byte ^= 1 << (bit % 8);
        }
    }
    let until = until.map(|n| Seq(u64::from(n) + 1));
    assert_eq!(read(&log, until, usize::from(window).max(1)), read(&log, until, usize::MAX));
});
