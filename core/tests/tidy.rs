//! Style as a test: what a reviewer would have to say again and again is said here once.
//!
//! Scans the whole workspace as text. An exception stands in a table below with its reason.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines of one file, tests included. A file has one subject; longer ones have usually two.
const FILE_LINES_MAX: usize = 500;
const LINE_CHARS_MAX: usize = 120;

/// Files that may be longer, and why.
const LONG_FILES: &[(&str, &str)] = &[];

/// Core's rooms from the ground up: a room imports only from rooms before it.
const CORE_LEVELS: &[&[&str]] = &[
    &["time", "id", "record", "sync"],
    &["limits"],
    &["envelope", "matchmaker"],
    &["bot", "bucket", "wheel", "journal"],
    &["gate", "pacer"],
    &["engine"],
];

/// What a bot kind may import of the core.
const CONTRACT: &[&str] = &["bot", "envelope", "id", "record", "time"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("core lies in the workspace").to_path_buf()
}

fn sources(folder: &str) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let name = path.strip_prefix(root()).expect("below the root").display().to_string();
                files.push((name, fs::read_to_string(&path).expect("a source file is UTF-8")));
            }
        }
    }
    assert!(!files.is_empty(), "no sources in {folder}: was it moved?");
    files.sort();
    files
}

fn all_sources() -> Vec<(String, String)> {
    ["core", "shell", "loadtest", "benches"].iter().flat_map(|f| sources(f)).collect()
}

/// The lines before the unit tests that are not comments, numbered from 1.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let code = text.split("#[cfg(test)]").next().unwrap_or("");
    code.lines().enumerate().map(|(i, l)| (i + 1, l)).filter(|(_, l)| !l.trim_start().starts_with("//"))
}

fn report(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n  {}", found.join("\n  "));
}

#[test]
fn every_file_says_what_lives_in_it() {
    let found = all_sources()
        .into_iter()
        .filter(|(name, text)| name.contains("/src/") && !name.contains("tests") && !text.starts_with("//!"))
        .map(|(name, _)| name)
        .collect();
    report(found, "a file starts with `//!`: what lives here, who may call it, what it must not");
}

#[test]
fn a_file_has_one_subject() {
    let found = all_sources()
        .into_iter()
        .filter(|(name, _)| !LONG_FILES.iter().any(|(long, _)| long == name))
        .filter(|(_, text)| text.lines().count() > FILE_LINES_MAX)
        .map(|(name, text)| format!("{name}: {} lines", text.lines().count()))
        .collect();
    report(found, "a file over 500 lines is usually two: split it, or give the reason in LONG_FILES");
}

#[test]
fn lines_fit_a_screen() {
    let mut found = Vec::new();
    for (name, text) in all_sources() {
        for (i, line) in text.lines().enumerate() {
            if line.chars().count() > LINE_CHARS_MAX && !line.contains('"') && !line.ends_with('\\') {
                found.push(format!("{name}:{}", i + 1));
            }
        }
    }
    report(found, "a line of more than 120 characters (string literals excepted)");
}

#[test]
fn nothing_unfinished_is_left_behind() {
    // Built from parts so that this file does not find itself.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["#[ign", "ore]"].concat()];
    let mut found = Vec::new();
    for (name, text) in all_sources() {
        for (i, line) in text.lines().enumerate() {
            if marks.iter().any(|m| line.contains(m.as_str())) {
                found.push(format!("{name}:{}: {}", i + 1, line.trim()));
            }
        }
    }
    report(found, "an unfinished mark");
}

#[test]
fn core_imports_run_downward() {
    let level_of = |room: &str| CORE_LEVELS.iter().position(|level| level.contains(&room));
    let mut found = Vec::new();
    for (name, text) in sources("core/src") {
        let room =
            name.trim_start_matches("core/src/").trim_end_matches(".rs").split('/').next().unwrap_or("");
        let Some(level) = level_of(room) else { continue };
        for (i, line) in code_lines(&text) {
            for used in line.split("crate::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
                if used != room && level_of(used).is_some_and(|other| other >= level) {
                    found.push(format!("{name}:{i}: {room} imports {used}"));
                }
            }
        }
    }
    report(found, "imports in core run downward only (see CORE_LEVELS)");
}

#[test]
fn every_core_room_has_its_level() {
    let lib = fs::read_to_string(root().join("core/src/lib.rs")).expect("core/src/lib.rs");
    let found = lib
        .lines()
        .filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';'))
        .filter(|room| !CORE_LEVELS.iter().flat_map(|l| l.iter()).any(|r| r == room))
        .map(str::to_owned)
        .collect();
    report(found, "a room of core without a level in CORE_LEVELS");
}

#[test]
fn a_bot_kind_imports_the_contract_alone() {
    let mut found = Vec::new();
    for (name, text) in sources("core/bots/src") {
        for (i, line) in code_lines(&text) {
            for used in line.split("nobat_core::").skip(1) {
                let used = used.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or("");
                if !used.is_empty() && !CONTRACT.contains(&used) {
                    found.push(format!("{name}:{i}: {used}"));
                }
            }
        }
    }
    report(found, "a bot kind imports nobat_core::{bot, envelope, id, record, time} and nothing else");
}

#[test]
fn the_referee_shares_no_code_with_the_player() {
    let found = sources("loadtest")
        .into_iter()
        .filter(|(_, text)| {
            ["use nobat::", "use nobat_core", "use nobat_bots"].iter().any(|u| text.contains(u))
        })
        .map(|(name, _)| name)
        .collect();
    report(found, "loadtest must not import the server it judges");
}

#[test]
fn the_core_decides_and_does_nothing_else() {
    let banned = ["Instant::now", "SystemTime::now", "std::fs", "std::net", "std::thread", "getrandom"];
    let mut found = Vec::new();
    for (name, text) in sources("core/src").into_iter().chain(sources("core/bots/src")) {
        if name.contains("test") {
            continue;
        }
        for (i, line) in code_lines(&text) {
            if banned.iter().any(|b| line.contains(b)) {
                found.push(format!("{name}:{i}: {}", line.trim()));
            }
        }
    }
    report(found, "a clock, file, socket, thread or random source in core");
}

#[test]
fn the_shell_reads_wall_time_in_one_place() {
    let mut found = Vec::new();
    for (name, text) in sources("shell/src") {
        if name == "shell/src/clock.rs" || name.contains("test") {
            continue;
        }
        for (i, line) in code_lines(&text) {
            if line.contains("SystemTime::now") {
                found.push(format!("{name}:{i}: {}", line.trim()));
            }
        }
    }
    report(found, "wall time comes from clock.rs");
}
