//! `nobat results import` as an operator meets it: the binary itself, on files.

use std::path::Path;
use std::process::Command;

const LIST: &str = "رقم الطالب,اسم الطالب,المدرسة,الرياضيات\n1001,زينب كاظم,ثانوية الرافدين,91\n1002,علي حسن,إعدادية النصر,48\n";

struct Told {
    status: Option<i32>,
    out: String,
    err: String,
}

fn told(dir: &Path, names: &[(&str, &str)], argv: &[&str]) -> Told {
    let mut command = Command::new(env!("CARGO_BIN_EXE_nobat"));
    command.env_clear().envs(names.iter().copied()).current_dir(dir).args(["results", "import"]).args(argv);
    let output = command.output().expect("it runs");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    Told { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_list_becomes_the_data_set_without_a_token() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("list.csv"), LIST).expect("written");
    let done = told(dir.path(), &[], &["list.csv", "--data-dir", "here"]);
    assert_eq!((done.status, done.err.as_str()), (Some(0), ""));
    assert!(done.out.contains("2 pupils imported into here/results.nobat ("), "{}", done.out);
    let elsewhere = told(dir.path(), &[("NOBAT_RESULTS_DATASET", "other.nobat")], &["list.csv"]);
    assert!(elsewhere.out.contains("into other.nobat ("), "{}", elsewhere.out);
    let asked = told(dir.path(), &[], &["list.csv", "--out", "third.nobat"]);
    assert!(asked.out.contains("into third.nobat ("), "{}", asked.out);
}

#[test]
fn a_bad_row_is_named_and_the_old_data_set_stays() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("list.csv"), LIST).expect("written");
    assert_eq!(told(dir.path(), &[], &["list.csv"]).status, Some(0));
    let before = std::fs::read(dir.path().join("data/results.nobat")).expect("a data set");
    std::fs::write(dir.path().join("list.csv"), format!("{LIST}10x3,محمد علي,مدرسة,50\n")).expect("written");
    let refused = told(dir.path(), &[], &["list.csv"]);
    assert_eq!(refused.status, Some(1), "{}", refused.err);
    assert!(refused.err.starts_with("line 4: "), "{}", refused.err);
    assert_eq!(std::fs::read(dir.path().join("data/results.nobat")).expect("still there"), before);
}

/// Environment, arguments, status, and what is said.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], i32, &'a str);

#[test]
fn what_cannot_be_read_or_asked_for_is_told_with_its_status() {
    let dir = tempfile::tempdir().expect("a directory");
    std::fs::write(dir.path().join("list.csv"), LIST).expect("written");
    std::fs::write(dir.path().join("bad.toml"), "colour = 1").expect("written");
    let both = [("POSTGRES_URI", "postgres://u:HIDDEN@h/d"), ("SQLITE_DB_PATH", "x.db")];
    let cases: &[Case] = &[
        (&[], &[], 2, "no list: name a FILE"),
        (&[], &["missing.csv"], 74, "cannot read missing.csv"),
        (&[], &["list.csv", "--table", "t"], 2, "--table and --query are for databases"),
        (
            &[],
            &["list.csv", "--dataset-config", "bad.toml"],
            2,
            "bad.toml: the data set's configuration cannot be read",
        ),
        (&[], &["--supabase", "pupils"], 2, "--supabase needs SUPABASE_URL and SUPABASE_KEY"),
        (&both, &[], 2, "POSTGRES_URI and SQLITE_DB_PATH are both set"),
        (&[("NOBAT_DATA_DIR", "list.csv")], &["list.csv"], 74, "what was there before is untouched"),
    ];
    for (names, argv, status, says) in cases {
        let told = told(dir.path(), names, argv);
        assert!(told.err.contains(says) && !told.err.contains("HIDDEN"), "{argv:?}: {}", told.err);
        assert_eq!((told.status, told.out.as_str()), (Some(*status), ""), "{argv:?}");
    }
}
