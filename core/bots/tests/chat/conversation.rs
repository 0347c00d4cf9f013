//! One thing after the other, as people meet it.

use crate::world::World;
use nobat_bots::chat::{Language, Settings, Texts};
use nobat_core::bot::{Call, Content, Input};
use nobat_core::id::{MessageId, UserId};
use std::time::Duration;

fn two() -> World {
    let mut w = World::new(Settings::default());
    w.joins(1, 30);
    w.joins(2, 40);
    w
}

fn paired() -> World {
    let mut w = two();
    w.pair(1, 2);
    w
}

#[test]
fn a_newcomer_is_asked_for_language_gender_and_age_and_nothing_else_passes() {
    let mut w = World::new(Settings::default());
    w.says(1, "/find");
    assert!(w.last(1).contains("Choose your language"));
    w.presses(1, "l:fa");
    assert_eq!(w.last(1), "جنسیت شما چیست؟");
    w.presses(1, "find");
    w.says(1, "30");
    assert_eq!(w.last(1), "جنسیت شما چیست؟");
    w.presses(1, "g:2");
    assert!(w.last(1).contains("چند سال دارید؟"));
    for (age, answer) in [("0", "درست نیست"), ("121", "درست نیست"), ("x", "درست نیست"), ("12", "سال به بالا")]
    {
        w.says(1, age);
        assert!(w.last(1).contains(answer), "{age}: {}", w.last(1));
    }
    w.says(1, "۲۵");
    assert!(w.last(1).contains("کامل شد"));
    w.pass(Duration::from_secs(10));
    w.says(1, "/profile");
    assert_eq!(w.last(1), "👤 \u{2068}خانم\u{2069}\n🎂 \u{2068}25\u{2069}\n💬 گفتگوها: \u{2068}0\u{2069}");
}

#[test]
fn two_who_search_are_shown_each_others_profile_and_nothing_of_the_account() {
    let mut w = two();
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🔎"));
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🔎 You are in line already"));
    w.says(2, "/find");
    let met = |gender, age| {
        format!(
            "🎉 You have a partner:\n👤 \u{2068}{gender}\u{2069}\n🎂 \u{2068}{age}\u{2069}\n💬 chats: \
             \u{2068}0\u{2069}\n\nSay hello!"
        )
    };
    assert_eq!(w.last(1), met("Woman", 40));
    assert_eq!(w.last(2), met("Man", 30));
    w.says(1, "/find");
    assert!(w.last(1).starts_with("You are in a chat"));
}

#[test]
fn what_is_said_reaches_the_partner_once_on_the_bot_he_uses() {
    let mut w = paired();
    w.says(1, "hello\n/not a command");
    assert_eq!(w.last(2), "hello\n/not a command");
    assert_eq!(w.screens[&2].last().unwrap().0, 2);
    let heard = w.heard(1).len();
    w.says(2, "hi");
    assert_eq!((w.last(1), w.heard(1).len()), ("hi", heard + 1));
    assert_eq!(w.screens[&1].last().unwrap().0, 1);
}

#[test]
fn who_leaves_and_who_is_left_are_told_and_nothing_passes_any_more() {
    let mut w = paired();
    w.says(1, "/stop");
    assert_eq!((w.last(1), w.last(2)), ("You have left the chat.", "Your partner has left the chat."));
    w.says(2, "are you there?");
    assert!(!w.heard(1).contains(&"are you there?"));
    assert_eq!(w.last(2), "What would you like to do?");
}

#[test]
fn who_goes_on_meets_someone_else_and_not_the_same_one() {
    let mut w = paired();
    w.joins(3, 50);
    w.says(1, "/next");
    assert!(w.last(1).ends_with("Searching for another partner …"));
    w.says(2, "/find");
    assert!(w.last(2).starts_with("🔎"), "they have just parted");
    w.says(3, "/find");
    assert!(w.last(1).contains("\u{2068}50\u{2069}"), "who waited longest goes first");
}

#[test]
fn a_chat_can_be_left_before_the_search_has_found_anyone() {
    let mut w = two();
    w.says(1, "/find");
    w.presses(1, "cancel");
    assert_eq!(w.last(1), "The search has ended.");
    w.says(2, "/find");
    assert!(w.last(2).starts_with("🔎"));
    w.presses(1, "cancel");
    assert_eq!(w.notice(1), "This button does nothing any more.");
}

#[test]
fn a_button_of_a_chat_that_is_over_does_nothing_to_the_next_one() {
    let mut w = paired();
    let old = w.button(1, "report").unwrap();
    w.says(1, "/stop");
    w.joins(4, 50);
    w.pair(1, 4);
    w.presses(1, &old);
    assert_eq!(w.notice(1), "That chat is over.");
    w.says(1, "still here");
    assert_eq!(w.last(4), "still here");
}

#[test]
fn who_is_blocked_or_reported_only_hears_that_his_partner_left_and_never_meets_him_again() {
    for (act, told) in [("block", "The chat has ended"), ("report", "Your report is noted")] {
        let mut w = paired();
        let data = w.button(1, act).unwrap();
        w.presses(1, &data);
        assert!(w.last(1).starts_with(told));
        assert_eq!(w.last(2), "Your partner has left the chat.");
        w.pass(Duration::from_secs(48 * 3600));
        w.says(1, "/find");
        w.says(2, "/find");
        assert!(w.last(1).starts_with("🔎") && w.last(2).starts_with("🔎"));
    }
}

#[test]
fn who_is_reported_by_many_meets_nobody_for_a_day() {
    let mut w = World::new(Settings { reports_max: 2, ..Settings::default() });
    (1..=4).for_each(|user| w.joins(user, 30));
    for reporter in [2, 3] {
        w.pair(1, reporter);
        w.says(reporter, "/report");
    }
    w.says(1, "/find");
    assert!(w.last(1).contains("\u{2068}24\u{2069} h"), "{}", w.last(1));
    w.pass(Duration::from_secs(24 * 3600));
    w.pair(1, 4);
}

#[test]
fn who_blocks_the_bot_ends_the_chat_kindly() {
    let mut w = paired();
    let heard = w.heard(1).len();
    w.give(1, 2, Input::Blocked);
    assert!(!w.last(2).contains("blocked"), "another bot than the one he chats on");
    w.give(1, 1, Input::Blocked);
    assert_eq!(w.last(2), "Your partner has blocked this bot, so the chat has ended.");
    assert_eq!(w.heard(1).len(), heard, "nothing can be said to him");
}

#[test]
fn a_chat_in_which_nobody_writes_ends_and_one_in_which_one_writes_does_not() {
    let mut w = paired();
    for _ in 0..12 {
        w.pass(Duration::from_secs(10 * 60));
        w.says(1, "talking to myself");
    }
    w.pass(Duration::from_secs(26 * 60));
    assert_eq!(w.last(2), "talking to myself");
    w.pass(Duration::from_secs(5 * 60));
    let ended = "Nobody has written for \u{2068}30\u{2069} minutes, so the chat has ended.";
    assert_eq!((w.last(1), w.last(2)), (ended, ended));
    assert_eq!(w.engine.next_alarm(), None);
}

#[test]
fn names_links_and_numbers_stay_with_the_sender() {
    let mut w = paired();
    w.says(1, "I am @somebody");
    assert!(w.last(1).starts_with("⚠️ Not sent: it seems to name"));
    assert!(!w.heard(2).iter().any(|text| text.contains('@')));
    let mut open = World::new(Settings { private: false, ..Settings::default() });
    open.joins(1, 30);
    open.joins(2, 30);
    open.pair(1, 2);
    open.says(1, "I am @somebody");
    assert_eq!(open.last(2), "I am @somebody");
}

#[test]
fn what_cannot_be_passed_on_is_said_to_the_sender() {
    let mut w = paired();
    for (content, caption, why) in [
        (Content::Other, "", "⚠️ Not sent: this kind of message"),
        (Content::Contact, "", "⚠️ Not sent: contacts"),
        (Content::Photo, "", "⚠️ Not sent: your partner uses another bot"),
    ] {
        w.give(
            1,
            1,
            Input::OtherMessage {
                message: MessageId(9_999),
                content,
                caption: caption.into(),
                reply_to: None,
                album: "",
            },
        );
        assert!(w.last(1).starts_with(why), "{}", w.last(1));
    }
    w.says(1, "/dance");
    assert!(w.last(1).contains("no such command"));
    assert!(w.last(2).starts_with("🎉"));
}

#[test]
fn nobody_changes_who_he_is_in_the_middle_of_a_chat() {
    let mut w = paired();
    w.presses(1, "g:3");
    assert!(w.last(1).starts_with("Not while"));
    w.presses(1, "age");
    assert!(w.last(1).starts_with("Not while"));
    w.says(1, "/stop");
    w.presses(1, "age");
    w.says(1, "31");
    assert!(w.last(1).contains("\u{2068}31\u{2069}") && w.last(1).contains("chats: \u{2068}1\u{2069}"));
}

#[test]
fn who_floods_is_told_once_and_the_rest_is_not_passed_on() {
    let mut w = paired();
    w.pass(Duration::from_secs(11));
    (0..25).for_each(|i| w.says(1, &format!("m{i}")));
    let told = w.heard(1).iter().filter(|text| text.starts_with("Too many messages")).count();
    let passed = w.heard(2).iter().filter(|text| text.starts_with('m')).count();
    assert_eq!((told, passed), (1, 20));
}

#[test]
fn without_cross_bot_matching_only_users_of_one_bot_meet() {
    let mut w = World::new(Settings { cross_bot: false, ..Settings::default() });
    [1, 2, 4].into_iter().for_each(|user| w.joins(user, 30));
    w.says(1, "/find");
    w.says(2, "/find");
    assert!(w.last(2).starts_with("🔎"));
    w.says(4, "/find");
    assert!(w.last(1).starts_with("🎉") && w.last(4).starts_with("🎉"));
}

#[test]
fn nobody_meets_himself_on_another_of_the_bots() {
    for cross_bot in [true, false] {
        let mut w = World::new(Settings { cross_bot, ..Settings::default() });
        w.joins(1, 30);
        w.says_on(1, 1, "/find");
        w.says_on(1, 2, "/find");
        assert!(w.last(1).starts_with("🔎 You are in line already"));
        w.pass(Duration::from_secs(600));
        assert!(w.heard(1).iter().all(|text| !text.starts_with("🎉 You have")));
    }
}

#[test]
fn a_search_without_anyone_ends_and_is_told() {
    let mut w = two();
    w.says(1, "/find");
    w.pass(Duration::from_secs(31 * 60));
    assert!(w.last(1).starts_with("Nobody was there"));
    w.says(2, "/find");
    assert!(w.last(2).starts_with("🔎"));
}

#[test]
fn after_a_kill_everybody_has_the_same_partner_and_who_waits_still_waits() {
    let mut w = two();
    (3..=5).for_each(|user| w.joins(user, 30));
    w.pair(1, 2);
    w.pair(3, 4);
    w.says(5, "/find");
    w.says(1, "before");
    w.restart(w.frames());
    w.says(2, "after");
    assert_eq!((w.last(1), w.last(2)), ("after", "before"));
    w.says(3, "hello");
    assert_eq!(w.last(4), "hello");
    w.says(1, "/next");
    assert!(w.last(1).starts_with("🎉") && w.last(5).starts_with("🎉"));
}

#[test]
fn the_operators_words_are_used_and_the_others_stay() {
    let mut texts = Texts::default();
    texts.replace(Language::English, "[left_self]\nBye bye").unwrap();
    let mut w = World::new(Settings { texts, ..Settings::default() });
    w.joins(1, 30);
    w.joins(2, 30);
    w.pair(1, 2);
    w.says(1, "/stop");
    assert_eq!((w.last(1), w.last(2)), ("Bye bye", "Your partner has left the chat."));
}

#[test]
fn everything_else_is_copied_where_both_use_one_bot_with_a_caption_that_names_nobody() {
    for protect in [false, true] {
        let mut w = World::new(Settings { protect, ..Settings::default() });
        w.joins(1, 30);
        w.joins(4, 30);
        w.pair(1, 4);
        let show = |w: &mut World, content, caption: &str| {
            w.give(
                1,
                1,
                Input::OtherMessage {
                    message: MessageId(9_999),
                    content,
                    caption: caption.into(),
                    reply_to: None,
                    album: "",
                },
            );
        };
        show(&mut w, Content::Voice, "");
        show(&mut w, Content::Photo, "look");
        show(&mut w, Content::Photo, "t.me/somebody");
        w.says(1, "hello");
        let copy = |caption: &str| {
            let (from, caption) = (UserId(1).private_chat(), caption.to_owned());
            Call::Copy { from, message: MessageId(9_999), caption, protect, reply_to: None }
        };
        let last: Vec<_> = w.screens[&4].iter().rev().take(3).map(|(_, call)| call.clone()).collect();
        assert_eq!(
            last,
            [Call::Said { text: "hello".into(), protect, reply_to: None }, copy("look"), copy("")]
        );
        assert!(w.last(1).starts_with("⚠️ Not sent: it seems to name"));
    }
}
