//! `nobat ctl`, as it is typed.

use crate::load::{FIRST_USER, update};
use crate::platform::Platform;
use crate::process::{Place, request, wait_for};
use std::os::unix::fs::PermissionsExt as _;

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
