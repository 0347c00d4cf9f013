//! What administrators do, and what others cannot.

use crate::world::{World, lane_of};
use nobat_bots::chat::Settings;
use nobat_core::bot::{Call, Content, Input};
use nobat_core::id::{ChatId, MessageId, UserId};
use std::time::Duration;

const ADMIN: u64 = 50;
const ADMINS: u64 = (-100_777_i64) as u64;
const MEDIA: u64 = (-100_888_i64) as u64;

fn world() -> World {
    let mut w = World::new(Settings {
        admins: vec![UserId(ADMIN)],
        admin_chat: Some(ChatId(ADMINS as i64)),
        media_channel: Some(ChatId(MEDIA as i64)),
        ..Settings::default()
    });
    w.joins(1, 30);
    w.joins(4, 40);
    w.joins(ADMIN, 40);
    w
}

#[test]
fn a_ban_ends_the_chat_and_keeps_him_out_until_it_ends() {
    let mut w = world();
    w.pair(1, 4);
    w.says(ADMIN, "/ban 1 24 rude words");
    assert_eq!(w.last(ADMIN), "Done: \u{2068}ban 1 24 h: rude words\u{2069}");
    w.pass(Duration::from_secs(1));
    assert_eq!(w.last(4), "Your partner has left the chat.");
    assert!(
        w.heard(1).iter().any(|t| t.contains("for \u{2068}24\u{2069} h more. \u{2068}rude words\u{2069}"))
    );
    w.says(1, "/find");
    w.presses(1, "find");
    w.says(1, "hello?");
    assert!(w.last(1).starts_with("⛔"));
    assert!(w.last(4).starts_with("Your partner has left"));
    w.says(1, "/privacy");
    assert!(!w.last(1).starts_with("⛔"), "what is kept of him he may always know");
    w.restart(w.frames());
    w.says(1, "/find");
    assert!(w.last(1).starts_with("⛔"));
    w.pass(Duration::from_secs(24 * 3600));
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🔎"));
}

#[test]
fn a_ban_takes_him_out_of_line_and_can_be_taken_back() {
    let mut w = world();
    w.says(1, "/find");
    w.says(ADMIN, "/ban 1");
    w.pass(Duration::from_secs(1));
    w.says(4, "/find");
    assert!(w.last(4).starts_with("🔎 Searching"), "nobody to meet");
    assert!(w.last(1).starts_with("⛔ You cannot use this bot any more."));
    w.says(ADMIN, "/unban 1");
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🎉"));
}

#[test]
fn only_administrators_administer() {
    let mut w = world();
    for command in ["/ban 4", "/unban 4", "/set age_min 99", "/get", "/log", "/stats", "/user 4", "/admin"] {
        w.says(1, command);
        assert!(w.last(1).starts_with("Here you talk with strangers"), "{command}: {}", w.last(1));
    }
    w.says(4, "/find");
    assert!(w.last(4).starts_with("🔎"));
}

#[test]
fn a_setting_holds_at_once_for_everybody_and_after_a_restart_and_stands_in_the_log() {
    let mut w = world();
    w.says(ADMIN, "/set vip_plans 7:111");
    let answer = "\u{2068}vip_plans\u{2069}: \u{2068}\u{2069} → \u{2068}7:111\u{2069}";
    assert_eq!(w.last(ADMIN), answer);
    w.says(1, "/vip");
    assert_eq!(w.button(1, "b:"), Some("b:vip:7:111".into()));
    w.says(ADMIN, "/set age_min 18");
    w.restart(w.frames());
    w.says(2, "/start");
    w.presses(2, "l:en");
    w.presses(2, "g:1");
    w.says(2, "17");
    assert!(w.last(2).starts_with("This bot is for people from"));
    w.says(4, "/vip");
    assert_eq!(w.button(4, "b:"), Some("b:vip:7:111".into()));
    w.says(ADMIN, "/get age_min");
    assert_eq!(w.last(ADMIN), "age_min = 18 *");
    w.says(ADMIN, "/set age_min default");
    w.says(2, "17");
    assert!(w.last(2).starts_with("Your profile is complete"));
    w.says(ADMIN, "/log");
    let log = w.last(ADMIN).to_owned();
    let lines: Vec<_> = log.lines().map(|line| line.split_once(": ").unwrap().1).collect();
    assert_eq!(lines, ["age_min = default", "age_min = 18", "vip_plans = 7:111"]);
    assert!(log.lines().all(|line| line.contains(&format!(", {ADMIN}: "))));
}

#[test]
fn a_value_that_cannot_be_used_changes_nothing_and_is_explained() {
    let mut w = world();
    w.says(ADMIN, "/set idle_minutes soon");
    assert!(w.last(ADMIN).contains("not a whole number"));
    w.says(ADMIN, "/set colour red");
    assert!(w.last(ADMIN).contains("/set KEY VALUE"));
    w.says(ADMIN, "/get");
    assert!(w.last(ADMIN).contains("idle_minutes = 30\n"));
}

#[test]
fn channels_can_be_required_while_the_bot_runs() {
    let mut w = world();
    w.says(ADMIN, "/set required_channels @some_news");
    w.members.insert(("@some_news".into(), 1), false);
    w.says(1, "/find");
    w.pass(Duration::from_secs(1));
    assert!(w.last(1).starts_with("To find a partner, join"));
    w.says(ADMIN, "/set required_channels none");
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🔎"));
}

#[test]
fn a_report_reaches_the_administrators_with_what_was_said_last() {
    let mut w = world();
    w.pair(1, 4);
    (0..25).for_each(|i| {
        w.says(4, &format!("rude {i}"));
        w.pass(Duration::from_secs(1));
    });
    let received: Vec<_> = (0..20).map(|i| MessageId(w.last_number(1) - 19 + i)).collect();
    w.says(1, "/report");
    let note = w.heard(ADMINS);
    assert_eq!(note.len(), 1);
    assert!(note[0].starts_with("🚩 \u{2068}1\u{2069} reports \u{2068}4\u{2069}"), "{note:?}");
    let evidence = Call::CopyAlbum { from: ChatId(1), messages: received, protect: false };
    assert_eq!(w.screens[&ADMINS][1], (lane_of(1), evidence));
    // Who reported him, the reported one does not learn.
    assert_eq!(w.last(4), "Your partner has left the chat.");
}

#[test]
fn what_is_shown_is_copied_to_the_operators_channel_and_that_is_disclosed() {
    let mut w = world();
    w.pair(1, 4);
    let (message, caption, content) = (w.number(1), "look".into(), Content::Photo);
    w.give(1, 1, Input::OtherMessage { message, content, caption, reply_to: None, album: "" });
    let copied = Call::CopyAlbum { from: ChatId(1), messages: vec![message], protect: false };
    assert_eq!(w.screens[&MEDIA], [(lane_of(1), copied)]);
    w.says(1, "/privacy");
    assert!(w.last(1).contains("are copied to the operator") && w.last(1).contains("report a partner"));
    let mut quiet = World::new(Settings::default());
    quiet.joins(1, 30);
    quiet.says(1, "/privacy");
    assert!(!quiet.last(1).contains("are copied to the operator"));
}

#[test]
fn the_numbers_are_told() {
    let mut w = world();
    w.pair(1, 4);
    w.joins(2, 30);
    w.says(2, "/find");
    w.says(ADMIN, "/stats");
    let numbers = |w: &World| -> Vec<String> {
        let plain = w.last(ADMIN).replace(['\u{2068}', '\u{2069}'], "");
        plain.lines().map(|line| line.split_once(": ").unwrap().1.to_owned()).collect()
    };
    assert_eq!(numbers(&w)[..3], ["4", "1", "2"]);
    w.restart(w.frames());
    w.says(2, "/stop");
    w.says(1, "/stop");
    w.says(ADMIN, "/stats");
    assert_eq!(numbers(&w)[1..3], ["0", "0"]);
}

#[test]
fn what_was_paid_for_in_another_way_is_given_by_hand_and_stands_in_the_log() {
    let mut w = world();
    w.says(ADMIN, "/give 1 days 30");
    assert!(w.last(1).contains("VIP for \u{2068}30\u{2069} days"));
    w.says(ADMIN, "/give 1 credits 5");
    assert!(w.last(1).ends_with("\u{2068}5\u{2069}"));
    w.restart(w.frames());
    w.says(ADMIN, "/user 1");
    assert!(w.last(ADMIN).contains("VIP 30 days, 5 credits"));
    w.says(ADMIN, "/log");
    assert!(w.last(ADMIN).contains("give 1 days 30") && w.last(ADMIN).contains("give 1 credits 5"));
    for wrong in
        ["/give", "/give 1 days", "/give 1 days 0", "/give 0 days 3", "/give 1 stars 5", "/give 1 days 3 4"]
    {
        w.says(ADMIN, wrong);
        assert!(w.last(ADMIN).contains("/give USER days|credits N"), "{wrong}: {}", w.last(ADMIN));
    }
    w.says(1, "/give 1 days 30");
    w.says(ADMIN, "/user 1");
    assert!(w.last(ADMIN).contains("VIP 30 days, 5 credits"), "nobody gives himself anything");
}

#[test]
fn a_bank_card_is_named_wherever_something_is_sold() {
    let card = Some(("6037-9900-0000-0000".to_owned(), "A. Operator".to_owned()));
    let shops = [crate::money::shop(), nobat_bots::chat::Shop::default()];
    for (i, shop) in shops.into_iter().enumerate() {
        let mut w = World::new(Settings { card: card.clone(), shop, ..Settings::default() });
        w.joins(1, 30);
        assert_eq!(w.button(1, "vip"), Some("vip".to_owned()));
        for command in ["/vip", "/paysupport"] {
            w.says(1, command);
            assert!(
                w.last(1).contains("6037-9900-0000-0000") && w.last(1).contains("A. Operator"),
                "{command} {i}"
            );
        }
        w.says(1, "/terms");
        assert!(w.last(1).starts_with("What you buy here"));
    }
}

#[test]
fn what_the_bot_notices_is_told_to_the_administrators_unless_that_is_switched_off() {
    for alerts in [true, false] {
        let mut w = World::new(Settings {
            admin_chat: Some(ChatId(ADMINS as i64)),
            alerts,
            reports_max: 1,
            ..Settings::default()
        });
        w.joins(1, 30);
        w.joins(4, 40);
        w.pair(1, 4);
        w.says(1, "/report");
        w.pays(1, "odd", &("old plan".to_owned(), 7));
        let told = w.heard(ADMINS);
        assert!(told[0].starts_with("🚩"), "a report is told in any case");
        assert_eq!(told.len(), if alerts { 3 } else { 1 }, "{told:?}");
        if alerts {
            assert!(
                told.iter()
                    .any(|text| text.starts_with("⚠️ \u{2068}4\u{2069} was reported by \u{2068}1\u{2069}"))
            );
            assert!(told.iter().any(|text| text.contains("\u{2068}7\u{2069} Stars") && text.contains("odd")));
        }
    }
}
