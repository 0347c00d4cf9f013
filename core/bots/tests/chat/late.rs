//! What was written before a chat began never reaches its partner: the platform delivers messages and presses of one
//! user beside each other, so a text can come after the press that was made after it.

use crate::world::{World, lane_of};
use nobat_bots::chat::Settings;
use nobat_core::bot::{Call, Content, Input};
use nobat_core::id::MessageId;
use std::time::Duration;

/// 1 was with 2, pressed "Next", and is with 4 now. 1 and 4 use the same bot. Returns two numbers of 1's chat that no
/// message of the new chat has: one from before the press, and one from between the press and the word of the chat.
fn moved_on() -> (World, i64, i64) {
    let mut w = World::new(Settings::default());
    [1, 2, 4].into_iter().for_each(|user| w.joins(user, 30));
    w.pair(1, 2);
    w.says(4, "/find");
    let late = w.number(1).0;
    let next = w.button(1, "next").expect("a button");
    w.presses(1, &next);
    let told = w.told[&1];
    assert!(w.last(4).starts_with("🎉") && late < told);
    (w, late, told - 1)
}

/// All that a partner sees of what is said: everything but the bot's own words.
fn relayed(w: &World, user: u64) -> Vec<&Call> {
    let said = |call: &&Call| {
        matches!(
            call,
            Call::Said { .. }
                | Call::Copy { .. }
                | Call::CopyAlbum { .. }
                | Call::React { .. }
                | Call::EditCaption { .. }
                | Call::EditText { .. }
        )
    };
    w.screens[&user].iter().map(|(_, call)| call).filter(said).collect()
}

#[test]
fn a_text_from_before_the_press_on_next_does_not_reach_the_new_partner_and_is_said_kindly() {
    let (mut w, late, later) = moved_on();
    for number in [late, later, w.told[&1]] {
        w.wrote(1, lane_of(1), number, "I love you, my dear second");
        assert!(w.last(1).starts_with("⚠️ Not sent: you wrote that before"), "{}", w.last(1));
    }
    assert_eq!((relayed(&w, 4).len(), relayed(&w, 2).len()), (0, 0));
    w.says(1, "hello, fourth");
    assert_eq!(w.last(4), "hello, fourth");
}

#[test]
fn a_picture_an_album_and_a_voice_from_before_it_do_not_either() {
    let (mut w, late, later) = moved_on();
    for (number, album) in [(late, ""), (late, "77"), (later, "77")] {
        let caption = "for my second".into();
        let input = Input::OtherMessage {
            message: MessageId(number),
            content: Content::Voice,
            caption,
            reply_to: None,
            album,
        };
        w.give(1, lane_of(1), input);
    }
    w.pass(Duration::from_secs(5));
    assert_eq!(relayed(&w, 4).len(), 0);
}

#[test]
fn changes_signs_and_answers_to_messages_of_a_former_chat_do_not_either() {
    let (mut w, late, later) = moved_on();
    w.says(4, "hello");
    for message in [late, later].map(MessageId) {
        w.give(1, lane_of(1), Input::Edited { message, text: "dear second".into(), content: None });
        w.give(1, lane_of(1), Input::Edited { message, text: "two".into(), content: Some(Content::Photo) });
        w.give(1, lane_of(1), Input::Reacted { message, emoji: "❤" });
        w.answers(1, message.0, "hi");
        assert!(matches!(w.last_call(4), Call::Said { reply_to: None, .. }), "the answer hangs on nothing");
    }
    assert_eq!(relayed(&w, 4).len(), 2, "the two answers");
}

#[test]
fn when_a_chat_began_is_known_after_a_kill() {
    let (mut w, late, _) = moved_on();
    w.restart(w.frames());
    w.wrote(1, lane_of(1), late, "I love you, my dear second");
    assert_eq!(relayed(&w, 4).len(), 0);
    w.says(1, "hello, fourth");
    assert_eq!(w.last(4), "hello, fourth");
}

#[test]
fn it_is_known_however_much_was_said_since() {
    let (mut w, late, _) = moved_on();
    for i in 0..80 {
        w.says(4, &format!("m{i}"));
        w.pass(Duration::from_secs(1));
    }
    let calls = relayed(&w, 4).len();
    w.wrote(1, lane_of(1), late, "I love you, my dear second");
    assert_eq!(relayed(&w, 4).len(), calls);
}

#[test]
fn nothing_is_passed_on_before_its_author_was_told_of_the_chat() {
    let mut w = World::new(Settings::default());
    [1, 2].into_iter().for_each(|user| w.joins(user, 30));
    w.says(1, "/find");
    w.stuck = true;
    w.says(2, "/find");
    w.says(1, "is nobody here?");
    w.stuck = false;
    w.deliver();
    assert_eq!(relayed(&w, 2).len(), 0);
    assert!(w.last(1).starts_with("⚠️ Not sent: you wrote that before this chat began"));
    w.says(1, "oh, hello");
    assert_eq!(w.last(2), "oh, hello");
}

#[test]
fn who_was_never_told_of_his_chat_is_told_when_he_writes() {
    // The word of the chat is lost: the platform refused it for good.
    let mut w = World::new(Settings::default());
    [1, 2].into_iter().for_each(|user| w.joins(user, 30));
    w.says(1, "/find");
    w.stuck = true;
    w.says(2, "/find");
    w.loses(1, "🎉");
    w.stuck = false;
    w.deliver();
    w.says(1, "is nobody here?");
    assert!(w.last(1).contains("You are in a new chat now") && w.button(1, "stop").is_some());
    w.says(1, "hello then");
    assert_eq!(w.last(2), "hello then");
}

#[test]
fn a_command_from_before_a_chat_does_nothing_to_it_but_a_wish_to_leave_counts_until_he_was_told() {
    let (mut w, late, _) = moved_on();
    for command in ["/report", "/block", "/next", "/lock", "/stop"] {
        w.wrote(1, lane_of(1), late, command);
        assert_eq!(w.last(1), "That chat is over.", "{command}");
    }
    w.says(4, "still here");
    assert_eq!(w.last(1), "still here");
    w.says(1, "/stop");
    w.pass(Duration::from_secs(1300));
    w.says(1, "/find");
    w.stuck = true;
    w.says(4, "/find");
    w.says(1, "/report");
    w.says(1, "/stop");
    w.stuck = false;
    w.deliver();
    assert_eq!(w.heard(4).last(), Some(&"Your partner has left the chat."));
    assert!(w.heard(1).contains(&"That chat is over."));
}

#[test]
fn who_writes_to_another_of_the_bots_is_sent_to_the_one_where_his_chat_is() {
    let mut w = World::new(Settings::default());
    [1, 4].into_iter().for_each(|user| w.joins(user, 30));
    w.pair(1, 4);
    // Its messages have numbers of their own, so they do not say what was first.
    w.wrote(1, 2, 9_999, "hello");
    w.wrote(1, 2, 9_999, "/report");
    assert!(w.heard(1).iter().rev().take(2).all(|text| text.contains("another of our bots")));
    assert_eq!((w.screens[&1].last().map(|(lane, _)| *lane), relayed(&w, 4).len()), (Some(2), 0));
    w.says(1, "hello");
    assert_eq!(w.last(4), "hello");
    w.wrote(1, 2, 9_999, "/stop");
    assert_eq!(w.last(4), "Your partner has left the chat.");
}

#[test]
fn an_answer_to_the_word_of_the_chat_itself_hangs_on_nothing() {
    let (mut w, ..) = moved_on();
    let told = w.told[&1];
    w.answers(1, told, "hello");
    assert_eq!(*w.last_call(4), Call::Said { text: "hello".into(), protect: false, reply_to: None });
}
