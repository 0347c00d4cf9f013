//! Records in a PostgreSQL server: a real one, started, stopped and started again by the test.
//!
//! Needs the feature `postgres`, and the server's programs (`apt-get install postgresql`). Where they are missing
//! the tests say SKIPPED and pass, unless `NOBAT_POSTGRES_REQUIRED` is set.
#![cfg(feature = "postgres")]

#[path = "support/clerk.rs"]
mod clerk;
#[path = "support/postgres.rs"]
mod database;
#[path = "support/served.rs"]
mod served;

use database::{PASSWORD, Postgres};
use nobat::config::Secret;
use nobat::records::{self, Open};
use postgres::{Client, NoTls};
use served::Server;
use std::io::Write;
use std::path::Path;

/// A server, or word that there is none.
fn database() -> Option<Postgres> {
    if let Some(programs) = database::programs() {
        return Some(Postgres::start(&programs));
    }
    assert!(std::env::var_os("NOBAT_POSTGRES_REQUIRED").is_none(), "no initdb, and the tests are required");
    // Past the test runner, which shows nothing of a test that passes.
    let _ = writeln!(std::io::stderr(), "******** SKIPPED: no PostgreSQL here: apt-get install postgresql");
    None
}

fn serve(place: &Path, database: &Postgres) -> Server {
    let uri = database.tcp("127.0.0.1", "?sslmode=disable");
    Server::start(place, &[("POSTGRES_URI", &uri)])
}

fn client(of: &Postgres) -> Client {
    Client::connect(&of.socket(), NoTls).expect("a connection")
}

fn users(of: &Postgres) -> Vec<i64> {
    let rows = client(of).query("SELECT user_id FROM nobat_users ORDER BY 1", &[]).expect("rows");
    rows.iter().map(|row| row.get(0)).collect()
}

#[track_caller]
fn write(server: &Server, users: std::ops::RangeInclusive<u64>) {
    for user in users {
        assert!(server.update(user).starts_with("HTTP/1.1 200"));
    }
}

#[test]
fn a_server_that_stops_in_the_middle_holds_nobody_up_and_is_made_up_for() {
    let Some(mut database) = database() else { return };
    let place = tempfile::tempdir().expect("a place");
    let server = serve(place.path(), &database);
    write(&server, 1..=20);
    server.until_level();
    assert_eq!(users(&database), (1..=20).collect::<Vec<_>>());

    database.stop();
    write(&server, 21..=60);
    server.until("told", |server| server.metric("nobat_records_failures_total") > 0);
    assert_eq!(server.metric("nobat_records_connected"), 0);
    assert!(server.metric("nobat_records_lag_frames") >= 40);
    let said = server.said();
    assert!(
        said.contains("records cannot be written; the bot goes on") && !said.contains(PASSWORD),
        "{said}"
    );

    database.run();
    write(&server, 61..=70);
    server.until_level();
    assert_eq!(users(&database), (1..=70).collect::<Vec<_>>());

    // And both at once, each on its own.
    write(&server, 71..=80);
    server.kill();
    database.stop();
    database.run();
    let server = serve(place.path(), &database);
    server.until_level();
    assert_eq!(users(&database), (1..=80).collect::<Vec<_>>());
    let rebuilt = "SELECT count(*) FROM nobat_audit WHERE action = 'reprojected'";
    let count: i64 = client(&database).query_one(rebuilt, &[]).expect("a row").get(0);
    assert_eq!(count, 0, "it went on where it was");
}

#[test]
fn a_payment_told_often_is_one_row_of_the_right_types() {
    let Some(database) = database() else { return };
    let place = tempfile::tempdir().expect("a place");
    let server = serve(place.path(), &database);
    for update in 1..=5 {
        assert!(server.pays(update, 7, "charge-1").starts_with("HTTP/1.1 200"));
    }
    server.until_level();
    let mut client = client(&database);
    let sql = "SELECT p.charge, p.stars, p.refunded, p.bot_id, p.paid_at <= now(), s.status, \
               s.until - p.paid_at = interval '30 days' \
               FROM nobat_payments p JOIN nobat_subscriptions s USING (kind, user_id)";
    let rows = client.query(sql, &[]).expect("rows");
    let shown: Vec<(String, i64, bool, i64, bool, String, bool)> =
        rows.iter().map(|r| (r.get(0), r.get(1), r.get(2), r.get(3), r.get(4), r.get(5), r.get(6))).collect();
    let wanted = ("charge-1".to_owned(), 300, false, 1_000_001, true, "active".to_owned(), true);
    assert_eq!(shown, [wanted]);
    let uri = database.tcp("127.0.0.1", "?sslmode=disable");
    let exported = served::nobat(place.path(), &["export", "payments"]).env("POSTGRES_URI", &uri).output();
    let exported = String::from_utf8(exported.expect("it runs").stdout).expect("UTF-8");
    let line = exported.lines().nth(1).expect("a row");
    assert!(line.starts_with("chat,charge-1,7,1000001,300,vip_days,30,20"), "{exported}");
    for (table, column) in [("users", "bot_id"), ("users", "kind, stage"), ("subscriptions", "status, until")]
    {
        let sql = "SELECT count(*) FROM pg_indexes WHERE tablename = 'nobat_' || $1 AND indexdef LIKE '%(' || $2 || ')'";
        let count: i64 = client.query_one(sql, &[&table, &column]).expect("a row").get(0);
        assert_eq!(count, 1, "{table} by {column}");
    }
}

#[test]
fn registrations_quotas_and_referrals_have_their_rows_and_indexes() {
    let Some(database) = database() else { return };
    let place = tempfile::tempdir().expect("a place");
    let last = clerk::said(place.path(), clerk::LINES);
    let uri = Secret::new(database.tcp("127.0.0.1", "?sslmode=disable"));
    let open: Open = Box::new(move || Ok(Box::new(records::Postgres::open(&uri, vec!["clerk".to_owned()])?)));
    clerk::project(place.path(), last, open);
    let mut client = client(&database);
    let sql = "SELECT first_name, status, confirmed_at - started_at = interval '4 seconds' \
               FROM nobat_registrations WHERE mobile = '09123456789'";
    let row = client.query_one(sql, &[]).expect("one row");
    let shown: (String, String, bool) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(shown, ("سارا".to_owned(), "confirmed".to_owned(), true));
    let sql = "SELECT user_id, used, allowed FROM nobat_quotas WHERE resets_at < '2027-01-17'";
    let row = client.query_one(sql, &[]).expect("one row");
    let shown: (i64, i64, i64) = (row.get(0), row.get(1), row.get(2));
    assert_eq!(shown, (7, 2, 5));
    // So few rows are read faster than an index is; which one would be used is asked with that forbidden.
    client.batch_execute("SET enable_seqscan = off").expect("set");
    for (question, index) in [
        ("nobat_registrations WHERE mobile = 'x'", "nobat_registrations_mobile"),
        ("nobat_registrations WHERE kind = 'x' AND stage = 'y'", "nobat_registrations_kind_stage"),
        ("nobat_quotas WHERE resets_at < now()", "nobat_quotas_resets_at"),
        ("nobat_referrals WHERE by_user = 7", "nobat_referrals_by_user"),
        ("nobat_subscriptions WHERE status = 'active' AND until < now()", "nobat_subscriptions_status_until"),
    ] {
        let rows = client.query(&format!("EXPLAIN SELECT * FROM {question}"), &[]).expect("a plan");
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(plan.iter().any(|line| line.contains(index)), "{question}: {plan:?}");
    }
}

#[test]
fn tables_of_a_newer_version_and_a_wrong_certificate_are_said_and_do_no_harm() {
    let Some(database) = database() else { return };
    let place = tempfile::tempdir().expect("a place");
    let server = serve(place.path(), &database);
    write(&server, 1..=1);
    server.until_level();
    server.stop();
    database.sql("UPDATE nobat_schema SET version = 99");
    let server = serve(place.path(), &database);
    write(&server, 2..=2);
    server.until("told", |server| server.said().contains("have version 99, this nobat knows 2"));
    assert_eq!(users(&database), [1]);
    drop(server);

    let other = tempfile::tempdir().expect("a place");
    // By default TLS is required, and this server's certificate is nobody's that this machine trusts.
    let uri = database.tcp("localhost", "");
    let server = Server::start(other.path(), &[("POSTGRES_URI", &uri)]);
    write(&server, 3..=3);
    server.until("told", |server| server.said().contains("UnknownIssuer"));
    assert!(!server.said().contains(PASSWORD));
}
