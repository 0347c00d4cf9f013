//! What an input means: the conversation.
//!
//! What lives here: [`Turn`], one input on its way to a decision; commands and buttons. `register` asks who
//! someone is, `meet` brings people together and parts them, `talk` is what is said in a chat, `money`
//! what is paid for, `idle` what is due at a time.

mod admin;
mod gate;
mod idle;
mod meet;
mod money;
mod refer;
mod register;
mod talk;
pub(super) mod wait;

use super::Settings;
use super::button::{Act, Button};
use super::common::Common;
use super::event::Event;
use super::extras::Ban;
use super::note::Note;
use super::person::Person;
use super::say::Say;
use super::state::State;
use super::texts::{Key, Language};
use core::time::Duration;
use nobat_core::bot::{COMMON, Decision, Input, Meeting, Outgoing, View, Want};
use nobat_core::envelope::{Class, Place};
use nobat_core::id::{MessageId, UserId};
use nobat_core::record::Record;
use nobat_core::time::UnixMillis;
use talk::{Shown, Wrote};

/// The platform forgets a pressed button after 150 s.
const PRESS_DEADLINE: Duration = Duration::from_secs(140);

/// One input of one user, on its way to a decision.
pub(super) struct Turn<'a> {
    settings: &'a Settings,
    common: &'a Common,
    view: &'a View<'a>,
    /// As it is after the events so far.
    state: State,
    out: Decision<Event>,
}

impl<'a> Turn<'a> {
    pub(super) fn new(settings: &'a Settings, common: &'a Common, view: &'a View<'a>, state: &State) -> Self {
        Self { settings, common, view, state: state.clone(), out: Decision::default() }
    }

    pub(super) fn take(mut self, input: &Input<'_>) -> Decision<Event> {
        if self.view.user == COMMON {
            if let Input::Informed { by, note } = input
                && let Ok(note) = Note::from_bytes(note)
            {
                self.common_informed(*by, note);
            }
            return self.out;
        }
        if self.is_kept_out(input) {
            return self.out;
        }
        match input {
            Input::Text { text, message, reply_to } => self.text(text, *message, *reply_to),
            Input::Callback { id, data, .. } => self.pressed(id, data),
            &Input::OtherMessage { message, content, ref caption, reply_to, album } => {
                self.other_message(Shown { message, content, caption, reply_to, album });
            }
            Input::Edited { message, text, content } => {
                if let Meeting::Paired(partner) = self.view.meeting {
                    self.edited(partner, *message, text, *content);
                }
            }
            Input::Reacted { message, emoji } => {
                if let Meeting::Paired(partner) = self.view.meeting {
                    self.reacted(partner, *message, emoji);
                }
            }
            Input::Heard { note } => self.heard(note),
            Input::Imported { record } => self.taken_over(record),
            Input::Informed { by, note } => self.informed(*by, note),
            Input::Member { name, joined } => self.moved(name, *joined),
            Input::TooFast { until } => self.too_fast(*until),
            Input::Reachable => {}
            Input::Blocked => self.blocked_the_bot(),
            Input::Paired { partner, card } => self.paired(*partner, card),
            Input::PairEnded { by, .. } => self.pair_ended(*by),
            Input::Told { note, .. } => self.told(note),
            Input::Unmatched(why) => self.unmatched(*why),
            Input::Alarm { .. } => self.rung(),
            Input::PreCheckout { id, payment } => self.checkout(id, *payment),
            Input::Paid(payment) => self.paid(*payment),
            Input::Refunded(payment) => self.refunded(*payment),
        }
        self.out
    }

    /// Whether he is banned and this is not for him; he is told so.
    fn is_kept_out(&mut self, input: &Input<'_>) -> bool {
        if self.state.ban(self.now()).is_none() {
            return false;
        }
        match input {
            // What he bought he may ask about.
            Input::Text { text, .. } if matches!(&**text, "/paysupport" | "/terms" | "/privacy") => {
                return false;
            }
            Input::Text { .. } | Input::OtherMessage { .. } => self.tell_banned(),
            Input::Callback { id, .. } => {
                self.answer_press(id, None);
                self.tell_banned();
            }
            Input::Edited { .. } | Input::Reacted { .. } => {}
            _ => return false,
        }
        true
    }

    /// What another program knew of him; nothing if that is known.
    fn taken_over(&mut self, record: &[u8]) {
        let Ok(person) = Person::from_bytes(record) else { return };
        let mut with = self.state.clone();
        with.take_over(&person, self.now());
        if with != self.state {
            self.happened(Event::TakenOver { person: Box::new(person), at: self.now() });
            self.arm_again();
        }
    }

    /// Another one's turn concerns him.
    fn informed(&mut self, by: UserId, note: &[u8]) {
        match Note::from_bytes(note) {
            Ok(Note::Joined) => self.brought(by),
            Ok(Note::Commission { stars }) => self.earned(by, stars, false),
            Ok(Note::CommissionBack { stars }) => self.earned(by, stars, true),
            Ok(Note::Ban { until, why }) => self.is_banned(Some(Ban { until, why })),
            Ok(Note::Unban) => self.is_banned(None),
            Ok(Note::Show { lane }) => self.show_to(by, lane),
            Ok(Note::Give { what }) => self.given(what),
            // For others; or of a newer version.
            _ => {}
        }
    }

    fn now(&self) -> UnixMillis {
        self.view.now.wall
    }

    fn language(&self) -> Language {
        self.state.language.unwrap_or_else(|| Language::guess(self.view.language))
    }

    fn happened(&mut self, event: Event) {
        self.state.apply(&event);
        self.out.events.push(event);
    }

    fn want(&mut self, want: Want) {
        self.out.wants.push(want);
    }

    fn say(&mut self, say: &Say) {
        self.out.sends.push(Outgoing { pinned: true, ..Outgoing::reply(say.payload()) });
    }

    fn plain(&mut self, key: Key) {
        let language = self.language();
        self.say(&Say::Text { language, key });
    }

    fn number(&mut self, key: Key, number: u64) {
        let language = self.language();
        self.say(&Say::Number { language, key, number });
    }

    fn is_apart(&self) -> bool {
        self.view.meeting == Meeting::Apart
    }

    fn text(&mut self, text: &str, message: MessageId, reply_to: Option<MessageId>) {
        if let Some(command) = text.strip_prefix('/') {
            return self.command(command, message);
        }
        match self.view.meeting {
            Meeting::Paired(partner) => self.talk(partner, text, message, reply_to),
            _ if self.state.profile().is_none() || self.state.asked_age => self.registering(text),
            Meeting::Waiting { .. } => self.plain(Key::SearchingAlready),
            Meeting::Apart => self.plain(Key::Menu),
        }
    }

    fn command(&mut self, command: &str, message: MessageId) {
        let (name, arguments) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let name = name.split('@').next().unwrap_or(name).to_ascii_lowercase();
        let sells = self.settings.sells();
        match name.as_str() {
            "terms" if sells => self.plain(Key::Terms),
            "paysupport" if sells => self.plain(Key::PaySupport),
            "refund" if sells && self.is_admin() => self.refund(arguments),
            name if self.is_admin() && self.administered(name, arguments) => {}
            "help" => self.plain(Key::Help),
            "privacy" => self.plain(Key::Privacy),
            "language" => self.plain(Key::LanguageAsk),
            "start" if !arguments.is_empty() => {
                self.came_by(arguments);
                if self.state.profile().is_none() { self.ask_what_is_missing() } else { self.begin() }
            }
            _ if self.state.profile().is_none() => self.ask_what_is_missing(),
            "start" | "menu" => self.begin(),
            "referral" if self.settings.referrals => self.referral(),
            "find" => self.find(),
            "vip" if sells => self.vip(),
            "profile" => self.own_profile(),
            "next" if !matches!(self.view.meeting, Meeting::Paired(_)) => self.find(),
            "stop" | "cancel" if matches!(self.view.meeting, Meeting::Waiting { .. }) => self.cancel(),
            name => match (Act::of(name), self.view.meeting) {
                (Some(act), Meeting::Paired(partner)) => match (self.wrote(message), act) {
                    // Who wants out wants out, wherever he says it.
                    (Wrote::Here, _) | (Wrote::Untold | Wrote::Elsewhere, Act::Stop) => {
                        self.act(act, partner)
                    }
                    (Wrote::Elsewhere, _) => self.plain(Key::OtherBot),
                    // It was meant for another one.
                    (Wrote::Before | Wrote::Untold, _) => self.plain(Key::ChatOver),
                },
                (Some(_), _) => self.plain(Key::NotChatting),
                (None, Meeting::Paired(_)) => self.plain(Key::NotSentCommand),
                (None, _) => self.plain(Key::Help),
            },
        }
    }

    fn begin(&mut self) {
        self.plain(match self.view.meeting {
            Meeting::Apart => Key::Menu,
            Meeting::Waiting { .. } => Key::SearchingAlready,
            Meeting::Paired(_) => Key::ChattingAlready,
        });
    }

    fn pressed(&mut self, id: &str, data: &str) {
        let notice = match Button::read(data) {
            None => Some(Key::Changed),
            Some(button) => self.press(button),
        };
        self.answer_press(id, notice);
    }

    fn answer_press(&mut self, id: &str, notice: Option<Key>) {
        let pressed = Say::Pressed { language: self.language(), id: id.to_owned(), notice };
        let answer = Outgoing {
            class: Class::Urgent,
            pinned: true,
            place: Place::Call,
            deadline: Some(self.now().after(PRESS_DEADLINE)),
            ..Outgoing::reply(pressed.payload())
        };
        // Made last, because a chosen language is the language of its notice; sent first.
        self.out.sends.insert(0, answer);
    }

    /// Does what a button says; returns a notice if it says nothing any more.
    fn press(&mut self, button: Button) -> Option<Key> {
        match button {
            Button::Help => self.plain(Key::Help),
            Button::Languages => self.plain(Key::LanguageAsk),
            Button::Language(language) => self.speak(language),
            Button::Gender(gender) => self.be(gender),
            _ if self.state.profile().is_none() => self.ask_what_is_missing(),
            Button::Find | Button::Joined => self.find(),
            Button::Referral => self.referral(),
            Button::Vip => self.vip(),
            Button::Buy(offer) => return self.buy(offer),
            Button::Cancel if matches!(self.view.meeting, Meeting::Waiting { .. }) => self.cancel(),
            Button::Cancel => return Some(Key::Changed),
            Button::Menu => self.begin(),
            Button::Profile => self.own_profile(),
            Button::Genders if self.is_apart() => self.plain(Key::GenderAsk),
            Button::Age if self.is_apart() => self.ask_age(),
            Button::Genders | Button::Age => self.plain(Key::NotNow),
            Button::WantedList if self.state.is_vip(self.now()) => self.plain(Key::WantedAsk),
            Button::Wanted(wanted) if self.state.is_vip(self.now()) => self.wish(wanted),
            Button::WantedList | Button::Wanted(_) => return Some(Key::Changed),
            Button::LockFor(minutes, pair) => match self.view.meeting {
                Meeting::Paired(partner) if partner.pair == pair => self.lock(minutes, partner),
                _ => return Some(Key::ChatOver),
            },
            Button::InChat(act, pair) => match self.view.meeting {
                Meeting::Paired(partner) if partner.pair == pair => self.act(act, partner),
                _ => return Some(Key::ChatOver),
            },
        }
        None
    }

    fn other_message(&mut self, shown: Shown<'_>) {
        match self.view.meeting {
            Meeting::Paired(partner) => self.show(partner, shown),
            _ if self.state.profile().is_none() => self.ask_what_is_missing(),
            _ => self.begin(),
        }
    }

    fn too_fast(&mut self, until: UnixMillis) {
        let seconds = until.since(self.now()).as_millis().div_ceil(1000).max(1);
        self.number(Key::SlowDown, u64::try_from(seconds).unwrap_or(u64::MAX));
    }
}
