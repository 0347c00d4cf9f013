//! Another program takes over, under load; and programs that do not.

use crate::load::{Load, missing};
use crate::platform::Platform;
use crate::process::{Place, Process, get, nobat, wait_for};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::Ordering;

/// A program that is a script.
fn script(place: &Place, text: &str) -> PathBuf {
    let path = place.path("next");
    fs::write(&path, text).expect("written");
    fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("permissions");
    path
}

/// Starts the server from a copy of its own, as an installed one.
fn installed(place: &Place) -> (PathBuf, Process) {
    let path = place.path("nobat");
    fs::copy(nobat(), &path).expect("copied");
    let process = place.spawn(place.command(&path, &["serve"]));
    place.wait_ready();
    (path, process)
}

#[test]
fn upgrades_under_load_refuse_nobody_and_lose_nothing() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let (path, process) = installed(&place);
    let load = Load::start(place.listen, 8);
    for upgrade in 1..=3 {
        let before = load.taken();
        wait_for("updates are taken", || load.taken() >= before + 200);
        // As a package manager does it: another file in the place of the old.
        fs::remove_file(&path).expect("removed");
        fs::copy(nobat(), &path).expect("copied");
        let started = place.status()["started_unix_ms"].clone();
        let said = place.ctl(&["upgrade"]);
        assert!(said.contains("takes over"), "{said}");
        let status = place.status();
        assert_eq!(
            status["pid"],
            process.id(),
            "upgrade {upgrade}: whoever watches the process sees the same"
        );
        assert_ne!(status["started_unix_ms"], started);
    }
    let before = load.taken();
    wait_for("updates are taken", || load.taken() >= before + 200);
    let (updates, seen) = load.finish();
    wait_for("every user is answered", || missing(updates, &platform).is_empty());
    println!("3 upgrades, {updates} updates: {seen:?}");
    assert_eq!(seen.refused.load(Ordering::Relaxed), 0, "{seen:?}");
    assert_eq!(seen.taken.load(Ordering::Relaxed), updates);
    let repeated: Vec<u64> =
        (0..updates).map(|n| crate::load::FIRST_USER + n).filter(|u| platform.sent_to(*u) > 1).collect();
    assert!(repeated.is_empty(), "served twice: {repeated:?}");
    // What one program tells the next is no configuration, and nobody's mistake.
    assert!(!place.log().contains("NOBAT_"), "{}", place.log());
    process.stop();
}

#[test]
fn an_upgrade_takes_a_new_configuration_into_use() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    assert_eq!(place.status()["stats"]["total_capacity_per_second"], 1000);
    place.configure("[limits]\nidle_seconds = 33\n");
    let (status, _, says) = place.ask(&["ctl", "reload"]);
    assert!(status == 1 && says.contains("`nobat ctl upgrade` restarts it"), "{says}");
    place.ctl(&["upgrade"]);
    assert!(place.ctl(&["dump", "--json"]).contains("\"limits.idle_seconds\":[\"33\",\"nobat.toml:"));
    process.stop();
}

#[test]
fn a_program_or_a_configuration_that_cannot_serve_leaves_the_old_one_serving() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    let load = Load::start(place.listen, 2);
    let started = place.status()["started_unix_ms"].clone();
    for (text, why) in [
        ("#!/bin/sh\nexit 3\n", "would not start"),
        ("#!/bin/sh\nexit 0\n", "is not a nobat that can take over"),
        ("#!/no/such/shell\n", "cannot be run"),
    ] {
        let next = script(&place, text);
        let (status, _, says) = place.ask(&["ctl", "upgrade", "--binary", &next.display().to_string()]);
        assert!(status == 1 && says.contains(why), "{text}: {status} {says}");
    }
    place.configure("[server]\n");
    let (status, _, says) = place.ask(&["ctl", "upgrade"]);
    assert!(status == 1 && says.contains("duplicate key"), "{status} {says}");
    place.configure("data_dir = \"elsewhere\"\n");
    let (status, _, says) = place.ask(&["--data-dir", "data", "ctl", "upgrade"]);
    assert!(status == 1 && says.contains("another data directory"), "{status} {says}");
    place.configure("");
    assert_eq!(place.status()["started_unix_ms"], started, "nothing was restarted");
    let (updates, seen) = load.finish();
    wait_for("every user is answered", || missing(updates, &platform).is_empty());
    assert_eq!(
        (seen.refused.load(Ordering::Relaxed), seen.raced.load(Ordering::Relaxed)),
        (0, 0),
        "{seen:?}"
    );
    process.stop();
}

#[test]
fn a_program_that_fails_after_it_took_over_gives_its_place_back() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    let load = Load::start(place.listen, 4);
    wait_for("updates are taken", || load.taken() >= 50);
    // It would start, says its trial; when it takes over, its configuration is another.
    let bad = place.path("bad.toml");
    fs::write(&bad, "[log]\nlevel = \"nonsense\"\n").expect("written");
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in *--trial) exec {0} \"$@\";; *) exec {0} --config {1} \"$@\";; esac\n",
        nobat().display(),
        bad.display()
    );
    let next = script(&place, &text);
    let (status, _, says) = place.ask(&["ctl", "upgrade", "--binary", &next.display().to_string()]);
    assert_eq!(status, 1, "{says}\n{}", place.log());
    assert!(says.contains("the one before serves again") && says.contains("log.level"), "{says}");
    assert_eq!(place.status()["pid"], process.id());
    assert_eq!(get(place.listen, "/readyz").map(|(status, _)| status), Some(200));
    let before = load.taken();
    wait_for("updates are taken", || load.taken() >= before + 50);
    let (updates, seen) = load.finish();
    wait_for("every user is answered", || missing(updates, &platform).is_empty());
    assert_eq!(seen.refused.load(Ordering::Relaxed), 0, "{seen:?}");
    // And it can be upgraded still.
    assert!(place.ctl(&["upgrade"]).contains("takes over"));
    process.stop();
}
