//! An evening in the anonymous chat, from its first member to the judged log.
//!
//! ```text
//! members register (limits off, the server told so) -> SIGTERM -> the evening: a fresh process, the platform's own
//! limits, a plan of intents, students who react to what they are told -> the same log, auditor and report
//! ```
//!
//! Who was a member before the evening is registered beforehand through the bot itself, as fast as it goes: an
//! evening of 50,000 users need not wait for 200,000 questions and answers at 510 a second. The evening's server
//! starts from what that one left on the disk.

mod crowd;
mod ears;
mod register;

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::BufWriter;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use tokio::sync::mpsc::unbounded_channel;

use super::changes::Changing;
use super::collect::{Collector, Ends};
use super::progress::Progress;
use super::server::Environment;
use super::stage::{Ended, Stage, invented_tokens, platform_config, stop_platform};
use super::watch::Watch;
use super::{Options, RehearsalError};
use crate::auditor::Log;
use crate::auditor::evening::Record;
use crate::dataset::Truth;
use crate::report::ServerUse;
use crate::student::evening::plan::{Evening, plan};
use crate::telegram::Emulator;
use crowd::Crowd;
use ears::Heard;

pub(super) use ears::Ears;

/// From "ready" to the first who comes.
const LEAD: Duration = Duration::from_millis(300);

/// Holds it.
pub(super) fn hold(options: &Options, evening: &Evening, truth: &Truth) -> Result<Ended, RehearsalError> {
    let io = RehearsalError::io;
    let profile = &options.profile;
    fs::create_dir_all(&options.folder).map_err(|e| io(&format!("make {}", options.folder.display()), e))?;
    let folder = options.folder.canonicalize().map_err(|e| io("resolve the output folder", e))?;
    let server_log = folder.join("server.log");
    File::create(&server_log).map_err(|e| io("write the server's log", e))?;
    let data = tempfile::Builder::new().prefix("nobat-rehearsal-").tempdir();
    let data = data.map_err(|e| io("make a data directory", e))?;
    let stop = Arc::new(AtomicBool::new(false));
    // Ctrl-C stops the evening; its end stays orderly.
    let _ = signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::clone(&stop));
    let _ = signal_hook::flag::register(signal_hook::consts::SIGTERM, Arc::clone(&stop));

    let mut progress = Progress::new(options.quiet);
    let mut plan = plan(evening);
    let people: Arc<[_]> = std::mem::take(&mut plan.people).into();
    let tokens = invented_tokens(profile.tokens, profile.seed);
    let (told, events) = unbounded_channel();
    let platform = Arc::new(
        Emulator::start(platform_config(profile, &tokens), told.clone())
            .map_err(|e| io("start the emulated platform", e))?,
    );
    let environment = Environment::new(profile, &tokens, platform.addr(), data.path());
    let environment = environment.map_err(|e| io("find a free port", e))?;
    let (ears, heard) = ears();
    let trace = options.trace.as_ref().map(|path| File::create(path).map(BufWriter::new)).transpose();
    let trace = trace.map_err(|e| io("write the trace", e))?;
    let collector = Collector::listen(events, trace, Ends { ears: Some(ears), ..Ends::default() });
    let collector = collector.map_err(|e| io("start a thread", e))?;
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
        heard: tokens.len(),
    };

    let members = people.iter().filter(|person| person.member).count();
    progress.say(&format!("{members} members register with {} bots ...", tokens.len()));
    let before = register::all(&mut stage, &people, &heard)?;
    progress.say(&format!(
        "registered in {:.1} s ({:.0} a second), peak {:.1} MB; the evening begins with a new process",
        before.seconds,
        before.members as f64 / before.seconds.max(1e-3),
        before.rss_peak_bytes as f64 / 1e6
    ));
    collector.begin(Log { evening: Some(Box::new(Record::new(people.iter().copied()))), ..Log::default() });
    stage.start()?;
    let ready_s = stage.usage.ready_s.first().copied().unwrap_or_default();
    let intents = plan.intents.len();
    progress.say(&format!(
        "ready after {ready_s:.2} s; {intents} intents over {:.0} s",
        evening.length.as_secs_f64()
    ));
    progress.begin(intents);
    stage.kills = kills(options.kills, evening);
    let listen = stage.environment.ready;
    let begun = stage.changing.begin(options.changes, &options.profile, evening.length, listen);
    begun.map_err(|e| io("start a thread", e))?;
    let epoch = platform.now() + LEAD;
    let crowd = Crowd::start(
        Arc::clone(&platform),
        Arc::clone(&people),
        plan,
        heard,
        (epoch, evening.length),
        Arc::clone(&stop),
    );
    let crowd = crowd.map_err(|e| io("start a thread", e))?;
    let (caused, busy) = (|| crowd.intended(), || !crowd.is_idle());
    let watch = Watch { options, truth, collector: &collector, epoch, caused: &caused, busy: &busy };
    watch.until_drained(&mut stage, &mut progress);
    progress.end();
    let unfit = stage.stop(&stop);
    let server = ServerUse { registered: Some(before), ..stage.usage.clone() };
    drop(stage);
    crowd.finish();
    let log = collector.finish();
    stop_platform(platform);
    Ok(Ended { log, server, unfit })
}

fn ears() -> (Ears, Receiver<Heard>) {
    let (sender, heard) = channel();
    (Ears::new(sender), heard)
}

/// So many kills, evenly over the time in which all are there: one is in its middle.
fn kills(count: u32, evening: &Evening) -> VecDeque<Duration> {
    let whole = evening.length.saturating_sub(evening.ramp());
    (1..=count).map(|nth| evening.ramp() + whole * nth / (count + 1)).collect()
}
