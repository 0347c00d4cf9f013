//! The peers: bot libraries that drain the same burst through the same emulated platform as Nobat.
//!
//! What lives here: [`hold`], one [`Row`] for a peer or for Nobat in one [`Case`]. A peer is handed all
//! messages at once, which is less than Nobat does: there each message answers an update that came through
//! the webhook and the journal. The programs are in `loadtest/peers/`, with their settings and versions.
//!
//! Called by `nobat-load peers` alone. All figures are taken on the platform's side and from `/proc`; a
//! program that is not installed leaves its row empty.

mod case;
mod program;
mod table;
mod tally;

use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::sync::mpsc::unbounded_channel;

use crate::rehearse::{self, Changes, Options, RehearsalError, ServerCommand, invented_tokens};
use crate::telegram::{BotSpec, Defiance, Emulator, EmulatorConfig, Limits};

pub use case::Case;
pub use program::Peer;
pub use table::table;

use program::Program;
use tally::Tally;

/// Without an accepted message for so long, the drain does not end. Some need half of it for the first.
const STALL: Duration = Duration::from_secs(60);
/// Beyond so many times the bound nobody waits for the rest.
const OVER_BOUND_MAX: f64 = 3.0;
/// How long a program may take until it says `ready`.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// What one sender did in one case.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// The case's name.
    pub case: &'static str,
    /// The sender's name.
    pub sender: &'static str,
    /// Messages that were to be sent.
    pub messages: u64,
    /// Messages that the platform accepted.
    pub accepted: u64,
    /// From the moment all was handed over to the last accepted message, in seconds.
    pub drain_s: f64,
    /// `drain_s` over messages / (30 x tokens); none if the drain was not completed.
    pub over_bound: Option<f64>,
    /// 429s.
    pub refused_429: u64,
    /// Calls before an announced wait was over.
    pub defiance: u64,
    /// Messages accepted before an earlier one of their chat.
    pub order_violations: u64,
    /// Processor seconds of the sender.
    pub cpu_s: f64,
    /// Its peak resident memory in bytes.
    pub rss_peak_bytes: u64,
}

/// Why a row stays empty.
#[derive(Debug, thiserror::Error)]
pub enum PeerError {
    /// Its program is not there.
    #[error("not installed: run {setup}")]
    NotInstalled {
        /// What installs it.
        setup: String,
    },
    /// It ended, or said nothing.
    #[error("{peer} was not ready: {why}")]
    NotReady {
        /// Which.
        peer: &'static str,
        /// What was seen instead.
        why: String,
    },
    /// A port, a file or a process could not be had.
    #[error("cannot {what}: {source}")]
    Io {
        /// What was tried.
        what: &'static str,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Nobat's own rehearsal could not be held.
    #[error(transparent)]
    Rehearsal(#[from] RehearsalError),
}

/// Lets `peer` drain `case`. Blocks until it is done, stalls, or takes three times the bound. `home` is
/// the folder of the programs.
///
/// # Errors
/// [`PeerError`]; a bad drain is no error but a row.
pub fn hold(case: Case, peer: Peer, defiance: Defiance, home: &Path) -> Result<Row, PeerError> {
    let io = |what| move |source| PeerError::Io { what, source };
    let program = Program::find(peer, home)?;
    let tokens = invented_tokens(case.tokens(), 1);
    let (told, mut events) = unbounded_channel();
    let config = EmulatorConfig {
        bots: tokens.iter().map(BotSpec::new).collect(),
        limits: Limits { defiance, ..Limits::default() },
        latency: case.latency(),
        ..EmulatorConfig::default()
    };
    let platform = Emulator::start(config, told).map_err(io("start the platform"))?;
    let mut running = program.start(platform.addr(), &tokens, READY_WITHIN)?;
    let mut input = running.take_input();
    let mut lines = Vec::new();
    for (bot, chat, text) in case.messages() {
        let _ = writeln!(lines, "{bot} {chat} {text}");
    }
    // A program that has died already shows below, as nothing accepted.
    let began = platform.now();
    let _ = input.write_all(&lines);
    drop(input);

    let total = case.messages().count() as u64;
    let (mut tally, mut moved, started) = (Tally::default(), Instant::now(), Instant::now());
    let patience = Duration::from_secs_f64(case.bound_s() * OVER_BOUND_MAX);
    while tally.accepted < total && moved.elapsed() < STALL && started.elapsed() < patience {
        let before = tally.accepted;
        while let Ok(event) = events.try_recv() {
            tally.count(&event);
        }
        if tally.accepted > before {
            moved = Instant::now();
        } else if running.exited() {
            break;
        }
        running.sample();
        std::thread::sleep(Duration::from_millis(10));
    }
    let usage = running.end();
    let drain_s = tally.last.saturating_sub(began).as_secs_f64();
    Ok(Row {
        case: case.name(),
        sender: peer.name(),
        messages: total,
        accepted: tally.accepted,
        drain_s,
        over_bound: (tally.accepted >= total).then(|| drain_s / case.bound_s()),
        refused_429: tally.refused,
        defiance: tally.defiance,
        order_violations: tally.disorder,
        cpu_s: usage.cpu_s,
        rss_peak_bytes: usage.rss_peak_bytes,
    })
}

/// The same case for Nobat, each message as the answer to an update.
///
/// # Errors
/// [`PeerError::Rehearsal`] if it could not be held.
pub fn hold_nobat(case: Case, server: &ServerCommand) -> Result<Row, PeerError> {
    let io = |what| move |source| PeerError::Io { what, source };
    let folder = tempfile::tempdir().map_err(io("make a folder"))?;
    let options = Options {
        profile: case.profile(),
        plan: None,
        server: server.clone(),
        folder: folder.path().to_path_buf(),
        kills: 0,
        changes: Changes::default(),
        plant: None,
        record: None,
        trace: None,
        patience: STALL,
        quiet: true,
    };
    let report = rehearse::run(options)?.report;
    let total = case.messages().count() as u64;
    Ok(Row {
        case: case.name(),
        sender: "nobat",
        messages: total,
        accepted: report.sends,
        drain_s: report.drain_s,
        over_bound: (report.lost == 0).then(|| report.drain_s / case.bound_s()),
        refused_429: report.refused_429,
        defiance: report.defiance,
        order_violations: report.order_violations,
        cpu_s: report.server.cpu_s,
        rss_peak_bytes: report.server.rss_peak_bytes,
    })
}
