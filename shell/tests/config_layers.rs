//! Which layer wins, and that each value knows where it came from.

mod support;

use nobat::config::{Flag, Kind, Mode, Origin, Polling, Reach, keys, load};
use support::Place;

const TOKENS: &[(&str, &str)] = &[("BOT_TOKEN_MAIN", "1000001:TEST")];

#[test]
fn the_environment_alone_is_enough() {
    let config = Place::new().env(TOKENS).load().expect("a configuration");
    assert_eq!((config.kind, config.mode), (Kind::Results, Mode::SingleInterface));
    assert_eq!(config.lanes[0].bot_id.0, 1_000_001);
    assert_eq!(config.api_root.to_string(), "https://api.telegram.org");
    assert_eq!(config.pacing.per_lane_rate, 30);
    assert_eq!(config.pacing.reach, Reach::Try);
    assert_eq!(config.limits.requests_per_minute, 10);
    assert_eq!(config.polling, Some(Polling::NoAddress), "no listener and no address: long polling");
    assert!(!config.listens, "nothing to listen for");
    assert_eq!(config.results.dataset, Some("data/results.nobat".into()));
}

#[test]
fn each_layer_wins_over_the_one_below_and_is_named() {
    let place = Place::new()
        .file(
            "nobat.toml",
            "[pacing]\nper_lane_rate = 11\nchat_burst = 2\ngroup_per_minute = 12\nin_flight = 5\n",
        )
        .file(
            ".env",
            "NOBAT_PACING_CHAT_BURST=3\nNOBAT_PACING_GROUP_PER_MINUTE=13\nNOBAT_PACING_IN_FLIGHT=6\n",
        )
        .env(TOKENS)
        .env(&[("NOBAT_PACING_GROUP_PER_MINUTE", "14"), ("NOBAT_PACING_IN_FLIGHT", "7")]);
    let mut inputs = place.inputs();
    inputs.flags.push(Flag { key: keys::IN_FLIGHT, name: "--in-flight", value: "8".into() });
    let config = load(&inputs).expect("a configuration");
    let pacing = &config.pacing;
    assert_eq!(
        (pacing.per_lane_rate, pacing.chat_burst, pacing.group_per_minute, pacing.in_flight),
        (11, 3, 14, 8)
    );
    let origin = |key: &str| {
        let setting = config.settings.iter().find(|setting| setting.key == key).expect(key);
        setting.origin.to_string().replace(&format!("{}/", place.dir.path().display()), "")
    };
    assert_eq!(origin("pacing.per_lane_rate"), "nobat.toml:2:17");
    assert_eq!(origin("pacing.chat_burst"), ".env:1 (NOBAT_PACING_CHAT_BURST)");
    assert_eq!(origin("pacing.group_per_minute"), "environment (NOBAT_PACING_GROUP_PER_MINUTE)");
    assert_eq!(origin("pacing.in_flight"), "command line (--in-flight)");
    assert_eq!(origin("pacing.attempts"), "default");
}

#[test]
fn every_key_is_also_a_name_in_the_environment() {
    for key in keys::KEYS {
        let value = match key.form {
            keys::Form::Whole(_, most) => most.to_string(),
            keys::Form::Bool => "true".into(),
            keys::Form::OneOf(words) => words[0].into(),
            keys::Form::Address => "127.0.0.1:9".into(),
            keys::Form::Url => "https://host.example".into(),
            keys::Form::Time => "2026-07-20T06:00:00Z".into(),
            keys::Form::List if key.dotted() == "admin.user_ids" => "42".into(),
            keys::Form::List if key.dotted() == "records.retain_days" => "audit:365".into(),
            keys::Form::List if key.dotted() == "chat.required_channels" => "@news".into(),
            keys::Form::List if key.section == "chat" => "30:250".into(),
            keys::Form::List => "10.0.0.0/8".into(),
            keys::Form::Secrets => "1000002:TEST".into(),
            keys::Form::Secret if key.dotted() == "admin.bot_token" => "1000003:TEST".into(),
            keys::Form::Text
                if ["chat.admin_chat", "chat.media_channel"].contains(&key.dotted().as_str()) =>
            {
                "-1001234567890".into()
            }
            keys::Form::Text if key.dotted().starts_with("chat.required_channel_") => "@news".into(),
            keys::Form::Secret if key.dotted() == "admin.password" => "sixteen-letters!".into(),
            keys::Form::Text | keys::Form::Secret | keys::Form::Path => "word".to_owned(),
        };
        let mut names = vec![(key.env(), value)];
        match key.dotted().as_str() {
            "bot.tokens" => names.push(("NOBAT_KIND".into(), "results".into())),
            "backup.every_hours" => names.push(("NOBAT_BACKUP_TO".into(), "kept".into())),
            "admin.on_main" => {
                names.push(("NOBAT_ADMIN_PASSWORD".into(), "sixteen-letters!".into()));
                names.push(("PORT".into(), "8443".into()));
            }
            "chat.card_payee" => names.push(("PAYMENT_CARD_NUMBER".into(), "4000 0000 0000 0002".into())),
            "tls.cert" => names.push(("NOBAT_TLS_KEY".into(), "k".into())),
            "tls.key" => names.push(("NOBAT_TLS_CERT".into(), "c".into())),
            _ => {}
        }
        if key.dotted() != "bot.tokens" {
            names.push(("BOT_TOKEN_MAIN".into(), "1000001:TEST".into()));
        }
        let names: Vec<_> = names.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let config = Place::new().env(&names).load().unwrap_or_else(|problems| panic!("{problems}"));
        let setting = config.settings.iter().find(|setting| setting.key == key.dotted()).expect("a setting");
        assert_eq!(setting.origin, Origin::Env { name: key.env() });
    }
}

#[test]
fn defaults_are_good_values() {
    let config = Place::new().env(TOKENS).load().expect("a configuration");
    assert!(config.settings.iter().all(|setting| {
        let tokens = setting.key == "bot.tokens";
        tokens || setting.origin == Origin::Default
    }));
}

#[test]
fn a_platforms_port_and_domain_become_listener_and_address() {
    let names = [("PORT", "8080"), ("RAILWAY_PUBLIC_DOMAIN", "bot.example"), ("ADMIN_PORT", "9000")];
    let config = Place::new().env(TOKENS).env(&names).load().expect("a configuration");
    assert_eq!(config.listen.to_string(), "0.0.0.0:8080");
    assert_eq!(config.admin_listen.to_string(), "127.0.0.1:9000");
    assert_eq!(config.webhook.url.expect("an address").to_string(), "https://bot.example");
    assert_eq!(config.polling, None);
    let config = Place::new().env(TOKENS).env(&names).env(&[("NOBAT_LISTEN", "127.0.0.1:1")]).load();
    assert_eq!(config.expect("a configuration").listen.to_string(), "127.0.0.1:1");
    let config =
        Place::new().env(TOKENS).env(&names).env(&[("WEBHOOK_URL", "https://h.example/webhook/")]).load();
    assert_eq!(
        config.expect("a configuration").webhook.url.expect("an address").to_string(),
        "https://h.example"
    );
    let config = Place::new().env(TOKENS).env(&names).env(&[("FORCE_POLLING", "true")]).load();
    let config = config.expect("a configuration");
    // A platform that gives a port looks whether somebody answers on it.
    assert_eq!((config.polling, config.listens), (Some(Polling::Forced), true));
}

#[test]
fn lanes_are_ordered_by_number_and_not_by_spelling() {
    let numbered: Vec<_> =
        (1..=16).rev().map(|n| (format!("BOT_TOKEN_{n}"), format!("{}:TEST", 1_000_001 + n))).collect();
    let mut names: Vec<_> = numbered.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    names.extend(TOKENS);
    let config = Place::new().env(&names).load().expect("a configuration");
    let ids: Vec<_> = config.lanes.iter().map(|lane| lane.bot_id.0).collect();
    assert_eq!(ids, (1_000_001..=1_000_017).collect::<Vec<_>>());
    assert_eq!(
        (config.webhook_path(0), config.webhook_path(3)),
        ("/webhook".into(), "/webhook/1000004".into())
    );
    assert!(config.must_hear(0) && !config.must_hear(1), "in single-interface mode the main bot alone");
}

#[test]
fn a_list_of_public_results_bots_hears_everything() {
    let names = [("BOT_TOKENS", "1000001:TEST, 1000002:TEST"), ("NOBAT_KIND", "results")];
    let config = Place::new().env(&names).load().expect("a configuration");
    assert_eq!((config.mode, config.pacing.reach), (Mode::MultiBot, Reach::Known));
    assert!((0..2).all(|lane| config.must_hear(lane)) && !config.must_hear(2));
}

#[test]
fn empty_names_are_not_set() {
    let names = [("BOT_TOKEN_1", ""), ("WEBHOOK_URL", " "), ("NOBAT_KIND", "")];
    let config = Place::new().env(TOKENS).env(&names).load().expect("a configuration");
    assert_eq!(config.lanes.len(), 1);
}

#[test]
fn nothing_shows_a_token() {
    let place = Place::new().env(&[
        ("BOT_TOKENS", "1000001:HIDDEN-1,1000002:HIDDEN-2"),
        ("NOBAT_KIND", "results"),
        ("ADMIN_BOT_TOKEN", "1000003:HIDDEN-3"),
        ("WEBHOOK_SECRET_TOKEN", "HIDDEN-4"),
        ("POSTGRES_URI", "postgres://u:HIDDEN-5@h/d"),
    ]);
    let config = place.load().expect("a configuration");
    let shown = format!("{config:?}");
    assert!(!shown.contains("HIDDEN"), "{shown}");
    assert!(shown.contains("1000002:***"), "{shown}");
}
