//! Backups of the real binary under load, and what becomes of them elsewhere.

#[path = "support/ear.rs"]
mod ear;
#[path = "support/served.rs"]
mod served;

use nobat::backup::manifest::{self, Manifest};
use nobat_core::time::UnixMillis;
use served::{Server, nobat};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};

/// Each so-manieth user pays instead.
const PAYS: u64 = 7;

/// Small segments, so that snapshots are made and old segments go while it is copied.
const BUSY: &[(&str, &str)] =
    &[("NOBAT_JOURNAL_SEGMENT_KB", "16"), ("NOBAT_JOURNAL_SNAPSHOT_EVERY_KB", "16")];

fn run(place: &Path, args: &[&str]) -> (i32, String) {
    let Output { status, stdout, stderr } = nobat(place, args).output().expect("it runs");
    let text = [stdout, stderr].concat();
    (status.code().expect("no signal"), String::from_utf8(text).expect("UTF-8"))
}

fn backups(to: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> =
        fs::read_dir(to).into_iter().flatten().map(|entry| entry.expect("an entry").path()).collect();
    found.sort();
    found
}

/// The users in a table of a data directory, as its journal tells them.
fn users(place: &Path, table: &str) -> Vec<u64> {
    let out = nobat(place, &["export", table, "--from-journal"]).output().expect("it runs");
    let csv = String::from_utf8(out.stdout).expect("UTF-8");
    let at = csv.lines().next().and_then(|names| names.split(',').position(|name| name == "user_id"));
    let at = at.expect("a column");
    let mut users: Vec<u64> = csv
        .lines()
        .skip(1)
        .map(|line| line.split(',').nth(at).expect("an id").parse().expect("an id"))
        .collect();
    users.sort_unstable();
    users
}

#[test]
fn what_was_answered_before_a_backup_under_load_is_in_it_on_another_machine() {
    let first = tempfile::tempdir().expect("a place");
    let to = tempfile::tempdir().expect("a place");
    let folder = to.path().display().to_string();
    let server = Server::start(first.path(), BUSY);
    let (stop, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    // By backup: the last user that was answered before it began, and the last that had written when it ended.
    let mut around = Vec::new();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            for user in 1.. {
                if stop.load(SeqCst) {
                    return;
                }
                let answer = match user % PAYS {
                    0 => server.pays(user, user, &format!("charge-{user}")),
                    _ => server.update(user),
                };
                assert!(answer.starts_with("HTTP/1.1 200"));
                answered.store(user, SeqCst);
            }
        });
        while around.len() < 4 {
            server.until("busy", |_| answered.load(SeqCst) >= 300 * (around.len() as u64 + 1));
            let before = answered.load(SeqCst);
            let (status, says) = run(first.path(), &["backup", "--to", &folder]);
            assert_eq!(status, 0, "{says}");
            around.push((before, answered.load(SeqCst) + 1));
        }
        stop.store(true, SeqCst);
    });
    assert!(server.metric("nobat_snapshots_total") > 0, "snapshots were made meanwhile");
    server.kill();
    drop(first);

    let made = backups(to.path());
    assert_eq!(made.len(), around.len(), "nothing unfinished is left: {made:?}");
    for (backup, (before, after)) in made.iter().zip(around) {
        let other = tempfile::tempdir().expect("a place");
        let (status, says) = run(other.path(), &["restore", "--from", &backup.display().to_string()]);
        assert!(status == 0 && says.contains("opened: "), "{says}");
        let everybody = users(other.path(), "users");
        let last = everybody.len() as u64;
        assert_eq!(everybody, (1..=last).collect::<Vec<_>>(), "a prefix of what was done, without a hole");
        assert!((before..=after).contains(&last), "{before} were answered before it, {last} are in it");
        let payers: Vec<_> = (1..=last).filter(|user| user % PAYS == 0).collect();
        assert_eq!(users(other.path(), "payments"), payers);
        // It goes on from there: what it knows is known, what came later is taken again.
        let server = Server::start(other.path(), &[]);
        assert!(server.update(1).starts_with("HTTP/1.1 200"));
        assert_eq!(server.metric("nobat_updates_duplicate_total"), 1);
        assert!(server.update(last + 1).starts_with("HTTP/1.1 200"));
        server.until_level();
        server.stop();
    }
}

#[test]
fn a_backup_that_is_not_whole_is_told_and_not_restored() {
    let place = tempfile::tempdir().expect("a place");
    let server = Server::start(place.path(), &[]);
    for user in 1..=50 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.until_level();
    let (status, says) = run(place.path(), &["backup", "--to", "kept"]);
    assert_eq!(status, 0, "{says}");
    server.kill();
    let backup = backups(&place.path().join("kept")).remove(0);
    let shown = backup.display().to_string();
    assert_eq!(run(place.path(), &["backup", "--check", &shown]).0, 0);
    // Its folder is not it; and a directory that is in use is nobody's target.
    let (status, says) = run(place.path(), &["restore", "--from", "kept", "--data-dir", "new"]);
    assert!(
        status == 1
            && says.contains(&format!("did you mean kept/{}", backup.file_name().expect("a name").display())),
        "{says}"
    );
    let (status, says) = run(place.path(), &["restore", "--from", &shown]);
    assert!(status == 2 && says.contains("data is not empty"), "{says}");

    for file in backups(&backup) {
        let whole = fs::read(&file).expect("read");
        let mut damaged = whole.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 1;
        fs::write(&file, &damaged).expect("written");
        for args in [&["backup", "--check", &shown][..], &["restore", "--from", &shown, "--data-dir", "new"]]
        {
            let (status, says) = run(place.path(), args);
            assert!(status == 1 && says.contains("no backup that can be used"), "{}: {says}", file.display());
        }
        assert!(!place.path().join("new").exists() && !place.path().join("new.tmp").exists());
        fs::write(&file, &whole).expect("written");
    }
    assert_eq!(run(place.path(), &["restore", "--from", &shown, "--data-dir", "new"]).0, 0);
    // The records came along, dates and all.
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = rusqlite::Connection::open_with_flags(place.path().join("new/records.sqlite"), flags);
    let sql = "SELECT count(*) FROM nobat_users WHERE first_seen IS NOT NULL";
    let dated: i64 = db.and_then(|db| db.query_row(sql, [], |row| row.get(0))).expect("a count");
    assert_eq!(dated, 50);
}

#[test]
fn a_process_backs_itself_up_keeps_the_newest_and_says_when_it_cannot() {
    let place = tempfile::tempdir().expect("a place");
    // The folder that they should go into is a file, for now.
    let kept = place.path().join("kept");
    fs::write(&kept, "").expect("written");
    let env = [("NOBAT_BACKUP_EVERY_HOURS", "1"), ("NOBAT_BACKUP_TO", "kept"), ("NOBAT_BACKUP_KEEP", "2")];
    let server = Server::start(place.path(), &env);
    server.until("told", |server| server.metric("nobat_backup_failures_total") >= 1);
    assert!(server.said().contains("NO BACKUP was made: cannot make kept"), "{}", server.said());
    server.stop();
    fs::remove_file(&kept).expect("removed");
    // Three older ones, of which two must go.
    for _ in 0..3 {
        let (status, says) = run(place.path(), &["backup", "--to", "old"]);
        assert_eq!(status, 0, "{says}");
    }
    let server = Server::start(place.path(), &env);
    server.until("made", |server| server.metric("nobat_backups_total") == 1);
    assert!(server.metric("nobat_backup_timestamp_seconds") > 1_700_000_000);
    server.stop();
    assert_eq!(backups(&kept).len(), 1);
    for old in backups(&place.path().join("old")) {
        fs::rename(&old, kept.join(old.file_name().expect("a name"))).expect("moved");
    }
    let newest = backups(&kept).pop().expect("one");
    // A restart makes none while the newest is young.
    let server = Server::start(place.path(), &env);
    server.until("known", |server| server.metric("nobat_backup_timestamp_seconds") > 0);
    assert_eq!(server.metric("nobat_backups_total"), 0);
    server.stop();
    // And one that is too old is followed by another, behind which all but two go.
    for path in backups(&kept) {
        let text = fs::read_to_string(path.join(manifest::FILE)).expect("read");
        let old =
            Manifest { made: UnixMillis(1_577_836_800_000), ..Manifest::read(&text).expect("a manifest") };
        fs::write(path.join(manifest::FILE), old.to_text()).expect("written");
    }
    let server = Server::start(place.path(), &env);
    server.until("made", |server| server.metric("nobat_backups_total") == 1);
    server.until("tidied", |_| backups(&kept).len() == 2);
    assert!(backups(&kept)[1] > newest);
    server.stop();
}

#[test]
fn backup_restore_and_export_need_no_token_and_no_key() {
    let first = tempfile::tempdir().expect("a place");
    let server = Server::start(first.path(), &[]);
    assert!(server.pays(1, 7, "charge-1").starts_with("HTTP/1.1 200"));
    assert!(server.update(8).starts_with("HTTP/1.1 200"));
    server.until_level();
    server.kill();
    let without = |place: &Path, args: &[&str], env: &[(&str, &str)]| {
        let mut command = nobat(place, args);
        command.env_remove("BOT_TOKENS").envs(env.iter().copied());
        let Output { status, stdout, stderr } = command.output().expect("it runs");
        (status.code().expect("no signal"), String::from_utf8([stdout, stderr].concat()).expect("UTF-8"))
    };
    let chat = [("NOBAT_KIND", "chat")];
    // Sealed, and its key is on another machine.
    let sealed = [("BOT_TOKENS", "secret:lane0")];
    for (name, env) in [("chat", &chat), ("sealed", &sealed)] {
        let (status, says) = without(first.path(), &["backup", "--to", name], env);
        assert!(status == 0 && says.contains("opened: 2 users"), "{says}");
        let backup = backups(&first.path().join(name)).remove(0).display().to_string();
        let other = tempfile::tempdir().expect("a place");
        let (status, says) = without(other.path(), &["restore", "--from", &backup], env);
        assert!(status == 0 && says.contains("opened: 2 users"), "{says}");
        for args in [&["export", "payments"][..], &["export", "payments", "--from-journal"]] {
            let (status, says) = without(other.path(), args, env);
            assert!(status == 0 && says.contains("chat,charge-1,7,"), "{args:?}: {says}");
        }
        let (status, says) = without(other.path(), &["backup", "--check", &backup], env);
        assert_eq!(status, 0, "{says}");
    }
    let (status, says) = without(first.path(), &["backup", "--to", "kept"], &[]);
    assert!(status == 2 && says.contains("set NOBAT_KIND to one of"), "{says}");
}

#[test]
fn administrators_are_told_once_that_backups_fail_and_once_that_one_was_made_again() {
    const ADMINS: [u64; 2] = [77, 78];
    let place = tempfile::tempdir().expect("a place");
    let (kept, ear) = (place.path().join("kept"), ear::Ear::open());
    fs::write(&kept, "").expect("written");
    let root = ear.root();
    let env = [
        ("NOBAT_BACKUP_EVERY_HOURS", "1"),
        ("NOBAT_BACKUP_TO", "kept"),
        ("NOBAT_ADMIN_USER_IDS", "77,78"),
        ("TELEGRAM_API_ROOT", root.as_str()),
    ];
    let server = Server::start(place.path(), &env);
    for admin in ADMINS {
        server.until("told of the failure", |_| ear.told(admin).len() == 1);
        assert!(ear.told(admin)[0].contains("NO BACKUP was made: cannot make kept"), "{:?}", ear.told(admin));
    }
    // It fails again, and that is no news.
    server.until("failed again", |server| server.metric("nobat_backup_failures_total") >= 2);
    fs::remove_file(&kept).expect("removed");
    for admin in ADMINS {
        server.until("told of the end", |_| ear.told(admin).len() == 2);
        assert!(ear.told(admin)[1].contains("a backup was made"), "{:?}", ear.told(admin));
    }
    assert_eq!(server.metric("nobat_backups_total"), 1);
    assert_eq!(server.metric("nobat_alerts_total"), 2);
    server.stop();
    // Of alerts nothing is journaled, and the administrators are no users of the bot.
    assert_eq!(users(place.path(), "users"), [0; 0]);
}

#[test]
fn without_a_place_to_go_it_says_so() {
    let place = tempfile::tempdir().expect("a place");
    let (status, says) = run(place.path(), &["backup"]);
    assert!(status == 2 && says.contains("--to DIR, or backup.to"), "{says}");
    let (status, says) = run(place.path(), &["backup", "--to", "x"]);
    assert!(status == 74 && says.contains("data"), "{says}");
    assert!(backups(&place.path().join("x")).is_empty());
}
