//! What an operator does to a running server that nobody should notice: live upgrades, restarts behind a socket that a
//! service manager holds, reloads; when each is due, and how each is done and judged.
//!
//! What lives here: [`Changes`], what is wanted; [`Changing`], the rest of it in mid-run, which the stage carries; and
//! the socket that is held for the server. Who would notice is in `knock`.

use std::collections::VecDeque;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::knock::Knockers;
use super::server::{Environment, Server, ServerCommand};
use super::stage::Stage;
use crate::profile::Profile;
use crate::report::Changed;

/// As `contrib/systemd/nobat.socket` has it: who comes while the server restarts waits here.
const BACKLOG: i32 = 4096;

/// How often the server is changed in mid-run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Live upgrades: `ctl upgrade`.
    pub upgrades: u32,
    /// Restarts by SIGTERM and a new process, its listening socket held by the rehearsal as systemd holds it.
    pub restarts: u32,
    /// Reloads of a changed configuration: `ctl reload`.
    pub reloads: u32,
    /// Nobody holds the socket at restarts: a bug on purpose, which the newcomers must notice.
    pub clumsy: bool,
}

impl Changes {
    /// All of them.
    pub fn count(self) -> u32 {
        self.upgrades + self.restarts + self.reloads
    }
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Upgrade,
    Restart,
    Reload,
}

/// What is still to be done, who watches, and what was seen.
#[derive(Default)]
pub(super) struct Changing {
    due: VecDeque<(Duration, Act)>,
    /// Held as long as the rehearsal lasts.
    socket: Option<TcpListener>,
    knockers: Option<Knockers>,
    /// When each was begun and was over.
    spans: Vec<(Act, Instant, Instant)>,
    troubles: Vec<String>,
    asked: u32,
}

impl Changing {
    /// Opens the socket if it is to be held. To be called before the server's first start.
    pub(super) fn prepare(changes: Changes, listen: SocketAddr) -> std::io::Result<Self> {
        let mut changing = Self { asked: changes.count(), ..Self::default() };
        if changes.restarts > 0 && !changes.clumsy {
            let socket = TcpListener::bind(listen)?;
            rustix::net::listen(&socket, BACKLOG)?;
            changing.socket = Some(socket);
        }
        Ok(changing)
    }

    /// Lays the changes over a schedule of this length, and lets newcomers knock at `listen`.
    pub(super) fn begin(
        &mut self,
        changes: Changes,
        profile: &Profile,
        length: Duration,
        listen: SocketAddr,
    ) -> std::io::Result<()> {
        if changes.count() > 0 {
            self.due = moments(changes, profile.seed, length);
            self.knockers = Some(Knockers::start(listen)?);
        }
        Ok(())
    }

    /// Nothing is to be done any more.
    pub(super) fn is_over(&self) -> bool {
        self.due.is_empty()
    }

    /// Sends the newcomers home; none if nothing was to be changed.
    pub(super) fn finish(&mut self) -> Option<Changed> {
        let knocks = self.knockers.take()?.finish();
        let done = |act: Act| self.spans.iter().filter(move |(what, ..)| *what == act);
        let pauses = |act| done(act).map(|(_, began, over)| knocks.longest_within(*began, *over)).collect();
        Some(Changed {
            asked: self.asked,
            upgrades: done(Act::Upgrade).count() as u32,
            restarts: done(Act::Restart).count() as u32,
            reloads: done(Act::Reload).count() as u32,
            troubles: std::mem::take(&mut self.troubles),
            newcomers: knocks.waits(),
            refused_connects: knocks.refused,
            raced: knocks.raced,
            upgrade_pauses_ms: pauses(Act::Upgrade),
            restart_pauses_ms: pauses(Act::Restart),
        })
    }
}

/// Evenly over the schedule, from its first tenth to its last, in an order that follows from the seed.
fn moments(changes: Changes, seed: u64, length: Duration) -> VecDeque<(Duration, Act)> {
    let mut acts: Vec<Act> =
        [(changes.upgrades, Act::Upgrade), (changes.restarts, Act::Restart), (changes.reloads, Act::Reload)]
            .into_iter()
            .flat_map(|(count, act)| std::iter::repeat_n(act, count as usize))
            .collect();
    fastrand::Rng::with_seed(seed ^ 0x0063_6861_6E67_6521).shuffle(&mut acts);
    let step = 0.8 / acts.len().max(1) as f64;
    let at = |nth: usize| length.mul_f64(0.1 + step * (nth as f64 + 0.5));
    acts.into_iter().enumerate().map(|(nth, act)| (at(nth), act)).collect()
}

impl Stage<'_> {
    /// Does what is due. Takes as long as it takes; the platform and the students go on meanwhile.
    pub(super) fn change_if_due(&mut self, at: Duration) {
        if self.changing.due.front().is_none_or(|(moment, _)| *moment > at) || self.server.is_none() {
            return;
        }
        let Some((_, act)) = self.changing.due.pop_front() else { return };
        let began = Instant::now();
        let done = match act {
            Act::Upgrade => ctl(self.command, &self.environment, "upgrade"),
            Act::Reload => reconfigure(&self.environment, self.changing.spans.len())
                .and_then(|()| ctl(self.command, &self.environment, "reload")),
            Act::Restart => self.restart(),
        };
        match done {
            Ok(()) => self.changing.spans.push((act, began, Instant::now())),
            Err(why) => self.changing.troubles.push(format!("{act:?}: {why}")),
        }
    }

    /// SIGTERM, its end in order, and a new process. Nothing may be repeated because of it, so the auditor is not told.
    fn restart(&mut self) -> Result<(), String> {
        let Some(mut server) = self.server.take() else { return Err("it does not run".to_owned()) };
        let (usage, word) = server.stop();
        self.add(usage);
        self.launch().map_err(|error| {
            self.died = Some(format!("after a restart: {error}"));
            error.to_string()
        })?;
        if word == "graceful" { Ok(()) } else { Err(word) }
    }

    /// Starts a process, behind the socket that is held if one is.
    pub(super) fn process(&self) -> Result<Server, super::RehearsalError> {
        match &self.changing.socket {
            None => Server::start(self.command, &self.environment, &self.server_log),
            Some(socket) => Server::run(activated(self.command, socket), &self.environment, &self.server_log),
        }
    }
}

/// As systemd starts a unit with a socket: the socket is descriptor 3. The process id is known only within the child,
/// which keeps it through `exec`.
fn activated(command: &ServerCommand, socket: &TcpListener) -> impl Fn(&Environment) -> Command {
    let copy = socket.try_clone().map(OwnedFd::from).map(Stdio::from);
    let copy = std::cell::Cell::new(copy.ok());
    move |environment| {
        let served = command.command(environment);
        let mut shell = Command::new("sh");
        shell.env_clear().args(["-c", "export LISTEN_PID=$$; exec \"$0\" \"$@\" 3<&0 0</dev/null"]);
        shell.arg(served.get_program()).args(served.get_args());
        shell.envs(served.get_envs().filter_map(|(name, value)| Some((name, value?))));
        shell.envs([("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "webhook")]);
        shell.stdin(copy.take().unwrap_or_else(Stdio::null));
        shell
    }
}

/// A configuration that is another each time, in what a reload takes into use.
fn reconfigure(environment: &Environment, nth: usize) -> Result<(), String> {
    let path = environment.data.join("nobat.toml");
    fs::write(&path, format!("[log]\nupdates_per_second = {}\n", 40 + nth % 20)).map_err(|e| e.to_string())
}

/// `ctl`, which must succeed.
fn ctl(command: &ServerCommand, environment: &Environment, what: &str) -> Result<(), String> {
    let mut ctl = command.command(environment);
    let ended = ctl.args(["ctl", what]).current_dir(&environment.data).output().map_err(|e| e.to_string())?;
    if ended.status.success() {
        return Ok(());
    }
    Err(format!("{}: {}", ended.status, String::from_utf8_lossy(&ended.stderr).trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_lie_evenly_over_the_schedule_in_an_order_of_the_seed() {
        let changes = Changes { upgrades: 3, restarts: 2, reloads: 5, clumsy: false };
        let length = Duration::from_secs(100);
        let first = moments(changes, 7, length);
        assert_eq!(first, moments(changes, 7, length));
        assert_eq!(first.len(), changes.count() as usize);
        assert!(first.iter().zip(first.iter().skip(1)).all(|((a, _), (b, _))| a < b));
        assert!(first.iter().all(|(at, _)| (10..=90).contains(&at.as_secs())));
        let of = |act: Act| first.iter().filter(|(_, what)| *what == act).count();
        assert_eq!((of(Act::Upgrade), of(Act::Restart), of(Act::Reload)), (3, 2, 5));
        assert!(moments(Changes::default(), 7, length).is_empty());
    }
}
