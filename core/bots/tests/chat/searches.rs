//! A storm of searches by one user costs him, and nobody else.

use crate::world::World;
use nobat_bots::chat::Settings;
use std::time::Duration;

fn world(looks_max: u8) -> World {
    let mut w = World::new(Settings { looks_max, ..Settings::default() });
    (1..=6).for_each(|user| w.joins(user, 30));
    w
}

#[test]
fn who_joins_and_cancels_on_and_on_must_wait_and_is_told_how_long() {
    let mut w = world(3);
    for _ in 0..3 {
        w.says(1, "/find");
        assert!(w.last(1).starts_with("🔎 Searching"));
        w.says(1, "/stop");
        w.pass(Duration::from_secs(1));
    }
    w.says(1, "/find");
    assert!(w.last(1).contains("Wait \u{2068}57\u{2069} s"), "{}", w.last(1));
    w.restart(w.frames());
    w.says(1, "/find");
    assert!(w.last(1).starts_with("You have searched very often"), "a restart forgets nothing");
    w.says(2, "/find");
    assert!(w.last(2).starts_with("🔎 Searching"), "others search as ever");
    w.pass(Duration::from_secs(60));
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🎉"));
}

#[test]
fn who_skips_on_and_on_keeps_the_partner_he_has_and_the_partner_hears_nothing() {
    let mut w = world(2);
    [2, 4].into_iter().for_each(|user| w.says(user, "/find"));
    w.says(6, "/find");
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🎉") && w.last(6).starts_with("🎉"));
    w.says(3, "/find");
    w.says(1, "/next");
    assert!(w.last(1).starts_with("🎉") && w.last(3).starts_with("🎉"));
    let screen = w.screens[&3].len();
    let next = w.button(1, "next").expect("a button");
    w.presses(1, &next);
    w.says(1, "/next");
    assert!(w.last(1).starts_with("You have searched very often"));
    assert_eq!(w.screens[&3].len(), screen, "nothing happened to him");
    w.says(1, "still here");
    assert_eq!(w.last(3), "still here");
}

#[test]
fn the_limit_is_a_setting() {
    let mut w = World::new(Settings { admins: vec![nobat_core::id::UserId(1)], ..Settings::default() });
    w.joins(1, 30);
    w.says(1, "/set searches_per_minute 1");
    w.says(1, "/find");
    w.says(1, "/stop");
    w.says(1, "/find");
    assert!(w.last(1).starts_with("You have searched very often"));
}

#[test]
fn how_much_one_may_write_is_a_setting_and_holds_at_once() {
    let mut w = World::new(Settings { admins: vec![nobat_core::id::UserId(1)], ..Settings::default() });
    w.joins(1, 30);
    w.joins(2, 30);
    w.pair(1, 2);
    w.pass(Duration::from_secs(60));
    w.says(1, "/set flood_messages 3");
    w.says(1, "/set flood_seconds 30");
    (0..5).for_each(|i| w.says(2, &format!("m{i}")));
    assert_eq!(w.last(1), "m2");
    assert!(w.last(2).starts_with("Too many messages. Wait \u{2068}3"), "{}", w.last(2));
    w.restart(w.frames());
    w.pass(Duration::from_secs(31));
    w.says(2, "later");
    assert_eq!(w.last(1), "later");
}
