//! Lists in a PostgreSQL server: a real one, started by the test in a folder of its own.
//!
//! Needs the feature `postgres`, and the server's programs (`apt-get install postgresql`). Where they are missing
//! the tests say SKIPPED and pass, unless `NOBAT_POSTGRES_REQUIRED` is set.
#![cfg(feature = "postgres")]

#[path = "support/postgres.rs"]
mod server;

use nobat::import::{DatasetConfig, ImportError, ImportSource, Quiet, Report, Select, run};
use nobat_bots::results::dataset::{Dataset, ExamNumber, Mark};
use server::{PASSWORD, Postgres};
use std::io::Write;
use std::process::{Command, Output};

/// A server, or word that there is none.
fn server() -> Option<Postgres> {
    if let Some(programs) = server::programs() {
        return Some(Postgres::start(&programs));
    }
    assert!(std::env::var_os("NOBAT_POSTGRES_REQUIRED").is_none(), "no initdb, and the tests are required");
    // Past the test runner, which shows nothing of a test that passes.
    let _ = writeln!(std::io::stderr(), "******** SKIPPED: no PostgreSQL here: apt-get install postgresql");
    None
}

fn import(uri: &str, select: Select) -> (Result<Report, ImportError>, Option<Dataset>) {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("results.nobat");
    let source = ImportSource::Postgres { uri: uri.to_owned(), select };
    let result = run(source, &DatasetConfig::default(), &out, &mut Quiet);
    (result, std::fs::read(out).ok().map(|bytes| Dataset::load(bytes).expect("a data set")))
}

fn refusal(uri: &str, select: Select) -> String {
    let (result, set) = import(uri, select);
    assert!(set.is_none(), "nothing may be written");
    let said = result.expect_err("a refusal").to_string();
    assert!(!said.contains(PASSWORD), "{said}");
    said
}

fn table(name: &str) -> Select {
    Select::Table(name.to_owned())
}

/// More rows than three fetches of the cursor, of every type that a list is made of.
const LIST: &str = "
    CREATE SCHEMA y2026;
    CREATE TABLE y2026.\"Sixth\" (number bigint, name text, school varchar(60), math numeric(5,2), physics smallint);
    INSERT INTO y2026.\"Sixth\"
        SELECT 1000000 + n, 'علي حسين رقم' || chr(1575 + n % 5), CASE WHEN n % 3 > 0 THEN 'ثانوية' END,
            n % 101 * 0.5, n % 101
        FROM generate_series(0, 16000) AS n;";

#[test]
fn a_list_longer_than_a_fetch_is_read_whole_and_as_it_stands() {
    let Some(server) = server() else { return };
    server.sql(LIST);
    let (report, set) = import(&server.socket(), table("y2026.Sixth"));
    assert_eq!(report.expect("an import").pupils, 16_001);
    let set = set.expect("a data set");
    for n in [0u32, 4_999, 5_000, 15_000, 16_000] {
        let number = ExamNumber::parse(&(1_000_000 + n).to_string()).expect("a number");
        let student = set.by_number(number).expect("a pupil");
        assert_eq!(student.mark(0), Mark::Points(n % 101 * 50), "{n}");
        assert_eq!(student.mark(1), Mark::Points(n % 101 * 100), "{n}");
        assert_eq!(student.field(0), if n % 3 > 0 { "ثانوية" } else { "" }, "{n}");
    }
    let some = "SELECT number, name, math FROM y2026.\"Sixth\" WHERE number < 1000100;\n";
    assert_eq!(import(&server.socket(), Select::Query(some.into())).0.expect("an import").pupils, 100);
}

#[test]
fn what_is_wrong_is_told_with_its_row_and_nothing_is_written() {
    let Some(server) = server() else { return };
    server.sql(
        "CREATE TABLE bad (number text, name text);
         INSERT INTO bad VALUES ('1001', 'علي كاظم'), ('10x2', 'زينب كاظم'), ('1003', NULL);
         CREATE TABLE twice (number int, name text);
         INSERT INTO twice VALUES (7, 'علي كاظم'), (8, 'زينب'), (7, 'هدى');
         CREATE TABLE empty (number int, name text);",
    );
    let said = refusal(&server.socket(), table("bad"));
    assert!(said.contains("line 2: ") && said.contains("10x2") && said.contains("line 3: "), "{said}");
    for (select, part) in [
        (table("twice"), "7 stands on line 1 and again on line 3"),
        (table("empty"), "no rows"),
        (table("nowhere"), "relation \"nowhere\" does not exist"),
        (Select::OnlyTable, "--table"),
        (Select::Query("SELECT".into()), "no column"),
        (Select::Query("DELETE FROM bad RETURNING *".into()), "syntax error"),
        (Select::Query("SELECT nextval('nothing')".into()), "does not exist"),
    ] {
        let said = refusal(&server.socket(), select.clone());
        assert!(said.contains(part), "{select:?}: {said}");
    }
    assert!(import(&server.socket(), table("bad; DROP TABLE bad")).0.is_err());
    server.sql("SELECT count(*) FROM bad");
}

#[test]
fn tls_is_required_but_on_this_machine_where_it_may_be_declined() {
    let Some(server) = server() else { return };
    server.sql("CREATE TABLE list (number int, name text); INSERT INTO list VALUES (7, 'علي كاظم')");
    let declined = server.tcp("127.0.0.1", "?sslmode=disable");
    assert_eq!(import(&declined, table("list")).0.expect("an import").pupils, 1);
    // Its certificate is nobody's that this machine trusts.
    for tail in ["", "?sslmode=prefer", "?sslmode=require", "?sslmode=verify-full"] {
        let said = refusal(&server.tcp("localhost", tail), table("list"));
        assert!(said.contains("UnknownIssuer") && said.contains("?sslmode=disable"), "{tail}: {said}");
    }
    for uri in [
        "postgres://u:not-to-be-shown@db.example.com/d?sslmode=disable".to_owned(),
        // The address is what is connected to, whatever the name.
        server.tcp("localhost", "?hostaddr=192.0.2.1&sslmode=disable"),
    ] {
        assert!(refusal(&uri, table("list")).contains("this machine only"), "{uri}");
    }
    let wrong = declined.replace(PASSWORD, "wrong-and-not-to-be-shown");
    assert!(refusal(&wrong, table("list")).contains("password authentication failed"));
    for uri in ["postgres://u:not-to-be-shown@h/d?sslrootcert=x", "postgres:not-to-be-shown"] {
        assert!(refusal(uri, table("list")).contains("SSL_CERT_FILE"), "{uri}");
    }
}

#[test]
fn the_command_reads_the_address_from_the_environment_and_trusts_whom_it_is_told_to() {
    let Some(server) = server() else { return };
    server.sql("CREATE TABLE list (number int, name text); INSERT INTO list VALUES (7, 'علي كاظم')");
    let folder = tempfile::tempdir().expect("a folder");
    let cert = server.folder.path().join("server.crt");
    let told = |host: &str, tail: &str| -> Output {
        Command::new(env!("CARGO_BIN_EXE_nobat"))
            .env_clear()
            .env("POSTGRES_URI", server.tcp(host, tail))
            .env("SSL_CERT_FILE", &cert)
            .current_dir(folder.path())
            .args(["results", "import", "--table", "list"])
            .output()
            .expect("it runs")
    };
    let done = told("localhost", "?sslmode=verify-full");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success(), "{said}");
    assert!(String::from_utf8_lossy(&done.stdout).contains("1 pupils imported"));
    // The certificate is for `localhost`.
    let refused = told("127.0.0.1", "");
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success() && said.contains("not valid for name"), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
}
