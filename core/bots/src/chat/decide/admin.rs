//! What administrators do: bans, settings, and looking at things. In English or the language of
//! [`crate::chat::Settings::admin_language`].
//!
//! An administrator's turn informs whom it concerns, and [`COMMON`] so that it stands in the log, in one frame.

use super::Turn;
use super::refer::hundredths;
use crate::chat::common::Change;
use crate::chat::event::Event;
use crate::chat::extras::Ban;
use crate::chat::knobs::{KNOBS, Knob};
use crate::chat::note::Note;
use crate::chat::purse::Gave;
use crate::chat::say::Say;
use crate::chat::texts::Key;
use core::fmt::Write as _;
use core::time::Duration;
use nobat_core::bot::{COMMON, Meeting, Outgoing, Partner, Want};
use nobat_core::envelope::Class;
use nobat_core::id::{ChatId, LaneIx, MessageId, UserId};

/// Characters of a text, at most: under the platform's 4,096.
const TEXT_MAX: usize = 3_500;
/// Characters of an administrator's words, at most.
const WORDS_MAX: usize = 500;
/// The longest ban but the one for ever: a hundred years.
const HOURS_MAX: u64 = 876_000;
/// Of the reported one's messages, so many are shown with the report.
const EVIDENCE: usize = 20;
/// What is told to administrators is worth nothing after this.
const POST_DEADLINE: Duration = Duration::from_secs(24 * 3600);
/// Between two complaints about channels.
const UNSAID_EVERY: Duration = Duration::from_secs(3600);

impl Turn<'_> {
    pub(super) fn is_admin(&self) -> bool {
        self.settings.admins.contains(&self.view.user)
    }

    /// An administrator's command; `false` if it is none.
    pub(super) fn administered(&mut self, name: &str, arguments: &str) -> bool {
        match name {
            "admin" => self.tell_admin(Key::AdminHelp, &[]),
            "ban" => self.ban_command(arguments),
            "unban" => match arguments.trim().parse() {
                Ok(user) => {
                    self.inform(UserId(user), &Note::Unban);
                    self.did(format!("unban {user}"));
                    self.tell_admin(Key::AdminDone, &[("what", &format!("unban {user}"))]);
                }
                Err(_) => self.tell_admin(Key::AdminHelp, &[]),
            },
            "user" => match arguments.trim().parse() {
                Ok(user) if UserId(user) == self.view.user => {
                    let text = self.described();
                    self.told_words(text);
                }
                Ok(user) => self.inform(UserId(user), &Note::Show { lane: self.view.lane }),
                Err(_) => self.tell_admin(Key::AdminHelp, &[]),
            },
            "give" => self.give_command(arguments),
            "set" => self.set_command(arguments),
            "get" => self.get_command(arguments.trim()),
            "log" => self.log_command(),
            "stats" => self.stats(),
            _ => return false,
        }
        true
    }

    fn tell_admin(&mut self, key: Key, values: &[(&str, &str)]) {
        self.words(self.settings.admin_language, key, values);
    }

    fn did(&mut self, what: String) {
        self.inform(COMMON, &Note::Did { what: what.into() });
    }

    /// `/ban USER [HOURS] [REASON]`
    fn ban_command(&mut self, arguments: &str) {
        let (user, rest) = head(arguments);
        let Some(user) = user.parse().ok().filter(|user| UserId(*user) != self.view.user) else {
            return self.tell_admin(Key::AdminHelp, &[]);
        };
        let (hours, reason) = match head(rest) {
            (hours, reason) if !hours.is_empty() && hours.bytes().all(|b| b.is_ascii_digit()) => {
                (hours.parse().ok().filter(|hours| (1..HOURS_MAX).contains(hours)), reason)
            }
            _ => (None, rest),
        };
        let until = hours.map_or(Ban::FOR_EVER, |hours| self.now().after(Duration::from_secs(3600 * hours)));
        let why: String = reason.trim().chars().take(WORDS_MAX).collect();
        let time = hours.map_or_else(|| "for ever".to_owned(), |hours| format!("{hours} h"));
        let what = format!("ban {user} {time}: {why}");
        self.inform(UserId(user), &Note::Ban { until, why: why.into() });
        self.tell_admin(Key::AdminDone, &[("what", &what)]);
        self.did(what);
    }

    /// `/give USER days|credits N`: what was paid for in another way.
    fn give_command(&mut self, arguments: &str) {
        let words: Vec<_> = arguments.split_whitespace().collect();
        let given = match words[..] {
            [user, what, amount] => given(what, amount).zip(user.parse().ok().map(UserId)),
            _ => None,
        };
        let Some((what, user)) = given.filter(|(_, user)| user.is_person()) else {
            return self.tell_admin(Key::AdminHelp, &[]);
        };
        if user == self.view.user {
            self.given(what);
        } else {
            self.inform(user, &Note::Give { what });
        }
        let done = format!("give {}", words.join(" "));
        self.tell_admin(Key::AdminDone, &[("what", &done)]);
        self.did(done);
    }

    /// He is kept out, or not any more.
    pub(super) fn is_banned(&mut self, ban: Option<Ban>) {
        let Some(ban) = ban else {
            if self.state.extras.ban.is_some() {
                self.happened(Event::Unbanned);
            }
            return;
        };
        self.happened(Event::Banned(ban));
        // What he is in the middle of ends in a turn of his own.
        if !self.is_apart() {
            self.want(Want::Alarm(Some(self.now())));
        }
    }

    /// Ends what a banned one is in the middle of; `true` if there was something.
    pub(super) fn leaves_banned(&mut self) -> bool {
        if self.state.ban(self.now()).is_none() {
            return false;
        }
        match self.view.meeting {
            Meeting::Apart => return false,
            Meeting::Waiting { .. } => self.want(Want::Leave),
            Meeting::Paired(partner) => self.part(partner, crate::chat::state::Parting::Left),
        }
        self.arm(None);
        self.tell_banned();
        true
    }

    pub(super) fn tell_banned(&mut self) {
        let Some(ban) = self.state.ban(self.now()).cloned() else { return };
        let language = self.language();
        if ban.until == Ban::FOR_EVER {
            return self.words(language, Key::BannedForEver, &[("reason", &ban.why)]);
        }
        let hours = ban.until.since(self.now()).as_secs().div_ceil(3600).max(1).to_string();
        self.words(language, Key::Banned, &[("hours", &hours), ("reason", &ban.why)]);
    }

    /// `/set KEY VALUE`, `/set KEY default`
    fn set_command(&mut self, arguments: &str) {
        let (name, value) = head(arguments);
        let value: String = value.trim().chars().take(WORDS_MAX).collect();
        let Some(knob) = Knob::of(name).filter(|_| !value.is_empty()) else {
            return self.tell_admin(Key::AdminHelp, &[]);
        };
        let old = (knob.write)(self.settings);
        let taken_back = value == "default";
        let mut with = self.settings.clone();
        if !taken_back && let Err(why) = knob.set(&mut with, &value) {
            return self.tell_admin(Key::SettingWrong, &[("key", name), ("why", why)]);
        }
        let new = if taken_back { value.clone() } else { (knob.write)(&with) };
        let note = Note::Set { key: name.into(), value: (!taken_back).then(|| new.clone().into()) };
        self.inform(COMMON, &note);
        self.tell_admin(Key::SettingSet, &[("key", name), ("old", &old), ("new", &new)]);
    }

    fn get_command(&mut self, name: &str) {
        let mut text = String::new();
        for knob in KNOBS.iter().filter(|knob| name.is_empty() || knob.name == name) {
            let set = self.common.values.iter().any(|(key, _)| **key == *knob.name);
            let mark = if set { " *" } else { "" };
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{} = {}{mark}", knob.name, (knob.write)(self.settings));
        }
        if text.is_empty() { self.tell_admin(Key::AdminHelp, &[]) } else { self.told_words(text) }
    }

    fn log_command(&mut self) {
        let mut text = String::new();
        for Change { by, at, what } in self.common.log.iter().rev() {
            let minutes = self.now().since(*at).as_secs() / 60;
            let _ = writeln!(text, "-{} h {:02} min, {by}: {what}", minutes / 60, minutes % 60);
        }
        if text.is_empty() {
            text.push('-');
        }
        self.told_words(text);
    }

    fn stats(&mut self) {
        let census = self.view.census;
        let [users, waiting, paired, pending, unsaid] =
            [census.users, census.waiting, census.paired, census.pending, self.common.unsaid]
                .map(|n| n.to_string());
        let values =
            [("users", &*users), ("waiting", &waiting), ("chatting", &paired), ("pending", &pending)];
        let mut text = self.settings.texts.say(self.settings.admin_language, Key::Stats, &values);
        if self.common.unsaid > 0 {
            let _ = write!(text, "\ngetChatMember: {unsaid} ?");
        }
        self.told_words(text);
    }

    /// What is known of him, for an administrator who asks.
    pub(super) fn show_to(&mut self, admin: UserId, lane: LaneIx) {
        let text = self.described();
        self.post(admin.private_chat(), lane, Class::Reply, &Say::Words { text });
    }

    fn described(&self) -> String {
        let (state, now) = (&self.state, self.now());
        let days = |until: nobat_core::time::UnixMillis| until.since(now).as_secs().div_ceil(86_400);
        let mut text = format!("{}: ", self.view.user);
        let profile = state.profile();
        let _ = match profile {
            Some(profile) => writeln!(text, "{:?}, {}, {} chats", profile.gender, profile.age, profile.chats),
            None => writeln!(text, "no profile"),
        };
        let purse = &state.purse;
        let _ = writeln!(text, "VIP {} days, {} credits", days(purse.vip_until), purse.credits);
        for receipt in &purse.receipts {
            let back = if receipt.refunded { ", given back" } else { "" };
            let _ =
                writeln!(text, "paid {} Stars: {:?}, {}{back}", receipt.stars, receipt.gave, receipt.charge);
        }
        let _ = writeln!(text, "{} reports", state.reports);
        if let Some(ban) = state.ban(now) {
            let _ = match ban.until {
                Ban::FOR_EVER => writeln!(text, "banned for ever: {}", ban.why),
                until => writeln!(text, "banned for {} days: {}", days(until), ban.why),
            };
        }
        if let Some(invited) = &state.extras.invited {
            let _ = writeln!(text, "invited by {}", invited.by);
        }
        if let Some(circle) = &state.extras.circle {
            let earned = hundredths(circle.earned);
            let _ = writeln!(text, "invited {}, refused {}, earned {earned}", circle.count, circle.refused);
            for (whom, why, at) in &circle.refusals {
                let _ = writeln!(
                    text,
                    "refused {whom}: {}, {} h ago",
                    why.name(),
                    now.since(*at).as_secs() / 3600
                );
            }
        }
        text
    }

    /// Something was told to all, which is nobody's conversation.
    pub(super) fn common_informed(&mut self, by: UserId, note: Note) {
        let at = self.now();
        match note {
            Note::Set { key, value } => {
                let what = format!("{key} = {}", value.as_deref().unwrap_or("default")).into();
                self.happened(Event::Set { key, value });
                self.happened(Event::Did(Change { by, at, what }));
            }
            Note::Did { what } => self.happened(Event::Did(Change { by, at, what })),
            Note::Unsaid { channel } => {
                let told = self.state.extras.common.as_ref().map_or(0, |common| common.told_at.0);
                let due = told == 0 || at >= nobat_core::time::UnixMillis(told).after(UNSAID_EVERY);
                let told_at = Some(at).filter(|_| due);
                self.happened(Event::Unsaid { told_at });
                if due {
                    self.alert(Key::ChannelUnknown, &[("channel", &*channel)]);
                }
            }
            _ => {}
        }
    }

    /// A report goes to the administrators, with what the reported one sent last.
    pub(super) fn report(&mut self, partner: Partner) {
        let Some(chat) = self.settings.admin_chat else { return };
        let (reporter, reported) = (self.view.user.to_string(), partner.user.to_string());
        let (pair, lane) = (partner.pair.to_string(), self.view.lane);
        let values = [("reporter", &*reporter), ("reported", &reported), ("pair", &pair)];
        let text = self.settings.texts.say(self.settings.admin_language, Key::ReportNote, &values);
        self.post(chat, lane, Class::Bulk, &Say::Words { text });
        let messages: Vec<_> = self.view.received.last(EVIDENCE).collect();
        if !messages.is_empty() {
            self.post(chat, lane, Class::Bulk, &Say::Archive { from: self.view.chat, messages });
        }
    }

    /// What was passed on is kept for the administrators, if the operator wants that.
    pub(super) fn archive(&mut self, messages: Vec<MessageId>) {
        let Some(chat) = self.settings.media_channel else { return };
        let say = Say::Archive { from: self.view.chat, messages };
        self.post(chat, self.view.lane, Class::Bulk, &say);
    }

    /// Tells the administrators what nobody asked for.
    pub(super) fn alert(&mut self, key: Key, values: &[(&str, &str)]) {
        let Some(chat) = self.settings.admin_chat.filter(|_| self.settings.alerts) else { return };
        let text = self.settings.texts.say(self.settings.admin_language, key, values);
        self.post(chat, self.view.lane, Class::Bulk, &Say::Words { text });
    }

    fn post(&mut self, chat: ChatId, lane: LaneIx, class: Class, say: &Say) {
        let deadline = Some(self.now().after(POST_DEADLINE));
        let what = Outgoing { class, pinned: true, deadline, ..Outgoing::reply(say.payload()) };
        self.want(Want::Post { chat, lane, what });
    }

    /// A text with values that are known now.
    pub(super) fn words(
        &mut self,
        language: crate::chat::texts::Language,
        key: Key,
        values: &[(&str, &str)],
    ) {
        let text = self.settings.texts.say(language, key, values);
        self.told_words(text);
    }

    pub(super) fn told_words(&mut self, text: String) {
        let text = text.trim_end().chars().take(TEXT_MAX).collect();
        self.say(&Say::Words { text });
    }
}

/// `days 30`, `credits 5`.
fn given(what: &str, amount: &str) -> Option<Gave> {
    match what {
        "days" => amount.parse().ok().filter(|days| (1..=3_650).contains(days)).map(Gave::Days),
        "credits" => amount.parse().ok().filter(|n| (1..=100_000).contains(n)).map(Gave::Credits),
        _ => None,
    }
}

/// The first word, and what stands behind it.
fn head(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_once(char::is_whitespace).unwrap_or((text, ""))
}
