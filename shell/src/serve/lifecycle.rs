//! What the main thread does while the others work: orders, alarms, the release gate, the data set, the watch.
//!
//! What lives here: [`Stop`], the one flag that ends the process gracefully and the threads that watch it;
//! [`Lifecycle`], the main thread's loop.

use super::alerts::{Alarm, Alerts, Trouble};
use super::dataset::DatasetFile;
use super::drain::Drain;
use super::gate::Gate;
use super::liveness::Liveness;
use super::orders::{Asked, Order, Orders, Told};
use super::reload::{self, Prepared};
use super::ring::RingJournal;
use crate::admin::{Pages, State};
use crate::clock::Clock;
use crate::config::{Config, Problems};
use crate::observe::{Registry, log, names, slow};
use crate::outbound::{Mail, Outbox};
use crate::reactor::{Reactor, Service};
use crate::say;
use crate::supervisor::Notifier;
use crate::supervisor::upgrade::Candidate;
use crate::tls::CertificateFiles;
use crate::updates::Updates;
use mio::Waker;
use nobat_core::engine::Engine;
use nobat_core::id::KindIx;
use parking_lot::{Condvar, Mutex};
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
    orders: Arc<Orders>,
    fatal: Arc<(Mutex<bool>, Condvar)>,
}

impl Stop {
    /// Of what is asked for there.
    pub(super) fn new(orders: Arc<Orders>) -> Self {
        Self { orders, fatal: Arc::default() }
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
        !*failed && !self.orders.must_stop()
    }

    /// What is to be done next.
    pub(super) fn next_order(&self) -> Option<Asked> {
        self.orders.next()
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

/// How the loop ended.
pub(super) enum Closing {
    /// The process ends.
    Stop,
    /// It is given to another program.
    Replace(Candidate),
}

/// The main thread's loop and what it looks after.
pub(super) struct Lifecycle<'a> {
    pub config: Config,
    /// Reads the configuration again.
    pub again: &'a dyn Fn() -> Result<Config, Problems>,
    pub clock: Clock,
    pub engine: &'a Engine<RingJournal>,
    pub updates: Arc<Updates<RingJournal>>,
    pub registry: &'a Registry,
    pub outbox: &'a Outbox,
    pub pages: &'a Pages,
    pub gate: Gate,
    /// Of a results bot.
    pub dataset: Option<DatasetFile>,
    /// Of the webhook listener.
    pub tls: Option<CertificateFiles>,
    pub stop: &'a Stop,
    pub notifier: &'a Notifier,
    pub liveness: Liveness,
    /// What administrators are told.
    pub alerts: Alerts,
    pub alarm: Alarm,
    /// What was last said about the release gate.
    pub released: Option<bool>,
    /// The operator wants it empty.
    pub drain: Option<Drain>,
}

impl Lifecycle<'_> {
    /// Until the end is asked for.
    pub(super) fn run(mut self) -> Closing {
        loop {
            self.dataset.iter_mut().for_each(DatasetFile::refresh);
            self.renew();
            self.release();
            self.ring();
            let now = self.clock.mono();
            self.liveness.look(now, self.notifier);
            self.tell_state();
            self.alert();
            if let Some(closing) = self.obey() {
                return closing;
            }
            if !self.stop.tick() || self.is_drained() {
                say!(Info, "stopping: no new update is taken, what is in flight is awaited");
                return Closing::Stop;
            }
        }
    }

    /// Does what was asked since the last tick; the end if that is what was asked.
    fn obey(&mut self) -> Option<Closing> {
        while let Some(mut asked) = self.stop.next_order() {
            let told = match std::mem::replace(&mut asked.order, Order::ReopenLogs) {
                Order::Stop => {
                    asked.tell(Ok("it stops".to_owned()));
                    say!(Info, "stopping: no new update is taken, what is in flight is awaited");
                    return Some(Closing::Stop);
                }
                Order::Replace(candidate) => {
                    let version = &candidate.version;
                    asked.tell(Ok(format!("version {version} takes over")));
                    return Some(Closing::Replace(candidate));
                }
                Order::Reload => self.reload(),
                Order::ReopenLogs => Ok(log::reopen()),
                Order::Drain { then_stop } => Ok(self.begin_drain(then_stop)),
                Order::Resume => Ok(self.resume()),
            };
            asked.tell(told);
        }
        None
    }

    /// Reads the configuration again; it is used whole or refused whole.
    fn reload(&mut self) -> Told {
        self.notifier.reloading("reading the configuration again");
        let told = (self.again)()
            .map_err(|problems| problems.to_string())
            .and_then(|fresh| reload::prepare(&self.config, fresh, self.clock.now().wall))
            .map(|prepared| self.adopt(prepared));
        match &told {
            Ok(says) => say!(Info, "{says}"),
            Err(why) => {
                for line in why.lines() {
                    say!(Error, "the reload is refused and nothing was changed: {line}");
                }
            }
        }
        self.notifier.ready("serving");
        told
    }

    /// Puts in place what was prepared; nothing here can fail.
    fn adopt(&mut self, prepared: Prepared) -> String {
        let Prepared { config, changed, dataset, certificate } = prepared;
        for warning in &config.warnings {
            say!(Warn, "{warning}");
        }
        log::init(config.log.level, config.log.format);
        slow::set(config.log.slow);
        self.updates.sampler.set(config.log.updates_per_second);
        if let (Some(files), Some(prepared)) = (&mut self.dataset, dataset) {
            files.adopt(prepared);
        }
        if let (Some(files), Some(prepared)) = (&mut self.tls, certificate) {
            files.adopt(prepared);
        }
        self.config = config;
        self.release();
        match changed.as_slice() {
            [] => "reloaded: no key has changed; certificate and data set were read again".to_owned(),
            keys => format!("reloaded: {}", keys.join(", ")),
        }
    }

    /// Takes no update from now on; what waits is sent.
    fn begin_drain(&mut self, then_stop: bool) -> String {
        self.gate.set_shut(true);
        self.drain = Some(Drain { then_stop, empty_since: None, told: false });
        self.tell_state();
        let after =
            if then_stop { "the process then ends" } else { "`nobat ctl resume` takes updates again" };
        let says = format!("draining: updates are answered 503, what waits is sent; {after}");
        say!(Info, "{says}", pending = self.engine.pending());
        self.notifier.status("draining");
        says
    }

    /// Takes updates again.
    fn resume(&mut self) -> String {
        self.gate.set_shut(false);
        if self.drain.take().is_none() {
            return "updates were taken all the time".to_owned();
        }
        say!(Info, "updates are taken again");
        self.notifier.status("serving");
        "updates are taken again".to_owned()
    }

    /// Whether the process was to end once it is empty, and is.
    fn is_drained(&mut self) -> bool {
        let Some(drain) = &mut self.drain else { return false };
        // Who waits for the release gate cannot be answered now, and is in the journal.
        let waits = self.engine.pending() > self.registry.total(names::ENVELOPES_HELD);
        let drained = drain.is_empty(!waits, self.clock.mono());
        if drained && !std::mem::replace(&mut drain.told, true) {
            say!(
                Info,
                "drained: nothing waits to be sent",
                held = self.registry.total(names::ENVELOPES_HELD)
            );
        }
        drained && drain.then_stop
    }

    /// What balancers are told.
    fn tell_state(&self) {
        let state = match () {
            () if self.drain.is_some() => State::Draining,
            () if self.gate.disk_is_stalled() => State::Stalled,
            () => State::Ready,
        };
        if self.pages.state() != state {
            self.pages.set(state);
        }
    }

    /// Tells the administrators of what has begun or is over.
    fn alert(&mut self) {
        if self.gate.disk_is_stalled() {
            // The journal thread gives its own reason first; a disk that hangs gives none.
            let why = "updates are answered 503: the disk of the data directory has not answered a write for 5 s. \
                       Nothing is lost.";
            self.alarm.raise(Trouble::Journal, why);
        } else {
            self.alarm.clear(Trouble::Journal);
        }
        self.alerts.look(self.clock.now(), self.outbox, self.registry);
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
