//! What the wire proves about a killed server: which of its messages it must not send again.
//!
//! The server promises that the end of a send is journaled at its first turn that begins 10 ms after it read the
//! answer, and is durable with the commit after. Neither moment can be seen from outside: on a busy machine the
//! answer lies in a socket until the server gets the processor, and a commit takes as long as the disk does. So
//! no time between answer and kill proves anything. What does is the order of the server's own acts:
//!
//! ```text
//! N    a further request on the same connection: the answer was read at or before N
//! T1   a request on a connection whose answer before it was written 10 ms after N or later:
//!      sent in a turn of the sending thread that came after N
//! T2   the same with the answer written after T1: sent in a turn that began 10 ms after the reading, which
//!      journals the end when it closes
//! T3   the same after T2: that turn is over, the end has its place in the journal
//! U    an update first delivered after T3 and answered 200 before the kill: it stands behind the end in the
//!      journal and is durable, so the end is
//! ```
//!
//! Each step holds however the threads of the server, of the emulator and of the hand that kills are scheduled,
//! for requests are stamped after they were sent, answers and deliveries before, and kills before the next
//! process is started. Only first updates of a chat are taken as U: they always have an effect.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::log::{Log, Sent, Turn};
use crate::wire::At;

/// Turns of the sending thread between the reading of an answer and its end's place in the journal.
const TURNS: usize = 3;

/// Each process of the server with what it did on the wire.
pub(crate) struct Proofs {
    ends_within: Duration,
    /// When each process but the last was killed, in order.
    kills: Vec<At>,
    lives: Vec<Life>,
    updates: Earliest,
}

/// One process.
#[derive(Default)]
struct Life {
    /// Arrivals by connection, in order.
    arrivals: HashMap<u64, Vec<At>>,
    /// Arrivals by when the answer before them on the same connection was written.
    turns: Earliest,
}

/// Pairs (from, to): which is the earliest `to` of all those whose `from` is late enough?
#[derive(Default)]
struct Earliest(Vec<(At, At)>);

impl Earliest {
    fn of(mut pairs: Vec<(At, At)>) -> Earliest {
        pairs.sort_unstable();
        let mut least = At::MAX;
        for pair in pairs.iter_mut().rev() {
            least = least.min(pair.1);
            pair.1 = least;
        }
        Earliest(pairs)
    }

    /// The earliest `to` of a pair whose `from` lies after this moment.
    fn after(&self, at: At) -> Option<At> {
        self.0.get(self.0.partition_point(|pair| pair.0 <= at)).map(|pair| pair.1)
    }
}

impl Proofs {
    /// Reads the log. O(n log n).
    pub(crate) fn of(log: &Log, ends_within: Duration) -> Proofs {
        let kills: Vec<At> = log.processes.iter().filter(|(_, up)| !up).map(|(at, _)| *at).collect();
        if kills.is_empty() {
            // Without a kill nothing is asked.
            return Proofs { ends_within, kills, lives: Vec::new(), updates: Earliest::default() };
        }
        let mut by_line: HashMap<u64, Vec<&Turn>> = HashMap::new();
        for turn in &log.turns {
            by_line.entry(turn.line.nth).or_default().push(turn);
        }
        let mut lives: Vec<Life> = Vec::new();
        lives.resize_with(kills.len() + 1, Life::default);
        let mut turns = vec![Vec::new(); lives.len()];
        for (line, mut calls) in by_line {
            calls.sort_by_key(|turn| turn.arrived_at);
            let life = kills.partition_point(|kill| *kill <= calls[0].line.opened_at);
            let pairs = calls.windows(2).filter_map(|pair| Some((pair[0].answered_at?, pair[1].arrived_at)));
            turns[life].extend(pairs);
            lives[life].arrivals.insert(line, calls.iter().map(|turn| turn.arrived_at).collect());
        }
        for (life, turns) in lives.iter_mut().zip(turns) {
            life.turns = Earliest::of(turns);
        }
        Proofs { ends_within, kills, lives, updates: first_updates(log) }
    }

    /// With more updates that had an effect: when each was first delivered, and when it was answered 200.
    pub(crate) fn with_updates(mut self, updates: impl IntoIterator<Item = (At, At)>) -> Proofs {
        self.updates = Earliest::of(self.updates.0.into_iter().chain(updates).collect());
        self
    }

    /// Which process sent this, counted from 0. One that came by an unknown way is taken for the process of its
    /// time.
    fn life(&self, sent: &Sent) -> usize {
        let at = sent.line.map_or(sent.decided_at, |line| line.opened_at);
        self.kills.partition_point(|kill| *kill <= at)
    }

    /// Whether this was surely sent by the process that [`Proofs::life`] says. Of a connection that a process opened
    /// right before it was killed, the platform may learn only after that, and count it to the next one. A dead
    /// process sends nothing after an answer, so a second request tells.
    fn is_certain(&self, sent: &Sent) -> bool {
        let life = self.life(sent);
        let arrivals =
            self.lives.get(life).zip(sent.line).and_then(|(life, line)| life.arrivals.get(&line.nth));
        life == 0 || arrivals.is_some_and(|arrivals| arrivals.len() > 1)
    }

    /// When that process was killed, if it was.
    fn killed_at(&self, life: usize) -> Option<At> {
        self.kills.get(life).copied()
    }

    /// The end of this message was surely durable when its process was killed.
    pub(crate) fn durable(&self, sent: &Sent) -> bool {
        self.chain(sent).is_some()
    }

    /// Whether the server may not know that `first` arrived when it sends `again`: its answer was lost, or the process
    /// that sent it was killed and nothing on the wire proves that its end was durable before that.
    pub(crate) fn excuse(&self, first: &Sent, again: &Sent) -> bool {
        if first.answered_at.is_none() {
            return true;
        }
        let (life, other) = (self.life(first), self.life(again));
        if life == other {
            return !(self.is_certain(first) && self.is_certain(again));
        }
        // What was on the wire at a kill may be judged after what the next process sent.
        let older = if other < life { again } else { first };
        !self.durable(older)
    }

    /// How long before the kill of its process this message was answered.
    pub(crate) fn before_a_kill(&self, sent: &Sent) -> Option<Duration> {
        let kill = self.killed_at(self.life(sent))?;
        Some(kill.saturating_sub(sent.answered_at?))
    }

    /// Messages of killed processes, and those of them that must not come again.
    pub(crate) fn count<'a>(&self, sent: impl IntoIterator<Item = &'a Sent>) -> (u64, u64) {
        let mut counts = (0, 0);
        for sent in sent.into_iter().filter(|sent| self.killed_at(self.life(sent)).is_some()) {
            counts.0 += 1;
            counts.1 += u64::from(self.durable(sent));
        }
        counts
    }

    fn chain(&self, sent: &Sent) -> Option<At> {
        let (line, life) = (sent.line?, self.life(sent));
        let (killed_at, life) = (self.killed_at(life)?, self.lives.get(life)?);
        let arrivals = life.arrivals.get(&line.nth)?;
        let read_by = *arrivals.get(arrivals.partition_point(|at| *at <= sent.arrived_at))?;
        let mut at = read_by + self.ends_within;
        for _ in 0..TURNS {
            at = life.turns.after(at)?;
        }
        self.updates.after(at).filter(|acknowledged| *acknowledged <= killed_at)
    }
}

/// The first update of each chat: when it was first delivered, and when it was answered 200.
fn first_updates(log: &Log) -> Earliest {
    let mut met = HashSet::new();
    let firsts = log.asked.iter().filter(|asked| met.insert((asked.bot, asked.chat)));
    let trips = firsts.filter_map(|asked| log.trip(asked));
    Earliest::of(trips.filter_map(|trip| Some((trip.first_sent_at, trip.acknowledged_at?))).collect())
}
