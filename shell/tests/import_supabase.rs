//! A Supabase table, against an endpoint on loopback that pages as PostgREST does.

use nobat::import::supabase::PAGE_ROWS;
use nobat::import::{DatasetConfig, ImportError, ImportSource, Quiet, Report, Rest, Supabase, run};
use nobat_bots::results::dataset::{Dataset, ExamNumber};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// A table of (number, name), served with a cap on rows.
struct Endpoint {
    address: String,
    requests: Arc<AtomicUsize>,
    seen: Arc<Mutex<Vec<String>>>,
}

impl Endpoint {
    fn new(mut table: Vec<(u64, String)>, cap: usize) -> Self {
        table.sort();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (requests, seen) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(Vec::new())));
        let (count, log) = (Arc::clone(&requests), Arc::clone(&seen));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // The second request meets an overloaded project, the fourth a broken connection.
                match count.fetch_add(1, Ordering::Relaxed) {
                    1 => refuse(stream.unwrap()),
                    3 => drop(stream),
                    _ => answer(stream.unwrap(), &table, cap, &log),
                }
            }
        });
        Self { address, requests, seen }
    }
}

fn refuse(mut stream: TcpStream) {
    let mut head = [0; 4096];
    assert!(stream.read(&mut head).unwrap() > 0);
    stream.write_all(b"HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n").unwrap();
}

fn answer(mut stream: TcpStream, table: &[(u64, String)], cap: usize, log: &Mutex<Vec<String>>) {
    let mut head = String::new();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    while !head.ends_with("\r\n\r\n") {
        assert!(reader.read_line(&mut head).unwrap() > 0, "cut short: {head}");
    }
    let path = head.split(' ').nth(1).unwrap().to_owned();
    log.lock().unwrap().push(path.clone());
    let parameter = |name: &str| {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        query.split('&').find_map(|p| p.strip_prefix(&format!("{name}=")).map(str::to_owned))
    };
    let (status, body) = if !head.to_lowercase().contains("apikey: secret-key") {
        (401, "{\"message\":\"no\"}".to_owned())
    } else if !path.starts_with("/rest/v1/my%20pupils?select=*&") {
        (404, "{}".to_owned())
    } else {
        let limit = parameter("limit").unwrap().parse::<usize>().unwrap().min(cap);
        let from = parameter("number").map_or(0, |value| {
            let (operator, number) = value.split_once('.').unwrap();
            number.parse::<u64>().unwrap() + u64::from(operator == "gt")
        });
        let rows: Vec<String> = table
            .iter()
            .filter(|(number, _)| *number >= from)
            .take(limit)
            .map(|(n, name)| {
                format!("{{\"number\":{n},\"name\":\"{name}\",\"math\":{}.5,\"note\":null}}", n % 90)
            })
            .collect();
        (200, format!("[{}]", rows.join(",")))
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}")
        .unwrap();
}

fn import(endpoint: &Endpoint, key: &str, table: &str) -> (Result<Report, ImportError>, Option<Dataset>) {
    let folder = TempDir::new().unwrap();
    let out = folder.path().join("results.nobat");
    let mut rest = Rest::new(&format!("{}/", endpoint.address)).unwrap();
    let project = Supabase { key: key.into(), table: table.into(), fetch: &mut rest };
    let result = run(ImportSource::Supabase(project), &DatasetConfig::default(), &out, &mut Quiet);
    let set = std::fs::read(out).ok().map(|bytes| Dataset::load(bytes).unwrap());
    (result, set)
}

fn pupils(count: u64) -> Vec<(u64, String)> {
    (1..=count).map(|n| (1_000 + n, format!("علي حسين {n}"))).collect()
}

#[test]
fn all_rows_arrive_whatever_the_page() {
    for (rows, cap) in [(1, PAGE_ROWS), (1_000, PAGE_ROWS), (2_500, PAGE_ROWS), (2_500, 700)] {
        let endpoint = Endpoint::new(pupils(rows), cap);
        let (result, set) = import(&endpoint, "secret-key", "my pupils");
        assert_eq!(result.unwrap().pupils as u64, rows);
        let set = set.unwrap();
        for number in [1_001, 1_000 + rows] {
            let student = set.by_number(ExamNumber::parse(&number.to_string()).unwrap()).unwrap();
            assert_eq!(student.name(), format!("علي حسين {}", number - 1_000));
        }
        let pages = rows as usize / (cap - 1) + 6;
        assert!(endpoint.requests.load(Ordering::Relaxed) <= pages, "at most {pages} requests");
        let seen = endpoint.seen.lock().unwrap();
        assert!(seen[..seen.len() - 1].iter().all(|path| path.contains("limit=1000")), "{seen:?}");
    }
}

#[test]
fn a_number_that_stands_twice_at_the_edge_of_a_page_does_not_vanish() {
    let mut table = pupils(1_500);
    for twin in [999, 1_000, 1_001] {
        table[twin].0 = table[999].0;
    }
    let (result, set) = import(&Endpoint::new(table, PAGE_ROWS), "secret-key", "my pupils");
    let said = result.unwrap_err().to_string();
    assert!(said.contains("the exam number 2000 stands on line 1000 and again on line 1001"), "{said}");
    assert!(said.contains("and again on line 1002"), "{said}");
    assert!(set.is_none());
}

#[test]
fn a_cap_that_hides_rows_is_refused() {
    let said = import(&Endpoint::new(pupils(3), 1), "secret-key", "my pupils").0.unwrap_err().to_string();
    assert!(said.contains("Max rows"), "{said}");
}

#[test]
fn a_key_that_would_break_out_of_its_header_is_refused() {
    let endpoint = Endpoint::new(pupils(3), PAGE_ROWS);
    let said = import(&endpoint, "secret-key\r\nx: y", "my pupils").0.unwrap_err().to_string();
    assert!(said.contains("check the key") && !said.contains("secret-key"), "{said}");
}

#[test]
fn refusals_are_told_and_the_key_is_not() {
    let endpoint = Endpoint::new(pupils(3), PAGE_ROWS);
    for (key, table, part) in
        [("wrong-key", "my pupils", "SUPABASE_KEY may not read"), ("secret-key", "x", "no table `x`")]
    {
        let said = import(&endpoint, key, table).0.unwrap_err().to_string();
        assert!(said.contains(part) && !said.contains(key), "{said}");
    }
    let said =
        import(&Endpoint::new(vec![], PAGE_ROWS), "secret-key", "my pupils").0.unwrap_err().to_string();
    assert!(said.contains("no rows"), "{said}");
}
