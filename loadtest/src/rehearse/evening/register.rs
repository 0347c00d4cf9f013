//! Members of before: they register through the bots, as fast as these go, before the evening begins.
//!
//! The one part that is no open loop and not judged: so many register at once, and the next begins when one is
//! through. Neither the platform nor the server holds to its limits meanwhile.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use super::ears::{Heard, News};
use crate::rehearse::RehearsalError;
use crate::rehearse::stage::Stage;
use crate::report::{Registered, ServerUse};
use crate::student::evening::Person;
use crate::student::evening::mind::{Mind, Seen};
use crate::student::evening::plan::Act;
use crate::student::evening::reading::Saying;
use crate::telegram::{Emulator, Submit};
use crate::wire::What;

/// Registrations under way at once.
const AT_ONCE: usize = 300;
/// Nothing was heard for so long: the bot does not register people.
const PATIENCE: Duration = Duration::from_secs(20);
/// Nothing was called for so long: the server is through with what it owes.
const CALM: Duration = Duration::from_millis(500);
/// The longest wait for that.
const CALM_WITHIN: Duration = Duration::from_secs(60);
/// What the server is told while nobody counts.
const UNLIMITED: [(&str, &str); 3] = [
    ("NOBAT_PACING_PER_LANE_RATE", "1000"),
    ("NOBAT_PACING_CHAT_BURST", "20"),
    ("NOBAT_CHAT_FLOOD_MESSAGES", "256"),
];

/// Registers all members, and stops the server that did it. The stage is as new when this returns.
pub(super) fn all(
    stage: &mut Stage<'_>,
    people: &Arc<[Person]>,
    heard: &Receiver<Heard>,
) -> Result<Registered, RehearsalError> {
    if !people.iter().any(|person| person.member) {
        return Ok(Registered::default());
    }
    let own = stage.environment.variables.clone();
    stage.environment.variables.extend(UNLIMITED.map(|(name, value)| (name.to_owned(), value.to_owned())));
    stage.platform.set_lenient(true);
    stage.start()?;
    let began = Instant::now();
    let members: Vec<Person> = people.iter().copied().filter(|person| person.member).collect();
    let mut desk = Desk { platform: &stage.platform, minds: HashMap::new(), waiting: members.iter() };
    for _ in 0..AT_ONCE {
        desk.admit();
    }
    let mut quiet = Instant::now();
    while !desk.minds.is_empty() && !stage.stop.load(Ordering::Relaxed) {
        match heard.recv_timeout(Duration::from_millis(50)) {
            Ok(news) => {
                quiet = Instant::now();
                desk.hears(&news);
            }
            Err(RecvTimeoutError::Timeout) if quiet.elapsed() < PATIENCE => {}
            Err(_) => break,
        }
    }
    let left = desk.minds.len();
    let seconds = began.elapsed().as_secs_f64();
    drop(desk);
    settle(stage);
    let flag = Arc::clone(&stage.stop);
    let word = stage.stop(&flag);
    stage.platform.set_lenient(false);
    stage.environment.variables = own;
    let usage = std::mem::take(&mut stage.usage);
    if let Some(why) = word {
        return Err(RehearsalError::Members(why));
    }
    if left > 0 || usage.exit != "graceful" {
        let why = format!("{left} of {} did not get through; the server: {}", members.len(), usage.exit);
        return Err(RehearsalError::Members(why));
    }
    let ServerUse { rss_peak_bytes, cpu_s, .. } = usage;
    Ok(Registered { members: members.len() as u64, seconds, rss_peak_bytes, cpu_s })
}

/// Lets the server end what it owes: answers to presses come after the words, and would be the next one's to send.
fn settle(stage: &Stage<'_>) {
    let began = Instant::now();
    let (mut calls, mut moved) = (0, Instant::now());
    while moved.elapsed() < CALM && began.elapsed() < CALM_WITHIN && !stage.stop.load(Ordering::Relaxed) {
        let now = stage.platform.totals().calls;
        if now != calls {
            (calls, moved) = (now, Instant::now());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Those who are at it.
struct Desk<'a> {
    platform: &'a Emulator,
    minds: HashMap<u64, (Person, Mind)>,
    waiting: std::slice::Iter<'a, Person>,
}

impl Desk<'_> {
    fn admit(&mut self) {
        if let Some(person) = self.waiting.next() {
            self.minds.insert(person.user, (*person, Mind::default()));
            self.submit(person, What::Text("/start".to_owned()));
        }
    }

    fn hears(&mut self, news: &Heard) {
        let News::Message { text, invoice, message, buttons } = &news.what else { return };
        let Some((person, mind)) = self.minds.get_mut(&news.user) else { return };
        let seen = Seen { saying: Saying::of(text), invoice: *invoice, message: *message, buttons };
        let person = *person;
        let mut rng = fastrand::Rng::with_seed(person.user);
        let acts = mind.sees(&seen, &person, &mut rng).map_or(Vec::new(), |(_, act)| match act {
            // At home: what a registered person would do he does in the evening.
            Act::Press { .. } | Act::Age => mind.does(act, &person, &mut rng),
            _ => Vec::new(),
        });
        let through = seen.saying == Saying::Ready;
        for what in acts {
            self.submit(&person, what);
        }
        if through {
            self.minds.remove(&person.user);
            self.admit();
        }
    }

    fn submit(&self, person: &Person, what: What) {
        let Person { user, bot, .. } = *person;
        let chat = i64::try_from(user).unwrap_or(i64::MAX);
        let language_code = person.language.tag().into();
        self.platform.submit(Submit {
            bot,
            user,
            chat,
            planned_at: self.platform.now(),
            what,
            language_code,
        });
    }
}
