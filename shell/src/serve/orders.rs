//! What the operator asks of the running process: by signal, or through `nobat ctl`.
//!
//! What lives here: [`Order`] and [`Orders`], where the main thread finds them. A signal only sets a flag; everything
//! is done by the main thread, one order after the other, between two looks at the clock.

use crate::supervisor::upgrade::Candidate;
use parking_lot::Mutex;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

/// Orders that may wait. Beyond, the one who asks is told to ask again.
const WAITING_MAX: usize = 64;

/// What is asked.
#[derive(Debug)]
pub(crate) enum Order {
    /// End in order.
    Stop,
    /// Read the configuration again.
    Reload,
    /// Open the log's files anew.
    ReopenLogs,
    /// Take nothing new, send what waits; then end, or wait for [`Order::Resume`].
    Drain { then_stop: bool },
    /// Take updates again.
    Resume,
    /// Give this process to another program.
    Replace(Candidate),
}

/// What became of it: a sentence for the operator.
pub(crate) type Told = Result<String, String>;

/// An order, and where the answer goes.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) order: Order,
    pub(crate) reply: Option<SyncSender<Told>>,
}

impl Asked {
    /// Tells who asked.
    pub(crate) fn tell(self, told: Told) {
        if let Some(reply) = self.reply {
            // Who asked may be gone.
            let _ = reply.try_send(told);
        }
    }
}

/// Signals and orders that wait. One a process: it outlives a change of program that did not come about.
#[derive(Debug)]
pub(crate) struct Orders {
    stop: Arc<AtomicBool>,
    reload: Arc<AtomicBool>,
    reopen: Arc<AtomicBool>,
    drain: Arc<AtomicBool>,
    asked: Mutex<VecDeque<Asked>>,
}

impl Orders {
    /// Listens to SIGTERM and SIGINT (a second one ends the process at once), SIGHUP, SIGUSR1 and SIGUSR2.
    ///
    /// # Errors
    /// The operating system takes no handler.
    pub(crate) fn listen() -> io::Result<Arc<Self>> {
        let orders = Self {
            stop: Arc::default(),
            reload: Arc::default(),
            reopen: Arc::default(),
            drain: Arc::default(),
            asked: Mutex::default(),
        };
        for signal in [SIGTERM, SIGINT] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&orders.stop))?;
            signal_hook::flag::register(signal, Arc::clone(&orders.stop))?;
        }
        for (signal, flag) in [(SIGHUP, &orders.reload), (SIGUSR1, &orders.reopen), (SIGUSR2, &orders.drain)]
        {
            signal_hook::flag::register(signal, Arc::clone(flag))?;
        }
        Ok(Arc::new(orders))
    }

    /// Was the end asked for by a signal?
    pub(crate) fn must_stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Has the main thread do something. `false`: too much waits already.
    pub(crate) fn ask(&self, order: Order, reply: Option<SyncSender<Told>>) -> bool {
        let mut asked = self.asked.lock();
        let room = asked.len() < WAITING_MAX;
        if room {
            asked.push_back(Asked { order, reply });
        }
        room
    }

    /// What is to be done next: the end before everything else.
    pub(crate) fn next(&self) -> Option<Asked> {
        let signalled = |order| Some(Asked { order, reply: None });
        if self.must_stop() {
            return signalled(Order::Stop);
        }
        if self.reload.swap(false, Ordering::Relaxed) {
            return signalled(Order::Reload);
        }
        if self.reopen.swap(false, Ordering::Relaxed) {
            return signalled(Order::ReopenLogs);
        }
        if self.drain.swap(false, Ordering::Relaxed) {
            return signalled(Order::Drain { then_stop: true });
        }
        self.asked.lock().pop_front()
    }
}
