//! `nobat secrets` and what the configuration makes of `secret:NAME`: the binary itself.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// What the command says and its status, given this to read.
fn nobat(place: &Path, env: &[(&str, &str)], args: &[&str], typed: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nobat"));
    command.args(args).env_clear().envs(env.iter().copied()).current_dir(place);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("it runs");
    // Who needs no input may have ended by now.
    let _ = child.stdin.take().expect("piped").write_all(typed.as_bytes());
    let ended = child.wait_with_output().expect("it ends");
    let text = [ended.stdout, ended.stderr].concat();
    (ended.status.code().expect("no signal"), String::from_utf8(text).expect("UTF-8"))
}

const KEY_FILE: (&str, &str) = ("NOBAT_SECRETS_KEY_FILE", "key");

#[test]
fn a_token_is_sealed_once_and_named_from_then_on() {
    let place = tempfile::tempdir().expect("a place");
    let dir = place.path();
    let (status, says) = nobat(dir, &[], &["secrets", "key", "--to", "key"], "");
    assert!(status == 0 && says.contains("secrets.key_file"), "{says}");
    let (status, says) = nobat(dir, &[], &["secrets", "key", "--to", "key"], "");
    assert!(status == 2 && says.contains("is there already"), "{says}");
    for (name, token) in [("main", "1000001:TEST\n"), ("lane1", "1000002:TEST")] {
        let (status, says) = nobat(dir, &[KEY_FILE], &["secrets", "set", name], token);
        assert!(status == 0 && says.contains(&format!("secret:{name}")) && !says.contains("TEST"), "{says}");
    }
    let file = std::fs::read_to_string(dir.join("data/secrets.nobat")).expect("a file");
    assert!(!file.contains("TEST"));

    let env = [KEY_FILE, ("BOT_TOKEN_MAIN", "secret:main"), ("BOT_TOKEN_1", "secret:lane1")];
    let (status, says) = nobat(dir, &env, &["check"], "");
    assert!(status == 0 && !says.contains("TEST"), "{says}");
    assert!(says.contains("lane 0   1000001:***") && says.contains("lane 1   1000002:***"), "{says}");
    // Also as a list, beside one in the clear.
    let env = [KEY_FILE, ("BOT_TOKENS", "secret:lane1,1000003:TEST")];
    let (status, says) = nobat(dir, &env, &["check"], "");
    assert!(status == 0 && says.contains("lane 1   1000003:***"), "{says}");
    let toml = "[bot]\nkind = \"chat\"\ntokens = [\"secret:main\"]\n[secrets]\nkey_file = \"key\"\n";
    std::fs::write(dir.join("nobat.toml"), toml).expect("written");
    let (status, says) = nobat(dir, &[], &["check"], "");
    assert!(status == 0 && says.contains("lane 0   1000001:***"), "{says}");
}

#[test]
fn what_cannot_be_opened_is_told_with_its_remedy_and_nothing_starts() {
    let place = tempfile::tempdir().expect("a place");
    let dir = place.path();
    let (_, key) = nobat(dir, &[], &["secrets", "key"], "");
    let (_, other) = nobat(dir, &[], &["secrets", "key"], "");
    let (key, other) = (("NOBAT_SECRETS_KEY", key.trim()), ("NOBAT_SECRETS_KEY", other.trim()));
    assert_eq!(nobat(dir, &[key], &["secrets", "set", "token"], "1000001:TEST").0, 0);
    let told = |env: &[(&str, &str)]| nobat(dir, env, &["check"], "");
    let token = ("BOT_TOKENS", "secret:token");
    let (status, says) = told(&[token, key]);
    assert!(status == 0 && says.contains("1000001:***"), "{says}");
    for (env, part) in [
        (vec![token], "there is no key to the secrets"),
        (vec![token, other], "which is not here"),
        (vec![("BOT_TOKENS", "secret:tokn"), key], "there is no secret `tokn`"),
        (vec![token, ("NOBAT_SECRETS_KEY", "hunter2")], "64 hexadecimal digits"),
        (vec![token, ("NOBAT_SECRETS_KEY_FILE", "nowhere")], "cannot read nowhere"),
    ] {
        let (status, says) = told(&env);
        assert!(status == 2 && says.contains(part), "{env:?}: {says}");
        assert!(!says.contains("hunter2") && !says.contains(other.1) && !says.contains("TEST"), "{says}");
    }
    // Only what is secret may be written so.
    let (status, says) = told(&[token, key, ("NOBAT_LISTEN", "secret:token")]);
    assert!(status == 2 && !says.contains("TEST"), "{says}");
    std::fs::copy(dir.join("data/secrets.nobat"), dir.join("data/key")).expect("copied");
    std::fs::write(dir.join("data/key"), format!("{}\n", key.1)).expect("written");
    let (status, says) = told(&[token, ("NOBAT_SECRETS_KEY_FILE", "data/key")]);
    assert!(status == 2 && says.contains("lock and key"), "{says}");
}

#[test]
fn a_rotation_leaves_the_new_key_alone_and_the_old_one_opens_nothing() {
    let place = tempfile::tempdir().expect("a place");
    let dir = place.path();
    assert_eq!(nobat(dir, &[], &["secrets", "key", "--to", "key"], "").0, 0);
    assert_eq!(nobat(dir, &[KEY_FILE], &["secrets", "set", "a"], "one").0, 0);
    let old = std::fs::read_to_string(dir.join("key")).expect("a key");
    let (status, says) = nobat(dir, &[KEY_FILE], &["secrets", "rotate"], "");
    assert!(status == 0 && says.starts_with("1 secrets are sealed under the new key"), "{says}");
    let new = std::fs::read_to_string(dir.join("key")).expect("a key");
    assert!(new != old && new.lines().count() == 1);
    assert_eq!(nobat(dir, &[KEY_FILE], &["secrets", "list"], "").0, 0);
    let (status, says) = nobat(dir, &[("NOBAT_SECRETS_KEY", old.trim())], &["secrets", "list"], "");
    assert!(status == 1 && says.contains("DOES NOT OPEN"), "{says}");
    // By the environment the operator puts the new one in front.
    let both = format!("{},{}", old.trim(), new.trim());
    assert_eq!(nobat(dir, &[("NOBAT_SECRETS_KEY", &both)], &["secrets", "rotate"], "").0, 0);
    assert_eq!(nobat(dir, &[("NOBAT_SECRETS_KEY", old.trim())], &["secrets", "list"], "").0, 0);
    assert_eq!(nobat(dir, &[("NOBAT_SECRETS_KEY", old.trim())], &["secrets", "remove", "a"], "").0, 0);
    let (status, says) = nobat(dir, &[("NOBAT_SECRETS_KEY", old.trim())], &["secrets", "remove", "a"], "");
    assert!(status == 1 && says.contains("there is no secret `a`"), "{says}");
}
