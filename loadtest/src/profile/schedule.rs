//! The schedule: every student's script, placed in time and sorted.

use std::collections::HashSet;
use std::time::Duration;

use super::{Kind, Planned, Profile, STARTS_PER_S, curve};
use crate::dataset::Truth;
use crate::student::{self, Student, Wishes};

/// Questions of one chat in `burst-chats` and `handoff`: within the chat's ten requests a minute, all different, so
/// that none may be coalesced with another.
const QUESTIONS_PER_CHAT: usize = 5;

/// Students who ask at one moment of a burst; those beyond come a second later each time, as many again: more at
/// once is more than the generator can hand over in time, and the lanes are behind anyway.
const AT_ONCE: u32 = 25_500;
/// One of so many students of `release` comes after the hour.
const LIVE_OF: u32 = 5;

/// The whole schedule of a profile, by ascending moment. The same profile and data set give the same
/// schedule, call by call.
pub fn schedule(profile: &Profile, truth: &Truth) -> Vec<Planned> {
    scripts(profile, truth).0
}

/// [`schedule`], and whom those look for who ask by name: which button they press can be said only when the list
/// is there.
pub fn scripts(profile: &Profile, truth: &Truth) -> (Vec<Planned>, Wishes) {
    let mut wishes = Wishes::new();
    let mut rng = fastrand::Rng::with_seed(profile.seed);
    let mut users = Users::new(profile);
    let mut plan = Vec::with_capacity(profile.students as usize * 4);
    for nth in 0..profile.students {
        let student = Student {
            user: users.next(nth, &mut rng),
            own: pick(truth, &mut rng),
            english: rng.f64() < 0.06,
            digits: student::Digits::draw(&mut rng),
        };
        match profile.kind {
            Kind::Burst510 | Kind::ReachMainOnly => {
                student.ask_once(Duration::from_secs(u64::from(nth / AT_ONCE)), &mut plan)
            }
            Kind::BurstChats => {
                let numbers = distinct(truth, QUESTIONS_PER_CHAT, &mut rng);
                student.ask_all(&numbers, &mut plan);
            }
            Kind::Handoff => {
                let numbers = distinct(truth, QUESTIONS_PER_CHAT, &mut rng);
                let starts = Duration::from_secs_f64(f64::from(nth) / STARTS_PER_S);
                let own = (student.user % profile.tokens.max(1) as u64) as usize;
                student.start_and_ask(starts, profile.rush().unwrap_or_default(), own, &numbers, &mut plan);
            }
            Kind::Release => {
                let hour = profile.hour_after.unwrap_or_default();
                student.meet_the_hour(nth % LIVE_OF == 0, hour, truth, &mut rng, &mut plan);
            }
            // An evening has a plan of its own.
            Kind::ChatEvening => {}
            Kind::ResultsDay | Kind::Smoke | Kind::Faults | Kind::Replay => {
                let comes = curve::arrival(&mut rng);
                student.play_the_day(comes, profile, truth, &mut rng, &mut plan, &mut wishes);
            }
        }
    }
    if !profile.kind.is_burst() && profile.hour_after.is_none() {
        for planned in &mut plan {
            planned.at = planned.at.div_f64(profile.compress.max(0.001));
        }
    }
    // Stable: what one student does at one moment stays in the order of the script.
    plan.sort_by_key(|planned| planned.at);
    (plan, wishes)
}

fn pick(truth: &Truth, rng: &mut fastrand::Rng) -> u32 {
    match truth.pupils() {
        [] => 11_000_001,
        pupils => pupils[rng.usize(..pupils.len())].number,
    }
}

fn distinct(truth: &Truth, count: usize, rng: &mut fastrand::Rng) -> Vec<u32> {
    let mut numbers = Vec::with_capacity(count);
    while numbers.len() < count.min(truth.pupils().len()) {
        let number = pick(truth, rng);
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    numbers
}

/// User ids: 10 digits at most as today's are, unique, and either random or even over the lanes.
struct Users {
    taken: HashSet<u64>,
    /// Lanes to spread evenly over, or 1 for ids that are random altogether.
    lanes: u64,
}

impl Users {
    const LEAST: u64 = 100_000_000;
    const MOST: u64 = 7_900_000_000;

    fn new(profile: &Profile) -> Users {
        let lanes = if profile.random_ids { 1 } else { profile.tokens.max(1) as u64 };
        Users { taken: HashSet::with_capacity(profile.students as usize), lanes }
    }

    fn next(&mut self, nth: u32, rng: &mut fastrand::Rng) -> u64 {
        loop {
            let draw = rng.u64(Self::LEAST..Self::MOST);
            let user = draw - draw % self.lanes + u64::from(nth) % self.lanes;
            if self.taken.insert(user) {
                return user;
            }
        }
    }
}

/// The last planned moment, or zero.
pub fn length(plan: &[Planned]) -> Duration {
    plan.last().map_or(Duration::ZERO, |planned| planned.at)
}
