//! The figures of an evening in the chat.

use std::time::Duration;

use serde::Serialize;

use super::build::quantiles;
use super::series;
use super::{Judged, Quantiles};
use crate::auditor::evening::figures;
use crate::auditor::{Audit, Check, Log, Rules};
use crate::profile::Profile;
use crate::wire::At;

/// An evening, as the report says it.
#[derive(Clone, Debug, Serialize)]
pub struct Evening {
    /// People whom the bot knows.
    pub users: u32,
    /// People who were to be there at once.
    pub chatting: u32,
    /// People who did anything.
    pub people: u64,
    /// Chats that both were told of.
    pub chats: u64,
    /// The most at one moment.
    pub chats_at_once: u64,
    /// The most people who were in chats at one moment.
    pub people_in_chats_at_once: u64,
    /// People who were in chats at the first kill.
    pub people_in_chats_at_kill: u64,
    /// New pairs a second, over the whole evening.
    pub pairs_per_s: f64,
    /// Texts that arrived at the partner.
    pub texts: u64,
    /// Photos and the like that did.
    pub media: u64,
    /// What was refused, and its sender told.
    pub not_sent: u64,
    /// Answers, edits and signs that hang on a message at the partner's.
    pub threads: u64,
    /// Payments.
    pub payments: u64,
    /// Payments that were given back.
    pub refunds: u64,
    /// Chats that were locked.
    pub locks: u64,
    /// Times that somebody was kept in one.
    pub held: u64,
    /// Pairs that were together at a kill and did not part by themselves at once.
    pub pairs_at_kills: u64,
    /// Of these, pairs in which a message arrived after it, at the same partner.
    pub pairs_heard_after: u64,
    /// From looking for a partner to having one, in milliseconds.
    pub time_to_match_ms: Quantiles,
    /// From saying something to its arrival, in milliseconds.
    pub relay_ms: Quantiles,
    /// Its mean.
    pub relay_mean_ms: f64,
    /// Where neither the bot nor the chat was at its limit.
    pub relay_unqueued_ms: Quantiles,
    /// Its mean.
    pub relay_unqueued_mean_ms: f64,
    /// Messages to one who is not the partner.
    pub wrong_partner: u64,
    /// Second partners.
    pub two_chats: u64,
    /// Chats that are not of two, of other two, or forgotten.
    pub pair_broken: u64,
    /// Wrong bookings.
    pub money: u64,
    /// Locks that did not hold.
    pub lock_ignored: u64,
    /// Questions before a payment not answered in time.
    pub late_checkout: u64,
    /// Answers, edits and signs on another message than was meant.
    pub wrong_thread: u64,
    /// For the plots: chats at the end of each step, arrivals a second, quantiles.
    pub series: EveningSeries,
}

/// Lines of an evening.
#[derive(Clone, Debug, Default, Serialize)]
pub struct EveningSeries {
    /// Messages that arrived, a second.
    pub relays: Vec<f64>,
    /// New pairs, a second.
    pub pairs: Vec<f64>,
    /// Quantiles: share, milliseconds.
    pub to_match: Vec<(f64, f64)>,
    /// The same of relays.
    pub relay: Vec<(f64, f64)>,
    /// The same of those that met no queue.
    pub unqueued: Vec<(f64, f64)>,
}

/// Makes the figures, if it was an evening. `steps` are the report's own: their number and length in seconds.
pub(super) fn build(
    profile: &Profile,
    (log, audit, rules): (&Log, &Audit, &Rules),
    began: At,
    steps: (usize, f64),
) -> Option<Evening> {
    let settings = profile.evening?;
    let found = figures(log, rules, audit)?;
    let length = settings.length.as_secs_f64().max(1e-3);
    let in_steps = |moments: &mut dyn Iterator<Item = At>, weight: f64| {
        let mut counts = vec![0.0; steps.0];
        for at in moments {
            if let Some(count) = counts.get_mut((at.saturating_sub(began).as_secs_f64() / steps.1) as usize) {
                *count += weight / steps.1;
            }
        }
        counts
    };
    let series = EveningSeries {
        relays: in_steps(&mut audit.answers.iter().map(|answer| answer.accepted_at), 1.0),
        // Each of the two is told of it.
        pairs: in_steps(&mut found.met_at.iter().copied(), 0.5),
        to_match: series::curve(&found.to_match),
        relay: series::curve(&found.relays),
        unqueued: series::curve(&found.unqueued),
    };
    let mean = |all: &[Duration]| {
        all.iter().map(Duration::as_secs_f64).sum::<f64>() * 1e3 / f64::max(all.len() as f64, 1.0)
    };
    Some(Evening {
        users: settings.users,
        chatting: settings.chatting,
        people: found.people,
        chats: found.chats,
        chats_at_once: found.chats_at_once,
        people_in_chats_at_once: found.people_at_once,
        people_in_chats_at_kill: found.people_at_kill,
        pairs_per_s: found.chats as f64 / length,
        texts: found.texts,
        media: found.media,
        not_sent: found.not_sent,
        threads: found.threads,
        payments: found.payments,
        refunds: found.refunds,
        locks: found.locks,
        held: found.held,
        pairs_at_kills: found.pairs_at_kills,
        pairs_heard_after: found.pairs_heard_after,
        time_to_match_ms: quantiles(&found.to_match),
        relay_ms: quantiles(&found.relays),
        relay_mean_ms: mean(&found.relays),
        relay_unqueued_ms: quantiles(&found.unqueued),
        relay_unqueued_mean_ms: mean(&found.unqueued),
        wrong_partner: audit.count(Check::WrongPartner),
        two_chats: audit.count(Check::TwoChats),
        pair_broken: audit.count(Check::PairBroken),
        money: audit.count(Check::Money),
        lock_ignored: audit.count(Check::LockIgnored),
        late_checkout: audit.count(Check::LateCheckout),
        wrong_thread: audit.count(Check::WrongThread),
        series,
    })
}

impl Evening {
    /// Its own counts, none of which may be more than nothing.
    pub fn counts(&self) -> [(&'static str, u64); 7] {
        [
            ("wrong_partner", self.wrong_partner),
            ("two_chats", self.two_chats),
            ("pair_broken", self.pair_broken),
            ("money", self.money),
            ("lock_ignored", self.lock_ignored),
            ("late_checkout", self.late_checkout),
            ("wrong_thread", self.wrong_thread),
        ]
    }

    /// The bars of its profile.
    pub(super) fn bars(&self, profile: &Profile, rss_mb: f64, checks: &mut Vec<Judged>) {
        let mut most = |name, value: f64, bar: Option<f64>| {
            if let Some(bar) = bar {
                checks.push(Judged { name, value, required: format!("<= {bar}"), pass: value <= bar });
            }
        };
        most("evening.relay_mean_ms", self.relay_mean_ms, profile.bars.relay_mean_ms);
        most("server.rss_peak_mb", rss_mb, profile.bars.rss_mb);
    }
}
