//! What an input means: the conversation.

use super::button::Button;
use super::dataset::{Dataset, NameSearch};
use super::door;
use super::question::{Question, Rules};
use super::say::Say;
use super::state::{Event, State};
use super::texts::{Key, Language};
use super::{Settings, hash::stable_hash};
use crate::text::{ascii_digits, tokens};
use core::time::Duration;
use nobat_core::bot::{Decision, Input, Outgoing, View};
use nobat_core::envelope::{Class, Place};
use nobat_core::id::MessageId;
use nobat_core::time::UnixMillis;

/// A notice about the waiting time is useless when it waits itself.
const NOTICE_DEADLINE: Duration = Duration::from_secs(5);
/// The platform forgets a pressed button after 150 s.
const PRESS_DEADLINE: Duration = Duration::from_secs(140);
/// How long a repeat before the hour is not answered again.
const NOTED_AGAIN: Duration = Duration::from_secs(60);

/// One input of one user, on its way to a decision.
pub(super) struct Turn<'a> {
    pub(super) settings: &'a Settings,
    pub(super) view: &'a View<'a>,
    pub(super) state: &'a State,
    /// The data set of this moment: one for the whole turn.
    pub(super) set: Option<&'a Dataset>,
    pub(super) out: Decision<Event>,
}

impl Turn<'_> {
    pub(super) fn take(mut self, input: &Input<'_>) -> Decision<Event> {
        match input {
            Input::Text { text, .. } => self.text(text),
            Input::Callback { id, data, message } => self.pressed(id, data, *message),
            Input::OtherMessage { .. } => self.unclear(),
            Input::TooFast { until } => self.too_fast(*until),
            // Blocks need no answer; pairs and alarms come only to kinds that want them.
            _ => {}
        }
        self.out
    }

    fn language(&self) -> Language {
        self.state.language
    }

    /// Queues an answer to this question.
    fn reply(&mut self, say: &Say, question: u64) {
        self.out.sends.push(Outgoing { question, ..Outgoing::reply(say.payload()) });
    }

    /// Queues a notice about what waits: it passes that, and is dropped if it comes too late to be of use.
    fn notice(&mut self, say: &Say, until: UnixMillis) {
        let deadline = Some(until);
        self.out.sends.push(Outgoing { place: Place::Ahead, deadline, ..Outgoing::reply(say.payload()) });
    }

    /// As [`Turn::reply`], through the bot he wrote to: a press comes to the bot that showed the button, and
    /// that one is known to hear.
    fn with_buttons(&mut self, say: &Say, question: u64) {
        self.out.sends.push(Outgoing { question, pinned: true, ..Outgoing::reply(say.payload()) });
    }

    fn plain(&mut self, key: Key) {
        let language = self.language();
        self.reply(&Say::Text { language, key }, 0);
    }

    fn text(&mut self, text: &str) {
        match text.trim_start().strip_prefix('/') {
            Some(command) => self.command(command),
            None => self.question(text),
        }
    }

    fn command(&mut self, command: &str) {
        let (name, argument) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let name = name.split('@').next().unwrap_or(name);
        match name {
            // A link may carry the question: t.me/bot?start=1234567
            "start" if ascii_digits(argument).contains(|c: char| c.is_ascii_digit()) => {
                self.question(&argument.replace('_', " "));
            }
            "start" => self.start(),
            "help" => self.plain(Key::Help),
            "language" => match Language::from_tag(argument.trim()) {
                Some(language) => self.speak(language),
                None => {
                    let (language, key) = (self.language(), Key::LanguageAsk);
                    self.with_buttons(&Say::Text { language, key }, 0);
                }
            },
            _ => self.unclear(),
        }
    }

    fn start(&mut self) {
        let home = self.view.user.home(self.view.lanes.max(1));
        let away = home != self.view.lane && self.settings.handoff.get(home.index()).is_some();
        let say = Say::Start { language: self.language(), home: away.then_some(home.0) };
        self.reply(&say, 0);
    }

    fn speak(&mut self, language: Language) {
        self.out.events.push(Event::LanguageSet(language));
        self.reply(&Say::Text { language, key: Key::LanguageSet }, 0);
    }

    fn unclear(&mut self) {
        self.plain(Key::WrongFormat);
    }

    fn too_fast(&mut self, until: UnixMillis) {
        let wait = until.since(self.view.now.wall);
        let (language, key) = (self.language(), Key::SlowDown);
        // In order and without a deadline: it is the only answer that the refused questions get, so it may
        // come late, but it may not be dropped.
        self.reply(&Say::Timed { language, key, amount: whole_seconds(wait), place: 0 }, 0);
    }

    fn question(&mut self, text: &str) {
        let question = Question::of(text, Rules::of(self.set.map(Dataset::schema)));
        match &question {
            Question::Unclear => return self.unclear(),
            Question::NoCode => return self.plain(Key::WrongFormatCode),
            _ => {}
        }
        let hash = question.hash();
        if self.view.waiting.questions.contains(&hash) {
            return self.repeat();
        }
        match (self.view.released, self.set) {
            (false, _) => self.note(&question, hash),
            (true, None) => self.reply(&Say::Text { language: self.language(), key: Key::NotThere }, hash),
            (true, Some(set)) => self.answer(set, question, hash),
        }
    }

    /// The answer to this question waits already: nothing is queued again.
    fn repeat(&mut self) {
        let now = self.view.now.wall;
        if now < self.state.wait_told_until {
            return;
        }
        let language = self.language();
        if !self.view.released {
            self.out.events.push(Event::WaitTold { until: now.after(NOTED_AGAIN) });
            self.plain(Key::NotedAlready);
        } else if self.view.waiting.wait >= self.settings.wait_from {
            let wait = self.view.waiting.wait;
            self.out.events.push(Event::WaitTold { until: now.after(wait) });
            let place = self.view.waiting.ahead.saturating_add(1);
            let say = Say::Timed { language, key: Key::Wait, amount: whole_seconds(wait), place };
            self.notice(&say, now.after(NOTICE_DEADLINE));
        }
    }

    /// Before the hour: the question is kept, and its answer made at the hour of what is known then.
    fn note(&mut self, question: &Question, hash: u64) {
        if self.view.waiting.questions.len() >= usize::from(self.settings.asks_max) {
            return self.plain(Key::NotedEnough);
        }
        let language = self.language();
        let (noted, answer, pinned) = match question {
            Question::Number(number, code) => (
                Say::OfNumber { language, key: Key::Noted, number: *number },
                Say::Card { language, number: *number, code: *code },
                false,
            ),
            Question::Name(name) => {
                self.out.events.push(Event::Searched(name.clone()));
                let name = name.clone();
                (
                    Say::OfName { language, key: Key::NotedName, name: name.clone() },
                    Say::Names { language, name, page: 0, edit: None },
                    true,
                )
            }
            Question::NoCode | Question::Unclear => return,
        };
        self.reply(&noted, 0);
        self.out.sends.push(Outgoing {
            class: Class::Bulk,
            held: true,
            pinned,
            question: hash,
            ..Outgoing::reply(answer.payload())
        });
    }

    fn answer(&mut self, set: &Dataset, question: Question, hash: u64) {
        if self.is_shut_out() {
            return;
        }
        let language = self.language();
        match question {
            Question::Number(number, code) => {
                if door::by_number(set, number, code).is_none() {
                    self.missed();
                }
                // Found or not: rendered of the data set of that moment.
                self.reply(&Say::Card { language, number, code }, hash);
            }
            Question::Name(name) => {
                let found = set.by_name(&tokens(&name)).students;
                match (found.as_slice(), set.schema().names) {
                    ([], _) => self.missed(),
                    ([only], NameSearch::Full) => {
                        let Some(number) = only.number() else { return };
                        let tag = super::button::tag(self.view.user, only);
                        return self.reply(&Say::Chosen { language, number, tag }, hash);
                    }
                    _ => self.out.events.push(Event::Searched(name.clone())),
                }
                let list = Say::Names { language, name, page: 0, edit: None };
                self.with_buttons(&list, hash);
            }
            Question::NoCode | Question::Unclear => {}
        }
    }

    /// Too many questions without a result: for a while nothing is looked up, so that nobody can try
    /// numbers or codes one after the other.
    fn is_shut_out(&mut self) -> bool {
        let now = self.view.now.wall;
        let end = self.state.misses_since.after(self.settings.misses_window);
        if self.state.misses < self.settings.misses_max || now >= end {
            return false;
        }
        let question = stable_hash(&[b"misses"]);
        if !self.view.waiting.questions.contains(&question) {
            let minutes = whole_seconds(end.since(now)).div_ceil(60);
            let (language, key) = (self.language(), Key::Misses);
            self.reply(&Say::Timed { language, key, amount: minutes, place: 0 }, question);
        }
        true
    }

    fn missed(&mut self) {
        let now = self.view.now.wall;
        let fresh = self.state.misses == 0
            || now >= self.state.misses_since.after(self.settings.misses_window)
            // A wall clock that was set back must not shut anybody out for longer.
            || now < self.state.misses_since;
        let event = if fresh {
            Event::Missed { count: 1, since: now }
        } else {
            Event::Missed { count: self.state.misses.saturating_add(1), since: self.state.misses_since }
        };
        self.out.events.push(event);
    }

    fn pressed(&mut self, id: &str, data: &str, message: Option<MessageId>) {
        let believed = self.believe(data);
        let notice = believed.is_none().then_some(Key::Changed);
        let said = Say::Pressed { language: self.language(), id: id.to_owned(), notice };
        self.out.sends.push(Outgoing {
            class: Class::Urgent,
            pinned: true,
            place: Place::Call,
            deadline: Some(self.view.now.wall.after(PRESS_DEADLINE)),
            ..Outgoing::reply(said.payload())
        });
        let language = self.language();
        match believed {
            None => {}
            Some(Button::Language(language)) => self.speak(language),
            Some(Button::Choose { number, tag, .. }) => {
                let question = stable_hash(&[b"chosen", &number.value().to_le_bytes()]).max(1);
                if !self.view.waiting.questions.contains(&question) {
                    self.reply(&Say::Chosen { language, number, tag }, question);
                }
            }
            Some(Button::Nth { nth, search, .. }) => {
                let question = stable_hash(&[b"nth", &search.to_le_bytes(), &[nth]]).max(1);
                if !self.view.waiting.questions.contains(&question) {
                    let name = self.state.name.clone();
                    self.reply(&Say::Candidate { language, name, nth }, question);
                }
            }
            Some(Button::Page { page, .. }) => {
                let name = self.state.name.clone();
                // An edit is bound to the bot that wrote the message, which is the one that was pressed.
                self.with_buttons(&Say::Names { language, name, page, edit: message }, 0);
            }
        }
    }

    /// A button is what it says only if this user was given it for what is still so.
    fn believe(&self, data: &str) -> Option<Button> {
        let button = Button::read(data)?;
        let names = || self.set.filter(|set| self.view.released && set.schema().names != NameSearch::Off);
        let fits = match button {
            Button::Language(_) => true,
            Button::Choose { user, number, tag } => {
                user == self.view.user && door::by_choice(names()?, user, number, tag).is_some()
            }
            Button::Page { user, search, .. } | Button::Nth { user, search, .. } => {
                names()?;
                let asked = Question::Name(self.state.name.clone()).hash();
                user == self.view.user && !self.state.name.is_empty() && search == asked
            }
        };
        fits.then_some(button)
    }
}

/// At least one.
fn whole_seconds(wait: Duration) -> u32 {
    u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u32::MAX).max(1)
}
