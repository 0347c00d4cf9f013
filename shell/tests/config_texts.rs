//! Any text is a configuration or a list of problems, and no text makes a secret appear in either.

use nobat::config::{keys, load_texts};
use proptest::prelude::*;

const SECRET: &str = "HIDDENHIDDEN";

fn shown(toml: &str, dotenv: &str) -> String {
    match load_texts(toml, dotenv) {
        Ok(config) => format!("{config:?}"),
        Err(problems) => {
            assert!(!problems.0.is_empty());
            problems.to_string()
        }
    }
}

/// A line that a hurried operator may write: a known name or key, and a value that may be of any kind.
fn line(toml: bool) -> impl Strategy<Value = String> {
    let value = prop_oneof![
        Just(format!("1000001:{SECRET}")),
        Just(SECRET.to_owned()),
        "[0-9]{1,6}",
        "[a-z:/.,@= ]{0,12}",
        Just("true".to_owned()),
        Just("[1, 2]".to_owned()),
    ];
    (0..keys::KEYS.len(), value, any::<bool>()).prop_map(move |(index, value, quoted)| {
        let key = &keys::KEYS[index];
        let value = if quoted { format!("\"{value}\"") } else { value };
        if toml {
            format!("[{}]\n{} = {value}\n", key.section, key.name)
        } else {
            format!("{}={value}\n", key.env())
        }
    })
}

proptest! {
    #[test]
    fn plausible_mistakes_are_told_without_secrets(
        toml in proptest::collection::vec(line(true), 0..3),
        dotenv in proptest::collection::vec(line(false), 0..6),
    ) {
        // A secret written into a key that is none may be shown; into one that is, never.
        let hidden = |text: &str| text.lines().filter(|line| !line.contains(SECRET) || is_secret(line)).collect::<Vec<_>>().join("\n");
        let shown = shown(&hidden(&toml.concat()), &hidden(&dotenv.concat()));
        prop_assert!(!shown.contains(SECRET), "{}", shown);
    }

    #[test]
    fn any_text_is_judged(toml in "\\PC{0,60}", dotenv in "(\\PC|\n){0,60}") {
        shown(&toml, &dotenv);
    }
}

/// Does this line set a key whose value is a secret?
fn is_secret(line: &str) -> bool {
    let name = line.split('=').next().unwrap_or("").trim();
    keys::KEYS.iter().any(|key| key.is_secret() && (key.name == name || key.env() == name))
}

#[test]
fn the_fuzzers_seeds_pass_here_too() {
    let seeds = concat!(env!("CARGO_MANIFEST_DIR"), "/../fuzz/corpus/config");
    let mut seen = 0;
    for entry in std::fs::read_dir(seeds).expect("the seeds") {
        let text = std::fs::read_to_string(entry.expect("a seed").path()).expect("UTF-8");
        let (toml, dotenv) = text.split_once('\0').unwrap_or((&text, ""));
        // As the fuzz target has it: of half a token nobody can tell what it was.
        let shown = shown(toml, dotenv);
        assert_eq!(nobat::observe::scrub(&shown), shown, "{text}");
        seen += 1;
    }
    assert!(seen >= 4);
}
