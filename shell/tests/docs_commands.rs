//! Every command, flag, name and metric that the documents and `contrib` mention is there: who follows the handbook in
//! the night must not be told that there is no such thing.

use clap::{Command, CommandFactory as _};
use nobat::cli::args::Args;
use nobat::config::keys::{KEYS, OTHER_NAMES};
use nobat::observe::names::METRICS;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// Names of `contrib/package` and of tests, which no configuration has.
const OF_TESTS: &[&str] =
    &["NOBAT_BLESS", "NOBAT_PACKAGE_AS_BUILT", "NOBAT_SIM_DAYS", "NOBAT_SIM_SEED", "NOBAT_SIM_SEEDS"];

/// Documents for those who work on the program: they name variables of tests and benches.
const FOR_BUILDERS: &[&str] = &["benches.md", "durability.md", "format.md", "loadtest.md", "decisions"];

fn files() -> Vec<(PathBuf, String)> {
    let repo = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = vec![repo.join("README.md"), repo.join("nobat.example.toml")];
    let mut folders = vec![repo.join("docs"), repo.join("contrib")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder").flatten() {
            let path = entry.path();
            let text = path.extension().is_none_or(|ending| ending != "png" && ending != "svg");
            if path.is_dir() {
                folders.push(path);
            } else if text {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 20, "{found:?}");
    found.into_iter().map(|path| (path.clone(), std::fs::read_to_string(&path).expect("text"))).collect()
}

/// What is written as code: between backticks, and lines that are a command.
fn snippets(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let (mut prose, mut fenced) = (String::new(), false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            all.push(line.to_owned());
        } else {
            prose += line;
            prose.push('\n');
            let line = line.trim_start_matches(['#', ' ', '\t']);
            if ["nobat ", "Exec", "CMD [", "postrotate"].iter().any(|begin| line.starts_with(begin)) {
                all.push(line.to_owned());
            }
        }
    }
    // A span of code may go over the end of a line.
    all.extend(prose.split('`').skip(1).step_by(2).map(|span| span.replace('\n', " ")));
    all
}

/// The words behind `nobat` in each call of it.
fn calls(snippet: &str) -> Vec<Vec<String>> {
    let words: Vec<&str> = snippet.split_whitespace().collect();
    let is_nobat = |word: &str| word == "nobat" || word.ends_with("/nobat");
    let mut all = Vec::new();
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).copied().unwrap_or("");
        // `-u nobat`, `-g nobat`, `--home nobat`, `podman run ... nobat` name a user or an image.
        let before = at.checked_sub(1).map_or("", |before| words[before]);
        let named = before.starts_with('-') && before != "-";
        let begins =
            at == 0 || words[at - 1].ends_with(';') || ["&&", "||", "then", "nobat"].contains(&before);
        let exec = word.contains("=/usr/bin/nobat");
        if !(is_nobat(word) || exec) || named || !(begins || word.contains('/')) {
            continue;
        }
        if !next.starts_with(|c: char| c.is_ascii_lowercase() || c == '-') {
            continue;
        }
        let ends = |word: &&&str| !["#", ">", "<", "|", "||", "&&", ";", "or"].contains(*word);
        all.push(words[at + 1..].iter().take_while(ends).map(|word| (*word).to_owned()).collect());
    }
    all
}

/// Why this is no call of the program; none if it is one.
fn wrong(root: &Command, words: &[String]) -> Option<String> {
    let mut commands = vec![root];
    let mut skip = false;
    for word in words {
        if std::mem::take(&mut skip) {
            continue;
        }
        let last = word.ends_with(';');
        let word = word.trim_matches(['[', ']', ';', ',', '.', '"', ')']);
        if let Some(flag) = word.strip_prefix("--") {
            let name = flag.split('=').next().unwrap_or(flag);
            let known = |command: &&Command| {
                let mut all =
                    command.get_arguments().chain(root.get_arguments().filter(|arg| arg.is_global_set()));
                all.find(|arg| arg.get_long() == Some(name)).map(|arg| arg.get_action().takes_values())
            };
            let ctl_json = name == "json" && commands.iter().any(|command| command.get_name() != "nobat");
            match commands.iter().find_map(known) {
                Some(takes) => skip = takes && !flag.contains('='),
                None if ["help", "version"].contains(&name) || ctl_json => {}
                None => return Some(format!("no flag --{name}")),
            }
        } else if commands.iter().any(|command| command.has_subcommands()) {
            let mut next = Vec::new();
            for one in word.split('|') {
                match commands.iter().find_map(|command| command.find_subcommand(one)) {
                    Some(found) => next.push(found),
                    None => return Some(format!("no command `{one}`")),
                }
            }
            commands = next;
        }
        if last {
            break;
        }
    }
    None
}

#[test]
fn every_command_of_the_documents_is_there() {
    let mut root = Args::command();
    root.build();
    let (mut seen, mut bad) = (BTreeSet::new(), Vec::new());
    for (path, text) in files() {
        // It draws bytes, among them files that begin with `nobat `.
        if path.ends_with("format.md") {
            continue;
        }
        for words in snippets(&text).iter().flat_map(|snippet| calls(snippet)) {
            if let Some(why) = wrong(&root, &words) {
                bad.push(format!("{}: `nobat {}`: {why}", path.display(), words.join(" ")));
            }
            seen.insert(words.join(" "));
        }
    }
    assert!(bad.is_empty(), "{}", bad.join("\n"));
    // Else the search has gone blind.
    for known in ["ctl upgrade", "webhook info", "doctor", "journal verify", "serve"] {
        assert!(seen.contains(known), "`nobat {known}` was not found among {seen:#?}");
    }
    assert!(seen.len() > 40, "{} calls: {seen:#?}", seen.len());
}

#[test]
fn a_command_that_is_not_there_would_be_found() {
    let mut root = Args::command();
    root.build();
    for bad in [
        "nobat ctl restart",
        "sudo -u nobat nobat --data-dir /var/lib/nobat ctl stats",
        "target/release/nobat results import list.csv --force",
        "nobat webhook setup|check",
        "ExecStart=/usr/bin/nobat run",
    ] {
        let calls = calls(bad);
        assert!(calls.iter().any(|words| wrong(&root, words).is_some()), "{bad}: {calls:?}");
    }
}

#[test]
fn every_command_of_the_program_is_in_a_document() {
    let mut root = Args::command();
    root.build();
    let all: String = files().into_iter().map(|(_, text)| text).collect::<Vec<_>>().join("\n");
    for command in root.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = command.get_name();
        assert!(all.contains(&format!("nobat {name}")), "`nobat {name}` is in no document");
    }
    let ctl = root.find_subcommand("ctl").expect("ctl");
    for asked in ctl.get_subcommands().filter(|command| command.get_name() != "help") {
        let name = asked.get_name();
        assert!(
            all.contains(&format!("`{name}")) || all.contains(&format!("ctl {name}")),
            "`nobat ctl {name}`"
        );
    }
}

/// Words of capital letters, or of small ones, that begin like this.
fn names<'t>(text: &'t str, begins: &str) -> BTreeSet<&'t str> {
    let inside = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.split(|c| !inside(c)).filter(|word| word.starts_with(begins) && !word.ends_with('_')).collect()
}

#[test]
fn every_name_of_the_environment_and_every_metric_of_the_handbook_is_there() {
    let mut known: BTreeSet<String> = OF_TESTS.iter().map(|name| (*name).to_owned()).collect();
    for key in KEYS {
        known.insert(key.env());
        known.extend(key.short.iter().map(|(name, _)| (*name).to_owned()));
    }
    known.extend(OTHER_NAMES.iter().map(|(name, _)| (*name).to_owned()));
    let for_operators = |path: &PathBuf| {
        let mut parts = path.components().filter_map(|part| part.as_os_str().to_str());
        !parts.any(|part| FOR_BUILDERS.contains(&part))
    };
    for (path, text) in files().into_iter().filter(|(path, _)| for_operators(path)) {
        for name in names(&text, "NOBAT_") {
            assert!(known.contains(name), "{}: {name} is no name of the configuration", path.display());
        }
        let metric =
            |name: &&str| ["_total", "_seconds", "_bytes", "_frames"].iter().any(|end| name.ends_with(end));
        for name in names(&text, "nobat_").into_iter().filter(metric) {
            assert!(METRICS.iter().any(|def| def.name == name), "{}: no metric {name}", path.display());
        }
    }
}
