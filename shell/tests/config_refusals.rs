//! Every mistake has its message: what, where, and what to do. The messages are asserted to the letter.

mod support;

use support::Place;

const MAIN: &[(&str, &str)] = &[("BOT_TOKEN_MAIN", "1000001:TEST")];

/// What is wrong, a line each, with the directory's name left out.
fn complaints(place: &Place) -> Vec<String> {
    let problems = place.load().expect_err("problems");
    let dir = format!("{}/", place.dir.path().display());
    problems.to_string().lines().map(|line| line.replace(&dir, "")).collect()
}

#[track_caller]
fn refused(place: Place, wanted: &[&str]) {
    assert_eq!(complaints(&place), wanted);
}

#[test]
fn no_token_at_all() {
    refused(
        Place::new(),
        &["tokens: there is none; set BOT_TOKEN_MAIN (and BOT_TOKEN_1, ...) in .env, or bot.tokens in \
           nobat.toml; @BotFather gives them"],
    );
}

#[test]
fn broken_toml_names_line_and_column() {
    refused(
        Place::new().env(MAIN).file("nobat.toml", "[pacing]\nper_lane_rate = \n[log\n"),
        &[
            "nobat.toml:2:17: TOML: string values must be quoted, expected literal string; see docs/configuration.md \
             for an example",
            "nobat.toml:3:5: TOML: unclosed table, expected `]`; see docs/configuration.md for an example",
        ],
    );
}

#[test]
fn unknown_keys_and_sections_name_the_nearest() {
    refused(
        Place::new().env(MAIN).file(
            "nobat.toml",
            "[pacng]\nx = 1\n[pacing]\nper_lane_rat = 3\ncolour = \"red\"\n[log]\nlevel = [\"info\"]\n",
        ),
        &[
            "nobat.toml:1:2: pacng: there is no such section; did you mean `pacing`?",
            "nobat.toml:4:1: pacing.per_lane_rat: there is no such key; did you mean `per_lane_rate`?",
            "nobat.toml:5:1: pacing.colour: there is no such key; docs/configuration.md lists all there are",
            "nobat.toml:7:9: log.level: array is not expected here; write a single value",
        ],
    );
}

#[test]
fn a_section_must_be_one() {
    refused(
        Place::new().env(MAIN).file("nobat.toml", "log = 3\n"),
        &["nobat.toml:1:1: log: is not a section; write [log] on a line of its own"],
    );
}

#[test]
fn all_bad_values_are_told_at_once() {
    refused(
        Place::new()
            .env(MAIN)
            .file(
                "nobat.toml",
                "[pacing]\nper_lane_rate = 0\nadaptive = \"maybe\"\n[results]\nrelease = \"tomorrow\"\n\
                 [server]\nlisten = 8080\n",
            )
            .file(".env", "LOG_LEVEL=loud\n")
            .env(&[("MAX_REQUESTS_PER_MINUTE", "ten"), ("ADMIN_TELEGRAM_IDS", "42,@me")]),
        &[
            "nobat.toml:7:10: server.listen: `8080` is not host:port; write an IP address and a port, such as \
             127.0.0.1:3001 or 0.0.0.0:8080",
            "nobat.toml:2:17: pacing.per_lane_rate: `0` is not a whole number from 1 to 1000; write a number from \
             1 to 1000",
            "nobat.toml:3:12: pacing.adaptive: `maybe` is not true or false; write true or false",
            "environment (MAX_REQUESTS_PER_MINUTE): limits.requests_per_minute: `ten` is not a whole number from 1 \
             to 10000; write a number from 1 to 10000",
            "nobat.toml:5:11: results.release: `tomorrow` is not an instant; write `now`, or date, time and zone \
             such as 2026-07-20T09:00:00+03:00",
            ".env:1 (LOG_LEVEL): log.level: `loud` is not one of error, warn, info, debug; write one of error, \
             warn, info, debug",
            "environment (ADMIN_TELEGRAM_IDS): admin.user_ids: `@me` is not a user id; write numbers, separated by \
             commas; @userinfobot tells yours",
        ],
    );
}

#[test]
fn an_unreadable_file_is_named() {
    let place = Place::new().env(MAIN);
    let mut inputs = place.inputs();
    inputs.config = Some(place.dir.path().join("missing.toml"));
    let problems = nobat::config::load(&inputs).expect_err("no such file").to_string();
    assert!(
        problems.ends_with(
            "missing.toml: there is no such file; name a readable TOML file with --config, or leave it away"
        ),
        "{problems}"
    );
    std::fs::create_dir(place.dir.path().join("nobat.toml")).expect("a directory");
    refused(
        place,
        &[
            "nobat.toml: cannot be read (Is a directory (os error 21)); name a readable TOML file with --config, or \
           leave it away",
        ],
    );
    let place = Place::new().env(MAIN);
    std::fs::write(place.dir.path().join("nobat.toml"), b"\xff\xfe").expect("written");
    refused(
        place,
        &["nobat.toml: is not UTF-8 text; name a readable TOML file with --config, or leave it away"],
    );
}

#[test]
fn a_bad_line_of_dotenv_is_named_without_its_content() {
    refused(
        Place::new().file(".env", "BOT_TOKEN_MAIN=1000001:TEST\nexport\n1000002:SECRET\nA='x\n"),
        &[
            ".env:2:1: line: no `=`; write NAME=value, or begin the line with # if it is a comment",
            ".env:3:1: line: no `=`; write NAME=value, or begin the line with # if it is a comment",
            ".env:4:1: line: the quote is not closed; write NAME=value, or begin the line with # if it is a comment",
        ],
    );
}

#[test]
fn contradicting_names_are_both_named() {
    refused(
        Place::new().env(MAIN).env(&[("BOT_TOKENS", "1000002:TEST")]),
        &[
            "environment (BOT_TOKENS): tokens: BOT_TOKEN_MAIN and BOT_TOKENS both name tokens; keep BOT_TOKEN_MAIN or \
           BOT_TOKENS, not both",
        ],
    );
    refused(
        Place::new().env(&[("BOT_MODE", "single_interface"), ("BOT_TOKENS", "1000002:TEST")]),
        &[
            "environment (BOT_MODE): bot: BOT_MODE=single_interface and BOT_TOKENS contradict each other: one public \
           bot, or a list of public bots; keep BOT_MODE=single_interface or BOT_TOKENS, not both",
        ],
    );
    refused(
        Place::new().env(MAIN).env(&[("NOBAT_KIND", "chat")]),
        &[
            "environment (NOBAT_KIND): bot: NOBAT_KIND=chat and BOT_TOKEN_MAIN contradict each other: that is how a \
           results bot is named, and this is to be a chat bot; keep NOBAT_KIND=chat or BOT_TOKEN_MAIN, not both",
        ],
    );
    refused(
        Place::new()
            .file("nobat.toml", "[bot]\nkind = \"chat\"\n")
            .env(&[("BOT_TOKEN", "1000002:TEST"), ("BOT_MODE", "single_interface")]),
        &[
            "nobat.toml:2:8: bot: bot.kind = \"chat\" and BOT_MODE=single_interface contradict each other: that is how \
           a results bot is named, and this is to be a chat bot; keep bot.kind = \"chat\" or \
           BOT_MODE=single_interface, not both",
        ],
    );
    refused(
        Place::new()
            .env(MAIN)
            .env(&[("NOBAT_LISTEN", "127.0.0.1:1"), ("NOBAT_SERVER_LISTEN", "127.0.0.1:2")]),
        &[
            "environment (NOBAT_LISTEN): server.listen: NOBAT_SERVER_LISTEN=127.0.0.1:2 and NOBAT_LISTEN=127.0.0.1:1 \
           contradict each other; keep NOBAT_SERVER_LISTEN or NOBAT_LISTEN, not both",
        ],
    );
    refused(
        Place::new().env(MAIN).env(&[("ADMIN_TELEGRAM_IDS", "1"), ("ADMIN_USER_IDS", "2")]),
        &[
            "environment (ADMIN_USER_IDS): admin.user_ids: ADMIN_TELEGRAM_IDS=1 and ADMIN_USER_IDS=2 contradict each \
           other; keep ADMIN_TELEGRAM_IDS or ADMIN_USER_IDS, not both",
        ],
    );
}

#[test]
fn a_lone_token_does_not_say_what_the_bot_does() {
    refused(
        Place::new().env(&[("BOT_TOKEN", "1000001:TEST")]),
        &[
            "environment (BOT_TOKEN): bot.kind: BOT_TOKEN alone does not say what the bot does; set NOBAT_KIND to one \
           of results, chat, registration, signals, answers, gateway",
        ],
    );
    refused(
        Place::new().env(&[("BOT_TOKEN", "1000001:TEST"), ("NOBAT_KIND", "shop")]),
        &[
            "environment (NOBAT_KIND): bot.kind: `shop` is not one of results, chat, registration, signals, answers, \
           gateway; write one of results, chat, registration, signals, answers, gateway",
        ],
    );
}

#[test]
fn a_kind_that_is_not_served_is_told_as_such() {
    refused(
        Place::new().env(&[("BOT_TOKEN", "1000001:TEST"), ("NOBAT_KIND", "signals")]),
        &[
            "environment (BOT_TOKEN): bot.kind: this version does not serve `signals` yet; it serves: results, chat",
        ],
    );
}

#[test]
fn a_malformed_token_is_described_and_never_shown() {
    let place = Place::new().env(&[
        ("BOT_TOKEN_MAIN", "SECRET"),
        ("BOT_TOKEN_1", "@SECRET:SECRET"),
        ("BOT_TOKEN_2", "1000001:"),
        ("BOT_TOKEN_3", "1000001:SECRET SECRET"),
        ("BOT_TOKEN_4", "0100:SECRET"),
    ]);
    let complaints = complaints(&place);
    assert!(!complaints.concat().contains("SECRET"), "{complaints:?}");
    let remedy = "copy it whole from @BotFather: digits, a colon, then letters, digits, - and _";
    let wanted = [
        ("MAIN", "no colon in its 6 characters"),
        ("1", "what stands before the colon is no bot id"),
        ("2", "0 characters behind the colon"),
        ("3", "a character behind the colon that no token has"),
        ("4", "what stands before the colon is no bot id"),
    ]
    .map(|(n, what)| format!("environment: BOT_TOKEN_{n}: is not a bot token: {what}; {remedy}"));
    assert_eq!(complaints, wanted);
}

#[test]
fn one_bot_cannot_be_two_lanes() {
    refused(
        Place::new().env(MAIN).env(&[("BOT_TOKEN_1", "1000001:OTHER")]),
        &["environment: BOT_TOKEN_1: is the same bot as BOT_TOKEN_MAIN (1000001:***); give each lane a \
           bot of its own, or remove one"],
    );
    refused(
        Place::new().file(
            "nobat.toml",
            "[bot]\nkind = \"results\"\ntokens = [\n  \"1000001:TEST\",\n  \"1000001:TEST\",\n]\n",
        ),
        &[
            "nobat.toml:5:3: bot.tokens, token 2: is the same bot as bot.tokens, token 1 (1000001:***); give each lane \
           a bot of its own, or remove one",
        ],
    );
}

#[test]
fn tokens_are_numbered_without_a_gap() {
    refused(
        Place::new().env(MAIN).env(&[("BOT_TOKEN_1", "1000002:TEST"), ("BOT_TOKEN_3", "1000004:TEST")]),
        &[
            "environment (BOT_TOKEN_3): BOT_TOKEN_2: is missing, but BOT_TOKEN_3 is set; number the tokens from 1 \
           without a gap",
        ],
    );
    refused(
        Place::new().env(&[("BOT_TOKEN_1", "1000002:TEST")]),
        &[
            "environment (BOT_TOKEN_1): BOT_TOKEN_MAIN: is missing, but BOT_TOKEN_1 is set; set it to the token of the \
           bot that users write to",
        ],
    );
}

#[test]
fn a_token_never_travels_in_the_clear() {
    refused(
        Place::new().env(MAIN).env(&[("TELEGRAM_API_ROOT", "http://10.0.0.1:8081")]),
        &[
            "environment (TELEGRAM_API_ROOT): telegram.api_root: `http://10.0.0.1:8081` is plain http, and every \
           request carries a token; use https; plain http is allowed to 127.0.0.1, ::1 and localhost",
        ],
    );
    let local = [("TELEGRAM_API_ROOT", "http://127.0.0.1:8081"), ("WEBHOOK_URL", "http://127.0.0.1:3000")];
    assert!(Place::new().env(MAIN).env(&local).load().is_ok());
    refused(
        Place::new().env(MAIN).env(&[("TELEGRAM_API_ROOT", "api.telegram.org")]),
        &[
            "environment (TELEGRAM_API_ROOT): telegram.api_root: `api.telegram.org` is not an address; it has no \
           scheme; write https:// before it",
        ],
    );
}

#[test]
fn webhook_address_and_secret_are_what_the_platform_takes() {
    refused(
        Place::new().env(MAIN).env(&[("WEBHOOK_URL", "https://bot.example:9443")]),
        &[
            "environment (WEBHOOK_URL): webhook.url: the platform does not deliver to port 9443; use 443, 80, 88 or 8443",
        ],
    );
    refused(
        Place::new().env(MAIN).env(&[("WEBHOOK_URL", "http://bot.example")]),
        &[
            "environment (WEBHOOK_URL): webhook.url: `http://bot.example` is plain http; the platform delivers to https only",
        ],
    );
    refused(
        Place::new().env(MAIN).env(&[("WEBHOOK_SECRET_TOKEN", "SECRET!")]),
        &[
            "environment (WEBHOOK_SECRET_TOKEN): webhook.secret: has a character that is not allowed, or more than 256; \
           use 32 or more of A-Z a-z 0-9 _ -, or leave it away: one is made then",
        ],
    );
}

#[test]
fn half_of_a_pair_and_one_port_twice_are_refused() {
    refused(
        Place::new().env(MAIN).env(&[("NOBAT_TLS_CERT", "c.pem")]),
        &[
            "environment (NOBAT_TLS_CERT): tls.cert: is set, but tls.key is not; set both, or neither for a proxy in front",
        ],
    );
    refused(
        Place::new().env(MAIN).env(&[("NOBAT_LISTEN", "127.0.0.1:3001")]),
        &[
            "server.admin_listen: is 127.0.0.1:3001 as well as server.listen; choose another port, or one port for both: \
           admin.on_main",
        ],
    );
}

#[test]
fn production_refuses_a_dotenv_that_others_can_read() {
    use std::os::unix::fs::PermissionsExt;
    let open = |place: Place| {
        let path = place.dir.path().join(".env");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).expect("permissions");
        place
    };
    let place = open(Place::new().file(".env", "BOT_TOKEN_MAIN=1000001:TEST\n"));
    let warnings = place.load().expect("a configuration").warnings.join("\n");
    assert!(warnings.contains(".env can be read by others on this machine: chmod 600"), "{warnings}");
    let place =
        open(Place::new().file(".env", "BOT_TOKEN_MAIN=1000001:TEST\n").env(&[("NODE_ENV", "production")]));
    refused(place, &[".env: others on this machine can read it, and it holds tokens; run: chmod 600 .env"]);
}

#[test]
fn handoff_to_bots_that_cannot_hear_is_refused() {
    let two = [("BOT_TOKEN_1", "1000002:TEST"), ("NOBAT_RESULTS_HANDOFF", "true")];
    let place = || Place::new().env(MAIN).env(&two);
    refused(
        place().env(&[("NOBAT_LISTEN", "127.0.0.1:8080")]),
        &[
            "environment (NOBAT_RESULTS_HANDOFF): results.handoff: each student is sent to his lane's bot, and these bots \
           cannot hear him: nothing says where their updates are to arrive; set webhook.url (WEBHOOK_URL), so that all \
           bots are registered, or FORCE_POLLING=true, or turn handoff off",
        ],
    );
    for hears in [("WEBHOOK_URL", "https://bot.example"), ("FORCE_POLLING", "true")] {
        let config = place().env(&[hears]).load().expect("every bot hears");
        assert!((0..2).all(|lane| config.must_hear(lane)));
    }
}
