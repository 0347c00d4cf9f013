use super::*;
use nobat_core::id::MessageId;
use proptest::prelude::*;
use serde_json::{Value, json};

/// Splits a request into head and body, and checks the length it claims.
fn written(call: &Call) -> (String, Value) {
    let head = RequestHead::new("api.example:8081", "/base", &Secret::new("1000001:TEST".into()));
    let mut out = b"before".to_vec();
    Encoder::new().call(&head, ChatId(-42), call, &mut out);
    let text = String::from_utf8(out).expect("UTF-8");
    let (head, body) = text.split_once("\r\n\r\n").expect("an end of the head");
    assert!(head.ends_with(&format!("Content-Length: {}", body.len())), "{head}");
    (head.to_owned(), serde_json::from_str(body).expect("JSON"))
}

#[test]
fn a_text_is_a_whole_request_behind_what_was_there() {
    let (head, body) = written(&Call::Text { text: "مرحبا".into(), keyboard: Vec::new() });
    assert_eq!(
        head,
        "beforePOST /base/bot1000001:TEST/sendMessage HTTP/1.1\r\nHost: api.example:8081\r\n\
         Connection: keep-alive\r\nContent-Type: application/json\r\nContent-Length: 35"
    );
    assert_eq!(body, json!({"chat_id": -42, "text": "مرحبا"}));
}

#[test]
fn every_call_has_its_method_and_parameters() {
    let button = |text: &str, action| Button { text: text.into(), action };
    let keyboard = vec![
        vec![
            button("a", Action::Callback("x:1".into())),
            button("b", Action::Url("https://t.me/some_bot?start=1".into())),
        ],
        vec![button("c", Action::Callback("\"\\".into()))],
    ];
    let markup = json!({"inline_keyboard": [
        [{"text": "a", "callback_data": "x:1"}, {"text": "b", "url": "https://t.me/some_bot?start=1"}],
        [{"text": "c", "callback_data": "\"\\"}],
    ]});
    let answered = json!({"message_id": 9, "allow_sending_without_reply": true});
    let cases = [
        (
            Call::Text { text: "t".into(), keyboard: keyboard.clone() },
            "sendMessage",
            json!({"chat_id": -42, "text": "t", "reply_markup": markup}),
        ),
        (
            Call::EditText { message: MessageId(7), text: "t".into(), keyboard },
            "editMessageText",
            json!({"chat_id": -42, "message_id": 7, "text": "t", "reply_markup": markup}),
        ),
        (
            Call::AnswerCallback { id: "99".into(), text: String::new(), alert: false },
            "answerCallbackQuery",
            json!({"callback_query_id": "99"}),
        ),
        (
            Call::AnswerCallback { id: "99".into(), text: "no".into(), alert: true },
            "answerCallbackQuery",
            json!({"callback_query_id": "99", "text": "no", "show_alert": true}),
        ),
        (
            Call::Said { text: "t".into(), protect: true, reply_to: None },
            "sendMessage",
            json!({"chat_id": -42, "text": "t", "protect_content": true}),
        ),
        (
            Call::Said { text: "t".into(), protect: false, reply_to: Some(MessageId(9)) },
            "sendMessage",
            json!({"chat_id": -42, "text": "t", "reply_parameters": answered}),
        ),
        (
            Call::Copy {
                from: ChatId(5),
                message: MessageId(7),
                caption: "c".into(),
                protect: true,
                reply_to: Some(MessageId(9)),
            },
            "copyMessage",
            json!({"chat_id": -42, "from_chat_id": 5, "message_id": 7, "caption": "c", "protect_content": true,
                   "reply_parameters": answered}),
        ),
        (
            Call::CopyAlbum { from: ChatId(5), messages: vec![MessageId(7), MessageId(8)], protect: true },
            "copyMessages",
            json!({"chat_id": -42, "from_chat_id": 5, "message_ids": [7, 8], "remove_caption": true,
                   "protect_content": true}),
        ),
        (
            Call::EditCaption { message: MessageId(7), caption: "c".into() },
            "editMessageCaption",
            json!({"chat_id": -42, "message_id": 7, "caption": "c"}),
        ),
        (
            Call::React { message: MessageId(7), emoji: "👍".into() },
            "setMessageReaction",
            json!({"chat_id": -42, "message_id": 7, "reaction": [{"type": "emoji", "emoji": "👍"}]}),
        ),
        (
            Call::React { message: MessageId(7), emoji: String::new() },
            "setMessageReaction",
            json!({"chat_id": -42, "message_id": 7, "reaction": []}),
        ),
        (
            Call::IsMember { channel: "@news".into(), user: nobat_core::id::UserId(5) },
            "getChatMember",
            json!({"chat_id": "@news", "user_id": 5}),
        ),
        (
            Call::Copy {
                from: ChatId(5),
                message: MessageId(7),
                caption: String::new(),
                protect: false,
                reply_to: None,
            },
            "copyMessage",
            json!({"chat_id": -42, "from_chat_id": 5, "message_id": 7, "caption": ""}),
        ),
        (
            Call::Invoice {
                title: "VIP".into(),
                about: "30 days".into(),
                payload: "v:30".into(),
                stars: 250,
            },
            "sendInvoice",
            json!({"chat_id": -42, "title": "VIP", "description": "30 days", "payload": "v:30",
                   "provider_token": "", "currency": "XTR", "prices": [{"label": "VIP", "amount": 250}]}),
        ),
        (
            Call::AnswerPreCheckout { id: "9".into(), refusal: String::new() },
            "answerPreCheckoutQuery",
            json!({"pre_checkout_query_id": "9", "ok": true}),
        ),
        (
            Call::AnswerPreCheckout { id: "9".into(), refusal: "no".into() },
            "answerPreCheckoutQuery",
            json!({"pre_checkout_query_id": "9", "ok": false, "error_message": "no"}),
        ),
        (
            Call::RefundStars { user: nobat_core::id::UserId(5), charge: "c".into() },
            "refundStarPayment",
            json!({"user_id": 5, "telegram_payment_charge_id": "c"}),
        ),
        (Call::Typing, "sendChatAction", json!({"chat_id": -42, "action": "typing"})),
    ];
    for (call, method, wanted) in cases {
        let (head, body) = written(&call);
        assert!(head.contains(&format!("/{method} HTTP/1.1\r\n")), "{head}");
        assert_eq!(body, wanted);
    }
}

#[test]
fn parameters_of_a_method_are_one_object() {
    let params = Params::new()
        .string("url", "https://host/\"x\"")
        .strings("allowed_updates", &["message", "callback_query"])
        .number("max_connections", 100)
        .bool("drop_pending_updates", false);
    let read: Value = serde_json::from_str(params.json()).expect("JSON");
    assert_eq!(
        read,
        json!({"url": "https://host/\"x\"", "allowed_updates": ["message", "callback_query"],
               "max_connections": 100, "drop_pending_updates": false})
    );
    assert_eq!(Params::new().json(), "{}");
}

#[test]
fn the_token_is_not_in_the_debug_form() {
    let head = RequestHead::new("h", "", &Secret::new("1000001:TEST".into()));
    assert_eq!(format!("{head:?}"), "RequestHead(1000001:*** at h)");
}

proptest! {
    #[test]
    fn any_text_comes_back_from_an_independent_parser(text in any::<String>(), data in "[\\x00-\\x7f]{0,64}") {
        let keyboard = vec![vec![Button { text: text.clone(), action: Action::Callback(data.clone()) }]];
        let (_, body) = written(&Call::Text { text: text.clone(), keyboard });
        prop_assert_eq!(
            body,
            json!({"chat_id": -42, "text": text.clone(),
                   "reply_markup": {"inline_keyboard": [[{"text": text, "callback_data": data}]]}})
        );
    }
}
