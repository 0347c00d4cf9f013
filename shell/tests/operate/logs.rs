//! `log.dir`: files, rotation, a disk that takes nothing, what took long, internal errors.

use crate::load::{Load, missing, update};
use crate::platform::Platform;
use crate::process::{Place, request, wait_for};
use std::fs;

fn read(place: &Place, name: &str) -> String {
    fs::read_to_string(place.path("logs").join(name)).unwrap_or_default()
}

fn deliver(place: &Place, n: u64) {
    let bytes = update(n).replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
    assert_eq!(request(place.listen, &bytes).map(|(status, _)| status), Some(200));
}

#[test]
fn files_hold_their_subjects_lines_and_are_opened_anew_when_moved() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    place.configure("[log]\ndir = \"logs\"\n");
    let process = place.serve();
    deliver(&place, 1);
    wait_for("a line", || read(&place, "combined.log").contains("Update from user 500001"));
    assert!(read(&place, "error.log").contains("WARN  no data set"));
    assert!(!read(&place, "error.log").contains("INFO"));
    place.ctl(&["pause", "0"]);
    wait_for("a line", || read(&place, "admin.log").contains("asked by `nobat ctl` what=\"pause 0\""));

    // As logrotate does.
    fs::rename(place.path("logs").join("combined.log"), place.path("logs").join("old")).expect("moved");
    process.signal("USR1");
    wait_for("a new file", || read(&place, "combined.log").contains("opened anew"));
    let old = read(&place, "old");
    process.stop();
    assert_eq!(read(&place, "old"), old, "nothing more is written there");
    assert!(read(&place, "combined.log").contains("stopped pending=0"), "the last line is there");
}

#[test]
fn a_full_disk_under_the_log_does_not_touch_the_bot() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    place.configure("[log]\ndir = \"logs\"\n");
    fs::create_dir(place.path("logs")).expect("made");
    for name in ["combined.log", "error.log"] {
        std::os::unix::fs::symlink("/dev/full", place.path("logs").join(name)).expect("linked");
    }
    let process = place.serve();
    let load = Load::start(place.listen, 4);
    wait_for("updates are taken", || load.taken() >= 200);
    let (updates, _) = load.finish();
    wait_for("every user is answered", || missing(updates, &platform).is_empty());
    wait_for("it is counted", || {
        let dump = place.ctl(&["dump"]);
        let line = dump.lines().find(|line| line.starts_with("nobat_log_file_lines_dropped_total "));
        line.and_then(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).is_some_and(|lost| lost > 0)
    });
    process.stop();
}

#[test]
fn what_takes_long_is_told_with_its_stages() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    place.configure("[log]\ndir = \"logs\"\nslow_ms = 200\n");
    let process = place.serve();
    deliver(&place, 1);
    // Heard, and not only counted there: the platform may not have written its answer yet.
    wait_for("its answer is heard", || place.ask(&["ctl", "status"]).1.contains("1 accepted"));
    platform.be_slow();
    deliver(&place, 2);
    wait_for("a line", || {
        read(&place, "performance.log").contains("slow answer user=500002 lane=0 queue_ms=")
    });
    let line = read(&place, "performance.log");
    assert!(!line.contains("user=500001"), "{line}");
    let platform_ms = line.split("platform_ms=").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
    assert!(platform_ms.is_some_and(|ms: u64| ms >= 250), "{line}");
    process.stop();
}

#[test]
fn an_error_that_nobody_knows_is_told_where_to_look() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    let (status, _, says) = place.ask(&["ctl", "error", "ABC234"]);
    assert!(status == 1 && says.contains("no error `ABC234`") && says.contains("error.log"), "{says}");
    process.stop();
}
