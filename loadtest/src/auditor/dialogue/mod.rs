//! Who got what: matches each accepted message of a chat to the question it answers.
//!
//! Works user by user on what the platform saw: a question counts from the first byte of its first
//! delivery, an answer from the moment it was accepted. An answer settles every open question of its wording
//! and is taken by one of them; one that finds none left to take it is a repeat, or worse.

mod card;
mod fits;
mod press;

use std::collections::HashMap;
use std::time::Duration;

use super::log::{Asked, Log, Sent};
use super::proof::Proofs;
use super::reading::{Means, Question, Reading};
use super::{Answer, Audit, Check, Disposition, Rules};
use crate::dataset::Truth;
use crate::wire::{At, BotIx};

/// What a rate is counted over.
const MINUTE: Duration = Duration::from_secs(60);

/// A question of one user, with what became of it so far.
struct Open<'a> {
    asked: &'a Asked,
    /// Of a press: what the button said; none if it was none of this user's.
    means: Option<Means>,
    /// From here on the server may know it; none if it was never tried.
    delivered_at: Option<At>,
    /// When and by which lane the first answer that settles it was accepted.
    settled: Option<(At, BotIx)>,
    /// An answer was made for it: it is the oldest that the answer settled.
    own: bool,
    /// An answer is counted as this question's. Until then a second one of the same wording may be.
    taken: bool,
}

/// Judges every chat of the log.
pub(super) fn judge(log: &Log, truth: &Truth, rules: &Rules, audit: &mut Audit) {
    let mut chats: HashMap<i64, (Vec<Open<'_>>, Vec<&Sent>)> = HashMap::new();
    let proofs = Proofs::of(log, rules.ends_within);
    (audit.before_kills, audit.proven) = proofs.count(&log.sent);
    for asked in &log.asked {
        let delivered_at = log.trip(asked).map(|trip| trip.first_sent_at);
        let means = log.label(asked).map(Means::of);
        let open = Open { asked, means, delivered_at, settled: None, own: false, taken: false };
        chats.entry(asked.chat).or_default().0.push(open);
    }
    for sent in &log.sent {
        chats.entry(sent.chat).or_default().1.push(sent);
    }
    let mut order: Vec<i64> = chats.keys().copied().collect();
    order.sort_unstable();
    for chat in order {
        if let Some((questions, answers)) = chats.remove(&chat) {
            let (proofs, seen) = (&proofs, HashMap::new());
            Dialogue { chat, questions, log, truth, rules, proofs, audit, latest: None, seen }
                .judge(&answers);
        }
    }
}

struct Dialogue<'a, 'b> {
    chat: i64,
    questions: Vec<Open<'a>>,
    log: &'a Log,
    truth: &'a Truth,
    rules: &'a Rules,
    proofs: &'b Proofs,
    audit: &'b mut Audit,
    /// The latest question that has an answer of its own, by position.
    latest: Option<usize>,
    /// The last copy of each wording sent to this chat.
    seen: HashMap<&'a Reading, &'a Sent>,
}

impl<'a> Dialogue<'a, '_> {
    fn judge(mut self, answers: &[&'a Sent]) {
        let mut slow_downs = Vec::new();
        let mut notices = 0;
        for sent in answers {
            self.check_bot(sent);
            self.check_hour(sent);
            match &sent.reading {
                notice if notice.is_notice() => {
                    notices += 1;
                    self.audit.notices += 1;
                    if *notice == Reading::SlowDown {
                        slow_downs.push(sent.decided_at);
                    }
                    self.check_flood(sent, notices);
                }
                Reading::Card(card) => {
                    if let Err(what) = card::is_true(card, self.truth) {
                        self.audit.find(Check::WrongRecipient, sent.decided_at, self.user(), || what);
                    }
                    self.take(sent);
                }
                Reading::NotFound(Some(number)) if self.truth.find(*number).is_some() => {
                    self.audit.find(Check::WrongAnswer, sent.decided_at, self.user(), || {
                        format!("number {number} is in the data set and was said not to be found")
                    });
                    self.take(sent);
                }
                _ => self.take(sent),
            }
            self.seen.insert(&sent.reading, sent);
        }
        self.check_presses();
        self.dispose(&slow_downs);
    }

    fn user(&self) -> u64 {
        // A private chat has its user's id.
        let chat = || u64::try_from(self.chat).unwrap_or_default();
        self.questions.first().map_or_else(chat, |open| open.asked.user)
    }

    /// A message must come through the user's home lane or through a bot he wrote to.
    fn check_bot(&mut self, sent: &Sent) {
        let user = u64::try_from(sent.chat).unwrap_or_default();
        let home = (user % self.rules.lanes.max(1) as u64) as BotIx;
        let wrote_to = self.questions.iter().any(|open| open.asked.bot == sent.bot);
        if sent.bot != home && !wrote_to {
            self.audit.find(Check::WrongBot, sent.decided_at, user, || {
                format!("a message came through bot {}, home lane {home}", sent.bot)
            });
        }
    }

    /// Nothing of the data set is shown before the hour.
    fn check_hour(&mut self, sent: &Sent) {
        let tells = matches!(sent.reading, Reading::Card(_) | Reading::Several | Reading::NotFound(_));
        if tells && self.log.hour.is_some_and(|hour| sent.decided_at < hour) {
            self.audit.find(Check::Early, sent.decided_at, self.user(), || {
                format!("{} before the hour", sent.reading.label())
            });
        }
    }

    /// A notice says something of a question: there are not more of them than questions, and none came twice
    /// but over a kill.
    fn check_flood(&mut self, sent: &Sent, notices: usize) {
        let kills = self.log.processes.iter().filter(|(_, up)| !up).count();
        if notices > self.known_by(sent.decided_at).len() + kills {
            self.audit.find(Check::Repeated, sent.decided_at, self.user(), || {
                format!("{}, and not a question left for it", sent.reading.label())
            });
        }
    }

    /// Positions of the questions that the server may have known at this moment.
    fn known_by(&self, at: At) -> Vec<usize> {
        (0..self.questions.len())
            .filter(|&nth| self.questions[nth].delivered_at.is_some_and(|delivered| delivered <= at))
            .collect()
    }

    /// Settles what the answer fits, and counts it as one question's.
    ///
    /// Whether a server answers a repeated question again or lets one answer do for all, is its own choice:
    /// so of the questions not taken yet, it is the first one that keeps the order, and disorder only if
    /// there is none.
    fn take(&mut self, sent: &'a Sent) {
        let known = self.known_by(sent.decided_at);
        let fits: Vec<usize> = known.into_iter().filter(|&at| self.fits(sent, &self.questions[at])).collect();
        if fits.is_empty() {
            return self.judge_stray(sent);
        }
        let free = |nth: &usize| !self.questions[*nth].taken;
        let in_order = |nth: &usize| self.latest.is_none_or(|latest| *nth > latest);
        let first = fits.iter().copied().find(|nth| free(nth));
        let Some(nth) = fits.iter().copied().find(|nth| free(nth) && in_order(nth)).or(first) else {
            return self.judge_repeat(sent);
        };
        let question = &self.questions[nth].asked.question;
        let settles: Vec<usize> = fits
            .into_iter()
            .filter(|&other| self.questions[other].settled.is_none())
            .filter(|&other| self.questions[other].asked.question == *question)
            .collect();
        if !in_order(&nth) {
            let user = self.user();
            self.audit.find(Check::Disorder, sent.decided_at, user, || {
                format!("the answer to question {} came after that of a later one", nth + 1)
            });
        }
        self.latest = self.latest.max(Some(nth));
        self.questions[nth].taken = true;
        if let Some(&oldest) = settles.first() {
            self.questions[oldest].own = true;
        }
        for other in settles {
            self.questions[other].settled = Some((sent.decided_at, sent.bot));
        }
    }

    /// A message that answers nothing that this user ever asked.
    fn judge_stray(&mut self, sent: &Sent) {
        let check = match sent.reading {
            Reading::Card(_) => Check::WrongRecipient,
            _ => Check::WrongAnswer,
        };
        self.audit.find(check, sent.decided_at, self.user(), || {
            format!("{} for a user who did not ask for it", sent.reading.label())
        });
    }

    fn judge_repeat(&mut self, sent: &'a Sent) {
        let user = self.user();
        let first = self.seen.get(&sent.reading).copied();
        let excused = first.is_some_and(|first| self.proofs.excuse(first, sent));
        let check = if excused { Check::ExcusedRepeat } else { Check::Repeated };
        let before = first.and_then(|first| self.proofs.before_a_kill(first));
        if let (true, Some(before)) = (excused, before) {
            self.audit.widest_excuse = self.audit.widest_excuse.max(before);
        }
        self.audit.find(check, sent.decided_at, user, || {
            let label = sent.reading.label();
            let when = before.map_or(String::new(), |before| {
                format!("; the copy before it was answered {} ms before a kill", before.as_millis())
            });
            format!("{label} again, without a question for it{when}")
        });
    }

    /// Writes down what became of each question.
    fn dispose(self, slow_downs: &[At]) {
        let mut recent: Vec<At> = Vec::new();
        let mut misses: Vec<At> = Vec::new();
        let mut lost = Vec::new();
        for open in &self.questions {
            let asked = open.asked;
            if let Some(at) = open.delivered_at {
                recent.retain(|&earlier| at.saturating_sub(earlier) <= MINUTE);
                recent.push(at);
                misses.retain(|&earlier| at.saturating_sub(earlier) <= self.rules.misses_window);
                misses.extend(self.is_miss(&asked.question).then_some(at));
            }
            let over = recent.len() > self.rules.requests_per_minute || misses.len() > self.rules.misses;
            let disposition = match open.settled {
                Some((accepted_at, bot)) => {
                    let (planned_at, user, own) = (asked.planned_at, asked.user, open.own);
                    let acknowledged_at = self.log.trip(asked).and_then(|trip| trip.acknowledged_at);
                    let delivered_at = open.delivered_at.unwrap_or(planned_at);
                    let answer =
                        Answer { planned_at, delivered_at, acknowledged_at, accepted_at, bot, user, own };
                    self.audit.answers.push(answer);
                    if open.taken { Disposition::Answered } else { Disposition::Covered }
                }
                None if self.owes_nothing(open) => Disposition::NoAnswerDue,
                None if over && was_told(open, slow_downs) => Disposition::RefusedByRate,
                None => Disposition::Lost,
            };
            if disposition == Disposition::Lost {
                lost.push(open);
            }
            if self.log.trip(asked).is_some_and(|trip| trip.acknowledged_at.is_none()) {
                self.audit.find(Check::Unacknowledged, asked.queued_at, asked.user, || {
                    format!("no 2xx for {}", asked.question.label())
                });
            }
            self.audit.dispose(disposition);
        }
        for open in lost {
            let told = match open.delivered_at {
                None => "never delivered",
                Some(_) if self.log.trip(open.asked).is_some_and(|trip| trip.acknowledged_at.is_some()) => {
                    "acknowledged"
                }
                Some(_) => "delivered, not acknowledged",
            };
            self.audit.find(Check::Lost, open.asked.queued_at, open.asked.user, || {
                format!("no answer to {} ({told})", open.asked.question.label())
            });
        }
    }

    fn is_miss(&self, question: &Question) -> bool {
        match question {
            Question::Number(number) => self.truth.find(*number).is_none(),
            Question::Words(_) => self.rules.names,
            _ => false,
        }
    }

    /// No message is due: nothing was asked, or a button was pressed that this user was never shown and the
    /// press was ended.
    fn owes_nothing(&self, open: &Open<'_>) -> bool {
        match &open.asked.question {
            Question::Other(_) => true,
            Question::Press(_) => open.means.is_none() && !self.endings(open.asked).is_empty(),
            _ => false,
        }
    }
}

/// The user was told to slow down, within the minute before or at any time after.
fn was_told(open: &Open<'_>, slow_downs: &[At]) -> bool {
    open.delivered_at.is_some_and(|at| slow_downs.iter().any(|&notice| notice + MINUTE >= at))
}
