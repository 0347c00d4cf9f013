//! docs/recovery.md is what recovery does: its drawings are made into bytes and read, and the tests that it names
//! are tests.

use nobat_core::id::Seq;
use nobat_core::journal::frame::{Codec, FRAME_HEADER_BYTES, Frame, Kind, SegmentHeader};
use nobat_core::journal::recover::{Ending, Refusal, Step, TABLE, Walk};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const HEADER: SegmentHeader = SegmentHeader { id: 3, salt: 0x5a17, first: Seq(10) };
const EARLIER: SegmentHeader = SegmentHeader { id: 2, ..HEADER };

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("core lies in the workspace").to_path_buf()
}

fn document() -> String {
    fs::read_to_string(root().join("docs/recovery.md")).expect("docs/recovery.md")
}

/// The rows of its tables whose first cell is a case: all cells, without quotes.
fn cases(document: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for line in document.lines().filter(|line| line.starts_with("| R")) {
        // A bar of a drawing is escaped.
        let line = line.replace("\\|", "\u{1}");
        let cells = line.trim_matches('|').split('|');
        rows.push(cells.map(|cell| cell.trim().trim_matches('`').replace('\u{1}', "|")).collect());
    }
    rows
}

/// The bytes of a drawing, and where the next segment begins.
fn drawn(drawing: &str) -> (Vec<u8>, Option<u64>) {
    let (mut bytes, mut until) = (HEADER.encode().to_vec(), None);
    for word in drawing.split(' ') {
        match word.split_at(1) {
            ("0", "") => bytes.resize(bytes.len() + 200, 0),
            ("|", first) => until = Some(first.parse().expect("a sequence")),
            ("o", "ld") => draw(&EARLIER, Kind::Entry, "5<4", &mut bytes),
            ("#", seal) => draw(&HEADER, Kind::Seal, seal, &mut bytes),
            ("~", frame) => {
                let at = bytes.len();
                draw(&HEADER, Kind::Entry, frame, &mut bytes);
                bytes[at + FRAME_HEADER_BYTES] ^= 1;
            }
            ("_", frame) => {
                let at = bytes.len();
                draw(&HEADER, Kind::Entry, frame, &mut bytes);
                bytes[at..].fill(0);
            }
            ("?", frame) => bytes.extend(strange(frame)),
            _ if word.ends_with('/') => {
                let at = bytes.len();
                draw(&HEADER, Kind::Entry, &word[..word.len() - 1], &mut bytes);
                bytes.truncate(at + (bytes.len() - at) / 2);
            }
            _ => draw(&HEADER, Kind::Entry, word, &mut bytes),
        }
    }
    (bytes, until)
}

fn draw(header: &SegmentHeader, kind: Kind, word: &str, bytes: &mut Vec<u8>) {
    let (seq, synced_to) = word.split_once('<').expect("sequence<synced_to");
    let [seq, synced_to] = [seq, synced_to].map(|n| Seq(n.parse().expect("a sequence")));
    let payload = if kind == Kind::Seal { Vec::new() } else { seq.0.to_string().into_bytes() };
    let frame = Frame { kind, seq, synced_to, payload: &payload };
    Codec::new(header).encode(&frame, bytes).expect("short");
}

/// A whole frame of kind 9: what this version would write, with the kind changed and the checksum made to fit.
fn strange(word: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    draw(&HEADER, Kind::Entry, word, &mut bytes);
    bytes[12] = 9;
    let mut crc = crc32c::crc32c(&HEADER.id.to_le_bytes());
    crc = crc32c::crc32c_append(crc, &HEADER.salt.to_le_bytes());
    crc = crc32c::crc32c_append(crc, &bytes[..4]);
    crc = crc32c::crc32c_append(crc, &bytes[8..]);
    bytes[4..8].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Reads it as recovery does: the sequences kept, and the end.
fn read(bytes: &[u8], until: Option<u64>) -> Result<(Vec<u64>, Ending), Refusal> {
    let (mut walk, mut kept) = (Walk::new(&HEADER, until.map(Seq)), Vec::new());
    loop {
        let rest = bytes.get(walk.at() as usize..).unwrap_or(&[]);
        match walk.step(rest, true)? {
            Step::Frame { frame, .. } if frame.kind == Kind::Entry => kept.push(frame.seq.0),
            Step::Frame { .. } | Step::Skip { .. } | Step::More { .. } => {}
            Step::Over(ending) => return Ok((kept, ending)),
        }
    }
}

/// `10 to 12`, `10`, `none`.
fn sequences(cell: &str) -> Vec<u64> {
    let number = |text: &str| text.parse().expect("a sequence");
    match cell.split_once(" to ") {
        Some((from, to)) => (number(from)..=number(to)).collect(),
        None if cell == "none" => Vec::new(),
        None => vec![number(cell)],
    }
}

#[test]
fn every_drawn_case_is_judged_as_the_table_says() {
    let document = document();
    let drawings: Vec<_> = cases(&document).into_iter().filter(|cells| cells.len() == 6).collect();
    assert!(drawings.len() > 20, "the search finds them: {}", drawings.len());
    let mut lines = BTreeSet::from(["@A".to_owned()]);
    for cells in drawings {
        let [case, drawing, verdict, kept, line, _] = &cells[..] else { panic!("{cells:?}") };
        let (bytes, until) = drawn(drawing);
        match read(&bytes, until) {
            Err(refusal) => {
                assert!(verdict.starts_with("refuse"), "{case}: {refusal}");
                assert_eq!((refusal.label, kept.as_str()), (line.as_str(), ""), "{case}");
            }
            Ok((seen, ending)) => {
                let word = if ending.cut { "cut" } else { "end" };
                assert!(verdict.starts_with(word), "{case}: {ending:?}");
                assert_eq!((ending.label, seen), (line.as_str(), sequences(kept)), "{case}");
                assert_eq!(ending.sealed, verdict.contains("clean stop"), "{case}");
            }
        }
        lines.insert(line.clone());
    }
    let all: BTreeSet<_> = TABLE.iter().map(|case| case.label.to_owned()).collect();
    assert_eq!(lines, all, "each line of the table is drawn");
}

/// Names of all functions of core and shell: tests among them.
fn functions() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders: Vec<_> =
        ["core/src", "core/tests", "shell/src", "shell/tests"].map(|folder| root().join(folder)).into();
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

#[test]
fn every_test_in_the_table_is_one_and_every_case_has_its_row() {
    let (functions, document) = (functions(), document());
    let is_name = |word: &&str| word.matches('_').count() > 2 && !word.contains([' ', '\n']);
    let documented: BTreeSet<_> = document.split('`').filter(is_name).map(str::to_owned).collect();
    let invented: Vec<_> = documented.difference(&functions).collect();
    assert!(invented.is_empty(), "no test: {invented:#?}");
    let is_case = |name: &&String| {
        let letter =
            name.strip_prefix("case_").and_then(|rest| rest.split_once('_')).map(|(letter, _)| letter);
        letter.is_some_and(|letter| letter.len() == 1)
    };
    let missing: Vec<_> =
        functions.iter().filter(is_case).filter(|name| !documented.contains(*name)).collect();
    assert!(missing.is_empty(), "not in docs/recovery.md: {missing:#?}");
    assert_eq!(functions.iter().filter(is_case).count(), TABLE.len(), "a test for each line");
    let labels: Vec<_> = cases(&document).into_iter().map(|cells| cells[0].clone()).collect();
    let once: BTreeSet<_> = labels.iter().collect();
    assert_eq!(once.len(), labels.len(), "each label once");
    for cells in cases(&document) {
        let test = cells.last().expect("cells");
        assert!(functions.contains(test), "{} names no test: {test}", cells[0]);
    }
}
