//! Who got what: matches each accepted message of a chat to the question it answers.
//!
//! Works user by user on what the platform saw: a question counts from the first byte of its first
//! delivery, an answer from the moment it was accepted. An answer settles every open question of its wording
//! and is taken by one of them; one that finds none left to take it is a repeat, or worse.

use std::collections::HashMap;
use std::time::Duration;

use super::log::{Asked, Log, Sent};
use super::reading::{Card, Question, Reading, fold};
use super::{Answer, Audit, Check, Disposition, Rules};
use crate::dataset::Truth;
use crate::wire::{At, BotIx};

/// What a rate is counted over.
const MINUTE: Duration = Duration::from_secs(60);
/// What misses are counted over.
const HOUR: Duration = Duration::from_secs(3600);

/// A question of one user, with what became of it so far.
struct Open<'a> {
    asked: &'a Asked,
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
    for asked in &log.asked {
        let delivered_at = log.trip(asked).map(|trip| trip.first_sent_at);
        let open = Open { asked, delivered_at, settled: None, own: false, taken: false };
        chats.entry(asked.chat).or_default().0.push(open);
    }
    for sent in &log.sent {
        chats.entry(sent.chat).or_default().1.push(sent);
    }
    let mut order: Vec<i64> = chats.keys().copied().collect();
    order.sort_unstable();
    for chat in order {
        if let Some((questions, answers)) = chats.remove(&chat) {
            Dialogue { questions, log, truth, rules, audit, latest: None, seen: HashMap::new() }
                .judge(&answers);
        }
    }
}

struct Dialogue<'a, 'b> {
    questions: Vec<Open<'a>>,
    log: &'a Log,
    truth: &'a Truth,
    rules: &'a Rules,
    audit: &'b mut Audit,
    /// The latest question that has an answer of its own, by position.
    latest: Option<usize>,
    /// The last copy of each wording sent to this chat.
    seen: HashMap<&'a Reading, &'a Sent>,
}

impl<'a> Dialogue<'a, '_> {
    fn judge(mut self, answers: &[&'a Sent]) {
        let mut slow_downs = Vec::new();
        for sent in answers {
            self.check_bot(sent);
            match &sent.reading {
                Reading::Wait => self.audit.notices += 1,
                Reading::SlowDown => {
                    self.audit.notices += 1;
                    slow_downs.push(sent.decided_at);
                }
                Reading::Card(card) => self.judge_card(sent, card),
                Reading::NotFound(number) => self.judge_miss(sent, *number),
                Reading::Words | Reading::Several => self.judge_words(sent),
            }
            self.seen.insert(&sent.reading, sent);
        }
        self.dispose(&slow_downs);
    }

    fn user(&self) -> u64 {
        self.questions.first().map_or(0, |open| open.asked.user)
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

    fn judge_card(&mut self, sent: &'a Sent, card: &Card) {
        let user = u64::try_from(sent.chat).unwrap_or_default();
        if let Err(what) = self.card_is_true(card) {
            self.audit.find(Check::WrongRecipient, sent.decided_at, user, || what);
        }
        let truth = self.truth;
        let folded = truth.find(card.number).map(|pupil| fold(&pupil.name()));
        let asks_it = |question: &Question| match question {
            Question::Number(number) => *number == card.number,
            // A name look-up, or a choice after one: every word must be of that pupil's name.
            Question::Words(words) => folded
                .as_deref()
                .is_some_and(|name| words.split(' ').all(|word| name.split(' ').any(|part| part == word))),
            _ => false,
        };
        let known = self.known_by(sent.decided_at);
        let asked = known.iter().any(|&at| asks_it(&self.questions[at].asked.question));
        if !asked {
            self.audit.find(Check::WrongRecipient, sent.decided_at, user, || {
                format!("a card of number {} for a user who did not ask for it", card.number)
            });
            return;
        }
        let fits = |question: &Question| asks_it(question) || matches!(question, Question::Press(_));
        self.take(sent, known.into_iter().filter(|&at| fits(&self.questions[at].asked.question)).collect());
    }

    /// The marks and the name on a card are those of its number.
    fn card_is_true(&self, card: &Card) -> Result<(), String> {
        let Some(pupil) = self.truth.find(card.number) else {
            return Err(format!("a card of number {}, which nobody has", card.number));
        };
        let marks: Vec<u32> = pupil.marks.iter().map(|&mark| u32::from(mark)).collect();
        if card.marks != marks {
            return Err(format!("number {}: marks {:?} instead of {marks:?}", card.number, card.marks));
        }
        if fold(&card.name) != fold(&pupil.name()) {
            return Err(format!("number {}: the name of another pupil", card.number));
        }
        match card.total {
            Some(total) if total != pupil.total() => {
                Err(format!("number {}: total {total} instead of {}", card.number, pupil.total()))
            }
            _ => Ok(()),
        }
    }

    fn judge_miss(&mut self, sent: &'a Sent, number: Option<u64>) {
        let user = self.user();
        let known = self.known_by(sent.decided_at);
        let fits: Vec<usize> = known
            .into_iter()
            .filter(|&at| match (&self.questions[at].asked.question, number) {
                (Question::Number(asked), Some(number)) => *asked == number,
                (Question::Number(asked), None) => self.truth.find(*asked).is_none(),
                (Question::Words(_), _) => true,
                _ => false,
            })
            .collect();
        if let Some(number) = number.filter(|&number| self.truth.find(number).is_some()) {
            self.audit.find(Check::WrongAnswer, sent.decided_at, user, || {
                format!("number {number} is in the data set and was said not to be found")
            });
        }
        self.take(sent, fits);
    }

    /// A text that is neither card nor miss answers anything but a number that somebody has.
    fn judge_words(&mut self, sent: &'a Sent) {
        let known = self.known_by(sent.decided_at);
        let fits = known
            .into_iter()
            .filter(|&at| match &self.questions[at].asked.question {
                Question::Number(number) => self.truth.find(*number).is_none(),
                Question::Other(_) => false,
                _ => true,
            })
            .collect();
        self.take(sent, fits);
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
    fn take(&mut self, sent: &'a Sent, fits: Vec<usize>) {
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

    fn judge_repeat(&mut self, sent: &'a Sent) {
        let user = u64::try_from(sent.chat).unwrap_or_default();
        let first = self.seen.get(&sent.reading).copied();
        let excused = first.is_some_and(|first| self.may_be_unknown(first));
        let check = if excused { Check::ExcusedRepeat } else { Check::Repeated };
        let before = first.and_then(|first| self.before_a_kill(first));
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

    /// Whether the server may not know that this copy arrived: its answer was lost, or a kill fell upon it.
    fn may_be_unknown(&self, first: &Sent) -> bool {
        let Some(answered_at) = first.answered_at else {
            return true;
        };
        self.log
            .processes
            .iter()
            .filter(|(_, up)| !up)
            .any(|&(kill, _)| first.decided_at <= kill && kill <= answered_at + self.rules.kill_excuse)
    }

    /// How long before the next kill this copy was answered.
    fn before_a_kill(&self, first: &Sent) -> Option<Duration> {
        let answered_at = first.answered_at?;
        let kills = self.log.processes.iter().filter(|(_, up)| !up);
        let next = kills.map(|&(kill, _)| kill).find(|kill| *kill >= first.decided_at)?;
        Some(next.saturating_sub(answered_at))
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
                misses.retain(|&earlier| at.saturating_sub(earlier) <= HOUR);
                misses.extend(self.is_miss(&asked.question).then_some(at));
            }
            let over =
                recent.len() > self.rules.requests_per_minute || misses.len() > self.rules.misses_per_hour;
            let disposition = match open.settled {
                Some((accepted_at, bot)) => {
                    let (planned_at, user, own) = (asked.planned_at, asked.user, open.own);
                    self.audit.answers.push(Answer { planned_at, accepted_at, bot, user, own });
                    if open.taken { Disposition::Answered } else { Disposition::Covered }
                }
                None if matches!(asked.question, Question::Other(_)) => Disposition::NoAnswerDue,
                None if over && was_told(open, slow_downs) => Disposition::RefusedByRate,
                None => Disposition::Lost,
            };
            if disposition == Disposition::Lost {
                lost.push(open);
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
        matches!(question, Question::Number(number) if self.truth.find(*number).is_none())
    }
}

/// The user was told to slow down, within the minute before or at any time after.
fn was_told(open: &Open<'_>, slow_downs: &[At]) -> bool {
    open.delivered_at.is_some_and(|at| slow_downs.iter().any(|&notice| notice + MINUTE >= at))
}
