//! Webhooks: order, retries, the secret, replies in the answer, the ramp.

mod telegram_support;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nobat_load::telegram::{DeliveryRules, EmulatorConfig, Fault, FaultKind, Limits};
use nobat_load::wire::What;
use serde_json::json;
use telegram_support::{MAIN, OK, Rig, Say, Webhook, status};

#[tokio::test]
async fn an_update_arrives_once_escaped_with_the_secret_on_the_path_it_was_registered_for() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    assert!(!rig.emulator.webhook_ready(0));
    let set = rig.set_webhook(&hook, json!({"secret_token": "s-1_A"})).await;
    assert_eq!(set.json, json!({"ok": true, "result": true, "description": "Webhook was set"}));
    assert!(rig.emulator.webhook_ready(0));
    let id = rig.text(55, "/start نتيجة");
    let delivery = rig.next_delivery().await;
    assert_eq!((delivery.update_id, delivery.attempt, delivery.result), (id, 1, Ok(200)));
    let got = hook.got.lock().unwrap().clone();
    assert_eq!(got.len(), 1);
    assert!(got[0].raw.is_ascii());
    assert_eq!((got[0].secret.as_deref(), got[0].path.as_str()), (Some("s-1_A"), "/hook"));
    let message = &got[0].update["message"];
    assert_eq!((message["text"].as_str(), message["chat"]["id"].as_i64()), (Some("/start نتيجة"), Some(55)));
    assert_eq!(message["entities"], json!([{"offset": 0, "length": 6, "type": "bot_command"}]));
    assert_eq!(message["from"]["language_code"], "ar");
}

#[tokio::test]
async fn setting_the_same_webhook_again_changes_nothing_and_info_tells_the_state() {
    let limits = Limits { set_webhook_every: Duration::ZERO, ..Limits::default() };
    let rig = Rig::new(EmulatorConfig { limits, ..EmulatorConfig::default() });
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({"max_connections": 7})).await;
    let again = rig.set_webhook(&hook, json!({"max_connections": 7})).await;
    assert_eq!(again.json["description"], "Webhook is already set");
    let mut client = rig.client().await;
    let info = client.call(MAIN, "getWebhookInfo", json!({})).await;
    assert_eq!(info.json["result"]["max_connections"], 7);
    assert_eq!(info.json["result"]["url"], format!("http://{}/hook", hook.addr));
    let deleted = client.call(MAIN, "deleteWebhook", json!({})).await;
    assert_eq!(deleted.json["description"], "Webhook was deleted");
    let active = client.call(MAIN, "getUpdates", json!({})).await;
    assert_eq!(active.status, 200);
}

#[tokio::test]
async fn a_chats_next_message_waits_until_the_one_before_was_taken() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let refusals = AtomicUsize::new(0);
    // The first message is refused once: the second must not overtake it.
    let hook = Webhook::start(move |got| {
        let first = got.update["message"]["text"] == "one";
        if first && refusals.fetch_add(1, Ordering::Relaxed) == 0 { status(500) } else { OK }
    })
    .await;
    let (one, two) = (rig.text(5, "one"), rig.text(5, "two"));
    rig.set_webhook(&hook, json!({})).await;
    let mut seen = Vec::new();
    while seen.len() < 3 {
        let d = rig.next_delivery().await;
        seen.push((d.update_id, d.attempt, d.result.unwrap()));
    }
    assert_eq!(seen, [(one, 1, 500), (one, 2, 200), (two, 1, 200)]);
}

#[tokio::test]
async fn a_503_with_retry_after_holds_that_chat_and_no_other() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let refusals = AtomicUsize::new(0);
    let hook = Webhook::start(move |got| {
        let busy = got.update["message"]["text"] == "busy";
        match busy && refusals.fetch_add(1, Ordering::Relaxed) == 0 {
            true => Say { retry_after: Some(1), ..status(503) },
            false => OK,
        }
    })
    .await;
    rig.set_webhook(&hook, json!({})).await;
    let busy = rig.text(5, "busy");
    let refused = rig.next_delivery().await;
    assert_eq!((refused.update_id, refused.result), (busy, Ok(503)));
    let other = rig.text(6, "free");
    assert_eq!(rig.next_delivery().await.update_id, other);
    let again = rig.next_delivery().await;
    assert_eq!((again.update_id, again.attempt, again.result), (busy, 2, Ok(200)));
    assert!(again.sent_at - refused.done_at >= Duration::from_secs(1));
}

#[tokio::test]
async fn connections_start_with_one_and_grow_by_ten_a_period_up_to_the_maximum() {
    let rules = DeliveryRules { ramp_period: Duration::from_secs(3600), ..DeliveryRules::default() };
    let mut rig = Rig::new(EmulatorConfig { delivery: rules, ..EmulatorConfig::default() });
    let hook = Webhook::start(|_| Say { after: Duration::from_millis(20), ..OK }).await;
    for user in 1..=200 {
        rig.text(user, "a");
    }
    rig.set_webhook(&hook, json!({})).await;
    for _ in 0..200 {
        assert_eq!(rig.next_delivery().await.result, Ok(200));
    }
    // One before the first success, ten after it; the next ten would come an hour later.
    assert_eq!(*hook.connections.lock().unwrap(), 11);
}

#[tokio::test]
async fn a_webhook_that_never_answers_times_out_and_the_update_comes_again() {
    let (answer_timeout, slow_period) = (Duration::from_millis(500), Duration::from_millis(1));
    let rules = DeliveryRules { answer_timeout, slow_period, ..DeliveryRules::default() };
    let mut rig = Rig::new(EmulatorConfig { delivery: rules, ..EmulatorConfig::default() });
    let asked = AtomicUsize::new(0);
    let hook = Webhook::start(move |_| match asked.fetch_add(1, Ordering::Relaxed) {
        0 => Say { after: Duration::from_secs(3600), ..OK },
        _ => OK,
    })
    .await;
    rig.set_webhook(&hook, json!({})).await;
    rig.text(5, "a");
    assert_eq!(rig.next_delivery().await.result, Err("read timeout".into()));
    let again = rig.next_delivery().await;
    assert_eq!((again.attempt, again.result), (2, Ok(200)));
    let info = rig.client().await.call(MAIN, "getWebhookInfo", json!({})).await;
    assert_eq!(info.json["result"]["last_error_message"], "Read timeout expired");
}

#[tokio::test]
async fn an_update_nobody_takes_expires_and_the_auditor_is_told() {
    let rules = DeliveryRules { expiry_message: Duration::from_millis(1), ..DeliveryRules::default() };
    let mut rig = Rig::new(EmulatorConfig { delivery: rules, ..EmulatorConfig::default() });
    let id = rig.text(5, "late");
    tokio::time::sleep(Duration::from_millis(5)).await;
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    let dropped = rig.next_delivery().await;
    assert_eq!((dropped.update_id, dropped.attempt), (id, 0));
    assert!(dropped.result.unwrap_err().starts_with("expired"));
    assert!(hook.ids().is_empty());
}

#[tokio::test]
async fn a_method_in_the_webhooks_answer_is_performed() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let body = json!({"method": "sendMessage", "chat_id": 5, "text": "from the answer"}).to_string();
    let hook = Webhook::start(move |_| Say { body: body.clone(), ..OK }).await;
    rig.set_webhook(&hook, json!({})).await;
    rig.next_call().await;
    rig.text(5, "a");
    let call = rig.next_call().await;
    assert_eq!((call.method.as_str(), call.text.as_deref()), ("sendmessage", Some("from the answer")));
    assert!(telegram_support::accepted(&call));
}

#[tokio::test]
async fn a_method_that_may_not_be_a_reply_is_ignored() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let body = json!({"method": "deleteWebhook"}).to_string();
    let hook = Webhook::start(move |_| Say { body: body.clone(), ..OK }).await;
    rig.set_webhook(&hook, json!({})).await;
    rig.text(5, "a");
    rig.next_delivery().await;
    rig.text(5, "b");
    assert_eq!(rig.next_delivery().await.result, Ok(200));
    assert!(rig.emulator.webhook_ready(0));
}

#[tokio::test]
async fn an_update_can_be_delivered_twice_on_request() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    rig.emulator.fault(Fault::new(FaultKind::DuplicateUpdate).count(1));
    let id = rig.text(5, "a");
    let seen = [rig.next_delivery().await, rig.next_delivery().await].map(|d| (d.update_id, d.attempt));
    assert_eq!(seen, [(id, 1), (id, 2)]);
    assert_eq!(hook.ids(), [id, id]);
}

#[tokio::test]
async fn a_callback_can_overtake_the_message_before_it_on_request() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    rig.emulator.fault(Fault::new(FaultKind::HoldUpdate { hold_ms: 3_600_000 }).method("message").count(1));
    rig.text(5, "a");
    let press = What::Press { data: "y".into(), message_id: 1, callback_id: String::new() };
    let callback = rig.submit(5, press);
    assert_eq!(rig.next_delivery().await.update_id, callback);
    assert_eq!(rig.emulator.queue_len(0), 1, "the message waits for an hour");
}

#[tokio::test]
async fn an_https_webhook_needs_to_be_told_where_to_go() {
    let rig = Rig::new(EmulatorConfig::default());
    let url = json!({"url": "https://bot.example.org/hook"});
    let refused = rig.client().await.call(MAIN, "setWebhook", url.clone()).await;
    assert_eq!(refused.status, 400);
    let again = rig.client().await.call(MAIN, "setWebhook", url.clone()).await;
    assert_eq!((again.status, again.retry_after.as_deref()), (429, Some("1")), "one a second");
    let hook = Webhook::start(|_| OK).await;
    let mut rig = Rig::new(EmulatorConfig { webhook_via: Some(hook.addr), ..EmulatorConfig::default() });
    assert_eq!(rig.client().await.call(MAIN, "setWebhook", url).await.status, 200);
    rig.text(5, "a");
    assert_eq!(rig.next_delivery().await.result, Ok(200));
}
