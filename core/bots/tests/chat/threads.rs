//! What hangs together: answers, edits, signs, albums; and what did not arrive.

use crate::world::{World, lane_of};
use nobat_bots::chat::Settings;
use nobat_core::bot::{Call, Content, Input};
use nobat_core::envelope::DropReason;
use nobat_core::id::MessageId;
use std::time::Duration;

/// 1 and 4 are on one bot, 2 on another.
fn pair(a: u64, b: u64) -> World {
    let mut w = World::new(Settings::default());
    w.joins(a, 30);
    w.joins(b, 30);
    w.pair(a, b);
    w
}

fn edits(w: &mut World, user: u64, message: i64, text: &str, content: Option<Content>) {
    let input = Input::Edited { message: MessageId(message), text: text.into(), content };
    w.give(user, lane_of(user), input);
}

fn signs(w: &mut World, user: u64, message: i64, emoji: &str) {
    w.give(user, lane_of(user), Input::Reacted { message: MessageId(message), emoji });
}

fn shows(w: &mut World, user: u64, content: Content, caption: &str, album: &str) -> i64 {
    let message = w.number(user);
    let caption = caption.into();
    w.give(user, lane_of(user), Input::OtherMessage { message, content, caption, reply_to: None, album });
    message.0
}

fn said(text: &str, reply_to: Option<i64>) -> Call {
    Call::Said { text: text.into(), protect: false, reply_to: reply_to.map(MessageId) }
}

#[test]
fn an_answer_hangs_on_the_same_message_in_the_other_chat_whoevers_it_was() {
    let mut w = pair(1, 2);
    w.says(1, "hello");
    let (hello_of_1, hello_of_2) = (w.last_number(1), w.last_number(2));
    w.answers(2, hello_of_2, "hello yourself");
    assert_eq!(*w.last_call(1), said("hello yourself", Some(hello_of_1)));
    w.answers(1, hello_of_1, "I meant");
    assert_eq!(*w.last_call(2), said("I meant", Some(hello_of_2)));
    // What the bot said stands in one of the chats alone.
    w.says(1, "/help");
    let help = w.last_number(1);
    w.answers(1, help, "good bot");
    assert_eq!(*w.last_call(2), said("good bot", None));
}

#[test]
fn threads_survive_a_kill() {
    let mut w = pair(1, 2);
    w.says(1, "hello");
    let (hello_of_1, hello_of_2) = (w.last_number(1), w.last_number(2));
    w.restart(w.frames());
    w.answers(2, hello_of_2, "hello yourself");
    assert_eq!(*w.last_call(1), said("hello yourself", Some(hello_of_1)));
}

#[test]
fn an_edit_changes_the_copy_and_one_that_names_somebody_does_not() {
    let mut w = pair(1, 4);
    w.says(1, "helo");
    let (mine, copy) = (w.last_number(1), MessageId(w.last_number(4)));
    edits(&mut w, 1, mine, "hello", None);
    let edit = Call::EditText { message: copy, text: "hello".into(), keyboard: Vec::new() };
    assert_eq!(*w.last_call(4), edit);
    edits(&mut w, 1, mine, "hello from @somebody", None);
    assert_eq!(*w.last_call(4), edit);
    assert!(w.last(1).starts_with("⚠️ Not sent: it seems to name"));
    let photo = shows(&mut w, 1, Content::Photo, "", "");
    let copy = MessageId(w.last_number(4));
    edits(&mut w, 1, photo, "look", Some(Content::Photo));
    assert_eq!(*w.last_call(4), Call::EditCaption { message: copy, caption: "look".into() });
    // A live place moves by itself.
    let calls = w.screens[&4].len();
    edits(&mut w, 1, photo, "", Some(Content::Location));
    assert_eq!(w.screens[&4].len(), calls);
}

#[test]
fn a_sign_is_set_and_taken_back_at_the_partners() {
    let mut w = pair(1, 2);
    w.says(1, "hello");
    let (mine, copy) = (w.last_number(1), w.last_number(2));
    signs(&mut w, 2, copy, "👍");
    assert_eq!(*w.last_call(1), Call::React { message: MessageId(mine), emoji: "👍".into() });
    signs(&mut w, 2, copy, "");
    assert_eq!(*w.last_call(1), Call::React { message: MessageId(mine), emoji: String::new() });
    signs(&mut w, 1, mine, "🔥");
    assert_eq!(*w.last_call(2), Call::React { message: MessageId(copy), emoji: "🔥".into() });
}

#[test]
fn nothing_of_a_former_chat_reaches_the_next_partner() {
    let mut w = pair(1, 2);
    w.says(1, "a secret");
    let (mine, copy) = (w.last_number(1), w.last_number(2));
    w.says(1, "/stop");
    w.joins(3, 30);
    w.pair(1, 3);
    let (of_2, of_3) = (w.screens[&2].len(), w.screens[&3].len());
    edits(&mut w, 1, mine, "another secret", None);
    signs(&mut w, 1, mine, "👍");
    signs(&mut w, 2, copy, "👍");
    w.answers(1, mine, "hi");
    assert_eq!((w.screens[&2].len(), w.screens[&3].len()), (of_2, of_3 + 1));
    assert_eq!(*w.last_call(3), said("hi", None));
}

#[test]
fn what_was_said_long_ago_is_forgotten_and_its_edit_is_dropped() {
    let mut w = pair(1, 2);
    w.says(1, "the first");
    let first = w.last_number(1);
    for i in 0..64 {
        w.says(1, &format!("m{i}"));
        w.pass(Duration::from_secs(1));
    }
    let calls = w.screens[&2].len();
    edits(&mut w, 1, first, "the very first", None);
    assert_eq!(w.screens[&2].len(), calls);
    let last = w.last_number(1);
    edits(&mut w, 1, last, "the last", None);
    assert_eq!(w.screens[&2].len(), calls + 1);
}

#[test]
fn an_album_arrives_as_one_with_its_words_behind_it() {
    let mut w = pair(1, 4);
    let parts: Vec<_> =
        ["", "look", ""].map(|caption| shows(&mut w, 1, Content::Photo, caption, "77")).into();
    assert_eq!(*w.last_call(4), Call::Typing, "the others are waited for");
    w.pass(Duration::from_secs(2));
    let screen: Vec<_> = w.screens[&4].iter().map(|(_, call)| call.clone()).collect();
    let messages: Vec<_> = parts.iter().map(|part| MessageId(*part)).collect();
    let album = Call::CopyAlbum { from: nobat_core::id::ChatId(1), messages, protect: false };
    assert_eq!(screen[screen.len() - 2..], [album, said("look", None)]);
    // Each part can be answered.
    let second = w.last_number(4) - 2;
    w.answers(4, second, "nice");
    assert_eq!(*w.last_call(1), said("nice", Some(parts[1])));
}

#[test]
fn an_album_keeps_its_place_before_what_is_written_after_it_and_before_the_end() {
    let mut w = pair(1, 4);
    let pictures = |w: &World| {
        w.screens[&4]
            .iter()
            .filter(|(_, call)| matches!(call, Call::CopyAlbum { .. } | Call::Copy { .. }))
            .count()
    };
    shows(&mut w, 1, Content::Photo, "", "77");
    shows(&mut w, 1, Content::Video, "", "77");
    w.says(1, "that was it");
    assert_eq!((pictures(&w), w.last(4)), (1, "that was it"));
    shows(&mut w, 1, Content::Photo, "", "78");
    shows(&mut w, 1, Content::Photo, "", "79");
    assert_eq!(pictures(&w), 2, "another album is another one; one picture is no album");
    w.says(1, "/stop");
    assert_eq!(pictures(&w), 3);
    assert_eq!(w.last(4), "Your partner has left the chat.");
    w.pass(Duration::from_secs(5));
    assert_eq!(pictures(&w), 3);
}

#[test]
fn an_album_that_waits_survives_a_kill() {
    let mut w = pair(1, 4);
    shows(&mut w, 1, Content::Photo, "", "77");
    shows(&mut w, 1, Content::Photo, "", "77");
    w.restart(w.frames());
    w.pass(Duration::from_secs(2));
    assert!(matches!(w.last_call(4), Call::CopyAlbum { messages, .. } if messages.len() == 2));
}

#[test]
fn who_said_what_the_platform_does_not_take_hears_of_it_and_the_chat_goes_on() {
    let mut w = pair(1, 2);
    w.refuses = Some(DropReason::Rejected);
    w.says(1, "hello");
    w.refuses = None;
    w.pass(Duration::from_secs(1));
    assert!(w.last(1).starts_with("⚠️ One of your messages did not reach"));
    w.says(1, "again");
    assert_eq!(w.last(2), "again");
}

#[test]
fn a_partner_who_cannot_be_reached_any_more_ends_the_chat_kindly() {
    let mut w = pair(1, 2);
    w.refuses = Some(DropReason::Unreachable);
    w.says(1, "hello");
    w.says(1, "are you there?");
    w.refuses = None;
    w.pass(Duration::from_secs(1));
    assert_eq!(w.heard(1).iter().filter(|text| text.starts_with("Your partner has blocked")).count(), 1);
    w.says(1, "/stop");
    assert!(w.last(1).starts_with("You are not in a chat"));
}

#[test]
fn the_message_of_who_waits_turns_for_a_minute_and_stops_when_he_meets_somebody() {
    let mut w = World::new(Settings::default());
    w.joins(1, 30);
    w.joins(2, 30);
    let turns = |w: &World| -> Vec<(i64, String)> {
        let calls = w.screens[&1].iter().filter_map(|(_, call)| match call {
            Call::EditText { message, text, keyboard } => {
                assert_eq!(keyboard.len(), 1, "it can still be cancelled");
                Some((message.0, text.clone()))
            }
            _ => None,
        });
        calls.collect()
    };
    w.says(1, "/find");
    let first = w.last_number(1);
    w.pass(Duration::from_secs(10));
    let seen = turns(&w);
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|(message, _)| *message == first));
    assert!(seen[0].1.starts_with('🔍') && seen[1].1.starts_with('⏳') && seen[2].1.starts_with('💬'));
    // Asked again, the newest message turns; a restart changes nothing.
    w.says(1, "/find");
    let second = w.last_number(1);
    w.restart(w.frames());
    w.pass(Duration::from_secs(3));
    assert_eq!(turns(&w).last().unwrap().0, second);
    w.pass(Duration::from_secs(300));
    assert_eq!(turns(&w).len(), 20);
    w.says(2, "/find");
    assert!(w.last(1).starts_with("🎉"));
    w.says(1, "/next");
    w.pass(Duration::from_secs(4));
    assert_eq!(turns(&w).len(), 21, "another search turns anew");
    w.says(1, "/stop");
    w.pass(Duration::from_secs(60));
    assert_eq!(turns(&w).len(), 21);
    let mut still = World::new(Settings { animate: false, ..Settings::default() });
    still.joins(1, 30);
    still.says(1, "/find");
    still.pass(Duration::from_secs(60));
    assert_eq!(turns(&still).len(), 0);
}

#[test]
fn who_is_written_to_after_a_pause_sees_that_something_comes() {
    for typing in [true, false] {
        let mut w = World::new(Settings { typing, ..Settings::default() });
        w.joins(1, 30);
        w.joins(2, 30);
        w.pair(1, 2);
        let typed = |w: &World| w.screens[&2].iter().filter(|(_, call)| *call == Call::Typing).count();
        w.says(1, "at once");
        w.pass(Duration::from_secs(5 * 60));
        w.says(1, "later");
        w.says(1, "and more");
        assert_eq!(typed(&w), usize::from(typing));
    }
}

#[test]
fn of_an_album_that_cannot_be_passed_on_its_sender_is_told_once() {
    let mut w = pair(1, 2);
    let told = |w: &World| w.heard(1).iter().filter(|text| text.starts_with("⚠️ Not sent")).count();
    for album in ["77", "78"] {
        for _ in 0..4 {
            shows(&mut w, 1, Content::Photo, "", album);
        }
    }
    assert_eq!(told(&w), 2);
    w.pass(Duration::from_secs(5));
    w.says(1, "it was a picture of the sea");
    assert_eq!((w.last(2), told(&w)), ("it was a picture of the sea", 2));
    // Where only the words of one part name somebody, the others are passed on.
    let mut w = pair(1, 4);
    for caption in ["t.me/somebody", "", "the sea"] {
        shows(&mut w, 1, Content::Photo, caption, "79");
    }
    w.pass(Duration::from_secs(5));
    assert!(
        matches!(w.screens[&4].iter().rev().nth(1), Some((_, Call::CopyAlbum { messages, .. })) if messages.len() == 2)
    );
    assert_eq!((w.last(4), told(&w)), ("the sea", 1));
}

#[test]
fn a_poll_is_passed_on_only_where_words_are_not_looked_at() {
    for private in [true, false] {
        let mut w = World::new(Settings { private, ..Settings::default() });
        w.joins(1, 30);
        w.joins(4, 30);
        w.pair(1, 4);
        shows(&mut w, 1, Content::Poll, "", "");
        let copied = w.screens[&4].iter().any(|(_, call)| matches!(call, Call::Copy { .. }));
        assert_eq!((copied, w.last(1).starts_with("⚠️ Not sent: this kind")), (!private, private));
    }
}
