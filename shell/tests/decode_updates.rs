//! The decoder against 367 updates of public projects, with an independent JSON parser as the oracle.

use nobat::channel::telegram::{ChatType, DecodeError, Decoder, Update, UpdateKind, What};
use nobat_core::bot::Payment;
use nobat_core::id::{ChatId, MessageId, UpdateId, UserId};
use proptest::prelude::*;
use serde_json::Value;

const UPDATES: &str = include_str!("../testdata/updates.jsonl");

fn decoded<R>(body: &str, look: impl FnOnce(Result<Update<'_>, DecodeError>) -> R) -> R {
    let mut body = body.as_bytes().to_vec();
    look(Decoder::new().decode(&mut body))
}

/// Update id, kind, user, chat, language, date, and what was said.
type Meaning = (i64, &'static str, Option<u64>, Option<i64>, String, Option<u64>, String);

/// The same rules, written a second time over serde_json's tree.
fn oracle(root: &Value) -> Option<Meaning> {
    const BOUND: i64 = 1 << 52;
    let id = root.get("update_id")?.as_i64()?;
    let known = root.as_object()?.keys().find(|key| UpdateKind::of(key.as_bytes()) != UpdateKind::Unknown);
    let kind = known.map_or(UpdateKind::Unknown, |key| UpdateKind::of(key.as_bytes()));
    let content = known.map_or(&Value::Null, |key| &root[key.as_str()]);
    let from = content.get("user").or_else(|| content.get("from")).unwrap_or(&Value::Null);
    let user = from["id"].as_i64().filter(|id| (1..BOUND).contains(id)).map(i64::unsigned_abs);
    let chat = content.get("chat").unwrap_or(&content["message"]["chat"]);
    let chat_id = chat["id"].as_i64().filter(|id| *id != 0 && id.abs() < BOUND);
    let language = from["language_code"].as_str().unwrap_or("").to_owned();
    let message = content["message_id"].as_i64();
    let what = match kind {
        UpdateKind::Message => match (message, content["text"].as_str()) {
            (Some(id), Some(text)) => format!("text {id} {text} {:?}", answered(content)),
            (Some(_), None) if content.get("successful_payment").is_some() => {
                paid("paid", &content["successful_payment"])
            }
            (Some(_), None) if content.get("refunded_payment").is_some() => {
                paid("refunded", &content["refunded_payment"])
            }
            (Some(id), None) => {
                let caption = content["caption"].as_str().unwrap_or("");
                let album = content["media_group_id"].as_str().unwrap_or("");
                format!("other {id} {} {caption} {:?} {album}", holds(content), answered(content))
            }
            _ => "nothing".into(),
        },
        UpdateKind::EditedMessage => match (message, content["text"].as_str()) {
            (Some(id), Some(text)) => format!("edited {id} None {text}"),
            (Some(id), None) => {
                format!("edited {id} {} {}", holds(content), content["caption"].as_str().unwrap_or(""))
            }
            _ => "nothing".into(),
        },
        UpdateKind::MessageReaction if message.is_some() => {
            let signs = content["new_reaction"].as_array().into_iter().flatten();
            let emoji = signs.filter_map(|sign| sign["emoji"].as_str()).next().unwrap_or("");
            format!("reacted {:?} {emoji}", message)
        }
        UpdateKind::CallbackQuery => match content["id"].as_str() {
            Some(id) => format!(
                "callback {id} {} {:?}",
                content["data"].as_str().unwrap_or(""),
                content["message"]["message_id"].as_i64()
            ),
            None => "nothing".into(),
        },
        UpdateKind::PreCheckoutQuery => match content["id"].as_str() {
            Some(id) => paid(&format!("asks {id}"), content),
            None => "nothing".into(),
        },
        UpdateKind::MyChatMember => match content["new_chat_member"]["status"].as_str() {
            Some("member") => "reachable true".into(),
            Some("kicked" | "left") => "reachable false".into(),
            _ => "nothing".into(),
        },
        UpdateKind::ChatMember => {
            let member = &content["new_chat_member"];
            let joined = match member["status"].as_str() {
                Some("creator" | "administrator" | "member") => Some(true),
                Some("restricted") => Some(member["is_member"].as_bool().unwrap_or(false)),
                Some("left" | "kicked") => Some(false),
                _ => None,
            };
            match (joined, member["user"]["id"].as_i64()) {
                (Some(joined), Some(user)) => {
                    format!("member {user} {} {joined}", content["chat"]["username"].as_str().unwrap_or(""))
                }
                _ => "nothing".into(),
            }
        }
        _ => "nothing".into(),
    };
    Some((id, kind.name(), user, chat_id, language, content["date"].as_u64(), what))
}

fn answered(content: &Value) -> Option<i64> {
    content["reply_to_message"]["message_id"].as_i64()
}

/// The name of what a message holds, as the contract has it.
fn holds(content: &Value) -> &'static str {
    // An animation also says that it is a document, a venue that it is a location.
    let names = [
        ("photo", "Photo"),
        ("video", "Video"),
        ("animation", "Animation"),
        ("audio", "Audio"),
        ("voice", "Voice"),
        ("video_note", "VideoNote"),
        ("sticker", "Sticker"),
        ("location", "Location"),
        ("poll", "Poll"),
        ("dice", "Dice"),
        ("contact", "Contact"),
        ("document", "Document"),
    ];
    names.iter().find(|(field, _)| content.get(field).is_some()).map_or("Other", |(_, name)| name)
}

fn paid(what: &str, payment: &Value) -> String {
    let text = |field: &str| payment[field].as_str().unwrap_or("");
    let stars = payment["total_amount"].as_u64().filter(|_| text("currency") == "XTR");
    match payment["invoice_payload"].as_str() {
        Some(payload) => format!("{what} {} {payload} {stars:?}", text("telegram_payment_charge_id")),
        None => "nothing".into(),
    }
}

fn described(update: &Update<'_>) -> Meaning {
    let what = match update.what {
        What::Text { text, message, reply_to } => {
            format!("text {message} {text} {:?}", reply_to.map(|m| m.0))
        }
        What::OtherMessage { message, content, caption, reply_to, album } => {
            format!("other {message} {content:?} {caption} {:?} {album}", reply_to.map(|m| m.0))
        }
        What::Edited { message, text, content } => {
            let held = content.map_or("None".into(), |content| format!("{content:?}"));
            format!("edited {message} {held} {text}")
        }
        What::Reacted { message, emoji } => format!("reacted {:?} {emoji}", Some(message.0)),
        What::PreCheckout { id, payment: Payment { charge, payload, stars } } => {
            format!("asks {id} {charge} {payload} {stars:?}")
        }
        What::Paid(Payment { charge, payload, stars }) => format!("paid {charge} {payload} {stars:?}"),
        What::Refunded(Payment { charge, payload, stars }) => {
            format!("refunded {charge} {payload} {stars:?}")
        }
        What::Callback { id, data, message } => format!("callback {id} {data} {:?}", message.map(|m| m.0)),
        What::MyChatMember { reachable } => format!("reachable {reachable}"),
        What::ChatMember { user, name, joined } => format!("member {user} {name} {joined}"),
        What::Nothing => "nothing".into(),
    };
    (
        update.update_id.0,
        update.kind.name(),
        update.from.map(|user| user.0),
        update.chat.map(|chat| chat.0),
        update.language.to_owned(),
        update.date,
        what,
    )
}

#[test]
fn every_public_sample_means_what_an_independent_parser_says() {
    let mut decoder = Decoder::new();
    let mut kinds = std::collections::BTreeMap::new();
    for (at, line) in UPDATES.lines().enumerate() {
        let mut body = line.as_bytes().to_vec();
        let update = decoder.decode(&mut body).unwrap_or_else(|error| panic!("line {}: {error}", at + 1));
        let wanted = oracle(&serde_json::from_str(line).expect("JSON")).expect("an update");
        assert_eq!(described(&update), wanted, "line {}", at + 1);
        *kinds.entry(update.kind.name()).or_insert(0) += 1;
    }
    assert_eq!(kinds.values().sum::<i32>(), 367);
    assert_eq!((kinds["message"], kinds["callback_query"], kinds["unknown"]), (274, 12, 2));
}

#[test]
fn every_cut_and_every_changed_byte_of_a_sample_is_judged_as_an_independent_parser_does() {
    let mut decoder = Decoder::new();
    for line in UPDATES.lines().step_by(120) {
        for cut in 0..line.len() {
            let mut body = line.as_bytes()[..cut].to_vec();
            assert_eq!(decoder.decode(&mut body).err(), Some(DecodeError::NotJson), "{line} cut at {cut}");
            let mut body = line.as_bytes().to_vec();
            body[cut] ^= 0x15;
            let theirs = serde_json::from_slice::<Value>(&body).ok().map(|root| root["update_id"].as_i64());
            let ours = match decoder.decode(&mut body) {
                Ok(update) => Some(Some(update.update_id.0)),
                Err(DecodeError::NoUpdateId) => Some(None),
                Err(DecodeError::NotJson) => None,
            };
            assert_eq!(ours, theirs, "{line} changed at {cut}");
        }
    }
}

#[test]
fn a_message_to_the_bot_is_an_input_of_its_writer() {
    let body = r#"{"update_id":10,"message":{"message_id":5,"date":1700000000,
        "from":{"id":4503599627370495,"is_bot":false,"language_code":"ar"},
        "chat":{"id":4503599627370495,"type":"private"},"text":"\u0645\u0631\u062d\u0628\u0627"}}"#;
    decoded(body, |update| {
        let update = update.expect("an update");
        let user = UserId((1 << 52) - 1);
        assert_eq!(update.conversation(), Some((user, user.private_chat())));
        assert_eq!(update.what, What::Text { text: "مرحبا", message: MessageId(5), reply_to: None });
        assert_eq!((update.date, update.language), (Some(1_700_000_000), "ar"));
        assert_eq!(update.chat_type, ChatType::Private);
        assert!(update.input().is_some());
    });
}

#[test]
fn groups_channels_bots_and_strangers_have_no_conversation() {
    for content in [
        r#""message":{"message_id":1,"from":{"id":5},"chat":{"id":-5,"type":"group"},"text":"x"}"#,
        r#""message":{"message_id":1,"from":{"id":5},"chat":{"id":6,"type":"private"},"text":"x"}"#,
        r#""message":{"message_id":1,"from":{"id":5,"is_bot":true},"chat":{"id":5,"type":"private"},"text":"x"}"#,
        r#""message":{"message_id":1,"chat":{"id":5,"type":"private"},"text":"x"}"#,
        r#""message":{"message_id":1,"from":{"id":4503599627370496},"chat":{"id":5,"type":"private"},"text":"x"}"#,
        r#""message":{"message_id":1,"from":{"id":-5},"chat":{"id":-5,"type":"private"},"text":"x"}"#,
        r#""callback_query":{"id":"1","from":{"id":5},"message":{"message_id":2,"chat":{"id":-9,"type":"channel"}}}"#,
        r#""inline_query":{"id":"1","from":{"id":5},"query":""}"#,
        r#""poll":{"id":"1"}"#,
    ] {
        decoded(&format!("{{\"update_id\":1,{content}}}"), |update| {
            assert_eq!(update.expect("an update").conversation(), None, "{content}");
        });
    }
}

#[test]
fn a_callback_of_an_inline_message_belongs_to_whoever_pressed() {
    let body =
        r#"{"update_id":1,"callback_query":{"id":"9","from":{"id":5},"inline_message_id":"x","data":"d"}}"#;
    decoded(body, |update| {
        let update = update.expect("an update");
        assert_eq!(update.conversation(), Some((UserId(5), ChatId(5))));
        assert_eq!(update.what, What::Callback { id: "9", data: "d", message: None });
    });
}

#[test]
fn odd_shapes_are_updates_that_ask_for_nothing() {
    for content in [
        "",
        r#","message":17"#,
        r#","message":null"#,
        r#","message":[]"#,
        r#","message":{}"#,
        r#","message":{"message_id":"1","text":"x"}"#,
        r#","callback_query":{"id":1}"#,
        r#","my_chat_member":{"new_chat_member":{"status":"astronaut"}}"#,
        r#","something new":{"from":{"id":5}}"#,
    ] {
        decoded(&format!("{{\"update_id\":-3{content}}}"), |update| {
            let update = update.expect(content);
            assert_eq!((update.update_id, update.what), (UpdateId(-3), What::Nothing), "{content}");
            assert!(update.input().is_none());
        });
    }
}

#[test]
fn only_what_is_no_update_is_an_error() {
    use DecodeError::{NoUpdateId, NotJson};
    for (body, error) in [
        ("", NotJson),
        ("hello", NotJson),
        ("{", NotJson),
        ("{\"update_id\":1}x", NotJson),
        ("{\"update_id\":1,}", NotJson),
        ("[]", NoUpdateId),
        ("7", NoUpdateId),
        ("null", NoUpdateId),
        ("{}", NoUpdateId),
        ("{\"update_id\":\"1\"}", NoUpdateId),
        ("{\"update_id\":1.5}", NoUpdateId),
        ("{\"update_id\":9223372036854775808}", NoUpdateId),
        ("[{\"update_id\":1}]", NoUpdateId),
    ] {
        assert_eq!(decoded(body, |update| update.err()), Some(error), "{body}");
    }
    let deep = format!("{{\"update_id\":1,\"message\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(decoded(&deep, |update| update.err()), Some(NotJson));
    let mut not_utf8 = b"{\"update_id\":1,\"message\":{\"text\":\"\xff\"}}".to_vec();
    assert_eq!(Decoder::new().decode(&mut not_utf8).err(), Some(NotJson));
}

proptest! {
    #[test]
    fn any_text_arrives_as_it_was_sent(text in any::<String>(), escaped in any::<bool>()) {
        let quoted = serde_json::to_string(&text).expect("a string");
        let quoted = if escaped {
            let units: String = text.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
            format!("\"{units}\"")
        } else {
            quoted
        };
        let body = format!("{{\"update_id\":1,\"message\":{{\"message_id\":2,\"text\":{quoted}}}}}");
        decoded(&body, |update| {
            let wanted = What::Text { text: &text, message: MessageId(2), reply_to: None };
            assert_eq!(update.expect("an update").what, wanted);
        });
    }
}
