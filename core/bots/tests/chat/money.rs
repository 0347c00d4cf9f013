//! Stars, credits, VIP days and locks.

use crate::world::{World, lane_of};
use nobat_bots::chat::{Gave, LockOffer, Offer, Settings, Shop};
use nobat_core::bot::Call;
use nobat_core::id::UserId;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

pub(crate) fn shop() -> Shop {
    Shop {
        vip: vec![Offer { gives: Gave::Days(30), stars: 250 }],
        credits: vec![Offer { gives: Gave::Credits(5), stars: 50 }],
        locks: vec![LockOffer { minutes: 5, credits: 2 }, LockOffer { minutes: 15, credits: 4 }],
    }
}

/// Three users, the first of them an administrator.
fn world() -> World {
    let admins = vec![UserId(1)];
    let mut w = World::new(Settings { shop: shop(), admins, ..Settings::default() });
    (1..=3).for_each(|user| w.joins(user, 30));
    w
}

fn vip() -> (String, u32) {
    ("vip:30:250".to_owned(), 250)
}

fn credits() -> (String, u32) {
    ("credits:5:50".to_owned(), 50)
}

/// He presses the newest button that says so.
fn press(w: &mut World, user: u64, prefix: &str) {
    let data = w.button(user, prefix).unwrap_or_else(|| panic!("no button {prefix}"));
    w.presses(user, &data);
}

#[test]
fn days_are_bought_by_invoice_and_booked_once_over_a_kill() {
    let mut w = world();
    w.says(2, "/vip");
    press(&mut w, 2, "b:vip");
    assert_eq!(w.invoice(2), vip());
    assert_eq!(w.asks_to_pay(2, &vip()), "");
    w.pays(2, "charge", &vip());
    assert!(w.last(2).contains("\u{2068}30\u{2069} days"));
    let heard = w.heard(2).len();
    w.pays(2, "charge", &vip());
    w.restart(w.frames());
    w.pays(2, "charge", &vip());
    assert_eq!(w.heard(2).len(), heard);
    w.says(2, "/vip");
    assert!(w.last(2).contains("for \u{2068}30\u{2069} more days"));
    w.pays(2, "another", &vip());
    assert!(w.last(2).contains("\u{2068}60\u{2069} days"));
}

#[test]
fn what_is_given_back_takes_back_what_it_gave_once() {
    let mut w = world();
    w.pays(2, "a", &vip());
    w.pays(2, "b", &credits());
    w.is_refunded(2, "a", &vip());
    let heard = w.heard(2).len();
    w.is_refunded(2, "a", &vip());
    w.is_refunded(2, "never paid", &vip());
    w.pays(2, "a", &vip());
    assert_eq!(w.heard(2).len(), heard, "a late copy of the news gives nothing");
    w.says(2, "/vip");
    assert!(w.last(2).starts_with("⭐ As a VIP you go first"));
    w.pays(2, "c", &credits());
    assert!(w.last(2).contains("\u{2068}10\u{2069}"));
}

#[test]
fn what_is_not_sold_or_not_now_is_refused_before_it_is_paid() {
    let mut w = world();
    for wrong in [("vip:30:250", 249), ("vip:31:250", 250), ("x", 250), ("nothing", 0)] {
        assert!(w.asks_to_pay(2, &(wrong.0.to_owned(), wrong.1)).contains("not sold"), "{wrong:?}");
    }
    w.pair(2, 3);
    assert!(w.asks_to_pay(2, &vip()).starts_with("Not during a chat"));
    assert_eq!(w.asks_to_pay(2, &credits()), "");
    w.says(2, "/vip");
    assert!(w.last(2).starts_with("Not during a chat"));
}

#[test]
fn a_payment_for_what_is_not_understood_is_kept_and_said() {
    let mut w = world();
    w.pays(2, "odd", &("old plan".to_owned(), 7));
    assert!(w.last(2).starts_with("Your payment has arrived"));
    let heard = w.heard(2).len();
    w.pays(2, "odd", &("old plan".to_owned(), 7));
    assert_eq!(w.heard(2).len(), heard);
}

#[test]
fn a_vip_chooses_whom_he_meets_and_is_told_before_it_ends() {
    let mut w = world();
    w.presses(2, "wanted");
    assert_eq!(w.notice(2), "This button does nothing any more.");
    w.pays(2, "a", &vip());
    w.says(2, "/profile");
    press(&mut w, 2, "wanted");
    press(&mut w, 2, "w:2");
    w.joins(4, 30);
    w.says(2, "/find");
    w.says(1, "/find");
    assert!(w.last(1).starts_with("🔎"), "a man, and he wants to meet women");
    w.says(4, "/find");
    assert!(w.last(2).starts_with("🎉") && w.last(2).contains("Woman"));
    w.says(2, "/stop");
    w.pass(29 * DAY);
    assert!(w.last(2).contains("ends in \u{2068}2"), "{}", w.last(2));
    w.pass(2 * DAY);
    w.says(2, "/vip");
    assert!(w.last(2).starts_with("⭐ As a VIP"));
}

#[test]
fn a_lock_keeps_the_partner_from_leaving_and_from_nothing_else_over_a_kill() {
    let mut w = world();
    w.pair(2, 3);
    press(&mut w, 2, "lock");
    assert!(w.last(2).contains("A lock costs credits"));
    press(&mut w, 2, "b:credits");
    assert_eq!(w.asks_to_pay(2, &w.invoice(2)), "");
    w.pays(2, "a", &credits());
    press(&mut w, 2, "lock");
    press(&mut w, 2, "k:5:");
    assert!(w.last(2).contains("\u{2068}5\u{2069} minutes") && w.last(2).contains("\u{2068}3\u{2069}"));
    assert!(w.last(3).contains("locked this chat for \u{2068}5\u{2069}"));
    w.restart(w.frames());
    for leaving in ["/stop", "/next"] {
        w.says(3, leaving);
        assert!(w.last(3).contains("you can leave in \u{2068}5\u{2069}"), "{}", w.last(3));
    }
    w.says(3, "still here");
    assert_eq!(w.last(2), "still here");
    w.pass(Duration::from_secs(5 * 60));
    w.says(3, "/stop");
    assert_eq!(w.last(3), "You have left the chat.");
}

#[test]
fn who_is_locked_in_may_block_and_report_and_who_locked_may_leave() {
    for act in ["/block", "/report"] {
        let mut w = world();
        w.pair(2, 3);
        w.pays(2, "a", &credits());
        press(&mut w, 2, "lock");
        press(&mut w, 2, "k:15:");
        w.says(3, act);
        assert_eq!(w.last(2), "Your partner has left the chat.");
    }
    let mut w = world();
    w.pair(2, 3);
    w.pays(2, "a", &credits());
    press(&mut w, 2, "lock");
    press(&mut w, 2, "k:15:");
    w.says(2, "/stop");
    w.says(3, "/find");
    w.says(1, "/find");
    w.says(3, "/stop");
    assert_eq!(w.last(3), "You have left the chat.", "a lock ends with its chat");
}

#[test]
fn an_administrator_asks_for_refunds_and_nobody_else_does() {
    let mut w = world();
    w.says(1, "/refund 2 charge");
    let asked = Call::RefundStars { user: UserId(2), charge: "charge".into() };
    assert!(w.screens[&1].contains(&(lane_of(1), asked)));
    w.says(1, "/refund 2");
    assert!(w.last(1).starts_with("/refund USER CHARGE"));
    w.says(2, "/refund 2 charge");
    assert!(w.screens[&2].iter().all(|(_, call)| !matches!(call, Call::RefundStars { .. })));
}

#[test]
fn where_nothing_is_sold_nothing_is_offered() {
    let mut w = World::new(Settings::default());
    w.joins(1, 30);
    w.joins(2, 30);
    for text in ["/help", "/start", "/vip", "/terms", "/paysupport"] {
        w.says(1, text);
        assert!(!w.last(1).contains("/vip"), "{text}");
    }
    w.pair(1, 2);
    assert_eq!((w.button(1, "vip"), w.button(1, "lock")), (None, None));
    w.says(1, "/lock");
    assert!(w.last(1).contains("no such command"));
}

/// 2 has locked 3 in.
fn locked() -> World {
    let mut w = world();
    w.pair(2, 3);
    w.pays(2, "a", &credits());
    press(&mut w, 2, "lock");
    press(&mut w, 2, "k:15:");
    w.says(3, "/stop");
    assert!(w.last(3).starts_with("🔒"));
    w
}

#[test]
fn a_lock_ends_when_who_is_locked_in_blocks_the_bot_or_is_banned_or_both_fall_silent() {
    let mut gone = locked();
    gone.give(3, lane_of(3), nobat_core::bot::Input::Blocked);
    assert_eq!(gone.last(2), "Your partner has blocked this bot, so the chat has ended.");
    let mut banned = locked();
    banned.says(1, "/ban 3");
    banned.pass(Duration::from_secs(1));
    assert_eq!(banned.last(2), "Your partner has left the chat.");
    let mut silent = locked();
    silent.says(1, "/set idle_minutes 5");
    silent.pass(Duration::from_secs(60 * 60));
    assert!(silent.last(2).starts_with("Nobody has written for"));
    assert!(silent.last(3).starts_with("Nobody has written for"));
    for mut w in [gone, banned, silent] {
        w.says(2, "/find");
        w.says(1, "/find");
        assert!(w.last(2).starts_with("🎉"));
        w.says(1, "/stop");
        assert_eq!(w.last(1), "You have left the chat.", "the next partner is not locked in");
    }
}

#[test]
fn a_lock_passes_nothing_by_a_search_a_start_or_another_bot() {
    let mut w = locked();
    for command in ["/find", "/start", "/menu", "/cancel"] {
        w.says(3, command);
    }
    w.says_on(3, 1, "/stop");
    w.says_on(3, 1, "/next");
    w.says(3, "still here");
    assert_eq!(w.last(2), "still here");
}
