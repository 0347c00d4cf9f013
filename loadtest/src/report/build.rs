//! From a judged log to figures.

use std::collections::HashSet;
use std::time::Duration;

use super::ideal::{self, PER_SECOND};
use super::series::{self, quantile_ms};
use super::{
    GENERATOR_LAG_MAX, Generator, Handoff, Lane, Latencies, Quantiles, Release, Report, ServerUse, Settings,
    Verdict, verdict,
};
use crate::auditor::{Answer, Asked, Audit, Check, Log, Rules};
use crate::profile::Profile;
use crate::telegram::{Latency, Reach};
use crate::wire::At;

/// A finished run: what it was to be, what crossed the wire, what the auditor said.
pub struct Run<'a> {
    /// The settings.
    pub profile: &'a Profile,
    /// The log, settled.
    pub log: &'a Log,
    /// The auditor's word on it.
    pub audit: &'a Audit,
    /// The server, as the operating system saw it.
    pub server: ServerUse,
    /// Something that made the run unfit to be judged, in words.
    pub unfit: Option<String>,
    /// A bug planted into the log.
    pub planted: Option<String>,
}

/// Makes the report.
pub fn build(run: Run<'_>) -> Report {
    let (profile, log, audit) = (run.profile, run.log, run.audit);
    let began = log.asked.iter().map(|asked| asked.planned_at).min().unwrap_or_default();
    let ended = log.sent.last().map_or(began, |sent| sent.decided_at);
    let from = profile.rush().map_or(began, |rush| began + rush);
    let drain_s = ended.saturating_sub(from).as_secs_f64();
    let lanes = lanes(profile, log);
    let (drained, fullest_lane) = drained(profile, log, from);
    let fullest = fullest_lane as f64;
    let updates = log.asked.len() as u64;
    let mut series = series::lines(log, audit, began);
    let latency_ms = latencies(profile, log, audit, &mut series);
    let steps = (series.sends.len(), series.step_s);
    let evening = super::evening::build(profile, (log, audit, &Rules::default()), began, steps);
    let mut server = run.server;
    server.cpu_s_per_1000_updates = server.cpu_s * 1e3 / f64::max(updates as f64, 1.0);
    let mut report = Report {
        verdict: Verdict::Pass,
        reasons: Vec::new(),
        profile: profile.kind.name().to_owned(),
        settings: settings(profile, run.planted),
        updates,
        sends: log.sent.len() as u64,
        drain_s,
        drain_over_bound: if fullest > 0.0 { drain_s / (fullest / PER_SECOND as f64) } else { 0.0 },
        fullest_lane,
        sends_per_s: drained as f64 / f64::max(drain_s, 1e-3),
        refused_429: audit.refused.own(),
        refused_429_by_scope: audit.refused,
        defiance: audit.defiance,
        lost: audit.count(Check::Lost),
        repeated: audit.count(Check::Repeated),
        repeated_excused: audit.count(Check::ExcusedRepeat),
        wrong_recipient: audit.count(Check::WrongRecipient),
        wrong_answer: audit.count(Check::WrongAnswer),
        handoff: profile.rush().map(|_| handoff(profile, log, audit, from)),
        silent_buttons: audit.count(Check::SilentButton),
        unacknowledged: audit.count(Check::Unacknowledged),
        early: audit.count(Check::Early),
        wrong_bot: audit.count(Check::WrongBot),
        order_violations: audit.count(Check::Disorder),
        limits_exceeded: audit.count(Check::LimitExceeded),
        notices: audit.notices,
        dispositions: audit.dispositions.clone(),
        latency_ms,
        release: release(log, audit),
        evening,
        server,
        generator: generator(log),
        lanes,
        checks: Vec::new(),
        findings: audit.findings.clone(),
        deliveries: sorted(&log.delivery_results),
        calls: sorted(&log.calls),
        rejected: sorted(&log.rejected),
        unreachable: log.unreachable,
        series,
    };
    verdict::judge(&mut report, profile, run.unfit);
    report
}

fn sorted(counts: &std::collections::HashMap<String, u64>) -> std::collections::BTreeMap<String, u64> {
    counts.iter().map(|(name, count)| (name.clone(), *count)).collect()
}

fn settings(profile: &Profile, planted: Option<String>) -> Settings {
    let reach = match profile.reach {
        Reach::All => "all".to_owned(),
        Reach::MainOnly => "main-only".to_owned(),
        Reach::Share(share) => format!("{share}"),
        Reach::Started => "started".to_owned(),
    };
    let latency = match profile.latency {
        Latency::None => "none".to_owned(),
        Latency::Constant(latency) => format!("{} ms", latency.as_millis()),
        Latency::LogNormal { median, sigma } => format!("lognormal:{}ms:{sigma}", median.as_millis()),
    };
    Settings {
        students: profile.students,
        compress: profile.compress,
        records: profile.records,
        tokens: profile.tokens,
        seed: profile.seed,
        reach,
        latency,
        adaptive: profile.adaptive,
        planted,
    }
}

fn lanes(profile: &Profile, log: &Log) -> Vec<Lane> {
    let mut lanes: Vec<Lane> = (0..profile.tokens).map(|lane| Lane { lane, ..Lane::default() }).collect();
    let users: HashSet<u64> = log.asked.iter().map(|asked| asked.user).collect();
    for user in users {
        if let Some(lane) = lanes.get_mut((user % profile.tokens.max(1) as u64) as usize) {
            lane.users += 1;
        }
    }
    for sent in &log.sent {
        if let Some(lane) = lanes.get_mut(sent.bot) {
            lane.sends += 1;
        }
    }
    for (_, bot, _) in &log.refusals {
        if let Some(lane) = lanes.get_mut(*bot) {
            lane.refused_429 += 1;
        }
    }
    lanes
}

/// Messages accepted since `from`: all, and those of the fullest lane.
fn drained(profile: &Profile, log: &Log, from: At) -> (u64, u64) {
    let mut lanes = vec![0; profile.tokens.max(1)];
    for sent in log.sent.iter().filter(|sent| sent.decided_at >= from) {
        if let Some(lane) = lanes.get_mut(sent.bot) {
            *lane += 1;
        }
    }
    (lanes.iter().sum(), lanes.into_iter().max().unwrap_or(0))
}

fn handoff(profile: &Profile, log: &Log, audit: &Audit, rush: At) -> Handoff {
    let own = |user: u64| (user % profile.tokens.max(1) as u64) as usize;
    let away = |asked: &&Asked| own(asked.user) != 0;
    let all: HashSet<u64> = log.asked.iter().filter(away).map(|asked| asked.user).collect();
    let came = |asked: &&Asked| asked.planned_at < rush && asked.bot == own(asked.user);
    let came: HashSet<u64> = log.asked.iter().filter(away).filter(came).map(|asked| asked.user).collect();
    let answers = || audit.answers.iter().filter(|answer| answer.planned_at >= rush);
    Handoff {
        left_behind: (all.len() - came.len()) as u64,
        handed_over: came.len() as u64,
        answers: answers().count() as u64,
        by_another_bot: answers().filter(|answer| answer.bot != own(answer.user)).count() as u64,
    }
}

fn latencies(profile: &Profile, log: &Log, audit: &Audit, series: &mut super::Series) -> Latencies {
    let mut to_200: Vec<Duration> = log
        .asked
        .iter()
        .filter_map(|asked| Some(log.trip(asked)?.acknowledged_at?.saturating_sub(asked.planned_at)))
        .collect();
    let mut to_send = Vec::with_capacity(audit.answers.len());
    let mut arrivals: Vec<Vec<At>> = vec![Vec::new(); profile.tokens.max(1)];
    for answer in audit.answers.iter().filter(|answer| answer.own) {
        // Before the hour nobody can be answered.
        let since = answer.planned_at.max(log.hour.unwrap_or_default());
        to_send.push(answer.accepted_at.saturating_sub(since));
        let lane = profile.home_lane(answer.user).unwrap_or(answer.bot);
        if let Some(lane) = arrivals.get_mut(lane) {
            lane.push(since);
        }
    }
    let mut ideal: Vec<Duration> = arrivals.into_iter().flat_map(ideal::latencies).collect();
    for durations in [&mut to_200, &mut to_send, &mut ideal] {
        durations.sort_unstable();
    }
    series.to_200 = series::curve(&to_200);
    series.to_send = series::curve(&to_send);
    series.ideal = series::curve(&ideal);
    Latencies {
        update_to_200: quantiles(&to_200),
        update_to_send: quantiles(&to_send),
        ideal_update_to_send: quantiles(&ideal),
    }
}

/// A gate may look at the clock so seldom. Who asks meanwhile is told that his question is kept, and stands last.
const GATE_OPENS: Duration = Duration::from_millis(500);

fn release(log: &Log, audit: &Audit) -> Option<Release> {
    let hour = log.hour?;
    let (held, live): (Vec<&Answer>, Vec<&Answer>) = audit
        .answers
        .iter()
        .filter(|answer| answer.own && answer.accepted_at >= hour)
        .partition(|answer| answer.planned_at < hour);
    let served = held.iter().map(|answer| answer.accepted_at).max().unwrap_or(hour);
    let meanwhile = live.iter().filter(|answer| (hour + GATE_OPENS..=served).contains(&answer.planned_at));
    let mut waits: Vec<Duration> =
        meanwhile.map(|answer| answer.accepted_at.saturating_sub(answer.planned_at)).collect();
    waits.sort_unstable();
    Some(Release {
        held: held.len() as u64,
        held_served_s: served.saturating_sub(hour).as_secs_f64(),
        live: quantiles(&waits),
    })
}

pub(super) fn quantiles(sorted: &[Duration]) -> Quantiles {
    let at = |share| quantile_ms(sorted, share).unwrap_or(0.0);
    Quantiles {
        count: sorted.len() as u64,
        p50: at(0.5),
        p90: at(0.9),
        p99: at(0.99),
        p999: at(0.999),
        max: at(1.0),
    }
}

fn generator(log: &Log) -> Generator {
    let lag = |asked: &Asked| asked.queued_at.saturating_sub(asked.planned_at);
    let mut lags: Vec<Duration> = log.asked.iter().map(lag).collect();
    lags.sort_unstable();
    let lag_p99_ms = quantile_ms(&lags, 0.99).unwrap_or(0.0);
    let lag_bound_ms = GENERATOR_LAG_MAX.as_secs_f64() * 1e3;
    Generator {
        lag_p99_ms,
        lag_max_ms: quantile_ms(&lags, 1.0).unwrap_or(0.0),
        lag_bound_ms,
        valid: lag_p99_ms <= lag_bound_ms,
    }
}
