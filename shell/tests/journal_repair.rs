//! `nobat journal repair`: what can be salvaged is, what cannot is said, and the damaged journal stays as it is.

use nobat::disk::io::FsDirectory;
use nobat::disk::{Journal, Options, repair, snapshot};
use nobat_core::id::Seq;
use nobat_core::journal::frame::{FRAME_HEADER_BYTES, SEGMENT_HEADER_BYTES, frame_bytes};
use nobat_core::journal::snapshot::SnapshotHeader;
use nobat_core::time::UnixMillis;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const FIRST: &str = "journal-0000000001.seg";
const ENTRIES: usize = 6;

fn payload(seq: usize) -> Vec<u8> {
    format!("entry {seq}").into_bytes()
}

fn options(dir: &Path, covered: u64) -> Options {
    Options { covered: Seq(covered), segment_bytes: 8 << 10, spare_ahead: false, ..Options::new(dir) }
}

fn entries(dir: &Path, covered: u64) -> Result<Vec<u64>, String> {
    let mut seen = Vec::new();
    let opened = Journal::open(&options(dir, covered), |seq, bytes| {
        assert_eq!(bytes, payload(seq.0 as usize));
        seen.push(seq.0);
        Ok(())
    });
    opened.map(|_| seen).map_err(|e| e.to_string())
}

/// A journal whose entries are each a commit of their own, its writer killed.
fn killed(dir: &Path) {
    let mut journal = Journal::open(&options(dir, 0), |_, _| Ok(())).unwrap();
    for seq in 1..=ENTRIES {
        journal.append(&payload(seq)).unwrap();
    }
}

fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| {
        let entry = entry.unwrap();
        (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
    });
    entries.collect()
}

/// Flips a bit within the payload of an entry.
fn damage(dir: &Path, seq: usize) {
    let path = dir.join(FIRST);
    let mut bytes = fs::read(&path).unwrap();
    let place = SEGMENT_HEADER_BYTES + (seq - 1) * frame_bytes(payload(1).len());
    bytes[place + FRAME_HEADER_BYTES] ^= 1;
    fs::write(path, bytes).unwrap();
}

#[test]
fn what_stands_before_the_damage_is_salvaged_and_the_rest_is_said_to_be_lost() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    killed(from.path());
    damage(from.path(), 4);
    let before = files(from.path());
    assert!(
        entries(from.path(), 0).is_err_and(|e| e.contains("repair")),
        "the start refuses and says what helps"
    );
    let repaired = repair::repair(from.path(), to.path()).unwrap();
    assert_eq!((repaired.copied, repaired.last, repaired.seen), (3, Seq(3), Seq(6)));
    assert!(repaired.to_string().contains("LOST: frames 4 to 6"), "{repaired}");
    assert!(repaired.damage[0].contains("frame 5 stands at byte"), "{:?}", repaired.damage);
    assert_eq!(entries(to.path(), 0), Ok(vec![1, 2, 3]));
    // The lock file was made by the start that refused; nothing else may differ.
    assert_eq!(files(from.path()), before, "the damaged journal stays as it is");
}

#[test]
fn damage_that_a_snapshot_covers_costs_nothing() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    killed(from.path());
    damage(from.path(), 2);
    let header = SnapshotHeader { covered: Seq(4), made: UnixMillis(1) };
    snapshot::write(&FsDirectory::new(from.path()), &header, [b"an image"]).unwrap();
    let repaired = repair::repair(from.path(), to.path()).unwrap();
    assert_eq!((repaired.covered, repaired.copied, repaired.last), (Seq(4), 2, Seq(6)));
    assert!(!repaired.to_string().contains("LOST"), "{repaired}");
    assert_eq!(entries(to.path(), 4), Ok(vec![5, 6]));
    let mut image = Vec::new();
    snapshot::load_newest(&FsDirectory::new(to.path()), |block| {
        image.push(block.to_vec());
        Ok(())
    })
    .unwrap();
    assert_eq!(image, [b"an image"]);
}

#[test]
fn a_sound_journal_is_copied_whole_and_a_used_directory_is_not_written_to() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    killed(from.path());
    let repaired = repair::repair(from.path(), to.path()).unwrap();
    assert_eq!((repaired.copied, repaired.damage.len()), (6, 0));
    assert_eq!(entries(to.path(), 0), Ok(vec![1, 2, 3, 4, 5, 6]));
    let refused = repair::repair(from.path(), to.path()).unwrap_err().to_string();
    assert!(refused.contains("not empty"), "{refused}");
}

#[test]
fn without_a_first_segment_and_a_snapshot_there_is_nothing_to_repair() {
    let (from, to) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    killed(from.path());
    let mut bytes = fs::read(from.path().join(FIRST)).unwrap();
    bytes[20] ^= 1;
    fs::write(from.path().join(FIRST), bytes).unwrap();
    let refused = repair::repair(from.path(), to.path()).unwrap_err().to_string();
    assert!(refused.contains("nothing can be repaired"), "{refused}");
}
