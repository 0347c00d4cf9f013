//! The lock-free matchmaker against the specification, one call at a time.

#[path = "matchmaker_common/mod.rs"]
mod common;

use common::{Driven, RULES, SIZE, USERS, op};
use nobat_core::matchmaker::{
    Gender, Joined, Left, LockFree, Matchmaker, Pool, Refused, Rules, Seat, Size, Spec, Standing, Ticket,
    Wants,
};
use nobat_core::time::Nanos;
use proptest::prelude::*;
use std::time::Duration;

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_the_specification_does(ops in prop::collection::vec(op(), 1..200)) {
        let shared = LockFree::new(RULES, SIZE);
        let (mut spec, mut free) = (Driven::new(Spec::new(RULES, SIZE)), Driven::new(&shared));
        for op in ops {
            prop_assert_eq!(spec.run(op), free.run(op), "{:?}", op);
            prop_assert_eq!(&spec.rang, &free.rang, "alarms in {:?}", op);
            prop_assert_eq!(spec.given_back, free.given_back, "seats in {:?}", op);
            for user in 0..USERS {
                match (spec.standing(user), free.standing(user)) {
                    (Standing::Paired(a), Standing::Paired(b)) => {
                        prop_assert_eq!((a.searcher.slot, a.found.slot), (b.searcher.slot, b.found.slot));
                    }
                    (a, b) => prop_assert_eq!(a, b),
                }
            }
        }
    }
}

const ANYONE: Ticket = Ticket::plain(Gender::Male, Pool(0));
const WANTS_WOMEN: Ticket = Ticket::vip(Gender::Male, Wants::Women, Pool(0));
const WOMAN: Ticket = Ticket::vip(Gender::Female, Wants::Men, Pool(0));

fn seated(users: u32) -> (LockFree, Vec<Seat>) {
    let shared = LockFree::new(Rules::default(), Size { users, pools: 1, blocks: 8 });
    let seats = (0..users).map(|_| (&shared).seat(0).expect("a seat for each")).collect();
    (shared, seats)
}

#[test]
fn a_long_line_is_served_in_order_whatever_was_struck_from_it() {
    let (shared, mut seats) = seated(501);
    let (mut m, now) = (&shared, Nanos::from_secs(1));
    for seat in &mut seats[..500] {
        assert!(matches!(m.join(seat, &WANTS_WOMEN, now), Ok(Joined::Waiting { .. })));
    }
    for seat in seats[..500].iter().filter(|seat| seat.slot().index() % 7 != 3) {
        assert_eq!(m.leave(seat.slot(), now), Left::Line);
    }
    let woman = seats.last_mut().expect("the last");
    for expected in (0..500).filter(|i| i % 7 == 3) {
        let Ok(Joined::Paired(pairing)) = m.join(woman, &WOMAN, now) else { panic!("{expected} waits") };
        assert_eq!(pairing.found.slot.index(), expected);
        assert!(m.end(pairing.id(), now));
    }
    assert!(matches!(m.join(woman, &WOMAN, now), Ok(Joined::Waiting { .. })));
}

#[test]
fn a_storm_of_joins_and_cancels_needs_no_room_beyond_those_who_wait() {
    // Nobody ever searches these men's line, so only its own appends can clean it; ten of them stay, far
    // apart, and pin chunks between the storms.
    let (shared, mut seats) = seated(20);
    let (mut m, now) = (&shared, Nanos::from_secs(1));
    let (stay, storm) = seats.split_at_mut(10);
    for seat in stay {
        assert!(matches!(m.join(seat, &WANTS_WOMEN, now), Ok(Joined::Waiting { .. })));
        for round in 0..10_000 {
            let seat = &mut storm[round % 10];
            assert!(matches!(m.join(seat, &WANTS_WOMEN, now), Ok(Joined::Waiting { .. })), "{round}");
            assert_eq!(m.leave(seat.slot(), now), Left::Line);
        }
    }
}

#[test]
fn a_seat_of_a_larger_matchmaker_is_refused() {
    let ((_, mut large), (small, _)) = (seated(9), seated(1));
    assert_eq!((&small).join(&mut large[8], &ANYONE, Nanos(1)), Err(Refused::NoSuchSeat));
    assert_eq!((&small).leave(large[8].slot(), Nanos(1)), Left::Nothing);
    assert_eq!((&small).standing(large[8].slot()), Standing::Idle);
}

#[test]
fn a_partner_whom_only_the_other_remembers_is_skipped_in_place() {
    let (shared, mut seats) = seated(3);
    let (mut m, now) = (&shared, Nanos::from_secs(1));
    let [a, b, c] = &mut seats[..] else { unreachable!() };
    let until = now.after(Duration::from_secs(60));
    m.remember(a, b.slot(), until).expect("idle");
    assert!(matches!(m.join(a, &ANYONE, now), Ok(Joined::Waiting { .. })));
    let Ok(Joined::Waiting { wake }) = m.join(b, &ANYONE, now) else { panic!("they parted a moment ago") };
    assert!(wake >= until && wake.since(until) < Duration::from_millis(2));
    let Ok(Joined::Paired(pairing)) = m.join(c, &ANYONE, now) else { panic!() };
    assert_eq!(pairing.found.slot, a.slot(), "the skipped one kept his turn");
}

#[test]
fn a_seat_goes_from_one_owner_to_the_next_but_not_while_anyone_may_take_one_for_the_other() {
    let (shared, mut seats) = seated(4);
    let (mut m, now) = (&shared, Nanos::from_secs(1));
    let (Some(d), Some(c), Some(mut b), Some(mut a)) = (seats.pop(), seats.pop(), seats.pop(), seats.pop())
    else {
        unreachable!()
    };
    assert!(m.seat(0).is_err(), "all are out");
    assert!(matches!(m.join(&mut a, &ANYONE, now), Ok(Joined::Waiting { .. })));
    let a = m.give_back(a, now).expect_err("he waits");
    let Ok(Joined::Paired(pairing)) = m.join(&mut b, &ANYONE, now) else { panic!("a waits") };
    let b = m.give_back(b, now).expect_err("he is in a pair");
    assert!(m.end(pairing.id(), now));
    let b = m.give_back(b, now).expect_err("he met someone of late");
    m.block(c.slot(), d.slot()).expect("room");
    let (c, d) =
        (m.give_back(c, now).expect_err("he blocked"), m.give_back(d, now).expect_err("he is blocked"));
    let later = now.after(Duration::from_secs(21 * 60));
    let slot = b.slot();
    assert!(m.give_back(a, later).is_ok() && m.give_back(b, later).is_ok());
    let mut next = m.seat(0).expect("two were given back");
    assert_eq!(next.slot(), slot);
    assert!(matches!(m.join(&mut next, &ANYONE, later), Ok(Joined::Waiting { .. })), "a new person");
    assert!(!m.end(pairing.id(), later), "the last owner's pairing is nobody's");
    assert_ne!(c.slot(), d.slot());
}

#[test]
fn a_long_life_with_more_people_than_seats_needs_no_more_memory() {
    let (shared, mut out) = seated(16);
    let (mut m, mut now) = (&shared, Nanos::from_secs(1));
    for person in 0..20_000 {
        now = now.after(Duration::from_secs(600));
        out.rotate_left(1);
        let last = out.pop().expect("sixteen");
        let _left = m.leave(last.slot(), now);
        match m.give_back(last, now) {
            Ok(()) => out.push(m.seat(0).expect("one was given back")),
            Err(kept) => out.push(kept),
        }
        let seat = out.last_mut().expect("sixteen");
        assert!(m.join(seat, &ANYONE, now).is_ok(), "{person}");
    }
}
