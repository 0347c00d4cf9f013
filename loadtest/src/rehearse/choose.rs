//! Students who press buttons: they see a list, take a moment, and press the button that names them.
//!
//! The only students that react to the server: which data a button carries is known when it is shown. Latency
//! counts from the moment at which they meant to press, as for everyone else. They read labels as a person
//! does and never look into the data.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::profile::Profile;
use crate::student::{Wish, Wishes};
use crate::telegram::{Emulator, Submit};
use crate::wire::{At, BotIx, Call, Outcome, What, Wire};

/// How long a person looks at a list, uncompressed; in a compressed day never less than the least.
const LOOKS: (f64, f64) = (2.0, 8.0);
const LOOKS_LEAST: Duration = Duration::from_millis(150);
/// Of so many presses one comes twice, a moment later: an impatient finger.
const DOUBLE: u64 = 10;
const DOUBLE_AFTER: Duration = Duration::from_millis(200);
/// Of so many lists one is answered first with a button of somebody else's list: a client made by hand.
const MEDDLES: u64 = 6;
/// Lists that one student looks at, at most: pages and the one of the full name.
const LISTS_MAX: u32 = 9;
/// How often a long wait looks whether it is to end.
const LOOK: Duration = Duration::from_millis(20);

/// A list as it was shown to one student.
struct List {
    at: At,
    bot: BotIx,
    user: u64,
    message_id: i64,
    buttons: Vec<(String, String)>,
}

/// Hands lists that were shown on to the students who look for somebody.
pub(super) struct Lists {
    sender: Sender<List>,
    pending: Arc<AtomicU64>,
}

impl Lists {
    /// To be called with every event.
    pub(super) fn see(&self, event: &Wire) {
        let Wire::Call(call) = event else { return };
        let Some(list) = list(call) else { return };
        self.pending.fetch_add(1, Ordering::AcqRel);
        if self.sender.send(list).is_err() {
            self.pending.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

fn list(call: &Call) -> Option<List> {
    let (Outcome::Accepted { message_id } | Outcome::AcceptedUnanswered { message_id }) = &call.outcome
    else {
        return None;
    };
    if call.buttons.is_empty() {
        return None;
    }
    let edited = call.params.get("message_id").and_then(serde_json::Value::as_i64);
    Some(List {
        at: call.decided_at,
        bot: call.bot,
        user: u64::try_from(call.chat?).ok()?,
        message_id: edited.or(*message_id)?,
        buttons: call.buttons.clone(),
    })
}

/// The students who look at lists.
pub(super) struct Choosers {
    thread: JoinHandle<()>,
    stop: Arc<AtomicBool>,
    pending: Arc<AtomicU64>,
    caused: Arc<AtomicU64>,
}

impl Choosers {
    /// Starts them, on a thread of their own.
    pub(super) fn start(
        platform: Arc<Emulator>,
        wishes: Wishes,
        profile: &Profile,
    ) -> std::io::Result<(Choosers, Lists)> {
        let (sender, lists) = channel();
        let stop = Arc::new(AtomicBool::new(false));
        let (pending, caused) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
        let crowd = Crowd {
            platform,
            wishes,
            compress: profile.compress.max(1.0),
            rng: fastrand::Rng::with_seed(profile.seed),
            due: BTreeMap::new(),
            planned: 0,
            seen: HashMap::new(),
            somebodys: None,
            pending: Arc::clone(&pending),
            caused: Arc::clone(&caused),
        };
        let ending = Arc::clone(&stop);
        let thread = std::thread::Builder::new().name("choosers".to_owned());
        let thread = thread.spawn(move || crowd.run(&lists, &ending))?;
        Ok((Choosers { thread, stop, pending: Arc::clone(&pending), caused }, Lists { sender, pending }))
    }

    /// Nobody looks at a list or is about to press.
    pub(super) fn are_idle(&self) -> bool {
        self.thread.is_finished() || self.pending.load(Ordering::Acquire) == 0
    }

    /// Presses and questions so far.
    pub(super) fn caused(&self) -> u64 {
        self.caused.load(Ordering::Relaxed)
    }

    /// Sends them home; the platform is let go of when this returns.
    pub(super) fn finish(self) {
        self.stop.store(true, Ordering::Release);
        // One that panicked has let go as well.
        let _ = self.thread.join();
    }
}

struct Crowd {
    platform: Arc<Emulator>,
    wishes: Wishes,
    compress: f64,
    rng: fastrand::Rng,
    /// What will be done, by its moment; the second key tells equal moments apart.
    due: BTreeMap<(At, u64), Submit>,
    planned: u64,
    /// Lists that each student has seen.
    seen: HashMap<u64, u32>,
    /// A button that somebody was shown, and whom it belongs to.
    somebodys: Option<(u64, String)>,
    /// Lists on the way, and what is due.
    pending: Arc<AtomicU64>,
    caused: Arc<AtomicU64>,
}

impl Crowd {
    fn run(mut self, lists: &Receiver<List>, stop: &AtomicBool) {
        while !stop.load(Ordering::Acquire) {
            let now = self.platform.now();
            while self.due.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
                if let Some((_, submit)) = self.due.pop_first() {
                    self.platform.submit(submit);
                    self.caused.fetch_add(1, Ordering::Relaxed);
                    self.pending.fetch_sub(1, Ordering::AcqRel);
                }
            }
            let next = self.due.first_key_value().map_or(LOOK, |((at, _), _)| at.saturating_sub(now));
            match lists.recv_timeout(next.min(LOOK)) {
                Ok(list) => {
                    self.look_at(list);
                    self.pending.fetch_sub(1, Ordering::AcqRel);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if self.due.is_empty() => return,
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(next.min(LOOK)),
            }
        }
    }

    /// Decides what one student does about one list.
    fn look_at(&mut self, list: List) {
        let Some(wish) = self.wishes.get(&list.user).cloned() else { return };
        let seen = self.seen.entry(list.user).or_default();
        *seen += 1;
        if *seen > LISTS_MAX {
            return;
        }
        let looks = LOOKS.0 + self.rng.f64() * (LOOKS.1 - LOOKS.0);
        let at = list.at + Duration::from_secs_f64(looks / self.compress).max(LOOKS_LEAST);
        let Some(what) = choice(&list, &wish) else {
            let text = What::Text(wish.name);
            return self.plan(at, list.bot, list.user, text);
        };
        if let Some((owner, stolen)) = self.somebodys.clone()
            && owner != list.user
            && self.rng.u64(..MEDDLES) == 0
        {
            self.plan(at, list.bot, list.user, press(&list, &stolen));
        }
        self.plan(at, list.bot, list.user, press(&list, what));
        if self.rng.u64(..DOUBLE) == 0 {
            self.plan(at + DOUBLE_AFTER, list.bot, list.user, press(&list, what));
        }
        self.somebodys = Some((list.user, what.to_owned()));
    }

    fn plan(&mut self, at: At, bot: BotIx, user: u64, what: What) {
        let chat = i64::try_from(user).unwrap_or(i64::MAX);
        let submit = Submit { bot, user, chat, planned_at: at, what, language_code: "ar".into() };
        self.pending.fetch_add(1, Ordering::AcqRel);
        self.planned += 1;
        self.due.insert((at, self.planned), submit);
    }
}

/// The data of the button that names him, else of the one to the next page.
fn choice<'a>(list: &'a List, wish: &Wish) -> Option<&'a str> {
    let plain =
        |label: &str| label.chars().filter(|c| !matches!(c, '\u{2068}' | '\u{2069}')).collect::<String>();
    let mine = list.buttons.iter().find(|(label, _)| {
        let label = plain(label);
        // Long labels are cut, and nobody sees what was cut off.
        wish.label.starts_with(label.trim()) && label.contains(&wish.name)
    });
    let next = || list.buttons.iter().find(|(label, _)| label.contains("التالي") || label.contains("Next"));
    mine.or_else(next).map(|(_, data)| data.as_str())
}

fn press(list: &List, data: &str) -> What {
    What::Press { data: data.to_owned(), message_id: list.message_id, callback_id: String::new() }
}
