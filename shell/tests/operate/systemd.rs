//! A test plays systemd: opens the socket, passes it on, listens to what the process says of itself.

use crate::load::{Load, missing};
use crate::platform::Platform;
use crate::process::{Place, Process, nobat, wait_for};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Command, Stdio};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Starts the server as systemd does a unit with a socket: the socket is descriptor 3, and nothing else is open.
fn activated(place: &Place, listener: &TcpListener, more: &[(&str, &str)]) -> Process {
    let mut command = Command::new("sh");
    // The process id is known only within the child, which keeps it through `exec`.
    let script = "export LISTEN_PID=$$; exec \"$0\" serve 3<&0 0</dev/null";
    command.args(["-c", script]).arg(nobat()).env_clear().current_dir(place.dir.path());
    command.envs([("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "nobat.socket")]).envs(more.iter().copied());
    command.stdin(Stdio::from(OwnedFd::from(listener.try_clone().expect("a copy"))));
    place.spawn(command)
}

#[test]
fn a_restart_under_load_refuses_nobody_and_loses_nothing() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    // Opened by the manager, and never closed.
    let socket = TcpListener::bind(place.listen).expect("bound");
    let mut process = activated(&place, &socket, &[]);
    place.wait_ready();
    let load = Load::start(place.listen, 8);
    for restart in 1..=3 {
        let before = load.taken();
        wait_for("updates are taken", || load.taken() >= before + 200);
        process.signal("TERM");
        let status = process.wait();
        assert!(status.success(), "restart {restart}: {status}\n{}", place.log());
        process = activated(&place, &socket, &[]);
    }
    let before = load.taken();
    wait_for("updates are taken", || load.taken() >= before + 200);
    let (updates, seen) = load.finish();
    wait_for("every user is answered", || missing(updates, &platform).is_empty());
    println!("3 restarts by socket activation, {updates} updates: {seen:?}");
    assert_eq!(seen.refused.load(Ordering::Relaxed), 0, "{seen:?}");
    assert_eq!(seen.taken.load(Ordering::Relaxed), updates);
    process.stop();
}

#[test]
fn without_the_managers_socket_a_restart_refuses_which_the_senders_see() {
    // The counter-proof: what the test above counts is there when nobody holds the socket.
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    let load = Load::start(place.listen, 4);
    wait_for("updates are taken", || load.taken() >= 50);
    process.stop();
    wait_for("a refused connect", || load.seen.refused.load(Ordering::Relaxed) > 0);
    let process = place.serve();
    let (updates, _) = load.finish();
    wait_for("every user is answered", || missing(updates, &platform).is_empty());
    process.stop();
}

#[test]
fn the_manager_is_told_of_readiness_reload_life_and_stop() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let manager = UnixDatagram::bind(place.path("notify")).expect("bound");
    manager.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let hear = || {
        let mut word = [0; 1024];
        let n = manager.recv(&mut word).expect("a word");
        String::from_utf8_lossy(&word[..n]).into_owned()
    };
    let socket = TcpListener::bind(place.listen).expect("bound");
    let notify = place.path("notify").display().to_string();
    let process = activated(&place, &socket, &[("NOTIFY_SOCKET", &notify), ("WATCHDOG_USEC", "400000")]);
    assert!(hear().starts_with("READY=1\n"));
    assert_eq!(place.status()["stats"]["state"], "ready", "said when it was so");
    // Four periods of the watchdog, each with its word in time.
    for _ in 0..16 {
        assert_eq!(hear(), "WATCHDOG=1");
    }
    process.signal("HUP");
    let mut words = Vec::new();
    while words.last().is_none_or(|word: &String| !word.starts_with("READY=1")) {
        words.push(hear());
    }
    assert!(words.iter().any(|word| word.starts_with("RELOADING=1\nMONOTONIC_USEC=")), "{words:?}");
    process.signal("TERM");
    let mut words = Vec::new();
    while words.last().is_none_or(|word: &String| !word.starts_with("STOPPING=1")) {
        words.push(hear());
    }
    drop(process);
}

#[test]
fn what_is_handed_in_and_is_no_socket_is_refused_in_words() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let mut command = Command::new("sh");
    command.args(["-c", "export LISTEN_PID=$$ LISTEN_FDS=1; exec \"$0\" serve 3</dev/null"]).arg(nobat());
    let ended = command.env_clear().current_dir(place.dir.path()).output().expect("it runs");
    let says = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(1), "{says}");
    assert!(says.contains("descriptor 3") && says.contains("no socket"), "{says}");
}
