//! Six people who look for each other in the engine, whatever they do and whenever the process dies.
//!
//! What lives here: [`play`]. The kind they write to is in `talk`; what it told them, in the order of the journal, is
//! the only thing that the referee in `story` looks at. A restart keeps any prefix of the journal, and every prefix
//! must replay to a state in which pairs are mutual.

mod story;
mod talk;

use crate::list::List;
use arbitrary::Arbitrary;
use nobat_core::bot::Input;
use nobat_core::engine::{Detached, Engine, Inbound, Kind, Recovered};
use nobat_core::gate::rate::Rate;
use nobat_core::id::{ChatId, KindIx, LaneIx, MessageId, Seq, UpdateId, UserId};
use nobat_core::matchmaker::{Rules, Size};
use nobat_core::time::{Nanos, Now, UnixMillis};
use std::time::Duration;
use story::Story;
use talk::Talk;

const PEOPLE: u8 = 6;
const LANES: u16 = 3;
/// More take longer and find no more.
const OPS_MAX: usize = 128;
const RULES: Rules = Rules {
    recent_for: Duration::from_secs(20),
    vip_head_start: Duration::from_secs(5),
    widen_after: Duration::from_secs(10),
};

/// Someone writes, after some time or a kill. Rare things take a byte of a small range.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub struct Op {
    /// Who.
    pub who: u8,
    /// What.
    pub word: Word,
    /// Where; from 224 on, the platform delivers the last update once more.
    pub lane: u8,
    /// Beyond 192: so many times 0.4 s pass first.
    pub pause: u8,
    /// Below 16: the process is killed first, and the last frames, up to 7, were not on the disk.
    pub kill: u8,
}

/// What someone writes.
#[derive(Arbitrary, Clone, Copy, Debug)]
pub enum Word {
    Find(u8),
    Stop,
    Next(u8),
    Block(u8),
    Unblock(u8),
    Hello,
    Tell,
    Ring(u8),
    Hush,
}

/// The engine, its journal, and the time.
struct World<'a> {
    list: &'a List,
    engine: Engine<&'a List>,
    now: Now,
    update: i64,
}

fn detached() -> Engine<Detached> {
    let size = Size { users: u32::from(PEOPLE) + 2, pools: 2, blocks: 32 };
    let kind = Kind::new(Talk, LANES, Rate::new(Rate::COUNT_MAX, Duration::from_millis(1)));
    Engine::new(vec![kind.with_pairs(RULES, size)], 7)
}

/// What the frames lead to; every prefix must be a legal state.
fn replayed(list: &List) -> Engine<Detached> {
    let (fresh, mut recovered) = (detached(), Recovered::default());
    for (n, entry) in list.entries().iter().enumerate() {
        fresh.replay(&mut recovered, Seq(n as u64 + 1), &entry.payload).expect("its own frames");
        fresh.check_pairs().expect("pairs are mutual after every frame");
    }
    fresh
}

impl World<'_> {
    fn say(&mut self, Op { who, word, lane, .. }: Op) {
        self.update += i64::from(lane < 224);
        let user = UserId(u64::from(who % PEOPLE) + 1);
        let inbound = Inbound {
            kind: KindIx(0),
            lane: LaneIx(u16::from(lane) % LANES),
            update: UpdateId(self.update),
            user,
            chat: ChatId(user.0 as i64),
            language: "fa",
            input: Input::Text { text: talk::text(word).into(), message: MessageId(1), reply_to: None },
        };
        self.engine.handle_update(self.now, &inbound).expect("there is room");
    }

    fn pass(&mut self, time: Duration) {
        self.now.mono = self.now.mono.after(time);
        self.now.wall = self.now.wall.after(time);
    }

    fn restart(&mut self, lost: u8) {
        self.list.lose(usize::from(lost));
        self.now.mono = Nanos::from_secs(1);
        self.engine = replayed(self.list).attach(self.list);
        self.engine.resume(self.now).expect("there is room");
    }

    /// Everything that is due is done.
    fn rest(&self) {
        let rung = (0..1_000).find(|_| self.engine.wake(self.now, 64).expect("there is room") == 0);
        assert!(rung.is_some(), "alarms ring for ever");
        assert!(self.engine.next_alarm().is_none_or(|at| at > self.now.mono), "an alarm was left behind");
    }
}

/// Plays the operations; after each, and after the rescans that are due by then, the story must make sense.
pub fn play(ops: &[Op]) {
    let list = List::default();
    let now = Now { mono: Nanos::from_secs(1), wall: UnixMillis(1_800_000_000_000) };
    let mut world = World { list: &list, engine: detached().attach(&list), now, update: 0 };
    let mut story = Story::default();
    let check = |world: &World<'_>, story: &mut Story| {
        world.rest();
        story.read_on(&list.entries());
        story.check_at_rest(world.now.wall.0);
    };
    for &op in &ops[..ops.len().min(OPS_MAX)] {
        world.pass(Duration::from_millis(400) * u32::from(op.pause.saturating_sub(192)));
        if op.kill < 16 {
            world.restart(op.kill % 8);
            story = Story::default();
        }
        check(&world, &mut story);
        world.say(op);
        check(&world, &mut story);
    }
    world.restart(0);
    check(&world, &mut story);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_evening_makes_sense() {
        let say = |who, word| Op { who, word, lane: who, pause: 0, kill: 255 };
        let later = |op, pause| Op { pause, ..op };
        let killed = |op, lost| Op { kill: lost, ..op };
        // Bits of a ticket: see `talk::ticket`.
        play(&[
            say(0, Word::Find(0)),
            say(1, Word::Find(1)),
            say(0, Word::Hello),
            say(1, Word::Tell),
            killed(say(1, Word::Next(1)), 0),
            say(2, Word::Find(0b10_0101)),
            say(0, Word::Find(0)),
            say(3, Word::Block(0)),
            say(3, Word::Find(1)),
            say(3, Word::Unblock(0)),
            later(killed(say(4, Word::Ring(2)), 3), 255),
            later(say(4, Word::Find(0b100_0000)), 255),
            later(say(4, Word::Stop), 240),
        ]);
    }
}
