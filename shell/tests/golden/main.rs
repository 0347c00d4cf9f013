//! Data directories as earlier versions wrote them, opened by this one: by the real recovery, by what users
//! then do, and by `nobat journal verify` and `nobat snapshot inspect`.
//!
//! `NOBAT_WRITE_GOLDEN=VERSION cargo test -p nobat --test golden` writes those of this version, once;
//! docs/format.md has the rule.

mod past;

use past::{Life, at_work, kinds, write};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/golden")
}

/// Each version's directory, the oldest first.
fn versions() -> Vec<PathBuf> {
    let entries = fs::read_dir(root()).expect("testdata/golden").flatten();
    let mut versions: Vec<_> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    versions.sort();
    assert!(!versions.is_empty(), "there is at least one");
    versions
}

/// Opening begins a segment, so it is done on a copy.
fn copy(of: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(of).unwrap().flatten() {
        fs::copy(entry.path(), dir.path().join(entry.file_name())).unwrap();
    }
    dir
}

#[test]
fn this_version_writes_its_own_once() {
    let Some(version) = std::env::var_os("NOBAT_WRITE_GOLDEN") else { return };
    let to = root().join(version);
    assert!(!to.exists(), "{} is there: what a version wrote is never written again", to.display());
    for kind in ["results", "chat"] {
        write(kind, &to.join(kind));
    }
}

#[test]
fn the_results_of_every_version_come_back_and_go_on() {
    for version in versions() {
        let dir = copy(&version.join("results"));
        let mut life = Life::begin("results", dir.path());
        assert!(life.snapshot, "{}: it begins with a snapshot", version.display());
        assert_eq!((life.engine.users(), life.engine.pending()), (6, 5), "{}", version.display());
        // What was answered is known; what is new is answered.
        let before = life.frames();
        for (update, user) in (1..).zip(at_work::RESULTS_USERS) {
            life.asks_again(update, user);
        }
        assert_eq!(life.frames(), before, "{}: every update was seen before", version.display());
        life.says(9, "/start");
        assert_eq!((life.engine.users(), life.engine.pending()), (7, 5));
    }
}

#[test]
fn the_chat_of_every_version_comes_back_with_its_pairs_its_money_and_its_line() {
    for version in versions() {
        let dir = copy(&version.join("chat"));
        let mut life = Life::begin("chat", dir.path());
        assert!(life.snapshot, "{}: it begins with a snapshot", version.display());
        // 1 and 2 talk.
        life.says(1, "are you there?");
        assert_eq!(life.heard(2).last().map(String::as_str), Some("are you there?"), "{}", version.display());
        // The payment of 3 is booked; its news again gives nothing, another one adds to it.
        let heard = life.heard(3).len();
        life.pays(3, "charge-1");
        assert_eq!(life.heard(3).len(), heard, "{}: booked twice", version.display());
        life.pays(3, "charge-2");
        assert!(life.heard(3).last().is_some_and(|text| text.contains("\u{2068}10\u{2069}")), "5 and 5");
        // 4 still stands in line, before who comes now.
        life.joins(8);
        life.says(8, "/find");
        assert!(life.heard(4).last().is_some_and(|text| text.contains("You have a partner")));
        // 5 has blocked 6: they never meet.
        life.says(6, "/find");
        life.says(5, "/find");
        assert!(!life.heard(5).last().is_some_and(|text| text.contains("You have a partner")));
    }
}

#[test]
fn the_tools_find_every_version_whole() {
    for version in versions() {
        for kind in ["results", "chat"] {
            let dir = copy(&version.join(kind));
            for command in [["journal", "verify"], ["journal", "dump"], ["snapshot", "inspect"]] {
                let mut nobat = Command::new(env!("CARGO_BIN_EXE_nobat"));
                nobat.args(command).env_clear().env("NOBAT_DATA_DIR", dir.path()).current_dir(dir.path());
                let out = nobat.output().unwrap();
                let said = String::from_utf8_lossy(&out.stdout).into_owned();
                let why = String::from_utf8_lossy(&out.stderr).into_owned();
                assert!(out.status.success(), "{command:?} {}: {said} {why}", version.display());
                assert!(!said.contains("torn") && !said.contains("DAMAGED"), "{said}");
            }
        }
    }
}

#[test]
fn one_flipped_bit_of_a_snapshot_or_a_promised_frame_is_noticed() {
    let version = versions().remove(0);
    let dir = copy(&version.join("chat"));
    let names: Vec<_> = fs::read_dir(dir.path()).unwrap().flatten().map(|entry| entry.path()).collect();
    let snapshot = names.iter().find(|name| name.extension().is_some_and(|e| e == "snap")).expect("one");
    let mut bytes = fs::read(snapshot).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(snapshot, bytes).unwrap();
    assert!(
        Life::try_begin(kinds("chat"), dir.path()).is_ok_and(|life| !life.snapshot),
        "the journal has it all"
    );
    let dir = copy(&version.join("chat"));
    let first = dir.path().join("journal-0000000001.seg");
    let mut bytes = fs::read(&first).unwrap();
    bytes[4096 + 40] ^= 1;
    fs::write(&first, bytes).unwrap();
    // With a snapshot that covers it nobody needs that frame, and it is refused all the same: a disk that
    // changes one bit changes others.
    assert!(Life::try_begin(kinds("chat"), dir.path()).is_err());
}
