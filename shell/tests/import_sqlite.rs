//! Lists in SQLite files.

use nobat::import::{DatasetConfig, ImportError, ImportSource, Quiet, Report, Select, run};
use nobat_bots::results::dataset::{Dataset, ExamNumber, Mark};
use rusqlite::Connection;
use tempfile::TempDir;

fn import(sql: &str, select: Select) -> (Result<Report, ImportError>, Option<Dataset>) {
    let folder = TempDir::new().expect("a temporary folder");
    let (path, out) = (folder.path().join("list.db"), folder.path().join("results.nobat"));
    Connection::open(&path).unwrap().execute_batch(sql).unwrap();
    let result = run(ImportSource::Sqlite { path, select }, &DatasetConfig::default(), &out, &mut Quiet);
    let set = std::fs::read(out).ok().map(|bytes| Dataset::load(bytes).unwrap());
    (result, set)
}

const TABLE: &str = "CREATE TABLE pupils (number INTEGER, name TEXT, math REAL, school TEXT);
    INSERT INTO pupils VALUES (12, 'علي حسين', 87.5, 'أ'), (13, 'زينب', 90, NULL);";

#[test]
fn the_only_table_is_read_without_a_name() {
    let (result, set) = import(TABLE, Select::OnlyTable);
    assert_eq!(result.unwrap().pupils, 2);
    let set = set.unwrap();
    let student = set.by_number(ExamNumber::parse("12").unwrap()).unwrap();
    assert_eq!((student.name().as_str(), student.mark(0)), ("علي حسين", Mark::Points(8_750)));
    let student = set.by_number(ExamNumber::parse("13").unwrap()).unwrap();
    assert_eq!((student.field(0), student.mark(0)), ("", Mark::Points(9_000)));
}

#[test]
fn a_table_or_a_query_is_read_by_name() {
    let two = format!("{TABLE} CREATE TABLE other (x);");
    let said = import(&two, Select::OnlyTable).0.unwrap_err().to_string();
    assert!(said.contains("--table: other, pupils"), "{said}");
    assert_eq!(import(&two, Select::Table("pupils".into())).0.unwrap().pupils, 2);
    let query = "SELECT number, name FROM pupils WHERE math > 89";
    assert_eq!(import(&two, Select::Query(query.into())).0.unwrap().pupils, 1);
}

#[test]
fn what_is_wrong_is_told_and_nothing_is_written() {
    for (sql, select, part) in [
        (TABLE, Select::Table("a\" b".into()), "no such table"),
        (TABLE, Select::Query("DELETE FROM pupils".into()), "not a SELECT"),
        (
            "CREATE TABLE t (number, name); INSERT INTO t VALUES (1, x'00')",
            Select::OnlyTable,
            "line 1: column 2 holds bytes",
        ),
        ("CREATE TABLE t (number, name)", Select::OnlyTable, "no rows"),
        ("PRAGMA user_version = 1", Select::OnlyTable, "no tables"),
    ] {
        let (result, set) = import(sql, select);
        let said = result.unwrap_err().to_string();
        assert!(said.contains(part), "{part}: {said}");
        assert!(set.is_none());
    }
}
