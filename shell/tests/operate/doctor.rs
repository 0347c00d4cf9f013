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
fn every_bot_must_be_where_it_is_needed() {
    let platform = Platform::start();
    let more = "[chat]\nrequired_channels = [\"@whole_channel\", \"@half_channel\"]\nadmin_chat = \"-1001\"\n\
                media_channel = \"-1002\"\n";
    let place = chat(&platform, more);
    let toml = std::fs::read_to_string(place.path("nobat.toml")).expect("read");
    let two = toml.replace("[\"1000001:TEST\"]", "[\"1000001:TEST\", \"1000002:TEST\"]");
    std::fs::write(place.path("nobat.toml"), two).expect("written");
    let (status, out, says) = place.ask(&["doctor"]);
    assert_eq!(status, 1, "{out}{says}");
    for line in [
        "ok   channel @whole_channel @whole_channel: each of the 2 bots may do there what it has to",
        "BAD  channel @half_channel @half_channel: the bot of lane 1 is `left` there, and has to be its administrator",
        "ok   reports to -1001 -1001: each of the 2 bots",
        "BAD  media to -1002 -1002: the bot is `member` there, the bot of lane 1 is `member` there",
    ] {
        assert!(out.contains(line), "{line}:\n{out}");
    }
    assert!(out.contains("make the bot an administrator of @half_channel"), "{out}");
}

#[test]
fn payments_that_would_fail_are_told_before_the_first() {
    let platform = Platform::start();
    let place = chat(&platform, "[chat]\nstars = true\n[webhook]\nurl = \"https://bot.example\"\n");
    let (_, out, _) = place.ask(&["doctor"]);
    assert!(out.contains("ok   payments   5 offers for Stars"), "{out}");
    // Registered by hand, for messages alone.
    platform.register("https://bot.example/webhook", "[\"message\"]");
    let (status, out, _) = place.ask(&["doctor"]);
    assert_eq!(status, 1, "{out}");
    assert!(out.contains("BAD  payments   offers are shown, but the webhook does not deliver"), "{out}");
    assert!(out.contains("run `nobat webhook setup`"), "{out}");
}

#[test]
fn a_dead_token_and_a_webhook_elsewhere_are_told_with_their_remedies() {
    let platform = Platform::start();
    let place = chat(&platform, "[webhook]\nurl = \"https://bot.example\"\n");
    platform.register("https://elsewhere.example/webhook", "[]");
    let (_, out, _) = place.ask(&["doctor"]);
    assert!(out.contains("note webhook 0") && out.contains("elsewhere.example"), "{out}");
    assert!(out.contains("nobat webhook setup"), "{out}");
    platform.forget_tokens();
    let (status, out, _) = place.ask(&["doctor"]);
    assert!(
        status == 1 && out.contains("BAD  lane 0") && out.contains("copy it again from @BotFather"),
        "{out}"
    );
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
