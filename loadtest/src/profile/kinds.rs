//! The profiles by name, and what each is made of.

use std::time::Duration;

use super::{Bars, Profile};
use crate::student::evening::plan::Evening;
use crate::telegram::{Fault, FaultKind, Latency, Reach};

/// A profile by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Kind {
    /// 50,000 students within an hour, about 3 messages each, steep first minutes.
    ResultsDay,
    /// 25,500 replies owed at once over 17 tokens.
    #[value(name = "burst-510")]
    Burst510,
    /// 1,500 replies owed at once: 300 chats, 5 each, one token.
    BurstChats,
    /// A few seconds of everything, for CI.
    Smoke,
    /// 3,000 students who have started the main bot alone.
    ReachMainOnly,
    /// Students who know the main bot alone follow the links to their own bots, then all ask at once.
    Handoff,
    /// 6,000 asked before the hour and are served at it, while 1,500 more write.
    Release,
    /// Three tokens revoked and one slow in mid-run.
    Faults,
    /// Strangers talk: they come, find partners, talk, send photos, pay, lock, leave, block, come back.
    ChatEvening,
    /// A recorded log; not a choice on the command line.
    #[value(skip)]
    Replay,
}

/// The day without arguments: as many students as meet the same load relative to 510 messages a second
/// as 50,000 would in an hour compressed 10 times, but over within three minutes.
pub const DEFAULT_COMPRESS: f64 = 30.0;
/// Students of the day without arguments: 50,000 x 10 / 30.
pub const DEFAULT_STUDENTS: u32 = 16_700;
/// Students of `reach-main-only` with `--adaptive`.
pub const ADAPTIVE_STUDENTS: u32 = 12_000;

/// An evening must last so long for its mean to be judged.
const MEAN_OVER: Duration = Duration::from_secs(60);

impl Kind {
    /// Its name as written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Kind::ResultsDay => "results-day",
            Kind::Burst510 => "burst-510",
            Kind::BurstChats => "burst-chats",
            Kind::Smoke => "smoke",
            Kind::ReachMainOnly => "reach-main-only",
            Kind::Handoff => "handoff",
            Kind::Release => "release",
            Kind::Faults => "faults",
            Kind::ChatEvening => "chat-evening",
            Kind::Replay => "replay",
        }
    }

    /// The profile with its own defaults.
    pub fn profile(self) -> Profile {
        let base = Profile {
            kind: self,
            students: 50_000,
            compress: 1.0,
            records: 100_000,
            tokens: 17,
            seed: 1,
            reach: Reach::All,
            latency: Latency::None,
            adaptive: false,
            random_ids: true,
            polling: false,
            by_name: 0.0,
            hour_after: None,
            kill_every: None,
            evening: None,
            faults: Vec::new(),
            bars: Bars::default(),
        };
        match self {
            Kind::ResultsDay => Profile { bars: Bars { ideal: true, ..Bars::default() }, ..base },
            Kind::Burst510 => Profile {
                students: 25_500,
                random_ids: false,
                bars: Bars { drain_over_bound: Some(1.01), ..Bars::default() },
                ..base
            },
            Kind::BurstChats => Profile {
                students: 300,
                tokens: 1,
                bars: Bars { drain_over_bound: Some(1.02), ..Bars::default() },
                ..base
            },
            Kind::Smoke => Profile { students: 150, compress: 600.0, records: 3_000, ..base },
            Kind::ReachMainOnly => Profile {
                students: 3_000,
                reach: Reach::MainOnly,
                bars: Bars { drain_over_bound: Some(1.01), ..Bars::default() },
                ..base
            },
            Kind::Handoff => Profile {
                students: 1_020,
                reach: Reach::MainOnly,
                random_ids: false,
                bars: Bars { drain_over_bound: Some(1.02), ..Bars::default() },
                ..base
            },
            Kind::Release => Profile {
                students: 7_500,
                records: 50_000,
                hour_after: Some(Duration::from_secs(20)),
                bars: Bars { live_p99_s: Some(2.0), ..Bars::default() },
                ..base
            },
            Kind::Faults => Profile {
                students: 6_000,
                compress: 60.0,
                faults: vec![
                    (Duration::from_secs(15), Fault::new(FaultKind::Revoked).bot(3)),
                    (Duration::from_secs(18), Fault::new(FaultKind::Revoked).bot(8)),
                    (Duration::from_secs(21), Fault::new(FaultKind::Revoked).bot(16)),
                    (Duration::from_secs(24), Fault::new(FaultKind::Slow { extra_ms: 3000 }).bot(5)),
                ],
                ..base
            },
            Kind::ChatEvening => Profile {
                students: 5_000,
                records: 1,
                evening: Some(Evening::new(5_000, 1_000, Duration::from_secs(100), base.tokens, base.seed)),
                bars: Bars { relay_mean_ms: Some(100.0), rss_mb: Some(78.0), ..Bars::default() },
                ..base
            },
            Kind::Replay => base,
        }
    }

    /// Whether the questions come at one moment.
    pub fn is_burst(self) -> bool {
        matches!(self, Kind::Burst510 | Kind::BurstChats | Kind::ReachMainOnly | Kind::Handoff)
    }
}

impl Profile {
    /// Bars follow from the other settings where those change what is possible: with 60 ms of platform
    /// latency an ideal slot pacer needs 1.060 to 1.064 of the bound, and a platform that does not cap
    /// replies has no bound at all. A server that is `killed` in between has none either.
    pub fn settle_bars(&mut self, killed: bool) {
        if let (true, Some(bar)) = (self.latency != Latency::None, &mut self.bars.drain_over_bound) {
            *bar = bar.max(1.075);
        }
        if self.adaptive {
            self.bars = Bars { sends_per_s: self.kind.is_burst().then_some(510.0), ..Bars::default() };
        }
        // In so short an evening one kill, or one busy moment, is the whole mean.
        if self.evening.is_some_and(|evening| evening.length < MEAN_OVER) {
            self.bars.relay_mean_ms = None;
        }
        if self.evening.is_none() && (killed || self.kill_every.is_some()) {
            self.bars = Bars::default();
        }
    }
}
