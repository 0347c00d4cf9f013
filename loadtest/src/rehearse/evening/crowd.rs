//! The students of an evening at work: each intent of the plan at its moment, each reaction when it is thought of.
//!
//! An open loop: moments are fixed before, by the plan or by when a message reached a student; a slow server can
//! neither delay nor bunch them. Whether an intent makes sense is the student's to say at its moment.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::ears::{Heard, News};
use crate::student::evening::mind::{Mind, Seen};
use crate::student::evening::plan::{Act, Plan};
use crate::student::evening::reading::Saying;
use crate::student::evening::{ADMIN, Person};
use crate::telegram::{Emulator, Submit};
use crate::wire::{At, What};

/// How often a long wait looks whether it is to end.
const LOOK: Duration = Duration::from_millis(5);

/// Reactions go on for so long after the last word, so that nothing breaks off in the middle.
const LINGERS: Duration = Duration::from_secs(3);

/// The students at it.
pub(super) struct Crowd {
    thread: JoinHandle<()>,
    stop: Arc<AtomicBool>,
    intended: Arc<AtomicU64>,
    idle: Arc<AtomicBool>,
}

impl Crowd {
    /// Begins the plan at `epoch` of the platform's clock, on a thread of its own.
    pub(super) fn start(
        platform: Arc<Emulator>,
        people: Arc<[Person]>,
        plan: Plan,
        heard: Receiver<Heard>,
        (epoch, length): (At, Duration),
        stop: Arc<AtomicBool>,
    ) -> std::io::Result<Crowd> {
        let (intended, idle) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let mind = |person: &Person| if person.member { Mind::member() } else { Mind::default() };
        let room = Room {
            minds: people.iter().map(mind).collect(),
            by_user: (0..).zip(people.iter()).map(|(nth, person)| (person.user, nth)).collect(),
            people,
            platform,
            rng: fastrand::Rng::with_seed(plan.intents.len() as u64),
            due: BTreeMap::new(),
            planned: 0,
            end: epoch + length + LINGERS,
            charges: HashMap::new(),
        };
        let over = Arc::new(AtomicBool::new(false));
        let (ending, counter, resting) = (Arc::clone(&over), Arc::clone(&intended), Arc::clone(&idle));
        let thread = std::thread::Builder::new().name("crowd".to_owned()).spawn(move || {
            room.run(
                plan,
                &heard,
                epoch,
                &|| ending.load(Ordering::Acquire) || stop.load(Ordering::Relaxed),
                (&counter, &resting),
            );
        })?;
        Ok(Crowd { thread, stop: over, intended, idle })
    }

    /// Intents of the plan so far.
    pub(super) fn intended(&self) -> u64 {
        self.intended.load(Ordering::Relaxed)
    }

    /// The plan is through, and nobody is about to do anything.
    pub(super) fn is_idle(&self) -> bool {
        self.thread.is_finished() || self.idle.load(Ordering::Acquire)
    }

    /// Sends them home; the platform is let go of when this returns.
    pub(super) fn finish(self) {
        self.stop.store(true, Ordering::Release);
        // One that panicked has let go as well.
        let _ = self.thread.join();
    }
}

struct Room {
    platform: Arc<Emulator>,
    people: Arc<[Person]>,
    by_user: HashMap<u64, u32>,
    minds: Vec<Mind>,
    rng: fastrand::Rng,
    /// Reactions by their moment; the second key tells equal moments apart.
    due: BTreeMap<(At, u64), (u32, Act)>,
    planned: u64,
    /// Who is told something after this has put his telephone away.
    end: At,
    /// The last payment of each, until it is given back.
    charges: HashMap<u32, String>,
}

impl Room {
    fn run(
        mut self,
        plan: Plan,
        heard: &Receiver<Heard>,
        epoch: At,
        stopped: &dyn Fn() -> bool,
        (intended, idle): (&AtomicU64, &AtomicBool),
    ) {
        let mut intents = plan.intents.into_iter().peekable();
        while !stopped() {
            let now = self.platform.now();
            while let Some(intent) = intents.next_if(|intent| epoch + intent.at <= now) {
                self.act(epoch + intent.at, intent.person, intent.act);
                intended.fetch_add(1, Ordering::Relaxed);
            }
            while self.due.first_key_value().is_some_and(|((at, _), _)| *at <= now) {
                if let Some(((at, _), (person, act))) = self.due.pop_first() {
                    self.act(at, person, act);
                }
            }
            idle.store(intents.peek().is_none() && self.due.is_empty(), Ordering::Release);
            let first = self.due.first_key_value().map(|((at, _), _)| *at);
            let next = intents.peek().map(|intent| epoch + intent.at).into_iter().chain(first).min();
            let wait = next.map_or(LOOK, |next| next.saturating_sub(self.platform.now()));
            match heard.recv_timeout(wait.min(LOOK)) {
                Ok(news) => self.hears(news),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => std::thread::sleep(wait.min(LOOK)),
            }
            while let Ok(news) = heard.try_recv() {
                self.hears(news);
            }
        }
    }

    fn hears(&mut self, news: Heard) {
        let Some(&nth) = self.by_user.get(&news.user) else { return };
        let person = self.people[nth as usize];
        match news.what {
            News::Charge(charge) => drop(self.charges.insert(nth, charge)),
            News::Own(message) => self.minds[nth as usize].said(message),
            News::Message { text, invoice, message, buttons } if news.bot == person.bot => {
                let seen = Seen { saying: Saying::of(&text), invoice, message, buttons: &buttons };
                let reaction = self.minds[nth as usize].sees(&seen, &person, &mut self.rng);
                if let Some((after, act)) = reaction.filter(|(after, _)| news.at + *after <= self.end) {
                    self.planned += 1;
                    self.due.insert((news.at + after, self.planned), (nth, act));
                }
            }
            News::Message { .. } => {}
        }
    }

    fn act(&mut self, at: At, nth: u32, act: Act) {
        let person = self.people[nth as usize];
        if act == Act::Refund {
            if let Some(charge) = self.charges.remove(&nth) {
                let text = format!("/refund {} {charge}", person.user);
                self.submit(at, ADMIN, &person, What::Text(text));
            }
            return;
        }
        for what in self.minds[nth as usize].does(act, &person, &mut self.rng) {
            self.submit(at, person.user, &person, what);
        }
    }

    /// To the bot of `person`, from him or from the operator.
    fn submit(&self, planned_at: At, user: u64, person: &Person, what: What) {
        let chat = i64::try_from(user).unwrap_or(i64::MAX);
        let language_code = person.language.tag().into();
        self.platform.submit(Submit { bot: person.bot, user, chat, planned_at, what, language_code });
    }
}
