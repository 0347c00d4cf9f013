//! What people were told, read in the order of the journal, and whether it makes sense.
//!
//! What lives here: [`Story`]. It knows the rules and nothing of the engine: who waits, who is paired, who blocked
//! whom and who parted when are folded out of the messages.

use super::talk::{PATIENCE, Said, ticket};
use super::{PEOPLE, RULES};
use nobat_core::bot::{Gender, Ticket, Tier, Wants};
use nobat_core::engine::Entry;
use std::collections::{BTreeMap, BTreeSet};

/// What is due at a moment is done this much later at most: the end of a pair is kept in steps of 1.08 s.
const LATE_MS: u64 = 3_000;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stands {
    Apart,
    Waits(Wish),
    With(u8),
}

/// A ticket and the moment of its first join.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Wish {
    ticket: u8,
    since: u64,
}

impl Wish {
    fn ticket(self) -> Ticket {
        ticket(self.ticket)
    }

    fn ends(self) -> u64 {
        if self.ticket().patience == PATIENCE { self.since + PATIENCE.as_millis() as u64 } else { u64::MAX }
    }

    /// Whether he takes the other, at this moment.
    fn takes(self, other: Self, at: u64) -> bool {
        let Tier::Vip { wants, widens } = self.ticket().tier else { return true };
        let widened = widens && at >= self.since + RULES.widen_after.as_millis() as u64;
        let gender = other.ticket().gender;
        let right = match wants {
            Wants::Anyone => true,
            Wants::Men => gender == Gender::Male,
            Wants::Women => gender == Gender::Female,
        };
        right || widened
    }
}

/// Where everyone stands, by what they were told.
#[derive(Default)]
pub(super) struct Story {
    /// Frames that were read.
    read: usize,
    stands: BTreeMap<u8, Stands>,
    /// What he will seek with when his pair is over.
    next: BTreeMap<u8, u8>,
    blocked: BTreeSet<(u8, u8)>,
    parted: BTreeMap<(u8, u8), u64>,
    rings: BTreeMap<u8, u64>,
}

const fn both(one: u8, other: u8) -> (u8, u8) {
    if one < other { (one, other) } else { (other, one) }
}

impl Story {
    /// Reads the frames that were not read yet.
    pub(super) fn read_on(&mut self, entries: &[Entry]) {
        for entry in &entries[self.read..] {
            // What a frame says to two people must be said to both of them.
            let (mut met, mut over) = (Vec::new(), Vec::new());
            for envelope in &entry.envelopes {
                let (said, at) = Said::read(&envelope.payload);
                let who = envelope.conversation.user.0 as u8;
                match said {
                    Said::Met(other) => met.push((who, other, at)),
                    Said::Over(other) => over.push((who, other, at)),
                    said => self.hear(who, said, at),
                }
            }
            self.end(&over);
            self.meet(&met);
        }
        self.read = entries.len();
    }

    fn stands(&self, who: u8) -> Stands {
        self.stands.get(&who).copied().unwrap_or(Stands::Apart)
    }

    fn hear(&mut self, who: u8, said: Said, at: u64) {
        let stands = self.stands(who);
        match said {
            Said::Seeks(ticket) if matches!(stands, Stands::With(_)) => _ = self.next.insert(who, ticket),
            Said::Seeks(ticket) => _ = self.stands.insert(who, Stands::Waits(Wish { ticket, since: at })),
            Said::Stopped => {
                assert!(matches!(stands, Stands::Waits(_)), "{who} stops and {stands:?}");
                self.stands.insert(who, Stands::Apart);
            }
            Said::Nobody => {
                let ended = matches!(stands, Stands::Waits(wish) if wish.ends() <= at);
                assert!(ended, "{who} is told at {at} that nobody came, and {stands:?}");
                self.stands.insert(who, Stands::Apart);
            }
            Said::Blocked(whom) => _ = self.blocked.insert((who, whom)),
            Said::Unblocked(whom) => _ = self.blocked.remove(&(who, whom)),
            Said::Hello(from) | Said::Told(from) => {
                assert_eq!(stands, Stands::With(from), "{who} hears of someone he is not with");
            }
            Said::Rings(seconds) => _ = self.rings.insert(who, at + u64::from(seconds) * 1_000),
            Said::Hushed => _ = self.rings.remove(&who),
            Said::Rung => {
                let due = self.rings.remove(&who);
                assert!(due.is_some_and(|due| due <= at), "{who} is rung at {at}, it was due at {due:?}");
            }
            Said::Met(_) | Said::Over(_) => unreachable!("told to two"),
        }
    }

    fn end(&mut self, over: &[(u8, u8, u64)]) {
        for &(who, other, at) in over {
            assert!(
                over.iter().any(|told| (told.0, told.1) == (other, who)),
                "{other} is not told of the end"
            );
            assert_eq!(self.stands(who), Stands::With(other), "{who} is told of the end");
            let next = self.next.remove(&who).map(|ticket| Stands::Waits(Wish { ticket, since: at }));
            self.stands.insert(who, next.unwrap_or(Stands::Apart));
            self.parted.insert(both(who, other), at);
        }
    }

    fn meet(&mut self, met: &[(u8, u8, u64)]) {
        for &(who, other, at) in met {
            assert!(
                met.iter().any(|told| (told.0, told.1) == (other, who)),
                "{other} is not told of the pair"
            );
            let why = self.apart(who, other, at, 0);
            assert!(why.is_none(), "{who} and {other} meet at {at}, and {why:?}");
        }
        for &(who, other, _) in met {
            self.stands.insert(who, Stands::With(other));
        }
    }

    /// Why these two may not be paired at this moment, with what only time keeps apart counted `late` ms longer.
    fn apart(&self, one: u8, other: u8, at: u64, late: u64) -> Option<String> {
        let (Stands::Waits(a), Stands::Waits(b)) = (self.stands(one), self.stands(other)) else {
            return Some(format!("{:?}, {:?}", self.stands(one), self.stands(other)));
        };
        let then = at - late;
        let recent = RULES.recent_for.as_millis() as u64;
        let parted = self.parted.get(&both(one, other)).filter(|parted| then < **parted + recent);
        let blocked = self.blocked.contains(&(one, other)) || self.blocked.contains(&(other, one));
        let wanted = a.takes(b, then) && b.takes(a, then) && a.ticket().pool == b.ticket().pool;
        let patient = at < a.ends() && at < b.ends();
        (blocked || parted.is_some() || !wanted || !patient || one == other)
            .then(|| format!("{a:?}, {b:?}, blocked {blocked}, parted {parted:?}"))
    }

    /// Everything that was due by now is done.
    pub(super) fn check_at_rest(&self, now: u64) {
        for one in 1..=PEOPLE {
            if let Stands::Waits(wish) = self.stands(one) {
                assert!(
                    now < wish.ends().saturating_add(LATE_MS),
                    "{one} waits beyond his patience: {wish:?}"
                );
            }
            let due = self.rings.get(&one);
            assert!(due.is_none_or(|due| now < due + LATE_MS), "{one} was not rung: {due:?}, it is {now}");
            for other in one + 1..=PEOPLE {
                let why = self.apart(one, other, now, LATE_MS);
                assert!(why.is_some(), "{one} and {other} both wait at {now}, and may meet");
            }
        }
    }
}
