//! Any texts are a configuration or problems, and neither shows a token, wherever it stands, nor the value
//! of a secret key, whatever it looks like. `.env` begins behind a NUL.
#![no_main]

use nobat::config::keys::{Form, KEYS};

/// Stands at the end of what the secret keys are given.
const MARK: &str = "HIDDENHIDDEN";

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (toml, dotenv) = text.split_once('\0').unwrap_or((text, ""));
    let shown = shown(toml, dotenv);
    assert_eq!(nobat::observe::scrub(&shown), shown);

    // The same bytes as the start of secrets in their own places. A mark that the bytes themselves hold
    // could be shown rightly.
    if text.contains("HIDDEN") {
        return;
    }
    let start: String = text.chars().filter(|c| !c.is_control() && !"\"\\'".contains(*c)).take(60).collect();
    let (mut toml, mut dotenv) = (String::new(), String::new());
    for key in KEYS {
        match key.form {
            Form::Secret => toml += &format!("{} = \"{start}{MARK}\"\n", key.dotted()),
            Form::Secrets => dotenv += &format!("{}='{start}{MARK}'\n", key.env()),
            _ => {}
        }
    }
    assert!(!self::shown(&toml, "").contains(MARK), "{start}");
    assert!(!self::shown("", &dotenv).contains(MARK), "{start}");
});

/// What people see of it.
fn shown(toml: &str, dotenv: &str) -> String {
    match nobat::config::load_texts(toml, dotenv) {
        Ok(config) => {
            assert!(!config.lanes.is_empty());
            format!("{config:?}")
        }
        Err(problems) => {
            assert!(!problems.0.is_empty());
            problems.to_string()
        }
    }
}
