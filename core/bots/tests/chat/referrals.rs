//! Who came by whose link.

use crate::world::World;
use nobat_bots::chat::{Rewards, Settings};
use nobat_core::id::UserId;
use std::time::Duration;

const ADMIN: u64 = 50;

fn world(rewards: Rewards) -> World {
    World::new(Settings {
        rewards,
        code_key: 77,
        bot_names: ["a_bot", "b_bot", "c_bot"].map(str::to_owned).into(),
        admins: vec![UserId(ADMIN)],
        shop: crate::money::shop(),
        ..Settings::default()
    })
}

/// The code in his link.
fn code(w: &mut World, user: u64) -> String {
    w.says(user, "/referral");
    let link = w.last(user).lines().last().expect("a link").to_owned();
    let (bot, code) = link.split_once("?start=").expect("a link");
    assert_eq!(bot, format!("https://t.me/{}_bot", ["a", "b", "c"][user as usize % 3]));
    code.to_owned()
}

fn comes(w: &mut World, user: u64, code: &str) {
    w.says(user, &format!("/start {code}"));
    w.joins(user, 30);
}

/// What an administrator sees of him.
fn shown(w: &mut World, user: u64) -> String {
    w.says(ADMIN, &format!("/user {user}"));
    w.last(ADMIN).to_owned()
}

fn has(w: &mut World, user: u64, text: &str) -> bool {
    shown(w, user).contains(text)
}

#[test]
fn who_brings_somebody_gets_vip_days_when_the_profile_is_complete_and_not_before() {
    let mut w = world(Rewards { days: 3, ..Rewards::default() });
    w.joins(1, 30);
    let code = code(&mut w, 1);
    w.says(2, &format!("/start {code}"));
    assert!(w.last(2).contains("Choose your language"));
    assert!(has(&mut w, 1, "VIP 0 days"));
    w.joins(2, 30);
    assert!(w.last(1).contains("Somebody came by your link") && w.last(1).contains("\u{2068}3\u{2069}"));
    assert!(has(&mut w, 1, "VIP 3 days") && has(&mut w, 1, "invited 1, refused 0"));
    assert!(has(&mut w, 2, "invited by 1"));
    // Who is known already is no newcomer, and a profile is completed once.
    w.joins(3, 30);
    w.says(3, &format!("/start {code}"));
    w.presses(3, "age");
    w.says(3, "31");
    assert!(has(&mut w, 1, "invited 1, refused 0"));
    w.restart(w.frames());
    assert!(has(&mut w, 1, "VIP 3 days") && has(&mut w, 1, "invited 1, refused 0"));
}

#[test]
fn his_own_link_a_ring_and_a_made_up_code_bring_nothing() {
    let mut w = world(Rewards::default());
    w.joins(1, 30);
    let of_1 = code(&mut w, 1);
    w.says(1, &format!("/start {of_1}"));
    assert!(has(&mut w, 1, "invited 0, refused 1") && has(&mut w, 1, "refused 1: himself"));
    comes(&mut w, 2, "ref_0000000000001");
    assert!(!has(&mut w, 2, "invited by"));
    // Two newcomers who came by each other's links; they know these from another life.
    let of = |user| {
        let mut other = world(Rewards::default());
        other.joins(user, 30);
        code(&mut other, user)
    };
    let mut ring = world(Rewards::default());
    ring.says(4, &format!("/start {}", of(5)));
    ring.says(5, &format!("/start {}", of(4)));
    ring.joins(4, 30);
    ring.joins(5, 30);
    assert!(has(&mut ring, 5, "refused 4: no profile"));
    assert!(has(&mut ring, 4, "refused 5: ring"));
    assert!(has(&mut ring, 4, "VIP 0 days") && has(&mut ring, 5, "VIP 0 days"));
}

#[test]
fn a_burst_and_more_than_a_day_may_bring_are_refused_with_the_reason() {
    let mut w = world(Rewards { per_burst: 3, per_day: 4, ..Rewards::default() });
    w.joins(1, 30);
    let code = code(&mut w, 1);
    (10..15).for_each(|user| comes(&mut w, user, &code));
    assert!(has(&mut w, 1, "invited 3, refused 2") && has(&mut w, 1, "refused 14: burst"));
    w.pass(Duration::from_secs(3600));
    (15..18).for_each(|user| comes(&mut w, user, &code));
    assert!(has(&mut w, 1, "invited 4, refused 4") && has(&mut w, 1, "refused 17: day's cap"));
    w.pass(Duration::from_secs(24 * 3600));
    comes(&mut w, 18, &code);
    assert!(has(&mut w, 1, "invited 5, refused 4"));
}

#[test]
fn a_part_of_each_payment_is_earned_once_and_taken_back_with_a_refund() {
    let mut w = world(Rewards { percent: 15, ..Rewards::default() });
    w.joins(1, 30);
    let code = code(&mut w, 1);
    comes(&mut w, 2, &code);
    w.says(2, "/vip");
    let data = w.button(2, "b:").expect("an offer");
    w.presses(2, &data);
    let invoice = w.invoice(2);
    for _ in 0..3 {
        w.pays(2, "c1", &invoice);
    }
    let earned = format!("earned {}.{:02}", invoice.1 * 15 / 100, invoice.1 * 15 % 100);
    assert!(has(&mut w, 1, &earned), "{earned}: {}", shown(&mut w, 1));
    assert!(w.last(1).contains("has paid"));
    w.restart(w.frames());
    assert!(has(&mut w, 1, &earned));
    // Whatever the percentage is by then.
    w.says(ADMIN, "/set referral_percent 50");
    for _ in 0..2 {
        w.is_refunded(2, "c1", &invoice);
    }
    assert!(has(&mut w, 1, "earned 0.00"));
    w.pays(2, "c1", &invoice);
    assert!(has(&mut w, 1, "earned 0.00"), "a payment that was given back does not come again");
}

#[test]
fn where_referrals_are_off_there_are_none() {
    let mut on = world(Rewards::default());
    on.joins(1, 30);
    let code = code(&mut on, 1);
    let mut w = World::new(Settings { referrals: false, code_key: 77, ..Settings::default() });
    w.joins(1, 30);
    w.says(1, "/referral");
    assert!(w.last(1).starts_with("Here you talk with strangers"));
    w.says(2, &format!("/start {code}"));
    w.joins(2, 30);
    assert_eq!(w.heard(1).iter().filter(|text| text.contains("by your link")).count(), 0);
}

#[test]
fn a_ring_of_three_brings_nothing_to_who_closes_it_and_the_administrators_are_told() {
    let of = |user| {
        let mut other = world(Rewards::default());
        other.joins(user, 30);
        code(&mut other, user)
    };
    let mut ring = World::new(Settings {
        code_key: 77,
        admins: vec![UserId(ADMIN)],
        admin_chat: Some(nobat_core::id::ChatId(-100_777)),
        ..Settings::default()
    });
    // 4 came by 6, 5 by 4, and 6 by 5: whoever is the first has nobody with a profile before him.
    for (user, by) in [(4, 6), (5, 4), (6, 5)] {
        ring.says(user, &format!("/start {}", of(by)));
    }
    (4..=6).for_each(|user| ring.joins(user, 30));
    assert!(has(&mut ring, 6, "refused 4: no profile") && has(&mut ring, 6, "VIP 0 days"));
    assert!(has(&mut ring, 4, "invited 1, refused 0") && has(&mut ring, 5, "invited 1, refused 0"));
    let told = ring.heard((-100_777_i64) as u64).join("\n");
    assert!(told.contains("Newcomers of \u{2068}6\u{2069}") && told.contains("no profile"), "{told}");
}

#[test]
fn nothing_is_lost_by_rounding_a_commission() {
    let mut w = World::new(Settings {
        rewards: Rewards { percent: 33, ..Rewards::default() },
        code_key: 77,
        bot_names: ["a_bot", "b_bot", "c_bot"].map(str::to_owned).into(),
        admins: vec![UserId(ADMIN)],
        shop: nobat_bots::chat::Shop {
            credits: vec![nobat_bots::chat::Offer { gives: nobat_bots::chat::Gave::Credits(1), stars: 1 }],
            ..nobat_bots::chat::Shop::default()
        },
        ..Settings::default()
    });
    w.joins(1, 30);
    let code = code(&mut w, 1);
    comes(&mut w, 2, &code);
    for charge in ["a", "b", "c"] {
        w.pays(2, charge, &("credits:1:1".to_owned(), 1));
    }
    assert!(has(&mut w, 1, "earned 0.99"));
    w.is_refunded(2, "b", &("credits:1:1".to_owned(), 1));
    assert!(has(&mut w, 1, "earned 0.66"));
}
