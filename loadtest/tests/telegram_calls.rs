//! Calls: every form clients send, the platform's own error bodies, limits and reach as seen from outside.

mod telegram_support;

use hyper::Method;
use nobat_load::telegram::{EmulatorConfig, Form, Limits, Reach};
use nobat_load::wire::{Outcome, Scope, What, Wire};
use serde_json::json;
use telegram_support::{LANE, MAIN, Rig};

#[tokio::test]
async fn get_me_names_the_bot_of_the_token() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let me = client.request(Method::GET, &format!("/bot{LANE}/getMe"), None, "".into()).await.unwrap();
    assert_eq!((me.status, me.json["result"]["id"].as_u64()), (200, Some(1_000_002)));
    assert_eq!(me.json["result"]["username"], "bot1000002_bot");
}

#[tokio::test]
async fn the_four_forms_of_a_call_mean_the_same() {
    let mut rig = Rig::new(EmulatorConfig { limits: Limits::none(), ..EmulatorConfig::default() });
    let mut client = rig.client().await;
    let markup =
        r#"{"inline_keyboard":[[{"text":"نعم","callback_data":"y"},{"text":"site","url":"https://e.org"}]]}"#;
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("chat_id", "77"), ("text", "درجتك ٩٠"), ("reply_markup", markup)])
        .finish();
    let multipart: String = [("chat_id", "77"), ("text", "درجتك ٩٠"), ("reply_markup", markup)]
        .iter()
        .map(|(n, v)| format!("--B\r\nContent-Disposition: form-data; name=\"{n}\"\r\n\r\n{v}\r\n"))
        .chain(["--B--\r\n".to_owned()])
        .collect();
    let object = json!({
        "chat_id": 77, "text": "درجتك ٩٠",
        "reply_markup": serde_json::from_str::<serde_json::Value>(markup).unwrap(),
    });
    let path = format!("/bot{MAIN}/sendMessage");
    let forms = [
        (Method::POST, path.clone(), Some("application/json"), object.to_string()),
        (Method::POST, path.clone(), Some("application/x-www-form-urlencoded"), query.clone()),
        (Method::POST, path.clone(), Some("multipart/form-data; boundary=B"), multipart),
        (Method::GET, format!("{path}?{query}"), None, String::new()),
    ];
    for (method, path, kind, body) in forms {
        let answer = client.request(method, &path, kind, body.into()).await.unwrap();
        assert_eq!(answer.status, 200, "{kind:?}: {answer:?}");
        assert!(answer.raw.is_ascii(), "the platform escapes what is not ASCII");
        let message = &answer.json["result"];
        assert_eq!(message["text"], "درجتك ٩٠");
        assert_eq!(message["reply_markup"]["inline_keyboard"][0][0]["text"], "نعم");
        let call = rig.next_call().await;
        assert_eq!((call.method.as_str(), call.chat), ("sendmessage", Some(77)));
        assert_eq!(call.text.as_deref(), Some("درجتك ٩٠"));
        let buttons = [("نعم", "y"), ("site", "https://e.org")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(call.buttons, buttons);
        assert_eq!(call.outcome, Outcome::Accepted { message_id: Some(answer.message_id()) });
        assert!(call.arrived_at <= call.decided_at && Some(call.decided_at) <= call.answered_at);
    }
}

#[tokio::test]
async fn message_ids_of_a_chat_rise() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let ids = [client.send(MAIN, 5, "a").await.message_id(), client.send(MAIN, 5, "b").await.message_id()];
    assert!(ids[0] < ids[1]);
}

#[tokio::test]
async fn refusals_have_the_platforms_words() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let long = "x".repeat(4_097);
    let big = json!([[{"text": "b", "callback_data": "x".repeat(65)}]]);
    let cases = [
        (MAIN, "noSuchMethod", json!({}), 404, "Not Found: method not found"),
        ("1000009:OTHER", "getMe", json!({}), 401, "Unauthorized"),
        ("nocolon", "getMe", json!({}), 401, "Unauthorized: invalid token specified"),
        ("bad:token", "getMe", json!({}), 421, "Misdirected Request: unallowed token specified"),
        (MAIN, "sendMessage", json!({"text": "a"}), 400, "Bad Request: chat_id is empty"),
        (MAIN, "sendMessage", json!({"chat_id": "@who", "text": "a"}), 400, "Bad Request: chat not found"),
        (MAIN, "sendMessage", json!({"chat_id": 5}), 400, "Bad Request: message text is empty"),
        (MAIN, "sendMessage", json!({"chat_id": 5, "text": long}), 400, "Bad Request: message is too long"),
        (
            MAIN,
            "sendMessage",
            json!({"chat_id": 5, "text": "a", "reply_markup": {"inline_keyboard": big}}),
            400,
            "Bad Request: BUTTON_DATA_INVALID",
        ),
        (MAIN, "sendPhoto", json!({"chat_id": 5}), 400, "Bad Request: there is no photo in the request"),
        (
            MAIN,
            "answerCallbackQuery",
            json!({"callback_query_id": "7"}),
            400,
            "Bad Request: query is too old and response timeout expired or query ID is invalid",
        ),
    ];
    for (token, method, params, status, description) in cases {
        let answer = client.call(token, method, params).await;
        assert_eq!((answer.status, answer.description()), (status, description), "{method}");
        assert_eq!(answer.json["error_code"], status);
    }
    let answer = client.request(Method::GET, "/", None, "".into()).await.unwrap();
    assert_eq!(answer.raw, r#"{"ok":false,"error_code":404,"description":"Not Found"}"#);
}

#[tokio::test]
async fn the_31st_send_gets_a_429_with_header_and_parameters() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let mut refused = None;
    // However slow the machine, some window of one second holds more than 30 of these.
    for chat in 1..=2_000 {
        let answer = client.send(MAIN, chat, "a").await;
        if answer.status != 200 {
            refused = Some(answer);
            break;
        }
    }
    let refused = refused.expect("the limit exists");
    assert_eq!((refused.status, refused.retry_after.as_deref()), (429, Some("1")));
    assert_eq!(refused.json["parameters"]["retry_after"], 1);
    assert_eq!(refused.description(), "Too Many Requests: retry after 1");
    // The log the auditor sees agrees: 30 accepted within the second before the refusal.
    let mut accepted = Vec::new();
    let refused = loop {
        let call = rig.next_call().await;
        match call.outcome {
            Outcome::Accepted { .. } => accepted.push(call.decided_at),
            _ => break call,
        }
    };
    let scope = Scope::Token;
    assert_eq!(refused.outcome, Outcome::TooMany { retry_after: 1, scope, defiance: false });
    let within = accepted.iter().filter(|&&t| t + telegram_support::seconds(1) > refused.decided_at).count();
    assert_eq!(within, 30);
}

#[tokio::test]
async fn answers_to_callbacks_and_typing_are_not_counted() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    for _ in 0..100 {
        let answer = client.call(MAIN, "sendChatAction", json!({"chat_id": 5, "action": "typing"})).await;
        assert_eq!(answer.status, 200);
    }
    assert_eq!(rig.emulator.totals().accepted, 0);
    assert_eq!(rig.emulator.totals().calls, 100);
}

#[tokio::test]
async fn a_lane_bot_cannot_write_to_users_of_the_main_bot_until_they_start_it() {
    let reach = EmulatorConfig { reach: Reach::MainOnly, ..EmulatorConfig::default() };
    for (form, expected) in [
        (Form::NotFound, (400, "Bad Request: chat not found")),
        (Form::Forbidden, (403, "Forbidden: bot can't initiate conversation with a user")),
    ] {
        let mut rig = Rig::new(EmulatorConfig { unreachable_form: form, ..reach.clone() });
        let mut client = rig.client().await;
        assert_eq!(client.send(MAIN, 5, "a").await.status, 200);
        let refused = client.send(LANE, 5, "a").await;
        assert_eq!((refused.status, refused.description()), expected);
        rig.next_call().await;
        assert_eq!(rig.next_call().await.outcome, Outcome::Unreachable { status: expected.0 });
        rig.emulator.set_reach(1, 5, true);
        assert_eq!(client.send(LANE, 5, "a").await.status, 200);
        rig.emulator.set_reach(1, 5, false);
        assert_eq!(client.send(LANE, 5, "a").await.description(), "Forbidden: bot was blocked by the user");
        let reach = |e| {
            if let Wire::Reach { bot, user, reachable, .. } = e { Some((bot, user, reachable)) } else { None }
        };
        assert_eq!(rig.next(reach).await, (1, 5, true));
    }
}

#[tokio::test]
async fn edits_and_deletes_know_which_messages_exist() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let id = client.send(MAIN, 5, "first").await.message_id();
    let edit = |text: &str| json!({"chat_id": 5, "message_id": id, "text": text});
    assert_eq!(client.call(MAIN, "editMessageText", edit("second")).await.json["result"]["text"], "second");
    let same = client.call(MAIN, "editMessageText", edit("second")).await;
    assert!(
        same.description().starts_with("Bad Request: message is not modified: specified new message content")
    );
    let other_bot = client.call(LANE, "editMessageText", edit("third")).await;
    assert_eq!(other_bot.description(), "Bad Request: message to edit not found");
    let delete = json!({"chat_id": 5, "message_id": id});
    assert_eq!(client.call(MAIN, "deleteMessage", delete.clone()).await.json["result"], true);
    assert_eq!(
        client.call(MAIN, "deleteMessage", delete).await.description(),
        "Bad Request: message to delete not found"
    );
}

#[tokio::test]
async fn a_press_is_answered_by_the_bot_that_got_it_and_by_no_other() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let press = What::Press { data: "y".into(), message_id: 1, callback_id: String::new() };
    rig.submit(5, press);
    let id = rig
        .next(|event| match event {
            Wire::Update(update) => match update.what {
                What::Press { callback_id, .. } => Some(callback_id),
                _ => None,
            },
            _ => None,
        })
        .await;
    let mut client = rig.client().await;
    let answer = json!({ "callback_query_id": id });
    assert_eq!(client.call(LANE, "answerCallbackQuery", answer.clone()).await.status, 400);
    assert_eq!(client.call(MAIN, "answerCallbackQuery", answer).await.status, 200);
}

#[tokio::test]
async fn updates_can_be_polled_and_are_confirmed_by_the_offset() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let first = rig.text(5, "one");
    rig.text(6, "two");
    let got = client.call(MAIN, "getUpdates", json!({"timeout": 5})).await;
    assert_eq!(got.json["result"].as_array().unwrap().len(), 2);
    assert!(got.raw.is_ascii());
    let got = client.call(MAIN, "getUpdates", json!({"offset": first + 1})).await;
    assert_eq!(got.json["result"][0]["message"]["text"], "two");
    assert_eq!(rig.emulator.queue_len(0), 1);
}

#[tokio::test]
async fn an_offset_confirms_when_the_call_arrives_and_not_when_it_is_answered() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let (mut client, mut other) = (rig.client().await, rig.client().await);
    let first = rig.text(5, "one");
    client.call(MAIN, "getUpdates", json!({})).await;
    // Handed over, never confirmed: it comes again, as after a crash, and the first time counts as failed.
    client.call(MAIN, "getUpdates", json!({})).await;
    let failed = rig.next_delivery().await;
    assert_eq!((failed.update_id, failed.attempt, failed.result.is_err()), (first, 1, true));
    let held = json!({"offset": first + 1, "timeout": 30});
    let held = tokio::spawn(async move { client.call(MAIN, "getUpdates", held).await });
    let taken = rig.next_delivery().await;
    assert_eq!((taken.update_id, taken.attempt, taken.result), (first, 2, Ok(200)));
    assert!(!held.is_finished(), "it is held, and has confirmed nevertheless");
    let info = other.call(MAIN, "getWebhookInfo", json!({})).await;
    assert_eq!(info.json["result"]["pending_update_count"], 0);
    rig.text(5, "two");
    assert_eq!(held.await.unwrap().json["result"][0]["message"]["text"], "two");
}

#[tokio::test]
async fn a_poll_brings_a_hundred_updates_at_most() {
    let rig = Rig::new(EmulatorConfig::default());
    for user in 0..130 {
        rig.text(500 + user, "one");
    }
    let got = rig.client().await.call(MAIN, "getUpdates", json!({"limit": 1000})).await;
    assert_eq!(got.json["result"].as_array().unwrap().len(), 100);
}

#[tokio::test]
async fn a_webhook_that_is_set_ends_the_poll_and_refuses_the_next() {
    let rig = Rig::new(EmulatorConfig::default());
    let (mut one, mut two) = (rig.client().await, rig.client().await);
    let poll = tokio::spawn(async move { one.call(MAIN, "getUpdates", json!({"timeout": 30})).await });
    while !rig.emulator.was_polled(0) {
        tokio::task::yield_now().await;
    }
    two.call(MAIN, "setWebhook", json!({"url": "http://127.0.0.1:9/hook"})).await;
    let ended = poll.await.unwrap();
    assert_eq!((ended.status, ended.description()), (409, "Conflict: terminated by setWebhook request"));
    let refused = two.call(MAIN, "getUpdates", json!({})).await;
    assert!(refused.status == 409 && refused.description().contains("while webhook is active"));
}

#[tokio::test]
async fn a_second_poll_ends_the_first_with_a_conflict() {
    let rig = Rig::new(EmulatorConfig::default());
    let (mut one, mut two) = (rig.client().await, rig.client().await);
    let poll = tokio::spawn(async move { one.call(MAIN, "getUpdates", json!({"timeout": 30})).await });
    // Only a poll that waits can be ended: ask until the first one was.
    while !poll.is_finished() {
        two.call(MAIN, "getUpdates", json!({"timeout": 0})).await;
        tokio::task::yield_now().await;
    }
    let ended = poll.await.unwrap();
    assert_eq!(ended.status, 409);
    assert!(ended.description().starts_with("Conflict: terminated by other getUpdates request"));
}

#[tokio::test]
async fn a_request_line_of_24_kilobytes_is_taken() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let text = "ن".repeat(4_000);
    let query: String = form_urlencoded::Serializer::new(String::new())
        .extend_pairs([("chat_id", "5"), ("text", &text)])
        .finish();
    assert!(query.len() > 24_000);
    let path = format!("/bot{MAIN}/sendMessage?{query}");
    let answer = rig.client().await.request(Method::GET, &path, None, "".into()).await.unwrap();
    assert_eq!(answer.status, 200);
    assert_eq!(rig.next_call().await.text, Some(text));
}

#[tokio::test]
async fn a_chunked_multipart_upload_becomes_a_file_id_of_this_bot() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let rig = Rig::new(EmulatorConfig::default());
    let parts = [
        "--B\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n5\r\n".to_owned(),
        "--B\r\nContent-Disposition: form-data; name=\"document\"; filename=\"r.pdf\"\r\n\r\n".to_owned(),
        format!("{}\r\n--B--\r\n", "x".repeat(5_000)),
    ];
    let mut stream = tokio::net::TcpStream::connect(rig.emulator.addr()).await.unwrap();
    let head = format!(
        "POST /bot{MAIN}/sendDocument HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\
         Content-Type: multipart/form-data; boundary=B\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    for part in parts {
        stream.write_all(format!("{:x}\r\n{part}\r\n", part.len()).as_bytes()).await.unwrap();
    }
    stream.write_all(b"0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    let told: serde_json::Value = serde_json::from_str(body).unwrap();
    let document = &told["result"]["document"];
    assert_eq!(document["file_size"], 5_000);
    let id = json!({"file_id": document["file_id"]});
    let mut client = rig.client().await;
    assert_eq!(client.call(MAIN, "getFile", id.clone()).await.status, 200);
    assert_eq!(client.call(LANE, "getFile", id.clone()).await.status, 400, "ids belong to one bot");
    assert_eq!(
        client.call(MAIN, "sendDocument", json!({"chat_id": 5, "document": id["file_id"]})).await.status,
        200
    );
}

#[tokio::test]
async fn html_is_shown_as_entities_and_a_stray_bracket_is_refused() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let html = |text: &str| json!({"chat_id": 5, "text": text, "parse_mode": "HTML"});
    let sent = client.call(MAIN, "sendMessage", html("<b>درجة</b> &lt;90&gt;")).await;
    assert_eq!(sent.json["result"]["text"], "درجة <90>");
    assert_eq!(sent.json["result"]["entities"], json!([{"offset": 0, "length": 4, "type": "bold"}]));
    let stray = client.call(MAIN, "sendMessage", html("a < b")).await;
    assert_eq!(
        stray.description(),
        "Bad Request: can't parse entities: Unsupported start tag \"\" at byte offset 2"
    );
    let odd = client.call(MAIN, "sendMessage", json!({"chat_id": 5, "text": "a", "parse_mode": "rtf"})).await;
    assert_eq!(odd.description(), "Bad Request: unsupported parse_mode");
}
