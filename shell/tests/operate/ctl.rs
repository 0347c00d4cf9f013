//! `nobat ctl`, as it is typed.

use crate::load::{FIRST_USER, Load, missing, update};
use crate::platform::Platform;
use crate::process::{Place, nobat, request, wait_for};
use std::os::unix::fs::PermissionsExt as _;
use std::sync::atomic::Ordering;

fn deliver(place: &Place, n: u64) {
    let bytes = update(n).replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
    assert_eq!(request(place.listen, &bytes).map(|(status, _)| status), Some(200));
}

#[test]
fn without_a_process_it_says_so_and_what_to_do() {
    let place = Place::new(([127, 0, 0, 1], 9).into());
    let (status, out, says) = place.ask(&["ctl", "status"]);
    assert_eq!((status, out.as_str()), (69, ""));
    assert!(says.contains("nobat does not run on data") && says.contains("--data-dir"), "{says}");
}

#[test]
fn status_lanes_and_dump_show_the_process_and_no_secret() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    deliver(&place, 1);
    wait_for("a message", || platform.sent_to(FIRST_USER + 1) == 1);
    let said = place.ctl(&["status"]);
    assert!(said.starts_with("state      ready") && said.contains("updates    1 taken"), "{said}");
    let lanes = place.ctl(&["lanes"]);
    assert!(lanes.contains("1000001") && lanes.contains("in use"), "{lanes}");
    for dump in [place.ctl(&["dump"]), place.ctl(&["dump", "--json"])] {
        assert!(dump.contains("webhook.secret") && dump.contains("nobat_updates_total"), "{dump}");
        assert!(!dump.contains("test-secret") && !dump.contains("1000001:TEST"), "{dump}");
    }
    let mode = std::fs::metadata(place.data().join("ctl.sock")).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    process.stop();
    assert!(!place.data().join("ctl.sock").exists(), "nobody is behind it");
}

#[test]
fn a_paused_lane_sends_nothing_until_it_goes_on() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    let (status, _, says) = place.ask(&["ctl", "pause", "1"]);
    assert!(status == 1 && says.contains("there is no lane 1: they are 0 to 0"), "{says}");
    place.ctl(&["pause", "0"]);
    wait_for("it shows", || place.ctl(&["lanes"]).contains("paused"));
    deliver(&place, 1);
    wait_for("it waits", || place.status()["stats"]["lanes"][0]["pending"] == 1);
    assert_eq!(platform.chats(), 0);
    place.ctl(&["resume", "0"]);
    wait_for("it is sent", || platform.sent_to(FIRST_USER + 1) == 1);
    process.stop();
}

#[test]
fn a_stop_by_ctl_is_a_stop_in_order() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let mut process = place.serve();
    place.ctl(&["stop"]);
    assert!(process.wait().success());
    assert!(place.log().contains("stopped pending=0"), "{}", place.log());
}

#[test]
fn top_draws_one_screen_for_a_pipe_and_ends() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let (status, _, says) = place.ask(&["top", "--once"]);
    assert!(status == 69 && says.contains("does not run"), "{says}");
    let process = place.serve();
    let (status, out, says) = place.ask(&["top", "--once"]);
    assert_eq!(status, 0, "{says}");
    assert!(out.starts_with("nobat ") && out.contains(" ready  up ") && out.contains("1000001"), "{out}");
    assert!(!out.contains('\u{1b}') && out.lines().count() <= 24, "{out:?}");
    process.stop();
}

#[test]
fn a_token_that_is_added_is_a_lane_without_a_refused_connection() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    let load = Load::start(place.listen, 4);
    wait_for("updates are taken", || load.taken() >= 50);
    let add = |token: &str| {
        let mut command = place.command(nobat(), &["ctl", "add-token"]);
        std::fs::write(place.path("token"), token).expect("written");
        command.stdin(std::fs::File::open(place.path("token")).expect("opened"));
        let ended = command.output().expect("it runs");
        let text = [ended.stdout, ended.stderr].concat();
        (ended.status.code(), String::from_utf8(text).expect("UTF-8"))
    };
    assert_eq!(add("").0, Some(2));
    for (token, why) in [("nonsense", "token"), ("1000001:TEST\n", "has a lane already")] {
        let (status, says) = add(token);
        assert!(status == Some(1) && says.contains(why) && !says.contains("TEST"), "{says}");
    }
    let (status, says) = add("1000002:TEST\n");
    assert!(status == Some(0) && says.contains("@a_bot is lane 1"), "{says}");
    let lanes = place.ctl(&["lanes"]);
    assert!(lanes.contains("1000002"), "{lanes}");
    assert_eq!(place.status()["pid"], process.id());
    let (updates, seen) = load.finish();
    wait_for("every user is answered", || missing(updates, &platform).is_empty());
    assert_eq!(seen.refused.load(Ordering::Relaxed), 0, "{seen:?}");
    let (_, out, _) = place.ask(&["check"]);
    assert!(out.contains("lane 1   1000002:***"), "{out}");
    assert!(!place.log().contains("1000002:TEST"), "{}", place.log());
    process.stop();
}
