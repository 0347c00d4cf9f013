//! What the main thread does while the others work: signals, alarms, the release gate, the data set.
//!
//! What lives here: [`Stop`], the one flag that ends the process gracefully and the threads that watch it;
//! [`Lifecycle`], the main thread's loop.

use super::dataset::DatasetFile;
use super::ring::RingJournal;
use crate::clock::Clock;
use crate::config::Config;
use crate::outbound::{Mail, Outbox};
use crate::reactor::{Reactor, Service};
use crate::say;
use crate::tls::CertificateFiles;
use mio::Waker;
use nobat_core::engine::Engine;
use nobat_core::id::KindIx;
use parking_lot::{Condvar, Mutex};
use signal_hook::consts::{SIGINT, SIGTERM};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How often the main thread looks at the clock, the file of the data set and the flag.
const TICK: Duration = Duration::from_millis(100);

/// People rung between two looks at the clock.
const RUNG_AT_ONCE: usize = 1_000;

/// The end of the process, asked for by a signal or by a journal that failed.
pub(super) struct Stop {
    signalled: Arc<AtomicBool>,
    fatal: Arc<(Mutex<bool>, Condvar)>,
}

impl Stop {
    /// Listens to SIGTERM and SIGINT. A second signal ends the process at once.
    pub(super) fn new() -> io::Result<Self> {
        let signalled = Arc::new(AtomicBool::new(false));
        for signal in [SIGTERM, SIGINT] {
            signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&signalled))?;
            signal_hook::flag::register(signal, Arc::clone(&signalled))?;
        }
        Ok(Self { signalled, fatal: Arc::default() })
    }

    /// For the journal thread: nothing will be durable any more.
    pub(super) fn fatal(&self) -> Box<dyn FnMut() + Send> {
        let fatal = Arc::clone(&self.fatal);
        Box::new(move || {
            *fatal.0.lock() = true;
            fatal.1.notify_all();
        })
    }

    /// Sleeps a tick; whether to go on.
    pub(super) fn tick(&self) -> bool {
        let mut failed = self.fatal.0.lock();
        self.fatal.1.wait_for(&mut failed, TICK);
        !*failed && !self.signalled.load(Ordering::Relaxed)
    }

    /// Runs reactors on threads of their own.
    pub(super) fn run_all<S: Service + Send + 'static>(
        &self,
        name: &str,
        reactors: Vec<Reactor<S>>,
    ) -> io::Result<Threads> {
        let stop = Arc::new(AtomicBool::new(false));
        let mut threads = Threads { stop: Arc::clone(&stop), running: Vec::new() };
        for (n, mut reactor) in reactors.into_iter().enumerate() {
            let (waker, stop, name) = (reactor.waker(), Arc::clone(&stop), format!("{name}-{n}"));
            let thread = thread::Builder::new().name(name).spawn(move || reactor.run(&stop))?;
            threads.running.push((waker, thread));
        }
        Ok(threads)
    }
}

/// Reactors on their threads.
pub(super) struct Threads {
    stop: Arc<AtomicBool>,
    running: Vec<(Arc<Waker>, JoinHandle<io::Result<()>>)>,
}

impl Threads {
    /// Stops accepting, answers what was taken; does not wait for it.
    pub(super) fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Release);
        for (waker, _) in &self.running {
            let _ = waker.wake();
        }
    }

    /// [`Threads::ask_to_stop`], and waits for the end.
    pub(super) fn stop_and_join(self) {
        self.ask_to_stop();
        for (_, thread) in self.running {
            match thread.join() {
                Ok(Ok(())) => {}
                Ok(Err(e)) => say!(Error, "a listener ended with an error", error = e),
                Err(_) => say!(Error, "a listener thread panicked"),
            }
        }
    }
}

/// The main thread's loop and what it looks after.
pub(super) struct Lifecycle<'a> {
    pub config: &'a Config,
    pub clock: Clock,
    pub engine: &'a Engine<RingJournal>,
    pub outbox: &'a Outbox,
    /// Of a results bot.
    pub dataset: Option<DatasetFile>,
    /// Of the webhook listener.
    pub tls: Option<CertificateFiles>,
    pub stop: &'a Stop,
    /// What was last said about the release gate.
    pub released: Option<bool>,
}

impl Lifecycle<'_> {
    /// Until the end is asked for.
    pub(super) fn run(mut self) {
        loop {
            self.dataset.iter_mut().for_each(DatasetFile::refresh);
            self.renew();
            self.release();
            self.ring();
            if !self.stop.tick() {
                say!(Info, "stopping: no new update is taken, what is in flight is awaited");
                return;
            }
        }
    }

    /// Rings those whose time has come. Where the journal is behind, they are rung at the next tick.
    fn ring(&self) {
        while let Ok(RUNG_AT_ONCE) = self.engine.wake(self.clock.now(), RUNG_AT_ONCE) {}
    }

    /// Takes a renewed certificate into use.
    fn renew(&mut self) {
        match self.tls.as_mut().and_then(|files| files.refresh(self.clock.now().wall)) {
            None => {}
            Some(Ok(())) => say!(Info, "the certificate was renewed: it is used from the next handshake on"),
            Some(Err(e)) => say!(Error, "the new certificate is not used, the one before stays: {e}"),
        }
    }

    /// Opens the gate of a results bot once the hour has come and there is something to show. To be called
    /// before the first update is taken: until then the gate is shut, and who asks would be told to wait for
    /// the hour.
    pub(super) fn release(&mut self) {
        let Some(dataset) = &self.dataset else { return };
        let present = dataset.present();
        let due = self.config.results.release.is_none_or(|at| self.clock.now().wall >= at);
        let open = due && present;
        if self.released == Some(open) {
            return;
        }
        self.released = Some(open);
        let kind = KindIx(0);
        self.engine.set_released(kind, open);
        self.outbox.put(Mail::Released(kind, open));
        self.outbox.wake();
        match open {
            true => say!(Info, "results are released"),
            false if due => {
                say!(Warn, "there is no data set yet: users are told so and are answered once it is there")
            }
            false => say!(Info, "results are not released yet: who asks is told at the hour"),
        }
    }
}
