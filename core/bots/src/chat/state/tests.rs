//! The durable formats of states and events.

use super::super::circle::Refused;
use super::super::common::Change;
use super::super::person::Person;
use super::super::purse::Gave;
use super::*;
use nobat_core::id::{MessageId, UserId};
use proptest::prelude::*;

fn bytes(record: &impl Record) -> Vec<u8> {
    let mut out = Vec::new();
    record.encode(&mut out);
    out
}

fn events(n: u8, at: u64, lane: u16, i: usize) -> Vec<Event> {
    let at = UnixMillis(at);
    vec![
        Event::LanguageSet(Language::ALL[i]),
        Event::GenderSet(Gender::ALL[i]),
        Event::AgeSet(n),
        Event::AgeAsked(n > 9),
        Event::WantedSet(Wanted::ALL[i]),
        Event::Sought { lane },
        Event::Met { lane, at, numbered: false },
        Event::Said { at },
        Event::BothSilent,
        Event::Parting(Parting::ALL[i + 2]),
        Event::Reported { count: n, since: at },
        Event::ShutOut { until: at },
        Event::Paid { charge: "c".into(), stars: 300, gave: Gave::Credits(n.into()), at },
        Event::Refunded { charge: "c".into(), at },
        Event::Reminded,
        Event::Locked { until: at, credits: n.into() },
        Event::Held { until: at },
        Event::AlbumPart { name: "a".into(), part: MessageId(n.into()), words: "w".into(), at },
        Event::AlbumSent,
        Event::GateAsked { at, open: 3 },
        Event::GateHeard { channel: 1, outside: true },
        Event::GateOpen { until: at },
        Event::Invited { by: UserId(300) },
        Event::InviteTold,
        Event::Gave { charge: "c".into(), stars: 300 },
        Event::Referred { whom: UserId(0), at, days: 1 },
        Event::NotReferred { whom: UserId(301), why: Refused::Burst, at },
        Event::Earned { stars: 300, back: false },
        Event::Earned { stars: 100, back: true },
        Event::Banned(Ban { until: at, why: "w".into() }),
        Event::Set { key: "k".into(), value: Some("v".into()) },
        Event::Set { key: "l".into(), value: None },
        Event::Did(Change { by: UserId(9), at, what: "w".into() }),
        Event::Unsaid { told_at: Some(at) },
        Event::Turned(n | 1),
        Event::TakenOver { person: Box::new(Person { credits: 9, referrals: 2, ..Person::default() }), at },
        Event::AlbumPart { name: "b".into(), part: MessageId(-1), words: "".into(), at },
    ]
}

/// Those that came after the first list was written down.
fn later_events(at: u64) -> Vec<Event> {
    let at = UnixMillis(at);
    vec![
        Event::Looked { at },
        Event::AlbumRefused { name: "a".into(), at },
        Event::Given { what: Gave::Days(2), at },
    ]
}

fn hex(record: &[u8]) -> String {
    record.iter().map(|b| format!("{b:02x}")).collect()
}

#[test]
fn the_bytes_of_what_came_later_are_the_same_for_ever() {
    let mut state = State::default();
    let mut shown = Vec::new();
    for event in later_events(300) {
        state.apply(&event);
        shown.push(hex(&bytes(&event)));
    }
    shown.push(hex(&bytes(&state)));
    let wanted = include_str!("../../../testdata/chat_records_v3_later.txt");
    assert_eq!(shown, wanted.lines().collect::<Vec<_>>());
}

#[test]
fn a_referral_says_whom_and_one_of_an_earlier_version_is_written_as_it_was() {
    let counted = |whom| Event::Referred { whom: UserId(whom), at: UnixMillis(300), days: 1 };
    for (event, wanted) in [(counted(302), "28ae02ac0201"), (counted(0), "1bac0201")] {
        assert_eq!(hex(&bytes(&event)), wanted);
        assert_eq!(Event::from_bytes(&bytes(&event)), Ok(event));
    }
}

#[test]
fn a_meeting_says_that_its_news_is_numbered_and_one_of_an_earlier_version_that_it_is_not() {
    for (numbered, event, state) in [(true, "2901ac02", 4), (false, "0801ac02", 0)] {
        let met = Event::Met { lane: 1, at: UnixMillis(300), numbered };
        assert_eq!(hex(&bytes(&met)), event);
        assert_eq!(Event::from_bytes(&bytes(&met)), Ok(met.clone()));
        let mut met_somebody = State::default();
        met_somebody.apply(&met);
        assert_eq!(bytes(&met_somebody)[4], state);
        assert_eq!(State::from_bytes(&bytes(&met_somebody)), Ok(met_somebody));
    }
}

#[test]
fn the_bytes_are_the_same_for_ever() {
    let mut state = State::default();
    let mut shown = vec![hex(&bytes(&state))];
    for event in events(20, 300, 1, 1) {
        state.apply(&event);
        shown.push(hex(&bytes(&event)));
    }
    shown.push(hex(&bytes(&state)));
    let wanted = include_str!("../../../testdata/chat_records_v3.txt");
    assert_eq!(shown, wanted.lines().collect::<Vec<_>>());
}

#[test]
fn a_state_of_the_version_before_is_read() {
    let line = include_str!("../../../testdata/chat_records_v2.txt").lines().last().unwrap();
    let old: Vec<u8> =
        (0..line.len()).step_by(2).map(|at| u8::from_str_radix(&line[at..at + 2], 16).unwrap()).collect();
    let read = State::from_bytes(&old).unwrap();
    assert_eq!((read.age, read.purse.receipts.len(), &read.extras), (20, 1, &Extras::default()));
    assert_eq!(bytes(&read)[1..old.len()], old[1..]);
}

proptest! {
    #[test]
    fn states_and_events_survive(n: u8, at: u64, lane: u16, i in 0usize..3) {
        let mut state = State::default();
        for event in events(n, at, lane, i).into_iter().chain(later_events(at)) {
            prop_assert_eq!(Event::from_bytes(&bytes(&event)), Ok(event.clone()));
            state.apply(&event);
            prop_assert_eq!(State::from_bytes(&bytes(&state)), Ok(state.clone()));
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes: Vec<u8>) {
        let _ = State::from_bytes(&bytes);
        let _ = Event::from_bytes(&bytes);
    }
}
