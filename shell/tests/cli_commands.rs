//! The commands as an operator meets them: what they print and what they exit with.

use nobat::channel::telegram::encode::Params;
use nobat::channel::telegram::{Api, RawAnswer};
use nobat::cli::{Status, World, run};
use nobat::config::Secret;
use std::path::Path;

/// A platform that knows every token but those that end in `dead`, and none if it is down.
struct Fake {
    down: bool,
}

impl Api for Fake {
    fn call(&self, token: &Secret, method: &str, _: &Params) -> Result<RawAnswer, String> {
        if self.down {
            return Err("no connection".into());
        }
        let answer = |status, body: &str| Ok(RawAnswer { status, body: body.as_bytes().to_vec() });
        if token.expose().ends_with("dead") {
            return answer(401, r#"{"ok":false,"error_code":401,"description":"Unauthorized"}"#);
        }
        let id = token.expose().split(':').next().unwrap_or("0");
        match method {
            "getMe" => answer(200, &format!(r#"{{"ok":true,"result":{{"id":{id},"username":"bot_{id}"}}}}"#)),
            "getUpdates" => answer(200, r#"{"ok":true,"result":[]}"#),
            "getWebhookInfo" => answer(200, r#"{"ok":true,"result":{"url":"","pending_update_count":0}}"#),
            _ => answer(200, r#"{"ok":true,"result":true}"#),
        }
    }
}

struct Told {
    status: Status,
    out: String,
    err: String,
}

fn told(dir: &Path, env: &[(&str, &str)], down: bool, argv: &str) -> Told {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut world = World {
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        dir: dir.to_path_buf(),
        out: &mut out,
        err: &mut err,
        connect: &|_| Box::new(Fake { down }),
    };
    let status = run(&mut world, argv.split(' ').map(Into::into));
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Told { status, out: text(out), err: text(err) }
}

const TWO: &[(&str, &str)] = &[
    ("BOT_TOKEN_MAIN", "1000001:TEST"),
    ("BOT_TOKEN_1", "1000002:TEST"),
    ("TELEGRAM_API_ROOT", "http://127.0.0.1:9"),
];

#[test]
fn check_says_what_the_configuration_amounts_to() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("nobat.toml"), "[webhook]\nurl = \"https://bot.example\"\n")
        .expect("written");
    let mut env = TWO.to_vec();
    env.extend([
        ("REDIS_URL", "redis://x"),
        ("ENABLE_VIP", "1"),
        ("MAX_REQUEST_PER_MINUTE", "5"),
        ("NOBAT_COLOUR", "red"),
        ("HOME", "/root"),
    ]);
    let told = told(dir.path(), &env, true, "nobat check");
    let found = told.out.replace(&format!("{}/", dir.path().display()), "");
    assert_eq!((told.status, told.err.as_str()), (Status::Ok, ""));
    assert_eq!(
        found,
        "\
kind      results (single_interface)
lanes     2, together 60 messages/s
reach     each user's home bot is tried once; who has not started it is answered by the bot he wrote to
intake    webhooks at https://bot.example, arriving on 0.0.0.0:3000
platform  http://127.0.0.1:9
data      data

bots:
  lane 0   1000001:***          hears at /webhook
  lane 1   1000002:***          sends only

values:
  telegram.api_root              http://127.0.0.1:9                   environment (TELEGRAM_API_ROOT)
  webhook.url                    https://bot.example                  nobat.toml:2:7

names:
  BOT_TOKEN_1                    used
  BOT_TOKEN_MAIN                 used
  ENABLE_VIP                     not needed: only a chat bot has a use for it
  MAX_REQUEST_PER_MINUTE         unknown: did you mean MAX_REQUESTS_PER_MINUTE?
  NOBAT_COLOUR                   unknown
  REDIS_URL                      not needed: Nobat keeps its state itself
  TELEGRAM_API_ROOT              used

The configuration is whole.
"
    );
}

#[test]
fn a_wrong_configuration_is_status_2_and_touches_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    for argv in ["nobat check", "nobat serve", "nobat doctor", "nobat webhook info"] {
        let told = told(dir.path(), &[("BOT_TOKEN_MAIN", "nonsense")], false, argv);
        assert_eq!((told.status, told.out.as_str()), (Status::Usage, ""), "{argv}");
        assert_eq!(
            told.err,
            "environment: BOT_TOKEN_MAIN: is not a bot token: no colon in its 8 characters; copy it whole from \
             @BotFather: digits, a colon, then letters, digits, - and _\n"
        );
    }
    assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 0);
}

#[test]
fn an_unknown_command_is_status_2_and_help_is_not_a_mistake() {
    let dir = tempfile::tempdir().expect("a directory");
    assert_eq!(told(dir.path(), TWO, false, "nobat fly").status, Status::Usage);
    let help = told(dir.path(), TWO, false, "nobat --help");
    assert_eq!((help.status, help.err.as_str()), (Status::Ok, ""));
    assert!(help.out.contains("Exit status: 0 all is as wanted"), "{}", help.out);
    assert!(told(dir.path(), &[], false, "nobat --version").out.starts_with("nobat "));
}

#[test]
fn webhook_commands_end_with_0_only_if_all_is_as_wanted() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data").display().to_string();
    let ask = |env: &[(&str, &str)], down, command: &str| {
        told(dir.path(), env, down, &format!("nobat --data-dir {data} webhook {command}"))
    };
    assert_eq!(ask(TWO, false, "info").status, Status::Ok);
    assert_eq!(ask(TWO, false, "clear").status, Status::Ok);
    // This platform forgets what it is told.
    let setup = ask(TWO, false, "setup https://bot.example");
    assert_eq!(setup.status, Status::NotAsWanted);
    assert!(
        setup.out.contains("has no webhook, and should have https://bot.example/webhook"),
        "{}",
        setup.out
    );
    let dead = [TWO[0], ("BOT_TOKEN_1", "1000002:dead"), TWO[2]];
    assert_eq!(ask(&dead, false, "info").status, Status::NotAsWanted);
    let down = ask(TWO, true, "info");
    assert_eq!(down.status, Status::Unavailable);
    assert_eq!(down.out.lines().count(), 2, "{}", down.out);
    assert!(down.out.contains("the platform cannot be reached: not asked"), "{}", down.out);
}

#[test]
fn an_address_that_the_platform_cannot_use_is_refused() {
    let dir = tempfile::tempdir().expect("a directory");
    for (command, says) in [
        (
            "setup",
            "no address: write it behind the command, such as https://bot.example, or set WEBHOOK_URL\n",
        ),
        ("verify bot.example", "bot.example: the address has no scheme; write https:// before it\n"),
        ("setup http://bot.example", "http://bot.example: the platform delivers to https only\n"),
    ] {
        let told = told(dir.path(), TWO, false, &format!("nobat webhook {command}"));
        assert_eq!((told.status, told.err.as_str()), (Status::Usage, says));
    }
}

#[test]
fn doctor_looks_at_disk_clock_ports_and_tokens() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let ports = [("NOBAT_LISTEN", "127.0.0.1:0"), ("NOBAT_ADMIN_LISTEN", "127.0.0.1:0")];
    let env = [TWO, &ports].concat();
    let ask = |env: &[(&str, &str)], down, more: &str| {
        told(dir.path(), env, down, &format!("nobat --data-dir {} doctor{more}", data.display()))
    };
    let good = ask(&env, false, "");
    assert_eq!(good.status, Status::Ok, "{}", good.out);
    for says in [
        "ok   clock",
        "syncs half take",
        "note data set",
        "is free",
        "ok   lane 1     1000002:*** is @bot_1000002",
    ] {
        assert!(good.out.contains(says), "{says} in {}", good.out);
    }
    assert_eq!(std::fs::read_dir(&data).expect("made").count(), 0, "nothing is left behind");
    let polled = ask(&[TWO, &ports[1..]].concat(), false, "");
    assert!(polled.out.contains("ok   polling 0  nothing stands in its way"), "{}", polled.out);
    assert_eq!(ask(&env, true, "").status, Status::Unavailable);
    assert_eq!(ask(&env, true, " --offline").status, Status::Ok);
    let dead = [&[("BOT_TOKEN_MAIN", "1000001:dead")], &ports[..], &[TWO[2]]].concat();
    assert_eq!(ask(&dead, false, "").status, Status::NotAsWanted);
    std::fs::write(data.join("results.nobat"), "no data set").expect("written");
    let bad = ask(&env, false, "");
    assert_eq!(bad.status, Status::NotAsWanted);
    assert!(bad.out.contains("BAD  data set"), "{}", bad.out);
}

#[test]
fn a_data_directory_that_cannot_be_used_is_told() {
    let dir = tempfile::tempdir().expect("a directory");
    let file = dir.path().join("file");
    std::fs::write(&file, "").expect("written");
    let told = told(dir.path(), TWO, false, &format!("nobat --data-dir {} doctor --offline", file.display()));
    assert_eq!(told.status, Status::NotAsWanted);
    assert!(told.out.contains("set NOBAT_DATA_DIR to a directory"), "{}", told.out);
}

#[test]
fn a_journal_is_looked_at_without_a_token() {
    let dir = tempfile::tempdir().expect("a directory");
    let data = dir.path().join("data");
    let ask = |command: &str| {
        told(dir.path(), &[], false, &format!("nobat --data-dir {} journal {command}", data.display()))
    };
    std::fs::create_dir(&data).expect("made");
    let none = ask("verify");
    assert_eq!(none.status, Status::NotAsWanted);
    assert!(none.err.ends_with("data: there is no journal here\n"), "{}", none.err);
    let options = nobat::disk::Options { segment_bytes: 1 << 20, ..nobat::disk::Options::new(&data) };
    let mut journal = nobat::disk::Journal::open(&options, |_, _| Ok(())).expect("a journal");
    journal.append(b"hello").expect("appended");
    journal.commit().expect("committed");
    drop(journal);
    let verified = ask("verify");
    assert_eq!(verified.status, Status::Ok, "{}", verified.err);
    assert!(verified.out.contains("1 entries, 5 bytes of payload"), "{}", verified.out);
    let dumped = ask("dump");
    assert!(dumped.out.lines().any(|line| line.ends_with(" hello")), "{}", dumped.out);
}

#[test]
fn the_binary_exits_with_the_status_of_the_command() {
    let dir = tempfile::tempdir().expect("a directory");
    let exit = |names: &[(&str, &str)], argv: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_nobat"));
        command.env_clear().envs(names.iter().copied()).args(argv).current_dir(dir.path());
        command.output().expect("it runs").status.code()
    };
    assert_eq!(exit(TWO, &["check"]), Some(0));
    assert_eq!(exit(&[], &["check"]), Some(2));
    // Port 9 is `discard`; nobody listens there.
    assert_eq!(exit(TWO, &["webhook", "info"]), Some(69));
    assert_eq!(exit(&[], &["journal", "verify"]), Some(74));
}
