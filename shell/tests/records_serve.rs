//! Records as an operator meets them: the real binary, its SQLite file, and what a broken one does to the bot.

#[path = "support/served.rs"]
mod served;

use rusqlite::{Connection, OpenFlags};
use served::{Server, nobat};
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

fn users(path: &Path) -> Vec<i64> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY;
    let db = Connection::open_with_flags(path, flags).expect("a database");
    let mut read = db.prepare("SELECT user_id FROM nobat_users ORDER BY user_id").expect("a table");
    let rows = read.query_map([], |row| row.get(0)).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

#[test]
fn who_wrote_is_in_the_file_also_after_a_kill_and_a_stop() {
    let place = tempfile::tempdir().expect("a place");
    let file = place.path().join("data/records.sqlite");
    let server = Server::start(place.path(), &[]);
    for user in 1..=20 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.until_level();
    assert_eq!(users(&file), (1..=20).collect::<Vec<_>>());
    for user in 21..=40 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.kill();
    let server = Server::start(place.path(), &[]);
    server.until_level();
    assert_eq!(users(&file), (1..=40).collect::<Vec<_>>());
    // What comes right before a stop is written by it.
    assert!(server.update(41).starts_with("HTTP/1.1 200"));
    server.stop();
    assert_eq!(users(&file).len(), 41);
}

#[test]
fn a_file_that_cannot_be_written_never_hurts_the_bot_and_is_made_up_for() {
    let place = tempfile::tempdir().expect("a place");
    // The folder that it should lie in is a file, for now.
    let folder = place.path().join("later");
    fs::write(&folder, "").expect("written");
    let file = folder.join("records.sqlite");
    let shown = file.display().to_string();
    let server = Server::start(place.path(), &[("NOBAT_RECORDS_SQLITE_PATH", &shown)]);
    for user in 1..=20 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.until("told", |server| server.metric("nobat_records_failures_total") > 1);
    assert_eq!(server.metric("nobat_records_connected"), 0);
    assert!(server.metric("nobat_records_lag_frames") >= 20);
    let said = server.said();
    assert_eq!(said.matches("records cannot be written").count(), 1, "once a minute: {said}");
    fs::remove_file(&folder).and_then(|()| fs::create_dir(&folder)).expect("a folder");
    server.until_level();
    assert_eq!(users(&file), (1..=20).collect::<Vec<_>>());
    assert!(server.said().contains("records are written again"));
}

#[test]
fn switched_off_there_is_no_file() {
    let place = tempfile::tempdir().expect("a place");
    let server = Server::start(place.path(), &[("NOBAT_RECORDS_STORE", "off")]);
    assert!(server.update(1).starts_with("HTTP/1.1 200"));
    server.stop();
    assert!(!place.path().join("data/records.sqlite").exists());
}

#[test]
fn a_full_disk_of_the_records_alone_is_told_and_the_bot_goes_on() {
    let place = tempfile::tempdir().expect("a place");
    let small = place.path().join("small");
    fs::create_dir(&small).expect("a folder");
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=128k", "tmpfs"])
        .arg(&small)
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        let _ = writeln!(std::io::stderr(), "******** SKIPPED: no right to mount a tmpfs");
        return;
    }
    let unmount = || Command::new("umount").arg(&small).status();
    let shown = small.join("records.sqlite").display().to_string();
    let server = Server::start(place.path(), &[("NOBAT_RECORDS_SQLITE_PATH", &shown)]);
    for user in 1..=1500 {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
    server.until("told", |server| server.said().contains("database or disk is full"));
    assert!(server.update(1501).starts_with("HTTP/1.1 200"));
    let grown = Command::new("mount").args(["-o", "remount,size=16m"]).arg(&small).status();
    assert!(grown.expect("mount runs").success());
    server.until("level", |server| {
        server.metric("nobat_records_connected") == 1 && server.metric("nobat_records_lag_frames") == 0
    });
    assert_eq!(users(&small.join("records.sqlite")).len(), 1501);
    server.stop();
    let _ = unmount();
}

/// What the command says, and its status.
fn exported(place: &Path, args: &[&str]) -> (String, String, i32) {
    let words: Vec<_> = ["export"].iter().chain(args).copied().collect();
    let ended = nobat(place, &words).output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (text(ended.stdout), text(ended.stderr), ended.status.code().expect("no signal"))
}

#[test]
fn a_table_is_exported_while_the_bot_runs_and_from_the_journal_alone() {
    let place = tempfile::tempdir().expect("a place");
    let server = Server::start(place.path(), &[]);
    for user in 1..=5 {
        assert!(server.pays(user, user, &format!("=charge/{user}")).starts_with("HTTP/1.1 200"));
    }
    server.until_level();
    let (csv, _, status) = exported(place.path(), &["payments"]);
    assert_eq!((status, csv.lines().count()), (0, 6));
    assert!(csv.starts_with("kind,charge,user_id,bot_id,stars,gave,amount,paid_at,refunded,refunded_at\n"));
    assert!(csv.contains("chat,'=charge/3,3,1000001,300,vip_days,30,2"), "{csv}");
    let (same, _, _) = exported(place.path(), &["payments", "--from-journal"]);
    assert_eq!(same, csv, "there was no snapshot yet, so the journal says as much");
    let (json, _, _) = exported(place.path(), &["subscriptions", "--format", "jsonl"]);
    let first: serde_json::Value = serde_json::from_str(json.lines().next().expect("a line")).expect("JSON");
    assert_eq!((first["plan"].as_str(), first["status"].as_str()), (Some("vip"), Some("active")));
    let (none, _, _) = exported(place.path(), &["users", "--since", "2999-01-01"]);
    assert_eq!(none.lines().count(), 1);

    let file = place.path().join("users.csv");
    let (out, says, _) = exported(place.path(), &["users", "--to", "users.csv"]);
    assert!(out.is_empty() && says.contains("users.csv: 5 rows"), "{says}");
    use std::os::unix::fs::PermissionsExt as _;
    assert_eq!(fs::metadata(&file).expect("a file").permissions().mode() & 0o777, 0o600);
    drop(server);
    assert_eq!(exported(place.path(), &["users"]).0.lines().count(), 6, "and when it does not run");
}

#[test]
fn an_export_that_cannot_be_says_what_to_do() {
    let place = tempfile::tempdir().expect("a place");
    let (_, says, status) = exported(place.path(), &["people"]);
    assert!(
        status == 2
            && says
                .contains("one of users, payments, subscriptions, referrals, registrations, quotas, audit"),
        "{says}"
    );
    let (_, says, status) = exported(place.path(), &["users"]);
    assert!(status == 1 && says.contains("`--from-journal` reads the journal instead"), "{says}");
    let (_, says, status) = exported(place.path(), &["users", "--since", "yesterday"]);
    assert!(status == 2 && says.contains("write 2026-11-01"), "{says}");
    let (_, says, status) = exported(place.path(), &["users", "--from-journal"]);
    assert!(status == 74 && says.contains("data"), "{says}");
}
