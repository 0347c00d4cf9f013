use super::*;
use nobat_core::bot::records::{QUOTAS, SUBSCRIPTIONS, USERS};

fn opened() -> (tempfile::TempDir, Sqlite) {
    let place = tempfile::tempdir().expect("a place");
    let store = Sqlite::open(&place.path().join("records.sqlite"), vec!["chat".to_owned()]).expect("opened");
    (place, store)
}

/// How SQLite would do it.
fn plan(store: &Sqlite, sql: &str) -> String {
    let mut explained = store.db.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("a statement");
    let unbound = vec![None::<i64>; explained.parameter_count()];
    let rows = explained.query_map(params_from_iter(unbound), |row| row.get::<_, String>(3)).expect("a plan");
    rows.collect::<Result<Vec<_>, _>>().expect("a plan").join("; ")
}

#[test]
fn every_index_is_the_one_that_its_question_uses() {
    let (_place, store) = opened();
    let mut asked = 0;
    for table in TABLES {
        for columns in table.indexes {
            // The last one as a range where it is an instant: what ends, resets or was seen before.
            let ask = |(at, column): (usize, &&str)| {
                let instant = table.place(column).is_some_and(|at| table.columns[at].holds == Holds::Time);
                let ranges = at + 1 == columns.len() && instant;
                format!("{column} {} ?", if ranges { "<" } else { "=" })
            };
            let name = table.name;
            let wants = columns.iter().enumerate().map(ask).collect::<Vec<_>>().join(" AND ");
            let plan = plan(&store, &format!("SELECT * FROM nobat_{name} WHERE {wants}"));
            let index = format!("USING INDEX nobat_{name}_{} ", columns.join("_"));
            assert!(plan.contains(&index), "{name} WHERE {wants}: {plan}");
            asked += 1;
        }
    }
    assert!(asked >= 25, "{asked}");
}

#[test]
fn what_the_records_themselves_ask_is_asked_of_an_index() {
    let (_place, store) = opened();
    let lapse = "UPDATE nobat_subscriptions SET status = ? WHERE status = ? AND until <= ?";
    assert!(plan(&store, lapse).contains("nobat_subscriptions_status_until"));
    let gone = unknown(&kind_case(&store.kinds));
    let statements: Vec<_> = gone.split(';').filter(|sql| !sql.trim().is_empty()).collect();
    assert_eq!(statements.len(), TABLES.iter().filter(|table| table.mirrors).count());
    for question in [
        "SELECT user_id FROM nobat_registrations WHERE mobile = ?",
        "SELECT * FROM nobat_referrals WHERE by_user = ? AND status = 'counted'",
        "SELECT count(*) FROM nobat_users WHERE kind = ? AND stage = ?",
        "SELECT user_id FROM nobat_quotas WHERE kind = ? AND quota = ? AND resets_at <= ?",
    ] {
        let plan = plan(&store, question);
        assert!(plan.contains("USING") && !plan.contains("SCAN"), "{question}: {plan}");
    }
}

#[test]
fn a_missing_index_is_seen_in_the_plan() {
    let (_place, store) = opened();
    let question = "SELECT user_id FROM nobat_registrations WHERE mobile = ?";
    assert!(plan(&store, question).contains("USING INDEX nobat_registrations_mobile "));
    store.db.execute_batch("DROP INDEX nobat_registrations_mobile").expect("dropped");
    assert!(plan(&store, question).contains("SCAN"), "{}", plan(&store, question));
}

#[test]
fn a_database_of_the_first_version_keeps_its_rows_and_is_read_into_anew() {
    let place = tempfile::tempdir().expect("a place");
    let path = place.path().join("records.sqlite");
    let first = include_str!("../../../testdata/records-v1.sql");
    let first = first.split("-- postgres").next().expect("the part for SQLite");
    let old = Connection::open(&path).expect("made");
    old.execute_batch(&own_tables(Dialect::Sqlite)).expect("its own tables");
    old.execute_batch(first).expect("the tables of then");
    old.execute_batch(
        "INSERT INTO nobat_schema VALUES (1, 1); INSERT INTO nobat_position VALUES (1, 77, NULL);
         INSERT INTO nobat_users (kind, user_id, age) VALUES ('chat', 7, 33);",
    )
    .expect("rows");
    drop(old);
    let mut store = Sqlite::open(&path, vec!["chat".to_owned()]).expect("moved on");
    assert_eq!(store.position().expect("a position"), None, "everything is read again, for what is new");
    let ages = store.db.query_row("SELECT age FROM nobat_users WHERE user_id = 7", [], |row| row.get(0));
    assert_eq!(ages, Ok(33));
    let fresh = opened();
    let schema = |of: &Sqlite| {
        let mut read = of.db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")?;
        read.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()
    };
    assert_eq!(schema(&store), schema(&fresh.1), "and it has what a new one has");
    assert!(schema(&store).expect("tables").len() > TABLES.len());
}

#[test]
fn whom_the_bot_does_not_know_any_more_goes_from_the_mirrors_alone() {
    let (_place, mut store) = opened();
    let row = |table: &'static Table| Row::of(table).with("kind", "chat").with("user_id", 9u32);
    store.put(&USERS, &[row(&USERS)]).expect("put");
    store.put(&SUBSCRIPTIONS, &[row(&SUBSCRIPTIONS).with("plan", "vip")]).expect("put");
    store.put(&QUOTAS, &[row(&QUOTAS).with("quota", "q")]).expect("put");
    let paid = nobat_core::bot::records::PAYMENTS.name;
    store
        .db
        .execute_batch("INSERT INTO nobat_payments (kind, charge, user_id) VALUES ('chat', 'c', 9)")
        .expect("put");
    store.remove_unknown().expect("removed");
    let count = |name: &str| {
        let sql = format!("SELECT count(*) FROM nobat_{name}");
        store.db.query_row(&sql, [], |row| row.get::<_, i64>(0)).expect("a count")
    };
    assert_eq!(["users", "subscriptions", "quotas", paid].map(count), [0, 0, 0, 1]);
}
