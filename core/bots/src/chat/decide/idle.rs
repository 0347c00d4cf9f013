//! What is due at a time: a chat in which nobody says anything ends, a VIP is told that his time ends.
//!
//! Each of two who chat knows only when he himself said something last, so that a message changes one cell and
//! not two. Everyone in a chat has an alarm. Who is rung and was silent for the idle time lets his partner
//! know; the partner, if he is silent too, is rung at once and ends the chat. If he is not, his own alarm
//! comes later and asks the other way round. [`Turn::spoke`] writes down one word in an eighth of the idle
//! time, not every one; so a chat ends between seven eighths of that time and the whole of it after the
//! last word.

use super::Turn;
use crate::chat::event::Event;
use crate::chat::note::Note;
use crate::chat::state::Parting;
use crate::chat::texts::Key;
use nobat_core::bot::{Meeting, Want};
use nobat_core::time::UnixMillis;

impl Turn<'_> {
    /// Sets the one alarm that a user has to whatever comes first: this, or the reminder.
    pub(super) fn arm(&mut self, idle: Option<UnixMillis>) {
        let remind = Some(self.state.purse.remind_at).filter(|at| at.0 != 0);
        let album = self.state.extras.album.as_ref().map(|album| album.due());
        self.want(Want::Alarm(idle.into_iter().chain(remind).chain(album).min()));
    }

    /// After the reminder has changed.
    pub(super) fn arm_again(&mut self) {
        let paired = matches!(self.view.meeting, Meeting::Paired(_));
        self.arm(paired.then(|| self.state.said_at.after(self.settings.idle)));
    }

    /// Remembers that he said something; `true` if he had been silent for long.
    pub(super) fn spoke(&mut self) -> bool {
        let now = self.now();
        let due = now >= self.state.said_at.after(self.settings.idle / 8) || now < self.state.said_at;
        if due || self.state.both_silent {
            self.happened(Event::Said { at: now });
        }
        due
    }

    pub(super) fn rung(&mut self) {
        if self.leaves_banned() {
            return;
        }
        self.remind();
        let (now, idle) = (self.now(), self.settings.idle);
        if let Meeting::Paired(partner) = self.view.meeting
            && self.state.extras.album.as_ref().is_some_and(|album| album.due() <= now)
        {
            self.pass_album(partner);
        }
        match self.view.meeting {
            Meeting::Paired(_) if !self.state.silent_for(idle, now) => self.arm_again(),
            Meeting::Paired(partner) if self.state.both_silent => self.part(partner, Parting::Idle),
            Meeting::Paired(partner) => {
                self.tell(partner, Note::Silent);
                self.arm(Some(now.after(idle)));
            }
            Meeting::Waiting { .. } => self.turn_message(),
            Meeting::Apart => self.arm(None),
        }
    }

    fn remind(&mut self) {
        let (now, purse) = (self.now(), &self.state.purse);
        if purse.remind_at.0 != 0 && purse.remind_at <= now {
            let hours = purse.vip_until.since(now).as_secs().div_ceil(3600);
            self.happened(Event::Reminded);
            // After a long stop it may have ended already.
            if hours > 0 {
                self.number(Key::VipEnds, hours);
            }
        }
    }

    pub(super) fn partner_is_silent(&mut self) {
        let now = self.now();
        if self.state.silent_for(self.settings.idle, now) {
            self.happened(Event::BothSilent);
            self.arm(Some(now));
        }
    }
}
