//! The specification against its naive twin, and its bounds.

#[path = "matchmaker_common/mod.rs"]
mod common;
#[path = "matchmaker_common/naive.rs"]
mod naive;

use common::{Driven, Op, RULES, SIZE, USERS, op};
use naive::Naive;
use nobat_core::matchmaker::{
    Gender, Joined, Matchmaker, Pool, Refused, Rules, Size, Spec, Standing, Ticket, Wants,
};
use nobat_core::time::Nanos;
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, ..ProptestConfig::default() })]

    #[test]
    fn the_specification_does_what_its_naive_twin_does(ops in prop::collection::vec(op(), 1..60)) {
        let mut spec = Driven::new(Spec::new(RULES, SIZE));
        let mut naive = Naive::default();
        for op in ops {
            let seen = spec.run(op);
            let expected = if let Op::Pass(_) = op {
                spec.rang.iter().flat_map(|&(user, at)| naive.rang(user, i128::from(at.0))).collect()
            } else {
                naive.now = i128::from(spec.now.0);
                naive.run(op)
            };
            prop_assert_eq!(&seen, &expected, "{:?}", op);
            naive.now = i128::from(spec.now.0);
            prop_assert_eq!(naive.missed(), vec![], "two compatible people both wait after {:?}", op);
            for user in 0..USERS {
                let standing = spec.standing(user);
                prop_assert_eq!(standing == Standing::Waiting, naive.waiting()[user]);
                if let Standing::Paired(pairing) = standing {
                    let pair = (pairing.searcher.slot.index(), pairing.found.slot.index());
                    prop_assert!(naive.pairs.contains(&pair));
                }
            }
        }
    }
}

const ANYONE: Ticket = Ticket::plain(Gender::Male, Pool(0));

fn spec(users: u32) -> Spec {
    Spec::new(Rules::default(), Size { users, pools: 1, blocks: 8 })
}

#[test]
fn nobody_who_waited_the_head_start_is_passed_by_a_vip_who_comes_later() {
    // One woman a second, and two VIPs a second who all want a woman: VIPs alone would take them all.
    let mut spec = spec(10_000);
    let head_start = Rules::default().vip_head_start;
    let plain = Ticket { tier: nobat_core::matchmaker::Tier::Plain, ..ANYONE };
    let vip = Ticket::vip(Gender::Male, Wants::Women, Pool(0));
    let woman = Ticket::vip(Gender::Female, Wants::Men, Pool(0));
    let mut now = Nanos::from_secs(1);
    let mut waiter = spec.seat(0).expect("a seat");
    for second in 0..1_000u64 {
        now = Nanos::from_secs(1 + second);
        for _ in 0..2 {
            let mut seat = spec.seat(0).expect("a seat");
            assert!(matches!(spec.join(&mut seat, &vip, now), Ok(Joined::Waiting { .. })));
        }
        if second == 100 {
            assert!(matches!(spec.join(&mut waiter, &plain, now), Ok(Joined::Waiting { .. })));
        }
        let mut seat = spec.seat(0).expect("a seat");
        assert!(matches!(spec.join(&mut seat, &woman, now), Ok(Joined::Paired(_))));
        if matches!(spec.standing(waiter.slot()), Standing::Paired(_)) {
            break;
        }
    }
    // By second 100 there were 2 * 101 VIPs and 101 women; those who joined within the head start after
    // him come first, too: 2 * 60 more. One woman a second then clears 101 + 120 people ahead of him.
    let waited = now.since(Nanos::from_secs(101));
    assert!(waited >= head_start, "the VIPs of the head start go first: {waited:?}");
    assert!(waited <= Duration::from_secs(101 + 2 * 60 + 1), "then he is next: {waited:?}");
}

#[test]
fn a_restored_line_keeps_its_order_and_its_first_joining() {
    let mut spec = spec(4);
    let now = Nanos::from_secs(1);
    let mut seats: Vec<_> = (0..4).map(|_| spec.seat(41).expect("a seat")).collect();
    // These two waited together before the restart: they parted a moment ago.
    let until = now.after(Duration::from_secs(60));
    let (first, rest) = seats.split_at_mut(1);
    spec.remember(&mut first[0], rest[0].slot(), until).expect("idle");
    let waited = Duration::from_secs(3_600);
    let impatient = Ticket { patience: Duration::from_secs(3_660), ..ANYONE };
    let Ok(Joined::Waiting { wake }) = spec.restore(&mut first[0], &impatient, waited, now) else { panic!() };
    assert_eq!(wake, now.after(Duration::from_secs(60)), "patience counts from the first joining");
    assert!(matches!(spec.restore(&mut rest[0], &ANYONE, waited / 2, now), Ok(Joined::Waiting { .. })));
    // A VIP who comes now does not pass them; a newcomer meets the elder of the two.
    let Ok(Joined::Paired(pairing)) = spec.join(&mut rest[1], &ANYONE, now) else { panic!() };
    assert_eq!(pairing.found.slot, first[0].slot());
    assert!(pairing.searcher.version > 41, "versions go on where they were");
}

#[test]
fn a_restored_pair_ends_like_any_other() {
    let mut spec = spec(2);
    let (mut a, mut b) = (spec.seat(0).expect("a seat"), spec.seat(0).expect("a seat"));
    let pairing = spec.restore_pair(&mut a, &mut b).expect("both idle");
    assert_eq!(spec.standing(b.slot()), Standing::Paired(pairing));
    assert_eq!(spec.join(&mut a, &ANYONE, Nanos(1)), Err(Refused::AlreadyPaired));
    assert!(spec.end(pairing.id(), Nanos(1)));
    assert!(!spec.end(pairing.id(), Nanos(1)), "ended once");
    assert!(matches!(spec.join(&mut a, &ANYONE, Nanos(2)), Ok(Joined::Waiting { .. })));
    assert!(matches!(spec.join(&mut b, &ANYONE, Nanos(2)), Ok(Joined::Waiting { .. })), "met of late");
}

#[test]
fn what_cannot_be_filed_is_refused_with_its_reason() {
    let mut spec = spec(1);
    let mut seat = spec.seat(0).expect("a seat");
    assert!(spec.seat(0).is_err());
    let elsewhere = Ticket { pool: Pool(1), ..ANYONE };
    let hasty = Ticket { patience: Duration::ZERO, ..ANYONE };
    assert_eq!(spec.join(&mut seat, &elsewhere, Nanos(1)), Err(Refused::NoSuchPool));
    assert_eq!(spec.join(&mut seat, &hasty, Nanos(1)), Err(Refused::Expired));
    assert!(spec.join(&mut seat, &ANYONE, Nanos(1)).is_ok());
    assert_eq!(spec.join(&mut seat, &ANYONE, Nanos(1)), Err(Refused::AlreadyWaiting));
    assert_eq!(spec.next(&mut seat, &ANYONE, Nanos(1)), (None, Err(Refused::AlreadyWaiting)));
}
