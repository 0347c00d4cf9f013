//! Tests of the configurations: a wrong file is said in plain words.

use super::*;
use nobat_core::time::UnixMillis;
use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use std::path::PathBuf;

/// 2026-01-01.
const NOW: UnixMillis = UnixMillis(1_767_225_600_000);

struct Files {
    _dir: tempfile::TempDir,
    cert: PathBuf,
    key: PathBuf,
}

fn files(cert: &str, key: &str) -> Files {
    let dir = tempfile::tempdir().expect("a directory");
    let (cert_path, key_path) = (dir.path().join("cert.pem"), dir.path().join("key.pem"));
    std::fs::write(&cert_path, cert).expect("write");
    std::fs::write(&key_path, key).expect("write");
    Files { _dir: dir, cert: cert_path, key: key_path }
}

fn pair(from: i32, to: i32) -> (String, String) {
    let key = KeyPair::generate().expect("a key");
    let mut params = CertificateParams::new(vec!["localhost".to_owned()]).expect("params");
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 6, 30);
    (params.self_signed(&key).expect("a certificate").pem(), key.serialize_pem())
}

fn refusal(cert: &str, key: &str) -> String {
    let files = files(cert, key);
    let error = server_config(&files.cert, &files.key, NOW).expect_err("refused");
    let text = error.to_string();
    assert!(text.contains("cert.pem") || text.contains("key.pem"), "names the file: {text}");
    text
}

#[test]
fn a_good_pair_is_accepted() {
    let (cert, key) = pair(2020, 2040);
    let files = files(&cert, &key);
    let config = server_config(&files.cert, &files.key, NOW).expect("accepted");
    assert_eq!(config.alpn_protocols, [b"http/1.1"]);
    client_config(Some(&files.cert)).expect("a root");
}

#[test]
fn wrong_files_are_said_in_plain_words() {
    let ((cert, key), (_, other_key)) = (pair(2020, 2040), pair(2020, 2040));
    assert!(refusal(&cert, &other_key).contains("does not belong to the first certificate"));
    assert!(refusal(&key, &key).contains("were the two files exchanged"));
    assert!(refusal(&cert, &cert).contains("were the two files exchanged"));
    assert!(refusal("", &key).contains("must be a PEM file"));
    assert!(refusal(&cert, "").contains("must be a PEM file"));
    assert!(refusal(&cert[..cert.len() - 40], &key).contains("damaged"));
    let encrypted = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n";
    assert!(refusal(&cert, encrypted).contains("remove the password"));
}

#[test]
fn an_expired_certificate_is_named_with_its_day() {
    let (cert, key) = pair(2020, 2025);
    let text = refusal(&cert, &key);
    assert!(text.contains("expired on 30 Jun 2025"), "{text}");
    let (cert, key) = pair(2030, 2040);
    let text = refusal(&cert, &key);
    assert!(text.contains("valid only from 01 Jan 2030"), "{text}");
}

#[test]
fn a_missing_file_is_named() {
    let (cert, key) = pair(2020, 2040);
    let files = files(&cert, &key);
    let absent = files.cert.with_file_name("absent.pem");
    let text = server_config(&absent, &files.key, NOW).expect_err("refused").to_string();
    assert!(text.contains("absent.pem") && text.contains("check the path"), "{text}");
    let text = client_config(Some(&absent)).expect_err("refused").to_string();
    assert!(text.contains("absent.pem"), "{text}");
}

#[test]
fn no_error_holds_a_byte_of_the_key() {
    let ((cert, key), (_, other)) = (pair(2020, 2040), pair(2020, 2040));
    let secret = other.lines().nth(1).expect("Base64");
    for text in [refusal(&cert, &other), refusal(&other, &key), refusal(&cert, &other.replace("END", "EMD"))]
    {
        assert!(!text.contains(secret), "{text}");
    }
}
