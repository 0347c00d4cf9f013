//! The ledger of a chat: what must never happen to money, lines and pairs.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;
use std::time::Duration;

use serde::Serialize;

use super::people::{CREDITS, Line, Seen};
use crate::auditor::proof::Proofs;
use crate::auditor::{Audit, Check, Log, Rules, Sent};

/// Kept of each kind of finding.
const FINDINGS: usize = 10;

/// What came of it.
#[derive(Clone, Default, Debug, Serialize)]
pub struct Ledger {
    /// Payments that the platform booked.
    pub payments: u64,
    /// How often their news was told once more, as an update of its own.
    pub payments_told_again: u64,
    /// Payments that gave more than once.
    pub payments_doubled: u64,
    /// Payments that gave nothing.
    pub payments_lost: u64,
    /// Chats in which a line was passed on.
    pub chats: u64,
    /// Lines that reached the partner.
    pub lines: u64,
    /// Lines between two that arrived, answered 200, that did not.
    pub lines_lost: u64,
    /// Lines that came before an earlier one.
    pub lines_out_of_order: u64,
    /// Chats whose lines reached more than one person, or their own sender.
    pub lines_astray: u64,
    /// Who heard lines of one chat between those of another.
    pub in_two_chats: u64,
    /// The first of what must not be.
    pub findings: Vec<String>,
}

impl Ledger {
    /// People paid and talked: there was something to be lost.
    #[must_use]
    pub fn is_lively(&self) -> bool {
        self.payments > 0 && self.lines > 0
    }

    /// Nothing that must not be was seen.
    #[must_use]
    pub fn is_sound(&self) -> bool {
        let wrong = self.payments_doubled
            + self.payments_lost
            + self.lines_lost
            + self.lines_out_of_order
            + self.lines_astray
            + self.in_two_chats;
        wrong == 0
    }

    /// For a terminal.
    pub(in super::super) fn write(&self, out: &mut String) {
        for (name, value) in [
            ("payments", format!("{} (told once more: {})", self.payments, self.payments_told_again)),
            ("payments doubled", self.payments_doubled.to_string()),
            ("payments lost", self.payments_lost.to_string()),
            ("chats", self.chats.to_string()),
            ("lines passed on", self.lines.to_string()),
            ("lines lost", self.lines_lost.to_string()),
            ("lines out of order", self.lines_out_of_order.to_string()),
            ("lines that went astray", self.lines_astray.to_string()),
            ("people in two chats at once", self.in_two_chats.to_string()),
        ] {
            let _ = writeln!(out, "  {name:<38} {value}");
        }
        for finding in &self.findings {
            let _ = writeln!(out, "  {finding}");
        }
    }

    fn find(&mut self, what: String) {
        if self.findings.len() < FINDINGS {
            self.findings.push(what);
        }
    }
}

/// Judges what people saw.
pub(super) fn judge(seen: &Seen, log: &Log) -> (Ledger, Audit) {
    let mut ledger = Ledger { payments_told_again: seen.told_again, ..Ledger::default() };
    let mut audit = Audit { refused: log.refused, ..Audit::default() };
    money(seen, &mut ledger);
    let mut reached: Vec<&(Line, Sent)> = seen.reached.iter().collect();
    reached.sort_by_key(|(_, sent)| sent.decided_at);
    let had_effect = reached.iter().filter_map(|(line, _)| log.trips.get(seen.written.get(line)?));
    let updates = had_effect.filter_map(|trip| Some((trip.first_sent_at, trip.acknowledged_at?)));
    let proofs = Proofs::of(log, Rules::default().ends_within).with_updates(updates.collect::<Vec<_>>());
    (audit.before_kills, audit.proven) = proofs.count(&seen.sent);
    repeats(&reached, &proofs, &mut audit, &mut ledger);
    gaps(seen, log, &mut ledger);
    pairs(&reached, &mut ledger);
    (ledger, audit)
}

/// Each payment gives its credits once, and the last word on them says so.
fn money(seen: &Seen, ledger: &mut Ledger) {
    for (user, charges) in &seen.charges {
        ledger.payments += charges;
        let (told, owed) = (seen.credits.get(user).copied().unwrap_or_default(), charges * CREDITS);
        if told > owed {
            ledger.payments_doubled += (told - owed).div_ceil(CREDITS);
            ledger.find(format!("user {user} paid for {owed} credits and was told to have {told}"));
        } else if told < owed {
            ledger.payments_lost += (owed - told).div_ceil(CREDITS);
            ledger.find(format!("user {user} paid for {owed} credits and was told of {told} at most"));
        }
    }
    // Nobody owns what he has not paid for.
    for (user, told) in seen.credits.iter().filter(|(user, _)| !seen.charges.contains_key(user)) {
        ledger.payments_doubled += told / CREDITS;
        ledger.find(format!("user {user} has paid nothing and was told to have {told} credits"));
    }
}

/// A line arrives once, but for one whose first copy's end a kill may have taken; and not before an earlier one.
fn repeats(reached: &[&(Line, Sent)], proofs: &Proofs, audit: &mut Audit, ledger: &mut Ledger) {
    let mut first: HashMap<Line, &Sent> = HashMap::new();
    let mut latest: HashMap<(u64, u32), u32> = HashMap::new();
    for (line, sent) in reached {
        let Some(before) = first.insert(*line, sent) else {
            let latest = latest.entry((line.user, line.session)).or_default();
            if line.nth < *latest {
                ledger.lines_out_of_order += 1;
                ledger.find(format!("{line:?} came after line {latest}"));
            }
            *latest = line.nth.max(*latest);
            continue;
        };
        let check = if proofs.excuse(before, sent) { Check::ExcusedRepeat } else { Check::Repeated };
        *audit.counts.entry(check).or_default() += 1;
        match (check, proofs.before_a_kill(before)) {
            (Check::Repeated, gap) => {
                ledger.find(format!("{line:?} came again; the copy before it {gap:?} before a kill"));
            }
            (_, gap) => audit.widest_excuse = audit.widest_excuse.max(gap.unwrap_or(Duration::ZERO)),
        }
    }
}

/// Between two lines of a chat that arrived, each one arrived: the chat was there all the time.
fn gaps(seen: &Seen, log: &Log, ledger: &mut Ledger) {
    let mut arrived: BTreeMap<(u64, u32), BTreeSet<u32>> = BTreeMap::new();
    for (line, _) in &seen.reached {
        arrived.entry((line.user, line.session)).or_default().insert(line.nth);
    }
    ledger.chats = arrived.len() as u64;
    for ((user, session), lines) in arrived {
        ledger.lines += lines.len() as u64;
        let (first, last) = (lines.first().copied().unwrap_or(0), lines.last().copied().unwrap_or(0));
        for nth in (first..last).filter(|nth| !lines.contains(nth)) {
            let line = Line { user, session, nth };
            let trip = seen.written.get(&line).and_then(|update| log.trips.get(update));
            if trip.is_some_and(|trip| trip.acknowledged_at.is_some()) {
                ledger.lines_lost += 1;
                ledger.find(format!("{line:?} was answered 200 and reached nobody"));
            }
        }
    }
}

/// The lines of one chat reach one person, and nobody hears two chats at once.
fn pairs(reached: &[&(Line, Sent)], ledger: &mut Ledger) {
    let mut partner: HashMap<(u64, u32), i64> = HashMap::new();
    let mut heard: HashMap<i64, Vec<(u64, u32)>> = HashMap::new();
    for (line, sent) in reached {
        let from = (line.user, line.session);
        let to = *partner.entry(from).or_insert(sent.chat);
        if to != sent.chat || to.unsigned_abs() == line.user {
            ledger.lines_astray += 1;
            ledger.find(format!("{line:?} reached {}, others of its chat {to}", sent.chat));
        }
        let heard = heard.entry(sent.chat).or_default();
        if heard.last() != Some(&from) {
            if heard.contains(&from) {
                ledger.in_two_chats += 1;
                ledger.find(format!("{} heard {line:?} after lines of another chat", sent.chat));
            }
            heard.push(from);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auditor::Trip;
    use crate::auditor::reading::Reading;
    use crate::wire::Line as Opened;

    const ANNE: u64 = 21;
    const BERT: u64 = 22;
    const CARL: u64 = 23;

    /// Two who talked, and one payment.
    fn sound() -> (Seen, Log) {
        let (mut seen, mut log) = (Seen::default(), Log::default());
        for nth in 0..4 {
            write(&mut seen, &mut log, Line { user: ANNE, session: 1, nth });
            reach(&mut seen, Line { user: ANNE, session: 1, nth }, BERT);
            write(&mut seen, &mut log, Line { user: BERT, session: 1, nth });
            reach(&mut seen, Line { user: BERT, session: 1, nth }, ANNE);
        }
        seen.charges.insert(ANNE, 2);
        seen.credits.insert(ANNE, 2 * CREDITS);
        (seen, log)
    }

    fn write(seen: &mut Seen, log: &mut Log, line: Line) {
        let update = (0, seen.written.len() as i64);
        seen.written.insert(line, update);
        let trip = Trip { first_sent_at: Duration::ZERO, acknowledged_at: Some(Duration::ZERO), attempts: 1 };
        log.trips.insert(update, trip);
    }

    fn reach(seen: &mut Seen, line: Line, to: u64) {
        let decided_at = Duration::from_millis(10 + seen.reached.len() as u64);
        let sent = Sent {
            bot: 0,
            chat: to as i64,
            decided_at,
            answered_at: Some(decided_at),
            line: Some(Opened { nth: 1, opened_at: Duration::ZERO }),
            arrived_at: decided_at,
            reading: Reading::Words,
            edits: None,
        };
        seen.reached.push((line, sent));
    }

    #[test]
    fn a_sound_evening_passes_and_one_without_payments_or_lines_proves_nothing() {
        let (seen, log) = sound();
        let (ledger, audit) = judge(&seen, &log);
        assert!(ledger.is_sound() && audit.counts.is_empty(), "{ledger:?}");
        assert_eq!((ledger.payments, ledger.lines, ledger.chats), (2, 8, 2));
        assert!(ledger.is_lively() && !judge(&Seen::default(), &log).0.is_lively());
    }

    #[test]
    fn each_wrong_that_is_planted_is_caught() {
        let judged = |plant: &dyn Fn(&mut Seen)| {
            let (mut seen, log) = sound();
            plant(&mut seen);
            judge(&seen, &log)
        };
        let line = |nth| Line { user: ANNE, session: 1, nth };
        let doubled = judged(&|seen| *seen.credits.get_mut(&ANNE).unwrap() += CREDITS).0;
        assert_eq!((doubled.payments_doubled, doubled.is_sound()), (1, false));
        let given = judged(&|seen| _ = seen.credits.insert(BERT, CREDITS)).0;
        assert_eq!((given.payments_doubled, given.is_sound()), (1, false));
        let unpaid = judged(&|seen| *seen.credits.get_mut(&ANNE).unwrap() -= CREDITS).0;
        assert_eq!((unpaid.payments_lost, unpaid.is_sound()), (1, false));
        let lost = judged(&|seen| seen.reached.retain(|(reached, _)| *reached != line(2))).0;
        assert_eq!((lost.lines_lost, lost.is_sound()), (1, false));
        let late = judged(&|seen| {
            let at = seen.reached.iter().position(|(reached, _)| *reached == line(1)).unwrap();
            seen.reached[at].1.decided_at = Duration::from_secs(9);
        });
        assert_eq!((late.0.lines_out_of_order, late.0.is_sound()), (1, false));
        let astray = judged(&|seen| seen.reached[0].1.chat = CARL as i64).0;
        assert!(astray.lines_astray > 0 && !astray.is_sound());
        let between = judged(&|seen| {
            let mut foreign = seen.reached[2].clone();
            foreign.0 = Line { user: CARL, session: 1, nth: 0 };
            seen.reached.insert(3, foreign);
        });
        assert_eq!((between.0.in_two_chats, between.0.is_sound()), (1, false));
        let again = judged(&|seen| reach(seen, line(3), BERT));
        assert_eq!(again.1.counts, [(Check::Repeated, 1)].into());
    }
}
