//! Collects wire events into the log while the rehearsal runs.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::mpsc::error::TryRecvError;

use super::choose::Lists;
use super::evening::Ears;
use super::follow::Link;
use crate::auditor::Log;
use crate::wire::Wire;

/// A collector at work.
pub(super) struct Collector {
    log: Arc<Mutex<Log>>,
    finish: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

/// Those who are told of what reaches students.
#[derive(Default)]
pub(super) struct Ends {
    /// Links to other bots.
    pub(super) links: Option<Sender<Link>>,
    /// Lists to choose from.
    pub(super) lists: Option<Lists>,
    /// Everything, in an evening.
    pub(super) ears: Option<Ears>,
}

impl Collector {
    /// With a `trace`, each event is written to it as well, one a line; with `links`, links that reach
    /// students are handed on.
    pub(super) fn start(
        events: UnboundedReceiver<Wire>,
        trace: Option<impl Write + Send + 'static>,
        links: Option<Sender<Link>>,
        lists: Option<Lists>,
    ) -> std::io::Result<Collector> {
        Collector::listen(events, trace, Ends { links, lists, ears: None })
    }

    /// As [`Collector::start`], for any who listen.
    pub(super) fn listen(
        mut events: UnboundedReceiver<Wire>,
        mut trace: Option<impl Write + Send + 'static>,
        ends: Ends,
    ) -> std::io::Result<Collector> {
        let Ends { links, lists, ears } = ends;
        let log = Arc::new(Mutex::new(Log::default()));
        let finish = Arc::new(AtomicBool::new(false));
        let (shared, ending) = (Arc::clone(&log), Arc::clone(&finish));
        let thread = std::thread::Builder::new().name("collector".to_owned()).spawn(move || {
            loop {
                // Read before the queue: what came before the flag is then surely taken.
                let last = ending.load(Ordering::Acquire);
                let mut log = lock(&shared);
                let end = loop {
                    match events.try_recv() {
                        Ok(event) => {
                            if let Some(trace) = &mut trace {
                                // A trace that cannot be written ends short; the run goes on.
                                let _ = writeln!(trace, "{event:?}");
                            }
                            if let Some(lists) = &lists {
                                lists.see(&event);
                            }
                            if let Some(ears) = &ears {
                                ears.see(&event);
                            }
                            if let Some((links, link)) = links.as_ref().zip(Link::of(&event)) {
                                // Nobody follows any more once the rehearsal is stopped.
                                let _ = links.send(link);
                            }
                            log.push(event);
                        }
                        Err(end) => break end,
                    }
                };
                drop(log);
                if last || end == TryRecvError::Disconnected {
                    return;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
        })?;
        Ok(Collector { log, finish, thread })
    }

    /// Forgets everything so far and goes on with this log.
    pub(super) fn begin(&self, log: Log) {
        *lock(&self.log) = log;
    }

    /// Looks at the log so far, settled.
    pub(super) fn look<T>(&self, at: impl FnOnce(&Log) -> T) -> T {
        let mut log = lock(&self.log);
        log.settle();
        at(&log)
    }

    /// Takes everything that was told so far and ends.
    pub(super) fn finish(self) -> Log {
        self.finish.store(true, Ordering::Release);
        // A collector that panicked leaves what it had.
        let _ = self.thread.join();
        let mut log = std::mem::take(&mut *lock(&self.log));
        log.settle();
        log
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}
