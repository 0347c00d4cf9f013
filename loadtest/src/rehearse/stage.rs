//! The rehearsal itself: sets the stage, watches until nothing is owed any more, stops everything in order.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::changes::Changing;
use super::choose::Choosers;
use super::collect::Collector;
use super::drive::Drive;
use super::hour::Hour;
use super::progress::Progress;
use super::server::{Environment, Server, ServerCommand, tail};
use super::watch::{TICK, Watch};
use super::{Options, RehearsalError, follow, kills};
use crate::auditor::Log;
use crate::dataset::Truth;
use crate::profile::{Planned, Profile, length};
use crate::report::ServerUse;
use crate::student::Wishes;
use crate::telegram::{BotSpec, Emulator, EmulatorConfig, Limits};
use crate::wire::Wire;

/// From "ready" to the first planned update: lets the log say "ready" first.
const LEAD: Duration = Duration::from_millis(300);
/// What a server may take to be ready where the hour is fixed before it starts.
const READY_FOR_THE_HOUR: Duration = Duration::from_secs(5);

/// A rehearsal that is over.
pub(super) struct Ended {
    pub(super) log: Log,
    pub(super) server: ServerUse,
    pub(super) unfit: Option<String>,
}

/// Holds it.
pub(super) fn hold(
    options: &Options,
    truth: &Truth,
    plan: Vec<Planned>,
    wishes: Wishes,
) -> Result<Ended, RehearsalError> {
    let io = RehearsalError::io;
    let profile = &options.profile;
    fs::create_dir_all(&options.folder).map_err(|e| io(&format!("make {}", options.folder.display()), e))?;
    let folder = options.folder.canonicalize().map_err(|e| io("resolve the output folder", e))?;
    let server_log = folder.join("server.log");
    File::create(&server_log).map_err(|e| io("write the server's log", e))?;
    let data = tempfile::Builder::new().prefix("nobat-rehearsal-").tempdir();
    let data = data.map_err(|e| io("make a data directory", e))?;
    let stop = Arc::new(AtomicBool::new(false));
    // Ctrl-C stops the schedule; the end stays orderly. Without a handler it would only be less polite.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop));

    let mut progress = Progress::new(options.quiet);
    let tokens = invented_tokens(profile.tokens, profile.seed);
    let (told, events) = unbounded_channel();
    let platform = Emulator::start(platform_config(profile, &tokens), told.clone());
    let platform = Arc::new(platform.map_err(|e| io("start the emulated platform", e))?);
    let trace = options.trace.as_ref().map(|path| File::create(path).map(BufWriter::new)).transpose();
    let trace = trace.map_err(|e| io("write the trace", e))?;
    let choosers = Choosers::start(Arc::clone(&platform), wishes, profile);
    let (choosers, lists) = choosers.map_err(|e| io("start a thread", e))?;
    let (links, followers) = match profile.rush() {
        Some(_) => {
            let (links, shown) = std::sync::mpsc::channel();
            let names = tokens.iter().map(|token| BotSpec::new(token).username).collect();
            let thread = follow::start(Arc::clone(&platform), names, shown, Arc::clone(&stop));
            (Some(links), Some(thread.map_err(|e| io("start a thread", e))?))
        }
        None => (None, None),
    };
    let collector =
        Collector::start(events, trace, links, Some(lists)).map_err(|e| io("start a thread", e))?;
    let environment = Environment::new(profile, &tokens, platform.addr(), data.path());
    let mut environment = environment.map_err(|e| io("find a free port", e))?;

    progress.say(&format!(
        "importing {} records with `results import`, starting `serve` with {} tokens ...",
        truth.pupils().len(),
        tokens.len()
    ));
    import(&options.server, &environment, truth, data.path(), profile.by_name > 0.0, &server_log)?;
    let hour = profile.hour_after.map(|after| Hour::in_time(after + READY_FOR_THE_HOUR));
    environment.variables.extend(hour.map(|hour| ("NOBAT_RESULTS_RELEASE".to_owned(), hour.to_string())));
    let changing = Changing::prepare(options.changes, environment.ready);
    let changing = changing.map_err(|e| io("open the server's socket", e))?;
    let mut stage = Stage {
        command: &options.server,
        environment,
        server_log,
        server: None,
        platform: Arc::clone(&platform),
        told,
        stop: Arc::clone(&stop),
        usage: ServerUse::default(),
        kills: VecDeque::new(),
        changing,
        died: None,
        heard: if profile.rush().is_some() { tokens.len() } else { 1 },
    };
    stage.start()?;
    let ready_s = stage.usage.ready_s.first().copied().unwrap_or_default();
    progress.say(&format!(
        "ready after {ready_s:.2} s; {} updates over {:.0} s",
        plan.len(),
        length(&plan).as_secs_f64()
    ));
    progress.begin(plan.len());

    stage.kills = kills::moments(profile, options.kills, length(&plan).max(Duration::from_secs(1)));
    let listen = stage.environment.ready;
    let begun = stage.changing.begin(options.changes, profile, length(&plan), listen);
    begun.map_err(|e| io("start a thread", e))?;
    let epoch = match (hour, profile.hour_after) {
        (Some(hour), Some(after)) => (platform.now() + hour.remaining()).saturating_sub(after),
        _ => platform.now() + LEAD,
    };
    for (at, fault) in &profile.faults {
        platform.fault(fault.clone().from(epoch + *at));
    }
    let drive = Drive::start(Arc::clone(&platform), plan, epoch, Arc::clone(&stop));
    let drive = drive.map_err(|e| io("start a thread", e))?;
    let caused = || drive.caused() + choosers.caused();
    let busy = || !drive.is_over() || !choosers.are_idle();
    let watch = Watch { options, truth, collector: &collector, epoch, caused: &caused, busy: &busy };
    watch.until_drained(&mut stage, &mut progress);
    progress.end();
    let unfit = stage.stop(&stop);
    let server = stage.usage.clone();
    drop(stage);
    // The collector holds the followers' links, and they the platform.
    choosers.finish();
    let mut log = collector.finish();
    log.hour = profile.hour_after.map(|after| epoch + after);
    if let Some(followers) = followers {
        // One that panicked has followed less, which the report shows.
        let _ = followers.join();
    }
    end_platform(platform, drive);
    Ok(Ended { log, server, unfit })
}

/// The platform's bots: ids of 10 digits as today's are, secrets that follow from the seed.
pub(crate) fn invented_tokens(count: usize, seed: u64) -> Vec<String> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|nth| {
            let secret: String = (0..35).map(|_| rng.alphanumeric()).collect();
            format!("{}:{secret}", 5_000_000_000 + nth as u64)
        })
        .collect()
}

pub(super) fn platform_config(profile: &Profile, tokens: &[String]) -> EmulatorConfig {
    EmulatorConfig {
        bots: tokens.iter().map(BotSpec::new).collect(),
        limits: Limits { cap_replies: !profile.adaptive, ..Limits::default() },
        reach: profile.reach,
        latency: profile.latency,
        seed: profile.seed,
        ..EmulatorConfig::default()
    }
}

/// Writes the data set and has the server's own program import it.
pub(super) fn import(
    command: &ServerCommand,
    environment: &Environment,
    truth: &Truth,
    data: &Path,
    names: bool,
    log: &Path,
) -> Result<(), RehearsalError> {
    let io = RehearsalError::io;
    let csv = data.join("results.csv");
    let write = || -> std::io::Result<()> {
        let mut file = BufWriter::new(File::create(&csv)?);
        truth.write_csv(&mut file)?;
        file.flush()
    };
    write().map_err(|e| io("write the data set", e))?;
    let out = File::options().append(true).open(log).map_err(|e| io("open the server's log", e))?;
    let err = out.try_clone().map_err(|e| io("open the server's log", e))?;
    let mut import = command.command(environment);
    import.args(["results", "import"]).arg(&csv).arg("--data-dir").arg(data);
    if names {
        let config = data.join("dataset.toml");
        fs::write(&config, "names = \"full\"\n").map_err(|e| io("write the data set's configuration", e))?;
        import.arg("--dataset-config").arg(config);
    }
    // Not where the operator's own .env lies.
    import.current_dir(data).stdout(Stdio::from(out)).stderr(Stdio::from(err));
    let status = import.status().map_err(|e| io(&format!("run {}", command.program.display()), e))?;
    if !status.success() {
        return Err(RehearsalError::Import { status, tail: tail(log) });
    }
    fs::remove_file(&csv).map_err(|e| io("remove the imported file", e))
}

/// What is on stage: the server's lives and what is to happen to it.
pub(super) struct Stage<'a> {
    pub(super) command: &'a ServerCommand,
    pub(super) environment: Environment,
    pub(super) server_log: PathBuf,
    pub(super) server: Option<Server>,
    pub(super) platform: Arc<Emulator>,
    pub(super) told: UnboundedSender<Wire>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) usage: ServerUse,
    pub(super) kills: VecDeque<Duration>,
    pub(super) changing: Changing,
    pub(super) died: Option<String>,
    /// Bots that must hear their updates, the first ones.
    pub(super) heard: usize,
}

impl Stage<'_> {
    fn tell(&self, up: bool) {
        // The collector outlives the stage.
        let _ = self.told.send(Wire::Process { at: self.platform.now(), up });
    }

    pub(super) fn start(&mut self) -> Result<(), RehearsalError> {
        self.launch()?;
        self.tell(true);
        Ok(())
    }

    /// Starts a process and waits until it serves.
    pub(super) fn launch(&mut self) -> Result<(), RehearsalError> {
        let mut server = self.process()?;
        let hears = |bot| self.platform.webhook_ready(bot) || self.platform.was_polled(bot);
        let registered = || (0..self.heard).all(hears);
        let ready = server.wait_ready(&|| self.stop.load(Ordering::Relaxed), &registered)?;
        self.usage.ready_s.push(ready.as_secs_f64());
        self.server = Some(server);
        Ok(())
    }

    /// Kills and restarts the server if its moment has come.
    pub(super) fn kill_if_due(&mut self, at: Duration) {
        if self.kills.front().is_none_or(|moment| *moment > at) {
            return;
        }
        self.kills.pop_front();
        let Some(mut server) = self.server.take() else { return };
        let last = server.kill();
        self.tell(false);
        self.usage.kills += 1;
        self.add(last);
        if let Err(error) = self.start() {
            self.died = Some(format!("after a kill: {error}"));
        }
    }

    pub(super) fn add(&mut self, life: super::proc::Usage) {
        self.usage.rss_peak_bytes = self.usage.rss_peak_bytes.max(life.rss_peak_bytes);
        self.usage.cpu_s += life.cpu_s;
    }

    /// Notices a server that ended by itself.
    pub(super) fn look(&mut self) -> super::proc::Usage {
        let Some(server) = &mut self.server else { return super::proc::Usage::default() };
        let usage = server.sample();
        if let Some(status) = server.exited() {
            self.died = Some(format!("ended by itself with {status}; its log ends:\n{}", server.log_tail()));
            self.server = None;
            self.add(usage);
            self.tell(false);
        }
        usage
    }

    /// SIGTERM, and the end in words. What makes the run unfit to be judged is returned.
    pub(super) fn stop(&mut self, stop: &AtomicBool) -> Option<String> {
        // Before the listener is closed: who comes then is refused, and should be.
        self.usage.changed = self.changing.finish();
        if let Some(changed) = &mut self.usage.changed {
            changed.refused_connects += self.platform.totals().connects_failed;
        }
        if let Some(mut server) = self.server.take() {
            let (usage, word) = server.stop();
            self.add(usage);
            self.usage.exit = word;
        }
        if let Some(died) = self.died.take() {
            self.usage.exit = died;
        }
        stop.load(Ordering::Relaxed).then(|| "it was interrupted".to_owned())
    }
}

/// Waits for the schedule's end, and stops the platform.
pub(super) fn end_platform(platform: Arc<Emulator>, drive: Drive) {
    while !drive.is_over() {
        std::thread::sleep(TICK);
    }
    drop(drive);
    stop_platform(platform);
}

/// Closes the platform's connections and ends its thread.
pub(super) fn stop_platform(platform: Arc<Emulator>) {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    if let (Ok(runtime), Some(platform)) = (runtime, Arc::into_inner(platform)) {
        runtime.block_on(platform.stop());
    }
}
