//! Any sequence of calls, in any order and with any values: no panic, and the invariants hold after each.
#![no_main]

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use nobat_core::envelope::{Class, Conversation, DropReason, Place, Route, Unreachable, Verdict};
use nobat_core::id::{ChatId, EnvelopeId, KindIx, LaneIx, UserId};
use nobat_core::pacer::{Dispatch, Fate, Pacer, PacerConfig, Parcel, ReachLearned, ReachMode, RetryScope};
use nobat_core::time::Nanos;
use std::time::Duration;

#[derive(Arbitrary, Debug)]
enum Op {
    Enqueue {
        user: u8,
        kind: bool,
        group: bool,
        arrived: u8,
        pinned: Option<u8>,
        class: u8,
        place: u8,
        secs: Option<u8>,
    },
    Dispatch,
    Verdict {
        which: u8,
        verdict: Word,
    },
    Withdraw {
        which: u8,
    },
    Wait {
        ticks: u16,
    },
    WaitForTimeout,
    Learn {
        user: u8,
        lane: u8,
        reached: bool,
    },
    Pause {
        lane: u8,
    },
    Resume {
        lane: u8,
    },
    Slots {
        lane: u8,
        slots: u8,
    },
    Gone {
        lane: u8,
    },
    Revived {
        lane: u8,
    },
    Add,
    Replace {
        lane: u8,
        stand_in: u8,
    },
}

#[derive(Arbitrary, Debug, Clone, Copy)]
enum Word {
    Sent,
    RetryAfter(u16),
    NotStarted,
    Blocked,
    Deactivated,
    Rejected,
    TokenDead,
    Failed,
    Unknown,
}

impl From<Word> for Verdict {
    fn from(word: Word) -> Self {
        match word {
            Word::Sent => Self::Sent,
            Word::RetryAfter(ds) => Self::RetryAfter(Duration::from_millis(u64::from(ds) * 100)),
            Word::NotStarted => Self::Unreachable(Unreachable::NotStarted),
            Word::Blocked => Self::Unreachable(Unreachable::Blocked),
            Word::Deactivated => Self::Unreachable(Unreachable::Deactivated),
            Word::Rejected => Self::Rejected,
            Word::TokenDead => Self::TokenDead,
            Word::Failed => Self::Failed,
            Word::Unknown => Self::Unknown,
        }
    }
}

#[derive(Arbitrary, Debug)]
struct Setting {
    lanes: u8,
    reach: u8,
    token_scope: bool,
    shed_replies: bool,
    spent: bool,
    adaptive: bool,
    ceiling: Option<u8>,
    max_pending: u8,
}

libfuzzer_sys::fuzz_target!(|day: (Setting, Vec<Op>)| {
    let (setting, ops) = day;
    let config = PacerConfig {
        max_pending: usize::from(setting.max_pending) + 1,
        urgent_reserve: 2,
        max_per_conversation: 8,
        shed_replies: setting.shed_replies,
        spent: setting.spent,
        ceilings: [None, None, None, setting.ceiling.map(u32::from)],
        adaptive: setting.adaptive.then(Default::default),
        retry_scope: if setting.token_scope { RetryScope::Token } else { RetryScope::ChatFirst },
        reach: [ReachMode::All, ReachMode::Try, ReachMode::Known][usize::from(setting.reach) % 3],
        ..PacerConfig::default()
    };
    let lanes = u16::from(setting.lanes % 5) + 1;
    let mut now = Nanos::from_secs(1);
    let mut pacer = Pacer::<u32>::new(config, lanes, now, 7);
    let mut flying: Vec<Dispatch<u32>> = Vec::new();
    let mut places: Vec<Place> = Vec::new();
    let (mut taken, mut ended) = (0u64, 0u64);
    let lane = |lane: u8| LaneIx(u16::from(lane % 8));
    for op in ops {
        match op {
            Op::Enqueue { user, kind, group, arrived, pinned, class, place, secs } => {
                let more = place / 3;
                let place = [Place::InOrder, Place::Ahead, Place::Call][usize::from(place % 3)];
                let parcel = Parcel {
                    handle: places.len() as u32,
                    id: EnvelopeId(taken),
                    conversation: Conversation {
                        kind: KindIx(u8::from(kind)),
                        user: UserId(u64::from(user)),
                    },
                    chat: if group {
                        ChatId(-1 - i64::from(user % 3))
                    } else {
                        UserId(u64::from(user)).private_chat()
                    },
                    arrived_on: lane(arrived),
                    route: pinned.map_or(Route::Home, |at| Route::Pinned(lane(at))),
                    class: Class::ALL[usize::from(class % 4)],
                    place,
                    more,
                    deadline: secs.map(|secs| now.after(Duration::from_secs(u64::from(secs)))),
                };
                places.push(place);
                taken += u64::from(pacer.enqueue(now, parcel).is_ok());
            }
            Op::Dispatch => match pacer.poll_dispatch(now) {
                Some(dispatch) => {
                    // One in order, and one ahead of it.
                    let place = |d: &Dispatch<u32>| places[d.handle as usize];
                    let kin = |d: &Dispatch<u32>| d.conversation == dispatch.conversation;
                    let same = |d: &Dispatch<u32>| place(d) == place(&dispatch) && kin(d);
                    assert!(
                        place(&dispatch) == Place::Call || !flying.iter().any(same),
                        "two of a conversation in flight"
                    );
                    flying.push(dispatch);
                }
                None => assert!(pacer.poll_timeout().is_none_or(|at| at > now)),
            },
            Op::Verdict { which, verdict } if !flying.is_empty() => {
                let dispatch = flying.swap_remove(usize::from(which) % flying.len());
                let outcome =
                    pacer.handle_verdict(now, dispatch.flight, &verdict.into(), Duration::from_millis(60));
                ended += u64::from(matches!(outcome.fate, Fate::Done { .. }));
            }
            Op::Withdraw { which } if !flying.is_empty() => {
                let dispatch = flying.swap_remove(usize::from(which) % flying.len());
                ended += u64::from(pacer.withdraw(now, dispatch.flight, DropReason::Unrenderable).is_some());
            }
            Op::Verdict { .. } | Op::Withdraw { .. } => {}
            Op::Wait { ticks } => now = now.after(Duration::from_millis(u64::from(ticks))),
            Op::WaitForTimeout => now = pacer.poll_timeout().map_or(now, |at| at.max(now)),
            Op::Learn { user, lane: at, reached } => {
                pacer.learn(ReachLearned { user: UserId(u64::from(user)), lane: lane(at), reached });
            }
            Op::Pause { lane: at } => pacer.pause(lane(at)),
            Op::Resume { lane: at } => pacer.resume(lane(at)),
            Op::Slots { lane: at, slots } => pacer.set_slots(lane(at), u32::from(slots)),
            Op::Gone { lane: at } => pacer.lane_gone(lane(at)),
            Op::Revived { lane: at } => pacer.lane_revived(now, lane(at)),
            Op::Add => drop(pacer.add_lane(now)),
            Op::Replace { lane: at, stand_in } => drop(pacer.replace_home(lane(at), lane(stand_in))),
        }
        while pacer.poll_dropped().is_some() {
            ended += 1;
        }
        pacer.assert_invariants();
        assert_eq!(taken, ended + pacer.len() as u64, "an envelope was lost or ended twice");
    }
});
