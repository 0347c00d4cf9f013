//! HUP, USR2, TERM.

use crate::load::{Load, missing, update};
use crate::platform::Platform;
use crate::process::{Place, get, request, wait_for};
use std::sync::atomic::Ordering;

#[test]
fn a_reload_is_used_whole_or_refused_whole() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    assert!(!place.log().contains("DEBUG"));

    place.configure("[log]\nlevel = \"debug\"\n");
    process.signal("HUP");
    place.wait_log("reloaded: log.level");
    request(place.listen, &update(1).replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n"));

    // One bad value, one that needs a restart, and no file at all: nothing changes, not even the good part.
    place.configure("[log]\nlevel = \"error\"\nformat = \"xml\"\n");
    process.signal("HUP");
    place.wait_log("the reload is refused and nothing was changed: ");
    place.wait_log("log.format");
    place.configure("intakes = 2\n[log]\nlevel = \"error\"\n");
    process.signal("HUP");
    place.wait_log("server.intakes cannot change while the process runs");
    place.configure("[results]\ndataset = \"nobat.toml\"\n[log]\nlevel = \"error\"\n");
    let (status, _, says) = place.ask(&["ctl", "reload"]);
    assert!(status == 1 && says.contains("nobat.toml cannot be used"), "{status} {says}");

    // It still says what a process with `error` would not.
    place.configure("[log]\nlevel = \"debug\"\n");
    assert!(place.ctl(&["reload"]).contains("no key has changed"));
    place.wait_log("INFO  reloaded: no key has changed");
    assert_eq!(get(place.listen, "/readyz").map(|(status, _)| status), Some(200));
    process.stop();
}

#[test]
fn a_drained_process_takes_nothing_sends_what_waits_and_ends() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let mut process = place.serve();
    platform.be_slow();
    let load = Load::start(place.listen, 4);
    wait_for("some updates", || load.taken() >= 40);
    process.signal("USR2");
    place.wait_log("draining: ");
    let (status, head) = get(place.listen, "/readyz").expect("it answers");
    assert!(status == 503 && head.contains("draining"), "{head}");
    let (status, head) = request(place.listen, &update(900_000)).expect("it answers");
    assert!(status == 503 && head.contains("Connection: close") && head.contains("Retry-After"), "{head}");

    let status = process.wait();
    assert!(status.success(), "{status}");
    assert!(place.log().contains("drained: nothing waits to be sent"), "{}", place.log());
    assert!(place.log().contains("stopped pending=0"), "{}", place.log());
    let taken = load.taken();
    let owed = missing(taken, &platform).len();
    // Of updates that overtook each other at the stop, as many as there are senders.
    assert!(owed <= 4, "{owed} of {taken} were promised and not sent");

    // The next process takes what the senders still have.
    let next = place.serve();
    let (updates, seen) = load.finish();
    wait_for("every user is answered", || missing(updates, &platform).is_empty());
    assert!(seen.put_off.load(Ordering::Relaxed) > 0, "{seen:?}");
    next.stop();
}

#[test]
fn a_drain_by_ctl_waits_and_can_be_taken_back() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let mut process = place.serve();
    assert!(place.ctl(&["drain"]).contains("`nobat ctl resume`"));
    place.wait_log("drained: nothing waits to be sent");
    assert!(process.exited().is_none());
    assert_eq!(request(place.listen, &update(1)).map(|(status, _)| status), Some(503));
    place.ctl(&["undrain"]);
    let bytes = update(1).replace("Host: x\r\n", "Host: x\r\nConnection: close\r\n");
    assert_eq!(request(place.listen, &bytes).map(|(status, _)| status), Some(200));
    wait_for("readiness", || get(place.listen, "/readyz").is_some_and(|(status, _)| status == 200));
    process.stop();
}
