//! Required channels.

use crate::world::{World, lane_of};
use nobat_bots::chat::{Channel, Settings};
use nobat_core::bot::{Action, Call, Input};
use nobat_core::engine::Inbound;
use nobat_core::id::{ChatId, KindIx, LaneIx, UpdateId, UserId};
use std::time::Duration;

const ADMINS: u64 = (-100_777_i64) as u64;
const MOMENT: Duration = Duration::from_millis(200);

fn world() -> World {
    let channels = ["@some_news", "-1001=https://t.me/+x"].map(|text| Channel::read(text).unwrap()).into();
    let admin_chat = Some(ChatId(ADMINS as i64));
    let mut w = World::new(Settings { channels, admin_chat, ..Settings::default() });
    w.joins(1, 30);
    w
}

fn is_in(w: &mut World, user: u64, both: [Option<bool>; 2]) {
    for (channel, is) in ["@some_news", "-1001"].into_iter().zip(both) {
        match is {
            Some(is) => w.members.insert((channel.into(), user), is),
            None => w.members.remove(&(channel.into(), user)),
        };
    }
}

fn asked(w: &World, user: u64) -> usize {
    w.screens[&user].iter().filter(|(_, call)| matches!(call, Call::IsMember { .. })).count()
}

#[test]
fn nobody_searches_who_is_not_in_all_channels_and_the_buttons_lead_there() {
    let mut w = world();
    is_in(&mut w, 1, [Some(true), Some(false)]);
    w.says(1, "/find");
    w.pass(MOMENT);
    assert!(w.last(1).starts_with("To find a partner, join"));
    let Call::Text { keyboard, .. } = w.last_call(1) else { panic!("not a text") };
    let actions: Vec<_> = keyboard.iter().flatten().map(|button| button.action.clone()).collect();
    let url = |link: &str| Action::Url(link.to_owned());
    let joined = Action::Callback("joined".into());
    assert_eq!(actions, [url("https://t.me/some_news"), url("https://t.me/+x"), joined]);
    is_in(&mut w, 1, [Some(true), Some(true)]);
    w.presses(1, "joined");
    w.pass(MOMENT);
    assert!(w.last(1).starts_with("🔎 Searching"));
}

#[test]
fn what_was_heard_holds_for_hours_and_ends_when_he_leaves_a_channel() {
    let mut w = world();
    is_in(&mut w, 1, [Some(true), Some(true)]);
    w.says(1, "/find");
    w.pass(MOMENT);
    w.says(1, "/stop");
    w.pass(Duration::from_secs(3600));
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🔎 Searching"));
    assert_eq!(asked(&w, 1), 2);
    w.says(1, "/stop");
    // He leaves the channel without a name; the news comes through another bot and says nothing to him.
    let told = w.screens[&1].len();
    let (kind, lane, update) = (KindIx(0), LaneIx(2), UpdateId(900));
    let (user, chat, language) = (UserId(1), ChatId(-1001), "");
    let input = Input::Member { name: "", joined: false };
    let inbound = Inbound { kind, lane, update, user, chat, language, input };
    w.engine.handle_update(w.now(), &inbound).unwrap();
    assert_eq!(w.screens[&1].len(), told);
    is_in(&mut w, 1, [Some(true), Some(false)]);
    w.says(1, "/find");
    w.pass(MOMENT);
    assert!(w.last(1).starts_with("To find a partner, join"));
    assert_eq!(w.screens[&1].last().unwrap().0, lane_of(1), "answered where he writes");
    // And after a restart as well.
    w.restart(w.frames());
    w.says(1, "/find");
    w.pass(MOMENT);
    assert!(w.last(1).starts_with("To find a partner, join"));
}

#[test]
fn where_the_platform_cannot_say_he_is_let_in_and_the_administrators_are_told_once_an_hour() {
    let mut w = world();
    w.joins(2, 30);
    is_in(&mut w, 1, [Some(true), None]);
    is_in(&mut w, 2, [Some(true), None]);
    w.says(1, "/find");
    w.says(2, "/find");
    w.pass(MOMENT);
    assert!(w.last(1).starts_with("🎉") && w.last(2).starts_with("🎉"));
    assert_eq!(w.heard(ADMINS).len(), 1);
    assert!(w.last(ADMINS).contains("cannot say who is in \u{2068}-1001\u{2069}"), "{}", w.last(ADMINS));
}

#[test]
fn who_presses_again_and_again_is_asked_about_once() {
    let mut w = world();
    is_in(&mut w, 1, [Some(true), Some(true)]);
    (0..5).for_each(|_| w.says(1, "/find"));
    assert_eq!(asked(&w, 1), 2);
    w.pass(MOMENT);
    assert!(w.last(1).starts_with("🔎 Searching"));
}

#[test]
fn who_has_left_a_channel_leaves_his_partner_by_next_and_finds_nobody() {
    let mut w = world();
    w.joins(2, 30);
    is_in(&mut w, 1, [Some(true), Some(true)]);
    is_in(&mut w, 2, [Some(true), Some(true)]);
    w.says(1, "/find");
    w.says(2, "/find");
    w.pass(MOMENT);
    is_in(&mut w, 1, [Some(false), Some(true)]);
    for _ in 0..25 {
        w.pass(Duration::from_secs(15 * 60));
        w.says(2, "still there?");
    }
    w.says(1, "/next");
    w.pass(MOMENT);
    assert!(w.heard(1).contains(&"You have left the chat."));
    assert!(w.last(1).starts_with("To find a partner, join"), "{}", w.last(1));
    assert_eq!(w.last(2), "Your partner has left the chat.");
}
