//! The emulator's refusals against recorded ones, byte for byte.

mod telegram_support;

use std::time::Duration;

use hyper::Method;
use nobat_load::telegram::{EmulatorConfig, Fault, FaultKind, Form, Limits, Reach};
use serde_json::{Value, json};
use telegram_support::{Answer, Client, LANE, MAIN, Rig};

/// Calls that must end in the recorded words. `None`: nobody knows how to provoke them.
async fn provoke(description: &str) -> Option<Answer> {
    let limits = Limits { set_webhook_every: Duration::ZERO, ..Limits::default() };
    let reach = Reach::MainOnly;
    let form = if description.starts_with("Forbidden") { Form::Forbidden } else { Form::NotFound };
    let rig = Rig::new(EmulatorConfig { limits, reach, unreachable_form: form, ..EmulatorConfig::default() });
    let mut client = rig.client().await;
    let words = description.split_once(": ").map_or(description, |(_, words)| words);
    if let Some(answer) = token_words(&mut client, description).await {
        return Some(answer);
    }
    if description.starts_with("Conflict") {
        return Some(conflict(rig, words).await);
    }
    let send = |more: Value| {
        let mut params = json!({"chat_id": 5, "text": "a"});
        if let (Value::Object(params), Value::Object(more)) = (&mut params, more) {
            params.extend(more);
        }
        params
    };
    let button = |button: Value| send(json!({"reply_markup": {"inline_keyboard": [[button]]}}));
    let hook = |secret: &str| json!({"url": "http://127.0.0.1:9/hook", "secret_token": secret});
    let (token, method, params) = match words {
        "message is too long" => (MAIN, "sendMessage", send(json!({"text": "ي".repeat(4_097)}))),
        "retry after 14" => {
            rig.emulator.fault(Fault::new(FaultKind::TooMany { retry_after: 14 }));
            (MAIN, "sendMessage", send(json!({})))
        }
        "wrong file_id or the file is temporarily unavailable" => {
            let sent = client.call(MAIN, "sendPhoto", json!({"chat_id": 5, "photo": "AgAD"})).await;
            assert_eq!(sent.status, 200);
            (MAIN, "getFile", json!({"file_id": "EMU1-0"}))
        }
        "chat not found" | "bot can't initiate conversation with a user" => {
            (LANE, "sendMessage", send(json!({})))
        }
        "chat_id is empty" => (MAIN, "sendMessage", json!({"text": "a"})),
        "there are no administrators in the private chat" => {
            (MAIN, "getChatAdministrators", json!({"chat_id": 5}))
        }
        "invalid webhook URL specified" => (MAIN, "setWebhook", json!({"url": "nonsense"})),
        "secret token is too long" => (MAIN, "setWebhook", hook(&"x".repeat(257))),
        "secret token contains unallowed characters" => (MAIN, "setWebhook", hook("a b")),
        "bot was blocked by the user" => {
            rig.emulator.set_reach(0, 5, false);
            (MAIN, "sendMessage", send(json!({})))
        }
        "message to delete not found" => (MAIN, "deleteMessage", json!({"chat_id": 5, "message_id": 1})),
        "message can't be edited" => {
            rig.text(5, "mine");
            let got = client.call(MAIN, "getUpdates", json!({})).await;
            let id = &got.json["result"][0]["message"]["message_id"];
            (MAIN, "editMessageText", json!({"chat_id": 5, "message_id": id, "text": "a"}))
        }
        "message identifier is not specified" => {
            (MAIN, "editMessageText", json!({"chat_id": 5, "text": "a"}))
        }
        "BUTTON_DATA_INVALID" => (MAIN, "sendMessage", button(json!({"text": "a", "callback_data": ""}))),
        _ if words.starts_with("can't parse inline keyboard button") => {
            (MAIN, "sendMessage", button(json!({"text": "a"})))
        }
        _ if words.starts_with("message is not modified") => {
            let id = client.send(MAIN, 5, "a").await.message_id();
            (MAIN, "editMessageText", json!({"chat_id": 5, "message_id": id, "text": "a"}))
        }
        _ => return None,
    };
    Some(client.call(token, method, params).await)
}

/// Words about the path: the token and the method.
async fn token_words(client: &mut Client, description: &str) -> Option<Answer> {
    let path = match description {
        "Not Found" => "/",
        "Not Found: method not found" => "/bot1000001:MAIN/noSuchMethod",
        "Unauthorized: invalid token specified" => "/botnocolon/getMe",
        "Misdirected Request: unallowed token specified" => "/botx:y/getMe",
        _ => return None,
    };
    client.request(Method::GET, path, None, "".into()).await.ok()
}

async fn poll(mut client: Client) -> Answer {
    client.call(MAIN, "getUpdates", json!({"timeout": 30})).await
}

/// A long poll that is ended by another call.
async fn conflict(rig: Rig, words: &str) -> Answer {
    let polls = [rig.client().await, rig.client().await].map(|client| tokio::spawn(poll(client)));
    // One of them ends the other; the one that is left is known to wait.
    let [mut one, mut two] = polls;
    let (ended, left) = tokio::select! {
        ended = &mut one => (ended, two),
        ended = &mut two => (ended, one),
    };
    if words.starts_with("terminated by other") {
        left.abort();
        return ended.expect("polled");
    }
    rig.client().await.call(MAIN, "setWebhook", json!({"url": "http://127.0.0.1:9/hook"})).await;
    left.await.expect("polled")
}

#[tokio::test]
async fn every_recorded_refusal_is_provoked_and_has_the_recorded_bytes() {
    let recorded = include_str!("../testdata/answers.jsonl");
    assert!(recorded.lines().count() >= 20);
    for line in recorded.lines() {
        let line: Value = serde_json::from_str(line).expect("a record");
        let body = line["body"].as_str().expect("a body");
        let told: Value = serde_json::from_str(body).expect("a refusal");
        let description = told["description"].as_str().expect("a description");
        let answer = provoke(description).await.unwrap_or_else(|| panic!("nothing provokes {description:?}"));
        assert_eq!(answer.raw, body);
        assert_eq!(answer.status, line["status"]);
        assert_eq!(answer.retry_after.as_deref(), line["retry_after"].as_str(), "{description}");
    }
}
