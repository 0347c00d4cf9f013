//! People: each acts upon what he is shown, and again when nothing comes.
//!
//! What lives here: [`People`], one thread that sees every event before the collector does, and [`Seen`], what the
//! ledger needs of them. They know the bot by its English words, as a user does.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::auditor::Sent;
use crate::auditor::reading::Reading;
use crate::telegram::{Emulator, Submit};
use crate::wire::{At, BotIx, Call, Outcome, Update, What, Wire};

/// What is sold: credits and their price.
pub(super) const PACKAGE: &str = "5:50";

/// Credits of one payment.
pub(super) const CREDITS: u64 = 5;

/// People at once.
const PEOPLE: u64 = 160;

/// Lines that one says in a chat.
const LINES: u32 = 6;

/// Payments of one.
const PAYMENTS: u32 = 40;

/// Nothing came for so long: he tries again.
const IMPATIENCE: Duration = Duration::from_secs(4);

/// Everyone is looked at so often.
const LOOK: Duration = Duration::from_millis(3);

/// A line of a chat: its words say whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Line {
    pub(super) user: u64,
    /// The sender's chats, counted from 1 by what he was shown.
    pub(super) session: u32,
    /// Counted from 0 within it.
    pub(super) nth: u32,
}

impl Line {
    fn text(self) -> String {
        // Letters, so that nothing of it looks as a telephone number.
        let letters: String =
            self.user.to_string().bytes().map(|digit| char::from(digit - b'0' + b'a')).collect();
        format!("line {letters} {} {}", self.session, self.nth)
    }

    fn of(text: &str) -> Option<Line> {
        let mut words = text.strip_prefix("line ")?.split(' ');
        let digits: Option<String> =
            words.next()?.bytes().map(|b| Some(char::from(b.checked_sub(b'a')? + b'0'))).collect();
        let user = digits?.parse().ok()?;
        Some(Line { user, session: words.next()?.parse().ok()?, nth: words.next()?.parse().ok()? })
    }
}

/// What the ledger needs.
#[derive(Default)]
pub(super) struct Seen {
    /// Lines as they reached a chat, in the order of decision of each chat.
    pub(super) reached: Vec<(Line, Sent)>,
    /// Lines as they were written: the update they came in.
    pub(super) written: HashMap<Line, (BotIx, i64)>,
    /// Payments that the platform booked, by user.
    pub(super) charges: HashMap<u64, u64>,
    /// The same news as an update of its own, how often.
    pub(super) told_again: u64,
    /// Credits that users were told to have, by user: the greatest.
    pub(super) credits: HashMap<u64, u64>,
    /// All messages that took effect.
    pub(super) sent: Vec<Sent>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// Answers what he is asked.
    Registering,
    /// Wants this many seconds' rest, then a partner or credits.
    Free,
    Buying,
    Searching,
    Talking,
}

#[derive(Debug)]
struct Person {
    bot: BotIx,
    step: Step,
    session: u32,
    said: u32,
    paid: u32,
    /// The last message with the menu's buttons.
    menu: i64,
    /// When something last happened to him.
    moved: At,
}

/// What is due at a moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Act {
    Write(String),
    Say(u32),
    Press(String, i64),
    Pay(i64),
    PaidAgain,
    Decide,
}

/// A thread of people.
pub(super) struct People {
    resting: Arc<AtomicBool>,
    ending: Arc<AtomicBool>,
    thread: JoinHandle<Seen>,
}

impl People {
    /// Starts them. Every event of `events` is passed on to `told`.
    pub(super) fn start(
        platform: Arc<Emulator>,
        mut events: UnboundedReceiver<Wire>,
        told: UnboundedSender<Wire>,
        bots: usize,
        seed: u64,
    ) -> std::io::Result<People> {
        let (resting, ending) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (rest, end) = (Arc::clone(&resting), Arc::clone(&ending));
        let thread = std::thread::Builder::new().name("people".to_owned()).spawn(move || {
            let mut crowd = Crowd::new(platform, bots, seed);
            loop {
                let last = end.load(Ordering::Acquire);
                while let Ok(event) = events.try_recv() {
                    crowd.see(&event);
                    // The collector outlives the people.
                    let _ = told.send(event);
                }
                if last {
                    return crowd.seen;
                }
                crowd.act(rest.load(Ordering::Relaxed));
                std::thread::sleep(LOOK);
            }
        })?;
        Ok(People { resting, ending, thread })
    }

    /// From now on nobody begins anything.
    pub(super) fn rest(&self) {
        self.resting.store(true, Ordering::Relaxed);
    }

    /// What they have seen.
    pub(super) fn finish(self) -> Seen {
        self.ending.store(true, Ordering::Release);
        // People who panicked saw nothing, which no ledger takes for sound.
        self.thread.join().unwrap_or_default()
    }
}

struct Crowd {
    platform: Arc<Emulator>,
    rng: fastrand::Rng,
    people: HashMap<u64, Person>,
    due: BinaryHeap<Reverse<(At, u64, Act)>>,
    seen: Seen,
}

impl Crowd {
    fn new(platform: Arc<Emulator>, bots: usize, seed: u64) -> Crowd {
        let mut rng = fastrand::Rng::with_seed(seed ^ 0x7065_6F70);
        let (mut people, mut due) = (HashMap::new(), BinaryHeap::new());
        for nth in 0..PEOPLE {
            let (user, bot) = (200_000_000 + nth * 7, nth as usize % bots);
            let person = Person {
                bot,
                step: Step::Registering,
                session: 0,
                said: 0,
                paid: 0,
                menu: 0,
                moved: At::ZERO,
            };
            people.insert(user, person);
            due.push(Reverse((
                Duration::from_millis(500 + rng.u64(0..6_000)),
                user,
                Act::Write("/start".into()),
            )));
        }
        Crowd { platform, rng, people, due, seen: Seen::default() }
    }

    fn soon(&mut self, user: u64, from_ms: u64, act: Act) {
        let at = self.platform.now() + Duration::from_millis(from_ms + self.rng.u64(0..400));
        self.due.push(Reverse((at, user, act)));
    }

    fn see(&mut self, event: &Wire) {
        match event {
            Wire::Call(call) => self.shown(call),
            Wire::Update(Update { user, what: What::Other(what), .. })
                if what.starts_with("successful_payment:") =>
            {
                *self.seen.charges.entry(*user).or_default() += 1;
                for _ in 0..self.rng.u8(..3) {
                    self.soon(*user, 0, Act::PaidAgain);
                    self.soon(*user, 2_000, Act::PaidAgain);
                }
            }
            Wire::Update(Update { what: What::Other(what), .. }) if what == "paid-again" => {
                self.seen.told_again += 1;
            }
            Wire::Update(Update { bot, update_id, what: What::Text(text), .. }) => {
                if let Some(line) = Line::of(text) {
                    self.seen.written.insert(line, (*bot, *update_id));
                }
            }
            _ => {}
        }
    }

    /// A message came.
    fn shown(&mut self, call: &Call) {
        let unanswered = matches!(call.outcome, Outcome::AcceptedUnanswered { .. });
        let (Outcome::Accepted { message_id } | Outcome::AcceptedUnanswered { message_id }) = &call.outcome
        else {
            return;
        };
        let (Some(chat), true) =
            (call.chat, call.method.starts_with("send") && call.method != "sendchataction")
        else {
            return;
        };
        let sent = Sent {
            bot: call.bot,
            chat,
            decided_at: call.decided_at,
            answered_at: call.answered_at.filter(|_| !unanswered),
            line: call.line,
            arrived_at: call.arrived_at,
            reading: Reading::Words,
            edits: None,
        };
        self.seen.sent.push(sent.clone());
        let text = call.text.as_deref().unwrap_or_default();
        if let Some(line) = Line::of(text) {
            self.seen.reached.push((line, sent));
        }
        let user = chat.unsigned_abs();
        let now = self.platform.now();
        if let Some(person) = self.people.get_mut(&user) {
            person.moved = now;
            let message = message_id.unwrap_or_default();
            if call.method == "sendinvoice" {
                return self.soon(user, 50, Act::Pay(message));
            }
            self.read(user, text, message, &call.buttons);
        }
    }

    fn read(&mut self, user: u64, text: &str, message: i64, buttons: &[(String, String)]) {
        let button = |prefix: &str| {
            buttons.iter().find(|(_, data)| data.starts_with(prefix)).map(|(_, data)| data.clone())
        };
        if let Some(data) = button("l:en").or_else(|| button("g:")) {
            return self.soon(user, 100, Act::Press(data, message));
        }
        if text.contains("How old are you") {
            return self.soon(user, 100, Act::Write("30".into()));
        }
        let Some(person) = self.people.get_mut(&user) else { return };
        let became = |step| if person.step == step { None } else { Some(step) };
        if let Some(credits) = text.split_once("Your credits:").map(|(_, credits)| digits(credits)) {
            let most = self.seen.credits.entry(user).or_default();
            *most = credits.max(*most);
            person.paid += 1;
            if let Some(step) = became(Step::Free).filter(|_| person.step == Step::Buying) {
                person.step = step;
                self.soon(user, 200, Act::Decide);
            }
        } else if text.contains("You have a partner") {
            (person.step, person.said) = (Step::Talking, 0);
            person.session += 1;
            let session = person.session;
            self.soon(user, 300, Act::Say(session));
        } else if ["Your profile is complete", "left the chat", "the chat has ended", "Nobody was there"]
            .iter()
            .any(|end| text.contains(end))
        {
            person.menu = message;
            if became(Step::Free).is_some() {
                person.step = Step::Free;
                self.soon(user, 300, Act::Decide);
            }
        }
    }

    /// Does what is due.
    fn act(&mut self, resting: bool) {
        let now = self.platform.now();
        while self.due.peek().is_some_and(|Reverse((at, ..))| *at <= now) {
            let Some(Reverse((_, user, act))) = self.due.pop() else { return };
            // What was begun is paid for; nothing else is begun.
            if !resting || matches!(act, Act::Pay(_)) {
                self.perform(user, act, now);
            }
        }
        if resting {
            return;
        }
        let bored =
            |person: &Person| now.saturating_sub(person.moved) > IMPATIENCE && !person.moved.is_zero();
        let bored: Vec<u64> =
            self.people.iter().filter(|(_, person)| bored(person)).map(|(user, _)| *user).collect();
        for user in bored {
            if let Some(person) = self.people.get_mut(&user) {
                person.moved = now;
            }
            self.again(user);
        }
    }

    fn perform(&mut self, user: u64, act: Act, now: At) {
        let Some(person) = self.people.get_mut(&user) else { return };
        match act {
            Act::Write(text) => self.submit(user, What::Text(text), now),
            Act::Press(data, message_id) => {
                self.submit(user, What::Press { data, message_id, callback_id: String::new() }, now);
            }
            Act::Pay(message) => self.submit(user, What::Other(format!("pay:{message}")), now),
            Act::PaidAgain => self.submit(user, What::Other("paid-again".into()), now),
            Act::Decide if person.paid < PAYMENTS && self.rng.u8(..3) == 0 => {
                person.step = Step::Buying;
                let message_id = person.menu;
                let data = format!("b:credits:{PACKAGE}");
                self.submit(user, What::Press { data, message_id, callback_id: String::new() }, now);
            }
            Act::Decide => {
                person.step = Step::Searching;
                self.submit(user, What::Text("/find".into()), now);
            }
            Act::Say(session) if person.step == Step::Talking && person.session == session => {
                let line = Line { user, session, nth: person.said };
                person.said += 1;
                let (over, stops) = (person.said >= LINES, self.rng.bool());
                self.submit(user, What::Text(line.text()), now);
                match (over, stops) {
                    (false, _) => self.soon(user, 1_200, Act::Say(session)),
                    (true, true) => self.soon(user, 1_200, Act::Write("/stop".into())),
                    (true, false) => {}
                }
            }
            Act::Say(_) => {}
        }
    }

    /// Nothing came for long.
    fn again(&mut self, user: u64) {
        let Some(person) = self.people.get_mut(&user) else { return };
        let act = match person.step {
            Step::Registering => Act::Write("/start".into()),
            Step::Free | Step::Buying | Step::Searching => Act::Decide,
            Step::Talking if person.said >= LINES => Act::Write("/stop".into()),
            Step::Talking => Act::Say(person.session),
        };
        if person.step == Step::Searching {
            // Who stands in line is told so.
            return self.soon(user, 0, Act::Write("/find".into()));
        }
        self.soon(user, 0, act);
    }

    fn submit(&mut self, user: u64, what: What, now: At) {
        let Some(person) = self.people.get(&user) else { return };
        let (bot, chat) = (person.bot, i64::try_from(user).unwrap_or_default());
        self.platform.submit(Submit { bot, user, chat, planned_at: now, what, language_code: "en".into() });
    }
}

/// The number in a text that may hold marks of direction.
fn digits(text: &str) -> u64 {
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    digits.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whose_it_is_and_other_texts_do_not() {
        let line = Line { user: 200_000_007, session: 3, nth: 5 };
        assert_eq!(line.text(), "line caaaaaaah 3 5");
        assert_eq!(Line::of(&line.text()), Some(line));
        for other in ["line", "line  1 2", "line caa 1", "hello", "line caa 1 x"] {
            assert_eq!(Line::of(other), None, "{other}");
        }
        assert_eq!(digits(" \u{2068}15\u{2069}"), 15);
    }
}
