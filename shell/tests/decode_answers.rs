//! Verdicts on 170 answers: fixtures of public projects, and the wording of the platform's own server.

use nobat::channel::telegram::VerdictReader;
use nobat::channel::telegram::verdict::{RETRY_AFTER_MAX, RETRY_AFTER_UNSAID};
use nobat_core::envelope::{Unreachable, Verdict};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;

const ANSWERS: &str = include_str!("../testdata/answers.jsonl");

fn verdict(status: u16, retry_after: Option<u32>, body: &str) -> Verdict {
    VerdictReader::new().read(status, retry_after, &mut body.as_bytes().to_vec())
}

fn refused(code: u16, description: &str) -> Verdict {
    verdict(
        code,
        None,
        &serde_json::json!({"ok": false, "error_code": code, "description": description}).to_string(),
    )
}

#[test]
fn every_sample_answer_gets_the_verdict_its_status_allows() {
    let mut counts = BTreeMap::new();
    for line in ANSWERS.lines() {
        let answer: Value = serde_json::from_str(line).expect("JSON");
        let status = answer["status"].as_u64().expect("a status") as u16;
        let header = answer["headers"]["Retry-After"].as_str().and_then(|seconds| seconds.parse().ok());
        let body = answer["body"].as_str().expect("a body");
        let judged = verdict(status, header, body);
        let json = serde_json::from_str::<Value>(body).ok();
        let allowed = match (status, &json, &judged) {
            (200, Some(body), Verdict::Sent) => body["ok"] == true,
            (200, None, Verdict::Unknown) => true,
            (429, Some(body), Verdict::RetryAfter(wait)) => {
                match body["parameters"]["retry_after"].as_u64() {
                    Some(seconds) => *wait == Duration::from_secs(seconds),
                    None => *wait == RETRY_AFTER_UNSAID,
                }
            }
            (401 | 404 | 421, Some(_), Verdict::TokenDead | Verdict::Rejected | Verdict::Unreachable(_)) => {
                true
            }
            (400 | 403, Some(_), Verdict::Rejected | Verdict::Unreachable(_)) => true,
            (400, Some(body), Verdict::Sent) => body.to_string().contains("message is not modified"),
            (409 | 500..=599, Some(_), Verdict::Failed) => true,
            (413, None, Verdict::Rejected) | (504, None, Verdict::Unknown) => true,
            (400.., None, Verdict::Failed) => status != 413 && status != 504,
            _ => false,
        };
        assert!(allowed, "{judged:?} for {line}");
        *counts.entry(format!("{judged:?}").split('(').next().unwrap_or_default().to_owned()).or_insert(0) +=
            1;
    }
    assert_eq!(counts.values().sum::<i32>(), 170);
    let all = ["Failed", "Rejected", "RetryAfter", "Sent", "TokenDead", "Unknown", "Unreachable"];
    assert_eq!(counts.keys().map(String::as_str).collect::<Vec<_>>(), all);
}

#[test]
fn refusals_are_told_apart_by_their_wording() {
    use Unreachable::{Blocked, Deactivated, NotStarted};
    for (code, description, wanted) in [
        (403, "Forbidden: bot was blocked by the user", Verdict::Unreachable(Blocked)),
        (403, "Forbidden: user is deactivated", Verdict::Unreachable(Deactivated)),
        (403, "Forbidden: bot can't initiate conversation with a user", Verdict::Unreachable(NotStarted)),
        (400, "Bad Request: chat not found", Verdict::Unreachable(NotStarted)),
        (400, "Bad Request: private chat not found", Verdict::Unreachable(NotStarted)),
        (403, "Forbidden: bot was kicked from the supergroup chat", Verdict::Unreachable(Blocked)),
        (401, "Unauthorized: bot was kicked from a chat", Verdict::Unreachable(Blocked)),
        (403, "Forbidden: bot can't send messages to bots", Verdict::Rejected),
        (403, "Forbidden: the bot can't send messages to the bot", Verdict::Rejected),
        (401, "Unauthorized: bot can't send messages to bots", Verdict::Rejected),
        (400, "Bad Request: message is too long", Verdict::Rejected),
        (400, "Bad Request: message text is empty", Verdict::Rejected),
        (400, "", Verdict::Rejected),
        (400, "Bad Request: message is not modified: specified new message content and ...", Verdict::Sent),
        (401, "Unauthorized", Verdict::TokenDead),
        (401, "Unauthorized: invalid token specified", Verdict::TokenDead),
        (404, "Not Found", Verdict::TokenDead),
        (404, "Not Found: method not found", Verdict::Rejected),
        (421, "Misdirected Request: unallowed token specified", Verdict::TokenDead),
        (409, "Conflict: terminated by setWebhook request", Verdict::Failed),
        (500, "Internal Server Error: restart", Verdict::Failed),
        (302, "Found", Verdict::Failed),
    ] {
        assert_eq!(refused(code, description), wanted, "{code} {description}");
    }
}

#[test]
fn the_longer_of_both_waits_is_honoured_and_none_is_no_wait() {
    let said = |header, parameter: &str| match verdict(429, header, parameter) {
        Verdict::RetryAfter(wait) => wait.as_secs(),
        other => panic!("{other:?}"),
    };
    let body = |seconds: i64| format!("{{\"ok\":false,\"parameters\":{{\"retry_after\":{seconds}}}}}");
    assert_eq!(said(Some(3), &body(14)), 14);
    assert_eq!(said(Some(30), &body(14)), 30);
    assert_eq!(said(Some(7), "<html>"), 7);
    assert_eq!(said(None, "{}"), RETRY_AFTER_UNSAID.as_secs());
    assert_eq!(said(None, ""), RETRY_AFTER_UNSAID.as_secs());
    assert_eq!(said(None, &body(0)), 1);
    assert_eq!(said(None, &body(-5)), RETRY_AFTER_UNSAID.as_secs());
    assert_eq!(said(None, &body(i64::MAX)), RETRY_AFTER_MAX.as_secs());
}

#[test]
fn a_damaged_yes_is_unknown_and_a_page_of_a_proxy_is_a_failure() {
    for body in ["", "{\"ok\":tr", "<html>", "{}", "[true]", "{\"ok\":\"true\"}", "{\"result\":true}"] {
        assert_eq!(verdict(200, None, body), Verdict::Unknown, "{body}");
    }
    assert_eq!(verdict(504, None, "<html>"), Verdict::Unknown);
    for status in [301, 400, 401, 403, 404, 502, 503] {
        assert_eq!(verdict(status, None, "<html>"), Verdict::Failed, "{status}");
    }
}

#[test]
fn a_flattened_status_is_read_from_the_body() {
    let blocked = r#"{"ok":false,"error_code":403,"description":"Forbidden: bot was blocked by the user"}"#;
    assert_eq!(verdict(200, None, blocked), Verdict::Unreachable(Unreachable::Blocked));
    let flood = r#"{"ok":false,"error_code":429,"parameters":{"retry_after":9}}"#;
    assert_eq!(verdict(200, None, flood), Verdict::RetryAfter(Duration::from_secs(9)));
    assert_eq!(verdict(200, None, r#"{"ok":false}"#), Verdict::Failed);
}

proptest! {
    #[test]
    fn any_answer_gets_a_verdict_and_sent_needs_a_yes(
        status in any::<u16>(),
        header in any::<Option<u32>>(),
        body in proptest::collection::vec(any::<u8>(), 0..80),
    ) {
        let judged = VerdictReader::new().read(status, header, &mut body.clone());
        let yes = serde_json::from_slice::<Value>(&body).is_ok_and(|body| body["ok"] == true);
        prop_assert!(judged != Verdict::Sent || yes);
    }
}
