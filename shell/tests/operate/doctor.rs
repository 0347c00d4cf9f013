//! `nobat doctor` against a platform that says what it is told to say.

use crate::platform::Platform;
use crate::process::Place;

const CHAT: &str = "[records]\nstore = \"off\"\n";

fn chat(platform: &Platform, more: &str) -> Place {
    let place = Place::new(platform.address);
    let (base, listen) = (place.admin, place.listen);
    let text = format!(
        "[telegram]\napi_root = \"http://{}\"\n[bot]\ntokens = [\"1000001:TEST\"]\nkind = \"chat\"\n[server]\n\
         listen = \"{listen}\"\nadmin_listen = \"{base}\"\n{CHAT}{more}",
        platform.address
    );
    std::fs::write(place.path("nobat.toml"), text).expect("written");
    place
}

#[test]
fn a_good_place_is_good_and_each_check_is_a_line() {
    let platform = Platform::start();
    let place =
        chat(&platform, "[chat]\nrequired_channels = [\"@news_channel\"]\n[admin]\nuser_ids = [\"7\"]\n");
    let (status, out, says) = place.ask(&["doctor"]);
    assert_eq!(status, 0, "{out}{says}");
    for line in [
        "ok   clock      it is 20",
        "syncs half take",
        "volume",
        "files may be open",
        "ok   lane 0     1000001:*** is @a_bot",
        "ok   clock      0 s from the platform's",
        "ok   channel @news_channel @news_channel: the bot is its administrator",
        "ok   payments   nothing is sold",
        "ok   admin 7    can be written to",
    ] {
        assert!(out.contains(line), "{line}:\n{out}");
    }
    assert!(!out.contains("TEST"), "{out}");
}

#[test]
fn what_is_wrong_at_the_platform_is_told_with_its_remedy() {
    let platform = Platform::start();
    let more = "[chat]\nrequired_channels = [\"@gone_channel\", \"-1001234567890=https://t.me/+x\"]\n\
                [admin]\nuser_ids = [\"404\"]\n";
    let place = chat(&platform, more);
    platform.set_clock("Mon, 20 Jul 2026 06:00:00 GMT");
    let (status, out, _) = place.ask(&["doctor"]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("BAD  clock") && out.contains("timedatectl set-ntp true"), "{out}");

    platform.set_clock("");
    let (status, out, _) = place.ask(&["doctor"]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("BAD  channel @gone_channel") && out.contains("chat not found"), "{out}");
    assert!(
        out.contains("BAD  channel -1001234567890") && out.contains("the bot is `member` there"),
        "{out}"
    );
    assert!(out.contains("make the bot an administrator of -1001234567890"), "{out}");
    assert!(out.contains("BAD  admin 404") && out.contains("presses Start"), "{out}");
}

#[test]
fn another_poller_is_told_before_it_is_met_and_a_running_nobat_is_none() {
    let platform = Platform::start();
    let place = chat(&platform, "[log]\nlevel = \"info\"\n");
    let toml = std::fs::read_to_string(place.path("nobat.toml")).expect("read");
    let polling = toml.replace("[telegram]\n", "[telegram]\npolling = true\n");
    std::fs::write(place.path("nobat.toml"), polling).expect("written");
    let (status, out, _) = place.ask(&["doctor"]);
    assert!(status == 0 && out.contains("ok   polling 0  nothing stands in its way"), "{out}");
    platform.be_polled_by_another();
    let (status, out, _) = place.ask(&["doctor"]);
    assert!(status == 1 && out.contains("another instance polls this token: stop it"), "{out}");
}

#[test]
fn a_running_process_is_no_trouble_and_too_few_files_are_told() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let process = place.serve();
    let (status, out, says) = place.ask(&["doctor"]);
    assert_eq!(status, 0, "{out}{says}");
    assert!(out.contains("ok   process    nobat runs on this data directory"), "{out}");
    assert!(!out.contains("is in use"), "{out}");
    let mut few = std::process::Command::new("sh");
    few.args(["-c", "ulimit -n 256; exec \"$0\" doctor --offline"]).arg(crate::process::nobat());
    let ended = few.env_clear().current_dir(place.dir.path()).output().expect("it runs");
    let out = String::from_utf8_lossy(&ended.stdout).into_owned();
    assert!(out.contains("note files      256 files may be open") && out.contains("LimitNOFILE="), "{out}");
    process.stop();
}

#[test]
fn a_data_directory_in_memory_is_refused_where_there_is_such_a_place() {
    let platform = Platform::start();
    let place = Place::new(platform.address);
    let shm = std::path::Path::new("/dev/shm").join(format!("nobat-doctor-{}", std::process::id()));
    if std::fs::create_dir(&shm).is_err() {
        return;
    }
    let (status, out, _) = place.ask(&["--data-dir", &shm.display().to_string(), "doctor", "--offline"]);
    std::fs::remove_dir_all(&shm).expect("removed");
    assert!(status == 1 && out.contains("BAD  volume     the data directory is in memory (tmpfs)"), "{out}");
}
