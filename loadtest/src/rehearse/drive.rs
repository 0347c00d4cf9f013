//! The load generator: hands each planned update to the platform at its moment, whatever happens elsewhere.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::profile::Planned;
use crate::telegram::{Emulator, Submit};
use crate::wire::At;

/// A generator at work.
pub(super) struct Drive {
    thread: JoinHandle<()>,
    caused: Arc<AtomicU64>,
}

impl Drive {
    /// Starts the schedule at `epoch` of the platform's clock, on a thread of its own.
    pub(super) fn start(
        platform: Arc<Emulator>,
        plan: Vec<Planned>,
        epoch: At,
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Drive> {
        let caused = Arc::new(AtomicU64::new(0));
        let counter = Arc::clone(&caused);
        let thread = std::thread::Builder::new().name("students".to_owned()).spawn(move || {
            for planned in plan {
                let at = epoch + planned.at;
                if !wait_until(&platform, at, &stop) {
                    return;
                }
                // A private chat has its user's id.
                let chat = i64::try_from(planned.user).unwrap_or(i64::MAX);
                let Planned { bot, user, what, language_code, .. } = planned;
                let language_code = language_code.into();
                platform.submit(Submit { bot, user, chat, planned_at: at, what, language_code });
                counter.fetch_add(1, Ordering::Relaxed);
            }
        })?;
        Ok(Drive { thread, caused })
    }

    /// Updates handed over so far.
    pub(super) fn caused(&self) -> u64 {
        self.caused.load(Ordering::Relaxed)
    }

    /// The schedule is through, or was stopped.
    pub(super) fn is_over(&self) -> bool {
        self.thread.is_finished()
    }
}

/// `false` if it was stopped while waiting.
fn wait_until(platform: &Emulator, at: At, stop: &AtomicBool) -> bool {
    /// So often a long wait looks whether it is to end.
    const LOOK: Duration = Duration::from_millis(50);
    loop {
        if stop.load(Ordering::Relaxed) {
            return false;
        }
        let Some(left) = at.checked_sub(platform.now()).filter(|left| !left.is_zero()) else {
            return true;
        };
        std::thread::sleep(left.min(LOOK));
    }
}
