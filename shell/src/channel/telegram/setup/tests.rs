use super::super::api::RawAnswer;
use super::*;
use crate::config::{Inputs, load};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

/// A platform in memory: webhooks by token, and what was asked of it.
#[derive(Default)]
struct Fake {
    webhooks: RefCell<BTreeMap<String, Value>>,
    calls: RefCell<Vec<(String, String)>>,
    waits: RefCell<Vec<Duration>>,
    /// Answers given before the real one.
    first: RefCell<Vec<(u16, Value)>>,
    dead: Option<String>,
}

impl Api for Fake {
    fn call(&self, token: &Secret, method: &str, params: &Params) -> Result<RawAnswer, String> {
        let token = token.expose().to_owned();
        self.calls.borrow_mut().push((token.clone(), method.to_owned()));
        let answer = |status, body: Value| Ok(RawAnswer { status, body: body.to_string().into_bytes() });
        if self.dead.as_ref() == Some(&token) {
            return answer(401, json!({"ok": false, "error_code": 401, "description": "Unauthorized"}));
        }
        if method == "setWebhook"
            && let Some((status, body)) = self.first.borrow_mut().pop()
        {
            return answer(status, body);
        }
        let params: Value = serde_json::from_str(params.json()).expect("JSON");
        let mut webhooks = self.webhooks.borrow_mut();
        let result = match method {
            "getMe" => json!({"id": 1, "username": "a_bot", "first_name": "A"}),
            "setWebhook" => {
                webhooks.insert(token, params);
                json!(true)
            }
            "deleteWebhook" => {
                webhooks.remove(&token);
                json!(true)
            }
            "getWebhookInfo" => webhooks.get(&token).cloned().unwrap_or(json!({"url": ""})),
            other => panic!("{other}"),
        };
        answer(200, json!({"ok": true, "result": result}))
    }

    fn pause(&self, wait: Duration) {
        self.waits.borrow_mut().push(wait);
    }
}

fn config(names: &[(&str, &str)]) -> Config {
    let mut env = vec![
        ("BOT_TOKEN_MAIN".to_owned(), "1000001:A".to_owned()),
        ("BOT_TOKEN_1".to_owned(), "1000002:B".to_owned()),
    ];
    env.extend(names.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    load(&Inputs { dir: "/nowhere".into(), env, ..Inputs::default() }).expect("a configuration")
}

fn plan(config: &Config) -> Plan {
    Plan::new(config, &BaseUrl::parse("https://host.example").expect("an address"))
}

fn told(run: impl FnOnce(&mut dyn FnMut(&Line)) -> bool) -> (bool, Vec<String>) {
    let mut lines = Vec::new();
    let good = run(&mut |line| lines.push(line.to_string()));
    (good, lines)
}

#[test]
fn behind_one_interface_the_main_bot_hears_and_the_others_are_cleared() {
    let (api, config) = (Fake::default(), config(&[]));
    api.webhooks.borrow_mut().insert("1000002:B".into(), json!({"url": "https://old.example/"}));
    let (good, lines) = told(|tell| plan(&config).setup(&api, &Secret::new("s3cret".into()), tell));
    assert!(good);
    assert_eq!(
        lines,
        [
            "ok  lane 0   1000001:***          @a_bot                   https://host.example/webhook, 0 updates wait",
            "ok  lane 1   1000002:***          @a_bot                   hears nothing, as it should",
        ]
    );
    assert_eq!(
        api.webhooks.borrow()["1000001:A"],
        json!({"url": "https://host.example/webhook", "secret_token": "s3cret", "max_connections": 100,
               "allowed_updates": ["callback_query", "message", "my_chat_member", "pre_checkout_query"]})
    );
}

#[test]
fn where_every_bot_must_hear_each_has_a_path_of_its_own() {
    for name in
        [("NOBAT_PACING_REACH", "known"), ("NOBAT_RESULTS_HANDOFF", "true"), ("BOT_MODE", "multi_bot")]
    {
        let (api, config) = (Fake::default(), config(&[name]));
        assert!(told(|tell| plan(&config).setup(&api, &Secret::new("s".into()), tell)).0);
        assert_eq!(api.webhooks.borrow()["1000001:A"]["url"], "https://host.example/webhook");
        assert_eq!(api.webhooks.borrow()["1000002:B"]["url"], "https://host.example/webhook/1000002");
    }
}

#[test]
fn verify_changes_nothing_and_says_what_is_not_as_wanted() {
    let (api, config) = (Fake::default(), config(&[]));
    let main = |info: Value| {
        api.webhooks.borrow_mut().insert("1000001:A".into(), info);
        let (good, mut lines) = told(|tell| plan(&config).verify(&api, tell));
        (good, lines.remove(0).split_off(59))
    };
    let url = "https://host.example/webhook";
    let allowed = json!(["message", "my_chat_member", "callback_query", "pre_checkout_query"]);
    let bad = |says: &str| (false, says.to_owned());
    assert_eq!(main(json!({"url": ""})), bad("has no webhook, and should have https://host.example/webhook"));
    assert_eq!(
        main(json!({"url": "https://x/bot1:y"})),
        bad("has its webhook at https://x/bot1:***, and should have https://host.example/webhook")
    );
    assert_eq!(
        main(json!({"url": url, "allowed_updates": ["message"]})),
        bad(
            "is sent [message], and should be sent [callback_query, message, my_chat_member, pre_checkout_query]"
        )
    );
    assert_eq!(
        main(json!({"url": url, "allowed_updates": allowed, "pending_update_count": 7,
                    "last_error_date": 1, "last_error_message": "Connection\nrefused"})),
        bad(
            "7 updates wait at https://host.example/webhook, and the last delivery failed: Connection refused"
        )
    );
    assert_eq!(
        main(json!({"url": url, "allowed_updates": allowed, "last_error_message": "long ago"})),
        (true, "https://host.example/webhook, 0 updates wait".to_owned())
    );
    assert!(api.calls.borrow().iter().all(|(_, method)| method.starts_with("get")));
}

#[test]
fn info_tells_the_dead_from_the_living() {
    let (mut api, config) = (Fake::default(), config(&[]));
    api.dead = Some("1000002:B".into());
    let failing = json!({"url": "https://h/webhook", "pending_update_count": 3, "last_error_date": 1_784_527_200,
                         "last_error_message": "Wrong response from the webhook: 500"});
    api.webhooks.borrow_mut().insert("1000001:A".into(), failing);
    let (good, lines) = told(|tell| info(&api, &config, tell));
    assert!(!good);
    assert_eq!(
        lines,
        [
            "ok  lane 0   1000001:***          @a_bot                   alive, https://h/webhook, 3 updates wait, last \
             error at 2026-07-20T06:00:00.000Z: Wrong response from the webhook: 500",
            "BAD lane 1   1000002:***                                   the platform does not know this token: copy it \
             again from @BotFather, or ask it for a new one",
        ]
    );
}

#[test]
fn clear_leaves_none() {
    let (api, config) = (Fake::default(), config(&[]));
    api.webhooks.borrow_mut().insert("1000001:A".into(), json!({"url": "https://h/"}));
    assert!(told(|tell| clear(&api, &config, tell)).0);
    assert!(api.webhooks.borrow().is_empty());
}

#[test]
fn a_429_is_waited_for_and_told_when_it_does_not_end() {
    let flood = |wait: u64| {
        let body =
            json!({"ok": false, "description": "Too Many Requests", "parameters": {"retry_after": wait}});
        (429, body)
    };
    let (api, config) = (Fake::default(), config(&[]));
    api.first.borrow_mut().push(flood(2));
    assert!(told(|tell| plan(&config).setup(&api, &Secret::new("s".into()), tell)).0);
    assert_eq!(*api.waits.borrow(), [Duration::from_secs(2)]);
    for endless in [vec![flood(3600)], (0..9).map(|_| flood(1)).collect()] {
        let api = Fake { first: RefCell::new(endless), ..Fake::default() };
        let (good, lines) = told(|tell| plan(&config).setup(&api, &Secret::new("s".into()), tell));
        assert!(!good && lines[0].ends_with("the platform refuses: Too Many Requests"), "{lines:?}");
    }
}

#[test]
fn what_is_not_the_bot_api_is_told_as_such() {
    struct Page;
    impl Api for Page {
        fn call(&self, _: &Secret, _: &str, _: &Params) -> Result<RawAnswer, String> {
            Ok(RawAnswer { status: 502, body: b"<html>".to_vec() })
        }
    }
    let error = get_me(&Page, &Secret::new("1:x".into())).expect_err("a page");
    assert_eq!(error, ApiError::NotTheApi(502));
}
