//! Whatever many users do in whatever order: what one says reaches his partner, once, in order, and nobody
//! else, and nobody is in two chats. Judged by what stands on their screens alone.

use crate::world::{World, lane_of};
use nobat_bots::chat::Settings;
use nobat_core::bot::{Call, Input};
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::time::Duration;

const USERS: u64 = 7;

#[derive(Clone, Debug)]
enum Deed {
    Says(u64),
    /// Something that he wrote so many messages before he was told of his chat comes late.
    SaidBefore(u64, i64),
    Command(u64, &'static str),
    Press(u64, &'static str),
    BlocksTheBot(u64),
    Waits(u64),
    Killed,
}

fn deed() -> impl Strategy<Value = Deed> {
    let user = || 1..=USERS;
    let commands = prop::sample::select(vec!["/next", "/stop", "/report", "/block", "/start", "/profile"]);
    let buttons = prop::sample::select(vec!["next", "stop", "report", "block", "cancel", "find"]);
    prop_oneof![
        8 => user().prop_map(Deed::Says),
        3 => (user(), 0i64..4).prop_map(|(user, back)| Deed::SaidBefore(user, back)),
        6 => user().prop_map(|user| Deed::Command(user, "/find")),
        2 => (user(), commands).prop_map(|(user, command)| Deed::Command(user, command)),
        1 => (user(), buttons).prop_map(|(user, button)| Deed::Press(user, button)),
        1 => user().prop_map(Deed::BlocksTheBot),
        2 => (1u64..2_000).prop_map(Deed::Waits),
        1 => Just(Deed::Killed),
    ]
}

/// What is known of who is with whom, from the screens.
#[derive(Default)]
struct Judge {
    /// How much of each screen is read.
    read: BTreeMap<u64, usize>,
    partner: BTreeMap<u64, u64>,
    said: u64,
}

/// What is said at the end of a chat; only who blocked the bot is told nothing.
const ENDS: [&str; 6] = [
    "You have left the chat",
    "Your report is noted",
    "The chat has ended, and you two",
    "Your partner has left",
    "Your partner has blocked",
    "Nobody has written",
];

impl Judge {
    /// Reads what is new. Returns what was passed on, by who got it.
    fn read(&mut self, w: &World) -> Vec<(u64, String)> {
        let mut passed = Vec::new();
        for user in 1..=USERS {
            let screen = &w.screens[&user];
            let from = self.read.insert(user, screen.len()).unwrap_or(0);
            for (lane, call) in &screen[from..] {
                assert_eq!(*lane, lane_of(user), "answered by a bot that he did not write to");
                let (Call::Text { text, .. } | Call::Said { text, .. }) = call else { continue };
                if text.starts_with("word ") {
                    passed.push((user, text.clone()));
                } else if ENDS.iter().any(|end| text.starts_with(end)) {
                    assert!(self.partner.remove(&user).is_some(), "{user} was told of an end: {text}");
                } else if let Some(profile) = text.strip_prefix("🎉 You have a partner") {
                    // Each has an age of his own, so that his partner can be recognized.
                    let shown =
                        (1..=USERS).find(|n| profile.contains(&format!("\u{2068}{}\u{2069}", 50 + n)));
                    // In the order of the screen: a chat may begin and end while time passes.
                    let former = self.partner.insert(user, shown.expect("somebody's age"));
                    assert_eq!(former, None, "{user} is in two chats");
                }
            }
        }
        for (user, shown) in &self.partner {
            assert_eq!(self.partner.get(shown), Some(user), "{user} is with {shown}, who is not with him");
        }
        passed
    }
}

fn play(deeds: Vec<Deed>) {
    let mut w = World::new(Settings { reports_max: 200, ..Settings::default() });
    (1..=USERS).for_each(|user| w.joins(user, 50 + user as u8));
    let mut judge = Judge::default();
    judge.read(&w);
    for deed in deeds {
        let mut expected = Vec::new();
        match &deed {
            Deed::Says(user) => {
                judge.said += 1;
                let text = format!("word {}", judge.said);
                expected.extend(judge.partner.get(user).map(|partner| (*partner, text.clone())));
                w.says(*user, &text);
            }
            // Never expected, by whoever is his partner.
            Deed::SaidBefore(user, back) => {
                judge.said += 1;
                let number = w.told.get(user).map_or(1, |told| told - back);
                w.wrote(*user, lane_of(*user), number, &format!("word {}", judge.said));
            }
            Deed::Command(user, command) => w.says(*user, command),
            Deed::Press(user, prefix) => {
                if let Some(data) = w.button(*user, prefix) {
                    w.presses(*user, &data);
                }
            }
            Deed::BlocksTheBot(user) => {
                w.give(*user, lane_of(*user), Input::Blocked);
                judge.partner.remove(user);
            }
            Deed::Waits(seconds) => w.pass(Duration::from_secs(*seconds)),
            Deed::Killed => w.restart(w.frames()),
        }
        assert_eq!(judge.read(&w), expected, "{deed:?}");
        // The rate is a subject of its own.
        w.pass(Duration::from_millis(600));
        assert_eq!(judge.read(&w), [], "out of turn");
    }
}

#[test]
fn a_chat_may_begin_and_end_while_time_passes() {
    let find = |user| Deed::Command(user, "/find");
    // They part idle, wait until they may meet again, meet, and part idle again.
    play(vec![
        find(7),
        find(4),
        Deed::Waits(1_165),
        Deed::Waits(1_761),
        find(4),
        find(7),
        Deed::Waits(1_872),
    ]);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn what_is_said_reaches_the_partner_once_and_nobody_else(deeds in prop::collection::vec(deed(), 1..80)) {
        play(deeds);
    }

    #[test]
    fn every_prefix_of_the_journal_is_a_state_in_which_people_can_go_on(
        deeds in prop::collection::vec(deed(), 1..30),
        cut: prop::sample::Index,
    ) {
        let mut w = World::new(Settings::default());
        (1..=USERS).for_each(|user| w.joins(user, 50 + user as u8));
        for deed in deeds {
            match deed {
                Deed::Says(user) => w.says(user, "word"),
                Deed::Command(user, command) => w.says(user, command),
                Deed::Waits(seconds) => w.pass(Duration::from_secs(seconds)),
                _ => {}
            }
        }
        let frames = w.frames();
        w.restart(cut.index(frames + 1));
        (1..=USERS).for_each(|user| w.says(user, "/stop"));
    }
}
