//! Torture: the real server under load, killed again and again at the worst moments, and the auditor's ledger.
//!
//! What lives here: [`run`] and its [`Verdict`]. Segments and snapshots are made small by configuration, so
//! that rolls, snapshots and prunings happen all the time, and [`hammer`] aims kills at them and at recovery
//! itself. The load ([`plan`]) does not wait for the server. At the end the server is left alone until nothing is
//! owed, and the auditor says whether every update that was answered 200 had its effect, once.

mod hammer;
mod plan;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::mpsc::unbounded_channel;

use super::collect::Collector;
use super::drive::Drive;
use super::server::{Environment, ServerCommand};
use super::stage::{end_platform, import, invented_tokens, platform_config};
use super::{RehearsalError, rules};
use crate::auditor::{Audit, Check, Finding, audit};
use crate::dataset::Truth;
use crate::profile::{Kind, Profile};
use crate::telegram::{DeliveryRules, Emulator, EmulatorConfig};
use hammer::Hammer;

pub use hammer::Moment;

/// Pupils in the data set: enough that questions differ.
const RECORDS: usize = 2_000;

/// Updates a second. Small, because after each restart the first second must not send anything.
const UPDATES_PER_S: f64 = 80.0;

/// Size of segments, and of what makes a snapshot due, in KiB.
const SEGMENT_KB: u32 = 16;

/// From the last kill on, how long nothing may move before the rest counts as lost.
const PATIENCE: Duration = Duration::from_secs(15);

/// From so many kills on a run in which no end was provably durable fails: it could not have found a repeat.
const PROVING_KILLS: u32 = 10;

/// What to torture, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// SIGKILLs.
    pub kills: u32,
    /// Everything random but the machine's own timing follows from it.
    pub seed: u64,
    /// The server under test.
    pub server: ServerCommand,
    /// Where the server's log goes.
    pub folder: PathBuf,
    /// Nothing is shown while it runs.
    pub quiet: bool,
}

/// How it ended.
#[derive(Clone, Debug, Serialize)]
pub struct Verdict {
    /// Nothing that must not happen happened.
    pub pass: bool,
    /// The seed.
    pub seed: u64,
    /// Kills by the moment they were aimed at.
    pub kills: BTreeMap<&'static str, u64>,
    /// Updates that users caused.
    pub updates: u64,
    /// Of them answered 200.
    pub acknowledged: u64,
    /// Messages that were accepted.
    pub sends: u64,
    /// Answered 200, and without effect.
    pub lost: u64,
    /// The same answer again within one process, or over a kill by which its end was surely durable.
    pub repeated: u64,
    /// The same answer again over a kill that may have taken its end.
    pub repeated_excused: u64,
    /// Messages of processes that were killed.
    pub before_kills: u64,
    /// Of them those that must not be repeated, by what crossed the wire: without any, no repeat could be found.
    pub proven: u64,
    /// How long before its kill the oldest of these first copies was answered, in milliseconds.
    pub widest_excuse_ms: f64,
    /// Answers before those of earlier questions.
    pub order_violations: u64,
    /// Wrong recipients, bots and answers.
    pub wrong: u64,
    /// 429s: told, not judged. The next process starts at once here, and what the killed one still had on the wire
    /// is counted by the platform after that.
    pub refused_429: u64,
    /// From the start of the process to `/readyz` 200, of the lives that got so far, in milliseconds.
    pub ready_ms: Quantiles,
    /// Snapshots and segments that the log of the server tells of.
    pub snapshots: u64,
    /// Torn tails that were cut.
    pub cuts: u64,
    /// Why the server ended by itself, if it did.
    pub died: Option<String>,
    /// The first findings of each check.
    pub findings: Vec<Finding>,
}

/// Quantiles of a few durations.
#[derive(Clone, Copy, Default, Debug, Serialize)]
pub struct Quantiles {
    /// The median.
    pub p50: f64,
    /// One of a hundred is longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

/// Tortures the server and judges what happened. Blocks until everything has stopped.
///
/// # Errors
/// It could not be held: see [`RehearsalError`].
pub fn run(options: &Options) -> Result<Verdict, RehearsalError> {
    let io = RehearsalError::io;
    let profile = Profile { records: RECORDS, seed: options.seed, ..Kind::Smoke.profile() };
    let truth = Truth::generate(profile.records, profile.seed);
    fs::create_dir_all(&options.folder).map_err(|e| io(&format!("make {}", options.folder.display()), e))?;
    let folder = options.folder.canonicalize().map_err(|e| io("resolve the output folder", e))?;
    let log = folder.join("server.log");
    fs::File::create(&log).map_err(|e| io("write the server's log", e))?;
    let data = tempfile::Builder::new().prefix("nobat-torture-").tempdir();
    let data = data.map_err(|e| io("make a data directory", e))?;
    let stop = Arc::new(AtomicBool::new(false));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop));

    let tokens = invented_tokens(profile.tokens, profile.seed);
    let (told, events) = unbounded_channel();
    let platform = Emulator::start(platform(&profile, &tokens), told.clone());
    let platform = Arc::new(platform.map_err(|e| io("start the emulated platform", e))?);
    let collector =
        Collector::start(events, None::<Vec<u8>>, None, None).map_err(|e| io("start a thread", e))?;
    let environment = Environment::new(&profile, &tokens, platform.addr(), data.path());
    let mut environment = environment.map_err(|e| io("find a free port", e))?;
    for name in ["NOBAT_JOURNAL_SEGMENT_KB", "NOBAT_JOURNAL_SNAPSHOT_EVERY_KB"] {
        environment.variables.push((name.to_owned(), SEGMENT_KB.to_string()));
    }
    import(&options.server, &environment, &truth, data.path(), false, &log)?;

    let length = hammer::expected_length(options.kills);
    let plan = plan::plan(&truth, options.seed, length, UPDATES_PER_S);
    let epoch = platform.now() + Duration::from_millis(500);
    let drive = Drive::start(Arc::clone(&platform), plan, epoch, Arc::clone(&stop));
    let drive = drive.map_err(|e| io("start a thread", e))?;
    let mut hammer = Hammer::new(options, environment, log.clone(), &platform, &told, &stop);
    let hammered = hammer.hammer();
    if hammered.is_ok() {
        drain(&platform, &drive, &collector, &truth, &profile, &stop);
    }
    let died = hammer.stop().or_else(|| hammered.err().map(|e| e.to_string()));
    let (kills, ready) = (hammer.kills(), hammer.ready());
    drop(hammer);
    stop.store(true, Ordering::Relaxed);
    end_platform(platform, drive);
    let finished = collector.finish();
    let audit = audit(&finished, &truth, &rules(&profile));
    let text = fs::read_to_string(&log).unwrap_or_default();
    let count = |what: &str| text.matches(what).count() as u64;
    let acknowledged = finished.trips.values().filter(|trip| trip.acknowledged_at.is_some()).count() as u64;
    let mut verdict = judge(&audit, died, options.seed, options.kills);
    verdict.kills = kills;
    verdict.updates = finished.asked.len() as u64;
    verdict.acknowledged = acknowledged;
    verdict.sends = finished.sent.len() as u64;
    verdict.ready_ms = ready;
    verdict.snapshots = count("snapshot made");
    verdict.cuts = count("torn tail");
    Ok(verdict)
}

fn judge(audit: &Audit, died: Option<String>, seed: u64, kills: u32) -> Verdict {
    let count = |check| audit.count(check);
    let wrong = count(Check::WrongRecipient) + count(Check::WrongBot) + count(Check::WrongAnswer);
    let (lost, repeated, order) = (count(Check::Lost), count(Check::Repeated), count(Check::Disorder));
    Verdict {
        pass: died.is_none()
            && lost + order + wrong + repeated == 0
            && (kills < PROVING_KILLS || audit.proven > 0),
        seed,
        kills: BTreeMap::new(),
        updates: 0,
        acknowledged: 0,
        sends: 0,
        lost,
        repeated,
        repeated_excused: count(Check::ExcusedRepeat),
        before_kills: audit.before_kills,
        proven: audit.proven,
        widest_excuse_ms: audit.widest_excuse.as_secs_f64() * 1e3,
        order_violations: order,
        wrong,
        refused_429: audit.refused.own(),
        ready_ms: Quantiles::default(),
        snapshots: 0,
        cuts: 0,
        died,
        findings: audit.findings.iter().filter(|f| f.check != Check::ExcusedRepeat).cloned().collect(),
    }
}

/// A platform that delivers a refused update again soon: with the real back-off of up to a minute, a server that
/// is killed each second would hardly meet any traffic.
fn platform(profile: &Profile, tokens: &[String]) -> EmulatorConfig {
    let ms = Duration::from_millis;
    let delivery = DeliveryRules {
        retry_unit: ms(10),
        retry_cap: ms(100),
        retry_after_max: ms(100),
        slow_after: Duration::from_secs(3600),
        connect_timeout: Duration::from_secs(2),
        ..DeliveryRules::default()
    };
    EmulatorConfig { delivery, ..platform_config(profile, tokens) }
}

/// Waits until nothing is owed, or nothing moves any more.
fn drain(
    platform: &Emulator,
    drive: &Drive,
    collector: &Collector,
    truth: &Truth,
    profile: &Profile,
    stop: &AtomicBool,
) {
    let rules = rules(profile);
    let mut moved = (Instant::now(), (0, 0));
    while !stop.load(Ordering::Relaxed) && moved.0.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(200));
        let totals = platform.totals();
        let progress = (totals.accepted, totals.pending);
        if progress != moved.1 || !drive.is_over() {
            moved = (Instant::now(), progress);
        } else if totals.pending == 0
            && collector.look(|log| audit(log, truth, &rules).count(Check::Lost) == 0)
        {
            return;
        }
    }
}

impl Verdict {
    /// For a terminal.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        let word = if self.pass { "PASS" } else { "FAIL" };
        let kills: u64 = self.kills.values().sum();
        let by: Vec<String> = self.kills.iter().map(|(moment, n)| format!("{n} {moment}")).collect();
        let _ = writeln!(out, "{word}  torture, {kills} kills ({}), seed {}\n", by.join(", "), self.seed);
        let Quantiles { p50, p99, max } = self.ready_ms;
        for (name, value) in [
            ("updates", self.updates.to_string()),
            ("answered 200", self.acknowledged.to_string()),
            ("messages accepted", self.sends.to_string()),
            ("snapshots made", self.snapshots.to_string()),
            ("torn tails cut", self.cuts.to_string()),
            ("start to ready", format!("p50 {p50:.0} ms, p99 {p99:.0} ms, max {max:.0} ms")),
            ("lost", self.lost.to_string()),
            (
                "repeated",
                format!(
                    "{} (of {} messages before kills {} were provably ended)",
                    self.repeated, self.before_kills, self.proven
                ),
            ),
            (
                "repeated, excused by a kill",
                format!(
                    "{} (the first copy at most {:.0} ms before it)",
                    self.repeated_excused, self.widest_excuse_ms
                ),
            ),
            ("order violations", self.order_violations.to_string()),
            ("wrong recipient, bot or answer", self.wrong.to_string()),
            ("refused with 429", self.refused_429.to_string()),
        ] {
            let _ = writeln!(out, "  {name:<38} {value}");
        }
        if let Some(died) = &self.died {
            let _ = writeln!(out, "\n  the server ended by itself: {died}");
        }
        for finding in &self.findings {
            let _ = writeln!(
                out,
                "  {:?} at {} ms, user {}: {}",
                finding.check, finding.at_ms, finding.user, finding.what
            );
        }
        out
    }
}
