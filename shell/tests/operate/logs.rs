//! `log.dir`: files, rotation, a disk that takes nothing, what took long, internal errors.

use crate::load::{Load, missing, update};
use crate::platform::Platform;
use crate::process::{Place, request, wait_for};
use crate::talk::Talk;
use nobat::disk::{Journal, Options};
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

#[test]
fn money_and_what_it_buys_have_files_of_their_own() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let base = fs::read_to_string(place.path("nobat.toml")).expect("read").replace("results", "chat");
    let more = "[log]\ndir = \"logs\"\n[chat]\nstars = true\n[admin]\nuser_ids = [\"7\"]\n";
    fs::write(place.path("nobat.toml"), base + more).expect("written");
    let process = place.serve();
    let talk = Talk::new(&place, &platform);
    talk.registers(11);
    talk.registers(12);
    talk.pays(11, "charge-1", 300, "vip:30:300");
    talk.pays(11, "charge-2", 50, "credits:5:50");
    let has = |name: &str, words: &[&str]| {
        let file = read(&place, name);
        file.lines().any(|line| words.iter().all(|word| line.contains(word)))
    };
    wait_for("a payment", || {
        has("payments.log", &["payment", "charge=charge-1", "stars=300", "gave=vip_days"])
    });
    wait_for("credits", || has("payments.log", &["payment", "charge=charge-2", "gave=credits", "amount=5"]));
    wait_for("VIP time", || has("vip.log", &["subscription", "plan=vip", "status=active", "until=20"]));
    wait_for("what locks are bought with", || has("locks.log", &["charge=charge-2", "gave=credits"]));

    talk.presses(11, "find");
    talk.presses(12, "find");
    let lock = talk.button(11, "lock:");
    talk.presses(11, &lock);
    let five = talk.button(11, "k:5:");
    talk.presses(11, &five);
    wait_for("a lock", || has("locks.log", &["user_id=11", "action=locked", "5 minutes", "1 credits"]));

    // Each subject in its own file, all of them in combined.log.
    assert!(
        !read(&place, "payments.log").contains("subscription")
            && !read(&place, "vip.log").contains("charge-")
    );
    assert!(!read(&place, "admin.log").contains("action=locked"));
    for words in ["charge=charge-1", "plan=vip", "action=locked"] {
        assert!(has("combined.log", &[words]), "{words}");
    }
    process.stop();
}

#[test]
fn files_are_rotated_by_size_and_the_oldest_go() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    place.configure("[log]\ndir = \"logs\"\nfile_kb = 16\nfiles_kept = 2\nupdates_per_second = 100000\n");
    let process = place.serve();
    let load = Load::start(place.listen, 4);
    let logs = place.path("logs");
    wait_for("a third file", || logs.join("combined.log.2").exists());
    let before = load.taken();
    wait_for("more of it", || load.taken() >= before + 400);
    load.finish();
    process.stop();
    let size = |name: &str| fs::metadata(logs.join(name)).map(|file| file.len()).unwrap_or(0);
    assert!(!logs.join("combined.log.3").exists(), "only two are kept");
    for name in ["combined.log", "combined.log.1", "combined.log.2"] {
        assert!((1..=17 << 10).contains(&size(name)), "{name}: {} bytes", size(name));
    }
}

/// A journal as a newer version may leave it: an answer that waits is in a language that this one does not know.
fn from_the_future(place: &Place) {
    let data = place.data();
    let mut payloads = Vec::new();
    Journal::open(&Options::new(&data), |_, payload| {
        payloads.push(payload.to_vec());
        Ok(())
    })
    .expect("the old journal");
    for entry in fs::read_dir(&data).expect("the directory").flatten() {
        let name = entry.file_name().into_string().expect("a name");
        if name.starts_with("journal-") || name.starts_with("snapshot-") {
            fs::remove_file(entry.path()).expect("removed");
        }
    }
    let mut journal = Journal::open(&Options::new(&data), |_, _| Ok(())).expect("a new journal");
    for mut payload in payloads {
        // An input's frame ends with the arguments of its answer: the language, and the number of a lane.
        if payload.first() == Some(&1) {
            let at = payload.len() - 2;
            payload[at] = 0xff;
        }
        journal.append(&payload).expect("written");
    }
}

#[test]
fn an_answer_that_cannot_be_said_gives_the_user_a_code_that_the_operator_can_look_up() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    // The platform is away, so that the answer waits in the journal.
    let base = fs::read_to_string(place.path("nobat.toml")).expect("read");
    fs::write(place.path("nobat.toml"), base.replace(&platform.address.to_string(), "127.0.0.1:1"))
        .expect("written");
    let process = place.serve();
    deliver(&place, 1);
    process.stop();
    from_the_future(&place);
    fs::write(place.path("nobat.toml"), base + "[log]\ndir = \"logs\"\n").expect("written");
    let process = place.serve();
    let texts = || platform.texts_to(crate::load::FIRST_USER + 1);
    wait_for("the user is told", || !texts().is_empty());
    let told = texts().remove(0).0;
    let code = told.split("Code: ").nth(1).unwrap_or_else(|| panic!("no code: {told}")).trim().to_owned();
    assert!(code.len() == 6 && told.contains(&format!("الرمز: {code}")), "{told}");
    assert!(!told.contains("language"), "the reason is the operator's: {told}");
    let why = place.ctl(&["error", &code.to_lowercase()]);
    assert!(why.contains("to user 500001: cannot render: an unknown language"), "{why}");
    wait_for("it is in the log", || read(&place, "error.log").contains(&format!("internal error {code}")));
    process.stop();
    assert_eq!(texts().len(), 1, "told once");
}
