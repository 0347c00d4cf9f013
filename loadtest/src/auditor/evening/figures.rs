//! Figures of an evening: how soon people meet, how fast what they say arrives, what a kill left of their chats.

use std::collections::HashMap;
use std::time::Duration;

use super::record::{Deed, Gist, Goods};
use super::story::{Stories, parts};
use crate::auditor::{Audit, Log, Rules};
use crate::student::evening::reading::Saying;
use crate::wire::{At, BotIx};

/// What the report says of an evening, before it is put into milliseconds.
#[derive(Debug, Default)]
pub struct Figures {
    /// From the moment somebody meant to look for a partner to the word that there is one; ascending.
    pub to_match: Vec<Duration>,
    /// From the moment somebody meant to say something to its arrival; ascending.
    pub relays: Vec<Duration>,
    /// Those of them that met no queue: neither the bot nor the chat was at its limit.
    pub unqueued: Vec<Duration>,
    /// Texts that arrived.
    pub texts: u64,
    /// Everything else that arrived.
    pub media: u64,
    /// Chats that both were told of.
    pub chats: u64,
    /// The most at once.
    pub chats_at_once: u64,
    /// The most people who were in chats at one moment.
    pub people_at_once: u64,
    /// People who were in chats at the first kill.
    pub people_at_kill: u64,
    /// Everybody's first chats, in the order of time: when each of the chats began.
    pub met_at: Vec<At>,
    /// Pairs that were together at a kill, summed over the kills.
    pub pairs_at_kills: u64,
    /// Of these, pairs whose next message after it arrived at the same partner.
    pub pairs_heard_after: u64,
    /// Answers, edits and signs that hang on a message.
    pub threads: u64,
    /// Payments that were booked, and their credits and days.
    pub payments: u64,
    /// Payments that were given back.
    pub refunds: u64,
    /// Chats that were locked.
    pub locks: u64,
    /// Times that somebody was kept.
    pub held: u64,
    /// What was refused and its sender told.
    pub not_sent: u64,
    /// People who did anything.
    pub people: u64,
}

/// Makes them.
pub fn figures(log: &Log, rules: &Rules, audit: &Audit) -> Option<Figures> {
    let record = log.evening.as_deref()?;
    let stories = Stories::of(log, record, rules);
    let mut figures = Figures { people: stories.of.len() as u64, ..Figures::default() };
    let mut edges: Vec<(At, i64)> = Vec::new();
    for story in stories.of.values() {
        for spell in &story.spells {
            edges.push((spell.met_at, 1));
            edges.extend(spell.end.map(|(at, _)| (at, -1)));
            if let Some(sought) = stories.sought(story, spell) {
                figures.to_match.push(spell.met_at.saturating_sub(stories.done(sought).planned_at));
            }
        }
    }
    // A user's own half of a chat: two of them are one chat.
    edges.sort_unstable();
    let kill = log.processes.iter().find(|(_, up)| !up).map(|(at, _)| *at);
    let mut there = 0i64;
    for (at, step) in edges {
        there += step;
        let people = u64::try_from(there).unwrap_or(0);
        figures.people_at_once = figures.people_at_once.max(people);
        figures.chats_at_once = figures.people_at_once / 2;
        if kill.is_some_and(|kill| at <= kill) {
            figures.people_at_kill = people;
        }
        if step > 0 {
            figures.met_at.push(at);
        }
    }
    figures.chats = stories.chats.values().filter(|members| members.len() >= 2).count() as u64;
    count(&stories, &mut figures);
    kills(&stories, &mut figures);
    latencies(&stories, rules, audit, &mut figures);
    Some(figures)
}

fn count(stories: &Stories<'_>, figures: &mut Figures) {
    for got in &stories.record.got {
        match got.gist {
            Gist::From(done) if stories.done(done).deed == Deed::Said => figures.texts += 1,
            Gist::From(_) => figures.media += 1,
            Gist::Notice(Saying::LockedSelf { .. }) => figures.locks += 1,
            Gist::Notice(Saying::Held { .. }) => figures.held += 1,
            Gist::Notice(Saying::NotSent) => figures.not_sent += 1,
            Gist::Notice(Saying::Refunded) => figures.refunds += 1,
            _ => {}
        }
    }
    let paid =
        |deed: &Deed| matches!(deed, Deed::Paid { goods: Some(Goods::Days(_) | Goods::Credits(_)), .. });
    figures.threads = stories.record.threads.iter().filter(|thread| thread.target != 0).count() as u64;
    figures.payments = stories.record.done.iter().filter(|done| paid(&done.deed)).count() as u64;
}

/// Who was together at a kill, and whom of them a message reached after it.
fn kills(stories: &Stories<'_>, figures: &mut Figures) {
    let kills: Vec<At> = stories.log.processes.iter().filter(|(_, up)| !up).map(|(at, _)| *at).collect();
    if kills.is_empty() {
        return;
    }
    // Per chat, the moments at which a message of it arrived.
    let mut heard: HashMap<u64, Vec<At>> = HashMap::new();
    for story in stories.of.values() {
        for (&nth, during) in story.got.iter().zip(&story.during) {
            let got = stories.got(nth);
            if let (Gist::From(_), Some(spell)) = (got.gist, during) {
                heard.entry(story.spells[*spell].key).or_default().push(got.at);
            }
        }
    }
    for (key, members) in &stories.chats {
        let [(one, first), (other, second), ..] = members.as_slice() else { continue };
        let halves = [(one, first), (other, second)].map(|(user, nth)| {
            let story = stories.of.get(user);
            story.map(|story| (story, story.spells[*nth]))
        });
        let [Some(one), Some(other)] = halves else { continue };
        let from = one.1.met_at.max(other.1.met_at);
        // From the first that somebody did to leave: whatever was said later need not arrive.
        let cause = [one, other]
            .into_iter()
            .flat_map(|(story, _)| story.done.iter())
            .map(|nth| stories.done(*nth))
            .filter(|done| parts(&done.deed) && done.queued_at >= from)
            .map(|done| done.queued_at)
            .min();
        for kill in kills.iter().filter(|kill| from <= **kill && cause.is_none_or(|at| at > **kill)) {
            figures.pairs_at_kills += 1;
            let after = heard.get(key).is_some_and(|heard| heard.iter().any(|at| at > kill));
            figures.pairs_heard_after += u64::from(after);
        }
    }
}

/// How fast what was said arrived, in all and where nothing stood in its way.
fn latencies(stories: &Stories<'_>, rules: &Rules, audit: &Audit, figures: &mut Figures) {
    let mut lanes: HashMap<BotIx, Vec<At>> = HashMap::new();
    let mut chats: HashMap<(BotIx, u64), Vec<At>> = HashMap::new();
    for got in &stories.record.got {
        lanes.entry(got.bot).or_default().push(got.at);
        chats.entry((got.bot, got.user)).or_default().push(got.at);
    }
    let second = Duration::from_secs(1);
    let within = |moments: Option<&Vec<At>>, from: At, to: At| {
        moments.map_or(0, |all| all.partition_point(|at| *at <= to) - all.partition_point(|at| *at < from))
    };
    let limit = rules.per_token_s.unwrap_or(usize::MAX);
    let relayed = stories.record.got.iter().filter_map(|got| match got.gist {
        Gist::From(done) => Some((stories.done(done), got)),
        _ => None,
    });
    for (done, got) in relayed {
        let took = got.at.saturating_sub(done.planned_at);
        figures.relays.push(took);
        let from = done.planned_at.saturating_sub(second);
        let lane = within(lanes.get(&got.bot), from, got.at);
        // One a second after three at once: two within the last two seconds leave room for a third.
        let chat = within(chats.get(&(got.bot, got.user)), from.saturating_sub(second), got.at);
        if lane <= limit && chat <= 2 {
            figures.unqueued.push(took);
        }
    }
    debug_assert!(audit.answers.len() <= figures.relays.len());
    for durations in [&mut figures.to_match, &mut figures.relays, &mut figures.unqueued] {
        durations.sort_unstable();
    }
}
