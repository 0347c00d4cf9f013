//! Each line of the table has its bytes and its test; then the log is cut and flipped everywhere.

use super::super::frame::{Codec, FRAME_HEADER_BYTES, Frame, Kind, SEGMENT_HEADER_BYTES};
use super::*;
use proptest::prelude::*;

const SEEN: [Seen; 4] = [Seen::Frame, Seen::Misplaced, Seen::Empty, Seen::Bad];
const BEHIND: [Behind; 4] = [Behind::Nothing, Behind::Bytes, Behind::Unsynced, Behind::Witness];
const PLACES: [Place; 3] = [Place::Inside, Place::Border, Place::Last];

const HEADER: SegmentHeader = SegmentHeader { id: 3, salt: 0x5a17, first: Seq(10) };

#[test]
fn exactly_one_line_fits_each_combination_and_every_line_is_used() {
    let mut used = [0; TABLE.len()];
    for seen in SEEN {
        for behind in BEHIND {
            for place in PLACES {
                let fitting: Vec<_> =
                    (0..TABLE.len()).filter(|&i| TABLE[i].fits(seen, behind, place)).collect();
                assert_eq!(fitting.len(), 1, "{seen:?} {behind:?} {place:?}: {fitting:?}");
                used[fitting[0]] += 1;
                assert_eq!(judge(seen, behind, place).label, TABLE[fitting[0]].label);
            }
        }
    }
    assert!(used.iter().all(|&n| n > 0), "{used:?}");
}

/// A segment being written by hand.
#[derive(Clone)]
struct Log {
    bytes: Vec<u8>,
    /// Where each frame begins.
    places: Vec<usize>,
}

impl Log {
    fn new() -> Self {
        Self { bytes: HEADER.encode().to_vec(), places: Vec::new() }
    }

    fn frame(mut self, kind: Kind, seq: u64, synced_to: u64, payload: &[u8]) -> Self {
        self.places.push(self.bytes.len());
        let frame = Frame { kind, seq: Seq(seq), synced_to: Seq(synced_to), payload };
        Codec::new(&HEADER).encode(&frame, &mut self.bytes).unwrap();
        self
    }

    fn entry(self, seq: u64, synced_to: u64) -> Self {
        let payload = payload(seq);
        self.frame(Kind::Entry, seq, synced_to, &payload)
    }

    /// One commit of the frames `from..=to`.
    fn group(mut self, from: u64, to: u64) -> Self {
        for seq in from..=to {
            self = self.entry(seq, from - 1);
        }
        self
    }

    fn zeros(mut self, n: usize) -> Self {
        self.bytes.resize(self.bytes.len() + n, 0);
        self
    }

    /// Loses the page-like range of frame `index`.
    fn lose(mut self, index: usize) -> Self {
        let end = self.places.get(index + 1).copied().unwrap_or(self.bytes.len());
        self.bytes[self.places[index]..end].fill(0);
        self
    }

    /// Damages a byte of frame `index`.
    fn damage(mut self, index: usize) -> Self {
        self.bytes[self.places[index] + FRAME_HEADER_BYTES] ^= 1;
        self
    }
}

fn payload(seq: u64) -> Vec<u8> {
    format!("{seq:09}").into_bytes()
}

/// Reads with windows of `window` bytes that slide as the walk asks.
fn read(bytes: &[u8], until: Option<u64>, window: usize) -> Result<(Vec<u64>, Ending), Refusal> {
    let mut walk = Walk::new(&HEADER, until.map(Seq));
    let mut kept = Vec::new();
    let mut window = window;
    loop {
        let rest = bytes.get(walk.at() as usize..).unwrap_or(&[]);
        let seen = &rest[..rest.len().min(window)];
        match walk.step(seen, seen.len() == rest.len())? {
            Step::Frame { frame, used } => {
                assert!(used > 0 && used <= seen.len());
                if frame.kind == Kind::Entry {
                    assert_eq!(frame.payload, payload(frame.seq.0), "never a wrong record");
                    kept.push(frame.seq.0);
                }
            }
            Step::Skip { used } => assert!(used > 0 && used <= seen.len()),
            Step::More { needed } => {
                assert!(needed > seen.len(), "it asks for what it has");
                window = needed;
            }
            Step::Over(ending) => return Ok((kept, ending)),
        }
    }
}

/// Reads whole and in small windows; both must say the same.
fn verdict(log: &Log, until: Option<u64>) -> Result<(Vec<u64>, Ending), Refusal> {
    let whole = read(&log.bytes, until, usize::MAX);
    for window in [1, 8, 40, 100] {
        assert_eq!(read(&log.bytes, until, window), whole, "window of {window}");
    }
    whole
}

fn refused(log: &Log, until: Option<u64>) -> Refusal {
    verdict(log, until).expect_err("it must be refused")
}

fn ended(log: &Log, until: Option<u64>, label: &str, cut: bool, kept: std::ops::Range<u64>) -> Ending {
    let (entries, ending) = verdict(log, until).unwrap_or_else(|e| panic!("{e}"));
    assert_eq!((ending.label, ending.cut), (label, cut));
    assert_eq!(entries, kept.clone().collect::<Vec<_>>());
    assert_eq!(ending.next, Seq(kept.end));
    ending
}

#[test]
fn case_a_a_whole_frame_in_its_place_is_kept() {
    let log = Log::new().group(10, 11).entry(12, 11).zeros(64);
    let ending = ended(&log, None, "@E", false, 10..13);
    assert_eq!(ending.synced_to, Seq(11), "frame 12 says so; of itself nothing is known");
}

#[test]
fn case_b_the_next_segment_supersedes_what_it_begins_with() {
    let log = Log::new().group(10, 14);
    assert_eq!(ended(&log, Some(13), "@B", false, 10..13).at as usize, log.places[3]);
    // Torn bytes, zeros or nothing at the border are no concern either.
    ended(&log.clone().damage(3), Some(13), "@B", false, 10..13);
    ended(&log.lose(3), Some(13), "@B", false, 10..13);
    ended(&Log::new(), Some(10), "@B", false, 10..10);
}

#[test]
fn case_c_a_whole_frame_that_cannot_stand_here_is_refused() {
    let repeated = Log::new().entry(10, 9).entry(10, 9);
    let jumping = Log::new().entry(10, 9).entry(12, 10);
    let falling = Log::new().entry(10, 9).entry(11, 10).entry(12, 8);
    let after_a_seal = Log::new().entry(10, 9).frame(Kind::Seal, 11, 10, &[]).entry(11, 10);
    for (log, index) in [(repeated, 1), (jumping, 1), (falling, 2), (after_a_seal, 2)] {
        let refusal = refused(&log, None);
        assert_eq!((refusal.label, refusal.at as usize), ("@C", log.places[index]));
        assert_eq!(refused(&log, Some(20)).label, "@C");
    }
}

#[test]
fn case_d_a_frame_that_is_gone_before_a_later_segment_is_refused() {
    let log = Log::new().group(10, 14);
    for log in [log.clone().lose(2), log.clone().damage(2)] {
        let refusal = refused(&log, Some(15));
        assert_eq!((refusal.label, refusal.expected), ("@D", Seq(12)));
        assert_eq!(refusal.at as usize, log.places[2]);
    }
    assert_eq!(refused(&log.zeros(64), Some(16)).label, "@D", "the end comes before the next segment begins");
}

#[test]
fn case_e_zeros_or_the_end_of_the_file_end_the_log() {
    for zeros in [0, 1, 31, 32, 33, 500] {
        let ending = ended(&Log::new().group(10, 12).zeros(zeros), None, "@E", false, 10..13);
        assert_eq!(ending.torn_to, ending.at);
        assert!(!ending.sealed);
    }
    ended(&Log::new(), None, "@E", false, 10..10);
    let sealed = Log::new().group(10, 12).frame(Kind::Seal, 13, 12, &[]).zeros(64);
    let ending = ended(&sealed, None, "@E", false, 10..13);
    assert!(ending.sealed);
    assert_eq!(ending.synced_to, Seq(12));
}

#[test]
fn case_f_a_bad_last_frame_is_a_torn_tail() {
    let log = Log::new().group(10, 12).damage(2).zeros(64);
    let ending = ended(&log, None, "@F", true, 10..12);
    assert_eq!(ending.at as usize, log.places[2]);
    assert_eq!(ending.torn_to as usize, log.places[2] + FRAME_HEADER_BYTES + 9);
    // What another segment left in a recycled file ends this one too.
    let mut recycled = Log::new().group(10, 11);
    let old = SegmentHeader { id: 2, ..HEADER };
    let frame = Frame { kind: Kind::Entry, seq: Seq(5), synced_to: Seq(4), payload: b"old" };
    Codec::new(&old).encode(&frame, &mut recycled.bytes).unwrap();
    ended(&recycled, None, "@F", true, 10..12);
}

#[test]
fn case_g_a_lost_first_page_with_bytes_behind_is_a_torn_tail() {
    let log = Log::new().group(10, 13).lose(2).damage(3);
    ended(&log, None, "@G", true, 10..12);
}

#[test]
fn case_h_whole_frames_behind_a_bad_one_are_cut_with_it_if_none_says_it_was_durable() {
    let log = Log::new().group(10, 11).group(12, 15);
    for log in [log.clone().lose(2), log.clone().damage(2), log.damage(2).damage(3)] {
        ended(&log, None, "@H", true, 10..12);
    }
}

#[test]
fn case_i_a_bad_frame_that_a_later_one_calls_durable_is_refused() {
    let log = Log::new().group(10, 12).group(13, 15);
    for log in [log.clone().lose(1), log.clone().damage(1), log.clone().damage(0).damage(3)] {
        let refusal = refused(&log, None);
        assert_eq!(refusal.label, "@I");
        assert!(refusal.to_string().contains("segment 3 is damaged at byte 4"), "{refusal}");
    }
    // A seal is a witness too: after a clean stop even the last group is guarded.
    let sealed = Log::new().group(10, 12).frame(Kind::Seal, 13, 12, &[]).damage(2);
    assert_eq!(refused(&sealed, None).other, Some((sealed.places[3] as u64, Seq(13))));
}

#[test]
fn a_frame_hidden_in_a_payload_is_no_witness_without_the_salt() {
    // Someone who knows ids and sequences, but not the salt, writes a frame into his message.
    let forged = SegmentHeader { salt: 0, ..HEADER };
    let mut text = Vec::new();
    let frame = Frame { kind: Kind::Entry, seq: Seq(40), synced_to: Seq(39), payload: b"" };
    Codec::new(&forged).encode(&frame, &mut text).unwrap();
    let mut log = Log::new().entry(10, 9).frame(Kind::Entry, 11, 10, &text);
    log.bytes[log.places[1] + 16] ^= 1;
    ended(&log, None, "@F", true, 10..11);
}

#[test]
fn a_log_cut_at_any_byte_of_its_last_three_records_keeps_every_whole_one() {
    let log = Log::new().group(10, 16).group(17, 17).entry(18, 17).entry(19, 18);
    let end = log.bytes.len();
    for len in log.places[7]..=end {
        for garbage in [&[][..], &[0; 40], &[0xff; 40]] {
            let mut log = log.clone();
            log.bytes.truncate(len);
            log.bytes.extend_from_slice(garbage);
            let whole = log.places.iter().skip(1).chain([&end]).filter(|&&ends| ends <= len).count() as u64;
            let (kept, _) = verdict(&log, None).unwrap_or_else(|e| panic!("cut at {len}: {e}"));
            // Zeros may complete a frame whose missing bytes were its padding.
            assert!(kept.len() as u64 == whole || (garbage == [0; 40] && kept.len() as u64 == whole + 1));
        }
    }
}

#[test]
fn no_flipped_bit_of_a_ten_record_log_gives_a_wrong_record_and_within_the_durable_part_it_is_refused() {
    let log = Log::new().group(10, 12).group(13, 16).group(17, 19).frame(Kind::Seal, 20, 19, &[]);
    let seal = log.places[10];
    for bit in 0..log.bytes.len() * 8 {
        let mut flipped = log.clone();
        flipped.bytes[bit / 8] ^= 1 << (bit % 8);
        if bit / 8 < SEGMENT_HEADER_BYTES {
            assert!(SegmentHeader::decode(&flipped.bytes).is_err(), "bit {bit} of the header");
            continue;
        }
        // read() asserts that every record that is kept is one that was written.
        match read(&flipped.bytes, None, usize::MAX) {
            Err(refusal) => assert!(bit / 8 < seal && refusal.label == "@I", "bit {bit}: {refusal}"),
            Ok((kept, ending)) => {
                assert!(bit / 8 >= seal, "bit {bit} was not noticed");
                assert_eq!((kept.len(), ending.sealed, ending.cut), (10, false, true));
            }
        }
    }
}

#[test]
fn segments_that_do_not_fit_together_are_refused() {
    let at = |id, first| SegmentHeader { id, salt: 0, first: Seq(first) };
    assert_eq!(plan(&[], Seq(0)), Ok(vec![]));
    assert_eq!(plan(&[at(1, 1), at(2, 5), at(4, 5)], Seq(0)), Ok(vec![Some(Seq(5)), Some(Seq(5)), None]));
    assert_eq!(plan(&[at(7, 50)], Seq(49)), Ok(vec![None]));
    let missing = PlanFlaw::Missing { from: Seq(41), to: Seq(49) };
    assert_eq!(plan(&[at(7, 50)], Seq(40)), Err(missing));
    let wrong = PlanFlaw::OutOfOrder { earlier: 1, later: 2, first: Seq(4) };
    assert_eq!(plan(&[at(1, 5), at(2, 4)], Seq(9)), Err(wrong));
}

proptest! {
    #[test]
    fn any_bytes_behind_a_header_are_judged_without_a_panic_and_alike_in_any_window(
        keep in 0usize..400,
        noise in prop::collection::vec(prop_oneof![Just(0u8), any::<u8>()], 0..300),
        window in 1usize..200,
    ) {
        let mut log = Log::new().group(10, 12).group(13, 15);
        log.bytes.truncate(SEGMENT_HEADER_BYTES + keep);
        log.bytes.extend_from_slice(&noise);
        prop_assert_eq!(read(&log.bytes, None, window), read(&log.bytes, None, usize::MAX));
        prop_assert_eq!(read(&log.bytes, Some(14), window), read(&log.bytes, Some(14), usize::MAX));
    }
}
