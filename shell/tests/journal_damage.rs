//! Damage on real files: what may be cut is cut and kept aside, what was promised is refused with its place,
//! and looking never changes anything.

use nobat::disk::{DiskError, Journal, Options, inspect};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{FRAME_HEADER_BYTES, HeaderFlaw, SEGMENT_HEADER_BYTES, frame_bytes};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const LAST: &str = "journal-0000000001.seg";
const ENTRIES: usize = 6;

fn options(dir: &Path) -> Options {
    Options { segment_bytes: 8 << 10, spare_ahead: false, ..Options::new(dir) }
}

fn payload(seq: usize) -> Vec<u8> {
    format!("entry {seq}").into_bytes()
}

fn open(dir: &Path) -> Result<(Journal, usize), DiskError> {
    let mut count = 0;
    let journal = Journal::open(&options(dir), |seq, bytes| {
        count += 1;
        assert_eq!((seq.0 as usize, bytes), (count, payload(count).as_slice()));
        Ok(())
    })?;
    Ok((journal, count))
}

/// A journal of [`ENTRIES`] entries, each its own commit, whose writer was killed: no seal.
fn killed(dir: &Path) {
    let (mut journal, _) = open(dir).unwrap();
    for seq in 1..=ENTRIES {
        journal.append(&payload(seq)).unwrap();
    }
}

/// Every file of the directory, the lock left out.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    });
    entries.filter(|(name, _)| name != "lock").collect()
}

/// Where entry `index` (from 0) begins.
fn place(index: usize) -> usize {
    SEGMENT_HEADER_BYTES + index * frame_bytes(payload(1).len())
}

#[test]
fn a_file_cut_at_any_byte_of_its_last_three_records_starts_with_every_whole_one() {
    let origin = tempfile::tempdir().unwrap();
    killed(origin.path());
    let bytes = fs::read(origin.path().join(LAST)).unwrap();
    for len in place(ENTRIES - 3)..=place(ENTRIES) {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(LAST), &bytes[..len]).unwrap();
        let (mut journal, count) = open(dir.path()).unwrap();
        let whole = (len - SEGMENT_HEADER_BYTES) / frame_bytes(payload(1).len());
        assert_eq!(count, whole, "cut at {len}");
        let torn = &bytes[place(whole)..len];
        match &journal.recovered().cut {
            Some(cut) => {
                assert_eq!((cut.file.as_str(), cut.at as usize), (LAST, place(whole)));
                let kept = fs::read(dir.path().join(&cut.kept_as)).unwrap();
                assert!(torn.starts_with(&kept) && torn[kept.len()..].iter().all(|&b| b == 0));
            }
            None => assert!(torn.iter().all(|&b| b == 0), "cut at {len}"),
        }
        // And it goes on from there; a few places are enough for that.
        if len % 8 != 0 {
            continue;
        }
        assert_eq!(journal.append(&payload(whole + 1)).unwrap(), Seq(whole as u64 + 1));
        drop(journal);
        assert_eq!(open(dir.path()).unwrap().1, whole + 1);
    }
}

#[test]
fn damage_within_the_durable_part_is_refused_with_its_place_and_nothing_is_touched() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path());
    let path = dir.path().join(LAST);
    let mut bytes = fs::read(&path).unwrap();
    bytes[place(2) + FRAME_HEADER_BYTES] ^= 4;
    fs::write(&path, &bytes).unwrap();
    let before = files(dir.path());
    let errors = [open(dir.path()).err().unwrap(), inspect::verify(dir.path(), Seq(0)).err().unwrap()];
    for error in errors {
        let DiskError::Damaged { file, refusal } = &error else { panic!("{error}") };
        assert_eq!((file.as_str(), refusal.at as usize, refusal.expected), (LAST, place(2), Seq(3)));
        assert_eq!(refusal.other, Some((place(3) as u64, Seq(4))), "the witness");
        assert!(error.to_string().contains("the checksum does not fit"), "{error}");
    }
    let mut dumped = Vec::new();
    assert!(inspect::dump(dir.path(), Seq(0), &mut dumped).is_err());
    assert_eq!(String::from_utf8(dumped).unwrap().lines().count(), 2, "what is before the damage");
    assert_eq!(files(dir.path()), before);
}

#[test]
fn a_missing_segment_a_strange_file_and_a_newer_format_are_each_named() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path());
    let (mut journal, _) = open(dir.path()).unwrap();
    for seq in ENTRIES + 1..ENTRIES + 4 {
        journal.append(&payload(seq)).unwrap();
    }
    drop(journal);
    let (first, second) = (dir.path().join(LAST), dir.path().join("journal-0000000002.seg"));
    let (one, two) = (fs::read(&first).unwrap(), fs::read(&second).unwrap());

    fs::remove_file(&first).unwrap();
    let error = open(dir.path()).err().unwrap();
    assert!(error.to_string().contains("frames 1 to"), "{error}");
    fs::write(&first, b"not a segment").unwrap();
    let error = open(dir.path()).err().unwrap();
    assert!(matches!(error, DiskError::Header { flaw: HeaderFlaw::CutShort, .. }), "{error}");
    fs::write(&first, [b'x'; SEGMENT_HEADER_BYTES]).unwrap();
    let error = open(dir.path()).err().unwrap();
    assert!(matches!(error, DiskError::Header { flaw: HeaderFlaw::NoMagic, .. }), "{error}");
    fs::write(&first, &two).unwrap();
    let error = open(dir.path()).err().unwrap();
    assert!(error.to_string().contains("renamed by hand"), "{error}");

    fs::write(&first, &one).unwrap();
    assert_eq!(open(dir.path()).unwrap().1, ENTRIES + 3, "put back, it is whole again");
}

#[test]
fn verify_and_dump_show_a_torn_tail_and_leave_it() {
    let dir = tempfile::tempdir().unwrap();
    killed(dir.path());
    let path = dir.path().join(LAST);
    let mut bytes = fs::read(&path).unwrap();
    bytes[place(ENTRIES)..][..3].copy_from_slice(b"\x07xy");
    fs::write(&path, &bytes).unwrap();
    let before = files(dir.path());
    let reports = inspect::verify(dir.path(), Seq(0)).unwrap();
    assert_eq!(reports.len(), 1);
    let report = &reports[0];
    assert_eq!(
        (report.entries as usize, report.ends_at as usize, report.behind),
        (ENTRIES, place(ENTRIES), 3)
    );
    assert!(report.torn && !report.sealed);
    assert!(report.to_string().ends_with("torn tail of 3 bytes, which the next start will cut"), "{report}");
    let mut dumped = Vec::new();
    assert_eq!(inspect::dump(dir.path(), Seq(0), &mut dumped).unwrap(), reports);
    let dumped = String::from_utf8(dumped).unwrap();
    assert_eq!(dumped.lines().next(), Some(format!("{LAST} 4096 1 0 Entry 7 entry 1").as_str()));
    assert_eq!(dumped.lines().count(), ENTRIES);
    assert_eq!(files(dir.path()), before);
}
