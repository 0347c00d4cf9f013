//! How busy the machine was: a thread that sleeps and sees how late it wakes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How long it sleeps.
const NAP: Duration = Duration::from_millis(5);

/// Above this p99 the machine is too busy to judge repeats: an answer that a starved server has not read yet
/// looks as one that it forgot.
pub(super) const BUSY_P99_MS: f64 = 10.0;

/// A measurement under way.
pub(super) struct Calm {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<f64>>,
}

impl Calm {
    /// Starts it.
    pub(super) fn start() -> std::io::Result<Calm> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("calm".to_owned()).spawn(move || {
            let mut late = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let since = Instant::now();
                std::thread::sleep(NAP);
                late.push((since.elapsed().saturating_sub(NAP)).as_secs_f64() * 1e3);
            }
            late
        })?;
        Ok(Calm { stop, thread })
    }

    /// Ends it: how late the latest one of a hundred was, in milliseconds.
    pub(super) fn p99_ms(self) -> f64 {
        self.stop.store(true, Ordering::Relaxed);
        let mut late = self.thread.join().unwrap_or_default();
        late.sort_by(f64::total_cmp);
        late.get(late.len() * 99 / 100).copied().unwrap_or_default()
    }
}
