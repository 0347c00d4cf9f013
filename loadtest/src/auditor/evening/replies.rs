//! What became of each update: handed on, answered, refused, or nothing of these.
//!
//! A user's updates are taken in order, and each takes the first of the bot's words not taken yet that can be its
//! answer. Words that must have a reason and find none left are a repeat.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::albums;
use super::record::{Deed, Gist};
use super::relays::Relayed;
use super::story::{End, Spell, Stories, Story, parts};
use crate::auditor::{Audit, Check, Rules};
use crate::student::evening::label::Label;
use crate::student::evening::reading::Saying;
use crate::wire::At;

/// The platform waits so long for a word before a payment.
const CHECKOUT: Duration = Duration::from_secs(10);
/// Who blocks the bot so soon after he wrote need not be answered.
const GONE_WITHIN: Duration = Duration::from_secs(60);
/// A notice to slow down stands for what was said so long before and after it.
const SLOW: Duration = Duration::from_secs(15);

/// Which message answered which deed.
pub(super) type Answers = HashMap<usize, usize>;

/// What can be the answer: the bot's own words, an invoice, or a word on the pressed button.
struct Due {
    fits: fn(Saying) -> bool,
    invoice: bool,
}

fn words(fits: fn(Saying) -> bool) -> Option<Due> {
    Some(Due { fits, invoice: false })
}

/// Judges everything that users did.
pub(super) fn judge(stories: &Stories<'_>, rules: &Rules, relayed: &Relayed, audit: &mut Audit) -> Answers {
    let undeliverable: HashSet<usize> = stories.record.undeliverable.iter().copied().collect();
    let mut answers = Answers::new();
    for story in stories.of.values() {
        let mut desk = Desk { stories, story, rules, taken: HashSet::new(), silent: Vec::new() };
        for &nth in &story.done {
            let end = match () {
                () if relayed.contains_key(&nth) => "relayed",
                () if undeliverable.contains(&nth) => "undeliverable",
                () => desk.end(nth, audit, &mut answers),
            };
            *audit.dispositions.entry(end).or_insert(0) += 1;
            desk.acknowledged(nth, audit);
            desk.pressed_or_asked(nth, audit);
        }
        desk.judge_the_rest(audit);
    }
    answers
}

struct Desk<'a, 'b> {
    stories: &'a Stories<'b>,
    story: &'a Story,
    rules: &'a Rules,
    /// Messages that answer something.
    taken: HashSet<usize>,
    /// Parts of albums of which nothing was said, for another part was refused with a word.
    silent: Vec<usize>,
}

impl Desk<'_, '_> {
    /// What became of it.
    fn end(&mut self, nth: usize, audit: &mut Audit, answers: &mut Answers) -> &'static str {
        let done = self.stories.done(nth);
        // A word on the button itself is the whole answer.
        if let Deed::Pressed { callback, .. } = &done.deed
            && self.stories.record.replies.get(callback).is_some_and(|reply| reply.says)
        {
            return "answered";
        }
        if self.is_refused_with_its_album(nth, answers) {
            self.silent.push(nth);
            return "refused";
        }
        if let Some(found) = self.due(&done.deed).and_then(|due| self.take(nth, &due)) {
            answers.insert(nth, found);
            match self.stories.got(found).gist {
                Gist::Notice(Saying::NotSent) => return "refused",
                _ if !is_talk(&done.deed) => return "answered",
                // He is said to be alone: then he must have been.
                _ if self.chat_was_over(nth) => return "chat_over",
                _ => {}
            }
        }
        if self.due(&done.deed).is_none() {
            return "no_answer_due";
        }
        if self.told_to_slow_down(nth) {
            return "refused_by_rate";
        }
        if self.has_gone(done.queued_at) {
            return "undeliverable";
        }
        let settled = match self.stories.settled_at(nth) {
            Some(_) => "acknowledged",
            None if self.stories.known_at(nth).is_some() => "delivered, not acknowledged",
            None => "never delivered",
        };
        audit.find(Check::Lost, done.queued_at, self.story.user, || {
            format!("nothing came of {} ({settled})", name(&done.deed))
        });
        "lost"
    }

    /// What must follow; nothing if nothing must.
    fn due(&self, deed: &Deed) -> Option<Due> {
        match deed {
            Deed::Command(word) => match &**word {
                "start" | "menu" => words(greets),
                "find" => words(finds),
                "next" => words(nexts),
                "stop" => words(stops),
                "block" => words(|s| is_over(s) || matches!(s, Saying::BlockedSelf | Saying::Menu)),
                "report" => words(|s| is_over(s) || matches!(s, Saying::ReportedSelf | Saying::Menu)),
                "lock" => words(locks),
                "vip" => words(vips),
                "refund" => words(|s| matches!(s, Saying::RefundAsked)),
                _ => words(|s| !s.ends_a_chat()),
            },
            // Told why not, or that there is nobody; handed on it was not, or this is not asked.
            Deed::Said | Deed::Shown => words(|s| matches!(s, Saying::NotSent) || tells_he_is_alone(s)),
            Deed::Number => words(|s| matches!(s, Saying::Ready | Saying::AgeWrong | Saying::Profile)),
            Deed::Pressed { label, .. } => match label {
                Some(Label::Language(_)) => words(|s| matches!(s, Saying::AskGender) || greets(s)),
                Some(Label::Gender(_)) => words(|s| matches!(s, Saying::AskAge | Saying::Profile)),
                Some(Label::Find) => words(finds),
                Some(Label::Cancel) => words(stops),
                Some(Label::Next) => words(nexts),
                Some(Label::Stop) => words(stops),
                Some(Label::Block) => words(|s| is_over(s) || matches!(s, Saying::BlockedSelf)),
                Some(Label::Report) => words(|s| is_over(s) || matches!(s, Saying::ReportedSelf)),
                Some(Label::Lock) => words(locks),
                Some(Label::Vip) => words(vips),
                Some(Label::LockFor { .. }) => words(|s| matches!(s, Saying::LockedSelf { .. }) || locks(s)),
                Some(Label::Credits { .. } | Label::Days { .. }) => {
                    Some(Due { fits: |s| matches!(s, Saying::VipNotNow), invoice: true })
                }
                Some(Label::Other) | None => None,
            },
            Deed::Paid { .. } => words(pays),
            Deed::Refunded { .. } => words(|s| matches!(s, Saying::Refunded)),
            // The platform does not tell whether an edit or a sign was seen.
            Deed::Changed | Deed::Signed | Deed::Asks(_) | Deed::Blocked | Deed::Returned | Deed::Other => {
                None
            }
        }
    }

    /// Takes the first answer that is left.
    fn take(&mut self, nth: usize, due: &Due) -> Option<usize> {
        let album = albums::known_at(self.stories, self.story, nth);
        let known = album.or_else(|| self.stories.known_at(nth))?;
        let fits = |got: &&usize| {
            let message = self.stories.got(**got);
            let right = match message.gist {
                Gist::Notice(saying) => (due.fits)(saying),
                Gist::Invoice => due.invoice,
                _ => false,
            };
            right && message.at >= known && !self.taken.contains(*got)
        };
        // Who was shown the locks twice over a kill may press twice: neither press is answered by that second copy.
        // Elsewhere what looks like a copy may be an answer in the same words.
        let locks =
            matches!(self.stories.done(nth).deed, Deed::Pressed { label: Some(Label::LockFor { .. }), .. });
        let original = |got: &&usize| fits(got) && !(locks && self.story.copies.contains(*got));
        let mut got = self.story.got.iter();
        let found = *got.clone().find(original).or_else(|| got.find(fits))?;
        self.taken.insert(found);
        Some(found)
    }

    /// Of an album that is not handed on its sender may be told once, not of each part.
    fn is_refused_with_its_album(&self, nth: usize, answers: &Answers) -> bool {
        albums::was_refused(self.stories, self.story, nth, answers)
            && (albums::may_be_refused(self.stories, self.story, nth) || self.chat_was_over(nth))
    }

    fn told_to_slow_down(&self, nth: usize) -> bool {
        let Some(known) = self.stories.known_at(nth) else { return false };
        self.story.got.iter().map(|got| self.stories.got(*got)).any(|got| {
            got.gist == Gist::Notice(Saying::SlowDown) && got.at + SLOW >= known && got.at <= known + SLOW
        })
    }

    /// He had blocked the bot, or did so soon after.
    fn has_gone(&self, at: At) -> bool {
        let mut gone = false;
        for done in self.story.done.iter().map(|nth| self.stories.done(*nth)) {
            match done.deed {
                Deed::Blocked if done.queued_at >= at => return gone || done.queued_at <= at + GONE_WITHIN,
                Deed::Blocked => gone = true,
                Deed::Returned if done.queued_at <= at => gone = false,
                _ => {}
            }
        }
        gone
    }

    /// The chat in which he said it may have ended before the bot dealt with it.
    fn chat_was_over(&self, nth: usize) -> bool {
        let done = self.stories.done(nth);
        let Some(settled) = self.stories.settled_at(nth) else { return false };
        let Some(spell) = self.story.believed(done.queued_at) else { return true };
        let Some((ended, how)) = spell.end else { return false };
        if ended <= settled || how == End::Told(Saying::IdleEnd) {
            return true;
        }
        let Some((partner, theirs)) = self.stories.partner(spell.key, self.story.user) else {
            // Nobody was told of him: one who had just blocked the bot.
            return how == End::Told(Saying::PartnerGone);
        };
        let partner = self.stories.of.get(&partner);
        // Either may have left before he was told of the other: from when both were looking for somebody.
        let sought = |story: &Story, spell: &Spell| {
            self.stories.sought(story, spell).map(|nth| self.stories.done(nth).queued_at)
        };
        let their_spell = partner.and_then(|story| Some((story, story.spells.get(theirs)?)));
        let began_at = [Some((self.story, spell)), their_spell]
            .into_iter()
            .flatten()
            .filter_map(|(story, spell)| sought(story, spell))
            .min()
            .unwrap_or_else(|| self.stories.began_at(spell.key));
        let theirs = partner.map_or(&[][..], |story| &story.done);
        self.story.done.iter().chain(theirs).any(|other| {
            let cause = self.stories.done(*other);
            parts(&cause.deed)
                && (began_at..=ended).contains(&cause.queued_at)
                && self.stories.known_at(*other).is_some_and(|known| known <= settled)
        })
    }

    fn acknowledged(&self, nth: usize, audit: &mut Audit) {
        if self.stories.trip(nth).is_some_and(|trip| trip.acknowledged_at.is_none()) {
            let done = self.stories.done(nth);
            audit.find(Check::Unacknowledged, done.queued_at, self.story.user, || {
                format!("no 2xx for {}", name(&done.deed))
            });
        }
    }

    /// A press must be answered, and the question before a payment in time.
    fn pressed_or_asked(&self, nth: usize, audit: &mut Audit) {
        let done = self.stories.done(nth);
        let (id, from, within, check) = match &done.deed {
            Deed::Pressed { callback, .. } => {
                let from = self.stories.known_at(nth).unwrap_or(done.queued_at);
                (callback, from, self.rules.press_within, Check::SilentButton)
            }
            Deed::Asks(query) => (query, done.queued_at, CHECKOUT, Check::LateCheckout),
            _ => return,
        };
        let answered = self.stories.record.replies.get(id).map(|reply| reply.at);
        let killed = self.stories.log.processes.iter().any(|(at, up)| {
            !up && (from..=from + within).contains(at) && answered.is_some_and(|at| at <= from + within * 2)
        });
        if answered.is_none_or(|at| at > from + within) && !killed {
            audit.find(check, done.queued_at, self.story.user, || {
                let when = answered.map_or("never".to_owned(), |at| {
                    format!("after {} ms", at.saturating_sub(from).as_millis())
                });
                format!("{} was answered {when}", name(&done.deed))
            });
        }
    }

    /// He may be told of each part of an album as well. Of each part once.
    fn speaks_of_a_silent_part(&mut self, at: At) -> bool {
        let known = |nth: &usize| self.stories.known_at(*nth).is_some_and(|known| known <= at);
        let part = self.silent.iter().position(known);
        part.map(|part| self.silent.swap_remove(part)).is_some()
    }

    /// What must have a reason, and has none left. Of each wording a kill excuses as many as it has copies: which of
    /// them was the copy cannot be told.
    fn judge_the_rest(&mut self, audit: &mut Audit) {
        let mut excused: HashMap<Saying, usize> = HashMap::new();
        for copy in &self.story.copies {
            if let Gist::Notice(saying) = self.stories.got(*copy).gist {
                *excused.entry(saying).or_default() += 1;
            }
        }
        for &nth in &self.story.got {
            let got = self.stories.got(nth);
            let Gist::Notice(saying) = got.gist else { continue };
            if !needs_a_reason(saying) || self.taken.contains(&nth) {
                continue;
            }
            if let Some(left) = excused.get_mut(&saying).filter(|left| **left > 0) {
                *left -= 1;
                continue;
            }
            if saying == Saying::NotSent && self.speaks_of_a_silent_part(got.at) {
                continue;
            }
            let money = pays(saying) || saying == Saying::Refunded;
            let check = if money { Check::Money } else { Check::Repeated };
            audit.find(check, got.at, self.story.user, || format!("{saying:?}, and nothing left for it"));
        }
    }
}

/// Said once for each time that a user causes it.
fn needs_a_reason(saying: Saying) -> bool {
    matches!(
        saying,
        Saying::LeftSelf
            | Saying::LeftNext
            | Saying::BlockedSelf
            | Saying::ReportedSelf
            | Saying::Ready
            | Saying::NotSent
            | Saying::LockedSelf { .. }
            | Saying::Refunded
    ) || pays(saying)
}

fn greets(saying: Saying) -> bool {
    use Saying::{AskAge, AskGender, AskLanguage, ChattingAlready, Menu, Ready, SearchingAlready};
    matches!(saying, AskLanguage | AskGender | AskAge | Ready | Menu | SearchingAlready | ChattingAlready)
}

fn finds(saying: Saying) -> bool {
    use Saying::{ChattingAlready, Full, SearchSlow, Searching, SearchingAlready, ShutOut};
    matches!(saying, Searching | SearchingAlready | ChattingAlready | Full | ShutOut | SearchSlow)
        || greets(saying)
}

fn nexts(saying: Saying) -> bool {
    matches!(saying, Saying::LeftNext | Saying::Held { .. } | Saying::ChatOver) || finds(saying)
}

fn stops(saying: Saying) -> bool {
    use Saying::{Cancelled, Held, LeftSelf, Menu};
    is_over(saying) || matches!(saying, LeftSelf | Cancelled | Held { .. } | Menu)
}

/// He is in no chat, or not in the one that he meant.
fn is_over(saying: Saying) -> bool {
    matches!(saying, Saying::NotChatting | Saying::ChatOver)
}

fn locks(saying: Saying) -> bool {
    use Saying::{LockAsk, LockPoor};
    is_over(saying) || matches!(saying, LockAsk { .. } | LockPoor { .. })
}

fn vips(saying: Saying) -> bool {
    use Saying::{Help, VipNotNow, VipOffer, VipOwn};
    matches!(saying, VipOffer | VipOwn { .. } | VipNotNow | Help)
}

fn pays(saying: Saying) -> bool {
    use Saying::{PaidCredits, PaidDays, PaidNothing};
    matches!(saying, PaidDays { .. } | PaidCredits { .. } | PaidNothing)
}

fn is_talk(deed: &Deed) -> bool {
    matches!(deed, Deed::Said | Deed::Shown)
}

/// What is said to one whose words found no partner any more.
fn tells_he_is_alone(saying: Saying) -> bool {
    matches!(saying, Saying::Menu | Saying::SearchingAlready | Saying::NotChatting)
}

/// A deed for people.
fn name(deed: &Deed) -> String {
    match deed {
        Deed::Command(word) => format!("/{word}"),
        Deed::Said => "a text for the partner".to_owned(),
        Deed::Shown => "a photo or the like for the partner".to_owned(),
        Deed::Number => "a number".to_owned(),
        Deed::Pressed { label: Some(label), .. } => format!("the button {label:?}"),
        Deed::Pressed { label: None, .. } => "a button that he was never shown".to_owned(),
        Deed::Asks(_) => "the question before a payment".to_owned(),
        Deed::Paid { .. } => "a payment".to_owned(),
        Deed::Refunded { .. } => "a refund".to_owned(),
        Deed::Changed => "an edit".to_owned(),
        Deed::Signed => "a sign".to_owned(),
        Deed::Blocked | Deed::Returned | Deed::Other => "an update".to_owned(),
    }
}
