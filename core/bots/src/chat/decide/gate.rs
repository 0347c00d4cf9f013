//! Required channels: who is not in all of them does not look for a partner.
//!
//! The platform is asked when someone wants to look, one question a channel; its answers come back as
//! [`Note::Member`], each question's exactly once or, after a stop, never. What was heard holds for
//! [`crate::chat::Settings::member_for`], and ends at once when he is seen to leave. Where the platform cannot say (the
//! bot is no administrator there), he is let in: the operator's mistake is not the user's. It is counted, and
//! the administrators are told, at most once an hour.

use super::Turn;
use crate::chat::event::Event;
use crate::chat::gate::{CHANNELS_MAX, Gate};
use crate::chat::note::Note;
use crate::chat::say::Say;
use crate::chat::texts::Key;
use core::time::Duration;
use nobat_core::bot::{COMMON, Outgoing, Want};
use nobat_core::envelope::Place;
use nobat_core::time::UnixMillis;

/// How long the platform's answer is waited for. Asked again before, nothing is asked.
const ANSWER_DEADLINE: Duration = Duration::from_secs(10);

impl Turn<'_> {
    /// Whether he may look for a partner now. If not, he is told why, or the platform is asked.
    pub(super) fn may_search(&mut self) -> bool {
        if let Some(hours) = self.shut_out() {
            self.number(Key::ShutOut, hours);
            return false;
        }
        let (now, until) = (self.now(), self.gate().until);
        // A clock that was set back lets nobody in for longer.
        let inside = now < until && until.since(now) <= self.settings.member_for;
        if inside || self.settings.channels.is_empty() {
            return true;
        }
        self.ask_channels();
        false
    }

    fn gate(&self) -> Gate {
        self.state.extras.gate.as_deref().copied().unwrap_or_default()
    }

    fn ask_channels(&mut self) {
        let (now, gate) = (self.now(), self.gate());
        if gate.open != 0 && now >= gate.asked_at && now < gate.asked_at.after(ANSWER_DEADLINE) {
            return;
        }
        let channels: Vec<_> = self.settings.channels.iter().take(CHANNELS_MAX).cloned().collect();
        let open = (1u16 << channels.len()) - 1;
        self.happened(Event::GateAsked { at: now, open: open as u8 });
        for (number, channel) in channels.into_iter().enumerate() {
            let ask = Say::AskMember { user: self.view.user, number: number as u8, channel: channel.name };
            self.out.sends.push(Outgoing {
                pinned: true,
                place: Place::Call,
                deadline: Some(now.after(ANSWER_DEADLINE)),
                ..Outgoing::reply(ask.payload())
            });
        }
        // So that the engine knows on which bot to answer when the answers are there.
        self.arm_again();
    }

    /// The platform has answered for one of them.
    pub(super) fn member(&mut self, number: u8, joined: Option<bool>) {
        if self.gate().open & 1u8.checked_shl(number.into()).unwrap_or(0) == 0 {
            return;
        }
        if joined.is_none() {
            let channel = self.settings.channels.get(usize::from(number));
            let channel = channel.map_or("", |channel| &channel.name).into();
            let note = Note::Unsaid { channel }.bytes();
            self.want(Want::Inform { user: COMMON, note });
        }
        self.happened(Event::GateHeard { channel: number, outside: joined == Some(false) });
        let gate = self.gate();
        if gate.open != 0 {
            return;
        }
        if gate.outside != 0 {
            let language = self.language();
            return self.say(&Say::JoinFirst { language });
        }
        self.happened(Event::GateOpen { until: self.now().after(self.settings.member_for) });
        if self.is_apart() && self.state.profile().is_some() {
            self.find();
        }
    }

    /// He has come into a channel, or left it. His next search asks in any case; nothing is said.
    pub(super) fn moved(&mut self, name: &str, joined: bool) {
        let chat = self.view.chat.to_string();
        let required = self.settings.channels.iter().any(|channel| match channel.name.strip_prefix('@') {
            Some(known) => known.eq_ignore_ascii_case(name),
            None => channel.name == chat,
        });
        if required && !joined && self.gate().until != UnixMillis(0) {
            self.happened(Event::GateOpen { until: UnixMillis(0) });
        }
    }
}
