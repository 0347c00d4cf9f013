//! The hand with the hammer: lives of the server, each ended by SIGKILL at a moment that was aimed at.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;

use super::super::RehearsalError;
use super::super::server::{Environment, Server, ServerCommand};
use super::{Options, Quantiles};
use crate::telegram::Emulator;
use crate::wire::Wire;

/// How often the data directory is looked at for the moment that is waited for.
const LOOK: Duration = Duration::from_micros(200);

/// A moment that does not come within this is not waited for any longer.
const AIM_MAX: Duration = Duration::from_millis(2_200);

/// Mean length of a life, for the length of the load.
const LIFE_MEAN: Duration = Duration::from_millis(1_100);

/// What a kill is aimed at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Any, from readiness to 2.4 s after the start.
    Anytime,
    /// While the process starts and reads what the one before left.
    Recovery,
    /// While a snapshot is written or the segments that it covers are removed.
    Snapshot,
    /// While a segment is prepared, named or retired.
    Roll,
}

impl Moment {
    fn draw(rng: &mut fastrand::Rng) -> Moment {
        match rng.u8(..20) {
            0..8 => Moment::Anytime,
            8..13 => Moment::Recovery,
            13..17 => Moment::Snapshot,
            _ => Moment::Roll,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Moment::Anytime => "anytime",
            Moment::Recovery => "in recovery",
            Moment::Snapshot => "in a snapshot",
            Moment::Roll => "in a segment roll",
        }
    }
}

/// How long a torture of so many kills takes, about.
pub(super) fn expected_length(kills: u32) -> Duration {
    LIFE_MEAN * kills
}

/// The lives of one server.
pub(super) struct Hammer<'a> {
    options: &'a Options,
    command: &'a ServerCommand,
    environment: Environment,
    log: PathBuf,
    platform: &'a Emulator,
    told: &'a UnboundedSender<Wire>,
    stop: &'a AtomicBool,
    rng: fastrand::Rng,
    server: Option<Server>,
    kills: BTreeMap<&'static str, u64>,
    ready: Vec<f64>,
}

impl<'a> Hammer<'a> {
    pub(super) fn new(
        options: &'a Options,
        environment: Environment,
        log: PathBuf,
        platform: &'a Emulator,
        told: &'a UnboundedSender<Wire>,
        stop: &'a AtomicBool,
    ) -> Self {
        let rng = fastrand::Rng::with_seed(options.seed);
        let (kills, ready) = (BTreeMap::new(), Vec::new());
        let command = &options.server;
        Self { options, command, environment, log, platform, told, stop, rng, server: None, kills, ready }
    }

    /// All kills, then one more start, which is left alone.
    pub(super) fn hammer(&mut self) -> Result<(), RehearsalError> {
        // The first life registers its webhooks in peace: without one nothing is ever delivered.
        self.start()?;
        self.wait_ready()?;
        for nth in 1..=self.options.kills {
            if self.stop.load(Ordering::Relaxed) {
                return Err(RehearsalError::Interrupted);
            }
            self.end_life()?;
            self.start()?;
            if !self.options.quiet && nth % 50 == 0 {
                eprintln!("{nth} of {} kills", self.options.kills);
            }
        }
        self.wait_ready()
    }

    /// Kills by aimed moment.
    pub(super) fn kills(&self) -> BTreeMap<&'static str, u64> {
        self.kills.clone()
    }

    /// How long starts took.
    pub(super) fn ready(&self) -> Quantiles {
        let mut ready = self.ready.clone();
        ready.sort_by(f64::total_cmp);
        let at = |q: f64| {
            let last = ready.len().saturating_sub(1);
            ready.get((last as f64 * q).round() as usize).copied().unwrap_or_default()
        };
        Quantiles { p50: at(0.5), p99: at(0.99), max: at(1.0) }
    }

    /// SIGTERM for the last life. Why it did not end well, if it did not.
    pub(super) fn stop(&mut self) -> Option<String> {
        let (_, word) = self.server.take()?.stop();
        (word != "graceful").then_some(word)
    }

    fn start(&mut self) -> Result<(), RehearsalError> {
        self.server = Some(Server::start(self.command, &self.environment, &self.log)?);
        self.tell(true);
        Ok(())
    }

    fn wait_ready(&mut self) -> Result<(), RehearsalError> {
        let Some(server) = &mut self.server else { return Ok(()) };
        let registered = || self.platform.webhook_ready(0);
        let took = server.wait_ready(&|| self.stop.load(Ordering::Relaxed), &registered)?;
        self.ready.push(took.as_secs_f64() * 1e3);
        Ok(())
    }

    /// Lets the server live until the moment that is aimed at, and kills it.
    fn end_life(&mut self) -> Result<(), RehearsalError> {
        let moment = Moment::draw(&mut self.rng);
        match moment {
            Moment::Recovery => std::thread::sleep(Duration::from_micros(self.rng.u64(0..60_000))),
            Moment::Anytime => {
                self.wait_ready()?;
                std::thread::sleep(Duration::from_micros(self.rng.u64(0..2_300_000)));
            }
            Moment::Snapshot => self.wait_for_change(&["snapshot-"])?,
            Moment::Roll => self.wait_for_change(&["journal-", "spare-"])?,
        }
        let Some(mut server) = self.server.take() else { return Ok(()) };
        if let Some(status) = server.exited() {
            return Err(RehearsalError::ServerDied { status, tail: server.log_tail() });
        }
        server.strike();
        self.tell(false);
        server.kill();
        *self.kills.entry(moment.name()).or_insert(0) += 1;
        Ok(())
    }

    /// Waits until a file of these prefixes comes, goes or changes its name, and then a little.
    fn wait_for_change(&mut self, prefixes: &[&str]) -> Result<(), RehearsalError> {
        // Not what each start changes.
        self.wait_ready()?;
        let (since, before) = (Instant::now(), names(&self.environment.data, prefixes));
        while since.elapsed() < AIM_MAX && names(&self.environment.data, prefixes) == before {
            std::thread::sleep(LOOK);
        }
        std::thread::sleep(Duration::from_micros(self.rng.u64(0..3_000)));
        Ok(())
    }

    fn tell(&self, up: bool) {
        // The collector outlives the hammer.
        let _ = self.told.send(Wire::Process { at: self.platform.now(), up });
    }
}

fn names(data: &Path, prefixes: &[&str]) -> BTreeSet<String> {
    let entries = fs::read_dir(data).into_iter().flatten().flatten();
    let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| prefixes.iter().any(|prefix| name.starts_with(prefix))).collect()
}
