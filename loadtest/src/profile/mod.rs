//! Traffic shapes: how many students, when they come, what the platform does meanwhile.
//!
//! What lives here: [`Profile`], the settings of one rehearsal, and the [`Planned`] schedule made from it.
//! The schedule is fixed before the first update leaves (an open loop): a slow server cannot slow the
//! students down, and latency counts from the planned moment.

mod curve;
mod kinds;
mod schedule;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::student::evening::plan::Evening;
use crate::telegram::{Fault, Latency, Reach};
use crate::wire::{BotIx, What};

pub use kinds::{ADAPTIVE_STUDENTS, DEFAULT_COMPRESS, DEFAULT_STUDENTS, Kind};
pub use schedule::{length, schedule, scripts};

/// Students who press Start on the main bot, a second, before a handoff: less than its 30.
const STARTS_PER_S: f64 = 25.0;
/// By then the last of them has followed his link.
const FOLLOWED_WITHIN: Duration = Duration::from_secs(6);

/// Everything that shapes one rehearsal. Made by [`Kind::profile`], then changed by flags.
#[derive(Clone, Debug)]
pub struct Profile {
    /// Which profile it began as.
    pub kind: Kind,
    /// How many students write.
    pub students: u32,
    /// The hour is squeezed by this factor; 1 is real time.
    pub compress: f64,
    /// Pupils in the data set.
    pub records: usize,
    /// Tokens, the main bot included.
    pub tokens: usize,
    /// Everything random follows from it.
    pub seed: u64,
    /// Which bots may write to a student.
    pub reach: Reach,
    /// How long the platform takes for a call.
    pub latency: Latency,
    /// The server learns its rate, and the platform does not cap replies.
    pub adaptive: bool,
    /// User ids are drawn at random instead of evenly over the lanes.
    pub random_ids: bool,
    /// The server asks for its updates by long polling instead of listening for webhooks.
    pub polling: bool,
    /// Share of students who ask by name instead of by number, 0 to 1.
    pub by_name: f64,
    /// Results are released so long after the first moment of the schedule; none: before it.
    pub hour_after: Option<Duration>,
    /// The server is killed with SIGKILL and restarted this often.
    pub kill_every: Option<Duration>,
    /// Of an evening in the chat: who comes, and what they do.
    pub evening: Option<Evening>,
    /// What goes wrong on purpose, and when, in order of time.
    pub faults: Vec<(Duration, Fault)>,
    /// Bars beyond correctness that this profile is judged by.
    pub bars: Bars,
}

/// Bounds of a verdict that not every profile has.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bars {
    /// Largest `drain_over_bound` that passes.
    pub drain_over_bound: Option<f64>,
    /// p99 of update to send within 1.05 times that of the ideal scheduler, plus 1 s.
    pub ideal: bool,
    /// Largest p99 in seconds of update to send of those who write after the hour, while those are served who
    /// asked before it.
    pub live_p99_s: Option<f64>,
    /// Largest mean in milliseconds from a message in a chat to its arrival.
    pub relay_mean_ms: Option<f64>,
    /// Most memory of the server, in megabytes.
    pub rss_mb: Option<f64>,
    /// Least accepted sends a second over the drain.
    pub sends_per_s: Option<f64>,
}

/// One thing that one student will do.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// Since the start of the schedule.
    pub at: Duration,
    /// The bot written to.
    pub bot: BotIx,
    /// The student.
    pub user: u64,
    /// What the student does.
    pub what: What,
    /// The language of the student's app, as IETF tag.
    pub language_code: String,
}

impl Profile {
    /// With `handoff`, the moment at which all ask: until then they get their links and follow them. The
    /// drain counts from here.
    pub fn rush(&self) -> Option<Duration> {
        let eve = Duration::from_secs_f64(f64::from(self.students) / STARTS_PER_S) + FOLLOWED_WITHIN;
        (self.kind == Kind::Handoff).then_some(eve)
    }

    /// The lane that owes this user an answer, if every bot that matters reaches everyone alike.
    pub fn home_lane(&self, user: u64) -> Option<BotIx> {
        match self.reach {
            _ if self.kind == Kind::Handoff => None,
            Reach::All => Some((user % self.tokens.max(1) as u64) as BotIx),
            Reach::MainOnly => Some(0),
            Reach::Share(_) | Reach::Started => None,
        }
    }

    /// The hour after compression.
    pub fn hour(&self) -> Duration {
        Duration::from_secs(3600).div_f64(self.compress.max(0.001))
    }
}

impl std::str::FromStr for Reach {
    type Err = String;

    /// `all`, `main-only`, or a share such as `0.4`.
    fn from_str(text: &str) -> Result<Reach, String> {
        match text {
            "all" => Ok(Reach::All),
            "main-only" => Ok(Reach::MainOnly),
            share => match share.parse::<f64>() {
                Ok(share) if (0.0..=1.0).contains(&share) => Ok(Reach::Share(share)),
                _ => Err(format!("`{share}` is no reach: write all, main-only or a share from 0 to 1")),
            },
        }
    }
}

impl std::str::FromStr for Latency {
    type Err = String;

    /// `none`, or `lognormal:60ms:0.5` (median and sigma).
    fn from_str(text: &str) -> Result<Latency, String> {
        let help = || format!("`{text}` is no latency: write none or lognormal:60ms:0.5 (median, sigma)");
        if text == "none" {
            return Ok(Latency::None);
        }
        let rest = text.strip_prefix("lognormal:").ok_or_else(help)?;
        let (median, sigma) = rest.split_once(':').unwrap_or((rest, "0.5"));
        let median = parse_duration(median).map_err(|_| help())?;
        match sigma.parse::<f64>() {
            Ok(sigma) if (0.0..=3.0).contains(&sigma) => Ok(Latency::LogNormal { median, sigma }),
            _ => Err(help()),
        }
    }
}

/// `250ms`, `2s`, `1.5s`, `3m`; a bare number is seconds.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (number, scale) = if let Some(number) = text.strip_suffix("ms") {
        (number, 0.001)
    } else if let Some(number) = text.strip_suffix('s') {
        (number, 1.0)
    } else if let Some(number) = text.strip_suffix('m') {
        (number, 60.0)
    } else {
        (text, 1.0)
    };
    match number.parse::<f64>() {
        Ok(value) if value >= 0.0 && value * scale <= 1e7 => Ok(Duration::from_secs_f64(value * scale)),
        _ => Err(format!("`{text}` is no duration: write for example 250ms, 2s or 3m")),
    }
}
