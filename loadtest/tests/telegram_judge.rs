//! Ways to fool the judge, each tried: a send that is spelled, routed or timed otherwise still counts.

mod telegram_support;

use std::time::Duration;

use hyper::Method;
use nobat_load::telegram::{Defiance, EmulatorConfig, Fault, FaultKind, Latency, Limits, Window};
use nobat_load::wire::{At, Call, Outcome, Scope};
use serde_json::json;
use telegram_support::{LANE, MAIN, OK, Rig, Say, Webhook, accepted};

const HOUR: Duration = Duration::from_secs(3600);

/// Room for `count` messages an hour: no test here depends on how fast the machine is.
fn hourly(count: usize) -> EmulatorConfig {
    let token = Some(Window { count, per: HOUR });
    let limits = Limits { token, chat: None, defiance: Defiance::Count, ..Limits::default() };
    EmulatorConfig { limits, ..EmulatorConfig::default() }
}

async fn calls(rig: &mut Rig, n: usize) -> Vec<Call> {
    let mut calls = Vec::new();
    while calls.len() < n {
        calls.push(rig.next_call().await);
    }
    calls
}

/// The most accepted in any span of one second, counted the slow way.
fn fullest_second(accepted: &[At]) -> usize {
    let within =
        |i: usize| accepted[i..].iter().take_while(|&&t| t < accepted[i] + Duration::from_secs(1)).count();
    (0..accepted.len()).map(within).max().unwrap_or(0)
}

#[tokio::test]
async fn every_method_that_makes_a_message_takes_room() {
    let photo = json!({"chat_id": 5, "photo": "AgAD"});
    let invoice = json!({"chat_id": 5, "title": "t", "description": "d", "payload": "p", "currency": "XTR",
                         "prices": [{"label": "l", "amount": 1}]});
    let album =
        json!({"chat_id": 5, "media": [{"type": "photo", "media": "a"}, {"type": "photo", "media": "b"}]});
    let mut rig = Rig::new(hourly(9));
    let mut client = rig.client().await;
    let id = client.send(MAIN, 5, "a").await.message_id();
    let transfer = json!({"chat_id": 6, "from_chat_id": 5, "message_id": id});
    let many = json!({"chat_id": 6, "from_chat_id": 5, "message_ids": [id]});
    for (method, params) in [
        ("copyMessage", transfer.clone()),
        ("forwardMessage", transfer),
        ("copyMessages", many),
        ("sendPhoto", photo),
        ("sendInvoice", invoice),
        ("sendDice", json!({"chat_id": 5})),
        ("sendMediaGroup", album),
    ] {
        assert_eq!(client.call(MAIN, method, params).await.status, 200, "{method}");
    }
    assert_eq!(client.send(MAIN, 7, "a").await.status, 429, "nine are out");
    assert_eq!(rig.emulator.totals().accepted, 9);
    let last = calls(&mut rig, 9).await.pop().unwrap();
    assert!(matches!(last.outcome, Outcome::TooMany { scope: Scope::Token, .. }));
}

#[tokio::test]
async fn other_spellings_of_method_token_and_chat_are_the_same_bot_and_chat() {
    let limits = Limits { defiance: Defiance::Count, ..Limits::default() };
    let mut rig = Rig::new(EmulatorConfig { limits, ..EmulatorConfig::default() });
    let mut client = rig.client().await;
    let ask = [
        ("/bot1000001:MAIN/SENDMESSAGE", r#"{"chat_id":5,"text":"a"}"#),
        ("/bot1000001%3AMAIN/sendmessage", r#"{"chat_id":"5","text":"a"}"#),
        ("/bot1000001%3aMAIN/SendMessage", r#"{"chat_id":" 5 ","text":"a"}"#),
        ("/bot1000001:MAIN/sendMessage?text=a", r#"{"chat_id":"+5"}"#),
    ];
    let mut statuses = Vec::new();
    for (path, body) in ask {
        let kind = Some("application/json");
        statuses.push(client.request(Method::POST, path, kind, body.into()).await.unwrap().status);
    }
    assert_eq!(statuses, [200, 200, 200, 429], "a chat takes three at once, however it is written");
    for call in calls(&mut rig, 4).await {
        assert_eq!((call.bot, call.method.as_str(), call.chat), (0, "sendmessage", Some(5)));
    }
}

#[tokio::test]
async fn a_send_in_a_webhooks_answer_takes_room() {
    let mut rig = Rig::new(hourly(1));
    let body = json!({"method": "SendMessage", "chat_id": 5, "text": "a"}).to_string();
    let hook = Webhook::start(move |_| Say { body: body.clone(), ..OK }).await;
    rig.set_webhook(&hook, json!({})).await;
    rig.text(5, "one");
    let reply = calls(&mut rig, 2).await.pop().unwrap();
    assert!(accepted(&reply));
    assert_eq!(rig.client().await.send(MAIN, 6, "a").await.status, 429);
}

#[tokio::test]
async fn a_send_whose_answer_was_lost_takes_room_and_one_that_reached_nobody_does_not() {
    let rig = Rig::new(hourly(1));
    rig.emulator.set_reach(0, 9, false);
    let mut client = rig.client().await;
    assert_eq!(client.send(MAIN, 9, "a").await.status, 403);
    rig.emulator.fault(Fault::new(FaultKind::LostAnswer { hold_ms: Some(1) }).count(1));
    let params = json!({"chat_id": 5, "text": "a"});
    assert!(client.try_call(MAIN, "sendMessage", params).await.is_err());
    assert_eq!(rig.client().await.send(MAIN, 6, "a").await.status, 429);
}

#[tokio::test]
async fn many_connections_at_once_do_not_get_more_through_than_one() {
    let mut rig = Rig::new(hourly(30));
    let mut senders = tokio::task::JoinSet::new();
    for connection in 0..16i64 {
        let mut client = rig.client().await;
        senders.spawn(async move {
            for i in 0..5 {
                client.send(MAIN, 100 + connection * 10 + i, "a").await;
            }
        });
    }
    senders.join_all().await;
    let calls = calls(&mut rig, 80).await;
    assert_eq!(calls.iter().filter(|c| accepted(c)).count(), 30);
    assert!(calls.is_sorted_by_key(|c| c.decided_at), "decided in the order they are told");
}

#[tokio::test]
async fn the_limit_counts_decisions_not_arrivals_under_jitter() {
    let latency = Latency::LogNormal { median: Duration::from_millis(20), sigma: 1.0 };
    let limits = Limits { chat: None, defiance: Defiance::Count, excuse: HOUR, ..Limits::default() };
    let mut rig = Rig::new(EmulatorConfig { latency, limits, ..EmulatorConfig::default() });
    let mut senders = tokio::task::JoinSet::new();
    for connection in 0..20i64 {
        let mut client = rig.client().await;
        senders.spawn(async move {
            for i in 0..6 {
                client.send(MAIN, 100 + connection * 10 + i, "a").await;
            }
        });
    }
    senders.join_all().await;
    let calls = calls(&mut rig, 120).await;
    assert!(calls.is_sorted_by_key(|c| c.decided_at));
    assert!(calls.iter().any(|c| c.decided_at > c.arrived_at));
    let times: Vec<At> = calls.iter().filter(|c| accepted(c)).map(|c| c.decided_at).collect();
    assert!(fullest_second(&times) <= 30);
    // And not one send too few: a refusal outside of a wait stands on a full second.
    let (mut accepted, mut wait_until) = (Vec::new(), Duration::ZERO);
    for call in &calls {
        let at = call.decided_at;
        match call.outcome {
            Outcome::TooMany { retry_after, .. } if at >= wait_until => {
                let within = accepted.iter().filter(|&&t| t + Duration::from_secs(1) > at).count();
                assert_eq!(within, 30);
                wait_until = at + Duration::from_secs(retry_after.into());
            }
            Outcome::TooMany { .. } => {}
            _ => accepted.push(at),
        }
    }
}

#[tokio::test]
async fn a_wait_of_one_token_is_no_wait_of_another() {
    let rig = Rig::new(hourly(1));
    let mut client = rig.client().await;
    assert_eq!(client.send(MAIN, 5, "a").await.status, 200);
    assert_eq!(client.send(MAIN, 6, "a").await.status, 429);
    assert_eq!(client.send(LANE, 6, "a").await.status, 200);
}

#[tokio::test]
async fn a_planted_31st_send_is_seen_by_the_count_the_tests_use() {
    let ms = |n: u64| Duration::from_millis(n);
    let mut times: Vec<At> = (0..30).map(|i| ms(i * 33)).collect();
    assert_eq!(fullest_second(&times), 30);
    times.push(ms(999));
    assert_eq!(fullest_second(&times), 31);
}
