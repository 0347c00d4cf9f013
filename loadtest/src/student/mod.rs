//! What students write: one script each, fixed before the first update leaves.
//!
//! What lives here: scripts alone. When a student comes is `profile`'s, how the words reach the bot is the
//! emulated platform's.

pub mod evening;

use std::collections::HashMap;
use std::time::Duration;

use crate::dataset::Truth;
use crate::profile::{Planned, Profile};
use crate::wire::{BotIx, What};

/// Shares and waits of the day, uncompressed. Together they come to about three messages a student.
mod habit {
    /// Begins with /start.
    pub(super) const GREETS: f64 = 0.9;
    /// Writes something that is no number first.
    pub(super) const MISUNDERSTANDS: f64 = 0.025;
    /// Mistypes the number first, into one that nobody has.
    pub(super) const MISTYPES: f64 = 0.03;
    /// Asks again while waiting; and then again.
    pub(super) const IMPATIENT: f64 = 0.35;
    pub(super) const STILL_IMPATIENT: f64 = 0.4;
    /// Asks for a friend as well.
    pub(super) const HAS_A_FRIEND: f64 = 0.28;
    /// Asks far more often than the limit allows.
    pub(super) const HAMMERS: f64 = 0.004;
    pub(super) const HAMMER_BLOWS: usize = 15;
    /// Asks for help.
    pub(super) const WANTS_HELP: f64 = 0.02;
    /// How many parts of the name those write who ask by name.
    pub(super) const NAME_PARTS: [usize; 6] = [2, 2, 3, 3, 3, 4];
}

/// Texts that are no exam number; a bot that looks up by number says how to ask.
const NOT_A_NUMBER: [&str; 6] =
    ["اريد نتيجتي", "السلام عليكم", "كم معدلي؟", "نتائج السادس", "hello", "رقمي الامتحاني بعدين ادزه"];

/// How a student writes digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Digits {
    /// 0123
    Ascii,
    /// ٠١٢٣
    Arabic,
    /// ۰۱۲۳
    Persian,
}

impl Digits {
    /// Seven of ten write ASCII digits, as most keyboards do.
    pub fn draw(rng: &mut fastrand::Rng) -> Digits {
        match rng.u8(..20) {
            0..14 => Digits::Ascii,
            14..19 => Digits::Arabic,
            _ => Digits::Persian,
        }
    }

    fn write(self, number: u32) -> String {
        let zero = match self {
            Digits::Ascii => '0',
            Digits::Arabic => '\u{660}',
            Digits::Persian => '\u{6F0}',
        };
        let digit = |c: char| char::from_u32(zero as u32 + c.to_digit(10).unwrap_or(0)).unwrap_or(c);
        number.to_string().chars().map(digit).collect()
    }
}

/// Whom a student who asks by name looks for in the list: what a person sees of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// What the right button says: name, school, governorate.
    pub label: String,
    /// The full name, to be written if the list does not show the button.
    pub name: String,
}

/// Wishes by user.
pub type Wishes = HashMap<u64, Wish>;

/// One student.
#[derive(Clone, Debug)]
pub struct Student {
    /// The user id, which is the chat id of the private chat too.
    pub user: u64,
    /// The student's own exam number.
    pub own: u32,
    /// The app speaks English instead of Arabic.
    pub english: bool,
    /// How digits are written.
    pub digits: Digits,
}

impl Student {
    /// Asks for the own number at this moment.
    pub fn ask_once(&self, at: Duration, plan: &mut Vec<Planned>) {
        plan.push(self.says(at, self.digits.write(self.own)));
    }

    /// Asks for all of these at the first moment, in this order.
    pub fn ask_all(&self, numbers: &[u32], plan: &mut Vec<Planned>) {
        for &number in numbers {
            plan.push(self.says(Duration::ZERO, self.digits.write(number)));
        }
    }

    /// Starts the main bot at `starts`, and asks for all of these at `rush`, at the student's `own` bot. What
    /// lies between, the link and the press on it, is not planned: it depends on what the bot says.
    pub fn start_and_ask(
        &self,
        starts: Duration,
        rush: Duration,
        own: BotIx,
        numbers: &[u32],
        plan: &mut Vec<Planned>,
    ) {
        plan.push(self.says(starts, "/start".to_owned()));
        for &number in numbers {
            plan.push(Planned { bot: own, ..self.says(rush, self.digits.write(number)) });
        }
    }

    /// Plays the whole day from the moment the student comes; times are uncompressed.
    pub fn play_the_day(
        &self,
        comes: Duration,
        profile: &Profile,
        truth: &Truth,
        rng: &mut fastrand::Rng,
        plan: &mut Vec<Planned>,
        wishes: &mut Wishes,
    ) {
        let mut at = comes;
        if rng.f64() < habit::GREETS {
            plan.push(self.says(at, "/start".to_owned()));
            at += seconds(rng, 4.0, 20.0);
        }
        if rng.f64() < habit::MISUNDERSTANDS {
            let text = NOT_A_NUMBER[rng.usize(..NOT_A_NUMBER.len())];
            plan.push(self.says(at, text.to_owned()));
            at += seconds(rng, 8.0, 30.0);
        }
        if rng.f64() < habit::MISTYPES {
            plan.push(self.says(at, self.digits.write(nobodys(truth, rng))));
            at += seconds(rng, 8.0, 40.0);
        }
        let question = match truth.find(u64::from(self.own)) {
            Some(pupil) if rng.f64() < profile.by_name => {
                let names = pupil.names();
                let parts = *rng.choice(&habit::NAME_PARTS).unwrap_or(&names.len());
                wishes.insert(self.user, Wish { label: pupil.label(), name: names.join(" ") });
                names[..parts.min(names.len())].join(" ")
            }
            _ => self.digits.write(self.own),
        };
        plan.push(self.says(at, question.clone()));
        let mut again = at;
        let mut repeats = if rng.f64() < habit::IMPATIENT { 1 } else { 0 };
        while repeats > 0 && repeats < 6 {
            again += seconds(rng, 4.0, 25.0);
            plan.push(self.says(again, question.clone()));
            repeats = if rng.f64() < habit::STILL_IMPATIENT { repeats + 1 } else { 0 };
        }
        if rng.f64() < habit::HAMMERS {
            for _ in 0..habit::HAMMER_BLOWS {
                again += seconds(rng, 1.0, 3.0);
                plan.push(self.says(again, question.clone()));
            }
        }
        if rng.f64() < habit::HAS_A_FRIEND && !truth.pupils().is_empty() {
            let friend = truth.pupils()[rng.usize(..truth.pupils().len())].number;
            plan.push(self.says(again + seconds(rng, 20.0, 120.0), self.digits.write(friend)));
        }
        if rng.f64() < habit::WANTS_HELP {
            plan.push(self.says(again + seconds(rng, 30.0, 60.0), "/help".to_owned()));
        }
    }

    /// Asks before the hour, or within ten seconds after it if `live`. Nothing of it is compressed.
    pub fn meet_the_hour(
        &self,
        live: bool,
        hour: Duration,
        truth: &Truth,
        rng: &mut fastrand::Rng,
        plan: &mut Vec<Planned>,
    ) {
        let question = self.digits.write(self.own);
        if live {
            return plan.push(self.says(hour + seconds(rng, 0.0, 10.0), question));
        }
        // Two seconds are left for what is under way.
        let mut at = hour.saturating_sub(Duration::from_secs(2)).mul_f64(rng.f64());
        if rng.f64() < habit::GREETS {
            plan.push(self.says(at, "/start".to_owned()));
            at += Duration::from_millis(200);
        }
        plan.push(self.says(at, question.clone()));
        if rng.f64() < habit::IMPATIENT {
            plan.push(self.says(at + Duration::from_millis(500), question));
        }
        if rng.f64() < habit::HAS_A_FRIEND && !truth.pupils().is_empty() {
            let friend = truth.pupils()[rng.usize(..truth.pupils().len())].number;
            plan.push(self.says(at + Duration::from_millis(700), self.digits.write(friend)));
        }
    }

    fn says(&self, at: Duration, text: String) -> Planned {
        let language_code = if self.english { "en" } else { "ar" }.to_owned();
        Planned { at, bot: 0, user: self.user, what: What::Text(text), language_code }
    }
}

fn seconds(rng: &mut fastrand::Rng, least: f64, most: f64) -> Duration {
    Duration::from_secs_f64(least + rng.f64() * (most - least))
}

/// A number of the right form that no pupil has.
fn nobodys(truth: &Truth, rng: &mut fastrand::Rng) -> u32 {
    loop {
        let number = rng.u32(11_000_000..30_000_000);
        if truth.find(u64::from(number)).is_none() {
            return number;
        }
    }
}
