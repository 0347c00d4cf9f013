//! docs/conformance.md and the tests agree: every test named after a section stands there, every name there is
//! one, and the counts of the probe are the probe's.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("shell lies in the workspace").to_path_buf()
}

/// Names of all functions: tests among them.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![root().join("shell/src"), root().join("shell/tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(path).expect("a source file");
                let found = text.lines().filter_map(|line| line.trim().strip_prefix("fn "));
                names.extend(found.filter_map(|name| Some(name.split_once('(')?.0.to_owned())));
            }
        }
    }
    names
}

fn document() -> String {
    fs::read_to_string(root().join("docs/conformance.md")).expect("docs/conformance.md")
}

/// The names in backticks that are longer than any other word in them.
fn documented(document: &str) -> BTreeSet<String> {
    let is_name = |word: &&str| word.matches('_').count() > 2 && !word.contains([' ', '\n']);
    document.split('`').filter(is_name).map(str::to_owned).collect()
}

#[test]
fn every_test_that_is_named_after_a_section_stands_in_the_table_and_every_name_is_a_test() {
    let (functions, documented) = (functions(), documented(&document()));
    let missing: Vec<_> =
        functions.iter().filter(|name| name.starts_with("rfc_") && !documented.contains(*name)).collect();
    let invented: Vec<_> = documented.difference(&functions).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "not in the table: {missing:#?}\nno test: {invented:#?}"
    );
    assert!(documented.len() > 50, "the search finds them: {}", documented.len());
}

#[test]
fn the_counts_in_the_document_are_those_of_the_probe() {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let cases = crate::cases();
    for case in &cases {
        *counts.entry(case.section).or_default() += 1;
    }
    let mut wanted = String::from("| section | cases |\n|---|---|\n");
    for (section, count) in &counts {
        wanted += &format!("| RFC {section} | {count} |\n");
    }
    wanted += &format!("| all | {} |\n", cases.len());
    assert!(document().contains(&wanted), "docs/conformance.md must hold:\n{wanted}");
}
