//! RFC 9110 9 and 15: methods, and which status says what.

use crate::case::{Case, update, whole_update};
use crate::framing::BODY;
use crate::server::SECRET;

pub(crate) fn cases() -> Vec<Case> {
    [known(), unknown(), webhook()].concat()
}

fn known() -> Vec<Case> {
    let mut cases = Vec::new();
    for (section, method, path, status) in [
        ("9110 9.3.1", "GET", "/", 200),
        ("9110 9.3.1", "GET", "/health", 200),
        ("9110 9.3.1", "GET", "/readyz", 200),
        ("9110 9.3.1", "GET", "/stats", 200),
        ("9110 9.3.2", "HEAD", "/", 200),
        ("9110 9.3.2", "HEAD", "/healthz", 200),
        ("9110 9.3.2", "HEAD", "/nowhere", 404),
        ("9110 9.3.2", "HEAD", "/webhook", 405),
        ("9110 9.3.7", "OPTIONS", "/healthz", 200),
        ("9110 9.3.7", "OPTIONS", "/webhook", 200),
        ("9110 9.3.7", "OPTIONS", "/nowhere", 404),
        ("9110 15.5.6", "GET", "/webhook", 405),
        ("9110 15.5.6", "PUT", "/webhook", 405),
        ("9110 15.5.6", "DELETE", "/webhook", 405),
        ("9110 15.5.6", "PATCH", "/webhook", 405),
        ("9110 15.5.6", "POST", "/healthz", 405),
        ("9110 15.5.6", "PUT", "/healthz", 405),
        ("9110 9.3.8", "TRACE", "/healthz", 405),
        ("9110 9.3.8", "TRACE", "/webhook", 405),
        ("9110 15.5.5", "GET", "/nowhere", 404),
        ("9110 15.5.5", "POST", "/webhookx", 404),
        ("9110 15.5.5", "POST", "/webhook/2", 404),
        ("9110 15.5.5", "POST", "/webhook/1000001/", 404),
        ("9110 15.5.5", "GET", "/metrics", 404),
    ] {
        let text = format!("{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n");
        cases.push(Case::new(section, text, status));
    }
    cases
}

fn unknown() -> Vec<Case> {
    let mut cases = Vec::new();
    for method in [
        "get",
        "Get",
        "gET",
        "post",
        "GETT",
        "GE",
        "G",
        "BREW",
        "PROPFIND",
        "MKCOL",
        "LOCK",
        "PURGE",
        "SUBSCRIBE",
        "QUERY",
        "X-Y",
        "GET1",
        "1GET",
        "!#$%&'*+-.^_`|~",
    ] {
        cases.push(Case::new("9110 9.1", format!("{method} /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), 501));
    }
    cases.push(Case::new("9110 9.1", format!("{} / HTTP/1.1\r\nHost: x\r\n\r\n", "A".repeat(1_000)), 501));
    cases.push(Case::new("9110 9.3.6", "CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n", 501));
    cases.push(Case::new("9110 9.3.6", "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n", 501));
    for bad in
        ["G(T", "G@T", "G\"T", "G[T", "G{T", "G/T", "G:T", "G,T", "GÉT", "G\u{0}T", "G\u{7f}T", "<GET>"]
    {
        cases.push(Case::new("9110 9.1", format!("{bad} /healthz HTTP/1.1\r\nHost: x\r\n\r\n"), 400));
    }
    cases
}

fn webhook() -> Vec<Case> {
    let typed = |lines: &str| {
        format!(
            "POST /webhook HTTP/1.1\r\nHost: x\r\nX-Telegram-Bot-Api-Secret-Token: {SECRET}\r\n\
             Content-Length: 15\r\n{lines}\r\n{BODY}"
        )
    };
    let signed =
        |value: &str| format!("POST /webhook HTTP/1.1\r\nHost: x\r\n{value}Content-Length: 15\r\n\r\n{BODY}");
    let mut cases = vec![
        Case::new("9110 9.3.3", whole_update(BODY).replace("/webhook", "/webhook/"), 200),
        Case::new("9110 9.3.3", whole_update(BODY).replace("/webhook", "/webhook/1000001"), 200),
        Case::new("9110 9.3.3", whole_update(BODY).replace("/webhook", "/webhook?a=b"), 200),
        Case::new("9110 9.3.3", whole_update(BODY).replace("/webhook", "http://x/webhook"), 200),
        Case::new("9110 15.5.1", whole_update("{\"update_id\":}"), 400).stays(),
        Case::new("9110 8.4", update("Content-Encoding: gzip\r\nContent-Length: 15\r\n", BODY), 415).closes(),
        Case::new("9110 8.4", update("Content-Encoding: br, gzip\r\nContent-Length: 15\r\n", BODY), 415)
            .closes(),
        Case::new("9110 8.4", update("Content-Encoding: identity\r\nContent-Length: 15\r\n", BODY), 200),
    ];
    for (lines, status) in [
        ("", 200),
        ("Content-Type: application/json\r\n", 200),
        ("Content-Type: Application/JSON; charset=utf-8\r\n", 200),
        ("Content-Type: application/json;\r\n", 200),
        ("Content-Type: text/plain\r\n", 415),
        ("Content-Type: application/x-www-form-urlencoded\r\n", 415),
        ("Content-Type: multipart/form-data; boundary=x\r\n", 415),
        ("Content-Type: application/jsonx\r\n", 415),
        ("Content-Type: json\r\n", 415),
        ("Content-Type:\r\n", 415),
        ("Content-Type: application/json\r\nContent-Type: text/plain\r\n", 415),
    ] {
        cases.push(Case::new("9110 15.5.16", typed(lines), status));
    }
    for value in [
        "",
        "X-Telegram-Bot-Api-Secret-Token:\r\n",
        "X-Telegram-Bot-Api-Secret-Token: wrong\r\n",
        "X-Telegram-Bot-Api-Secret-Token: probe-Secret_\r\n",
        "X-Telegram-Bot-Api-Secret-Token: probe-Secret_11\r\n",
        "X-Telegram-Bot-Api-Secret-Token: PROBE-SECRET_1\r\n",
        "X-Telegram-Bot-Api-Secret-Token: probe-Secret_1\r\nX-Telegram-Bot-Api-Secret-Token: probe-Secret_1\r\n",
    ] {
        cases.push(Case::new("9110 15.5.2", signed(value), 401));
    }
    cases
}
