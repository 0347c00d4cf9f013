//! What an anonymous chat needs of the platform: media, replies, reactions, edits, channels, protected content.

mod telegram_support;

use nobat_load::telegram::EmulatorConfig;
use nobat_load::wire::What;
use serde_json::{Value, json};
use telegram_support::{LANE, MAIN, OK, Rig, Webhook};

const CHANNEL: i64 = -1_001_234_567_890;

/// The next update at the webhook, by its place.
async fn update(rig: &mut Rig, hook: &Webhook, place: usize) -> Value {
    while hook.got.lock().unwrap().len() <= place {
        rig.next_delivery().await;
    }
    hook.got.lock().unwrap()[place].update.clone()
}

fn other(name: impl Into<String>) -> What {
    What::Other(name.into())
}

#[tokio::test]
async fn a_photo_can_be_copied_and_its_file_sent_by_the_bot_that_got_it_alone() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    rig.submit(5, other("media:photo+77:a caption"));
    let message = update(&mut rig, &hook, 0).await["message"].clone();
    assert_eq!((&message["caption"], &message["media_group_id"]), (&json!("a caption"), &json!("77")));
    let mut client = rig.client().await;
    let copy = json!({"chat_id": 6, "from_chat_id": 5, "message_id": message["message_id"]});
    assert_eq!(client.call(MAIN, "copyMessage", copy.clone()).await.status, 200);
    let refused = client.call(LANE, "copyMessage", copy).await;
    assert_eq!(refused.description(), "Bad Request: message to copy not found");
    let file = message["photo"][1]["file_id"].clone();
    let send = json!({"chat_id": 7, "photo": file});
    assert_eq!(client.call(MAIN, "sendPhoto", send.clone()).await.status, 200);
    let refused = client.call(LANE, "sendPhoto", send).await;
    assert_eq!(refused.description(), "Bad Request: wrong file identifier/HTTP URL specified");
    let album =
        json!({"chat_id": 7, "media": [{"type": "photo", "media": file}, {"type": "photo", "media": file}]});
    assert_eq!(client.call(MAIN, "sendMediaGroup", album.clone()).await.status, 200);
    assert_eq!(client.call(LANE, "sendMediaGroup", album).await.status, 400);
}

#[tokio::test]
async fn an_answer_names_a_message_that_must_be_there() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    let mut client = rig.client().await;
    let first = client.call(MAIN, "sendMessage", json!({"chat_id": 5, "text": "hi"})).await.message_id();
    rig.submit(5, other(format!("reply:{first}:yes: you")));
    let message = update(&mut rig, &hook, 0).await["message"].clone();
    assert_eq!(
        (&message["text"], &message["reply_to_message"]["message_id"]),
        (&json!("yes: you"), &json!(first))
    );
    assert_eq!(message["reply_to_message"]["from"]["is_bot"], true);
    let own = message["message_id"].as_i64().unwrap();
    let answer = json!({"chat_id": 5, "text": "so", "reply_parameters": {"message_id": own}});
    let sent = client.call(MAIN, "sendMessage", answer).await;
    assert_eq!(sent.json["result"]["reply_to_message"]["message_id"], own);
    let lost = |anyway: bool| {
        json!({"chat_id": 6, "text": "so",
               "reply_parameters": {"message_id": own + 1000, "allow_sending_without_reply": anyway}})
    };
    let refused = client.call(MAIN, "sendMessage", lost(false)).await;
    assert_eq!(refused.description(), "Bad Request: message to be replied not found");
    assert_eq!(client.call(MAIN, "sendMessage", lost(true)).await.status, 200);
}

#[tokio::test]
async fn reactions_and_memberships_come_only_to_bots_that_ask_for_them() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    let submit = |rig: &Rig, name: &str| {
        let (planned_at, what) = (rig.emulator.now(), other(name));
        let submit = nobat_load::telegram::Submit {
            bot: 0,
            user: 5,
            chat: 5,
            planned_at,
            what,
            language_code: "en".into(),
        };
        rig.emulator.submit(submit)
    };
    assert_eq!(submit(&rig, "react:1:👍"), None);
    assert_eq!(submit(&rig, &format!("chat_member:{CHANNEL}:member")), None);
    let wanted = json!(["message_reaction", "chat_member", "edited_message"]);
    tokio::time::sleep(std::time::Duration::from_millis(1_050)).await;
    rig.set_webhook(&hook, json!({ "allowed_updates": wanted })).await;
    assert!(submit(&rig, "react:1:👍").is_some());
    let reaction = update(&mut rig, &hook, 0).await["message_reaction"].clone();
    assert_eq!(reaction["new_reaction"], json!([{"type": "emoji", "emoji": "👍"}]));
    assert!(submit(&rig, &format!("chat_member:{CHANNEL}:left")).is_some());
    let member = update(&mut rig, &hook, 1).await["chat_member"].clone();
    assert_eq!(
        (&member["chat"]["id"], &member["new_chat_member"]["status"]),
        (&json!(CHANNEL), &json!("left"))
    );
    assert!(submit(&rig, "edit:9:better").is_some());
    let edited = update(&mut rig, &hook, 2).await["edited_message"].clone();
    assert_eq!((&edited["message_id"], &edited["text"]), (&json!(9), &json!("better")));
}

#[tokio::test]
async fn a_bot_reacts_to_messages_that_are_there() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let message = client.call(MAIN, "sendMessage", json!({"chat_id": 5, "text": "hi"})).await.message_id();
    let react =
        |message: i64, reaction: Value| json!({"chat_id": 5, "message_id": message, "reaction": reaction});
    let heart = json!([{"type": "emoji", "emoji": "❤"}]);
    assert_eq!(client.call(MAIN, "setMessageReaction", react(message, heart.clone())).await.status, 200);
    assert_eq!(client.call(MAIN, "setMessageReaction", react(message, json!([]))).await.status, 200);
    let refused = client.call(MAIN, "setMessageReaction", react(message + 50, heart)).await;
    assert_eq!(refused.description(), "Bad Request: message to react not found");
    let refused = client.call(MAIN, "setMessageReaction", react(message, json!([{"type": "emoji"}]))).await;
    assert_eq!(refused.description(), "Bad Request: REACTION_INVALID");
}

#[tokio::test]
async fn a_channel_of_the_configuration_is_empty_until_people_join() {
    let channels = vec![(CHANNEL, "@news".to_owned())];
    let rig = Rig::new(EmulatorConfig { channels, ..EmulatorConfig::default() });
    let mut client = rig.client().await;
    let ask = json!({"chat_id": "@news", "user_id": 5});
    let status = |answer: telegram_support::Answer| answer.json["result"]["status"].clone();
    assert_eq!(status(client.call(MAIN, "getChatMember", ask.clone()).await), "left");
    rig.emulator.set_member(CHANNEL, 5, true);
    assert_eq!(status(client.call(MAIN, "getChatMember", ask).await), "member");
    let unknown = client.call(MAIN, "getChatMember", json!({"chat_id": "@other", "user_id": 5})).await;
    assert_eq!(unknown.description(), "Bad Request: chat not found");
}

#[tokio::test]
async fn protected_content_says_so_and_is_not_forwarded() {
    let rig = Rig::new(EmulatorConfig::default());
    let mut client = rig.client().await;
    let sent = json!({"chat_id": 5, "text": "secret", "protect_content": true});
    let sent = client.call(MAIN, "sendMessage", sent).await;
    assert_eq!(sent.json["result"]["has_protected_content"], true);
    let forward = json!({"chat_id": 6, "from_chat_id": 5, "message_id": sent.message_id()});
    let refused = client.call(MAIN, "forwardMessage", forward).await;
    assert_eq!(refused.description(), "Bad Request: message has protected content and can't be forwarded");
}

#[tokio::test]
async fn an_invoice_behind_a_link_is_paid_like_one_in_a_message() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    let mut client = rig.client().await;
    let invoice = json!({"title": "VIP", "description": "7 days", "payload": "vip-7", "currency": "XTR",
                         "prices": [{"label": "VIP", "amount": 100}]});
    let link = client.call(MAIN, "createInvoiceLink", invoice).await.json["result"].clone();
    rig.submit(5, other(format!("pay:{}", link.as_str().unwrap())));
    let query = update(&mut rig, &hook, 0).await["pre_checkout_query"].clone();
    assert_eq!((&query["invoice_payload"], &query["total_amount"]), (&json!("vip-7"), &json!(100)));
}

#[tokio::test]
async fn a_user_who_blocked_the_bot_can_come_back() {
    let mut rig = Rig::new(EmulatorConfig::default());
    let hook = Webhook::start(|_| OK).await;
    rig.set_webhook(&hook, json!({})).await;
    let mut client = rig.client().await;
    let hello = json!({"chat_id": 5, "text": "hi"});
    rig.submit(5, other("my_chat_member"));
    let blocked = update(&mut rig, &hook, 0).await["my_chat_member"].clone();
    assert_eq!(blocked["new_chat_member"]["status"], "kicked");
    assert_eq!(client.call(MAIN, "sendMessage", hello.clone()).await.status, 403);
    rig.submit(5, other("my_chat_member:member"));
    let back = update(&mut rig, &hook, 1).await["my_chat_member"].clone();
    assert_eq!(
        (&back["old_chat_member"]["status"], &back["new_chat_member"]["status"]),
        (&json!("kicked"), &json!("member"))
    );
    assert_eq!(client.call(MAIN, "sendMessage", hello).await.status, 200);
}
