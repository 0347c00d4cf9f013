//! Faults on request, and what the auditor is told about them.

mod telegram_support;

use std::time::Duration;

use hyper::Method;
use nobat_load::telegram::{Defiance, EmulatorConfig, Fault, FaultKind, Latency, Limits, Window};
use nobat_load::wire::{Outcome, Scope, Wire};
use serde_json::json;
use telegram_support::{LANE, MAIN, Rig};

fn rig() -> Rig {
    Rig::new(EmulatorConfig::default())
}

#[tokio::test]
async fn a_429_storm_announces_its_wait_and_sees_who_defies_it() {
    let limits = Limits { excuse: Duration::ZERO, defiance: Defiance::Count, ..Limits::default() };
    let mut rig = Rig::new(EmulatorConfig { limits, ..EmulatorConfig::default() });
    rig.emulator.fault(Fault::new(FaultKind::TooMany { retry_after: 60 }).bot(0).count(1));
    let mut client = rig.client().await;
    let refused = client.send(MAIN, 5, "a").await;
    assert_eq!((refused.status, refused.retry_after.as_deref()), (429, Some("60")));
    assert_eq!(client.send(LANE, 5, "a").await.status, 200, "the other bot is free");
    assert_eq!(client.send(MAIN, 6, "a").await.status, 429);
    let first = rig.next_call().await;
    let scope = Scope::Injected;
    assert_eq!(first.outcome, Outcome::TooMany { retry_after: 60, scope, defiance: false });
    rig.next_call().await;
    assert!(matches!(rig.next_call().await.outcome, Outcome::TooMany { defiance: true, .. }));
    assert_eq!(rig.emulator.totals().defiance, 1);
}

#[tokio::test]
async fn each_answer_fault_looks_as_it_should_and_takes_no_effect() {
    let restart = FaultKind::Status { code: 500, description: "Internal Server Error: restart".into() };
    for (kind, status, content_type) in [
        (restart, 500, "application/json"),
        (FaultKind::Html502, 502, "text/html"),
        (FaultKind::Revoked, 401, "application/json"),
    ] {
        let mut rig = rig();
        rig.emulator.fault(Fault::new(kind.clone()).method("sendMessage").count(1));
        let mut client = rig.client().await;
        let answer = client.send(MAIN, 5, "a").await;
        assert_eq!((answer.status, answer.content_type.as_str()), (status, content_type));
        assert_eq!(client.send(MAIN, 5, "a").await.status, 200, "it struck once");
        assert_eq!(rig.next_call().await.outcome, Outcome::Faulted { what: kind.name() });
        assert_eq!(rig.emulator.totals().accepted, 1);
    }
}

#[tokio::test]
async fn a_reset_ends_the_connection_and_nothing_took_effect() {
    let mut rig = rig();
    rig.emulator.fault(Fault::new(FaultKind::Reset).count(1));
    let mut client = rig.client().await;
    let params = json!({"chat_id": 5, "text": "a"});
    assert!(client.try_call(MAIN, "sendMessage", params).await.is_err());
    let call = rig.next_call().await;
    assert_eq!(
        (call.outcome, call.answered_at),
        (Outcome::Faulted { what: "connection reset".into() }, None)
    );
    assert_eq!(rig.emulator.totals().accepted, 0);
}

#[tokio::test]
async fn a_lost_answer_took_effect_and_says_so_to_the_auditor_alone() {
    let mut rig = rig();
    rig.emulator.fault(Fault::new(FaultKind::LostAnswer { hold_ms: Some(10) }).count(1));
    let mut client = rig.client().await;
    let params = json!({"chat_id": 5, "text": "a"});
    assert!(client.try_call(MAIN, "sendMessage", params).await.is_err());
    let call = rig.next_call().await;
    assert!(matches!(call.outcome, Outcome::AcceptedUnanswered { message_id: Some(_) }));
    assert_eq!(call.answered_at, None);
    assert_eq!(rig.emulator.totals().accepted, 1);
}

#[tokio::test]
async fn half_a_json_is_a_200_that_cannot_be_read() {
    let mut rig = rig();
    rig.emulator.fault(Fault::new(FaultKind::HalfJson).count(1));
    let answer = rig.client().await.send(MAIN, 5, "a").await;
    assert_eq!(answer.status, 200);
    assert!(serde_json::from_slice::<serde_json::Value>(&answer.raw).is_err());
    assert!(matches!(rig.next_call().await.outcome, Outcome::AcceptedUnanswered { .. }));
}

#[tokio::test]
async fn a_hang_never_answers_while_others_are_served() {
    let mut rig = rig();
    rig.emulator.fault(Fault::new(FaultKind::Hang { hold_ms: None }).count(1));
    let mut client = rig.client().await;
    let hanging = tokio::spawn(async move { client.try_call(MAIN, "getMe", json!({})).await });
    assert_eq!(rig.next_call().await.outcome, Outcome::Faulted { what: "hang".into() });
    assert_eq!(rig.client().await.call(MAIN, "getMe", json!({})).await.status, 200);
    assert!(!hanging.is_finished());
    hanging.abort();
}

#[tokio::test]
async fn latency_lies_half_before_and_half_after_the_decision() {
    let latency = Latency::Constant(Duration::from_millis(200));
    let mut rig = Rig::new(EmulatorConfig { latency, ..EmulatorConfig::default() });
    let before = rig.emulator.now();
    rig.client().await.send(MAIN, 5, "a").await;
    let took = rig.emulator.now() - before;
    let call = rig.next_call().await;
    assert!(took >= Duration::from_millis(200), "{took:?}");
    assert!(call.decided_at - call.arrived_at >= Duration::from_millis(100));
    assert_eq!(call.answered_at.unwrap() - call.decided_at, Duration::from_millis(100));
}

#[tokio::test]
async fn a_call_is_decided_even_if_the_caller_hangs_up() {
    let latency = Latency::Constant(Duration::from_millis(800));
    let mut rig = Rig::new(EmulatorConfig { latency, ..EmulatorConfig::default() });
    let mut client = rig.client().await;
    let call = client.call(MAIN, "sendMessage", json!({"chat_id": 5, "text": "a"}));
    let given_up = tokio::time::timeout(Duration::from_millis(200), call).await;
    assert!(given_up.is_err());
    drop(client);
    assert!(telegram_support::accepted(&rig.next_call().await));
}

#[tokio::test]
async fn the_silent_delay_holds_a_send_instead_of_refusing_it() {
    let limits = Limits { silent_delay: Duration::from_secs(8), ..Limits::default() };
    let mut rig = Rig::new(EmulatorConfig { limits, ..EmulatorConfig::default() });
    let mut client = rig.client().await;
    for _ in 0..4 {
        assert_eq!(client.send(MAIN, 5, "a").await.status, 200, "held, not refused");
    }
    let mut last = rig.next_call().await;
    for _ in 0..3 {
        last = rig.next_call().await;
    }
    assert!(last.decided_at - last.arrived_at >= Duration::from_millis(900), "{last:?}");
}

#[tokio::test]
async fn faults_are_set_and_lifted_through_the_control_endpoint() {
    let mut rig = rig();
    let mut client = rig.client().await;
    let fault =
        json!({"kind": "status", "code": 500, "description": "Internal Server Error: restart", "bot": 0});
    let path = "/_emulator/fault";
    let set = client.request(Method::POST, path, None, fault.to_string().into()).await.unwrap();
    assert_eq!(set.status, 200, "{set:?}");
    assert_eq!(client.call(MAIN, "getMe", json!({})).await.status, 500);
    client.request(Method::DELETE, path, None, "".into()).await.unwrap();
    assert_eq!(client.call(MAIN, "getMe", json!({})).await.status, 200);
    let fault = |e| if let Wire::Fault { what, .. } = e { Some(what) } else { None };
    assert_eq!(rig.next(fault).await, "on: status 500, bot 0");
    assert_eq!(rig.next(fault).await, "off: status 500, bot 0");
    let bad = client.request(Method::POST, path, None, "{\"kind\":\"nope\"}".into()).await.unwrap();
    assert_eq!(bad.status, 400);
    for wrong in [json!({"kind": "reset", "bot": 9}), json!({"kind": "reset", "metod": "sendMessage"})] {
        assert_eq!(
            client.request(Method::POST, path, None, wrong.to_string().into()).await.unwrap().status,
            400
        );
    }
}

#[tokio::test]
async fn numbers_beyond_reason_are_taken_without_a_panic() {
    let mut rig = rig();
    let mut client = rig.client().await;
    let huge = u64::MAX;
    for fault in [
        json!({"kind": "slow", "extra_ms": huge, "method": "sendDice"}),
        json!({"kind": "hold_update", "hold_ms": huge, "from_ms": 0, "until_ms": huge}),
        json!({"kind": "hang", "hold_ms": huge, "method": "getChat"}),
        json!({"kind": "too_many", "retry_after": u32::MAX, "method": "sendPoll"}),
    ] {
        let body = fault.to_string().into();
        assert_eq!(client.request(Method::POST, "/_emulator/fault", None, body).await.unwrap().status, 200);
    }
    rig.text(5, "held for ever");
    let mut waiting = Vec::new();
    for method in ["sendDice", "getChat", "sendPoll"] {
        let mut client = rig.client().await;
        waiting.push(tokio::spawn(async move { client.try_call(MAIN, method, json!({"chat_id": 5})).await }));
    }
    // Two of the three are told: the slow one is not decided for years.
    let told = [rig.next_call().await.method, rig.next_call().await.method];
    assert!(told.contains(&"getchat".into()) && told.contains(&"sendpoll".into()), "{told:?}");
    for chat in [i64::MIN, i64::MAX, -1] {
        assert!(client.send(MAIN, chat, "a").await.status >= 200);
    }
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_faults_beginning_and_end_are_told_when_they_come() {
    let mut rig = rig();
    let now = rig.emulator.now();
    let (from, until) = (now + Duration::from_millis(50), now + Duration::from_millis(100));
    rig.emulator.fault(Fault::new(FaultKind::Revoked).bot(1).from(from).until(until));
    let fault = |e| if let Wire::Fault { at, what } = e { Some((at, what)) } else { None };
    let (on_at, on) = rig.next(fault).await;
    let (off_at, off) = rig.next(fault).await;
    assert_eq!((on.as_str(), off.as_str()), ("on: 401 revoked, bot 1", "off: 401 revoked, bot 1"));
    let ms = Duration::from_millis(1);
    assert!(on_at + ms >= from && off_at + ms >= until, "{on_at:?} {off_at:?}");
}

#[tokio::test]
async fn users_act_through_the_control_endpoint() {
    let mut rig = rig();
    let mut client = rig.client().await;
    let mut post = async |path: &str, body: serde_json::Value| {
        client.request(Method::POST, path, None, body.to_string().into()).await.unwrap()
    };
    let made = post("/_emulator/update", json!({"user": 5, "text": "/start"})).await;
    let id = made.json["result"]["update_id"].as_i64().unwrap();
    let update = |e| if let Wire::Update(u) = e { Some((u.update_id, u.user, u.chat)) } else { None };
    assert_eq!(rig.next(update).await, (id, 5, 5));
    assert_eq!(post("/_emulator/update", json!({"user": 5})).await.status, 400);
    assert_eq!(post("/_emulator/update", json!({"user": 5, "bot": 7, "text": "a"})).await.status, 400);
    assert_eq!(post("/_emulator/reach", json!({"bot": 1, "user": 5, "reachable": false})).await.status, 200);
    assert_eq!(client.send(LANE, 5, "a").await.status, 403);
    let status = client.request(Method::GET, "/_emulator/status", None, "".into()).await.unwrap();
    assert_eq!(status.json["result"]["updates"], 1);
}

#[tokio::test]
async fn tokens_never_seen_before_are_limited_when_asked_for() {
    let first_use = Some(Window { count: 2, per: Duration::from_secs(60) });
    let limits = Limits { first_use, ..Limits::default() };
    let rig = Rig::new(EmulatorConfig { limits, ..EmulatorConfig::default() });
    let mut client = rig.client().await;
    let mut ask = async |token: &str| client.call(token, "getMe", json!({})).await.status;
    assert_eq!([ask(MAIN).await, ask(MAIN).await, ask("77:GUESS").await], [200, 200, 401]);
    assert_eq!([ask("78:GUESS").await, ask(LANE).await, ask(MAIN).await], [429, 429, 200]);
}

#[tokio::test]
async fn stopping_frees_the_port() {
    let rig = rig();
    let addr = rig.emulator.addr();
    rig.emulator.stop().await;
    assert!(std::net::TcpListener::bind(addr).is_ok());
}
