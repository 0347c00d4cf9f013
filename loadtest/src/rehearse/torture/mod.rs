//! Torture: the real server under load, killed again and again at the worst moments, and a ledger.
//!
//! What lives here: [`run`] and its [`Verdict`]. Segments and snapshots are made small by configuration, so
//! that rolls, snapshots and prunings happen all the time, and [`hammer`] aims kills at them and at recovery
//! itself. The load does not wait for the server: [`results`] students who ask, or [`chat`] people who meet, talk
//! and pay. At the end the server is left alone until nothing is owed, and the ledger says whether every update
//! that was answered 200 had its effect, once.

mod chat;
mod hammer;
mod plan;
mod results;
mod verdict;

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::RehearsalError;
use super::server::{Environment, ServerCommand};
use super::stage::{invented_tokens, platform_config};
use crate::auditor::{Audit, Log};
use crate::profile::{Kind, Profile};
use crate::telegram::{DeliveryRules, Emulator, EmulatorConfig};
use crate::wire::Wire;
use hammer::Hammer;

pub use chat::Ledger;
pub use hammer::Moment;
pub use verdict::{Quantiles, Verdict};

/// Pupils in the data set: enough that questions differ.
const RECORDS: usize = 2_000;

/// Bots: few enough that each connection is used often, which is what a repeat is judged by.
const BOTS: usize = 6;

/// Size of segments, and of what makes a snapshot due, in KiB.
const SEGMENT_KB: u32 = 16;

/// From the last kill on, how long nothing may move before the rest counts as lost.
const PATIENCE: Duration = Duration::from_secs(15);

/// What the server is loaded with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Load {
    /// Students who ask for marks.
    Results,
    /// People who meet, talk and pay.
    Chat,
}

/// What to torture, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// SIGKILLs.
    pub kills: u32,
    /// With what.
    pub load: Load,
    /// Everything random but the machine's own timing follows from it.
    pub seed: u64,
    /// The server under test.
    pub server: ServerCommand,
    /// Where the server's log goes.
    pub folder: PathBuf,
    /// Nothing is shown while it runs.
    pub quiet: bool,
}

/// Tortures the server and judges what happened. Blocks until everything has stopped.
///
/// # Errors
/// It could not be held: see [`RehearsalError`].
pub fn run(options: &Options) -> Result<Verdict, RehearsalError> {
    let profile = Profile { records: RECORDS, seed: options.seed, tokens: BOTS, ..Kind::Smoke.profile() };
    let (ground, events) = Ground::prepare(options, &profile)?;
    let log = ground.log.clone();
    let outcome = match options.load {
        Load::Results => results::torture(options, &profile, ground, events)?,
        Load::Chat => chat::torture(options, ground, events)?,
    };
    let said = fs::read_to_string(log).unwrap_or_default();
    Ok(verdict::judge(options, outcome, &said))
}

/// Everything that a torture stands on.
struct Ground {
    log: PathBuf,
    data: TempDir,
    stop: Arc<AtomicBool>,
    platform: Arc<Emulator>,
    told: UnboundedSender<Wire>,
    environment: Environment,
}

/// What was seen.
struct Outcome {
    log: Log,
    audit: Audit,
    kills: BTreeMap<&'static str, u64>,
    ready: Quantiles,
    died: Option<String>,
    ledger: Option<Ledger>,
}

impl Ground {
    fn prepare(
        options: &Options,
        profile: &Profile,
    ) -> Result<(Ground, UnboundedReceiver<Wire>), RehearsalError> {
        let io = RehearsalError::io;
        fs::create_dir_all(&options.folder)
            .map_err(|e| io(&format!("make {}", options.folder.display()), e))?;
        let folder = options.folder.canonicalize().map_err(|e| io("resolve the output folder", e))?;
        let log = folder.join("server.log");
        fs::File::create(&log).map_err(|e| io("write the server's log", e))?;
        let data = tempfile::Builder::new().prefix("nobat-torture-").tempdir();
        let data = data.map_err(|e| io("make a data directory", e))?;
        let stop = Arc::new(AtomicBool::new(false));
        let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop));
        let tokens = invented_tokens(profile.tokens, profile.seed);
        let (told, events) = unbounded_channel();
        let platform = Emulator::start(platform(profile, &tokens), told.clone());
        let platform = Arc::new(platform.map_err(|e| io("start the emulated platform", e))?);
        let environment = Environment::new(profile, &tokens, platform.addr(), data.path());
        let mut environment = environment.map_err(|e| io("find a free port", e))?;
        for name in ["NOBAT_JOURNAL_SEGMENT_KB", "NOBAT_JOURNAL_SNAPSHOT_EVERY_KB"] {
            environment.variables.push((name.to_owned(), SEGMENT_KB.to_string()));
        }
        if options.load == Load::Chat {
            chat::configure(&mut environment.variables, &tokens);
        }
        Ok((Ground { log, data, stop, platform, told, environment }, events))
    }

    /// The hand, on this ground.
    fn hammer<'a>(&'a self, options: &'a Options) -> Hammer<'a> {
        let environment = self.environment.clone();
        Hammer::new(options, environment, self.log.clone(), &self.platform, &self.told, &self.stop)
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
