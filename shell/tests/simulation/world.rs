//! The day around the server: users, a platform that delivers again what was not answered 200, a wire that
//! loses answers, and the ledger that judges. One seed is one day.

use crate::bot::read;
use crate::ledger::{Copy, Question, User};
use crate::server::{Down, Server, clocks};
use nobat::disk::sim::{Faults, SimDisk};
use nobat_core::envelope::{Envelope, Verdict};
use nobat_core::pacer::Dispatch;
use nobat_core::time::UnixMillis;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

pub(crate) const MS: u64 = 1_000_000;
const SECOND: u64 = 1_000 * MS;
const HOUR: u64 = 3_600 * SECOND;

/// As the outbound thread has it.
pub(crate) const SETTLE_AFTER: u64 = 10 * MS;

/// The longest turn of the journal thread, and so the window in which a kill makes a send be repeated.
pub(crate) const COMMIT_MAX: u64 = 5 * MS;

/// A bug that the ledger must notice.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Planted {
    None,
    /// 200 before the sync.
    EarlyAnswer,
    /// Syncs of the directory do nothing.
    ForgottenDirectorySync,
    /// Syncs of files do nothing.
    ForgottenFileSync,
    /// An update that is delivered again is decided again.
    ForgottenDuplicateCheck,
}

/// What a day is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    pub(crate) users: u64,
    pub(crate) updates: u64,
    pub(crate) hours: u64,
    /// The process dies at this operation of its disk; none: at some instant or operation of the day.
    pub(crate) dies_at: Option<u64>,
    pub(crate) planted: Planted,
}

/// What a day came to.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct Report {
    pub(crate) kills: u64,
    pub(crate) snapshots: u64,
    pub(crate) repeats: u64,
    pub(crate) redeliveries: u64,
    /// Operations of the disk, reads left out.
    pub(crate) ops: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Step {
    Write(u64),
    Deliver(u64),
    Commit(u64),
    Judge(usize),
    Answer(usize),
    Settle(u64),
    Follow(u64),
    Timer(u64),
    Kill,
    Start,
}

/// A send on the wire.
struct Call {
    life: u64,
    dispatch: Dispatch<u32>,
    envelope: Envelope,
    left: u64,
    answer_at: u64,
    verdict: Verdict,
}

pub(crate) struct World {
    plan: Plan,
    disk: SimDisk,
    random: u64,
    now: u64,
    steps: BinaryHeap<Reverse<(u64, u64, Step)>>,
    stepped: u64,
    server: Option<Server>,
    /// Counts starts: what belongs to an earlier life is void.
    life: u64,
    users: BTreeMap<u64, User>,
    calls: Vec<Call>,
    kills: Vec<u64>,
    committing: bool,
    settling: bool,
    timer: u64,
    next_id: i64,
    report: Report,
    broken: Option<String>,
}

impl World {
    pub(crate) fn new(plan: Plan) -> Self {
        let mut world = Self {
            plan,
            disk: SimDisk::new(plan.seed),
            random: plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1,
            now: SECOND,
            steps: BinaryHeap::new(),
            stepped: 0,
            server: None,
            life: 0,
            users: BTreeMap::new(),
            calls: Vec::new(),
            kills: Vec::new(),
            committing: false,
            settling: false,
            timer: u64::MAX,
            next_id: 1_000,
            report: Report::default(),
            broken: None,
        };
        world.set_faults(plan.dies_at);
        world.schedule();
        world
    }

    fn set_faults(&self, dies_at: Option<u64>) {
        self.disk.set_faults(Faults {
            dies_at,
            short_write: 20,
            lies_about_files: self.plan.planted == Planted::ForgottenFileSync,
            lies_about_names: self.plan.planted == Planted::ForgottenDirectorySync,
            ..Faults::default()
        });
    }

    fn schedule(&mut self) {
        let Plan { users, updates, hours, dies_at, .. } = self.plan;
        self.at(self.now, Step::Start);
        // Half of the day's updates come within a few minutes, as after an announcement.
        let rush = self.below(hours * HOUR);
        for _ in 0..updates {
            let spread = if self.below(2) == 0 { 300 * SECOND } else { hours * HOUR };
            let from = if spread == hours * HOUR { 0 } else { rush };
            let at = 2 * SECOND + (from + self.below(spread)) % (hours * HOUR);
            let user = 1 + self.below(users);
            self.at(at, Step::Write(user));
        }
        if dies_at.is_none() {
            match self.below(2) {
                0 => {
                    let operation = 1 + self.below(3 * updates);
                    self.set_faults(Some(operation));
                }
                _ => {
                    let at = 2 * SECOND + (rush + self.below(400 * SECOND)) % (hours * HOUR);
                    self.at(at, Step::Kill);
                }
            }
        }
    }

    /// Plays the day to its end; what is broken, or what it came to.
    pub(crate) fn play(mut self) -> Result<Report, String> {
        self.run();
        // Whoever said something asks for the sum at last: what only counts shows there.
        let known: Vec<u64> = self.users.keys().copied().collect();
        for user in known {
            self.write(user, true);
        }
        self.run();
        let owed = self.users.iter().find_map(|(id, user)| Some(format!("user {id}: {}", user.owed()?)));
        if let Some(owed) = owed {
            self.fail(owed);
        }
        self.report.ops = self.disk.ops();
        match self.broken {
            Some(what) => Err(format!("seed {}: {what}", self.plan.seed)),
            None => Ok(self.report),
        }
    }

    fn run(&mut self) {
        while let Some(Reverse((at, _, step))) = self.steps.pop() {
            self.now = self.now.max(at);
            self.step(step);
            self.dispatch();
            if self.broken.is_some() {
                return;
            }
        }
    }

    fn fail(&mut self, what: String) {
        let at = self.now / MS;
        self.broken.get_or_insert(format!("{what} (at {at} ms)"));
    }

    fn at(&mut self, at: u64, step: Step) {
        self.stepped += 1;
        self.steps.push(Reverse((at, self.stepped, step)));
    }

    fn after(&mut self, by: u64, step: Step) {
        self.at(self.now + by, step);
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Write(user) => self.write(user, false),
            Step::Deliver(user) => self.deliver(user),
            Step::Commit(life) if life == self.life => self.commit(),
            Step::Judge(call) => self.judge(call),
            Step::Answer(call) => self.answer(call),
            Step::Settle(life) if life == self.life => {
                self.settling = false;
                if let Some(server) = &mut self.server {
                    server.settle();
                    self.wake_journal();
                }
            }
            Step::Follow(life) if life == self.life => self.follow(),
            Step::Kill => self.kill(),
            Step::Start => self.start(),
            Step::Timer(_) => self.timer = u64::MAX,
            Step::Commit(_) | Step::Settle(_) | Step::Follow(_) => {}
        }
    }

    fn write(&mut self, user: u64, last: bool) {
        let id = self.next_id;
        self.next_id += 1 + self.below(3) as i64;
        let asks = last || self.below(4) > 0;
        let text = if asks { format!("?{id}") } else { "money".to_owned() };
        let known = self.users.entry(user).or_default();
        known.queue.push_back((id, text));
        if known.queue.len() == 1 {
            self.after(MS, Step::Deliver(user));
        }
    }

    fn deliver(&mut self, id: u64) {
        let Some(user) = self.users.get_mut(&id) else { return };
        let Some((update, text)) = user.queue.front().cloned() else { return };
        if user.waits_for.is_some() {
            return;
        }
        user.tries += 1;
        self.report.redeliveries += u64::from(user.tries > 1);
        let known = if self.plan.planted == Planted::ForgottenDuplicateCheck {
            update + (user.tries as i64 - 1) * 1_000_000
        } else {
            update
        };
        let decided = self.server.as_ref().and_then(|s| s.update(clocks(self.now), known, id, &text).ok());
        match decided {
            Some(seq) => {
                user.waits_for = Some(seq);
                self.wake_journal();
                if self.plan.planted == Planted::EarlyAnswer {
                    self.answer_200(id);
                } else {
                    self.answer_durable();
                }
            }
            None => self.after(200 * MS, Step::Deliver(id)),
        }
    }

    fn wake_journal(&mut self) {
        if !self.committing {
            self.committing = true;
            let takes = MS / 20 + self.below(COMMIT_MAX);
            self.after(takes, Step::Commit(self.life));
        }
    }

    fn commit(&mut self) {
        self.committing = false;
        let now = clocks(self.now);
        let Some(server) = &mut self.server else { return };
        match server.commit(now) {
            Ok(more) => {
                let rolled = server.rolled;
                self.answer_durable();
                if more {
                    self.wake_journal();
                }
                if rolled {
                    let soon = self.below(500 * MS);
                    self.after(soon, Step::Follow(self.life));
                }
            }
            Err(down) => self.down(down),
        }
    }

    fn follow(&mut self) {
        let now = UnixMillis(self.now / MS);
        let Some(server) = &mut self.server else { return };
        match server.follow(&self.disk, now) {
            Ok(made) => self.report.snapshots += made,
            Err(down) => self.down(down),
        }
    }

    /// Answers 200 to everyone whose frame is durable.
    fn answer_durable(&mut self) {
        let Some(server) = &self.server else { return };
        let durable = |user: &User| user.waits_for.is_some_and(|seq| server.covers(seq));
        let ready: Vec<u64> = self.users.iter().filter(|(_, u)| durable(u)).map(|(id, _)| *id).collect();
        for id in ready {
            self.answer_200(id);
        }
    }

    fn answer_200(&mut self, id: u64) {
        // The platform does not hear one of thirty answers and delivers again.
        let unheard = self.below(30) == 0;
        let Some(user) = self.users.get_mut(&id) else { return };
        user.waits_for = None;
        if unheard && user.tries < 3 {
            return self.after(SECOND, Step::Deliver(id));
        }
        let Some((_, text)) = user.queue.pop_front() else { return };
        user.tries = 0;
        user.answered += 1;
        let count = user.answered;
        if let Some(question) = text.strip_prefix('?').and_then(|n| n.parse().ok()) {
            // Its answer may have come before its 200 was heard.
            user.expected.entry(question).or_insert(Question { count, accepted: None });
        }
        if !user.queue.is_empty() {
            self.after(MS, Step::Deliver(id));
        }
    }

    fn dispatch(&mut self) {
        let now = clocks(self.now);
        while let Some((dispatch, envelope)) = self.server.as_mut().and_then(|s| s.dispatch(now)) {
            let latency = 10 * MS + self.below(150 * MS);
            let fails = self.below(100) == 0;
            let (life, left, verdict) = (self.life, self.now, Verdict::Failed);
            let answer_at = left + latency;
            self.calls.push(Call { life, dispatch, envelope, left, answer_at, verdict });
            let call = self.calls.len() - 1;
            if fails {
                self.after(latency / 2, Step::Answer(call));
            } else {
                self.after(latency / 2, Step::Judge(call));
            }
        }
        let next = self.server.as_ref().and_then(|s| s.pacer.poll_timeout()).map_or(u64::MAX, |at| at.0);
        if next < self.timer {
            self.timer = next;
            self.at(next.max(self.now + 1), Step::Timer(self.life));
        }
    }

    /// The platform accepts a message: the ledger looks at it.
    fn judge(&mut self, call: usize) {
        let Call { envelope, left, answer_at, .. } = &self.calls[call];
        let (left, answer_at, user) = (*left, *answer_at, envelope.conversation.user.0);
        let (question, count) = read(&envelope.payload);
        let lost = self.below(100) == 0;
        self.calls[call].verdict = if lost { Verdict::Unknown } else { Verdict::Sent };
        self.at(answer_at + if lost { 3 * SECOND } else { 0 }, Step::Answer(call));
        let copy = (left, (!lost).then_some(answer_at));
        if let Err(what) = self.note(user, question, count, copy) {
            self.fail(what);
        }
    }

    fn note(&mut self, id: u64, question: u64, count: u64, copy: Copy) -> Result<(), String> {
        let Some(user) = self.users.get_mut(&id) else { return Err(format!("user {id} never wrote")) };
        let noted = user.note(question, count, copy, &self.kills);
        let repeat = noted.map_err(|what| format!("user {id}, question {question}: {what}"))?;
        self.report.repeats += u64::from(repeat);
        Ok(())
    }

    fn answer(&mut self, call: usize) {
        let Call { life, dispatch, verdict, .. } = &self.calls[call];
        if *life != self.life {
            return;
        }
        let now = clocks(self.now);
        let Some(server) = &mut self.server else { return };
        if server.verdict(now, dispatch, verdict) && !self.settling {
            self.settling = true;
            self.after(SETTLE_AFTER, Step::Settle(self.life));
        }
    }

    fn kill(&mut self) {
        if self.server.take().is_none() {
            return;
        }
        self.life += 1;
        self.report.kills += 1;
        self.kills.push(self.now);
        (self.committing, self.settling, self.timer) = (false, false, u64::MAX);
        // The process, or the power.
        if self.below(2) == 0 {
            self.disk.restart()
        } else {
            self.disk.crash()
        }
        self.set_faults(None);
        let cut_off: Vec<u64> =
            self.users.iter().filter(|(_, user)| user.waits_for.is_some()).map(|(id, _)| *id).collect();
        for id in cut_off {
            if let Some(user) = self.users.get_mut(&id) {
                user.waits_for = None;
            }
            let wait = 500 * MS + self.below(3 * SECOND);
            self.after(wait, Step::Deliver(id));
        }
        let wait = 100 * MS + self.below(3 * SECOND);
        self.after(wait, Step::Start);
    }

    fn down(&mut self, down: Down) {
        match down {
            Down::Killed => self.kill(),
            Down::Broken(what) => self.fail(what),
        }
    }

    fn start(&mut self) {
        let salt = self.next();
        match Server::start(&self.disk, clocks(self.now), salt) {
            Ok(server) => {
                self.server = Some(server);
                self.after(MS, Step::Follow(self.life));
            }
            Err(Down::Killed) => {
                // Killed within its recovery.
                self.life += 1;
                self.report.kills += 1;
                self.kills.push(self.now);
                if self.below(2) == 0 {
                    self.disk.restart()
                } else {
                    self.disk.crash()
                }
                self.set_faults(None);
                self.after(SECOND, Step::Start);
            }
            Err(Down::Broken(what)) => self.fail(what),
        }
    }

    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n.max(1)
    }
}
