//! The tables of registrations and quotas: from an event through the journal into SQLite. The kinds that will fill
//! them are not in this version; `records_postgres` has the same with a server.

#[path = "support/clerk.rs"]
mod clerk;

use nobat::records::{Open, Sqlite};
use rusqlite::Connection;

#[test]
fn a_registration_and_a_quota_go_through_the_journal_into_rows_that_are_found_by_number_and_by_day() {
    let place = tempfile::tempdir().expect("a place");
    let data = place.path().join("data");
    std::fs::create_dir(&data).expect("made");
    let last = clerk::said(&data, clerk::LINES);
    let path = place.path().join("records.sqlite");
    let open = |path: std::path::PathBuf| -> Open {
        Box::new(move || Ok(Box::new(Sqlite::open(&path, vec!["clerk".to_owned()])?)))
    };
    // Twice: what was read is not read again.
    clerk::project(&data, last, open(path.clone()));
    clerk::project(&data, last, open(path.clone()));
    let db = Connection::open(&path).expect("a database");
    let shown = |sql: &str| {
        let mut read = db.prepare(sql).expect("a question");
        let columns = read.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let cell = |at| row.get::<_, rusqlite::types::Value>(at);
            (0..columns).map(|at| cell(at).map(|value| format!("{value:?}"))).collect::<Result<Vec<_>, _>>()
        };
        let rows = read.query_map([], row).expect("rows").collect::<Result<Vec<_>, _>>().expect("rows");
        rows.into_iter().map(|row| row.join(" ")).collect::<Vec<_>>()
    };
    assert_eq!(
        shown(
            "SELECT user_id, bot_id, subject, first_name, last_name, status, stage, started_at, confirmed_at \
             FROM nobat_registrations WHERE mobile = '09123456789'"
        ),
        ["Integer(7) Integer(1000001) Text(\"physics\") Text(\"سارا\") Text(\"احمدی\") Text(\"confirmed\") \
          Text(\"done\") Text(\"2027-01-15T08:00:00.000Z\") Text(\"2027-01-15T08:00:04.000Z\")"]
    );
    assert_eq!(
        shown(
            "SELECT user_id, last_name FROM nobat_registrations WHERE kind = 'clerk' AND stage = 'first_name'"
        ),
        ["Integer(8) Null"]
    );
    assert_eq!(
        shown(
            "SELECT user_id, quota, tier, used, allowed, resets_at FROM nobat_quotas WHERE resets_at < '2027-01-17'"
        ),
        ["Integer(7) Text(\"questions_a_day\") Text(\"free\") Integer(2) Integer(5) \
          Text(\"2027-01-16T08:00:06.000Z\")"]
    );
}
