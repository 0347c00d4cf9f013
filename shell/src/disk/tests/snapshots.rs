//! Snapshots under kills and power cuts: image and journal together always hold everything.

use super::super::snapshot::{load_newest, prune, write};
use super::*;
use nobat_core::id::Seq;
use nobat_core::journal::snapshot::SnapshotHeader;
use nobat_core::time::UnixMillis;

fn header(covered: usize) -> SnapshotHeader {
    SnapshotHeader { covered: Seq(covered as u64), made: UnixMillis(covered as u64 * 1000) }
}

/// Everything the disk holds, as a start would see it: the image, then the journal. And the journal.
fn everything(disk: &SimDisk) -> Result<(Vec<Vec<u8>>, Journal), DiskError> {
    let mut all: Vec<Vec<u8>> = Vec::new();
    let loaded = load_newest(disk, |block| {
        all.push(block.to_vec());
        Ok(())
    })?;
    let covered = loaded.header.map_or(Seq(0), |header| header.covered);
    assert_eq!(covered.0 as usize, all.len(), "the image is the state at its sequence");
    let options = Options { covered, ..options() };
    let journal = Journal::open_in(Arc::new(disk.clone()), &options, 5, None, |seq, payload| {
        all.push(payload.to_vec());
        assert_eq!(seq.0 as usize, all.len());
        Ok(())
    })?;
    Ok((all, journal))
}

/// Appends, snapshots and prunes until the disk dies; gives what was acknowledged.
fn work(disk: &SimDisk, mut all: Vec<Vec<u8>>, mut journal: Journal) -> Vec<Vec<u8>> {
    for round in 0..4 {
        for _ in 0..6 {
            let payload = entry(all.len() + 1, round);
            if journal.append(&payload).is_err() {
                return all;
            }
            all.push(payload);
        }
        if write(disk, &header(all.len()), &all).and_then(|()| prune(disk)).is_err() {
            return all;
        }
    }
    all
}

#[test]
fn a_kill_at_any_operation_around_snapshots_loses_nothing() {
    for at in 1.. {
        let disk = SimDisk::new(at);
        let (all, journal) = everything(&disk).unwrap();
        disk.set_faults(Faults { dies_at: Some(disk.ops() + at), ..Faults::default() });
        let before = disk.ops();
        let acked = work(&disk, all, journal);
        let finished = disk.ops() < before + at;
        if at % 2 == 0 {
            disk.crash()
        } else {
            disk.restart()
        }
        let (all, journal) = everything(&disk).unwrap_or_else(|e| panic!("killed at {at}: {e}"));
        // One entry may be durable without anyone having been told.
        assert!(all.len() == acked.len() || all.len() == acked.len() + 1, "killed at {at}");
        assert_eq!(all[..acked.len()], acked, "killed at {at}");
        work(&disk, all, journal);
        if finished {
            return;
        }
    }
}

#[test]
fn old_segments_and_snapshots_go_once_two_newer_snapshots_are_there() {
    let disk = SimDisk::new(1);
    let (all, journal) = everything(&disk).unwrap();
    let all = work(&disk, all, journal);
    let names = super::super::io::Directory::list(&disk).unwrap();
    assert_eq!(names.iter().filter(|name| name.ends_with(".snap")).count(), 2, "{names:?}");
    assert!(!names.contains(&"journal-0000000001.seg".to_owned()), "{names:?}");
    assert_eq!(everything(&disk).unwrap().0, all);
}

#[test]
fn a_damaged_newest_snapshot_is_passed_over_and_the_older_one_with_the_journal_holds_everything() {
    let disk = SimDisk::new(1);
    let (all, journal) = everything(&disk).unwrap();
    let all = work(&disk, all, journal);
    let newest = format!("snapshot-{:020}.snap", all.len());
    let mut bytes = disk.content(&newest).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    disk.place(&newest, bytes);
    let loaded = load_newest(&disk, |_| Ok(())).unwrap();
    assert_eq!(loaded.header.unwrap().covered, Seq(all.len() as u64 - 6));
    assert!(loaded.passed_over[0].to_string().contains("checksum"), "{:?}", loaded.passed_over);
    assert_eq!(everything(&disk).unwrap().0, all);
}

#[test]
fn a_snapshot_larger_than_a_window_comes_back_block_by_block() {
    let disk = SimDisk::new(1);
    let blocks: Vec<Vec<u8>> = (0..40u8).map(|n| vec![n; 100_000 + usize::from(n)]).collect();
    write(&disk, &header(40), &blocks).unwrap();
    let mut back = Vec::new();
    load_newest(&disk, |block| {
        back.push(block.to_vec());
        Ok(())
    })
    .unwrap();
    assert!(back == blocks);
    assert!(write(&disk, &header(41), [vec![0; 2 << 20]]).is_err());
    assert_eq!(super::super::io::Directory::list(&disk).unwrap().len(), 1, "the unfinished one is gone");
}
