//! What `nobat ctl` is answered: a look at the counters, or an order to the main thread.

use super::orders::{Order, Orders, Told};
use crate::admin::Pages;
use crate::channel::telegram::Api;
use crate::channel::telegram::api::get_me;
use crate::clock::Clock;
use crate::config::{Config, LaneConfig, Secret, Setting, VaultPlace, added};
use crate::ctl::server::{self, Desk};
use crate::ctl::{Request, quoted};
use crate::observe::{incident, log};
use crate::outbound::{Mail, Outbox};
use crate::supervisor::Sockets;
use crate::supervisor::upgrade::Program;
use crate::{note, say};
use nobat_core::time::UnixMillis;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// For the main thread to come to an order; it looks each tenth of a second, and reads a data set in seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The desk of a running process.
pub(super) struct CtlDesk {
    pub(super) pages: Arc<Pages>,
    pub(super) orders: Arc<Orders>,
    pub(super) outbox: Outbox,
    pub(super) lanes: Vec<LaneConfig>,
    pub(super) platform: Box<dyn Api + Send + Sync>,
    pub(super) program: Arc<Program>,
    pub(super) data_dir: PathBuf,
    /// Where an added token is sealed.
    pub(super) vault: VaultPlace,
    pub(super) settings: Vec<Setting>,
    pub(super) clock: Clock,
    pub(super) started: UnixMillis,
    /// Why the program that was put in this one's place is gone again.
    pub(super) fell_back: Option<String>,
}

/// Opens it at the socket that was handed in, or at a new one. Without it the process serves all the same.
pub(super) fn open(config: &Config, sockets: &mut Sockets, desk: CtlDesk) -> Option<server::Handle> {
    let opened = match sockets.ctl.take() {
        Some(listener) => Ok(listener),
        None => server::bind(&config.data_dir),
    };
    let spawned = opened.and_then(|listener| {
        sockets.ctl = Some(listener.try_clone()?);
        server::spawn(listener, Arc::new(desk))
    });
    spawned.map_err(|e| say!(Warn, "`nobat ctl` does not work in this process: its socket: {e}")).ok()
}

impl Desk for CtlDesk {
    fn answer(&self, request: Request) -> Result<String, String> {
        if !matches!(request, Request::Status) {
            note!(Admin, Info, "asked by `nobat ctl`", what = request.shown());
        }
        match request {
            Request::Status => Ok(self.status()),
            Request::Dump => Ok(self.dump()),
            Request::Pause(lane) => self.set_paused(lane, true),
            Request::Resume(lane) => self.set_paused(lane, false),
            Request::Drain(then_stop) => self.order(Order::Drain { then_stop }),
            Request::Undrain => self.order(Order::Resume),
            Request::Reload => self.order(Order::Reload),
            Request::ReopenLogs => self.order(Order::ReopenLogs),
            Request::Stop => self.order(Order::Stop),
            Request::AddToken(token) => self.add_token(&token),
            Request::Error(name) => match incident::explain(&name) {
                Some(told) => Ok(format!("\"says\":{}", quoted(&told))),
                None => Err(format!(
                    "no error `{name}` is remembered by this process: look for it in the log, in error.log if log.dir is set"
                )),
            },
            Request::Upgrade(binary) => {
                let candidate = self.program.try_out(binary.as_deref(), &self.data_dir);
                if let Err(why) = &candidate {
                    say!(Error, "the upgrade is refused, this program goes on: {why}");
                }
                self.order(Order::Replace(candidate?))
            }
        }
    }
}

impl CtlDesk {
    fn order(&self, order: Order) -> Result<String, String> {
        let (reply, told) = sync_channel::<Told>(1);
        if !self.orders.ask(order, Some(reply)) {
            return Err("too many orders wait already".to_owned());
        }
        let told = told.recv_timeout(PATIENCE);
        let told = told.map_err(|_| "the process did not come to it: look at its log".to_owned())?;
        told.map(|says| format!("\"says\":{}", quoted(&says)))
    }

    /// Another lane. The platform is asked whose token it is; then this program restarts itself with it, as in an
    /// upgrade, so nobody is refused.
    fn add_token(&self, token: &Secret) -> Result<String, String> {
        let id = added::check(&self.lanes, token)?;
        let bot = get_me(&*self.platform, token).map_err(|e| e.to_string())?;
        if bot.id != id.0 {
            return Err(format!("the platform says that it is the token of bot {}", bot.id));
        }
        let before = added::add(&self.vault, &self.lanes, token)?;
        match self.program.try_out(None, &self.data_dir) {
            Ok(candidate) => {
                self.order(Order::Replace(candidate))?;
                let lane = self.lanes.len();
                Ok(format!("\"says\":{}", quoted(&format!("@{} is lane {lane}", bot.username))))
            }
            Err(why) => {
                let kept = before
                    .restore()
                    .map_or_else(|e| format!("; it stays in tokens.added: {e}"), |()| String::new());
                Err(format!("the token was not added: {why}{kept}"))
            }
        }
    }

    fn set_paused(&self, lane: u16, paused: bool) -> Result<String, String> {
        if usize::from(lane) >= self.lanes.len() {
            let last = self.lanes.len().saturating_sub(1);
            return Err(format!("there is no lane {lane}: they are 0 to {last}"));
        }
        self.outbox.put(Mail::Pause { lane: lane.into(), paused });
        self.outbox.wake();
        let says = match paused {
            true => format!(
                "lane {lane} is paused: what waits for it waits; `nobat ctl resume {lane}` lets it go on"
            ),
            false => format!("lane {lane} goes on"),
        };
        Ok(format!("\"says\":{}", quoted(&says)))
    }

    fn status(&self) -> String {
        let fell_back = self.fell_back.as_deref().map_or("null".to_owned(), quoted);
        format!(
            "\"pid\":{},\"started_unix_ms\":{},\"now_unix_ms\":{},\"data_dir\":{},\"fell_back\":{fell_back},\"alarms\":[{}],\"stats\":{}",
            std::process::id(),
            self.started.0,
            self.clock.now().wall.0,
            quoted(&self.data_dir.display().to_string()),
            log::alarms().iter().map(|line| quoted(line)).collect::<Vec<_>>().join(","),
            self.pages.stats(self.clock.mono())
        )
    }

    fn dump(&self) -> String {
        let setting = |setting: &Setting| {
            let Setting { key, value, origin } = setting;
            format!("{}:[{},{}]", quoted(key), quoted(value), quoted(&origin.to_string()))
        };
        let settings: Vec<_> = self.settings.iter().map(setting).collect();
        let metrics = quoted(&self.pages.metrics());
        format!("{},\"settings\":{{{}}},\"metrics\":{metrics}", self.status(), settings.join(","))
    }
}
