//! The engine with the results bot over a journal that is a list.

use crate::list::List;
use arbitrary::Arbitrary;
use nobat_bots::results::{ResultsBot, Settings, Shelf};
use nobat_core::bot::Input;
use nobat_core::engine::{Detached, Ended, Engine, Inbound, Kind, Recovered};
use nobat_core::envelope::{End, Envelope};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{ChatId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::time::{Nanos, Now, UnixMillis};
use std::sync::Arc;
use std::time::Duration;

const LANES: u16 = 3;

/// One thing that happens.
#[derive(Arbitrary, Debug)]
pub enum Op {
    /// A user writes.
    Text { user: u8, lane: u8, update: u16, text: String, after_ms: u16 },
    /// A user presses a button.
    Press { user: u8, lane: u8, update: u16, data: String },
    /// A user blocks a bot.
    Block { user: u8, lane: u8, update: u16 },
    /// The release gate moves.
    Release(bool),
    /// An envelope is on its way.
    Dispatch(u8),
    /// An envelope ends.
    End(u8),
}

fn engine() -> Engine<Detached> {
    let bot = ResultsBot::new(Settings::default(), Arc::new(Shelf::default()));
    Engine::new(vec![Kind::new(bot, LANES, Rate::new(10, Duration::from_secs(60)))], 7)
}

/// Plays the operations, then replays what was written.
pub fn play(ops: &[Op]) {
    let list = List::default();
    let live = engine().attach(&list);
    let mut now = Now { mono: Nanos::from_secs(10), wall: UnixMillis(1_800_000_000_000) };
    let update = |user: u8, lane: u8, update: u16, input: Input<'_>, now: Now| {
        let inbound = Inbound {
            kind: KindIx(0),
            lane: LaneIx(u16::from(lane) % LANES),
            update: UpdateId(i64::from(update)),
            user: UserId(u64::from(user) + 1),
            chat: ChatId(i64::from(user) + 1),
            language: "ar",
            input,
        };
        live.handle_update(now, &inbound).expect("there is room");
    };
    for op in ops {
        match op {
            Op::Text { user, lane, update: id, text, after_ms } => {
                now.mono = now.mono.after(Duration::from_millis(u64::from(*after_ms)));
                let input = Input::Text { text: text.into(), message: MessageId(1), reply_to: None };
                update(*user, *lane, *id, input, now);
            }
            Op::Press { user, lane, update: id, data } => {
                let input = Input::Callback { id: "press", data: data.into(), message: Some(MessageId(1)) };
                update(*user, *lane, *id, input, now);
            }
            Op::Block { user, lane, update: id } => update(*user, *lane, *id, Input::Blocked, now),
            Op::Release(open) => live.set_released(KindIx(0), *open),
            Op::Dispatch(n) => with_one(&list, *n, |e| live.dispatching(e.conversation, e.id)),
            Op::End(n) => with_one(&list, *n, |e| {
                let ended = Ended { conversation: e.conversation, id: e.id, end: End::Sent };
                live.settle(&[ended], &[]).expect("there is room");
            }),
        }
    }
    let mut recovered = Recovered::default();
    let fresh = engine();
    for (n, entry) in list.entries().iter().enumerate() {
        fresh.replay(&mut recovered, Seq(n as u64 + 1), &entry.payload).expect("its own frames");
    }
    assert_eq!(recovered.take_pending().count() as u64, live.pending());
}

fn with_one(list: &List, n: u8, act: impl FnOnce(&Envelope)) {
    let queued: Vec<_> = list.entries().iter().flat_map(|e| e.envelopes.clone()).collect();
    if let Some(envelope) = queued.get(usize::from(n)) {
        act(envelope);
    }
}

/// Any bytes as one frame.
pub fn replay_any(payload: &[u8]) {
    let _ = engine().replay(&mut Recovered::default(), Seq(1), payload);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_day_replays() {
        let text = |update, text: &str| Op::Text { user: 1, lane: 0, update, text: text.into(), after_ms: 9 };
        play(&[text(1, "/start"), text(2, "1234567"), Op::Dispatch(0), Op::End(0), text(3, "1234567")]);
        replay_any(&[1, 2, 3]);
    }
}
